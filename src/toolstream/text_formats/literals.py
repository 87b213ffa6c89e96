"""Values in another syntax than JSON, rewritten as JSON text while they come: Python literals, and Gemma's values.

Nothing is evaluated. A value that is no literal has a `fault`. What JSON itself forbids (two values without a
comma between them, a key that is no string) is passed on, for the C scanner to refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .cursor import Cursor, markers
from .output import escaped, quoted

_SET = "{,"
"""An open bracket that turned out to be a set's."""
_CLOSERS = {"{": "}", "[": "]", "(": ")", _SET: "}"}
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
# Behind the last string of a call's argument: another argument, or the call's end and what may follow that.
_GOES_ON = re.compile(r",\s*(?:\)|[^\W\d]\w*\s*=)|\)[ \t]*\)?[ \t]*[,\]\n<`]")
_MAY_GO_ON = re.compile(r",\s*(?:[^\W\d]\w*\s*)?|\)[ \t]*\)?[ \t]*")
_AHEAD = 512
"""Characters behind a quote that may show what it is."""


class _LiteralError(ValueError):
    """The text is no literal."""


@dataclass(frozen=True)
class Syntax:
    """How values are written.

    quotes: what opens a string, and what closes it. raw: the quotes whose strings have no escapes.
    words: words that mean something else than they say in JSON, or the same.
    bare: keys stand without quotes, and so may texts.
    loose: a quote inside a string that nothing follows which could follow a string is part of it, a string may go on in
    another one, sets are arrays, and keys may be numbers.
    ends: marks that no value goes on behind.
    """

    quotes: dict[str, str]
    raw: tuple[str, ...]
    words: dict[str, str]
    bare: bool
    openers: str
    loose: bool = False
    ends: tuple[str, ...] = ()


_WORDS = {"true": "true", "false": "false", "null": "null", "True": "true", "False": "false", "None": "null"}
PYTHON = Syntax(
    quotes={quote: quote for quote in ("'", '"', "'''", '"""')},
    raw=(),
    words=_WORDS,
    bare=False,
    openers="{[(",
)
CALLS = replace(PYTHON, loose=True)
"""Python as models write it in calls."""


