"""`python -m benchmarks` as it is typed: report, baseline, comparison, exit status."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import main

ONE = ["--only", "snapshot/50x100", "--repeats", "1"]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "baseline.json"
    assert main([*ONE, "--update", str(path), "--record", str(path.parent / "results")]) == 0
    return path


def test_the_same_again_passes(baseline, capsys):
    assert main([*ONE, "--compare", str(baseline)]) == 0
    said = capsys.readouterr().out
    assert "snapshot/50x100" in said
    assert "1 cases compared with the baseline, 0 differences" in said


def test_a_changed_counter_shuts_the_gate(baseline, tmp_path, capsys):
    changed = json.loads(baseline.read_text())
    changed["cases"]["snapshot/50x100"]["counters"]["requests"] = 50
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))
    assert main([*ONE, "--compare", str(path)]) == 1
    assert "work counter requests: 50 -> 100 (+100.0%)" in capsys.readouterr().out


def test_results_are_kept_under_date_and_version(baseline):
    (result,) = (baseline.parent / "results").iterdir()
    report = json.loads(result.read_text())
    assert result.name == f"{report['date']}-{report['versions']['halfhour']}-quick.json"


@pytest.mark.parametrize("words", [["--only", "nothing"], [*ONE, "--compare", "nowhere.json"]])
def test_bad_input_is_status_two(words, capsys):
    assert main(words) == 2
    assert "Traceback" not in capsys.readouterr().err
