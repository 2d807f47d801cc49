"""Trials: what is said of an order that is only asked about is what a round by insertion would make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import inputs as i
from dispatch.model import Order, Reason, Zone
from dispatch.rounds.freeze import freeze
from dispatch.rounds.solve import solve_round
from dispatch.rounds.trial import MOST_FRESH, MOST_RIDERS, Fit, frozen_with, outcome
from tests.kit.world import T0, World

STOP_S = (60, 60)


def asked(world: World, x: float = 900, y: float = 0, store_id: str = "s", **more: Any) -> Order:
    place = world.places.add(y, x)
    more.setdefault("expected_ready_at", world.now)
    return Order("asked", store_id, place, world.now, due_at=world.now + 1800, **more)


def tried(world: World, order: Order) -> Fit:
    frozen = frozen_with(world.board, order, world.times, world.now, STOP_S)
    return outcome(solve_round(frozen, world.times, recipe="insertion"), order.order_id)


def placed(world: World, order: Order) -> Fit:
    """What insertion alone makes of the order when it comes at this very instant."""
    door = world.places.add(
        float(world.places.first[order.drop_place]), float(world.places.second[order.drop_place]), enter_s=60, exit_s=60
    )
    world.engine.handle(i.OrderPlaced(at=world.now, order=replace(order, drop_place=door)))
    world.board.now = world.now
    return outcome(solve_round(freeze(world.board), world.times, recipe="insertion"), order.order_id)


def city() -> World:
    world = World()
    world.store("s", 0, 0)
    world.rider("r", 300, 0)
    return world


def test_an_order_asked_about_is_fetched_and_delivered_as_insertion_would() -> None:
    world = city()
    fit = tried(world, asked(world))
    # 300 m to the store (60 s), 60 s before the counter; 60 s after it, 900 m (180 s), 60 s before the door.
    assert fit == Fit(T0 + 120, T0 + 120 + 60 + 180 + 60, None)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"load_units": 5000}, Reason.CAPACITY),
        ({"needs": 4}, Reason.NEEDS),
        ({"release_at": T0 + 7200}, Reason.KEPT),
    ],
)
def test_where_the_laws_of_a_round_forbid_it_there_are_no_times_and_a_reason(more: Any, reason: Reason) -> None:
    world = city()
    assert tried(world, asked(world, **more)) == Fit(None, None, reason)


def test_closed_stores_and_paused_zones_are_told() -> None:
    world = city()
    world.say(i.ZoneListed(at=T0, zone=Zone("z", ((-50, 800), (50, 800), (50, 1000), (-50, 1000)))))
    world.say(i.ZonePaused(at=T0, zone_id="z", paused=True, reason="flood"))
    assert tried(world, asked(world)).reason is Reason.ZONE
    world.say(i.StoreClosed(at=T0, store_id="s"))
    assert tried(world, asked(world, x=500)).reason is Reason.STORE_CLOSED


def test_nothing_is_kept_of_a_trial() -> None:
    world = city()
    world.order("o", "s", 500, 0)
    order = asked(world)
    before = world.board.dump()
    tried(world, order)
    assert world.board.dump() == before and "asked" not in world.board.in_play


def test_behind_many_that_are_due_before_it_an_order_waits_for_a_later_round() -> None:
    world = city()
    world.answers_rounds = False
    for k in range(MOST_FRESH + 1):
        world.order(f"o{k}", "s", 500, 0, due_at=T0 + 1000)
    assert tried(world, asked(world)).reason is Reason.BUDGET


def test_of_many_riders_those_that_can_be_there_first_are_looked_at() -> None:
    world = World()
    world.store("s", 0, 0)
    for k in range(MOST_RIDERS + 10):
        world.rider(f"r{k}", 3000 - 50 * k, 0)
    order = asked(world)
    frozen = frozen_with(world.board, order, world.times, world.now, STOP_S)
    assert frozen.ids.rider_ids == tuple(f"r{k}" for k in range(10, MOST_RIDERS + 10))
    assert tried(world, order) == placed(world, order)


spots = st.tuples(st.integers(-30, 30), st.integers(-30, 30)).map(lambda spot: (100.0 * spot[0], 100.0 * spot[1]))


@given(
    riders=st.lists(spots, min_size=1, max_size=4),
    orders=st.lists(st.tuples(spots, st.integers(0, 1), st.integers(0, 900)), max_size=9),
    door=spots,
    ready_s=st.integers(0, 1200),
    after_s=st.integers(0, 900),
)
def test_insertion_at_that_instant_delivers_no_later_than_was_said(
    riders: list[tuple[float, float]], orders: list[Any], door: tuple[float, float], ready_s: int, after_s: int
) -> None:
    world = World()
    world.store("s0", 50, 50)
    world.store("s1", 1550, -750)
    for k, (x, y) in enumerate(riders):
        world.rider(f"r{k}", x, y)
    for k, ((x, y), store, ready) in enumerate(orders):
        world.order(f"o{k}", f"s{store}", x, y, ready_s=ready)
    world.until(after_s)
    order = asked(world, *door, store_id="s0", expected_ready_at=world.now + ready_s)
    said, made = tried(world, order), placed(world, order)
    assert (said.dropoff_at is None) == (made.dropoff_at is None)
    assert said.dropoff_at is None or made.dropoff_at <= said.dropoff_at
