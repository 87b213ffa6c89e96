"""The fast lane: most events of a stream are one event with other text, and need not be understood each time.

When an adapter says of an event that the next one like it may be taken as it is but for its text (`Repeat`), the event
becomes a template, and bytes that match it go from the chunk to the call's parser, or become a text event, in one C
call (`csrc/lane.c`, `_core/native_lane.c`). Every other byte takes the slow lane, which is the reference: both give the
same events on every stream. The environment variable TOOLSTREAM_LANE=slow leaves only that one, and so does a Python
without the extension.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from ._core import native
from .fields import as_bytes
from .guard import Guard
from .records import Record, constructor

if TYPE_CHECKING:
    from typing_extensions import Self

    from .assembler import Assembler
    from .calls import ToolCall
    from .events import Event
    from .fields import Data
    from .framing import Framing
    from .providers import Adapter


class Repeat(Record):
    """An event that may be followed by others like it: equal except for one string member, which holds text, and for
    what the adapter ignores; and with the same meaning except for that text.

    member, text: the string member's name and value. call: the call whose arguments the text goes on with. Without a
    call it is visible text (or reasoning) for events of event_index, and is appended to each list in keep.
    watchful: a text that may repeat all before it must be looked at.
    """

    __slots__ = ("call", "event_index", "keep", "member", "reasoning", "text", "watchful")

    def __init__(
        self,
        member: str,
        text: str,
        call: ToolCall | None = None,
        event_index: int = 0,
        keep: tuple[list[str], ...] = (),
        reasoning: bool = False,
        watchful: bool = False,
    ) -> None:
        self.member = member
        self.text = text
        self.call = call
        self.event_index = event_index
        self.keep = keep
        self.reasoning = reasoning
        self.watchful = watchful


Repeat.__init__ = constructor(Repeat, Repeat.__init__)  # type: ignore[method-assign]


# Stands for an iterator's end. A loop for each pull would ask for the iterator each time, and some begin anew then.
END: Any = object()


class SlowLane:
    """What `StreamParser` inherits where there is no fast lane. See `_core/native_lane.c` for the other one."""

    __slots__ = (
        "_adapter",
        "_assembler",
        "_between",
        "_framed",
        "_framing",
        "_guard",
        "_hits",
        "_hopeful",
        "_interrupted",
        "_known",
        "_max_event",
        "_pending",
        "_room",
        "_steady",
    )

    # What knows the events' meaning (None before the provider is known), what it tells that, and what cuts the bytes.
    _adapter: Adapter | None
    _assembler: Assembler
    _framing: Framing
    # Bytes that the stream may still have, that the framing has had, and that an event may have.
    _room: int
    _framed: int
    _max_event: int
    # Somebody has closed the stream while it was being pulled.
    _interrupted: bool
    # The adapter is known and its message has begun, so that nothing is left to decide about an event.
    _known: bool
    # The fast lane's own: whether it may cut bytes into frames itself, whether the framing is between two events,
    # whether events may repeat, how many did, and the bytes of one that is not whole.
    _steady: bool
    _between: bool
    _hopeful: bool
    _hits: int
    _pending: bytes
    _guard: Guard
    _is_bound = False

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        self = super().__new__(cls)
        self._guard = Guard()
        self._hits = 0
        self._pending = b""
        self._framed = 0
        self._between = False
        self._adapter = None
        self._steady = False
        self._known = False
        self._interrupted = False
        return self

    def feed(self, data: Data) -> list[Event]:
        """Takes the next bytes (or text), cut anywhere, and returns what they complete.

        Raises `ToolStreamError`, whose `events` are those that came before the fault; `TypeError` for other data;
        `RuntimeError` where another thread is inside.
        """
        if not isinstance(data, (str, bytes)):
            data = as_bytes(data)  # what is no data costs nothing
        events: list[Event] = []
        with self._guard:
            self._flush(events)
            self._feed_slowly(data, events)
        return events

    def _pull(self, items: Iterator[Any]) -> list[Event] | None:
        """Feeds what an iterator gives until there are events, and returns them; None at its end."""
        while (item := next(items, END)) is not END:
            if self._interrupted:
                raise RuntimeError("the stream was closed while it was being read")
            events = self.feed(item)
            if events:
                return events
        return None

    def _pull_all(self, items: Iterator[Any]) -> Iterator[Event]:
        """The events of all that an iterator gives."""
        while (events := self._pull(items)) is not None:
            yield from events

    async def _pull_async(self, items: AsyncIterator[Any]) -> list[Event] | None:
        """As `_pull`, of an async iterator."""
        while True:
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return None
            if self._interrupted:
                raise RuntimeError("the stream was closed while it was being read")
            events = self.feed(item)
            if events:
                return events

    def _feed_slowly(self, data: Data, events: list[Event]) -> None:
        raise NotImplementedError

    def _take_frames(self, data: bytes, events: list[Event]) -> None:
        """Frames bytes of an SSE stream and has their events handled. Only the fast lane can."""
        raise NotImplementedError

    def _enter(self) -> None:
        """Keeps all others out. Raises `RuntimeError` where one is inside."""
        self._guard.__enter__()

    def _leave(self) -> None:
        """Lets others in again."""
        self._guard.__exit__()

    def _flush(self, events: list[Event]) -> None:
        """Gives the slow lane the bytes that a fast one held, if the parser was pickled there and moved here."""
        pending, self._pending = self._pending, b""
        if pending:
            self._feed_slowly(pending, events)

    def _unbind(self) -> None:
        """There is nothing to forget."""


def _choose() -> Any:
    wanted = os.environ.get("TOOLSTREAM_LANE", "")
    if wanted not in ("", "fast", "slow"):
        raise ImportError(f"TOOLSTREAM_LANE is fast, slow or empty, not {wanted!r}")
    if wanted == "slow" or (not wanted and native is None):
        return SlowLane
    if native is None:
        raise ImportError("TOOLSTREAM_LANE=fast needs the extension toolstream._core._native, which is not in use")
    return native.Lane


if TYPE_CHECKING:
    Lane = SlowLane
else:
    Lane = _choose()

LASTING = (
    "_adapter",
    "_assembler",
    "_between",
    "_framed",
    "_framing",
    "_hits",
    "_hopeful",
    "_max_event",
    "_pending",
    "_room",
)
"""What a copy of a lane takes over: not the template, and not who is inside."""

IS_FAST = Lane is not SlowLane
"""Whether the fast lane is in use."""
