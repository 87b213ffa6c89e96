"""Values: the ones that `json.loads` gives, to the last bit, at every stage of a stream."""

from __future__ import annotations

import json
import math
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from json_oracle import same, strict_loads
from json_runs import each_one, every_way, run

from toolstream import FieldComplete, JSONParser, LimitError, Limits, loads
from toolstream.values import loads_fast, loads_strict

DIGITS = sys.get_int_max_str_digits() if hasattr(sys, "get_int_max_str_digits") else 0


def check(text: str | bytes) -> None:
    """The value is json.loads's: at the root, in an array, as a member, and in a value reported whole."""
    data = text.encode() if isinstance(text, str) else text
    for document in (data, b"[" + data + b"]", b'{"k":' + data + b',"l":0}', b'[{"k":[' + data + b"]},1]"):
        expected = strict_loads(document)
        for depth in (0, 1, None):
            parser = JSONParser(depth=depth, duplicate_keys="last")
            for piece in each_one(document):
                parser.feed(piece)
            parser.close()
            assert same(parser.value, expected), document[:80]
        assert same(loads(document), expected), document[:80]


@pytest.mark.parametrize("power", [0, 1, 8, 15, 16, 31, 32, 52, 53, 54, 61, 62, 63, 64, 65, 127, 128, 1000])
def test_integers_are_exact_at_any_size(power: int) -> None:
    for number in (2**power - 1, 2**power, 2**power + 1):
        check(str(number))
        check(str(-number))


@pytest.mark.parametrize("digits", [17, 18, 19, 20, 21, 22, 38, 39, 100, 1000])
def test_integers_are_exact_at_any_number_of_digits(digits: int) -> None:
    check("9" * digits)
    check("-" + "9" * digits)
    check("1" + "0" * (digits - 1))


def test_a_big_integer_does_not_change_its_neighbours() -> None:
    check('{"a":1,"b":18446744073709551616,"c":1.5,"d":"x","e":[18446744073709551617,{"f":-9223372036854775809}]}')
    check('["\\ud83d",18446744073709551616,1e400]')


@pytest.mark.skipif(not DIGITS, reason="this Python has no limit on an integer's digits")
def test_integers_up_to_the_digit_limit_of_python() -> None:
    check("7" * DIGITS)
    check("-" + "7" * DIGITS)


@pytest.mark.skipif(not DIGITS, reason="this Python has no limit on an integer's digits")
@pytest.mark.parametrize("sign", ["", "-"])
def test_an_integer_past_the_digit_limit_is_a_limit_error_at_the_same_byte_however_cut(sign: str) -> None:
    number = sign + "7" * (DIGITS + 1)
    for before, after in (("", ""), ("[1,", ",2]"), ('{"a":{"b":', "}}")):
        document = (before + number + after).encode()
        expected = run([document])
        assert expected.kind is not None
        assert "digits" in expected.kind
        assert expected.offset is not None
        assert len(before) <= expected.offset <= len(before) + len(number)
        assert run(each_one(document)) == expected
        for at in range(0, len(document), 97):
            assert run([document[:at], document[at:]]) == expected


@pytest.mark.skipif(not DIGITS, reason="this Python has no limit on an integer's digits")
def test_the_digit_limit_is_for_integers_only() -> None:
    check("7" * (DIGITS + 10) + ".0")
    check("7" * (DIGITS + 10) + "e0")
    check("0." + "7" * (DIGITS + 10))
    check("1e" + "0" * (DIGITS + 10) + "5")


@pytest.fixture
def no_digit_limit() -> Iterator[None]:
    if not DIGITS:
        yield
        return
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(DIGITS)


@pytest.mark.usefixtures("no_digit_limit")
def test_without_pythons_digit_limit_there_is_none() -> None:
    document = b"[" + b"7" * 10_000 + b",1]"
    assert loads(document) == json.loads(document)


def test_a_digit_limit_error_keeps_what_came_before() -> None:
    if not DIGITS:
        pytest.skip("this Python has no limit on an integer's digits")
    parser = JSONParser()
    with pytest.raises(LimitError) as raised:
        parser.feed('{"a":"b","n":' + "1" * (DIGITS + 1) + ',"c":2}')
    assert raised.value.events == [FieldComplete(None, ("a",), "b")]
    assert raised.value.path == ("n",)
    assert parser.value == {"a": "b"}


