"""`message`, in each provider's own request shape, equals what the official client libraries accumulate."""

from __future__ import annotations

import gc
import sys
from typing import Any

import pytest
import recordings
import wire
from wire import WHOLE, read

# Where the client's own accumulation is no message that a request could hold, and what it does there.
CLIENT_FAULTS = {
    "cerebras/vercel-cererebras-structured-output-tools-1.jsonl": "joins two calls that have the same index",
    "mistral/ruby-llm-chat-mistral-hybrid-reasoning-streams-thinking-separately-from-content.sse": (
        "drops content that is a list"
    ),
    "chatgpt-codex-responses/rig-codex-behaviors-store-false-and-prompt-cache-fields-roundtrip.sse": "keeps no item",
    "chatgpt-codex-responses/rig-codex-sessions-reasoning-session-two-tool-calls-streaming.sse": "keeps no item",
    "chatgpt-codex-responses/rig-streaming-tools-tool-call-completed-response-without-output.sse": "keeps no item",
}


def client(sdk: Any, body: bytes) -> Any:
    """An HTTP client of the library's own kind that answers every request with body."""
    kind = next(base for base in sdk.DefaultHttpxClient.__mro__ if base.__name__ == "Client")
    http = sys.modules[kind.__module__.partition(".")[0]]
    headers = {"content-type": "text/event-stream"}
    transport = http.MockTransport(lambda _: http.Response(200, headers=headers, content=body))
    return http.Client(transport=transport)


def anthropic_message(body: bytes) -> Any:
    anthropic = pytest.importorskip("anthropic", reason="the anthropic package is not installed")
    with client(anthropic, body) as http:
        messages = anthropic.Anthropic(api_key="none", http_client=http, max_retries=0).beta.messages
        with messages.stream(model="claude", max_tokens=1, messages=[]) as stream:
            message = stream.get_final_message()
    return {"role": message.role, "content": [block.to_dict() for block in message.content]}


def chat_message(body: bytes) -> Any:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    with client(openai, body) as http:
        completions = openai.OpenAI(api_key="none", http_client=http, max_retries=0).chat.completions
        with completions.stream(model="gpt", messages=[]) as stream:
            try:
                completion = stream.get_final_completion()
            except openai.LengthFinishReasonError as error:
                completion = error.completion
            return completion.choices[0].message.to_dict()


def response_message(body: bytes) -> Any:
    openai = pytest.importorskip("openai", reason="the openai package is not installed")
    with client(openai, body) as http:
        responses = openai.OpenAI(api_key="none", http_client=http, max_retries=0).responses
        with responses.stream(model="gpt", input="") as stream:
            return [item.to_dict() for item in stream.get_final_response().output]


def comparable(message: Any) -> Any:
    """The message without nulls and without the outcome of the clients' own parsing, which they add to it."""
    if isinstance(message, list):
        return [comparable(part) for part in message]
    if not isinstance(message, dict):
        return message
    added = ("parsed", "parsed_arguments", "parsed_output")
    return {name: comparable(value) for name, value in message.items() if name not in added and value is not None}


def comparable_chat(message: dict[str, Any]) -> dict[str, Any]:
    """What of a chat message can be compared. Clients leave the arguments empty where there are none.

    The client joins whatever is text in each chunk: not only the content, also a repeated role, or the format of
    reasoning details.
    """
    told: dict[str, Any] = {
        name: message.get(name) or None
        for name in ("content", "refusal", "reasoning", "reasoning_content", "function_call")
    }
    told["tool_calls"] = [
        (call["id"], call["type"], call["function"]["name"], call["function"].get("arguments") or "{}")
        for call in message.get("tool_calls") or ()
    ]
    details = message.get("reasoning_details") or ()
    told["reasoning_details"] = "".join(detail.get("text") or "" for detail in details)
    return told


OF_CLIENT = {"anthropic": anthropic_message, "openai-chat": chat_message, "openai-responses": response_message}


def check(ours: Any, theirs: Any, provider: str) -> None:
    if provider == "openai-chat":
        assert comparable_chat(ours) == comparable_chat(theirs)
        assert ours["role"] == "assistant"
    else:
        assert comparable(ours) == comparable(theirs)


@pytest.mark.parametrize("name", WHOLE)
def test_it_equals_the_client_s(name: str) -> None:
    reading = read(WHOLE[name])
    provider = reading.parser.provider
    assert provider is not None
    check(reading.parser.message, OF_CLIENT[provider](wire.sse(WHOLE[name])), provider)


# Not on the streams of this repository: they are the ones that clients stumble over.
@recordings.parametrize(own=False, formats=OF_CLIENT)
def test_it_equals_the_client_s_on_recordings(expected: dict[str, Any]) -> None:
    if expected["error"] is not None:
        pytest.skip("the stream holds an error")
    if expected["file"] in CLIENT_FAULTS:
        pytest.skip(f"the client {CLIENT_FAULTS[expected['file']]}")
    provider = expected["format"]
    if provider not in OF_CLIENT:
        pytest.skip("no client of this format accumulates a message")
    for stream in messages(recordings.events(recordings.body(expected)), provider):
        ours = read([*stream, wire.DONE], on_error="event")
        if "message_end" not in ours.types:
            continue  # replaced by the next one
        fault, theirs = "", None
        try:
            theirs = OF_CLIENT[provider](wire.sse([*stream, wire.DONE]))
        except Exception as error:
            fault = repr(error)
        if fault:
            collect_quietly()
            pytest.skip(f"the client cannot read it: {fault}")
        check(ours.parser.message, theirs, provider)


def collect_quietly() -> None:
    """What a client that has given up leaves open complains when it is collected: now, and not in another test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "unraisablehook", lambda _: None)
        gc.collect()


def messages(events: list[Any], provider: str) -> list[list[Any]]:
    """The events of each message in a recording."""
    first = {"anthropic": "message_start", "openai-responses": "response.created"}.get(provider)
    told: list[list[Any]] = []
    for event in events:
        if not told or event.get("type") == first is not None:
            told.append([])
        told[-1].append(event)
    return told


def test_it_holds_arguments_as_deep_as_the_limit_allows() -> None:
    deep = '{"a":' + "[" * 511 + "]" * 511 + "}"
    message = read(wire.anthropic(wire.tool_block(0, deep))).parser.message
    value, depth = message["content"][0]["input"]["a"], 1
    while value:
        (value,), depth = value, depth + 1
    assert depth == 511
