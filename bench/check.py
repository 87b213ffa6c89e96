"""The bars: ratios that must hold on any machine, because both sides of each run in one process.

`BARS` must hold now and fail a run that breaks them; `GOALS` are what the project aims at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import toolstream

from . import concurrency, growth, memory
from .peers import FLOOR
from .report import Report, add_json, add_streams
from .timing import Effort, Entry, measure
from .wire import CHUNK_BYTES, SHAPES
from .workloads import FRAGMENT_SIZES, KEYS, SCALABLE

EFFORT = Effort(rounds=9, entry_seconds=0.25, estimate_above=0.15)
JITER = "jiter partial_mode, re-parsing"
KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Bar:
    """name: what is compared; found: what was measured (None: a peer is missing); one of the bounds is set.
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
        if self.at_least is not None:
            return self.found >= self.at_least
        return self.at_most is None or self.found <= self.at_most

    def __str__(self) -> str:
        bound = f"at least {self.at_least:,g}" if self.at_least is not None else f"at most {self.at_most:,g}"
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


def goals() -> Iterator[Bar]:
    """Every figure that the project aims at. Takes some minutes."""
    parts = (_json_goals, _stream_goals, _growth_goals, _production_goals, _set_up_goals, _memory_goals)
    for part in (*parts, _concurrency_goals):
        yield from part()


def _json_goals() -> Iterator[Bar]:
    report = Report()
    add_json(report, EFFORT, sizes=FRAGMENT_SIZES)
    for size in FRAGMENT_SIZES:
        for key in KEYS:

            def ahead(group: str, peer: str, by: float, key: str = key, size: int = size) -> Bar:
                found = report.json_ratio(group, size, key, peer)
                floor = report.json_ratio(group, size, key, peer, FLOOR)
                return Bar(f"{group} {key}@{size}: faster than {peer}", found, at_least=by, floor=floor)

            yield ahead("fields", "ijson yajl2_c basic_parse_coro", 5)
            yield ahead("fields", "ijson yajl2_c kvitems_coro", 8)
            if key not in ("W1", "W2"):
                yield ahead("fields", JITER, 200)
            yield ahead("live", "ijson yajl2_c + ObjectBuilder", 2)
            yield ahead("leaves", "ijson yajl2_c parse_coro", 2)
    for key in KEYS[1:]:
        found = report.json_ratio("whole", None, key, "orjson.loads")
        yield Bar(f"whole {key}: speed against orjson.loads", found, at_least=0.8)


_STREAM_GOALS = (("split", 8.0), ("sseclient", 30.0), ("sdk raw", 100.0), ("sdk helper", 400.0))
_RESPONSES_SPLIT = 5.0
_CHUNKED_SPLIT = 12.0
_DELTAS_SPLIT = 3.0


def _stream_goals() -> Iterator[Bar]:
    report = Report()
    ranks = ["subject", "subject deltas", *(rank for rank, _ in _STREAM_GOALS)]
    keys = ("W2", "W3", "W4")
    add_streams(report, EFFORT, keys=keys, ranks=ranks, chunkings=(None,))
    add_streams(report, EFFORT, keys=keys, ranks=("subject", "subject deltas", "split"), chunkings=(CHUNK_BYTES,))
    for shape in SHAPES:
        for key in keys:
            for rank, by in _STREAM_GOALS:
                least = _RESPONSES_SPLIT if (shape, rank) == ("responses", "split") else by
                found = report.stream_ratio(shape, None, key, rank)
                yield Bar(f"{shape} {key}: faster than {rank}", found, at_least=least)
            chunked = report.stream_ratio(shape, CHUNK_BYTES, key, "split")
            yield Bar(f"{shape} {key} in 4 KB chunks: faster than split", chunked, at_least=_CHUNKED_SPLIT)
            deltas = report.stream_ratio(shape, None, key, "split", "subject deltas")
            yield Bar(f"{shape} {key} with deltas: faster than split", deltas, at_least=_DELTAS_SPLIT)


def _growth_goals() -> Iterator[Bar]:
    for key in SCALABLE:
        for size in FRAGMENT_SIZES:
            found, floor = growth.json_growth(key, size), growth.floor_growth(key, size)
            yield Bar(f"{key}@{size}: a fragment's cost at 2 MB against 20 KB", found, at_most=1.15, floor=floor)
        found = growth.json_growth(key, 64, growth.HUGE, growth.LARGE)
        floor = growth.floor_growth(key, 64, growth.HUGE, growth.LARGE)
        yield Bar(f"{key}@64: a fragment's cost at 20 MB against 2 MB", found, at_most=1.15, floor=floor)
    for look in ("text", "snapshot"):
        found = growth.reading_growth(look, large=growth.SMALL * 10)
        yield Bar(f"an event's cost with its call's {look} read, 200 KB against 20 KB", found, at_most=1.15)


def _production_goals() -> Iterator[Bar]:
    for events, characters in growth.LONG_CALLS:
        drift = growth.drift(events, characters)
        name = f"{events} deltas of {characters}"
        yield Bar(f"{name}: the last hundredth's cost against the first", drift.ratio, at_most=1.2)
        yield Bar(f"{name}: longest stall in ms", drift.stall * 1e3, at_most=1)

    for characters in (1, 20):
        for key in SCALABLE:
            drift = growth.json_drift(key, 2_000_000 if characters > 1 else 200_000, characters)
            name = f"JSONParser, {key} in deltas of {characters}"
            yield Bar(f"{name}: the last hundredth's cost against the first", drift.ratio, at_most=1.2)
            yield Bar(f"{name}: longest stall in ms", drift.stall * 1e3, at_most=1)


def _set_up_goals() -> Iterator[Bar]:
    def parse() -> object:
        return toolstream.parse(())

    timing = measure([Entry("parse()", parse), Entry("StreamParser()", toolstream.StreamParser)], EFFORT)
    for name, one in timing.items():
        yield Bar(f"{name}: set-up of a stream in µs", one.seconds * 1e6, at_most=5)


def _memory_goals() -> Iterator[Bar]:
    yield Bar("one idle parser, Python's bytes", memory.measured("idle")["python_bytes_each"], at_most=4 * KIB)
    many = memory.measured("many")
    yield Bar("one idle parser of 100 000, resident bytes", many["resident_bytes_each"], at_most=4 * KIB)
    yield Bar("100 000 idle parsers, resident MiB", many["resident_bytes"] / MIB, at_most=500)
    for part in ("string", "string-wide"):
        yield Bar(f"peak over a 20 MB {part}", memory.measured(part)["peak_of_string"], at_most=3)


def _concurrency_goals() -> Iterator[Bar]:
    sdk = concurrency.sdk_throughput()
    ahead = concurrency.throughput() / sdk if sdk is not None else None
    yield Bar("1000 streams: throughput against the SDK's helper", ahead, at_least=20)
    ours, loop = concurrency.lateness(), concurrency.loop_lateness()
    yield Bar("1000 streams: worst lateness against the loop's own", ours.worst / loop.worst, at_most=2)


def run(make: Callable[[], Iterator[Bar]]) -> bool:
    """Prints each bar as it is measured; True if all hold."""
    held = True
    for bar in make():
        print(bar, flush=True)
        held = held and bar.holds
    return held
