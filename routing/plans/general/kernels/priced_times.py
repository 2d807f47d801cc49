"""Insertion where time moves prices: routes are walked stop by stop, pruned by the least price of what follows.

    position      0        1   ...   i       i + 1   ...   j       j + 1   ...   n      n + 1
                start ---- o ------- o --+---- o --------- o --+---- o --------- o ------ end
    gap                0             i   pick              j   drop
                       states[0]: before the last stop that is walked for sure
                       states[1]: behind it     states[2]: a trial, walked from there to the end or to `same`

Of each gap first a floor: the way there and back, the door at the earliest, and what the delay costs behind (RATE).
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inline_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.rich import leg_price
from routing.plans.general.kernels.stops import (
    copy_state,
    door_price,
    finish_walk,
    go_home,
    run_stop,
    start_state,
    stop_end,
    told_changes,
)  # fmt: skip
from routing.plans.general.whole.kernels.order import gaps_of


@inline_kernel
def _ticks(tables, own, here, there):
    """Ticks from `here` to `there`."""
    return tables.legs[0, own[col.PROFILE], here, there] if here != there else np.int32(0)


@fused_kernel
def _least_slope(order, at):
    """The least that handing a request over each tick later than `at` costs."""
    first = max(order[col.FIRST_DUE], order[col.PLACED])
    if at < order[col.PLACED]:
        return np.int64(0)
    if at >= max(order[col.SECOND_DUE], first):
        return order[col.SLOPE + 2]
    least = min(order[col.SLOPE + 1], order[col.SLOPE + 2])
    return least if at >= first else min(order[col.SLOPE], least)


@inner_kernel
def _rate_delays(tables, nodes, n, own, leg, state):
    """Write RATE: the least that each tick costs by which the vehicle leaves later, up to its next wait."""
    finish = n + 1
    state[n, col.RATE] = 0
    while finish > 1:
        begin = finish - 1
        place, service, slopes, acting = tables.node[nodes[begin], col.PLACE], np.int64(0), np.int64(0), False
        while begin > 1 and tables.node[nodes[begin - 1], col.PLACE] == place:
            begin -= 1
        for k in range(begin, finish):
            if tables.request[tables.node[nodes[k], col.REQUEST], col.KIND] != col.GHOST:
                service += tables.node[nodes[k], col.ACT]
                acting = True
        left, arrive = state[finish - 1, col.NOW], state[begin - 1, col.NOW] + leg[begin]
        if acting:
            left, arrive = left - tables.stop[place, 1], arrive + tables.stop[place, 0]
        at = left - service
        for k in range(begin, finish):
            if nodes[k] & 1 == 1:
                slopes += _least_slope(tables.request[tables.node[nodes[k], col.REQUEST]], at)
        passed = at == arrive and not (begin == 1 and place == own[col.STANDING_AT])
        rate = state[finish - 1, col.RATE] + slopes if passed else np.int64(0)
        for k in range(begin, finish - 1):
            state[k, col.RATE] = 0
        state[begin - 1, col.RATE] = min(rate, col.STEEPEST)
        finish = begin


@inline_kernel
def _delayed(state, ticks):
    """The least that leaving `ticks` later than in a row of Routes.state costs behind it."""
    return state[col.RATE] * min(max(np.int64(0), ticks), np.int64(col.LONG_DELAY))


@inner_kernel
def refresh_timed(tables, routes, vehicle, scratch):
    """Recompute the states and the price of one route; False where it is illegal."""
    n = routes.size[vehicle]
    nodes, state, own = routes.row[vehicle, col.NODE], routes.state[vehicle], tables.vehicle[vehicle]
    at_place = routes.row[vehicle, col.AT_PLACE]
    at_place[0], at_place[n + 1] = own[col.START_PLACE], own[col.END_PLACE]
    for k in range(1, n + 1):
        routes.at[nodes[k]] = k
        at_place[k] = tables.node[nodes[k], col.PLACE]
    legal = start_state(tables, nodes, n, vehicle, state[0])
    changes = told_changes(tables, nodes, n, vehicle) if own[col.TOLD_PRICED] else np.int64(0)
    routes.price[vehicle] = changes
    if n == 0:
        return changes < col.LOCKED
    begin, leg = np.int64(1), routes.row[vehicle, col.LEG]
    while begin <= n:
        finish = stop_end(tables, nodes, begin, n)
        for k in range(begin, finish):
            leg[k] = 0
        leg[begin] = _ticks(tables, own, at_place[begin - 1], at_place[begin])
        copy_state(state[begin - 1], state[finish - 1])
        legal = run_stop(tables, nodes, begin, finish, vehicle, state[finish - 1], scratch) and legal
        begin = finish
    leg[n + 1] = _ticks(tables, own, at_place[n], at_place[n + 1])
    copy_state(state[n], state[n + 1])
    legal = go_home(tables, nodes, n, vehicle, state[n + 1]) and legal
    total = state[n + 1, col.PRICE]
    for k in range(n + 2):
        state[k, col.SUFFIX] = total - state[k, col.PRICE]
    _rate_delays(tables, nodes, n, own, leg, state)
    routes.price[vehicle] = total + own[col.FIXED] + changes
    return legal and changes < col.LOCKED


@fused_kernel
def _before_pick(tables, routes, vehicle, i, whole, loaded, place, work):
    """states[0] before the stop that a node at gap `i` joins or opens, and the position before it; -1 where illegal."""
    n, nodes = np.int64(routes.size[vehicle]), routes.row[vehicle, col.NODE]
    candidate, state = work.nodes, work.states[0]
    before = i
    while before > 0 and tables.node[nodes[before], col.PLACE] == place:
        before -= 1
    if not whole:
        copy_state(routes.state[vehicle, before], state)
        return before
    copy_state(routes.state[vehicle, 0], state)
    if loaded and not start_state(tables, candidate, n + 1, vehicle, state):
        return -1
    begin = np.int64(1)
    while begin <= before:
        finish = stop_end(tables, nodes, begin, before)
        if not run_stop(tables, candidate, begin, finish, vehicle, state, work.list):
            return -1
        begin = finish
    return before


@inline_kernel
def _price_of_way(tables, own, here, there):
    """Price of driving from `here` to `there`, but for the work that some of it may be free of."""
    return leg_price(tables.legs[:, own[col.PROFILE]], own, here, there)


@inline_kernel
def _to(tables, own, here, there):
    """As `_price_of_way`, along the row of what is gone to."""
    return leg_price(tables.back[:, own[col.PROFILE]], own, there, here)


@fused_kernel
def _screen_drops(tables, routes, request, vehicle, lines):
    """Write for every gap the price of the leg there, and from it on the least that a drop adds and the most it saves.

    lines[0], lines[1], lines[2]: `removed`, `least`, `gained`.  A detour by the drop can be shorter than the leg.
    """
    n, order, own = np.int64(routes.size[vehicle]), tables.request[request], tables.vehicle[vehicle]
    at_place, leg, old_state = routes.row[vehicle, col.AT_PLACE], routes.row[vehicle, col.LEG], routes.state[vehicle]
    pair, node = order[col.KIND] == col.PAIR, tables.node[2 * request + 1]
    drop_place, enter_drop, stay_drop = np.int64(node[col.PLACE]), np.int64(node[col.ENTER]), np.int64(node[col.STAY])
    removed, least, gained = lines[0], lines[1], lines[2]
    least[n + 1], gained[n + 1] = col.LOCKED, 0
    for k in range(n, -1, -1):
        here, after = np.int64(at_place[k]), np.int64(at_place[k + 1])
        removed[k] = np.int64(0)
        if n > 0:
            removed[k] = own[col.PER_TICK] * leg[k + 1]
            if tables.legs.shape[0] > 1 and here != after:
                removed[k] += own[col.PER_METRE] * tables.legs[1, own[col.PROFILE], here, after]
        least[k], gained[k] = least[k + 1], gained[k + 1]
        if pair and (here != after or k == 0 or k == n):
            extra = _to(tables, own, here, drop_place) + _price_of_way(tables, own, drop_place, after) - removed[k]
            if here != drop_place:
                there = np.int64(tables.back[0, own[col.PROFILE], drop_place, here])
                extra += door_price(order, old_state[k, col.NOW] + there + enter_drop)
                if after != drop_place and n > 0:
                    there += enter_drop + stay_drop + tables.legs[0, own[col.PROFILE], drop_place, after]
                    gained[k] = max(gained[k], leg[k + 1] - there)
            least[k] = min(least[k], extra)


@fused_kernel
def _pick_floor(tables, routes, request, vehicle, first, i, lines):
    """The least that an insertion with its pickup in gap i adds; -LOCKED where it may make what follows sooner."""
    n, order, own = np.int64(routes.size[vehicle]), tables.request[request], tables.vehicle[vehicle]
    at_place, old = routes.row[vehicle, col.AT_PLACE], routes.state[vehicle, i]
    kind, pick, last = order[col.KIND], tables.node[first], first + 1 if order[col.KIND] == col.PAIR else first
    place, drop, drop_place = np.int64(pick[col.PLACE]), tables.node[last], np.int64(tables.node[last, col.PLACE])
    here, after = np.int64(at_place[i]), np.int64(at_place[i + 1])
    reach = _to(tables, own, here, place) - lines[0, i]
    floor = reach + _price_of_way(tables, own, place, after)
    at, known = np.int64(pick[col.OPEN]), n > 0 and here != place and after != place
    before_after = old[col.NOW] + routes.row[vehicle, col.LEG, i + 1] if n > 0 else np.int64(0)
    if here != place:
        at = max(at, old[col.NOW] + tables.back[0, own[col.PROFILE], place, here] + np.int64(pick[col.ENTER]))
    if n > 0 and not known and lines[2, i if here == place else i + 1] > 0:
        return np.int64(-col.LOCKED)
    if known:
        on = at + pick[col.STAY] + tables.legs[0, own[col.PROFILE], place, after] - before_after - lines[2, i + 1]
        if on < 0:
            return np.int64(-col.LOCKED)
        floor += _delayed(old, on) if after != drop_place else np.int64(0)
    if kind == col.PAIR:
        joined = reach + _price_of_way(tables, own, drop_place, after)
        if place != drop_place:
            joined += _price_of_way(tables, own, place, drop_place)
            at += pick[col.STAY] + np.int64(tables.legs[0, own[col.PROFILE], place, drop_place]) + drop[col.ENTER]
        joined += door_price(order, at)
        if known and place != drop_place and after != drop_place:
            on = at + drop[col.STAY] + tables.legs[0, own[col.PROFILE], drop_place, after] - before_after
            if on < 0:
                return np.int64(-col.LOCKED)
            joined += _delayed(old, on)
        floor = min(floor + lines[1, i + 1], joined)
    elif kind == col.ABOARD or kind == col.LOADED:
        floor += door_price(order, at)
    return floor


@fused_kernel
def _drop_floor(tables, routes, request, vehicle, i, j, joins, work):
    """(floor, onward): the least that the whole route costs with the drop in gap j, and with it there or behind.

    states[1] is the vehicle in front of gap j, the pickup in gap i.  `joins`: the drop is done at that stop, of which
    no floor is known; nor is one where what follows may be sooner.
    """
    n, order, own = np.int64(routes.size[vehicle]), tables.request[request], tables.vehicle[vehicle]
    at_place, old = routes.row[vehicle, col.AT_PLACE], routes.state[vehicle, j]
    state, lines = work.states[1], work.lines
    drop = tables.node[2 * request + 1]
    place, after = np.int64(drop[col.PLACE]), np.int64(at_place[j + 1])
    here = np.int64(tables.node[2 * request, col.PLACE]) if j == i else np.int64(at_place[j])
    rest = state[col.PRICE] + (old[col.SUFFIX] - lines[0, j] if n > 0 else 0)
    onward, floor = np.int64(-col.LOCKED), np.int64(-col.LOCKED)
    late = state[col.NOW] - old[col.NOW] - lines[2, j] if n > 0 else np.int64(0)
    if j > i and late >= 0:
        onward = rest + lines[0, j] + lines[1, j] + _delayed(old, late)
    if not joins:
        at = state[col.NOW] + tables.legs[0, own[col.PROFILE], here, place] + drop[col.ENTER]
        rest += _price_of_way(tables, own, here, place) + _price_of_way(tables, own, place, after)
        late = at - drop[col.ENTER] - old[col.NOW] - routes.row[vehicle, col.LEG, j + 1] if n > 0 else np.int64(0)
        if n > 0 and after != place:
            late += drop[col.ENTER] + drop[col.STAY] + tables.legs[0, own[col.PROFILE], place, after]
            rest += _delayed(old, late)
        if late >= 0:
            floor = rest + door_price(order, at)
    return floor, onward


@fused_kernel
def _total(tables, vehicle, count, price, changes, work):
    """What a candidate of `count` nodes walked at `price` costs with its changes of the plan before; NEVER: illegal.

    `changes`: those of the route as it is.
    """
    if price >= col.LOCKED:
        return np.int64(col.NEVER)
    moved = changes
    if tables.vehicle[vehicle, col.TOLD_PRICED] != 0:
        moved = told_changes(tables, work.nodes, count, vehicle)
    return price + moved - changes if moved < col.LOCKED else np.int64(col.NEVER)


@fused_kernel
def best_timed(tables, routes, request, vehicle, limit, work):
    """Cheapest legal insertion as in `best_plain`, for routes whose timing moves prices.

    Gaps are walked where their floor is below the limit.  Of `work` nodes, states, list and lines[:3] are overwritten.
    """
    n, order, own = np.int64(routes.size[vehicle]), tables.request[request], tables.vehicle[vehicle]
    candidate, states = work.nodes, work.states
    pair, loaded = order[col.KIND] == col.PAIR, order[col.KIND] == col.LOADED
    first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    added, screened = 2 if pair else 1, tables.flag[col.LATE_IS_FREE] == 0
    nodes, at_place = routes.row[vehicle, col.NODE], routes.row[vehicle, col.AT_PLACE]
    opening = own[col.FIXED] if n == 0 else np.int64(0)
    changes = told_changes(tables, nodes, n, vehicle) if own[col.TOLD_PRICED] != 0 else np.int64(0)
    walked = routes.price[vehicle] - changes - (own[col.FIXED] if n > 0 else 0)
    best, best_pick, best_drop = limit, np.int64(-1), np.int64(-1)
    if n == 0 and not start_state(tables, nodes, n, vehicle, states[0]):
        return best, best_pick, best_drop  # too much on board to set off at all
    whole = tables.flag[col.LIMITED_ON_BOARD] > 0 or loaded
    place, drop_place = np.int64(tables.node[first, col.PLACE]), np.int64(tables.node[first + added - 1, col.PLACE])
    if screened:
        _screen_drops(tables, routes, request, vehicle, work.lines)
    low, final = gaps_of(tables, routes, request, vehicle)
    for i in range(low, final + 1):
        if i > 0 and i < n and at_place[i] == at_place[i + 1]:
            continue
        # A pickup directly before a stop at the same place merges with it unless the drop comes first.
        apart = pair and i < n and at_place[i + 1] == place
        if apart and place == drop_place:
            continue
        if routes.state[vehicle, i, col.NOW] > tables.node[first, col.CLOSE] and (i == 0 or at_place[i] != place):
            break  # too late to join: the vehicle has already left that stop
        ceiling = best - opening + walked + changes
        known = screened and (i > 0 or own[col.STANDING_AT] != place)
        if known and walked + _pick_floor(tables, routes, request, vehicle, first, i, work.lines) >= ceiling:
            continue
        for k in range(1, i + 1):
            candidate[k] = nodes[k]
        candidate[i + 1] = first
        for k in range(i + 1, n + 1):
            candidate[k + added] = nodes[k]
        before = _before_pick(tables, routes, vehicle, i, whole, loaded, place, work)
        if before < 0:
            continue
        if not pair:
            price = finish_walk(tables, routes, vehicle, n + 1, before + 1, 1, states[0], ceiling, work)
            total = _total(tables, vehicle, n + 1, price, changes, work)
            if total < col.NEVER and total - walked + opening < best:
                best, best_pick, best_drop = total - walked + opening, i, i
            continue
        behind, j = i + 1, i
        copy_state(states[0], states[1])
        alive = run_stop(tables, candidate, before + 1, behind + 1, vehicle, states[1], work.list)
        while alive and states[1, col.PRICE] < ceiling:
            candidate[j + 2] = first + 1
            joins, promising = tables.node[candidate[j + 1], col.PLACE] == drop_place, True
            if screened:
                floor, onward = _drop_floor(tables, routes, request, vehicle, i, j, joins, work)
                if onward >= ceiling:
                    break
                promising = floor < ceiling
            if promising:
                copy_state(states[0] if joins else states[1], states[2])
                begin = (before if joins else behind) + 1
                price = finish_walk(tables, routes, vehicle, n + 2, begin, 2, states[2], ceiling, work)
                total = _total(tables, vehicle, n + 2, price, changes, work)
                if total < col.NEVER and total - walked + opening < best:
                    best, best_pick, best_drop = total - walked + opening, i, j
                    ceiling = best - opening + walked + changes
            if apart or j >= final:
                break
            finish = stop_end(tables, nodes, j + 1, n)
            for k in range(j + 1, finish):
                candidate[k + 1] = nodes[k]
            j, before = finish - 1, behind
            behind = j + 1
            copy_state(states[1], states[0])
            alive = run_stop(tables, candidate, before + 1, behind + 1, vehicle, states[1], work.list)
            in_time = states[1, col.NOW] <= tables.node[first + 1, col.CLOSE]
            alive = alive and j <= final and (in_time or tables.node[candidate[j + 1], col.PLACE] == drop_place)
    return best, best_pick, best_drop
