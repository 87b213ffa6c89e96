"""AWS Bedrock: what ConverseStream's and InvokeModelWithResponseStream's events mean, and boto3's own objects."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import aws_messages
import pytest
import recordings
import wire
from loopback import PATIENCE, Gate, Server
from packages import package
from wire import ARGUMENTS, Reading, cut, plain, read_events

from toolstream import (
    Event,
    FieldComplete,
    IncompleteError,
    MessageEnd,
    ProviderError,
    ReasoningDelta,
    StreamParser,
    TextDelta,
    ToolCallError,
    ToolStreamError,
    UnknownProviderError,
    parse,
)
from toolstream.providers import ADAPTERS

START: dict[str, Any] = {"messageStart": {"role": "assistant"}}
METADATA: dict[str, Any] = {
    "metadata": {"usage": {"inputTokens": 10, "outputTokens": 20, "totalTokens": 30}, "metrics": {"latencyMs": 1}}
}


def delta(index: int, **said: Any) -> dict[str, Any]:
    return {"contentBlockDelta": {"contentBlockIndex": index, "delta": said}}


def start(index: int, **block: Any) -> dict[str, Any]:
    return {"contentBlockStart": {"contentBlockIndex": index, "start": block}}


def stop(index: int) -> dict[str, Any]:
    return {"contentBlockStop": {"contentBlockIndex": index}}


def tool(index: int, *fragments: str, name: str = "search", **more: Any) -> list[dict[str, Any]]:
    begin = start(index, toolUse={"toolUseId": f"tooluse_{index}", "name": name, **more})
    return [begin, *(delta(index, toolUse={"input": text}) for text in fragments), stop(index)]


def message_stop(reason: str = "tool_use") -> dict[str, Any]:
    return {"messageStop": {"stopReason": reason}}


def read(*events: Any, **options: Any) -> Reading:
    return read_events(events, **options)


def converse(*parts: Any, reason: str = "tool_use", **options: Any) -> Reading:
    return read(START, *parts, message_stop(reason), METADATA, **options)


# ---------------------------------------------------------------------- ConverseStream


class TestConverse:
    def test_text_needs_no_block_start(self) -> None:
        reading = converse(delta(0, text="Hel"), delta(0, text="lo"), stop(0), *tool(1, *cut(ARGUMENTS)))
        assert reading.parser.text == "Hello"
        assert reading.call.arguments == json.loads(ARGUMENTS)
        assert reading.call.state == "committed"

    def test_an_empty_block_start_is_text_too(self) -> None:
        reading = converse(start(0), delta(0, text="Hello"), stop(0), reason="end_turn")
        assert reading.parser.text == "Hello"
        assert reading.parser.message == {"role": "assistant", "content": [{"text": "Hello"}]}

    def test_text_that_begins_confirms_the_call_before_it(self) -> None:
        parser = StreamParser()
        for event in (START, *tool(0, "{}")):
            parser.feed_event(event)
        assert parser.calls[0].state == "closed"
        parser.feed_event(delta(1, text="And"))
        assert parser.calls[0].state == "confirmed"

    def test_fields_come_as_they_end(self) -> None:
        parser = StreamParser()
        for event in (START, *tool(0, '{"query": "x"')[:-1]):
            parser.feed_event(event)
        (field,) = parser.feed_event(delta(0, toolUse={"input": ', "limit": 10,'}))
        assert isinstance(field, FieldComplete)
        assert (field.path, field.value) == (("limit",), 10)

    def test_the_end_waits_for_the_usage(self) -> None:
        parser = StreamParser()
        for event in (START, *tool(0, "{}")):
            parser.feed_event(event)
        assert parser.feed_event(message_stop()) == []
        _, end = parser.feed_event(METADATA)
        assert isinstance(end, MessageEnd)
        assert end.safe
        assert end.usage.input_tokens == 10
        assert end.usage.final
        assert parser.close() == []

    def test_the_usage_may_come_first(self) -> None:
        reading = read(START, *tool(0, "{}"), METADATA, message_stop())
        assert reading.types[-1] == "message_end"
        assert reading.parser.usage.output_tokens == 20
        assert reading.call.state == "committed"

    def test_a_stream_without_usage_is_whole(self) -> None:
        reading = read(START, *tool(0, "{}"), message_stop())
        assert reading.error is None
        assert reading.types[-1] == "message_end"
        assert reading.parser.usage.input_tokens is None

    def test_a_stream_without_message_stop_is_not(self) -> None:
        for events in ([START, *tool(0, "{}")], [START, *tool(0, "{}"), METADATA]):
            reading = read(*events)
            assert isinstance(reading.error, IncompleteError)
            assert reading.call.complete
            assert not reading.of(MessageEnd)

    def test_another_message_may_follow(self) -> None:
        once = [START, delta(0, text="One"), message_stop("end_turn")]
        reading = read(*once, START, *tool(0, "{}"), message_stop(), METADATA)
        assert [end.stop_reason for end in reading.of(MessageEnd)] == ["end_turn", "tool_use"]
        assert [list(block) for block in reading.parser.message["content"]] == [["toolUse"]]

    def test_cached_tokens_are_input_tokens_too(self) -> None:
        counts = {"inputTokens": 3, "outputTokens": 4, "cacheReadInputTokens": 90, "cacheWriteInputTokens": 7}
        usage = read(START, delta(0, text="x"), message_stop("end_turn"), {"metadata": {"usage": counts}}).parser.usage
        assert (usage.input_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (100, 90, 7)
        assert usage.cache_hit_ratio == 0.9
        assert usage.raw == counts

    @pytest.mark.parametrize("reason", ["guardrail_intervened", "content_filtered", "malformed_tool_use"])
    def test_calls_of_a_message_that_was_stopped_are_void(self, reason: str) -> None:
        reading = converse(*tool(0, "{}"), *tool(1, '{"query": "ca')[:-1], reason=reason)
        assert reading.error is None
        assert [call.state for call in reading.calls] == ["void", "void"]
        assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize("reason", ["max_tokens", "model_context_window_exceeded"])
    def test_a_length_limit_voids_the_call_that_it_cut(self, reason: str) -> None:
        reading = converse(*tool(0, "{}"), *tool(1, '{"query": "ca'), reason=reason)
        assert reading.error is None
        assert [call.complete for call in reading.calls] == [True, False]
        assert [event.call.index for event in reading.of(ToolCallError)] == [1]

    def test_the_end_of_a_turn_asks_for_its_calls(self) -> None:
        reading = converse(*tool(0, "{}"), reason="end_turn")
        assert reading.call.state == "committed"
        assert converse(delta(0, text="Done"), reason="end_turn").of(MessageEnd)[0].safe is False

    def test_members_may_be_null_and_an_input_the_object_itself(self) -> None:
        said = {"text": "Hi", "toolUse": None, "reasoningContent": None, "citation": None, "toolResult": None}
        whole = delta(1, toolUse={"input": {"a": 1}})
        reading = converse(delta(0, **said), tool(1)[0], whole, stop(1))
        assert reading.parser.text == "Hi"
        assert (reading.call.arguments, reading.call.state) == ({"a": 1}, "committed")

    def test_a_servers_call_is_not_the_callers(self) -> None:
        reading = converse(*tool(0, "{}", type="server_tool_use"), *tool(1, "{}", type="tool_use"))
        assert [call.server for call in reading.calls] == [True, False]
        assert [call.state for call in reading.calls] == ["confirmed", "committed"]

    @pytest.mark.parametrize(
        "kind",
        [
            "internalServerException",
            "modelStreamErrorException",
            "validationException",
            "throttlingException",
            "serviceUnavailableException",
        ],
    )
    def test_an_exception_is_the_providers_error(self, kind: str) -> None:
        raw = {kind: {"message": "It failed", "originalStatusCode": 500}}
        for before in ([], [START, *tool(0, '{"a"')[:-1]], [START, *tool(0, "{}"), message_stop()]):
            reading = read(*before, raw)
            assert isinstance(reading.error, ProviderError)
            assert (reading.error.type, reading.error.message, reading.error.raw) == (kind, "It failed", raw)
            assert not reading.of(MessageEnd)
            assert all(call.state != "committed" for call in reading.calls)


class TestConverseMessage:
    def test_reasoning_keeps_its_signature(self) -> None:
        reading = converse(
            delta(0, reasoningContent={"text": "Two "}),
            delta(0, reasoningContent={"text": "and two."}),
            delta(0, reasoningContent={"signature": "c2ln"}),
            stop(0),
            delta(1, text="Four."),
            reason="end_turn",
        )
        assert [event.text for event in reading.of(ReasoningDelta)] == ["Two ", "and two."]
        reasoning = {"reasoningText": {"text": "Two and two.", "signature": "c2ln"}}
        assert reading.parser.message["content"] == [{"reasoningContent": reasoning}, {"text": "Four."}]

    @pytest.mark.parametrize(
        ("pieces", "whole"), [([b"sec", b"ret!"], b"secret!"), (["c2Vj", "cmV0IQ=="], "c2VjcmV0IQ==")]
    )
    def test_redacted_reasoning_is_binary_as_it_came(self, pieces: list[Any], whole: Any) -> None:
        reading = converse(*(delta(0, reasoningContent={"redactedContent": piece}) for piece in pieces))
        assert reading.parser.message["content"] == [{"reasoningContent": {"redactedContent": whole}}]

    def test_a_servers_call_has_its_type_and_its_result(self) -> None:
        about = {"toolUseId": "tooluse_0", "type": "nova_code_interpreter_result", "status": "success"}
        reading = converse(
            *tool(0, '{"x": 1}', name="nova_code_interpreter", type="server_tool_use"),
            start(1, toolResult=about),
            delta(1, toolResult=[{"text": "It "}]),
            delta(1, toolResult=[{"text": "is"}, {"json": {"value": 2}}]),
            stop(1),
            reason="end_turn",
        )
        named = {"toolUseId": "tooluse_0", "name": "nova_code_interpreter", "type": "server_tool_use"}
        assert reading.parser.message["content"] == [
            {"toolUse": {**named, "input": {"x": 1}}},
            {"toolResult": {**about, "content": [{"text": "It is"}, {"json": {"value": 2}}]}},
        ]

    def test_cited_text_keeps_its_citations(self) -> None:
        citation = {"title": "Sums", "location": {"web": {"url": "https://example.org"}}}
        reading = converse(delta(0, text="Four"), delta(0, citation=citation), delta(0, text="."), reason="end_turn")
        assert reading.parser.text == "Four."
        assert reading.parser.message["content"] == [
            {"citationsContent": {"content": [{"text": "Four."}], "citations": [citation]}}
        ]

    def test_an_image_is_kept(self) -> None:
        source = {"bytes": b"\x89PNG"}
        reading = converse(start(0, image={"format": "png"}), delta(0, image={"source": source}), reason="end_turn")
        assert reading.parser.message["content"] == [{"image": {"format": "png", "source": source}}]

    def test_blocks_without_indexes_are_told_by_their_ends(self) -> None:
        events = [start(0), delta(0, text="Hello"), stop(0), *tool(1, *cut(ARGUMENTS)), *tool(2, "{}")]
        events += [delta(3, text="So."), stop(3)]
        bare = [
            {name: {key: value for key, value in said.items() if key != "contentBlockIndex"}}
            for event in events
            for name, said in event.items()
        ]
        assert plain(converse(*bare)) == plain(converse(*events))
        assert converse(*bare).parser.message == converse(*events).parser.message

    @pytest.mark.parametrize("first", [{"init_event_loop": True}, {"event": START}], ids=["loop", "message"])
    def test_strands_agents_wrap_them(self, first: dict[str, Any]) -> None:
        turn = [START, delta(0, text="Hello"), stop(0), *tool(1, *cut(ARGUMENTS)), message_stop(), METADATA]
        answer = [START, delta(0, text="So."), stop(0), message_stop("end_turn"), METADATA]
        about: list[dict[str, Any]] = [
            {"start_event_loop": True},
            {"data": "Hello", "delta": {"text": "Hello"}, "agent": object()},
            {"type": "tool_use_stream", "delta": {"toolUse": {"input": "{"}}, "current_tool_use": {"name": "search"}},
            {"message": {"role": "user", "content": [{"toolResult": {}}]}},
        ]
        wrapped = [other for event in (*turn, *answer) for other in ({"event": event}, *about)]
        reading = read(*([first] if "event" not in first else []), *wrapped, {"result": object()})
        assert reading.error is None
        assert plain(reading) == plain(read(*turn, *answer))
        assert [end.safe for end in reading.of(MessageEnd)] == [True, False]

    def test_blocks_are_in_the_order_of_their_indexes(self) -> None:
        reading = converse(*tool(2, "{}"), delta(0, text="Hello"))
        assert [list(block) for block in reading.parser.message["content"]] == [["text"], ["toolUse"]]

    @recordings.parametrize(formats={"bedrock-converse"})
    def test_botocore_accepts_it(self, expected: dict[str, Any]) -> None:
        if expected["error"] is not None:
            pytest.skip("the stream holds an error")
        validate(wire.read_bytes(recordings.body(expected), on_error="event").parser.message)


def validate(message: Any) -> None:
    """Has botocore check a message as it checks a request's."""
    session = package("botocore.session").get_session()
    shape = session.get_service_model("bedrock-runtime").operation_model("Converse").input_shape
    report = package("botocore.validate").ParamValidator().validate({"modelId": "m", "messages": [message]}, shape)
    assert not report.has_errors(), report.generate_report()


