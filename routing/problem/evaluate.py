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

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from routing.problem.kernels.timeline import time_plan
from routing.problem.problem import I32, ActKind, Explain, Problem, Reason, Rows, Travel


class Law(IntEnum):
    """What a plan may break; its values are those of the kernel."""

    NONE = 0
    MALFORMED = 1
    """An act at the wrong place, twice, before its pickup, or a pickup that is never dropped."""
    NOT_ALLOWED = 2
    ABOARD_ELSEWHERE = 3
    UNREACHABLE = 4
    CAPACITY = 5
    WINDOW = 6
    LAST_PICKUP = 7
    ROUTE_END = 8
    ON_BOARD = 9
    TRIP = 10
    """Requests per trip, trips ahead, acts of a route, or one store until empty."""
    KEEP_ONE_OF = 11
    TOLD = 12
    """A change of the told plan whose price is NEVER."""
    TRAVEL_LIMIT = 13
    """More driving or more metres than the vehicle may."""
    BREAKS = 14
    """A break that suits no leg."""


REASON_OF: dict[Law, Reason] = {
    Law.NONE: Reason.SERVED,
    Law.MALFORMED: Reason.NO_RIDER_IN_REACH,
    Law.NOT_ALLOWED: Reason.NEEDS,
    Law.ABOARD_ELSEWHERE: Reason.HELD,
    Law.UNREACHABLE: Reason.UNREACHABLE,
    Law.CAPACITY: Reason.CAPACITY,
    Law.WINDOW: Reason.WINDOW,
    Law.LAST_PICKUP: Reason.SHIFT_END,
    Law.ROUTE_END: Reason.SHIFT_END,
    Law.ON_BOARD: Reason.ON_BOARD_LIMIT,
    Law.TRIP: Reason.CAPACITY,
    Law.KEEP_ONE_OF: Reason.HELD,
    Law.TOLD: Reason.HELD,
    Law.TRAVEL_LIMIT: Reason.TRAVEL_LIMIT,
    Law.BREAKS: Reason.BREAKS,
}
"""The reason that a broken law gives a request."""


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

    @property
    def feasible(self) -> bool:
        """Whether no law is broken."""
        return self.law == Law.NONE

    @property
    def reason(self) -> Reason:
        """The broken law in the words of an order's reason."""
        return REASON_OF[self.law]


def evaluate(problem: Problem, travel: Travel, rows: Rows) -> Timeline:
    """Time and price `rows`; of an infeasible plan the first broken law, its vehicle and request are named."""
    timing = np.zeros((4, len(rows.stop_place)), dtype=np.int32)
    totals = np.zeros(5, dtype=np.int64)
    vehicles, requests, dimensions = len(problem.start_place), len(problem.pick_place), problem.load.shape[1]
    breaks = int(np.diff(problem.breaks.ptr).max(initial=0))
    law, vehicle, request = time_plan(
        problem, travel, rows, timing, totals,
        np.zeros(vehicles, dtype=np.int32), np.zeros((vehicles, dimensions), dtype=np.int64),
        np.zeros(requests, dtype=np.int8), np.zeros(requests, dtype=np.int64),
        np.full((2, requests), -1, dtype=np.int32),
        np.zeros((len(rows.stop_place) + 4 if breaks else 4, breaks + 1), dtype=np.int64),
        np.zeros(dimensions, dtype=np.int64),
    )  # fmt: skip
    door, running, skipped, changes, rank = (int(total) for total in totals)
    return Timeline(
        timing[0], timing[1], timing[2], timing[3],
        door, running, skipped, changes, door + running + skipped + changes,
        Law(law), int(vehicle), int(request), rank,
    )  # fmt: skip


def fetched_soon(problem: Problem, rows: Rows, timeline: Timeline, explain: Explain) -> I32:
    """Requests, in ascending order, for whose pickup their vehicle sets off by the tick that `explain` names."""
    there = timeline.act_at - problem.enter[rows.stop_place] if explain.last_moment else timeline.arrive
    sets_off = np.repeat(there.astype(np.int64) - timeline.leg, np.diff(rows.act_ptr))
    return np.sort(rows.act_request[(rows.act_kind == ActKind.PICKUP) & (sets_off <= explain.by)])
