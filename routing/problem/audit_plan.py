"""What concerns several vehicles or requests at once, as the audit judges it: choices, links, precedence, the fleet."""

from __future__ import annotations

from collections.abc import Sequence

from routing.problem.audit_story import VehicleDay, Violation
from routing.problem.problem import Problem


def whole_plan(problem: Problem, days: Sequence[VehicleDay]) -> tuple[int, list[Violation]]:
    """Price of what only the whole plan shows, and the laws of it that are broken."""
    wrong = [*_choices(problem, days), *_links(problem, days), *_precedence(problem, days), *_fleet(problem, days)]
    price = _splits(problem, days)
    for day in days:
        if problem.pair_price.size:
            price += sum(int(problem.pair_price[request, day.vehicle]) for request in {r for r, _, _ in day.did})
    return price + problem.per_longest * max((day.lasted for day in days), default=0), wrong


def chosen_rows(problem: Problem, days: Sequence[VehicleDay]) -> dict[int, set[int]]:
    """The rows on a route, by choice; a row that is alone is no choice."""
    chosen: dict[int, set[int]] = {}
    for day in days if problem.choice.size else ():
        for request, _, _ in day.did:
            if problem.choice[request] >= 0:
                chosen.setdefault(int(problem.choice[request]), set()).add(request)
    return chosen


def left_out(problem: Problem, days: Sequence[VehicleDay]) -> tuple[int, int]:
    """Price and rank of what is on no route and does not stay on board."""
    there = {request for day in days for request, _, _ in day.did}
    answered = set(chosen_rows(problem, days))
    price = rank = 0
    for request in range(len(problem.pick_place)):
        if request in there or (problem.aboard_of[request] >= 0 and problem.drop_place[request] < 0):
            continue
        choice = int(problem.choice[request]) if problem.choice.size else -1
        if choice >= 0 and choice in answered:
            continue
        if choice >= 0:
            answered.add(choice)  # the others of it count no more
        price += int(problem.skip_cost[request])
        rank += int(problem.rank[request]) if problem.rank.size else 0
    return price, rank


def _choices(problem: Problem, days: Sequence[VehicleDay]) -> list[Violation]:
    carrier = {request: day.vehicle for day in days for request, _, _ in day.did}
    return [
        Violation("choice", carrier[row], row, f"beside row {min(rows)} of the same choice")
        for rows in chosen_rows(problem, days).values()
        for row in sorted(rows)[1:]
    ]


def _links(problem: Problem, days: Sequence[VehicleDay]) -> list[Violation]:
    wrong = []
    for request, other in enumerate(problem.linked.tolist()):
        if other < 0:
            continue
        last = [(day.vehicle, stop) for day in days for r, stop, _ in day.did if r == request]
        first = [(day.vehicle, stop) for day in days for r, stop, _ in day.did if r == other]
        if last[-1:] != first[:1]:
            vehicle, row = (last[-1][0], request) if last else (first[0][0], other)
            wrong.append(Violation("linked", vehicle, row, f"requests {request} and {other} share no stop"))
    return wrong


def _precedence(problem: Problem, days: Sequence[VehicleDay]) -> list[Violation]:
    wrong = []
    chosen = chosen_rows(problem, days)
    for pair in problem.precedence.tolist():
        rows = []
        for request in pair:
            choice = int(problem.choice[request]) if problem.choice.size else -1
            rows.append(max(chosen.get(choice, {request})))
        before = [at for day in days for r, _, at in day.did if r == rows[0]]
        after = [(at, day.vehicle) for day in days for r, _, at in day.did if r == rows[1]]
        stays = problem.aboard_of[rows[0]] >= 0 and problem.drop_place[rows[0]] < 0
        if not after or stays:
            continue
        if not before or before[-1] > after[0][0]:
            wrong.append(Violation("precedence", after[0][1], rows[1], f"served without or before request {rows[0]}"))
    return wrong


def _splits(problem: Problem, days: Sequence[VehicleDay]) -> int:
    price = 0
    for group, each in enumerate(problem.split_price.tolist()):
        trips = {
            (day.vehicle, day.trip_of.get(request))
            for day in days
            for request, _, _ in day.did
            if problem.group[request] == group
        }
        price += each * max(0, len(trips) - 1)
    return price


def _fleet(problem: Problem, days: Sequence[VehicleDay]) -> list[Violation]:
    used = sum(1 for day in days if day.used)
    if problem.min_used <= used <= problem.max_used:
        return []
    return [Violation("fleet", -1, -1, f"{used} vehicles are used, not {problem.min_used} to {problem.max_used}")]
