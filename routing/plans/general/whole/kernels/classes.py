"""Vehicles of several classes, many alike in each: which class a route should have.

An insertion sees one order's price, so that the class with the cheapest empty vehicle is opened again and again; what a
larger one saves shows only once several routes have become one.

      suit    a route is tried in one idle vehicle of each class and stays in the cheapest
      widen   a route moves to a larger idle vehicle, and routes around it are emptied until it could be full
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.kernels.random import below
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import refresh, route_price, save
from routing.plans.general.kernels.ruin import empty_route, may_take, seed_node

MOST_EMPTIED = 8
"""Routes emptied at once for a larger vehicle."""


@inner_kernel
def _copy_nodes_over(routes, one, other):
    """Write the nodes of a route into the row of an idle vehicle, which must be refreshed afterwards."""
    for k in range(1, routes.size[one] + 1):
        routes.row[other, col.NODE, k] = routes.row[one, col.NODE, k]
    routes.size[other] = routes.size[one]


@inner_kernel
def _move_route(tables, routes, saved, one, other, work):
    """Hand a whole route to an idle vehicle; False where it is illegal there."""
    save(routes, saved, one, work)
    save(routes, saved, other, work)
    _copy_nodes_over(routes, one, other)
    routes.size[one] = 0
    refresh(tables, routes, one, work)
    for k in range(1, routes.size[other] + 1):
        routes.vehicle[tables.node[routes.row[other, col.NODE, k], col.REQUEST]] = other
    return refresh(tables, routes, other, work)


@inner_kernel
def _is_idle(tables, routes, work, one, v):
    """Whether v is an open vehicle without a route, of another class than `one`, that may serve what `one` serves."""
    if (
        routes.size[v] > 0
        or work.mark[v, col.CLOSED] == 1
        or tables.vehicle[v, col.TWIN] == tables.vehicle[one, col.TWIN]
    ):
        return False
    return may_take(tables, routes, one, v)


@inner_kernel
def suit_vehicle(tables, routes, saved, work):
    """Hand a random route to the idle vehicle in which it costs least, one of each class being tried."""
    seed = seed_node(tables, routes, work, False)
    if seed < 0:
        return
    one = np.int64(routes.vehicle[tables.node[seed, col.REQUEST]])
    best, least = np.int64(-1), route_price(tables, routes, one)
    work.clock[col.STAMP] += 1
    for v in range(len(routes.size)):
        twin = tables.vehicle[v, col.TWIN]
        if work.mark[twin, col.SEEN] == work.clock[col.STAMP] or not _is_idle(tables, routes, work, one, v):
            continue
        work.mark[twin, col.SEEN] = work.clock[col.STAMP]
        _copy_nodes_over(routes, one, v)
        if refresh(tables, routes, v, work):
            price = route_price(tables, routes, v)
            if price < least:
                best, least = np.int64(v), price
        routes.size[v] = 0
        refresh(tables, routes, v, work)
    if best >= 0:
        _move_route(tables, routes, saved, one, best, work)


@inner_kernel
def _larger(tables, routes, one, v):
    """Whether v can carry more than `one`, of any dimension."""
    for d in range(tables.flag[col.DIMENSIONS]):
        if tables.vehicle[v, col.CAPACITY + d] > tables.vehicle[one, col.CAPACITY + d]:
            return True
    return False


@inner_kernel
def _load_of(tables, routes, vehicle, d):
    """Sum of the loads of dimension d that a route's requests bring."""
    total = np.int64(0)
    for k in range(1, routes.size[vehicle] + 1):
        node = routes.row[vehicle, col.NODE, k]
        if node & 1 == 0 or tables.node[node - 1, col.PLACE] < 0:
            total += tables.request[tables.node[node, col.REQUEST], col.LOAD + d]
    return total


@inner_kernel
def widen_vehicle(tables, routes, saved, work):
    """Hand a random route to a larger idle vehicle, and empty routes around it until it could be full."""
    seed = seed_node(tables, routes, work, False)
    if seed < 0:
        return
    one, count = np.int64(routes.vehicle[tables.node[seed, col.REQUEST]]), len(routes.size)
    other, begin = np.int64(-1), below(work.luck, count)
    for i in range(count):
        v = (begin + i) % count
        if _is_idle(tables, routes, work, one, v) and _larger(tables, routes, one, v):
            other = np.int64(v)
            break
    if other < 0:
        return
    _move_route(tables, routes, saved, one, other, work)
    spare = np.int64(0)
    for d in range(tables.flag[col.DIMENSIONS]):
        spare = max(spare, tables.vehicle[other, col.CAPACITY + d] - tables.vehicle[one, col.CAPACITY + d])
    emptied = 0
    for k in range(tables.near.shape[1]):
        node = tables.near[seed, k]
        if node < 0 or spare <= 0 or emptied == MOST_EMPTIED:
            break
        v = np.int64(routes.vehicle[tables.node[node, col.REQUEST]])
        if v < 0 or v == other:
            continue
        freed = np.int64(0)
        for d in range(tables.flag[col.DIMENSIONS]):
            freed = max(freed, _load_of(tables, routes, v, d))
        empty_route(tables, routes, saved, v, work)
        spare -= max(freed, np.int64(1))
        emptied += 1
