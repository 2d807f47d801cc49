"""What is said of an order, learnt from its end, and promised by rule: in a small city, by events alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.codec import decode_event, decode_input, encode
from dispatch.engine.decisions.promises import PROMISE_STEP_S, promised
from dispatch.promise.told import PLAN, QUOTE
from dispatch.promise.tracker import ODDS
from tests.kit.world import T0, World


def city(**settings: object) -> World:
    world = World(**{"rules__promise_odds": True, **settings})
    world.store("s", 300, 0)
    world.rider("a", 0, 0, hours=24)
    return world


def events_of(world: World, kind: type[e.Event]) -> list[e.Event]:
    return [event for _, events in world.journal for event in events if isinstance(event, kind)]


def taught(world: World, late_s: int, basis: str = QUOTE, orders: int = 600) -> None:
    """As if so many orders had come `late_s` seconds after they were expected."""
    groups = ((f"{basis}/all", orders, (late_s * 1_000_000_000,) * 10),)
    world.say(i.PromiseTaught(at=world.now, groups=groups, taught=((basis, orders),), spread_ms=((basis, 60_000),)))


def test_an_order_is_spoken_of_once_with_its_first_plan_and_teaches_once_at_its_end() -> None:
    world = city()
    world.order("o", "s", 900, 0)
    world.deliver_all()
    said = events_of(world, e.PromiseSaid)
    assert [(one.order_id, one.said.basis) for one in said] == [("o", PLAN)]
    (learnt,) = events_of(world, e.PromiseLearned)
    assert [lesson.basis for lesson in learnt.lessons] == [PLAN, PLAN + ODDS]
    assert world.board.promise.taught == {PLAN: 1} and world.board.orders["o"].taught
    world.check()


def test_what_is_said_changes_no_decision() -> None:
    routes = []
    for odds in (True, False):
        world = city(rules__promise_odds=odds)
        world.rider("b", 900, 300, hours=24)
        for n in range(8):
            world.order(f"o{n}", "s", 300 + 200 * n, 100 * n)
        world.deliver_all()
        assert bool(events_of(world, e.PromiseSaid)) is odds
        routes.append(events_of(world, e.RouteRevised))
    assert routes[0] == routes[1]


def test_the_state_follows_from_the_events_alone() -> None:
    """A fold asks nobody: it adds up what stands in the events, as they are written down."""
    world = city()
    for n in range(6):
        world.order(f"o{n}", "s", 300 + 200 * n, 0)
    world.deliver_all()
    folded = Board(world.board.places, world.board.settings)
    for item, events in world.journal:
        assert decode_input(encode(item)) == item
        for event in events:
            again = decode_event(encode(event))
            assert again == event
            folded.apply(again)
    assert folded.promise.dump() == world.board.promise.dump() != {}
    again = Board.load(world.board.places, world.board.dump())
    assert again.promise.dump() == world.board.promise.dump()


def placed(world: World, order_id: str, *, expected_s: int | None, ours: bool = True) -> int:
    """Places a copy of an order whose promise is half an hour; answers seconds of what it is promised."""
    world.order(f"{order_id}-like", "s", 900, 0)
    like = world.board.orders[f"{order_id}-like"].order
    order = replace(like, order_id=order_id)
    expected_at = None if expected_s is None else order.placed_at + expected_s
    world.say(i.OrderPlaced(at=world.now, order=order, expected_drop_at=expected_at, promise_is_ours=ours))
    taken = world.board.orders[order_id].order
    return taken.due_at - taken.placed_at


@pytest.mark.parametrize(
    ("rule", "expected_s", "meant_s"),
    [
        ("fixed", 1200, 1800),
        ("p90", 1200, 1500),  # 20 minutes, 5 later than expected: 25
        ("later", 1200, 1800),
        ("p90", 1770, 2100),  # 34.5 minutes, in whole ones: 35
        ("later", 1770, 2100),
        ("p90", None, 1800),  # nobody could take it: nothing is known
    ],
)
def test_a_promise_by_rule(rule: str, expected_s: int | None, meant_s: int) -> None:
    world = city(rules__promise_rule=rule)
    taught(world, 300)
    found = placed(world, "o", expected_s=expected_s)
    assert abs(found - meant_s) < PROMISE_STEP_S and found >= meant_s - PROMISE_STEP_S
    if expected_s is not None:
        (said,) = [one.said for one in events_of(world, e.PromiseSaid) if one.said.basis == QUOTE]
        assert said.due_at == world.board.orders["o"].order.due_at, "what was told stands in its event"
        assert (said.on_time >= 900) is (rule != "fixed" or expected_s + 300 <= 1800)


def test_a_promise_of_the_caller_stands_whatever_the_rule() -> None:
    world = city(rules__promise_rule="p90")
    taught(world, 3600)
    assert placed(world, "o", expected_s=1200, ours=False) == 1800


def test_what_is_not_calibrated_promises_nothing() -> None:
    world = city(rules__promise_rule="p90")
    taught(world, 300, orders=599)
    assert placed(world, "o", expected_s=1200) == 1800
    assert not world.board.orders["o"].said[0].calibrated


def test_an_order_that_is_not_delivered_counts_as_later_than_anything_said() -> None:
    world = city(rules__give_up_s=600)
    world.order("o", "s", 900, 0, load_units=10_000)
    like = world.board.orders["o"].order
    order = replace(like, order_id="p")
    world.say(i.OrderPlaced(at=world.now, order=order, expected_drop_at=world.now + 1200))
    world.until(3600)
    assert world.board.orders["p"].state.value == "undelivered"
    (learnt,) = events_of(world, e.PromiseLearned)
    assert all(step > 0 for step in learnt.lessons[0].steps)


def test_an_order_called_off_teaches_nothing() -> None:
    world = city()
    world.order("o", "s", 900, 0)
    world.until(60)
    assert events_of(world, e.PromiseSaid)
    world.say(i.OrderCancelled(at=world.now, order_id="o"))
    world.until(7200)
    assert events_of(world, e.PromiseLearned) == []


def test_a_quote_and_the_order_placed_on_it_say_the_same() -> None:
    world = city(rules__promise_rule="later")
    taught(world, 900)
    world.order("o", "s", 900, 0)
    order = replace(world.board.orders["o"].order, order_id="p")
    quoted, said = promised(world.board, order, T0 + 1500, world.now)
    world.say(i.OrderPlaced(at=world.now, order=order, expected_drop_at=T0 + 1500, promise_is_ours=True))
    assert world.board.orders["p"].order == quoted
    assert said is not None and world.board.orders["p"].said[0] == said
