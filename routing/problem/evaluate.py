"""The one evaluator: times a plan stop by stop, prices it, and names the first law it breaks.

Timeline of a stop: arrive -> `enter` -> wait until every act is ready and in a window -> act instant -> sum of `act`
-> `exit` -> leave.  Where a leg ends with a setup, windows are for its beginning; breaks lie on legs, in their order.
A stop without acts is only arrived at.  Nothing happens before tick 0: a vehicle leaves its start
at `max(start, 0)`; one that stands at its told first stop (UNDERWAY or AT_STOP) arrived there at `start`.

Change prices compare each vehicle's rows with its told row:

* a told stop is *taken away* unless the route still visits its place; the told first stop must stay the first;
* an order is taken away where the vehicle does not carry it any more (level of its first told act);
* a stop is *added* where its place is not in the told row: charged by the highest level among the told stops that it
  delays; an order is added where the told row had it not, at the level told for the place of its first act.
"""

from __future__ import annotations

from collections import namedtuple
from typing import NamedTuple

import numpy as np

from routing.problem.kernels.timeline import time_plan
from routing.problem.law import REASON_OF, Law
from routing.problem.plan_laws import PlanFacts, broken_law, has_laws, left_out, plan_price
from routing.problem.problem import I8, I32, I64, ActKind, Explain, Problem, Reason, Rows, Travel


class Timeline(NamedTuple):
    """A plan with its times and its price; int32[S] per stop, costs int64 in the Problem's unit."""

    leg: I32
    arrive: I32
    act_at: I32
    leave: I32
    door_cost: int
    running_cost: int
    """Fixed, working, driving and metres of all vehicles."""
    skip_cost: int
    change_cost: int
    cost: int
    law: Law
    vehicle: int
    request: int
    rank: int = 0
    """Sum over what is left out: fewer comes before cheaper."""
    other_cost: int = 0
    """Pairs of request and vehicle, splits of groups, the longest route."""

    @property
    def feasible(self) -> bool:
        """Whether no law is broken."""
        return self.law == Law.NONE

    @property
    def reason(self) -> Reason:
        """The broken law in the words of an order's reason."""
        return REASON_OF[self.law]


_TIMED = Problem._fields.index("choice")
"""Fields before this one are read by the pass over the timeline, those from it on by `plan_laws` alone."""

TimedProblem = namedtuple("TimedProblem", Problem._fields[:_TIMED])  # type: ignore[misc]
"""A Problem as far as the pass over the timeline reads it: each array that is handed over costs as much as a stop."""


class Workspace(NamedTuple):
    """What one pass over a plan writes besides times and totals."""

    aboard: I32  # [V] requests on board at the start
    aboard_load: I64  # [V, D] their loads, then what is on board
    returning: I64  # [V, D + 1] of it what a reload unloads: loads, and how many; [0, 0] without reloads
    stage: I8  # [R]
    picked_at: I64  # [R]
    carrier: I32  # [3, R] vehicle in the rows, in the told plan, and the trip in which it rides; -1: none
    early: I64  # breaks: see `place_breaks` and `place_in_stretches`
    spare: I64  # [2, D + 1]
    ends: I64  # [V] when each route ends


def evaluate(problem: Problem, travel: Travel, rows: Rows) -> Timeline:
    """Time and price `rows`; of an infeasible plan the first broken law, its vehicle and request are named."""
    timing = np.zeros((4, len(rows.stop_place)), dtype=np.int32)
    totals = np.zeros(5, dtype=np.int64)
    space = _workspace(problem, rows)
    timed = TimedProblem._make(problem[:_TIMED])
    code, vehicle, request = time_plan(timed, travel, rows, timing, totals, space)
    door, running, skipped, changes, rank = (int(total) for total in totals)
    law, other = Law(code), 0
    if has_laws(problem):
        facts = PlanFacts(rows, timing[2], space.carrier[0], space.carrier[2], space.ends)
        if law == Law.NONE:
            law, vehicle, request = broken_law(problem, facts)
        other = plan_price(problem, facts)
        skipped, rank = left_out(problem, facts)
    return Timeline(
        timing[0], timing[1], timing[2], timing[3],
        door, running, skipped, changes, door + running + skipped + changes + other,
        law, int(vehicle), int(request), rank, other,
    )  # fmt: skip


def _workspace(problem: Problem, rows: Rows) -> Workspace:
    """Zeroes of the right sizes."""
    vehicles, requests, dimensions = len(problem.start_place), len(problem.pick_place), problem.load.shape[1]
    breaks = int(np.diff(problem.breaks.ptr).max()) if problem.breaks.ptr.size else 0
    longest = int(np.diff(rows.stop_ptr).max(initial=0)) + 2 if problem.max_stretch.size else 1
    returning = (vehicles, dimensions + 1) if problem.reloads.ptr.size else (0, 0)
    return Workspace(
        np.zeros(vehicles, dtype=np.int32), np.zeros((vehicles, dimensions), dtype=np.int64),
        np.zeros(returning, dtype=np.int64),
        np.zeros(requests, dtype=np.int8), np.zeros(requests, dtype=np.int64),
        np.full((3, requests), -1, dtype=np.int32),
        np.zeros((len(rows.stop_place) + 4 if breaks else 4, (breaks + 1) * longest), dtype=np.int64),
        np.zeros((2, dimensions + 1), dtype=np.int64), np.zeros(vehicles, dtype=np.int64),
    )  # fmt: skip


def fetched_soon(problem: Problem, rows: Rows, timeline: Timeline, explain: Explain) -> I32:
    """Requests, in ascending order, for whose pickup their vehicle sets off by the tick that `explain` names."""
    there = timeline.act_at - problem.enter[rows.stop_place] if explain.last_moment else timeline.arrive
    sets_off = np.repeat(there.astype(np.int64) - timeline.leg, np.diff(rows.act_ptr))
    return np.sort(rows.act_request[(rows.act_kind == ActKind.PICKUP) & (sets_off <= explain.by)])
