"""Runs the comparisons and lays out their tables: the JSON layer, the stream layer, and the short form for a README."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from toolstream._core import BINDING

from .peers import SUBJECT, Group, json_groups
from .plot import line_chart
from .stream_peers import readers
from .tables import Column, Table, grid, number
from .timing import CALIBRATION, Effort, Entry, measure
from .wire import CHUNK_BYTES, SHAPES, stream
from .workloads import KEYS, SCALABLE, workload, workloads

STREAM_KEYS = ("W2", "W3", "W4")
SCALES = (2_000, 20_000, 200_000, 2_000_000)
SCALED_FRAGMENT = 16
CHUNKINGS: tuple[int | None, ...] = (None, CHUNK_BYTES)
MARKERS = ("<!-- bench:begin -->", "<!-- bench:end -->")
_PACKAGES = (
    *("toolstream", "orjson", "jiter", "ijson", "sseclient-py", "anthropic", "openai", "httpx", "httpx2"),
    "transformers",
)
_PROVIDERS = {"anthropic": "Anthropic", "chat": "Chat", "responses": "Responses"}


@dataclass(slots=True)
class Report:
    """What was measured. json: (group, fragment size) -> table; streams: (shape, chunk size) -> table, whose columns
    are workload keys; ranks: which contestant of a shape is which kind of peer; missing: what was left out.
    scaling: ("scaling", workload key) -> table of the fields group, whose columns are sizes in characters.
    texts: ("texts", text format) -> table, whose columns are sizes, too."""

    json: dict[tuple[str, int | None], Table] = field(default_factory=dict)
    streams: dict[tuple[str, int | None], Table] = field(default_factory=dict)
    scaling: dict[tuple[str, str], Table] = field(default_factory=dict)
    texts: dict[tuple[str, str], Table] = field(default_factory=dict)
    ranks: dict[tuple[str, str], str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        tables = (*self.json.values(), *self.streams.values(), *self.texts.values(), *self.scaling.values())
        return "\n\n".join([environment(), *(table.markdown() for table in tables), *self._notes()])

    def _notes(self) -> list[str]:
        notes = ["`~`: estimated from fragments sampled at evenly spaced places of the document, not run in full."]
        return notes + [f"- {line}" for line in dict.fromkeys(self.missing)]

    def json_ratio(self, group: str, size: int | None, key: str, peer: str, subject: str = SUBJECT) -> float | None:
        """How many times the subject's time that peer takes; None if one of them was left out."""
        column = self.json[group, size].column(key)
        return column.ratio(peer, subject) if peer in column.timings and subject in column.timings else None

    def stream_ratio(
        self, shape: str, chunk: int | None, key: str, rank: str, subject: str = "subject"
    ) -> float | None:
        """The same for the peer of that rank, against toolstream's contestant of rank `subject`."""
        column = self.streams[shape, chunk].column(key)
        peer, base = self.ranks.get((shape, rank)), self.ranks[shape, subject]
        return column.ratio(peer, base) if peer is not None and peer in column.timings else None


def environment() -> str:
    """The machine and the versions, for the head of a table."""
    versions = ", ".join(f"{name} {version}" for name in _PACKAGES if (version := _version(name)))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"
    return f"{python}, {machine}; {versions}; toolstream's {BINDING} binding."


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def column(label: str, entries: Sequence[Entry], count: int, effort: Effort) -> Column:
    """Measures the entries and, beside them, the calibration."""
    timings = measure([*entries, CALIBRATION], effort)
    calibration = timings.pop(CALIBRATION.name)
    return Column(label, timings, count, calibration)


def add_json(
    report: Report,
    effort: Effort,
    *,
    sizes: Sequence[int],
    keys: Sequence[str] = KEYS,
    groups: Iterable[str] = ("fields", "live", "leaves", "whole"),
) -> None:
    """Measures the JSON layer's groups at those fragment sizes (`whole` once)."""
    for group in json_groups(report.missing):
        if group.key in groups:
            for size in sizes if group.fragmented else (None,):
                report.json[group.key, size] = _json_table(group, size, keys, effort)


def _json_table(group: Group, size: int | None, keys: Sequence[str], effort: Effort) -> Table:
    title = group.title + (f", fragments of {size} character{'s' * (size > 1)}" if size else "")
    table = Table(title[0].upper() + title[1:], "µs per fragment" if size else "µs per document", SUBJECT)
    for key in keys:
        progress(f"{title}: {key}")
        document = workload(key)
        for contestant in group.contestants:
            contestant.verify(document, size)
        entries = [contestant.entry(document, size) for contestant in group.contestants]
        table.columns.append(column(key, entries, len(document.fragments(size)) if size else 1, effort))
    return table


