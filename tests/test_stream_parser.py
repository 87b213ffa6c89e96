"""What holds for every stream, whoever sends it: the laws, ends, faults, limits, framings, moving between processes."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import wire
from wire import STREAMS, WHOLE, Wire, plain, read, read_bytes, sse

import toolstream
from toolstream import (
    DuplicateKeyError,
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    JSONParser,
    LimitError,
    Limits,
    MessageEnd,
    ProviderError,
    SSEError,
    SSEParser,
    StreamParser,
    TextDelta,
    ToolCallEnd,
    ToolCallError,
    ToolCallStart,
    ToolStreamError,
    UnknownProviderError,
)

every_stream = pytest.mark.parametrize("name", STREAMS)
every_whole_stream = pytest.mark.parametrize("name", WHOLE)

SEARCH = {"query": "café 😀", "limit": 10, "tags": ["a", "b"], "where": {"city": "Paris"}}


class TestFragmentation:
    @every_stream
    @pytest.mark.parametrize("deltas", [False, True])
    def test_bytes_may_be_cut_anywhere(self, name: str, deltas: bool) -> None:
        data = sse(STREAMS[name])
        whole = plain(read_bytes(data, deltas=deltas, depth=None))
        for size in (1, 2, 7, 64, 1000):
            assert plain(read_bytes(data, size, deltas=deltas, depth=None)) == whole

    @every_stream
    def test_two_chunks_are_as_good_as_one_wherever_they_meet(self, name: str) -> None:
        data = sse(STREAMS[name])
        whole = plain(read_bytes(data))
        for at in range(0, len(data), 3):
            assert plain(read_bytes([data[:at], data[at:]])) == whole

    @every_stream
    def test_every_framing_and_decoded_events_say_the_same(self, name: str) -> None:
        stream = STREAMS[name]
        whole = plain(read(stream))
        events = [event for event in stream if event != wire.DONE]
        pretty = "\n\n".join(json.dumps(event, indent=2) for event in events).encode()
        array = json.dumps(events, indent=1).encode()
        for data in (
            wire.lines(stream),
            pretty,
            array,
            b"\xef\xbb\xbf" + array,
            sse(stream, "\r\n"),
            sse(stream, "\r"),
        ):
            for size in (None, 1, 7):
                assert plain(read_bytes(data, size)) == whole
        assert plain(read_bytes(b"".join(json.dumps(event).encode() for event in events))) == whole
        parser = StreamParser()
        told = [event for decoded in events for event in parser.feed_event(decoded)] + parser.close()
        assert plain(wire.Reading(parser, told)) == whole

    @every_stream
    def test_blank_lines_between_events_may_be_missing(self, name: str) -> None:
        whole = sse(STREAMS[name])
        for data in (whole.replace(b"\n\n", b"\n"), whole.replace(b"\n\n", b"\n") + b"\n"):
            for size in (None, 1, 7):
                assert plain(read_bytes(data, size)) == plain(read_bytes(whole))
        cut = read_bytes(whole.replace(b"\n\n", b"\n")[: whole.index(b"\n\n") + 9])
        assert isinstance(cut.error, IncompleteError)
        assert cut.types[0] == "message_start"

    def test_an_event_on_several_lines_may_be_broken(self) -> None:
        lines = [b"data: {", b'data:  "type": "message_start",', b"data: }", b"", b""]
        error = read_bytes(b"\n".join(lines)).error
        assert isinstance(error, SSEError)
        assert '"type"' in str(error)

    def test_text_is_taken_as_well_as_bytes(self) -> None:
        data = sse(STREAMS["chat, one call"])
        parser = StreamParser()
        events = [event for piece in wire.cut(data.decode(), 11) for event in parser.feed(piece)]
        assert plain(wire.Reading(parser, events + parser.close())) == plain(read_bytes(data))

    def test_bytearray_and_memoryview_are_taken(self) -> None:
        data = sse(STREAMS["chat, one call"])
        for kind in (bytearray, memoryview):
            parser = StreamParser()
            parser.feed(kind(data))
            assert parser.calls[0].name == "search"


class TestTruth:
    """A stream that was cut shows complete calls only, and one `IncompleteError`."""

    @every_whole_stream
    def test_cut_at_any_byte(self, name: str) -> None:
        data = sse(WHOLE[name])
        final = [call.arguments for call in read_bytes(data).calls]
        for end in range(1, len(data), 5):
            self.check(read_bytes(data[:end]), final)

    @every_whole_stream
    def test_cut_between_two_events(self, name: str) -> None:
        stream = WHOLE[name]
        final = [call.arguments for call in read(stream).calls]
        for end in range(1, len(stream)):
            self.check(read(stream[:end]), final)

    def check(self, reading: wire.Reading, final: list[Any]) -> None:
        ended = {event.call.index for event in reading.of(ToolCallEnd)}
        for call, arguments in zip(reading.calls, final, strict=False):
            assert call.complete == (call.index in ended)
            if call.complete:
                assert call.arguments == arguments
            if not reading.of(MessageEnd):
                assert call.state != "committed"
        for event in reading.of(FieldComplete):
            (key,) = event.path
            assert event.value == final[event.call.index][key]
        if reading.of(MessageEnd):
            return
        assert type(reading.error) is IncompleteError
        for call in reading.calls:
            if not call.complete:
                assert call.state == "void"

    def test_the_error_says_where_the_open_call_stood(self) -> None:
        stream = wire.anthropic(wire.tool_block(0, '{"path": "a.py", "edits": [{"old": "x'))[:3]
        error = read(stream).error
        assert isinstance(error, IncompleteError)
        assert error.partial == {"path": "a.py", "edits": [{}]}
        assert error.pending_path == ("edits", 0, "old")
        assert error.call is not None
        assert error.call.name == "search"
        assert error.call.snapshot() == {"path": "a.py", "edits": [{"old": "x"}]}

    def test_arguments_that_could_be_repaired_are_not_run(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"command": "rm -rf ~/scra', name="shell"), finish_reason="tool_calls")
        reading = read(stream)
        assert isinstance(reading.error, IncompleteError)
        assert reading.call.state == "void"
        assert not reading.of(ToolCallEnd)

    @pytest.mark.parametrize(
        "stream",
        [
            [*wire.anthropic(wire.tool_block(0, '{"a": 1'))[:-2], wire.tool_start(1)],
            wire.anthropic(wire.tool_block(0, '{"a": 1')),
            wire.anthropic(wire.tool_block(0, '{"a": 1'), stop_reason="end_turn"),
            wire.chat(wire.chat_call(0, '{"a": 1'), finish_reason="stop"),
            wire.chat(wire.chat_call(0, '{"a": 1'), finish_reason=None),
            wire.chat(wire.chat_call(0, '{"a": 1'), finish_reason="error"),
            wire.responses(wire.function_call(0, '{"a": 1')),
            wire.responses(wire.function_call(0, '{"a": 1'), wire.output_text(1, "x")),
        ],
    )
    def test_a_call_that_its_provider_ends_too_soon_is_an_error(self, stream: wire.Wire) -> None:
        reading = read(stream)
        assert isinstance(reading.error, IncompleteError)
        assert reading.error.call is reading.calls[0]
        assert reading.error.pending_path == ("a",)
        assert reading.calls[0].state == "void"
        reading = read(stream, on_error="event")
        (event,) = reading.of(ToolCallError)
        assert event.call is reading.calls[0]
        assert event.call.error is event.error
        assert not any(end.safe for end in reading.of(MessageEnd))

    @pytest.mark.parametrize("on_error", ["raise", "event"])
    @pytest.mark.parametrize(
        "stream",
        [
            *(wire for name, wire in STREAMS.items() if "length limit" in name),
            wire.anthropic(wire.tool_block(0, '{"query"'), stop_reason="model_context_window_exceeded"),
            wire.anthropic(wire.tool_block(0, ""), stop_reason="max_tokens"),
            [*wire.anthropic([wire.tool_start(0), wire.json_delta(0, '{"a')], stop_reason="max_tokens")],
            wire.anthropic(wire.tool_block(0, '{"a'), stop_reason="refusal"),
            wire.chat(wire.chat_call(0, ""), finish_reason="length"),
            wire.chat(wire.chat_call(0, '{"a'), finish_reason="content_filter"),
            wire.chat(wire.chat_call(0, "12"), finish_reason="length"),
            wire.chat(
                wire.chat_call(0, '{"a'), [wire.chunk(None, "tool_calls", native_finish_reason="max_output_tokens")]
            ),
        ],
    )
    def test_a_call_that_a_limit_cut_is_void_and_no_exception(self, stream: wire.Wire, on_error: str) -> None:
        reading = read(stream, on_error=on_error)
        assert reading.error is None
        (event,) = reading.of(ToolCallError)
        assert isinstance(event.error, IncompleteError)
        assert event.call.state == "void"
        assert not event.call.complete
        (end,) = reading.of(MessageEnd)
        assert not end.safe
        assert not reading.of(ToolCallEnd)

    def test_a_message_that_ends_in_an_error_has_no_call_without_arguments(self) -> None:
        reading = read(wire.chat(wire.chat_call(0, ""), finish_reason="network_error"))
        assert isinstance(reading.error, IncompleteError)
        assert not reading.of(ToolCallEnd)

    def test_a_limit_leaves_the_calls_before_it_whole(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"a": 1}'), wire.chat_call(1, '{"b": '), finish_reason="length")
        reading = read(stream)
        assert [call.complete for call in reading.calls] == [True, False]
        assert [call.state for call in reading.calls] == ["confirmed", "void"]
        assert reading.error is None

    def test_a_refused_message_voids_its_calls(self) -> None:
        reading = read(wire.anthropic(wire.tool_block(0, '{"a": 1}'), stop_reason="refusal"))
        assert reading.call.state == "void"
        assert not reading.call.complete
        assert not reading.of(MessageEnd)[0].safe

    def test_no_field_is_reported_late(self) -> None:
        parser = StreamParser()
        reported: dict[Any, str] = {}
        seen = ""
        for event in STREAMS["chat, one call"]:
            if event != wire.DONE:
                for entry in event["choices"] and event["choices"][0]["delta"].get("tool_calls", ()):
                    seen += entry["function"]["arguments"]
                for told in parser.feed_event(event):
                    if isinstance(told, FieldComplete):
                        reported[told.path] = seen
        # The fragment with the last byte of a value carries its event: no shorter prefix held it.
        for (key,), prefix in reported.items():
            assert json.dumps(SEARCH[key], ensure_ascii=False) in prefix.replace('"b"}', '"b"]')
            assert json.dumps(SEARCH[key], ensure_ascii=False) not in prefix[:-5]


class TestStates:
    def states(self, stream: wire.Wire) -> list[list[str]]:
        """The states of all calls after each event of the stream."""
        parser = StreamParser()
        told: list[list[str]] = []
        for event in stream:
            if event == wire.DONE:
                parser.feed(b"data: [DONE]\n\n")
            else:
                parser.feed_event(event)
            now = [call.state for call in parser.calls]
            if not told or told[-1] != now:
                told.append(now)
        parser.close()
        now = [call.state for call in parser.calls]
        return told if told[-1] == now else [*told, now]

    @pytest.mark.parametrize(
        "stream",
        [
            wire.anthropic(wire.tool_block(0, '{"a":', "1}"), wire.tool_block(1, "{", "}")),
            wire.chat(wire.chat_call(0, '{"a":', "1}"), wire.chat_call(1, "{", "}")),
        ],
    )
    def test_a_call_moves_from_streaming_to_committed(self, stream: wire.Wire) -> None:
        assert self.states(stream) == [
            [],
            ["streaming"],
            ["closed"],
            ["confirmed", "streaming"],
            ["confirmed", "closed"],
            ["confirmed", "confirmed"],
            ["committed", "committed"],
        ]

    def test_the_end_of_a_response_commits(self) -> None:
        stream = wire.responses(wire.function_call(0, '{"a":', "1}"), wire.function_call(1, '{"b":2}'))
        assert self.states(stream) == [
            [],
            ["streaming"],
            ["closed"],
            ["confirmed", "streaming"],
            ["confirmed", "closed"],
            ["committed", "committed"],
        ]

    def test_text_after_a_call_confirms_it(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"a": 1}'), [wire.chunk({"content": "Now wait."})], finish_reason="stop")
        assert self.states(stream) == [[], ["streaming"], ["closed"], ["confirmed"], ["committed"]]

    def test_json_that_closes_ends_no_call(self) -> None:
        reading = read(wire.chat(wire.chat_call(0, '{"a": 1}'))[:3])
        assert reading.call.is_complete()
        assert not reading.call.complete
        assert not reading.of(ToolCallEnd)

    @pytest.mark.parametrize("stop_reason", ["end_turn", "pause_turn", "stop_sequence", "max_tokens"])
    def test_only_a_stop_that_asks_for_tools_commits(self, stop_reason: str) -> None:
        reading = read(wire.anthropic(wire.tool_block(0, '{"a": 1}'), stop_reason=stop_reason))
        assert reading.call.complete
        assert reading.call.state == "closed"
        assert not reading.of(MessageEnd)[0].safe

    def test_one_bad_call_makes_the_message_unsafe(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"a": 1}'), wire.chat_call(1, '{"a": nope}'))
        reading = read(stream, on_error="event")
        assert [call.state for call in reading.calls] == ["confirmed", "void"]
        assert not reading.of(MessageEnd)[0].safe

    def test_server_calls_ask_for_nothing(self) -> None:
        reading = read(STREAMS["anthropic, a server's call"])
        assert reading.call.server
        assert reading.call.state == "confirmed"
        assert not reading.of(MessageEnd)[0].safe


class TestCall:
    def test_arguments_grow_as_they_become_final(self) -> None:
        parser = StreamParser()
        seen = []
        for event in wire.chat_call(0, '{"a": [1', ', 2], "b": "x', 'y", "c": 1', "}"):
            parser.feed_event(event)
            seen.append(copy.deepcopy(parser.calls[0].arguments))
        assert seen == [{}, {"a": []}, {"a": [1, 2]}, {"a": [1, 2], "b": "xy"}, {"a": [1, 2], "b": "xy", "c": 1}]

    def test_the_arguments_stay_the_same_object(self) -> None:
        parser = StreamParser()
        events = []
        for event in wire.chat_call(0, '{"a": {"b":', " 1}, ", '"c": 2}'):
            events += parser.feed_event(event)
        (first, _) = [event for event in events if isinstance(event, FieldComplete)]
        assert parser.calls[0].arguments["a"] is first.value

    def test_text_and_snapshot_and_final_fields_can_be_asked_for_at_any_time(self) -> None:
        parser = StreamParser()
        for event in wire.chat_call(0, '{"a": [1], "b": "x'):
            parser.feed_event(event)
        (call,) = parser.calls
        assert call.text == '{"a": [1], "b": "x'
        assert call.snapshot() == {"a": [1], "b": "x"}
        assert call.snapshot(strings=False) == {"a": [1]}
        assert call.is_complete("a")
        assert call.is_complete("a", 0)
        assert not call.is_complete("b")
        assert not call.is_complete()
        assert not call.ready

    def test_a_snapshot_is_detached(self) -> None:
        parser = StreamParser()
        for event in wire.chat_call(0, '{"a": [1'):
            parser.feed_event(event)
        before = parser.calls[0].snapshot()
        parser.feed_event(wire.calls(wire.entry(0, ", 2]}")))
        assert before == {"a": []}

    def test_calls_are_equal_only_if_they_are_the_same(self) -> None:
        stream = wire.chat(wire.chat_call(0, "{}"), wire.chat_call(1, "{}"))
        first, second = read(stream).calls
        assert first != second
        assert len({first, second}) == 2

    def test_it_has_a_repr_and_a_dict(self) -> None:
        call = read(STREAMS["chat, one call"]).call
        assert repr(call) == "<ToolCall 'search' id='call_0' index=0 state='committed'>"
        assert call.to_dict() == {"id": "call_0", "name": "search", "index": 0, "server": False}

    @pytest.mark.parametrize("text", ["", "null", "{}", " ", "{ }", " null "])
    def test_no_arguments_are_an_empty_object(self, text: str) -> None:
        streams = [
            wire.anthropic(wire.tool_block(0, text)),
            wire.chat(wire.chat_call(0, text)),
            wire.responses(wire.function_call(0, text)),
        ]
        for stream in streams:
            for more in (stream, [*stream[:2], {"type": "ping", "choices": []}, *stream[2:]]):
                reading = read(more)
                assert reading.error is None
                assert reading.call.arguments == {}
                assert reading.call.state == "committed"
                assert reading.types.count("tool_call_end") == 1

    def test_arguments_may_be_any_value(self) -> None:
        for text, value in [("[1, 2]", [1, 2]), ("12", 12), ('"x"', "x"), ("true", True), ("-1.5e3", -1500.0)]:
            reading = read(wire.chat(wire.chat_call(0, text)))
            assert reading.call.arguments == value
            assert reading.call.complete

    def test_half_a_surrogate_pair_waits_for_the_other(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"a": "\ud83d', '\ude00"}'), [wire.chunk({"content": "\ud83d"})])
        stream.insert(-3, wire.chunk({"content": "\ude00!"}))
        data = wire.lines(stream)
        assert rb"\ud83d" in data
        reading = read_bytes(data, deltas=True)
        assert reading.call.arguments == {"a": "😀"}
        assert [event.text for event in reading.of(FieldDelta)] == ["😀"]
        assert [event.text for event in reading.of(TextDelta)] == ["😀!"]

    def test_half_a_surrogate_pair_alone(self) -> None:
        reading = read_bytes(wire.lines(wire.chat([wire.chunk({"content": "a\ud83db"})], finish_reason="stop")))
        assert reading.parser.text == "a\ufffdb"
        reading = read_bytes(wire.lines(wire.chat(wire.chat_call(0, '{"a": "\ud83dx"}'))))
        assert isinstance(reading.error, JSONError)


class TestSubscriptions:
    STREAM = wire.chat(
        wire.chat_call(0, '{"a": {"b": "xy"}, "c": [1]}', name="one"),
        wire.chat_call(1, '{"a": {"b": "xy"}, "c": [1]}', name="two"),
    )

    def paths(self, **options: Any) -> list[Any]:
        return [(event.call.name, event.path) for event in read(self.STREAM, **options).of(FieldComplete)]

    def test_depth(self) -> None:
        assert self.paths(depth=0) == []
        assert self.paths() == [("one", ("a",)), ("one", ("c",)), ("two", ("a",)), ("two", ("c",))]
        assert self.paths(depth=None)[:4] == [
            ("one", ("a", "b")),
            ("one", ("a",)),
            ("one", ("c", 0)),
            ("one", ("c",)),
        ]

    def test_paths(self) -> None:
        assert self.paths(paths=["a.b"]) == [("one", ("a", "b")), ("two", ("a", "b"))]

    def test_paths_by_tool(self) -> None:
        assert self.paths(paths={"one": ["a.b"], "two": "c[*]"}) == [("one", ("a", "b")), ("two", ("c", 0))]
        assert self.paths(paths={"two": "a"}) == [("two", ("a",))]

    def test_deltas_by_tool(self) -> None:
        reading = read(self.STREAM, depth=None, deltas={"two": True})
        assert {event.call.name for event in reading.of(FieldDelta)} == {"two"}
        assert len(reading.of(FieldComplete)) == 8

    @pytest.mark.parametrize("options", [{"paths": "a["}, {"paths": {"one": "a["}}, {"deltas": "]"}])
    def test_a_path_that_cannot_be_read_is_refused_at_once(self, options: Any) -> None:
        with pytest.raises(ValueError, match=r"a\[|\]"):
            StreamParser(**options)


class TestBadArguments:
    STREAM = wire.chat(
        wire.chat_call(0, '{"a": 1, "b": tru}', ', "c": 2}'), wire.chat_call(1, '{"a": 1}'), finish_reason="tool_calls"
    )

    def test_they_are_raised_with_the_call_after_the_events_before(self) -> None:
        reading = read(self.STREAM)
        assert isinstance(reading.error, JSONError)
        assert reading.error.call is reading.call
        assert reading.error.offset == 17
        assert "at byte 17 of the arguments" in str(reading.error)
        assert "search" in str(reading.error)
        assert reading.call.error is reading.error
        assert [event.path for event in reading.of(FieldComplete)] == [("a",)]
        assert reading.call.state == "void"

    def test_or_they_are_an_event_and_the_other_calls_go_on(self) -> None:
        reading = read(self.STREAM, on_error="event")
        bad, good = reading.calls
        assert reading.error is None
        assert [event.call for event in reading.of(ToolCallError)] == [bad]
        assert bad.error is reading.of(ToolCallError)[0].error
        assert bad.arguments == {"a": 1}
        assert good.arguments == {"a": 1}
        assert [event.call for event in reading.of(ToolCallEnd)] == [good]

    def test_a_repeated_key_is_bad(self) -> None:
        stream = wire.chat(wire.chat_call(0, '{"a": 1, "a": 2}'))
        assert isinstance(read(stream).error, DuplicateKeyError)
        reading = read(stream, duplicate_keys="last")
        assert reading.call.arguments == {"a": 2}

    def test_depth_and_length_are_limited_for_each_call(self) -> None:
        deep = wire.chat(wire.chat_call(0, '{"a": [[[1]]]}'), wire.chat_call(1, '{"a": 1}'))
        reading = read(deep, limits=Limits(max_depth=3), on_error="event")
        assert [call.complete for call in reading.calls] == [False, True]
        assert isinstance(reading.calls[0].error, LimitError)
        assert reading.calls[0].error.limit == "max_depth"
        long = wire.chat(wire.chat_call(0, '{"a": "', "xxxxx", 'xxx"}'), wire.chat_call(1, '{"a": 1}'))
        reading = read(long, limits=Limits(max_call_bytes=10), on_error="event")
        assert [call.complete for call in reading.calls] == [False, True]
        assert isinstance(reading.calls[0].error, LimitError)
        assert reading.calls[0].error.limit == "max_call_bytes"
        assert reading.calls[0].error.offset == 10


class TestLimits:
    def test_the_stream_s_bytes(self) -> None:
        data = sse(STREAMS["chat, text and calls in parallel"])
        for limit in (1, 100, 500, len(data) - 1):
            whole = plain(read_bytes(data, limits=Limits(max_bytes=limit)))
            assert whole[-1][0] == "LimitError"
            assert plain(read_bytes(data, 1, limits=Limits(max_bytes=limit))) == whole
            assert plain(read_bytes(data, 7, limits=Limits(max_bytes=limit))) == whole
        assert read_bytes(data, limits=Limits(max_bytes=len(data))).error is None

    def test_the_number_of_calls(self) -> None:
        stream = STREAMS["anthropic, text, thinking and calls in parallel"]
        reading = read(stream, limits=Limits(max_calls=2))
        assert isinstance(reading.error, LimitError)
        assert reading.error.limit == "max_calls"
        assert len(reading.of(ToolCallEnd)) == 2
        assert read(stream, limits=Limits(max_calls=3)).error is None

    @pytest.mark.parametrize("form", [sse, wire.lines, lambda stream: json.dumps(stream[:-1]).encode()])
    def test_the_bytes_of_one_event(self, form: Any) -> None:
        long = wire.chunk({"content": "x" * 1000})
        data = form(wire.chat([wire.chunk({"content": "y"}), long], finish_reason="stop"))
        told = [plain(read_bytes(data, size, limits=Limits(max_event_bytes=600))) for size in (None, 1, 7)]
        assert told[0][-1][0] == "LimitError"
        assert told[0][-2] == {"type": "text_delta", "text": "y", "index": 0}
        assert told[1:] == told[:1] * 2

    def test_arguments_that_wait_for_a_name_are_limited_too(self) -> None:
        stream = [wire.chunk({"role": "assistant"}), *[wire.calls(wire.entry(0, "x" * 10))] * 10]
        reading = read(stream, limits=Limits(max_call_bytes=64))
        assert isinstance(reading.error, LimitError)
        assert reading.error.limit == "max_call_bytes"

    @pytest.mark.parametrize("bound", [0, -1, 1.5, "1", True])
    def test_a_bound_that_is_none_is_refused(self, bound: Any) -> None:
        with pytest.raises(ValueError, match="max_calls must be a positive int or None"):
            Limits(max_calls=bound)

    def test_all_can_be_lifted(self) -> None:
        limits = Limits(max_depth=None, max_bytes=None, max_call_bytes=None, max_calls=None, max_event_bytes=None)
        for stream in WHOLE.values():
            for data in (sse(stream), wire.lines(stream)):
                assert read_bytes(data, limits=limits).error is None


class TestFraming:
    def test_data_that_cannot_be_json_is_a_gateway_s_comment(self) -> None:
        stream = sse(STREAMS["chat, one call"])
        noisy = b": ping\n\ndata: : PROCESSING\n\n" + stream.replace(
            b"data: [DONE]", b"data:\n\ndata: hello\n\ndata: [DONE]"
        )
        assert plain(read_bytes(noisy)) == plain(read_bytes(stream))

    def test_broken_json_is_an_error(self) -> None:
        for data in (b'data: {"choices": [}\n\n', b'data: {"choices": [NaN]}\n\n', b'{"choices": [}', b'{"a": 1}]'):
            for size in (None, 1):
                assert isinstance(read_bytes(data, size, provider="openai-chat").error, SSEError)

    def test_an_event_nested_too_deep_is_an_error(self) -> None:
        for data in (b'data: {"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n", b'{"a":' + b"[" * 100_000):
            assert isinstance(read_bytes(data).error, SSEError)

    def test_bytes_that_are_no_utf8_are_replaced_in_an_event(self) -> None:
        data = sse(wire.chat([wire.chunk({"content": "a?b"})], finish_reason="stop")).replace(b"a?b", b"a\xffb")
        assert read_bytes(data).parser.text == "a\ufffdb"

    def test_the_last_event_needs_no_blank_line(self) -> None:
        data = sse(STREAMS["anthropic, one call"])
        assert plain(read_bytes(data.rstrip(b"\n"))) == plain(read_bytes(data))

    def test_nothing_counts_after_done(self) -> None:
        data = sse(STREAMS["chat, one call"])
        assert plain(read_bytes(data + b'data: {"error": {"message": "late"}}\n\n')) == plain(read_bytes(data))

    def test_the_event_s_name_stands_in_for_its_type(self) -> None:
        reading = read_bytes(b'event: error\ndata: {"error": {"message": "Busy"}}\n\n', provider="anthropic")
        assert isinstance(reading.error, ProviderError)

    def test_an_array_that_breaks_off_is_incomplete(self) -> None:
        data = json.dumps(wire.chat(finish_reason="stop")[:-1]).encode()
        for end in (1, 5, len(data) - 1):
            assert isinstance(read_bytes(data[:end], provider="openai-chat").error, IncompleteError)

    @pytest.mark.parametrize("data", [b"[{}{}]", b"[,{}]", b"[{},]", b"[1]", b"[{}]x", b"[{}"])
    def test_an_array_is_read_strictly(self, data: bytes) -> None:
        reading = read_bytes(data, framing="json-array", provider="openai-chat")
        assert isinstance(reading.error, (SSEError, IncompleteError))
        assert plain(reading) == plain(read_bytes(data, 1, framing="json-array", provider="openai-chat"))

    @pytest.mark.parametrize("size", [None, 1])
    def test_objects_may_end_with_the_mark_of_sse(self, size: int | None) -> None:
        data = wire.lines(STREAMS["chat, one call"]) + b"[DONE]\n"
        reading = read_bytes(data, size)
        assert plain(reading) == plain(read(STREAMS["chat, one call"]))
        assert plain(read_bytes(data + b"and {what follows", size)) == plain(reading)
        first, *_ = data.split(b"\n")
        assert read_bytes(first + b"\n[DONE]", size).error is None
        assert isinstance(read_bytes(first + b"\n[DON", size).error, IncompleteError)
        assert isinstance(read_bytes(first + b"\n[{}]", size).error, SSEError)

    def test_many_small_values_in_one_chunk_are_not_read_again_for_each(self) -> None:
        # Half a minute if the rest of the chunk were copied for each value.
        data = wire.lines([wire.chunk({"content": "x"})] * 20_000)
        parser = StreamParser()
        assert len(parser.feed(data)) == 20_001

    def test_what_the_framing_is_can_be_said(self) -> None:
        for framing, form in [("sse", sse), ("ndjson", wire.lines), ("lines", sse), ("events", sse), ("auto", sse)]:
            assert read_bytes(form(STREAMS["chat, one call"]), framing=framing).error is None
        with pytest.raises(ValueError, match="framing"):
            StreamParser(framing="xml")


class TestEventObjects:
    def test_sse_events_of_other_libraries(self) -> None:
        parser = StreamParser()
        events = []
        for event in STREAMS["anthropic, one call"]:
            events += parser.feed_event(SimpleNamespace(event=event["type"], data=json.dumps(event), id="", retry=None))
        assert plain(wire.Reading(parser, events + parser.close())) == plain(read(STREAMS["anthropic, one call"]))

    def test_a_broken_sse_event_is_a_fault_like_any_other(self) -> None:
        parser = StreamParser()
        with pytest.raises(SSEError) as first:
            parser.feed_event(SimpleNamespace(event="message", data="{broken"))
        with pytest.raises(SSEError) as second:
            parser.feed(b"")
        assert second.value is first.value

    def test_done_in_an_sse_event(self) -> None:
        parser = StreamParser()
        for event in STREAMS["chat, one call"]:
            data = event if event == wire.DONE else json.dumps(event)
            parser.feed_event(SimpleNamespace(event="message", data=data))
        assert parser.message["tool_calls"][0]["id"] == "call_0"

    def test_objects_that_can_dump_themselves(self) -> None:
        class Model:
            def __init__(self, event: Any) -> None:
                self.type = event.get("type")
                self.event = event

            def model_dump(self, **options: Any) -> Any:
                assert options["mode"] == "json"
                assert options["exclude_unset"]
                return self.event

        class Other:
            def __init__(self, event: Any) -> None:
                self.event = event

            def to_dict(self) -> Any:
                return self.event

        stream = STREAMS["responses, one call"]
        for kind in (Model, Other):
            parser = StreamParser()
            events = [told for event in stream for told in parser.feed_event(kind(event))]
            assert plain(wire.Reading(parser, events + parser.close())) == plain(read(stream))

    def test_derived_events_of_a_helper_count_once(self) -> None:
        def never(**_: Any) -> None:
            raise AssertionError("a snapshot of everything was converted")

        parser = StreamParser()
        for event in STREAMS["chat, one call"][:-1]:
            raw = SimpleNamespace(type=None, model_dump=lambda event=event, **_: event)
            parser.feed_event(SimpleNamespace(type="chunk", chunk=raw, snapshot=None))
            parser.feed_event(SimpleNamespace(type="tool_calls.function.arguments.delta", model_dump=never))
            parser.feed_event(SimpleNamespace(type="input_json", model_dump=never))
        parser.close()
        assert parser.calls[0].arguments == SEARCH

    def test_events_of_an_agents_run_are_passed_over(self) -> None:
        """openai-agents: the model's own events stand in `data`, beside those about the run."""
        events: list[Any] = [SimpleNamespace(type="agent_updated_stream_event", new_agent=None)]
        for event in STREAMS["responses, one call"]:
            raw = SimpleNamespace(type=event["type"], model_dump=lambda event=event, **_: event)
            events.append(SimpleNamespace(type="raw_response_event", data=raw))
            events.append(SimpleNamespace(type="run_item_stream_event", name="tool_called", item=None))
        reading = wire.read_events(events)
        assert plain(reading) == plain(read(STREAMS["responses, one call"]))

    def test_what_a_helper_adds_to_a_response_is_left_out(self) -> None:
        call = wire.function_item(0, "{}", "completed")
        text = {"type": "message", "content": [{"type": "output_text", "text": "x"}]}
        told = [{**call, "parsed_arguments": {}}, {**text, "content": [{**text["content"][0], "parsed": None}]}]
        parser = StreamParser()
        end = wire.response("completed", output=told)
        parser.feed_event(SimpleNamespace(type=end["type"], model_dump=lambda **_: end))
        assert parser.message == [call, text]

    def test_anything_else_is_refused_and_does_no_harm(self) -> None:
        parser = StreamParser()
        for take in (parser.feed, parser.feed_event):
            with pytest.raises(TypeError, match="int"):
                take(3)  # type: ignore[arg-type]
        parser.feed(sse(STREAMS["chat, one call"]))
        assert parser.calls[0].complete


