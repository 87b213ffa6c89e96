"""Small streams in the providers' wire shapes, made for the tests of everything around the parsers.

Each builder gives a stream as a list of SSE frames (bytes), so that a test can stop between any two.
`TEXT` and `CALLS` are what all of them say; arguments come in fragments of `size` characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One tool call: its arguments as the model wrote them."""

    id: str
    name: str
    arguments: str


TEXT = "I look it up: naïve café ☕."
CALLS = (
    Call("call_1", "search", '{"query": "caf\\u00e9 \\"open\\" ☕", "limit": 12.5, "tags": ["a", {"b": null}]}'),
    Call("call_2", "ping", '{"host": "example.org"}'),
)


def anthropic(text: str = TEXT, calls: tuple[Call, ...] = CALLS, size: int = 7) -> list[bytes]:
    """An Anthropic Messages stream that asks for its calls."""
    usage = {"input_tokens": 20, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 0, "output_tokens": 1}
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if text:
        deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(text, size)]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for call in calls:
        start = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ("", *_pieces(call.arguments, size))]
        blocks.append((start, deltas))
    for index, (start, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": start})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": "tool_use" if calls else "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 40}})
    events.append({"type": "message_stop"})
    return [_frame(event, event["type"]) for event in events]


def chat(text: str = TEXT, calls: tuple[Call, ...] = CALLS, size: int = 7) -> list[bytes]:
    """An OpenAI Chat Completions stream that asks for its calls."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if calls and not text else ""}]
    deltas += [{"content": piece} for piece in _pieces(text, size)]
    for index, call in enumerate(calls):
        start = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        deltas.append({"tool_calls": [start]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in _pieces(call.arguments, size)
        ]
    chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}]))
    usage = {
        "prompt_tokens": 25,
        "completion_tokens": 40,
        "total_tokens": 65,
        "prompt_tokens_details": {"cached_tokens": 5},
    }
    chunks.append(_chunk([], usage=usage))
    return [*(_frame(chunk) for chunk in chunks), b"data: [DONE]\n\n"]


def responses(text: str = TEXT, calls: tuple[Call, ...] = CALLS, size: int = 7) -> list[bytes]:
    """An OpenAI Responses stream that asks for its calls."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": _response("in_progress", [])},
        {"type": "response.in_progress", "response": _response("in_progress", [])},
    ]
    items: list[dict[str, Any]] = []
    if text:
        events += _text_item(text, size, items)
    for call in calls:
        events += _call_item(call, size, items)
    events.append({"type": "response.completed", "response": _response("completed", items)})
    return [_frame({**event, "sequence_number": number}, event["type"]) for number, event in enumerate(events)]


def body(frames: list[bytes]) -> bytes:
    """The whole stream."""
    return b"".join(frames)


def decoded(frames: list[bytes]) -> list[dict[str, Any]]:
    """The frames' events, for sources that give them decoded; without the sentinel, which is none."""
    data = (frame.split(b"data: ", 1)[1] for frame in frames)
    return [json.loads(text) for text in data if not text.startswith(b"[DONE]")]


BUILDERS = {"anthropic": anthropic, "openai-chat": chat, "openai-responses": responses}


def _chunk(choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-test"}
    return {**head, "choices": choices, **more}


def _response(status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": 25,
        "input_tokens_details": {"cached_tokens": 5},
        "output_tokens": 40,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 65,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "gpt-test",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if status == "completed" else None,
    }


def _text_item(text: str, size: int, items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    place = {"item_id": "msg_1", "output_index": len(items), "content_index": 0}
    whole = {"type": "output_text", "text": text, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant"}
    started = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": len(items), "item": started}
    yield {"type": "response.content_part.added", **place, "part": {**whole, "text": ""}}
    for piece in _pieces(text, size):
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": whole}
    done = {**item, "status": "completed", "content": [whole]}
    yield {"type": "response.output_item.done", "output_index": len(items), "item": done}
    items.append(done)


def _call_item(call: Call, size: int, items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    place = {"item_id": f"fc_{call.id}", "output_index": len(items)}
    item = {"id": f"fc_{call.id}", "type": "function_call", "call_id": call.id, "name": call.name}
    started = {**item, "status": "in_progress", "arguments": ""}
    yield {"type": "response.output_item.added", "output_index": len(items), "item": started}
    for piece in _pieces(call.arguments, size):
        yield {"type": "response.function_call_arguments.delta", **place, "delta": piece}
    yield {"type": "response.function_call_arguments.done", **place, "arguments": call.arguments, "name": call.name}
    done = {**item, "status": "completed", "arguments": call.arguments}
    yield {"type": "response.output_item.done", "output_index": len(items), "item": done}
    items.append(done)


def _pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _frame(data: dict[str, Any], event: str | None = None) -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
