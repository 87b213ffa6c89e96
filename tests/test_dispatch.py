"""`dispatch` and `dispatch_sync`: when functions start, what they are given, and what must never run.

No test waits for a clock: a source gives its pieces one by one, and lets the event loop turn in between.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pydantic
import pytest
import recordings
import streams
import wire
from wire import (
    MESSAGE_STOP,
    anthropic,
    entry,
    json_delta,
    message_delta,
    message_start,
    sse,
    text_block,
    tool_block,
    tool_start,
)

import toolstream
from toolstream import CallVoidError, IncompleteError, LiveCall, LiveThreadCall, Result, Streamed, ToolStreamError, tool
from toolstream.tools.declared import STARTS
from toolstream.tools.runs import Runs
from toolstream.tools.schemas import toolset

TURNS = 12
"""Turns of the event loop between two pieces: enough for every function here to do all that it can."""


async def slowly(pieces: Any, log: list[Any] | None = None) -> AsyncIterator[bytes]:
    for at, piece in enumerate(pieces):
        if log is not None:
            log.append(at)
        yield piece if isinstance(piece, bytes) else sse([piece])
        for _ in range(TURNS):
            await asyncio.sleep(0)


def fragments(text: str, *, name: str = "f", index: int = 0, stop: bool = True) -> list[Any]:
    """A call whose arguments come one character an event."""
    begin = [tool_start(index, name=name), *(json_delta(index, one) for one in text)]
    return [*begin, wire.block_stop(index)] if stop else begin


def message(*parts: list[Any], stop_reason: str | None = "tool_use") -> list[Any]:
    return [message_start(), *(event for part in parts for event in part), message_delta(stop_reason), MESSAGE_STOP]


def run(pieces: list[Any], tools: Any, **options: Any) -> toolstream.Results:
    async def main() -> toolstream.Results:
        return await toolstream.dispatch(slowly(pieces), tools, **options)

    return asyncio.run(main())


def run_broken(pieces: list[Any], tools: Any, **options: Any) -> toolstream.Results:
    """Of a stream that raises: the results so far."""

    async def main() -> toolstream.Results:
        running = toolstream.dispatch(slowly(pieces), tools, **options)
        with pytest.raises(ToolStreamError):
            await running
        return running.results

    return asyncio.run(main())


# ---------------------------------------------------------------------- when functions start


def started_at(text: str, function: Callable[..., Any], *after: list[Any], **options: Any) -> str:
    """How far the stream had come when the function started: characters of the arguments, or what came later."""
    pieces = message(fragments(text, name=function.__name__), *after)
    log: list[int] = []
    begun: list[int] = []

    async def spy(**arguments: Any) -> Any:
        begun.append(log[-1])
        return await function(**arguments)

    async def main() -> None:
        known = toolset([function], shows_all=True)
        known.tools[0].function = spy
        await toolstream.dispatch(slowly(pieces, log), known, **options)

    asyncio.run(main())
    (at,) = begun
    if at < len(text) + 2:
        return text[: at - 1]
    return str(pieces[at]["type"])


def adding(**said: Any) -> Any:
    """A tool of which this is said."""

    @tool(**said)
    async def f(a: int, b: int = 0) -> int:
        return a + b

    return f


BOTH = '{"a":1,"b":2}'


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("final", BOTH),
        ("closed", BOTH),
        ("confirmed", "content_block_start"),
        ("committed", "message_stop"),
    ],
)
def test_a_function_starts_at_its_level(start: Any, expected: str) -> None:
    assert started_at(BOTH, adding(start=start), text_block(1, "on")) == expected
    if start != "final":
        assert started_at(BOTH, adding(), text_block(1, "on"), start=start) == expected


def test_ready_starts_before_the_rest_is_written_and_a_late_field_is_an_error() -> None:
    begun = []

    @tool(start="ready")
    async def f(a: int, b: int = 7) -> None:
        begun.append((a, b))
        await asyncio.sleep(60)

    (result,) = run(message(fragments('{"a":1,"b":2}')), [f])
    assert begun == [(1, 7)]
    assert result.status == "invalid"
    assert result.started
    assert "after the tool had started" in result.content


def test_final_starts_when_every_declared_parameter_is_there() -> None:
    assert started_at('{"b":2,"a":1 }', adding(effects="none")) == '{"b":2,"a":1 '
    assert started_at('{"a":1 }', adding(effects="none")) == '{"a":1 }'


@pytest.mark.parametrize(
    ("effects", "expected"),
    [("none", BOTH), ("idempotent", BOTH), (None, "content_block_start"), ("once", "message_stop")],
)
def test_effects_say_when_a_function_may_start(effects: Any, expected: str) -> None:
    assert started_at(BOTH, adding(effects=effects), text_block(1, "on")) == expected


def test_what_holds_no_mark_is_refused_as_a_tool() -> None:
    class Store:
        def save(self, path: str) -> None:
            """Saves."""

    for function in (Store().save, len):
        with pytest.raises(TypeError, match="decorate the function where it is defined"):
            toolstream.tool(name="save")(function)


def test_mcp_hints_count_as_effects() -> None:
    listing = {"name": "f", "inputSchema": {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["a"]}}

    def hinted(**hints: bool) -> str:
        return started_at('{"b":2,"a":1 }', adding(schema={**listing, "annotations": hints}), text_block(1, "on"))

    assert hinted(readOnlyHint=True) == '{"b":2,"a":1 '
    assert hinted(idempotentHint=True) == '{"b":2,"a":1 }'
    assert hinted(destructiveHint=True) == "message_stop"
    assert hinted() == "content_block_start"


def len_of(text: Streamed[str]) -> int:
    return sum(len(piece) for piece in text)


def test_words_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="effects"):
        tool(effects="some")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="start"):
        tool(start="now")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="at most once"):
        tool(effects="once", start="closed")
    destroys = {"name": "f", "inputSchema": {}, "annotations": {"destructiveHint": True}}
    with pytest.raises(ValueError, match="at most once"):
        toolset([adding(start="ready", schema=destroys)])
    with pytest.raises(TypeError, match="dispatch_sync"):
        toolstream.dispatch([b""], [adding()])
    with pytest.raises(TypeError, match="there is dispatch"):
        toolstream.dispatch_sync(slowly([]), [len_of])
    with pytest.raises(ValueError, match="async"):
        toolstream.dispatch_sync([b""], [adding()])
    with pytest.raises(ValueError, match="must be async"):
        toolstream.dispatch(slowly([]), [len_of])


# ---------------------------------------------------------------------- streamed parameters


def test_a_streamed_string_arrives_while_the_model_writes() -> None:
    log: list[Any] = []

    async def f(path: str, content: Streamed[str]) -> str:
        log.append(path)
        pieces = []
        async for piece in content:
            log.append(piece)
            pieces.append(piece)
        return "".join(pieces)

    seen: list[Any] = []
    pieces = message(fragments('{"path":"p","content":"a\\u00e9\\n"}'))

    async def main() -> toolstream.Results:
        async def source() -> AsyncIterator[bytes]:
            async for piece in slowly(pieces):
                seen.append(list(log))
                yield piece

        return await toolstream.dispatch(source(), [f])

    (result,) = asyncio.run(main())
    assert result.value == "aé\n"
    assert log == ["p", "a", "é", "\n"]
    assert seen[-4] == log  # all of it before the call's end
    assert result.hidden >= 0


def test_a_streamed_string_that_comes_first_waits_for_the_other_arguments() -> None:
    async def f(content: Streamed[str], path: str) -> str:
        return path + "".join([piece async for piece in content])

    (result,) = run(message(fragments('{"content":"abc","path":"p"}')), [f])
    assert result.value == "pabc"


def test_elements_of_a_streamed_list_arrive_as_each_is_final_and_valid() -> None:
    fetched: list[int] = []

    async def f(urls: Streamed[list[int]]) -> list[int]:
        async for url in urls:
            fetched.append(url)  # noqa: PERF401
        return fetched

    (result,) = run(message(fragments('{"urls":[1,22,3]}')), [f])
    assert result.value == [1, 22, 3]
    fetched.clear()
    (result,) = run(message(fragments('{"urls":[1,22,"x",4]}')), [f])
    assert result.status == "invalid"
    assert fetched == [1, 22]


def test_a_function_reads_top_to_bottom_with_its_live_call() -> None:
    log: list[Any] = []

    async def f(call: LiveCall) -> Any:
        log.append(await call.field("path"))
        async for piece in call.stream("content"):
            log.append(piece)  # noqa: PERF401
        with pytest.raises(KeyError):
            await call.field("other")
        return await call.field("mode")

    (result,) = run(message(fragments('{"path":"p","content":"ab","mode":[1]}')), [f])
    assert (result.value, log) == ([1], ["p", "a", "b"])


def test_reading_pauses_while_a_function_is_behind() -> None:
    taken: list[int] = []
    reached = asyncio.Event

    async def main() -> int:
        behind = reached()

        async def f(content: Streamed[str]) -> int:
            await behind.wait()
            return len("".join([piece async for piece in content]))

        pieces = message(fragments('{"content":"' + "x" * 500 + '"}'))
        running = toolstream.dispatch(slowly(pieces, taken), [f], max_buffered=100)
        task = asyncio.ensure_future(running._finish())
        for _ in range(20_000):
            await asyncio.sleep(0)
        assert 100 < len(taken) < 150
        behind.set()
        (result,) = await task
        return result.value  # type: ignore[no-any-return]

    assert asyncio.run(main()) == 500


def test_a_function_that_waits_for_a_later_field_is_not_held_up_by_an_unread_stream() -> None:
    async def f(content: Streamed[str], call: LiveCall) -> str:
        mode = await call.field("mode")
        return mode + "".join([piece async for piece in content])

    (result,) = run(message(fragments('{"content":"' + "x" * 50 + '","mode":"m"}')), [f], max_buffered=10)
    assert result.value == "m" + "x" * 50


def custom(*pieces: str, done: bool = True) -> list[Any]:
    """A call of a custom tool of OpenAI's: its input is no JSON."""
    item = {"type": "custom_tool_call", "id": "ctc_0", "call_id": "c1", "name": "run_sql", "input": ""}
    deltas = [wire.arguments_delta(0, text, "custom_tool_call_input") for text in pieces]
    ends = [wire.arguments_done(0, "".join(pieces), "custom_tool_call_input", "input")] if done else []
    end = wire.response("completed", usage=wire.RESPONSE_USAGE)
    return [wire.response("in_progress"), wire.item_added(0, item), *deltas, *ends, end]


