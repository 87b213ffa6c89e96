"""Instruction counts of the C core and of the hot paths above it, against a committed baseline.

Seconds on a shared machine vary by a factor; the number of instructions hardly does. `valgrind --tool=callgrind` counts
them. Each job runs a few times and more times in two processes, and the difference is the work itself: start-up cancels
out. `python -m bench.instructions` has exit status 1 where a job needs more than `ALLOWED` times its baseline; with
`--write` the counts become the new baseline.

The counts are compared as they are. A ratio to a calibration loop would be worse: at -O2, gcc 11 and 12 and clang 14
and 19 are within 13 % of each other on the core's jobs, but 20 % apart on a plain loop over the same bytes. Minor
versions of Python do differ, so Python's jobs are compared under the baseline's own version only; under another one a
line says that they were left out.

Needs valgrind and a C compiler (CC). Takes some minutes; `--quick` has one job for each layer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from glob import glob
from itertools import product
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
    """command: the arguments of a run that does the work so many times. units: fragments or events in one time.
    python: depends on the interpreter. quick: one of the few."""

    name: str
    command: Callable[[int], Sequence[str]]
    units: int
    python: bool
    quick: bool


# What is fed, and what is asked of it: see `work`.
_PYTHON_JOBS = (
    ("json", "W2", False),
    ("json", "W3", True),
    ("leaves", "W2", False),
    ("live", "W2", False),
    ("push", "W3", False),
    ("parse", "W3", True),
    ("parse", "W2", False),
    ("deltas", "W3", False),
    ("responses", "W3", False),
)
_STREAMED = ("push", "parse", "deltas", "responses")


def jobs(folder: Path) -> list[Job]:
    """All jobs; their inputs and the built driver are put into the folder."""
    return [*_core_jobs(folder), *_python_jobs()]


def _core_jobs(folder: Path) -> Iterator[Job]:
    driver = str(_build(folder))

    def command(*arguments: str) -> Callable[[int], Sequence[str]]:
        *before, last = arguments
        return lambda times: [driver, *before, str(times), last]

    for key, depth in product(("W3", "W5"), (1, -1)):
        path = folder / f"{key}.json"
        path.write_text(workload(key).text, encoding="utf-8")
        name = f"core: {key} in {STEP} bytes, depth {depth}"
        units = path.stat().st_size // STEP
        yield Job(name, command("json", str(path), str(STEP), str(depth)), units, python=False, quick=depth == 1)
    events = stream("anthropic", "W3", STEP).events
    sse = folder / "W3.sse"
    sse.write_bytes(b"".join(events))
    yield Job("core: SSE frames", command("sse", str(sse), "256", "0"), len(events), python=False, quick=True)


def _python_jobs() -> Iterator[Job]:
    for part, key, quick in _PYTHON_JOBS:
        units = len(_events(part, key) if part in _STREAMED else workload(key).fragments(STEP))
        times = 40 if key == "W2" else 5
        command = partial(_python, part, key, times)
        yield Job(f"{part}: {key} in {STEP} characters", command, units * times, python=True, quick=quick)


def _python(part: str, key: str, each: int, times: int) -> list[str]:
    return [sys.executable, "-m", "bench.instructions", "--work", part, key, str(each * times)]


def _build(folder: Path) -> Path:
    driver = folder / "core_driver"
    sources = [str(ROOT / "bench" / "core_driver.c"), *sorted(glob(str(ROOT / "csrc" / "*.c")))]
    compiler = os.environ.get("CC", "cc")
    include = f"-I{ROOT / 'csrc'}"
    subprocess.run([compiler, "-std=c11", "-O2", include, *sources, "-o", str(driver)], check=True)
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
    events, document = _events(part, key), workload(key)
    fragments = document.byte_fragments(STEP)
    for _ in range(times):
        if part in _STREAMED:
            _read_stream(part, events)
        elif _read_json(part, fragments) != document.value:
            raise ValueError(f"{part} of {key}: not the document's value")


def _events(part: str, key: str) -> Sequence[bytes]:
    """Anthropic's, but for the part that is named after the provider: its last events say the arguments again."""
    return stream("responses" if part == "responses" else "anthropic", key, STEP).events


def _read_stream(part: str, events: Sequence[bytes]) -> None:
    if part == "push":
        feed = toolstream.StreamParser().feed
        for event in events:
            feed(event)
    else:
        for _ in toolstream.parse(iter(events), deltas=part == "deltas"):
            pass


def _read_json(part: str, fragments: Sequence[bytes]) -> object:
    parser = toolstream.JSONParser(depth=None if part == "leaves" else 1)
    for fragment in fragments:
        parser.feed(fragment)
        if part == "live":
            parser.value  # noqa: B018 - reading it is the work
    return parser.value


# ---------------------------------------------------------------- the comparison


@dataclass(frozen=True, slots=True)
class Count:
    """Instructions for one unit of a job, now and in the baseline (None: it has no such job)."""

    name: str
    found: float
    before: float | None

    @property
    def holds(self) -> bool:
        return self.before is None or self.found <= self.before * ALLOWED

    def __str__(self) -> str:
        if self.before is None:
            return f"new   {self.name}: {self.found:,.0f} instructions"
        verdict = "pass" if self.holds else "FAIL"
        return f"{verdict}  {self.name}: {self.found:,.0f} instructions, {self.found / self.before:.2f} x the baseline"


def python_version() -> str:
    return f"{platform.python_implementation()} {sys.version_info.major}.{sys.version_info.minor}"


def compared(todo: Iterable[Job], baseline: Baseline, count: Callable[[Job], float]) -> Iterator[Count]:
    """Counts each job, but those whose baseline was made by another Python, and says so."""
    for job in todo:
        if job.python and baseline.python not in (None, python_version()):
            print(f"SKIP  {job.name}: the baseline is of {baseline.python}, this is {python_version()}", flush=True)
            continue
        one = Count(job.name, round(count(job), 1), baseline.counts.get(job.name))
        print(one, flush=True)
        yield one


@dataclass(frozen=True, slots=True)
class Baseline:
    """python: what Python's jobs were counted under; counts: instructions for one unit, by job."""

    python: str | None
    counts: dict[str, float]

    @classmethod
    def load(cls) -> Baseline:
        return cls(**json.loads(BASELINE.read_text(encoding="utf-8")))

    def save(self) -> None:
        BASELINE.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description="instructions against a baseline")
    parser.add_argument("--quick", action="store_true", help="one job for each layer")
    parser.add_argument("--write", action="store_true", help="make the counts the new baseline")
    parser.add_argument("--work", nargs=3, metavar=("PART", "KEY", "TIMES"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work:
        work(options.work[0], options.work[1], int(options.work[2]))
        return 0
    if options.write and options.quick:
        parser.error("a baseline has all jobs: --write without --quick")
    if shutil.which("valgrind") is None:
        print("NOTHING WAS COUNTED: valgrind is not installed", file=sys.stderr)
        return 2
    baseline = Baseline(None, {}) if options.write else Baseline.load()
    with tempfile.TemporaryDirectory() as folder:
        todo = [job for job in jobs(Path(folder)) if job.quick or not options.quick]
        found = list(compared(todo, baseline, measure))
    if options.write:
        Baseline(python_version(), {one.name: one.found for one in found}).save()
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
