"""Cheapest places for a request, and the two edits of a plan: put a request in, take it out."""

from __future__ import annotations

from routing.kernels import fused_kernel, inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.sequence import sequence_trip
from routing.plans.trips.kernels.timeline import door_price, is_left_out, rest_price, retime
from routing.problem.kernels.laws import ADD_ORDER, TAKE_PLACE, TOLD_LEVEL, TOLD_PLACE, is_allowed, told_level

NEVER = layout.NEVER


@fused_kernel
def change_price(request, before, r, v):
    """Price of request r being on vehicle v (-1: on none), against what was told; NEVER where it may not join there."""
    home = request[r, layout.HOME]
    if home == v:
        return 0
    price = request[r, layout.TAKE] if home >= 0 else 0
    if v >= 0:
        level = told_level(before.ptr, before.stop, v, request[r, layout.PICK])
        if level >= 0:
            joined = before.change[level, ADD_ORDER]
            return NEVER if joined >= NEVER else price + joined
    return price


@inner_kernel
def goes_to(request, orders, trip, v, trips, place):
    """Whether vehicle v stops at `place` in the first `trips` trips."""
    for k in range(trips):
        if is_left_out(trip, v, k):
            continue
        if trip[v, k, layout.STORE] == place:
            return True
        row = v * (trip.shape[1] - 1) + k
        for j in range(trip[v, k, layout.COUNT]):
            if request[orders[row, j], layout.DROP] == place:
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
def left_out_price(request, before, plan, v, trips, r):
    """Price of the told places that vehicle v leaves out in the first `trips` trips and with request r (-1: none).

    A told first stop must stay the first, which r in front of it is not looked at for.
    """
    total = 0
    for s in range(before.ptr[v], before.ptr[v + 1]):
        price = before.change[before.stop[s, TOLD_LEVEL], TAKE_PLACE]
        if price == 0 or before.stop[s, layout.ROLE] == layout.KEPT:
            continue
        place = before.stop[s, TOLD_PLACE]
        if before.stop[s, layout.ROLE] == layout.FIRST_STOP:
            front = trips_left_out(plan.trip, v, trips)
            visited = front < trips and plan.trip[v, front, layout.STORE] == place
        else:
            visited = r >= 0 and (request[r, layout.PICK] == place or request[r, layout.DROP] == place)
            visited = visited or goes_to(request, plan.orders, plan.trip, v, trips, place)
        if not visited:
            if price >= NEVER:
                return NEVER
            total += price
    return total


@fused_kernel
def price_changes(facts, before, plan, v, r):
    """(price, more, front): of all changes if vehicle v takes request r, and how much more if r begins its row.

    It does where it joins or goes before one of the first `front` trips, which are left out, or goes right behind them.
    """
    price = change_price(facts.request, before, r, v)
    if price >= NEVER or facts.vehicle[v, layout.PRICED] == 0:
        return price, 0, 0
    return price_left_out(facts.request, before, plan, v, r, price)


@inner_kernel
def price_left_out(request, before, plan, v, r, price):
    """As `price_changes`, where leaving out what vehicle v was told has a price; `price`: of the change of r alone."""
    trips = plan.chain[v, layout.TRIPS]
    left = left_out_price(request, before, plan, v, trips, r)
    if left >= NEVER:
        return NEVER, 0, 0
    more, front, first = 0, trips_left_out(plan.trip, v, trips), before.stop[before.ptr[v]]
    if first[layout.ROLE] == layout.FIRST_STOP:
        visited = front < trips and plan.trip[v, front, layout.STORE] == first[TOLD_PLACE]
        opens = request[r, layout.PICK] == first[TOLD_PLACE]
        if visited != opens:
            taken = before.change[first[TOLD_LEVEL], TAKE_PLACE]
            more = taken if visited else -taken
    return price + left, more, front


@inner_kernel
def has_room(request, vehicle, orders, trip, v, k, r):
    """Whether request r may join trip k of vehicle v: same group (an empty one: same place), a free seat, capacity."""
    if trip[v, k, layout.STORE] != request[r, layout.PICK]:
        return False
    count = trip[v, k, layout.COUNT]
    if count >= vehicle[v, layout.MAX_REQUESTS] or (count > 0 and trip[v, k, layout.KIND] != request[r, layout.GROUP]):
        return False
    row = v * (trip.shape[1] - 1) + k
    for d in range(request.shape[1] - layout.REQUEST_COLUMNS):
        total = request[r, layout.REQUEST_COLUMNS + d]
        for j in range(count):
            total += request[orders[row, j], layout.REQUEST_COLUMNS + d]
        if total > vehicle[v, layout.VEHICLE_COLUMNS + d]:
            return False
    return True


