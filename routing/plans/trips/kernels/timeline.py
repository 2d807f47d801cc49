"""When and at what price: one trip, and a chain of trips.

Times follow the timeline of a stop: arrive, `enter`, wait for the act instant, acts, `exit`, leave.  A price of NEVER
says that a law is broken.  These functions are called for every place tried: they take the few arrays they read
instead of the whole `Day` and `Plan`, whose handing over would cost more than the work.
"""

from __future__ import annotations

from routing.kernels import inner_kernel
from routing.plans.trips.kernels import layout as col
from routing.problem.kernels import laws
from routing.problem.kernels.laws import opens_at, paid_ticks

NEVER = col.NEVER
FAR = col.FAR


@inner_kernel
def door_price(request, r, at):
    """Price of delivering request r at tick `at`."""
    return laws.door_price(
        at, request[r, col.PLACED], request[r, col.DUE], request[r, col.DUE + 1], request[r, col.SLOPE],
        request[r, col.SLOPE + 1], request[r, col.SLOPE + 2], request[r, col.LATE], request[r, col.LATE + 1],
    )  # fmt: skip


@inner_kernel
def work_price(vehicle, v, begin, end):
    """Price of driving or serving from `begin` to `end`."""
    return vehicle[v, col.PER_WORK] * paid_ticks(begin, end, vehicle[v, col.PAID])


@inner_kernel
def drive(vehicle, legs, v, origin, target, free_at):
    """(price, arrival) of the leg; nobody drives before the round, but who is there already may have come earlier."""
    if origin == target:
        return 0, free_at
    profile = vehicle[v, col.PROFILE]
    leg = int(legs[profile, origin, target, 0])
    depart = free_at if free_at > 0 else 0
    if leg >= FAR or depart >= FAR:
        return NEVER, FAR
    price = work_price(vehicle, v, depart, depart + leg) + vehicle[v, col.PER_DRIVE] * leg
    if legs.shape[3] > 1:
        price += vehicle[v, col.PER_METRE] * int(legs[profile, origin, target, 1])
    return price, depart + leg


@inner_kernel
def common_opening(window, orders, row, count, instant):
    """First instant at or after `instant` at which every pickup of the trip is inside a window, FAR for none."""
    moved = True
    while moved:
        moved = False
        for j in range(count):
            opens = opens_at(window, orders[row, j], 0, instant)
            if opens < 0:
                return FAR
            if opens > instant:
                instant = opens
                moved = True
    return instant


@inner_kernel
def pick_up(request, vehicle, legs, window, orders, row, count, store, v, free_at, origin):
    """(price, act instant, leave) of going to `store` and picking up the `count` requests of a row at one instant."""
    price, arrive = drive(vehicle, legs, v, origin, store, free_at)
    if price >= NEVER:
        return NEVER, FAR, FAR
    act_at = arrive
    if count > 0:
        act_at += request[orders[row, 0], col.ENTER]
        price += work_price(vehicle, v, arrive, act_at)
    act_at = act_at if act_at > 0 else 0
    if count == 0:
        return price, act_at, act_at
    leave = request[orders[row, 0], col.EXIT]
    for j in range(count):
        r = orders[row, j]
        ready = request[r, col.READY]
        act_at = ready if ready > act_at else act_at
        leave += request[r, col.ACT]
    if window.shape[0] > 0:
        act_at = common_opening(window, orders, row, count, act_at)
    if act_at > vehicle[v, col.LAST_PICKUP] or act_at >= FAR:
        return NEVER, FAR, FAR
    leave += act_at
    return price + work_price(vehicle, v, act_at, leave), act_at, leave


@inner_kernel
def shares_stop(request, window, orders, row, j):
    """Whether drop j of a row is done at the stop of the one before: at one place, within windows that are the same."""
    if j == 0:
        return False
    r, before = orders[row, j], orders[row, j - 1]
    if request[r, col.DROP] != request[before, col.DROP]:
        return False
    if window.shape[0] > 0:
        for k in range(window.shape[2]):
            if window[r, 1, k, 0] != window[before, 1, k, 0] or window[r, 1, k, 1] != window[before, 1, k, 1]:
                return False
    return True


