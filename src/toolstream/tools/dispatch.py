"""`dispatch`: runs async functions for the calls of an async stream while the model still writes it.

The stream is read only while somebody iterates or awaits the run; functions run as tasks of the event loop. However
reading ends, every function that has begun has ended when the run has.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import ToolStreamError
from ..events import Event, FieldComplete, FieldDelta
from ..parse import AsyncEventStream, parse
from ..providers import reads_text
from ..sources import is_running
from .answers import TEXT
from .channels import LoopBell, LoopCall, LoopStreamed
from .declared import Start
from .results import Results
from .runs import Decision, OnToolError, Run, Runs
from .schemas import OnInvalid, toolset

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..calls import ToolCall

MAX_BUFFERED = 65536


class RunBase:
    """What a run shows, whether its functions are tasks or on threads."""

    _stream: Any
    _runs: Runs
    _results: Results | None = None

    @property
    def results(self) -> Results:
        """What became of each call; also after the stream has raised. Raises `ToolStreamError` before the end."""
        if self._results is None:
            raise ToolStreamError("the run has not ended")
        return self._results

    @property
    def calls(self) -> list[ToolCall]:
        """Every tool call so far, in order of appearance."""
        calls: list[ToolCall] = self._stream.calls
        return calls

    @property
    def message(self) -> Any:
        """As `EventStream.message`."""
        return self._stream.message

    @property
    def partial_message(self) -> Any:
        """As `EventStream.partial_message`."""
        return self._stream.partial_message

    @property
    def text(self) -> str:
        """The visible text so far."""
        return str(self._stream.text)

    @property
    def usage(self) -> Any:
        """The token counts so far."""
        return self._stream.usage

    @property
    def stop_reason(self) -> str | None:
        """The provider's own word for why the message ended."""
        return self._stream.stop_reason  # type: ignore[no-any-return]

    @property
    def invalid(self) -> Any:
        """As `EventStream.invalid`."""
        return self._stream.invalid

    def turn(self) -> list[Any]:
        """What to append to the conversation: the assistant's message, and the results."""
        return self.results.turn(self.message)

    def _asked_for(self, event: Event) -> bool:
        """Whether an event is the caller's, or only for the functions."""
        if not isinstance(event, (FieldComplete, FieldDelta)) or event.call is None or event.call._check is None:
            return True
        checks = self._stream._reading.parser._checks
        return bool(checks.asked_for(event.call, event.path, isinstance(event, FieldDelta)))

    def _first_error(self) -> BaseException | None:
        return next((run.result.error for run in self._runs.all if run.result.status == "error"), None)

    def _conclude(self) -> None:
        is_text = reads_text(self._stream._reading.parser._adapter)
        self._results = Results([run.result for run in self._runs.all], TEXT if is_text else self._stream.provider)


