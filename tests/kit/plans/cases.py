"""Small random problems and plans, nasty on purpose, drawn from a seeded generator."""

from __future__ import annotations

import numpy as np

from routing.problem.build import allow, make_problem, make_rows
from routing.problem.problem import INFINITE, NEVER, Level, Problem, Rows, Travel, TripRule


def random_travel(rng: np.random.Generator, places: int, reachable: int, profiles: int, *, gaps: bool) -> Travel:
    """Asymmetric legs without triangle inequality, sometimes unreachable, sometimes without metres."""
    ticks = rng.integers(0, 60, (profiles, places, reachable)).astype(np.int32)
    if gaps:
        ticks[rng.random(ticks.shape) < 0.03] = INFINITE
    if rng.random() < 0.3:
        return Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32))
    return Travel(ticks, rng.integers(0, 900, ticks.shape).astype(np.int32))


def random_windows(rng: np.random.Generator, requests: int, tight: float) -> np.ndarray:
    """Windows int32[R, 2, K, 2]: many open, some single, some pairs in any order."""
    count = int(rng.integers(1, 4))
    window = np.empty((requests, 2, count, 2), dtype=np.int32)
    for request in range(requests):
        for side in range(2):
            if rng.random() > tight:
                window[request, side] = [-INFINITE, INFINITE]
                continue
            for k in range(count):
                opens = int(rng.integers(-50, 300))
                window[request, side, k] = [opens, opens + int(rng.integers(0, 200))]
    return window


def random_problem(
    seed: int, *, requests: int = 6, vehicles: int = 3, tight: float = 0.3, rule: TripRule = TripRule.ANY,
    told: bool = True, gaps: bool = True, one_ended: bool = True,
) -> tuple[Problem, Travel]:  # fmt: skip
    """A problem with every field in use; `tight` is the share of acts with windows and of other limits."""
    rng = np.random.default_rng(seed)
    shops = int(rng.integers(1, 4))
    reachable = shops + requests + 1
    places = reachable + vehicles
    pick_place = rng.integers(0, shops, requests)
    drop_place = shops + np.arange(requests)
    drop_place[rng.random(requests) < 0.2] = rng.integers(0, shops)
    aboard_of = np.full(requests, -1)
    if one_ended:
        draw = rng.random(requests)
        pick_place[draw < 0.3] = -1
        aboard_of[draw < 0.15] = rng.integers(0, vehicles, int((draw < 0.15).sum()))
        drop_place[(draw > 0.9) | (draw < 0.02)] = -1
    dimensions = int(rng.integers(1, 3))
    start_place = reachable + np.arange(vehicles)
    end_place = np.where(rng.random(vehicles) < 0.5, reachable - 1, -1)
    slope = rng.integers(0, 4, (requests, 3)) * (drop_place >= 0)[:, None]
    due = np.sort(rng.integers(-30, 400, (requests, 2)), axis=1)
    fields = {
        "trip_rule": rule,
        "place": np.arange(places), "enter": rng.integers(0, 9, places), "exit": rng.integers(0, 9, places),
        "pick_place": pick_place, "drop_place": drop_place, "aboard_of": aboard_of, "start_place": start_place,
        "load": rng.integers(0, 4, (requests, dimensions)), "act": rng.integers(0, 9, (requests, 2)),
        "placed": rng.integers(-90, 20, requests), "ready": rng.integers(-90, 120, requests),
        "window": random_windows(rng, requests, tight), "due": due, "slope": slope,
        "max_on_board": np.where(rng.random(requests) < tight, 150, INFINITE),
        "late_fixed": rng.integers(0, 200, (requests, 2)), "skip_cost": rng.integers(500, 5000, requests),
        "start": rng.integers(-40, 40, vehicles), "end_place": end_place,
        "last_pickup": np.where(rng.random(vehicles) < tight, 250, INFINITE),
        "end": np.where(rng.random(vehicles) < tight, 500, INFINITE), "paid_until": rng.integers(0, 600, vehicles),
        "profile": rng.integers(0, 2, vehicles), "capacity": rng.integers(5, 14, (vehicles, dimensions)),
        "max_requests": np.where(rng.random(vehicles) < tight, rng.integers(2, 6, vehicles), INFINITE),
        "max_trips": np.where(rng.random(vehicles) < tight, rng.integers(1, 4, vehicles), INFINITE),
        "fixed": rng.integers(0, 300, vehicles), "per_work": rng.integers(0, 3, vehicles),
        "per_drive": rng.integers(0, 3, vehicles), "per_metre": rng.integers(0, 2, vehicles),
    }  # fmt: skip
    allowed = rng.random((requests, vehicles)) > 0.2 * tight
    allowed[np.arange(requests)[aboard_of >= 0], aboard_of[aboard_of >= 0]] = True
    fields["allowed"] = allow(allowed)
    problem = make_problem(**fields)
    travel = random_travel(rng, places, reachable, 2, gaps=gaps)
    if told:
        fields.update(random_told(rng, problem))
        problem = make_problem(**fields)
    return problem, travel


