"""What a text says, as the assembler gets it: visible text, reasoning, calls with made ids, faults.

One object for each text. It stands between the readers of the formats and the assembler, which knows nothing of text.
"""

from __future__ import annotations

from json.encoder import encode_basestring

from ..assembler import Assembler
from ..calls import ToolCall, incomplete_arguments
from ..errors import JSONError, LimitError, excerpt
from ..tools.schemas import Toolset


def quoted(text: str) -> str:
    """The text as a JSON string."""
    return encode_basestring(text)


def escaped(text: str) -> str:
    """The text as it stands inside a JSON string."""
    return encode_basestring(text)[1:-1]


class Output:
    """Opens, fills and closes one call after the other, and says what is said around them.

    is_behind_thought: reasoning has ended, and nothing has been said since.
    muted: visible text and reasoning are the prompt's, and not said. said: visible text has been; spoke: or a call.
    tools: what is known of the tools, whose schemas say what text values mean.
    limit: characters that a reader may hold back of one value; a `LimitError` calls it max_call_bytes.
    """

    def __init__(self, assembler: Assembler, tools: Toolset | None, limit: int | None) -> None:
        self.tools = tools
        self._assembler = assembler
        self.limit = limit
        self._count = 0
        self.call: ToolCall | None = None  # the one that is open
        self._is_first = False  # no argument text has come
        self.muted = False
        self.said = False
        self.spoke = False
        self.is_behind_thought = False
        self.thoughts: list[str] = []
        self._blank: list[str] | None = None  # white space behind a call or reasoning: it may be framing
        self._thinking = False  # this reasoning block has said something

    # ------------------------------------------------------------------ text

    def say(self, text: str) -> None:
        """Visible text. White space between calls, and between reasoning and a call, is none."""
        if self._blank is not None:
            if not text or text.isspace():
                self._blank.append(text)
                return
            text = "".join((*self._blank, text))
            self._blank = None
        if text and not self.muted:
            if not text.isspace():
                self.said = self.spoke = True
                self.is_behind_thought = False
                self._assembler.went_on()
            self._assembler.text_delta(text, 0)

    def think(self, text: str) -> None:
        """Reasoning. White space at a block's beginning is none."""
        if not self._thinking:
            text = text.lstrip()
            self._thinking = bool(text)
        if text and not self.muted:
            self.thoughts.append(text)
            self._assembler.reasoning_delta(text, 0)

    def turn(self) -> None:
        """A region has ended: reasoning, or calls."""
        self._thinking = False
        if self._blank is None:
            self._blank = []

    # ------------------------------------------------------------------ calls

    def open(self, name: str, id: str | None = None, *, late_id: bool = False) -> None:
        """A call begins. id: the one that the model wrote; else one is made, or, with late_id, may still come."""
        self.turn()
        self.spoke = True
        self.is_behind_thought = False
        if id is None and not late_id:
            id = f"call_{self._count}"
        self.call = self._assembler.open(self._count, id=id, name=name)
        self._count += 1
        self._is_first = True

    def arguments(self, text: str) -> None:
        """More of the open call's arguments, as JSON text."""
        if self._is_first and text:
            # The assembler takes a first fragment `{}` for a placeholder, which it never is here.
            self._is_first = False
            self._assembler.fragment(self._count - 1, text[0])
            text = text[1:]
        if text:
            self._assembler.fragment(self._count - 1, text)

    def close(self, id: str | None = None) -> None:
        """The open call has ended, as its text says. id: one that came late."""
        call, self.call = self.call, None
        self.turn()
        if call is not None:
            call.id = id or call.id or f"call_{self._count - 1}"
            self._assembler.close(self._count - 1, certain=True)

    def fault(self, reason: str) -> None:
        """The open call (one without a name, if there is none) is bad."""
        call = self._bad_call()
        if call.state != "void":
            place = call._parser.offset if call._parser is not None else None
            self._assembler.spoil(call, JSONError(reason, offset=place, call=call if call.name else None))

    def _bad_call(self) -> ToolCall:
        if self.call is None:
            self.call = self._assembler.open(self._count, id=None, name=None)
            self._count += 1
        return self.call

    def cut(self, reason: str) -> None:
        """The open call, if any, was cut off, as the model's runtime says. It is void, even with whole arguments."""
        call, self.call = self.call, None
        if call is not None and call.state != "void":
            self._assembler.spoil(call, incomplete_arguments(call, reason), is_fault=False)

    @property
    def is_bad(self) -> bool:
        """The open call is bad, and that has been told."""
        return self.call is not None and self.call.state == "void"

    def drop(self) -> None:
        """The open call is bad, and what is left of it has been read."""
        self.call = None

    def check_held(self, size: int) -> None:
        """A value of this many characters is being held back. Raises `LimitError` (or spoils the call)."""
        if self.limit is not None and size > self.limit:
            call = self._bad_call()
            if call.state != "void":
                reason = f"a value is longer than max_call_bytes={self.limit}"
                error = LimitError(reason, limit="max_call_bytes", call=call if call.name else None)
                self._assembler.spoil(call, error)

    def unexpected(self, found: str, expected: str) -> None:
        """A fault where the text is not what the format says."""
        self.fault(f"found {excerpt(found)}, expected {expected}")
