"""`parse`: drives a `StreamParser` with what a source gives, and closes the source.

Every event is handed out before the source is asked for more, events before a fault come before its
exception, and however reading ends (at the source's end, by leaving the loop, by an exception, by closing)
the source is closed. The source is trusted as `sources.py` says; its own exceptions pass through.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, overload

from . import sources
from ._core import native
from .errors import ToolStreamError
from .intake import Intake
from .lane import IS_FAST
from .limits import Limits
from .stream_parser import StreamParser

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from .calls import ToolCall
    from .errors import InvalidFieldError
    from .events import Event
    from .framing import FramingName
    from .json_parser import DuplicateKeys
    from .paths import DeltasByTool, PathsByTool
    from .source_types import AsyncSource, EitherSource, ParseOptions, SyncSource
    from .stream_parser import OnError
    from .tools.schemas import OnInvalid
    from .usage import Usage


class _Stream:
    """What both kinds of stream have: what has been read so far, and the steps that read."""

    # The steps are a generator, which closes the source when it is dropped. So a loop must be the only one to
    # hold it; `next` has no one else who would.
    __slots__ = ("__weakref__", "_held", "_reading", "_steps")

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._held: Any = None
        self._steps: weakref.ref[Any] | None = None

    def _live(self) -> Any:
        """The steps if anybody still holds them, else None."""
        return None if self._steps is None else self._steps()

    def _begin(self) -> Any:
        steps = _read_async(self._reading) if self._reading.kind.is_async else _steps(self._reading)
        self._steps = weakref.ref(steps)
        return steps

    def _for_loop(self) -> Any:
        steps = self._live() or self._begin()
        self._held = None
        return steps

    def _for_next(self) -> Any:
        steps = self._live()
        if steps is None:
            steps = self._held = self._begin()
        return steps

    @property
    def calls(self) -> list[ToolCall]:
        """Every tool call so far, in order of appearance."""
        return self._reading.parser.calls

    @property
    def text(self) -> str:
        """The visible text so far."""
        return self._reading.parser.text

    @property
    def usage(self) -> Usage:
        """The token counts so far; `final` once these are the provider's last."""
        return self._reading.parser.usage

    @property
    def invalid(self) -> InvalidFieldError | None:
        """The error of the first field that broke its schema (needs `tools`); its `tool_message` is for the model."""
        return self._reading.parser.invalid

    @property
    def stop_reason(self) -> str | None:
        """The provider's own word for why the message ended, or None so far."""
        return self._reading.parser.stop_reason

    @property
    def provider(self) -> str | None:
        """The name of the wire format, or None until it is known."""
        return self._reading.parser.provider

    @property
    def model(self) -> str | None:
        """The model's name as the provider gives it, or None."""
        return self._reading.parser.model

    @property
    def message(self) -> Any:
        """The assistant's message as the provider's next request must contain it.

        Raises ToolStreamError before the message's proper end.
        """
        return self._reading.parser.message

    @property
    def partial_message(self) -> Any:
        """As `message`, with what is there so far; never raises."""
        return self._reading.parser.partial_message

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {type(self._reading.source).__name__}, {self._reading.state}>"


class EventStream(_Stream):
    """The events of a synchronous source: iterate it once, with `for` or `next`.

    Leaving a `for` loop early, by `break` or an exception, closes the source at once. (At once is CPython's
    way with objects nobody holds any more; where that matters elsewhere, use `with`.)
    """

    __slots__ = ()

    def __iter__(self) -> Generator[Event]:
        return self._for_loop()  # type: ignore[no-any-return]

    def __next__(self) -> Event:
        return next(self._for_next())  # type: ignore[no-any-return]

    def close(self) -> None:
        """Closes the source, which ends a generation early. What has been read stays.

        May be called from another thread while this one waits for the source, or looks at an event: reading then ends,
        without an exception, as soon as the source notices or its next item arrives.
        """
        steps, reading = self._live(), self._reading
        if sources.is_running(steps) or reading.is_read_by_other_than(threading.get_ident()):
            sources.close_sync(None, reading.interrupt())
            if sources.is_running(steps):
                return
        elif steps is not None:
            steps.close()
        reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncEventStream(_Stream):
    """The events of an asynchronous source: iterate it once, with `async for` or `anext`.

    Leaving an `async for` loop early closes the source as soon as the event loop gets to it; `async with`
    and `aclose()` close it before they return.
    """

    __slots__ = ()

    def __aiter__(self) -> AsyncGenerator[Event]:
        return self._for_loop()  # type: ignore[no-any-return]

    async def __anext__(self) -> Event:
        return await anext(self._for_next())

    async def aclose(self) -> None:
        """Closes the source, which ends a generation early. What has been read stays.

        May be called from another task while one waits for the source, or looks at an event: reading then ends, without
        an exception, as soon as the source notices or its next item arrives.
        """
        steps, reading = self._live(), self._reading
        if sources.is_running(steps) or reading.is_read_by_other_than(_task()):
            await sources.close_async(None, reading.interrupt())
            if sources.is_running(steps):
                return
        elif steps is not None:
            await steps.aclose()
        await reading.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


