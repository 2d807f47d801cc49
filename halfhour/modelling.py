"""Routing problems said in Python: vehicle types, jobs and shipments by your own ids, and a plan in the same words.

    model = halfhour.Model()
    model.add_vehicle_type(2, start=(0, 0), end=(0, 0), capacity=10, window=(0, 3600))
    model.add_job("bakery", location=(300, 400), delivery=2, service=60)
    plan = model.solve(time_limit=1)
    plan.routes[0].visits[0].id, plan.routes[0].visits[0].begins, plan.unassigned

A location is a number into the matrices that were set, or a point: (x, y) on the straight line, a metre a second, or
(longitude, latitude) where roads are given.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from halfhour.solving import SolvedFile, solve_file
from routing.errors import InvalidInput
from routing.problem.evaluate import evaluate
from routing.problem.problem import Problem, Rows, Travel

Location = int | tuple[float, float]
Amount = int | Sequence[int]
Windows = Sequence[tuple[int, int]]


class Incumbent(NamedTuple):
    """The best plan so far: what it leaves out, by rank (0: nothing that must be served), and what it costs."""

    rank: int
    cost: float
    seconds: float


Stop = Callable[[Incumbent | None, float], bool]
"""(best plan so far, seconds of search) -> whether to end."""


class Pause(NamedTuple):
    """A break of a vehicle type."""

    service: int
    windows: Windows = ()
    max_load: Amount | None = None


class Stay(NamedTuple):
    """One side of a shipment."""

    location: Location
    service: int = 0
    setup: int = 0
    windows: Windows = ()


class Visit(NamedTuple):
    """What a vehicle does at one place: a job, a pickup, a delivery, or a break or reload (id None)."""

    kind: str
    id: Hashable
    arrives: int
    begins: int  # of setup and service
    leaves: int


class ModelRoute(NamedTuple):
    """What one vehicle does."""

    vehicle_type: int  # in the order in which types were added
    vehicle: int  # number within its type
    starts: int
    ends: int
    visits: tuple[Visit, ...]
    cost: int
    driving: int  # seconds
    distance: int
    waiting: int


class ModelSolution(NamedTuple):
    """A plan in the user's own ids, judged against the model before it was given."""

    routes: tuple[ModelRoute, ...]
    unassigned: dict[Hashable, str]  # reason by id
    cost: int
    penalty: int
    answer: dict[str, Any]  # the same in VROOM's JSON

    @property
    def complete(self) -> bool:
        """Whether everything is served."""
        return not self.unassigned

    def plot(self, axes: Any = None) -> Any:
        """Draw the routes with matplotlib (`pip install halfhour[analysis]`); the axes."""
        import matplotlib.pyplot as plt

        axes = plt.subplots()[1] if axes is None else axes
        for route in self.answer["routes"]:
            spots = [step["location"] for step in route["steps"] if "location" in step]
            if not spots:
                raise InvalidInput("a plan over matrices has no points to draw", field="location")
            axes.plot(*zip(*spots, strict=True), marker="o", label=str(route["vehicle"]))
        axes.set_aspect("equal")
        return axes


def no_improvement(seconds: float) -> Stop:
    """Stop once no better plan has been found for so long."""
    return lambda best, now: best is not None and now - best.seconds >= seconds


def target(cost: float) -> Stop:
    """Stop once a plan that serves everything costs no more than this."""
    return lambda best, now: best is not None and best.rank == 0 and best.cost <= cost