def test_free_text_is_the_argument_of_a_function_that_has_one() -> None:
    async def run_sql(code: str) -> str:
        return code.upper()

    (result,) = run(custom("select ", "1"), [run_sql])
    assert (result.status, result.value) == ("ok", "SELECT 1")
    (message,) = toolstream.Results([result], "openai-responses").messages()
    assert message == {"type": "custom_tool_call_output", "call_id": "c1", "output": "SELECT 1"}
    (result,) = run(custom("select 1"), {"run_sql": adding()})  # of two arguments: nobody knows which
    assert result.status == "not run"


def test_free_text_that_grows_is_read_while_it_is_written() -> None:
    read: list[str] = []
    seen: list[list[str]] = []

    async def run_sql(code: Streamed[str]) -> str:
        async for piece in code:
            read.append(piece)  # noqa: PERF401 - it is looked at meanwhile
        return "".join(read)

    async def main() -> tuple[list[str], toolstream.Results]:
        async def source() -> AsyncIterator[bytes]:
            async for piece in slowly(custom("select ", "1")):
                seen.append(list(read))
                yield piece

        running = toolstream.dispatch(source(), [run_sql])
        told = [event.type async for event in running]
        return told, await running

    told, (result,) = asyncio.run(main())
    assert result.value == "select 1"
    assert ["select "] in seen
    assert "field_delta" not in told  # nobody has asked for it


