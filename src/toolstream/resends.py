"""Servers that send a call's arguments again: all so far in each fragment, or everything once more at the end.

A fragment that begins like all before it may be such a repetition, or an increment that happens to look like one
(`{"a":` and again `{"a":`, of `{"a":{"a":1}}`). Both readings are followed until one of them is no JSON; nothing is
reported meanwhile. They can't both become whole values: what closes the root in one leaves it open in the other.
"""

from __future__ import annotations

import json
from typing import Literal

from .calls import FreeText, ToolCall, whole_text
from .errors import JSONError
from .json_parser import FieldParser
from .limits import Limits
from .paths import Subscription

NO_FIELDS = Subscription.compile(depth=0)

Verdict = Literal["more", "again"]


class Doubt:
    """Fragments that may each be more of a call's arguments, or all of them again.

    seen: the text before them. last: the newest of them, or seen. held: all of them, joined.
    """

    __slots__ = ("_again", "_held", "_more", "last")

    def __init__(self, seen: str, limits: Limits) -> None:
        self.last = seen
        self._held: list[str] = []
        self._more = probe(limits)
        self._again = probe(limits)
        self._more.feed(seen)
        self._again.feed(seen)

    @property
    def held(self) -> str:
        return "".join(self._held)

    @property
    def is_whole(self) -> bool:
        """Read as repetitions, the arguments are complete."""
        return self._again.complete

    def feed(self, text: str) -> Verdict | None:
        """Takes the next fragment, and answers what all of them are once that is known."""
        self._held.append(text)
        if text.isspace():  # nothing that comes again
            return None if _accepts(self._more, text) else "again"
        if not text.startswith(self.last):
            return "more"
        is_again = _accepts(self._again, text[len(self.last) :])
        is_more = _accepts(self._more, text)
        self.last = text
        if is_more and (self._more.complete or not is_again):
            return "more"
        return None if is_more else "again"


def repeats(call: ToolCall, text: str, limits: Limits) -> bool:
    """Whether text is all the arguments of a whole call again, perhaps in another spelling."""
    return text == whole_text(call) or same_value(call, text, limits)


def unseen(call: ToolCall, text: str, limits: Limits) -> str:
    """What of a fragment is new: some servers repeat all so far in each fragment, or everything at the end."""
    if call._doubt is not None:
        return _unseen_in_doubt(call, call._doubt, text)
    parser = call._parser
    if parser is None:
        return text
    if not call._cumulative and 4 * len(text) < parser.offset:  # shorter than what is there, in any script
        return text
    if parser.complete:
        return "" if repeats(call, text, limits) else text
    seen = call.text
    if call._cumulative:
        return text.removeprefix(seen) if not seen.startswith(text) else ""
    if isinstance(parser, FreeText) or not text.startswith(seen):
        return text
    call._doubt = Doubt(seen, limits)
    return _unseen_in_doubt(call, call._doubt, text)


def _unseen_in_doubt(call: ToolCall, doubt: Doubt, text: str) -> str:
    verdict = doubt.feed(text)
    if verdict is None:
        return ""
    call._doubt = None
    if verdict == "more":
        return doubt.held
    call._cumulative = True
    return doubt.last.removeprefix(call.text)


def same_value(call: ToolCall, text: str, limits: Limits) -> bool:
    """Whether text says what a whole call's arguments say."""
    if call._free_text or call._parser is None or not (call._parser.complete or call._owes_brace):
        return False
    other = probe(limits)
    try:
        other.feed(text)
        other.close()
    except JSONError:
        return False
    # A number at the end of what came is not final before the brace.
    return bool(other.value == (json.loads(whole_text(call)) if call._owes_brace else call._parser.value))


def probe(limits: Limits) -> FieldParser:
    """A parser that only tells whether text is JSON."""
    return FieldParser(NO_FIELDS, duplicate_keys="last", limits=limits, max_bytes=limits.max_call_bytes)


def _accepts(parser: FieldParser, text: str) -> bool:
    try:
        parser.feed(text)
    except JSONError:
        return False
    return True