class Model:
    """A routing problem under construction; amounts are numbers or one number a dimension, times whole numbers."""

    def __init__(self, *, roads: str | Path | None = None) -> None:
        self.roads = roads
        self._types: list[tuple[int, dict[str, Any]]] = []
        self._tasks: dict[Hashable, tuple[str, dict[str, Any]]] = {}
        self._matrices: dict[str, dict[str, Any]] = {}
        self._points: dict[tuple[float, float], int] = {}
        self._after: dict[Hashable, tuple[Hashable, ...]] = {}
        self._fleet: dict[str, int] = {}

    def set_matrix(self, durations: Any, *, distances: Any = None, costs: Any = None, profile: str = "car") -> None:
        """Ways between numbered locations, in seconds (metres, prices) from row to column."""
        tables = {"durations": durations, "distances": distances, "costs": costs}
        self._matrices[profile] = {
            name: table.tolist() if hasattr(table, "tolist") else table
            for name, table in tables.items()
            if table is not None
        }

    def add_vehicle_type(
        self, count: int = 1, *, start: Location | None = None, end: Location | None = None,
        capacity: Amount | None = None, window: tuple[int, int] | None = None, skills: Iterable[int] = (),
        fixed: int = 0, per_hour: int | None = None, per_km: int | None = None, per_task_hour: int = 0,
        breaks: Sequence[Pause] = (), max_tasks: int | None = None, max_travel_time: int | None = None,
        max_distance: int | None = None, profile: str = "car", speed_factor: float = 1.0,
        max_duration: int | None = None, max_reloads: int = 0, reload_service: int = 0,
    ) -> int:  # fmt: skip
        """So many vehicles alike; their number among the types.  Without an end they stay where they finish.

        `max_reloads`: how often each may come back to its start, for `reload_service` seconds, to leave there what jobs
        gave it and to load what jobs get.

        `max_duration`: from setting off, as late as ends the route no later, to its end, waiting and service included.
        Where neither `per_hour` nor a matrix of costs says what driving costs, a second costs 1.
        """
        if count < 1:
            raise InvalidInput(f"{count} vehicles", field="count", hint="1 or more.")
        costs = {"fixed": fixed, "per_hour": per_hour, "per_km": per_km, "per_task_hour": per_task_hour or None}
        vehicle: dict[str, Any] = {
            "profile": profile, "speed_factor": speed_factor, "skills": list(skills),
            "costs": {name: price for name, price in costs.items() if price is not None},
        }  # fmt: skip
        for name, limit in (
            ("max_tasks", max_tasks), ("max_travel_time", max_travel_time), ("max_distance", max_distance),
            ("max_duration", max_duration),
            ("capacity", _amount(capacity)), ("time_window", list(window) if window else None),
        ):  # fmt: skip
            if limit is not None:
                vehicle[name] = limit
        if max_reloads:
            vehicle["reloads"] = {"most": max_reloads, "service": reload_service}
        vehicle["breaks"] = [_rest(k, rest) for k, rest in enumerate(breaks)]
        for side, location in (("start", start), ("end", end)):
            if location is not None:
                vehicle |= self._where(location, side, f"{side}_index")
        self._types.append((count, vehicle))
        return len(self._types) - 1

    def add_job(
        self, id: Hashable, *, location: Location, delivery: Amount | None = None, pickup: Amount | None = None,
        service: int = 0, setup: int = 0, windows: Windows = (), skills: Iterable[int] = (), priority: int = 0,
        penalty: int | None = None, after: Iterable[Hashable] = (),
    ) -> None:  # fmt: skip
        """One visit: it brings goods from the start of the route, takes some to its end, or both.

        `penalty`: what leaving it out costs; without one, no price leaves it out, and higher priorities come first.
        `after`: jobs and shipments that must be served, and none of which may begin (be delivered) later.
        """
        job = self._side(Stay(location, service, setup, windows))
        for name, amount in (("delivery", delivery), ("pickup", pickup)):
            job[name] = _amount(amount) or []
        self._add(id, "jobs", job | _wish(skills, priority, penalty), after)

    def add_shipment(
        self, id: Hashable, *, pickup: Stay, delivery: Stay, amount: Amount | None = None, skills: Iterable[int] = (),
        priority: int = 0, penalty: int | None = None, after: Iterable[Hashable] = (),
    ) -> None:  # fmt: skip
        """Goods from one place to another, by one vehicle; otherwise as `add_job`."""
        sides = {"pickup": self._side(pickup), "delivery": self._side(delivery)}
        self._add(id, "shipments", sides | {"amount": _amount(amount) or []} | _wish(skills, priority, penalty), after)

    def set_fleet(
        self, *, min_vehicles: int | None = None, max_vehicles: int | None = None, per_hour_of_longest: int = 0
    ) -> None:
        """How many vehicles have a route at least and at most, and what each hour of the longest route costs."""
        limits = {"min_vehicles": min_vehicles, "max_vehicles": max_vehicles}
        self._fleet = {name: number for name, number in limits.items() if number is not None}
        self._fleet["per_hour_of_longest"] = per_hour_of_longest

    def solve(
        self, *, time_limit: float | None = None, work: int | None = None, stop: Stop | Sequence[Stop] = (),
        seed: int = 0, on_incumbent: Callable[[Incumbent], None] | None = None,
        warm_start: ModelSolution | None = None, threads: int = 1,
    ) -> ModelSolution:  # fmt: skip
        """The best plan found until the first of these limits; five seconds where there is none.

        `stop`: rules such as `no_improvement(2)` and `target(900)`, or any callable of (Incumbent or None, seconds).
        Raises InvalidInput and Unsupported, which name what is wrong in the words of VROOM's JSON.
        """
        watch = _Watch([stop] if callable(stop) else list(stop), on_incumbent)
        data = self.as_vroom(warm_start)
        done = solve_file(
            data, time_limit=time_limit, work=work, seed=seed, threads=threads, roads=self.roads,
            stopped=watch.is_over, watch=watch.see,
        )  # fmt: skip
        return self._told(done)

    def as_vroom(self, warm_start: ModelSolution | None = None) -> dict[str, Any]:
        """The model as a VROOM input; tasks are numbered in the order in which they were added."""
        data: dict[str, Any] = {"vehicles": [], "jobs": [], "shipments": [], "fleet": self._fleet}
        number = {id: k for k, id in enumerate(self._tasks)}
        for id, (kind, task) in self._tasks.items():
            named: dict[str, Any] = {"id": number[id]}
            if kind == "shipments":
                named = {side: {**task[side], "id": number[id]} for side in ("pickup", "delivery")}
            data[kind].append({**task, **named, "after": self._leaders(id, number)})
        for count, vehicle in self._types:
            data["vehicles"] += [{**vehicle, "id": len(data["vehicles"]) + k} for k in range(count)]
        for route in warm_start.answer["routes"] if warm_start else ():
            steps = [{key: step[key] for key in ("type", "id") if key in step} for step in route["steps"]]
            data["vehicles"][route["vehicle"]]["steps"] = [step for step in steps if step["type"] != "break"]
        matrices = self._matrices or (self._straight() if self.roads is None else None)
        return data if matrices is None else data | {"matrices": matrices}

    def _straight(self) -> dict[str, Any]:
        """Whole metres, and as many seconds, between points; they are indices then."""
        at = list(self._points)
        apart = [[round(math.dist(a, b)) for b in at] for a in at]
        profiles = {vehicle["profile"] for _, vehicle in self._types}
        return {name: {"durations": apart, "distances": apart} for name in sorted(profiles)}

    def _where(self, location: Location, point_key: str, index_key: str) -> dict[str, Any]:
        if isinstance(location, tuple):
            if self._matrices:
                raise InvalidInput("a point beside matrices", field=point_key, hint="Give the number of the location.")
            number = self._points.setdefault((float(location[0]), float(location[1])), len(self._points))
            point = {point_key: [float(location[0]), float(location[1])]}
            return point if self.roads is not None else {**point, index_key: number}
        return {index_key: location}

    def _side(self, stay: Stay) -> dict[str, Any]:
        own = {"service": stay.service, "setup": stay.setup, "time_windows": _listed(stay.windows)}
        return self._where(stay.location, "location", "location_index") | own

    def _add(self, id: Hashable, kind: str, task: dict[str, Any], after: Iterable[Hashable]) -> None:
        if id in self._tasks:
            raise InvalidInput(f"{id!r} was added before", field="id")
        self._tasks[id], self._after[id] = (kind, task), tuple(after)

    def _leaders(self, id: Hashable, number: dict[Hashable, int]) -> list[dict[str, Any]]:
        """What a task must follow, in VROOM's words; `number` of every task."""
        for leader in self._after[id]:
            if leader not in self._tasks:
                raise InvalidInput(f"{id!r} follows {leader!r}, which was not added", field="after")
        kinds = {"jobs": "job", "shipments": "delivery"}
        return [{"type": kinds[self._tasks[leader][0]], "id": number[leader]} for leader in self._after[id]]

    def _told(self, done: SolvedFile) -> ModelSolution:
        """VROOM's answer in the user's words."""
        answer = done.answer
        assert answer is not None
        ids = list(self._tasks)
        types = [(t, k) for t, (count, _) in enumerate(self._types) for k in range(count)]
        routes = []
        for route in answer["routes"]:
            first, *middle, last = route["steps"]
            visits = tuple(
                Visit(
                    step["type"], None if step["type"] in ("break", "reload") else ids[step["id"]], step["arrival"],
                    step["arrival"] + step["waiting_time"],
                    step["arrival"] + step["waiting_time"] + step["setup"] + step["service"],
                )
                for step in middle
            )  # fmt: skip
            kind, number = types[route["vehicle"]]
            figures = (route["cost"], route["duration"], route["distance"], route["waiting_time"])
            routes.append(ModelRoute(kind, number, first["arrival"], last["arrival"], visits, *figures))
        left = {ids[one["id"]]: one["reason"] for one in answer["unassigned"]}
        summary = answer["summary"]
        return ModelSolution(tuple(routes), left, summary["cost"], summary.get("penalty", 0), answer)


