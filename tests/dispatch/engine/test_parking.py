"""One order or rider that a round fails because of costs itself, never the city."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import dispatch.rounds.solve
from dispatch import events as e
from dispatch import inputs as i
from dispatch.engine.decisions import rounds
from dispatch.model import Level, OrderState, Reason, Rider
from dispatch.rounds.blame import culprits, unplannable
from dispatch.rounds.freeze import freeze
from tests.kit.world import T0, World

NEVER = T0 + 2**33
"""An instant that no round can count to: what a check at the door has let through before there was one."""


@pytest.mark.parametrize("bad", [(), (0,), (7,), (3, 4), (0, 5, 15), tuple(range(16))])
def test_halving_finds_those_without_whom_nothing_fails(bad: tuple[int, ...]) -> None:
    found, complete = culprits(range(16), lambda present: bool(present & set(bad)))
    assert (sorted(found), complete) == (list(bad), True)


def test_of_two_that_fail_together_the_later_is_to_blame() -> None:
    found, complete = culprits(range(10), lambda present: {2, 7} <= present)
    assert (found, complete) == ([7], True)


def test_a_search_that_takes_too_long_names_those_it_has_found() -> None:
    found, complete = culprits(range(2000), lambda present: any(k % 10 == 3 for k in present))
    assert found and not complete and all(k % 10 == 3 for k in found)


class Trying(World):
    """A world whose host does with a failing round what hosts do."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(
            **({"rules__add_orders_until": "departure", "rules__remove_orders_until": "departure"} | settings)
        )
        self.answers_rounds = False

    def say(self, item: i.Input) -> tuple[e.Event, ...]:
        events = super().say(item)
        for event in events:
            if isinstance(event, e.RoundOpened):
                self.solve(event.round)
        return events

    def solve(self, number: int) -> None:
        try:
            self.say(self.policy.answer(self.engine.freeze(), self.times))
        except Exception:
            found = unplannable(self.board.dump(), self.places, self.times)
            self.say(i.Parked(at=self.now, order_ids=found.order_ids, rider_ids=found.rider_ids, reason="a test"))
            self.say(i.RoundSolved(at=self.now, round=number, cause="FALLBACK"))


def city(**settings: Any) -> Trying:
    world = Trying(**settings)
    world.store("kitchen", 0, 0)
    world.rider("alice", 100, 0)
    world.rider("bob", 0, 100)
    return world


def smuggle(world: World, order_id: str, **fields: Any) -> None:
    """A value that the door refuses, as an old journal may hold it."""
    record = world.board.orders[order_id]
    for name, value in fields.items():
        setattr(record, name, value)


def test_an_order_beyond_all_time_is_parked_with_a_reason_and_the_others_go_on() -> None:
    world = city()
    for k in range(5):
        world.order(f"o{k}", "kitchen", 500 + 10 * k, 0)
    smuggle(world, "o2", expected_ready_at=NEVER)
    world.until(120)
    parked = world.board.orders["o2"]
    assert parked.parked is i.Stage.PLANNING and parked.reason is Reason.PARKED
    said = [x for _, events in world.journal for x in events if isinstance(x, e.OrderParked)]
    assert [(x.order_id, x.reason) for x in said] == [("o2", "a test")]
    assert world.board.round <= 3, "no round was lost beside the one that failed"
    assert all(world.board.orders[f"o{k}"].planned_rider_id for k in (0, 1, 3, 4))


def test_it_takes_part_again_when_it_changes() -> None:
    world = city()
    world.order("o1", "kitchen", 500, 0)
    smuggle(world, "o1", expected_ready_at=NEVER)
    world.until(60)
    assert world.board.orders["o1"].parked
    world.say(i.ReadyEstimated(at=world.now, order_id="o1", expected_ready_at=world.now + 60))
    assert not world.board.orders["o1"].parked
    world.until(240)
    assert world.board.orders["o1"].planned_rider_id and world.board.orders["o1"].reason is not Reason.PARKED


def test_an_order_told_to_a_rider_leaves_the_route_and_the_rider_works_on() -> None:
    world = city(rules__commit="at_once")
    world.order("o1", "kitchen", 500, 0)
    world.until(60)
    rider_id = world.board.orders["o1"].rider_id
    assert rider_id is not None
    smuggle(world, "o1", expected_ready_at=NEVER)
    world.order("o2", "kitchen", 520, 0)
    world.until(240)
    assert world.board.orders["o1"].parked and world.state("o1") is OrderState.CREATED
    assert world.board.orders["o2"].planned_rider_id


