"""Work of those who have had more orders an hour costs more, where that has a price."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch import inputs as i
from dispatch.model import Shift
from dispatch.people.fairness import LEAST_DUTY_S, fair_prices
from dispatch.record.people.spread import gini
from tests.kit.world import T0, World, catalogue_of, folded

DAYS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 40_000)), min_size=1, max_size=8)


@given(DAYS, st.integers(0, 500), st.integers(0, 500))
def test_prices_against_fractions(days: list[tuple[int, int]], work: int, fair: int) -> None:
    found = fair_prices([one for one, _ in days], [seconds for _, seconds in days], work, fair).tolist()
    hours = [max(seconds, LEAST_DUTY_S) for _, seconds in days]
    rate = sum(brought for brought, _ in days) / sum(hours)
    for price, (brought, _), counted in zip(found, days, hours, strict=True):
        over = (brought / counted / rate - 1) if rate and fair else 0
        assert price == pytest.approx(max(0, work + fair * max(-1, min(over, 1))), abs=1.01)


def city(price: int) -> World:
    """Two riders, one a little nearer to the kitchen to which both come back after each order."""
    world = World(prices__fair_work_per_s=price)
    world.store("kitchen", 0, 0)
    world.rider("near", 100, 0)
    world.rider("far", 160, 0)
    for number in range(6):
        world.until(max(1500 * number, world.now - T0))
        world.order(f"o{number}", "kitchen", 300, 0)
        world.deliver_all(1500 * number + 1400)
    return world


def test_orders_are_spread_where_it_has_a_price() -> None:
    plain, fair = city(0), city(400)
    spread = [sorted(record.brought for record in world.board.riders.values()) for world in (plain, fair)]
    assert sum(spread[0]) == sum(spread[1]) == 6
    assert spread[1][1] - spread[1][0] < spread[0][1] - spread[0][0], spread
    figures = [folded(world, catalogue_of(world)).summary()["orders_per_hour_gini"] for world in (plain, fair)]
    assert figures[1] < figures[0]
    plain.check()
    fair.check()


def test_a_new_duty_begins_with_nothing() -> None:
    world = city(0)
    for rider_id in ("near", "far"):
        world.say(i.ShiftEnded(at=world.now, rider_id=rider_id))
        soon = Shift(rider_id, world.now + 3600, world.now + 7200, world.now + 7200)
        brought = world.board.riders[rider_id].brought
        world.say(i.ShiftPlanned(at=world.now, shift=soon))
        assert world.board.riders[rider_id].brought == brought, "the duty of before goes on"
        world.say(i.ShiftEnded(at=world.now, rider_id=rider_id))
    world.until(90_000)
    for rider_id in ("near", "far"):
        world.board.riders[rider_id].shifts = ()
        world.say(i.ShiftPlanned(at=world.now, shift=Shift(rider_id, world.now, world.now + 7200)))
        assert world.board.riders[rider_id].brought == 0


def test_gini_by_hand() -> None:
    assert gini([1, 3]) == pytest.approx(0.25)
