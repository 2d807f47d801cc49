"""Routes with more laws than one window an act: several windows, setups, breaks, limits of driving, metres and acts.

For every position a route knows the soonest and the latest tick to leave it with 0, 1, ... breaks taken; an insertion
that the plain bounds let through is walked from its first gap to behind its last one.  Breaks keep their order and lie
on legs, so that the number taken says which.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inline_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.reloads import (
    count_reloads,
    load_up,
    loaded_ready,
    ready_at,
    trip_begin,
    trip_end,
    write_ready,
)
from routing.plans.general.whole.kernels.durations import least_duration
from routing.problem.kernels.breaks import arrive_with, first_in, last_in, leave_with

BARE = -1
"""No cargo; else the node that an insertion has behind it, with its load on board or what its drop takes back.

    breaks taken    0   o-----o-----o-----o      early[SOONEST, k, j]: leaving position k with j breaks taken
                         \\    \\    \\
                    1      o-----o-----o         a leg with breaks on it goes down by as many
    position            0     1     2     3
"""


@inline_kernel
def leg_price(legs, own, here, there):
    """Price of the leg between two places of legs[layer, from, to]."""
    price = np.int64(0)
    if here != there:
        price = own[col.PER_TICK] * legs[0, here, there]
        if legs.shape[0] > 1:
            price += own[col.PER_METRE] * legs[1, here, there]
        if legs.shape[0] > 2:
            price += own[col.PER_DRIVE] * legs[2, here, there] + own[col.PER_TOLL] * legs[3, here, there]
    return price


@inline_kernel
def _driven(legs, here, there):
    """Ticks of driving from `here` to `there`."""
    if here == there:
        return np.int64(0)
    return np.int64(legs[2 if legs.shape[0] > 2 else 0, here, there])


@inline_kernel
def _metres(legs, here, there):
    """Metres from `here` to `there`, 0 where unknown."""
    if here == there or legs.shape[0] < 2:
        return np.int64(0)
    return np.int64(legs[1, here, there])


@fused_kernel
def _leg_to(tables, own, here, node):
    """(ticks, ticks of driving) from `here` to `node`, -1: to the end of the vehicle `own`."""
    legs = tables.legs[:, own[col.PROFILE]]
    there = np.int64(tables.node[node, col.PLACE]) if node >= 0 else own[col.END_PLACE]
    leg = np.int64(0)
    if here != there:
        leg = np.int64(legs[0, here, there])
    return leg, _driven(legs, here, there)


@inner_kernel
def _rest_fits(tables, row, position, cargo, b):
    """Whether break `b` may be taken behind a position with what is on board there and the cargo."""
    dimensions = tables.flag[col.DIMENSIONS]
    for d in range(dimensions):
        load = np.int64(row[col.ON_BOARD_LOAD + d, position])
        if cargo >= 0 and cargo & 1 == 0:
            load += tables.request[cargo >> 1, col.LOAD + d]
        elif cargo >= 0 and tables.flag[col.BACK] == 1:
            load += tables.request[cargo >> 1, col.LOAD + dimensions + d]
        if load > tables.breaks.max_load[b, d]:
            return False
    return True


@inner_kernel
def _step(tables, vehicle, row, position, cargo, here, node, ready, times):
    """Go from `here`, left at times[0, j] with j breaks taken, to `node` (-1: to the end): times[1, j], -1 for never.

    `ready`: when all is ready that is loaded there.
    """
    before, after = times[0], times[1]
    own, first = tables.vehicle[vehicle], tables.breaks.ptr[vehicle]
    leg, drive = _leg_to(tables, own, here, node)
    breaks = tables.breaks.ptr[vehicle + 1] - first
    for j in range(breaks + 1):
        after[j] = -1
    for j in range(breaks + 1):
        if before[j] < 0:
            continue
        for taken in range(breaks - j + 1):
            weighed = taken > 0 and tables.flag[col.WEIGHED_BREAKS] == 1
            if weighed and not _rest_fits(tables, row, position, cargo, first + j + taken - 1):
                break
            now = arrive_with(tables.breaks, first + j, taken, before[j], drive)
            if now < 0:
                break
            now += leg - drive
            if node >= 0:
                own_node = tables.node[node]
                now = max(now - (leg - drive) + own_node[col.ENTER], max(np.int64(own_node[col.OPEN]), ready))
                now = first_in(tables.window[own_node[col.REQUEST], node & 1], now)
                if now < 0:
                    continue
                now += leg - drive
                if node & 1 == 0 and now > own[col.LAST_PICKUP]:
                    continue
                now += own_node[col.STAY]
            if after[j + taken] < 0 or now < after[j + taken]:
                after[j + taken] = now


@inner_kernel
def _latest_before(tables, vehicle, row, position, here, node, ready, behind, latest):
    """The latest tick to leave position `position` at `here` for `node`, by breaks taken: latest[j], -1 for never.

    `behind[j]`: the latest to leave `node` with j breaks taken; of the end (node -1) the latest to be there.  `ready`:
    when all is ready that is loaded at `node`.
    """
    own, first = tables.vehicle[vehicle], tables.breaks.ptr[vehicle]
    leg, drive = _leg_to(tables, own, here, node)
    breaks = tables.breaks.ptr[vehicle + 1] - first
    for j in range(breaks + 1):
        latest[j] = -1
        for taken in range(breaks - j + 1):
            weighed = taken > 0 and tables.flag[col.WEIGHED_BREAKS] == 1
            if weighed and not _rest_fits(tables, row, position, BARE, first + j + taken - 1):
                break
            by = behind[j + taken]
            if by < 0:
                continue
            by -= leg - drive
            if node >= 0:
                own_node = tables.node[node]
                by -= own_node[col.STAY]
                if node & 1 == 0:
                    by = min(by, own[col.LAST_PICKUP] - (leg - drive))
                by = last_in(tables.window[own_node[col.REQUEST], node & 1], by)
                if by < max(np.int64(own_node[col.OPEN]), ready):
                    continue
                by -= own_node[col.ENTER]
            if by >= 0:
                latest[j] = max(latest[j], leave_with(tables.breaks, first + j, taken, by, drive))


@inner_kernel
def refresh_rich(tables, routes, vehicle):
    """Recompute what `refresh_plain` does, and the soonest and latest tick of every position; False where illegal."""
    n = routes.size[vehicle]
    row, own, early = routes.row[vehicle], tables.vehicle[vehicle], routes.early[vehicle]
    legs = tables.legs[:, own[col.PROFILE]]
    breaks = tables.breaks.ptr[vehicle + 1] - tables.breaks.ptr[vehicle]
    row[col.AT_PLACE, 0], row[col.AT_PLACE, n + 1] = own[col.START_PLACE], own[col.END_PLACE]
    row[col.LEG, 0] = 0
    reloads = count_reloads(tables, row, n)
    legal = load_up(tables, routes, vehicle) and n - reloads <= own[col.MAX_ACTS] and reloads <= own[col.MOST_RELOADS]
    write_ready(tables, row, n, early)
    start = max(own[col.START], ready_at(tables, early, 0))
    driven, metres, price = np.int64(0), np.int64(0), own[col.FIXED]
    row[col.LEAVE, 0] = min(start, np.int64(col.INFINITE))
    for j in range(breaks + 1):
        early[col.SOONEST, 0, j] = start if j == 0 else -1
    here = own[col.START_PLACE]
    for k in range(1, n + 2):
        node = np.int64(row[col.NODE, k]) if k <= n else np.int64(-1)
        there = np.int64(tables.node[node, col.PLACE]) if k <= n else own[col.END_PLACE]
        row[col.AT_PLACE, k] = there
        row[col.LEG, k] = legs[0, here, there] if here != there else 0
        driven += _driven(legs, here, there)
        metres += _metres(legs, here, there)
        price += leg_price(legs, own, here, there)
        if k <= n:
            routes.at[node] = k
            times = early[col.SOONEST, k - 1 : k + 1]
            _step(tables, vehicle, row, k - 1, BARE, here, node, ready_at(tables, early, k), times)
            leave = np.int64(-1)
            for j in range(breaks + 1):
                soon = early[col.SOONEST, k, j]
                if soon >= 0 and (leave < 0 or soon < leave):
                    leave = soon
            row[col.LEAVE, k] = min(leave, np.int64(col.INFINITE)) if leave >= 0 else col.INFINITE
            stop = tables.node[node]
            price += own[col.PER_WORK] * (stop[col.ENTER] + stop[col.STAY]) + own[col.PER_TASK] * stop[col.ACT]
        here = there
    for j in range(breaks + 1):
        early[col.LATEST_LEAVE, n + 1, j] = own[col.END] if j == breaks else -1
    row[col.LATEST, n + 1] = own[col.END]
    for k in range(n, -1, -1):
        node = np.int64(row[col.NODE, k + 1]) if k < n else np.int64(-1)
        behind, latest = early[col.LATEST_LEAVE, k + 1], early[col.LATEST_LEAVE, k]
        ready = ready_at(tables, early, k + 1) if k < n else np.int64(0)
        _latest_before(tables, vehicle, row, k, np.int64(row[col.AT_PLACE, k]), node, ready, behind, latest)
        if k > 0:
            row[col.LATEST, k] = _latest_arrival(tables, np.int64(row[col.NODE, k]), latest, breaks)
    legal = legal and (n == 0 or early[col.LATEST_LEAVE, 0, 0] >= start)
    if legal and n > 0 and own[col.MAX_DURATION] < col.INFINITE:
        legal = least_duration(tables, routes, vehicle, -1, -1, 0, 0, 0) <= own[col.MAX_DURATION]
    legal = legal and (n == 0 or (driven <= own[col.MAX_DRIVE] and metres <= own[col.MAX_METRES]))
    routes.total[vehicle, col.DRIVEN] = driven if n > 0 else 0
    routes.total[vehicle, col.METRES_DRIVEN] = metres if n > 0 else 0
    routes.price[vehicle] = price if n > 0 else 0
    return legal


@inner_kernel
def _latest_arrival(tables, node, latest, breaks):
    """No arrival at `node` after this suits any number of breaks, with a setup or without."""
    own, most = tables.node[node], np.int64(-1)
    for j in range(breaks + 1):
        most = max(most, latest[j])
    windows = tables.window[own[col.REQUEST], node & 1]
    arrive = last_in(windows, most - own[col.STAY])
    if own[col.SETUP] > 0:
        arrive = max(arrive, own[col.SETUP] + last_in(windows, most - own[col.STAY] - own[col.SETUP]))
        # With a shorter setup than the longest one, windows lie between the two.
        arrive = max(arrive, min(most - own[col.STAY], np.int64(own[col.CLOSE])))
    return max(arrive - own[col.ENTER], np.int64(-1))


@inner_kernel
def _within_limits(tables, routes, vehicle, first, last, pair, i, k):
    """Whether a route with nodes `first` and `last` in gaps i and k drives no longer and no farther than it may."""
    own, at_place = tables.vehicle[vehicle], routes.row[vehicle, col.AT_PLACE]
    if own[col.MAX_DRIVE] >= col.NEVER and own[col.MAX_METRES] >= col.NEVER:
        return True
    legs = tables.legs[:, own[col.PROFILE]]
    driven, metres = routes.total[vehicle, col.DRIVEN], routes.total[vehicle, col.METRES_DRIVEN]
    here, after = np.int64(at_place[i]), np.int64(at_place[i + 1])
    pick, drop = np.int64(tables.node[first, col.PLACE]), np.int64(tables.node[last, col.PLACE])
    if routes.size[vehicle] > 0:
        driven -= _driven(legs, here, after)
        metres -= _metres(legs, here, after)
    driven += _driven(legs, here, pick)
    metres += _metres(legs, here, pick)
    if pair and i == k:
        driven += _driven(legs, pick, drop) + _driven(legs, drop, after)
        metres += _metres(legs, pick, drop) + _metres(legs, drop, after)
    else:
        driven += _driven(legs, pick, after)
        metres += _metres(legs, pick, after)
        if pair:
            here, after = np.int64(at_place[k]), np.int64(at_place[k + 1])
            driven += _driven(legs, here, drop) + _driven(legs, drop, after) - _driven(legs, here, after)
            metres += _metres(legs, here, drop) + _metres(legs, drop, after) - _metres(legs, here, after)
    return driven <= own[col.MAX_DRIVE] and metres <= own[col.MAX_METRES]


@inner_kernel
def fits_rich(tables, routes, request, vehicle, i, k, scratch):
    """Whether `request` may go into gaps i and k of `vehicle`, as far as plain bounds leave it open.

    `scratch[3]` and `scratch[4]`, at least one longer than the breaks of a vehicle, are overwritten.
    """
    if not _is_lawful(tables, routes, request, vehicle, i, k, scratch):
        return False
    most, added = tables.vehicle[vehicle, col.MAX_DURATION], 2 if tables.request[request, col.KIND] == col.PAIR else 1
    if most >= col.INFINITE:
        return True
    first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    return least_duration(tables, routes, vehicle, first, 2 * request + 1, added, i, k) <= most


@inner_kernel
def _is_lawful(tables, routes, request, vehicle, i, k, scratch):
    """As `fits_rich`, however long the route lasts."""
    n = np.int64(routes.size[vehicle])
    row, own, early = routes.row[vehicle], tables.vehicle[vehicle], routes.early[vehicle]
    kind, dimensions = tables.request[request, col.KIND], tables.flag[col.DIMENSIONS]
    pair = kind == col.PAIR
    first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    last = 2 * request + 1 if pair else first
    if own[col.MAX_ACTS] < col.NEVER and n - count_reloads(tables, row, n) + (2 if pair else 1) > own[col.MAX_ACTS]:
        return False
    if not _within_limits(tables, routes, vehicle, first, last, pair, i, k):
        return False
    begin, finish = trip_begin(tables, row, i), trip_end(tables, row, k, n)
    if tables.flag[col.BACK] == 1 and last & 1 == 1:
        for d in range(dimensions):
            back = tables.request[request, col.LOAD + dimensions + d]
            for position in range(k, finish):
                if row[col.ON_BOARD_LOAD + d, position] + back > own[col.CAPACITY + d]:
                    return False
    breaks = tables.breaks.ptr[vehicle + 1] - tables.breaks.ptr[vehicle]
    # What stays on board from the start or to the end changes where breaks may lie on every leg.
    whole = breaks > 0 and tables.flag[col.WEIGHED_BREAKS] == 1
    position, final = (np.int64(0), n) if whole else (np.int64(i), np.int64(k))
    mine = loaded_ready(tables, request) if tables.flag[col.RELOADS] == 1 else np.int64(0)
    if mine <= ready_at(tables, early, begin):
        mine = np.int64(0)
    else:
        # What is loaded where the trip begins is ready later: the walk begins with the way there.
        position = min(position, max(begin - 1, np.int64(0)))
    here, inserted = np.int64(row[col.AT_PLACE, position]), 0
    now, then = scratch[3], scratch[4]
    for j in range(breaks + 1):
        now[j] = early[col.SOONEST, position, j]
    if begin == 0 and position == 0:
        now[0] = max(now[0], mine)
    while True:
        laden = 1 if kind == col.PAIR else 2 if kind == col.PICKUP_ONLY else 0 if kind == col.LOADED else -1
        cargo = 2 * request if inserted == laden else last if inserted == 2 and last & 1 == 1 else np.int64(BARE)
        if kind != col.PAIR and not begin <= position < finish:
            cargo = np.int64(BARE)
        behind, ready = position, np.int64(0)
        if inserted == 0 and position == i:
            node, inserted = np.int64(first), 1 if pair else 2
        elif inserted == 1 and position == k:
            node, inserted = np.int64(last), 2
        else:
            position += 1
            node = np.int64(row[col.NODE, position]) if position <= n else np.int64(-1)
            ready = ready_at(tables, early, position) if position <= n else np.int64(0)
            if position == begin:
                ready = max(ready, mine)
        _step(tables, vehicle, row, behind, cargo, here, node, ready, scratch[3:5])
        if node < 0:
            return then[breaks] >= 0 and then[breaks] <= own[col.END]
        alive = False
        for j in range(breaks + 1):
            now[j] = then[j]
            alive = alive or now[j] >= 0
        if not alive:
            return False
        if position > final:
            alive = False
            for j in range(breaks + 1):
                alive = alive or (now[j] >= 0 and now[j] <= early[col.LATEST_LEAVE, position, j])
            return alive
        here = np.int64(tables.node[node, col.PLACE])
