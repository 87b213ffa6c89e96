"""One JSON document in fragments: `JSONParser`, `loads`, and what they share with the arguments of a call.

The C scanner does the byte work (`csrc/scanner.c`); here its records become events and its build steps a live
value. A parser that has raised stays dead, and what it had completed before the fault is in the exception.
"""

from __future__ import annotations

import secrets
import sys
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, Union

from ._core import ffi, lib
from .errors import (
    DuplicateKeyError,
    IncompleteError,
    JSONError,
    LimitError,
    ToolStreamError,
)
from .events import Event, FieldComplete, FieldDelta
from .limits import Limits
from .paths import Paths, Subscription
from .values import LiveValue, load_string, read_place

if TYPE_CHECKING:
    from .calls import ToolCall
    from .events import Path

DuplicateKeys = Literal["error", "last", "strict"]
Data = Union[str, bytes, bytearray, memoryview]

_DUPLICATES = {"error": lib.TS_DUP_ERROR, "last": lib.TS_DUP_LAST, "strict": lib.TS_DUP_STRICT}
_UNLIMITED = 2**62

_KIND = 0xFF
_VALUE, _ENTER, _LEAVE, _STRING, _GROW = lib.TS_VALUE, lib.TS_ENTER, lib.TS_LEAVE, lib.TS_STRING, lib.TS_GROW
_ESCAPED, _REPORTED = lib.TS_F_ESCAPED, lib.TS_F_VALUE
_PAUSED = lib.TS_PAUSED

_EXPECTATIONS = {
    lib.TS_EXPECT_VALUE: "a value",
    lib.TS_EXPECT_VALUE_OR_END: "a value or ']'",
    lib.TS_EXPECT_KEY_OR_END: "a key in double quotes or '}'",
    lib.TS_EXPECT_KEY: "a key in double quotes",
    lib.TS_EXPECT_COLON: "':'",
    lib.TS_EXPECT_COMMA_OR_END: "',' or the end of the container",
    lib.TS_EXPECT_IN_STRING: "the rest of the string",
    lib.TS_EXPECT_IN_NUMBER: "the rest of the number",
    lib.TS_EXPECT_IN_LITERAL: "the rest of true, false or null",
    lib.TS_EXPECT_NOTHING: "nothing but white space",
}
_EXCERPT = 16

# The key of the hash that finds repeated keys: secret, so that no input can be made to collide.
_SEED = (secrets.randbits(64), secrets.randbits(64))


def as_bytes(data: Data) -> bytes | bytearray | memoryview:
    """The UTF-8 bytes of a fragment. Lone surrogates become bytes that the scanner refuses. Raises `TypeError`."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, memoryview):
        return data if data.c_contiguous and data.itemsize == 1 else data.tobytes()
    if isinstance(data, (bytes, bytearray)):
        return data
    raise TypeError(f"feed takes str, bytes, bytearray or memoryview, not {type(data).__name__}")


@lru_cache(maxsize=128)
def _core_options(
    subscription: Subscription, duplicate_keys: str, max_depth: int, max_bytes: int, digits: int, keep_text: bool
) -> Any:
    if duplicate_keys not in _DUPLICATES:
        raise ValueError(f'duplicate_keys is "error", "last" or "strict", not {duplicate_keys!r}')
    options = ffi.new("ts_options *")
    options.paths = subscription.core_paths()
    options.depth = subscription.core_depth
    options.max_depth = max_depth
    options.max_bytes = max_bytes
    options.max_int_digits = digits
    options.seed[0], options.seed[1] = _SEED
    options.deltas = subscription.deltas
    options.duplicate_keys = _DUPLICATES[duplicate_keys]
    options.keep_text = keep_text
    return options


def _max_int_digits() -> int:
    """CPython's own limit on the digits of an int (0: none); older versions have no such limit."""
    limit = getattr(sys, "get_int_max_str_digits", None)
    return limit() if limit is not None else 0


