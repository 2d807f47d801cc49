"""Receipts of mixed stores against a slow, obvious twin: take the request out, try every pair of gaps, evaluate."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import start_routes, to_rows
from routing.plans.general.kernels.moves import may_serve, refresh, remove
from routing.plans.general.planner import OFFERING
from routing.plans.general.tables import Routes, Tables
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.build import make_problem
from routing.problem.evaluate import evaluate
from routing.problem.problem import NEVER, Problem, Receipt, Rows, Travel
from tests.kit.plans.cases import random_problem
from tests.routing.plans.test_insertion import cheapest_by_trying, with_shortest_ways


def without(problem: Problem, travel: Travel, rows: Rows, request: int) -> tuple[Tables, Routes, bool]:
    """The plan without the request, and whether its vehicle may go on like that."""
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem._replace(before=rows), tables, work)
    vehicle = int(routes.vehicle[request])
    remove(tables, routes, request)
    return tables, routes, bool(refresh(tables, routes, vehicle, work))


def taking(problem: Problem, request: int) -> int:
    """Price of taking the request from the vehicle it was told to."""
    for act, told in enumerate(problem.before.act_request.tolist()):
        if told == request and (problem.before.act_kind[act] == 0 or problem.pick_place[request] < 0):
            return int(problem.take_price[problem.act_level[act], 1])
    return 0


def as_searched(problem: Problem, travel: Travel, rows: Rows) -> Rows:
    """The same plan, its neighbouring stops at one place as one: a told plan that nothing beats may have two."""
    tables = gather(problem, travel)
    return to_rows(tables, start_routes(problem._replace(before=rows), tables, new_work(tables, 0)))


def assert_true(problem: Problem, travel: Travel, rows: Rows, receipt: Receipt) -> None:
    request, whole = receipt.request, evaluate(problem, travel, as_searched(problem, travel, rows)).cost
    tables, routes, _ = without(problem, travel, rows, request)
    rest = evaluate(problem, travel, to_rows(tables, routes))
    if rest.feasible:
        alone = rest.cost - int(problem.skip_cost[request]) - taking(problem, request)
        assert alone + receipt.added_cost == whole
    costs = {
        vehicle: cheapest_by_trying(problem, travel, tables, routes, request, vehicle)
        for vehicle in range(len(problem.start_place))
        if vehicle != receipt.vehicle and may_serve(tables, request, vehicle)
    }
    lawful = {vehicle: cost for vehicle, cost in costs.items() if cost is not None}
    dearer = receipt.added_cost - whole
    assert [price for _, price in receipt.others] == [cost + dearer for cost in sorted(lawful.values())[:3]]
    assert all(lawful[vehicle] + dearer == price for vehicle, price in receipt.others)


@settings(max_examples=40, deadline=None)
@example(seed=3884076271, requests=1, tight=0.4, told=True)  # a told stop is left out before one that stays
@example(seed=2648979123, requests=2, tight=0.4, told=True)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 6), tight=st.sampled_from([0.0, 0.1, 0.4]),
    told=st.booleans(),
)  # fmt: skip
def test_receipts_are_what_trying_everything_finds(seed: int, requests: int, tight: float, told: bool) -> None:
    problem, travel = random_problem(seed, requests=requests, vehicles=5, tight=tight, told=told)
    travel = with_shortest_ways(travel)
    if not evaluate(problem, travel, problem.before).feasible:
        return
    solution = plan_routes(problem, travel, budget=Budget(300), seed=seed, explain=range(requests))
    # What a vehicle must keep is no part of what a request costs it.
    problem = problem._replace(must_keep_ptr=np.zeros_like(problem.must_keep_ptr), must_keep=problem.must_keep[:0])
    explained = {receipt.request: receipt for receipt in solution.receipts}
    for request in sorted(set(solution.rows.act_request.tolist())):
        if request in explained:
            assert explained[request].added_cost < NEVER
            assert_true(problem, travel, solution.rows, explained[request])
        elif request in as_searched(problem, travel, solution.rows).act_request:
            assert not without(problem, travel, solution.rows, request)[2]


def test_a_cheap_vehicle_far_away_is_named_too() -> None:
    """Beyond the soonest vehicles, which are all asked, others are asked as long as they may be among the cheapest."""
    vehicles = OFFERING + 4
    # The first and the last set off for free, one tick and 300 ticks away; all others are near and charge 1,000.
    ticks = np.full((1, 2 + vehicles, 2), 1, dtype=np.int32)
    ticks[0, 0, 1] = 10
    ticks[0, 2 + vehicles - 1, 0] = 300
    fixed = np.full(vehicles, 1_000)
    fixed[[0, vehicles - 1]] = 0
    problem = make_problem(
        place=range(2 + vehicles), pick_place=[0], drop_place=[1], start_place=2 + np.arange(vehicles), slope=1,
        per_drive=1, fixed=fixed,
    )  # fmt: skip
    travel = Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32))
    (receipt,) = plan_routes(problem, travel, objective="cost", budget=Budget(300), explain=[0]).receipts
    # Driven and waited: 1 + 10 each for the first, 300 + 10 each for the last.
    assert (receipt.vehicle, receipt.added_cost) == (0, 22)
    assert receipt.others[0] == (vehicles - 1, 620)
    assert [price for _, price in receipt.others[1:]] == [1022, 1022]
