"""Gemini Interactions: typed events; steps, in the older revision contents, keyed by their index.

https://ai.google.dev/gemini-api/docs/interactions/streaming
The older revision names the same events interaction.start, content.start, content.delta, content.stop and
interaction.complete, and sends a call's arguments as an object in one delta.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import ToolCall, joined
from ..lane import Repeat
from ..usage import Usage
from .common import merged, provider_error

BEGINNINGS = {"interaction.created", "interaction.start"}
ENDS = {"interaction.completed", "interaction.complete"}
STOP_KINDS: dict[str | None, StopKind] = {
    "completed": "natural",
    "requires_action": "tools",
    "incomplete": "length",
    "budget_exceeded": "length",
    "requires_continuation": "length",
    "cancelled": "error",
}
SPOKEN = {"model_output", "text", "thought"}
ASKED = {"user_input", "function_result"}  # steps that the caller has sent
DELTAS = {"step.delta", "content.delta"}
STARTS = {"step.start": "step", "content.start": "content"}
STOPS = {"step.stop", "content.stop"}


class GeminiInteractions:
    name = "gemini-interactions"
    ignored: tuple[str, ...] = ("event_id",)

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._has_steps = True  # the newer revision
        self._blocks: dict[int, dict[str, Any]] = {}  # steps, or contents, as they began
        self._grown: dict[int, list[dict[str, Any]]] = {}  # contents that came in a block; a text is a list of pieces
        self._usage: dict[str, Any] = {}

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("event_type")
        return isinstance(kind, str) and kind.startswith(("interaction.", "step.", "content."))

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("event_type") or event.get("type")
        usage = (event.get("metadata") or {}).get("total_usage")
        if usage:
            self._add_usage(usage, assembler)
        if kind in DELTAS:
            self._delta(event["index"], event["delta"], assembler)
        elif kind in STARTS:
            self._has_steps = kind == "step.start"
            self._block(event["index"], event[STARTS[kind]], assembler)
        elif kind in STOPS:
            self._block_stop(event["index"], assembler)
        elif kind in BEGINNINGS:
            self._forget()
            self._has_steps = kind == "interaction.created"
            assembler.message_start(event["interaction"].get("id"), event["interaction"].get("model"))
        elif kind in ENDS:
            self._interaction_end(event["interaction"], assembler)
        elif kind == "error":
            assembler.fail(provider_error(event))

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        delta = event.get("delta")
        if event.get("event_type") not in DELTAS or not delta or event.get("metadata"):
            return None
        call, arguments = assembler.call(event["index"]), delta.get("arguments")
        is_text = delta.get("type") == "arguments_delta" and isinstance(arguments, str)
        return Repeat("arguments", arguments, call) if is_text and call is not None else None

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without interaction.completed")

    def _block(self, index: int, block: dict[str, Any], assembler: Assembler) -> None:
        assembler.went_on()
        self._blocks[index] = dict(block)
        self._grown.pop(index, None)
        kind = block["type"]
        if kind.endswith("_call"):
            server = kind != "function_call"
            name = block.get("name") or (kind.removesuffix("_call") if server else None)
            assembler.open(index, id=block.get("id"), name=name, server=server)
        if kind in SPOKEN:
            for content in (block, *(block.get("content") or ()), *(block.get("summary") or ())):
                self._say(index, kind, content.get("text"), assembler)

    def _say(self, index: int, kind: str, text: Any, assembler: Assembler) -> None:
        if text and kind == "thought":
            assembler.reasoning_delta(text, index)
        elif text:
            assembler.text_delta(text, index)

    def _delta(self, index: int, delta: dict[str, Any], assembler: Assembler) -> None:
        kind = delta.get("type") or ""
        if kind == "arguments_delta":
            assembler.fragment(index, delta.get("arguments"))
            return
        if index not in self._blocks:  # some bridges leave the starts out
            self._block(index, self._missing_block(delta, kind), assembler)
        block = self._blocks[index]
        if kind in ("text", "thought_summary"):
            content = delta if kind == "text" else delta.get("content") or {}
            self._say(index, block["type"], content.get("text"), assembler)
            self._grow(index, content)
        elif kind.startswith("text_annotation"):
            self._grow(index, {"type": "text", "text": "", "annotations": delta.get("annotations") or []})
        elif kind in ("audio", "document", "image", "video"):
            self._grow(index, delta)
        else:  # a signature, all of a call's arguments, a tool's results
            block.update((name, value) for name, value in delta.items() if name != "type")
            self._take_arguments(index, assembler)

    def _missing_block(self, delta: dict[str, Any], kind: str) -> dict[str, Any]:
        if kind.startswith("thought"):
            return {"type": "thought"}
        if kind.endswith(("_call", "_result")):
            return {**delta, "arguments": {}}
        return {"type": "model_output" if self._has_steps else "text"}

    def _grow(self, index: int, content: dict[str, Any]) -> None:
        contents = self._grown.setdefault(index, [])
        if content.get("type", "text") != "text":
            contents.append(content)
            return
        if not contents or contents[-1]["type"] != "text":
            contents.append({"type": "text", "text": []})
        last = contents[-1]
        last["text"].append(content.get("text") or "")
        if content.get("annotations"):
            last["annotations"] = [*last.get("annotations", ()), *content["annotations"]]

    def _take_arguments(self, index: int, assembler: Assembler) -> None:
        call, block = assembler.call(index), self._blocks[index]
        if call is None:
            return
        if not call.name and block.get("name"):  # the older revision names a call in its delta
            call.id = block.get("id") or call.id
            assembler.rename(call, block["name"])
        if block.get("arguments") and not call.text:
            assembler.whole(index, block["arguments"])

    def _block_stop(self, index: int, assembler: Assembler) -> None:
        if index in self._blocks:
            self._take_arguments(index, assembler)  # of the start; empty ones are a placeholder
        assembler.close(index)

    def _interaction_end(self, interaction: dict[str, Any], assembler: Assembler) -> None:
        blocks = interaction.get("steps") or interaction.get("outputs")
        if blocks and not self._blocks:  # some bridges send everything at the end
            for index, block in enumerate(block for block in blocks if block["type"] not in ASKED):
                self._block(index, block, assembler)
                self._block_stop(index, assembler)
        if interaction.get("usage"):
            self._add_usage(interaction["usage"], assembler)
        status = interaction.get("status")
        if status == "failed":
            assembler.fail(provider_error(interaction), stop_reason=status)
        assembler.stop(status, STOP_KINDS.get(status, "other"))
        assembler.end()

    def _add_usage(self, usage: dict[str, Any], assembler: Assembler) -> None:
        raw = self._usage = merged(self._usage, usage)
        answer, thoughts = raw.get("total_output_tokens"), raw.get("total_thought_tokens")
        assembler.usage_update(
            Usage(
                input_tokens=raw.get("total_input_tokens"),
                output_tokens=None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0),
                cache_read_tokens=raw.get("total_cached_tokens"),
                reasoning_tokens=thoughts,
                raw=raw,
            )
        )

    def message(self, assembler: Assembler) -> Any:
        """The steps, to be appended to the next request's input; of the older revision, the model's turn."""
        blocks = [self._finished(index, block, assembler.call(index)) for index, block in sorted(self._blocks.items())]
        return blocks if self._has_steps else {"role": "model", "content": blocks}

    def _finished(self, index: int, block: dict[str, Any], call: ToolCall | None) -> dict[str, Any]:
        block = {name: value for name, value in block.items() if value not in (None, "") or name == "text"}
        if call is not None and call.text:
            block["arguments"] = call.snapshot()
        grown = [
            {**content, "text": joined(content["text"])} if content["type"] == "text" else content
            for content in self._grown.get(index, ())
        ]
        if grown and block["type"] == "text":
            block.update(grown[0], text=(block.get("text") or "") + grown[0]["text"])
        elif grown:
            member = "summary" if block["type"] == "thought" else "content"
            block[member] = [*(block.get(member) or ()), *grown]
        return block
