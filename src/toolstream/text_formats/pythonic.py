"""Calls as Python writes them (`Python`), and as Gemma does (`Gemma`): rewritten as JSON text while they come."""

from __future__ import annotations

import re
from functools import partial

from .coercion import coerced, is_text, schema_of
from .cursor import Cursor
from .formats import Gemma, Opener, Python
from .literals import PYTHON, LiteralValue, Meaning, gemma
from .output import Output, quoted
from .sections import Section

_NAME = re.compile(r"[^\W\d][\w.\-]*")
_PREFIX = "call:"


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
        self._value = LiteralValue(PYTHON)

    @property
    def is_between(self) -> bool:
        return self._is_between and not self._in_list

    @property
    def is_doubtful(self) -> bool:
        name = self._header
        is_none = name != "" and (_NAME.fullmatch(name) is None or name.endswith("."))
        return super().is_doubtful or (is_none and not self.decided)

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
            self._in_list = False
            return self._go(self._behind)
        if self._next == "," and self._is_between:
            cursor.take(1)
            return True
        if self._body.closes and not self._in_list and self.decided:
            found = cursor.begins(self._body.closes)
            if found is None:
                return False
            if found:
                cursor.take(len(found))
                return self._finish()
        return self._go(self._read_name)

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
        self._value = LiteralValue(PYTHON)
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
        return self._finish()

    def _fail(self, expected: str) -> bool:
        if not self.decided:
            return self._refuse()
        self._in_list = False
        self._output.unexpected(self._take_header() + self._next, expected)
        return self._go(self._give_up)

    def _fault(self, reason: str) -> bool:
        self._in_list = False
        self._output.fault(f"found {reason}")
        return self._go(self._give_up)

    def _give_up(self) -> bool:
        """What is left of a section with a bad call is no text."""
        if not self._body.closes:
            self._output.drop()
            return self._finish()
        return self._resume(self._body.closes) and self._go(self._behind)


class GemmaSection(Section):
    """Reads `Gemma`."""

    def __init__(self, body: Gemma, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self._value = LiteralValue(gemma(body.mark), self._meaning_of if body.untyped else None)
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
        found = self._cursor.begins((_PREFIX,))
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
