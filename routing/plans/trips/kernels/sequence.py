"""The best sequence of the drops of one trip."""

from __future__ import annotations

from routing.kernels import inner_kernel
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.timeline import drop_off, pick_up, run_trip

NEVER = layout.NEVER
EXACT = 4
"""Requests up to which the sequence of a trip is exact."""


@inner_kernel
def next_permutation(orders, row, count):
    """Turn a row of requests into its lexicographic successor; False after the last one."""
    i = count - 2
    while i >= 0 and orders[row, i] >= orders[row, i + 1]:
        i -= 1
    if i < 0:
        return False
    j = count - 1
    while orders[row, j] <= orders[row, i]:
        j -= 1
    orders[row, i], orders[row, j] = orders[row, j], orders[row, i]
    left, right = i + 1, count - 1
    while left < right:
        orders[row, left], orders[row, right] = orders[row, right], orders[row, left]
        left += 1
        right -= 1
    return True


@inner_kernel
def sort_row(orders, row, count):
    """Sort a row of requests: the first permutation of a lexicographic walk."""
    for i in range(1, count):
        j = i
        while j > 0 and orders[row, j - 1] > orders[row, j]:
            orders[row, j - 1], orders[row, j] = orders[row, j], orders[row, j - 1]
            j -= 1


@inner_kernel
def sequence_trip(facts, orders, row, count, store, v, free_at, origin, urge):
    """Put the requests of a row into their best sequence and run it: (price, leave, place).

    Exact up to EXACT requests (ties: the first in lexicographic order); beyond, the last request goes to the best
    place among the others.  `urge`: price per tick of ending later, for the sake of what follows.
    """
    if count <= 1:
        return run_trip(facts, orders, row, count, store, v, free_at, origin)
    price, act_at, leave = pick_up(facts, orders, row, count, store, v, free_at, origin)
    if price >= NEVER:
        return NEVER, leave, store
    trial, best = orders.shape[0] - 1, orders.shape[0] - 2
    best_key, best_price, best_leave = NEVER, NEVER, leave
    for j in range(count):
        orders[trial, j] = orders[row, j]
    exact = count <= EXACT
    if exact:
        sort_row(orders, trial, count)
    position = count - 1
    more_to_try = True
    while more_to_try:
        more, end = drop_off(facts, orders, trial, count, v, act_at, leave, store, best_key)
        if more < NEVER and more + urge * (end - leave) < best_key:
            best_key = more + urge * (end - leave)
            best_price, best_leave = more, end
            for j in range(count):
                orders[best, j] = orders[trial, j]
        if exact:
            more_to_try = next_permutation(orders, trial, count)
        else:
            position -= 1
            more_to_try = position >= 0
            if more_to_try:
                orders[trial, position], orders[trial, position + 1] = (
                    orders[trial, position + 1],
                    orders[trial, position],
                )
    if best_price >= NEVER:
        return NEVER, leave, store
    for j in range(count):
        orders[row, j] = orders[best, j]
    return price + best_price, best_leave, facts.request[orders[row, count - 1], layout.DROP]
