"""The UI message stream of Vercel's AI SDK: typed chunks, tool calls keyed by their id, so that they may interleave.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol (header `x-vercel-ai-ui-message-stream: v1`)
A stream is one message of several steps, each of them a request to a model; the server may have run the calls of a
step, whose outputs then stand in the stream. The `input` of `tool-input-available` has gone through the tool's schema,
which may have added defaults or dropped members: so it ends a streamed call, and does not contradict it.
"""

from __future__ import annotations

import json
from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import joined
from ..errors import JSONError
from ..lane import Repeat
from .common import provider_error

STOP_KINDS: dict[str | None, StopKind] = {
    "tool-calls": "tools",
    "stop": "natural",
    None: "natural",  # servers before `finishReason`
    "length": "length",
    "content-filter": "filter",
    "error": "error",
}
FIRST = ("start", "start-step", "message-metadata", "file")
FIRST_OF = ("text-", "reasoning-", "tool-input-", "data-", "source-")
INPUT = "input-available"
OUTPUTS = {
    "tool-output-available": ("output-available", ("output", "preliminary")),
    "tool-output-error": ("output-error", ("errorText",)),
    "tool-output-denied": ("output-denied", ()),
}
WHOLE_PARTS = ("file", "source-url", "source-document")


class AISDKUI:
    name = "ai-sdk-ui"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._id = ""
        self._metadata: Any = None
        self._count = 0  # parts begun, those that a reset has dropped included: the index of the next
        self._parts: dict[int, dict[str, Any]] = {}
        self._texts: dict[int, list[str]] = {}  # the text of a text or reasoning part
        self._growing: dict[tuple[str, str], int] = {}  # the part that a delta's kind and id go on with
        self._tools: dict[str, int] = {}
        self._step = (0, (0, 0))  # where the current step began: the part, and the assembler's place

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        is_error = kind == "error" and "errorText" in event
        return is_error or (isinstance(kind, str) and (kind in FIRST or kind.startswith(FIRST_OF)))

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event["type"]
        if kind == "tool-input-delta":
            assembler.fragment(event["toolCallId"], event["inputTextDelta"])
        elif kind in ("text-delta", "reasoning-delta"):
            self._text(kind.partition("-")[0], event, assembler)
        elif kind.startswith(("tool-", "text-", "reasoning-")):
            self._part(kind, event, assembler)
        elif kind == "start":
            if not assembler.started or assembler.ended:  # streams that were merged into one have each a start
                assembler.message_start(event.get("messageId"), None)
            self._id = event.get("messageId") or self._id
        elif kind == "start-step":
            assembler.went_on()
            self._step = (self._count, assembler.place())
            self._add({"type": "step-start"})
        elif kind == "finish-step":
            self._growing.clear()
        elif kind == "reset-step":
            self._reset(assembler)
        elif kind in WHOLE_PARTS or kind.startswith("data-"):
            self._whole_part(event)
        elif kind == "error":
            assembler.fail(provider_error(event), "error")
        elif kind == "abort":
            assembler.break_off(f"the stream was aborted: {event.get('reason') or 'no reason given'}")
        if event.get("messageMetadata") is not None:
            self._metadata = _merged(self._metadata, event["messageMetadata"])
        if kind == "finish":
            self._finish(event.get("finishReason"), assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        kind = event["type"]
        if kind == "tool-input-delta":
            call = assembler.call(event["toolCallId"])
            return None if call is None else Repeat("inputTextDelta", event["inputTextDelta"], call)
        if kind in ("text-delta", "reasoning-delta") and "providerMetadata" not in event:
            part, is_text = self._growing[kind.partition("-")[0], event["id"]], kind == "text-delta"
            keep = (assembler.texts, self._texts[part]) if is_text else (self._texts[part],)
            return Repeat("delta", event["delta"], None, part, keep, reasoning=not is_text)
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        if not done:
            assembler.break_off("the stream ended without finish")
        self._finish(None, assembler)  # a server may leave it to another stream, or out (`sendFinish: false`)

    def _finish(self, reason: str | None, assembler: Assembler) -> None:
        kind = STOP_KINDS.get(reason, "other")
        if kind in ("natural", "tools"):
            # What the server has run already is not asked for.
            awaited = (part for part in self._parts.values() if part.get("state") in ("input-streaming", INPUT))
            kind = "tools" if any(not part.get("providerExecuted") for part in awaited) else "other"
        assembler.stop(reason, kind)
        assembler.end()

    # ------------------------------------------------------------------ text

    def _text(self, kind: str, event: dict[str, Any], assembler: Assembler) -> None:
        place = (kind, event["id"])
        if place not in self._growing:
            self._begin_text(place)
        part, delta = self._growing[place], event.get("delta") or ""
        if kind == "text":
            assembler.text_delta(delta, part)
        else:
            assembler.reasoning_delta(delta, part)
        self._texts[part].append(delta)
        self._note_metadata(part, event, "providerMetadata")

    def _begin_text(self, place: tuple[str, str]) -> int:
        part = self._growing[place] = self._add({"type": place[0]})
        self._texts[part] = []
        return part

    def _part(self, kind: str, event: dict[str, Any], assembler: Assembler) -> None:
        """A part of the message begins, ends or moves on."""
        about, _, step = kind.partition("-")
        if about == "tool":
            self._tool(kind, event, assembler)
        elif step == "start":
            assembler.went_on()
            self._note_metadata(self._begin_text((about, event["id"])), event, "providerMetadata")
        elif step == "end" and (about, event["id"]) in self._growing:
            part = self._growing.pop((about, event["id"]))
            self._note_metadata(part, event, "providerMetadata")

    # ------------------------------------------------------------------ tools

    def _tool(self, kind: str, event: dict[str, Any], assembler: Assembler) -> None:
        key = event.get("toolCallId")
        if kind == "tool-input-start":
            self._open(event, assembler)
        elif kind == "tool-input-available":
            self._available(key, event, assembler)
        elif kind == "tool-input-error":
            self._refused(key, event, assembler)
        elif key in self._tools:
            assembler.went_on()
            part = self._parts[self._tools[key]]
            if kind in OUTPUTS:
                part["state"], members = OUTPUTS[kind]
                part.pop("preliminary", None)
                part.update({name: event[name] for name in members if name in event})
                self._note_metadata(self._tools[key], event, "resultProviderMetadata")
            elif kind == "tool-approval-request":
                approval = {"id": event["approvalId"], "signature": event.get("signature")}
                part["state"] = "approval-requested"
                part["approval"] = {name: value for name, value in approval.items() if value is not None}

    def _open(self, event: dict[str, Any], assembler: Assembler) -> None:
        key, name, server = event["toolCallId"], event["toolName"], bool(event.get("providerExecuted"))
        is_text = event.get("inputEncoding") == "text"
        call = assembler.open(key, id=key, name=name, server=server, free_text=is_text)
        about = {"type": "dynamic-tool", "toolName": name} if event.get("dynamic") else {"type": f"tool-{name}"}
        call._kind = about["type"]
        part = self._add({**about, "toolCallId": key, "state": "input-streaming"})
        self._tools[key] = part
        self._note_about(part, event)

    def _available(self, key: Any, event: dict[str, Any], assembler: Assembler) -> None:
        if key not in self._tools:
            self._open(event, assembler)
        call, part = assembler.call(key), self._tools[key]
        self._parts[part].update(state=INPUT, input=event["input"])
        self._note_about(part, event)
        if call is not None and not (call.is_complete() or call.text.strip() == "{}"):
            is_text = event.get("inputEncoding") == "text" and isinstance(event["input"], str)
            assembler.whole(key, event["input"] if is_text else json.dumps(event["input"], ensure_ascii=False))
        assembler.close(key, certain=True)

    def _refused(self, key: Any, event: dict[str, Any], assembler: Assembler) -> None:
        """The framework has found that the input does not suit the tool. It tells the model so, and goes on."""
        if key not in self._tools:
            self._open(event, assembler)
        call, part = assembler.call(key), self._parts[self._tools[key]]
        raw = "input" if part["type"] == "dynamic-tool" else "rawInput"
        part.update({"state": "output-error", "errorText": event["errorText"], raw: event.get("input")})
        self._note_about(self._tools[key], event)
        if call is not None and call.state != "void":
            assembler.spoil(call, JSONError(event["errorText"], call=call), is_fault=False)

    def _note_about(self, part: int, event: dict[str, Any]) -> None:
        for name in ("title", "providerExecuted", "toolMetadata"):
            if event.get(name) is not None:
                self._parts[part][name] = event[name]
        self._note_metadata(part, event, "callProviderMetadata")

    # ------------------------------------------------------------------ the message

    def _add(self, part: dict[str, Any]) -> int:
        index, self._count = self._count, self._count + 1
        self._parts[index] = part
        return index

    def _note_metadata(self, part: int, event: dict[str, Any], name: str) -> None:
        if event.get("providerMetadata") is not None:
            self._parts[part][name] = event["providerMetadata"]

    def _whole_part(self, event: dict[str, Any]) -> None:
        if event.get("transient"):
            return
        for part in self._parts.values():
            if part["type"] == event["type"] and part.get("id", event) == event.get("id"):
                part["data"] = event["data"]
                return
        self._add({name: value for name, value in event.items() if value is not None or name == "data"})

    def _reset(self, assembler: Assembler) -> None:
        """The step is tried again: what it has produced so far does not count."""
        first, place = self._step
        assembler.retract(place, "the step was reset")
        # The boundary itself stays.
        self._parts = {index: part for index, part in self._parts.items() if index <= first}
        self._tools = {key: index for key, index in self._tools.items() if index <= first}
        self._growing.clear()

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The UIMessage, with the outputs of the calls that the server has run."""
        parts = [self._finished(index, part, assembler) for index, part in self._parts.items()]
        message = {"id": self._id, "role": "assistant", "parts": parts}
        return message if self._metadata is None else {**message, "metadata": self._metadata}

    def _finished(self, index: int, part: dict[str, Any], assembler: Assembler) -> dict[str, Any]:
        part = dict(part)
        if part["type"] in ("text", "reasoning"):
            part["text"] = joined(self._texts[index])
            part["state"] = "streaming" if index in self._growing.values() else "done"
        call = assembler.call(part.get("toolCallId")) if part.get("state") == "input-streaming" else None
        return part if call is None else {**part, "input": call.snapshot()}


def _merged(old: Any, new: Any) -> Any:
    """Metadata as the framework merges it: objects member by member, anything else replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    return new
