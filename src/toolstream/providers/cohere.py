"""Cohere Chat, version 2: typed events; content blocks and calls each have an index of their own.

https://docs.cohere.com/v2/docs/streaming
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..errors import ProviderError
from ..lane import Repeat
from ..usage import Usage
from .common import find_error

STOP_KINDS: dict[str | None, StopKind] = {"TOOL_CALL": "tools", "MAX_TOKENS": "length", "TIMEOUT": "length"}
EVENTS = {
    "message-start",
    "tool-plan-delta",
    "tool-call-start",
    "tool-call-delta",
    "content-start",
    "content-delta",
    "citation-start",
    "message-end",
}


class CohereV2:
    name = "cohere-v2"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._plan: list[str] = []
        self._blocks: dict[int, tuple[str, list[str]]] = {}  # content: "text" or "thinking", and what it says
        self._calls: list[ToolCall] = []
        self._citations: list[Any] = []

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        return isinstance(kind, str) and kind in EVENTS and isinstance(event.get("delta"), dict)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind == "tool-call-delta":
            assembler.fragment(event["index"], said(event)["tool_calls"]["function"]["arguments"])
        elif kind in ("content-delta", "content-start"):
            if kind == "content-start":
                assembler.went_on()
            self._content(event["index"], said(event)["content"], assembler)
        elif kind == "tool-plan-delta":
            plan = said(event)["tool_plan"] or ""
            assembler.reasoning_delta(plan, 0)
            self._plan.append(plan)
        elif kind == "tool-call-start":
            self._open(event["index"], said(event)["tool_calls"], assembler)
        elif kind == "tool-call-end":
            assembler.close(event["index"])
        elif kind == "citation-start":
            self._citations.append(said(event)["citations"])
        elif kind == "message-start":
            if assembler.message_start(event.get("id"), None):
                self._forget()
        elif kind == "message-end":
            self._message_end(event["delta"], assembler)
        elif kind in ("error", None):  # a gateway's, or the body of an error in the middle of the stream
            error = find_error(event)
            if error is not None:
                assembler.fail(error)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        kind = event.get("type")
        if kind == "tool-call-delta":
            call = assembler.call(event["index"])
            arguments = said(event)["tool_calls"]["function"]["arguments"]
            return None if call is None else Repeat("arguments", arguments, call)
        if kind == "tool-plan-delta":
            return Repeat("tool_plan", said(event)["tool_plan"], None, 0, (self._plan,), reasoning=True)
        if kind == "content-delta":
            index, content = event["index"], said(event)["content"]
            member, parts = self._blocks[index]
            if member == "text":
                return Repeat(member, content[member], None, index, (assembler.texts, parts))
            return Repeat(member, content[member], None, index, (parts,), reasoning=True)
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without message-end")

    def _content(self, index: int, content: dict[str, Any], assembler: Assembler) -> None:
        is_thinking = content.get("type") == "thinking" or content.get("thinking") is not None
        member = "thinking" if is_thinking else "text"
        text = content.get(member) or ""
        if index not in self._blocks:
            self._blocks[index] = (member, [])
        self._blocks[index][1].append(text)
        if member == "text":
            assembler.text_delta(text, index)
        else:
            assembler.reasoning_delta(text, index)

    def _open(self, index: int, entry: dict[str, Any], assembler: Assembler) -> None:
        function = entry["function"]
        call = assembler.open(index, id=entry.get("id"), name=function["name"])
        assembler.fragment(index, function.get("arguments"))
        self._calls.append(call)

    def _message_end(self, delta: dict[str, Any], assembler: Assembler) -> None:
        usage = delta.get("usage")
        if usage:
            self._add_usage(usage, assembler)
        reason = delta.get("finish_reason")
        if delta.get("error") or reason == "ERROR":
            message = delta.get("error") or "the generation failed"
            assembler.fail(ProviderError(str(message), type=delta.get("error_type"), raw=delta), reason)
        assembler.stop(reason, STOP_KINDS.get(reason, "other"))
        assembler.end()

    def _add_usage(self, usage: dict[str, Any], assembler: Assembler) -> None:
        tokens = usage.get("tokens") or {}
        assembler.usage_update(
            Usage(
                input_tokens=whole_number(tokens.get("input_tokens")),
                output_tokens=whole_number(tokens.get("output_tokens")),
                cache_read_tokens=whole_number(usage.get("cached_tokens")),
                raw=usage,
            )
        )

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The message as the next request must contain it."""
        message: dict[str, Any] = {"role": "assistant"}
        if self._plan:
            message["tool_plan"] = joined(self._plan)
        blocks = [{"type": kind, kind: joined(texts)} for _, (kind, texts) in sorted(self._blocks.items())]
        if any(block[block["type"]] for block in blocks):
            message["content"] = [block for block in blocks if block[block["type"]]]
        if self._calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text or "{}"}}
                for call in self._calls
            ]
        if self._citations:
            message["citations"] = self._citations
        return message


def said(event: dict[str, Any]) -> dict[str, Any]:
    """What an event adds to the message."""
    message: dict[str, Any] = event["delta"]["message"]
    return message


def whole_number(count: float | None) -> int | None:
    """A count, which Cohere's own package gives as a float."""
    return None if count is None else int(count)
