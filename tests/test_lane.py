"""The fast lane gives what the slow lane gives: on every stream, however it is cut, whatever is done in between.

The slow lane is the reference; that it is right is the business of the other tests. `SlowParser` has only that one.
"""

from __future__ import annotations

import copy
import json
import os
import pickle
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
import recordings
import streams
import wire
from hypothesis import given
from hypothesis import strategies as st
from json_documents import damage, documents, fragments, laws, seeds, texts, write
from wire import DONE, STREAMS, Reading, Wire, pieces, plain, sse

from toolstream import Limits, StreamParser, ToolStreamError
from toolstream.assembler import Assembler
from toolstream.lane import IS_FAST
from toolstream.providers.anthropic import Anthropic
from toolstream.tools.checks import CheckedParser

needs_lane = pytest.mark.skipif(not IS_FAST, reason="there is no fast lane here: TOOLSTREAM_LANE or TOOLSTREAM_BINDING")
pytestmark = needs_lane

Move = Callable[[StreamParser], StreamParser]
Outcome = dict[str, Any]

# ---------------------------------------------------------------------- what came of a stream


class SlowParser(StreamParser):
    """What TOOLSTREAM_LANE=slow gives: no event repeats, and Python has each of them handled."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._hopeful = False

    def _is_steady(self) -> bool:
        return False


def new_parser(slow: bool = False, **options: Any) -> StreamParser:
    return SlowParser(**options) if slow else StreamParser(**options)


def feed_all(parser: StreamParser, given: Iterable[Any], move: Move | None = None) -> Reading:
    """Feeds bytes as bytes and dicts as events, to the end. move: done to the parser behind each piece."""
    reading = Reading(parser)
    try:
        for piece in given:
            feed = reading.parser.feed_event if isinstance(piece, dict) else reading.parser.feed
            reading.events += feed(piece)
            if move is not None:
                reading.parser = move(reading.parser)
        reading.events += reading.parser.close()
    except ToolStreamError as error:
        reading.events += error.events
        reading.error = error
    return reading


def outcome(reading: Reading) -> Outcome:
    """All that a caller can see of a stream that has ended."""
    parser, error = reading.parser, reading.error
    return {
        "events": plain(reading),
        "error": fault(error),
        "calls": [
            (call.to_dict(), call.state, call.complete, call.text, call.arguments, fault(call.error))
            for call in parser.calls
        ],
        "text": parser.text,
        "usage": parser.usage.to_dict(),
        "stop_reason": parser.stop_reason,
        "message": message_of(parser),
        "model": (parser.provider, parser.model),
    }


def fault(error: BaseException | None) -> Any:
    if error is None:
        return None
    about = ("offset", "line", "column", "path", "limit", "pending_path", "partial")
    return type(error).__name__, str(error), {name: getattr(error, name) for name in about if hasattr(error, name)}


def message_of(parser: StreamParser) -> Any:
    try:
        return parser.message
    except ToolStreamError as error:
        return str(error), parser.partial_message


def slow_outcome(given: Iterable[Any], **options: Any) -> Outcome:
    return outcome(feed_all(new_parser(slow=True, **options), given))


def fast_outcome(given: Iterable[Any], move: Move | None = None, **options: Any) -> Outcome:
    return outcome(feed_all(new_parser(**options), given, move))


def hits(given: Iterable[Any], **options: Any) -> int:
    return feed_all(new_parser(**options), given).parser._hits


def some_cuts(data: bytes, rng: random.Random) -> list[bytes]:
    places = sorted(rng.randint(0, len(data)) for _ in range(rng.randrange(1, 30)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]


def check_cuts(data: bytes, every: range | None = None, sizes: tuple[int, ...] = (1, 7, 64), **options: Any) -> None:
    """Whole, in pieces of some sizes, anyhow; and in two at each of the places."""
    expected = slow_outcome([data], **options)
    assert fast_outcome([data], **options) == expected
    for size in sizes:
        assert fast_outcome(pieces(data, size), **options) == expected, size
    rng = random.Random(len(data))
    for _ in range(2):
        assert fast_outcome(some_cuts(data, rng), **options) == expected
    for cut in every or ():
        assert fast_outcome([data[:cut], data[cut:]], **options) == expected, cut


# ---------------------------------------------------------------------- streams of one event that repeats


class Kind(NamedTuple):
    """A stream that says one thing in many events. hot: the event, given the text as it stands in a JSON string."""

    head: bytes
    hot: Callable[[bytes], bytes]
    tail: bytes
    is_text: bool = False

    def stream(self, *raw: bytes) -> bytes:
        return self.head + b"".join(map(self.hot, raw)) + self.tail


def anthropic_hot(kind: bytes, member: bytes) -> Callable[[bytes], bytes]:
    head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"%b","%b":"'
    return lambda raw: head % (kind, member) + raw + b'"}}\n\n'


def padded_hot(raw: bytes) -> bytes:
    event = anthropic_hot(b"input_json_delta", b"partial_json")(raw)[:-4]
    return event + b" " * (len(raw) % 7) + b"}" + b" " * (len(raw) % 3) + b"}\n\n"


def chat_hot(before: bytes, after: bytes, obfuscated: bool = False) -> Callable[[bytes], bytes]:
    head = b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt","choices":[{"index":0,'
    head += b'"delta":{' + before + b'"'
    tail = b'"' + after + b'},"finish_reason":null}]'

    def hot(raw: bytes) -> bytes:
        hiding = b',"obfuscation":"%b"' % (b"aZ09+/"[: len(raw) % 7]) if obfuscated else b""
        return head + raw + tail + hiding + b"}\n\n"

    return hot


def responses_hot(kind: bytes, place: bytes = b'"output_index":0,"content_index":0') -> Callable[[bytes], bytes]:
    def hot(raw: bytes) -> bytes:
        # It need not count up, only be a number: short and long ones.
        number = 9 + len(raw) * 7
        hiding = b"0123456789"[: len(raw) % 5]
        return (
            b'event: response.%b.delta\ndata: {"type":"response.%b.delta","sequence_number":%d,"item_id":"fc_0",'
            b'%b,"delta":"%b","obfuscation":"%b"}\n\n' % (kind, kind, number, place, raw, hiding)
        )

    return hot


def cohere_hot(kind: bytes, before: bytes, after: bytes) -> Callable[[bytes], bytes]:
    head = b'event: %b\ndata: {"type":"%b","delta":{"message":{%b"' % (kind, kind, before)
    return lambda raw: head + raw + b'"' + after + b'}},"index":0}\n\n'


def plain_hot(before: bytes, after: bytes = b"", timed: bool = False) -> Callable[[bytes], bytes]:
    def hot(raw: bytes) -> bytes:
        stamp = b',"timestamp":%d' % (9 + len(raw) * 7) if timed else b""
        return b"data: {" + before + b'"' + raw + b'"' + after + stamp + b"}\n\n"

    return hot


def both_ends(whole: Wire, hot_type: str) -> tuple[bytes, bytes]:
    """The stream's bytes around the one event of this kind in it."""
    frames = [sse([event]) for event in whole]
    (at,) = (number for number, frame in enumerate(frames) if hot_type.encode() in frame)
    return b"".join(frames[:at]), b"".join(frames[at + 1 :])


def anthropic_kind(hot: Callable[[bytes], bytes], block: Wire, hot_type: str) -> Kind:
    stop = "tool_use" if hot_type == "input_json_delta" else "end_turn"
    head, tail = both_ends(wire.anthropic(block, stop_reason=stop), hot_type)
    return Kind(head, hot, tail, hot_type != "input_json_delta")


THINKING = [
    wire.block_start(0, type="thinking", thinking="", signature=""),
    wire.block_delta(0, type="thinking_delta", thinking="X"),
    wire.block_stop(0),
]
ENTRY = b'"tool_calls":[{"index":0,"function":{"arguments":'
CHAT_END = sse([wire.chunk(finish_reason="tool_calls"), wire.usage_chunk(), DONE])
CHAT_TEXT_END = sse([wire.chunk(finish_reason="stop"), wire.usage_chunk(), DONE])
CHAT_CALL = sse([wire.chunk({"role": "assistant", "content": None}), *wire.chat_call(0)])
CHAT_TEXT = sse([wire.chunk({"role": "assistant", "content": ""})])
CALL_DONE = {"type": "response.function_call_arguments.done", "output_index": 0, "item_id": "fc_0"}
RESPONSES_CALL = sse([wire.response("in_progress"), wire.item_added(0, wire.function_item(0))])
RESPONSES_END = sse([CALL_DONE, wire.response("completed", usage=wire.RESPONSE_USAGE)])
MESSAGE_ITEM = {"type": "message", "id": "msg_0", "role": "assistant", "status": "in_progress", "content": []}
RESPONSES_TEXT = sse([wire.response("in_progress"), wire.item_added(0, MESSAGE_ITEM)])

