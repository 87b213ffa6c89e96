"""`check_adapter`: whether an adapter keeps the laws on a stream, for the tests of those who write one.

Needs no test framework. Trusts the stream to be one that the adapter's provider sends. The laws are those that an
adapter can break: how the stream is cut does not show; what is reported stays true, and comes at once; a stream that
breaks off gives nothing that was not whole, and loses nothing that was.
"""

from __future__ import annotations

import copy
import pickle
import random
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, NoReturn

from .calls import ToolCall
from .errors import IncompleteError, ProviderError, ToolStreamError
from .event_objects import as_dict
from .events import Event, FieldComplete, FieldDelta, MessageEnd, Path, ToolCallEnd, ToolCallStart
from .framing import FramingName, frame_event, new_framing
from .json_parser import JSONParser
from .lane import IS_FAST
from .stream_parser import StreamParser
from .text_formats import TextFormat

_SIZES = (7, 64, 1000)
_BROKEN = b'data: {"broken\n\n'
_LONGEST_NAME = 128  # characters of a string that may name a call
_GROWTH = ("field_delta", "text_delta", "reasoning_delta")
_CONTENT = ("text_delta", "reasoning_delta", "tool_call_start", "field_delta", "field_complete")
_ONE = "in one piece"
_HINT = "pickling=False leaves this out"
_WIDTH = 300  # characters of a value that a message shows
_CUT = {"text": "", "finish_reason": "length"}  # what a model's runtime says of a text that it has cut

Told = dict[str, Any]


def check_adapter(
    adapter: str | TextFormat | Callable[[], Any],
    stream: bytes | Iterable[Any],
    *,
    calls: Sequence[tuple[str, Any]] | None = None,
    framing: FramingName = "auto",
    cuts: int = 50,
    seed: int = 0,
    pickling: bool = True,
) -> None:
    """Reads the stream in many ways, and raises `AssertionError` where one of them breaks a law.

    adapter: a wire format's name, an adapter's class, or a function that makes an adapter; each reading gets a new one.
        Or a text format, or its name.
    stream: a whole response's bytes, or its events as `StreamParser.feed_event` takes them; for a text format a model's
        text, as UTF-8 bytes or in pieces.
    calls: the name and the arguments of each call in the stream, where these are to be compared, too.
    framing: as in `StreamParser`.
    cuts, seed: how many places, chosen at random, the stream is cut at.
    pickling: parsers are also pickled between two pieces, which a class inside a function can't be.

    The error says what broke, at which byte (or event), and how the parser was fed. Raises `TypeError` for an adapter
    that exists already, since it serves only one stream.
    """
    if not isinstance(adapter, (str, type)) and hasattr(adapter, "handle"):
        raise TypeError("check_adapter takes a name, an adapter's class or a function that makes an adapter")
    check = _Check(adapter, stream, framing, pickling)
    check.whole_stream(calls)
    check.cuts_do_not_show(cuts, seed)
    check.fields_are_prompt()
    check.breaking_off(cuts, seed)
    check.nothing_is_lost_before_a_fault(cuts, seed)


class _Reading:
    """A stream that is being read: its events, each with how far the parser had been fed, and how it ended."""

    def __init__(self, parser: StreamParser) -> None:
        self.parser = parser
        # A text has no events of its own, so there the pieces of what is visible come as the text is cut.
        self._joined = _GROWTH if parser.takes_text else _GROWTH[:1]
        self.events: list[Event] = []
        self.places: list[int] = []
        self.told: list[Told] = []
        self.error: ToolStreamError | None = None

    def take(self, place: int, step: Callable[..., list[Event]], *given: Any) -> None:
        """Does one step, unless an earlier one has failed."""
        if self.error is not None:
            return
        try:
            events = step(*given)
        except ToolStreamError as error:
            self.error, events = error, error.events
        self.events += events
        self.places += [place] * len(events)
        self.told += map(_plain, events)

    def joined(self) -> list[tuple[int, Told]]:
        """The events as plain values, with their places; what grew in several steps is joined, where it ended."""
        joined: list[tuple[int, Told]] = []
        for place, now in zip(self.places, self.told, strict=True):
            before = joined[-1][1] if joined else {}
            if now["type"] in self._joined and {**now, "text": ""} == {**before, "text": ""}:
                joined[-1] = (place, {**now, "text": before["text"] + now["text"]})
            else:
                joined.append((place, now))
        return joined


