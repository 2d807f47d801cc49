"""Answers in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from routing.problem.formats.vroom import VroomCase
from routing.problem.formats.vroom_input import RELOAD
from routing.problem.formats.vroom_route import TimedRoute, said, where
from routing.problem.formats.whole.reading import starts_promptly
from routing.problem.problem import Reason, Solution

SUMMED = ("cost", "setup", "service", "duration", "waiting_time", "priority", "distance")
"""What a summary adds up over routes."""


def write_vroom(case: VroomCase, solution: Solution) -> dict[str, Any]:
    """The answer in VROOM's JSON: summary, routes with steps, unassigned with a reason each."""
    rows = solution.rows
    plan = []
    for v in range(len(case.given.vehicles)):
        acts = []
        for stop in range(rows.stop_ptr[v], rows.stop_ptr[v + 1]):
            own = slice(rows.act_ptr[stop], rows.act_ptr[stop + 1])
            done = zip(rows.act_request[own].tolist(), rows.act_kind[own].tolist(), strict=True)
            acts += list(done) or [RELOAD]
        plan.append(acts)
    prompt = starts_promptly(case.whole.follows, plan)
    routes = [TimedRoute(case, v, acts, prompt=v in prompt).answer() for v, acts in enumerate(plan) if acts]
    missing = _unassigned(case, solution)
    summary = summed(case, routes, len(missing), np.flatnonzero(solution.reason).tolist())
    answer = {"code": 0, "summary": summary, "unassigned": missing, "routes": routes}
    if case.warnings:
        answer["warnings"] = [{"path": path, "message": message} for path, message in case.warnings]
    return answer


def summed(case: VroomCase, routes: list[dict[str, Any]], unassigned: int, left: Iterable[int]) -> dict[str, Any]:
    """What the routes add up to; `left`: requests that are not served whole."""
    summary = {key: sum(route[key] for route in routes) for key in SUMMED}
    for key in ("delivery", "pickup"):
        summary[key] = [sum(amounts) for amounts in zip(*(route[key] for route in routes), strict=True)]
    summary |= {"routes": len(routes), "unassigned": unassigned, "violations": []}
    if any(row.penalty is not None for row in case.given.rows):
        summary["penalty"] = sum(case.given.rows[request].penalty or 0 for request in left)
    return summary | _longest(case, routes)


def _longest(case: VroomCase, routes: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds and price of the longest route, where it has one: from the beginning of its vehicle's window."""
    if not case.whole.per_hour_of_longest:
        return {}
    begins = {vehicle.id: vehicle.window[0] if vehicle.window else 0 for vehicle in case.given.vehicles}
    ends = [(route["steps"][-1], begins[route["vehicle"]]) for route in routes]
    longest = max((step["arrival"] + step["waiting_time"] - opens for step, opens in ends), default=0)
    return {"longest": longest, "longest_cost": round(Fraction(case.whole.per_hour_of_longest * longest, 3600))}


def failure(code: str, message: str) -> dict[str, Any]:
    """The answer where there is none: VROOM's code 2 for an input that is wrong, and our own code and sentence."""
    return {"code": 2, "error": message, "reason": code}


def unserved(case: VroomCase, key: tuple[str, int], reason: str) -> dict[str, Any]:
    """A task that is on no route; `key`: its kind and id."""
    request, side = case.given.request_of[key]
    row = case.given.rows[request]
    task = case.given.tasks[row.drop if side else row.pick]
    return {"id": key[1], "type": key[0], **where(case, task.location), "reason": reason, **said(task)}


def _unassigned(case: VroomCase, solution: Solution) -> list[dict[str, Any]]:
    names = {act: name for name, act in case.given.request_of.items()}
    missing = []
    for request in np.flatnonzero(solution.reason).tolist():
        row = case.given.rows[request]
        reason = Reason(int(solution.reason[request]))
        if row.penalty is not None and reason in (Reason.NO_RIDER_IN_REACH, Reason.BUDGET):
            reason = Reason.TOO_DEAR
        sides = [side for side, place in enumerate((row.pick, row.drop)) if place >= 0]
        missing += [unserved(case, names[request, side], reason.name) for side in sides]
    return missing
