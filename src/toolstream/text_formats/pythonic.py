"""Calls as Python writes them (`Python`), and as Gemma does (`Gemma`): rewritten as JSON text while they come."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

from .coercion import coerced, is_text, schema_of
from .cursor import Cursor, markers
from .formats import Gemma, Opener, Python
from .literals import CALLS, LiteralValue, Meaning, gemma
from .output import Output, quoted
from .sections import Section

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_PREFIX = "call:"
_OPENING, _CLOSING = "([{", ")]}"
_BESIDE_TEXT = (*"'\"\\\n", *_OPENING, *_CLOSING)
"""What shows where a bad call ends. No string in it goes on behind the end of a line."""


class PythonSection(Section):
    """Reads `Python`."""

    def __init__(self, body: Python, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self.decided = False
        self._in_list = False
        self._is_between = False
        self._count = 0  # arguments of the call
        self._is_wrapped = False
        self._syntax = replace(CALLS, ends=body.closes)
        self._value = LiteralValue(self._syntax)
        self._section: list[str] | None = [] if body.echoes else None  # as it stands there, for its echo
        self._echo = ""  # what its echo is
        self._echoed = 0  # characters of that which have come
        self._depth = 0  # open brackets of a bad call
        self._quote = ""  # of its open string
        self._in_escape = False

    @property
    def is_between(self) -> bool:
        return self._is_between and not self._in_list

    @property
    def is_doubtful(self) -> bool:
        name = self._header
        is_none = name != "" and (_NAME.fullmatch(name) is None or name.endswith("."))
        return super().is_doubtful or (is_none and not self.decided)

    def step(self) -> bool:
        start = self._cursor.at
        got_on = super().step()
        if self._section is not None:
            self._section.append(self._cursor.text[start : self._cursor.at])
        return got_on

    def _begin(self) -> bool:
        if not self._skip_space():
            return False
        if self._body.brackets:
            if self._cursor.text[self._cursor.at] != "[":
                return self._fail("'['")
            self._cursor.take(1)
            self._in_list = True
        return self._go(self._begin_call)

    def _begin_call(self) -> bool:
        """A call's name, or the end of the calls."""
        if not self._skip_space():
            return False
        cursor = self._cursor
        if self._next == "]" and self._in_list and self.decided:
            cursor.take(1)
            return self._end_list()
        if self._next == "," and self._is_between:
            cursor.take(1)
            return True
        if self.decided:
            found = cursor.begins(self._body.closes)
            if found is None:
                return False
            if found:  # a list's bracket may be missing
                return self._end_list()
        return self._go(self._read_name)

    def _end_list(self) -> bool:
        self._in_list = False
        return self._go(self._behind)

    def _read_name(self) -> bool:
        return self._read_name_into_header() and self._go(self._behind_name)

    def _behind_name(self) -> bool:
        if not self._skip_space():
            return False
        name = self._header
        if self._next != "(" or not _NAME.fullmatch(name) or not name.endswith(self._body.suffix):
            return self._fail("a call: name(key=value)")
        self._cursor.take(1)
        self._take_header()
        if name == self._body.wrapper:
            self._is_wrapped = True
            return self._go(self._begin_call)
        self._is_between = False
        self._decide()
        self._count = 0
        self._output.open(name.removesuffix(self._body.suffix))
        self._output.arguments("{")
        return self._go(self._begin_argument)

    def _begin_argument(self) -> bool:
        """An argument's name, or the call's end."""
        if not self._skip_space():
            return False
        if self._next == ")":
            self._cursor.take(1)
            return self._end_call()
        return self._go(self._read_key)

    def _read_key(self) -> bool:
        return self._read_name_into_header() and self._go(self._behind_key)

    def _behind_key(self) -> bool:
        if not self._skip_space():
            return False
        name = self._header
        if self._next != "=" or not _NAME.fullmatch(name):
            return self._fail("an argument's name and '='")
        self._cursor.take(1)
        self._take_header()
        self._output.arguments(("," if self._count else "") + quoted(name) + ":")
        self._count += 1
        self._value = LiteralValue(self._syntax)
        return self._go(self._read_value)

    def _read_value(self) -> bool:
        if self._cursor.is_empty and not self._cursor.final:
            return False
        self._output.arguments(self._value.read(self._cursor))
        if self._value.fault:
            return self._fault(self._value.fault)
        return self._value.done and self._go(self._behind_value)

    def _behind_value(self) -> bool:
        if not self._skip_space():
            return False
        character = self._next
        if character not in ",)":
            return self._fail("',' or ')'")
        self._cursor.take(1)
        return self._end_call() if character == ")" else self._go(self._begin_argument)

    def _end_call(self) -> bool:
        self._output.arguments("}")
        self._output.close()
        self._is_between = True
        if self._is_wrapped:
            return self._go(self._unwrap)
        return self._finish() if self._body.suffix else self._go(self._begin_call)

    def _unwrap(self) -> bool:
        if not self._skip_space():
            return False
        self._is_wrapped = False
        if self._next != ")":
            return self._fail("')'")
        self._cursor.take(1)
        return self._go(self._begin_call)

    def _behind(self) -> bool:
        """Behind the list: the section's end, which may be missing."""
        if not self._body.closes:
            return self._finish()
        if not self._skip_space():
            return False
        found = self._cursor.begins(self._body.closes)
        if found is None:
            return False
        self._cursor.take(len(found))
        if not found or self._section is None or not self._body.brackets:
            return self._finish()
        self._echo, self._section = "".join(self._section).strip() + found, None
        self._cursor.mark()
        return self._go(self._behind_section)

    def _behind_section(self) -> bool:
        """Behind the section: its echo, or something else. What only begins like one is text."""
        if not self._echoed:
            self._cursor.take_space()
        piece = self._cursor.ahead(len(self._echo) - self._echoed)
        if piece and self._echo.startswith(piece, self._echoed):
            self._cursor.take(len(piece))
            self._cursor.scanned += len(piece)
            self._echoed += len(piece)
            if self._echoed == len(self._echo):
                self._echoed = 0
                self._cursor.mark()
            return True
        if not piece and not self._cursor.final:
            return False
        self._cursor.rewind()
        return self._finish()

    def _fail(self, expected: str) -> bool:
        if not self.decided:
            return self._refuse()
        is_in_call = self._output.call is not None
        self._output.unexpected(self._take_header() + self._next, expected)
        if is_in_call:
            return self._skip_from(1, "")
        self._in_list = False
        return self._go(self._give_up)

    def _fault(self, reason: str) -> bool:
        self._output.fault(f"found {reason}")
        return self._skip_from(1 + self._value.depth, self._value.open_quote)

    def _skip_from(self, depth: int, quote: str) -> bool:
        """What is left of a bad call is read over. Other calls may follow it."""
        self._take_header()
        self._depth, self._quote, self._in_escape = depth + self._is_wrapped, quote, False
        return self._go(self._skip_call)

    @property
    def is_lost(self) -> bool:
        return super().is_lost or self._state == self._skip_call

    def _skip_call(self) -> bool:
        """In a bad call: up to its closing parenthesis, or to the section's end."""
        text, found = self._cursor.take_until(markers((*self._body.closes, *_BESIDE_TEXT)))
        if not found:
            self._in_escape = self._in_escape and not text
            return False
        if found in self._body.closes:
            self._cursor.at -= len(found)
            self._output.drop()
            return self._end_list()
        is_escaped, self._in_escape = self._in_escape and not text, False
        if not is_escaped:
            self._pass(found)
        if self._depth:
            return True
        self._output.drop()
        self._is_between, self._is_wrapped = True, False
        return self._go(self._begin_call) if self._in_list or self._body.closes else self._finish()

    def _pass(self, found: str) -> None:
        """Counts the brackets of a bad call that stand outside strings."""
        if found == "\\":
            self._in_escape = True
        elif self._quote:
            self._quote = "" if found in (self._quote, "\n") else self._quote
        elif found in "'\"":
            self._quote = found
        elif found in _OPENING:
            self._depth += 1
        elif found in _CLOSING and (self._depth > 1 or found == ")"):
            self._depth -= 1

    def _give_up(self) -> bool:
        """What is left of a section with something else than a call is no text."""
        if not self._body.closes:
            self._output.drop()
            return self._finish()
        return self._resume(self._body.closes) and self._go(self._behind)


