"""Small street maps: which way is taken, how long it is, and why, on every profile built together."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest

from routing.places import PlaceBook
from routing.roads import RoadNetwork, road_travel
from routing.roads.source.arrays import PROFILES
from routing.travel import MatrixTravel, StraightTravel
from tests.kit.roads.streetmap import StreetMap

HOME = {"highway": "residential"}
ONE_WAY = {"highway": "residential", "oneway": "yes"}
FOOT = {"highway": "footway"}
FERRY = {"route": "ferry", "duration": "00:10"}

# By car 25 km/h: 100 m in 14.4 s.  On foot 5 km/h: 100 m in 72 s.
CAR_S, FOOT_S = 14.4, 72.0

CROSS = """
A   N
    |
W   X   E
    |
B   S   C
"""
"""A crossing: west to north is a left turn; loops W-B-S and E-C lead round."""
CROSS = "\n".join(["A N D", "W X E", "B S C"])
CROSS_WAYS = [
    ("WX", HOME),
    ("XE", HOME),
    ("XN", HOME),
    ("XS", HOME),
    ("ED", HOME),
    ("DN", HOME),
    ("WB", HOME),
    ("BS", HOME),
]
NO_LEFT = {"restriction": "no_left_turn"}

RING = "\n".join(["P Q R S", "T     U"])
"""A street P-Q-R-S, and a way round P-T-U-S."""


def ring(tags: dict[str, str], nodes: dict[str, dict[str, str]] | None = None) -> StreetMap:
    """The middle Q-R of the street has tags of its own; the way round is 500 m against 300 m."""
    ways = [("PQ", HOME), ("QR", {**HOME, **tags}), ("RS", HOME), ("PTUS", HOME)]
    return StreetMap(RING, ways, nodes or {})


MAPS = {
    "crossing": StreetMap(CROSS, CROSS_WAYS),
    "no left": StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", NO_LEFT)]),
    "only straight": StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XE", {"restriction": "only_straight_on"})]),
    "trucks alone": StreetMap(
        CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", {"type": "restriction:hgv", "restriction": "no_left_turn"})]
    ),
    "two kinds": StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", {"restriction": "No_Left_Turn;no_u_turn"})]),
    "older hours": StreetMap(
        CROSS,
        CROSS_WAYS,
        turns=[("WX", "X", "XN", {**NO_LEFT, "day_on": "Monday", "hour_on": "07:00", "hour_off": "09:00"})],
    ),
    "bikes excepted": StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", {**NO_LEFT, "except": "bicycle"})]),
    "bikes alone": StreetMap(CROSS, CROSS_WAYS, turns=[("WX", "X", "XN", {"restriction:bicycle": "no_left_turn"})]),
    "over a way": StreetMap(
        "\n".join(["A B C", "  D", "E   F"]),
        [("AB", HOME), ("BC", HOME), ("BD", HOME), ("DE", HOME), ("DF", HOME), ("FC", HOME)],
        turns=[("AB", "BD", "DF", {"restriction": "no_left_turn"})],
    ),
    "destination": ring({"access": "destination"}),
    "private": ring({"access": "private"}),
    "list": ring({"motor_vehicle": "forestry;destination"}),
    "unknown value": ring({"motor_vehicle": "spaceship"}),
    "forward only": ring({"motor_vehicle:backward": "no"}),
    "one way on foot": ring({"oneway:foot": "yes", "junction": "roundabout"}),
    "bollard": ring({}, {"R": {"barrier": "bollard"}}),
    "bollard, footway joins": StreetMap(
        "\n".join(["P Q R S", "T F   U"]),
        [("PQ", HOME), ("QR", HOME), ("RS", HOME), ("PTUS", HOME), ("QF", FOOT)],
        {"Q": {"barrier": "bollard"}},
    ),
    "locked": ring({}, {"R": {"barrier": "gate", "locked": "yes"}}),
    "gate": ring({}, {"R": {"barrier": "gate"}}),
    "private gate": ring({}, {"R": {"barrier": "gate", "access": "private"}}),
    "yard": StreetMap(
        "\n".join(["A G B C", "    D"]),
        [("AG", HOME), ("GB", HOME), ("BC", HOME), ("BD", HOME)],
        {"G": {"barrier": "gate", "access": "private"}},
    ),
    "low bridge": ring({"maxheight": "1.4"}),
    "being built": ring({"construction": "residential"}),
    "track": ring({"highway": "track"}),
    "paved track": ring({"highway": "track", "motor_vehicle": "yes", "maxspeed": "30"}),
    "lights": StreetMap(RING, [("PQRS", HOME), ("PTUS", HOME)], {"R": {"highway": "traffic_signals"}}),
    "mall": StreetMap("\n".join(["A B C"]), [("AB", HOME), ("BC", {"highway": "pedestrian"})]),
    "river": StreetMap("\n".join(["A B C G", "z", "D E F"]), [("ABCG", HOME), ("DE", HOME), ("EF", HOME)]),
    "blind": StreetMap(
        "\n".join(["A B C", "D E F"]), [("AB", ONE_WAY), ("BC", ONE_WAY), ("DEF", HOME), ("AD", HOME), ("BE", HOME)]
    ),
    "ferry": StreetMap(
        "\n".join(["A B C G", "z", "D E F"]),
        [
            ("ABCG", HOME),
            ("DE", HOME),
            ("EF", HOME),
            ("AD", {"route": "ferry", "motor_vehicle": "yes", "duration": "00:10"}),
        ],
    ),
    "ferry for walkers": StreetMap(
        "\n".join(["A B C G", "z", "D E F"]),
        [("ABCG", HOME), ("DE", HOME), ("EF", HOME), ("AD", FERRY)],
    ),
    "cellar": StreetMap(
        "\n".join(["A B C", "D E F"]),
        [("AD", HOME), ("DEF", HOME), ("FC", HOME), ("ABC", {**HOME, "layer": "-1", "covered": "yes"})],
    ),
    "iso ferry": StreetMap(
        "\n".join(["A B C G", "z", "D E F"]),
        [("ABCG", HOME), ("DE", HOME), ("EF", HOME), ("AD", {**FERRY, "duration": "PT20M"})],
    ),
    "bridge": StreetMap(
        "\n".join(["A B C", "D E F"]),
        [("AD", HOME), ("DEF", HOME), ("FC", HOME), ("ABC", {**HOME, "bridge": "yes"})],
    ),
}


@functools.cache
def city(name: str) -> RoadNetwork:
    """The network of a map, all profiles together."""
    with tempfile.TemporaryDirectory() as folder:
        return RoadNetwork.from_osm(MAPS[name].write(Path(folder) / "a.osm"), profiles=PROFILES)


# Map, profile, from, to, seconds (None: no way), and why.
TRIPS = [
    ("crossing", "car", "W", "N", 2 * CAR_S + 5.4, "a left turn of 90 degrees costs 5.4 s"),
    ("crossing", "car", "N", "W", 2 * CAR_S + 2.1, "a right turn costs 2.1 s"),
    ("crossing", "car", "W", "E", 2 * CAR_S, "straight on costs nothing worth a tenth of a second"),
    ("no left", "car", "W", "N", 4 * CAR_S, "round by E and D: bends of streets cost nothing"),
    ("no left", "foot", "W", "N", 2 * FOOT_S, "restrictions are not for those on foot"),
    ("no left", "car", "N", "W", 2 * CAR_S + 2.1, "the other way round is free"),
    ("only straight", "car", "W", "N", 4 * CAR_S, "only on, then round by E and D"),
    ("bikes excepted", "bike", "W", "N", 200 / 16 * 3.6 + 1.83, "except=bicycle"),
    ("bikes excepted", "car", "W", "N", 4 * CAR_S, "and nobody else"),
    ("bikes alone", "car", "W", "N", 2 * CAR_S + 5.4, "restriction:bicycle is not for cars"),
    ("bikes alone", "bike", "W", "N", 400 / 16 * 3.6, "but for bikes"),
    ("trucks alone", "car", "W", "N", 2 * CAR_S + 5.4, "type=restriction:hgv is not for cars"),
    ("two kinds", "car", "W", "N", 4 * CAR_S, "a list of kinds, whatever its letters"),
    ("older hours", "car", "W", "N", 2 * CAR_S + 5.4, "day_on and hour_on: at no time without one"),
    ("over a way", "car", "A", "F", 4 * CAR_S, "not A-B-D-F, nor by a turn-round at D: by C"),
    ("over a way", "car", "C", "D", 2 * CAR_S + 5.4, "who comes from C may go down B-D"),
    ("destination", "car", "P", "S", 5 * CAR_S, "no way through"),
    ("destination", "car", "P", "Q-R:50", 1.5 * CAR_S, "but a way in"),
    ("destination", "car", "Q-R:50", "S", 1.5 * CAR_S, "and out, on either side"),
    ("destination", "car", "Q-R:20", "Q-R:80", 0.6 * CAR_S, "and within"),
    ("private", "bike", "P", "S", 500 / 16 * 3.6, "private is no way through for bikes either"),
    ("list", "car", "P", "S", 5 * CAR_S, "the most open of a list counts: destination"),
    ("list", "car", "P", "Q-R:50", 1.5 * CAR_S, "so one may go in"),
    ("unknown value", "car", "P", "S", 5 * CAR_S, "a value nobody knows shuts"),
    ("unknown value", "bike", "P", "S", 300 / 16 * 3.6, "for those it speaks of"),
    ("forward only", "car", "P", "S", 3 * CAR_S, "along is open"),
    ("forward only", "car", "S", "P", 5 * CAR_S, "against is not"),
    ("one way on foot", "foot", "P", "S", 3 * FOOT_S, "along, as the sign says"),
    ("one way on foot", "foot", "S", "P", 5 * FOOT_S, "and nobody walks against it"),
    ("forward only", "foot", "S", "P", 3 * FOOT_S, "what is said of cars is not of walkers"),
    ("bollard", "car", "P", "S", 5 * CAR_S, "a bollard between two stretches"),
    ("bollard", "bike", "P", "S", 300 / 16 * 3.6, "lets bikes pass"),
    ("bollard, footway joins", "car", "P", "S", 5 * CAR_S, "the footway opens it to nobody"),
    ("locked", "foot", "P", "S", 5 * FOOT_S, "a locked gate shuts for all"),
    ("gate", "car", "P", "S", 3 * CAR_S + 20, "20 s at the gate are less than 200 m round"),
    ("gate", "bike", "P", "S", 300 / 16 * 3.6 + 10, "10 s by bike are less"),
    ("private gate", "bike", "P", "S", 500 / 16 * 3.6, "no passage"),
    ("yard", "car", "A", "C", 3 * CAR_S + 20, "what lies behind a private gate is reached through it, at its price"),
    ("yard", "car", "D", "C", 2 * CAR_S + 2.1, "and within there is none"),
    ("low bridge", "car", "P", "S", 5 * CAR_S, "1.4 m: no car fits"),
    ("low bridge", "bike", "P", "S", 300 / 16 * 3.6, "a bike does"),
    ("being built", "car", "P", "S", 5 * CAR_S, "a street that is being built"),
    ("track", "car", "P", "S", 5 * CAR_S, "a track is no way through"),
    ("paved track", "car", "P", "S", 2 * CAR_S + 100 / 25.5 * 3.6, "unless its tags say so"),
    ("lights", "car", "P", "S", 3 * CAR_S + 3, "one wait"),
    ("lights", "foot", "P", "S", 3 * FOOT_S, "not for those who walk along"),
    ("mall", "bike", "A", "C", 100 / 16 * 3.6 + 100 / 4.5 * 3.6, "pushed where bikes are not allowed"),
    ("mall", "car", "A", "C", CAR_S + FOOT_S, "walked from where the car must stop"),
    ("river", "car", "A", "D+80", 86.4, "80 m to a part beside, 120 m to the main network: that is near enough"),
    ("river", "car", "A", "D+30", None, "30 m and 170 m: on the other side, where nobody gets without a ferry"),
    ("river", "car", "D+30", "F+20", 200 / 25 * 3.6 + 50 / 5 * 3.6, "within that part one drives"),
    ("blind", "car", "D", "B", 2 * CAR_S, "what can only be entered is left out, the rest keeps its place"),
    ("blind", "car", "B", "A", 3 * CAR_S + 2.1, "against the one-way round by E and D, turning right from B-E"),
    ("ferry", "car", "B", "E", 2 * CAR_S + 600, "ten minutes by ferry"),
    ("ferry for walkers", "foot", "B", "E", 2 * FOOT_S + 600, "open to those on foot where no tag says otherwise"),
    ("ferry for walkers", "car", "B", "E", None, "but not to cars"),
    ("cellar", "car", "A", "B+5", 100.1 / 5 * 3.6, "nor below the ground: walked from where it begins"),
    ("iso ferry", "foot", "B", "E", 2 * FOOT_S + 1200, "twenty minutes, as ISO 8601 writes them"),
    ("bridge", "car", "A", "B+5", 100.1 / 5 * 3.6, "nobody stops on a bridge: walked from its end"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "profile", "here", "there", "seconds", "why"), TRIPS, ids=lambda each: str(each)[:40])
def test_trips(name: str, profile: str, here: str, there: str, seconds: float | None, why: str) -> None:
    ends = np.array([MAPS[name].at(here)]), np.array([MAPS[name].at(there)])
    found = city(name).travel_seconds(*ends, profile=profile)[0, 0]
    assert found == pytest.approx(np.inf if seconds is None else seconds, abs=0.15), why
    way = city(name).path(ends[0][0], ends[1][0], profile=profile)
    assert way.seconds == pytest.approx(found, abs=1e-9), "the way takes what the table says"


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_alone_gives_the_same_times(name: str, profile: str, tmp_path: Path) -> None:
    alone = RoadNetwork.from_osm(MAPS[name].write(tmp_path / "a.osm"), profiles=(profile,))
    spots = np.array(list(MAPS[name].places.values()))
    wanted = city(name).travel_seconds(spots, spots, profile=profile)
    np.testing.assert_array_equal(alone.travel_seconds(spots, spots, profile=profile), wanted)


def test_the_street_of_the_address_is_preferred() -> None:
    """30 m from W-X and 20 m from W-B: the nearer one, unless the address names the other."""
    picture, network = MAPS["crossing"], city("crossing")
    lat, lng = picture.at("W-X:20")
    spot = np.array([[lat - 30 / 111_195.08, lng]])
    found = [
        network.streets.names[network.streets.name[network.stops(spot, profile="car", names=names).edge[0, 0]]]
        for names in (None, [""], ["WX"], ["wx "], ["Nowhere Street"])
    ]
    assert found == ["WB", "WB", "WX", "WX", "WB"]


def test_a_lane_without_a_name_comes_before_a_street_a_little_nearer(tmp_path: Path) -> None:
    ways = [("AB", HOME), ("AC", HOME), ("CD", {"highway": "service", "name": ""})]
    picture = StreetMap("\n".join(["A B", "C D"]), ways)
    network = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    for north, wanted in ((57.0, ""), (58.0, "AB")):
        lat, lng = picture.at("C-D:90")
        spot = np.array([[lat + north / 111_195.08, lng]])
        edge = network.stops(spot, profile="car").edge[0, 0]
        assert network.streets.names[network.streets.name[edge]] == wanted


def test_the_last_metres_of_every_pair_are_those_of_its_way(tmp_path: Path) -> None:
    picture = StreetMap("\n".join(["A B C", "D E F"]), [("ABC", HOME), ("DEF", HOME), ("AD", HOME), ("CF", ONE_WAY)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    places = np.array([picture.at(spot) for spot in ("A-B:40", "A-B:40+7", "E-F:20+9", "C-F:50", "D+4")])
    stops = city.stops(places, profile="car")
    before, after = city.last_metres(stops, stops, profile="car")
    seconds = city.travel_seconds(places, places, profile="car")
    for i, j in np.ndindex(len(places), len(places)):
        way = city.path(places[i], places[j], profile="car")
        assert (before[i, j], after[i, j]) == pytest.approx(way.walk_metres, abs=0.01), (i, j)
        assert seconds[i, j] == pytest.approx(way.seconds, abs=0.002)
    assert before[1, 3] == pytest.approx(7.0, abs=0.1)
    assert after[0, 2] == pytest.approx(9.0, abs=0.1)


def test_walks_of_a_table_are_those_of_its_ways(tmp_path: Path) -> None:
    picture = StreetMap("\n".join(["A B C", "D E F"]), [("ABC", HOME), ("DEF", HOME), ("AD", HOME), ("CF", ONE_WAY)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car", "foot"))
    spots = [picture.at(spot) for spot in ("A-B:40", "A-B:40+7", "E-F:20+9", "C-F:50", "D+46")]
    places = PlaceBook("wgs84")
    every = np.array([places.add(*spot) for spot in spots], dtype=np.int32)
    travel = road_travel(city, places, {"default": "car", "walker": "foot"})
    from_, to = (each.ravel() for each in np.meshgrid(every, every, indexing="ij"))
    seconds, metres = travel.walks(from_, to, 0)
    assert seconds.shape == metres.shape == (2, 25)
    for k, (i, j) in enumerate(zip(from_.tolist(), to.tolist(), strict=True)):
        for row, profile in enumerate(("car", "foot")):
            way = city.path(spots[i], spots[j], profile=profile)
            assert (seconds[row, k], metres[row, k]) == (round(way.walk_seconds[1]), round(way.walk_metres[1]))
    assert set(metres[0].tolist()) == {0, 7, 9}


def test_straight_lines_and_matrices_know_no_walks() -> None:
    places = PlaceBook("plane")
    both = np.array([places.add(0, 0, matrix_row=0), places.add(0, 90, matrix_row=1)], dtype=np.int32)
    straight = StraightTravel(places, {"bike": 250.0, "car": 400.0})
    matrix = MatrixTravel(places, ("bike", "car"), np.ones((2, 2, 2)))
    for times in (straight, matrix):
        assert [each.tolist() for each in times.walks(both, both, 0)] == [[[0, 0], [0, 0]]] * 2
