"""The frontier of the presets on days small enough for a test: run once, compared day by day."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import pytest

from benchmarks.days import preset_days
from dispatch.settings.presets import PRESETS
from sim.sources import open_scenario
from tests.benchmarks.test_grubhub import instances  # noqa: F401
from tests.kit.folders import written


def test_every_preset_is_run_on_every_day_once(
    instances: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "grubhub").symlink_to(instances)
    out = tmp_path / "frontier"
    words = ["--data", str(tmp_path / "data"), "--grubhub", "0o50a,1o50t100s1p100", "--colombia", "", "--out", str(out)]
    assert preset_days.main(words) == 0
    with out.with_suffix(".csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["day"], row["preset"]) for row in rows] == [
        (day, preset) for day in ("0o50a", "1o50t100s1p100") for preset in PRESETS
    ]
    text = out.with_suffix(".md").read_text()
    assert "## Grubhub days" in text and "0o50a, 1o50t100s1p100" in text and text.count("\n| door |") == 1
    # What was run is not run again, and a day that lacks a preset is not compared.
    capsys.readouterr()
    assert preset_days.main(words) == 0 and capsys.readouterr().out == ""
    assert preset_days.whole_days(rows[:-1]) == ["0o50a"]


def test_on_published_rules_a_preset_changes_prices_alone() -> None:
    for preset in PRESETS:
        assert all(key.startswith("prices.") for key in preset_days.values_of("grubhub", preset))
        assert preset_days.values_of("colombia", preset) == PRESETS[preset].values
    assert preset_days.values_of("grubhub", "door") != preset_days.values_of("grubhub", "on_time")


def test_fewer_riders_are_spread_over_the_list_and_keep_their_shifts(tmp_path: Path) -> None:
    day = open_scenario(written(tmp_path / "day"))
    riders = tuple(dataclasses.replace(day.catalogue.riders[0], rider_id=f"r{k}") for k in range(10))
    shifts = tuple(dataclasses.replace(day.catalogue.shifts[0], rider_id=f"r{k}") for k in range(10))
    many = dataclasses.replace(day, catalogue=dataclasses.replace(day.catalogue, riders=riders, shifts=shifts))
    few = preset_days.thinned(many, 30).catalogue
    assert [rider.rider_id for rider in few.riders] == ["r3", "r6", "r9"]
    assert [shift.rider_id for shift in few.shifts] == ["r3", "r6", "r9"]
    assert preset_days.thinned(many, 100).catalogue.riders == riders
