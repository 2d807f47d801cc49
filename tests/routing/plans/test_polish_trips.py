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
from routing.problem.problem import ActKind, Travel, TripRule

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
        trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY, slope=[[100, 100, 100]] * 2, per_work=[30, 30], told=rows,
    )  # fmt: skip
    return problem, Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)), rows


def test_crossed_trips_are_uncrossed() -> None:
    problem, travel, rows = crossed()
    better, work = polish(problem, travel, rows, Budget(1), TripModel(problem, travel))
    assert work == 4
    assert [stops[0][0] for stops in read_rows(better)] == [0, 1]
    assert evaluate(problem, travel, better).cost < evaluate(problem, travel, rows).cost
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
