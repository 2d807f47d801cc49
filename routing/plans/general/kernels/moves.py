"""Changing a plan under search: insert, remove, restore, and the choice between the two ways to judge an insertion."""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inner_kernel, lean_kernel
from routing.kernels.random import below
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.hard_windows import best_plain, refresh_plain
from routing.plans.general.kernels.priced_times import best_timed, refresh_timed
from routing.plans.general.kernels.reloads import drop_idle_reloads, is_reload, put_in_new_trip
from routing.plans.general.kernels.rich import refresh_rich
from routing.problem.kernels.laws import ADD_ORDER, is_allowed, told_level


@lean_kernel
def refresh(tables, routes, vehicle, work):
    """Bring everything derived from one route's nodes up to date; False where the route is illegal.

    Without a triangle inequality a removal can break a law: such a route is LOCKED dearer, so that no plan keeps it.
    """
    if tables.flag[col.RICH] == 1 and tables.flag[col.PLAIN] == 1:
        legal = refresh_rich(tables, routes, vehicle)
    elif tables.flag[col.PLAIN] == 1:
        legal = refresh_plain(tables, routes, vehicle)
    else:
        legal = refresh_timed(tables, routes, vehicle, work.list)
    work.clock[col.VERSION] += 1
    routes.version[vehicle] = work.clock[col.VERSION]
    if not legal:
        routes.price[vehicle] += col.LOCKED
    return legal


@lean_kernel
def order_price(tables, request, vehicle):
    """Price of the pair, and of a told order's move: taking it from its vehicle, adding it at another's told stop."""
    pair = tables.flag[col.PAIR_AT]
    price = tables.request[request, pair + vehicle] if pair > 0 else np.int64(0)
    if tables.request[request, col.HOME] == vehicle:
        return price
    price += tables.request[request, col.TAKE]
    if tables.flag[col.ORDER_ADDED] == 1 and tables.request[request, col.KIND] != col.GHOST:
        level = told_level(tables.before_ptr, tables.before, vehicle, tables.request[request, col.FIRST_PLACE])
        if level >= 0:
            price += min(tables.change[level, ADD_ORDER], col.LOCKED)
    return price


@lean_kernel
def may_serve(tables, request, vehicle):
    """Whether the bit matrix and the goods on board let `vehicle` serve `request`."""
    carrier = tables.request[request, col.CARRIER]
    return (carrier < 0 or carrier == vehicle) and is_allowed(tables.allowed, request, vehicle)


@lean_kernel
def best_in(tables, routes, request, vehicle, limit, work):
    """Cheapest legal insertion of `request` into `vehicle` below `limit`, told prices included: (price, pick, drop)."""
    return best_in_one(tables, routes, request, vehicle, limit, work)


@fused_kernel
def best_in_one(tables, routes, request, vehicle, limit, work):
    """As `best_in`, inside the loops over vehicles."""
    moved = order_price(tables, request, vehicle)
    if moved >= limit or routes.size[vehicle] + 2 > tables.flag[col.STRIDE]:
        return limit, np.int64(-1), np.int64(-1)
    if tables.flag[col.PLAIN] == 1:
        price, pick, drop = best_plain(tables, routes, request, vehicle, limit - moved, work.lines)
    else:
        price, pick, drop = best_timed(tables, routes, request, vehicle, limit - moved, work)
    return price + moved, pick, drop


