"""What no solver may answer: each impossible answer is named, and the possible one beside it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from api.solver.answer_check import flaw_of
from dispatch.inputs import PlannedStop, RoundSolved, RouteChange
from dispatch.model import ActKind
from dispatch.rounds.frozen_round import Frozen
from tests.kit.world import World


def asked(**rider: Any) -> tuple[Frozen, RoundSolved]:
    """A round of two orders of one store and two riders, and a lawful answer to it."""
    world = World()
    world.answers_rounds = False
    world.store("kitchen", 300, 0)
    world.rider("ann", 0, 0, **rider)
    world.rider("bob", 0, 0, provides=1)
    for k in (1, 2):
        world.order(f"o{k}", "kitchen", 600, 50 * k, load_units=2, needs=k - 1)
    world.until(0)
    frozen = world.engine.freeze()
    return frozen, world.policy.answer(frozen, world.times)


def given(frozen: Frozen, **routes: list[list[tuple[str, ActKind]]]) -> RoundSolved:
    """An answer in which each rider makes these stops, one a minute."""
    problem, request_of = frozen.problem, {order_id: r for r, order_id in enumerate(frozen.ids.order_ids)}

    def stop(k: int, acts: list[tuple[str, ActKind]]) -> PlannedStop:
        order_id, kind = acts[0]
        local = (problem.pick_place if kind is ActKind.PICKUP else problem.drop_place)[request_of[order_id]]
        at = frozen.at + 60 * (k + 1)
        return PlannedStop(int(problem.place[local]), None, tuple(acts), 30, 0, at, at, at)

    changes = tuple(
        RouteChange(
            rider_id, frozen.ids.revisions[frozen.ids.rider_ids.index(rider_id)], tuple(map(stop, range(9), acts))
        )
        for rider_id, acts in routes.items()
    )
    return RoundSolved(at=frozen.at, round=frozen.round, changes=changes)


P, D = ActKind.PICKUP, ActKind.DROP
BOTH = [[("o1", P), ("o2", P)], [("o1", D)], [("o2", D)]]


def test_what_the_planner_answers_is_possible() -> None:
    assert flaw_of(*asked()) is None


def test_a_route_made_by_hand_is_possible() -> None:
    frozen, _ = asked()
    assert flaw_of(frozen, given(frozen, bob=BOTH)) is None


@pytest.mark.parametrize(
    ("routes", "flaw"),
    [
        ({"ann": BOTH}, "order o2 is not for"),
        ({"ann": [[("o1", P)], [("o1", D)]], "bob": [[("o1", P)], [("o1", D)]]}, "order o1 is given to two riders"),
        ({"bob": [[("o1", P)], [("o1", D)], [("o1", P)], [("o1", D)]]}, "order o1 is unknown or served twice"),
        ({"bob": [[("o1", D)]]}, "order o1 is dropped before it is picked up"),
        ({"bob": [[("o1", P)]]}, "an order is picked up and never dropped"),
    ],
)
def test_an_impossible_answer_is_named(routes: dict[str, Any], flaw: str) -> None:
    frozen, _ = asked()
    found = flaw_of(frozen, given(frozen, **routes))
    assert found is not None and flaw in found


@pytest.mark.parametrize(("capacity", "fits"), [(4, True), (3, False)])
def test_a_bag_may_be_full_and_no_fuller(capacity: int, fits: bool) -> None:
    frozen, _ = asked(provides=1, capacity_units=capacity)
    found = flaw_of(frozen, given(frozen, ann=BOTH))
    assert (found is None) is fits and (fits or "does not fit" in str(found))


def test_an_answer_to_another_round_is_none_to_this() -> None:
    frozen, answer = asked()
    assert "an answer to round" in str(flaw_of(frozen, replace(answer, round=answer.round + 1)))
