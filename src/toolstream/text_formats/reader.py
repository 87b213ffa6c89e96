"""Reads the text of one answer: which of it is visible, which is reasoning, and where calls begin.

Guarantees that text is held back only while it can still become a marker, or while what a marker has opened may still
turn out to be no calls; and that text which is none of these comes out unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .code import CodeSection
from .cursor import WINDOW, Cursor, markers
from .formats import Body, Code, Gemma, Headed, Messages, Objects, Opener, Python, Tagged, TextFormat
from .headed import HeadedSection
from .messages import MessageSection
from .objects import ObjectSection
from .output import Output
from .pythonic import GemmaSection, PythonSection
from .sections import Section
from .tagged import TaggedSection

_HTML = re.compile(r"</?[a-z]+>")
"""Turn ends that look like HTML's tags: they are turn ends only where no more text follows."""


class TextReader:
    """Reads one text, pushed in pieces.

    prefill: the end of the prompt, where that has opened a region already, or begun a call. None of it is said.
    stop: the mark that ended the turn, once it has come.
    """

    def __init__(self, format: TextFormat, output: Output, prefill: str = "") -> None:
        self._format = format
        self._output = output
        self._cursor = Cursor()
        self._state: Callable[[], bool] = self._at_start
        self._section: Section | None = None
        self._opener = ""  # the marker that has opened the section
        self._openers: tuple[Opener, ...] = ()  # what it may open
        self._is_bare = True  # no call has begun with a marker
        self._choice = 0  # which of that marker's openers is tried
        self._closer = ""  # of the reasoning that is open, also while an opener in it is tried
        self._wrap = ""  # what closes the marks around the answer, once one has come
        self._inner = 0  # marks like the opening one that have come since, and were not closed
        self._closes: tuple[str, ...] = ()  # marks that could have ended the last section
        self._end = ""  # a turn's end, if no text follows it
        self._gap: list[str] = []  # white space behind it
        self._tried = 0  # where in the whole text the furthest trial of objects has ended
        self.stop: str | None = None
        pairs = [word for pair in (*format.reasoning, *format.wraps) for word in pair]
        openers = tuple(marker for marker in format.by_marker if marker)
        ends = (*format.ends, *format.answers)
        self._outside = markers(tuple(dict.fromkeys((*openers, *pairs, *ends, *format.dropped))))
        self._enders = (*ends, *(openers if format.calls_end_reasoning else ()))
        if prefill:
            self._read_prompt(prefill)

    def _read_prompt(self, prompt: str) -> None:
        """Reads the end of the prompt. Its last turn counts; a line of that may begin what would begin a text."""
        ends = (*self._format.ends, *self._format.answers)
        turn = max((prompt.rfind(end) + len(end) for end in ends if end in prompt), default=0)
        before, newline, line = prompt[turn:].rpartition("\n")
        self._output.muted = True
        for part in (before + newline, line):
            self.feed(part)
            if self._state == self._in_text:
                self._state = self._at_start
        self._output.muted = False

    @property
    def scanned(self) -> int:
        """Characters looked at; a small multiple of those fed, however they were cut."""
        return self._cursor.scanned

    def feed(self, text: str) -> None:
        """More of the text has come."""
        if len(text) <= WINDOW:
            self._cursor.add(text)
            self._run()
            return
        for start in range(0, len(text), WINDOW):
            self._cursor.add(text[start : start + WINDOW])
            self._run()

    def close(self, cut: bool = False) -> bool:
        """The text has ended; False if that was inside a call. cut: it was stopped there, by a limit."""
        self._cursor.final, self._cursor.cut = True, cut
        self._run()
        while self._section is not None:
            self.stop = self._section.stop or self.stop
            self._section.give_end()
            if self._section.is_between or self._section.is_lost or self._output.is_bad:
                self._output.drop()
                self._section = None
            elif self._section.is_doubtful:
                self._note_trial(self._section)
                self._refuse()
                self._run()
            elif self._section.outcome == "done":
                self._section = None
            else:
                return False
        return self._state != self._choose

    def _run(self) -> None:
        while self._state():
            pass

    def _go(self, state: Callable[[], bool]) -> bool:
        self._state = state
        return True

    # ------------------------------------------------------------------ visible text

    def _at_start(self) -> bool:
        """Nothing visible has come: calls may begin without a marker."""
        openers = self._bare_openers()
        if not openers:
            return self._go(self._in_text)
        self._output.say(self._cursor.take_space())
        if self._cursor.is_empty:
            return False
        found = self._cursor.begins(self._outside.words)
        if found is None and not self._cursor.final:
            return False
        if not found and any(self._cursor.text[self._cursor.at] in opener.needs for opener in openers):
            self._opener, self._openers, self._choice = "", openers, 0
            self._cursor.mark()
            return self._go(self._choose)
        return self._go(self._in_text)

    def _bare_openers(self) -> tuple[Opener, ...]:
        """What may begin without a marker: at the start anything, and behind objects that did more objects."""
        openers = self._format.by_marker.get("", ())
        if not self._output.spoke:
            return openers
        if self._output.said or not self._is_bare:
            return ()
        return tuple(opener for opener in openers if isinstance(opener.body, Objects))

    def _in_text(self) -> bool:
        text, found = self._cursor.take_until(self._outside)
        self._output.say(text)
        if not found:
            return False
        return self._take_marker(found)

    def _take_marker(self, found: str) -> bool:
        if found in self._format.by_marker:
            return self._take_opener(found)
        if found in self._format.ends and _HTML.fullmatch(found):
            self._end = found
            return self._go(self._behind_end)
        if found in (*self._format.ends, *self._format.answers):
            self.stop = found
            return self._go(self._at_start if found in self._format.ends else self._drop)
        for opener, closer in self._format.reasoning:
            if found == opener:
                self._closer = closer
                return self._go(self._in_reasoning)
            if found == closer:
                self._output.is_behind_thought = True
        if any(found in pair for pair in self._format.wraps):
            return self._take_wrap(found)
        return self._go(self._at_start)  # a mark that means nothing here

    def _take_wrap(self, found: str) -> bool:
        """A mark around the answer: where reasoning stands before it. Elsewhere it is XML that the answer holds."""
        closer = dict(self._format.wraps).get(found, "")
        if closer and not self._wrap and self._output.is_behind_thought:
            self._wrap = closer
            return self._go(self._at_start)
        if self._wrap and found == self._wrap and not self._inner:
            self._wrap = ""
            return self._go(self._at_start)
        if self._wrap:
            self._inner += (closer == self._wrap) - (found == self._wrap)
        self._output.say(found)
        return self._go(self._in_text)

    def _behind_end(self) -> bool:
        """Behind what may be a turn's end: if text follows, that is text, too."""
        self._gap += self._cursor.take_space()
        ended = self._cursor.is_empty and self._cursor.final
        found = "" if ended else self._cursor.begins(self._enders)
        if not ended and (self._cursor.is_empty or (found is None and not self._cursor.final)):
            return False
        end, gap, self._gap = self._end, "".join(self._gap), []
        say = self._output.think if self._closer else self._output.say
        if ended or found:
            self.stop, self._closer = end, ""
            say(gap)
        else:
            say(end + gap)
        return self._go(self._in_reasoning if self._closer else self._in_text)

    def _take_opener(self, found: str) -> bool:
        self._opener, self._openers, self._choice = found, self._format.by_marker[found], 0
        self._cursor.at -= len(found)
        if self._is_within_a_trial(found):
            return self._take_as_text(len(found))
        self._cursor.mark()
        self._cursor.take(len(found))
        return self._go(self._choose)

    def _take_as_text(self, count: int) -> bool:
        """Some characters are text, visible or reasoning, and what follows them is read as such."""
        if self._closer:
            self._output.think(self._cursor.take(count))
            return self._go(self._in_reasoning)
        self._output.say(self._cursor.take(count))
        return self._go(self._in_text)

    def _is_within_a_trial(self, marker: str) -> bool:
        """Whether the marker could only begin a trial of objects inside what another such trial has read in vain.

        Each trial may read to the end of the text: trials within trials would make that quadratic.
        """
        cursor = self._cursor
        return cursor.offset + cursor.at < self._tried and all(
            opener.trial and isinstance(opener.body, Objects) for opener in self._format.by_marker[marker]
        )

    def _drop(self) -> bool:
        """The turn has ended, and another's has begun."""
        self._cursor.take(len(self._cursor.text))
        return False

    def _in_reasoning(self) -> bool:
        text, found = self._cursor.take_until(markers((self._closer, *self._enders)))
        self._output.think(text)
        if not found:
            return False
        if found in self._format.by_marker:
            return self._take_opener(found)
        if found != self._closer and _HTML.fullmatch(found):
            return self._take_marker(found)
        is_closed, self._closer = found == self._closer, ""
        self._output.turn()
        self._output.is_behind_thought = is_closed
        return self._go(self._at_start) if is_closed else self._take_marker(found)

    # ------------------------------------------------------------------ calls

    def _choose(self) -> bool:
        """Which of the marker's openers fits what follows."""
        openers = self._openers
        if any(opener.needs for opener in openers):
            self._cursor.take_space()
            if self._cursor.is_empty:
                return False
        following = "" if self._cursor.is_empty else self._cursor.text[self._cursor.at]
        for choice in range(self._choice, len(openers)):
            if not openers[choice].needs or following in openers[choice].needs:
                self._choice = choice + 1
                return self._open(openers[choice])
        return self._refuse()

    def _open(self, opener: Opener) -> bool:
        self._restart(len(opener.marker) - opener.keep)
        self._section = _section(opener, self._cursor, self._output)
        if self._section.decided:
            self._cursor.settle()
        return self._go(self._in_section)

    def _in_section(self) -> bool:
        section = self._section
        assert section is not None
        if section.outcome == "open":
            return section.step()
        if section.outcome == "refused":
            self._note_trial(section)
            self._section = None
            self._restart(len(self._opener))
            return self._go(self._choose)
        self._section, self._closer = None, ""
        self._is_bare = self._is_bare and not self._opener
        self._output.turn()
        self._closes = tuple(
            mark for mark in _closes(section.opener.body) if mark.startswith("<") and mark not in self._enders
        )
        return self._go(self._behind_section)

    def _behind_section(self) -> bool:
        """Behind calls: what would have ended them means nothing if it comes once more."""
        self._output.say(self._cursor.take_space())
        found = self._cursor.begins(self._closes)
        if found is None and not self._cursor.final:
            return False
        self._cursor.take(len(found or ""))
        return bool(found) or self._go(self._at_start)

    def _note_trial(self, section: Section) -> None:
        """A section has been read in vain. Where objects' readers stop does not depend on how the text was cut."""
        if isinstance(section, ObjectSection):
            self._tried = max(self._tried, self._cursor.offset + self._cursor.at)

    def _restart(self, count: int) -> None:
        """Goes back to the marker, and reads so many characters of it."""
        self._cursor.rewind()
        self._cursor.mark()
        self._cursor.take(count)

    def _refuse(self) -> bool:
        """The marker opened nothing: it is text, and what follows it is read as such."""
        self._section = None
        self._cursor.rewind()
        return self._take_as_text(len(self._opener) or 1)


def _closes(body: Body) -> tuple[str, ...]:
    """The marks that end a section and the calls in it."""
    if isinstance(body, Messages):
        return ()
    inner = body.ends if isinstance(body, Headed) else body.call_ends if isinstance(body, Tagged) else ()
    return (*inner, *body.closes)


def _section(opener: Opener, cursor: Cursor, output: Output) -> Section:
    """The reader of what an opener opens."""
    body = opener.body
    if isinstance(body, Objects):
        return ObjectSection(body, opener, cursor, output)
    if isinstance(body, Headed):
        return HeadedSection(body, opener, cursor, output)
    if isinstance(body, Tagged):
        return TaggedSection(body, opener, cursor, output)
    if isinstance(body, Python):
        return PythonSection(body, opener, cursor, output)
    if isinstance(body, Gemma):
        return GemmaSection(body, opener, cursor, output)
    if isinstance(body, Messages):
        return MessageSection(body, opener, cursor, output)
    assert isinstance(body, Code)
    return CodeSection(body, opener, cursor, output)
