"""What a plan comes to: judged against the told one, a reason for what is left out, receipts for what is served."""

from __future__ import annotations

import logging
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from routing.plans.before import homes, vehicle_of_acts
from routing.plans.planner import Planner
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.law import REASON_OF, Law
from routing.problem.problem import (
    I8,
    I64,
    INFINITE,
    NEVER,
    ActKind,
    Problem,
    Reason,
    Receipt,
    Rows,
    Travel,
    empty_rows,
)

log = logging.getLogger(__name__)

ASKED, BEHIND = 32, 4
"""Of those that can be there soonest, how many are asked why they cannot take a request: alone, behind their plan."""

_BARS = (Reason.NEEDS, Reason.CAPACITY, Reason.UNREACHABLE, Reason.ON_BOARD_LIMIT, Reason.SHIFT_END)
"""What can bar a vehicle whatever else it does, in the order in which a person would ask."""


def judged(problem: Problem, travel: Travel, rows: Rows) -> tuple[Rows, Timeline]:
    """The plan, or the told plan where that is legal and the new one is dearer or breaks a law."""
    timeline = evaluate(problem, travel, rows)
    lean = _without_idle_stops(rows)
    if lean is not rows and (judgement := evaluate(problem, travel, lean)).feasible:
        rows, timeline = lean, judgement
    told = evaluate(problem, travel, problem.before)
    if told.feasible and not (timeline.feasible and (timeline.rank, timeline.cost) <= (told.rank, told.cost)):
        return problem.before, told
    if not timeline.feasible:
        log.warning(
            "the told plan breaks the law (%s, vehicle %d) and cannot be mended", timeline.law, timeline.vehicle
        )
    return rows, timeline


def _without_idle_stops(rows: Rows) -> Rows:
    """The plan without halts for nothing where a vehicle halts for something too, before or after.

    A search holds a place that must be visited by a node of its own, and between two rounded ways the halt may even
    come out a second cheaper; nobody is sent there twice for that.
    """
    bare = np.diff(rows.act_ptr) == 0
    if not bare.any():
        return rows
    vehicle = np.repeat(np.arange(len(rows.stop_ptr) - 1, dtype=np.int64), np.diff(rows.stop_ptr))
    where = vehicle << 32 | rows.stop_place
    idle = bare & np.isin(where, where[~bare])
    if not idle.any():
        return rows
    gone = np.concatenate([[0], np.cumsum(idle)])
    return rows._replace(
        stop_ptr=(rows.stop_ptr - gone[rows.stop_ptr]).astype(np.int32), stop_place=rows.stop_place[~idle],
        act_ptr=np.append(rows.act_ptr[:-1][~idle], rows.act_ptr[-1:]),
    )  # fmt: skip


def absent_from(problem: Problem, rows: Rows) -> NDArray[np.intp]:
    """Requests that are on no route and do not stay on board."""
    served = (problem.aboard_of >= 0) & (problem.drop_place < 0)
    served[rows.act_request] = True
    return np.flatnonzero(~served)


def reasons(
    problem: Problem, travel: Travel, rows: Rows, timeline: Timeline, planner: Planner, absent: NDArray[np.intp]
) -> I8:
    """Reason of every request, SERVED where it is not `absent`; the planner holds `rows`.

    CHOICE where another row of its choice is served; else the last law that bars the last of the vehicles.  Where some
    could take it: BUDGET if one can for less than leaving it out, NO_RIDER_IN_REACH if that costs more; else what stops
    most of the nearest when they do nothing else, or the last of them behind all that they have to do.
    """
    reason = np.full(len(problem.pick_place), Reason.SERVED, dtype=np.int8)
    if not len(absent):
        return reason
    if not len(problem.start_place):
        reason[absent] = Reason.NO_RIDER_IN_REACH
        return reason
    if problem.choice.size:
        chosen = problem.choice[np.setdiff1d(np.arange(len(reason)), absent)]
        beside = np.isin(problem.choice[absent], chosen[chosen >= 0])
        reason[absent[beside]], absent = Reason.CHOICE, absent[~beside]
    bare, everybody = _untold(problem), np.arange(len(problem.start_place))
    skip, offers = _leaving_out(problem), planner.offers(absent)
    for row, (request, price) in enumerate(zip(absent.tolist(), offers.best[:, 0, 1].tolist(), strict=True)):
        soonest = planner.soonest(request)
        barred = _barred(problem, travel, request, everybody, soonest)
        if (barred != Reason.SERVED).all():
            reason[request] = _last(barred)
        elif price < NEVER:
            law = _law_of_the_whole(problem, travel, rows, request, int(offers.best[row, 0, 0]))
            reason[request] = law or (Reason.BUDGET if price < skip[request] else Reason.NO_RIDER_IN_REACH)
        else:
            able = np.flatnonzero(barred == Reason.SERVED)
            law = _stopped(bare, travel, bare.before, request, able, soonest, ASKED)
            reason[request] = law or _behind(bare, travel, rows, timeline, request, able)
    return reason


