"""Decisions on orders: placed, changed, called off.  A refusal comes before any event."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.alternatives.pairs import Pair, all_pairs, at_first, makes_sense, none_can_be
from dispatch.board.board import Board
from dispatch.board.doors import elsewhere
from dispatch.bounds import MOST_UNITS
from dispatch.engine.carrying import bring_back
from dispatch.engine.decisions import promises
from dispatch.engine.decisions.checks import cannot_change, known_order, known_store, require_place
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.lifecycle import Trigger, require
from dispatch.model import Order, OrderState
from dispatch.people.apart import parted
from dispatch.settings.groups import MOST_POINTS
from dispatch.settings.mix import mix_rule
from dispatch.settings.tiers import tiers_of
from dispatch.ways import MOST_ENDS, MOST_SOURCES, EndKind, Source

# --- the order system -----------------------------------------------------------------------------------------------


def order_placed(board: Board, item: i.OrderPlaced) -> Events:
    order = item.order
    if order.order_id in board.orders:
        raise Refused(f"order {order.order_id} is known already", code="duplicate_order", order_id=order.order_id)
    _check_order(board, order)
    _check_goods(board, order)
    _check_tier(board, order)
    _check_any_can_be(board, order, item.at)
    taken, said = promises.order_placed(board, replace(item, order=at_first(board, order, item.at)))
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


def end_asked(board: Board, item: i.EndAsked) -> Events:
    """Another end is taken as long as that costs nobody's promise; the rider who has the goods turns there."""
    record = known_order(board, item.order_id)
    order = record.order
    end = next((one for one in order.all_ends if one.name == item.end), None)
    if end is None:
        known = ", ".join(one.name for one in order.all_ends)
        raise _refused(order, "end", f"{item.end!r} is none of its ends", f"It has {known}.")
    if not makes_sense(Pair(order.source, end)):
        raise _refused(order, "end", "it would be carried from a counter to itself")
    if record.state.is_final or record.state is OrderState.RETURNING:
        raise cannot_change(item.order_id, record.state, "end")
    late = [order_id for order_id in item.late if order_id != item.order_id]
    if late:
        message = f"order {item.order_id}: {len(late)} other orders would miss their promise"
        raise Refused(message, code="costs_a_promise", field="end", order_id=item.order_id, late=len(late))
    if order.asked_end == end.name:
        return ()
    draft = Draft(board, item.at)
    changed = replace(order.choosing(order.source, end), expected_ready_at=order.expected_ready_at, asked_end=end.name)
    draft.choose(changed, asked=True)
    rider_id = record.planned_rider_id
    if rider_id is not None and changed.drop_place != order.drop_place:
        draft.set_stops(rider_id, elsewhere(draft.rider(rider_id), order, changed))
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
    check_alternatives(board, order)
    if order.due_at < order.placed_at:
        raise _refused(order, "due_at", "it is due before it was placed")
    if order.max_on_board_s is not None and order.max_on_board_s <= 0:
        raise _refused(order, "max_on_board_s", "the time on board must be positive")


def check_alternatives(board: Board, order: Order) -> None:
    """Refused unless every store that it names is known, every end leads somewhere and what is chosen is among them."""
    for source in order.sources:
        known_store(board, source.store_id)
    for end in order.ends:
        require_place(board, end.place)
        if end.kind is EndKind.COUNTER:
            known_store(board, end.store_id)
    for field, found, most in (("sources", order.sources, MOST_SOURCES), ("ends", order.ends, MOST_ENDS)):
        names = [one.store_id if isinstance(one, Source) else one.name for one in found]
        if len(set(names)) < len(names):
            raise _refused(order, field, f"{max(names, key=names.count)} is named twice")
        if len(names) > most:
            raise _refused(order, field, f"it names {len(names)}", f"At most {most} are looked at.")
        if any(not 0 <= one.price <= MOST_POINTS for one in found):
            raise _refused(order, field, f"a price lies between 0 and {MOST_POINTS} points")
    if order.sources and order.store_id not in {source.store_id for source in order.sources}:
        raise _refused(order, "store_id", f"{order.store_id} is none of its sources")
    if order.ends and order.drop_place not in {end.place for end in order.ends}:
        raise _refused(order, "drop_place", "it leads to none of its ends")
    if any(not sku or not 0 < count <= MOST_UNITS for sku, count in order.skus):
        raise _refused(order, "skus", f"of an article it takes 1 to {MOST_UNITS}")
    if len({sku for sku, _ in order.skus}) < len(order.skus):
        raise _refused(order, "skus", "an article is named twice")
    if order.has_alternatives and not all_pairs(order):
        raise _refused(order, "ends", "it would be carried from a counter to itself", "Name another source or end.")


def _check_any_can_be(board: Board, order: Order, now: int) -> None:
    """Refused with the reason of each source where none of them can be."""
    why = none_can_be(board, order, now)
    if why:
        said = "; ".join(f"{store_id}: {reason}" for store_id, reason in why.items())
        message = f"order {order.order_id}: none of its sources can be: {said}"
        raise Refused(
            message, code="no_alternative", field="sources", order_id=order.order_id, sources=why,
            hint="Name a store that is open and has the goods, or place the order again once one is.",
        )  # fmt: skip


def _refused(order: Order, field: str, why: str, hint: str = "") -> Refused:
    message = f"order {order.order_id}: {why}"
    return Refused(message, code="invalid_order", hint=hint, field=field, order_id=order.order_id)
