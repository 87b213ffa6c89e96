"""What `parse` reads, when it starts and how it ends: each kind of source by a hand-made stand-in.

The real clients are in test_clients.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import itertools
import json
import threading
import types
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streams

import toolstream
from toolstream import FieldComplete, MessageEnd, TextDelta, ToolCallStart

FRAMES = streams.anthropic()
BODY = streams.body(FRAMES)
HEAD = streams.body(FRAMES[:6])  # ends within the text


def plain(events: Iterable[toolstream.Event]) -> list[dict[str, Any]]:
    return [event.to_dict() for event in list(events)]


def pushed(body: bytes = BODY) -> list[dict[str, Any]]:
    """What the push parser says of a body."""
    parser = toolstream.StreamParser()
    return plain([*parser.feed(body), *parser.close()])


async def collected(stream: Any) -> list[Any]:
    return [event async for event in stream]


def cut(data: Any, size: int) -> list[Any]:
    return [data[start : start + size] for start in range(0, len(data), size)]


class Source:
    """An iterable that counts what was asked of it, and whether it was closed."""

    def __init__(self, items: Iterable[Any], fault: Exception | None = None) -> None:
        self.items = iter(items)
        self.fault = fault
        self.asked = 0
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.asked += 1
        try:
            return next(self.items)
        except StopIteration:
            if self.fault is not None:
                raise self.fault from None
            raise

    def close(self) -> None:
        self.closed += 1


class AsyncSource:
    """The same for `async for`."""

    def __init__(self, items: Iterable[Any], fault: Exception | None = None) -> None:
        self.inner = Source(items, fault)
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        try:
            return next(self.inner)
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed += 1


class BrokenError(Exception):
    """A client library's own exception."""


# Every kind of item gives the same events

TEXT_BODY = BODY.decode()
CRLF_BODY = BODY.replace(b"\n", b"\r\n")
LINES = TEXT_BODY.split("\n")[:-1]
ITEMS: dict[str, list[Any]] = {
    "frames": FRAMES,
    "one chunk": [BODY],
    "single bytes": cut(BODY, 1),
    "7-byte chunks": cut(BODY, 7),
    "bytearrays": [bytearray(chunk) for chunk in cut(BODY, 50)],
    "memoryviews": [memoryview(chunk) for chunk in cut(BODY, 50)],
    "chunks with empty ones between": [part for chunk in cut(BODY, 11) for part in (b"", chunk, b"")],
    "text chunks": cut(TEXT_BODY, 9),
    "single characters": cut(TEXT_BODY, 1),
    "lines with ends": BODY.splitlines(keepends=True),
    "CRLF lines with ends": CRLF_BODY.splitlines(keepends=True),
    "text lines with ends": [line + "\n" for line in LINES],
    "lines": BODY.splitlines(),
    "text lines": LINES,
    "lines with a carriage return left": CRLF_BODY.split(b"\n"),
    "lines after a byte order mark": [b"\xef\xbb\xbf" + LINES[0].encode(), *BODY.splitlines()[1:]],
    "lines without the blank ones": [line for line in LINES if line],
    "data lines alone": [line for line in LINES if line.startswith("data:")],
    "data lines and blank ones": [line for line in LINES if not line.startswith("event:")],
    "lines after comments": [": hello", "", ": hello again", *LINES],
    "lines with comments between": [part for line in LINES for part in ((line, ": hello") if line else (line,))],
    "decoded events": streams.decoded(FRAMES),
    "SSE events": [SimpleNamespace(event=event["type"], data=frame.split(b"data: ")[1].decode().strip(), id=None,
                                   retry=None)
                   for event, frame in zip(streams.decoded(FRAMES), FRAMES, strict=True)],
    "NDJSON lines": [frame.split(b"data: ")[1] for frame in FRAMES],
    "NDJSON lines without ends": [frame.split(b"data: ")[1].strip() for frame in FRAMES],
}  # fmt: skip


@pytest.mark.parametrize("kind", ITEMS)
def test_items_of_any_kind_give_the_same_events(kind: str) -> None:
    assert plain(toolstream.parse(iter(ITEMS[kind]))) == pushed()


@pytest.mark.parametrize("kind", ITEMS)
def test_items_of_any_kind_give_the_same_events_from_an_async_source(kind: str) -> None:
    assert plain(asyncio.run(collected(toolstream.parse(AsyncSource(ITEMS[kind]))))) == pushed()


@pytest.mark.parametrize("provider", streams.BUILDERS)
def test_lines_give_the_same_events_for_every_provider(provider: str) -> None:
    body = streams.body(streams.BUILDERS[provider]())
    assert plain(toolstream.parse(body.splitlines())) == pushed(body)
    assert plain(toolstream.parse([line for line in body.splitlines() if line])) == pushed(body)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_two_chunks_cut_anywhere_are_never_taken_for_lines(end: str) -> None:
    body = TEXT_BODY.replace("\n", end).encode()
    for place in range(200):
        assert plain(toolstream.parse([body[:place], body[place:]])) == pushed()


def test_chunks_cut_at_a_frames_end_with_an_empty_one_between_are_no_lines() -> None:
    head, rest = BODY.split(b"\n\n", 1)
    data = head.split(b"\n")[1]
    items = [data, b"", b"\n\n", *cut(rest, 5)]
    assert plain(toolstream.parse(items)) == pushed()


def test_a_line_is_not_held_back_once_the_frame_has_ended() -> None:
    source = Source(LINES)
    stream = toolstream.parse(source)
    assert next(stream).type == "message_start"
    assert source.asked == LINES.index("") + 1
    stream.close()


def test_a_data_line_of_a_source_without_event_lines_is_not_held_back_beyond_its_blank_line() -> None:
    source = Source(line for line in LINES if not line.startswith("event:"))
    stream = toolstream.parse(source)
    assert next(stream).type == "message_start"
    assert source.asked == 2
    stream.close()