# ---------------------------------------------------------------------- InvokeModelWithResponseStream

INNER: list[dict[str, Any]] = wire.anthropic(wire.text_block(0, "Hello"), wire.tool_block(1, "", *cut(ARGUMENTS)))
METRICS = {"inputTokenCount": 10, "outputTokenCount": 18, "invocationLatency": 5, "firstByteLatency": 2}


def chunk(inner: dict[str, Any], *, as_text: bool = False) -> dict[str, Any]:
    data = json.dumps(inner).encode()
    return {"chunk": {"bytes": base64.b64encode(data).decode() if as_text else data}}


def of_bedrock() -> list[dict[str, Any]]:
    return [wire.message_start("msg_bdrk_1"), *INNER[1:-1], {**INNER[-1], "amazon-bedrock-invocationMetrics": METRICS}]


def untold(reading: Reading) -> list[Any]:
    """The events but for the first, which names the provider."""
    assert reading.error is None
    return plain(reading)[1:]


class TestInvoke:
    @pytest.mark.parametrize("as_text", [False, True], ids=["bytes", "base64"])
    def test_chunks_hold_anthropic_events(self, as_text: bool) -> None:
        reading = read(*(chunk(event, as_text=as_text) for event in INNER))
        plainly = read(*INNER)
        assert reading.parser.provider == "bedrock-invoke"
        assert plainly.parser.provider == "anthropic"
        assert untold(reading) == untold(plainly)
        assert reading.parser.message == plainly.parser.message

    def test_unwrapped_events_are_told_by_bedrocks_ids(self) -> None:
        for events in (of_bedrock(), [{"type": "ping"}, *of_bedrock()]):
            reading = read(*events)
            assert reading.parser.provider == "bedrock-invoke"
            assert reading.call.state == "committed"
            assert untold(reading) == untold(read(*map(chunk, of_bedrock())))
        named = read(*of_bedrock(), provider="anthropic")
        assert named.parser.provider == "anthropic"
        assert named.parser.message == reading.parser.message

    def test_the_events_own_counts_go_before_the_metrics(self) -> None:
        usage = read(*(chunk(event) for event in of_bedrock())).parser.usage
        assert (usage.input_tokens, usage.output_tokens) == (10, 20)
        assert usage.raw["amazon-bedrock-invocationMetrics"] == METRICS

    def test_metrics_fill_in_for_counts_that_did_not_come(self) -> None:
        events = of_bedrock()
        del events[0]["message"]["usage"], events[-2]["usage"]
        cached = {**METRICS, "cacheReadInputTokenCount": 90, "cacheWriteInputTokenCount": 0}
        events[-1] = {**events[-1], "amazon-bedrock-invocationMetrics": cached}
        usage = read(*(chunk(event) for event in events)).parser.usage
        assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (100, 18, 90)
        assert usage.final

    def test_an_exception_is_the_providers_error(self) -> None:
        raw = {"modelTimeoutException": {"message": "Timed out"}}
        reading = read(*(chunk(event) for event in INNER[:7]), raw)
        assert isinstance(reading.error, ProviderError)
        assert reading.error.type == "modelTimeoutException"
        inner = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        reading = read(chunk(INNER[0]), chunk(inner))
        assert isinstance(reading.error, ProviderError)
        assert reading.error.type == "overloaded_error"

    def test_chunks_hold_chat_completions_of_other_makers(self) -> None:
        events = wire.chat(wire.chat_call(0, *cut(ARGUMENTS)))[:-2]
        metered = {**wire.usage_chunk(), "amazon-bedrock-invocationMetrics": METRICS}
        del metered["usage"]
        for provider in ("auto", "bedrock"):
            reading = read(*map(chunk, [*events, metered]), provider=provider)
            assert reading.error is None
            assert reading.parser.provider == "openai-chat"
            assert reading.call.state == "committed"
            assert reading.parser.message == read(*events).parser.message
            assert (reading.parser.usage.input_tokens, reading.parser.usage.output_tokens) == (10, 18)
            assert reading.parser.usage.final

    def test_mistral_says_stop_reason_for_finish_reason(self) -> None:
        (entry,) = wire.calls(wire.entry(0, ARGUMENTS, "call_0", "search"))["choices"]
        choice = {"index": 0, "message": entry["delta"], "stop_reason": "tool_calls"}
        reading = read(chunk({"choices": [choice], "amazon-bedrock-invocationMetrics": METRICS}))
        assert reading.call.state == "committed"
        assert reading.parser.stop_reason == "tool_calls"

    def test_chunks_hold_novas_converse_events(self) -> None:
        metadata = {**METADATA, "amazon-bedrock-invocationMetrics": METRICS}
        events = [START, delta(0, text="Hello"), stop(0), *tool(1, *cut(ARGUMENTS)), message_stop()]
        reading, plainly = read(*map(chunk, [*events, metadata])), read(*events, METADATA)
        assert plain(reading) == plain(plainly)
        assert reading.parser.provider == "bedrock-converse"
        assert reading.parser.message == plainly.parser.message

    @pytest.mark.parametrize("inner", [wire.chunk({"content": "x"}), START], ids=["chat", "nova"])
    def test_an_exception_between_their_chunks_is_the_providers_error(self, inner: dict[str, Any]) -> None:
        error = read(chunk(inner), {"throttlingException": {"message": "Slow down"}}).error
        assert isinstance(error, ProviderError)
        assert error.type == "throttlingException"

    def test_another_makers_model_is_unknown(self) -> None:
        event = chunk({"generation": "Hello", "stop_reason": None})
        for provider in ("auto", "bedrock"):
            error = read(event, provider=provider).error
            assert isinstance(error, UnknownProviderError)
            assert error.event == event

    @pytest.mark.parametrize("data", [b"{", "e30", "no base64", b"", None, 7])
    def test_a_broken_chunk_is_a_fault(self, data: Any) -> None:
        for before in ([], [chunk(INNER[0])]):
            error = read(*before, {"chunk": {"bytes": data}}).error
            assert isinstance(error, ToolStreamError)
            assert not isinstance(error, ProviderError)


