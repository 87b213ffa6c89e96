"""The frameworks' own streams: what is peculiar to each, their packages' real objects, and messages that these read."""

from __future__ import annotations

import asyncio
import functools
import json
import operator
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple

import pytest
import recordings
import wire
from packages import package
from wire import DONE, read

from toolstream import (
    DuplicateKeyError,
    FieldComplete,
    IncompleteError,
    JSONError,
    MessageEnd,
    MessageStart,
    ProviderError,
    StreamParser,
    ToolCallEnd,
    ToolCallError,
    UnknownProviderError,
    parse,
)
from toolstream.providers import ADAPTERS

FRAMEWORKS = ("ai-sdk-ui", "ag-ui", "langchain", "pydantic-ai")


def stream_of(file: str) -> list[dict[str, Any]]:
    """The events of one of this repository's streams."""
    (known,) = (known for known in recordings.own_expectations() if known["file"] == file)
    return recordings.events(recordings.body(known))


def files(*formats: str, but: tuple[str, ...] = ()) -> list[str]:
    every = (known["file"] for known in recordings.own_expectations() if known["format"] in formats)
    return [file for file in every if file not in but]


def fed(events: list[Any], **options: Any) -> wire.Reading:
    """The events, fed one by one."""
    return wire.read_events(events, on_error="event", **options)


# ---------------------------------------------------------------------- detection


@recordings.parametrize()
def test_one_format_alone_recognises_a_stream(expected: dict[str, Any]) -> None:
    undecided = ("ping", "keepalive")
    first = next(event for event in recordings.events(recordings.body(expected)) if event.get("type") not in undecided)
    assert [name for name, adapter in ADAPTERS.items() if adapter.recognises(first)] == [expected["format"]]


# ---------------------------------------------------------------------- AI SDK UI


def ui(*events: dict[str, Any], finish: str | None = "tool-calls") -> list[Any]:
    end = [{"type": "finish-step"}, {"type": "finish", "finishReason": finish}, DONE] if finish else []
    return [{"type": "start", "messageId": "m"}, {"type": "start-step"}, *events, *end]


def tool(id: str, *texts: str, name: str = "search", **more: Any) -> list[dict[str, Any]]:
    start = {"type": "tool-input-start", "toolCallId": id, "toolName": name, **more}
    return [start, *({"type": "tool-input-delta", "toolCallId": id, "inputTextDelta": text} for text in texts)]


def available(id: str, input: Any, name: str = "search", **more: Any) -> dict[str, Any]:
    return {"type": "tool-input-available", "toolCallId": id, "toolName": name, "input": input, **more}