def test_free_text_without_its_own_end_runs_nothing() -> None:
    begun: list[str] = []

    async def run_sql(code: str) -> None:
        begun.append(code)

    (result,) = run_broken_or_not(custom("drop ta", done=False), [run_sql])
    assert (result.status, begun) == ("void", [])


def run_broken_or_not(pieces: list[Any], tools: Any) -> toolstream.Results:
    async def main() -> toolstream.Results:
        running = toolstream.dispatch(slowly(pieces), tools)
        with suppress(ToolStreamError):
            await running
        return running.results

    return asyncio.run(main())


# ---------------------------------------------------------------------- safety


def tool_that_counts(**said: Any) -> tuple[Any, list[Any]]:
    begun: list[Any] = []

    @tool(**said)
    async def f(command: str = "", **rest: Any) -> str:
        begun.append((command, rest))
        return "ran"

    return f, begun


def test_nothing_starts_on_a_value_that_a_later_byte_can_change() -> None:
    begun: list[int] = []

    @tool(start="ready")
    async def g(n: int) -> None:
        begun.append(n)

    run(message(fragments('{"n":12}', name="g")), [g])
    assert begun == [12]
    begun.clear()
    run_broken([message_start(), *fragments('{"n":12', name="g", stop=False)], [g])
    assert begun == []


def test_rm_rf_cut_in_its_path_never_runs() -> None:
    for said in ({"effects": "once"}, {"effects": "idempotent"}, {"start": "confirmed"}, {"start": "final"}):
        f, begun = tool_that_counts(**said)
        cut = fragments('{"command":"rm -rf ~/scra', stop=False)
        (result,) = run_broken([message_start(), *cut], [f])
        assert (result.status, begun) == ("void", [])
        for stop_reason in ("max_tokens", "refusal"):
            (result,) = run(message([*cut, wire.block_stop(0)], stop_reason=stop_reason), [f])
            assert (result.status, begun) == ("void", [])


@pytest.mark.parametrize(
    "stop_reason", ["max_tokens", "refusal", "pause_turn", "end_turn", "stop_sequence", None, "new"]
)
def test_a_once_tool_never_runs_unless_the_message_asks_for_it(stop_reason: str | None) -> None:
    f, begun = tool_that_counts(effects="once")
    pieces = message(fragments('{"command":"x"}'), stop_reason=stop_reason)
    results = run(pieces, [f]) if stop_reason else run_broken(pieces[:-1], [f])
    assert begun == []
    assert [result.status for result in results] in (["not run"], ["void"])


def test_a_resent_message_runs_a_once_tool_once() -> None:
    f, begun = tool_that_counts(effects="once")
    first = [message_start("msg_1"), *fragments('{"command":"a"}')]
    second = [message_start("msg_2"), *fragments('{"command":"a"}'), message_delta("tool_use"), MESSAGE_STOP]
    results = run([*first, *second], [f])
    assert begun == [("a", {})]
    assert [result.status for result in results] == ["void", "ok"]
    (answer,) = results.messages()
    assert len(answer["content"]) == 1  # the message holds only the second call


