"""The proven optimum of a small problem: every sequence of every vehicle, then the best way to share out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from routing.problem.build import Stop, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import ActKind, Problem, Travel

Cost = tuple[int, int]
"""Rank of what is left out, then price."""


def optimum(problem: Problem, travel: Travel) -> Cost:
    """The least (rank, cost) of all plans, timed by the evaluator.

    What a set of requests costs at least in each vehicle is found by trying all sequences of its acts, with and
    without reloads between; sets are then shared out among vehicles by dynamic programming.
    """
    requests, vehicles = len(problem.pick_place), len(problem.start_place)
    rank = problem.rank if problem.rank.size else np.zeros(requests, dtype=np.int64)
    rests = [_members(rest, requests) for rest in range(1 << requests)]
    counted = [_counted(problem, rest) for rest in rests]
    left = [(int(rank[rest].sum()), int(problem.skip_cost[rest].sum())) for rest in counted]
    everybody = (1 << requests) - 1
    best: dict[int, int] = {0: 0}
    others = _beside(problem)
    for vehicle in range(vehicles):
        own = _cheapest_routes(problem, travel, vehicle, left, others)
        wider = dict(best)
        for served, cost in best.items():
            for more, price in own.items():
                if not served & (more | _any_of(others, more)):
                    known = wider.get(served | more)
                    wider[served | more] = cost + price if known is None else min(known, cost + price)
        best = wider
    return min((left[everybody ^ served][0], cost + left[everybody ^ served][1]) for served, cost in best.items())


def _beside(problem: Problem) -> list[int]:
    """Of every request the other rows of its choice, as a set in bits."""
    choice = problem.choice if problem.choice.size else np.full(len(problem.pick_place), -1)
    return [
        sum(1 << other for other, number in enumerate(choice) if number == own >= 0 and other != request)
        for request, own in enumerate(choice)
    ]


def _any_of(others: list[int], served: int) -> int:
    """The union of `others` over a set."""
    found = 0
    for request, beside in enumerate(others):
        found |= beside if served >> request & 1 else 0
    return found


def _counted(problem: Problem, rest: list[int]) -> list[int]:
    """Of what is left out the rows that count: of a choice one, where all of its rows are left out."""
    if not problem.choice.size:
        return rest
    whole = {int(n): np.flatnonzero(problem.choice == n).tolist() for n in problem.choice if n >= 0}
    return [
        r for r in rest if problem.choice[r] < 0
        or (set(whole[int(problem.choice[r])]) <= set(rest) and r == whole[int(problem.choice[r])][0])
    ]  # fmt: skip


def _members(mask: int, requests: int) -> list[int]:
    return [r for r in range(requests) if mask >> r & 1]


def _cheapest_routes(
    problem: Problem, travel: Travel, vehicle: int, left: list[Cost], others: list[int]
) -> dict[int, int]:
    """Set of requests -> the least price of a route of this vehicle that serves just them."""
    found: dict[int, int] = {}
    vehicles, everybody = len(problem.start_place), (1 << len(problem.pick_place)) - 1
    for served, route in _routes(problem, vehicle, others):
        timeline = evaluate(problem, travel, make_rows([route if v == vehicle else [] for v in range(vehicles)]))
        if timeline.feasible:
            price = timeline.cost - left[everybody ^ served][1]
            found[served] = min(price, found.get(served, price))
    return found


def _routes(problem: Problem, vehicle: int, others: list[int]) -> Iterator[tuple[int, list[Stop]]]:
    """Every sequence of acts of some requests, pickups before their drops, with every choice of reloads between.

    Of rows that are alternatives (`others`) one at most.
    """
    reloads = problem.reloads
    places = set(reloads.place[reloads.ptr[vehicle] : reloads.ptr[vehicle + 1]].tolist()) if reloads.ptr.size else set()

    def extended(served: int, open_requests: int, route: list[Stop]) -> Iterator[tuple[int, list[Stop]]]:
        if route and not open_requests and route[-1][1]:
            yield served, list(route)
        for request in range(len(problem.pick_place)):
            pick, drop = int(problem.pick_place[request]), int(problem.drop_place[request])
            if open_requests >> request & 1:
                step, still = (drop, [(request, int(ActKind.DROP))]), open_requests & ~(1 << request)
            elif served & (1 << request | others[request]):
                continue
            elif pick >= 0:
                step = (pick, [(request, int(ActKind.PICKUP))])
                still = open_requests | (1 << request if drop >= 0 else 0)
            else:
                step, still = (drop, [(request, int(ActKind.DROP))]), open_requests
            yield from extended(served | 1 << request, still, [*route, step])
        if route and route[-1][1]:
            for place in sorted(places):
                yield from extended(served, open_requests, [*route, (place, [])])

    yield from extended(0, 0, [])
