"""Solution -> changes: a plan in ids again, only where it differs, with reasons and receipts."""

from __future__ import annotations

import numpy as np

from dispatch import inputs as i
from dispatch.model import ActKind, Reason, Stop
from dispatch.rounds.frozen_round import Frozen
from routing.problem.problem import Solution


def answer(frozen: Frozen, solution: Solution, *, cause: str = "SOLVED") -> i.RoundSolved:
    """A Solution in ids: only routes that differ, reasons for orders without one, receipts for those told soon."""
    plan = _Plan(frozen, solution)
    changes = tuple(
        i.RouteChange(rider_id, frozen.ids.revisions[v], plan.stops(v))
        for v, rider_id in enumerate(frozen.ids.rider_ids)
        if not plan.is_same(v, frozen.ids.routes[v])
    )
    reasons: dict[str, Reason] = {}
    for r, code in enumerate(solution.reason.tolist()):
        if code not in (Reason.SERVED, Reason.CHOICE):  # of alternatives the first says why: the one planned before
            order_id = frozen.ids.order_ids[r]
            reasons.setdefault(order_id, frozen.ids.barred.get(order_id, Reason(int(code))))
    return i.RoundSolved(
        at=frozen.at,
        round=frozen.round,
        cause=cause,
        changes=changes,
        reasons=(*(i.OrderReason(*said) for said in reasons.items()), *frozen.ids.left_out),
        choices=_choices(frozen, solution),
        alternatives=_alternatives(frozen, solution),
        cost=int(solution.cost),
        work=int(solution.work),
        planned_wait_s=_planned_wait_s(frozen, solution),
    )


def _planned_wait_s(frozen: Frozen, solution: Solution) -> int:
    rows = solution.rows
    picks = rows.act_kind == ActKind.PICKUP
    if not picks.any():
        return 0
    stop = np.repeat(np.arange(len(rows.stop_place)), np.diff(rows.act_ptr))[picks]
    waits = solution.act_at[stop] - np.maximum(frozen.problem.ready[rows.act_request[picks]], 0)
    return int(waits.astype(np.int64).sum() // len(waits))


class _Plan:
    """A Solution's rows as lists: most routes are as they were, and are found so without making their stops anew."""

    def __init__(self, frozen: Frozen, solution: Solution) -> None:
        rows = solution.rows
        self._ids = frozen.ids
        self._stop_ptr = rows.stop_ptr.tolist()
        self._act_ptr = rows.act_ptr.tolist()
        self._local = rows.stop_place.tolist()
        self._place = frozen.problem.place[rows.stop_place].tolist()
        self._request = rows.act_request.tolist()
        self._kind = rows.act_kind.tolist()
        self._leg = solution.leg.tolist()
        ticks = np.stack([solution.arrive, solution.act_at, solution.leave], axis=1)
        self._times = (ticks.astype(np.int64) + frozen.at).tolist()

    def stops(self, v: int) -> tuple[i.PlannedStop, ...]:
        """A vehicle's row in ids."""
        return tuple(
            i.PlannedStop(
                self._place[s], self._ids.store_of.get(self._local[s]), self._acts(s), self._leg[s], 0, *self._times[s]
            )
            for s in range(self._stop_ptr[v], self._stop_ptr[v + 1])
        )

    def is_same(self, v: int, stops: tuple[Stop, ...]) -> bool:
        """Whether a vehicle's row is the route it had: places, acts and their instants."""
        first = self._stop_ptr[v]
        if self._stop_ptr[v + 1] - first != len(stops):
            return False
        return all(
            self._place[s] == self._ids.doors.get(stop.place, stop.place)
            and self._times[s][1] == stop.expected_act_at
            and self._acts(s) == tuple((act.order_id, act.kind) for act in stop.acts)
            for s, stop in enumerate(stops, first)
        )

    def _acts(self, s: int) -> tuple[tuple[str, ActKind], ...]:
        span = range(self._act_ptr[s], self._act_ptr[s + 1])
        return tuple((self._ids.order_ids[self._request[a]], _KIND[self._kind[a]]) for a in span)


_KIND = tuple(ActKind)


def _alternatives(frozen: Frozen, solution: Solution) -> tuple[i.Alternative, ...]:
    """Of orders that have several rows those served by another than before, and those with a receipt."""
    ids = frozen.ids
    if not ids.ways:
        return ()
    receipt_of = {receipt.request: receipt for receipt in solution.receipts}
    found = []
    for r in np.unique(solution.rows.act_request).tolist():
        if r not in ids.ways or (ids.present.get(ids.order_ids[r]) == r and r not in receipt_of):
            continue
        instead = (
            (*ids.ways[other], int(cost) - int(receipt_of[r].added_cost))
            for other, _, cost in (receipt_of[r].instead if r in receipt_of else ())
        )
        found.append(i.Alternative(ids.order_ids[r], *ids.ways[r], tuple(instead)))
    return tuple(found)


def _choices(frozen: Frozen, solution: Solution) -> tuple[i.Choice, ...]:
    ids = frozen.ids
    return tuple(
        i.Choice(
            ids.order_ids[receipt.request],
            ids.rider_ids[receipt.vehicle],
            int(receipt.added_cost),
            tuple((ids.rider_ids[vehicle], int(cost)) for vehicle, cost in receipt.others),
            Reason(receipt.binding),
        )
        for receipt in solution.receipts
    )
