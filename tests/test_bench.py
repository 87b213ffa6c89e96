"""The benchmark's own arithmetic: ratios, estimates, comparisons, bounds, plots. Nothing here looks at a real clock."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import documents
import pytest

from bench import check, instructions, peers, plot, report, store, stream_peers, tables, timing, versions, wire
from bench.workloads import FRAGMENT_SIZES, SCALABLE, workload

# ---------------------------------------------------------------- ratios


def timed(*samples: float, estimated: bool = False) -> timing.Timing:
    return timing.Timing(samples, estimated)


def test_a_ratio_is_the_median_of_each_rounds_ratio_so_that_a_slow_round_cancels_out() -> None:
    assert timed(2, 20, 2, 2.2, 2).times(timed(1, 10, 1, 1, 1)) == 2


def test_with_too_few_rounds_it_is_the_ratio_of_the_medians() -> None:
    assert timed(30).times(timed(1, 2, 3)) == 15


def test_a_cost_is_shared_out_to_the_fragments() -> None:
    column = tables.Column("W3", {"toolstream": timed(8), "other": timed(16)}, 4, timed(1))
    assert (column.cost("toolstream"), column.ratio("other", "toolstream")) == (2, 2)


# ---------------------------------------------------------------- estimates


class Clock:
    """Seconds that only the contestants spend."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(peers, "clock", clock)
    return clock


def contestant(clock: Clock, cost: Callable[[int], float]) -> peers.Contestant:
    """Each fragment costs what `cost` says of the bytes before it."""

    def start(prefix: bytes) -> peers.Loop:
        size = len(prefix)

        def loop(fragments: peers.Fragments) -> None:
            nonlocal size
            for fragment in fragments:
                clock.now += cost(size)
                size += len(fragment)

        return loop

    return peers.Contestant("other", start, sampled=True)


@pytest.mark.parametrize(
    "cost",
    [lambda size: 5e-6, lambda size: 1e-5 * size, lambda size: 3e-6 + 1e-10 * size],
    ids=["flat", "growing", "flat, then growing"],
)
def test_an_estimate_from_samples_is_the_time_of_the_whole(clock: Clock, cost: Callable[[int], float]) -> None:
    fragments = [b"sixteen letters "] * 12_500
    one = contestant(clock, cost)
    estimate = peers.estimated(one.start, fragments)
    before = clock.now
    one.start(b"")(fragments)
    assert estimate == pytest.approx(clock.now - before, rel=0.02)


def test_few_fragments_are_run_in_full(clock: Clock) -> None:
    assert peers.estimated(contestant(clock, lambda size: 1.0).start, [b"x"] * 100) == 100


# ---------------------------------------------------------------- right before fast


def wrong(value: Any) -> peers.Contestant:
    return peers.Contestant("other", lambda prefix: lambda fragments: value)


def test_a_wrong_value_is_never_timed() -> None:
    with pytest.raises(peers.WrongResultError, match="other on W1"):
        wrong({**workload("W1").value, "days": 4}).verify(workload("W1"), 16)


def test_so_is_one_whose_keys_are_in_another_order() -> None:
    backwards = dict(reversed(workload("W1").value.items()))
    assert backwards == workload("W1").value
    with pytest.raises(peers.WrongResultError):
        wrong(backwards).verify(workload("W1"), 16)


def test_every_contestant_makes_the_value_that_the_json_module_makes() -> None:
    for group in peers.json_groups([]):
        assert group.contestants[0].name == peers.SUBJECT
        for one in group.contestants:
            one.verify(workload("W2"), 16 if group.fragmented else None)


@pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning")
@pytest.mark.parametrize("shape", [*wire.SHAPES, *wire.PADDED_SHAPES])
@pytest.mark.parametrize("chunking", [None, 500])
def test_every_reader_finds_the_call(shape: str, chunking: int | None) -> None:
    streamed = wire.stream(shape, "W1")
    for reader in stream_peers.readers(shape, []):
        entry = reader.entry(streamed, streamed.chunks(chunking))
        assert entry.check
        entry.check(entry.run())


# ---------------------------------------------------------------- against a stored run


