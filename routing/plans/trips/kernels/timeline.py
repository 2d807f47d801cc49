"""When and at what price: one trip, and a chain of trips.

Times follow the timeline of a stop: arrive, `enter`, wait for the act instant, acts, `exit`, leave.  A price of NEVER
says that a law is broken.  These functions are called for every place tried: they take `Facts` and what they read of
the plan instead of the whole `Day`, whose handing over would cost more than the work.

      AT, FROM      STORE                                                 AT, FROM of the next trip
         |   drive    |  enter  wait  acts  exit |  drive  | drop |  drive  | drop |
         |------------|--------------------------|---------|------|---------|------|
                      arrive          act_at     leave
"""

from __future__ import annotations

from routing.kernels import inner_kernel
from routing.plans.trips.kernels import layout
from routing.problem.kernels import laws
from routing.problem.kernels.laws import opens_at, paid_ticks

NEVER = layout.NEVER
FAR = layout.FAR


@inner_kernel
def door_price(request, r, at):
    """Price of delivering request r at tick `at`."""
    return laws.door_price(
        at, request[r, layout.PLACED], request[r, layout.DUE], request[r, layout.DUE + 1],
        request[r, layout.SLOPE], request[r, layout.SLOPE + 1], request[r, layout.SLOPE + 2],
        request[r, layout.LATE], request[r, layout.LATE + 1],
    )  # fmt: skip


@inner_kernel
def work_price(vehicle, v, begin, end):
    """Price of driving or serving from `begin` to `end`."""
    return vehicle[v, layout.PER_WORK] * paid_ticks(begin, end, vehicle[v, layout.PAID])


@inner_kernel
def drive(vehicle, legs, v, origin, target, free_at):
    """(price, arrival) of the leg; nobody drives before the round, but who is there already may have come earlier."""
    if origin == target:
        return 0, free_at
    profile = vehicle[v, layout.PROFILE]
    leg = int(legs[profile, origin, target, 0])
    depart = free_at if free_at > 0 else 0
    if leg >= FAR or depart >= FAR:
        return NEVER, FAR
    price = work_price(vehicle, v, depart, depart + leg) + vehicle[v, layout.PER_DRIVE] * leg
    if legs.shape[3] > 1:
        price += vehicle[v, layout.PER_METRE] * int(legs[profile, origin, target, 1])
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
def pick_up(facts, orders, row, count, store, v, free_at, origin):
    """(price, act instant, leave) of going to `store` and picking up the `count` requests of a row at one instant."""
    request, vehicle, window = facts.request, facts.vehicle, facts.window
    price, arrive = drive(vehicle, facts.legs, v, origin, store, free_at)
    if price >= NEVER:
        return NEVER, FAR, FAR
    act_at = arrive
    if count > 0:
        act_at += request[orders[row, 0], layout.ENTER]
        price += work_price(vehicle, v, arrive, act_at)
    act_at = act_at if act_at > 0 else 0
    if count == 0:
        return price, act_at, act_at
    leave = request[orders[row, 0], layout.EXIT]
    for j in range(count):
        r = orders[row, j]
        ready = request[r, layout.READY]
        act_at = ready if ready > act_at else act_at
        leave += request[r, layout.ACT]
    if window.shape[0] > 0:
        act_at = common_opening(window, orders, row, count, act_at)
    if act_at > vehicle[v, layout.LAST_PICKUP] or act_at >= FAR:
        return NEVER, FAR, FAR
    leave += act_at
    return price + work_price(vehicle, v, act_at, leave), act_at, leave


@inner_kernel
def shares_stop(request, window, orders, row, j):
    """Whether drop j of a row is done at the stop of the one before: at one place, within windows that are the same."""
    if j == 0:
        return False
    r, before = orders[row, j], orders[row, j - 1]
    if request[r, layout.DROP] != request[before, layout.DROP]:
        return False
    if window.shape[0] > 0:
        for k in range(window.shape[2]):
            if window[r, 1, k, 0] != window[before, 1, k, 0] or window[r, 1, k, 1] != window[before, 1, k, 1]:
                return False
    return True


