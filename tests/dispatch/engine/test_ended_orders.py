"""Ended orders leave the board after `rules.ended_keep_s`; until then a later fact may still correct them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.engine.decisions.rounds import MOST_LEAVING
from dispatch.engine.engine import Engine
from dispatch.model import OrderState
from tests.dispatch.engine.test_anything_happens import STEPS, Storm
from tests.kit.world import T0, World

KEEP_S = 600


def world_of(cancelled: int, **more: object) -> World:
    """A city with `cancelled` orders that ended at T0, and one far ahead that keeps the rounds going."""
    world = World(**({"rules__ended_keep_s": KEEP_S} | more))
    world.store("s", 0, 0)
    world.rider("ann", 0, 0)
    for k in range(cancelled):
        world.order(f"o{k}", "s", 300, 0)
        world.say(i.OrderCancelled(at=world.now, order_id=f"o{k}"))
    world.order("later", "s", 300, 0, ready_s=7200, release_at=T0 + 7000)
    return world


def left(world: World) -> list[str]:
    return [o for _, events in world.journal for x in events if isinstance(x, e.OrdersLeft) for o in x.order_ids]


def test_an_ended_order_leaves_after_its_time_and_not_before() -> None:
    world = world_of(1)
    world.until(KEEP_S - 1)
    assert world.board.orders["o0"].state is OrderState.CANCELLED
    world.until(KEEP_S)
    assert left(world) == ["o0"] and set(world.board.orders) == {"later"} and not world.board.ended_orders
    world.check()


def test_orders_keep_their_place_in_the_order_of_acceptance() -> None:
    world = world_of(2)
    world.until(KEEP_S)
    world.order("next", "s", 300, 0)
    assert world.board.orders["later"].seq == 2 and world.board.orders["next"].seq == 3
    loaded = Board.load(world.places, world.board.dump())
    assert loaded.orders_taken == 4 and loaded.dump() == world.board.dump()


def test_a_snapshot_of_an_earlier_version_counts_its_orders() -> None:
    world = world_of(1)
    state = world.board.dump()
    del state["orders_taken"]
    for record in state["orders"].values():
        record.pop("closed_at", None)
    loaded = Board.load(world.places, state)
    assert loaded.orders_taken == 2
    assert loaded.ended_before(T0 - 1) == () and loaded.ended_before(T0) == ("o0",)


def test_zero_keeps_them_for_ever() -> None:
    world = world_of(1, rules__ended_keep_s=0)
    world.until(6000)
    assert "o0" in world.board.orders and left(world) == []


def test_so_many_leave_at_once_and_the_rest_with_the_next_wake_up() -> None:
    world = world_of(MOST_LEAVING + 5)
    world.until(KEEP_S)
    assert len(left(world)) == MOST_LEAVING
    world.until(KEEP_S + 60)
    assert left(world) == [f"o{k}" for k in range(MOST_LEAVING + 5)]


def carried(world: World) -> None:
    """Ann has the goods of o1."""
    world.order("o1", "s", 900, 0, ready_s=600)
    world.until(540)
    world.arrive("ann")
    world.until(600)
    world.complete("ann")


def test_a_correction_counts_its_time_anew() -> None:
    world = world_of(0)
    carried(world)
    world.until(720)
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=None, reason="lost"))
    assert world.state("o1") is OrderState.UNDELIVERED
    world.until(900)
    done = i.StopCompleted(at=world.now, rider_id="ann", stop_id="ann.2", happened_at=T0 + 700, order_ids=("o1",))
    world.say(done)
    assert world.board.orders["o1"].corrected and world.state("o1") is OrderState.DELIVERED
    world.until(900 + KEEP_S - 1)
    assert "o1" in world.board.orders
    world.until(900 + KEEP_S + 60)
    assert left(world) == ["o1"]
    world.check()


def test_a_fact_that_comes_too_late_is_kept_as_contradicted() -> None:
    world = world_of(0)
    carried(world)
    world.until(720)
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=None, reason="lost"))
    world.until(720 + KEEP_S + 60)
    done = i.StopCompleted(at=world.now, rider_id="ann", stop_id="ann.2", happened_at=T0 + 700, order_ids=("o1",))
    events = world.say(done)
    assert any(isinstance(x, e.ReportContradicted) and "unknown order o1" in x.about for x in events)


def test_a_rider_whose_phone_was_silent_about_it_may_speak_later() -> None:
    world = world_of(0, rules__route_ack_timeout_s=0)
    world.order("o1", "s", 300, 0)
    refused = e.RiderRefused(at=world.now, order_id="o1", rider_id="ann", unseen=True)
    world.board.apply(refused)
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))
    assert world.board.riders["ann"].unseen == ("o1",)
    world.until(KEEP_S)
    assert world.board.riders["ann"].unseen == ()
    world.say(i.RouteSeen(at=world.now, rider_id="ann", revision=0, happened_at=world.now))


def test_shifts_that_are_over_are_forgotten_with_the_next_one() -> None:
    from dispatch.model import Shift

    world = world_of(0)
    for day in range(1, 4):
        begins = T0 + day * 86_400
        world.now = begins
        world.say(i.ShiftPlanned(at=begins, shift=Shift("ann", begins, begins + 3600, begins + 3600)))
    assert [shift.start_at for shift in world.board.riders["ann"].shifts] == [T0, T0 + 3 * 86_400]
    # The first one names no end, so it may still be worked.


@settings(deadline=None, max_examples=60)
@given(steps=STEPS, crowd=st.booleans())
def test_whatever_happens_each_order_is_open_or_left_ended(steps: list[tuple[str, int, int]], crowd: bool) -> None:
    storm = Storm(crowd, rules__ended_keep_s=120)
    for operation, a, b in steps:
        storm.play(operation, a, b)
        storm.world.check()
    world = storm.world
    gone = left(world)
    accepted = {x.order.order_id for _, events in world.journal for x in events if isinstance(x, e.OrderAccepted)}
    assert len(gone) == len(set(gone)) and set(gone) | set(world.board.orders) == accepted
    assert set(gone).isdisjoint(world.board.orders)
    # A process that begins from a snapshot decides what the one that lived decides.
    again = Engine(world.places, world.settings, Board.load(world.places, world.board.dump()))
    at = world.now + 3600
    assert again.decide(i.Wake(at=at)) == world.engine.decide(i.Wake(at=at))
