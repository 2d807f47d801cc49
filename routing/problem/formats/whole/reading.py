"""`after` of jobs and shipments, and `fleet`, read and refused by path.

{"fleet": {"min_vehicles": 2, "max_vehicles": 3, "per_hour_of_longest": 3600},
 "jobs": [{"id": 1, ...}, {"id": 2, "after": [{"type": "job", "id": 1}], ...}]}
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from routing.problem.formats.vroom_checks import INSTANT, known, listed, refused, whole, wrong
from routing.problem.formats.vroom_input import VroomInput
from routing.problem.problem import INFINITE, ActKind

_FLEET = {"min_vehicles", "max_vehicles", "per_hour_of_longest"}


class Follows(NamedTuple):
    """One entry of an `after`."""

    leader: int  # request
    follower: int
    path: str


class WholePlan(NamedTuple):
    """Laws and prices of the whole plan in the user's words."""

    follows: list[Follows]
    min_vehicles: int
    max_vehicles: int
    per_hour_of_longest: int
    max_duration: list[int]  # by vehicle

    def fields(self, unit: int) -> dict[str, Any]:
        """The fields of a Problem whose price is counted in parts of a cost, `unit` of them each."""
        pairs: dict[str, Any] = {}
        if self.follows:
            pairs["precedence"] = [[one.leader, one.follower] for one in self.follows]
        longest = self.per_hour_of_longest * unit // 3600
        if min(self.max_duration) < INFINITE:
            pairs["max_duration"] = self.max_duration
        return pairs | {"min_used": self.min_vehicles, "max_used": self.max_vehicles, "per_longest": longest}


def whole_plan(given: VroomInput) -> WholePlan:
    """What an input says of the whole plan.  Raises InvalidInput (naming the JSON path)."""
    follows: list[Follows] = []
    for key, first in (("jobs", 0), ("shipments", len(given.data.get("jobs", [])))):
        for k, item in enumerate(given.data.get(key, [])):
            follows += _follows(given, item, first + k, f"{key}[{k}]")
    _refuse_circles(follows)
    fleet, vehicles = known(given.data.get("fleet", {}), _FLEET, "fleet"), len(given.vehicles)
    least = whole(fleet, "min_vehicles", 0, "fleet")
    most = whole(fleet, "max_vehicles", INFINITE, "fleet")
    if least > min(most, vehicles):
        raise wrong(f"is more than {'max_vehicles' if least > most else 'there are'}", "fleet.min_vehicles")
    if least > len(given.rows):
        raise wrong("is more than there are jobs and shipments", "fleet.min_vehicles")
    duration = [_duration(given, v, bool(follows)) for v in range(vehicles)]
    return WholePlan(follows, least, most, whole(fleet, "per_hour_of_longest", 0, "fleet"), duration)


def _duration(given: VroomInput, v: int, ordered: bool) -> int:
    """The longest duration of a vehicle's route.  Raises Unsupported beside breaks, reloads and `after`."""
    vehicle, path = given.data["vehicles"][v], f"vehicles[{v}]"
    most = min(whole(vehicle, "max_duration", INFINITE, path, INSTANT), INFINITE)
    breaks, reloads = given.vehicles[v].breaks, any(one.reloads for one in given.vehicles)
    for word, there in (("breaks", breaks), ("reloads", reloads), ("`after`", ordered)):
        if most < INFINITE and there:
            raise refused(f"{path}.max_duration", f"is not supported beside {word}")
    return most


def _follows(given: VroomInput, item: dict[str, Any], follower: int, path: str) -> list[Follows]:
    """What one job or shipment must follow: a job, or the delivery of a shipment."""
    found = []
    for n, one in enumerate(listed(item, "after", path)):
        own = f"{path}.after[{n}]"
        one = known(one, {"type", "id"}, own)
        kind, number = str(one.get("type")), whole(one, "id", None, own, INSTANT)
        if kind == "pickup":
            raise wrong("names a pickup: a task may follow a job or a delivery", own)
        if (kind, number) not in given.request_of:
            raise wrong(f"no {kind} {number}", own)
        found.append(Follows(given.request_of[kind, number][0], follower, own))
    return found


def _refuse_circles(follows: list[Follows]) -> None:
    """Refuse what would come before itself."""
    before: dict[int, set[int]] = {}
    for one in follows:
        before.setdefault(one.follower, set()).add(one.leader)
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        circle = set(error.args[1])
        path = next(one.path for one in follows if one.follower in circle and one.leader in circle)
        raise wrong("closes a circle: it would come before itself", path) from None


def starts_promptly(follows: list[Follows], acts: list[list[tuple[int, int]]]) -> set[int]:
    """Vehicles that share a pair with another one: they set off as soon as they can, as the search has it.

    `acts`: (request, ActKind) by vehicle.
    """
    carrier = {request: v for v, own in enumerate(acts) for request, _ in own}
    apart = [
        (carrier[one.leader], carrier[one.follower])
        for one in follows
        if one.leader in carrier and one.follower in carrier
    ]
    return {v for pair in apart if pair[0] != pair[1] for v in pair}


def broken_follows(given: VroomInput, follows: list[Follows], begins: dict[tuple[str, int], int]) -> list[Follows]:
    """Those of `follows` that a plan breaks; `begins`: when each planned task's service does, by kind and id."""
    names = {act: name for name, act in given.request_of.items()}
    broken = []
    for one in follows:
        row = given.rows[one.follower]
        first = names[one.follower, int(ActKind.PICKUP if row.pick >= 0 else ActKind.DROP)]
        row = given.rows[one.leader]
        last = names[one.leader, int(ActKind.DROP if row.drop >= 0 else ActKind.PICKUP)]
        if first in begins and (last not in begins or begins[last] > begins[first]):
            broken.append(one)
    return broken