class _Watch:
    """Sees every better plan, and asks the stop rules."""

    def __init__(self, rules: list[Stop], on_incumbent: Callable[[Incumbent], None] | None) -> None:
        self.rules, self.on_incumbent = rules, on_incumbent
        self.begun = time.perf_counter()
        self.best: Incumbent | None = None

    def see(self, problem: Problem, travel: Travel, rows: Rows, unit: int) -> None:
        timeline = evaluate(problem, travel, rows)
        self.best = Incumbent(timeline.rank, timeline.cost / unit, time.perf_counter() - self.begun)
        if self.on_incumbent is not None:
            self.on_incumbent(self.best)

    def is_over(self) -> bool:
        now = time.perf_counter() - self.begun
        return any(rule(self.best, now) for rule in self.rules)


def _rest(number: int, rest: Pause) -> dict[str, Any]:
    most = _amount(rest.max_load) or []
    return {"id": number, "service": rest.service, "time_windows": _listed(rest.windows), "max_load": most}


def _amount(amount: Amount | None) -> list[int] | None:
    if amount is None:
        return None
    return [int(amount)] if isinstance(amount, int | np.integer) else list(amount)


def _listed(windows: Windows) -> list[list[int]]:
    return [list(window) for window in windows]


def _wish(skills: Iterable[int], priority: int, penalty: int | None) -> dict[str, Any]:
    return {"skills": list(skills), "priority": priority} | ({} if penalty is None else {"penalty": penalty})
