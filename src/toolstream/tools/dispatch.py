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

from ..events import Event
from .channels import LoopBell, LoopCall, LoopStreamed
from .declared import Start
from .results import Results
from .running import MAX_BUFFERED, RunBase, called, is_async, opened
from .runs import Decision, OnToolError, Run, Runs
from .schemas import OnInvalid

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ..calls import ToolCall
    from ..source_types import AsyncSource, EitherSource, ReadingOptions


class AsyncRun(RunBase):
    """A stream whose calls are run: await it for the results, iterate it for the events meanwhile, or both.

    `async with` and `aclose()` end it early: the source is closed, and functions that have begun are cancelled.
    """

    def __init__(self, stream: Any, runs: Callable[..., Runs], *, max_concurrency: int | None, **options: Any) -> None:
        super().__init__(stream, runs(new_bell=LoopBell, room=self._ring, tell=self._tell), **options)
        self._bell = LoopBell()
        self._places = None if max_concurrency is None else asyncio.Semaphore(max_concurrency)
        self._tasks: dict[Run, asyncio.Task[None]] = {}  # that have not ended
        self._own: set[asyncio.Task[Any] | None] = set()  # the same
        self._cancelled: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()  # one reads at a time
        self._reading: AsyncGenerator[Event] | None = None

    async def __aiter__(self) -> AsyncGenerator[Event]:
        self._watchers += 1
        try:
            while self._unread or await self._advance() or self._unread:
                if self._unread:
                    yield self._unread.popleft()
        finally:
            self._watchers -= 1
        if self._fault is not None:
            raise self._fault

    def __await__(self) -> Generator[Any, None, Results]:
        return self._finish().__await__()

    async def aclose(self) -> None:
        """Ends the run: closes the source, cancels the functions that have begun, and waits for them.

        May be called from another task while one reads: it does not wait then, and that one's reading ends, with the
        results, as soon as the functions have ended and the source notices or its next item arrives. Nor does it wait
        in one of the functions, which is cancelled when the reading ends.
        """
        self._is_closing = True
        caller = asyncio.current_task()
        if self._turn.locked() or caller in self._own:
            self._cancel_all(but=caller)
            self._ring()
            await self._stream.aclose()
            return
        async with self._turn:
            if self._reading is not None:
                await self._reading.aclose()
            await self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _advance(self) -> bool:
        """Reads the next event; False if there is none."""
        if asyncio.current_task() in self._own:
            raise RuntimeError("a function can't wait for the run that waits for it")
        async with self._turn:
            if self._reading is None:
                self._reading = self._read()
            async for event in self._reading:
                self._unread.append(event)
                return True
            return False

    async def _finish(self) -> Results:
        while await self._advance():
            if not self._watchers:
                self._unread.clear()
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
                if self._begins_no_more or is_cancelled:
                    self._cancel_all()
                elif self._fault is None:
                    self._begin(self._runs.due())
                if not self._tasks:
                    break
                try:
                    await self._bell.wait()
                except asyncio.CancelledError:
                    is_cancelled = True
        finally:
            self._runs.finish()
            self._conclude()
        if is_cancelled:
            raise asyncio.CancelledError

    def _cancel_all(self, but: asyncio.Task[Any] | None = None) -> None:
        for task in self._tasks.values():
            if task is not but:
                self._cancel(task)

    def _cancel(self, task: asyncio.Task[None]) -> None:
        """Cancels a task once: a second time would end what the function does to end properly."""
        if task not in self._cancelled:
            self._cancelled.add(task)
            task.cancel()

    def _begin(self, due: list[Run]) -> bool:
        if self._is_closing:
            return False
        for run in due:
            task = self._tasks[run] = asyncio.get_running_loop().create_task(self._execute(run))
            self._own.add(task)
            task.add_done_callback(partial(self._ended, run))
        return bool(due)

    def _ended(self, run: Run, task: asyncio.Task[None]) -> None:
        self._own.discard(task)
        self._cancelled.discard(task)
        if self._tasks[run] is task:  # and not that of a call which was deferred, and is due now
            del self._tasks[run]
        self._bell.ring()

    def _ring(self) -> None:
        self._bell.ring()

    def _tell(self, run: Run) -> None:
        """The call of a function that has begun does not count: one that waits for more of it is told there."""
        task = self._tasks.get(run)
        if task is not None and not run.waiting:
            self._cancel(task)

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
            self._fail(run, error)
            if run.failure is None:
                raise
        except BaseException as error:
            self._fail(run, error)
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise

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
        if is_async(tool.function):
            value = tool.function(**arguments)
        else:
            value = await _on_thread(tool.function, arguments)
        if inspect.isasyncgen(value):
            value = [item async for item in value]
        run.end("ok", await value if inspect.isawaitable(value) else value)


async def _on_thread(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Runs a plain function on a thread. Being cancelled waits for its end, which nothing can bring about."""
    running = asyncio.ensure_future(asyncio.to_thread(_outcome, function, arguments))
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


def _outcome(function: Callable[..., Any], arguments: dict[str, Any]) -> tuple[Any, BaseException | None]:
    """What a function returns, or what it raises: no future takes a StopIteration."""
    try:
        return called(function, arguments), None
    except BaseException as error:
        return None, error


def dispatch(
    source: AsyncSource | EitherSource,
    tools: Any,
    *,
    max_concurrency: int | None = None,
    before_start: Callable[[ToolCall], Decision | Awaitable[Decision]] | None = None,
    on_error: OnToolError = "result",
    start: Start | None = None,
    on_invalid: OnInvalid = "event",
    max_buffered: int = MAX_BUFFERED,
    **options: Unpack[ReadingOptions],
) -> AsyncRun:
    """Runs the functions that an async stream calls, each as early as its effects allow.

    source: an async source, as for `parse`.
    tools: functions, `{name: function}`, or what `parse` takes, with functions among it. A call for a tool without a
        function is left to you ("not run").
    max_concurrency: how many functions may run at once; None: any number.
    before_start: asked once for each call, when it has come as far as its function demands; `call.partial` holds what
        the function would be given. It answers "execute", "refuse" or "defer" (to start when the message has ended and
        asks for it), and may be async.
    on_error: what a function's exception does. "result": it becomes its call's result. "raise": it ends the run.
    start: when functions start that do not say so by `@tool`: "ready", "final", "closed", "confirmed" (if None) or
        "committed". See docs/tools.md.
    on_invalid: as in `parse`. An invalid call never starts, and its result tells the model what was wrong.
    max_buffered: how many characters of a streamed argument may wait for a running function (an element of a list
        counts as 1,024). Beyond that the source is not read, unless the function waits for more of its call.
    options: those of `parse`, for the events that iterating gives.

    A plain function runs on a thread; the result of a generator is the list of what it yields. Raises `TypeError` for a
    source that is not async, and `ValueError` for options that can't be understood. Awaiting the run raises what the
    stream raises (`results` has the results so far). Meanwhile another task may iterate; it gets all events.
    """
    stream, runs = opened(
        source,
        tools,
        options,
        in_loop=True,
        on_error=on_error,
        max_concurrency=max_concurrency,
        start=start,
        on_invalid=on_invalid,
    )
    return AsyncRun(
        stream,
        runs,
        max_concurrency=max_concurrency,
        before_start=before_start,
        on_error=on_error,
        max_buffered=max_buffered,
    )
