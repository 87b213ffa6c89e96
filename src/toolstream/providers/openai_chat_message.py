"""The assistant's message of a chat completion, as the next request must hold it: put together from its pieces.

https://platform.openai.com/docs/api-reference/chat/create
Trusts `OpenAIChat` to bring the pieces of one message, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..calls import ToolCall, joined

# Parts of a content that are text, and those that are reasoning (Mistral's, Databricks') with the member that holds it.
WORDS = ("text", "output_text")
THOUGHTS = {"thinking": "thinking", "reasoning": "summary"}
# Members of a delta beside content and calls that the next request must repeat.
KEPT = {
    "refusal",
    "reasoning_content",
    "reasoning",
    "reasoning_details",  # OpenRouter
    "reasoning_opaque",  # Copilot, and the next
    "reasoning_text",
    "thinking_blocks",  # LiteLLM
    "extra_content",  # Gemini, for a thought's signature alone
}


@dataclass(slots=True)
class Part:
    """A part of a content that comes in parts. given: the part itself, of a kind that holds no text."""

    kind: str
    texts: list[str]
    signature: str | None = None
    given: dict[str, Any] | None = None

    def content(self) -> dict[str, Any] | None:
        """The part as a request holds it; None for one that came to nothing."""
        if self.given is not None:
            return self.given
        text = joined(self.texts)
        if not (text or self.signature):
            return None
        if self.kind in WORDS:
            return {"type": "text", "text": text}
        signed = {"signature": self.signature} if self.signature else {}
        if self.kind == "thinking":
            return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **signed}
        return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text, **signed}]}


def add_part(parts: list[Part], part: dict[str, Any]) -> None:
    """Text goes on with the part before if that is of its kind; a thought that is signed goes on no more."""
    kind = part["type"]
    if kind in THOUGHTS:
        text, signature = thought(part)
    else:
        text, signature = part.get("text") or "", None
    given = None if kind in THOUGHTS or kind in WORDS else part
    last = parts[-1] if parts else None
    if last is None or last.kind != kind or last.signature or given is not None:
        last = Part(kind, [], given=given)
        parts.append(last)
    last.texts.append(text)
    last.signature = signature


def thought(part: dict[str, Any]) -> tuple[str, str | None]:
    """The text of a part that is reasoning, which stands in a list, and its signature, which may stand there, too."""
    inner = part.get(THOUGHTS[part["type"]]) or ()
    pieces = [{"text": inner}] if isinstance(inner, str) else inner
    signatures = [piece["signature"] for piece in (part, *pieces) if piece.get("signature")]
    return "".join(piece.get("text") or "" for piece in pieces), signatures[-1] if signatures else None


def call_entry(call: ToolCall) -> dict[str, Any]:
    """A call as an entry of `tool_calls`."""
    if call._free_text:
        return {"id": call.id or "", "type": "custom", "custom": {"name": call.name, "input": call.text}}
    # Many servers send an empty text for no arguments, and refuse the same in a request.
    return {"id": call.id or "", "type": "function", "function": {"name": call.name, "arguments": call.text or "{}"}}


def joined_member(values: list[Any]) -> Any:
    """A member of the message that came in these pieces."""
    if isinstance(values[0], list):
        return _merged_details(values)
    if isinstance(values[0], dict):
        return {name: value for piece in values for name, value in piece.items()}
    return "".join(values)


def _merged_details(chunks: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Fragments of reasoning of one index and type are one detail, whose texts are joined."""
    details: dict[Any, dict[str, Any]] = {}
    texts: dict[tuple[Any, str], list[str]] = {}
    for fragment in (fragment for chunk in chunks for fragment in chunk):
        key = (fragment.get("index"), fragment.get("type"))
        detail = details.setdefault(key, {})
        for name, value in fragment.items():
            if name in ("text", "summary", "data", "thinking") and isinstance(value, str):
                texts.setdefault((key, name), []).append(value)
                detail.setdefault(name, "")
            elif value or name not in detail:
                detail[name] = value
    for (key, name), parts in texts.items():
        details[key][name] = "".join(parts)
    return list(details.values())
