"""Path subscriptions: what users may write, which places that names, and what is refused at once."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from json_runs import each_one, joined, run

from toolstream import JSONParser
from toolstream.paths import Subscription

DOCUMENT = (
    b'{"query":"tides","limit":3,"files":["a.py","b.py"],"edits":[{"path":"a.py","lines":[1,2]},{"path":"b.py"}],'
    b'"odd.key":{"x":1,"y":{"x":2}},"a":{"b":{"url":"u1"},"c":{"url":"u2","list":[{"url":"u3"}]}},"url":"u0","0":"zero"}'
)


def reported(paths: Any, document: bytes = DOCUMENT, **options: Any) -> list[tuple[Any, ...]]:
    parser = JSONParser(paths=paths, **options)
    return [event[1:] for event in joined(parser.feed(document)) if event[0] == "complete"]


def places(paths: Any, document: bytes = DOCUMENT) -> list[tuple[Any, ...]]:
    return [path for path, _ in reported(paths, document)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("query", [("query",)]),
        ("limit", [("limit",)]),
        ("missing", []),
        ("files", [("files",)]),
        ("files[0]", [("files", 0)]),
        ("files[1]", [("files", 1)]),
        ("files[2]", []),
        ("files[*]", [("files", 0), ("files", 1)]),
        ("files.*", []),
        ("edits[*].path", [("edits", 0, "path"), ("edits", 1, "path")]),
        ("edits[1].path", [("edits", 1, "path")]),
        ("edits[*]", [("edits", 0), ("edits", 1)]),
        ("edits[0].lines[*]", [("edits", 0, "lines", 0), ("edits", 0, "lines", 1)]),
        ("edits[*][*]", []),
        ("edits[*].*", [("edits", 0, "path"), ("edits", 0, "lines"), ("edits", 1, "path")]),
        ("a.b.url", [("a", "b", "url")]),
        ("a.*", [("a", "b"), ("a", "c")]),
        ("a.*.url", [("a", "b", "url"), ("a", "c", "url")]),
        ("**.url", [("a", "b", "url"), ("a", "c", "url"), ("a", "c", "list", 0, "url"), ("url",)]),
        ("a.**.url", [("a", "b", "url"), ("a", "c", "url"), ("a", "c", "list", 0, "url")]),
        ("**[0]", [("files", 0), ("edits", 0, "lines", 0), ("edits", 0), ("a", "c", "list", 0)]),
        (
            "a.c.**",
            [("a", "c", "url"), ("a", "c", "list", 0, "url"), ("a", "c", "list", 0), ("a", "c", "list"), ("a", "c")],
        ),
        ('["odd.key"]', [("odd.key",)]),
        ('["odd.key"].x', [("odd.key", "x")]),
        ("['odd.key'].x", [("odd.key", "x")]),
        ('["odd.key"].y.x', [("odd.key", "y", "x")]),
        ('a["b"].url', [("a", "b", "url")]),
        ('a["b"]["url"]', [("a", "b", "url")]),
        ('["0"]', [("0",)]),
        ("0", [("0",)]),
        ("[0]", []),
        ("*", [("query",), ("limit",), ("files",), ("edits",), ("odd.key",), ("a",), ("url",), ("0",)]),
    ],
)
def test_a_pattern_names_places(pattern: str, expected: list[tuple[Any, ...]]) -> None:
    assert places([pattern]) == expected
    assert places(pattern) == expected
    assert places(["$" + pattern if pattern.startswith("[") else "$." + pattern]) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (("query",), [("query",)]),
        (("files", 1), [("files", 1)]),
        (("files", ...), [("files", 0), ("files", 1)]),
        (("edits", ..., "path"), [("edits", 0, "path"), ("edits", 1, "path")]),
        (("a", ..., "url"), [("a", "b", "url"), ("a", "c", "url")]),
        (("odd.key", "x"), [("odd.key", "x")]),
        (("files", "1"), []),
        ((0,), []),
        (("0",), [("0",)]),
        ((..., ..., "lines"), [("edits", 0, "lines")]),
    ],
)
def test_a_tuple_names_places(pattern: tuple[Any, ...], expected: list[tuple[Any, ...]]) -> None:
    assert places([pattern]) == expected


def test_a_root_array_begins_with_an_index() -> None:
    document = b'[{"a":1},{"a":2,"b":[3]}]'
    assert places("[1]", document) == [(1,)]
    assert places("[*].a", document) == [(0, "a"), (1, "a")]
    assert places("$[1].b[0]", document) == [(1, "b", 0)]
    assert places("*", document) == []
    assert places([(..., "a")], document) == [(0, "a"), (1, "a")]


def test_several_patterns_report_each_place_once() -> None:
    assert places(["query", "**.url", "url", "*"]).count(("url",)) == 1
    assert places(["a.b", "a.b.url"]) == [("a", "b", "url"), ("a", "b")]
    assert places([]) == []


def test_quoted_keys_may_hold_anything() -> None:
    document = b'{"":1,"a\\"b":2,"x]y":3,"it\'s":4,"\\u00e9 \\ud83d\\ude00":5,"back\\\\slash":6,"**":7,"$":8}'
    assert reported('[""]', document) == [(("",), 1)]
    assert reported('["a\\"b"]', document) == [(('a"b',), 2)]
    assert reported('["x]y"]', document) == [(("x]y",), 3)]
    assert reported("['it\\'s']", document) == [(("it's",), 4)]
    assert reported('["é \\ud83d\\ude00"]', document) == [(("é 😀",), 5)]
    assert reported('["é 😀"]', document) == [(("é 😀",), 5)]
    assert reported('["back\\\\slash"]', document) == [(("back\\slash",), 6)]
    assert reported('["**"]', document) == [(("**",), 7)]
    assert reported('["$"]', document) == [(("$",), 8)]
    assert reported([('a"b',)], document) == [(('a"b',), 2)]


def test_names_may_be_any_letters() -> None:
    document = '{"größe":1,"file-name":2,"x_1":3,"名前":{"部":4},"$ref":5,"@id":6}'.encode()
    assert reported(["größe", "file-name", "x_1", "名前.部", "@id"], document) == [
        (("größe",), 1),
        (("file-name",), 2),
        (("x_1",), 3),
        (("名前", "部"), 4),
        (("@id",), 6),
    ]
    assert reported("$ref", document) == [(("$ref",), 5)]


def test_a_key_matches_however_the_document_escapes_it() -> None:
    assert reported("query", b'{"\\u0071uery":1}') == [(("query",), 1)]
    assert reported([("\ud83d",)], b'{"\\ud83d":1}') == [(("\ud83d",), 1)]


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".",
        "$",
        "$.",
        "a.",
        ".a",
        "a..b",
        "a.[0]",
        "[",
        "]",
        "a[",
        "a]",
        "a[]",
        "a[x]",
        "a[-1]",
        "a[1",
        "a[1]b",
        "a[1.5]",
        "a[*",
        'a["x',
        'a["x"',
        "a['x",
        '["a"]b',
        '["\\x"]',
        "a b",
        " a",
        "a ",
        "a.***",
        "a*",
        "*a",
        "a.*b",
        "**a",
        "a.'b'",
        '"a"',
        "a[0x1]",
        "a[+1]",
        "a[ 1 ]",
        "a[99999999999999999999]",
        "a.$.",
        "$$.",
        "a[**]",
        "a['b']c",
    ],
)
def test_a_path_that_cannot_be_read_is_a_value_error_at_once(pattern: str) -> None:
    for options in ({"paths": [pattern]}, {"paths": pattern}, {"deltas": [pattern]}):
        with pytest.raises(ValueError, match=r"path|index|root"):
            JSONParser(**options)


@pytest.mark.parametrize(
    "pattern", [(), ("a", None), ("a", 1.5), ("a", -1), ("a", True), ("a", b"b"), ("a", ["b"]), (2**63,)]
)
def test_a_tuple_that_cannot_be_read_is_a_value_error_at_once(pattern: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"path|root"):
        JSONParser(paths=[pattern])


@pytest.mark.parametrize("paths", [1, [1], [None], [b"a"], object(), [["a"]]])
def test_paths_of_other_types_are_a_value_error_at_once(paths: Any) -> None:
    with pytest.raises(ValueError, match="path"):
        JSONParser(paths=paths)


def test_the_error_names_the_option_that_is_wrong() -> None:
    with pytest.raises(ValueError, match=r"^deltas is True, False or paths"):
        JSONParser(deltas=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [-1, 1.5, "1", True])
def test_a_depth_that_is_none_is_a_value_error_at_once(depth: Any) -> None:
    with pytest.raises(ValueError, match="depth"):
        JSONParser(depth=depth)


def test_paths_replace_depth() -> None:
    assert reported("edits[*].path", depth=None) == [(("edits", 0, "path"), "a.py"), (("edits", 1, "path"), "b.py")]


def test_deltas_follow_the_reported_paths_or_their_own() -> None:
    document = b'{"a":"one","b":{"c":"two","d":"three"}}'

    def deltas(**options: Any) -> list[tuple[Any, ...]]:
        return [event[1:] for event in joined(JSONParser(**options).feed(document)) if event[0] == "delta"]

    assert deltas(deltas=False) == []
    assert deltas(deltas=True) == [(("a",), "one")]
    assert deltas(deltas=True, depth=None) == [(("a",), "one"), (("b", "c"), "two"), (("b", "d"), "three")]
    assert deltas(deltas=True, paths=["b.d"]) == [(("b", "d"), "three")]
    assert deltas(deltas=["b.c"], paths=["b.d"]) == [(("b", "c"), "two")]
    assert deltas(deltas="b.*") == [(("b", "c"), "two"), (("b", "d"), "three")]
    assert deltas(deltas=[("b", ...)], depth=0) == [(("b", "c"), "two"), (("b", "d"), "three")]
    assert deltas(deltas=[]) == []


@pytest.mark.parametrize("pattern", ["query", "**.url", "edits[*].path", "a.*", '["odd.key"].x', "**"])
def test_paths_match_alike_however_the_document_is_cut(pattern: str) -> None:
    expected = run([DOCUMENT], paths=[pattern], deltas=True)
    assert run(each_one(DOCUMENT), paths=[pattern], deltas=True) == expected
    for at in range(len(DOCUMENT)):
        assert run([DOCUMENT[:at], DOCUMENT[at:]], paths=[pattern], deltas=True) == expected


def test_a_repeated_key_matters_only_where_a_path_reported_something() -> None:
    twice = b'{"a":{"x":1},"b":1,"b":2,"a":{"x":2}}'
    outcome = run([twice], paths=["a.x"])
    assert (outcome.kind, outcome.offset) == ("duplicate", twice.rindex(b'"a"') + 2)
    assert run([twice], paths=["c"]).fault is None
    assert run([b'{"a":1,"a":{"x":2}}'], paths=["a.x"]).fault is None


def test_a_thousand_patterns_are_one_subscription() -> None:
    paths = [f"field_{n}.value" for n in range(1000)]
    document = b'{"field_7":{"value":1},"field_999":{"value":2,"other":3}}'
    assert reported(paths, document) == [(("field_7", "value"), 1), (("field_999", "value"), 2)]


def test_a_subscription_is_shared_and_pickles() -> None:
    subscription = Subscription.compile(paths=["a.b", ("c", ...)], deltas=["**.d"])
    again = pickle.loads(pickle.dumps(subscription))
    assert (again.depth, again.patterns, again.deltas) == (
        subscription.depth,
        subscription.patterns,
        subscription.deltas,
    )
    assert copy.deepcopy(subscription).patterns == subscription.patterns
