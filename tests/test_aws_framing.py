"""The AWS event stream: recognised, decoded and refused the same however it is cut."""

from __future__ import annotations

import copy
import json
import pickle
import struct
import subprocess
import sys
from typing import Any
from zlib import crc32

import aws_messages
import pytest
from wire import Reading, pieces, plain, read_bytes

from toolstream import (
    IncompleteError,
    LimitError,
    Limits,
    ProviderError,
    SSEError,
    StreamParser,
    ToolStreamError,
    UnknownProviderError,
    parse,
)
from toolstream.aws_framing import AWSFraming

pytest.importorskip("botocore", reason="botocore is not installed (pip install 'toolstream[aws]')")

EVENTS: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant", "p": "abc"}},
    {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "naïve ☕"}}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"contentBlockStart": {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "t1", "name": "search"}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '{"query": "\\u00e9'}}}},
    {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"toolUse": {"input": '!", "limit": 1}'}}}},
    {"contentBlockStop": {"contentBlockIndex": 1}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}, "metrics": {"latencyMs": 1}}},
]
MESSAGES = aws_messages.converse(EVENTS)
STREAM = b"".join(MESSAGES)


def told(reading: Reading) -> list[Any]:
    assert reading.error is None
    return plain(reading)


def framed(data: bytes) -> list[dict[str, Any]]:
    framing = AWSFraming(None)
    return [*framing.feed(data), *framing.close()]


def test_a_message_is_the_dict_that_boto3_gives() -> None:
    assert framed(STREAM) == EVENTS


def test_the_files_of_this_repository_are_what_their_events_say() -> None:
    for path, data in aws_messages.binaries().items():
        assert path.read_bytes() == data, f"write it anew: python {aws_messages.__file__}"


def test_it_gives_the_same_as_the_decoded_events_at_every_cut() -> None:
    decoded = Reading(StreamParser())
    for event in EVENTS:
        decoded.events += decoded.parser.feed_event(event)
    decoded.events += decoded.parser.close()
    expected = told(decoded)
    for framing in ("auto", "aws"):
        assert told(read_bytes(STREAM, 1, framing=framing)) == expected
        for cut in range(len(STREAM) + 1):
            assert told(read_bytes([STREAM[:cut], STREAM[cut:]], framing=framing)) == expected
    assert plain(Reading(StreamParser(), list(parse(pieces(STREAM, 5), framing="aws")))) == expected


@pytest.mark.parametrize("move", [copy.deepcopy, lambda parser: pickle.loads(pickle.dumps(parser))])
def test_a_parser_moves_between_any_two_bytes(move: Any) -> None:
    reading = Reading(StreamParser())
    for at in range(len(STREAM)):
        reading.events += reading.parser.feed(STREAM[at : at + 1])
        reading.parser = move(reading.parser)
    reading.events += reading.parser.close()
    assert told(reading) == told(read_bytes(STREAM))


def test_each_event_comes_with_its_last_byte() -> None:
    parser = StreamParser()
    for message in MESSAGES[:-1]:
        assert parser.feed(message[:-1]) == []
        parser.feed(message[-1:])
    assert parser.calls[0].state == "confirmed"


# ---------------------------------------------------------------------- what it is told by


@pytest.mark.parametrize("first", [":event-type", ":message-type", ":content-type"])
def test_any_order_of_the_headers_is_recognised(first: str) -> None:
    headers = {":event-type": "messageStart", ":content-type": "application/json", ":message-type": "event"}
    message = aws_messages.message({first: headers.pop(first), **headers}, b'{"role":"assistant"}')
    for size in (None, 1, 3):
        reading = read_bytes(message + b"".join(MESSAGES[1:]), size)
        assert told(reading) == told(read_bytes(STREAM))


@pytest.mark.parametrize("junk", [b"\0\0\0\x10 no event stream", b"\0" * 40, b"\1" * 14])
def test_other_binary_data_are_unknown(junk: bytes) -> None:
    for size in (None, 1):
        error = read_bytes(junk, size).error
        assert isinstance(error, UnknownProviderError)


def test_an_exception_may_come_first() -> None:
    message = aws_messages.event("throttlingException", {"message": "Too many requests"})
    for provider in ("auto", "bedrock", "bedrock-converse", "bedrock-invoke"):
        for size in (None, 1):
            error = read_bytes(message, size, provider=provider).error
            assert isinstance(error, ProviderError)
            assert (error.type, error.message) == ("throttlingException", "Too many requests")


def test_an_error_without_a_payload_is_the_providers() -> None:
    headers = {":message-type": "error", ":error-code": "InternalError", ":error-message": "Something went wrong"}
    for before in ([], MESSAGES[:5]):
        error = read_bytes(b"".join(before) + aws_messages.message(headers, b"")).error
        assert isinstance(error, ProviderError)
        assert (error.type, error.message) == ("InternalError", "Something went wrong")


