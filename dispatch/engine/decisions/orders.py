"""Decisions on orders: placed, changed, called off.  A refusal comes before any event."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.doors import elsewhere
from dispatch.engine.carrying import bring_back
from dispatch.engine.decisions import promises
from dispatch.engine.decisions.checks import cannot_change, known_order, known_store, require_place
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.lifecycle import Trigger, require
from dispatch.model import Order, OrderState
from dispatch.people.apart import parted
from dispatch.settings.mix import mix_rule
from dispatch.settings.tiers import tiers_of

# --- the order system -----------------------------------------------------------------------------------------------


def order_placed(board: Board, item: i.OrderPlaced) -> Events:
    order = item.order
    if order.order_id in board.orders:
        raise Refused(f"order {order.order_id} is known already", code="duplicate_order", order_id=order.order_id)
    _check_order(board, order)
    _check_goods(board, order)
    _check_tier(board, order)
    taken, said = promises.order_placed(board, item)
    fee = () if item.fee is None else (e.FeeSet(at=item.at, order_id=order.order_id, fee=item.fee),)
    return (e.OrderAccepted(at=item.at, order=taken), *fee, *said)


def order_changed(board: Board, item: i.OrderChanged) -> Events:
    order = item.order
    record = known_order(board, order.order_id)
    _check_order(board, order)
    if order.goods_class != record.order.goods_class:
        _check_goods(board, order)
    if order.tier != record.order.tier:
        _check_tier(board, order)
    if record.state.is_final or record.state is OrderState.RETURNING:
        raise cannot_change(order.order_id, record.state, "order")
    if record.state.is_on_board and order.store_id != record.order.store_id:
        raise cannot_change(order.order_id, record.state, "store_id")
    draft = Draft(board, item.at)
    draft.revise(order)
    rider_id = record.planned_rider_id
    if rider_id is not None and record.is_waiting and parted(board.riders[rider_id].apart, order) is not None:
        draft.drop_order(order.order_id)
        return draft.finish()
    if rider_id is not None and (order.drop_place, order.door) != (record.order.drop_place, record.order.door):
        draft.set_stops(rider_id, elsewhere(draft.rider(rider_id), record.order, order))
    return draft.finish()


def order_cancelled(board: Board, item: i.OrderCancelled) -> Events:
    record = known_order(board, item.order_id)
    after = require(item.order_id, record.state, Trigger.CANCELLED)
    draft = Draft(board, item.at)
    rider_id = record.rider_id
    if after is OrderState.RETURNING and record.pick_place is not None:
        # Handed-over goods have no carrier to return them: the order ends where they lie.
        draft.drop_order(item.order_id)
        draft.move(item.order_id, Trigger.GIVEN_UP, item.at, reason=item.reason)
        return draft.finish()
    draft.drop_order(item.order_id)
    draft.move(
        item.order_id,
        Trigger.CANCELLED,
        item.at,
        rider_id=rider_id if after is OrderState.RETURNING else None,
        reason=item.reason,
    )
    if after is OrderState.RETURNING and rider_id is not None:
        bring_back(draft, item.order_id, rider_id)
    return draft.finish()


# --- checks ---------------------------------------------------------------------------------------------------------


def _check_goods(board: Board, order: Order) -> None:
    known = mix_rule(board.settings.rules.mix).classes
    if order.goods_class and order.goods_class not in known:
        hint = f"One of {', '.join(known)}; rules.mix may name more."
        raise _refused(order, "goods_class", f"there is no class of goods {order.goods_class!r}", hint)


def _check_tier(board: Board, order: Order) -> None:
    known = tiers_of(board.settings.rules.tiers)
    if order.tier and order.tier not in known:
        hint = f"rules.tiers names {', '.join(known) or 'none'}."
        raise _refused(order, "tier", f"there is no tier {order.tier!r}", hint)


def _check_order(board: Board, order: Order) -> None:
    known_store(board, order.store_id)
    require_place(board, order.drop_place)
    if order.due_at < order.placed_at:
        raise _refused(order, "due_at", "it is due before it was placed")
    if order.max_on_board_s is not None and order.max_on_board_s <= 0:
        raise _refused(order, "max_on_board_s", "the time on board must be positive")


def _refused(order: Order, field: str, why: str, hint: str = "") -> Refused:
    message = f"order {order.order_id}: {why}"
    return Refused(message, code="invalid_order", hint=hint, field=field, order_id=order.order_id)
