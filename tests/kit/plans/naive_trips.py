"""Slow twins of the trip planner's kernels: everything is tried, and the evaluator says what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from routing.problem.build import make_rows, read_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import Problem, Rows, Travel

PICKUP, DROP = 0, 1

Trip = tuple[int, tuple[int, ...]]
"""(place of the pickup stop, requests in the sequence of their drops)."""
Chain = tuple[tuple[int, ...], tuple[Trip, ...]]
"""(requests on board, trips)."""


def unfold(problem: Problem, rows: Rows) -> list[Chain]:
    """Rows as chains of trips, one per vehicle."""
    chains: list[Chain] = []
    for route in read_rows(rows):
        head: list[int] = []
        trips: list[tuple[int, list[int]]] = []
        for place, acts in route:
            if not acts or acts[0][1] == PICKUP:
                trips.append((place, []))
                continue
            for r, _ in acts:
                (head if problem.aboard_of[r] >= 0 else trips[-1][1]).append(r)
        chains.append((tuple(head), tuple((place, tuple(held)) for place, held in trips)))
    return chains


def fold(problem: Problem, chains: list[Chain]) -> Rows:
    """The inverse: neighbouring drops at one place share a stop where they have the same windows."""
    routes = []
    for head, trips in chains:
        route: list[tuple[int, list[tuple[int, int]]]] = []
        for place, held in ((-1, head), *trips):
            if place >= 0:
                route.append((place, [(r, PICKUP) for r in held]))
            before = (-1, [])
            for r in held:
                drop = int(problem.drop_place[r])
                door = (drop, problem.window[r, DROP].tolist())
                if door == before:
                    route[-1][1].append((r, DROP))
                else:
                    route.append((drop, [(r, DROP)]))
                before = door
        routes.append(route)
    return make_rows(routes)


def price(problem: Problem, travel: Travel, chains: list[Chain]) -> int | None:
    """Cost of the plan, None where it breaks a law."""
    timeline = evaluate(problem, travel, fold(problem, chains))
    return timeline.cost if timeline.feasible else None


def places(problem: Problem, chain: Chain, r: int, first: int) -> Iterator[Chain]:
    """Every way to put request r into a chain: joined in any sequence, or alone anywhere after the first trips."""
    head, trips = chain
    pick = int(problem.pick_place[r])
    for k, (place, held) in enumerate(trips):
        if place == pick:
            for sequence in permutations((*held, r)):
                yield head, (*trips[:k], (place, sequence), *trips[k + 1 :])
    for k in range(first, len(trips) + 1):
        yield head, (*trips[:k], (pick, (r,)), *trips[k:])


def cheapest_on(problem: Problem, travel: Travel, chains: list[Chain], v: int, r: int, first: int) -> int | None:
    """Least cost of the whole plan with request r added to vehicle v, None where it cannot be."""
    costs = []
    for chain in places(problem, chains[v], r, first):
        cost = price(problem, travel, [*chains[:v], chain, *chains[v + 1 :]])
        if cost is not None:
            costs.append(cost)
    return min(costs, default=None)


def without(chains: list[Chain], r: int) -> list[Chain]:
    """The plan with request r taken out; a trip left empty goes."""
    thinned = [(head, tuple((p, tuple(x for x in held if x != r)) for p, held in trips)) for head, trips in chains]
    return [(head, tuple(trip for trip in trips if trip[1])) for head, trips in thinned]


def all_plans(problem: Problem, requests: tuple[int, ...], vehicles: int) -> Iterator[list[Chain]]:
    """Every plan that serves exactly `requests` with vehicles that have nothing on board and were told nothing."""
    if not requests:
        yield [((), ())] * vehicles
        return
    *rest, r = requests
    seen = set()
    for plan in all_plans(problem, tuple(rest), vehicles):
        for v in range(vehicles):
            for chain in places(problem, plan[v], r, 0):
                made = (*plan[:v], chain, *plan[v + 1 :])
                if made not in seen:
                    seen.add(made)
                    yield list(made)


def cheapest_plan(problem: Problem, travel: Travel) -> int:
    """Least cost over all plans, requests left out where that is cheaper."""
    everyone = np.arange(len(problem.pick_place)).tolist()
    best = None
    for mask in range(2 ** len(everyone)):
        served = tuple(r for r in everyone if mask >> r & 1)
        for plan in all_plans(problem, served, len(problem.start_place)):
            cost = price(problem, travel, plan)
            if cost is not None and (best is None or cost < best):
                best = cost
    assert best is not None
    return best
