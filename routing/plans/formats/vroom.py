"""Reads VROOM's JSON: vehicles, jobs, shipments, matrices, told steps; everything else is refused by name.

Every task has a place of its own, so that its windows are its own.  Setup is charged where the location changes, as
VROOM does: it is part of the leg.  The price of a leg (time, distance or VROOM's own cost matrix) travels in the metres
of the Travel block.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import gcd
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.errors import UnreadableFile, Unsupported
from routing.plans.build import SKIP, allow, make_problem, make_rows
from routing.plans.formats.vroom_checks import known, whole, wholes, wrong
from routing.plans.problem import INFINITE, ActKind, Problem, Travel

MAX_TASKS = 20_000
MAX_PRIORITY = 100

TableOf = Callable[[list[tuple[float, float]], str], tuple[NDArray[np.int64], NDArray[np.int64]]]
"""([(lng, lat)], profile) -> seconds and metres between all of them: what `--roads` provides."""

_TOP = {"vehicles", "jobs", "shipments", "matrices", "matrix"}
_VEHICLE = {
    "id", "profile", "description", "start", "start_index", "end", "end_index", "capacity", "skills", "time_window",
    "max_tasks", "costs", "speed_factor", "steps",
}  # fmt: skip
_JOB = {
    "id", "description", "location", "location_index", "setup", "service", "delivery", "pickup", "amount", "skills",
    "priority", "time_windows",
}  # fmt: skip
_SHIPMENT = {"pickup", "delivery", "amount", "skills", "priority"}
_SIDE = {"id", "description", "location", "location_index", "setup", "service", "time_windows"}


class Task(NamedTuple):
    """One act in VROOM's words."""

    kind: str  # job, pickup, delivery
    id: int
    location: int
    setup: int
    service: int
    description: str | None


class VroomCase(NamedTuple):
    """A VROOM input as a Problem, with what is needed to answer in VROOM's words."""

    problem: Problem
    travel: Travel
    tasks: list[Task]  # by place
    request_of: dict[tuple[str, int], tuple[int, int]]  # (kind, id) -> request, ActKind
    vehicles: list[dict[str, Any]]
    places: list[tuple[float, float] | None]  # coordinates of locations, where given
    duration: NDArray[np.int64]  # [vehicle profile, location, location] seconds, speed factor included
    distance: NDArray[np.int64]  # the same in metres (0 where unknown)
    price: NDArray[np.int64]  # the same in VROOM's cost times `magnified`
    magnified: int
    start: list[int | None]  # location
    end: list[int | None]
    priority: list[int]  # by request