def test_text_that_splitlines_has_cut_at_a_line_separator_is_whole_again() -> None:
    body = streams.body(streams.anthropic("one\u2028two\u2028three", size=100)).decode()
    stream = toolstream.parse(body.splitlines())
    assert [event.text for event in stream if isinstance(event, TextDelta)] == ["one\u2028two\u2028three"]


def test_a_line_cut_at_a_line_separator_is_whole_again_also_without_blank_lines() -> None:
    body = streams.body(streams.anthropic("one\u2028two\u2028three", size=9)).decode()
    stream = toolstream.parse([line for line in body.splitlines() if line])
    assert "".join(event.text for event in stream if isinstance(event, TextDelta)) == "one\u2028two\u2028three"


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085"])
@pytest.mark.parametrize("text", ["one{}two", "{}one{}", "one{}{}two", "{}{}{}", "}}{}two", "one}}]{}"])
def test_each_separator_that_lines_are_cut_at_comes_back_as_one(separator: str, text: str) -> None:
    call = streams.Call("call_1", "write", json.dumps({"text": text.format(*[separator] * 3)}, ensure_ascii=False))
    body = streams.body(streams.chat(text.format(*[separator] * 3), (call,), size=100))
    stream = toolstream.parse(body.decode().splitlines())  # as httpx's iter_lines has it
    for _ in stream:
        pass
    assert stream.text == text.format(*["\u2028"] * 3)
    assert stream.calls[0].arguments == {"text": stream.text}


@pytest.mark.parametrize("line", ["data: 1,", "the rest of a line"])
def test_lines_of_a_frame_that_never_ends_are_refused_by_the_limit(line: str) -> None:
    source = Source(["event: message_start", "data: [", *[line] * 5000])
    with pytest.raises(toolstream.LimitError):
        list(toolstream.parse(source, limits=toolstream.Limits(max_event_bytes=1000)))
    assert source.asked < 500


def test_data_on_several_lines_stays_one_event() -> None:
    start = LINES[1]
    middle = start.index(", ") + 1
    lines = [LINES[0], start[:middle], "data:" + start[middle:], *LINES[2:]]
    assert plain(toolstream.parse(lines)) == pushed()


@pytest.mark.parametrize("lines", [LINES, BODY.splitlines(keepends=True)])
def test_framing_can_say_that_items_are_lines(lines: list[Any]) -> None:
    assert plain(toolstream.parse(lines, framing="lines")) == pushed()


def test_framing_can_say_that_text_is_no_lines() -> None:
    assert plain(toolstream.parse(cut(BODY, 7), framing="sse")) == pushed()


def test_framing_can_say_that_items_are_events() -> None:
    assert plain(toolstream.parse(streams.decoded(FRAMES), framing="events")) == pushed()


def test_one_chunk_without_any_line_end_is_read_at_the_end() -> None:
    stream = toolstream.parse([b'data: {"type": "message_start", "message": {"id": "m"}}'])
    assert next(stream).type == "message_start"
    with pytest.raises(toolstream.IncompleteError):
        next(stream)


def test_a_buffer_may_be_used_again_for_the_next_chunk() -> None:
    def chunks() -> Iterator[memoryview]:
        buffer = bytearray(16)
        for chunk in cut(BODY, 16):
            buffer[: len(chunk)] = chunk
            yield memoryview(buffer)[: len(chunk)]

    assert plain(toolstream.parse(chunks())) == pushed()


# Every kind of source


class Pipe(io.RawIOBase):
    """A raw file that gives what is there and counts the reads."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.reads = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.reads += 1
        chunk = self.chunks.pop(0) if self.chunks else b""
        buffer[: len(chunk)] = chunk
        return len(chunk)


class HTTPXResponse:
    """`httpx.Response`: one class for sync and async, told apart by its body."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.closed = False

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        assert chunk_size is None
        yield from self.stream

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        assert chunk_size is None
        async for chunk in self.stream:
            yield chunk

    def close(self) -> None:
        assert hasattr(self.stream, "__iter__"), "sync close of an async response"
        self.closed = True

    async def aclose(self) -> None:
        assert hasattr(self.stream, "__aiter__"), "async close of a sync response"
        self.closed = True


class BytesBody:
    """A body that was given as bytes can be iterated both ways, as httpx's ByteStream."""

    def __iter__(self) -> Iterator[bytes]:
        yield BODY

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield BODY


