"""Which calls a message has: by key, by id, by choice, and those that are not over yet.

A gateway holds many idle streams, and nearly all of them have one call of one choice. So the last entry of each mapping
stands in attributes, and a `dict` is made only for a second one; lists are made when something comes to be in them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assembler import StopKind
    from .calls import ToolCall

_NOTHING: dict[Any, Any] = {}  # to be read only
# Calls that are over stay in the list of those that are not until there are so many more of them.
_SLACK = 8


class Choice:
    """One of the answers of a message; most have one.

    latest: the call that began last. ended: calls that the provider has ended and that were not over then. grown: those
    that have grown since somebody looked whether they are whole. unconfirmed: those that are whole, while the model has
    not gone on. kind: why it stopped.
    """

    __slots__ = ("ended", "grown", "kind", "latest", "unconfirmed")

    def __init__(self) -> None:
        self.latest: ToolCall | None = None
        self.ended: list[ToolCall] | None = None
        self.grown: list[ToolCall] | None = None
        self.unconfirmed: list[ToolCall] | None = None
        self.kind: StopKind | None = None


def with_one_more(calls: list[ToolCall] | None, call: ToolCall) -> list[ToolCall]:
    """The list, which is made if there is none, with the call at its end."""
    if calls is None:
        return [call]
    calls.append(call)
    return calls


class CallTable:
    """The calls of one message."""

    __slots__ = (
        "_by_id",
        "_by_key",
        "_choice",
        "_choices",
        "_last_id",
        "_last_id_call",
        "_last_id_scope",
        "_last_key",
        "_last_key_call",
        "_open",
        "_unsettled",
    )

    def _forget_calls(self) -> None:
        self._last_key: Hashable = None
        self._last_key_call: ToolCall | None = None
        self._by_key: dict[Hashable, ToolCall] | None = None  # all but the last
        self._last_id: str | None = None
        self._last_id_scope = 0
        self._last_id_call: ToolCall | None = None
        self._by_id: dict[tuple[int, str], ToolCall] | None = None  # all but the last
        self._choice = Choice()
        self._choices: dict[int, Choice] | None = None
        self._unsettled: list[ToolCall] | None = None
        self._open = 0

    # ------------------------------------------------------------------ by key and id

    def call(self, key: Hashable) -> ToolCall | None:
        return self._last_key_call if key == self._last_key else (self._by_key or _NOTHING).get(key)

    def _set_key(self, key: Hashable, call: ToolCall) -> None:
        if key != self._last_key and self._last_key_call is not None:
            if self._by_key is None:
                self._by_key = {}
            self._by_key[self._last_key] = self._last_key_call
        hash(key)  # as all keys must be able to
        self._last_key, self._last_key_call = key, call

    def _call_of_id(self, scope: int, id: str) -> ToolCall | None:
        if id == self._last_id and scope == self._last_id_scope:
            return self._last_id_call
        return (self._by_id or _NOTHING).get((scope, id))

    def _set_id(self, scope: int, id: str, call: ToolCall) -> None:
        before = self._last_id
        if before is not None and self._last_id_call is not None and (id != before or scope != self._last_id_scope):
            if self._by_id is None:
                self._by_id = {}
            self._by_id[self._last_id_scope, before] = self._last_id_call
        self._last_id, self._last_id_scope, self._last_id_call = id, scope, call

    # ------------------------------------------------------------------ by choice

    def _choice_of(self, scope: int) -> Choice:
        if scope == 0:
            return self._choice
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
        """The call is over. To be told once of each call."""
        call._over = True
        self._open -= 1
        if self._open == 0:
            self._unsettled = None
        elif len(self._unsettled or ()) > 2 * self._open + _SLACK:
            self._unsettled = self._unsettled_calls()

    def _unsettled_calls(self) -> list[ToolCall]:
        """The calls that are not over, in the order in which they began."""
        return [call for call in self._unsettled or () if not call._over]

    @property
    def has_open_calls(self) -> bool:
        """A call has begun that is not over."""
        return self._open != 0
