"""Turns the planner's arrays back into a Solution: rows, times from the one evaluator, reasons, receipts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.plans.trips.kernels import layout as col
from routing.plans.trips.kernels.receipts import write_receipts
from routing.plans.trips.kernels.rows import write_rows
from routing.plans.trips.pack import Packed
from routing.problem.evaluate import evaluate, fetched_soon
from routing.problem.problem import I8, I32, INFINITE, Explain, Problem, Reason, Receipt, Rows, Solution, Travel


def dress(problem: Problem, travel: Travel, packed: Packed, work: int, explain: Explain) -> tuple[Solution, bool]:
    """The plan as a Solution, and whether the evaluator finds it lawful; `work` is what was spent on it so far."""
    rows = to_rows(problem, packed)
    timeline = evaluate(problem, travel, rows)
    said, tried = receipts_of(packed, fetched_soon(problem, rows, timeline, explain))
    solution = Solution(
        rows, timeline.leg, timeline.arrive, timeline.act_at, timeline.leave,
        reasons(problem, packed), timeline.cost, work + tried, said,
    )  # fmt: skip
    return solution, timeline.feasible


def to_rows(problem: Problem, packed: Packed) -> Rows:
    """The plan as compressed rows."""
    day, plan, head, heads = packed.day, packed.plan, packed.head, packed.heads
    vehicles, requests = len(heads), len(plan.where)
    most_stops = 2 * requests + int(plan.chain[:vehicles, col.TRIPS].sum()) + len(problem.told.stop_place)
    stop_ptr, act_ptr = np.zeros(vehicles + 1, dtype=np.int32), np.zeros(most_stops + 1, dtype=np.int32)
    stop_place, act_request = np.zeros(most_stops, dtype=np.int32), np.zeros(2 * requests, dtype=np.int32)
    act_kind = np.zeros(2 * requests, dtype=np.int8)
    stops, acts = write_rows(day, plan, problem.told, head, heads, stop_ptr, stop_place, act_ptr, act_request, act_kind)
    return Rows(
        stop_ptr, stop_place[:stops].copy(), act_ptr[: stops + 1].copy(),
        act_request[:acts].copy(), act_kind[:acts].copy(),
    )  # fmt: skip


def receipts_of(packed: Packed, served: I32) -> tuple[tuple[Receipt, ...], int]:
    """A receipt for each of these requests that wait for their pickup on some row, and the places tried for them."""
    day, plan = packed.day, packed.plan
    added = np.zeros(len(served), dtype=np.int64)
    offers = np.full((len(served), 3, 2), col.NEVER, dtype=np.int64)
    binding = np.zeros(len(served), dtype=np.int64)
    tried = write_receipts(day, plan, packed.act_at, served, added, offers, binding)
    receipts = tuple(
        Receipt(r, v, price, tuple((other, cost) for other, cost in best if cost < col.NEVER), law)
        for r, v, price, best, law in zip(
            served.tolist(), plan.where[served].tolist(), added.tolist(), offers.tolist(), binding.tolist(), strict=True
        )
    )
    return receipts, int(tried)


def reasons(problem: Problem, packed: Packed) -> I8:
    """Why each request is on no route: the last law that stops every vehicle, in the order a person would ask."""
    reason = np.full(len(packed.plan.where), Reason.SERVED, dtype=np.int8)
    for r in np.flatnonzero(packed.plan.where < 0).tolist():
        reason[r] = _reason(problem, packed, r)
    return reason


def _reason(problem: Problem, packed: Packed, r: int) -> Reason:
    able: NDArray[np.bool_] = packed.day.allowed[r] == 1
    if not able.any():
        return Reason.NEEDS
    able &= (problem.capacity >= problem.load[r]).all(axis=1)
    if not able.any():
        return Reason.CAPACITY
    act_at = packed.act_at[:, packed.day.request[r, col.GROUP]]
    able &= act_at < INFINITE
    if not able.any() or packed.day.request[r, col.DIRECT] >= INFINITE:
        return Reason.UNREACHABLE
    if (
        packed.day.request[r, col.DIRECT]
        > problem.max_on_board[r] + problem.act[r, 0] + problem.exit[problem.pick_place[r]]
    ):
        return Reason.ON_BOARD_LIMIT
    able &= np.maximum(act_at, problem.ready[r]) <= problem.last_pickup
    if not able.any():
        return Reason.SHIFT_END
    if len(packed.day.window) and (problem.window[r, :, :, 1].max(axis=1) < INFINITE).any():
        return Reason.WINDOW
    return Reason.NO_RIDER_IN_REACH
