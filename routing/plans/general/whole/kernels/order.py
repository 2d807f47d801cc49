"""Precedence: pairs (a, b) of requests, b served only where a is, its first act not before the last act of a.

vehicle 1    ---- o ---- a ---- o ----     where both are on one route, positions tell
vehicle 2    -- o ---------- b ---- o -    else act instants: nobody waits for another vehicle
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.stops import stop_end


@inner_kernel
def _first_node(tables, request):
    """The node of a request's first act."""
    return 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1


@inner_kernel
def _last_node(tables, request):
    """The node of a request's last act."""
    return 2 * request + 1 if tables.node[2 * request + 1, col.PLACE] >= 0 else 2 * request


@inner_kernel
def _instants(tables, routes, vehicle, k):
    """Between which ticks the act at position `k` is; both the same but where breaks may lie here or there."""
    row, node = routes.row[vehicle], routes.row[vehicle, col.NODE, k]
    if tables.flag[col.PLAIN] == 1:
        soonest = np.int64(row[col.LEAVE, k])
        latest = soonest
        if tables.flag[col.RICH] == 1:
            for j in range(tables.breaks.ptr[vehicle + 1] - tables.breaks.ptr[vehicle] + 1):
                latest = max(latest, routes.early[vehicle, col.SOONEST, k, j])
        return soonest - tables.node[node, col.STAY], latest - tables.node[node, col.STAY]
    nodes, place, begin = row[col.NODE], np.int64(tables.node[node, col.PLACE]), np.int64(k)
    while begin > 1 and tables.node[nodes[begin - 1], col.PLACE] == place:
        begin -= 1
    finish = stop_end(tables, nodes, begin, np.int64(routes.size[vehicle]))
    at = routes.state[vehicle, finish - 1, col.NOW] - tables.stop[place, 1]
    for other in range(begin, finish):
        at -= tables.node[nodes[other], col.ACT]
    return at, at


@inner_kernel
def is_out_of_order(tables, routes, pair):
    """Whether the later one of a pair is served without, or before, the other."""
    a, b = np.int64(tables.precedence[pair, 0]), np.int64(tables.precedence[pair, 1])
    there, here = np.int64(routes.vehicle[b]), np.int64(routes.vehicle[a])
    if there < 0 or tables.request[a, col.KIND] == col.STAYING:
        return False
    if here < 0:
        return True
    last, first = np.int64(routes.at[_last_node(tables, a)]), np.int64(routes.at[_first_node(tables, b)])
    if here == there and last <= first:
        return False
    return _instants(tables, routes, here, last)[1] > _instants(tables, routes, there, first)[0]


@inner_kernel
def waits_for_another(tables, routes, request):
    """Whether what must come before `request` is on no route."""
    waits = False
    for pair in range(len(tables.precedence)):
        a = np.int64(tables.precedence[pair, 0])
        absent = routes.vehicle[a] < 0 and tables.request[a, col.KIND] != col.STAYING
        waits = waits or (absent and tables.precedence[pair, 1] == request)
    return waits


@inner_kernel
def gaps_of(tables, routes, request, vehicle):
    """(first, last) gap of a route in which `request` comes behind what it follows there and before what follows it."""
    low, final = np.int64(0), np.int64(routes.size[vehicle])
    if tables.flag[col.ORDERED] == 0:
        return low, final
    for pair in range(len(tables.precedence)):
        a, b = np.int64(tables.precedence[pair, 0]), np.int64(tables.precedence[pair, 1])
        if b == request and routes.vehicle[a] == vehicle:
            low = max(low, np.int64(routes.at[_last_node(tables, a)]))
        elif a == request and routes.vehicle[b] == vehicle:
            final = min(final, np.int64(routes.at[_first_node(tables, b)]) - 1)
    return low, final
