"""Exact on real cities: equal to scipy's Dijkstra to the millisecond, traffic or none, on every data file.

10,000 pairs of every kind here; ten million in `python -m benchmarks.roads.exact` (make prove).
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.resumable import Kept
from benchmarks.roads import exact
from benchmarks.roads.exact import CITIES, comparisons
from routing.cells import METRES_PER_DEGREE
from routing.roads import RoadNetwork
from tests.kit.data import folder, needs_data

pytestmark = [needs_data, pytest.mark.data]


@functools.cache
def city(name: str) -> RoadNetwork:
    """The network of a data file."""
    return exact.city(name, folder("osm"))


@pytest.mark.parametrize("name", CITIES)
def test_ten_thousand_pairs(name: str) -> None:
    rows = list(comparisons(name, city(name), (50, 200)))
    assert len(rows) == 2 * len(city(name).profiles)
    for row in rows:
        assert row["differ"] == 0, row
        assert row["pairs"] == 10_000
        assert row["with_way"] > 0.9


def test_a_difference_of_a_millisecond_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    network = city("helsinki_centre")
    ours = network.travel_ms
    monkeypatch.setattr(network, "travel_ms", lambda *nodes, profile: ours(*nodes, profile=profile) + 1)
    assert all(row["differ"] >= 81 for row in comparisons("helsinki_centre", network, (9, 9)))


def test_a_run_that_was_stopped_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network, shape = city("helsinki_centre"), (exact.AT_ONCE + 1, 9)
    kept = tmp_path / "kept.jsonl"
    whole = list(comparisons("h", network, shape, Kept(kept, exact.DECIDING)))
    lines = kept.read_text().splitlines(keepends=True)
    assert len(lines) == 1 + 2 * 2 * 2  # head; two parts of either profile, with traffic and without
    kept.write_text("".join(lines[:4]))
    asked = []
    monkeypatch.setattr(exact.Comparison, "part", _counted(exact.Comparison.part, asked))
    assert list(comparisons("h", network, shape, Kept(kept, exact.DECIDING))) == whole
    assert len(asked) == 5 and kept.read_text() == "".join(lines)


@pytest.mark.parametrize("name", ["porto", "heidelberg"])
def test_paths_tell_the_times_of_the_table(name: str) -> None:
    network = city(name)
    rng = np.random.default_rng(3)
    points = network.latlng[rng.integers(0, network.streets.nodes, 30)] + rng.normal(0, 2e-4, (30, 2))
    for profile in network.profiles:
        seconds = network.travel_seconds(points[:15], points[15:], profile=profile, max_snap_m=5000)
        for k in range(15):
            path = network.path(points[k], points[15 + k], profile=profile, max_snap_m=5000)
            assert path.seconds == seconds[k, k]
            step = np.diff(path.geometry, axis=0) * [1.0, np.cos(np.radians(path.geometry[0, 0]))]
            drawn_m = np.sqrt((step**2).sum(axis=1)).sum() * METRES_PER_DEGREE
            # The drawn line is as long as the metres told, but for rounding to centimetres and the plane's curvature.
            assert drawn_m == pytest.approx(path.metres, rel=3e-3, abs=2.0)


def _counted(part: Any, asked: list[int]) -> Any:
    def counted(self: exact.Comparison, at: int) -> exact.Compared:
        asked.append(at)
        found: exact.Compared = part(self, at)
        return found

    return counted