class OldRaw:
    """`urllib3.HTTPResponse` of urllib3 1.x."""

    def __init__(self, chunks: list[bytes], *, chunked: bool = False, preloaded: bool = False) -> None:
        self.chunks = chunks
        self.chunked = chunked
        self.closed = preloaded
        self.data = BODY if preloaded else None

    def stream(self, size: int | None, decode_content: bool | None = None) -> Iterator[bytes]:
        assert decode_content, "a compressed body would not be decoded"
        assert size == (None if self.chunked else 1), "this waits for the end"
        yield from self.chunks

    def release_conn(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class Raw(OldRaw):
    """`urllib3.HTTPResponse`: read1 waits for no more than the next bytes."""

    def read1(self, size: int, decode_content: bool | None = None) -> bytes:
        assert decode_content, "a compressed body would not be decoded"
        return self.chunks.pop(0) if self.chunks else b""


class RequestsResponse:
    """`requests.Response`."""

    def __init__(self, raw: Any, *, consumed: bool = False) -> None:
        self.raw = raw
        self.closed = False
        self._content_consumed = consumed

    @property
    def content(self) -> bytes:
        raise AssertionError("this reads the whole body")

    def __iter__(self) -> Iterator[bytes]:
        raise AssertionError("this waits for 128 bytes")

    def iter_content(self, chunk_size: int | None) -> Iterator[bytes]:
        if self._content_consumed:
            yield BODY
        else:
            yield from self.raw.stream(chunk_size, decode_content=True)

    def close(self) -> None:
        self.closed = True


class AiohttpContent:
    """`aiohttp.StreamReader`."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def at_eof(self) -> bool:
        return not self.chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("this waits for whole lines")

    async def iter_any(self) -> AsyncIterator[bytes]:
        while self.chunks:
            yield self.chunks.pop(0)


class AiohttpResponse:
    """`aiohttp.ClientResponse`."""

    def __init__(self, chunks: list[bytes], cached: bytes = b"") -> None:
        self.content = AiohttpContent(chunks)
        self.cached = cached
        self.closed = False

    async def read(self) -> bytes:
        return self.cached

    def close(self) -> None:
        self.closed = True


class SSEClient:
    """`sseclient.SSEClient`."""

    def __init__(self) -> None:
        self.closed = False

    def events(self) -> Iterator[Any]:
        yield from ITEMS["SSE events"]

    def close(self) -> None:
        self.closed = True


class EventSource:
    """`httpx_sse.EventSource`."""

    def __init__(self, response: HTTPXResponse) -> None:
        self.response = response

    def iter_sse(self) -> Iterator[Any]:
        raise AssertionError("the response itself says more")


class SDKStream:
    """A stream object of an SDK, whose `close` may be a coroutine function."""

    def __init__(self) -> None:
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for event in streams.decoded(FRAMES):
            yield event

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed = True


class Manager:
    """A context manager that gives a source, such as `httpx.stream(...)` and `client.messages.stream(...)`."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.entered = False
        self.closed = False

    def __enter__(self) -> Any:
        self.entered = True
        return self.source

    def __exit__(self, *error: object) -> None:
        self.closed = True


class AsyncManager:
    def __init__(self, source: Any) -> None:
        self.inner = Manager(source)

    @property
    def closed(self) -> bool:
        return self.inner.closed

    async def __aenter__(self) -> Any:
        return self.inner.__enter__()

    async def __aexit__(self, *error: object) -> None:
        self.inner.__exit__(*error)


SYNC_SOURCES: dict[str, Callable[[], Any]] = {
    "httpx response": lambda: HTTPXResponse(Source(cut(BODY, 100))),
    "httpx response made of bytes": lambda: HTTPXResponse(BytesBody()),
    "SDK's view of an httpx response": lambda: SimpleNamespace(http_response=HTTPXResponse(Source(cut(BODY, 100)))),
    "requests response": lambda: RequestsResponse(Raw(cut(BODY, 100))),
    "requests response, chunked": lambda: RequestsResponse(Raw(cut(BODY, 100), chunked=True)),
    "requests response that has been read": lambda: RequestsResponse(Raw([]), consumed=True),
    "requests response of another transport": lambda: RequestsResponse(io.BytesIO(BODY)),
    "requests response over urllib3 1.x": lambda: RequestsResponse(OldRaw(cut(BODY, 1))),
    "urllib3 response": lambda: Raw(cut(BODY, 100)),
    "urllib3 response that has been read": lambda: Raw([], preloaded=True),
    "urllib3 1.x response": lambda: OldRaw(cut(BODY, 1)),
    "urllib3 1.x response, chunked": lambda: OldRaw(cut(BODY, 100), chunked=True),
    "buffered file": lambda: io.BufferedReader(Pipe(cut(BODY, 100))),
    "raw file": lambda: Pipe(cut(BODY, 100)),
    "file in memory": lambda: io.BytesIO(BODY),
    "text file": lambda: io.TextIOWrapper(io.BytesIO(BODY), encoding="utf-8"),
    "text in memory": lambda: io.StringIO(TEXT_BODY),
    "anything with read": lambda: SimpleNamespace(read=io.BytesIO(BODY).read),
    "sseclient": SSEClient,
    "httpx_sse event source": lambda: EventSource(HTTPXResponse(Source(cut(BODY, 100)))),
    "context manager": lambda: Manager(HTTPXResponse(Source(cut(BODY, 100)))),
    "list": lambda: cut(BODY, 100),
    "generator": lambda: (chunk for chunk in cut(BODY, 100)),
    "bytes": lambda: BODY,
    "text": lambda: TEXT_BODY,
    "bytearray": lambda: bytearray(BODY),
    "memoryview": lambda: memoryview(BODY),
}
ASYNC_SOURCES: dict[str, Callable[[], Any]] = {
    "httpx response": lambda: HTTPXResponse(AsyncSource(cut(BODY, 100))),
    "SDK's view of an httpx response": lambda: SimpleNamespace(
        http_response=HTTPXResponse(AsyncSource(cut(BODY, 100)))
    ),
    "aiohttp response": lambda: AiohttpResponse(cut(BODY, 100)),
    "aiohttp response that has been read": lambda: AiohttpResponse([], cached=BODY),
    "aiohttp content": lambda: AiohttpContent(cut(BODY, 100)),
    "httpx_sse event source": lambda: EventSource(HTTPXResponse(AsyncSource(cut(BODY, 100)))),
    "SDK stream": SDKStream,
    "context manager": lambda: AsyncManager(HTTPXResponse(AsyncSource(cut(BODY, 100)))),
    "async iterable": lambda: AsyncSource(cut(BODY, 100)),
}


@pytest.mark.parametrize("kind", SYNC_SOURCES)
def test_a_sync_source_gives_an_event_stream(kind: str) -> None:
    stream = toolstream.parse(SYNC_SOURCES[kind]())
    assert isinstance(stream, toolstream.EventStream)
    assert plain(stream) == pushed()


@pytest.mark.parametrize("kind", ASYNC_SOURCES)
def test_an_async_source_gives_an_async_event_stream(kind: str) -> None:
    stream = toolstream.parse(ASYNC_SOURCES[kind]())
    assert isinstance(stream, toolstream.AsyncEventStream)
    assert plain(asyncio.run(collected(stream))) == pushed()


def test_a_raw_file_is_read_no_further_than_the_events_need() -> None:
    pipe = Pipe(list(FRAMES))
    stream = toolstream.parse(pipe)
    assert next(stream).type == "message_start"
    assert pipe.reads == 1
    stream.close()


def test_a_pipe_with_a_buffer_is_read_no_further_than_the_events_need() -> None:
    pipe = Pipe(list(FRAMES))
    stream = toolstream.parse(io.BufferedReader(pipe))
    assert next(stream).type == "message_start"
    assert pipe.reads == 1
    stream.close()


@pytest.mark.parametrize("source", [7, None, object(), {"type": "message_start"}])
def test_what_cannot_be_read_is_a_type_error_at_once(source: Any) -> None:
    with pytest.raises(TypeError, match=type(source).__name__):
        toolstream.parse(source)


def test_a_coroutine_is_told_apart() -> None:
    async def create() -> None: ...

    coroutine = create()
    with pytest.raises(TypeError, match="await it first"):
        toolstream.parse(coroutine)  # type: ignore[call-overload]
    coroutine.close()


def test_a_path_is_told_apart() -> None:
    with pytest.raises(TypeError, match="pass the file"):
        toolstream.parse(Path("reply.sse"))  # type: ignore[call-overload]


def test_a_manager_that_gives_no_source_is_a_type_error_and_is_left() -> None:
    manager = Manager(7)
    with pytest.raises(TypeError, match="int"):
        next(toolstream.parse(manager))
    assert manager.closed


def test_a_manager_that_gives_another_kind_of_stream_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="AsyncSource"):
        next(toolstream.parse(Manager(AsyncSource([BODY]))))


