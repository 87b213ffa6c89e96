"""Calls as JSON objects with a name and arguments, alone, one after another or in a list (`Objects`).

Members may come in any order. The arguments go to the call's parser as they come; only where they come before the name
do they wait for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from .cursor import Cursor
from .formats import ARGUMENTS, IDS, NAMES, Objects, Opener
from .json_values import JSONValue
from .literals import PYTHON, LiteralValue
from .output import Output
from .sections import Section

_WRAPPERS = ("function", "tool")
_AROUND = ("{", "[", ",", "}", "]")
"""What may stand behind an object that is to be closed: another one, a list of them, and a bracket too many."""


class ObjectSection(Section):
    """Reads `Objects`."""

    def __init__(self, body: Objects, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self.decided = False
        self._body = body
        self._in_list = False
        self._is_between = False
        self._value: JSONValue | LiteralValue = JSONValue()
        self._forget_call()

    def _forget_call(self) -> None:
        self._name: str | None = None
        self._id: str | None = None
        self._nested = 0  # wrappers around the members that count
        self._early: list[str] = []  # arguments that came before the name
        self._early_size = 0
        self._has_arguments = False
        self._is_open = False
        self._key = ""
        self._is_plain = True  # no member says anything but what a call needs
        self._stranger = ""  # a member that holds an object, and is not known
        self._quote = '"'  # of the last key: where that is single the values are Python's, too
        self._parts: list[str] = []
        self._then: Callable[[str], bool] = self._take_key

    @property
    def is_between(self) -> bool:
        return self._is_between and not self._in_list

    # ------------------------------------------------------------------ around the objects

    def _begin(self) -> bool:
        if not self._skip_space():
            return False
        character = self._cursor.text[self._cursor.at]
        if character == "[":
            self._cursor.take(1)
            self._in_list = True
            return self._go(self._begin_element)
        if character == "{":
            return self._begin_object()
        return self._refuse()

    def _begin_element(self) -> bool:
        """In a list: an object, or the list's end."""
        if not self._skip_space():
            return False
        character = self._cursor.text[self._cursor.at]
        if character == "{":
            return self._begin_object()
        if character == "]":
            self._cursor.take(1)
            return self._end_list()
        found = self._cursor.begins(self._body.closes) if self._is_between else ""
        if found == "":
            return self._fail("an object or ']'")
        return found is not None and self._end_list()  # the list's bracket is missing

    def _end_list(self) -> bool:
        if not self._is_decided():
            return self._refuse()
        self._in_list = False
        self._is_between = True
        return self._go(self._behind)

    def _is_decided(self) -> bool:
        """Whether these are calls, now that there are objects, or none in a list."""
        if not self.decided and not self.opener.trial:
            self._decide()
        return self.decided

    def _begin_object(self) -> bool:
        self._cursor.take(1)
        self._is_between = False
        self._forget_call()
        return self._go(self._begin_first_member)

    def _begin_first_member(self) -> bool:
        """Behind an object's brace: `{...}`, as prose has it, is no object."""
        if not self._skip_space():
            return False
        character = self._cursor.text[self._cursor.at]
        if not self.decided and not (character.isalnum() or character in "\"'}_,"):
            return self._refuse()
        self._is_decided()
        return self._go(self._begin_member)

    def _behind(self) -> bool:
        """Behind an object or a list: another one, the section's end, or something else."""
        if self._body.closes:
            return self._behind_closable()
        return self._go(self._behind_separable) if self._body.separator else self._finish()

    def _behind_closable(self) -> bool:
        if not self._skip_space():
            return False
        found = self._cursor.begins((*self._body.closes, *_AROUND))
        if found is None:
            return False
        if found in ("{", "["):
            self._is_between = False
            return self._go(self._begin)
        self._cursor.take(len(found))
        if found == ",":
            self._parts = [found]
            return self._go(self._behind_separator)
        return found in _AROUND or self._finish()

    def _behind_separable(self) -> bool:
        self._output.say(self._cursor.take_space())
        if self._cursor.is_empty:
            return False
        if not self._cursor.begins((self._body.separator,)):
            return self._finish()
        self._parts = [self._cursor.take(len(self._body.separator))]
        return self._go(self._behind_separator)

    def _behind_separator(self) -> bool:
        """Behind a separator: another object, or the separator is text."""
        self._parts.append(self._cursor.take_space())
        if self._cursor.is_empty and not self._cursor.final:
            return False
        if self._next != "{":
            self._output.say("".join(self._parts))
            return self._finish()
        self._is_between = False
        return self._begin_object()

    # ------------------------------------------------------------------ in an object

    def _begin_member(self) -> bool:
        """A key, or the object's end."""
        if not self._skip_space():
            return False
        character = self._cursor.text[self._cursor.at]
        if character == "}":
            self._cursor.take(1)
            return self._end_object()
        if character == ",":
            self._cursor.take(1)
            return True
        if character in "\"'":
            return self._read_text(self._take_key)
        if self._is_open and self._has_arguments and not self._nested:
            return self._end_call()  # the object's last brace is missing
        return self._fail("a key in double quotes or '}'")

    def _take_key(self, key: str) -> bool:
        self._key = key
        return self._go(self._take_colon)

    def _take_colon(self) -> bool:
        if not self._skip_space():
            return False
        if self._cursor.text[self._cursor.at] != ":":
            return self._fail("':'")
        self._cursor.take(1)
        return self._go(self._begin_value)

    def _begin_value(self) -> bool:
        if not self._skip_space():
            return False
        character = self._cursor.text[self._cursor.at]
        key = self._key
        if self._body.keyed and self._name is None:
            self._name = key
            return self._begin_arguments(character)
        if key in ARGUMENTS and not self._has_arguments:
            return self._begin_arguments(character)
        if character in "\"'" and self._name is None and key in (*NAMES, *_WRAPPERS):
            return self._read_text(self._take_name)
        if character in "\"'" and key in IDS:
            return self._read_text(self._take_id)
        if character == "{" and key in _WRAPPERS and self._name is None:
            self._cursor.take(1)
            self._nested += 1
            return self._go(self._begin_member)
        if character == "{":
            self._stranger = key
        self._is_plain = self._is_plain and key == "type"
        self._value = self._new_value(character)
        return self._go(self._skip_value)

    def _new_value(self, character: str) -> JSONValue | LiteralValue:
        return LiteralValue(PYTHON) if "'" in (character, self._quote) else JSONValue()

    def _read_text(self, then: Callable[[str], bool]) -> bool:
        character = self._cursor.text[self._cursor.at]
        if then == self._take_key:
            self._quote = character
        self._value = LiteralValue(PYTHON) if character == "'" else JSONValue()
        self._parts = []
        self._then = then
        return self._go(self._continue_text)

    def _continue_text(self) -> bool:
        if self._cursor.is_empty:
            return False
        self._parts.append(self._value.read(self._cursor))
        if not self._value.done:
            return self._is_faulty()
        try:
            text = json.loads("".join(self._parts))
        except ValueError:
            return self._fail("a string", "".join(self._parts))
        return self._then(text)

    def _is_faulty(self) -> bool:
        """Deals with a value that is bad, if it is."""
        return bool(self._value.fault) and self._fail("a literal", self._value.fault)

    def _take_name(self, name: str) -> bool:
        self._name = name or None
        if self._name and self._early and self._has_arguments:
            self._open()
            self._output.arguments("".join(self._early))
            self._early = []
        return self._go(self._begin_member)

    def _take_id(self, id: str) -> bool:
        self._id = id
        return self._go(self._begin_member)

    def _skip_value(self) -> bool:
        if self._cursor.is_empty:
            return False
        self._value.read(self._cursor)
        return self._go(self._begin_member) if self._value.done else self._is_faulty()

    # ------------------------------------------------------------------ the arguments

    def _begin_arguments(self, character: str) -> bool:
        if not self.decided and character not in '{"n':
            return self._refuse()
        self._has_arguments = True
        if self._name is not None:
            self._open()
        self._value = self._new_value(character)
        self._parts = []
        return self._go(self._continue_string if character in "\"'" else self._continue_arguments)

    def _open(self) -> None:
        if not self.decided:
            self._decide()
        self._is_open = True
        self._output.open(self._name or "", self._id, late_id=self._body.late_id)

    def _continue_arguments(self) -> bool:
        if self._cursor.is_empty and not self._cursor.final:
            return False
        self._give(self._value.read(self._cursor))
        return self._go(self._begin_member) if self._value.done else self._is_faulty()

    def _give(self, text: str) -> None:
        if self._is_open:
            self._output.arguments(text)
        else:
            self._early.append(text)
            self._early_size += len(text)
            self._output.check_held(self._early_size)

    def _continue_string(self) -> bool:
        """Arguments that are a string with their JSON text in it."""
        if self._cursor.is_empty:
            return False
        text = self._value.read(self._cursor)
        self._parts.append(text)
        self._early_size += len(text)
        self._output.check_held(self._early_size)
        if not self._value.done:
            return self._is_faulty()
        try:
            inner = json.loads("".join(self._parts))
        except ValueError:
            return self._fail("a string", "".join(self._parts))
        self._give(inner)
        return self._go(self._begin_member)

    # ------------------------------------------------------------------ the end

    def _end_object(self) -> bool:
        if self._nested:
            self._nested -= 1
            return self._go(self._begin_member)
        if not self._is_open:
            if not self.decided and not self._is_known():
                return self._refuse()
            if self._name is None:
                return self._end_bad_object("}", "a call's name")
            self._open()
            if self._stranger and not self._has_arguments:  # a call without them would run, with nothing
                return self._end_bad_object(
                    self._stranger, "the arguments under one of the names " + ", ".join(ARGUMENTS)
                )
            self._output.arguments("".join(self._early))
        return self._end_call()

    def _is_known(self) -> bool:
        """Whether an object says no more than the name of a tool that is known, so that it is a call even on trial."""
        tools = self._output.tools
        return tools is not None and self._name is not None and self._is_plain and tools.get(self._name) is not None

    def _end_bad_object(self, found: str, expected: str) -> bool:
        self._output.unexpected(found, expected)
        self._output.drop()
        return self._go(self._next_element if self._in_list else self._behind)

    def _end_call(self) -> bool:
        self._output.close(self._id)
        self._is_between = True
        return self._go(self._next_element if self._in_list else self._behind)

    def _next_element(self) -> bool:
        """In a list, behind an object."""
        if not self._skip_space():
            return False
        if self._cursor.text[self._cursor.at] == ",":
            self._cursor.take(1)
        return self._go(self._begin_element)

    def _fail(self, expected: str, found: str = "") -> bool:
        """The text is not what it should be: no call if that is not decided, else a bad one."""
        if not self.decided:
            return self._refuse()
        self._output.unexpected(found or self._next, expected)
        self._in_list = False
        return self._go(self._give_up)

    def _give_up(self) -> bool:
        """What is left of a section with a bad object is no text."""
        if not self._body.closes:
            self._output.drop()
            return self._finish()
        return self._resume((*self._body.closes, *self._body.entry, self.opener.marker)) and self._go(self._behind)
