"""What a plan changes of the one before, and whether a vehicle does what it must keep (docs/solving.md)."""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inner_kernel

NEVER = 2**62


@inner_kernel
def level_of_place(problem, vehicle, place):
    """The highest level at which the vehicle has been told to go to `place`, -1 where it has not."""
    level = -1
    for stop in range(problem.before.stop_ptr[vehicle], problem.before.stop_ptr[vehicle + 1]):
        if problem.before.stop_place[stop] == place:
            level = max(level, np.int64(problem.stop_level[stop]))
    return level


@fused_kernel
def change_price(problem, rows, vehicle, carrier, carrier_before):
    """Price of changing the vehicle's plan before into its rows, NEVER where a forbidden change is made.

    `carrier[r]`, `carrier_before[r]`: the vehicle that acts for the request in the rows, in the plan before (-1: none).
    """
    price = np.int64(0)
    before = problem.before
    begin, finish = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    begin_before, finish_before = before.stop_ptr[vehicle], before.stop_ptr[vehicle + 1]
    for stop in range(begin_before, finish_before):
        visited = False
        if stop == begin_before:
            visited = begin < finish and rows.stop_place[begin] == before.stop_place[stop]
        else:
            for other in range(begin, finish):
                visited = visited or rows.stop_place[other] == before.stop_place[stop]
        if not visited:
            step = problem.take_price[problem.stop_level[stop], 0]
            if step >= NEVER:
                return np.int64(NEVER)
            price += step
        for a in range(before.act_ptr[stop], before.act_ptr[stop + 1]):
            request = before.act_request[a]
            first_act = before.act_kind[a] == 0 or problem.pick_place[request] < 0
            if first_act and carrier[request] != vehicle:
                step = problem.take_price[problem.act_level[a], 1]
                if step >= NEVER:
                    return np.int64(NEVER)
                price += step
    if begin_before == finish_before:
        return price
    ahead = -1
    for back in range(begin, finish):
        stop = finish - 1 - (back - begin)
        level = level_of_place(problem, vehicle, rows.stop_place[stop])
        if level < 0 and ahead >= 0:
            step = problem.add_price[ahead, 0]
            if step >= NEVER:
                return np.int64(NEVER)
            price += step
        ahead = max(ahead, level)
        for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
            request = rows.act_request[a]
            first_act = rows.act_kind[a] == 0 or problem.pick_place[request] < 0
            if first_act and carrier_before[request] != vehicle and level >= 0:
                step = problem.add_price[level, 1]
                if step >= NEVER:
                    return np.int64(NEVER)
                price += step
    return price


@fused_kernel
def does_what_it_must(problem, rows, vehicle):
    """Whether the vehicle picks up or drops one of the requests it must keep where it goes first.

    One that it serves later would not do: it would have come to its first place for nothing.
    """
    begin, finish = problem.must_keep_ptr[vehicle], problem.must_keep_ptr[vehicle + 1]
    if begin == finish:
        return True
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    for stop in range(first, last):
        if rows.stop_place[stop] != rows.stop_place[first]:
            break
        for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
            for k in range(begin, finish):
                if rows.act_request[a] == problem.must_keep[k]:
                    return True
    return False
