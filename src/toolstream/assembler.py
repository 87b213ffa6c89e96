"""Puts a stream's fragments together: which belongs to which call, and how far each call has come.

Adapters say what the provider said; everything that follows from it is decided here, the same for all providers: the
order of events, call states, what a stop reason means for calls that are not whole, limits. Trusts adapters to name
calls by stable keys (or to use `entry` where the provider has none), and nothing else. Guarantees that `ToolCallEnd`
comes only for whole, valid arguments that the provider has ended, and that what came before a fault is in `events`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, NoReturn

from .call_table import CallTable, Choice, each_of, key_at, with_one_more
from .calls import (
    SURROGATE,
    FreeText,
    ToolCall,
    as_text,
    has_any,
    incomplete_arguments,
    is_bare,
    is_nothing,
    is_placeholder,
    is_whole,
    joined,
    split_half,
    takes_id,
)
from .errors import IncompleteError, JSONError, LimitError, ProviderError, ToolStreamError
from .events import (
    Event,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    TextDelta,
    ToolCallEnd,
    ToolCallError,
    ToolCallStart,
    UsageUpdate,
)
from .json_parser import FieldParser
from .partial_args import Part, PartialArguments
from .resends import repeats, same_value, unseen
from .settings import Settings
from .shared import shared
from .tools.checks import CheckedParser
from .usage import NOTHING, Usage, same_counts

StopKind = Literal["tools", "natural", "length", "filter", "error", "other"]
"""What a stop reason means for the calls before it.