class GemmaSection(Section):
    """Reads `Gemma`."""

    def __init__(self, body: Gemma, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self._value = LiteralValue(gemma(body.mark, body.closes), self._meaning_of if body.untyped else None)
        self._value.most = output.limit
        self._name = ""
        self.decided = False
        self._is_between = False

    @property
    def is_between(self) -> bool:
        return self._is_between

    def _begin(self) -> bool:
        if not self._skip_space():
            return False
        found = self._cursor.begins((_PREFIX, ":" + _PREFIX))
        if found is None:
            return False
        if not found:
            return self._refuse()
        self._cursor.take(len(found))
        return self._go(self._read_name)

    def _read_name(self) -> bool:
        return self._read_name_into_header() and self._go(self._behind_name)

    def _behind_name(self) -> bool:
        if not self._skip_space():
            return False
        if self._next != "{" or not _NAME.fullmatch(self._header):
            return self._refuse()
        self._decide()
        self._name = self._take_header()
        self._output.open(self._name)
        return self._go(self._read_value)

    def _meaning_of(self, key: str) -> Meaning | None:
        schema = schema_of(self._output.tools, self._name, key)
        return None if schema is None or is_text(schema) else partial(coerced, schema=schema)

    def _read_value(self) -> bool:
        self._output.arguments(self._value.read(self._cursor))
        if self._value.holds_too_much:
            self._output.check_held(self._value.held)
            self._value.most = None  # the call is bad, but not this text
        if self._value.fault:
            self._output.fault(f"found {self._value.fault}")
            return self._go(self._give_up)
        if not self._value.done:
            return False
        self._output.close()
        self._is_between = True
        return self._go(self._behind)

    def _give_up(self) -> bool:
        return self._resume(self._body.closes) and self._go(self._behind)

    def _behind(self) -> bool:
        if not self._skip_space():
            return False
        found = self._cursor.begins(self._body.closes)
        if found is None:
            return False
        self._cursor.take(len(found))
        return self._finish()
