"""OpenAI Responses: typed events, output items keyed by their place in the output.

https://platform.openai.com/docs/api-reference/responses-streaming
`item_id` is no key: GitHub Copilot gives a new one in each event.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler
from ..calls import joined
from ..lane import Repeat
from ..usage import Usage
from .common import merged, provider_error

# The items that are tool calls: the member that holds the arguments.
CALL_ITEMS = {"function_call": "arguments", "custom_tool_call": "input", "mcp_call": "arguments"}
FRAGMENTS = {
    "response.function_call_arguments.delta",
    "response.custom_tool_call_input.delta",
    "response.mcp_call_arguments.delta",
    "response.mcp_call.arguments_delta",  # its older name
}
WHOLE_ARGUMENTS = {
    "response.function_call_arguments.done": "arguments",
    "response.custom_tool_call_input.done": "input",
    "response.mcp_call_arguments.done": "arguments",
    "response.mcp_call.arguments_done": "arguments",
}
TEXT = {"response.output_text.delta", "response.refusal.delta"}
WHOLE_TEXT = {"response.output_text.done": "text", "response.refusal.done": "refusal"}
REASONING = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
BEGINNINGS = {"response.created", "response.in_progress", "response.queued"}
ENDS = {"response.completed", "response.incomplete", "response.failed"}


class OpenAIResponses:
    name = "openai-responses"
    ignored: tuple[str, ...] = ("sequence_number", "obfuscation")

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._items: dict[Any, dict[str, Any]] = {}  # as they were when added, then when done
        self._done: set[Any] = set()
        self._keys: dict[str, Any] = {}  # item id: key, for bridges that leave output_index out
        self._texts: dict[tuple[Any, int], list[str]] = {}  # by key and content_index
        self._final: list[Any] | None = None

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        return isinstance(kind, str) and kind.startswith("response.") and "event_id" not in event

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind in FRAGMENTS:
            self._fragment(event, assembler)
        elif kind in TEXT:
            self._text(event, event["delta"], assembler)
        elif kind in REASONING:
            assembler.reasoning_delta(event["delta"], event.get("output_index") or 0)
        elif kind == "response.output_item.added":
            self._added(self._key(event), event["item"], assembler)
        elif kind in WHOLE_ARGUMENTS:
            self._whole(self._key(event), event.get("name"), event.get(WHOLE_ARGUMENTS[kind]), assembler)
        elif kind in WHOLE_TEXT:
            self._whole_text(event, event.get(WHOLE_TEXT[kind]), assembler)
        elif kind == "response.output_item.done":
            self._item_done(self._key(event), event["item"], assembler)
        elif kind in BEGINNINGS:
            self._begin(event["response"], assembler)
        elif kind in ENDS:
            self._response_end(event["response"], assembler)
        elif kind == "error":
            assembler.fail(provider_error(event), stop_reason="failed")

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        kind, delta, key = event.get("type"), event.get("delta"), self._key(event)
        if not isinstance(delta, str) or not isinstance(key, int):
            return None
        if kind in FRAGMENTS:
            call = assembler.call(key)
            return None if call is None else Repeat("delta", delta, call)
        if kind in TEXT:
            parts = self._texts[key, event.get("content_index") or 0]
            return Repeat("delta", delta, None, key, (assembler.texts, parts))
        index = event.get("output_index") or 0
        return Repeat("delta", delta, None, index, reasoning=True) if kind in REASONING else None

    def end(self, assembler: Assembler, done: bool) -> None:
        assembler.break_off("the stream ended without response.completed")

    def _begin(self, response: dict[str, Any], assembler: Assembler) -> None:
        if not assembler.started or assembler.ended:
            self._forget()
            assembler.message_start(response.get("id"), response.get("model"))

    def _key(self, event: dict[str, Any]) -> Any:
        index = event.get("output_index")
        if index is None:
            id = event.get("item_id")
            index = self._keys.get(id, id) if isinstance(id, str) else None
        return index

    def _added(self, key: Any, item: dict[str, Any] | None, assembler: Assembler) -> None:
        if item is None:
            return
        if key is None:
            key = item.get("id")
        if isinstance(item.get("id"), str):
            self._keys[item["id"]] = key
        self._items[key] = item
        self._done.discard(key)
        kind = item["type"]
        if kind not in CALL_ITEMS:
            assembler.went_on()
            return
        assembler.open(
            key,
            id=item.get("call_id") or item.get("id"),
            name=item.get("name"),
            server=kind == "mcp_call",
            free_text=kind == "custom_tool_call",
        )
        arguments = item.get(CALL_ITEMS[kind])
        if arguments:
            assembler.whole(key, arguments)

    def _fragment(self, event: dict[str, Any], assembler: Assembler) -> None:
        key, delta = self._key(event), event["delta"]
        if isinstance(delta, str):
            assembler.fragment(key, delta)
        else:
            assembler.whole(key, delta)  # some servers send the object itself

    def _whole(self, key: Any, name: str | None, arguments: Any, assembler: Assembler) -> None:
        call = assembler.call(key)
        if call is not None:
            if name and not call.name:
                assembler.rename(call, name)
            assembler.whole(key, arguments)
            assembler.close(key)

    def _item_done(self, key: Any, item: dict[str, Any], assembler: Assembler) -> None:
        """An item as it is in the end. It may be all that was sent of it, so what is new in it counts."""
        if key is None:
            key = self._keys.get(item.get("id") or "", item.get("id"))
        if key not in self._items or self._items[key].get("type") != item.get("type"):
            self._added(key, {**item, "arguments": "", "input": ""}, assembler)
        self._items[key] = item
        self._done.add(key)
        kind = item["type"]
        if kind in CALL_ITEMS:
            self._whole(key, item.get("name"), item.get(CALL_ITEMS[kind]), assembler)
            assembler.close(key, certain=item.get("status") == "completed")
        elif kind == "message":
            for index, part in enumerate(item.get("content") or ()):
                place = {"output_index": key, "content_index": index}
                self._whole_text(place, part.get("text") or part.get("refusal"), assembler)

    def _text(self, place: dict[str, Any], text: str, assembler: Assembler) -> None:
        key = self._key(place)
        assembler.text_delta(text, key if isinstance(key, int) else 0)
        self._texts.setdefault((key, place.get("content_index") or 0), []).append(text)

    def _whole_text(self, place: dict[str, Any], text: str | None, assembler: Assembler) -> None:
        if text and (self._key(place), place.get("content_index") or 0) not in self._texts:
            self._text(place, text, assembler)

    def _response_end(self, response: dict[str, Any], assembler: Assembler) -> None:
        self._begin(response, assembler)
        output = response.get("output")
        seen = {(item["type"], item.get("call_id")) for item in self._items.values()}
        for index, item in enumerate(output or ()):
            if (item["type"], item.get("call_id")) not in seen:  # some bridges stream less than they send here
                self._item_done(("output", index), item, assembler)
        self._final = output or None
        self._add_usage(response.get("usage"), assembler)
        status = response.get("status")
        if status == "failed" or response.get("error"):
            assembler.fail(provider_error(response), stop_reason=status)
        if status == "incomplete":
            reason = (response.get("incomplete_details") or {}).get("reason")
            assembler.stop(status, "filter" if reason == "content_filter" else "length")
        else:
            assembler.stop(status, "natural")
        assembler.end()

    def _add_usage(self, usage: dict[str, Any] | None, assembler: Assembler) -> None:
        if not usage:
            return
        raw = merged({}, usage)
        assembler.usage_update(
            Usage(
                input_tokens=raw.get("input_tokens"),
                output_tokens=raw.get("output_tokens"),
                cache_read_tokens=(raw.get("input_tokens_details") or {}).get("cached_tokens"),
                reasoning_tokens=(raw.get("output_tokens_details") or {}).get("reasoning_tokens"),
                raw=raw,
            )
        )

    def message(self, assembler: Assembler) -> list[dict[str, Any]]:
        """The output items, which the next request must contain."""
        if self._final is not None:
            return list(self._final)
        return [self._item(key, assembler) for key in self._items]

    def _item(self, key: Any, assembler: Assembler) -> dict[str, Any]:
        item = dict(self._items[key])
        if key in self._done:
            return item
        call = assembler.call(key)
        if call is not None and item["type"] in CALL_ITEMS:
            item[CALL_ITEMS[item["type"]]] = call.text
        elif item["type"] == "message":
            parts = sorted(index for place, index in self._texts if place == key)
            item["content"] = [{"type": "output_text", "text": joined(self._texts[key, index])} for index in parts]
        return item
