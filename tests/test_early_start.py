"""The benchmark of early starts computes what it says, on its simulated clock."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from packages import package

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def benchmark_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a module of `bench/`, which is no installed package."""

    def load(name: str) -> ModuleType:
        monkeypatch.syspath_prepend(str(ROOT))
        return importlib.import_module(f"bench.{name}")

    return load


@pytest.fixture
def bench(benchmark_of: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark_of("early_start")


def test_an_earlier_start_is_never_slower(bench: ModuleType) -> None:
    for turn in bench.TURNS[:3]:
        taken = [round(bench.seconds(turn, mode), 6) for mode in bench.MODES]
        assert taken == sorted(taken, reverse=True)


def test_a_fan_out_gains_most_by_element(bench: ModuleType) -> None:
    (fan_out,) = (turn for turn in bench.TURNS if turn.name.startswith("20 URLs"))
    assert bench.seconds(fan_out, "element final") < 0.7 * bench.seconds(fan_out, "call closed")


@pytest.mark.parametrize("vendor", ["Anthropic", "OpenAI"])
def test_the_vendors_runners_and_dispatch_end_the_same_turn(
    vendor: str, benchmark_of: Callable[[str], ModuleType]
) -> None:
    runners = benchmark_of("eager_runners")
    chosen = getattr(runners, vendor)
    package(chosen.name)
    if not chosen.has_runner():
        pytest.skip(f"this version of {chosen.name} has no eager runner")
    wires = runners.generate()
    weather = runners.TURNS[0]
    for mode in runners.MODES:
        took = asyncio.run(runners.seconds(chosen, weather, mode, 20.0, wires))
        assert took >= weather.work["weather"][1], "the tool has not run before the next request"
