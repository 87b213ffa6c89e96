"""AG-UI: the events of an agent's run, tool calls keyed by their id.

https://docs.ag-ui.com/concepts/events
A run is one message here, though the agent may have run tools and gone on within it. Chunk events are shorthands for a
start, contents and an end; that end is the next event of another kind, or about something else.
"""

from __future__ import annotations

import re
from typing import Any

from ..assembler import Assembler
from ..calls import ToolCall, joined
from ..errors import ProviderError
from ..lane import Repeat
from ..usage import Usage
from .common import MergedObject

_KIND = re.compile("RAW|CUSTOM|[A-Z]+(_[A-Z]+)+")
# Events that may stand between two chunks of one thing.
BESIDE = {
    "RAW",
    "ACTIVITY_SNAPSHOT",
    "ACTIVITY_DELTA",
    "REASONING_ENCRYPTED_VALUE",
    "SUBAGENT_STARTED",
    "SUBAGENT_FINISHED",
    "SUBAGENT_ERROR",
}
TEXT = ("TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CHUNK")
REASONING = ("REASONING_MESSAGE_CONTENT", "REASONING_MESSAGE_CHUNK", "THINKING_TEXT_MESSAGE_CONTENT")
ARGUMENTS = ("TOOL_CALL_ARGS", "TOOL_CALL_CHUNK")


