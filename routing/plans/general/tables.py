"""What a search reads: a Problem gathered into compact tables by node, and the arrays of its current plan.

A request r has nodes 2 r (pickup) and 2 r + 1 (drop).  A told stop that must or should stay without acts becomes a
*ghost*: a request of its own, after the real ones, whose only node 2 r does nothing.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import Unsupported
from routing.plans.general.kernels import columns as col
from routing.problem.problem import I32, I64, U64, Breaks, Problem

MOST_DEPOTS = 1_000
"""Places to reload at: an insertion that opens a trip names its own in what is left of an int32."""


STRIDE_BYTES = 256 * 2**20
"""Memory that the current plan may take; it limits how many nodes a route can have in very large rounds."""

MIN_STRIDE, LONG_ROUTE = 64, 12
"""A timed route holds at least so many nodes, or so many times the mean: short rows keep many routes in the cache."""


class Kind(IntEnum):
    """Which nodes a request has."""

    PAIR = 0
    PICKUP_ONLY = 1
    LOADED = 2
    """Dropped only; on board from the start if served."""
    ABOARD = 3
    GHOST = 4
    STAYING = 5
    """On board to the end: no node."""
    RELOAD = 6
    """A place where vehicles reload: its only node 2 r + 1 is in as many routes, and as often, as they like."""


class Tables(NamedTuple):
    """Law and price by node, request and vehicle; R counts ghosts too, N = 2 R, columns are in kernels/columns.py."""

    flag: I64  # [FLAGS]
    node: I32  # [N, .]
    request: I64  # [R, . + D]
    vehicle: I64  # [V, . + 2 D]
    legs: I32  # [1, 2 or 4, profile, P, Q + 1] ticks and, where they matter, metres, driving and toll; Q: an open end
    back: I32  # [1, 2 or 4, profile, Q + 1, P] the transpose
    stop: I32  # [P, 2] enter, exit
    window: I32  # [R without ghosts, 2, K, 2]
    allowed: U64  # [R, words]
    near: I32  # [N, M] nodes by distance
    reach_ptr: I32  # [groups + 1]
    reach: I32  # vehicles worth trying for the requests of a group, the soonest first
    before_ptr: I32  # [V + 1]
    before: I32  # [S, 2] place, level
    change: I64  # [levels, 4] add place, add order, take place, take order
    must_keep_ptr: I32  # [V + 1]
    must_keep: I32
    breaks: Breaks
    precedence: I32  # [N, 2]

    @property
    def plain(self) -> bool:
        """Timing moves no price: insertions are judged by latest arrivals alone."""
        return bool(self.flag[col.PLAIN])

    @property
    def stride(self) -> int:
        """Nodes that a route can hold."""
        return int(self.flag[col.STRIDE])

    @property
    def state_columns(self) -> int:
        """Columns of Routes.state."""
        return col.CARRIED + int(self.flag[col.DIMENSIONS] + self.flag[col.GOODS])

    @property
    def choice(self) -> I64:
        """The first row of the choice that every request is of; itself where it is alone."""
        before, first = self.request[:, col.NEXT_ROW], np.arange(len(self.request), dtype=np.int64)
        while (before[first] < first).any():
            first = np.minimum(first, before[first])
        return first

    @property
    def kind(self) -> I64:
        """Kind of every request."""
        return self.request[:, col.KIND]

    @property
    def place(self) -> I32:
        """Place of every node, -1 where its request has none."""
        return self.node[:, col.PLACE]


class Routes(NamedTuple):
    """A plan under search.  Position 0 of a row is the start, 1..n are nodes, n + 1 is the end."""

    row: I32  # [V, . + D, L + 2]
    state: I64  # [V, L + 2, . + D], or empty where plain
    early: I64  # [V, 2 or 3, L + 2, breaks + 1], or empty where not rich
    total: I64  # [V, .] driven ticks and metres, or empty where not rich
    size: I32  # [V]
    price: I64  # [V]
    at: I32  # [N] position of a node, where its request is served
    vehicle: I32  # [R] -1: absent
    absent: I32  # [R]
    missing: I64  # [1] how many are absent
    version: I64  # [V] a new number whenever the route is refreshed


def empty_routes(tables: Tables) -> Routes:
    """A plan in which every request is absent; what describes its routes is written when they are refreshed."""
    vehicles, requests, length = len(tables.vehicle), len(tables.request), tables.stride + 2
    dimensions = int(tables.flag[col.DIMENSIONS])
    timed, rich = 0 if tables.plain else vehicles, vehicles if tables.flag[col.RICH] else 0
    breaks, sides = int(np.diff(tables.breaks.ptr).max(initial=0)), 2 + int(tables.flag[col.RELOADS])
    routes = Routes(
        row=np.empty((vehicles, col.ON_BOARD_LOAD + dimensions, length), dtype=np.int32),
        state=np.empty((timed, length, tables.state_columns), dtype=np.int64),
        early=np.zeros((rich, sides, length, breaks + 1), dtype=np.int64), total=np.zeros((rich, 2), dtype=np.int64),
        size=np.zeros(vehicles, dtype=np.int32), price=np.zeros(vehicles, dtype=np.int64),
        at=np.zeros(2 * requests, dtype=np.int32), vehicle=np.full(requests, -1, dtype=np.int32),
        absent=np.zeros(requests, dtype=np.int32), missing=np.zeros(1, dtype=np.int64),
        version=np.zeros(vehicles, dtype=np.int64),
    )  # fmt: skip
    routes.row[:, col.NODE] = 0  # read beyond the end of short routes
    present = np.flatnonzero(tables.kind < Kind.STAYING)
    routes.absent[: len(present)] = present
    routes.missing[0] = len(present)
    return routes


def reload_places(problem: Problem) -> I64:
    """The places at which somebody may reload, rising.  Raises Unsupported for more than a search can name."""
    places = np.unique(problem.reloads.place).astype(np.int64)
    if len(places) > MOST_DEPOTS:
        raise Unsupported(f"{len(places)} places to reload at, at most {MOST_DEPOTS} are supported", field="reloads")
    return places


def may_reload_at(problem: Problem, places: I64) -> NDArray[np.bool_]:
    """Which vehicles may reload at which of the places, bool[places, V]."""
    table = np.zeros((len(places), len(problem.start_place)), dtype=np.bool_)
    if len(places):
        vehicle = np.repeat(np.arange(table.shape[1]), np.diff(problem.reloads.ptr))
        table[np.searchsorted(places, problem.reloads.place), vehicle] = True
        table[:, problem.reloads.most == 0] = False
    return table


def may_reload(problem: Problem, places: I64) -> U64:
    """`may_reload_at` as rows of Problem.allowed."""
    words = problem.allowed.shape[1]
    bits = np.zeros((len(places), 64 * words), dtype=np.uint8)
    bits[:, : len(problem.start_place)] = may_reload_at(problem, places)
    return np.packbits(bits, axis=1, bitorder="little").view(np.uint64).reshape(len(places), words)


def returning_from_start(problem: Problem) -> I64:
    """What each vehicle has on board at the start and unloads at its first reload, int64[V, D]."""
    load = np.zeros(problem.capacity.shape, dtype=np.int64)
    stays = (problem.aboard_of >= 0) & (problem.drop_place < 0)
    np.add.at(load, problem.aboard_of[stays], problem.load[stays])
    return load


def stride(requests: int, vehicles: int, dimensions: int, plain: bool) -> int:
    """Nodes per route: all of them, unless there are many vehicles to share them."""
    bytes_per_node = max(1, vehicles) * (4 * (5 + dimensions) + (0 if plain else 8 * (col.CARRIED + dimensions)))
    share = 2 * requests if plain else max(MIN_STRIDE, LONG_ROUTE * 2 * requests // max(1, vehicles))
    return int(max(16, min(2 * requests, share, STRIDE_BYTES // bytes_per_node)))
