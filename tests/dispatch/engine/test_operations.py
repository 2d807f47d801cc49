"""What stores, kitchens and operations say, and what becomes of orders then."""

from __future__ import annotations

import pytest

from dispatch import inputs as i
from dispatch.errors import Refused
from dispatch.model import Reason
from tests.dispatch.engine.test_engine import small
from tests.kit.world import T0, World


def test_a_closed_store_keeps_its_orders_with_the_reason() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(60)
    world.say(i.StoreClosed(at=world.now, store_id="kitchen"))
    world.until(120)
    assert world.board.orders["o1"].reason is Reason.STORE_CLOSED
    assert world.board.orders["o1"].planned_rider_id is None
    world.say(i.StoreOpened(at=world.now, store_id="kitchen"))
    world.until(180)
    assert world.board.orders["o1"].planned_rider_id == "ann"
    world.check()


def test_a_late_kitchen_moves_the_plan() -> None:
    world = small()
    world.order("o1", "kitchen", 600, 0, ready_s=600)
    world.until(60)
    world.say(i.ReadyEstimated(at=world.now, order_id="o1", expected_ready_at=T0 + 900))
    world.until(120)
    assert world.board.orders["o1"].kept_until == T0 + 780
    world.say(i.StoreThrottled(at=world.now, store_id="kitchen", delay_s=300))
    world.until(180)
    assert world.board.orders["o1"].kept_until == T0 + 1080


def test_a_store_that_never_says_ready_keeps_no_order_for_ever() -> None:
    world = World(rules__ready_times="store_mean", rules__store_silence_s=900)
    world.store("kitchen", 300, 0)
    world.rider("ann", 300, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=540)
    world.order("o2", "kitchen", 600, 100, ready_s=600)
    world.until(60)
    world.arrive("ann")
    world.until(1439)
    assert world.board.orders["o1"].rider_id is None, "the store may still say so, until 540 + 900"
    world.until(1500)
    # Both are planned as one trip: it is told when the later of them has been silent for 900 s, at 600 + 900.
    assert {world.board.orders[order].rider_id for order in ("o1", "o2")} == {"ann"}
    world.complete("ann")
    assert world.state("o1").is_on_board
    world.check()


def test_goods_that_come_after_the_last_pickup_are_fetched_by_another_rider() -> None:
    world = World(rules__ready_times="store_mean")
    world.store("kitchen", 300, 0)
    world.rider("ann", 300, 0, hours=1 / 4)
    world.rider("bob", 2000, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=540)
    world.until(60)
    world.arrive("ann")
    world.until(600)
    # Not sooner than 300 s from now: at 900, her last pickup, she would be in time.
    assert world.board.orders["o1"].planned_rider_id == "ann"
    assert world.board.orders["o1"].rider_id is None, "goods that are not ready are nobody's yet"
    world.until(660)
    assert world.route("ann").stops[0].acts == (), "960 is after her last pickup at 900"
    assert world.board.orders["o1"].planned_rider_id == "bob"
    world.check()
    world.until(1200)
    world.arrive("bob")
    world.say(i.OrderReady(at=world.now, order_id="o1", happened_at=world.now))
    world.until(1260)
    world.complete("bob")
    assert world.state("o1").is_on_board
    world.check()


def test_operations_hold_force_and_unassign() -> None:
    world = small()
    world.rider("bob", -900, 0)
    world.order("o1", "kitchen", 600, 0, ready_s=900)
    world.until(60)
    world.say(i.OrderHeld(at=world.now, order_id="o1", held=True, reason="address unclear"))
    world.until(120)
    assert world.board.orders["o1"].reason is Reason.HELD
    world.say(i.OrderHeld(at=world.now, order_id="o1", held=False, reason="cleared"))
    world.say(i.OrderForced(at=world.now, order_id="o1", rider_id="bob", reason="knows the house"))
    world.until(180)
    assert world.board.orders["o1"].planned_rider_id == "bob"
    world.say(i.OrderUnassigned(at=world.now, order_id="o1", reason="bob is ill"))
    world.until(240)
    assert world.board.orders["o1"].planned_rider_id == "ann"
    world.check()


def test_operations_give_an_order_to_nobody_who_may_not_carry_it() -> None:
    world = small()
    world.rider("bob", -900, 0)  # carries 1000 units and provides nothing
    world.order("cold", "kitchen", 600, 0, ready_s=900, needs=1)
    world.order("big", "kitchen", 600, 0, ready_s=900, load_units=1001)
    world.order("full", "kitchen", 600, 0, ready_s=900, load_units=1000)
    world.until(60)
    for order_id in ("cold", "big"):
        with pytest.raises(Refused) as refused:
            world.say(i.OrderForced(at=world.now, order_id=order_id, rider_id="bob", reason="a try"))
        assert (refused.value.code, refused.value.details["field"]) == ("not_allowed", "rider_id")
        assert world.board.orders[order_id].forced_rider_id is None
    world.say(i.OrderForced(at=world.now, order_id="full", rider_id="bob", reason="a trailer is there"))
    world.until(120)
    assert world.board.orders["full"].planned_rider_id == "bob"
    world.say(i.OrderForced(at=world.now, order_id="full", rider_id=None, reason="whoever can"))
    assert world.board.orders["full"].forced_rider_id is None
    world.check()


def test_a_paused_zone_keeps_orders_that_nobody_has_been_told_of() -> None:
    world = small()
    corners = ((-100.0, 500.0), (-100.0, 700.0), (100.0, 700.0), (100.0, 500.0))
    from dispatch.model import Zone

    world.say(i.ZoneListed(at=world.now, zone=Zone("harbour", corners)))
    world.say(i.ZonePaused(at=world.now, zone_id="harbour", paused=True, reason="flood"))
    world.order("o1", "kitchen", 600, 0, ready_s=300)
    world.order("o2", "kitchen", 800, 0, ready_s=300)
    world.until(60)
    assert world.board.orders["o1"].reason is Reason.ZONE
    assert world.board.orders["o2"].planned_rider_id == "ann"
    world.say(i.ZonePaused(at=world.now, zone_id="harbour", paused=False, reason="dry"))
    world.until(120)
    assert world.board.orders["o1"].planned_rider_id == "ann"


def test_needs_and_capacity_give_their_reasons() -> None:
    world = small()
    world.order("cold", "kitchen", 600, 0, needs=1)
    world.order("big", "kitchen", 600, 0, load_units=5000)
    world.until(0)
    assert world.board.orders["cold"].reason is Reason.NEEDS
    assert world.board.orders["big"].reason is Reason.CAPACITY
