"""Regret insertion against a slow, obvious twin that prices everything anew before every choice."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.inputs.snapshots import make_snapshot
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.construct import price_pairs
from routing.plans.general.kernels.moves import insert
from routing.plans.general.tables import Routes, Tables
from routing.plans.general.work import Work, new_work
from routing.problem.problem import Problem, Travel
from tests.kit.plans.cases import random_problem
from tests.routing.plans.general.test_insertion_prices import city
from tests.routing.plans.test_search import static_problem


def inserted_naively(tables: Tables, routes: Routes, work: Work, degree: int) -> None:
    """Before every choice, the price of every absent request in every vehicle."""
    choice = tables.choice
    left = np.flatnonzero(np.isin(choice, choice[routes.absent[: routes.missing[0]]]))
    hopeless = []
    while len(left):
        skip = tables.request[left, col.SKIP]
        price = np.repeat(skip[:, None], len(routes.size), axis=1)
        gap = np.zeros((*price.shape, 2), dtype=np.int32)
        price_pairs(tables, routes, work, left, np.ones(price.shape, dtype=np.bool_), price, gap)
        lowest = np.sort(np.hstack([price, np.repeat(skip[:, None], degree, axis=1)]), axis=1)[:, :degree]
        regret = lowest[:, 1:].sum(axis=1) - (degree - 1) * lowest[:, 0]
        worth = np.flatnonzero(lowest[:, 0] < skip)
        if not len(worth):
            hopeless = left
            break
        chosen = min(worth.tolist(), key=lambda k: (-regret[k], lowest[k, 0], k))
        alike = np.flatnonzero(choice[left] == choice[left[chosen]])
        chosen = int(min([chosen, *alike.tolist()], key=lambda k: lowest[k, 0]))
        vehicle = int(np.argmin(price[chosen]))
        insert(tables, routes, left[chosen], vehicle, *gap[chosen, vehicle], work)
        left = left[choice[left] != choice[left[chosen]]]
    routes.missing[0] = len(np.unique(choice[hopeless])) if len(hopeless) else 0


def plan_of(routes: Routes) -> list[list[int]]:
    return [routes.row[v, col.NODE, 1 : n + 1].tolist() for v, n in enumerate(routes.size)]


def assert_alike(problem: Problem, travel: Travel, degree: int) -> None:
    tables = gather(problem, travel)
    plans = []
    for fill in (lambda *all_: insert_absent(*all_, degree=degree), lambda *all_: inserted_naively(*all_, degree)):
        work = new_work(tables, 0)
        routes = start_routes(problem, tables, work)
        fill(tables, routes, work)
        plans.append((plan_of(routes), int(routes.missing[0])))
    assert plans[0] == plans[1]


@pytest.mark.parametrize("degree", [2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_prices_left_open_change_no_choice(seed, degree):
    """Many riders and few orders, few riders and many orders, dear and cheap lateness."""
    assert_alike(*make_snapshot(4 + 3 * (seed % 4), 12 + 6 * (seed // 4), seed), degree)


@pytest.mark.parametrize("seed", range(20))
def test_live_rounds_and_orders_not_worth_a_ride(seed):
    assert_alike(*city(seed, orders=14, riders=4), 2 + seed % 2)


@pytest.mark.parametrize("seed", range(30))
def test_any_problem(seed):
    assert_alike(*random_problem(seed, requests=9, vehicles=4, tight=0.3), 2)


@pytest.mark.parametrize("seed", range(5))
def test_plain_problems(seed):
    assert_alike(*static_problem(seed, 16, 6), 2)
