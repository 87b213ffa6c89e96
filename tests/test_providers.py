"""What each wire format means, and the ways in which servers depart from it."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import wire
from wire import STREAMS, anthropic, calls, chat, chat_call, chunk, entry, plain, read, responses

from toolstream import (
    FieldComplete,
    FieldDelta,
    IncompleteError,
    JSONError,
    MessageEnd,
    MessageStart,
    ProviderError,
    ReasoningDelta,
    StreamParser,
    TextDelta,
    ToolCallEnd,
    ToolCallError,
    ToolCallStart,
    ToolStreamError,
    UnknownProviderError,
    UsageUpdate,
)


class TestDetection:
    @pytest.mark.parametrize("name", STREAMS)
    def test_the_first_event_tells_the_format(self, name: str) -> None:
        provider = {"anthropic": "anthropic", "chat": "openai-chat", "responses": "openai-responses"}
        reading = read(STREAMS[name])
        assert reading.parser.provider == provider[name.partition(",")[0]]
        assert reading.of(MessageStart)[0].provider == reading.parser.provider

    @pytest.mark.parametrize(
        "leading",
        [
            {"type": "ping"},
            {"type": "keepalive", "sequence_number": 0},
            {"type": "codex.rate_limits", "rate_limits": {"primary": {"used_percent": 40}}},
            {"type": "vertex_event", "usage": {"input_tokens": 9, "output_tokens": 1}},
            {"type": "open"},  # a gateway's own, `event: open` and `data: {}`
        ],
    )
    def test_a_leading_ping_tells_nothing(self, leading: Any) -> None:
        for stream in STREAMS.values():
            assert plain(read([leading, *stream])) == plain(read(stream))

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "message-start", "id": "x"},
            {"message": {"role": "assistant"}, "done": False},
            {"object": "text_completion", "choices": [{"text": "x"}]},
            {},
        ],
    )
    def test_other_formats_are_unknown(self, event: Any) -> None:
        error = read([event]).error
        assert isinstance(error, UnknownProviderError)
        assert error.event == event

    def test_a_format_can_be_named(self) -> None:
        for name in ("auto", "openai", "openai-chat"):
            assert read(STREAMS["chat, one call"], provider=name).error is None
        for name in ("openai", "openai-responses"):
            assert read(STREAMS["responses, one call"], provider=name).error is None
        assert isinstance(read(STREAMS["anthropic, one call"], provider="openai").error, UnknownProviderError)
        assert isinstance(read(STREAMS["chat, one call"], provider="anthropic").error, IncompleteError)
        assert isinstance(read([], provider="anthropic").error, IncompleteError)

    @pytest.mark.parametrize("name", ["azure", "copilot", "groq", "llama.cpp", "mistral", "openrouter", "vllm", "xai"])
    def test_a_server_s_name_stands_for_the_formats_that_it_speaks(self, name: str) -> None:
        for stream in ("chat, one call", "responses, one call"):
            assert plain(read(STREAMS[stream], provider=name)) == plain(read(STREAMS[stream]))
        assert isinstance(read(STREAMS["anthropic, one call"], provider=name).error, UnknownProviderError)

    def test_an_error_body_counts_under_any_name(self) -> None:
        for name in ("auto", "openai", "anthropic", "openai-chat", "openai-responses"):
            for body in ({"error": {"message": "Bad key"}}, {"message": "Bad key"}):
                error = read([body], provider=name).error
                assert isinstance(error, ProviderError)
                assert error.message == "Bad key"

    @pytest.mark.parametrize("data", ["upstream timed out", '"upstream timed out"'])
    @pytest.mark.parametrize("name", STREAMS)
    def test_an_error_may_be_told_in_words(self, name: str, data: str) -> None:
        stream = wire.sse(STREAMS[name][:2])
        for before in (b"", stream):
            reading = wire.read_bytes(before + f"event: error\ndata: {data}\n\n".encode())
            assert isinstance(reading.error, ProviderError)
            assert reading.error.message == "upstream timed out"
        other = wire.read_bytes(stream + f"event: comment\ndata: {data}\n\n".encode())
        assert isinstance(other.error, IncompleteError)

    @pytest.mark.parametrize(
        "answer",
        [
            {
                **wire.message_start(
                    content=[block["content_block"] for block in (wire.tool_start(0, input={"q": 1}),)]
                )["message"],
                "stop_reason": "tool_use",
            },
            {
                **wire.response("completed", output=[wire.function_item(0, '{"q": 1}', "completed")])["response"],
                "usage": wire.RESPONSE_USAGE,
            },
        ],
    )
    def test_an_answer_may_come_whole(self, answer: Any) -> None:
        reading = wire.read_bytes(json.dumps(answer, indent=1).encode())
        assert reading.error is None
        assert (reading.call.arguments, reading.call.state) == ({"q": 1}, "committed")
        assert reading.parser.usage.input_tokens == 10

    @pytest.mark.parametrize("name", STREAMS)
    def test_a_stream_without_its_beginning_is_read_all_the_same(self, name: str) -> None:
        reading = read(STREAMS[name][1:])
        assert reading.types[0] == "message_start"
        assert reading.types.count("message_start") == 1
        assert reading.error is None

    def test_an_adapter_can_be_given(self) -> None:
        class Mine:
            name = "mine"

            @classmethod
            def recognises(cls, event: Any) -> bool:
                return True

            def handle(self, event: Any, assembler: Any) -> None:
                assembler.message_start("1", "m")
                assembler.open("k", id="a", name=event["tool"])
                assembler.whole("k", event["arguments"])
                assembler.close("k")
                assembler.stop("done", "tools")

            def end(self, assembler: Any, done: bool) -> None:
                assembler.end()

            def message(self, assembler: Any) -> Any:
                return "mine"

        for adapter in (Mine, Mine()):
            reading = read([{"tool": "f", "arguments": {"x": 1}}], provider=adapter)
            assert reading.call.arguments == {"x": 1}
            assert reading.call.state == "committed"
            assert reading.parser.provider == reading.of(MessageStart)[0].provider == "mine"
            assert reading.parser.message == "mine"


class TestAnthropic:
    def test_the_whole_order_of_events(self) -> None:
        reading = read(STREAMS["anthropic, text, thinking and calls in parallel"])
        assert reading.types == [
            "message_start",
            "usage_update",
            *["reasoning_delta"] * 2,
            *["text_delta"] * 2,
            "tool_call_start",
            *["field_complete"] * 4,
            "tool_call_end",
            "tool_call_start",  # ping: whole without arguments once the next block begins
            "tool_call_end",
            "tool_call_start",
            "field_complete",
            "tool_call_end",
            "usage_update",
            "message_end",
        ]
        assert [event.index for event in reading.of(TextDelta)] == [1, 1]
        assert [call.id for call in reading.calls] == ["toolu_2", "toolu_3", "toolu_4"]

    def test_the_end_of_a_block_ends_its_call(self) -> None:
        parser = StreamParser()
        told = [[event.type for event in parser.feed_event(event)] for event in STREAMS["anthropic, one call"]]
        assert told[-3] == ["tool_call_end"]

    def test_interleaved_blocks(self) -> None:
        stream = anthropic(
            [wire.tool_start(0), wire.tool_start(1), wire.json_delta(0, '{"a"'), wire.json_delta(1, '{"b"')],
            [wire.json_delta(1, ": 1}"), wire.json_delta(0, ": 2}"), wire.block_stop(1), wire.block_stop(0)],
        )
        reading = read(stream)
        assert [call.arguments for call in reading.calls] == [{"a": 2}, {"b": 1}]
        assert [call.state for call in reading.calls] == ["committed", "committed"]

    @pytest.mark.parametrize("fragments", [[], [""], ["", ""]])
    def test_input_in_the_block_s_start_counts_if_nothing_else_comes(self, fragments: list[str]) -> None:
        for given in ({"x": 1}, {}):
            reading = read(anthropic(wire.tool_block(0, *fragments, input=given)))
            assert reading.call.arguments == given
            assert len(reading.of(FieldComplete)) == len(given)
            assert reading.parser.message["content"][0]["input"] == given

    def test_input_in_the_block_s_start_is_a_placeholder_otherwise(self) -> None:
        reading = read(anthropic(wire.tool_block(0, '{"a": 1}', input={"b": 2})))
        assert reading.call.arguments == {"a": 1}

    @pytest.mark.parametrize("kind", ["server_tool_use", "mcp_tool_use"])
    def test_calls_of_the_server_are_marked(self, kind: str) -> None:
        reading = read(anthropic(wire.tool_block(0, "{}", type=kind), stop_reason="end_turn"))
        assert reading.call.server
        assert reading.call.complete

    def test_a_message_that_goes_on_holds_its_calls_already(self) -> None:
        content = [
            {"type": "text", "text": "Rolling."},
            {"type": "tool_use", "id": "toolu_1", "name": "roll", "input": {"sides": 6}},
            {"type": "tool_use", "id": "toolu_2", "name": "stop", "input": {}},
        ]
        reading = read([wire.message_start(content=content, stop_reason="tool_use"), wire.MESSAGE_STOP])
        assert [call.arguments for call in reading.calls] == [{"sides": 6}, {}]
        assert [call.state for call in reading.calls] == ["committed", "committed"]
        assert reading.parser.text == "Rolling."
        assert reading.parser.message == {"role": "assistant", "content": content}

    def test_messages_may_follow_each_other(self) -> None:
        first = anthropic(wire.tool_block(0, '{"a": 1}'))
        second = [{**wire.message_start("msg_2")}, *anthropic(wire.text_block(0, "Done."), stop_reason="end_turn")[1:]]
        reading = read([*first, *second])
        assert [event.id for event in reading.of(MessageStart)] == ["msg_1", "msg_2"]
        assert [event.safe for event in reading.of(MessageEnd)] == [True, False]
        assert reading.call.state == "committed"
        assert reading.parser.message["content"] == [{"type": "text", "text": "Done."}]

    def test_a_new_message_before_the_end_replaces_the_old_one(self) -> None:
        whole, cut = wire.tool_block(0, '{"a": 1}'), [wire.tool_start(1), wire.json_delta(1, '{"b": "x')]
        again = anthropic(wire.tool_block(0, '{"a": 2}'))
        reading = read([wire.message_start("first"), *whole, *cut, *again])
        assert [call.state for call in reading.calls] == ["void", "void", "committed"]
        assert [event.call.index for event in reading.of(ToolCallError)] == [1]
        assert "replaced" in str(reading.calls[1].error)
        assert reading.error is None
        assert reading.parser.message["content"][0]["input"] == {"a": 2}

    def test_the_same_message_start_twice_counts_once(self) -> None:
        stream = STREAMS["anthropic, one call"]
        assert plain(read([stream[0], stream[0], *stream[1:4], stream[0], *stream[4:]])) == plain(read(stream))

    def test_arguments_under_a_block_that_is_no_call_are_ignored(self) -> None:
        block = [wire.block_start(0, type="text", text=""), wire.json_delta(0, ""), wire.json_delta(0, "{")]
        reading = read(anthropic([*block, wire.block_stop(0)], stop_reason="end_turn"))
        assert reading.error is None
        assert reading.calls == []

    def test_unknown_events_blocks_and_deltas_are_ignored(self) -> None:
        odd = [{"type": "shrug"}, wire.block_start(0, type="aura"), wire.block_delta(0, type="aura_delta", hue=1)]
        reading = read(anthropic([*odd, wire.block_stop(0)], stop_reason="end_turn"))
        assert reading.error is None
        assert reading.parser.message["content"] == [{"type": "aura", "hue": 1}]

    def test_usage_counts_cached_tokens_as_input(self) -> None:
        start = wire.message_start(
            input_tokens=3, cache_read_input_tokens=100, cache_creation_input_tokens=20, output_tokens=1
        )
        end = [wire.message_delta("end_turn", output_tokens=50, input_tokens=None), wire.MESSAGE_STOP]
        reading = read([start, *end])
        first, last = (event.usage for event in reading.of(UsageUpdate))
        assert (first.input_tokens, first.output_tokens, first.final) == (123, 1, False)
        assert (last.input_tokens, last.output_tokens) == (123, 50)
        assert (last.cache_read_tokens, last.cache_write_tokens) == (100, 20)
        assert reading.parser.usage.final
        assert reading.parser.usage.cache_hit_ratio == pytest.approx(100 / 123)
        assert reading.of(MessageEnd)[0].usage == reading.parser.usage

    def test_counts_that_stay_the_same_are_no_news(self) -> None:
        reading = read([wire.message_start(output_tokens=5), wire.message_delta("end_turn", output_tokens=5)])
        assert len(reading.of(UsageUpdate)) == 1

    def test_an_error_in_the_stream(self) -> None:
        fault = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r"}
        reading = read([*STREAMS["anthropic, one call"][:5], fault])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.type, reading.error.message) == ("overloaded_error", "Overloaded")
        assert reading.error.raw == fault
        assert reading.types[:3] == ["message_start", "usage_update", "tool_call_start"]
        assert reading.call.state == "void"

    def test_the_message_keeps_what_the_next_request_must_repeat(self) -> None:
        citation = {"type": "char_location", "cited_text": "x"}
        stream = anthropic(
            [wire.block_start(0, type="thinking", thinking="", signature="")],
            [wire.block_delta(0, type="thinking_delta", thinking="Hm. "), wire.block_delta(0, type="ping")],
            [wire.block_delta(0, type="thinking_delta", thinking="Yes.")],
            [wire.block_delta(0, type="signature_delta", signature="c2ln"), wire.block_stop(0)],
            [wire.block_start(1, type="redacted_thinking", data="AAAA"), wire.block_stop(1)],
            [wire.block_start(2, type="text", text="", citations=[])],
            [wire.block_delta(2, type="text_delta", text="So "), wire.block_delta(2, type="text_delta", text="it is.")],
            [wire.block_delta(2, type="citations_delta", citation=citation), wire.block_stop(2)],
            wire.tool_block(3, '{"query": "x"}', type="server_tool_use", name="web_search"),
            [wire.block_start(4, type="web_search_tool_result", tool_use_id="toolu_3", content=[{"url": "u"}])],
            [wire.block_stop(4)],
            wire.tool_block(5, '{"a": ', "[1]}", name="f", caller={"type": "direct"}),
        )
        assert read(stream).parser.message == {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm. Yes.", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "AAAA"},
                {"type": "text", "text": "So it is.", "citations": [citation]},
                {"type": "server_tool_use", "id": "toolu_3", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "toolu_3", "content": [{"url": "u"}]},
                {"type": "tool_use", "id": "toolu_5", "name": "f", "input": {"a": [1]}, "caller": {"type": "direct"}},
            ],
        }

    @pytest.mark.parametrize("ends", [True, False])
    def test_what_a_model_has_called_before_another_takes_over_is_not_to_be_run(self, ends: bool) -> None:
        cut = [wire.tool_start(6, name="cut"), wire.json_delta(6, '{"a')]
        result = wire.block_start(4, type="web_search_tool_result", tool_use_id="toolu_3", content=[])
        handover = wire.block_start(7, type="fallback", **{"from": {"model": "claude"}, "to": {"model": "claude-2"}})
        stream = anthropic(
            [wire.block_start(0, type="thinking", thinking="", signature=""), wire.block_stop(0)],
            wire.text_block(1, "Let me"),
            wire.tool_block(2, '{"a": 1}', name="whole"),
            wire.tool_block(3, '{"q": 1}', type="server_tool_use", name="web_search"),
            [result, wire.block_stop(4)],
            wire.tool_block(5, '{"q": 1}', type="server_tool_use", name="web_search"),
            [*cut, wire.block_stop(6)] if ends else cut,
            [handover, wire.block_stop(7)],
            wire.text_block(8, " look."),
            wire.tool_block(9, '{"b": 2}', name="mine"),
        )
        reading = read(stream)
        assert reading.error is None
        assert [call.state for call in reading.calls] == ["void", "confirmed", "confirmed", "void", "committed"]
        assert [event.call.name for event in reading.of(ToolCallError)] == ["whole", "cut"]
        assert reading.of(MessageEnd)[0].safe
        assert reading.parser.model == "claude-2"
        assert reading.parser.text == "Let me look."
        said = [(block["type"], block.get("id")) for block in reading.parser.message["content"]]
        assert said == [
            ("text", None),
            ("server_tool_use", "toolu_3"),
            ("web_search_tool_result", None),
            ("fallback", None),
            ("text", None),
            ("tool_use", "toolu_9"),
        ]

    def test_text_between_calls_stays_a_block_of_its_own(self) -> None:
        deltas = [wire.block_delta(0, type="connector_text_delta", connector_text=text) for text in ("I'll ", "look.")]
        stream = anthropic(
            [wire.block_start(0, type="connector_text", connector_text=""), *deltas],
            [wire.block_delta(0, type="signature_delta", signature="c2ln"), wire.block_stop(0)],
            wire.tool_block(1, "{}"),
        )
        block = {"type": "connector_text", "connector_text": "I'll look.", "signature": "c2ln"}
        assert read(stream).parser.message["content"][0] == block

    def test_a_call_in_the_message_has_its_input_and_nothing_else(self) -> None:
        """llama.cpp begins a call without an input, and bridges with null."""
        text = wire.block_delta(0, type="text_delta", text="So.")
        block = {"type": "tool_use", "id": "toolu_0", "name": "now"}
        for given in ({}, {"input": None}, {"input": ""}):
            start = wire.block_start(0, **block, **given)
            reading = read(anthropic([start, text, wire.block_stop(0)]))
            assert reading.call.state == "committed"
            assert reading.parser.message["content"] == [{**block, "input": {}}]

    def test_a_partial_message_is_what_there_is(self) -> None:
        parser = StreamParser()
        for event in [
            wire.message_start(),
            *wire.text_block(0, "Hi"),
            wire.tool_start(1),
            wire.json_delta(1, '{"a": 1, "b'),
        ]:
            parser.feed_event(event)
        assert parser.partial_message == {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"a": 1}},
            ],
        }


class TestClaudeCode:
    """Anthropic's events in those of Claude Code and of claude-agent-sdk."""

    STREAM = STREAMS["anthropic, text, thinking and calls in parallel"]
    RUN: ClassVar[list[dict[str, Any]]] = [
        {"type": "assistant", "message": {"content": [{"type": "text", "text": "Hi"}]}, "session_id": "s"},
        {"type": "user", "message": {"content": [{"type": "tool_result"}]}, "session_id": "s"},
        {"type": "system", "subtype": "status", "session_id": "s"},
    ]

    @staticmethod
    def wrapped(event: dict[str, Any], parent: str | None = None) -> dict[str, Any]:
        return {"type": "stream_event", "event": event, "session_id": "s", "parent_tool_use_id": parent, "uuid": "u"}

    @pytest.mark.parametrize("size", [None, 1, 64])
    def test_lines_of_the_command(self, size: int | None) -> None:
        first = {"type": "system", "subtype": "init", "session_id": "s", "tools": ["Bash"]}
        end = {"type": "result", "subtype": "success", "is_error": False, "result": "Hi", "session_id": "s"}
        told = [other for event in self.STREAM for other in (self.wrapped(event), *self.RUN)]
        reading = wire.read_bytes(wire.lines([first, *told, end]), size)
        assert plain(reading) == plain(read(self.STREAM))
        assert reading.parser.message == read(self.STREAM).parser.message
        assert plain(read([*told, end])) == plain(reading)

    def test_a_sub_agent_s_events_are_passed_over(self) -> None:
        other = anthropic(wire.tool_block(0, '{"a": 1}'))
        told = [self.wrapped(event) for event in self.STREAM]
        told[3:3] = [self.wrapped(event, "toolu_0") for event in other]
        assert plain(read(told)) == plain(read(self.STREAM))

    def test_objects_of_the_sdk(self) -> None:
        message = type("AssistantMessage", (), {"__module__": "claude_agent_sdk.types", "content": [], "data": {}})
        events: list[Any] = [message()]
        for event in self.STREAM:
            events.append(SimpleNamespace(event=event, session_id="s", uuid="u", parent_tool_use_id=None))
            events.append(SimpleNamespace(event=event, session_id="s", uuid="u", parent_tool_use_id="toolu_0"))
            events.append(message())
        assert plain(wire.read_events(events)) == plain(read(self.STREAM))


