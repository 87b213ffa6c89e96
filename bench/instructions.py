"""Instruction counts of the C core and of the hot paths above it, against a committed baseline.

Seconds on a shared machine vary by a factor; the number of instructions hardly does. `valgrind --tool=callgrind` counts
them. Each job runs a few times and more times in two processes, and the difference is the work itself: start-up cancels
out. `python -m bench.instructions` has exit status 1 where a job needs more than `ALLOWED` times its baseline; with
`--write` the counts become the new baseline.

Needs valgrind and a C compiler (CC). Takes two minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import toolstream

from .wire import stream
from .workloads import workload

ALLOWED = 1.3
BASELINE = Path(__file__).with_name("instructions.json")
ROOT = Path(__file__).resolve().parent.parent
FEW, MANY = 2, 6
STEP = 16
_COUNTED = re.compile(r"Collected : (\d+)")


@dataclass(frozen=True, slots=True)
class Job:
    """command: the arguments of a run that does the work so many times. units: fragments or events in one time."""

    name: str
    command: Callable[[int], Sequence[str]]
    units: int


def jobs(folder: Path) -> list[Job]:
    """All jobs; their inputs and the built driver are put into the folder."""
    driver = _build(folder)
    found: list[Job] = []
    for key in ("W3", "W5"):
        path = folder / f"{key}.json"
        path.write_text(workload(key).text, encoding="utf-8")
        units = path.stat().st_size // STEP
        for depth in (1, -1):
            arguments = [str(driver), "json", str(path), str(STEP)]
            name = f"core: {key} in {STEP} bytes, depth {depth}"
            found.append(Job(name, lambda times, a=arguments, d=depth: [*a, str(times), str(d)], units))  # type: ignore[misc]
    sse = folder / "W3.sse"
    sse.write_bytes(b"".join(stream("anthropic", "W3", STEP).events))
    count = len(stream("anthropic", "W3", STEP).events)
    found.append(Job("core: SSE frames", lambda times: [str(driver), "sse", str(sse), "256", str(times), "0"], count))
    for part, key in (("json", "W2"), ("json", "W3"), ("leaves", "W2"), ("live", "W2"), ("stream", "W3")):
        name = f"{part}: {key} in {STEP} characters"
        units = len(stream("anthropic", key, STEP).events if part == "stream" else workload(key).fragments(STEP))
        times = 40 if key == "W2" else 5
        found.append(Job(name, lambda n, p=part, k=key, t=times: _python(p, k, n * t), units * times))  # type: ignore[misc]
    return found


def _python(part: str, key: str, times: int) -> list[str]:
    return [sys.executable, "-m", "bench.instructions", "--work", part, key, str(times)]


def _build(folder: Path) -> Path:
    driver = folder / "core_driver"
    sources = [str(ROOT / "bench" / "core_driver.c"), *sorted(glob(str(ROOT / "csrc" / "*.c")))]
    compiler = os.environ.get("CC", "cc")
    include = f"-I{ROOT / 'csrc'}"
    subprocess.run([compiler, "-std=c11", "-O2", "-g", include, *sources, "-o", str(driver)], check=True)
    return driver


def counted(command: Sequence[str]) -> int:
    """Instructions of a process. Raises `CalledProcessError` if it fails, `ValueError` if valgrind tells nothing."""
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(callgrind, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found = _COUNTED.search(done.stderr)
    if found is None:
        raise ValueError(f"callgrind counted nothing: {done.stderr[-500:]}")
    return int(found[1])


def measure(job: Job) -> float:
    """Instructions for one unit."""
    return (counted(job.command(MANY)) - counted(job.command(FEW))) / ((MANY - FEW) * job.units)


def work(part: str, key: str, times: int) -> None:
    """What the hot paths do, so many times: runs under the counter."""
    if part == "stream":
        events = stream("anthropic", key, STEP).events
        for _ in range(times):
            feed = toolstream.StreamParser().feed
            for event in events:
                feed(event)
        return
    fragments = workload(key).byte_fragments(STEP)
    depth = None if part == "leaves" else 1
    for _ in range(times):
        parser = toolstream.JSONParser(depth=depth)
        for fragment in fragments:
            parser.feed(fragment)
            if part == "live":
                parser.value  # noqa: B018 - reading it is the work
        assert parser.value == workload(key).value


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description="instructions against a baseline")
    parser.add_argument("--write", action="store_true", help="make the counts the new baseline")
    parser.add_argument("--work", nargs=3, metavar=("PART", "KEY", "TIMES"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work:
        work(options.work[0], options.work[1], int(options.work[2]))
        return 0
    before: dict[str, float] = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs(Path(folder)):
            found[job.name] = round(measure(job), 1)
            print(_line(job.name, found[job.name], before.get(job.name)), flush=True)
    if options.write:
        BASELINE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if options.write or all(_holds(found[name], before.get(name)) for name in found) else 1


def _holds(found: float, before: float | None) -> bool:
    return before is None or found <= before * ALLOWED


def _line(name: str, found: float, before: float | None) -> str:
    if before is None:
        return f"new   {name}: {found:,.0f} instructions"
    verdict = "pass" if _holds(found, before) else "FAIL"
    return f"{verdict}  {name}: {found:,.0f} instructions, {found / before:.2f} x the baseline"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
