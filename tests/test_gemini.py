"""Google's formats beyond what their recordings hold: arguments in parts, calls side by side, messages, failures."""

from __future__ import annotations

import copy
import json
import pickle
import random
from typing import Any

import pytest
import wire
from hypothesis import given
from hypothesis import strategies as st
from wire import Reading, plain, read_events, sse

from toolstream import (
    DuplicateKeyError,
    Event,
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    JSONParser,
    LimitError,
    Limits,
    MessageEnd,
    MessageStart,
    ProviderError,
    StreamParser,
    ToolCall,
    ToolCallEnd,
    ToolCallError,
    ToolCallReady,
    ToolCallStart,
)
from toolstream.partial_args import Part, PartialArguments
from toolstream.paths import Subscription
from toolstream.values import find

Pieces = list[dict[str, Any]]


# ---------------------------------------------------------------------- wire shapes


def chunk(*parts: Any, finish: Any = None, index: int = 0, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": index}
    if finish is not None:
        candidate["finishReason"] = finish
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 5}
    return {"candidates": [{**candidate, **more}], "usageMetadata": counts, "modelVersion": "gemini", "responseId": "r"}


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, **more}}


def begun(name: str = "write", **more: Any) -> dict[str, Any]:
    return function(name, willContinue=True, **more)


def parts(*pieces: dict[str, Any], last: bool = False, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"partialArgs": list(pieces), **({} if last else {"willContinue": True}), **more}}


END: dict[str, Any] = {"functionCall": {}}
STOP = chunk({"text": ""}, finish="STOP")


def string(path: str, text: str, more: bool = False) -> dict[str, Any]:
    return {"jsonPath": path, "stringValue": text, **({"willContinue": True} if more else {})}


def number(path: str, value: float) -> dict[str, Any]:
    return {"jsonPath": path, "numberValue": value}


def streamed(*pieces: dict[str, Any]) -> list[Any]:
    """A message with one call, one part an event."""
    return [chunk(begun()), *(chunk(parts(piece)) for piece in pieces), chunk(END), STOP]


def told(events: list[Event]) -> list[Any]:
    """Fields only, as (path, value) or (path, "+", text)."""
    return [
        (event.path, event.value) if isinstance(event, FieldComplete) else (event.path, "+", event.text)
        for event in events
        if isinstance(event, (FieldComplete, FieldDelta))
    ]


# ---------------------------------------------------------------------- arguments in parts