def read_vroom(path: Path, *, table_of: TableOf | None = None) -> VroomCase:
    """A VROOM input file.  Raises UnreadableFile, InvalidInput (naming the JSON path) or Unsupported."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}", file=path.name) from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableFile("not JSON", file=path.name, line=getattr(error, "lineno", 1)) from None
    if not isinstance(data, dict):
        raise UnreadableFile("not a JSON object", file=path.name)
    return vroom_case(data, table_of=table_of)


def vroom_case(data: dict[str, Any], *, table_of: TableOf | None = None) -> VroomCase:
    """A VROOM input (the parsed JSON) as a Problem."""
    return _Reader(data, table_of).case()


class _Reader:
    """Walks one input; paths like `jobs[3].service` name what is wrong."""

    def __init__(self, data: dict[str, Any], table_of: TableOf | None) -> None:
        self.data = known(data, _TOP, "")
        self.table_of = table_of
        self.vehicles = self._list("vehicles")
        self.jobs, self.shipments = self._list("jobs"), self._list("shipments")
        if not self.vehicles:
            raise wrong("at least one vehicle", "vehicles")
        if len(self.jobs) + 2 * len(self.shipments) > MAX_TASKS:
            raise Unsupported(f"more than {MAX_TASKS} tasks", field="jobs")
        for v, vehicle in enumerate(self.vehicles):
            if isinstance(vehicle, dict) and "breaks" in vehicle:
                raise Unsupported(f"vehicles[{v}].breaks is not supported", field=f"vehicles[{v}].breaks")
            known(vehicle, _VEHICLE, f"vehicles[{v}]")
            whole(vehicle, "id", None, f"vehicles[{v}]", 2**62)
        self.points: dict[tuple[float, float], int] = {}
        self.coordinates: dict[int, tuple[float, float]] = {}
        self.by_index = bool(self.data.get("matrices") or self.data.get("matrix"))
        self.dimensions = self._dimensions()
        self.tasks: list[Task] = []
        self.request_of: dict[tuple[str, int], tuple[int, int]] = {}
        self.rows: list[dict[str, Any]] = []

    def _list(self, key: str) -> list[Any]:
        values = self.data.get(key, [])
        if not isinstance(values, list):
            raise wrong("must be a list", key)
        return values

    def _dimensions(self) -> int:
        sizes = {len(v["capacity"]) for v in self.vehicles if isinstance(v.get("capacity"), list)}
        if len(sizes) > 1:
            raise wrong("all capacities need the same number of dimensions", "vehicles")
        return max([1, *sorted(sizes)])

    def _location(self, item: dict[str, Any], index_key: str, point_key: str, path: str) -> int | None:
        """Location of an item: a matrix index, or a number for its coordinates."""
        point = item.get(point_key)
        if point is not None:
            good = isinstance(point, list) and len(point) == 2
            if not good or not all(isinstance(x, (int, float)) and np.isfinite(x) for x in point):
                raise wrong("must be [longitude, latitude]", f"{path}.{point_key}")
        if index_key in item:
            index = whole(item, index_key, None, path)
            if point is not None:
                self.coordinates[index] = (float(point[0]), float(point[1]))
            return index
        if point is None:
            return None
        if self.by_index:
            raise wrong(f"needs {index_key} beside matrices", f"{path}.{point_key}")
        key = (float(point[0]), float(point[1]))
        index = self.points.setdefault(key, len(self.points))
        self.coordinates[index] = key
        return index

    def _amount(self, item: dict[str, Any], key: str, path: str) -> list[int]:
        if key not in item:
            return [0] * self.dimensions
        return wholes(item[key], f"{path}.{key}", self.dimensions)

    def _windows(self, item: dict[str, Any], path: str) -> list[list[int]]:
        windows = item.get("time_windows", [[0, INFINITE - 1]])
        if not isinstance(windows, list) or not windows:
            raise wrong("must be a list of [start, end]", f"{path}.time_windows")
        for k, window in enumerate(windows):
            if wholes(window, f"{path}.time_windows[{k}]", 2)[0] > window[1]:
                raise wrong("a window closes before it opens", f"{path}.time_windows[{k}]")
        return windows

    def _task(self, item: dict[str, Any], kind: str, request: int, side: ActKind, path: str) -> list[list[int]]:
        location = self._location(item, "location_index", "location", path)
        if location is None:
            raise wrong("needs a location or location_index", path)
        number = whole(item, "id", None, path, 2**62)
        if (kind, number) in self.request_of:
            raise wrong(f"{kind} {number} appears twice", f"{path}.id")
        setup, service = whole(item, "setup", 0, path), whole(item, "service", 0, path)
        self.request_of[kind, number] = (request, int(side))
        self.tasks.append(Task(kind, number, location, setup, service, item.get("description")))
        return self._windows(item, path)

    def _job(self, job: Any, path: str) -> None:
        job = known(job, _JOB, path)
        brings, takes = job.get("delivery", job.get("amount")), job.get("pickup")
        if brings and takes and any(brings) and any(takes):
            raise Unsupported(f"{path} both delivers and picks up", field=path)
        picks = bool(takes and any(takes))
        side = ActKind.PICKUP if picks else ActKind.DROP
        place, request = len(self.tasks), len(self.rows)
        windows = self._task(job, "job", request, side, path)
        key = "pickup" if picks else "delivery" if "delivery" in job else "amount"
        self._request(
            job, path, self._amount(job, key, path), place if picks else -1, -1 if picks else place, windows, windows
        )

    def _shipment(self, shipment: Any, path: str) -> None:
        shipment = known(shipment, _SHIPMENT, path)
        place, request = len(self.tasks), len(self.rows)
        sides = []
        for kind, side in (("pickup", ActKind.PICKUP), ("delivery", ActKind.DROP)):
            step = known(shipment.get(kind), _SIDE, f"{path}.{kind}")
            sides.append(self._task(step, kind, request, side, f"{path}.{kind}"))
        self._request(shipment, path, self._amount(shipment, "amount", path), place, place + 1, *sides)

    def _request(
        self, item: dict[str, Any], path: str, load: list[int], pick: int, drop: int,
        pick_windows: list[list[int]], drop_windows: list[list[int]],
    ) -> None:  # fmt: skip
        priority = whole(item, "priority", 0, path, MAX_PRIORITY)
        skills = set(wholes(item.get("skills", []), f"{path}.skills"))
        self.rows.append(
            {"pick": pick, "drop": drop, "load": load, "windows": (pick_windows, drop_windows), "priority": priority,
             "skills": skills, "path": path}
        )  # fmt: skip

    def case(self) -> VroomCase:
        for k, job in enumerate(self.jobs):
            self._job(job, f"jobs[{k}]")
        for k, shipment in enumerate(self.shipments):
            self._shipment(shipment, f"shipments[{k}]")
        start, end = [], []
        for v, vehicle in enumerate(self.vehicles):
            start.append(self._location(vehicle, "start_index", "start", f"vehicles[{v}]"))
            end.append(self._location(vehicle, "end_index", "end", f"vehicles[{v}]"))
        self._setups([x for x in start if x is not None])
        classes, profile = self._profiles()
        locations = [task.location for task in self.tasks] + [x for x in (*start, *end) if x is not None]
        duration, distance, price, scale = self._matrices(classes, max(locations, default=0) + 1)
        travel, start_place, end_place = self._travel(duration, price, start, end)
        problem = self._problem(profile, start_place, end_place, scale, len(travel.ticks[0]))
        places = [self.coordinates.get(k) for k in range(duration.shape[1])]
        return VroomCase(
            problem,
            travel,
            self.tasks,
            self.request_of,
            self.vehicles,
            places,
            duration,
            distance,
            price,
            scale,
            start,
            end,
            [row["priority"] for row in self.rows],
        )

    def _setups(self, starts: list[int]) -> None:
        """VROOM opens a window for the setup, the Problem for the act behind it: shift windows by the setup."""
        used = [task.location for task in self.tasks] + starts
        for row in self.rows:
            for side, place in enumerate((row["pick"], row["drop"])):
                task = self.tasks[place]
                if place < 0 or task.setup == 0 or row["windows"][side] == [[0, INFINITE - 1]]:
                    continue
                if used.count(task.location) > 1:
                    path = f"{row['path']}.setup"
                    raise Unsupported(f"{path} beside time windows at a shared location is not supported", field=path)
                row["windows"][side][:] = [
                    [begin + task.setup, end + task.setup] for begin, end in row["windows"][side]
                ]

    def _profiles(self) -> tuple[list[tuple[str, float, int, int, int]], list[int]]:
        """Kinds of vehicles that travel or pay differently: (profile, speed, per hour, per km, per task hour)."""
        classes: dict[tuple[str, float, int, int, int], int] = {}
        numbers = []
        for v, vehicle in enumerate(self.vehicles):
            path = f"vehicles[{v}]"
            costs = known(vehicle.get("costs", {}), {"fixed", "per_hour", "per_km", "per_task_hour"}, f"{path}.costs")
            speed = vehicle.get("speed_factor", 1.0)
            if not isinstance(speed, (int, float)) or not 0 < speed <= 5:
                raise wrong("must be a number above 0, at most 5", f"{path}.speed_factor")
            name = vehicle.get("profile", "car")
            key = (
                str(name), float(speed), whole(costs, "per_hour", 3600, f"{path}.costs"),
                whole(costs, "per_km", 0, f"{path}.costs"), whole(costs, "per_task_hour", 0, f"{path}.costs"),
            )  # fmt: skip
            numbers.append(classes.setdefault(key, len(classes)))
        return list(classes), numbers

    def _matrices(
        self, classes: list[tuple[str, float, int, int, int]], size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
        """Seconds, metres and price between locations per class of vehicles, and how much the price is magnified."""
        given = self.data.get("matrices") or (
            {"car": {"durations": self.data["matrix"]}} if "matrix" in self.data else {}
        )
        if not isinstance(given, dict):
            raise wrong("must be an object", "matrices")
        # An hour of per_hour and a kilometre of per_km in one integer unit: 1 / (36000 / scale) of VROOM's.
        unit = gcd(36000, *(10 * c[2] for c in classes), *(36 * c[3] for c in classes), *(10 * c[4] for c in classes))
        blocks = []
        for name, speed, per_hour, per_km, _ in classes:
            seconds, metres, cost = self._matrix(given, name, size)
            seconds = np.rint(seconds / speed).astype(np.int64) if speed != 1 else seconds
            own = (10 * per_hour * seconds + 36 * per_km * metres) // unit if cost is None else cost * (36000 // unit)
            if own.size and (own.max() > INFINITE or seconds.max() > INFINITE):
                raise Unsupported("costs or durations beyond 2^30", field=f"matrices.{name}")
            blocks.append((seconds, metres, own))
        seconds, metres, own = (np.stack(part) for part in zip(*blocks, strict=True))
        return seconds, metres, own, 36000 // unit

    def _matrix(
        self, given: dict[str, Any], name: str, size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64] | None]:
        if not self.by_index:
            if self.table_of is None:
                raise wrong("needs matrices, or roads to measure coordinates on", "matrices")
            seconds, metres = self.table_of(list(self.points), name)
            return seconds, metres, None
        if name not in given:
            raise wrong(f"no matrix for profile {name}", f"matrices.{name}")
        parts = known(given[name], {"durations", "distances", "costs"}, f"matrices.{name}")
        read: dict[str, NDArray[np.int64]] = {}
        for key, values in parts.items():
            path = f"matrices.{name}.{key}"
            try:
                block = np.array(values)
            except ValueError:
                raise wrong("must be a square table", path) from None
            if block.ndim != 2 or block.shape[0] != block.shape[1] or block.dtype.kind not in "iu":
                raise wrong("must be a square table of whole numbers", path)
            if block.shape[0] < size:
                raise wrong(f"has {block.shape[0]} rows, index {size - 1} is used", path)
            if (block < 0).any():
                raise wrong("holds a negative number", path)
            read[key] = block.astype(np.int64)
        if "durations" not in read:
            raise wrong("needs durations", f"matrices.{name}")
        if len({block.shape for block in read.values()}) > 1:
            raise wrong("tables of different sizes", f"matrices.{name}")
        return read["durations"], read.get("distances", np.zeros_like(read["durations"])), read.get("costs")

    def _travel(
        self, duration: NDArray[np.int64], price: NDArray[np.int64], start: list[int | None], end: list[int | None]
    ) -> tuple[Travel, list[int], list[int]]:
        """Places are tasks, ends, starts; a missing start is a place from which everything is at hand."""
        ends = sorted({x for x in end if x is not None})
        starts = sorted({-1 if x is None else x for x in start})
        goal = np.array([task.location for task in self.tasks] + ends, dtype=np.int64)
        origin = np.concatenate([goal, np.array(starts, dtype=np.int64)])
        setup = np.array([task.setup for task in self.tasks] + [0] * len(ends), dtype=np.int64)
        apart = origin[:, None] != goal[None, :]
        anywhere = origin < 0
        ticks = duration[:, origin][:, :, goal] + np.where(apart, setup[None, :], 0)[None]
        money = price[:, origin][:, :, goal]
        ticks[:, anywhere] = setup[None, None, :]
        money[:, anywhere] = 0
        blocks = [np.ascontiguousarray(block, dtype=np.int32) for block in (np.minimum(ticks, INFINITE), money)]
        travel = Travel(*blocks)
        start_place = [len(goal) + starts.index(-1 if x is None else x) for x in start]
        end_place = [-1 if x is None else len(self.tasks) + ends.index(x) for x in end]
        return travel, start_place, end_place

    def _problem(self, profile: list[int], start: list[int], end: list[int], scale: int, places: int) -> Problem:
        requests, vehicles = len(self.rows), len(self.vehicles)
        most = max((len(w) for row in self.rows for w in row["windows"]), default=1)
        window = np.zeros((requests, 2, most, 2), dtype=np.int64)
        for r, row in enumerate(self.rows):
            for side, windows in enumerate(row["windows"]):
                padded = [list(map(int, w)) for w in windows] + [windows[-1]] * (most - len(windows))
                window[r, side] = np.minimum(padded, INFINITE)
        act = np.zeros((requests, 2), dtype=np.int64)
        for request, side in self.request_of.values():
            row = self.rows[request]
            act[request, side] = self.tasks[row["pick" if side == 0 else "drop"]].service
        span = [self._span(v) for v in range(vehicles)]
        allowed = np.array(
            [[row["skills"] <= set(vehicle.get("skills", [])) for vehicle in self.vehicles] for row in self.rows]
        ).reshape(requests, vehicles)
        capacity = [self._capacity(v) for v in range(vehicles)]
        for row in self.rows:
            if all(any(load > room for load, room in zip(row["load"], own, strict=True)) for own in capacity):
                raise wrong("more than any vehicle can carry", row["path"])
        per_hour = [
            known(v.get("costs", {}), {"fixed", "per_hour", "per_km", "per_task_hour"}, "costs") for v in self.vehicles
        ]
        if any(costs.get("per_task_hour") for costs in per_hour):
            raise Unsupported("costs.per_task_hour is not supported", field="vehicles")
        fields: dict[str, Any] = {
            "place": np.arange(places), "pick_place": [row["pick"] for row in self.rows],
            "drop_place": [row["drop"] for row in self.rows],
            "load": [row["load"] for row in self.rows] or np.zeros((0, self.dimensions)),
            "act": act, "window": window,
            # Priority first: one of a higher priority outweighs everything below it that could be served instead.
            "skip_cost": [SKIP * (1 + 100 * row["priority"]) for row in self.rows],
            "start_place": start, "end_place": end, "start": [s for s, _ in span], "end": [e for _, e in span],
            "profile": profile, "capacity": capacity, "allowed": allow(allowed),
            "fixed": [scale * whole(costs, "fixed", 0, "costs") for costs in per_hour], "per_drive": 0, "per_metre": 1,
        }  # fmt: skip
        self._limit_tasks(fields)
        return self._tell(fields)

    def _span(self, v: int) -> tuple[int, int]:
        span = self.vehicles[v].get("time_window", [0, INFINITE])
        first, last = wholes(span, f"vehicles[{v}].time_window", 2)
        if first > last:
            raise wrong("closes before it opens", f"vehicles[{v}].time_window")
        return first, last

    def _capacity(self, v: int) -> list[int]:
        if "capacity" not in self.vehicles[v]:
            return [INFINITE] * self.dimensions
        return wholes(self.vehicles[v]["capacity"], f"vehicles[{v}].capacity", self.dimensions)

    def _limit_tasks(self, fields: dict[str, Any]) -> None:
        """max_tasks by a ballast per vehicle that never leaves it: its whole route is then one trip."""
        if not any("max_tasks" in vehicle for vehicle in self.vehicles):
            return
        if self.jobs and self.shipments:
            raise Unsupported("max_tasks beside both jobs and shipments is not supported", field="vehicles")
        vehicles, requests = len(self.vehicles), len(self.rows)
        per_request = 2 if self.shipments else 1
        most = [whole(v, "max_tasks", INFINITE - 2, f"vehicles[{k}]") for k, v in enumerate(self.vehicles)]
        fields["max_requests"] = [1 + m // per_request for m in most]
        fields["aboard_of"] = [-1] * requests + list(range(vehicles))
        for name, filler in (("pick_place", -1), ("drop_place", -1), ("skip_cost", 0)):
            fields[name] = [*fields[name], *[filler] * vehicles]
        fields["load"] = np.concatenate(
            [np.reshape(fields["load"], (-1, self.dimensions)), np.zeros((vehicles, self.dimensions))]
        )
        fields["act"] = np.concatenate([fields["act"], np.zeros((vehicles, 2))])
        free = np.broadcast_to([-INFINITE, INFINITE], (vehicles, *fields["window"].shape[1:]))
        fields["window"] = np.concatenate([fields["window"], free])
        fields["allowed"] = np.concatenate(
            [fields["allowed"], np.full((vehicles, fields["allowed"].shape[1]), 2**64 - 1, dtype=np.uint64)]
        )

    def _tell(self, fields: dict[str, Any]) -> Problem:
        """The Problem with the vehicles' `steps` as told plan."""
        told = []
        for v, vehicle in enumerate(self.vehicles):
            route = []
            for k, step in enumerate(vehicle.get("steps", [])):
                path = f"vehicles[{v}].steps[{k}]"
                step = known(step, {"type", "id"}, path)
                kind, number = str(step.get("type")), whole(step, "id", 0, path, 2**62)
                if kind in ("start", "end"):
                    continue
                if kind == "break":
                    raise Unsupported(f"{path}: breaks are not supported", field=path)
                if (kind, number) not in self.request_of:
                    raise wrong(f"no {kind} {number}", path)
                request, side = self.request_of[kind, number]
                row = self.rows[request]
                route.append((row["pick"] if side == 0 else row["drop"], [(request, side)]))
            told.append(route)
        return make_problem(**fields, told=make_rows(told))