class TestAISDKUI:
    def test_an_aborted_stream_was_cut(self) -> None:
        reading = read(ui(*tool("a", '{"q":'), {"type": "abort", "reason": "by the user"}, finish=None))
        assert isinstance(reading.error, IncompleteError)
        assert "by the user" in str(reading.error)
        assert reading.call.state == "void"

    def test_an_error_comes_after_the_events_before_it(self) -> None:
        reading = read(ui(*tool("a", '{"q":1}'), available("a", {"q": 1}), {"type": "error", "errorText": "no"}))
        assert isinstance(reading.error, ProviderError)
        assert reading.of(ToolCallEnd)
        assert reading.parser.stop_reason == "error"

    def test_an_error_may_be_all_that_comes(self) -> None:
        reading = read([{"type": "error", "errorText": "no"}, DONE])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.message, reading.parser.provider) == ("no", "ai-sdk-ui")

    def test_the_mark_at_the_end_may_be_the_only_end(self) -> None:
        text = [{"type": "text-start", "id": "1"}, {"type": "text-delta", "id": "1", "delta": None}]
        stream = ui(*text, *tool("a", '{"q":1}'), available("a", {"q": 1}), finish=None)
        assert isinstance(read(stream).error, IncompleteError)
        reading = read([*stream, DONE])
        assert reading.error is None
        assert reading.of(MessageEnd)[0].safe
        assert isinstance(read([*ui(*tool("a", '{"q":'), finish=None), DONE]).error, IncompleteError)

    def test_a_call_ends_with_available_and_not_with_its_json(self) -> None:
        wire_events = ui(*tool("a", '{"q":1}'), finish=None)
        reading = read(wire_events)
        assert isinstance(reading.error, IncompleteError)
        assert not reading.of(ToolCallEnd)

    @pytest.mark.parametrize("mode", ["raise", "event"])
    def test_a_refused_input_voids_the_call_and_the_stream_goes_on(self, mode: str) -> None:
        reading = read(ui(*refused(), finish="stop"), on_error=mode)
        assert reading.error is None
        (failed,) = reading.of(ToolCallError)
        assert "no number" in str(failed.error)
        assert reading.call.state == "void"
        part = reading.parser.message["parts"][1]
        assert (part["state"], part["errorText"], part["rawInput"]) == ("output-error", "no number", {"q": "x"})

    def test_a_reset_step_takes_back_calls_and_text(self) -> None:
        draft = [{"type": "text-start", "id": "1"}, {"type": "text-delta", "id": "1", "delta": "Draft"}]
        before = [*draft, *tool("a", '{"q":1}'), available("a", {"q": 1}), *tool("b", '{"q":')]
        reading = read(ui(*before, {"type": "reset-step"}, *tool("c", '{"q":2}'), available("c", {"q": 2})))
        assert reading.error is None
        assert [call.state for call in reading.calls] == ["void", "void", "committed"]
        assert reading.parser.text == ""
        assert [part["type"] for part in reading.parser.message["parts"]] == ["step-start", "tool-search"]
        assert reading.of(MessageEnd)[0].safe

    def test_what_the_server_has_run_is_not_asked_for(self) -> None:
        run = [*tool("a", "{}"), available("a", {}), {"type": "tool-output-available", "toolCallId": "a", "output": 1}]
        assert not read(ui(*run, finish="stop")).of(MessageEnd)[0].safe
        assert read(ui(*run[:-1])).of(MessageEnd)[0].safe

    def test_streams_that_were_merged_have_two_starts(self) -> None:
        reading = read([{"type": "start"}, *ui(*tool("a", '{"q":1}'), available("a", {"q": 1}))])
        assert reading.types.count("message_start") == 1
        assert reading.parser.message["id"] == "m"
        assert reading.call.complete

    def test_an_approval_is_in_the_message(self) -> None:
        request = {"type": "tool-approval-request", "toolCallId": "a", "approvalId": "ok_1"}
        part = read(ui(*tool("a", "{}"), available("a", {}), request)).parser.message["parts"][1]
        assert (part["state"], part["approval"]) == ("approval-requested", {"id": "ok_1"})

    def test_a_part_of_a_message_is_there_before_its_end(self) -> None:
        parser = StreamParser()
        parser.feed(wire.sse(ui(*tool("a", '{"q":"x', dynamic=True), finish=None)))
        part = parser.partial_message["parts"][1]
        assert part == {
            "type": "dynamic-tool",
            "toolName": "search",
            "toolCallId": "a",
            "state": "input-streaming",
            "input": {"q": "x"},
        }


def refused() -> list[dict[str, Any]]:
    error = {"type": "tool-input-error", "toolCallId": "a", "toolName": "search", "input": {"q": "x"}}
    return [*tool("a", '{"q":"x"}'), {**error, "errorText": "no number"}]


# ---------------------------------------------------------------------- AG-UI


def run(*events: dict[str, Any], end: Any = None) -> list[Any]:
    about = {"threadId": "t", "runId": "r"}
    finished = {"type": "RUN_FINISHED", **about} if end is None else end
    return [{"type": "RUN_STARTED", **about}, *events, *([finished] if finished else [])]


def call_of(id: str, *deltas: Any, end: bool = True) -> list[dict[str, Any]]:
    told = [{"type": "TOOL_CALL_START", "toolCallId": id, "toolCallName": "search"}]
    told += [{"type": "TOOL_CALL_ARGS", "toolCallId": id, "delta": delta} for delta in deltas]
    return [*told, *([{"type": "TOOL_CALL_END", "toolCallId": id}] if end else [])]


