"""The board as operations look at it: one JSON object, and what has changed since another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from dispatch.board.board import Board
from dispatch.board.progress import ready_at
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.model import OrderState, Reason
from routing.cells import boundary_of
from routing.places import LatLng

__all__ = ["TABLES", "board_view", "changes"]

TABLES = ("stores", "riders", "orders", "heat")
"""Lists whose members have an `id`; `changes` compares them member by member."""
HEAT = 8
"""Resolution of the cells by which demand is counted: edges of half a kilometre."""


def board_view(
    board: Board, now: int, *, seen: Callable[[str], LatLng | None] = lambda rider_id: None, step: str = "search"
) -> dict[str, Any]:
    """Stores, riders and open orders at `now`; `seen` gives positions newer than the board's, `step` the ladder's."""
    orders = [_order(order_id, record, board, now) for order_id, record in board.open_orders.items()]
    riders = [_rider(rider_id, record, board, now, seen(rider_id)) for rider_id, record in board.riders.items()]
    return {
        "at": _instant(now),
        "ladder": step,
        "counts": _counts(orders, riders),
        "stores": [_store(store_id, board, now) for store_id in board.stores],
        "riders": [rider for rider in riders if rider["doing"] != "off_duty"],
        "orders": orders,
        "heat": [_heat(cell, count) for cell, count in sorted(board.order_cells.counts(HEAT).items())],
    }


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What turns view `before` into view `after`: members that are new or different, and ids that have gone."""
    different: dict[str, Any] = {name: after[name] for name in ("at", "ladder", "counts")}
    gone = {}
    for table in TABLES:
        old = {member["id"]: member for member in before[table]}
        new = {member["id"]: member for member in after[table]}
        different[table] = [member for key, member in new.items() if old.get(key) != member]
        gone[table] = [key for key in old if key not in new]
    return {**different, "gone": gone}


def _order(order_id: str, record: OrderRecord, board: Board, now: int) -> dict[str, Any]:
    order = record.order
    expected_at = record.expected_dropoff_at
    return {
        "id": order_id,
        "state": record.state.value,
        "store": order.store_id,
        "rider": record.rider_id,
        "held_by": record.custody[-1].keeper.value if record.custody else None,
        **_point(board.places.latlng(order.drop_place)),
        "placed_at": _instant(order.placed_at),
        "due_at": _instant(order.due_at),
        "expected_dropoff_at": _instant(expected_at) if expected_at is not None else None,
        "late": max(expected_at or 0, now) > order.due_at,
        "ready": ready_at(record, board, now) <= now,
        "tier": order.tier or None,
        "fee": None if record.fee is None else record.fee.amount,
        "marginal_cost": None if record.fee is None else record.fee.cost,
        "reason": _reason(record),
        "kept_until": _instant(record.kept_until) if record.kept_until is not None else None,
    }


def _reason(record: OrderRecord) -> str | None:
    if record.held:
        return "held"
    if record.rider_id is not None or record.reason in (None, Reason.SERVED):
        return None
    assert record.reason is not None
    return record.reason.name.lower()


def _rider(rider_id: str, record: RiderRecord, board: Board, now: int, seen: LatLng | None) -> dict[str, Any]:
    stops = [_point(board.places.latlng(stop.place)) | {"store": stop.store_id} for stop in record.route.told]
    on_board = sum(
        board.orders[act.order_id].state.is_on_board
        for stop in record.route.told
        for act in stop.acts
        if act.kind.name == "DROP" and act.order_id in board.orders
    )
    return {
        "id": rider_id,
        "doing": "parked" if record.parked else record.doing(now),
        **_point(seen or board.places.latlng(record.rider.place)),
        "stops": stops,
        "on_board": on_board,
        "apart": len(record.apart),
    }


def _store(store_id: str, board: Board, now: int) -> dict[str, Any]:
    record = board.stores[store_id]
    return {
        "id": store_id,
        **_point(board.places.latlng(record.store.place)),
        "open": record.opens_from(now) == now,
        "delay_s": record.delay_at(now),
    }


def _heat(cell: int, count: int) -> dict[str, Any]:
    """Demand by cell: how many open orders are of its counters."""
    corners = [_point(LatLng(*corner)) for corner in boundary_of(cell)]
    return {"id": f"{cell:x}", "orders": count, "corners": corners}


def _counts(orders: list[dict[str, Any]], riders: list[dict[str, Any]]) -> dict[str, int]:
    waiting = (OrderState.CREATED.value, OrderState.CONFIRMED.value)
    doing = [rider["doing"] for rider in riders]
    return {
        "open": len(orders),
        "late": sum(order["late"] for order in orders),
        "waiting": sum(order["state"] in waiting for order in orders),
        "idle": doing.count("idle"),
        "working": doing.count("working"),
        "lost": doing.count("lost"),
    }


def _point(place: LatLng) -> dict[str, float]:
    # A tenth of a metre is enough to look at, and shorter on the wire.
    return {"lat": round(place.lat, 6), "lng": round(place.lng, 6)}


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