FLOATS = [
    "0.0",
    "-0.0",
    "0e5",
    "-0e5",
    "0.1",
    "0.2",
    "0.3",
    "1.1",
    "2.5",
    "1e0",
    "1E0",
    "1e22",
    "1e23",
    "9007199254740993.0",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "4.9406564584124654e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "1e-323",
    "8.5e-45",
    "0.000001",
    "1e-7",
    "123456789.123456789",
    "3.141592653589793238462643383279502884197",
    "0.500000000000000166533453693773481063544750213623046875",
    "6.631236846766476e-316",
    "3.2378839133029012895883524125015321748630943e-316",
    "5.708990770823839207320493820740630171355185e-5",
    "1e400",
    "-1e400",
    "1e-400",
    "-1e-400",
    "1e99999999",
    "1e-99999999",
    "0e99999999",
    "17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758720709633028641669288791094655555.5",
]


@pytest.mark.parametrize("text", FLOATS, ids=lambda text: text[:30])
def test_floats_are_equal_to_the_last_bit(text: str) -> None:
    check(text)
    value = loads(text)
    assert type(value) is float
    assert struct.pack(">d", value) == struct.pack(">d", float(text))


def test_random_floats_are_equal_to_the_last_bit() -> None:
    random_bits = random.Random(20240607)
    numbers: list[str] = []
    while len(numbers) < 3000:
        (number,) = struct.unpack(">d", random_bits.randbytes(8))
        if math.isfinite(number):
            numbers += [repr(number), f"{number:.20e}", f"{number:.10e}"]
    document = "[" + ",".join(numbers) + "]"
    expected = json.loads(document)
    for value, wanted in zip(loads(document), expected, strict=True):
        assert struct.pack(">d", value) == struct.pack(">d", wanted)


def test_a_number_too_large_for_a_float_is_infinite_as_in_json_loads() -> None:
    assert loads("1e400") == math.inf
    assert loads('{"a":[-1e400]}') == {"a": [-math.inf]}
    assert loads("1" + "0" * 400 + ".0") == math.inf


def test_minus_zero() -> None:
    assert same(loads("[-0,-0.0,0,0.0,-0e1]"), [0, -0.0, 0, 0.0, -0.0])
    assert type(loads("-0")) is int
    check("-0")


@pytest.mark.parametrize(
    "text",
    [
        r'"\"\\\/\b\f\n\r\t"',
        r'"\u0000\u001f\u007f\u0080\u00ff\u0100\uffff"',
        r'"\\u0041\\\u0041"',
        r'"\ud83d\ude00"',
        r'"\uD83D\uDE00x"',
        r'"\ud83d"',
        r'"\ude00"',
        r'"\ud83d\ud83d\ude00"',
        r'"\ude00\ud83d"',
        r'"\ud83dA\ude00"',
        r'"\ud83d\n\ude00"',
        r'"\ud83d\\ude00"',
        r'"\ud83d\u0041"',
        '"\\ud83dé"',
        '"\\ud83d😀"',
        '"é\\ud83d\\ude00😀"',
        r'"\ud800\udc00\udbff\udfff"',
        r'"\ud83d\/"',
        '"\u2028\u2029"',
        '"\x7f"',
        '""',
        '"' + "x" * 5000 + '"',
        '"' + "é" * 3000 + '"',
        '"' + "\\n" * 3000 + '"',
        '"' + "😀" * 2000 + '"',
        '"' + "\\ud83d" * 50 + '"',
    ],
    ids=lambda text: text[:30],
)
def test_strings_are_those_of_json_loads(text: str) -> None:
    check(text)
    key = text
    document = "{" + key + ":1," + '"other"' + ":{" + key + ":[]}}"
    assert same(loads(document), strict_loads(document.encode()))


def test_a_lone_surrogate_does_not_join_the_next_string() -> None:
    assert loads(r'["\ud83d","\ude00"]') == ["\ud83d", "\ude00"]
    assert loads(r'{"\ud83d":"\ude00"}') == {"\ud83d": "\ude00"}


def test_keys_keep_their_order() -> None:
    for seed in range(20):
        names = [f"key_{n}" for n in range(30)]
        random.Random(seed).shuffle(names)
        document = json.dumps({name: at for at, name in enumerate(names)})
        parser = JSONParser()
        for piece in each_one(document):
            parser.feed(piece)
        assert list(parser.value) == names
        assert list(loads(document)) == names


