"""Every stream whose contents are known gives them, however it is cut and whatever it comes from; and one that breaks
off never gives a call that was not whole."""

from __future__ import annotations

import copy
import random
from types import SimpleNamespace
from typing import Any

import aws_messages
import pytest
import recordings
import wire
from wire import plain, read_bytes

from toolstream import (
    Event,
    IncompleteError,
    MessageEnd,
    ProviderError,
    ReasoningDelta,
    StreamParser,
    ToolCallEnd,
)


@recordings.parametrize()
@pytest.mark.parametrize("size", [None, 7, 1])
def test_a_stream_gives_what_is_known_of_it(expected: dict[str, Any], size: int | None) -> None:
    check(read_bytes(recordings.body(expected), size), expected)


@recordings.parametrize()
def test_it_gives_the_same_from_sync_and_async_sources(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    pieces = [data[at : at + 512] for at in range(0, len(data), 512)]
    told = plain(read_bytes(data))

    assert plain(wire.read_source(pieces)) == told
    assert plain(wire.read_async_source(pieces)) == told


def check(reading: wire.Reading, expected: dict[str, Any]) -> None:
    assert reading.parser.provider == expected["format"]
    if expected["error"] is None:
        assert reading.error is None
    else:
        assert isinstance(reading.error, ProviderError)
        assert reading.error.message == expected["error"]
    if expected["calls"] is not None:
        check_calls(reading, expected["calls"])
    if expected["text"] is not None:
        assert reading.parser.text == expected["text"]
    if expected["reasoning"] is not None:
        assert "".join(event.text for event in reading.of(ReasoningDelta)) == expected["reasoning"]
    if expected["stop_reason"] is not None:
        assert reading.parser.stop_reason == expected["stop_reason"]
    if expected["usage"] is not None:
        counts = reading.parser.usage.to_dict()
        known = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
        assert {name: counts[name] for name in known} == {name: expected["usage"].get(name) for name in known}


def check_calls(reading: wire.Reading, expected: list[dict[str, Any]]) -> None:
    for call, known in zip(reading.calls, expected, strict=True):
        for name in ("id", "name", "server"):
            if known[name] is not None:
                assert getattr(call, name) == known[name]
        if known["arguments_text"] is not None:
            assert call.text == known["arguments_text"]
        if known["valid"]:
            assert call.complete
            if known["arguments"] is not None:
                assert call.arguments == known["arguments"]
        elif known["valid"] is not None:
            assert not call.complete
            assert call.state == "void"
            assert isinstance(call.error, IncompleteError)


@pytest.mark.parametrize(
    "file", ["gemini/text.sse", "ollama/ids.ndjson", "langchain/parallel.jsonl", "cohere-v2/two-calls.sse"]
)
def test_a_gateway_s_error_is_the_provider_s(file: str) -> None:
    (known,) = (known for known in recordings.own_expectations() if known["file"] == file)
    first, *_ = recordings.events(recordings.body(known))
    error = wire.read_events([first, {"type": "error", "message": "upstream timed out"}]).error
    assert isinstance(error, ProviderError)
    assert error.message == "upstream timed out"


@recordings.parametrize()
def test_a_stream_that_breaks_off_gives_whole_calls_and_an_incomplete_error(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    final = {call.index: call.arguments for call in read_bytes(data, on_error="event").calls}
    parser = StreamParser(on_error="event")
    events: list[Event] = []
    begin = 0
    for end in places_to_cut(data):
        try:
            events += parser.feed(data[begin:end])
        except ProviderError:
            return  # the provider itself has broken off
        begin = end
        cut, told = copy.deepcopy((parser, events))
        try:
            told += cut.close()
        except (IncompleteError, ProviderError) as error:
            told += error.events
        else:
            assert any(isinstance(event, MessageEnd) for event in told), f"cut at byte {end}: no error and no end"
        for event in told:
            if isinstance(event, ToolCallEnd) and event.call.complete:
                assert event.call.arguments == final[event.call.index], f"cut at byte {end}"
        for call in cut.calls:
            assert call.complete or call.state == "void", f"cut at byte {end}: {call}"


def places_to_cut(data: bytes) -> list[int]:
    """Where lines (or messages) end, so events as well, and 50 places more: the same for the same data."""
    is_binary = data.startswith(b"\0")
    ends = aws_messages.ends(data) if is_binary else [at + 1 for at, byte in enumerate(data) if byte in b"\n\r"]
    chance = random.Random(len(data))
    return sorted({*ends, *(chance.randrange(1, len(data)) for _ in range(50))})


@recordings.parametrize()
def test_decoded_events_say_the_same_as_the_bytes(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    events: list[Any] = recordings.events(data)
    if data.rstrip().endswith(b"[DONE]"):
        events = [*events, SimpleNamespace(event="message", data="[DONE]")]
    reading = wire.read_events(events, on_error="event")
    assert plain(reading) == plain(read_bytes(data, on_error="event"))
