"""`Partial[T]`: what is known of a `T` while the model still writes it; a type of its own, so that it is no `T`."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ..calls import ToolCall

T_co = TypeVar("T_co", covariant=True)


class Missing(Enum):
    """Why a partial view has no value for a field. Each of them is false. (None would not do: a field may be None.)"""

    ABSENT = "absent"
    PENDING = "pending"
    INVALID = "invalid"

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"toolstream.{self.name}"


ABSENT, PENDING, INVALID = Missing.ABSENT, Missing.PENDING, Missing.INVALID


class Partial(Generic[T_co]):
    """A live view of a call's arguments by the field names of its model.

    A field that is final and valid is its value, as the model's type has it. A field that is being written is
    `PENDING`, one that has not come is `ABSENT` (even if it has a default, which is not what the model wrote), and one
    that is final but wrong is `INVALID`. Only `call.parsed` gives a `T`.
    """

    __slots__ = ("_call",)

    def __init__(self, call: ToolCall) -> None:
        object.__setattr__(self, "_call", call)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("a partial view is read-only")

    def __getitem__(self, name: str) -> Any:
        """The field of this name; for names that are no attributes, too."""
        check = self._call._check
        parser = self._call._parser
        if check is None:
            return ABSENT
        key = check.shape.key_of(name)
        if key in check.values:
            return check.values[key]
        if any(error.path[:1] == (key,) for error in check.errors):
            return INVALID
        pending = None if parser is None else parser.pending_path
        return PENDING if pending and pending[0] == key else ABSENT

    def __repr__(self) -> str:
        check = self._call._check
        values = {} if check is None else check.values
        return f"<Partial of {self._call.name!r}: {values!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Partial, (self._call,)