@inner_kernel
def fits(request, vehicle, allowed, v, r):
    """Whether vehicle v may carry request r alone."""
    if not is_allowed(allowed, r, v):
        return False
    for d in range(request.shape[1] - layout.REQUEST_COLUMNS):
        if request[r, layout.REQUEST_COLUMNS + d] > vehicle[v, layout.VEHICLE_COLUMNS + d]:
            return False
    return True


@inner_kernel
def price_from(trip, chain, v, k):
    """Price of vehicle v's row from trip k on."""
    total = chain[v, layout.TOTAL]
    for i in range(k):
        total -= trip[v, i, layout.COST]
    return total


@inner_kernel
def urge_after(request, orders, trip, chain, v, k):
    """Price per tick that later trips of vehicle v (k and on) would pay for a later start, waiting left aside."""
    total = 0
    for i in range(k, chain[v, layout.TRIPS]):
        row = v * (trip.shape[1] - 1) + i
        for j in range(trip[v, i, layout.COUNT]):
            total += request[orders[row, j], layout.SLOPE]
    return total


@inner_kernel
def filled_trips(trip, chain, v):
    """Trips of vehicle v that hold a request."""
    filled = 0
    for i in range(chain[v, layout.TRIPS]):
        filled += trip[v, i, layout.COUNT] > 0
    return filled


@inner_kernel
def price_with(facts, plan, v, k, r, joined, limit):
    """Added price of request r in trip k of vehicle v, re-sequenced (`joined` 1), or alone in a new one before it (0).

    NEVER where illegal or above `limit`.
    """
    orders, trip = plan.orders, plan.trip[v, k]
    trial, count, urge, store = orders.shape[0] - 3, 0, 0, facts.request[r, layout.PICK]
    if joined == 1:
        count, store, row = trip[layout.COUNT], trip[layout.STORE], v * (plan.trip.shape[1] - 1) + k
        for j in range(count):
            orders[trial, j] = orders[row, j]
        urge = urge_after(facts.request, orders, plan.trip, plan.chain, v, k + 1)
    orders[trial, count] = r
    price, free_at, origin = sequence_trip(
        facts, orders, trial, count + 1, store, v, trip[layout.AT], trip[layout.FROM], urge
    )
    if price >= NEVER:
        return NEVER
    price -= price_from(plan.trip, plan.chain, v, k)
    if price > limit:
        return NEVER
    rest = rest_price(facts, plan, v, k + joined, v, free_at, origin, True, limit - price)
    return NEVER if rest >= NEVER else price + rest


@fused_kernel
def best_in(facts, plan, v, r, change, more, front, limit):
    """(added price, trip, joined, places tried) of the cheapest place for r on vehicle v, strictly below `limit`.

    `change`, `more`, `front`: as `price_changes` gives them.
    """
    if change >= limit:
        return limit, -1, 0, 0
    request, vehicle, orders, trip, chain = facts.request, facts.vehicle, plan.orders, plan.trip, plan.chain
    best, best_k, best_joined, tried = limit - change, -1, 0, 0
    trips = chain[v, layout.TRIPS]
    full = filled_trips(trip, chain, v) + vehicle[v, layout.ABOARD] >= vehicle[v, layout.MAX_TRIPS]
    for k in range(trips):
        if has_room(request, vehicle, orders, trip, v, k, r) and not (full and trip[v, k, layout.COUNT] == 0):
            tried += 1
            extra = more if k <= front and is_left_out(trip, v, k) else 0
            price = price_with(facts, plan, v, k, r, 1, best - extra) + extra
            if price < best:
                best, best_k, best_joined = price, k, 1
    if not full:
        for k in range(chain[v, layout.FIRST], trips + 1):
            tried += 1
            extra = more if k <= front else 0
            price = price_with(facts, plan, v, k, r, 0, best - extra) + extra
            if price < best:
                best, best_k, best_joined = price, k, 0
    return best + change, best_k, best_joined, tried


@lean_kernel
def best_place(day, plan, r, limit):
    """(added price, vehicle, trip, joined, places tried) of the cheapest place for r anywhere, below `limit`.

    Vehicles come in the order of their earliest pickup; once even a delivery straight after it costs more than the
    best place found, no later vehicle can win.  The first of equals stays.
    """
    facts, near, near_at = day.facts, day.near, day.near_at
    best, best_v, best_k, best_joined, tried = limit, -1, -1, 0, 0
    group, ready = facts.request[r, layout.GROUP], facts.request[r, layout.READY]
    for i in range(near.shape[1]):
        act_at = near_at[group, i]
        if act_at >= layout.FAR:
            break
        pick_at = act_at if act_at > ready else ready
        if door_price(facts.request, r, pick_at + facts.request[r, layout.DIRECT]) >= best:
            break
        v = near[group, i]
        if fits(facts.request, facts.vehicle, day.allowed, v, r):
            change, more, front = price_changes(facts, day.before, plan, v, r)
            price, k, joined, places = best_in(facts, plan, v, r, change, more, front, best)
            tried += places
            if k >= 0:
                best, best_v, best_k, best_joined = price, v, k, joined
    return best, best_v, best_k, best_joined, tried


