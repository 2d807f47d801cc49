"""Saving vehicles: between rounds of ruin and recreate, requests without a place take that of others.

Nagata and Kobayashi (2010), "Guided ejection search for the pickup and delivery problem with time windows", sections
3.2 and 3.3.  The absence counters of the search are the penalties; ruin and recreate is what shakes the plan.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.kernels.random import below
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import (
    best_in,
    copy_route,
    insert,
    may_serve,
    plan_price,
    refresh,
    remove,
    take_over,
)


@inner_kernel
def _may_eject(tables, request):
    """Whether a request may leave its vehicle for good."""
    return tables.request[request, col.PINNED] == 0 and tables.request[request, col.CARRIER] < 0


@inner_kernel
def _list_aboard(tables, routes, vehicle, work):
    """Write the requests of a route that may leave it into ORDER; how many there are."""
    count = 0
    for k in range(1, routes.size[vehicle] + 1):
        node = routes.row[vehicle, col.NODE, k]
        request = tables.node[node, col.REQUEST]
        if (node & 1 == 0 or tables.node[node - 1, col.PLACE] < 0) and _may_eject(tables, request):
            work.list[count, col.ORDER] = request
            count += 1
    return count


@inner_kernel
def _fits_without(tables, routes, saved, request, vehicle, first, second, work):
    """Whether `request` finds a place in the saved route of `vehicle` without `first` and `second` (-1: none)."""
    kept = 0
    for k in range(1, saved.size[vehicle] + 1):
        node = saved.row[vehicle, col.NODE, k]
        other = tables.node[node, col.REQUEST]
        if other != first and other != second:
            kept += 1
            routes.row[vehicle, col.NODE, kept] = node
    routes.size[vehicle] = kept
    work.counter[col.INSERTIONS] += 1
    work.clock[col.WALKED] += kept
    if not refresh(tables, routes, vehicle, work):
        return False
    _, pick, _ = best_in(tables, routes, request, vehicle, np.int64(col.LOCKED), work)
    return pick >= 0


@inner_kernel
def _cheapest_ejection(tables, routes, saved, request, work):
    """(vehicle, first, second) whose sum of absences is least, below that of `request`; vehicle -1 where none is.

    One alone first (second -1): it rules out most of the pairs.  Ties go to the first of a random order of vehicles.
    """
    limit, absences = work.list[request, col.ABSENCES], work.list[:, col.ABSENCES]
    found, out, out_too = np.int64(-1), np.int64(-1), np.int64(-1)
    vehicles = len(routes.size)
    begin = below(work.luck, vehicles)
    for pairs in range(2):
        for turn in range(vehicles):
            vehicle = (begin + turn) % vehicles
            must_keep = tables.must_keep_ptr[vehicle] < tables.must_keep_ptr[vehicle + 1]
            if routes.size[vehicle] == 0 or must_keep or not may_serve(tables, request, vehicle):
                continue
            count = _list_aboard(tables, routes, vehicle, work)
            copy_route(routes, saved, vehicle)
            for a in range(count):
                first = work.list[a, col.ORDER]
                for b in range(a + 1, count if pairs == 1 else a + 2):
                    second = work.list[b, col.ORDER] if pairs == 1 else np.int64(-1)
                    price = absences[first] + (absences[second] if pairs == 1 else 0)
                    if price >= limit:
                        continue
                    if _fits_without(tables, routes, saved, request, vehicle, first, second, work):
                        limit, found, out, out_too = price, vehicle, first, second
            take_over(tables, saved, routes, vehicle)
    return found, out, out_too


@lean_kernel
def eject(tables, routes, saved, work):
    """Give a random absent request the place of one or two others of a route that have been absent less than itself.

    False, and the plan as it was, where there are none.
    """
    if routes.missing[0] == 0:
        return False
    chosen = below(work.luck, routes.missing[0])
    request = np.int64(routes.absent[chosen])
    vehicle, first, second = _cheapest_ejection(tables, routes, saved, request, work)
    if vehicle < 0:
        return False
    routes.missing[0] -= 1
    routes.absent[chosen] = routes.absent[routes.missing[0]]
    remove(tables, routes, first)
    if second >= 0:
        remove(tables, routes, second)
    refresh(tables, routes, vehicle, work)
    _, pick, drop = best_in(tables, routes, request, vehicle, np.int64(col.LOCKED), work)
    insert(tables, routes, request, vehicle, pick, drop, work)
    work.clock[col.ITERATION] += 1
    work.mark[vehicle, col.CHANGED_AT] = work.clock[col.ITERATION]
    work.cost[0] = plan_price(tables, routes)
    return True
