"""Car times beside OSRM's documented profile: its constants by hand, and a network that is off is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.roads import osrm_medians
from benchmarks.roads.osrm_medians import compared, kmh_of, turn_seconds
from tests.benchmarks.test_lawful import picture


@pytest.mark.parametrize(
    ("tags", "side", "kmh"),
    [
        ({"highway": "primary"}, ":forward", 65),
        ({"highway": "primary", "maxspeed": "50"}, ":forward", 40),
        ({"highway": "primary", "maxspeed": "50", "maxspeed:backward": "30"}, ":backward", 24),
        ({"highway": "motorway", "maxspeed": "none"}, ":forward", 112),
        ({"highway": "tertiary", "surface": "cobblestone"}, ":forward", 30),
        ({"highway": "track", "tracktype": "grade5"}, ":forward", 10),
    ],
)
def test_speeds_of_the_profile(tags: dict[str, str], side: str, kmh: float) -> None:
    assert kmh_of(tags, side) == pytest.approx(kmh)


def test_turns_of_the_profile() -> None:
    # 7.5 / (1 + e^.941) to the right; 7.5 / (1 + e^-.941) to the left, and 2 / (1 + e^-3.25) across the oncoming.
    assert turn_seconds(90.0, is_crossing=True) == pytest.approx(2.105, abs=0.001)
    assert turn_seconds(-90.0, is_crossing=False) == pytest.approx(5.395, abs=0.001)
    assert turn_seconds(-90.0, is_crossing=True) == pytest.approx(7.320, abs=0.001)


def test_a_network_that_is_off_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = picture({"F": {"highway": "traffic_signals"}}, {}, True).write(tmp_path / "a.osm")
    near = compared(file, 20, 1)
    # Residential streets are as fast; those to the left cost two seconds more there.
    assert 0.9 < near["median"] <= 1.0 and near["reached"] == "aim" and near["pairs"] > 20
    monkeypatch.setitem(osrm_medians.KMH, "residential", 15)
    assert compared(file, 20, 1)["reached"] == "missed"
