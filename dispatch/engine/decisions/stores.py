"""Decisions on stores and their kitchens: listed, ready, closed, opened, slow."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.alternatives.pairs import why_not
from dispatch.board.board import Board
from dispatch.board.records import FOR_EVER, OrderRecord
from dispatch.board.stock import StoreRecord
from dispatch.bounds import MOST_UNITS
from dispatch.engine.decisions.checks import cannot_change, known_order, known_store, require_place
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.lifecycle import Trigger


def store_listed(board: Board, item: i.StoreListed) -> Events:
    require_place(board, item.store.place)
    return (e.StoreKnown(at=item.at, store=item.store),)


def ready_estimated(board: Board, item: i.ReadyEstimated) -> Events:
    return _ready(board, item.at, item.order_id, item.expected_ready_at, None)


def order_ready(board: Board, item: i.OrderReady) -> Events:
    return _ready(board, item.at, item.order_id, item.happened_at, item.happened_at)


def _ready(board: Board, at: int, order_id: str, expected_ready_at: int, ready_at: int | None) -> Events:
    record = known_order(board, order_id)
    if not record.is_waiting or (record.expected_ready_at == expected_ready_at and record.ready_at == ready_at):
        return ()
    event = e.ReadyKnown(at=at, order_id=order_id, expected_ready_at=expected_ready_at, ready_at=ready_at)
    return (event,)


def store_closed(board: Board, item: i.StoreClosed) -> Events:
    record = known_store(board, item.store_id)
    until = item.until if item.until is not None else FOR_EVER
    draft = Draft(board, item.at)
    draft.events.append(_state_of(record, item.at, closed_until=until))
    for order_id, order in board.open_orders.items():
        if order.order.store_id == item.store_id and order.is_waiting and order.pick_place is None:
            draft.drop_order(order_id)
            draft.events.append(e.OrderAtRisk(at=item.at, order_id=order_id, why="store_closed"))
            if order.source_told_at is not None and _others(board, order, item.at):
                draft.events.append(
                    e.SourceOpened(at=item.at, order_id=order_id, store_id=item.store_id, why="store_closed")
                )
    return draft.finish()


def store_ran_out(board: Board, item: i.StoreRanOut) -> Events:
    """The order comes from another of its sources; where none is left it ends."""
    known_store(board, item.store_id)
    record = known_order(board, item.order_id)
    if record.order.store_id != item.store_id or not record.is_waiting or record.pick_place is not None:
        raise cannot_change(item.order_id, record.state, "store_id")
    draft = Draft(board, item.at)
    _leave(draft, record, item.reason)
    return draft.finish()


def stock_counted(board: Board, item: i.StockCounted) -> Events:
    """Where less is left than orders hold, the newest of those that nobody has fetched come from elsewhere, or end."""
    store = known_store(board, item.store_id)
    version = store.stock_version + 1 if item.version is None else item.version
    if version <= store.stock_version:
        message = f"store {item.store_id} has been counted since: {store.stock_version} is not below {version}"
        raise Refused(message, code="stale_stock", field="version", version=store.stock_version)
    counts = {sku: count + (store.stock.get(sku, 0) if item.add else 0) for sku, count in item.counts}
    for sku, count in counts.items():
        if not sku or not 0 <= count <= MOST_UNITS:
            raise Refused(f"{count} of {sku!r} is no stock", code="invalid_order", field="counts")
    draft, held = Draft(board, item.at), dict(store.reserved)
    holders = (one for one in board.open_orders.values() if one.reserved_at == item.store_id)
    for record in sorted(holders, key=lambda one: -one.seq):
        if any(held.get(sku, 0) > counts.get(sku, held.get(sku, 0)) for sku, _ in record.order.skus):
            for sku, count in record.order.skus:
                held[sku] -= count
            _leave(draft, record, "out_of_stock")
    known = e.StockKnown(at=item.at, store_id=item.store_id, counts=tuple(sorted(counts.items())), version=version)
    return (*draft.finish(), known)


def _leave(draft: Draft, record: OrderRecord, why: str) -> None:
    """An order comes from another of its sources; where none is left it ends."""
    order_id, store_id = record.order.order_id, record.order.store_id
    draft.drop_order(order_id)
    draft.events.append(e.SourceOpened(at=draft.at, order_id=order_id, store_id=store_id, why=why, barred=True))
    if not _others(draft.board, record, draft.at):
        draft.move(order_id, Trigger.GIVEN_UP, draft.at, reason=why)


def _others(board: Board, record: OrderRecord, now: int) -> bool:
    """Whether another of its sources can be."""
    sources = (one for one in record.order.sources if one.store_id != record.order.store_id)
    return any(not why_not(board, record, source, now) for source in sources)


def store_opened(board: Board, item: i.StoreOpened) -> Events:
    record = known_store(board, item.store_id)
    return (_state_of(record, item.at, closed_until=None),)


def store_throttled(board: Board, item: i.StoreThrottled) -> Events:
    record = known_store(board, item.store_id)
    state = _state_of(record, item.at, closed_until=record.closed_until)
    return (replace(state, delay_s=item.delay_s, delay_until=item.until),)


def _state_of(record: StoreRecord, at: int, *, closed_until: int | None) -> e.StoreStateSet:
    return e.StoreStateSet(
        at=at, store_id=record.store.store_id, closed_until=closed_until, delay_s=record.delay_s,
        delay_until=record.delay_until,
    )  # fmt: skip