class _Reading:
    """One source being read into one parser. It never holds the steps that read."""

    # marks: None is given behind the events of each item, also of one that completes no event. reader: the thread that
    # began to read, or the task of asyncio.
    __slots__ = (
        "intake",
        "items",
        "kind",
        "marks",
        "parser",
        "parser_is_open",
        "reader",
        "source",
        "source_is_open",
        "state",
    )

    def __init__(self, source: Any, parser: StreamParser, framing: FramingName) -> None:
        self.source = sources.unwrap(source)
        self.kind = sources.recognise(self.source)
        self.parser = parser
        self.parser_is_open = True
        self.marks = False
        self.source_is_open = True
        self.intake = Intake(parser, framing)
        self.items: Any = None  # what is iterated, once reading has begun
        self.reader: int | None = None
        self.state = "not started"  # then "reading", then "closed"

    def begin(self, reader: int | None) -> Any:
        """Starts the source."""
        self.reader = reader
        self.state = "reading"
        self.items = self.kind.read(self.source)
        return self.items

    def is_read_by_other_than(self, who: int | None) -> bool:
        """Whether another thread or task may go on reading at any time: it must not meet steps that are closing."""
        return self.reader != who and self.state == "reading"

    def take(self, fault: ToolStreamError) -> list[Event]:
        """What the parser completed before the fault that ended it. A fault of the source's own is left as it is."""
        if fault is not self.parser._fault:
            return []
        self.parser_is_open = False
        events, fault.events = fault.events, []
        return events

    def tell(self, error: Exception) -> None:
        """The source has raised: raises `ProviderError` if this is how the client gives the provider's error event."""
        event = sources.event_of(error)
        if event is None:
            return
        try:
            self.parser.feed_event(event)
        except ToolStreamError as fault:
            self.take(fault)
            raise fault from error

    def close(self) -> None:
        """Reading is over, or will never begin."""
        try:
            self._end_parser()
        finally:
            sources.close_sync(*self._take_open())

    async def aclose(self) -> None:
        """As `close`."""
        try:
            self._end_parser()
        finally:
            await sources.close_async(*self._take_open())

    def interrupt(self) -> Any:
        """Ends the steps of another thread or task, at the latest when they get an item. Answers the source, for the
        caller to close; None if it is closed already. The items are for the steps to close."""
        self.state = "closed"
        self.intake.interrupt()
        if self.items is self.source and not sources.is_running(self.items):
            self.items = None
        return self._take_source()

    def _take_source(self) -> Any:
        """The source for the first one who closes it, None for others."""
        source, self.source_is_open = self.source if self.source_is_open else None, False
        return source

    def _take_open(self) -> tuple[Any, Any]:
        items, self.items = self.items, None
        return items, self._take_source()

    def _end_parser(self) -> None:
        self.state = "closed"
        if self.parser_is_open:  # the stream was left before its end: calls still open are cut off
            self.parser_is_open = False
            with suppress(ToolStreamError):
                self.parser.close()


def _task() -> int | None:
    """The id of asyncio's task in which this runs; None where there is none, as under another library."""
    asyncio = sys.modules.get("asyncio")  # not imported for this: a program that runs it has it
    try:
        return None if asyncio is None else id(asyncio.current_task())
    except RuntimeError:
        return None


def _steps(reading: _Reading) -> Generator[Event]:
    return native.Steps(_read(reading)) if IS_FAST else _read(reading)


def _read(reading: _Reading) -> Generator[Event]:
    if reading.state == "closed":
        return
    intake = reading.intake
    is_checked = reading.parser.is_checked
    try:
        items = iter(reading.begin(threading.get_ident()))
        try:
            while (events := intake.pull_one(items) if reading.marks else intake.pull(items)) is not None:
                yield from events
                if is_checked:
                    if reading.marks:
                        yield None  # type: ignore[misc]
                    if reading.parser.stopped:
                        return
                elif intake.is_plain and not reading.marks:
                    pulled = reading.parser._pull_all(items)
                    if IS_FAST:
                        yield pulled  # type: ignore[misc]  # whose events `native.Steps` gives in its place
                    else:
                        yield from pulled
                    break
            if reading.state != "closed":  # by another thread, which some sources take for their end
                yield from intake.flush()
                yield from reading.parser.close()
                reading.parser_is_open = False
        except ToolStreamError as fault:
            yield from reading.take(fault)
            raise
    except Exception as error:
        if reading.state != "closed":
            reading.tell(error)
            raise  # else another thread has closed the source, and this is how the source says so
    finally:
        reading.close()


