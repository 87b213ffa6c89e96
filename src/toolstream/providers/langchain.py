"""LangChain's `AIMessageChunk`s: plain, in LangGraph's tuples, in the events of `astream_events`, or dumped.

https://python.langchain.com/docs/concepts/streaming/
Only `tool_call_chunks` are read: a chunk's `tool_calls` are guesses from a part of the text. Chunks are merged as
`langchain_core.utils._merge` does it; usage is made to be added. One stream may hold several messages, one after
another.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall
from ..event_objects import as_dict
from ..lane import Repeat
from ..usage import Usage
from .common import provider_error

# The integrations hand on their providers' own words.
STOP_KINDS: dict[str, StopKind] = {
    "tool_calls": "tools",
    "tool_use": "tools",
    "tool_call": "tools",
    "function_call": "tools",
    "stop": "natural",
    "end_turn": "natural",
    "complete": "natural",
    "completed": "natural",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "filter",
    "content_filtered": "filter",
    "guardrail_intervened": "filter",
    "refusal": "filter",
    "safety": "filter",
    "error": "error",
}
REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
AI = ("AIMessageChunk", "ai")
# What LangGraph's server sends beside messages, by the event's name.
BESIDE = {"metadata", "values", "updates", "custom", "checkpoints", "tasks", "debug", "events", "end"}
IDENTITY = ("type", "id", "index", "name")  # members of a block that are said once


class LangChain:
    name = "langchain"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._forget_message()

    def _forget_message(self) -> None:
        self._ids: list[str] = []
        self._reason: str | None = None
        self._calls: dict[ToolCall, None] = {}
        self._contents: list[Any] = []
        self._kwargs: list[dict[str, Any]] = []
        self._metadata: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        if "tool_call_chunks" in event or ("response_metadata" in event and "content" in event):
            return True
        kind = event.get("event")
        if isinstance(kind, str) and kind.startswith("on_"):
            return "run_id" in event
        if event.get("lc") == 1 or ("ns" in event and "data" in event):
            return True
        if event.get("type") in ("metadata", "values"):  # what LangGraph's server begins with
            return "run_id" in event or "messages" in event
        return event.get("type") == "AIMessageChunk"

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if event.get("type") == "error":  # LangServe's
            assembler.fail(provider_error(event))
        if str(event.get("type")).partition("|")[0] in BESIDE and "ns" not in event:
            return
        chunk = _message(event)
        if chunk is None or chunk.get("type", "AIMessageChunk") not in AI:
            return
        if not self._begin(chunk, assembler):
            return
        if chunk.get("usage_metadata"):
            self._add_usage(chunk["usage_metadata"], assembler)
        self._say(chunk, assembler)
        for entry in chunk.get("tool_call_chunks") or ():
            self._entry(entry, assembler)
        if chunk.get("type") == "ai":
            for call in chunk.get("tool_calls") or ():
                self._whole_call(call, assembler)
        self._note_reason(chunk.get("response_metadata") or {}, assembler)
        if chunk.get("chunk_position") == "last" or chunk.get("type") == "ai":
            assembler.end()

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # they are no SSE

    def end(self, assembler: Assembler, done: bool) -> None:
        if self._reason is None:
            assembler.break_off("the stream ended without its last chunk and without a reason")
        assembler.end()  # before `chunk_position`

    def _begin(self, chunk: dict[str, Any], assembler: Assembler) -> bool:
        """Whether the chunk is of a message that goes on, or of a new one, which begins here.

        A message's chunks may have several ids: the framework's own, and the provider's.
        """
        id = chunk.get("id")
        model = (chunk.get("response_metadata") or {}).get("model_name")
        if assembler.started and (assembler.ended or self._reason is not None) and id not in self._ids:
            if not assembler.ended:
                assembler.end()
            if not (id or chunk.get("content") or chunk.get("tool_call_chunks")):
                return False
            assembler.message_start(id, model)
            self._forget_message()
        elif assembler.ended:
            return False
        elif not assembler.started:
            assembler.message_start(id, model)
        if id and id not in self._ids:
            self._ids.append(id)
        assembler.model = assembler.model or model
        return True

    # ------------------------------------------------------------------ contents

    def _say(self, chunk: dict[str, Any], assembler: Assembler) -> None:
        content, kwargs = chunk.get("content"), chunk.get("additional_kwargs")
        if kwargs:
            self._kwargs.append(kwargs)
            if isinstance(kwargs.get("reasoning_content"), str):
                assembler.reasoning_delta(kwargs["reasoning_content"], 0)
        if content:
            self._contents.append(content)
        if isinstance(content, str):
            content = [content]
        for block in content or ():
            self._block({"type": "text", "text": block} if isinstance(block, str) else block, assembler)

    def _block(self, block: dict[str, Any], assembler: Assembler) -> None:
        kind, index = block.get("type"), block.get("index")
        index = index if isinstance(index, int) else 0
        if kind == "text" and block.get("text"):
            assembler.end_whole(0)
            assembler.text_delta(block["text"], index)
        elif kind in ("thinking", "reasoning", "reasoning_content"):
            text = _reasoning(block)
            if text:
                assembler.end_whole(0)
                assembler.reasoning_delta(text, index)

    def _entry(self, entry: dict[str, Any], assembler: Assembler) -> None:
        if entry.get("index") is None:  # never merged with another one: it is all of a call
            self._whole_call(entry, assembler)
            return
        call = assembler.entry(0, entry["index"], entry.get("id"), entry.get("name"), entry.get("args"))
        if call is not None:
            self._calls[call] = None

    def _whole_call(self, entry: dict[str, Any], assembler: Assembler) -> None:
        assembler.end_whole(0)
        key = ("whole", len(self._calls))
        self._calls[assembler.open(key, id=entry.get("id"), name=entry.get("name"))] = None
        assembler.whole(key, entry.get("args"))
        assembler.close(key, certain=True)

    # ------------------------------------------------------------------ the end

    def _note_reason(self, metadata: dict[str, Any], assembler: Assembler) -> None:
        self._metadata.update(metadata)
        reason = next((metadata[name] for name in REASONS if metadata.get(name)), None)
        if reason is None and metadata.get("status") in ("completed", "incomplete", "failed"):  # OpenAI's Responses
            reason = (metadata.get("incomplete_details") or {}).get("reason") or metadata["status"]
        if isinstance(reason, str) and reason != self._reason:
            self._reason = reason
            assembler.stop(reason, STOP_KINDS.get(reason.lower(), "other"))

    def _add_usage(self, usage: dict[str, Any], assembler: Assembler) -> None:
        raw = self._usage = _added(self._usage, usage)
        read = raw.get("input_token_details") or {}
        counts = Usage(
            input_tokens=raw.get("input_tokens"),
            output_tokens=raw.get("output_tokens"),
            cache_read_tokens=read.get("cache_read"),
            cache_write_tokens=read.get("cache_creation"),
            reasoning_tokens=(raw.get("output_token_details") or {}).get("reasoning"),
            raw=raw,
        )
        assembler.usage_update(counts)

    # ------------------------------------------------------------------ the message

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The AIMessage, as `AIMessage(**message)` and a model's `invoke([message])` read it."""
        calls = [call for call in self._calls if call.name]
        message = {
            "type": "ai",
            "content": self._content(),
            "additional_kwargs": _merged(self._kwargs) or {},
            "response_metadata": dict(self._metadata),
            "tool_calls": [
                {"name": call.name, "args": call.snapshot(), "id": call.id, "type": "tool_call"}
                for call in calls
                if _is_valid(call)
            ],
            "invalid_tool_calls": [
                {"name": call.name, "args": call.text, "id": call.id, "error": None, "type": "invalid_tool_call"}
                for call in calls
                if not _is_valid(call)
            ],
        }
        if self._ids:
            message["id"] = next((id for id in self._ids if not id.startswith("lc_")), self._ids[0])
        return {**message, "usage_metadata": self._usage} if self._usage else message

    def _content(self) -> str | list[Any]:
        if all(isinstance(content, str) for content in self._contents):
            return "".join(self._contents)
        blocks: list[Any] = []
        for content in self._contents:
            blocks += [content] if isinstance(content, str) else content
        return _merged_blocks(blocks)


