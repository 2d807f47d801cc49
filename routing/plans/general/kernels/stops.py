"""A timed vehicle on its way: its state run from stop to stop, and the price of leaving the plan before.

Neighbouring nodes at one place form one stop and share its enter, act instant and exit.  `state` is a row of
Routes.state: the vehicle behind a stop.

Where goods may not all ride together, a state counts what is on board by class, a byte of one number for each, and what
a class may not ride with is a mask over those bytes: a pickup is judged by two comparisons.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inner_kernel
from routing.plans.general.kernels import columns as col
from routing.problem.kernels import laws
from routing.problem.kernels.laws import opens_at, paid_ticks, told_level


@fused_kernel
def copy_state(source, target):
    """Copy a row of Routes.state."""
    for column in range(len(source)):
        target[column] = source[column]


@inner_kernel
def _comes_on_board(tables, request, state, here):
    """Count the request's goods on board; False where they may not ride with what is there.

    `here`: the count of what came on board at the same stop from the same store.
    """
    bag, own = col.CARRIED + tables.flag[col.DIMENSIONS], tables.request[request]
    classes = col.LOAD + tables.flag[col.DIMENSIONS]
    if state[bag] & own[classes + col.APART] != 0 or (state[bag] - here) & own[classes + col.ONE_STOP] != 0:
        return False
    state[bag] += own[classes + col.ADDS]
    return True


@inner_kernel
def _loaded_here(tables, nodes, begin, k):
    """Count of what the nodes before position `k` of a stop brought on board, of its store, and left there."""
    store = tables.request[tables.node[nodes[k], col.REQUEST], col.STORE]
    here, classes = np.int64(0), col.LOAD + tables.flag[col.DIMENSIONS]
    for before in range(begin, k):
        order = tables.request[tables.node[nodes[before], col.REQUEST]]
        if nodes[before] & 1 == 1 or order[col.KIND] == col.GHOST or order[col.STORE] != store:
            continue
        stays = True
        for after in range(before + 1, k):
            stays = stays and nodes[after] != nodes[before] + 1
        if stays:
            here += order[classes + col.ADDS]
    return here


@inner_kernel
def _ride_from_the_start(tables, nodes, count, vehicle, state):
    """Write the count of what is on board before the first stop; False where goods loaded there may not ride."""
    dimensions = tables.flag[col.DIMENSIONS]
    state[col.CARRIED + dimensions] = tables.vehicle[vehicle, col.CAPACITY + 2 * dimensions]
    legal = True
    for k in range(1, count + 1):
        request = tables.node[nodes[k], col.REQUEST]
        if tables.request[request, col.KIND] != col.LOADED:
            continue
        here = np.int64(0)
        for before in range(1, k):
            order = tables.request[tables.node[nodes[before], col.REQUEST]]
            if order[col.KIND] == col.LOADED and order[col.STORE] == tables.request[request, col.STORE]:
                here += order[col.LOAD + dimensions + col.ADDS]
        legal = _comes_on_board(tables, request, state, here) and legal
    return legal


@inner_kernel
def _ride_together(tables, nodes, begin, finish, state):
    """Take the acts of a stop into the count; False where goods come on board beside what they may not ride with."""
    for k in range(begin, finish):
        request = tables.node[nodes[k], col.REQUEST]
        if tables.request[request, col.KIND] == col.GHOST:
            continue
        if nodes[k] & 1 == 1:
            dimensions = tables.flag[col.DIMENSIONS]
            state[col.CARRIED + dimensions] -= tables.request[request, col.LOAD + dimensions + col.ADDS]
        elif not _comes_on_board(tables, request, state, _loaded_here(tables, nodes, begin, k)):
            return False
    return True


@inner_kernel
def start_state(tables, nodes, count, vehicle, state):
    """State of `vehicle` before its first stop, with the goods its nodes load at the start; False where too much."""
    own, dimensions = tables.vehicle[vehicle], tables.flag[col.DIMENSIONS]
    state[col.NOW], state[col.PRICE] = own[col.START], 0
    state[col.ON_BOARD] = own[col.START_COUNT]
    for d in range(dimensions):
        state[col.CARRIED + d] = own[col.CAPACITY + dimensions + d]
    for k in range(1, count + 1):
        request = tables.node[nodes[k], col.REQUEST]
        if tables.request[request, col.KIND] == col.LOADED:
            state[col.ON_BOARD] += 1
            for d in range(dimensions):
                state[col.CARRIED + d] += tables.request[request, col.LOAD + d]
    state[col.TRIPS] = 1 if state[col.ON_BOARD] > 0 else 0
    state[col.IN_TRIP] = state[col.ON_BOARD]
    if tables.flag[col.GOODS] == 1 and not _ride_from_the_start(tables, nodes, count, vehicle, state):
        return False
    for d in range(dimensions):
        if state[col.CARRIED + d] > own[col.CAPACITY + d]:
            return False
    return state[col.TRIPS] <= own[col.MAX_TRIPS] and state[col.IN_TRIP] <= own[col.MAX_REQUESTS]


@fused_kernel
def stop_instant(tables, nodes, begin, finish, base, last_pickup):
    """Act instant of the stop nodes[begin:finish] entered by `base`, -1 where its acts suit no common instant."""
    at = max(base, np.int64(0))
    for k in range(begin, finish):
        at = max(at, np.int64(tables.node[nodes[k], col.OPEN]))
    moved = tables.flag[col.MANY_WINDOWS] != 0
    while moved:
        moved = False
        for k in range(begin, finish):
            request = tables.node[nodes[k], col.REQUEST]
            if request < tables.window.shape[0]:
                opening = opens_at(tables.window, request, nodes[k] & 1, at)
                if opening < 0:
                    return opening
                if opening > at:
                    at, moved = opening, True
    for k in range(begin, finish):
        node = nodes[k]
        if at > tables.node[node, col.CLOSE]:
            return np.int64(-1)
        if node & 1 == 0 and at > last_pickup and tables.node[node, col.REQUEST] < tables.window.shape[0]:
            return np.int64(-1)
    return at


@fused_kernel
def door_price(own, at):
    """Price of handing a request over at tick `at`, from its row of Tables.request."""
    return laws.door_price(
        at, own[col.PLACED], own[col.FIRST_DUE], own[col.SECOND_DUE], own[col.SLOPE], own[col.SLOPE + 1],
        own[col.SLOPE + 2], own[col.LATE], own[col.LATE + 1],
    )  # fmt: skip


@fused_kernel
def do_acts(tables, nodes, begin, finish, at, own, state, scratch):
    """Do the acts of a stop at tick `at`: their ticks, -1 where load, goods, trips or time on board break the law."""
    service, fresh, store = np.int64(0), False, np.int64(-1)
    dimensions = tables.flag[col.DIMENSIONS]
    for k in range(begin, finish):
        node = nodes[k]
        request = tables.node[node, col.REQUEST]
        order = tables.request[request]
        if order[col.KIND] == col.GHOST:
            continue
        service += tables.node[node, col.ACT]
        if node & 1 == 0:
            if state[col.ON_BOARD] == 0:
                state[col.TRIPS] += 1
                state[col.IN_TRIP] = 0
                fresh, store = True, order[col.STORE]
            elif tables.flag[col.ONE_STORE] == 1 and (not fresh or store != order[col.STORE]):
                return np.int64(-1)
            state[col.ON_BOARD] += 1
            state[col.IN_TRIP] += 1
            scratch[request, col.PICKED_AT] = at
            for d in range(dimensions):
                state[col.CARRIED + d] += order[col.LOAD + d]
                if state[col.CARRIED + d] > own[col.CAPACITY + d]:
                    return np.int64(-1)
            if state[col.TRIPS] > own[col.MAX_TRIPS] or state[col.IN_TRIP] > own[col.MAX_REQUESTS]:
                return np.int64(-1)
        else:
            if order[col.KIND] == col.PAIR and at - scratch[request, col.PICKED_AT] > order[col.LONGEST_ABOARD]:
                return np.int64(-1)
            state[col.ON_BOARD] -= 1
            for d in range(dimensions):
                state[col.CARRIED + d] -= order[col.LOAD + d]
            state[col.PRICE] += door_price(order, at)
    if tables.flag[col.GOODS] == 1 and not _ride_together(tables, nodes, begin, finish, state):
        return np.int64(-1)
    return service


@fused_kernel
def _leg(tables, own, here, there, state):
    """Drive: add the price of the leg and answer its ticks, -1 where there is no way."""
    if here == there:
        return np.int64(0)
    leg = np.int64(tables.legs[0, own[col.PROFILE], here, there])
    if leg >= col.INFINITE:
        return np.int64(-1)
    state[col.PRICE] += own[col.PER_TICK] * leg
    if tables.legs.shape[0] > 1:
        state[col.PRICE] += own[col.PER_METRE] * tables.legs[1, own[col.PROFILE], here, there]
    if own[col.PER_WORK] > 0 and own[col.PAID_UNTIL] < col.INFINITE:
        # PER_TICK leaves the work of driving out where it is free of charge from some tick on.
        state[col.PRICE] += own[col.PER_WORK] * paid_ticks(state[col.NOW], state[col.NOW] + leg, own[col.PAID_UNTIL])
    return leg


@fused_kernel
def run_stop(tables, nodes, begin, finish, vehicle, state, scratch):
    """Drive to the stop nodes[begin:finish] from the place of nodes[begin - 1] and do its acts; False where illegal."""
    own = tables.vehicle[vehicle]
    place = np.int64(tables.node[nodes[begin], col.PLACE])
    here = own[col.START_PLACE] if begin == 1 else np.int64(tables.node[nodes[begin - 1], col.PLACE])
    leg = _leg(tables, own, here, place, state)
    if leg < 0:
        return False
    if begin == 1 and place == own[col.STANDING_AT]:
        state[col.NOW] = own[col.ARRIVED]
    enter, leave = np.int64(0), np.int64(0)
    for k in range(begin, finish):
        if tables.request[tables.node[nodes[k], col.REQUEST], col.KIND] != col.GHOST:
            enter, leave = np.int64(tables.stop[place, 0]), np.int64(tables.stop[place, 1])
    arrive = state[col.NOW] + leg
    at = stop_instant(tables, nodes, begin, finish, arrive + enter, own[col.LAST_PICKUP])
    if at < 0:
        return False
    service = do_acts(tables, nodes, begin, finish, at, own, state, scratch)
    if service < 0:
        return False
    state[col.NOW] = at + service + leave
    if own[col.PER_WORK] > 0:
        paid = own[col.PAID_UNTIL]
        worked = paid_ticks(arrive, arrive + enter, paid) + paid_ticks(at, state[col.NOW], paid)
        state[col.PRICE] += own[col.PER_WORK] * worked
    return True


@fused_kernel
def go_home(tables, nodes, count, vehicle, state):
    """Drive to the end of the route; False where it is out of reach or too late."""
    own = tables.vehicle[vehicle]
    leg = _leg(tables, own, np.int64(tables.node[nodes[count], col.PLACE]), own[col.END_PLACE], state)
    state[col.NOW] += leg
    return leg >= 0 and state[col.NOW] <= own[col.END]


@fused_kernel
def stop_end(tables, nodes, begin, count):
    """One past the last node of the stop that begins at position `begin`."""
    finish = begin + 1
    while finish <= count and tables.node[nodes[finish], col.PLACE] == tables.node[nodes[begin], col.PLACE]:
        finish += 1
    return finish


@inner_kernel
def is_served_first(tables, nodes, count, request):
    """Whether the route picks `request` up or drops it at its first stop."""
    for k in range(1, count + 1):
        if tables.node[nodes[k], col.PLACE] != tables.node[nodes[1], col.PLACE]:
            break
        if nodes[k] >> 1 == request:
            return True
    return False


@inner_kernel
def does_what_it_must(tables, nodes, count, vehicle):
    """Whether the vehicle picks up or drops one of the requests it must keep at its first stop."""
    begin, finish = tables.must_keep_ptr[vehicle], tables.must_keep_ptr[vehicle + 1]
    does = begin == finish
    for k in range(begin, finish):
        does = does or is_served_first(tables, nodes, count, tables.must_keep[k])
    return does


@inner_kernel
def told_changes(tables, nodes, count, vehicle):
    """Price of the told places that the route leaves out, and of new places put before told ones.

    LOCKED where the vehicle would come to its first place for nothing, though it must keep an order there.
    """
    price = np.int64(0) if does_what_it_must(tables, nodes, count, vehicle) else np.int64(col.LOCKED)
    begin, finish = tables.before_ptr[vehicle], tables.before_ptr[vehicle + 1]
    for stop in range(begin, finish):
        take = tables.change[tables.before[stop, laws.TOLD_LEVEL], laws.TAKE_PLACE]
        if take == 0:
            continue
        visited = False
        if stop == begin:
            visited = count > 0 and tables.node[nodes[1], col.PLACE] == tables.before[stop, laws.TOLD_PLACE]
        else:
            for k in range(1, count + 1):
                visited = visited or tables.node[nodes[k], col.PLACE] == tables.before[stop, laws.TOLD_PLACE]
        if not visited:
            price += min(take, col.LOCKED)
    ahead, last_place = -1, -1
    for k in range(count, 0, -1):
        place = tables.node[nodes[k], col.PLACE]
        if place == last_place:
            continue
        last_place = place
        level = told_level(tables.before_ptr, tables.before, vehicle, place)
        if level < 0 and ahead >= 0:
            price += min(tables.change[ahead, laws.ADD_PLACE], col.LOCKED)
        ahead = max(ahead, level)
    return price


@fused_kernel
def finish_walk(tables, routes, vehicle, count, begin, grown, state, limit, work):
    """Walk the candidate work.nodes[begin..count] from `state` to the end: its whole price.

    LOCKED where it is illegal or not below `limit`.  `grown`: nodes of the candidate that the current route has not,
    all before the end of `begin`'s stop.
    """
    nodes, scratch = work.nodes, work.list
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
            # Left no sooner, what follows costs no less than it does now: nothing gets cheaper by being later.
            later = state[col.NOW] >= old_state[old, col.NOW]
            if later and state[col.PRICE] + old_state[old, col.SUFFIX] >= limit:
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