def test_keys_that_look_alike_stay_apart() -> None:
    names = ["", *("k" * size for size in range(1, 40)), *(f"a long common {n} ending" for n in range(30))]
    names += [f"ab{n}" for n in range(1000)] + ["é", "éé", "k\u0000", "😀" * 9, 'k"', "k\\n"]
    for chunk in (names, names[::-1]):
        document = json.dumps([{name: at} for at, name in enumerate(chunk)], ensure_ascii=False)
        parser = JSONParser(depth=None)
        paths = [event.path for piece in each_one(document) for event in parser.feed(piece)]
        assert paths == [path for at, name in enumerate(chunk) for path in ((at, name), (at,))]
        assert parser.value == json.loads(document)


@pytest.mark.parametrize(
    "document",
    [
        '{"a":1,"b":2,"a":3}',
        '{"a":1,"a":2,"a":3,"b":0}',
        '{"a":{"x":1},"b":2,"a":{"y":2}}',
        '{"a":[1,2],"a":"s"}',
        '{"a":1,"\\u0061":2}',
        '[{"a":1,"a":[1,{"b":1,"b":2}]}]',
        '{"x":{"a":1,"b":{"c":1,"c":{"d":1,"d":2}},"a":{"e":[]}}}',
        '{"":1,"":2}',
        '{"a":{},"a":{"b":{},"b":[]}}',
    ],
)
def test_repeated_keys_inside_a_whole_value_end_as_in_json_loads(document: str) -> None:
    expected = strict_loads(document.encode())
    whole = f'{{"whole":{document}}}'
    assert same(loads(document), expected)
    assert run([whole]).fault is None
    for pieces in every_way(whole.encode()):
        parser = JSONParser()
        events = [event for piece in pieces for event in parser.feed(piece)]
        assert [(event.path, repr(event.value)) for event in events] == [(("whole",), repr(expected))]  # type: ignore[union-attr]
        assert same(parser.value, {"whole": expected})
    for pieces in every_way(document.encode()):
        parser = JSONParser(duplicate_keys="last", depth=None)
        for piece in pieces:
            parser.feed(piece)
            parser.snapshot()
        assert same(parser.value, expected)


def descend(value: Any) -> int:
    depth = 0
    while isinstance(value, (list, dict)) and value:
        value = value[0] if isinstance(value, list) else value["a"]
        depth += 1
    return depth