def _message(event: dict[str, Any]) -> dict[str, Any] | None:
    """The message or chunk that an event holds, in any of its wrappings; None where it holds none."""
    if "response_metadata" in event or "tool_call_chunks" in event:
        return event
    if event.get("lc") == 1:  # langchain_core.load.dumpd
        return event.get("kwargs")
    kind = event.get("event")
    if isinstance(kind, str):
        inner = event["data"].get("chunk") if kind == "on_chat_model_stream" else None
    elif "ns" in event:  # LangGraph, version="v2"
        inner = event["data"] if event.get("type") == "messages" else None
    else:
        inner = event.get("data", event)  # message_to_dict
    return None if inner is None else as_dict(inner)


def _reasoning(block: dict[str, Any]) -> str:
    for name in ("thinking", "reasoning", "reasoning_content"):
        text = block.get(name)
        if isinstance(text, dict):  # Bedrock
            text = text.get("text")
        if isinstance(text, str):
            return text
    return "".join(part.get("text") or "" for part in block.get("summary") or ())  # OpenAI's Responses


def _is_valid(call: ToolCall) -> bool:
    return call.error is None and isinstance(call.arguments, dict)


def _added(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Counts, each added to the one before."""
    added = dict(old)
    for name, value in new.items():
        if isinstance(value, dict):
            added[name] = _added(added.get(name) or {}, value)
        elif value is not None:
            added[name] = (added.get(name) or 0) + value
    return added


def _merged(values: list[Any], name: str = "") -> Any:
    """Parts of one value, put together: strings joined, objects merged, the last one of anything else."""
    values = [value for value in values if value is not None]
    if not values:
        return None
    if name in IDENTITY:
        return next((value for value in values if value != ""), "")
    if all(isinstance(value, str) for value in values):
        return "".join(values)
    if all(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        return {name: _merged([value[name] for value in values if name in value], name) for name in names}
    if all(isinstance(value, list) for value in values):
        return _merged_blocks([element for value in values for element in value])
    return values[-1]


def _merged_blocks(blocks: list[Any]) -> list[Any]:
    """Blocks of one index are parts of one block, unless they have different ids."""
    groups: list[list[Any]] = []
    by_index: dict[Any, tuple[Any, list[Any]]] = {}  # with the id of the last block that has one
    for block in blocks:
        about = block if isinstance(block, dict) else {}
        index, id = about.get("index"), about.get("id") or None
        of, group = by_index.get(index, (None, None)) if index is not None else (None, None)
        if group is None or (id and of and id != of):
            of, group = None, []
            groups.append(group)
        group.append(block)
        if index is not None:
            by_index[index] = (id or of, group)
    return [_merged(group) if len(group) > 1 else group[0] for group in groups]
