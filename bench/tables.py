"""Timings as Markdown tables: one row a contestant, one column a workload, each cell a cost and a ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .timing import Timing

MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Column:
    """label: its head; timings: by contestant; count: fragments or events, to which the cost is shared out.
    calibration: the fixed work that ran in the same rounds."""

    label: str
    timings: Mapping[str, Timing]
    count: int
    calibration: Timing

    def cost(self, name: str) -> float:
        """Seconds a fragment or event."""
        return self.timings[name].seconds / self.count

    def ratio(self, name: str, subject: str) -> float:
        """How many times the subject's time that contestant takes."""
        return self.timings[name].times(self.timings[subject])


@dataclass(slots=True)
class Table:
    """subject: the row that ratios refer to. unit: what a cost is per."""

    title: str
    unit: str
    subject: str
    columns: list[Column] = field(default_factory=list)

    def column(self, label: str) -> Column:
        return next(column for column in self.columns if column.label == label)

    def markdown(self) -> str:
        names = list(dict.fromkeys(name for column in self.columns for name in column.timings))
        rows = [[name, *(self._cell(column, name) for column in self.columns)] for name in names]
        head = [f"{self.unit} (x {self.subject})", *(column.label for column in self.columns)]
        return f"**{self.title}**\n\n{grid(head, rows)}"

    def _cell(self, column: Column, name: str) -> str:
        if name not in column.timings:
            return "-"
        cost = number(column.cost(name) * MICRO)
        mark = "~" if column.timings[name].estimated else ""
        if name == self.subject:
            return cost
        return f"{mark}{cost} ({mark}{number(column.ratio(name, self.subject))}x)"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 else f"{value:.2g}"
