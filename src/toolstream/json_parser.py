"""One JSON document in fragments: `JSONParser`, `loads`, and what they share with the arguments of a call.

The C scanner does the byte work (`csrc/scanner.c`) and `Fields` makes events and the live value of what it finds; here
is the rest: settings, faults, snapshots, pickling. A parser that has raised stays dead, and what it had completed
before the fault is in the exception.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from ._core import ffi, lib
from .errors import (
    DuplicateKeyError,
    IncompleteError,
    JSONError,
    LimitError,
    ToolStreamError,
)
from .events import Event
from .fields import IMPLIES_REPORTS, Data, Fields
from .limits import Limits, check_limits, core_bound
from .paths import Paths, Subscription
from .values import copy_live, find, load_string, pack_live, unpack_live

if TYPE_CHECKING:
    from .calls import ToolCall
    from .events import Path

DuplicateKeys = Literal["error", "last", "strict"]

_DUPLICATES = {"error": lib.TS_DUP_ERROR, "last": lib.TS_DUP_LAST, "strict": lib.TS_DUP_STRICT}

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
# Bytes before a fault that its message shows.
_EXCERPT = 16

# The key of the hash that finds repeated keys: secret, so that no input can be made to collide.
_SEED = (secrets.randbits(64), secrets.randbits(64))


class _Settings:
    """All that a scanner is made with, and the core's own form of it. Equal settings are one object."""

    __slots__ = ("address", "arguments", "digits", "limit_name", "max_bytes", "max_depth", "options", "subscription")

    def __init__(self, *arguments: Any) -> None:
        subscription, duplicate_keys, self.max_depth, self.max_bytes, self.digits, *others = arguments
        keep_text, stop_at_end, self.limit_name = others
        if duplicate_keys not in _DUPLICATES:
            raise ValueError(f'duplicate_keys is "error", "last" or "strict", not {duplicate_keys!r}')
        self.arguments = arguments
        self.subscription: Subscription = subscription
        options = ffi.new("ts_options *")
        options.paths = subscription.core_paths()
        options.depth = subscription.core_depth
        options.max_depth = core_bound(self.max_depth)
        options.max_bytes = core_bound(self.max_bytes)
        options.max_int_digits = self.digits
        options.seed[0], options.seed[1] = _SEED
        options.deltas = subscription.deltas
        options.duplicate_keys = _DUPLICATES[duplicate_keys]
        options.keep_text = keep_text
        options.stop_at_end = stop_at_end
        options.implied = IMPLIES_REPORTS and not (subscription.core_paths() or subscription.deltas or stop_at_end)
        self.options = options
        self.address = int(ffi.cast("uintptr_t", options))


_settings = lru_cache(maxsize=256)(_Settings)


# The last parser's depth, deltas, duplicate_keys, limits and digits, and its settings. Most are made like the one
# before, which is seen at once where the arguments are the same objects: a parser is made for each small document.
_latest: tuple[Any, ...] = (..., ..., ..., ..., ..., None)


def _find_settings(
    depth: int | None, paths: Paths | None, deltas: bool | Paths, duplicate_keys: DuplicateKeys, limits: Limits
) -> _Settings:
    global _latest
    check_limits(limits)
    digits = _max_int_digits()
    subscription = Subscription.compile(depth=depth, paths=paths, deltas=deltas)
    settings = _settings(
        subscription, duplicate_keys, limits.max_depth, limits.max_bytes, digits, False, False, "max_bytes"
    )
    if paths is None and isinstance(deltas, bool):  # a list of paths may change and still be the same object
        _latest = (depth, deltas, duplicate_keys, limits, digits, settings)
    return settings


class _Decoded:
    """What readers of a growing text have had of it, so that they decode only what is new. Made when first needed.

    text, text_size: the raw text, and its bytes. string, string_start, string_end: the string in progress as far as
    `snapshot` has decoded it, where it begins and how far that was.
    """

    __slots__ = ("string", "string_end", "string_start", "text", "text_size")

    def __init__(self) -> None:
        self.text = ""
        self.text_size = 0
        self.string = ""
        self.string_start = -1
        self.string_end = -1


# CPython's own limit on the digits of an int (0: none); older versions have no such limit.
_max_int_digits: Callable[[], int] = getattr(sys, "get_int_max_str_digits", lambda: 0)


