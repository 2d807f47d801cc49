"""Laws of a whole route: the evaluator against the judge, insertions against trying, searches against all plans."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.insert import to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve
from routing.plans.plan import plan_routes
from routing.problem.audit import audit, judge
from routing.problem.evaluate import evaluate
from tests.kit.plans.cases import random_rows
from tests.kit.plans.rich_cases import rich_problem
from tests.routing.plans.test_insertion import cheapest_by_trying, planned

NO_METRES = np.zeros((0, 0, 0), dtype=np.int32)
PICK, DROP = 0, 1


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 0.8]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_evaluator_and_judge_agree_on_whole_routes(seed, hard, sane):
    problem, travel = rich_problem(seed, hard=hard)
    rows = random_rows(np.random.default_rng(seed), problem, sane=sane)
    timeline, verdict = evaluate(problem, travel, rows), judge(problem, travel, rows)
    assert timeline.feasible == (not verdict.violations), (timeline.law, verdict.violations)
    if timeline.feasible:
        assert (timeline.rank, timeline.cost) == (verdict.rank, verdict.cost)
        assert timeline.law.name.lower() in {"none", *(violation.code for violation in verdict.violations)}


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.2, 0.5]))
@settings(max_examples=60, deadline=None)
def test_the_cheapest_insertion_is_that_of_trying_all(seed, hard):
    problem, travel = rich_problem(seed, requests=4, hard=hard)
    out = seed % 4
    tables, routes, work = planned(problem, travel, out)
    before = evaluate(problem, travel, to_rows(tables, routes))
    assert before.feasible
    for vehicle in range(len(problem.start_place)):
        tried = cheapest_by_trying(problem, travel, tables, routes, out, vehicle)
        price, pick, _ = best_in(tables, routes, out, vehicle, col.LOCKED, work)
        if not may_serve(tables, out, vehicle):
            continue
        assert (pick >= 0) == (tried is not None)
        if tried is not None:
            assert price == tried - before.cost + int(problem.skip_cost[out])


@given(st.integers(0, 2**32), st.sampled_from([0.2, 0.6]))
@settings(max_examples=25, deadline=None)
def test_found_plans_pass_the_judge(seed, hard):
    problem, travel = rich_problem(seed, requests=6, vehicles=3, hard=hard)
    solution = plan_routes(problem, travel, budget=Budget(600), seed=seed % 7)
    assert audit(problem, travel, solution) == []
