"""What each order's waiting costs: thresholds by the prices, slopes and charges by priority and member's tier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.model import Order
from dispatch.settings.groups import Prices
from dispatch.settings.tiers import late_percent
from routing.problem.kernels.door import door_price
from routing.problem.problem import I64


class OrderPrices(NamedTuple):
    """Fields of a Problem, instants as seconds from now."""

    due: I64  # [R, 2]
    slope: I64  # [R, 3]
    late_fixed: I64  # [R, 2]
    skip_cost: I64  # [R]


def order_prices(board: Board, requests: Sequence[OrderRecord], placed: I64) -> OrderPrices:
    """The prices of these orders; `placed` int64[R]: seconds from now."""
    now, prices, rules = board.now, board.settings.prices, board.settings.rules
    orders = [record.order for record in requests]
    due = np.array([thresholds(order, prices) for order in orders], dtype=np.int64).reshape(-1, 2) - now
    weight = np.array([1 + max(0, order.priority) for order in orders], dtype=np.int64)
    percents = [late_percent(rules.tiers, order.tier, now - order.due_at, rules.passed_over_s) for order in orders]
    percent = np.array(percents, dtype=np.int64).reshape(-1, 1)
    # The door time itself costs the same for everybody: a tier is about lateness.
    slope = np.array([[prices.door_per_s, prices.late_per_s, prices.fail_per_s]], dtype=np.int64)
    slope = np.concatenate([slope[:, :1] + 0 * percent, slope[:, 1:] * percent // 100], axis=1)
    fixed = np.array([[prices.late_fixed, prices.fail_fixed]], dtype=np.int64) * percent // 100
    unserved = prices.unserved * percent[:, 0] // 100
    return OrderPrices(
        due,
        weight[:, None] * slope,
        weight[:, None] * fixed,
        # Leaving an order out must never be cheaper than delivering it late: add what waiting has cost so far.
        weight * (unserved + _cost_so_far(placed, due, slope, fixed)),
    )


def thresholds(order: Order, prices: Prices) -> tuple[int, int]:
    """The instants from which an order is late, and from which it has failed."""
    late_at = order.placed_at + prices.late_after_s
    if prices.late_from == "promise":
        late_at = max(order.due_at - prices.late_before_s, min(order.placed_at, order.due_at))
    if prices.fail_after_promise_s:
        return late_at, max(late_at, order.due_at + prices.fail_after_promise_s)
    return late_at, max(late_at, order.placed_at + prices.fail_after_s)


def _cost_so_far(placed: I64, due: I64, slope: I64, fixed: I64) -> I64:
    """The price of each order's door time if it were delivered now, int64[R]."""
    orders = zip(placed.tolist(), due.tolist(), slope.tolist(), fixed.tolist(), strict=True)
    return np.array([max(0, door_price(0, at, *late_at, *own, *fees)) for at, late_at, own, fees in orders], np.int64)
