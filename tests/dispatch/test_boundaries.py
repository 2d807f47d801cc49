"""The second itself: every inequality of docs/conventions.md and of the rules, one second before, at and after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatch.inputs import PlannedStop, RoundSolved, RouteChange
from dispatch.model import Order, OrderState, Reason, Shift
from dispatch.record.lives import OrderLife
from dispatch.rounds.problem_arrays import is_stale
from tests.kit.world import T0, World


def on_time(second: int) -> bool:
    """Delivered `second` after the promise."""
    life = OrderLife(Order("o", "s", 0, T0, T0, due_at=T0 + 1800))
    life.delivered_at = T0 + 1800 + second
    assert life.lateness_s == max(0, second)
    return life.is_on_time


def city(**rules: object) -> World:
    """One store 300 m (60 s) from one rider; 60 s to enter."""
    world = World(**rules)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    return world


def stale(second: int) -> bool:
    """Last heard of `rules.stale_s` and `second` ago."""
    world = city(rules__stale_s=300)
    world.board.now = world.board.riders["ann"].heard_at + 300 + second
    return is_stale(world.board.riders["ann"], world.board)


def released(second: int) -> bool:
    """Looked at `second` after the release."""
    world = city()
    world.order("o1", "kitchen", 600, 0, release_at=T0 + 600)
    world.board.now = T0 + 600 + second
    return "o1" in world.engine.freeze().ids.order_ids


def movable(second: int) -> bool:
    """An idle rider `second` after their last pickup."""
    world = city(rules__empty_moves=True, reposition__every_s=60)
    record = world.board.riders["ann"]
    record.shifts = (Shift("ann", T0, T0 + 600),)
    world.board.now = T0 + 600 + second
    return bool(world.engine.freeze().outlook.movable.any()) if world.engine.freeze().ids.rider_ids else False


def takes_part(second: int) -> bool:
    """A rider `second` after their last pickup, with nothing to do."""
    world = city()
    world.board.riders["ann"].shifts = (Shift("ann", T0, T0 + 600),)
    world.board.now = T0 + 600 + second
    return bool(world.engine.freeze().ids.rider_ids)


def fetched(second: int) -> bool:
    """Goods that are ready so that the pickup would happen `second` after the rider's last pickup."""
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.board.riders["ann"].shifts = (Shift("ann", T0, T0 + 900, T0 + 9_000),)
    world.order("o1", "kitchen", 600, 0, ready_s=900 + second)
    world.until(0)
    return world.board.orders["o1"].planned_rider_id == "ann"


@pytest.mark.parametrize(
    ("holds", "before", "at", "after"),
    [
        (on_time, True, True, False),
        (stale, False, False, True),
        (released, False, True, True),
        (takes_part, True, True, False),
        (movable, True, True, False),
        (fetched, True, True, False),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_which_side_the_second_itself_is_on(holds: Callable[[int], bool], before: bool, at: bool, after: bool) -> None:
    assert [holds(second) for second in (-1, 0, 1)] == [before, at, after]


# --- prices of leaving out and of scarcity ---------------------------------------------------------------------------


def test_leaving_an_order_out_never_becomes_cheaper_than_delivering_it_late() -> None:
    """The price of leaving out grows by what waiting has cost, 100 points a second before the promise."""
    world = city(prices__promise=True, prices__door_per_s=100, prices__late_per_s=300, prices__late_fixed=7)
    world.order("o1", "kitchen", 600, 0, due_at=T0 + 1_000)
    skip = world.settings.prices.unserved
    for waited, cost in ((0, 0), (400, 40_000), (1_000, 100_000), (1_001, 100_000 + 300 + 7)):
        world.board.now = T0 + waited
        assert world.engine.freeze().problem.skip_cost.tolist() == [skip + cost]


def test_a_riders_second_is_dearer_while_riders_are_scarce() -> None:
    world = city(prices__work_per_s=10, prices__scarce_work_per_s=40, prices__scarce_wait_s=240)
    for wait_s, price in ((0, 10), (120, 30), (240, 50), (900, 50)):
        world.board.planned_wait_s = wait_s
        assert world.engine.freeze().problem.per_work.tolist() == [price]


# --- how many orders a round may plan --------------------------------------------------------------------------------


def test_a_round_plans_as_many_orders_as_it_may_and_names_the_budget_for_the_rest() -> None:
    world = city(rules__max_open_orders=2)
    for k, due in enumerate((1_800, 900, 1_200)):
        world.order(f"o{k}", "kitchen", 600, 10 * k, due_at=T0 + due)
    frozen = world.engine.freeze()
    assert set(frozen.ids.order_ids) == {"o1", "o2"}, "those due first"
    assert [(left.order_id, left.reason) for left in frozen.ids.left_out] == [("o0", Reason.BUDGET)]


# --- changes that clash ----------------------------------------------------------------------------------------------


def test_an_order_that_another_rider_keeps_is_not_taken() -> None:
    """Ann keeps her route; a change that gives her order to bob as well must not be taken."""
    world = city()
    world.rider("bob", 0, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(0)
    keeper = world.board.orders["o1"].planned_rider_id
    other = "bob" if keeper == "ann" else "ann"
    world.answers_rounds = False
    world.order("o2", "kitchen", 650, 0, ready_s=600)
    world.until(60)
    route = world.route(keeper)
    stops = tuple(
        PlannedStop(
            stop.place, stop.store_id, tuple((act.order_id, act.kind) for act in stop.acts), stop.leg_s, stop.leg_m,
            stop.expected_arrive_at, stop.expected_act_at, stop.expected_leave_at,
        )
        for stop in route.stops
    )  # fmt: skip
    moved = RouteChange(other, world.route(other).revision, stops)
    world.say(RoundSolved(at=world.now, round=world.board.round, changes=(moved,)))
    assert world.route(keeper) == route and world.route(other).stops == ()
    assert world.board.orders["o1"].planned_rider_id == keeper
    assert world.state("o1") is OrderState.CREATED
    world.check()
