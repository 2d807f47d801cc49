"""What a request must name: an order, a rider, a store, a place that exists."""

from __future__ import annotations

from dispatch.board.board import Board
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.board.stock import StoreRecord
from dispatch.errors import Refused
from dispatch.model import OrderState
from routing.errors import UnknownPlace


def known_order(board: Board, order_id: str) -> OrderRecord:
    record = board.orders.get(order_id)
    if record is None:
        raise Refused(f"there is no order {order_id}", code="unknown_order", order_id=order_id)
    return record


def known_rider(board: Board, rider_id: str) -> RiderRecord:
    record = board.riders.get(rider_id)
    if record is None:
        raise Refused(f"there is no rider {rider_id}", code="unknown_rider", rider_id=rider_id)
    return record


def known_store(board: Board, store_id: str) -> StoreRecord:
    record = board.stores.get(store_id)
    if record is None:
        raise Refused(f"there is no store {store_id}", code="unknown_store", store_id=store_id)
    return record


def require_place(board: Board, place: int) -> None:
    try:
        board.places.require(place)
    except UnknownPlace as problem:
        raise Refused(problem.message, code="unknown_place", place=place) from None


def cannot_change(order_id: str, state: OrderState, field: str) -> Refused:
    return Refused(
        f"order {order_id} is {state.value}: {field} can no longer change",
        code="invalid_transition",
        order_id=order_id,
        state=state.value,
        field=field,
    )
