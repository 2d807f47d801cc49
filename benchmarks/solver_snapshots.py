"""Live-city snapshots: open orders, riders with committed stops, soft promises; as a Problem and as VROOM JSON.

Stores by Dirichlet popularity, normal around the centre; orders .2 to 5 km from their store, placed within four
minutes, ready after N(6, 3) minutes, promised in thirty; riders with up to three committed drops, five orders at most,
18 km/h; 60 s at a store, 90 s at a door.  Price: a second of travel 1, a second of lateness 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from routing.plans.build import make_problem
from routing.plans.problem import Problem, Travel

STORES, CAPACITY, SPEED_MPS = 60, 5, 5.0
STORE_S, DOOR_S, PROMISE_S, PLACED_S = 60, 90, 1800, 240
LATE_SLOPE = 3


class Snapshot(NamedTuple):
    """One moment of a city."""

    problem: Problem
    travel: Travel


def make_snapshot(riders: int, orders: int, seed: int) -> Snapshot:
    """A snapshot with so many riders and open orders; the same seed gives the same moment."""
    rng = np.random.default_rng(seed)
    stores = rng.normal(0, 2500, (STORES, 2))
    popularity = rng.dirichlet(np.ones(STORES))
    aboard = rng.integers(0, 4, riders)
    of_store = rng.choice(STORES, orders, p=popularity)
    angle, far = rng.uniform(0, 2 * np.pi, orders), rng.uniform(200, 5000, orders)
    doors = stores[of_store] + np.stack([np.cos(angle), np.sin(angle)], axis=1) * far[:, None]
    at = rng.normal(0, 3500, (riders, 2))
    committed = np.repeat(at, aboard, axis=0) + rng.normal(0, 1200, (int(aboard.sum()), 2))
    spots = np.concatenate([stores, doors, committed, at])
    reachable, requests = len(spots) - riders, orders + len(committed)
    apart = spots[:, None] - spots[None, :reachable]
    ticks = np.rint(np.sqrt((apart * apart).sum(axis=2)) / SPEED_MPS).astype(np.int32)[None]
    placed = np.concatenate([-rng.integers(0, PLACED_S, orders), -rng.integers(300, 1500, len(committed))])
    ready = np.maximum(placed[:orders] + np.rint(rng.normal(360, 180, orders)), placed[:orders])
    own = np.concatenate([np.full(orders, -1), np.repeat(np.arange(riders), aboard)])
    due = placed + PROMISE_S
    problem = make_problem(
        place=np.arange(len(spots)),
        enter=np.concatenate([np.full(STORES, STORE_S), np.full(len(spots) - STORES, DOOR_S)]),
        pick_place=np.concatenate([of_store, np.full(len(committed), -1)]), drop_place=STORES + np.arange(requests),
        aboard_of=own, placed=placed, ready=np.concatenate([ready, np.zeros(len(committed))]),
        due=np.stack([due, due], axis=1), slope=np.tile([0, LATE_SLOPE, LATE_SLOPE], (requests, 1)),
        start_place=reachable + np.arange(riders), capacity=CAPACITY, skip_cost=10**7,
    )  # fmt: skip
    return Snapshot(problem, Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)))


def to_vroom(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as a VROOM input: drops due on time, or a minute after anybody could; skills pin the bags."""
    problem, ticks = snapshot.problem, snapshot.travel.ticks[0]
    places, reachable = ticks.shape
    square = np.zeros((places, places), dtype=np.int64)
    square[:, :reachable] = ticks
    jobs, shipments = [], []
    for request in range(len(problem.pick_place)):
        owner, pick, drop = (int(a[request]) for a in (problem.aboard_of, problem.pick_place, problem.drop_place))
        ready, due = max(0, int(problem.ready[request])), int(problem.due[request, 0])
        if owner >= 0:
            soonest = int(ticks[problem.start_place[owner], drop])
            window = [[0, max(due, soonest + 60)]]
            jobs.append(
                {"id": request, "location_index": drop, "service": DOOR_S, "skills": [owner + 1], "delivery": [1],
                 "time_windows": window}
            )  # fmt: skip
            continue
        first = max(ready, int(ticks[problem.start_place, pick].min())) + STORE_S + int(ticks[pick, drop])
        shipments.append(
            {
                "amount": [1],
                "pickup": {
                    "id": request, "location_index": pick, "service": STORE_S, "time_windows": [[ready, 100_000]],
                },
                "delivery": {
                    "id": request, "location_index": drop, "service": DOOR_S,
                    "time_windows": [[0, max(due, first + 60)]],
                },
            }
        )  # fmt: skip
    vehicles = [
        {"id": v, "start_index": int(place), "capacity": [CAPACITY], "skills": [v + 1]}
        for v, place in enumerate(problem.start_place)
    ]
    matrices = {"car": {"durations": square.tolist()}}
    return {"vehicles": vehicles, "jobs": jobs, "shipments": shipments, "matrices": matrices}
