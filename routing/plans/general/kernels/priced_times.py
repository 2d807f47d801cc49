"""Insertion where time moves prices: routes are walked stop by stop, pruned by the least price of what follows."""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inline_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.stops import (
    copy_state,
    door_price,
    go_home,
    run_stop,
    start_state,
    stop_end,
    told_changes,
)  # fmt: skip


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
def finish_walk(tables, routes, vehicle, nodes, count, begin, grown, state, limit, scratch):
    """Walk nodes[begin..count] from `state` to the end; its whole price, LOCKED where illegal or not below `limit`.

    `grown`: nodes of the candidate that the current route has not, all before the end of `begin`'s stop.
    """
    old_state, old_nodes = routes.state[vehicle], routes.row[vehicle, col.NODE]
    whole = tables.flag[col.LIMITED_ON_BOARD] + tables.flag[col.ONE_STORE] > 0
    while begin <= count:
        finish = stop_end(tables, nodes, begin, count)
        if not run_stop(tables, nodes, begin, finish, vehicle, state, scratch):
            return np.int64(col.LOCKED)
        if state[col.PRICE] >= limit:
            return np.int64(col.LOCKED)
        old = finish - 1 - grown
        same = old > 0 and tables.node[nodes[begin], col.PLACE] == tables.node[old_nodes[old], col.PLACE]
        if same and tables.flag[col.LATE_IS_FREE] == 0:
            # From the same place, what follows costs no less than it does now: nothing gets cheaper by being later.
            if state[col.PRICE] + old_state[old, col.SUFFIX] >= limit:
                return np.int64(col.LOCKED)
            same = not whole and state[col.NOW] == old_state[old, col.NOW]
            if (
                same
                and state[col.TRIPS] == old_state[old, col.TRIPS]
                and state[col.IN_TRIP] == old_state[old, col.IN_TRIP]
            ):
                return state[col.PRICE] + old_state[old, col.SUFFIX]
        begin = finish
    if not go_home(tables, nodes, count, vehicle, state):
        return np.int64(col.LOCKED)
    return state[col.PRICE]


@fused_kernel
def _before_pick(tables, routes, vehicle, candidate, n, i, whole, loaded, place, state, scratch):
    """State before the stop that a node at gap `i` joins or opens, and the position before it; -1 where illegal."""
    nodes = routes.row[vehicle, col.NODE]
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
        if not run_stop(tables, candidate, begin, finish, vehicle, state, scratch):
            return -1
        begin = finish
    return before


@inline_kernel
def _price_of_way(tables, own, here, there):
    """Price of driving from `here` to `there`, but for the work that some of it may be free of."""
    price = np.int64(0)
    if here != there:
        price = own[col.PER_TICK] * tables.legs[0, own[col.PROFILE], here, there]
        if tables.legs.shape[0] > 1:
            price += own[col.PER_METRE] * tables.legs[1, own[col.PROFILE], here, there]
    return price


@inline_kernel
def _to(tables, own, here, there):
    """As `_price_of_way`, along the row of what is gone to."""
    price = np.int64(0)
    if here != there:
        price = own[col.PER_TICK] * tables.back[0, own[col.PROFILE], there, here]
        if tables.legs.shape[0] > 1:
            price += own[col.PER_METRE] * tables.back[1, own[col.PROFILE], there, here]
    return price


