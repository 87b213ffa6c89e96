"""`JSONParser` and `loads`: what a caller sees while a document comes in."""

from __future__ import annotations

import copy
import gc
import itertools
import json
import pickle
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from json_oracle import at_path, same
from json_runs import each_one, finish, joined, run, two_way_cuts

from toolstream import (
    DuplicateKeyError,
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    JSONParser,
    LimitError,
    Limits,
    ToolStreamError,
    loads,
)
from toolstream.json_parser import FieldParser
from toolstream.paths import Subscription

DOCUMENT = (
    '{"query":"tide \\u00e9 😀","limit":10,"tags":["a",{"b":[true,null]}],"note":{"deep":{"x":-1.5e3}},"end":false}'
)
WHOLE = json.loads(DOCUMENT)
counts_references = pytest.mark.skipif(sys.implementation.name != "cpython", reason="only CPython counts references")


def complete(*path_and_value: Any) -> FieldComplete:
    *path, value = path_and_value
    return FieldComplete(None, tuple(path), value)


def delta(*path_and_text: Any) -> FieldDelta:
    *path, text = path_and_text
    return FieldDelta(None, tuple(path), text)


def feed_and_close(parser: JSONParser, document: str) -> None:
    parser.feed(document)
    parser.close()


# ---------------------------------------------------------------- reports


def test_a_member_is_reported_by_the_feed_that_completes_it() -> None:
    parser = JSONParser()
    assert parser.feed('{"query": "tide ti') == []
    assert parser.feed('mes"') == [complete("query", "tide times")]
    assert parser.feed(', "limit": 10') == []
    assert parser.feed(" ") == [complete("limit", 10)]
    assert parser.feed(', "tags": ["a", "b"') == []
    assert parser.feed("]") == [complete("tags", ["a", "b"])]
    assert parser.feed(', "safe": tru') == []
    assert parser.feed("e") == [complete("safe", True)]
    assert parser.feed("}") == []
    assert parser.complete
    assert parser.close() == []
    assert parser.value == {"query": "tide times", "limit": 10, "tags": ["a", "b"], "safe": True}


def test_an_element_of_a_root_array_is_reported_with_its_index() -> None:
    assert JSONParser().feed('[1,"two",[3],{}]') == [
        complete(0, 1),
        complete(1, "two"),
        complete(2, [3]),
        complete(3, {}),
    ]


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, []),
        (1, [("a",), ("d",)]),
        (2, [("a", "b"), ("a",), ("d",)]),
        (3, [("a", "b", 0), ("a", "b", 1), ("a", "b"), ("a",), ("d",)]),
        (4, [("a", "b", 0), ("a", "b", 1, "c"), ("a", "b", 1), ("a", "b"), ("a",), ("d",)]),
        (10**30, [("a", "b", 0), ("a", "b", 1, "c"), ("a", "b", 1), ("a", "b"), ("a",), ("d",)]),
        (None, [("a", "b", 0), ("a", "b", 1, "c"), ("a", "b", 1), ("a", "b"), ("a",), ("d",)]),
    ],
)
def test_depth_says_how_far_below_the_root_values_are_reported_inner_ones_first(
    depth: int | None, expected: list[tuple[Any, ...]]
) -> None:
    document = '{"a":{"b":[1,{"c":2}]},"d":3}'
    for pieces in ([document], each_one(document)):
        parser = JSONParser(depth=depth)
        events = [event for piece in pieces for event in parser.feed(piece)]
        assert [event.path for event in events if isinstance(event, FieldComplete)] == expected
        for event in events:
            assert same(event.value, at_path(json.loads(document), event.path))  # type: ignore[union-attr]


@pytest.mark.parametrize("document", ['"text"', "12", "true", "null", "{}", "[]", ' "padded" '])
def test_the_root_itself_is_no_field(document: str) -> None:
    parser = JSONParser(depth=None, deltas=True)
    assert parser.feed(document) + parser.close() == []
    assert parser.complete
    assert parser.value == json.loads(document)


def test_deltas_join_to_the_value_and_come_before_it() -> None:
    parser = JSONParser(deltas=True)
    assert parser.feed('{"path":"a.py","content":"de') == [
        delta("path", "a.py"),
        complete("path", "a.py"),
        delta("content", "de"),
    ]
    assert parser.feed("f f():\\n") == [delta("content", "f f():\n")]
    assert parser.feed("\\") == []
    assert parser.feed("tpass") == [delta("content", "\tpass")]
    assert parser.feed('","empty":""') == [complete("content", "def f():\n\tpass"), complete("empty", "")]
    assert parser.feed(',"n":1,"list":["x') == [complete("n", 1)]
    assert parser.feed('"]}') == [complete("list", ["x"])]


def test_a_delta_never_ends_in_half_a_character() -> None:
    pieces = [
        b'["\xf0',
        b"\x9f\x98",
        b"\x80",
        b"\\ud8",
        b"3d",
        b"\\",
        b"ude0",
        b"0",
        b"\\ud83d",
        b"x",
        b"\xc3",
        b'\xa9"',
        b"]",
    ]
    parser = JSONParser(deltas=True)
    told = [parser.feed(piece) for piece in pieces]
    texts = [[event.text for event in events if isinstance(event, FieldDelta)] for events in told]
    assert texts == [[], [], ["😀"], [], [], [], [], ["😀"], [], ["\ud83dx"], [], ["é"], []]
    assert told[-2][-1] == complete(0, "😀😀\ud83dxé")


def test_events_name_no_call_and_are_plain_data() -> None:
    parser = JSONParser(deltas=True)
    events = parser.feed('{"a":"x"}')
    assert [event.call for event in events] == [None, None]  # type: ignore[union-attr]
    assert [event.to_dict() for event in events] == [
        {"type": "field_delta", "call": None, "path": ["a"], "text": "x"},
        {"type": "field_complete", "call": None, "path": ["a"], "value": "x"},
    ]


