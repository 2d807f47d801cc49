"""The full cost matrix against its slow twins: every pair alone, and every pair of gaps judged by the evaluator."""

from __future__ import annotations

import numpy as np
import pytest

import routing.plans.general.insertion_prices as matrix
from benchmarks.inputs.snapshots import make_snapshot
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.construct import price_pairs
from routing.plans.general.kernels.moves import plan_price
from routing.plans.general.work import new_work
from routing.problem.build import allow, make_problem, make_rows
from routing.problem.problem import INFINITE, NEVER, Level, Problem, Travel
from tests.kit.plans.cases import random_problem
from tests.routing.plans.test_insertion import cheapest_by_trying, with_shortest_ways


def city(seed: int, *, orders: int = 9, riders: int = 5) -> tuple[Problem, Travel]:
    """A small live round: stores, doors, shifts that end, work that is paid for, goods on board, told first stops."""
    rng = np.random.default_rng(seed)
    stores, aboard = 6, rng.integers(0, 3, riders)
    requests = orders + int(aboard.sum())
    reachable = stores + requests
    places = reachable + riders
    own = np.concatenate([np.full(orders, -1), np.repeat(np.arange(riders), aboard)])
    due = np.sort(rng.integers(-100, 500, (requests, 2)), axis=1)
    placed = np.minimum(-rng.integers(0, 100, requests), due[:, 0])
    start_place = reachable + np.arange(riders)
    routes, level = [], []
    for v in range(riders):
        mine = np.flatnonzero(own == v).tolist()
        route = [(stores + r, [(r, 1)]) for r in mine]
        routes.append(route)
        level += [int(Level.UNDERWAY), *[0] * (len(route) - 1)] if route else []
        if route and rng.random() < 0.5:
            start_place[v] = route[0][0]  # they are there
    take = np.zeros((6, 2), dtype=np.int64)
    take[Level.UNDERWAY, 0] = take[Level.ON_BOARD] = NEVER
    slope = np.tile(rng.integers(1, 4, 3), (requests, 1)) if seed % 2 else np.tile([0, 3, 3], (requests, 1))
    problem = make_problem(
        place=np.arange(places), enter=rng.integers(0, 20, places), exit=rng.integers(0, 20, places),
        pick_place=np.where(own < 0, rng.integers(0, stores, requests), -1), drop_place=stores + np.arange(requests),
        aboard_of=own, placed=placed, ready=rng.integers(-50, 200, requests), due=due, slope=slope,
        late_fixed=rng.integers(0, 300, (requests, 2)) * (seed % 3 > 0), load=rng.integers(1, 3, (requests, 1)),
        start_place=start_place, start=rng.integers(-20, 30, riders), capacity=5,
        skip_cost=rng.integers(900, 5000, requests),
        last_pickup=rng.choice([150, INFINITE], riders), end=rng.choice([400, INFINITE], riders),
        paid_until=rng.choice([250, 900, INFINITE, INFINITE], riders), per_work=rng.integers(0, 3, riders),
        per_drive=rng.integers(0, 3, riders), profile=rng.integers(0, 2, riders), fixed=rng.integers(0, 100, riders),
        allowed=allow((rng.random((requests, riders)) < 0.9) | (own[:, None] == np.arange(riders))),
        before=make_rows(routes), stop_level=level, take_price=take,
    )  # fmt: skip
    ticks = rng.integers(1, 90, (2, places, reachable)).astype(np.int32)
    return problem, with_shortest_ways(Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)))


def half_planned(problem: Problem, travel: Travel):
    """Every second request had its chance; the others are to be priced."""
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    pairs = np.flatnonzero((tables.kind == 0) & (routes.vehicle < 0))[::2]
    barred = tables.allowed[pairs].copy()
    tables.allowed[pairs] = 0
    insert_absent(tables, routes, work)
    tables.allowed[pairs] = barred
    return tables, routes, work, pairs[routes.vehicle[pairs] < 0].astype(np.int64)


