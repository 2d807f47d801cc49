"""The judge of routes over raw tags: it agrees with a lawful network, and finds what an unlawful one breaks."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.roads.lawful import Judged
from routing.roads import RoadNetwork
from tests.kit.roads.streetmap import StreetMap

DRAWING = "\n".join(["A B C D", "E F G H", "I J K L"])
STREETS = ["ABCD", "EFGH", "IJKL", "AEI", "BFJ", "CGK", "DHL"]


def picture(nodes: dict[str, dict[str, str]], tags: dict[str, dict[str, str]], turns: bool) -> StreetMap:
    ways = [(letters, {"highway": "residential", **tags.get(letters, {})}) for letters in STREETS]
    over_ways = [("AEI", "EFGH", "DHL", {"restriction": "no_u_turn"})]
    at_node = [
        ("EFGH", "F", "BFJ", {"restriction": "no_left_turn"}),
        ("CGK", "G", "EFGH", {"restriction": "only_right_turn"}),
    ]
    return StreetMap(DRAWING, ways, nodes, [*at_node, *over_ways] if turns else [])


LAWS = {
    "turns": ({}, {}, True),
    "gates": ({"F": {"barrier": "bollard"}, "G": {"barrier": "gate", "access": "private"}}, {}, False),
    "ends": ({}, {"EFGH": {"access": "destination"}, "BFJ": {"motor_vehicle": "private"}}, False),
    "oneway": ({}, {"EFGH": {"oneway": "yes"}, "CGK": {"oneway": "-1"}}, False),
    "shut": ({}, {"EFGH": {"motor_vehicle": "no"}}, False),
}
HOURS = "@ (Mo-Fr 07:00-09:00, Sa 10:00-12:00)"
BY_HOURS = {
    "EFGH": {"motor_vehicle:conditional": f"delivery {HOURS}", "maxspeed:conditional": "80 @ (20:00-06:00)"},
    "BFJ": {"oneway:conditional": f"yes {HOURS}"},
    "CGK": {"access:conditional": f"no {HOURS}", "motor_vehicle:conditional": "yes @ (08:00-08:15)"},
    "AEI": {"maxspeed:backward:conditional": f"10 {HOURS}; 50 @ (Sa 11:00-11:30)"},
}


@pytest.mark.parametrize("time", ["", "We 08:30", "We 08:10", "Sa 11:15", "Su 21:00"])
def test_a_network_by_the_hour_is_found_lawful_and_as_fast(tmp_path: Path, time: str) -> None:
    gate = {"K": {"barrier": "gate", "motor_vehicle:conditional": f"no {HOURS}"}}
    file = picture(gate, BY_HOURS, False).write(tmp_path / "a.osm")
    judged = Judged(file, clock_time=time)
    assert judged.goes_by_hours
    told = judged.compare(30, 1)
    assert told["streets_of_one_alone"] == []
    assert told["reached_by_one_alone"] == 0
    assert 0.999 < told["best"] <= told["worst"] < 1.001
    assert judged.judge(60, 2)["break_something"] == 0
    assert judged.goes_by_hours


def test_a_network_that_knows_no_hours_is_found_out(tmp_path: Path) -> None:
    judged = Judged(picture({}, BY_HOURS, False).write(tmp_path / "a.osm"), clock_time="We 08:30")
    judged.adopt(RoadNetwork.from_osm(picture({}, {}, False).write(tmp_path / "free.osm"), profiles=("car",)))
    told = judged.judge(200, 2)
    assert told["break_something"] > 0


@pytest.mark.parametrize("law", LAWS)
def test_a_lawful_network_is_found_lawful_and_as_fast(tmp_path: Path, law: str) -> None:
    judged = Judged(picture(*LAWS[law]).write(tmp_path / "a.osm"))
    told = judged.compare(30, 1)
    assert told["streets_of_one_alone"] == []
    assert told["reached_by_one_alone"] == 0
    assert 0.999 < told["best"] <= told["worst"] < 1.001
    assert judged.judge(60, 2)["break_something"] == 0


@pytest.mark.parametrize("law", LAWS)
def test_a_network_that_knows_no_law_is_found_out(tmp_path: Path, law: str) -> None:
    judged = Judged(picture(*LAWS[law]).write(tmp_path / "a.osm"))
    judged.adopt(RoadNetwork.from_osm(picture({}, {}, False).write(tmp_path / "free.osm"), profiles=("car",)))
    told = judged.judge(200, 2)
    assert told["break_something"] > 0
    word = {"turns": "restriction", "gates": "node", "ends": "cuts", "oneway": "nobody", "shut": "nobody"}[law]
    assert any(word in why for _, _, broken in told["broken"] for why in broken), told["broken"]