class _Check:
    """One adapter and one stream, with the reading that all others are compared with: whole, on the slow lane."""

    def __init__(self, adapter: Any, stream: bytes | Iterable[Any], framing: FramingName, pickling: bool) -> None:
        self._adapter = adapter
        self._framing = framing
        self._pickling = pickling
        self._is_bytes = isinstance(stream, (bytes, bytearray, memoryview))
        self._is_text = self._parser().takes_text
        self._stream: Any = bytes(stream) if isinstance(stream, (bytes, bytearray, memoryview)) else list(stream)
        self._unit = "byte" if self._is_bytes else "event"
        self._whole = self._read([], slow=True)
        self._prompt = self._read(range(1, len(self._stream)))
        self._expected = self._prompt.joined()
        self._located = self._located_events()

    # ------------------------------------------------------------------ reading

    def _parser(self, slow: bool = False) -> StreamParser:
        provider = self._adapter if isinstance(self._adapter, (str, type, TextFormat)) else self._adapter()
        parser = StreamParser(provider=provider, depth=None, deltas=True, on_error="event", framing=self._framing)
        if slow:
            parser._hopeful = False
        return parser

    def _feed(self, reading: _Reading, start: int, end: int) -> None:
        piece, parser = self._stream[start:end], reading.parser
        if self._is_bytes:
            reading.take(end, parser.feed, piece)
            return
        for place, event in enumerate(piece, start + 1):
            reading.take(place, parser.feed_event, event)

    def _read(self, cuts: Iterable[int], slow: bool = False, move: bool = False) -> _Reading:
        """Feeds the stream, cut at these places, to its end. move: the parser is pickled at each of them."""
        reading = _Reading(self._parser(slow))
        for start, end in pairwise([0, *cuts, len(self._stream)]):
            self._feed(reading, start, end)
            if move and reading.error is None:
                reading.parser = self._moved(reading.parser, end)
        reading.take(len(self._stream) + 1, reading.parser.close)
        return reading

    def _moved(self, parser: StreamParser, place: int) -> StreamParser:
        try:
            moved: StreamParser = pickle.loads(pickle.dumps(parser))
        except Exception as error:
            self._fail(place, f"the parser can't be pickled: {error!r}", f"up to there, then pickled ({_HINT})")
        return moved

    # ------------------------------------------------------------------ the checks

    def whole_stream(self, calls: Sequence[tuple[str, Any]] | None) -> None:
        """The stream ends as one may, with the calls that it holds, and what was reported of them is what they hold."""
        whole, end = self._whole, len(self._stream)
        if whole.error is not None and not isinstance(whole.error, (ProviderError, IncompleteError)):
            self._fail(whole.places[-1] if whole.places else 0, f"the stream can't be read: {whole.error!r}", _ONE)
        found = [(call.name, call.arguments) for call in whole.parser.calls]
        if calls is not None and found != list(calls):
            self._fail(end, f"the calls are {_show(found)}, not {_show(list(calls))}", _ONE)
        for reading, how in ((whole, _ONE), (self._prompt, f"one {self._unit} at a time")):
            self._check_values(reading, how)

    def _check_values(self, reading: _Reading, how: str) -> None:
        """Law 2: each value that was reported is the one that the arguments hold in the end."""
        grown: dict[tuple[ToolCall, Path], str] = {}
        for event, told, place in zip(reading.events, reading.told, reading.places, strict=True):
            if isinstance(event, FieldDelta):
                grown[event.call, event.path] = grown.get((event.call, event.path), "") + event.text
            if not isinstance(event, FieldComplete):
                continue
            about, final = f"{event.call.name}'s {event.path}", _value_at(event.call.arguments, event.path)
            if not _same(final, told["value"]):
                self._fail(place, f"{about} was reported as {_show(told['value'])}, and is {_show(final)} (law 2)", how)
            text = grown.get((event.call, event.path))
            if text is not None and text != final:
                self._fail(place, f"{about} grew to {_show(text)}, and is {_show(final)} (law 2)", how)

    def cuts_do_not_show(self, cuts: int, seed: int) -> None:
        """Laws 1 and 3: all readings give the same events, each as soon as its last byte has been fed."""
        chance = random.Random(seed)
        end = len(self._stream)
        self._compare(self._prompt, [*range(1, end)], f"one {self._unit} at a time")
        sizes = [size for size in _SIZES if size < end]
        ways = {f"{self._unit}s in pieces of {size}": [*range(size, end, size)] for size in sizes}
        for _ in range(3):
            places = self._some_places(cuts, chance)
            ways[f"cut at {places}"] = places
        for how, places in ways.items():
            self._compare(self._read(places), places, how)
        self._compare(self._read([]), [], f"in one piece, on the {'fast' if IS_FAST else 'slow'} lane")
        if self._pickling:
            places = self._some_places(min(cuts, 20), chance)
            self._compare(self._read(places, move=True), places, f"cut at {places}, and pickled at each place")

    def _some_places(self, cuts: int, chance: random.Random) -> list[int]:
        end = len(self._stream)
        return sorted(chance.sample(range(1, end), min(cuts, end - 1))) if end > 1 else []

    def _some_ends(self, most: int, chance: random.Random) -> list[int]:
        """Where events end, but for the last one: all of them, or as many."""
        ends = sorted({place for place, _ in self._located if place < len(self._stream)})
        return ends if len(ends) <= most else sorted(chance.sample(ends, most))

    def _compare(self, reading: _Reading, places: list[int], how: str) -> None:
        found = reading.joined()
        whole = [told for _, told in self._whole.joined()]
        for number, told in enumerate(whole):
            if number >= len(found):
                place = reading.places[-1] if reading.places else 0
                why = "" if reading.error is None else f", since the parser raised {reading.error!r}"
                self._fail(place, f"{_show(told)} is missing at the end (law 1){why}", how)
            if not _same(found[number][1], told):
                self._fail(found[number][0], f"found {_show(found[number][1])} instead of {_show(told)} (law 1)", how)
        if len(found) > len(whole):
            place, told = found[len(whole)]
            self._fail(place, f"{_show(told)} came, and nothing when the stream is fed in one piece (law 1)", how)
        for (earliest, _), (place, told) in zip(self._expected, found, strict=False):
            at = bisect_left(places, earliest)
            feed = places[at] if at < len(places) else max(earliest, len(self._stream))
            if place > feed:
                reason = f"{_show(told)} came at {self._unit} {place}, though what completes it ends at {earliest}"
                self._fail(place, f"{reason} (law 3)", how)
        outcome, known = self._outcome(reading, how), self._outcome(self._whole, _ONE)
        for name, value in known.items():
            if not _same(outcome[name], value):
                reason = f"{name} is {_show(outcome[name])} instead of {_show(value)} (law 1)"
                self._fail(len(self._stream), reason, how)

    def _outcome(self, reading: _Reading, how: str) -> Told:
        """What else can be read of the parser at the end."""
        parser, error = reading.parser, reading.error
        try:
            message = parser.message if parser._assembler.ended else parser.partial_message
        except Exception as mistake:
            self._fail(len(self._stream), f"message raises {mistake!r}", how)
        return {
            "the error": None if error is None else f"{type(error).__name__}: {error}",
            "calls": [(call.id, call.name, call.state, call.text, call.arguments) for call in parser.calls],
            "text": parser.text,
            "usage": parser.usage.to_dict(),
            "stop_reason": parser.stop_reason,
            "message": message,
        }

    def fields_are_prompt(self) -> None:
        """Law 3, by the stream itself: a field is reported with the event that holds the last of its text.

        Where that is can be told if the strings at one place of some events, joined, are the text of one call.
        """
        slots = _slots(self._located)
        started = {
            event.call.index: place
            for event, place in zip(self._prompt.events, self._prompt.places, strict=True)
            if isinstance(event, ToolCallStart)
        }
        texts = [call.text for call in self._prompt.parser.calls]
        for call in self._prompt.parser.calls:
            slot = slots.get(call.text, []) if call.text and texts.count(call.text) == 1 else []
            due = _latest(map(_due, slot))
            for event, place in zip(self._prompt.events, self._prompt.places, strict=True):
                if isinstance(event, FieldComplete) and event.call is call and event.path in due:
                    latest = max(due[event.path], started[call.index])
                    if place > latest:
                        reason = f"{call.name}'s {event.path} is whole in the event that ends at {latest}"
                        reason = f"{reason}, and came only at {self._unit} {place} (law 3)"
                        self._fail(place, reason, f"one {self._unit} at a time")

    def _located_events(self) -> list[tuple[int, Any]]:
        """The decoded events, each with where it ends. A text has none."""
        if self._is_text:
            return []
        if not self._is_bytes:
            return [(place, as_dict(event)) for place, event in enumerate(self._stream, 1)]
        framing = new_framing(self._framing, None)
        located: list[tuple[int, Any]] = []
        with suppress(ToolStreamError):
            for place in range(len(self._stream)):
                for found in framing.feed(self._stream[place : place + 1]):
                    event = frame_event(*found) if isinstance(found, tuple) else found
                    if event is not None:
                        located.append((place + 1, event))
                framing = getattr(framing, "decided", None) or framing
        return located

    def breaking_off(self, cuts: int, seed: int) -> None:
        """Law 7: the stream cut anywhere ends properly or with an error, and no call is more than it was."""
        final = {call.index: call for call in self._whole.parser.calls}
        chance = random.Random(seed)
        places = {*self._some_ends(4 * cuts, chance), *self._some_places(cuts, chance)}
        for place in sorted(places):
            cut = _Reading(self._parser())
            self._feed(cut, 0, place)
            if cut.error is not None:
                return
            if self._is_text:  # whose end nothing else tells from a cut
                cut.take(place, cut.parser.feed_event, _CUT)
            cut.take(place, cut.parser.close)
            how = f"with stream[:{place}], then closed"
            if cut.error is None and not any(isinstance(event, MessageEnd) for event in cut.events):
                self._fail(place, "a stream that was cut gives neither an error nor MessageEnd (law 7)", how)
            if cut.error is None and cut.parser.stop_reason is None:
                self._check_end(place, how, sum(isinstance(event, MessageEnd) for event in cut.events))
            if cut.error is not None and not isinstance(cut.error, (IncompleteError, ProviderError)):
                self._fail(place, f"a stream that was cut raises {cut.error!r}, and no IncompleteError (law 7)", how)
            self._check_cut_calls(cut, final, place, how)

    def _check_end(self, place: int, how: str, ends: int) -> None:
        """The message that was ended at this place, the stream's ends-th, without a reason, has no more to come."""
        messages = 0
        for at, told in self._expected:
            messages += told["type"] == "message_start"
            if at > place and messages == ends and told["type"] in _CONTENT:
                reason = f"the stream was cut, and the message ends as if it were whole; {_show(told)} was to come"
                self._fail(place, f"{reason} (law 7)", how)

    def _check_cut_calls(self, cut: _Reading, final: dict[int, ToolCall], place: int, how: str) -> None:
        ended = {event.call.index for event in cut.events if isinstance(event, ToolCallEnd)}
        for call in cut.parser.calls:
            known = final.get(call.index)
            if call.complete and (known is None or not _same(known.arguments, call.arguments)):
                shown = "there is none" if known is None else f"they are {_show(known.arguments)}"
                reason = f"{call.name} is complete with {_show(call.arguments)}; in the whole stream {shown}"
                self._fail(place, f"{reason} (law 7)", how)
            if not call.complete and call.state != "void":
                self._fail(place, f"{call!r} is neither complete nor void (law 7)", how)
            if call.complete and call.index not in ended:
                self._fail(place, f"{call!r} is complete without a ToolCallEnd (law 7)", how)

    def nothing_is_lost_before_a_fault(self, cuts: int, seed: int) -> None:
        """Law 7: events before a fault come with it, also where both are in one piece."""
        if not self._is_bytes or not self._stream.lstrip().startswith((b"data:", b"event:", b":")):
            return
        for place in self._some_ends(cuts, random.Random(seed)):
            reading = _Reading(self._parser())
            reading.take(place, reading.parser.feed, self._stream[:place] + _BROKEN)
            found = [told for _, told in reading.joined()]
            known = [told for at, told in self._expected if at <= place]
            if reading.error is not None and not _same(found[: len(known)], known):
                how = f"with stream[:{place}] + {_BROKEN!r}"
                self._fail(place, f"before the fault came {len(found)} events, not {len(known)} (law 7)", how)

    # ------------------------------------------------------------------ the verdict

    def _fail(self, place: int, reason: str, how: str) -> NoReturn:
        given = self._adapter
        name = (
            given
            if isinstance(given, str)
            else getattr(given, "__name__", None) or getattr(given, "name", "the adapter")
        )
        where = f"{self._unit} {place} of {len(self._stream)}"
        fed = f"StreamParser(provider={name}, depth=None, deltas=True, on_error='event'), fed {how}"
        raise AssertionError(f"{name}, at {where}: {reason}\n  to reproduce: {fed}")