def gemma(mark: str, ends: tuple[str, ...] = ()) -> Syntax:
    """Gemma's values, whose strings stand between two of the same mark."""
    return Syntax(quotes={mark: mark, '"': '"'}, raw=(mark,), words=_WORDS, bare=True, openers="{[", ends=ends)


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
        self._marks = (*syntax.quotes, *syntax.ends)
        self._stack: list[str] = []
        self._quote = ""  # of the string that is open
        self._stops = markers(self._marks)  # what is looked for in it
        self._gap: list[str] | None = None  # white space behind a quote that may have ended it
        self._has_quotes = False  # it holds quotes that did not
        self._word = ""  # as far as it has come
        self._comma = False  # one has come, and what follows is not known
        self._items = [0]  # commas in each open bracket
        self._after_key = False  # in an object: a key has ended, and its colon has come
        self._after_value = False  # a value has ended, and no comma has come
        self._empty = [True]
        self._parts: list[str] = []  # what is given next
        self._first: list[str] | None = None  # behind a brace: what shows whether a set or an object begins

    def read(self, cursor: Cursor) -> str:
        """What is there of the value, as JSON text."""
        self._parts = []
        start = cursor.at
        try:
            while not self.done and self._read_on(cursor):
                pass
        except _LiteralError as error:
            self.fault = str(error)
        if self._first is not None and len("".join(self._first)) > _LONGEST_WORD:
            self._decide_brace("{")
        cursor.scanned += cursor.at - start
        return "".join(self._parts)

    def _read_on(self, cursor: Cursor) -> bool:
        """Reads on; False where that needs more text."""
        if self._gap is not None:
            return self._read_behind_quote(cursor, self._gap)
        return self._read_string(cursor) if self._quote else self._read_between(cursor)

    @property
    def holds_too_much(self) -> bool:
        return self.most is not None and self.held > self.most

    @property
    def depth(self) -> int:
        """Brackets that are open."""
        return len(self._stack)

    @property
    def open_quote(self) -> str:
        """The quote of the string that is open, also within what turned out to be no literal."""
        quote = self._quote[:1]
        for character in self._word:
            if character in "'\"":
                quote = "" if character == quote else quote or character
        return quote

    def _give(self, text: str) -> None:
        (self._parts if self._first is None else self._first).append(text)

    def _read_between(self, cursor: Cursor) -> bool:
        if self._word:
            return self._read_word(cursor)
        space = cursor.take_space()
        if space and self.kind:
            self._give(space)
        mark = None if cursor.is_empty else cursor.begins(self._marks)
        if mark is None:
            return False
        character = cursor.text[cursor.at]
        if mark in self._syntax.quotes:
            self._item(mark)
            cursor.take(len(mark))
            self._begin_string(mark)
        elif mark:
            raise _LiteralError(f"{mark!r} inside a value")
        elif character in self._syntax.openers:
            self._item(character)
            self._open(cursor.take(1))
        elif character in "}])":
            self._close(cursor.take(1))
        elif character == "," and self._stack:
            self._take_comma(cursor)
        elif character == ":" and self._stack:
            self._decide_brace("{")
            self._give(cursor.take(1))
            self._after_key, self._after_value = True, False
        else:
            self._item(character)
            return self._read_word(cursor)
        return True

    def _take_comma(self, cursor: Cursor) -> None:
        if self._comma or self._empty[-1]:
            raise _LiteralError("a comma without a value before it")
        cursor.take(1)
        self._decide_brace("[")
        self._comma, self._after_key = True, False
        self._items[-1] += 1

    def _item(self, character: str) -> None:
        """A value, or a key, begins."""
        self.kind = self.kind or character
        if self._comma:
            self._give(",")
        elif self._after_value and self._syntax.bare:  # models forget it behind a marked string
            self._give(",")
            self._after_key = False
        self._comma = self._after_value = False
        self._empty[-1] = False

    def _open(self, bracket: str) -> None:
        self._decide_brace("[" if bracket == "(" else "{")
        self._stack.append(bracket)
        self._items.append(0)
        self._empty.append(True)
        self._after_key = False
        if bracket == "{" and self._syntax.loose:
            self._first = []
        else:
            self._give(_JSON_BRACKETS.get(bracket, bracket))

    def _decide_brace(self, opens: str) -> None:
        """The last brace has opened an object ("{"), or a set ("["), if that was not known."""
        if self._first is None:
            return
        first, self._first = "".join(self._first), None
        if opens == "[" and len(first) <= _LONGEST_WORD:
            self._stack[-1] = _SET
        elif first.strip() and first.lstrip()[0] != '"':
            first = quoted(first.strip())
        self._parts += ("[" if self._stack[-1] == _SET else "{", first)

    def _close(self, bracket: str) -> None:
        if not self._stack or _CLOSERS[self._stack[-1]] != bracket:
            raise _LiteralError(f"a {bracket!r} that closes nothing")
        self._decide_brace("{" if self._empty[-1] else "[")
        commas, empty = self._items.pop(), self._empty.pop()
        if bracket == ")" and not commas and not empty:
            raise _LiteralError("an expression in parentheses, where a literal was expected")
        self._give("]" if self._stack.pop() == _SET else _JSON_BRACKETS.get(bracket, bracket))
        self._comma = False  # one before a closing bracket means nothing
        self._after_key, self._after_value = False, True
        self.done = not self._stack

    # ------------------------------------------------------------------ strings

    def _begin_string(self, quote: str) -> None:
        self._quote, self._has_quotes = quote, False
        self._in_key = self._is_key()
        if self._in_key:
            self._key = ""
        elif self._meaning_of is not None and quote in self._syntax.raw and len(self._stack) == 1:
            self._meaning = self._meaning_of(self._key)
        if self._meaning is None:
            self._give('"')
        self._search_closer()

    def _search_closer(self) -> None:
        closer = self._syntax.quotes[self._quote]
        self._stops = markers((closer,) if self._quote in self._syntax.raw else (closer, "\\"))

    def _read_string(self, cursor: Cursor) -> bool:
        text, found = cursor.take_until(self._stops)
        if self._meaning is not None:
            self._held.append(text)
            self.held += len(text)
        else:
            self._give(escaped(text))
            if self._in_key:
                self._key += text
        if not found:
            return False
        if self.holds_too_much:
            cursor.at -= len(found)
            return False
        if found == "\\":
            return self._read_escape(cursor)
        if self._syntax.loose:
            self._gap = []
        else:
            self._end_string()
        return True

    def _read_behind_quote(self, cursor: Cursor, gap: list[str]) -> bool:
        """What follows a quote, and the gap behind it, shows whether that has ended the string."""
        gap += cursor.take_space()
        mark = cursor.begins(self._marks)
        ends: bool | None = None
        if mark is not None and not cursor.is_empty:
            ends = mark in self._syntax.ends or self._is_ended(cursor.ahead(_AHEAD))
        if ends or (ends is None and cursor.final and not cursor.cut):
            self._end_string()
        elif ends is False:
            self._gap = None
            if mark in self._syntax.quotes and not self._has_quotes:  # the string goes on in another one
                self._quote = cursor.take(len(mark or ""))
                self._search_closer()
            else:
                self._give(escaped(self._quote + "".join(gap)))
                self._has_quotes = True
        return self._gap is None

    def _is_ended(self, following: str) -> bool | None:
        """Whether this may stand behind a string: what is part of an expression may, too, which no value is.

        Once a string has held a quote, less is taken for its end. None: that depends on what comes.
        """
        first = following[0]
        if self._has_quotes and not self._stack:
            is_open = len(following) < _AHEAD and _MAY_GO_ON.fullmatch(following) is not None
            return None if is_open else _GOES_ON.match(following) is not None
        if first == "." and not self._gap:
            return following[1].isidentifier() if len(following) > 1 else None
        return first in (":,}" if self._in_key else ",)]}") or first in "+%*"

    def _end_string(self) -> None:
        if self._meaning is None:
            self._give('"')
        else:
            self._give(self._meaning("".join(self._held)))
            self._meaning, self._held, self.held = None, [], 0
        if self._gap and self._stack:
            self._give("".join(self._gap))
        self._quote, self._gap = "", None
        self._after_value = not self._in_key
        self.done = not self._stack

    def _read_escape(self, cursor: Cursor) -> bool:
        cursor.at -= 1
        if _HALF_ESCAPE.match(cursor.text, cursor.at):
            return False
        match = _WHOLE_ESCAPE.match(cursor.text, cursor.at)
        if match is None:
            raise _LiteralError("half an escape in a string")
        cursor.at = match.end()
        body = match.group()[1:]
        if body[0] == "u":
            self._give("\\" + body)  # as in JSON, where two surrogates are one character
        elif len(body) > 1 or body in "01234567":
            code = int(body[1:], 16) if body[0] in "xU" else int(body, 8)
            if code > 0x10FFFF:
                raise _LiteralError("an escape for no character")
            self._give(escaped(chr(code)))
        else:
            self._give(escaped(_NAMED.get(body, "\\" + body)))
        return True

    # ------------------------------------------------------------------ words

    def _is_key(self) -> bool:
        return bool(self._stack) and self._stack[-1] == "{" and not self._after_key

    def _read_word(self, cursor: Cursor) -> bool:
        stops: tuple[str, ...] = _WORD_STOPS
        if self._syntax.bare:
            stops = _BARE_STOPS if self._is_key() else _BARE_STOPS[:-1]
        marks = self._syntax.raw if self._syntax.bare else ()
        text, found = cursor.take_until(markers((*stops, *marks, *self._syntax.ends)))
        self._word += text
        surplus = len(self._word) - _LONGEST_WORD
        if surplus > 0:
            cursor.at -= surplus + len(found)
            raise _LiteralError("a word of more than 1024 characters, where a literal was expected")
        if found in marks:
            self._end_unopened()
        elif found:
            cursor.at -= len(found)
            self._end_word(found)
        return bool(found)

    def _end_unopened(self) -> None:
        """A word, and the mark that ends a string: the mark that begins it is missing."""
        meaning = self._meaning_of(self._key) if self._meaning_of is not None and len(self._stack) == 1 else None
        is_key, word = self._is_key(), self._word.strip()
        self._give(quoted(word) if meaning is None or is_key else meaning(word))
        self._key = word if is_key else self._key
        self._after_value = not is_key
        self._word = ""

    def _end_word(self, stop: str) -> None:
        word = self._word.strip()
        is_key = self._is_key()
        if self._syntax.bare and stop == ":":
            self._key = word
            self._give(quoted(word))
        else:
            literal = self._literal(word)
            self._give(quoted(literal) if is_key and self._first is None and self._syntax.loose else literal)
            self._after_value = True
            self.done = not self._stack
        self._word = ""

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
