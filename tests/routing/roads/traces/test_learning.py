"""Speeds learnt from simulated traces: right where twenty passed, silent where none did."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from benchmarks.roads.drives import Drive
from routing.roads import RoadNetwork, SpeedRule
from routing.roads.traces.learning import Learnt, learn, shrunk
from routing.roads.traces.speeds_file import speeds_file
from routing.roads.traces.trace import Trace
from routing.roads.traffic.traffic_file import parse_traffic
from tests.kit.roads.streetmap import StreetMap

MORNING, EVENING = 8 * 3600, 18 * 3600
TRUE = {("primary", 8): 0.5, ("residential", 8): 0.7, ("primary", 18): 1.2, ("residential", 18): 1.0}
MAP = StreetMap(
    "\n".join(["A B C D E F G", "H I J K L M N", "O P Q R S T U"]),
    [
        ("ABCDEFG", {"highway": "primary"}),
        ("HIJKLMN", {"highway": "residential"}),
        ("OPQRSTU", {"highway": "tertiary"}),
        *((letters, {"highway": "residential"}) for letters in ("AH", "CJ", "EL", "GN", "HO", "NU")),
    ],
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> RoadNetwork:
    return RoadNetwork.from_osm(MAP.write(tmp_path_factory.mktemp("map") / "a.osm"), profiles=("car",))


def traces(city: RoadNetwork, many: int) -> list[tuple[str, Trace]]:
    random = np.random.default_rng(5)
    found = []
    for hour in (8, 18):
        truth = city.twin()
        truth.update_speeds([SpeedRule(f, classes=(c,)) for (c, h), f in TRUE.items() if h == hour])
        for k in range(many):
            ends = [MAP.at(spot) for spot in (("A", "N"), ("H-I:50", "M-N:50"), ("G", "I"))[k % 3]]
            drive = Drive(truth, *ends, "car")
            begins_at = hour * 3600 + k * 86_400.0
            found.append(("car", drive.seen(f"{hour} {k}", begins_at, every_s=8, error_m=6, random=random)))
    return found


@pytest.fixture(scope="module")
def learnt(city: RoadNetwork) -> list[Learnt]:
    return learn(city, traces(city, 66), slot_s=3600)[0]


def test_speeds_come_back_where_twenty_passed(learnt: list[Learnt]) -> None:
    found = {(each.road_class, each.slot): each for each in learnt}
    for key, factor in TRUE.items():
        assert found[key].traces > 20
        assert found[key].factor == pytest.approx(factor, rel=0.1), key


def test_nothing_is_invented_where_none_passed(learnt: list[Learnt]) -> None:
    assert {each.slot for each in learnt} == {8, 18}
    assert "tertiary" not in {each.road_class for each in learnt}


def test_the_file_says_what_was_learnt(city: RoadNetwork, learnt: list[Learnt]) -> None:
    text = speeds_file(learnt, slot_s=3600, timezone="", traces=50)
    table = parse_traffic(text, city.streets, "speeds.toml")
    told = city.twin()
    told.set_traffic(table)
    ends = MAP.at("A-B:10"), MAP.at("F-G:90")
    plain = city.path(*ends, profile="car").seconds
    assert told.path(*ends, profile="car", at=MORNING + 60).seconds > 1.8 * plain
    assert told.path(*ends, profile="car", at=EVENING + 60).seconds < 0.95 * plain
    assert told.path(*ends, profile="car", at=12 * 3600).seconds == plain
    assert len(tomllib.loads(text)["speed"]) == len(learnt)


def test_slots_go_by_the_clocks_of_the_zone(city: RoadNetwork) -> None:
    one = traces(city, 1)[:1]
    assert {each.slot for each in learn(city, one, slot_s=3600, timezone="Europe/Helsinki")[0]} == {10}


def test_few_traces_are_drawn_towards_what_was_known(city: RoadNetwork, learnt: list[Learnt]) -> None:
    few = [each for each in learn(city, traces(city, 1), slot_s=3600)[0] if each.road_class == "primary"]
    many = [each for each in learnt if each.road_class == "primary"]
    for less, more in zip(few, many, strict=True):
        assert abs(np.log(less.factor / less.seen)) > abs(np.log(more.factor / more.seen))


def test_shrinking() -> None:
    """Two traces at half the speed weigh as much as the prior: the geometric middle."""
    found = shrunk(np.array([0.5, 0.5, 0.5]), np.array([0.0, 2.0, 1e9]), 1.0)
    assert found == pytest.approx([1.0, 0.5**0.5, 0.5])


def test_the_same_traces_teach_the_same(city: RoadNetwork, learnt: list[Learnt]) -> None:
    assert learn(city, traces(city, 66), slot_s=3600)[0] == learnt
