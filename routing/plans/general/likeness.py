"""Which vehicles of a problem are twins, which requests are near each other, and which are rows of one choice."""

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
    told_apart = [(weights @ problem.pair_price)[:, None]] if problem.pair_price.size else []
    reloading = may_reload_at(problem, reload_places(problem)).T
    table = np.concatenate([vehicle, own[:, None], (weights @ spread)[:, None], reloading, *told_apart], axis=1)
    if vehicles == 0:
        return np.zeros(0, dtype=np.int64)
    return np.asarray(np.unique(table, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def next_rows(problem: Problem, rows: int) -> tuple[I64, int]:
    """For every row the one before it of its choice, for the first the last one; and how many rows are not the first.

    A row that is alone follows itself.
    """
    follows, spare = np.arange(rows, dtype=np.int64), 0
    if problem.choice.size:
        chosen = np.flatnonzero(problem.choice >= 0)
        chosen = chosen[np.argsort(problem.choice[chosen], kind="stable")]
        _, first, count = np.unique(problem.choice[chosen], return_index=True, return_counts=True)
        follows[chosen] = np.roll(chosen, 1)
        follows[chosen[first]] = chosen[first + count - 1]
        spare = len(chosen) - len(first)
    return follows, spare


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


def widened(nearest: int, rows: int, spare: int) -> int:
    """As many neighbours as hold `nearest` of which only one row of a choice counts, but three times that at most."""
    return min(3 * nearest, nearest * rows // max(1, rows - spare))
