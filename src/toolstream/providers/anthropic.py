"""Anthropic Messages: typed events, content blocks keyed by their index.

https://platform.claude.com/docs/en/build-with-claude/streaming
Claude Code gives them, too (`--output-format stream-json --include-partial-messages`), each in a `stream_event`, beside
events about the agent's run.
"""

from __future__ import annotations

import operator
from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..records import Record, constructor
from ..shared import shared
from ..usage import Usage
from .common import merged, provider_error

STOP_KINDS: dict[str | None, StopKind] = {
    "tool_use": "tools",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "filter",
}
_KINDS = ("message_start", "message_delta", "message_stop", "content_block_")
# Claude Code's own events.
RUN = ("system", "assistant", "user", "result", "rate_limit_event")
# What of a block's text is told, by the type of its delta: the delta's member, and whether it is reasoning.
TEXTS = {
    "text_delta": ("text", False),
    "thinking_delta": ("thinking", True),
    "connector_text_delta": ("connector_text", False),  # what a model says between its calls
}
# Blocks that the next request must not hold where another model has taken over behind them.
DECLINED = ("thinking", "redacted_thinking", "connector_text", "tool_use")


class Block(Record):
    """A content block. start: as it began; None for a call of which it says nothing but what the call itself does.
    parts, citations: what has come since.
    """

    __slots__ = ("citations", "parts", "start")

    def __init__(self, start: dict[str, Any] | None) -> None:
        self.start = start
        self.parts: list[str] | None = None
        self.citations: list[Any] | None = None

    def add(self, text: str) -> None:
        if self.parts is None:
            self.parts = [text]
        else:
            self.parts.append(text)

    def cite(self, citation: Any) -> None:
        if self.citations is None:
            self.citations = []
        self.citations.append(citation)

    def content(self, call: ToolCall | None) -> dict[str, Any]:
        """The block as the next request must contain it."""
        block = start_of(call) if self.start is None else dict(self.start)
        field, is_call = block["type"], block["type"].endswith("tool_use")
        if is_call and call is not None and (call.text or not block.get("input")):
            block["input"] = call.snapshot()
        if self.parts is not None and not is_call:
            before = block.get(field)
            block[field] = (before if isinstance(before, str) else "") + joined(self.parts)
        if self.citations is not None:
            block["citations"] = [*(block.get("citations") or ()), *self.citations]
        return block


Block.__init__ = constructor(Block, Block.__init__)  # type: ignore[method-assign]


