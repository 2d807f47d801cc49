"""A lunch peak on real streets replays: the engine believes dry roads, the riders drive in the rain."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import halfhour
from benchmarks.roads_peak import CENTRES, PROFILES, write_peak
from routing.roads import RoadNetwork
from tests.data import folder, needs_data


@needs_data
@pytest.mark.data
def test_a_peak_in_heidelberg(tmp_path: Path) -> None:
    network = RoadNetwork.from_osm(folder("osm", "heidelberg.osm.pbf"), profiles=PROFILES)
    day = tmp_path / "peak"
    write_peak(network, CENTRES["heidelberg"], day, orders=40, riders=16, stores=8, seed=1)
    drawn = json.loads((day / "map.geojson").read_text())
    assert "OpenStreetMap" in drawn["attribution"]
    assert sum(len(each["geometry"]["coordinates"]) for each in drawn["features"]) > 500
    done = halfhour.replay(day, policy="halfhour", recipe="insertion", out=tmp_path / "run")
    assert done.summary["delivered"] == 40
    # Doors lie up to 3 km from their stores: minutes of driving, not seconds.
    assert done.summary["driven_s_per_order"] > 60
    assert "OpenStreetMap" in (tmp_path / "run" / "report.html").read_text()
