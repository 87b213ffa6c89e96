"""The AWS event stream (application/vnd.amazon.eventstream): binary messages with headers, checksums and JSON.

https://smithy.io/2.0/aws/amazon-eventstream.html
Each message is decoded by botocore, which is imported when the first one comes. Trusts nothing. Guarantees that a
message is refused as soon as its first 12 bytes show that it is damaged or too long, before the rest is awaited.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from .errors import IncompleteError, LimitError, SSEError, ToolStreamError
from .framing import EventDict, loads

_PRELUDE = 12  # bytes: the message's length, that of its headers, and the checksum of these two
_AROUND = _PRELUDE + 4  # bytes of a message beside headers and payload: a checksum ends it


class AWSFraming:
    """Gives each message as the dict that boto3 gives: the event's type as the only key, the payload as its value.

    An exception is `{its type: payload}`, an error without a payload `{"error": {"type", "message"}}`. Binary members
    of the payload stay base64 text. Raises `SSEError` for a damaged message, `LimitError` for one that is longer than
    max_event_bytes, `ToolStreamError` without botocore.
    """

    def __init__(self, max_event_bytes: int | None) -> None:
        self._max_event_bytes = max_event_bytes
        self._message = bytearray()  # what has come of the message that has begun
        self._needed = _PRELUDE  # bytes of it that tell more: the prelude, then all
        self._before = 0  # bytes of the stream before it
        self.between = False

    def feed(self, data: bytes) -> Iterator[EventDict]:
        at = 0
        while at < len(data):
            piece = data[at : at + self._needed - len(self._message)]
            at += len(piece)
            self._message += piece
            if len(self._message) < self._needed:
                return
            decoded = self._decode(bytes(self._message))
            if self._needed == _PRELUDE:
                self._needed = self._length()
            else:
                self._before += self._needed
                self._message.clear()
                self._needed = _PRELUDE
                yield _event(decoded.headers, decoded.payload)

    def close(self) -> Iterator[EventDict]:
        if self._message:
            raise IncompleteError("the stream ended inside an event")
        return iter(())

    def _length(self) -> int:
        """How long the message is that has begun, as its prelude says."""
        length, headers, _ = struct.unpack(">III", self._message)
        if length < headers + _AROUND:
            raise SSEError(f"an AWS event-stream message of {length} bytes with {headers} bytes of headers")
        limit = self._max_event_bytes
        if limit is not None and length > limit:
            reason = f"an event of {length} bytes is longer than max_event_bytes={limit}"
            raise LimitError(reason, limit="max_event_bytes", offset=self._before + limit)
        return int(length)

    def _decode(self, data: bytes) -> Any:
        """The message that data holds, None where it holds only the prelude."""
        # A buffer that outlives the message would copy its bytes with each piece, and could not be pickled in the end.
        buffer, fault = _botocore()
        buffer.add_data(data)
        try:
            return next(buffer, None)
        except (fault, KeyError, UnicodeDecodeError, struct.error) as error:
            reason = f"an AWS event-stream message is damaged: {error}"
            raise SSEError(f"{reason}, in the message at byte {self._before}") from error


def _botocore() -> tuple[Any, type[Exception]]:
    """A new buffer of botocore's, and what it raises."""
    try:
        from botocore.eventstream import EventStreamBuffer, ParserError
    except ImportError as error:
        reason = "an AWS event stream is decoded by botocore, which is not installed: pip install 'toolstream[aws]'"
        raise ToolStreamError(reason) from error
    return EventStreamBuffer(), ParserError


def _event(headers: dict[str, Any], payload: bytes) -> EventDict:
    kind = headers.get(":message-type")
    if kind == "error":
        return {"error": {"type": headers.get(":error-code"), "message": headers.get(":error-message")}}
    name = headers.get(":exception-type" if kind == "exception" else ":event-type")
    if not isinstance(name, str):
        raise SSEError(f"an AWS event-stream message without a type: {sorted(headers)}")
    return {name: loads(payload) if payload else {}}
