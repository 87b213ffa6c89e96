"""What became of each call that `dispatch` saw: values, errors, times, and the messages that tell the model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, overload

from ..errors import InvalidFieldError, ToolStreamError

if TYPE_CHECKING:
    from ..calls import ToolCall

Status = Literal["ok", "error", "invalid", "void", "refused", "not run"]


@dataclass(slots=True)
class Result:
    """One call's outcome. Times are seconds on the clock of `time.perf_counter`; None for what did not happen.

    status: "ok"; "error": the function raised; "invalid": the arguments break the schema, or there is no such tool;
    "void": the call was cut, refused or replaced; "refused": by before_start; "not run": the message ended before the
    call had come as far as its function demands.
    value: what the function returned. error: what it raised, or why it did not run.
    ready_at: all required arguments were final and valid. closed_at: the arguments were whole. started_at, ended_at: of
    the function.
    """

    call: ToolCall
    status: Status = "not run"
    value: Any = None
    error: BaseException | None = None
    ready_at: float | None = None
    closed_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def started(self) -> bool:
        """The function has begun: what it has done stays done, whatever the status."""
        return self.started_at is not None

    @property
    def hidden(self) -> float:
        """Seconds of the function's own time that passed while the call's arguments were still being written.

        Not what was saved: tools that run side by side hide the same second, and a turn may wait for something else.
        """
        if self.started_at is None or self.ended_at is None or self.closed_at is None:
            return 0.0
        return max(0.0, min(self.ended_at, self.closed_at) - self.started_at)

    @property
    def content(self) -> str:
        """The text for the model: the value, as JSON where it is no string, or what went wrong."""
        if self.status == "ok":
            return as_text(self.value)
        if isinstance(self.error, InvalidFieldError):
            return self.error.tool_message
        if self.status == "error":
            return f"{type(self.error).__name__}: {self.error}"
        reasons = {
            "void": "The call was cut off or withdrawn, and its result does not count.",
            "refused": "The call was refused and not run.",
        }
        return reasons.get(self.status, "The call was not run.")


class Results(Sequence[Result]):
    """The results of one message, in the order of its calls."""

    def __init__(self, results: list[Result], provider: str | None) -> None:
        self._results = results
        self._provider = provider

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> list[Result]: ...

    def __getitem__(self, index: int | slice) -> Result | list[Result]:
        return self._results[index]

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    @property
    def receipts(self) -> list[Result]:
        """Functions that had begun for calls that then turned out void or invalid: what they did may need undoing."""
        return [result for result in self._results if result.started and result.status in ("void", "invalid")]

    def messages(self) -> list[dict[str, Any]]:
        """What to send back to the model, in the provider's own shape; errors included, in call order.

        Calls that the message does not hold, because a resend has replaced them, are left out.

        Raises `ToolStreamError` for a provider whose shape is not known here.
        """
        results = [(each.call, each.content, each.status != "ok") for each in self._results if not each.call._withdrawn]
        return tool_messages(self._provider, results) if results else []

    def __repr__(self) -> str:
        return f"Results({self._results!r})"


def tool_messages(provider: str | None, results: list[tuple[ToolCall, str, bool]]) -> list[dict[str, Any]]:
    """Tool results as the provider's next request must contain them: the call, its text, whether it is an error.

    Raises `ToolStreamError` for a provider whose shape is not known here.
    """
    if provider in _PARTS:
        role, members, part = _PARTS[provider]
        return [{"role": role, members: [part(*result) for result in results]}]
    if provider in _MESSAGES:
        return [_MESSAGES[provider](*result) for result in results]
    raise ToolStreamError(f"the shape of tool results is not known for {provider!r}; results have content and call.id")


def _anthropic(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id, "content": text}
    return {**block, "is_error": True} if is_error else block


def _bedrock(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    status = "error" if is_error else "success"
    return {"toolResult": {"toolUseId": call.id, "content": [{"text": text}], "status": status}}


def _gemini(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    told = {"name": call.name, "response": {"error" if is_error else "output": text}}
    return {"functionResponse": {"id": call.id, **told} if call.id else told}


def _chat(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id or "", "content": text}


def _text(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": text}


def _ollama(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    return {"role": "tool", "tool_name": call.name, "content": text}


def _responses(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    kind = "custom_tool_call_output" if call._free_text else "function_call_output"
    return {"type": kind, "call_id": call.id, "output": text}


def _realtime(call: ToolCall, text: str, is_error: bool) -> dict[str, Any]:
    return {"type": "conversation.item.create", "item": _responses(call, text, is_error)}


TEXT = "text"
"""What is said for a provider that is a text format: the shape is that of chat templates."""

_Shape = Callable[["ToolCall", str, bool], dict[str, Any]]
# All results in one message: its role, the member that holds them, and the shape of each.
_PARTS: dict[str | None, tuple[str, str, _Shape]] = {
    "anthropic": ("user", "content", _anthropic),
    "bedrock-invoke": ("user", "content", _anthropic),
    "bedrock-converse": ("user", "content", _bedrock),
    "gemini": ("user", "parts", _gemini),
}
# A message or an item for each.
_MESSAGES: dict[str | None, _Shape] = {
    "openai-chat": _chat,
    "cohere-v2": _chat,
    "ollama": _ollama,
    TEXT: _text,
    "openai-responses": _responses,
    "openai-realtime": _realtime,
}


def as_text(value: Any) -> str:
    """A tool's value as text: a string as it is; plain data, pydantic models and dataclasses as JSON, also within each
    other; anything else by `str`."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=_as_plain)
    except (TypeError, ValueError, RecursionError):  # keys that JSON does not have, data that holds itself
        return str(value)


def _as_plain(value: Any) -> Any:
    if not isinstance(value, type):
        dump = getattr(value, "model_dump", None)
        if dump is not None:
            return dump(mode="json")
        if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return str(value)
