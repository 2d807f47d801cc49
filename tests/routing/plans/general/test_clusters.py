"""Plans searched in clusters: nothing is lost in cutting, prices stay what they are, threads change nothing."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs.snapshots import make_snapshot
from routing.plans.budget import Budget
from routing.plans.general import anneal, search
from routing.plans.general.cluster_tables import put_back, routes_of, tables_of, with_own_places
from routing.plans.general.clusters import cut
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve, plan_price, refresh_plan
from routing.plans.general.tables import Kind
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.evaluate import evaluate
from routing.problem.problem import Problem, Rows, Travel, TripRule
from tests.kit.plans.cases import random_problem
from tests.routing.plans.general.test_insertion_prices import city
from tests.routing.plans.test_search import static_problem


def half_full(problem: Problem, travel: Travel, seed: int):
    """A plan in which some requests had no chance yet."""
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    late = np.random.default_rng(seed).random(len(tables.request)) < 0.3
    barred = tables.allowed[late].copy()
    tables.allowed[late] = 0
    insert_absent(tables, routes, work)
    tables.allowed[late] = barred
    return tables, routes, work


def assert_cut_well(problem: Problem, travel: Travel, seed: int) -> None:
    """Clusters hold everything once, price as the whole does, and give back what they were given."""
    tables, routes, work = half_full(problem, travel, seed)
    rng = np.random.default_rng(seed)
    clusters = cut(tables, routes, int(rng.integers(1, 4)), 1, rng)
    assert sorted(itertools.chain(*(one.vehicles.tolist() for one in clusters))) == list(range(len(routes.size)))
    assert sorted(itertools.chain(*(one.requests.tolist() for one in clusters))) == list(range(len(tables.request)))
    priced, total = 0, plan_price(tables, routes)
    rows, missing = to_rows(tables, routes), set(routes.absent[: routes.missing[0]].tolist())
    for cluster in clusters:
        served = np.flatnonzero(np.isin(routes.vehicle, cluster.vehicles))
        assert set(served) <= set(cluster.requests)
        if not cluster.can_be_searched:
            lost = [r for r in cluster.requests.tolist() if r in missing]
            priced += int(tables.request[lost, col.SKIP].sum() + routes.price[cluster.vehicles].sum())
            continue
        own = tables_of(tables, cluster)
        own = with_own_places(own) if rng.random() < 0.5 else own
        apart = new_work(own, 0)
        part = routes_of(own, cluster, routes, apart)
        assert (part.price == routes.price[cluster.vehicles]).all()
        priced += plan_price(own, part)
        for request in part.absent[: part.missing[0]].tolist():
            for inner, outer in enumerate(cluster.vehicles.tolist()):
                whole = int(cluster.requests[request])
                assert may_serve(own, request, inner) == may_serve(tables, whole, outer)
                found = best_in(own, part, request, inner, col.LOCKED, apart)
                assert tuple(found) == tuple(best_in(tables, routes, whole, outer, col.LOCKED, work))
        put_back(cluster, part, routes)
    refresh_plan(tables, routes, work)
    assert plan_price(tables, routes) == total
    assert priced == total
    assert all((a == b).all() for a, b in zip(rows, to_rows(tables, routes), strict=True))
    assert set(routes.absent[: routes.missing[0]].tolist()) == missing


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 9), tight=st.sampled_from([0.0, 0.1, 0.5]),
    rule=st.sampled_from(list(TripRule)), told=st.booleans(),
)  # fmt: skip
def test_a_cluster_is_a_true_share_of_any_problem(seed, requests, tight, rule, told):
    assert_cut_well(*random_problem(seed, requests=requests, tight=tight, rule=rule, told=told), seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_cluster_is_a_true_share_of_a_live_round(seed):
    assert_cut_well(*city(seed, orders=12, riders=6), seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_cluster_is_a_true_share_of_a_plain_problem(seed):
    assert_cut_well(*static_problem(seed, 14, 6), seed)


def test_clusters_are_of_like_size_and_of_routes_enough():
    problem, travel = make_snapshot(80, 160, 1)
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    rng = np.random.default_rng(1)
    halves = cut(tables, routes, len(tables.request) // 2 + 10, 20, rng)
    assert len(halves) == 2
    assert max(len(one.requests) for one in halves) < 0.55 * len(tables.request)
    for one in cut(tables, routes, 1, 20, rng):
        assert np.count_nonzero(routes.size[one.vehicles]) >= 10


@contextlib.contextmanager
def small_clusters():
    """Everything is worth cutting."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("DIVIDED", 2), ("CLUSTER", 4), ("ROUTES", 1), ("PHASES", 3)):
            patch.setattr(search, name, value)
        for module in (search, anneal):
            patch.setattr(module, "PARAMS", dataclasses.replace(anneal.PARAMS, slice=60))
        yield


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 10), tight=st.sampled_from([0.0, 0.1]),
    rule=st.sampled_from(list(TripRule)),
)  # fmt: skip
def test_plans_from_clusters_are_lawful_and_no_dearer(seed, requests, tight, rule):
    problem, travel = random_problem(seed, requests=requests, vehicles=5, tight=tight, rule=rule)
    told = evaluate(problem, travel, problem.before)
    with small_clusters():
        solution = plan_routes(problem, travel, objective="cost", budget=Budget(3000), seed=seed)
    if told.feasible:
        assert audit(problem, travel, solution) == []
        assert solution.cost <= told.cost


