"""Times contestants side by side: interleaved rounds, medians, ratios that mean something on a noisy machine.

Each round runs every contestant once, so that a slow second hits all of them. A sample lasts at least
`MIN_SAMPLE` seconds (fast work is repeated inside it); a contestant that is slow gets fewer rounds. The garbage
collector stays on, as in production, and runs just before each sample; what exists before the timing (modules,
fragments) is frozen out of it, so that no contestant pays for another's objects.
"""

from __future__ import annotations

import gc
import json
import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import get_clock_info, perf_counter, process_time

# Time that this process ran: what others on the machine do meanwhile costs it little. On Windows that is too coarse.
clock = process_time if get_clock_info("process_time").resolution < 1e-5 else perf_counter

MIN_SAMPLE = 0.004
MAX_REPEATS = 20_000
RUN_ONCE_ABOVE = 3.0
MIN_ROUNDS = 3


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
    """samples: seconds for the whole work, one a round; estimated: from parts of it, not run in full."""

    samples: tuple[float, ...]
    estimated: bool

    @property
    def seconds(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    def times(self, subject: Timing) -> float:
        """How many times the subject's time this takes: the median of the ratios of each round, so that what
        slows a whole round down cancels out; of those with too few rounds, the ratio of the medians."""
        if len(self.samples) < MIN_ROUNDS:
            return self.seconds / subject.seconds
        paired = zip(self.samples, subject.samples, strict=False)
        return statistics.median(own / other for own, other in paired)


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to measure. rounds: at most; entry_seconds: spent on one contestant at most, but for one sample;
    estimate_above: work that takes longer than this many seconds is estimated, if it can be."""

    rounds: int
    entry_seconds: float
    estimate_above: float


THOROUGH = Effort(rounds=21, entry_seconds=0.3, estimate_above=0.3)
PLOTTED = Effort(rounds=7, entry_seconds=0.1, estimate_above=0.3)
QUICK = Effort(rounds=5, entry_seconds=0.06, estimate_above=0.06)


_CALIBRATION_TEXT = json.dumps(
    [{"number": n, "text": "calibration " * (n % 5), "list": [n, n / 8]} for n in range(200)]
)


def _calibrate() -> int:
    """Work of the kind that is measured, by the standard library alone: calls, small objects, bytes."""
    size = 0
    for row in json.loads(_CALIBRATION_TEXT):
        size += len(row["text"].encode())
    return size


CALIBRATION = Entry("calibration", _calibrate)
"""A fixed piece of work in every round: what a time is divided by before it is compared with another run's."""


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
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats


def measure(entries: Sequence[Entry], effort: Effort) -> dict[str, Timing]:
    """Times all entries in interleaved rounds. Their names must differ."""
    with frozen_heap():
        plans = [_plan(entry, effort) for entry in entries]
        for turn in range(max(plan.rounds for plan in plans)):
            for plan in plans[turn % len(plans) :] + plans[: turn % len(plans)]:
                if turn < plan.rounds:
                    plan.samples.append(plan.sample())
    return {plan.name: plan.timing() for plan in plans}


@dataclass(slots=True)
class _Plan:
    name: str
    sample: Callable[[], float]
    rounds: int
    estimated: bool
    samples: list[float]

    def timing(self) -> Timing:
        return Timing(tuple(self.samples), self.estimated)


def _plan(entry: Entry, effort: Effort) -> _Plan:
    """Decides how often to run the entry. The first run is warm-up; it counts only if it took very long."""
    if entry.estimate is not None:
        seconds = entry.estimate()
        if seconds > effort.estimate_above:
            return _Plan(entry.name, entry.estimate, MIN_ROUNDS, True, [])
    first = _first_run(entry)
    seconds = timed(entry.run) if first < RUN_ONCE_ABOVE else first
    if seconds > effort.entry_seconds:
        return _Plan(entry.name, lambda: timed(entry.run), 0, False, [seconds])
    repeats, seconds = _repeats(entry, seconds)
    rounds = max(MIN_ROUNDS, min(effort.rounds, int(effort.entry_seconds / (seconds * repeats))))
    return _Plan(entry.name, lambda: timed(entry.run, repeats), rounds, False, [])


def _repeats(entry: Entry, seconds: float) -> tuple[int, float]:
    """How often to run the entry in one sample, and what one run takes then: early runs are slow, and mislead."""
    repeats = 1
    while repeats * seconds < MIN_SAMPLE and repeats < MAX_REPEATS:
        repeats = min(MAX_REPEATS, math.ceil(MIN_SAMPLE / seconds))
        seconds = timed(entry.run, repeats)
    return repeats, seconds


def _first_run(entry: Entry) -> float:
    gc.collect()
    start = clock()
    result = entry.run()
    seconds = clock() - start
    if entry.check is not None:
        entry.check(result)
    return seconds