UI_START = sse([{"type": "start", "messageId": "m"}, {"type": "start-step"}])
UI_CALL = UI_START + sse([{"type": "tool-input-start", "toolCallId": "call_0", "toolName": "search"}])
UI_TEXT = UI_START + sse([{"type": "text-start", "id": "0"}])
UI_REASONING = UI_START + sse([{"type": "reasoning-start", "id": "0"}])
UI_END = sse([{"type": "finish-step"}, {"type": "finish", "finishReason": "tool-calls"}, DONE])
RUN = {"threadId": "t", "runId": "r"}
AG_UI_START = sse([{"type": "RUN_STARTED", **RUN}])
AG_UI_CALL = AG_UI_START + sse([{"type": "TOOL_CALL_START", "toolCallId": "call_0", "toolCallName": "search"}])
AG_UI_TEXT = AG_UI_START + sse([{"type": "TEXT_MESSAGE_START", "messageId": "msg", "role": "assistant"}])
AG_UI_END = sse([{"type": "RUN_FINISHED", **RUN}])
UI_DELTA = b'"type":"tool-input-delta","toolCallId":"call_0","inputTextDelta":'
AG_UI_ARGS = b'"type":"TOOL_CALL_ARGS","toolCallId":"call_0","delta":'
AG_UI_CONTENT = b'"type":"TEXT_MESSAGE_CONTENT","messageId":"msg","delta":'
AG_UI_REASONING = b'"type":"REASONING_MESSAGE_CONTENT","messageId":"r","delta":'

COHERE_START = {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}
COHERE_ENTRY = {"id": "call_0", "type": "function", "function": {"name": "search", "arguments": ""}}
COHERE_CALL = {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": COHERE_ENTRY}}}
COHERE_CALL_END = {"type": "tool-call-end", "index": 0}


def cohere_kind(hot: Callable[[bytes], bytes], *around: dict[str, Any]) -> Kind:
    reason = "TOOL_CALL" if around else "COMPLETE"
    end = {"type": "message-end", "delta": {"finish_reason": reason, "usage": {"tokens": {"input_tokens": 10}}}}
    return Kind(sse([COHERE_START, *around[:1]]), hot, sse([*around[1:], end, DONE]), not around)


INTERACTION = {"event_type": "interaction.created", "interaction": {"id": "v1", "status": "in_progress", "model": "g"}}
INTERACTION_CALL = {"type": "function_call", "id": "c1", "name": "search", "arguments": {}}
INTERACTION_STEP = {"event_type": "step.start", "index": 0, "step": INTERACTION_CALL}
INTERACTION_END = [
    {"event_type": "step.stop", "index": 0},
    {"event_type": "interaction.completed", "interaction": {"id": "v1", "status": "requires_action"}},
]


def interactions_hot(raw: bytes) -> bytes:
    head = b'event: step.delta\ndata: {"index":0,"delta":{"arguments":"%b","type":"arguments_delta"},' % raw
    return head + b'"event_id":"e%d","event_type":"step.delta"}\n\n' % (len(raw) * 7)


TOOL_BLOCK = wire.tool_block(0, "X")
CALLS: dict[str, Kind] = {
    "anthropic": anthropic_kind(anthropic_hot(b"input_json_delta", b"partial_json"), TOOL_BLOCK, "input_json_delta"),
    "anthropic, padded": anthropic_kind(padded_hot, TOOL_BLOCK, "input_json_delta"),
    "chat": Kind(CHAT_CALL, chat_hot(ENTRY, b"}}]"), CHAT_END),
    "chat, obfuscated": Kind(CHAT_CALL, chat_hot(ENTRY, b"}}]", obfuscated=True), CHAT_END),
    "cohere": cohere_kind(
        cohere_hot(b"tool-call-delta", b'"tool_calls":{"function":{"arguments":', b"}}"), COHERE_CALL, COHERE_CALL_END
    ),
    "interactions": Kind(sse([INTERACTION, INTERACTION_STEP]), interactions_hot, sse([*INTERACTION_END, DONE])),
    "responses": Kind(RESPONSES_CALL, responses_hot(b"function_call_arguments"), RESPONSES_END),
    "ai-sdk-ui": Kind(UI_CALL, plain_hot(UI_DELTA), UI_END),
    "ag-ui": Kind(AG_UI_CALL, plain_hot(AG_UI_ARGS), AG_UI_END),
    "ag-ui, with the time": Kind(AG_UI_CALL, plain_hot(AG_UI_ARGS, timed=True), AG_UI_END),
}
TEXTS: dict[str, Kind] = {
    "anthropic, text": anthropic_kind(anthropic_hot(b"text_delta", b"text"), wire.text_block(0, "X"), "text_delta"),
    "anthropic, thinking": anthropic_kind(anthropic_hot(b"thinking_delta", b"thinking"), THINKING, "thinking_delta"),
    "chat, text": Kind(CHAT_TEXT, chat_hot(b'"content":', b""), CHAT_TEXT_END, True),
    "chat, reasoning_content": Kind(CHAT_TEXT, chat_hot(b'"reasoning_content":', b""), CHAT_TEXT_END, True),
    "chat, reasoning and no content": Kind(CHAT_TEXT, chat_hot(b'"content":"","reasoning":', b""), CHAT_TEXT_END, True),
    "cohere, text": cohere_kind(cohere_hot(b"content-delta", b'"content":{"text":', b"}")),
    "cohere, thinking": cohere_kind(cohere_hot(b"content-delta", b'"content":{"thinking":', b"}")),
    "cohere, tool plan": cohere_kind(cohere_hot(b"tool-plan-delta", b'"tool_plan":', b"")),
    "responses, text": Kind(RESPONSES_TEXT, responses_hot(b"output_text"), RESPONSES_END, True),
    "responses, reasoning": Kind(RESPONSES_TEXT, responses_hot(b"reasoning_text"), RESPONSES_END, True),
    "ai-sdk-ui, text": Kind(UI_TEXT, plain_hot(b'"type":"text-delta","id":"0","delta":'), UI_END, True),
    "ai-sdk-ui, reasoning": Kind(UI_REASONING, plain_hot(b'"type":"reasoning-delta","id":"0","delta":'), UI_END, True),
    "ag-ui, text": Kind(AG_UI_TEXT, plain_hot(AG_UI_CONTENT), AG_UI_END, True),
    "ag-ui, reasoning": Kind(AG_UI_START, plain_hot(AG_UI_REASONING, timed=True), AG_UI_END, True),
}
KINDS = {**CALLS, **TEXTS}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_call_kind = pytest.mark.parametrize("kind", CALLS.values(), ids=CALLS)

PLAIN = (b'{\\"query\\":', b' \\"tide', b" times", b'\\",\\"n\\":', b"1", b"2", b",", b'\\"t\\":[1,{}]', b"}")


# Longer than what might be all that came before it again.
LONGER = (b'{\\"query\\":\\"' + b"word " * 12, *[b"more", b"and", b" ", b"again"] * 3, b'\\"}')


def raw_text(text: str, ascii_only: bool = False) -> bytes:
    """Text as it stands in a JSON string."""
    return json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogatepass")


# ---------------------------------------------------------------------- the lane is used


@needs_lane
@each_kind
@pytest.mark.parametrize("size", [None, 1, 7, 64, 1000])
def test_an_event_that_repeats_takes_the_lane(kind: Kind, size: int | None) -> None:
    # All but the first, which tells what it looks like; one more may take the slow lane where a cut falls badly.
    assert hits(pieces(kind.stream(*LONGER), size)) >= len(LONGER) - 2


@needs_lane
@pytest.mark.parametrize("build", streams.BUILDERS.values(), ids=streams.BUILDERS)
def test_most_of_a_stream_takes_the_lane(build: Callable[..., list[bytes]]) -> None:
    frames = build(text="word " * 40, calls=(streams.Call("call_1", "search", '{"q": "%s"}' % ("word " * 40)),), size=5)
    assert hits(frames) > 0.75 * len(frames)


@needs_lane
@each_kind
@pytest.mark.parametrize("named", [False, True], ids=["auto", "named"])
@pytest.mark.parametrize("long", [False, True], ids=["", "long first event"])
def test_carriage_returns_take_the_lane_too(kind: Kind, named: bool, long: bool) -> None:
    data = kind.stream(*LONGER)
    if long:
        data = data.replace(b'"id":', b'"about":"%b","id":' % (b"x" * 300), 1)
    provider = StreamParser()
    provider.feed(data)
    options = {"provider": provider.provider} if named else {}
    assert hits([data.replace(b"\n", b"\r\n")], **options) >= len(LONGER) - 2


@needs_lane
@each_kind
@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b"data: ", b"data:"),
        (b"data: ", b"id: 7\ndata: "),
        (b"\n\n", b"\nretry: 9\n\n"),
        (b"data: ", b": hello\ndata: "),
    ],
    ids=["without the space", "with an id", "with a field behind it", "with a comment"],
)
def test_servers_may_write_their_frames_as_they_like(kind: Kind, written: bytes, instead: bytes) -> None:
    data = kind.stream(*LONGER).replace(written, instead)
    assert hits([data]) >= len(LONGER) - 3
    check_cuts(data)


