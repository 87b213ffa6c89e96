"""Does the cost of a fragment depend on how much came before it? Linear work means that it doesn't.

Compares the time per fragment of a small document with that of a large one of the same shape, and, for a long call
in one-character deltas, the time per event at its end with that at its beginning.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import toolstream

from .peers import FLOOR, json_groups
from .timing import Effort, Entry, frozen_heap, measure
from .wire import stream
from .workloads import workload

SMALL = 20_000
LARGE = 2_000_000
HUGE = 20_000_000
EFFORT = Effort(rounds=7, entry_seconds=0.5, estimate_above=1e9)


def json_growth(key: str, size: int, large: int = LARGE, small: int = SMALL) -> float:
    """Cost of a fragment of `size` characters in a document of `large` characters, against `small` ones."""
    return _growth({chars: workload(key, chars).byte_fragments(size) for chars in (small, large)}, _feed)


def floor_growth(key: str, size: int, large: int = LARGE, small: int = SMALL) -> float | None:
    """The same for the floor of `peers.py`: what the value alone costs, since a large one fits no cache. None without
    orjson."""
    contestant = next((one for one in json_groups([])[0].contestants if one.name == FLOOR), None)
    if contestant is None:
        return None
    pieces = {chars: workload(key, chars).byte_fragments(size) for chars in (small, large)}
    return _growth(pieces, lambda fragments: contestant.start(b"")(fragments))


def stream_growth(key: str, large: int = LARGE, small: int = SMALL) -> float:
    """The same for `parse` over a whole stream in 16-character deltas, one event a chunk."""
    return _growth({chars: list(stream("anthropic", key, 16, chars).events) for chars in (small, large)}, _parse)


def reading_growth(look: str, large: int = LARGE, small: int = SMALL) -> float:
    """The same for a stream whose reader looks at the call at every event: at its `text`, or with "snapshot" at
    the string that is growing."""
    events = {chars: list(stream("anthropic", "W4", 16, chars).events) for chars in (small, large)}
    return _growth(events, _read_text if look == "text" else _read_snapshot)


def _growth(pieces: dict[int, list[bytes]], run: Callable[[Sequence[bytes]], object]) -> float:
    entries = [Entry(str(chars), lambda pieces=cut: run(pieces)) for chars, cut in pieces.items()]  # type: ignore[misc]
    small, large = measure(entries, EFFORT).values()
    counts = [len(cut) for cut in pieces.values()]
    return large.times(small) * counts[0] / counts[1]


def _feed(fragments: Sequence[bytes]) -> Any:
    parser = toolstream.JSONParser()
    feed = parser.feed
    for fragment in fragments:
        feed(fragment)
    return parser.value


def _parse(chunks: Sequence[bytes]) -> Any:
    with toolstream.parse(iter(chunks)) as events:
        for _ in events:
            pass
        return events.calls[0].arguments


def _read_text(chunks: Sequence[bytes]) -> int:
    parser = toolstream.StreamParser()
    size = 0
    for chunk in chunks:
        parser.feed(chunk)
        if parser.calls:
            size += len(parser.calls[0].text)
    parser.close()
    return size


def _read_snapshot(chunks: Sequence[bytes]) -> int:
    parser = toolstream.StreamParser()
    size = 0
    for chunk in chunks:
        parser.feed(chunk)
        if parser.calls:
            size += len((parser.calls[0].snapshot() or {}).get("content", ""))
    parser.close()
    return size


@dataclass(frozen=True, slots=True)
class Drift:
    """first, last: seconds of the median event in the first and last hundredth; stall: of the longest event of all,
    which is the one that completes the largest value."""

    first: float
    last: float
    stall: float

    @property
    def ratio(self) -> float:
        return self.last / self.first


# The calls of production that hurt others most: (events, characters per delta).
DRIFT_ROUNDS = 5
LONG_CALLS = ((116_667, 1), (64 * 1024 // 20, 20), (128 * 1024 // 32, 32))


def drift(events: int, characters: int) -> Drift:
    """Feeds one call of so many deltas event by event."""
    pieces = stream("anthropic", "W4", characters, events * characters).events
    return _drift([_steps(toolstream.StreamParser().feed, pieces) for _ in range(DRIFT_ROUNDS)])


def json_drift(key: str, chars: int, characters: int) -> Drift:
    """The same for a `JSONParser` that is fed a document of `chars` characters."""
    pieces = workload(key, chars).byte_fragments(characters)
    return _drift([_steps(toolstream.JSONParser().feed, pieces) for _ in range(DRIFT_ROUNDS)])


def _steps(feed: Callable[[bytes], object], pieces: Sequence[bytes]) -> list[float]:
    steps = []
    with frozen_heap():
        for piece in pieces:
            start = perf_counter()
            feed(piece)
            steps.append(perf_counter() - start)
    return steps


def _drift(rounds: Sequence[Sequence[float]]) -> Drift:
    """Of each step the fastest round counts: what the work itself needs, not what the machine did meanwhile. The
    first and the last steps, which open and end the call, count for the stall only."""
    steps = [min(same) for same in zip(*rounds, strict=True)]
    alike = steps[4:-3]
    share = max(1, len(alike) // 100)
    return Drift(statistics.median(alike[:share]), statistics.median(alike[-share:]), max(steps))