def both(tables, routes, work, asked, monkeypatch):
    """The matrix and its twin, and the share of pairs that were priced in blocks."""
    singly = []

    def counted(*arguments):
        singly.append(arguments[4].copy())
        return price_pairs(*arguments)

    monkeypatch.setattr(matrix, "price_pairs", counted)
    before = int(work.counter[col.INSERTIONS])
    found = matrix.price_matrix(tables, routes, work, asked)
    tried = int(work.counter[col.INSERTIONS]) - before
    price = np.zeros_like(found.price)
    gap = np.zeros_like(found.gap)
    before = int(work.counter[col.INSERTIONS])
    price_pairs(tables, routes, work, asked, np.ones(price.shape, dtype=np.bool_), price, gap)
    assert tried == int(work.counter[col.INSERTIONS]) - before
    return found, matrix.Matrix(price, gap), 1 - singly[0].mean()


def assert_equal(found, twin, skip) -> None:
    assert (found.price == twin.price).all()
    worth = twin.price < skip[:, None]
    assert (found.gap[worth] == twin.gap[worth]).all()


def test_blocks_price_as_pairs_do_in_live_rounds(monkeypatch):
    shares = []
    for seed in range(60):
        tables, routes, work, asked = half_planned(*city(seed))
        found, twin, share = both(tables, routes, work, asked, monkeypatch)
        assert_equal(found, twin, tables.request[asked, col.SKIP])
        shares.append(share)
    # Routes that halt at a store are priced one by one for the orders of that store; the rest in blocks.
    assert 0.2 < np.mean(shares) < 1


@pytest.mark.parametrize("seed", range(40))
def test_blocks_price_as_pairs_do_whatever_the_problem(seed, monkeypatch):
    problem, travel = random_problem(seed, requests=8, vehicles=4, tight=0.1, told=seed % 2 == 0)
    tables, routes, work, asked = half_planned(problem, with_shortest_ways(travel))
    if len(asked):
        found, twin, _ = both(tables, routes, work, asked, monkeypatch)
        assert_equal(found, twin, tables.request[asked, col.SKIP])


@pytest.mark.parametrize("seed", range(6))
def test_the_matrix_holds_what_trying_everything_finds(seed):
    problem, travel = city(seed, orders=6, riders=3)
    tables, routes, work, asked = half_planned(problem, travel)
    found = matrix.price_matrix(tables, routes, work, asked)
    for a, request in enumerate(asked.tolist()):
        skip = int(tables.request[request, col.SKIP])
        before = plan_price(tables, routes) - skip
        for vehicle in range(3):
            if not tables.allowed[request, 0] >> np.uint64(vehicle) & np.uint64(1):
                assert found.price[a, vehicle] == skip
                continue
            wanted = cheapest_by_trying(problem, travel, tables, routes, request, vehicle)
            assert found.price[a, vehicle] == min(skip, skip if wanted is None else wanted - before)


def test_numbers_too_large_for_a_lane_are_priced_one_by_one(monkeypatch):
    problem, travel = city(3)
    tables, routes, work, asked = half_planned(
        problem._replace(slope=problem.slope * 10**7, skip_cost=problem.skip_cost * 10**9), travel
    )
    found, twin, share = both(tables, routes, work, asked, monkeypatch)
    assert share == 0
    assert_equal(found, twin, tables.request[asked, col.SKIP])


def test_a_snapshot_is_priced_in_blocks(monkeypatch):
    problem, travel = make_snapshot(30, 40, 2, late_charge=200)
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    asked = np.flatnonzero(problem.aboard_of < 0)
    found, twin, share = both(tables, routes, work, asked, monkeypatch)
    assert_equal(found, twin, tables.request[asked, col.SKIP])
    assert share == 1


def test_two_threads_give_what_one_gives(monkeypatch):
    monkeypatch.setattr(matrix, "WORTH_A_THREAD", 1)
    for seed in range(5):
        tables, routes, work, asked = half_planned(*city(seed, orders=20, riders=8))
        alone = matrix.price_matrix(tables, routes, work, asked)
        shared = matrix.price_matrix(tables, routes, work, asked, threads=2)
        assert (alone.price == shared.price).all()
        assert (alone.gap == shared.gap).all()
