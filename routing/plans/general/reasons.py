"""Says why: the reason of a request that no vehicle takes, and the receipt of one that a vehicle was chosen for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from routing.plans.general.insert import start_routes
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import best_in, may_serve, order_price, refresh, remove, take_over
from routing.plans.general.tables import Kind, Routes, Tables
from routing.plans.general.work import Work, new_work
from routing.problem.build import Stop, make_rows
from routing.problem.evaluate import REASON_OF, Law, evaluate
from routing.problem.problem import I8, INFINITE, Problem, Reason, Receipt, Rows, Travel, empty_rows

OFFERING = 48
"""Vehicles among which a receipt looks for the next best ones."""

ASKED = 32
"""Vehicles that are asked why they cannot take a request: the nearest ones."""


def explain_absent(problem: Problem, travel: Travel, tables: Tables, rows: Rows, absent: NDArray[np.int64]) -> I8:
    """Reason of each absent request.

    What stops the nearest vehicles when they have nothing else to do; where some could take it alone, what stops them
    in this plan; BUDGET where it still fits for less than leaving it out, NO_RIDER_IN_REACH where it costs more.
    """
    reasons = np.zeros(len(absent), dtype=np.int8)
    if not len(absent):
        return reasons
    bare = _untold(problem)
    work = new_work(tables, 0)
    planned = problem._replace(told=rows, stop_level=np.zeros(len(rows.stop_place), dtype=np.int8))
    routes = start_routes(planned, tables, work)
    for k, request in enumerate(absent.tolist()):
        allowed = [v for v in range(len(problem.start_place)) if may_serve(tables, request, v)]
        if not allowed:
            reasons[k] = Reason.NEEDS if len(problem.start_place) else Reason.NO_RIDER_IN_REACH
            continue
        asked = sorted(allowed, key=lambda v: int(_ticks_to(problem, travel, v, request)))[:ASKED]
        laws = Counter(evaluate(bare, travel, _alone(problem, v, request)).law for v in asked)
        if Law.NONE not in laws:
            reasons[k] = REASON_OF[laws.most_common(1)[0][0]]
            continue
        prices = [best_in(tables, routes, request, v, col.LOCKED, work)[:2] for v in allowed]
        fitting = [int(price) for price, pick in prices if pick >= 0]
        if fitting:
            cheap = min(fitting) < int(tables.request[request, col.SKIP])
            reasons[k] = Reason.BUDGET if cheap else Reason.NO_RIDER_IN_REACH
        else:
            busy = Counter(evaluate(bare, travel, _behind(problem, rows, v, request)).law for v in asked)
            del busy[Law.NONE]
            reasons[k] = REASON_OF[busy.most_common(1)[0][0]] if busy else Reason.NO_RIDER_IN_REACH
    return reasons


def explain_choices(
    problem: Problem, travel: Travel, tables: Tables, rows: Rows, requests: Sequence[int]
) -> tuple[Receipt, ...]:
    """Receipts of served requests: what they add to their vehicle's plan and would add to the cheapest three others."""
    # What a vehicle must keep is no part of what an order costs it.
    tables = tables._replace(keep_ptr=np.zeros_like(tables.keep_ptr))
    work = new_work(tables, 0)
    planned = problem._replace(told=rows, stop_level=np.zeros(len(rows.stop_place), dtype=np.int8))
    bare = _untold(problem)
    whole, routes = (start_routes(planned, tables, work) for _ in range(2))
    receipts = []
    for request in requests:
        vehicle = int(routes.vehicle[request])
        if vehicle < 0 or tables.kind[request] == Kind.STAYING:
            continue
        with_it = int(routes.price[vehicle]) + int(order_price(tables, request, vehicle))
        remove(tables, routes, request)
        refresh(tables, routes, vehicle, work)
        added = with_it - int(routes.price[vehicle])
        others, stopped = _offers(problem, travel, tables, routes, work, request, vehicle)
        binding = Reason.SERVED
        if stopped >= 0 and _ticks_to(problem, travel, stopped, request) < _ticks_to(problem, travel, vehicle, request):
            law = evaluate(bare, travel, _alone(problem, stopped, request)).law
            law = law or evaluate(bare, travel, _behind(problem, rows, stopped, request)).law
            binding = REASON_OF[law] if may_serve(tables, request, stopped) else Reason.NEEDS
        receipts.append(Receipt(int(request), vehicle, added, tuple(others[:3]), int(binding)))
        take_over(tables, whole, routes, vehicle)
        routes.missing[0] = whole.missing[0]
    return tuple(receipts)


