"""Cheapest places for a request, and the two edits of a plan: put a request in, take it out."""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout as col
from routing.plans.trips.kernels.sequence import sequence_trip
from routing.plans.trips.kernels.timeline import door_price, is_left_out, rest_price, retime, run_trip
from routing.problem.kernels.laws import ADD_ORDER, TAKE_PLACE, TOLD_LEVEL, TOLD_PLACE, is_allowed, told_level

NEVER = col.NEVER


@inner_kernel
def change_price(request, told_ptr, told, change, r, v):
    """Price of request r being on vehicle v (-1: on none), against what was told; NEVER where it may not join there."""
    home = request[r, col.HOME]
    if home == v:
        return 0
    price = request[r, col.TAKE] if home >= 0 else 0
    if v >= 0:
        level = told_level(told_ptr, told, v, request[r, col.PICK])
        if level >= 0:
            joined = change[level, ADD_ORDER]
            return NEVER if joined >= NEVER else price + joined
    return price


@inner_kernel
def goes_to(request, orders, trip, v, trips, place):
    """Whether vehicle v stops at `place` in the first `trips` trips."""
    for k in range(trips):
        if is_left_out(trip, v, k):
            continue
        if trip[v, k, col.STORE] == place:
            return True
        row = v * (trip.shape[1] - 1) + k
        for j in range(trip[v, k, col.COUNT]):
            if request[orders[row, j], col.DROP] == place:
                return True
    return False


@inner_kernel
def trips_left_out(trip, v, trips):
    """How many of the first `trips` trips of vehicle v are left out before one that is made."""
    front = 0
    while front < trips and is_left_out(trip, v, front):
        front += 1
    return front


@inner_kernel
def left_out_price(request, orders, told_ptr, told, change, trip, v, trips, r):
    """Price of the told places that vehicle v leaves out in the first `trips` trips and with request r (-1: none).

    A told first stop must stay the first, which r in front of it is not looked at for.
    """
    total = 0
    for s in range(told_ptr[v], told_ptr[v + 1]):
        price = change[told[s, TOLD_LEVEL], TAKE_PLACE]
        if price == 0 or told[s, col.ROLE] == col.KEPT:
            continue
        place = told[s, TOLD_PLACE]
        if told[s, col.ROLE] == col.FIRST_STOP:
            front = trips_left_out(trip, v, trips)
            visited = front < trips and trip[v, front, col.STORE] == place
        else:
            visited = r >= 0 and (request[r, col.PICK] == place or request[r, col.DROP] == place)
            visited = visited or goes_to(request, orders, trip, v, trips, place)
        if not visited:
            if price >= NEVER:
                return NEVER
            total += price
    return total


@inner_kernel
def price_changes(request, vehicle, orders, told_ptr, told, change, trip, chain, v, r):
    """(price, more, front): of all changes if vehicle v takes request r, and how much more if r begins its row.

    It does where it joins or goes before one of the first `front` trips, which are left out, or goes right behind them.
    """
    price = change_price(request, told_ptr, told, change, r, v)
    if price >= NEVER or vehicle[v, col.PRICED] == 0:
        return price, 0, 0
    trips = chain[v, col.TRIPS]
    left = left_out_price(request, orders, told_ptr, told, change, trip, v, trips, r)
    if left >= NEVER:
        return NEVER, 0, 0
    more, front, first = 0, trips_left_out(trip, v, trips), told_ptr[v]
    if told[first, col.ROLE] == col.FIRST_STOP:
        visited = front < trips and trip[v, front, col.STORE] == told[first, TOLD_PLACE]
        opens = request[r, col.PICK] == told[first, TOLD_PLACE]
        if visited != opens:
            taken = change[told[first, TOLD_LEVEL], TAKE_PLACE]
            more = taken if visited else -taken
    return price + left, more, front


@inner_kernel
def has_room(request, vehicle, orders, trip, v, k, r):
    """Whether request r may join trip k of vehicle v: same group (an empty one: same place), a free seat, capacity."""
    if trip[v, k, col.STORE] != request[r, col.PICK]:
        return False
    count = trip[v, k, col.COUNT]
    if count >= vehicle[v, col.MAX_REQUESTS] or (count > 0 and trip[v, k, col.KIND] != request[r, col.GROUP]):
        return False
    row = v * (trip.shape[1] - 1) + k
    for d in range(request.shape[1] - col.REQUEST_COLUMNS):
        total = request[r, col.REQUEST_COLUMNS + d]
        for j in range(count):
            total += request[orders[row, j], col.REQUEST_COLUMNS + d]
        if total > vehicle[v, col.VEHICLE_COLUMNS + d]:
            return False
    return True


@inner_kernel
def fits(request, vehicle, allowed, v, r):
    """Whether vehicle v may carry request r alone."""
    if not is_allowed(allowed, r, v):
        return False
    for d in range(request.shape[1] - col.REQUEST_COLUMNS):
        if request[r, col.REQUEST_COLUMNS + d] > vehicle[v, col.VEHICLE_COLUMNS + d]:
            return False
    return True


