"""Random documents for the laws: values, the many ways to write each down, ways to cut and to damage what is written.

TOOLSTREAM_FUZZ_EXAMPLES sets how many examples each law is tried on; with CI set the examples are always the same.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("TOOLSTREAM_FUZZ_EXAMPLES", "150"))

laws = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="CI" in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

characters = st.one_of(
    st.sampled_from('"\\/\b\f\n\r\t{}[]:,0 u\x00\x1f\x7f'),
    st.characters(max_codepoint=0x7F),
    st.characters(exclude_categories=["Cs"]),
    st.sampled_from("\ud7ff\ue000\uffff\U00010000\U0010ffff\u2028😀é"),
)
surrogates = st.sampled_from("\ud800\udbff\udc00\udfff\ud83d\ude00")
texts = st.text(st.one_of(characters, characters, characters, surrogates), max_size=12)
keys = st.one_of(st.sampled_from(["a", "b", "key", "", "é", '"']), texts)
integers = st.one_of(
    st.integers(-20, 20),
    st.sampled_from([2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, -(2**63) - 1]),
    st.integers(-(10**40), 10**40),
)
scalars = st.one_of(
    st.none(), st.booleans(), integers, st.floats(allow_nan=False, allow_infinity=False), texts, st.just("x" * 40)
)
documents = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(keys, inner, max_size=5)),
    max_leaves=20,
)
seeds = st.integers(0, 2**32)

_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def write(value: Any, rng: random.Random) -> bytes:
    """The value as JSON text: white space, escapes and spellings of numbers at random."""
    style = rng.choice(["tight", "tight", "spaced", "wild"])
    return _write(value, rng, style).encode("utf-8")


def _space(rng: random.Random, style: str) -> str:
    if style == "tight":
        return ""
    return rng.choice(["", " "]) if style == "spaced" else "".join(rng.choices(" \t\r\n", k=rng.randrange(4)))


def _write(value: Any, rng: random.Random, style: str) -> str:
    before, after = _space(rng, style), _space(rng, style)
    if isinstance(value, dict):
        members = [
            f"{_space(rng, style)}{_string(k, rng)}{_space(rng, style)}:{_write(v, rng, style)}"
            for k, v in value.items()
        ]
        body = "{" + ",".join(members) + _space(rng, style) + "}"
    elif isinstance(value, list):
        body = "[" + ",".join(_write(element, rng, style) for element in value) + _space(rng, style) + "]"
    elif isinstance(value, str):
        body = _string(value, rng)
    else:
        body = _scalar(value, rng)
    return before + body + after


def _scalar(value: Any, rng: random.Random) -> str:
    plain = json.dumps(value)
    if isinstance(value, float) and rng.random() < 0.3:
        return rng.choice([f"{value:.17e}", f"{value:.20E}", plain.replace("e", "E")])
    if value == 0 and isinstance(value, int) and not isinstance(value, bool):
        return rng.choice(["0", "-0", "0e5", "0.0"])
    return plain


def _string(text: str, rng: random.Random) -> str:
    wanted = rng.choice([0.0, 0.1, 1.0])
    return '"' + "".join(_character(c, rng, wanted) for c in text) + '"'


def _character(c: str, rng: random.Random, wanted: float) -> str:
    code = ord(c)
    must = code < 0x20 or c in '"\\' or 0xD800 <= code < 0xE000
    if not must and rng.random() >= wanted:
        return "\\/" if c == "/" and rng.random() < 0.5 else c
    if c in _SHORT and rng.random() < 0.7:
        return _SHORT[c]
    units = [code] if code < 0x10000 else [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)]
    return "".join(f"\\u{unit:{rng.choice(['04x', '04X'])}}" for unit in units)


def fragments(data: Any, rng: random.Random) -> list[Any]:
    """Some way to cut data: into two, into single bytes or characters, evenly, or anyhow; empty ones among them."""
    way = rng.choice(["whole", "two", "single", "even", "any", "any"])
    if way == "whole":
        return [data]
    if way == "two":
        at = rng.randint(0, len(data))
        return [data[:at], data[at:]]
    if way == "any":
        places = sorted(rng.randint(0, len(data)) for _ in range(rng.randrange(1, 12)))
        return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    step = 1 if way == "single" else rng.randint(2, 17)
    return [data[at : at + step] for at in range(0, len(data), step)]


_SPLINTERS = [
    b"",
    b'"',
    b"\\",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"1",
    b"-",
    b".",
    b"e",
    b"+",
    b" ",
    b"\n",
    b"\x00",
    b"\x1f",
    b"\x80",
    b"\xbf",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xff",
    b"\\u",
    b"\\ud83d",
    b"\\ude00",
    b"true",
    b"nul",
    b"NaN",
    b'"a":',
    b"1e999",
    b"\xef\xbb\xbf",
    b"//",
    b"'",
    b"00",
]


def damage(data: bytes, rng: random.Random) -> bytes:
    """The text with a few bytes lost, doubled, changed, moved or put in."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        start = rng.randint(0, len(data))
        end = min(len(data), start + rng.choice([0, 1, 1, 2, 5]))
        what = rng.randrange(5)
        if what == 0:
            data = data[:start] + data[end:]
        elif what == 1:
            data = data[:end] + data[start:]
        elif what == 2:
            data = data[:start]
        else:
            data = data[:start] + rng.choice(_SPLINTERS) + data[end if what == 3 else start :]
    return data