def test_feeding_nothing_reports_nothing() -> None:
    parser = JSONParser()
    for nothing in ("", b"", bytearray(), memoryview(b"")):
        assert parser.feed(nothing) == []
    assert parser.offset == 0
    assert not parser.complete
    assert parser.value is None


# ---------------------------------------------------------------- the live value


@pytest.mark.parametrize(
    ("fed", "value"),
    [
        ("", None),
        (" ", None),
        ("{", {}),
        ("[", []),
        ('"ab', None),
        ("12", None),
        ("tru", None),
        ('{"a', {}),
        ('{"a"', {}),
        ('{"a":', {}),
        ('{"a":1', {}),
        ('{"a":1,', {"a": 1}),
        ('{"a":"x', {}),
        ('{"a":"x"', {"a": "x"}),
        ('{"a":tru', {}),
        ('{"a":true', {"a": True}),
        ('{"a":{', {"a": {}}),
        ('{"a":[', {"a": []}),
        ('{"a":[1', {"a": []}),
        ('{"a":[1,', {"a": [1]}),
        ('{"a":[1,{"b":[2,3', {"a": [1, {"b": [2]}]}),
        ('{"a":[1,{"b":[2,3]', {"a": [1, {"b": [2, 3]}]}),
        ('{"a":[1,{"b":[2,3]}],"c":nul', {"a": [1, {"b": [2, 3]}]}),
        ("[[],[[", [[], [[]]]),
        ("[1]", [1]),
    ],
)
def test_the_value_is_all_that_is_final_open_containers_included(fed: str, value: Any) -> None:
    for pieces in ([fed], each_one(fed), *two_way_cuts(fed)):
        parser = JSONParser()
        for piece in pieces:
            parser.feed(piece)
        assert same(parser.value, value)
        looked_at = JSONParser(depth=None)
        for piece in pieces:
            looked_at.feed(piece)
            looked_at.value  # noqa: B018 - looking must not change what comes
        assert same(looked_at.value, value)


def test_the_value_is_the_same_object_as_it_grows() -> None:
    parser = JSONParser(depth=0)
    parser.feed('{"a":[1,')
    root, inner = parser.value, parser.value["a"]
    parser.feed('2,3],"b":{"c":')
    assert parser.value is root
    assert root == {"a": [1, 2, 3], "b": {}}
    assert root["a"] is inner
    parser.feed("null}}")
    assert parser.value is root
    assert root == {"a": [1, 2, 3], "b": {"c": None}}


@pytest.mark.parametrize(
    ("fed", "with_strings", "without"),
    [
        ("", None, None),
        ('"ab', "ab", None),
        ('"', "", None),
        ('{"a":"x', {"a": "x"}, {}),
        ('{"a":"', {"a": ""}, {}),
        ('["x","y', ["x", "y"], ["x"]),
        ('{"a":{"b":["x\\', {"a": {"b": ["x"]}}, {"a": {"b": []}}),
        ('["\\ud83d', [""], []),
        ('["\\ud83d\\ude00', ["😀"], []),
        ('["a\\ud83dx', ["a\ud83dx"], []),
        ('{"a":1,"b', {"a": 1}, {"a": 1}),
        ('{"a":12', {}, {}),
        ("[tru", [], []),
        ('{"a":"x"', {"a": "x"}, {"a": "x"}),
        ("12", None, None),
        ('{"\\u0061":"x', {"a": "x"}, {}),
        ('{"a":"done","b":["', {"a": "done", "b": [""]}, {"a": "done", "b": []}),
    ],
)
def test_a_snapshot_is_detached_and_may_hold_the_string_in_progress(fed: str, with_strings: Any, without: Any) -> None:
    for pieces in ([fed], each_one(fed)):
        parser = JSONParser()
        for piece in pieces:
            parser.feed(piece)
            parser.snapshot()
        assert same(parser.snapshot(), with_strings)
        assert same(parser.snapshot(strings=True), with_strings)
        assert same(parser.snapshot(strings=False), without)
        assert same(parser.value, without)
    assert same(loads(fed, partial=True), with_strings)
    assert same(loads(fed, partial=True, strings=False), without)


def test_changing_a_snapshot_changes_nothing_else() -> None:
    parser = JSONParser()
    parser.feed('{"a":[1,{"b":2}],"c":"gro')
    snapshot = parser.snapshot()
    snapshot["a"][1]["b"] = 0
    snapshot["a"].append(3)
    snapshot["d"] = 4
    assert parser.value == {"a": [1, {"b": 2}]}
    parser.feed('wn"}')
    assert parser.value == {"a": [1, {"b": 2}], "c": "grown"}
    assert snapshot == {"a": [1, {"b": 0}, 3], "c": "gro", "d": 4}


def test_is_complete_tells_final_values_from_growing_ones() -> None:
    parser = JSONParser(depth=0)
    parser.feed('{"a":[1,{"b":2,"c":"x')
    assert parser.is_complete("a", 0)
    assert parser.is_complete("a", 1, "b")
    assert not parser.is_complete("a", 1, "c")
    assert not parser.is_complete("a", 1)
    assert not parser.is_complete("a")
    assert not parser.is_complete("z")
    assert not parser.is_complete("a", 7)
    assert not parser.is_complete("a", "0")
    assert not parser.is_complete("a", 0, "deeper")
    assert not parser.is_complete()
    parser.feed('"}')
    assert parser.is_complete("a", 1)
    assert not parser.is_complete("a")
    parser.feed("]}")
    assert parser.is_complete("a")
    assert parser.is_complete()


# ---------------------------------------------------------------- where the stream stands


