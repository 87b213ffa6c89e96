"""From what comes in to decoded events: bytes by their framing, SSE events and SDK objects one by one.

Trusts nothing. Guarantees that how the bytes were cut does not show, that no event grows past the limit, and that what
is yielded before an exception came before the fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn, Protocol

import orjson

from ._core import ffi, lib
from .errors import IncompleteError, LimitError, SSEError
from .sse import FrameParser

EventDict = dict[str, Any]

DONE: EventDict = {"type": "[DONE]"}
"""The mark that ends a stream of OpenAI's kind; told by identity."""

BOM = b"\xef\xbb\xbf"
SPACE = b" \t\r\n"
_EXCERPT = 40
_UNLIMITED = 2**62
_MAX_DEPTH = 1000
_PIECE = 4096


class Framing(Protocol):
    """Cuts bytes into events. `feed` and `close` yield what ends, and raise `SSEError`, `LimitError`.

    `close` raises `IncompleteError` for an event that is cut.
    """

    def feed(self, data: bytes) -> Iterator[EventDict]: ...

    def close(self) -> Iterator[EventDict]: ...


def new_framing(name: str, max_event_bytes: int | None) -> Framing:
    """Raises `ValueError` for an unknown name."""
    if name in ("auto", "events", "lines"):  # the latter two say what the source's items are
        return AutoFraming(max_event_bytes)
    if name == "sse":
        return SSEFraming(max_event_bytes)
    if name == "ndjson":
        return ValueFraming(max_event_bytes, array=False)
    if name == "json-array":
        return ValueFraming(max_event_bytes, array=True)
    raise ValueError(f'framing is "auto", "sse", "lines", "ndjson", "json-array" or "events", not {name!r}')


class AutoFraming:
    """Decides by the first byte that is no white space: `{` JSON values, `[` an array of them, else SSE."""

    def __init__(self, max_event_bytes: int | None) -> None:
        self._max_event_bytes = max_event_bytes
        self._head = b""
        self._framing: Framing | None = None

    def feed(self, data: bytes) -> Iterator[EventDict]:
        if self._framing is None:
            self._head += data
            first = self._head.removeprefix(BOM).lstrip(SPACE)[:1]
            if not first or BOM.startswith(self._head):
                return iter(())
            data, self._head = self._head, b""
            name = {b"{": "ndjson", b"[": "json-array"}.get(first, "sse")
            self._framing = new_framing(name, self._max_event_bytes)
        return self._framing.feed(data)

    def close(self) -> Iterator[EventDict]:
        return iter(()) if self._framing is None else self._framing.close()


class SSEFraming:
    """Server-sent events that hold JSON; `[DONE]` gives DONE; data that can't be JSON is a gateway's comment."""

    def __init__(self, max_event_bytes: int | None) -> None:
        self._frames = FrameParser(max_event_bytes)

    def feed(self, data: bytes) -> Iterator[EventDict]:
        fault = None
        try:
            frames = self._frames.feed(data)
        except LimitError as error:
            fault, frames = error, getattr(error, "frames", [])
        for name, body in frames:
            event = frame_event(name, body)
            if event is not None:
                yield event
        if fault is not None:
            raise fault

    def close(self) -> Iterator[EventDict]:
        for name, body in self._frames.flush():
            try:
                event = frame_event(name, body)
            except SSEError:
                event = None
            if event is not None:
                yield event
            elif body.lstrip(SPACE)[:1] in (b"{", b"["):
                raise IncompleteError("the stream ended inside an event")


def frame_event(name: str, data: bytes) -> EventDict | None:
    """The event that an SSE frame holds, DONE, or None where it holds none. Raises `SSEError` for broken JSON.

    name: the frame's event type, which stands in for a `type` that the object lacks.
    """
    body = data.strip(SPACE)
    if not body.startswith(b"{"):
        return DONE if body == b"[DONE]" else None
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        event = decode(body)
    if name not in ("", "message") and "type" not in event:
        event["type"] = name
    return event  # type: ignore[no-any-return]