@needs_lane
def test_a_frame_may_name_the_usual_type() -> None:
    data = KINDS["chat"].stream(*LONGER).replace(b"data: ", b"event: message\ndata: ")
    assert hits([data]) >= len(LONGER) - 3
    check_cuts(data)


class Raising(Anthropic):
    """Raises at an event that asks for it."""

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        if "raise" in event:
            raise RAISED[event["raise"]]
        super().handle(event, assembler)


RAISED: dict[str, BaseException] = {
    "misshapen": KeyError("delta"),
    "own": ToolStreamError("no more"),
    "bug": RuntimeError("oops"),
    "interrupt": KeyboardInterrupt(),
    "memory": MemoryError(),
}


@pytest.mark.parametrize("name", RAISED)
def test_what_an_adapter_raises_is_told_the_same(name: str) -> None:
    kind = KINDS["anthropic"]
    asked = sse([{"type": "ping", "raise": name}])
    told = []
    for slow in (False, True):
        parser = new_parser(slow, provider=Raising())
        events = parser.feed(kind.head + kind.hot(PLAIN[0]))
        with pytest.raises(BaseException) as raised:  # noqa: PT011 - compared below
            parser.feed(asked + kind.hot(PLAIN[1]))
        told.append((repr(raised.value), repr(raised.value.__cause__), len(events), parser.calls[0].state))
        assert any(entry.name == "handle" for entry in raised.traceback) or raised.value.__cause__ is RAISED[name]
        assert parser._assembler.events == ()
    assert told[0] == told[1]


def test_an_adapter_that_answers_no_repeat_is_a_fault_of_the_stream() -> None:
    class Odd(Anthropic):
        def repeats(self, event: dict[str, Any], assembler: Assembler) -> Any:
            return ("text", "x")

    kind = KINDS["anthropic"]
    parser = new_parser(provider=Odd())
    with pytest.raises(ToolStreamError, match="Repeat or None"):
        parser.feed(kind.stream(*PLAIN))


@needs_lane
def test_a_stream_whose_events_do_not_repeat_is_given_up() -> None:
    events = [wire.calls(wire.entry(0, "1", "call_0", "search")) for _ in range(200)]
    assert hits([sse(wire.chat(events))], on_error="event") == 0
    ids = [{**wire.arguments_delta(0, "1"), "item_id": f"fc_{number}"} for number in range(200)]
    parser = new_parser()
    feed_all(parser, [sse([wire.response("in_progress"), wire.item_added(0, wire.function_item(0)), *ids])])
    assert parser._hits == 0
    assert not parser._hopeful