@pytest.mark.parametrize("depth", [1, 10, 199, 200, 201, 202, 399, 400, 401, 511, 512])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_nesting_up_to_the_limit(depth: int, opening: str, closing: str) -> None:
    levels = max(1, depth // len(closing))
    document = opening * levels + "0" + closing * levels
    for pieces in ([document], each_one(document)):
        parser = JSONParser()
        for piece in pieces:
            parser.feed(piece)
        assert parser.complete
        assert descend(parser.value) == levels * len(closing)
    assert descend(loads(document)) == levels * len(closing)


def test_nesting_far_beyond_pythons_stack() -> None:
    levels = 50_000
    document = "[" * levels + "]" * levels
    parser = JSONParser(limits=Limits(max_depth=None))
    for at in range(0, len(document), 1000):
        parser.feed(document[at : at + 1000])
    assert parser.complete
    assert descend(parser.value) == levels - 1
    copied = parser.snapshot()
    assert copied is not parser.value
    assert descend(copied) == levels - 1
    whole = JSONParser(limits=Limits(max_depth=None))
    whole.feed(document)
    assert descend(whole.value) == levels - 1


def test_a_document_of_many_deep_values() -> None:
    deep = "[" * 300 + "1" + "]" * 300
    document = "[" + ",".join([deep] * 50) + "]"
    value = loads(document)
    assert len(value) == 50
    assert all(descend(element) == 300 for element in value)


def test_a_long_run_between_two_looks() -> None:
    """Runs above and below the size from which they are parsed in place, with and without exact numbers."""
    for count in (1, 10, 500, 2000):
        for last in ("1", "18446744073709551616", '"\\ud83d"', "1e400", '"é"'):
            document = "[" + ",".join(['{"name":"value","n":[1.5,null]}'] * count + [last]) + "]"
            expected = json.loads(document)
            assert same(loads(document), expected)
            members = "{" + ",".join(f'"k{n}":"v{n}"' for n in range(count)) + f',"last":{last}}}'
            parser = JSONParser(depth=0)
            for at in range(0, len(members), 777):
                parser.feed(members[at : at + 777])
            assert same(parser.value, json.loads(members))
            assert same(parser.value, parser.snapshot())


def test_the_reported_value_is_the_object_in_the_live_value() -> None:
    parser = JSONParser(depth=None)
    events = parser.feed('{"a":{"b":[1,{"c":"x"}]},"d":[[]]}')
    for event in events:
        assert isinstance(event, FieldComplete)
        live = parser.value
        for step in event.path:
            live = live[step]
        assert event.value is live


# Pieces of a string's body, by the width of the characters that they stand for.
BODIES = {
    "plain": ["a line of text, "],
    "ascii": ["x" * 40, "\\n", '\\"', "\\\\", "\\/", "\\b\\f\\r\\t", "\\u0041", "\x7f"],
    "latin": ["x" * 40, "é", "\\u00e9", "\\n"],
    "escaped latin": ["x" * 40, "\\u00e9", "\\n"],
    "wide": ["x" * 40, "漢字", "\\u6f22", "é", "\\n"],
    "escaped wide": ["é", "\\u6f22", "x" * 40],
    "astral": ["x" * 40, "😀", "\\ud83d\\ude00", "漢"],
    "escaped astral": ["漢", "\\uD83D\\uDE00", "x" * 40],
    "lone surrogates": ["x", "\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800\\ud800\\udc00", "\\n"],
}


@pytest.mark.parametrize("pieces", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("size", [65_000, 66_000, 200_000])
def test_long_strings_are_those_of_json_loads(pieces: list[str], size: int) -> None:
    random.seed(size)
    body = "".join(random.choices(pieces, k=size * len(pieces) // len("".join(pieces))))
    for document in (
        f'"{body}"',
        f'{{"k": "{body}", "l": [1, {{"m": null}}]}}',
        f'["{body}",{{"k":"{body}"}},"{body}"]',
    ):
        expected = json.loads(document)
        data = document.encode()
        for depth in (0, 1, None):
            parser = JSONParser(depth=depth)
            for at in range(0, len(data), 4999):
                parser.feed(data[at : at + 4999])
            parser.close()
            assert same(parser.value, expected)


# ---------------------------------------------------------------- without orjson

PRINT_EVENTS = """
import sys

if sys.argv[1] == "without":
    sys.modules["orjson"] = None

import toolstream

try:
    for event in toolstream.parse(sys.stdin.buffer.read(), provider="openai-chat"):
        print(ascii(event.to_dict()))
except toolstream.ToolStreamError as error:
    print(type(error).__name__)
"""
ARGUMENTS = '{"city": "Zürich \\ud83d", "n": [18446744073709551617, 1.5, -0, 1e400]}'
CALL = {"index": 0, "id": "c", "function": {"name": "f", "arguments": ARGUMENTS}}
FIRST = {"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}


@pytest.mark.parametrize(
    ("last", "ends_with"),
    [
        (json.dumps(LAST).encode(), "message_end"),
        (b"no JSON, which a gateway adds", "message_end"),
        (b'{"a": "not UTF-8: \xff"}', "message_end"),
        (b'{"a": NaN}', "SSEError"),
        (b'{"a": ' * 100_000, "SSEError"),
    ],
)
def test_without_orjson_json_builds_the_same(last: bytes, ends_with: str) -> None:
    body = b"".join(b"data: %b\n\n" % data for data in (json.dumps(FIRST).encode(), last, b"[DONE]"))
    found, expected = (
        subprocess.run([sys.executable, "-c", PRINT_EVENTS, way], input=body, capture_output=True, check=True).stdout
        for way in ("without", "with")
    )
    assert found == expected
    assert ends_with in found.decode().splitlines()[-1]
    assert b"18446744073709551617, 1.5, 0, inf" in found


@pytest.mark.parametrize("load", [loads_fast, loads_strict])
@pytest.mark.parametrize(
    "text", [b"NaN", b"[Infinity]", b"[1,]", b'"\xff"', b"\xef\xbb\xbf{}", b"\xff\xfe1\0", b'"\t"']
)
def test_only_json_is_decoded(load: Callable[[bytes], Any], text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(text)


@pytest.mark.parametrize("load", [loads_fast, loads_strict])
def test_too_deep_json_is_a_value_error(load: Callable[[bytes], Any]) -> None:
    with pytest.raises(ValueError, match=r"deep|depth"):
        load(b"[" * 100_000)
