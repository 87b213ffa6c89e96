"""Calls with a header that holds the name, and arguments as JSON behind it (`Headed`)."""

from __future__ import annotations

import re

from .cursor import Cursor, markers
from .formats import Headed, Opener
from .json_values import JSONValue
from .output import Output
from .sections import Section

_LONGEST_NOISE = 64
"""Characters between a section's opener and its first entry."""


class HeadedSection(Section):
    """Reads `Headed`."""

    def __init__(self, body: Headed, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self._value = JSONValue()
        self._is_between = False
        self.decided = False

    @property
    def is_between(self) -> bool:
        return self._is_between

    @property
    def is_doubtful(self) -> bool:
        return super().is_doubtful or (self._state == self._begin_section and self._header.strip() != "")

    def _begin(self) -> bool:
        return self._go(self._begin_section if self._body.entry else self._read_header)

    def _begin_section(self) -> bool:
        """The first entry, or the end; but for a little noise, what has something else before it is text."""
        body = self._body
        found = self._find((*body.entry, *body.closes))
        if len(self._header) > _LONGEST_NOISE or found == "":
            return self._refuse()
        if found is None:
            return False
        if found not in body.entry and self._header.strip():
            return self._refuse()
        self._take_header()
        return self._go(self._read_header) if found in body.entry else self._finish()

    def _between(self) -> bool:
        """In a section: another entry, the end, or noise, which is read over."""
        body = self._body
        _, found = self._cursor.take_until(markers((*body.entry, *body.closes)))
        if found in body.entry and found:
            self._is_between = False
            return self._go(self._read_header)
        return self._finish() if found else False

    def _read_header(self) -> bool:
        body = self._body
        found = self._find(("{", *body.ends, *body.closes))
        if not body.entry and re.fullmatch(body.begins, self._header, re.DOTALL) is None:
            return self._refuse()
        if found is None:
            return False
        header = re.fullmatch(body.header, self._header, re.DOTALL)
        if header is None or not found:  # no header, or one that is longer than any
            return self._skip_entry(found) if self.decided else self._refuse()
        self._take_header()
        self._decide()
        groups = header.groupdict()
        self._output.open(groups["name"].strip(), groups.get("id"))
        if found == "{":
            self._cursor.at -= 1
            self._value = JSONValue()
            return self._go(self._read_arguments)
        self._cursor.at -= len(found)
        return self._end_entry()

    def _skip_entry(self, found: str) -> bool:
        """An entry whose header is not what it should be."""
        self._output.unexpected(self._take_header(), "a call's name")
        self._cursor.at -= len(found)
        return self._go(self._give_up)

    def _give_up(self) -> bool:
        body = self._body
        words = (*body.ends, *body.closes, *body.entry)
        return self._resume(words or (self.opener.marker,)) and self._go(self._behind)

    def _read_arguments(self) -> bool:
        if self._cursor.is_empty:
            return False
        self._output.arguments(self._value.read(self._cursor))
        if self._value.fault:
            return self._go(self._give_up)
        return self._end_entry() if self._value.done else False

    def _end_entry(self) -> bool:
        self._output.close()
        self._is_between = True
        return self._go(self._behind)

    def _behind(self) -> bool:
        """Behind an entry: its end, which may be missing."""
        body = self._body
        if body.ends or body.tail:
            if not self._skip_space():
                return self._cursor.final and self._finish()
            found = self._cursor.begins((*body.tail, *body.ends))
            if found is None:
                return False
            self._cursor.take(len(found))
            if found in body.tail and found:
                return True
        return self._go(self._between) if body.entry else self._finish()