def decode(data: bytes) -> EventDict:
    """The object in data. Raises `SSEError`.

    For what orjson refuses and streams hold all the same: lone surrogates, big numbers, bytes that are no UTF-8.
    """
    text = data.decode("utf-8", "replace")
    try:
        event = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise SSEError(f"the event is nested too deep: {text[:_EXCERPT]!r}…") from None
    except ValueError as error:
        raise SSEError(f"the event is no JSON object: {error}, in {text[:_EXCERPT]!r}…") from None
    if not isinstance(event, dict):
        raise SSEError(f"the event is no JSON object: {text[:_EXCERPT]!r}…")
    return event


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class ValueFraming:
    """JSON values one after another, on lines or not; or, with array, the elements of one array as each ends."""

    def __init__(self, max_event_bytes: int | None, *, array: bool) -> None:
        self._max_event_bytes = max_event_bytes
        # What may stand between values: a key of _BETWEEN.
        self._state = "array" if array else "values"
        self._inside = False  # a value has begun
        self._hold(lib.ts_scanner_new(self._options()))

    def _options(self) -> Any:
        options = ffi.new("ts_options *")
        options.max_depth = _MAX_DEPTH
        options.max_bytes = self._max_event_bytes or _UNLIMITED
        options.duplicate_keys = lib.TS_DUP_LAST
        options.stop_at_end = 1
        return options

    def _hold(self, scanner: Any) -> None:
        if scanner == ffi.NULL:
            raise MemoryError
        self._scanner = ffi.gc(scanner, lib.ts_scanner_free)

    def feed(self, data: bytes) -> Iterator[EventDict]:
        at = 0
        while True:
            if not self._inside:
                at = self._skip(data, at)
            if at == len(data):
                return
            # A value rarely ends with the chunk: what lies behind it was copied for nothing, so not too much.
            piece = data[at : at + _PIECE]
            status = lib.ts_scanner_feed(self._scanner, piece, len(piece))
            if status < 0:
                raise self._error(status)
            view = lib.ts_scanner_view(self._scanner)
            at += view.consumed
            if status == lib.TS_PAUSED and view.complete:
                yield self._take(view)

    def _take(self, view: Any) -> EventDict:
        lib.ts_scanner_settle(self._scanner)
        body: bytes = ffi.buffer(view.text, view.text_size)[view.steps[0].a : view.steps[0].b]
        if lib.ts_scanner_next(self._scanner) < 0:
            raise MemoryError
        self._inside = False
        self._state = _BETWEEN[self._state][b"{"]
        if not body.startswith(b"{"):
            raise SSEError(f"an event is a JSON object, not {body[:_EXCERPT]!r}")
        try:
            return orjson.loads(body)  # type: ignore[no-any-return]
        except orjson.JSONDecodeError:
            return decode(body)

    def _skip(self, data: bytes, at: int) -> int:
        """Where the next value begins, or the end of data."""
        while at < len(data):
            byte = data[at : at + 1]
            if byte not in SPACE and not (self._state in ("values", "array") and byte in BOM):
                known = _BETWEEN[self._state]
                if byte in known and byte != b"{":
                    self._state = known[byte]
                elif b"{" in known:
                    self._inside = True
                    return at
                else:
                    raise SSEError(f"found {data[at : at + _EXCERPT]!r} where {_EXPECTED[self._state]} was expected")
            at += 1
        return at

    def _error(self, status: int) -> Exception:
        if status == lib.TS_ERR_MEMORY:
            return MemoryError("toolstream: out of memory")
        view = lib.ts_scanner_view(self._scanner)
        if status == lib.TS_ERR_BYTES:
            limit = self._max_event_bytes
            return LimitError(f"an event is longer than {limit} bytes", limit="max_event_bytes", offset=view.offset)
        reason = ffi.string(lib.ts_status_text(status)).decode()
        before: bytes = ffi.buffer(view.text, view.text_size)[: view.offset - view.text_start]
        return SSEError(f"an event is no JSON: {reason}, after {before[-_EXCERPT:].decode('utf-8', 'replace')!r}")

    def close(self) -> Iterator[EventDict]:
        if self._inside or self._state in ("elements", "element", "comma"):
            raise IncompleteError("the stream ended inside an event" if self._inside else "the stream ended before ']'")
        return iter(())

    def __getstate__(self) -> dict[str, Any]:
        size = lib.ts_scanner_save(self._scanner, ffi.NULL, 0)
        saved = ffi.new("unsigned char[]", size)
        lib.ts_scanner_save(self._scanner, saved, size)
        return {**self.__dict__, "_scanner": bytes(ffi.buffer(saved, size))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        saved = state["_scanner"]
        self._hold(lib.ts_scanner_load(self._options(), saved, len(saved)))


# What may follow between values, and what is then expected; b"{" stands for a value.
_BETWEEN: dict[str, dict[bytes, str]] = {
    "values": {b"{": "values"},
    "array": {b"[": "elements"},
    "elements": {b"{": "comma", b"]": "end"},
    "element": {b"{": "comma"},
    "comma": {b",": "element", b"]": "end"},
    "end": {},
}
_EXPECTED = {"array": "'['", "comma": "',' or ']'", "end": "nothing more"}
