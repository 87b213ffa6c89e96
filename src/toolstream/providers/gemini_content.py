"""What Gemini's two formats share: the spelling of members, a turn's parts and its function calls, token counts.

https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

import base64
from collections.abc import Hashable
from typing import Any

from ..assembler import Assembler
from ..calls import ToolCall
from ..partial_args import Part
from ..usage import Usage

# Members whose values are the caller's or a tool's own: nothing in them is spelled by the API.
_OPAQUE = {"args", "response", "partMetadata"}
# Members of a function call that only a stream has.
_STREAMED = ("partialArgs", "willContinue")
_VALUES = ("stringValue", "numberValue", "boolValue")


def normalised(event: dict[str, Any]) -> dict[str, Any]:
    """The event as REST spells it: google-genai's dumps have snake_case, nulls for all that is unset, and bytes."""
    plain: dict[str, Any] = {}
    for name, value in event.items():
        if value is not None:
            camel = _camel(name) if "_" in name else name
            plain[camel] = value if camel in _OPAQUE else _normalised(value)
    return plain


def _normalised(value: Any) -> Any:
    if isinstance(value, dict):
        return normalised(value)
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def usage_of(raw: dict[str, Any], *, final: bool = False) -> Usage:
    """Counts by the names of generateContent and of Live. Thoughts are counted beside the answer, cached tokens in the
    prompt; toolUsePromptTokenCount, what Google's own tools have read, is counted apart and stays in `raw`."""
    answer, thoughts = raw.get("candidatesTokenCount", raw.get("responseTokenCount")), raw.get("thoughtsTokenCount")
    return Usage(
        input_tokens=raw.get("promptTokenCount"),
        output_tokens=None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0),
        cache_read_tokens=raw.get("cachedContentTokenCount"),
        reasoning_tokens=thoughts,
        raw=raw,
        final=final,
    )


class Turn:
    """One candidate's parts in their order, normalised, and the calls among them.

    scope: the candidate. A function call is whole in one part, or goes on (`willContinue`) in parts that don't name it,
    and mostly don't say its id: those are of the call that began last.
    """

    def __init__(self, scope: int = 0) -> None:
        self._scope = scope
        self._parts: list[tuple[dict[str, Any], ToolCall | None]] = []
        self._opened = 0
        self._open: dict[str, Hashable] = {}  # id, or "" without one: the key of a call that goes on

    @property
    def is_open(self) -> bool:
        """A call has begun and goes on."""
        return bool(self._open)

    def take(self, part: dict[str, Any], assembler: Assembler, *, cut: bool = False) -> ToolCall | None:
        """One part; answers the call that it belongs to. cut: the provider says in the same breath that it has cut the
        message short."""
        function = part.get("functionCall")
        if function is not None:
            return self._take_call(part, function, assembler, cut)
        text, signed = part.get("text"), part.get("thoughtSignature")
        if text == "" and not signed:
            return None
        assembler.went_on(self._scope)
        if text and part.get("thought"):
            assembler.reasoning_delta(text, self._scope)
        elif text:
            assembler.text_delta(text, self._scope, aside=self._scope != 0)
        if not (text and self._continue_text(part)):
            self._parts.append(({**part, "text": [text]} if text else part, None))
        return None

    def _continue_text(self, part: dict[str, Any]) -> bool:
        """Whether the text goes on with the part before. A signature holds for its very part, so a signed one stays
        alone."""
        last = self._parts[-1][0] if self._parts else {}
        together = isinstance(last.get("text"), list) and last.keys() == part.keys() <= {"text", "thought"}
        if together and last.get("thought") == part.get("thought"):
            last["text"].append(part["text"])
            return True
        return False

    def _take_call(
        self, part: dict[str, Any], function: dict[str, Any], assembler: Assembler, cut: bool
    ) -> ToolCall | None:
        id, name = function.get("id") or "", function.get("name")
        if name and (id not in self._open or not id):
            self._begin_call(part, id, name, assembler)
        key = self._open.get(id) or next(reversed(self._open.values()), None)
        if key is None:
            return None  # a piece of no call that is open
        for piece in function.get("partialArgs") or ():
            assembler.part(key, _part(piece))
        if function.get("args"):  # empty ones may stand for those that follow
            assembler.whole(key, function["args"])
        # What a cut message ends with may be all that there was to send, and not all that there is.
        is_last = not function.get("willContinue") and (not cut or "args" in function)
        if is_last:
            self._end_call(key, assembler)
        call = assembler.call(key)
        if part.get("thoughtSignature"):  # perhaps not in the call's first part
            first = next(kept for kept, owner in reversed(self._parts) if owner is call)
            first.setdefault("thoughtSignature", part["thoughtSignature"])
        return call

    def _begin_call(self, part: dict[str, Any], id: str, name: str, assembler: Assembler) -> None:
        if "" in self._open:
            self._end_call(self._open[""], assembler)  # its end did not come
        key = (self._scope, self._opened)
        self._opened += 1
        call = assembler.open(key, id=id, name=name, scope=self._scope)
        self._open[id] = key
        self._parts.append((part, call))

    def _end_call(self, key: Hashable, assembler: Assembler) -> None:
        self._open = {id: other for id, other in self._open.items() if other != key}
        assembler.close(key, certain=True)

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts so far, as the next request must contain them."""
        return [_finished(part, call) for part, call in self._parts]


def _part(piece: dict[str, Any]) -> Part:
    """One of partialArgs."""
    given = next((name for name in _VALUES if name in piece), None)
    absent = given is None and "nullValue" not in piece
    value = None if given is None else piece[given]
    if given == "numberValue" and isinstance(value, str):
        value = float(value)  # NaN and Infinity, which JSON does not have
    return Part(piece["jsonPath"], value, more=bool(piece.get("willContinue")), absent=absent)


def _finished(part: dict[str, Any], call: ToolCall | None) -> dict[str, Any]:
    if isinstance(part.get("text"), list):
        return {**part, "text": "".join(part["text"])}
    if call is None:
        return part
    function = {name: value for name, value in part["functionCall"].items() if name not in _STREAMED}
    return {**part, "functionCall": {**function, "args": call.snapshot()}}
