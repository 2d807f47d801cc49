"""Invented cities: connected, crossed by few bridges, the same for the same seed; ways are truly the quickest."""

from __future__ import annotations

import dataclasses
import datetime
import heapq
import json

import numpy as np
import pytest

from dispatch.calendar.opening_hours import parsed
from dispatch.record.travel_spec import MatrixSpec
from halfhour.policies import choose
from routing.errors import InvalidInput
from sim.invent.city_plan import BRIDGE, SPEED_M_PER_MIN, CityPlan, all_ways, map_of, plan_city
from sim.invent.lunch_peak import BEGIN_AT, LUNCH_AT, PROMISE_S, DaySize, synthetic_day
from sim.invent.store_hours import hours_text
from sim.replay.replay import replay


@pytest.fixture(scope="module")
def plan() -> CityPlan:
    return plan_city(11, width_m=3_000, height_m=2_500)


def dijkstra(plan: CityPlan, origin: int, speeds: tuple[int, ...]) -> list[tuple[int, int]]:
    """(tenths of a second, metres) of the quickest ways from one corner, the textbook way."""
    ways: dict[int, list[tuple[int, int, int]]] = {}
    for tail, head, length, kind in zip(
        plan.tail.tolist(), plan.head.tolist(), plan.length_m.tolist(), plan.road_class.tolist(), strict=True
    ):
        ways.setdefault(tail, []).append((head, round(length * 600 / speeds[kind]), length))
    best = {origin: (0, 0)}
    heap = [(0, 0, origin)]
    while heap:
        tenths, metres, node = heapq.heappop(heap)
        if (tenths, metres) > best[node]:
            continue
        for head, more, length in ways[node]:
            reached = (tenths + more, metres + length)
            if reached < best.get(head, (1 << 60, 0)):
                best[head] = reached
                heapq.heappush(heap, (*reached, head))
    return [best[node] for node in range(len(plan.x))]


