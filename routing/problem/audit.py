"""An independent judge of plans in plain Python: slow, readable, and without a line of the evaluator's code.

It replays each vehicle as a small story (bag, clock, odometer) and writes down everything that breaks the law, where
the evaluator stops at the first.  Tests demand that both agree on what is allowed and on every price.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from routing.problem.audit_bag import Route
from routing.problem.audit_plan import left_out, whole_plan
from routing.problem.audit_story import VehicleDay, Violation, first_kind
from routing.problem.problem import NEVER, Level, Problem, Rows, Solution, Travel


class Audit(NamedTuple):
    """The verdict: every violation found, the price of the plan as the judge counts it, the rank of what it leaves."""

    violations: list[Violation]
    cost: int
    rank: int = 0


def audit(
    problem: Problem, travel: Travel, plan: Solution | Rows, *, dimensions: Sequence[str] = ()
) -> list[Violation]:
    """Everything that is wrong with `plan`; for a Solution its times, cost and reasons are judged too.

    `dimensions`: names of the load dimensions, for its words.
    """
    return judge(problem, travel, plan, dimensions=dimensions).violations


def judge(problem: Problem, travel: Travel, plan: Solution | Rows, *, dimensions: Sequence[str] = ()) -> Audit:
    """The violations of `plan` and its price."""
    rows = plan.rows if isinstance(plan, Solution) else plan
    routes, told = _unfold(rows), _unfold(problem.before)
    wrong: list[Violation] = []
    cost = 0
    times: list[tuple[int, int, int, int]] = []
    where: dict[int, int] = {}
    for vehicle, route in enumerate(routes):
        for request in sorted({request for _, acts in route for request, _ in acts}):
            if where.setdefault(request, vehicle) != vehicle:
                wrong.append(Violation("malformed", vehicle, request, f"also carried by vehicle {where[request]}"))
    days: list[VehicleDay] = []
    for vehicle, route in enumerate(routes):
        standing = _stands(problem, vehicle, route)
        story = VehicleDay(problem, travel, vehicle, route, standing=standing, dimensions=dimensions)
        wrong += story.wrong
        days.append(story)
        cost += story.price
        times += story.times
        change, forbidden = _changes(problem, vehicle, route, told, where)
        cost += change
        wrong += forbidden
        keep = problem.must_keep[problem.must_keep_ptr[vehicle] : problem.must_keep_ptr[vehicle + 1]].tolist()
        if keep and not _served_first(route) & set(keep):
            wrong.append(Violation("must_keep", vehicle, -1, f"serves none of {keep} where it goes first"))
    price, broken = whole_plan(problem, days)
    skipped, rank = left_out(problem, days)
    cost += price + skipped
    wrong += broken
    if isinstance(plan, Solution):
        wrong += _misreported(problem, plan, where, times, cost)
        if plan.rank != rank:
            wrong.append(Violation("rank", -1, -1, f"what is left out counts {rank}, not {plan.rank}"))
    return Audit(wrong, cost, rank)


def _unfold(rows: Rows) -> list[Route]:
    """Compressed rows as nested lists with words for the kinds."""
    routes: list[Route] = []
    for vehicle in range(len(rows.stop_ptr) - 1):
        route: Route = []
        for stop in range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]):
            acts = [
                (int(rows.act_request[a]), "drop" if rows.act_kind[a] else "pickup")
                for a in range(rows.act_ptr[stop], rows.act_ptr[stop + 1])
            ]
            route.append((int(rows.stop_place[stop]), acts))
        routes.append(route)
    return routes


def _served_first(route: Route) -> set[int]:
    """What is picked up or dropped before the vehicle leaves the first place that it goes to."""
    there = itertools.takewhile(lambda stop: stop[0] == route[0][0], route)
    return {request for _, acts in there for request, _ in acts}


def _stands(problem: Problem, vehicle: int, route: Route) -> bool:
    """Whether the vehicle is already at its told first stop."""
    first, after = problem.before.stop_ptr[vehicle], problem.before.stop_ptr[vehicle + 1]
    if not route or first == after:
        return False
    place = int(problem.before.stop_place[first])
    at_it = place == route[0][0] == int(problem.start_place[vehicle])
    return at_it and int(problem.stop_level[first]) in (Level.UNDERWAY, Level.AT_STOP, Level.ON_BOARD)


def _changes(
    problem: Problem, vehicle: int, route: Route, told: list[Route], where: dict[int, int]
) -> tuple[int, list[Violation]]:
    """Price of what differs from the told plan, and the differences that are forbidden."""
    items: list[tuple[int, int, str]] = []  # (price, request, sentence)
    base = int(problem.before.stop_ptr[vehicle])
    levels: dict[int, int] = {}
    places = [place for place, _ in route]
    for number, (place, _) in enumerate(told[vehicle]):
        level = int(problem.stop_level[base + number])
        levels[place] = max(level, levels.get(place, -1))
        if (places[:1] != [place]) if number == 0 else (place not in places):
            items.append((int(problem.take_price[level, 0]), -1, f"told stop at place {place} taken away"))
        first_act = int(problem.before.act_ptr[base + number])
        for offset, (request, kind) in enumerate(told[vehicle][number][1]):
            if kind == first_kind(problem, request) and where.get(request) != vehicle:
                price = int(problem.take_price[int(problem.act_level[first_act + offset]), 1])
                items.append((price, request, "told order taken away"))
    told_orders = {request for _, acts in told[vehicle] for request, _ in acts}
    if told[vehicle]:
        for number, (place, acts) in enumerate(route):
            delayed = [levels[later] for later in places[number + 1 :] if later in levels]
            if place not in levels and delayed:
                items.append((int(problem.add_price[max(delayed), 0]), -1, f"stop at place {place} added"))
            for request, kind in acts:
                if place in levels and kind == first_kind(problem, request) and request not in told_orders:
                    items.append((int(problem.add_price[levels[place], 1]), request, "order added at a told stop"))
    forbidden = [Violation("told", vehicle, request, text) for price, request, text in items if price >= NEVER]
    return (0 if forbidden else sum(price for price, _, _ in items)), forbidden


def _misreported(
    problem: Problem, plan: Solution, where: dict[int, int], times: list[tuple[int, int, int, int]], cost: int
) -> list[Violation]:
    """Where a Solution says something else about itself than the judge finds."""
    wrong = []
    said = zip(plan.leg.tolist(), plan.arrive.tolist(), plan.act_at.tolist(), plan.leave.tolist(), strict=True)
    for number, (told_times, own) in enumerate(zip(said, times, strict=True)):
        if told_times != own:
            wrong.append(Violation("times", -1, -1, f"stop {number} is timed {told_times}, not {own}"))
    if plan.cost != cost:
        wrong.append(Violation("cost", -1, -1, f"the plan costs {cost}, not {plan.cost}"))
    for request, reason in enumerate(plan.reason.tolist()):
        stays = problem.aboard_of[request] >= 0 and problem.drop_place[request] < 0
        if (reason == 0) != (request in where or stays):
            wrong.append(Violation("reason", -1, request, f"reason {reason} contradicts the routes"))
    return wrong
