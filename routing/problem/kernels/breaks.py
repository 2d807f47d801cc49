"""Breaks on a leg: taken in their order, anywhere on the way, each beginning in one of its windows.

Of a leg as much is driven before a break as its window leaves time for; earlier arrivals are never worse, since nothing
here costs time alone.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.problem.kernels.own_laws import opens_at
from routing.problem.kernels.reloads import NO_RELOAD, is_reload, load_from, note_returning, reload_ready, unload


@inner_kernel
def first_in(windows, at):
    """The earliest tick from `at` on inside one of windows[K, 2], -1 where none is left."""
    best = np.int64(-1)
    for k in range(windows.shape[0]):
        opening = max(at, np.int64(windows[k, 0]))
        if opening <= windows[k, 1] and (best < 0 or opening < best):
            best = opening
    return best


@inner_kernel
def last_in(windows, at):
    """The latest tick up to `at` inside one of windows[K, 2], -1 where there is none from tick 0 on."""
    best = np.int64(-1)
    for k in range(windows.shape[0]):
        closing = min(at, np.int64(windows[k, 1]))
        if closing >= windows[k, 0]:
            best = max(best, closing)
    return best


@inner_kernel
def arrive_with(breaks, first, count, leave, drive):
    """When a leg of `drive` ticks, left at `leave`, ends with breaks first..first + count - 1 on it; -1 where none."""
    now, rest = leave, drive
    for b in range(first, first + count):
        begins = first_in(breaks.window[b], now)
        if begins < 0:
            return begins
        rest -= min(rest, begins - now)
        now = begins + breaks.service[b]
    return now + rest


@inner_kernel
def leave_with(breaks, first, count, arrive, drive):
    """The latest tick to leave for a leg that must end by `arrive` with these breaks on it; negative where none."""
    now, rest = arrive, drive
    for b in range(first + count - 1, first - 1, -1):
        behind = now - breaks.service[b]
        begins = last_in(breaks.window[b], behind)
        if begins < 0:
            return begins
        rest -= min(rest, behind - begins)
        now = begins
    return now - rest


@inner_kernel
def act_instant(problem, rows, stop, base):
    """The first tick from `base` on at which every act of the stop may happen, -1 where there is none."""
    at = max(base, np.int64(0))
    begin, finish = rows.act_ptr[stop], rows.act_ptr[stop + 1]
    for a in range(begin, finish):
        if rows.act_kind[a] == 0:
            at = max(at, np.int64(problem.ready[rows.act_request[a]]))
    moved = True
    while moved:
        moved = False
        for a in range(begin, finish):
            opening = opens_at(problem.window, rows.act_request[a], rows.act_kind[a], at)
            if opening < 0:
                return opening
            if opening > at:
                at = opening
                moved = True
    return at


@inner_kernel
def drive_leg(travel, profile, here, place, leg):
    """Ticks of a leg that are driving, the setup left out."""
    if travel.drive.shape[0] == 0 or leg == 0:
        return leg
    return np.int64(travel.drive[profile, here, place])


@inner_kernel
def leg_of(problem, travel, rows, vehicle, stop):
    """Ticks of the vehicle's leg to the stop (one past its last: to its end), and those of them that are driving."""
    profile = problem.profile[vehicle]
    here = problem.start_place[vehicle] if stop == rows.stop_ptr[vehicle] else rows.stop_place[stop - 1]
    place = rows.stop_place[stop] if stop < rows.stop_ptr[vehicle + 1] else problem.end_place[vehicle]
    leg = np.int64(0)
    if place >= 0 and place != here:
        leg = np.int64(travel.ticks[profile, here, place])
    return leg, drive_leg(travel, profile, here, place, leg)


@inner_kernel
def leave_after(problem, rows, stop, arrive, setup, ready):
    """When a stop is left whose driving ends at `arrive`; -1 where its acts have no instant.

    `ready`: see `reload_ready`.
    """
    place = rows.stop_place[stop]
    begin, finish = rows.act_ptr[stop], rows.act_ptr[stop + 1]
    leave = arrive + setup
    if finish > begin:
        at = act_instant(problem, rows, stop, arrive + problem.enter[place])
        if at < 0:
            return at
        leave = at + setup + problem.exit[place]
        for a in range(begin, finish):
            leave += problem.act[rows.act_request[a], rows.act_kind[a]]
    elif ready != NO_RELOAD:
        leave = max(leave + problem.enter[place], ready) + problem.exit[place]
    return leave


