"""One call's arguments against its tool's shape, at the byte that decides: what is ready, and what is invalid.

`CheckedParser` is a call's parser that reports what the checks need beside what the caller asked for; `CallCheck` reads
these reports in their order, so that what it adds stands at the same place however the stream was cut. Trusts the
parser's reports. Guarantees that a validator sees only whole values, each once.
"""

from __future__ import annotations

from types import EllipsisType
from typing import TYPE_CHECKING, Any

from ..errors import InvalidFieldError, ToolStreamError
from ..events import Event, FieldComplete, FieldInvalid, ToolCallReady
from ..json_parser import FieldParser
from .partial import INVALID
from .shapes import AnyShape, Mismatch, Shape
from .typed import FieldsShape
from .values import value_at

if TYPE_CHECKING:
    from ..calls import ToolCall
    from ..events import Path
    from ..fields import Data
    from ..partial_args import PartialArguments
    from ..paths import Subscription, Subscriptions
    from .schemas import OnInvalid, Toolset

NOT_KNOWN = AnyShape()


class StopReading(Exception):  # noqa: N818 - no fault
    """An invalid field is to end the reading of the stream."""


class Checks:
    """The checks of one stream's calls."""

    def __init__(self, toolset: Toolset, on_invalid: OnInvalid, subscriptions: Subscriptions) -> None:
        self._toolset = toolset
        self._on_invalid = on_invalid
        self._subscriptions = subscriptions
        self._widened: dict[str, Subscription] = {}  # by tool
        self.invalid: InvalidFieldError | None = None  # the first one

    def begin(self, call: ToolCall, events: list[Event], *, certain: bool) -> None:
        """Gives the call its check. certain: the name does not grow any more.

        Raises `InvalidFieldError` and `StopReading` as `on_invalid` says.
        """
        if call.server or not call.name or (call._free_text and self._text_of(call) is None):
            return
        known = call._check
        if known is not None and known.name == call.name:
            return
        if not certain and self._toolset.may_grow(call.name):
            return
        check = call._check = CallCheck(call, self, self._text_of(call) if call._free_text else None)
        tool = self._toolset.get(call.name)
        if tool is None:
            check.report_unknown(self._toolset.names, events)
        elif tool.shape is not None:
            check.shape = tool.shape

    def end(self, call: ToolCall, events: list[Event]) -> None:
        """The call's arguments are whole. Raises as `begin`."""
        if call._check is not None:
            call._check.finish(call.arguments, events)

    def subscription(self, call: ToolCall) -> Subscription:
        """What the call's parser must report, for the caller and for the check."""
        widened = self._widened.get(call.name)
        if widened is None:
            tool = self._toolset.get(call.name)
            growing: list[str | EllipsisType] = []
            elements: list[str | EllipsisType] = []
            if tool is not None and tool.shape is not None:
                elements += sorted(tool.shape.listed)
            if tool is not None and self._toolset.shows_all:
                growing += [name for name, held in tool.streamed.items() if held is str]
                if tool.live is not None:
                    growing, elements = [...], [...]
            widened = self._subscriptions.of(call.name).widened(elements=elements, growing=growing)
            self._widened[call.name] = widened
        return widened

    def grows(self, call: ToolCall) -> bool:
        """Whether a call's free text is reported as it grows."""
        tool = self._toolset.get(call.name)
        streams = self._toolset.shows_all and tool is not None and bool(tool.streamed)
        return streams or self._subscriptions.of(call.name).deltas

    def _text_of(self, call: ToolCall) -> str | None:
        """The parameter that takes a call's free text."""
        tool = self._toolset.get(call.name)
        return None if tool is None else tool.text

    def asked_for(self, call: ToolCall, path: Path, growth: bool) -> bool:
        """Whether the caller has asked for an event."""
        if not path:  # free text
            return self._subscriptions.of(call.name).deltas
        return self._subscriptions.of(call.name).reports(path, growth=growth)

    def shows(self, call: ToolCall, path: Path, growth: bool) -> bool:
        """Whether an event is handed out."""
        return self._toolset.shows_all or self.asked_for(call, path, growth)

    def found(self, error: InvalidFieldError) -> None:
        """An invalid field has been reported. Raises as `on_invalid` says."""
        self.invalid = self.invalid or error
        if self._on_invalid == "raise":
            raise error
        if self._on_invalid == "close":
            if error.call is not None:
                error.call.error = error
            raise StopReading


