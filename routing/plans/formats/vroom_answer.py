"""Answers in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.plans.formats.vroom import Task, VroomCase
from routing.plans.problem import ActKind, Reason, Solution

SUMMED = ("cost", "setup", "service", "duration", "waiting_time", "priority", "distance")
"""What a summary adds up over routes."""


def write_vroom(case: VroomCase, solution: Solution) -> dict[str, Any]:
    """The answer in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""
    stops = solution.rows.stop_ptr
    routes = [_Route(case, solution, v).said() for v in range(len(case.vehicles)) if stops[v] < stops[v + 1]]
    missing = _unassigned(case, solution)
    summary = {key: sum(route[key] for route in routes) for key in SUMMED}
    for key in ("delivery", "pickup"):
        summary[key] = [sum(amounts) for amounts in zip(*(route[key] for route in routes), strict=True)]
    summary |= {"routes": len(routes), "unassigned": len(missing), "violations": []}
    return {"code": 0, "summary": summary, "unassigned": missing, "routes": routes}


def _unassigned(case: VroomCase, solution: Solution) -> list[dict[str, Any]]:
    names = {where: name for name, where in case.request_of.items()}
    missing = []
    for request in np.flatnonzero(solution.reason).tolist():
        for side in (0, 1):
            if (request, side) in names:
                kind, number = names[request, side]
                place = case.problem.drop_place[request] if side else case.problem.pick_place[request]
                task = case.tasks[place]
                reason = Reason(int(solution.reason[request])).name
                missing.append({"id": number, "type": kind, **_where(case, task.location), "reason": reason})
    return missing


def _where(case: VroomCase, location: int | None) -> dict[str, Any]:
    """A location by its index and, where they are known, its coordinates."""
    if location is None:
        return {}
    point = case.places[location]
    return {"location_index": location} | ({} if point is None else {"location": list(point)})


class _Route:
    """One route with its steps, times without setups as VROOM tells them."""

    def __init__(self, case: VroomCase, solution: Solution, vehicle: int) -> None:
        rows = solution.rows
        self.case, self.vehicle = case, vehicle
        self.profile = int(case.problem.profile[vehicle])
        self.stops = range(int(rows.stop_ptr[vehicle]), int(rows.stop_ptr[vehicle + 1]))
        self.task: list[Task] = [case.tasks[place] for place in rows.stop_place[list(self.stops)].tolist()]
        acts = [int(rows.act_ptr[stop]) for stop in self.stops]
        self.request = rows.act_request[acts].tolist()
        self.kind = rows.act_kind[acts].tolist()
        before: list[int | None] = [case.start[vehicle], *(task.location for task in self.task)]
        self.setup = [0 if here == task.location else task.setup for here, task in zip(before, self.task, strict=False)]
        self.leg = [self._legs(here, task.location) for here, task in zip(before, self.task, strict=False)]
        self.begins = solution.act_at[list(self.stops)].tolist()
        self.leaves = solution.leave[list(self.stops)].tolist()
        self.sets_off = int(case.problem.start[vehicle])
        self.wait: list[int] = []
        self._wait_at_the_start()

    def _legs(self, here: int | None, there: int | None) -> tuple[int, int, int]:
        """Seconds, metres and price from here to there."""
        if here is None or there is None or here == there:
            return 0, 0, 0
        case, index = self.case, (self.profile, here, there)
        return int(case.duration[index]), int(case.distance[index]), int(case.price[index])

    def _wait_at_the_start(self) -> None:
        """As VROOM does, everything as late as the end of the route and the windows allow: nobody leaves to wait."""
        free = [self.sets_off, *self.leaves]
        self.wait = [
            begins - setup - leg[0] - left
            for begins, setup, leg, left in zip(self.begins, self.setup, self.leg, free, strict=False)
        ]
        later = 0
        for k in range(len(self.task) - 1, -1, -1):
            room = self.wait[k] + later
            ahead = 0
            if k:
                ahead = min(room, self._closes(k - 1) - self.begins[k - 1])
                self.begins[k - 1] += ahead
                self.leaves[k - 1] += ahead
            else:
                ahead = room
                self.sets_off += ahead
            self.wait[k] = room - ahead
            later = ahead

    def _closes(self, k: int) -> int:
        """When the window closes in which an act begins."""
        windows: list[tuple[int, int]] = self.case.problem.window[self.request[k], self.kind[k]].tolist()
        return max(last for first, last in windows if first <= self.begins[k] <= last)

    def _loads(self) -> list[list[int]]:
        """What is on board at the start and behind each task, by dimension."""
        load = self.case.problem.load
        carried = np.zeros(load.shape[1], dtype=np.int64)
        for task, request, kind in zip(self.task, self.request, self.kind, strict=True):
            if task.kind == "job" and kind == ActKind.DROP:
                carried += load[request]
        loads = [carried.tolist()]
        for request, kind in zip(self.request, self.kind, strict=True):
            carried += load[request] if kind == ActKind.PICKUP else -load[request]
            loads.append(carried.tolist())
        return loads if any("capacity" in vehicle for vehicle in self.case.vehicles) else [[] for _ in loads]

    def _amount(self, kind: ActKind) -> list[int]:
        """What is handed over (or picked up) in all."""
        if not any("capacity" in vehicle for vehicle in self.case.vehicles):
            return []
        own = [request for request, side in zip(self.request, self.kind, strict=True) if side == kind]
        total: list[int] = self.case.problem.load[own].sum(axis=0, dtype=np.int64).tolist()
        return total

    def said(self) -> dict[str, Any]:
        """The route in VROOM's JSON."""
        case, loads = self.case, self._loads()
        end = case.end[self.vehicle]
        home = self._legs(self.task[-1].location, end)
        steps: list[dict[str, Any]] = []
        driven = metres = 0

        def step(kind: str, location: int | None, arrival: int, load: list[int], **more: Any) -> None:
            times = {"setup": 0, "service": 0, "waiting_time": 0, **more}
            steps.append(
                {"type": kind, **_where(case, location), **times, "load": load, "arrival": arrival, "duration": driven,
                 "violations": [], "distance": metres}
            )  # fmt: skip

        if case.start[self.vehicle] is not None:
            step("start", case.start[self.vehicle], self.sets_off, loads[0])
        for k, task in enumerate(self.task):
            driven, metres = driven + self.leg[k][0], metres + self.leg[k][1]
            said = {} if task.description is None else {"description": task.description}
            arrival = self.begins[k] - self.setup[k] - self.wait[k]
            times = {"setup": self.setup[k], "service": task.service, "waiting_time": self.wait[k]}
            step(task.kind, task.location, arrival, loads[k + 1], id=task.id, **said, **times)
        if end is not None:
            driven, metres = driven + home[0], metres + home[1]
            step("end", end, self.leaves[-1] + home[0], loads[-1])
        price = home[2] + sum(leg[2] for leg in self.leg)
        fixed = case.vehicles[self.vehicle].get("costs", {}).get("fixed", 0)
        return {
            "vehicle": case.vehicles[self.vehicle]["id"], "cost": fixed + round(price / case.magnified),
            "delivery": self._amount(ActKind.DROP), "pickup": self._amount(ActKind.PICKUP),
            "setup": sum(self.setup), "service": sum(task.service for task in self.task), "duration": driven,
            "waiting_time": sum(self.wait),
            "priority": sum(int(case.priority[request]) for request in set(self.request)),
            "distance": metres, "steps": steps, "violations": [],
        }  # fmt: skip
