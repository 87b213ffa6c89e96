"""Ollama's own chat API: one object a line, whose message holds the next piece of text, or whole calls.

https://docs.ollama.com/api/chat
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..usage import Usage
from .common import provider_error

# It says stop behind calls, too, and older versions said nothing.
STOP_KINDS: dict[str | None, StopKind] = {"stop": "natural", None: "natural", "length": "length"}


class Ollama:
    name = "ollama"
    ignored: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._content: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[tuple[ToolCall, dict[str, Any]]] = []

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        return isinstance(event.get("message"), dict) and "created_at" in event and "done" in event

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if event.get("error") or event.get("type") == "error":  # the latter is a gateway's
            assembler.fail(provider_error(event))
        if assembler.ended or not assembler.started:
            assembler.message_start(None, event.get("model"))
            self._forget()
        message = event.get("message") or {}  # the last line of older versions has none
        thinking, content = message.get("thinking"), message.get("content")
        if thinking or content:
            assembler.went_on()
        if thinking:
            assembler.reasoning_delta(thinking, 0)
            self._thinking.append(thinking)
        if content:
            assembler.text_delta(content, 0)
            self._content.append(content)
        for entry in message.get("tool_calls") or ():
            self._call(entry, assembler)
        if event.get("done"):
            self._end(event, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        return None  # the fast lane reads server-sent events

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without a line that is done")

    def _call(self, entry: dict[str, Any], assembler: Assembler) -> None:
        """A call comes whole, so its place among the calls is its key: its index and id may be missing."""
        key, function = len(self._calls), entry["function"]
        call = assembler.open(key, id=entry.get("id"), name=function["name"])
        assembler.whole(key, function.get("arguments"))
        assembler.close(key, certain=True)
        self._calls.append((call, entry))

    def _end(self, event: dict[str, Any], assembler: Assembler) -> None:
        raw = {name: count for name, count in event.items() if name.endswith(("_count", "_duration"))}
        if raw:
            prompt, output = raw.get("prompt_eval_count"), raw.get("eval_count")
            assembler.usage_update(Usage(input_tokens=prompt, output_tokens=output, raw=raw))
        reason = event.get("done_reason")
        assembler.stop(reason, STOP_KINDS.get(reason, "other"))
        assembler.end()

    def message(self, assembler: Assembler) -> dict[str, Any]:
        """The message as the next request must contain it."""
        message: dict[str, Any] = {"role": "assistant", "content": joined(self._content)}
        if self._thinking:
            message["thinking"] = joined(self._thinking)
        if self._calls:
            message["tool_calls"] = [
                {**entry, "function": {**entry["function"], "arguments": call.snapshot()}}
                for call, entry in self._calls
            ]
        return message
