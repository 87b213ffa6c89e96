"""From decoded events as callers have them (dicts, SSE events, the SDKs' objects) to the dicts that adapters read.

Objects are recognised by what they can do; no SDK is imported. The SDKs' helpers add events of their own, derived from
the raw ones. These are left out before they are converted, since each may hold a snapshot of everything so far.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from .framing import EventDict, frame_event, named_event
from .sse import ServerSentEvent

# Types of derived events: of anthropic's MessageStream, then of openai's ChatCompletionStream, then of openai-agents.
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
    "agent_updated_stream_event",
    "run_item_stream_event",
}


# What is read of a LangChain message.
MESSAGE = (
    "type",
    "id",
    "content",
    "tool_calls",
    "tool_call_chunks",
    "additional_kwargs",
    "response_metadata",
    "usage_metadata",
    "chunk_position",
)


def as_dict(event: Any) -> EventDict | None:
    """The event as a dict; None for one that tells nothing new. Raises `TypeError`, `SSEError`."""
    if isinstance(event, dict):
        return event
    if isinstance(event, (tuple, list)) and not isinstance(event, ServerSentEvent):
        return _of_tuple(event)
    dump = getattr(event, "model_dump", None)
    # A model's own member: google-genai's Live messages have a view of that name.
    data = getattr(event, "data", None) if dump is None or "data" in getattr(type(event), "model_fields", ()) else None
    if isinstance(data, (str, bytes)):
        body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        return frame_event(getattr(event, "event", None) or "", body)
    if hasattr(data, "model_dump"):  # mistralai, openai-agents: the event is inside
        return as_dict(data)
    kind = getattr(event, "type", None)
    if isinstance(kind, str) and kind in DERIVED:
        return None
    if isinstance(kind, str) and hasattr(event, "response_metadata"):
        return {name: getattr(event, name) for name in MESSAGE if hasattr(event, name)}
    if kind is None and hasattr(event, "event_kind"):
        return _of_dataclass(event)
    if kind == "chunk" and hasattr(event, "chunk"):  # openai's helper: the raw chunk inside
        return as_dict(event.chunk)
    if dump is not None:
        dumped = dump(mode="json", exclude_unset=True, by_alias=True, warnings=False, exclude={"snapshot", "parsed"})
        if isinstance(kind, str):  # a constant of the class, which nobody has set
            dumped.setdefault("type", getattr(kind, "value", kind))
        return _without_parsed(dumped)
    inner = getattr(event, "event", None)
    if isinstance(inner, dict):  # claude-agent-sdk: the API's event is inside
        return None if getattr(event, "parent_tool_use_id", None) else inner
    if type(event).__module__.startswith("claude_agent_sdk"):  # its messages, which repeat what has been streamed
        return None
    to_dict = getattr(event, "to_dict", None)
    if to_dict is not None:
        converted: EventDict = to_dict()
        return converted
    raise TypeError(f"feed_event takes a dict, an SSE event or an SDK's event object, not {type(event).__name__}")


def _of_tuple(event: Any) -> EventDict | None:
    """LangGraph's stream: (chunk, metadata), with the mode or the subgraph before it where several are asked for; or
    a part of its server's, as langgraph_sdk gives it."""
    if hasattr(event, "event") and hasattr(event, "data"):
        return named_event(event.event, event.data)
    *before, last = event or (None,)
    if isinstance(last, (tuple, list)):
        return _of_tuple(last)
    if not before or isinstance(before[-1], (str, tuple, list)):  # another mode: ("updates", {...})
        return None
    return as_dict(before[-1])


def _of_dataclass(event: Any) -> EventDict:
    """pydantic-ai's event, with the part or delta in it. Values stay what they are."""
    told = dict(_members(event))
    for name in ("part", "delta"):
        if name in told and not isinstance(told[name], dict):
            told[name] = dict(_members(told[name]))
    return told


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    return ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))


def _without_parsed(event: EventDict) -> EventDict:
    """Drops what openai's ResponseStream adds to a whole response: no request may contain it."""
    response = event.get("response")
    for item in (response.get("output") or ()) if isinstance(response, dict) else ():
        item.pop("parsed_arguments", None)
        for part in item.get("content") or ():
            part.pop("parsed", None)
    return event