def receipts(
    problem: Problem, travel: Travel, rows: Rows, planner: Planner, served: NDArray[np.int32]
) -> tuple[tuple[Receipt, ...], int]:
    """Receipts of served requests, and the work they took; the planner holds `rows`.

    None where the plan without the request breaks a law: what it adds is not to be told then.
    """
    vehicle_of = np.full(len(problem.pick_place), -1)
    vehicle_of[rows.act_request] = vehicle_of_acts(rows.stop_ptr, rows.act_ptr)
    offers, full, made = planner.offers(served), _trips(problem, rows) >= problem.max_trips, []
    for i, request in enumerate(served.tolist()):
        vehicle, added = int(vehicle_of[request]), int(offers.added[i])
        if added >= NEVER:
            continue
        soonest = planner.soonest(request)
        sooner = np.flatnonzero(soonest < soonest[vehicle])
        barred = _barred(problem, travel, request, sooner, soonest[sooner])
        barred[(barred == Reason.SERVED) & full[sooner]] = Reason.CAPACITY
        stopped = np.flatnonzero(barred != Reason.SERVED)
        binding = int(barred[stopped[np.argmin(soonest[sooner[stopped]])]]) if len(stopped) else int(Reason.SERVED)
        others = tuple((other, price) for other, price in offers.best[i].tolist() if price < NEVER)
        rows_instead = ((row, other, price) for row, other, price in offers.instead[i].tolist() if price < NEVER)
        made.append(Receipt(request, vehicle, added, others, binding, tuple(rows_instead)))
    return tuple(made), offers.tried


