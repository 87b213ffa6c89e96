"""Anthropic Messages: typed events, content blocks keyed by their index.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

import operator
from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..usage import Usage
from .common import merged, provider_error

STOP_KINDS: dict[str | None, StopKind] = {
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "filter",
}
_KINDS = ("message_start", "message_delta", "message_stop", "content_block_")


class Anthropic:
    name = "anthropic"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._parts: dict[int, list[str]] = {}  # what has grown in a block since its start
        self._citations: dict[int, list[Any]] = {}  # what was cited in it since
        self._usage: dict[str, Any] = {}

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        return isinstance(kind, str) and kind.startswith(_KINDS) and not is_of_bedrock(event)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind == "content_block_delta":
            self._delta(event["index"], event["delta"], assembler)
        elif kind == "content_block_start":
            assembler.went_on()
            self._block(event["index"], event["content_block"], assembler)
        elif kind == "content_block_stop":
            self._block_stop(event["index"], assembler)
        elif kind == "message_start":
            self._message_start(event["message"], assembler)
        elif kind == "message_delta":
            self._add_usage(event.get("usage"), assembler)
            reason = event["delta"].get("stop_reason")
            if reason is not None:
                assembler.stop(reason, STOP_KINDS.get(reason, "other"))
        elif kind == "message_stop":
            assembler.end()
        elif kind == "error":
            assembler.fail(provider_error(event))

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        if event.get("type") != "content_block_delta":
            return None
        index, delta = event["index"], event["delta"]
        kind = delta.get("type")
        if kind == "input_json_delta":
            call = assembler.call(index)
            return None if call is None else Repeat("partial_json", delta["partial_json"], call)
        if kind == "text_delta":
            return Repeat("text", delta["text"], None, index, (assembler.texts, self._parts[index]))
        if kind == "thinking_delta":
            return Repeat("thinking", delta["thinking"], None, index, (self._parts[index],), reasoning=True)
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without message_stop")

    def _message_start(self, message: dict[str, Any], assembler: Assembler) -> None:
        if not assembler.message_start(message.get("id"), message.get("model")):
            return
        self._blocks, self._parts, self._citations, self._usage = {}, {}, {}, {}
        self._add_usage(message.get("usage"), assembler)
        # A turn that goes on after a pause holds its calls already.
        for index, block in enumerate(message.get("content") or ()):
            assembler.went_on()
            self._block(index, block, assembler)
            self._block_stop(index, assembler)
        reason = message.get("stop_reason")
        if reason is not None:
            assembler.stop(reason, STOP_KINDS.get(reason, "other"))

    def _block(self, index: int, block: dict[str, Any], assembler: Assembler) -> None:
        kind = block["type"]
        self._blocks[operator.index(index)] = dict(block)
        self._parts.pop(index, None)
        self._citations.pop(index, None)
        if kind.endswith("tool_use"):
            assembler.open(index, id=block.get("id"), name=block.get("name"), server=kind != "tool_use")
        elif kind == "text" and block.get("text"):
            assembler.text_delta(block["text"], index)
        elif kind == "thinking" and block.get("thinking"):
            assembler.reasoning_delta(block["thinking"], index)

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        kind = delta.get("type")
        if kind == "input_json_delta":
            assembler.fragment(index, delta["partial_json"])
        elif kind == "text_delta":
            assembler.text_delta(delta["text"], index)
            self._parts.setdefault(index, []).append(delta["text"])
        elif kind == "thinking_delta":
            assembler.reasoning_delta(delta["thinking"], index)
            self._parts.setdefault(index, []).append(delta["thinking"])
        elif kind == "citations_delta":
            self._citations.setdefault(index, []).append(delta["citation"])
        elif index in self._blocks:
            # signature_delta, compaction_delta and their like: each member replaces the block's.
            self._blocks[index].update((name, value) for name, value in delta.items() if name != "type")

    def _block_stop(self, index: int, assembler: Assembler) -> None:
        call = assembler.call(index)
        if call is not None:
            given = self._blocks[index].get("input")
            if given and not call.text:
                assembler.whole(index, given)  # else it is a placeholder
            assembler.close(index)

    def _add_usage(self, usage: dict[str, Any] | None, assembler: Assembler) -> None:
        if not usage:
            return
        raw = self._usage = merged(self._usage, usage)
        read, written = raw.get("cache_read_input_tokens"), raw.get("cache_creation_input_tokens")
        fresh = raw.get("input_tokens")
        details = raw.get("output_tokens_details") or {}
        assembler.usage_update(
            Usage(
                input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
                output_tokens=raw.get("output_tokens"),
                cache_read_tokens=read,
                cache_write_tokens=written,
                reasoning_tokens=details.get("thinking_tokens"),
                raw=raw,
            )
        )

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The message as the next request must contain it."""
        content = [self._finished(index, block, assembler.call(index)) for index, block in sorted(self._blocks.items())]
        return {"role": "assistant", "content": content}

    def _finished(self, index: int, block: dict[str, Any], call: ToolCall | None) -> dict[str, Any]:
        block = dict(block)
        if call is not None and call.text:
            block["input"] = call.snapshot()
        if index in self._parts:
            field = block["type"]
            before = block.get(field)
            block[field] = (before if isinstance(before, str) else "") + joined(self._parts[index])
        if index in self._citations:
            block["citations"] = [*(block.get("citations") or ()), *self._citations[index]]
        return block


def is_of_bedrock(event: dict[str, Any]) -> bool:
    """Whether a message begins that AWS Bedrock has made, as its id says."""
    message = event.get("message")
    id = message.get("id") if event.get("type") == "message_start" and isinstance(message, dict) else None
    return isinstance(id, str) and id.startswith("msg_bdrk_")
