"""`TextAdapter`: a text format as a provider, for `StreamParser`.

It takes text, or its UTF-8 bytes, as it comes; or objects with the text in them (completions chunks, what mlx-lm and
llama-cpp-python yield). The end of the text is the message's end, unless it is inside a call.
"""

from __future__ import annotations

import codecs
from typing import Any, NoReturn

from ..assembler import CUTS, Assembler, StopKind
from ..errors import IncompleteError
from ..lane import Repeat
from ..limits import Limits
from ..providers.common import provider_error
from ..tools.schemas import Toolset
from .formats import TextFormat
from .output import Output
from .reader import TextReader
from .stripped import hint

_STOP_KINDS: dict[str, StopKind] = {
    "length": "length",
    "limit": "length",  # llama.cpp
    "max_tokens": "length",
    "content_filter": "filter",
    "abort": "error",
    "error": "error",
}
_STOP_PLACES = ("finish_reason", "done_reason", "stop_type")


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
        self._has_stop = False  # the objects that hold the text have a place for a stop reason
        self._stop: str | None = None

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
            (self._reader or self._begun(assembler)).feed(text)

    def handle(self, event: Any, assembler: Assembler) -> None:
        """As `feed_text`, for an object that holds some text, and may say why the text stops."""
        if isinstance(event, dict) and event.get("error"):
            assembler.fail(provider_error(event))
        text = text_of(event)
        if text:
            self.feed_text(text, assembler)
        has_stop, stop = stop_of(event)
        self._has_stop = self._has_stop or has_stop
        self._stop = stop or self._stop

    def repeats(self, event: dict[str, Any], assembler: Assembler) -> Repeat | None:
        """The fast lane is for events."""
        return None

    def end(self, assembler: Assembler, done: bool) -> None:
        """The text has ended, and with it the message. Raises `IncompleteError` inside a call, and where the objects
        that held the text have a place for a stop reason and none came."""
        reader = self._begun(assembler)
        rest = self._decoder.decode(b"", True)
        if rest:
            reader.feed(rest)
        if self._has_stop and self._stop is None and not done:
            assembler.break_off("the stream ended without a stop reason")
        kind = _STOP_KINDS.get(self._stop or "", "natural")
        if not reader.close(cut=kind != "natural"):
            if kind not in CUTS:
                self._break_off(assembler)
            assert self._output is not None
            self._output.cut(f"the text was stopped ({self._stop}) inside a tool call")
        assembler.stop(self._stop if kind != "natural" else reader.stop or self._stop, kind)
        assembler.end()
        if not assembler.calls:
            self._tell_what_is_missing(assembler.text)

    def _tell_what_is_missing(self, text: str) -> None:
        said = hint(self.format, text)
        if said is not None:
            import logging  # which hardly anybody else here needs

            logging.getLogger("toolstream").warning(said)

    def _break_off(self, assembler: Assembler) -> NoReturn:
        if not assembler.has_open_calls:
            assembler.abandon()
            raise IncompleteError("the text ended inside a tool call, before its name")
        assembler.break_off("the text ended inside a tool call")

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


def stop_of(event: Any) -> tuple[bool, str | None]:
    """Whether an object has a place for why the text stops, and what stands there: `finish_reason` (OpenAI completions,
    mlx-lm; in `details`: TGI), `done` and `done_reason` (Ollama), `stop` and `stop_type` (llama.cpp)."""
    choices = _get(event, "choices")
    owner = choices[0] if choices else event
    ended = next((_get(owner, name) for name in ("done", "stop") if isinstance(_get(owner, name), bool)), None)
    for place in (*(_get(owner, name) for name in _STOP_PLACES), _get(_get(owner, "details"), "finish_reason")):
        if isinstance(place, str) and place and ended is not False:
            return True, place
    has_place = "finish_reason" in owner if isinstance(owner, dict) else hasattr(owner, "finish_reason")
    return has_place or ended is not None, "stop" if ended else None


def _get(owner: Any, name: str) -> Any:
    return owner.get(name) if isinstance(owner, dict) else getattr(owner, name, None)
