"""Conditions by day and time: what they mean, and streets and turns that go by them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from routing.places import PlaceBook
from routing.roads import RoadNetwork, road_travel
from routing.roads.city.check import check_trip
from routing.roads.source.hours import WEEK_MIN, holds, minutes_of_week, parse_hours, written_hours
from tests.kit.roads.streetmap import StreetMap
from tests.routing.roads.test_streetmap import CAR_S, CROSS, CROSS_WAYS, ring

MIDNIGHT = 1_700_006_400
"""Wednesday, 15 November 2023, 00:00 in UTC."""


def at(day: int, clock: str) -> int:
    """Epoch second of a time on that Wednesday (day 0) or days after it."""
    hour, minute = clock.split(":")
    return MIDNIGHT + day * 86_400 + int(hour) * 3600 + int(minute) * 60


@pytest.mark.parametrize(
    ("text", "day", "clock", "wanted"),
    [
        ("07:00-09:00", 0, "07:00", True),
        ("07:00-09:00", 0, "09:00", False),
        ("18:00-10:00", 0, "02:00", True),
        ("18:00-10:00", 0, "12:00", False),
        ("Mo-Fr 07:00-09:00,16:00-18:00", 0, "17:59", True),
        ("Mo-Fr 07:00-09:00,16:00-18:00", 3, "17:59", False),
        ("Sa,Su", 3, "17:59", True),
        ("Fr-Mo 10:00-12:00", 4, "11:00", True),
        ("Fr 22:00-02:00", 3, "01:00", True),
        ("Fr 22:00-02:00", 2, "01:00", False),
        ("Mo-Fr 07:00-09:00; Sa 10:00-11:00; PH off", 3, "10:30", True),
        ("Mo-Fr 07:00-09:00, Sa 10:00-12:00", 0, "10:30", False),
        ("Mo-Fr 07:00-09:00, Sa 10:00-12:00", 3, "10:30", True),
        ("Mo-Fr 07:00-09:00, Sa 10:00-12:00", 3, "08:00", False),
        ("24/7", 3, "03:00", True),
        ("mo-fr 7:00–9:00", 0, "08:00", True),
        ("PH 10:00-12:00", 0, "11:00", False),
        ("Mo-Fr,PH 10:00-12:00", 0, "11:00", True),
        ("07:75-09:00", 0, "08:30", False),
        ("10:00-25:00", 0, "11:00", False),
        ("Mo-Su 10:00-12:00; Su off", 0, "11:00", False),
        ("weight>7.5", 0, "10:00", False),
        ("sunset-sunrise", 0, "23:00", False),
    ],
)
def test_when_a_condition_holds(text: str, day: int, clock: str, wanted: bool) -> None:
    assert holds(text, at(day, clock)) == wanted


def test_by_the_clock_of_a_zone() -> None:
    # 06:30 in UTC is 07:30 in Berlin in November.
    assert holds("07:00-09:00", at(0, "06:30"), "Europe/Berlin")
    assert not holds("07:00-09:00", at(0, "06:30"))
    assert parse_hours("Mo-Fr 10:00-12:00 AND length>5") is None


def times(city: RoadNetwork, picture: StreetMap, here: str, there: str, *clocks: str) -> list[float]:
    ends = [np.array([picture.at(spot)]) for spot in (here, there)]
    return [float(city.travel_seconds(*ends, profile="car", at=at(0, clock))[0, 0]) for clock in clocks]


def test_a_turn_restriction_by_time(tmp_path: Path) -> None:
    rule = {"restriction:conditional": "no_left_turn @ (Mo-Fr 07:00-09:00)"}
    picture = StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", rule)])
    file = picture.write(tmp_path / "a.osm")
    city = RoadNetwork.from_osm(file, profiles=("car",), timezone="Europe/Berlin")
    city.save(tmp_path / "a.npz")
    for each in (city, RoadNetwork.load(tmp_path / "a.npz")):
        found = times(each, picture, "W", "N", "05:59", "06:30", "08:30")
        assert found == pytest.approx([2 * CAR_S + 5.4, 4 * CAR_S, 2 * CAR_S + 5.4], abs=0.1)
    assert city.streets.facts["restrictions_honoured"] == 1


def test_the_older_tags_of_a_turn_restriction_s_hours(tmp_path: Path) -> None:
    rule = {
        "restriction": "no_left_turn",
        "day_on": "Monday",
        "day_off": "Friday",
        "hour_on": "07:00",
        "hour_off": "09:00",
    }
    picture = StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", rule)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    assert times(city, picture, "W", "N", "08:00", "12:00") == pytest.approx([4 * CAR_S, 2 * CAR_S + 5.4], abs=0.1)


def test_a_turn_restriction_at_several_times(tmp_path: Path) -> None:
    rule = {"restriction:conditional": "no_left_turn @ (Mo-Fr 07:00-09:00); no_left_turn @ (16:00-18:00)"}
    picture = StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", rule)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    found = times(city, picture, "W", "N", "08:00", "12:00", "17:00")
    assert found == pytest.approx([4 * CAR_S, 2 * CAR_S + 5.4, 4 * CAR_S], abs=0.1)


def told_of(tags: dict[str, str], folder: Path) -> list[str]:
    city = RoadNetwork.from_osm(ring(tags).write(folder / "a.osm"), profiles=("foot", "car"))
    return list(city.streets.facts["not_understood"])


@pytest.mark.parametrize(
    ("key", "value", "understood"),
    [
        ("motor_vehicle:conditional", "destination @ (11:00-13:00)", True),
        ("motor_vehicle:conditional", "spaceship @ (11:00-13:00)", False),
        ("maxspeed:conditional", "30 @ (22:00-06:00)", True),
        ("maxspeed:forward:conditional", "none @ (22:00-06:00); 80 @ (06:00-22:00)", True),
        ("maxspeed:conditional", "30 @ (22:00-06:00); 80 @ wet", False),
        ("maxspeed:conditional", "slow @ (22:00-06:00)", False),
    ],
)
def test_conditions_that_are_not_understood_are_told(tmp_path: Path, key: str, value: str, understood: bool) -> None:
    assert told_of({key: value}, tmp_path) == ([] if understood else [f"{key}={value}"])


@pytest.mark.parametrize("spans", [[(0, 60)], [(400, 500), (1000, 2000)], [(9000, 10080), (0, 30)], [(0, WEEK_MIN)]])
def test_hours_are_written_as_they_are_read(spans: list[tuple[int, int]]) -> None:
    minutes = {m for begin, end in spans for m in range(begin, end)}
    assert {m for begin, end in minutes_of_week(written_hours(spans)) for m in range(begin, end)} == minutes


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({"motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (18:00-10:00)"}, [3, 5, 3]),
        ({"motor_vehicle:conditional": "no @ (Mo-Fr 11:00-13:00)"}, [3, 5, 3]),
        ({"motor_vehicle:conditional": "no @ (weight>7.5)"}, [3, 3, 3]),
        (
            {"motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (Mo-Fr 8:00-10:00); yes @ (19:00-21:00)"},
            [3, 5, 3],
        ),
        ({"motor_vehicle:conditional": "no @ (08:00-21:00); yes @ (11:00-13:00)"}, [5, 3, 5]),
        ({"access:conditional": "no @ (11:00-13:00)", "motorcar:conditional": "yes @ (12:00-14:00)"}, [3, 3, 3]),
        ({"motor_vehicle:forward:conditional": "no @ (11:00-13:00)"}, [3, 5, 3]),
        ({"motor_vehicle:backward:conditional": "no @ (11:00-13:00)"}, [3, 3, 3]),
        ({"oneway:conditional": "-1 @ (11:00-13:00)"}, [3, 5, 3]),
        ({"oneway": "-1", "oneway:motor_vehicle:conditional": "no @ (11:00-13:00)"}, [5, 3, 5]),
        ({"motor_vehicle:conditional": "destination @ (11:00-13:00)"}, [3, 5, 3]),
        ({"motor_vehicle": "destination", "motor_vehicle:conditional": "yes @ (11:00-13:00)"}, [5, 3, 5]),
        (
            {"motor_vehicle": "no", "motor_vehicle:conditional": "delivery @ (08:00-10:00); yes @ (19:00-21:00)"},
            [5, 5, 3],
        ),
        ({"access": "no", "motorcar:conditional": "delivery @ (06:00-10:00); yes @ (19:00-21:00)"}, [5, 5, 3]),
        ({"motor_vehicle:backward:conditional": "delivery @ (11:00-13:00)"}, [3, 3, 3]),
        ({"maxspeed:conditional": "10 @ (11:00-13:00)"}, [3, 2 + 25 / 8.5, 3]),
        ({"maxspeed:backward:conditional": "10 @ (11:00-13:00)"}, [3, 3, 3]),
        (
            {"maxspeed": "10", "maxspeed:conditional": "50 @ (Mo-Fr 11:00-13:00)"},
            [2 + 25 / 8.5, 2 + 25 / 42.5, 2 + 25 / 8.5],
        ),
        ({"maxspeed:conditional": "10 @ (08:00-13:00); 20 @ (11:00-13:00)"}, [2 + 25 / 8.5, 2 + 25 / 17, 3]),
        ({"maxspeed:conditional": "10 @ (weight>3.5)"}, [3, 3, 3]),
    ],
)
def test_a_street_by_time(tmp_path: Path, tags: dict[str, str], wanted: list[int]) -> None:
    picture = ring(tags)
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("foot", "car"))
    found = times(city, picture, "P", "S", "09:00", "12:00", "20:00")
    assert found == pytest.approx([streets * CAR_S for streets in wanted], abs=0.1)


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({"motor_vehicle:conditional": "no @ (11:00-13:00)"}, [3 + 20 / CAR_S, 5, 3 + 20 / CAR_S]),
        ({"access": "no", "motor_vehicle:conditional": "yes @ (11:00-13:00)"}, [5, 3 + 20 / CAR_S, 5]),
        ({"motor_vehicle:conditional": "no @ (weight>7.5)"}, [3 + 20 / CAR_S] * 3),
        ({"locked": "yes", "motor_vehicle:conditional": "yes @ (11:00-13:00)"}, [5, 5, 5]),
    ],
)
def test_a_gate_by_time(tmp_path: Path, tags: dict[str, str], wanted: list[float]) -> None:
    picture = ring({}, {"R": {"barrier": "gate", **tags}})
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("foot", "car"))
    found = times(city, picture, "P", "S", "09:00", "12:00", "20:00")
    assert found == pytest.approx([streets * CAR_S for streets in wanted], abs=0.1)


def test_one_direction_for_ends_only_by_time(tmp_path: Path) -> None:
    home = {"highway": "residential"}
    forward = {**home, "motor_vehicle:forward:conditional": "delivery @ (11:00-13:00)"}
    drawing = "\n".join(["A P Q R S Z", "  T     U  "])
    picture = StreetMap(drawing, [("APQ", home), ("QR", forward), ("RSZ", home), ("PTUS", home)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    # Straight on 450 m, round by T and U 650 m with turns to the right, left, left and right.
    at_nine, at_noon = times(city, picture, "A", "S-Z:50", "09:00", "12:00")
    assert at_nine == pytest.approx(4.5 * CAR_S, abs=0.1)
    assert 6.5 * CAR_S < at_noon < 6.5 * CAR_S + 20
    assert times(city, picture, "S-Z:50", "A", "09:00", "12:00") == pytest.approx([4.5 * CAR_S] * 2, abs=0.1)
    assert times(city, picture, "A", "Q-R:50", "09:00", "12:00") == pytest.approx([2.5 * CAR_S] * 2, abs=0.1)


def test_nobody_begins_against_a_one_way_by_hours(tmp_path: Path) -> None:
    picture = ring({"oneway:conditional": "yes @ (11:00-13:00)"})
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    # Against it 150 m; along it first, and round by S, U and T: 50 + 100 + 500 m.
    found = times(city, picture, "Q-R:50", "P", "09:00", "12:00")
    assert found == pytest.approx([1.5 * CAR_S, 6.5 * CAR_S], abs=0.1)


DEAD_END = "\n".join(["P Q R S", "T     U", "V     X"])
BY_NOON = {"highway": "residential", "motor_vehicle:conditional": "delivery @ (11:00-13:00)"}


def test_what_lies_behind_streets_for_ends_only_is_reached_then_too(tmp_path: Path) -> None:
    """R-S lies between two streets that are for ends only at noon: a way through at nine, the end of a trip at noon."""
    home = {"highway": "residential"}
    ways = [("PQ", home), ("QR", BY_NOON), ("RS", home), ("SU", BY_NOON), ("PTVXU", home)]
    picture = StreetMap(DEAD_END, ways)
    file = picture.write(tmp_path / "a.osm")
    RoadNetwork.from_osm(file, profiles=("car",)).save(tmp_path / "a.npz")
    city = RoadNetwork.load(tmp_path / "a.npz")
    # To the middle of X-U by Q, R, S, U 450 m, by T, V, X 550 m.
    assert times(city, picture, "P", "X", "09:00", "12:00") == pytest.approx([5 * CAR_S, 5 * CAR_S], abs=0.1)
    assert times(city, picture, "P", "X-U:50", "09:00", "12:00") == pytest.approx([4.5 * CAR_S, 5.5 * CAR_S], abs=0.1)
    for ends in (("P", "R-S:50"), ("R-S:50", "P")):
        assert times(city, picture, *ends, "09:00", "12:00") == pytest.approx([2.5 * CAR_S] * 2, abs=0.1)
    told = check_trip(city, picture.at("P"), picture.at("X-U:50"), profile="car", at=at(0, "12:00"))
    assert told["refused_way"]["breaks"] == [f"{name} is for ends only" for name in ("QR", "RS", "SU")]
    assert (
        check_trip(city, picture.at("P"), picture.at("X-U:50"), profile="car", at=at(0, "09:00"))["refused_way"] is None
    )


def test_a_bicycle_is_ridden_in_a_pedestrian_street_at_night_and_pushed_by_day(tmp_path: Path) -> None:
    mall = {"highway": "pedestrian", "bicycle:conditional": "yes @ (18:00-10:00)"}
    picture = StreetMap("A B C", [("AB", {"highway": "residential"}), ("BC", mall)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("bike",))
    ends = [np.array([picture.at(spot)]) for spot in ("A", "C")]
    found = [float(city.travel_seconds(*ends, profile="bike", at=at(0, clock))[0, 0]) for clock in ("12:00", "19:00")]
    # 100 m at 16 km/h, then 100 m at 4.5 or 9 km/h.
    assert found == pytest.approx([22.5 + 80, 22.5 + 40], abs=0.1)


def test_one_turns_round_before_a_street_that_is_shut_at_times(tmp_path: Path) -> None:
    drawing = "\n".join(["  Q    ", "W A B C", "  E F  "])
    ways = [
        ("WA", {"highway": "residential", "oneway": "yes"}),
        ("AB", {"highway": "residential"}),
        ("AQ", {"highway": "residential"}),
        ("BC", {"highway": "residential", "motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (18:00-10:00)"}),
        ("AEW", {"highway": "residential", "oneway": "yes"}),
    ]
    only = [("WA", "A", "AB", {"restriction": "only_straight_on"})]
    picture = StreetMap(drawing, ways, turns=only)
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car", "foot"))
    # To B, round in 20 s, back to A and into Q to the right: shut or not, BC leads nowhere else.
    ends = [np.array([picture.at(spot)]) for spot in ("W-A:50", "A-Q:50")]
    for clock in (None, at(0, "12:00")):
        found = float(city.travel_seconds(*ends, profile="car", at=clock)[0, 0])
        assert 3 * CAR_S + 20 < found < 3 * CAR_S + 20 + 8


def test_a_corner_where_a_shut_street_begins_costs_no_turn(tmp_path: Path) -> None:
    drawing = "\n".join(["A B C", "  D  "])
    shut = {"highway": "residential", "motor_vehicle": "no", "motor_vehicle:conditional": "yes @ (18:00-10:00)"}
    seconds = {}
    for name, third in (("shut", shut), ("open", {"highway": "residential"})):
        ways = [("AB", {"highway": "residential"}), ("BD", {"highway": "residential"}), ("BC", third)]
        picture = StreetMap(drawing, ways)
        city = RoadNetwork.from_osm(picture.write(tmp_path / f"{name}.osm"), profiles=("car", "foot"))
        ends = [np.array([picture.at(spot)]) for spot in ("A-B:50", "B-D:50")]
        seconds[name] = float(city.travel_seconds(*ends, profile="car")[0, 0])
    assert seconds["shut"] == pytest.approx(CAR_S, abs=0.01)
    assert seconds["open"] > CAR_S + 2


WINDOW = {"highway": "pedestrian", "motor_vehicle:conditional": "destination @ (06:00-11:00)"}


def test_a_door_in_a_street_that_is_shut_at_the_time_is_served_from_its_corner(tmp_path: Path) -> None:
    picture = StreetMap("A B C", [("AB", {"highway": "residential"}), ("BC", WINDOW)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    # Inside by car at 10 km/h while it is open, else on foot at 5 km/h: 10.8 and 21.6 s for 30 m.
    wanted = {"08:00": CAR_S + 10.8, "12:00": CAR_S + 21.6}
    for ends in (("A", "B-C:30"), ("B-C:30", "A")):
        assert times(city, picture, *ends, *wanted) == pytest.approx(list(wanted.values()), abs=0.1)
        way = city.path(*(picture.at(spot) for spot in ends), profile="car", at=at(0, "12:00"))
        assert way.streets == ("AB",) and max(way.walk_metres) == pytest.approx(30.0, abs=0.1)
        assert city.path(*(picture.at(spot) for spot in ends), profile="car").seconds == way.seconds
    told = check_trip(city, picture.at("A"), picture.at("B-C:30"), profile="car", at=at(0, "12:00"))
    assert told["destination"]["refused"] == [{"street": "BC", "metres": 0.0, "why": "closed to car at this time"}]


def test_where_everything_is_shut_one_gets_out(tmp_path: Path) -> None:
    picture = StreetMap("A B C D E F G H", [("AB", {"highway": "residential"}), ("BCDEFGH", WINDOW)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    # H lies 600 m from the street that is open: farther than anybody walks.
    assert times(city, picture, "H", "A", "12:00") == pytest.approx([600 / 10 * 3.6 + CAR_S], abs=0.2)
    assert times(city, picture, "A", "H", "12:00") == [np.inf]


def test_the_stops_of_a_table_follow_the_hours(tmp_path: Path) -> None:
    picture = StreetMap("A B C", [("AB", {"highway": "residential"}), ("BC", WINDOW)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    places = PlaceBook("wgs84")
    here, there = (np.array([places.add(*picture.at(spot))], dtype=np.int32) for spot in ("A", "B-C:30"))
    travel = road_travel(city, places, ("car",))
    for clock, seconds, walk_m in (("08:00", 25, 0), ("12:00", 36, 30), ("09:00", 25, 0), ("13:00", 36, 30)):
        assert travel.table(here, there, at(0, clock)).tolist() == [[[seconds]]]
        assert travel.walks(here, there, at(0, clock))[1].tolist() == [[walk_m]]
    assert travel.snaps_renewed == 4  # two places, open and shut