def test_options_that_cannot_be_understood_are_value_errors_at_once() -> None:
    with pytest.raises(ValueError, match=r"\["):
        toolstream.parse([BODY], paths=["a["])
    with pytest.raises(ValueError, match="nonsense"):
        toolstream.parse([BODY], framing="nonsense")


# Nothing starts before it is asked for


def test_nothing_is_read_until_the_stream_is_iterated() -> None:
    source = Source([BODY])
    with toolstream.parse(source) as stream:
        iter(stream)
        assert stream.calls == []
        assert stream.text == ""
        assert source.asked == 0
        for _ in stream:
            assert source.asked == 1


def test_a_manager_is_entered_by_the_first_step() -> None:
    manager = Manager([BODY])
    stream = toolstream.parse(manager)
    assert not manager.entered
    next(stream)
    assert manager.entered
    stream.close()
    assert manager.closed


def test_events_of_one_item_come_before_the_next_item_is_asked_for() -> None:
    source = Source(FRAMES)
    asked = {event.type: source.asked for event in toolstream.parse(source)}
    assert asked["message_start"] == 1
    assert asked["message_end"] == len(FRAMES)


# Whose fault it is


def test_a_sources_own_toolstream_error_keeps_its_events() -> None:
    error = toolstream.ToolStreamError("of the parser that the source itself reads with")
    error.events = [TextDelta("its own", 0)]
    stream = toolstream.parse(Source([], error))
    with pytest.raises(toolstream.ToolStreamError) as caught:
        next(stream)
    assert caught.value is error
    assert error.events == [TextDelta("its own", 0)]


# Every end closes the source


def test_reading_to_the_end_closes_the_source() -> None:
    source = Source([BODY])
    list(toolstream.parse(source))
    assert source.closed


def test_break_closes_the_source_at_once() -> None:
    source = Source(FRAMES)
    stream = toolstream.parse(source)
    for _ in stream:
        assert not source.closed
        break
    assert source.closed == 1
    assert source.asked == 1


def test_an_exception_in_the_loop_closes_the_source_at_once() -> None:
    source = Source(FRAMES)
    with pytest.raises(BrokenError):  # noqa: PT012 - the state inside is what counts
        try:
            for _ in toolstream.parse(source):
                raise BrokenError
        finally:
            assert source.closed
            assert source.asked == 1


def test_leaving_with_closes_the_source() -> None:
    source = Source(FRAMES)
    with toolstream.parse(source) as stream:
        next(stream)
        assert not source.closed
    assert source.closed


@pytest.mark.parametrize("read", [0, 1, None])
def test_a_source_is_closed_once_however_often_it_is_left(read: int | None) -> None:
    source = Source(FRAMES)
    with toolstream.parse(source) as stream:
        for _ in range(read or 0):
            next(stream)
        if read is None:
            list(stream)
        stream.close()
    stream.close()
    assert source.closed == 1


def test_leaving_with_closes_a_source_that_was_never_read() -> None:
    source = Source(FRAMES)
    with toolstream.parse(source):
        pass
    assert source.closed
    assert not source.asked


def test_close_ends_the_iteration_and_keeps_what_was_read() -> None:
    source = Source(FRAMES)
    stream = toolstream.parse(source)
    for event in stream:
        if isinstance(event, FieldComplete):
            stream.close()
            assert source.closed
    assert stream.text == streams.TEXT
    assert [call.name for call in stream.calls] == ["search"]
    assert stream.stop_reason is None
    assert not stream.usage.final
    assert list(stream) == []
    stream.close()


def test_a_call_that_was_open_when_the_stream_was_left_is_void() -> None:
    stream = toolstream.parse(FRAMES)
    for event in stream:
        if isinstance(event, FieldComplete):
            break
    assert stream.calls[0].state == "void"
    assert not stream.calls[0].complete
    assert stream.calls[0].arguments == {"query": 'café "open" ☕'}


def test_a_fault_in_the_stream_closes_the_source() -> None:
    source = Source([HEAD, b'data: {"broken\n\n', BODY])
    with pytest.raises(toolstream.ToolStreamError):
        list(toolstream.parse(source))
    assert source.closed
    assert source.asked == 2


