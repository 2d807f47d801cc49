"""RoadTravel: a drop-in source of travel times for the places of a book."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InvalidInput
from routing.places import PlaceBook
from routing.roads import SpeedRule, TrafficTable, road_travel
from routing.roads.errors import OutsideTraffic, TooFarFromRoad, UnknownProfile
from routing.roads.hierarchy.metric import NO_WAY_MS
from routing.roads.kernels.ticks import round_to_seconds
from routing.travel import UNREACHABLE, TravelTimes, to_ticks
from tests.kit.roads.drawing import Drawn, draw

TOWN = """
    A-B-C   X-Y
    .   |
    D.E-F
"""


@pytest.fixture
def town() -> Drawn:
    return draw(TOWN)


def book(town: Drawn, *spots: str) -> PlaceBook:
    places = PlaceBook("wgs84")
    for spot in spots:
        places.add(*town.at(spot))
    return places


def handles(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int32)


def test_tables_are_those_of_the_network(town: Drawn) -> None:
    places = book(town, "A", "B-C:40", "F", "X")
    travel: TravelTimes = road_travel(town.network, places, ("bike", "car"))
    assert travel.profiles == ("bike", "car")
    table = travel.table(handles(0, 1, 2, 3), handles(2, 1), at=0)
    assert table.shape == (2, 4, 2)
    assert table.dtype == np.int32
    # By car: A to F 22.5 s, rounded to the even 22; A to 40 m behind B: 1.4 x 7.5 = 10.5, a touch off by the snap.
    assert table[1, 0, 0] == 22
    assert table[1, 0, 1] in (10, 11)
    assert table[1, 3].tolist() == [UNREACHABLE, UNREACHABLE]
    # By bike 17 km/h: 300 m in 63.5 s over main streets; the lanes are no faster.
    assert table[0, 0, 0] in (63, 64)


def test_metres_follow_the_fastest_way(town: Drawn) -> None:
    places = book(town, "A", "F", "X")
    metres = road_travel(town.network, places, ("car",)).metres(handles(0, 1), handles(1, 0, 2), at=0)
    assert metres.tolist() == [[[300, 0, 0], [0, 300, 0]]]


def test_finer_ticks_and_rounding_up(town: Drawn) -> None:
    travel = road_travel(town.network, book(town, "A", "B"), ("car",))
    tenths = travel.table(handles(0), handles(1), 0, tick_us=100_000, rounding="up")
    assert tenths.tolist() == [[[75]]]
    assert travel.table(handles(0), handles(1), 0, round_to_s=60).tolist() == [[[60]]]


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20))
def test_whole_seconds_are_rounded_as_everywhere(values: list[int]) -> None:
    ms = np.array([[*values, 500, 1500, 2500, NO_WAY_MS]], dtype=np.int32)
    wanted = to_ticks(np.where(ms == NO_WAY_MS, np.inf, ms / 1000.0), 1_000_000, "nearest")
    np.testing.assert_array_equal(round_to_seconds(ms, NO_WAY_MS, UNREACHABLE), wanted)


def test_places_keep_their_snap_until_they_move(town: Drawn) -> None:
    places = book(town, "A", "B", "C")
    travel = road_travel(town.network, places, ("car",))
    every = handles(0, 1, 2)
    first = travel.table(every, every, 0)
    assert travel.snaps_renewed == 3
    np.testing.assert_array_equal(travel.table(every, every, 0), first)
    assert travel.snaps_renewed == 3
    places.move(0, *town.at("F"))
    places.add(*town.at("D"))
    moved = travel.table(handles(0, 1, 2, 3), every, 0)
    assert travel.snaps_renewed == 5
    # F to C: 7.5 s, to even 8.
    assert moved[0, 0, 2] == 8
    fresh = road_travel(town.network, places, ("car",)).table(handles(0, 1, 2, 3), every, 0)
    np.testing.assert_array_equal(moved, fresh)


def test_places_off_the_map_are_unreachable_and_warned_of(town: Drawn, caplog: pytest.LogCaptureFixture) -> None:
    places = book(town, "A", "B")
    lost = places.add(10.0, 10.0)
    travel = road_travel(town.network, places, ("car",))
    with caplog.at_level(logging.WARNING):
        table = travel.table(handles(0, lost), handles(1, lost), 0)
    assert table[0].tolist() == [[8, UNREACHABLE], [UNREACHABLE, UNREACHABLE]]
    assert f"place {lost}" in caplog.text
    caplog.clear()
    for _ in range(3):
        places.add(11.0, 10.0)
    travel.require_cover()
    travel.table(handles(0, 3, 4, 5), handles(1), 0)
    assert [record.getMessage() for record in caplog.records] == [
        "3 places are more than 500 m from any road for car, place 3 the first of them"
    ]


def test_a_book_beside_other_streets_is_refused(town: Drawn) -> None:
    places = PlaceBook("wgs84")
    road_travel(town.network, places, ("car",)).require_cover()
    for lng in (-74.1, -74.0):
        places.add(4.6, lng)
    with pytest.raises(
        TooFarFromRoad, match=r"none of the 2 places .* between 4.6000,-74.1000 and 4.6000,-74.0000, the streets"
    ):
        road_travel(town.network, places, ("car", "foot")).require_cover()


def test_version_digest_and_slots_follow_the_network(town: Drawn) -> None:
    travel = road_travel(town.network, book(town, "A", "B"), ("car",))
    before = travel.digest
    town.network.set_traffic(TrafficTable(0, 300, ((), (SpeedRule(0.5),))))
    assert travel.version == 2
    assert travel.digest != before
    times = [int(travel.table(handles(0), handles(1), at)[0, 0, 0]) for at in (0, 299, 300)]
    assert times == [8, 8, 15]
    with pytest.raises(OutsideTraffic):
        travel.table(handles(0), handles(1), 600)


def test_names_of_a_scenario_may_differ_from_those_of_the_network(town: Drawn) -> None:
    travel = road_travel(town.network, book(town, "A", "B"), {"default": "car", "walker": "foot"})
    assert travel.profiles == ("default", "walker")
    assert travel.table(handles(0), handles(1), 0).ravel().tolist() == [8, 72]


def test_what_cannot_be_served(town: Drawn) -> None:
    with pytest.raises(InvalidInput, match="plane"):
        road_travel(town.network, PlaceBook("plane"), ("car",))
    with pytest.raises(UnknownProfile):
        road_travel(town.network, book(town, "A"), ("rocket",))
    with pytest.raises(InvalidInput, match="at least one"):
        road_travel(town.network, book(town, "A"), ())


def test_no_places_at_all(town: Drawn) -> None:
    travel = road_travel(town.network, book(town, "A"), ("car",))
    assert travel.table(handles(), handles(0), 0).shape == (1, 0, 1)
    assert travel.table(handles(0), handles(), 0).shape == (1, 1, 0)
    assert travel.metres(handles(0), handles(), 0).shape == (1, 1, 0)