class TestArgumentsInParts:
    def test_each_field_comes_with_the_part_that_completes_it(self) -> None:
        parser = StreamParser(deltas=True)
        parser.feed_event(chunk(begun()))
        steps: list[tuple[dict[str, Any], list[Any]]] = [
            (string("$.path", "a", more=True), [(("path",), "+", "a")]),
            (string("$.path", ".txt", more=True), [(("path",), "+", ".txt")]),
            (string("$.path", ""), [(("path",), "a.txt")]),
            (number("$.mode", 0.5), [(("mode",), 0.5)]),
            ({"jsonPath": "$.force", "boolValue": False}, [(("force",), False)]),
            ({"jsonPath": "$.owner", "nullValue": "NULL_VALUE"}, [(("owner",), None)]),
            (string("$.empty", ""), [(("empty",), "")]),
            (string("$.lines[0].text", "x"), []),
            (number("$.lines[1].text", 1), []),
            (string("$.z", "!"), [(("lines",), [{"text": "x"}, {"text": 1}]), (("z",), "+", "!"), (("z",), "!")]),
        ]
        for piece, fields in steps:
            assert told(parser.feed_event(chunk(parts(piece)))) == fields
        ended = parser.feed_event(chunk(END))
        assert [event.type for event in ended] == ["tool_call_end"]
        assert parser.calls[0].arguments["owner"] is None

    def test_an_object_is_final_once_the_parts_have_left_it(self) -> None:
        parser = StreamParser(paths="edits[*]")
        parser.feed_event(chunk(begun()))
        assert told(parser.feed_event(chunk(parts(string("$.edits[0].path", "a"))))) == []
        assert told(parser.feed_event(chunk(parts(string("$.edits[0].text", "b"))))) == []
        assert told(parser.feed_event(chunk(parts()))) == []
        assert told(parser.feed_event(chunk(parts(string("$.edits[1].path", "c"))))) == [
            (("edits", 0), {"path": "a", "text": "b"})
        ]
        assert told(parser.feed_event(chunk(END))) == [(("edits", 1), {"path": "c"})]

    def test_strings_may_grow_side_by_side(self) -> None:
        pieces = [string("$.a", "1", True), string("$.b", "2", True), string("$.a", "3"), string("$.b", "4")]
        reading = read_events(streamed(*pieces), deltas=True)
        assert told(reading.events) == [
            (("a",), "+", "1"),
            (("b",), "+", "2"),
            (("a",), "+", "3"),
            (("a",), "13"),
            (("b",), "+", "4"),
            (("b",), "24"),
        ]
        assert reading.call.arguments == {"a": "13", "b": "24"}
        assert reading.call.complete

    def test_a_container_waits_for_the_strings_in_it(self) -> None:
        pieces = [string("$.a.x", "1", True), string("$.b", "2"), string("$.a.x", "3"), string("$.c", "")]
        assert told(read_events(streamed(*pieces)).events) == [
            (("b",), "2"),
            (("a",), {"x": "13"}),
            (("c",), ""),
        ]

    def test_elements_of_an_array_take_their_places(self) -> None:
        parser = StreamParser(depth=None)
        parser.feed_event(chunk(begun()))
        assert told(parser.feed_event(chunk(parts(number("$.n[2]", 2), number("$.n[1]", 1))))) == [
            (("n", 2), 2),
            (("n", 1), 1),
        ]
        assert parser.calls[0].arguments == {"n": []}  # no hole is shown
        assert told(parser.feed_event(chunk(parts(number("$.n[0]", 0), last=True)))) == [
            (("n", 0), 0),
            (("n",), [0, 1, 2]),
        ]
        assert parser.calls[0].arguments == {"n": [0, 1, 2]}

    def test_an_array_with_a_hole_is_not_whole(self) -> None:
        error = read_events(streamed(number("$.n[1]", 1))).error
        assert isinstance(error, IncompleteError)

    @pytest.mark.parametrize(
        ("path", "steps"),
        [
            ("$.a", ("a",)),
            ("a.b", ("a", "b")),
            ("$['a.b']", ("a.b",)),
            ('$["a\\"]"][0].x-y', ('a"]', 0, "x-y")),
            ("$['it\\'s \"so\"']", ('it\'s "so"',)),
            ("$['\\u00e9']", ("é",)),
            ("$.with space.é", ("with space", "é")),
        ],
    )
    def test_paths_are_jsonpaths(self, path: str, steps: tuple[Any, ...]) -> None:
        reading = read_events(streamed(number(path, 1)), depth=None)
        assert reading.of(FieldComplete)[0].path == steps

    @pytest.mark.parametrize(
        "pieces",
        [
            [number("$", 1)],
            [number("$[0]", 1)],
            [number("$.a[*]", 1)],
            [number("$.a[", 1)],
            [number("$..a", 1)],
            [number("$.a.", 1)],
            [number("$.a[99999999999999999999]", 1)],
            [number("$.a", 1), number("$.a.b", 1)],
            [number("$.a.b", 1), number("$.a[0]", 1)],
            [string("$.a", "x", True), number("$.a", 1)],
            [string("$.a", "x", True), number("$.a.b", 1)],
            [number("$.a", float("inf"))],
            [{"jsonPath": "$.a", "numberValue": "NaN"}],
            [{"jsonPath": "$.a", "numberValue": {}}],
        ],
    )
    def test_parts_that_make_no_arguments_end_the_call(self, pieces: Pieces) -> None:
        reading = read_events(streamed(*pieces), depth=0, on_error="event")
        assert reading.error is None
        assert isinstance(reading.of(ToolCallError)[0].error, JSONError)
        assert reading.call.state == "void"
        assert not reading.of(ToolCallEnd)
        assert isinstance(read_events(streamed(*pieces), depth=0).error, JSONError)

    def test_what_was_reported_does_not_change(self) -> None:
        for first, again in (("$.a", "$.a"), ("$.a.x", "$.a.y"), ("$.a.x", "$.a"), ("$.a[0]", "$.a[0]")):
            wire = streamed(number(first, 1), number("$.b", 2), number(again, 3))
            assert isinstance(read_events(wire).error, DuplicateKeyError), (first, again)
            assert isinstance(read_events(wire, depth=None).error, DuplicateKeyError), (first, again)

    def test_what_was_not_reported_may_come_again_and_the_last_one_counts(self) -> None:
        wire = streamed(number("$.a.x", 1), number("$.a.y", 2), number("$.b", 3), number("$.a.x", 4))
        assert read_events(wire, paths="b").call.arguments == {"a": {"x": 4, "y": 2}, "b": 3}
        inside = streamed(number("$.a.x", 1), number("$.a.x", 4))
        assert told(read_events(inside).events) == [(("a",), {"x": 4})]
        assert isinstance(read_events(inside, duplicate_keys="strict").error, DuplicateKeyError)

    def test_with_last_a_value_is_reported_again(self) -> None:
        wire = streamed(number("$.a.x", 1), number("$.b", 3), number("$.a.y", 4))
        reading = read_events(wire, duplicate_keys="last")
        assert told(reading.events)[0][0] == told(reading.events)[2][0] == ("a",)
        assert reading.call.arguments == {"a": {"x": 1, "y": 4}, "b": 3}

    def test_limits_hold(self) -> None:
        deep = read_events(streamed(number("$.a.b.c", 1)), limits=Limits(max_depth=2)).error
        assert isinstance(deep, LimitError)
        assert deep.limit == "max_depth"
        assert read_events(streamed(number("$.a.b.c", 1)), limits=Limits(max_depth=3)).error is None
        pieces = [string("$.a", "x" * 10, True) for _ in range(9)]
        long = read_events(streamed(*pieces), limits=Limits(max_call_bytes=50)).error
        assert isinstance(long, LimitError)
        assert (long.limit, long.offset) == ("max_call_bytes", 50)

    def test_a_live_view_shows_what_is_final_and_a_snapshot_what_grows(self) -> None:
        parser = StreamParser()
        pieces = [number("$.n", 1), string("$.o.s", "ab", True), string("$.l[0]", "c", True)]
        parser.feed_event(chunk(begun(), parts(*pieces)))
        (call,) = parser.calls
        assert call.arguments == {"n": 1, "o": {}, "l": []}
        assert call.snapshot() == {"n": 1, "o": {"s": "ab"}, "l": ["c"]}
        assert call.snapshot(strings=False) == call.arguments
        assert (call.is_complete("n"), call.is_complete("o"), call.is_complete("o", "s")) == (True, False, False)
        assert json.loads(call.text) == call.arguments
        parser.feed_event(chunk(parts(string("$.o.s", "")), parts(string("$.l[0]", "")), END))
        assert call.is_complete("o", "s")
        assert call.is_complete()
        assert json.loads(call.text) == {"n": 1, "o": {"s": "ab"}, "l": ["c"]}

    @pytest.mark.parametrize("move", [copy.deepcopy, lambda parser: pickle.loads(pickle.dumps(parser))])
    def test_a_parser_moves_between_any_two_parts(self, move: Any) -> None:
        pieces = [
            number("$.early[1].x", 1),
            number("$.early[1].y", 2),
            string("$.a.s", "\ud83d", True),
            string("$.a.s", "\ude00", True),
            string("$.early[0]", "z"),
            string("$.a.s", "!"),
        ]
        wire = streamed(*pieces)
        still = read_events(wire, depth=None, deltas=True)
        moved = Reading(StreamParser(depth=None, deltas=True))
        for event in wire:
            moved.events += moved.parser.feed_event(event)
            moved.parser = move(moved.parser)
        moved.events += moved.parser.close()
        assert plain(moved) == plain(still)
        assert moved.parser.message == still.parser.message
        assert moved.call.arguments == {"early": ["z", {"x": 1, "y": 2}], "a": {"s": "😀!"}}

    def test_a_tools_fields_are_checked_as_the_parts_come(self) -> None:
        def write(path: str, lines: list[int], force: bool = False) -> None:
            """Writes."""

        parser = StreamParser(tools=[write])
        parser.feed_event(chunk(begun()))
        assert parser.feed_event(chunk(parts(number("$.lines[1]", 2), number("$.lines[0]", 1)))) == []
        ready = parser.feed_event(chunk(parts(string("$.path", "a"))))
        assert [type(event) for event in ready][-1] is ToolCallReady
        parser.feed_event(chunk(END))
        assert parser.calls[0].complete
        bad = read_events(streamed(string("$.path", "a"), string("$.lines[0]", "x")), tools=[write])
        assert [event.path for event in bad.events if event.type == "field_invalid"] == [("lines", 0)]