def _barred(
    problem: Problem, travel: Travel, request: int, vehicles: NDArray[np.intp], soonest: I64
) -> NDArray[np.int8]:
    """What bars each of these vehicles, who could be there by `soonest`: the first of _BARS, SERVED where none does."""
    carrier, pick, drop = (int(x[request]) for x in (problem.aboard_of, problem.pick_place, problem.drop_place))
    barred = np.full(len(vehicles), Reason.SERVED, dtype=np.int8)
    way = long = 0
    if pick >= 0:
        barred[np.maximum(soonest, problem.ready[request]) > problem.last_pickup[vehicles]] = Reason.SHIFT_END
        if drop >= 0 and drop != pick:
            way = int(travel.ticks[:, pick, drop].min())
            long = way + int(problem.act[request, 0] + problem.exit[pick] + problem.enter[drop])
    if long > problem.max_on_board[request]:
        barred[:] = Reason.ON_BOARD_LIMIT
    barred[(soonest >= INFINITE) | (way >= INFINITE)] = Reason.UNREACHABLE
    barred[(problem.load[request] > problem.capacity[vehicles]).any(axis=1)] = Reason.CAPACITY
    bits = problem.allowed[request, vehicles // 64] >> (vehicles % 64).astype(np.uint64)
    barred[(bits & np.uint64(1) == 0) | ((carrier >= 0) & (vehicles != carrier))] = Reason.NEEDS
    return barred


def _last(barred: NDArray[np.int8]) -> Reason:
    """The last of _BARS that stops anybody."""
    return max((Reason(one) for one in set(barred.tolist())), key=_BARS.index)


def _stopped(
    bare: Problem, travel: Travel, rows: Rows, request: int, able: NDArray[np.intp], soonest: I64, asked: int
) -> Reason:
    """What stops most of the nearest vehicles from serving it behind `rows`; SERVED where one of them could."""
    laws: Counter[Law] = Counter()
    for vehicle in able[np.argsort(soonest[able], kind="stable")[:asked]].tolist():
        law = evaluate(bare, travel, _appended(bare, rows, vehicle, request)).law
        if law == Law.NONE:
            return Reason.SERVED
        laws[law] += 1
    return REASON_OF[laws.most_common(1)[0][0]]


def _behind(
    bare: Problem, travel: Travel, rows: Rows, timeline: Timeline, request: int, able: NDArray[np.intp]
) -> Reason:
    """What stops the `able` from serving it after everything else; NO_RIDER_IN_REACH where one of them could."""
    at, here = np.maximum(bare.start, 0).astype(np.int64), bare.start_place.copy()
    busy = np.flatnonzero(np.diff(rows.stop_ptr))
    final = rows.stop_ptr[busy + 1] - 1
    at[busy], here[busy] = timeline.leave[final], rows.stop_place[final]
    pick, drop = int(bare.pick_place[request]), int(bare.drop_place[request])
    there = pick if pick >= 0 else drop
    soonest = at + np.where(here == there, 0, travel.ticks[bare.profile, here, there])
    barred = _barred(bare, travel, request, able, soonest[able])
    barred[(barred == Reason.SERVED) & (_trips(bare, rows) >= bare.max_trips)[able]] = Reason.CAPACITY
    free = able[barred == Reason.SERVED]
    if not len(free):
        return _last(barred)
    return _stopped(bare, travel, rows, request, free, soonest, BEHIND) or Reason.NO_RIDER_IN_REACH


def _law_of_the_whole(problem: Problem, travel: Travel, rows: Rows, request: int, vehicle: int) -> Reason:
    """Which law of the whole plan stops a vehicle that could take a request for itself; SERVED where none does."""
    if not problem.precedence.size and problem.max_used >= len(problem.start_place):
        return Reason.SERVED
    law = evaluate(problem, travel, _appended(problem, rows, vehicle, request)).law
    return REASON_OF[law] if law in (Law.PRECEDENCE, Law.FLEET) else Reason.SERVED


def _trips(problem: Problem, rows: Rows) -> I64:
    """Trips that each vehicle makes: times that it picks something up with nothing on board, one if it has goods."""
    vehicles, of = len(problem.start_place), vehicle_of_acts(rows.stop_ptr, rows.act_ptr)
    carrier = problem.aboard_of.astype(np.int64)
    carrier[rows.act_request] = of
    loaded = np.bincount(carrier[(problem.pick_place < 0) & (carrier >= 0)], minlength=vehicles)
    change = np.where(rows.act_kind == ActKind.PICKUP, 1, -1)
    total = np.concatenate([[0], np.cumsum(change)])
    before = total[:-1] - total[rows.act_ptr[rows.stop_ptr[:-1]]][of] + loaded[of]
    made = np.bincount(of[(change > 0) & (before == 0)], minlength=vehicles)
    return np.asarray(made + (loaded > 0), dtype=np.int64)


def _leaving_out(problem: Problem) -> I64:
    """Price int64[R] of leaving each request out, taking it from the vehicle that it was told to included."""
    price = problem.skip_cost + np.minimum(homes(problem)[1], NEVER // 2)
    return np.where(problem.rank > 0, NEVER, price) if problem.rank.size else price


def _untold(problem: Problem) -> Problem:
    """The same problem with nothing told and nothing to keep."""
    none = np.zeros(0, dtype=np.int8)
    return problem._replace(
        before=empty_rows(len(problem.start_place)), stop_level=none, act_level=none,
        must_keep_ptr=np.zeros_like(problem.must_keep_ptr), must_keep=np.zeros(0, dtype=np.int32),
    )  # fmt: skip


def _appended(problem: Problem, rows: Rows, vehicle: int, request: int) -> Rows:
    """The plan in which `vehicle` serves the request after everything else it has to do."""
    ends = ((kind, int(place[request])) for kind, place in enumerate((problem.pick_place, problem.drop_place)))
    kinds, places = zip(*((kind, place) for kind, place in ends if place >= 0), strict=True)
    more, stop = len(kinds), int(rows.stop_ptr[vehicle + 1])
    act = int(rows.act_ptr[stop])
    fresh = np.arange(act + 1, act + more + 1, dtype=np.int32)
    return Rows(
        rows.stop_ptr + np.where(np.arange(len(rows.stop_ptr)) > vehicle, np.int32(more), np.int32(0)),
        np.insert(rows.stop_place, stop, places),
        np.concatenate([rows.act_ptr[: stop + 1], fresh, rows.act_ptr[stop + 1 :] + np.int32(more)]),
        np.insert(rows.act_request, act, [request] * more), np.insert(rows.act_kind, act, kinds),
    )  # fmt: skip
