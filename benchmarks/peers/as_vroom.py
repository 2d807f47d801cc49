"""Any round as a VROOM input, and VROOM's answer as Rows.

Where the two differ, VROOM is given the kinder reading.  Entering and leaving a stop become its *setup*, which it pays
where the location changes, as our timeline does.  A soft promise becomes a hard window that ends when the drop is due,
`grace` after anybody could be there, or `latest`, whichever comes last.  Skills pin what is in a bag, and what waits at
a told stop, to its vehicle; a vehicle whose first stop is told starts behind that stop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from routing.problem.build import Stop, make_rows
from routing.problem.problem import I32, INFINITE, NEVER, ActKind, Problem, Rows, Travel

FAR = 4 * 10**6
"""A leg that nobody makes (VROOM adds up a row of them in 32 bits), and a time that never comes."""

AHEAD = 3 * 10**8


class Pinned:
    """The told first stop of every vehicle that must go there: where and when they are behind it, and what it does."""

    def __init__(self, problem: Problem, travel: Travel) -> None:
        told = problem.before
        locked = (problem.take_price[:, 0] >= NEVER)[problem.stop_level]
        first = told.stop_ptr[:-1]
        has = told.stop_ptr[1:] > first
        self.stop = np.full(len(first), -1, dtype=np.int64)
        self.stop[has] = np.where(locked[first[has]], first[has], -1)
        self.place: I32 = problem.start_place.copy()
        self.at: I32 = np.maximum(problem.start, 0)
        self.acts: dict[int, list[tuple[int, int]]] = {}
        self.done: set[tuple[int, int]] = set()
        self.later: dict[int, int] = {}
        """Vehicle of every request that waits at a told stop behind the first."""
        for vehicle in np.flatnonzero(self.stop >= 0).tolist():
            self._pin(problem, travel, vehicle)
            for stop in range(self.stop[vehicle] + 1, int(told.stop_ptr[vehicle + 1])):
                if locked[stop]:
                    acts = range(told.act_ptr[stop], told.act_ptr[stop + 1])
                    self.later.update({int(told.act_request[a]): vehicle for a in acts})

    def _pin(self, problem: Problem, travel: Travel, vehicle: int) -> None:
        told, stop = problem.before, int(self.stop[vehicle])
        place = int(told.stop_place[stop])
        span = range(told.act_ptr[stop], told.act_ptr[stop + 1])
        acts = [(int(told.act_request[a]), int(told.act_kind[a])) for a in span]
        at = int(self.at[vehicle])
        if place != problem.start_place[vehicle]:
            at += int(travel.ticks[problem.profile[vehicle], problem.start_place[vehicle], place])
        if acts:
            at += int(problem.enter[place])
            at = max([at, *(int(problem.ready[r]) for r, kind in acts if kind == ActKind.PICKUP)])
            at += sum(int(problem.act[r, kind]) for r, kind in acts) + int(problem.exit[place])
        self.place[vehicle], self.at[vehicle], self.acts[vehicle] = place, at, acts
        self.done.update(acts)


def to_vroom(
    problem: Problem, travel: Travel, *, grace: int = 60, latest: I32 | None = None, fixed: int = 0
) -> dict[str, Any]:
    """A round as VROOM's JSON; ids are request numbers.  `latest`: ticks until which each drop may take, int32[R]."""
    pinned = Pinned(problem, travel)
    jobs: list[dict[str, Any]] = []
    shipments: list[dict[str, Any]] = []
    # Who must do only this is asked no more: told pickups make their orders ones on board.
    owner = problem.aboard_of.copy()
    for vehicle, acts in pinned.acts.items():
        for request, kind in acts:
            if kind == ActKind.PICKUP:
                owner[request] = vehicle
    soonest = _soonest(problem, travel, pinned, owner)

    def side(request: int, kind: ActKind) -> dict[str, Any]:
        place = int((problem.drop_place if kind else problem.pick_place)[request])
        own = problem.window[request, kind]
        enter, stay = int(problem.enter[place]), int(problem.exit[place])
        begin = int(own[:, 0].min())
        last = int(own[:, 1].max())
        if kind == ActKind.PICKUP:
            begin = max(begin, int(problem.ready[request]))
        elif problem.slope[request].any():
            last = min(last, max(int(problem.due[request, 0]), int(soonest[request]) + grace))
            last = last if latest is None else max(last, int(latest[request]))
        window = [max(0, begin - enter), max(0, min(last, AHEAD) - enter)]
        act = int(problem.act[request, kind])
        return {
            "id": request, "location_index": place, "setup": enter + stay, "service": act,
            "time_windows": [[window[0], max(window)]],
        }  # fmt: skip

    for request in range(len(problem.pick_place)):
        if (request, int(ActKind.DROP)) in pinned.done or problem.drop_place[request] < 0:
            continue
        load = [*problem.load[request].tolist(), 1]
        if owner[request] >= 0:
            jobs.append({**side(request, ActKind.DROP), "delivery": load, "skills": [int(owner[request]) + 1]})
        else:
            pickup, delivery = side(request, ActKind.PICKUP), side(request, ActKind.DROP)
            skills = _skills(problem, request)
            if request in pinned.later:
                skills = [*skills, pinned.later[request] + 1]
            shipments.append({"amount": load, "pickup": pickup, "delivery": delivery, "skills": skills})
    return {
        "vehicles": [_vehicle(problem, pinned, v, fixed) for v in range(len(problem.start_place))],
        "jobs": jobs, "shipments": shipments,
        "matrices": {f"p{k}": {"durations": _square(block).tolist()} for k, block in enumerate(travel.ticks)},
    }  # fmt: skip