def _plain(event: Event) -> Told:
    """The event as values that stay what they are, and that can be compared between parsers."""
    told: Told = {"type": event.type}
    for name in event.__slots__:
        value = getattr(event, name)
        if isinstance(value, ToolCall):
            value = value.index
        elif isinstance(value, ToolStreamError):
            value = f"{type(value).__name__}: {value}"
        told[name] = copy.deepcopy(value) if isinstance(value, (dict, list)) else value
    return told


def _same(one: Any, other: Any) -> bool:
    """Equal, and of the same types: 1, 1.0 and True are three values."""
    return bool(one == other) and repr(one) == repr(other)


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}… ({len(text):,} characters)"


def _value_at(value: Any, path: Path) -> Any:
    try:
        for step in path:
            value = value[step]
    except (LookupError, TypeError):
        return None
    return value


def _slots(events: list[tuple[int, Any]]) -> dict[str, list[list[tuple[int, str]]]]:
    """By what they are when joined, the strings of each place in the events, and where each of these ends.

    A place is a path alone, and a path with any one of the members around it, which may be what names the call.
    """
    slots: dict[Hashable, list[tuple[int, str]]] = {}
    for end, event in events:
        for path, text, identity in _strings(event, (), ()):
            for slot in {(path,), *((path, about) for about in identity)}:
                slots.setdefault(slot, []).append((end, text))
    texts: dict[str, list[list[tuple[int, str]]]] = {}
    for pieces in slots.values():
        texts.setdefault("".join(text for _, text in pieces), []).append(pieces)
    return texts


