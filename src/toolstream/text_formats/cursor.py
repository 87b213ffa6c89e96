"""Text that comes in pieces: the part that is not read yet, and the search for markers in it.

Guarantees that how the text was cut does not show: what could still become (part of) a marker is not decided. Every
search looks only at what has not been searched, but for less than a marker's length.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .._core import ffi, lib, native

WINDOW = 4096
"""Characters that are added at most at a time, so that giving some back copies little."""

_SPACE = re.compile(r"\s*")
_WIDE = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


class CffiMarkers:
    """An automaton over several strings, over cffi; `_core/native_markers.c` is the same for CPython."""

    __slots__ = ("_automaton", "words")

    def __init__(self, words: tuple[str, ...]) -> None:
        automaton = lib.ts_markers_new()
        if automaton == ffi.NULL:
            raise MemoryError("toolstream: out of memory")
        self._automaton = ffi.gc(automaton, lib.ts_markers_free)
        self.words = words
        for word in words:
            _check(lib.ts_markers_add(automaton, [ord(character) for character in word], len(word)))
        _check(lib.ts_markers_build(automaton))


class CffiText:
    """The text that has come, and the search in it, over cffi; `_core/native_markers.c` is the same for CPython.

    text, at: what is still to be read begins at text[at]. final: no more text comes.
    offset: characters of the whole text before those in `text`. scanned: characters that searches have looked at.
    """

    __slots__ = ("_end", "_place", "_search", "_wanted", "at", "final", "offset", "scanned", "text")

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.offset = 0
        self.scanned = 0
        self.final = False
        self._wanted: CffiMarkers | None = None  # of the last search
        self._place = 0  # where in the whole text it has stopped
        self._search: Any = None
        self._end: Any = None

    def take_until(self, wanted: CffiMarkers) -> tuple[str, str]:
        """Reads what stands before the first of the markers, and that marker; or what holds none for sure, and ""."""
        start = self.at
        if self._wanted is not wanted or self._place != self.offset + start:
            self._wanted, self._search, self._end = wanted, ffi.new("ts_search *"), ffi.new("size_t *")
        rest = self.text[start:]
        codes, width = (rest.encode(), 1) if rest.isascii() else (rest.encode(_WIDE, "surrogatepass"), 4)
        automaton = wanted._automaton
        found = lib.ts_markers_find(
            automaton, self._search, ffi.from_buffer(codes), width, len(rest), self.final, self._end
        )
        end = start + self._end[0]
        marker = wanted.words[found] if found >= 0 else ""
        self.at = end + len(marker)
        self.scanned += self._search.looked
        self._place = self.offset + self.at
        return self.text[start:end], marker


def _check(status: int) -> None:
    if status == lib.TS_ERR_MEMORY:
        raise MemoryError("toolstream: out of memory")
    if status != lib.TS_OK:
        raise ValueError(f"a marker has 1 to {lib.TS_MARKER_LONGEST} characters")


if TYPE_CHECKING:
    _Markers = CffiMarkers
    _Text = CffiText
else:
    _Markers, _Text = (CffiMarkers, CffiText) if native is None else (native.Markers, native.Text)


class Markers(_Markers):
    """Several strings, the first of which is searched. Of two that begin at one place the longer one counts."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...]]]:
        return markers, (self.words,)


@lru_cache(maxsize=512)
def markers(words: tuple[str, ...]) -> Markers:
    """The searcher for these words: one for all who search them."""
    return Markers(words)


class Cursor(_Text):
    """The text that has come, and how far it has been read.

    cut: no more text comes, and not because the model has finished.
    """

    __slots__ = ("_mark", "_taken", "cut")

    def __init__(self) -> None:
        super().__init__()
        self.cut = False
        self._taken: list[str] | None = None  # since the mark, without what `text` still holds
        self._mark = 0

    def add(self, piece: str) -> None:
        """More text has come."""
        if self._taken is not None:
            self._taken.append(self.text[self._mark : self.at])
            self._mark = 0
        self.offset += self.at
        self.text = self.text[self.at :] + piece
        self.at = 0

    @property
    def is_empty(self) -> bool:
        return self.at == len(self.text)

    @property
    def rest(self) -> str:
        """What is there and not read."""
        return self.text[self.at :]

    def ahead(self, count: int) -> str:
        """The next characters, of those that are there; they are not read."""
        return self.text[self.at : self.at + count]

    def take(self, count: int) -> str:
        """The next characters, of those that are there."""
        start = self.at
        self.at = min(start + count, len(self.text))
        return self.text[start : self.at]

    def take_space(self) -> str:
        """Reads the white space that is there."""
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        self.scanned += len(match.group()) + 1
        return match.group()

    def begins(self, words: tuple[str, ...]) -> str | None:
        """Which of the words stands here ("": none of them); None where the text ends within one."""
        found = max((word for word in words if self.text.startswith(word, self.at)), key=len, default="")
        rest = self.text[self.at : self.at + max(map(len, words), default=0)]
        self.scanned += len(rest)
        if any(len(word) > len(rest) and word.startswith(rest) for word in words):
            return None
        return found

    # ------------------------------------------------------------------ reading on trial

    def mark(self) -> None:
        """From here on the text may be read again."""
        self._taken, self._mark = [], self.at

    def settle(self) -> None:
        """What has been read need not be read again."""
        self._taken = None

    def rewind(self) -> None:
        """Goes back to the mark."""
        taken, self._taken = self._taken or [], None
        if taken:
            again = "".join(taken)
            self.offset -= len(again)
            self.text = again + self.text[self._mark :]
            self.at = 0
        else:
            self.at = self._mark

    # ------------------------------------------------------------------ pickling

    def __reduce__(self) -> tuple[Any, ...]:
        # A search begins again where it has stopped: what it holds back is less than a marker.
        return Cursor, (), {name: getattr(self, name) for name in _STATE}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


_STATE = ("text", "at", "offset", "scanned", "final", "cut", "_taken", "_mark")
