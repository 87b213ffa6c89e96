"""Cohere v2: what its events mean, and the objects of its own package."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import recordings
import wire
from loopback import PATIENCE, Gate, Server
from packages import package
from wire import ARGUMENTS, DONE, Reading, cut, plain, read

from toolstream import (
    Event,
    FieldComplete,
    IncompleteError,
    MessageEnd,
    ProviderError,
    ReasoningDelta,
    StreamParser,
    ToolCallError,
    ToolStreamError,
    parse,
)

# Of the client's own code, on Python 3.14.
pytestmark = pytest.mark.filterwarnings("ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning")

USAGE = {"billed_units": {"input_tokens": 1, "output_tokens": 2}, "tokens": {"input_tokens": 10, "output_tokens": 20}}


def event(type: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"type": type}
    if index is not None:
        told["index"] = index
    return {**told, "delta": {"message": message}} if message else told


START = {"id": "c1", **event("message-start", role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])}


def plan(*texts: str) -> list[Any]:
    return [event("tool-plan-delta", tool_plan=text) for text in texts]


def tool(index: int, *fragments: str, name: str = "search") -> list[Any]:
    about = {"id": f"{name}_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        event("tool-call-start", index, tool_calls=about),
        *(event("tool-call-delta", index, tool_calls={"function": {"arguments": text}}) for text in fragments),
        event("tool-call-end", index),
    ]


def content(index: int, kind: str, *texts: str) -> list[Any]:
    return [
        event("content-start", index, content={"type": kind, kind: ""}),
        *(event("content-delta", index, content={kind: text}) for text in texts),
        event("content-end", index),
    ]


def end(reason: str = "TOOL_CALL", **more: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": reason, "usage": USAGE, **more}}


def message(*parts: list[Any], reason: str = "TOOL_CALL", **more: Any) -> list[Any]:
    return [START, *(event for part in parts for event in part), end(reason, **more), DONE]


CITATION = {
    "start": 4,
    "end": 8,
    "text": "café",
    "sources": [{"type": "tool", "id": "search_0:0", "tool_output": {"title": "Cafés"}}],
    "type": "TEXT_CONTENT",
    "content_index": 1,
}
CALLS = message(plan("I will ", "look."), tool(0, *cut(ARGUMENTS)), tool(1, name="now"))
ANSWER = message(
    content(0, "thinking", "Which ", "one?"),
    [*content(1, "text", "The café", " is open.")[:-1], event("citation-start", 0, citations=CITATION)],
    [event("citation-end", 0), event("content-end", 1)],
    reason="COMPLETE",
)


# ---------------------------------------------------------------------- what the events mean


def test_the_plan_is_reasoning() -> None:
    reading = read(CALLS)
    assert [event.text for event in reading.of(ReasoningDelta)] == ["I will ", "look."]
    assert reading.parser.text == ""
    assert [(call.id, call.arguments, call.state) for call in reading.calls] == [
        ("search_0", json.loads(ARGUMENTS), "committed"),
        ("now_1", {}, "committed"),
    ]


def test_content_and_calls_have_indexes_of_their_own() -> None:
    reading = read(message(content(0, "text", "Hello"), tool(0, '{"x": 1}')))
    assert reading.parser.text == "Hello"
    assert reading.call.arguments == {"x": 1}


def test_calls_may_be_interleaved() -> None:
    first, second = tool(0, *cut(ARGUMENTS)), tool(1, *cut(ARGUMENTS))
    reading = read(message([each for pair in zip(first, second, strict=True) for each in pair]))
    assert [(call.id, call.arguments, call.state) for call in reading.calls] == [
        (f"search_{index}", json.loads(ARGUMENTS), "committed") for index in range(2)
    ]


def test_a_call_ends_by_its_own_event() -> None:
    reading = Reading(StreamParser())
    for each in [START, *tool(0, "{}")[:-1]]:
        reading.parser.feed_event(each)
    assert not reading.call.complete
    reading.parser.feed_event(tool(0)[-1])
    assert reading.call.complete


def test_the_end_is_the_message_end_not_the_mark_behind_it() -> None:
    assert read(CALLS[:-1]).types == read(CALLS).types
    for stream in ([START, *tool(0, "{}")], [START, *tool(0, "{}"), DONE]):
        reading = read(stream)
        assert isinstance(reading.error, IncompleteError)
        assert reading.call.state == "closed"


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "TIMEOUT"])
def test_a_limit_voids_the_call_that_it_cut(reason: str) -> None:
    reading = read(message(tool(0, "{}"), tool(1, '{"query": "ca')[:-1], reason=reason))
    assert reading.error is None
    assert [call.complete for call in reading.calls] == [True, False]
    assert [event.call.index for event in reading.of(ToolCallError)] == [1]
    assert not reading.of(MessageEnd)[0].safe


def test_an_end_in_error_is_the_providers_error() -> None:
    told = {"error": "no valid tool call was generated", "error_type": "INVALID_TOOL_GENERATION"}
    reading = read(message(plan("I will."), tool(0, "{}"), tool(1, '{"a"')[:-1], reason="ERROR", **told))
    assert isinstance(reading.error, ProviderError)
    assert (reading.error.type, reading.error.message) == (told["error_type"], told["error"])
    assert reading.error.raw["finish_reason"] == "ERROR"
    assert reading.parser.stop_reason == "ERROR"
    assert [call.state for call in reading.calls] == ["confirmed", "void"]
    assert isinstance(read(message(reason="ERROR")).error, ProviderError)
    assert isinstance(read(message(error="It failed", reason="TIMEOUT")).error, ProviderError)


@pytest.mark.parametrize("body", [{"message": "busy"}, {"type": "error", "message": "busy"}])
def test_an_error_in_the_middle_is_the_providers_error(body: Any) -> None:
    reading = read([*message(tool(0, '{"a"'))[:-3], body])
    assert isinstance(reading.error, ProviderError)
    assert reading.error.message == "busy"


def test_a_member_that_is_null_is_none() -> None:
    def nulls(kind: str, text: str | None) -> dict[str, Any]:
        return {"type": kind, "text": None, "thinking": None, kind: text}

    stream = message(
        [event("tool-plan-delta", tool_plan=None)],
        [event("content-start", 0, content={"type": "thinking"}), event("content-delta", 0, content={"thinking": "?"})],
        [event("content-start", 1, content=nulls("text", "")), event("content-delta", 1, content=nulls("text", "Hi"))],
        [event("content-delta", 1, content=nulls("text", None))],
        reason="COMPLETE",
    )
    said = [{"type": "thinking", "thinking": "?"}, {"type": "text", "text": "Hi"}]
    assert read(stream).parser.message["content"] == said


def test_counts_are_those_of_tokens_not_of_the_bill() -> None:
    usage = read([START, end(usage={**USAGE, "cached_tokens": 8.0})]).parser.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (10, 20, 8)
    assert usage.cache_hit_ratio == 0.8
    assert usage.raw["billed_units"] == USAGE["billed_units"]
    assert usage.final


# ---------------------------------------------------------------------- the message


def test_the_message_has_plan_and_calls() -> None:
    assert read(CALLS).parser.message == {
        "role": "assistant",
        "tool_plan": "I will look.",
        "tool_calls": [
            {"id": "search_0", "type": "function", "function": {"name": "search", "arguments": ARGUMENTS}},
            {"id": "now_1", "type": "function", "function": {"name": "now", "arguments": "{}"}},
        ],
    }


def test_the_message_has_thinking_and_citations() -> None:
    assert read(ANSWER).parser.message == {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "Which one?"}, {"type": "text", "text": "The café is open."}],
        "citations": [CITATION],
    }


@recordings.parametrize(formats={"cohere-v2"})
def test_coheres_package_accepts_the_message(expected: dict[str, Any]) -> None:
    model = package("cohere").AssistantChatMessageV2
    told = wire.read_bytes(recordings.body(expected), on_error="event").parser.partial_message
    read_back = model.model_validate(told)
    assert json.loads(read_back.json(exclude_unset=True)) == told
    assert not read_back.model_extra


# ---------------------------------------------------------------------- objects of the package


ASKED: dict[str, Any] = {"model": "command-test", "messages": [{"role": "user", "content": "?"}]}


def frames(stream: list[Any]) -> list[bytes]:
    return [wire.sse([each]) for each in stream]


def stop_inside(server: Server, stream: list[Any]) -> Gate:
    """The server stops behind a call's first field."""
    gate, pieces = Gate(), frames(stream)
    place = wire.until_first_field(pieces)
    server.reply([*pieces[:place], gate, *pieces[place:]])
    return gate


