"""Answers in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.plans.formats.vroom import VroomCase
from routing.plans.problem import Reason, Solution


def write_vroom(case: VroomCase, solution: Solution) -> dict[str, Any]:
    """The answer in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""
    routes = []
    for vehicle in range(len(case.vehicles)):
        if solution.rows.stop_ptr[vehicle] < solution.rows.stop_ptr[vehicle + 1]:
            routes.append(_route(case, solution, vehicle))
    names = {where: name for name, where in case.request_of.items()}
    missing = []
    for request in np.flatnonzero(solution.reason).tolist():
        for side in (0, 1):
            if (request, side) in names:
                kind, number = names[request, side]
                place = case.problem.drop_place[request] if side else case.problem.pick_place[request]
                task = case.tasks[place]
                reason = Reason(int(solution.reason[request])).name
                missing.append({"id": number, "type": kind, "location_index": task.location, "reason": reason})
    total = {
        key: sum(route[key] for route in routes)
        for key in ("cost", "duration", "distance", "service", "setup", "waiting_time")
    }
    summary = {**total, "routes": len(routes), "unassigned": len(missing), "priority": 0, "violations": []}
    return {"code": 0, "summary": summary, "unassigned": missing, "routes": routes}


def _route(case: VroomCase, solution: Solution, vehicle: int) -> dict[str, Any]:
    """One route with its steps, times without setups as VROOM tells them."""
    rows, profile = solution.rows, int(case.problem.profile[vehicle])
    here, now = case.start[vehicle], int(case.problem.start[vehicle])
    steps: list[dict[str, Any]] = []
    cost = case.vehicles[vehicle].get("costs", {}).get("fixed", 0)
    price = duration = distance = service = setup = waiting = 0

    def step(kind: str, location: int | None, arrival: int, **more: Any) -> None:
        place: dict[str, Any] = {} if location is None else {"location_index": location}
        if location is not None and case.places[location] is not None:
            place["location"] = list(case.places[location] or ())
        steps.append({"type": kind, **place, "arrival": arrival, "duration": duration, "distance": distance, **more})

    def drive(location: int) -> int:
        nonlocal price, duration, distance
        if here is None or here == location:
            return 0
        price += int(case.price[profile, here, location])
        duration += int(case.duration[profile, here, location])
        distance += int(case.distance[profile, here, location])
        return int(case.duration[profile, here, location])

    stops = range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1])
    if here is not None:
        step("start", here, now, setup=0, service=0, waiting_time=0)
    for stop in stops:
        task = case.tasks[rows.stop_place[stop]]
        arrival = now + drive(task.location)
        own_setup = 0 if here == task.location else task.setup
        begins = int(solution.act_at[stop])
        wait = begins - own_setup - arrival
        setup, service, waiting = setup + own_setup, service + task.service, waiting + wait
        more = {} if task.description is None else {"description": task.description}
        step(
            task.kind,
            task.location,
            arrival,
            id=task.id,
            setup=own_setup,
            service=task.service,
            waiting_time=wait,
            **more,
        )
        here, now = task.location, int(solution.leave[stop])
    last = case.end[vehicle]
    if last is not None:
        arrival = now + drive(last)
        step("end", last, arrival, setup=0, service=0, waiting_time=0)
    return {
        "vehicle": case.vehicles[vehicle]["id"], "cost": cost + round(price / case.magnified), "duration": duration,
        "distance": distance, "service": service, "setup": setup, "waiting_time": waiting, "priority": 0,
        "steps": steps, "violations": [],
    }  # fmt: skip