def test_goods_on_board_are_parked_with_their_rider_who_keeps_the_route() -> None:
    world = city(rules__commit="at_once")
    world.order("o1", "kitchen", 500, 0)
    world.until(60)
    rider_id = world.board.orders["o1"].rider_id
    assert rider_id is not None
    world.arrive(rider_id)
    world.until(120)
    world.complete(rider_id)
    record = world.board.orders["o1"]
    record.order = replace(record.order, earliest_drop_at=NEVER)
    world.order("o2", "kitchen", 520, 0)
    world.until(300)
    rider = world.board.riders[rider_id]
    assert rider.parked and [stop.level for stop in rider.route.stops] >= [Level.TOLD]
    assert world.board.orders["o2"].planned_rider_id not in (None, rider_id)
    world.arrive(rider_id)
    world.complete(rider_id)
    assert world.state("o1") is OrderState.DELIVERED and not rider.parked, "what was wrong has gone with the order"


def test_a_rider_who_cannot_be_put_into_a_round_is_parked_and_nobody_else() -> None:
    world = city()
    world.order("o1", "kitchen", 500, 0)
    record = world.board.riders["alice"]
    record.rider = replace(record.rider, capacity_units=2**40)
    world.until(120)
    assert record.parked and not world.board.orders["o1"].parked
    assert world.board.orders["o1"].planned_rider_id == "bob"
    world.say(i.RiderListed(at=world.now, rider=Rider("alice", record.rider.place)))
    assert not record.parked


def test_a_rider_who_fails_with_every_order_is_to_blame_and_not_the_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    world = city()
    honest = dispatch.rounds.solve.solve_round

    def planner(frozen: Any, *rest: Any, **named: Any) -> Any:
        if "alice" in frozen.ids.rider_ids and frozen.ids.order_ids:
            raise ZeroDivisionError
        return honest(frozen, *rest, **named)

    monkeypatch.setattr(dispatch.rounds.solve, "solve_round", planner)
    for k in range(4):
        world.order(f"o{k}", "kitchen", 500 + k, 0)
    world.board.now = world.now
    found = unplannable(world.board.dump(), world.places, world.times)
    assert (found.order_ids, found.rider_ids) == ((), ("alice",))


def test_where_nobody_is_to_blame_nobody_is_parked(monkeypatch: pytest.MonkeyPatch) -> None:
    world = city()
    world.order("o1", "kitchen", 500, 0)

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(dispatch.rounds.solve, "solve_round", broken)
    assert unplannable(world.board.dump(), world.places, world.times) == ((), ())


def test_a_wake_up_that_fails_because_of_one_rider_passes_for_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    world = city(rules__commit="at_once")
    world.order("o1", "kitchen", 500, 0)
    world.order("o2", "kitchen", 0, 5000)
    world.until(60)
    sick = world.board.orders["o1"].rider_id
    honest = rounds._silent

    def silent(board: Any, rider_id: str, at: int) -> Any:
        if rider_id == sick:
            raise KeyError(rider_id)
        return honest(board, rider_id, at)

    monkeypatch.setattr(rounds, "_silent", silent)
    wake = i.Wake(at=world.now + 4000)
    monkeypatch.setattr(world.engine._riders, "due", lambda at: ("alice", "bob"))
    with pytest.raises(KeyError):
        world.engine.decide(wake)
    blame = world.engine.to_blame(wake)
    assert blame is not None and blame.rider_ids == (sick,) and blame.stage is i.Stage.TELLING
    world.engine.handle(blame)
    monkeypatch.undo()
    assert sick not in world.engine._riders.due(wake.at), "not asked again until something changes"


def test_a_board_with_somebody_parked_folds_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    world = city()
    world.order("o1", "kitchen", 500, 0)
    world.say(i.Parked(at=world.now, order_ids=("o1", "unknown"), rider_ids=("bob", "unknown"), reason="a test"))
    assert world.board.orders["o1"].parked and world.board.riders["bob"].parked
    assert world.folded().dump() == world.board.dump()
    assert not freeze(world.board).ids.order_ids
