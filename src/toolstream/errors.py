"""Everything toolstream raises. All are `ToolStreamError`, hence `ValueError`.

An exception that ends a parser carries, in `events`, the events that the same `feed` had completed before the fault, so
that nothing is lost. Messages say what was found, where, and what was expected; they quote at most a short excerpt of
the input.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .calls import ToolCall
    from .events import Event, Path


# Messages quote at most so many characters of a key, and of a path.
_LONGEST_KEY = 32
_LONGEST_PATH = 120
_LONGEST_EXCERPT = 200


class ToolStreamError(ValueError):
    """Base of all errors here.

    events: what was completed before the fault and not yet handed out.
    """

    events: list[Event]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.events = []

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take keyword arguments that Exception's own way of pickling doesn't know. The attributes are state,
        # set when the error is there: its call may hold the error.
        return _restore, (type(self), self.args), self.__dict__


def _restore(cls: type[ToolStreamError], args: tuple[Any, ...]) -> ToolStreamError:
    error = cls.__new__(cls, *args)
    error.args = args
    return error


class JSONError(ToolStreamError):
    """The text is not the JSON that it should be.

    offset: bytes before the first offending one, in the document or in the call's argument text; 0 for a fault
    that has no place.
    line, column: the same place counted from 1; columns count bytes.
    path: the value in which the fault stands.
    reason: what is wrong, without the place.
    call: the tool call whose arguments these are, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        offset: int | None = None,
        line: int | None = None,
        column: int = 1,
        path: Path = (),
        call: ToolCall | None = None,
        excerpt: str = "",
    ) -> None:
        message = reason
        if offset is not None:
            message += f" at byte {offset}" + (" of the arguments" if call is not None else "")
        if line is not None:
            message += f" (line {line}, column {column})"
        if path:
            message += f", in {format_path(path)}"
        if call is not None:
            message += f", of call {call.name!r} ({call.id})"
        if excerpt:
            message += f", near {excerpt!r}"
        super().__init__(message)
        self.reason = reason
        self.offset = offset or 0
        self.line = line or 1
        self.column = column
        self.path = path
        self.call = call


class IncompleteError(JSONError):
    """The input ended before the value, the call or the message did.

    partial: what is final so far (strings in progress left out); never complete arguments.
    pending_path: where the input stopped.
    """

    def __init__(self, reason: str, *, partial: Any = None, pending_path: Path | None = None, **place: Any) -> None:
        super().__init__(reason, **place)
        self.partial = partial
        self.pending_path = pending_path


class DuplicateKeyError(JSONError):
    """A key came twice in one object, after a value under the first one had been reported."""


class LimitError(JSONError):
    """One of `Limits` was exceeded, or CPython's limit on an integer's digits.

    limit: the name of the limit.
    """

    def __init__(self, reason: str, *, limit: str = "", **place: Any) -> None:
        super().__init__(reason, **place)
        self.limit = limit


class InvalidFieldError(JSONError):
    """A final value of a call's arguments breaks the tool's schema, or the tool is unknown (needs `tools`).

    path: where the wrong value is; empty for the arguments as a whole. value: the wrong value; None for a field that is
    missing, or that the tool does not have. wants: the JSON Schema of the top-level field, if it is known.
    """

    def __init__(self, reason: str, *, value: Any = None, wants: Any = None, **place: Any) -> None:
        super().__init__(reason, **place)
        self.value = value
        self.wants = wants

    @property
    def tool_message(self) -> str:
        """A text for the model, to be sent as the result of the call, marked as an error."""
        if self.call is not None and not self.path and self.value == self.call.name:
            return f"{self.reason[:1].upper()}{self.reason[1:]}. The call was not run."  # no such tool
        name = "the tool" if self.call is None else f"the tool {self.call.name!r}"
        where = f" at {format_path(self.path)}" if self.path else ""
        text = f"The arguments of {name} are invalid{where}: {self.reason}."
        if self.value is not None:
            text += f" The value was {excerpt(self.value)}."
        if self.wants is not None:
            text += f" The schema wants {json.dumps(self.wants, ensure_ascii=False, default=str)}."
        return text + " The call was not run. Call again with corrected arguments."


class CallVoidError(ToolStreamError):
    """A call turned out void or invalid after its function had begun. Raised inside the function, where it reads on.

    call: the call. __cause__: why it does not count.
    """

    def __init__(self, message: str, *, call: ToolCall) -> None:
        super().__init__(message)
        self.call = call


class SSEError(ToolStreamError):
    """The byte stream is not what its framing says."""


class UnknownProviderError(ToolStreamError):
    """No known provider sends such a stream.

    event: the first event, decoded, or the first bytes where there was none.
    """

    def __init__(self, message: str, *, event: Any = None) -> None:
        super().__init__(message)
        self.event = event


class ProviderError(ToolStreamError):
    """The provider's own error, sent inside the stream or instead of it.

    type: the provider's name for it, or None; message: its text; raw: the whole object.
    """

    def __init__(self, message: str, *, type: str | None = None, raw: Any = None) -> None:
        super().__init__(f"{type}: {message}" if type else message)
        self.type = type
        self.message = message
        self.raw = raw


def excerpt(value: Any) -> str:
    """The beginning of a value's repr, for a message; values from a stream may be large, and nested deep."""
    try:
        text = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} that is nested deep"
    return text if len(text) <= _LONGEST_EXCERPT else text[:_LONGEST_EXCERPT] + "…"


def format_path(path: Path) -> str:
    """A path as people write it: `edits[3].path`; keys that aren't plain names in brackets and quotes."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() and len(step) <= _LONGEST_KEY:
            text += f".{step}" if text else step
        else:
            text += f"[{_quoted(step)}]"
    return text if len(text) <= _LONGEST_PATH else f"{text[: _LONGEST_PATH // 2]} … {text[-_LONGEST_PATH // 2 :]}"


def _quoted(key: str) -> str:
    short = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
    return '"' + short.replace("\\", "\\\\").replace('"', '\\"') + '"'