class FieldParser(Fields):
    """One JSON value in fragments, and the fields in it: `JSONParser` without its keywords, and each call's parser.

    subscription: what is reported. max_bytes: bound on the text; a `LimitError` names it limit_name.
    call: what the events name. keep_text: keep all of the text for `text`. stop_at_end: see `JSONSequence`.
    """

    __slots__ = ("_read_so_far", "_settings")

    is_checked = False  # what it reports goes through a check first

    def __init__(
        self,
        subscription: Subscription,
        limits: Limits,
        max_bytes: int | None,
        duplicate_keys: DuplicateKeys = "error",
        limit_name: str = "max_bytes",
        call: ToolCall | None = None,
        keep_text: bool = False,
        stop_at_end: bool = False,
    ) -> None:
        self._settings = _settings(
            subscription,
            duplicate_keys,
            limits.max_depth,
            max_bytes,
            _max_int_digits(),
            keep_text,
            stop_at_end,
            limit_name,
        )
        self.call = call
        self._read_so_far: _Decoded | None = None
        self._start(self._settings.address)

    @property
    def _decoded(self) -> _Decoded:
        if self._read_so_far is None:
            self._read_so_far = _Decoded()
        return self._read_so_far

    @property
    def _core(self) -> Any:
        return ffi.cast("ts_scanner *", self._address)

    @property
    def _state(self) -> Any:
        return lib.ts_scanner_view(self._core)

    def close(self) -> list[Event]:
        """The document has ended. Raises `IncompleteError` if it is not whole. Nothing more may be fed."""
        if self._fault is not None:
            raise self._fail(None, [])
        if not self._closed:
            status = self._finish()
            self._closed = True
            if status < 0:
                raise self._fail(status, [])
        return []

    # -------------------------------------------------------------- reading

    @property
    def offset(self) -> int:
        """Bytes taken so far; after a fault, those before the offending one."""
        return int(self._state.offset)

    @property
    def _scanned(self) -> int:
        """Bytes looked at; equals `offset` as long as none is looked at twice."""
        return int(self._state.scanned)

    @property
    def pending_path(self) -> Path | None:
        """The value in progress or awaited, or the container that awaits a key or its end; None once complete."""
        return None if self.complete else tuple(self._where())

    @property
    def text(self) -> str:
        """The raw text so far (with keep_text). Reading it at every fragment is linear in all."""
        view = self._state
        decoded = self._decoded
        end = min(view.text_size, view.offset)
        if end > decoded.text_size:
            new = self._slice(decoded.text_size, end)
            whole = len(new) - _cut_character(new)
            # The only reference to the old text is this local one, so CPython appends in place.
            text, decoded.text = decoded.text, ""
            text += new[:whole].decode("utf-8", "replace")
            decoded.text = text
            decoded.text_size += whole
        return decoded.text

    def snapshot(self, strings: bool = True) -> Any:
        """A detached copy of the value so far; strings: with the string in progress as far as it goes."""
        self._settle()
        root, innermost = copy_live(self._root, self._open)
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
        if not lib.ts_scanner_string(self._core, start, end, escaped):
            return None
        view = self._state
        decoded = self._decoded
        string = view.text_start + start[0]
        if decoded.string_start != string:
            decoded.string, decoded.string_start, decoded.string_end = "", string, string
        body = self._slice(decoded.string_end - view.text_start, end[0])
        decoded.string_end += len(body)
        # As in `text`: appended in place.
        grown, decoded.string = decoded.string, ""
        grown += load_string(body) if escaped[0] else body.decode()
        decoded.string = grown
        return grown

    def is_complete(self, *path: str | int) -> bool:
        """Whether the value at path is final; without a path, the whole document."""
        self._settle()
        found, value = find(self._root, path)
        if not path or self.complete:
            return self.complete and found
        return found and not any(value is container for container in self._open)

    # -------------------------------------------------------------- faults

    def _fail(self, status: int | None, events: list[Event]) -> Exception:
        """The exception that ends this parser: made once, then the same each time."""
        if status is None:
            assert self._fault is not None
            fault, events = self._fault.with_traceback(None), []  # else it would hold a frame more each time
        else:
            fault = self._error(status)
            self._fault = fault
        if isinstance(fault, ToolStreamError):
            fault.events = events
        return fault

    def _error(self, status: int) -> Exception:
        if status == lib.TS_ERR_MEMORY:
            return MemoryError("toolstream: out of memory")
        view = self._state
        where = ffi.new("ts_place *")
        lib.ts_scanner_place(self._core, where)
        expected = _EXPECTATIONS[where.expected]
        path = self.pending_path or ()
        place: dict[str, Any] = {
            "offset": int(view.offset),
            "line": int(where.line),
            "column": int(where.column),
            "path": path,
            "call": self.call,
            "excerpt": self._excerpt(view),
        }
        if status == lib.TS_ERR_INCOMPLETE:
            reason = f"the text ended where {expected} was expected"
            return IncompleteError(reason, partial=self.snapshot(strings=False), pending_path=path, **place)
        if status == lib.TS_ERR_DUPLICATE:
            return DuplicateKeyError("a repeated key", **place)
        limit_name = self._settings.limit_name
        limits = {
            lib.TS_ERR_DEPTH: ("max_depth", f"nested deeper than max_depth={self._settings.max_depth}"),
            lib.TS_ERR_BYTES: (limit_name, f"longer than {limit_name}={self._settings.max_bytes} bytes"),
            lib.TS_ERR_DIGITS: ("int_max_str_digits", f"an integer of more than {self._settings.digits} digits"),
        }
        if status in limits:
            name, reason = limits[status]
            return LimitError(reason, limit=name, **place)
        return JSONError(f"{_status_text(status)}: found {_found(view)}, expected {expected}", **place)

    def _excerpt(self, view: Any) -> str:
        """The bytes before the fault: they are the same however the input was cut."""
        at = min(view.offset - view.text_start, view.text_size)
        excerpt: bytes = ffi.buffer(view.text, view.text_size)[max(0, at - _EXCERPT) : at]
        return excerpt.decode("utf-8", "replace")

    # -------------------------------------------------------------- pickling

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        return {
            "settings": self._settings.arguments,
            "call": self.call,
            "closed": self._closed,
            "fault": self._fault,
            "scanner": self._saved(),
            "live": pack_live(self._root, list(self._open)),
            "places": tuple(self._places),
            "prefix": self._prefix,
            "string_path": self._string_path,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settings = _settings(*state["settings"])
        self.call = state["call"]
        self._closed = state["closed"]
        self._fault = state["fault"]
        self._string_path = state["string_path"]
        self._read_so_far = None
        saved = state["scanner"]
        scanner = lib.ts_scanner_load(self._settings.options, saved, len(saved))
        if scanner == ffi.NULL:
            raise ValueError("the saved state of a parser is damaged, or of another version")
        self._adopt(int(ffi.cast("uintptr_t", scanner)))
        self._set_live(*unpack_live(state["live"]), state["places"], state["prefix"])

    def __reduce__(self) -> tuple[Any, ...]:
        return _new, (type(self),), self.__getstate__()


def _new(cls: type[FieldParser]) -> FieldParser:
    return cls.__new__(cls)


def _status_text(status: int) -> str:
    text: bytes = ffi.string(lib.ts_status_text(status))
    return text.decode()


def _found(view: Any) -> str:
    at = view.offset - view.text_start
    found: bytes = ffi.buffer(view.text, view.text_size)[at : at + 1]
    return repr(found.decode()) if found < b"\x80" else f"byte 0x{found.hex()}"


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


class JSONParser(FieldParser):
    """Reads one JSON document in fragments and reports its fields as soon as each is final.

    depth: how deep below the root completed values are reported. 1: the root's members; None: every value; 0: none.
    paths: report just these places instead (`"edits[*].path"`, `"**.url"`, tuples with `...` for any step).
    deltas: True: also report strings at reported places as they grow. Or the paths of those strings.
    duplicate_keys: "error": a repeated key is an error if something under the first one was reported. "last": the last
    one wins, as in `json.loads`. "strict": every repeated key is an error.
    limits: see `Limits` (max_depth and max_bytes apply).

    It accepts RFC 8259 in valid UTF-8 and nothing else; the values are those of `json.loads`. It can be pickled and
    deep-copied between any two fragments. Raises `ValueError` or `TypeError` for options that can't be understood.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        depth: int | None = 1,
        paths: Paths | None = None,
        deltas: bool | Paths = False,
        duplicate_keys: DuplicateKeys = "error",
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        # As FieldParser.__init__, which takes as long as a small document: a parser is made for each one.
        last_depth, last_deltas, last_duplicate_keys, last_limits, digits, settings = _latest
        if (
            paths is not None
            or depth is not last_depth
            or deltas is not last_deltas
            or duplicate_keys is not last_duplicate_keys
            or limits is not last_limits
            or digits != _max_int_digits()
        ):
            settings = _find_settings(depth, paths, deltas, duplicate_keys, limits)
        self._settings = settings
        self._read_so_far = None
        self._start(settings.address)


def loads(data: Data, *, partial: bool = False, strings: bool = True) -> Any:
    """The value of a JSON document, like `json.loads` but strict.

    partial: data may be a prefix of a document; the value is what it already says, None if that is nothing. Numbers and
    literals in progress are left out.
    strings: with partial, a string in progress is part of the value as far as it goes.

    Raises `JSONError`, and without partial `IncompleteError` for a prefix.
    """
    parser = JSONParser(depth=0)
    parser.feed(data)
    if partial:
        return parser.snapshot(strings)
    parser.close()
    return parser.value
