"""What the readers of calls share: `Section`, one opened run of calls that is being read.

A section reads from the cursor in steps; a step either gets on, or waits for more text. While it is not decided whether
these are calls at all, it may refuse: then all since its opener is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from .cursor import Cursor, markers
from .formats import Opener
from .output import Output

LONGEST_HEADER = 1024
"""Characters of a header that may be waited for."""

_NAME = re.compile(r"[\w.\-]*")

Outcome = Literal["open", "done", "refused"]


class Section:
    """The calls behind one opener.

    outcome: "open" as long as there is more to read. stop: the mark that has ended the turn inside the section.
    """

    def __init__(self, opener: Opener, cursor: Cursor, output: Output) -> None:
        self.outcome: Outcome = "open"
        self.stop: str | None = None
        self.opener = opener
        self.decided = not opener.trial  # these are calls, not text that looks like it
        self._cursor = cursor
        self._output = output
        self._state: Callable[[], bool] = self._begin
        self._header = ""

    def step(self) -> bool:
        """Reads on; False where that needs more text."""
        return self._state()

    @property
    def is_between(self) -> bool:
        """No call is open, and none is demanded: the text may end here."""
        return False

    @property
    def is_doubtful(self) -> bool:
        """The text may end here, and then these were no calls."""
        return self.opener.trial and not self.decided

    @property
    def is_lost(self) -> bool:
        """A call was bad, and what is left of it is being read: the text may end anywhere."""
        return self._state == self._give_up

    def give_end(self) -> None:
        """The text has ended. What is whole without an end of its own ends here."""

    def _begin(self) -> bool:
        raise NotImplementedError

    def _give_up(self) -> bool:
        """What is left of a bad call is no text."""
        return self._finish()

    def _decide(self) -> None:
        """These are calls."""
        self.decided = True
        self._cursor.settle()

    def _finish(self) -> bool:
        self.outcome = "done"
        return True

    def _refuse(self) -> bool:
        self.outcome = "refused"
        return True

    def _go(self, state: Callable[[], bool]) -> bool:
        self._state = state
        return True

    def _skip_space(self) -> bool:
        """Reads white space; False if nothing else is there yet."""
        self._cursor.take_space()
        return not self._cursor.is_empty

    @property
    def _next(self) -> str:
        """The next character, for a message: how much more is there depends on how the text was cut."""
        return self._cursor.text[self._cursor.at : self._cursor.at + 1]

    def _find(self, words: tuple[str, ...]) -> str | None:
        """Reads a short text up to one of the words into `_header`, and the word; None while there is none.

        "" where the text is longer than any header.
        """
        text, found = self._cursor.take_until(markers(words))
        self._header += text
        surplus = len(self._header) - LONGEST_HEADER
        if surplus > 0:
            self._cursor.at -= surplus + len(found)
            self._header = self._header[:LONGEST_HEADER]
            return ""
        return found or None

    def _read_name_into_header(self) -> bool:
        """Reads the name that stands here; False while it may go on. `_header` is empty if none stands here."""
        name = _NAME.match(self._cursor.text, self._cursor.at)
        assert name is not None
        room = LONGEST_HEADER - len(self._header)
        self._header += self._cursor.take(min(name.end() - name.start(), room))
        return not self._cursor.is_empty or len(self._header) == LONGEST_HEADER

    def _take_header(self) -> str:
        header, self._header = self._header, ""
        return header

    def _resume(self, words: tuple[str, ...]) -> bool:
        """A call was bad: what is left of it is read up to one of the words, which is left to be read."""
        _, found = self._cursor.take_until(markers(words))
        if found:
            self._cursor.at -= len(found)
            self._output.drop()
        return bool(found)
