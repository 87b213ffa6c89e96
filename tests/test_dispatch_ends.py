"""However a run ends, and whatever a function raises: no function is left running, none is told to end twice."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from test_dispatch import fragments, message, run, slowly
from wire import DONE, sse

import toolstream
from toolstream import IncompleteError, Result, Streamed
from toolstream.tools.runs import Runs

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


def test_an_async_function_may_close_its_run_while_an_event_is_looked_at() -> None:
    closed: list[str] = []

    async def f(a: int) -> None:
        await asyncio.sleep(0.01)
        await running.aclose()
        closed.append("closed")
        await asyncio.sleep(3600)

    async def source() -> AsyncIterator[bytes]:
        yield sse(ONE[:-2])
        yield sse(ONE[-2:])

    running = toolstream.dispatch(source(), [f], start="closed")

    async def main() -> toolstream.Results:
        async for event in running:
            while event.type == "tool_call_end" and not closed:
                await asyncio.sleep(0)
        return await running

    (result,) = asyncio.run(main())
    assert closed
    assert (result.started, result.status) == (True, "error")


@pytest.mark.parametrize("asks", [True, False])
def test_a_function_on_a_thread_may_close_its_run_while_an_event_is_looked_at(asks: bool) -> None:
    looks, closed = threading.Event(), threading.Event()

    def close(_: Any) -> Any:
        looks.wait(30)
        running.close()
        closed.set()
        return "execute"

    def f(a: int) -> None:
        close(a)

    before_start = close if asks else None
    running = toolstream.dispatch_sync([sse(ONE)], [f], start="closed", before_start=before_start)
    for event in running:
        if event.type == "tool_call_end":
            looks.set()
            assert closed.wait(10)
    (result,) = running.wait()
    assert result.started is not asks


def test_another_task_may_close_a_run_while_one_looks_at_an_event() -> None:
    async def main() -> None:
        looks, closing = asyncio.Event(), asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            try:
                yield sse(ONE[:3])
                yield sse(ONE[3:])
            finally:
                closing.set()
                await asyncio.wait([reader], timeout=0.2)  # meanwhile the reader goes on

        running = toolstream.dispatch(source(), {"f": echo})

        async def read() -> None:
            async for _ in running:
                looks.set()
                await closing.wait()

        reader = asyncio.ensure_future(read())
        await looks.wait()
        await running.aclose()
        await reader

    asyncio.run(main())


def test_another_thread_may_close_a_run_while_one_looks_at_an_event() -> None:
    looks, closing = threading.Event(), threading.Event()

    def source() -> Iterator[bytes]:
        try:
            yield sse(ONE[:3])
            yield sse(ONE[3:])
        finally:
            closing.set()
            reader.join(0.2)  # meanwhile the reader goes on

    running = toolstream.dispatch_sync(source(), {"f": double})
    ended: list[int] = []

    def read() -> None:
        for _ in running:
            looks.set()
            assert closing.wait(10)
        ended.append(len(running.results))

    reader = threading.Thread(target=read)
    reader.start()
    assert looks.wait(10)
    running.close()
    reader.join(10)
    assert ended


def test_a_deferred_call_may_end_before_the_thread_that_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended = threading.Event()
    execute = toolstream.ThreadRun._execute

    def executed(running: Any, run: Any) -> None:
        execute(running, run)
        if run.state == "over":
            threading.Timer(0.05, ended.set).start()
        else:
            ended.wait(10)

    monkeypatch.setattr(toolstream.ThreadRun, "_execute", executed)
    running = toolstream.dispatch_sync([sse(ONE)], {"f": double}, start="closed", before_start=lambda _: "defer")
    (result,) = running.wait()
    assert result.status == "ok"
    assert not caplog.records


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


def test_what_a_generator_yields_is_a_list_and_its_work_is_done_where_it_runs() -> None:
    def plain(a: int) -> Iterator[str]:
        yield threading.current_thread().name
        yield str(a)

    async def later(a: int) -> AsyncIterator[int]:
        yield a
        await asyncio.sleep(0)
        yield a + 1

    (result,) = run(ONE, {"f": plain})
    assert result.value[0] != threading.current_thread().name
    assert result.value[1] == "1"
    assert run_sync({"f": plain}).value[1] == "1"
    (result,) = run(ONE, {"f": later})
    assert (result.value, result.content) == ([1, 2], "[1, 2]")
    with pytest.raises(ValueError, match="is async"):
        toolstream.dispatch_sync([sse(ONE)], {"f": later})


def double(a: int) -> int:
    return 2 * a


async def echo(a: int) -> int:
    return a


def test_one_task_may_iterate_while_others_wait_for_the_results() -> None:
    async def main() -> None:
        running = toolstream.dispatch(slowly(ONE), {"f": echo})
        told: list[str] = []

        async def watch() -> None:
            async for event in running:
                await asyncio.sleep(0)
                told.append(event.type)

        async def results() -> Any:
            return (await running)[0].value

        assert await asyncio.gather(watch(), results(), results()) == [None, 1, 1]
        alone = toolstream.dispatch(slowly(ONE), {"f": echo})
        assert told == [event.type async for event in alone]

    asyncio.run(main())


def test_one_thread_may_iterate_while_another_waits_for_the_results() -> None:
    def f(a: int) -> int:
        return a

    pieces = [sse([event]) for event in ONE]
    running = toolstream.dispatch_sync(pieces, [f])
    told: list[str] = []
    watching = iter(running)
    told.append(next(watching).type)
    watch = threading.Thread(target=lambda: told.extend(event.type for event in watching))
    watch.start()
    assert running.wait()[0].value == 1
    watch.join(30)
    assert told == [event.type for event in toolstream.dispatch_sync(pieces, [f])]


def test_who_iterates_is_told_of_a_fault_that_another_one_has_met() -> None:
    async def main() -> None:
        running = toolstream.dispatch(slowly(ONE[:-2]), {"f": echo})
        watching = aiter(running)
        await anext(watching)
        with pytest.raises(IncompleteError):
            await running
        with pytest.raises(IncompleteError):
            async for _ in watching:
                pass

    asyncio.run(main())


def test_leaving_a_loop_only_stops_reading_and_awaiting_goes_on() -> None:
    async def main() -> None:
        running = toolstream.dispatch(slowly(ONE), {"f": echo})
        async for event in running:
            if event.type == "tool_call_start":
                break
        assert (await running)[0].value == 1

    asyncio.run(main())

    def f(a: int) -> int:
        return a

    sync = toolstream.dispatch_sync([sse([event]) for event in ONE], [f])
    for event in sync:
        if event.type == "tool_call_start":
            break
    assert sync.wait()[0].value == 1


ASKED_BY: contextvars.ContextVar[str] = contextvars.ContextVar("asked_by", default="nobody")


def test_functions_see_the_context_of_who_reads() -> None:
    def f(a: int) -> str:
        return ASKED_BY.get()

    async def g(a: int) -> str:
        return ASKED_BY.get()

    def read() -> None:
        ASKED_BY.set("me")
        assert run_sync({"f": f}).value == "me"
        assert [result.value for tool in (f, g) for result in run(ONE, {"f": tool})] == ["me", "me"]

    contextvars.copy_context().run(read)


def test_a_function_that_waits_for_its_own_run_is_told() -> None:
    runs: list[Any] = []

    async def f(a: int) -> None:
        await runs[0]

    async def main() -> None:
        runs.append(toolstream.dispatch(slowly(ONE), [f], start="closed"))
        (result,) = await runs[0]
        assert (result.status, type(result.error)) == ("error", RuntimeError)

    asyncio.run(main())
    runs.clear()

    def g(a: int) -> None:
        runs[0].wait()

    runs.append(toolstream.dispatch_sync([sse([event]) for event in ONE], {"f": g}, start="closed"))
    (result,) = runs[0].wait()
    assert (result.status, type(result.error)) == ("error", RuntimeError)


def test_a_step_that_is_tried_again_cancels_what_runs_for_it() -> None:
    """Of a call that was whole no event tells that it does not count any more."""
    log: list[str] = []

    @toolstream.tool(effects="none")
    async def f(n: int) -> None:
        log.append(f"began {n}")
        if n == 1:
            try:
                await asyncio.sleep(3600)
            finally:
                log.append("cancelled")

    def call(id: str, n: int) -> list[Any]:
        place = {"toolCallId": id, "toolName": "f"}
        return [
            {"type": "tool-input-start", **place},
            {"type": "tool-input-delta", "toolCallId": id, "inputTextDelta": f'{{"n": {n}}}'},
            {"type": "tool-input-available", **place, "input": {"n": n}},
        ]

    steps = [{"type": "start"}, {"type": "start-step"}, *call("a", 1), {"type": "reset-step"}, *call("b", 2)]
    results = run([*steps, {"type": "finish-step"}, {"type": "finish", "finishReason": "tool-calls"}, DONE], [f])
    assert log == ["began 1", "cancelled", "began 2"]
    assert [result.status for result in results] == ["void", "ok"]


@pytest.mark.parametrize("effects", ["none", None, "once"])
def test_what_an_event_costs_does_not_grow_with_the_calls_before_it(
    effects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look = Runs._look

    def counted(runs: Runs, run: Any) -> None:
        nonlocal looks
        looks += 1
        look(runs, run)

    monkeypatch.setattr(Runs, "_look", counted)

    def looks_at(calls: int) -> int:
        nonlocal looks
        looks = 0
        pieces = message(*(fragments('{"a":1}', index=index) for index in range(calls)))

        async def source() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield sse([piece])

        async def main() -> None:
            results = await toolstream.dispatch(source(), {"f": toolstream.tool(effects=effects)(copy_of(echo))})
            assert [result.value for result in results] == [1] * calls

        asyncio.run(main())
        return looks

    assert looks_at(80) < 2.2 * looks_at(40)


def copy_of(function: Any) -> Any:
    @functools.wraps(function)
    async def copied(**arguments: Any) -> Any:
        return await function(**arguments)

    return copied
