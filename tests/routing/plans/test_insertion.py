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

from routing.kernels.nearest import WAIT_SHARE
from routing.plans.budget import Budget
from routing.plans.general.anneal import Annealing
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve, plan_price, refresh, refresh_plan, remove
from routing.plans.general.likeness import nearest_requests
from routing.plans.general.tables import Kind, Routes, Tables, empty_routes
from routing.plans.general.work import Work, new_work
from routing.problem.build import make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, Problem, Rows, Travel, TripRule
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
    """The same legs, none longer than a detour: then most gaps are ruled out by bounds."""
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
    rule=st.sampled_from(list(TripRule)), told=st.booleans(), sensible=st.booleans(),
)  # fmt: skip
def test_a_timed_insertion_is_the_cheapest_there_is(seed, requests, tight, rule, told, sensible):
    problem, travel = random_problem(seed, requests=requests, tight=tight, rule=rule, told=told)
    travel = with_shortest_ways(travel) if sensible else travel
    if evaluate(problem, travel, problem.before).feasible:
        assert_found(problem, travel, seed % requests)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 8), tight=st.sampled_from([0.0, 0.1, 0.4]),
    told=st.booleans(), sensible=st.booleans(),
)  # fmt: skip
def test_bounds_on_the_price_of_delay_rule_out_nothing_that_pays(seed, requests, tight, told, sensible):
    # Work that is paid to the end: only then may an insertion be ruled out by what delay costs at least.
    problem, travel = random_problem(seed, requests=requests, tight=tight, told=told)
    problem = problem._replace(paid_until=np.full_like(problem.paid_until, INFINITE))
    travel = with_shortest_ways(travel) if sensible else travel
    assert gather(problem, travel).flag[col.LATE_IS_FREE] == 0
    if evaluate(problem, travel, problem.before).feasible:
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


def written_plainly(problem: Problem, tables: Tables, work: Work) -> Routes:
    """The told plan route by route, node by node, the last loose node taken out until the route is legal."""
    routes, told = empty_routes(tables), problem.before
    routes.missing[0] = 0
    for vehicle in range(len(problem.start_place)):
        nodes: list[int] = []
        waiting = [g for g in np.flatnonzero(tables.kind == Kind.GHOST) if tables.request[g, col.HOME] == vehicle]
        stops = range(told.stop_ptr[vehicle], told.stop_ptr[vehicle + 1])
        bare = [k for k in stops if told.act_ptr[k] == told.act_ptr[k + 1]]
        for stop in stops:
            here = [g for g in waiting if tables.place[2 * g] == told.stop_place[stop]]
            later = [k for k in bare if k > stop and told.stop_place[k] == told.stop_place[stop]]
            if here and (stop in bare or len(here) > len(later)):
                waiting.remove(here[0])
                nodes.append(2 * here[0])
            for a in range(told.act_ptr[stop], told.act_ptr[stop + 1]):
                nodes.append(2 * int(told.act_request[a]) + int(told.act_kind[a]))
        nodes = nodes[: tables.stride]
        routes.row[vehicle, col.NODE, 1 : len(nodes) + 1] = nodes
        routes.size[vehicle] = len(nodes)
        routes.vehicle[tables.node[nodes, col.REQUEST]] = vehicle
        while not refresh(tables, routes, vehicle, work):
            kept = routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1].tolist()
            own = [
                node for node in kept if tables.kind[tables.node[node, col.REQUEST]] not in (Kind.ABOARD, Kind.GHOST)
            ]
            if not own:
                break
            remove(tables, routes, tables.node[own[-1], col.REQUEST])
    absent = [r for r in range(len(tables.kind)) if routes.vehicle[r] < 0 and tables.kind[r] != Kind.STAYING]
    routes.absent[: len(absent)] = absent
    routes.missing[0] = len(absent)
    refresh_plan(tables, routes, work)
    return routes


def read_plainly(tables: Tables, routes: Routes) -> Rows:
    """Routes as rows, node by node."""
    plan = []
    for vehicle in range(len(routes.size)):
        stops: list[tuple[int, list[tuple[int, int]]]] = []
        for node in routes.row[vehicle, col.NODE, 1 : routes.size[vehicle] + 1].tolist():
            request, place = int(tables.node[node, col.REQUEST]), int(tables.place[node])
            if tables.plain or not stops or stops[-1][0] != place:
                stops.append((place, []))
            if tables.kind[request] != Kind.GHOST:
                stops[-1][1].append((request, node & 1))
        plan.append(stops)
    return make_rows(plan)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 12), tight=st.sampled_from([0.0, 0.3, 0.8]))
def test_a_plan_is_written_into_routes_and_read_from_them_as_node_by_node(seed, requests, tight):
    problem, travel = random_problem(seed, requests=requests, vehicles=4, tight=tight)
    tables = gather(problem, travel)
    routes = start_routes(problem, tables, new_work(tables, 0))
    plain = written_plainly(problem, tables, new_work(tables, 0))
    nodes = np.arange(routes.row.shape[2]) < 1 + routes.size[:, None]
    assert (routes.size == plain.size).all() and (routes.price == plain.price).all()
    assert (routes.row[:, col.NODE][nodes] == plain.row[:, col.NODE][nodes]).all()
    assert (routes.vehicle == plain.vehicle).all() and routes.missing[0] == plain.missing[0]
    assert (routes.absent[: routes.missing[0]] == plain.absent[: plain.missing[0]]).all()
    insert_absent(tables, routes, new_work(tables, 0))
    for one, other in zip(to_rows(tables, routes), read_plainly(tables, routes), strict=True):
        assert one.dtype == other.dtype and (one == other).all()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 14), tight=st.sampled_from([0.0, 0.5]),
    count=st.sampled_from([1, 3, 100]), told=st.booleans(),
)  # fmt: skip
def test_the_nearest_nodes_are_those_of_a_plain_sort(seed, requests, tight, count, told):
    problem, travel = random_problem(seed, requests=requests, tight=tight, told=told, gaps=False)
    tables = gather(problem, travel)
    node, kind, ticks = tables.node, tables.kind, tables.legs[0]
    count = min(count, len(node))
    near = nearest_requests(node, kind, ticks, count)
    real = [k for k in range(len(node)) if node[k, col.PLACE] >= 0 and kind[k // 2] != Kind.GHOST]
    timed = any(node[k, col.OPEN] > 0 or node[k, col.CLOSE] < INFINITE - 1 for k in real)

    def apart(a: int, b: int) -> int:
        """From a to b: the way, a fifth of the wait, all lateness."""
        way = int(ticks[0, node[a, col.PLACE], node[b, col.PLACE]])
        gap = int(node[a, col.STAY]) + way
        wait = max(0, int(node[b, col.OPEN]) - int(node[a, col.CLOSE]) - gap)
        late = max(0, int(node[a, col.OPEN]) + gap - int(node[b, col.CLOSE]))
        return way + (wait // WAIT_SHARE + late if timed else 0)

    for k in range(len(node)):
        if k not in real:
            assert (near[k] == -1).all()
            continue
        far = {b: -1 if b == k else min(apart(k, b), apart(b, k)) for b in real}
        found = near[k][near[k] >= 0].tolist()
        assert found == sorted(real, key=lambda b: (far[b], b))[:count]
