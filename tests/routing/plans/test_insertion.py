"""Insertion kernels against a slow, obvious twin: every pair of gaps tried and judged by the evaluator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.anneal import Annealing
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve, plan_price
from routing.plans.general.tables import Kind, Routes, Tables
from routing.plans.general.work import Work, new_work
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, Problem, Travel, TripRule
from tests.kit.plans.cases import random_problem
from tests.routing.plans.test_search import static_problem

ROOT = Path(__file__).resolve().parents[3]


def planned(problem: Problem, travel: Travel, out: int) -> tuple[Tables, Routes, Work]:
    """A plan in which every request but `out` had its chance."""
    tables = gather(problem, travel)
    barred = tables.allowed[out].copy()
    tables.allowed[out] = 0
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    tables.allowed[out] = barred
    return tables, routes, work


def with_nodes(tables: Tables, routes: Routes, vehicle: int, nodes: list[int]) -> Routes:
    """The plan with other nodes in one route."""
    row, size = routes.row.copy(), routes.size.copy()
    row[vehicle, col.NODE, 1 : len(nodes) + 1] = nodes
    size[vehicle] = len(nodes)
    return routes._replace(row=row, size=size)


def with_shortest_ways(travel: Travel) -> Travel:
    """The same legs, none longer than a detour: gaps are spared by bounds that hold where a detour is never sooner."""
    ticks, metres = travel.ticks.copy(), travel.metres.copy()
    for legs in (ticks, metres):
        for via in range(legs.shape[2]):
            np.minimum(legs, legs[:, :, via, None] + legs[:, via, None, :], out=legs)
    return Travel(ticks, metres)


def cheapest_by_trying(
    problem: Problem, travel: Travel, tables: Tables, routes: Routes, request: int, vehicle: int
) -> int | None:
    """Price of the whole plan with `request` at its best pair of gaps between stops; None where none is legal.

    A pickup joins the end of a stop, not its beginning.
    """
    nodes = routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1].tolist()
    own = [n for n in (2 * request, 2 * request + 1) if tables.node[n, col.PLACE] >= 0]
    place = [tables.node[node, col.PLACE] for node in nodes]
    own_place = [tables.node[node, col.PLACE] for node in own]
    gaps = [k for k in range(len(nodes) + 1) if k in (0, len(nodes)) or place[k - 1] != place[k]]
    best = None
    for pick in gaps:
        for drop in gaps:
            if drop < pick or (len(own) == 1 and drop > pick):
                continue
            if len(own) == 2 and pick < len(nodes) and place[pick] == own_place[0] in (own_place[1], *place[pick:drop]):
                continue
            tried = [*nodes[:pick], own[0], *nodes[pick:drop], *own[1:], *nodes[drop:]]
            timeline = evaluate(problem, travel, to_rows(tables, with_nodes(tables, routes, vehicle, tried)))
            if timeline.feasible and (best is None or timeline.cost < best):
                best = timeline.cost
    return best


def assert_found(problem: Problem, travel: Travel, request: int) -> None:
    """In every vehicle the kernel finds the price that trying everything finds."""
    tables, routes, work = planned(problem, travel, request)
    if routes.vehicle[request] >= 0 or tables.kind[request] == Kind.STAYING:
        return
    if not evaluate(problem, travel, to_rows(tables, routes)).feasible:
        return  # a told plan that cannot do without the request
    before = plan_price(tables, routes) - int(tables.request[request, col.SKIP])
    for vehicle in range(len(routes.size)):
        if not may_serve(tables, request, vehicle):
            continue
        price, pick, _ = best_in(tables, routes, request, vehicle, col.LOCKED, work)
        wanted = cheapest_by_trying(problem, travel, tables, routes, request, vehicle)
        assert (before + price if pick >= 0 else None) == wanted


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 7), tight=st.sampled_from([0.0, 0.1, 0.4]),
    rule=st.sampled_from(list(TripRule)), told=st.booleans(),
)  # fmt: skip
def test_a_timed_insertion_is_the_cheapest_there_is(seed, requests, tight, rule, told):
    problem, travel = random_problem(seed, requests=requests, tight=tight, rule=rule, told=told)
    travel = with_shortest_ways(travel)
    if evaluate(problem, travel, problem.told).feasible:
        assert_found(problem, travel, seed % requests)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 8), tight=st.sampled_from([0.0, 0.1, 0.4]),
    told=st.booleans(),
)  # fmt: skip
def test_bounds_on_the_price_of_delay_rule_out_nothing_that_pays(seed, requests, tight, told):
    # Work that is paid to the end: only then may an insertion be ruled out by what delay costs at least.
    problem, travel = random_problem(seed, requests=requests, tight=tight, told=told)
    problem = problem._replace(paid_until=np.full_like(problem.paid_until, INFINITE))
    travel = with_shortest_ways(travel)
    assert gather(problem, travel).flag[col.LATE_IS_FREE] == 0
    if evaluate(problem, travel, problem.told).feasible:
        assert_found(problem, travel, seed % requests)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 9))
def test_a_plain_insertion_is_the_cheapest_there_is(seed, requests):
    problem, travel = static_problem(seed, requests, 3)
    assert gather(problem, travel).plain
    assert_found(problem, travel, seed % requests)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_remembered_is_true(seed):
    problem, travel = static_problem(seed, 14, 6, fixed=1000 * (seed % 2))
    tables = gather(problem, travel)
    work = new_work(tables, seed)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    Annealing(tables, routes, work, Budget(3000), None).anneal()
    seen = 0
    for request in np.flatnonzero(routes.vehicle < 0).tolist() + list(range(14)):
        for vehicle in range(len(routes.size)):
            at_version, costs, gaps = work.known[request, vehicle].tolist()
            if at_version != routes.version[vehicle] or routes.vehicle[request] == vehicle:
                continue
            price, pick, drop = best_in(tables, routes, request, vehicle, col.LOCKED, work)
            seen += 1
            if gaps >= 0:
                assert (costs, gaps) == (price, pick << 32 | drop)
            else:
                assert pick < 0 or price >= costs
    assert seen


REPEAT = """
from tests.routing.plans.test_search import static_problem
from tests.kit.plans.cases import random_problem
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes

for problem, travel in (static_problem(1, 7, 3, fixed=9000), random_problem(4), random_problem(9)):
    plan = plan_routes(problem, travel, budget=Budget(250), seed=3)
    print(plan.cost, plan.work, plan.rows.act_request.tolist(), plan.rows.stop_place.tolist(), plan.reason.tolist())
"""


def test_compiled_and_plain_python_plan_alike():
    printed = []
    for off in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", REPEAT], capture_output=True, text=True, check=True, cwd=ROOT,
            env=os.environ | {"NUMBA_DISABLE_JIT": off, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        printed.append(done.stdout)
    assert printed[0]
    assert printed[0] == printed[1]
