"""Empty moves: idle riders towards stores where orders are expected (docs/dispatching.md).

The arithmetic is `routing.plans.coverage.coverage`; here riders, stores and what was learnt of them become its arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.board.store_demand import NOTICE_BINS
from dispatch.rounds.frozen_round import Frozen
from routing.plans.coverage.coverage import delay_curve, empty_moves
from routing.problem.problem import INFINITE, ActKind, Problem, Rows, Solution, Travel

BUCKET_S = 60
"""Distances and notices are counted in whole minutes."""
BUCKETS = NOTICE_BINS
"""Farther than an hour is as bad as an hour."""


def with_empty_moves(frozen: Frozen, travel: Travel, solution: Solution) -> Solution:
    """The solution with a stop without acts for every idle rider who is better placed elsewhere."""
    outlook, settings = frozen.outlook, frozen.settings.reposition
    problem, store = frozen.problem, outlook.store
    ends = _plan_ends(problem, solution)
    has_plan = _has_pickups(solution.rows)
    idle = np.flatnonzero(outlook.movable & ~has_plan & (ends.free <= 0))
    if not len(idle) or not len(store) or _is_over(frozen):
        return solution
    counted = ~has_plan & (ends.free <= settings.soon_free_s) & (problem.last_pickup > 0)
    members = np.flatnonzero(counted)
    near = _arrivals(problem, travel, ends, members, store)
    legs = travel.ticks[problem.profile[idle][:, None], ends.place[idle][:, None], store[None, :]].copy()
    legs[(legs >= problem.last_pickup[idle][:, None]) | (legs >= outlook.closes[None, :])] = INFINITE
    targets = empty_moves(
        (_rates(frozen) * 1e6).astype(np.int64),
        delay_curve(_notices(frozen), _enter(problem, store), BUCKET_S, BUCKETS),
        near,
        travel.ticks[0][np.ix_(store, store)],
        np.searchsorted(members, idle).astype(np.int32),
        legs,
        bucket=BUCKET_S,
        horizon=settings.horizon_s,
        least=settings.min_gain_s,
        longest=settings.max_trip_s,
        drive=_drive_price(frozen),
    )
    moves = [(int(v), int(store[s])) for v, s in zip(idle, targets, strict=True) if s >= 0]
    moves = [(v, place) for v, place in moves if place != ends.place[v]]
    return _with_stops(problem, travel, solution, ends, moves) if moves else solution


def _rates(frozen: Frozen) -> NDArray[np.float64]:
    """Orders expected of each store in a second; none of one that is not open."""
    settings, outlook = frozen.settings.reposition, frozen.outlook
    return (outlook.weight + settings.prior) / settings.memory_s * (outlook.closes > 0)


def _is_over(frozen: Frozen) -> bool:
    """Whether orders have stopped coming: stores that nobody gave hours say so by their silence alone."""
    settings, outlook = frozen.settings.reposition, frozen.outlook
    missing = outlook.weight.sum() / settings.memory_s * outlook.silent_s
    return bool(settings.quiet_after) and bool(missing > settings.quiet_after)


def _drive_price(frozen: Frozen) -> int:
    """What a second of an empty move costs, in billionths of a second of one order's wait at the door."""
    if not frozen.settings.reposition.priced:
        return 0
    problem = frozen.problem
    price = int(problem.per_work.max(initial=0) + problem.per_drive.max(initial=0))
    return price * 10**9 // max(1, frozen.settings.prices.door_per_s)


def _has_pickups(rows: Rows) -> NDArray[np.bool_]:
    """[V] whether a vehicle's row fetches anything."""
    stop_of_act = np.repeat(np.arange(len(rows.stop_place)), np.diff(rows.act_ptr))
    vehicle_of_stop = np.repeat(np.arange(len(rows.stop_ptr) - 1), np.diff(rows.stop_ptr))
    found = np.zeros(len(rows.stop_ptr) - 1, dtype=np.bool_)
    found[vehicle_of_stop[stop_of_act[rows.act_kind == ActKind.PICKUP]]] = True
    return found


def _notices(frozen: Frozen) -> NDArray[np.int64]:
    """Notices seen at each store, in thousandths of an order, mixed with a few of all stores' together."""
    own = frozen.outlook.notice.astype(np.int64)
    pooled = own.sum(axis=0)
    share = pooled * round(frozen.settings.reposition.pooled * 1000) // max(1, int(pooled.sum()))
    return np.asarray(own * 1000 + share[None, :], dtype=np.int64)


class _Ends(NamedTuple):
    place: NDArray[np.int32]
    free: NDArray[np.int64]


def _plan_ends(problem: Problem, solution: Solution) -> _Ends:
    """Where and when each vehicle's plan ends."""
    rows = solution.rows
    last = rows.stop_ptr[1:] - 1
    busy = np.diff(rows.stop_ptr) > 0
    place = problem.start_place.copy()
    free = np.maximum(problem.start, 0).astype(np.int64)
    place[busy] = rows.stop_place[last[busy]]
    free[busy] = np.maximum(solution.leave[last[busy]], 0)
    return _Ends(place, free)


def _arrivals(
    problem: Problem, travel: Travel, ends: _Ends, members: NDArray[np.intp], store: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Ticks until each of some vehicles can be at each store, [members, S]."""
    legs = travel.ticks[problem.profile[members, None], ends.place[members, None], store[None, :]]
    return np.asarray(np.minimum(ends.free[members, None] + legs, INFINITE), dtype=np.int32)


def _enter(problem: Problem, store: NDArray[np.int32]) -> int:
    return int(problem.enter[store].max(initial=0))


def _with_stops(
    problem: Problem, travel: Travel, solution: Solution, ends: _Ends, moves: list[tuple[int, int]]
) -> Solution:
    """The solution with one stop without acts at the end of each moving vehicle's row."""
    rows = solution.rows
    vehicle = np.array([v for v, _ in moves], dtype=np.int64)
    place = np.array([p for _, p in moves], dtype=np.int32)
    at = rows.stop_ptr[vehicle + 1].astype(np.int64)
    leg = travel.ticks[problem.profile[vehicle], ends.place[vehicle], place]
    arrive = ends.free[vehicle] + leg
    count = np.diff(rows.stop_ptr)
    count[vehicle] += 1
    longer = Rows(
        np.concatenate([[0], np.cumsum(count)]).astype(np.int32),
        np.insert(rows.stop_place, at, place).astype(np.int32),
        np.concatenate([[0], np.cumsum(np.insert(np.diff(rows.act_ptr), at, 0))]).astype(np.int32),
        rows.act_request,
        rows.act_kind,
    )
    return solution._replace(
        rows=longer,
        leg=np.insert(solution.leg, at, leg).astype(np.int32),
        arrive=np.insert(solution.arrive, at, arrive).astype(np.int32),
        act_at=np.insert(solution.act_at, at, arrive).astype(np.int32),
        leave=np.insert(solution.leave, at, arrive).astype(np.int32),
    )
