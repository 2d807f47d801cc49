"""Plans routes for any Problem: one frame around the planners, from the told plan to a Solution that says why.

Check, start from what was told, insert, exchange, improve, exchange, polish, judge, reasons, receipts.  The planner for
trips takes a quarter to a sixteenth of the general one's time; it plans what it knows every law of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from routing.errors import InvalidInput
from routing.plans.budget import Budget
from routing.plans.general.planner import GeneralPlanner
from routing.plans.outcome import absent_from, judged, reasons, receipts
from routing.plans.planner import Objective, Planner
from routing.plans.trips.planner import TripPlanner, plans_trips
from routing.problem.evaluate import evaluate, fetched_soon
from routing.problem.problem import Explain, Problem, Rows, Solution, Travel
from routing.problem.validate import check

Recipe = Literal["insertion", "lns", "ortools", "lns+ortools"]

RECIPES: tuple[Recipe, ...] = ("insertion", "lns", "ortools", "lns+ortools")
OBJECTIVES: tuple[Objective, ...] = ("auto", "vehicles", "distance", "cost")

POLISH_SHARE = 0.3
"""Share of the budget that `lns+ortools` leaves to OR-Tools."""


def plan_routes(
    problem: Problem,
    travel: Travel,
    *,
    recipe: Recipe = "lns",
    objective: Objective = "auto",
    budget: Budget,
    seed: int = 0,
    threads: int = 1,
    explain: Sequence[int] | Explain = (),
    on_better: Callable[[Rows], None] | None = None,
) -> Solution:
    """The best plan found within the budget, never dearer than the told plan where that is still legal.

    `recipe`: "insertion" (told plan and new requests at their cheapest place), "lns" (exchange and search besides),
    "ortools" (insertion, exchange, then the OR-Tools routing model on a few clusters), "lns+ortools" (both).
    `objective`: `cost` takes the prices as they are; `distance` leaves the fixed price of vehicles out; `vehicles`
    saves vehicles before anything else; `auto` does so where a vehicle costs more than all driving.  `threads`: at
    most so many work at once on large plans (with work as the only limit the plan is the same for any number).
    `explain`: requests that get a receipt, or which of the served ones do.
    `on_better` sees the first plan, and every better one while the search runs.
    Raises InvalidProblem, InvalidInput (unknown recipe or objective), Unsupported.
    """
    if recipe not in RECIPES:
        raise InvalidInput(f"no recipe {recipe!r}", field="recipe", hint=f"One of {', '.join(RECIPES)}.")
    if objective not in OBJECTIVES:
        raise InvalidInput(f"no objective {objective!r}", field="objective", hint=f"One of {', '.join(OBJECTIVES)}.")
    check(problem, travel)
    priced = _priced(problem, objective)
    planner = planner_for(priced, travel, seed, objective, threads)
    planner.insert_new()
    if recipe != "insertion":
        planner.exchange()
    if on_better is not None:
        on_better(planner.rows())
    if recipe in ("lns", "lns+ortools"):
        share = 1 - POLISH_SHARE
        mine = budget.part(int(budget.work * share), 0.0, share) if recipe == "lns+ortools" else budget
        planner.improve(mine, on_better)
        planner.exchange()
    rows, work = planner.rows(), planner.work
    if recipe in ("ortools", "lns+ortools"):
        rows, polishing = _polished(priced, travel, planner, rows, budget)
        work += polishing
    rows, timeline = judged(priced, travel, rows)
    if priced is not problem:
        timeline = evaluate(problem, travel, rows)
    absent = absent_from(problem, rows)
    if isinstance(explain, Explain):
        explained = fetched_soon(problem, rows, timeline, explain)
    else:
        explained = np.intersect1d(rows.act_request, np.array(explain, dtype=np.int32))
    if len(absent) or len(explained):
        planner.hold(rows)
    said, explaining = receipts(problem, travel, rows, planner, explained)
    return Solution(
        rows, timeline.leg, timeline.arrive, timeline.act_at, timeline.leave,
        reason=reasons(problem, travel, rows, timeline, planner, absent),
        cost=timeline.cost, work=work + explaining, receipts=said, rank=timeline.rank,
    )  # fmt: skip


def planner_for(
    problem: Problem, travel: Travel, seed: int, objective: Objective = "cost", threads: int = 1
) -> Planner:
    """The planner that suits a checked problem."""
    if objective != "vehicles" and plans_trips(problem, travel):
        return TripPlanner(problem, travel, seed)
    return GeneralPlanner(problem, travel, seed, objective, threads)


def _priced(problem: Problem, objective: Objective) -> Problem:
    """The Problem with the prices that the objective asks for."""
    if objective == "distance":
        return problem._replace(fixed=np.zeros_like(problem.fixed))
    return problem


def _polished(problem: Problem, travel: Travel, planner: Planner, rows: Rows, budget: Budget) -> tuple[Rows, int]:
    """Rows that cost no more than `rows`, by the OR-Tools routing model, and the work that took."""
    # Imported here: most plans are made without a child process.
    from routing.plans.ortools.polish import polish
    from routing.plans.ortools.polish_routes import RouteModel
    from routing.plans.ortools.polish_trips import TripModel

    trips = isinstance(planner, TripPlanner)
    return polish(problem, travel, rows, budget, (TripModel if trips else RouteModel)(problem, travel))