# Parts can't say that a container is empty.
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars | st.text(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(), inner, min_size=1, max_size=3),
    max_leaves=12,
)
subscriptions = st.sampled_from(
    [
        Subscription.compile(depth=1),
        Subscription.compile(depth=1, deltas=True),
        Subscription.compile(depth=None, deltas=True),
        Subscription.compile(depth=0),
        Subscription.compile(paths=["**[0]", "*.*"], deltas=True),
        Subscription.compile(depth=2, deltas=["*[*]"]),
    ]
)


def as_parts(value: Any, path: str, size: int) -> list[Part]:
    """A value in parts, in the order of its JSON text; strings in pieces."""
    if isinstance(value, dict):
        return [part for key, inner in value.items() for part in as_parts(inner, f"{path}[{json.dumps(key)}]", size)]
    if isinstance(value, list):
        return [part for at, inner in enumerate(value) for part in as_parts(inner, f"{path}[{at}]", size)]
    if isinstance(value, str):
        texts = [value[at : at + size] for at in range(0, len(value), size)]
        return [*(Part(path, text, more=True) for text in texts), Part(path, "")]
    return [Part(path, value)]


@given(st.dictionaries(st.text(), values, min_size=1, max_size=4), subscriptions, st.integers(1, 5))
def test_parts_give_the_fields_that_the_same_arguments_give_as_text(
    arguments: dict[str, Any], subscription: Subscription, size: int
) -> None:
    by_parts = PartialArguments(subscription, limits=Limits(), call=ToolCall("id", "f"))
    events: list[Event] = []
    for part in as_parts(arguments, "$", size):
        by_parts.take(part, events)
    events += by_parts.close()
    text = JSONParser.__new__(JSONParser)
    super(JSONParser, text).__init__(subscription, limits=Limits(), max_bytes=None)
    assert joined(told(events)) == joined(told(text.feed(json.dumps(arguments))))
    assert by_parts.value == text.value == json.loads(by_parts.text)


