"""Values in another syntax than JSON, rewritten as JSON text while they come: Python literals, and Gemma's values.

Nothing is evaluated. A value that is no literal has a `fault`. What JSON itself forbids (two values without a
comma between them, a key that is no string) is passed on, for the C scanner to refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from .cursor import Cursor, markers
from .output import escaped, quoted

_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_JSON_BRACKETS = {"(": "[", ")": "]"}
_NUMBER = re.compile(r"([+-]?)(?:(\d[\d_]*)(\.[\d_]*)?|(\.\d[\d_]*))(?:[eE]([+-]?\d+))?\Z")
_WHOLE_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[^xuU0-7])", re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-7]{1,2})?\Z")
_NAMED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "a": "\a",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "/": "/",
    "\n": "",
}
_WORD_STOPS = (",", "}", "]", ":", ")", "(", "[", "{", " ", "\n", "\r", "\t")
_BARE_STOPS: tuple[str, ...] = (",", "}", "]", ":")
_LONGEST_WORD = 1024


class _LiteralError(ValueError):
    """The text is no literal."""


@dataclass(frozen=True)
class Syntax:
    """How values are written.

    quotes: what opens a string, and what closes it. raw: the quotes whose strings have no escapes.
    words: words that mean something else than they say in JSON, or the same.
    bare: keys stand without quotes, and so may texts.
    """

    quotes: dict[str, str]
    raw: tuple[str, ...]
    words: dict[str, str]
    bare: bool
    openers: str


_JSON_WORDS = {"true": "true", "false": "false", "null": "null"}
PYTHON = Syntax(
    quotes={quote: quote for quote in ("'", '"', "'''", '"""')},
    raw=(),
    words={**_JSON_WORDS, "True": "true", "False": "false", "None": "null"},
    bare=False,
    openers="{[(",
)


def gemma(mark: str) -> Syntax:
    """Gemma's values, whose strings stand between two of the same mark."""
    return Syntax(quotes={mark: mark, '"': '"'}, raw=(mark,), words=_JSON_WORDS, bare=True, openers="{[")


Meaning = Callable[[str], str]
"""What a text means, as JSON text."""