tools: asks for them to be run. natural: the model has finished; asks for its calls, if it made any. length, filter: the
provider itself cut the message. error: it broke off. other: anything else.
"""
CUTS = ("length", "filter")
UNCERTAIN = (*CUTS, "error")  # what came last may have been meant to go on
# Where nothing is being read, nothing can happen: a tuple, so that nothing gets lost in it.
NO_EVENTS: list[Event] = ()  # type: ignore[assignment]


class Assembler(CallTable):
    """The state of one stream, whatever its provider.

    events: what has happened since the caller last took them. calls: every call reported, in order.
    """

    __slots__ = (
        "_first",
        "_halves",
        "_notes_growth",
        "_opened",
        "_text",
        "_usage",
        "calls",
        "ended",
        "events",
        "id",
        "model",
        "provider",
        "settings",
        "started",
        "stop_reason",
        "withdrawals",
    )

    def __init__(self, settings: Settings) -> None:
        self.events = NO_EVENTS
        self.calls: list[ToolCall] = []
        self.provider = ""
        self.id: str | None = None
        self.model: str | None = None
        self.started = False  # MessageStart has been given
        self.ended = False  # MessageEnd has been given, and no other message has begun since
        self.withdrawals = 0  # how often calls that were whole have turned void, of which no event tells
        self.settings = settings
        self._notes_growth = False  # somebody asks for calls that have become whole
        self._opened = 0
        self._text: list[str] | None = None
        self._forget_message()

    def _forget_message(self) -> None:
        self.stop_reason: str | None = None
        self._usage: Usage | None = None
        self._first = len(self.calls)  # the message's calls are self.calls[_first:]
        self._halves: dict[Hashable, str] | None = None  # high surrogates, until their other half comes
        self._forget_calls()

    @property
    def usage(self) -> Usage:
        """The token counts so far."""
        return Usage() if self._usage is None else self._usage

    @property
    def raw_usage(self) -> dict[str, Any]:
        """The provider's own object with the counts so far; not to be changed."""
        return {} if self._usage is None else self._usage.raw

    @property
    def text(self) -> str:
        """All visible text so far."""
        return "" if self._text is None else joined(self._text)

    # ------------------------------------------------------------------ the message

    def message_start(self, id: str | None, model: str | None) -> bool:
        """A message begins; False if it is the one that has begun already.

        A new one before the end of the old one replaces it: a proxy has asked again. What was open is void.
        """
        if self.started and not self.ended:
            if id and id == self.id:
                return False
            self._void_all("the message was replaced by another one before its end")
        if self.started:
            self._forget_message()
        self.started, self.ended = True, False
        self.id, self.model = id or None, shared(model) or None
        self.events.append(MessageStart(self.provider, self.id, self.model))
        return True

    def _begin(self) -> None:
        """Some bridges leave the beginning of a message out; its events still come after a MessageStart."""
        if not self.started:
            self.message_start(None, None)

    def _begin_content(self) -> None:
        """As `_begin`, for what only a message that has not ended can hold: behind its end another one begins."""
        if self.ended or not self.started:
            self.message_start(None, None)

    def text_delta(self, text: str | None, index: int, *, aside: bool = False) -> None:
        """Visible text. aside: of another choice than the one that `text` shows."""
        self._begin_content()
        text = self._characters(("text", index), text or "")
        if text:
            if not aside:
                self.texts.append(text)
            self.events.append(TextDelta(text, index))

    def reasoning_delta(self, text: str | None, index: int) -> None:
        self._begin_content()
        text = self._characters(("reasoning", index), text or "")
        if text:
            self.events.append(ReasoningDelta(text, index))

    def usage_update(self, usage: Usage) -> None:
        """Counts so far, each replacing the one before."""
        self._begin()
        before = NOTHING if self._usage is None else self._usage
        self._usage = usage
        if not same_counts(usage, before):
            self.events.append(UsageUpdate(usage))

    def stop(self, reason: str | None, kind: StopKind, scope: int = 0) -> None:
        """The provider says why the message (or the choice) stops: decides what its calls are worth."""
        self._begin()
        if scope == 0 and reason is not None:
            self.stop_reason = reason
        calls = self._unsettled_calls(scope)
        for call in calls:
            # Of free text nothing but its own end tells whether it is whole.
            certain = kind not in UNCERTAIN and (call._ended or not call._free_text)
            self._end(call, certain=certain)
            if is_nothing(call):
                self._settle(call)
        if kind == "natural":
            kind = "tools" if self._has_own(scope) else "other"
        choice = self if scope == 0 else self._choice_of(scope)
        if choice.kind not in CUTS:  # some servers say twice why they stop, and the cut only once
            choice.kind = kind
        if kind == "tools" and choice.unconfirmed is not None:
            self._confirm(choice)
        for call in calls:
            if not call._over:
                error = incomplete_arguments(call, f"the message stopped ({reason}) before the arguments were whole")
                self.spoil(call, error, is_fault=kind not in CUTS)
        if kind == "filter":
            self.withdrawals += 1
            for call in self._message_calls(scope):
                call._state = "void"

    def end(self) -> None:
        """The provider's own end of the message."""
        self._begin()
        if self._open:
            for scope in sorted({call._scope for call in self._unsettled_calls()}):
                self.stop(None, "other", scope)
        safe = self.kind == "tools" and self._are_safe(self._message_calls())
        self._usage = self.usage.finished()
        self.ended = True
        self.events.append(MessageEnd(self.stop_reason, self._usage, safe))

    def _has_own(self, scope: int) -> bool:
        """Whether a call of the choice is whole and the caller's to run."""
        for call in self._message_calls(scope):  # noqa: SIM110 - a generator would be closed early, which takes its time
            if call.complete and not call.server:
                return True
        return False

    def _are_safe(self, calls: list[ToolCall]) -> bool:
        """Whether all calls are whole, and some are the caller's to run: these are committed then."""
        own = []
        for call in calls:
            if not call.complete:
                return False
            if not call.server:
                own.append(call)
                if self._choice_of(call._scope).kind != "tools":
                    return False
        for call in own:
            call._state = "committed"
        return bool(own)

    def break_off(self, reason: str) -> NoReturn:
        """The stream has ended without the provider's own end. Raises `IncompleteError`."""
        call = next(reversed(self._unsettled_calls()), None)
        error = IncompleteError(reason) if call is None else incomplete_arguments(call, reason)
        if call is not None:
            call.error = error
        self.abandon()
        raise error

    def fail(self, error: ProviderError, stop_reason: str | None = None) -> NoReturn:
        """The provider has sent its own error, and perhaps a word for how the message ended. Raises the error."""
        self.stop_reason = stop_reason or self.stop_reason
        self.abandon()
        raise error

    def place(self) -> tuple[int, int]:
        """How far the stream has come, for `retract`."""
        return len(self.calls), len(self.text)

    def retract(self, place: tuple[int, int], reason: str) -> None:
        """The provider takes back what came behind that place: its calls are void, and `text` ends there."""
        calls, characters = place
        self.withdrawals += 1
        for call in self.calls[calls:]:
            if not call._over:
                self.spoil(call, incomplete_arguments(call, reason), is_fault=False)
            call._state = "void"
            call._withdrawn = True
        self.texts[:] = [self.text[:characters]]
        self._halves = None

    def abandon(self) -> None:
        """Nothing more will be read: what is open is void."""
        self._void_all(None)

    @property
    def texts(self) -> list[str]:
        """The pieces of `text`, for the fast lane to append to."""
        if self._text is None:
            self._text = []
        return self._text

    def may_repeat(self, call: ToolCall | None) -> bool:
        """Whether more text for the call (None: visible text) needs nothing but to be fed: no half character waits,
        the call's text is being parsed, and none of it is known to come again."""
        if call is None:
            return not self._halves and not self._open
        if call._parser is None or call._held is not None or call._half or call._over:
            return False
        return not (call._cumulative or call._doubt is not None or call._owes_brace)

    # ------------------------------------------------------------------ calls by key

    def open(
        self,
        key: Hashable,
        *,
        id: str | None,
        name: str | None,
        server: bool = False,
        free_text: bool = False,
        scope: int = 0,
    ) -> ToolCall:
        """A call begins. Without a name it is not reported before `rename` has told it."""
        self._begin_content()
        before = self.call(key)
        if before is not None and not before._over:
            self._end(before)
        call = ToolCall(id or None, shared(name) or "", scope)
        if server:
            call.server = True
        if free_text:
            call._free_text = True
        return self._open_anew(key, call)

    def _open_anew(self, key: Hashable, call: ToolCall) -> ToolCall:
        """A call begins, whatever was known by its key."""
        scope = call._scope
        choice = self if scope == 0 else self._choice_of(scope)
        if choice.closing is not None or choice.unconfirmed is not None:
            self.went_on(scope)
        limit = self.settings.limits.max_calls
        if limit is not None and self._opened >= limit:
            raise LimitError(f"more than max_calls={limit} tool calls", limit="max_calls")
        self._opened += 1
        self._set_key(key, call)
        choice.latest = call
        self._add_unsettled(call)
        if call.name:
            self._start(call)
        return call

    def rename(self, call: ToolCall, name: str) -> None:
        """The call's name, or more of it, is known."""
        call.name = name
        if call._held is not None and not call._over:
            if self._notes_growth:
                self._note_growth(call)
            self._feed_first(call, "")

    def fragment(self, key: Hashable, text: Any) -> None:
        """More of a call's arguments; ignored for what is no call. What is no text is the arguments themselves."""
        call = self.call(key)
        if call is not None and text:
            if isinstance(text, str):
                self._feed(call, text)
            else:
                self.whole(key, text)

    def whole(self, key: Hashable, arguments: Any) -> None:
        """All of a call's arguments, as text or as the value itself: what has not been seen yet is fed."""
        call = self.call(key)
        if call is None or arguments is None or call._state == "void":
            return
        text = as_text(arguments)
        call._half = ""
        if isinstance(call._parser, FieldParser) and call._parser.holds(text):
            return
        seen = call.text
        if text.startswith(seen):
            if len(text) > len(seen):
                self._feed(call, text[len(seen) :])
        elif not same_value(call, text, self.settings.limits):
            self._contradict(call)

    def part(self, key: Hashable, part: Part) -> None:
        """One of a call's arguments, where the provider sends them one by one; ignored for what is no call."""
        call = self.call(key)
        if call is None or call._state == "void" or (call._over and part.absent):
            return
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

    def close(self, key: Hashable, *, certain: bool = False) -> None:
        """The provider has ended a call. certain: it says that the arguments are whole, not only that they stop."""
        call = self.call(key)
        if call is not None and not call._over:
            self._end(call, certain=certain)

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

    def awaits_more(self, scope: int) -> bool:
        """Whether a call of the choice is not whole."""
        return any(not (is_whole(call) or is_nothing(call)) for call in self._unsettled_calls(scope))

    # ------------------------------------------------------------------ calls without a reliable key

    def entry(
        self,
        scope: int,
        index: int | None,
        id: str | None,
        name: str | None,
        arguments: Any,
        *,
        free_text: bool = False,
    ) -> ToolCall | None:
        """A fragment of a call where index, id and name may each be missing, repeated or wrong.

        The order of trust: an id that is known or new, then the index, then the last call. A call that is whole is not
        continued by an entry that names one again. arguments: text, or the value itself. free_text: they are no JSON,
        and end with the message. Answers the call, or None for an entry that belongs to none.
        """
        call = self.call_at(scope, index) if index is not None else None
        if id or name or call is None:
            call = self._find(scope, index, call, id or None, name or None, arguments, free_text)
            if call is None:
                return None
        if isinstance(arguments, dict):
            self._feed_object(call, arguments)
            return call
        text = as_text(arguments)
        if call._owes_brace and text.strip():
            self._close_object(call)
        if text and (text[0] in "{[" or call._doubt is not None):  # perhaps everything from the start again
            text = unseen(call, text, self.settings.limits)
        if text and call._named_again and not text.isspace():
            call = self._open_entry(scope, index, call.id, call.name, free_text)
        if text:
            self._feed(call, text)
        return call

    def end_whole(self, scope: int) -> None:
        """Something else has begun in a format whose calls have no end of their own: ends those that are whole."""
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

    def _find(
        self,
        scope: int,
        index: int | None,
        slot: ToolCall | None,
        id: str | None,
        name: str | None,
        arguments: Any,
        free_text: bool,
    ) -> ToolCall | None:
        call = slot
        if id is not None:
            call = self._call_of_id(scope, id)
            if call is None and slot is not None and takes_id(slot, name):
                call = slot
        elif call is None and name is None:
            latest = self._choice_of(scope).latest
            if index is None:
                return latest
            if arguments and latest is not None and is_bare(latest):
                call = latest  # whose beginning had another index
        is_elsewhere = index is not None and slot is not call
        if call is None or not self._continues(call, id, name, arguments, is_elsewhere):
            call = self._open_entry(scope, index, id, name, free_text)
        elif name and name != call.name:
            streamed = name.startswith(call.name)
            self.rename(call, name if streamed else call.name + name)
        if id is not None:
            call.id = call.id or id
            self._set_id(scope, id, call)
        if index is not None:
            self._set_key(key_at(scope, index), call)
        # A name without an id may still grow; what comes next settles it.
        if call.name and (call.id or arguments):
            self._start(call)
        return call

    def _open_entry(self, scope: int, index: int | None, id: str | None, name: str | None, free_text: bool) -> ToolCall:
        self.end_whole(scope)
        self._begin_content()
        key = key_at(scope, index if index is not None else f"call {self._opened}")
        call = self._open_anew(key, ToolCall(id, "", scope))
        call._free_text = free_text
        call.name = shared(name) or ""
        call._ended = free_text  # that it has ended is told by the message's end alone
        return call

    def _continues(self, call: ToolCall, id: str | None, name: str | None, arguments: Any, is_elsewhere: bool) -> bool:
        """Whether an entry that may repeat the call's name, or give more of it, belongs to the call.

        is_elsewhere: it has the call's id, but not its index.
        """
        if name is None or not call.name:
            return True
        if call._state == "void" and name != call.name:
            return False
        if name != call.name:
            return is_bare(call) and (name.startswith(call.name) or call.id is None)
        if not is_whole(call):
            return True
        if id is not None and (call._parser is None or (call._owes_brace and isinstance(arguments, dict))):
            return True  # `{}` was a placeholder, or this is the next snapshot of the object
        text = as_text(arguments)
        if not text or text.isspace():
            call._named_again = id is None or is_elsewhere  # if arguments follow, it was another call of the same tool
            return True
        return repeats(call, text, self.settings.limits)

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

    def _contradict(self, call: ToolCall) -> None:
        reason = "the provider's final arguments are not those that it has streamed"
        offset = len(call.text.encode("utf-8", "replace"))
        self.spoil(call, JSONError(reason, offset=offset, call=call))

    # ------------------------------------------------------------------ the life of a call

    def _message_calls(self, scope: int | None = None) -> list[ToolCall]:
        return [
            call
            for call in self.calls[self._first :]
            if not call._withdrawn and (scope is None or call._scope == scope)
        ]

    def _start(self, call: ToolCall) -> None:
        if call.index < 0:
            call.index = len(self.calls)
            self.calls.extend((call,))  # `append` would make room for four
            self.events.append(ToolCallStart(call))
            if self.settings.checks is not None and not call._over:
                self._check(call, certain=False)

    def _check(self, call: ToolCall, *, certain: bool) -> bool:
        """Has the call checked by its tool's schema; False if it ended by that. certain: its name grows no more."""
        try:
            if self.settings.checks is not None:
                self.settings.checks.begin(call, self.events, certain=certain)
        except JSONError as error:
            self.spoil(call, error)
        return not call._over

    def _passes(self, call: ToolCall) -> bool:
        """Whether a call whose arguments are whole may end, by its tool's schema."""
        assert self.settings.checks is not None
        try:
            if self._check(call, certain=True):
                self.settings.checks.end(call, self.events)
        except JSONError as error:
            self.spoil(call, error)
        return not call._over

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
        """Text for a call that is over: an empty rest or a repetition is harmless, anything else makes it bad."""
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

    def _end(self, call: ToolCall, certain: bool = False) -> None:
        """The provider has ended the call: settles it if its arguments are whole.

        No arguments at all, free text and a bare number look the same whole and cut; so they are whole only when that
        is certain.
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

    def _confirm(self, choice: Choice) -> None:
        unconfirmed, choice.unconfirmed = choice.unconfirmed, None
        for call in each_of(unconfirmed):
            if call._state != "void":
                call._state = "confirmed"

    def revoke(self, call: ToolCall, error: ToolStreamError) -> None:
        """The provider takes a call back, be it whole or not. That is no fault of the stream."""
        if call._state != "void":
            self.spoil(call, error, is_fault=False)

    def withdraw(self, call: ToolCall, reason: str) -> None:
        """As `revoke`; and what the message asks for is asked without the call."""
        call._withdrawn = True
        self.revoke(call, incomplete_arguments(call, reason))

    def spoil(self, call: ToolCall, error: ToolStreamError, *, is_fault: bool = True) -> None:
        """The call is bad for good. is_fault: not the provider's own announced cut, so that it may raise."""
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

    def _void_all(self, reason: str | None) -> None:
        """Voids what is open. reason: the whole message is void, and this is why."""
        for call in self._unsettled_calls():
            self._settle(call)
            call._state = "void"
            if call.error is None:
                call.error = incomplete_arguments(call, reason or "the stream ended before the call did")
            if reason is not None and call.index >= 0:
                self.events.append(ToolCallError(call, call.error))
        if reason is not None:
            self.withdrawals += 1
            for call in self._message_calls():
                call._state = "void"
                call._withdrawn = True

    # ------------------------------------------------------------------ small things

    def _characters(self, key: Hashable, text: str) -> str:
        """Text in whole characters: a provider may cut a surrogate pair between two of its events."""
        if text.isascii() and not self._halves:
            return text
        halves = self._halves or {}
        text, half = split_half(halves.pop(key, "") + text)
        if half:
            halves[key] = half
        self._halves = halves or None
        if SURROGATE.search(text):
            # Two halves that have met become one character; a half alone is none.
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return text