@pytest.mark.parametrize(
    ("fed", "path"),
    [
        ("", ()),
        (" ", ()),
        ('"x', ()),
        ("12", ()),
        ("tru", ()),
        ("{", ()),
        ("[", ()),
        ("[1", (0,)),
        ("[1,", (1,)),
        ("[1 ", ()),
        ("[1, ", (1,)),
        ('{"a":', ("a",)),
        ('{"a":1', ("a",)),
        ('{"a":1,', ()),
        ('{"a":1,"b', ()),
        ('{"a":[', ("a",)),
        ('{"a":[tru', ("a", 0)),
        ('{"a":[true', ("a",)),
        ('{"a":[true,', ("a", 1)),
        ('{"a":{"b":"x', ("a", "b")),
        ('{"a":{"b":"x"', ("a",)),
        ('{"a":{"b":"x"}', ()),
        ("[[[", (0, 0)),
        ("[[[],[", (0, 1)),
        ('{"\\u0061\\n":[0,{"é":-', ("a\n", 1, "é")),
        ("{}", None),
        ("[1]", None),
        ('"x"', None),
        ("12 ", None),
        ("null", None),
        ("{} ", None),
    ],
)
def test_the_pending_path_is_the_value_in_progress_or_awaited(fed: str, path: tuple[Any, ...] | None) -> None:
    for pieces in ([fed], each_one(fed), *two_way_cuts(fed)):
        for depth in (0, None):
            parser = JSONParser(depth=depth)
            for piece in pieces:
                parser.feed(piece)
                parser.pending_path  # noqa: B018 - asking must not change what comes
            assert parser.pending_path == path
            parser.value  # noqa: B018
            assert parser.pending_path == path


def test_the_offset_counts_bytes() -> None:
    parser = JSONParser()
    parser.feed("[1,")
    assert parser.offset == 3
    parser.feed('"é😀"')
    assert parser.offset == 11
    parser.feed(b"]  ")
    assert parser.offset == 14


def test_a_number_at_the_root_is_complete_at_close_or_at_the_byte_behind_it() -> None:
    parser = JSONParser()
    parser.feed("12")
    assert not parser.complete
    assert parser.value is None
    assert parser.pending_path == ()
    assert parser.close() == []
    assert parser.complete
    assert parser.value == 12
    assert parser.pending_path is None
    spaced = JSONParser()
    spaced.feed("12 ")
    assert spaced.complete
    assert spaced.value == 12


def test_complete_comes_with_the_last_byte() -> None:
    parser = JSONParser()
    for piece in each_one(DOCUMENT):
        assert not parser.complete
        parser.feed(piece)
    assert parser.complete
    assert parser.value == WHOLE


# ---------------------------------------------------------------- kinds of input


@pytest.mark.parametrize(
    "as_input",
    [
        str,
        str.encode,
        lambda text: bytearray(text.encode()),
        lambda text: memoryview(text.encode()),
        lambda text: memoryview(bytearray(text.encode())),
    ],
    ids=["str", "bytes", "bytearray", "memoryview", "writable memoryview"],
)
def test_every_kind_of_input_gives_the_same(as_input: Callable[[str], Any]) -> None:
    expected = JSONParser(deltas=True, depth=None).feed(DOCUMENT)
    parser = JSONParser(deltas=True, depth=None)
    assert parser.feed(as_input(DOCUMENT)) == expected
    piecewise = JSONParser(deltas=True, depth=None)
    events = [event for piece in each_one(DOCUMENT) for event in piecewise.feed(as_input(piece))]
    assert joined(events) == joined(expected)
    assert loads(as_input(DOCUMENT)) == WHOLE


def test_kinds_of_input_may_be_mixed() -> None:
    parser = JSONParser()
    for piece in (b'{"a":', '"é', b"\xc3", bytearray(b"\xa9"), memoryview(b'"'), "}"):
        parser.feed(piece)
    assert parser.value == {"a": "éé"}


def test_memoryviews_of_any_shape_are_read_in_order() -> None:
    text = b'{"a":[1,2,3]}'
    doubled = bytes(byte for byte in text for _ in range(2))
    for view in (
        memoryview(doubled)[::2],
        memoryview(text[::-1])[::-1],
        memoryview(text).cast("c"),
        memoryview(text).cast("b"),
    ):
        parser = JSONParser()
        parser.feed(view)
        assert parser.value == {"a": [1, 2, 3]}


def test_input_is_copied_and_never_kept() -> None:
    buffer = bytearray(b'{"a":"xyz')
    parser = JSONParser(deltas=True)
    parser.feed(buffer)
    buffer[:] = b"?" * 100  # would raise BufferError if the parser still held it
    parser.feed(b'"}')
    assert parser.value == {"a": "xyz"}


@pytest.mark.parametrize("data", [None, 1, 1.5, ["{}"], {"a": 1}, object(), ("{", "}")])
def test_other_input_is_a_type_error_and_changes_nothing(data: Any) -> None:
    parser = JSONParser()
    parser.feed('{"a":1')
    with pytest.raises(TypeError):
        parser.feed(data)
    assert parser.feed("}") == [complete("a", 1)]
    assert parser.close() == []
    with pytest.raises(TypeError):
        loads(data)


@pytest.mark.parametrize("text", ['"\ud83d"', '["\ude00"]', '{"\ud83d":1}', '["a\ud83d\ude00"]', "\ud83d"])
def test_a_lone_surrogate_in_a_str_is_no_unicode_text(text: str) -> None:
    expected = run([text])
    assert expected.kind in ("utf8", "syntax")
    assert run(each_one(text)) == expected


def test_a_keyword_that_is_unknown_or_unreadable_is_an_error_at_once() -> None:
    with pytest.raises(ValueError, match="duplicate_keys"):
        JSONParser(duplicate_keys="first")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"toolstream\.Limits"):
        JSONParser(limits={"max_depth": 3})  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        JSONParser(1)  # type: ignore[call-arg]


# ---------------------------------------------------------------- repeated keys


