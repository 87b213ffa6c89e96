"""What a text without a call shows of calls whose markers were stripped: tokenizers leave special tokens out where they
are asked to, and what is left is text like any other. So nothing is done about it; it is only said (`hint`)."""

from __future__ import annotations

import json
import re
from typing import Any

from .formats import ARGUMENTS, NAMES, Body, Code, Gemma, Headed, Messages, Objects, Python, Tagged, TextFormat

# Each line is looked at a bounded number of times, whatever the text is.
_OBJECT = re.compile(r"(?:^|\n)[ \t]*(?=[\[{])")
_HEAD = re.compile(r"(?:^|\n)[ \t]*[\w.\-]+(?::\d+)?[ \t]*\n?(?:```(?:json)?[ \t]*\n?)?[ \t]*(?=\{)")
_PYTHON = re.compile(r"\s*\[[^\W\d][\w.]*\((?:\)|\w+\s*=)")
_GEMMA = re.compile(r"(?:^|\s)call:[^\W\d][\w.\-]*\{")
_HARMONY = re.compile(r"assistant(?:final|commentary|analysis)|\bto=functions\.")


def hint(format: TextFormat, text: str) -> str | None:
    """A sentence for the user, where a text without a call looks like one of this format without its special tokens."""
    lost = [opener for opener in format.openers if opener.marker and _is_special(opener.marker, format.special)]
    if not lost or any(opener.marker in text for opener in format.openers if opener.marker):
        return None
    if not any(_looks_like(opener.body, format.special, text) for opener in lost):
        return None
    return (
        f"the text holds no call of the format {format.name!r}, but what looks like one without its markers "
        f"({lost[0].marker}): where these are special tokens of the tokenizer, skip_special_tokens=True strips them, "
        "and the calls are text; pass skip_special_tokens=False"
    )


def _is_special(marker: str, special: tuple[str, ...]) -> bool:
    return any(word in marker for word in special)


def _looks_like(body: Body, special: tuple[str, ...], text: str) -> bool:
    if isinstance(body, Objects):
        return _is_call(_json_behind(_OBJECT, text), body.keyed)
    if isinstance(body, Headed):
        return any(entry in text for entry in body.entry) or isinstance(_json_behind(_HEAD, text), dict)
    if isinstance(body, Tagged):
        call = body.call
        for word in special:
            call = call.replace(word, "")
        return bool(call) and re.search(re.escape(call) + body.name, text) is not None
    if isinstance(body, Python):
        return _PYTHON.match(text) is not None
    pattern = {Gemma: _GEMMA, Messages: _HARMONY}.get(type(body))
    return not isinstance(body, Code) and pattern is not None and pattern.search(text) is not None


def _json_behind(pattern: re.Pattern[str], text: str) -> Any:
    """The JSON value behind the first place that the pattern finds, if nothing else follows it."""
    match = pattern.search(text)
    if match is None:
        return None
    try:
        value, end = json.JSONDecoder().raw_decode(text, match.end())
    except (ValueError, RecursionError):
        return None
    return value if text[end:].strip() in ("", "```") else None


def _is_call(value: Any, keyed: bool) -> bool:
    first = value[0] if isinstance(value, list) and value else value
    if not isinstance(first, dict):
        return False
    if keyed:
        return len(first) == 1 and all(isinstance(arguments, dict) for arguments in first.values())
    return any(name in first for name in NAMES) and any(name in first for name in ARGUMENTS)
