"""However a run ends, and whatever a function raises: no function is left running, none is told to end twice."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from test_dispatch import fragments, message, run
from wire import sse

import toolstream
from toolstream import Result, Streamed

ONE = message(fragments('{"a":1}'))
TWO = message(fragments('{"a":1}'), fragments('{"a":2}', name="g", index=1))


def run_sync(tools: Any, pieces: list[Any] = ONE) -> Result:
    (result,) = toolstream.dispatch_sync([sse(pieces)], tools).wait()
    return result


async def endless(pieces: list[Any]) -> AsyncIterator[bytes]:
    yield sse(pieces)
    await asyncio.sleep(3600)


async def cancelled(run: toolstream.AsyncRun, when: Callable[[], bool]) -> None:
    """Awaits the run in a task that is cancelled as soon as that is so."""

    async def finish() -> None:
        await run

    task = asyncio.ensure_future(finish())
    while not when():
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_a_plain_function_may_raise_anything() -> None:
    class Strange(BaseException):
        pass

    def stops(a: int) -> int:
        return next(iter([]))

    def leaves(a: int) -> None:
        raise SystemExit(3)

    async def strange(a: int) -> None:
        raise Strange

    (result,) = run(ONE, {"f": stops})  # no future takes a StopIteration
    assert (result.status, type(result.error)) == ("error", RuntimeError)
    result = run_sync({"f": leaves})
    assert (result.status, type(result.error)) == ("error", SystemExit)
    (result,) = run(ONE, {"f": strange})
    assert (result.status, type(result.error)) == ("error", Strange)


def test_a_cancelled_run_waits_for_all_of_its_threads() -> None:
    began = [threading.Event(), threading.Event()]
    go_on = threading.Event()
    ended: list[str] = []

    def f(a: int) -> None:
        began[0].set()
        go_on.wait(30)
        ended.append("f")

    async def release() -> None:
        await asyncio.sleep(0.05)
        go_on.set()

    def g(a: int) -> None:
        began[1].set()
        while not ended:
            go_on.wait(0.01)
        threading.Event().wait(0.05)  # the run has heard of the first one's end by now
        ended.append("g")

    async def main() -> None:
        running = toolstream.dispatch(endless(TWO[:-2]), [f, g], start="closed")
        task = asyncio.ensure_future(cancelled(running, lambda: all(event.is_set() for event in began)))
        await release()
        await task
        assert ended == ["f", "g"]

    asyncio.run(main())


def test_a_function_that_is_cancelled_may_end_properly() -> None:
    log: list[str] = []

    async def f(a: int) -> None:
        log.append("f began")
        await asyncio.sleep(3600)

    async def g(a: int) -> None:
        log.append("g began")
        try:
            await asyncio.sleep(3600)
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            log.append("g ended")

    async def main() -> None:
        running = toolstream.dispatch(endless(TWO[:-2]), [f, g], start="closed")
        await cancelled(running, lambda: len(log) == 2)

    asyncio.run(main())
    assert log[2:] == ["g ended"]


def test_another_task_may_close_a_run() -> None:
    log: list[str] = []

    async def f(a: int) -> None:
        log.append("began")
        try:
            await asyncio.sleep(3600)
        finally:
            log.append("cancelled")

    async def main() -> toolstream.Results:
        closing = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield sse(TWO[:-2])
            await closing.wait()

        running = toolstream.dispatch(source(), [f], start="closed")
        waiting = asyncio.ensure_future(asyncio.wait_for(running, 30))
        while not log:
            await asyncio.sleep(0)
        await running.aclose()
        closing.set()
        return await waiting

    results = asyncio.run(main())
    assert log == ["began", "cancelled"]
    assert [result.status for result in results] == ["error", "invalid"]


def test_another_thread_may_close_a_run() -> None:
    is_reading, closing = threading.Event(), threading.Event()

    def source() -> Iterator[bytes]:
        yield sse(ONE[:6])
        is_reading.set()
        closing.wait(30)

    def f(a: int) -> None:
        pass

    running = toolstream.dispatch_sync(source(), [f])
    reader = threading.Thread(target=running.wait)
    reader.start()
    is_reading.wait(30)
    running.close()
    closing.set()
    reader.join(30)
    assert [result.status for result in running.results] == ["void"]


def test_a_run_that_is_held_up_can_be_closed() -> None:
    reads = threading.Event()
    closed = threading.Event()

    def f(a: Streamed[str]) -> None:
        reads.set()
        closed.wait(30)

    running = toolstream.dispatch_sync([sse(message(fragments('{"a":"xxxxxxxxxx"}')))], [f], max_buffered=1)
    reader = threading.Thread(target=running.wait)
    reader.start()
    reads.wait(30)
    running.close()
    closed.set()
    reader.join(30)
    assert not reader.is_alive()


def test_nothing_more_is_begun_when_the_reader_is_interrupted() -> None:
    began = threading.Event()
    go_on = threading.Event()

    def f(a: int) -> str:
        began.set()
        go_on.wait(30)
        return "f"

    def g(a: int) -> str:
        return "g"

    def source() -> Iterator[bytes]:
        yield sse(TWO[:-2])
        began.wait(30)
        threading.Timer(0.05, go_on.set).start()
        raise KeyboardInterrupt

    running = toolstream.dispatch_sync(source(), [f, g], start="closed", max_concurrency=1)
    with pytest.raises(KeyboardInterrupt):
        running.wait()
    assert [result.status for result in running.results] == ["ok", "not run"]


def test_partials_and_objects_that_can_be_called_are_functions() -> None:
    class Adder:
        def __call__(self, a: int) -> int:
            return a + 1

    class Later:
        async def __call__(self, a: int) -> int:
            return a + 1

    def add(a: int, b: int) -> int:
        return a + b

    assert run_sync({"f": Adder()}).value == 2
    assert run_sync({"f": functools.partial(add, b=2)}).value == 3
    (result,) = run(ONE, {"f": Later()})
    assert result.value == 2
    result = run_sync({"f": Later()})
    assert (result.status, type(result.error)) == ("error", TypeError)
