"""How far anybody comes on streets: no way is shorter than its bound says, and the bound is no empty one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from routing.places import PlaceBook
from routing.roads import RoadNetwork, SpeedRule, road_travel
from routing.travel import UNREACHABLE
from tests.kit.roads.drawing import draw
from tests.kit.roads.graphs import random_city
from tests.routing.roads.test_streetmap import MAPS, city

TOWN = """
    A-B-C
    .   |
    D.E-F
"""


def straight_m(places: PlaceBook) -> np.ndarray:
    """The great circle between all places (haversine), metres."""
    lat, lng = np.radians(places.first)[:, None], np.radians(places.second)[:, None]
    half = np.sin((lat.T - lat) / 2) ** 2 + np.cos(lat) * np.cos(lat.T) * np.sin((lng.T - lng) / 2) ** 2
    return 2 * 6_371_008.8 * np.arcsin(np.sqrt(half))


def around(network: RoadNetwork, luck: random.Random, count: int, beside_m: float) -> PlaceBook:
    """Places all over a network and up to so many metres beside it."""
    book, degrees = PlaceBook("wgs84"), beside_m / 111_195
    low, high = network.latlng.min(axis=0), network.latlng.max(axis=0)
    for _ in range(count):
        point = [luck.uniform(a - degrees, b + degrees) for a, b in zip(low, high, strict=True)]
        book.add(*(point if luck.random() < 0.7 else network.latlng[luck.randrange(len(network.latlng))].tolist()))
    return book


def checked(network: RoadNetwork, profiles: tuple[str, ...], luck: random.Random, max_snap_m: float) -> None:
    book = around(network, luck, 24, 0.9 * max_snap_m)
    times = road_travel(network, book, profiles, max_snap_m=max_snap_m)
    every = np.arange(len(book), dtype=np.int32)
    reach = times.reach(0)
    assert reach is not None
    least_s = np.vectorize(reach.least_s)(straight_m(book))
    found = times.table(every, every, 0)
    there = found < UNREACHABLE
    assert there.any()
    assert (found >= least_s[None] - 0.501)[there].all(), "seconds are rounded"


@pytest.mark.parametrize("name", [*MAPS])
def test_no_way_over_a_map_is_faster_than_its_bound(name: str) -> None:
    network = city(name)
    checked(network, network.profiles, random.Random(name), 120.0)
    checked(network, ("foot",), random.Random(name), 120.0)


@pytest.mark.parametrize("seed", range(8))
def test_no_way_over_crossings_is_faster_than_its_bound(seed: int) -> None:
    """Streets that say nothing of turns: the way from a place to its street takes no time, which the bound knows."""
    luck, graph = random.Random(seed), random_city(seed)
    ms = [luck.randrange(2_000, 60_000) for _ in graph.tail]
    length = [value / luck.uniform(60, 400) for value in ms]
    network = RoadNetwork.from_arrays(
        graph.lat, graph.lng, graph.tail, graph.head, length, travel_ms={"car": (ms, ms)}, largest_component=False
    )
    checked(network, ("car",), luck, 300.0)


def test_the_bound_follows_streets_and_traffic() -> None:
    """By car 48 km/h over the main street of a hundred metres in 7.5 s: 13.3 m/s, by bike 4.7; a rule halves both."""
    town = draw(TOWN)
    book = around(town.network, random.Random(1), 3, 10.0)
    for profile, m_per_s in (("car", 100 / 7.5), ("bike", 17 / 3.6)):
        reach = road_travel(town.network, book, (profile,), max_snap_m=50.0).reach(0)
        assert reach is not None and m_per_s <= reach.m_per_s <= 1.02 * m_per_s
        assert 100.0 <= reach.beside_m <= 101.0
    times = road_travel(town.network, book, ("car", "bike"), max_snap_m=50.0)
    town.network.update_speeds([SpeedRule(0.5)])
    slower = times.reach(0)
    assert slower is not None and slower.m_per_s == pytest.approx(1.01 * 50 / 7.5, rel=0.01)


def test_an_edge_that_takes_no_time_leaves_no_bound() -> None:
    network = RoadNetwork.from_arrays(
        [41.0, 41.001, 41.002], [-8.0, -8.0, -8.0], [0, 1], [1, 2], [111.0, 111.0],
        travel_ms={"car": ([9_000, 0], [9_000, 0])}, largest_component=False,
    )  # fmt: skip
    assert road_travel(network, around(network, random.Random(1), 3, 10.0), ("car",)).reach(0) is None
