"""Plain classes whose objects C makes: what they are made of, and what is refused, is what Python would do."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from toolstream import MessageStart, ToolCall, Usage
from toolstream._core import native
from toolstream.lane import Repeat
from toolstream.records import Record, constructor
from toolstream.usage import same_counts


class Pair(Record):
    __slots__ = ("kind", "left", "more", "right")

    def __init__(self, left: Any, right: Any = 2, more: Any = None) -> None:
        self.left = left
        self.right = right
        self.more = [] if more is None else more
        self.kind = "pair"


as_written = Pair.__init__
Pair.__init__ = constructor(Pair, Pair.__init__)  # type: ignore[method-assign]


def told(pair: Pair) -> tuple[Any, ...]:
    return pair.left, pair.right, pair.more, pair.kind


CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((1,), {}),
    ((1, 3), {}),
    ((1, 3, "m"), {}),
    ((1, 3, None), {}),
    ((1,), {"more": "m"}),
    ((), {"left": 1, "right": 3, "more": "m"}),
    ((), {"more": "m", "left": 1}),
    ((), {"".join(("le", "ft")): 1}),
]
FAULTS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((1, 2, 3, 4), {}),
    ((1,), {"left": 1}),
    ((1,), {"other": 1}),
    ((), {"right": 1}),
]


@pytest.mark.parametrize(("given", "named"), CALLS)
def test_an_object_is_what_its_init_makes_of_the_arguments(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    expected = Pair.__new__(Pair)
    as_written(expected, *given, **named)
    assert told(Pair(*given, **named)) == told(expected)
    again = Pair(0)
    again.__init__(*given, **named)  # type: ignore[misc]
    assert told(again) == told(expected)


@pytest.mark.parametrize(("given", "named"), FAULTS)
def test_arguments_that_do_not_fit_are_refused_in_the_same_words(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as expected:
        as_written(Pair.__new__(Pair), *given, **named)
    with pytest.raises(TypeError) as error:
        Pair(*given, **named)
    assert str(error.value) == str(expected.value)


def test_a_default_that_is_made_anew_is_no_ones_else() -> None:
    assert Pair(1).more is not Pair(1).more
    assert Usage().raw is not Usage().raw


def test_a_subclass_has_its_own_init() -> None:
    class Twin(Pair):
        def __init__(self, both: Any) -> None:
            super().__init__(both, both)

    assert told(Twin(7)) == (7, 7, [], "pair")


def test_an_init_that_is_put_in_its_place_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pair, "__init__", lambda self, left: as_written(self, -left))
    assert Pair(1).left == -1


@pytest.mark.skipif(native is None, reason="without the extension all is left to Python")
def test_an_init_that_does_more_than_to_store_is_refused() -> None:
    class Shared(Record):
        __slots__ = ("items", "name")

        def __init__(self, name: str) -> None:
            self.name = name
            self.items: list[str] = []

    class Twice(Record):
        __slots__ = ("name", "name_again")

        def __init__(self, name: str) -> None:
            self.name = self.name_again = name

    for cls in (Shared, Twice):
        with pytest.raises(TypeError, match="does not only store"):
            constructor(cls, cls.__init__)


def test_records_copy_and_pickle() -> None:
    usage = Usage(1, output_tokens=2, raw={"a": 1})
    assert pickle.loads(pickle.dumps(usage)) == copy.deepcopy(usage) == usage
    start = MessageStart("p", None, "m")
    assert pickle.loads(pickle.dumps(start)) == start
    served = ToolCall("id", "name")
    served.server = True
    call = pickle.loads(pickle.dumps(served))
    assert (call.id, call.name, call.server, call.index, call.state) == ("id", "name", True, -1, "streaming")
    call._withdrawn = True
    for copied in (copy.copy(call), pickle.loads(pickle.dumps(call))):
        assert copied._withdrawn
        assert not copied._cumulative
    assert copy.copy(Repeat("text", "a", keep=([],))).keep == ([],)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Usage) if field.name != "raw"])
def test_each_count_makes_usage_another_one(name: str) -> None:
    before = Usage()
    after = dataclasses.replace(before, **{name: True if name == "final" else 7})
    assert not same_counts(after, before)
    assert same_counts(after, dataclasses.replace(after, raw={"other": 1}))
