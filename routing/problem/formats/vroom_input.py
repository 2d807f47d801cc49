"""Walks a VROOM input: every key understood or refused, every number looked at; paths like `jobs[3].service`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.problem.formats.vroom_checks import (
    INSTANT,
    MAX_BREAKS,
    NOTHING,
    amounts,
    check_sizes,
    count_dimensions,
    delivered_key,
    known,
    listed,
    square,
    whole,
    wholes,
    window,
    windows,
    wrong,
)
from routing.problem.problem import INFINITE, ActKind

MAX_PRIORITY = 100

TableOf = Callable[[list[tuple[float, float]], str], tuple[NDArray[np.int64], NDArray[np.int64]]]
"""([(lng, lat)], profile) -> seconds and metres between all of them: what `--roads` provides."""

_TOP = {"vehicles", "jobs", "shipments", "matrices", "matrix", "options", "dimensions", "fleet"}
_VEHICLE = {
    "id", "profile", "description", "start", "start_index", "end", "end_index", "capacity", "skills", "time_window",
    "max_tasks", "max_travel_time", "max_distance", "max_duration", "costs", "speed_factor", "steps", "breaks",
    "reloads",
}  # fmt: skip
_COSTS = {"fixed", "per_hour", "per_km", "per_task_hour"}
_BREAK = {"id", "time_windows", "service", "description", "max_load"}
_JOB = {
    "id", "description", "location", "location_index", "setup", "service", "delivery", "pickup", "amount", "skills",
    "priority", "penalty", "time_windows", "after",
}  # fmt: skip
_SHIPMENT = {"pickup", "delivery", "amount", "skills", "priority", "penalty", "description", "after"}
_SIDE = {"id", "description", "location", "location_index", "setup", "service", "time_windows"}
STEP = {"type", "id", "description"}
"""Keys of a step; plan mode knows more."""
_ALWAYS = (-INSTANT, INSTANT)
RELOAD = -1, 0
"""Stands among the acts of a vehicle for coming back to load."""


class Task(NamedTuple):
    """One act in VROOM's words."""

    kind: str  # job, pickup, delivery
    id: int
    location: int
    setup: int
    service: int
    windows: list[tuple[int, int]]  # of the user's clock; none: at any time
    description: str | None
    path: str


class VroomRow(NamedTuple):
    """One request: a job, or both sides of a shipment."""

    pick: int  # number of the task, -1
    drop: int
    load: list[int]
    back: list[int]  # taken on board at the drop
    priority: int
    penalty: int | None
    skills: frozenset[int]
    path: str


class Break(NamedTuple):
    """A pause in VROOM's words."""

    id: int
    windows: list[tuple[int, int]]
    service: int
    max_load: list[int] | None
    description: str | None
    path: str


class Vehicle(NamedTuple):
    """A vehicle in VROOM's words."""

    id: int
    path: str
    profile: str
    speed: float
    start: int | None  # location
    end: int | None
    capacity: list[int] | None
    skills: frozenset[int]
    window: tuple[int, int] | None
    max_tasks: int
    max_travel_time: int
    max_distance: int
    fixed: int
    per_hour: int
    per_km: int
    per_task_hour: int
    priced_by: frozenset[str]  # keys of `costs` that are given
    breaks: list[Break]  # in the order in which they are taken
    reloads: int  # at its start, at most
    reload_service: int
    told: list[tuple[int, int]]  # (request, ActKind) of `steps`, or RELOAD
    description: str | None