@given(
    st.dictionaries(st.text(max_size=3), values, min_size=1, max_size=4),
    subscriptions,
    st.sampled_from(["error", "last"]),
    st.randoms(use_true_random=False),
)
def test_in_any_order_what_is_reported_stays_true(
    arguments: dict[str, Any], subscription: Subscription, duplicate_keys: Any, rng: random.Random
) -> None:
    leaves: dict[str, list[Part]] = {}
    for part in as_parts(arguments, "$", 2):
        leaves.setdefault(part.path, []).append(part)
    by_parts = PartialArguments(subscription, duplicate_keys=duplicate_keys, limits=Limits(), call=ToolCall("id", "f"))
    events: list[Event] = []
    waiting = list(leaves.values())
    try:
        while waiting:
            leaf = rng.choice(waiting)
            by_parts.take(leaf.pop(0), events)
            waiting = [leaf for leaf in waiting if leaf]
        events += by_parts.close()
    except DuplicateKeyError:
        assert duplicate_keys == "error"  # a container has come again after it was reported
    else:
        assert by_parts.value == arguments
    reported = {event.path: event.value for event in events if isinstance(event, FieldComplete)}
    for path, value in reported.items():
        if by_parts.complete:
            assert find(arguments, path) == (True, value)
    grown: dict[Any, str] = {}
    for event in events:
        if isinstance(event, FieldDelta):
            grown[event.path] = grown.get(event.path, "") + event.text
    assert all(find(arguments, path)[1].startswith(text) for path, text in grown.items())


def joined(fields: list[Any]) -> list[Any]:
    """With the growth of a string as one."""
    result: list[Any] = []
    for field in fields:
        if len(field) == 3 and result and result[-1][:2] == field[:2]:
            result[-1] = (*field[:2], result[-1][2] + field[2])
        else:
            result.append(field)
    return result


# ---------------------------------------------------------------------- which call, and how far