@pytest.mark.parametrize("ends", [("tool_calls", "length"), ("length", "tool_calls"), ("tool_calls", "tool_calls")])
def test_of_several_choices_only_the_first_is_run_and_none_is_committed_that_was_cut(ends: Any) -> None:
    f, begun = tool_that_counts(effects="once")
    choices = [wire.calls(entry(0, '{"command":"x"}', id=f"c{at}", name="f"), index=at) for at in (0, 1)]
    pieces = [*choices, *(wire.chunk(finish_reason=end, index=at) for at, end in enumerate(ends))]
    results = run([*pieces, b"data: [DONE]\n\n"], [f])
    assert begun == ([("x", {})] if "length" not in ends else [])
    assert [result.call.id for result in results] == ["c0"]
    read = wire.read_bytes(sse(pieces) + b"data: [DONE]\n\n")
    assert {call.state == "committed" for call in read.calls} == {"length" not in ends}


def test_nothing_starts_twice_for_a_call() -> None:
    for start in STARTS:
        f, begun = tool_that_counts(start=start)
        run(message(fragments('{"command":"a"}'), text_block(1, "on")), [f])
        assert len(begun) == 1


def test_tuples_and_sets_are_given_as_they_are() -> None:
    taken: list[Any] = []

    async def f(a: tuple[int, int], b: list[tuple[int, str]], c: frozenset[int], d: Streamed[list[tuple[int]]]) -> None:
        taken.extend((a, b, c, [element async for element in d]))

    (result,) = run(message(fragments('{"a":[1,2],"b":[[0,"x"]],"c":[3],"d":[[1],[0]]}')), [f])
    assert result.status == "ok"
    assert taken == [(1, 2), [(0, "x")], {3}, [(1,), (0,)]]


def test_arguments_are_frozen_at_the_start() -> None:
    async def f(items: list[Any]) -> int:
        items.append("mine")
        await asyncio.sleep(0)
        return len(items)

    async def main() -> None:
        running = toolstream.dispatch(slowly(message(fragments('{"items":[1]}'))), [f], start="closed")
        (result,) = await running
        assert result.value == 2
        assert running.calls[0].arguments == {"items": [1]}
        assert running.message["content"][0]["input"] == {"items": [1]}

    asyncio.run(main())


class Place(pydantic.BaseModel):
    city: str


def test_what_a_function_does_to_its_arguments_stays_with_it() -> None:
    async def f(place: Place, places: list[Place], call: LiveCall) -> None:
        place.city = places[0].city = "mine"
        (await call.field("place")).city = "mine too"

    async def main() -> None:
        running = toolstream.dispatch(
            slowly(message(fragments('{"place":{"city":"a"},"places":[{"city":"b"}]}'))), [f], start="closed"
        )
        (result,) = await running
        assert result.status == "ok", result
        assert running.calls[0].partial.place == Place(city="a")
        assert running.calls[0].parsed["places"] == [Place(city="b")]

    asyncio.run(main())


def watched() -> tuple[Any, list[str]]:
    """A function that starts early, waits for ever, and says how it ended."""
    log: list[str] = []

    @tool(start="ready")
    async def f(a: int, b: Streamed[str]) -> None:
        log.append("began")
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    return f, log


@pytest.mark.parametrize(
    ("text", "after", "status"),
    [
        ('{"a":1,"b":"x', [], "void"),  # the stream breaks off
        ('{"a":1,"b":"x","a":2}', [], "void"),  # a duplicate key
        ('{"a":1,"b":2}', [], "invalid"),  # an invalid later field
        ('{"a":1,"c":2}', [], "invalid"),  # an unexpected one
        ('{"a":1,"b":"x",}', [], "void"),  # broken JSON
        ('{"a":1,"b":"x"}', [message_delta("refusal"), MESSAGE_STOP], "void"),
        ('{"a":1,"b":"x', [wire.block_stop(0), message_delta("max_tokens"), MESSAGE_STOP], "void"),
        ('{"a":1,"b":"x"}', [message_start("msg_2"), message_delta("end_turn"), MESSAGE_STOP], "void"),
        ('{"a":1,"b":"x', [{"type": "error", "error": {"type": "overloaded_error", "message": "no"}}], "void"),
    ],
    ids=["cut", "duplicate", "invalid", "unexpected", "broken", "refused", "length", "resent", "error"],
)
def test_a_function_whose_call_does_not_count_is_cancelled_and_listed(text: str, after: Any, status: str) -> None:
    f, log = watched()

    async def main() -> Result:
        running = toolstream.dispatch(slowly([message_start(), *fragments(text, stop=False), *after]), [f])
        with suppress(ToolStreamError):
            await running
        assert running.results.receipts == list(running.results)
        return running.results[0]

    result = asyncio.run(main())
    assert (result.status, log) == (status, ["began", "cancelled"])
    assert result.ended_at is not None


def test_a_function_that_reads_its_stream_is_told_there() -> None:
    log: list[Any] = []

    async def f(content: Streamed[str]) -> None:
        try:
            async for piece in content:
                log.append(piece)  # noqa: PERF401
        except CallVoidError as error:
            log.append(type(error.__cause__))

    run_broken([message_start(), *fragments('{"content":"ab', stop=False)], [f])
    assert log == ["a", "b", IncompleteError]


