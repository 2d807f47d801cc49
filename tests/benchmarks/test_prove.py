"""`make prove`: lanes are named once, results are kept line by line, what has passed is not run again."""

from __future__ import annotations

import sys

import pytest

from benchmarks import prove


def test_lanes_have_names_of_their_own():
    names = [lane.name for lane in prove.LANES]
    assert len(set(names)) == len(names)


@pytest.fixture
def results(tmp_path, monkeypatch):
    path = tmp_path / "prove.jsonl"
    monkeypatch.setattr(prove, "RESULTS", path)
    monkeypatch.setattr(prove, "commit", lambda: "abc1234")
    said = tmp_path / "runs"
    good = f"open({str(said)!r}, 'a').write('x'); print('all well')"
    monkeypatch.setattr(
        prove,
        "LANES",
        (
            prove.ProveLane("good", (sys.executable, "-c", good)),
            prove.ProveLane("bad", (sys.executable, "-c", "raise SystemExit('it is broken')")),
        ),
    )
    return path, said


def test_a_lane_that_has_passed_is_not_run_again(results, capsys):
    path, said = results
    assert prove.main([]) == 1
    assert [(one["lane"], one["status"], one["said"]) for one in prove.read(path)] == [
        ("good", "passed", "all well"),
        ("bad", "failed", "it is broken"),
    ]
    assert prove.main(["good"]) == 0 and said.read_text() == "x"
    assert prove.main(["good", "--again"]) == 0 and said.read_text() == "xx"
    capsys.readouterr()
    assert prove.main(["--list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["bad", "never"]


def test_an_unknown_lane_is_refused(results, capsys):
    with pytest.raises(SystemExit):
        prove.main(["speed"])
    assert "there is no lane speed" in capsys.readouterr().err