class TestAGUI:
    def test_a_cancelled_run_was_cut(self) -> None:
        end = {"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "outcome": {"type": "cancelled"}}
        reading = read(run(*call_of("a", '{"q":1}'), *call_of("b", '{"q":', end=False), end=end))
        assert isinstance(reading.error, IncompleteError)
        assert [call.complete for call in reading.calls] == [True, False]

    def test_a_run_may_begin_with_an_event_of_somebody_else_s(self) -> None:
        for first in ({"type": "RAW", "event": {}}, {"type": "CUSTOM", "name": "x", "value": 1}):
            reading = read([first, *run(*call_of("a", '{"q":1}'))])
            assert (reading.parser.provider, reading.call.state) == ("ag-ui", "committed")

    def test_a_call_that_is_told_of_again_is_one_call(self) -> None:
        result = {"type": "TOOL_CALL_RESULT", "messageId": "x", "toolCallId": "a", "content": "1"}
        reading = read(run(*call_of("a", '{"q"', ":1}"), result, *call_of("a", '{"q":1}'), *call_of("b", "{}")))
        assert reading.error is None
        assert [(call.id, call.text) for call in reading.calls] == [("a", '{"q":1}'), ("b", "{}")]

    def test_a_brace_behind_the_end_of_a_call_is_nothing(self) -> None:
        stray = {"type": "TOOL_CALL_ARGS", "toolCallId": "a", "delta": "}"}
        reading = read(run(*call_of("a", '{"q":1', "}"), stray))
        assert (reading.error, reading.call.arguments, reading.call.state) == (None, {"q": 1}, "committed")
        more = read(run(*call_of("a", '{"q":1', "}"), {**stray, "delta": ',"r":2}'}))
        assert isinstance(more.error, JSONError)

    def test_an_outcome_of_an_unknown_shape_is_none(self) -> None:
        end = {"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "outcome": "interrupt"}
        assert read(run(*call_of("a", '{"q":1}'), end=end)).call.state == "committed"

    def test_an_error_has_its_code(self) -> None:
        error = read(run(end={"type": "RUN_ERROR", "message": "busy", "code": "overloaded"})).error
        assert isinstance(error, ProviderError)
        assert (error.message, error.type) == ("busy", "overloaded")

    def test_a_call_without_arguments_is_whole_when_the_run_goes_on(self) -> None:
        parser = StreamParser()
        assert not ends(parser.feed(wire.sse(run(*call_of("a"), end=False))))
        assert ends(parser.feed(wire.sse([{"type": "TEXT_MESSAGE_START", "messageId": "m"}])))

    def test_arguments_that_are_cut_are_none_though_the_call_ends(self) -> None:
        reading = read(run(*call_of("a", '{"q":')))
        assert isinstance(reading.error, IncompleteError)
        assert not reading.of(ToolCallEnd)

    def test_an_object_that_comes_in_parts_gives_its_fields_at_once(self) -> None:
        parser = StreamParser()
        events = parser.feed(wire.sse(run(*call_of("a", {"n": 1}, end=False), end=False)))
        assert [event.value for event in events if isinstance(event, FieldComplete)] == [1]

    def test_a_member_that_changes_is_a_repeated_key(self) -> None:
        changing = run(*call_of("a", {"n": 1}, {"n": 2}))
        assert isinstance(read(changing).error, DuplicateKeyError)
        assert read(changing, duplicate_keys="last").call.arguments == {"n": 2}

    def test_what_the_agent_has_run_is_not_asked_for(self) -> None:
        result = {"type": "TOOL_CALL_RESULT", "messageId": "x", "toolCallId": "a", "content": "1"}
        assert not read(run(*call_of("a", "{}"), result)).of(MessageEnd)[0].safe
        assert read(run(*call_of("a", "{}"))).of(MessageEnd)[0].safe

    def test_two_runs_are_two_messages(self) -> None:
        second = [{**event, "runId": "r2"} if "runId" in event else event for event in run(*call_of("b", "{}"))]
        reading = read([*run(*call_of("a", "{}")), *second])
        assert [event.id for event in reading.of(MessageStart)] == ["r", "r2"]
        assert [call["id"] for call in reading.parser.message["toolCalls"]] == ["b"]

    def test_the_message_of_a_run_with_results_is_a_list(self) -> None:
        reading = fed(stream_of("ag-ui/agent-runs-a-tool.sse"))
        assert [message["role"] for message in reading.parser.message] == ["assistant", "tool", "assistant"]

    def test_reasoning_that_must_be_repeated_is_in_the_message(self) -> None:
        secret = {"type": "REASONING_ENCRYPTED_VALUE", "subtype": "message", "entityId": "r1", "encryptedValue": "c2ln"}
        thought = {"type": "REASONING_MESSAGE_CONTENT", "messageId": "r1", "delta": "Hm."}
        of_call = {**secret, "subtype": "tool-call", "entityId": "a", "encryptedValue": "eA"}
        assert read(run(thought, *call_of("a", "{}"))).parser.message["role"] == "assistant"
        reasoning, assistant = read(run(thought, secret, *call_of("a", "{}"), of_call)).parser.message
        assert reasoning == {"id": "r1", "role": "reasoning", "content": "Hm.", "encryptedValue": "c2ln"}
        assert assistant["toolCalls"][0]["encryptedValue"] == "eA"
        core = package("ag_ui.core")
        package("pydantic").TypeAdapter(list[core.Message]).validate_python([reasoning, assistant])


def ends(events: list[Any]) -> bool:
    return any(isinstance(event, ToolCallEnd) for event in events)


# ---------------------------------------------------------------------- LangChain


def chunk(content: Any = "", *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    about = {"type": "AIMessageChunk", "id": "lc_run--1", "response_metadata": {}, "additional_kwargs": {}}
    return {**about, "content": content, "tool_call_chunks": list(entries), **more}


def piece(args: str | None, index: Any = 0, id: str | None = None, name: str | None = None) -> dict[str, Any]:
    return {"name": name, "args": args, "id": id, "index": index, "type": "tool_call_chunk"}


LAST = chunk(response_metadata={"finish_reason": "tool_calls"}, chunk_position="last")
CALL = [chunk("", piece('{"q"', 0, "a", "search")), chunk("", piece(": 1}")), LAST]


class StreamPart(NamedTuple):
    """As langgraph_sdk's."""

    event: str
    data: Any
    id: str | None = None


ANSWER = chunk("Done", id="lc_run--2", response_metadata={"finish_reason": "stop"}, chunk_position="last")
# What a run on LangGraph's server sends: its state beside the chunks, which come with what is known about them.
SERVER: list[tuple[str, Any]] = [
    ("metadata", {"run_id": "run_1", "attempt": 1}),
    ("values", {"messages": [{"type": "human", "content": "Hello"}], "data": "x"}),
    *((f"messages|search:{index}" if index else "messages", [part, {}]) for index, part in enumerate(CALL)),
    ("messages", [{"type": "tool", "content": "2", "tool_call_id": "a", "id": "t"}, {}]),
    ("messages", []),
    ("updates|search:1", {"agent": {"messages": []}, "data": "x"}),
    ("messages", [ANSWER, {}]),
    ("end", None),
]


class TestLangChain:
    @pytest.mark.parametrize(
        "wrap",
        [
            lambda event: (event, {"langgraph_node": "agent"}),
            lambda event: [event, {"langgraph_node": "agent"}],
            lambda event: ("messages", (event, {})),
            lambda event: (("agent:1",), (event, {})),
            lambda event: (("agent:1",), "messages", (event, {})),
            lambda event: {"type": "messages", "ns": (), "data": (event, {})},
            lambda event: {"event": "on_chat_model_stream", "run_id": "r", "data": {"chunk": event}},
            lambda event: {"lc": 1, "type": "constructor", "id": ["AIMessageChunk"], "kwargs": event},
            lambda event: {"type": "AIMessageChunk", "data": event},
        ],
    )
    def test_a_chunk_in_any_wrapping(self, wrap: Callable[[Any], Any]) -> None:
        reading = fed([wrap(event) for event in CALL])
        assert reading.error is None
        assert reading.parser.provider == "langchain"
        assert reading.call.arguments == {"q": 1}
        assert reading.call.state == "committed"

    def test_what_is_no_chunk_is_passed_over(self) -> None:
        others = [
            ("updates", {"agent": {}}),
            (("agent:1",), {"agent": {}}),
            (),
            {"event": "on_chain_start", "run_id": "r", "data": {}},
            {"type": "updates", "ns": (), "data": {}},
        ]
        assert fed([*others, *CALL]).call.complete

    @pytest.mark.parametrize("size", [None, 1])
    def test_langgraphs_server_sends_chunks_in_lists(self, size: int | None) -> None:
        data = b": heartbeat\r\n\r\n"
        for name, told in SERVER:
            data += f"event: {name}\r\ndata: {json.dumps(told)}\r\nid: 1\r\n\r\n".encode()
        reading = wire.read_bytes(data, size)
        assert reading.error is None
        assert reading.parser.provider == "langchain"
        assert reading.call.state == "committed"
        assert reading.parser.text == "Done"
        assert [end.safe for end in reading.of(MessageEnd)] == [True, False]
        parts = [StreamPart(*part) for part in SERVER]
        assert wire.plain(fed(parts)) == wire.plain(reading)
        assert wire.plain(fed(parts[1:])) == wire.plain(reading)
        # As langgraph_sdk gives it with version="v2".
        names = ((name.partition("|"), told) for name, told in SERVER[:-1])
        second = [{"type": name, "ns": [space] if space else [], "data": told} for (name, _, space), told in names]
        assert wire.plain(fed(second)) == wire.plain(reading)

    def test_an_error_of_langgraphs_server(self) -> None:
        error = StreamPart("error", {"error": "ValueError", "message": "No such tool"})
        for parts in ([error], [StreamPart(*SERVER[0]), error]):
            reading = fed(parts)
            assert isinstance(reading.error, ProviderError)
            assert (reading.error.type, reading.error.message) == ("ValueError", "No such tool")

    def test_an_index_of_none_is_all_of_a_call(self) -> None:
        reading = fed([chunk("", piece('{"q": 1}', None, "a", "f"), piece(None, None, "b", "g")), LAST])
        assert [call.arguments for call in reading.calls] == [{"q": 1}, {}]

    def test_one_index_and_two_ids_are_two_calls(self) -> None:
        reading = fed([chunk("", piece('{"q": 1}', 0, "a", "f")), chunk("", piece('{"q": 2}', 0, "b", "f")), LAST])
        assert [(call.id, call.arguments) for call in reading.calls] == [("a", {"q": 1}), ("b", {"q": 2})]

    def test_a_whole_message_is_taken_as_well(self) -> None:
        calls = [{"name": "f", "args": {"q": 1}, "id": "a", "type": "tool_call"}]
        about = {"response_metadata": {"stop_reason": "tool_use"}, "id": "m"}
        reading = fed([{"type": "ai", "content": "Yes.", "tool_calls": calls, **about}])
        assert reading.error is None
        assert reading.call.state == "committed"
        assert reading.parser.text == "Yes."

    def test_a_stream_without_a_last_chunk_and_a_reason_was_cut(self) -> None:
        assert isinstance(fed(CALL[:-1]).error, IncompleteError)

    def test_a_last_chunk_without_a_reason_is_an_end_that_asks_for_nothing(self) -> None:
        reading = fed([*CALL[:-1], chunk(chunk_position="last")])
        assert reading.call.complete
        assert not reading.of(MessageEnd)[0].safe

    def test_a_provider_s_id_is_preferred(self) -> None:
        reading = fed([chunk("a"), chunk("b", id="msg_1"), chunk(chunk_position="last")])
        assert reading.parser.message["id"] == "msg_1"
        assert reading.types.count("message_start") == 1

    def test_an_error_instead_of_a_stream(self) -> None:
        assert isinstance(fed([{"error": {"message": "no"}}]).error, ProviderError)
        assert isinstance(fed([("values", {"messages": []})]).error, UnknownProviderError)


# ---------------------------------------------------------------------- pydantic-ai


class TestPydanticAI:
    def test_the_end_of_a_part_before_another_is_not_the_message_s(self) -> None:
        events = stream_of("pydantic-ai/parts.jsonl")
        reading = fed(events[:-1])
        assert isinstance(reading.error, IncompleteError)
        assert [call.complete for call in reading.calls] == [True, False]

    def test_each_response_of_a_run_is_a_message(self) -> None:
        reading = fed(stream_of("pydantic-ai/agent-run.jsonl"))
        assert reading.types.count("message_start") == reading.types.count("message_end") == 2
        assert [event.safe for event in reading.of(MessageEnd)] == [True, False]
        assert [part["part_kind"] for part in reading.parser.message["parts"]] == ["text"]

    def test_citations_behind_the_end_begin_no_message(self) -> None:
        delta = {"content_delta": "", "citations_delta": [{"url": "x"}], "part_delta_kind": "text"}
        late = {"index": 0, "delta": delta, "event_kind": "part_delta"}
        reading = fed([*stream_of("pydantic-ai/agent-run.jsonl"), late])
        assert reading.types.count("message_start") == 2
        assert reading.parser.message["parts"][0]["citations"] == [{"url": "x"}]

    def test_arguments_that_end_otherwise_than_they_were_streamed_are_a_fault(self) -> None:
        events = stream_of("pydantic-ai/interleaved.jsonl")
        for event in events:
            if event["event_kind"] == "part_end" and event["index"] == 0:
                event["part"]["args"] = '{"query": "another"}'
        failed = fed(events).of(ToolCallError)
        assert [event.call.index for event in failed] == [0]


# ---------------------------------------------------------------------- the packages' own objects


def langchain_objects(events: list[dict[str, Any]]) -> list[Any]:
    messages = package("langchain_core.messages")
    kinds = {"AIMessageChunk": messages.AIMessageChunk, "tool": messages.ToolMessage}

    def of(event: dict[str, Any]) -> Any:
        if "event" in event:
            inner = event["data"].get("chunk")
            has_chunk = isinstance(inner, dict) and "tool_call_chunks" in inner
            return {**event, "data": {"chunk": of(inner)}} if has_chunk else event
        return kinds[event["type"]](**event)

    return [of(event) for event in events]


def pydantic_ai_objects(events: list[dict[str, Any]]) -> list[Any]:
    messages = package("pydantic_ai.messages")
    adapter = package("pydantic").TypeAdapter(messages.AgentStreamEvent)
    return [adapter.validate_python(event) for event in events]


def ag_ui_objects(events: list[dict[str, Any]]) -> list[Any]:
    adapter = package("pydantic").TypeAdapter(package("ag_ui.core").Event)
    return [adapter.validate_python(event) for event in events]


def ai_sdk_objects(events: list[dict[str, Any]]) -> list[Any]:
    types = package("pydantic_ai.ui.vercel_ai.response_types")
    kinds = {
        kind.model_fields["type"].default: kind
        for kind in vars(types).values()
        if isinstance(kind, type) and issubclass(kind, types.BaseChunk) and "type" in kind.model_fields
    }
    return [kinds.get(event["type"], types.DataChunk).model_validate(event) for event in events]


OBJECTS = {
    "langchain": langchain_objects,
    "pydantic-ai": pydantic_ai_objects,
    "ag-ui": ag_ui_objects,
    "ai-sdk-ui": ai_sdk_objects,
}
# What the packages' own types do not take.
UNTYPED = (
    "ag-ui/objects-as-deltas.sse",
    "ai-sdk-ui/free-text.sse",
    "ai-sdk-ui/reset-step.sse",
    "langchain/index-that-is-a-string.jsonl",
    "pydantic-ai/name-and-id-in-deltas.jsonl",
)


@pytest.mark.parametrize("file", files(*FRAMEWORKS, but=UNTYPED))
def test_a_package_s_objects_give_the_same_events(file: str) -> None:
    events = stream_of(file)
    objects = OBJECTS[file.partition("/")[0]](events)
    told = wire.plain(fed(events))
    assert wire.plain(fed(objects)) == told

    assert wire.plain(wire.read_source(objects, on_error="event")) == told
    assert wire.plain(wire.read_async_source(objects, on_error="event")) == told


def test_a_langchain_model_s_own_stream() -> None:
    messages = package("langchain_core.messages")
    models = package("langchain_core.language_models.fake_chat_models")

    def model() -> Any:
        return models.GenericFakeChatModel(messages=iter([messages.AIMessage(content="Hello from a model", id="m")]))

    stream = parse(model().stream("hi"))
    assert "".join(event.text for event in stream if event.type == "text_delta") == "Hello from a model"
    assert stream.message["content"] == "Hello from a model"

    async def events() -> str:
        read = parse(model().astream_events("hi", version="v2"))
        return "".join([event.text async for event in read if event.type == "text_delta"])

    assert asyncio.run(events()) == "Hello from a model"


def test_a_pydantic_ai_agent_s_own_run() -> None:
    pydantic_ai = package("pydantic_ai")
    function = package("pydantic_ai.models.function")

    async def reply(messages: list[Any], info: Any) -> AsyncIterator[Any]:
        if len(messages) > 1:
            yield "High water "
            yield "at 06:12."
            return
        for part in ('{"que', 'ry": "tides"', "}"):
            name = "search" if part.startswith("{") else None
            yield {0: function.DeltaToolCall(name=name, json_args=part, tool_call_id="call_1")}

    def search(query: str) -> str:
        return f"{query}: 06:12"

    agent = pydantic_ai.Agent(function.FunctionModel(stream_function=reply), tools=[search])

    async def run_it() -> tuple[list[Any], Any, Any]:
        result: list[Any] = []

        async def source() -> AsyncIterator[Any]:
            async with agent.run_stream_events("tides?") as run:
                async for event in run:
                    if event.event_kind == "agent_run_result":
                        result.append(event.result)
                    yield event

        stream = parse(source())
        return [event async for event in stream], stream, result[0]

    events, stream, result = asyncio.run(run_it())
    assert [event.value for event in events if isinstance(event, FieldComplete)] == ["tides"]
    assert [event.safe for event in events if isinstance(event, MessageEnd)] == [True, False]
    assert stream.text == "High water at 06:12."
    (ours,) = package("pydantic_ai.messages").ModelMessagesTypeAdapter.validate_python([stream.message])
    assert ours.parts == result.all_messages()[-1].parts


# ---------------------------------------------------------------------- messages


NOT_ACCUMULATED = ("langchain/astream-events.jsonl", "langchain/length.jsonl", *UNTYPED)


@pytest.mark.parametrize("file", files("langchain", but=NOT_ACCUMULATED))
def test_langchain_reads_the_message_and_has_accumulated_the_same(file: str) -> None:
    messages = package("langchain_core.messages")
    events = stream_of(file)
    others = [number for number, event in enumerate(events, 1) if event["type"] != "AIMessageChunk"]
    chunks = langchain_objects(events[max(others, default=0) :])
    theirs = messages.message_chunk_to_message(functools.reduce(operator.add, chunks))
    if isinstance(theirs.content, list):
        theirs.content = [block for block in theirs.content if block != ""]  # chunks that hold nothing
    message = fed(events).parser.message
    ours = messages.AIMessage(**message)
    for name in ("content", "tool_calls", "invalid_tool_calls", "usage_metadata", "id", "additional_kwargs"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert messages.convert_to_messages([message])[0].tool_calls == ours.tool_calls


@pytest.mark.parametrize("file", files("pydantic-ai"))
def test_pydantic_ai_reads_the_message(file: str) -> None:
    messages = package("pydantic_ai.messages")
    (response,) = messages.ModelMessagesTypeAdapter.validate_python([fed(stream_of(file)).parser.message])
    assert isinstance(response, messages.ModelResponse)
    ends_of_parts = [event["part"] for event in stream_of(file) if event["event_kind"] == "part_end"]
    assert response.parts[-1].part_kind == ends_of_parts[-1]["part_kind"]


@pytest.mark.parametrize("file", files("ag-ui", but=("ag-ui/error.sse",)))
def test_ag_ui_reads_the_message(file: str) -> None:
    core = package("ag_ui.core")
    message = fed(stream_of(file)).parser.message
    adapter = package("pydantic").TypeAdapter(list[core.Message])
    adapter.validate_python(message if isinstance(message, list) else [message])


@pytest.mark.parametrize("file", files("ai-sdk-ui", but=("ai-sdk-ui/error.sse",)))
def test_the_ai_sdk_reads_the_message(file: str) -> None:
    types = package("pydantic_ai.ui.vercel_ai.request_types")
    message = types.UIMessage.model_validate(fed(stream_of(file)).parser.message)
    assert message.role == "assistant"
