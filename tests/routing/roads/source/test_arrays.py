"""Networks from plain arrays: what is taken and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra

from routing.errors import InvalidInput
from routing.roads import RoadNetwork
from routing.roads.errors import InvalidSpeed, InvalidStreets, NoRoads, UnknownProfile
from sim.invent.city_plan import plan_city

SQUARE: dict[str, Any] = {
    "lat": [41.0, 41.001, 41.001, 41.0],
    "lng": [-8.0, -8.0, -7.999, -7.999],
    "tail": [0, 1, 2, 3],
    "head": [1, 2, 3, 0],
    "length_m": [111.2, 84.0, 111.2, 84.0],
}


def test_classes_one_ways_and_profiles() -> None:
    network = RoadNetwork.from_arrays(
        **SQUARE, road_class=["primary", "residential", "footway", "primary"], oneway=[False, False, False, True]
    )
    assert network.profiles == ("foot", "bike", "ebike", "scooter", "car")
    # A car cannot use the footway 2-3 nor drive 3-0 backwards; 3 is no place to come back from.
    drive = network.streets.drive_ms[network.profiles.index("car")]
    assert (drive >= 0).tolist() == [[True, True, False, False], [True, True, False, False]]


def test_lengths_default_to_straight_lines() -> None:
    given = {key: value for key, value in SQUARE.items() if key != "length_m"}
    network = RoadNetwork.from_arrays(**given)
    assert network.streets.length_cm[0] == pytest.approx(11_119.5, abs=1)


def test_all_directed_pairs_may_be_given_as_one_ways() -> None:
    both = {**SQUARE, "tail": [*SQUARE["tail"], *SQUARE["head"]], "head": [*SQUARE["head"], *SQUARE["tail"]]}
    both["length_m"] = SQUARE["length_m"] * 2
    directed = RoadNetwork.from_arrays(**both, oneway=[True] * 8, profiles=("car",))
    plain = RoadNetwork.from_arrays(**SQUARE, profiles=("car",))
    every = np.arange(4)
    np.testing.assert_array_equal(
        directed.travel_ms(every, every, profile="car"), plain.travel_ms(every, every, profile="car")
    )


def test_the_invented_city_of_the_simulator() -> None:
    plan = plan_city(3)
    classes = np.array(["secondary", "residential", "residential", "secondary"])[plan.road_class]
    network = RoadNetwork.from_arrays(
        plan.lat, plan.lng, plan.tail, plan.head, plan.length_m,
        road_class=classes.tolist(), oneway=np.ones(len(plan.tail), dtype=bool), profiles=("bike", "car"),
    )  # fmt: skip
    assert network.streets.nodes == len(plan.x)
    every = np.arange(network.streets.nodes)
    for profile in network.profiles:
        got = network.travel_ms(every, every, profile=profile)
        np.testing.assert_array_equal(got, dijkstra(network.as_csr(profile)[0]).astype(np.int64))


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"head": [1, 2, 3, 9]}, InvalidStreets, "head"),
        ({"tail": [-1, 1, 2, 3]}, InvalidStreets, "tail"),
        ({"tail": [0.5, 1, 2, 3]}, InvalidStreets, "whole"),
        ({"tail": [0, 1, 2]}, InvalidStreets, "length"),
        ({"lat": [41.0, float("nan"), 41.0, 41.0]}, InvalidStreets, "lat"),
        ({"lat": [41.0, 95.0, 41.0, 41.0]}, InvalidStreets, "lat"),
        ({"lng": [41.0]}, InvalidStreets, "length"),
        ({"length_m": [1, -2, 3, 4]}, InvalidStreets, "negative"),
        ({"length_m": [1, 2]}, InvalidStreets, "length_m"),
        ({"length_m": [1, 2, 3, float("inf")]}, InvalidStreets, "length_m"),
        ({"road_class": ["primary"]}, InvalidStreets, "road_class"),
        ({"oneway": [True]}, InvalidStreets, "oneway"),
        ({"profiles": ("rocket",)}, UnknownProfile, "rocket"),
        ({"road_class": "canal"}, NoRoads, "no street"),
        ({"travel_ms": {"car": ([1, 2, 3, -7], [1, 2, 3, 4])}}, InvalidSpeed, "edge 3"),
        ({"travel_ms": {"car": ([1, 2, 3, 4], [1, 2**25, 3, 4])}}, InvalidSpeed, "edge 1"),
        ({"travel_ms": {"car": ([1], [1])}}, InvalidStreets, "travel_ms"),
        ({"tail": [], "head": [], "length_m": []}, NoRoads, "no street"),
    ],
)
def test_what_is_refused(change: dict[str, Any], error: type[InvalidInput], told: str) -> None:
    with pytest.raises(error, match=told):
        RoadNetwork.from_arrays(**{**SQUARE, **change})


def test_an_edge_that_takes_for_ever_is_refused() -> None:
    with pytest.raises(InvalidSpeed, match="hours"):
        RoadNetwork.from_arrays(**{**SQUARE, "length_m": [1e6, 84.0, 111.2, 84.0]})