def test_an_event_without_a_payload_is_empty() -> None:
    assert framed(aws_messages.message({":message-type": "event", ":event-type": "messageStart"}, b"")) == [
        {"messageStart": {}}
    ]


def test_a_message_without_a_type_is_no_event() -> None:
    with pytest.raises(SSEError, match="without a type"):
        framed(aws_messages.message({":message-type": "event"}, b"{}"))


# ---------------------------------------------------------------------- what is wrong with it


def test_a_stream_that_is_cut_anywhere_is_incomplete() -> None:
    whole = len(STREAM) - len(MESSAGES[-1])  # the usage may be missing, but not half of it
    for end in range(1, len(STREAM)):
        if end != whole:
            assert isinstance(read_bytes(STREAM[:end]).error, IncompleteError), end


@pytest.mark.parametrize("number", range(3))
def test_a_damaged_byte_is_a_fault_behind_the_events_before_it(number: int) -> None:
    before = b"".join(MESSAGES[:number])
    expected = plain(read_bytes(before))[:-1]
    message = MESSAGES[number]
    for at in range(len(message)):
        damaged = bytearray(message)
        damaged[at] ^= 0x10
        for size in (None, 1):
            reading = read_bytes(before + bytes(damaged) + b"".join(MESSAGES[number + 1 :]), size)
            assert isinstance(reading.error, SSEError if number or at > 13 else ToolStreamError)
            assert plain(reading)[:-1] == expected


def test_a_fault_is_found_as_soon_as_it_can_be() -> None:
    damaged = bytearray(MESSAGES[1])
    damaged[2] ^= 1  # of the length
    parser = StreamParser()
    parser.feed(MESSAGES[0] + damaged[:11])
    with pytest.raises(SSEError, match=rf"damaged: Checksum mismatch.*in the message at byte {len(MESSAGES[0])}"):
        parser.feed(damaged[11:12])


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", crc32(lengths))


@pytest.mark.parametrize(
    ("total", "headers"), [(0, 0), (12, 0), (15, 0), (40, 25), (16, 2**32 - 1), (2**31, 2**17 + 1)]
)
def test_lengths_that_make_no_sense_are_refused(total: int, headers: int) -> None:
    with pytest.raises(SSEError):
        StreamParser(framing="aws").feed(prelude(total, headers))


def test_a_payload_that_is_no_json_is_refused() -> None:
    for payload in (b"{", b"[1]", b"\xff"):
        headers = {":event-type": "messageStart", ":message-type": "event"}
        with pytest.raises(SSEError):
            framed(aws_messages.message(headers, payload))


def test_a_message_longer_than_the_limit_is_refused_by_its_prelude_at_the_same_byte() -> None:
    longest = max(len(message) for message in MESSAGES)
    assert told(read_bytes(STREAM, limits=Limits(max_event_bytes=longest))) == told(read_bytes(STREAM))
    at = next(number for number, message in enumerate(MESSAGES) if len(message) == longest)
    place = len(b"".join(MESSAGES[:at]))
    for size in (None, 1, 7):
        reading = read_bytes(STREAM[: place + 12], size, limits=Limits(max_event_bytes=longest - 1))
        assert isinstance(reading.error, LimitError)
        assert reading.error.limit == "max_event_bytes"
        assert reading.error.offset == place + longest - 1


def test_botocore_is_given_each_byte_once_and_each_prelude_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore import eventstream

    given = 0

    class Counting(eventstream.EventStreamBuffer):  # type: ignore[misc]
        def add_data(self, data: bytes) -> None:
            nonlocal given
            given += len(data)
            super().add_data(data)

    monkeypatch.setattr(eventstream, "EventStreamBuffer", Counting)
    long = aws_messages.event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "x" * 100_000}})
    for size in (None, 1):
        given = 0
        framing = AWSFraming(None)
        for piece in pieces(long + STREAM, size):
            list(framing.feed(piece))
        assert given == len(long + STREAM) + 12 * (1 + len(MESSAGES))


# ---------------------------------------------------------------------- botocore


def test_without_botocore_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.eventstream", None)
    reading = read_bytes(STREAM)
    assert type(reading.error) is ToolStreamError
    assert "pip install 'toolstream[aws]'" in str(reading.error)
    assert read_bytes(b"\n".join(_lines())).error is None


def _lines() -> list[bytes]:
    return [json.dumps(event).encode() for event in EVENTS]


def test_botocore_is_not_imported_for_other_streams() -> None:
    script = (
        "import sys, json, toolstream\n"
        "parser = toolstream.StreamParser()\n"
        "for line in sys.stdin.buffer: parser.feed(line)\n"
        "parser.close()\n"
        "assert parser.calls[0].complete\n"
        "assert 'botocore' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], input=b"\n".join(_lines()), check=True)
