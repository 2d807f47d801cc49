"""Ruin and recreate: slack induction by string removals with greedy insertion and blinks.

Christiaens and Vanden Berghe (2020), "Slack induction by string removals for vehicle routing problems",
Transportation Science 54(2): strings (section 3.1), blinks (3.3), fleet reduction by sums of absences (3.5).  Symbols:
c turn.mean_removed, L_max turn.longest, T turn.temperature, beta 1 / BLINKS, sum of absences ABSENCES.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.kernels.random import below, shuffle
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import (
    absent_price,
    cheapest,
    copy_nodes,
    insert,
    ranked_absent,
    route_price,
    save,
    take_over,
)  # fmt: skip
from routing.plans.general.kernels.ruin import (
    eject,
    empty_vehicle,
    merge_trips,
    ruin_related,
    ruin_strings,
    swap_vehicles,
)
from routing.plans.general.whole.kernels.classes import suit_vehicle, widen_vehicle
from routing.plans.general.whole.kernels.plan import (
    cheapest_in_plan,
    put_leaders_first,
    take_out_of_order,
    whole_price,
)

CREDITED = 4
"""One iteration in so many lends a skipped request what skipping its companions costs."""

HALF = -2
"""In place of a request: every other one, by chance, is lent that."""

RANKED_ORDERS = 10
"""Of so many orders more by rank, half weigh it against the time that a request takes."""

MIXED_TURNS = 30
"""In one iteration of so many two unlike vehicles exchange their routes, in one more a route is emptied."""

SUIT_TURN, WIDEN_TURNS = 2, 16
"""Where there are classes of vehicles, one more suits a route's vehicle, and those up to the second widen one."""

WALKED_NODES = 32
"""Nodes that ejections walk in the time in which ruin and recreate tries an insertion, or somewhat less."""


@lean_kernel
def recreate(tables, routes, saved, work, fleet, credited):
    """Insert the absent requests one by one, in a random one of several orders, each at its cheapest place.

    Of a choice one row is absent, and the cheapest of its rows is inserted.
    `credited` (-1: none) goes first and may cost what skipping all of them costs: what pays only together with others
    finds its place before they do, and the price of the whole decides.  With HALF every other one may cost as much.
    """
    count = routes.missing[0]
    for k in range(count):
        work.list[k, col.ORDER] = routes.absent[k]
    _sort_absent(tables, work, count, fleet)
    credit = min(absent_price(tables, routes), np.int64(col.LOCKED - 1))
    if credited >= 0:
        _put_first(work.list[:, col.ORDER], credited)
    put_leaders_first(tables, work, count)
    routes.missing[0] = 0
    for k in range(count):
        request = work.list[k, col.ORDER]
        limit = tables.request[request, col.SKIP]
        if request == credited or (credited == HALF and below(work.luck, 2) == 0):
            limit = max(limit, credit)
        if tables.request[request, col.RANK] > 0:
            limit = np.int64(col.LOCKED - 1)  # whether it pays, the whole plan says
        row, chosen, vehicle, pick, drop = request, request, np.int64(-1), np.int64(-1), np.int64(-1)
        if tables.flag[col.WHOLE] == 1:
            vehicle, pick, drop = cheapest_in_plan(tables, routes, request, limit, work)
            row = np.int64(-1)
        while row >= 0:
            price, v, i, j = cheapest(tables, routes, row, limit, work)
            if v >= 0:
                limit, chosen, vehicle, pick, drop = price, row, v, i, j
            row = tables.request[row, col.NEXT_ROW]
            if row == request:
                break
        if vehicle < 0:
            routes.absent[routes.missing[0]] = request
            routes.missing[0] += 1
        else:
            work.list[chosen, col.LATELY] = vehicle
            save(routes, saved, vehicle, work)
            insert(tables, routes, chosen, vehicle, pick, drop, work)


@inner_kernel
def _put_first(order, request):
    """Move `request` to the front of `order`, the rest one back."""
    k = 0
    while order[k] != request:
        k += 1
    for j in range(k, 0, -1):
        order[j] = order[j - 1]
    order[0] = request


