"""Messages of the AWS event stream, encoded here and decoded by botocore.

`python tests/aws_messages.py` writes the `.awseventstream` files of `data/streams/` anew, from the `.jsonl` files of
the same names.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

STREAMS = Path(__file__).parent / "data" / "streams"
_TEXT = 7  # a header's type


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message. All of its headers are text."""
    block = b"".join(
        struct.pack(f">B{len(name.encode())}sBH", len(name.encode()), name.encode(), _TEXT, len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    body = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return body + struct.pack(">I", crc32(body))


def event(name: str, body: Any) -> bytes:
    """An event, or an exception, as its name says."""
    kind = "exception" if name.endswith("Exception") else "event"
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return message(headers, json.dumps(body, separators=(",", ":")).encode())


def converse(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """ConverseStream's messages for events as boto3 gives them."""
    return [event(name, body) for each in events for name, body in each.items()]


def invoke(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """InvokeModelWithResponseStream's messages for the model's own events, and exceptions."""
    return [message for each in events for message in ([chunk(each)] if "type" in each else converse([each]))]


def chunk(inner: dict[str, Any]) -> bytes:
    data = json.dumps(inner, separators=(",", ":")).encode()
    return event("chunk", {"bytes": base64.b64encode(data).decode(), "p": "abcdefgh"[: 1 + len(data) % 8]})


def decoded(data: bytes) -> list[dict[str, Any]]:
    """The events as boto3 gives them, but for binary members, which stay base64."""
    eventstream = pytest.importorskip("botocore.eventstream", reason="botocore is not installed")
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(data)
    events: list[dict[str, Any]] = []
    for each in buffer:
        kind = "exception" if each.headers[":message-type"] == "exception" else "event"
        events.append({each.headers[f":{kind}-type"]: json.loads(each.payload)})
    return events


def ends(data: bytes) -> list[int]:
    """Where messages end."""
    places = [0]
    while places[-1] < len(data):
        places.append(places[-1] + struct.unpack_from(">I", data, places[-1])[0])
    return places[1:]


def binaries() -> dict[Path, bytes]:
    """What each `.awseventstream` file must hold."""
    whole: dict[Path, bytes] = {}
    for folder, encode in (("bedrock-converse", converse), ("bedrock-invoke", invoke)):
        for path in sorted((STREAMS / folder).glob("*.awseventstream")):
            lines = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
            whole[path] = b"".join(encode(json.loads(line) for line in lines))
    return whole


if __name__ == "__main__":
    for path, data in binaries().items():
        path.write_bytes(data)