def test_a_repeated_key_is_an_error_at_its_closing_quote_where_the_first_was_reported() -> None:
    parser = JSONParser()
    assert parser.feed('{"a":1,"b":2,') == [complete("a", 1), complete("b", 2)]
    assert parser.feed('"a') == []
    with pytest.raises(DuplicateKeyError) as raised:
        parser.feed('"')
    assert raised.value.offset == 15
    assert raised.value.path == ("a",)
    assert raised.value.events == []
    assert parser.value == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("document", "options", "offset"),
    [
        ('{"a":1,"a":2}', {}, 9),
        ('{"a":1,"\\u0061":2}', {}, 14),
        ('{"a":{"x":1},"a":{"y":2}}', {}, 15),
        ('{"a":{"x":1,"x":2}}', {}, None),
        ('{"a":{"x":1,"x":2}}', {"depth": 2}, 14),
        ('{"a":{"x":1,"x":2}}', {"depth": None}, 14),
        ('{"a":{"x":1,"x":2}}', {"duplicate_keys": "strict"}, 14),
        ('{"a":[{"x":1},{"x":1}]}', {"duplicate_keys": "strict", "depth": None}, None),
        ('{"a":{"x":1,"x":2},"a":3}', {"duplicate_keys": "last", "depth": None}, None),
        ('{"a":1,"a":2}', {"depth": 0}, None),
        ('{"a":1,"a":2}', {"depth": 0, "duplicate_keys": "strict"}, 9),
        ('{"a":1,"b":2,"b":3}', {"paths": ["a"]}, None),
        ('{"a":1,"b":2,"a":3}', {"paths": ["a"]}, 15),
        ('{"a":{"b":1},"a":2}', {"paths": ["a.b"]}, 15),
        ('{"a":{"c":1},"a":{"b":2}}', {"paths": ["a.b"]}, None),
        ('[{"a":1,"a":2}]', {}, None),
        ('[{"a":1,"a":2}]', {"depth": 2}, 10),
        ('{"a":"x","a":"y"}', {"deltas": True}, 11),
        ('{"a":{"b":"x"},"a":1}', {"paths": [], "deltas": ["a.b"]}, 17),
    ],
)
def test_what_a_repeated_key_does_depends_on_what_was_reported(document: str, options: Any, offset: int | None) -> None:
    expected = run([document], **options)
    assert (expected.kind, expected.offset) == (("duplicate", offset) if offset is not None else (None, None))
    for pieces in (each_one(document), *two_way_cuts(document)):
        assert run(pieces, **options) == expected
    if offset is None:
        assert expected.value == repr(json.loads(document))


@pytest.mark.parametrize("count", [1, 7, 8, 9, 10, 40])
def test_a_repeated_key_is_found_among_few_keys_and_many_at_any_depth(count: int) -> None:
    names = [f"key {n}" for n in range(count)]
    inner = ",".join(f'"{name}":{{"{name}":1}}' for name in names)
    for again in (names[0], names[-1]):
        document = f'{{"o":{{{inner},"p":{{{inner}}},"{again}":2}},"q":3}}'
        offset = document.rindex(f'"{again}":2') + len(again) + 1
        expected = run([document], depth=None)
        assert (expected.kind, expected.offset) == ("duplicate", offset)
        assert run(each_one(document), depth=None) == expected
        parser = JSONParser(depth=None)
        for piece in each_one(document[:offset]):
            parser.feed(piece)
            parser = pickle.loads(pickle.dumps(parser))
        with pytest.raises(DuplicateKeyError) as raised:
            parser.feed('"')
        assert raised.value.offset == offset


def test_a_repeated_key_is_found_whatever_keys_the_objects_before_had() -> None:
    rows = [keys for size in range(4) for keys in itertools.product("ab", repeat=size)]

    def written(keys: tuple[str, ...], values: dict[int, str]) -> str:
        return "{" + ",".join(f'"{key}":{values.get(at, 0)}' for at, key in enumerate(keys)) + "}"

    def repeats(keys: tuple[str, ...]) -> bool:
        return len(set(keys)) != len(keys)

    for one, other, inner in itertools.product(rows, repeat=3):
        document = f"[{written(one, {})},{written(other, {0: written(inner, {}), 1: written(inner, {})})},{{}}]"
        wrong = repeats(one) or repeats(other) or (other != () and repeats(inner))
        for options in ({"depth": None}, {"depth": 1, "duplicate_keys": "strict"}):
            parser = JSONParser(**options)
            try:
                parser.feed(document[:-1])
                found = False
            except DuplicateKeyError:
                found = True
            assert found is wrong, document


def test_a_path_that_outlives_its_event_stays_as_it_was() -> None:
    document = json.dumps([{"key": [number, {"x": None}]} for number in range(20)])
    parser = JSONParser(depth=None)
    paths = []
    for character in document:
        paths += [event.path for event in parser.feed(character)]
    assert paths == [event.path for event in JSONParser(depth=None).feed(document)]
    assert paths[:5] == [(0, "key", 0), (0, "key", 1, "x"), (0, "key", 1), (0, "key"), (0,)]
    assert len({hash(path) for path in paths}) == len(paths)


def test_with_last_each_value_is_reported_and_the_last_one_stays() -> None:
    for pieces in (['{"a":1,"b":0,"a":[2],"a":"x"}'], each_one('{"a":1,"b":0,"a":[2],"a":"x"}')):
        parser = JSONParser(duplicate_keys="last")
        events = [event for piece in pieces for event in parser.feed(piece)]
        assert events == [complete("a", 1), complete("b", 0), complete("a", [2]), complete("a", "x")]
        assert same(parser.value, {"a": "x", "b": 0})


def test_an_escaped_and_a_plain_spelling_are_one_key_and_different_surrogates_are_not() -> None:
    assert run(['{"\\ud83d\\ude00":1,"😀":2}']).kind == "duplicate"
    assert run(['{"\\/":1,"/":2}']).kind == "duplicate"
    assert run(['{"\\ud83d":1,"\\ude00":2,"\\ud83d\\ude00":3,"\\ud83e":4}']).kind is None


