"""Ejections: the least absent one or two requests make room, as trying every one of them says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import plan_price
from routing.plans.general.kernels.ruin import eject
from routing.plans.general.tables import Routes, Tables, empty_routes
from routing.plans.general.work import Work, new_work
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import Problem, Travel
from tests.kit.plans.cases import random_problem
from tests.routing.plans.test_search import static_problem

Plan = list[list[int]]  # nodes of every vehicle


def plan_of(routes: Routes) -> Plan:
    return [routes.row[v, col.NODE, 1 : routes.size[v] + 1].tolist() for v in range(len(routes.size))]


def is_legal(problem: Problem, travel: Travel, plan: Plan) -> bool:
    rows = make_rows([[(int(place_of(problem, n)), [(n // 2, n & 1)]) for n in nodes] for nodes in plan])
    return bool(evaluate(problem, travel, rows).feasible)


def place_of(problem: Problem, node: int) -> int:
    return (problem.drop_place if node & 1 else problem.pick_place)[node // 2]


def fits(problem: Problem, travel: Travel, nodes: list[int], vehicle: int, request: int) -> bool:
    """Whether any two positions take the request."""
    plan: Plan = [[] for _ in problem.start_place]
    for i, j in itertools.combinations_with_replacement(range(len(nodes) + 1), 2):
        plan[vehicle] = [*nodes[:i], 2 * request, *nodes[i:j], 2 * request + 1, *nodes[j:]]
        if is_legal(problem, travel, plan):
            return True
    return False


def least_ejection(problem: Problem, travel: Travel, plan: Plan, absences: np.ndarray, request: int) -> int | None:
    """Least sum of absences, below that of `request`, of one or two requests whose places would do."""
    found = int(absences[request])
    for vehicle, nodes in enumerate(plan):
        aboard = sorted({node // 2 for node in nodes})
        for out in [*itertools.combinations(aboard, 1), *itertools.combinations(aboard, 2)]:
            price = int(absences[list(out)].sum())
            rest = [node for node in nodes if node // 2 not in out]
            if price < found and fits(problem, travel, rest, vehicle, request):
                found = price
    return found if found < absences[request] else None


def crowded(seed: int) -> tuple[Problem, Travel, Tables, Routes, Work]:
    """Ten requests for two vehicles: some stay absent; random absences."""
    problem, travel = static_problem(seed, 10, 2)
    tables = gather(problem, travel)
    work = new_work(tables, seed)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    work.list[:, col.ABSENCES] = np.random.default_rng(seed).integers(1, 9, len(work.list))
    return problem, travel, tables, routes, work


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_least_absent_make_room(seed):
    problem, travel, tables, routes, work = crowded(seed)
    before, absent = plan_of(routes), routes.absent[: routes.missing[0]].tolist()
    absences = work.list[:10, col.ABSENCES].copy()
    least = {request: least_ejection(problem, travel, before, absences, request) for request in absent}
    done = eject(tables, routes, empty_routes(tables), work)
    after, now_absent = plan_of(routes), routes.absent[: routes.missing[0]].tolist()
    if not done:
        assert not absent or None in least.values()
        assert (after, now_absent) == (before, absent)
        return
    (served,) = set(absent) - set(now_absent)
    out = sorted(set(now_absent) - set(absent))
    assert 1 <= len(out) <= 2
    assert absences[out].sum() == least[served]
    assert is_legal(problem, travel, after)
    assert work.cost[0] == plan_price(tables, routes)
    assert sorted({node // 2 for nodes in after for node in nodes} | set(now_absent)) == list(range(10))


def test_some_of_these_cases_eject_one_and_some_eject_two():
    sizes = set()
    for seed in range(60):
        _, _, tables, routes, work = crowded(seed)
        missing = int(routes.missing[0])
        if eject(tables, routes, empty_routes(tables), work):
            sizes.add(int(routes.missing[0]) - missing + 1)
    assert sizes == {1, 2}


@pytest.mark.parametrize("seed", range(12))
def test_saving_vehicles_keeps_every_law(seed):
    problem, travel = random_problem(seed, requests=7, tight=0.1)
    if not evaluate(problem, travel, problem.before).feasible:
        pytest.skip("the told plan breaks a law")
    solution = plan_routes(problem, travel, objective="vehicles", budget=Budget(6_000), seed=seed)
    assert audit(problem, travel, solution) == []