class TestChat:
    def test_the_whole_order_of_events(self) -> None:
        reading = read(STREAMS["chat, text and calls in parallel"])
        assert reading.types == [
            "message_start",
            *["text_delta"] * 2,
            "tool_call_start",
            *["field_complete"] * 4,
            "tool_call_end",
            "tool_call_start",
            "tool_call_end",
            "tool_call_start",
            "field_complete",
            "tool_call_end",
            "usage_update",
            "message_end",
        ]
        assert reading.parser.stop_reason == "tool_calls"

    @pytest.mark.parametrize("reason", ["tool_calls", "stop", "function_call"])
    def test_stop_asks_for_calls_too(self, reason: str) -> None:
        reading = read(chat(chat_call(0, '{"a": 1}'), finish_reason=reason))
        assert reading.call.state == "committed"
        assert reading.of(MessageEnd)[0].safe
        assert not read(chat([chunk({"content": "x"})], finish_reason=reason)).of(MessageEnd)[0].safe

    def test_a_fragment_that_may_repeat_all_before_it_can_be_the_last(self) -> None:
        repeated = chat_call(0, '{"a":', '{"a":')
        reading = read(chat(repeated, finish_reason="length"))
        assert reading.error is None
        assert reading.call.state == "void"
        assert isinstance(read(chat(repeated, finish_reason="stop")).error, IncompleteError)

    def test_a_stop_that_was_none_before_tells_no_end(self) -> None:
        named = calls(entry(0, "", "a", "f"), finish_reason="stop")
        for more in (entry(0, '{"x":'), entry(1, "", "b", "g")):
            reading = read([named, calls(more, finish_reason="stop")])
            assert isinstance(reading.error, IncompleteError)
            assert {call.state for call in reading.parser.calls} == {"void"}
        reading = read([named, calls(entry(0, '{"x":1}'), finish_reason="stop")])
        assert reading.error is None
        assert reading.call.state == "committed"

    def test_the_end_is_finish_reason_or_done(self) -> None:
        whole = chat(chat_call(0, '{"a": 1}'))
        assert read(whole[:-2]).of(MessageEnd)[0].safe  # neither usage nor [DONE]
        assert isinstance(read(whole[:-3]).error, IncompleteError)
        reading = read([*whole[:-3], wire.DONE])  # no finish_reason
        assert reading.error is None
        assert reading.call.complete
        assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize(
        "entries",
        [
            # OpenAI: once all about the call, then fragments.
            [entry(0, "", "a", "f"), entry(0, '{"x":'), entry(0, "1}")],
            # Mistral, Groq, xAI: all at once.
            [entry(0, '{"x":1}', "a", "f")],
            # llama.cpp: the first fragment together with the name.
            [entry(0, '{"x', "a", "f"), entry(0, '":1}')],
            # No arguments at first; null; empty ones.
            [entry(0, None, "a", "f"), entry(0, '{"x":1}')],
            [{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}, entry(0, '{"x":1}')],
            [entry(0, "", "a", "f"), entry(0, ""), entry(0, ""), entry(0, '{"x":1}'), entry(0, "")],
            # DashScope, watsonx: empty id and name in the fragments; mistralai: the word null.
            [entry(0, "", "a", "f"), entry(0, '{"x":', "", ""), entry(0, "1}", "", "")],
            [entry(0, "", "a", "f"), entry(0, '{"x":', "null"), entry(0, "1}", "null")],
            # vLLM: id, and llama.cpp: name, repeated in every fragment.
            [entry(0, "", "a", "f"), entry(0, '{"x":', "a"), entry(0, "1}", "a")],
            [entry(0, '{"x":', "a", "f"), entry(0, "1}", "a", "f")],
            [entry(0, '{"x":', "a", "f"), entry(0, "1}", None, "f")],
            # llama.cpp: id inside function.
            [{"index": 0, "function": {"id": "a", "name": "f", "arguments": '{"x":1}'}}],
            # Gemini: no index.
            [entry(None, "", "a", "f"), entry(None, '{"x":'), entry(None, "1}")],
            [entry(None, '{"x":', "a", "f"), entry(None, "1}", "a")],
            # Id or name late; arguments before the name; the name in pieces.
            [entry(0, "", None, "f"), entry(0, '{"x":', "a"), entry(0, "1}")],
            [entry(0, '{"x":', "a"), entry(0, "1}", None, "f")],
            [entry(0, '{"x":'), entry(0, None, "a", "f"), entry(0, "1}")],
            [entry(0, None, None, "f"), entry(0, None, "a"), entry(0, '{"x":1}')],
            # LocalAI: the same call again under another index.
            [entry(0, '{"x":1}', "a", "f"), entry(1, '{"x":1}', "a", "f")],
            [entry(0, "", "a", "f"), entry(1, '{"x":1}', "a", "f")],
            # Everything so far in each fragment, or again at the end.
            [
                entry(0, '{"x', "a", "f"),
                entry(0, '{"x":'),
                entry(0, '{"x":1'),
                entry(0, '{"x":1}'),
                entry(0, '{"x":1}'),
            ],
            [entry(0, '{"x":', "a", "f"), entry(0, "1}"), entry(0, '{"x":1}')],
            [entry(0, '{"x"', "a", "f"), entry(0, '{"x":1}', "a", "f")],
            # A placeholder before the arguments.
            [entry(0, "{}", "a", "f"), entry(0, '{"x":'), entry(0, "1}")],
            [entry(0, "{}", "a", "f"), entry(0, "{}"), entry(0, '{"x":1}')],
            # MiniMax: an object.
            [entry(0, {"x": 1}, "a", "f")],
            [entry(0, "", "a", "f"), entry(0, {"x": 1})],
        ],
    )
    def test_one_call_in_many_spellings(self, entries: list[Any]) -> None:
        for stream in (chat([calls(one) for one in entries]), chat([calls(*entries)])):
            reading = read(stream)
            assert reading.error is None
            assert (reading.call.id, reading.call.name, reading.call.arguments) == ("a", "f", {"x": 1})
            assert reading.call.state == "committed"
            assert [event.path for event in reading.of(FieldComplete)] == [("x",)]
            assert reading.types.count("tool_call_start") == reading.types.count("tool_call_end") == 1

    @pytest.mark.parametrize(
        "entries",
        [
            [entry(0, '{"x":1}', "a", "f"), entry(1, '{"x":2}', "b", "f")],
            # Mistral's older API: no index. Ollama: always 0. SGLang: id 0 and 1 under one index.
            [entry(None, '{"x":1}', "a", "f"), entry(None, '{"x":2}', "b", "f")],
            [entry(0, '{"x":1}', "a", "f"), entry(0, '{"x":2}', "b", "f")],
            [entry(0, "", "a", "f"), entry(0, '{"x":1}'), entry(0, "", "b", "f"), entry(0, '{"x":'), entry(0, "2}")],
            [entry(None, "", "a", "f"), entry(None, '{"x":1}'), entry(None, "", "b", "f"), entry(None, '{"x":2}')],
            # Interleaved.
            [
                entry(0, "", "a", "f"),
                entry(1, "", "b", "f"),
                entry(1, '{"x"'),
                entry(0, '{"x":'),
                entry(1, ":2}"),
                entry(0, "1}"),
            ],
            [entry(0, '{"x":', "a", "f"), entry(1, '{"x":', "b", "f"), entry(0, "1}"), entry(1, "2}")],
            [
                entry(None, '{"x":', "a", "f"),
                entry(None, '{"x":', "b", "f"),
                entry(None, "1}", "a"),
                entry(None, "2}", "b"),
            ],
        ],
    )
    def test_two_calls_in_many_spellings(self, entries: list[Any]) -> None:
        for stream in (chat([calls(one) for one in entries]), chat([calls(*entries)])):
            reading = read(stream)
            assert reading.error is None
            assert [(call.id, call.arguments) for call in reading.calls] == [("a", {"x": 1}), ("b", {"x": 2})]
            assert [call.state for call in reading.calls] == ["committed", "committed"]

    @pytest.mark.parametrize(
        "entries",
        [
            [entry(0, '{"x":1}', None, "f"), entry(0, '{"x":2}', None, "g")],
            [entry(None, '{"x":1}', None, "f"), entry(None, '{"x":2}', None, "g")],
            [entry(0, '{"x":1}', None, "f"), entry(1, '{"x":2}', None, "g")],
            [entry(0, '{"x":1}', "same", "f"), entry(1, '{"x":2}', "same", "g")],
            [entry(0, "", None, "f"), entry(0, '{"x":1}'), entry(0, "", None, "g"), entry(0, '{"x":2}')],
        ],
    )
    def test_two_calls_without_ids_of_their_own(self, entries: list[Any]) -> None:
        reading = read(chat([calls(one) for one in entries]))
        assert reading.error is None
        assert [(call.name, call.arguments) for call in reading.calls] == [("f", {"x": 1}), ("g", {"x": 2})]

    def test_the_same_call_twice_is_two_calls_if_their_ids_differ(self) -> None:
        reading = read(chat([calls(entry(0, '{"x":1}', "a", "f"), entry(0, '{"x":1}', "b", "f"))]))
        assert len(reading.calls) == 2

    @pytest.mark.parametrize(
        "parts", [["[1,", "[1,", "2]]"], ['"', "ha", "ha", 'ha"'], ['{"a":', '{"a":', "1}}"], ["[[", "[[", "]]]]"]]
    )
    def test_true_increments_that_repeat_themselves_are_kept(self, parts: list[str]) -> None:
        assert read(chat(chat_call(0, *parts))).call.arguments == json.loads("".join(parts))

    def test_a_name_in_pieces(self) -> None:
        stream = chat(
            [calls(entry(0, None, None, "get_")), calls(entry(0, None, None, "weather")), calls(entry(0, "{}"))]
        )
        reading = read(stream)
        assert [event.call.name for event in reading.of(ToolCallStart)] == ["get_weather"]
        stream = chat(
            [calls(entry(0, None, "a", "get_")), calls(entry(0, None, "a", "get_weather")), calls(entry(0, "{}"))]
        )
        assert read(stream).call.name == "get_weather"

    def test_a_call_begins_with_its_name(self) -> None:
        parser = StreamParser()
        parser.feed_event(chunk({"role": "assistant"}))
        assert parser.feed_event(calls(entry(0, '{"a": 1, ', "a"))) == []
        assert parser.calls == []
        types = [event.type for event in parser.feed_event(calls(entry(0, None, None, "f")))]
        assert types == ["tool_call_start", "field_complete"]

    def test_an_empty_entry_is_no_call(self) -> None:
        for finish_reason in ("stop", "length"):
            reading = read(chat([calls({}), calls(entry(0)), calls(entry(0, ""))], finish_reason=finish_reason))
            assert reading.calls == []
            assert reading.error is None

    def test_a_call_without_a_name_is_bad(self) -> None:
        stream = chat([calls(entry(0, '{"a": 1}', "a"))])
        assert isinstance(read(stream).error, IncompleteError)
        reading = read(stream, on_error="event")
        assert reading.of(ToolCallError)[0].call.id == "a"

    def test_no_arguments_are_no_end_before_the_provider_s_own(self) -> None:
        parser = StreamParser()
        for event in chat(chat_call(0, name="a"), chat_call(1, "{}", name="b"))[:-3]:
            assert not any(isinstance(told, ToolCallEnd) for told in parser.feed_event(event))

    def test_text_after_the_end_of_a_call_is_a_fault(self) -> None:
        stream = chat(
            chat_call(0, '{"a": 1}'), chat_call(1, '{"a": 1}'), [calls(entry(0, " ")), calls(entry(0, '"b"'))]
        )
        reading = read(stream)
        assert isinstance(reading.error, JSONError)
        assert reading.error.call is reading.calls[0]

    def test_several_choices_have_calls_and_text_of_their_own(self) -> None:
        one, other = '{"city": "Paris"}', '{"city": "Rome"}'
        stream = [
            *(chunk({"role": "assistant", "content": "Hi"}, index=index) for index in (0, 1)),
            *(calls(entry(0, "", "same", "weather"), index=index) for index in (0, 1)),
            *(
                calls(entry(0, text[at : at + 4]), index=index)
                for at in range(0, len(one), 4)
                for index, text in enumerate((one, other))
            ),
            chunk(finish_reason="tool_calls"),
            chunk(finish_reason="tool_calls", index=1),
            wire.DONE,
        ]
        reading = read(stream)
        assert [call.arguments for call in reading.calls] == [{"city": "Paris"}, {"city": "Rome"}]
        assert [call.state for call in reading.calls] == ["committed", "committed"]
        assert [(event.text, event.index) for event in reading.of(TextDelta)] == [("Hi", 0), ("Hi", 1)]
        assert reading.parser.text == "Hi"
        assert [call["function"]["arguments"] for call in reading.parser.message["tool_calls"]] == [one]
        assert isinstance(read(stream[:-2]).error, IncompleteError)

    def test_azure_begins_with_a_chunk_about_nothing(self) -> None:
        first = {"choices": [], "id": "", "model": "", "object": "", "created": 0, "prompt_filter_results": []}
        empty = {**chunk(), "choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]}
        stream = STREAMS["chat, one call"]
        reading = read([first, empty, *stream])
        assert plain(reading) == plain(read(stream))
        assert reading.of(MessageStart)[0].id == "chatcmpl-1"

    def test_text_and_a_call_in_one_chunk(self) -> None:
        delta = {"content": "So:", "reasoning": "Hm.", "tool_calls": [entry(0, '{"a": 1}', "a", "f")]}
        reading = read([chunk(delta, "tool_calls"), wire.DONE])
        assert reading.types[1:5] == ["reasoning_delta", "text_delta", "tool_call_start", "field_complete"]

    def test_a_delta_counts_before_a_message_that_repeats_everything(self) -> None:
        said = [chunk({"content": text}, message={"content": "Hi all"[: len(text)]}) for text in ("Hi ", "all")]
        end = chunk({}, "stop", message={"role": "assistant", "content": "Hi all"})
        assert read([*said, end, wire.DONE]).parser.text == "Hi all"

    def test_message_for_delta(self) -> None:
        stream = chat(chat_call(0, '{"a": 1}'))
        for event in stream[:-2]:
            for choice in event["choices"]:
                choice["message"] = choice.pop("delta")
        assert read(stream).call.arguments == {"a": 1}

    def test_a_whole_completion_is_read_like_one_chunk(self) -> None:
        message = {"role": "assistant", "content": None, "tool_calls": [entry(None, '{"a": 1}', "a", "f")]}
        body = {
            **chunk(),
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }
        reading = wire.read_bytes(json.dumps(body).encode())
        assert reading.call.state == "committed"

    def test_the_predecessor_of_tool_calls(self) -> None:
        deltas = [{"name": "f", "arguments": ""}, {"arguments": '{"x"'}, {"arguments": ": 1}"}]
        reading = read(chat([chunk({"function_call": delta}) for delta in deltas], finish_reason="function_call"))
        assert reading.call.arguments == {"x": 1}
        assert reading.call.state == "committed"
        assert reading.parser.message["function_call"] == {"name": "f", "arguments": '{"x": 1}'}

    def test_an_empty_function_call_is_none(self) -> None:
        stub = chunk({"function_call": {"name": "", "arguments": ""}}, "tool_calls")
        reading = read([*chat_call(0, "{}"), stub, wire.DONE])
        assert reading.call.state == "committed"
        assert "function_call" not in reading.parser.message

    @pytest.mark.parametrize("fragments", [(), ("{",), ('{"a"', ":1")])
    def test_a_reason_to_stop_does_not_end_a_call_that_goes_on(self, fragments: tuple[str, ...]) -> None:
        parser = StreamParser()
        told = [event for one in chat_call(0, *fragments) for event in parser.feed_event(one)]
        told += parser.feed_event(chunk({}, "stop"))
        assert not any(isinstance(event, ToolCallEnd) for event in told)
        assert parser.calls[0].state == "streaming"
        assert parser.stop_reason == "stop"
        rest = '{"a":1}'[len("".join(fragments)) :]
        told = [*parser.feed_event(calls(entry(0, rest))), *parser.feed_event(chunk({}, "stop"))]
        assert any(isinstance(event, ToolCallEnd) for event in told)
        assert parser.close()[-1] == MessageEnd("stop", parser.usage, True)
        assert parser.calls[0].arguments == {"a": 1}

    def test_a_second_finish_reason_and_usage_after_it(self) -> None:
        finish = {
            **chunk({"role": "assistant", "content": ""}, finish_reason="tool_calls"),
            "usage": {"prompt_tokens": 3},
        }
        stream = chat(chat_call(0, '{"a": 1}'))
        reading = read([*stream[:-2], finish, wire.DONE])
        assert reading.types.count("tool_call_end") == 1
        assert reading.parser.usage.input_tokens == 3

    def test_arguments_in_the_chunk_with_finish_reason(self) -> None:
        stream = [
            chunk({"role": "assistant"}),
            calls(entry(0, '{"a": 1}', "a", "f"), finish_reason="tool_calls"),
            wire.DONE,
        ]
        assert read(stream).call.state == "committed"

    @pytest.mark.parametrize(
        ("delta", "text"),
        [
            ({"reasoning_content": "Hm."}, "Hm."),
            ({"reasoning": "Hm.", "channel": "analysis"}, "Hm."),
            ({"reasoning_content": "Hm.", "reasoning": "Hm."}, "Hm."),
            ({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]}, "Hm."),
        ],
    )
    def test_reasoning_by_its_many_names(self, delta: Any, text: str) -> None:
        reading = read(chat([chunk(delta)], finish_reason="stop"))
        assert [event.text for event in reading.of(ReasoningDelta)] == [text]
        assert reading.parser.text == ""

    def test_content_in_parts(self) -> None:
        def thinking(text: str) -> Any:
            return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}

        stream = chat(
            [chunk({"content": ""}), chunk({"content": [thinking("Let ")]}), chunk({"content": [thinking("me.")]})],
            [chunk({"content": [{"type": "text", "text": "1"}]}), chunk({"content": "44"})],
            finish_reason="stop",
        )
        reading = read(stream)
        assert reading.parser.text == "144"
        assert reading.parser.message["content"] == [thinking("Let me."), {"type": "text", "text": "144"}]

    def test_signatures_of_thoughts_in_parts_are_kept(self) -> None:
        def thinking(text: str, **more: Any) -> Any:
            return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}

        def reasoning(text: str, **more: Any) -> Any:
            return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text, **more}]}

        parts = [
            *(thinking("Let "), thinking("me.", signature="a"), thinking("Now."), {"type": "text", "text": "So"}),
            *(reasoning("Hm", signature=""), reasoning("."), reasoning("", signature="b")),
            {"type": "reference", "reference_ids": [1]},
        ]
        message = read(chat([chunk({"content": [part]}) for part in parts], finish_reason="stop")).parser.message
        assert message["content"] == [
            thinking("Let me.", signature="a"),
            thinking("Now."),
            {"type": "text", "text": "So"},
            reasoning("Hm.", signature="b"),
            {"type": "reference", "reference_ids": [1]},
        ]

    @pytest.mark.parametrize(
        "entries",
        [
            [("call_0", "f", '{"a"'), (None, "f", ": "), (None, "f", "1}")],
            [("call_0", "f", None), (None, "f", '{"a": 1}'), (None, "f", "")],
            [("call_0", "f", '{"a": 1}'), (None, "f", "")],
            [(None, "f", '{"a"'), (None, "f", ": 1}")],
            [(None, "f", None), ("call_0", None, '{"a": '), (None, None, "1}")],
            [(None, "f", '{"a"'), ("call_0", None, ": 1}")],
        ],
    )
    def test_entries_without_a_place_go_on_with_a_call_that_is_not_whole(self, entries: list[Any]) -> None:
        whole = wire.calls(wire.entry(None, '{"b": 2}', "call_1", "f"))
        pieces = [wire.calls(wire.entry(None, text, id, name)) for id, name, text in entries]
        reading = read(wire.chat([*pieces, whole]))
        assert [call.arguments for call in reading.calls] == [{"a": 1}, {"b": 2}]
        assert [call.id for call in reading.calls] == [entries[0][0] or entries[1][0], "call_1"]
        assert all(call.state == "committed" for call in reading.calls)

    @pytest.mark.parametrize("text", ['{"a": 1}', "", None])
    def test_entries_with_a_name_alone_are_each_a_call(self, text: str | None) -> None:
        reading = read(wire.chat([wire.calls(wire.entry(None, text, None, "f")) for _ in range(3)]))
        assert [call.state for call in reading.calls] == ["committed"] * 3

    @pytest.mark.parametrize("arguments", ["", None, "{}"])
    def test_no_arguments_are_an_empty_object_in_the_message(self, arguments: str | None) -> None:
        """An empty text in a request is refused by many servers, also by those that send one."""
        message = read(wire.chat([wire.calls(wire.entry(0, arguments, "call_0", "now"))])).parser.message
        assert [entry["function"]["arguments"] for entry in message["tool_calls"]] == ["{}"]

    def test_a_custom_tool_s_input_is_text_that_ends_with_the_message(self) -> None:
        def custom(text: str, **about: Any) -> dict[str, Any]:
            return calls({"index": 0, **about, "custom": {"input": text, **({"name": "code"} if about else {})}})

        stream = [custom("", id="a", type="custom"), custom('{"x'), custom('{"x'), *wire.chat_call(1, "{}")]
        reading = read(chat(stream, [custom("}")]), deltas=True)
        assert [event.text for event in reading.of(FieldDelta)] == ['{"x', '{"x', "}"]
        assert [call.arguments for call in reading.calls] == ['{"x{"x}', {}]
        assert [call.state for call in reading.calls] == ["committed", "committed"]
        told = {"id": "a", "type": "custom", "custom": {"name": "code", "input": '{"x{"x}'}}
        assert reading.parser.message["tool_calls"][0] == told

        cut = read(chat(stream, finish_reason="length"))
        assert cut.error is None
        assert [call.state for call in cut.calls] == ["void", "closed"]

    def test_a_refusal_is_text_and_stays_a_refusal_in_the_message(self) -> None:
        reading = read(chat([chunk({"refusal": "I "}), chunk({"refusal": "can't."})], finish_reason="stop"))
        assert reading.parser.text == "I can't."
        assert reading.parser.message == {"role": "assistant", "content": None, "refusal": "I can't."}

    def test_the_message_keeps_what_the_next_request_must_repeat(self) -> None:
        signed = {**entry(0, "", "a", "f"), "extra_content": {"google": {"thought_signature": "x"}}}
        details = [{"type": "reasoning.text", "index": 0, "text": text, "format": "v1"} for text in ("Let ", "me.")]
        secret = {"type": "reasoning.encrypted", "index": 0, "data": "AAAA"}
        stream = chat(
            [chunk({"role": "assistant", "reasoning": "Let ", "reasoning_details": details[:1]})],
            [chunk({"role": "assistant", "reasoning": "me.", "reasoning_details": [details[1], secret]})],
            [chunk({"content": "Now: "}), calls(signed), calls(entry(0, '{"x": 1}'))],
        )
        assert read(stream).parser.message == {
            "role": "assistant",
            "content": "Now: ",
            "reasoning": "Let me.",
            "reasoning_details": [{**details[0], "text": "Let me."}, secret],
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "f", "arguments": '{"x": 1}'},
                    "extra_content": {"google": {"thought_signature": "x"}},
                }
            ],
        }

    @pytest.mark.parametrize(
        ("usage", "counts"),
        [
            ({"prompt_tokens": 10, "completion_tokens": 5}, (10, 5, None, None, None)),
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                    "completion_tokens_details": {"reasoning_tokens": 3},
                },
                (10, 5, 4, 2, 3),
            ),
            ({"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 8}, (10, 5, 8, None, None)),
            ({"prompt_tokens": 10, "completion_tokens": 5, "cached_tokens": 7}, (10, 5, 7, None, None)),
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": None,
                    "cache_read_input_tokens": 1,
                    "cache_creation_input_tokens": 2,
                },
                (10, None, 1, 2, None),
            ),
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_input_tokens": 2},
                },
                (10, 5, 4, 2, None),
            ),
            # A bridge to Anthropic that leaves its counts as they are.
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 90, "cache_creation_tokens": 1},
                },
                (101, 5, 90, 1, None),
            ),
            # xAI counts reasoning beside the completion.
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "total_tokens": 35,
                    "completion_tokens_details": {"reasoning_tokens": 20},
                },
                (10, 25, None, None, 20),
            ),
        ],
    )
    def test_usage_by_its_many_names(self, usage: Any, counts: Any) -> None:
        at_the_end = [chunk({"content": "x"}), chunk(finish_reason="stop"), {**chunk(), "choices": [], "usage": usage}]
        elsewhere = [chunk({"content": "x"}), {**chunk(finish_reason="stop"), "x_groq": {"usage": usage}}]
        in_the_choice = [chunk({"content": "x"}), chunk(finish_reason="stop", usage=usage)]
        for stream in (at_the_end, elsewhere, in_the_choice):
            told = read(stream).parser.usage
            found = (told.input_tokens, told.output_tokens, told.cache_read_tokens, told.cache_write_tokens)
            assert (*found, told.reasoning_tokens) == counts
            assert told.final

    def test_a_signature_alone_in_a_delta_is_kept(self) -> None:
        signature = {"google": {"thought_signature": "c2ln"}}
        said = [chunk({"content": "So"}), chunk({"content": "", "extra_content": signature})]
        message = read(chat(said, finish_reason="stop")).parser.message
        assert message == {"role": "assistant", "content": "So", "extra_content": signature}

    def test_details_of_usage_are_snapshots_too(self) -> None:
        counts = [{"cached_tokens": 4, "audio_tokens": None}, {"cached_tokens": None}, None]
        usages = [{"prompt_tokens": 10, "prompt_tokens_details": details} for details in counts]
        usage = read([{**chunk({"content": "x"}, "stop"), "usage": one} for one in usages]).parser.usage
        assert (usage.cache_read_tokens, usage.cache_hit_ratio) == (4, 0.4)

    def test_usage_in_every_chunk_counts_once(self) -> None:
        counts = [{"prompt_tokens": 9, "completion_tokens": count, "total_tokens": None} for count in (1, 2, 2, None)]
        reading = read([{**chunk({"content": "x"}, "stop"), "usage": usage} for usage in counts])
        assert [event.usage.output_tokens for event in reading.of(UsageUpdate)] == [1, 2]
        assert reading.parser.usage.output_tokens == 2

    @pytest.mark.parametrize(
        "event",
        [
            {"error": {"message": "Busy", "code": 503}},
            {**chunk({"content": ""}), "error": {"message": "Busy", "code": 503}},
            {**chunk(), "choices": [], "error": {"message": "Busy", "code": 503}},
            {"object": "error", "message": "Busy", "code": 503},
            {"type": "error", "message": "Busy", "code": 503},
        ],
    )
    def test_errors_in_the_stream(self, event: Any) -> None:
        stream = chat(chat_call(0, '{"a": 1}'))
        reading = read([*stream[:3], event, wire.DONE])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.message, reading.error.type) == ("Busy", "503")
        assert reading.call.state == "void"

    def test_counts_beside_an_error_are_kept(self) -> None:
        fault = {**chunk(), "error": {"message": "Busy"}, "usage": {"prompt_tokens": 3, "completion_tokens": 4}}
        assert read([chunk({"content": "x"}), fault]).parser.usage.output_tokens == 4


