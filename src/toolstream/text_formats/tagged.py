"""Calls whose parameters are text between tags (`Tagged`), rewritten as JSON text while they come.

A text value grows as it comes, and is final at its closing tag. A value that the tool's schema wants to be something
else waits for its closing tag.
"""

from __future__ import annotations

import re
from typing import Any

from .coercion import coerced, is_text, schema_of
from .cursor import Cursor, markers
from .formats import Opener, Tagged
from .json_values import JSONValue
from .output import Output, escaped, quoted
from .sections import Section

_LONGEST_GAP = 256
_CDATA = "<![CDATA["


class TaggedSection(Section):
    """Reads `Tagged`."""

    def __init__(self, body: Tagged, opener: Opener, cursor: Cursor, output: Output) -> None:
        super().__init__(opener, cursor, output)
        self._body = body
        self.decided = False
        self._is_between = False
        self._name = ""
        self._is_empty = False  # the call's opening tag closes it, too
        self._value: JSONValue | None = None  # the arguments, where they are JSON
        self._count = 0  # parameters of the call
        self._missing: set[str] = set()  # parameters that the tool has, and that have not come
        self._stop_at(body.value_ends)
        self._forget_value()

    def _forget_value(self) -> None:
        self._schema: Any = None
        self._streams = True
        self._held: list[str] = []
        self._size = 0
        self._newline = ""
        self._at_start = self._body.framing_newline

    def _stop_at(self, words: tuple[str, ...]) -> None:
        """What to look for in the value: its ends, and what shows that its own is missing."""
        self._stops = markers(words)

    @property
    def is_between(self) -> bool:
        return self._is_between

    def give_end(self) -> None:
        """The text has ended: so has a call whose end may be missing, if that is behind a parameter."""
        body, rest = self._body, self._cursor.rest
        if (
            body.open_end
            and not self._cursor.cut
            and self._state == self._read_tag
            and self._count
            and not body.parameter.startswith(rest or "x")
        ):
            self._end_call()

    def _begin(self) -> bool:
        return self._go(self._between if self._body.call else self._read_name)

    def _between(self) -> bool:
        """Between calls: another one, or the section's end."""
        body = self._body
        if not self._skip_space():
            return False
        found = self._cursor.begins((body.call, *body.closes, *body.skipped))
        if found is None:
            return False
        self._cursor.take(len(found))
        if found in body.skipped and found:
            return True
        if found == body.call:
            self._is_between = False
            return self._go(self._read_name)
        if not found and not self.decided:
            return self._refuse()
        return self._finish()

    def _read_name(self) -> bool:
        body = self._body
        found = self._find(body.name_ends)
        header = self._header
        fits = re.fullmatch(body.name, header, re.DOTALL)
        if fits is None and (found is not None or (header.strip() and not body.call)):
            return self._bad_name()
        if found is None or fits is None:
            return False
        self._take_header()
        self._name, self._is_empty = fits["name"], bool(fits.groupdict().get("empty"))
        if found in (body.parameter, *body.call_ends, *body.closes):
            self._cursor.at -= len(found)
        return self._go(self._confirm if self.opener.trial and not self.decided else self._begin_call)

    def _bad_name(self) -> bool:
        if not self.decided:
            return self._refuse()
        self._output.unexpected(self._take_header(), "a call's name")
        return self._go(self._give_up)

    def _confirm(self) -> bool:
        """Behind a name on trial: it is a call's if a call goes on so."""
        if self._is_empty:
            return self._go(self._begin_call)
        if not self._skip_space():
            return False
        found = self._cursor.begins((self._body.parameter, *self._body.call_ends))
        if found is None:
            return False
        return self._go(self._begin_call) if found else self._refuse()

    def _begin_call(self) -> bool:
        self._decide()
        tool = None if self._output.tools is None else self._output.tools.get(self._name)
        self._missing = set() if tool is None or tool.shape is None else set(tool.shape.keys)
        self._count = 0
        self._output.open(self._name)
        self._output.arguments("{")
        return self._end_call() if self._is_empty else self._go(self._read_tag)

    def _read_tag(self) -> bool:
        """In a call: a parameter, or the call's end; or the section's, where that is missing."""
        body = self._body
        if not self._skip_space():
            return False
        found = self._cursor.begins((body.parameter, *body.call_ends, *body.closes))
        if found is None:
            return False
        if found and found in body.closes:
            return self._end_call()
        if not found and self._next == "{" and not self._count:
            self._value = JSONValue()
            return self._go(self._read_json)
        if not found:
            self._output.unexpected(self._next, f"{body.parameter!r} or {body.call_ends[0]!r}")
            return self._go(self._give_up)
        self._cursor.take(len(found))
        return self._go(self._read_key) if found == body.parameter else self._end_call()

    def _read_json(self) -> bool:
        """Arguments that are JSON, and not tags. Their first brace has been given."""
        if self._cursor.is_empty:
            return False
        assert self._value is not None
        text = self._value.read(self._cursor)
        self._output.arguments(text if self._count else text[1:])
        self._count = 1
        if self._value.fault:
            return self._go(self._give_up)
        if not self._value.done:
            return False
        self._output.close()
        self._is_between = True
        return self._go(self._behind_json)

    def _behind_json(self) -> bool:
        if not self._skip_space():
            return False
        found = self._cursor.begins(self._body.call_ends)
        if found is None:
            return False
        self._cursor.take(len(found))
        return self._go(self._between) if self._body.call else self._finish()

    def _end_call(self) -> bool:
        self._output.arguments("}")
        self._output.close()
        self._is_between = True
        return self._go(self._between) if self._body.call else self._finish()

    def _give_up(self) -> bool:
        """What is left of a bad call is no text."""
        body = self._body
        if not self._resume((*body.call_ends, *body.closes)):
            return False
        found = self._cursor.begins(body.call_ends)
        self._cursor.take(len(found or ""))
        self._is_between = True
        return self._go(self._between) if body.call else self._finish()

    # ------------------------------------------------------------------ a parameter

    def _read_key(self) -> bool:
        body = self._body
        found = self._find((body.key_ends,))
        if found is None:
            return False
        fits = re.fullmatch(body.key, self._take_header(), re.DOTALL)
        if fits is None or not found:
            self._output.unexpected("", "a parameter's name")
            return self._go(self._give_up)
        groups = fits.groupdict()
        kind = groups.get("type")
        schema = schema_of(self._output.tools, self._name, groups["key"]) if kind is None else {"type": kind}
        if groups.get("string") is not None:
            schema = None if groups["string"] == "true" else {}
        self._begin_value(groups["key"], schema)
        return self._go(self._choose_end if body.cdata else self._read_value)

    def _choose_end(self) -> bool:
        found = self._cursor.begins((_CDATA,))
        if found is None:
            return False
        if found:
            self._cursor.take(len(found))
            self._stop_at(tuple("]]>" + end for end in self._body.value_ends))
        return self._go(self._read_value)

    def _begin_value(self, key: str, schema: Any) -> None:
        self._forget_value()
        self._missing.discard(key)
        body = self._body
        missing = (body.parameter,) if self._missing else ()
        self._stop_at((*body.value_ends, *missing, *((*body.call_ends, *body.closes) if body.open_value else ())))
        self._schema = schema
        self._streams = self._schema is None or is_text(self._schema)
        self._output.arguments(("," if self._count else "") + quoted(key) + ":" + ('"' if self._streams else ""))
        self._count += 1

    def _read_value(self) -> bool:
        body = self._body
        text, found = self._cursor.take_until(self._stops)
        self._write(text)
        if not found:
            return False
        if found == body.parameter:
            return self._read_parameter(found)
        is_missing = found in (*body.call_ends, *body.closes)
        followed_by = body.open_value if is_missing else body.followed_by
        if not followed_by:
            return self._end_value()
        follows = self._follows(followed_by, skipped=body.closes if found in body.call_ends else ())
        if follows is not False and (is_missing or follows is None):
            self._cursor.at -= len(found)
        if follows is None:
            return False
        if follows:
            return self._end_value()
        self._write(found)
        return True

    def _follows(self, words: tuple[str, ...], skipped: tuple[str, ...] = ()) -> bool | None:
        """Whether what stands behind a value's end shows that it is one; None while more text must tell."""
        cursor = self._cursor
        start = cursor.at
        space = len(cursor.take_space())
        found = cursor.begins(skipped) if skipped else ""
        if found:
            cursor.at += len(found)
            space += len(cursor.take_space())
            words = (*words, self.opener.marker)
        if cursor.is_empty and cursor.final and not cursor.cut:
            found = "the end"
        elif found is not None:
            found = cursor.begins(words) if space <= _LONGEST_GAP else ""
        cursor.at = start
        return None if found is None else bool(found)

    def _read_parameter(self, opener: str) -> bool:
        """In a value: a parameter's opener. If it opens one that is missing, it is the value's end that is."""
        body, cursor = self._body, self._cursor
        key, end, _ = cursor.text[cursor.at : cursor.at + _LONGEST_GAP].partition(body.key_ends)
        cursor.scanned += len(key)
        if not end and len(key) < _LONGEST_GAP and not cursor.final:
            cursor.at -= len(opener)
            return False
        fits = re.fullmatch(body.key, key, re.DOTALL) if end else None
        if fits is None or fits["key"] not in self._missing:
            self._write(opener)
            return True
        cursor.at -= len(opener)
        return self._end_value()

    def _write(self, text: str) -> None:
        if self._at_start and text:
            self._at_start = False
            text = text.removeprefix("\n")
        if self._body.framing_newline and (text or self._newline):
            text, self._newline = self._newline + text, ""
            if text.endswith("\n"):
                text, self._newline = text[:-1], "\n"
        if self._streams:
            self._output.arguments(escaped(text))
            return
        self._held.append(text)
        self._size += len(text)
        self._output.check_held(self._size)

    def _end_value(self) -> bool:
        if self._streams:
            self._output.arguments('"')
        else:
            self._output.arguments(coerced("".join(self._held), self._schema))
        self._forget_value()
        return self._go(self._read_tag)
