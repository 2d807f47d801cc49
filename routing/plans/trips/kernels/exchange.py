"""Prices of whole plans on other vehicles, for the exact assignment; and the exchange itself.

A vehicle's plan is what comes after its anchored trips; those stay with it.
"""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.places import change_price, copy_trip, filled_trips, fits, left_out_price, time_row
from routing.plans.trips.kernels.timeline import end_price, rest_price

NEVER = layout.NEVER


@inner_kernel
def may_take(day, plan, owner, v):
    """Whether vehicle v may carry out the free trips of `owner` by every law that does not depend on time."""
    filled = filled_trips(plan.trip, plan.chain, owner) + day.facts.vehicle[v, layout.ABOARD]
    for k in range(plan.chain[v, layout.FIRST]):
        filled += plan.trip[v, k, layout.COUNT] > 0
    for k in range(plan.chain[owner, layout.TRIPS]):
        count = plan.trip[owner, k, layout.COUNT]
        if k < plan.chain[owner, layout.FIRST]:
            filled -= count > 0
            continue
        if count > day.facts.vehicle[v, layout.MAX_REQUESTS]:
            return False
        row = owner * (plan.trip.shape[1] - 1) + k
        for j in range(count):
            if not fits(day.facts.request, day.facts.vehicle, day.allowed, v, plan.orders[row, j]):
                return False
        for d in range(day.facts.request.shape[1] - layout.REQUEST_COLUMNS):
            total = 0
            for j in range(count):
                total += day.facts.request[plan.orders[row, j], layout.REQUEST_COLUMNS + d]
            if total > day.facts.vehicle[v, layout.VEHICLE_COLUMNS + d]:
                return False
    return filled <= day.facts.vehicle[v, layout.MAX_TRIPS]


@inner_kernel
def price_without(day, plan, v):
    """Price of vehicle v's end if it had no plan; NEVER where it could not end there."""
    first = plan.chain[v, layout.FIRST]
    return end_price(
        day.facts.vehicle,
        day.facts.legs,
        v,
        plan.trip[v, first, layout.AT],
        plan.trip[v, first, layout.FROM],
        first > 0,
    )


@inner_kernel
def change_of_plan(day, plan, owner, v):
    """Price of the change against what was told if vehicle v had the plan of `owner`."""
    total = 0
    for k in range(plan.chain[owner, layout.FIRST], plan.chain[owner, layout.TRIPS]):
        for j in range(plan.trip[owner, k, layout.COUNT]):
            r = plan.orders[owner * (plan.trip.shape[1] - 1) + k, j]
            price = change_price(day.facts.request, day.before, r, v)
            if price >= NEVER:
                return NEVER
            total += price
    return total


@inner_kernel
def leaves_out(day, plan, v):
    """Whether the anchored trips of vehicle v alone leave out a told place at a price: then its plan stays with it."""
    if day.facts.vehicle[v, layout.PRICED] == 0:
        return False
    first = plan.chain[v, layout.FIRST]
    return left_out_price(day.facts.request, day.before, plan, v, first, -1) > 0


@lean_kernel
def price_plans(day, plan, owners, reach, prices):
    """Fill prices[i, c] with what vehicle reach[i, c] would pay more for the plan of owners[i] than for none.

    owners: int32[n]; reach: int32[n, C], -1 for none.  NEVER: illegal.  Gives back the plans tried.
    """
    tried = 0
    for i in range(len(owners)):
        owner = owners[i]
        stays = price_without(day, plan, owner) >= NEVER or leaves_out(day, plan, owner)
        for c in range(reach.shape[1]):
            prices[i, c] = NEVER
            v = reach[i, c]
            if v < 0 or (v != owner and (stays or leaves_out(day, plan, v) or not may_take(day, plan, owner, v))):
                continue
            tried += 1
            change = change_of_plan(day, plan, owner, v)
            first = plan.chain[v, layout.FIRST]
            free_at, origin = plan.trip[v, first, layout.AT], plan.trip[v, first, layout.FROM]
            without = price_without(day, plan, v)
            without = 0 if stays else without
            begin = plan.chain[owner, layout.FIRST]
            price = rest_price(day.facts, plan, owner, begin, v, free_at, origin, first > 0, NEVER)
            if price < NEVER and without < NEVER and change < NEVER:
                prices[i, c] = price - without + change
    return tried


@lean_kernel
def exchange(day, source, plan, owners, takers):
    """Give the plan of owners[i] to takers[i], each plan as it is in `source` (a copy); False where a law breaks."""
    for i in range(len(owners)):
        plan.chain[owners[i], layout.TRIPS] = plan.chain[owners[i], layout.FIRST]
    for i in range(len(owners)):
        owner, v = owners[i], takers[i]
        for k in range(source.chain[owner, layout.FIRST], source.chain[owner, layout.TRIPS]):
            position = plan.chain[v, layout.TRIPS]
            copy_trip(source, owner, k, plan, v, position)
            plan.chain[v, layout.TRIPS] = position + 1
            for j in range(plan.trip[v, position, layout.COUNT]):
                plan.where[plan.orders[v * (plan.trip.shape[1] - 1) + position, j]] = v
    legal = True
    for i in range(len(owners)):
        legal = time_row(day, plan, owners[i], 0) and legal
        legal = time_row(day, plan, takers[i], 0) and legal
    return legal
