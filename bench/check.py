"""The bars: ratios that must hold on any machine, because both sides of each run in one process. What the project aims
at beyond them is in `goals.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import growth
from .peers import JITER
from .report import Report, add_json
from .timing import Effort
from .workloads import KEYS, SCALABLE

EFFORT = Effort(rounds=9, entry_seconds=0.25, estimate_above=0.15)


@dataclass(frozen=True, slots=True)
class Bar:
    """name: what is compared; found: what was measured (None: a peer is missing); one or both of the bounds are set.
    floor: what would be found of a parser that takes no time."""

    name: str
    found: float | None
    at_least: float | None = None
    at_most: float | None = None
    floor: float | None = None

    @property
    def holds(self) -> bool:
        if self.found is None:
            return True
        low, high = self.at_least, self.at_most
        return (low is None or self.found >= low) and (high is None or self.found <= high)

    def __str__(self) -> str:
        bounds = (("at least", self.at_least), ("at most", self.at_most))
        bound = ", ".join(f"{word} {limit:,g}" for word, limit in bounds if limit is not None)
        if self.found is None:
            return f"skip  {self.name}: {bound}; the peer is not installed"
        floor = f" (floor {self.floor:,.3g})" if self.floor is not None else ""
        return f"{'pass' if self.holds else 'FAIL'}  {self.name}: {bound}, found {self.found:,.3g}{floor}"


def bars() -> Iterator[Bar]:
    """Not slower than the fastest incremental parser, far ahead of re-parsing, linear."""
    report = Report()
    add_json(report, EFFORT, sizes=(16,), groups=("fields",))
    for key in KEYS:
        found = report.json_ratio("fields", 16, key, "ijson yajl2_c parse_coro")
        yield Bar(f"{key}@16: faster than ijson parse_coro", found, at_least=1)
    for key in ("W4", "W5"):
        found = report.json_ratio("fields", 16, key, JITER)
        yield Bar(f"{key}@16: faster than jiter re-parsing", found, at_least=50)
    for key in SCALABLE:
        found = growth.json_growth(key, 16)
        yield Bar(f"{key}@16: a fragment's cost at 2 MB against 20 KB", found, at_most=2)


def run(make: Callable[[], Iterator[Bar]]) -> bool:
    """Prints each bar as it is measured, and how many hold; True if all do."""
    found = []
    for bar in make():
        print(bar, flush=True)
        found.append(bar)
    missed = sum(not bar.holds for bar in found)
    skipped = sum(bar.found is None for bar in found)
    print(f"{len(found) - missed - skipped} of {len(found)} hold, {missed} missed, {skipped} skipped", flush=True)
    return missed == 0
