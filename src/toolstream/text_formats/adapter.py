"""`TextAdapter`: a text format as a provider, for `StreamParser`.

It takes text, or its UTF-8 bytes, as it comes; or objects with the text in them (completions chunks, what mlx-lm and
llama-cpp-python yield). The end of the text is the message's end, unless it is inside a call.
"""

from __future__ import annotations

import codecs
from typing import Any

from ..assembler import Assembler
from ..errors import IncompleteError
from ..lane import Repeat
from ..limits import Limits
from ..tools.schemas import Toolset
from .formats import TextFormat
from .output import Output
from .reader import TextReader


class TextAdapter:
    """One text in one format.

    framing: what comes in is the text itself, not events.
    """

    ignored: tuple[str, ...] = ()
    framing = "text"

    def __init__(self, format: TextFormat) -> None:
        self.name = format.name
        self.format = format
        self._prefill = ""
        self._tools: Toolset | None = None
        self._limits = Limits()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._reader: TextReader | None = None
        self._output: Output | None = None

    def configure(self, *, prefill: str, tools: Toolset | None, limits: Limits) -> None:
        """What the reader needs to know before the text begins; see `StreamParser`."""
        self._prefill, self._tools, self._limits = prefill, tools, limits

    @classmethod
    def recognises(cls, event: dict[str, Any]) -> bool:
        """Whether the stream that begins with this event is of this format: text has no events."""
        return True

    def feed_text(self, data: str | bytes, assembler: Assembler) -> None:
        """More of the text. Bytes that are no UTF-8 become U+FFFD, as in tokenizers."""
        text = data if isinstance(data, str) else self._decoder.decode(data)
        if text:
            self._begun(assembler).feed(text)

    def handle(self, event: Any, assembler: Assembler) -> None:
        """As `feed_text`, for an object that holds some text."""
        text = text_of(event)
        if text:
            self.feed_text(text, assembler)

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        """The fast lane is for events."""
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        """The text has ended, and with it the message. Raises `IncompleteError` inside a call."""
        reader = self._begun(assembler)
        rest = self._decoder.decode(b"", True)
        if rest:
            reader.feed(rest)
        if not reader.close():
            if not assembler.has_open_calls:
                assembler.abandon()
                raise IncompleteError("the text ended inside a tool call, before its name")
            assembler.break_off("the text ended inside a tool call")
        assembler.stop(reader.stop, "natural")
        assembler.end()

    def message(self, assembler: Assembler) -> Any:
        """The assistant's message as chat templates take it."""
        message: dict[str, Any] = {"role": "assistant", "content": assembler.text}
        thoughts = "".join(self._output.thoughts) if self._output is not None else ""
        if thoughts:
            message["reasoning_content"] = thoughts
        calls = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.snapshot(False)}}
            for call in assembler.calls
            if call.complete
        ]
        if calls:
            message["tool_calls"] = calls
        return message

    def _begun(self, assembler: Assembler) -> TextReader:
        if self._reader is None:
            self._output = Output(assembler, self._tools, self._limits.max_call_bytes)
            self._reader = TextReader(self.format, self._output, self._prefill or self.format.prefill)
        return self._reader


def text_of(event: Any) -> str | None:
    """The text in an object: `choices[0].text` (OpenAI completions, llama-cpp-python, vLLM), `token.text` (TGI),
    `response` (Ollama), `content` (llama.cpp), `text` (mlx-lm). Raises `TypeError` where there is no such place."""
    if isinstance(event, (str, bytes)):
        return event if isinstance(event, str) else event.decode("utf-8", "replace")
    choices = _get(event, "choices")
    if choices is not None:
        choice = choices[0] if choices else None
        delta = _get(choice, "delta")
        text = _get(choice, "text") if delta is None else _get(delta, "content")
        return text if isinstance(text, str) else None
    token = _get(event, "token")
    for place in (_get(token, "text"), *(_get(event, name) for name in ("text", "response", "content"))):
        if isinstance(place, str):
            return place
    raise TypeError(f"a {type(event).__name__} that holds no text of a model")


def _get(owner: Any, name: str) -> Any:
    return owner.get(name) if isinstance(owner, dict) else getattr(owner, name, None)
