"""What OR-Tools is asked: one cluster of vehicles in plain numbers, for pickups and drops or for whole trips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.ortools.lateness import LateStep


class RouteQuestion(NamedTuple):
    """Node 2 r picks request r up, 2 r + 1 drops it; starts and ends of vehicles follow."""

    cost: NDArray[np.int64]  # [vehicle kind, n, n]
    ticks: NDArray[np.int64]  # [vehicle kind, n, n] from act instant to act instant
    kind: list[int]  # of each vehicle
    start: list[int]  # node
    end: list[int]
    depart: list[int]
    home_by: list[int]
    fixed: list[int]
    window: list[tuple[int, int]]  # of each request node
    load: NDArray[np.int64]  # [r, D]
    capacity: NDArray[np.int64]  # [vehicle, D]
    allowed: list[list[int]]  # vehicles of each request
    skip: list[int]
    late: list[tuple[LateStep, ...]]  # price of the instant of each drop
    warm: list[list[int]]  # nodes of each vehicle in the plan that is polished


class TripQuestion(NamedTuple):
    """Node j is trip j, from its pickup until empty; starts of vehicles and one node where every day ends follow."""

    cost: NDArray[np.int64]  # [n, n]
    ticks: NDArray[np.int64]  # [n, n] from act instant to act instant
    ready: list[int]  # of each trip
    late: list[tuple[LateStep, ...]]  # price of the instant of each pickup, which decides when the goods arrive
    allowed: list[list[int]]  # vehicles of each trip
    free: list[int]  # of each vehicle
    last_pickup: list[int]
    max_trips: list[int]
    warm: list[list[int]]


Question = RouteQuestion | TripQuestion
