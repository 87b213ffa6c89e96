"""Server-sent events out of a byte stream: `SSEParser` for everybody, `FrameParser` for the stream layer.

The rules (WHATWG HTML, 9.2.5 and 9.2.6) are carried out by `csrc/sse.c` on bytes; here its frames become Python
objects. Nothing about the input is trusted: it may be cut anywhere, be no UTF-8 and be no SSE. The events are the
same for every way to cut it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ._core import ffi, lib, native
from .errors import LimitError, SSEError
from .fields import Data, as_bytes
from .guard import Guard
from .limits import Limits, core_bound

# ts_frame: seven int64_t, which no compiler pads. The second one reads the type and the data only.
_FRAME = struct.Struct("=7q")
_TYPE_AND_DATA = struct.Struct("=4q24x")
_MEMORY = lib.TS_ERR_MEMORY
_MAX_EVENT_BYTES = Limits().max_event_bytes


class ServerSentEvent(NamedTuple):
    """One dispatched event. Text that is no UTF-8 has U+FFFD in its place.

    event: its type, "message" where the stream names none.
    data: its data lines, joined with LF.
    id: the last event id in force: this event's own, or that of an earlier one; "" without any.
    retry: the reconnection time in force, in milliseconds, or None; at most 2**63 - 1.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


class SSEParser:
    """Cuts a stream into server-sent events as browsers do (WHATWG HTML, 9.2).

    max_event_bytes: bound on the data, type and id of one event together with the line in progress, comments
    included; None: no bound. Raises `ValueError` for a bound below 1.

    Pickles and deep-copies between any two chunks. One thread at a time.
    """

    __slots__ = ("_closed", "_fault", "_guard", "_id", "_max_event_bytes", "_sse", "_view")

    def __init__(self, *, max_event_bytes: int | None = _MAX_EVENT_BYTES) -> None:
        self._max_event_bytes = Limits(max_event_bytes=max_event_bytes).max_event_bytes
        self._guard = Guard()
        self._closed = False
        self._fault: Exception | None = None
        self._id = ""  # the id that the core has at offset 0, if there is one: see _read
        self._sse, self._view = _owned(lib.ts_sse_new(core_bound(max_event_bytes)))

    def feed(self, data: Data) -> list[ServerSentEvent]:
        """Takes a chunk, which may end anywhere, and returns the events that it completes.

        Raises `LimitError` (max_event_bytes) with the events before the fault in `events`; the parser is dead then.
        Raises `SSEError` after `close`, `TypeError` for other data, `RuntimeError` where another thread is inside.
        """
        with self._guard:
            if self._fault is not None:
                vars(self._fault)["events"] = []
                raise self._fault.with_traceback(None)  # else it would hold a frame more each time
            if self._closed:
                raise SSEError("the parser is closed")
            if type(data) is not bytes:
                data = bytes(as_bytes(data))  # not the caller's own buffer, which must stay free to change
            status = lib.ts_sse_feed(self._sse, data, len(data))
            events: list[ServerSentEvent] = []
            if status:
                self._read(events)
            elif self._view.last_id:
                self._id = self._last_id()
            if status < 0:
                self._fault = _error(self.offset, status, self._max_event_bytes)
                vars(self._fault)["events"] = events
                raise self._fault
            return events

    def close(self) -> list[ServerSentEvent]:
        """The stream has ended. Drops an event that no blank line has ended, as the standard says: returns []."""
        with self._guard:
            self._closed = True
        return []

    @property
    def last_event_id(self) -> str:
        """What a reconnection sends as `Last-Event-ID`: the last id that a blank line has put in force."""
        with self._guard:
            return self._last_id()

    def _last_id(self) -> str:
        view = self._view
        return _decode(ffi.buffer(view.text, view.text_size)[view.last_id : view.last_id + view.last_id_size])

    @property
    def retry(self) -> int | None:
        """The reconnection time that the stream has asked for last, in milliseconds, or None."""
        retry = self._view.retry
        return None if retry < 0 else int(retry)

    @property
    def offset(self) -> int:
        """Bytes taken; after a fault, those before the first byte too many."""
        return int(self._view.offset)

    @property
    def _scanned(self) -> int:
        return int(self._view.scanned)

    def _read(self, events: list[ServerSentEvent]) -> None:
        view = self._view
        text = ffi.buffer(view.text, view.text_size)
        # The core promises that an id at offset 0 comes from an earlier call. So a long id is decoded once, however
        # many short events are under it.
        known, last_id = 0, self._id
        for event, event_size, data, data_size, id_, id_size, retry in _frames(view, _FRAME):
            if id_ != known:
                known, last_id = id_, _decode(text[id_ : id_ + id_size])
            events.append(
                ServerSentEvent(
                    _decode(text[event : event + event_size]) or "message",
                    _decode(text[data : data + data_size]),
                    last_id if id_size else "",
                    None if retry < 0 else retry,
                )
            )
        self._id = last_id if known == view.last_id else self._last_id()

    def __getstate__(self) -> tuple[Any, ...]:
        with self._guard:
            return self._max_event_bytes, _save(self._sse), self._closed, self._fault, self._id

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._max_event_bytes, saved, self._closed, self._fault, self._id = state
        self._guard = Guard()
        self._sse, self._view = _load(core_bound(self._max_event_bytes), saved)


