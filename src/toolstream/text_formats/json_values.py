"""One JSON value in text that goes on behind it: where it ends. Whether it is valid is for the C scanner to say.

What goes in comes out, but for control characters inside strings, which small models write as they are: they come out
escaped, since strict JSON has no other way to hold them.
"""

from __future__ import annotations

import re

from .cursor import Cursor
from .output import escaped

_IN_STRING = re.compile(r'["\\\x00-\x1f]')
_BETWEEN = re.compile(r'["{}\[\]<`]')
_MARKS = "<`"
"""What a mark may begin with that stands outside strings: no JSON has these there, so that the value is broken off."""
_BARE = re.compile(r'[^\s{}\[\]:,"<]*')


class JSONValue:
    """Reads one value. done: it has ended. kind: its first character.

    fault: the character that no value begins with, or behind which no JSON goes on; it is left to be read.
    """

    __slots__ = ("_depth", "_in_escape", "_in_string", "done", "fault", "kind")

    def __init__(self) -> None:
        self.done = False
        self.fault = ""
        self.kind = ""
        self._depth = 0
        self._in_string = False
        self._in_escape = False

    def read(self, cursor: Cursor) -> str:
        """The JSON text of what is there of the value, white space before it left out."""
        start = cursor.at
        if self._in_string and not self._in_escape and _IN_STRING.search(cursor.text, start) is None:
            cursor.scanned += len(cursor.text) - start
            return cursor.take(len(cursor.text))  # as most pieces of a long string are
        parts: list[str] = []
        if not self.kind:
            self._begin(cursor, parts)
        while not self.done and not self.fault and not cursor.is_empty:
            if self._in_string:
                self._read_string(cursor, parts)
            elif self._depth:
                self._read_between(cursor, parts)
            else:
                self._read_bare(cursor, parts)
        if cursor.final and self.kind and not self.fault and self.kind not in '"{[':
            self.done = True
        cursor.scanned += cursor.at - start
        return "".join(parts)

    def _begin(self, cursor: Cursor, parts: list[str]) -> None:
        cursor.take_space()
        if cursor.is_empty:
            return
        self.kind = cursor.text[cursor.at]
        if self.kind in '{["':
            parts.append(cursor.take(1))
            self._depth = 1 if self.kind != '"' else 0
            self._in_string = self.kind == '"'
        elif _BARE.fullmatch(self.kind) is None:
            self.fault = self.kind

    def _read_string(self, cursor: Cursor, parts: list[str]) -> None:
        if self._in_escape:
            self._in_escape = False
            parts.append(cursor.take(1))
            return
        match = _IN_STRING.search(cursor.text, cursor.at)
        if match is None:
            parts.append(cursor.take(len(cursor.text)))
            return
        parts.append(cursor.take(match.start() - cursor.at))
        found = cursor.take(1)
        if found == '"':
            self._in_string = False
            self.done = self._depth == 0
        elif found == "\\":
            self._in_escape = True
        else:
            found = escaped(found)
        parts.append(found)

    def _read_between(self, cursor: Cursor, parts: list[str]) -> None:
        match = _BETWEEN.search(cursor.text, cursor.at)
        if match is None:
            parts.append(cursor.take(len(cursor.text)))
            return
        found = match.group()
        if found in _MARKS:
            parts += (cursor.take(match.start() - cursor.at), found)  # for the scanner to refuse; it is not read
            self.fault = found
            return
        parts.append(cursor.take(match.end() - cursor.at))
        if found == '"':
            self._in_string = True
        else:
            self._depth += 1 if found in "{[" else -1
            self.done = self._depth == 0

    def _read_bare(self, cursor: Cursor, parts: list[str]) -> None:
        match = _BARE.match(cursor.text, cursor.at)
        assert match is not None
        parts.append(cursor.take(match.end() - cursor.at))
        self.done = not cursor.is_empty
