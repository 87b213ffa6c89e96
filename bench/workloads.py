"""The documents that are measured: five argument objects as models write them, cut into fragments.

Deterministic: the same text on every machine and in every run. Each kind can be made at any size, so that growth
is measured on one shape. Nothing is taken from a real conversation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

FRAGMENT_SIZES = (1, 4, 16, 64)

# fmt: off
_WORDS = [
    "river", "stone", "copper", "lantern", "harbour", "signal", "winter", "garden", "paper", "engine", "orchard",
    "meadow", "compass", "bridge", "thread", "market", "island", "basket", "timber", "ribbon", "saddle", "window",
    "kettle", "anchor", "marble", "pepper", "candle", "tunnel", "forest",
]
# fmt: on
_ACCENTED = ("Zürich", "café", "naïve", "Kraków", "São Paulo", "señal", "façade", "Ørsted")
_IDENTIFIERS = ("index", "buffer", "result", "total", "session", "request", "node", "entry", "cursor", "limit")


@dataclass(frozen=True, slots=True)
class Workload:
    """One document. key: its short name; title: what it is; text: the JSON; value: what `json.loads` makes of it."""

    key: str
    title: str
    text: str
    value: Any

    def fragments(self, size: int) -> list[str]:
        """The text in pieces of `size` characters."""
        return [self.text[at : at + size] for at in range(0, len(self.text), size)]

    def byte_fragments(self, size: int) -> list[bytes]:
        """The same pieces in UTF-8: a fragment never ends inside a character, as in provider streams."""
        return [fragment.encode() for fragment in self.fragments(size)]


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _sentence(random: Random, words: int) -> str:
    picked = [random.choice(_WORDS) if random.random() < 0.96 else random.choice(_ACCENTED) for _ in range(words)]
    return " ".join(picked).capitalize() + "."


def _grow(first: str, item: Callable[[], str], last: str, chars: int) -> str:
    """first, then items separated by commas until about `chars` characters, then last."""
    parts: list[str] = []
    size = len(first) + len(last)
    while size < chars or not parts:
        part = item()
        parts.append(part)
        size += len(part) + 2
    return first + ", ".join(parts) + last


def _small_call(chars: int) -> str:
    """A weather look-up: the everyday call. Its size is fixed."""
    query = "wind and rain for the afternoon"
    return _dumps({"city": "Zürich", "unit": "celsius", "days": 3, "hourly": True, "after": None, "query": query})


def _mixed(chars: int) -> str:
    """A search with filters and records: strings, numbers, literals, nesting."""
    random = Random("mixed")

    def record() -> str:
        return _dumps(
            {
                "id": random.randrange(10**6),
                "name": _sentence(random, 3),
                "score": round(random.random(), 4),
                "active": random.random() < 0.7,
                "parent": None,
                "tags": random.sample(_WORDS, 3),
                "place": {"city": random.choice(_ACCENTED), "lat": round(random.uniform(-90, 90), 5)},
            }
        )

    filters = {"since": "2025-01-31T08:00:00Z", "status": ["open", "waiting"], "minimum": 0.25}
    head = _dumps({"query": _sentence(random, 9), "limit": 25, "exact": False, "filters": filters})
    return _grow(head[:-1] + ', "records": [', record, '], "note": "two \\"quoted\\" words"}', chars)


def _code_line(random: Random) -> str:
    name, other = random.choice(_IDENTIFIERS), random.choice(_IDENTIFIERS)
    indent = "    " * random.randrange(1, 4)
    return indent + random.choice(
        (
            f'{name} = {other}.get("{random.choice(_WORDS)}", None)',
            f"if {name} is not None and {other} > {random.randrange(999)}:",
            f'print(f"{random.choice(_WORDS)}: {{{name}}}\\n")',
            f"return {{'{name}': {other}[{random.randrange(9)}]}}",
            f"# {_sentence(random, 7)}",
            f'pattern = re.compile(r"\\s*({name}|{other})\\t")',
        )
    )


def _code(random: Random, lines: int) -> str:
    return "\n".join(_code_line(random) for _ in range(lines)) + "\n"


def _code_edits(chars: int) -> str:
    """Edits to a source file: strings full of escapes."""
    random = Random("edits")

    def edit() -> str:
        old, new = _code(random, 6), _code(random, 9)
        return _dumps({"line": random.randrange(2000), "old_text": old, "new_text": new}).replace("é", "\\u00e9")

    return _grow('{"path": "src/engine/session.py", "edits": [', edit, '], "dry_run": false}', chars)


def _one_string(chars: int) -> str:
    """A whole file written in one call: nearly everything is one string."""
    random = Random("file")
    head, tail = '{"path": "docs/manual.md", "mode": "w", "overwrite": true, "content": "', '"}'
    room = chars - len(head) - len(tail)
    parts: list[str] = []
    while True:
        line = _code_line(random) if random.random() < 0.6 else _sentence(random, 14)
        part = _dumps(line + "\n")[1:-1].replace("é", "\\u00e9")
        if len(part) > room:
            return head + "".join(parts) + "." * room + tail
        parts.append(part)
        room -= len(part)


def _small_values(chars: int) -> str:
    """A table: many small values in many small containers."""
    random = Random("table")

    def row() -> str:
        return _dumps(
            {
                "id": random.randrange(10**5),
                "x": round(random.uniform(-1000, 1000), 3),
                "ok": random.random() < 0.5,
                "tag": random.choice(_WORDS),
                "at": [random.randrange(100), random.randrange(100)],
                "next": None,
            }
        )

    return _grow('{"table": "readings", "rows": [', row, '], "done": true}', chars)


_KINDS: dict[str, tuple[str, int, Callable[[int], str]]] = {
    "W1": ("120 B, a small call", 120, _small_call),
    "W2": ("2 KB, mixed", 2_000, _mixed),
    "W3": ("20 KB, escaped code edits", 20_000, _code_edits),
    "W4": ("200 KB, one string", 200_000, _one_string),
    "W5": ("200 KB, small values", 200_000, _small_values),
}

KEYS = tuple(_KINDS)
SCALABLE = ("W2", "W3", "W4", "W5")


@cache
def workload(key: str, chars: int | None = None) -> Workload:
    """The workload of that name, at its own size or at about `chars` characters (`SCALABLE` ones)."""
    title, size, make = _KINDS[key]
    text = make(chars or size)
    return Workload(key, title if chars is None else f"{title}, at {chars} characters", text, json.loads(text))


def workloads(keys: tuple[str, ...] = KEYS) -> Iterator[Workload]:
    for key in keys:
        yield workload(key)
