"""One route in VROOM's words: times, breaks, loads and costs, from the order of its tasks alone.

As VROOM does: the earliest end first, then the latest start that still reaches it, then everything as soon as that
start allows.  Breaks lie on legs, driven as far as their windows leave time for.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from routing.problem.formats.vroom import VroomCase
from routing.problem.formats.vroom_checks import INSTANT
from routing.problem.formats.vroom_input import RELOAD, Break, Task, Vehicle, VroomRow

Windows = Sequence[tuple[int, int]]
ALWAYS: Windows = [(-INSTANT, INSTANT)]


class TimedLeg(NamedTuple):
    """The way to a task, or to the end of the route (task None)."""

    task: Task | None
    seconds: int
    metres: int
    setup: int
    load: list[int]  # on board on the way


def first_in(windows: Windows, at: int) -> int | None:
    """The first instant from `at` on within a window."""
    return min((max(at, opens) for opens, closes in windows if closes >= at), default=None)


def last_in(windows: Windows, at: int) -> int | None:
    """The last instant up to `at` within a window."""
    return max((min(at, closes) for opens, closes in windows if opens <= at), default=None)


def ahead(breaks: Sequence[Break], leave: int, drive: int) -> int | None:
    """When a leg ends that is left at `leave` with these breaks on it."""
    now, left = leave, drive
    for rest in breaks:
        begins = first_in(rest.windows or ALWAYS, now)
        if begins is None:
            return None
        left -= min(left, begins - now)
        now = begins + rest.service
    return now + left


def back(breaks: Sequence[Break], arrive: int, drive: int) -> int | None:
    """When a leg with these breaks on it must be left at the latest to end by `arrive`."""
    now, left = arrive, drive
    for rest in reversed(breaks):
        begins = last_in(rest.windows or ALWAYS, now - rest.service)
        if begins is None:
            return None
        left -= min(left, now - rest.service - begins)
        now = begins
    return now - left


class Schedule:
    """When a vehicle with these legs does what: start of the route, begin of each task, breaks by leg."""

    def __init__(
        self, legs: list[TimedLeg], breaks: list[Break], window: tuple[int, int], *, prompt: bool = False
    ) -> None:
        self.legs, self.breaks = legs, breaks
        end = self._forward(window[0])[-1][len(breaks)]
        latest = window[0] if prompt else self._backward(end[0] if end else window[1])
        self.start = max(window[0], latest if latest is not None else window[0])
        table = self._forward(self.start)
        self.taken = self._share(table)

    def _fits(self, leg: TimedLeg, first: int, count: int) -> bool:
        return all(
            rest.max_load is None or all(a <= b for a, b in zip(leg.load, rest.max_load, strict=True))
            for rest in self.breaks[first : first + count]
        )

    def _through(self, leg: TimedLeg, first: int, count: int, leave: int) -> int | None:
        """When the task behind a leg is done (the end is reached)."""
        if not self._fits(leg, first, count):
            return None
        arrive = ahead(self.breaks[first : first + count], leave, leg.seconds)
        if arrive is None or leg.task is None:
            return arrive
        begins = first_in(leg.task.windows or ALWAYS, arrive)
        return None if begins is None else begins + leg.setup + leg.task.service

    def _forward(self, start: int) -> list[list[tuple[int, int] | None]]:
        """By leg and breaks taken so far: the soonest to be through, and how many of them on this leg."""
        count = len(self.breaks)
        rows: list[list[tuple[int, int] | None]] = [[(start, 0)] + [None] * count]
        for leg in self.legs:
            row: list[tuple[int, int] | None] = [None] * (count + 1)
            for before, state in enumerate(rows[-1]):
                for taken in range(count - before + 1) if state else ():
                    assert state is not None
                    done = self._through(leg, before, taken, state[0])
                    known = row[before + taken]
                    if done is not None and (known is None or done < known[0]):
                        row[before + taken] = done, taken
            rows.append(row)
        return rows

    def _backward(self, end: int) -> int | None:
        """The latest start from which the end is reached by `end`."""
        count = len(self.breaks)
        latest: list[int | None] = [None] * count + [end]
        for leg in reversed(self.legs):
            row: list[int | None] = [None] * (count + 1)
            for before in range(count + 1):
                for taken in range(count - before + 1):
                    by = latest[before + taken]
                    if by is None or not self._fits(leg, before, taken):
                        continue
                    arrive: int | None = by
                    if leg.task is not None:
                        arrive = last_in(leg.task.windows or ALWAYS, by - leg.task.service - leg.setup)
                    left = None if arrive is None else back(self.breaks[before : before + taken], arrive, leg.seconds)
                    if left is not None and (row[before] is None or left > (row[before] or left)):
                        row[before] = left
            latest = row
        return latest[0]

    def _share(self, table: list[list[tuple[int, int] | None]]) -> list[list[Break]]:
        """The breaks of each leg."""
        done, shares = len(self.breaks), []
        for row in table[:0:-1]:
            state = row[done]
            taken = state[1] if state else 0
            shares.append(self.breaks[done - taken : done])
            done -= taken
        return shares[::-1]


def reload_at_start(vehicle: Vehicle) -> Task:
    """Coming back to the start to load."""
    assert vehicle.start is not None
    return Task("reload", -1, vehicle.start, 0, vehicle.reload_service, [], None, vehicle.path)


class TimedRoute:
    """A route as it is written into an answer; a `prompt` one sets off at once, even where it waits for it later."""

    def __init__(self, case: VroomCase, v: int, acts: list[tuple[int, int]], *, prompt: bool = False) -> None:
        given, self.prompt = case.given, prompt
        self.case, self.v, self.vehicle = case, v, given.vehicles[v]
        none = [0] * given.dimensions
        nothing = VroomRow(-1, -1, none, none, 0, None, frozenset(), self.vehicle.path)
        self.rows: list[VroomRow] = [nothing if act == RELOAD else given.rows[act[0]] for act in acts]
        self.sides = [side for _, side in acts]
        self.tasks = [
            reload_at_start(self.vehicle) if row is nothing else given.tasks[row.drop if side else row.pick]
            for row, side in zip(self.rows, self.sides, strict=True)
        ]
        self.loads = self._loads()
        self.legs = self._legs()

    @cached_property
    def schedule(self) -> Schedule:
        """When what begins."""
        window = self.vehicle.window or (self.case.base, INSTANT)
        return Schedule(self.legs, self.vehicle.breaks, window, prompt=self.prompt)

    def _loaded(self, k: int) -> list[int]:
        """What is loaded before task `k` for jobs up to the next reload, by dimension."""
        end = next((n for n in range(k, len(self.tasks)) if self.tasks[n].kind == "reload"), len(self.tasks))
        lone = [row for row in self.rows[k:end] if row.pick < 0]
        return [sum(row.load[d] for row in lone) for d in range(self.case.given.dimensions)]

    def _loads(self) -> list[list[int]]:
        """On board at the start and behind each task, by dimension; a reload takes off what jobs gave."""
        loads = [self._loaded(0)]
        given = [0] * len(loads[0])
        for k, (row, side) in enumerate(zip(self.rows, self.sides, strict=True)):
            change = [b - a for a, b in zip(row.load, row.back, strict=True)] if side else row.load
            if self.tasks[k].kind == "reload":
                change = [b - a for a, b in zip(given, self._loaded(k + 1), strict=True)]
                given = [0] * len(given)
            elif side or row.drop < 0:
                given = [a + b for a, b in zip(given, row.back if side else row.load, strict=True)]
            loads.append([a + b for a, b in zip(loads[-1], change, strict=True)])
        return loads

    def _way(self, here: int | None, there: int | None) -> tuple[int, int]:
        """Seconds and metres from here to there."""
        if here is None or there is None or here == there:
            return 0, 0
        index = self.case.profile[self.v], here, there
        return int(self.case.duration[index]), int(self.case.distance[index])

    def _legs(self) -> list[TimedLeg]:
        here, legs = self.vehicle.start, []
        for task, load in zip(self.tasks, self.loads, strict=False):
            setup = 0 if here == task.location else task.setup
            legs.append(TimedLeg(task, *self._way(here, task.location), setup, load))
            here = task.location
        return [*legs, TimedLeg(None, *self._way(here, self.vehicle.end), 0, self.loads[-1])]

    def cost(self) -> Fraction:
        """What the route costs, not rounded."""
        vehicle, case = self.vehicle, self.case
        work = sum(leg.setup + leg.task.service for leg in self.legs if leg.task and leg.task.kind != "reload")
        price = Fraction(vehicle.fixed) + Fraction(vehicle.per_task_hour * work, 3600)
        if case.problem.per_toll.size and case.problem.per_toll[self.v]:
            here = self.vehicle.start
            for there in [*(task.location for task in self.tasks), self.vehicle.end]:
                if here is not None and there is not None and here != there:
                    price += int(case.custom[case.profile[self.v], here, there])
                here = there
            return price
        price += Fraction(vehicle.per_hour * sum(leg.seconds for leg in self.legs), 3600)
        return price + Fraction(vehicle.per_km * sum(leg.metres for leg in self.legs), 1000)

    def where(self, location: int | None) -> dict[str, Any]:
        """A location by the user's index and, where they are known, its coordinates."""
        return where(self.case, location)

    def steps(self) -> list[dict[str, Any]]:
        """Start, tasks and breaks, end."""
        found: list[dict[str, Any]] = []
        shown = any(vehicle.capacity for vehicle in self.case.given.vehicles)
        driven = metres = 0

        def step(kind: str, arrival: int, load: list[int], **more: Any) -> None:
            times = {"setup": 0, "service": 0, "waiting_time": 0, **more}
            said = {"type": kind, **times, "load": load if shown else [], "arrival": arrival, "duration": driven}
            found.append({**said, "violations": [], "distance": metres})

        first = self.vehicle.start if self.vehicle.start is not None else self.tasks[0].location
        now = self.schedule.start
        step("start", now, self.loads[0], **self.where(first))
        here = first
        for k, (leg, breaks) in enumerate(zip(self.legs, self.schedule.taken, strict=True)):
            left = leg.seconds
            for rest in breaks:
                begins = _begin(rest.windows, now)
                ahead_of = min(left, begins - now)
                left, driven = left - ahead_of, driven + ahead_of
                share = leg.metres * (leg.seconds - left) // leg.seconds if leg.seconds else 0
                before, metres = metres, metres + share
                waiting = begins - now - ahead_of
                times = {"service": rest.service, "waiting_time": waiting}
                step("break", begins - waiting, leg.load, id=rest.id, **times, **said(rest))
                metres, now = before, begins + rest.service
            now, driven, metres = now + left, driven + left, metres + leg.metres
            if leg.task is None:
                break
            here = leg.task.location
            begins = _begin(leg.task.windows, now)
            names = {} if leg.task.kind == "reload" else {"id": leg.task.id}
            step(
                leg.task.kind, now, self.loads[k + 1], **self.where(here), **names, setup=leg.setup,
                service=leg.task.service, waiting_time=begins - now, **said(leg.task),
            )  # fmt: skip
            now = begins + leg.setup + leg.task.service
        step("end", now, self.loads[-1], **self.where(self.vehicle.end if self.vehicle.end is not None else here))
        return found

    def answer(self) -> dict[str, Any]:
        """The route in VROOM's JSON."""
        steps = self.steps()
        shown = any(vehicle.capacity for vehicle in self.case.given.vehicles)
        dimensions = range(self.case.given.dimensions) if shown else ()
        drops = [row for row, side in zip(self.rows, self.sides, strict=True) if side]
        picks = [row for row, side in zip(self.rows, self.sides, strict=True) if not side]
        return {
            "vehicle": self.vehicle.id, "cost": round(self.cost()),
            "delivery": [sum(row.load[d] for row in drops) for d in dimensions],
            "pickup": [sum(row.load[d] for row in picks) + sum(row.back[d] for row in drops) for d in dimensions],
            "setup": sum(leg.setup for leg in self.legs), "service": sum(step["service"] for step in steps),
            "duration": steps[-1]["duration"], "waiting_time": sum(step["waiting_time"] for step in steps),
            "priority": sum(row.priority for row in {id(row): row for row in self.rows}.values()),
            "distance": steps[-1]["distance"], "steps": steps, "violations": [], **said(self.vehicle),
        }  # fmt: skip


def where(case: VroomCase, location: int | None) -> dict[str, Any]:
    """A location by the user's index and, where they are known, its coordinates."""
    if location is None:
        return {}
    index, point = case.given.shown_index(location), case.given.coordinates.get(location)
    return ({} if index is None else {"location_index": index}) | ({} if point is None else {"location": list(point)})


def _begin(windows: Windows, at: int) -> int:
    """The first instant from `at` on within a window; `at` itself where a schedule that cannot be asks."""
    begins = first_in(windows or ALWAYS, at)
    return at if begins is None else begins


def said(item: Any) -> dict[str, Any]:
    """The description that the user gave an item, where there is one."""
    return {} if item.description is None else {"description": item.description}
