"""Argument fragments as three providers send them: server-sent events with the envelopes seen on the wire.

Shapes follow the providers' own references: Anthropic Messages (docs.anthropic.com, "Streaming messages"), OpenAI
Chat Completions and Responses (platform.openai.com, "Streaming events"). Ids, sequence numbers and the padding that
hides token lengths are there, because they are part of what a parser must walk. Deterministic.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from .workloads import Workload, workload

TOOL_NAME = "run_tool"
PADDING_BLOCK = 16
CHUNK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Stream:
    """One streamed reply with one tool call. events: its server-sent events, each with its blank line."""

    shape: str
    workload: Workload
    events: tuple[bytes, ...]

    def chunks(self, size: int | None = None) -> list[bytes]:
        """What arrives from the network: one event a chunk, or chunks of `size` bytes."""
        if size is None:
            return list(self.events)
        body = b"".join(self.events)
        return [body[at : at + size] for at in range(0, len(body), size)]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _typed(payload: dict[str, Any], *, pad: str = "") -> bytes:
    data = _compact(payload)
    return f"event: {payload['type']}\ndata: {data[:-1]}{pad}}}\n\n".encode()


def _token(random: Random, length: int) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def _anthropic(fragments: Iterable[str], *, padded: bool = False) -> Iterable[bytes]:
    """padded: spaces before the last brace, as the API adds them to some models' events."""
    random = Random("anthropic")

    def typed(payload: dict[str, Any]) -> bytes:
        return _typed(payload, pad=" " * random.randrange(PADDING_BLOCK) if padded else "")

    usage = {"input_tokens": 512, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 384, "output_tokens": 3}
    message: dict[str, Any] = {
        "model": "claude-sonnet-4-20250514",
        "id": "msg_01XbenchXXXXXXXXXXXXXXXX",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "service_tier": "standard"},
    }
    block = {"type": "tool_use", "id": "toolu_01XbenchXXXXXXXXXXXXXX", "name": TOOL_NAME, "input": {}}
    yield typed({"type": "message_start", "message": message})
    yield typed({"type": "content_block_start", "index": 0, "content_block": block})
    yield typed({"type": "ping"})
    for fragment in ("", *fragments):
        delta = {"type": "input_json_delta", "partial_json": fragment}
        yield typed({"type": "content_block_delta", "index": 0, "delta": delta})
    yield typed({"type": "content_block_stop", "index": 0})
    stop = {"stop_reason": "tool_use", "stop_sequence": None}
    yield typed({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 800}})
    yield typed({"type": "message_stop"})


def _chat(fragments: Iterable[str], *, padded: bool = False) -> Iterable[bytes]:
    """padded: the `obfuscation` member, which OpenAI sends unless it is switched off and compatible servers lack."""
    random = Random("chat")

    def chunk(choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
        payload: dict[str, Any] = {
            "id": "chatcmpl-BenchXXXXXXXXXXXXXXXXXXXXXXX",
            "object": "chat.completion.chunk",
            "created": 1750959981,
            "model": "gpt-4o-mini-2024-07-18",
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
            "choices": choices,
            "usage": usage,
        }
        if padded:
            payload["obfuscation"] = _token(random, random.randrange(1, PADDING_BLOCK))
        return f"data: {_compact(payload)}\n\n".encode()

    def choice(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}])

    function = {"name": TOOL_NAME, "arguments": ""}
    call = {"index": 0, "id": "call_BenchXXXXXXXXXXXXXXXXXX", "type": "function", "function": function}
    yield choice({"role": "assistant", "content": None, "tool_calls": [call], "refusal": None})
    for fragment in fragments:
        yield choice({"tool_calls": [{"index": 0, "function": {"arguments": fragment}}]})
    yield choice({}, "tool_calls")
    details = {"prompt_tokens_details": {"cached_tokens": 384}, "completion_tokens_details": {"reasoning_tokens": 0}}
    yield chunk([], {"prompt_tokens": 512, "completion_tokens": 800, "total_tokens": 1312, **details})
    yield b"data: [DONE]\n\n"


def _responses(fragments: Iterable[str]) -> Iterable[bytes]:
    """Each event numbered; each delta padded to a whole block, so that its length tells nothing."""
    random = Random("responses")
    number = iter(range(10**9))
    item_id = "fc_" + "0123456789abcdef" * 3
    text = "".join(fragments := list(fragments))

    def typed(kind: str, **members: Any) -> bytes:
        return _typed({"type": kind, **members, "sequence_number": next(number)})

    def response(status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None) -> dict[str, Any]:
        return {
            "id": "resp_" + "fedcba9876543210" * 3,
            "object": "response",
            "created_at": 1778089181,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "model": "gpt-5-mini-2025-08-07",
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": "minimal", "summary": None},
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "metadata": {},
        }

    def item(status: str, arguments: str) -> dict[str, Any]:
        call = {"call_id": "call_BenchXXXXXXXXXXXXXXXXXX", "name": TOOL_NAME}
        return {"id": item_id, "type": "function_call", "status": status, "arguments": arguments, **call}

    yield typed("response.created", response=response("in_progress", [], None))
    yield typed("response.in_progress", response=response("in_progress", [], None))
    yield typed("response.output_item.added", item=item("in_progress", ""), output_index=0)
    for fragment in fragments:
        yield typed(
            "response.function_call_arguments.delta",
            delta=fragment,
            item_id=item_id,
            obfuscation=_token(random, PADDING_BLOCK - len(fragment) % PADDING_BLOCK),
            output_index=0,
        )
    yield typed("response.function_call_arguments.done", arguments=text, item_id=item_id, output_index=0)
    yield typed("response.output_item.done", item=item("completed", text), output_index=0)
    usage = {
        "input_tokens": 512,
        "input_tokens_details": {"cached_tokens": 384},
        "output_tokens": 800,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1312,
    }
    yield typed("response.completed", response=response("completed", [item("completed", text)], usage))


SHAPES = ("anthropic", "chat", "responses")
PADDED_SHAPES = ("anthropic-padded", "chat-padded")


@cache
def stream(shape: str, key: str, fragment_size: int = 16, chars: int | None = None) -> Stream:
    """The workload `key` as one provider streams it (`SHAPES`, `PADDED_SHAPES`)."""
    document = workload(key, chars)
    fragments = document.fragments(fragment_size)
    return Stream(shape, document, tuple(_events(shape, fragments)))


def _events(shape: str, fragments: list[str]) -> Iterable[bytes]:
    name, _, padding = shape.partition("-")
    if name == "responses":
        return _responses(fragments)
    make = _anthropic if name == "anthropic" else _chat
    return make(fragments, padded=bool(padding))