def test_a_generator_source_is_closed() -> None:
    left = []

    def chunks() -> Iterator[bytes]:
        try:
            yield from FRAMES
        finally:
            left.append(True)

    source = chunks()  # held here, so that nothing but closing ends it
    for _ in toolstream.parse(source):
        break
    assert left


def test_the_generator_behind_an_iterable_is_closed() -> None:
    left = []

    class Chunks:
        def __iter__(self) -> Iterator[bytes]:
            try:
                yield from FRAMES
            finally:
                left.append(True)

    for _ in toolstream.parse(Chunks()):
        break
    assert left


@pytest.mark.parametrize("kind", [kind for kind, make in SYNC_SOURCES.items() if hasattr(make(), "closed")])
def test_leaving_early_closes_each_kind_of_source(kind: str) -> None:
    source = SYNC_SOURCES[kind]()
    for _ in toolstream.parse(source):
        break
    assert source.closed


def test_leaving_early_closes_the_response_behind_a_view_of_it() -> None:
    response = HTTPXResponse(Source(FRAMES))
    for _ in toolstream.parse(EventSource(response)):
        break
    assert response.closed


def test_a_stream_that_nobody_holds_any_more_is_closed_without_the_garbage_collector() -> None:
    source = Source(FRAMES)
    gc.disable()
    try:
        stream = toolstream.parse(source)
        next(stream)
        del stream
        assert source.closed
    finally:
        gc.enable()


def test_close_from_another_thread_ends_reading_without_an_exception() -> None:
    waiting = threading.Event()
    closed = threading.Event()

    class Response(Source):
        def __next__(self) -> Any:
            if self.asked == 3:
                waiting.set()
                assert closed.wait(10)
                raise BrokenError("the connection was closed")
            return super().__next__()

        def close(self) -> None:
            super().close()
            closed.set()

    stream = toolstream.parse(Response(FRAMES))
    events: list[toolstream.Event] = []
    reader = threading.Thread(target=lambda: events.extend(stream))
    reader.start()
    assert waiting.wait(10)
    stream.close()
    reader.join(10)
    assert not reader.is_alive()
    assert [event.type for event in events][:1] == ["message_start"]


def test_close_from_another_thread_ends_a_source_that_cannot_be_closed_at_its_next_item() -> None:
    waiting = threading.Event()
    go_on = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield HEAD
        waiting.set()
        assert go_on.wait(10)
        yield BODY[len(HEAD) :]
        raise AssertionError("asked for more after close()")

    stream = toolstream.parse(chunks())
    events: list[toolstream.Event] = []
    reader = threading.Thread(target=lambda: events.extend(stream))
    reader.start()
    assert waiting.wait(10)
    stream.close()
    go_on.set()
    reader.join(10)
    assert not reader.is_alive()
    assert not any(isinstance(event, MessageEnd) for event in events)


def test_close_from_another_thread_while_one_looks_at_an_event_ends_reading_without_an_exception() -> None:
    looks, closing = threading.Event(), threading.Event()

    class Response(Source):
        def close(self) -> None:
            closing.set()
            reader.join(0.2)  # meanwhile the reader goes on
            super().close()

    source = Response(FRAMES)
    stream = toolstream.parse(source)
    ended: list[str] = []

    def read() -> None:
        for _ in stream:
            looks.set()
            assert closing.wait(10)
        ended.append(repr(stream))

    reader = threading.Thread(target=read)
    reader.start()
    assert looks.wait(10)
    stream.close()
    reader.join(10)
    assert ended == ["<EventStream of Response, closed>"]
    assert source.closed == 1


def test_aclose_from_another_task_while_one_looks_at_an_event_ends_reading_without_an_exception() -> None:
    async def main() -> AsyncSource:
        looks, closing = asyncio.Event(), asyncio.Event()

        class Response(AsyncSource):
            async def aclose(self) -> None:
                closing.set()
                await asyncio.wait([reader], timeout=0.2)  # meanwhile the reader goes on
                await super().aclose()

        source = Response(FRAMES)
        stream = toolstream.parse(source)

        async def read() -> None:
            async for _ in stream:
                looks.set()
                await closing.wait()

        reader = asyncio.ensure_future(read())
        await looks.wait()
        await stream.aclose()
        await reader
        return source

    assert asyncio.run(main()).closed == 1


def test_a_parser_that_cannot_be_closed_leaves_no_source_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: Any) -> list[Any]:
        raise RuntimeError("another thread is inside")

    source, other = Source(FRAMES), AsyncSource(FRAMES)
    stream, async_stream = toolstream.parse(source), toolstream.parse(other)
    monkeypatch.setattr(toolstream.StreamParser, "close", busy)
    with pytest.raises(RuntimeError, match="inside"):
        stream.close()
    with pytest.raises(RuntimeError, match="inside"):
        asyncio.run(async_stream.aclose())
    assert (source.closed, other.closed) == (1, 1)


# Iterating


@pytest.mark.parametrize("kind", ITEMS)
def test_an_iterator_is_asked_for_once(kind: str) -> None:
    class Once(Source):  # many classes begin anew each time
        def __iter__(self) -> Iterator[Any]:
            assert self.asked == 0
            return self

    class AsyncOnce(AsyncSource):
        def __aiter__(self) -> AsyncIterator[Any]:
            assert self.inner.asked == 0
            return self

    assert plain(toolstream.parse(Once(ITEMS[kind]))) == pushed()
    assert plain(asyncio.run(collected(toolstream.parse(AsyncOnce(ITEMS[kind]))))) == pushed()


def test_a_loop_goes_on_where_next_has_stopped() -> None:
    stream = toolstream.parse(FRAMES)
    first = next(stream)
    assert plain([first, *stream]) == pushed()


def test_next_inside_a_loop_takes_the_loops_next_event() -> None:
    stream = toolstream.parse(FRAMES)
    events = []
    for event in stream:
        events.append(event)
        events += [following for following in [next(stream, None)] if following is not None]
    assert plain(events) == pushed()


