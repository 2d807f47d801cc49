"""What promises begin with: fitted on finished runs, each order counted once, said again by the engine alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.promises import days
from dispatch.promise.told import PLAN
from dispatch.promise.tracker import Tracker
from dispatch.record.calibration import SaidAndCome, coverage
from dispatch.record.run_folder import RunFolder
from dispatch.record.telling import tellings, tracked_again
from halfhour import promising
from halfhour.replaying import replay
from halfhour.synthetic import write_synthetic
from routing.errors import InvalidInput
from sim.invent.lunch_peak import DaySize


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of too few riders under the nearest-rider rule, in the place of the benchmark's day 511."""
    folder = tmp_path_factory.mktemp("promising")
    write_synthetic(folder / "scenario", 511, DaySize(8, 10, 150, 1.5))
    replay(
        folder / "scenario", policy="nearest", out=days.folder_of(folder, 511), settings={"rules.promise_odds": True}
    )
    return folder


def ended_of(run: Path) -> int:
    return sum(one.known_at is not None for one in tellings(RunFolder(run).entries()))


def covered(tracker: Tracker, run: Path) -> float:
    heard = tracked_again(tellings(RunFolder(run).entries()), tracker)
    found = [SaidAndCome(said, told.delivered_at) for told, said in heard if told.known_at is not None]
    share = coverage(found, 900)
    assert share is not None
    return share


def test_runs_are_gone_through_until_what_is_known_fits_them(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = days.folder_of(work, 511)
    shares = {}
    for passes in (1, 5):
        monkeypatch.setattr(promising, "PASSES", passes)
        tracker, counts = promising.fitted([run])
        assert counts == {PLAN: ended_of(run)} == tracker.taught, "each order counts once"
        shares[passes] = covered(tracker, run)
    assert abs(shares[5] - 0.9) < abs(shares[1] - 0.9)
    assert 0.85 <= shares[5] <= 0.95


def test_the_engine_says_again_what_it_has_said(work: Path) -> None:
    """Nothing of the day is decided otherwise, whatever is known in the morning."""
    run = days.folder_of(work, 511)
    before = tellings(RunFolder(run).entries())
    again, evening = days.said_again(work, 511, Tracker())
    assert again == before and evening.taught == {PLAN: ended_of(run)}
    known, _ = promising.fitted([run])
    other, _ = days.said_again(work, 511, known)
    assert [one[:2] + one[3:] for one in other] == [one[:2] + one[3:] for one in before]
    assert [one.said for one in other] != [one.said for one in before]


def test_a_run_of_which_nothing_was_said_is_refused_by_name(work: Path, tmp_path: Path) -> None:
    replay(work / "scenario", policy="nearest", out=tmp_path / "silent", settings={"rules.promise_odds": False})
    with pytest.raises(InvalidInput, match="nothing was said") as found:
        promising.fitted([days.folder_of(work, 511), tmp_path / "silent"])
    assert found.value.details["file"].endswith("silent")


def test_the_file_holds_what_was_fitted(work: Path, tmp_path: Path) -> None:
    run = days.folder_of(work, 511)
    tracker, _ = promising.fitted([run])
    promising.written(tmp_path / "promise.json", tracker)
    assert promising.read(tmp_path / "promise.json").dump() == tracker.dump()
    assert json.loads((tmp_path / "promise.json").read_text())["taught"] == {PLAN: ended_of(run)}