# ---------------------------------------------------------------------- detection


@pytest.mark.parametrize("known", recordings.own_expectations(), ids=lambda known: known["file"])
def test_these_formats_are_told_from_all_others_by_the_first_event(known: dict[str, Any]) -> None:
    here = {"bedrock-converse", "bedrock-invoke", "cohere-v2", "ollama"}
    event = next(event for event in recordings.events(recordings.body(known)) if event.get("type") != "ping")
    recognising = {name for name, adapter in ADAPTERS.items() if adapter.recognises(event)}
    assert recognising == {known["format"]} if known["format"] in here else not recognising & here


def test_the_family_leaves_the_choice_to_the_first_event() -> None:
    assert read(START, delta(0, text="x"), message_stop(), provider="bedrock").parser.provider == "bedrock-converse"
    assert read(*map(chunk, INNER), provider="bedrock").parser.provider == "bedrock-invoke"
    assert isinstance(read(*INNER, provider="bedrock").error, UnknownProviderError)


# ---------------------------------------------------------------------- boto3

CONVERSE = [
    START,
    delta(0, text="Hel"),
    delta(0, text="lo"),
    stop(0),
    *tool(1, *cut(ARGUMENTS)),
    message_stop(),
    METADATA,
]


def client(server: Server) -> Any:
    config = package("botocore.config").Config(retries={"max_attempts": 0}, read_timeout=PATIENCE)
    about = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    return package("boto3").client("bedrock-runtime", endpoint_url=server.url, config=config, **about)


