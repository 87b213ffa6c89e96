"""What the project aims at: one function for each kind of work, every bound a ratio inside one run or an absolute one
that a user would notice. `python -m bench --goals` measures them all and says which hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import toolstream

from . import concurrency, growth, memory
from .check import EFFORT, Bar
from .peers import FLOOR, JITER
from .report import Report, add_json, add_streams
from .timing import Entry, measure
from .wire import CHUNK_BYTES, PADDED_SHAPES, SHAPES
from .workloads import FRAGMENT_SIZES, KEYS, SCALABLE

KIB, MIB = 1024, 1024 * 1024
STEADY = 1.15
SET_UP_MICROSECONDS = 5


def goals() -> Iterator[Bar]:
    """All of them. Takes a quarter of an hour."""
    parts = (_stream_goals, _small_call_goals, _json_goals, _whole_goals, _growth_goals, _reading_goals)
    for part in (*parts, _production_goals, _set_up_goals, _memory_goals, _concurrency_goals):
        yield from part()


# ---------------------------------------------------------------- whole streams

# From 2 KB of arguments on, one event a chunk. msgspec: nothing that only splits and decodes may be faster.
_ONE_EVENT = (("split", 8.0), ("split msgspec", 1.0), ("sseclient", 30.0), ("sdk raw", 100.0), ("sdk helper", 400.0))
# Where sequence numbers or padding change from event to event, an event cannot be compared with the one before it.
_CHANGING_SPLIT = 5.0
_CHANGING = ("responses", *PADDED_SHAPES)
_CHUNKED_SPLIT = 12.0
_DELTAS_SPLIT = 3.0
_STREAM_KEYS = ("W2", "W3", "W4", "W5")


def _stream_goals() -> Iterator[Bar]:
    report = Report()
    light = ("subject", "subject deltas", "split", "split msgspec")
    all_ranks = (*light, "sseclient", "sdk raw", "sdk helper")
    add_streams(report, EFFORT, keys=_STREAM_KEYS, ranks=all_ranks, chunkings=(None,))
    add_streams(report, EFFORT, keys=_STREAM_KEYS, ranks=light, chunkings=(CHUNK_BYTES,))
    add_streams(report, EFFORT, keys=_STREAM_KEYS, ranks=light, shapes=PADDED_SHAPES)
    for shape, key in product((*SHAPES, *PADDED_SHAPES), _STREAM_KEYS):
        for rank, by in _ONE_EVENT:
            least = _CHANGING_SPLIT if rank == "split" and shape in _CHANGING else by
            if rank in light or shape in SHAPES:
                found = report.stream_ratio(shape, None, key, rank)
                yield Bar(f"{shape} {key}: faster than {rank}", found, at_least=least)
        for chunking, arrival in ((None, ""), (CHUNK_BYTES, " in 4 KB chunks")):
            if chunking:
                chunked = report.stream_ratio(shape, chunking, key, "split")
                yield Bar(f"{shape} {key}{arrival}: faster than split", chunked, at_least=_CHUNKED_SPLIT)
            deltas = report.stream_ratio(shape, chunking, key, "split", "subject deltas")
            yield Bar(f"{shape} {key}{arrival} with deltas: faster than split", deltas, at_least=_DELTAS_SPLIT)


def _small_call_goals() -> Iterator[Bar]:
    """A call of 120 B is nearly all set-up and end; still nobody may be faster."""
    report = Report()
    ranks = [rank for rank, _ in _ONE_EVENT]
    add_streams(report, EFFORT, keys=("W1",), ranks=("subject", *ranks), chunkings=(None,))
    for shape, rank in product(SHAPES, ranks):
        yield Bar(f"{shape} W1: faster than {rank}", report.stream_ratio(shape, None, "W1", rank), at_least=1)


# ---------------------------------------------------------------- the JSON layer


def _json_goals() -> Iterator[Bar]:
    report = Report()
    add_json(report, EFFORT, sizes=FRAGMENT_SIZES, groups=("fields", "live", "leaves"))

    def ahead(group: str, key: str, size: int, peer: str, by: float) -> Bar:
        found = report.json_ratio(group, size, key, peer)
        floor = report.json_ratio(group, size, key, peer, FLOOR)
        return Bar(f"{group} {key}@{size}: faster than {peer}", found, at_least=by, floor=floor)

    for size, key in product(FRAGMENT_SIZES, KEYS):
        yield ahead("fields", key, size, "ijson yajl2_c basic_parse_coro", 5)
        yield ahead("fields", key, size, "ijson yajl2_c kvitems_coro", 8)
        if key not in ("W1", "W2"):
            yield ahead("fields", key, size, JITER, 200)
        yield ahead("live", key, size, "ijson yajl2_c + ObjectBuilder", 2)
        yield ahead("leaves", key, size, "ijson yajl2_c parse_coro", 2)


def _whole_goals() -> Iterator[Bar]:
    report = Report()
    add_json(report, EFFORT, sizes=(), groups=("whole",))
    for key in KEYS[1:]:
        found = report.json_ratio("whole", None, key, "orjson.loads")
        yield Bar(f"whole {key}: speed against orjson.loads", found, at_least=0.8)


# ---------------------------------------------------------------- linear work


def _growth_goals() -> Iterator[Bar]:
    """The total time grows with the document, by no more and no less."""
    steps = (("20 KB to 2 MB", growth.SMALL, growth.LARGE), ("2 MB to 20 MB", growth.LARGE, growth.HUGE))
    for (name, small, large), key, size in product(steps, SCALABLE, FRAGMENT_SIZES):
        found = growth.json_growth(key, size, large, small)
        floor = growth.floor_growth(key, size, large, small)
        bar = f"{key}@{size}, {name}: total time against proportional"
        yield Bar(bar, found, at_least=2 - STEADY, at_most=STEADY, floor=floor)
    for key in SCALABLE:  # what a stream costs once makes short ones dearer, so there is only an upper bound
        found = growth.stream_growth(key)
        yield Bar(f"stream {key}@16, 20 KB to 2 MB: total time against proportional", found, at_most=STEADY)


def _reading_goals() -> Iterator[Bar]:
    for look in ("text", "snapshot"):
        found = growth.reading_growth(look)
        name = f"the call's {look} read at each event, 20 KB to 2 MB: total time against proportional"
        yield Bar(name, found, at_most=STEADY)


def _production_goals() -> Iterator[Bar]:
    """One call in very small deltas, as providers send them: neither slower at its end nor blocking the loop."""
    for events, characters in growth.LONG_CALLS:
        yield from _drift_bars(f"{events} deltas of {characters}", growth.drift(events, characters))
        for key in SCALABLE:
            drift = growth.json_drift(key, events * characters, characters)
            yield from _drift_bars(f"JSONParser, {key}, {events} deltas of {characters}", drift)


def _drift_bars(name: str, drift: growth.Drift) -> Iterator[Bar]:
    yield Bar(f"{name}: the last hundredth's cost against the first", drift.ratio, at_most=1.2)
    yield Bar(f"{name}: longest stall in ms", drift.stall * 1e3, at_most=1)


# ---------------------------------------------------------------- many streams


def _set_up_goals() -> Iterator[Bar]:
    entries: Sequence[Entry] = (
        Entry("parse()", lambda: toolstream.parse(())),
        Entry("StreamParser()", toolstream.StreamParser),
        Entry("JSONParser()", toolstream.JSONParser),
    )
    for name, one in measure(entries, EFFORT).items():
        yield Bar(f"{name}: set-up of a stream in µs", one.seconds * 1e6, at_most=SET_UP_MICROSECONDS)


def _memory_goals() -> Iterator[Bar]:
    for shape in memory.SHAPES:
        idle = memory.measured(f"idle, {shape}")
        yield Bar(f"one idle parser in a 2 KB call, {shape}, bytes", idle["bytes_each"], at_most=4 * KIB)
        many = memory.measured(f"many, {shape}")
        yield Bar(f"100 000 idle parsers, {shape}, resident MiB", many["resident_bytes"] / MIB, at_most=500)
    for part in ("string", "string-wide"):
        yield Bar(f"peak over a 20 MB {part}", memory.measured(part)["peak_of_string"], at_most=3)


def _concurrency_goals() -> Iterator[Bar]:
    sdk = concurrency.sdk_throughput()
    ahead = concurrency.throughput() / sdk if sdk is not None else None
    yield Bar("1000 streams: throughput against the SDK's helper", ahead, at_least=20)
    ours, loop = concurrency.worst_lateness()
    yield Bar("1000 streams, paced: the worst event's lateness against the loop's own", ours / loop, at_most=1.2)
