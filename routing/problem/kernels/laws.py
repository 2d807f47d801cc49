"""The book of laws of both searches, on plain numbers and columns: each layout hands in its own."""

from __future__ import annotations

import numpy as np

from routing.kernels import fused_kernel, inline_kernel, inner_kernel
from routing.problem.kernels import door

INFINITE = 2**30 - 1

# Columns of the stops of the plan before, int32[stops, .] and of `change` int64[levels, .] in both layouts.
TOLD_PLACE, TOLD_LEVEL = range(2)
ADD_PLACE, ADD_ORDER, TAKE_PLACE, TAKE_ORDER = range(4)

door_price = fused_kernel(door.door_price)
door_slopes, door_steps = fused_kernel(door.door_slopes), fused_kernel(door.door_steps)


@inline_kernel
def is_allowed(allowed, request, vehicle):
    """Whether the bit matrix lets `vehicle` carry `request`."""
    return (allowed[request, vehicle >> 6] >> np.uint64(vehicle & 63)) & np.uint64(1) != 0


@inner_kernel
def opens_at(window, request, side, at):
    """The earliest tick from `at` on inside one of the request's windows of that side, -1 where none is left."""
    best = np.int64(4 * INFINITE)
    for k in range(window.shape[2]):
        opening = max(at, np.int64(window[request, side, k, 0]))
        if opening <= window[request, side, k, 1] and opening < best:
            best = opening
    return best if best < 4 * INFINITE else np.int64(-1)


@inline_kernel
def paid_ticks(begin, finish, paid_until):
    """Ticks of [begin, finish) that are neither past nor after the paid time."""
    return max(np.int64(0), min(finish, paid_until) - max(begin, np.int64(0)))


@inner_kernel
def told_level(before_ptr, before, vehicle, place):
    """The highest level at which the vehicle has been told to go to `place`, -1 where it has not."""
    level = -1
    for stop in range(before_ptr[vehicle], before_ptr[vehicle + 1]):
        if before[stop, TOLD_PLACE] == place:
            level = max(level, before[stop, TOLD_LEVEL])
    return level
