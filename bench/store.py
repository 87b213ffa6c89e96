"""What a run measured, as JSON, and the comparison of two runs.

Seconds of two runs are not comparable: another machine, or the same one with other work on it. So each cost is also
stored as a multiple of the calibration that ran in the same rounds, and only those multiples are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .peers import SUBJECT
from .report import Report
from .versions import environment

FORMAT = 1
REGRESSION = 1.3


def as_data(report: Report) -> dict[str, Any]:
    """The run as plain data: one entry for each cell of its tables."""
    return {"format": FORMAT, "environment": environment(), "results": list(_results(report))}


def _results(report: Report) -> Iterator[dict[str, Any]]:
    for (kind, detail), table in (
        *report.json.items(),
        *report.streams.items(),
        *report.texts.items(),
        *report.scaling.items(),
    ):
        for column in table.columns:
            for name, timing in column.timings.items():
                yield {
                    "job": f"{kind}, {detail}",
                    "workload": column.label,
                    "contestant": name,
                    "microseconds": _rounded(column.cost(name) * 1e6),
                    "calibrations": _rounded(timing.times(column.calibration) / column.count),
                    "estimated": timing.estimated,
                }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def save(report: Report, path: Path) -> None:
    """One line for each result, so that two runs can be read side by side."""
    run = as_data(report)
    results = ",\n".join(json.dumps(result, ensure_ascii=False) for result in run["results"])
    head = json.dumps({**run, "results": []}, ensure_ascii=False).removesuffix("]}")
    path.write_text(f"{head}\n{results}\n]}}\n", encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """A stored run. Raises `ValueError` for a file that is none."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"{path}: no run of format {FORMAT}")
    return data


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a cost of toolstream: `times` as much of the calibration as in the stored run."""

    name: str
    times: float

    @property
    def regressed(self) -> bool:
        return self.times > REGRESSION

    def __str__(self) -> str:
        return f"{'WORSE' if self.regressed else 'ok   '} {self.name}: {self.times:.2f} x the stored run's cost"


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """For each job that both runs measured in full; the worst first."""
    old, new = _own(before), _own(after)
    found = [Change(" / ".join(key), new[key] / old[key]) for key in new if key in old]
    return sorted(found, key=lambda change: -change.times)


def _own(run: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    return {
        (result["job"], result["workload"], result["contestant"]): result["calibrations"]
        for result in run["results"]
        if result["contestant"].startswith(SUBJECT) and not result["estimated"]
    }
