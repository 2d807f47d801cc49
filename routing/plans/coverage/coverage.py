"""Empty moves by expected coverage: arithmetic on plain arrays, integers throughout.

A store costs, per unit of its rate, the expected delay its next requests would suffer from the few vehicles that can
be there soonest; an idle vehicle moves where that expectation falls most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.plans.coverage.kernels.coverage import choose_moves

DEPTH = 4
"""Vehicles that count for a store; each weighs half of the one before."""

SPARE = 4
"""Vehicles remembered beyond those, because the one that moves away has to be replaced."""


def delay_curve(notices: NDArray[np.int64], enter: int, bucket: int, buckets: int) -> NDArray[np.int64]:
    """Expected delay [S, buckets] in thousandths of a tick of a request whose vehicle is b buckets away.

    `notices`: counts int64[S, N] of requests seen with a notice (placed to ready) of n buckets. `enter`: ticks between
    arrival and pickup. Row s is the mean over its notices of max(0, b * bucket + enter - n * bucket); zero where a
    store has none.
    """
    distance = np.arange(buckets, dtype=np.int64) * bucket + enter
    notice = np.arange(notices.shape[1], dtype=np.int64) * bucket
    late = np.maximum(distance[None, :] - notice[:, None], 0)
    return np.asarray(notices @ late * 1000 // np.maximum(notices.sum(axis=1), 1)[:, None], dtype=np.int64)


def empty_moves(
    rate: NDArray[np.int64],
    curve: NDArray[np.int64],
    reach: NDArray[np.int32],
    between: NDArray[np.int32],
    idle: NDArray[np.int32],
    legs: NDArray[np.int32],
    *,
    bucket: int,
    horizon: int,
    least: int,
    longest: int,
    drive: int = 0,
) -> NDArray[np.int32]:
    """Store to which each idle vehicle should move, int32[len(idle)], -1 where it should stay.

    `rate`: requests expected per million ticks, [S]. `curve`: see `delay_curve`. `reach`: ticks until vehicle v can
    be at store s, [V, S], only of vehicles that will be free soon. `between`: ticks from store to store, [S, S].
    `idle`: rows of `reach` that may move, decided in this sequence, each knowing the moves before it. `legs`: ticks
    they drive to each store, [len(idle), S]. A move is worth `horizon` ticks of the fall of the expected delay less
    the rise of it while the vehicle is under way; it must be worth more than `least` ticks and take at most
    `longest`. `drive`: billionths of a tick of expected delay that each tick of driving must be worth besides.
    """
    stores = len(rate)
    soonest = np.zeros((stores, DEPTH + SPARE), dtype=np.int64)
    vehicle = np.full((stores, DEPTH + SPARE), -1, dtype=np.int64)
    targets = np.full(len(idle), -1, dtype=np.int32)
    if stores and len(idle):
        # rate counts per million ticks, the curve in thousandths.
        choose_moves(
            rate, curve, reach, between, idle, legs, bucket, horizon, least * 10**9, longest, drive, DEPTH,
            soonest, vehicle, targets,
        )  # fmt: skip
    return targets
