"""Insertion where time moves no price: constant-time checks against latest arrivals, exact bounds on the price.

Savelsbergh (1992), "The vehicle routing problem with time windows: minimizing route duration", forward time slack;
here as the latest arrival at every position.

    position      0        1   ...   i       i + 1   ...   j       j + 1   ...   n      n + 1
                start ---- o ------- o --+---- o --------- o --+---- o --------- o ------ end
    gap                0             i   pick              j   drop
    low .. final: gaps between the windows; LEAVE rises, and so does LATEST: an insertion in gap k fits if it is back on
    the route at position k + 1 by LATEST[k + 1].
    removed[k]: price of the leg in gap k; added[k]: of the drop there instead; least[k]: the least of added[k..final]
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inline_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.reloads import (
    count_reloads,
    is_reload,
    loaded_ready,
    put_in_new_trip,
    start_load,
    take_back,
    trip_begin,
    trip_end,
)
from routing.plans.general.kernels.rich import fits_rich, leg_price, refresh_rich
from routing.plans.general.whole.kernels.order import gaps_of
from routing.problem.kernels.laws import is_allowed


@inner_kernel
def refresh_plain(tables, routes, vehicle):
    """Recompute places, legs, departures, latest arrivals, loads and price of one route; False where illegal."""
    n = routes.size[vehicle]
    row, own = routes.row[vehicle], tables.vehicle[vehicle]
    legs, dimensions = tables.legs[:, own[col.PROFILE]], tables.flag[col.DIMENSIONS]
    row[col.AT_PLACE, 0], row[col.AT_PLACE, n + 1] = own[col.START_PLACE], own[col.END_PLACE]
    row[col.LEAVE, 0], row[col.LEG, 0] = own[col.START], 0
    legal = True
    for d in range(dimensions):
        load = start_load(tables, row, own, n, d)
        row[col.ON_BOARD_LOAD + d, 0] = load
        legal = legal and (n == 0 or load <= own[col.CAPACITY + d])
    driven, metres, worked = np.int64(0), np.int64(0), np.int64(0)
    here, leave = own[col.START_PLACE], own[col.START]
    for k in range(1, n + 1):
        node = row[col.NODE, k]
        stop = tables.node[node]
        there = np.int64(stop[col.PLACE])
        leg = legs[0, here, there] if here != there else np.int32(0)
        row[col.AT_PLACE, k], row[col.LEG, k] = there, leg
        driven += leg
        if legs.shape[0] > 1 and here != there:
            metres += legs[1, here, there]
        routes.at[node] = k
        at = max(leave + leg + stop[col.ENTER], np.int64(stop[col.OPEN]))
        legal = legal and at <= stop[col.CLOSE] and (node & 1 == 1 or at <= own[col.LAST_PICKUP])
        leave = min(at + stop[col.STAY], np.int64(col.INFINITE))
        row[col.LEAVE, k] = leave
        worked += stop[col.ENTER] + stop[col.STAY]
        for d in range(dimensions):
            load = tables.request[stop[col.REQUEST], col.LOAD + d]
            load = row[col.ON_BOARD_LOAD + d, k - 1] + (load if node & 1 == 0 else -load)
            row[col.ON_BOARD_LOAD + d, k] = load
            legal = legal and load <= own[col.CAPACITY + d]
        here = there
    there = own[col.END_PLACE]
    leg = legs[0, here, there] if here != there else np.int32(0)
    row[col.LEG, n + 1] = leg
    driven += leg
    if legs.shape[0] > 1 and here != there:
        metres += legs[1, here, there]
    legal = legal and leave + leg <= own[col.END]
    latest = own[col.END]
    row[col.LATEST, n + 1] = latest
    for k in range(n, 0, -1):
        node = row[col.NODE, k]
        stop = tables.node[node]
        latest = min(latest - row[col.LEG, k + 1] - stop[col.STAY], np.int64(stop[col.CLOSE]))
        if node & 1 == 0:
            latest = min(latest, own[col.LAST_PICKUP])
        latest -= stop[col.ENTER]
        row[col.LATEST, k] = max(latest, np.int64(-1))
    routes.price[vehicle] = 0
    if n > 0:
        routes.price[vehicle] = (
            own[col.FIXED] + own[col.PER_TICK] * driven + own[col.PER_METRE] * metres + own[col.PER_WORK] * worked
        )
    return legal


@inline_kernel
def way(block, layers, to, per_tick, per_metre, per_drive, per_toll):
    """Price of the leg of a gathered block[layer, place] to or from `to`."""
    price = per_tick * block[0, to]
    if layers > 1:
        price += per_metre * block[1, to]
    if layers > 2:
        price += per_drive * block[2, to] + per_toll * block[3, to]
    return price


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


@fused_kernel
def best_plain(tables, routes, request, vehicle, limit, scratch):
    """Cheapest legal insertion of `request` into `vehicle` that adds less than `limit`: (price, pick gap, drop gap).

    Gap k lies behind position k; both gaps are counted before the insertion.  One-ended requests use the gap of their
    only node twice.  `scratch` int64[5, L + 4].  Only gaps between the windows are looked at: departures and
    latest arrivals rise along a route, and one node of a pair makes the others sooner by DETOUR at most.
    """
    n = np.int64(routes.size[vehicle])
    row, own = routes.row[vehicle], tables.vehicle[vehicle]
    node, leave, latest = row[col.NODE], row[col.LEAVE], row[col.LATEST]
    at_place, leg = row[col.AT_PLACE], row[col.LEG]
    profile, per_tick, per_metre = own[col.PROFILE], own[col.PER_TICK], own[col.PER_METRE]
    per_drive, per_toll, rich = own[col.PER_DRIVE], own[col.PER_TOLL], tables.flag[col.RICH] == 1
    dimensions, layers = tables.flag[col.DIMENSIONS], tables.legs.shape[0]
    kind = tables.request[request, col.KIND]
    pair = kind == col.PAIR
    first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    last = 2 * request + 1 if pair else first
    pick, drop = tables.node[first], tables.node[last]
    close_pick, close_drop = np.int64(pick[col.CLOSE]), np.int64(drop[col.CLOSE])
    if first & 1 == 0:
        close_pick = min(close_pick, own[col.LAST_PICKUP])
    open_pick, enter_pick, stay_pick = np.int64(pick[col.OPEN]), np.int64(pick[col.ENTER]), np.int64(pick[col.STAY])
    open_drop, enter_drop, stay_drop = np.int64(drop[col.OPEN]), np.int64(drop[col.ENTER]), np.int64(drop[col.STAY])
    base = own[col.PER_WORK] * (enter_pick + stay_pick) + own[col.PER_TASK] * pick[col.ACT]
    if pair:
        base += own[col.PER_WORK] * (enter_drop + stay_drop) + own[col.PER_TASK] * drop[col.ACT]
    if n == 0:
        base += own[col.FIXED]
    best, best_pick, best_drop = limit - base, np.int64(-1), np.int64(-1)
    low, final = gaps_of(tables, routes, request, vehicle)
    sooner = tables.flag[col.DETOUR] if pair else np.int64(0)
    while low <= n and latest[low + 1] + sooner < open_pick + stay_pick:
        low += 1
    while final >= low and leave[final] - sooner > close_drop:
        final -= 1
    if final < low or leave[low] > close_pick:
        return limit, best_pick, best_drop
    from_pick, to_pick = tables.legs[:, profile, pick[col.PLACE]], tables.back[:, profile, pick[col.PLACE]]
    from_drop, to_drop = tables.legs[:, profile, drop[col.PLACE]], tables.back[:, profile, drop[col.PLACE]]
    between, across = np.int64(0), np.int64(0)
    if pick[col.PLACE] != drop[col.PLACE]:
        between = np.int64(from_pick[0, drop[col.PLACE]])
        across = way(from_pick, layers, drop[col.PLACE], per_tick, per_metre, per_drive, per_toll)
    soonest = max(open_drop, open_pick + stay_pick + enter_drop) + stay_drop
    added, removed, least = scratch[0], scratch[1], scratch[2]
    least[final + 1] = col.LOCKED
    for k in range(final, low - 1, -1):
        here, after = at_place[k], at_place[k + 1]
        gone = per_tick * leg[k + 1]
        if n == 0:
            gone = np.int64(0)  # nobody drives from the start to the end of an empty route
        elif layers > 2:
            gone = leg_price(tables.legs[:, profile], own, here, after)
        elif layers > 1 and here != after:
            gone += per_metre * tables.legs[1, profile, here, after]
        removed[k] = gone
        least[k] = least[k + 1]
        if pair and latest[k + 1] >= soonest:
            added[k] = way(to_drop, layers, here, per_tick, per_metre, per_drive, per_toll) - gone
            added[k] += way(from_drop, layers, after, per_tick, per_metre, per_drive, per_toll)
            least[k] = min(least[k], added[k])
    for i in range(low, final + 1):
        if leave[i] > close_pick:
            break
        here, after = at_place[i], at_place[i + 1]
        reach = way(to_pick, layers, here, per_tick, per_metre, per_drive, per_toll) - removed[i]
        alone = reach + way(from_pick, layers, after, per_tick, per_metre, per_drive, per_toll)
        if pair:
            joined = reach + across + way(from_drop, layers, after, per_tick, per_metre, per_drive, per_toll)
            if min(joined, alone + least[i + 1]) >= best:
                continue
        else:
            joined = alone
            if joined >= best:
                continue
        at = max(leave[i] + to_pick[0, here] + enter_pick, open_pick)
        if at > close_pick or not _fits(tables, row, own, request, kind, i, n, dimensions):
            continue
        out = at + stay_pick
        if not pair:
            if out + from_pick[0, after] <= latest[i + 1] and (
                not rich or fits_rich(tables, routes, request, vehicle, i, i, scratch)
            ):
                best, best_pick, best_drop = joined, i, i
            continue
        if joined < best:
            drop_at = max(out + between + enter_drop, open_drop)
            fits = drop_at <= close_drop and drop_at + stay_drop + from_drop[0, after] <= latest[i + 1]
            if fits and (not rich or fits_rich(tables, routes, request, vehicle, i, i, scratch)):
                best, best_pick, best_drop = joined, i, i
        now = out + from_pick[0, after]
        if now > latest[i + 1] + sooner:
            continue
        k = i + 1
        while k <= final and alone + least[k] < best:
            fits = True
            for d in range(dimensions):
                load = row[col.ON_BOARD_LOAD + d, k] + tables.request[request, col.LOAD + d]
                fits = fits and load <= own[col.CAPACITY + d]
            if not fits:
                break
            stop = tables.node[node[k]]
            now = max(now + stop[col.ENTER], np.int64(stop[col.OPEN])) + stop[col.STAY]
            if now > close_drop:
                break
            if latest[k + 1] >= soonest and alone + added[k] < best:
                drop_at = max(now + to_drop[0, at_place[k]] + enter_drop, open_drop)
                home = drop_at + stay_drop + from_drop[0, at_place[k + 1]]
                fits = drop_at <= close_drop and home <= latest[k + 1]
                if fits and (not rich or fits_rich(tables, routes, request, vehicle, i, k, scratch)):
                    best, best_pick, best_drop = alone + added[k], i, k
            now += leg[k + 1]
            k += 1
    if not pair and tables.flag[col.RELOADS] == 1:
        price, gap, code = best_in_new_trip(tables, routes, request, vehicle, best + base, low, final)
        if gap >= 0:
            return price, gap, code
    return best + base, best_pick, best_drop


@inline_kernel
def _fits(tables, row, own, request, kind, i, n, dimensions):
    """Whether the goods fit on board behind gap i (and, for one-ended requests, wherever else they are on board)."""
    fits = True
    for d in range(dimensions):
        level = row[col.ON_BOARD_LOAD + d, i]
        extra = tables.request[request, col.LOAD + d]
        if kind == col.PICKUP_ONLY:
            for k in range(i, trip_end(tables, row, i, n)):
                level = max(level, row[col.ON_BOARD_LOAD + d, k])
        elif kind == col.LOADED:
            for k in range(trip_begin(tables, row, i), i + 1):
                level = max(level, row[col.ON_BOARD_LOAD + d, k])
        elif kind != col.PAIR:
            extra = np.int64(0)
        fits = fits and level + extra <= own[col.CAPACITY + d]
    return fits