class TestResponses:
    def test_the_whole_order_of_events(self) -> None:
        reading = read(STREAMS["responses, text and calls in parallel"])
        assert reading.types == [
            "message_start",
            *["text_delta"] * 2,
            "tool_call_start",
            *["field_complete"] * 4,
            "tool_call_end",
            "tool_call_start",
            "tool_call_end",
            "usage_update",
            "message_end",
        ]
        assert [call.id for call in reading.calls] == ["call_1", "call_2"]
        assert reading.parser.stop_reason == "completed"
        assert reading.of(MessageEnd)[0].safe

    def test_calls_that_are_interleaved(self) -> None:
        stream = responses(
            [wire.item_added(0, wire.function_item(0)), wire.item_added(1, wire.function_item(1))],
            [wire.arguments_delta(0, '{"a"'), wire.arguments_delta(1, '{"b"')],
            [wire.arguments_delta(0, ": 1}"), wire.arguments_delta(1, ": 2}")],
            [wire.item_done(1, wire.function_item(1, '{"b": 2}', "completed"))],
            [wire.item_done(0, wire.function_item(0, '{"a": 1}', "completed"))],
        )
        reading = read(stream)
        assert [call.arguments for call in reading.calls] == [{"a": 1}, {"b": 2}]
        assert [call.state for call in reading.calls] == ["committed", "committed"]

    def test_item_ids_may_change_from_event_to_event(self) -> None:
        stream = STREAMS["responses, text and calls in parallel"]
        changing = []
        for number, event in enumerate(stream):
            event = json.loads(json.dumps(event))
            if "item_id" in event:
                event["item_id"] = f"rotated_{number}"
            if "item" in event:
                event["item"]["id"] = f"rotated_{number}"
            changing.append(event)
        assert plain(read(changing)) == plain(read(stream))

    def test_output_index_may_be_missing(self) -> None:
        stream = STREAMS["responses, text and calls in parallel"]
        bare = [{name: value for name, value in event.items() if name != "output_index"} for event in stream]
        reading = read(bare)
        assert reading.error is None
        assert [call.arguments for call in reading.calls] == [call.arguments for call in read(stream).calls]

    @pytest.mark.parametrize("only_done", [False, True])
    def test_output_index_may_be_the_same_for_several_items(self, only_done: bool) -> None:
        one, other = wire.function_call(0, '{"a": ', "1}"), wire.function_call(1, '{"a": ', "2}")
        text = wire.output_text(2, "Now.")
        events = [{**event, "output_index": 0} for event in [*one, *other, *text]]
        if only_done:
            events = [event for event in events if event["type"] == "response.output_item.done"]
        for output in ({}, {"output": []}):
            reading = read(responses(events, **output))
            assert reading.error is None
            assert [(call.id, call.arguments) for call in reading.calls] == [("call_0", {"a": 1}), ("call_1", {"a": 2})]
            assert [call.state for call in reading.calls] == ["committed", "committed"]
            assert reading.parser.text == "Now."
            assert [item["type"] for item in reading.parser.message] == ["function_call", "function_call", "message"]
        bare = [{name: value for name, value in event.items() if name != "item_id"} for event in events]
        assert read(responses(bare)).parser.message == reading.parser.message
        interleaved = [event for pair in zip(one, other, strict=True) for event in pair]
        reading = read(responses([{**event, "output_index": 0} for event in interleaved]))
        assert [call.arguments for call in reading.calls] == [{"a": 1}, {"a": 2}]

    @pytest.mark.parametrize("keep", ["arguments.done", "item.done", "completed", "added"])
    def test_all_at_once_instead_of_in_fragments(self, keep: str) -> None:
        whole = wire.function_item(0, '{"a": 1}', "completed")
        events = {
            "arguments.done": [wire.item_added(0, wire.function_item(0)), wire.arguments_done(0, '{"a": 1}')],
            "item.done": [wire.item_done(0, whole)],
            "completed": [],
            "added": [wire.item_added(0, whole), wire.arguments_done(0, '{"a": 1}'), wire.item_done(0, whole)],
        }
        reading = read(responses(events[keep], output=[whole]))
        assert reading.error is None
        assert reading.call.arguments == {"a": 1}
        assert reading.call.state == "committed"
        assert reading.types.count("field_complete") == reading.types.count("tool_call_end") == 1
        assert reading.parser.message == [whole]

    def test_only_what_is_new_in_a_repetition_counts(self) -> None:
        whole = wire.function_item(0, '{"a": 1, "b": 2}', "completed")
        stream = responses(
            [wire.item_added(0, wire.function_item(0)), wire.arguments_delta(0, '{"a": 1, ')],
            [wire.arguments_done(0, '{"a": 1, "b": 2}'), wire.item_done(0, whole)],
        )
        reading = read(stream)
        assert [event.path for event in reading.of(FieldComplete)] == [("a",), ("b",)]
        assert reading.call.text == '{"a": 1, "b": 2}'

    def test_a_repetition_that_says_something_else_is_a_fault(self) -> None:
        stream = responses(
            [wire.item_added(0, wire.function_item(0)), wire.arguments_delta(0, '{"a": 1}')],
            [wire.item_done(0, wire.function_item(0, '{"a": 2}', "completed"))],
        )
        reading = read(stream)
        assert isinstance(reading.error, JSONError)
        assert "not those that it has streamed" in str(reading.error)

    def test_a_repetition_may_be_spaced_in_another_way(self) -> None:
        stream = responses(
            [wire.item_added(0, wire.function_item(0)), wire.arguments_delta(0, '{"a":1}')],
            [wire.item_done(0, wire.function_item(0, '{"a": 1}', "completed"))],
        )
        assert read(stream).call.state == "committed"

    def test_text_that_comes_whole(self) -> None:
        whole = wire.output_text(0, "Hello")
        for events in ([whole[0], whole[-2], whole[-1]], whole[-1:], []):
            reading = read(responses(events, output=[whole[-1]["item"]]))
            assert [event.text for event in reading.of(TextDelta)] == ["Hello"]
            assert reading.parser.message == [whole[-1]["item"]]

    def test_free_text_is_no_json(self) -> None:
        item = {"type": "custom_tool_call", "id": "ctc_0", "call_id": "call_0", "name": "run", "input": ""}
        code = ["print(", '"{")\n', "\\"]
        stream = responses(
            [wire.item_added(0, item)],
            [wire.arguments_delta(0, text, "custom_tool_call_input") for text in code],
            [wire.arguments_done(0, "".join(code), "custom_tool_call_input", "input")],
            [wire.item_done(0, {**item, "input": "".join(code), "status": "completed"})],
        )
        reading = read(stream)
        assert reading.call.arguments == reading.call.text == reading.call.snapshot() == "".join(code)
        assert reading.call.state == "committed"
        assert reading.call.is_complete()
        assert not reading.of(FieldComplete)
        cut = read([*stream[:4], wire.response("incomplete", incomplete_details={"reason": "max_output_tokens"})])
        assert cut.call.state == "void"
        assert cut.error is None
        assert isinstance(read(stream[:4]).error, IncompleteError)

    def test_free_text_is_reported_as_it_grows_under_the_empty_path(self) -> None:
        item = {"type": "custom_tool_call", "id": "ctc_0", "call_id": "call_0", "name": "run", "input": ""}
        code = ["print(", "'\ud83d", "\ude00')", ""]
        stream = responses(
            [wire.item_added(0, item)],
            [wire.arguments_delta(0, text, "custom_tool_call_input") for text in code],
            [wire.item_done(0, {**item, "input": "print('\U0001f600')", "status": "completed"})],
        )
        for deltas in (True, {"run": True}):
            reading = wire.read_bytes(wire.lines(stream), deltas=deltas)
            assert [event.text for event in reading.of(FieldDelta)] == ["print(", "'", "\U0001f600')"]
            assert {(event.call, event.path) for event in reading.of(FieldDelta)} == {(reading.call, ())}
            assert reading.call.arguments == "print('\U0001f600')"
        for deltas in (False, ["x"], {"other": True}):
            assert not read(stream, deltas=deltas).of(FieldDelta)

    def test_calls_that_the_server_makes(self) -> None:
        item = {"type": "mcp_call", "id": "mcp_0", "name": "ask", "arguments": "", "server_label": "docs"}
        for delta in ('{"q": "x"}', {"q": "x"}):
            stream = responses(
                [wire.item_added(0, item), wire.arguments_delta(0, delta, "mcp_call_arguments")],
                [wire.arguments_done(0, '{"q": "x"}', "mcp_call_arguments")],
                [wire.item_done(0, {**item, "arguments": '{"q": "x"}', "status": "completed", "output": "y"})],
                wire.output_text(1, "Done."),
            )
            reading = read(stream)
            assert (reading.call.server, reading.call.id, reading.call.arguments) == (True, "mcp_0", {"q": "x"})
            assert reading.call.state == "confirmed"
            assert not reading.of(MessageEnd)[0].safe

    @pytest.mark.parametrize(
        ("item", "input", "kind", "key", "about"),
        [
            (
                {"type": "code_interpreter_call", "id": "ci_0", "code": "1 +\n1"},
                "1 +\n1",
                "code_interpreter_call_code",
                "code",
                ("ci_0", "code_interpreter", True),
            ),
            (
                {
                    "type": "apply_patch_call",
                    "call_id": "c",
                    "operation": {"type": "update_file", "path": "a", "diff": "+x\n"},
                },
                "+x\n",
                "apply_patch_call_operation_diff",
                "diff",
                ("c", "apply_patch", False),
            ),
            (
                {"type": "custom_tool_call", "call_id": "c", "name": "run", "input": "{"},
                "{",
                "custom_tool_call_input",
                "input",
                ("c", "run", False),
            ),
        ],
    )
    def test_tools_whose_input_is_text(self, item: Any, input: str, kind: str, key: str, about: Any) -> None:
        empty = json.loads(json.dumps(item).replace(json.dumps(input), '""'))
        whole = {**item, "status": "completed"}
        started = [wire.item_added(0, {**empty, "status": "in_progress"})]
        deltas = [wire.arguments_delta(0, text, kind) for text in input]
        ends = [wire.arguments_done(0, input, kind, key), wire.item_done(0, whole)]
        for events in ([*started, *deltas, *ends], [*started, *ends], [*started, *deltas[:1], *ends], ends[1:], []):
            reading = read(responses(events, output=[whole]), deltas=True)
            assert (reading.call.id, reading.call.name, reading.call.server) == about
            assert reading.call.arguments == input
            assert "".join(event.text for event in reading.of(FieldDelta)) == input
            assert reading.call.complete
            assert reading.parser.message == [whole]
        cut = read([*responses(started, deltas[:1])[:-1], wire.response("incomplete")], deltas=True)
        assert cut.call.state == "void"

    def test_commands_of_a_shell_are_the_lines_of_its_input(self) -> None:
        item = {"type": "shell_call", "id": "sh_0", "call_id": "c", "action": {"commands": []}}
        whole = {**item, "action": {"commands": ["cd a", "", "ls"]}, "status": "completed"}

        def told(step: str, index: int, **more: str) -> Any:
            place = {"output_index": 0, "command_index": index}
            return {"type": f"response.shell_call_command.{step}", **place, **more}

        started = [wire.item_added(0, item)]
        streamed = [
            event
            for index, command in enumerate(whole["action"]["commands"])
            for event in (
                told("added", index, command=""),
                *(told("delta", index, delta=text) for text in command),
                told("done", index, command=command),
            )
        ]
        without_deltas = [event for event in streamed if not event["type"].endswith("delta")]
        for events in ([*started, *streamed], [*started, *without_deltas], started, []):
            reading = read(responses(events, [wire.item_done(0, whole)]), deltas=True)
            assert (reading.call.id, reading.call.name, reading.call.arguments) == ("c", "shell", "cd a\n\nls")
            assert "".join(event.text for event in reading.of(FieldDelta)) == "cd a\n\nls"
            assert reading.call.state == "committed"
        hosted = {**whole, "environment": {"type": "container_reference", "container_id": "cntr_1"}}
        assert read(responses([wire.item_done(0, hosted)])).call.server

    @pytest.mark.parametrize(
        ("item", "name", "arguments", "server"),
        [
            (
                {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}},
                "local_shell",
                {"type": "exec", "command": ["ls"]},
                False,
            ),
            (
                {"type": "computer_call", "action": {"type": "click", "x": 1}},
                "computer",
                {"type": "click", "x": 1},
                False,
            ),
            (
                {"type": "computer_call", "actions": [{"type": "wait"}]},
                "computer",
                {"actions": [{"type": "wait"}]},
                False,
            ),
            (
                {"type": "tool_search_call", "arguments": {"paths": ["f"]}, "execution": "server"},
                "tool_search",
                {"paths": ["f"]},
                True,
            ),
            (
                {"type": "tool_search_call", "arguments": {"goal": "x"}, "execution": "client"},
                "tool_search",
                {"goal": "x"},
                False,
            ),
            (
                {"type": "web_search_call", "action": {"type": "search", "query": "x"}},
                "web_search",
                {"type": "search", "query": "x"},
                True,
            ),
            ({"type": "x_search_call", "action": {"query": "x"}}, "x_search", {"query": "x"}, True),
            ({"type": "file_search_call", "queries": ["x"]}, "file_search", {"queries": ["x"]}, True),
        ],
    )
    def test_tools_whose_input_comes_whole(self, item: Any, name: str, arguments: Any, server: bool) -> None:
        item = {"id": "x_0", "call_id": "c", **item, "status": "completed"}
        added = {**{key: value for key, value in item.items() if not isinstance(value, (dict, list))}, "arguments": {}}
        for events in ([wire.item_added(0, added), wire.item_done(0, item)], [wire.item_done(0, item)], []):
            reading = read(responses(events, output=[item]))
            assert (reading.call.id, reading.call.name, reading.call.server) == ("c", name, server)
            assert reading.call.arguments == arguments
            assert reading.call.complete
            assert {event.path[0] for event in reading.of(FieldComplete)} == set(arguments)

    @pytest.mark.parametrize(("status", "safe"), [("completed", True), ("incomplete", False), ("failed", None)])
    def test_the_status_may_be_told_by_the_event_alone(self, status: str, safe: bool | None) -> None:
        *stream, end = wire.responses(wire.function_call(0, "{}"), status=status)
        del end["response"]["status"]
        reading = read([*stream, end])
        assert reading.parser.stop_reason == status
        assert [told.safe for told in reading.of(MessageEnd)] == ([] if safe is None else [safe])
        assert isinstance(reading.error, ProviderError) == (safe is None)

    def test_an_item_that_only_begins_ends_with_the_response(self) -> None:
        whole = wire.function_item(0, '{"a": 1}', "completed")
        for deltas in ([], ['{"a": 1']):
            events = [wire.item_added(0, wire.function_item(0)), *(wire.arguments_delta(0, text) for text in deltas)]
            reading = read(responses(events, output=[whole]))
            assert reading.error is None
            assert (reading.call.text, reading.call.state) == ('{"a": 1}', "committed")

    def test_reasoning_that_comes_whole(self) -> None:
        item = {"type": "reasoning", "id": "rs_0", "summary": [{"type": "summary_text", "text": "Hm."}]}
        for events in ([wire.item_added(0, {**item, "summary": []}), wire.item_done(0, item)], []):
            reading = read(responses(events, output=[item]))
            assert [event.text for event in reading.of(ReasoningDelta)] == ["Hm."]

    def test_reasoning_and_refusals(self) -> None:
        stream = responses(
            [{"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Let "}],
            [{"type": "response.reasoning_text.delta", "output_index": 0, "delta": "me."}],
            [{"type": "response.refusal.delta", "output_index": 1, "content_index": 0, "delta": "No."}],
        )
        reading = read(stream)
        assert "".join(event.text for event in reading.of(ReasoningDelta)) == "Let me."
        assert reading.parser.text == "No."

    def test_usage_comes_with_the_end(self) -> None:
        usage = read(STREAMS["responses, one call"]).parser.usage
        counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.reasoning_tokens)
        assert counts == (10, 20, 4, 7)
        assert usage.raw == wire.RESPONSE_USAGE

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "error", "message": "Quota", "code": "insufficient_quota", "param": None},
            {"type": "error", "error": {"type": "insufficient_quota", "message": "Quota"}},
            wire.response("failed", error={"code": "insufficient_quota", "message": "Quota"}),
            {"type": "response.error", "error": {"type": "insufficient_quota", "message": "Quota"}},
            {"error": {"type": "insufficient_quota", "message": "Quota"}},
        ],
    )
    def test_errors_in_the_stream(self, event: Any) -> None:
        reading = read([*STREAMS["responses, one call"][:4], event])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.message, reading.error.type) == ("Quota", "insufficient_quota")
        assert reading.parser.stop_reason == "failed"
        assert reading.call.state == "void"

    def test_an_error_may_be_all_that_comes(self) -> None:
        told = {"type": "server_error", "code": None, "message": "Lost it", "param": None}
        reading = read([{"type": "error", "error": told, "sequence_number": 2}])
        assert isinstance(reading.error, ProviderError)
        assert (reading.error.message, reading.parser.provider) == ("Lost it", "openai-responses")

    @pytest.mark.parametrize("reason", ["max_output_tokens", "content_filter"])
    def test_an_incomplete_response(self, reason: str) -> None:
        end = wire.response("incomplete", incomplete_details={"reason": reason})
        reading = read([*STREAMS["responses, one call"][:4], end])
        assert reading.error is None
        assert reading.parser.stop_reason == "incomplete"
        assert reading.call.state == "void"
        assert not reading.of(MessageEnd)[0].safe

    def test_text_is_not_lost_where_the_end_of_its_item_does_not_repeat_it(self) -> None:
        bare = {"id": "msg_0", "type": "message"}
        deltas = [event for event in wire.output_text(0, "Hi", " you") if event["type"].endswith("text.delta")]
        end = {"type": "response.completed", "response": {"usage": wire.RESPONSE_USAGE}}
        reading = read([wire.response("in_progress"), wire.item_added(0, bare), *deltas, wire.item_done(0, bare), end])
        assert reading.parser.message == [{**bare, "content": [{"type": "output_text", "text": "Hi you"}]}]
        assert reading.parser.usage.input_tokens == 10

    def test_no_item_is_lost_where_the_end_repeats_none(self) -> None:
        stream = responses(wire.output_text(0, "Hi"), wire.function_call(1, '{"a": 1}'), output=[])
        assert [item["type"] for item in read(stream).parser.message] == ["message", "function_call"]

    def test_a_partial_message_is_what_there_is(self) -> None:
        parser = StreamParser()
        for event in STREAMS["responses, text and calls in parallel"][:10]:
            parser.feed_event(event)
        text, call = parser.partial_message
        assert text["content"][0]["text"] == "I will search."
        assert call["arguments"] == parser.calls[0].text != ""

    def test_responses_may_follow_each_other(self) -> None:
        first = STREAMS["responses, one call"]
        reading = read([*first, *STREAMS["responses, text only"]])
        assert [event.safe for event in reading.of(MessageEnd)] == [True, False]
        assert reading.parser.message[0]["type"] == "message"


@pytest.mark.parametrize("name", STREAMS)
def test_events_of_an_impossible_shape_are_ignored_or_a_clean_error(name: str) -> None:
    stream = STREAMS[name]
    for number, event in enumerate(stream):
        for changed in mutations(event) if isinstance(event, dict) else ():
            parser = StreamParser(on_error="event")
            with suppress(ToolStreamError):
                for told in (*stream[:number], changed):
                    parser.feed_event(told)
                parser.close()


def mutations(event: dict[str, Any]) -> list[Any]:
    """The event with one part, at any depth, left out or of another type."""

    def changes(value: Any) -> list[Any]:
        told: list[Any] = [None, 3, "x", [], [3], {}, True]
        if isinstance(value, dict):
            told += [{name: other for name, other in value.items() if name != key} for key in value]
            told += [{**value, key: changed} for key in value for changed in changes(value[key])]
        elif isinstance(value, list):
            told += [[changed, *value[1:]] for changed in changes(value[0])] if value else []
        return told

    return [changed for changed in changes(event) if isinstance(changed, dict)]