WHOLE_DOCUMENTS = [
    '{"PAD":1,"b":[1,{"c":"}{\\\\\\""}],"d":{}}',
    ' \n{"PAD":"é😀",\n"b":{"c":1,"c":2}\n} \n',
    '{"PAD":1,"b":2,"b":3}',
    '{"PAD":1,"b":2}}',
    '{"PAD":1,"b":2} x',
    '{"PAD":1,"b":2,}',
    '{"PAD":1,"b":"\\q"}',
    '{"PAD":1,"b":"\n"}',
    '{"PAD":1,"b":"\\ud83d"}',
    '{"PAD":1,"b":[18446744073709551616,1e400,-0]}',
    '{"PAD":1,"b":[[[[[1]]]]]}',
    '{"PAD":1,"b":"',
    '{"PAD":1]',
    "{         PAD        }",
]


@pytest.mark.parametrize("document", WHOLE_DOCUMENTS)
@pytest.mark.parametrize("options", [{}, {"depth": 0}, {"duplicate_keys": "last"}, {"limits": Limits(max_depth=4)}])
def test_a_document_that_comes_whole_is_read_as_one_in_pieces(document: str, options: Any) -> None:
    for size in (1, 40, 63, 64, 65, 130):
        padded = document.replace("PAD", " " * size)
        expected = run(each_one(padded), **options)
        assert run([padded], **options) == expected
        assert run([padded + " ", "\n", " "], **options) == run(each_one(padded + " \n "), **options)
        behind = run([padded + "\n", "]"], **options)
        assert behind == run(each_one(padded + "\n]"), **options)


def test_a_document_that_came_whole_moves() -> None:
    parser = JSONParser()
    parser.feed(json.dumps({"a": "x" * 100, "b": [1]}))
    moved = pickle.loads(pickle.dumps(parser))
    assert moved.value == parser.value == {"a": "x" * 100, "b": [1]}
    assert moved.feed(" ") == parser.feed(" ") == []
    for one in (moved, parser):
        with pytest.raises(JSONError):
            one.feed("1")


# ---------------------------------------------------------------- faults


def test_an_error_says_what_was_found_where_and_what_was_expected() -> None:
    parser = JSONParser()
    with pytest.raises(JSONError) as raised:
        parser.feed('{\n  "a": [1,\n    x]}')
    error = raised.value
    assert (error.offset, error.line, error.column) == (17, 3, 5)
    assert error.path == ("a", 1)
    assert error.call is None
    assert "'x'" in error.reason
    assert "value" in error.reason
    for part in ("byte 17", "line 3", "column 5", "a[1]", error.reason):
        assert part in str(error)
    assert isinstance(error, ToolStreamError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ('{"a":[1,x', ("a", 1)),
        ('{"a":x', ("a",)),
        ('{"a":1 x', ()),
        ("{x", ()),
        ('{"a" x', ("a",)),
        ("[x", ()),
        ("[1,]", (1,)),
        ('{"a":{"b":"\n', ("a", "b")),
        ('{"a":{"b":1]', ("a",)),
        ("x", ()),
        ("{}x", ()),
        ('{"a":[{"b":tru3', ("a", 0, "b")),
        ('{"a":[1 2', ("a",)),
        ('{"k\n', ()),
    ],
)
def test_an_error_names_the_value_in_which_it_stands(document: str, path: tuple[Any, ...]) -> None:
    expected = run([document])
    assert expected.fault is not None
    for pieces in (each_one(document), *two_way_cuts(document)):
        assert run(pieces) == expected
    with pytest.raises(JSONError) as raised:
        JSONParser().feed(document)
    assert raised.value.path == path


def test_a_message_quotes_at_most_a_short_excerpt() -> None:
    with pytest.raises(JSONError) as raised:
        loads('{"secret":"' + "s3cret" * 1000 + '" x')
    assert len(str(raised.value)) < 250
    with pytest.raises(JSONError) as raised:
        loads('{"' + "k" * 10_000 + '":x')
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize("size", [1, 7, 40, 500])
def test_a_message_quotes_what_is_before_a_number_of_too_many_digits_however_it_is_cut(size: int) -> None:
    document = json.dumps({"a": "x" * 100})[:-1] + ',"b":' + "1" * (sys.get_int_max_str_digits() + 1) + "}"
    with pytest.raises(LimitError) as whole:
        JSONParser().feed(document)
    parser = JSONParser()
    with pytest.raises(LimitError) as cut:
        list(map(parser.feed, (document[at : at + size] for at in range(0, len(document), size))))
    assert str(cut.value) == str(whole.value)


def test_events_before_a_fault_are_in_the_error() -> None:
    parser = JSONParser(deltas=True)
    with pytest.raises(JSONError) as raised:
        parser.feed('{"a":1,"b":"xy","c":"ab\\q')
    assert raised.value.events == [complete("a", 1), delta("b", "xy"), complete("b", "xy"), delta("c", "ab")]
    assert parser.value == {"a": 1, "b": "xy"}
    assert parser.snapshot()["a"] == 1
    assert not parser.complete


@pytest.mark.parametrize(
    "document",
    [
        '{"a":1,"b":tru}',
        '{"a":1}x',
        '{"a":1,"a":2}',
        '["' + "\\ud83d" * 3 + '\\x"]',
        '{"a":[1,2,{"b":"\x00"}]}',
        "[1,2",
        "{",
    ],
)
def test_a_parser_that_has_raised_stays_dead(document: str) -> None:
    parser = JSONParser(deltas=True)
    with pytest.raises(JSONError) as first:
        feed_and_close(parser, document)
    told, value, offset = str(first.value), repr(parser.value), parser.offset
    for again in (lambda: parser.feed("}"), lambda: parser.feed(""), parser.close, lambda: parser.feed(b"1")):
        with pytest.raises(JSONError) as raised:
            again()
        assert raised.value is first.value
        assert raised.value.events == []
        assert str(raised.value) == told
    assert (repr(parser.value), parser.offset) == (value, offset)
    assert not parser.complete or document.endswith("x")


