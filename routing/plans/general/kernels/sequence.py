"""The cheapest sequence of a short route, by bounded depth-first search over its nodes."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import refresh
from routing.plans.general.kernels.stops import copy_state, go_home, run_stop, start_state, told_changes


@inner_kernel
def _may_come(tables, nodes, used, n, k):
    """Whether node `k` may be placed next: not yet placed, and no drop before its pickup."""
    if used[k] != 0:
        return False
    if nodes[k] & 1 == 0 or tables.request[tables.node[nodes[k], col.REQUEST], col.KIND] != col.PAIR:
        return True
    for other in range(n):
        if nodes[other] == nodes[k] - 1:
            return used[other] != 0
    return True


@lean_kernel
def best_sequence(tables, vehicle, nodes, limit, tried, chosen, states, stack, scratch):
    """Price of the cheapest legal order of `nodes` below `limit`, fixed price left out; `limit` where there is none.

    `chosen[n]` takes that order.  Scratch: `tried` int32[n + 2], `states` int64[n + 2, .], `stack` int64[3, n + 1],
    `scratch` (Work.list).
    """
    n, own = np.int64(len(nodes)), tables.vehicle[vehicle]
    used, turn, opened = stack[0], stack[1], stack[2]
    priced, free = own[col.TOLD_PRICED] != 0, tables.flag[col.LATE_IS_FREE] == 1
    for k in range(n):
        used[k] = 0
        tried[k + 1] = nodes[k]
    if not start_state(tables, tried, n, vehicle, states[0]):
        return limit
    best, depth = limit, np.int64(1)
    turn[1] = -1
    while depth > 0:
        if turn[depth] >= 0:
            used[turn[depth]] = 0
        turn[depth] += 1
        while turn[depth] < n and not _may_come(tables, nodes, used, n, turn[depth]):
            turn[depth] += 1
        if turn[depth] == n:
            depth -= 1
            continue
        node = nodes[turn[depth]]
        used[turn[depth]], tried[depth] = 1, node
        # A node at the place of the one before joins its stop, which is run again from its beginning.
        joins = tables.flag[col.PLAIN] == 0 and depth > 1
        joins = joins and tables.node[tried[depth - 1], col.PLACE] == tables.node[node, col.PLACE]
        opened[depth] = opened[depth - 1] if joins else depth
        begin = opened[depth]
        copy_state(states[begin - 1], states[depth])
        if not run_stop(tables, tried, begin, depth + 1, vehicle, states[depth], scratch):
            continue
        # Where late work is free, only what lies before the open stop is a bound.
        if states[(begin - 1) if free else depth, col.PRICE] >= best:
            continue
        if depth < n:
            depth += 1
            turn[depth] = -1
            continue
        copy_state(states[n], states[n + 1])
        if not go_home(tables, tried, n, vehicle, states[n + 1]):
            continue
        price = states[n + 1, col.PRICE]
        if priced:
            price += told_changes(tables, tried, n, vehicle)
        if price < best:
            best = price
            for k in range(n):
                chosen[k] = tried[k + 1]
    return best


@lean_kernel
def sequence_routes(tables, routes, work, longest, nodes, tried, chosen, states, stack):
    """Put every legal route of at most `longest` nodes into its cheapest order; how many became cheaper."""
    better = 0
    for vehicle in range(len(routes.size)):
        n = np.int64(routes.size[vehicle])
        if n < 2 or n > longest or routes.price[vehicle] >= col.LOCKED:
            continue
        for k in range(n):
            nodes[k] = routes.row[vehicle, col.NODE, k + 1]
        limit = routes.price[vehicle] - tables.vehicle[vehicle, col.FIXED]
        price = best_sequence(tables, vehicle, nodes[:n], limit, tried, chosen, states, stack, work.list)
        if price < limit:
            for k in range(n):
                routes.row[vehicle, col.NODE, k + 1] = chosen[k]
            refresh(tables, routes, vehicle, work)
            better += 1
    return better
