"""The full rider-order cost matrix of a live moment: every open order's cheapest insertion into every rider's plan."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import Case, Sample, Work
from benchmarks.inputs.snapshots import make_snapshot
from routing.plans.general.gather import gather
from routing.plans.general.insert import start_routes
from routing.plans.general.insertion_prices import price_matrix
from routing.plans.general.kernels.moves import best_in, insert
from routing.plans.general.work import new_work

SIZES = ((50, 100), (500, 1000))


def _prepared(riders: int, orders: int) -> Work:
    problem, travel = make_snapshot(riders, orders, 1)
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    for request in np.flatnonzero(problem.aboard_of >= 0).tolist():
        # What riders are bound to bring stands on their routes: 1.5 stops on average.
        vehicle = int(problem.aboard_of[request])
        _, pick, drop = best_in(tables, routes, request, vehicle, 2**40, work)
        insert(tables, routes, request, vehicle, pick, drop, work)
    asked = np.flatnonzero(problem.aboard_of < 0)

    def run() -> Sample:
        found = price_matrix(tables, routes, work, asked)
        return Sample({"pairs": found.price.size}, {"cheapest": float(found.price.min(axis=1).sum())}, found.price.size)

    return run


def _case(riders: int, orders: int) -> Case:
    return Case(f"matrix/{riders}x{orders}", lambda: _prepared(riders, orders), ("full",), repeats=15, unit="pairs")


CASES = tuple(_case(*size) for size in SIZES)
