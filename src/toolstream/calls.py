"""`ToolCall`: one tool call, live while the model still writes it.

Calls are made and moved on by the `Assembler`; everybody else reads them. Trusts its parser for the values. Guarantees
that `arguments` never shows anything that the end of the stream could still change, and that `state` only moves on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_origin, overload

from ._core import native
from .errors import IncompleteError, InvalidFieldError, LimitError, ToolStreamError
from .events import Event, FieldDelta, Path
from .json_parser import FieldParser
from .records import Record, constructor
from .tools.partial import Partial

if TYPE_CHECKING:
    from .partial_args import PartialArguments
    from .resends import Doubt
    from .tools.checks import CallCheck

_T = TypeVar("_T")
_U = TypeVar("_U")
_V = TypeVar("_V")

State = Literal["streaming", "ready", "closed", "confirmed", "committed", "void"]

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_PLACEHOLDER = 8  # bytes, white space included


if TYPE_CHECKING or native is None:

    class CallFlags(Record):
        """What is true of few calls, or rarely asked; all False at first. The extension keeps each in one byte, which
        is small and slower to read than a slot."""

        __slots__ = (
            "_complete",
            "_cumulative",
            "_free_text",
            "_has_grown",
            "_named_again",
            "_owes_brace",
            "_withdrawn",
            "server",
        )

else:
    CallFlags = native.CallFlags


class ToolCall(CallFlags):
    """A call to a tool, as far as the stream has come. Two calls are equal only if they are the same object.

    id: the provider's id, which the tool's result must carry; None if it sends none.
    name: the tool's name.
    index: the order of appearance in the stream, from 0.
    server: the provider runs this tool itself, so you must not.
    error: why the call is bad, or None.
    """

    __slots__ = (
        "__weakref__",
        "_check",
        "_doubt",
        "_ended",
        "_half",
        "_held",
        "_kind",
        "_over",
        "_parser",
        "_scope",
        "_state",
        "error",
        "id",
        "index",
        "name",
    )

    def __init__(self, id: str | None, name: str, scope: int = 0) -> None:
        self.id = id
        self.name = name
        self.index = -1  # until ToolCallStart has been given
        self.server = False
        self.error: ToolStreamError | None = None
        self._scope = scope  # the choice of a chat stream; 0 elsewhere
        self._free_text = False  # the arguments are no JSON
        self._kind = ""  # the provider's word for what it is, where that decides how it is answered
        self._state: State = "streaming"
        self._parser: FieldParser | FreeText | PartialArguments | None = None  # None before there is something to parse
        self._held: FreeText | None = None  # text that has to wait: for the name, or because it may be a placeholder
        self._half = ""  # a high surrogate whose other half is in the next fragment
        self._ended = False  # the provider has ended the call; whether it is whole may show later
        self._has_grown = False  # since the assembler has looked whether the arguments are whole
        self._over = False  # nothing more is expected: ended and whole, or void
        self._complete = False  # ToolCallEnd has been given
        self._check: CallCheck | None = None  # with `tools`: what is known by the tool's schema
        self._cumulative = False  # each fragment repeats all before it
        self._doubt: Doubt | None = None  # while fragments may be that, or more
        self._named_again = False  # its name came again after its arguments were whole
        self._withdrawn = False  # the provider has taken back the message, or the part of it, that held the call
        self._owes_brace = False  # the arguments came as an object, whose end waits for more of it

    @property
    def arguments(self) -> Any:
        """All that is final so far, as a live `dict`: open containers are in it, strings in progress are not.

        No arguments at all and `null` are `{}`. Arguments that are another JSON value are that value, and those of a
        free-text tool are its text.
        """
        value = None if self._parser is None else self._parser.value
        return {} if value is None else value

    @property
    def text(self) -> str:
        """The raw arguments so far, as the provider wrote them. If it sends values, what is final of them, as JSON."""
        source = self._parser or self._held
        return "" if source is None else source.text

    @property
    def state(self) -> State:
        """How far the stream has committed to the call.

        "streaming": its name is known. "ready": every required field is final and valid (with `tools`). "closed": the
        arguments are whole and valid. "confirmed": the provider has ended the call, and the model went on or asks for
        tools. "committed": the message has ended, asks for tools, and all its calls are whole. "void": cut off,
        refused, filtered, bad or replaced; it never leaves this state.
        """
        if self._state == "streaming" and self._parser is not None and self._parser.complete:
            return "closed"
        if self._state == "streaming" and self.ready:
            return "ready"
        return self._state

    @property
    def complete(self) -> bool:
        """The provider has ended the call and its arguments are whole: `ToolCallEnd` has been given."""
        return self._complete and self._state != "void"

    @property
    def ready(self) -> bool:
        """Every required field is final and valid. Needs `tools`; False without them."""
        return self._check is not None and self._check.ready

    @property
    def invalid(self) -> tuple[InvalidFieldError, ...]:
        """How the arguments break the tool's schema, as far as is known. Needs `tools`; empty without them."""
        return () if self._check is None else tuple(self._check.errors)

    @property
    def parsed(self) -> Any:
        """The whole arguments as an instance of the tool's type; a `dict` for a schema or a function. Needs `tools`.

        `parsed_as` gives the same with a type. Raises `InvalidFieldError` for invalid arguments, and `ToolStreamError`
        before the call's end, for a void call, and without `tools`.
        """
        if self._check is None:
            raise ToolStreamError(f"the tool {self.name!r} was not given in tools")
        return self._check.result()

    @overload
    def parsed_as(self, model: type[_T], /) -> _T: ...

    @overload
    def parsed_as(self, model: type[_T], other: type[_U], /) -> _T | _U: ...

    @overload
    def parsed_as(self, model: type[_T], other: type[_U], third: type[_V], /) -> _T | _U | _V: ...

    def parsed_as(self, *models: type[Any]) -> Any:
        """As `parsed`, typed: an instance of one of the given models. Raises `TypeError` if it is of another type."""
        parsed = self.parsed
        # A TypedDict and list[int] are no classes that an instance could have.
        classes = tuple(dict if hasattr(model, "__required_keys__") else get_origin(model) or model for model in models)
        if not isinstance(parsed, classes):
            wanted = " or ".join(getattr(model, "__name__", repr(model)) for model in models)
            raise TypeError(f"the arguments of {self.name!r} are a {type(parsed).__name__}, no {wanted}")
        return parsed

    @property
    def partial(self) -> Partial[Any]:
        """What is final and valid so far, by the names of the model's fields. Needs `tools`."""
        return Partial(self)

    def partial_as(self, model: type[_T]) -> Partial[_T]:
        """As `partial`, typed."""
        return Partial(self)

    def is_complete(self, *path: str | int) -> bool:
        """Whether the value at path is final; without a path: whether the whole arguments are."""
        if not path and self.complete:
            return True
        return self._parser is not None and self._parser.is_complete(*path)

    def snapshot(self, strings: bool = True) -> Any:
        """A copy of the arguments so far, which the stream does not change. strings: with strings in progress."""
        value = None if self._parser is None else self._parser.snapshot(strings)
        return {} if value is None else value

    def to_dict(self) -> dict[str, Any]:
        """What identifies the call, as plain data; not how far it has come, which would change before it is printed."""
        return {"id": self.id, "name": self.name, "index": self.index, "server": self.server}

    def __repr__(self) -> str:
        return f"<ToolCall {self.name!r} id={self.id!r} index={self.index} state={self.state!r}>"