class FieldParser:
    """One JSON value in fragments, and the fields in it: the engine of `JSONParser` and of each call.

    It guards against nothing but bad input: whoever owns it sees to it that one thread at a time is inside, and
    feeds it no more after it has raised.

    subscription: what is reported. max_bytes: bound on the text; `LimitError` names it limit_name.
    call: what the events name. keep_text: keep all of the text for `text`.
    """

    __slots__ = (
        "_containers",
        "_keep_text",
        "_limit_name",
        "_live",
        "_prefix",
        "_scanner",
        "_settings",
        "_stale",
        "_string_path",
        "_text",
        "_text_read",
        "_view",
        "call",
    )

    def __init__(
        self,
        subscription: Subscription,
        *,
        duplicate_keys: DuplicateKeys = "error",
        limits: Limits,
        max_bytes: int | None,
        limit_name: str = "max_bytes",
        call: ToolCall | None = None,
        keep_text: bool = False,
    ) -> None:
        self._settings = (
            subscription,
            duplicate_keys,
            limits.max_depth or _UNLIMITED,
            max_bytes or _UNLIMITED,
            _max_int_digits(),
            keep_text,
        )
        self._limit_name = limit_name
        self.call = call
        self._live = LiveValue()
        self._stale = False
        # The walk through the reports: the path of the current container, and the live containers from the root
        # to it. One that is None is looked up when a value in it is wanted.
        self._prefix: Path = ()
        self._containers: list[Any] = [None]
        self._string_path: Path = ()
        self._text = ""
        self._text_read = 0
        self._hold(lib.ts_scanner_new(_core_options(*self._settings)))

    def _hold(self, scanner: Any) -> None:
        if scanner == ffi.NULL:
            raise MemoryError
        self._scanner = ffi.gc(scanner, lib.ts_scanner_free)
        self._view = lib.ts_scanner_view(scanner)

    # -------------------------------------------------------------- feeding

    def feed(self, data: Data, events: list[Event]) -> None:
        """Takes the next fragment and appends what it completes to events.

        Raises `JSONError`, `DuplicateKeyError`, `LimitError`; then events holds what came before the fault.
        """
        self._stale = True
        if type(data) is bytes:
            status = lib.ts_scanner_feed(self._scanner, data, len(data))
        else:
            data = as_bytes(data)
            status = lib.ts_scanner_feed(self._scanner, ffi.from_buffer(data), len(data))
        if status:
            self._read(status, data, events)

    def _read(self, status: int, data: Any, events: list[Event]) -> None:
        view = self._view
        while True:
            if view.step_count:
                self._live.build(view)
            if view.report_count:
                self._report(events)
            if status != _PAUSED:
                break
            data = memoryview(data)[view.consumed :]
            status = lib.ts_scanner_feed(self._scanner, ffi.from_buffer(data), len(data))
        if status < 0:
            raise self._error(status)

    def close(self, events: list[Event]) -> None:
        """The input has ended. Raises `IncompleteError` unless the value is whole."""
        self._stale = True
        status = lib.ts_scanner_finish(self._scanner)
        if status < 0:
            raise self._error(status)

    def _report(self, events: list[Event]) -> None:
        view = self._view
        call = self.call
        text = ffi.buffer(view.text, view.text_size)
        records = ffi.unpack(ffi.cast("int64_t *", view.reports), 3 * view.report_count)
        for at in range(0, len(records), 3):
            tag, a, b = records[at], records[at + 1], records[at + 2]
            kind = tag & _KIND
            if kind == _VALUE:
                place = read_place(tag, a, b, text)
                events.append(FieldComplete(call, (*self._prefix, place), self._container()[place]))
            elif kind == _GROW:
                grown = load_string(text[a:b]) if tag & _ESCAPED else text[a:b].decode()
                events.append(FieldDelta(call, self._string_path, grown))
            elif kind == _STRING:
                self._string_path = (*self._prefix, read_place(tag, a, b, text))
            elif kind == _ENTER:
                self._prefix = (*self._prefix, read_place(tag, a, b, text))
                self._containers.append(None)
            else:
                self._containers.pop()
                if tag & _REPORTED:
                    path = self._prefix
                    events.append(FieldComplete(call, path, self._container()[path[-1]]))
                self._prefix = self._prefix[:-1]

    def _container(self) -> Any:
        """The live container at the walk's place."""
        containers = self._containers
        if containers[-1] is None:
            if containers[0] is None:
                containers[0] = self._live.root
            known = len(containers) - 1
            while containers[known] is None:
                known -= 1
            for depth in range(known, len(containers) - 1):
                containers[depth + 1] = containers[depth][self._prefix[depth]]
        return containers[-1]

    # -------------------------------------------------------------- reading

    def _settle(self) -> None:
        if self._stale:
            self._stale = False
            if lib.ts_scanner_settle(self._scanner) != lib.TS_OK and self._view.step_count:
                self._live.build(self._view)

    @property
    def value(self) -> Any:
        """All that is final so far, open containers included; the same object each time. None before that."""
        self._settle()
        return self._live.root

    @property
    def complete(self) -> bool:
        """The root value is final."""
        return bool(self._view.complete)

    @property
    def offset(self) -> int:
        """Bytes taken; after a fault, those before the offending one."""
        return int(self._view.offset)

    @property
    def scanned(self) -> int:
        """Bytes looked at; equals `offset` as long as none is looked at twice."""
        return int(self._view.scanned)

    @property
    def pending_path(self) -> Path | None:
        """The value in progress or awaited; a container that awaits a key or its end; None once complete."""
        if self.complete:
            return None
        places: list[str | int] = list(self._live.places)
        if lib.ts_scanner_where(self._scanner) != lib.TS_OK:
            view = self._view
            text = ffi.buffer(view.text, view.text_size)
            records = ffi.unpack(ffi.cast("int64_t *", view.reports), 3 * view.report_count)
            for at in range(0, len(records), 3):
                places.append(read_place(records[at], records[at + 1], records[at + 2], text))
        return tuple(places)

    @property
    def text(self) -> str:
        """The raw text so far (with keep_text). Reading it at every fragment is linear in all."""
        view = self._view
        end = min(view.text_size, view.offset)
        if end > self._text_read:
            new: bytes = ffi.buffer(view.text, view.text_size)[self._text_read : end]
            whole = len(new) - _cut_character(new)
            # The only reference to the old text is this local one, so CPython appends in place.
            text, self._text = self._text, ""
            text += new[:whole].decode("utf-8", "replace")
            self._text = text
            self._text_read += whole
        return self._text

    def snapshot(self, strings: bool = True) -> Any:
        """A detached copy of the value so far; strings: with the string in progress."""
        self._settle()
        root, innermost = self._live.copy()
        growing = self._growing_string() if strings else None
        if growing is None:
            return root
        if innermost is None:
            return growing
        if type(innermost) is list:
            innermost.append(growing)
        else:
            innermost[(self.pending_path or ("",))[-1]] = growing
        return root

    def _growing_string(self) -> str | None:
        start, end, escaped = ffi.new("int64_t *"), ffi.new("int64_t *"), ffi.new("int32_t *")
        if not lib.ts_scanner_string(self._scanner, start, end, escaped):
            return None
        body: bytes = ffi.buffer(self._view.text, self._view.text_size)[start[0] : end[0]]
        return load_string(body) if escaped[0] else body.decode()

    def is_complete(self, *path: str | int) -> bool:
        """Whether the value at path is final; without a path, the whole."""
        if not path or self.complete:
            return self.complete and self._live_find(path)[0]
        found, value = self._live_find(path)
        return found and not self._live.is_open(value)

    def _live_find(self, path: Path) -> tuple[bool, Any]:
        self._settle()
        return self._live.find(path)

    # -------------------------------------------------------------- faults

    def _error(self, status: int) -> Exception:
        if status == lib.TS_ERR_MEMORY:
            return MemoryError("toolstream: out of memory")
        view = self._view
        path = self.pending_path or ()
        place: dict[str, Any] = {
            "offset": int(view.offset),
            "line": int(view.line),
            "column": int(view.column),
            "path": path,
            "call": self.call,
            "excerpt": self._excerpt(),
        }
        if status == lib.TS_ERR_INCOMPLETE:
            reason = f"the text ended where {_EXPECTATIONS[view.expected]} was expected"
            return IncompleteError(reason, partial=self.snapshot(strings=False), pending_path=path, **place)
        if status == lib.TS_ERR_DUPLICATE:
            return DuplicateKeyError("a repeated key", **place)
        if status == lib.TS_ERR_DEPTH:
            return LimitError(f"nested deeper than {self._settings[2]} levels", limit="max_depth", **place)
        if status == lib.TS_ERR_BYTES:
            return LimitError(f"longer than {self._settings[3]} bytes", limit=self._limit_name, **place)
        if status == lib.TS_ERR_DIGITS:
            reason = f"an integer of more than {self._settings[4]} digits"
            return LimitError(reason, limit="int_max_str_digits", **place)
        return JSONError(self._reason(status), **place)

    def _reason(self, status: int) -> str:
        reason: str = ffi.string(lib.ts_status_text(status)).decode()
        view = self._view
        at = view.offset - view.text_start
        found = ffi.buffer(view.text, view.text_size)[at : at + 1]
        shown = repr(found.decode("ascii")) if found < b"\x80" else f"byte 0x{found.hex()}"
        return f"{reason}: found {shown}, expected {_EXPECTATIONS[view.expected]}"

    def _excerpt(self) -> str:
        """The bytes before the fault: they are the same however the input was cut."""
        view = self._view
        at = min(view.offset - view.text_start, view.text_size)
        excerpt: bytes = ffi.buffer(view.text, view.text_size)[max(0, at - _EXCERPT) : at]
        return excerpt.decode("utf-8", "replace")

    # -------------------------------------------------------------- pickling

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        size = lib.ts_scanner_save(self._scanner, ffi.NULL, 0)
        saved = ffi.new("unsigned char[]", size)
        lib.ts_scanner_save(self._scanner, saved, size)
        return {
            "settings": self._settings,
            "limit_name": self._limit_name,
            "call": self.call,
            "scanner": bytes(ffi.buffer(saved, size)),
            "live": self._live,
            "prefix": self._prefix,
            "string_path": self._string_path,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settings = state["settings"]
        self._limit_name = state["limit_name"]
        self.call = state["call"]
        self._live = state["live"]
        self._stale = False
        self._prefix = state["prefix"]
        self._containers = [None] * (len(self._prefix) + 1)
        self._string_path = state["string_path"]
        self._text = ""
        self._text_read = 0
        saved = state["scanner"]
        scanner = lib.ts_scanner_load(_core_options(*self._settings), saved, len(saved))
        if scanner == ffi.NULL:
            raise ValueError("the saved state of a parser is damaged, or of another version")
        self._hold(scanner)


def _cut_character(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 sequence that is not there as a whole."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if length > back else 0
        if byte < 0x80:
            return 0
    return 0


class Guard:
    """Lets one thread at a time into a parser, and nobody twice; the others get a clear error, and it stays sound.

    `with guard:` raises `RuntimeError` where the parser is busy.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("the parser is in use: another thread, or a call from inside it, is feeding or reading it")

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return Guard, ()

    def __deepcopy__(self, _memo: object) -> Guard:
        return Guard()


class JSONParser:
    """Reads one JSON document in fragments and reports its fields as soon as each is final.

    depth: how deep below the root completed values are reported: 1 its members, None every value, 0 none.
    paths: report just these places instead (`"edits[*].path"`, `"**.url"`, tuples with `...`).
    deltas: True: report strings at reported places as they grow; or the paths of those strings.
    duplicate_keys: "error": a repeated key is an error once something under the first was reported; "last": the
    last one wins, as in json.loads; "strict": every repeated key is an error.
    limits: see `Limits` (max_depth and max_bytes apply).

    RFC 8259 and valid UTF-8, nothing else; the values are those of `json.loads`. Pickles and deep-copies between
    any two fragments. Raises `ValueError` for arguments that cannot be read.
    """

    __slots__ = ("_closed", "_fault", "_guard", "_parser")

    def __init__(
        self,
        *,
        depth: int | None = 1,
        paths: Paths | None = None,
        deltas: bool | Paths = False,
        duplicate_keys: DuplicateKeys = "error",
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        subscription = Subscription.compile(depth=depth, paths=paths, deltas=deltas)
        self._parser = FieldParser(
            subscription, duplicate_keys=duplicate_keys, limits=limits, max_bytes=limits.max_bytes
        )
        self._guard = Guard()
        self._fault: Exception | None = None
        self._closed = False

    def feed(self, data: Data) -> list[Event]:
        """Takes a fragment, which may end anywhere, and returns what it completes.

        Raises `JSONError` (with `events`: what came before the fault), `DuplicateKeyError`, `LimitError`,
        `TypeError` for other data, `RuntimeError` where another thread is inside.
        """
        events: list[Event] = []
        with self._guard:
            self._check_alive()
            if self._closed:
                raise ToolStreamError("the parser is closed")
            try:
                self._parser.feed(data, events)
            except (ToolStreamError, MemoryError) as error:
                raise self._die(error, events) from None
        return events

    def close(self) -> list[Event]:
        """The document has ended. Raises `IncompleteError` if it is not whole."""
        events: list[Event] = []
        with self._guard:
            self._check_alive()
            if not self._closed:
                self._closed = True
                try:
                    self._parser.close(events)
                except (ToolStreamError, MemoryError) as error:
                    raise self._die(error, events) from None
        return events

    def _check_alive(self) -> None:
        if self._fault is not None:
            if isinstance(self._fault, ToolStreamError):
                self._fault.events = []
            raise self._fault

    def _die(self, error: Exception, events: list[Event]) -> Exception:
        if isinstance(error, ToolStreamError):
            error.events = events
        self._fault = error
        return error

    @property
    def value(self) -> Any:
        """All that is final so far (strings, numbers and literals in progress left out), then the final value."""
        with self._guard:
            return self._parser.value

    def snapshot(self, strings: bool = True) -> Any:
        """A detached copy of the value so far; strings: with the string in progress as far as it goes."""
        with self._guard:
            return self._parser.snapshot(strings)

    def is_complete(self, *path: str | int) -> bool:
        """Whether the value at path is final; without a path, the whole document."""
        with self._guard:
            return self._parser.is_complete(*path)

    @property
    def complete(self) -> bool:
        """The root value is final. A number at the root is so at `close` or at the byte behind it."""
        return self._parser.complete

    @property
    def pending_path(self) -> Path | None:
        """The value in progress or awaited, or the container that awaits a key or its end; None once complete."""
        with self._guard:
            return self._parser.pending_path

    @property
    def offset(self) -> int:
        """Bytes taken so far."""
        return self._parser.offset

    @property
    def _scanned(self) -> int:
        return self._parser.scanned


def loads(data: Data, *, partial: bool = False, strings: bool = True) -> Any:
    """The value of a JSON document, as `json.loads` but strict.

    partial: what a prefix of a document already says; numbers and literals in progress are left out, and so is a
    string in progress without strings. None where nothing is known yet.

    Raises `JSONError`, and `IncompleteError` for a prefix without partial.
    """
    parser = JSONParser(depth=0)
    parser.feed(data)
    if partial:
        return parser.snapshot(strings)
    parser.close()
    return parser.value
