"""Kinds of tags, barriers and restrictions as maps have them: what each says to whom, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from routing.roads import RoadNetwork
from routing.roads.errors import UnknownProfile
from routing.roads.source.access import Access
from routing.roads.source.profiles import make_profiles, read_tables
from tests.kit.roads.streetmap import StreetMap

ALL = ("foot", "bike", "ebike", "scooter", "car")
PROFILES = {profile.name: profile for profile in make_profiles(ALL, read_tables())}
HOME = {"highway": "residential"}


def said(profile: str, tags: dict[str, str]) -> str:
    """Along and against, each o (open), e (for ends only) or - (shut, though one may walk)."""
    return "".join(
        "-" if kmh <= 0 else "e" if ends else "o" for kmh, ends in PROFILES[profile].ridden({**HOME, **tags})
    )


WAYS = [
    ("car", {"vehicle": "destination"}, "ee", "vehicle stands for cars, too"),
    ("car", {"motorcar": "customers"}, "ee", "the most special tag decides"),
    ("car", {"access": "destination;customers"}, "ee", "a list of ends stays one"),
    ("car", {"motor_vehicle": "permit;forestry"}, "ee", "the most open of a list"),
    ("car", {"motor_vehicle": "agricultural;yes"}, "oo", "the most open of a list"),
    ("car", {"motor_vehicle": "unknown;no"}, "--", "what says nothing does not open"),
    ("car", {"access": "Private"}, "ee", "capitals are letters"),
    ("car", {"motor_vehicle": " no"}, "--", "blanks are none"),
    ("car", {"access": "spaceship"}, "--", "a value nobody knows shuts"),
    ("car", {"access": "no", "bus": "yes"}, "--", "opened to buses alone"),
    ("car", {"hov": "designated", "access": "no"}, "--", "opened to full cars alone"),
    ("car", {"access": "no", "motorcar": "yes"}, "oo", "the special before the general"),
    ("car", {"vehicle": "no", "motor_vehicle": "destination"}, "ee", "the special before the general"),
    ("car", {"hgv": "no", "motorcycle": "no", "foot": "no"}, "oo", "of others"),
    ("car", {"motor_vehicle": "emergency"}, "--", "ambulances alone"),
    ("car", {"highway": "pedestrian", "access": "yes"}, "--", "access=yes alone invites no car"),
    ("car", {"highway": "pedestrian", "motor_vehicle": "yes"}, "oo", "a tag of its own does"),
    ("car", {"highway": "pedestrian", "motor_vehicle": "delivery"}, "ee", "a tag of its own does"),
    ("car", {"highway": "busway"}, "--", "buses alone"),
    ("car", {"highway": "track", "tracktype": "grade3"}, "ee", "a track is no way through"),
    ("car", {"highway": "track", "tracktype": "grade1"}, "oo", "unless it is paved"),
    ("car", {"maxheight": "4'0\""}, "--", "feet and inches: 1.22 m"),
    ("car", {"maxheight": "9'"}, "oo", "2.74 m"),
    ("car", {"maxheight": "default"}, "oo", "no number"),
    ("car", {"maxwidth": "1.5"}, "--", "too narrow"),
    ("car", {"maxheight:physical": "1.5 m"}, "--", "too low"),
    ("car", {"oneway": "1"}, "o-", "as yes"),
    ("car", {"oneway": "true"}, "o-", "as yes"),
    ("car", {"oneway": "reverse"}, "-o", "as -1"),
    ("car", {"junction": "circular"}, "o-", "implied"),
    ("car", {"highway": "motorway"}, "o-", "implied"),
    ("car", {"highway": "motorway", "oneway": "no"}, "oo", "said otherwise"),
    ("car", {"oneway:motorcar": "yes"}, "o-", "its own"),
    ("car", {"oneway:motor_vehicle": "-1"}, "-o", "its own, against"),
    ("car", {"oneway": "yes", "oneway:bus": "no"}, "o-", "of buses"),
    ("car", {"oneway": "yes", "cycleway": "opposite"}, "o-", "of bikes"),
    ("car", {"vehicle:backward": "no"}, "o-", "one direction"),
    ("car", {"motor_vehicle:backward": "no;psv"}, "o-", "one direction, a list that opens to no car"),
    ("car", {"motorcar:backward": "private"}, "oe", "one direction for ends only"),
    ("car", {"access:forward": "destination"}, "eo", "one direction for ends only"),
    ("car", {"motor_vehicle": "no", "motor_vehicle:forward": "yes"}, "o-", "a direction before both"),
    ("bike", {"motor_vehicle": "no"}, "oo", "of others"),
    ("bike", {"oneway:motorcar": "-1"}, "oo", "of others"),
    ("bike", {"access": "private", "bicycle": "yes"}, "oo", "the special before the general"),
    ("bike", {"vehicle": "destination"}, "ee", "a bike is a vehicle"),
    ("bike", {"bicycle": "use_sidepath"}, "--", "must ride beside it"),
    ("bike", {"motorroad": "yes"}, "--", "no slow traffic"),
    ("bike", {"oneway": "yes"}, "o-", "as all"),
    ("bike", {"oneway": "yes", "cycleway": "lane"}, "o-", "a lane the same way"),
    ("bike", {"oneway": "yes", "cycleway:left": "opposite_lane"}, "oo", "a lane against"),
    ("bike", {"oneway": "yes", "cycleway:right:oneway": "no"}, "oo", "a lane both ways"),
    ("bike", {"oneway": "yes", "bicycle:backward": "yes"}, "oo", "said of the direction"),
    ("bike", {"oneway": "yes", "bicycle:backward": "no"}, "o-", "said of the direction"),
    ("bike", {"oneway": "-1", "bicycle:forward": "designated"}, "oo", "said of the direction"),
    ("bike", {"oneway": "no", "oneway:bicycle": "yes"}, "o-", "its own"),
    ("bike", {"highway": "footway", "access": "yes"}, "--", "access=yes alone does not let ride on footways"),
    ("bike", {"highway": "footway", "bicycle": "designated"}, "oo", "its own"),
    ("foot", {"oneway": "yes", "junction": "roundabout"}, "oo", "one-ways are for vehicles"),
    ("foot", {"foot:backward": "no"}, "o-", "but for its own"),
    ("foot", {"access": "delivery"}, "ee", "for ends only"),
    ("foot", {"highway": "cycleway", "foot": "no"}, "--", "its own"),
    ("scooter", {"motor_vehicle": "no", "moped": "yes"}, "oo", "the special before the general"),
    ("scooter", {"highway": "cycleway", "moped": "designated"}, "oo", "a cycleway for mopeds"),
    ("scooter", {"motorroad": "yes"}, "--", "45 km/h is slow traffic"),
]


@pytest.mark.parametrize(("profile", "tags", "wanted", "why"), WAYS, ids=str)
def test_ways(profile: str, tags: dict[str, str], wanted: str, why: str) -> None:
    assert said(profile, tags) == wanted, why


GATES = [
    ("car", {"barrier": "bollard", "bollard": "rising"}, Access.OPEN, 20, "it goes down"),
    ("car", {"barrier": "bollard", "bollard": "rising", "access": "no"}, Access.SHUT, 20, "but not for all"),
    ("car", {"barrier": "bollard", "bollard": "removable"}, Access.SHUT, 0, "nobody takes it away"),
    ("car", {"barrier": "jersey_barrier"}, Access.SHUT, 0, "concrete"),
    ("car", {"barrier": "cycle_barrier"}, Access.SHUT, 0, "for bikes alone"),
    ("bike", {"barrier": "cycle_barrier"}, Access.OPEN, 0, "for bikes alone"),
    ("car", {"barrier": "lift_gate", "access": "permit"}, Access.ENDS_ONLY, 20, "at its price"),
    ("car", {"barrier": "gate", "motor_vehicle": "private"}, Access.ENDS_ONLY, 20, "at its price"),
    ("bike", {"barrier": "gate", "motor_vehicle": "private"}, Access.OPEN, 10, "not of bikes"),
    ("foot", {"barrier": "gate", "access": "private", "locked": "yes"}, Access.SHUT, 5, "locked for all"),
    ("foot", {"barrier": "gate", "access": "no", "foot": "yes"}, Access.OPEN, 5, "the special before the general"),
    ("bike", {"barrier": "bollard", "bicycle": "no"}, Access.SHUT, 0, "said"),
    ("car", {"barrier": "height_restrictor", "maxheight": "1.5"}, Access.SHUT, 0, "too low"),
    ("car", {"barrier": "height_restrictor", "maxheight": "2.1"}, Access.OPEN, 0, "high enough"),
    ("bike", {"barrier": "turnstile"}, Access.SHUT, 0, "on foot alone"),
    ("car", {"barrier": "gate", "access": "junk"}, Access.SHUT, 20, "a value nobody knows shuts"),
]


@pytest.mark.parametrize(("profile", "tags", "verdict", "seconds", "why"), GATES, ids=str)
def test_gates(profile: str, tags: dict[str, str], verdict: Access, seconds: float, why: str) -> None:
    found = PROFILES[profile].timed_gate(tags)
    assert found.verdict == verdict, why
    assert verdict == Access.SHUT or found.seconds == seconds, why


CROSS = "\n".join(["  N D", "W X E", "  S  "])
STREETS = [("WX", HOME), ("XE", HOME), ("XN", HOME), ("XS", HOME), ("ED", HOME), ("DN", HOME)]
TURNS = [
    ({"restriction": "no_left_turn"}, "XN", "car", True, "to the left"),
    ({"restriction": "no_left_turn"}, "XN", "bike", True, "restrictions are for vehicles"),
    ({"restriction": "no_left_turn"}, "XN", "foot", False, "and for nobody who walks"),
    ({"restriction": "no_entry"}, "XN", "car", True, "no_entry"),
    ({"restriction": "no_exit"}, "XN", "car", True, "no_exit"),
    ({"restriction": "only_straight_on"}, "XE", "car", True, "only on"),
    ({"restriction": "only_left_turn"}, "XN", "car", False, "only this"),
    ({"restriction": "no_left_turn", "except": "psv;bicycle"}, "XN", "bike", False, "a list of exceptions"),
    ({"restriction": "no_left_turn", "except": "psv;bicycle"}, "XN", "car", True, "a list of exceptions"),
    ({"restriction": "no_left_turn", "except": "motorcar"}, "XN", "scooter", True, "a scooter is no car"),
    ({"restriction": "no_left_turn", "except": "motor_vehicle"}, "XN", "scooter", False, "but a motor vehicle"),
    ({"restriction:motorcar": "no_left_turn"}, "XN", "scooter", False, "of cars"),
    ({"restriction:motor_vehicle": "no_left_turn"}, "XN", "scooter", True, "of all with motors"),
    ({"restriction:hgv": "no_left_turn"}, "XN", "car", False, "of trucks"),
    ({"type": "restriction:bicycle", "restriction": "no_left_turn"}, "XN", "bike", True, "of bikes"),
    ({"type": "restriction:bicycle", "restriction": "no_left_turn"}, "XN", "car", False, "of bikes"),
    ({"restriction": "no_left_turn", "restriction:bicycle": "none"}, "XN", "bike", False, "not of bikes"),
    ({"restriction:conditional": "no_left_turn @ (weight>3.5)"}, "XN", "car", False, "of trucks"),
    ({"restriction": "no_wiggle"}, "XN", "car", False, "no kind"),
]


@pytest.mark.parametrize(("tags", "last", "profile", "banned", "why"), TURNS, ids=str)
def test_turns(tmp_path: Path, tags: dict[str, str], last: str, profile: str, banned: bool, why: str) -> None:
    picture = StreetMap(CROSS, STREETS, turns=[("WX", "X", last, tags)])
    city = RoadNetwork.from_osm(picture.write(tmp_path / "a.osm"), profiles=ALL)
    way = city.path(picture.at("W-X:20"), picture.at("X-N:50"), profile=profile)
    assert (way.streets != ("WX", "XN")) == banned, why


LINE = "\n".join(["Z   F", "A B C D E", "    S G  "])
OVER = [("ZB", HOME), ("AB", HOME), ("BC", HOME), ("CD", HOME), ("DE", HOME), ("CF", HOME), ("CS", HOME), ("SGE", HOME)]
FROM, TO = ("way", 101, "from"), ("way", 104, "to")
VIA = [("way", 102, "via"), ("way", 103, "via")]


@pytest.mark.parametrize("members", [[FROM, *VIA, TO], [TO, *VIA[::-1], FROM], [VIA[1], FROM, TO, VIA[0]]], ids=str)
def test_via_ways_stand_in_any_order(tmp_path: Path, members: list[tuple[str, int, str]]) -> None:
    picture = StreetMap(LINE, OVER)
    file = picture.write(tmp_path / "a.osm")
    listed = "".join(f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members)
    tags = '<tag k="type" v="restriction"/><tag k="restriction" v="no_straight_on"/>'
    text = file.read_text().replace("</osm>", f'<relation id="990" version="1">{listed}{tags}</relation></osm>')
    file.write_text(text)
    city = RoadNetwork.from_osm(file, profiles=("car",))
    ways = {start: city.path(picture.at(start), picture.at("D-E:20"), profile="car").streets for start in ("A", "Z")}
    assert "CS" in ways["A"], "from AB over BC and CD not into DE: round by S and G"
    assert ways["Z"][-2:] == ("CD", "DE"), "from elsewhere one may"


@pytest.mark.parametrize(
    ("text", "named", "near"),
    [
        ("[carr.kmh]\nresidential = 20\n", "carr", "car"),
        ("[car.kmh]\nresidentiall = 20\n", "residentiall", "residential"),
        ('[bike.values]\ncustomer = "open"\n', "customer", "customers"),
        ("[car]\nmaxspeed_shares = 0.9\n", "maxspeed_shares", "maxspeed_share"),
    ],
)
def test_a_slip_in_a_profile_file_is_told_with_the_nearest_word(
    tmp_path: Path, text: str, named: str, near: str
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UnknownProfile, match=named) as caught:
        make_profiles(("car",), read_tables(file))
    assert f"Did you mean {near}?" in (caught.value.hint or "")


def test_a_class_of_ones_own_is_no_slip(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[car.kmh]\nraceway = 90\n[car.values]\nneighbours = "ends"\n')
    (car,) = make_profiles(("car",), read_tables(file))
    assert car.speeds({"highway": "raceway"}) == (90.0, 90.0)
    assert car.ways({"highway": "residential", "access": "neighbours"})[0][1]
