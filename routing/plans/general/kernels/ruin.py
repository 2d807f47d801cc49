"""Ruin: strings of neighbours, related requests, or whom an absent one needs away, taken out of a plan.

An operator reads `tables`, changes `routes`, keeps in `saved` what it touches for the first time, and draws luck and
scratch from `work`; `turn` says how much (anneal.py).  Section numbers are those of Christiaens and Vanden Berghe
(2020); its symbols: c mean_removed, L_max longest, l_s mean, k_s strings, l_t length, m kept.

      split string (section 3.2):   . . x x x . . x x .      x removed, `length` in all around the node
                                        begin   | |          `kept` in between stay
                                              hole

Ejections: Nagata and Kobayashi (2010), "Guided ejection search for the pickup and delivery problem with time windows",
sections 3.2 and 3.3.  The absence counters of the search are the penalties; ruin and recreate is what shakes the plan.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.kernels.random import below
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import (
    best_in,
    compact,
    copy_route,
    forget,
    insert,
    may_serve,
    plan_price,
    refresh,
    remove,
    save,
    take_over,
)
from routing.plans.general.kernels.reloads import is_reload
from routing.plans.general.kernels.stops import is_served_first


@inner_kernel
def may_leave(tables, routes, request):
    """Whether a request may be taken out of its route: not a locked place, not the last one that must be kept."""
    if tables.request[request, col.PINNED] == 1:
        return False
    vehicle = routes.vehicle[request]
    begin, finish = tables.must_keep_ptr[vehicle], tables.must_keep_ptr[vehicle + 1]
    nodes, count = routes.row[vehicle, col.NODE], routes.size[vehicle]
    own, others = False, False
    for k in range(begin, finish):
        listed = tables.must_keep[k]
        if listed == request:
            own = True
        elif routes.vehicle[listed] == vehicle:
            others = others or is_served_first(tables, nodes, count, listed)
    return others or not own


@inner_kernel
def _drop_string(tables, routes, saved, node, length, split, work):
    """Remove `length` nodes in a row around `node`; with `split` a few of them in between stay (section 3.2)."""
    vehicle = routes.vehicle[tables.node[node, col.REQUEST]]
    n, at = routes.size[vehicle], routes.at[node]
    kept = 0
    if split:
        kept = 1
        while length + kept < n and below(work.luck, 100) == 0:
            kept += 1
    span = min(n, length + kept)
    low, high = max(1, at - span + 1), min(at, n - span + 1)
    begin = low + below(work.luck, high - low + 1)
    hole = begin + (below(work.luck, length + 1) if kept > 0 else 0)
    count = 0
    for k in range(begin, begin + span):
        if hole <= k < hole + kept and k != at:
            continue
        work.list[count, col.ORDER] = tables.node[routes.row[vehicle, col.NODE, k], col.REQUEST]
        count += 1
    save(routes, saved, vehicle, work)
    for k in range(count):
        request = work.list[k, col.ORDER]
        if routes.vehicle[request] == vehicle and may_leave(tables, routes, request):
            forget(routes, request)
    compact(tables, routes, vehicle)
    refresh(tables, routes, vehicle, work)


@inner_kernel
def seed_node(tables, routes, work, fleet):
    """A node to ruin around: of a served request, with `fleet` as often of an absent one; -1 after fruitless draws."""
    if fleet and routes.missing[0] > 0 and below(work.luck, 2) == 0:
        node = 2 * np.int64(routes.absent[below(work.luck, routes.missing[0])]) + below(work.luck, 2)
        if tables.node[node, col.PLACE] >= 0:
            return node
    for _ in range(50):
        node = below(work.luck, len(routes.at))
        served = tables.node[node, col.PLACE] >= 0 and routes.vehicle[tables.node[node, col.REQUEST]] >= 0
        if served and not is_reload(tables, node):
            return node
    return np.int64(-1)


@inner_kernel
def ruin_strings(tables, routes, saved, work, turn):
    """Remove strings of neighbouring routes around a random node (sections 3.1 and 3.2)."""
    nodes, used = 0, 0
    for vehicle in range(len(routes.size)):
        nodes += routes.size[vehicle]
        used += routes.size[vehicle] > 0
    seed = seed_node(tables, routes, work, turn.fleet)
    if seed < 0:
        return
    mean = max(1, min(turn.longest, nodes // max(used, 1)))
    # k_s uniform from 1 to 4 c / (1 + l_s) - 1 l_t from 1 to l_s: c nodes on average.
    strings = 1 + below(work.luck, max(1, 4 * turn.mean_removed // (1 + mean) - 1))
    work.clock[col.STAMP] += 1
    ruined = 0
    for k in range(tables.near.shape[1]):
        node = tables.near[seed, k]
        if node < 0 or ruined >= strings:
            break
        vehicle = routes.vehicle[tables.node[node, col.REQUEST]]
        if vehicle < 0 or work.mark[vehicle, col.RUINED] == work.clock[col.STAMP]:
            continue
        work.mark[vehicle, col.RUINED] = work.clock[col.STAMP]
        ruined += 1
        length = 1 + below(work.luck, min(routes.size[vehicle], mean))
        _drop_string(tables, routes, saved, node, length, length > 1 and below(work.luck, 2) == 0, work)


@inner_kernel
def ruin_related(tables, routes, saved, work, turn):
    """Remove requests with nodes near to each other, with some luck in the choice (Shaw 1998)."""
    removed = 2 + below(work.luck, turn.mean_removed)
    seed = seed_node(tables, routes, work, turn.fleet)
    if seed < 0:
        return
    for k in range(tables.near.shape[1]):
        node = tables.near[seed, k]
        if node < 0 or removed == 0:
            break
        request = tables.node[node, col.REQUEST]
        vehicle = routes.vehicle[request]
        if vehicle < 0 or below(work.luck, 3) == 0 or not may_leave(tables, routes, request):
            continue
        save(routes, saved, vehicle, work)
        remove(tables, routes, request)
        refresh(tables, routes, vehicle, work)
        removed -= 1


@inner_kernel
def may_take(tables, routes, giver, taker):
    """Whether everything that `giver` serves may be served by `taker`."""
    for k in range(1, routes.size[giver] + 1):
        if not may_serve(tables, tables.node[routes.row[giver, col.NODE, k], col.REQUEST], taker):
            return False
    return True


@inner_kernel
def swap_vehicles(tables, routes, saved, work):
    """Two vehicles that are not alike exchange their whole routes, one of which may be empty."""
    seed, other = seed_node(tables, routes, work, False), below(work.luck, len(routes.size))
    if seed < 0:
        return
    one = np.int64(routes.vehicle[tables.node[seed, col.REQUEST]])
    if tables.vehicle[one, col.TWIN] == tables.vehicle[other, col.TWIN]:
        return
    if not may_take(tables, routes, one, other) or not may_take(tables, routes, other, one):
        return
    save(routes, saved, one, work)
    save(routes, saved, other, work)
    for k in range(1, max(routes.size[one], routes.size[other]) + 1):
        mine, theirs = routes.row[one, col.NODE, k], routes.row[other, col.NODE, k]
        if k <= routes.size[one]:
            routes.vehicle[tables.node[mine, col.REQUEST]] = other
        if k <= routes.size[other]:
            routes.vehicle[tables.node[theirs, col.REQUEST]] = one
        routes.row[one, col.NODE, k], routes.row[other, col.NODE, k] = theirs, mine
    routes.size[one], routes.size[other] = routes.size[other], routes.size[one]
    refresh(tables, routes, one, work)
    refresh(tables, routes, other, work)


@inner_kernel
def empty_route(tables, routes, saved, vehicle, work):
    """Take everything out of a vehicle's route that may leave it."""
    save(routes, saved, vehicle, work)
    for k in range(1, routes.size[vehicle] + 1):
        request = tables.node[routes.row[vehicle, col.NODE, k], col.REQUEST]
        if routes.vehicle[request] == vehicle and may_leave(tables, routes, request):
            forget(routes, request)
    compact(tables, routes, vehicle)
    refresh(tables, routes, vehicle, work)


@inner_kernel
def empty_vehicle(tables, routes, saved, work):
    """Empty the route of one vehicle."""
    seed = seed_node(tables, routes, work, False)
    if seed >= 0:
        empty_route(tables, routes, saved, np.int64(routes.vehicle[tables.node[seed, col.REQUEST]]), work)


@inner_kernel
def merge_trips(tables, routes, vehicle, work):
    """Leave out the reloads that a route can do without."""
    nodes, k = routes.row[vehicle, col.NODE], 1
    while k <= routes.size[vehicle]:
        node, n, price = nodes[k], routes.size[vehicle], routes.price[vehicle]
        k += 1
        if not is_reload(tables, node):
            continue
        for j in range(k - 1, n):
            nodes[j] = nodes[j + 1]
        routes.size[vehicle] = n - 1
        if refresh(tables, routes, vehicle, work) and routes.price[vehicle] <= price:
            continue
        for j in range(n, k - 1, -1):
            nodes[j] = nodes[j - 1]
        nodes[k - 1], routes.size[vehicle] = node, n
        refresh(tables, routes, vehicle, work)


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
