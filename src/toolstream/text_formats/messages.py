"""Messages with headers (`Messages`): which are reasoning, which are visible, and which are calls."""

from __future__ import annotations

import re

from .cursor import Cursor, markers
from .formats import Messages, Opener
from .json_values import JSONValue
from .output import Output, escaped
from .sections import Section

_RECIPIENT = re.compile(r"\bto=([^\s<]+)")
_BEGINS = re.compile(r"t(?:o(?:=\S*\s*)?)?")


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
        return self._go(self._read_header if self.decided else self._begin_recipient)

    def _begin_recipient(self) -> bool:
        """The rest of a header that the prompt has begun: a recipient, which stands before the channel."""
        found = self._find((self._body.channel,))
        if found == "" or _BEGINS.fullmatch(self._header) is None:
            return self._refuse()
        if found is None:
            return False
        self._decide()
        self._header += found
        return self._go(self._read_header)

    def _read_header(self) -> bool:
        """A header up to the body; where the mark between them is missing, arguments and a message's end show it."""
        found = self._find((self._body.body, "{", *self._body.ends))
        if found is None:
            return False
        recipient = _RECIPIENT.search(self._header)
        if found == "{" and recipient is None:
            self._header += found
            return True
        header = self._take_header()
        channel = self._body.channel
        if recipient is not None and recipient[1] == "assistant" and header.count(channel) > 1:  # two headers in one
            header = header[header.rindex(channel) :]
            recipient = _RECIPIENT.search(header)
        if recipient is not None and recipient[1] != "assistant":
            if found != self._body.body:
                self._cursor.at -= len(found)
            self._output.open(recipient[1].removeprefix("functions."))
            return self._go(self._begin_call)
        self._is_between = True  # a text may end anywhere
        if found in self._body.ends or recipient is not None:  # nothing, or what a tool would answer
            return self._end_message(found)
        name = header.partition(channel)[2].split()[:1]
        self._in_reasoning = bool(name) and name[0].split("<")[0] == self._body.reasoning
        return self._go(self._read_text)

    def _read_text(self) -> bool:
        text, found = self._cursor.take_until(markers((*self._body.ends, *self._body.starts)))
        if text:
            (self._output.think if self._in_reasoning else self._output.say)(text)
        if not found:
            return False
        return self._end_message(found)

    def _end_message(self, found: str) -> bool:
        """Behind a message, and what has ended it."""
        if found in self._body.starts:
            self._cursor.at -= len(found)
        self.stop = found if found in self._body.ends else None
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
        found = self._cursor.begins(self._body.ends)
        if found is None:
            return False
        if found:
            return self._go(self._close_call)
        if self._cursor.text[self._cursor.at] == "{":
            self._value = JSONValue()
            return self._go(self._read_arguments)
        self._output.arguments('{"code":"')
        return self._go(self._read_code)

    def _read_arguments(self) -> bool:
        if self._cursor.is_empty:
            return False
        self._output.arguments(self._value.read(self._cursor))
        if self._value.fault:
            self._output.drop()
            return self._go(self._end_call)
        return self._value.done and self._go(self._close_call)

    def _close_call(self) -> bool:
        self._output.close()
        return self._go(self._end_call)

    def _end_call(self) -> bool:
        """Behind the arguments, up to the message's end, which may be missing."""
        self._is_between = True
        _, found = self._cursor.take_until(markers((*self._body.ends, *self._body.starts)))
        return self._end_message(found) if found else False

    def _read_code(self) -> bool:
        text, found = self._cursor.take_until(markers(self._body.ends))
        self._output.arguments(escaped(text))
        if not found and (self._cursor.cut or not self._cursor.final):
            return False
        self._output.arguments('"}')
        self._output.close()
        return self._end_message(found)
