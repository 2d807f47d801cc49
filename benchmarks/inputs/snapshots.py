"""Live-city snapshots: open orders, riders with committed stops, soft promises.

Stores by Dirichlet popularity, normal around the centre; orders .2 to 5 km from their store, placed within four
minutes, ready after N(6, 3) minutes, promised in thirty; riders with up to three committed drops, five orders at most,
18 km/h; 60 s at a store, 90 s at a door.  Price: a second of travel 1, a second of lateness 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from routing.problem.build import make_problem
from routing.problem.problem import Problem, Travel

STORES, CAPACITY, SPEED_MPS = 60, 5, 5.0
STORE_S, DOOR_S, PROMISE_S, PLACED_S = 60, 90, 1800, 240
LATE_SLOPE = 3


class LiveMoment(NamedTuple):
    """One moment of a city."""

    problem: Problem
    travel: Travel


def make_snapshot(riders: int, orders: int, seed: int, *, late_charge: int = 0) -> LiveMoment:
    """A snapshot with so many riders and open orders; the same seed gives the same moment.

    `late_charge`: price of being late at all, in seconds of travel, on top of the price of each late second.
    """
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
        late_fixed=np.tile([late_charge, 0], (requests, 1)),
        start_place=reachable + np.arange(riders), capacity=CAPACITY, skip_cost=10**7,
    )  # fmt: skip
    return LiveMoment(problem, Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32)))
