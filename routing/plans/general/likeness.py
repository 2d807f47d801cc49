"""Which requests of a problem are twins, and which are near each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.general.kernels import columns as col
from routing.plans.general.tables import Kind
from routing.problem.problem import I32, I64, INFINITE, Problem

WAIT_SHARE = 5
"""A tick of waiting between two nodes parts them as much as a fifth of a tick of driving."""

CHUNK = 2**17
"""Pairs of nodes whose distances are looked at together: a megabyte of them stays in the cache."""


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
    count = min(count, len(real))
    span = _Span(*(node[real, column].astype(np.int64) for column in (col.OPEN, col.CLOSE, col.STAY)))
    timed = bool((span.closes < INFINITE - 1).any() or (span.opens > 0).any())
    for begin in range(0, len(real), max(1, CHUNK // len(real))):
        few = np.arange(begin, min(len(real), begin + max(1, CHUNK // len(real))))
        far = there[which[few]][:, which].astype(np.int64)
        other = back[which[few]][:, which].astype(np.int64)
        if timed:
            _add_misfit(far, other, span, few)
        far = np.minimum(far, other)
        far[few - begin, few] = -1
        near[real[few], :count] = real[_least(far, count)]
    return near


class _Span(NamedTuple):
    """When nodes may be visited, and how long that takes."""

    opens: I64
    closes: I64
    stay: I64


def _add_misfit(far: I64, other: I64, span: _Span, few: NDArray[np.intp]) -> None:
    """Add what the windows of `few` nodes and of all others part them by, on the way there and on the way back."""
    opens, closes, stay = (values[few, None] for values in span)
    gap = stay + far
    far += misfit(span.opens - closes - gap, opens + gap - span.closes)
    gap = span.stay + other
    other += misfit(opens - span.closes - gap, span.opens + gap - closes)


def _least(far: I64, count: int) -> NDArray[np.intp]:
    """Columns of the `count` least values of every row, the least first, the lower column of equals."""
    if count == far.shape[1]:
        return np.argsort(far, axis=1, kind="stable")
    order = np.sort(np.argpartition(far, count - 1, axis=1)[:, :count], axis=1)
    return np.take_along_axis(order, np.argsort(np.take_along_axis(far, order, axis=1), axis=1, kind="stable"), axis=1)


def misfit(wait: I64, late: I64) -> I64:
    """What unsuitable windows add to a distance: a fifth of the wait, all of the lateness."""
    return np.asarray(np.maximum(wait, 0) // WAIT_SHARE + np.maximum(late, 0))