def test_a_result_that_came_before_its_call_turned_void_does_not_count() -> None:
    @tool(start="ready")
    async def f(a: int, b: str = "") -> str:
        return "done"

    (result,) = run_broken([message_start(), *fragments('{"a":1,', stop=False)], [f])
    assert (result.status, result.started) == ("void", True)
    assert "done" not in result.content


def test_server_executed_tools_are_never_dispatched() -> None:
    f, begun = tool_that_counts(start="ready")
    pieces = anthropic(tool_block(0, '{"command":"x"}', type="server_tool_use", name="f"), stop_reason="end_turn")
    assert list(run(pieces, [f])) == []
    assert begun == []


def test_leaving_early_cancels_what_runs_and_closes_the_source() -> None:
    f, log = watched()
    closed: list[bool] = []

    async def main() -> toolstream.Results:
        async def source() -> AsyncIterator[bytes]:
            try:
                async for piece in slowly([message_start(), *fragments('{"a":1,"b":"xxx"}')]):
                    yield piece
            finally:
                closed.append(True)

        async with toolstream.dispatch(source(), [f], deltas=True) as running:
            async for event in running:
                if event.type == "field_delta":
                    break
        return running.results

    results = asyncio.run(main())
    assert log == ["began", "cancelled"]
    assert closed == [True]
    assert results[0].status == "void"


def test_cancelling_the_caller_cancels_the_functions() -> None:
    f, log = watched()

    async def main() -> None:
        async def endless() -> AsyncIterator[bytes]:
            async for piece in slowly([message_start(), *fragments('{"a":1,"b":"x', stop=False)]):
                yield piece
            await asyncio.sleep(3600)

        async def use() -> None:
            await toolstream.dispatch(endless(), [f])

        task = asyncio.ensure_future(use())
        while "began" not in log:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert log == ["began", "cancelled"]


def places(data: bytes) -> list[int]:
    ends = [at + 1 for at, byte in enumerate(data) if byte in b"\n\r"]
    return [ends[place] for place in recordings.places(len(ends) - 1, 40)] if ends else []


@recordings.parametrize()
def test_a_once_tool_never_runs_on_a_cut_stream_at_any_cut_of_any_stream(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    whole = wire.read_bytes(data, on_error="event")
    names = {call.name for call in whole.calls if not call.server and call.name}
    begun: list[str] = []

    def once(name: str) -> Any:
        @tool(name=name, effects="once")
        async def f(**rest: Any) -> None:
            begun.append(name)

        return f

    tools = [once(name) for name in sorted(names)]

    async def read(piece: bytes) -> None:
        async def source() -> AsyncIterator[bytes]:
            yield piece

        with suppress(ToolStreamError):
            await toolstream.dispatch(source(), tools)

    for end in [*places(data), len(data)]:
        begun.clear()
        cut = wire.read_bytes(data[:end], on_error="event")
        asyncio.run(read(data[:end]))
        committed = [call for call in cut.calls if call.state == "committed" and call._scope == 0]
        asked_for = [call.name for call in committed if isinstance(call.arguments, dict)]
        assert sorted(begun) == sorted(asked_for)
        assert not begun or any(event.safe for event in cut.of(toolstream.MessageEnd))


REASONS = {
    "anthropic": (
        b'"tool_use"',
        [b'"max_tokens"', b'"refusal"', b'"end_turn"', b'"pause_turn"', b'"unheard_of"'],
    ),
    "openai-chat": (b'"tool_calls"}', [b'"length"}', b'"content_filter"}', b'"stop"}', b'"unheard_of"}', b"null}"]),
    "openai-responses": (b"completed", [b"failed", b"incomplete", b"cancelled"]),
}


@pytest.mark.parametrize("provider", streams.BUILDERS)
def test_states_are_true_at_every_event_whatever_the_stop_reason(provider: str) -> None:
    """Only a stop reason that asks for tools commits a call, and only its end; what runs once runs only then."""
    calls = (streams.Call("c1", "f", '{"command": "a"}'), streams.Call("c2", "f", '{"command": "b"}'))
    frames = streams.BUILDERS[provider]("", calls)
    asks, others = REASONS[provider]
    at = max(index for index, frame in enumerate(frames) if asks in frame)
    assert at >= len(frames) - 3
    for other in [asks, *others]:
        changed = [*frames[:at], frames[at].replace(asks, other), *frames[at + 1 :]]
        for end in range(1, len(changed) + 1):
            f, begun = tool_that_counts(effects="once")
            cut = wire.read_bytes(changed[:end])
            with suppress(ToolStreamError):
                asyncio.run(_read_all(changed[:end], f))
            committed = [call for call in cut.calls if call.state == "committed"]
            assert len(begun) == len(committed)
            if committed:
                assert cut.error is None
                assert any(event.safe for event in cut.of(toolstream.MessageEnd))
                # A natural stop after whole calls asks for them, as servers of the Chat format say it.
                assert other == asks or (provider, other) == ("openai-chat", b'"stop"}')


def test_a_cancelled_response_commits_nothing() -> None:
    end = wire.response("completed", usage=wire.RESPONSE_USAGE)
    end["response"]["status"] = "cancelled"
    f, begun = tool_that_counts(effects="once")
    pieces = [wire.response("in_progress"), *wire.function_call(0, '{"command": "a"}', name="f"), end]
    (result,) = run(pieces, [f])
    assert (result.status, begun) == ("not run", [])


async def _read_all(pieces: list[bytes], function: Any) -> None:
    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    await toolstream.dispatch(source(), [function])


# ---------------------------------------------------------------------- deciding, bounds, errors


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("decision", "status", "begun_at"), [("execute", "ok", 16), ("defer", "ok", None), ("refuse", "refused", None)]
)
def test_before_start_decides(is_async: bool, decision: str, status: str, begun_at: int | None) -> None:
    asked: list[Any] = []
    begun: list[Any] = []
    log: list[int] = []

    def before(call: toolstream.ToolCall) -> Any:
        asked.append(call.partial.a)

        async def answer() -> str:
            await asyncio.sleep(0)
            return decision

        return answer() if is_async else decision

    @tool(effects="none")
    async def f(a: int) -> None:
        begun.append(log[-1])

    pieces = message(fragments('{"a":1 }'), text_block(1, "on"))

    async def main() -> toolstream.Results:
        return await toolstream.dispatch(slowly(pieces, log), [f], before_start=before)

    (result,) = asyncio.run(main())
    assert (result.status, asked) == (status, [1])
    if decision == "execute":
        assert begun[0] < 11
    elif decision == "defer":
        assert begun == [len(pieces) - 1]
    else:
        assert "refused" in result.content