class CffiFrames:
    """The same framing for the stream layer, over cffi; `_core/native_frames.c` is the same for CPython.

    A subclass calls `_start` or `_load`. Frames are (event type, data), the data as raw bytes.
    """

    __slots__ = ("_bound", "_sse", "_view")

    def _start(self, bound: int) -> None:
        """Makes the framer, with a bound on an event's bytes, which `_bound` then is."""
        self._bound = bound
        self._sse, self._view = _owned(lib.ts_sse_new(bound))

    def _load(self, bound: int, saved: bytes) -> None:
        """Makes the framer that was saved. Raises `ValueError` where that is damaged."""
        self._bound = bound
        self._sse, self._view = _load(bound, saved)

    def _save(self) -> bytes:
        return _save(self._sse)

    def _take(self, data: bytes) -> list[tuple[str, bytes]]:
        """The frames that a chunk completes; `_status` tells of a fault behind them."""
        return self._read() if lib.ts_sse_feed(self._sse, data, len(data)) else []

    def _end(self) -> list[tuple[str, bytes]]:
        """The stream has ended: the frame that no blank line has ended."""
        return self._read() if lib.ts_sse_flush(self._sse) else []

    @property
    def offset(self) -> int:
        """Bytes taken; after a fault, those before the first byte too many."""
        return int(self._view.offset)

    @property
    def between(self) -> bool:
        """Behind a blank line: nothing of the next frame has come."""
        return bool(lib.ts_sse_between(self._sse))

    @property
    def _status(self) -> int:
        return int(self._view.status)

    def _read(self) -> list[tuple[str, bytes]]:
        view = self._view
        text = ffi.buffer(view.text, view.text_size)
        return [
            (_decode(text[event : event + event_size]) or "message", text[data : data + data_size])
            for event, event_size, data, data_size in _frames(view, _TYPE_AND_DATA)
        ]


if TYPE_CHECKING:
    Frames = CffiFrames
else:
    Frames = CffiFrames if native is None else native.Frames


class FrameParser(Frames):
    """Frames for the stream layer. Pickles between any two chunks.

    Whoever owns it sees to it that one thread at a time is inside, and feeds it no more after it has raised.
    """

    __slots__ = ()

    def __init__(self, max_event_bytes: int | None) -> None:
        self._start(core_bound(max_event_bytes))

    def feed(self, data: bytes) -> Iterable[tuple[str, bytes]]:
        """The frames that the chunk completes. Raises `LimitError`, whose `frames` are those before the fault."""
        return self._checked(self._take(data))

    def flush(self) -> list[tuple[str, bytes]]:
        """The stream has ended: the frame that no blank line has ended, if it has data."""
        return self._checked(self._end())

    def _checked(self, frames: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        if self._status < 0:
            error = self._fault()
            vars(error)["frames"] = frames
            raise error
        return frames

    def _fault(self) -> Exception:
        return _error(self.offset, self._status, self._bound)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._bound, self._save()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._load(*state)

    def __reduce__(self) -> tuple[Any, ...]:
        return _new, (type(self),), self.__getstate__()


def _new(cls: type[FrameParser]) -> FrameParser:
    return cls.__new__(cls)


def _owned(sse: Any) -> tuple[Any, Any]:
    if sse == ffi.NULL:
        raise MemoryError("toolstream: out of memory")
    return ffi.gc(sse, lib.ts_sse_free), lib.ts_sse_get_view(sse)


def _frames(view: Any, layout: struct.Struct) -> Iterator[tuple[int, ...]]:
    """The fields of each ts_frame, all read at once."""
    count = view.frame_count
    return layout.iter_unpack(ffi.buffer(view.frames, count * layout.size)) if count else iter(())


def _decode(raw: bytes) -> str:
    # The standard decodes the whole stream; bit by bit gives the same, since the bits end at ASCII bytes.
    return raw.decode("utf-8", "replace")


def _error(offset: int, status: int, max_event_bytes: int | None) -> Exception:
    if status == _MEMORY:
        return MemoryError("toolstream: out of memory")
    reason = f"an SSE event is longer than max_event_bytes={max_event_bytes}"
    return LimitError(reason, limit="max_event_bytes", offset=offset)


def _save(sse: Any) -> bytes:
    size = lib.ts_sse_save(sse, ffi.NULL, 0)
    saved = ffi.new("unsigned char[]", size)
    lib.ts_sse_save(sse, saved, size)
    return bytes(ffi.buffer(saved, size))


def _load(bound: int, saved: bytes) -> tuple[Any, Any]:
    sse = lib.ts_sse_load(bound, saved, len(saved))
    if sse == ffi.NULL:
        raise ValueError("the saved state of a parser is damaged, or of another version")
    return _owned(sse)