class TestFaults:
    def test_a_parser_that_has_raised_stays_dead(self) -> None:
        parser = StreamParser()
        with pytest.raises(ProviderError) as first:
            parser.feed(
                sse([wire.message_start(), {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}])
            )
        assert [event.type for event in first.value.events] == ["message_start", "usage_update"]
        for again in (lambda: parser.feed(b""), lambda: parser.feed_event({}), parser.close):
            with pytest.raises(ProviderError) as second:
                again()
            assert second.value is first.value
            assert second.value.events == []

    @pytest.mark.parametrize(
        ("parser", "bad"),
        [
            (StreamParser(), b'{"unknown": 1}\n'),
            (JSONParser(), b"x"),
            (SSEParser(max_event_bytes=1), b"data: 1"),
        ],
        ids=lambda given: type(given).__name__,
    )
    def test_a_dead_parser_that_is_fed_on_and_on_does_not_grow(self, parser: Any, bad: bytes) -> None:
        frames = []
        for _ in range(4):
            with pytest.raises(ToolStreamError) as raised:
                parser.feed(bad)
            frames.append(len(raised.traceback))
        assert frames[-1] <= frames[1]

    def test_a_closed_parser_takes_nothing_more(self) -> None:
        parser = StreamParser()
        parser.feed(sse(STREAMS["chat, one call"]))
        parser.close()
        assert parser.close() == []
        with pytest.raises(ToolStreamError, match="closed"):
            parser.feed(b"x")

    def test_events_of_an_impossible_shape_are_a_clean_error(self) -> None:
        for event in (
            {"type": "content_block_delta"},
            {"type": "content_block_delta", "index": 0, "delta": 3},
            {"type": "content_block_start", "index": [], "content_block": {"type": "tool_use"}},
            {"type": "message_start", "message": []},
            {"choices": [3]},
            {"choices": [{"delta": {"tool_calls": [{"index": {}, "function": 3}]}}]},
            {"choices": [{"delta": {"content": 3}}]},
            {"type": "response.output_item.added", "output_index": 0, "item": {}},
            {"type": "response.completed"},
        ):
            with pytest.raises(ToolStreamError):
                StreamParser().feed_event(event)

    def test_arguments_are_checked_at_once(self) -> None:
        for options in ({"on_error": "ignore"}, {"duplicate_keys": "first"}, {"provider": "acme"}):
            with pytest.raises(ValueError, match=next(iter(options.values()))):
                StreamParser(**options)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            StreamParser(provider=3)
        with pytest.raises(TypeError, match=r"toolstream\.Limits"):
            StreamParser(limits={"max_calls": 3})  # type: ignore[arg-type]

    def test_the_message_is_there_only_after_its_end(self) -> None:
        parser = StreamParser()
        assert parser.partial_message is None
        for event in STREAMS["chat, one call"][:-1]:
            with pytest.raises(ToolStreamError, match="not ended"):
                _ = parser.message
            parser.feed_event(event)
        parser.close()
        assert parser.message == parser.partial_message

    @every_whole_stream
    def test_what_is_done_to_a_message_does_not_come_back_in_the_next_one(self, name: str) -> None:
        parser = read(WHOLE[name]).parser
        before = copy.deepcopy(parser.message)
        spoil(parser.message)
        assert parser.message == before

    def test_two_threads_inside_one_parser_get_a_clean_error(self) -> None:
        parser = StreamParser()
        inside, leave = threading.Event(), threading.Event()

        class Slow(dict):  # type: ignore[type-arg]
            def get(self, *key: Any) -> Any:
                inside.set()
                leave.wait(10)
                return super().get(*key)

        thread = threading.Thread(target=lambda: parser.feed_event(Slow(wire.message_start())))
        thread.start()
        inside.wait(10)
        for call in (lambda: parser.feed(b"x"), lambda: parser.feed_event({}), parser.close):
            with pytest.raises(RuntimeError, match="in use"):
                call()
        leave.set()
        thread.join()
        assert parser.feed_event(wire.MESSAGE_STOP)[-1].type == "message_end"

    def test_a_call_from_inside_is_refused(self) -> None:
        parser = StreamParser()

        class Nosy(dict):  # type: ignore[type-arg]
            def get(self, *key: Any) -> Any:
                parser.feed_event({})

        with pytest.raises(RuntimeError, match="in use"):
            parser.feed_event(Nosy())