def _soonest(problem: Problem, travel: Travel, pinned: Pinned, owner: I32) -> np.ndarray:
    """The earliest instant at which anybody could hand over each request at its door, int64[R]."""
    found = np.full(len(owner), AHEAD, dtype=np.int64)
    for request, (pick, drop) in enumerate(zip(problem.pick_place.tolist(), problem.drop_place.tolist(), strict=True)):
        if drop < 0:
            continue
        enter = int(problem.enter[drop])
        if owner[request] >= 0:
            v = int(owner[request])
            found[request] = pinned.at[v] + travel.ticks[problem.profile[v], pinned.place[v], drop] + enter
            continue
        there = pinned.at + travel.ticks[problem.profile, pinned.place, pick] + problem.enter[pick]
        out = np.maximum(there, problem.ready[request]) + problem.exit[pick] + problem.act[request, 0]
        found[request] = int((out + travel.ticks[problem.profile, pick, drop]).min()) + enter
    return found


def _skills(problem: Problem, request: int) -> list[int]:
    """Skill V + 1 + r stands for a request that not everybody may carry."""
    vehicles = len(problem.start_place)
    return [] if all(_may(problem, request, v) for v in range(vehicles)) else [vehicles + 1 + request]


def _may(problem: Problem, request: int, vehicle: int) -> bool:
    return bool(int(problem.allowed[request, vehicle // 64]) >> (vehicle % 64) & 1)


def _vehicle(problem: Problem, pinned: Pinned, v: int, fixed: int) -> dict[str, Any]:
    vehicles = len(problem.start_place)
    barred = [r for r in range(len(problem.pick_place)) if _skills(problem, r) and _may(problem, r, v)]
    made: dict[str, Any] = {
        "id": v, "profile": f"p{problem.profile[v]}", "start_index": int(pinned.place[v]),
        "capacity": [*(min(int(c), AHEAD) for c in problem.capacity[v]), min(int(problem.max_requests[v]), AHEAD)],
        "skills": [v + 1, *(vehicles + 1 + r for r in barred)],
        "time_window": [int(pinned.at[v]), max(int(pinned.at[v]), min(int(problem.end[v]), AHEAD))],
    }  # fmt: skip
    if problem.end_place[v] >= 0:
        made["end_index"] = int(problem.end_place[v])
    if fixed:
        made["costs"] = {"fixed": fixed}
    return made


def _square(ticks: I32) -> np.ndarray:
    """The travel block as a square: nobody goes to where a rider stands."""
    places, reachable = ticks.shape
    square = np.zeros((places, places), dtype=np.int64)
    square[:, :reachable] = np.where(ticks >= INFINITE, FAR, ticks)
    return square


def from_vroom(problem: Problem, travel: Travel, said: dict[str, Any]) -> Rows:
    """VROOM's routes as Rows, told first stops before them; acts next to each other at one place share a stop."""
    pinned = Pinned(problem, travel)
    routes: list[list[Stop]] = [[] for _ in problem.start_place]
    for vehicle, acts in pinned.acts.items():
        routes[vehicle].append((int(pinned.place[vehicle]), list(acts)))
    for route in said["routes"]:
        stops = routes[route["vehicle"]]
        for step in route["steps"]:
            if step["type"] not in ("job", "pickup", "delivery"):
                continue
            request, kind = int(step["id"]), int(step["type"] != "pickup")
            place = int((problem.drop_place if kind else problem.pick_place)[request])
            if stops and stops[-1][0] == place and len(stops) > 1:
                stops[-1] = (place, [*stops[-1][1], (request, kind)])
            else:
                stops.append((place, [(request, kind)]))
    return make_rows(routes)
