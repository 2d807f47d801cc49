"""Which requests of a problem are twins, and which are near each other."""

from __future__ import annotations

import numpy as np

from routing.kernels.nearest import write_nearest
from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Kind, may_reload_at, reload_places
from routing.problem.problem import I32, I64, INFINITE, Problem


def twins(problem: Problem, vehicle: I64) -> I64:
    """One number for vehicles that an empty route cannot tell apart; told and loaded ones stand alone."""
    vehicles = len(vehicle)
    alone = (np.diff(problem.before.stop_ptr) > 0) | (vehicle[:, col.START_COUNT] > 0)
    if problem.breaks.ptr.size:
        alone |= np.diff(problem.breaks.ptr) > 0
    own = np.where(alone, np.arange(vehicles), -1)
    # A weighted sum stands for a column of the bit matrix: equal columns have equal sums, and a chance collision only
    # hides one empty vehicle from the search.
    spread = np.unpackbits(problem.allowed.view(np.uint8), axis=1, bitorder="little")[:, :vehicles]
    weights = np.random.default_rng(0).integers(1, 2**40, len(spread))
    reloading = may_reload_at(problem, reload_places(problem)).T
    table = np.concatenate([vehicle, own[:, None], (weights @ spread)[:, None], reloading], axis=1)
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
    place = node[:, col.PLACE]
    near = np.full((len(node), count), -1, dtype=np.int32)
    real = np.flatnonzero((place >= 0) & (np.repeat(kind, 2) != Kind.GHOST) & (np.repeat(kind, 2) != Kind.RELOAD))
    if not len(real):
        return near
    places, which = np.unique(place[real], return_inverse=True)
    there = ticks[0][np.ix_(places, places)]
    span = node[real][:, [col.OPEN, col.CLOSE, col.STAY]].astype(np.int64)
    if not ((span[:, 1] < INFINITE - 1) | (span[:, 0] > 0)).any():
        span = span[:0]
    count = min(count, len(real))
    nearest = np.empty((len(real), count), dtype=np.int32)
    write_nearest(there, np.ascontiguousarray(there.T), which, span, nearest, np.empty(count, dtype=np.int64))
    near[real, :count] = real[nearest]
    return near