ToolCall.__init__ = constructor(ToolCall, ToolCall.__init__)  # type: ignore[method-assign]


class FreeText:
    """Arguments that are no JSON, kept as they are; it answers like a `FieldParser` that reports no field.

    grows: the text is reported as it grows, under the empty path.
    Raises `LimitError` past max_bytes of UTF-8, after the text up to there has been kept.
    """

    def __init__(self, max_bytes: int | None, call: ToolCall, *, grows: bool = False) -> None:
        self.complete = False
        self.offset = 0
        self.pending_path: Path | None = ()
        self._max_bytes = max_bytes
        self._call = call
        self._grows = grows
        self._parts: list[str] = []

    @property
    def text(self) -> str:
        return joined(self._parts)

    @property
    def value(self) -> str:
        return self.text

    def feed_into(self, data: str, events: list[Event]) -> None:
        size = len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
        limit = self._max_bytes
        if limit is not None and self.offset + size > limit:
            head = data.encode("utf-8", "surrogatepass")[: limit - self.offset]
            self._take(head.decode("utf-8", "ignore"), events)
            self.offset = limit
            reason = f"the arguments are longer than max_call_bytes={limit}"
            raise LimitError(reason, limit="max_call_bytes", offset=limit, call=self._call)
        self.offset += size
        self._take(data, events)

    def _take(self, text: str, events: list[Event]) -> None:
        self._parts.append(text)
        if self._grows and text:
            events.append(FieldDelta(self._call, (), text))

    def close(self) -> list[Event]:
        self.complete = True
        self.pending_path = None
        return []

    def snapshot(self, strings: bool = True) -> str:
        return self.text if strings or self.complete else ""

    def is_complete(self, *path: str | int) -> bool:
        return self.complete and not path


