"""Where a vehicle's breaks lie, as the audit finds it: every way to spread them over the legs is looked at."""

from __future__ import annotations

import itertools

from routing.problem.audit_bag import Route, loaded_where, loads_on_legs, ready_where, reload_stops
from routing.problem.problem import Problem, Travel


def with_breaks(problem: Problem, breaks: list[int], leave: int, drive: int) -> int | None:
    """When a leg ends on which these breaks are taken, each as soon as its windows allow; None where they do not."""
    now, left = leave, drive
    for b in breaks:
        starts = [max(now, int(opens)) for opens, closes in problem.breaks.window[b] if closes >= now]
        if not starts:
            return None
        left = max(0, left - (min(starts) - now))
        now = min(starts) + int(problem.breaks.service[b])
    return now + left


def take_breaks(problem: Problem, travel: Travel, vehicle: int, route: Route) -> list[list[int]] | None:
    """The breaks of each leg (the last one leads to the end) such that the route ends first, None where none suit.

    Of equal ways the one that takes most on the last leg, then comes to the last stop first, and so on.  Where
    stretches between breaks are limited: whose last break is on the latest leg, then the one that is soonest behind
    that leg, then that with fewest breaks before it, and so on.
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
        if problem.max_stretch.size:
            if longest_stretch(problem, travel, vehicle, route, legs) > int(problem.max_stretch[vehicle]):
                continue
            key = [times[-1]]
            for leg in reversed([number for number, breaks in enumerate(legs) if breaks]):
                key += [-leg, times[leg], sum(len(breaks) for breaks in legs[:leg])]
        else:
            key = [times[-1], *itertools.chain(*zip(cuts[::-1], times[-2::-1], strict=True))]
        if best is None or key < best[0]:
            best = key, legs
    return best[1] if best else None


def latest_departure(problem: Problem, travel: Travel, vehicle: int, route: Route, end: int) -> int:
    """The last tick at which a vehicle without breaks may set off and still be done by `end`, found by halving."""
    legs: list[list[int]] = [[] for _ in range(len(route) + 1)]
    in_time, late = int(problem.start[vehicle]), end + 1
    while late - in_time > 1:
        tried = (in_time + late) // 2
        start = problem.start.copy()
        start[vehicle] = tried
        times = _leaves(problem._replace(start=start), travel, vehicle, route, legs)
        if times is not None and times[-1] <= end:
            in_time = tried
        else:
            late = tried
    return in_time


def longest_stretch(problem: Problem, travel: Travel, vehicle: int, route: Route, legs: list[list[int]]) -> int:
    """Most ticks of work without a break, where these breaks are taken on the legs."""
    reloads = reload_stops(problem, vehicle, route)
    longest = worked = 0
    place, end = int(problem.start_place[vehicle]), int(problem.end_place[vehicle])
    last = route[-1][0] if end < 0 else end
    for number, ((there, acts), breaks) in enumerate(zip([*route, (last, [])], legs, strict=True)):
        if breaks:
            longest, worked = max(longest, worked), 0
        if there != place:
            worked += int(travel.ticks[problem.profile[vehicle], place, there])
        worked += sum(int(problem.act[request, 0 if kind == "pickup" else 1]) for request, kind in acts)
        if acts or number in reloads:
            worked += int(problem.enter[there]) + int(problem.exit[there])
        place = there
    return max(longest, worked)


def _leaves(problem: Problem, travel: Travel, vehicle: int, route: Route, legs: list[list[int]]) -> list[int] | None:
    """When the vehicle leaves each stop and is at its end with these breaks; None where something forbids them."""
    ready = ready_where(problem, loaded_where(problem, vehicle, route))
    place, clock = int(problem.start_place[vehicle]), max(ready[-1], int(problem.start[vehicle]))
    bags = loads_on_legs(problem, vehicle, route)
    end = int(problem.end_place[vehicle])
    last: tuple[int, list[tuple[int, str]]] = (route[-1][0] if end < 0 else end, [])
    times = []
    for number, ((there, acts), breaks, bag) in enumerate(zip([*route, last], legs, bags, strict=True)):
        if any((bag > problem.breaks.max_load[b]).any() for b in breaks):
            return None
        leg = int(travel.ticks[problem.profile[vehicle], place, there]) if there != place else 0
        driving = int(travel.drive[problem.profile[vehicle], place, there]) if travel.drive.size and leg else leg
        arrive = with_breaks(problem, breaks, clock, driving)
        if arrive is None:
            return None
        at: int | None = arrive
        if acts:
            at = first_instant(problem, acts, arrive + int(problem.enter[there]))
            if at is None:
                return None
        assert at is not None
        clock, place = at + leg - driving, there
        for request, kind in acts:
            clock += int(problem.act[request, 0 if kind == "pickup" else 1])
        clock += int(problem.exit[there]) if acts else 0
        if number in ready:
            clock = max(clock + int(problem.enter[there]), ready[number]) + int(problem.exit[there])
        times.append(clock)
    return times


def first_instant(problem: Problem, acts: list[tuple[int, str]], earliest: int) -> int | None:
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
