"""Fleets of several classes, many vehicles alike in each: every route gets the class that it should have."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfhour.modelling import Model
from routing.plans.budget import Budget
from routing.plans.general.clusters import cut
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes
from routing.plans.general.kernels import columns as col
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.formats.vroom import vroom_case

FAR = 1000
Cars = list[tuple[int, int, int]]
"""How many, capacity and fixed price of each class."""


def town(seed: int, jobs: int, cars: Cars) -> tuple[Model, np.ndarray]:
    """Jobs near each other, a depot (location 0) far from them all, and the seconds between them."""
    at = np.random.default_rng(seed).integers(0, 60, (jobs, 2))
    matrix = np.zeros((jobs + 1, jobs + 1), dtype=np.int64)
    matrix[1:, 1:] = np.abs(at[:, None] - at[None]).sum(axis=2)
    matrix[0, 1:] = matrix[1:, 0] = FAR + at.sum(axis=1)
    model = Model()
    model.set_matrix(matrix.tolist())
    for count, capacity, fixed in cars:
        model.add_vehicle_type(count, start=0, end=0, capacity=capacity, fixed=fixed)
    for k in range(jobs):
        model.add_job(k, location=k + 1, delivery=1)
    return model, matrix


def cheapest(matrix: np.ndarray, cars: Cars) -> int:
    """The price of the cheapest plan of all, where of every class there are vehicles enough for every job."""
    jobs = len(matrix) - 1
    route: dict[int, int] = {}
    for size in range(1, jobs + 1):
        fixed = [price for _, capacity, price in cars if capacity >= size]
        for chosen in itertools.combinations(range(1, jobs + 1), size) if fixed else ():
            ways = (zip((0, *order), (*order, 0), strict=True) for order in itertools.permutations(chosen))
            least = min(sum(int(matrix[a, b]) for a, b in way) for way in ways)
            route[sum(1 << (k - 1) for k in chosen)] = min(fixed) + least
    best = [0] + [10**9] * (2**jobs - 1)
    for served in range(1, 2**jobs):
        first = served & -served
        best[served] = min(
            (price + best[served ^ part] for part, price in route.items() if part & first and part & served == part),
            default=10**9,
        )
    return best[-1]


@pytest.mark.parametrize("count", [12, 150])
def test_a_class_of_cheap_vehicles_does_not_shut_out_the_one_that_suits(count: int) -> None:
    model, _ = town(3, 12, [(count, 1, 10), (count, 2, 11), (count, 12, 900)])
    plan = model.solve(work=20_000, seed=1)
    assert plan.complete and [route.vehicle_type for route in plan.routes] == [2]


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([6, 70]),
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 2000)), min_size=2, max_size=4),
)  # fmt: skip
@settings(max_examples=15)
def test_small_fleets_of_classes_are_planned_at_the_least_price(
    seed: int, count: int, kinds: list[tuple[int, int]]
) -> None:
    cars = [(count, capacity, fixed) for capacity, fixed in kinds]
    model, matrix = town(seed, 6, cars)
    plan = model.solve(work=30_000, seed=1)
    assert plan.complete and plan.cost == cheapest(matrix, cars)


def test_every_cluster_has_idle_vehicles_of_every_class() -> None:
    model, _ = town(5, 40, [(40, 1, 10), (40, 2, 11), (40, 12, 900)])
    read = vroom_case(model.as_vroom())
    tables = gather(read.problem, read.travel)
    work = new_work(tables, 0)
    routes = start_routes(read.problem, tables, work)
    insert_absent(tables, routes, work)
    clusters = cut(tables, routes, 10, 2, np.random.default_rng(1))
    assert len(clusters) > 2
    assert sorted(itertools.chain(*(one.vehicles.tolist() for one in clusters))) == list(range(len(routes.size)))
    idle = np.flatnonzero(routes.size == 0)
    shares = [Counter(tables.vehicle[np.intersect1d(one.vehicles, idle), col.TWIN].tolist()) for one in clusters]
    for twin, many in Counter(tables.vehicle[idle, col.TWIN].tolist()).items():
        assert sum(share[twin] for share in shares) == many
        assert max(share[twin] for share in shares) - min(share[twin] for share in shares) <= 1


def test_a_search_of_classes_finds_the_same_twice() -> None:
    model, _ = town(9, 30, [(130, 2, 10), (130, 5, 30), (130, 9, 200)])
    read = vroom_case(model.as_vroom())
    plans = [plan_routes(read.problem, read.travel, objective="cost", budget=Budget(30_000), seed=4) for _ in range(2)]
    assert plans[0].cost == plans[1].cost and plans[0].rows.stop_place.tolist() == plans[1].rows.stop_place.tolist()
