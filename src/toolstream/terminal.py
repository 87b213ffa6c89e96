"""Where the command writes: standard output, for people or for the next program in a pipe.

Trusts nothing that a model has written: control characters in it are shown, never obeyed by a terminal.
Guarantees that each write is flushed, that an encoding which lacks a character never stops the output, and
that colour and a changing line appear only on a terminal whose user has not refused them (NO_COLOR).
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from typing import IO, Any

from .errors import format_path
from .events import Path
from .usage import Usage

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "cyan": "36"}
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_ERASE_LINE = "\r\x1b[K"
_STATUS_WIDTH = 78

_STRING_OR_INFINITY = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity')
_INFINITIES = {"Infinity": "1e999", "-Infinity": "-1e999"}


class OutputError(Exception):
    """Standard output takes no more.

    quiet: because its reader has left (`| head`), which is no fault.
    """

    def __init__(self, cause: OSError) -> None:
        super().__init__(cause.strerror or str(cause))
        # Windows reports a closed pipe as EINVAL.
        self.quiet = isinstance(cause, BrokenPipeError) or (os.name == "nt" and cause.errno == errno.EINVAL)


class Terminal:
    """A text stream that is flushed at every write."""

    def __init__(self, out: IO[str], environ: Mapping[str, str] = os.environ) -> None:
        self._out = out
        self._encoding = getattr(out, "encoding", None) or "utf-8"
        self._status_shown = False
        self._styled = out.isatty() and _wants_styles(environ)

    def write(self, text: str) -> None:
        """Writes and flushes. Raises `OutputError`."""
        if self._status_shown:
            self._status_shown = False
            text = _ERASE_LINE + text
        self._send(text)

    def line(self, text: str = "") -> None:
        """Writes one line."""
        self.write(text + "\n")

    def status(self, text: str) -> None:
        """Shows a line that the next write replaces; nothing where the output can't do that."""
        if self._styled:
            self._send(_ERASE_LINE + text[:_STATUS_WIDTH])
            self._status_shown = True

    def style(self, text: str, *styles: str) -> str:
        """The text in colour, where colour is welcome."""
        if not self._styled:
            return text
        return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"

    def _send(self, text: str) -> None:
        try:
            self._out.write(text.encode(self._encoding, "backslashreplace").decode(self._encoding))
            self._out.flush()
        except OSError as error:
            raise OutputError(error) from error


def _wants_styles(environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    return os.name != "nt" or "WT_SESSION" in environ


def dump_json(value: Any, *, ascii_only: bool = True) -> str:
    """A value as one line of JSON; ASCII by default, which every pipe and encoding carries.

    Takes what `json.loads` can give and keeps it: a lone surrogate as an escape, a number beyond the range of
    floats (`1e999`, which `json.dumps` would write as `Infinity`) as a number.
    """
    try:
        return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False)
    except ValueError:
        text = json.dumps(value, ensure_ascii=ascii_only)
        return _STRING_OR_INFINITY.sub(lambda match: _INFINITIES.get(match[0], match[0]), text)


def printable(text: str) -> str:
    """A model's text with its control characters spelled out; line ends and tabs stay."""
    return text.translate(_CONTROLS)


def show_path(path: Path) -> str:
    """A path for people; the root has a name, too."""
    return printable(format_path(path)).replace("\n", "\\n") or "(all)"


def show_value(value: Any, width: int) -> str:
    """A value as JSON in at most about `width` characters; a long one says how long it is."""
    text = printable(dump_json(value, ascii_only=False))
    if len(text) <= width:
        return text
    if isinstance(value, str):
        size = f"{len(value):,} characters"
    elif isinstance(value, (list, dict)):
        size = f"{len(value):,} {'items' if isinstance(value, list) else 'members'}"
    else:
        size = f"{len(text):,} digits"
    size = f"... ({size})"
    return text[: max(width - len(size), 8)] + size


def show_usage(usage: Usage) -> str:
    """Token counts as one line; `-` where the provider said nothing."""
    ratio = usage.cache_hit_ratio
    return (
        f"usage{'' if usage.final else ' so far'}: input {_count(usage.input_tokens)}, "
        f"cached {_count(usage.cache_read_tokens)}, written {_count(usage.cache_write_tokens)}, "
        f"output {_count(usage.output_tokens)}, cache hit ratio {'-' if ratio is None else f'{ratio:.1%}'}"
    )


def _count(tokens: int | None) -> str:
    return "-" if tokens is None else f"{tokens:,}"