class VroomInput:
    """A VROOM input, read whole; Problem and answer are made from it."""

    def __init__(self, data: dict[str, Any], table_of: TableOf | None) -> None:
        self.data = known(data, _TOP, "")
        self.table_of = table_of
        known(data.get("options", {}), {"g"}, "options")
        vehicles, jobs, shipments = (listed(data, key, "") for key in ("vehicles", "jobs", "shipments"))
        check_sizes(vehicles, jobs, shipments)
        self.by_index = bool(data.get("matrices") or data.get("matrix"))
        if data.get("matrices") and data.get("matrix"):
            raise wrong("stands beside matrices: give one of them", "matrix")
        self.points: dict[tuple[float, float, int | None], int] = {}
        self.coordinates: dict[int, tuple[float, float]] = {}
        self.names = listed(data, "dimensions", "")
        self.dimensions = count_dimensions(self.names, vehicles, jobs, shipments)
        self.tasks: list[Task] = []
        self.rows: list[VroomRow] = []
        self.request_of: dict[tuple[str, int], tuple[int, int]] = {}
        for k, job in enumerate(jobs):
            self._job(job, f"jobs[{k}]")
        for k, shipment in enumerate(shipments):
            self._shipment(shipment, f"shipments[{k}]")
        self.told_of: dict[tuple[int, int], str] = {}
        self.vehicles = [self._vehicle(vehicle, f"vehicles[{v}]") for v, vehicle in enumerate(vehicles)]
        self._whole_shipments()
        used = [(task.location, f"{task.path}.location_index") for task in self.tasks]
        for vehicle in self.vehicles:
            ends = (vehicle.start, "start_index"), (vehicle.end, "end_index")
            used += [(location or 0, f"{vehicle.path}.{key}") for location, key in ends]
        farthest, self._farthest = max(used, key=lambda one: one[0])
        self.size = farthest + 1

    def _location(self, item: dict[str, Any], index_key: str, point_key: str, path: str) -> int | None:
        """Location of an item: a matrix index, or a number for its coordinates."""
        point = item.get(point_key)
        if point is not None:
            good = isinstance(point, list) and len(point) == 2
            good = good and all(type(x) in (int, float) and np.isfinite(x) for x in point)
            if not good or (not self.by_index and (abs(point[0]) > 180 or abs(point[1]) > 90)):
                raise wrong("must be [longitude, latitude] in degrees", f"{path}.{point_key}")
        index = whole(item, index_key, None, path) if index_key in item else None
        if self.by_index and index is not None:
            if point is not None:
                self.coordinates[index] = (float(point[0]), float(point[1]))
            return index
        if point is None:
            if index is not None:
                raise wrong(f"means nothing without matrices: give {point_key}", f"{path}.{index_key}")
            return None
        if self.by_index:
            raise wrong(f"needs {index_key} beside matrices", f"{path}.{point_key}")
        number = self.points.setdefault((float(point[0]), float(point[1]), index), len(self.points))
        self.coordinates[number] = (float(point[0]), float(point[1]))
        return number

    def shown_index(self, location: int) -> int | None:
        """The `location_index` that the user gave for a location; None where there was none."""
        return location if self.by_index else list(self.points)[location][2]

    def _amount(self, item: dict[str, Any], key: str, path: str) -> list[int]:
        if item.get(key) in NOTHING:
            return [0] * self.dimensions
        return amounts(item[key], f"{path}.{key}", self.dimensions, self.names)

    def _room(self, item: dict[str, Any], key: str, path: str) -> list[int] | None:
        """Most by dimension, None where there is no limit."""
        values, own = item.get(key), f"{path}.{key}"
        return None if values in NOTHING else amounts(values, own, self.dimensions, self.names, every=True)

    def _task(self, item: dict[str, Any], kind: str, request: int, side: ActKind, path: str) -> None:
        location = self._location(item, "location_index", "location", path)
        if location is None:
            raise wrong("needs a location or location_index", path)
        number = whole(item, "id", None, path, INSTANT)
        if (kind, number) in self.request_of:
            raise wrong(f"{kind} {number} appears twice", f"{path}.id")
        self.request_of[kind, number] = (request, int(side))
        stay = location, whole(item, "setup", 0, path), whole(item, "service", 0, path), windows(item, path)
        self.tasks.append(Task(kind, number, *stay, item.get("description"), path))

    def _job(self, job: Any, path: str) -> None:
        job = known(job, _JOB, path)
        brings = self._amount(job, delivered_key(job, path), path)
        takes = self._amount(job, "pickup", path)
        side = ActKind.PICKUP if any(takes) and not any(brings) else ActKind.DROP
        place, request = len(self.tasks), len(self.rows)
        self._task(job, "job", request, side, path)
        if side == ActKind.PICKUP:
            self._request(job, path, place, -1, takes, [0] * self.dimensions)
        else:
            self._request(job, path, -1, place, brings, takes)

    def _shipment(self, shipment: Any, path: str) -> None:
        shipment = known(shipment, _SHIPMENT, path)
        place, request = len(self.tasks), len(self.rows)
        for kind, side in (("pickup", ActKind.PICKUP), ("delivery", ActKind.DROP)):
            step = known(shipment.get(kind), _SIDE, f"{path}.{kind}")
            self._task(step, kind, request, side, f"{path}.{kind}")
        nothing = [0] * self.dimensions
        self._request(shipment, path, place, place + 1, self._amount(shipment, "amount", path), nothing)

    def _request(self, item: dict[str, Any], path: str, pick: int, drop: int, load: list[int], back: list[int]) -> None:
        priority = whole(item, "priority", 0, path, MAX_PRIORITY)
        penalty = whole(item, "penalty", None, path) if "penalty" in item else None
        skills = frozenset(wholes(item.get("skills", []), f"{path}.skills"))
        self.rows.append(VroomRow(pick, drop, load, back, priority, penalty, skills, path))

    def _vehicle(self, vehicle: Any, path: str) -> Vehicle:
        vehicle = known(vehicle, _VEHICLE, path)
        costs = known(vehicle.get("costs", {}), _COSTS, f"{path}.costs")
        back = known(vehicle.get("reloads", {"most": 0}), {"most", "service"}, f"{path}.reloads")
        start = self._location(vehicle, "start_index", "start", path)
        if start is None and "reloads" in vehicle:
            raise wrong("needs a start to come back to", f"{path}.reloads")
        speed = vehicle.get("speed_factor", 1.0)
        if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 < speed <= 5:
            raise wrong("must be a number above 0, at most 5", f"{path}.speed_factor")
        skills = frozenset(wholes(vehicle.get("skills", []), f"{path}.skills"))
        return Vehicle(
            id=whole(vehicle, "id", None, path, INSTANT), path=path, profile=str(vehicle.get("profile", "car")),
            speed=float(speed), start=start,
            end=self._location(vehicle, "end_index", "end", path), skills=skills,
            capacity=self._room(vehicle, "capacity", path),
            window=window(vehicle["time_window"], f"{path}.time_window") if "time_window" in vehicle else None,
            max_tasks=_most(vehicle, "max_tasks", path), max_travel_time=_most(vehicle, "max_travel_time", path),
            max_distance=_most(vehicle, "max_distance", path),
            fixed=whole(costs, "fixed", 0, f"{path}.costs"), per_hour=whole(costs, "per_hour", 3600, f"{path}.costs"),
            per_km=whole(costs, "per_km", 0, f"{path}.costs"),
            per_task_hour=whole(costs, "per_task_hour", 0, f"{path}.costs"),
            priced_by=frozenset(costs), breaks=self._breaks(vehicle, path), told=self._told(vehicle, skills, path),
            reloads=whole(back, "most", INFINITE, f"{path}.reloads"),
            reload_service=whole(back, "service", 0, f"{path}.reloads"),
            description=vehicle.get("description"),
        )  # fmt: skip

    def _breaks(self, vehicle: dict[str, Any], path: str) -> list[Break]:
        """Breaks by the opening of their first window, then by the closing of their last one, as VROOM orders them."""
        found: list[Break] = []
        for k, item in enumerate(listed(vehicle, "breaks", path, MAX_BREAKS)):
            own = f"{path}.breaks[{k}]"
            item = known(item, _BREAK, own)
            number = whole(item, "id", None, own, INSTANT)
            if any(other.id == number for other in found):
                raise wrong(f"break {number} appears twice", f"{own}.id")
            most = self._room(item, "max_load", own)
            service = whole(item, "service", 0, own)
            found.append(Break(number, sorted(windows(item, own)), service, most, item.get("description"), own))
        return sorted(found, key=lambda one: (one.windows[0][0], one.windows[-1][1]) if one.windows else _ALWAYS)

    def _told(self, vehicle: dict[str, Any], skills: frozenset[int], path: str) -> list[tuple[int, int]]:
        """`steps` as acts: each task once, by a vehicle that may do it, a pickup before its delivery."""
        told: list[tuple[int, int]] = []
        for k, step in enumerate(listed(vehicle, "steps", path)):
            own = f"{path}.steps[{k}]"
            step = known(step, STEP, own)
            kind = step.get("type")
            if kind in ("start", "end"):
                continue
            if kind == "reload":
                if "reloads" not in vehicle:
                    raise wrong("the vehicle has no reloads", own)
                told.append(RELOAD)
                continue
            number = whole(step, "id", None, own, INSTANT)
            if kind == "break":
                if all(item.get("id") != number for item in listed(vehicle, "breaks", path)):
                    raise wrong(f"no break {number}", own)
                continue
            if (str(kind), number) not in self.request_of:
                raise wrong(f"no {kind} {number}", own)
            act = self.request_of[str(kind), number]
            row = self.rows[act[0]]
            if act in self.told_of:
                raise wrong(f"{kind} {number} is also at {self.told_of[act]}", own)
            if not row.skills <= skills:
                raise wrong(f"the vehicle lacks skills that {row.path} asks for", own)
            if kind == "delivery" and (act[0], int(ActKind.PICKUP)) not in told:
                raise wrong(f"delivery {number} has no pickup before it on this vehicle", own)
            self.told_of[act] = own
            told.append(act)
        return told

    def _whole_shipments(self) -> None:
        """Refuse steps that pick up and never deliver."""
        for (request, side), path in self.told_of.items():
            row = self.rows[request]
            if side == ActKind.PICKUP and row.drop >= 0 and (request, int(ActKind.DROP)) not in self.told_of:
                raise wrong(f"{row.path} is picked up and never delivered", path)

    def tables(
        self, profiles: list[tuple[str, float]]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.int64] | None]]:
        """Seconds, metres and custom costs between locations for each (profile, speed factor); None where not given."""
        found = []
        for name, speed in profiles:
            seconds, metres, costs = self._table(name)
            if speed != 1:
                seconds = np.where(seconds < INFINITE, np.rint(seconds / speed).astype(np.int64), INFINITE)
            found.append((np.minimum(seconds, INFINITE), metres, costs))
        return found

    def _table(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64] | None, NDArray[np.int64] | None]:
        if not self.by_index:
            if self.table_of is None:
                raise wrong("needs matrices, or roads to measure coordinates on", "matrices")
            seconds, metres = self.table_of([(lng, lat) for lng, lat, _ in self.points], name)
            return seconds, metres, None
        given = self.data.get("matrices") or {"car": {"durations": self.data["matrix"]}}
        if not isinstance(given, dict):
            raise wrong("must be an object", "matrices")
        if name not in given:
            raise wrong(f"no matrix for profile {name}", f"matrices.{name}")
        parts = known(given[name], {"durations", "distances", "costs"}, f"matrices.{name}")
        if "durations" not in parts:
            raise wrong("needs durations", f"matrices.{name}")
        if len({len(values) for values in parts.values() if isinstance(values, list)}) > 1:
            raise wrong("tables of different sizes", f"matrices.{name}")
        own = f"matrices.{name}"
        read = {key: square(values, self.size, f"{own}.{key}", self._farthest) for key, values in parts.items()}
        for key, block in read.items():
            if key != "durations" and int(block.max(initial=0)) >= 2**31:
                row, column = np.argwhere(block >= 2**31)[0]
                raise wrong("must be less than 2^31", f"{own}.{key}[{row}][{column}]")
        return read["durations"], read.get("distances"), read.get("costs")


def _most(vehicle: dict[str, Any], key: str, path: str) -> int:
    """A limit; the largest numbers that programs write for none mean none."""
    return min(whole(vehicle, key, INFINITE, path, INSTANT), INFINITE)
