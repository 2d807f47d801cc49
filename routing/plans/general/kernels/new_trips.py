"""Insertions that open a trip: a request and, before or behind it, a reload."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.reloads import count_reloads, is_reload, loaded_ready, put_in_new_trip, take_back
from routing.plans.general.kernels.rich import leg_price, refresh_rich
from routing.problem.kernels.laws import is_allowed


@inner_kernel
def _leg(legs, here, there):
    """Ticks from `here` to `there`."""
    return np.int64(legs[0, here, there]) if here != there else np.int64(0)


@inner_kernel
def _in_time(tables, routes, vehicle, request, own_node, depot, gap, last):
    """Whether a node and a reload `depot` (behind it where `last`) may fit into a gap, by the plain bounds."""
    row, own = routes.row[vehicle], tables.vehicle[vehicle]
    legs, node, stop = tables.legs[:, own[col.PROFILE]], tables.node[own_node], tables.node[depot]
    here, after, now = row[col.AT_PLACE, gap], row[col.AT_PLACE, gap + 1], np.int64(row[col.LEAVE, gap])
    if not last:
        now += _leg(legs, here, stop[col.PLACE]) + stop[col.ENTER]
        now = max(now, loaded_ready(tables, request)) + stop[col.STAY]
        here = stop[col.PLACE]
    now = max(now + _leg(legs, here, node[col.PLACE]) + node[col.ENTER], np.int64(node[col.OPEN]))
    if now > node[col.CLOSE]:
        return False
    now += node[col.STAY]
    here = node[col.PLACE]
    if last:
        now += _leg(legs, here, stop[col.PLACE]) + stop[col.ENTER] + stop[col.STAY]
        here = stop[col.PLACE]
    return now + _leg(legs, here, after) <= row[col.LATEST, gap + 1]


@inner_kernel
def best_in_new_trip(tables, routes, request, vehicle, limit, low, final):
    """Cheapest legal insertion of a request of one node with a reload beside it that adds less than `limit`.

    (price, gap, code): gap -1 where there is none; code >> NEW_TRIP is 1 + 2 x reload place + 1 where the reload
    comes behind the node.  What the bounds let through is tried in the route itself, which is as before afterwards.
    """
    n, row, own = np.int64(routes.size[vehicle]), routes.row[vehicle], tables.vehicle[vehicle]
    nodes, legs = row[col.NODE], tables.legs[:, own[col.PROFILE]]
    best, best_gap, best_code = limit, np.int64(-1), np.int64(-1)
    if n == 0 or count_reloads(tables, row, n) >= own[col.MOST_RELOADS] or n + 2 > tables.flag[col.STRIDE]:
        return best, best_gap, best_code
    own_node = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    node, before = tables.node[own_node], routes.price[vehicle]
    place = np.int64(node[col.PLACE])
    for p in range(tables.flag[col.FIRST_RELOAD], len(tables.request)):
        if not is_allowed(tables.allowed, p, vehicle):
            continue
        stop = tables.node[2 * p + 1]
        depot = np.int64(stop[col.PLACE])
        base = own[col.PER_WORK] * (node[col.ENTER] + node[col.STAY] + stop[col.ENTER] + stop[col.STAY])
        base += own[col.PER_TASK] * node[col.ACT]
        for gap in range(low, final + 1):
            here, after = np.int64(row[col.AT_PLACE, gap]), np.int64(row[col.AT_PLACE, gap + 1])
            gone = leg_price(legs, own, here, after)
            for last in range(2):
                idle = (
                    (gap == n or is_reload(tables, nodes[gap + 1]))
                    if last
                    else (gap == 0 or is_reload(tables, nodes[gap]))
                )
                if idle:
                    continue
                one, other = (place, depot) if last else (depot, place)
                price = base - gone + leg_price(legs, own, here, one) + leg_price(legs, own, one, other)
                price += leg_price(legs, own, other, after)
                if price >= best or not _in_time(tables, routes, vehicle, request, own_node, 2 * p + 1, gap, last):
                    continue
                code = np.int64(1 + 2 * (p - tables.flag[col.FIRST_RELOAD]) + last) << col.NEW_TRIP
                put_in_new_trip(tables, routes, request, vehicle, gap, code)
                legal = refresh_rich(tables, routes, vehicle)
                take_back(routes, vehicle, gap)
                refresh_rich(tables, routes, vehicle)
                routes.price[vehicle] = before
                if legal:
                    best, best_gap, best_code = price, np.int64(gap), code
    return best, best_gap, best_code
