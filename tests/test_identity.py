"""Which fragment belongs to which call, and what of it is new: how chat servers tell it, and mistell it."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
import wire
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import calls, chat, chunk, entry, read

from toolstream import FieldComplete, JSONError, MessageEnd, ProviderError, StreamParser, ToolCallEnd


def of_one_call(*arguments: Any, **repeated: Any) -> wire.Wire:
    """A stream with a call whose entries hold these arguments; repeated: what each names besides."""
    first = {"id": "a", "name": "f", **repeated}
    return chat(
        [calls(entry(0, one, **(repeated if number else first))) for number, one in enumerate(arguments)],
    )


class TestResends:
    @pytest.mark.parametrize("repeated", [{}, {"id": "a"}, {"id": "a", "name": "f"}])
    @pytest.mark.parametrize(
        "texts",
        [
            ["{", '{"query"', '{"query": "ca', '{"query": "café"}'],
            # The first fragment ends where an object could begin, so that the next could be that object.
            ['{"query": ', '{"query": "café"}'],
            ['{"query": ', '{"query": "ca', '{"query": "café"}'],
            ['{"query": ', '{"query": ', '{"query": "café"}'],
            ['{"query": ', '{"query": "café"}', '{"query": "café"}'],
            ['{"query": ', '{"query": "café"}', "\n"],
            # Once cumulative, a shorter one is old news.
            ['{"que', '{"query": "ca', '{"query"', '{"query": "café"}'],
            # Everything again at the end, in the same spelling or another one.
            ['{"query": ', '"café"}', '{"query": "café"}'],
            ['{"query": ', '"café"}', '{"query":"caf\\u00e9"}'],
        ],
    )
    def test_arguments_that_come_again_count_once(self, texts: list[str], repeated: dict[str, str]) -> None:
        reading = read(of_one_call(*texts, **repeated))
        assert reading.error is None
        assert reading.call.text == '{"query": "café"}'
        assert reading.call.arguments == {"query": "café"}
        assert [event.value for event in reading.of(FieldComplete)] == ["café"]
        assert reading.call.state == "committed"

    @pytest.mark.parametrize(
        "texts",
        [
            ['{"a": ', '{"a": ', "1}}"],
            ['{"a": ', '{"a": 1', "}}"],
            ['{"a": ', '{"a": {"b": 1', "}}", "}"],
            ["[1,", "[1,", "2]]"],
            ["[1,", "[1,2]]"],
            ['{"a": "', "ha", "ha", "ha", '"}'],
            ['{"a": [', "[1], ", "[1], ", "[1]]}"],
            ['{"a": [1', "1", "1", "1]}"],
            ['{"', '{":', " ", "[]}"],
        ],
    )
    def test_increments_that_happen_to_repeat_are_kept(self, texts: list[str]) -> None:
        reading = read(of_one_call(*texts))
        assert reading.error is None
        assert reading.call.text == "".join(texts)
        assert reading.call.arguments == json.loads("".join(texts))

    def test_each_of_two_calls_has_a_mode_of_its_own(self) -> None:
        pairs = [('{"a"', '{"b"'), ('{"a": 1', ": "), ('{"a": 12', "2"), ('{"a": 12}', "2}")]
        first = [calls(entry(0, "", "a", "f"), entry(1, "", "b", "f"))]
        reading = read(chat(first, [calls(entry(0, one), entry(1, other)) for one, other in pairs]))
        assert [call.arguments for call in reading.calls] == [{"a": 12}, {"b": 22}]

    def test_nothing_is_said_while_a_fragment_may_be_either(self) -> None:
        parser = StreamParser()
        parser.feed_event(calls(entry(0, '{"a": ', "a", "f")))
        assert parser.feed_event(calls(entry(0, '{"a": 1, '))) == []
        (event,) = parser.feed_event(calls(entry(0, '{"a": 1, "b": 2, ')))[:1]
        assert isinstance(event, FieldComplete)
        assert (event.path, event.value) == (("a",), 1)

    def test_a_call_in_doubt_ends_when_the_next_one_begins(self) -> None:
        reading = read(
            chat([calls(entry(0, '{"a": ', "a", "f")), calls(entry(0, '{"a": 1}'))], wire.chat_call(1, "{}"))
        )
        assert [call.arguments for call in reading.calls] == [{"a": 1}, {}]
        assert reading.types.index("tool_call_end") < reading.types.index("tool_call_start", 2)

    def test_a_call_that_was_cut_in_doubt_is_cut(self) -> None:
        reading = read(
            chat([calls(entry(0, '{"a": ', "a", "f")), calls(entry(0, '{"a": {"b": 1'))], finish_reason="length")
        )
        assert reading.call.state == "void"
        assert not reading.of(ToolCallEnd)

    def test_a_repetition_after_the_next_call_has_begun(self) -> None:
        replay = [calls(entry(0, '{"x":1}', "call_0", "search")), calls(entry(1, '{"x": 2}', "call_1", "search"))]
        reading = read(chat(wire.chat_call(0, '{"x": ', "1}"), wire.chat_call(1, '{"x": ', "2}"), replay))
        assert [call.arguments for call in reading.calls] == [{"x": 1}, {"x": 2}]
        assert reading.error is None

    def test_something_else_after_the_end_is_a_fault(self) -> None:
        assert isinstance(read(of_one_call('{"a": 1}', '{"a": 2}')).error, JSONError)


# Strings and keys that make fragments look like the beginning.
odd = st.sampled_from(["", "a", ":", ",", "{", '{"', "}", "]", '"', ":1,", "[1,"])
values = st.recursive(
    odd | st.integers(0, 12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(odd, values, min_size=1, max_size=3) | st.lists(values, min_size=1, max_size=3)


class TestAllResends:
    @settings(max_examples=300)
    @given(documents, st.data())
    def test_increments_are_never_taken_for_repetitions(self, document: Any, data: st.DataObject) -> None:
        text = json.dumps(document, separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")])))
        places = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {0, len(text)})
        call = read(of_one_call(*(text[begin:end] for begin, end in pairwise(places)))).call
        assert (call.text, call.state) == (text, "committed")

    @settings(max_examples=300)
    @given(documents, st.data())
    def test_repetitions_are_never_taken_for_increments(self, document: Any, data: st.DataObject) -> None:
        text = json.dumps(document, separators=data.draw(st.sampled_from([(",", ":"), (", ", ": ")])))
        places = sorted(data.draw(st.sets(st.integers(1, len(text)))) | {len(text)})
        call = read(of_one_call(*(text[:end] for end in places))).call
        assert (call.text, call.state) == (text, "committed")


class TestObjects:
    @pytest.mark.parametrize("repeated", [{}, {"id": "a"}, {"id": "a", "name": "f"}])
    @pytest.mark.parametrize(
        "objects",
        [
            [{"x": "é", "y": [1, {}]}],
            [{"x": "é"}, {"x": "é", "y": [1, {}]}],
            [{}, {"x": "é"}, {"x": "é", "y": [1, {}]}],
            [{"x": "é", "y": [1, {}]}, {"x": "é", "y": [1, {}]}],
            [{"x": "é"}, {"y": [1, {}]}],
            [{"x": "é", "y": [1, {}]}, {"y": [1, {}], "x": "é"}],
            ["", {"x": "é", "y": [1, {}]}, ""],
            [{"x": "é", "y": [1, {}]}, '{"x":"é","y":[1,{}]}'],
            ['{"x": "é", ', {"x": "é", "y": [1, {}]}],
        ],
    )
    def test_arguments_as_the_object_itself(self, objects: list[Any], repeated: dict[str, str]) -> None:
        reading = read(of_one_call(*objects, **repeated))
        assert reading.error is None
        assert reading.call.arguments == {"x": "é", "y": [1, {}]}
        assert [event.path for event in reading.of(FieldComplete)] == [("x",), ("y",)]
        assert reading.call.state == "committed"

    def test_fields_of_an_object_are_told_at_once(self) -> None:
        parser = StreamParser()
        types = [event.type for event in parser.feed_event(calls(entry(0, {"x": "a", "y": "b"}, "a", "f")))]
        assert types == ["message_start", "tool_call_start", "field_complete", "field_complete"]

    def test_several_calls_whose_arguments_are_objects(self) -> None:
        for ids in (("a", "b"), (None, None)):
            entries = [entry(0, {"x": number}, id, "f") for number, id in enumerate(ids)]
            for stream in (chat([calls(*entries)]), chat([calls(one) for one in entries])):
                reading = read(stream)
                assert [call.arguments for call in reading.calls] == [{"x": 0}, {"x": 1}]

    def test_an_object_that_takes_back_what_another_said_is_a_fault(self) -> None:
        reading = read(of_one_call({"x": "é"}, {"x": "other"}))
        assert isinstance(reading.error, JSONError)
        assert "not those that it has streamed" in str(reading.error)

    @pytest.mark.parametrize("value", ["é", 1, [1], None])
    def test_a_call_that_was_contradicted_is_told_once(self, value: Any) -> None:
        reading = read(of_one_call({"x": value}, {"x": "other"}, {"x": "more"}), on_error="event")
        assert reading.types.count("tool_call_error") == 1
        assert "not those that it has streamed" in str(reading.call.error)
        assert reading.call.state == "void"

    @pytest.mark.parametrize("again", [{"n": 1, "x": "é"}, '{"n":1, "x":"é"}', {"x": "é", "n": 1}])
    def test_an_object_that_ends_in_a_number_may_come_again(self, again: Any) -> None:
        reading = read(of_one_call({"x": "é", "n": 1}, again))
        assert reading.error is None
        assert reading.call.arguments == {"x": "é", "n": 1}

    def test_what_is_no_object_is_the_value_it_is(self) -> None:
        assert read(of_one_call([1, 2])).call.arguments == [1, 2]


class TestIds:
    def test_another_id_within_the_arguments_changes_nothing(self) -> None:
        reading = read(chat([calls(entry(0, text, id)) for text, id in (('{"x"', "a"), (": ", "b"), ("1}", "c"))], []))
        assert reading.calls == []  # there was no name at all
        stream = chat(wire.chat_call(0, '{"x"'), [calls(entry(0, ": ", "b")), calls(entry(0, "1}", "c"))])
        reading = read(stream)
        assert (reading.call.id, reading.call.arguments) == ("call_0", {"x": 1})

    def test_an_id_that_was_seen_under_another_index_goes_on_with_its_call(self) -> None:
        stream = chat(wire.chat_call(0, '{"x"', id="a"), [calls(entry(1, ": 1", "a")), calls(entry(1, "}"))])
        assert read(stream).call.arguments == {"x": 1}

    @pytest.mark.parametrize("id", ["", "null", None])
    def test_no_id_at_all(self, id: str | None) -> None:
        reading = read(chat([calls(entry(0, '{"x": 1}', id, "f")), calls(entry(0, '{"x": 2}', id, "g"))]))
        assert [(call.id, call.arguments) for call in reading.calls] == [(None, {"x": 1}), (None, {"x": 2})]
        assert [call["id"] for call in reading.parser.message["tool_calls"]] == ["", ""]

    def test_two_calls_of_one_tool_without_ids_at_one_index(self) -> None:
        entries = [entry(0, "", None, "f"), entry(0, '{"x": '), entry(0, "1}"), entry(0, "", None, "f")]
        once = read(chat([calls(one) for one in entries]))
        assert once.call.arguments == {"x": 1}
        twice = read(chat([calls(one) for one in [*entries, entry(0, '{"x": '), entry(0, "2}"), entry(0, "")]]))
        assert [call.arguments for call in twice.calls] == [{"x": 1}, {"x": 2}]
        assert [call.name for call in twice.calls] == ["f", "f"]

    def test_the_predecessor_of_tool_calls_may_repeat_its_name(self) -> None:
        deltas = [{"name": "f", "arguments": '{"x"'}, {"name": "f", "arguments": ": 1}"}]
        reading = read(chat([chunk({"function_call": delta}) for delta in deltas], finish_reason="function_call"))
        assert reading.call.arguments == {"x": 1}

    def test_a_wrapper_of_parallel_calls_is_a_call_like_any_other(self) -> None:
        inner = {"tool_uses": [{"recipient_name": "functions.f", "parameters": {"x": 1}}]}
        reading = read(chat(wire.chat_call(0, *wire.cut(json.dumps(inner)), name="multi_tool_use.parallel")))
        assert (reading.call.name, reading.call.arguments) == ("multi_tool_use.parallel", inner)


class TestEnds:
    def test_a_cut_is_not_taken_back_by_a_second_finish_reason(self) -> None:
        stream = [*chat(wire.chat_call(0, '{"x": 1}'), finish_reason="length")[:-2], chunk({}, "tool_calls"), wire.DONE]
        reading = read(stream)
        assert reading.call.complete
        assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize("beside", ["event", "choice"])
    @pytest.mark.parametrize("reason", ["error", "length", "tool_calls", None])
    def test_an_error_beside_a_choice_that_ends(self, beside: str, reason: str | None) -> None:
        fault = {"message": "Busy", "code": 502}
        end = {**chunk({"content": "."}, reason), "error": fault}
        if beside == "choice":
            end = chunk({"content": "."}, reason, error=fault)
        reading = read([*chat(wire.chat_call(0, '{"x": '))[:-3], end, wire.DONE])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.message, reading.error.type) == ("Busy", "502")
        assert reading.parser.text == "."
        assert reading.parser.stop_reason == reason
        assert reading.call.state == "void"

    def test_a_message_beside_or_behind_deltas_only_repeats(self) -> None:
        said = [chunk({"content": "Hi"}), chunk(None, None, message={"content": "Hi"})]
        last = chunk(None, "stop", message={"role": "assistant", "content": "Hi"})
        last["choices"][0].pop("delta")
        assert read([*said, last, wire.DONE]).parser.text == "Hi"
