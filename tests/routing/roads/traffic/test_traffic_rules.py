"""Rules of traffic as users write them: closures, speeds, directions, days, zones, and what matches nothing."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InvalidInput
from routing.roads import RoadNetwork, SpeedRule
from routing.roads.traffic.traffic_file import parse_traffic
from tests.routing.roads.test_streetmap import CAR_S, ring

TUESDAY, MONDAY = 1_700_000_000, 1_699_913_600
"""22:13 in UTC on a Tuesday and on the day before."""
# In a table "P" is the street P-Q (way 100), the middle Q-R is way 101, R-S 102, and 103 the way round.


@pytest.fixture
def city(tmp_path: Path) -> RoadNetwork:
    return RoadNetwork.from_osm(ring({}).write(tmp_path / "a.osm"), profiles=("car", "foot"))


def seconds(city: RoadNetwork, here: str, there: str, profile: str = "car", at: int | None = TUESDAY) -> float:
    ends = (np.array([ring({}).at(spot)]) for spot in (here, there))
    return float(city.travel_seconds(*ends, profile=profile, at=at)[0, 0])


def table(city: RoadNetwork, text: str) -> RoadNetwork:
    city.set_traffic(parse_traffic("starts_at = 00:00:00\n" + text, city.streets, "t.toml"))
    return city


def test_closed_streets_are_driven_round_and_left(city: RoadNetwork) -> None:
    assert seconds(city, "P", "S") == pytest.approx(3 * CAR_S, abs=0.1)
    table(city, "[[speed]]\nways = [101]\nclosed = true\n")
    assert seconds(city, "P", "S") == pytest.approx(5 * CAR_S, abs=0.1)
    # Who stands inside drives out, on either side; nobody gets in, but to its ends.
    assert seconds(city, "Q-R:40", "P") == pytest.approx(1.4 * CAR_S, abs=0.1)
    assert seconds(city, "Q-R:40", "S") == pytest.approx(1.6 * CAR_S, abs=0.1)
    assert seconds(city, "P", "Q-R:50") == np.inf


def test_who_stands_deep_in_a_closed_area_drives_out_through_it(city: RoadNetwork) -> None:
    city.update_speeds([SpeedRule(1.0, ways=(100, 101), closed=True)])
    # From the middle street over the closed P-Q to the way round, and never back in.
    assert seconds(city, "Q-R:50", "P-T:50", at=None) == pytest.approx(2.0 * CAR_S, abs=0.1)
    assert seconds(city, "P-T:50", "Q-R:50", at=None) == np.inf


def test_a_direction_alone(city: RoadNetwork) -> None:
    table(city, '[[speed]]\nways = [101]\ndirection = "forward"\nfactor = 0.8\n')
    assert seconds(city, "P", "S") == pytest.approx(2 * CAR_S + CAR_S / 0.8, abs=0.1)
    assert seconds(city, "S", "P") == pytest.approx(3 * CAR_S, abs=0.1)
    city.update_speeds([SpeedRule(1.0, ways=(101,), direction="backward", closed=True)])
    assert seconds(city, "S", "P") == pytest.approx(5 * CAR_S, abs=0.1)


def test_kilometres_an_hour(city: RoadNetwork) -> None:
    table(city, "[[speed]]\nways = [101]\nkmh = 20\n")
    assert seconds(city, "P", "S") == pytest.approx(2 * CAR_S + 18, abs=0.1)
    # Without profiles it is the most that anybody drives: who walks at 5 km/h walks on.
    assert seconds(city, "P", "S", "foot") == pytest.approx(3 * 72, abs=0.1)
    table(city, '[[speed]]\nways = [101]\nkmh = 50\nprofiles = ["car"]\n')
    assert seconds(city, "P", "S") == pytest.approx(2 * CAR_S + 7.2, abs=0.1)


def test_days_by_the_clock_of_a_zone(city: RoadNetwork) -> None:
    table(city, '[[speed]]\ndays = ["mon"]\nfactor = 0.5\n')
    assert seconds(city, "P", "S", at=MONDAY) == pytest.approx(6 * CAR_S, abs=0.1)
    assert seconds(city, "P", "S", at=TUESDAY) == pytest.approx(3 * CAR_S, abs=0.1)
    # In Tokyo it is Tuesday already when it is 22:13 on Monday in UTC.
    table(city, 'timezone = "Asia/Tokyo"\n[[speed]]\ndays = ["mon"]\nfactor = 0.5\n')
    assert seconds(city, "P", "S", at=MONDAY) == pytest.approx(3 * CAR_S, abs=0.1)
    assert seconds(city, "P", "S", at=MONDAY - 43_200) == pytest.approx(6 * CAR_S, abs=0.1)


def test_a_zone_holds_for_what_it_touches(city: RoadNetwork) -> None:
    (a, west), (_, east) = ring({}).at("Q-R:30"), ring({}).at("Q-R:60")
    corners = [[a - 1e-4, west], [a - 1e-4, east], [a + 1e-4, east], [a + 1e-4, west]]
    table(city, f'[zones]\nz = {corners}\n[[speed]]\nzone = "z"\nfactor = 0.5\n')
    assert seconds(city, "P", "S") == pytest.approx(4 * CAR_S, abs=0.1)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("ways = [101, 99999]\nfactor = 0.5", "1 of its ways are not in this city: 99999"),
        ('class = ["motorway", "residential"]\nfactor = 0.5', "no street is a motorway"),
        ("ways = [99999]\nfactor = 0.5", "99999.*\n.*it selects 0 edges"),
        ('class = ["motorway"]\nclosed = true', "no street is a motorway\n.*it selects 0 edges"),
        ('zone = "far"\nfactor = 0.5', r"0 edges .the corners of a zone are .lat, lng.."),
    ],
)
def test_what_matches_in_part_or_nothing_is_told(
    city: RoadNetwork, caplog: pytest.LogCaptureFixture, rule: str, told: str
) -> None:
    with caplog.at_level(logging.WARNING):
        table(city, f"[zones]\nfar = [[20, 0], [20.1, 0], [20.1, 0.1]]\n[[speed]]\n{rule}\n")
    assert len(caplog.records) == 1 + (told.endswith("it selects 0 edges"))
    assert re.search(told, caplog.text)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("ways = []\nfactor = 0.5", "ways is empty"),
        ("ways = [101.7]\nfactor = 0.5", "whole numbers"),
        ("ways = [101]\nfactor = 0", "above zero"),
        ("factor = 100", "10 at most"),
        ("factor = 0.5\nkmh = 20", "one of factor, kmh and closed"),
        ("ways = [101]", "one of factor, kmh and closed"),
        ("closed = false", "closed is true"),
        ("kmh = 0", "above zero"),
        ('direction = "up"\nfactor = 0.5', "forward or backward"),
        ('days = ["someday"]\nfactor = 0.5', "days is a list of mon"),
    ],
)
def test_rules_that_are_refused(city: RoadNetwork, rule: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        table(city, f"[[speed]]\n{rule}\n")
    assert caught.value.details["file"] == "t.toml"


def test_an_unknown_time_zone(city: RoadNetwork) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        table(city, 'timezone = "Mars/Base"\n[[speed]]\nfactor = 0.5\n')


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[speed]\nfactor = 0.5\n", "a list of tables"),
        ('speed = "slow"\n', "a list of tables"),
        ("[[speeds]]\nways = [101]\nfactor = 0.5\n", "unknown key 'speeds'"),
        ("ways = [101]\nclosed = true\n", "unknown key"),
        ("[[speed]]\nways = [99999]\ndirection = 'up'\nfactor = 0.5\n", "forward or backward"),
        ("zones = 3\n", "zones is a table"),
        ("[[speed]]\nways = [99999999999999999999]\nfactor = 0.5\n", "no number that streets have"),
        ("[[speed]]\nedges = [99999999999999999999]\nfactor = 0.5\n", "no number that streets have"),
        ("[[speed]]\nclass = []\nfactor = 0.5\n", "class is empty"),
        ("[[speed]]\nprofiles = []\nfactor = 0.5\n", "profiles is empty"),
        ("[[speed]]\nclass = 5\nfactor = 0.5\n", "a name or a list of names"),
        ("[[speed]]\nkmh = 1000\n", "300 km/h at most"),
        ("[[speed]]\nclosed = true\n", "closes the whole city"),
        ("[[speed]]\nways = [101]\nclosed = false\n", "closed is true"),
    ],
)
def test_what_would_mean_the_whole_city_or_nothing_is_refused(city: RoadNetwork, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        table(city, text)


def test_one_name_needs_no_list(city: RoadNetwork) -> None:
    table(city, '[[speed]]\nclass = "residential"\nprofiles = "car"\nfactor = 0.5\n')
    assert seconds(city, "P", "S") == pytest.approx(6 * CAR_S, abs=0.1)


def test_a_rule_of_elsewhere_leaves_the_others(city: RoadNetwork) -> None:
    """Closures of a whole country, one rule each: those of other places are passed over."""
    both = "[[speed]]\nways = [99999]\nclosed = true\n[[speed]]\nways = [101]\nclosed = true\n"
    table(city, both)
    found = seconds(city, "P", "S")
    table(city, "[[speed]]\nways = [101]\nclosed = true\n")
    assert found == seconds(city, "P", "S")


def test_an_empty_table_is_told(city: RoadNetwork, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table(city, "slot_s = 900\n")
    assert "has no rule" in caplog.text
