"""Orders that may not come when they are expected: their rider is silent, or their store has closed."""

from __future__ import annotations

from collections.abc import Iterator

from dispatch import events as e
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord, RiderRecord


def silent_at(rider: RiderRecord, board: Board) -> int | None:
    """When goods on board of a rider unheard of are at risk; None where that is said, or there are none."""
    stale_s = board.settings.rules.stale_s
    if not stale_s or next(_unsaid(rider, board), None) is None:
        return None
    return board.heard_at(rider) + stale_s + 1


def by_silence(rider: RiderRecord, board: Board, at: int) -> tuple[e.OrderAtRisk, ...]:
    """What is said at `at` of goods on board of a rider unheard of, once for each silence."""
    return tuple(
        e.OrderAtRisk(at=at, order_id=order_id, why="rider_silent", rider_id=rider.rider.rider_id)
        for order_id in dict.fromkeys(_unsaid(rider, board))
    )


def _unsaid(rider: RiderRecord, board: Board) -> Iterator[str]:
    heard_at = board.heard_at(rider)
    for stop in rider.route.stops:
        for act in stop.acts:
            order = board.orders[act.order_id]
            if order.state.is_on_board and order.pick_place is None and (order.at_risk_at or 0) <= heard_at:
                yield act.order_id


def expected_pickup_at(order: OrderRecord) -> int | None:
    """When an order is, or was, expected to be fetched; None where it waits and stands on no route."""
    return None if order.is_on_no_route else order.expected_pickup_at


def expected_dropoff_at(order: OrderRecord, board: Board, now: int) -> int | None:
    """When an order is expected; None where nobody can stand behind an instant."""
    if order.is_on_no_route:
        return None  # what is known is of a plan that is no more
    if order.is_waiting:
        closed_until = board.stores[order.order.store_id].closed_until
        is_closed = order.pick_place is None and closed_until is not None and closed_until > now
        return None if is_closed else order.expected_dropoff_at
    rider = board.riders.get(order.carried_by or "") if order.state.is_on_board else None
    stale_s = board.settings.rules.stale_s
    if rider is not None and (rider.lost or (stale_s and board.heard_at(rider) + stale_s < now)):
        return None
    return order.expected_dropoff_at
