"""A program in place of a call: one call of a tool that runs code, with the text as its only argument (`Code`)."""

from __future__ import annotations

from .cursor import Cursor, markers
from .formats import Code, Opener
from .output import Output, escaped, quoted
from .sections import Section


class CodeSection(Section):
    """Reads `Code`. One newline at either end of the text is framing."""

    def __init__(self, body: Code, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self._newline = ""  # one that has come, and may be the last
        self._at_start = True

    @property
    def is_between(self) -> bool:
        return self.outcome == "done"

    def _begin(self) -> bool:
        self._output.open(self._body.name)
        self._output.arguments("{" + quoted(self._body.parameter) + ':"')
        return self._go(self._read)

    def _read(self) -> bool:
        text, found = self._cursor.take_until(markers(self._body.closes))
        self._write(text)
        if found or (self._cursor.final and not self._cursor.cut):
            return self._end()
        return False

    def _write(self, text: str) -> None:
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\n")
        text, self._newline = self._newline + text, ""
        if text.endswith("\n"):
            text, self._newline = text[:-1], "\n"
        self._output.arguments(escaped(text))

    def _end(self) -> bool:
        self._output.arguments('"}')
        self._output.close()
        return self._finish()
