"""A round from Frozen to answer: travel block, plan, empty moves, ids.

The only place where dispatch meets the planners of `routing.plans`.  Pure: the same Frozen, travel times and work
budget give the same answer; a live host adds `expired`, which may cut the search short.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import numpy as np

from dispatch.board.commitment import LastMoment, rule_for
from dispatch.inputs import RoundSolved
from dispatch.rounds.changes import answer
from dispatch.rounds.empty_moves import with_empty_moves
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import legs_of_trips, travel_block
from dispatch.settings.groups import Rules
from routing.plans.budget import Budget
from routing.problem.evaluate import evaluate
from routing.problem.problem import NO_BLOCK, Explain, Problem, Reason, Solution, Travel, empty_rows
from routing.travel import TravelTimes

Recipe = Literal["insertion", "lns", "ortools", "lns+ortools"]


def _never() -> bool:
    return False


def seed_of(frozen: Frozen) -> int:
    """The search seed of a round: a function of the configured seed and the round's number."""
    return (frozen.settings.search.seed * 1_000_003 + frozen.round) & 0x7FFFFFFF


def solve(
    frozen: Frozen,
    travel: Travel,
    *,
    recipe: Recipe | None = None,
    expired: Callable[[], bool] = _never,
    threads: int | None = None,
) -> Solution:
    """Plan a round with the configured recipe and threads (or others): insertion, search, OR-Tools, as it says."""
    settings = frozen.settings
    problem = frozen.problem
    if not len(problem.start_place):
        return _nobody_there(problem)
    chosen = recipe or cast(Recipe, settings.search.recipe)
    budget = Budget(settings.search.work_per_order * _orders(problem), expired)
    from routing.plans.plan import plan_routes

    return plan_routes(
        problem, travel, recipe=chosen, budget=budget, seed=seed_of(frozen), threads=threads or settings.search.threads,
        explain=_told_soon(settings.rules),
    )  # fmt: skip


def _orders(problem: Problem) -> int:
    """Orders that somebody has still to fetch, one with alternatives once."""
    fetched = problem.aboard_of < 0
    if not problem.choice.size:
        return int(fetched.sum())
    return int((fetched & (problem.choice < 0)).sum()) + len(np.unique(problem.choice[problem.choice >= 0]))


def _told_soon(rules: Rules) -> Explain:
    """Orders that may be told before the next round has been answered."""
    return Explain(2 * rules.round_s + rules.commit_lead_s, isinstance(rule_for(rules), LastMoment))


def _nobody_there(problem: Problem) -> Solution:
    """The plan of a round without riders."""
    none = np.zeros(0, dtype=np.int32)
    reason = np.full(len(problem.pick_place), Reason.NO_RIDER_IN_REACH, dtype=np.int8)
    cost = evaluate(problem, NO_LEGS, empty_rows(0)).cost
    return Solution(empty_rows(0), none, none, none, none, reason, cost, 0, ())


NO_LEGS = Travel(NO_BLOCK, NO_BLOCK)


def solve_round(
    frozen: Frozen,
    times: TravelTimes,
    *,
    recipe: Recipe | None = None,
    expired: Callable[[], bool] = _never,
    threads: int | None = None,
) -> RoundSolved:
    """Solve one round from beginning to end; the answer carries `at` of the freeze, the host sets its own."""
    # The routing model of OR-Tools looks at ways that no plan takes.
    whole = "ortools" in (recipe or frozen.settings.search.recipe)
    travel = (travel_block if whole else legs_of_trips)(frozen, times)
    solution = solve(frozen, travel, recipe=recipe, expired=expired, threads=threads)
    return answer(frozen, with_empty_moves(frozen, travel, solution))
