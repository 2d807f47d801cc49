"""The timeline of a plan as one pass over its compressed rows (docs/solving.md, "The timeline of a stop").

Times are added in int64 and stored clipped to INFINITE, so that an unreachable leg can never wrap around.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel
from routing.problem.kernels.breaks import act_instant, arrive_with, drive_leg, place_breaks
from routing.problem.kernels.changes import change_price, does_what_it_must
from routing.problem.kernels.laws import INFINITE, NEVER, arrives_standing, door_price, is_allowed, paid_ticks

# Values of routing.problem.evaluate.Law, which a kernel cannot import without compiling an enum.
NONE, MALFORMED, NOT_ALLOWED, ABOARD_ELSEWHERE, UNREACHABLE, CAPACITY, WINDOW = 0, 1, 2, 3, 4, 5, 6
LAST_PICKUP, ROUTE_END, ON_BOARD, TRIP, KEEP_ONE_OF, TOLD, TRAVEL_LIMIT, BREAKS = 7, 8, 9, 10, 11, 12, 13, 14

WAITING, CARRIED, DELIVERED = 0, 1, 2
"""Stages of a request during the pass."""


@inner_kernel
def _misplaced(problem, request, kind, place, stage):
    """Whether an act contradicts its request: wrong place, done twice, or dropped before it was picked up."""
    if kind == 0:
        return problem.pick_place[request] != place or stage != WAITING
    return problem.drop_place[request] != place or stage != CARRIED


@inner_kernel
def _is_beyond(problem, vehicle, driven, metres):
    """Whether a route drives longer or farther than its vehicle may."""
    beyond = problem.max_drive.shape[0] > 0 and driven > problem.max_drive[vehicle]
    return beyond or (problem.max_metres.shape[0] > 0 and metres > problem.max_metres[vehicle])


@inner_kernel
def time_vehicle(problem, travel, rows, vehicle, aboard, aboard_load, stage, picked_at, timing, early, spare):
    """Time and judge one vehicle's stops; (law, request, door price, running price).

    `aboard[v]`, `aboard_load[v, d]`: goods on board at the start (the loads are used up).  `stage[r]`, `picked_at[r]`,
    `timing[4, S]` (leg, arrive, act_at, leave) are written, `early` (as `place_breaks` asks) and `spare[D]`
    overwritten.  The first broken law is reported; the pass goes on to time the rest.
    """
    law, culprit = NONE, -1
    door, running = np.int64(0), np.int64(0)
    first_stop, last_stop = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    dimensions = problem.load.shape[1]
    load = aboard_load[vehicle]
    on_board = np.int64(aboard[vehicle])
    if first_stop == last_stop:
        return law, culprit, door, running
    for a in range(rows.act_ptr[first_stop], rows.act_ptr[last_stop]):
        request = rows.act_request[a]
        if problem.pick_place[request] < 0 and problem.aboard_of[request] < 0 and stage[request] == WAITING:
            stage[request] = CARRIED
            on_board += 1
            for d in range(dimensions):
                load[d] += problem.load[request, d]
    for d in range(dimensions):
        if load[d] > problem.capacity[vehicle, d] and law == NONE:
            law = CAPACITY
    trips = 1 if on_board > 0 else 0
    trip_requests = on_board
    trip_stop, trip_store = -1, -1
    profile, paid_until = problem.profile[vehicle], np.int64(problem.paid_until[vehicle])
    pause, pauses, suited = np.int64(-1), np.int64(-1), True
    if problem.breaks.ptr.shape[0] > 0:
        pause, pauses = np.int64(problem.breaks.ptr[vehicle]), np.int64(problem.breaks.ptr[vehicle + 1])
    if pause < pauses:
        for d in range(dimensions):
            spare[d] = load[d]
        suited = place_breaks(problem, travel, rows, vehicle, spare, early)
    acts, tasks, toll, moved = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    here = problem.start_place[vehicle]
    now = max(np.int64(problem.start[vehicle]), np.int64(0))
    driven, worked, metres = np.int64(0), np.int64(0), np.int64(0)
    for stop in range(first_stop, last_stop):
        place = rows.stop_place[stop]
        leg = np.int64(0)
        if place != here:
            leg = np.int64(travel.ticks[profile, here, place])
            if travel.metres.shape[0] > 0:
                metres += travel.metres[profile, here, place]
            if travel.toll.shape[0] > 0:
                toll += travel.toll[profile, here, place]
            if leg >= INFINITE and law == NONE:
                law = UNREACHABLE
        elif stop == first_stop and arrives_standing(problem, vehicle, place):
            now = np.int64(problem.start[vehicle])
        drive = drive_leg(travel, profile, here, place, leg)
        arrive = now + leg
        if pause < pauses:
            taken = early[3 + stop - first_stop, 0]
            arrive = max(arrive_with(problem.breaks, pause, taken, now, drive), now) + leg - drive
            pause += taken
        begin, finish = rows.act_ptr[stop], rows.act_ptr[stop + 1]
        acting = finish > begin
        base = arrive + problem.enter[place] if acting else arrive
        at = act_instant(problem, rows, stop, base - (leg - drive))
        if at >= 0:
            at += leg - drive
        if at < 0:
            at = max(base, np.int64(0))
            if law == NONE:
                law, culprit = WINDOW, rows.act_request[begin]
        now = at
        for a in range(begin, finish):
            request, kind = rows.act_request[a], rows.act_kind[a]
            now += problem.act[request, kind]
            tasks += problem.act[request, kind]
            acts += 1
            if law == NONE:
                if _misplaced(problem, request, kind, place, stage[request]):
                    law, culprit = MALFORMED, request
                elif not is_allowed(problem.allowed, request, vehicle):
                    law, culprit = NOT_ALLOWED, request
                elif problem.aboard_of[request] >= 0 and problem.aboard_of[request] != vehicle:
                    law, culprit = ABOARD_ELSEWHERE, request
            if kind == 0:
                if at > problem.last_pickup[vehicle] and law == NONE:
                    law, culprit = LAST_PICKUP, request
                if on_board == 0:
                    trips += 1
                    trip_requests, trip_stop, trip_store = np.int64(0), stop, problem.store[request]
                else:
                    mixed = trip_stop != stop or trip_store != problem.store[request]
                    if problem.trip_rule == 1 and mixed and law == NONE:
                        law, culprit = TRIP, request
                stage[request], picked_at[request] = CARRIED, at
                on_board += 1
                trip_requests += 1
                for d in range(dimensions):
                    load[d] += problem.load[request, d]
                    if load[d] > problem.capacity[vehicle, d] and law == NONE:
                        law, culprit = CAPACITY, request
            else:
                too_long = at - picked_at[request] > problem.max_on_board[request]
                if problem.pick_place[request] >= 0 and too_long and law == NONE:
                    law, culprit = ON_BOARD, request
                stage[request] = DELIVERED
                on_board -= 1
                for d in range(dimensions):
                    load[d] -= problem.load[request, d]
                    if problem.load_back.shape[0] > 0:
                        load[d] += problem.load_back[request, d]
                        if load[d] > problem.capacity[vehicle, d] and law == NONE:
                            law, culprit = CAPACITY, request
                door += door_price(problem, request, at)
            if law == NONE and (trips > problem.max_trips[vehicle] or trip_requests > problem.max_requests[vehicle]):
                law, culprit = TRIP, request
        if acting:
            now += problem.exit[place]
        driven += drive
        moved += leg - drive
        worked += paid_ticks(arrive - leg, base, paid_until) + paid_ticks(at, now, paid_until)
        timing[0, stop], timing[1, stop] = min(leg, INFINITE), min(arrive, INFINITE)
        timing[2, stop], timing[3, stop] = min(at, INFINITE), min(now, INFINITE)
        here = place
    if problem.end_place[vehicle] >= 0 and problem.end_place[vehicle] != here:
        leg = np.int64(travel.ticks[profile, here, problem.end_place[vehicle]])
        if travel.metres.shape[0] > 0:
            metres += travel.metres[profile, here, problem.end_place[vehicle]]
        if travel.toll.shape[0] > 0:
            toll += travel.toll[profile, here, problem.end_place[vehicle]]
        if leg >= INFINITE and law == NONE:
            law = UNREACHABLE
        driven += leg
        worked += paid_ticks(now, now + leg, paid_until)
    else:
        leg = np.int64(0)
    if pause < pauses:
        now = max(arrive_with(problem.breaks, pause, pauses - pause, now, leg), now)
    else:
        now += leg
    if not suited and law == NONE:
        law = BREAKS
    if now > problem.end[vehicle] and law == NONE:
        law = ROUTE_END
    if law == NONE and problem.max_acts.shape[0] > 0 and acts > problem.max_acts[vehicle]:
        law = TRIP
    if law == NONE and _is_beyond(problem, vehicle, driven, metres):
        law = TRAVEL_LIMIT
    for a in range(rows.act_ptr[first_stop], rows.act_ptr[last_stop]):
        request = rows.act_request[a]
        if stage[request] == CARRIED and problem.drop_place[request] >= 0 and law == NONE:
            law, culprit = MALFORMED, request
    running = (
        problem.fixed[vehicle]
        + problem.per_drive[vehicle] * driven
        + problem.per_work[vehicle] * worked
        + problem.per_metre[vehicle] * metres
    )
    if problem.per_task.shape[0] > 0:
        running += problem.per_task[vehicle] * (moved + tasks)
    if problem.per_toll.shape[0] > 0:
        running += problem.per_toll[vehicle] * toll
    return law, culprit, door, running


@lean_kernel
def time_plan(problem, travel, rows, timing, totals, aboard, aboard_load, stage, picked_at, carrier, early, spare):
    """Time every vehicle; (first broken law, vehicle, request).

    `timing` int32[4, S]; `totals` int64[5]: door-time, running, skipping, changes, rank of what is left out.
    Scratch: `aboard` int32[V], `aboard_load` int64[V, D], `stage` int8[R], `picked_at` int64[R], all zero; `carrier`
    int32[2, R], all -1: who carries a request in the rows, in the told plan; `early` int64[S + 4, breaks + 1] and
    `spare` int64[D].
    """
    vehicles, requests = len(problem.start_place), len(problem.pick_place)
    carrier, told_carrier = carrier[0], carrier[1]
    for request in range(requests):
        owner = problem.aboard_of[request]
        if owner >= 0:
            stage[request] = CARRIED
            aboard[owner] += 1
            for d in range(problem.load.shape[1]):
                aboard_load[owner, d] += problem.load[request, d]
    law, culprit_vehicle, culprit = NONE, -1, -1
    for vehicle in range(vehicles):
        for stop in range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]):
            for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
                request = rows.act_request[a]
                if carrier[request] >= 0 and carrier[request] != vehicle and law == NONE:
                    law, culprit_vehicle, culprit = MALFORMED, vehicle, request
                carrier[request] = vehicle
        told = problem.told
        for stop in range(told.stop_ptr[vehicle], told.stop_ptr[vehicle + 1]):
            for a in range(told.act_ptr[stop], told.act_ptr[stop + 1]):
                told_carrier[told.act_request[a]] = vehicle
    for vehicle in range(vehicles):
        broken, request, door, running = time_vehicle(
            problem, travel, rows, vehicle, aboard, aboard_load, stage, picked_at, timing, early, spare
        )
        changes = change_price(problem, rows, vehicle, carrier, told_carrier)
        if broken == NONE and changes >= NEVER:
            broken = TOLD
        if broken == NONE and not does_what_it_must(problem, rows, vehicle):
            broken = KEEP_ONE_OF
        if broken != NONE and law == NONE:
            law, culprit_vehicle, culprit = broken, vehicle, request
        totals[0] += door
        totals[1] += running
        if changes < NEVER:
            totals[3] += changes
    for request in range(requests):
        stays = problem.aboard_of[request] >= 0 and problem.drop_place[request] < 0
        if carrier[request] < 0 and not stays:
            totals[2] += problem.skip_cost[request]
            if problem.rank.shape[0] > 0:
                totals[4] += problem.rank[request]
    return law, culprit_vehicle, culprit