class CallCheck:
    """What is known of one call's arguments. text: they are free text, which this member holds.

    values: the members that are final and valid, as their types have them. errors: what is wrong, in order.
    ready: every required member is final and valid. finished: the arguments are whole. parsed: the caller's object,
    once all is whole and valid.
    """

    __slots__ = (
        "_bad",
        "_call",
        "_checks",
        "_elements",
        "_missing",
        "_seen",
        "_shape",
        "_text",
        "errors",
        "finished",
        "name",
        "parsed",
        "ready",
        "values",
    )

    def __init__(self, call: ToolCall, checks: Checks, text: str | None = None) -> None:
        self._call = call
        self._text = text
        self._checks = checks
        self._bad: set[str] = set()
        self._seen: set[str] = set()
        self._elements: dict[str, dict[Any, Any]] = {}  # by index: parts of arguments come in any order
        self.finished = False
        self.name = call.name
        self.shape = NOT_KNOWN
        self.ready = False
        self.values: dict[str, Any] = {}
        self.errors: list[InvalidFieldError] = []
        self.parsed: Any = None

    @property
    def shape(self) -> Shape:
        """What the arguments must look like."""
        return self._shape

    @shape.setter
    def shape(self, shape: Shape) -> None:
        self._shape = shape
        self._missing = None if shape.required is None else set(shape.required)

    def report_unknown(self, names: list[str], events: list[Event]) -> None:
        """The call is for a tool that does not exist."""
        known = ", ".join(names) or "none"
        self._invalid((), self.name, f"there is no tool {self.name!r}; the tools are: {known}", events)

    def take(self, reports: list[Any], parser: FieldParser | PartialArguments, events: list[Event]) -> bool:
        """Reads what the parser has reported of a fragment, and hands it on with what follows from it.

        Answers whether more text says nothing new as long as nothing is reported of it.
        """
        self._announce(events)
        for event in reports:
            path = event.path
            self._expect(path[0], events)
            complete = type(event) is FieldComplete
            if self._checks.shows(self._call, path, not complete):
                events.append(event)
            if complete:
                self._complete(path, event.value, events)
        if parser.complete:
            value = parser.value
            self.finish({} if value is None else value, events)
        elif self._shape.closed:
            pending = parser.pending_path
            if not pending:
                return False  # the next key will have to be looked at
            self._expect(pending[0], events)
        return True

    def finish(self, arguments: Any, events: list[Event]) -> None:
        """The arguments are whole: what only all of them can tell."""
        if self.finished:
            return
        self.finished = True
        if self._text is not None:
            arguments = {self._text: arguments}
            self._complete((self._text,), arguments[self._text], events)
        self._announce(events)
        if not isinstance(arguments, dict):
            self._invalid((), arguments, "the arguments are no JSON object", events)
            return
        for key in sorted(self._missing or ()):
            if key not in self._bad:
                self._invalid((key,), None, "a required field is missing", events)
        if self.errors:
            return
        try:
            self.parsed = self._checked(self._shape.finish, self.values, arguments)
        except Mismatch as mismatch:
            path, value = value_at(arguments, mismatch.path)
            self._invalid(path, value, mismatch.reason, events)
            return
        self._missing = set()
        self._announce(events)

    def _announce(self, events: list[Event]) -> None:
        if not self.ready and self._missing is not None and not self._missing and self._known:
            self.ready = True
            events.append(ToolCallReady(self._call))

    @property
    def _known(self) -> bool:
        return not (self.errors and self.errors[0].path == ())

    def _expect(self, key: str | int, events: list[Event]) -> None:
        """A member has begun."""
        if isinstance(key, str) and self._shape.closed and key not in self._shape.keys and key not in self._bad:
            self._invalid((key,), None, "the tool has no such field", events)

    def _complete(self, path: Path, value: Any, events: list[Event]) -> None:
        key = path[0]
        if not isinstance(key, str) or key in self._bad:
            return
        if len(path) == 2 and key in self._shape.listed:
            if path[1] in self._elements.get(key, ()):
                self._invalid(path, value, "the element came before, with another value", events)
                return
            element = self._check(path, value, events, self._shape.check_element)
            if key not in self._bad:
                self._elements.setdefault(key, {})[path[1]] = element
        elif len(path) == 1:
            if key in self._seen:
                self._invalid(path, value, "the field came before, with another value", events)
                return
            self._seen.add(key)
            checked = self._check(path, value, events, self._shape.check)
            if key in self._bad:
                return
            elements = self._elements.pop(key, None)
            if elements is not None and isinstance(self._shape, FieldsShape):
                checked = [elements[index] for index in sorted(elements)]
            self.values[key] = checked
            if self._missing is not None:
                self._missing.discard(key)
            self._announce(events)

    def _check(self, path: Path, value: Any, events: list[Event], check: Any) -> Any:
        try:
            return self._checked(check, path[0], value)
        except Mismatch as mismatch:
            inner, wrong = value_at(value, mismatch.path)
            self._invalid((*path, *inner), wrong, mismatch.reason, events)

    def _checked(self, check: Any, *arguments: Any) -> Any:
        """Lets a validator look. The caller's own code may raise anything; what is wrong is then the value."""
        try:
            return check(*arguments)
        except (Mismatch, ImportError, MemoryError):
            raise
        except Exception as error:
            raise Mismatch(f"its validator raised {type(error).__name__}: {error}") from error

    def _invalid(self, path: Path, value: Any, reason: str, events: list[Event]) -> None:
        wants = None
        if path and isinstance(path[0], str):
            self._bad.add(path[0])
            wants = self._shape.wants(path[0])
        error = InvalidFieldError(reason, path=path, value=value, wants=wants, call=self._call)
        self.errors.append(error)
        events.append(FieldInvalid(self._call, path, value, error))
        self._checks.found(error)

    def element(self, key: str, index: int, value: Any) -> Any:
        """A final element of a list as its type has it, or `INVALID`."""
        if key not in self._shape.listed:
            return value
        if key in self._elements:
            return self._elements[key].get(index, INVALID)
        checked = self.values.get(key) or ()
        return checked[index] if index < len(checked) else INVALID

    def result(self) -> Any:
        """The caller's object. Raises the first `InvalidFieldError`, or `ToolStreamError` before the call's end."""
        if self.errors:
            raise self.errors[0]
        if not self._call.complete:
            raise ToolStreamError("the call has not ended; partial is what is known so far")
        return self.parsed


class CheckedParser(FieldParser):
    """The parser of a call whose tool is known. Its `call` holds the check."""

    __slots__ = ()

    is_checked = True

    def feed_into(self, data: Data, events: list[Event]) -> None:
        reports: list[Any] = []
        try:
            super().feed_into(data, reports)
        finally:
            self.take_reports(reports, events)

    def take_reports(self, reports: list[Any], events: list[Event]) -> bool:
        """As `CallCheck.take`: the fast lane feeds the text itself."""
        return bool(self.call._check.take(reports, self, events))
