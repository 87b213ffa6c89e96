"""pydantic-ai: the events of a model's response, and of an agent that runs several; parts keyed by their index.

https://ai.pydantic.dev/api/messages/ (`PartStartEvent`, `PartDeltaEvent`, `PartEndEvent`)
Each response is a message of its own. Its end is the end of the part behind which none is announced; why the model
stopped is not told. Other events are about the agent's run.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler
from ..calls import incomplete_arguments, joined
from ..lane import Repeat
from .common import MergedObject

CALLS = ("tool-call", "builtin-tool-call")
# Members of a delta that replace the part's.
REPLACED = {"signature_delta": "signature", "citations_delta": "citations", "provider_name": "provider_name"}


class PydanticAI:
    name = "pydantic-ai"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._parts: dict[int, dict[str, Any]] = {}
        self._texts: dict[int, list[str]] = {}  # of a part that holds text and has not ended
        self._objects: dict[int, MergedObject] = {}  # arguments that come as objects

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        return isinstance(event.get("event_kind"), str)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event["event_kind"]
        if kind == "part_delta":
            self._delta(event["index"], event["delta"], assembler)
        elif kind == "part_start":
            self._start(event["index"], event["part"], assembler)
        elif kind == "part_end":
            self._end_part(event["index"], event["part"], assembler)
            if event.get("next_part_kind") is None:
                assembler.stop(None, "natural")
                assembler.end()

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # they are no SSE

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended before the end of the response's last part")

    def _start(self, index: int, part: dict[str, Any], assembler: Assembler) -> None:
        if assembler.ended or not assembler.started:
            assembler.message_start(None, None)
            self._parts, self._texts, self._objects = {}, {}, {}
        before, kind = self._parts.get(index), part["part_kind"]
        self._parts[index] = dict(part)
        if kind in CALLS:
            if before is None or before.get("tool_call_id") != part.get("tool_call_id"):
                self._open(index, part, assembler)
            self._arguments(index, part.get("args"), assembler)
            return
        assembler.went_on()
        if kind in ("text", "thinking"):
            self._texts[index] = []
            self._text(index, kind, part.get("content"), assembler)

    def _open(self, index: int, part: dict[str, Any], assembler: Assembler) -> None:
        replaced = assembler.call(index)
        if replaced is not None and not replaced.complete and replaced.state != "void":
            reason = "the call was replaced by another one before its end"
            assembler.spoil(replaced, incomplete_arguments(replaced, reason), is_fault=False)
        self._objects.pop(index, None)
        server = part["part_kind"] != "tool-call"
        assembler.open(index, id=part.get("tool_call_id"), name=part["tool_name"], server=server)

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        kind = delta["part_delta_kind"]
        if kind == "tool_call":
            self._call_delta(index, delta, assembler)
        elif kind in ("text", "thinking"):
            self._text(index, kind, delta.get("content_delta"), assembler)
        part = self._parts.get(index)
        if part is None:
            return
        for name, member in REPLACED.items():
            if delta.get(name) is not None:
                part[member] = delta[name]
        details = delta.get("provider_details")
        if callable(details):
            part["provider_details"] = details(part.get("provider_details"))
        elif details:
            part["provider_details"] = {**(part.get("provider_details") or {}), **details}

    def _call_delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        call = assembler.call(index)
        if call is None:
            return
        if delta.get("tool_name_delta"):
            assembler.rename(call, call.name + delta["tool_name_delta"])
        call.id = delta.get("tool_call_id") or call.id
        self._arguments(index, delta.get("args_delta"), assembler)

    def _arguments(self, index: int, arguments: Any, assembler: Assembler) -> None:
        if isinstance(arguments, dict):
            arguments = self._objects.setdefault(index, MergedObject()).more(arguments)
        assembler.fragment(index, arguments)

    def _text(self, index: int, kind: str, text: str | None, assembler: Assembler) -> None:
        if not text:
            return  # a delta of citations may come behind the end
        if kind == "text":
            assembler.text_delta(text, index)
        else:
            assembler.reasoning_delta(text, index)
        self._texts.setdefault(index, []).append(text)

    def _end_part(self, index: int, part: dict[str, Any], assembler: Assembler) -> None:
        self._parts[index] = dict(part)
        self._texts.pop(index, None)
        if part["part_kind"] in CALLS:
            if index in self._objects:
                assembler.fragment(index, self._objects.pop(index).end())
            assembler.whole(index, part.get("args"))
            assembler.close(index)

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The ModelResponse, as `ModelMessagesTypeAdapter` reads it."""
        parts = [self._finished(index, part, assembler) for index, part in sorted(self._parts.items())]
        return {"kind": "response", "parts": parts}

    def _finished(self, index: int, part: dict[str, Any], assembler: Assembler) -> dict[str, Any]:
        part = dict(part)
        call = assembler.call(index)
        if index in self._texts:
            part["content"] = joined(self._texts[index])
        if part["part_kind"] in CALLS and call is not None:
            part.update(tool_name=call.name, tool_call_id=call.id)
            part["args"] = call.snapshot() if index in self._objects else call.text
        return part
