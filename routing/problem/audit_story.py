"""One vehicle's day as the audit retells it: stop by stop, in plain Python, without a line of the evaluator's code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from routing.problem.audit_bag import Route, loaded_where, ready_where
from routing.problem.audit_breaks import first_instant, latest_departure, longest_stretch, take_breaks, with_breaks
from routing.problem.problem import INFINITE, Mix, Problem, Travel, TripRule


class Violation(NamedTuple):
    """One broken law: a stable code, who is concerned (-1: nobody in particular), and a sentence."""

    code: str
    vehicle: int
    request: int
    message: str


class VehicleDay:
    """One vehicle's working day, told stop by stop."""

    def __init__(
        self, problem: Problem, travel: Travel, vehicle: int, route: Route, *, standing: bool,
        dimensions: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.dimensions = dimensions
        self.problem, self.travel, self.vehicle = problem, travel, vehicle
        self.wrong: list[Violation] = []
        self.times: list[tuple[int, int, int, int]] = []
        self.price = 0
        self.did: list[tuple[int, int, int]] = []  # (request, stop, act instant) of every act
        self.trip_of: dict[int, int] = {}
        self.lasted, self.used = 0, bool(route)
        if not route:
            return
        self.bag: dict[int, tuple[int | None, int | None]] = {}  # request -> (stop, tick) where it came on board
        self.done: set[int] = set()
        self.swapped: set[int] = set()  # drops whose goods in exchange are on board
        self.trips, self.trip_size, self.reloads, self.load_metres = 0, 0, 0, 0
        self.place = int(problem.start_place[vehicle])
        self.loaded = loaded_where(problem, vehicle, route)
        self.ready = ready_where(problem, self.loaded)
        self.clock = int(problem.start[vehicle]) if standing else max(self.ready[-1], int(problem.start[vehicle]))
        self.price += int(problem.fixed[vehicle])
        self.driven = self.metres = self.toll = self.tasks = 0
        self._load_at_start()
        pauses = take_breaks(problem, travel, vehicle, route)
        if pauses is None:
            self._note("breaks", -1, "no way to take all breaks")
        elif not pauses and problem.max_stretch.size:
            stretch = longest_stretch(problem, travel, vehicle, route, [[] for _ in range(len(route) + 1)])
            if stretch > int(problem.max_stretch[vehicle]):
                self._note("breaks", -1, f"{stretch} ticks of work without a break")
        self.pauses = pauses or []
        for number, (place, acts) in enumerate(route):
            self._visit(number, place, acts)
        self._go_home()
        self._check_duration(route)
        self._check_limits(sum(len(acts) for _, acts in route))
        for request in self.bag:
            if problem.drop_place[request] >= 0 and problem.aboard_of[request] < 0:
                self._note("malformed", request, "picked up and never dropped")
            elif problem.drop_place[request] >= 0 and any(request == r for _, acts in route for r, _ in acts):
                self._note("malformed", request, "touched and never dropped")

    def _note(self, code: str, request: int, message: str) -> None:
        self.wrong.append(Violation(code, self.vehicle, request, message))

    def _load_at_start(self) -> None:
        for request in range(len(self.problem.pick_place)):
            if self.problem.aboard_of[request] == self.vehicle:
                self.bag[request] = (None, None)
        for request in self.loaded[-1]:
            self._mix(request, -1)
            self.bag[request] = (-1, None)
        if self.bag:
            self.trips, self.trip_size = 1, len(self.bag)
        self.trip_of = dict.fromkeys(self.bag, 1)
        self._weigh(-1)

    def _reload(self, number: int) -> None:
        """Unload what would stay to the end, load what is dropped from here on."""
        self.reloads += 1
        if self.reloads > int(self.problem.reloads.most[self.vehicle]):
            self._note("reload", -1, f"reloads {self.reloads} times")
        self.bag = {request: came for request, came in self.bag.items() if self.problem.drop_place[request] >= 0}
        self.swapped = set()
        for request in self.loaded[number]:
            self._mix(request, number)
            self.bag[request] = (number, None)
        if self.loaded[number]:
            self.trips, self.trip_size = self.trips + 1, len(self.bag)
            self.trip_of |= dict.fromkeys(self.loaded[number], self.trips)
        self._weigh(-1)

    def carried(self) -> list[int]:
        """Units on board, by dimension."""
        problem = self.problem
        units = [sum(int(problem.load[r, d]) for r in self.bag) for d in range(problem.load.shape[1])]
        if problem.load_back.size:
            units = [known + sum(int(problem.load_back[r, d]) for r in self.swapped) for d, known in enumerate(units)]
        return units

    def _weigh(self, request: int) -> None:
        for d, units in enumerate(self.carried()):
            if units > int(self.problem.capacity[self.vehicle, d]):
                what = self.dimensions[d] if self.dimensions else f"in dimension {d}"
                self._note(
                    "capacity", request, f"carries {units} {what}, room is for {self.problem.capacity[self.vehicle, d]}"
                )

    def _mix(self, request: int, number: int) -> None:
        """Note goods on board that the request may not ride with, if it comes on board at the stop."""
        problem = self.problem
        if not problem.goods.size:
            return
        for other, (stop, _) in self.bag.items():
            rule = Mix(int(problem.mix[problem.goods[request], problem.goods[other]]))
            together = stop == number and problem.store[other] == problem.store[request]
            if rule == Mix.APART or (rule == Mix.ONE_STOP and not together):
                self._note("goods", request, f"comes on board beside request {other}")

    def _drive(self, place: int) -> tuple[int, int]:
        """Drive to `place`, pay for it, take the breaks on the way; the ticks without breaks, and those of a setup."""
        breaks = self.pauses.pop(0) if self.pauses else []
        if place == self.place:
            self.clock = with_breaks(self.problem, breaks, self.clock, 0) or self.clock
            return 0, 0
        profile = int(self.problem.profile[self.vehicle])
        leg = int(self.travel.ticks[profile, self.place, place])
        if leg >= INFINITE:
            self._note("unreachable", -1, f"no way from place {self.place} to {place}")
        if self.travel.metres.size:
            metres = int(self.travel.metres[profile, self.place, place])
            self.metres += metres
            self.price += metres * int(self.problem.per_metre[self.vehicle])
            if self.problem.per_load_km.size:
                prices = self.problem.per_load_km[self.vehicle].tolist()
                self.load_metres += metres * sum(
                    price * units for price, units in zip(prices, self.carried(), strict=True)
                )
        if self.travel.toll.size:
            self.toll += int(self.travel.toll[profile, self.place, place])
        driving = int(self.travel.drive[profile, self.place, place]) if self.travel.drive.size and leg else leg
        self.driven += driving
        self.tasks += leg - driving
        self.price += driving * int(self.problem.per_drive[self.vehicle])
        self.clock = (with_breaks(self.problem, breaks, self.clock, driving) or self.clock) + leg - driving
        self._work(self.clock - leg, self.clock)
        self.place = place
        return leg, leg - driving

    def _check_duration(self, route: Route) -> None:
        most = int(self.problem.max_duration[self.vehicle]) if self.problem.max_duration.size else INFINITE
        if most < INFINITE:
            begins = latest_departure(self.problem, self.travel, self.vehicle, route, self.clock)
            if self.clock - begins > most:
                self._note("travel_limit", -1, f"lasts {self.clock - begins} ticks, at most {most}")

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
        self.price += self.load_metres // 1000
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
        inside = bool(acts) or number in self.loaded
        entered = arrive + (int(problem.enter[place]) if inside else 0)
        self._work(arrive, entered)
        at = first_instant(problem, acts, max(entered - setup, 0))
        if at is not None:
            at += setup
        else:
            self._note("window", acts[0][0], "no instant suits every act of the stop")
            at = max(entered, 0)
        if number in self.loaded:
            at = max(entered, self.ready[number])
            self._reload(number)
        service = 0
        for request, kind in acts:
            self.did.append((request, number, at))
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
        leave = at + service + (int(problem.exit[place]) if inside else 0)
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
        self._mix(request, number)
        self.trip_size += 1
        self.trip_of[request] = self.trips
        self.bag[request] = (number, at)
        self._weigh(request)

    def _drop(self, request: int, place: int, at: int) -> None:
        problem = self.problem
        if request not in self.bag or problem.drop_place[request] != place:
            self._note("malformed", request, "cannot be dropped here and now")
        _, picked_at = self.bag.pop(request, (None, None))
        self.done.add(request)
        self.swapped.add(request)
        if self.problem.load_back.size:
            self._weigh(request)
        if picked_at is not None and at - picked_at > int(problem.max_on_board[request]):
            self._note("on_board", request, f"{at - picked_at} ticks on board")
        self.price += price_at_door(problem, request, at)

    def _go_home(self) -> None:
        end_place = int(self.problem.end_place[self.vehicle])
        self._drive(end_place if end_place != -1 else self.place)
        self.lasted = self.clock - max(0, int(self.problem.start[self.vehicle]))
        if self.clock > int(self.problem.end[self.vehicle]):
            self._note("route_end", -1, f"ends at {self.clock}")


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
