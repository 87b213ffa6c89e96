"""From what comes in to decoded events: bytes by their framing, SSE events and SDK objects one by one.

Trusts nothing. Guarantees that how the bytes were cut does not show, that no event grows past the limit, and that what
is yielded before an exception came before the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Literal, Protocol

from .errors import IncompleteError, JSONError, LimitError, SSEError
from .json_sequence import JSONSequence
from .limits import Limits
from .sse import FrameParser
from .values import loads_fast, loads_strict

FramingName = Literal["auto", "sse", "lines", "ndjson", "json-array", "aws", "events", "text"]
EventDict = dict[str, Any]
Frame = tuple[str, bytes]
"""An SSE frame: its event type and its data."""

DONE: EventDict = {"type": "[DONE]"}
"""The mark that ends a stream of OpenAI's kind; told by identity."""

_DONE_DATA = b"[DONE]"
_MARK = _DONE_DATA.decode()
BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_LENGTHS = (b"\0", b"\1")  # first bytes of a message in an AWS event stream, which is shorter than 32 MiB
_AWS_HEAD = 14  # bytes: the prelude, the length of the first header's name, and its first character
_EXCERPT = 40
_PIECE = 4096
_ENVELOPE = Limits(max_depth=1000)  # of an event's own JSON; json and orjson bear about that much


class Framing(Protocol):
    """Cuts bytes into events.

    `feed` yields what has ended: events, or SSE frames, which `frame_event` decodes. `close` yields what only the end
    of the stream has ended. Both raise `SSEError` and `LimitError`; `close` raises `IncompleteError` for an event that
    was cut off.

    between: the framing is SSE, and the last byte was the end of an event.
    """

    @property
    def between(self) -> bool: ...

    def feed(self, data: bytes) -> Iterable[EventDict | Frame]: ...

    def close(self) -> Iterable[EventDict]: ...


def new_framing(name: FramingName, max_event_bytes: int | None) -> Framing:
    """Raises `ValueError` for an unknown name."""
    if name in ("auto", "events", "lines"):  # the latter two say what the source's items are
        return AutoFraming(max_event_bytes)
    if name == "sse":
        return SSEFraming(max_event_bytes)
    if name == "ndjson":
        return ValueFraming(max_event_bytes, array=False)
    if name == "json-array":
        return ValueFraming(max_event_bytes, array=True)
    if name == "aws":
        from .aws_framing import AWSFraming  # it is built on this module

        return AWSFraming(max_event_bytes)
    raise ValueError(
        f'framing is "auto", "sse", "lines", "ndjson", "json-array", "aws", "events" or "text", not {name!r}'
    )


class AutoFraming:
    """Decides by the first byte that is not white space. `{`: JSON values; `[`: an array of them; else SSE.

    A first byte that text never has may begin the length of an AWS message. It is the AWS event stream if the name of
    the first header begins as all of them do.
    """

    __slots__ = ("_head", "_max_event_bytes", "decided")

    between = False

    def __init__(self, max_event_bytes: int | None) -> None:
        self._max_event_bytes = max_event_bytes
        self._head = bytearray()
        self.decided: Framing | None = None  # what takes all that follows

    def feed(self, data: bytes) -> Iterable[EventDict | Frame]:
        if not self._head and data[:1].isalpha():  # as nearly every stream begins
            self.decided = SSEFraming(self._max_event_bytes)
            return self.decided.feed(data)
        self._head += data
        name = self._decide(data)
        if name is None:
            return ()
        self.decided = new_framing(name, self._max_event_bytes)
        return self.decided.feed(bytes(self._head))

    def _decide(self, data: bytes) -> FramingName | None:
        """The framing's name; None as long as only white space has come, or what may become a BOM.

        data: the newest part of the head. White space is looked at once, however much there is.
        """
        if self._head[:1] in _LENGTHS:
            if len(self._head) < _AWS_HEAD:
                return None
            return "aws" if self._head[_AWS_HEAD - 1 : _AWS_HEAD] == b":" else "sse"
        if len(self._head) - len(data) > len(BOM):
            first = data.lstrip(_SPACE)[:1]
        else:
            head = bytes(self._head)
            if BOM.startswith(head):
                return None
            first = head.removeprefix(BOM).lstrip(_SPACE)[:1]
        if first:
            return "ndjson" if first == b"{" else "json-array" if first == b"[" else "sse"
        is_too_long = self._max_event_bytes is not None and len(self._head) > self._max_event_bytes
        return "sse" if is_too_long else None  # which refuses it

    def close(self) -> Iterable[EventDict]:
        if self._head[:1] in _LENGTHS:
            raise IncompleteError("the stream ended inside an event")
        return ()


class SSEFraming(FrameParser):
    """Server-sent events that hold JSON."""

    __slots__ = ()

    def feed(self, data: bytes) -> Iterable[Frame]:
        frames = self._take(data)
        return frames if self._status >= 0 else _then_raise(frames, self._fault())

    def close(self) -> Iterable[EventDict]:
        return () if self.between else self._rest()

    def _rest(self) -> Iterator[EventDict]:
        """The event at the end, after which no blank line came."""
        for name, body in self.flush():
            is_whole = False
            try:
                for event in frame_events(name, body):
                    is_whole = True
                    yield event
            except SSEError:
                is_whole = False
            if not is_whole and body.lstrip(_SPACE)[:1] in (b"{", b"["):
                raise IncompleteError("the stream ended inside an event")


def _then_raise(frames: list[Frame], fault: Exception) -> Iterator[Frame]:
    yield from frames
    raise fault


