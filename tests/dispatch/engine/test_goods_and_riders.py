"""What becomes of goods and work when orders are cancelled, riders log off, are lost, or fall silent."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.model import Level, OrderState, Reason
from tests.dispatch.engine.test_engine import small
from tests.kit.world import T0, World


def test_cancelled_before_pickup_leaves_no_trace_on_the_route() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(500)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    assert world.state("o1") is OrderState.CANCELLED
    # They are under way and find nothing to do there.
    assert [stop.acts for stop in world.route("ann").stops] == [()]
    world.until(540)
    world.arrive("ann")
    assert world.board.riders["ann"].has_nothing_to_do
    with pytest.raises(Refused, match="cancelled"):
        world.engine.handle(i.OrderCancelled(at=world.now, order_id="o1"))
    world.check()


def carrying() -> World:
    """Ann has picked up o1 at 600 and is on her way to the customer."""
    world = small()
    world.order("o1", "kitchen", 900, 0, ready_s=600)
    world.until(540)
    world.arrive("ann")
    world.until(600)
    world.complete("ann")
    assert world.state("o1") is OrderState.ENROUTE_TO_DROPOFF
    return world


def test_cancelled_after_pickup_comes_back_to_the_store() -> None:
    world = carrying()
    world.until(660)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    assert world.state("o1") is OrderState.RETURNING
    world.deliver_all(4000)
    assert world.state("o1") is OrderState.RETURNED
    world.check()


def test_a_delivery_that_happened_before_the_cancellation_wins() -> None:
    world = carrying()
    world.until(800)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    world.until(860)
    world.say(i.StopCompleted(at=world.now, rider_id="ann", stop_id="ann.2", happened_at=T0 + 790, order_ids=("o1",)))
    assert world.state("o1") is OrderState.DELIVERED
    assert world.board.orders["o1"].corrected
    world.check()


def test_an_absent_customer_sends_the_goods_back() -> None:
    world = carrying()
    world.until(780)
    world.arrive("ann")
    world.until(840)
    world.fail("ann", "customer_absent")
    assert world.state("o1") is OrderState.RETURNING
    world.deliver_all(4000)
    assert world.state("o1") is OrderState.RETURNED
    assert world.board.orders["o1"].end_reason == "customer_absent"
    world.check()


def test_a_log_off_gives_open_work_to_another_rider() -> None:
    world = small()
    world.rider("bob", -600, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(500)
    assert world.board.orders["o1"].planned_rider_id == "ann"
    world.say(i.ShiftEnded(at=world.now, rider_id="ann"))
    world.until(560)
    assert world.board.orders["o1"].planned_rider_id == "bob"
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()


def test_a_log_off_with_goods_on_board_still_delivers() -> None:
    world = carrying()
    world.say(i.ShiftEnded(at=world.now, rider_id="ann"))
    assert world.board.orders["o1"].rider_id == "ann"
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()


def test_a_lost_rider_loses_his_orders_and_keeps_his_goods_until_operations_decide() -> None:
    world = World(rules__lost_after_s=600)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.order("o1", "kitchen", 900, 0, ready_s=120)
    world.until(60)
    world.arrive("ann")
    world.until(120)
    world.complete("ann")
    world.rider("bob", 0, 0)
    world.until(1000)
    assert world.board.riders["ann"].lost
    assert world.state("o1") is OrderState.ENROUTE_TO_DROPOFF
    place = world.places.add(0, 500, enter_s=60, exit_s=60)
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=place, reason="found at the corner"))
    world.say(i.ShiftPlanned(at=world.now, shift=world.board.riders["bob"].shifts[0]))
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    assert world.board.orders["o1"].rider_id == "bob"
    world.check()


def test_goods_of_a_lost_rider_may_be_called_undelivered() -> None:
    world = carrying()
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=None, reason="bag stolen"))
    assert world.state("o1") is OrderState.UNDELIVERED
    assert world.board.open_orders == {}
    world.check()


def test_whatever_a_lost_riders_phone_says_finds_him() -> None:
    for what in (i.RouteSeen, i.BreakEnded):
        world = World(rules__lost_after_s=600)
        world.rider("ann", 0, 0)
        world.until(700)
        assert world.board.riders["ann"].lost
        more = {"revision": 0, "happened_at": world.now} if what is i.RouteSeen else {}
        world.say(what(at=world.now, rider_id="ann", **more))
        assert not world.board.riders["ann"].lost, what
        world.until(700 + 599)
        assert not world.board.riders["ann"].lost, "they have been heard of since"
        world.check()


def test_a_rider_whose_phone_was_silent_gets_the_order_once_it_speaks() -> None:
    world = World(rules__route_ack_timeout_s=60)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    heard = world.say

    def say(item: i.Input) -> tuple[e.Event, ...]:
        return () if isinstance(item, i.RouteSeen) else heard(item)

    world.say = say  # type: ignore[method-assign]
    world.order("o1", "kitchen", 600, 0)
    world.until(200)
    assert world.board.orders["o1"].refused_by == ("ann",)
    assert world.board.orders["o1"].reason is Reason.REFUSED_BY_ALL
    world.say = heard  # type: ignore[method-assign]
    revision = world.board.riders["ann"].told_revision
    world.say(i.RouteSeen(at=world.now, rider_id="ann", revision=revision, happened_at=world.now))
    assert world.board.orders["o1"].refused_by == ()
    world.deliver_all()
    assert world.state("o1") is OrderState.DELIVERED
    world.check()


def test_a_route_that_no_phone_shows_is_withdrawn() -> None:
    world = World(rules__route_ack_timeout_s=60)
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0)
    world.rider("bob", -300, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=240)
    world.board.riders["ann"].seen_revision = 0
    silent = world.say

    def say(item: i.Input) -> tuple[e.Event, ...]:
        if isinstance(item, i.RouteSeen) and item.rider_id == "ann":
            return ()
        return silent(item)

    world.say = say  # type: ignore[method-assign]
    world.until(119)
    assert world.route("ann").told == ()
    world.until(179)
    assert world.route("ann").stops[0].level is Level.TOLD
    world.until(240)
    assert world.route("ann").stops == ()
    assert "ann" in world.board.orders["o1"].refused_by
    world.until(300)
    assert world.board.orders["o1"].planned_rider_id == "bob"
    world.check()
