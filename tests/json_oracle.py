"""A second, plain reading of RFC 8259 and of the laws, to hold the parser against.

It reads a whole document at once, recursively, and says for each value when it is due; the parser under test reads
fragments, with a state machine. The two share no code. What it says of values comes from `json.loads`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

Path = tuple["str | int", ...]

SPACE = frozenset(b" \t\n\r")
LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
ESCAPES = frozenset(b'"\\/bfnrt')
HEX = frozenset(b"0123456789abcdefABCDEF")
DIGITS = frozenset(b"0123456789")
NUMBER_STARTS = DIGITS | frozenset(b"-")


@dataclass(frozen=True)
class Fault:
    """Where a document stops being one. kind: a word for each status of the core."""

    kind: str
    offset: int


@dataclass(frozen=True)
class Due:
    """A value and how many bytes must have come for it to be final."""

    path: Path
    start: int
    end: int
    due: int
    text: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.text.decode("utf-8"))

    @property
    def is_string(self) -> bool:
        return self.text[:1] == b'"'


@dataclass
class Reading:
    """All values in the order in which they become final, the root last, and the fault, if there is one."""

    values: list[Due] = field(default_factory=list)
    fault: Fault | None = None


class _FaultFoundError(Exception):
    def __init__(self, kind: str, offset: int) -> None:
        super().__init__(kind, offset)
        self.fault = Fault(kind, offset)


class _Reader:
    def __init__(
        self, data: bytes, max_depth: int, reported: Callable[[Path], bool], duplicates: str, reading: Reading
    ) -> None:
        self.data = data
        self.max_depth = max_depth
        self.reported = reported
        self.duplicates = duplicates
        self.values = reading.values
        self.seen_reports: set[Path] = set()

    def fail(self, kind: str, at: int) -> NoReturn:
        raise _FaultFoundError("incomplete", len(self.data)) if at >= len(self.data) else _FaultFoundError(kind, at)

    def peek(self, at: int) -> int:
        return self.data[at] if at < len(self.data) else -1

    def skip_space(self, at: int) -> int:
        while at < len(self.data) and self.data[at] in SPACE:
            at += 1
        return at

    def document(self) -> None:
        at = self.skip_space(self.value(self.skip_space(0), ()))
        if at < len(self.data):
            self.fail("trailing", at)

    def value(self, at: int, path: Path, depth: int = 0) -> int:
        byte = self.peek(at)
        if byte == ord("{"):
            end = self.container(at, path, depth + 1, self.members, b"}")
        elif byte == ord("["):
            end = self.container(at, path, depth + 1, self.elements, b"]")
        elif byte == ord('"'):
            end = self.string(at)
        elif byte in LITERALS:
            end = self.literal(at)
        elif byte in NUMBER_STARTS:
            end = self.number(at)
        else:
            self.fail("syntax", at)
        due = end + 1 if byte in NUMBER_STARTS else end  # only the byte behind a number says that it has ended
        self.values.append(Due(path, at, end, due, self.data[at:end]))
        for size in range(len(path) + 1) if path and self.reported(path) else ():
            self.seen_reports.add(path[:size])
        return end

    def container(
        self, at: int, path: Path, depth: int, contents: Callable[[int, Path, int], int], closing: bytes
    ) -> int:
        if depth > self.max_depth:
            self.fail("depth", at)
        at = self.skip_space(at + 1)
        if self.peek(at) == closing[0]:
            return at + 1
        return contents(at, path, depth)

    def elements(self, at: int, path: Path, depth: int) -> int:
        index = 0
        while True:
            at = self.skip_space(self.value(at, (*path, index), depth))
            if self.peek(at) == ord("]"):
                return at + 1
            if self.peek(at) != ord(","):
                self.fail("syntax", at)
            at = self.skip_space(at + 1)
            index += 1

    def members(self, at: int, path: Path, depth: int) -> int:
        keys: set[str] = set()
        while True:
            if self.peek(at) != ord('"'):
                self.fail("syntax", at)
            end = self.string(at)
            key = json.loads(self.data[at:end].decode("utf-8"))
            if key in keys and self.refuses((*path, key)):
                self.fail("duplicate", end - 1)
            keys.add(key)
            at = self.skip_space(end)
            if self.peek(at) != ord(":"):
                self.fail("syntax", at)
            at = self.skip_space(self.value(self.skip_space(at + 1), (*path, key), depth))
            if self.peek(at) == ord("}"):
                return at + 1
            if self.peek(at) != ord(","):
                self.fail("syntax", at)
            at = self.skip_space(at + 1)

    def refuses(self, path: Path) -> bool:
        if self.duplicates == "error":
            return path in self.seen_reports
        return self.duplicates == "strict"

    def literal(self, at: int) -> int:
        word = LITERALS[self.data[at]]
        for place, letter in enumerate(word):
            if self.peek(at + place) != letter:
                self.fail("literal", at + place)
        return at + len(word)

    def number(self, at: int) -> int:
        if self.peek(at) == ord("-"):
            at += 1
        if self.peek(at) == ord("0"):
            at += 1
            if self.peek(at) in DIGITS:
                self.fail("number", at)
        else:
            at = self.digits(at)
        if self.peek(at) == ord("."):
            at = self.digits(at + 1)
        if self.peek(at) in (ord("e"), ord("E")):
            at += 1
            if self.peek(at) in (ord("+"), ord("-")):
                at += 1
            at = self.digits(at)
        return at

    def digits(self, at: int) -> int:
        if self.peek(at) not in DIGITS:
            self.fail("number", at)
        while self.peek(at) in DIGITS:
            at += 1
        return at

    def string(self, at: int) -> int:
        at += 1
        while True:
            byte = self.peek(at)
            if byte == ord('"'):
                return at + 1
            if byte == ord("\\"):
                at = self.escape(at + 1)
            elif byte >= 0x80:
                at = self.sequence(at)
            elif byte < 0x20:
                self.fail("control", at)
            else:
                at += 1

    def escape(self, at: int) -> int:
        if self.peek(at) == ord("u"):
            for place in range(at + 1, at + 5):
                if self.peek(place) not in HEX:
                    self.fail("escape", place)
            return at + 5
        if self.peek(at) not in ESCAPES:
            self.fail("escape", at)
        return at + 1

    def sequence(self, at: int) -> int:
        """RFC 3629, section 4: the table of well-formed sequences, read line by line."""
        bounds = _continuations(self.data[at])
        if bounds is None:
            self.fail("utf8", at)
        for low, high in bounds:
            at += 1
            if not low <= self.peek(at) <= high:
                self.fail("utf8", at)
        return at + 1


def _continuations(lead: int) -> list[tuple[int, int]] | None:
    tail = (0x80, 0xBF)
    if 0xC2 <= lead <= 0xDF:
        return [tail]
    if lead == 0xE0:
        return [(0xA0, 0xBF), tail]
    if lead == 0xED:
        return [(0x80, 0x9F), tail]
    if 0xE1 <= lead <= 0xEF:
        return [tail, tail]
    if lead == 0xF0:
        return [(0x90, 0xBF), tail, tail]
    if 0xF1 <= lead <= 0xF3:
        return [tail, tail, tail]
    if lead == 0xF4:
        return [(0x80, 0x8F), tail, tail]
    return None


def by_depth(depth: int | None) -> Callable[[Path], bool]:
    """Which paths `depth=` reports."""
    return lambda path: bool(path) and (depth is None or len(path) <= depth)


def read(
    data: bytes,
    *,
    reported: Callable[[Path], bool] | None = None,
    duplicates: str = "error",
    max_depth: int = 512,
) -> Reading:
    """Reads a document up to its end or its fault. Recursive: for documents less deep than a few hundred."""
    reading = Reading()
    reader = _Reader(data, max_depth, reported or by_depth(1), duplicates, reading)
    try:
        reader.document()
    except _FaultFoundError as stop:
        reading.fault = stop.fault
    return reading


def strict_loads(data: bytes) -> Any:
    """`json.loads` without what it takes beyond RFC 8259: `NaN` and `Infinity`, UTF-16 and -32, a BOM."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


def at_path(root: Any, path: Iterable[str | int]) -> Any:
    for step in path:
        root = root[step]
    return root


def same(left: Any, right: Any) -> bool:
    """Equal to the last bit: types, the order of keys, -0.0. For values less deep than a few hundred."""
    return repr(left) == repr(right)


_CUT_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HIGH_ESCAPE = re.compile(rb"(?:\A|[^\\])(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})\Z")


def visible(raw: bytes) -> str:
    """The decoded text that a cut string (quotes left out) must show: all but a cut escape, a cut UTF-8 sequence, or
    the first half of a surrogate pair whose other half may still come."""
    cut = _CUT_ESCAPE.search(raw)
    backslashes = len(raw[: cut.start() + 1]) - len(raw[: cut.start() + 1].rstrip(b"\\")) if cut else 0
    if cut and backslashes % 2:
        raw = raw[: cut.start()]
    high = _HIGH_ESCAPE.search(raw)
    if high:
        raw = raw[: high.start(1)]
    text = raw.decode("utf-8", "ignore")
    return str(json.loads(f'"{text}"', strict=False))


def prefixes(data: bytes) -> Iterator[bytes]:
    for size in range(len(data) + 1):
        yield data[:size]
