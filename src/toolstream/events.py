"""What a stream tells: one small immutable class for each thing that can happen.

Every event has a literal `type` for code that dispatches on strings, `to_dict()` for logs and browsers,
and matches by position or keyword.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from .errors import InvalidFieldError, ToolStreamError
from .records import Record, constructor

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    from .calls import ToolCall
    from .usage import Usage
else:

    def dataclass_transform(**_: Any) -> Callable[[Any], Any]:
        return lambda decorator: decorator


Path = tuple["str | int", ...]
_E = TypeVar("_E", bound="type[_EventBase]")


class _EventBase(Record):
    __slots__: tuple[str, ...] = ()
    type: ClassVar[str]

    def to_dict(self) -> dict[str, Any]:
        """The event as plain JSON-compatible data: `{"type": …, field: …}`."""
        plain: dict[str, Any] = {"type": self.type}
        for name in self.__slots__:
            plain[name] = _plain(getattr(self, name))
        return plain

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.__slots__)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__slots__)


def _plain(value: Any) -> Any:
    if isinstance(value, ToolStreamError):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, tuple):
        return list(value)
    to_dict = getattr(value, "to_dict", None)
    return to_dict() if to_dict is not None else value


@dataclass_transform(frozen_default=True)
def _event(cls: _E) -> _E:
    """Gives the class its constructor and match order from its slots."""
    names = cls.__slots__
    # The slots' own descriptors: `__setattr__` refuses, and `object.__setattr__`, which a frozen dataclass uses, costs
    # three times as much.
    setters: dict[str, Any] = {f"_set_{name}": getattr(cls, name).__set__ for name in names}
    body = "\n".join(f"    _set_{name}(self, {name})" for name in names)
    exec(f"def __init__(self, {', '.join(names)}):\n{body}", setters)
    type.__setattr__(cls, "__init__", constructor(cls, setters["__init__"]))
    type.__setattr__(cls, "__match_args__", names)
    return cls


@_event
class MessageStart(_EventBase):
    """The message's metadata is known. id and model are None if the provider sends none."""

    __slots__ = ("provider", "id", "model")
    type: ClassVar[Literal["message_start"]] = "message_start"
    provider: str
    id: str | None
    model: str | None


@_event
class TextDelta(_EventBase):
    """Visible text. index: the provider's content block, choice or output item."""

    __slots__ = ("text", "index")
    type: ClassVar[Literal["text_delta"]] = "text_delta"
    text: str
    index: int


@_event
class ReasoningDelta(_EventBase):
    """Thinking or reasoning text. index as in `TextDelta`."""

    __slots__ = ("text", "index")
    type: ClassVar[Literal["reasoning_delta"]] = "reasoning_delta"
    text: str
    index: int


@_event
class ToolCallStart(_EventBase):
    """A call has begun and its name is known."""

    __slots__ = ("call",)
    type: ClassVar[Literal["tool_call_start"]] = "tool_call_start"
    call: ToolCall


@_event
class FieldDelta(_EventBase):
    """The string at path grew by text.

    call: None from a `JSONParser`. (Its type does not say so, since a stream's event always has a call.)
    """

    __slots__ = ("call", "path", "text")
    type: ClassVar[Literal["field_delta"]] = "field_delta"
    call: ToolCall
    path: Path
    text: str


@_event
class FieldComplete(_EventBase):
    """The value at path is final. It is the very object in `call.arguments`: read it, don't change it.

    call: as in `FieldDelta`.
    """

    __slots__ = ("call", "path", "value")
    type: ClassVar[Literal["field_complete"]] = "field_complete"
    call: ToolCall
    path: Path
    value: Any


@_event
class ToolCallReady(_EventBase):
    """Every required field is final and valid (needs `tools`)."""

    __slots__ = ("call",)
    type: ClassVar[Literal["tool_call_ready"]] = "tool_call_ready"
    call: ToolCall


@_event
class FieldInvalid(_EventBase):
    """A final field breaks its schema (needs `tools`)."""

    __slots__ = ("call", "path", "value", "error")
    type: ClassVar[Literal["field_invalid"]] = "field_invalid"
    call: ToolCall
    path: Path
    value: Any
    error: InvalidFieldError


@_event
class ToolCallEnd(_EventBase):
    """The provider has ended the call, and its arguments are whole and valid JSON."""

    __slots__ = ("call",)
    type: ClassVar[Literal["tool_call_end"]] = "tool_call_end"
    call: ToolCall

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.type, "call": {**self.call.to_dict(), "arguments": self.call.arguments}}


@_event
class ToolCallError(_EventBase):
    """The call's arguments are bad or were cut; no `ToolCallEnd` follows."""

    __slots__ = ("call", "error")
    type: ClassVar[Literal["tool_call_error"]] = "tool_call_error"
    call: ToolCall
    error: ToolStreamError


@_event
class UsageUpdate(_EventBase):
    """New token counts."""

    __slots__ = ("usage",)
    type: ClassVar[Literal["usage_update"]] = "usage_update"
    usage: Usage


@_event
class MessageEnd(_EventBase):
    """The provider has ended the message.

    stop_reason: in the provider's own word. safe: it asks for the calls to be run, and all of them are whole.
    """

    __slots__ = ("stop_reason", "usage", "safe")
    type: ClassVar[Literal["message_end"]] = "message_end"
    stop_reason: str | None
    usage: Usage
    safe: bool


Event = (
    MessageStart
    | TextDelta
    | ReasoningDelta
    | ToolCallStart
    | FieldDelta
    | FieldComplete
    | ToolCallReady
    | FieldInvalid
    | ToolCallEnd
    | ToolCallError
    | UsageUpdate
    | MessageEnd
)
