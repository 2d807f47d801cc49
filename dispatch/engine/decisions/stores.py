"""Decisions on stores and their kitchens: listed, ready, closed, opened, slow."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.records import FOR_EVER, StoreRecord
from dispatch.engine.decisions.checks import known_order, known_store, require_place
from dispatch.engine.draft import Draft
from dispatch.events import Events


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
    return draft.finish()


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
