"""Objects of the real mistralai and litellm packages say what their bytes say, and the messages are what the packages
of openai, mistralai and anthropic take in a request."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import recordings
import wire
from packages import package
from wire import calls, chat, chunk, entry, plain, read, responses

from toolstream import IncompleteError, parse


@pytest.fixture
def litellm(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else its import asks the network
    return package("litellm")


@pytest.fixture
def mistral() -> Any:
    return package("mistralai.client.models" if importlib.util.find_spec("mistralai.client.models") else "mistralai")


# What its chunks leave out: a delta under another name, arguments that are no text.
LOST_IN_LITELLM = ("writer-message-for-delta", "bridge-objects-that-grow")
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}
MISTRAL = {
    "two calls in one chunk with the end": [
        chunk({"role": "assistant", "content": ""}),
        {
            **calls(entry(0, '{"x": 1}', "a", "f"), entry(1, "{}", "b", "g"), finish_reason="tool_calls"),
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        },
        wire.DONE,
    ],
    "calls without index, id and type": [
        calls(entry(None, '{"x": 1}', None, "f"), entry(None, '{"x": 2}', None, "f"), finish_reason="tool_calls"),
        wire.DONE,
    ],
    "content in parts": [
        chunk({"role": "assistant", "content": [THINKING]}),
        chunk({"content": "Yes: "}),
        calls(entry(0, '{"x": 1}', "a", "f"), finish_reason="tool_calls"),
        wire.DONE,
    ],
}


@pytest.mark.parametrize("name", MISTRAL)
def test_chunks_of_mistralai(name: str, mistral: Any) -> None:
    stream = MISTRAL[name]
    events = [mistral.CompletionEvent.model_validate({"data": event}) for event in stream if event != wire.DONE]
    reading = wire.Reading(parse(events, provider="mistral"))  # type: ignore[arg-type]
    reading.events.extend(reading.parser)  # type: ignore[arg-type]
    assert plain(reading) == plain(read(stream))
    assert reading.parser.provider == "openai-chat"
    message = reading.parser.message
    taken = mistral.AssistantMessage.model_validate(message)
    assert [call.function.arguments for call in taken.tool_calls] == [call.text for call in reading.calls]
    assert [(call.id, call.name) for call in reading.calls] == [
        (call.get("id"), call["function"]["name"])
        for event in stream[:-1]
        for call in event["choices"][0]["delta"].get("tool_calls") or ()
    ]


@recordings.parametrize(format="openai-chat")
def test_chunks_of_litellm(expected: dict[str, Any], litellm: Any) -> None:
    """As litellm makes them: members that a server leaves out are there, as null."""
    if expected["error"] is not None:
        pytest.skip("litellm raises errors instead of giving chunks of them")
    if Path(expected["file"]).stem in LOST_IN_LITELLM:
        pytest.skip("litellm's chunks cannot hold it")
    chunks = list(litellm_chunks(recordings.events(recordings.body(expected)), litellm))
    reading = wire.Reading(parse(chunks, provider="litellm", on_error="event"))  # type: ignore[arg-type]
    try:
        reading.events.extend(reading.parser)  # type: ignore[arg-type]
    except IncompleteError:
        pytest.skip("the server sends no finish_reason, only [DONE], which chunks as objects do not show")
    dumps = [one.model_dump(mode="json", warnings=False) for one in chunks]
    assert plain(reading) == plain(wire.read_bytes(wire.lines(dumps), on_error="event"))
    for call, known in zip(reading.calls, expected["calls"] or reading.calls, strict=True):
        if expected["calls"] and known["valid"] and known["name"]:
            assert (call.name, call.arguments) == (known["name"], known["arguments"])
    if expected["text"] is not None:
        assert reading.parser.text == expected["text"]


def test_a_stream_of_litellm(litellm: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        messages = [{"role": "user", "content": "Hi"}]
        source = litellm.completion(model="gpt-4o", messages=messages, mock_response="Hello, you", stream=True)
        stream = parse(source)
        for _ in stream:
            pass
    assert stream.text == "Hello, you"
    assert stream.message == {"role": "assistant", "content": "Hello, you"}


def litellm_chunks(events: list[Any], litellm: Any) -> Iterator[Any]:
    for event in events:
        if event.get("choices"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield litellm.ModelResponseStream(**event)


# ---------------------------------------------------------------------- messages


DIALECTS: dict[str, wire.Wire] = {
    **{name: stream for name, stream in wire.WHOLE.items() if name.startswith("chat")},
    **MISTRAL,
    "deepseek": chat([chunk({"reasoning_content": "Hm."}), chunk({"content": "So"})], wire.chat_call(0, '{"x": 1}')),
    "openrouter": chat(
        [chunk({"reasoning": "H", "reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "H"}]})],
        wire.chat_call(0, "{}"),
    ),
    "refusal": chat([chunk({"refusal": "No."})], finish_reason="stop"),
    "function_call": chat([chunk({"function_call": {"name": "f", "arguments": "{}"}})], finish_reason="function_call"),
    "audio": chat([chunk({"audio": {"id": "audio_1", "transcript": "Hi"}})], finish_reason="stop"),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_chat_message_is_one_that_openai_takes(name: str) -> None:
    openai = package("openai.types.chat")
    pydantic = package("pydantic")
    message = read(DIALECTS[name]).parser.message
    if isinstance(message["content"], list):
        pytest.skip("Mistral's own content")
    taken = pydantic.TypeAdapter(openai.ChatCompletionAssistantMessageParam).validate_python(message)
    assert {key: value for key, value in message.items() if key in taken} == plain_lists(taken)


@recordings.parametrize(format="openai-chat")
def test_messages_of_recorded_chats_are_such_too(expected: dict[str, Any]) -> None:
    openai = package("openai.types.chat")
    pydantic = package("pydantic")
    reading = wire.read_bytes(recordings.body(expected), on_error="event")
    message = reading.parser.partial_message
    if isinstance(message["content"], list):
        package("mistralai.client.models").AssistantMessage.model_validate(message)
    else:
        pydantic.TypeAdapter(openai.ChatCompletionAssistantMessageParam).validate_python(message)


@pytest.mark.parametrize("name", [name for name in wire.WHOLE if name.startswith("responses")])
def test_items_are_those_that_openai_takes(name: str) -> None:
    check_items(read(wire.WHOLE[name]).parser.message)


@recordings.parametrize(format="openai-responses")
def test_items_of_recorded_responses_are_such_too(expected: dict[str, Any]) -> None:
    reading = wire.read_bytes(recordings.body(expected), on_error="event")
    if reading.error is None:
        check_items(reading.parser.message)


def check_items(items: list[Any]) -> None:
    openai = package("openai.types.responses")
    pydantic = package("pydantic")
    pydantic.TypeAdapter(openai.ResponseInputParam).validate_python(items)


def test_thinking_that_litellm_must_have_back() -> None:
    fragments = [{"type": "thinking", "thinking": text, "signature": ""} for text in ("Let ", "me.")]
    signed = {"type": "thinking", "thinking": "", "signature": "c2ln"}
    blocks = [*fragments, signed]
    stream = chat([chunk({"thinking_blocks": [block]}) for block in blocks], wire.chat_call(0, "{}"))
    message = read(stream).parser.message
    assert message["thinking_blocks"] == [{"type": "thinking", "thinking": "Let me.", "signature": "c2ln"}]


def plain_lists(taken: Any) -> Any:
    """pydantic gives iterables that are read once."""
    if isinstance(taken, dict):
        return {key: plain_lists(value) for key, value in taken.items()}
    return taken if isinstance(taken, str) or not hasattr(taken, "__iter__") else [plain_lists(one) for one in taken]


def test_a_response_without_items_is_an_empty_message() -> None:
    assert read(responses()).parser.message == []
