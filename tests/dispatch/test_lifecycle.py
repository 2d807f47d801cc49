"""Every cell of the lifecycle table: what may follow what, and that everything can end."""

from __future__ import annotations

import pytest

from dispatch.errors import Refused
from dispatch.inputs import OrderCancelled, PlannedStop, RoundSolved, RouteChange
from dispatch.lifecycle import CORRECTABLE, TABLE, Trigger, next_state, require
from dispatch.model import ActKind, Level, OrderState
from tests.kit.world import World


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("trigger", Trigger)
def test_each_cell_is_a_state_or_a_refusal(state: OrderState, trigger: Trigger) -> None:
    after = next_state(state, trigger)
    if after is None:
        with pytest.raises(Refused) as refused:
            require("o1", state, trigger)
        assert refused.value.code == "invalid_transition"
        assert refused.value.details["state"] == state.value
    else:
        assert require("o1", state, trigger) is after


def test_final_states_are_final() -> None:
    assert not [cell for cell in TABLE if cell[0].is_final]


@pytest.mark.parametrize("state", [state for state in OrderState if not state.is_final])
def test_every_open_state_can_end(state: OrderState) -> None:
    reached, frontier = {state}, [state]
    while frontier:
        now = frontier.pop()
        for (before, _), after in TABLE.items():
            if before is now and after not in reached:
                reached.add(after)
                frontier.append(after)
    assert any(found.is_final for found in reached)


def test_goods_on_board_never_become_nobodys_by_a_plan() -> None:
    for (state, trigger), after in TABLE.items():
        if state.is_on_board:
            assert after is not OrderState.CREATED, (state, trigger)
            assert after is not OrderState.CANCELLED, (state, trigger)


def test_only_facts_correct_a_final_state() -> None:
    assert {trigger for _, trigger in CORRECTABLE} <= {Trigger.PICKED_UP, Trigger.DELIVERED, Trigger.RETURNED}


def test_a_rider_whose_counter_became_empty_is_under_way_to_what_the_phone_shows_next() -> None:
    world = World(rules__commit="at_once", rules__add_orders_until="departure", rules__remove_orders_until="departure")
    world.answers_rounds = False
    world.store("a", 0, 0)
    world.store("b", 400, 0)
    world.rider("r", 0, 0)
    world.order("o1", "a", 800, 0)
    world.order("o2", "b", 820, 0)
    world.until(60)
    board = world.board
    plan = (
        (board.stores["a"].store.place, "a", "o1", ActKind.PICKUP, 0),
        (board.stores["b"].store.place, "b", "o2", ActKind.PICKUP, 200),
        (board.orders["o1"].order.drop_place, None, "o1", ActKind.DROP, 400),
        (board.orders["o2"].order.drop_place, None, "o2", ActKind.DROP, 524),
    )
    stops = tuple(
        PlannedStop(place, store_id, ((order_id, kind),), 80, 0, *(world.now + s + more for more in (0, 60, 120)))
        for place, store_id, order_id, kind, s in plan
    )
    change = RouteChange("r", world.route("r").revision, stops)
    world.say(RoundSolved(at=world.now, round=board.open_round or 0, changes=(change,)))
    world.arrive("r")
    world.until(180)
    world.complete("r")
    world.until(300)
    world.arrive("r")
    counter, door = world.route("r").stops[:2]
    assert (counter.store_id, counter.level, door.level) == ("b", Level.AT_STOP, Level.TOLD)
    world.offline.add("r")
    world.say(OrderCancelled(at=world.now, order_id="o2"))
    (onward,) = world.route("r").stops
    assert (onward.stop_id, onward.level) == (door.stop_id, Level.UNDERWAY), "the phone shows it already"
    assert board.riders["r"].departed_at == world.now
    assert world.state("o1") is OrderState.ENROUTE_TO_DROPOFF
    world.check()
