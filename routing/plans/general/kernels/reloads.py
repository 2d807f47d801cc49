"""Trips of a route: a reload is a node without a request of its own, at which what returns goes and what follows comes.

position        0        1     2       3        4     5
node            start    a     b       reload   c     end        trips: a b, c
READY           a, b                   c                         when all is ready that is loaded there
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inline_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.problem.kernels.laws import is_allowed


@inline_kernel
def is_reload(tables, node):
    """Whether a node is a reload."""
    return tables.request[tables.node[node, col.REQUEST], col.KIND] == col.RELOAD


@inner_kernel
def trip_begin(tables, row, position):
    """The last reload up to `position`, 0 (the start) where there is none."""
    k = np.int64(position)
    if tables.flag[col.RELOADS] == 0:
        return np.int64(0)
    while k > 0 and not is_reload(tables, row[col.NODE, k]):
        k -= 1
    return k


@inner_kernel
def trip_end(tables, row, position, n):
    """The first reload behind `position`, n + 1 (the end) where there is none."""
    k = np.int64(n + 1)
    if tables.flag[col.RELOADS] == 0:
        return k
    k = np.int64(position + 1)
    while k <= n and not is_reload(tables, row[col.NODE, k]):
        k += 1
    return k


@inner_kernel
def count_reloads(tables, row, n):
    """Reloads of a row of n nodes."""
    count = np.int64(0)
    if tables.flag[col.RELOADS] == 1:
        for k in range(1, n + 1):
            count += is_reload(tables, row[col.NODE, k])
    return count


@inner_kernel
def trip_load(tables, row, position, n, d):
    """Of dimension d what is loaded at `position` for the drops up to the next reload."""
    load = np.int64(0)
    if tables.flag[col.ANY_LOADED] == 1:
        for k in range(position + 1, n + 1):
            request = tables.request[tables.node[row[col.NODE, k], col.REQUEST]]
            if request[col.KIND] == col.RELOAD:
                break
            if request[col.KIND] == col.LOADED:
                load += request[col.LOAD + d]
    return load


@inner_kernel
def loaded_ready(tables, request):
    """When goods are ready that are loaded without a pickup; 0 for all others."""
    if tables.request[request, col.KIND] != col.LOADED:
        return np.int64(0)
    return np.int64(tables.node[2 * request, col.OPEN])


@inner_kernel
def write_ready(tables, row, n, early):
    """Write when all is ready that is loaded at the start and at each reload, into early[READY, position, 0]."""
    if tables.flag[col.RELOADS] == 0:
        return
    ready = np.int64(0)
    for k in range(n, -1, -1):
        early[col.READY, k, 0] = 0
        if k == 0 or is_reload(tables, row[col.NODE, k]):
            early[col.READY, k, 0], ready = ready, np.int64(0)
        else:
            ready = max(ready, loaded_ready(tables, tables.node[row[col.NODE, k], col.REQUEST]))


@inner_kernel
def ready_at(tables, early, position):
    """When all is ready that is loaded at `position`, 0 where nothing is."""
    return early[col.READY, position, 0] if tables.flag[col.RELOADS] == 1 else np.int64(0)


@inner_kernel
def start_load(tables, row, own, n, d):
    """What the vehicle `own` has on board in dimension d when it sets off on its row of n nodes."""
    return own[col.CAPACITY + tables.flag[col.DIMENSIONS] + d] + trip_load(tables, row, 0, n, d)


@inner_kernel
def load_up(tables, routes, vehicle):
    """Write what is on board behind every position; False where it is too much."""
    n, row, own = routes.size[vehicle], routes.row[vehicle], tables.vehicle[vehicle]
    dimensions, legal = tables.flag[col.DIMENSIONS], True
    for d in range(dimensions):
        load = start_load(tables, row, own, n, d)
        returning = own[col.CAPACITY + 2 * dimensions + d] if tables.flag[col.RELOADS] == 1 else np.int64(0)
        row[col.ON_BOARD_LOAD + d, 0] = load
        legal = legal and (n == 0 or load <= own[col.CAPACITY + d])
        for k in range(1, n + 1):
            node = row[col.NODE, k]
            request = tables.request[tables.node[node, col.REQUEST]]
            if request[col.KIND] == col.RELOAD:
                load += trip_load(tables, row, k, n, d) - returning
                returning = np.int64(0)
            elif node & 1 == 0:
                load += request[col.LOAD + d]
                if request[col.KIND] == col.PICKUP_ONLY:
                    returning += request[col.LOAD + d]
            else:
                load -= request[col.LOAD + d]
                if tables.flag[col.BACK] == 1:
                    load += request[col.LOAD + dimensions + d]
                    returning += request[col.LOAD + dimensions + d]
            row[col.ON_BOARD_LOAD + d, k] = load
            legal = legal and load <= own[col.CAPACITY + d]
    return legal


@inner_kernel
def reload_there(tables, vehicle, place):
    """The reload of `vehicle` at a place, -1 where there is none."""
    if tables.flag[col.RELOADS] == 1:
        for p in range(tables.flag[col.FIRST_RELOAD], len(tables.request)):
            if tables.node[2 * p + 1, col.PLACE] == place and is_allowed(tables.allowed, p, vehicle):
                return np.int64(2 * p + 1)
    return np.int64(-1)


@inner_kernel
def put_in_new_trip(tables, routes, request, vehicle, gap, code):
    """Put `request`, which has one node, and a reload beside it into a gap; `code`: see `best_in_new_trip`."""
    nodes, n = routes.row[vehicle, col.NODE], routes.size[vehicle]
    turn = (code >> col.NEW_TRIP) - 1
    reload = 2 * (tables.flag[col.FIRST_RELOAD] + (turn >> 1)) + 1
    own = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    for k in range(n, gap, -1):
        nodes[k + 2] = nodes[k]
    nodes[gap + 1], nodes[gap + 2] = (own, reload) if turn & 1 == 1 else (reload, own)
    routes.size[vehicle] = n + 2


@inner_kernel
def take_back(routes, vehicle, gap):
    """Undo `put_in_new_trip`."""
    nodes, n = routes.row[vehicle, col.NODE], routes.size[vehicle] - 2
    for k in range(gap + 1, n + 1):
        nodes[k] = nodes[k + 2]
    routes.size[vehicle] = n


@inner_kernel
def drop_idle_reloads(tables, routes, vehicle):
    """Take out reloads before which, or behind which, nothing is done."""
    nodes, kept = routes.row[vehicle, col.NODE], 0
    for k in range(1, routes.size[vehicle] + 1):
        if is_reload(tables, nodes[k]) and (kept == 0 or is_reload(tables, nodes[kept])):
            continue
        kept += 1
        nodes[kept] = nodes[k]
    if kept > 0 and is_reload(tables, nodes[kept]):
        kept -= 1
    routes.size[vehicle] = kept
