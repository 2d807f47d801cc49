"""An order that nobody can take ends by a stated time, announced before; one that somebody has does not."""

from __future__ import annotations

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.engine.decisions.giving_up import ends_at
from dispatch.engine.engine import Engine
from dispatch.model import Order, OrderState
from tests.kit.world import T0, World

DUE, GIVE_UP = 1800, 3600


def city(give_up_s: int = GIVE_UP, **settings: object) -> World:
    """An order of ten bags and a rider for nine."""
    world = World(rules__give_up_s=give_up_s, **settings)
    world.store("s", 300, 0)
    world.rider("a", 0, 0, hours=24, capacity_units=9)
    return world


def said(world: World, kind: type[e.Event] = e.OrderGivingUp) -> list[tuple[int, object]]:
    """(second of the day, seconds of its end) of each announcement."""
    return [
        (event.at - T0, event.ends_at - T0)
        for _, events in world.journal
        for event in events
        if isinstance(event, e.OrderGivingUp)
    ]


def test_it_ends_when_it_was_said_with_the_reason() -> None:
    world = city()
    world.order("o", "s", 900, 0, load_units=10)
    assert ends_at(world.board.orders["o"], world.board) == T0 + DUE + GIVE_UP
    world.until(DUE + GIVE_UP - 601)
    assert said(world) == []
    world.until(DUE + GIVE_UP - 1)
    assert said(world) == [(DUE + GIVE_UP - 600, DUE + GIVE_UP)]
    assert world.state("o") is OrderState.CREATED
    world.until(DUE + GIVE_UP)
    record = world.board.orders["o"]
    assert (record.state, record.end_reason, record.ended_at) == (
        OrderState.UNDELIVERED, "no_rider:CAPACITY", T0 + DUE + GIVE_UP
    )  # fmt: skip
    assert said(world) == [(DUE + GIVE_UP - 600, DUE + GIVE_UP)], "said once"
    world.check()


def test_without_the_rule_it_waits_for_ever() -> None:
    world = city(0)
    world.order("o", "s", 900, 0, load_units=10)
    world.until(2 * DUE + 4 * GIVE_UP)
    assert (world.state("o"), said(world)) == (OrderState.CREATED, [])


@pytest.mark.parametrize(("give_up_s", "notice_s"), [(60, 30), (1, 0), (1200, 600), (7200, 600)])
def test_notice_is_given_in_time(give_up_s: int, notice_s: int) -> None:
    world = city(give_up_s)
    world.order("o", "s", 900, 0, load_units=10)
    world.until(DUE + give_up_s)
    assert said(world) == [(DUE + give_up_s - notice_s, DUE + give_up_s)]
    assert world.state("o") is OrderState.UNDELIVERED


def test_placed_ahead_it_counts_from_its_release() -> None:
    world = city()
    world.order("o", "s", 900, 0, load_units=10, release_at=T0 + 5 * DUE)
    world.until(5 * DUE + GIVE_UP - 1)
    assert world.state("o") is OrderState.CREATED
    world.until(5 * DUE + GIVE_UP)
    assert world.state("o") is OrderState.UNDELIVERED


def test_what_somebody_has_does_not_end() -> None:
    world = city(60)
    world.order("o", "s", 60_000, 0)
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    world.until(DUE + 1200)
    assert (world.state("o").is_on_board, said(world)) == (True, [])


def test_what_operations_hold_back_does_not_end_until_they_let_it_go() -> None:
    world = city()
    world.order("o", "s", 900, 0, load_units=10)
    world.say(i.OrderHeld(at=world.now, order_id="o", held=True, reason="x"))
    world.until(DUE + 3 * GIVE_UP)
    assert (world.state("o"), said(world)) == (OrderState.CREATED, [])
    now = DUE + 3 * GIVE_UP
    world.say(i.OrderHeld(at=world.now, order_id="o", held=False, reason="x"))
    world.until(now + 599)
    assert said(world) == [(now, now + 600)], "not without notice, however late it is"
    assert world.state("o") is OrderState.CREATED
    world.until(now + 600)
    assert world.state("o") is OrderState.UNDELIVERED


def test_who_takes_it_after_all_ends_the_announcement() -> None:
    world = city()
    world.order("o", "s", 900, 0, load_units=10)
    world.until(DUE + GIVE_UP - 300)
    assert len(said(world)) == 1
    world.rider("big", 300, 0, hours=24)
    world.until(DUE + GIVE_UP - 200)
    world.arrive("big")
    world.until(DUE + GIVE_UP + 60)
    assert (world.state("o").is_final, world.board.orders["o"].rider_id) == (False, "big")
    assert world.board.orders["o"].gives_up_at is None
    now = world.now - T0
    world.say(i.OrderUnassigned(at=world.now, order_id="o", reason="x"))
    world.until(now + 60)
    assert said(world)[1:] == [(now, now + 600)], "taken away again it is announced again"
    world.until(now + 601)
    assert world.state("o") is OrderState.UNDELIVERED
    world.check()


def test_a_later_promise_is_a_later_end() -> None:
    world = city()
    world.order("o", "s", 900, 0, load_units=10)
    world.until(DUE + GIVE_UP - 300)
    order = world.board.orders["o"].order
    values = {name: getattr(order, name) for name in Order.__slots__} | {"due_at": order.due_at + 5000}
    world.say(i.OrderChanged(at=world.now, order=Order(**values)))
    world.until(DUE + GIVE_UP + 4999)
    assert world.state("o") is OrderState.CREATED
    assert said(world)[1:] == [(DUE + GIVE_UP + 4400, DUE + GIVE_UP + 5000)]


def test_a_restart_and_a_changed_setting_keep_time() -> None:
    world = city(0)
    world.order("o", "s", 900, 0, load_units=10)
    world.until(60)
    world.say(i.SettingChanged(at=world.now, key="rules.give_up_s", value="3600"))
    world.settings = world.board.settings
    assert world.engine._orders.next_at() == T0 + DUE + GIVE_UP - 600
    again = Engine(world.places, world.board.settings, world.board)
    assert again._orders.next_at() == world.engine._orders.next_at()
    world.until(DUE + GIVE_UP - 300)
    assert Engine(world.places, world.board.settings, world.board)._orders.next_at() == T0 + DUE + GIVE_UP


def test_goods_that_lie_somewhere_end_too() -> None:
    world = city(60)
    world.order("o", "s", 3000, 0)
    world.until(60)
    world.arrive("a")
    world.until(120)
    world.complete("a")
    world.say(i.ShiftEnded(at=world.now, rider_id="a"))
    place = world.places.add(0, 700, enter_s=60, exit_s=60)
    world.say(i.HandoverOrdered(at=world.now, order_id="o", place=place, reason="broken bike"))
    world.until(DUE + 61)
    ended = (OrderState.UNDELIVERED, "no_rider:NO_RIDER_IN_REACH")
    assert (world.state("o"), world.board.orders["o"].end_reason) == ended
    world.check()