@inner_kernel
def _sort_absent(tables, work, count, fleet):
    """Order of insertion: random, heavy, far, close, narrow, early or late first (weights of section 3.3).

    With `fleet` often those first that have been hardest to place; where leaving out is ranked, the highest ranks,
    or those with most of it for their time.
    """
    order = work.list[:, col.ORDER]
    shuffle(work.luck, order, count)
    ranked = tables.flag[col.RANKED] == 1 and not fleet
    draw = below(work.luck, 17 + (8 if fleet else RANKED_ORDERS if ranked else 0))
    if draw < 4:
        return
    for k in range(count):
        request = order[k]
        first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
        last = 2 * request + 1 if tables.node[2 * request + 1, col.PLACE] >= 0 else first
        opens, closes = np.int64(tables.node[first, col.OPEN]), np.int64(tables.node[last, col.CLOSE])
        if draw >= 17 and ranked:
            key = -tables.request[request, col.RANK]
            if draw < 17 + RANKED_ORDERS // 2:
                spent = _own_ticks(tables, first) + (_own_ticks(tables, last) if last != first else 0)
                key = (key << 20) // (1 + spent)
        elif draw >= 17:
            key = -work.list[request, col.ABSENCES]
        elif draw < 8:
            key = -tables.request[request, col.LOAD]
        elif draw < 11:
            key = np.int64(tables.back[0, 0, tables.node[first, col.PLACE], tables.vehicle[0, col.START_PLACE]])
            key = -key if draw < 10 else key
        elif draw < 13:
            key = closes - opens
        elif draw < 15:
            key = opens
        else:
            key = -min(closes, tables.request[request, col.FIRST_DUE])
        work.list[k, col.KEY] = key
    for k in range(1, count):
        request, key = order[k], work.list[k, col.KEY]
        j = k - 1
        while j >= 0 and work.list[j, col.KEY] > key:
            order[j + 1], work.list[j + 1, col.KEY] = order[j], work.list[j, col.KEY]
            j -= 1
        order[j + 1], work.list[j + 1, col.KEY] = request, key


@inner_kernel
def _own_ticks(tables, node):
    """Ticks that a node takes of a route at least: its stay, and the way to the nearest other one."""
    ticks = np.int64(tables.node[node, col.STAY])
    if tables.near.shape[1] > 1 and tables.near[node, 1] >= 0:
        ticks += tables.legs[0, 0, tables.node[node, col.PLACE], tables.node[tables.near[node, 1], col.PLACE]]
    return ticks


@inner_kernel
def _restore(tables, routes, saved, work):
    """Undo an iteration."""
    if tables.flag[col.CHOICES] > 0:  # a row of a choice that was nowhere before belongs to no route again
        for k in range(work.clock[col.TOUCHED]):
            vehicle = work.mark[k, col.TOUCHED_LIST]
            for position in range(1, routes.size[vehicle] + 1):
                routes.vehicle[tables.node[routes.row[vehicle, col.NODE, position], col.REQUEST]] = -1
    for k in range(work.clock[col.TOUCHED]):
        take_over(tables, saved, routes, work.mark[k, col.TOUCHED_LIST])
    routes.missing[0] = work.clock[col.OLD_ABSENT]
    for k in range(routes.missing[0]):
        routes.absent[k] = work.list[k, col.OLD]
        routes.vehicle[routes.absent[k]] = -1


@inner_kernel
def _touched_price(tables, routes, work):
    """Price of the touched routes and of their orders' moves."""
    price = np.int64(0)
    for k in range(work.clock[col.TOUCHED]):
        price += route_price(tables, routes, work.mark[k, col.TOUCHED_LIST])
    return price


@inner_kernel
def keep_best(routes, best, work):
    """Copy every route that changed since the best plan was last kept."""
    for vehicle in range(len(routes.size)):
        if work.mark[vehicle, col.CHANGED_AT] >= work.clock[col.UNKEPT]:
            copy_nodes(routes, best, vehicle)
    best.missing[0] = routes.missing[0]
    for k in range(routes.missing[0]):
        best.absent[k] = routes.absent[k]
    work.clock[col.UNKEPT] = work.clock[col.ITERATION] + 1


@inner_kernel
def _absences(routes, work):
    """Sum of the absence counters of what is absent."""
    total = np.int64(0)
    for k in range(routes.missing[0]):
        total += work.list[routes.absent[k], col.ABSENCES]
    return total


@inner_kernel
def _lent_to(tables, routes, work, missing, fleet):
    """Who is `credited` when the plan is put together again: one that was absent before (`missing` of them), or none.

    Where leaving out has a price of its own, also one that has just been taken out, or HALF.
    """
    if tables.flag[col.OPTIONAL] == 1 and not fleet and routes.missing[0] > 0:
        draw = below(work.luck, 2 * CREDITED)
        if draw == 0:
            return np.int64(HALF)
        return np.int64(routes.absent[below(work.luck, routes.missing[0])]) if draw == 1 else np.int64(-1)
    if not fleet and missing > 0 and below(work.luck, CREDITED) == 0:
        return np.int64(work.list[below(work.luck, missing), col.OLD])
    return np.int64(-1)


