"""`parse`: drives a `StreamParser` with what a source gives, and closes the source.

Every event is handed out before the source is asked for more, events before a fault come before its
exception, and however reading ends (at the source's end, by leaving the loop, by an exception, by closing)
the source is closed. The source is trusted as `sources.py` says; its own exceptions pass through.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, Protocol, overload

from . import sources
from .errors import ToolStreamError
from .limits import Limits
from .stream_parser import StreamParser

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, TypedDict, Unpack

    from .calls import ToolCall
    from .events import Event
    from .usage import Usage

    class _Options(TypedDict, total=False):
        provider: Any
        depth: int | None
        paths: Any
        deltas: Any
        duplicate_keys: str
        on_error: str
        framing: str
        limits: Limits


class _Stream:
    """What both kinds of stream have: the state of what has been read so far."""

    __slots__ = ("_reading",)

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading

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
        """The token counts so far; `final` once the provider has said its last word."""
        return self._reading.parser.usage

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

    # The steps (a generator) do the reading and close the source when they are dropped. A loop must be the
    # only one to hold them; `next` has no one else to do it.
    __slots__ = ("_held", "_steps")

    def __init__(self, reading: _Reading) -> None:
        super().__init__(reading)
        self._held: Generator[Event] | None = None
        self._steps: weakref.ref[Generator[Event]] | None = None

    def __iter__(self) -> Generator[Event]:
        steps = self._live() or self._begin()
        self._held = None
        return steps

    def __next__(self) -> Event:
        steps = self._live()
        if steps is None:
            steps = self._held = self._begin()
        return next(steps)

    def close(self) -> None:
        """Closes the source, which ends a generation early. Reading ends; what has been read stays.

        May be called at any time, from another thread, too.
        """
        self._reading.state = "closed"
        steps = self._live()
        if steps is None or steps.gi_running:
            self._reading.close()
        else:
            steps.close()
            self._reading.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _live(self) -> Generator[Event] | None:
        return self._steps() if self._steps is not None else None

    def _begin(self) -> Generator[Event]:
        steps = _read(self._reading)
        self._steps = weakref.ref(steps)
        return steps


class AsyncEventStream(_Stream):
    """The events of an asynchronous source: iterate it once, with `async for` or `anext`.

    Leaving an `async for` loop early closes the source as soon as the event loop gets to it; `async with`
    and `aclose()` close it before they return.
    """

    __slots__ = ("_held", "_steps")

    def __init__(self, reading: _Reading) -> None:
        super().__init__(reading)
        self._held: AsyncGenerator[Event] | None = None
        self._steps: weakref.ref[AsyncGenerator[Event]] | None = None

    def __aiter__(self) -> AsyncGenerator[Event]:
        steps = self._live() or self._begin()
        self._held = None
        return steps

    async def __anext__(self) -> Event:
        steps = self._live()
        if steps is None:
            steps = self._held = self._begin()
        return await anext(steps)

    async def aclose(self) -> None:
        """Closes the source, which ends a generation early. Reading ends; what has been read stays.

        May be called at any time, from another task, too.
        """
        self._reading.state = "closed"
        steps = self._live()
        if steps is not None and not steps.ag_running:
            await steps.aclose()
        await self._reading.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def _live(self) -> AsyncGenerator[Event] | None:
        return self._steps() if self._steps is not None else None

    def _begin(self) -> AsyncGenerator[Event]:
        steps = _aread(self._reading)
        self._steps = weakref.ref(steps)
        return steps


class _Reading:
    """One source being read into one parser. It outlives the steps that read, and never holds them."""

    __slots__ = ("intake", "items", "kind", "parser", "parser_is_open", "source", "state")

    def __init__(self, source: Any, parser: StreamParser, framing: str) -> None:
        self.source = sources.unwrap(source)
        self.kind = sources.recognise(self.source)
        self.parser = parser
        self.parser_is_open = True
        self.intake = sources.Intake(parser, framing)
        self.items: Any = None  # what is iterated, once it has begun
        self.state: Literal["not started", "reading", "closed"] = "not started"

    def begin(self) -> Any:
        """Starts the source."""
        self.state = "reading"
        self.items = self.kind.read(self.source)
        return self.items

    def take(self, fault: ToolStreamError) -> list[Event]:
        """What was complete before the parser's fault, which ended it."""
        self.parser_is_open = False
        events, fault.events = fault.events, []
        return events

    def close(self) -> None:
        """Reading is over, or never began."""
        self.end_parser()
        items, self.items = self.items, None
        sources.close_sync(items, self.source)

    async def aclose(self) -> None:
        """As `close`."""
        self.end_parser()
        items, self.items = self.items, None
        await sources.close_async(items, self.source)

    def interrupt(self) -> None:
        """Stops a step that is under way in another thread or task. It ends by itself; it then closes."""
        self.state = "closed"
        self.intake.feed = _refuse

    def end_parser(self) -> None:
        """The stream was left before its end: what is open in the parser is cut off."""
        self.state = "closed"
        if self.parser_is_open:
            self.parser_is_open = False
            with suppress(ToolStreamError):
                self.parser.close()


def _refuse(_: Any) -> list[Event]:
    raise RuntimeError("the stream was closed while it was read")


def _read(reading: _Reading) -> Generator[Event]:
    if reading.state == "closed":
        return
    intake = reading.intake
    try:
        for item in reading.begin():
            try:
                events = intake.feed(item)
            except ToolStreamError as fault:
                for event in reading.take(fault):
                    yield event
                raise
            for event in events:
                yield event
        for ending in reading.endings():
            try:
                events = ending()
            except ToolStreamError as fault:
                for event in reading.take(fault):
                    yield event
                raise
            for event in events:
                yield event
    except Exception:
        # A source may well complain of being closed by another thread. Who closed it knows.
        if reading.state != "closed":
            raise
    finally:
        reading.close()