def run(*results: tuple[str, float], estimated: bool = False) -> dict[str, Any]:
    return {
        "results": [
            {
                "job": "fields, 16",
                "workload": "W3",
                "contestant": name,
                "microseconds": 1.0,
                "calibrations": calibrations,
                "estimated": estimated,
            }
            for name, calibrations in results
        ]
    }


def test_a_regression_is_a_ratio_to_the_calibration_beyond_the_bound() -> None:
    slower, same = store.changes(
        run(("toolstream", 1.0), ("toolstream, str fragments", 1.0)),
        run(("toolstream", 1.29), ("toolstream, str fragments", 1.31)),
    )
    assert (slower.name, slower.regressed) == ("fields, 16 / W3 / toolstream, str fragments", True)
    assert (same.name, same.regressed) == ("fields, 16 / W3 / toolstream", False)


def test_others_and_estimates_are_not_compared() -> None:
    assert store.changes(run(("ijson", 1.0)), run(("ijson", 9.0))) == []
    assert store.changes(run(("toolstream", 1.0)), run(("toolstream", 9.0), estimated=True)) == []


def test_a_run_is_stored_as_calibrations(tmp_path: Any) -> None:
    table = tables.Table("fields", "µs per fragment", "toolstream")
    table.columns.append(tables.Column("W3", {"toolstream": timed(8, 16, 8)}, 4, timed(2, 4, 2)))
    store.save(report.Report(json={("fields", 16): table}), tmp_path / "run.json")
    (result,) = store.load(tmp_path / "run.json")["results"]
    assert (result["microseconds"], result["calibrations"], result["estimated"]) == (2e6, 1, False)


def test_a_file_that_is_no_run_is_refused(tmp_path: Any) -> None:
    (tmp_path / "run.json").write_text('{"format": 0}')
    with pytest.raises(ValueError, match="no run of format"):
        store.load(tmp_path / "run.json")


# ---------------------------------------------------------------- bars and instructions


@pytest.mark.parametrize(
    ("found", "at_least", "at_most", "holds"),
    [
        (5.0, 5, None, True),
        (4.9, 5, None, False),
        (1.2, None, 1.2, True),
        (1.3, None, 1.2, False),
        (0.8, 0.85, 1.15, False),
        (1.0, 0.85, 1.15, True),
        (None, 5, None, True),
    ],
)
def test_a_bar_holds_within_its_bounds(
    found: float | None, at_least: float | None, at_most: float | None, holds: bool
) -> None:
    assert check.Bar("bar", found, at_least, at_most).holds is holds


def test_one_missed_bar_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert not check.run(lambda: iter([check.Bar("a", 2, at_least=1), check.Bar("b", 2, at_least=3)]))
    assert capsys.readouterr().out.splitlines() == [
        "pass  a: at least 1, found 2",
        "FAIL  b: at least 3, found 2",
        "1 of 2 hold, 1 missed, 0 skipped",
    ]


JOBS = [
    instructions.Job("core", lambda times: [], 1, python=False, quick=True),
    instructions.Job("json", lambda times: [], 1, python=True, quick=True),
]


def test_a_job_fails_past_thirty_per_cent_more_instructions() -> None:
    baseline = instructions.Baseline(instructions.python_version(), {"core": 100.0, "json": 100.0})
    counts = instructions.compared(JOBS, baseline, lambda job: 130.0 if job.name == "core" else 131.0)
    assert [(count.name, count.holds) for count in counts] == [("core", True), ("json", False)]


def test_counts_of_another_python_are_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = instructions.Baseline("CPython 2.7", {"core": 100.0, "json": 100.0})
    assert [count.name for count in instructions.compared(JOBS, baseline, lambda job: 1.0)] == ["core"]
    assert "SKIP  json: the baseline is of CPython 2.7" in capsys.readouterr().out


def test_the_baseline_has_every_job(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "_build", lambda folder: folder / "core_driver")
    jobs = instructions.jobs(tmp_path)
    assert {job.name for job in jobs} == set(instructions.Baseline.load().counts)
    assert {job.python for job in jobs if job.quick} == {True, False}


# ---------------------------------------------------------------- versions


