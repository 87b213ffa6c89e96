"""Times contestants side by side: interleaved rounds, medians, ratios that mean something on a noisy machine.

Each round runs every contestant once, so that a slow second hits all of them. A sample lasts at least
`MIN_SAMPLE` seconds (fast work is repeated inside it); a contestant that is slow gets fewer rounds. The garbage
collector stays on, as in production, and runs just before each sample; what exists before the timing (modules,
fragments) is frozen out of it, so that no contestant pays for another's objects.
"""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

MIN_SAMPLE = 0.004
MAX_REPEATS = 20_000
RUN_ONCE_ABOVE = 3.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to time. run: the whole work, once. estimate: seconds for the whole work, from samples of it.
    check: raises if what `run` answered is wrong; called once, before anything counts."""

    name: str
    run: Callable[[], object]
    estimate: Callable[[], float] | None = None
    check: Callable[[object], None] | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """seconds: median for the whole work; samples: how many it is the median of; estimated: not run in full."""

    seconds: float
    samples: int
    estimated: bool


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to measure. rounds: at most; entry_seconds: spent on one contestant at most, but for one sample;
    estimate_above: work that takes longer than this many seconds is estimated, if it can be."""

    rounds: int
    entry_seconds: float
    estimate_above: float


THOROUGH = Effort(rounds=11, entry_seconds=0.3, estimate_above=0.3)
QUICK = Effort(rounds=5, entry_seconds=0.06, estimate_above=0.06)


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Everything alive now is kept out of the collector's sight inside the block."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def timed(run: Callable[[], object], repeats: int = 1) -> float:
    """Seconds for one run, averaged over `repeats` runs in a row."""
    gc.collect()
    start = perf_counter()
    for _ in range(repeats):
        run()
    return (perf_counter() - start) / repeats


def measure(entries: Sequence[Entry], effort: Effort) -> dict[str, Timing]:
    """Times all entries in interleaved rounds. Their names must differ."""
    with frozen_heap():
        plans = [_plan(entry, effort) for entry in entries]
        for turn in range(max(plan.rounds for plan in plans)):
            for plan in plans[turn % len(plans) :] + plans[: turn % len(plans)]:
                if turn < plan.rounds:
                    plan.samples.append(plan.sample())
    return {plan.name: plan.timing() for plan in plans}


def ratios(timings: Mapping[str, Timing], subject: str) -> dict[str, float]:
    """For each contestant: how many times the subject's time it takes."""
    base = timings[subject].seconds
    return {name: timing.seconds / base for name, timing in timings.items()}


@dataclass(slots=True)
class _Plan:
    name: str
    sample: Callable[[], float]
    rounds: int
    estimated: bool
    samples: list[float]

    def timing(self) -> Timing:
        return Timing(statistics.median(self.samples), len(self.samples), self.estimated)


def _plan(entry: Entry, effort: Effort) -> _Plan:
    """Decides how often to run the entry. The first run is warm-up; it counts only if it took very long."""
    if entry.estimate is not None:
        seconds = entry.estimate()
        if seconds > effort.estimate_above:
            return _Plan(entry.name, entry.estimate, 3, True, [])
    first = _first_run(entry)
    seconds = timed(entry.run) if first < RUN_ONCE_ABOVE else first
    if seconds > effort.entry_seconds:
        return _Plan(entry.name, lambda: timed(entry.run), 0, False, [seconds])
    repeats = min(MAX_REPEATS, max(1, math.ceil(MIN_SAMPLE / seconds)))
    rounds = max(3, min(effort.rounds, int(effort.entry_seconds / (seconds * repeats))))
    return _Plan(entry.name, lambda: timed(entry.run, repeats), rounds, False, [])


def _first_run(entry: Entry) -> float:
    gc.collect()
    start = perf_counter()
    result = entry.run()
    seconds = perf_counter() - start
    if entry.check is not None:
        entry.check(result)
    return seconds
