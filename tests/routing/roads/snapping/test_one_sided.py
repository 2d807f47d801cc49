"""Streets that one can enter and not leave, or leave and not enter, as where a map is cut at its border."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from routing.roads import RoadNetwork
from tests.kit.roads.streetmap import StreetMap

HOME = {"highway": "residential"}
ONE_WAY = {"highway": "residential", "oneway": "yes"}
CAR_S = 14.4
# From the street A-B-C, E-F-G leads out of the map and H-I-A into it, both one way.
PICTURE = StreetMap("\n".join(["H I A B C", "      E   ", "      F   ", "      G   "]), [
    ("AB", HOME), ("BC", HOME), ("BEF", ONE_WAY), ("FG", ONE_WAY), ("HIA", ONE_WAY),
])  # fmt: skip


@functools.cache
def city() -> RoadNetwork:
    with tempfile.TemporaryDirectory() as folder:
        return RoadNetwork.from_osm(PICTURE.write(Path(folder) / "a.osm"), profiles=("car",))


def seconds(here: str, there: str) -> float:
    ends = [np.array([PICTURE.at(spot)]) for spot in (here, there)]
    found = float(city().travel_seconds(*ends, profile="car")[0, 0])
    way = city().path(ends[0][0], ends[1][0], profile="car")
    assert way.seconds == pytest.approx(found, abs=1e-9)
    return found


@pytest.mark.parametrize(
    ("here", "there", "wanted", "why"),
    [
        ("A", "E-F:50", 2.5 * CAR_S + 2.1, "driven to the door, turning right"),
        ("A", "F-G:20", 3.2 * CAR_S + 2.1, "and on into the next of them"),
        ("E-F:50", "A", 1.0 * CAR_S + 150 / 5 * 3.6, "back on foot to the street that leads on"),
        ("H-I:50", "C", 3.5 * CAR_S, "out of a street that nobody drives into"),
        ("C", "H-I:50", 2.0 * CAR_S + 150 / 5 * 3.6, "which is walked into"),
        ("H-I:50", "E-F:50", 4.0 * CAR_S + 2.1, "from one to the other"),
        ("E-F:20", "E-F:70", 0.5 * CAR_S, "within one along it"),
    ],
)
def test_trips_end_where_one_can_get_and_begin_where_one_can_get_away(
    here: str, there: str, wanted: float, why: str
) -> None:
    assert seconds(here, there) == pytest.approx(wanted, abs=0.2), why


def test_they_are_no_way_through_and_counted() -> None:
    graph = city().graph("car")
    assert sorted(city().streets.way[graph.turns.one_sided].tolist()) == [102, 103, 104]
    assert city().streets.facts["kilometres_without_return"] == {"car": 0.5}
    matrix, _ = city().as_csr("car")
    codes = graph.turns.code[matrix.nonzero()[0]] >> 1
    ends = np.flatnonzero(graph.turns.one_sided & (graph.turns.begins < 0).all(axis=0))
    assert not (set(graph.turns.code[matrix[np.isin(graph.turns.code >> 1, ends)].nonzero()[1]] >> 1) - set(ends))
    assert len(codes)


def test_reach_begins_where_one_can_get_on() -> None:
    cells = city().reachable(PICTURE.at("E-F:50"), 60, profile="car", resolution=11)
    assert len(cells) > 3
