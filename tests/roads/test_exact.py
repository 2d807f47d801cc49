"""Exact on real cities: equal to scipy's Dijkstra to the millisecond, traffic or none, on every data file.

10,000 pairs a file in the gate; a million with `-m slow` (make prove).
"""

from __future__ import annotations

import functools

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from routing.cells import METRES_PER_DEGREE
from routing.roads import EdgeFactors, RoadNetwork
from routing.roads.metric import NO_WAY_MS
from tests.data import folder, needs_data

FILES = ("porto", "heidelberg", "baltimore", "helsinki_centre", "moscow")
pytestmark = [needs_data, pytest.mark.data]


@functools.cache
def city(name: str) -> RoadNetwork:
    """The network of a data file, by car (and on foot where there are tags to tell)."""
    if name != "moscow":
        return RoadNetwork.from_osm(folder("osm", f"{name}.osm.pbf"), profiles=("car", "foot"))
    with np.load(folder("osm", "moscow_topology.npz")) as given:
        x, y = given["xy_m"].astype(np.float64).T
        tail, head, length_m = given["tail"], given["head"], given["length_m"]
    # No tags and no place on the globe: 30 km/h everywhere, laid around the real city's latitude.
    lat = 55.75 + y / METRES_PER_DEGREE
    lng = 37.62 + x / (METRES_PER_DEGREE * np.cos(np.radians(55.75)))
    ms = np.rint(length_m * 120.0).astype(np.int64)
    shut = np.full(len(ms), -1)
    return RoadNetwork.from_arrays(
        lat, lng, tail, head, length_m, travel_ms={"car": (ms, shut)}, largest_component=False
    )


def check(network: RoadNetwork, side: int, seed: int) -> None:
    """side x side pairs without traffic, with a factor for every edge, and again without."""
    rng = np.random.default_rng(seed)
    streets = network.streets
    for profile, drive_ms in zip(network.profiles, streets.drive_ms, strict=True):
        edges = (drive_ms >= 0).any(axis=0)
        used = np.unique([streets.tail[edges], streets.head[edges]])
        for factors in (None, rng.uniform(0.3, 1.5, streets.edges)):
            network.update_speeds([] if factors is None else [EdgeFactors(factors)])
            origins, destinations = rng.choice(used, side), rng.choice(used, side)
            got = network.travel_ms(origins, destinations, profile=profile)
            csr, _ = network.as_csr(profile)
            for at in range(0, side, 100):
                part = slice(at, at + 100)
                found = dijkstra(csr, indices=origins[part])[:, destinations]
                wanted = np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64)
                np.testing.assert_array_equal(got[part], wanted)
            assert (got < NO_WAY_MS).mean() > 0.9
    network.update_speeds([])


@pytest.mark.parametrize("name", FILES)
def test_ten_thousand_pairs(name: str) -> None:
    check(city(name), 100, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_million_pairs(name: str) -> None:
    check(city(name), 1000, 2)


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
