"""The timeline of a plan as one pass over its compressed rows (docs/solving.md, "The timeline of a stop").

Times are added in int64 and stored clipped to INFINITE, so that an unreachable leg can never wrap around.

    here   leg, breaks on it     place
     o---------------------------o-------|. . . . .|-------|------|----- next leg, or the way to the end
    now                       arrive    base       at                now again
                                 | enter |  wait   | acts  | exit |
    A stop without acts at a reload place: what returns is unloaded, what follows is loaded; the load counts anew.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inner_kernel, lean_kernel
from routing.problem.kernels.breaks import act_instant, arrive_with, drive_leg, place_breaks
from routing.problem.kernels.changes import change_price, does_what_it_must
from routing.problem.kernels.durations import latest_start
from routing.problem.kernels.own_laws import INFINITE, NEVER, arrives_standing, door_price, is_allowed, paid_ticks
from routing.problem.kernels.reloads import is_reload, next_reload, note_returning, ready_from, unload
from routing.problem.kernels.stretches import place_in_stretches

# Values of routing.problem.law.Law, which a kernel cannot import without compiling an enum.
NONE, MALFORMED, NOT_ALLOWED, ABOARD_ELSEWHERE, UNREACHABLE, CAPACITY, WINDOW = 0, 1, 2, 3, 4, 5, 6
LAST_PICKUP, ROUTE_END, ON_BOARD, TRIP, MUST_KEEP, TOLD, TRAVEL_LIMIT, BREAKS = 7, 8, 9, 10, 11, 12, 13, 14
RELOAD = 15

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
def _load_up(problem, rows, vehicle, stop, trip, space):
    """Put on board what is dropped from `stop` on without a pickup, up to the next reload; how many requests."""
    count, load = np.int64(0), space.aboard_load[vehicle]
    for a in range(rows.act_ptr[stop], rows.act_ptr[next_reload(problem, rows, vehicle, stop)]):
        request = rows.act_request[a]
        if problem.pick_place[request] < 0 and problem.aboard_of[request] < 0 and space.stage[request] == WAITING:
            space.stage[request] = CARRIED
            space.carrier[2, request] = trip
            count += 1
            for d in range(problem.load.shape[1]):
                load[d] += problem.load[request, d]
    return count


@inner_kernel
def _too_full(problem, vehicle, load):
    """Whether more is on board than the vehicle holds."""
    full = False
    for d in range(problem.load.shape[1]):
        full = full or load[d] > problem.capacity[vehicle, d]
    return full


@inner_kernel
def _load_price(problem, vehicle, load):
    """Price of a kilometre with so much on board."""
    price = np.int64(0)
    for d in range(problem.load.shape[1]):
        price += problem.per_load_km[vehicle, d] * load[d]
    return price


@inner_kernel
def _plan_breaks(problem, travel, rows, vehicle, leaves, space):
    """Write into space.early how many breaks each leg takes; False where they suit no legs."""
    dimensions = problem.load.shape[1]
    space.spare[1, dimensions] = 0
    for d in range(dimensions):
        space.spare[0, d], space.spare[1, d] = space.aboard_load[vehicle, d], 0
        if problem.reloads.ptr.shape[0] > 0:
            space.spare[1, d] = space.returning[vehicle, d]
    if problem.max_stretch.shape[0] > 0:
        return place_in_stretches(problem, travel, rows, vehicle, leaves, space.spare, space.early)
    return place_breaks(problem, travel, rows, vehicle, leaves, space.spare, space.early)


@fused_kernel
def time_vehicle(problem, travel, rows, vehicle, timing, space):
    """Time and judge one vehicle's stops; (law, request, door price, running price).

    `timing[4, S]` (leg, arrive, act_at, leave) and `space` (routing.problem.evaluate.Workspace; the loads on board at
    the start are used up) are written.  The first broken law is reported; the pass goes on to time the rest.
    """
    law, culprit = NONE, -1
    door, running = np.int64(0), np.int64(0)
    first_stop, last_stop = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    dimensions = problem.load.shape[1]
    load, stage, picked_at, early = space.aboard_load[vehicle], space.stage, space.picked_at, space.early
    on_board = np.int64(space.aboard[vehicle])
    if first_stop == last_stop:
        return law, culprit, door, running
    on_board += _load_up(problem, rows, vehicle, first_stop, 1, space)
    if _too_full(problem, vehicle, load):
        law = CAPACITY
    trips = 1 if on_board > 0 else 0
    trip_requests = on_board
    trip_stop, trip_store = -1, -1
    profile, paid_until = problem.profile[vehicle], np.int64(problem.paid_until[vehicle])
    reloading, weighed = problem.reloads.ptr.shape[0] > 0, problem.per_load_km.shape[0] > 0
    here = problem.start_place[vehicle]
    now = max(np.int64(problem.start[vehicle]), np.int64(0))
    if reloading:
        now = max(now, ready_from(problem, rows, vehicle, first_stop))
    pause, pauses, suited = np.int64(-1), np.int64(-1), True
    if problem.breaks.ptr.shape[0] > 0:
        pause, pauses = np.int64(problem.breaks.ptr[vehicle]), np.int64(problem.breaks.ptr[vehicle + 1])
    resting = pause < pauses
    if resting:
        suited = _plan_breaks(problem, travel, rows, vehicle, now, space)
    acts, tasks, toll, moved, reloads = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    driven, worked, metres, carried, busy = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for stop in range(first_stop, last_stop):
        place = rows.stop_place[stop]
        leg = np.int64(0)
        if place != here:
            leg = np.int64(travel.ticks[profile, here, place])
            if travel.metres.shape[0] > 0:
                metres += travel.metres[profile, here, place]
                if weighed:
                    carried += travel.metres[profile, here, place] * _load_price(problem, vehicle, load)
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
        refill = reloading and is_reload(problem, rows, vehicle, stop)
        acting = finish > begin or refill
        base = arrive + problem.enter[place] if acting else arrive
        at = act_instant(problem, rows, stop, base - (leg - drive))
        if at >= 0:
            at += leg - drive
        if at < 0:
            at = max(base, np.int64(0))
            if law == NONE:
                law, culprit = WINDOW, rows.act_request[begin]
        if refill:
            at = max(base, max(ready_from(problem, rows, vehicle, stop + 1), np.int64(0)))
            reloads += 1
            on_board -= unload(problem, load, space.returning[vehicle])
            fresh = _load_up(problem, rows, vehicle, stop + 1, trips + 1, space)
            on_board += fresh
            if fresh > 0:
                trips += 1
                trip_requests, trip_stop, trip_store = on_board, -1, -1
            if _too_full(problem, vehicle, load) and law == NONE:
                law = CAPACITY
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
            if reloading:
                note_returning(problem, request, kind, space.returning[vehicle])
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
                space.carrier[2, request] = trips
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
            busy += problem.enter[place] + now - at
        busy += leg
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
            if weighed:
                way = travel.metres[profile, here, problem.end_place[vehicle]]
                carried += way * _load_price(problem, vehicle, load)
        if travel.toll.shape[0] > 0:
            toll += travel.toll[profile, here, problem.end_place[vehicle]]
        if leg >= INFINITE and law == NONE:
            law = UNREACHABLE
        driven += leg
        worked += paid_ticks(now, now + leg, paid_until)
    else:
        leg = np.int64(0)
    if problem.max_stretch.shape[0] > 0 and not resting:
        suited = busy + leg <= problem.max_stretch[vehicle]
    if pause < pauses:
        now = max(arrive_with(problem.breaks, pause, pauses - pause, now, leg), now)
    else:
        now += leg
    space.ends[vehicle] = min(now, np.int64(INFINITE))
    if not suited and law == NONE:
        law = BREAKS
    if now > problem.end[vehicle] and law == NONE:
        law = ROUTE_END
    if law == NONE and problem.max_acts.shape[0] > 0 and acts > problem.max_acts[vehicle]:
        law = TRIP
    if law == NONE and _is_beyond(problem, vehicle, driven, metres):
        law = TRAVEL_LIMIT
    if law == NONE and problem.max_duration.shape[0] > 0:
        begins = latest_start(problem, travel, rows, vehicle, now)
        law = TRAVEL_LIMIT if now - begins > problem.max_duration[vehicle] else NONE
    if law == NONE and reloading and reloads > problem.reloads.most[vehicle]:
        law = RELOAD
    for a in range(rows.act_ptr[first_stop], rows.act_ptr[last_stop]):
        request = rows.act_request[a]
        if stage[request] == CARRIED and problem.drop_place[request] >= 0 and law == NONE:
            law, culprit = MALFORMED, request
    running = (
        problem.fixed[vehicle]
        + problem.per_drive[vehicle] * driven
        + problem.per_work[vehicle] * worked
        + problem.per_metre[vehicle] * metres
        + carried // 1000
    )
    if problem.per_task.shape[0] > 0:
        running += problem.per_task[vehicle] * (moved + tasks)
    if problem.per_toll.shape[0] > 0:
        running += problem.per_toll[vehicle] * toll
    return law, culprit, door, running


@lean_kernel
def time_plan(problem, travel, rows, timing, totals, space):
    """Time every vehicle; (first broken law, vehicle, request).

    `timing` int32[4, S]; `totals` int64[5]: door-time, running, skipping, changes, rank of what is left out; `space`:
    zeroes and -1 as routing.problem.evaluate.Workspace asks.
    """
    vehicles, requests, dimensions = len(problem.start_place), len(problem.pick_place), problem.load.shape[1]
    carrier, carrier_before = space.carrier[0], space.carrier[1]
    for request in range(requests):
        owner = problem.aboard_of[request]
        if owner >= 0:
            space.stage[request] = CARRIED
            space.carrier[2, request] = 1
            space.aboard[owner] += 1
            for d in range(dimensions):
                space.aboard_load[owner, d] += problem.load[request, d]
            if problem.reloads.ptr.shape[0] > 0 and problem.drop_place[request] < 0:
                note_returning(problem, request, 0, space.returning[owner])
    law, culprit_vehicle, culprit = NONE, -1, -1
    for vehicle in range(vehicles):
        for stop in range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]):
            for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
                request = rows.act_request[a]
                if carrier[request] >= 0 and carrier[request] != vehicle and law == NONE:
                    law, culprit_vehicle, culprit = MALFORMED, vehicle, request
                carrier[request] = vehicle
        before = problem.before
        for stop in range(before.stop_ptr[vehicle], before.stop_ptr[vehicle + 1]):
            for a in range(before.act_ptr[stop], before.act_ptr[stop + 1]):
                carrier_before[before.act_request[a]] = vehicle
    for vehicle in range(vehicles):
        broken, request, door, running = time_vehicle(problem, travel, rows, vehicle, timing, space)
        changes = change_price(problem, rows, vehicle, carrier, carrier_before)
        if broken == NONE and changes >= NEVER:
            broken = TOLD
        if broken == NONE and not does_what_it_must(problem, rows, vehicle):
            broken = MUST_KEEP
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
