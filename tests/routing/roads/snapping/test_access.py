"""Access points: a given entrance, gate or loading bay is where one stops, and the rest is walked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from halfhour.commands import main
from routing.errors import InvalidInput
from routing.places import FARTHEST_ACCESS_M, PlaceBook
from routing.roads import RoadNetwork, road_travel
from routing.roads.errors import TooFarFromRoad
from routing.roads.snapping.stops import WALK_M_PER_S
from tests.kit.roads.streetmap import StreetMap
from tests.routing.roads.test_streetmap import CAR_S, HOME

LANE = {"highway": "service", "name": ""}
PICTURE = StreetMap("\n".join(["A B C", "D E F"]), [("ABC", HOME), ("DEF", HOME), ("AD", HOME), ("CF", HOME)])
DOOR = "B+-30"
"""30 m south of the northern street, 70 m north of the southern one: a block in between."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return RoadNetwork.from_osm(PICTURE.write(tmp_path_factory.mktemp("map") / "a.osm"), profiles=("car", "foot"))


def test_a_given_access_point_wins_over_the_nearest_street(city: RoadNetwork) -> None:
    here, door, bay = (PICTURE.at(spot) for spot in ("D-E:40", DOOR, "E+5"))
    plain = city.path(here, door, profile="car")
    assert plain.streets[-1] == "ABC" and plain.walk_metres[1] == pytest.approx(30.0, abs=0.1)
    way = city.path(here, door, profile="car", access=(None, bay))
    assert way.streets == ("DEF",)
    # 5 m from the street to the bay, 65 m on to the door.
    assert way.walk_metres == pytest.approx((0.0, 70.0), abs=0.1)
    assert way.seconds == pytest.approx(0.6 * CAR_S + 70.0 / WALK_M_PER_S, abs=0.05)
    back = city.path(door, here, profile="car", access=(bay, None))
    assert (back.seconds, *back.walk_metres) == pytest.approx((way.seconds, *way.walk_metres[::-1]), abs=0.01)


def test_tables_paths_and_last_metres_agree_with_access_points(city: RoadNetwork) -> None:
    points = np.array([PICTURE.at(spot) for spot in ("D-E:40", DOOR, "C-F:50", "A+9")])
    access = np.full((4, 2), np.nan)
    access[1], access[3] = PICTURE.at("E+5"), PICTURE.at("A-D:20")
    both = (access, access)
    seconds = city.travel_seconds(points, points, profile="car", access=both)
    stops = city.stops(points, profile="car", access=access)
    before, after = city.last_metres(stops, stops, profile="car")
    for i, j in np.ndindex(4, 4):
        own = tuple(None if np.isnan(access[k, 0]) else access[k] for k in (i, j))
        way = city.path(points[i], points[j], profile="car", access=own)
        assert seconds[i, j] == pytest.approx(way.seconds, abs=0.002)
        assert (before[i, j], after[i, j]) == pytest.approx(way.walk_metres, abs=0.01)


def test_the_nearest_spot_alone_serves_an_access_point(tmp_path: Path) -> None:
    # A nameless lane 8 m farther comes first for an address (see LANE_M), not for a bay on the street itself.
    picture = StreetMap("\n".join(["A B", "C D"]), [("AB", HOME), ("AC", HOME), ("CD", LANE)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",))
    bay = np.array([picture.at("C-D:90+54")])
    assert (city.stops(bay, profile="car").edge >= 0).sum() > 1
    found = city.stops(bay, profile="car", access=bay)
    assert (found.edge >= 0).sum() == 1
    assert city.streets.names[city.streets.name[found.edge[0, 0]]] == "AB"


def test_an_access_point_needs_a_street_near_it(city: RoadNetwork) -> None:
    door = np.array([PICTURE.at(DOOR)])
    with pytest.raises(TooFarFromRoad):
        city.stops(door, profile="car", max_snap_m=20.0, access=np.array([PICTURE.at("E+40")]))
    assert city.stops(door, profile="car", max_snap_m=20.0, access=np.array([PICTURE.at("E+19")])).edge[0, 0] >= 0


def test_places_of_a_book_are_served_by_their_access_point_until_it_moves(city: RoadNetwork) -> None:
    places = PlaceBook("wgs84")
    here = np.array([places.add(*PICTURE.at("D-E:40"))], dtype=np.int32)
    door = np.array([places.add(*PICTURE.at(DOOR), access=PICTURE.at("E+5"))], dtype=np.int32)
    travel = road_travel(city, places, ("car",))
    wanted = round(0.6 * CAR_S + 70.0 / WALK_M_PER_S)
    assert travel.table(here, door, 0).tolist() == [[[wanted]]]
    assert [each.tolist() for each in travel.walks(here, door, 0)] == [[[50]], [[70]]]
    assert places.access_of(int(door[0])) == PICTURE.at("E+5") and places.access_of(int(here[0])) is None
    places.move(int(door[0]), *PICTURE.at(DOOR))
    assert travel.walks(here, door, 0)[1].tolist() == [[30]]
    places.move(int(door[0]), *PICTURE.at(DOOR), access=PICTURE.at("E+5"))
    assert travel.walks(here, door, 0)[1].tolist() == [[70]]


def test_a_book_that_grows_keeps_its_access_points() -> None:
    places = PlaceBook("plane")
    places.add(0.0, 0.0, access=(3.0, 4.0))
    for k in range(200):
        places.add(float(k), 0.0)
    assert places.access_of(0) == (3.0, 4.0) and np.isnan(places.access[1:]).all()


@pytest.mark.parametrize("access", [(0.0, FARTHEST_ACCESS_M + 1), (float("nan"), 0.0), (0.0, 9e6)])
def test_an_access_point_that_cannot_be_is_refused(access: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput) as caught:
        PlaceBook("plane").add(0.0, 0.0, access=access)
    assert caught.value.code in ("far_access", "invalid_coordinates")


@pytest.fixture
def halfhour(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command prints."""

    def run(*words: object) -> str:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        assert not left.value.code
        return capsys.readouterr().out

    return run


def test_the_command_line_takes_access_points(city: RoadNetwork, tmp_path: Path, halfhour: Callable[..., str]) -> None:
    file = tmp_path / "a.npz"
    city.save(file)
    here, door, bay = (",".join(f"{part:.7f}" for part in PICTURE.at(spot)) for spot in ("D-E:40", DOOR, "E+5"))
    told = json.loads(
        halfhour(
            "roads", "path", file, f"--from={here}", f"--to={door}", f"--to-access={bay}", "--profile", "car", "--json"
        )
    )
    assert told["streets"] == ["DEF"] and told["walk_metres"] == [0.0, 70.0]
    check = json.loads(halfhour("roads", "check", file, here, door, f"--to-access={bay}", "--profile", "car", "--json"))
    assert [stop["street"] for stop in check["destination"]["stops"]] == ["DEF"]
    (tmp_path / "here.csv").write_text(f"lat,lng\n{here}\n")
    (tmp_path / "doors.csv").write_text(f"lat,lng,access_lat,access_lng\n{door},{bay}\n{door},,\n")
    matrix = json.loads(
        halfhour(
            "roads", "matrix", file, "--origins", tmp_path / "here.csv", "--destinations", tmp_path / "doors.csv",
            "--profile", "car", "--json",
        )
    )  # fmt: skip
    assert matrix["walk_metres"]["to"] == [[70.0, 30.0]]
    assert matrix["seconds"][0][0] == pytest.approx(told["seconds"], abs=0.01)
