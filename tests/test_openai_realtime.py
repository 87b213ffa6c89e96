"""OpenAI Realtime: what a socket's messages mean, with several responses on it."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
import quirks
import wire

from toolstream import (
    FieldComplete,
    IncompleteError,
    MessageEnd,
    MessageStart,
    ProviderError,
    StreamParser,
    TextDelta,
    ToolCallError,
    ToolStreamError,
    parse,
)

USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"text_tokens": 20, "cached_tokens": 5},
    "output_token_details": {"text_tokens": 10},
}
SESSION = {"type": "session.created", "event_id": "e", "session": {"id": "sess_1", "model": "gpt-realtime"}}


def told(kind: str, response: str = "r1", **about: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "event_id": "e", "response_id": response, **about}


def created(response: str = "r1") -> dict[str, Any]:
    return {"type": "response.created", "event_id": "e", "response": {"id": response, "status": "in_progress"}}


def done(response: str = "r1", status: str = "completed", *items: Any, **about: Any) -> dict[str, Any]:
    whole = {"id": response, "status": status, "output": list(items), "usage": USAGE, **about}
    return {"type": "response.done", "event_id": "e", "response": whole}


def item(id: str, arguments: str = "", status: str = "in_progress") -> dict[str, Any]:
    about = {"id": id, "type": "function_call", "status": status, "call_id": f"call_{id}", "name": "search"}
    return {**about, "arguments": arguments}


def call(id: str, *fragments: str, response: str = "r1", status: str = "completed") -> wire.Wire:
    place = {"item_id": id, "output_index": 0, "call_id": f"call_{id}"}
    whole = "".join(fragments)
    return [
        told("output_item.added", response, output_index=0, item=item(id)),
        {"type": "conversation.item.added", "event_id": "e", "item": item(id)},
        *(told("function_call_arguments.delta", response, **place, delta=text) for text in fragments),
        told("function_call_arguments.done", response, **place, arguments=whole, name="search"),
        told("output_item.done", response, output_index=0, item=item(id, whole, status)),
    ]


def said(id: str, *texts: str, kind: str = "output_text", key: str = "text", response: str = "r1") -> wire.Wire:
    place = {"item_id": id, "output_index": 0, "content_index": 0}
    about = {"id": id, "type": "message", "role": "assistant"}
    return [
        told("output_item.added", response, output_index=0, item={**about, "content": []}),
        *(told(f"{kind}.delta", response, **place, delta=text) for text in texts),
        told(f"{kind}.done", response, **place, **{key: "".join(texts)}),
        told("output_item.done", response, output_index=0, item=about),
    ]


def read(messages: wire.Wire, **options: Any) -> wire.Reading:
    return wire.read_bytes(wire.lines(messages), **options)


def test_a_call() -> None:
    reading = read([SESSION, created(), *call("i1", "{", ' "a"', ": 1}", " \n"), done("r1", "completed")])
    assert reading.error is None
    assert reading.parser.provider == "openai-realtime"
    assert (reading.call.id, reading.call.name, reading.call.text) == ("call_i1", "search", '{ "a": 1} \n')
    assert reading.call.state == "committed"
    assert [event.value for event in reading.of(FieldComplete)] == [1]
    (start,) = reading.of(MessageStart)
    assert (start.id, start.model) == ("r1", "gpt-realtime")
    assert reading.of(MessageEnd)[0].safe
    assert reading.parser.stop_reason == "completed"


def test_each_response_on_the_socket_is_a_message() -> None:
    heard = {"type": "input_audio_buffer.speech_started", "event_id": "e"}
    limits = {"type": "rate_limits.updated", "event_id": "e", "rate_limits": []}
    first = [created("r1"), *call("i1", '{"a": 1}'), done("r1")]
    second = [created("r2"), *said("i2", "It ", "is.", response="r2"), done("r2")]
    reading = read([SESSION, heard, *first, limits, *second])
    assert [event.id for event in reading.of(MessageStart)] == ["r1", "r2"]
    assert [event.safe for event in reading.of(MessageEnd)] == [True, False]
    assert reading.parser.text == "It is."
    assert reading.call.state == "committed"


def test_responses_at_once_are_told_one_after_another() -> None:
    one, other = [*call("i", '{"a": ', "1}"), done("r1")], [*call("i", '{"a": ', "2}", response="r2"), done("r2")]
    mixed = [message for pair in zip(one, other, strict=True) for message in pair]
    third = [created("r3"), *said("i3", "Hi", response="r3"), done("r3")]
    reading = read([SESSION, created("r1"), created("r2"), *mixed, *third])
    apart = [SESSION, created("r1"), *one, created("r2"), *other, *third]
    assert wire.plain(reading) == wire.plain(read(apart))
    assert [call.arguments for call in reading.calls] == [{"a": 1}, {"a": 2}]


def test_parallel_calls_of_one_response_may_interleave() -> None:
    pairs = list(zip(call("i1", '{"a": ', "1}"), call("i2", '{"a": ', "2}"), strict=True))
    reading = read([SESSION, created(), *(message for pair in pairs for message in pair), done("r1")])
    assert [call.arguments for call in reading.calls] == [{"a": 1}, {"a": 2}]
    assert [call.state for call in reading.calls] == ["committed", "committed"]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("output_text", "text"),
        ("output_audio_transcript", "transcript"),
        ("text", "text"),
        ("audio_transcript", "transcript"),
    ],
)
def test_what_is_written_or_spoken_is_text(kind: str, key: str) -> None:
    sound = [told(f"{name}.delta", item_id="i1", delta="AAAA") for name in ("output_audio", "audio")]
    whole = {"id": "i1", "type": "message", "role": "assistant", "content": [{"type": "audio", key: "Hi there"}]}
    texts = said("i1", "Hi ", "there", kind=kind, key=key)
    only_whole = [message for message in texts if not message["type"].endswith("delta")]
    for messages in ([*texts[:2], *sound, *texts[2:]], only_whole, []):
        reading = read([SESSION, created(), *messages, done("r1", "completed", whole)])
        assert "".join(event.text for event in reading.of(TextDelta)) == reading.parser.text == "Hi there"
        assert reading.parser.message == [whole]


@pytest.mark.parametrize("arguments", ['{"query": "ca', ""])
def test_done_arguments_of_a_cancelled_response_are_not_whole(arguments: str) -> None:
    cut = call("i1", *wire.cut(arguments), status="incomplete")
    details = {"type": "cancelled", "reason": "turn_detected"}
    reading = read([SESSION, created(), *cut, done("r1", "cancelled", status_details=details)])
    assert reading.error is None
    assert reading.call.state == "void"
    assert [event.call for event in reading.of(ToolCallError)] == [reading.call]
    assert reading.parser.stop_reason == "cancelled"
    assert not reading.of(MessageEnd)[0].safe


def test_a_call_that_was_whole_before_the_cancellation_is_not_asked_for() -> None:
    reading = read([SESSION, created(), *call("i1", '{"a": 1}'), done("r1", "cancelled")])
    assert reading.call.complete
    assert reading.call.state == "closed"
    assert not reading.of(MessageEnd)[0].safe


def test_a_response_that_is_incomplete_or_failed() -> None:
    details = {"type": "incomplete", "reason": "max_output_tokens"}
    begun = [SESSION, created(), *call("i1", '{"a": ')[:3]]
    reading = read([*begun, done("r1", "incomplete", status_details=details)])
    assert (reading.error, reading.call.state) == (None, "void")
    fault = {"type": "failed", "error": {"type": "server_error", "message": "Sorry", "code": "x"}}
    reading = read([*begun, done("r1", "failed", status_details=fault)])
    assert isinstance(reading.error, ProviderError)
    assert (reading.error.message, reading.error.type) == ("Sorry", "server_error")
    assert reading.parser.stop_reason == "failed"


def test_an_error_message_ends_nothing() -> None:
    fault = {"type": "error", "event_id": "e", "error": {"type": "invalid_request_error", "message": "No such item"}}
    whole = [created(), *call("i1", '{"a": 1}'), done("r1")]
    for number in range(len(whole) + 1):
        reading = read([SESSION, *whole[:number], fault, *whole[number:]])
        assert reading.error is None
        assert reading.call.state == "committed"
    closed = read([SESSION, fault])
    assert isinstance(closed.error, ProviderError)
    assert closed.error.message == "No such item"
    assert isinstance(read([fault]).error, ProviderError)
    assert isinstance(read([SESSION, *whole[:3], fault]).error, ProviderError)
    assert isinstance(read([SESSION, fault, *whole[:3]]).error, IncompleteError)


def test_a_socket_that_closes_between_responses_is_no_fault() -> None:
    whole = [SESSION, created(), *call("i1", '{"a": 1}'), done("r1")]
    assert read(whole).error is None
    assert isinstance(read(whole[:-1]).error, IncompleteError)
    assert isinstance(read(whole[:1]).error, IncompleteError)


def test_usage_of_the_response_or_beside_it() -> None:
    for end in (done("r1"), {**done("r1", usage={}), "usage": USAGE}):
        usage = read([SESSION, created(), *said("i1", "Hi"), end]).parser.usage
        assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) == (20, 10, 5)
        assert usage.cache_hit_ratio == 0.25
        assert usage.final


def test_a_socket_s_messages_are_read_without_line_ends() -> None:
    messages = [SESSION, created(), *call("i1", '{"a": 1}'), done("r1")]
    stream = parse(json.dumps(message) for message in messages)
    assert [call.arguments for call in (list(stream), stream.calls)[1]] == [{"a": 1}]


def test_a_parser_moves_between_any_two_messages() -> None:
    messages = [SESSION, created("r1"), created("r2"), *call("i1", '{"a": ', "1}"), *call("i2", "{}", response="r2")]
    messages += [done("r2"), done("r1")]
    parser = StreamParser()
    events = []
    for message in messages:
        parser = pickle.loads(pickle.dumps(parser))
        events += parser.feed_event(message)
    parser.close()
    assert [event.type for event in events] == read(messages).types


@pytest.mark.parametrize("name", quirks.REALTIME)
def test_events_of_the_openai_package(name: str) -> None:
    """As its client makes them, which leaves what it does not know as it is."""
    realtime = pytest.importorskip("openai.types.realtime.realtime_server_event", reason="openai is not installed")
    models = pytest.importorskip("openai._models")
    stream, _ = quirks.REALTIME[name]
    reading = wire.Reading(StreamParser())
    try:
        for message in stream:
            event = models.construct_type(type_=realtime.RealtimeServerEvent, value=message)
            reading.events += reading.parser.feed_event(event)
        reading.events += reading.parser.close()
    except ToolStreamError as error:
        reading.events += error.events
        reading.error = error
    assert wire.plain(reading) == wire.plain(read(stream))
