"""`python -m bench`: the comparison as Markdown tables, JSON and plots, a quick form for CI, the bars. README.md
explains each."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from . import check, goals, store
from .peers import WrongResultError
from .report import (
    CHUNKINGS,
    GROUPS,
    STREAM_KEYS,
    Report,
    add_json,
    add_scaling,
    add_stream_scaling,
    add_streams,
    blocks,
    plots,
    progress,
    write_blocks,
)
from .text_peers import add_texts
from .timing import PLOTTED, QUICK, THOROUGH
from .wire import PADDED_SHAPES, SHAPES
from .workloads import FRAGMENT_SIZES, KEYS, SCALABLE

TEXT_SIZES = (2_000, 20_000, 200_000)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="toolstream beside its peers, in one run")
    parser.add_argument("--quick", action="store_true", help="a smoke run: under 40 s, every result checked")
    parts = ("json", "stream", "text", "scaling")
    parser.add_argument("--only", choices=parts, help="one part; scaling: only with --plots")
    parser.add_argument("--workloads", nargs="+", choices=KEYS, metavar="W", help=f"of {', '.join(KEYS)}")
    parser.add_argument("--fragments", nargs="+", type=int, metavar="N", help="characters per fragment")
    parser.add_argument(
        "--shapes", nargs="+", choices=(*SHAPES, *PADDED_SHAPES), metavar="S", help=f"of {SHAPES + PADDED_SHAPES}"
    )
    parser.add_argument(
        "--write", type=Path, nargs="+", metavar="FILE", help="fill the blocks between each FILE's bench markers"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also store what was measured")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="also measure and draw cost against document size")
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="a stored run; exit status 1 if this one is slower"
    )
    parser.add_argument("--check", action="store_true", help="measure the bars; exit status 1 if one is missed")
    parser.add_argument("--goals", action="store_true", help="the same for what the project aims at (slow)")
    return parser.parse_args(argv)


def _measured(options: argparse.Namespace) -> Report:
    report = Report()
    effort = QUICK if options.quick else THOROUGH
    short = options.quick or options.write
    if options.only in (None, "json"):
        sizes = options.fragments or ((16,) if short else FRAGMENT_SIZES)
        groups = ("fields",) if options.write else GROUPS
        add_json(report, effort, sizes=sizes, keys=options.workloads or KEYS, groups=groups)
    if options.only in (None, "stream"):
        keys = options.workloads or (("W2",) if options.quick else STREAM_KEYS)
        chunkings = (None,) if options.write else CHUNKINGS
        add_streams(report, effort, shapes=options.shapes or SHAPES, keys=keys, chunkings=chunkings)
    if options.only in (None, "text") and not options.write:
        add_texts(report, effort, sizes=(2_000,) if options.quick else TEXT_SIZES)
    if options.plots:
        add_scaling(report, PLOTTED, keys=[key for key in options.workloads or SCALABLE if key in SCALABLE])
        add_stream_scaling(report, PLOTTED, shapes=options.shapes or SHAPES)
    return report


def main(argv: list[str]) -> int:
    options = _arguments(argv)
    if options.check or options.goals:
        asked = [make for make, wanted in ((check.bars, options.check), (goals.goals, options.goals)) if wanted]
        held = [check.run(make) for make in asked]
        return 0 if all(held) else 1
    for path in options.write or ():  # before the minutes of measuring, a file without markers is refused
        write_blocks(path.read_text(encoding="utf-8"), {})
    before = store.load(options.compare) if options.compare else None
    try:
        report = _measured(options)
    except WrongResultError as error:
        print(f"python -m bench: {error}", file=sys.stderr)
        return 1
    print(report.markdown())
    if options.json:
        store.save(report, options.json)
        progress(f"{options.json}: written")
    if options.plots:
        _draw(report, options.plots)
    for path in options.write or ():
        path.write_text(write_blocks(path.read_text(encoding="utf-8"), blocks(report)), encoding="utf-8")
        progress(f"{path}: written")
    return _compare(report, before) if before is not None else 0


def _draw(report: Report, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, chart in plots(report):
        path = folder / name
        path.write_text(chart, encoding="utf-8")
        progress(f"{path}: written")


def _compare(report: Report, before: dict[str, Any]) -> int:
    found = store.changes(before, store.as_data(report))
    for change in found:
        print(change)
    return 1 if any(change.regressed for change in found) or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
