"""Is an answer of the solver possible at all?  Checked by the host before the engine hears of it.

Whoever plans in another process may be broken in any way.  The engine refuses what no longer fits; this refuses what
never could: unknown names, an order twice, a drop before its pickup, a forbidden rider, too full a bag, time running
backwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from dispatch.inputs import PlannedStop, RoundSolved
from dispatch.model import ActKind
from dispatch.rounds.frozen_round import Frozen

LONGEST_PLAN_S = 2 * 86_400


def flaw_of(frozen: Frozen, answer: RoundSolved) -> str | None:
    """The first thing that cannot be, in words; None where the answer may go to the engine."""
    if answer.round != frozen.round:
        return f"an answer to round {answer.round}"
    vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
    request_of = {order_id: r for r, order_id in enumerate(frozen.ids.order_ids)}
    taken: dict[str, str] = {}
    seen: set[str] = set()
    for change in answer.changes:
        vehicle = vehicle_of.get(change.rider_id)
        if vehicle is None or change.rider_id in seen:
            return f"rider {change.rider_id} is unknown or named twice"
        seen.add(change.rider_id)
        if change.revision != frozen.ids.revisions[vehicle]:
            return f"rider {change.rider_id}: revision {change.revision} was not asked about"
        flaw = _flaw_of_route(frozen, vehicle, change.stops, request_of)
        if flaw is not None:
            return f"rider {change.rider_id}: {flaw}"
        for order_id in {order_id for stop in change.stops for order_id, _ in stop.acts}:
            if taken.setdefault(order_id, change.rider_id) != change.rider_id:
                return f"order {order_id} is given to two riders"
    return None


def _flaw_of_route(
    frozen: Frozen, vehicle: int, stops: Iterable[PlannedStop], request_of: dict[str, int]
) -> str | None:
    problem = frozen.problem
    destinations = set(problem.place[: frozen.destinations].tolist())
    aboard = {r for r, v in enumerate(problem.aboard_of.tolist()) if v == vehicle}
    done: set[tuple[int, int]] = set()
    load = problem.load[sorted(aboard)].sum(axis=0) if aboard else np.zeros(problem.load.shape[1], dtype=np.int64)
    clock = frozen.at - LONGEST_PLAN_S
    for stop in stops:
        if stop.place not in destinations:
            return f"nobody can go to place {stop.place}"
        times = (clock, stop.expected_arrive_at, stop.expected_act_at, stop.expected_leave_at)
        if any(late < early for early, late in itertools.pairwise(times)) or stop.leg_s < 0:
            return "time runs backwards"
        clock = stop.expected_leave_at
        for order_id, kind in stop.acts:
            request = request_of.get(order_id)
            if request is None or (request, kind) in done:
                return f"order {order_id} is unknown or served twice"
            done.add((request, kind))
            local = int((problem.pick_place if kind == ActKind.PICKUP else problem.drop_place)[request])
            if local < 0 or int(problem.place[local]) != stop.place:
                return f"order {order_id} is not served at place {stop.place}"
            if kind == ActKind.PICKUP:
                if not _may(frozen, request, vehicle):
                    return f"order {order_id} is not for them"
                aboard.add(request)
                load = load + problem.load[request]
                if (load > problem.capacity[vehicle]).any():
                    return f"order {order_id} does not fit"
            elif request not in aboard:
                return f"order {order_id} is dropped before it is picked up"
            else:
                aboard.discard(request)
                load = load - problem.load[request]
    if clock > frozen.at + LONGEST_PLAN_S:
        return "a plan without end"
    if any((request, ActKind.PICKUP) in done for request in aboard):
        return "an order is picked up and never dropped"
    return None


def _may(frozen: Frozen, request: int, vehicle: int) -> bool:
    word = int(frozen.problem.allowed[request, vehicle // 64])
    return bool(word >> (vehicle % 64) & 1)
