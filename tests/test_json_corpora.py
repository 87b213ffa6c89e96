"""Documents collected by others, where they are at hand: JSONTestSuite and the big list of naughty strings.

TOOLSTREAM_CORPORA names a directory with `corpora/JSONTestSuite` (github.com/nst/JSONTestSuite) and
`corpora/naughty_strings` (github.com/minimaxir/big-list-of-naughty-strings) in it.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from json_documents import fragments
from json_oracle import read, same, strict_loads
from json_runs import each_one, run, two_way_cuts

from toolstream import FieldDelta, JSONError, JSONParser, loads

CORPORA = os.environ.get("TOOLSTREAM_CORPORA")
WITHOUT = "TOOLSTREAM_CORPORA is not set: the collected documents are not here"


def files(folder: str, prefix: str = "") -> list[Any]:
    """A parameter for each file; one that skips, and says so, without the corpora."""
    if CORPORA is None:
        return [pytest.param(None, id="no corpora", marks=pytest.mark.skip(reason=WITHOUT))]
    found = sorted((Path(CORPORA) / "corpora" / "JSONTestSuite" / folder).glob(f"{prefix}*.json"))
    assert found, f"no documents in {CORPORA}/corpora/JSONTestSuite/{folder}"
    return [pytest.param(path, id=path.name) for path in found]


def ways_to_cut(data: bytes) -> Iterator[list[bytes]]:
    """Byte by byte, at every two-way cut (of a giant: at some), and some ways at random."""
    yield each_one(data)
    yield from two_way_cuts(data, most=500 if len(data) < 10_000 else 40)
    rng = random.Random(len(data))
    for _ in range(10):
        yield fragments(data, rng)


def depth_for(data: bytes) -> int | None:
    """Every value is reported, but where a tower of containers would make a square of its reports."""
    return None if data.count(b"[") < 100 else 1


def check_accepted(data: bytes, expected: Any) -> None:
    depth = depth_for(data)
    outcome = run([data], depth=depth, deltas=True, duplicate_keys="last")
    assert outcome.fault is None
    assert outcome.value == repr(expected)
    assert same(loads(data), expected)
    for pieces in ways_to_cut(data):
        assert run(pieces, depth=depth, deltas=True, duplicate_keys="last") == outcome
        assert run(pieces, depth=0).value == outcome.value


def check_rejected(data: bytes) -> None:
    outcome = run([data], depth=None, deltas=True, duplicate_keys="last")
    assert outcome.fault is not None
    assert not outcome.complete or outcome.kind == "trailing"
    if len(data) < 1000:
        fault = read(data, duplicates="last").fault
        assert fault is not None
        assert (outcome.kind, outcome.offset) == (fault.kind, fault.offset)
    for pieces in ways_to_cut(data):
        assert run(pieces, depth=None, deltas=True, duplicate_keys="last") == outcome
    with pytest.raises(JSONError):
        loads(data)


@pytest.mark.parametrize("path", files("test_parsing", "y_"))
def test_documents_that_must_be_accepted(path: Path) -> None:
    data = path.read_bytes()
    check_accepted(data, strict_loads(data))


@pytest.mark.parametrize("path", files("test_parsing", "n_"))
def test_documents_that_must_be_rejected(path: Path) -> None:
    check_rejected(path.read_bytes())


@pytest.mark.parametrize("path", [*files("test_parsing", "i_"), *files("test_transform")])
def test_documents_that_may_be_either_are_treated_as_strict_json_loads_does(path: Path) -> None:
    """UTF-16, a BOM, invalid UTF-8: rejected; huge numbers, lone surrogates, depth within the limit: accepted."""
    data = path.read_bytes()
    try:
        expected = strict_loads(data)
    except ValueError:
        check_rejected(data)
    else:
        check_accepted(data, expected)


def naughty_strings() -> list[str]:
    if CORPORA is None:
        pytest.skip(WITHOUT)
    text = (Path(CORPORA) / "corpora" / "naughty_strings" / "blns.json").read_text(encoding="utf-8")
    found: list[str] = json.loads(text)
    assert len(found) > 400
    return found


@pytest.mark.parametrize("ensure_ascii", [True, False], ids=["escaped", "raw"])
def test_naughty_strings_as_values_and_keys(ensure_ascii: bool) -> None:
    rng = random.Random(7)
    for text in naughty_strings():
        document = json.dumps({"value": text, "list": [text, {"key": text}], "n": 1}, ensure_ascii=ensure_ascii)
        expected = json.loads(document)
        for pieces in ([document], each_one(document.encode()), fragments(document, rng)):
            parser = JSONParser(deltas=True)
            events = [event for piece in pieces for event in parser.feed(piece)]
            parser.close()
            assert same(parser.value, expected)
            grown = "".join(event.text for event in events if isinstance(event, FieldDelta))
            assert grown == text
        as_key = json.dumps({text: text, text + "!": {text: [text]}}, ensure_ascii=ensure_ascii)
        for pieces in ([as_key], each_one(as_key.encode()), fragments(as_key, rng)):
            parser = JSONParser(paths=[(text,), (text + "!", text)])
            completed = [event.path for piece in pieces for event in parser.feed(piece)]  # type: ignore[union-attr]
            assert completed == [(text,), (text + "!", text)]
            assert same(parser.value, json.loads(as_key))


def test_all_naughty_strings_in_one_document() -> None:
    strings = naughty_strings()
    document = json.dumps({str(at): {text: at} for at, text in enumerate(strings)}, ensure_ascii=False)
    expected = run([document.encode()], depth=None)
    assert expected.fault is None
    assert expected.value == repr(json.loads(document))
    assert run(each_one(document.encode()), depth=None) == expected