class AsyncRun(RunBase):
    """A stream whose calls are run: await it for the results, iterate it for the events meanwhile, or both.

    `async with` and `aclose()` end it early: the source is closed, and functions that have begun are cancelled.
    """

    def __init__(
        self,
        stream: AsyncEventStream,
        runs: Callable[..., Runs],
        *,
        max_concurrency: int | None,
        before_start: Callable[[ToolCall], Any] | None,
        on_error: OnToolError,
        max_buffered: int,
    ) -> None:
        self._stream = stream
        self._stream._reading.marks = True
        self._runs = runs(new_bell=LoopBell, room=self._ring, tell=self._tell)
        self._bell = LoopBell()
        self._places = None if max_concurrency is None else asyncio.Semaphore(max_concurrency)
        self._before_start = before_start
        self._raises = on_error == "raise"
        self._max_buffered = max_buffered
        self._tasks: dict[Run, asyncio.Task[None]] = {}
        self._cancelled: set[asyncio.Task[None]] = set()
        self._reading: AsyncGenerator[Event] | None = None
        self._fault: BaseException | None = None
        self._is_closing = False
        self._is_ending = False

    def __aiter__(self) -> AsyncGenerator[Event]:
        if self._reading is None:
            self._reading = self._read()
        return self._reading

    def __await__(self) -> Generator[Any, None, Results]:
        return self._finish().__await__()

    async def aclose(self) -> None:
        """Ends the run: closes the source, cancels the functions that have begun, and waits for them.

        May be called from another task while one reads: it does not wait then, and that one's reading ends, with the
        results, as soon as the functions have ended and the source notices or its next item arrives.
        """
        self._is_closing = True
        if is_running(self._reading):
            self._cancel_all()
            self._ring()
            await self._stream.aclose()
            return
        if self._reading is not None:
            await self._reading.aclose()
        await self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _finish(self) -> Results:
        async for _ in self:
            pass
        if self._fault is not None:
            raise self._fault
        return self.results

    async def _read(self) -> AsyncGenerator[Event]:
        try:
            async for event in self._stream:
                if event is not None:
                    self._runs.observe(event)
                if self._begin(self._runs.due()):
                    await asyncio.sleep(0)  # a source that never waits must not keep the functions from starting
                if event is not None and self._asked_for(event):
                    yield event
                while not self._is_closing and self._runs.is_held_up(self._max_buffered):
                    await self._bell.wait()
                self._raise_first_error()
        except Exception as error:
            self._fault = error
            raise
        except BaseException:  # left, cancelled, interrupted
            self._is_closing = True
            raise
        finally:
            await self._end()
        try:
            self._raise_first_error()
        except Exception as error:
            self._fault = error
            raise

    async def _end(self) -> None:
        """Reading is over: what may still run does, what must not is told, and all of it ends."""
        if self._results is not None or self._is_ending:
            return
        self._is_ending = True
        is_cancelled = False
        try:
            await self._stream.aclose()
            self._runs.look()
            while True:
                if self._is_closing or is_cancelled or (self._fault is not None and self._raises):
                    self._cancel_all()
                elif self._fault is None:
                    self._begin(self._runs.due())
                tasks = [task for task in self._tasks.values() if not task.done()]
                if not tasks:
                    break
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError:
                    is_cancelled = True
        finally:
            self._runs.finish()
            self._conclude()
        if is_cancelled:
            raise asyncio.CancelledError

    def _cancel_all(self) -> None:
        for task in self._tasks.values():
            self._cancel(task)

    def _cancel(self, task: asyncio.Task[None]) -> None:
        """Cancels a task once: a second time would end what the function does to end properly."""
        if task not in self._cancelled:
            self._cancelled.add(task)
            task.cancel()

    def _raise_first_error(self) -> None:
        error = self._first_error() if self._raises else None
        if error is not None:
            raise error

    def _begin(self, due: list[Run]) -> bool:
        if self._is_closing:
            return False
        for run in due:
            self._tasks[run] = asyncio.get_running_loop().create_task(self._execute(run))
        return bool(due)

    def _ring(self) -> None:
        self._bell.ring()

    def _tell(self, run: Run) -> None:
        """The call of a function that has begun does not count: one that waits for more of it is told there."""
        if not run.waiting:
            self._cancel(self._tasks[run])

    async def _execute(self, run: Run) -> None:
        try:
            if self._before_start is not None and not run.deferred and not await self._is_let(run, self._before_start):
                return
            if self._places is None:
                await self._call(run)
            else:
                async with self._places:
                    await self._call(run)
        except asyncio.CancelledError as error:
            run.end("error", error=error)
            if run.failure is None:
                raise
        except BaseException as error:
            run.end("error", error=error)
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise
        finally:
            self._bell.ring()

    async def _is_let(self, run: Run, before_start: Callable[[ToolCall], Any]) -> bool:
        answer = before_start(run.call)
        decision: Decision = await answer if inspect.isawaitable(answer) else answer
        if decision == "execute":
            return True
        if decision == "defer":
            self._runs.defer(run)
        elif decision == "refuse":
            run.end("refused")
        else:
            raise ValueError(f'before_start answers "execute", "defer" or "refuse", not {decision!r}')
        return False

    async def _call(self, run: Run) -> None:
        tool = run.tool
        assert tool is not None
        assert tool.function is not None
        run.begin()
        arguments = dict(run.arguments)
        for name in tool.streamed:
            bell = run.bell
            assert isinstance(bell, LoopBell)
            arguments[name] = LoopStreamed(run, run.channel(name), bell)
        if tool.live is not None:
            assert isinstance(run.bell, LoopBell)
            arguments[tool.live] = LoopCall(run.call, run, run.bell)
        if inspect.iscoroutinefunction(tool.function):
            value = await tool.function(**arguments)
        else:
            value = await _on_thread(lambda: tool.function(**arguments))  # type: ignore[misc]
            if inspect.isawaitable(value):
                value = await value
        run.end("ok", value)


