"""`dispatch_sync`: as `dispatch`, for sync sources and plain functions, which run on threads.

The stream is read in the caller's thread, only while it iterates or waits. One lock guards what reader and functions
share; no function runs while it is held. A thread can't be cancelled: a function whose call does not count any more is
told by `CallVoidError` when it next reads from its call, and the run ends when all its functions have.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from ..events import Event
from .channels import ThreadBell, ThreadCall, ThreadStreamed
from .declared import Start
from .results import Results
from .running import MAX_BUFFERED, RunBase, called, opened
from .runs import Decision, OnToolError, Run, Runs
from .schemas import OnInvalid

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ..calls import ToolCall
    from ..source_types import EitherSource, ReadingOptions, SyncSource


class ThreadRun(RunBase):
    """A stream whose calls are run on threads: iterate it for the events, `wait` for the results.

    `with` and `close()` end it early: the source is closed, functions that have not begun never do, and the others are
    told when they next read from their calls.
    """

    def __init__(self, stream: Any, runs: Callable[..., Runs], *, max_concurrency: int | None, **options: Any) -> None:
        self._bell = ThreadBell()
        super().__init__(stream, runs(new_bell=lambda: self._bell, room=self._bell.ring, tell=self._tell), **options)
        self._executor = ThreadPoolExecutor(max_concurrency, thread_name_prefix="toolstream")
        self._futures: dict[Run, Future[None]] = {}  # of what has not ended
        self._own: set[int] = set()  # the threads on which functions run
        self._turn = threading.Lock()  # one reads at a time
        self._reading: Generator[Event] | None = None

    def __iter__(self) -> Generator[Event]:
        with self._bell:
            self._watchers += 1
        try:
            while self._unread or self._advance() or self._unread:
                if self._unread:
                    yield self._unread.popleft()
        finally:
            with self._bell:
                self._watchers -= 1
        if self._fault is not None:
            raise self._fault

    def wait(self) -> Results:
        """Reads what has not been read, waits for the functions, and answers the results. Raises as iterating does."""
        while self._advance():
            if not self._watchers:
                self._unread.clear()
        if self._fault is not None:
            raise self._fault
        return self.results

    def _advance(self) -> bool:
        """Reads the next event; False if there is none."""
        if threading.get_ident() in self._own:
            raise RuntimeError("a function can't wait for the run that waits for it")
        with self._turn:
            if self._reading is None:
                self._reading = self._read()
            for event in self._reading:
                self._unread.append(event)
                return True
            return False

    def close(self) -> None:
        """Ends the run: closes the source, and waits for the functions that have begun.

        May be called from another thread while one reads: it does not wait then, and that one's reading ends, with the
        results, as soon as the functions have ended and the source notices or its next item arrives. Nor does it wait
        in one of the functions.
        """
        self._is_closing = True
        may_wait = threading.get_ident() not in self._own and self._turn.acquire(blocking=False)
        if not may_wait:
            with self._bell:
                self._cancel_all()
                self._bell.ring()
            self._stream.close()
            return
        try:
            if self._reading is not None:
                self._reading.close()
            self._end()
        finally:
            self._turn.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> Generator[Event]:
        try:
            for event in self._stream:
                with self._bell:
                    if event is not None:
                        self._runs.observe(event)
                    self._begin(self._runs.due())
                if event is not None and self._asked_for(event):
                    yield event
                with self._bell:
                    while not self._is_closing and self._runs.is_held_up(self._max_buffered):
                        self._bell.wait()
                self._raise_first_error()
        except Exception as error:
            self._fault = error
            raise
        except BaseException:  # left, interrupted
            self._is_closing = True
            raise
        finally:
            self._end()
        try:
            self._raise_first_error()
        except Exception as error:
            self._fault = error
            raise

    def _end(self) -> None:
        if self._results is not None or self._is_ending:
            return
        self._is_ending = True
        try:
            self._stream.close()
            with self._bell:
                self._runs.look()
                while True:
                    if self._begins_no_more:
                        self._cancel_all()
                    elif self._fault is None:
                        self._begin(self._runs.due())
                    if not self._futures:
                        break
                    self._bell.wait()
        finally:
            self._executor.shutdown()
            self._runs.finish()
            self._conclude()

    def _cancel_all(self) -> None:
        for future in list(self._futures.values()):
            future.cancel()

    def _begin(self, due: list[Run]) -> None:
        if self._is_closing:
            return
        for run in due:
            future = self._futures[run] = self._executor.submit(copy_context().run, self._execute, run)
            future.add_done_callback(partial(self._ended, run))

    def _ended(self, run: Run, future: Future[None]) -> None:
        with self._bell:
            if self._futures.get(run) is future:  # and not that of a call which was deferred, and is due now
                del self._futures[run]
            self._bell.ring()

    def _tell(self, run: Run) -> None:
        future = self._futures.get(run)
        if future is not None:
            future.cancel()  # where it has not begun; else its next look at the call tells it

    def _execute(self, run: Run) -> None:
        self._own.add(threading.get_ident())
        try:
            if self._before_start is not None and not run.deferred and not self._is_let(run, self._before_start):
                return
            with self._bell:
                if self._is_closing:
                    return
                run.begin()
            value = self._call(run)
            with self._bell:
                run.end("ok", value)
        except BaseException as error:
            with self._bell:
                self._fail(run, error)
        finally:
            self._own.discard(threading.get_ident())

    def _is_let(self, run: Run, before_start: Callable[[ToolCall], Any]) -> bool:
        decision: Decision = before_start(run.call)
        if decision == "execute":
            return True
        if decision not in ("defer", "refuse"):
            raise ValueError(f'before_start answers "execute", "defer" or "refuse", not {decision!r}')
        with self._bell:
            if decision == "defer":
                self._runs.defer(run)
            else:
                run.end("refused")
        return False

    def _call(self, run: Run) -> Any:
        tool = run.tool
        assert tool is not None
        assert tool.function is not None
        arguments = dict(run.arguments)
        for name in tool.streamed:
            arguments[name] = ThreadStreamed(run, run.channel(name), self._bell)
        if tool.live is not None:
            arguments[tool.live] = ThreadCall(run.call, run, self._bell)
        value = called(tool.function, arguments)
        if inspect.iscoroutine(value) or inspect.isasyncgen(value):
            if inspect.iscoroutine(value):
                value.close()
            raise TypeError(f"{tool.name!r} is async: dispatch runs it, on an async source")
        return value


def dispatch_sync(
    source: SyncSource | EitherSource,
    tools: Any,
    *,
    max_concurrency: int | None = None,
    before_start: Callable[[ToolCall], Decision] | None = None,
    on_error: OnToolError = "result",
    start: Start | None = None,
    on_invalid: OnInvalid = "event",
    max_buffered: int = MAX_BUFFERED,
    **options: Unpack[ReadingOptions],
) -> ThreadRun:
    """As `dispatch`, for a sync source and plain functions, which run on threads: `.wait()` gives the results.

    max_concurrency: the number of threads; None: the default of `ThreadPoolExecutor`. before_start is asked on the
    function's thread.

    Raises `TypeError` for an async source, `ValueError` for async functions and for options that can't be understood.
    """
    stream, runs = opened(
        source,
        tools,
        options,
        in_loop=False,
        on_error=on_error,
        max_concurrency=max_concurrency,
        start=start,
        on_invalid=on_invalid,
    )
    return ThreadRun(
        stream,
        runs,
        max_concurrency=max_concurrency,
        before_start=before_start,
        on_error=on_error,
        max_buffered=max_buffered,
    )