def test_leaving_an_inner_loop_does_not_end_the_outer_one() -> None:
    source = Source(FRAMES)
    stream = toolstream.parse(source)
    events = []
    for event in stream:
        events.append(event)
        for inner in stream:
            events.append(inner)
            break
    assert plain(events) == pushed()
    assert source.closed


def test_a_stream_is_read_once() -> None:
    stream = toolstream.parse(FRAMES)
    assert list(stream)
    assert list(stream) == []


def test_an_iterator_that_was_not_used_does_not_use_up_the_stream() -> None:
    stream = toolstream.parse(FRAMES)
    iter(stream)
    assert plain(stream) == pushed()


# What a stream's iterator is: a generator, also where its events come from C


EVENTS = len(pushed())
begun = pytest.mark.parametrize("taken", range(EVENTS), ids=lambda taken: f"{taken} events taken")


def begin(taken: int) -> tuple[Source, Any]:
    """A source, and the iterator over its stream, which has given so many events."""
    source = Source(FRAMES)
    steps = iter(toolstream.parse(source))
    assert plain(itertools.islice(steps, taken)) == pushed()[:taken]
    return source, steps


@begun
def test_sending_nothing_gives_the_next_event(taken: int) -> None:
    source, steps = begin(taken)
    assert plain([steps.send(None), *steps]) == pushed()[taken:]
    assert source.closed
    with pytest.raises(StopIteration):
        steps.send(None)


@begun
def test_what_is_thrown_into_an_iterator_ends_it_and_closes_the_source(taken: int) -> None:
    source, steps = begin(taken)
    with pytest.raises(BrokenError, match="thrown"):
        steps.throw(BrokenError("thrown"))
    assert source.closed == (taken > 0)  # one that has not begun has no source yet
    assert list(steps) == []


@begun
def test_closing_an_iterator_closes_the_source(taken: int) -> None:
    source, steps = begin(taken)
    steps.close()
    assert source.closed == (taken > 0)
    assert list(steps) == []


@begun
def test_an_iterator_that_nobody_holds_closes_the_source(taken: int) -> None:
    source, steps = begin(taken)
    del steps
    gc.collect()
    assert source.closed == (taken > 0)


@begun
def test_an_iterator_is_running_while_it_waits_for_the_source(taken: int) -> None:
    seen: list[Any] = []

    def chunks() -> Iterator[bytes]:
        for frame in FRAMES:
            if len(seen) == taken:
                with pytest.raises(ValueError, match="already executing"):
                    next(steps)
                with pytest.raises(ValueError, match="already executing"):
                    steps.close()
                assert steps.gi_running
            yield frame

    steps: Any = iter(toolstream.parse(chunks()))
    for event in steps:
        assert not steps.gi_running
        seen.append(event)
    assert plain(seen) == pushed()


# Faults


def test_the_events_before_a_fault_come_first() -> None:
    source = [HEAD + b'data: {"broken\n\n']
    events = []
    with pytest.raises(toolstream.SSEError) as caught:  # noqa: PT012
        for event in toolstream.parse(source):
            events.append(event)  # noqa: PERF402 - what came before the exception is to be kept
    assert plain(events) == plain(toolstream.StreamParser().feed(HEAD))
    assert caught.value.events == []


def test_a_source_that_raises_passes_its_exception_through_after_the_events() -> None:
    fault = BrokenError("connection lost")
    source = Source([HEAD], fault)
    events = []
    with pytest.raises(BrokenError) as caught:  # noqa: PT012
        for event in toolstream.parse(source):
            events.append(event)  # noqa: PERF402
    assert caught.value is fault
    assert plain(events) == plain(toolstream.StreamParser().feed(HEAD))
    assert source.closed


def test_a_source_that_raises_leaves_its_open_call_void() -> None:
    frames = FRAMES[: [b"search" in frame for frame in FRAMES].index(True) + 4]
    stream = toolstream.parse(Source(frames, BrokenError()))
    with pytest.raises(BrokenError):
        list(stream)
    assert stream.calls[0].state == "void"


def test_an_error_of_the_same_family_from_the_source_is_the_sources_own() -> None:
    fault = toolstream.LimitError("too much", limit="max_event_bytes")
    fault.events = ["something else"]  # type: ignore[list-item]
    with pytest.raises(toolstream.LimitError) as caught:
        assert plain(toolstream.parse(Source([HEAD], fault))) == plain(toolstream.StreamParser().feed(HEAD))
    assert caught.value.events == ["something else"]


def test_a_stream_cut_short_raises_at_its_end_after_the_events() -> None:
    events = []
    with pytest.raises(toolstream.IncompleteError):  # noqa: PT012
        for event in toolstream.parse([HEAD]):
            events.append(event)  # noqa: PERF402
    assert plain(events) == plain(toolstream.StreamParser().feed(HEAD))


def test_a_source_without_anything_is_no_providers_stream() -> None:
    with pytest.raises(toolstream.UnknownProviderError):
        list(toolstream.parse([]))


@pytest.mark.parametrize("source", ["https://api.example.com/v1/messages", "reply.sse"])
def test_an_address_or_a_name_as_source_is_told_to_be_none(source: str) -> None:
    with pytest.raises(toolstream.UnknownProviderError, match="not its address or name"):
        next(toolstream.parse(source))


def test_an_error_body_instead_of_a_stream_is_the_providers_error() -> None:
    body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
    with pytest.raises(toolstream.ProviderError, match="Overloaded"):
        list(toolstream.parse([body]))


# What a stream says of itself