class TestCalls:
    def test_a_part_that_goes_on_with_no_more_ends_the_call(self) -> None:
        parser = StreamParser()
        parser.feed_event(chunk(begun()))
        ended = parser.feed_event(chunk(parts(number("$.n", 1), last=True)))
        assert [event.type for event in ended] == ["field_complete", "tool_call_end"]
        assert parser.calls[0].state == "closed"

    def test_the_next_call_confirms_the_one_before(self) -> None:
        parser = StreamParser()
        parser.feed_event(chunk(function("a", args={})))
        parser.feed_event(chunk(function("b", args={"x": 1})))
        assert [call.state for call in parser.calls] == ["confirmed", "closed"]
        parser.feed_event(STOP)
        assert [call.state for call in parser.calls] == ["confirmed", "confirmed"]
        (end,) = parser.close()
        assert isinstance(end, MessageEnd)
        assert end.safe
        assert [call.state for call in parser.calls] == ["committed", "committed"]

    def test_a_string_without_its_end_is_cut_whatever_the_finish_reason(self) -> None:
        for ending in ([STOP], [chunk(END), STOP], [chunk(function("next")), STOP]):
            reading = read_events([chunk(begun(), parts(string("$.a", "x", True))), *ending])
            assert isinstance(reading.error, IncompleteError)
            assert reading.error.pending_path == ("a",)
            assert not reading.calls[0].complete

    def test_what_a_length_limit_cuts_is_void_and_no_exception(self) -> None:
        for ending in (chunk(finish="MAX_TOKENS"), chunk(END, finish="MAX_TOKENS"), chunk(parts(), finish="SAFETY")):
            reading = read_events([chunk(begun(), parts(number("$.a", 1))), ending])
            assert reading.error is None
            assert reading.call.state == "void"
            assert isinstance(reading.of(ToolCallError)[0].error, IncompleteError)
            assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize("reason", ["OTHER", "LANGUAGE", "CONTINUATION", "A_REASON_OF_TOMORROW"])
    def test_only_stop_makes_a_call_whole_whose_end_did_not_come(self, reason: str) -> None:
        reading = read_events([chunk(function("a", args={"x": 1}), begun("b"), parts(number("$.a", 1)), finish=reason)])
        assert reading.error is None
        assert [call.state for call in reading.calls] == ["confirmed", "void"]
        assert reading.parser.stop_reason == reason
        assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize("reason", [0, "FINISH_REASON_UNSPECIFIED"])
    def test_an_unspecified_reason_is_none(self, reason: Any) -> None:
        assert isinstance(read_events([chunk({"text": "a"}, finish=reason)]).error, IncompleteError)

    def test_empty_arguments_may_stand_for_those_that_follow(self) -> None:
        for empty in ({"args": {}}, {"args": None}, {}):
            reading = read_events(
                [chunk(begun(**empty)), chunk(parts(number("$.a", 1), **empty)), chunk(function("b", **empty)), STOP]
            )
            assert [call.arguments for call in reading.calls] == [{"a": 1}, {}]
            assert all(call.complete for call in reading.calls)

    def test_a_stream_without_finish_reason_is_cut(self) -> None:
        reading = read_events([chunk(function("a", args={"x": 1}))])
        assert isinstance(reading.error, IncompleteError)
        assert reading.call.complete
        assert reading.call.state == "closed"

    def test_more_arguments_behind_stop_make_the_call_void(self) -> None:
        events = [chunk(begun(), parts(number("$.a", 1)), finish="STOP"), chunk(parts(number("$.b", 2)), finish="STOP")]
        reading = read_events(events, on_error="event")
        assert len(reading.of(ToolCallEnd)) == 1
        assert reading.call.state == "void"
        assert isinstance(reading.of(ToolCallError)[0].error, JSONError)

    def test_calls_of_one_name_are_several(self) -> None:
        reading = read_events(
            [chunk(function("a", args={"x": 1}), function("a", args={"x": 1})), chunk(function("a")), STOP]
        )
        assert [call.arguments for call in reading.calls] == [{"x": 1}, {"x": 1}, {}]
        assert [call.id for call in reading.calls] == [None, None, None]

    def test_ids_tell_calls_that_go_on_side_by_side(self) -> None:
        reading = read_events(
            [
                chunk(begun("a", id="1"), begun("b", id="2")),
                chunk(parts(string("$.x", "one ", True), id="1"), parts(string("$.x", "two", True), id="2")),
                chunk(begun("a", id="1", partialArgs=[string("$.x", "more")])),
                chunk(parts(string("$.x", ""), id="2", last=True), {"functionCall": {"id": "1"}}),
                STOP,
            ]
        )
        assert [(call.name, call.arguments) for call in reading.calls] == [
            ("a", {"x": "one more"}),
            ("b", {"x": "two"}),
        ]
        assert [event.call.name for event in reading.of(ToolCallEnd)] == ["b", "a"]

    def test_a_response_may_be_wrapped(self) -> None:
        stream = [chunk({"text": "Hi"}), chunk(function("f", args={"x": 1}), finish="STOP")]
        wrapped = [{"response": event, "traceId": "t"} for event in stream]
        assert plain(wire.read(wrapped)) == plain(wire.read(stream))

    def test_candidates_go_on_side_by_side(self) -> None:
        reading = read_events(
            [
                chunk(begun("a")),
                chunk(begun("b"), index=1),
                chunk(parts(string("$.x", "1"))),
                chunk(parts(string("$.x", "2")), index=1),
                chunk(END, finish="STOP"),
                chunk({"text": "aside"}, END, finish="STOP", index=1),
            ]
        )
        assert [call.arguments for call in reading.calls] == [{"x": "1"}, {"x": "2"}]
        assert reading.parser.text == ""
        assert reading.parser.message["parts"] == [function("a", args={"x": "1"})]

    def test_one_candidate_without_its_end_is_a_stream_that_was_cut(self) -> None:
        reading = read_events([chunk({"text": "a"}, finish="STOP"), chunk({"text": "b"}, index=1)])
        assert isinstance(reading.error, IncompleteError)

    def test_whole_arguments_that_are_no_object_are_the_value_they_are(self) -> None:
        assert read_events([chunk(function("a", args=[1, "x"])), STOP]).call.arguments == [1, "x"]

    @pytest.mark.parametrize(
        "reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE"]
    )
    def test_a_reply_that_the_provider_could_not_use_is_an_error(self, reason: str) -> None:
        first = chunk(function("a", args={"x": 1}), begun("b"))
        reading = read_events([first, {"candidates": [{"finishReason": reason, "finishMessage": "Malformed: f("}]}])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.type, reading.error.message) == (reason, "Malformed: f(")
        assert reading.parser.stop_reason == reason
        assert [call.complete for call in reading.calls] == [True, False]
        assert reading.calls[1].state == "void"
        assert isinstance(read_events([{"candidates": [{"finishReason": reason}]}]).error, ProviderError)

    def test_another_candidates_failure_is_its_own(self) -> None:
        events = [chunk({"text": "fine"}, finish="STOP"), chunk(finish="MALFORMED_FUNCTION_CALL", index=1)]
        assert read_events(events).error is None

    def test_a_blocked_prompt_ends_the_message_by_its_reason(self) -> None:
        reading = read_events([{"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 7}}])
        assert reading.error is None
        (end,) = reading.of(MessageEnd)
        assert (end.stop_reason, end.safe, end.usage.input_tokens) == ("SAFETY", False, 7)

    def test_a_filter_takes_the_calls_back(self) -> None:
        reading = read_events([chunk(function("a", args={"x": 1})), chunk(finish="PROHIBITED_CONTENT")])
        assert reading.call.state == "void"
        assert not reading.of(MessageEnd)[0].safe

    def test_an_error_has_google_s_own_word(self) -> None:
        error = {"error": {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"}}
        for events in ([error], [chunk({"text": "a"}), error]):
            raised = read_events(events).error
            assert isinstance(raised, ProviderError)
            assert (raised.type, raised.message) == ("UNAVAILABLE", "Overloaded")

    def test_counts_are_snapshots_and_thoughts_are_output(self) -> None:
        counts = {"promptTokenCount": 100, "cachedContentTokenCount": 75, "candidatesTokenCount": 5}
        events = [
            {"candidates": [], "usageMetadata": {**counts, "thoughtsTokenCount": 20, "candidatesTokenCount": 1}},
            {**STOP, "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 7}},
        ]
        usage = read_events(events).parser.usage
        assert (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens) == (100, 27, 20)
        assert usage.cache_hit_ratio == 0.75
        assert usage.final

    def test_every_cut_of_the_bytes_gives_the_same(self) -> None:
        pieces = [string("$.a", "é😀", True), string("$.a", "x"), number("$.b[0].c", 1.5)]
        data = sse(streamed(*pieces)).replace(b"\n", b"\r\n")
        whole = plain(wire.read_bytes(data, deltas=True))
        for at in range(0, len(data), 3):
            assert plain(wire.read_bytes([data[:at], data[at:]], deltas=True)) == whole


class TestDetection:
    @pytest.mark.parametrize(
        ("event", "provider"),
        [
            ({"candidates": []}, "gemini"),
            ({"usage_metadata": {}, "candidates": None}, "gemini"),
            ({"prompt_feedback": {"block_reason": "SAFETY"}}, "gemini"),
            ({"setupComplete": {}}, "gemini-live"),
            ({"serverContent": {"turnComplete": True}, "usageMetadata": {"promptTokenCount": 1}}, "gemini-live"),
            ({"setup_complete": None, "tool_call": {"function_calls": []}, "usage_metadata": {}}, "gemini-live"),
            ({"event_type": "interaction.created", "interaction": {"id": "i"}}, "gemini-interactions"),
            ({"event_type": "content.start", "index": 0, "content": {"type": "text"}}, "gemini-interactions"),
        ],
    )
    def test_the_first_event_tells_the_format(self, event: dict[str, Any], provider: str) -> None:
        parser = StreamParser()
        parser.feed_event(event)
        assert parser.provider == provider


# ---------------------------------------------------------------------- messages


def checked(message: Any) -> Any:
    """The message, which google-genai takes."""
    types = pytest.importorskip("google.genai.types", reason="the google-genai package is not installed")
    content = types.Content.model_validate(message)
    assert types.Content.model_validate_json(json.dumps(message)) == content
    return message


class TestMessage:
    def test_texts_are_joined_and_signed_parts_stay_alone(self) -> None:
        reading = read_events(
            [
                chunk({"text": "Let me ", "thought": True}),
                chunk({"text": "think.", "thought": True}),
                chunk({"text": "I "}),
                chunk({"text": "look."}, {"text": ""}),
                chunk({"text": "Signed.", "thoughtSignature": "c2ln"}),
                chunk({"text": "More."}),
                chunk({"text": "", "thoughtSignature": "ZW5k"}, finish="STOP"),
            ]
        )
        assert checked(reading.parser.message) == {
            "role": "model",
            "parts": [
                {"text": "Let me think.", "thought": True},
                {"text": "I look."},
                {"text": "Signed.", "thoughtSignature": "c2ln"},
                {"text": "More."},
                {"text": "", "thoughtSignature": "ZW5k"},
            ],
        }

    def test_calls_keep_their_signatures_and_say_their_arguments_whole(self) -> None:
        first = {**function("search", args={"q": "x"}, id="1"), "thoughtSignature": "c2ln"}
        second = {**begun(), "thoughtSignature": "c2ln"}
        reading = read_events([chunk(first), chunk(second), chunk(parts(string("$.a.b", "c"))), chunk(END), STOP])
        assert checked(reading.parser.message)["parts"] == [
            first,
            {**function("write", args={"a": {"b": "c"}}), "thoughtSignature": "c2ln"},
        ]

    def test_a_signature_behind_the_call_s_first_part_is_the_call_s(self) -> None:
        end = {**END, "thoughtSignature": "c2ln"}
        reading = read_events([chunk(begun(), parts(number("$.n", 1))), chunk(end), STOP])
        assert checked(reading.parser.message)["parts"] == [
            {**function("write", args={"n": 1}), "thoughtSignature": "c2ln"}
        ]

    def test_the_server_s_own_parts_are_in_it_as_they_came(self) -> None:
        own: list[Any] = [
            {"toolCall": {"toolType": "FILE_SEARCH", "id": "t", "args": {"snake_case": 1}}, "thoughtSignature": "c2ln"},
            {"toolResponse": {"toolType": "FILE_SEARCH", "id": "t", "response": {"a_b": [1]}}},
            {"executableCode": {"language": "PYTHON", "code": "1", "id": "c"}},
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        ]
        reading = read_events([*(chunk(part) for part in own), STOP])
        assert checked(reading.parser.message)["parts"] == own
        assert reading.calls == []

    def test_it_is_spelled_as_rest_spells_it(self) -> None:
        dump = {
            "candidates": [
                {
                    "content": {
                        "role": "model",
                        "parts": [
                            {
                                "function_call": {"name": "f", "args": {"snake_case": None}, "will_continue": None},
                                "thought_signature": b"sig",
                                "text": None,
                            }
                        ],
                    },
                    "finish_reason": "STOP",
                }
            ]
        }
        reading = read_events([dump])
        assert checked(reading.parser.message)["parts"] == [
            {"functionCall": {"name": "f", "args": {"snake_case": None}}, "thoughtSignature": "c2ln"}
        ]

    def test_a_partial_message_shows_the_call_so_far(self) -> None:
        parser = StreamParser()
        parser.feed_event(chunk(begun(), parts(string("$.a", "so far", True))))
        assert parser.partial_message["parts"] == [function("write", args={"a": "so far"})]


# ---------------------------------------------------------------------- Interactions


def step(index: int, **block: Any) -> dict[str, Any]:
    return {"event_type": "step.start", "index": index, "step": block}


def delta(index: int, type: str, **more: Any) -> dict[str, Any]:
    return {"event_type": "step.delta", "index": index, "delta": {"type": type, **more}}


def step_stop(index: int) -> dict[str, Any]:
    return {"event_type": "step.stop", "index": index}


def interaction(kind: str = "completed", status: str = "requires_action", **more: Any) -> dict[str, Any]:
    return {"event_type": f"interaction.{kind}", "interaction": {"id": "v1", "status": status, **more}}


CREATED = interaction("created", "in_progress", model="gemini")
CALL_STEP = {"type": "function_call", "id": "c1", "name": "search", "arguments": {}}


class TestInteractions:
    def test_arguments_in_deltas_take_the_fast_lane(self) -> None:
        from toolstream.lane import IS_FAST

        texts = wire.cut(wire.ARGUMENTS, 3)
        events = [delta(0, "arguments_delta", arguments=text) for text in texts]
        data = sse([CREATED, step(0, **CALL_STEP), *events, step_stop(0), interaction()])
        reading = wire.read_bytes(data, 64)
        assert reading.call.arguments == json.loads(wire.ARGUMENTS)
        if IS_FAST:
            assert reading.parser._hits > len(texts) // 2

    def test_a_step_that_ends_in_the_middle_of_its_arguments_is_cut(self) -> None:
        events = [CREATED, step(0, **CALL_STEP), delta(0, "arguments_delta", arguments='{"a": "x'), step_stop(0)]
        assert isinstance(read_events([*events, interaction()]).error, IncompleteError)
        cut = read_events([*events, interaction(status="incomplete")])
        assert cut.error is None
        assert cut.call.state == "void"
        assert isinstance(read_events(events).error, IncompleteError)

    def test_a_call_waits_for_the_interaction_to_ask_for_it(self) -> None:
        parser = StreamParser()
        for event in (CREATED, step(0, **{**CALL_STEP, "arguments": {"q": "x"}}), step_stop(0)):
            parser.feed_event(event)
        assert parser.calls[0].state == "closed"
        parser.feed_event(interaction())
        assert parser.calls[0].state == "committed"

    def test_a_failed_interaction_is_an_error(self) -> None:
        failed = interaction(status="failed", error={"code": "x", "message": "No luck."})
        error = read_events([CREATED, failed]).error
        assert isinstance(error, ProviderError)
        assert error.message == "No luck."

    def test_the_message_is_the_steps(self) -> None:
        reading = read_events(
            [
                CREATED,
                step(0, type="thought"),
                delta(0, "thought_summary", content={"type": "text", "text": "Hm, "}),
                delta(0, "thought_summary", content={"type": "text", "text": "so."}),
                delta(0, "thought_signature", signature="c2ln"),
                step_stop(0),
                step(1, type="model_output"),
                delta(1, "text", text="I "),
                delta(1, "text", text="look."),
                delta(1, "image", data="AAAA", mime_type="image/png"),
                step_stop(1),
                step(2, **CALL_STEP, signature=""),
                delta(2, "arguments_delta", arguments='{"q": "x"}'),
                step_stop(2),
                interaction(),
            ]
        )
        message = reading.parser.message
        assert message == [
            {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "Hm, so."}]},
            {
                "type": "model_output",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "image", "data": "AAAA", "mime_type": "image/png"},
                ],
            },
            {**CALL_STEP, "arguments": {"q": "x"}},
        ]
        steps = pytest.importorskip("google.genai.interactions", reason="the google-genai package is not installed")
        pydantic = pytest.importorskip("pydantic")
        read = pydantic.TypeAdapter(list[steps.Step]).validate_python(message)
        assert [step.type for step in read] == ["thought", "model_output", "function_call"]

    def test_the_older_message_is_the_models_turn(self) -> None:
        events: list[Any] = [
            interaction("start", "in_progress"),
            {"event_type": "content.start", "index": 0, "content": {"type": "text", "text": "I "}},
            {"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "look."}},
            {"event_type": "content.stop", "index": 0},
            {"event_type": "content.start", "index": 1, "content": {"type": "function_call"}},
            {
                "event_type": "content.delta",
                "index": 1,
                "delta": {"type": "function_call", "id": "c", "name": "f", "arguments": {"q": 1}},
            },
            {"event_type": "content.stop", "index": 1},
            interaction("complete"),
        ]
        assert read_events(events).parser.message == {
            "role": "model",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "function_call", "id": "c", "name": "f", "arguments": {"q": 1}},
            ],
        }


# ---------------------------------------------------------------------- Live


def tool_call(*functions: dict[str, Any]) -> dict[str, Any]:
    return {"toolCall": {"functionCalls": list(functions)}}


def said(text: str) -> dict[str, Any]:
    return {"serverContent": {"modelTurn": {"parts": [{"text": text}]}}}


TURN_END = {"serverContent": {"turnComplete": True}}


class TestLive:
    def test_a_tool_call_asks_for_its_calls_at_once(self) -> None:
        parser = StreamParser()
        parser.feed_event({"setupComplete": {}})
        events = parser.feed_event(tool_call({"id": "1", "name": "f", "args": {"x": 1}}))
        assert [event.type for event in events] == [
            "message_start",
            "tool_call_start",
            "field_complete",
            "tool_call_end",
            "message_end",
        ]
        assert parser.calls[0].state == "committed"
        assert checked(parser.message) == {"role": "model", "parts": [function("f", id="1", args={"x": 1})]}

    def test_a_cancelled_call_is_void(self) -> None:
        calls = tool_call({"id": "1", "name": "f", "args": {}}, {"id": "2", "name": "f", "args": {}})
        cancelled = {"toolCallCancellation": {"ids": ["1", "unknown"]}}
        reading = read_events([calls, cancelled, cancelled])
        assert reading.error is None
        assert [call.state for call in reading.calls] == ["void", "committed"]
        (event,) = reading.of(ToolCallError)
        assert event.call is reading.calls[0]
        assert isinstance(event.call.error, ProviderError)

    def test_each_turn_is_a_message(self) -> None:
        reading = read_events([said("One."), TURN_END, {"goAway": {"timeLeft": "9s"}}, said("Two."), TURN_END])
        assert len(reading.of(MessageStart)) == len(reading.of(MessageEnd)) == 2
        assert checked(reading.parser.message) == {"role": "model", "parts": [{"text": "Two."}]}

    def test_a_session_that_closes_in_the_middle_of_a_turn_is_cut(self) -> None:
        assert isinstance(read_events([said("One.")]).error, IncompleteError)
        assert isinstance(read_events([{"setupComplete": {}}]).error, IncompleteError)
        assert read_events([said("One."), TURN_END]).error is None

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ({"turnComplete": True}, "turnComplete"),
            ({"turnComplete": True, "interrupted": True}, "interrupted"),
            ({"turnComplete": True, "turnCompleteReason": "RESPONSE_REJECTED"}, "RESPONSE_REJECTED"),
            ({"turnComplete": True, "turnCompleteReason": "MALFORMED_FUNCTION_CALL"}, "MALFORMED_FUNCTION_CALL"),
        ],
    )
    def test_a_turn_ends_by_its_reason(self, content: dict[str, Any], reason: str) -> None:
        (end,) = read_events([said("x"), {"serverContent": content}]).of(MessageEnd)
        assert (end.stop_reason, end.safe) == (reason, False)

    def test_counts_may_come_behind_the_end(self) -> None:
        counts = {"usageMetadata": {"promptTokenCount": 9, "responseTokenCount": 3, "thoughtsTokenCount": 2}}
        usage = read_events([said("x"), TURN_END, counts]).parser.usage
        assert (usage.input_tokens, usage.output_tokens, usage.final) == (9, 5, True)


def test_a_call_s_start_comes_with_its_name() -> None:
    parser = StreamParser()
    (_, _, start) = parser.feed_event(chunk(begun("write")))
    assert isinstance(start, ToolCallStart)
    assert start.call.name == "write"