@pytest.mark.parametrize("binding", ["cffi", "hidden"])
def test_the_fast_lane_is_no_silent_wish(binding: str) -> None:
    hide = "import sys; sys.modules['toolstream._core._native'] = None\n" if binding == "hidden" else ""
    environment = {**os.environ, "TOOLSTREAM_LANE": "fast", "TOOLSTREAM_BINDING": "" if hide else binding}
    command = [sys.executable, "-c", f"{hide}import toolstream"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "ImportError: TOOLSTREAM_LANE=fast needs the extension" in done.stderr


def test_what_is_pending_is_not_shown_while_the_parser_is_in_use() -> None:
    kind = TEXTS["anthropic, text"]
    parser, seen = new_parser(provider=Peeking()), []
    parser._adapter.look = lambda: seen.append(parser._pending)
    parser.feed(kind.head)
    with pytest.raises(RuntimeError, match="in use"):
        parser.feed(kind.hot(b"x"))
    assert seen == []


class Peeking(Anthropic):
    """Looks at its parser from inside."""

    look: Callable[[], object]

    def handle(self, event: dict[str, Any], assembler: Assembler) -> None:
        super().handle(event, assembler)
        if event["type"] == "content_block_delta":
            self.look()


def test_without_hope_there_is_no_lane() -> None:
    parser = new_parser(slow=True)
    feed_all(parser, [CALLS["anthropic"].stream(*PLAIN)])
    assert parser._hits == 0 if IS_FAST else not hasattr(parser, "_hits")


# ---------------------------------------------------------------------- streams of the project


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_small_streams_give_the_same(name: str, line_end: str) -> None:
    data = sse(STREAMS[name], line_end)
    check_cuts(data, range(0, len(data), 5 if line_end == "\n" else 23), depth=None, deltas=True)


@pytest.mark.parametrize("build", streams.BUILDERS.values(), ids=streams.BUILDERS)
def test_built_streams_give_the_same(build: Callable[..., list[bytes]]) -> None:
    frames = build()
    check_cuts(streams.body(frames), depth=None, deltas=True)
    assert fast_outcome(frames) == slow_outcome(frames)


# ---------------------------------------------------------------------- what the text may hold

RAW: dict[str, tuple[bytes, ...]] = {
    "plain": PLAIN,
    "escapes": (b'{\\"a\\":', b'\\"x\\\\n\\\\', b"u00e9", b'\\\\\\"', b'\\\\\\\\\\"', b"}"),
    "every simple escape": (b'{\\"a\\":', b"\\t\\n\\r ", b'\\"\\\\b\\/\\\\\\/', b'\\b\\f"'[:-1], b'\\"', b"}"),
    "unicode escapes": (
        b'{\\"a\\":',
        b'\\"\\u00e9\\u20AC',
        b"\\u0041",
        b"\\ud83d\\ude00",
        b"\\u007f",
        b"\\u0022",
        b"}",
    ),
    "utf-8": (b'{\\"a\\":', b'\\"caf\xc3\xa9', b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b'\x7f\\"', b"}"),
    "a pair cut between events": (b'{\\"a\\":', b'\\"', b"x", b"\\ud83d", b"\\ude00", b"y", b"z", b'\\"', b"}"),
    "a pair cut, more around it": (
        b'{\\"a\\":\\"',
        b"x",
        b"a\\ud83d",
        b"\\ude00b",
        b"\\ud83d",
        b"\\ude00",
        b'\\"',
        b"}",
    ),
    "a pair cut, nothing between": (b'{\\"a\\":\\"', b"x", b"\\ud83d", b"", b"\\ude00", b"x", b'\\"}'),
    "high surrogate alone": (b'{\\"a\\":\\"', b"x", b"y", b"\\ud83d", b"z", b'\\"', b"}"),
    "low surrogate alone": (b'{\\"a\\":\\"', b"x", b"y", b"\\ude00", b"z", b'\\"', b"}"),
    "high surrogate at the end": (b'{\\"a\\":\\"', b"x", b"y", b"\\ud83d"),
    "surrogates in utf-8": (b'{\\"a\\":\\"', b"x", b"y", b"\xed\xa0\xbd", b"\xed\xb8\x80", b'\\"', b"}"),
    "a character cut between events": (b'{\\"a\\":\\"', b"x", b"y", b"\xf0\x9f", b"\x98\x80", b'\\"', b"}"),
    "invalid utf-8": (b'{\\"a\\":\\"', b"x", b"y", b"\xff", b"\xc0\x80", b"\xf5\x80\x80\x80", b"z", b'\\"', b"}"),
    "control characters": (b'{\\"a\\":\\"', b"x", b"y", b"\x01", b"z", b'\\"', b"}"),
    "a tab": (b'{\\"a\\":\\"', b"x", b"y", b"\t", b"z", b'\\"', b"}"),
    "a line feed": (b'{\\"a\\":\\"', b"x", b"y", b"a\nb", b"z", b'\\"', b"}"),
    "a NUL": (b'{\\"a\\":\\"', b"x", b"y", b"\\u0000", b"\x00", b"z"),
    "unknown escape": (b'{\\"a\\":\\"', b"x", b"y", b"\\x", b"z"),
    "bad digits": (b'{\\"a\\":\\"', b"x", b"y", b"\\u12g4", b"z"),
    "short escape": (b'{\\"a\\":\\"', b"x", b"y", b"\\u12", b"z"),
    "high surrogate, no pair": (b'{\\"a\\":\\"', b"x", b"y", b"\\ud83d\\u0041", b"\\ud83d\\ud83d", b"z"),
    "nothing at all": (b'{\\"a\\":\\"', b"x", b"", b"", b"y", b"", b'\\"', b"}"),
    "names of members": (
        *(b'{\\"a\\":\\"', b"x", b"y", b'\\\\\\"partial_json\\\\\\":\\\\\\"', b'\\\\\\"arguments\\\\\\":\\\\\\"'),
        *(b'text\\\\\\":', b"delta", b'\\\\\\"content\\\\\\":\\\\\\"', b'\\"', b"}"),
    ),
    "the end of a stream": (
        b'{\\"a\\":\\"',
        b"x",
        b"[DONE]",
        b"data: [DONE]",
        b"\\n\\ndata: [DONE]\\n\\n",
        b'\\"',
        b"}",
    ),
    "broken arguments": (b'{\\"a\\":', b"1", b"2", b",", b"x", b"}", b"more", b"and more"),
    "a broken literal": (b'{\\"a\\":', b"t", b"r", b"a", b"}", b"more"),
    "a duplicate key": (b"{", b'\\"a\\":1,', b'\\"b\\":2,', b'\\"a\\":', b"3", b"}", b"more"),
    "more behind the end": (b'{\\"a\\":', b"1", b"}", b" ", b"\\n", b"x", b"y"),
    "white space": (b" ", b"{", b" ", b" ", b"\\n", b'\\"a\\"', b" ", b":", b"1", b" ", b"}", b" "),
    "a cut in every token": (b"{", *(b'\\"', b"k", b"e", b"y", b'\\"'), b":", b"t", b"r", b"u", b"e", b"}"),
    "arguments that are no object": (b"[", b"1", b",", b"2", b"3", b"]"),
    "a number": (b"1", b"2", b"3", b"4"),
    "cumulative": (b'{\\"a\\":', b'{\\"a\\":1', b'{\\"a\\":12', b'{\\"a\\":12,\\"b\\":3', b'{\\"a\\":12,\\"b\\":3}'),
    "all again at the end": (b'{\\"a\\":', b"1", b"2", b',\\"b\\":[', b"3", b"]}", b'{\\"a\\":12,\\"b\\":[3]}'),
    "increments like the beginning": (b"[", b"[", b"[", b"1", b"]", b",[", b"[", b"2", b"]]", b"]", b"]"),
    "a placeholder": (b"{}", b'{\\"a\\":', b"1", b"}"),
    "long": (b'{\\"a\\":\\"', *[b"0123456789 " * 9] * 4, b"\\u00e9" * 40, b'\\"', b"}"),
}


@each_kind
@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_any_text_gives_the_same(kind: Kind, raw: tuple[bytes, ...]) -> None:
    data = kind.stream(*raw)
    check_cuts(data, range(len(kind.head), len(data), 41), (1, 29), depth=None, deltas=True, on_error="event")
    # What raises ends the parser at the same place, so fewer ways to cut show it.
    given = pieces(data, 13)
    assert fast_outcome(given, depth=None, deltas=True) == slow_outcome(given, depth=None, deltas=True)


@each_kind
@pytest.mark.parametrize(
    "name", ["plain", "escapes", "unicode escapes", "a pair cut between events", "broken arguments"]
)
def test_every_cut_gives_the_same(kind: Kind, name: str) -> None:
    data = kind.stream(*RAW[name])
    # The head is no business of the lane, and what stands there is cut elsewhere.
    check_cuts(data, range(len(kind.head) - 2, len(data) + 1), depth=1, deltas=False)


@each_call_kind
@pytest.mark.parametrize("duplicate_keys", ["error", "last", "strict"])
def test_options_of_arguments_hold_in_the_lane(kind: Kind, duplicate_keys: str) -> None:
    for raw in (RAW["a duplicate key"], RAW["plain"]):
        check_cuts(kind.stream(*raw), duplicate_keys=duplicate_keys, paths=["a", "t[*]", "query"], deltas=["query"])


# ---------------------------------------------------------------------- calls that are checked


def tool(**properties: Any) -> dict[str, Any]:
    """A tool that has these fields, and no others."""
    closed = {"type": "object", "properties": properties, "required": ["query"], "additionalProperties": False}
    return {"search": closed}


FIELDS = {"query": {"type": "string"}, "n": {"type": "integer"}, "t": {"type": "array", "items": {"type": "object"}}}
CHECKS: dict[str, Any] = {
    "valid": tool(**{**FIELDS, "t": {}}),
    "open": {"search": {"type": "object", "properties": {"n": {"maximum": 5}}, "required": ["t"]}},
    "an invalid element": tool(**FIELDS),
    "an invalid field": tool(**{**FIELDS, "query": {"maxLength": 3}}),
    "a field that is not there": tool(query={}, t={}),
    "no such tool": {"other": {"type": "object", "properties": {}}},
    "nothing is required": {"search": {"type": "object", "properties": {}}},
}


@each_call_kind
@pytest.mark.parametrize("on_invalid", ["event", "raise", "close"])
def test_a_checked_call_gives_the_same(kind: Kind, on_invalid: str) -> None:
    data = kind.stream(*PLAIN)
    for tools in CHECKS.values():
        for more in ({}, {"on_error": "event", "deltas": True, "depth": None}):
            check_cuts(data, None, (1, 13), tools=tools, on_invalid=on_invalid, **more)


@each_call_kind
@pytest.mark.parametrize("name", ["valid", "an invalid element", "a field that is not there"])
def test_a_checked_call_gives_the_same_at_every_cut(kind: Kind, name: str) -> None:
    data = kind.stream(*PLAIN)
    check_cuts(data, range(len(kind.head) - 2, len(data) + 1, 3), tools=CHECKS[name], on_invalid="close")


@each_call_kind
@pytest.mark.parametrize("name", ["a duplicate key", "broken arguments", "escapes", "a pair cut between events"])
def test_faults_of_checked_calls_are_the_same(kind: Kind, name: str) -> None:
    data = kind.stream(*RAW[name])
    for on_error in ("raise", "event"):
        check_cuts(data, None, (1, 29), tools=CHECKS["open"], on_error=on_error)


@each_call_kind
@pytest.mark.parametrize("check", CHECKS)
def test_what_is_checked_comes_with_the_same_piece(kind: Kind, check: str) -> None:
    data = kind.stream(*PLAIN)
    fast, slow = (new_parser(slow=slow, tools=CHECKS[check]) for slow in (False, True))
    for piece in pieces(data, 1):
        assert plain_events(fast.feed(piece)) == plain_events(slow.feed(piece))


def plain_events(events: list[Any]) -> list[str]:
    return [event.type for event in events]


@needs_lane
@each_call_kind
def test_a_checked_call_takes_the_lane(kind: Kind) -> None:
    data = kind.stream(b'{\\"query\\":\\"', *[b"tide "] * 40, b'\\"}')
    assert hits(pieces(data, 64), tools=CHECKS["valid"]) > 35


def test_a_check_is_asked_only_where_there_is_something_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    take_reports = CheckedParser.take_reports

    def counted(parser: CheckedParser, reports: list[Any], events: list[Any]) -> bool:
        asked.append(len(reports))
        return take_reports(parser, reports, events)

    monkeypatch.setattr(CheckedParser, "take_reports", counted)
    kind = CALLS["anthropic"]
    for hopeful, most in ((True, 6), (False, 1000)):
        asked.clear()
        parser = new_parser(slow=not hopeful, tools=CHECKS["valid"])
        for piece in pieces(kind.stream(b'{\\"query\\":\\"', *[b"tide "] * 200, b'\\"}'), 64):
            parser.feed(piece)
        assert (len(asked) <= most) is True
        assert parser.calls[0].parsed == {"query": "tide " * 200}
    assert len(asked) > 200


@recordings.parametrize()
def test_checked_calls_of_every_stream_give_the_same(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    tools = {
        call.name: {"type": "object", "properties": {key: {} for key in list(call.arguments)[:-1]}, "required": []}
        for call in feed_all(new_parser(slow=True, on_error="event"), [data]).parser.calls
        if isinstance(call.arguments, dict)
    }
    for closed in (False, True):
        for schema in tools.values():
            schema["additionalProperties"] = not closed
        for on_invalid in ("event", "close"):
            options = {"tools": tools, "on_invalid": on_invalid, "on_error": "event"}
            told = slow_outcome([data], **options)
            assert fast_outcome([data], **options) == told
            assert fast_outcome(pieces(data, 97), **options) == told


# ---------------------------------------------------------------------- what may stand between

BETWEEN: dict[str, bytes] = {
    "a comment": b": keep-alive\n\n",
    "a comment without a blank line": b":\n",
    "blank lines": b"\n\n\n",
    "a carriage return": b"\r",
    "a line with both": b"\r\n",
    "an id": b"id: 7\n\n",
    "an id for the next one": b"id: 7\n",
    "a retry": b"retry: 10\n",
    "a name for the next one": b"event: ping\n",
    "an unknown field": b"x: y\n",
    "a gateway's comment": b"data: : OPENROUTER PROCESSING\n\n",
    "a ping": b'event: ping\ndata: {"type": "ping"}\n\n',
    "an empty event": b"data:\n\n",
    "the beginning of other data": b"data: \n",
    "a broken event": b"data: {\n\n",
    "an array": b"data: []\n\n",
    "an error": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
    "the end": b"data: [DONE]\n\n",
    "the end and garbage": b"data: [DONE]\n\ndata: {nonsense\n\n",
    "two ends": b"data: [DONE]\n\ndata: [DONE]\n\n",
    "a byte order mark": b"\xef\xbb\xbf",
    "a NUL": b"\x00",
    "words": b"hello\n\n",
    "the beginning of an event": b"event: content_block_de",
    "half an event": b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk"\n\n',
}


@each_kind
@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN)
def test_whatever_stands_between_gives_the_same(kind: Kind, between: bytes) -> None:
    hot = [kind.hot(raw) for raw in PLAIN]
    data = kind.head + b"".join(hot[:4]) + between + b"".join(hot[4:]) + kind.tail
    check_cuts(data)
    often = kind.head + between.join(hot) + kind.tail
    check_cuts(often)


@each_kind
def test_line_ends_may_change(kind: Kind) -> None:
    hot = [kind.hot(raw) for raw in PLAIN]
    rng = random.Random(1)
    for _ in range(10):
        ends = [rng.choice([b"\n", b"\r\n", b"\r"]) for _ in hot]
        changed = [event.replace(b"\n", end) for event, end in zip(hot, ends, strict=True)]
        check_cuts(kind.head + b"".join(changed) + kind.tail)


@each_kind
@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"], ids=["crlf", "cr"])
def test_other_line_ends_give_the_same_at_every_cut(kind: Kind, line_end: bytes) -> None:
    data = kind.stream(*PLAIN[:5]).replace(b"\n", line_end)
    check_cuts(data, range(len(kind.head), len(data) + 1))


@each_kind
def test_a_stream_that_is_cut_gives_the_same(kind: Kind) -> None:
    data = kind.stream(*PLAIN[:5])
    for end in range(len(kind.head), len(data), 3):
        expected = slow_outcome([data[:end]])
        assert fast_outcome([data[:end]]) == expected
        assert fast_outcome(pieces(data[:end], 19)) == expected


@each_kind
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_events_come_with_the_same_piece(kind: Kind, line_end: bytes) -> None:
    data = kind.stream(*PLAIN).replace(b"\n", line_end)
    fast, slow = new_parser(), new_parser(slow=True)
    for piece in pieces(data, 1):
        assert len(fast.feed(piece)) == len(slow.feed(piece))


# ---------------------------------------------------------------------- events that are almost alike

Change = Callable[[bytes], bytes]


def put_in(member: bytes) -> Change:
    """Another first member."""
    return lambda event: event.replace(b"{", b"{" + member + b",", 1)


def reordered(event: bytes) -> bytes:
    head, body = event.split(b"data: ")
    decoded = json.loads(body.decode("utf-8", "replace"))
    return head + b"data: " + json.dumps(dict(reversed(decoded.items()))).encode() + b"\n\n"


CHANGES: dict[str, Change] = {
    "an unexpected member": put_in(b'"x":1'),
    "an unexpected member of the same name inside": put_in(b'"x":{"text":"no","delta":"no","arguments":"no"}'),
    "a repeated type": put_in(b'"type":"other"'),
    "the text twice": lambda event: event.replace(b'"}', b'","delta":"other","text":"other","arguments":"other"}', 1),
    "the text twice, escaped": lambda event: event.replace(
        b'"}', b'","\\u0064elta":"x","\\u0074ext":"x","\\u0061rguments":"x","partial\\u005fjson":"x"}', 1
    ),
    "an escaped name, and the plain one elsewhere": lambda event: (
        event.replace(b'"text":', b'"\\u0074ext":')
        .replace(b'"partial_json":', b'"partial\\u005fjson":')
        .replace(b'"arguments":', b'"\\u0061rguments":')
        .replace(b'"content":', b'"\\u0063ontent":')
        .replace(b"data: {", b'data: {"x":{"text":"x","partial_json":"x","arguments":"x","content":"x"},')
    ),
    "misspelt names": lambda event: event.replace(b'Id":', b'I":').replace(b'index":', b'inde":'),
    "another order": reordered,
    "blanks": lambda event: event.replace(b'":', b'": '),
    "many blanks": lambda event: event.replace(b'":', b'"  :  '),
    "tabs": lambda event: event.replace(b"{", b"{\t").replace(b"}", b"\t}"),
    "blanks behind": lambda event: event.replace(b"}\n\n", b"}   \n\n"),
    "no blank behind data": lambda event: event.replace(b"data: ", b"data:"),
    "two blanks behind data": lambda event: event.replace(b"data: ", b"data:  "),
    "two lines of data": lambda event: event.replace(b'":', b'":\ndata:', 1),
    "data before the type": lambda event: b"\n".join(reversed(event.rstrip(b"\n").split(b"\n"))) + b"\n\n",
    "an id": lambda event: b"id: 1\n" + event,
    "an id behind": lambda event: event[:-1] + b"id: 1\n\n",
    "a comment inside": lambda event: event.replace(b"data: ", b":x\ndata: "),
    "another index": lambda event: event.replace(b'index":0', b'index":1'),
    "another type": lambda event: event.replace(b"_delta", b"_other").replace(b".delta", b".other"),
    "another message": lambda event: event.replace(b"chatcmpl-1", b"chatcmpl-2").replace(b"fc_0", b"fc_1"),
    "null": lambda event: event.replace(b':"x', b":null").replace(b'"}', b"}", 1) if b':"x' in event else event,
    "a closing bracket more": lambda event: event.replace(b"}\n\n", b"}}\n\n"),
    "a closing bracket less": lambda event: event.replace(b"}\n\n", b"\n\n"),
    "text behind": lambda event: event.replace(b"}\n\n", b"}x\n\n"),
    "a negative number": lambda event: event.replace(b'number":', b'number":-'),
    "a fraction": lambda event: event.replace(b',"item_id"', b'.5,"item_id"'),
    "an exponent": lambda event: event.replace(b',"item_id"', b'e5,"item_id"'),
    "a leading zero": lambda event: event.replace(b'number":', b'number":0'),
    "a huge number": lambda event: event.replace(b'number":', b'number":1' + b"2" * 30),
    "no number": lambda event: event.replace(b'number":', b'number":,'),
    "odd hiding": lambda event: event.replace(b'obfuscation":"', b'obfuscation":"\\u00e9\\"\xc3\xa9\xff'),
    "broken hiding": lambda event: event.replace(b'obfuscation":"', b'obfuscation":"\\x\x01'),
    "hiding twice": lambda event: event.replace(b'"obfuscation":', b'"obfuscation":"a","obfuscation":'),
    "hiding that is none": lambda event: event.replace(b'"obfuscation":', b'"obfuscation":{},"y":'),
    "a finish reason": lambda event: event.replace(b'reason":null', b'reason":"stop"'),
    "usage": put_in(b'"usage":{"prompt_tokens":3,"completion_tokens":4}'),
    "a role": lambda event: event.replace(b'"delta":{', b'"delta":{"role":"assistant",'),
    "content, too": lambda event: event.replace(b'"delta":{', b'"delta":{"content":"C",'),
    "reasoning, too": lambda event: event.replace(b'"delta":{', b'"delta":{"reasoning":"R",'),
    "an id in each": lambda event: event.replace(b'{"index":0,"function"', b'{"index":0,"id":"call_0","function"'),
    "a name in each": lambda event: event.replace(b'"function":{', b'"function":{"name":"search",'),
    "no index": lambda event: event.replace(b'{"index":0,"function"', b'{"function"').replace(
        b'"output_index":0,', b""
    ),
    "an empty name": lambda event: event.replace(b'"function":{', b'"function":{"name":"",'),
    "more of the entry, hidden": lambda event: event.replace(
        b'"function":', b'"extra_content":{"p":"abc"},"function":'
    ),
    "another choice": lambda event: event.replace(b'"choices":[{"index":0', b'"choices":[{"index":1'),
    "two choices": lambda event: event.replace(
        b'"choices":[', b'"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null},'
    ),
}


@each_kind
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_events_that_are_almost_alike_give_the_same(kind: Kind, change: Change) -> None:
    hot = [kind.hot(raw) for raw in (b'{\\"a\\":', b" ", b"[", b"1", b",", b'\\"xy\\"', b"]", b"}")]
    changed = [change(event) for event in hot]
    one = kind.head + b"".join(hot[:4]) + changed[4] + b"".join(hot[5:]) + kind.tail
    all_changed = kind.head + b"".join(changed) + kind.tail
    from_some_on = kind.head + b"".join(hot[:4]) + b"".join(changed[4:]) + kind.tail
    by_turns = kind.head + b"".join(b for pair in zip(hot, changed, strict=True) for b in pair) + kind.tail
    for data in (one, all_changed, from_some_on, by_turns):
        check_cuts(data, sizes=(7,), on_error="event")


NAMES = {b'"text":': b'"\\u0074ext":', b'"content":': b'"\\u0063ontent":', b'"delta":"': b'"\\u0064elta":"'}


@pytest.mark.parametrize("kind", [TEXTS["anthropic, text"], TEXTS["chat, text"], TEXTS["responses, text"]])
def test_a_name_may_be_written_with_escapes(kind: Kind) -> None:
    """The member that holds the text is then not the one that its plain name is found at."""

    def hot(text: bytes, decoy: bytes) -> bytes:
        event = kind.hot(text)
        for name, escaped in NAMES.items():
            if name in event:
                event = event.replace(name, escaped).replace(
                    b"data: {", b'data: {"x":{%b"%b"},' % (name.rstrip(b'"'), decoy)
                )
        return event

    same = b"".join(hot(b"a", b"a") for _ in range(3))
    check_cuts(kind.head + same + hot(b"a", b"b") + hot(b"b", b"a") + hot(b"b", b"b") + kind.tail)
    twice = [kind.hot(b"a").replace(b"}", b',"\\u0074ext":"a"}', 1) for _ in range(2)]
    check_cuts(kind.head + b"".join(twice) + twice[0].replace(b':"a"', b':"b"', 1) + kind.tail)


@pytest.mark.parametrize("values", [("1", "2"), ("a", "bc", "", "d")])
def test_what_is_hidden_in_kept_members_is_kept(values: tuple[str, ...]) -> None:
    """`p` means nothing as a member of the event, but something inside of what the next request repeats."""
    events = []
    for value in values * 3:
        entry = {**wire.entry(0, "1"), "extra_content": {"p": value}}
        events.append(wire.calls(entry))
    check_cuts(sse(wire.chat(wire.chat_call(0, "1", "1", "1"), events)))


def test_reasoning_of_an_item_that_is_named_by_its_id_only() -> None:
    item = {"type": "reasoning", "id": "rs_2", "summary": []}
    kind = "response.reasoning_summary_text.delta"
    events = [{"type": kind, "item_id": "rs_2", "delta": text} for text in "abcdef"]
    check_cuts(sse([wire.response("in_progress"), wire.item_added(2, item), *events]))


def test_choices_interleaved_give_the_same() -> None:
    texts = [wire.chunk({"content": f"{number} "}, index=number % 3) for number in range(24)]
    runs = [wire.chunk({"content": f"{number} "}, index=number // 8) for number in range(24)]
    ends = [wire.chunk(finish_reason="stop", index=index) for index in range(3)]
    check_cuts(sse([*texts, *runs, *ends, DONE]))


def test_calls_of_several_choices_give_the_same() -> None:
    starts = [wire.calls(wire.entry(0, "", f"call_{choice}", "search"), index=choice) for choice in range(3)]
    grown = [wire.calls(wire.entry(0, text), index=choice) for text in ("[1", ",2", ",3", "]") for choice in range(3)]
    by_run = sorted(grown, key=lambda event: event["choices"][0]["index"])
    ends = [wire.chunk(finish_reason="tool_calls", index=index) for index in range(3)]
    for order in (grown, by_run):
        check_cuts(sse([*starts, *order, *ends, DONE]))


def test_calls_that_take_turns_give_the_same() -> None:
    parts = wire.cut(wire.ARGUMENTS, 3)
    starts = [wire.tool_start(0), wire.tool_start(1)]
    for length in (1, 2, 5):
        runs = [parts[at : at + length] for at in range(0, len(parts), length)]
        deltas = [wire.json_delta(index, text) for run in runs for index in (0, 1) for text in run]
        check_cuts(sse(wire.anthropic([*starts, *deltas, wire.block_stop(0), wire.block_stop(1)])))


def test_a_message_that_is_replaced_gives_the_same() -> None:
    block = wire.tool_block(0, *wire.cut(wire.ARGUMENTS, 4))
    again = [wire.message_start("msg_2"), *block, wire.message_delta("tool_use"), wire.MESSAGE_STOP]
    check_cuts(sse([wire.message_start("msg_1"), *block[:-4], *again, *wire.anthropic(block)]))


def test_text_behind_the_end_gives_the_same() -> None:
    more = [wire.text_block(0, *"abcdef")[1]] * 6
    check_cuts(sse([*wire.anthropic(wire.text_block(0, *"abcdef"), stop_reason="end_turn"), *more]))
    words = [wire.chunk({"content": "x"})] * 6
    check_cuts(sse([*words, wire.chunk(finish_reason="stop"), *words, DONE, *words]))


# ---------------------------------------------------------------------- long arguments that come again

NOTE = 'She said "no" \\ twice:\n\ttabs, a/b, \x7f, Zürich, 漢字, 😀. '
LONG = json.dumps({"path": "a.py", "content": NOTE * 40, "line": 3}, ensure_ascii=False)
SAID = json.dumps(LONG, ensure_ascii=False)


def said_again(members: str, type: str = "function_call_arguments.done") -> bytes:
    """An event at the end of a call, with these members beside those that say of what."""
    name = f"response.{type}"
    about = f'"type":"{name}","output_index":0,"item_id":"fc_0"'
    return f"event: {name}\ndata: {{{about},{members}}}\n\n".encode()


def item_again(arguments: str, beside: str = "") -> bytes:
    item = '"id":"fc_0","type":"function_call","call_id":"call_0","name":"search","status":"completed"'
    return said_again(f'"item":{{{item},"arguments":{arguments}}}{beside}', "output_item.done")


def deep(value: str, depth: int) -> str:
    return '{"in":[' * depth + value + "]}" * depth


AGAIN: dict[str, bytes] = {
    "as the server wrote it": said_again(f'"arguments":{SAID}'),
    "in ASCII": said_again(f'"arguments":{json.dumps(LONG)}'),
    "with other escapes": said_again('"arguments":' + SAID.replace("/", "\\/").replace(" ", "\\u0020")),
    "in an item": item_again(SAID),
    "in a list": item_again(SAID, f',"more":[1,{SAID},2]'),
    "twice": said_again(f'"arguments":{SAID},"copy":{SAID}'),
    "and then something else of the same name": said_again(f'"arguments":{SAID},"arguments":"{{}}"'),
    "behind something else of the same name": said_again(f'"arguments":"{{}}","arguments":{SAID}'),
    "far down": said_again(f'"arguments":{SAID[:-1]} ","far":{deep(SAID, 40)}'),
    "and what stands for it": item_again(SAID, ',"note":"(resent by the server)"'),
    "and what stands for it, escaped": item_again(SAID, ',"note":"(\\u0072esent by the server)"'),
    "one character is another": said_again('"arguments":' + SAID.replace("Zürich", "Türich", 1)),
    "longer": said_again(f'"arguments":{SAID[:-1]} "'),
    "cut": said_again(f'"arguments":{SAID[:-9]}"'),
    "with a bad escape": said_again(f'"arguments":{SAID[:-1]}\\x"'),
    "with half a pair": said_again(f'"arguments":{SAID[:-1]}\\ud83d"'),
    "in no string": said_again(f'"arguments":{SAID[:-1]}'),
    "in a broken event": said_again(f'"arguments":{SAID},'),
    "in no object": b"data: [" + SAID.encode() + b"]\n\n",
    "behind strings that begin like it": said_again(
        '"a":"{","b":"{\\"path\\": \\"a.py\\"","c":"\\\\","arguments":' + SAID
    ),
}


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_long_arguments_that_come_again_are_read_the_same(again: bytes) -> None:
    first = wire.arguments_delta(0, "")
    streamed = [wire.arguments_delta(0, text) for text in wire.cut(LONG, 16)]
    begin = [wire.response("in_progress"), wire.item_added(0, wire.function_item(0)), first, *streamed]
    end = wire.response("completed", output=[wire.function_item(0, LONG, "completed")], usage=wire.RESPONSE_USAGE)
    given = [*(sse([event]) for event in begin), again, item_again(SAID), sse([end])]
    for chosen in ({}, {"on_error": "event", "deltas": True}):
        expected = slow_outcome(given, **chosen)
        assert fast_outcome(given, **chosen) == expected
        for size in (None, 64, 4096):
            assert fast_outcome(pieces(b"".join(given), size), **chosen) == expected, size


# ---------------------------------------------------------------------- limits


@each_kind
@pytest.mark.parametrize("size", [None, 1, 31])
def test_max_bytes_trips_at_the_same_place(kind: Kind, size: int | None) -> None:
    data = kind.stream(*PLAIN)
    for bound in range(len(kind.head), len(data) + 2, 13):
        limits = Limits(max_bytes=bound)
        assert fast_outcome(pieces(data, size), limits=limits) == slow_outcome([data], limits=limits), bound


@each_kind
@pytest.mark.parametrize("size", [None, 1, 31])
def test_max_event_bytes_trips_at_the_same_place(kind: Kind, size: int | None) -> None:
    data = kind.stream(*PLAIN, b"x" * 300, b"y" * 500, b"z" * 10)
    for bound in (*range(100, 330, 3), *range(330, 900, 17)):
        limits = Limits(max_event_bytes=bound)
        assert fast_outcome(pieces(data, size), limits=limits) == slow_outcome([data], limits=limits), bound


@each_call_kind
@pytest.mark.parametrize("on_error", ["raise", "event"])
def test_max_call_bytes_trips_at_the_same_place(kind: Kind, on_error: str) -> None:
    data = kind.stream(*PLAIN)
    for bound in range(1, 60):
        options: dict[str, Any] = {"limits": Limits(max_call_bytes=bound), "on_error": on_error}
        expected = slow_outcome([data], **options)
        for size in (None, 1, 31):
            assert fast_outcome(pieces(data, size), **options) == expected, bound


@each_kind
def test_max_depth_trips_at_the_same_place(kind: Kind) -> None:
    check_cuts(kind.stream(*[b"["] * 12, *[b"]"] * 12), limits=Limits(max_depth=5), on_error="event")


@pytest.mark.parametrize("bound", [2**62, 2**63 - 1, 2**63, 2**64, 10**30])
def test_limits_may_be_larger_than_any_stream(bound: int) -> None:
    limits = Limits(max_bytes=bound, max_event_bytes=bound)
    assert fast_outcome([sse(STREAMS["anthropic, one call"])], limits=limits)["error"] is None


# ---------------------------------------------------------------------- dead and closed parsers

FAULTS: dict[str, bytes] = {
    "a broken event": b"data: {\n\n",
    "an event too long": b"data: " + b"x" * 1000,
    "a comment too long": b":" + b"x" * 1000,
    "an error": b'event: error\ndata: {"type":"error","error":{"message":"busy"}}\n\n',
}


@each_kind
@pytest.mark.parametrize("broken", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
def test_a_dead_parser_stays_dead(kind: Kind, broken: bytes, together: bool) -> None:
    hot = kind.hot(b" ")
    given = [kind.head, hot, hot, hot]
    parser = new_parser(limits=Limits(max_event_bytes=900))
    raised: list[ToolStreamError] = []
    for piece in [b"".join(given) + broken] if together else [*given, broken]:
        try:
            parser.feed(piece)
        except ToolStreamError as error:
            raised.append(error)
    if not raised:
        pytest.skip("for this format it is no fault")
    more: list[Any] = [hot, hot[:9], hot[9:], b"", hot.decode(), hot * 50]
    for piece in more:
        with pytest.raises(type(raised[0])) as again:
            parser.feed(piece)
        assert again.value is raised[0]
        assert again.value.events == []
    with pytest.raises(type(raised[0])):
        pickle.loads(pickle.dumps(parser)).feed(hot)


@each_kind
def test_a_closed_parser_takes_nothing_more(kind: Kind) -> None:
    hot = kind.hot(b" ")
    for end in (b"", hot, hot[:-1], hot[:20]):
        fast, slow = new_parser(), new_parser(slow=True)
        faults = []
        for parser in (fast, slow):
            parser.feed(kind.head + hot + hot + end)
            for act in (parser.close, lambda parser=parser: parser.feed(hot), parser.close):
                try:
                    faults.append((act(), None))
                except ToolStreamError as error:
                    faults.append((None, fault(error)))
        assert faults[:3] == faults[3:]


def test_data_of_another_type_costs_no_event() -> None:
    kind = TEXTS["anthropic, text"]
    data = kind.stream(b"a", b"b", b"c", b"d")
    for line_end in (b"\n", b"\r\n"):
        whole = data.replace(b"\n", line_end)
        expected = plain(feed_all(new_parser(), [whole]))
        for cut in range(len(whole)):
            parser = new_parser()
            reading = Reading(parser, parser.feed(whole[:cut]))
            with pytest.raises(TypeError):
                parser.feed(5)  # type: ignore[arg-type]
            reading.events += parser.feed(whole[cut:]) + parser.close()
            assert plain(reading) == expected, cut


# ---------------------------------------------------------------------- other ways to feed, and to move


@each_kind
def test_bytes_text_and_memory_may_take_turns(kind: Kind) -> None:
    data = kind.stream(*PLAIN)
    expected = slow_outcome([data])
    forms: list[Callable[[bytes], Any]] = [bytes, bytearray, memoryview, bytes.decode, bytes]
    for seed in range(20):
        rng = random.Random(seed)
        given = [rng.choice(forms)(piece) for piece in some_cuts(data, rng)]
        assert fast_outcome(given) == expected


def test_decoded_events_may_come_between() -> None:
    """Events may be fed decoded between any two that are fed as bytes: they say the same as their bytes."""
    for name, events in STREAMS.items():
        expected = slow_outcome([sse(events)])
        for seed in range(10):
            rng = random.Random(seed)
            given = [event if event != DONE and rng.random() < 0.4 else sse([event]) for event in events]
            assert fast_outcome(given) == expected, (name, seed)


def test_an_event_that_came_decoded_is_no_template() -> None:
    """It has no bytes; those of an event before it that says the same in another place are not its own."""
    blocks = [wire.block_start(index, type="text", text="") for index in (0, 1)]
    first, other = (wire.block_delta(index, type="text_delta", text="a") for index in (0, 1))
    given = [sse([wire.message_start(), blocks[0], first]), blocks[1], other, sse([first, first])]
    assert fast_outcome(given) == slow_outcome(given)
    tools = [wire.tool_start(index) for index in (0, 1)]
    grow = [wire.json_delta(index, "1") for index in (0, 1)]
    given = [sse([wire.message_start(), *tools, grow[0], grow[1], grow[0]]), grow[1], sse([grow[0], grow[0]])]
    assert fast_outcome(given) == slow_outcome(given)
    chunks = [wire.chunk({"content": "a"}), wire.chunk({"reasoning": "a"})]
    given = [sse([chunks[0]]), chunks[1], sse([chunks[0]] * 2)]
    assert fast_outcome(given) == slow_outcome(given)


def pickled(parser: StreamParser) -> StreamParser:
    moved: StreamParser = pickle.loads(pickle.dumps(parser))
    return moved


def copied(parser: StreamParser) -> StreamParser:
    return copy.deepcopy(parser)


def looked_at(parser: StreamParser) -> StreamParser:
    """Pickling a parser leaves it as it was."""
    pickle.dumps(parser)
    return parser


MOVES: dict[str, Move] = {"pickled": pickled, "copied": copied, "left behind": looked_at}


@each_kind
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_a_parser_may_move_between_any_two_pieces(kind: Kind, move: Move, line_end: bytes) -> None:
    data = kind.stream(*RAW["a pair cut, more around it"]).replace(b"\n", line_end)
    expected = slow_outcome([data])
    begin = len(kind.head.replace(b"\n", line_end))
    for cut in range(begin, len(data), 53):
        assert fast_outcome([data[:cut], data[cut:]], move) == expected, cut
    # The ends of events, where they are decided.
    for cut in (place for place in range(begin, len(data)) if data[place : place + 1] in b"\r\n"):
        assert fast_outcome([data[:cut], data[cut:]], move) == expected, cut
    assert fast_outcome(pieces(data, 29), move) == expected


@needs_lane
@each_kind
def test_a_parser_that_has_moved_finds_the_lane_again(kind: Kind) -> None:
    hot = kind.hot(b" ")
    parser = new_parser()
    parser.feed(kind.head + kind.hot(b"[1") + hot * 3)
    moved = pickled(parser)
    moved.feed(hot * 5)
    assert moved._hits >= parser._hits + 4


# Goes on with a parser from another process: prints its text.
ELSEWHERE = """
import pickle, sys
parser, rest = pickle.loads(sys.stdin.buffer.read())
parser.feed(rest)
parser.close()
print(parser.text)
"""


@needs_lane
@pytest.mark.parametrize("variable", ["TOOLSTREAM_LANE=slow", "TOOLSTREAM_BINDING=cffi", "TOOLSTREAM_LANE=fast"])
def test_a_parser_may_move_to_a_process_with_another_lane(variable: str) -> None:
    kind = TEXTS["anthropic, text"]
    data = kind.stream(*(b"one ", b"two ", b"three ", b"four"))
    parser = new_parser()
    cut = data.index(b"three") - 20
    parser.feed(data[:cut])
    name, value = variable.split("=")
    command = [sys.executable, "-c", ELSEWHERE]
    given = pickle.dumps((parser, data[cut:]))
    done = subprocess.run(command, input=given, env={**os.environ, name: value}, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().strip() == "one two three four"


def test_two_threads_get_each_event_once_or_are_refused() -> None:
    kind = TEXTS["anthropic, text"]
    parser = new_parser()
    parser.feed(kind.head + kind.hot(b"x") * 2)
    event, told, refused = kind.hot(b"x"), [], []

    def feed() -> None:
        for _ in range(2000):
            try:
                told.extend(parser.feed(event))
            except RuntimeError:
                refused.append(1)

    threads = [threading.Thread(target=feed) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) + len(refused) == 4000
    assert parser.text == "x" * (2 + len(told))


# ---------------------------------------------------------------------- memory


def kept_bytes(parser: StreamParser, data: list[bytes]) -> int:
    """How much more memory is in use after the data has been fed and its events are forgotten."""
    tracemalloc = pytest.importorskip("tracemalloc", reason="PyPy has none")
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for piece in data:
            parser.feed(piece)
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("slow", [True, False], ids=["slow", "fast"])
def test_a_parser_keeps_no_more_of_a_large_chunk_than_its_last_event(slow: bool) -> None:
    kind = CALLS["anthropic"]
    parser = new_parser(slow=slow)
    parser.feed(kind.head + kind.hot(b"{") + kind.hot(b" "))
    nothing = kind.hot(b"")
    chunk = nothing * (4_000_000 // len(nothing))
    assert kept_bytes(parser, [nothing[:5], nothing[5:] + chunk + nothing[:9]]) < 200_000


def test_an_event_in_many_pieces_is_kept_once() -> None:
    kind = TEXTS["anthropic, text"]
    parser = new_parser()
    parser.feed(kind.head + kind.hot(b"x") * 2)
    event = kind.hot(b"y" * 1_000_000)
    assert kept_bytes(parser, pieces(event[:-1], 1000)) < 2_500_000


# ---------------------------------------------------------------------- random streams


def units(text: str, rng: random.Random) -> list[str]:
    """Text in pieces that may part a surrogate pair."""
    data = text.encode("utf-16-le", "surrogatepass")
    at, out = 0, []
    while at < len(data):
        size = 2 * rng.choice([1, 1, 2, 3, 5, 8, 30])
        out.append(data[at : at + size].decode("utf-16-le", "surrogatepass"))
        at += size
    return out


def random_stream(kind: Kind, said: list[str], rng: random.Random) -> bytes:
    raw = [raw_text(text, rng.random() < 0.5) for text in said]
    events = [kind.hot(text) for text in raw]
    if rng.random() < 0.3:
        extra = rng.choice(list(BETWEEN.values())[:12])
        events.insert(rng.randint(0, len(events)), extra)
    if rng.random() < 0.2:
        at = rng.randrange(len(events) + 1)
        events[at:at] = [rng.choice(list(CHANGES.values()))(kind.hot(b"1"))]
    data = kind.head + b"".join(events) + kind.tail
    return data.replace(b"\n", b"\r\n") if rng.random() < 0.2 else data


options = st.fixed_dictionaries(
    {
        "depth": st.sampled_from([0, 1, 2, None]),
        "deltas": st.booleans(),
        "on_error": st.sampled_from(["raise", "event"]),
    }
)
any_kind = st.sampled_from(list(KINDS.values()))


@laws
@given(any_kind, documents, seeds, options)
def test_random_arguments_in_random_pieces_give_the_same(
    kind: Kind, document: Any, seed: int, chosen: dict[str, Any]
) -> None:
    rng = random.Random(seed)
    data = random_stream(kind, units(write(document, rng).decode(), rng), rng)
    expected = slow_outcome([data], **chosen)
    for _ in range(3):
        assert fast_outcome(fragments(data, rng), **chosen) == expected


@laws
@given(any_kind, st.lists(texts, max_size=12), seeds, options)
def test_random_text_in_random_pieces_gives_the_same(
    kind: Kind, said: list[str], seed: int, chosen: dict[str, Any]
) -> None:
    rng = random.Random(seed)
    data = random_stream(kind, said, rng)
    expected = slow_outcome([data], **chosen)
    for _ in range(3):
        assert fast_outcome(fragments(data, rng), **chosen) == expected


@laws
@given(any_kind, documents, seeds, options)
def test_a_damaged_stream_gives_the_same(kind: Kind, document: Any, seed: int, chosen: dict[str, Any]) -> None:
    rng = random.Random(seed)
    data = random_stream(kind, units(write(document, rng).decode(), rng), rng)
    for _ in range(3):
        # Behind the head: a damaged head is the business of others.
        broken = data[: len(kind.head)] + damage(data[len(kind.head) :], rng)
        expected = slow_outcome([broken], **chosen)
        for _ in range(2):
            assert fast_outcome(fragments(broken, rng), **chosen) == expected


@laws
@given(st.sampled_from([*CALLS.values()]), documents, seeds, st.integers(1, 400), st.integers(150, 400))
def test_limits_of_random_streams_trip_at_the_same_place(
    kind: Kind, document: Any, seed: int, max_call_bytes: int, max_event_bytes: int
) -> None:
    rng = random.Random(seed)
    data = random_stream(kind, units(write(document, rng).decode(), rng), rng)
    limits = Limits(
        max_call_bytes=max_call_bytes,
        max_event_bytes=max_event_bytes,
        max_bytes=rng.choice([None, rng.randint(1, len(data) + 10)]),
    )
    expected = slow_outcome([data], limits=limits)
    assert fast_outcome(fragments(data, rng), limits=limits) == expected


# ---------------------------------------------------------------------- recordings


@recordings.parametrize()
@pytest.mark.parametrize("size", [7, 64, "event", None])
def test_a_recording_gives_the_same_in_both_lanes(expected: dict[str, Any], size: Any) -> None:
    data = recordings.body(expected)
    given = [part + b"\n\n" for part in data.split(b"\n\n")] if size == "event" else pieces(data, size)
    chosen: dict[str, Any] = {"depth": None, "deltas": True, "on_error": "event"}
    assert fast_outcome(given, **chosen) == slow_outcome(given, **chosen)
