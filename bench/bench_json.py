"""The JSON layer under pytest-benchmark: each group's table has toolstream beside its peers, from one run.

pytest -o addopts= bench/bench_json.py
"""

from __future__ import annotations

from typing import Any

import pytest

from .peers import Contestant, json_groups
from .workloads import KEYS, workload

SIZE = 16
SLOW_SECONDS = 0.5
_CASES = [
    pytest.param(contestant, key, SIZE if group.fragmented else None, id=f"{group.key}-{key}-{contestant.name}")
    for group in json_groups([])
    for key in KEYS
    for contestant in group.contestants
]


@pytest.mark.parametrize(("contestant", "key", "size"), _CASES)
def test_json(
    benchmark: Any, request: pytest.FixtureRequest, contestant: Contestant, key: str, size: int | None
) -> None:
    document = workload(key)
    contestant.verify(document, size)
    entry = contestant.entry(document, size)
    if entry.estimate is not None and (seconds := entry.estimate()) > SLOW_SECONDS:
        pytest.skip(f"about {seconds:.1f} s a run: python -m bench estimates it")
    benchmark.group = f"{request.node.callspec.id.split('-')[0]} {key}"
    benchmark.extra_info["fragments"] = len(document.fragments(size)) if size else 1
    benchmark(entry.run)
