"""Ollama's own chat API: what its lines mean, and the objects of its own package."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
import recordings
import wire
from loopback import PATIENCE, Gate, Server
from packages import package
from wire import Reading, plain

from toolstream import (
    Event,
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    MessageEnd,
    ProviderError,
    ReasoningDelta,
    StreamParser,
    TextDelta,
    ToolCallStart,
    parse,
)


def line(done: bool = False, **message: Any) -> dict[str, Any]:
    about = {"model": "qwen-test", "created_at": "2026-08-04T19:58:20.563117Z"}
    return {**about, "message": {"role": "assistant", "content": "", **message}, "done": done}


def tool(name: str = "search", arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {**more, "function": {"name": name, "arguments": arguments}}


def end(reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    told = {} if reason is None else {"done_reason": reason}
    return {**line(True), **told, "total_duration": 9, "prompt_eval_count": 10, "eval_count": 20, **more}


ARGUMENTS = {"query": "café 😀", "limit": 10, "tags": ["a", {"b": None}]}
CALLS = [
    line(thinking="Hm."),
    line(content="I look "),
    line(content="it up."),
    line(tool_calls=[tool(arguments=ARGUMENTS)]),
    line(tool_calls=[tool(arguments=ARGUMENTS), tool("now", {})]),
    end(),
]


def read(*events: Any, **options: Any) -> Reading:
    return wire.read_bytes(wire.lines(list(events)), **options)


# ---------------------------------------------------------------------- what the lines mean


def test_each_entry_is_a_whole_call_without_id_and_index() -> None:
    reading = read(*CALLS)
    assert [(call.id, call.name, call.arguments, call.state) for call in reading.calls] == [
        (None, "search", ARGUMENTS, "committed"),
        (None, "search", ARGUMENTS, "committed"),
        (None, "now", {}, "committed"),
    ]


def test_ids_are_kept_and_indexes_tell_nothing() -> None:
    entries = [tool(arguments={"x": number}, id=f"call_{number}") for number in range(3)]
    for each in entries:
        each["function"]["index"] = 0
    reading = read(*(line(tool_calls=[each]) for each in entries), end())
    assert [(call.id, call.arguments) for call in reading.calls] == [(f"call_{n}", {"x": n}) for n in range(3)]


def test_whole_arguments_give_the_same_fields_as_streamed_ones() -> None:
    reading = read(line(tool_calls=[tool(arguments=ARGUMENTS)]), end(), depth=None, deltas=True)
    assert [(event.path, event.value) for event in reading.of(FieldComplete)] == [
        (("query",), "café 😀"),
        (("limit",), 10),
        (("tags", 0), "a"),
        (("tags", 1, "b"), None),
        (("tags", 1), {"b": None}),
        (("tags",), ["a", {"b": None}]),
    ]
    assert "".join(event.text for event in reading.of(FieldDelta) if event.path == ("query",)) == "café 😀"


@pytest.mark.parametrize("arguments", [{}, None, ""])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    reading = read(line(tool_calls=[tool(arguments=arguments)]), end())
    assert reading.call.arguments == {}
    assert reading.call.state == "committed"
    del (entry := tool())["function"]["arguments"]
    assert read(line(tool_calls=[entry]), end()).call.arguments == {}


def test_a_call_is_complete_with_its_line_and_confirmed_by_what_follows() -> None:
    parser = StreamParser()
    events = parser.feed(wire.lines([line(tool_calls=[tool(arguments={"x": 1})])]))
    assert [event.type for event in events][-3:] == ["tool_call_start", "field_complete", "tool_call_end"]
    assert parser.calls[0].state == "closed"
    parser.feed(wire.lines([line(content="And")]))
    assert parser.calls[0].state == "confirmed"


def test_reasoning_text_and_calls_of_one_line_come_in_this_order() -> None:
    reading = read(line(thinking="Hm.", content="So", tool_calls=[tool(arguments={})]), end())
    kinds = (ReasoningDelta, TextDelta, ToolCallStart)
    assert [type(event) for event in reading.events if isinstance(event, kinds)] == list(kinds)


@pytest.mark.parametrize(("reason", "safe"), [("stop", True), (None, True), ("length", False), ("load", False)])
def test_stop_asks_for_the_calls_before_it(reason: str | None, safe: bool) -> None:
    reading = read(line(tool_calls=[tool(arguments={})]), end(reason))
    assert reading.of(MessageEnd)[0].safe is safe
    assert reading.parser.stop_reason == reason


def test_stop_without_calls_is_an_end() -> None:
    assert read(line(content="Hello"), end()).of(MessageEnd)[0].safe is False


def test_counts_come_with_the_last_line() -> None:
    usage = read(*CALLS).parser.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (10, 20, None)
    assert usage.raw == {"total_duration": 9, "prompt_eval_count": 10, "eval_count": 20}
    assert usage.final


def test_the_last_line_may_hold_no_message() -> None:
    last = end()
    del last["message"]
    reading = read(*CALLS[:-1], last)
    assert reading.error is None
    assert reading.of(MessageEnd)[0].safe


def test_a_stream_without_its_last_line_is_incomplete() -> None:
    reading = read(*CALLS[:-1])
    assert isinstance(reading.error, IncompleteError)
    assert [call.complete for call in reading.calls] == [True] * 3
    assert all(call.state != "committed" for call in reading.calls)


def test_an_error_line_is_the_providers_error() -> None:
    for before in ([], CALLS[:3]):
        reading = read(*before, {"error": "model runner has stopped"})
        assert isinstance(reading.error, ProviderError)
        assert reading.error.message == "model runner has stopped"


def test_two_replies_in_one_stream_are_two_messages() -> None:
    reading = read(*CALLS, line(content="Hello"), end())
    assert len(reading.of(MessageEnd)) == 2
    assert reading.parser.message == {"role": "assistant", "content": "Hello"}


def test_arguments_of_another_shape_are_the_calls_fault() -> None:
    reading = read(line(tool_calls=[tool(arguments='{"a":')]), end())
    assert isinstance(reading.error, JSONError)


def test_half_a_surrogate_pair_stays_one_as_in_json_loads() -> None:
    arguments = {"x": "a\ud800b", "\udc00": "\U0001f600", "n": 10**30}
    reading = read(line(tool_calls=[tool(arguments=arguments)]), end())
    assert reading.error is None
    assert reading.call.arguments == arguments
    assert reading.parser.message["tool_calls"][0]["function"]["arguments"] == arguments


# ---------------------------------------------------------------------- the message


def test_the_message_has_all_that_came() -> None:
    call = {"function": {"name": "search", "arguments": ARGUMENTS}}
    assert read(*CALLS).parser.message == {
        "role": "assistant",
        "content": "I look it up.",
        "thinking": "Hm.",
        "tool_calls": [call, call, {"function": {"name": "now", "arguments": {}}}],
    }
    entry = {"id": "call_1", "function": {"index": 0, "name": "now", "arguments": {"x": 1}}}
    assert read(line(tool_calls=[entry]), end()).parser.message["tool_calls"] == [entry]


@recordings.parametrize(formats={"ollama"})
def test_ollamas_package_accepts_the_message(expected: dict[str, Any]) -> None:
    told = wire.read_bytes(recordings.body(expected)).parser.partial_message
    read_back = package("ollama").Message.model_validate(told).model_dump(exclude_unset=True)
    for call in told.get("tool_calls", ()):  # the package knows neither
        call.pop("id", None)
        call["function"].pop("index", None)
    assert read_back == told


# ---------------------------------------------------------------------- objects of the package


ASKED: dict[str, Any] = {"model": "qwen-test", "messages": [{"role": "user", "content": "?"}], "stream": True}


def stop_inside(server: Server) -> Gate:
    """The server stops behind the first call."""
    gate, pieces = Gate(), [wire.lines([each]) for each in CALLS]
    place = wire.until_first_field(pieces)
    server.reply([*pieces[:place], gate, *pieces[place:]], content_type="application/x-ndjson")
    return gate


def test_its_objects_give_the_same_events_as_the_bytes_and_as_promptly(server: Server) -> None:
    gate = stop_inside(server)
    client = package("ollama").Client(host=server.url, timeout=PATIENCE)
    events: list[Event] = []
    stream = parse(client.chat(**ASKED))
    for each in stream:
        events.append(each)
        if isinstance(each, FieldComplete):
            gate.open()
    client._client.close()
    assert plain(Reading(StreamParser(), events)) == plain(read(*CALLS))
    assert stream.message == read(*CALLS).parser.message


def test_its_async_objects_give_the_same_events_as_the_bytes_and_as_promptly(server: Server) -> None:
    gate = stop_inside(server)
    client = package("ollama").AsyncClient(host=server.url, timeout=PATIENCE)

    async def run() -> list[Event]:
        events = []
        async for each in parse(await client.chat(**ASKED)):
            events.append(each)
            if isinstance(each, FieldComplete):
                gate.open()
        await client._client.aclose()
        return events

    assert plain(Reading(StreamParser(), asyncio.run(run()))) == plain(read(*CALLS))


@recordings.parametrize(formats={"ollama"})
def test_its_objects_of_known_streams_give_the_same(expected: dict[str, Any]) -> None:
    if expected["error"] is not None:
        pytest.skip("the client raises its own exception for an error line")
    response = package("ollama").ChatResponse
    data = recordings.body(expected)
    try:
        objects = [response(**each) for each in recordings.events(data)]
    except package("pydantic").ValidationError as error:
        pytest.skip(f"the client cannot read it: {error.errors()[0]['msg']}")
    ours = Reading(StreamParser())
    for each in objects:
        ours.events += ours.parser.feed_event(each)
    ours.events += ours.parser.close()
    assert plain(ours) == plain(wire.read_bytes(data))
    assert [json.dumps(call.arguments) for call in ours.calls] == [
        json.dumps(call["arguments"]) for call in expected["calls"]
    ]
