"""The project's own table of JSON documents: what is accepted and as which value, what is rejected, where and why.

Offsets are those of the first byte that no valid document could have there (RFC 8259; RFC 3629 for UTF-8). A text
that only ends too early is incomplete at its length. Kinds are the names of the core's statuses without `TS_ERR_`,
in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INF = float("inf")


@dataclass(frozen=True)
class Accept:
    text: bytes
    value: Any


@dataclass(frozen=True)
class Reject:
    text: bytes
    kind: str
    offset: int


@dataclass(frozen=True)
class State:
    """A place in the grammar, reached by prefix: which bytes may follow, and what all others are called."""

    prefix: bytes
    allowed: frozenset[int]
    kind: str
    other_kinds: tuple[tuple[frozenset[int], str], ...] = ()

    def kind_of(self, byte: int) -> str | None:
        if byte in self.allowed:
            return None
        return next((kind for members, kind in self.other_kinds if byte in members), self.kind)


def _accept(*rows: tuple[bytes | str, Any]) -> list[Accept]:
    return [Accept(text.encode() if isinstance(text, str) else text, value) for text, value in rows]


ACCEPTED = _accept(
    # literals and white space
    ("true", True),
    ("false", False),
    ("null", None),
    (" \t\r\n true \t\r\n ", True),
    ("[true,false,null]", [True, False, None]),
    ("[ true , false ]", [True, False]),
    ('{ "a" : true }', {"a": True}),
    ('\n{\n\t"a"\r\n:\n[\n]\n}\n', {"a": []}),
    # containers
    ("{}", {}),
    ("[]", []),
    ("{ }", {}),
    ("[\n]", []),
    ("[[]]", [[]]),
    ("[{}]", [{}]),
    ('{"a":{}}', {"a": {}}),
    ('{"a":[]}', {"a": []}),
    ("[[],[[]],[[[]]]]", [[], [[]], [[[]]]]),
    ('{"a":{"b":{"c":{"d":1}}}}', {"a": {"b": {"c": {"d": 1}}}}),
    ('[{"a":[{"b":[]}]},{"c":{}}]', [{"a": [{"b": []}]}, {"c": {}}]),
    ('{"b":1,"a":2,"c":3}', {"b": 1, "a": 2, "c": 3}),
    ('{"":0}', {"": 0}),
    ('{"a":{"a":{"a":1}}}', {"a": {"a": {"a": 1}}}),
    ('[{"a":1},{"a":2}]', [{"a": 1}, {"a": 2}]),
    ('{"x":{"a":1,"b":2},"y":{"a":1,"b":2}}', {"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 2}}),
    ('{"a":[1,{"b":2},3],"c":[[4],5]}', {"a": [1, {"b": 2}, 3], "c": [[4], 5]}),
    # keys
    ('{"\\u0061":1}', {"a": 1}),
    ('{"a\\"b":1,"a\\\\b":2}', {'a"b': 1, "a\\b": 2}),
    ('{"\\ud83d\\ude00":1,"\U0001f600x":2}', {"\U0001f600": 1, "\U0001f600x": 2}),
    ('{"\\ud83d":1,"\\ude00":2}', {"\ud83d": 1} | {"\ude00": 2}),
    ('{"\\u0000":1,"\\u0000\\u0000":2}', {"\x00": 1, "\x00\x00": 2}),
    ('{"{":1,"}":2,"[":3,"]":4,",":5,":":6}', {"{": 1, "}": 2, "[": 3, "]": 4, ",": 5, ":": 6}),
    ('{"e\u0301":1,"\u00e9":2}', {"e\u0301": 1, "\u00e9": 2}),
    ('{"a":1,"A":2,"a ":3," a":4}', {"a": 1, "A": 2, "a ": 3, " a": 4}),
    ('{"__proto__":1,"constructor":2}', {"__proto__": 1, "constructor": 2}),
    # strings
    ('""', ""),
    ('"a"', "a"),
    ('["","",""]', ["", "", ""]),
    ('"\x7f"', "\x7f"),
    ('"/\\/"', "//"),
    ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
    ('"\\\\"', "\\"),
    ('"\\\\\\""', '\\"'),
    ('"\\\\u0041"', "\\u0041"),
    ('"\\u0041\\u00e9\\u20ac\\uffff"', "A\u00e9\u20ac\uffff"),
    ('"\\u00E9\\u00e9\\uABCD\\uabcd"', "\u00e9\u00e9\uabcd\uabcd"),
    ('"\\u0000"', "\x00"),
    ('"\\u001f\\u0022\\u005c"', '\x1f"\\'),
    ('"[1,2]{}:,"', "[1,2]{}:,"),
    ('"true"', "true"),
    ('"// no comment /* */"', "// no comment /* */"),
    ('"' + "x" * 100 + '"', "x" * 100),
    ('"' + "0123456789abcde" + '\\n"', "0123456789abcde\n"),
    ('"' + "0123456789abcdef" + '"', "0123456789abcdef"),
    ('"' + "0123456789abcdef0" + '\u00e9"', "0123456789abcdef0\u00e9"),
    # UTF-8, from the first to the last of each length
    ('"\u0080\u07ff"', "\u0080\u07ff"),
    ('"\u0800\u0fff\u1000\ucfff\ud000\ud7ff\ue000\uffff"', "\u0800\u0fff\u1000\ucfff\ud000\ud7ff\ue000\uffff"),
    (
        '"\U00010000\U0003ffff\U00040000\U000fffff\U00100000\U0010ffff"',
        "\U00010000\U0003ffff\U00040000\U000fffff\U00100000\U0010ffff",
    ),
    ('"\u2028\u2029\ufeff\ufffe"', "\u2028\u2029\ufeff\ufffe"),
    ('["\u4f60\u597d","\u0645\u0631\u062d\u0628\u0627"]', ["\u4f60\u597d", "\u0645\u0631\u062d\u0628\u0627"]),
    ('"\U0001f468\u200d\U0001f469\u200d\U0001f467"', "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    # surrogates
    ('"\\ud83d\\ude00"', "\U0001f600"),
    ('"\\uD83D\\uDE00"', "\U0001f600"),
    ('"\\ud800\\udc00\\udbff\\udfff"', "\U00010000\U0010ffff"),
    ('"\\ud83d"', "\ud83d"),
    ('"\\ude00"', "\ude00"),
    ('"\\ud83dx"', "\ud83dx"),
    ('"\\ud83d\\n"', "\ud83d\n"),
    ('"\\ud83d\\\\ude00"', "\ud83d\\ude00"),
    ('"\\ud83d\\u0041"', "\ud83dA"),
    ('"\\ud83d\\ud83d"', "\ud83d\ud83d"),
    ('"\\ud83d\\ud83d\\ude00"', "\ud83d\U0001f600"),
    ('"\\ude00\\ud83d"', "\ude00\ud83d"),
    ('"\\ud83d\U0001f600"', "\ud83d\U0001f600"),
    ('"\\ud83d\u00e9"', "\ud83d\u00e9"),
    ('["\\ud83d","\\ude00"]', ["\ud83d", "\ude00"]),
    # integers
    ("0", 0),
    ("-0", 0),
    ("7", 7),
    ("-1", -1),
    ("10", 10),
    ("1234567890", 1234567890),
    ("[0,-0,1,-1]", [0, 0, 1, -1]),
    ("9007199254740993", 9007199254740993),
    ("9223372036854775807", 9223372036854775807),
    ("-9223372036854775808", -9223372036854775808),
    ("9223372036854775808", 9223372036854775808),
    ("-9223372036854775809", -9223372036854775809),
    ("18446744073709551615", 18446744073709551615),
    ("18446744073709551616", 18446744073709551616),
    ("[18446744073709551616,1]", [18446744073709551616, 1]),
    ('{"a":123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
    ("[[-99999999999999999999],[1]]", [[-99999999999999999999], [1]]),
    ("1" + "0" * 99, 10**99),
    # floats
    ("0.0", 0.0),
    ("-0.0", -0.0),
    ("0e0", 0.0),
    ("-0e-0", -0.0),
    ("1.0", 1.0),
    ("1.5", 1.5),
    ("-12.75", -12.75),
    ("0.1", 0.1),
    ("1e5", 1e5),
    ("1E5", 1e5),
    ("1e+5", 1e5),
    ("1E+05", 1e5),
    ("1e-5", 1e-5),
    ("1.25e2", 125.0),
    ("0.00", 0.0),
    ("1.7976931348623157e308", 1.7976931348623157e308),
    ("5e-324", 5e-324),
    ("2.2250738585072011e-308", 2.2250738585072011e-308),
    ("1e-400", 0.0),
    ("-1e-400", -0.0),
    ("1e400", INF),
    ("-1e400", -INF),
    ("[1e400,1]", [INF, 1]),
    ('{"a":-1e999}', {"a": -INF}),
    ("0.1000000000000000055511151231257827", 0.1),
    ("9007199254740993.0", 9007199254740992.0),
    ("123456789012345678901234567890.5", 1.2345678901234568e29),
    ("1e00000000000000000005", 1e5),
    ("[1.5,2.5e1,-3E-1]", [1.5, 25.0, -0.3]),
    ('{"n":1.0,"m":1}', {"n": 1.0, "m": 1}),
    # repeated keys inside a value that is reported whole
    ('{"a":{"x":1,"x":2}}', {"a": {"x": 2}}),
    ('{"a":{"x":1,"y":2,"x":3}}', {"a": {"x": 3, "y": 2}}),
    ('[{"x":{"y":1},"x":[]}]', [{"x": []}]),
    ('{"a":{"x":1,"\\u0078":2}}', {"a": {"x": 2}}),
    ('{"a":{"x":[1],"x":{"y":2},"z":0}}', {"a": {"x": {"y": 2}, "z": 0}}),
)

# Texts that end too early, and nothing else is wrong with them: incomplete, at their length.
UNFINISHED = [
    b"",
    b" ",
    b"\n\t",
    b"[",
    b"[ ",
    b"[[",
    b"[1",
    b"[1 ",
    b"[1,",
    b"[1, ",
    b"[[1]",
    b"[[],",
    b"{",
    b"{ ",
    b'{"',
    b'{"a',
    b'{"a"',
    b'{"a" ',
    b'{"a":',
    b'{"a": ',
    b'{"a":1',
    b'{"a":1 ',
    b'{"a":1,',
    b'{"a":1, ',
    b'{"a":{',
    b'{"a":{}',
    b'{"a":[]',
    b'{"a":"b',
    b'{"a":"b"',
    b'{"a\\',
    b'{"a\\u00',
    b'"',
    b'"a',
    b'"\\',
    b'"\\u',
    b'"\\u0',
    b'"\\u00',
    b'"\\u004',
    b'"\\u0041',
    b'"\\ud83d',
    b'"\\ud83d\\',
    b'"\\ud83d\\u',
    b'"\\ud83d\\ude',
    b'"\\ud83d\\ude00',
    b'"\xc3',
    b'"\xe2',
    b'"\xe2\x82',
    b'"\xf0',
    b'"\xf0\x9f',
    b'"\xf0\x9f\x98',
    b"-",
    b"1.",
    b"-0.",
    b"1e",
    b"1E",
    b"1e+",
    b"1e-",
    b"1.5e",
    b"[-",
    b"[1.",
    b"[1e+",
    b"[1e5",
    b"t",
    b"tr",
    b"tru",
    b"f",
    b"fals",
    b"n",
    b"nul",
    b"[tru",
    b'{"a":nul',
    b"[true",
    b'[{"a":[{"b":',
    b'["\\\\',
    b"[" * 40,
    b'{"a":' * 20,
]

REJECTED = [
    # structure
    *(
        Reject(text, "syntax", offset)
        for text, offset in [
            (b"[1,]", 3),
            (b"[,1]", 1),
            (b"[1,,2]", 3),
            (b"[1 2]", 3),
            (b"[1:2]", 2),
            (b"[1}", 2),
            (b"[}", 1),
            (b"]", 0),
            (b"}", 0),
            (b",", 0),
            (b":", 0),
            (b"{]", 1),
            (b"{,}", 1),
            (b'{"a" 1}', 5),
            (b'{"a"}', 4),
            (b'{"a",1}', 4),
            (b'{"a"::1}', 5),
            (b'{"a":1,}', 7),
            (b'{"a":1 "b":2}', 7),
            (b'{"a":1;"b":2}', 6),
            (b'{"a":}', 5),
            (b'{"a":,}', 5),
            (b'{"a":1,,"b":2}', 7),
            (b"{a:1}", 1),
            (b"{'a':1}", 1),
            (b"{1:1}", 1),
            (b"{null:1}", 1),
            (b"{[]:1}", 1),
            (b'{"a":1]', 6),
            (b"[[]", None),
            (b'[{"a":1]', 7),
            (b'{"a":[1}', 7),
            (b'{"a":1,"b"}', 10),
            (b'{"a":1,2:3}', 7),
            (b"{:1}", 1),
            (b'["a" "b"]', 5),
            (b'["a":1]', 4),
            (b"[true false]", 6),
            (b"[nulll]", 5),
            (b"[truex]", 5),
            (b"['a']", 1),
            (b"[+1]", 1),
            (b"[.5]", 1),
            (b"+1", 0),
            (b".5", 0),
            (b"NaN", 0),
            (b"[NaN]", 1),
            (b"Infinity", 0),
            (b"[Infinity]", 1),
            (b"True", 0),
            (b"[None]", 1),
            (b"undefined", 0),
            (b"[1a]", 2),
            (b"[1.5.5]", 4),
            (b"[1e5.5]", 4),
            (b"[1e5e5]", 4),
            (b"[0x10]", 2),
            (b"[1_000]", 2),
            (b"[1-2]", 2),
            (b"[0b1]", 2),
            (b"[1.5f]", 4),
            (b"// c\n1", 0),
            (b"/* c */1", 0),
            (b"[1 // c\n]", 3),
            (b"# c\n1", 0),
            (b"[1]".replace(b"1", b"\x0b"), 1),
            (b"[\x0c1]", 1),
            (b"\x00", 0),
            (b"[\x001]", 1),
            (b"[1\x00]", 2),
            (b"\x001", 0),
            (b"\xef\xbb\xbf{}", 0),
            (b"\xef\xbb\xbf", 0),
            (b"[\xef\xbb\xbf1]", 1),
            (b"\xc2\xa01", 0),
            (b"[1\xc2\xa0]", 2),
            (b"[\xe2\x80\xa81]", 1),
            (b"[\xff]", 1),
            (b"\xff", 0),
            (b"[\xc3\xa9]", 1),
            (b"\xff\xfe1\x00", 0),
            (b"{\xff}", 1),
            (b'{"a"\xff:1}', 4),
            (b"<html>", 0),
            (b"%7B%7D", 0),
            (b"[a]", 1),
            (b"\\u005b]", 0),
            (b'[\\"a"]', 1),
            (b'{"a":\\u0031}', 5),
            (b"(1)", 0),
            (b"[1;2]", 2),
            (b"`1`", 0),
            (b"[\x7f]", 1),
            (b"[\x80]", 1),
        ]
        if offset is not None
    ),
    # behind the value
    *(
        Reject(text, "trailing", offset)
        for text, offset in [
            (b"{}{}", 2),
            (b"[]]", 2),
            (b"{}}", 2),
            (b"[] []", 3),
            (b"{}x", 2),
            (b"1 2", 2),
            (b"1,2", 1),
            (b'""""', 2),
            (b'"a" "b"', 4),
            (b"true false", 5),
            (b"truetrue", 4),
            (b"nullx", 4),
            (b"{},", 2),
            (b"[]\x00", 2),
            (b"{}\xef\xbb\xbf", 2),
            (b"{}\xff", 2),
            (b"[1]:", 3),
            (b"{} // c", 3),
            (b"{}#", 2),
            (b"1a", 1),
            (b"1 a", 2),
            (b"-1-", 2),
            (b"1.5.", 3),
            (b"1e5e", 3),
            (b"0x1", 1),
            (b"0-", 1),
            (b"1\x00", 1),
            (b"[]\x0b", 2),
            (b'"a"a', 3),
            (b'{"a":1}"', 7),
            (b"[]  \n\t]", 6),
            (b"null\xc2\xa0", 4),
            (b"1\xff", 1),
            (b"false,", 5),
            (b'12"', 2),
        ]
    ),
    # numbers
    *(
        Reject(text, "number", offset)
        for text, offset in [
            (b"01", 1),
            (b"00", 1),
            (b"-01", 2),
            (b"[01]", 2),
            (b"[-00]", 3),
            (b'{"a":007}', 6),
            (b"--1", 1),
            (b"-+1", 1),
            (b"- 1", 1),
            (b"-a", 1),
            (b"-.5", 1),
            (b"[-]", 2),
            (b"-Infinity", 1),
            (b"-NaN", 1),
            (b"1.e5", 2),
            (b"[1.]", 3),
            (b"1. 5", 2),
            (b"1..5", 2),
            (b"1.-5", 2),
            (b"0.e1", 2),
            (b"1ee5", 2),
            (b"[1e]", 3),
            (b"1e+-5", 3),
            (b"1e++5", 3),
            (b"[1e+]", 4),
            (b"1e.5", 2),
            (b"1e 5", 2),
            (b"1.5ex", 4),
            (b"[1.,2]", 3),
            (b'{"a":-}', 6),
            (b'{"a":1.}', 7),
            (b"-\xff", 1),
            (b"1.\xc2\xbd", 2),
            (b"1e\xef\xbc\x91", 2),
            (b'-"1"', 1),
            (b"0.\x00", 2),
        ]
    ),
    # literals
    *(
        Reject(text, "literal", offset)
        for text, offset in [
            (b"nul1", 3),
            (b"nil", 1),
            (b"nULL", 1),
            (b"tRUE", 1),
            (b"tru e", 3),
            (b"truE", 3),
            (b"[tru]", 4),
            (b"[nul,1]", 4),
            (b"fals3", 4),
            (b"f", None),
            (b"falsx", 4),
            (b"nan", 1),
            (b"[nan]", 2),
            (b'{"a":none}', 6),
            (b"t\xff", 1),
            (b"n\x00", 1),
            (b"tr\xc3\xbce", 2),
            (b'{"a":f}', 6),
        ]
        if offset is not None
    ),
    # strings
    *(
        Reject(text, "control", offset)
        for text, offset in [
            (b'"\n"', 1),
            (b'"a\nb"', 2),
            (b'"\t"', 1),
            (b'"\x00"', 1),
            (b'"\x1f"', 1),
            (b'"a\x00', 2),
            (b'["\r\n"]', 2),
            (b'{"a\n":1}', 3),
            (b'{"a":"\x08"}', 6),
            (b'"0123456789abcdef\n"', 17),
            (b'"0123456789abcde\n"', 16),
            (b'"\xc3\xa9\n"', 3),
            (b'"\\n\n"', 3),
            (b'"\\ud83d\n"', 7),
        ]
    ),
    *(
        Reject(text, "escape", offset)
        for text, offset in [
            (b'"\\x41"', 2),
            (b'"\\a"', 2),
            (b'"\\0"', 2),
            (b'"\\\'"', 2),
            (b'"\\ "', 2),
            (b'"\\\n"', 2),
            (b'"\\\x00"', 2),
            (b'"\\U0041"', 2),
            (b'"\\\xc3\xa9"', 2),
            (b'"\\\xff"', 2),
            (b'"\\u"', 3),
            (b'"\\u1"', 4),
            (b'"\\u12"', 5),
            (b'"\\u123"', 6),
            (b'"\\u12G4"', 5),
            (b'"\\u 041"', 3),
            (b'"\\u-041"', 3),
            (b'"\\u{41}"', 3),
            (b'"\\u004\xc3\xa9"', 6),
            (b'"\\u00\\u41"', 5),
            (b'"\\ud83d\\x"', 8),
            (b'"\\ud83d\\u"', 9),
            (b'"\\ud83d\\udg00"', 10),
            (b'{"\\q":1}', 3),
            (b'["ok","\\v"]', 8),
            (b'"\\u00\n"', 5),
            (b'"\\N"', 2),
            (b'"\\uD83D\\uDE0"', 12),
        ]
    ),
    *(
        Reject(text, "utf8", offset)
        for text, offset in [
            (b'"\x80"', 1),
            (b'"\xbf"', 1),
            (b'"\xff"', 1),
            (b'"\xfe"', 1),
            (b'"\xc0\x80"', 1),
            (b'"\xc1\xbf"', 1),
            (b'"\xc3"', 2),
            (b'"\xc3\x28"', 2),
            (b'"\xc3\xc3\xa9"', 2),
            (b'"\xe2\x82"', 3),
            (b'"\xe2\x28\xa1"', 2),
            (b'"\xe2\x82\x28"', 3),
            (b'"\xe0\x80\x80"', 2),
            (b'"\xe0\x9f\xbf"', 2),
            (b'"\xed\xa0\x80"', 2),
            (b'"\xed\xbf\xbf"', 2),
            (b'"\xed\xa0\xbd\xed\xb8\x80"', 2),
            (b'"\xf0\x80\x80\x80"', 2),
            (b'"\xf0\x8f\xbf\xbf"', 2),
            (b'"\xf4\x90\x80\x80"', 2),
            (b'"\xf5\x80\x80\x80"', 1),
            (b'"\xf8\x88\x80\x80\x80"', 1),
            (b'"\xf0\x9f\x98"', 4),
            (b'"\xf0\x9f"', 3),
            (b'"\xf0\x28"', 2),
            (b'"\xf0\x9f\x98\xff"', 4),
            (b'"a\xe9b"', 3),
            (b'{"\xe9":1}', 3),
            (b'{"\xff":1}', 2),
            (b'["ok","\xc3"]', 8),
            (b'"\xc3\\u00e9"', 2),
            (b'"\xc3\n"', 2),
            (b'"0123456789abcdef\xff"', 17),
            (b'"0123456789abcde\xff"', 16),
            (b'"\xc3\xa9\xff"', 3),
            (b'"\\ud83d\xff"', 7),
            (b'"\\n\x80"', 3),
        ]
    ),
    # repeated keys where fields are reported (depth 1): at the second key's closing quote
    *(
        Reject(text, "duplicate", offset)
        for text, offset in [
            (b'{"a":1,"a":2}', 9),
            (b'{"a":1,"b":2,"a":3}', 15),
            (b'{"a":1,"\\u0061":2}', 14),
            (b'{"":1,"":2}', 7),
            (b'{"a":{},"a":1}', 10),
            (b'{"a":[1,2],"a"', 13),
            (b'{"\xc3\xa9":1,"\\u00e9":2}', 15),
            (b'{"\\ud83d\\ude00":1,"\xf0\x9f\x98\x80":2}', 23),
            (b'{"\\ud83d":1,"\\uD83D":2}', 19),
            (b'{"a\\/":1,"a/":2}', 12),
            (b'{ "a" : null , "a" : null }', 17),
            (b'{"\\u0000":1,"\\u0000":2}', 19),
        ]
    ),
]


