"""Where a stream's time goes: what comes once, and what each further event costs, with and without the fast lane and
the extension.

`python -m bench.parts` prints the table; `--write docs/performance.md` puts it between that page's markers. A further
event's cost is the difference between a long and a short call of one string, shared out to the events that one has
more than the other; what comes once is the rest of the short one. Each configuration runs in a process of its own,
because it is chosen when the package is imported.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import toolstream

from .report import write_blocks
from .tables import grid, number
from .timing import Effort, Entry, measure
from .wire import CHUNK_BYTES, stream

EFFORT = Effort(rounds=21, entry_seconds=0.5, estimate_above=1e9)
SHORT, LONG = 2_000, 200_000
# The column's head, and the environment variables that choose it.
CONFIGURATIONS: dict[str, dict[str, str]] = {
    "as installed": {},
    "slow lane": {"TOOLSTREAM_LANE": "slow"},
    "cffi, slow lane": {"TOOLSTREAM_BINDING": "cffi"},
}

Read = Callable[[Sequence[bytes]], object]


def _parse(chunks: Sequence[bytes]) -> None:
    for _ in toolstream.parse(iter(chunks)):
        pass


def _deltas(chunks: Sequence[bytes]) -> int:
    size, field_delta = 0, toolstream.FieldDelta
    for event in toolstream.parse(iter(chunks), deltas=True):
        if type(event) is field_delta:
            size += len(event.text)
    return size


def _push(chunks: Sequence[bytes]) -> list[Any]:
    parser = toolstream.StreamParser()
    for chunk in chunks:
        parser.feed(chunk)
    return parser.close()


# Of each: how it reads, and in which chunks.
_FURTHER: dict[str, tuple[Read, int | None]] = {
    "each further event: `parse`": (_parse, None),
    "the same in chunks of 4 KB": (_parse, CHUNK_BYTES),
    "the same with `deltas=True`, each looked at": (_deltas, None),
    "each further event: `StreamParser.feed`": (_push, None),
}
_ALL_ONCE = "all that comes once, those and the end included"


def microseconds() -> dict[str, float]:
    """Each part's cost in this process's configuration."""
    streams = {chars: stream("anthropic", "W4", 16, chars) for chars in (SHORT, LONG)}
    first = streams[SHORT].events[0]
    entries = [
        Entry("`StreamParser()`", toolstream.StreamParser),
        Entry("`parse(source)`", lambda: toolstream.parse(())),
        Entry("the first event", lambda: toolstream.StreamParser().feed(first)),
    ]
    for name, (read, size) in _FURTHER.items():
        for chars, one in streams.items():
            chunks = one.chunks(size)
            entries.append(Entry(f"{name}, {chars}", lambda read=read, chunks=chunks: read(chunks)))  # type: ignore[misc]
    seconds = {name: timing.seconds for name, timing in measure(entries, EFFORT).items()}
    seconds["the first event"] -= seconds["`StreamParser()`"]
    few, many = (len(one.events) for one in streams.values())
    further = {name: (seconds[f"{name}, {LONG}"] - seconds[f"{name}, {SHORT}"]) / (many - few) for name in _FURTHER}
    once = {name: seconds[name] for name in ("`StreamParser()`", "`parse(source)`", "the first event")}
    plain = next(iter(_FURTHER))
    once[_ALL_ONCE] = seconds[f"{plain}, {SHORT}"] - few * further[plain]
    return {name: cost * 1e6 for name, cost in (once | further).items()}


def measured(environment: dict[str, str]) -> dict[str, float]:
    """The parts of a fresh process in that environment. Raises `subprocess.CalledProcessError` if it fails."""
    command = [sys.executable, "-m", "bench.parts", "--work"]
    root = Path(__file__).resolve().parent.parent
    surroundings = {**os.environ, **environment}
    done = subprocess.run(command, cwd=root, env=surroundings, check=True, capture_output=True, text=True)
    parts: dict[str, float] = json.loads(done.stdout)
    return parts


def table() -> str:
    columns = {name: measured(environment) for name, environment in CONFIGURATIONS.items()}
    rows = [[part, *(number(column[part]) for column in columns.values())] for part in columns["as installed"]]
    return grid(["µs", *columns], rows)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.parts", description="where a stream's time goes")
    parser.add_argument("--write", type=Path, metavar="FILE", help="fill FILE's block bench:parts")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work:
        print(json.dumps(microseconds()))
        return
    found = table()
    print(found)
    if options.write:
        text = write_blocks(options.write.read_text(encoding="utf-8"), {"parts": found})
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
