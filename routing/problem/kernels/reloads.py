"""Reloads: stops without acts at which a vehicle empties itself and loads what it drops from there on."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel
from routing.problem.kernels.own_laws import INFINITE

NO_RELOAD = -4 * INFINITE
"""Stands for the ready time of a stop that is no reload."""


@inner_kernel
def is_reload(problem, rows, vehicle, stop):
    """Whether the vehicle reloads at the stop."""
    if problem.reloads.ptr.shape[0] == 0 or rows.act_ptr[stop] < rows.act_ptr[stop + 1]:
        return False
    for k in range(problem.reloads.ptr[vehicle], problem.reloads.ptr[vehicle + 1]):
        if problem.reloads.place[k] == rows.stop_place[stop]:
            return True
    return False


@inner_kernel
def next_reload(problem, rows, vehicle, stop):
    """The vehicle's first reload from `stop` on, one past its last stop where there is none."""
    last = rows.stop_ptr[vehicle + 1]
    if problem.reloads.ptr.shape[0] == 0:
        return last
    for other in range(stop, last):
        if is_reload(problem, rows, vehicle, other):
            return other
    return last


@inner_kernel
def is_loaded_here(problem, rows, vehicle, a):
    """Whether act `a` is the vehicle's first for goods without a pickup, which no vehicle has on board yet."""
    request = rows.act_request[a]
    if problem.pick_place[request] >= 0 or problem.aboard_of[request] >= 0:
        return False
    fresh = True
    for earlier in range(rows.act_ptr[rows.stop_ptr[vehicle]], a):
        fresh = fresh and rows.act_request[earlier] != request
    return fresh


@inner_kernel
def ready_from(problem, rows, vehicle, stop):
    """When all is ready that is loaded for the stops from `stop` up to the next reload."""
    ready = np.int64(-INFINITE)
    for a in range(rows.act_ptr[stop], rows.act_ptr[next_reload(problem, rows, vehicle, stop)]):
        if is_loaded_here(problem, rows, vehicle, a):
            ready = max(ready, np.int64(problem.ready[rows.act_request[a]]))
    return ready


@inner_kernel
def reload_ready(problem, rows, vehicle, stop):
    """When all is ready that is loaded at the reload `stop`, NO_RELOAD where it is none."""
    if not is_reload(problem, rows, vehicle, stop):
        return np.int64(NO_RELOAD)
    return max(ready_from(problem, rows, vehicle, stop + 1), np.int64(0))


@inner_kernel
def load_from(problem, rows, vehicle, stop, load):
    """Add to load[D] what is loaded for the stops from `stop` up to the next reload."""
    for a in range(rows.act_ptr[stop], rows.act_ptr[next_reload(problem, rows, vehicle, stop)]):
        if is_loaded_here(problem, rows, vehicle, a):
            for d in range(problem.load.shape[1]):
                load[d] += problem.load[rows.act_request[a], d]


@inner_kernel
def note_returning(problem, request, kind, returning):
    """Add to returning[D + 1] what an act puts on board until the next reload."""
    dimensions = problem.load.shape[1]
    if kind == 0 and problem.drop_place[request] < 0:
        returning[dimensions] += 1
        for d in range(dimensions):
            returning[d] += problem.load[request, d]
    elif kind == 1 and problem.load_back.shape[0] > 0:
        for d in range(dimensions):
            returning[d] += problem.load_back[request, d]


@inner_kernel
def unload(problem, load, returning):
    """Take off load[D] what returns with the vehicle; how many requests that were."""
    dimensions = problem.load.shape[1]
    for d in range(dimensions):
        load[d] -= returning[d]
        returning[d] = 0
    count = returning[dimensions]
    returning[dimensions] = 0
    return count