class AGUI:
    name = "ag-ui"
    ignored: tuple[str, ...] = ("timestamp",)

    def __init__(self) -> None:
        self._forget_run()

    def _forget_run(self) -> None:
        self._messages: list[dict[str, Any]] = []  # of the assistant, its reasoning and its tools, in order
        self._texts: dict[str, list[str]] = {}  # by the message's id
        self._encrypted: dict[str, str] = {}  # by the id of a message or call: what the next request must repeat
        self._calls: dict[str, list[str]] = {}  # the ids of a message's calls
        self._answered: set[str] = set()
        self._objects: dict[str, MergedObject] = {}
        self._chunk: str | None = None  # the call that chunks go on with
        self._place: dict[str, int] = {}  # of a message that holds text or reasoning: what its events say as index

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        return isinstance(kind, str) and _KIND.fullmatch(kind) is not None

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event["type"]
        if self._chunk is not None and kind != "TOOL_CALL_CHUNK" and kind not in BESIDE:
            self._end_call(self._chunk, assembler)
        if kind in ARGUMENTS:
            self._arguments(kind, event, assembler)
        elif kind in TEXT or kind in REASONING:
            self._text(kind, event, assembler)
        elif kind == "TOOL_CALL_START":
            self._open(event, assembler)
        elif kind == "TOOL_CALL_END":
            self._end_call(event["toolCallId"], assembler)
        elif kind == "TOOL_CALL_RESULT":
            self._result(event, assembler)
        elif kind == "TEXT_MESSAGE_START":
            assembler.went_on()
            self._message(event["messageId"], "assistant")
        elif kind == "REASONING_ENCRYPTED_VALUE":
            self._encrypted[event["entityId"]] = event["encryptedValue"]
        elif kind == "RUN_STARTED":
            if assembler.message_start(event.get("runId"), None):
                self._forget_run()
        elif kind == "RUN_FINISHED":
            self._finish(event, assembler)
        elif kind == "RUN_ERROR":
            self._usage(event.get("usage"), assembler)
            error = ProviderError(event.get("message") or "no message", type=event.get("code"), raw=event)
            assembler.fail(error)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        kind, delta = event["type"], event.get("delta")
        if not isinstance(delta, str):
            return None
        if kind == "TOOL_CALL_ARGS":
            call = assembler.call(event.get("toolCallId"))
            return None if call is None else Repeat("delta", delta, call)
        id = event.get("messageId")
        if kind == "TEXT_MESSAGE_CONTENT" and id in self._texts:
            return Repeat("delta", delta, None, self._place[id], (assembler.texts, self._texts[id]))
        if kind == "REASONING_MESSAGE_CONTENT" and id in self._texts:
            return Repeat("delta", delta, None, self._place[id], (self._texts[id],), reasoning=True)
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without RUN_FINISHED and RUN_ERROR")

    # ------------------------------------------------------------------ contents

    def _text(self, kind: str, event: dict[str, Any], assembler: Assembler) -> None:
        id = event.get("messageId") or next(reversed(self._place), "")
        index = self._place.setdefault(id, len(self._place))
        delta = event.get("delta") or ""
        assembler.went_on()
        if kind in REASONING:
            self._message(id, "reasoning")
            assembler.reasoning_delta(delta, index)
        else:
            self._message(id, "assistant")
            assembler.text_delta(delta, index)
        self._texts.setdefault(id, []).append(delta)

    def _open(self, event: dict[str, Any], assembler: Assembler) -> None:
        id = event["toolCallId"]
        if assembler.call(id) is not None:
            return  # some agents tell of a call again once its tool has run
        assembler.open(id, id=id, name=event["toolCallName"])
        parent = event.get("parentMessageId")
        last = self._messages[-1] if self._messages else None
        if not parent and last is not None and last["role"] == "assistant":
            parent = last["id"]
        self._message(parent or id, "assistant")
        self._calls.setdefault(parent or id, []).append(id)

    def _arguments(self, kind: str, event: dict[str, Any], assembler: Assembler) -> None:
        id = event.get("toolCallId") or self._chunk
        if kind == "TOOL_CALL_CHUNK" and id != self._chunk:
            if self._chunk is not None:
                self._end_call(self._chunk, assembler)
            self._open(event, assembler)
            self._chunk = id
        delta = event.get("delta")
        if isinstance(delta, dict) and id is not None:  # against the protocol, but some agents send it
            delta = self._objects.setdefault(id, MergedObject()).more(delta)
        call = assembler.call(id)
        if delta == "}" and call is not None and call.complete:
            return  # pydantic-ai closes an MCP call's arguments twice
        assembler.fragment(id, delta)

    def _end_call(self, id: str, assembler: Assembler) -> None:
        if id in self._objects:
            assembler.fragment(id, self._objects.pop(id).end())
        if id == self._chunk:
            self._chunk = None
        assembler.close(id)

    def _result(self, event: dict[str, Any], assembler: Assembler) -> None:
        assembler.went_on()
        self._answered.add(event["toolCallId"])
        about = {"id": event["messageId"], "role": "tool", "toolCallId": event["toolCallId"]}
        self._messages.append({**about, "content": event["content"]})

    # ------------------------------------------------------------------ the end

    def _finish(self, event: dict[str, Any], assembler: Assembler) -> None:
        self._usage(event.get("usage"), assembler)
        outcome = event.get("outcome")
        if isinstance(outcome, dict) and outcome.get("type") == "cancelled":
            assembler.break_off("the run was cancelled")
        # What the agent has run itself is not asked for.
        awaited = any(id not in self._answered for ids in self._calls.values() for id in ids)
        assembler.stop(None, "tools" if awaited else "other")
        assembler.end()

    def _usage(self, entries: list[dict[str, Any]] | None, assembler: Assembler) -> None:
        """One entry for each model that the run has used; they are made to be added."""
        if not entries:
            return

        def total(name: str) -> int | None:
            counts = [entry[name] for entry in entries if entry.get(name) is not None]
            return sum(counts) if counts else None

        usage = Usage(
            input_tokens=total("inputTokens"),
            output_tokens=total("outputTokens"),
            cache_read_tokens=total("cachedInputTokens"),
            cache_write_tokens=total("cacheWriteInputTokens"),
            reasoning_tokens=total("reasoningTokens"),
            raw={"usage": entries},
        )
        assembler.usage_update(usage)

    # ------------------------------------------------------------------ the message

    def _message(self, id: str, role: str) -> None:
        if all(message["id"] != id for message in reversed(self._messages)):
            self._messages.append({"id": id, "role": role})

    def message(self, assembler: Assembler) -> dict[str, Any] | list[dict[str, Any]]:
        """The AssistantMessage; the list of all the run's messages, where the agent has run tools itself or its
        reasoning must be repeated."""
        messages = [self._finished(message, assembler) for message in self._messages if self._is_kept(message)]
        return messages[0] if len(messages) == 1 else messages

    def _is_kept(self, message: dict[str, Any]) -> bool:
        """Not reasoning that is only to be read, nor a start and an end with nothing between them."""
        id = message["id"]
        if message["role"] == "reasoning":
            return id in self._encrypted
        return message["role"] == "tool" or id in self._calls or any(self._texts.get(id, ()))

    def _finished(self, message: dict[str, Any], assembler: Assembler) -> dict[str, Any]:
        message = dict(message)
        text = joined(self._texts.get(message["id"], []))
        if text or message["role"] == "reasoning":
            message["content"] = text
        calls = [assembler.call(id) for id in self._calls.get(message["id"], ())]
        if calls:
            message["toolCalls"] = [self._with_secret(call.id, _tool_call(call)) for call in calls if call is not None]
        return self._with_secret(message["id"], message)

    def _with_secret(self, id: str | None, told: dict[str, Any]) -> dict[str, Any]:
        return {**told, "encryptedValue": self._encrypted[id]} if id in self._encrypted else told


def _tool_call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text or "{}"}}
