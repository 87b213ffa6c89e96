"""What an adapter talks to: the message, and which call each of the provider's fragments belongs to.

Adapters say what the provider said; everything that follows from it is decided here and in `CallProgress`, the same for
all providers: the order of events, call states, what a stop reason means for calls that are not whole, limits. Trusts
adapters to name calls by stable keys (or to use `entry` where the provider has none), and nothing else. Guarantees that
what came before a fault is in `events`.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Literal, NoReturn

from .call_progress import CallProgress
from .call_table import key_at
from .calls import (
    SURROGATE,
    ToolCall,
    as_text,
    incomplete_arguments,
    is_bare,
    is_nothing,
    is_whole,
    joined,
    split_half,
    takes_id,
    takes_name,
)
from .errors import IncompleteError, LimitError, ProviderError
from .events import (
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    TextDelta,
    ToolCallError,
    UsageUpdate,
)
from .json_parser import FieldParser
from .partial_args import Part
from .resends import repeats, same_value, unseen
from .settings import Settings
from .shared import shared
from .usage import NOTHING, Usage, same_counts

StopKind = Literal["tools", "natural", "length", "filter", "error", "other"]
"""What a stop reason means for the calls before it.

tools: asks for them to be run. natural: the model has finished; asks for its calls, if it made any. length, filter: the
provider itself cut the message. error: it broke off. other: anything else.
"""
CUTS = ("length", "filter")
UNCERTAIN = (*CUTS, "error")  # what came last may have been meant to go on


class Assembler(CallProgress):
    """The state of one stream, whatever its provider."""

    __slots__ = (
        "_first",
        "_halves",
        "_opened",
        "_text",
        "_usage",
        "ended",
        "id",
        "model",
        "provider",
        "started",
        "stop_reason",
        "withdrawals",
    )

    def __init__(self, settings: Settings) -> None:
        CallProgress.__init__(self, settings)
        self.provider = ""
        self.id: str | None = None
        self.model: str | None = None
        self.started = False  # MessageStart has been given
        self.ended = False  # MessageEnd has been given, and no other message has begun since
        self.withdrawals = 0  # how often calls that were whole have turned void, of which no event tells
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
        """Visible text. index: the provider's content block or choice. aside: of a choice that `text` does not show."""
        self._begin_content()
        text = self._characters(("text", index), text or "")
        if text:
            if not aside:
                self.texts.append(text)
            self.events.append(TextDelta(text, index))

    def reasoning_delta(self, text: str | None, index: int) -> None:
        """Thinking, which is no part of `text`."""
        self._begin_content()
        text = self._characters(("reasoning", index), text or "")
        if text:
            self.events.append(ReasoningDelta(text, index))

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
        """The provider takes back all that came after that place: those calls are void, and `text` ends there."""
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

    def _message_calls(self, scope: int | None = None) -> list[ToolCall]:
        return [
            call
            for call in self.calls[self._first :]
            if not call._withdrawn and (scope is None or call._scope == scope)
        ]

    # ------------------------------------------------------------------ the fast lane

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
        id: str | None = None,
        name: str | None = None,
        server: bool = False,
        free_text: bool = False,
        scope: int = 0,
    ) -> ToolCall:
        """A call begins. Without a name it is not reported before `rename` has told it.

        key: what the provider names the call by in what follows. id: what its result must carry, if the provider sends
        one. server: the provider runs it. free_text: its input is no JSON. scope: the choice that it belongs to, of
        several answers to one request.
        """
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
        if call is not None and call._state != "void" and not (call._over and part.absent):
            self._feed_part(call, part)

    def close(self, key: Hashable, *, certain: bool = False) -> None:
        """The provider has ended a call. certain: it says that the arguments are whole, not only that they stop."""
        call = self.call(key)
        if call is not None and not call._over:
            self._end(call, certain=certain)

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
            place = self._choice_of(scope).latest if index is None and name is None else slot
            if call is None and place is not None and takes_id(place, name):
                call = place
        elif call is None:
            latest = self._choice_of(scope).latest
            if name is None and index is None:
                return latest
            if name is None and arguments and latest is not None and is_bare(latest):
                call = latest  # whose beginning had another index
            elif index is None and name is not None and latest is not None and takes_name(latest, name, arguments):
                call = latest
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
