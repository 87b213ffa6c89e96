"""OpenAI Responses: typed events, output items keyed by their place in the output.

https://platform.openai.com/docs/api-reference/responses-streaming
`item_id` alone is no key: GitHub Copilot gives a new one in each event. Nor is `output_index`: bridges leave it out, or
begin anew for another item.
"""

from __future__ import annotations

from typing import Any

from ..assembler import Assembler, StopKind
from ..calls import joined
from ..lane import Repeat
from ..shared import shared
from ..usage import Usage
from .common import merged, provider_error
from .openai_items import FRAGMENTS, PLAIN, TOOLS, WHOLE_INPUTS, Item, is_run_by_server, plain_call

TEXT = {"response.output_text.delta", "response.refusal.delta"}
WHOLE_TEXT = {"response.output_text.done": "text", "response.refusal.done": "refusal"}
# The last one is Open Responses' name.
REASONING = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta", "response.reasoning.delta"}
BEGINNINGS = {"response.created", "response.in_progress", "response.queued"}
UNFINISHED = {"in_progress", "queued"}
# Members of an item that say the same in many streams.
_SHARED = frozenset(("type", "status", "name"))
# The last two are not OpenAI's own; the response's status tells how it ended.
ENDS = {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"}
ERRORS = {"error", "response.error", None}  # the last two are gateways'
# An item as it was when added, then when done. Of a call about which that says nothing else: its id.
Told = Item | str


class More:
    """What a response that has begun one item does not need; each is made when something comes to be in it.

    items: all but the first. keys: by all ids but the first's. done: the keys of items that have ended. places: by
    output_index, the key of the last of several items there. texts: by key and content_index. reasoned: reasoning
    items whose text has come. commands: of a shell call, those that are whole. final: the items that the end repeats.
    """

    __slots__ = ("commands", "done", "final", "items", "keys", "places", "reasoned", "texts")

    def __init__(self) -> None:
        self.items: dict[Any, Told] | None = None
        self.keys: dict[str, Any] | None = None
        self.done: set[Any] | None = None
        self.places: dict[Any, Any] | None = None
        self.texts: dict[tuple[Any, int], list[str]] | None = None
        self.reasoned: set[Any] | None = None
        self.commands: dict[Any, list[str]] | None = None
        self.final: list[Any] | None = None

    def forget(self, key: Any) -> None:
        """Another item begins that has the key."""
        if self.done is not None:
            self.done.discard(key)
        if self.reasoned is not None:
            self.reasoned.discard(key)
        if self.commands is not None:
            self.commands.pop(key, None)


NO_MORE = More()  # to be read only


class OpenAIResponses:
    # Most responses that wait have one item, which stands here.
    __slots__ = ("_first", "_first_id", "_first_key", "_more")

    name = "openai-responses"
    ignored: tuple[str, ...] = ("sequence_number", "obfuscation")

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._first: Told | None = None
        self._first_key: Any = None
        self._first_id: str | None = None  # None: it has none, or another item has it now
        self._more = NO_MORE

    def _own_more(self) -> More:
        """`_more`, to be written to."""
        if self._more is NO_MORE:
            self._more = More()
        return self._more

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        kind = event.get("type")
        if event.get("object") == "response":  # a whole answer, of a server that does not stream
            return isinstance(event.get("output"), list)
        is_numbered_error = kind == "error" and "sequence_number" in event
        return is_numbered_error or (isinstance(kind, str) and kind.startswith("response.") and "event_id" not in event)

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        kind = event.get("type")
        if kind in FRAGMENTS:
            assembler.fragment(self._key(event), event.get("delta"))
        elif kind in TEXT:
            self._text(self._key(event), event, event.get("delta") or "", assembler)
        elif kind in REASONING:
            more = self._own_more()
            more.reasoned = more.reasoned or set()
            more.reasoned.add(self._key(event))
            assembler.reasoning_delta(event.get("delta"), event.get("output_index") or 0)
        elif kind == "response.output_item.added":
            self._added(self._key(event), event["item"], assembler)
        elif kind in WHOLE_INPUTS:
            self._whole(self._key(event), event.get("name"), event.get(WHOLE_INPUTS[kind]), assembler)
        elif kind in WHOLE_TEXT:
            self._whole_text(self._key(event), event, event.get(WHOLE_TEXT[kind]), assembler)
        elif kind == "response.output_item.done":
            self._item_done(self._key(event), event["item"], assembler)
        elif kind in BEGINNINGS:
            self._begin(_response_of(event), assembler)
        elif kind in ENDS:
            response = _response_of(event)
            if not response.get("status") and kind != "response.done":  # some bridges tell it by the event alone
                response = {**response, "status": kind.removeprefix("response.")}
            self._response_end(response, assembler)
        elif isinstance(kind, str) and kind.startswith("response.shell_call_command."):
            self._command(self._key(event), event, assembler)
        elif event.get("object") == "response" and event.get("status") in UNFINISHED:
            self._begin(event, assembler)
        elif event.get("object") == "response":
            self._response_end(event, assembler)
        elif kind in ERRORS and (kind is not None or event.get("error")):
            assembler.fail(provider_error(event), stop_reason="failed")

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        kind, delta = event.get("type"), event.get("delta")
        if not isinstance(delta, str):
            return None
        key = self._key(event)
        if not isinstance(key, int):
            return None
        if kind in FRAGMENTS:
            call = assembler.call(key)
            return None if call is None else Repeat("delta", delta, call)
        if kind in TEXT:
            parts = (self._more.texts or {})[key, event.get("content_index") or 0]
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
        id, index = event.get("item_id"), event.get("output_index")
        if isinstance(id, str):
            known = self._key_of_id(id)
            if known is not None:
                return known
            if index is None:
                return id
        places = self._more.places
        return index if places is None else places.get(index, index)

    # ------------------------------------------------------------------ items

    def _key_of_id(self, id: str) -> Any:
        return self._first_key if id == self._first_id else (self._more.keys or {}).get(id)

    def _set_id(self, id: str, key: Any) -> None:
        if key == self._first_key and self._first_id in (None, id):
            self._first_id = id
            return
        if id == self._first_id:
            self._first_id = None
        more = self._own_more()
        more.keys = more.keys or {}
        more.keys[id] = key

    def _item_at(self, key: Any) -> Told | None:
        return self._first if key == self._first_key else (self._more.items or {}).get(key)

    def _set_item(self, key: Any, item: Told) -> None:
        if self._first is None or key == self._first_key:
            self._first, self._first_key = item, key
        else:
            more = self._own_more()
            more.items = more.items or {}
            more.items[key] = item

    def _told_items(self, assembler: Assembler) -> list[tuple[Any, Item]]:
        """All items with their keys, in the order in which they came."""
        if self._first is None:
            return []
        told = ((self._first_key, self._first), *(self._more.items or {}).items())
        return [(key, _whole_item(key, item, assembler)) for key, item in told]

    def _is_another(self, key: Any, item: Item, assembler: Assembler) -> bool:
        """Whether the item is not the one that is known by the key. Its id does not tell as long as that goes on."""
        told = self._item_at(key)
        if told is None:
            return False
        if isinstance(told, str):
            call = assembler.call(key)
            return item["type"] != PLAIN or call is None or call.id != item.get("call_id")
        if told["type"] != item["type"] or told.get("call_id") != item.get("call_id"):
            return True
        return self._is_done(key) and told.get("id") != item.get("id")

    def _is_done(self, key: Any) -> bool:
        return key in (self._more.done or ())

    def _added(self, key: Any, item: Item | None, assembler: Assembler) -> Any:
        """An item begins. Answers its key."""
        if item is None:
            return key
        id = _id_of(item, key)
        if key is None:
            key = id
        elif self._is_another(key, item, assembler):
            place = key[0] if isinstance(key, tuple) else key
            more = self._own_more()
            more.places = more.places or {}
            key = more.places[place] = (place, 1 + len(more.items or ()))
        self._set_item(key, item)
        if id is not None:
            self._set_id(id, key)
        if self._more is not NO_MORE:
            self._more.forget(key)
        tool = TOOLS.get(item["type"])
        if tool is None:
            _share(item)
            assembler.went_on()
            return key
        call = assembler.open(
            key,
            id=item.get("call_id") or item.get("id"),
            name=item.get("name") or tool.name,
            server=is_run_by_server(item),
            free_text=tool.free_text,
        )
        if item == plain_call(item.get("id"), call):
            call._kind = PLAIN
            self._set_item(key, item["id"])
            return key
        _share(item)
        call._kind = item["type"]
        given = tool.input(item)
        if given and isinstance(given, str):  # an object may be a placeholder
            assembler.whole(key, given)
        return key

    def _command(self, key: Any, event: dict[str, Any], assembler: Assembler) -> None:
        """A shell call's commands come one after another; its input is their lines."""
        more = self._own_more()
        more.commands = more.commands or {}
        call, commands = assembler.call(key), more.commands.setdefault(key, [])
        command, index = event.get("command"), event.get("command_index") or 0
        if call is None:
            return
        if isinstance(command, str) and event["type"].endswith(".done"):
            commands[index:] = [command]
            assembler.whole(key, "\n".join(commands))
            return
        before = "\n".join([*commands, ""])
        if len(call.text) < len(before):
            assembler.fragment(key, before[len(call.text) :])
        assembler.fragment(key, event.get("delta") or command)

    def _whole(self, key: Any, name: str | None, arguments: Any, assembler: Assembler) -> None:
        call = assembler.call(key)
        if call is not None:
            if name and not call.name:
                assembler.rename(call, name)
            assembler.whole(key, arguments)
            assembler.close(key)

    def _item_done(self, key: Any, item: Item, assembler: Assembler) -> None:
        """An item as it is in the end. It may be all that was sent of it, so what is new in it counts."""
        id = _id_of(item, key)
        known = None if id is None else self._key_of_id(id)
        if known is not None:
            key = known
        elif key is None:
            key = id
        if self._item_at(key) is None or self._is_another(key, item, assembler):
            key = self._added(key, item, assembler)
        self._set_item(key, item)
        more = self._own_more()
        more.done = more.done or set()
        more.done.add(key)
        kind = item["type"]
        place = {"output_index": key}
        if kind in TOOLS:
            self._whole(key, item.get("name"), TOOLS[kind].input(item), assembler)
            assembler.close(key, certain=item.get("status") == "completed")
        elif kind == "message":
            for index, part in enumerate(item.get("content") or ()):
                text = part.get("text") or part.get("refusal") or part.get("transcript")
                self._whole_text(key, {**place, "content_index": index}, text, assembler)
        elif kind == "reasoning" and key not in (more.reasoned or ()):
            for part in (*(item.get("summary") or ()), *(item.get("content") or ())):
                assembler.reasoning_delta(part.get("text") or "", key if isinstance(key, int) else 0)

    # ------------------------------------------------------------------ text

    def _text(self, key: Any, place: dict[str, Any], text: str, assembler: Assembler) -> None:
        more = self._own_more()
        more.texts = more.texts or {}
        more.texts.setdefault((key, place.get("content_index") or 0), []).append(text)
        index = place.get("output_index")
        assembler.text_delta(text, index if isinstance(index, int) else 0)

    def _whole_text(self, key: Any, place: dict[str, Any], text: str | None, assembler: Assembler) -> None:
        index, texts = place.get("content_index") or 0, self._more.texts or ()
        if text and (key, index) not in texts and (None, index) not in texts:  # some do not say what item's text it is
            self._text(key, place, text, assembler)

    # ------------------------------------------------------------------ the end

    def _response_end(self, response: dict[str, Any], assembler: Assembler) -> None:
        self._begin(response, assembler)
        output = response.get("output")
        self._catch_up(output or (), assembler)
        self._own_more().final = output or None
        self._add_usage(response.get("usage"), assembler)
        status = response.get("status")
        if status == "failed" or response.get("error"):
            assembler.fail(self._error(response), stop_reason=status)
        assembler.stop(status, self._stop_kind(response))
        assembler.end()

    def _catch_up(self, output: Any, assembler: Assembler) -> None:
        """What the end repeats may be more than was streamed: some bridges send items only here, or their ends."""
        known: dict[Any, list[Any]] = {}
        for key, item in self._told_items(assembler):
            known.setdefault((item["type"], item.get("call_id")), []).append(key)
        for index, item in enumerate(output):
            keys = known.get((item["type"], item.get("call_id")))
            key = keys.pop(0) if keys else ("output", index)
            if not self._is_done(key):
                self._item_done(key, item, assembler)

    def _error(self, response: dict[str, Any]) -> Any:
        return provider_error(response)

    def _stop_kind(self, response: dict[str, Any]) -> StopKind:
        if response.get("status") == "cancelled":
            return "error"
        if response.get("status") != "incomplete":
            return "natural"
        reason = (response.get("incomplete_details") or {}).get("reason")
        return "filter" if reason == "content_filter" else "length"

    def _add_usage(self, usage: dict[str, Any] | None, assembler: Assembler) -> None:
        if not usage:
            return
        raw = merged({}, usage)
        # Realtime has a name of its own for the details.
        read = raw.get("input_tokens_details") or raw.get("input_token_details") or {}
        assembler.usage_update(
            Usage(
                input_tokens=raw.get("input_tokens"),
                output_tokens=raw.get("output_tokens"),
                cache_read_tokens=read.get("cached_tokens"),
                # 0 is also what servers say that do not count them.
                cache_write_tokens=read.get("cache_write_tokens") or None,
                reasoning_tokens=(raw.get("output_tokens_details") or {}).get("reasoning_tokens"),
                raw=raw,
            )
        )

    # ------------------------------------------------------------------ the message

    def message(self, assembler: Assembler) -> list[dict[str, Any]]:
        """The output items, which the next request must contain."""
        if self._more.final is not None:
            return list(self._more.final)
        return [self._item(key, item, assembler) for key, item in self._told_items(assembler)]

    def _item(self, key: Any, told: Item, assembler: Assembler) -> Item:
        item = dict(told)
        if self._is_done(key) and (item["type"] != "message" or item.get("content")):
            return item
        call = assembler.call(key)
        for name in ("arguments", "input", "code"):
            if call is not None and isinstance(item.get(name), str):
                item[name] = call.text
        if item["type"] == "message":
            texts = self._more.texts or {}
            parts = sorted(index for place, index in texts if place == key)
            item["content"] = [{"type": "output_text", "text": joined(texts[key, index])} for index in parts]
        return item


def _response_of(event: dict[str, Any]) -> dict[str, Any]:
    """The response an event is about; some proxies send it without an event around it."""
    return event if event.get("object") == "response" else event["response"]


def _id_of(item: Item, key: Any) -> str | None:
    """By what events name the item: its id; a call's own where it has neither that nor a place, as llama.cpp's."""
    id = item.get("call_id") if key is None and item.get("id") is None else item.get("id")
    return id if isinstance(id, str) else None


def _share(item: Item) -> None:
    """Some of its members say the same in many streams."""
    for member in _SHARED.intersection(item):
        item[member] = shared(item[member])


def _whole_item(key: Any, told: Told, assembler: Assembler) -> Item:
    return plain_call(told, assembler.call(key)) if isinstance(told, str) else told
