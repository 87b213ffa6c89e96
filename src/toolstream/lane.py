"""The fast lane: most events of a stream are one event with other text, and need not be understood each time.

When an adapter says of an event that the next one like it may be taken as it is but for its text (`Repeat`), the event
becomes a template, and bytes that match it go from the chunk to the call's parser, or become a text event, in one C
call (`csrc/lane.c`, `_core/native_lane.c`). Every other byte takes the slow lane, which is the reference: both give the
same events on every stream. The environment variable TOOLSTREAM_LANE=slow leaves only that one, and so does a Python
without the extension.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ._core import lib
from .fields import BINDING
from .values import load_string

if TYPE_CHECKING:
    from .calls import ToolCall
    from .events import Event

# The core's slots. The one for blanks stands before each of the brackets that close an event.
_TEXT, _STRING, _NUMBER, _SPACE = lib.TS_SLOT_TEXT, lib.TS_SLOT_STRING, lib.TS_SLOT_NUMBER, lib.TS_SLOT_SPACE

_BODY = rb'"((?:[^"\\]|\\.)*)"'
_CLOSING = re.compile(rb" *([\]}]) *")


class Repeat(NamedTuple):
    """An event that may be followed by others like it: equal but for the string member that holds text, and for what
    the adapter ignores, and meaning the same but for that text.

    member, text: the string. call: the call whose arguments it goes on with. Without one it is visible text (or
    reasoning) for events of event_index, and is appended to each of keep.
    watchful: a text that may repeat all before it must be looked at.
    """

    member: str
    text: str
    call: ToolCall | None = None
    event_index: int = 0
    keep: tuple[list[str], ...] = ()
    reasoning: bool = False
    watchful: bool = False


def template(
    name: str, body: bytes, newline: bytes, repeat: Repeat, ignored: tuple[str, ...]
) -> tuple[Any, ...] | None:
    """The bytes of an SSE event with slots in them, or None where they cannot be told for sure.

    name: its event type. body: its data. ignored: members with strings or numbers that mean nothing.
    """
    span = _only(body, repeat.member, _BODY)
    if span is None or b"\n" in body or not _is_utf8(body) or load_string(body[span[0] : span[1]]) != repeat.text:
        return None
    if b"\\" in body[: span[0]] or b"\\" in body[span[1] :]:
        return None  # a name may be spelled with escapes, and be the one that counts
    slots = [(*span, _TEXT)]
    for member in ignored:
        string, number = _only(body, member, _BODY), _only(body, member, rb"(\d+)")
        if string is not None:
            slots.append((*string, _STRING))
        elif number is not None:
            slots.append((*number, _NUMBER))
    slots.sort()
    head = b"data: " if name == "message" else b"event: %b%bdata: " % (name.encode(), newline)
    parts: list[Any] = []
    at = 0
    for start, end, slot in slots:
        parts += (head + body[at:start], slot)
        head, at = b"", end
    # A CR ends the blank line already; the LF behind it is skipped before the next event.
    return (*parts, *_tail(body[at:]), newline + newline[:1])


def _tail(text: bytes) -> list[Any]:
    """What stands behind the last slot; providers that hide lengths put blanks before the closing brackets."""
    end = len(text.rstrip(b" ]}"))
    parts: list[Any] = [text[:end]]
    for bracket in _CLOSING.findall(text[end:]):
        parts += (_SPACE, bracket)
    return [part for part in (*parts, _SPACE) if part != b""]


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=64)
def _member(name: str, value: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"%b" ?: ?%b' % (re.escape(name.encode()), value))


def _only(body: bytes, name: str, value: bytes) -> tuple[int, int] | None:
    """Where the value of the one member of this name stands; None if there are several, or none of this kind."""
    if body.count(b'"%b"' % name.encode()) != 1:
        return None
    match = _member(name, value).search(body)
    return None if match is None else match.span(1)


class SlowLane:
    """What `StreamParser` inherits where there is no fast lane. See `_core/native_lane.c` for the other one."""

    _room: int
    _max_event: int
    _between: bool
    _hopeful: bool
    _hits = 0
    _is_bound = False
    _pending = b""

    def feed(self, data: bytes | bytearray | memoryview | str) -> list[Event]:
        """Takes the next bytes (or text), cut anywhere, and returns what they complete.

        Raises `ToolStreamError`, whose `events` are those that came before the fault; `TypeError` for other data;
        `RuntimeError` where another thread is inside.
        """
        events: list[Event] = []
        self._flush(events)
        self._feed_slowly(data, events)
        return events

    def _feed_slowly(self, data: Any, events: list[Event]) -> None:
        raise NotImplementedError

    def _flush(self, events: list[Event]) -> None:
        """Gives the slow lane all that came: what a fast one held that has moved here."""
        pending, self._pending = self._pending, b""
        if pending:
            self._feed_slowly(pending, events)

    def _bind_call(self, template: tuple[Any, ...], parser: Any, watchful: bool) -> None:
        """Never asked for: nothing is hopeful here."""

    def _bind_text(self, template: tuple[Any, ...], index: int, keep: tuple[list[str], ...], reasoning: bool) -> None:
        """Never asked for: nothing is hopeful here."""

    def _unbind(self) -> None:
        """There is nothing to forget."""


def _choose() -> Any:
    wanted = os.environ.get("TOOLSTREAM_LANE", "")
    if wanted not in ("", "fast", "slow"):
        raise ImportError(f"TOOLSTREAM_LANE is fast, slow or empty, not {wanted!r}")
    if wanted == "slow" or BINDING == "cffi":
        return SlowLane
    from ._core import _native

    return _native.Lane


if TYPE_CHECKING:
    Lane = SlowLane
else:
    Lane = _choose()

IS_FAST = Lane is not SlowLane
"""Whether the fast lane is in use."""