def test_another_version_than_the_pinned_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "pins", lambda: {"orjson": "0.0.1", "no-such-package": "1"})
    (line,) = versions.unlike_pins()
    assert re.fullmatch(r"orjson is \S+ here, pinned is 0\.0\.1", line)


def test_pins_are_exact() -> None:
    assert len(versions.pins()) > 10
    assert all(re.fullmatch(r"\d[\w.]*", version) for version in versions.pins().values())


# ---------------------------------------------------------------- plots


def test_an_axis_is_logarithmic() -> None:
    axis = plot.Axis([1, 10_000], 0, 400)
    assert axis.place(100) == pytest.approx(200)
    assert axis.place(10) - axis.place(1) == pytest.approx(axis.place(10_000) - axis.place(1_000))
    assert axis.decades() == [1, 10, 100, 1_000, 10_000]


@pytest.mark.parametrize("wanted", [[5, 5, 5], [90, 91, 200], [-10, 99, 0], [100, 100, 100]])
def test_labels_do_not_overlap_and_keep_their_order(wanted: Sequence[float]) -> None:
    places = plot.spread(wanted, 10, 0, 100)
    ordered = [place for _, place in sorted(zip(wanted, places, strict=True))]
    assert all(upper - lower >= 10 for lower, upper in pairwise(ordered))
    assert all(0 <= place <= 100 for place in places)


def test_a_label_with_room_stands_at_its_line() -> None:
    assert plot.spread([50, 10, 90], 10, 0, 100) == [50, 10, 90]


def chart(count: int) -> ElementTree.Element:
    lines = [
        plot.Line(f"peer <{n}>", [(2_000, 1.0), (20_000, 1.0 + n / 100)], [False, True], strong=n == 0)
        for n in range(count)
    ]
    return ElementTree.fromstring(plot.line_chart("Title & more", "characters", "µs", lines))


SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_names_every_line_in_a_place_of_its_own() -> None:
    texts = {text.text: text for text in chart(14).iter(f"{SVG}text")}
    assert {"Title & more", "µs", "characters (hollow: estimated from samples)", "2 k", "20 k"} <= set(texts)
    heights = sorted(float(texts[f"peer <{n}>"].attrib["y"]) for n in range(14))
    assert all(lower + 12 < upper for lower, upper in pairwise(heights))


def test_estimated_points_are_hollow() -> None:
    classes = [path.attrib["class"].split()[1] for path in chart(1).iter(f"{SVG}path")]
    assert classes == ["f0", "hollow", "f0"]  # two points and the label's


# ---------------------------------------------------------------- README's block


OLD = "a\n<!-- bench:fields:begin -->\nold\n<!-- bench:fields:end -->\nb\n"


def test_only_what_stands_between_the_markers_is_written() -> None:
    assert report.write_blocks(OLD, {"fields": r"new \1", "streams": "other"}) == OLD.replace("old", r"new \1")


def test_a_block_that_was_not_measured_stays() -> None:
    assert report.write_blocks(OLD, {}) == OLD


@pytest.mark.parametrize("text", ["no marker", "<!-- bench:a:begin -->", "<!-- bench:a:end --> <!-- bench:a:begin -->"])
def test_a_file_without_the_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no such block"):
        report.write_blocks(text, {})


def test_the_documents_have_blocks_that_the_benchmark_fills() -> None:
    filled = {"streams", "fields", "environment", "parts"}
    for page in ("README.md", "docs/performance.md"):
        named = set(re.findall(r"<!-- bench:(\w+):begin -->", documents.text(page)))
        assert named
        assert named <= filled


def test_readme_shows_plots_that_the_benchmark_draws() -> None:
    shown = re.findall(r"\]\((docs/plots/\S+\.svg)\)", documents.text("README.md"))
    drawn = {f"fields-{key}.svg" for key in SCALABLE} | {f"stream-{shape}.svg" for shape in wire.SHAPES}
    assert len(shown) == 2
    assert {path.rpartition("/")[2] for path in shown} <= drawn
    assert all((documents.ROOT / path).exists() for path in shown)


def test_fragments_are_the_document() -> None:
    for size in FRAGMENT_SIZES:
        assert "".join(workload("W3").fragments(size)) == workload("W3").text
