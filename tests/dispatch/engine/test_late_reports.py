"""Reports that come late, twice or from the wrong rider: goods are where they were, whatever was asked meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.shown_routes import MOST_SHOWN
from dispatch.errors import Refused
from dispatch.model import ActKind, OrderState
from tests.kit.world import T0, World

S = OrderState
AT_COUNTER, AT_DOOR = "r.1", "r.2"


def at_counter(**settings: Any) -> World:
    """The one rider stands at the kitchen, where the one order was told to them half a minute ago."""
    world = World(**settings)
    world.store("kitchen", 300, 0)
    world.rider("r", 0, 0)
    world.order("o1", "kitchen", 900, 0)
    world.until(60)
    world.arrive("r")
    world.until(150)
    assert [stop.stop_id for stop in world.route("r").told] == [AT_COUNTER, AT_DOOR]
    return world


def at_door(**settings: Any) -> World:
    world = at_counter(**settings)
    world.complete("r")
    world.until(360)
    world.arrive("r")
    world.until(420)
    return world


def completes(world: World, stop_id: str, happened_at: int, order_ids: tuple[str, ...] | None = None) -> list[e.Event]:
    """Rider r says it; what came of it."""
    item = i.StopCompleted(at=world.now, rider_id="r", stop_id=stop_id, happened_at=happened_at, order_ids=order_ids)
    return list(world.say(item))


def contradicted(events: list[e.Event]) -> bool:
    return any(isinstance(event, e.ReportContradicted) for event in events)


def _cancel(world: World) -> None:
    world.say(i.OrderCancelled(at=world.now, order_id="o1"))


def _log_off(world: World) -> None:
    world.say(i.ShiftEnded(at=world.now, rider_id="r"))


def _lose(world: World) -> None:
    world.say(i.SettingChanged(at=world.now, key="rules.lost_after_s", value="1"))
    world.until(world.now - T0 + 2)
    world.say(i.SettingChanged(at=world.now, key="rules.lost_after_s", value="0"))


def _hand_over(world: World) -> None:
    place = world.places.add(0, 500, enter_s=60, exit_s=60)
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=place, reason="phone is dead"))


def _give_up(world: World) -> None:
    world.say(i.HandoverOrdered(at=world.now, order_id="o1", place=None, reason="bag stolen"))


def _fail(world: World) -> None:
    item = i.StopFailed(at=world.now, rider_id="r", stop_id=AT_DOOR, happened_at=world.now, reason="customer_absent")
    world.say(item)


def _nothing(world: World) -> None:
    pass


Meanwhile = Callable[[World], None]
BEFORE, SAME, AFTER = -20, 0, 20
"""The fact lies so long after what was asked meanwhile."""


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("lag_s", [BEFORE, SAME, AFTER])
@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [(_nothing, S.ENROUTE_TO_DROPOFF), (_cancel, S.RETURNING), (_log_off, S.PICKED_UP), (_lose, S.PICKED_UP)],
)
def test_goods_fetched_are_in_the_bag_and_go_somewhere(
    meanwhile: Meanwhile, state: OrderState, lag_s: int, named: bool
) -> None:
    world = at_counter()
    world.offline.add("r")
    asked_at = world.now
    meanwhile(world)
    assert world.board.riders["r"].lost == (meanwhile is _lose)
    world.now = asked_at + 40
    assert not contradicted(completes(world, AT_COUNTER, asked_at + lag_s, ("o1",) if named else None))
    order = world.board.orders["o1"]
    assert order.state in (state, S.ENROUTE_TO_DROPOFF) and order.carried_by == order.rider_id == "r"
    assert (order.state is S.RETURNING) == (state is S.RETURNING)
    (stop,) = (stop for stop in world.route("r").stops if stop.acts)
    assert [(act.order_id, act.kind) for act in stop.acts] == [("o1", ActKind.DROP)]
    assert (stop.store_id == "kitchen") == (state is S.RETURNING)
    world.check()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("lag_s", [BEFORE, SAME, AFTER])
@pytest.mark.parametrize("meanwhile", [_nothing, _cancel, _log_off, _lose, _hand_over, _give_up, _fail])
def test_goods_handed_over_at_the_door_are_delivered(meanwhile: Meanwhile, lag_s: int, named: bool) -> None:
    world = at_door()
    world.offline.add("r")
    asked_at = world.now
    meanwhile(world)
    assert world.board.riders["r"].lost == (meanwhile is _lose)
    world.now = asked_at + 40
    events = completes(world, AT_DOOR, asked_at + lag_s, ("o1",) if named else None)
    if meanwhile is _give_up and lag_s == AFTER:
        assert contradicted(events) and world.state("o1") is S.UNDELIVERED, "an end gives way to what came before it"
    else:
        assert not contradicted(events)
        order = world.board.orders["o1"]
        assert (order.state, order.rider_id, order.ended_at) == (S.DELIVERED, "r", asked_at + lag_s)
        assert order.end_reason is None
        assert not any(stop.acts for stop in world.route("r").stops), "nothing is left to bring back"
    world.check()


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("meanwhile", [_cancel, _log_off, _lose])
def test_a_whole_errand_without_a_line_ends_as_it_did(meanwhile: Meanwhile, named: bool) -> None:
    world = at_counter()
    world.offline.add("r")
    world.rider("other", 100, 0)
    meanwhile(world)
    world.until(900)
    order_ids = ("o1",) if named else None
    for stop_id, at in ((AT_COUNTER, 185), (AT_DOOR, 420)):
        assert not contradicted(completes(world, stop_id, T0 + at, order_ids))
        world.check()
    order = world.board.orders["o1"]
    assert (order.state, order.rider_id) == (S.DELIVERED, "r")
    assert (order.picked_up_at, order.ended_at) == (T0 + 185, T0 + 420)
    assert not any(stop.acts for rider_id in ("r", "other") for stop in world.route(rider_id).stops)


def test_every_order_of_what_can_happen_at_the_door_leaves_a_whole_board() -> None:
    """Whatever comes first; where goods were handed over at the door before an end was reported, they are delivered."""
    happens: dict[str, Meanwhile] = {
        "cancel": _cancel, "complete": lambda world: completes(world, AT_DOOR, world.now) and None,
        "fail": _fail, "handover": _hand_over, "log off": _log_off, "lost": _lose, "give up": _give_up,
    }  # fmt: skip
    for steps in itertools.permutations(happens, 3):
        world = at_door()
        world.offline.add("r")
        has_ended = False
        for step in steps:
            world.now += 5
            with suppress(Refused):
                happens[step](world)
            world.check()
            if step == "complete" and not has_ended:
                assert world.state("o1") is S.DELIVERED, steps
            has_ended = has_ended or world.state("o1").is_final
        if steps[0] == "complete":
            assert world.board.orders["o1"].ended_at == T0 + 425, steps


def test_goods_brought_back_are_returned() -> None:
    world = at_door()
    _cancel(world)
    world.until(900)
    back = world.route("r").told[0]
    assert back.store_id == "kitchen"
    completes(world, back.stop_id, T0 + 800)
    assert world.state("o1") is S.RETURNED
    world.check()


def test_who_was_told_after_a_failed_pickup_that_goods_are_there_has_them() -> None:
    world = at_counter()
    item = i.StopFailed(at=world.now, rider_id="r", stop_id=AT_COUNTER, happened_at=world.now, reason="not_ready")
    world.say(item)
    assert world.state("o1") is S.CREATED
    world.now += 10
    assert not contradicted(completes(world, AT_COUNTER, world.now))
    assert world.board.orders["o1"].carried_by == "r"
    world.check()
    world.deliver_all()
    assert world.state("o1") is S.DELIVERED


def test_a_report_said_twice_is_one_fact() -> None:
    world = at_counter()
    completes(world, AT_COUNTER, world.now, ("o1",))
    assert contradicted(completes(world, AT_COUNTER, world.now, ("o1",)))
    assert world.state("o1") is S.ENROUTE_TO_DROPOFF, "fetched twice is not delivered"
    world.until(420)
    completes(world, AT_DOOR, world.now)
    before = world.board.orders["o1"].ended_at
    world.now += 30
    assert contradicted(completes(world, AT_DOOR, world.now))
    assert world.board.orders["o1"].ended_at == before
    world.check()


@pytest.mark.parametrize("offline", [False, True])
def test_a_report_without_ids_means_the_stop_as_the_phone_showed_it(offline: bool) -> None:
    world = at_counter(rules__add_orders_until="pickup", rules__remove_orders_until="pickup")
    world.order("o2", "kitchen", 950, 0, ready_s=60)
    if offline:
        world.offline.add("r")
    world.until(next(at for at in range(151, 400) if world.until(at) or _is_told(world, "o2")))
    completes(world, AT_COUNTER, world.now)
    assert world.state("o1").is_on_board and world.state("o2").is_on_board != offline
    world.check()


def test_in_the_second_of_a_change_what_stood_on_either_version_counts() -> None:
    world = at_counter(rules__add_orders_until="pickup", rules__remove_orders_until="pickup")
    world.order("o2", "kitchen", 950, 0, ready_s=60)
    world.until(next(at for at in range(151, 400) if world.until(at) or _is_told(world, "o2")))
    world.now += 30
    _cancel(world)
    completes(world, AT_COUNTER, world.now)
    assert world.state("o1") is S.RETURNING and world.state("o2").is_on_board
    world.check()


def _is_told(world: World, order_id: str) -> bool:
    return any(act.order_id == order_id for stop in world.route("r").told for act in stop.acts if act.level >= 2)


# --- whose goods -----------------------------------------------------------------------------------------------------


def two_riders() -> World:
    """r carries o1 and stands at its door; s is on the way to the kitchen for o2."""
    world = at_door()
    world.rider("s", 0, 0)
    world.order("o2", "kitchen", -600, 0)
    world.until(480)
    assert world.route("s").told
    return world


@pytest.mark.parametrize("stop_id", ["s.1", "s.2", "s.9", "r.2"])
def test_nobody_hands_over_what_another_carries(stop_id: str) -> None:
    world = two_riders()
    route = world.route("r")
    item = i.StopCompleted(at=world.now, rider_id="s", stop_id=stop_id, happened_at=world.now, order_ids=("o1",))
    assert contradicted(list(world.say(item)))
    assert world.state("o1") is S.ARRIVED_AT_DROPOFF and world.route("r") == route
    assert world.board.orders["o1"].carried_by == "r"
    world.check()


def test_of_two_riders_who_say_that_they_fetched_goods_the_second_hears_the_truth() -> None:
    world = two_riders()
    heard = []
    for rider_id in ("r", "s"):
        stop_id = world.route(rider_id).told[0].stop_id
        said = i.StopCompleted(
            at=world.now, rider_id=rider_id, stop_id=stop_id, happened_at=world.now, order_ids=("o2",)
        )
        heard.append(contradicted(list(world.say(said))))
    assert heard == [False, True]
    assert world.board.orders["o2"].carried_by == "r"
    world.check()


def test_who_fetched_goods_left_at_a_place_has_them() -> None:
    world = two_riders()
    _hand_over(world)
    item = i.StopCompleted(at=world.now, rider_id="s", stop_id="s.1", happened_at=world.now, order_ids=("o1",))
    world.say(item)
    assert world.board.orders["o1"].carried_by == "s"
    assert contradicted(completes(world, AT_DOOR, world.now + 1)), "the first rider's bag is empty"
    world.check()


# --- instants --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [-5 * 3600, -86_400 * 365, 3600])
def test_a_phone_whose_clock_is_hours_off_delivers_when_it_can_have_been(skew_s: int) -> None:
    world = at_counter()
    said = completes(world, AT_COUNTER, world.now + skew_s)
    world.until(420)
    said += world.say(i.StopArrived(at=world.now, rider_id="r", stop_id=AT_DOOR, happened_at=world.now + skew_s))
    said += completes(world, AT_DOOR, world.now + skew_s)
    order = world.board.orders["o1"]
    assert order.state is S.DELIVERED
    assert order.order.placed_at < order.picked_up_at <= order.ended_at <= world.now
    clamped = [event for event in said if isinstance(event, e.InstantClamped)]
    assert len(clamped) == 3 and all(event.happened_at != event.said_at for event in clamped)
    world.check()


def test_no_fact_lies_in_the_future_and_those_of_an_order_follow_each_other() -> None:
    world = at_door()
    completes(world, AT_DOOR, world.now)
    last = 0
    for item, events in world.journal:
        for event in events:
            if isinstance(event, e.OrderMoved) and event.order_id == "o1":
                assert last <= event.happened_at <= item.at, event
                last = event.happened_at
    assert world.state("o1") is S.DELIVERED


# --- what is remembered ----------------------------------------------------------------------------------------------


def test_a_rider_remembers_so_many_stops_and_a_snapshot_does_too() -> None:
    world = World()
    world.store("kitchen", 300, 0)
    world.rider("r", 0, 0)
    for k in range(MOST_SHOWN):
        world.order(f"o{k}", "kitchen", 400, 0)
        world.deliver_all(7200 * 10)
    shown = world.board.riders["r"].shown
    assert len(shown) == MOST_SHOWN and all(version.seen_at is not None for version in shown)
    assert Board.load(world.places, world.board.dump()).riders["r"].shown == shown


def test_a_snapshot_of_an_earlier_version_knows_in_whose_bag_goods_are() -> None:
    world = at_door()
    state = world.board.dump()
    del state["orders"]["o1"]["carried_by"]
    assert Board.load(world.places, state).orders["o1"].carried_by == "r"
