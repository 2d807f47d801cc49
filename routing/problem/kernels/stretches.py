"""Breaks of a vehicle that may not work too long without one: which leg takes how many.

Work is driving, setups and all that a stop takes but waiting.  A leg counts whole to the stretch after the breaks on
it, so that the legs of the breaks before and behind a stretch say how long it is.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.problem.kernels.breaks import arrive_with, break_fits, leave_after, leg_of, load_after
from routing.problem.kernels.reloads import NO_RELOAD, is_reload, reload_ready


@inner_kernel
def work_at(problem, rows, vehicle, stop):
    """Ticks that a stop takes without waiting."""
    place, ticks = rows.stop_place[stop], np.int64(0)
    begin, finish = rows.act_ptr[stop], rows.act_ptr[stop + 1]
    if finish > begin or is_reload(problem, rows, vehicle, stop):
        ticks += problem.enter[place] + problem.exit[place]
    for a in range(begin, finish):
        ticks += problem.act[rows.act_request[a], rows.act_kind[a]]
    return ticks


@inner_kernel
def sum_work(problem, travel, rows, vehicle, work):
    """Write work[leg], what is worked before each leg begins, and behind the last leg all of it."""
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    work[0] = 0
    for stop in range(first, last + 1):
        leg, _ = leg_of(problem, travel, rows, vehicle, stop)
        work[stop - first + 1] = work[stop - first] + leg
        if stop < last:
            work[stop - first + 1] += work_at(problem, rows, vehicle, stop)


@inner_kernel
def _leg_in_stretches(problem, travel, rows, vehicle, leg, load, early):
    """One leg and its stop further: early[1, state], the earliest to leave the stop, from early[0, .].

    early[3 + leg, j]: the state before the leg where breaks are taken on it, j in the end.
    """
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    width, stop = last - first + 2, first + leg
    begins, breaks = problem.breaks.ptr[vehicle], problem.breaks.ptr[vehicle + 1] - problem.breaks.ptr[vehicle]
    ticks, drive = leg_of(problem, travel, rows, vehicle, stop)
    ready = reload_ready(problem, rows, vehicle, stop) if stop < last else np.int64(NO_RELOAD)
    for state in range((breaks + 1) * width):
        early[1, state] = -1
    for before in range(breaks + 1):
        for ago in range(leg + 1):
            rested = leg - ago  # the last leg with a break, counted from 1; 0: none yet
            state = before * width + rested
            if early[0, state] < 0:
                continue
            stretch = early[2, leg] - (early[2, rested - 1] if rested > 0 else 0)
            for taken in range(breaks - before + 1):
                if taken > 0 and not break_fits(problem, begins + before + taken - 1, load):
                    break
                if taken > 0 and stretch > problem.max_stretch[vehicle]:
                    break
                arrive = arrive_with(problem.breaks, begins + before, taken, early[0, state], drive)
                if arrive < 0:
                    break
                leave = arrive + ticks - drive
                if stop < last:
                    leave = leave_after(problem, rows, stop, arrive, ticks - drive, ready)
                if leave < 0:
                    continue
                after = (before + taken) * width + (leg + 1 if taken > 0 else rested)
                if early[1, after] < 0 or leave < early[1, after]:
                    early[1, after] = leave
                    if taken > 0:
                        early[3 + leg, before + taken] = state


@inner_kernel
def place_in_stretches(problem, travel, rows, vehicle, leaves, spare, early):
    """As `place_breaks`, where no stretch between breaks may be too long.

    A state is (breaks taken, the last leg with one): its number is the first times `width` plus the second.  Of ways
    that end equally soon the one whose last break is on the latest leg is taken, then the one that is soonest behind
    that leg, then that with fewest breaks before it, and so on towards the start.  `early[3 + S, .]`: scratch.
    """
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    legs, width = last - first + 1, last - first + 2
    breaks = problem.breaks.ptr[vehicle + 1] - problem.breaks.ptr[vehicle]
    sum_work(problem, travel, rows, vehicle, early[2])
    for state in range((breaks + 1) * width):
        early[0, state] = -1
    early[0, 0] = leaves
    for leg in range(legs):
        _leg_in_stretches(problem, travel, rows, vehicle, leg, spare[0], early)
        for state in range((breaks + 1) * width):
            early[0, state] = early[1, state]
        if leg < legs - 1:
            load_after(problem, rows, vehicle, first + leg, spare)
    best = -1
    for ago in range(legs + 1):
        rested = legs - ago
        state = breaks * width + rested
        stretch = early[2, legs] - (early[2, rested - 1] if rested > 0 else 0)
        if early[0, state] < 0 or stretch > problem.max_stretch[vehicle]:
            continue
        if best < 0 or early[0, state] < early[0, best]:
            best = state
    legal = best >= 0
    for back in range(legs):
        leg, taken = legs - 1 - back, np.int64(0)
        if legal and best % width == leg + 1:
            before = early[3 + leg, best // width]
            taken = best // width - before // width
            best = before
        early[3 + leg, 0] = taken
    return legal
