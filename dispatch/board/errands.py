"""What a rider on the way was sent for: at least one thing of it is done where they go."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dispatch.board.board import Board
from dispatch.board.progress import pickup_from, whereabouts
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.model import Level, Stop


def obligations(
    board: Board, requests: list[OrderRecord], riders: list[RiderRecord], may: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where nobody drives for nothing, a rider sent somewhere does there at least one thing they were sent for.

    To a store: fetch one of its orders placed by their departure.  To a door: bring one of those told.  A rider is held
    to nothing where they could no longer do it: the order was cancelled or has gone to another while they were on their
    way, or it comes too late for their shift.
    """
    ptr, keep = [0], list[int]()
    if board.settings.rules.empty_moves and not board.settings.reposition.priced:
        return np.zeros(len(riders) + 1, dtype=np.int32), np.zeros(0, dtype=np.int32)
    request_of = present_rows(board, requests)
    for v, record in enumerate(riders):
        first = record.route.stops[0] if record.route.stops else None
        if first is not None and first.level >= Level.TOLD:
            told = [request_of[act.order_id] for act in first.acts if act.order_id in request_of]
            listed = [r for r in told if not requests[r].is_waiting]
            listed += _to_fetch(board, record, first, requests, np.flatnonzero(may[:, v]).tolist())
            if not set(listed).isdisjoint(told):
                keep += sorted(listed)
        ptr.append(len(keep))
    return np.array(ptr, dtype=np.int32), np.array(keep, dtype=np.int32)


def present_rows(board: Board, requests: list[OrderRecord]) -> dict[str, int]:
    """The request of each order as it is planned now, where it stands beside alternatives of it."""
    of = board.orders
    return {one.order.order_id: r for r, one in enumerate(requests) if of.get(one.order.order_id) is one}


def _to_fetch(board: Board, rider: RiderRecord, first: Stop, requests: list[OrderRecord], may: list[int]) -> list[int]:
    """Orders of the store to which a rider is on the way that were placed by their departure."""
    left_at = rider.departed_at if rider.departed_at is not None else board.now
    return [
        r
        for r in may
        if requests[r].order.store_id == first.store_id
        and requests[r].is_waiting
        and requests[r].order.placed_at <= left_at
        and _is_in_time(board, rider, first, requests[r])
    ]


def _is_in_time(board: Board, rider: RiderRecord, stop: Stop, order: OrderRecord) -> bool:
    """Whether a rider bound for a store can be believed to fetch an order there before their last pickup."""
    shift = rider.shift_at(board.now)
    if shift is None:
        return True
    entered_at = whereabouts(rider, board.now).free_at + int(board.places.enter_s[stop.place])
    return max(entered_at, board.now, pickup_from(order, board, board.now)) <= shift.last_pickup_at
