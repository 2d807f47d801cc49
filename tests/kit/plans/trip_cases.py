"""Small random rounds of trips with a lawful told plan: goods on board, a stop under way, tentative trips."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.problem.build import allow, make_problem
from routing.problem.problem import INFINITE, NEVER, Level, Problem, Travel, TripRule
from tests.kit.plans.cases import random_travel, random_windows

PICKUP, DROP = 0, 1


def random_round(
    seed: int, *, requests: int = 9, vehicles: int = 4, tight: float = 0.3, told: bool = True, divert: bool = False
) -> tuple[Problem, Travel]:
    """A round with every field in use; `tight` is the share of limits that bind, `divert` prices what else is fixed."""
    rng = np.random.default_rng(seed)
    stores = int(rng.integers(1, 4))
    reachable = stores + requests + 1
    places = reachable + vehicles
    pick_place = rng.integers(0, stores, requests)
    drop_place = stores + np.arange(requests)
    drop_place[rng.random(requests) < 0.3] = stores
    start_place = reachable + np.arange(vehicles)
    routes, levels, keep = _told(rng, pick_place, drop_place, start_place, requests) if told else ([], {}, {})
    aboard_of = np.full(requests, -1)
    for r, v in levels.get("aboard", {}).items():
        aboard_of[r] = v
    price = 40 if divert else NEVER
    take = np.array([[0, 0], [NEVER, NEVER], [price, 30], [price, 30], [NEVER, 20], [NEVER, NEVER]])
    add = np.array([[0, 0], [0, NEVER], [0, 15], [0, 15], [0, 0], [0, 0]])
    limited = rng.random(vehicles) < tight
    fields: dict[str, Any] = {
        "trip_rule": TripRule.ONE_STORE_UNTIL_EMPTY,
        "place": np.arange(places), "enter": rng.integers(0, 9, places), "exit": rng.integers(0, 9, places),
        "pick_place": np.where(aboard_of >= 0, -1, pick_place), "drop_place": drop_place, "aboard_of": aboard_of,
        "store": pick_place * 2 + (rng.random(requests) < 0.2 * tight), "start_place": start_place,
        "load": rng.integers(0, 3, (requests, 2)), "act": rng.integers(0, 5, (requests, 2)),
        "placed": rng.integers(-90, 1, requests), "ready": rng.integers(-90, 120, requests),
        "due": np.sort(rng.integers(-30, 400, (requests, 2)), axis=1), "slope": rng.integers(0, 4, (requests, 3)),
        "late_fixed": rng.integers(0, 200, (requests, 2)), "skip_cost": rng.integers(500, 5000, requests),
        "max_on_board": np.where(rng.random(requests) < tight, 90, INFINITE),
        "start": rng.integers(-40, 60, vehicles),
        "end_place": np.where(rng.random(vehicles) < 0.3, reachable - 1, -1),
        "last_pickup": np.where(limited, rng.integers(0, 250, vehicles), INFINITE),
        "end": np.where(rng.random(vehicles) < tight, 500, INFINITE), "paid_until": rng.integers(0, 400, vehicles),
        "profile": rng.integers(0, 2, vehicles), "capacity": rng.integers(3, 9, (vehicles, 2)),
        "max_requests": rng.integers(1, 6, vehicles), "max_trips": rng.integers(3, 5, vehicles),
        "fixed": rng.integers(0, 60, vehicles), "per_work": rng.integers(0, 3, vehicles),
        "per_drive": rng.integers(0, 3, vehicles), "per_metre": rng.integers(0, 2, vehicles),
        "add_price": add, "take_price": take,
    }  # fmt: skip
    if rng.random() < tight:
        fields["window"] = random_windows(rng, requests, tight / 3)
    allowed = rng.random((requests, vehicles)) > 0.3 * tight
    for v, route in enumerate(routes):
        for _, acts in route:
            for r, _ in acts:
                allowed[r, v] = True
    fields["allowed"] = allow(allowed)
    if told:
        fields.update(before=routes, stop_level=levels["stop"], act_level=levels["act"])
        fields.update(must_keep_ptr=keep["ptr"], must_keep=keep["of"])
    return make_problem(**fields), random_travel(rng, places, reachable, 2, gaps=tight > 0)


def _told(
    rng: np.random.Generator, pick_place: np.ndarray, drop_place: np.ndarray, start_place: np.ndarray, requests: int
) -> tuple[list[Any], dict[str, Any], dict[str, Any]]:
    """Rows with levels: drops of goods on board, then a told stop, then a tentative trip, each sometimes missing."""
    free = rng.permutation(requests).tolist()
    routes, stop_level, act_level, aboard = [], [], [], {}
    must_keep_ptr, keep_of = [0], []

    def stop(route: list[Any], place: int, acts: list[tuple[int, int]], level: int, acts_level: int) -> None:
        route.append((int(place), acts))
        stop_level.append(level)
        act_level.extend([acts_level] * len(acts))

    for v in range(len(start_place)):
        route: list[Any] = []
        if free and rng.random() < 0.3:
            r = free.pop()
            aboard[r] = v
            stop(route, drop_place[r], [(r, DROP)], int(rng.integers(2, 4)), Level.ON_BOARD)
        if free and rng.random() < 0.5:
            place = int(pick_place[free[-1]])
            held = [free.pop()] if rng.random() < 0.7 else []
            goes_there_first = not route
            level = int(rng.choice([Level.TOLD, Level.UNDERWAY, Level.AT_STOP]))
            if not route and level >= Level.UNDERWAY and rng.random() < 0.8:
                start_place[v] = place
            stop(route, place, [(r, PICKUP) for r in held], level, Level.TOLD)
            for r in held:
                stop(route, drop_place[r], [(r, DROP)], Level.TENTATIVE, Level.TOLD)
            if held and goes_there_first and rng.random() < 0.5:
                keep_of += held
        if free and rng.random() < 0.5:
            r = free.pop()
            stop(route, pick_place[r], [(r, PICKUP)], Level.TENTATIVE, Level.TENTATIVE)
            stop(route, drop_place[r], [(r, DROP)], Level.TENTATIVE, Level.TENTATIVE)
        must_keep_ptr.append(len(keep_of))
        routes.append(route)
    return routes, {"stop": stop_level, "act": act_level, "aboard": aboard}, {"ptr": must_keep_ptr, "of": keep_of}