def random_told(rng: np.random.Generator, problem: Problem) -> dict[str, object]:
    """A told plan with levels and prices, sometimes with vehicles that stand at their first stop."""
    vehicles = len(problem.start_place)
    told = random_rows(rng, problem, sane=True)
    start_place = problem.start_place.copy()
    stop_level = rng.integers(0, 5, len(told.stop_place))
    for vehicle in range(vehicles):
        first = told.stop_ptr[vehicle]
        if first < told.stop_ptr[vehicle + 1] and rng.random() < 0.5:
            start_place[vehicle] = told.stop_place[first]
            stop_level[first] = rng.choice([Level.TENTATIVE, Level.UNDERWAY, Level.AT_STOP])
    add_price, take_price = rng.integers(0, 50, (6, 2)), rng.integers(0, 50, (6, 2))
    for prices in (add_price, take_price):
        prices[rng.random((6, 2)) < 0.1] = NEVER
    must_keep_ptr, keep = [0], []
    for vehicle in range(vehicles):
        first, last = told.stop_ptr[vehicle], told.stop_ptr[vehicle + 1]
        begin, finish = told.act_ptr[first], told.act_ptr[min(first + 1, last)]
        served = told.act_request[begin:finish].tolist()
        if served and rng.random() < 0.5:
            # What the told plan serves where it goes first, and perhaps something that it does not.
            keep += sorted({*served, int(rng.integers(0, len(problem.pick_place)))})
        must_keep_ptr.append(len(keep))
    return {
        "before": told, "start_place": start_place, "stop_level": stop_level,
        "act_level": rng.integers(0, 5, len(told.act_request)), "add_price": add_price, "take_price": take_price,
        "must_keep_ptr": must_keep_ptr, "must_keep": keep,
    }  # fmt: skip


def random_rows(rng: np.random.Generator, problem: Problem, *, sane: bool) -> Rows:
    """A plan with random routes; unless `sane`, acts may be misplaced, repeated or missing."""
    vehicles = len(problem.start_place)
    routes: list[list[tuple[int, int, int]]] = [[] for _ in range(vehicles)]
    for request in rng.permutation(len(problem.pick_place)).tolist():
        if rng.random() < 0.25:
            continue
        owner = int(problem.aboard_of[request])
        route = routes[owner if owner >= 0 and (sane or rng.random() < 0.95) else int(rng.integers(vehicles))]
        at = int(rng.integers(len(route) + 1))
        if problem.drop_place[request] >= 0:
            route.insert(at, (int(problem.drop_place[request]), request, 1))
            at = int(rng.integers(at + 1))
        if problem.pick_place[request] >= 0:
            route.insert(at, (int(problem.pick_place[request]), request, 0))
    if not sane and rng.random() < 0.2:
        route = routes[int(rng.integers(vehicles))]
        if len(route) > 1:
            spot = int(rng.integers(len(route)))
            place, request, kind = route[spot]
            route[spot] = [(place, request, 1 - kind), (0, request, kind), route[0]][int(rng.integers(3))]
    stops = []
    for route in routes:
        merged: list[tuple[int, list[tuple[int, int]]]] = []
        for place, request, kind in route:
            if merged and merged[-1][0] == place and rng.random() < 0.7:
                merged[-1][1].append((request, kind))
            else:
                merged.append((place, [(request, kind)]))
        if rng.random() < 0.2:
            merged.insert(int(rng.integers(len(merged) + 1)), (0, []))
        stops.append(merged)
    return make_rows(stops)