def frame_events(name: str, data: bytes) -> Iterator[EventDict]:
    """The events of an SSE frame: one, or several if a server sends no blank lines. Otherwise as `frame_event`."""
    try:
        event = frame_event(name, data)
    except SSEError:
        if not _is_object(data.partition(b"\n")[0]):
            raise
        yield from (event for event in map(frame_event, repeat(""), data.split(b"\n")) if event is not None)
        return
    if event is not None:
        yield event


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(loads_fast(text), dict)
    except ValueError:
        return False


def frame_event(name: str, data: bytes) -> EventDict | None:
    """The event that an SSE frame holds; DONE for `[DONE]`.

    None for data that can't be JSON (a gateway's comment), unless it is an error in plain words. Raises `SSEError` for
    broken JSON.

    name: the frame's event type, which stands in for a `type` that the object lacks.
    """
    if data == _DONE_DATA:
        return DONE
    try:
        event = loads_fast(data)
    except ValueError:
        data = data.strip(_SPACE)
        if data[:1] != b"{":
            return DONE if data == _DONE_DATA else _plain_error(name, data.decode("utf-8", "replace"))
        event = loads(data)
    if type(event) is not dict:
        return _of_list(name, event) if type(event) is list else _plain_error(name, event)
    if "type" not in event and name not in ("", "message"):
        event["type"] = name
    return event


def _plain_error(name: str, data: Any) -> EventDict | None:
    """The event of a frame whose data is no object: an error in plain words, or None."""
    return {"type": name, "message": data} if name == "error" and isinstance(data, str) and data else None


def _of_list(name: str, data: list[Any]) -> EventDict | None:
    """The event in a list. LangGraph's server sends a chunk and its metadata; a `|` in the name precedes a subgraph."""
    chunk = data[0] if data and name.partition("|")[0] == "messages" else None
    return chunk if isinstance(chunk, dict) else None


def named_event(name: str, data: Any) -> EventDict | None:
    """As `frame_event`, for data that is already decoded, which is not changed."""
    if isinstance(data, dict):
        return data if "type" in data else {**data, "type": name}
    return _of_list(name, data) if isinstance(data, list) else _plain_error(name, data)


def loads(text: bytes) -> EventDict:
    """The object that text holds. Raises `SSEError`."""
    try:
        event = loads_fast(text)
    except ValueError:
        event = _loads_odd(text)
    if not isinstance(event, dict):
        raise SSEError(f"an event is a JSON object, not {text[:_EXCERPT]!r}")
    return event


def _loads_odd(text: bytes) -> Any:
    """What orjson refuses although streams hold it: lone surrogates, big numbers, bytes that are no UTF-8."""
    try:
        return loads_strict(text.decode("utf-8", "replace"))
    except ValueError as error:
        raise SSEError(f"an event is no JSON: {error}: {text[:_EXCERPT]!r}…") from None


class ValueFraming:
    """JSON objects one after another, on lines or not. With array: the elements of one array, each as it ends."""

    between = False

    def __init__(self, max_event_bytes: int | None, *, array: bool) -> None:
        self._objects = JSONSequence(limits=_ENVELOPE, max_value_bytes=max_event_bytes)
        self._inside = False  # an object has begun
        self._state = "array" if array else "objects"  # what may stand between them: a key of _BETWEEN

    def feed(self, data: bytes) -> Iterator[EventDict]:
        at = 0
        while True:
            if not self._inside:
                at = self._skip(data, at)
                if self._state == _MARK:
                    self._state = "done"
                    yield DONE
            if at == len(data):
                return
            # What follows the object's end is copied for nothing, so take little at a time.
            try:
                text, taken = self._objects.cut(data[at : at + _PIECE])
            except JSONError as error:
                if isinstance(error, LimitError) and error.limit == "max_event_bytes":
                    raise
                raise SSEError(f"an event is no JSON: {error}") from None
            at += taken
            if text is not None:
                self._inside = False
                yield loads(text)

    def _skip(self, data: bytes, at: int) -> int:
        """Where the next object begins, or the end of data."""
        if self._state == "done":  # what follows the mark is none of the stream's
            return len(data)
        for place in range(at, len(data)):
            byte = data[place : place + 1]
            following = _BETWEEN[self._state].get(byte)
            if following is not None:
                self._state = following
                if byte == b"{":
                    self._inside = True
                    return place
                if following == _MARK:
                    return len(data)
            elif byte not in _SPACE and not (self._state in ("objects", "array") and byte in BOM):
                expected = " or ".join(repr(wanted.decode()) for wanted in _BETWEEN[self._state]) or "nothing more"
                raise SSEError(f"found {str(byte)[1:]} where {expected} was expected")
        return len(data)

    def close(self) -> Iterable[EventDict]:
        if self._inside:
            raise IncompleteError("the stream ended inside an event")
        if self._state in ("elements", "comma", "element"):
            raise IncompleteError("the stream ended before the array's end")
        return ()


# What may stand between two objects, and what that leads to.
_BETWEEN: dict[str, dict[bytes, str]] = {
    "objects": {b"{": "objects", b"[": "["},
    # Callers that have cut the data out of SSE hand over its end mark as well.
    **{_MARK[:size]: {_MARK[size].encode(): _MARK[: size + 1]} for size in range(1, len(_MARK))},
    "array": {b"[": "elements"},
    "elements": {b"{": "comma", b"]": "end"},
    "comma": {b",": "element", b"]": "end"},
    "element": {b"{": "comma"},
    "end": {},
}
