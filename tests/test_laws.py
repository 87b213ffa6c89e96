"""The laws of docs/architecture.md, as properties of random documents, however they are written, cut or damaged.

1 fragmentation does not show; 2 what is reported stays true; 3 prompt; 4 same values as json.loads; 5 linear;
6 strict; 7 nothing is lost; 8 bad input never crashes.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import random
from typing import Any

import ijson.backends.python as ijson  # type: ignore[import-untyped]
import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from json_documents import damage, documents, fragments, keys, laws, seeds, write
from json_oracle import Due, Path, at_path, by_depth, prefixes, read, same, strict_loads, visible
from json_runs import Outcome, describe, each_one, joined, run, two_way_cuts

from toolstream import FieldComplete, FieldDelta, IncompleteError, JSONError, JSONParser, Limits, loads

DEPTHS = [0, 1, 1, 2, 3, None]
options = st.fixed_dictionaries(
    {
        "depth": st.sampled_from(DEPTHS),
        "deltas": st.booleans(),
        "duplicate_keys": st.sampled_from(["error", "error", "last", "strict"]),
    }
)


def text_of(data: bytes, rng: random.Random) -> Any:
    """The same document as bytes or as str, where it can be."""
    if rng.random() < 0.5:
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def expected_events(data: bytes, depth: int | None, deltas: bool) -> list[tuple[Any, ...]]:
    """What a whole document must tell, by the second reading."""
    told: list[tuple[Any, ...]] = []
    for value in read(data, reported=by_depth(depth), duplicates="last").values:
        if by_depth(depth)(value.path):
            if deltas and value.is_string and value.value:
                told.append(("delta", value.path, value.value))
            told.append(("complete", value.path, value.value))
    return told


# ---------------------------------------------------------------- 1, 7, 8: however it is cut


@laws
@given(documents, seeds, options)
def test_any_two_ways_to_cut_a_document_give_the_same(document: Any, seed: int, chosen: dict[str, Any]) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    expected = run([data], **chosen)
    for _ in range(4):
        assert run(fragments(text_of(data, rng), rng), **chosen) == expected


@laws
@given(documents, seeds, options)
def test_any_two_ways_to_cut_a_damaged_document_give_the_same_fault_and_events(
    document: Any, seed: int, chosen: dict[str, Any]
) -> None:
    rng = random.Random(seed)
    data = damage(write(document, rng), rng)
    expected = run([data], **chosen)
    for _ in range(4):
        assert run(fragments(text_of(data, rng), rng), **chosen) == expected


@laws
@given(documents, seeds, st.integers(1, 6), st.integers(1, 80))
def test_limits_trip_at_the_same_byte_however_it_is_cut(
    document: Any, seed: int, max_depth: int, max_bytes: int
) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    limits = Limits(max_depth=max_depth, max_bytes=max_bytes)
    expected = run([data], limits=limits, depth=None, deltas=True, duplicate_keys="last")
    for _ in range(4):
        assert run(fragments(data, rng), limits=limits, depth=None, deltas=True, duplicate_keys="last") == expected
    fault = read(data, max_depth=max_depth, duplicates="last").fault
    if fault is not None and fault.offset < max_bytes:
        assert (expected.kind, expected.offset) == ("max_depth", fault.offset)
    elif len(data) > max_bytes:
        assert (expected.kind, expected.offset) == ("max_bytes", max_bytes)
    else:
        assert expected.fault is None


@laws
@given(documents, seeds, options)
def test_a_parser_that_moves_between_fragments_gives_the_same(document: Any, seed: int, chosen: dict[str, Any]) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    expected = run([data], **chosen)
    parser = JSONParser(**chosen)
    events: list[Any] = []
    fault = None
    try:
        for piece in fragments(data, rng):
            events += parser.feed(piece)
            if rng.random() < 0.5:
                parser = pickle.loads(pickle.dumps(parser))
            if rng.random() < 0.5:
                parser.snapshot()
        events += parser.close()
    except JSONError as error:
        events += error.events
        fault = describe(error)
    told = tuple((kind, path, repr(value)) for kind, path, value in joined(events))
    assert Outcome(told, repr(parser.value), parser.complete, parser.pending_path, fault) == expected


# ---------------------------------------------------------------- 2: what is reported stays true


@laws
@given(documents, seeds, st.sampled_from(DEPTHS), st.booleans())
def test_the_events_are_those_of_the_document(document: Any, seed: int, depth: int | None, deltas: bool) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(depth=depth, deltas=deltas, duplicate_keys="last")
    told = joined(event for piece in fragments(data, rng) for event in parser.feed(piece))
    assert same(told, expected_events(data, depth, deltas))


@laws
@given(documents, seeds, st.sampled_from(DEPTHS))
def test_every_reported_value_is_the_final_one(document: Any, seed: int, depth: int | None) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(depth=depth)
    reported: list[FieldComplete] = []
    for piece in fragments(data, rng):
        for event in parser.feed(piece):
            assert isinstance(event, FieldComplete)
            assert same(at_path(parser.value, event.path), event.value)
            reported.append(event)
    parser.close()
    final = strict_loads(data)
    for event in reported:
        assert same(event.value, at_path(final, event.path))
    assert len({event.path for event in reported}) == len(reported)


@laws
@given(documents, seeds)
def test_every_prefix_is_a_sound_part_of_the_final_value(document: Any, seed: int) -> None:
    data = write(document, random.Random(seed))
    final = strict_loads(data)
    for prefix in prefixes(data):
        partial = loads(prefix, partial=True)
        assert is_part(partial, final), (prefix, partial)
        strict = loads(prefix, partial=True, strings=False)
        assert is_part(strict, final, cut_strings=False), (prefix, strict)
    assert same(loads(data, partial=True), final) or isinstance(final, (int, float))


def is_part(part: Any, final: Any, cut_strings: bool = True) -> bool:
    """Whether a cut document may show part where the whole one has final: containers may lack their ends, the last
    string may be a beginning, and all else is the same. Nothing yet is None."""
    if part is None and not isinstance(final, (list, dict)):
        return True
    if type(part) is not type(final):
        return part is None
    if isinstance(part, str):
        return final == part or (cut_strings and final.startswith(part))
    if isinstance(part, list):
        *whole, last = part or [None]
        return same(whole, final[: len(whole)]) and (not part or is_part_member(last, final[len(whole)], cut_strings))
    if isinstance(part, dict):
        names = list(part)
        if names != list(final)[: len(names)]:
            return False
        *whole, last = names or [None]
        return same([part[n] for n in whole], [final[n] for n in whole]) and (
            not part or is_part_member(part[last], final[last], cut_strings)
        )
    return same(part, final)


def is_part_member(part: Any, final: Any, cut_strings: bool) -> bool:
    """As is_part, but a member that is shown is at least begun: None is null then."""
    return same(part, final) if part is None else is_part(part, final, cut_strings)


@laws
@given(documents, seeds)
def test_the_live_value_only_grows(document: Any, seed: int) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(depth=0)
    before = None
    for piece in fragments(data, rng):
        parser.feed(piece)
        now = parser.snapshot(strings=False)
        assert is_part(before, now, cut_strings=False), (before, now)
        before = now


# ---------------------------------------------------------------- 3: prompt


def reports_due(data: bytes, depth: int | None) -> list[Due]:
    return [value for value in read(data, duplicates="last").values if by_depth(depth)(value.path)]


@laws
@given(documents, seeds, st.sampled_from(DEPTHS))
def test_a_field_is_reported_by_the_feed_that_carries_its_last_byte(
    document: Any, seed: int, depth: int | None
) -> None:
    data = write(document, random.Random(seed))
    parser = JSONParser(depth=depth, duplicate_keys="last")
    came: list[tuple[Path, int]] = []
    for at, byte in enumerate(each_one(data)):
        came += [(event.path, at + 1) for event in parser.feed(byte)]  # type: ignore[union-attr]
    assert came == [(value.path, value.due) for value in reports_due(data, depth)]


@laws
@given(documents, seeds, st.sampled_from(DEPTHS))
def test_each_fragment_tells_all_that_it_completes(document: Any, seed: int, depth: int | None) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(depth=depth, duplicate_keys="last")
    due = reports_due(data, depth)
    fed = told = 0
    for piece in fragments(data, rng):
        told += len(parser.feed(piece))
        fed += len(piece)
        assert told == sum(value.due <= fed for value in due)


@laws
@given(st.text(max_size=30).map(lambda text: [text]) | st.lists(keys, min_size=1, max_size=3), seeds)
def test_deltas_hold_back_no_more_than_they_must(texts: list[str], seed: int) -> None:
    data = write(texts, random.Random(seed))
    strings = [value for value in read(data).values if value.is_string]
    parser = JSONParser(deltas=True)
    grown = dict.fromkeys(range(len(texts)), "")
    for at, byte in enumerate(each_one(data)):
        for event in parser.feed(byte):
            if isinstance(event, FieldDelta):
                assert event.text
                grown[event.path[0]] += event.text  # type: ignore[index]
        for string in strings:
            if string.start < at + 1 < string.end:
                shown = grown[string.path[0]]  # type: ignore[index]
                assert texts[string.path[0]].startswith(shown)  # type: ignore[index]
                assert shown.startswith(visible(data[string.start + 1 : at + 1]))
                assert parser.snapshot()[-1] == shown
    assert list(grown.values()) == texts


# ---------------------------------------------------------------- 4: same values


@laws
@given(documents, seeds)
def test_values_are_those_of_json(document: Any, seed: int) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    expected = strict_loads(data)
    assert same(loads(data), expected)
    parser = JSONParser(depth=rng.choice(DEPTHS))
    for piece in fragments(data, rng):
        parser.feed(piece)
        if rng.random() < 0.3:
            parser.value  # noqa: B018 - a look decides where the runs are cut
    parser.close()
    assert same(parser.value, expected)


def fits_orjson(value: Any) -> bool:
    """Whether orjson keeps the value: no integers beyond 64 bits, no lone surrogates."""
    if isinstance(value, dict):
        return all(fits_orjson(key) and fits_orjson(member) for key, member in value.items())
    if isinstance(value, list):
        return all(fits_orjson(element) for element in value)
    if isinstance(value, str):
        return not any("\ud800" <= c <= "\udfff" for c in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**64


@laws
@given(documents, seeds)
def test_values_are_those_of_orjson_where_it_keeps_them(document: Any, seed: int) -> None:
    assume(fits_orjson(document))
    data = write(document, random.Random(seed))
    assert loads(data) == orjson.loads(data)


@laws
@given(documents, seeds)
def test_the_order_of_events_is_that_of_ijson(document: Any, seed: int) -> None:
    assume(fits_orjson(document))
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(depth=None)
    events = [event for piece in fragments(data, rng) for event in parser.feed(piece)]
    told = [(event.path, event.value) for event in events]  # type: ignore[union-attr]
    expected = ijson_completions(data)
    assert [path for path, _ in told] == [path for path, _ in expected]
    for (_, value), (_, wanted) in zip(told, expected, strict=True):
        if not isinstance(value, (list, dict)):
            assert value == wanted or (isinstance(value, float) and math.isclose(value, wanted))


def ijson_completions(data: bytes) -> list[tuple[Path, Any]]:
    """Paths below the root in the order in which ijson says that their values end; scalars with their value."""
    told: list[tuple[Path, Any]] = []
    place: list[Any] = []

    def step() -> None:
        if place and isinstance(place[-1], int):
            place[-1] += 1

    for event, value in ijson.basic_parse(io.BytesIO(data), use_float=True):
        if event == "map_key":
            place[-1] = value
        elif event in ("start_map", "start_array"):
            step()
            place.append(None if event == "start_map" else -1)
        elif event in ("end_map", "end_array"):
            place.pop()
            if place:
                told.append((tuple(place), None))
        else:
            step()
            if place:
                told.append((tuple(place), value))
    return told


# ---------------------------------------------------------------- 5: linear


@laws
@given(documents, seeds, options)
def test_every_byte_is_looked_at_once(document: Any, seed: int, chosen: dict[str, Any]) -> None:
    rng = random.Random(seed)
    data = write(document, rng)
    parser = JSONParser(**{**chosen, "duplicate_keys": "last"})
    fed = 0
    for piece in fragments(data, rng):
        parser.feed(piece)
        fed += len(piece)
        parser.snapshot()
        assert parser._scanned == parser.offset == fed


@pytest.mark.parametrize(
    ("opening", "body", "closing"),
    [
        ('{"a":"', "x" * 20_000, '"}'),
        ('{"a":"', "\\n" * 10_000, '"}'),
        ('["', "\\ud83d\\ude00" * 2000, '"]'),
        ("[", "1," * 10_000, "1]"),
        ("[", "7" * 4000, "]"),
        ("", " " * 20_000, "1"),
        ("[", "[" * 500, "]" * 501),
        ('{"', "k" * 20_000, '":1}'),
        ("[", "[[],{}]," * 2000, "1]"),
        ('["', "é" * 10_000, '"]'),
        ("{", ",".join(f'"k{n}":{{"a":[{n}]}}' for n in range(1000)), "}"),
    ],
    ids=[
        "string",
        "escapes",
        "pairs",
        "numbers",
        "digits",
        "space",
        "depth",
        "key",
        "containers",
        "unicode",
        "members",
    ],
)
@pytest.mark.parametrize("size", [1, 16, 4096])
def test_long_documents_are_scanned_once_in_any_shape_and_pieces(
    opening: str, body: str, closing: str, size: int
) -> None:
    data = (opening + body + closing).encode()
    parser = JSONParser(depth=None, deltas=True)
    for at in range(0, len(data), size):
        parser.feed(data[at : at + size])
    parser.close()
    assert parser._scanned == parser.offset == len(data)
    assert parser.value == json.loads(data)


# ---------------------------------------------------------------- 6: strict


def accepted(data: bytes) -> tuple[bool, Any]:
    try:
        return True, strict_loads(data)
    except ValueError:
        return False, None


@laws
@given(documents, seeds)
def test_what_is_accepted_is_what_strict_json_accepts(document: Any, seed: int) -> None:
    rng = random.Random(seed)
    data = damage(write(document, rng), rng)
    good, expected = accepted(data)
    outcome = run(fragments(data, rng), depth=0)
    assert (outcome.fault is None) == good, (data, outcome.fault)
    if good:
        assert outcome.value == repr(expected)


@laws
@given(documents, seeds, st.sampled_from(DEPTHS), st.sampled_from(["error", "last", "strict"]))
def test_a_fault_is_at_the_first_byte_that_no_document_could_have_there(
    document: Any, seed: int, depth: int | None, duplicates: Any
) -> None:
    rng = random.Random(seed)
    data = damage(write(document, rng), rng)
    fault = read(data, reported=by_depth(depth), duplicates=duplicates).fault
    outcome = run(fragments(data, rng), depth=depth, duplicate_keys=duplicates)
    assert (outcome.kind, outcome.offset) == ((fault.kind, fault.offset) if fault else (None, None)), data


@laws
@given(documents, seeds)
def test_each_cut_of_a_damaged_document_finds_the_same_fault(document: Any, seed: int) -> None:
    rng = random.Random(seed)
    data = damage(write(document, rng), rng)
    expected = run([data], depth=None, deltas=True)
    for pieces in two_way_cuts(data, most=60):
        assert run(pieces, depth=None, deltas=True) == expected, pieces


@laws
@given(st.binary(max_size=40))
def test_any_bytes_at_all_are_a_value_or_an_error(data: bytes) -> None:
    good, expected = accepted(data)
    expected_outcome = run([data], depth=0)
    assert (expected_outcome.fault is None) == good
    if good:
        assert expected_outcome.value == repr(expected)
    assert run(each_one(data), depth=0) == expected_outcome


@laws
@given(st.text('{}[]",:\\u0d8e1-+.tfnrueals \n\x00é', max_size=25))
def test_any_soup_of_json_characters_is_a_value_or_an_error(text: str) -> None:
    data = text.encode()
    good, expected = accepted(data)
    fault = read(data, reported=by_depth(0)).fault
    outcome = run(each_one(text), depth=0)
    assert (outcome.fault is None) == good == (fault is None)
    if fault is not None:
        assert (outcome.kind, outcome.offset) == (fault.kind, fault.offset)
    else:
        assert outcome.value == repr(expected)


# ---------------------------------------------------------------- 7: nothing is lost


@laws
@given(documents, seeds, st.sampled_from(DEPTHS), st.booleans())
def test_all_that_was_complete_before_a_fault_has_been_told(
    document: Any, seed: int, depth: int | None, deltas: bool
) -> None:
    rng = random.Random(seed)
    data = damage(write(document, rng), rng)
    reading = read(data, reported=by_depth(depth))
    assume(reading.fault is not None)
    assert reading.fault is not None
    outcome = run(fragments(data, rng), depth=depth, deltas=deltas)
    told = {path: value for kind, path, value in outcome.events if kind == "complete"}
    for value in reading.values:
        if by_depth(depth)(value.path) and value.due <= reading.fault.offset:
            assert told[value.path] == repr(value.value)


@laws
@given(documents, seeds, st.data())
def test_a_document_cut_short_is_incomplete_with_what_it_said(document: Any, seed: int, data: st.DataObject) -> None:
    text = write(document, random.Random(seed))
    prefix = text[: data.draw(st.integers(0, len(text)))]
    parser = JSONParser(depth=None)
    parser.feed(prefix)
    if read(prefix).fault is None:
        parser.close()
        return
    pending = parser.pending_path
    with pytest.raises(IncompleteError) as raised:
        parser.close()
    assert raised.value.offset == len(prefix)
    assert raised.value.pending_path == pending
    assert same(raised.value.partial, loads(prefix, partial=True, strings=False))
    assert is_part(raised.value.partial, strict_loads(text), cut_strings=False)