@inner_kernel
def cheapest(tables, routes, request, limit, work):
    """The cheapest legal insertion of all vehicles below `limit`: (price, vehicle, pick, drop), vehicle -1 if none.

    First the told vehicle and the one that served it last (a good limit early spares most of the rest), then those
    that could be there soonest, and everybody only where none of them can.  Of empty vehicles that cannot be told apart
    one is tried, of closed ones none.  Now and then one is overlooked: `luck[1]` counts down to it, 0 overlooks none.
    """
    best, vehicle, pick, drop = limit, np.int64(-1), np.int64(-1), np.int64(-1)
    work.clock[col.STAMP] += 1
    carrier, home = tables.request[request, col.CARRIER], tables.request[request, col.HOME]
    lately, group = work.list[request, col.LATELY], tables.request[request, col.GROUP]
    begin, finish = np.int64(tables.reach_ptr[group]), np.int64(tables.reach_ptr[group + 1])
    if carrier >= 0:
        home, lately, finish = np.int64(-1), carrier, begin
    near = 2 + finish - begin
    everybody = len(routes.size) if carrier < 0 and finish - begin < len(routes.size) else 0
    for turn in range(near + everybody):
        if turn == 0:
            v = home
        elif turn == 1:
            v = lately if lately != home else np.int64(-1)
        else:
            v = np.int64(tables.reach[begin + turn - 2]) if turn < near else turn - near
            if v in (home, lately):
                continue
        if turn >= near and vehicle >= 0:
            break
        if v < 0:
            continue
        twin, idle = tables.vehicle[v, col.TWIN], routes.size[v] == 0
        if idle and (work.mark[v, col.CLOSED] == 1 or work.mark[twin, col.SEEN] == work.clock[col.STAMP]):
            continue
        if not may_serve(tables, request, v):
            continue
        if idle:
            work.mark[twin, col.SEEN] = work.clock[col.STAMP]
        if work.luck[1] > 0:
            work.luck[1] -= np.uint64(1)
            if work.luck[1] == 0:
                work.luck[1] = np.uint64(1 + below(work.luck, col.BLINKS))
                continue
        if work.known.shape[0] > 0:
            known = work.known[request, v]
            if known[col.AT_VERSION] == routes.version[v]:
                if known[col.COSTS] >= best:
                    continue
                if known[col.GAPS] >= 0:
                    best, vehicle = known[col.COSTS], v
                    pick, drop = known[col.GAPS] >> 32, known[col.GAPS] & 0xFFFFFFFF
                    continue
        work.counter[col.INSERTIONS] += 1
        price, i, j = best_in_one(tables, routes, request, v, best, work)
        if work.known.shape[0] > 0:
            known = work.known[request, v]
            known[col.AT_VERSION], known[col.COSTS] = routes.version[v], price
            known[col.GAPS] = (i << 32 | j) if i >= 0 else np.int64(-1)
        if i >= 0 and price < best:
            best, vehicle, pick, drop = price, v, i, j
    return best, vehicle, pick, drop


@lean_kernel
def insert(tables, routes, request, vehicle, pick, drop, work):
    """Put the nodes of `request` into gaps `pick` and `drop` of a route and refresh it; False where illegal."""
    nodes, n = routes.row[vehicle, col.NODE], routes.size[vehicle]
    if tables.request[request, col.KIND] == col.PAIR:
        for k in range(n, drop, -1):
            nodes[k + 2] = nodes[k]
        nodes[drop + 2] = 2 * request + 1
        for k in range(drop, pick, -1):
            nodes[k + 1] = nodes[k]
        nodes[pick + 1] = 2 * request
        routes.size[vehicle] = n + 2
    elif drop >> col.NEW_TRIP > 0:
        put_in_new_trip(tables, routes, request, vehicle, pick, drop)
    else:
        for k in range(n, pick, -1):
            nodes[k + 1] = nodes[k]
        nodes[pick + 1] = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
        routes.size[vehicle] = n + 1
    routes.vehicle[request] = vehicle
    return refresh(tables, routes, vehicle, work)


@lean_kernel
def remove(tables, routes, request):
    """Take the nodes of `request` out of its route, which must be refreshed afterwards."""
    vehicle = routes.vehicle[request]
    forget(routes, request)
    compact(tables, routes, vehicle)


@inner_kernel
def forget(routes, request):
    """Call `request` absent; its route must be compacted afterwards."""
    routes.vehicle[request] = -1
    routes.absent[routes.missing[0]] = request
    routes.missing[0] += 1


@inner_kernel
def compact(tables, routes, vehicle):
    """Take the nodes of absent requests out of a route, which must be refreshed afterwards."""
    nodes, kept = routes.row[vehicle, col.NODE], 0
    for k in range(1, routes.size[vehicle] + 1):
        if routes.vehicle[tables.node[nodes[k], col.REQUEST]] == vehicle or is_reload(tables, nodes[k]):
            kept += 1
            nodes[kept] = nodes[k]
    routes.size[vehicle] = kept
    if tables.flag[col.RELOADS] == 1:
        drop_idle_reloads(tables, routes, vehicle)


