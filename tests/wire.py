"""Small streams as the providers send them, written for these tests, and ways to read them.

A stream is a list of decoded events; `sse` and `lines` put it on the wire. `STREAMS` holds one of each kind for the
tests that must hold for every stream.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from toolstream import (
    Event,
    FieldComplete,
    FieldDelta,
    StreamParser,
    ToolCall,
    ToolStreamError,
    parse,
)

DONE = "[DONE]"
Wire = list[Any]


# ---------------------------------------------------------------------- Anthropic Messages


def message_start(id: str = "msg_1", content: Any = (), stop_reason: str | None = None, **usage: int) -> dict[str, Any]:
    message = {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": list(content),
        "stop_reason": stop_reason,
        "usage": usage or {"input_tokens": 10, "output_tokens": 1},
    }
    return {"type": "message_start", "message": message}


def block_start(index: int, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def block_delta(index: int, **delta: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def block_stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def tool_start(index: int, name: str = "search", id: str | None = None, type: str = "tool_use", **more: Any) -> Any:
    return block_start(index, type=type, id=id or f"toolu_{index}", name=name, **{"input": {}, **more})


def json_delta(index: int, text: str) -> dict[str, Any]:
    return block_delta(index, type="input_json_delta", partial_json=text)


def tool_block(index: int, *fragments: str, **about: Any) -> Wire:
    return [tool_start(index, **about), *(json_delta(index, text) for text in fragments), block_stop(index)]


def text_block(index: int, *texts: str) -> Wire:
    deltas = [block_delta(index, type="text_delta", text=text) for text in texts]
    return [block_start(index, type="text", text=""), *deltas, block_stop(index)]


def message_delta(stop_reason: str | None, **usage: Any) -> dict[str, Any]:
    delta = {"stop_reason": stop_reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": delta, "usage": usage or {"output_tokens": 20}}


MESSAGE_STOP = {"type": "message_stop"}


def anthropic(*blocks: Wire, stop_reason: str | None = "tool_use") -> Wire:
    return [message_start(), *(event for block in blocks for event in block), message_delta(stop_reason), MESSAGE_STOP]


# ---------------------------------------------------------------------- OpenAI Chat Completions


def chunk(delta: Any = None, finish_reason: str | None = None, index: int = 0, **choice: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt",
        "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish_reason, **choice}],
    }


def entry(index: int | None = 0, arguments: Any = None, id: Any = None, name: str | None = None) -> dict[str, Any]:
    """One element of tool_calls; what is None is left out."""
    function = {"name": name, "arguments": arguments}
    kind = "function" if id else None
    function = {key: value for key, value in function.items() if value is not None}
    whole = {"index": index, "id": id, "type": kind, "function": function}
    return {key: value for key, value in whole.items() if value is not None}


def calls(*entries: dict[str, Any], **of_chunk: Any) -> dict[str, Any]:
    return chunk({"tool_calls": list(entries)}, **of_chunk)


def chat_call(index: int, *fragments: str, name: str = "search", id: str | None = None) -> Wire:
    first = entry(index, "", id or f"call_{index}", name)
    return [calls(first), *(calls(entry(index, text)) for text in fragments)]


def usage_chunk(**usage: Any) -> dict[str, Any]:
    return {**chunk(), "choices": [], "usage": usage or {"prompt_tokens": 10, "completion_tokens": 20}}


def chat(*parts: Wire, finish_reason: str | None = "tool_calls") -> Wire:
    first = chunk({"role": "assistant", "content": None})
    return [
        first,
        *(event for part in parts for event in part),
        chunk(finish_reason=finish_reason),
        usage_chunk(),
        DONE,
    ]


# ---------------------------------------------------------------------- OpenAI Responses


def response(status: str, **more: Any) -> dict[str, Any]:
    kind = "response.created" if status == "in_progress" else f"response.{status}"
    about = {"id": "resp_1", "object": "response", "model": "gpt", "status": status, "output": [], **more}
    return {"type": kind, "sequence_number": 0, "response": about}


def function_item(index: int, arguments: str = "", status: str = "in_progress", **more: Any) -> dict[str, Any]:
    about = {"id": f"fc_{index}", "call_id": f"call_{index}", "name": "search", "arguments": arguments}
    return {"type": "function_call", **about, "status": status, **more}


def item_added(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def item_done(index: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def arguments_delta(index: int, text: Any, kind: str = "function_call_arguments") -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "output_index": index, "item_id": f"fc_{index}", "delta": text}


def arguments_done(index: int, text: str, kind: str = "function_call_arguments", key: str = "arguments") -> Any:
    return {"type": f"response.{kind}.done", "output_index": index, "item_id": f"fc_{index}", key: text}


def function_call(index: int, *fragments: str, status: str = "completed", **more: Any) -> Wire:
    whole = "".join(fragments)
    return [
        item_added(index, function_item(index, **more)),
        *(arguments_delta(index, text) for text in fragments),
        arguments_done(index, whole),
        item_done(index, function_item(index, whole, status, **more)),
    ]


def output_text(index: int, *texts: str) -> Wire:
    part = {"type": "output_text", "text": "".join(texts), "annotations": []}
    about = {"type": "message", "id": f"msg_{index}", "role": "assistant"}
    place = {"output_index": index, "content_index": 0, "item_id": f"msg_{index}"}
    return [
        item_added(index, {**about, "status": "in_progress", "content": []}),
        {"type": "response.content_part.added", **place, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": text} for text in texts),
        {"type": "response.output_text.done", **place, "text": "".join(texts)},
        item_done(index, {**about, "status": "completed", "content": [part]}),
    ]


RESPONSE_USAGE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 7},
}


def responses(*parts: Wire, status: str = "completed", **of_end: Any) -> Wire:
    events = [event for part in parts for event in part]
    output = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    end = response(status, **{"output": output, "usage": RESPONSE_USAGE, **of_end})
    return [response("in_progress"), *events, end]


# ---------------------------------------------------------------------- on the wire


def sse(wire: Wire, line_end: str = "\n") -> bytes:
    """The stream as server-sent events; typed events name their type as the providers do."""
    text = ""
    for event in wire:
        if event == DONE:
            text += "data: [DONE]\n\n"
            continue
        name = f"event: {event['type']}\n" if "type" in event else ""
        text += f"{name}data: {json.dumps(event, ensure_ascii=False)}\n\n"
    return text.replace("\n", line_end).encode("utf-8", "surrogatepass")


def lines(wire: Wire) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in wire if event != DONE)


# ---------------------------------------------------------------------- reading


@dataclass
class Reading:
    """What became of a stream: its events, how it ended, and the parser."""

    parser: StreamParser
    events: list[Event] = field(default_factory=list)
    error: ToolStreamError | None = None

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def calls(self) -> list[ToolCall]:
        return self.parser.calls

    @property
    def call(self) -> ToolCall:
        (call,) = self.parser.calls
        return call

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


def pieces(data: bytes, size: int | None) -> list[bytes]:
    return [data] if size is None else [data[at : at + size] for at in range(0, len(data), size)]


def read_bytes(data: bytes | list[bytes], size: int | None = None, **options: Any) -> Reading:
    """Reads bytes to their end, cut into pieces of size or as they are given."""
    return _read(StreamParser.feed, data if isinstance(data, list) else pieces(data, size), options)


def until_first_field(pieces: list[bytes]) -> int:
    """How many of the pieces there must be before a field is complete."""
    parser = StreamParser()
    for number, piece in enumerate(pieces, 1):
        if any(isinstance(event, FieldComplete) for event in parser.feed(piece)):
            return number
    raise ValueError("no field is complete")


def read_events(events: Iterable[Any], **options: Any) -> Reading:
    """Reads decoded events, or a package's objects, to their end."""
    return _read(StreamParser.feed_event, events, options)


