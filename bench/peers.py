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
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import toolstream

from .timing import Entry, clock
from .workloads import Workload

SUBJECT = "toolstream"
FLOOR = "floor: a call a fragment, one orjson.loads"
JITER = "jiter partial_mode, re-parsing"
PYDANTIC_CORE = "pydantic_core allow_partial, re-parsing"

Fragments = Sequence[Any]
Loop = Callable[[Fragments], Any]
Start = Callable[[bytes], Loop]

STRATA = 9
WARM_FRAGMENTS = 10
STRATUM_FRAGMENTS = 20
STRATUM_SECONDS = 0.004
VERIFY_WHOLE_ABOVE = 2000
SLOW_UP_TO = 30_000


class WrongResultError(Exception):
    """A contestant's result differs from that of `json.loads`: its time would mean nothing."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """start: see above. sampled: its cost per fragment grows with the document, so long ones are estimated.
    proof: makes the value that is checked, where the timed work makes none. text: takes `str` fragments.
    up_to: characters beyond which even an estimate would take minutes."""

    name: str
    start: Start
    sampled: bool = False
    proof: Start | None = None
    text: bool = False
    up_to: int | None = None

    def takes(self, workload: Workload) -> bool:
        return self.up_to is None or len(workload.text) <= self.up_to

    def entry(self, workload: Workload, size: int | None) -> Entry:
        """The work on fragments of `size` characters, or on the whole document at once."""
        fragments = self.fragments(workload, size)
        estimate = (lambda: estimated(self.start, fragments)) if self.sampled else None
        return Entry(self.name, lambda: self.start(b"")(fragments), estimate)

    def verify(self, workload: Workload, size: int | None) -> None:
        """Raises `WrongResultError` if the contestant's value isn't the document's, key order included."""
        fragments = self.fragments(workload, size)
        if self.sampled and len(fragments) > VERIFY_WHOLE_ABOVE:
            fragments = self.fragments(workload, None)
        value = (self.proof or self.start)(b"")(fragments)
        if value != workload.value or json.dumps(value) != json.dumps(workload.value):
            raise WrongResultError(f"{self.name} on {workload.key}: its value is not that of json.loads")

    def fragments(self, workload: Workload, size: int | None) -> Fragments:
        size = size or len(workload.text)
        return workload.fragments(size) if self.text else workload.byte_fragments(size)


