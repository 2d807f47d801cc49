"""Days on streets: truth beside estimate, maps with their attribution, and the commands that make them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import halfhour as facade
from dispatch.events import OrderMoved, RouteRevised, TravelAdopted
from dispatch.inputs import RoundSolved
from dispatch.model import OrderState
from dispatch.record.travel_spec import RoadsSpec
from halfhour.policies import choose
from halfhour.replaying import opened
from halfhour.streets import ScenarioStreets
from routing.roads import RoadNetwork, SpeedRule
from routing.roads.errors import TooFarFromRoad, UnknownProfile
from sim.invent.city_plan import all_ways, plan_city
from sim.invent.ground import streets_of
from sim.sources import open_scenario
from sim.sources.folder_writer import write_folder
from tests.kit.data import folder, needs_data
from tests.kit.days import lived
from tests.kit.roads.drawing import draw

TOWN = """
    S-A-B-C-D
    .   .
    E.F.G
"""
"""S to D: 400 m of main street, 30 s by car (48 km/h); a slower lane leads round S-A-B."""

NOON = 1_772_539_200
"""12:00 UTC on 3 March 2026."""


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """One order from S to D, one rider at S in a car; a store stop takes 0 s, the door 20 s."""
    town = draw(TOWN)
    where = tmp_path / "day"
    where.mkdir()
    town.network.save(where / "town.npz")
    (where / "scenario.toml").write_text(
        'format = 2\nname = "one order"\nframe = "wgs84"\nday = 2026-03-03\ntime_zone = "UTC"\n'
        '[settings]\n"rules.round_s" = 10\n"rules.round_mode" = "beat"\n"reposition.max_trip_s" = 0\n'
        '[travel]\nkind = "roads"\nfile = "town.npz"\nprofiles = { rider = "car" }\n'
    )
    lat, lng = town.at("S")
    (where / "stores.csv").write_text(f"store_id,lat,lng\ns,{lat},{lng}\n")
    (where / "riders.csv").write_text(
        f"rider_id,lat,lng,profile,start_at,last_pickup_at,end_at\nr,{lat},{lng},rider,11:00:00,14:00:00,15:00:00\n"
    )
    lat, lng = town.at("D")
    (where / "orders.csv").write_text(
        "order_id,store_id,lat,lng,placed_at,ready_at,due_at,enter_s,exit_s\n"
        f"o,s,{lat},{lng},12:00:00,12:00:00,12:01:30,20,0\n"
    )
    return where


JAM = "starts_at = 00:00:00\nslot_s = 3600\n[[speed]]\nfrom = 12:00:00\nto = 13:00:00\nfactor = 0.25\n"


def jammed(day: Path) -> Path:
    """The same day, all streets four times slower from noon on, and nobody told the engine."""
    (day / "jam.toml").write_text(JAM)
    with (day / "scenario.toml").open("a") as text:
        text.write('\n[truth.travel]\nkind = "roads"\nfile = "town.npz"\ntraffic = "jam.toml"\n')
        text.write('profiles = { rider = "car" }\n')
    return day


def lived_through(day: Path):
    """Expected drop at first telling, drop, leg seconds and metres told, of the one order."""
    scenario, _ = opened(day)
    run, heard = lived(scenario, choose("halfhour", recipe="insertion").policy)
    expected = leg = metres = done_at = None
    for _, events in heard:
        for event in events:
            if isinstance(event, RouteRevised) and expected is None and event.route.stops:
                drop = event.route.stops[-1]
                expected, leg, metres = drop.expected_act_at, drop.leg_s, drop.leg_m
            if isinstance(event, OrderMoved) and event.state is OrderState.DELIVERED:
                done_at = event.happened_at
    return run, expected - NOON, done_at - NOON, leg, metres


def test_a_day_beside_other_streets_is_refused_before_it_begins(day: Path, tmp_path: Path) -> None:
    RoadNetwork.from_arrays([10.0, 10.001], [10.0, 10.0], [0], [1], profiles=("car",)).save(tmp_path / "elsewhere.npz")
    with pytest.raises(TooFarFromRoad, match="none of the 3 places lies within 500 m of a street"):
        facade.replay(day, roads=tmp_path / "elsewhere.npz", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_expected_comes_true_where_truth_is_the_estimate(day):
    run, expected, done, leg, metres = lived_through(day)
    assert (leg, metres) == (30, 400)
    assert done == expected
    assert run.folded.summary()["on_time_share"] == 1.0
    (rider,) = run.folded.riders.values()
    assert (rider.driven_s, rider.driven_m) == (30, 400)


def test_a_jam_that_nobody_told_the_engine_of_makes_riders_late(day):
    _, expected, done, _, _ = lived_through(day)
    run, as_before, later, leg, metres = lived_through(jammed(day))
    # The engine expects what it did, from the same table; the way takes 120 s instead of 30.
    assert (as_before, leg, metres) == (expected, 30, 400)
    assert later == done + 90
    assert run.folded.summary()["on_time_share"] == 0.0
    (rider,) = run.folded.riders.values()
    assert rider.driven_s == 120


def test_the_engine_hears_version_digest_and_names_of_the_table_it_plans_with(day):
    scenario, _ = opened(jammed(day))
    _, heard = lived(scenario, choose("halfhour", recipe="insertion").policy)
    (adopted,) = [event for _, events in heard for event in events if isinstance(event, TravelAdopted)]
    places = scenario.catalogue.places
    believed, true = (spec.bind(places) for spec in (scenario.catalogue.travel, scenario.reality.travel))
    assert (adopted.version, adopted.digest, adopted.profiles) == (believed.version, believed.digest, ("rider",))
    assert believed.digest != true.digest
    assert any(isinstance(item, RoundSolved) for item, _ in heard)


def test_believed_and_true_conditions_on_the_command_line(day, halfhour, tmp_path):
    (tmp_path / "jam.toml").write_text(JAM)
    runs = {
        "plain": (),
        "unknown": ("--true-traffic", tmp_path / "jam.toml"),
        "known": ("--traffic", tmp_path / "jam.toml"),
        "wet": ("--true-weather", "rain"),
        "elsewhere": ("--roads", day / "town.npz", "--true-weather", "rain"),
    }
    click = {}
    for name, words in runs.items():
        done = halfhour("replay", day, "--recipe", "insertion", "--out", tmp_path / name, "--json", *words)
        assert done.status == 0, done.err
        click[name] = json.loads(done.out)["click_to_door_mean_s"]
    assert click["unknown"] == click["known"] == click["plain"] + 90
    assert click["plain"] < click["wet"] == click["elsewhere"] < click["unknown"]
    for words in (("--weather", "frogs"), ("--true-traffic", tmp_path / "nowhere.toml")):
        refused = halfhour("replay", day, "--out", tmp_path / "refused", *words)
        assert refused.status == 2 and "Traceback" not in refused.err
    assert not (tmp_path / "refused").exists()


def test_traffic_needs_streets(small_day, halfhour, tmp_path):
    refused = halfhour("replay", small_day, "--true-weather", "rain", "--out", tmp_path / "run")
    assert refused.status == 2 and "[bad_option]" in refused.err and "--roads" in refused.err


def test_riders_without_a_name_of_the_network_take_what_fits(tmp_path, small_day):
    town = draw(TOWN, profiles=("bike", "car"))
    town.network.save(tmp_path / "town.npz")
    scenario, _ = opened(small_day)
    riders = scenario.catalogue.riders
    spec = RoadsSpec(str(tmp_path / "town.npz"))
    assert spec.for_riders(riders[:0]) == spec
    assert spec.bind(scenario.catalogue.places).profiles == ("bike", "car")
    named = [dataclasses.replace(riders[0], profile=name) for name in ("default", "motorcycle", "bike")]
    assert spec.for_riders(named).profiles == {"bike": "bike", "default": "bike", "motorcycle": "car"}
    stranger = [dataclasses.replace(riders[0], profile="sleigh")]
    assert spec.for_riders(stranger, anyhow=True).profiles == {"sleigh": "bike"}
    with pytest.raises(UnknownProfile, match="sleigh"):
        spec.for_riders(stranger).bind(scenario.catalogue.places)


def test_the_invented_city_as_a_road_network_has_the_ways_of_its_matrix():
    plan = plan_city(7)
    network, ways = streets_of(plan), all_ways(plan)
    every = np.arange(len(plan.x))
    for row, profile in enumerate(ways.profiles):
        seconds = network.travel_ms(every, every, profile=profile) / 1000
        # The matrix counts tenths of a second on every street: half a tenth on each of some dozens.
        assert np.abs(seconds - ways.seconds[row]).max() < 2.5
    network.set_weather("rain")
    assert network.travel_ms([0], [len(every) - 1], profile="bike")[0, 0] / 1000 > ways.seconds[0, 0, -1]


def test_a_day_on_the_streets_of_a_city_file(halfhour, tmp_path):
    city, day, run = tmp_path / "town.npz", tmp_path / "lunch", tmp_path / "run"
    assert halfhour("roads", "build", "--invented", 7, "--out", city).status == 0
    words = ("--roads", city, "--orders", 40, "--riders", 8, "--stores", 5, "--hours", 0.5, "--seed", 3)
    assert halfhour("scenario", "new", day, *words).status == 0
    again = tmp_path / "again"
    assert halfhour("scenario", "new", again, *words).status == 0
    for name in ("orders.csv", "riders.csv", "stores.csv", "scenario.toml"):
        assert (day / name).read_bytes() == (again / name).read_bytes()
    replayed = halfhour("replay", day, "--recipe", "insertion", "--out", run, "--json")
    summary = json.loads(replayed.out)
    assert summary["delivered"] == 40 and summary["driven_m_per_order"] > 300
    report, drawn = (run / "report.html").read_text(), json.loads((run / "map.geojson").read_text())
    assert '<p class="credit">Invented city, seed 7</p>' in report
    assert drawn["attribution"] == "Invented city, seed 7"
    assert sum(len(each["geometry"]["coordinates"]) for each in drawn["features"]) > 300
    # Asked of another network, the same day shows that one's streets.
    elsewhere = facade.replay(day, roads=city, policy="nearest", out=tmp_path / "other")
    assert "Invented city, seed 7" in (elsewhere.path / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--near", "45,9"), "bad_option"),
        (("--roads", "nowhere.npz"), "unreadable_file"),
        (("--roads", "TOWN", "--near", "10,10"), "no_roads"),
        (("--roads", "TOWN", "--near", "somewhere"), "invalid_points"),
    ],
)
def test_a_day_that_cannot_be_invented(words, code, halfhour, tmp_path):
    streets_of(plan_city(3, width_m=1_500, height_m=1_500)).save(tmp_path / "town.npz")
    given = [str(tmp_path / "town.npz") if word == "TOWN" else word for word in words]
    refused = halfhour("scenario", "new", tmp_path / "day", *given)
    assert refused.status == 2 and f"[{code}]" in refused.err
    assert not (tmp_path / "day").exists()


def test_traffic_and_weather_travel_with_a_scenario_folder(day, tmp_path):
    scenario, _ = opened(jammed(day))
    write_folder(tmp_path / "copy", scenario)
    copy = open_scenario(tmp_path / "copy")
    places = scenario.catalogue.places
    assert copy.reality.travel.bind(places).digest == scenario.reality.travel.bind(places).digest
    assert copy.catalogue.travel.bind(places).digest == scenario.catalogue.travel.bind(places).digest
    assert copy.reality.travel.profiles == {"rider": "car"}


@needs_data
@pytest.mark.data
@pytest.mark.parametrize("city", ["porto", "heidelberg"])
def test_a_lunch_peak_on_real_streets(city, halfhour, tmp_path):
    network = RoadNetwork.from_osm(folder("osm", f"{city}.osm.pbf"), profiles=("bike", "scooter"))
    network.save(tmp_path / "city.npz")
    words = ("--orders", 40, "--riders", 12, "--stores", 6, "--hours", 0.5)
    assert halfhour("scenario", "new", tmp_path / "day", "--roads", tmp_path / "city.npz", *words).status == 0
    done = facade.replay(tmp_path / "day", recipe="insertion", out=tmp_path / "run", true_weather="rain")
    assert done.summary["delivered"] == 40
    assert done.summary["driven_m_per_order"] > 500
    assert '<p class="credit">© OpenStreetMap contributors' in (tmp_path / "run" / "report.html").read_text()
    drawn = json.loads((tmp_path / "run" / "map.geojson").read_text())
    assert sum(len(each["geometry"]["coordinates"]) for each in drawn["features"]) > 1000


def test_how_riders_travel_on_other_streets_is_noted(small_day, tmp_path):
    streets_of(plan_city(3, width_m=1_500, height_m=1_500)).save(tmp_path / "town.npz")
    scenario, _ = opened(small_day)
    strangers = tuple(dataclasses.replace(rider, profile="sleigh") for rider in scenario.catalogue.riders)
    scenario = dataclasses.replace(scenario, catalogue=dataclasses.replace(scenario.catalogue, riders=strangers))
    scenario, drawn = opened(scenario, ScenarioStreets(roads=tmp_path / "town.npz"))
    assert scenario.notes == ("riders of profile sleigh travel as scooter",)
    assert drawn is not None and drawn["attribution"] == "Invented city, seed 3"


def test_reported_speeds_are_a_new_version(tmp_path):
    town = draw(TOWN)
    before = town.network.digest
    version = town.network.update_speeds([SpeedRule(0.5)])
    assert (version, town.network.version) == (2, 2) and town.network.digest != before
