"""News of traffic under a table that is in use: the old state answers until the new one is taken."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest

from routing.errors import InvalidInput
from routing.places import PlaceBook
from routing.roads import RoadNetwork, SpeedRule, TrafficNews, TrafficTable, road_travel
from routing.roads.errors import InvalidSpeed, InvalidTraffic, UnknownProfile
from tests.kit.roads.drawing import Drawn, draw
from tests.kit.roads.graphs import random_city

TOWN = """
    A-B-C
    .   |
    D.E-F
"""
USUAL = "slot_s = 3600\n[[speed]]\nfrom = 08:00:00\nto = 09:00:00\nfactor = 0.5\n"
EIGHT = 8 * 3600


@pytest.fixture
def town() -> Drawn:
    return draw(TOWN)


def corner(town: Drawn, *spots: str) -> PlaceBook:
    places = PlaceBook("wgs84")
    for spot in spots:
        places.add(*town.at(spot))
    return places


def test_news_make_a_table_of_their_own_and_leave_the_other_as_it_is(town: Drawn) -> None:
    handles = np.arange(2, dtype=np.int32)
    times = road_travel(town.network, corner(town, "A", "C"), ("car",))
    free = times.table(handles, handles, 0)
    jam = times.under(TrafficNews((SpeedRule(0.5),)))
    jam.get_ready_for(0, times)
    # What the other was asked for is ready, and no place is snapped again.
    assert jam.network.state.is_ready("car", 0)
    # A to C by car: 2 x 100 m at 50 km/h x .85 shares; half as fast is twice as long, to the second.
    assert jam.table(handles, handles, 0)[0, 0, 1] == pytest.approx(2 * free[0, 0, 1], abs=1)
    assert jam.snaps_renewed == times.snaps_renewed == 2
    np.testing.assert_array_equal(times.table(handles, handles, 0), free)
    assert jam.digest != times.digest
    assert times.under(TrafficNews()).digest == times.digest


def test_weather_and_table_replace_those_of_the_opening(town: Drawn) -> None:
    network = town.network
    network.set_weather("rain")

    def seconds(news: TrafficNews, at: int) -> float:
        other = Drawn(network.twin(news.conditions(network)), town.node)
        return other.seconds("A", "B", at=at)

    wet, dry = seconds(TrafficNews(), 0), seconds(TrafficNews(weather=""), 0)
    assert dry < wet
    assert seconds(TrafficNews(weather="snow"), 0) > wet
    assert seconds(TrafficNews(weather="", table=USUAL), EIGHT) == pytest.approx(2 * dry, abs=0.002)
    assert seconds(TrafficNews(weather="", table=USUAL), 0) == dry
    assert seconds(TrafficNews(weather="", table=""), EIGHT) == dry


def test_news_survive_json(town: Drawn) -> None:
    zone = ((41.0, -8.1), (41.0, -7.9), (41.1, -7.9))
    news = TrafficNews(
        (SpeedRule(0.5, ("car",), ("primary",), zone), SpeedRule(2, edges=(0, 1), ways=())), "rain", USUAL
    )
    again = TrafficNews.from_json(json.loads(json.dumps(news.as_json())))
    assert again == news
    assert again.conditions(town.network) == news.conditions(town.network)
    assert road_travel(town.network, corner(town, "A"), ("car",)).under(again).digest == (
        road_travel(town.network, corner(town, "A"), ("car",)).under(news).digest
    )


@pytest.mark.parametrize(
    ("news", "kind", "field"),
    [
        (TrafficNews((SpeedRule(1.0), SpeedRule(0.0))), InvalidSpeed, "speeds[1].factor"),
        (TrafficNews((SpeedRule(float("nan")),)), InvalidSpeed, "speeds[0].factor"),
        (TrafficNews((SpeedRule(1.0, classes=("canal",)),)), InvalidTraffic, "speeds[0]"),
        (TrafficNews((SpeedRule(1.0, edges=(99,)),)), InvalidTraffic, "speeds[0]"),
        (TrafficNews((SpeedRule(1.0, ways=(12345,)),)), InvalidTraffic, "speeds[0]"),
        (TrafficNews((SpeedRule(1.0, profiles=("tram",)),)), UnknownProfile, "speeds[0]"),
        (TrafficNews(weather="frogs"), InvalidTraffic, "weather"),
        (TrafficNews(table="slot_s = "), InvalidInput, "table"),
        (TrafficNews(table="[[speed]]\nfactor = -1\n"), InvalidSpeed, "speed[0].factor"),
    ],
)
def test_news_that_cannot_be(town: Drawn, news: TrafficNews, kind: type, field: str) -> None:
    with pytest.raises(kind) as caught:
        news.conditions(town.network)
    assert caught.value.details["field"] == field


def test_a_table_is_taken_though_it_does_not_reach_back(town: Drawn) -> None:
    """Readers asked for an instant that no slot of the new table holds: the swap goes through all the same."""
    network = town.network
    node = [town.node["A"]], [town.node["B"]]
    network.travel_ms(*node, profile="car", at=100)
    network.set_traffic(TrafficTable(1000, 300, ((), (SpeedRule(0.5),))))
    assert (
        network.travel_ms(*node, profile="car", at=1300)[0, 0]
        == 2 * network.travel_ms(*node, profile="car", at=1000)[0, 0]
    )


def test_readers_of_a_table_see_one_whole_state_while_news_come_in() -> None:
    graph = random_city(5, side=14)
    network: RoadNetwork = graph.network()
    places = PlaceBook("wgs84")
    rng = np.random.default_rng(1)
    handles = np.array([places.add(*network.latlng[node]) for node in rng.integers(0, graph.nodes, 60)], dtype=np.int32)
    opened = road_travel(network, places, ("car",))
    news = [TrafficNews((SpeedRule(factor),)) for factor in (1.0, 0.5, 0.8, 1.6)]
    allowed = {opened.under(each).table(handles, handles, 0).tobytes() for each in news}
    assert len(allowed) == len(news)
    current = [opened.under(news[0])]
    seen: list[bytes] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(current[0].table(handles, handles, 0).tobytes())

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for turn in range(60):
        fresh = opened.under(news[turn % len(news)])
        fresh.get_ready_for(0, current[0])
        current[0] = fresh
    stop.set()
    for reader in readers:
        reader.join()
    assert len(seen) >= 3
    assert set(seen) <= allowed
