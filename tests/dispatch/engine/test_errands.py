"""Nobody drives for nothing: who is on the way does there what they were sent for, and empty moves are worth it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.model import OrderState, Store
from dispatch.rounds import problem_arrays
from dispatch.settings.presets import DEFAULT, PRESETS
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.law import Law
from routing.problem.problem import Level, Problem, Travel
from tests.kit.world import World

PICKUP, DROP = 0, 1


def on_the_way(*, keep: list[int]) -> tuple[Problem, Travel]:
    """A vehicle under way to place 0, told to fetch request 0 there; 1 waits there too, 2 at place 1."""
    told = make_rows([[(0, [(0, PICKUP)]), (2, [(0, DROP)])]])
    problem = make_problem(
        pick_place=[0, 0, 1], drop_place=[2, 3, 4], start_place=[5], before=told,
        stop_level=[Level.UNDERWAY, Level.TENTATIVE], act_level=[Level.TOLD, Level.TENTATIVE],
        must_keep_ptr=[0, len(keep)], must_keep=keep, place=np.arange(6),
    )  # fmt: skip
    return problem, Travel(np.full((1, 6, 5), 10, dtype=np.int32), np.zeros((0, 0, 0), dtype=np.int32))


@pytest.mark.parametrize(
    ("first", "later", "lawful"),
    [([(0, PICKUP)], [], True), ([(1, PICKUP)], [], True), ([], [(1, PICKUP)], False), ([], [], False)],
)
def test_an_order_fetched_on_a_later_visit_does_not_make_the_first_one_worth_it(first, later, lawful) -> None:
    problem, travel = on_the_way(keep=[0, 1])
    drops = [(2 + r, [(r, DROP)]) for r, _ in first + later]
    route = [(0, first), (1, [(2, PICKUP)]), *([(0, later)] if later else []), (4, [(2, DROP)]), *drops]
    rows = make_rows([route])
    assert evaluate(problem, travel, rows).law == (Law.NONE if lawful else Law.MUST_KEEP)
    assert ["must_keep"] * (not lawful) == [one.code for one in audit(problem, travel, rows)]


def test_a_door_is_an_errand_too() -> None:
    told = make_rows([[(0, [(0, DROP)]), (1, [(1, DROP)])]])
    problem = make_problem(
        pick_place=[-1, -1], drop_place=[0, 1], aboard_of=[0, 0], start_place=[2], before=told,
        stop_level=[Level.UNDERWAY, Level.TOLD], act_level=[Level.TOLD] * 2, must_keep_ptr=[0, 1], must_keep=[0],
        place=np.arange(3),
    )  # fmt: skip
    travel = Travel(np.full((1, 3, 2), 10, dtype=np.int32), np.zeros((0, 0, 0), dtype=np.int32))
    past = make_rows([[(0, []), (1, [(1, DROP)]), (0, [(0, DROP)])]])
    assert evaluate(problem, travel, told).feasible
    assert evaluate(problem, travel, past).law == Law.MUST_KEEP
    assert [one.code for one in audit(problem, travel, past)] == ["must_keep"]


def moved(*, closes_at: int | None = None, silent_s: int = 0, **settings: object) -> bool:
    """Whether an idle rider is sent to a store 3 km away that had 20 orders in ten minutes; none is open."""
    world = World(rules__empty_moves=True, **settings)
    world.store("far", 3000, 0)
    if closes_at is not None:
        place = world.board.stores["far"].store.place
        world.say(i.StoreListed(at=world.now, store=Store("far", place, closes_at=world.now + closes_at)))
    for n in range(20):
        world.until(30 * n)
        world.order(f"o{n}", "far", 3000, 500)
        world.say(i.OrderCancelled(at=world.now, order_id=f"o{n}"))
    world.until(600)
    world.order("held", "far", 3000, 500)  # rounds open as long as something is open
    world.say(i.OrderHeld(at=world.now, order_id="held", held=True, reason="a test"))
    world.until(600 + silent_s)
    world.rider("idle", 0, 0)
    world.until(600 + silent_s + 400)
    return bool(world.route("idle").stops)


def test_an_empty_move_is_made_only_where_it_is_worth_its_driving() -> None:
    assert moved()
    assert moved(reposition__priced=True)
    assert not moved(reposition__priced=True, prices__work_per_s=1000)


def test_nobody_moves_to_a_store_that_closes_before_they_are_there() -> None:
    # They set off at 660; 3 km at 300 metres a minute are ten minutes: who arrives as it closes is too late.
    assert not moved(closes_at=600)
    assert not moved(closes_at=660 + 600)
    assert moved(closes_at=660 + 601)


def test_nobody_moves_when_orders_have_stopped_coming() -> None:
    # 21 orders, of which the store remembers half after two hours: 21 / 2 / 3 h are 7 expected in two hours of silence.
    assert moved(silent_s=7200)
    assert not moved(silent_s=7200, reposition__quiet_after=3.0)
    assert moved(silent_s=7200, reposition__quiet_after=12.0)
    assert moved(silent_s=600, reposition__quiet_after=3.0), "one expected order that did not come is no silence"


def bound_to_nothing(board: Board, requests: list[Any], riders: list[Any], may: Any) -> tuple[Any, Any]:
    """As `obligations` where nobody is held to what they were sent for."""
    return np.zeros(len(riders) + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)


def sent_for_nothing(monkeypatch: pytest.MonkeyPatch, *, held_to_it: bool) -> list[str]:
    """Riders who drove to a store where they had nothing to do, in a city where a nearer rider appears meanwhile."""
    if not held_to_it:
        monkeypatch.setattr(problem_arrays, "obligations", bound_to_nothing)
    settings = {key: value for key, value in PRESETS[DEFAULT].values.items() if key.startswith(("prices.", "rules."))}
    world = World(
        **{key.replace(".", "__"): value for key, value in settings.items()}, rules__round_mode="beat",
        rules__round_s=60, search__recipe="lns",
    )  # fmt: skip
    world.store("s1", 3000, 0)
    world.store("s2", 0, 3000)
    world.rider("ann", 0, 0)
    world.order("o1", "s1", 3000, 600)
    world.until(120)
    assert [act.order_id for act in world.route("ann").stops[0].acts] == ["o1"], "ann is on the way to s1"
    world.rider("bob", 2900, 0)
    world.order("o2", "s2", 300, 3000)
    world.until(240)
    world.check()
    empty = [
        rider_id
        for rider_id in ("ann", "bob")
        if world.route(rider_id).stops[:1] and not world.route(rider_id).stops[0].acts
    ]
    world.deliver_all()
    assert {world.state(order_id) for order_id in ("o1", "o2")} == {OrderState.DELIVERED}
    return empty


def test_a_round_does_not_take_away_what_a_rider_was_sent_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_for_nothing(monkeypatch, held_to_it=False) == ["ann"], "the city in which it would happen"
    monkeypatch.undo()
    assert sent_for_nothing(monkeypatch, held_to_it=True) == []
