"""VROOM asked anew in every round, in our place: the same rounds, laws, commitments and empty moves.

    halfhour replay my-day --policy benchmarks/policies/vroom_rounds.py:VroomRounds

The told first stop, what is in a bag and what waits at a told place stay with their rider; everything else is VROOM's
to plan, across stores.  Its windows are hard: an order is due when it was promised less a margin, or a minute after
anybody could be there.  What it leaves out is inserted where that costs least, and it is asked again with windows wide
enough for that plan; the cheapest of its plans counts.  Needs pyvroom.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.peers.as_vroom import Pinned, from_vroom, to_vroom
from benchmarks.peers.with_vroom import handed_over_at, run_vroom
from dispatch.inputs import RoundSolved
from dispatch.rounds.changes import answer
from dispatch.rounds.empty_moves import with_empty_moves
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import travel_block
from dispatch.rounds.solve import solve_round
from dispatch.settings.settings import Settings
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.build import make_rows, read_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import NEVER, ActKind, Problem, Solution, Travel
from routing.travel import TravelTimes

Route = list[tuple[int, list[tuple[int, int]]]]
"""Stops with their acts."""


class VroomRounds:
    """`round_s`: VROOM's time in one round, wall seconds; `margin_s`: how long before its promise an order is due."""

    name = "vroom"

    def __init__(self, *, round_s: float = 1.0, level: int = 5, margin_s: int = 180, passes: int = 3) -> None:
        self.round_s, self.level, self.margin_s, self.passes = round_s, level, margin_s, passes
        self.asked = self.overruled = self.cut_short = 0
        self.searched_s = 0.0

    def configure(self, settings: Settings) -> Settings:
        """Any orders may share a bag; VROOM knows no trips."""
        return settings.with_values({"rules.mix": "any", "rules.max_batch": 12, "rules.max_trips": 99})

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        """VROOM's cheapest plan where it is legal, or else our insertion."""
        problem = frozen.problem
        if not len(problem.start_place) or not len(problem.pick_place):
            return solve_round(frozen, times, recipe="insertion")
        travel = travel_block(frozen, times)
        best: Solution | None = None
        for solution in self._plans(problem, travel):
            if evaluate(problem, travel, solution.rows).feasible and (best is None or solution.cost < best.cost):
                best = solution
        if best is None:
            self.overruled += 1
            return solve_round(frozen, times, recipe="insertion")
        return answer(frozen, with_empty_moves(frozen, travel, best))

    def _plans(self, problem: Problem, travel: Travel) -> Iterator[Solution]:
        """VROOM's plan, completed; then, while there is time, what it makes of windows wide enough for that plan."""
        earlier = problem._replace(due=problem.due - np.int32(self.margin_s))
        latest, left_s = None, self.round_s
        for _ in range(self.passes):
            question = to_vroom(earlier, travel, latest=latest)
            if not question["jobs"] and not question["shipments"]:
                # All that there is was told already; VROOM refuses a question without tasks.
                yield _completed(problem, travel, {"routes": []})
                return
            said, wall_s, _ = run_vroom(question, left_s, level=self.level)
            left_s -= wall_s
            self.searched_s += wall_s
            self.asked += 1
            solution = _completed(problem, travel, said)
            yield solution
            if left_s <= 0:
                self.cut_short += 1
                return
            if not said["unassigned"]:
                return
            latest = handed_over_at(problem, solution.rows, evaluate(problem, travel, solution.rows))


def _completed(problem: Problem, travel: Travel, said: dict[str, Any]) -> Solution:
    """VROOM's routes as the plan to start from, with what they leave out inserted; told places stay."""
    pinned = Pinned(problem, travel)
    routes = read_rows(from_vroom(problem, travel, said))
    level: list[int] = []
    for vehicle, route in enumerate(routes):
        _drop_what_is_fetched(problem, travel, routes, vehicle, pinned)
        kept = _with_told_places(problem, route, vehicle, int(pinned.stop[vehicle]))
        level += [kept.get(k, 0) for k in range(len(route))]
    rows = make_rows(routes)
    started = problem._replace(
        before=rows, stop_level=np.array(level, dtype=np.int8), act_level=np.zeros(len(rows.act_request), dtype=np.int8)
    )
    solution = plan_routes(started, travel, recipe="insertion", objective="cost", budget=Budget(0))
    return solution._replace(cost=evaluate(problem, travel, solution.rows).cost)


def _drop_what_is_fetched(problem: Problem, travel: Travel, routes: list[Route], vehicle: int, pinned: Pinned) -> None:
    """Give orders fetched at the pinned stop their drop where VROOM left it out: wherever it costs least."""
    fetched = [request for request, kind in pinned.acts.get(vehicle, ()) if kind == ActKind.PICKUP]
    dropped = {request for _, acts in routes[vehicle] for request, kind in acts if kind == ActKind.DROP}
    for request in fetched:
        if request in dropped:
            continue
        drop: tuple[int, list[tuple[int, int]]] = (int(problem.drop_place[request]), [(request, int(ActKind.DROP))])
        alone: list[Route] = [[] for _ in routes]
        tried = []
        for k in range(1, len(routes[vehicle]) + 1):
            alone[vehicle] = [*routes[vehicle][:k], drop, *routes[vehicle][k:]]
            tried.append((evaluate(problem, travel, make_rows(alone)).cost, k))
        routes[vehicle].insert(min(tried)[1], drop)


def _with_told_places(problem: Problem, route: Route, vehicle: int, pinned: int) -> dict[int, int]:
    """Level by position of the told places that a route must visit; what it leaves out joins it behind the first."""
    told = problem.before
    if pinned < 0:
        return {}
    kept = {0: int(problem.stop_level[pinned])}
    for stop in range(pinned + 1, int(told.stop_ptr[vehicle + 1])):
        place, level = int(told.stop_place[stop]), int(problem.stop_level[stop])
        if problem.take_price[level, 0] >= NEVER and all(place != visited for visited, _ in route[1:]):
            route.insert(1, (place, []))
            kept = {0: kept[0], 1: level, **{k + 1: v for k, v in kept.items() if k > 0}}
    return kept