@inner_kernel
def price_from(trip, chain, v, k):
    """Price of vehicle v's row from trip k on."""
    total = chain[v, col.TOTAL]
    for i in range(k):
        total -= trip[v, i, col.COST]
    return total


@inner_kernel
def urge_after(request, orders, trip, chain, v, k):
    """Price per tick that later trips of vehicle v (k and on) would pay for a later start, waiting left aside."""
    total = 0
    for i in range(k, chain[v, col.TRIPS]):
        row = v * (trip.shape[1] - 1) + i
        for j in range(trip[v, i, col.COUNT]):
            total += request[orders[row, j], col.SLOPE]
    return total


@inner_kernel
def filled_trips(trip, chain, v):
    """Trips of vehicle v that hold a request."""
    filled = 0
    for i in range(chain[v, col.TRIPS]):
        filled += trip[v, i, col.COUNT] > 0
    return filled


@inner_kernel
def price_joined(request, vehicle, legs, window, orders, trip, chain, v, k, r, limit):
    """Added price of request r in trip k of vehicle v, the trip re-sequenced; NEVER where illegal or above `limit`."""
    count = trip[v, k, col.COUNT]
    row = v * (trip.shape[1] - 1) + k
    trial = orders.shape[0] - 3
    for j in range(count):
        orders[trial, j] = orders[row, j]
    orders[trial, count] = r
    urge = urge_after(request, orders, trip, chain, v, k + 1)
    price, free_at, origin = sequence_trip(
        request, vehicle, legs, window, orders, trial, count + 1, trip[v, k, col.STORE],
        v, trip[v, k, col.AT], trip[v, k, col.FROM], urge,
    )  # fmt: skip
    if price >= NEVER:
        return NEVER
    price -= price_from(trip, chain, v, k)
    if price > limit:
        return NEVER
    rest = rest_price(
        request, vehicle, legs, window, orders, trip, chain, v, k + 1, v, free_at, origin, True, limit - price
    )
    return NEVER if rest >= NEVER else price + rest


@inner_kernel
def price_alone(request, vehicle, legs, window, orders, trip, chain, v, k, r, limit):
    """Added price of a new trip with r alone before trip k of vehicle v; NEVER where illegal or above `limit`."""
    trial = orders.shape[0] - 3
    orders[trial, 0] = r
    price, free_at, origin = run_trip(
        request, vehicle, legs, window, orders, trial, 1, request[r, col.PICK],
        v, trip[v, k, col.AT], trip[v, k, col.FROM],
    )  # fmt: skip
    if price >= NEVER:
        return NEVER
    price -= price_from(trip, chain, v, k)
    if price > limit:
        return NEVER
    rest = rest_price(
        request, vehicle, legs, window, orders, trip, chain, v, k, v, free_at, origin, True, limit - price
    )
    return NEVER if rest >= NEVER else price + rest


@inner_kernel
def best_in(request, vehicle, legs, window, orders, trip, chain, v, r, change, more, front, limit):
    """(added price, trip, joined, places tried) of the cheapest place for r on vehicle v, strictly below `limit`.

    `change`, `more`, `front`: as `price_changes` gives them.
    """
    if change >= limit:
        return limit, -1, 0, 0
    best, best_k, best_joined, tried = limit - change, -1, 0, 0
    trips = chain[v, col.TRIPS]
    full = filled_trips(trip, chain, v) + vehicle[v, col.ABOARD] >= vehicle[v, col.MAX_TRIPS]
    for k in range(trips):
        if has_room(request, vehicle, orders, trip, v, k, r) and not (full and trip[v, k, col.COUNT] == 0):
            tried += 1
            extra = more if k <= front and is_left_out(trip, v, k) else 0
            price = price_joined(request, vehicle, legs, window, orders, trip, chain, v, k, r, best - extra) + extra
            if price < best:
                best, best_k, best_joined = price, k, 1
    if not full:
        for k in range(chain[v, col.FIRST], trips + 1):
            tried += 1
            extra = more if k <= front else 0
            price = price_alone(request, vehicle, legs, window, orders, trip, chain, v, k, r, best - extra) + extra
            if price < best:
                best, best_k, best_joined = price, k, 0
    return best + change, best_k, best_joined, tried


