"""Which requests of a problem are twins, and which are near each other."""

from __future__ import annotations

import numpy as np

from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Kind
from routing.problem.problem import I32, I64, INFINITE, Problem

WAIT_SHARE = 5
"""A tick of waiting between two nodes parts them as much as a fifth of a tick of driving."""


def twins(problem: Problem, vehicle: I64) -> I64:
    """One number for vehicles that an empty route cannot tell apart; told and loaded ones stand alone."""
    vehicles = len(vehicle)
    alone = (np.diff(problem.told.stop_ptr) > 0) | (vehicle[:, col.START_COUNT] > 0)
    if problem.breaks.ptr.size:
        alone |= np.diff(problem.breaks.ptr) > 0
    own = np.where(alone, np.arange(vehicles), -1)
    # A weighted sum stands for a column of the bit matrix: equal columns have equal sums, and a chance collision only
    # hides one empty vehicle from the search.
    spread = np.unpackbits(problem.allowed.view(np.uint8), axis=1, bitorder="little")[:, :vehicles]
    weights = np.random.default_rng(0).integers(1, 2**40, len(spread))
    table = np.concatenate([vehicle, own[:, None], (weights @ spread)[:, None]], axis=1)
    if vehicles == 0:
        return np.zeros(0, dtype=np.int64)
    return np.asarray(np.unique(table, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def nearest_requests(node: I32, kind: I64, ticks: I32, count: int) -> I32:
    """For every node the nodes that suit it best as neighbours, itself first; -1 where there are none left.

    Distance (the shorter way), a share of the wait between the two, and whatever would be late: on a long route with
    narrow windows, places side by side but hours apart have nothing to exchange.  Vidal, Crainic, Gendreau and Prins
    (2013), "A hybrid genetic algorithm with adaptive diversity management for a large class of vehicle routing
    problems with time-windows", section 4.
    """
    nodes, place = len(node), node[:, col.PLACE]
    near = np.full((nodes, count), -1, dtype=np.int32)
    real = np.flatnonzero((place >= 0) & (np.repeat(kind, 2) != Kind.GHOST))
    if not len(real):
        return near
    places, which = np.unique(place[real], return_inverse=True)
    there = ticks[0][np.ix_(places, places)]
    back = np.ascontiguousarray(there.T)
    opens, closes, stay = (node[real, column].astype(np.int64) for column in (col.OPEN, col.CLOSE, col.STAY))
    count = min(count, len(real))
    timed = bool((closes < INFINITE - 1).any() or (opens > 0).any())
    for index, own in enumerate(which.tolist()):
        far = there[own][which].astype(np.int64)
        other = back[own][which].astype(np.int64)
        if timed:
            gap = stay[index] + far
            far += misfit(opens - closes[index] - gap, opens[index] + gap - closes)
            gap = stay + other
            other += misfit(opens[index] - closes - gap, opens + gap - closes[index])
        far = np.minimum(far, other)
        far[index] = -1
        order = np.argpartition(far, count - 1)[:count] if count < len(real) else np.arange(len(real))
        near[real[index], :count] = real[order[np.lexsort((order, far[order]))]]
    return near


def misfit(wait: I64, late: I64) -> I64:
    """What unsuitable windows add to a distance: a fifth of the wait, all of the lateness."""
    return np.asarray(np.maximum(wait, 0) // WAIT_SHARE + np.maximum(late, 0))
