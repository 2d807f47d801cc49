"""Plan mode: the `steps` of a VROOM input as they stand, with times, and what they violate said as VROOM says it.

Nothing is searched but times: as little lead time and delay as can be, then the shortest route, then everything as
soon as that leaves time for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from routing.problem.formats.vroom import VroomCase, vroom_case
from routing.problem.formats.vroom_answer import summed, unserved
from routing.problem.formats.vroom_checks import INSTANT, known, listed, whole, wrong
from routing.problem.formats.vroom_input import RELOAD, STEP, Break, TableOf, Task, VroomInput
from routing.problem.formats.vroom_route import TimedRoute, Windows, reload_at_start, said
from routing.problem.formats.whole.reading import broken_follows
from routing.problem.problem import ActKind

FORCED = {"service_at", "service_after", "service_before"}
UNPLANNED = "NOT_IN_STEPS"
"""The reason of a task that no step names."""

Violation = dict[str, Any]


class Moment(NamedTuple):
    """When a step may begin: in one of its windows (any time where there is none), or outside them for a price of one
    a second; never before `least` or after `most`."""

    windows: Windows
    least: int | None = None
    most: int | None = None


class Apart(NamedTuple):
    """One step begins at least so many seconds after another."""

    first: int
    then: int
    seconds: int


Choose = Callable[[Sequence[Moment], Sequence[Apart]], list[int] | None]
"""When each of these steps begins; None where `least` and `most` cannot all be kept."""


class PlannedStep(NamedTuple):
    """One step as the user gave it: a task, a break, or (neither) the start or end of the route."""

    act: tuple[int, int] | None  # request, ActKind
    task: Task | None
    rest: Break | None
    least: int | None
    most: int | None
    path: str = ""


def planned(data: dict[str, Any], choose: Choose, *, table_of: TableOf | None = None) -> dict[str, Any]:
    """The answer to a VROOM input in plan mode.  Raises InvalidInput (naming the JSON path) and Unsupported."""
    vehicles = listed(data, "vehicles", "")
    case = vroom_case({**data, "vehicles": [_without_steps(vehicle) for vehicle in vehicles]}, table_of=table_of)
    reader = _StepReader(case.given)
    steps = [reader.read(vehicle, f"vehicles[{v}]", v) for v, vehicle in enumerate(vehicles)]
    routes = [PlannedRoute(case, v, own, choose).answer() for v, own in enumerate(steps) if own]
    missing = [unserved(case, key, UNPLANNED) for key in case.given.request_of if key not in reader.seen]
    left = {case.given.request_of[key][0] for key in case.given.request_of if key not in reader.seen}
    summary = summed(case, routes, len(missing), left)
    whole_laws, warnings = _of_the_whole(case, routes)
    summary["violations"] = _together(route["violations"] for route in routes) + whole_laws
    answer = {"code": 0, "summary": summary, "unassigned": missing, "routes": routes}
    return answer | ({"warnings": warnings} if warnings else {})


def _of_the_whole(case: VroomCase, routes: list[dict[str, Any]]) -> tuple[list[Violation], list[dict[str, str]]]:
    """What the whole plan violates: too few or too many vehicles, tasks without or before what they must follow."""
    begins = {
        (step["type"], step["id"]): step["arrival"] + step["waiting_time"] + step["setup"]
        for route in routes for step in route["steps"] if "id" in step and step["type"] != "break"
    }  # fmt: skip
    broken = broken_follows(case.given, case.whole.follows, begins)
    fleet = not case.whole.min_vehicles <= len(routes) <= case.whole.max_vehicles
    warnings = [{"path": one.path, "message": "is not served, or begins later"} for one in broken]
    if fleet:
        warnings.append({"path": "fleet", "message": f"{len(routes)} vehicles have a route"})
    return [{"cause": "fleet"}] * fleet + [{"cause": "order"}] * bool(broken), warnings


def _without_steps(vehicle: Any) -> Any:
    return {key: value for key, value in vehicle.items() if key != "steps"} if isinstance(vehicle, dict) else vehicle


class _StepReader:
    """Reads steps: each task once, known, between a start and an end."""

    def __init__(self, given: VroomInput) -> None:
        self.given = given
        self.seen: dict[tuple[str, int], str] = {}

    def read(self, vehicle: dict[str, Any], path: str, v: int) -> list[PlannedStep]:
        """Start, what lies between, end; nothing where the vehicle has no steps."""
        items = listed(vehicle, "steps", path)
        if not items:
            return []
        nothing = PlannedStep(None, None, None, None, None, f"{path}.steps")
        first, last, between = nothing, nothing, []
        for k, item in enumerate(items):
            own = f"{path}.steps[{k}]"
            item = known(item, STEP | FORCED, own)
            kind = str(item.get("type"))
            if kind == "start":
                first = PlannedStep(None, None, None, *_bounds(item, own), own)
                if k:
                    raise wrong("a start is the first step", own)
            elif kind == "end":
                last = PlannedStep(None, None, None, *_bounds(item, own), own)
                if k < len(items) - 1:
                    raise wrong("an end is the last step", own)
            else:
                between.append(self._between(item, kind, own, v))
                if between[-1].rest and any(step.rest is between[-1].rest for step in between[:-1]):
                    raise wrong(f"break {between[-1].rest.id} is taken twice", own)
        if not any(step.task for step in between) and self.given.vehicles[v].start is None:
            return []
        return [first, *between, last]

    def _between(self, item: dict[str, Any], kind: str, own: str, v: int) -> PlannedStep:
        if kind == "reload":
            if "reloads" not in self.given.data["vehicles"][v]:
                raise wrong("the vehicle has no reloads", own)
            return PlannedStep(RELOAD, reload_at_start(self.given.vehicles[v]), None, *_bounds(item, own), own)
        number = whole(item, "id", None, own, INSTANT)
        if kind == "break":
            rest = next((one for one in self.given.vehicles[v].breaks if one.id == number), None)
            if rest is None:
                raise wrong(f"no break {number}", own)
            return PlannedStep(None, None, rest, *_bounds(item, own), own)
        if (kind, number) not in self.given.request_of:
            raise wrong(f"no {kind} {number}", own)
        if self.seen.setdefault((kind, number), own) != own:
            raise wrong(f"{kind} {number} is also at {self.seen[kind, number]}", own)
        request, side = self.given.request_of[kind, number]
        row = self.given.rows[request]
        task = self.given.tasks[row.drop if side else row.pick]
        return PlannedStep((request, side), task, None, *_bounds(item, own), own)


def _bounds(item: dict[str, Any], path: str) -> tuple[int | None, int | None]:
    """The first and last instant at which a step may begin."""
    given: dict[str, int | None] = {}
    for key in FORCED:
        value = item.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or abs(value) > INSTANT):
            raise wrong("must be a whole number", f"{path}.{key}")
        given[key] = value
    at = given["service_at"]
    least = [x for x in (at, given["service_after"]) if x is not None]
    most = [x for x in (at, given["service_before"]) if x is not None]
    if least and most and max(least) > min(most):
        raise wrong("service_at, service_after and service_before contradict each other", path)
    return max(least, default=None), min(most, default=None)


class PlannedRoute(TimedRoute):
    """The steps of one vehicle, timed."""

    def __init__(self, case: VroomCase, v: int, steps: list[PlannedStep], choose: Choose) -> None:
        super().__init__(case, v, [step.act for step in steps if step.act is not None])
        self.planned = steps
        begins = choose([self._moment(n) for n in range(len(steps))], self._apart())
        if begins is None:
            bound = next(step for step in steps if step.least is not None or step.most is not None)
            raise wrong("service_at, service_after and service_before cannot all be kept on the way", bound.path)
        self.begins = begins

    def _moment(self, n: int) -> Moment:
        step, span = self.planned[n], self.vehicle.window
        if n == 0 and span is None:
            return Moment([], max(self.case.base, step.least or self.case.base), step.most)
        if n == 0:
            return Moment([(span[0], INSTANT)] if span else [], step.least, step.most)
        if n == len(self.planned) - 1:
            return Moment([(-INSTANT, span[1])] if span else [], step.least, step.most)
        windows = step.task.windows if step.task else step.rest.windows if step.rest else []
        return Moment(sorted(windows), step.least, step.most)

    def _apart(self) -> list[Apart]:
        """Each step after the one before it, and each task by its whole way after the task before."""
        found, before, work, rests, legs = [], 0, 0, 0, iter(self.legs)
        for n, step in enumerate(self.planned[1:], 1):
            rest = self.planned[n - 1].rest
            found.append(Apart(n - 1, n, rest.service if rest else work))
            if step.rest:
                rests += step.rest.service
                continue
            leg = next(legs)
            found.append(Apart(before, n, work + rests + leg.seconds))
            before, rests, work = n, 0, leg.setup + step.task.service if step.task else 0
        return found

    def steps(self) -> list[dict[str, Any]]:
        """Start, tasks and breaks, end, each with what it violates."""
        shown = any(vehicle.capacity for vehicle in self.case.given.vehicles)
        here = self.vehicle.start if self.vehicle.start is not None else self.tasks[0].location
        found: list[dict[str, Any]] = []
        now, driven, metres, k = self.begins[0], 0, 0, 0
        leg, left = self.legs[0], 0
        for n, (step, begins) in enumerate(zip(self.planned, self.begins, strict=True)):
            if n:
                ahead = min(left, begins - now) if step.rest else left
                left, driven = left - ahead, driven + ahead
                arrival, done = now + ahead, leg.metres
                if step.rest:
                    done = leg.metres * (leg.seconds - left) // leg.seconds if leg.seconds else 0
                elif step.task:
                    here, k = step.task.location, k + 1
                else:
                    here = here if self.vehicle.end is None else self.vehicle.end
            else:
                arrival, done = now, 0
            item = step.task or step.rest
            setup = leg.setup if step.task else 0
            kind = step.task.kind if step.task else "break" if step.rest else "end" if n else "start"
            one = {
                "type": kind, "setup": setup, "service": item.service if item else 0,
                "waiting_time": begins - arrival, "load": self.loads[k] if shown else [], "arrival": arrival,
                "duration": driven, "violations": [], "distance": metres + done,
                **({} if step.rest else self.where(here)),
                **({"id": item.id} if item and step.act != RELOAD else {}),
                **(said(item) if item else {}),
            }  # fmt: skip
            one["violations"] = self._broken(n, begins, k, one)
            found.append(one)
            now = begins + setup + (item.service if item else 0)
            if not step.rest and n < len(self.planned) - 1:
                metres, leg = metres + done, self.legs[k]
                left = leg.seconds
        return found

    def _broken(self, n: int, begins: int, k: int, told: dict[str, Any]) -> list[Violation]:
        """What a step violates, `k` tasks being done."""
        step, vehicle, load = self.planned[n], self.vehicle, self.loads[k]
        found = _outside(self._moment(n).windows, begins)
        room = vehicle.capacity
        if room is not None and any(a > b for a, b in zip(load, room, strict=True)):
            found.append({"cause": "load"})
        if step.rest and step.rest.max_load is not None:
            found += [{"cause": "max_load"}] * any(a > b for a, b in zip(load, step.rest.max_load, strict=True))
        reloads = sum(one.act == RELOAD for one in self.planned[: n + 1])
        if step.act == RELOAD:
            found += [{"cause": "reloads"}] * (reloads > vehicle.reloads)
        elif step.act is not None:
            row = self.case.given.rows[step.act[0]]
            if k - reloads > vehicle.max_tasks:
                found.append({"cause": "max_tasks"})
            if not row.skills <= vehicle.skills:
                found.append({"cause": "skills"})
            if row.pick >= 0 and row.drop >= 0 and not self._has_other_half(step.act, n):
                found.append({"cause": "precedence"})
        if told["duration"] > vehicle.max_travel_time:
            found.append({"cause": "max_travel_time"})
        if n == len(self.planned) - 1 and begins - self.begins[0] > self.case.whole.max_duration[self.v]:
            found.append({"cause": "max_duration"})
        if told["distance"] > vehicle.max_distance:
            found.append({"cause": "max_distance"})
        return found

    def _has_other_half(self, act: tuple[int, int], n: int) -> bool:
        """Whether the delivery of a pickup comes behind it, or the pickup of a delivery before it."""
        request, side = act
        others = self.planned[:n] if side == ActKind.DROP else self.planned[n + 1 :]
        other = ActKind.PICKUP if side == ActKind.DROP else ActKind.DROP
        return any(step.act == (request, other) for step in others)

    def answer(self) -> dict[str, Any]:
        """The route in VROOM's JSON, with all that it violates."""
        made = super().answer()
        found = [step["violations"] for step in made["steps"]]
        if any(all(step.rest is not rest for step in self.planned) for rest in self.vehicle.breaks):
            found.append([{"cause": "missing_break"}])
        return made | {"violations": _together(found)}


def _outside(windows: Windows, begins: int) -> list[Violation]:
    """By how much an instant misses the nearest window."""
    misses = [(max(opens - begins, begins - closes, 0), opens > begins) for opens, closes in windows]
    least, early = min(misses, default=(0, False))
    return [{"cause": "lead_time" if early else "delay", "duration": least}] if least else []


def _together(lists: Iterable[list[Violation]]) -> list[Violation]:
    """Each cause once, the seconds of the same cause added up."""
    found: dict[str, Violation] = {}
    for one in (one for each in lists for one in each):
        before = found.setdefault(one["cause"], {"cause": one["cause"]})
        if "duration" in one:
            before["duration"] = before.get("duration", 0) + one["duration"]
    return list(found.values())