class Anthropic:
    __slots__ = ("_before", "_block", "_index")

    name = "anthropic"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        # Most streams that wait have one block, or are in the last one: a `dict` is made for those before it.
        self._index: int | None = None  # None: no block has begun
        self._block: Block | None = None  # None: a call of which it says nothing but what the call itself does
        self._before: dict[int, Block | None] | None = None

    def _block_at(self, index: int) -> Block | None:
        """What the block says beside the call; None, too, where none has begun."""
        return self._block if index == self._index else None if self._before is None else self._before.get(index)

    def _block_to_fill(self, index: int) -> Block | None:
        """The block at the index, ready for what comes of it; None where none has begun."""
        block = self._block_at(index)
        if block is None and index == self._index:
            block = self._block = Block(None)
        elif block is None and self._before is not None and index in self._before:
            block = self._before[index] = Block(None)
        return block

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        if kind == "message":  # a whole answer, of a server that does not stream
            return isinstance(event.get("content"), list)
        if kind == "stream_event":
            return isinstance(event.get("event"), dict)
        if kind in RUN:
            return "session_id" in event
        return isinstance(kind, str) and kind.startswith(_KINDS) and not is_of_bedrock(event)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind == "content_block_delta":
            self._delta(self._place(event), event["delta"], assembler)
        elif kind == "content_block_start":
            self._begin_block(event.get("index", self._next_index()), event["content_block"], assembler)
        elif kind == "content_block_stop":
            self._block_stop(self._place(event), assembler)
        elif kind == "message_start":
            self._message_start(event["message"], assembler)
        elif kind == "message_delta":
            self._add_usage(event.get("usage"), assembler)
            reason = (event.get("delta") or {}).get("stop_reason")
            if reason:  # an empty one is a bridge's word for none
                assembler.stop(reason, STOP_KINDS.get(reason, "other"))
        elif kind == "message_stop":
            assembler.end()
        elif kind == "message":
            self._message_start(event, assembler)
            assembler.end()
        elif kind == "error" or (kind is None and event.get("error")):  # gateways leave the type out
            assembler.fail(provider_error(event))
        elif kind == "stream_event" and not event.get(
            "parent_tool_use_id"
        ):  # that of a sub-agent is the agent's business
            self.handle(event["event"], assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        if event.get("type") != "content_block_delta" or "index" not in event:
            return None
        index, delta = event["index"], event["delta"]
        kind = delta.get("type")
        if kind == "input_json_delta":
            call, text = assembler.call(index), delta.get("partial_json")
            return Repeat("partial_json", text, call) if call is not None and isinstance(text, str) else None
        member, is_reasoning = TEXTS.get(kind, ("", False))
        text = delta.get(member)
        if not isinstance(text, str):
            return None
        keep = self._keep(index)
        return Repeat(member, text, None, index, keep if is_reasoning else (assembler.texts, *keep), is_reasoning)

    def _keep(self, index: int) -> tuple[list[str], ...]:
        """Who wants the text of a block as well: the block, if there is one."""
        block = self._block_at(index)
        return () if block is None or block.parts is None else (block.parts,)

    def _place(self, event: dict[str, Any]) -> int:
        """The index of an event's block. Bridges whose JSON leaves out zeros leave out that of the first block."""
        index: int = event.get("index", self._index or 0)
        return index

    def _next_index(self) -> int:
        return 0 if self._index is None else self._index + 1

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without message_stop")

    def _message_start(self, message: dict[str, Any], assembler: Assembler) -> None:
        if not assembler.message_start(message.get("id"), message.get("model")):
            return
        self._forget()
        self._add_usage(message.get("usage"), assembler)
        # A turn that goes on after a pause holds its calls already.
        for index, block in enumerate(message.get("content") or ()):
            self._begin_block(index, block, assembler)
            self._block_stop(index, assembler)
        reason = message.get("stop_reason")
        if reason:
            assembler.stop(reason, STOP_KINDS.get(reason, "other"))

    def _begin_block(self, index: int, block: dict[str, Any], assembler: Assembler) -> None:
        kind = block["type"]
        if kind == "fallback":
            self._fall_back(block, assembler)
        assembler.went_on()
        if self._index is not None and index != self._index:
            self._before = self._before or {}
            self._before[self._index] = self._block
        self._index = operator.index(index)
        self._block = Block(dict(block))
        if kind.endswith("tool_use"):
            call = assembler.open(index, id=block.get("id"), name=block.get("name"), server=kind != "tool_use")
            if block == start_of(call):
                self._block = None
        elif kind in ("text", "connector_text") and block.get(kind):
            assembler.text_delta(block[kind], index)
        elif kind == "thinking" and block.get("thinking"):
            assembler.reasoning_delta(block["thinking"], index)

    def _fall_back(self, block: dict[str, Any], assembler: Assembler) -> None:
        """The model has declined to go on, and another one does: what it has called is not to be run."""
        assembler.model = (block.get("to") or {}).get("model") or assembler.model
        for index in self._indexes():
            call = assembler.call(index)
            if call is not None and not (call.server and call.complete):
                assembler.withdraw(call, "the model that made the call has declined, and another one has taken over")

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        kind = delta.get("type")
        if kind == "input_json_delta":
            assembler.fragment(index, delta.get("partial_json"))
            return
        block = self._block_to_fill(index)
        if kind in TEXTS:
            member, is_reasoning = TEXTS[kind]
            if block is None:  # a bridge has left out its start
                self._begin_block(index, {"type": member, member: ""}, assembler)
                block = self._block
            text = delta.get(member) or ""
            if is_reasoning:
                assembler.reasoning_delta(text, index)
            else:
                assembler.text_delta(text, index)
            if block is not None:
                block.add(text)
        elif block is None:
            return
        elif kind == "citations_delta":
            block.cite(delta["citation"])
        else:
            # signature_delta, compaction_delta and their like: each member replaces the block's.
            block.start = start_of(assembler.call(index)) if block.start is None else block.start
            block.start.update((name, value) for name, value in delta.items() if name != "type")

    def _block_stop(self, index: int, assembler: Assembler) -> None:
        call, block = assembler.call(index), self._block_at(index)
        if call is not None:
            given = None if block is None or block.start is None else block.start.get("input")
            if given and not call.text:
                assembler.whole(index, given)  # else it is a placeholder
            assembler.close(index)

    def _add_usage(self, usage: dict[str, Any] | None, assembler: Assembler) -> None:
        if not usage:
            return
        raw = merged(assembler.raw_usage, usage)
        if "service_tier" in raw:
            raw["service_tier"] = shared(raw["service_tier"])
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

    def _indexes(self) -> list[int]:
        """Those of all blocks so far, in their order."""
        return sorted({*(self._before or ()), *(() if self._index is None else (self._index,))})

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The message as the next request must contain it."""
        content = [(self._block_at(index) or Block(None)).content(assembler.call(index)) for index in self._indexes()]
        return {"role": "assistant", "content": repeatable(content)}


def repeatable(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks that the next request may hold: of a model that has declined, what it has said and what the provider
    has run for it.

    https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback
    """
    handovers = [place for place, block in enumerate(content) if block["type"] == "fallback"]
    if not handovers:
        return content
    answered = {block["tool_use_id"] for block in content if "tool_use_id" in block}
    return [
        block
        for place, block in enumerate(content)
        if place >= handovers[-1]
        or (block["type"] not in DECLINED and (not block["type"].endswith("tool_use") or block.get("id") in answered))
    ]


def start_of(call: ToolCall | None) -> dict[str, Any]:
    """The beginning of a block that is a call, as it mostly is."""
    return {"type": "tool_use", "id": call and call.id, "name": call and call.name, "input": {}}


def is_of_bedrock(event: dict[str, Any]) -> bool:
    """Whether a message begins that AWS Bedrock has made, as its id says."""
    message = event.get("message")
    id = message.get("id") if event.get("type") == "message_start" and isinstance(message, dict) else None
    return isinstance(id, str) and id.startswith("msg_bdrk_")
