"""What an idle parser holds: bytes are counted, not measured, so these bounds are the same in every run.

A gateway holds many streams that wait for their next byte. What counts is all that a parser keeps for itself: its
Python objects, and what the C core has for it, which `__sizeof__` tells.
"""

from __future__ import annotations

import gc
import json
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from wire import Wire, sse

from bench import memory
from bench.wire import SHAPES
from toolstream import JSONParser, StreamParser
from toolstream._core import BINDING
from toolstream.lane import IS_FAST
from toolstream.shared import shared

needs_native = pytest.mark.skipif(BINDING == "cffi" or not IS_FAST, reason="the other bindings' sizes are not known")

SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)
NAME, FIELDS, FRAGMENT = "search", 12, 16
# Beside the text of the call and its values. Before 3.11 a dict keeps the hashes of its keys, also where all are str.
BOUND = 2500 if sys.version_info >= (3, 11) else 2650
ARGUMENTS = json.dumps({f"field_{number}": "a value of some length " * 4 for number in range(FIELDS)})
HALF = ARGUMENTS[: len(ARGUMENTS) // 2]
PIECES = [HALF[at : at + FRAGMENT] for at in range(0, len(HALF), FRAGMENT)]


def anthropic() -> Wire:
    message = {"id": "msg_01Xabcdefghijklmnopqrstu", "type": "message", "role": "assistant", "content": []}
    usage = {"input_tokens": 512, "cache_read_input_tokens": 384, "output_tokens": 3}
    block = {"type": "tool_use", "id": "toolu_01Xabcdefghijklmnopqrs", "name": NAME, "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in PIECES]
    return [
        {"type": "message_start", "message": {**message, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
    ]


def chat() -> Wire:
    def chunk(call: dict[str, Any]) -> dict[str, Any]:
        choice = {"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}, "finish_reason": None}
        return {"id": "chatcmpl-abcdefgh", "object": "chat.completion.chunk", "model": "m", "choices": [choice]}

    first = chunk({"id": "call_abcdefgh", "type": "function", "function": {"name": NAME, "arguments": ""}})
    return [first, *(chunk({"function": {"arguments": piece}}) for piece in PIECES)]


def responses() -> Wire:
    item = {"id": "fc_1", "type": "function_call", "status": "in_progress", "arguments": "", "call_id": "c"}
    kind = "response.function_call_arguments.delta"
    return [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "name": NAME}},
        *({"type": kind, "delta": piece, "item_id": "fc_1", "output_index": 0} for piece in PIECES),
    ]


def idle(wire: Wire) -> StreamParser:
    parser = StreamParser()
    for event in wire:
        parser.feed(sse([event]))
    assert parser.calls[0].state == "streaming"
    return parser


def reachable(root: object) -> dict[int, object]:
    found: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) not in found and not isinstance(one, SHARED):
            found[id(one)] = one
            waiting += gc.get_referents(one)
    return found


def own_bytes(wire: Wire) -> int:
    """Of what a parser reaches, what another one in the same place does not."""
    one, other = idle(wire), idle(wire)
    shared = reachable(other)
    return sum(sys.getsizeof(held) for key, held in reachable(one).items() if key not in shared)


@needs_native
@pytest.mark.parametrize("stream", [anthropic, chat, responses])
def test_an_idle_parser_holds_little_but_its_call(stream: Callable[[], Wire]) -> None:
    wire = stream()
    parser = idle(wire)  # the first one makes what all share
    values = sum(sys.getsizeof(value) for value in parser.calls[0].arguments.values())
    assert own_bytes(wire) - len(HALF) - values < BOUND


@needs_native
@pytest.mark.skipif(sys.version_info < (3, 11), reason="a dict keeps the hashes of its keys")
@pytest.mark.parametrize("shape", SHAPES)
def test_an_idle_parser_in_a_call_of_2_kb_takes_no_more_than_4_kb(shape: str) -> None:
    assert memory.idle(shape, 100)["bytes_each"] <= 4096


@needs_native
@pytest.mark.parametrize("stream", [anthropic, chat, responses])
def test_streams_of_one_model_that_call_one_tool_hold_one_str_for_both(stream: Callable[[], Wire]) -> None:
    one, other = idle(stream()), idle(stream())
    assert one.calls[0].name is other.calls[0].name
    assert one.model is other.model


@needs_native
def test_only_short_ascii_text_is_shared() -> None:
    def twice(text: str) -> tuple[object, object]:
        return shared("".join(text)), shared("".join(list(text)))

    for text in ("search", "a", "m" * 32):
        one, other = twice(text)
        assert one is other == text
    for text in ("", "é", "m" * 33, "\ud800"):
        one, other = twice(text)
        assert one == other == text
    for odd in (None, 1, ["search"]):
        assert shared(odd) is odd


@needs_native
def test_between_two_events_no_framer_is_held() -> None:
    events = b"".join(sse([event]) for event in anthropic())
    between, inside = StreamParser(), StreamParser()
    between.feed(events)
    inside.feed(events[:60])
    assert sys.getsizeof(between._framing) < 150 < 300 < sys.getsizeof(inside._framing)


@needs_native
def test_what_an_event_that_was_cut_needed_is_given_back() -> None:
    start, block, delta, *_ = anthropic()
    parser = idle([start, block, delta])
    assert HALF.startswith('{"field_0": "')
    assert len(PIECES[0]) > len('{"field_0": "')
    delta["delta"]["partial_json"] = "more of a string"
    events = sse([delta]) * 40
    parser.feed(events)
    before = sys.getsizeof(parser)
    cut = len(events) - 20
    assert cut > 4000
    for _ in range(3):
        parser.feed(events[:cut])
        assert sys.getsizeof(parser) < before + 300
        parser.feed(events[cut:])
        assert sys.getsizeof(parser) == before


@needs_native
def test_streams_whose_events_are_alike_hold_one_template() -> None:
    def wire(index: int, others: Wire) -> Wire:
        return [{**event, **({"index": index} if "index" in event else {})} for event in others]

    alike = [idle(wire(77, anthropic())) for _ in range(8)]
    with_others = sys.getsizeof(alike[0])
    del alike[1:]
    gc.collect()
    alone = sys.getsizeof(alike[0])
    other = idle(wire(78, anthropic()))
    assert alone == sys.getsizeof(other)
    assert alone - with_others > 100


@needs_native
def test_the_size_of_a_parser_is_that_of_what_it_holds() -> None:
    parser = JSONParser()
    before = sys.getsizeof(parser)
    parser.feed('{"text": "' + "x" * 100_000)
    assert 100_000 < sys.getsizeof(parser) - before < 160_000
    parser.feed('", "number": ')
    parser.feed("1")
    assert sys.getsizeof(parser) < before + 2_000