def test_a_document_that_ends_too_early_says_what_there_was() -> None:
    parser = JSONParser()
    parser.feed('{"a":[1,{"b":2,"c":"gro')
    with pytest.raises(IncompleteError) as raised:
        parser.close()
    error = raised.value
    assert error.partial == {"a": [1, {"b": 2}]}
    assert error.pending_path == ("a", 1, "c")
    assert error.offset == 23
    assert "ended" in error.reason
    error.partial["a"].append("changed")
    assert parser.value == {"a": [1, {"b": 2}]}


def test_closing_is_the_end() -> None:
    parser = JSONParser()
    parser.feed("[1]")
    assert parser.close() == []
    assert parser.close() == []
    assert parser.value == [1]
    with pytest.raises(ToolStreamError):
        parser.feed("[2]")
    assert parser.value == [1]


@pytest.mark.parametrize("bound", range(1, 30))
def test_max_bytes_trips_at_the_same_byte_however_the_input_is_cut(bound: int) -> None:
    document = '{"a":"xyz","b":[1,2,3]}   '
    limits = Limits(max_bytes=bound)
    expected = run([document], limits=limits, deltas=True)
    if bound >= len(document):
        assert expected.fault is None
    else:
        assert (expected.kind, expected.offset) == ("max_bytes", bound)
    for pieces in (each_one(document), *two_way_cuts(document)):
        assert run(pieces, limits=limits, deltas=True) == expected


@pytest.mark.parametrize("bound", range(1, 7))
def test_max_depth_trips_at_the_bracket_too_many(bound: int) -> None:
    document = '[1,{"a":[{"b":[[]]}]},2]'
    brackets = [0, 3, 8, 9, 14, 15]
    expected = run([document], limits=Limits(max_depth=bound))
    assert (expected.kind, expected.offset) == (("max_depth", brackets[bound]) if bound < 6 else (None, None))
    for pieces in (each_one(document), *two_way_cuts(document)):
        assert run(pieces, limits=Limits(max_depth=bound)) == expected


@pytest.mark.parametrize("bound", [2**62, 2**63, 2**70])
def test_a_limit_may_be_larger_than_any_document(bound: int) -> None:
    parser = JSONParser(limits=Limits(max_bytes=bound, max_depth=bound))
    parser.feed('{"a": [1]}')
    assert parser.value == {"a": [1]}


def test_the_depth_limit_is_512_by_default() -> None:
    assert loads("[" * 512 + "]" * 512)
    with pytest.raises(LimitError) as raised:
        loads("[" * 513 + "]" * 513)
    assert (raised.value.limit, raised.value.offset) == ("max_depth", 512)


def test_a_limit_error_keeps_what_came_before() -> None:
    parser = JSONParser(limits=Limits(max_bytes=12))
    with pytest.raises(LimitError) as raised:
        parser.feed('{"a":1,"b":2,"c":3}')
    assert raised.value.events == [complete("a", 1)]
    assert "12" in str(raised.value)


# ---------------------------------------------------------------- loads


def test_loads_reads_one_document() -> None:
    assert loads(DOCUMENT) == WHOLE
    assert loads(DOCUMENT.encode(), partial=True) == WHOLE
    with pytest.raises(JSONError):
        loads("{} {}")
    with pytest.raises(IncompleteError):
        loads(DOCUMENT[:-1])


def test_loads_takes_repeated_keys_as_json_loads_does() -> None:
    assert loads('{"a":1,"a":2}') == {"a": 2}


@pytest.mark.parametrize("document", ["[1,]", '{"a" 1}', "nul1", '"\n"'])
def test_a_prefix_that_no_document_can_begin_with_is_refused_by_partial_too(document: str) -> None:
    with pytest.raises(JSONError):
        loads(document, partial=True)


# ---------------------------------------------------------------- moving a parser


def _states() -> list[tuple[str, dict[str, Any]]]:
    escaped = (
        r'{"q\u0075ery":"tide \u00e9 \ud83d\ude00\ud83d","n":[1.5e3,-0,123456789012345678901234567890],'
        r'"k":{"a":{"b":[{}]}},"z":null}'
    )
    return [
        (DOCUMENT, {"depth": None, "deltas": True}),
        (DOCUMENT, {"depth": 0}),
        (escaped, {"deltas": True}),
        (escaped, {"paths": ["**.b", "k.a", "n[*]"], "deltas": ["query"]}),
        (DOCUMENT, {"duplicate_keys": "strict", "limits": Limits(max_depth=9, max_bytes=1000)}),
        ("[" * 60 + "1" + "]" * 60, {"depth": None}),
        (' "root \\ud83d\\ude00" ', {"deltas": True}),
        ("-12.5e+3", {}),
    ]


@pytest.mark.parametrize(("document", "options"), _states())
@pytest.mark.parametrize(
    "move",
    [lambda parser: pickle.loads(pickle.dumps(parser)), copy.deepcopy, copy.copy],
    ids=["pickle", "deepcopy", "copy"],
)
def test_a_parser_moves_at_any_byte(
    document: str, options: dict[str, Any], move: Callable[[JSONParser], JSONParser]
) -> None:
    data = document.encode()
    expected = run([data], **options)
    assert expected.fault is None
    for at in range(len(data) + 1):
        parser = JSONParser(**options)
        events = parser.feed(data[:at])
        moved = move(parser)
        assert (moved.offset, moved.complete, moved.pending_path) == (
            parser.offset,
            parser.complete,
            parser.pending_path,
        )
        assert same(moved.snapshot(), parser.snapshot())
        assert finish(moved, [data[at:]], events) == expected


