"""Trips in the general search: insertions against trying all, plans against every sequence, told reloads kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, insert, may_serve
from routing.plans.general.tables import Routes, Tables
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import NO_BLOCK, Problem, Reloads, Travel
from tests.kit.plans.rich_cases import reload_problem
from tests.routing.plans.test_insertion import planned, with_nodes


def sequences(tables: Tables, nodes: list[int], request: int, vehicle: int) -> Iterator[list[int]]:
    """Every way to put a request into a row: its nodes into gaps, or its only node with a reload beside it."""
    own = [node for node in (2 * request, 2 * request + 1) if tables.node[node, col.PLACE] >= 0]
    reloads = [2 * p + 1 for p in range(int(tables.flag[col.FIRST_RELOAD]), len(tables.request))]
    for i in range(len(nodes) + 1):
        for k in range(i, len(nodes) + 1):
            if len(own) == 2 or k == i:
                yield [*nodes[:i], own[0], *nodes[i:k], *own[1:], *nodes[k:]]
        for reload in reloads if len(own) == 1 else ():
            for pair in ([reload, own[0]], [own[0], reload]):
                tried = [*nodes[:i], *pair, *nodes[i:]]
                idle = [-1, *(node in reloads for node in tried), -1]
                if may_serve(tables, reload // 2, vehicle) and not any(a and b for a, b in itertools.pairwise(idle)):
                    yield tried


def cheapest(
    problem: Problem, travel: Travel, tables: Tables, routes: Routes, request: int, vehicle: int
) -> int | None:
    """Price of the whole plan with the request where it is cheapest; None where no place is legal."""
    nodes = routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1].tolist()
    plans = (with_nodes(tables, routes, vehicle, tried) for tried in sequences(tables, nodes, request, vehicle))
    timed = (evaluate(problem, travel, to_rows(tables, plan)) for plan in plans)
    return min((timeline.cost for timeline in timed if timeline.feasible), default=None)


@given(st.integers(0, 2**32), st.integers(3, 8), st.sampled_from([0.0, 0.2, 0.5]))
@settings(max_examples=60, deadline=None)
def test_the_cheapest_insertion_is_that_of_trying_all(seed, requests, hard):
    problem, travel = reload_problem(seed, requests=requests, hard=hard)
    out = seed % requests
    tables, routes, work = planned(problem, travel, out)
    before = evaluate(problem, travel, to_rows(tables, routes))
    assert before.feasible
    for vehicle in range(len(problem.start_place)):
        if not may_serve(tables, out, vehicle):
            continue
        wanted = cheapest(problem, travel, tables, routes, out, vehicle)
        price, pick, drop = best_in(tables, routes, out, vehicle, col.LOCKED, work)
        assert evaluate(problem, travel, to_rows(tables, routes)).cost == before.cost  # what was tried is taken back
        assert (pick >= 0) == (wanted is not None)
        if wanted is not None:
            assert price == wanted - before.cost + int(problem.skip_cost[out])
            after = Routes._make(values.copy() for values in routes)
            assert insert(tables, after, out, vehicle, pick, drop, work)
            assert evaluate(problem, travel, to_rows(tables, after)).cost == wanted


def test_such_insertions_open_trips():
    opened = 0
    for seed in range(60):
        problem, travel = reload_problem(seed, requests=6, hard=0.0)
        tables, routes, work = planned(problem, travel, seed % 6)
        for vehicle in range(2):
            if may_serve(tables, seed % 6, vehicle):
                opened += best_in(tables, routes, seed % 6, vehicle, col.LOCKED, work)[2] >> col.NEW_TRIP > 0
    assert opened > 5


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.2, 0.6]))
@settings(max_examples=25, deadline=None)
def test_found_plans_pass_the_judge(seed, hard):
    problem, travel = reload_problem(seed, requests=7, vehicles=3, hard=hard)
    solution = plan_routes(problem, travel, budget=Budget(600), seed=seed % 7)
    assert audit(problem, travel, solution) == []


def delivery_day(seed: int, drops: int = 5, vehicles: int = 1) -> tuple[Problem, Travel]:
    """Goods from one depot that become ready in the course of the day, more than a vehicle holds at once."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 100, (drops + 1, 2))
    legs = np.ceil(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(np.int32)[None]
    problem = make_problem(
        place=range(drops + 1), pick_place=[-1] * drops, drop_place=range(1, drops + 1),
        load=rng.integers(1, 4, (drops, 1)), capacity=[[5]] * vehicles, ready=rng.integers(0, 200, drops),
        start_place=[0] * vehicles, end_place=[0] * vehicles, per_drive=[1] * vehicles, skip_cost=10_000,
        enter=np.append([2], np.zeros(drops)), reloads=Reloads(*(
            np.array(values, dtype=np.int32)
            for values in (range(vehicles + 1), [0] * vehicles, [drops] * vehicles)
        )),
    )  # fmt: skip
    return problem, Travel(legs, NO_BLOCK)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_of_all_trips_is_found(seed):
    problem, travel = delivery_day(seed)
    best = None
    for order in itertools.permutations(range(5)):
        for cuts in range(16):
            route: list[tuple[int, list[tuple[int, int]]]] = []
            for k, request in enumerate(order):
                if k and cuts >> (k - 1) & 1:
                    route.append((0, []))
                route.append((int(problem.drop_place[request]), [(request, 1)]))
            timeline = evaluate(problem, travel, make_rows([route]))
            if timeline.feasible and (best is None or timeline.cost < best):
                best = timeline.cost
    solution = plan_routes(problem, travel, budget=Budget(4000), seed=seed)
    assert audit(problem, travel, solution) == []
    assert solution.cost == best
    assert (np.diff(solution.rows.act_ptr) == 0).any()


def test_told_reloads_are_kept():
    problem, travel = delivery_day(1)
    found = plan_routes(problem, travel, budget=Budget(2000)).rows
    assert (np.diff(found.act_ptr) == 0).any()
    told = make_problem(**{  # levels of the plan before are made anew
        name: value for name, value in problem._asdict().items()
        if name not in ("before", "stop_level", "act_level", "tick_us", "trip_rule")
    }, before=found)  # fmt: skip
    tables = gather(told, travel)
    rows = to_rows(tables, start_routes(told, tables, new_work(tables, 0)))
    assert all((a == b).all() for a, b in zip(rows, found, strict=True))


def test_nobody_sets_off_before_goods_are_ready():
    problem, travel = delivery_day(2)
    alone = problem._replace(capacity=problem.capacity + 100)
    solution = plan_routes(alone, travel, budget=Budget(2000))
    first = int(solution.rows.act_request[0])
    loaded_first = solution.rows.act_request[: int(np.argmax(np.append(np.diff(solution.rows.act_ptr) == 0, True)))]
    way = int(travel.ticks[0, 0, problem.drop_place[first]])
    assert solution.arrive[0] == problem.ready[loaded_first].max() + way