def _bytes(*parts: bytes | range) -> frozenset[int]:
    return frozenset(byte for part in parts for byte in part)


_ANY = range(256)
_SPACE = b" \t\n\r"
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_ESCAPES = b'"\\/bfnrtu'
_VALUE = b'{["-0123456789tfn'
_LEADS = range(0xC2, 0xF5)
_BODY = _bytes(range(0x20, 0x80), _LEADS)
_CONTROLS = ((_bytes(range(0x20)), "control"),)
_TAIL = range(0x80, 0xC0)
_ZERO = ((_bytes(_DIGITS), "number"),)


def _states() -> list[State]:
    states = [
        State(b"", _bytes(_SPACE, _VALUE), "syntax"),
        State(b"\n", _bytes(_SPACE, _VALUE), "syntax"),
        State(b"[", _bytes(_SPACE, _VALUE, b"]"), "syntax"),
        State(b"[ ", _bytes(_SPACE, _VALUE, b"]"), "syntax"),
        State(b"[1,", _bytes(_SPACE, _VALUE), "syntax"),
        State(b"[[],", _bytes(_SPACE, _VALUE), "syntax"),
        State(b"{", _bytes(_SPACE, b'"}'), "syntax"),
        State(b'{"a":1,', _bytes(_SPACE, b'"'), "syntax"),
        State(b'{"a":{},', _bytes(_SPACE, b'"'), "syntax"),
        State(b'{"a"', _bytes(_SPACE, b":"), "syntax"),
        State(b'{"a" ', _bytes(_SPACE, b":"), "syntax"),
        State(b'{"a":', _bytes(_SPACE, _VALUE), "syntax"),
        State(b'{"a":null', _bytes(_SPACE, b",}"), "syntax"),
        State(b'{"a":"b"', _bytes(_SPACE, b",}"), "syntax"),
        State(b'{"a":[]', _bytes(_SPACE, b",}"), "syntax"),
        State(b'{"a":1 ', _bytes(_SPACE, b",}"), "syntax"),
        State(b"[true", _bytes(_SPACE, b",]"), "syntax"),
        State(b"[{}", _bytes(_SPACE, b",]"), "syntax"),
        State(b"[1 ", _bytes(_SPACE, b",]"), "syntax"),
        *(State(whole, _bytes(_SPACE), "trailing") for whole in (b"[]", b"{}", b'"a"', b"null", b"1 ", b"false\n")),
        State(b"-", _bytes(_DIGITS), "number"),
        State(b"0", _bytes(_SPACE, b".eE"), "trailing", _ZERO),
        State(b"12", _bytes(_SPACE, _DIGITS, b".eE"), "trailing"),
        State(b"1.5", _bytes(_SPACE, _DIGITS, b"eE"), "trailing"),
        State(b"1e5", _bytes(_SPACE, _DIGITS), "trailing"),
        State(b"[0", _bytes(_SPACE, b",].eE"), "syntax", _ZERO),
        State(b"[-0", _bytes(_SPACE, b",].eE"), "syntax", _ZERO),
        State(b"[12", _bytes(_SPACE, _DIGITS, b",].eE"), "syntax"),
        State(b"[1.", _bytes(_DIGITS), "number"),
        State(b"[1.5", _bytes(_SPACE, _DIGITS, b",]eE"), "syntax"),
        State(b'{"a":1e', _bytes(_DIGITS, b"+-"), "number"),
        State(b'{"a":1e-', _bytes(_DIGITS), "number"),
        State(b'{"a":1e-5', _bytes(_SPACE, _DIGITS, b",}"), "syntax"),
    ]
    states += [
        State(opening + word[:size], _bytes(word[size : size + 1]), "literal")
        for opening in (b"", b"[")
        for word in (b"true", b"false", b"null")
        for size in range(1, len(word))
    ]
    for opening in (b'"', b'{"', b'["', b'{"a":"'):
        states += [
            State(opening + body, _BODY, "utf8", _CONTROLS)
            for body in (b"", b"x", b"0123456789abcdef", b"\\n", b"\xc3\xa9", b"\\u0041", b"\\ud83d", b"\\ud83d\\ude00")
        ]
        states += [State(opening + body + b"\\", _bytes(_ESCAPES), "escape") for body in (b"", b"\\ud83d")]
        states += [
            State(opening + body, _bytes(_HEX), "escape")
            for body in (b"\\u", b"\\u0", b"\\uD8", b"\\u00e", b"\\ud83d\\u", b"\\ud83d\\ud", b"\\ud83d\\ude0")
        ]
        states += [
            State(opening + sequence, _bytes(tail), "utf8")
            for sequence, tail in [
                (b"\xc2", _TAIL),
                (b"\xdf", _TAIL),
                (b"\xe0", range(0xA0, 0xC0)),
                (b"\xe1", _TAIL),
                (b"\xec", _TAIL),
                (b"\xed", range(0x80, 0xA0)),
                (b"\xee", _TAIL),
                (b"\xef", _TAIL),
                (b"\xe0\xa0", _TAIL),
                (b"\xed\x9f", _TAIL),
                (b"\xf0", range(0x90, 0xC0)),
                (b"\xf1", _TAIL),
                (b"\xf3", _TAIL),
                (b"\xf4", range(0x80, 0x90)),
                (b"\xf0\x90", _TAIL),
                (b"\xf4\x8f", _TAIL),
                (b"\xf0\x9f\x98", _TAIL),
                (b"\xf4\x8f\xbf", _TAIL),
            ]
        ]
    return states


STATES = _states()
