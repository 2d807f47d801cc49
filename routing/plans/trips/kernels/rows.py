"""Between compressed rows and the planner's arrays: read what was told, write what is planned."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.places import copy_trip, fits, has_room, take_out, time_row
from routing.plans.trips.kernels.timeline import drop_off, is_left_out, shares_stop
from routing.problem.kernels.laws import TAKE_PLACE, TOLD_LEVEL, TOLD_PLACE

NEVER = layout.NEVER
PICKUP = 0
DROP = 1
TENTATIVE = 0


@inner_kernel
def read_row(day, plan, rows, stop_level, aboard_of, head, v):
    """Read the told row of vehicle v: drops of goods on board into `head`, trips into `plan`; the length of the head.

    An order of a tentative trip that no longer fits is left out, to be put in anew.
    """
    heads = 0
    k = -1
    for s in range(rows.stop_ptr[v], rows.stop_ptr[v + 1]):
        begin, end = rows.act_ptr[s], rows.act_ptr[s + 1]
        anchored = stop_level[s] > TENTATIVE
        picks = 0
        for a in range(begin, end):
            picks += rows.act_kind[a] == PICKUP
        if picks > 0 or (begin == end and anchored):
            k = plan.chain[v, layout.TRIPS]
            plan.chain[v, layout.TRIPS] = k + 1
            if anchored:
                plan.chain[v, layout.FIRST] = k + 1
            plan.trip[v, k, layout.COUNT] = 0
            plan.trip[v, k, layout.STORE] = rows.stop_place[s]
            plan.trip[v, k, layout.KIND] = day.facts.request[rows.act_request[begin], layout.GROUP] if picks > 0 else -1
            plan.trip[v, k, layout.ANCHORED] = anchored
            plan.trip[v, k, layout.BOUND] = day.before.change[stop_level[s], TAKE_PLACE] >= NEVER
        for a in range(begin, end):
            r = rows.act_request[a]
            if rows.act_kind[a] == PICKUP:
                continue
            if aboard_of[r] == v:
                head[v, heads] = r
                heads += 1
                plan.where[r] = v
                continue
            count = plan.trip[v, k, layout.COUNT]
            room = fits(day.facts.request, day.facts.vehicle, day.allowed, v, r)
            room = room and has_room(day.facts.request, day.facts.vehicle, plan.orders, plan.trip, v, k, r)
            if plan.trip[v, k, layout.ANCHORED] == 1 or room:
                plan.orders[v * (plan.trip.shape[1] - 1) + k, count] = r
                plan.trip[v, k, layout.COUNT] = count + 1
                plan.where[r] = v
    return heads


@inner_kernel
def drop_empty(plan, v):
    """Remove unanchored trips without requests from the row of vehicle v."""
    kept = 0
    for k in range(plan.chain[v, layout.TRIPS]):
        if plan.trip[v, k, layout.COUNT] == 0 and plan.trip[v, k, layout.ANCHORED] == 0:
            plan.chain[v, layout.FIRST] -= kept < plan.chain[v, layout.FIRST]
            continue
        copy_trip(plan, v, k, plan, v, kept)
        kept += 1
    plan.chain[v, layout.TRIPS] = kept


@inner_kernel
def run_head(day, head, heads, v, start_place, start):
    """(price, leave) of the drops of what vehicle v has on board."""
    return drop_off(day.facts, head, v, heads, v, -layout.FAR, start, start_place, NEVER)


@inner_kernel
def start_row(day, head, heads, v, start_place, start):
    """Drive the head of vehicle v and note when and where it is free; False where that breaks a law."""
    price, free_at = run_head(day, head, heads, v, start_place, start)
    if price >= NEVER:
        return False
    day.facts.vehicle[v, layout.FREE_AT] = free_at
    day.facts.vehicle[v, layout.FREE_PLACE] = (
        day.facts.request[head[v, heads - 1], layout.DROP] if heads > 0 else start_place
    )
    day.facts.vehicle[v, layout.ABOARD] = heads > 0
    return True


@inner_kernel
def place_in_head(day, head, heads, v, start_place, start, r):
    """Put on-board request r where it makes the head of vehicle v cheapest."""
    best, best_i = NEVER, heads
    for i in range(heads, -1, -1):
        head[v, i] = r
        price, _ = run_head(day, head, heads + 1, v, start_place, start)
        if price <= best:
            best, best_i = price, i
        if i > 0:
            head[v, i], head[v, i - 1] = head[v, i - 1], head[v, i]
    for i in range(best_i):
        head[v, i], head[v, i + 1] = head[v, i + 1], head[v, i]


@inner_kernel
def note_priced(day, head, heads, v):
    """Note which told places the drops of the head keep, and whether leaving any other out has a price."""
    for s in range(day.before.ptr[v], day.before.ptr[v + 1]):
        for j in range(heads):
            # A row that begins with the head keeps or loses its told first stop whatever is planned.
            if (
                day.before.stop[s, layout.ROLE] == layout.FIRST_STOP
                or day.facts.request[head[v, j], layout.DROP] == day.before.stop[s, TOLD_PLACE]
            ):
                day.before.stop[s, layout.ROLE] = layout.KEPT
        if (
            day.before.stop[s, layout.ROLE] != layout.KEPT
            and day.before.change[day.before.stop[s, TOLD_LEVEL], TAKE_PLACE] > 0
        ):
            day.facts.vehicle[v, layout.PRICED] = 1


@inner_kernel
def settle_row(day, plan, v):
    """Make the told row of vehicle v legal: the last trips give up what may go; False where that is not enough.

    What must stay is late by no fault of this round: then the vehicle's own limits give way.
    """
    if time_row(day, plan, v, 0):
        return True
    for k in range(plan.chain[v, layout.TRIPS] - 1, -1, -1):
        for j in range(plan.trip[v, k, layout.COUNT] - 1, -1, -1):
            r = plan.orders[v * (plan.trip.shape[1] - 1) + k, j]
            if day.facts.request[r, layout.TAKE] < NEVER:
                take_out(plan, r)
                if time_row(day, plan, v, 0):
                    return True
    day.facts.vehicle[v, layout.LAST_PICKUP] = layout.FAR
    day.facts.vehicle[v, layout.END] = layout.FAR
    for k in range(plan.chain[v, layout.TRIPS]):
        for j in range(plan.trip[v, k, layout.COUNT]):
            day.facts.request[plan.orders[v * (plan.trip.shape[1] - 1) + k, j], layout.BOARD] = 2 * layout.FAR
    return time_row(day, plan, v, 0)


@inner_kernel
def freeze_row(day, plan, rows, v):
    """Leave the row of vehicle v as it was told, because it cannot be driven: nothing joins it, nothing leaves it."""
    plan.chain[v, layout.TRIPS] = 0
    plan.chain[v, layout.FIRST] = 0
    plan.chain[v, layout.TOTAL] = 0
    for r in range(len(plan.where)):
        day.allowed[r, v >> 6] &= ~(np.uint64(1) << np.uint64(v & 63))
        plan.where[r] = -1 if plan.where[r] == v else plan.where[r]
    for a in range(rows.act_ptr[rows.stop_ptr[v]], rows.act_ptr[rows.stop_ptr[v + 1]]):
        r = rows.act_request[a]
        plan.where[r] = v
        day.facts.request[r, layout.TAKE] = NEVER


@lean_kernel
def read_rows(day, plan, rows, stop_level, aboard_of, start_place, start, head, heads):
    """Read every told row.

    heads[v]: drops of goods on board, or -1 for a row that is frozen because it cannot be driven as it was told.
    """
    for v in range(len(start)):
        heads[v] = read_row(day, plan, rows, stop_level, aboard_of, head, v)
    for r in range(len(aboard_of)):
        v = aboard_of[r]
        if v >= 0 and plan.where[r] < 0:
            place_in_head(day, head, heads[v], v, start_place[v], start[v], r)
            heads[v] += 1
            plan.where[r] = v
    for v in range(len(start)):
        legal = start_row(day, head, heads[v], v, start_place[v], start[v])
        drop_empty(plan, v)
        note_priced(day, head, heads[v], v)
        if not (legal and settle_row(day, plan, v)):
            freeze_row(day, plan, rows, v)
            heads[v] = -1


@inner_kernel
def copy_before(rows, v, stops, acts, out):
    """Append the row of vehicle v as it was before: (stops, acts)."""
    for s in range(rows.stop_ptr[v], rows.stop_ptr[v + 1]):
        out.stop_place[stops] = rows.stop_place[s]
        stops += 1
        for a in range(rows.act_ptr[s], rows.act_ptr[s + 1]):
            out.act_request[acts], out.act_kind[acts] = rows.act_request[a], rows.act_kind[a]
            acts += 1
        out.act_ptr[stops] = acts
    return stops, acts


@inner_kernel
def write_drops(facts, orders, row, count, stops, acts, out):
    """Append the drop stops of a row of requests, some of which share one: (stops, acts)."""
    for j in range(count):
        r = orders[row, j]
        if not shares_stop(facts.request, facts.window, orders, row, j):
            out.stop_place[stops] = facts.request[r, layout.DROP]
            stops += 1
        out.act_request[acts], out.act_kind[acts] = r, DROP
        acts += 1
        out.act_ptr[stops] = acts
    return stops, acts


@lean_kernel
def write_rows(day, plan, before, head, heads, out):
    """Write the plan into the arrays of `out`, Rows that are long enough: (stops, acts)."""
    stops, acts = 0, 0
    for v in range(len(heads)):
        if heads[v] < 0:
            stops, acts = copy_before(before, v, stops, acts, out)
        stops, acts = write_drops(day.facts, head, v, heads[v], stops, acts, out)
        for k in range(plan.chain[v, layout.TRIPS]):
            count = plan.trip[v, k, layout.COUNT]
            if is_left_out(plan.trip, v, k):
                continue
            out.stop_place[stops] = plan.trip[v, k, layout.STORE]
            stops += 1
            row = v * (plan.trip.shape[1] - 1) + k
            for j in range(count):
                out.act_request[acts], out.act_kind[acts] = plan.orders[row, j], PICKUP
                acts += 1
            out.act_ptr[stops] = acts
            stops, acts = write_drops(day.facts, plan.orders, row, count, stops, acts, out)
        out.stop_ptr[v + 1] = stops
    return stops, acts