def add_scaling(
    report: Report, effort: Effort, *, keys: Sequence[str] = SCALABLE, scales: Sequence[int] = SCALES
) -> None:
    """Measures how the cost of a fragment grows with the document, for everybody who hands out fields."""
    group = next(group for group in json_groups(report.missing) if group.key == "fields")
    for key in keys:
        table = Table(f"{workload(key).title}: by the document's characters", "µs per fragment", SUBJECT)
        report.scaling["scaling", key] = table
        for chars in scales:
            progress(f"{group.title}, {key} at {chars} characters")
            document = workload(key, chars)
            entries = [contestant.entry(document, SCALED_FRAGMENT) for contestant in group.contestants]
            count = len(document.fragments(SCALED_FRAGMENT))
            table.columns.append(column(str(chars), entries, count, effort))


def plots(report: Report) -> Iterator[tuple[str, str]]:
    """A workload's key and its chart, for each that `add_scaling` has measured."""
    for (_, key), table in report.scaling.items():
        names = dict.fromkeys(name for one in table.columns for name in one.timings)
        lines = {
            name: [(float(one.label), one.cost(name) * 1e6) for one in table.columns if name in one.timings]
            for name in names
        }
        title = f"{key}: µs per fragment of {SCALED_FRAGMENT} characters"
        yield key, line_chart(title, "characters in the document", "µs per fragment", lines)


def add_streams(
    report: Report,
    effort: Effort,
    *,
    shapes: Sequence[str] = SHAPES,
    keys: Sequence[str] = STREAM_KEYS,
    chunkings: Sequence[int | None] = CHUNKINGS,
    fragment_size: int = 16,
    ranks: Sequence[str] | None = None,
) -> None:
    """Measures the stream layer. ranks: only these kinds of contestant."""
    for shape in shapes:
        contestants = [reader for reader in readers(shape, report.missing) if ranks is None or reader.rank in ranks]
        report.ranks.update({(shape, reader.rank): reader.name for reader in contestants})
        for chunking in chunkings:
            arrival = "one event per chunk" if chunking is None else f"chunks of {chunking} bytes"
            table = Table(f"{shape} stream, {fragment_size}-character deltas, {arrival}", "µs per event", SUBJECT)
            report.streams[shape, chunking] = table
            for key in keys:
                progress(f"{table.title}: {key}")
                streamed = stream(shape, key, fragment_size)
                chunks = streamed.chunks(chunking)
                entries = [reader.entry(streamed, chunks) for reader in contestants]
                table.columns.append(column(key, entries, len(streamed.events), effort))


# ---------------------------------------------------------------- the README's block

_RANKS = (
    ("sdk helper", "the SDK's accumulating helper"),
    ("sdk raw", "the SDK's raw stream"),
    ("sseclient jiter", "sseclient-py + orjson + jiter"),
    ("sseclient", "sseclient-py + orjson, arguments ignored"),
    ("split jiter", "bytes.split + orjson + jiter"),
    ("split ijson", "bytes.split + orjson + ijson"),
    ("split", "bytes.split + orjson, arguments ignored"),
)


def summary(report: Report) -> str:
    """The short form: fields at 16 characters, and all streams at one event per chunk, as ratios."""
    sizes = "; ".join(f"{document.key}: {document.title}" for document in workloads())
    legend = "Ratios: how many times toolstream's time it takes; `~`: estimated from samples."
    parts = [environment(), f"{sizes}. {legend}"]
    if ("fields", 16) in report.json:
        parts.append(report.json["fields", 16].markdown())
    if report.streams:
        parts.append(_stream_summary(report))
    return "\n\n".join(parts)


def _stream_summary(report: Report) -> str:
    tables = [(shape, table) for (shape, chunking), table in report.streams.items() if chunking is None]
    columns = [(shape, column) for shape, table in tables for column in table.columns]
    head = ["whole streams, one event per chunk", *(f"{_PROVIDERS.get(s, s)} {c.label}" for s, c in columns)]
    first = ["toolstream, µs per event", *(number(column.cost(SUBJECT) * 1e6) for _, column in columns)]
    rows = [first]
    for rank, label in _RANKS:
        found = [report.stream_ratio(shape, None, column.label, rank) for shape, column in columns]
        rows.append([label, *(f"{number(ratio)}x" if ratio is not None else "-" for ratio in found)])
    return grid(head, rows)


def write_block(text: str, block: str) -> str:
    """The text with what stands between the markers replaced. Raises `ValueError` without them."""
    begin, end = (re.escape(marker) for marker in MARKERS)
    changed, count = re.subn(f"{begin}.*?{end}", lambda _: f"{MARKERS[0]}\n{block}\n{MARKERS[1]}", text, flags=re.S)
    if count != 1:
        raise ValueError(f"expected one block between {MARKERS[0]} and {MARKERS[1]}, found {count}")
    return changed