@lean_kernel
def search_slice(tables, routes, saved, best, work, turn):
    """Ruin and recreate until `turn.until` insertions have been tried; True once `turn.fleet` has served everything.

    `work.cost[0]` is the price of `routes`; `work.cost[1]` that of `best` without what is ranked and left out, and
    `work.cost[2]` the sum of those ranks, which decides first.  With `turn.fleet` the number of absent requests and
    their absence counts decide before the price (section 3.5), and an absent one takes the place of others after
    `turn.eject_every` insertions; without it skipped requests are only priced.
    """
    fleet = turn.fleet
    while work.counter[col.INSERTIONS] < turn.until:
        if fleet and work.counter[col.INSERTIONS] >= work.clock[col.EJECT_AT]:
            work.clock[col.WALKED] = 0
            eject(tables, routes, saved, work)
            # Long routes have many pairs and are walked node by node: more insertions follow there.
            pause = max(turn.eject_every, work.clock[col.WALKED] // WALKED_NODES)
            work.clock[col.EJECT_AT] = work.counter[col.INSERTIONS] + pause
        work.clock[col.ITERATION] += 1
        work.clock[col.TOUCHED] = 0
        work.clock[col.OLD_ABSENT] = routes.missing[0]
        for k in range(routes.missing[0]):
            work.list[k, col.OLD] = routes.absent[k]
        old, missing, absences = absent_price(tables, routes), routes.missing[0], _absences(routes, work)
        old += whole_price(tables, routes)
        scarce = tables.flag[col.RANKED] == 1 and missing > 0 and not fleet
        wide = scarce or tables.flag[col.MIXED] + tables.flag[col.OPTIONAL] + tables.flag[col.WHOLE] > 0
        lot = below(work.luck, MIXED_TURNS) if wide else np.int64(MIXED_TURNS)
        if lot == 0:
            swap_vehicles(tables, routes, saved, work)
        elif lot == 1:
            empty_vehicle(tables, routes, saved, work)
        elif lot <= WIDEN_TURNS and tables.flag[col.CLASSES] == 1:
            if lot == SUIT_TURN:
                suit_vehicle(tables, routes, saved, work)
            else:
                widen_vehicle(tables, routes, saved, work)
        elif below(work.luck, 10) == 0:
            ruin_related(tables, routes, saved, work, turn)
        else:
            ruin_strings(tables, routes, saved, work, turn)
        if tables.flag[col.RELOADS] == 1:
            for k in range(work.clock[col.TOUCHED]):
                merge_trips(tables, routes, work.mark[k, col.TOUCHED_LIST], work)
        take_out_of_order(tables, routes, saved, work)
        recreate(tables, routes, saved, work, fleet, _lent_to(tables, routes, work, missing, fleet))
        take_out_of_order(tables, routes, saved, work)
        work.counter[col.ITERATIONS] += 1
        work.counter[col.INSERTIONS] += 1  # a round trip is work even where nothing could be tried
        old += _touched_price(tables, saved, work)
        new = absent_price(tables, routes) + _touched_price(tables, routes, work) + whole_price(tables, routes)
        # Simulated annealing at temperature T: accepted where new < old - T ln U(0, 1); chill holds -ln U.
        accept = new < old + ((turn.temperature * work.chill[below(work.luck, len(work.chill))]) >> 16)
        if fleet:
            accept = _absences(routes, work) < absences or (routes.missing[0] <= missing and accept)
            for k in range(routes.missing[0]):
                work.list[routes.absent[k], col.ABSENCES] += 1
        if not accept:
            _restore(tables, routes, saved, work)
            continue
        work.counter[col.ACCEPTED] += 1
        work.cost[0] += new - old
        for k in range(work.clock[col.TOUCHED]):
            work.mark[work.mark[k, col.TOUCHED_LIST], col.CHANGED_AT] = work.clock[col.ITERATION]
        rank, lent = ranked_absent(tables, routes) if tables.flag[col.RANKED] == 1 else (np.int64(0), np.int64(0))
        money = work.cost[0] - lent
        if rank < work.cost[2] or (rank == work.cost[2] and money < work.cost[1]):
            work.counter[col.IMPROVED] += 1
            keep_best(routes, best, work)
            work.cost[1], work.cost[2] = money, rank
        if fleet and routes.missing[0] == 0:
            return True
    return False