@inner_kernel
def time_row(day, plan, v, k):
    """`retime` of vehicle v from trip k on; the told places that it leaves out are priced with its end."""
    if not retime(day.facts, plan, v, k):
        return False
    if day.facts.vehicle[v, layout.PRICED] == 1:
        trips = plan.chain[v, layout.TRIPS]
        left = left_out_price(day.facts.request, day.before, plan, v, trips, -1)
        plan.trip[v, trips, layout.COST] += left if left < NEVER else 0
        plan.chain[v, layout.TOTAL] = NEVER if left >= NEVER else plan.chain[v, layout.TOTAL] + left
    return plan.chain[v, layout.TOTAL] < NEVER


@inner_kernel
def put_in(day, plan, r, v, k, joined):
    """Put request r into trip k of vehicle v, or into a new trip before it; False where a law breaks."""
    row = v * (plan.trip.shape[1] - 1) + k
    if joined:
        count = plan.trip[v, k, layout.COUNT]
        plan.orders[row, count] = r
        plan.trip[v, k, layout.COUNT] = count + 1
        plan.trip[v, k, layout.KIND] = day.facts.request[r, layout.GROUP]
        urge = urge_after(day.facts.request, plan.orders, plan.trip, plan.chain, v, k + 1)
        sequence_trip(
            day.facts, plan.orders, row, count + 1, plan.trip[v, k, layout.STORE],
            v, plan.trip[v, k, layout.AT], plan.trip[v, k, layout.FROM], urge,
        )  # fmt: skip
    else:
        for i in range(plan.chain[v, layout.TRIPS], k, -1):
            copy_trip(plan, v, i - 1, plan, v, i)
        plan.chain[v, layout.TRIPS] += 1
        plan.orders[row, 0] = r
        plan.trip[v, k, layout.COUNT] = 1
        plan.trip[v, k, layout.STORE] = day.facts.request[r, layout.PICK]
        plan.trip[v, k, layout.KIND] = day.facts.request[r, layout.GROUP]
        plan.trip[v, k, layout.ANCHORED] = 0
        plan.trip[v, k, layout.BOUND] = 0
    plan.where[r] = v
    return time_row(day, plan, v, k)


@inner_kernel
def copy_trip(source, v, k, plan, other, position):
    """Copy trip k of vehicle v in `source` (what is in it, not when) over trip `position` of `other` in `plan`."""
    width = plan.trip.shape[1] - 1
    for j in range(source.trip[v, k, layout.COUNT]):
        plan.orders[other * width + position, j] = source.orders[v * width + k, j]
    for c in range(layout.AT):
        plan.trip[other, position, c] = source.trip[v, k, c]


@inner_kernel
def copy_row(plan, v, other):
    """Copy the timed row of vehicle v over that of `other`; only trips that exist."""
    trips = plan.chain[v, layout.TRIPS]
    for k in range(trips):
        copy_trip(plan, v, k, plan, other, k)
    for k in range(trips + 1):
        for c in range(layout.AT, layout.TRIP_COLUMNS):
            plan.trip[other, k, c] = plan.trip[v, k, c]
    for c in range(layout.CHAIN_COLUMNS):
        plan.chain[other, c] = plan.chain[v, c]


@inner_kernel
def take_out(plan, r):
    """Take request r off its row, untimed; an unanchored trip left empty goes."""
    v = plan.where[r]
    plan.where[r] = -1
    for k in range(plan.chain[v, layout.TRIPS]):
        row = v * (plan.trip.shape[1] - 1) + k
        count = plan.trip[v, k, layout.COUNT]
        for j in range(count):
            if plan.orders[row, j] != r:
                continue
            for i in range(j, count - 1):
                plan.orders[row, i] = plan.orders[row, i + 1]
            plan.trip[v, k, layout.COUNT] = count - 1
            if count == 1 and plan.trip[v, k, layout.ANCHORED] == 0:
                for i in range(k, plan.chain[v, layout.TRIPS] - 1):
                    copy_trip(plan, v, i + 1, plan, v, i)
                plan.chain[v, layout.TRIPS] -= 1
                plan.chain[v, layout.FIRST] -= k < plan.chain[v, layout.FIRST]
            return