def test_a_stream_tells_what_its_parser_knows() -> None:
    stream = toolstream.parse(FRAMES)
    started = [event.call for event in stream if isinstance(event, ToolCallStart)]
    parser = toolstream.StreamParser()
    parser.feed(BODY)
    parser.close()
    assert stream.calls == started
    assert stream.text == parser.text == streams.TEXT
    assert stream.usage == parser.usage
    assert stream.stop_reason == parser.stop_reason == "tool_use"
    assert stream.provider == parser.provider == "anthropic"
    assert stream.model == parser.model == "claude-test"
    assert stream.message == parser.message
    assert stream.partial_message == parser.partial_message


def test_the_message_is_there_only_at_the_proper_end() -> None:
    with toolstream.parse(FRAMES) as stream:
        next(stream)
        with pytest.raises(toolstream.ToolStreamError):
            _ = stream.message
        assert stream.partial_message is not None


def test_a_stream_shows_its_source_and_state() -> None:
    stream = toolstream.parse(FRAMES)
    assert repr(stream) == "<EventStream of list, not started>"
    next(stream)
    assert repr(stream) == "<EventStream of list, reading>"
    stream.close()
    assert repr(stream) == "<EventStream of list, closed>"


# The same, async


def test_async_break_closes_the_source() -> None:
    async def read() -> AsyncSource:
        source = AsyncSource(FRAMES)
        async for _ in toolstream.parse(source):
            break
        for _ in range(10):  # the event loop closes what the loop has dropped
            await asyncio.sleep(0)
        return source

    source = asyncio.run(read())
    assert source.closed
    assert source.inner.asked == 1


def test_aclose_closes_the_source_before_it_returns() -> None:
    async def read() -> None:
        source = AsyncSource(FRAMES)
        stream = toolstream.parse(source)
        async for _ in stream:
            await stream.aclose()
            assert source.closed
        assert [event async for event in stream] == []

    asyncio.run(read())


@pytest.mark.parametrize("read", [0, 1, None])
def test_an_async_source_is_closed_once_however_often_it_is_left(read: int | None) -> None:
    source = AsyncSource(FRAMES)

    async def read_some() -> None:
        async with toolstream.parse(source) as stream:
            for _ in range(read or 0):
                await anext(stream)
            if read is None:
                async for _ in stream:
                    pass
            await stream.aclose()

    asyncio.run(read_some())
    assert source.closed == 1


def test_leaving_async_with_closes_the_source_also_by_an_exception() -> None:
    async def read() -> None:
        source = AsyncSource(FRAMES)
        with pytest.raises(BrokenError):  # noqa: PT012
            async with toolstream.parse(source) as stream:
                await anext(stream)
                raise BrokenError
        assert source.closed

    asyncio.run(read())


@pytest.mark.parametrize("kind", [kind for kind, make in ASYNC_SOURCES.items() if hasattr(make(), "closed")])
def test_leaving_early_closes_each_kind_of_async_source(kind: str) -> None:
    async def read() -> Any:
        source = ASYNC_SOURCES[kind]()
        async with toolstream.parse(source) as stream:
            async for _ in stream:
                break
        return source

    assert asyncio.run(read()).closed


def test_an_async_generator_is_closed() -> None:
    async def read() -> None:
        left = []

        async def chunks() -> AsyncIterator[bytes]:
            try:
                for frame in FRAMES:
                    yield frame
            finally:
                await asyncio.sleep(0)
                left.append(True)

        source = chunks()
        async with toolstream.parse(source) as stream:
            await anext(stream)
        assert left

    asyncio.run(read())


def test_cancelling_the_reader_closes_the_source() -> None:
    async def read() -> AsyncSource:
        class Endless(AsyncSource):
            async def __anext__(self) -> Any:
                if self.inner.asked == 3:
                    await asyncio.Event().wait()
                return await super().__anext__()

        source = Endless(FRAMES)
        task = asyncio.ensure_future(collected(toolstream.parse(source)))
        while source.inner.asked < 3:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return source

    assert asyncio.run(read()).closed


def test_aclose_from_another_task_ends_reading_without_an_exception() -> None:
    async def read() -> list[toolstream.Event]:
        closed = asyncio.Event()
        waiting = asyncio.Event()

        class Response(AsyncSource):
            async def __anext__(self) -> Any:
                if self.inner.asked == 3:
                    waiting.set()
                    await closed.wait()
                    raise BrokenError("the connection was closed")
                return await super().__anext__()

            async def aclose(self) -> None:
                await super().aclose()
                closed.set()

        stream = toolstream.parse(Response(FRAMES))
        task = asyncio.ensure_future(collected(stream))
        await waiting.wait()
        await stream.aclose()
        return await task

    assert [event.type for event in asyncio.run(read())][:1] == ["message_start"]


def test_an_async_source_that_raises_passes_its_exception_through_after_the_events() -> None:
    async def read() -> list[toolstream.Event]:
        events = []
        source = AsyncSource([HEAD], BrokenError())
        with pytest.raises(BrokenError):  # noqa: PT012
            async for event in toolstream.parse(source):
                events.append(event)  # noqa: PERF401
        assert source.closed
        return events

    assert plain(asyncio.run(read())) == plain(toolstream.StreamParser().feed(HEAD))


def test_the_events_before_a_fault_come_first_from_an_async_source() -> None:
    async def read() -> list[toolstream.Event]:
        events = []
        with pytest.raises(toolstream.SSEError):  # noqa: PT012
            async for event in toolstream.parse(AsyncSource([HEAD + b'data: {"broken\n\n'])):
                events.append(event)  # noqa: PERF401
        return events

    assert plain(asyncio.run(read())) == plain(toolstream.StreamParser().feed(HEAD))


def test_an_async_loop_goes_on_where_anext_has_stopped() -> None:
    async def read() -> list[toolstream.Event]:
        stream = toolstream.parse(AsyncSource(FRAMES))
        first = await anext(stream)
        return [first, *[event async for event in stream]]

    assert plain(asyncio.run(read())) == pushed()


# An async source's own awaitables, as bytes of which most complete no event