@inner_kernel
def drop_off(facts, orders, row, count, v, picked_at, free_at, origin, limit):
    """(price, leave) of delivering the `count` requests of a row in sequence; gives up with NEVER above `limit`.

    Neighbours with the same drop place and the same windows share one stop and its act instant.
    """
    request, vehicle, window = facts.request, facts.vehicle, facts.window
    total = 0
    act_at = free_at
    for j in range(count):
        r = orders[row, j]
        place = request[r, layout.DROP]
        duration = request[r, layout.ACT + 1]
        if shares_stop(request, window, orders, row, j):
            total += work_price(vehicle, v, free_at, free_at + duration)
            free_at += duration
        else:
            price, arrive = drive(vehicle, facts.legs, v, origin, place, free_at)
            if price >= NEVER:
                return NEVER, FAR
            act_at = arrive + request[r, layout.ENTER + 1]
            total += price + work_price(vehicle, v, arrive, act_at)
            act_at = act_at if act_at > 0 else 0
            if window.shape[0] > 0:
                act_at = opens_at(window, r, 1, act_at)
                if act_at < 0:
                    return NEVER, FAR
            free_at = act_at + duration + request[r, layout.EXIT + 1]
            total += work_price(vehicle, v, act_at, free_at)
            origin = place
        if act_at - picked_at > request[r, layout.BOARD]:
            return NEVER, FAR
        total += door_price(request, r, act_at)
        if total > limit:
            return NEVER, FAR
    return total, free_at


@inner_kernel
def run_trip(facts, orders, row, count, store, v, free_at, origin):
    """(price, leave, place) of one trip in its given sequence; without requests it ends at the store on arrival."""
    price, act_at, leave = pick_up(facts, orders, row, count, store, v, free_at, origin)
    if price >= NEVER or count == 0:
        return price, leave, store
    more, leave = drop_off(facts, orders, row, count, v, act_at, leave, store, NEVER)
    if more >= NEVER:
        return NEVER, leave, store
    return price + more, leave, facts.request[orders[row, count - 1], layout.DROP]


@inner_kernel
def end_price(vehicle, legs, v, free_at, origin, visited):
    """Price of a row that ends here: way to the end place, use of the vehicle; NEVER where it is back too late."""
    if not visited and vehicle[v, layout.ABOARD] == 0:
        return 0
    price = vehicle[v, layout.FIXED]
    if vehicle[v, layout.END_PLACE] >= 0:
        leg, free_at = drive(vehicle, legs, v, origin, vehicle[v, layout.END_PLACE], free_at)
        if leg >= NEVER:
            return NEVER
        price += leg
    return NEVER if visited and free_at > vehicle[v, layout.END] else price


@inner_kernel
def is_left_out(trip, v, k):
    """Whether trip k is a told stop without requests that the vehicle may leave out, and so does."""
    return trip[v, k, layout.COUNT] == 0 and trip[v, k, layout.BOUND] == 0


@inner_kernel
def rest_price(facts, plan, owner, k, v, free_at, origin, visited, limit):
    """Price of the owner's trips from k on and of the end if vehicle v, free at `free_at` at `origin`, made them.

    `visited`: whether v has a stop before them.  NEVER where illegal or above `limit`.
    """
    total, row = 0, owner * (plan.trip.shape[1] - 1)
    for i in range(k, plan.chain[owner, layout.TRIPS]):
        trip = plan.trip[owner, i]
        if is_left_out(plan.trip, owner, i):
            continue
        price, free_at, origin = run_trip(
            facts, plan.orders, row + i, trip[layout.COUNT], trip[layout.STORE], v, free_at, origin
        )
        if price >= NEVER:
            return NEVER
        total += price
        if total > limit:
            return NEVER
        visited = True
    price = end_price(facts.vehicle, facts.legs, v, free_at, origin, visited)
    return NEVER if price >= NEVER else total + price


@inner_kernel
def retime(facts, plan, v, k):
    """Time the chain of vehicle v anew from trip k on and store prices; True where every law holds."""
    trip, chain = plan.trip[v], plan.chain[v]
    if k == 0:
        trip[0, layout.AT], trip[0, layout.FROM] = facts.vehicle[v, layout.FREE_AT], facts.vehicle[v, layout.FREE_PLACE]
    row, trips = v * (plan.trip.shape[1] - 1), chain[layout.TRIPS]
    visited, total = False, 0
    for i in range(trips):
        left_out = is_left_out(plan.trip, v, i)
        visited = visited or not left_out
        if i >= k:
            free_at, origin = trip[i, layout.AT], trip[i, layout.FROM]
            price = 0
            if not left_out:
                price, free_at, origin = run_trip(
                    facts, plan.orders, row + i, trip[i, layout.COUNT], trip[i, layout.STORE], v, free_at, origin
                )
            if price >= NEVER:
                chain[layout.TOTAL] = NEVER
                return False
            trip[i, layout.COST] = price
            trip[i + 1, layout.AT], trip[i + 1, layout.FROM] = free_at, origin
        total += trip[i, layout.COST]
    price = end_price(facts.vehicle, facts.legs, v, trip[trips, layout.AT], trip[trips, layout.FROM], visited)
    trip[trips, layout.COST] = price
    chain[layout.TOTAL] = NEVER if price >= NEVER else total + price
    return price < NEVER
