"""Messages with headers (`Messages`): which are reasoning, which are visible, and which are calls."""

from __future__ import annotations

import re

from .cursor import Cursor, markers
from .formats import Messages, Opener
from .json_values import JSONValue
from .output import Output, escaped
from .sections import Section

_RECIPIENT = re.compile(r"\bto=([^\s<]+)")


class MessageSection(Section):
    """Reads `Messages`, to the end of the text."""

    def __init__(self, body: Messages, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self._is_between = False
        self._in_reasoning = False
        self._value = JSONValue()

    @property
    def is_between(self) -> bool:
        return self._is_between

    def _begin(self) -> bool:
        return self._go(self._read_header)

    def _read_header(self) -> bool:
        found = self._find((self._body.body,))
        if found is None:
            return False
        header = self._take_header()
        channel = header.partition(self._body.channel)[2].split()[:1]
        recipient = _RECIPIENT.search(header)
        if recipient is not None:
            self._output.open(recipient[1].removeprefix("functions."))
            return self._go(self._begin_call)
        self._in_reasoning = bool(channel) and channel[0].split("<")[0] == self._body.reasoning
        self._is_between = True  # a text may end anywhere
        return self._go(self._read_text)

    def _read_text(self) -> bool:
        text, found = self._cursor.take_until(markers((*self._body.ends, *self._body.starts)))
        if text:
            (self._output.think if self._in_reasoning else self._output.say)(text)
        if not found:
            return False
        if found in self._body.starts:
            self._cursor.at -= len(found)
        return self._end_message()

    def _end_message(self) -> bool:
        self._output.turn()
        self._is_between = True
        return self._go(self._between)

    def _between(self) -> bool:
        """Between two messages: what is no header is dropped."""
        _, found = self._cursor.take_until(markers(self._body.starts))
        if not found:
            return False
        self._cursor.at -= len(found)
        self._is_between = False
        return self._go(self._read_header)

    # ------------------------------------------------------------------ calls

    def _begin_call(self) -> bool:
        if not self._skip_space():
            return False
        if self._cursor.text[self._cursor.at] == "{":
            self._value = JSONValue()
            return self._go(self._read_arguments)
        self._output.arguments('{"code":"')
        return self._go(self._read_code)

    def _read_arguments(self) -> bool:
        if self._cursor.is_empty:
            return False
        self._output.arguments(self._value.read(self._cursor))
        if not self._value.done:
            return False
        self._output.close()
        return self._go(self._end_call)

    def _end_call(self) -> bool:
        """Behind the arguments, up to the message's end, which may be missing."""
        self._is_between = True
        _, found = self._cursor.take_until(markers((*self._body.ends, *self._body.starts)))
        if not found:
            return False
        if found in self._body.starts:
            self._cursor.at -= len(found)
        return self._end_message()

    def _read_code(self) -> bool:
        text, found = self._cursor.take_until(markers(self._body.ends))
        self._output.arguments(escaped(text))
        if not found:
            return False
        self._output.arguments('"}')
        self._output.close()
        return self._end_message()
