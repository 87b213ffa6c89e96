"""What the adapters share: the adapter protocol, usage snapshots, providers' errors."""

from __future__ import annotations

import json
from typing import Any, Protocol

from ..assembler import Assembler
from ..errors import ProviderError, excerpt
from ..lane import Repeat


class Adapter(Protocol):
    """What one wire format means. An object serves one stream; its class recognises the format.

    name: what `provider` and `MessageStart.provider` say.
    ignored: members of events that repeat (see `repeats`) which may differ each time and mean nothing.

    `repeats` and `ignored` may be left out, which is slower.
    """

    name: str
    ignored: tuple[str, ...]

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """Whether the stream that begins with this event is of this format."""
        ...

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        """Tells the assembler what one decoded event says. Members that are not there may raise `KeyError`."""
        ...

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        """After `handle`: whether `handle` would do with another event like this one, but for its text, nothing but
        what `Repeat` says. None is always right, and slower."""
        ...

    def end(self, assembler: Assembler, done: bool) -> None:
        """The stream has ended before the assembler was told of the message's end: is this the provider's way?

        done: the end was marked with `[DONE]`. Calls `assembler.end()`, or `assembler.break_off()`, which raises.
        """
        ...

    def message(self, assembler: Assembler) -> Any:
        """The assistant's message so far, in the shape that the provider's next request must contain."""
        ...


class MergedObject:
    """Arguments that come as objects, each with members to add, as the text of one object."""

    def __init__(self) -> None:
        self._members: dict[str, str] = {}

    def more(self, members: dict[str, Any]) -> str:
        """The text that these add. What is repeated adds nothing; a value that changes is a repeated key."""
        text = ""
        for name, value in members.items():
            # A blank behind the value: a number is final only when something follows it.
            member = f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)} "
            if self._members.get(name) != member:
                text += (", " if self._members else "{") + member
                self._members[name] = member
        return text

    def end(self) -> str:
        """The text that ends the object."""
        return "}" if self._members else "{}"


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Usage counts are cumulative snapshots: the last value that is not null counts, in the details too."""
    if not old:
        return dict(new)
    told = dict(old)
    for name, value in new.items():
        before = told.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            told[name] = {**before, **{key: count for key, count in value.items() if count is not None}}
        elif value is not None or name not in told:
            told[name] = value
    return told


def provider_error(raw: Any) -> ProviderError:
    """The error that an object tells of, in any of the shapes in use."""
    error = find_error(raw)
    return error if error is not None else ProviderError("an error without a message", raw=raw)


def find_error(raw: Any) -> ProviderError | None:
    """The error that an object tells of; None if it tells of none.

    Shapes: `{"error": {"message", "type"}}`, `{"error": "…"}`, `{"message", "type" or "code"}`, `{"detail": …}`,
    `{"errors": [{"message"}]}`, Responses' flat `{"type": "error", "message", "code"}`, the AI SDK's
    `{"type": "error", "errorText"}`, MiniMax's `{"base_resp": {"status_code", "status_msg"}}`, and Bedrock's
    `{"throttlingException": {"message"}}`.
    """
    if not isinstance(raw, dict):
        return None
    if len(raw) == 1:
        ((name, inner),) = raw.items()
        if isinstance(name, str) and name.endswith("Exception") and isinstance(inner, dict):
            message = inner.get("message") or inner.get("Message") or inner.get("originalMessage") or excerpt(inner)
            return ProviderError(str(message), type=name, raw=raw)
    status = raw.get("base_resp")
    if isinstance(status, dict) and status.get("status_code"):
        return ProviderError(str(status.get("status_msg")), type=str(status["status_code"]), raw=raw)
    detail = raw
    for wrapper in ("error", "errors", "detail"):
        inner = raw.get(wrapper)
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if isinstance(inner, str):
            said = raw.get("message")
            inner = {"message": said, "type": inner} if isinstance(said, str) and said else {"message": inner}
        if isinstance(inner, dict):
            detail = inner
            break
    message = detail.get("message") or detail.get("msg") or detail.get("errorText")
    if not isinstance(message, str):
        if detail is raw and raw.get("type") != "error":
            return None
        message = excerpt(message or detail)
    status = detail.get("status")  # Google's word; its code is the HTTP status
    kind = detail.get("type") or (status if isinstance(status, str) and detail is not raw else detail.get("code"))
    if detail is raw and kind == "error":
        kind = detail.get("code")
    return ProviderError(message, type=str(kind) if kind else None, raw=raw)