@lean_kernel
def best_place(day, plan, r, limit):
    """(added price, vehicle, trip, joined, places tried) of the cheapest place for r anywhere, below `limit`.

    Vehicles come in the order of their earliest pickup; once even a delivery straight after it costs more than the
    best place found, no later vehicle can win.  The first of equals stays.
    """
    request, vehicle, legs, window, allowed = day.request, day.vehicle, day.legs, day.window, day.allowed
    near, near_at, orders, trip, chain = day.near, day.near_at, plan.orders, plan.trip, plan.chain
    best, best_v, best_k, best_joined, tried = limit, -1, -1, 0, 0
    group = request[r, col.GROUP]
    ready = request[r, col.READY]
    for i in range(near.shape[1]):
        act_at = near_at[group, i]
        if act_at >= col.FAR:
            break
        pick_at = act_at if act_at > ready else ready
        if door_price(request, r, pick_at + request[r, col.DIRECT]) >= best:
            break
        v = near[group, i]
        if fits(request, vehicle, allowed, v, r):
            change, more, front = price_changes(
                request, vehicle, orders, day.told_ptr, day.told, day.change, trip, chain, v, r
            )
            price, k, joined, places = best_in(
                request, vehicle, legs, window, orders, trip, chain, v, r, change, more, front, best
            )
            tried += places
            if k >= 0:
                best, best_v, best_k, best_joined = price, v, k, joined
    return best, best_v, best_k, best_joined, tried


@inner_kernel
def time_row(day, plan, v, k):
    """`retime` of vehicle v from trip k on; the told places that it leaves out are priced with its end."""
    if not retime(day.request, day.vehicle, day.legs, day.window, plan.orders, plan.trip, plan.chain, v, k):
        return False
    if day.vehicle[v, col.PRICED] == 1:
        trips = plan.chain[v, col.TRIPS]
        left = left_out_price(day.request, plan.orders, day.told_ptr, day.told, day.change, plan.trip, v, trips, -1)
        plan.trip[v, trips, col.COST] += left if left < NEVER else 0
        plan.chain[v, col.TOTAL] = NEVER if left >= NEVER else plan.chain[v, col.TOTAL] + left
    return plan.chain[v, col.TOTAL] < NEVER


@inner_kernel
def put_in(day, plan, r, v, k, joined):
    """Put request r into trip k of vehicle v, or into a new trip before it; False where a law breaks."""
    row = v * (plan.trip.shape[1] - 1) + k
    if joined:
        count = plan.trip[v, k, col.COUNT]
        plan.orders[row, count] = r
        plan.trip[v, k, col.COUNT] = count + 1
        plan.trip[v, k, col.KIND] = day.request[r, col.GROUP]
        urge = urge_after(day.request, plan.orders, plan.trip, plan.chain, v, k + 1)
        sequence_trip(
            day.request, day.vehicle, day.legs, day.window, plan.orders, row, count + 1, plan.trip[v, k, col.STORE],
            v, plan.trip[v, k, col.AT], plan.trip[v, k, col.FROM], urge,
        )  # fmt: skip
    else:
        for i in range(plan.chain[v, col.TRIPS], k, -1):
            copy_trip(plan, v, i - 1, plan, v, i)
        plan.chain[v, col.TRIPS] += 1
        plan.orders[row, 0] = r
        plan.trip[v, k, col.COUNT] = 1
        plan.trip[v, k, col.STORE] = day.request[r, col.PICK]
        plan.trip[v, k, col.KIND] = day.request[r, col.GROUP]
        plan.trip[v, k, col.ANCHORED] = 0
        plan.trip[v, k, col.BOUND] = 0
    plan.where[r] = v
    return time_row(day, plan, v, k)


@inner_kernel
def copy_trip(source, v, k, plan, other, position):
    """Copy trip k of vehicle v in `source` (what is in it, not when) over trip `position` of `other` in `plan`."""
    width = plan.trip.shape[1] - 1
    for j in range(source.trip[v, k, col.COUNT]):
        plan.orders[other * width + position, j] = source.orders[v * width + k, j]
    for c in range(col.AT):
        plan.trip[other, position, c] = source.trip[v, k, c]


@inner_kernel
def copy_row(plan, v, other):
    """Copy the timed row of vehicle v over that of `other`; only trips that exist."""
    trips = plan.chain[v, col.TRIPS]
    for k in range(trips):
        copy_trip(plan, v, k, plan, other, k)
    for k in range(trips + 1):
        for c in range(col.AT, col.TRIP_COLUMNS):
            plan.trip[other, k, c] = plan.trip[v, k, c]
    for c in range(col.CHAIN_COLUMNS):
        plan.chain[other, c] = plan.chain[v, c]


@inner_kernel
def take_out(plan, r):
    """Take request r off its row, untimed; an unanchored trip left empty goes."""
    v = plan.where[r]
    plan.where[r] = -1
    for k in range(plan.chain[v, col.TRIPS]):
        row = v * (plan.trip.shape[1] - 1) + k
        count = plan.trip[v, k, col.COUNT]
        for j in range(count):
            if plan.orders[row, j] != r:
                continue
            for i in range(j, count - 1):
                plan.orders[row, i] = plan.orders[row, i + 1]
            plan.trip[v, k, col.COUNT] = count - 1
            if count == 1 and plan.trip[v, k, col.ANCHORED] == 0:
                for i in range(k, plan.chain[v, col.TRIPS] - 1):
                    copy_trip(plan, v, i + 1, plan, v, i)
                plan.chain[v, col.TRIPS] -= 1
                plan.chain[v, col.FIRST] -= k < plan.chain[v, col.FIRST]
            return
