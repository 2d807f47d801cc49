"""Which goods are on board at the same time, act by act."""

from __future__ import annotations

from routing.kernels import inner_kernel, lean_kernel
from routing.problem.kernels.reloads import is_loaded_here, is_reload, next_reload

TOGETHER, ONE_STOP = 1, 2
"""Values of routing.problem.problem.Mix."""

ABOARD, AT_START = -2, -1
"""Where goods came on board that no stop of the plan loaded."""


@inner_kernel
def _clashes(problem, on_board, count, request, stop):
    """Whether the request may not come on board, at the stop, beside what is there."""
    for k in range(count):
        other, loaded_at = on_board[0, k], on_board[1, k]
        rule = problem.mix[problem.goods[request], problem.goods[other]]
        one_stop = loaded_at == stop and problem.store[other] == problem.store[request]
        if rule != TOGETHER and not (rule == ONE_STOP and one_stop):
            return True
    return False


@inner_kernel
def _load_up(problem, rows, vehicle, stop, on_board, count):
    """Load what is dropped without a pickup up to the next reload; (how many are on board, the first that clashes)."""
    clash, loaded_at, after = -1, stop, stop + 1
    if stop < rows.stop_ptr[vehicle]:
        loaded_at = AT_START
    for a in range(rows.act_ptr[after], rows.act_ptr[next_reload(problem, rows, vehicle, after)]):
        if is_loaded_here(problem, rows, vehicle, a):
            request = rows.act_request[a]
            if clash < 0 and _clashes(problem, on_board, count, request, loaded_at):
                clash = request
            on_board[0, count], on_board[1, count] = request, loaded_at
            count += 1
    return count, clash


@inner_kernel
def _take_off(problem, on_board, count, request):
    """Take the request off board, or with -1 all that a reload unloads; how many are left."""
    left = 0
    for k in range(count):
        other = on_board[0, k]
        if other != request and (request >= 0 or problem.drop_place[other] >= 0):
            on_board[0, left], on_board[1, left] = other, on_board[1, k]
            left += 1
    return left


@inner_kernel
def _clash_of(problem, rows, vehicle, on_board, count):
    """The first request of the vehicle that comes on board beside what it may not ride with, -1 where none does."""
    first, last = rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]
    count, clash = _load_up(problem, rows, vehicle, first - 1, on_board, count)
    if clash >= 0:
        return clash
    for stop in range(first, last):
        if is_reload(problem, rows, vehicle, stop):
            count = _take_off(problem, on_board, count, -1)
            count, clash = _load_up(problem, rows, vehicle, stop, on_board, count)
            if clash >= 0:
                return clash
        for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1]):
            request = rows.act_request[a]
            if rows.act_kind[a] == 1:
                count = _take_off(problem, on_board, count, request)
                continue
            if _clashes(problem, on_board, count, request, stop):
                return request
            on_board[0, count], on_board[1, count] = request, stop
            count += 1
    return -1


@lean_kernel
def first_clash(problem, rows, on_board):
    """(vehicle, request) of the first goods that come on board beside goods that they may not ride with, else (-1, -1).

    `on_board` int32[2, R]: scratch. The plan breaks no law of one vehicle.
    """
    for vehicle in range(len(problem.start_place)):
        if rows.stop_ptr[vehicle] == rows.stop_ptr[vehicle + 1]:
            continue
        count = 0
        for request in range(len(problem.pick_place)):
            if problem.aboard_of[request] == vehicle:
                on_board[0, count], on_board[1, count] = request, ABOARD
                count += 1
        clash = _clash_of(problem, rows, vehicle, on_board, count)
        if clash >= 0:
            return vehicle, clash
    return -1, -1
