"""The OR-Tools polish of trips: never worse, always lawful, and it finds what exchanging trips can save."""

from __future__ import annotations

import numpy as np
import pytest

from routing.plans.budget import Budget
from routing.plans.ortools.polish import polish
from routing.plans.ortools.polish_trips import TripModel
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows, read_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, ActKind, Travel, TripRule

PICK, DROP = int(ActKind.PICKUP), int(ActKind.DROP)


def crossed() -> tuple:  # type: ignore[type-arg]
    """Two riders, each standing at the store that the other was given: 0 and 1 stores, 2 and 3 drops beside them."""
    place = np.arange(4, dtype=np.int32)
    ticks = np.array([[[0, 600, 60, 660], [600, 0, 660, 60], [60, 660, 0, 600], [660, 60, 600, 0]]], dtype=np.int32)
    rows = make_rows(
        [
            [(1, [(1, PICK)]), (3, [(1, DROP)])],
            [(0, [(0, PICK)]), (2, [(0, DROP)])],
        ]
    )
    problem = make_problem(
        place=place, pick_place=[0, 1], drop_place=[2, 3], start_place=[0, 1], store=[0, 1],
        trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY, slope=[[100, 100, 100]] * 2, per_work=[30, 30], before=rows,
    )  # fmt: skip
    return problem, Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)), rows


def test_crossed_trips_are_uncrossed() -> None:
    problem, travel, rows = crossed()
    better, work = polish(problem, travel, rows, Budget(1), TripModel(problem, travel))
    assert work == 4
    assert [stops[0][0] for stops in read_rows(better)] == [0, 1]
    assert evaluate(problem, travel, better).cost < evaluate(problem, travel, rows).cost
    assert audit(problem, travel, better) == []


def two_in_a_row(charge: int) -> tuple:  # type: ignore[type-arg]
    """One vehicle told to fetch 0 and then 1, of which only 1 has a promise that the other sequence would keep."""
    place = np.arange(6, dtype=np.int32)
    ticks = np.full((1, 6, 6), 100, dtype=np.int32)
    ticks[0, 4, 0], ticks[0, 4, 1] = 60, 100
    rows = make_rows([[(0, [(0, PICK)]), (2, [(0, DROP)]), (1, [(1, PICK)]), (3, [(1, DROP)])], []])
    problem = make_problem(
        place=place, pick_place=[0, 1], drop_place=[2, 3], start_place=[4, 5], store=[0, 1],
        last_pickup=[INFINITE, -1], trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY, slope=[[2, 2, 2], [1, 1, 1]],
        due=[[900, 9000], [250, 9000]], late_fixed=[[charge, 0]] * 2, per_work=[1, 1], before=rows,
    )  # fmt: skip
    return problem, Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)), rows


def test_a_charge_for_a_missed_promise_is_seen_by_the_model() -> None:
    problem, travel, rows = two_in_a_row(0)
    assert [
        stop[0] for stop in read_rows(polish(problem, travel, rows, Budget(1), TripModel(problem, travel))[0])[0]
    ] == [0, 2, 1, 3]
    problem, travel, rows = two_in_a_row(60_000)
    better, _ = polish(problem, travel, rows, Budget(1), TripModel(problem, travel))
    assert [stop[0] for stop in read_rows(better)[0]] == [1, 3, 0, 2], "the later promise waits for the earlier one"
    assert evaluate(problem, travel, better).cost < evaluate(problem, travel, rows).cost - 50_000
    assert audit(problem, travel, better) == []


def test_time_that_is_up_leaves_the_plan_alone() -> None:
    problem, travel, rows = crossed()
    same, work = polish(problem, travel, rows, Budget(1, expired=lambda: True), TripModel(problem, travel))
    assert same is rows
    assert work == 0


@pytest.mark.parametrize("recipe", ["ortools", "lns+ortools"])
@pytest.mark.parametrize("seed", range(12))
def test_recipes_with_ortools_are_lawful_repeatable_and_never_worse_than_insertion(recipe: str, seed: int) -> None:
    from tests.kit.plans.trip_cases import random_round

    problem, travel = random_round(seed)
    plain = plan_routes(problem, travel, recipe="insertion", budget=Budget(500), seed=seed)
    first = plan_routes(problem, travel, recipe=recipe, budget=Budget(500), seed=seed)  # type: ignore[arg-type]
    again = plan_routes(problem, travel, recipe=recipe, budget=Budget(500), seed=seed)  # type: ignore[arg-type]
    if audit(problem, travel, plain) == []:  # some told plans of these cases cannot be driven at all
        assert audit(problem, travel, first) == []
        assert first.cost <= plain.cost
    assert first.cost == evaluate(problem, travel, first.rows).cost
    for one, other in zip(first.rows, again.rows, strict=True):
        assert (one == other).all()
