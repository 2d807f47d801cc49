"""What a vehicle has on board, stop by stop, as the audit counts it."""

from __future__ import annotations

import numpy as np

from routing.problem.problem import I64, Problem

Route = list[tuple[int, list[tuple[int, str]]]]
"""Stops of a vehicle: (local place, [(request, "pickup" or "drop"), ...])."""


def reload_stops(problem: Problem, vehicle: int, route: Route) -> list[int]:
    """Numbers of the stops at which the vehicle reloads."""
    ptr, place, _ = problem.reloads
    if not ptr.size:
        return []
    own = place[ptr[vehicle] : ptr[vehicle + 1]].tolist()
    return [number for number, (there, acts) in enumerate(route) if not acts and there in own]


def loaded_where(problem: Problem, vehicle: int, route: Route) -> dict[int, list[int]]:
    """Requests that are loaded without a pickup, by the reload (-1: the start) where that happens."""
    loaded: dict[int, list[int]] = {-1: [], **{number: [] for number in reload_stops(problem, vehicle, route)}}
    seen: set[int] = set()
    for number, (_, acts) in enumerate(route):
        for request, _ in acts:
            if request not in seen and problem.pick_place[request] == problem.aboard_of[request] == -1:
                loaded[max(reload for reload in loaded if reload < number)].append(request)
            seen.add(request)
    return loaded


def ready_where(problem: Problem, loaded: dict[int, list[int]]) -> dict[int, int]:
    """The tick before which the start and each reload are not left, because what is loaded there is not ready."""
    if not problem.reloads.ptr.size:
        return {-1: 0}
    return {stop: max([0, *(int(problem.ready[r]) for r in requests)]) for stop, requests in loaded.items()}


def loads_on_legs(problem: Problem, vehicle: int, route: Route) -> list[I64]:
    """What is on board on every leg, by dimension; the last leg leads to the end."""
    loaded = loaded_where(problem, vehicle, route)
    load: I64 = problem.load.astype(np.int64)
    back = problem.load_back if problem.load_back.size else np.zeros_like(problem.load)
    staying = np.zeros(problem.load.shape[1], dtype=np.int64)  # to the end or the next reload
    passing = staying.copy()
    aboard = problem.aboard_of == vehicle
    staying += load[aboard & (problem.drop_place < 0)].sum(axis=0)
    passing += load[aboard & (problem.drop_place >= 0)].sum(axis=0)
    passing += load[loaded[-1]].sum(axis=0)
    legs = [staying + passing]
    for number, (_, acts) in enumerate(route):
        for request, kind in acts:
            if kind == "drop":
                passing -= load[request]
                staying += back[request]
            elif problem.drop_place[request] < 0:
                staying += load[request]
            else:
                passing += load[request]
        if number in loaded:
            staying[:] = 0
            passing += load[loaded[number]].sum(axis=0)
        legs.append(staying + passing)
    return legs