def estimated(start: Callable[[Any], Loop], fragments: Fragments) -> float:
    """Seconds for all fragments, from the mean cost of some of them at evenly spaced places."""
    count, needed = len(fragments), STRATA * (WARM_FRAGMENTS + STRATUM_FRAGMENTS)
    if count <= needed:
        return _seconds(start(fragments[0][:0]), fragments)
    places = ((2 * stratum + 1) * (count - needed) // (2 * STRATA) for stratum in range(STRATA))
    return count * statistics.fmean(_cost_at(start, fragments, at, count // STRATA // 2) for at in places)


def _cost_at(start: Callable[[Any], Loop], fragments: Fragments, at: int, most: int) -> float:
    """Seconds for one fragment there. Cheap ones are timed in a longer row, `most` of them or less."""
    loop = start(fragments[0][:0].join(fragments[:at]))
    warm = _seconds(loop, fragments[at : at + WARM_FRAGMENTS]) / WARM_FRAGMENTS
    at += WARM_FRAGMENTS
    row = fragments[at : at + max(STRATUM_FRAGMENTS, min(most, int(STRATUM_SECONDS / max(warm, 1e-9))))]
    return _seconds(loop, row) / len(row)


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


# ---------------------------------------------------------------- json-stream


def _json_stream_fields(json_stream: Any) -> Start:
    """It pulls the fragments itself, so it can serve only a reader that has nothing else to do."""

    def loop(fragments: Fragments) -> Any:
        members = json_stream.load(iter(fragments)).items()
        return {key: json_stream.to_standard_types(value) for key, value in members}

    return lambda prefix: loop


def _json_stream_leaves(json_stream: Any) -> Start:
    def loop(fragments: Fragments) -> None:
        count = 0

        def visitor(item: Any, path: Any) -> None:
            nonlocal count
            count += 1

        json_stream.visit(iter(fragments), visitor)

    return lambda prefix: loop


# ---------------------------------------------------------------- re-parsing


def _again(parse: Callable[[Any], Any], empty: Callable[[Any], Any]) -> Start:
    """The whole text so far is parsed again at each fragment. empty: the text of a prefix in the parser's own type."""

    def start(prefix: bytes) -> Loop:
        text = empty(prefix)

        def loop(fragments: Fragments) -> Any:
            nonlocal text
            value = None
            for fragment in fragments:
                text += fragment
                value = parse(text)
            return value

        return loop

    return start


def _jiter_again(jiter: Any) -> Start:
    """What the SDKs' helpers do. jiter takes `bytes` only; its cache of strings is on by default, and faster so."""
    return _again(lambda text: jiter.from_json(text, partial_mode=True), bytes)


def _pydantic_core_again(pydantic_core: Any) -> Start:
    """What frameworks on pydantic do: jiter below, but it also takes a `bytearray`, which grows in place."""
    return _again(lambda text: pydantic_core.from_json(text, allow_partial=True), bytearray)


def _partial_json_parser_again(partial_json_parser: Any) -> Start:
    return _again(partial_json_parser.loads, lambda prefix: prefix if isinstance(prefix, str) else prefix.decode())


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
            nothing: list[Any] = []
            feed, count = nothing.copy, 0
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
    return (
        Group("fields", "top-level fields as they complete", tuple(_fields(missing))),
        Group("live", "the value so far, read after every fragment", tuple(_live(missing))),
        Group("leaves", "every value at every depth, with its path", tuple(_leaves(missing))),
        Group("whole", "one whole document at once", tuple(_one_shot(missing)), fragmented=False),
    )


def _ijson(missing: list[str]) -> Any:
    """ijson with its C backend, or None: its pure Python backend is no peer."""
    ijson = installed("ijson", missing)
    if ijson is None or installed("ijson.backends.yajl2_c", missing) is None:
        return None
    return ijson.get_backend("yajl2_c")


def _fields(missing: list[str]) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_fields())
    yield Contestant(f"{SUBJECT}, str fragments", _toolstream_fields(), text=True)
    if orjson := installed("orjson", missing):
        yield Contestant(FLOOR, _floor(orjson))
    if ijson := _ijson(missing):
        for name in ("basic_parse_coro", "parse_coro"):
            proof = _ijson_proof(ijson, name)
            yield Contestant(f"ijson yajl2_c {name}", _ijson_events(ijson, name), sampled=True, proof=proof)
        yield Contestant("ijson yajl2_c kvitems_coro", _ijson_items(ijson), sampled=True)
    if ijson := installed("ijson.backends.python", missing):  # slower but on long strings, where yajl begins anew
        name = "basic_parse_coro"
        yield Contestant(f"ijson python {name}", _ijson_events(ijson, name), proof=_ijson_proof(ijson, name))
    if json_stream := installed("json_stream", missing):
        yield Contestant("json-stream, pulling", _json_stream_fields(json_stream))
    yield from _reparsers(missing)


def _live(missing: list[str]) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_live)
    if ijson := _ijson(missing):
        yield Contestant("ijson yajl2_c + ObjectBuilder", _ijson_live(ijson), sampled=True)
    yield from _reparsers(missing)


def _reparsers(missing: list[str]) -> Iterator[Contestant]:
    if jiter := installed("jiter", missing):
        yield Contestant(JITER, _jiter_again(jiter), sampled=True)
    if pydantic_core := installed("pydantic_core", missing):
        yield Contestant(PYDANTIC_CORE, _pydantic_core_again(pydantic_core), sampled=True)
    if partial := installed("partial_json_parser", missing):
        again = _partial_json_parser_again(partial)
        yield Contestant("partial-json-parser, re-parsing", again, sampled=True, text=True, up_to=SLOW_UP_TO)


def _leaves(missing: list[str]) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_fields(depth=None))
    if ijson := _ijson(missing):
        events, proof = _ijson_events(ijson, "parse_coro"), _ijson_proof(ijson, "parse_coro")
        yield Contestant("ijson yajl2_c parse_coro", events, sampled=True, proof=proof)
    if json_stream := installed("json_stream", missing):
        visit, proof = _json_stream_leaves(json_stream), _json_stream_fields(json_stream)
        yield Contestant("json-stream visit, pulling", visit, proof=proof)


def _one_shot(missing: list[str]) -> Iterator[Contestant]:
    yield Contestant(SUBJECT, _toolstream_whole)
    yield Contestant("json.loads", _whole(json.loads))
    if orjson := installed("orjson", missing):
        yield Contestant("orjson.loads", _whole(orjson.loads))
    if jiter := installed("jiter", missing):
        yield Contestant("jiter.from_json", _whole(jiter.from_json))
    if msgspec := installed("msgspec", missing):
        yield Contestant("msgspec.json.decode", _whole(msgspec.json.Decoder().decode))