@contextmanager
def client(server: Server) -> Iterator[Any]:
    with package("httpx").Client(timeout=PATIENCE) as http:
        yield package("cohere").ClientV2(api_key="none", base_url=server.url, httpx_client=http)


def test_its_objects_give_the_same_events_as_the_bytes_and_as_promptly(server: Server) -> None:
    gate = stop_inside(server, CALLS)
    events: list[Event] = []
    with client(server) as cohere:
        stream = parse(cohere.chat_stream(**ASKED))
        for each in stream:
            events.append(each)
            if isinstance(each, FieldComplete):
                gate.open()
    assert plain(Reading(StreamParser(), events)) == plain(read(CALLS))
    assert stream.message == read(CALLS).parser.message


def test_its_async_objects_give_the_same_events_as_the_bytes_and_as_promptly(server: Server) -> None:
    gate = stop_inside(server, CALLS)

    async def run() -> list[Event]:
        events = []
        async with package("httpx").AsyncClient(timeout=PATIENCE) as http:
            cohere = package("cohere").AsyncClientV2(api_key="none", base_url=server.url, httpx_client=http)
            source: AsyncIterator[Any] = cohere.chat_stream(**ASKED)
            async for each in parse(source):
                events.append(each)
                if isinstance(each, FieldComplete):
                    gate.open()
        return events

    assert plain(Reading(StreamParser(), asyncio.run(run()))) == plain(read(CALLS))


@recordings.parametrize(formats={"cohere-v2"})
def test_its_objects_of_known_streams_give_the_same(server: Server, expected: dict[str, Any]) -> None:
    stream = recordings.events(recordings.body(expected))
    server.reply(frames([*stream, DONE]))
    ours = Reading(StreamParser())
    with client(server) as cohere:
        source = parse(cohere.chat_stream(**ASKED), on_error="event")
        try:
            ours.events.extend(source)
        except ToolStreamError as error:
            ours.error = error
    theirs = read([*stream, DONE], on_error="event")
    assert told(ours) == told(theirs)
    assert source.partial_message == theirs.parser.partial_message


def told(reading: Reading) -> list[Any]:
    """The events without the provider's own object for the usage, whose counts are floats in its package."""
    events = []
    for each in plain(reading):
        if isinstance(each, dict) and "usage" in each:
            each = {**each, "usage": each["usage"].to_dict()}
        events.append(each)
    return events