class Waiting:
    """An awaitable by its `__await__` alone, which waits twice; `waits` counts."""

    def __init__(self, item: Any) -> None:
        self.item = item
        self.waits = 0

    def __await__(self) -> Iterator[Any]:
        for _ in range(2):
            self.waits += 1
            yield None
        if isinstance(self.item, Exception):
            raise self.item
        return self.item


class BareIterator:
    """What `__await__` may give at the least: an iterator that nothing can be sent to or thrown into."""

    def __init__(self, item: Any) -> None:
        self.steps = iter(Waiting(item).__await__())

    def __await__(self) -> Iterator[Any]:
        return self

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.steps)


async def _coroutine(item: Any) -> Any:
    return await Waiting(item)


@types.coroutine
def _marked_generator(item: Any) -> Iterator[Any]:
    return (yield from Waiting(item).__await__())


def _future(item: Any) -> asyncio.Future[Any]:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, item)
    return future


AWAITABLES: dict[str, Callable[[Any], Any]] = {
    "a coroutine": _coroutine,
    "a future": _future,
    "a generator that types.coroutine marks": _marked_generator,
    "an object with __await__": Waiting,
    "an iterator without send and throw": BareIterator,
}


class Awaiting:
    """An async iterator whose next item is awaited as the test says. After the items: `end`, at once."""

    def __init__(self, make: Callable[[Any], Any], items: Iterable[Any], end: type[BaseException] = StopAsyncIteration):
        self.make = make
        self.items = iter(items)
        self.end = end
        self.closed = 0

    def __aiter__(self) -> Awaiting:
        return self

    def __anext__(self) -> Any:
        for item in self.items:
            return self.make(item)
        raise self.end

    async def aclose(self) -> None:
        self.closed += 1


def in_bytes(body: bytes = BODY) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


@pytest.mark.parametrize("kind", AWAITABLES)
def test_an_item_may_be_awaited_in_any_way(kind: str) -> None:
    source = Awaiting(AWAITABLES[kind], in_bytes())
    assert plain(asyncio.run(collected(toolstream.parse(source)))) == pushed()
    assert source.closed == 1


def test_an_async_iterator_that_raises_before_it_is_awaited_passes_its_exception_through() -> None:
    async def read() -> list[toolstream.Event]:
        events = []
        source = Awaiting(_coroutine, in_bytes(HEAD), BrokenError)
        with pytest.raises(BrokenError):  # noqa: PT012
            async for event in toolstream.parse(source):
                events.append(event)  # noqa: PERF401
        assert source.closed == 1
        return events

    assert plain(asyncio.run(read())) == plain(toolstream.StreamParser().feed(HEAD))


@pytest.mark.parametrize("fault", [BrokenError(), StopIteration()], ids=["an exception", "StopIteration"])
def test_an_awaitable_that_raises_passes_its_exception_through(fault: Exception) -> None:
    async def item(data: Any) -> Any:
        if data is fault:
            raise fault
        return data

    source = Awaiting(item, [*in_bytes(HEAD), fault])
    # A coroutine makes a RuntimeError of a StopIteration, which would be its end.
    with pytest.raises(BrokenError if isinstance(fault, BrokenError) else RuntimeError):
        asyncio.run(collected(toolstream.parse(source)))
    assert source.closed == 1


@pytest.mark.parametrize("after", [0, 2, len(HEAD)])
def test_an_item_that_cannot_be_awaited_is_a_type_error(after: int) -> None:
    items = [*in_bytes()[:after], None]
    source = Awaiting(lambda item: Waiting(item) if item else 7, items)
    with pytest.raises(TypeError, match="int"):
        asyncio.run(collected(toolstream.parse(source)))
    assert source.closed == 1


@pytest.mark.parametrize("kind", AWAITABLES)
def test_cancelling_the_reader_reaches_whatever_it_waits_for(kind: str) -> None:
    async def read() -> Awaiting:
        source = Awaiting(AWAITABLES[kind], itertools.chain(in_bytes(HEAD), itertools.repeat(b"")))
        task = asyncio.ensure_future(collected(toolstream.parse(source)))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return source

    assert asyncio.run(read()).closed == 1


def test_a_source_may_answer_a_cancellation_with_an_item() -> None:
    async def read() -> list[toolstream.Event]:
        cancelled = []

        async def item(data: bytes) -> bytes:
            if len(seen) == len(HEAD):
                waiting.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(True)
            seen.append(data)
            return data

        seen: list[bytes] = []
        waiting = asyncio.Event()
        task = asyncio.ensure_future(collected(toolstream.parse(Awaiting(item, in_bytes()))))
        await waiting.wait()
        await asyncio.sleep(0)
        task.cancel()
        events = await task
        assert cancelled
        return events

    assert plain(asyncio.run(read())) == pushed()


def test_what_is_waited_for_is_closed_with_the_steps_that_wait() -> None:
    left = []

    async def item(data: bytes) -> bytes:
        try:
            if len(seen) == len(HEAD):
                await Waiting(None)
        finally:
            left.append(data)
        seen.append(data)
        return data

    seen: list[bytes] = []
    source = Awaiting(item, in_bytes())
    step: Any = collected(toolstream.parse(source))
    step.send(None)  # up to the place where it waits
    assert len(left) == len(HEAD)
    step.close()
    assert len(left) == len(HEAD) + 1
    assert source.closed == 1


def test_reading_async_leaves_no_object_behind() -> None:
    async def read(kind: str, size: int) -> None:
        stream = toolstream.parse(Awaiting(AWAITABLES[kind], in_bytes()[:size]), deltas=True)
        with contextlib.suppress(toolstream.IncompleteError):
            await collected(stream)

    async def count() -> int:
        for kind in AWAITABLES:
            for size in (len(BODY), len(HEAD)):
                await read(kind, size)
        gc.collect()
        return len(gc.get_objects())

    asyncio.run(count())
    assert asyncio.run(count()) - asyncio.run(count()) in range(-5, 6)
