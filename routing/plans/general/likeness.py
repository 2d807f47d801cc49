"""Which vehicles are twins, or near a request; which requests are near each other, and which are rows of one choice."""

from __future__ import annotations

import numpy as np

from routing.kernels.nearest import write_nearest
from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Kind, may_reload_at, reload_places
from routing.problem.problem import I32, I64, INFINITE, Problem

CANDIDATES = 60
"""Vehicles tried for a request before all others: those that could be at its first place soonest."""

CANDIDATES_PER_ORDER = 3
"""More where a store is hot: so many for each order that waits there."""


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


def reached(request: I64, vehicle: I64, ticks: I32, mixed: bool) -> tuple[I64, I32, I32]:
    """Group of every request, and for every group the vehicles that could be at its place soonest.

    In a `mixed` fleet all that could be there as soon as the last one: else one class could shut out the others.
    """
    vehicles = len(vehicle)
    begins = vehicle[:, [col.START, col.START_PLACE, col.PROFILE]]
    alike = bool((begins == begins[:1]).all())
    if not len(request) or (alike and vehicles <= 2 * CANDIDATES):
        everybody = np.arange(vehicles, dtype=np.int32)
        return np.zeros(len(request), dtype=np.int64), np.array([0, vehicles], dtype=np.int32), everybody
    places, group = np.unique(request[:, col.FIRST_PLACE], return_inverse=True)
    if vehicles <= 2 * CANDIDATES:
        ticks = ticks[vehicle[:, col.PROFILE], vehicle[:, col.START_PLACE]][:, places]
        soonest = np.argsort((vehicle[:, col.START, None] + ticks).T, axis=1, kind="stable")
        ends = vehicles * np.arange(len(places) + 1, dtype=np.int32)
        return group.astype(np.int64), ends, soonest.astype(np.int32).reshape(-1)
    orders = np.bincount(group)
    reach, sizes = [], []
    for place, waiting in zip(places.tolist(), orders.tolist(), strict=True):
        soonest = vehicle[:, col.START] + ticks[vehicle[:, col.PROFILE], vehicle[:, col.START_PLACE], place]
        count = min(vehicles, max(CANDIDATES, CANDIDATES_PER_ORDER * waiting))
        near = np.flatnonzero(soonest <= np.partition(soonest, count - 1)[count - 1])
        reach.append(near[np.argsort(soonest[near], kind="stable")][: None if mixed else count])
        sizes.append(len(reach[-1]))
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return group.astype(np.int64), ends, np.concatenate(reach).astype(np.int32)
