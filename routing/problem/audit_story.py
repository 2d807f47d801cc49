"""One vehicle's day as the audit retells it: stop by stop, in plain Python, without a line of the evaluator's code."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from routing.problem.problem import INFINITE, Problem, Travel, TripRule


class Violation(NamedTuple):
    """One broken law: a stable code, who is concerned (-1: nobody in particular), and a sentence."""

    code: str
    vehicle: int
    request: int
    message: str


Route = list[tuple[int, list[tuple[int, str]]]]


class VehicleDay:
    """One vehicle's working day, told stop by stop."""

    def __init__(self, problem: Problem, travel: Travel, vehicle: int, route: Route, *, standing: bool) -> None:
        self.problem, self.travel, self.vehicle = problem, travel, vehicle
        self.wrong: list[Violation] = []
        self.times: list[tuple[int, int, int, int]] = []
        self.price = 0
        if not route:
            return
        self.bag: dict[int, tuple[int | None, int | None]] = {}  # request -> (stop, tick) of its pickup
        self.done: set[int] = set()
        self.trips, self.trip_size = 0, 0
        self.place = int(problem.start_place[vehicle])
        self.clock = int(problem.start[vehicle]) if standing else max(0, int(problem.start[vehicle]))
        self.price += int(problem.fixed[vehicle])
        self.driven = self.metres = self.toll = self.tasks = 0
        self._load_at_start(route)
        pauses = _take_breaks(problem, travel, vehicle, route)
        if pauses is None:
            self._note("breaks", -1, "no way to take all breaks")
        self.pauses = pauses or []
        for number, (place, acts) in enumerate(route):
            self._visit(number, place, acts)
        self._go_home()
        self._check_limits(sum(len(acts) for _, acts in route))
        for request in self.bag:
            if problem.drop_place[request] >= 0 and problem.aboard_of[request] < 0:
                self._note("malformed", request, "picked up and never dropped")
            elif problem.drop_place[request] >= 0 and any(request == r for _, acts in route for r, _ in acts):
                self._note("malformed", request, "touched and never dropped")

    def _note(self, code: str, request: int, message: str) -> None:
        self.wrong.append(Violation(code, self.vehicle, request, message))

    def _load_at_start(self, route: Route) -> None:
        problem = self.problem
        for request in range(len(problem.pick_place)):
            if problem.aboard_of[request] == self.vehicle:
                self.bag[request] = (None, None)
        for _, acts in route:
            for request, _ in acts:
                if problem.pick_place[request] == -1 and problem.aboard_of[request] == -1:
                    self.bag[request] = (None, None)
        if self.bag:
            self.trips, self.trip_size = 1, len(self.bag)
        self._weigh(-1)

    def _weigh(self, request: int) -> None:
        for d in range(self.problem.load.shape[1]):
            carried = sum(int(self.problem.load[r, d]) for r in self.bag)
            carried += sum(int(self.problem.load_back[r, d]) for r in self.done) if self.problem.load_back.size else 0
            if carried > int(self.problem.capacity[self.vehicle, d]):
                self._note("capacity", request, f"carries {carried} in dimension {d}")

    def _drive(self, place: int) -> tuple[int, int]:
        """Drive to `place`, pay for it, take the breaks on the way; the ticks without breaks, and those of a setup."""
        breaks = self.pauses.pop(0) if self.pauses else []
        if place == self.place:
            self.clock = _with_breaks(self.problem, breaks, self.clock, 0) or self.clock
            return 0, 0
        profile = int(self.problem.profile[self.vehicle])
        leg = int(self.travel.ticks[profile, self.place, place])
        if leg >= INFINITE:
            self._note("unreachable", -1, f"no way from place {self.place} to {place}")
        if self.travel.metres.size:
            metres = int(self.travel.metres[profile, self.place, place])
            self.metres += metres
            self.price += metres * int(self.problem.per_metre[self.vehicle])
        if self.travel.toll.size:
            self.toll += int(self.travel.toll[profile, self.place, place])
        driving = int(self.travel.drive[profile, self.place, place]) if self.travel.drive.size and leg else leg
        self.driven += driving
        self.tasks += leg - driving
        self.price += driving * int(self.problem.per_drive[self.vehicle])
        self.clock = (_with_breaks(self.problem, breaks, self.clock, driving) or self.clock) + leg - driving
        self._work(self.clock - leg, self.clock)
        self.place = place
        return leg, leg - driving

    def _check_limits(self, acts: int) -> None:
        """What a whole route may not exceed, and what it pays by the whole."""
        problem, vehicle = self.problem, self.vehicle
        for code, limits, value, word in (
            ("travel_limit", problem.max_drive, self.driven, "ticks of driving"),
            ("travel_limit", problem.max_metres, self.metres, "metres"), ("trip", problem.max_acts, acts, "acts"),
        ):  # fmt: skip
            if limits.size and value > int(limits[vehicle]):
                self._note(code, -1, f"{value} {word} are more than {int(limits[vehicle])}")
        if problem.per_task.size:
            self.price += self.tasks * int(problem.per_task[vehicle])
        if problem.per_toll.size:
            self.price += self.toll * int(problem.per_toll[vehicle])

    def _work(self, begin: int, finish: int) -> None:
        begin, finish = max(begin, 0), min(finish, int(self.problem.paid_until[self.vehicle]))
        if finish > begin:
            self.price += (finish - begin) * int(self.problem.per_work[self.vehicle])

    def _visit(self, number: int, place: int, acts: list[tuple[int, str]]) -> None:
        problem = self.problem
        leg, setup = self._drive(place)
        arrive = self.clock
        entered = arrive + (int(problem.enter[place]) if acts else 0)
        self._work(arrive, entered)
        at = _first_instant(problem, acts, max(entered - setup, 0))
        if at is not None:
            at += setup
        else:
            self._note("window", acts[0][0], "no instant suits every act of the stop")
            at = max(entered, 0)
        service = 0
        for request, kind in acts:
            service += int(problem.act[request, 0 if kind == "pickup" else 1])
            self.tasks += int(problem.act[request, 0 if kind == "pickup" else 1])
            self._check_right(request)
            if kind == "pickup":
                self._pick_up(request, place, number, at)
            else:
                self._drop(request, place, at)
            if self.trips > int(problem.max_trips[self.vehicle]):
                self._note("trip", request, "more trips than may be planned ahead")
            if self.trip_size > int(problem.max_requests[self.vehicle]):
                self._note("trip", request, "more requests than a trip may have")
        leave = at + service + (int(problem.exit[place]) if acts else 0)
        self._work(at, leave)
        self.clock = leave
        self.times.append((leg, arrive, at, leave))

    def _check_right(self, request: int) -> None:
        problem = self.problem
        word = int(problem.allowed[request, self.vehicle // 64])
        if not word >> (self.vehicle % 64) & 1:
            self._note("not_allowed", request, "may not be carried by this vehicle")
        if problem.aboard_of[request] not in (-1, self.vehicle):
            self._note("aboard_elsewhere", request, f"is on board of vehicle {problem.aboard_of[request]}")

    def _pick_up(self, request: int, place: int, number: int, at: int) -> None:
        problem = self.problem
        if request in self.bag or request in self.done or problem.pick_place[request] != place:
            self._note("malformed", request, "cannot be picked up here and now")
        if at > int(problem.last_pickup[self.vehicle]):
            self._note("last_pickup", request, f"picked up at {at}, after the last pickup")
        if not self.bag:
            self.trips += 1
            self.trip_size = 0
        elif problem.trip_rule == TripRule.ONE_STORE_UNTIL_EMPTY and any(
            stop != number or problem.store[other] != problem.store[request] for other, (stop, _) in self.bag.items()
        ):
            self._note("trip", request, "picked up while goods of another pickup stop are on board")
        self.trip_size += 1
        self.bag[request] = (number, at)
        self._weigh(request)

    def _drop(self, request: int, place: int, at: int) -> None:
        problem = self.problem
        if request not in self.bag or problem.drop_place[request] != place:
            self._note("malformed", request, "cannot be dropped here and now")
        _, picked_at = self.bag.pop(request, (None, None))
        self.done.add(request)
        if self.problem.load_back.size:
            self._weigh(request)
        if picked_at is not None and at - picked_at > int(problem.max_on_board[request]):
            self._note("on_board", request, f"{at - picked_at} ticks on board")
        self.price += price_at_door(problem, request, at)

    def _go_home(self) -> None:
        end_place = int(self.problem.end_place[self.vehicle])
        self._drive(end_place if end_place != -1 else self.place)
        if self.clock > int(self.problem.end[self.vehicle]):
            self._note("route_end", -1, f"ends at {self.clock}")


def _with_breaks(problem: Problem, breaks: list[int], leave: int, drive: int) -> int | None:
    """When a leg ends on which these breaks are taken, each as soon as its windows allow; None where they do not."""
    now, left = leave, drive
    for b in breaks:
        starts = [max(now, int(opens)) for opens, closes in problem.breaks.window[b] if closes >= now]
        if not starts:
            return None
        left = max(0, left - (min(starts) - now))
        now = min(starts) + int(problem.breaks.service[b])
    return now + left


def _take_breaks(problem: Problem, travel: Travel, vehicle: int, route: Route) -> list[list[int]] | None:
    """The breaks of each leg (the last one leads to the end) such that the route ends first, None where none suit.

    Of equal ways the one that takes most on the last leg, then comes to the last stop first, and so on.
    """
    if not problem.breaks.ptr.size or problem.breaks.ptr[vehicle] == problem.breaks.ptr[vehicle + 1]:
        return []
    own = list(range(int(problem.breaks.ptr[vehicle]), int(problem.breaks.ptr[vehicle + 1])))
    best: tuple[list[int], list[list[int]]] | None = None
    for cuts in itertools.combinations_with_replacement(range(len(own) + 1), len(route)):
        legs = [own[a:b] for a, b in itertools.pairwise([0, *cuts, len(own)])]
        times = _leaves(problem, travel, vehicle, route, legs)
        if times is None:
            continue
        key = [times[-1], *itertools.chain(*zip(cuts[::-1], times[-2::-1], strict=True))]
        if best is None or key < best[0]:
            best = key, legs
    return best[1] if best else None


def _leaves(problem: Problem, travel: Travel, vehicle: int, route: Route, legs: list[list[int]]) -> list[int] | None:
    """When the vehicle leaves each stop and is at its end with these breaks; None where something forbids them."""
    place, clock = int(problem.start_place[vehicle]), max(0, int(problem.start[vehicle]))
    bag = np.zeros(problem.load.shape[1], dtype=np.int64)
    for request in range(len(problem.pick_place)):
        touched = any(request == other for _, acts in route for other, _ in acts)
        owner = int(problem.aboard_of[request])
        if owner == vehicle or (owner < 0 and touched and problem.pick_place[request] < 0):
            bag += problem.load[request]
    end = int(problem.end_place[vehicle])
    times = []
    for (there, acts), breaks in zip([*route, (end if end >= 0 else -1, [])], legs, strict=True):
        if any((bag > problem.breaks.max_load[b]).any() for b in breaks):
            return None
        there = route[-1][0] if there < 0 else there
        leg = int(travel.ticks[problem.profile[vehicle], place, there]) if there != place else 0
        driving = int(travel.drive[problem.profile[vehicle], place, there]) if travel.drive.size and leg else leg
        arrive = _with_breaks(problem, breaks, clock, driving)
        if arrive is None:
            return None
        at: int | None = arrive
        if acts:
            at = _first_instant(problem, acts, arrive + int(problem.enter[there]))
            if at is None:
                return None
        assert at is not None
        clock, place = at + leg - driving, there
        for request, kind in acts:
            clock += int(problem.act[request, 0 if kind == "pickup" else 1])
            bag += problem.load[request] if kind == "pickup" else -problem.load[request]
            if kind == "drop" and problem.load_back.size:
                bag += problem.load_back[request]
        clock += int(problem.exit[there]) if acts else 0
        times.append(clock)
    return times


def _first_instant(problem: Problem, acts: list[tuple[int, str]], earliest: int) -> int | None:
    """The first tick from `earliest` on at which all acts may happen: one of the openings, or `earliest` itself."""
    sides = [(request, 0 if kind == "pickup" else 1) for request, kind in acts]
    for request, side in sides:
        if side == 0:
            earliest = max(earliest, int(problem.ready[request]))
    openings = {int(w[0]) for request, side in sides for w in problem.window[request, side]}
    for instant in sorted({earliest, *(opening for opening in openings if opening > earliest)}):
        if all(any(w[0] <= instant <= w[1] for w in problem.window[request, side].tolist()) for request, side in sides):
            return instant
    return None


def price_at_door(problem: Problem, request: int, at: int) -> int:
    """Slope by slope: how many ticks of the wait fell before, between and after the thresholds."""
    placed = int(problem.placed[request])
    soon, late = (int(x) for x in problem.due[request])
    bounds = [placed, max(placed, soon), max(placed, soon, late), max(at, placed, soon, late)]
    price = 0
    for slope, begin, finish in zip(problem.slope[request].tolist(), bounds[:-1], bounds[1:], strict=True):
        price += slope * max(0, min(at, finish) - begin)
    for charge, due in zip(problem.late_fixed[request].tolist(), (soon, late), strict=True):
        price += charge if at > due else 0
    return price


def first_kind(problem: Problem, request: int) -> str:
    return "pickup" if problem.pick_place[request] >= 0 else "drop"