async def _read_async(reading: _Reading) -> AsyncGenerator[Event]:
    if reading.state == "closed":
        return
    intake = reading.intake
    is_checked = reading.parser.is_checked
    try:
        items = aiter(reading.begin(_task()))
        try:
            while (
                events := await (intake.pull_one_async(items) if reading.marks else intake.pull_async(items))
            ) is not None:
                for event in events:
                    yield event
                if is_checked:
                    if reading.marks:
                        yield None  # type: ignore[misc]
                    if reading.parser.stopped:
                        return
            if reading.state != "closed":  # by another task
                for event in intake.flush():
                    yield event
                for event in reading.parser.close():
                    yield event
                reading.parser_is_open = False
        except ToolStreamError as fault:
            for event in reading.take(fault):
                yield event
            raise
    except Exception as error:
        if reading.state != "closed":
            reading.tell(error)
            raise
    finally:
        await reading.aclose()


if TYPE_CHECKING:

    class _EitherStream(EventStream, AsyncEventStream):
        """Of a source whose type doesn't say whether it is sync: one of the two."""


@overload
def parse(source: AsyncSource, **options: Unpack[ParseOptions]) -> AsyncEventStream: ...


@overload
def parse(source: EitherSource, **options: Unpack[ParseOptions]) -> _EitherStream: ...


@overload
def parse(source: SyncSource, **options: Unpack[ParseOptions]) -> EventStream: ...


def parse(
    source: Any,
    *,
    provider: Any = "auto",
    depth: int | None = 1,
    paths: PathsByTool | None = None,
    deltas: DeltasByTool = False,
    duplicate_keys: DuplicateKeys = "error",
    on_error: OnError = "raise",
    tools: Any = None,
    on_invalid: OnInvalid = "event",
    framing: FramingName = "auto",
    limits: Limits = Limits(),  # noqa: B008 - immutable
    prefill: str = "",
) -> EventStream | AsyncEventStream:
    """The events of a model's streamed response, each as soon as the bytes that complete it have come.

    source: an HTTP response (httpx, httpx2, requests, urllib3, http.client, aiohttp), a binary file, a stream
        object of an SDK (docs/providers.md), an `sseclient.SSEClient`, an `httpx_sse.EventSource`, or an
        iterable or async iterable of bytes, of text, of lines, of SSE events, of decoded events (dicts) or of
        SDK event objects; also a context manager that gives one of these, which is entered when iteration
        begins. An async source gives an `AsyncEventStream`, any other an `EventStream`.
    provider: "auto", a provider's name ("anthropic", "openai", "mistral", "openai-chat"), a text format's name
        ("hermes", …) or a `TextFormat`, or an adapter. With a text format source gives the model's raw text, as a
        transformers streamer, mlx-lm or llama-cpp-python yields it.
    depth: how deep below a call's arguments completed fields are reported (1: top-level fields; None: every
        value; 0: none).
    paths: report just these, in place of depth: "query", "edits[*].path", "**.url", or tuples; a dict
        {tool name: paths} chooses by tool.
    deltas: True: strings at reported paths are also reported as they grow. Or the paths of those strings.
    duplicate_keys: "error" (if a repeated key would contradict what has been reported), "last" or "strict" (always).
    on_error: what a call's bad arguments do. "raise": the error ends the stream. "event": it becomes a
        `ToolCallError`, and the other calls go on.
    tools: the tools that the model was given: a provider's or MCP's list, {name: type}, or functions. Then calls are
        checked field by field, and `ToolCallReady` and `FieldInvalid` are reported. See docs/tools.md.
    on_invalid: what a field that breaks its schema does, besides its event. "event": nothing. "raise": it makes the
        call bad, and on_error decides. "close": the source is closed, and `invalid` is the error, with a text for the
        model.
    framing: "auto", or how source's text is framed: "sse", "lines", "ndjson", "json-array", "aws" (binary), "events".
        With a text format "auto" takes bytes for the model's text, unless an HTTP response's content type says
        otherwise.
    limits: upper bounds on what a stream may use; see `Limits`.
    prefill: for a text format, the end of the prompt, if it has opened reasoning or a call.

    Nothing is read until the result is iterated. However iteration ends, source is then closed.
    Raises `ValueError` or `TypeError` for options that can't be understood, and `TypeError` for a source that can't be
    read. Iterating raises `ToolStreamError` for a fault in the stream, after the events before it, and whatever the
    source itself raises.
    """
    # As StreamParser(...): to hand on its keywords would take as long as half of the rest.
    parser = StreamParser.__new__(StreamParser)
    parser._set_up(
        provider, depth, paths, deltas, duplicate_keys, on_error, tools, on_invalid, framing, limits, prefill
    )
    if parser.takes_text:
        told = sources.told_framing(sources.unwrap(source)) if framing == "auto" else None
        framing = told or "text"
        if told is not None:
            parser._expect_events(told)
    reading = _Reading(source, parser, framing)
    return AsyncEventStream(reading) if reading.kind.is_async else EventStream(reading)
