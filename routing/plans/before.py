"""What was told, as both planners read it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.problem.problem import I32, I64, ActKind, Level, Problem


def standing(problem: Problem) -> NDArray[np.bool_]:
    """Vehicles that stand at their told first stop since `start`, or will from then on."""
    told = problem.before
    busy = np.flatnonzero(np.diff(told.stop_ptr))
    first = told.stop_ptr[busy]
    stands = np.zeros(len(problem.start_place), dtype=np.bool_)
    stands[busy] = told.stop_place[first] == problem.start_place[busy]
    stands[busy] &= problem.stop_level[first] >= Level.UNDERWAY
    return stands


def homes(problem: Problem) -> tuple[I64, I64]:
    """Told vehicle int64[R] of every request (-1: none), and the price of taking it from there.

    Another row of its choice costs that too: it takes the place of the told one.
    """
    told, requests = problem.before, len(problem.pick_place)
    home, take = np.full(requests, -1, dtype=np.int64), np.zeros(requests, dtype=np.int64)
    first = np.flatnonzero((told.act_kind == ActKind.PICKUP) | (problem.pick_place[told.act_request] < 0))
    home[told.act_request[first]] = vehicle_of_acts(told.stop_ptr, told.act_ptr)[first]
    take[told.act_request[first]] = problem.take_price[problem.act_level[first], 1]
    if problem.choice.size:
        most = np.zeros(requests + 1, dtype=np.int64)
        np.maximum.at(most, problem.choice, take)
        take = np.where(problem.choice >= 0, most[problem.choice], take)
    return home, take


def vehicle_of_acts(stop_ptr: I32, act_ptr: I32) -> NDArray[np.intp]:
    """Vehicle of every act."""
    return np.repeat(np.arange(len(stop_ptr) - 1), np.diff(act_ptr[stop_ptr]))


def changes(problem: Problem) -> tuple[I32, I64]:
    """Told places and levels int32[S, 2], and the prices of changing them int64[levels, 4] (kernels/laws.py)."""
    told = np.stack([problem.before.stop_place, problem.stop_level.astype(np.int32)], axis=1)
    return told, np.concatenate([problem.add_price, problem.take_price], axis=1)
