"""What a parser holds: an idle one in the middle of a call, 100 000 of them, and the peak over one long string.

Each part runs in a fresh process, because a process's resident set only tells of its whole past. `tracemalloc` sees
Python's allocations, `__sizeof__` tells those of the C core, the resident set has all, with what the allocators need.
`python -m bench.memory` prints all parts.
"""

from __future__ import annotations

import gc
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import toolstream

from .wire import SHAPES, stream

MANY = 100_000
TRACED = 2_000
GC_HEAD = sys.getsizeof([]) - list.__basicsize__
STRING_CHARS = 20_000_000
# What in the shapes' ids may be any other characters.
_ID = re.compile(rb"X{8,}|(?<=_)[0-9a-f]{48}")


def resident() -> int:
    """Bytes of this process in memory now (Linux), or their highest so far (elsewhere)."""
    return _linux("VmRSS") or highest()


def highest() -> int:
    """The most bytes that this process ever had in memory. Raises `ImportError` on Windows."""
    # Linux's ru_maxrss would begin with the peak of the process that started this one.
    return _linux("VmHWM") or _peak_by_rusage()


def _linux(field: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def _peak_by_rusage() -> int:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _idle_parser(events: tuple[bytes, ...], number: int = 0) -> toolstream.StreamParser:
    """A parser that stands in the middle of a 2 KB call, most of it settled. Its ids are no other stream's."""
    own = _ID.sub(lambda id: b"%0*d" % (len(id[0]), number), b"\0".join(events[: len(events) // 2]))
    parser = toolstream.StreamParser()
    for event in own.split(b"\0"):
        parser.feed(event)
    return parser


def idle(shape: str = "anthropic", count: int = TRACED) -> dict[str, float]:
    """Bytes of one idle parser, without what is shared by all: Python's objects by `tracemalloc`, what the C core holds
    beside them, both together, and how much of that is the text of the call, which `call.text` promises."""
    events = stream(shape, "W2").events
    _idle_parser(events)
    tracemalloc.start()
    try:
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        parsers = [_idle_parser(events, number) for number in range(count)]
        gc.collect()
        python = (tracemalloc.get_traced_memory()[0] - before) / len(parsers)
    finally:
        tracemalloc.stop()
    parser = parsers[0]
    core = sum(_core_bytes(part) for part in (parser, parser._framing, parser.calls[0]._parser))
    text = len(parser.calls[0].text.encode())
    return {"python_bytes_each": python, "core_bytes_each": core, "bytes_each": python + core, "text_bytes": text}


def _core_bytes(part: Any) -> int:
    """What an object holds outside of Python's memory."""
    return sys.getsizeof(part) - type(part).__basicsize__ - (GC_HEAD if gc.is_tracked(part) else 0)


def many(shape: str = "anthropic", count: int = MANY) -> dict[str, float]:
    """Resident bytes of many idle parsers."""
    events = stream(shape, "W2").events
    _idle_parser(events)
    gc.collect()
    before = resident()
    parsers = [_idle_parser(events, number) for number in range(count)]
    gc.collect()
    grown = resident() - before
    return {"parsers": len(parsers), "resident_bytes": grown, "resident_bytes_each": grown / len(parsers)}


def long_string(plain: bool) -> dict[str, float]:
    """The peak while one string of 20 MB passes through a parser, as multiples of the string's own size."""
    head, tail = b'{"content": "', b'"}'
    piece = b"sixteen letters " if plain else "zehn Wörter, …  ".encode()
    repeats = STRING_CHARS // len(piece.decode())

    def fragments() -> Iterator[bytes]:
        yield head
        for _ in range(repeats):
            yield piece
        yield tail

    _feed([head, piece, tail])
    gc.collect()
    before = highest()
    value = _feed(fragments())
    size = sys.getsizeof(value["content"])
    return {"string_bytes": size, "peak_bytes": highest() - before, "peak_of_string": (highest() - before) / size}


def _feed(fragments: Any) -> Any:
    parser = toolstream.JSONParser()
    for fragment in fragments:
        parser.feed(fragment)
    return parser.value


PARTS: dict[str, Callable[[], dict[str, float]]] = {
    **{f"idle, {shape}": partial(idle, shape) for shape in SHAPES},
    **{f"many, {shape}": partial(many, shape) for shape in SHAPES},
    "string": lambda: long_string(plain=True),
    "string-wide": lambda: long_string(plain=False),
}


def measured(part: str) -> dict[str, float]:
    """That part's figures, from a fresh process. Raises `subprocess.CalledProcessError` if it fails."""
    command = [sys.executable, "-m", "bench.memory", part]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main(arguments: list[str]) -> None:
    if arguments:
        print(json.dumps(PARTS[arguments[0]]()))
        return
    for part in PARTS:
        print(part, ", ".join(f"{name} {figure:,.4g}" for name, figure in measured(part).items()))


if __name__ == "__main__":
    main(sys.argv[1:])
