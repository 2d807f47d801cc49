"""Invented cities: connected, crossed by few bridges, the same for the same seed; ways are truly the quickest."""

from __future__ import annotations

import heapq
import json

import numpy as np
import pytest

from dispatch.record.travel_spec import MatrixSpec
from halfhour.policies import choose
from routing.errors import InvalidInput
from sim.invent.city_plan import BRIDGE, SPEED_M_PER_MIN, CityPlan, all_ways, map_of, plan_city
from sim.invent.lunch_peak import BEGIN_AT, PROMISE_S, DaySize, synthetic_day
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
    settings = scenario.catalogue.settings.with_values({"rules.batch_scope": "any"})
    run = replay(scenario, choose("halfhour").policy, settings=settings, audit=True)
    assert run.violations == []
    assert run.summary["undelivered"] == 0
