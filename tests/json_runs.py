"""Runs the parser over a document in given pieces and keeps what it said, so that two runs can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from toolstream import DuplicateKeyError, FieldComplete, FieldDelta, IncompleteError, JSONError, JSONParser, LimitError

# The words with which a message begins, for each kind of fault that has no exception of its own.
REASONS = {
    "unexpected character": "syntax",
    "invalid UTF-8": "utf8",
    "control character": "control",
    "invalid escape": "escape",
    "invalid number": "number",
    "invalid literal": "literal",
    "text after the value": "trailing",
}


def kind_of(error: JSONError) -> str:
    """The kind of a fault, in the words of `json_cases`."""
    if isinstance(error, IncompleteError):
        return "incomplete"
    if isinstance(error, DuplicateKeyError):
        return "duplicate"
    if isinstance(error, LimitError):
        return error.limit
    return next((kind for words, kind in REASONS.items() if error.reason.startswith(words)), error.reason)


@dataclass(frozen=True)
class Outcome:
    """All that must not depend on how a document was cut. Values are kept by their repr: equal to the last bit."""

    events: tuple[tuple[Any, ...], ...]
    value: str
    complete: bool
    pending_path: tuple[str | int, ...] | None
    fault: tuple[Any, ...] | None

    @property
    def kind(self) -> str | None:
        return self.fault[0] if self.fault else None

    @property
    def offset(self) -> int | None:
        return self.fault[1] if self.fault else None


def joined(events: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Events as tuples, adjacent deltas of one path as one."""
    told: list[tuple[Any, ...]] = []
    for event in events:
        if isinstance(event, FieldDelta):
            if told and told[-1][:2] == ("delta", event.path):
                told[-1] = ("delta", event.path, told[-1][2] + event.text)
            else:
                told.append(("delta", event.path, event.text))
        else:
            assert isinstance(event, FieldComplete)
            told.append(("complete", event.path, event.value))
    return told


def describe(error: JSONError) -> tuple[Any, ...]:
    return kind_of(error), error.offset, error.line, error.column, error.path, error.reason, str(error)


def finish(parser: JSONParser, pieces: Iterable[bytes | str], events: list[Any] | None = None) -> Outcome:
    """Feeds the pieces and closes; events: those that the parser has given already."""
    events = [] if events is None else list(events)
    fault = None
    try:
        for piece in pieces:
            events += parser.feed(piece)
        events += parser.close()
    except JSONError as error:
        events += error.events
        fault = describe(error)
    told = tuple((kind, path, repr(value)) for kind, path, value in joined(events))
    return Outcome(told, repr(parser.value), parser.complete, parser.pending_path, fault)


def run(pieces: Iterable[bytes | str], **options: Any) -> Outcome:
    return finish(JSONParser(**options), pieces)


def cut(data: Any, places: Sequence[int]) -> list[Any]:
    """The pieces of data between ascending places."""
    bounds = [0, *places, len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


def each_one(data: Any) -> list[Any]:
    return [data[at : at + 1] for at in range(len(data))]


def two_way_cuts(data: Any, most: int = 200) -> Iterator[list[Any]]:
    """Every cut into two; of a long document some, its ends among them."""
    places: Iterable[int] = range(len(data) + 1)
    if len(data) > most:
        step = len(data) // most + 1
        places = sorted({*range(0, len(data) + 1, step), *range(16), *range(len(data) - 16, len(data) + 1)})
    for place in places:
        yield [data[:place], data[place:]]


def every_way(data: bytes, most: int = 200) -> Iterator[list[Any]]:
    """A document whole, byte by byte and at every two-way cut, as bytes and, where it is UTF-8, as str."""
    forms: list[Any] = [data]
    with suppress(UnicodeDecodeError):
        forms.append(data.decode("utf-8"))
    for form in forms:
        yield [form]
        yield each_one(form)
        yield from two_way_cuts(form, most)