def _strings(value: Any, path: Path, identity: tuple[Any, ...]) -> Iterable[tuple[Path, str, tuple[Any, ...]]]:
    """The strings inside a value: path, text, and the short members that stand around it."""
    if isinstance(value, str):
        yield path, value, identity
    elif isinstance(value, dict):
        about = tuple(((*path, name), inner) for name, inner in value.items() if _is_short(inner))
        for name, inner in value.items():
            yield from _strings(inner, (*path, name), identity + about)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, (*path, index), identity)


def _is_short(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and len(value) <= _LONGEST_NAME)


def _latest(dues: Iterable[dict[Path, int]]) -> dict[Path, int]:
    """Where each field is due: several places may hold the same text."""
    latest: dict[Path, int] = {}
    for due in dues:
        latest.update({path: max(end, latest.get(path, 0)) for path, end in due.items()})
    return latest


def _due(pieces: list[tuple[int, str]]) -> dict[Path, int]:
    """Where the event ends that makes each field final, by the text alone."""
    parser, due = JSONParser(depth=None), {}
    for end, text in pieces:
        events: list[Any]
        try:
            events = parser.feed(text)
        except ToolStreamError as error:
            events = error.events
        due.update({event.path: end for event in events if isinstance(event, FieldComplete)})
        if parser.complete:
            break
    return due
