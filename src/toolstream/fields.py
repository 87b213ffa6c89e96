"""From bytes to field events and a live value: `Fields`, the hot part of the JSON layer, in two bindings.

`CffiFields` drives the C core through cffi and runs everywhere. On CPython the extension `_core/native_fields.c` does
the same in one C call.

Trusts the core's records. Guarantees that one thread at a time is inside, and that a parser that raised stays dead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import ffi, lib, native
from .events import Event, FieldComplete, FieldDelta, ReasoningDelta, TextDelta
from .guard import Guard
from .values import load, load_string, loads_fast

if TYPE_CHECKING:
    from typing_extensions import Self

    from .events import Path

Data = str | bytes | bytearray | memoryview

_KIND = 0xFF
_VALUE, _ENTER, _STRING, _GROW = lib.TS_VALUE, lib.TS_ENTER, lib.TS_STRING, lib.TS_GROW
_RUN, _PUSH, _POP = lib.TS_RUN, lib.TS_PUSH, lib.TS_POP
_INDEX, _ESCAPED, _ARRAY = lib.TS_F_INDEX, lib.TS_F_ESCAPED, lib.TS_F_ARRAY
_EXACT, _REPORTED = lib.TS_F_EXACT, lib.TS_F_VALUE
_OK, _PAUSED, _NO_MEMORY = lib.TS_OK, lib.TS_PAUSED, lib.TS_ERR_MEMORY

# Runs from this size on are parsed in place; below, a copy with brackets around it is cheaper.
_IN_PLACE_FROM = 4096


def as_bytes(data: Data) -> bytes | bytearray | memoryview:
    """The UTF-8 bytes of a fragment. Lone surrogates become bytes that the scanner refuses. Raises `TypeError`."""
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    if isinstance(data, memoryview):
        return data if data.c_contiguous and data.itemsize == 1 else data.tobytes()
    if isinstance(data, (bytes, bytearray)):
        return data
    raise TypeError(f"feed takes str, bytes, bytearray or memoryview, not {type(data).__name__}")


def read_records(records: Any, count: int) -> list[tuple[int, int, int]]:
    """The records of a tape, read at once."""
    flat = ffi.unpack(ffi.cast("int64_t *", records), 3 * count)
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))


def read_place(tag: int, a: int, b: int, text: Any) -> str | int:
    """The key or index that a record names."""
    if tag & _INDEX:
        return a
    key: bytes = text[a:b]
    return load_string(key) if tag & _ESCAPED else key.decode()


class CffiFields:
    """A scanner with the live value and the events that its records stand for.

    A subclass calls `_start` or `_adopt`, and has `_fail(status, events)`, which makes (or,
    for None, hands back) the exception that ends the parser.
    """

    __slots__ = (
        "_closed",
        "_containers",
        "_fault",
        "_guard",
        "_open",
        "_places",
        "_prefix",
        "_root",
        "_scanner",
        "_string_path",
        "_view",
        "call",
    )

    call: Any
    _guard: Guard
    _closed: bool  # the subclass's: nothing more may be fed
    _fault: Exception | None
    # The live value, the containers in it that have not ended, and where each stands in the one before.
    _root: Any
    _open: list[Any]
    _places: list[str | int]
    # The walk through the reports: the path of the container that they are in, and the live containers along it. One
    # that is None is looked up when a value in it is wanted.
    _prefix: Path
    _containers: list[Any]
    _string_path: Path

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        self = super().__new__(cls)
        self.call = None
        self._guard = Guard()
        self._closed = False
        self._fault = None
        self._root = None
        self._open = []
        self._places = []
        self._prefix = ()
        self._containers = [None]
        self._string_path = ()
        return self

    def _start(self, options: int) -> None:
        """Makes the scanner with the options at an address."""
        self._adopt(int(ffi.cast("uintptr_t", lib.ts_scanner_new(ffi.cast("ts_options *", options)))))

    def _adopt(self, address: int) -> None:
        """Takes over the scanner at an address."""
        if not address:
            raise MemoryError
        self._scanner = ffi.gc(ffi.cast("ts_scanner *", address), lib.ts_scanner_free)
        self._view = lib.ts_scanner_view(self._scanner)

    def _set_live(self, root: Any, open_containers: list[Any], places: Path, prefix: Path) -> None:
        """The live value of a parser that was saved. Raises `ValueError` where that is damaged."""
        if len(places) != max(0, len(open_containers) - 1):
            raise ValueError("the saved state of a parser is damaged, or of another version")
        self._root, self._open, self._places = root, open_containers, list(places)
        self._prefix = prefix
        self._containers = [None] * (len(prefix) + 1)

    @property
    def _address(self) -> int:
        return int(ffi.cast("uintptr_t", self._scanner))

    def _where(self) -> list[str | int]:
        """The steps from the root to where the stream stands."""
        with self._guard:
            if lib.ts_scanner_where(self._scanner) == _NO_MEMORY:
                raise MemoryError
            view = self._view
            if view.report_count == 0:
                return list(self._places)
            text = ffi.buffer(view.text, view.text_size)
            below = [read_place(tag, a, b, text) for tag, a, b in read_records(view.reports, view.report_count)]
            return self._places + below

    def _slice(self, start: int, end: int) -> bytes:
        """Bytes of the text that is still there."""
        with self._guard:
            return bytes(ffi.buffer(self._view.text, self._view.text_size)[start:end])

    def _saved(self) -> bytes:
        """The scanner's state as bytes. Settle first."""
        with self._guard:
            size = lib.ts_scanner_save(self._scanner, ffi.NULL, 0)
            if size == 0:
                raise MemoryError
            saved = ffi.new("unsigned char[]", size)
            lib.ts_scanner_save(self._scanner, saved, size)
            return bytes(ffi.buffer(saved, size))

    def feed(self, data: Data) -> list[Event]:
        """Takes a fragment, which may end anywhere, and returns the events that it completes.

        Raises `JSONError` (with `events`: what came before the fault), `DuplicateKeyError`, `LimitError`,
        `TypeError` for other data, `RuntimeError` where another thread is inside.
        """
        events: list[Event] = []
        self.feed_into(data, events)
        return events

    def feed_into(self, data: Data, events: list[Event]) -> None:
        """As `feed`, but appends to a list."""
        with self._guard:
            if self._fault is not None:
                raise self._fail(None, events)
            if type(data) is not bytes:
                data = bytes(as_bytes(data))  # not the caller's own buffer, which must stay free to change
            status = lib.ts_scanner_feed(self._scanner, data, len(data))
            if status != _OK:
                status = self._read(status, data, events)
        if status < 0:
            raise self._fail(status, events)

    def _read(self, status: int, data: Any, events: list[Event]) -> int:
        view = self._view
        while True:
            if view.step_count:
                self._build()
            if view.report_count:
                self._report(events)
            if status != _PAUSED:
                return status
            data = memoryview(data)[view.consumed :]
            status = lib.ts_scanner_feed(self._scanner, ffi.from_buffer(data), len(data))

    def holds(self, text: str) -> bool:
        """Whether this is all the text so far (with keep_text)."""
        with self._guard:
            view = self._view
            so_far: bytes = ffi.buffer(view.text, view.text_size)[: view.offset]
        return so_far == text.encode("utf-8", "surrogatepass")

    def _finish(self) -> int:
        """The text has ended: answers the core's status."""
        with self._guard:
            return int(lib.ts_scanner_finish(self._scanner))

    # -------------------------------------------------------------- the live value

    def _settle(self) -> None:
        """Brings the live value up to date."""
        with self._guard:
            if self._view.unsettled:
                if lib.ts_scanner_settle(self._scanner) == _NO_MEMORY:
                    raise MemoryError
                if self._view.step_count:
                    self._build()

    @property
    def value(self) -> Any:
        """All that is final so far (strings, numbers and literals in progress left out), then the final value."""
        self._settle()
        return self._root

    @property
    def complete(self) -> bool:
        """The root value is final. A number at the root is so at `close` or at the byte behind it."""
        return bool(self._view.complete)

    def _build(self) -> None:
        view = self._view
        text = ffi.buffer(view.text, view.text_size + 1)
        for tag, a, b in read_records(view.steps, view.step_count):
            kind = tag & _KIND
            if kind == _RUN:
                top = self._open[-1]
                if type(top) is dict:
                    top.update(_load_run(text, a, b, b"{}", tag))
                else:
                    top.extend(_load_run(text, a, b, b"[]", tag))
            elif kind == _PUSH:
                self._push([] if tag & _ARRAY else {}, tag, a, b, text)
            elif kind == _POP:
                self._open.pop()
                if self._places:
                    self._places.pop()
            else:
                self._root = load(memoryview(text)[a:b], bool(tag & _EXACT))

    def _push(self, child: Any, tag: int, a: int, b: int, text: Any) -> None:
        if not self._open:
            self._root = child
        else:
            parent = self._open[-1]
            place = read_place(tag, a, b, text)
            if type(parent) is dict:
                parent[place] = child
            else:
                parent.append(child)
            self._places.append(place)
        self._open.append(child)

    # -------------------------------------------------------------- reports

    def _report(self, events: list[Event]) -> None:
        view = self._view
        call = self.call
        text = ffi.buffer(view.text, view.text_size)
        for tag, a, b in read_records(view.reports, view.report_count):
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
        """The live container in which the reports are. Those on the way are looked up once."""
        containers = self._containers
        if containers[0] is None:
            containers[0] = self._root
        known = len(containers) - 1
        while containers[known] is None:
            known -= 1
        for depth in range(known, len(containers) - 1):
            containers[depth + 1] = containers[depth][self._prefix[depth]]
        return containers[-1]

    def _fail(self, status: int | None, events: list[Event]) -> Exception:
        raise NotImplementedError


def _load_run(text: Any, start: int, end: int, brackets: bytes, tag: int) -> Any:
    """The value of text[start:end] with brackets around it."""
    exact = bool(tag & _EXACT)
    if end - start < _IN_PLACE_FROM:
        return load(b"%c%b%c" % (brackets[0], text[start:end], brackets[1]), exact)
    # The bytes around a run are a comma, a bracket or spare: they lend their places for the time of the call.
    view = memoryview(text)[start - 1 : end + 1]
    before, after = view[0], view[-1]
    view[0], view[-1] = brackets
    try:
        return load(view, exact)
    finally:
        view[0], view[-1] = before, after


# `Fields` makes the events of what a depth asks for while it builds the live value, so the core need not report them.
IMPLIES_REPORTS = native is not None

if TYPE_CHECKING or native is None:
    Fields = CffiFields
else:
    native.configure(FieldComplete, FieldDelta, TextDelta, ReasoningDelta, loads_fast, load, load_string)
    Fields = native.Fields
