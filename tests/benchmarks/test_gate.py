"""The gate itself: double work and a worse policy are caught, noise and improvement are not."""

from __future__ import annotations

import math

import pytest

from benchmarks import gate
from benchmarks.__main__ import judged
from benchmarks.harness import Bound, Case, Sample, Stopwatch, measure, report
from routing.errors import UnreadableFile

QUICK = Stopwatch(settle=int)
BOUNDS = {"minutes": Bound("lower", share=0.02), "on_time": Bound("higher", slack=0.5)}


def reported(steps=100, minutes=10.0, on_time=95.0, name="day"):
    sample = Sample({"steps": steps}, {"minutes": minutes, "on_time": on_time, "free": 1.0})
    case = Case(name, lambda: lambda: sample, bounds=BOUNDS, memory=False)
    return report("quick", measure([case], repeats=1, clock=QUICK))


BASELINE = gate.baseline_of(reported())


def failures(made):
    return [finding.text for finding in gate.compare(made, BASELINE) if finding.fails]


def test_the_same_again_passes():
    assert gate.compare(reported(), BASELINE) == []


def test_double_work_is_caught_to_the_unit():
    assert failures(reported(steps=200)) == ["work counter steps: 100 -> 200 (+100.0%)"]
    assert failures(reported(steps=101)) == ["work counter steps: 100 -> 101 (+1.0%)"]
    assert failures(reported(steps=99)), "less work is news too"


@pytest.mark.parametrize(
    ("made", "caught"),
    [
        (reported(minutes=10.19), False),
        (reported(minutes=10.21), True),
        (reported(minutes=1.0), False),
        (reported(minutes=math.nan), True),
        (reported(on_time=94.6), False),
        (reported(on_time=94.4), True),
        (reported(on_time=100.0), False),
    ],
)
def test_quality_is_judged_within_its_bounds(made, caught):
    assert bool(failures(made)) is caught


def test_an_improvement_is_noted():
    (finding,) = gate.compare(reported(minutes=8.0), BASELINE)
    assert not finding.fails
    assert "better" in finding.text


def test_cases_may_neither_vanish_nor_appear_unseen():
    findings = gate.compare(reported(name="other"), BASELINE)
    assert {(finding.case, finding.fails) for finding in findings} == {("day", True), ("other", True)}


def test_a_counter_that_vanishes_is_caught():
    made = reported()
    made["cases"]["day"]["counters"] = {"hops": 100}
    assert failures(made) == ["work counter hops is new", "work counter steps is gone"]


def test_a_baseline_survives_the_disk_and_holds_no_times(tmp_path):
    gate.write(tmp_path / "baseline.json", BASELINE)
    assert gate.read(tmp_path / "baseline.json") == BASELINE
    assert "wall_s" not in (tmp_path / "baseline.json").read_text()
    assert set(BASELINE["cases"]["day"]["quality"]) == set(BOUNDS), "what has no bound is not judged"


@pytest.mark.parametrize("text", ["", "[]", '{"cases": 1}'])
def test_a_file_that_is_no_baseline_is_named(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UnreadableFile, match=r"x\.json"):
        gate.read(tmp_path / "x.json")


def test_the_verdict_is_an_exit_status(capsys):
    assert judged(reported(), BASELINE) == 0
    assert judged(reported(steps=200), BASELINE) == 1
    said = capsys.readouterr().out
    assert "FAIL  day: work counter steps" in said
    assert "1 cases compared with the baseline, 1 differences" in said
