"""A slow, obvious twin of the evaluator: every law of a plan is asked of a list of what happened, one by one."""

from __future__ import annotations

import itertools
from typing import NamedTuple

from routing.problem.build import read_rows
from routing.problem.problem import NEVER, Problem, Rows, Travel
from tests.kit.plans.naive_route import Acts, NaiveRoute


class Naive(NamedTuple):
    """What the twin says of a plan: the names of all laws it breaks, its price and the rank of what it leaves out."""

    broken: set[str]
    cost: int
    rank: int


def naive_plan(problem: Problem, travel: Travel, rows: Rows) -> Naive:
    """The twin's word on a plan; of one that does not even hang together only that."""
    routes = read_rows(rows)
    carrier = {r: v for v, route in enumerate(routes) for _, acts in route for r, _ in acts}
    if not all(_hangs_together(problem, routes, request) for request in range(len(problem.pick_place))):
        return Naive({"malformed"}, 0, 0)
    broken: set[str] = set()
    cost = 0
    done: dict[int, list[tuple[int, int, int]]] = {}  # request -> (vehicle, stop, instant) of its acts
    trips: dict[int, tuple[int, int]] = {}
    lasting = [0]
    for vehicle, route in enumerate(routes):
        cost += _changes(problem, vehicle, routes, carrier, broken)
        if problem.must_keep_ptr[vehicle] < problem.must_keep_ptr[vehicle + 1]:
            there = itertools.takewhile(lambda stop, route=route: stop[0] == route[0][0], route)
            kept = problem.must_keep[problem.must_keep_ptr[vehicle] : problem.must_keep_ptr[vehicle + 1]].tolist()
            if not {r for _, acts in there for r, _ in acts} & set(kept):
                broken.add("must_keep")
        if route:
            day = NaiveRoute(problem, travel, vehicle, route)
            broken |= day.broken
            cost += day.cost
            trips |= {request: (vehicle, trip) for request, trip in day.trips.items()}
            lasting.append(day.lasted)
            for request, stop, at in day.acts:
                done.setdefault(request, []).append((vehicle, stop, at))
    price, rank = _whole(problem, done, trips, broken)
    used = sum(1 for route in routes if route)
    if used < problem.min_used or used > problem.max_used:
        broken.add("fleet")
    return Naive(broken, cost + price + problem.per_longest * max(lasting), rank)


def _hangs_together(problem: Problem, routes: list[list[tuple[int, Acts]]], request: int) -> bool:
    """Whether a request's acts are none, or all of them, once, in order, where they belong, on one route."""
    acts = [
        (v, place, kind) for v, route in enumerate(routes) for place, acts in route for r, kind in acts if r == request
    ]
    pick, drop = int(problem.pick_place[request]), int(problem.drop_place[request])
    wanted = [(place, kind) for kind, place in enumerate((pick, drop)) if place >= 0]
    return not acts or (len({v for v, _, _ in acts}) == 1 and [(place, kind) for _, place, kind in acts] == wanted)


def _changes(
    problem: Problem, vehicle: int, routes: list[list[tuple[int, Acts]]], carrier: dict[int, int], broken: set[str]
) -> int:
    """Price of what differs from the told plan."""
    told, route, base = read_rows(problem.before)[vehicle], routes[vehicle], int(problem.before.stop_ptr[vehicle])
    places = [place for place, _ in route]
    level_of: dict[int, int] = {}
    prices: list[int] = []
    for number, (place, acts) in enumerate(told):
        level = int(problem.stop_level[base + number])
        level_of[place] = max(level, level_of.get(place, 0))
        if place not in places[: 1 if number == 0 else None]:
            prices.append(int(problem.take_price[level, 0]))
        for k, (request, kind) in enumerate(acts, int(problem.before.act_ptr[base + number])):
            if kind == (0 if problem.pick_place[request] >= 0 else 1) and carrier.get(request) != vehicle:
                prices.append(int(problem.take_price[problem.act_level[k], 1]))
    ours = {request for _, acts in told for request, _ in acts}
    for number, (place, acts) in enumerate(route if told else []):
        delayed = [level_of[later] for later in places[number + 1 :] if later in level_of]
        if place not in level_of:
            prices += [int(problem.add_price[max(delayed), 0])] if delayed else []
            continue
        for request, kind in acts:
            if kind == (0 if problem.pick_place[request] >= 0 else 1) and request not in ours:
                prices.append(int(problem.add_price[level_of[place], 1]))
    if any(price >= NEVER for price in prices):
        broken.add("told")
        return 0
    return sum(prices)


def _whole(
    problem: Problem, done: dict[int, list[tuple[int, int, int]]], trips: dict[int, tuple[int, int]], broken: set[str]
) -> tuple[int, int]:
    """Price of pairs, splits and what is left out, and the rank of that; the laws of the whole plan."""
    requests = range(len(problem.pick_place))
    stays = {r for r in requests if problem.aboard_of[r] >= 0 and problem.drop_place[r] < 0}
    rows_of: dict[int, list[int]] = {}
    for request in requests:
        number = int(problem.choice[request]) if problem.choice.size else -1
        rows_of.setdefault(number if number >= 0 else -1 - request, []).append(request)
    price = rank = 0
    doing: dict[int, int] = {}  # request -> the row of its choice that is served
    for rows in rows_of.values():
        served = [r for r in rows if r in done or r in stays]
        if len(served) > 1:
            broken.add("choice")
        if served:
            doing |= dict.fromkeys(rows, served[-1])
        else:
            price += int(problem.skip_cost[rows[0]])
            rank += int(problem.rank[rows[0]]) if problem.rank.size else 0
    for a, b in enumerate(problem.linked.tolist()):
        if b >= 0 and (a in done or b in done) and not (a in done and b in done and done[a][-1][:2] == done[b][0][:2]):
            broken.add("linked")
    for a, b in problem.precedence.tolist():
        if b in doing and doing[b] not in stays:
            first = done[doing[b]][0][2]
            if a not in doing or (doing[a] not in stays and done[doing[a]][-1][2] > first):
                broken.add("precedence")
    for group, split in enumerate(problem.split_price.tolist()):
        parts = {trips.get(r) for r in done if problem.group[r] == group}
        price += split * (len(parts) - 1 if parts else 0)
    if problem.pair_price.size:
        price += sum(int(problem.pair_price[r, acts[0][0]]) for r, acts in done.items())
    return price, rank
