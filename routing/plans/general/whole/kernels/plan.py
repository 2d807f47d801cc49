"""Insertion and judgement where laws and prices of the whole plan matter: each offer is carried out and taken back."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.kernels.random import below
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in_one, insert, may_serve, plan_price, refresh, remove, save
from routing.plans.general.kernels.reloads import take_back
from routing.plans.general.whole.kernels.order import is_out_of_order, waits_for_another


@inner_kernel
def _used_vehicles(routes):
    """How many vehicles have a stop."""
    used = np.int64(0)
    for vehicle in range(len(routes.size)):
        used += routes.size[vehicle] > 0
    return used


@inner_kernel
def _lasts(tables, routes, vehicle):
    """Ticks from the start of a vehicle to the end of its route, 0 where it has none."""
    n = np.int64(routes.size[vehicle])
    if n == 0:
        return np.int64(0)
    if tables.flag[col.PLAIN] == 0:
        end = routes.state[vehicle, n + 1, col.NOW]
    elif tables.flag[col.RICH] == 1:
        breaks = tables.breaks.ptr[vehicle + 1] - tables.breaks.ptr[vehicle]
        end = routes.early[vehicle, col.SOONEST, n + 1, breaks]
    else:
        end = np.int64(routes.row[vehicle, col.LEAVE, n]) + routes.row[vehicle, col.LEG, n + 1]
    return end - tables.vehicle[vehicle, col.START]


@inner_kernel
def _longest(tables, routes):
    """Ticks of the longest route."""
    longest = np.int64(0)
    for vehicle in range(len(routes.size)):
        longest = max(longest, _lasts(tables, routes, vehicle))
    return longest


@inner_kernel
def whole_price(tables, routes):
    """Price of the longest route, and LOCKED for each vehicle that is missing to as many as must go out."""
    price = np.int64(0)
    if tables.flag[col.WHOLE] == 0:
        return price
    if tables.flag[col.PER_LONGEST] > 0:
        price += tables.flag[col.PER_LONGEST] * _longest(tables, routes)
    short = min(tables.flag[col.MIN_USED] - _used_vehicles(routes), np.int64(1000))
    return price + max(short, np.int64(0)) * col.LOCKED


@lean_kernel
def price_of_plan(tables, routes):
    """Price of the whole plan as the search counts it, laws and prices of the whole included."""
    return plan_price(tables, routes) + whole_price(tables, routes)


@lean_kernel
def take_out_of_order(tables, routes, saved, work):
    """Make absent what is served without, or before, what it must follow, until nothing is."""
    again = tables.flag[col.ORDERED] == 1
    while again:
        again = False
        for pair in range(len(tables.precedence)):
            if is_out_of_order(tables, routes, pair):
                request = np.int64(tables.precedence[pair, 1])
                vehicle = np.int64(routes.vehicle[request])
                save(routes, saved, vehicle, work)
                remove(tables, routes, request)
                refresh(tables, routes, vehicle, work)
                again = True


@inner_kernel
def put_leaders_first(tables, work, count):
    """Move what others must follow before them in ORDER, as far as it is there."""
    order, moved, passes = work.list[:, col.ORDER], tables.flag[col.ORDERED] == 1, 0
    while moved and passes <= count:
        moved, passes = False, passes + 1
        for pair in range(len(tables.precedence)):
            a, b = -1, -1
            for k in range(count):
                if order[k] == tables.precedence[pair, 0]:
                    a = k
                elif order[k] == tables.precedence[pair, 1]:
                    b = k
            if 0 <= b < a:
                leader = order[a]
                for k in range(a, b, -1):
                    order[k] = order[k - 1]
                order[b], moved = leader, True


@inner_kernel
def _added_by_whole(tables, routes, request, vehicle, pick, drop, longest, work):
    """What an insertion adds to the price of the whole, LOCKED where that is unlawful; the route stays as it is."""
    version, price, n = routes.version[vehicle], routes.price[vehicle], routes.size[vehicle]
    added = np.int64(0)
    if not insert(tables, routes, request, vehicle, pick, drop, work):
        added = np.int64(col.LOCKED)
    for pair in range(len(tables.precedence)):
        if is_out_of_order(tables, routes, pair):
            added = np.int64(col.LOCKED)
    if tables.flag[col.PER_LONGEST] > 0:
        longer = max(np.int64(0), _lasts(tables, routes, vehicle) - longest)
        added = min(added + tables.flag[col.PER_LONGEST] * longer, np.int64(col.LOCKED))
    routes.vehicle[request] = -1
    if tables.request[request, col.KIND] != col.PAIR and drop >> col.NEW_TRIP > 0:
        take_back(routes, vehicle, pick)
    else:
        nodes, kept = routes.row[vehicle, col.NODE], 0
        for k in range(1, routes.size[vehicle] + 1):
            if tables.node[nodes[k], col.REQUEST] != request:
                kept += 1
                nodes[kept] = nodes[k]
        routes.size[vehicle] = n
    refresh(tables, routes, vehicle, work)
    routes.version[vehicle], routes.price[vehicle] = version, price
    return added


@inner_kernel
def _cheapest_of(tables, routes, request, limit, idle_only, work):
    """As `cheapest_in_plan`; with `idle_only` among vehicles that have no route."""
    best, vehicle, pick, drop = limit, np.int64(-1), np.int64(-1), np.int64(-1)
    used, longest = _used_vehicles(routes), np.int64(0)
    if tables.flag[col.PER_LONGEST] > 0:
        longest = _longest(tables, routes)
    judged = tables.flag[col.ORDERED] == 1 or tables.flag[col.PER_LONGEST] > 0
    work.clock[col.STAMP] += 1
    for v in range(len(routes.size)):
        if not may_serve(tables, request, v):
            continue
        if routes.size[v] == 0:
            twin = tables.vehicle[v, col.TWIN]
            seen = work.mark[twin, col.SEEN] == work.clock[col.STAMP]
            if seen or work.mark[v, col.CLOSED] == 1 or used >= tables.flag[col.MAX_USED]:
                continue
            work.mark[twin, col.SEEN] = work.clock[col.STAMP]
        elif idle_only:
            continue
        if work.luck[1] > 0:
            work.luck[1] -= np.uint64(1)
            if work.luck[1] == 0:
                work.luck[1] = np.uint64(1 + below(work.luck, col.BLINKS))
                continue
        work.counter[col.INSERTIONS] += 1
        price, i, j = best_in_one(tables, routes, request, v, best, work)
        if i < 0:
            continue
        if judged:
            price += _added_by_whole(tables, routes, request, v, i, j, longest, work)
        if price < best:
            best, vehicle, pick, drop = price, np.int64(v), i, j
    return vehicle, pick, drop


@lean_kernel
def cheapest_in_plan(tables, routes, request, limit, work):
    """(vehicle, pick, drop) of the cheapest insertion below `limit` that keeps the laws of the whole, vehicle -1: none.

    Of each vehicle the place that is cheapest in its route.  As long as vehicles are missing to as many as must go
    out, those that have no route come first.
    """
    vehicle, pick, drop = np.int64(-1), np.int64(-1), np.int64(-1)
    if waits_for_another(tables, routes, request):
        return vehicle, pick, drop
    if _used_vehicles(routes) < tables.flag[col.MIN_USED]:
        vehicle, pick, drop = _cheapest_of(tables, routes, request, limit, True, work)
    if vehicle < 0:
        vehicle, pick, drop = _cheapest_of(tables, routes, request, limit, False, work)
    return vehicle, pick, drop