def _read(feed: Callable[[StreamParser, Any], list[Event]], items: Iterable[Any], options: dict[str, Any]) -> Reading:
    reading = Reading(StreamParser(**options))
    try:
        for item in items:
            reading.events += feed(reading.parser, item)
        reading.events += reading.parser.close()
    except ToolStreamError as error:
        reading.events += error.events
        reading.error = error
    return reading


def read_source(source: Any, **options: Any) -> Reading:
    """Reads a source by `parse`."""
    stream: Any = parse(source, **options)
    reading = Reading(stream)
    try:
        reading.events.extend(stream)
    except ToolStreamError as error:
        reading.error = error
    return reading


def read_async_source(items: Iterable[Any], **options: Any) -> Reading:
    """Reads the items by `parse`, from an async iterable."""

    async def source() -> AsyncIterator[Any]:
        for item in items:
            yield item

    async def run() -> Reading:
        stream: Any = parse(source(), **options)
        reading = Reading(stream)
        try:
            async for event in stream:
                reading.events.append(event)
        except ToolStreamError as error:
            reading.error = error
        return reading

    return asyncio.run(run())


def read(wire: Wire, **options: Any) -> Reading:
    return read_bytes(sse(wire), **options)


def plain(reading: Reading) -> list[Any]:
    """The events as values that can be compared between parsers, with adjacent growth of one string joined."""
    told: list[Any] = []
    last: Any = None
    for event in reading.events:
        about = {
            name: value.index if isinstance(value, ToolCall) else value
            for name, value in zip(event.__slots__, (getattr(event, name) for name in event.__slots__), strict=True)
        }
        if isinstance(about.get("error"), ToolStreamError):
            about["error"] = repr(about["error"])
        place = (event.type, about.get("call"), about.get("path"))
        if isinstance(event, FieldDelta) and place == last:
            told[-1]["text"] += event.text
        else:
            told.append({"type": event.type, **about})
        last = place
    if reading.error is not None:
        told.append((type(reading.error).__name__, str(reading.error)))
    return told