class LiteralValue:
    """Reads one value. done: it has ended. kind: the quote or bracket that it began with, or its first character.

    meaning_of: for the key of a member of the value, what its raw strings mean where that is not themselves.
    fault: why it is no literal, behind what has been read; then it is not read on. held: characters that wait for the
    end of a string to get their meaning; of more than `most` nothing more is read.
    """

    def __init__(self, syntax: Syntax, meaning_of: Callable[[str], Meaning | None] | None = None) -> None:
        self.done = False
        self.kind = ""
        self.fault = ""
        self.held = 0
        self.most: int | None = None
        self._syntax = syntax
        self._meaning_of = meaning_of
        self._key = ""  # the last one, as far as it has come
        self._in_key = False
        self._meaning: Meaning | None = None  # of the string that is open
        self._held: list[str] = []
        self._quotes = tuple(syntax.quotes)
        self._stack: list[str] = []
        self._quote = ""  # of the string that is open
        self._word = ""  # as far as it has come
        self._comma = False  # one has come, and what follows is not known
        self._items = [0]  # commas in each open bracket
        self._after_key = False  # in an object: a key has ended, and its colon has come
        self._empty = [True]

    def read(self, cursor: Cursor) -> str:
        """What is there of the value, as JSON text."""
        parts: list[str] = []
        start = cursor.at
        try:
            while not self.done and not self.fault and not (self.held and self.holds_too_much):
                before = cursor.at, self._word  # a word may end where a piece begins
                if self._quote:
                    self._read_string(cursor, parts)
                else:
                    self._read_between(cursor, parts)
                if (cursor.at, self._word) == before:
                    break
        except _LiteralError as error:
            self.fault = str(error)
        cursor.scanned += cursor.at - start
        return "".join(parts)

    @property
    def holds_too_much(self) -> bool:
        return self.most is not None and self.held > self.most

    def _read_between(self, cursor: Cursor, parts: list[str]) -> None:
        if not self._word:
            space = cursor.take_space()
            if space and self.kind:
                parts.append(space)
        if cursor.is_empty:
            return
        if self._word:
            self._read_word(cursor, parts)
            return
        quote = cursor.begins(self._quotes)
        if quote is None:
            return
        character = cursor.text[cursor.at]
        if quote:
            self._item(parts, quote)
            cursor.take(len(quote))
            self._begin_string(parts, quote)
        elif character in self._syntax.openers:
            self._item(parts, character)
            self._open(cursor.take(1), parts)
        elif character in "}])":
            self._close(cursor.take(1), parts)
        elif character == "," and self._stack:
            if self._comma or self._empty[-1]:
                raise _LiteralError("a comma without a value before it")
            cursor.take(1)
            self._comma, self._after_key = True, False
            self._items[-1] += 1
        elif character == ":" and self._stack:
            parts.append(cursor.take(1))
            self._after_key = True
        else:
            self._item(parts, character)
            self._read_word(cursor, parts)

    def _item(self, parts: list[str], character: str) -> None:
        """A value, or a key, begins."""
        self.kind = self.kind or character
        if self._comma:
            self._comma = False
            parts.append(",")
        self._empty[-1] = False

    def _open(self, bracket: str, parts: list[str]) -> None:
        self._stack.append(bracket)
        self._items.append(0)
        self._empty.append(True)
        self._after_key = False
        parts.append(_JSON_BRACKETS.get(bracket, bracket))

    def _close(self, bracket: str, parts: list[str]) -> None:
        if not self._stack or _CLOSERS[self._stack[-1]] != bracket:
            raise _LiteralError(f"a {bracket!r} that closes nothing")
        commas, empty = self._items.pop(), self._empty.pop()
        if bracket == ")" and not commas and not empty:
            raise _LiteralError("an expression in parentheses, where a literal was expected")
        self._stack.pop()
        self._comma = False  # one before a closing bracket means nothing
        self._after_key = False
        parts.append(_JSON_BRACKETS.get(bracket, bracket))
        self.done = not self._stack

    # ------------------------------------------------------------------ strings

    def _begin_string(self, parts: list[str], quote: str) -> None:
        self._quote = quote
        self._in_key = self._is_key()
        if self._in_key:
            self._key = ""
        elif self._meaning_of is not None and quote in self._syntax.raw and len(self._stack) == 1:
            self._meaning = self._meaning_of(self._key)
        if self._meaning is None:
            parts.append('"')

    def _read_string(self, cursor: Cursor, parts: list[str]) -> None:
        closer = self._syntax.quotes[self._quote]
        has_escapes = self._quote not in self._syntax.raw
        text, found = cursor.take_until(markers((closer, "\\") if has_escapes else (closer,)))
        if self._meaning is not None:
            self._held.append(text)
            self.held += len(text)
        else:
            parts.append(escaped(text))
            if self._in_key:
                self._key += text
        if not found:
            return
        if self.holds_too_much:
            cursor.at -= len(found)
        elif found == closer:
            self._end_string(parts)
        else:
            self._read_escape(cursor, parts)

    def _end_string(self, parts: list[str]) -> None:
        if self._meaning is None:
            parts.append('"')
        else:
            parts.append(self._meaning("".join(self._held)))
            self._meaning, self._held, self.held = None, [], 0
        self._quote = ""
        self.done = not self._stack

    def _read_escape(self, cursor: Cursor, parts: list[str]) -> None:
        cursor.at -= 1
        if _HALF_ESCAPE.match(cursor.text, cursor.at):
            return
        match = _WHOLE_ESCAPE.match(cursor.text, cursor.at)
        if match is None:
            raise _LiteralError("half an escape in a string")
        cursor.at = match.end()
        body = match.group()[1:]
        if body[0] == "u":
            parts.append("\\" + body)  # as in JSON, where two surrogates are one character
        elif len(body) > 1 or body in "01234567":
            code = int(body[1:], 16) if body[0] in "xU" else int(body, 8)
            if code > 0x10FFFF:
                raise _LiteralError("an escape for no character")
            parts.append(escaped(chr(code)))
        else:
            parts.append(escaped(_NAMED.get(body, "\\" + body)))

    # ------------------------------------------------------------------ words

    def _is_key(self) -> bool:
        return bool(self._stack) and self._stack[-1] == "{" and not self._after_key

    def _read_word(self, cursor: Cursor, parts: list[str]) -> None:
        stops: tuple[str, ...] = _WORD_STOPS
        if self._syntax.bare:
            stops = _BARE_STOPS if self._is_key() else _BARE_STOPS[:-1]
        text, found = cursor.take_until(markers(stops))
        self._word += text
        surplus = len(self._word) - _LONGEST_WORD
        if surplus > 0:
            cursor.at -= surplus + len(found)
            raise _LiteralError("a word of more than 1024 characters, where a literal was expected")
        if found:
            cursor.at -= 1
            self._end_word(parts, found)

    def _end_word(self, parts: list[str], stop: str) -> None:
        word, self._word = self._word.strip(), ""
        if self._syntax.bare and stop == ":":
            self._key = word
            parts.append(quoted(word))
            return
        parts.append(self._literal(word))
        self.done = not self._stack

    def _literal(self, word: str) -> str:
        known = self._syntax.words.get(word)
        if known is not None:
            return known
        match = _NUMBER.match(word)
        if match is not None:
            return _number(*match.groups())
        if self._syntax.bare:
            return quoted(word)
        raise _LiteralError(f"{json.dumps(word)}, where a literal was expected")


def _number(sign: str, whole: str | None, fraction: str | None, bare_fraction: str | None, exponent: str | None) -> str:
    """A number as JSON writes it."""
    digits = (whole or "0").replace("_", "").lstrip("0") or "0"
    decimals = (fraction or bare_fraction or "").replace("_", "")
    if decimals == ".":
        decimals = ".0"
    return ("-" if sign == "-" else "") + digits + decimals + (f"e{exponent}" if exponent else "")
