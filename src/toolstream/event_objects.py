"""Decoded events as callers have them (dicts, SSE events, the SDKs' objects), made the dicts that adapters read.

Objects are told by what they can do; no SDK is imported. The SDKs' helpers add events of their own, derived from raw
ones: those are left out here before they are converted, since each may hold a snapshot of everything so far.
"""

from __future__ import annotations

from typing import Any

from .framing import EventDict, frame_event

# Types of derived events: of anthropic's MessageStream, then of openai's ChatCompletionStream.
DERIVED = {
    "text",
    "input_json",
    "citation",
    "thinking",
    "signature",
    "compaction",
    "content.delta",
    "content.done",
    "refusal.delta",
    "refusal.done",
    "tool_calls.function.arguments.delta",
    "tool_calls.function.arguments.done",
    "logprobs.content.delta",
    "logprobs.content.done",
    "logprobs.refusal.delta",
    "logprobs.refusal.done",
}


def as_dict(event: Any) -> EventDict | None:
    """The event as a dict; None for one that tells nothing new. Raises `TypeError`, `SSEError`."""
    if isinstance(event, dict):
        return event
    data = getattr(event, "data", None)
    if isinstance(data, (str, bytes)):
        body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return frame_event(getattr(event, "event", None) or "", body)
    kind = getattr(event, "type", None)
    if kind in DERIVED:
        return None
    if kind == "chunk" and hasattr(event, "chunk"):  # openai's helper: the raw chunk inside
        return as_dict(event.chunk)
    dump = getattr(event, "model_dump", None)
    if dump is not None:
        return _without_parsed(
            dump(mode="json", exclude_unset=True, by_alias=True, warnings=False, exclude={"snapshot", "parsed"})
        )
    to_dict = getattr(event, "to_dict", None)
    if to_dict is not None:
        converted: EventDict = to_dict()
        return converted
    raise TypeError(f"feed_event takes a dict, an SSE event or an SDK's event object, not {type(event).__name__}")


def _without_parsed(event: EventDict) -> EventDict:
    """Drops what openai's ResponseStream adds to a whole response: no request may contain it."""
    response = event.get("response")
    for item in (response.get("output") or ()) if isinstance(response, dict) else ():
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return event
