"""Every recorded stream gives what is known about it, whole, byte by byte, and in pieces of seven bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import recordings
import wire
from wire import plain, read_bytes

from toolstream import IncompleteError, ProviderError, ReasoningDelta, StreamParser


@recordings.parametrize()
@pytest.mark.parametrize("size", [None, 7, 1])
def test_a_recording_gives_what_is_known_of_it(expected: dict[str, Any], size: int | None) -> None:
    reading = read_bytes(recordings.body(expected["file"]), size)
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


@recordings.parametrize()
def test_a_recording_that_is_cut_shows_whole_calls_only(expected: dict[str, Any]) -> None:
    data = recordings.body(expected["file"])
    final = {call.index: call.arguments for call in read_bytes(data, on_error="event").calls}
    for part in range(1, 8):
        reading = read_bytes(data[: len(data) * part // 8], on_error="event")
        for call in reading.calls:
            if call.complete:
                assert call.arguments == final[call.index]
        if "message_end" not in reading.types:
            assert reading.error is not None


@recordings.parametrize()
def test_decoded_events_say_the_same_as_the_bytes(expected: dict[str, Any]) -> None:
    data = recordings.body(expected["file"])
    reading = wire.Reading(StreamParser(on_error="event"))
    try:
        for event in recordings.events(data):
            reading.events += reading.parser.feed_event(event)
        if data.rstrip().endswith(b"[DONE]"):
            reading.events += reading.parser.feed_event(SimpleNamespace(event="message", data="[DONE]"))
        reading.events += reading.parser.close()
    except ProviderError as error:
        reading.events += error.events
        reading.error = error
    assert plain(reading) == plain(read_bytes(data, on_error="event"))
