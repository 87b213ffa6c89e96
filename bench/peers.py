"""Everybody who reads argument fragments: toolstream and the JSON libraries that agents use today.

A contestant is a function that opens a parser, primes it with a prefix (empty, but for sampling) and answers a loop;
the loop takes the fragments one by one, as they would arrive, consumes what comes out, and returns the final value,
or None if the contestant makes none. So the cost at any place of a long document can be sampled without running all
of it. Each contestant's result is compared with `json.loads` before it is timed. A library that isn't installed is
left out, with a line that says so.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import toolstream

from .timing import Entry, clock
from .workloads import Workload

SUBJECT = "toolstream"
FLOOR = "floor: a call a fragment, one orjson.loads"

Fragments = Sequence[Any]
Loop = Callable[[Fragments], Any]
Start = Callable[[bytes], Loop]

STRATA = 9
WARM_FRAGMENTS = 10
STRATUM_FRAGMENTS = 20
VERIFY_WHOLE_ABOVE = 2000


class WrongResultError(Exception):
    """A contestant's result differs from that of `json.loads`: its time would mean nothing."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """start: see above. sampled: its cost per fragment grows with the document, so long ones are estimated.
    proof: makes the value that is checked, where the timed work makes none. text: takes `str` fragments."""

    name: str
    start: Start
    sampled: bool = False
    proof: Start | None = None
    text: bool = False

    def entry(self, workload: Workload, size: int | None) -> Entry:
        """The work on fragments of `size` characters, or on the whole document at once."""
        fragments = self._fragments(workload, size)
        estimate = (lambda: estimated(self.start, fragments)) if self.sampled else None
        return Entry(self.name, lambda: self.start(b"")(fragments), estimate)

    def verify(self, workload: Workload, size: int | None) -> None:
        """Raises `WrongResultError` if the contestant's value isn't the document's, key order included."""
        fragments = self._fragments(workload, size)
        if self.sampled and len(fragments) > VERIFY_WHOLE_ABOVE:
            fragments = self._fragments(workload, None)
        value = (self.proof or self.start)(b"")(fragments)
        if value != workload.value or json.dumps(value) != json.dumps(workload.value):
            raise WrongResultError(f"{self.name} on {workload.key}: its value is not that of json.loads")

    def _fragments(self, workload: Workload, size: int | None) -> Fragments:
        size = size or len(workload.text)
        return workload.fragments(size) if self.text else workload.byte_fragments(size)


def estimated(start: Callable[[Any], Loop], fragments: Fragments) -> float:
    """Seconds for all fragments, from the mean cost of a few of them at evenly spaced places."""
    nothing = fragments[0][:0]
    count, needed = len(fragments), STRATA * (WARM_FRAGMENTS + STRATUM_FRAGMENTS)
    if count <= needed:
        return _seconds(start(nothing), fragments)
    spent = 0.0
    for stratum in range(STRATA):
        at = (2 * stratum + 1) * (count - needed) // (2 * STRATA)
        loop = start(nothing.join(fragments[:at]))
        loop(fragments[at : at + WARM_FRAGMENTS])
        at += WARM_FRAGMENTS
        spent += _seconds(loop, fragments[at : at + STRATUM_FRAGMENTS])
    return spent * count / (STRATA * STRATUM_FRAGMENTS)


def _seconds(loop: Loop, fragments: Fragments) -> float:
    start = clock()
    loop(fragments)
    return clock() - start


def installed(name: str, missing: list[str]) -> Any:
    """The module, or None with a line in `missing`."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing.append(f"{name}: left out ({error})")
        return None


# ---------------------------------------------------------------- toolstream


def _toolstream_fields(**options: Any) -> Start:
    def start(prefix: bytes) -> Loop:
        parser = toolstream.JSONParser(**options)
        parser.feed(prefix)

        def loop(fragments: Fragments) -> Any:
            feed, count = parser.feed, 0
            for fragment in fragments:
                events = feed(fragment)
                if events:
                    count += len(events)
            return parser.value

        return loop

    return start


def _toolstream_live(prefix: bytes) -> Loop:
    parser = toolstream.JSONParser()
    parser.feed(prefix)

    def loop(fragments: Fragments) -> Any:
        feed, value = parser.feed, None
        for fragment in fragments:
            feed(fragment)
            value = parser.value
        return value

    return loop


# ---------------------------------------------------------------- ijson


def _ijson_events(ijson: Any, coroutine: str) -> Start:
    """What its callbacks deliver is consumed after each fragment; the values are put together by nobody."""

    def start(prefix: bytes) -> Loop:
        events: list[Any] = ijson.utils.sendable_list()
        send = getattr(ijson, coroutine)(events, use_float=True).send
        if prefix:  # an empty fragment would end the document
            send(prefix)
            events.clear()

        def loop(fragments: Fragments) -> None:
            count = 0
            for fragment in fragments:
                send(fragment)
                if events:
                    count += len(events)
                    events.clear()

        return loop

    return start


def _ijson_items(ijson: Any) -> Start:
    """The top-level members, each once it is whole: what toolstream reports by default."""

    def start(prefix: bytes) -> Loop:
        pairs: list[Any] = ijson.utils.sendable_list()
        send = ijson.kvitems_coro(pairs, "", use_float=True).send
        if prefix:
            send(prefix)
            pairs.clear()

        def loop(fragments: Fragments) -> Any:
            value: dict[str, Any] = {}
            for fragment in fragments:
                send(fragment)
                if pairs:
                    value.update(pairs)
                    pairs.clear()
            return value

        return loop

    return start


def _ijson_live(ijson: Any) -> Start:
    def start(prefix: bytes) -> Loop:
        events: list[Any] = ijson.utils.sendable_list()
        builder = ijson.common.ObjectBuilder()
        send = ijson.basic_parse_coro(events, use_float=True).send
        if prefix:
            send(prefix)
            for event, item in events:
                builder.event(event, item)
            events.clear()

        def loop(fragments: Fragments) -> Any:
            take, value = builder.event, None
            for fragment in fragments:
                send(fragment)
                if events:
                    for event, item in events:
                        take(event, item)
                    events.clear()
                value = getattr(builder, "value", None)
            return value

        return loop

    return start


def _ijson_proof(ijson: Any, coroutine: str) -> Start:
    """The value that the events of `_ijson_events` stand for: not timed."""

    def start(prefix: bytes) -> Loop:
        events: list[Any] = ijson.utils.sendable_list()
        send = getattr(ijson, coroutine)(events, use_float=True).send

        def loop(fragments: Fragments) -> Any:
            builder = ijson.common.ObjectBuilder()
            for fragment in fragments:
                send(fragment)
            for event in events:
                builder.event(*event[-2:])
            return builder.value

        return loop

    return start


# ---------------------------------------------------------------- re-parsing


def _jiter_again(jiter: Any) -> Start:
    """The whole text so far is parsed again at each fragment: what the SDKs' helpers do."""

    def start(prefix: bytes) -> Loop:
        before = prefix

        def loop(fragments: Fragments) -> Any:
            nonlocal before
            text, value = before, None
            for fragment in fragments:
                text += fragment
                value = jiter.from_json(text, partial_mode=True)
            before = text
            return value

        return loop

    return start


