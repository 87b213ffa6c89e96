"""The benchmark of early starts computes what it says, on its simulated clock."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "bench" / "early_start.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("early_start", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["early_start"] = module  # its functions' annotations are looked up there
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules["early_start"]
    return module


def test_an_earlier_start_is_never_slower(bench: ModuleType) -> None:
    for turn in bench.TURNS[:3]:
        taken = [round(bench.seconds(turn, mode), 6) for mode in bench.MODES]
        assert taken == sorted(taken, reverse=True)


def test_a_fan_out_gains_most_by_element(bench: ModuleType) -> None:
    (fan_out,) = (turn for turn in bench.TURNS if turn.name.startswith("20 URLs"))
    assert bench.seconds(fan_out, "element final") < 0.7 * bench.seconds(fan_out, "call closed")