@inner_kernel
def save(routes, saved, vehicle, work):
    """Keep a copy of a route before it is changed for the first time in an iteration."""
    if work.mark[vehicle, col.TOUCHED_AT] == work.clock[col.ITERATION]:
        return
    work.mark[vehicle, col.TOUCHED_AT] = work.clock[col.ITERATION]
    work.mark[work.clock[col.TOUCHED], col.TOUCHED_LIST] = vehicle
    work.clock[col.TOUCHED] += 1
    copy_route(routes, saved, vehicle)


@inner_kernel
def copy_route(source, target, vehicle):
    """Copy what defines and what describes one route."""
    last = source.size[vehicle] + 2
    target.version[vehicle] = source.version[vehicle]
    target.size[vehicle] = source.size[vehicle]
    target.price[vehicle] = source.price[vehicle]
    if source.state.shape[0] > 0:
        for column in range(col.LEAVE):
            for k in range(last):
                target.row[vehicle, column, k] = source.row[vehicle, column, k]
        for k in range(last):
            for column in range(source.state.shape[2]):
                target.state[vehicle, k, column] = source.state[vehicle, k, column]
        return
    for column in range(source.row.shape[1]):
        for k in range(last):
            target.row[vehicle, column, k] = source.row[vehicle, column, k]
    if source.early.shape[0] > 0:
        for k in range(last):
            for j in range(source.early.shape[3]):
                for side in range(source.early.shape[1]):
                    target.early[vehicle, side, k, j] = source.early[vehicle, side, k, j]
        for column in range(2):
            target.total[vehicle, column] = source.total[vehicle, column]


@lean_kernel
def copy_nodes(source, target, vehicle):
    """Copy what defines one route."""
    target.size[vehicle] = source.size[vehicle]
    target.price[vehicle] = source.price[vehicle]
    for k in range(1, source.size[vehicle] + 1):
        target.row[vehicle, col.NODE, k] = source.row[vehicle, col.NODE, k]


@lean_kernel
def copy_plan(source, target):
    """Copy what defines every route."""
    for vehicle in range(len(source.size)):
        copy_nodes(source, target, vehicle)


@lean_kernel
def take_over(tables, source, target, vehicle):
    """Copy one route and write down for its requests where they are."""
    copy_route(source, target, vehicle)
    for k in range(1, source.size[vehicle] + 1):
        node = source.row[vehicle, col.NODE, k]
        target.vehicle[tables.node[node, col.REQUEST]] = vehicle
        target.at[node] = k


@lean_kernel
def refresh_plan(tables, routes, work):
    """Bring everything derived from every route's nodes up to date."""
    for vehicle in range(len(routes.size)):
        refresh(tables, routes, vehicle, work)


@lean_kernel
def take_over_plan(tables, source, target, work):
    """Copy every route, write down where its requests are, and bring it up to date."""
    for vehicle in range(len(source.size)):
        take_over(tables, source, target, vehicle)
    refresh_plan(tables, target, work)


@inner_kernel
def absent_price(tables, routes):
    """Price of everything that is on no route."""
    price = np.int64(0)
    for k in range(routes.missing[0]):
        price += tables.request[routes.absent[k], col.SKIP]
    return price


@inner_kernel
def route_price(tables, routes, vehicle):
    """Price of one route and of its orders' moves."""
    price = routes.price[vehicle]
    for k in range(1, routes.size[vehicle] + 1):
        node = routes.row[vehicle, col.NODE, k]
        if node & 1 == 0 or tables.node[node - 1, col.PLACE] < 0:
            price += order_price(tables, tables.node[node, col.REQUEST], vehicle)
    return price


@lean_kernel
def plan_price(tables, routes):
    """Price of the whole plan as the search counts it."""
    price = absent_price(tables, routes)
    for vehicle in range(len(routes.size)):
        price += route_price(tables, routes, vehicle)
    return price


@lean_kernel
def ranked_absent(tables, routes):
    """Of what is on no route and ranked: the sum of ranks, and what the search counts for it."""
    rank, price = np.int64(0), np.int64(0)
    for k in range(routes.missing[0]):
        request = tables.request[routes.absent[k]]
        if request[col.RANK] > 0:
            rank += request[col.RANK]
            price += request[col.SKIP]
    return rank, price