def test_the_copy_and_its_original_go_their_own_ways() -> None:
    for move in (copy.deepcopy, lambda parser: pickle.loads(pickle.dumps(parser))):
        parser = JSONParser()
        parser.feed('{"a":[1,')
        moved = move(parser)
        assert moved.value == parser.value
        assert moved.value is not parser.value
        parser.feed('2],"b":3}')
        moved.feed('7,8],"c":')
        assert parser.value == {"a": [1, 2], "b": 3}
        assert moved.value == {"a": [1, 7, 8]}
        assert not moved.complete


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_that_knows_slots_works(protocol: int) -> None:
    parser = JSONParser()
    parser.feed('{"a":[1,"x')
    moved = pickle.loads(pickle.dumps(parser, protocol))
    assert moved.feed('y"]}') == [complete("a", [1, "xy"])]


@pytest.mark.parametrize("document", ['{"a":1,"b":tru}', '{"a":1,"a":2}', "[" * 600, '{"a":"x\x00'])
def test_a_dead_parser_moves_and_stays_dead(document: str) -> None:
    for move in (copy.deepcopy, lambda parser: pickle.loads(pickle.dumps(parser))):
        parser = JSONParser()
        with pytest.raises(JSONError) as first:
            parser.feed(document)
        moved = move(parser)
        assert same(moved.value, parser.value)
        with pytest.raises(type(first.value)) as raised:
            moved.feed("1")
        assert str(raised.value) == str(first.value)
        assert raised.value.events == []


def test_a_closed_parser_moves_and_stays_closed() -> None:
    parser = JSONParser()
    parser.feed("12")
    parser.close()
    moved = pickle.loads(pickle.dumps(parser))
    assert moved.complete
    assert moved.value == 12
    with pytest.raises(ToolStreamError):
        moved.feed("3")


def test_a_deeply_nested_parser_moves() -> None:
    parser = JSONParser(limits=Limits(max_depth=None), depth=0)
    parser.feed("[" * 20_000)
    for moved in (pickle.loads(pickle.dumps(parser)), copy.deepcopy(parser)):
        moved.feed("]" * 20_000)
        assert moved.complete


def test_errors_pickle() -> None:
    parser = JSONParser()
    with pytest.raises(IncompleteError) as raised:
        feed_and_close(parser, '{"a":[1,')
    again = pickle.loads(pickle.dumps(raised.value))
    assert type(again) is IncompleteError
    assert (str(again), again.offset, again.partial, again.pending_path) == (
        str(raised.value),
        8,
        {"a": [1]},
        ("a", 1),
    )


# ---------------------------------------------------------------- one at a time


def refusal(use: Callable[[], Any]) -> RuntimeError | None:
    """How a parser that is busy refuses; None if it is not."""
    try:
        use()
    except RuntimeError as error:
        return error
    return None


# Half a surrogate pair is for Python to decode, so that there is a call to watch.
WATCHED = DOCUMENT.replace("\\u00e9", "\\ud83d")


def feed_from_inside(parser: JSONParser, intrude: Callable[[], None], data: str) -> list[Any]:
    """Feeds data, and intrudes at every call that Python sees while the parser is at work."""

    def watch(frame: Any, event: str, _argument: Any) -> None:
        if event in ("call", "c_call"):
            sys.setprofile(None)
            try:
                intrude()
            finally:
                sys.setprofile(watch)

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        return parser.feed(data)
    finally:
        sys.setprofile(before)


def test_a_call_from_inside_a_feed_is_a_clean_error() -> None:
    parser = JSONParser(deltas=True)
    refused = []

    def intrude() -> None:
        for use in (lambda: parser.feed(""), lambda: parser.value, parser.snapshot):
            refused.append(refusal(use))  # noqa: PERF401 - a watched call at a time

    events = feed_from_inside(parser, intrude, WATCHED)
    assert any(refused)
    assert joined(events) == joined(JSONParser(deltas=True).feed(WATCHED))
    assert parser.close() == []
    assert parser.value == json.loads(WATCHED)


def test_the_text_of_a_parser_at_work_is_refused() -> None:
    parser = JSONParser(deltas=True)
    refused: list[BaseException | None] = []
    feed_from_inside(parser, lambda: refused.append(refusal(lambda: parser.text)), WATCHED)
    assert any(refused)


def test_what_is_taken_out_of_the_live_value_while_it_grows_is_left_alone() -> None:
    parser = JSONParser()
    parser.feed('{"a":[1,')
    growing = parser.value["a"]
    others: list[list[Any]] = []

    def intrude() -> None:
        growing.clear()
        others.extend([] for _ in range(20))  # where the memory of the ones before is

    watched = feed_from_inside(parser, intrude, '[[["\\ud800",7],8],9]],"b":1}')
    assert [event.path for event in watched] == [("a",), ("b",)]
    assert others
    assert not any(others)


def test_a_second_thread_inside_a_parser_gets_a_clean_error() -> None:
    parser = JSONParser(deltas=True)
    refused = []

    def intrude() -> None:
        thread = threading.Thread(target=lambda: refused.append(refusal(lambda: parser.feed(""))))
        thread.start()
        thread.join()

    events = feed_from_inside(parser, intrude, WATCHED)
    assert any(refused)
    assert joined(events) == joined(JSONParser(deltas=True).feed(WATCHED))
    assert parser.value == json.loads(WATCHED)


def test_threads_that_fight_for_a_parser_never_break_it() -> None:
    elements = 3000  # large enough to be scanned while other threads run
    for _ in range(4):
        parser = JSONParser(depth=2)
        parser.feed("[")
        outcomes: list[bool] = []
        barrier = threading.Barrier(4)

        def feed(parser: JSONParser = parser) -> None:
            parser.feed('{"a":[1,"x"]},' * elements)

        def work(feed: Any = feed, barrier: Any = barrier, outcomes: list[bool] = outcomes) -> None:
            barrier.wait()
            outcomes += [refusal(feed) is None for _ in range(8)]

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(outcomes) == 32
        parser.feed("0]")
        assert parser.complete
        assert parser.value == [{"a": [1, "x"]}] * (elements * sum(outcomes)) + [0]


