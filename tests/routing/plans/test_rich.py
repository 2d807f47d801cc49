"""Laws of a whole route: the evaluator against the judge, insertions against trying, searches against all plans."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve
from routing.plans.general.tables import Kind
from routing.plans.plan import plan_routes
from routing.problem.audit import audit, judge
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE
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


# Legs of these problems keep no triangle inequality: in the first three one node of the pair makes the rest sooner.
@example(6513, 4, 0.5)
@example(641, 8, 0.5)
@given(st.integers(0, 2**32), st.integers(3, 8), st.sampled_from([0.0, 0.2, 0.35, 0.5, 0.8]))
@settings(max_examples=60, deadline=None)
def test_the_cheapest_insertion_is_that_of_trying_all(seed, requests, hard):
    problem, travel = rich_problem(seed, requests=requests, hard=hard)
    out = seed % requests
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


@pytest.mark.parametrize("seed", range(8))
def test_a_detour_that_saves_time_is_measured(seed):
    problem, travel = rich_problem(seed, requests=4, hard=0.0)
    tables = gather(problem, travel)
    if not (tables.kind == Kind.PAIR).any():
        return
    pairs = np.flatnonzero(np.repeat(tables.kind == Kind.PAIR, 2))
    ticks, drive = travel.ticks.astype(int), travel.drive
    most = 0
    for legs in ticks:
        for a, node, c in itertools.product(range(ticks.shape[1]), pairs, range(ticks.shape[2])):
            b, stay = tables.node[node, col.PLACE], tables.node[node, [col.ENTER, col.STAY]].sum()
            direct = 0 if a == c else legs[a, c]
            most = max(most, direct - (legs[a, b] if a != b else 0) - stay - (legs[b, c] if b != c else 0))
    setups = (travel.ticks - drive).max() if drive.size else 0
    jumps = problem.window.shape[2] > 1 or len(problem.breaks.service)
    found = int(tables.flag[col.DETOUR])
    assert found == INFINITE if jumps and most else most <= found <= most + setups