def open_stream(server: Server, messages: list[Any], operation: str, **how: Any) -> Any:
    server.reply(messages, content_type="application/vnd.amazon.eventstream", **how)
    if operation == "converse":
        asked: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "?"}]}]
        return client(server).converse_stream(modelId="m", messages=asked)["stream"]
    return client(server).invoke_model_with_response_stream(modelId="m", body=b"{}")["body"]


OPERATIONS = {"converse": aws_messages.converse(CONVERSE), "invoke": aws_messages.invoke(of_bedrock())}
each_operation = pytest.mark.parametrize("operation", OPERATIONS)


@each_operation
def test_boto3s_stream_gives_the_same_events_as_the_bytes_and_as_promptly(server: Server, operation: str) -> None:
    messages = OPERATIONS[operation]
    from_bytes = wire.read_bytes(b"".join(messages))
    expected = plain(from_bytes)
    gate, place = Gate(), wire.until_first_field(messages)
    source = open_stream(server, [*messages[:place], gate, *messages[place:]], operation)
    events: list[Event] = []
    stream = parse(source)
    for event in stream:
        events.append(event)
        if isinstance(event, FieldComplete):
            gate.open()
    assert plain(Reading(StreamParser(), events)) == expected
    assert stream.message == from_bytes.parser.message