@inner_kernel
def drop_off(request, vehicle, legs, window, orders, row, count, v, picked_at, free_at, origin, limit):
    """(price, leave) of delivering the `count` requests of a row in sequence; gives up with NEVER above `limit`.

    Neighbours with the same drop place and the same windows share one stop and its act instant.
    """
    total = 0
    act_at = free_at
    for j in range(count):
        r = orders[row, j]
        place = request[r, col.DROP]
        duration = request[r, col.ACT + 1]
        if shares_stop(request, window, orders, row, j):
            total += work_price(vehicle, v, free_at, free_at + duration)
            free_at += duration
        else:
            price, arrive = drive(vehicle, legs, v, origin, place, free_at)
            if price >= NEVER:
                return NEVER, FAR
            act_at = arrive + request[r, col.ENTER + 1]
            total += price + work_price(vehicle, v, arrive, act_at)
            act_at = act_at if act_at > 0 else 0
            if window.shape[0] > 0:
                act_at = opens_at(window, r, 1, act_at)
                if act_at < 0:
                    return NEVER, FAR
            free_at = act_at + duration + request[r, col.EXIT + 1]
            total += work_price(vehicle, v, act_at, free_at)
            origin = place
        if act_at - picked_at > request[r, col.BOARD]:
            return NEVER, FAR
        total += door_price(request, r, act_at)
        if total > limit:
            return NEVER, FAR
    return total, free_at


@inner_kernel
def run_trip(request, vehicle, legs, window, orders, row, count, store, v, free_at, origin):
    """(price, leave, place) of one trip in its given sequence; without requests it ends at the store on arrival."""
    price, act_at, leave = pick_up(request, vehicle, legs, window, orders, row, count, store, v, free_at, origin)
    if price >= NEVER or count == 0:
        return price, leave, store
    more, leave = drop_off(request, vehicle, legs, window, orders, row, count, v, act_at, leave, store, NEVER)
    if more >= NEVER:
        return NEVER, leave, store
    return price + more, leave, request[orders[row, count - 1], col.DROP]


@inner_kernel
def end_price(vehicle, legs, v, free_at, origin, visited):
    """Price of a row that ends here: way to the end place, use of the vehicle; NEVER where it is back too late."""
    if not visited and vehicle[v, col.ABOARD] == 0:
        return 0
    price = vehicle[v, col.FIXED]
    if vehicle[v, col.END_PLACE] >= 0:
        leg, free_at = drive(vehicle, legs, v, origin, vehicle[v, col.END_PLACE], free_at)
        if leg >= NEVER:
            return NEVER
        price += leg
    return NEVER if visited and free_at > vehicle[v, col.END] else price


@inner_kernel
def is_left_out(trip, v, k):
    """Whether trip k is a told stop without requests that the vehicle may leave out, and so does."""
    return trip[v, k, col.COUNT] == 0 and trip[v, k, col.BOUND] == 0


@inner_kernel
def rest_price(request, vehicle, legs, window, orders, trip, chain, owner, k, v, free_at, origin, visited, limit):
    """Price of the owner's trips from k on and of the end if vehicle v, free at `free_at` at `origin`, made them.

    `visited`: whether v has a stop before them.  NEVER where illegal or above `limit`.
    """
    total = 0
    row = owner * (trip.shape[1] - 1)
    for i in range(k, chain[owner, col.TRIPS]):
        if is_left_out(trip, owner, i):
            continue
        price, free_at, origin = run_trip(
            request, vehicle, legs, window, orders, row + i, trip[owner, i, col.COUNT], trip[owner, i, col.STORE],
            v, free_at, origin,
        )  # fmt: skip
        if price >= NEVER:
            return NEVER
        total += price
        if total > limit:
            return NEVER
        visited = True
    price = end_price(vehicle, legs, v, free_at, origin, visited)
    return NEVER if price >= NEVER else total + price


@inner_kernel
def retime(request, vehicle, legs, window, orders, trip, chain, v, k):
    """Time the chain of vehicle v anew from trip k on and store prices; True where every law holds."""
    if k == 0:
        trip[v, 0, col.AT] = vehicle[v, col.FREE_AT]
        trip[v, 0, col.FROM] = vehicle[v, col.FREE_PLACE]
    row = v * (trip.shape[1] - 1)
    trips = chain[v, col.TRIPS]
    visited = False
    total = 0
    for i in range(trips):
        left_out = is_left_out(trip, v, i)
        visited = visited or not left_out
        if i >= k:
            free_at, origin = trip[v, i, col.AT], trip[v, i, col.FROM]
            price = 0
            if not left_out:
                price, free_at, origin = run_trip(
                    request, vehicle, legs, window, orders, row + i, trip[v, i, col.COUNT], trip[v, i, col.STORE],
                    v, free_at, origin,
                )  # fmt: skip
            if price >= NEVER:
                chain[v, col.TOTAL] = NEVER
                return False
            trip[v, i, col.COST] = price
            trip[v, i + 1, col.AT] = free_at
            trip[v, i + 1, col.FROM] = origin
        total += trip[v, i, col.COST]
    price = end_price(vehicle, legs, v, trip[v, trips, col.AT], trip[v, trips, col.FROM], visited)
    trip[v, trips, col.COST] = price
    chain[v, col.TOTAL] = NEVER if price >= NEVER else total + price
    return price < NEVER
