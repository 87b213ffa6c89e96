"""What a source's items are, and how they reach the parser: `Intake`.

An item is known by its type. Trusts the source to yield items of one kind. Guarantees that lines and chunks of the same
stream give the same events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from .lane import END
from .sources import is_text
from .values import loads_fast

if TYPE_CHECKING:
    from .events import Event
    from .framing import FramingName
    from .stream_parser import StreamParser

_MANY_LINES = 64


class Intake:
    """Gives a source's items to a parser. `feed` takes the next one; `pull` takes as many as complete an event, and
    `pull_async` does so from an async iterator.

    The first item says what they all are; from then on `feed` is the method that takes such items, so
    that knowing costs nothing for each of the others. Of bytes and text, `pull` and `pull_async` are then the parser's
    own, which need no Python for items that complete nothing.

    is_plain: items go to the parser as they come.

    Text without line ends may be lines whose ends a caller's iterator has cut off, or chunks that happen to
    hold none. An item that could be a whole line of SSE waits for the next one, which tells: two lines that
    each begin with a field's name stand below each other, and chunks go on where the last one stopped.
    """

    __slots__ = ("_framing", "_lines", "_parser", "_seen", "feed", "is_plain")

    feed: Callable[[Any], list[Event]]

    def __init__(self, parser: StreamParser, framing: FramingName) -> None:
        self._parser = parser
        self._framing = framing
        self._lines: _Lines | None = None
        self._seen: list[Any] = []
        self.feed = self._feed_first
        self.is_plain = False

    def interrupt(self) -> None:
        """The next item is refused, with a `RuntimeError`."""
        self.feed = _refuse
        self._parser._interrupted = True

    def pull_one(self, items: Iterator[Any]) -> list[Event] | None:
        """The events of the next item, perhaps none; None at the end of the items."""
        item = next(items, END)
        return None if item is END else self.feed(item)

    def pull(self, items: Iterator[Any]) -> list[Event] | None:
        """The events of the first item that completes any; None at the end of the items."""
        if self.is_plain:
            return self._parser._pull(items)
        while (events := self.pull_one(items)) is not None:
            if events:
                return events
        return None

    async def pull_one_async(self, items: AsyncIterator[Any]) -> list[Event] | None:
        """As `pull_one`."""
        try:
            item = await anext(items)
        except StopAsyncIteration:
            return None
        return self.feed(item)

    def pull_async(self, items: AsyncIterator[Any]) -> Awaitable[list[Event] | None]:
        """As `pull`."""
        return self._parser._pull_async(items) if self.is_plain else self._pull_each_async(items)

    async def _pull_each_async(self, items: AsyncIterator[Any]) -> list[Event] | None:
        while (events := await self.pull_one_async(items)) is not None:
            if events:
                return events
        return None

    def _take_chunks(self) -> None:
        self.is_plain = True
        self.feed = self._parser.feed

    def flush(self) -> list[Event]:
        """The source has ended: feeds what had been held back."""
        if self._lines is not None:
            return self._lines.flush()
        return self._feed_as_chunks() if self._seen else []

    def _feed_first(self, item: Any) -> list[Event]:
        if type(item) is bytes and self._framing == "auto" and b"\n" in item:  # as nearly every source begins
            self._take_chunks()
            return self.feed(item)
        if self._framing == "events" or not is_text(item):
            self.feed = self._parser.feed_event
        elif self._framing == "lines":
            self._lines = lines = _Lines(self._parser.feed, _spelling(item))
            is_view = isinstance(item, (bytearray, memoryview))
            self.feed = (lambda line: lines.feed(bytes(line))) if is_view else lines.feed
        elif isinstance(item, (bytearray, memoryview)) or self._framing != "auto":
            self._take_chunks()
        else:
            self.feed = self._feed_undecided
        return self.feed(item)

    def _feed_undecided(self, item: Any) -> list[Event]:
        seen, spelling = self._seen, _spelling(item)
        if item in (spelling.nothing, spelling.cr):
            if len(seen) != 1:
                return []
            seen.append(item)
            return self._feed_as_lines() if _is_whole_data(seen[0], spelling) else []
        seen.append(item)
        if not _may_be_line(item, spelling):
            return self._feed_as_chunks()
        return self._feed_as_lines() if len(seen) > 1 else []

    def _feed_as_chunks(self) -> list[Event]:
        text = self._seen[0][:0].join(self._seen)
        self._seen = []
        self._take_chunks()
        return self.feed(text)

    def _feed_as_lines(self) -> list[Event]:
        seen, self._seen = self._seen, []
        self._lines = lines = _Lines(self._parser.feed, _spelling(seen[0]))
        self.feed = lines.feed
        # At most one SSE event ends in these lines, so there is none to lose if a later line raises.
        return [event for line in seen for event in lines.feed(line)]


def _refuse(_: Any) -> list[Event]:
    raise RuntimeError("the stream was closed while it was being read")


class _Lines:
    """Puts back what is lost when a stream of SSE is handed over as lines without their ends.

    The line ends; the blank lines, where they were filtered out (`if line`), which is seen by data that is
    whole JSON with another line below it; and U+2028, at which `str.splitlines`, and so httpx's
    `iter_lines`, cuts a line although SSE does not: a piece that begins with no field's name is the rest of
    the data line above, and so is a blank line below JSON that goes on (two of them in a row). U+2029 and U+0085
    are cut as well, can't be told from it, and come back as U+2028. Bytes and chunks have none of these troubles.
    Items with line ends of their own are chunks after all, and go through as they are.
    """

    __slots__ = ("_are_chunks", "_data", "_feed", "_frame_has_data", "_held", "_is_torn", "_spelling")

    def __init__(self, feed: Callable[[Any], list[Event]], spelling: _Spelling) -> None:
        self._feed = feed
        self._spelling = spelling
        self._held: list[Any] = []  # fed when a frame ends, as one text: each line for itself would cost as much
        self._data: Any = None  # the last piece of a frame's first data line, while what is below is unknown
        self._is_torn = False  # it has several
        self._frame_has_data = False  # what is below goes on with it
        self._are_chunks = False

    def feed(self, line: Any) -> list[Event]:
        held, spelling = self._held, self._spelling
        if self._are_chunks or spelling.end in line:
            self._are_chunks = True
            held.append(line)
            return self.flush()
        line = line.removesuffix(spelling.cr)
        is_field = line.startswith(spelling.fields)
        ends_frame = not line
        if self._data is not None:
            if not is_field and (line or self._goes_on()):
                self._data, self._is_torn = line, True
                held += (spelling.separator, line)
                return self._flush_much()
            ends_frame = ends_frame or self._is_whole()
            self._frame_has_data = not ends_frame
            held += (spelling.end, spelling.end) if line and ends_frame else (spelling.end,)
            self._data, self._is_torn = None, False
        if line.startswith(spelling.data) and not self._frame_has_data:
            self._data = line
            held.append(line)
        else:
            self._frame_has_data = self._frame_has_data and bool(line)
            held += (line, spelling.end)
        return self.flush() if ends_frame or not is_field else self._flush_much()

    def flush(self) -> list[Event]:
        """Feeds what is held."""
        text = self._spelling.nothing.join(self._held)
        self._held.clear()
        return self._feed(text) if text else []

    def _flush_much(self) -> list[Event]:
        # Frames that never end are for the parser's limits to refuse.
        return self.flush() if len(self._held) > _MANY_LINES else []

    def _goes_on(self) -> bool:
        """Is the data JSON so far, and by the looks of its end not whole?"""
        begin = self._data.removeprefix(self._spelling.data).lstrip()
        is_json = self._is_torn or begin.startswith(self._spelling.opening)
        return is_json and not self._data.rstrip().endswith(self._spelling.closing)

    def _is_whole(self) -> bool:
        if self._is_torn:
            return self._data.rstrip().endswith(self._spelling.closing)  # type: ignore[no-any-return]
        return _is_whole_data(self._data, self._spelling)


class _Spelling(NamedTuple):
    """The marks of SSE, as str or as bytes."""

    nothing: Any
    cr: Any
    end: Any
    bom: Any
    separator: Any
    done: Any
    data: Any
    opening: tuple[Any, ...]
    closing: tuple[Any, ...]
    fields: tuple[Any, ...]


_FIELDS = ("data:", "event:", "id:", "retry:", ":")
_AS_STR = _Spelling("", "\r", "\n", "\ufeff", "\u2028", "[DONE]", "data:", ("{", "["), ("}", "]"), _FIELDS)
_AS_BYTES = _Spelling._make(
    tuple(map(str.encode, mark)) if isinstance(mark, tuple) else mark.encode() for mark in _AS_STR
)


def _spelling(text: Any) -> _Spelling:
    return _AS_STR if isinstance(text, str) else _AS_BYTES


def _may_be_line(text: Any, spelling: _Spelling) -> bool:
    """Is this a line of SSE with a field or a comment, without its end?"""
    line = text.removeprefix(spelling.bom).removesuffix(spelling.cr)
    return line.startswith(spelling.fields) and spelling.end not in line and spelling.cr not in line


def _is_whole_data(line: Any, spelling: _Spelling) -> bool:
    """Is this a data line, and is its data whole without another one?"""
    line = line.removeprefix(spelling.bom)
    if not line.startswith(spelling.data):
        return False
    data = line[len(spelling.data) :].strip()
    if data == spelling.done:
        return True
    with suppress(ValueError):
        loads_fast(data)
        return True
    return False
