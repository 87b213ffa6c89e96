"""What a source is, how its items are got, how it is closed, and what its items are.

Nothing is imported to find out: a response is known by what it can do, an item by its type. A source is
trusted to yield what it says; its own exceptions pass through. Guaranteed here: looking at a source reads
nothing from it, reads never wait for more than the next bytes, and closing reaches the connection where
the source has a public way to it.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .values import loads_fast

if TYPE_CHECKING:
    from .events import Event
    from .framing import FramingName
    from .stream_parser import StreamParser

_READ_SIZE = 64 * 1024
_MANY_LINES = 64


class Kind(NamedTuple):
    """One kind of source. read starts it; its result is iterated, and closed before the source is."""

    fits: Callable[[Any], bool]
    read: Callable[[Any], Any]
    is_async: bool


def unwrap(source: Any) -> Any:
    """The response itself where source is no more than a view of one.

    That is the `with_raw_response` / `with_streaming_response` object of the anthropic and openai SDKs, and
    httpx_sse's `EventSource` (whose demand for a content type would hide the message of an error body).
    """
    if type(source) in _PLAIN:
        return source
    if hasattr(source, "http_response"):
        return source.http_response
    if hasattr(source, "iter_sse") and hasattr(source, "response"):
        return source.response
    return source


def told_framing(source: Any) -> Literal["sse", "ndjson"] | None:
    """How an (unwrapped) HTTP response says that its body is framed: by its content type; None if it does not.

    Asked only where the bytes might be text as well, a model's own.
    """
    headers: Any = getattr(source, "headers", None)
    told = headers.get("content-type") if hasattr(headers, "get") else None
    kind = told.partition(";")[0].strip().lower() if isinstance(told, str) else ""
    if kind == "text/event-stream":
        return "sse"
    return "ndjson" if kind.startswith("application/") and "json" in kind else None


def recognise(source: Any) -> Kind:
    """The kind of an (unwrapped) source; TypeError if it is none."""
    if type(source) in _PLAIN:
        return _ITERABLE
    for kind in _KINDS:
        if kind.fits(source):
            return kind
    name = type(source).__name__
    if inspect.isawaitable(source):
        raise TypeError(f"can't read a {name}: await it first, and pass what it gives")
    if _is_path(source):
        raise TypeError(f'can\'t read a {name}: open it ("rb"), and pass the file')
    raise TypeError(
        f"can't read a {name}: a source is an HTTP response, a binary file, an SDK's stream, or an iterable "
        "or async iterable of bytes, text, lines or events"
    )


def close_sync(items: Any, source: Any) -> None:
    """Closes what `Kind.read` gave, then the source, as far as they can be closed."""
    try:
        if items is not source:
            _call(items, "close")
    finally:
        _call(source, "close")


async def close_async(items: Any, source: Any) -> None:
    """As `close_sync`; the source's `close` may be a coroutine function (SDK streams) or not (aiohttp)."""
    try:
        if items is not source:
            await _call_async(items, "aclose")
    finally:
        if hasattr(source, "aclose"):
            await _call_async(source, "aclose")
        else:
            await _call_async(source, "close")


def is_running(steps: Any) -> bool:
    """Is this a generator in the middle of a step, in another thread or task? It can't be closed then."""
    return getattr(steps, "gi_running", False) or getattr(steps, "ag_running", False)


def _call(owner: Any, name: str) -> Any:
    method = getattr(owner, name, None)
    return method() if callable(method) and not is_running(owner) else None


async def _call_async(owner: Any, name: str) -> None:
    pending = _call(owner, name)
    if isinstance(pending, Awaitable):
        await pending


def event_of(error: Exception) -> dict[str, Any] | None:
    """The provider's own error where it came as an event that the client raises: botocore's `EventStreamError`."""
    kinds = type(error).__mro__
    if not any(kind.__name__ == "EventStreamError" and kind.__module__.startswith("botocore.") for kind in kinds):
        return None
    told = getattr(error, "response", {}).get("Error", {})
    return {"error": {"type": told.get("Code"), "message": told.get("Message") or str(error)}}


# Kinds of sources


def _is_text(source: Any) -> bool:
    return isinstance(source, (str, bytes, bytearray, memoryview))


def _read_whole(source: Any) -> Iterator[Any]:
    return iter((source,))


def _is_httpx(source: Any) -> bool:
    return hasattr(source, "iter_bytes")


def _is_async_httpx(source: Any) -> bool:
    # httpx has one class for both; only the body tells. A body given as bytes is both, and is read as sync.
    return hasattr(source, "aiter_bytes") and _is_async_iterable(getattr(source, "stream", None))


def _read_httpx(source: Any) -> Iterator[bytes]:
    return source.iter_bytes()  # type: ignore[no-any-return]


def _read_async_httpx(source: Any) -> AsyncIterator[bytes]:
    return source.aiter_bytes()  # type: ignore[no-any-return]


def _is_requests(source: Any) -> bool:
    return hasattr(source, "iter_content")


def _read_requests(source: Any) -> Iterator[bytes]:
    # iter_content(None) gives what is there if the body has been read already, and each HTTP chunk as it
    # comes if it is chunked; of any other body it would wait for the end.
    raw = getattr(source, "raw", None)
    if raw is None or getattr(source, "_content_consumed", False) or getattr(raw, "chunked", False):
        return source.iter_content(None)  # type: ignore[no-any-return]
    if hasattr(raw, "read1"):
        return _read_urllib3(raw) if hasattr(raw, "release_conn") else _read_file(raw)
    return source.iter_content(1)  # type: ignore[no-any-return]


def _is_urllib3(source: Any) -> bool:
    return hasattr(source, "release_conn") and hasattr(source, "stream")


