"""Orders that have left the board: kept in the ledger, still to be read, never to change again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.common.ids import tenant_of
from api.ledger.protocol import Ended, Ledger
from dispatch.board.board import Board
from dispatch.board.records import OrderRecord
from dispatch.codec import plain, typed
from dispatch.errors import Refused
from dispatch.events import Event, OrdersLeft
from dispatch.model import OrderState


def leaving(board: Board, events: Iterable[Event]) -> list[OrderRecord]:
    """The records that `events` will take off the board."""
    left = (event.order_ids for event in events if isinstance(event, OrdersLeft))
    return [board.orders[order_id] for order_ids in left for order_id in order_ids]


def row(record: OrderRecord) -> Ended:
    """A record as the ledger keeps it."""
    order = record.order
    tenant = tenant_of(order.order_id)
    return Ended(order.order_id, record.seq, tenant, order.store_id, record.state.value, plain(record))


def kept(ledger: Ledger, order_id: str) -> OrderRecord | None:
    """The record of an order that has left the board, None where the ledger has none."""
    found = ledger.ended_order(order_id)
    return _record(found) if found is not None else None


def require_on_board(board: Board, record: OrderRecord) -> str:
    """The id of an order that may still change; Refused (invalid_transition) once it has left the board."""
    order_id = record.order.order_id
    if order_id not in board.orders:
        raise Refused(
            f"order {order_id} is {record.state.value} for good",
            code="invalid_transition",
            order_id=order_id,
            state=record.state.value,
        )
    return order_id


def newest(
    ledger: Ledger,
    board: Board,
    leaving: Mapping[str, OrderRecord],
    *,
    before: int | None = None,
    tenant: str | None = None,
    state: OrderState | None = None,
    store_id: str | None = None,
    limit: int,
) -> list[OrderRecord]:
    """Orders on the board and off it with seq < `before`, the newest first; `None` asks for any.

    `leaving`: orders that have left the board and are not in the ledger yet.
    """

    def wanted(record: OrderRecord) -> bool:
        return (
            (before is None or record.seq < before)
            and (tenant is None or tenant_of(record.order.order_id) == tenant)
            and (state is None or record.state is state)
            and (store_id is None or record.order.store_id == store_id)
        )

    found = [record for record in leaving.values() if wanted(record)]
    for order_id in reversed(board.orders):
        if wanted(record := board.orders[order_id]):
            found.append(record)
            if len(found) >= limit + len(leaving):
                break
    if state is None or state.is_final:
        rows = ledger.ended_orders(before, tenant=tenant, state=state, store_id=store_id, limit=limit)
        found += [_record(kept) for kept in rows if kept.order_id not in leaving]
    return sorted(found, key=lambda record: -record.seq)[:limit]


def _record(kept: Ended) -> OrderRecord:
    found: OrderRecord = typed(OrderRecord, kept.record)
    found.complete_custody()
    return found
