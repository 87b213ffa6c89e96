"""Runs the comparisons and lays out their tables: the JSON layer, the stream layer, and the short form for a README."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .peers import SUBJECT, Group, json_groups
from .plot import Line, line_chart
from .stream_peers import readers
from .tables import Column, Table, grid, number
from .timing import CALIBRATION, Effort, Entry, measure
from .versions import environment, unlike_pins
from .wire import CHUNK_BYTES, SHAPES, stream
from .workloads import KEYS, SCALABLE, Workload, workload, workloads

GROUPS = ("fields", "live", "leaves", "whole")
STREAM_KEYS = ("W2", "W3", "W4")
SCALES = (2_000, 20_000, 200_000, 2_000_000)
STREAM_SCALES = (2_000, 20_000, 200_000)
SCALED_STREAM = "W3"
SCALED_FRAGMENT = 16
CHUNKINGS: tuple[int | None, ...] = (None, CHUNK_BYTES)
_PROVIDERS = {"anthropic": "Anthropic", "chat": "Chat", "responses": "Responses"}


@dataclass(slots=True)
class Report:
    """What was measured. json: (group, fragment size) -> table; streams: (shape, chunk size) -> table, whose columns
    are workload keys; ranks: which contestant of a shape is which kind of peer; missing: what was left out.
    scaling: ("fields", workload key) or ("stream", shape) -> table whose columns are the arguments' characters.
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
        return notes + [f"- {line}" for line in (*dict.fromkeys(self.missing), *unlike_pins())]

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
    groups: Iterable[str] = GROUPS,
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
        table.columns.append(_json_column(group, workload(key), size, key, effort))
    return table


def _json_column(group: Group, document: Workload, size: int | None, label: str, effort: Effort) -> Column:
    contestants = [contestant for contestant in group.contestants if contestant.takes(document)]
    for contestant in contestants:
        contestant.verify(document, size)
    entries = [contestant.entry(document, size) for contestant in contestants]
    return column(label, entries, len(document.fragments(size)) if size else 1, effort)


def add_scaling(report: Report, effort: Effort, *, keys: Sequence[str] = SCALABLE) -> None:
    """Measures how the cost of a fragment grows with the document, for everybody who hands out fields."""
    group = next(group for group in json_groups(report.missing) if group.key == "fields")
    for key in keys:
        table = Table(f"{key}: fields, {SCALED_FRAGMENT}-character fragments, by size", "µs per fragment", SUBJECT)
        report.scaling["fields", key] = table
        for chars in SCALES:
            progress(f"{group.title}, {key} at {chars} characters")
            document = workload(key, chars)
            table.columns.append(_json_column(group, document, SCALED_FRAGMENT, str(chars), effort))


def add_stream_scaling(report: Report, effort: Effort, *, shapes: Sequence[str] = SHAPES) -> None:
    """The same for everybody who reads whole streams; one event a chunk."""
    for shape in shapes:
        title = f"{shape} stream, {SCALED_STREAM}, {SCALED_FRAGMENT}-character deltas, by size"
        table = report.scaling["stream", shape] = Table(title, "µs per event", SUBJECT)
        contestants = readers(shape, report.missing)
        for chars in STREAM_SCALES:
            progress(f"{shape} stream at {chars} characters")
            streamed = stream(shape, SCALED_STREAM, SCALED_FRAGMENT, chars)
            entries = [reader.entry(streamed, streamed.chunks()) for reader in contestants]
            table.columns.append(column(str(chars), entries, len(streamed.events), effort))


def plots(report: Report) -> Iterator[tuple[str, str]]:
    """A file's name and its chart, for each of `report.scaling`."""
    for (part, key), table in report.scaling.items():
        shape = workload(SCALED_STREAM if part == "stream" else key).title.partition(", ")[2]
        title = f"{_PLOTTED[part]}: {f'{_PROVIDERS[key]}, ' if part == 'stream' else ''}{shape}"
        unit = f"{table.unit} ({SCALED_FRAGMENT} characters)"
        yield f"{part}-{key}.svg", line_chart(title, "characters of arguments", unit, list(_lines(table)))


_PLOTTED = {"fields": "Top-level fields as they complete", "stream": "Whole streams"}


def _lines(table: Table) -> Iterator[Line]:
    for name in dict.fromkeys(name for one in table.columns for name in one.timings):
        columns = [one for one in table.columns if name in one.timings]
        points = [(float(one.label), one.cost(name) * 1e6) for one in columns]
        yield Line(name, points, [one.timings[name].estimated for one in columns], strong=name == table.subject)


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


# ---------------------------------------------------------------- the documents' blocks

_RANKS = (
    ("sdk helper", "the SDK's accumulating helper"),
    ("sdk raw", "the SDK's raw stream"),
    ("sseclient jiter", "sseclient-py + orjson + jiter"),
    ("httpx-sse", "httpx-sse + orjson, arguments ignored"),
    ("sseclient", "sseclient-py + orjson, arguments ignored"),
    ("split jiter", "bytes.split + orjson + jiter"),
    ("split ijson", "bytes.split + orjson + ijson"),
    ("split", "bytes.split + orjson, arguments ignored"),
    ("split msgspec", "bytes.split + msgspec typed, arguments ignored"),
)
_MARKERS = re.compile(r"<!-- bench:(\w+):begin -->\n(.*?)<!-- bench:\1:end -->", re.DOTALL)


def blocks(report: Report) -> dict[str, str]:
    """What `write_blocks` puts between markers, by name: only what was measured."""
    found = {"environment": f"{environment()}"}
    if report.streams:
        found["streams"] = _stream_summary(report)
    if ("fields", SCALED_FRAGMENT) in report.json:
        legend = "; ".join(f"{document.key}: {document.title}" for document in workloads())
        found["fields"] = f"{legend}.\n\n{report.json['fields', SCALED_FRAGMENT].markdown()}"
    return found


def _stream_summary(report: Report) -> str:
    """All shapes and sizes at one event a chunk: toolstream's cost, and how many times as much each other takes."""
    tables = [(shape, table) for (shape, chunking), table in report.streams.items() if chunking is None]
    columns = [(shape, column) for shape, table in tables for column in table.columns]
    sizes = [workload(column.label).title.partition(",")[0] for _, column in columns]
    head = ["", *(f"{_PROVIDERS.get(shape, shape)} {size}" for (shape, _), size in zip(columns, sizes, strict=True))]
    rows = [["toolstream, µs per event", *(number(column.cost(SUBJECT) * 1e6) for _, column in columns)]]
    for rank, label in _RANKS:
        found = [report.stream_ratio(shape, None, column.label, rank) for shape, column in columns]
        rows.append([label, *(f"{_short(ratio)}x" if ratio is not None else "-" for ratio in found)])
    return grid(head, rows)


def _short(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


def write_blocks(text: str, new: Mapping[str, str]) -> str:
    """The text with what stands between the markers of each named block replaced. Raises `ValueError` if it has
    none."""
    if not _MARKERS.search(text):
        raise ValueError("expected <!-- bench:NAME:begin --> and <!-- bench:NAME:end -->, found no such block")

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- bench:{name}:begin -->\n{new.get(name, match[2].rstrip())}\n<!-- bench:{name}:end -->"

    return _MARKERS.sub(replaced, text)
