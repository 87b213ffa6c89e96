"""How far each call has come: its arguments are fed to its parser, ended, and found whole or bad.

Trusts the `Assembler`, which is built on it, to say which call is meant. Guarantees that `ToolCallEnd` comes only for
whole, valid arguments that the provider has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .call_table import CallTable, Choice, each_of, with_one_more
from .calls import (
    FreeText,
    ToolCall,
    as_text,
    has_any,
    incomplete_arguments,
    is_nothing,
    is_placeholder,
    is_whole,
    split_half,
)
from .errors import JSONError, LimitError, ToolStreamError
from .events import Event, ToolCallEnd, ToolCallError, ToolCallStart
from .json_parser import FieldParser
from .partial_args import Part, PartialArguments
from .resends import repeats, same_value, unseen
from .tools.checks import CheckedParser

if TYPE_CHECKING:
    from .settings import Settings

# Where nothing is being read, nothing can happen: a tuple, so that nothing gets lost in it.
NO_EVENTS: list[Event] = ()  # type: ignore[assignment]


class CallProgress(CallTable):
    """The calls of a stream on their way from their names to their ends.

    events: what has happened since the caller last took them. calls: every call reported, in order.
    """

    __slots__ = ("_notes_growth", "calls", "events", "settings")

    def __init__(self, settings: Settings) -> None:
        self.events = NO_EVENTS
        self.calls: list[ToolCall] = []
        self.settings = settings
        self._notes_growth = False  # `end_whole` is in use, so calls that grow are to be noted

    # ------------------------------------------------------------------ the beginning

    def _start(self, call: ToolCall) -> None:
        if call.index < 0:
            call.index = len(self.calls)
            self.calls.extend((call,))  # `append` would make room for four
            self.events.append(ToolCallStart(call))
            if self.settings.checks is not None and not call._over:
                self._check(call, certain=False)

    def _check(self, call: ToolCall, *, certain: bool) -> bool:
        """Has the call checked by its tool's schema; False if that ended it. certain: its name is whole."""
        try:
            if self.settings.checks is not None:
                self.settings.checks.begin(call, self.events, certain=certain)
        except JSONError as error:
            self.spoil(call, error)
        return not call._over

    # ------------------------------------------------------------------ arguments as text

    def _feed(self, call: ToolCall, text: str) -> None:
        if call._over:
            self._feed_late(call, text)
            return
        if self._notes_growth:
            self._note_growth(call)
        if call._half or "\ud800" <= text[-1] <= "\udbff":
            text, call._half = split_half(call._half + text)
            if not text:
                return
        if call._parser is None:
            self._feed_first(call, text)
            return
        try:
            call._parser.feed_into(text, self.events)
        except JSONError as error:
            self.spoil(call, error)

    def _feed_first(self, call: ToolCall, text: str) -> None:
        """Holds text back while the name is unknown, and `{}` until it shows whether it is a placeholder."""
        held = call._held
        if held is None and call.name and (call._free_text or text.strip() != "{}"):
            self._start(call)
            self._parse(call, text)
            return
        if held is None or (is_placeholder(held) and text.lstrip().startswith("{")):
            held = call._held = FreeText(self.settings.limits.max_call_bytes, call)
        try:
            held.feed_into(text, self.events)
        except LimitError as error:
            self.spoil(call, error)
            return
        if call.name:
            self._start(call)
            if call._free_text or not is_placeholder(held):
                self._release(call)

    def _feed_late(self, call: ToolCall, text: str) -> None:
        """Text for a call that is over: white space or a repetition is harmless, anything else makes the call bad."""
        if (
            call._state != "void"
            and not text.isspace()
            and text.strip() != "{}"
            and not repeats(call, text, self.settings.limits)
        ):
            self.spoil(call, JSONError("the provider sent more arguments after the end of the call", call=call))

    def _release(self, call: ToolCall) -> None:
        """Parses the text that was held back."""
        held, call._held = call._held, None
        if held is not None:
            self._parse(call, held.text)

    def _parse(self, call: ToolCall, text: str) -> None:
        """Parses the first text of a call whose name is known."""
        if self.settings.checks is not None and not self._check(call, certain=True):
            return
        call._parser = self._new_parser(call)
        try:
            call._parser.feed_into(text, self.events)
        except JSONError as error:
            self.spoil(call, error)

    def _new_parser(self, call: ToolCall) -> FieldParser | FreeText:
        settings = self.settings
        subscription, max_bytes = settings.subscriptions.of(call.name), settings.limits.max_call_bytes
        if call._free_text:
            grows = subscription.deltas if settings.checks is None else settings.checks.grows(call)
            return FreeText(max_bytes, call, grows=grows)
        kind = FieldParser
        if settings.checks is not None and call._check is not None:
            kind, subscription = CheckedParser, settings.checks.subscription(call)
        return kind(subscription, settings.limits, max_bytes, settings.duplicate_keys, "max_call_bytes", call, True)

    def _note_growth(self, call: ToolCall) -> None:
        if not call._has_grown:
            call._has_grown = True
            choice = self._choice_of(call._scope)
            choice.grown = with_one_more(choice.grown, call)

    def _feed_half(self, call: ToolCall) -> None:
        """A high surrogate whose other half never came: the parser says what is wrong with it."""
        half, call._half = call._half, ""
        try:
            if call._parser is not None:
                call._parser.feed_into(half, self.events)
        except JSONError as error:
            self.spoil(call, error)

    # ------------------------------------------------------------------ arguments as values

    def _feed_object(self, call: ToolCall, arguments: dict[str, Any]) -> None:
        """Arguments that come as the object itself. Its end is kept back: the next entry may bring more of it."""
        if call._state == "void":
            return
        text, seen = as_text(arguments), call.text
        if not call._owes_brace:
            text = unseen(call, text, self.settings.limits)
            call._owes_brace = bool(text) and bool(arguments) and not call._over
            text = text[:-1] if call._owes_brace else text
        elif text.startswith(seen):
            text = text[len(seen) : -1]
        elif not has_any(call, arguments):  # only what is new
            text = ", " + text[1:-1] if arguments else ""
        elif same_value(call, text, self.settings.limits):
            return
        else:
            self._contradict(call)
            return
        if text:
            self._feed(call, text)

    def _close_object(self, call: ToolCall) -> None:
        call._owes_brace = False
        if not call._over:
            self._feed(call, "}")

    def _feed_part(self, call: ToolCall, part: Part) -> None:
        if call._over:
            self.spoil(call, JSONError("the provider sent more arguments after the end of the call", call=call))
            return
        if self.settings.checks is not None and not self._check(call, certain=True):
            return
        if call._parser is None:
            call._parser = self._new_parts(call)
        parser = call._parser
        reports: list[Event] = []
        try:
            if not isinstance(parser, PartialArguments):
                raise JSONError("a part of arguments that have come as a whole", call=call)
            try:
                parser.take(part, reports)
            finally:
                self._report_parts(call, parser, reports)
        except JSONError as error:
            self.spoil(call, error)

    def _new_parts(self, call: ToolCall) -> PartialArguments:
        settings = self.settings
        subscription = settings.subscriptions.of(call.name)
        if settings.checks is not None and call._check is not None:
            subscription = settings.checks.subscription(call)
        return PartialArguments(subscription, duplicate_keys=settings.duplicate_keys, limits=settings.limits, call=call)

    def _report_parts(self, call: ToolCall, parser: PartialArguments, reports: list[Event]) -> None:
        if call._check is None:
            self.events += reports
        else:
            call._check.take(reports, parser, self.events)

    # ------------------------------------------------------------------ the end

    def _end(self, call: ToolCall, certain: bool = False) -> None:
        """The provider has ended the call: it is over if its arguments are whole.

        No arguments at all, free text and a bare number look the same whole or cut, so they are whole only if the
        provider is certain.
        """
        choice = self if call._scope == 0 else self._choice_of(call._scope)
        if not call._ended:
            call._ended = True
            choice.closing = with_one_more(choice.closing, call)
        if not call.name:
            return
        self._start(call)
        if call._held is not None:
            self._release(call)
        if call._doubt is not None or call._owes_brace:
            self._settle_arguments(call)
        if call._half and not call._over:
            self._feed_half(call)
        whole = not call._over and (is_whole(call) or (certain and self._closes(call)))
        if whole and (self.settings.checks is None or self._passes(call)):
            self._settle(call)
            call._complete = True
            call._state = "closed"
            choice.unconfirmed = with_one_more(choice.unconfirmed, call)
            self.events.append(ToolCallEnd(call))

    def _settle_arguments(self, call: ToolCall) -> None:
        """Feeds what was kept back because more might have followed."""
        doubt, call._doubt = call._doubt, None
        rest = "" if doubt is None else doubt.last.removeprefix(call.text)
        if rest and not call._over:
            self._feed(call, rest)
        if call._owes_brace:
            self._close_object(call)

    def _closes(self, call: ToolCall) -> bool:
        """Whether the arguments are whole, seeing that nothing follows."""
        parser = call._parser
        if parser is None:
            return True
        if isinstance(parser, FieldParser):
            first = parser.text.lstrip()[:1]
            if not first:
                return True  # only white space: no arguments
            if first not in "-0123456789":
                return False
        try:
            reports: list[Any] = parser.close()
        except JSONError:
            return False
        if isinstance(parser, PartialArguments):
            try:
                self._report_parts(call, parser, reports)
            except JSONError as error:
                self.spoil(call, error)
                return False
        return parser.complete

    def _passes(self, call: ToolCall) -> bool:
        """Whether a call whose arguments are whole may end, by its tool's schema."""
        assert self.settings.checks is not None
        try:
            if self._check(call, certain=True):
                self.settings.checks.end(call, self.events)
        except JSONError as error:
            self.spoil(call, error)
        return not call._over

    def went_on(self, scope: int = 0) -> None:
        """Another block, call or text has begun: what was ended before it was ended for good."""
        choice = self if scope == 0 else self._choice_of(scope)
        if choice.closing is not None:
            closing, choice.closing = choice.closing, None
            for call in each_of(closing):
                if not call._over:
                    self._end(call, certain=True)
                    if not call._over:
                        self.spoil(call, incomplete_arguments(call, "the call ended before its arguments were whole"))
        if choice.unconfirmed is not None:
            self._confirm(choice)

    def _confirm(self, choice: Choice) -> None:
        unconfirmed, choice.unconfirmed = choice.unconfirmed, None
        for call in each_of(unconfirmed):
            if call._state != "void":
                call._state = "confirmed"

    def end_whole(self, scope: int) -> None:
        """Ends the calls that are whole: something else has begun, in a format whose calls have no end of their own."""
        if not self._notes_growth:
            self._notes_growth = True
            for call in self._unsettled_calls():
                self._note_growth(call)
        choice = self if scope == 0 else self._choice_of(scope)
        if choice.grown is not None:
            grown, choice.grown = choice.grown, None
            for call in each_of(grown):
                call._has_grown = False
                if not call._over and is_whole(call):
                    self._end(call)
        self.went_on(scope)

    def awaits_more(self, scope: int) -> bool:
        """Whether a call of the choice is not whole."""
        return any(not (is_whole(call) or is_nothing(call)) for call in self._unsettled_calls(scope))

    # ------------------------------------------------------------------ bad calls

    def spoil(self, call: ToolCall, error: ToolStreamError, *, is_fault: bool = True) -> None:
        """The call is bad for good. is_fault: may raise; False for a cut that the provider itself has announced."""
        if not call._over:
            self._settle(call)
        call._state = "void"
        call.error = error
        error.events = []
        if is_fault and self.settings.raises:
            raise error
        if call.name:
            self._start(call)
        self.events.append(ToolCallError(call, error))

    def _contradict(self, call: ToolCall) -> None:
        reason = "the provider's final arguments are not those that it has streamed"
        offset = len(call.text.encode("utf-8", "replace"))
        self.spoil(call, JSONError(reason, offset=offset, call=call))

    def revoke(self, call: ToolCall, error: ToolStreamError) -> None:
        """The provider takes a call back, be it whole or not. That is no fault of the stream."""
        if call._state != "void":
            self.spoil(call, error, is_fault=False)

    def withdraw(self, call: ToolCall, reason: str) -> None:
        """As `revoke`; and what the message asks for is asked without the call."""
        call._withdrawn = True
        self.revoke(call, incomplete_arguments(call, reason))