def test_max_concurrency_bounds_what_runs_at_once() -> None:
    running = most = 0

    async def f(a: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(500):
            await asyncio.sleep(0)
        running -= 1
        return a

    pieces = message(*(fragments(f'{{"a":{at}}}', index=at) for at in range(5)))
    results = run(pieces, [f], max_concurrency=2, start="closed")
    assert [result.value for result in results] == [0, 1, 2, 3, 4]
    assert most == 2


def test_errors_are_results_in_call_order() -> None:
    async def f(a: int) -> int:
        if a:
            raise RuntimeError("no luck") if a == 1 else TimeoutError()
        return a

    pieces = message(*(fragments(text, index=at) for at, text in enumerate(['{"a":2}', '{"a":1}', '{"a":"x"}', "{}"])))
    results = run([*pieces[:-2], *fragments('{"q":1}', name="unknown", index=4), *pieces[-2:]], [f])
    assert [result.status for result in results] == ["error", "error", "invalid", "invalid", "invalid"]
    assert [result.content for result in results[:2]] == ["TimeoutError", "RuntimeError: no luck"]
    assert results[4].content == "There is no tool 'unknown'; the tools are: f. The call was not run."
    with pytest.raises(TimeoutError):
        run(pieces, [f], on_error="raise")


@pytest.mark.parametrize("on_invalid", ["event", "raise", "close"])
@pytest.mark.parametrize("together", [False, True])
def test_an_invalid_call_is_told_as_such_whatever_it_does_to_the_stream(on_invalid: Any, together: bool) -> None:
    async def f(a: int, b: int = 0) -> None: ...

    pieces = message(fragments('{"a":"x","b":1}'))
    (result,) = run([sse(pieces)] if together else pieces, [f], on_invalid=on_invalid)
    assert result.status == "invalid"
    assert "invalid at a" in result.content


def test_a_plain_function_runs_on_a_thread() -> None:
    def f(a: int) -> str:
        return threading.current_thread().name

    (result,) = run(message(fragments('{"a":1}')), [f])
    assert result.value != threading.main_thread().name


def test_the_events_stay_those_that_were_asked_for() -> None:
    async def f(query: str, content: Streamed[str]) -> str:
        return "".join([piece async for piece in content])

    pieces = message(fragments('{"query":"x","content":"abc"}'))

    async def main(**options: Any) -> list[Any]:
        running = toolstream.dispatch(slowly(pieces), [f], **options)
        told = [event.type async for event in running]
        assert (await running)[0].value == "abc"
        return told

    assert asyncio.run(main()).count("field_delta") == 0
    assert asyncio.run(main()).count("field_complete") == 2
    assert asyncio.run(main(depth=0)).count("field_complete") == 0
    assert asyncio.run(main(paths=["content"], deltas=True)).count("field_delta") == 3


# ---------------------------------------------------------------------- messages and times


@pytest.mark.parametrize("provider", streams.BUILDERS)
def test_messages_have_the_providers_own_shape(provider: str) -> None:
    calls = (streams.Call("c1", "good", '{"a": 1}'), streams.Call("c2", "bad", '{"a": 2}'))

    async def good(a: int) -> Any:
        return {"sum": a}

    async def bad(a: int) -> Any:
        raise RuntimeError("no luck")

    async def main() -> tuple[Any, Any]:
        running = toolstream.dispatch(slowly(streams.BUILDERS[provider]("", calls)), [good, bad])
        results = await running
        return results.messages(), running.turn()

    messages, turn = asyncio.run(main())
    if provider == "anthropic":
        (user,) = messages
        assert user["role"] == "user"
        assert user["content"][0] == {"type": "tool_result", "tool_use_id": "c1", "content": '{"sum": 1}'}
        assert user["content"][1]["is_error"] is True
    elif provider == "openai-chat":
        assert messages[0] == {"role": "tool", "tool_call_id": "c1", "content": '{"sum": 1}'}
        assert messages[1]["content"] == "RuntimeError: no luck"
    else:
        assert messages[0] == {"type": "function_call_output", "call_id": "c1", "output": '{"sum": 1}'}
    assert turn[-len(messages) :] == messages
    assert len(turn) > len(messages)


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (
            "bedrock-invoke",
            [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "x"}]}],
        ),
        (
            "bedrock-converse",
            [
                {
                    "role": "user",
                    "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "x"}], "status": "success"}}],
                }
            ],
        ),
        ("cohere-v2", [{"role": "tool", "tool_call_id": "c", "content": "x"}]),
        ("ollama", [{"role": "tool", "tool_name": "f", "content": "x"}]),
        (
            "openai-realtime",
            [
                {
                    "type": "conversation.item.create",
                    "item": {"type": "function_call_output", "call_id": "c", "output": "x"},
                }
            ],
        ),
        (
            "gemini",
            [
                {
                    "role": "user",
                    "parts": [{"functionResponse": {"id": "c", "name": "f", "response": {"output": "x"}}}],
                }
            ],
        ),
    ],
)
def test_messages_of_the_other_providers(provider: str, expected: Any) -> None:
    call = toolstream.ToolCall("c", "f")
    assert toolstream.Results([Result(call, "ok", "x")], provider).messages() == expected
    assert toolstream.Results([], "unheard of").messages() == []
    with pytest.raises(ToolStreamError, match="unheard of"):
        toolstream.Results([Result(call, "ok", "x")], "unheard of").messages()