@each_operation
def test_boto3s_exception_in_the_stream_is_the_providers_error(server: Server, operation: str) -> None:
    eventstream_error = package("botocore.exceptions").EventStreamError
    raw = {"throttlingException": {"message": "Too many tokens"}}
    messages = [*OPERATIONS[operation][:-2], *aws_messages.converse([raw])]
    stream = parse(open_stream(server, messages, operation))
    events: list[Event] = []
    with pytest.raises(ProviderError) as caught:  # noqa: PT012
        for event in stream:
            events.append(event)  # noqa: PERF402 - what came before the exception is to be kept
    assert (caught.value.type, caught.value.message) == ("throttlingException", "Too many tokens")
    assert isinstance(caught.value.__cause__, eventstream_error)
    assert any(isinstance(event, TextDelta) for event in events)
    assert not any(isinstance(event, MessageEnd) for event in events)


def test_an_exception_behind_the_stop_reason_commits_nothing(server: Server) -> None:
    raw = {"internalServerException": {"message": "It failed"}}
    stream = parse(open_stream(server, aws_messages.converse([*CONVERSE[:-1], raw]), "converse"))
    with pytest.raises(ProviderError):
        list(stream)
    assert [call.state for call in stream.calls] == ["confirmed"]


@each_operation
def test_an_exception_may_be_all_that_boto3s_stream_gives(server: Server, operation: str) -> None:
    raw = {"validationException": {"message": "Bad request"}}
    with pytest.raises(ProviderError, match="Bad request"):
        list(parse(open_stream(server, aws_messages.converse([raw]), operation)))