# ---------------------------------------------------------------- whole documents


def _toolstream_whole(prefix: bytes) -> Loop:
    def loop(fragments: Fragments) -> Any:
        parser = toolstream.JSONParser()
        for fragment in fragments:
            parser.feed(fragment)
        return parser.value

    return loop


def _whole(loads: Callable[[bytes], Any]) -> Start:
    return lambda prefix: lambda fragments: loads(fragments[0])


def _floor(orjson: Any) -> Start:
    """No parser: the calls that any parser of fragments needs, and the value that all of them have to make."""

    def start(prefix: bytes) -> Loop:
        def loop(fragments: Fragments) -> Any:
            feed, count = [].copy, 0
            for _ in fragments:
                events = feed()
                if events:
                    count += len(events)
            return orjson.loads(prefix + b"".join(fragments))

        return loop

    return start


# ---------------------------------------------------------------- the groups


@dataclass(frozen=True, slots=True)
class Group:
    """Contestants that do the same job. fragmented: measured with fragments (else with the whole document)."""

    key: str
    title: str
    contestants: tuple[Contestant, ...]
    fragmented: bool = True


def json_groups(missing: list[str]) -> tuple[Group, ...]:
    """The JSON layer's jobs, each with toolstream first; `missing` gets a line for each absent library."""
    ijson = _ijson(missing)
    jiter = installed("jiter", missing)
    orjson = installed("orjson", missing)
    return (
        Group("fields", "top-level fields as they complete", tuple(_fields(ijson, jiter, orjson))),
        Group("live", "the value so far, read after every fragment", tuple(_live(ijson, jiter))),
        Group("leaves", "every value at every depth, with its path", tuple(_leaves(ijson))),
        Group("whole", "one whole document at once", tuple(_one_shot(orjson, jiter)), fragmented=False),
    )


def _ijson(missing: list[str]) -> Any:
    """ijson with its C backend, or None: its pure Python backend is no peer."""
    ijson = installed("ijson", missing)
    if ijson is None or installed("ijson.backends.yajl2_c", missing) is None:
        return None
    return ijson.get_backend("yajl2_c")


def _fields(ijson: Any, jiter: Any, orjson: Any) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_fields())
    yield Contestant(f"{SUBJECT}, str fragments", _toolstream_fields(), text=True)
    if orjson:
        yield Contestant(FLOOR, _floor(orjson))
    if ijson:
        for name in ("basic_parse_coro", "parse_coro"):
            proof = _ijson_proof(ijson, name)
            yield Contestant(f"ijson yajl2_c {name}", _ijson_events(ijson, name), sampled=True, proof=proof)
        yield Contestant("ijson yajl2_c kvitems_coro", _ijson_items(ijson), sampled=True)
    if jiter:
        yield Contestant("jiter partial_mode, re-parsing", _jiter_again(jiter), sampled=True)


def _live(ijson: Any, jiter: Any) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_live)
    if ijson:
        yield Contestant("ijson yajl2_c + ObjectBuilder", _ijson_live(ijson), sampled=True)
    if jiter:
        yield Contestant("jiter partial_mode, re-parsing", _jiter_again(jiter), sampled=True)


def _leaves(ijson: Any) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_fields(depth=None))
    if ijson:
        events, proof = _ijson_events(ijson, "parse_coro"), _ijson_proof(ijson, "parse_coro")
        yield Contestant("ijson yajl2_c parse_coro", events, sampled=True, proof=proof)


def _one_shot(orjson: Any, jiter: Any) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_whole)
    yield Contestant("json.loads", _whole(json.loads))
    if orjson:
        yield Contestant("orjson.loads", _whole(orjson.loads))
    if jiter:
        yield Contestant("jiter.from_json", _whole(jiter.from_json))