@counts_references
def test_an_object_that_dies_during_a_feed_may_not_feed() -> None:
    parser = JSONParser(depth=None)
    outcomes: list[str] = []

    class Dying:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            try:
                parser.feed("")
                outcomes.append("fed")
            except RuntimeError:
                outcomes.append("refused")

    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(50):
            Dying()
        parser.feed(b"[" + b'{"a":[[1],{"b":2}]},' * 200 + b"0]")
    finally:
        gc.set_threshold(*thresholds)
        gc.collect()
    assert len(outcomes) == 50
    assert parser.value == [{"a": [[1], {"b": 2}]}] * 200 + [0]


def test_who_asks_where_a_parser_stands_does_not_meet_one_that_feeds() -> None:
    parser = JSONParser(depth=None, deltas=True)
    parser.feed('{"a":[1,{"b":"x')

    def intrude(*_: Any) -> None:
        with suppress(RuntimeError):
            parser.feed("y")

    sys.setprofile(intrude)  # called wherever another thread might have its turn
    try:
        place = parser.pending_path
    finally:
        sys.setprofile(None)
    assert place == ("a", 1, "b")
    parser.feed('"}]}')
    assert parser.value["a"][1]["b"].startswith("x")


def test_parsers_of_different_threads_do_not_meet() -> None:
    results: dict[int, Any] = {}

    def work(number: int) -> None:
        parser = JSONParser(depth=None)
        for _ in range(20):
            parser = JSONParser(depth=None)
            for at in range(0, len(DOCUMENT), 7):
                parser.feed(DOCUMENT[at : at + 7])
        results[number] = parser.value

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(8), WHOLE)


# ---------------------------------------------------------------- memory


def test_parsers_and_errors_leave_nothing_behind() -> None:
    def cycle() -> None:
        for document in (DOCUMENT, DOCUMENT[:50], '{"a":tru}', "[[[[", '{"a":1,"a":1}', '"\\ud83d'):
            parser = JSONParser(depth=None, deltas=True)
            try:
                for at in range(0, len(document), 5):
                    parser.feed(document[at : at + 5])
                parser.snapshot()
                parser.close()
            except JSONError:
                pass

    for _ in range(50):
        cycle()
    gc.collect()
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has none")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            cycle()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 50_000
    finally:
        tracemalloc.stop()


@counts_references
def test_event_classes_may_be_extended_and_their_events_end_as_others_do() -> None:
    class Noted(FieldComplete):
        __slots__ = ("__weakref__", "note")

    ends: list[str] = []
    value = ["x"]
    event = Noted(None, ("a",), value)
    object.__setattr__(event, "note", value)
    weakref.finalize(event, ends.append, "over")
    held = sys.getrefcount(value)
    del event
    assert ends == ["over"]
    assert sys.getrefcount(value) == held - 2


@counts_references
def test_an_event_that_has_ended_leaves_nothing_to_those_that_come() -> None:
    def events() -> list[Any]:
        parser = JSONParser(deltas=True)
        return [event for letter in '{"a": "12345678", "b": "x", "c": [' for event in parser.feed(letter)]

    kept, values = events(), [object() for _ in range(100)]
    told = [event.to_dict() for event in kept]
    held = [sys.getrefcount(value) for value in values]
    ended = [FieldComplete(None, ("z",), value) for value in values]
    ended.clear()
    assert [sys.getrefcount(value) for value in values] == held
    for kind in (FieldComplete, FieldDelta):
        bare = kind.__new__(kind)  # without its fields, which its constructor sets
        assert not any(hasattr(bare, name) for name in kind.__slots__)
    again = events()
    assert [event.to_dict() for event in (*again, *kept)] == told * 2
    assert len({*map(id, kept), *map(id, again)}) == 2 * len(kept)


@counts_references
def test_an_event_in_a_cycle_of_references_is_collected() -> None:
    value: list[Any] = []
    value.append(FieldComplete(None, ("a",), value))
    value.append(FieldDelta(None, ("a",), "x"))
    gc.collect()
    del value
    assert gc.collect() >= 2


def test_a_long_chain_of_events_ends_without_recursion() -> None:
    chain: Any = None
    for _ in range(1_000_000):
        chain = FieldComplete(None, (), chain)
    del chain
    assert JSONParser().feed("{") == []


@pytest.mark.parametrize("text", ['{"a": "\u00e9\U0001f600", "b": [1]}', "[]", '{"a": {"b": "plain"}}'])
def test_a_parser_that_keeps_its_text_tells_whether_it_holds_another(text: str) -> None:
    parser = FieldParser(Subscription.compile(), Limits(), None, keep_text=True)
    for at, character in enumerate(text):
        assert parser.holds(text[:at])
        assert not parser.holds(text)
        assert not parser.holds(text[:at] + "\ud83d")
        parser.feed(character)
    assert parser.holds(text)
    assert not parser.holds(text + " ")
    assert not parser.holds(text.upper() + text[1:])


def test_a_saved_parser_whose_places_do_not_fit_its_open_containers_is_refused() -> None:
    parser = JSONParser()
    parser.feed('{"a": {"b": [1, ')
    assert parser.value == {"a": {"b": [1]}}
    saved = parser.__getstate__()
    whole, damaged = JSONParser.__new__(JSONParser), JSONParser.__new__(JSONParser)
    whole.__setstate__(saved)
    assert whole.pending_path == ("a", "b", 1)
    with pytest.raises(ValueError, match="damaged"):
        damaged.__setstate__({**saved, "places": ("a",)})


def test_each_answer_of_feed_is_a_list_of_its_own() -> None:
    parser = JSONParser()
    kept = [parser.feed(b" ") for _ in range(5)]
    assert len({id(events) for events in kept}) == 5
    events: list[Any] = parser.feed(b"[")
    for _ in range(5):
        events.append("the caller's")
        events = parser.feed(b" ")
        assert events == []
    del events
    assert [event.value for event in parser.feed(b"1,")] == [1]
    assert parser.feed(b"2") == []
