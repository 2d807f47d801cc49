"""Countries: words on speed signs, the side of traffic, and how a map says where it lies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from routing.roads import RoadNetwork
from routing.roads.source.countries import country_in, elect, of_code
from tests.kit.roads.streetmap import StreetMap

CROSSING = "\n".join(["  N  ", "W X E", "  S  "])


@pytest.mark.parametrize(
    ("code", "country", "kmh"),
    [
        ("DE:urban", "", 50.0),
        ("DE:rural", "", 100.0),
        ("UK:nsl_dual", "", 112.65),
        ("GB:urban", "", 48.28),
        ("CH:rural", "", 80.0),
        ("DE:zone:30", "", 30.0),
        ("DE:zone20", "", 20.0),
        ("ro:urban", "", 50.0),
        ("zone:30", "", 30.0),
        ("sign:urban", "", None),
        ("rural", "PL", 90.0),
        ("rural", "", None),
        ("sign", "PL", None),
        ("RO:sign", "", None),
    ],
)
def test_what_a_code_stands_for(code: str, country: str, kmh: float | None) -> None:
    assert of_code(code, country) == kmh


def test_a_map_says_its_country_by_most_of_its_codes() -> None:
    assert country_in("BE-VLG:rural") == "BE"
    assert country_in("source:survey") == ""
    assert elect(Counter({"DE": 5, "FR": 2})) == "DE"
    assert elect(Counter({"DE": 2})) == ""
    assert elect(Counter({"DE": 3, "FR": 3})) == ""


def crossing(tmp_path: Path, country: str = "", **tags: str) -> tuple[RoadNetwork, StreetMap]:
    ways = [(letters, {"highway": "residential", **tags}) for letters in ("WX", "XN", "XS", "XE")]
    picture = StreetMap(CROSSING, ways)
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=("car",), country=country)
    return city, picture


def seconds(city: RoadNetwork, picture: StreetMap, here: str, there: str) -> float:
    return float(city.travel_seconds(*(np.array([picture.at(s)]) for s in (here, there)), profile="car")[0, 0])


@pytest.mark.parametrize(
    ("country", "tags", "left"),
    [
        ("", {}, False),
        ("GB", {}, True),
        ("", {"source:maxspeed": "IE:urban"}, True),
        ("", {"driving_side": "left"}, True),
        ("DE", {"driving_side": "left"}, False),
    ],
)
def test_the_turn_across_oncoming_traffic_is_the_dear_one(
    tmp_path: Path, country: str, tags: dict[str, str], left: bool
) -> None:
    city, picture = crossing(tmp_path, country, **tags)
    assert city.streets.facts["drives_on_the_left"] == left
    to_the_left, to_the_right = (seconds(city, picture, "W-X:50", f"X-{end}:50") for end in "NS")
    assert abs(to_the_left - to_the_right) > 0.5
    assert (to_the_left < to_the_right) == left


def test_words_without_a_country_are_read_by_that_of_the_map(tmp_path: Path) -> None:
    # 100 m at .85 of 80 and of 50 km/h.
    for country, tags, kmh in (("CH", {"maxspeed:type": "rural"}, 80.0), ("CH", {"maxspeed": "urban"}, 50.0)):
        city, picture = crossing(tmp_path, country, **tags)
        assert seconds(city, picture, "W-X:10", "W-X:90") == pytest.approx(80 / (0.85 * kmh) * 3.6, abs=0.01)


def test_what_is_not_understood_is_counted(tmp_path: Path) -> None:
    city, _ = crossing(tmp_path, "", maxspeed="fast", oneway="perhaps", bicycle="yes;maybe")
    assert city.streets.facts["not_understood"] == {"maxspeed=fast": 4, "oneway=perhaps": 4}
    tags = {
        "motor_vehicle": "sometimes",
        "maxheight": "high",
        "motor_vehicle:conditional": "no @ wet",
        "surface": "odd",
    }
    city, _ = crossing_open(tmp_path, tags)
    assert city.streets.facts["not_understood"] == {
        "maxheight=high": 1,
        "motor_vehicle:conditional=no @ wet": 1,
        "motor_vehicle=sometimes": 1,
    }


def crossing_open(tmp_path: Path, tags: dict[str, str]) -> tuple[RoadNetwork, StreetMap]:
    """The crossing with one street of these tags."""
    ways = [(letters, {"highway": "residential"}) for letters in ("WX", "XN", "XE")]
    picture = StreetMap(CROSSING, [*ways, ("XS", {"highway": "residential", **tags})])
    return RoadNetwork.from_osm(picture.write(tmp_path / "b.osm"), profiles=("car",)), picture
