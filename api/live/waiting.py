"""How long an order that comes now waits behind those that are there: what its promise must know, and when to refuse.

By Little's law: so many orders ahead, so many riders, so many seconds of a rider for each order as the plans have it.
Where each rider has no more than one full trip ahead, plans and quotes say it better.
"""

from __future__ import annotations

from typing import NamedTuple

from dispatch.board.board import Board
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.model import Reason

GOOD_FOR_S = 2
USUAL_EACH_S, LEAST_EACH_S, MOST_EACH_S = 450, 60, 1800
"""Seconds of a rider for each order: where plans say too little, and what is believed of them at all."""
FEW = 5
NOT_AHEAD = {
    Reason.HELD, Reason.KEPT, Reason.STORE_CLOSED, Reason.ZONE, Reason.NEEDS, Reason.UNREACHABLE, Reason.REFUSED_BY_ALL,
}  # fmt: skip
"""Orders without a rider for these reasons take no rider's time now."""


class Queue(NamedTuple):
    """The city as it was counted: orders ahead of a new one, riders who work, seconds of a rider for each order."""

    at: int
    taken: int
    orders: int
    riders: int
    each_s: float

    def wait_s(self, board: Board) -> int:
        """Seconds until an order accepted now could be delivered behind all others; 0 where they are few."""
        ahead = self.orders + board.orders_taken - self.taken
        if not self.riders or ahead <= self.riders * board.settings.rules.max_batch:
            return 0
        return round(ahead * self.each_s / self.riders)


def counted(board: Board, now: int) -> Queue:
    """Counts the city at `now`."""
    ahead = sum(_is_ahead(record) for record in board.in_play.values())
    soon = now + board.settings.rules.promise_s
    busy_s = stops = riders = 0
    for record in board.riders.values():
        riders += _works(record, now, soon)
        if record.route.stops:
            orders = {act.order_id for stop in record.route.stops for act in stop.acts}
            busy_s += len(orders) and max(0, record.route.stops[-1].expected_leave_at - now)
            stops += len(orders)
    each_s = busy_s / stops if stops >= FEW else USUAL_EACH_S
    return Queue(now, board.orders_taken, ahead, riders, min(MOST_EACH_S, max(LEAST_EACH_S, each_s)))


def _is_ahead(record: OrderRecord) -> bool:
    has_rider = record.planned_rider_id is not None or record.rider_id is not None
    return has_rider or record.reason not in NOT_AHEAD


def _works(record: RiderRecord, now: int, soon: int) -> bool:
    shift = record.shift_at(now)
    if shift is None or record.lost or record.on_break:
        return False
    return shift.start_at <= soon and shift.last_pickup_at >= now


class Waiting:
    """The queue of a running service, counted anew when it is asked for after a while."""

    def __init__(self) -> None:
        self._queue: Queue | None = None

    def wait_s(self, board: Board, now: int) -> int:
        """Seconds that an order which comes now waits for."""
        queue = self._queue
        if queue is None or not 0 <= now - queue.at < GOOD_FOR_S or queue.taken > board.orders_taken:
            queue = self._queue = counted(board, now)
        return queue.wait_s(board)