@inner_kernel
def break_fits(problem, b, load):
    """Whether break `b` may be taken with so much on board."""
    fits = True
    for d in range(problem.load.shape[1]):
        fits = fits and load[d] <= problem.breaks.max_load[b, d]
    return fits


@inner_kernel
def load_after(problem, rows, vehicle, stop, spare):
    """Bring spare[0], on board, and spare[1], what of it a reload unloads, behind the stop."""
    for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
        request = rows.act_request[a]
        note_returning(problem, request, rows.act_kind[a], spare[1])
        for d in range(problem.load.shape[1]):
            if rows.act_kind[a] == 0:
                spare[0, d] += problem.load[request, d]
            else:
                spare[0, d] -= problem.load[request, d]
                if problem.load_back.shape[0] > 0:
                    spare[0, d] += problem.load_back[request, d]
    if is_reload(problem, rows, vehicle, stop):
        unload(problem, spare[0], spare[1])
        load_from(problem, rows, vehicle, stop + 1, spare[0])


@inner_kernel
def _stop_with_breaks(problem, travel, rows, vehicle, stop, load, early):
    """One stop (or the end) further: early[1, j], the earliest to leave it with j breaks taken, from early[0, .].

    early[2, j]: how many of them are taken on the leg to it.
    """
    last = rows.stop_ptr[vehicle + 1]
    begins, breaks = problem.breaks.ptr[vehicle], problem.breaks.ptr[vehicle + 1] - problem.breaks.ptr[vehicle]
    leg, drive = leg_of(problem, travel, rows, vehicle, stop)
    ready = reload_ready(problem, rows, vehicle, stop) if stop < last else np.int64(NO_RELOAD)
    for j in range(breaks + 1):
        early[1, j], early[2, j] = -1, 0
    for before in range(breaks + 1):
        if early[0, before] < 0:
            continue
        for taken in range(breaks - before + 1):
            if taken > 0 and not break_fits(problem, begins + before + taken - 1, load):
                break
            arrive = arrive_with(problem.breaks, begins + before, taken, early[0, before], drive)
            if arrive < 0:
                break
            leave = arrive + leg - drive
            if stop < last:
                leave = leave_after(problem, rows, stop, arrive, leg - drive, ready)
            if leave < 0:
                continue
            if early[1, before + taken] < 0 or leave < early[1, before + taken]:
                early[1, before + taken], early[2, before + taken] = leave, taken


@inner_kernel
def place_breaks(problem, travel, rows, vehicle, leaves, spare, early):
    """How many breaks each leg of the vehicle takes, so that it ends soonest; False where they suit no legs.

    `leaves`: when it leaves its start.  `spare[2, D + 1]`: on board at the start and what of it a reload unloads, used
    up.  `early[3, B + 1]`: scratch; `early[3 + leg, .]` takes the counts by how many have been taken in the end, and
    then early[3 + leg, 0] the answer of leg 0, 1, ... (the last one to the end).
    """
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    breaks = problem.breaks.ptr[vehicle + 1] - problem.breaks.ptr[vehicle]
    for j in range(breaks + 1):
        early[0, j] = -1
    early[0, 0] = leaves
    for stop in range(first, last + 1):
        _stop_with_breaks(problem, travel, rows, vehicle, stop, spare[0], early)
        for j in range(breaks + 1):
            early[0, j], early[3 + stop - first, j] = early[1, j], early[2, j]
        if stop < last:
            load_after(problem, rows, vehicle, stop, spare)
    j = breaks
    legal = early[0, breaks] >= 0
    for leg in range(last - first, -1, -1):
        taken = early[3 + leg, j] if legal else np.int64(0)
        early[3 + leg, 0] = taken
        j -= taken
    return legal
