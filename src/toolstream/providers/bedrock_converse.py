"""AWS Bedrock ConverseStream: events of one member each, content blocks keyed by their index.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
The usage comes behind the stop reason, and is left out by some proxies: so a message ends with both of them, or with
the stream. Strands agents give the same events of any provider's model, each in an `event`, among others of their own;
most of them without indexes.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..usage import Usage
from .common import find_error

STOP_KINDS: dict[str | None, StopKind] = {
    "tool_use": "tools",
    "end_turn": "natural",  # some models' word behind calls, too
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "filter",
    "content_filtered": "filter",
    # The service could not make sense of what the model wrote: nothing of it is meant.
    "malformed_model_output": "filter",
    "malformed_tool_use": "filter",
}
EVENTS = ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop")


@dataclass
class Block:
    """What has come of one content block. start: what its contentBlockStart held; empty for text and reasoning."""

    start: dict[str, Any]
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    signature: list[str] = field(default_factory=list)
    redacted: list[Any] = field(default_factory=list)  # bytes from boto3, base64 from the wire
    citations: list[Any] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)


class BedrockConverse:
    name = "bedrock-converse"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._blocks: dict[int, Block] = {}
        self._current: int | None = None  # the block that has begun and not ended
        self._stopped = False
        self._metered = False

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        event = unwrapped(event)
        return "init_event_loop" in event or any(isinstance(event.get(name), dict) for name in EVENTS)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        event = unwrapped(event)
        if "contentBlockDelta" in event:
            said = event["contentBlockDelta"]
            self._delta(self._place(said), said["delta"], assembler)
        elif "contentBlockStart" in event:
            said = event["contentBlockStart"]
            self._current = None
            self._open(self._place(said), said.get("start") or {}, assembler)
        elif "contentBlockStop" in event:
            assembler.close(self._place(event["contentBlockStop"]))
            self._current = None
        elif "messageStart" in event:
            self._message_start(assembler)
        elif "messageStop" in event:
            reason = event["messageStop"].get("stopReason")
            assembler.stop(reason, STOP_KINDS.get(reason, "other"))
            self._stopped = True
        elif "metadata" in event:
            self._add_usage(event["metadata"].get("usage") or {}, assembler)
            self._metered = True
        else:
            error = find_error(event)
            if error is not None:
                assembler.fail(error)
        if self._stopped and self._metered and not assembler.ended:
            assembler.end()

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # the fast lane reads server-sent events

    def end(self, assembler: Assembler, done: bool) -> None:
        if self._stopped:
            assembler.end()
        else:
            assembler.break_off("the stream ended without messageStop")

    def _place(self, said: dict[str, Any]) -> int:
        """The index of an event's block."""
        index = said.get("contentBlockIndex", self._current)
        self._current = len(self._blocks) if index is None else index
        return self._current

    def _message_start(self, assembler: Assembler) -> None:
        if self._stopped and not assembler.ended:
            assembler.end()
        assembler.message_start(None, None)
        self._forget()

    def _open(self, index: int, start: dict[str, Any], assembler: Assembler) -> Block:
        if assembler.ended:
            self._forget()
        assembler.went_on()
        block = self._blocks[index] = Block(start)
        tool = start.get("toolUse")
        if tool is not None:
            is_server = tool.get("type") == "server_tool_use"
            assembler.open(index, id=tool.get("toolUseId"), name=tool.get("name"), server=is_server)
        return block

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        block = self._blocks.get(index)
        if block is None or assembler.ended:
            block = self._open(index, {}, assembler)  # text and reasoning begin without saying so
        if delta.get("toolUse"):
            assembler.fragment(index, delta["toolUse"].get("input"))
        if delta.get("text"):
            assembler.text_delta(delta["text"], index)
            block.text.append(delta["text"])
        if delta.get("reasoningContent"):
            self._reason(index, block, delta["reasoningContent"], assembler)
        if delta.get("citation"):
            block.citations.append(delta["citation"])
        if delta.get("toolResult"):
            block.results += delta["toolResult"]
        if delta.get("image"):
            block.start = {**block.start, "image": {**(block.start.get("image") or {}), **delta["image"]}}

    def _reason(self, index: int, block: Block, said: dict[str, Any], assembler: Assembler) -> None:
        if said.get("text"):
            assembler.reasoning_delta(said["text"], index)
            block.reasoning.append(said["text"])
        if said.get("signature"):
            block.signature.append(said["signature"])
        if said.get("redactedContent"):
            block.redacted.append(said["redactedContent"])

    def _add_usage(self, raw: dict[str, Any], assembler: Assembler) -> None:
        read, written = raw.get("cacheReadInputTokens"), raw.get("cacheWriteInputTokens")
        fresh = raw.get("inputTokens")
        assembler.usage_update(
            Usage(
                input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
                output_tokens=raw.get("outputTokens"),
                cache_read_tokens=read,
                cache_write_tokens=written,
                raw=raw,
            )
        )

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The message as the next request must contain it; blocks that came to nothing, which no request may hold,
        are left out."""
        blocks = (content(block, assembler.call(index)) for index, block in sorted(self._blocks.items()))
        return {"role": "assistant", "content": [block for block in blocks if block is not None]}


def unwrapped(event: dict[str, Any]) -> dict[str, Any]:
    """The event in one of Strands'; the event itself elsewhere."""
    inner = event.get("event")
    return inner if isinstance(inner, dict) else event


def content(block: Block, call: ToolCall | None) -> dict[str, Any] | None:
    """The content block that a request holds for what has come of it; None for nothing."""
    start = block.start
    if "toolUse" in start:
        tool = {name: start["toolUse"].get(name) for name in ("toolUseId", "name")}
        if call is not None and call.server:
            tool["type"] = start["toolUse"]["type"]
        return {"toolUse": {**tool, "input": {} if call is None else call.snapshot()}}
    if "toolResult" in start:
        return {"toolResult": {**start["toolResult"], "content": whole_results(block.results)}}
    if "image" in start:
        return {"image": start["image"]}
    if block.reasoning or block.signature:
        told = {"text": joined(block.reasoning)}
        if block.signature:
            told["signature"] = joined(block.signature)
        return {"reasoningContent": {"reasoningText": told}}
    if block.redacted:
        return {"reasoningContent": {"redactedContent": whole_blob(block.redacted)}}
    if block.citations:
        return {"citationsContent": {"content": [{"text": joined(block.text)}], "citations": block.citations}}
    return {"text": joined(block.text)} if block.text else None


def whole_results(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A tool's results, with the text that came in pieces joined."""
    whole: list[dict[str, Any]] = []
    for piece in pieces:
        if "text" in piece and whole and "text" in whole[-1]:
            whole[-1] = {"text": whole[-1]["text"] + piece["text"]}
        else:
            whole.append(piece)
    return whole


def whole_blob(pieces: list[Any]) -> Any:
    """Binary content that came in pieces: as bytes where boto3 gave bytes, as base64 where the wire did."""
    data = b"".join(base64.b64decode(piece) if isinstance(piece, str) else bytes(piece) for piece in pieces)
    return base64.b64encode(data).decode() if isinstance(pieces[0], str) else data