def _read_urllib3(source: Any) -> Iterator[bytes]:
    if source.closed:  # preload_content=True, urllib3's default
        return iter((source.data or b"",))
    if hasattr(source, "read1"):
        return _until_empty(lambda: source.read1(_READ_SIZE, decode_content=True))
    # urllib3 1.x has no read that returns early, but for chunked bodies.
    return source.stream(None if source.chunked else 1, decode_content=True)  # type: ignore[no-any-return]


def _is_file(source: Any) -> bool:
    # Text files are read by the line, which is as prompt as they can be.
    is_async = hasattr(source, "__aiter__")
    return hasattr(source, "read") and not is_async and not isinstance(source, io.TextIOBase)


def _read_file(source: Any) -> Iterator[Any]:
    read = getattr(source, "read1", source.read)
    return _until_empty(lambda: read(_READ_SIZE))


def _until_empty(read: Callable[[], Any]) -> Iterator[Any]:
    while data := read():
        yield data


def _is_sseclient(source: Any) -> bool:
    return callable(getattr(source, "events", None)) and not _is_iterable(source) and not _is_async_iterable(source)


def _read_sseclient(source: Any) -> Iterator[Any]:
    return iter(source.events())


def _is_iterable(source: Any) -> bool:
    # A dict is one event, or a whole answer; what can be awaited iterates over its own waiting.
    return hasattr(source, "__iter__") and not isinstance(source, (Mapping, Awaitable))


def _is_async_iterable(source: Any) -> bool:
    # An object that is both, such as litellm's stream, is read as sync; `aiter(source)` or an async
    # generator around it says otherwise.
    return hasattr(source, "__aiter__") and not hasattr(source, "__iter__")


def _read_async_iterable(source: Any) -> AsyncIterator[Any]:
    return aiter(source)


def _is_aiohttp_body(source: Any) -> bool:
    return hasattr(source, "iter_any") and hasattr(source, "at_eof")


def _read_aiohttp_body(source: Any) -> AsyncIterator[bytes]:
    return aiter(source.iter_any())


def _is_aiohttp(source: Any) -> bool:
    # `content` is asked last: elsewhere it is a property that reads the body.
    return inspect.iscoroutinefunction(getattr(source, "read", None)) and _is_aiohttp_body(source.content)


async def _read_aiohttp(source: Any) -> AsyncIterator[bytes]:
    if source.content.at_eof():  # read already; aiohttp keeps what its read() got
        yield await source.read()
        return
    async for chunk in source.content.iter_any():
        yield chunk


def _is_manager(source: Any) -> bool:
    return hasattr(source, "__enter__") and not _is_path(source)


def _is_path(source: Any) -> bool:
    return hasattr(source, "__fspath__")


def _read_manager(source: Any) -> Iterator[Any]:
    with source as entered:
        inner = unwrap(entered)
        kind = _kind_inside(source, inner, is_async=False)
        yield from kind.read(inner)


def _is_async_manager(source: Any) -> bool:
    return hasattr(source, "__aenter__")


async def _read_async_manager(source: Any) -> AsyncIterator[Any]:
    async with source as entered:
        inner = unwrap(entered)
        items = _kind_inside(source, inner, is_async=True).read(inner)
        try:
            async for item in items:
                yield item
        finally:
            await _call_async(items, "aclose")


def _kind_inside(manager: Any, entered: Any, *, is_async: bool) -> Kind:
    kind = recognise(entered)
    if kind.is_async != is_async or kind.read in (_read_manager, _read_async_manager):
        raise TypeError(
            f"can't read what {type(manager).__name__} gives: enter it, and pass a {type(entered).__name__}"
        )
    return kind


_ITERABLE = Kind(_is_iterable, iter, is_async=False)
# Types that are this and nothing else, which needs no look at all the others.
_PLAIN = frozenset({list, tuple, GeneratorType, type(iter(()))})

# In this order: what can do more comes first, and nothing is asked that would read a body.
_KINDS = (
    Kind(_is_text, _read_whole, is_async=False),
    Kind(_is_async_httpx, _read_async_httpx, is_async=True),
    Kind(_is_httpx, _read_httpx, is_async=False),
    Kind(_is_requests, _read_requests, is_async=False),
    Kind(_is_urllib3, _read_urllib3, is_async=False),
    Kind(_is_aiohttp_body, _read_aiohttp_body, is_async=True),
    Kind(_is_async_iterable, _read_async_iterable, is_async=True),
    Kind(_is_aiohttp, _read_aiohttp, is_async=True),
    Kind(_is_file, _read_file, is_async=False),
    _ITERABLE,
    Kind(_is_sseclient, _read_sseclient, is_async=False),
    Kind(_is_manager, _read_manager, is_async=False),
    Kind(_is_async_manager, _read_async_manager, is_async=True),
)


# Items


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
        for item in items:
            return self.feed(item)
        return None

    def pull(self, items: Iterator[Any]) -> list[Event] | None:
        """The events of the first item that completes any; None at the end of the items."""
        if self.is_plain:
            return self._parser._pull(items)
        for item in items:
            events = self.feed(item)
            if events:
                return events
        return None

    async def pull_one_async(self, items: AsyncIterator[Any]) -> list[Event] | None:
        """As `pull_one`."""
        async for item in items:
            return self.feed(item)
        return None

    def pull_async(self, items: AsyncIterator[Any]) -> Awaitable[list[Event] | None]:
        """As `pull`."""
        return self._parser._pull_async(items) if self.is_plain else self._pull_each_async(items)

    async def _pull_each_async(self, items: AsyncIterator[Any]) -> list[Event] | None:
        async for item in items:
            events = self.feed(item)
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
        if self._framing == "events" or not _is_text(item):
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