ARGUMENTS = '{"query": "caf\u00e9 \U0001f600", "limit": 10, "tags": ["a", "b"], "where": {"city": "Paris"}}'


def cut(text: str, size: int = 5) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


STREAMS: dict[str, Wire] = {
    "anthropic, one call": anthropic(tool_block(0, "", *cut(ARGUMENTS))),
    "anthropic, text, thinking and calls in parallel": [
        message_start(),
        block_start(0, type="thinking", thinking="", signature=""),
        block_delta(0, type="thinking_delta", thinking="Let me "),
        {"type": "ping"},
        block_delta(0, type="thinking_delta", thinking="look."),
        block_delta(0, type="signature_delta", signature="c2ln"),
        block_stop(0),
        *text_block(1, "I will ", "search."),
        *tool_block(2, "", *cut(ARGUMENTS)),
        *tool_block(3, "", name="ping"),
        *tool_block(4, "", '{"x":', "1}", name="add"),
        message_delta("tool_use"),
        MESSAGE_STOP,
    ],
    "anthropic, a server's call": anthropic(
        tool_block(0, '{"query":', '"x"}', type="server_tool_use", name="web_search"),
        [block_start(1, type="web_search_tool_result", tool_use_id="toolu_0", content=[]), block_stop(1)],
        text_block(2, "Done."),
        stop_reason="end_turn",
    ),
    "anthropic, text only": anthropic(text_block(0, "Hello, ", "wörld"), stop_reason="end_turn"),
    "anthropic, cut by its length limit": anthropic(tool_block(0, '{"query": "ca'), stop_reason="max_tokens"),
    "chat, one call": chat(chat_call(0, *cut(ARGUMENTS))),
    "chat, text and calls in parallel": chat(
        [chunk({"content": "I will "}), chunk({"content": "search."})],
        chat_call(0, *cut(ARGUMENTS)),
        chat_call(1, "{}", name="ping"),
        chat_call(2, '{"x":', "1}", name="add"),
    ),
    "chat, calls interleaved": chat(
        [calls(entry(0, "", "a", "search"), entry(1, "", "b", "search"))],
        [
            calls(entry(index, text))
            for pair in zip(*[cut(ARGUMENTS)] * 2, strict=True)
            for index, text in enumerate(pair)
        ],
    ),
    "chat, text only": chat([chunk({"content": "Hello, wörld"})], finish_reason="stop"),
    "chat, cut by its length limit": chat(chat_call(0, '{"query": "ca'), finish_reason="length"),
    "responses, one call": responses(function_call(0, *cut(ARGUMENTS))),
    "responses, text and calls in parallel": responses(
        output_text(0, "I will ", "search."),
        function_call(1, *cut(ARGUMENTS)),
        function_call(2, "{}", name="ping"),
    ),
    "responses, text only": responses(output_text(0, "Hello, ", "wörld")),
    "responses, cut by its length limit": responses(
        [item_added(0, function_item(0)), arguments_delta(0, '{"query": "ca')],
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    ),
}
WHOLE = {name: wire for name, wire in STREAMS.items() if "length limit" not in name}
