"""Building routes: from rows, and by regret insertion, which takes first what would be dearest to put off.

Potvin and Rousseau (1993).  Prices that cannot be among the lowest of a request are found out only when they could be:
a quarter of the time for 1,000 orders and 500 riders, the same plan.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, best_in_one, insert, may_serve, refresh, remove
from routing.plans.general.kernels.reloads import reload_there
from routing.plans.general.kernels.stops import door_price

OPEN = -2
"""In place of a gap: the price is not known, only that it is no less."""


@lean_kernel
def write_routes(tables, routes, work, ghosts, rows):
    """Write rows into empty `routes` and refresh them; what makes a route illegal becomes absent, the last ones first.

    `ghosts`: requests that stand for told stops that a node of their own keeps, vehicle by vehicle.
    """
    begin, most = 0, tables.flag[col.STRIDE]
    for vehicle in range(len(routes.size)):
        nodes, n = routes.row[vehicle, col.NODE], 0
        finish = begin
        while finish < len(ghosts) and tables.request[ghosts[finish], col.HOME] == vehicle:
            finish += 1
        for stop in range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]):
            ghost = _ghost_at(tables, routes, ghosts[begin:finish], rows, stop, rows.stop_ptr[vehicle + 1])
            if ghost >= 0 and n < most:
                n += 1
                nodes[n] = 2 * ghost
                routes.vehicle[ghost] = vehicle
            reload = reload_there(tables, vehicle, rows.stop_place[stop])
            if reload >= 0 and rows.act_ptr[stop] == rows.act_ptr[stop + 1] and n < most:
                n += 1
                nodes[n] = reload
            for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
                if n < most:
                    n += 1
                    nodes[n] = 2 * rows.act_request[a] + rows.act_kind[a]
        begin = finish
        routes.size[vehicle] = n
        for k in range(1, n + 1):
            routes.vehicle[tables.node[nodes[k], col.REQUEST]] = vehicle
        while not refresh(tables, routes, vehicle, work):
            k = routes.size[vehicle]
            while k > 0 and _stays(tables, nodes[k]):
                k -= 1
            if k == 0:
                break
            remove(tables, routes, tables.node[nodes[k], col.REQUEST])


@inner_kernel
def _ghost_at(tables, routes, ghosts, rows, stop, finish):
    """Of a vehicle's ghosts the first that is on no route and stands at the place of `stop`; -1 where there is none.

    A stop with acts leaves them to later stops of its place (up to `finish`) without acts: only a ghost keeps those.
    """
    first, spare = np.int64(-1), 0
    for ghost in ghosts:
        if routes.vehicle[ghost] < 0 and tables.node[2 * ghost, col.PLACE] == rows.stop_place[stop]:
            first = ghost if first < 0 else first
            spare += 1
    if first < 0 or rows.act_ptr[stop] == rows.act_ptr[stop + 1]:
        return first
    for later in range(stop + 1, finish):
        is_bare = rows.act_ptr[later] == rows.act_ptr[later + 1]
        spare -= is_bare and rows.stop_place[later] == rows.stop_place[stop]
    return first if spare > 0 else np.int64(-1)


@inner_kernel
def _stays(tables, node):
    """Whether a node belongs to its vehicle: goods on board, a told stop, a reload."""
    kind = tables.request[tables.node[node, col.REQUEST], col.KIND]
    return kind == col.ABOARD or kind == col.GHOST or kind == col.RELOAD


@inner_kernel
def _price(tables, routes, work, request, vehicle, limit, price, gap):
    """Price `request` in one vehicle: price[vehicle], and gap[vehicle] where it is below skipping.

    A price of `limit` or more, where that is below skipping, is left open: price[vehicle] = limit, gap[vehicle, 0] =
    OPEN.
    """
    skip = tables.request[request, col.SKIP]
    price[vehicle], gap[vehicle, 0] = skip, 0
    if not may_serve(tables, request, vehicle):
        return
    if limit < skip:
        price[vehicle], gap[vehicle, 0] = limit, OPEN
    work.counter[col.INSERTIONS] += 1
    cost, pick, drop = best_in_one(tables, routes, request, vehicle, price[vehicle], work)
    if pick >= 0:
        price[vehicle] = cost
        gap[vehicle, 0], gap[vehicle, 1] = pick, drop


@lean_kernel
def price_pairs(tables, routes, work, requests, wanted, price, gap):
    """Cheapest insertion where `wanted[A, V]`: sets price[A, V], gap[A, V, 2]; the price of skipping where dearer.

    Request by request: the rows of travel times to and from its two places stay in the cache.
    """
    for k in range(len(requests)):
        for vehicle in range(len(routes.size)):
            if wanted[k, vehicle]:
                _price(tables, routes, work, requests[k], vehicle, col.NEVER, price[k], gap[k])


@inner_kernel
def _rank(price, skip, nearest):
    """Cheapest vehicle, -1 where skipping is cheaper; `nearest` takes the lowest prices, rising."""
    degree, best = len(nearest), -1
    for place in range(degree):
        nearest[place] = skip
    for vehicle in range(len(price)):
        cost = price[vehicle]
        if cost < nearest[degree - 1]:
            if cost < nearest[0]:
                best = vehicle
            place = degree - 1
            while place > 0 and nearest[place - 1] > cost:
                nearest[place] = nearest[place - 1]
                place -= 1
            nearest[place] = cost
    return best


@inner_kernel
def _ample(limit):
    """How far a price is followed that matters up to `limit`: beyond it, for limits creep up and would ask again."""
    return limit + abs(limit) + 1


@inner_kernel
def _rank_open(tables, routes, work, request, price, gap, nearest):
    """As `_rank` where some prices are open: those that may be among the lowest are found out first."""
    skip, last = tables.request[request, col.SKIP], len(nearest) - 1
    best, asked = _rank(price, skip, nearest), True
    while asked:
        asked = False
        for vehicle in range(len(price)):
            if price[vehicle] <= nearest[last] and gap[vehicle, 0] == OPEN:
                _price(tables, routes, work, request, vehicle, _ample(nearest[last]), price, gap)
                asked = True
        if asked:
            best = _rank(price, skip, nearest)
    return best


@inner_kernel
def _is_served(tables, routes, request):
    """Whether `request`, or another row of its choice, is on a route."""
    if routes.vehicle[request] >= 0 or tables.flag[col.CHOICES] == 0:
        return routes.vehicle[request] >= 0
    row = tables.request[request, col.NEXT_ROW]
    while row != request:
        if routes.vehicle[row] >= 0:
            return True
        row = tables.request[row, col.NEXT_ROW]
    return False


@inner_kernel
def _cheapest_row(tables, requests, chosen, where, nearest):
    """Of the rows of one choice with `requests[chosen]` the one with the lowest price."""
    row, best = tables.request[requests[chosen], col.NEXT_ROW], chosen
    while row != requests[chosen]:
        for k in range(len(requests)):
            if requests[k] == row and where[k] >= 0 and nearest[k, 0] < nearest[best, 0]:
                best = k
        row = tables.request[row, col.NEXT_ROW]
    return best


@lean_kernel
def insert_by_regret(tables, routes, work, requests, price, gap, nearest, where):
    """Insert absent `requests`, all rows of their choices among them, the one with the greatest regret first.

    `price[A, V]`, `gap[A, V, 2]`: their matrix (plans/general/insertion_prices.py), kept up to date as far as it
    matters: a price that is not among the lowest may stay open; `nearest[A, degree]`, `where[A]`: lowest prices and
    cheapest vehicle of each, ranked anew only where the vehicle that has just changed was or becomes one of them.
    """
    degree, missing = nearest.shape[1], 0
    for k in range(len(requests)):
        where[k] = _rank(price[k], tables.request[requests[k], col.SKIP], nearest[k])
    while True:
        chosen, most, cheapest = -1, np.int64(-1), np.int64(0)
        for k in range(len(requests)):
            if where[k] < 0 or _is_served(tables, routes, requests[k]):
                continue
            regret = np.int64(0)
            for place in range(1, degree):
                regret += nearest[k, place] - nearest[k, 0]
            if regret > most or (regret == most and nearest[k, 0] < cheapest):
                chosen, most, cheapest = k, regret, nearest[k, 0]
        if chosen < 0:
            break
        chosen = _cheapest_row(tables, requests, chosen, where, nearest)
        vehicle = where[chosen]
        insert(tables, routes, requests[chosen], vehicle, gap[chosen, vehicle, 0], gap[chosen, vehicle, 1], work)
        work.list[requests[chosen], col.LATELY] = vehicle
        for k in range(len(requests)):
            request, before, limit = requests[k], price[k, vehicle], nearest[k, degree - 1]
            if _is_served(tables, routes, request):
                continue
            reach = col.NEVER if before <= limit else _ample(limit)
            _price(tables, routes, work, request, vehicle, reach, price[k], gap[k])
            if min(before, price[k, vehicle]) <= limit and before != price[k, vehicle]:
                where[k] = _rank_open(tables, routes, work, request, price[k], gap[k], nearest[k])
    for k in range(len(requests)):
        first = requests[k] <= tables.request[requests[k], col.NEXT_ROW]
        if first and not _is_served(tables, routes, requests[k]):
            routes.absent[missing] = requests[k]
            missing += 1
    routes.missing[0] = missing


@lean_kernel
def collect_offers(tables, routes, request, served_by, asked, best, work):
    """Write the cheapest insertions of an absent request into `best` int64[., 2] of (vehicle, price), all NEVER before.

    `asked`: see routing.plans.general.planner.Asked.  Its first `always` are tried; later ones as long as a delivery
    straight after the pickup costs less than the offers there are, which is exact where nothing gets cheaper by being
    later.
    """
    last = len(best) - 1
    own, first = tables.request[request], tables.node[2 * request]
    opens = np.int64(first[col.OPEN]) if first[col.PLACE] >= 0 else np.int64(0)
    for turn in range(len(asked.order)):
        vehicle = asked.order[turn]
        at = max(asked.soonest[vehicle], opens) + asked.direct
        if turn >= asked.always and door_price(own, at) >= best[last, 1]:
            break
        if vehicle == served_by or not may_serve(tables, request, vehicle):
            continue
        price, pick, _ = best_in(tables, routes, request, vehicle, min(best[last, 1], np.int64(col.LOCKED)), work)
        if pick < 0:
            continue
        k = last
        while k > 0 and best[k - 1, 1] > price:
            best[k, 0], best[k, 1] = best[k - 1, 0], best[k - 1, 1]
            k -= 1
        best[k, 0], best[k, 1] = vehicle, price