async def _on_thread(function: Callable[[], Any]) -> Any:
    """Runs a plain function on a thread. Being cancelled waits for its end, which nothing can bring about."""
    running = asyncio.ensure_future(asyncio.to_thread(_outcome, function))
    try:
        value, error = await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([running])
        raise
    if error is not None:
        raise error
    return value


def _outcome(function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a function returns, or what it raises: no future takes a StopIteration."""
    try:
        return function(), None
    except BaseException as error:
        return None, error


def dispatch(
    source: Any,
    tools: Any,
    *,
    max_concurrency: int | None = None,
    before_start: Callable[[ToolCall], Decision | Awaitable[Decision]] | None = None,
    on_error: OnToolError = "result",
    start: Start | None = None,
    on_invalid: OnInvalid = "event",
    max_buffered: int = MAX_BUFFERED,
    **options: Any,
) -> AsyncRun:
    """Runs the functions that an async stream calls, each as early as its effects allow.

    source: as for `parse`, async. tools: functions, `{name: function}`, or what `parse` takes with functions among it;
        a call for a tool without a function is left to the caller ("not run").
    max_concurrency: so many functions run at once. before_start: asked for each call as it comes as far as its function
        demands, with what the function would be given in `call.partial`: "execute", "defer" (asks nobody again, and
        starts when the message has ended and asks for it) or "refuse"; may be async.
    on_error: what a function's exception does: "result": it is its call's result; "raise": it ends the run.
    start: the level of functions that say nothing by `@tool` ("confirmed").
    on_invalid: as in `parse`; an invalid call never starts, and its result tells the model what was wrong.
    max_buffered: characters of a streamed argument (an element of a list counts as 1,024) that may wait for a function
        that runs; beyond, the source is not read, unless the function waits for more of its call.
    options: those of `parse`, for the events that iterating gives.

    A plain function runs on a thread. Raises `TypeError` for a source that is not async, `ValueError` for options that
    can't be understood. Awaiting raises what the stream raises (the results so far are in `results`).
    """
    known = toolset(tools, shows_all=True)
    check_options(on_error, max_concurrency)
    for tool in known.tools:
        is_async = inspect.iscoroutinefunction(tool.function)
        if tool.function is not None and not is_async and (tool.streamed or tool.live):
            raise ValueError(f"{tool.name!r} reads its call as it is written: with dispatch it must be async")
    options = {"on_error": "event", **options, "tools": known, "on_invalid": on_invalid}
    stream = parse(source, **options)
    if not isinstance(stream, AsyncEventStream):
        raise TypeError("dispatch takes an async source; for this one there is dispatch_sync")
    return AsyncRun(
        stream,
        partial(Runs, known, start=start),
        max_concurrency=max_concurrency,
        before_start=before_start,
        on_error=on_error,
        max_buffered=max_buffered,
    )


def check_options(on_error: str, max_concurrency: int | None) -> None:
    """Raises `ValueError` for options that both kinds of run refuse."""
    if on_error not in ("result", "raise"):
        raise ValueError(f'on_error is "result" or "raise", not {on_error!r}')
    if max_concurrency is not None and max_concurrency < 1:
        raise ValueError(f"max_concurrency is from 1 on, not {max_concurrency}")
