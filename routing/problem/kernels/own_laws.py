"""The laws as the evaluator reads them: its own text on purpose, so that an error in the searches' book shows."""

from __future__ import annotations

import numpy as np

from routing.kernels import inline_kernel, inner_kernel

INFINITE = 2**30 - 1


NEVER = 2**62


@inline_kernel
def is_allowed(allowed, request, vehicle):
    """Whether the law's bit matrix lets `vehicle` carry `request`."""
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


@inner_kernel
def door_price(problem, request, at):
    """Price of handing `request` over at tick `at`: three slopes, and a charge for passing each threshold."""
    placed = np.int64(problem.placed[request])
    first = max(np.int64(problem.due[request, 0]), placed)
    second = max(np.int64(problem.due[request, 1]), first)
    price = problem.slope[request, 0] * max(np.int64(0), min(at, first) - placed)
    if at > first:
        price += problem.slope[request, 1] * (min(at, second) - first)
    if at > second:
        price += problem.slope[request, 2] * (at - second)
    if at > problem.due[request, 0]:
        price += problem.late_fixed[request, 0]
    if at > problem.due[request, 1]:
        price += problem.late_fixed[request, 1]
    return price


@inline_kernel
def paid_ticks(begin, finish, paid_until):
    """Ticks of [begin, finish) that are neither past nor after the paid time."""
    return max(np.int64(0), min(finish, paid_until) - max(begin, np.int64(0)))


@inner_kernel
def arrives_standing(problem, vehicle, place):
    """Whether the vehicle already stands at its told first stop, so that its clock there runs from `start`."""
    first = problem.before.stop_ptr[vehicle]
    return (
        place == problem.start_place[vehicle]
        and first < problem.before.stop_ptr[vehicle + 1]
        and problem.before.stop_place[first] == place
        and problem.stop_level[first] >= 3  # Level.UNDERWAY
    )