def assert_threads_alike(problem: Problem, travel: Travel, budget: Budget, objective="cost") -> None:
    plans = [
        plan_routes(problem, travel, objective=objective, budget=budget, seed=2, threads=threads)
        for threads in (1, 2, 3)
    ]
    for other in plans[1:]:
        assert other.work == plans[0].work
        assert other.cost == plans[0].cost
        assert all((a == b).all() for a, b in zip(plans[0].rows, other.rows, strict=True))
    assert audit(problem, travel, plans[0]) == []


@pytest.mark.parametrize("seed", range(8))
def test_any_number_of_threads_gives_the_same_plan(seed):
    with small_clusters():
        assert_threads_alike(*city(seed, orders=16, riders=8), Budget(4000))
        assert_threads_alike(*static_problem(seed, 12, 8, fixed=2000), Budget(4000), "vehicles")


def test_a_snapshot_is_searched_in_clusters_and_gets_better():
    problem, travel = make_snapshot(60, 110, 3)
    assert_threads_alike(problem, travel, Budget(150_000))
    seen: list[int] = []

    def tell(rows: Rows) -> None:
        seen.append(evaluate(problem, travel, rows).cost)

    solution = plan_routes(problem, travel, objective="cost", budget=Budget(150_000), on_better=tell)
    first = plan_routes(problem, travel, recipe="insertion", budget=Budget(0)).cost
    assert seen == sorted(seen, reverse=True)
    assert solution.cost == seen[-1] < 0.95 * first
    assert 2 < len(seen) <= search.PHASES + 2  # the first plan, then one after each cut, not after each slice


def test_time_ends_the_search_of_every_cluster():
    """A clock that counts how often it is read: the search stops soon after it says so."""
    problem, travel = make_snapshot(60, 110, 3)
    reads = itertools.count()
    budget = Budget(10**12, lambda: next(reads) > 200, lambda: min(1.0, next(reads) / 200))
    solution = plan_routes(problem, travel, objective="cost", budget=budget, threads=2)
    assert audit(problem, travel, solution) == []
    assert next(reads) < 1000


@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_stops_all_threads(threads):
    problem, travel = make_snapshot(60, 110, 3)
    reads = itertools.count()

    def expired() -> bool:
        if next(reads) == 100:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        plan_routes(problem, travel, objective="cost", budget=Budget(10**12, expired), threads=threads)
    assert next(reads) < 1000


def test_closed_vehicles_stay_closed_in_clusters():
    problem, travel = static_problem(3, 16, 10, fixed=5000)
    used = []

    def tell(rows: Rows) -> None:
        used.append(int(np.count_nonzero(np.diff(rows.stop_ptr))))

    with small_clusters():
        plan_routes(problem, travel, objective="vehicles", budget=Budget(20_000), on_better=tell)
    assert used == sorted(used, reverse=True)


def test_what_stays_on_board_is_in_its_carriers_cluster():
    problem, travel = random_problem(11, requests=9, vehicles=4)
    tables, routes, _ = half_full(problem, travel, 1)
    staying = np.flatnonzero((tables.kind == Kind.STAYING) | (tables.kind == Kind.ABOARD)).tolist()
    for one in cut(tables, routes, 2, 1, np.random.default_rng(0)):
        for request in set(staying) & set(one.requests.tolist()):
            assert int(tables.request[request, col.CARRIER]) in one.vehicles
