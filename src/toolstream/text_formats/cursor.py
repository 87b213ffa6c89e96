"""Text that comes in pieces: the part that is not read yet, and the search for markers in it.

Guarantees that how the text was cut does not show: what could still become (part of) a marker is not decided. Every
search looks only at what has not been searched, but for less than a marker's length.
"""

from __future__ import annotations

import re
from functools import lru_cache

WINDOW = 4096
"""Characters that are added at most at a time, so that giving some back copies little."""

_SPACE = re.compile(r"\s*")


class Markers:
    """Several strings, the first of which is searched. Of two that begin at one place the longer one counts."""

    __slots__ = ("_heads", "_longest", "_pattern", "words")

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        by_length = sorted(words, key=len, reverse=True)
        self._longest = len(by_length[0]) if words else 0
        self._pattern = re.compile("|".join(map(re.escape, by_length)) or "(?!)")
        heads = "".join(sorted({word[0] for word in words}))
        self._heads = re.compile(f"[{re.escape(heads)}]" if heads else "(?!)")

    def search(self, text: str, at: int, final: bool) -> tuple[int, str]:
        """Where the first marker begins, and which it is; or up to where the text holds none, and "".

        final: no more text comes.
        """
        held = len(text) if final else self._undecided(text, at)
        match = self._pattern.search(text, at)
        if match is not None and match.start() < held:
            return match.start(), match.group()
        return held, ""

    def _undecided(self, text: str, at: int) -> int:
        """Where the earliest marker begins that more text could complete, or make longer."""
        end = len(text)
        for match in self._heads.finditer(text, max(at, end - self._longest + 1)):
            start = match.start()
            if any(word.startswith(text[start:]) and len(word) > end - start for word in self.words):
                return start
        return end

    def __reduce__(self) -> tuple[object, tuple[tuple[str, ...]]]:
        return markers, (self.words,)


@lru_cache(maxsize=512)
def markers(words: tuple[str, ...]) -> Markers:
    """The searcher for these words: one for all who search them."""
    return Markers(words)


class Cursor:
    """The text that has come, and how far it has been read.

    text, at: what is still to be read begins at text[at]. final: no more text comes.
    cut: and not because the model has finished.
    scanned: characters that searches have looked at. offset: characters of the whole text before those in `text`.
    """

    __slots__ = ("_mark", "_taken", "at", "cut", "final", "offset", "scanned", "text")

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.final = False
        self.cut = False
        self.scanned = 0
        self.offset = 0
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

    def take(self, count: int) -> str:
        """The next characters, of those that are there."""
        start = self.at
        self.at = min(start + count, len(self.text))
        return self.text[start : self.at]

    def take_until(self, wanted: Markers) -> tuple[str, str]:
        """Reads what stands before the first of the markers, and that marker; or what holds none for sure, and ""."""
        start = self.at
        end, marker = wanted.search(self.text, start, self.final)
        self.at = end + len(marker)
        self.scanned += self.at - start + (len(self.text) - end if not marker else 0)
        return self.text[start:end], marker

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