@each_operation
def test_leaving_the_loop_closes_boto3s_connection(server: Server, operation: str) -> None:
    gate = Gate()
    messages = OPERATIONS[operation]
    for event in parse(open_stream(server, [*messages[:-1], gate, messages[-1]], operation)):
        if isinstance(event, FieldComplete):
            break
    assert server.hung_up.wait(PATIENCE)


def test_a_stream_of_boto3s_that_is_cut_is_incomplete(server: Server) -> None:
    with pytest.raises(IncompleteError):
        list(parse(open_stream(server, OPERATIONS["converse"][:-2], "converse")))


def test_an_async_source_of_botocores_may_raise_its_exception() -> None:
    told = {"Error": {"Code": "throttlingException", "Message": "Too many tokens"}}
    error = package("botocore.exceptions").EventStreamError(told, "ConverseStream")

    async def source() -> Any:
        yield START
        yield delta(0, text="Hello")
        raise error

    async def run() -> list[Event]:
        events = []
        with pytest.raises(ProviderError, match="Too many tokens"):  # noqa: PT012
            async for event in parse(source()):
                events.append(event)  # noqa: PERF401
        return events

    assert [event.type for event in asyncio.run(run())] == ["message_start", "text_delta"]


def test_a_raw_reply_over_http_is_read_as_well(server: Server) -> None:
    httpx = package("httpx")
    messages = OPERATIONS["converse"]
    server.reply(messages, content_type="application/vnd.amazon.eventstream")
    with httpx.stream("POST", server.url, json={}, timeout=PATIENCE) as response:
        reading = Reading(StreamParser(), list(parse(response)))
    assert plain(reading) == plain(wire.read_bytes(b"".join(messages)))
