"""VROOM asked anew in every round, in our place: the same rounds, laws, commitments and empty moves.

    halfhour replay my-day --policy benchmarks/policies/vroom_rounds.py:VroomRounds

The told first stop and what is in a bag stay with their rider; everything else is VROOM's to plan, across stores.  Its
windows are hard: an order is due when it was promised less a margin, or a minute after anybody could be there.  What it
leaves out is inserted where that costs least.  Needs pyvroom.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.as_vroom import Pinned, from_vroom, to_vroom
from benchmarks.peers.with_vroom import run_vroom
from dispatch.answer import answer
from dispatch.config import Settings
from dispatch.frozen import Frozen
from dispatch.inputs import RoundSolved
from dispatch.planner import solve_round, travel_block
from dispatch.reposition import with_empty_moves
from routing.plans.budget import Budget
from routing.plans.problem import Problem, Solution, Travel
from routing.plans.routes import plan_routes
from routing.plans.schedule import evaluate
from routing.travel import TravelTimes


class VroomRounds:
    """`round_s`: VROOM's time in one round, wall seconds; `margin_s`: how long before its promise an order is due."""

    name = "vroom"

    def __init__(self, *, round_s: float = 1.0, level: int = 5, margin_s: int = 180) -> None:
        self.round_s, self.level, self.margin_s = round_s, level, margin_s
        self.asked = self.overruled = self.cut_short = 0

    def configure(self, settings: Settings) -> Settings:
        """Any orders may share a bag; VROOM knows no trips."""
        return settings.with_values({"rules.batch_scope": "any", "rules.max_batch": 12, "rules.max_trips": 99})

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        """VROOM's plan where it is legal, or else our insertion."""
        problem = frozen.problem
        if not len(problem.start_place) or not len(problem.pick_place):
            return solve_round(frozen, times, recipe="insertion")
        travel = travel_block(frozen, times)
        self.asked += 1
        earlier = problem._replace(due=problem.due - np.int32(self.margin_s))
        said, wall, _ = run_vroom(to_vroom(earlier, travel), self.round_s, level=self.level)
        self.cut_short += wall >= self.round_s
        solution = _completed(problem, travel, said)
        if not evaluate(problem, travel, solution.rows).feasible:
            self.overruled += 1
            return solve_round(frozen, times, recipe="insertion")
        return answer(frozen, with_empty_moves(frozen, travel, solution))


def _completed(problem: Problem, travel: Travel, said: dict[str, Any]) -> Solution:
    """VROOM's routes as the plan to start from, with what they leave out inserted; told first stops stay locked."""
    rows = from_vroom(problem, travel, said)
    level = np.zeros(len(rows.stop_place), dtype=np.int8)
    pinned = Pinned(problem, travel).stop
    has = np.flatnonzero(pinned >= 0)
    level[rows.stop_ptr[has]] = problem.stop_level[pinned[has]]
    started = problem._replace(told=rows, stop_level=level, act_level=np.zeros(len(rows.act_request), dtype=np.int8))
    return plan_routes(started, travel, recipe="insertion", objective="cost", budget=Budget(0))