def test_all_ways_are_the_quickest(plan):
    ways = all_ways(plan)
    for row, speeds in enumerate(SPEED_M_PER_MIN.values()):
        for origin in (0, len(plan.x) // 2, len(plan.x) - 1):
            expected = dijkstra(plan, origin, speeds)
            assert ways.seconds[row, origin].tolist() == [(tenths + 5) // 10 for tenths, _ in expected]
            assert ways.metres[row, origin].tolist() == [metres for _, metres in expected]


def test_rain_slows_every_way(plan):
    dry, wet = all_ways(plan), all_ways(plan, slower=1.5)
    apart = ~np.eye(len(plan.x), dtype=bool)
    assert (wet.seconds[:, apart] > dry.seconds[:, apart]).all()


def test_the_river_is_crossed_by_bridges_alone(plan):
    slopes = np.interp(plan.x, plan.river[:, 0], plan.river[:, 1])
    north = plan.y >= slopes
    crossing = north[plan.tail] != north[plan.head]
    assert set(plan.road_class[crossing].tolist()) == {BRIDGE}
    assert 2 <= crossing.sum() // 2 <= 6


@pytest.mark.parametrize("seed", range(5))
def test_every_city_is_connected_and_repeats(seed):
    plan, again = plan_city(seed), plan_city(seed)
    assert (plan.x == again.x).all() and (plan.tail == again.tail).all()
    assert all_ways(plan).seconds.max() < 3600
    assert len(plan.x) > 400


def test_a_city_that_cannot_be_is_refused():
    with pytest.raises(InvalidInput, match="city of 100"):
        plan_city(1, width_m=100)


def test_the_map_names_every_street_once(plan):
    streets = [one for one in map_of(plan)["features"] if one["properties"]["class"] != "river"]
    lines = sum(len(one["geometry"]["coordinates"]) for one in streets)
    assert lines == len(plan.tail) // 2
    json.dumps(map_of(plan))


SIZE = DaySize(stores=10, riders=20, orders=120, hours=1.0)


def test_a_day_is_what_was_asked_for(tmp_path):
    scenario, plan = synthetic_day(3, SIZE, tmp_path / "m.npz")
    catalogue = scenario.catalogue
    assert (len(catalogue.stores), len(catalogue.riders), len(scenario.demand)) == (10, 20, 120)
    assert isinstance(catalogue.travel, MatrixSpec)
    assert catalogue.travel.bind(catalogue.places).profiles == tuple(SPEED_M_PER_MIN)
    for one in scenario.demand:
        assert one.order.placed_at >= BEGIN_AT
        assert one.order.expected_ready_at > one.order.placed_at
        assert one.ready_at > one.order.placed_at
        assert one.order.due_at == one.order.placed_at + PROMISE_S
    rows = catalogue.places.matrix_row
    assert rows.min() >= 0 and rows.max() < len(plan.x)


def test_the_same_seed_gives_the_same_day(tmp_path):
    one, _ = synthetic_day(3, SIZE, tmp_path / "a.npz")
    two, _ = synthetic_day(3, SIZE, tmp_path / "b.npz")
    other, _ = synthetic_day(4, SIZE, tmp_path / "c.npz")
    assert one.demand == two.demand
    assert one.demand != other.demand
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_scarcity_takes_riders_and_rain_brings_orders(tmp_path):
    scarce = DaySize(stores=10, riders=20, orders=120, hours=1.0, scarcity=2.0, rain=True)
    scenario, _ = synthetic_day(3, scarce, tmp_path / "m.npz")
    assert len(scenario.catalogue.riders) == 10
    assert len(scenario.demand) > 120


@pytest.mark.parametrize("wrong", [{"orders": 0}, {"riders": 10**6}, {"scarcity": 0.0}, {"hours": 99.0}])
def test_a_day_that_cannot_be_is_refused(wrong):
    with pytest.raises(InvalidInput) as found:
        DaySize(**wrong)
    assert found.value.details["field"] in wrong


def test_a_synthetic_day_may_mix_stores_in_a_bag(tmp_path):
    """The travel matrix of a made city reaches the general search, and every answer passes the audit."""
    scenario, _ = synthetic_day(3, DaySize(stores=6, riders=5, orders=25, hours=0.5), tmp_path / "travel.npz")
    settings = scenario.catalogue.settings.with_values({"rules.mix": "any"})
    run = replay(scenario, choose("halfhour").policy, settings=settings, audit=True)
    assert run.violations == []
    assert run.summary["undelivered"] == 0


def test_stores_of_an_invented_day_keep_hours_where_that_is_asked_for(tmp_path):
    """Some stores open late, rest or close early, each kind among sixty; nobody orders from a store that is closed."""
    size = DaySize(stores=60, riders=20, orders=300, hours=2.0, opening_hours=True)
    scenario, _ = synthetic_day(3, size, tmp_path / "m.npz")
    again, _ = synthetic_day(3, size, tmp_path / "m.npz")
    assert scenario.demand == again.demand and scenario.catalogue.stores == again.catalogue.stores
    stores = {store.store_id: store for store in scenario.catalogue.stores}
    end_at = LUNCH_AT + 7_200
    late = [store for store in stores.values() if store.hours and store.opens_from(LUNCH_AT) != LUNCH_AT]
    early = [store for store in stores.values() if store.hours and store.opens_from(end_at) != end_at]
    rests = [store for store in stores.values() if "," in store.hours]
    always = [store for store in stores.values() if not store.hours]
    assert late and early and rests and len(always) > 30
    assert len(late) + len(early) + len(rests) + len(always) == len(stores)
    for one in scenario.demand:
        store, at = stores[one.order.store_id], one.order.placed_at
        assert store.opens_from(at) == at
    placed = [one.order.store_id for one in scenario.demand]
    assert any(store.store_id in placed for store in late), "they sell once they are open"


def test_a_day_without_hours_is_the_day_it_was(tmp_path):
    """Hours have luck of their own: riders, doors and instants of a seed stay, and a closed store's orders move."""
    plain, _ = synthetic_day(3, SIZE, tmp_path / "a.npz")
    hours, _ = synthetic_day(3, dataclasses.replace(SIZE, opening_hours=True), tmp_path / "b.npz")
    assert not any(store.has_hours for store in plain.catalogue.stores)
    assert [one.order.placed_at for one in plain.demand] == [one.order.placed_at for one in hours.demand]
    assert plain.catalogue.shifts == hours.catalogue.shifts


def test_hours_past_midnight_are_said_so_that_they_are_understood():
    texts = [hours_text(np.random.default_rng(seed), LUNCH_AT, LUNCH_AT + 57_600) for seed in range(40)]
    assert any("," in text for text in texts) and any(text.endswith("-29:15") for text in texts)
    for text in filter(None, texts):
        spans = parsed(text).spans(datetime.date(2026, 3, 3), 1, datetime.UTC)
        assert len(spans) == text.count(",") + 1 and all(opens < closes for opens, closes in spans)