def test_times_are_in_order_and_hidden_is_what_ran_before_the_calls_end() -> None:
    @tool(start="ready")
    async def f(a: int, b: Streamed[str]) -> None:
        async for _ in b:
            pass

    (result,) = run(message(fragments('{"a":1,"b":"xxxxxxxx"}')), [f])
    assert result.ready_at is not None
    assert result.started_at is not None
    assert result.closed_at is not None
    assert result.ended_at is not None
    assert result.started_at < result.ready_at <= result.ended_at <= result.closed_at
    assert result.hidden == result.ended_at - result.started_at
    assert Result(result.call, started_at=5.0, ended_at=9.0, closed_at=4.0).hidden == 0.0
    assert Result(result.call, started_at=1.0, ended_at=2.0, closed_at=4.0).hidden == 1.0


# ---------------------------------------------------------------------- on threads


def pieces_of(events: list[Any], gate: Callable[[Any], None] | None = None) -> Iterator[bytes]:
    for event in events:
        yield sse([event])
        if gate is not None:
            gate(event)


def test_sync_functions_read_their_calls_on_threads() -> None:
    arrived = threading.Event()

    def write(path: str, content: Streamed[str]) -> str:
        text = ""
        for piece in content:
            text += piece
            arrived.set()
        return path + text

    def live(call: LiveThreadCall) -> Any:
        return [call.field("a"), list(call.stream("b"))]

    def gate(event: Any) -> None:
        if event == json_delta(0, "2"):
            assert arrived.wait(10)  # the first piece was read while the rest was still to come

    events = message(
        fragments('{"path":"p","content":"12"}', name="write"), fragments('{"a":1,"b":["x","y"]}', name="live", index=1)
    )
    run = toolstream.dispatch_sync(pieces_of(events, gate), [write, live])
    results = run.wait()
    assert [result.value for result in results] == ["p12", [1, ["x", "y"]]]
    assert results.messages()[0]["content"][0]["content"] == "p12"


def test_a_thread_whose_call_does_not_count_is_told_where_it_reads() -> None:
    log: list[Any] = []
    arrived = threading.Event()

    def write(content: Streamed[str]) -> None:
        try:
            for piece in content:
                log.append(piece)
                arrived.set()
        except CallVoidError as error:
            log.append(type(error.__cause__))
            raise

    def gate(event: Any) -> None:
        if event == json_delta(0, "b"):
            assert arrived.wait(10)

    events = [message_start(), *fragments('{"content":"ab', name="write", stop=False)]
    run = toolstream.dispatch_sync(pieces_of(events, gate), [write])
    with pytest.raises(IncompleteError):
        run.wait()
    assert log[-1] is IncompleteError
    assert run.results.receipts[0].status == "void"