@fused_kernel
def best_timed(tables, routes, request, vehicle, limit, candidate, states, scratch, lines):
    """Cheapest legal insertion as in `best_plain`, for routes whose timing moves prices.

    Gaps are walked only where the least they can cost stays below the limit: the way there and back and the price of
    the door at the earliest, and what the delay costs behind, for nothing gets cheaper by being later (but where late
    work is free of charge).
    `candidate` int32[L + 4], `states` int64[3, .], `scratch` (Work.list) and `lines` int64[3, L + 4] are overwritten.
    """
    n = np.int64(routes.size[vehicle])
    order, own = tables.request[request], tables.vehicle[vehicle]
    kind = order[col.KIND]
    pair, loaded = kind == col.PAIR, kind == col.LOADED
    first = 2 * request if tables.node[2 * request, col.PLACE] >= 0 else 2 * request + 1
    last = first + 1 if pair else first
    added = 2 if pair else 1
    nodes, at_place, old_state = routes.row[vehicle, col.NODE], routes.row[vehicle, col.AT_PLACE], routes.state[vehicle]
    opening = own[col.FIXED] if n == 0 else np.int64(0)
    priced = own[col.TOLD_PRICED] != 0
    changes = told_changes(tables, nodes, n, vehicle) if priced else np.int64(0)
    walked = routes.price[vehicle] - changes - (own[col.FIXED] if n > 0 else 0)
    best, best_pick, best_drop = limit, np.int64(-1), np.int64(-1)
    if n == 0 and not start_state(tables, nodes, n, vehicle, states[0]):
        return best, best_pick, best_drop  # too much on board to set off at all
    whole = tables.flag[col.LIMITED_ON_BOARD] > 0 or loaded
    place, drop_place = np.int64(tables.node[first, col.PLACE]), np.int64(tables.node[last, col.PLACE])
    open_pick, enter = np.int64(tables.node[first, col.OPEN]), np.int64(tables.node[first, col.ENTER])
    stay_pick, enter_drop = np.int64(tables.node[first, col.STAY]), np.int64(tables.node[last, col.ENTER])
    stay_drop, leg = np.int64(tables.node[last, col.STAY]), routes.row[vehicle, col.LEG]
    screened, per_tick = tables.flag[col.LATE_IS_FREE] == 0, own[col.PER_TICK]
    removed, least, gained = lines[0], lines[1], lines[2]
    across, between = np.int64(0), np.int64(0)
    if pair and place != drop_place:
        across = _price_of_way(tables, own, place, drop_place)
        between = np.int64(tables.legs[0, own[col.PROFILE], place, drop_place])
    if screened:
        # gained: ticks that a detour by the drop saves, where ways are shorter with a stop between than without.
        least[n + 1], gained[n + 1] = col.LOCKED, 0
        for k in range(n, -1, -1):
            here, after = np.int64(at_place[k]), np.int64(at_place[k + 1])
            removed[k] = np.int64(0)
            if n > 0:
                removed[k] = per_tick * leg[k + 1]
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
    for i in range(n + 1):
        if i > 0 and i < n and at_place[i] == at_place[i + 1]:
            continue
        # In front of a stop at the same place a pickup would be of that stop, unless its drop comes before it.
        apart = pair and i < n and at_place[i + 1] == place
        if apart and place == drop_place:
            continue
        if old_state[i, col.NOW] > tables.node[first, col.CLOSE] and (i == 0 or at_place[i] != place):
            break  # joining a stop is acting at its instant, which its vehicle has left behind
        ceiling = best - opening + walked + changes
        if screened and (i > 0 or own[col.STANDING_AT] != place):
            here, after = np.int64(at_place[i]), np.int64(at_place[i + 1])
            reach = _to(tables, own, here, place) - removed[i]
            floor = reach + _price_of_way(tables, own, place, after)
            at, known = open_pick, n > 0 and here != place and after != place and after != drop_place
            before_after = old_state[i, col.NOW] + leg[i + 1] if n > 0 else np.int64(0)
            if here != place:
                at = max(at, old_state[i, col.NOW] + tables.back[0, own[col.PROFILE], place, here] + enter)
            if known:
                on = at + stay_pick + tables.legs[0, own[col.PROFILE], place, after] - before_after - gained[i + 1]
                floor += _delayed(old_state[i], on)
            if pair:
                if place != drop_place:
                    at += stay_pick + between + enter_drop
                joined = reach + across + _price_of_way(tables, own, drop_place, after) + door_price(order, at)
                if known and place != drop_place:
                    on = at + stay_drop + tables.legs[0, own[col.PROFILE], drop_place, after] - before_after
                    joined += _delayed(old_state[i], on)
                floor = min(floor + least[i + 1], joined)
            elif kind == col.ABOARD or loaded:
                floor += door_price(order, at)
            if walked + floor >= ceiling:
                continue
        for k in range(1, i + 1):
            candidate[k] = nodes[k]
        candidate[i + 1] = first
        for k in range(i + 1, n + 1):
            candidate[k + added] = nodes[k]
        before = _before_pick(tables, routes, vehicle, candidate, n, i, whole, loaded, place, states[0], scratch)
        if before < 0:
            continue
        if not pair:
            price = finish_walk(tables, routes, vehicle, candidate, n + 1, before + 1, 1, states[0], ceiling, scratch)
            moved = told_changes(tables, candidate, n + 1, vehicle) if priced and price < col.LOCKED else changes
            if price < col.LOCKED and moved < col.LOCKED:
                total = price - walked + opening + moved - changes
                if total < best:
                    best, best_pick, best_drop = total, i, i
            continue
        # states[0]: before the last stop that is walked for sure; states[1]: behind it, at position `behind`.
        behind, j = i + 1, i
        copy_state(states[0], states[1])
        alive = run_stop(tables, candidate, before + 1, behind + 1, vehicle, states[1], scratch)
        while alive and states[1, col.PRICE] < ceiling:
            candidate[j + 2] = first + 1
            joins = tables.node[candidate[j + 1], col.PLACE] == drop_place
            promising = True
            if screened:
                here, after = place if j == i else np.int64(at_place[j]), np.int64(at_place[j + 1])
                rest = states[1, col.PRICE] + (old_state[j, col.SUFFIX] - removed[j] if n > 0 else 0)
                if j > i:
                    late = states[1, col.NOW] - old_state[j, col.NOW] - gained[j]
                    if rest + removed[j] + least[j] + _delayed(old_state[j], late) >= ceiling:
                        break
                if not joins:
                    at = states[1, col.NOW] + tables.legs[0, own[col.PROFILE], here, drop_place] + enter_drop
                    rest += _price_of_way(tables, own, here, drop_place)
                    rest += _price_of_way(tables, own, drop_place, after)
                    if n > 0 and after != drop_place:
                        on = at + stay_drop + tables.legs[0, own[col.PROFILE], drop_place, after]
                        rest += _delayed(old_state[j], on - old_state[j, col.NOW] - leg[j + 1])
                    promising = rest + door_price(order, at) < ceiling
            if promising:
                copy_state(states[0] if joins else states[1], states[2])
                begin = (before if joins else behind) + 1
                price = finish_walk(tables, routes, vehicle, candidate, n + 2, begin, 2, states[2], ceiling, scratch)
                moved = told_changes(tables, candidate, n + 2, vehicle) if priced and price < col.LOCKED else changes
                if price < col.LOCKED and moved < col.LOCKED:
                    total = price - walked + opening + moved - changes
                    if total < best:
                        best, best_pick, best_drop = total, i, j
                        ceiling = best - opening + walked + changes
            if apart or j >= n:
                break
            finish = stop_end(tables, nodes, j + 1, n)
            for k in range(j + 1, finish):
                candidate[k + 1] = nodes[k]
            j, before = finish - 1, behind
            behind = j + 1
            copy_state(states[1], states[0])
            alive = run_stop(tables, candidate, before + 1, behind + 1, vehicle, states[1], scratch)
            in_time = states[1, col.NOW] <= tables.node[first + 1, col.CLOSE]
            alive = alive and (in_time or tables.node[candidate[j + 1], col.PLACE] == drop_place)
    return best, best_pick, best_drop
