"""Everybody who reads a local model's raw text: toolstream, transformers' own parser, and what servers do by hand.

A contestant takes pieces of the text one by one and answers the arguments of its only call. Most servers, and whoever
looks at a call with transformers while a model writes it, parse all text so far again at each piece. Those are sampled
(see `peers.py`). A package that isn't installed is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import toolstream

from .peers import SUBJECT, WrongResultError, estimated, installed
from .report import Report, column, progress
from .tables import Table
from .timing import Effort, Entry

PIECE = 4
FORMATS = ("hermes", "deepseek_v31", "qwen3_coder", "lfm2", "gemma4")

Loop = Callable[[Sequence[str]], Any]
Start = Callable[[str], Loop]


@dataclass(frozen=True, slots=True)
class Document:
    """A text in a format: one call that writes a file."""

    format: str
    arguments: dict[str, str]
    text: str

    @property
    def pieces(self) -> list[str]:
        return [self.text[at : at + PIECE] for at in range(0, len(self.text), PIECE)]


def document(format: str, characters: int) -> Document:
    """A call whose longest argument has so many characters."""
    line = "The tide is high at 06:12; low water follows, 3 < 5 hours later.\n"
    arguments = {"path": "notes/tides.md", "content": (line * (characters // len(line) + 1))[:characters].strip()}
    return Document(format, arguments, "I will write it down.\n" + _WRITERS[format](arguments))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _qwen3_coder(arguments: dict[str, str]) -> str:
    parameters = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in arguments.items())
    return f"<tool_call>\n<function=write_file>\n{parameters}</function>\n</tool_call>"


def _gemma4(arguments: dict[str, str]) -> str:
    members = ",".join(f'{key}:<|"|>{value}<|"|>' for key, value in arguments.items())
    return f"<|tool_call>call:write_file{{{members}}}<tool_call|>"


def _deepseek_v31(arguments: dict[str, str]) -> str:
    call = f"<｜tool▁call▁begin｜>write_file<｜tool▁sep｜>{_json(arguments)}<｜tool▁call▁end｜>"
    return f"<｜tool▁calls▁begin｜>{call}<｜tool▁calls▁end｜>"


def _lfm2(arguments: dict[str, str]) -> str:
    members = ", ".join(f"{key}={_json(value)}" for key, value in arguments.items())
    return f"<|tool_call_start|>[write_file({members})]<|tool_call_end|>"


_WRITERS: dict[str, Callable[[dict[str, str]], str]] = {
    "hermes": lambda given: f"<tool_call>\n{_json({'name': 'write_file', 'arguments': given})}\n</tool_call>",
    "deepseek_v31": _deepseek_v31,
    "qwen3_coder": _qwen3_coder,
    "lfm2": _lfm2,
    "gemma4": _gemma4,
}

# ---------------------------------------------------------------- contestants


@dataclass(frozen=True, slots=True)
class TextReader:
    """start: opens a parser, primes it with the beginning of a text, and answers a loop over pieces."""

    name: str
    start: Start
    sampled: bool = False

    def entry(self, text: Document) -> Entry:
        """The work on the text in pieces; a wrong result raises `WrongResultError`."""
        pieces = text.pieces

        def check(found: object) -> None:
            if found != text.arguments:
                raise WrongResultError(f"{self.name} on {text.format}: found {str(found)[:80]}")

        estimate = (lambda: estimated(self.start, pieces)) if self.sampled else None
        if self.sampled:  # the whole may take minutes: the last pieces give the result, too
            check(self.start("".join(pieces[:-8]))(pieces[-8:]))
        return Entry(self.name, lambda: self.start("")(pieces), estimate, check)


def text_readers(format: str, missing: list[str]) -> Iterator[TextReader]:
    """Everybody who can read that format, toolstream first; `missing` gets a line for each absent package."""
    yield TextReader(SUBJECT, _toolstream(format))
    yield TextReader(f"{SUBJECT}, deltas=True", _toolstream(format, deltas=True))
    if format in _TEMPLATES and (parsing := installed("transformers.utils.chat_parsing.response_parser", missing)):
        yield TextReader("transformers ResponseParser (arguments at the end)", _response_parser(parsing, format))
        yield TextReader("transformers parse_response at each piece", _parse_response(parsing, format), sampled=True)
    if format in _JSON_BEHIND and (jiter := installed("jiter", missing)):
        yield TextReader("search and jiter's partial mode at each piece", _search(jiter, format), sampled=True)


def _toolstream(format: str, **options: Any) -> Start:
    def start(prefix: str) -> Loop:
        parser = toolstream.StreamParser(provider=format, **options)
        parser.feed(prefix)

        def loop(pieces: Sequence[str]) -> Any:
            count = 0
            for piece in pieces:
                count += len(parser.feed(piece))
            return parser.calls[0].arguments

        return loop

    return start


_CALL = {"type": "function", "function": "{content}"}
_TEXT = {"content": "text"}
# How transformers is told of these formats.
_TEMPLATES: dict[str, dict[str, Any]] = {
    "hermes": {"open": "<tool_call>", "close": "</tool_call>", "repeats": True, "content": "json", "transform": _CALL},
    "qwen3_coder": {
        "open_pattern": r"<tool_call>\s*<function=(?P<name>[^>\n]+)>",
        "close_pattern": r"</function>\s*</tool_call>",
        "repeats": True,
        "content": "xml-inline",
        "content_args": {"tag_pattern": r"<parameter=(?P<key>[^>\n]+)>\n(?P<value>.*?)\n</parameter>"},
        "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
    },
    "deepseek_v31": {
        "open_pattern": r"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>(?P<name>[^<]+)<｜tool▁sep｜>",
        "close": "<｜tool▁call▁end｜>",
        "repeats": True,
        "content": "json",
        "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
    },
    "lfm2": {
        "open": "<|tool_call_start|>",
        "close": "<|tool_call_end|>",
        "content": "python-call-list",
        "transform_each": True,
        "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{arguments}"}},
    },
    "gemma4": {
        "open_pattern": r"<\|tool_call>call:(?P<name>\w+)",
        "close": "<tool_call|>",
        "repeats": True,
        "content": "json",
        "content_args": {"unquoted_keys": True, "string_delims": [['<|"|>', '<|"|>']]},
        "transform": {"type": "function", "function": {"name": "{name}", "arguments": "{content}"}},
    },
}


def _template(format: str) -> dict[str, Any]:
    fields = {"tool_calls": _TEMPLATES[format], "content": _TEXT}
    return {"defaults": {"role": "assistant"}, "start_anchor": "<assistant>", "fields": fields}


def _arguments(message: dict[str, Any]) -> Any:
    calls = message.get("tool_calls")
    return calls[0]["function"]["arguments"] if calls else None


def _response_parser(parsing: Any, format: str) -> Start:
    def start(prefix: str) -> Loop:
        parser = parsing.ResponseParser(_template(format), prefix="")
        parser.feed(prefix)

        def loop(pieces: Sequence[str]) -> Any:
            for piece in pieces:
                parser.feed(piece)
            return _arguments(parser.finalize()[0])

        return loop

    return start


def _parse_response(parsing: Any, format: str) -> Start:
    template = parsing.load_response_template(_template(format))

    def start(prefix: str) -> Loop:
        def loop(pieces: Sequence[str]) -> Any:
            text, found = prefix, None
            for piece in pieces:
                text += piece
                try:
                    found = _arguments(parsing.parse_response(text, template, prefix=""))
                except ValueError:  # its way to say that the call is not whole
                    found = None
            return found

        return loop

    return start


# Where the arguments' JSON begins, and how it is in what stands there.
_JSON_BEHIND: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "hermes": ("<tool_call>\n", lambda value: value.get("arguments")),
    "deepseek_v31": ("<｜tool▁sep｜>", lambda value: value),
}


def _search(jiter: Any, format: str) -> Start:
    opener, arguments = _JSON_BEHIND[format]

    def start(prefix: str) -> Loop:
        def loop(pieces: Sequence[str]) -> Any:
            text, found = prefix, None
            for piece in pieces:
                text += piece
                at = text.find(opener)
                if at < 0:
                    continue
                body = text[at + len(opener) :].encode()
                with suppress(ValueError):  # where the section's end has begun the call is whole
                    found = arguments(jiter.from_json(body, partial_mode="trailing-strings"))
            return found

        return loop

    return start


# ---------------------------------------------------------------- the tables


def add_texts(report: Report, effort: Effort, *, sizes: Sequence[int]) -> None:
    """Measures the formats, each with a call whose longest argument has so many characters."""
    for format in FORMATS:
        title = f"Raw text: {format}, pieces of {PIECE} characters"
        table = Table(title, "µs per piece", SUBJECT)
        report.texts["texts", format] = table
        for characters in sizes:
            progress(f"{title}: {characters} characters")
            text = document(format, characters)
            entries = [reader.entry(text) for reader in text_readers(format, report.missing)]
            table.columns.append(column(f"{characters // 1000} KB", entries, len(text.pieces), effort))