def joined(parts: list[str]) -> str:
    """The parts as one string, which replaces them: asking after each fragment must not copy everything each time."""
    if len(parts) > 1:
        new = "".join(parts[1:])
        del parts[1:]
        # The only reference to the old text is this local one, so CPython appends in place.
        text = parts.pop()
        text += new
        parts.append(text)
    return parts[0] if parts else ""


def incomplete_arguments(call: ToolCall, reason: str) -> IncompleteError:
    """The error for a call whose arguments are not whole, with what is final so far and where it stopped."""
    place: dict[str, Any] = {}
    pending: Path | None = ()
    parser = call._parser
    if parser is not None:
        pending = parser.pending_path
        place = {"offset": parser.offset, "path": pending or ()}
    return IncompleteError(reason, partial=call.snapshot(strings=False), pending_path=pending, call=call, **place)


def split_half(text: str) -> tuple[str, str]:
    """The text, and a high surrogate at its end, which waits for its other half. Halves that have met are joined."""
    half = ""
    if text and "\ud800" <= text[-1] <= "\udbff":
        text, half = text[:-1], text[-1]
    if not text.isascii() and _PAIR.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text, half


def is_whole(call: ToolCall) -> bool:
    """The JSON text of the arguments is complete, a possible placeholder included."""
    if call._owes_brace:
        return True
    if call._doubt is not None:
        return call._doubt.is_whole
    if call._parser is None:
        return call._held is not None and not call._free_text and is_placeholder(call._held)
    return call._parser.complete


def has_any(call: ToolCall, names: Iterable[str]) -> bool:
    """Whether one of the names is a member of the arguments so far, one whose value is not final included."""
    pending = call._parser.pending_path if call._parser is not None else None
    return any(name in call.arguments or (pending and pending[0] == name) for name in names)


def whole_text(call: ToolCall) -> str:
    """The arguments of a whole call, with what of them is kept back."""
    if call._doubt is not None:
        return call._doubt.last
    return call.text + "}" if call._owes_brace else call.text


def as_text(arguments: Any) -> str:
    """Arguments as the provider has written them, or would have."""
    if arguments is None:
        return ""
    if isinstance(arguments, str):
        return arguments
    text = json.dumps(arguments, ensure_ascii=False)
    # Half a surrogate pair can only be written as an escape.
    return json.dumps(arguments) if SURROGATE.search(text) else text


def takes_id(call: ToolCall, name: str | None) -> bool:
    """Whether an id that was not seen before may belong to the open call in its place.

    It does if it is the call's first and comes late, or where a name would have to come and the arguments just go on.
    """
    if is_whole(call):
        return False
    return call.id is None or (name is None and call._parser is not None)


def is_placeholder(held: FreeText) -> bool:
    """`{}` may be all the arguments, or stand for those that follow."""
    return held.offset <= _LONGEST_PLACEHOLDER and held.text.strip() == "{}"


def is_bare(call: ToolCall) -> bool:
    """Nothing of its arguments has come."""
    return call._parser is None and call._held is None


def takes_name(call: ToolCall, name: str, arguments: Any) -> bool:
    """Whether an entry that has a name, but neither id nor place, belongs to the last call.

    It does while the call's arguments are not whole: no other one can begin within them. Where the first entry has had
    an id, that of another call would have one, too.
    """
    if call._over or name != call.name:
        return False
    if call.id is None:
        return not (is_bare(call) or is_whole(call))
    return not is_whole(call) or not arguments


def is_nothing(call: ToolCall) -> bool:
    """An entry without a name and without text: there never was a call."""
    return not (call._over or call.name or call._held or call._half)