def test_sync_reading_pauses_while_a_function_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    began, held_up, goes_on = threading.Event(), threading.Event(), threading.Event()
    is_held_up = Runs.is_held_up

    def noticed(runs: Runs, most: int) -> bool:
        held = is_held_up(runs, most)
        if held:
            held_up.set()
        return held

    monkeypatch.setattr(Runs, "is_held_up", noticed)

    def write(content: Streamed[str]) -> int:
        began.set()
        assert goes_on.wait(10)
        return sum(len(piece) for piece in content)

    def gate(event: Any) -> None:
        taken.append(event)
        if len(taken) == 20:
            assert began.wait(10)

    events = message(fragments('{"content":"' + "x" * 300 + '"}', name="write"))
    run = toolstream.dispatch_sync(pieces_of(events, gate), [write], max_buffered=50)
    reader = threading.Thread(target=run.wait)
    reader.start()
    assert held_up.wait(10)
    count = len(taken)
    assert 50 < count < 80
    goes_on.set()
    reader.join(10)
    assert run.results[0].value == 300


@pytest.mark.parametrize("decision", ["execute", "defer", "refuse"])
def test_before_start_decides_on_threads(decision: Any) -> None:
    def f(a: int) -> int:
        return a

    run = toolstream.dispatch_sync(pieces_of(message(fragments('{"a":1}'))), [f], before_start=lambda _: decision)
    (result,) = run.wait()
    assert result.status == ("refused" if decision == "refuse" else "ok")


def test_closing_a_sync_run_ends_it() -> None:
    closed: list[bool] = []

    def source() -> Iterator[bytes]:
        try:
            yield from pieces_of(message(fragments('{"a":1}')))
        finally:
            closed.append(True)

    def f(a: int) -> int:
        return a

    with toolstream.dispatch_sync(source(), [f]) as run:
        for event in run:
            if event.type == "tool_call_start":
                break
    assert closed == [True]
    assert run.results[0].status == "void"


def test_a_once_tool_on_threads_runs_only_when_the_message_asks_for_it() -> None:
    begun: list[str] = []

    @tool(effects="once")
    def f(command: str) -> None:
        begun.append(command)

    for stop_reason in ("max_tokens", "refusal", "pause_turn"):
        events = message(fragments('{"command":"rm -rf ~/scra"}'), stop_reason=stop_reason)
        toolstream.dispatch_sync(pieces_of(events), [f]).wait()
    assert begun == []
    toolstream.dispatch_sync(pieces_of(message(fragments('{"command":"x"}'))), [f]).wait()
    assert begun == ["x"]


def test_a_text_formats_calls_are_run_and_answered_as_chat_templates_take_it() -> None:
    @tool(effects="once")
    def f(command: str) -> str:
        return command.upper()

    text = '<tool_call>\n{"name": "f", "arguments": {"command": "ls"}}\n</tool_call>'
    run = toolstream.dispatch_sync(iter(text), [f], provider="hermes")
    run.wait()
    assistant, answer = run.turn()
    assert answer == {"role": "tool", "tool_call_id": "call_0", "name": "f", "content": "LS"}
    assert assistant["tool_calls"][0]["id"] == "call_0"


def test_an_element_that_comes_again_is_no_silent_change() -> None:
    """Gemini's parts may name a place twice; a function may have acted on the first value."""
    taken: list[str] = []

    async def f(urls: Streamed[list[str]]) -> None:
        async for url in urls:
            taken.append(url)  # noqa: PERF401 - it would be lost with the exception

    parts = [{"jsonPath": f"$.urls[{at}]", "stringValue": text} for at, text in ((0, "a"), (1, "b"), (0, "c"))]
    given = [
        {"name": "f", "willContinue": True},
        *({"partialArgs": [part], "willContinue": True} for part in parts),
        {},
    ]
    chunks: list[dict[str, Any]] = [
        {"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"functionCall": one}]}}]} for one in given
    ]
    chunks.append({"candidates": [{"index": 0, "finishReason": "STOP"}]})
    (result,) = run(chunks, [f], provider="gemini", duplicate_keys="last")
    assert (result.status, taken) == ("invalid", ["a", "b"])


def test_what_a_function_returns_is_told_whatever_it_is() -> None:
    class Model(pydantic.BaseModel):
        at: int

    @dataclasses.dataclass
    class Data:
        of: Any

    itself: list[Any] = []
    itself.append(itself)
    told = {
        "é": "é",
        '[{"at": 1}]': [Model(at=1)],
        '{"of": {"at": 2}}': Data(Model(at=2)),
        "{(1, 2): 3}": {(1, 2): 3},
        "[[...]]": itself,
        "null": None,
    }
    for text, value in told.items():
        assert Result(toolstream.ToolCall("c", "f"), "ok", value).content == text


@pytest.mark.parametrize("kind", [toolstream.AsyncRun, toolstream.ThreadRun])
def test_a_run_shows_what_a_stream_shows(kind: type) -> None:
    shown = {name for name, member in inspect.getmembers(toolstream.EventStream) if isinstance(member, property)}
    assert {"calls", "provider", "model", "message"} <= shown
    assert [name for name in sorted(shown) if not hasattr(kind, name)] == []
