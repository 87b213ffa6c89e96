"""Events that are not what their provider sends are a clean error, never a crash; what came before stays readable."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import recordings
import wire

from toolstream import StreamParser, ToolStreamError

_SPOILERS: list[Any] = [
    *(None, True, 0, -1, 1, 2**70, 1.5, "", "x", "null", "\ud800", "{}", '{"a":'),
    *([], {}, [[]], [{}], [None], {"a": 1}),
]


def misshapen(value: Any, rng: random.Random) -> Any:
    """The value with something in it lost, doubled, cut, or replaced by a value of any kind."""
    chance = rng.random()
    if isinstance(value, dict) and value:
        value, name = dict(value), rng.choice(list(value))
        if chance < 0.12:
            del value[name]
        else:
            value[name] = rng.choice(_SPOILERS) if chance < 0.25 else misshapen(value[name], rng)
    elif isinstance(value, list) and value:
        value, index = list(value), rng.randrange(len(value))
        if chance < 0.15:
            del value[index]
        elif chance < 0.25:
            value.insert(index, copy.deepcopy(value[index]))
        else:
            value[index] = misshapen(value[index], rng)
    elif isinstance(value, str) and chance < 0.3:
        value = value[: rng.randrange(len(value) + 1)]
    else:
        value = rng.choice(_SPOILERS)
    return value


def damaged(events: list[Any], rng: random.Random) -> list[Any]:
    """The events with some of them misshapen, lost, doubled, or all from one on cut off."""
    events = list(events)
    for _ in range(rng.choice([1, 1, 2, 5])):
        if not events:
            break
        index, what = rng.randrange(len(events)), rng.random()
        if what < 0.7:
            events[index] = misshapen(events[index], rng)
        elif what < 0.8:
            del events[index]
        elif what < 0.9:
            events.insert(index, rng.choice(events))
        else:
            del events[index:]
    return events


def check_damaged(events: list[Any], provider: str, rng: random.Random) -> None:
    chosen: dict[str, Any] = {
        "on_error": rng.choice(["raise", "event"]),
        "deltas": rng.random() < 0.5,
        "provider": rng.choice(["auto", provider]),
    }
    for as_bytes in (False, True):
        parser = StreamParser(**chosen)
        try:
            if as_bytes:
                data = wire.sse([event for event in events if isinstance(event, dict)])
                for piece in wire.pieces(data, 997):
                    parser.feed(piece)
            else:
                for event in events:
                    if isinstance(event, dict):
                        parser.feed_event(event)
            parser.close()
        except ToolStreamError:
            pass
        assert parser.text is not None
        assert parser.usage is not None
        assert parser.partial_message is None or parser.partial_message == parser.partial_message
        for call in parser.calls:
            assert call.snapshot() is not None
            assert call.text is not None
            assert repr(call)


@pytest.mark.parametrize("name", wire.STREAMS)
def test_a_damaged_stream_is_a_clean_error(name: str) -> None:
    events = [event for event in wire.STREAMS[name] if event != wire.DONE]
    provider = wire.read(wire.STREAMS[name], on_error="event").parser.provider
    assert provider is not None
    for seed in range(40):
        rng = random.Random(f"{name} {seed}")
        check_damaged(damaged(events, rng), provider, rng)


@recordings.parametrize()
def test_a_damaged_stream_of_known_contents_is_a_clean_error(expected: dict[str, Any]) -> None:
    data = recordings.body(expected)
    if len(data) > 50_000:
        pytest.skip("too long to be read many times")
    events = recordings.events(data)
    for seed in range(40):
        rng = random.Random(f"{expected['file']} {seed}")
        check_damaged(damaged(events, rng), expected["format"], rng)
