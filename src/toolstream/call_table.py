"""Which calls a message has: by key, by id, by choice, and those that are not over yet.

A gateway holds many idle streams, and nearly all of them have one call in one choice. To save memory, the last entry of
each mapping is kept in attributes, and a `dict` is made only for a second one; a list of one call is just that call.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

if TYPE_CHECKING:
    from .assembler import StopKind
    from .calls import ToolCall

_NOTHING: dict[Any, Any] = {}  # to be read only
# Calls that are over stay in the list of the open ones until it is longer than twice their number and this.
_SLACK = 8

Calls: TypeAlias = Union["ToolCall", list["ToolCall"], None]
"""No call, one, or several in their order."""


def with_one_more(calls: Calls, call: ToolCall) -> Calls:
    """The calls and one more; several are changed in place."""
    if calls is None:
        return call
    if isinstance(calls, list):
        calls.append(call)
        return calls
    return [calls, call]


def each_of(calls: Calls) -> Sequence[ToolCall]:
    return () if calls is None else calls if isinstance(calls, list) else (calls,)


def key_at(scope: int, place: Hashable) -> Hashable:
    """The key of a call by its place in a choice's own list."""
    return place if scope == 0 else (scope, place)


class Choice:
    """One of the answers to a request; most requests ask for one.

    latest: the call that began last. closing: calls that the provider has ended while their arguments were not whole.
    grown: calls that have grown since somebody looked whether they are whole. unconfirmed: calls that are whole, as
    long as the model has not gone on. kind: why the choice stopped.
    """

    __slots__ = ("closing", "grown", "kind", "latest", "unconfirmed")

    def __init__(self) -> None:
        self.latest: ToolCall | None = None
        self.closing: Calls = None
        self.grown: Calls = None
        self.unconfirmed: Calls = None
        self.kind: StopKind | None = None


class CallTable(Choice):
    """The calls of one message. It is the first of its choices itself."""

    __slots__ = (
        "_by_id",
        "_by_key",
        "_choices",
        "_identified",
        "_last_key",
        "_last_key_call",
        "_open",
        "_unsettled",
    )

    def _forget_calls(self) -> None:
        Choice.__init__(self)
        self._last_key: Hashable = None
        self._last_key_call: ToolCall | None = None
        self._by_key: dict[Hashable, ToolCall] | None = None  # all but the last
        self._identified: ToolCall | None = None  # the last one that was told by its own id
        self._by_id: dict[tuple[int, str], ToolCall] | None = None  # all others
        self._choices: dict[int, Choice] | None = None  # all but the first
        self._unsettled: Calls = None
        self._open = 0

    # ------------------------------------------------------------------ by key and id

    def call(self, key: Hashable) -> ToolCall | None:
        return self._last_key_call if key == self._last_key else (self._by_key or _NOTHING).get(key)

    def call_at(self, scope: int, place: Hashable) -> ToolCall | None:
        """The call at a place of a choice's own list."""
        return self.call(key_at(scope, place))

    def _set_key(self, key: Hashable, call: ToolCall) -> None:
        if key != self._last_key and self._last_key_call is not None:
            if self._by_key is None:
                self._by_key = {}
            self._by_key[self._last_key] = self._last_key_call
        hash(key)  # raises at once for a key that no dict takes, also where none is needed yet
        self._last_key, self._last_key_call = key, call

    def _call_of_id(self, scope: int, id: str) -> ToolCall | None:
        call = self._identified
        if call is not None and call.id == id and call._scope == scope:
            return call
        return (self._by_id or _NOTHING).get((scope, id))

    def _set_id(self, scope: int, id: str, call: ToolCall) -> None:
        """The call is known by this id; some servers give one several."""
        if call.id == id and call._scope == scope:
            before, self._identified = self._identified, call
            if before is None or before is call or before.id is None:
                return
            scope, id, call = before._scope, before.id, before
        if self._by_id is None:
            self._by_id = {}
        self._by_id[scope, id] = call

    # ------------------------------------------------------------------ by choice

    def _choice_of(self, scope: int) -> Choice:
        if scope == 0:
            return self
        if self._choices is None:
            self._choices = {}
        choice = self._choices.get(scope)
        if choice is None:
            choice = self._choices[scope] = Choice()
        return choice

    # ------------------------------------------------------------------ not over yet

    def _add_unsettled(self, call: ToolCall) -> None:
        self._unsettled = with_one_more(self._unsettled, call)
        self._open += 1

    def _settle(self, call: ToolCall) -> None:
        """The call is over. To be called once for each call."""
        call._over = True
        self._open -= 1
        if self._open == 0:
            self._unsettled = None
        elif len(each_of(self._unsettled)) > 2 * self._open + _SLACK:
            self._unsettled = self._unsettled_calls()

    def _unsettled_calls(self, scope: int | None = None) -> list[ToolCall]:
        """The calls that are not over, of one choice or of all, in the order in which they began."""
        if self._unsettled is None:
            return []
        calls = each_of(self._unsettled)
        return [call for call in calls if not call._over and (scope is None or call._scope == scope)]

    @property
    def has_open_calls(self) -> bool:
        """A call has begun that is not over."""
        return self._open != 0
