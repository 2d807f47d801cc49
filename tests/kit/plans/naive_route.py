"""One vehicle's route as the evaluator's slow twin sees it: its legs, its visits, and what they break and cost."""

from __future__ import annotations

from typing import NamedTuple

from routing.problem.problem import I32, INFINITE, Level, Problem, Travel

Acts = list[tuple[int, int]]
"""(request, kind) of a stop."""


class NaiveLeg(NamedTuple):
    """One leg of a vehicle and the stop that it leads to; the last one leads to the end."""

    number: int
    here: int
    place: int
    acts: Acts
    reload: bool
    loads: list[int]  # requests that are loaded at the reload
    ticks: int
    drive: int


class NaiveVisit(NamedTuple):
    """When things happened at the stop of a leg."""

    arrive: int
    at: int
    suits: bool  # all acts may happen then
    leave: int


class NaiveRoute:
    """One vehicle's route, told by its legs."""

    def __init__(self, problem: Problem, travel: Travel, vehicle: int, route: list[tuple[int, Acts]]) -> None:
        self.problem, self.travel, self.vehicle = problem, travel, vehicle
        self.broken: set[str] = set()
        self.aboard = [r for r in range(len(problem.pick_place)) if problem.aboard_of[r] == vehicle]
        self.first_loads, self.legs = self._legs(route)
        self.bags = self._bags()
        first, b = problem.before.stop_ptr[vehicle], problem.breaks.ptr
        own = list(range(int(b[vehicle]), int(b[vehicle + 1]))) if b.size else []
        self.standing = bool(
            first < problem.before.stop_ptr[vehicle + 1]
            and problem.before.stop_place[first] == problem.start_place[vehicle] == route[0][0]
            and problem.stop_level[first] >= Level.UNDERWAY
        )
        spreads = []
        for spread in _spreads(own, len(self.legs)):
            visits = self._drive(spread, standing=False)
            if visits is not None and self._longest_stretch(spread) <= self._limit("max_stretch"):
                spreads.append((self._order(spread, visits), spread))
        if not spreads and (own or self._longest_stretch([[]] * len(self.legs)) > self._limit("max_stretch")):
            self.broken.add("breaks")
        spread = min(spreads)[1] if spreads and own else [[]] * len(self.legs)
        visits = self._drive(spread, standing=self.standing, anyway=True)
        assert visits is not None
        self.visits = visits
        self.acts = [(r, leg.number, v.at) for leg, v in zip(self.legs, visits, strict=True) for r, _ in leg.acts]
        self.lasted = visits[-1].leave - max(0, int(problem.start[vehicle]))
        self.trips: dict[int, int] = dict.fromkeys([*self.aboard, *self.first_loads], 1)
        self._judge_acts()
        self._judge_trips()
        self._judge_bags()
        self._judge_limits()
        self.cost = self._price()

    def _limit(self, name: str) -> int:
        values = getattr(self.problem, name)
        return int(values[self.vehicle]) if values.size else INFINITE * INFINITE

    def _legs(self, route: list[tuple[int, Acts]]) -> tuple[list[int], list[NaiveLeg]]:
        """What is loaded at the start, and the legs."""
        problem, vehicle = self.problem, self.vehicle
        ptr = problem.reloads.ptr
        places = problem.reloads.place[ptr[vehicle] : ptr[vehicle + 1]].tolist() if ptr.size else []
        loads: list[list[int]] = [[]]
        for place, acts in route:
            if not acts and place in places:
                loads.append([])
            loads[-1] += [r for r, _ in acts if problem.pick_place[r] == -1 == problem.aboard_of[r]]
        legs, here, reloads = [], int(problem.start_place[vehicle]), 0
        end = int(problem.end_place[vehicle])
        for number, (place, acts) in enumerate([*route, (end if end >= 0 else route[-1][0], [])]):
            ticks = drive = 0
            if place != here:
                at = int(problem.profile[vehicle]), here, place
                ticks = drive = int(self.travel.ticks[at])
                if self.travel.drive.size and ticks:
                    drive = int(self.travel.drive[at])
            reload = number < len(route) and not acts and place in places
            reloads += reload
            legs.append(NaiveLeg(number, here, place, acts, reload, loads[reloads] if reload else [], ticks, drive))
            here = place
        return loads[0], legs

    def _bags(self) -> list[list[int]]:
        """Requests on board on each leg, -1 - r for what was taken in exchange for request r."""
        bag = [*self.aboard, *self.first_loads]
        bags = [list(bag)]
        for leg in self.legs[:-1]:
            for request, kind in leg.acts:
                if kind == 0:
                    bag.append(request)
                else:
                    bag = [r for r in bag if r != request] + [-1 - request]
            if leg.reload:
                bag = [r for r in bag if r >= 0 and self.problem.drop_place[r] >= 0] + leg.loads
            bags.append(list(bag))
        return bags

    def _units(self, bag: list[int], d: int) -> int:
        back = self.problem.load_back
        return sum(int(self.problem.load[r, d]) if r >= 0 else int(back[-1 - r, d]) if back.size else 0 for r in bag)

    def _drive(self, spread: list[list[int]], *, standing: bool, anyway: bool = False) -> list[NaiveVisit] | None:
        """Times of all visits with breaks on the legs; None where a break or a window forbids it, unless `anyway`."""
        problem = self.problem
        clock = max(0, int(problem.start[self.vehicle]))
        if problem.reloads.ptr.size:
            clock = max([clock, *(int(problem.ready[r]) for r in self.first_loads)])
        clock = int(problem.start[self.vehicle]) if standing else clock
        visits = []
        for leg, breaks, bag in zip(self.legs, spread, self.bags, strict=True):
            left = leg.drive
            for b in breaks:
                dimensions = range(problem.load.shape[1])
                if any(self._units(bag, d) > problem.breaks.max_load[b, d] for d in dimensions):
                    return None
                begins = _first(clock, problem.breaks.window[b].tolist())
                if begins is None:
                    return None
                left = max(0, left - (begins - clock))
                clock = begins + int(problem.breaks.service[b])
            setup = leg.ticks - leg.drive
            arrive = clock + left + setup
            at: int | None = arrive
            suits = True
            if leg.acts:
                at = self._instant(leg.acts, max(0, arrive + int(problem.enter[leg.place]) - setup))
                if at is None and not anyway:
                    return None
                suits = at is not None
                at = at + setup if at is not None else max(0, arrive + int(problem.enter[leg.place]))
            elif leg.reload:
                at = max([0, arrive + int(problem.enter[leg.place]), *(int(problem.ready[r]) for r in leg.loads)])
            elif leg.number < len(self.legs) - 1:
                at = max(arrive - setup, 0) + setup
            clock = at + sum(int(problem.act[act]) for act in leg.acts)
            clock += int(problem.exit[leg.place]) if leg.acts or leg.reload else 0
            visits.append(NaiveVisit(arrive, at, suits, clock))
        return visits

    def _instant(self, acts: Acts, at: int) -> int | None:
        """The first instant from `at` on that suits all acts: `at`, or one at which something opens."""
        at = max([at, *(int(self.problem.ready[r]) for r, kind in acts if kind == 0)])
        windows = [self.problem.window[act].tolist() for act in acts]
        instants = sorted({at, *(opens for several in windows for opens, _ in several if opens > at)})
        suits = [i for i in instants if all(any(a <= i <= b for a, b in several) for several in windows)]
        return suits[0] if suits else None

    def _longest_stretch(self, spread: list[list[int]]) -> int:
        stretches = [0]
        for leg, breaks in zip(self.legs, spread, strict=True):
            if breaks:
                stretches.append(0)
            stretches[-1] += leg.ticks + sum(int(self.problem.act[act]) for act in leg.acts)
            if leg.acts or leg.reload:
                stretches[-1] += int(self.problem.enter[leg.place] + self.problem.exit[leg.place])
        return max(stretches)

    def _order(self, spread: list[list[int]], visits: list[NaiveVisit]) -> list[int]:
        """Of two ways to take breaks the one with the lesser list is taken."""
        counts = [len(breaks) for breaks in spread]
        order = [visits[-1].leave]
        for leg in range(len(counts) - 1, -1, -1):
            if not self.problem.max_stretch.size:
                order += [sum(counts[:leg]), visits[leg - 1].leave if leg else 0]
            elif counts[leg]:
                order += [-leg, visits[leg].leave, sum(counts[:leg])]
        return order

    def _judge_acts(self) -> None:
        problem, picked = self.problem, {}
        for leg, visit in zip(self.legs, self.visits, strict=True):
            if leg.ticks >= INFINITE:
                self.broken.add("unreachable")
            if not visit.suits:
                self.broken.add("window")
            at = visit.at
            for request, kind in leg.acts:
                if not int(problem.allowed[request, self.vehicle // 64]) >> self.vehicle % 64 & 1:
                    self.broken.add("not_allowed")
                if problem.aboard_of[request] not in (-1, self.vehicle):
                    self.broken.add("aboard_elsewhere")
                if kind == 0:
                    picked[request] = at
                    if at > problem.last_pickup[self.vehicle]:
                        self.broken.add("last_pickup")
                elif request in picked and at - picked[request] > problem.max_on_board[request]:
                    self.broken.add("on_board")

    def _judge_trips(self) -> None:
        """Trips are counted where something comes on board of an empty vehicle, and at reloads that load."""
        problem, bag = self.problem, dict.fromkeys([*self.aboard, *self.first_loads], (-1, -1))
        trip, size = int(bool(bag)), len(bag)
        for leg in self.legs[:-1]:
            if leg.reload:
                bag = {r: where for r, where in bag.items() if problem.drop_place[r] >= 0}
                bag |= dict.fromkeys(leg.loads, (-1, -1))
                if leg.loads:
                    trip, size = trip + 1, len(bag)
                    self.trips |= dict.fromkeys(leg.loads, trip)
            for request, kind in leg.acts:
                here = leg.number, int(problem.store[request])
                if kind == 1:
                    bag.pop(request, None)
                elif not bag:
                    trip, size = trip + 1, 0
                elif problem.trip_rule == 1 and any(where != here for where in bag.values()):
                    self.broken.add("trip")
                if kind == 0:
                    bag[request], self.trips[request] = here, trip
                    size += 1
                if trip > problem.max_trips[self.vehicle] or size > problem.max_requests[self.vehicle]:
                    self.broken.add("trip")

    def _judge_bags(self) -> None:
        """Loads and goods after every single thing that comes on board."""
        problem = self.problem
        came: dict[int, int] = dict.fromkeys(self.aboard, -2)
        bag = list(self.aboard)
        steps: list[tuple[int, int, list[int]]] = [(-1, 0, [r]) for r in self.first_loads]
        for leg in self.legs[:-1]:
            steps += [(leg.number, kind, [r]) for r, kind in leg.acts]
            steps += [(leg.number, 2, leg.loads)] if leg.reload else []
        self._weigh([*bag, *self.first_loads])
        for number, kind, requests in steps:
            if kind == 2:
                bag = [r for r in bag if r >= 0 and problem.drop_place[r] >= 0]
                self._weigh([*bag, *requests])
            for request in requests:
                if kind == 1:
                    if request in bag:
                        bag.remove(request)
                    bag.append(-1 - request)
                    continue
                for other in bag:
                    if problem.goods.size and other >= 0:
                        rule = problem.mix[problem.goods[request], problem.goods[other]]
                        same = came[other] == number and problem.store[other] == problem.store[request]
                        if rule == 0 or (rule == 2 and not same):
                            self.broken.add("goods")
                came[request] = number
                bag.append(request)
            if kind != 2 and number >= 0:
                self._weigh(bag)

    def _weigh(self, bag: list[int]) -> None:
        if any(self._units(bag, d) > self.problem.capacity[self.vehicle, d] for d in range(self.problem.load.shape[1])):
            self.broken.add("capacity")

    def _judge_limits(self) -> None:
        problem, v = self.problem, self.vehicle
        if self.visits[-1].leave > problem.end[v]:
            self.broken.add("route_end")
        if sum(leg.drive for leg in self.legs) > self._limit("max_drive") or self._metres() > self._limit("max_metres"):
            self.broken.add("travel_limit")
        if self._limit("max_duration") < INFINITE and self._least_duration() > self._limit("max_duration"):
            self.broken.add("travel_limit")
        if sum(len(leg.acts) for leg in self.legs) > self._limit("max_acts"):
            self.broken.add("trip")
        if problem.reloads.ptr.size and sum(leg.reload for leg in self.legs) > problem.reloads.most[v]:
            self.broken.add("reload")

    def _least_duration(self) -> int:
        """From the last start that ends the route as soon as the first one does, found by trying all of them."""
        mine, end = self.problem, self.visits[-1].leave
        start, bare = max(0, int(mine.start[self.vehicle])), [[] for _ in self.legs]
        last = start
        for tried in range(start, end + 1):
            starts = mine.start.copy()
            starts[self.vehicle] = tried
            self.problem = mine._replace(start=starts)
            visits = self._drive(bare, standing=False)
            if visits is None or visits[-1].leave > end:
                break
            last = tried
        self.problem = mine
        return end - last

    def _metres(self) -> int:
        return sum(self._of(self.travel.metres, leg) for leg in self.legs)

    def _of(self, block: I32, leg: NaiveLeg) -> int:
        if not block.size or leg.here == leg.place:
            return 0
        return int(block[self.problem.profile[self.vehicle], leg.here, leg.place])

    def _price(self) -> int:
        problem, v = self.problem, self.vehicle
        price = int(problem.fixed[v]) + self._metres() * int(problem.per_metre[v])
        price += sum(leg.drive for leg in self.legs) * int(problem.per_drive[v])
        grams = 0
        for leg, visit, bag in zip(self.legs, self.visits, self.bags, strict=True):
            inside = leg.acts or leg.reload
            entered = visit.arrive + (int(problem.enter[leg.place]) if inside else 0)
            at = visit.at if leg.number < len(self.legs) - 1 else visit.leave
            for begin, finish in ((visit.arrive - leg.ticks, entered), (at, visit.leave)):
                paid = max(0, min(finish, int(problem.paid_until[v])) - max(begin, 0))
                price += paid * int(problem.per_work[v])
            if problem.per_task.size:
                task = leg.ticks - leg.drive + sum(int(problem.act[act]) for act in leg.acts)
                price += task * int(problem.per_task[v])
            if problem.per_toll.size:
                price += self._of(self.travel.toll, leg) * int(problem.per_toll[v])
            if problem.per_load_km.size:
                units = [self._units(bag, d) for d in range(problem.load.shape[1])]
                rate = sum(int(p) * u for p, u in zip(problem.per_load_km[v], units, strict=True))
                grams += self._of(self.travel.metres, leg) * rate
            price += sum(_door(problem, r, at) for r, kind in leg.acts if kind == 1)
        return price + grams // 1000


def _first(at: int, windows: list[list[int]]) -> int | None:
    instants = [max(at, opens) for opens, closes in windows if max(at, opens) <= closes]
    return min(instants) if instants else None


def _spreads(breaks: list[int], legs: int) -> list[list[list[int]]]:
    """Every way to lay breaks, in their order, on legs."""
    if legs == 1:
        return [[breaks]]
    return [[breaks[:count], *rest] for count in range(len(breaks) + 1) for rest in _spreads(breaks[count:], legs - 1)]


def _door(problem: Problem, request: int, at: int) -> int:
    """Tick by tick what waiting costs, and the charges."""
    due, price = problem.due[request].tolist(), 0
    for tick in range(int(problem.placed[request]) + 1, min(at, 10**5) + 1):
        price += int(problem.slope[request, 0 if tick <= due[0] else 1 if tick <= due[1] else 2])
    return price + sum(int(c) for c, d in zip(problem.late_fixed[request], due, strict=True) if at > d)