def _untold(problem: Problem) -> Problem:
    """The same problem with nothing told and nothing to keep."""
    none = np.zeros(0, dtype=np.int8)
    return problem._replace(
        told=empty_rows(len(problem.start_place)), stop_level=none, act_level=none,
        keep_ptr=np.zeros_like(problem.keep_ptr), keep_one_of=np.zeros(0, dtype=np.int32),
    )  # fmt: skip


def _offers(
    problem: Problem, travel: Travel, tables: Tables, routes: Routes, work: Work, request: int, chosen: int
) -> tuple[list[tuple[int, int]], int]:
    """(vehicle, price) of the others that can take the request, cheapest first, and the nearest one that cannot."""
    offers, nearest, least = [], -1, INFINITE
    for vehicle in _near(problem, travel, request):
        if vehicle == chosen:
            continue
        price, pick = 0, -1
        if may_serve(tables, request, vehicle):
            price, pick, _ = best_in(tables, routes, request, vehicle, col.LOCKED, work)
        if pick >= 0:
            offers.append((vehicle, int(price)))
        elif _ticks_to(problem, travel, vehicle, request) < least:
            nearest, least = vehicle, _ticks_to(problem, travel, vehicle, request)
    return sorted(offers, key=lambda offer: (offer[1], offer[0])), nearest


def _near(problem: Problem, travel: Travel, request: int) -> list[int]:
    """The vehicles that are asked what a request would cost them: those that can be at its first place soonest."""
    place = problem.pick_place[request] if problem.pick_place[request] >= 0 else problem.drop_place[request]
    legs = travel.ticks[problem.profile, problem.start_place, place].astype(np.int64)
    soonest = np.where(problem.start_place == place, 0, legs) + np.maximum(0, problem.start)
    return sorted(np.argsort(soonest, kind="stable")[:OFFERING].tolist())


def _ticks_to(problem: Problem, travel: Travel, vehicle: int, request: int) -> int:
    """Ticks from where the vehicle is free to the request's first place."""
    place = problem.pick_place[request] if problem.pick_place[request] >= 0 else problem.drop_place[request]
    here = problem.start_place[vehicle]
    leg = 0 if here == place else int(travel.ticks[problem.profile[vehicle], here, place])
    return leg + max(0, int(problem.start[vehicle]))


def _visits(problem: Problem, request: int) -> list[Stop]:
    places = (int(problem.pick_place[request]), int(problem.drop_place[request]))
    return [(place, [(request, kind)]) for kind, place in enumerate(places) if place >= 0]


def _alone(problem: Problem, vehicle: int, request: int) -> Rows:
    """A plan in which `vehicle` does nothing but this request."""
    plan: list[list[Stop]] = [[] for _ in problem.start_place]
    plan[vehicle] = _visits(problem, request)
    return make_rows(plan)


def _behind(problem: Problem, rows: Rows, vehicle: int, request: int) -> Rows:
    """A plan in which `vehicle` does this request after everything else it has to do."""
    plan: list[list[Stop]] = [[] for _ in problem.start_place]
    for stop in range(rows.stop_ptr[vehicle], rows.stop_ptr[vehicle + 1]):
        acts = range(rows.act_ptr[stop], rows.act_ptr[stop + 1])
        done = [(int(rows.act_request[a]), int(rows.act_kind[a])) for a in acts]
        plan[vehicle].append((int(rows.stop_place[stop]), done))
    plan[vehicle] += _visits(problem, request)
    return make_rows(plan)
