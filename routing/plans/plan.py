"""Plans routes for any Problem: insertion, search and OR-Tools by recipe, with a reason for whatever is left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from routing.errors import InvalidInput, Unsupported
from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, sequence, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.reasons import explain_absent, explain_choices
from routing.plans.general.search import improve
from routing.plans.general.tables import Routes, Tables
from routing.plans.general.work import Work, new_work
from routing.problem.evaluate import Timeline, evaluate, fetched_soon
from routing.problem.problem import I8, Explain, Problem, Rows, Solution, Travel
from routing.problem.validate import check

log = logging.getLogger(__name__)

Recipe = Literal["insertion", "lns", "ortools", "lns+ortools"]
Objective = Literal["auto", "vehicles", "distance", "cost"]

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

    `objective`: `cost` takes the prices as they are; `distance` leaves the fixed price of vehicles out; `vehicles`
    saves vehicles before anything else; `auto` does so where a vehicle costs more than all driving.  `threads`: at
    most so many work at once on large plans (with work as the only limit the plan is the same for any number).
    `explain`: requests that get a receipt, or which of the served ones do.
    `on_better` sees every better plan while the search runs.
    Raises InvalidProblem, InvalidInput (unknown recipe or objective).
    """
    if recipe not in RECIPES:
        raise InvalidInput(f"no recipe {recipe!r}", field="recipe", hint=f"One of {', '.join(RECIPES)}.")
    if objective not in OBJECTIVES:
        raise InvalidInput(f"no objective {objective!r}", field="objective", hint=f"One of {', '.join(OBJECTIVES)}.")
    check(problem, travel)
    priced = _price(problem, objective)
    tables = gather(priced, travel)
    _refuse_what_needs_plain(priced, travel, tables)
    work = new_work(tables, seed)
    routes = start_routes(priced, tables, work)
    insert_absent(tables, routes, work, threads=threads)
    sequence(tables, routes, work)
    fleet = objective == "vehicles" or (objective == "auto" and _vehicles_first(tables, routes))
    if recipe in ("lns", "lns+ortools"):
        share = 1 - POLISH_SHARE
        mine = budget.part(int(budget.work * share), 0.0, share) if recipe == "lns+ortools" else budget
        tell = None if on_better is None else lambda best: on_better(to_rows(tables, best))
        routes = improve(tables, routes, work, mine, fleet=fleet, threads=threads, on_better=tell)
    rows = to_rows(tables, routes)
    if recipe in ("ortools", "lns+ortools"):
        from routing.plans.ortools.polish_routes import polish

        rows = polish(priced, travel, tables, rows, budget)
    rows, timeline = _no_worse_than_told(priced, travel, rows)
    if priced is not problem:
        timeline = evaluate(problem, travel, rows)
    return _solution(problem, travel, tables, rows, timeline, work, explain)


def _refuse_what_needs_plain(problem: Problem, travel: Travel, tables: Tables) -> None:
    """Refuse, by name, laws that only the search without prices of time knows."""
    if tables.plain:
        return
    for name, used in (
        ("breaks", len(problem.breaks.service)), ("max_drive", problem.max_drive.size),
        ("max_metres", problem.max_metres.size), ("max_acts", problem.max_acts.size),
        ("load_back", problem.load_back.any()), ("per_task", problem.per_task.any()), ("drive", travel.drive.size),
        ("toll", travel.toll.size),
    ):  # fmt: skip
        if used:
            raise Unsupported(f"{name} beside prices of time, shared stops or trips is not supported", field=name)


def _price(problem: Problem, objective: Objective) -> Problem:
    """The Problem with the prices that the objective asks for."""
    if objective == "distance":
        return problem._replace(fixed=np.zeros_like(problem.fixed))
    return problem


def _vehicles_first(tables: Tables, routes: Routes) -> bool:
    """Whether the cheapest vehicle costs more than everything that is driven; not where some cost more than others."""
    used = routes.size > 0
    fixed = tables.vehicle[:, col.FIXED]
    if tables.flag[col.RANKED] and (fixed.min() < fixed.max() or routes.missing[0]):
        return False
    return bool(used.any()) and int(fixed.min()) > int(routes.price[used].sum() - fixed[used].sum())


def _no_worse_than_told(problem: Problem, travel: Travel, rows: Rows) -> tuple[Rows, Timeline]:
    """The plan, or the told plan where that is legal and the new one is dearer or breaks a law."""
    timeline = evaluate(problem, travel, rows)
    told = evaluate(problem, travel, problem.told)
    if told.feasible and not (timeline.feasible and (timeline.rank, timeline.cost) <= (told.rank, told.cost)):
        return problem.told, told
    if not timeline.feasible:
        log.warning(
            "the told plan breaks the law (%s, vehicle %d) and cannot be mended", timeline.law, timeline.vehicle
        )
    return rows, timeline


def _solution(
    problem: Problem, travel: Travel, tables: Tables, rows: Rows, timeline: Timeline, work: Work,
    explain: Sequence[int] | Explain,
) -> Solution:  # fmt: skip
    if isinstance(explain, Explain):
        explain = fetched_soon(problem, rows, timeline, explain).tolist()
    return Solution(
        rows, timeline.leg, timeline.arrive, timeline.act_at, timeline.leave,
        reason=_reasons(problem, travel, tables, rows),
        cost=timeline.cost,
        work=int(work.counter[col.INSERTIONS]),
        receipts=explain_choices(problem, travel, tables, rows, explain) if explain else (), rank=timeline.rank,
    )  # fmt: skip


def _reasons(problem: Problem, travel: Travel, tables: Tables, rows: Rows) -> I8:
    """Reason per request, SERVED where it is on a route or stays on board."""
    served = np.zeros(len(problem.pick_place), dtype=np.bool_)
    served[rows.act_request] = True
    served |= (problem.aboard_of >= 0) & (problem.drop_place < 0)
    reason = np.zeros(len(served), dtype=np.int8)
    absent = np.flatnonzero(~served)
    reason[absent] = explain_absent(problem, travel, tables, rows, absent)
    return reason