def spoil(value: Any) -> None:
    """Adds something to every container inside a value."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            spoil(inner)
        value["added"] = True
    elif isinstance(value, list):
        for inner in list(value):
            spoil(inner)
        value.append("added")


class TestEnds:
    def test_what_comes_behind_the_end_of_a_message_begins_another_one(self) -> None:
        reading = read([*wire.anthropic(wire.text_block(0, "Hello")), *wire.tool_block(0, '{"a": 1')])
        assert reading.types.count("message_start") == 2
        assert isinstance(reading.error, IncompleteError)
        assert reading.call.state == "void"

    @pytest.mark.parametrize(
        ("body", "kind", "message"),
        [
            ({"error": {"message": "No such model", "type": "not_found", "code": 404}}, "not_found", "No such model"),
            (
                {"type": "error", "error": {"type": "authentication_error", "message": "Bad key"}},
                "authentication_error",
                "Bad key",
            ),
            ({"error": "model not found"}, None, "model not found"),
            ({"message": "Unauthorized"}, None, "Unauthorized"),
            (
                {"object": "error", "message": "Too long", "type": "BadRequestError", "code": 400},
                "BadRequestError",
                "Too long",
            ),
            ({"detail": "Not Found"}, None, "Not Found"),
            ({"detail": [{"loc": ["body"], "msg": "field required", "type": "missing"}]}, "missing", "field required"),
            ({"success": False, "errors": [{"code": 7003, "message": "No route"}]}, "7003", "No route"),
            ({"error": {"message": {"deep": 1}}}, None, "{'deep': 1}"),
        ],
    )
    def test_an_error_body_instead_of_a_stream(self, body: Any, kind: str | None, message: str) -> None:
        for text in (json.dumps(body), json.dumps(body, indent=4), f"data: {json.dumps(body)}\n\n", json.dumps([body])):
            for size in (None, 1):
                error = read_bytes(text.encode(), size).error
                assert isinstance(error, ProviderError)
                assert error.message == message
                assert error.type == kind
                assert error.raw == body

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"<html><h1>502 Bad Gateway</h1></html>",
            b"upstream connect error",
            b"[]",
            b"data: [DONE]\n\n",
        ],
    )
    def test_no_event_at_all(self, data: bytes) -> None:
        for size in (None, 1):
            error = read_bytes(data, size).error
            assert isinstance(error, UnknownProviderError)
            assert error.event == data

    def test_an_unknown_stream_shows_its_first_event(self) -> None:
        for data in (b'data: {"foo": "bar"}\n\n', b'{"foo": "bar"}\n', b'[{"foo": "bar"}]'):
            error = read_bytes(data).error
            assert isinstance(error, UnknownProviderError)
            assert error.event == {"foo": "bar"}
            assert "'foo': 'bar'" in str(error)

    def test_a_stream_that_is_none_shows_its_first_bytes(self) -> None:
        assert 'provider="text"' in str(read_bytes(b"Hi <tool_call>").error)
        error = read_bytes(b"<html>" + b"x" * 5000).error
        assert isinstance(error, UnknownProviderError)
        assert error.event.startswith(b"<html>x")
        assert len(str(error)) < 400

    @pytest.mark.parametrize(
        "data",
        [
            b"\n",
            b"\xef\xbb\xbf",
            b"da",
            b"event: message_start\n",
            b": comment\n\n",
            b"data: {",
            b"{",
            b"[",
            b"id",
            b'{"type": "ping"}',
        ],
    )
    def test_a_stream_that_breaks_off_before_its_first_event(self, data: bytes) -> None:
        for size in (None, 1):
            assert isinstance(read_bytes(data, size).error, IncompleteError)

    @every_whole_stream
    def test_a_cut_after_the_proper_end_does_no_harm(self, name: str) -> None:
        data = sse(WHOLE[name])
        assert read_bytes(data + b'data: {"half').error is None


class TestMoving:
    """A parser can be pickled and copied between any two pieces."""

    @every_stream
    @pytest.mark.parametrize("size", [1, 60])
    def test_between_any_two_pieces(self, name: str, size: int) -> None:
        data = sse(STREAMS[name])
        options: dict[str, Any] = {"deltas": True, "depth": None}
        straight = read_bytes(data, **options)
        reading = wire.Reading(StreamParser(**options))
        for number, piece in enumerate(wire.pieces(data, size)):
            if size > 1 or number % 7 == 0:
                reading.parser = pickle.loads(pickle.dumps(reading.parser))
            reading.events += reading.parser.feed(piece)
        reading.events += reading.parser.close()
        assert plain(reading) == plain(straight)
        assert reading.parser.message == straight.parser.message
        assert [call.arguments for call in reading.calls] == [call.arguments for call in straight.calls]
        assert [call.text for call in reading.calls] == [call.text for call in straight.calls]

    @pytest.mark.parametrize("provider", ["auto", "anthropic"])
    @pytest.mark.parametrize("form", [wire.lines, lambda stream: json.dumps(stream).encode()])
    def test_inside_other_framings(self, form: Any, provider: str) -> None:
        stream = STREAMS["anthropic, one call"]
        data = form(stream)
        reading = wire.Reading(StreamParser(provider=provider))
        for piece in wire.pieces(data, 13):
            reading.parser = pickle.loads(pickle.dumps(reading.parser))
            reading.events += reading.parser.feed(piece)
        reading.events += reading.parser.close()
        assert plain(reading) == plain(read(stream))

    @every_stream
    def test_a_copy_goes_its_own_way(self, name: str) -> None:
        data = sse(STREAMS[name])
        parser = StreamParser()
        half = len(data) // 2
        events = parser.feed(data[:half])
        other = copy.deepcopy(parser)
        own = wire.Reading(parser, events + parser.feed(data[half:]) + parser.close())
        others = wire.Reading(other, events + other.feed(data[half:]) + other.close())
        assert plain(own) == plain(others)
        assert not set(own.calls) & set(others.calls)

    def test_events_and_their_calls_move_together(self) -> None:
        reading = read(STREAMS["chat, one call"])
        parser, events = pickle.loads(pickle.dumps((reading.parser, reading.events)))
        start = next(event for event in events if isinstance(event, ToolCallStart))
        assert start.call is parser.calls[0]
        assert start.call.arguments == SEARCH

    def test_a_dead_parser_stays_dead(self) -> None:
        reading = read(TestBadArguments.STREAM)
        parser = pickle.loads(pickle.dumps(reading.parser))
        with pytest.raises(JSONError) as raised:
            parser.feed(b"")
        assert str(raised.value) == str(reading.error)
        assert raised.value.call is parser.calls[0]  # type: ignore[attr-defined]


def test_every_event_can_be_logged() -> None:
    for stream in STREAMS.values():
        for event in read(stream, deltas=True).events:
            assert json.loads(json.dumps(event.to_dict()))["type"] == event.type


def test_the_attributes_tell_what_has_been_read() -> None:
    parser = StreamParser()
    assert (parser.provider, parser.model, parser.stop_reason, parser.text, parser.calls) == (None, None, None, "", [])
    for event in STREAMS["anthropic, text, thinking and calls in parallel"]:
        parser.feed_event(event)
    assert (parser.provider, parser.model, parser.stop_reason) == ("anthropic", "claude", "tool_use")
    assert parser.text == "I will search."
    assert parser.usage.final
    assert isinstance(parser, toolstream.StreamParser)


# ---------------------------------------------------------------------- many calls


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of the assembler run meanwhile."""
    count = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.endswith(("assembler.py", "calls.py")):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def chat_calls(count: int) -> Wire:
    """Calls that all stay open: their fragments come in turns."""
    entry = {"type": "function", "function": {"name": "f", "arguments": '{"a":'}}
    begun = [wire.chunk({"tool_calls": [{"index": n, "id": f"c{n}", **entry}]}) for n in range(count)]
    ends = [wire.chunk({"tool_calls": [{"index": n, "function": {"arguments": "1}"}}]}) for n in range(count)]
    return [*begun, *ends, wire.chunk(finish_reason="tool_calls"), wire.DONE]


def keyed_calls(count: int) -> Wire:
    """The same in blocks."""
    blocks = [wire.block_start(n, type="tool_use", id=f"t{n}", name="f", input={}) for n in range(count)]
    return [*blocks, *(wire.block_stop(n) for n in range(count))]


@pytest.mark.parametrize("build", [chat_calls, keyed_calls])
def test_the_work_for_many_open_calls_is_linear(build: Callable[[int], Wire]) -> None:
    def lines(count: int) -> int:
        head = wire.anthropic([])[:1] if build is keyed_calls else []
        data = wire.sse([*head, *build(count)])
        parser = StreamParser(limits=Limits(max_calls=None))
        return lines_run(lambda: parser.feed(data))

    assert lines(400) < 2.3 * lines(200)


def test_the_events_of_the_sse_parser_are_taken_as_those_of_other_clients() -> None:
    body = sse(wire.anthropic(wire.text_block(0, "Hello.")))
    events = toolstream.SSEParser().feed(body)
    assert list(toolstream.parse(iter(events))) == list(toolstream.parse(body))
