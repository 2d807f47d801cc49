"""Solution -> changes: a plan in ids again, only where it differs, with reasons and receipts."""

from __future__ import annotations

import numpy as np

from dispatch import inputs as i
from dispatch.frozen import Frozen
from dispatch.model import ActKind, Reason, Stop
from routing.plans.problem import Solution


def answer(frozen: Frozen, solution: Solution, *, cause: str = "SOLVED") -> i.RoundSolved:
    """A Solution in ids: only routes that differ, reasons for orders without one, receipts for those told soon."""
    changes = []
    for v, rider_id in enumerate(frozen.ids.rider_ids):
        planned = _planned_stops(frozen, solution, v)
        if not _is_same(planned, frozen.ids.routes[v]):
            changes.append(i.RouteChange(rider_id, frozen.ids.revisions[v], planned))
    reasons = [
        i.OrderReason(frozen.ids.order_ids[r], frozen.ids.barred.get(frozen.ids.order_ids[r], Reason(int(code))))
        for r, code in enumerate(solution.reason.tolist())
        if code != Reason.SERVED
    ]
    return i.RoundSolved(
        at=frozen.at,
        round=frozen.round,
        cause=cause,
        changes=tuple(changes),
        reasons=(*reasons, *frozen.ids.left_out),
        choices=_choices(frozen, solution),
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


def _planned_stops(frozen: Frozen, solution: Solution, v: int) -> tuple[i.PlannedStop, ...]:
    rows, ids, at = solution.rows, frozen.ids, frozen.at
    stops = []
    for s in range(int(rows.stop_ptr[v]), int(rows.stop_ptr[v + 1])):
        local = int(rows.stop_place[s])
        acts = tuple(
            (ids.order_ids[int(rows.act_request[a])], ActKind(int(rows.act_kind[a])))
            for a in range(int(rows.act_ptr[s]), int(rows.act_ptr[s + 1]))
        )
        stops.append(
            i.PlannedStop(
                int(frozen.problem.place[local]),
                ids.store_of.get(local),
                acts,
                int(solution.leg[s]),
                0,
                at + int(solution.arrive[s]),
                at + int(solution.act_at[s]),
                at + int(solution.leave[s]),
            )
        )
    return tuple(stops)


def _is_same(planned: tuple[i.PlannedStop, ...], stops: tuple[Stop, ...]) -> bool:
    if len(planned) != len(stops):
        return False
    return all(
        new.place == old.place
        and new.expected_act_at == old.expected_act_at
        and new.acts == tuple((act.order_id, act.kind) for act in old.acts)
        for new, old in zip(planned, stops, strict=True)
    )


def _choices(frozen: Frozen, solution: Solution) -> tuple[i.Choice, ...]:
    """Receipts of orders whose rider may be told before the next round has been answered."""
    ids, soon = frozen.ids, 2 * frozen.settings.rules.round_s
    return tuple(
        i.Choice(
            ids.order_ids[receipt.request],
            ids.rider_ids[receipt.vehicle],
            int(receipt.added_cost),
            tuple((ids.rider_ids[vehicle], int(cost)) for vehicle, cost in receipt.others),
            Reason(receipt.binding),
        )
        for receipt in solution.receipts
        if solution.keep_until[receipt.vehicle] <= soon or frozen.ids.routes[receipt.vehicle]
    )
