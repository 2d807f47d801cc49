"""Decisions on the world's news: catalogue, orders, kitchens, operations.  A refusal comes before any event."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.doors import elsewhere
from dispatch.board.records import FOR_EVER, OrderRecord, RiderRecord, StoreRecord
from dispatch.bounds import MASK_BITS
from dispatch.engine.carrying import bring_back, bring_to_customer
from dispatch.engine.draft import Draft
from dispatch.errors import InvalidSetting, Refused
from dispatch.lifecycle import Trigger, require
from dispatch.model import Order, OrderState
from dispatch.settings.presets import KEY as PRESET
from routing.errors import UnknownPlace

Events = tuple[e.Event, ...]


# --- catalogue ------------------------------------------------------------------------------------------------------


def store_listed(board: Board, item: i.StoreListed) -> Events:
    _require_place(board, item.store.place)
    return (e.StoreKnown(at=item.at, store=item.store),)


def rider_listed(board: Board, item: i.RiderListed) -> Events:
    _require_place(board, item.rider.place)
    return (e.RiderKnown(at=item.at, rider=item.rider),)


def zone_listed(board: Board, item: i.ZoneListed) -> Events:
    return (e.ZoneKnown(at=item.at, zone=item.zone),)


def shift_planned(board: Board, item: i.ShiftPlanned) -> Events:
    shift = item.shift
    if shift.rider_id not in board.riders:
        raise Refused(f"there is no rider {shift.rider_id}", code="unknown_rider", rider_id=shift.rider_id)
    found: list[e.Event] = [e.ShiftOpened(at=item.at, shift=shift)]
    if board.riders[shift.rider_id].lost:
        found.append(e.RiderFound(at=item.at, rider_id=shift.rider_id))
    return tuple(found)


# --- the order system -----------------------------------------------------------------------------------------------


def order_placed(board: Board, item: i.OrderPlaced) -> Events:
    order = item.order
    if order.order_id in board.orders:
        raise Refused(f"order {order.order_id} is known already", code="duplicate_order", order_id=order.order_id)
    _check_order(board, order)
    return (e.OrderAccepted(at=item.at, order=order),)


def order_changed(board: Board, item: i.OrderChanged) -> Events:
    order = item.order
    record = _order(board, order.order_id)
    _check_order(board, order)
    if record.state.is_final or record.state is OrderState.RETURNING:
        raise _cannot_change(order.order_id, record.state, "order")
    if record.state.is_on_board and order.store_id != record.order.store_id:
        raise _cannot_change(order.order_id, record.state, "store_id")
    draft = Draft(board, item.at)
    draft.revise(order)
    rider_id = record.planned_rider_id
    if rider_id is not None and (order.drop_place, order.door) != (record.order.drop_place, record.order.door):
        draft.set_stops(rider_id, elsewhere(draft.rider(rider_id), record.order, order))
    return draft.finish()


def order_cancelled(board: Board, item: i.OrderCancelled) -> Events:
    record = _order(board, item.order_id)
    after = require(item.order_id, record.state, Trigger.CANCELLED)
    draft = Draft(board, item.at)
    rider_id = record.rider_id
    if after is OrderState.RETURNING and record.pick_place is not None:
        # Goods that wait for another rider are nobody's to bring back: they end where they lie.
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


# --- kitchens and stores --------------------------------------------------------------------------------------------


def ready_estimated(board: Board, item: i.ReadyEstimated) -> Events:
    return _ready(board, item.at, item.order_id, item.expected_ready_at, None)


def order_ready(board: Board, item: i.OrderReady) -> Events:
    return _ready(board, item.at, item.order_id, item.happened_at, item.happened_at)


def _ready(board: Board, at: int, order_id: str, expected_ready_at: int, ready_at: int | None) -> Events:
    record = _order(board, order_id)
    if not record.is_waiting or (record.expected_ready_at == expected_ready_at and record.ready_at == ready_at):
        return ()
    event = e.ReadyKnown(at=at, order_id=order_id, expected_ready_at=expected_ready_at, ready_at=ready_at)
    return (event,)


def store_closed(board: Board, item: i.StoreClosed) -> Events:
    record = _store(board, item.store_id)
    until = item.until if item.until is not None else FOR_EVER
    draft = Draft(board, item.at)
    draft.events.append(_state_of(record, item.at, closed_until=until))
    for order_id, order in board.open_orders.items():
        if order.order.store_id == item.store_id and order.is_waiting and order.pick_place is None:
            draft.drop_order(order_id)
            draft.events.append(e.OrderAtRisk(at=item.at, order_id=order_id, why="store_closed"))
    return draft.finish()


def store_opened(board: Board, item: i.StoreOpened) -> Events:
    record = _store(board, item.store_id)
    return (_state_of(record, item.at, closed_until=None),)


def store_throttled(board: Board, item: i.StoreThrottled) -> Events:
    record = _store(board, item.store_id)
    state = _state_of(record, item.at, closed_until=record.closed_until)
    return (replace(state, delay_s=item.delay_s, delay_until=item.until),)


def _state_of(record: StoreRecord, at: int, *, closed_until: int | None) -> e.StoreStateSet:
    return e.StoreStateSet(
        at=at, store_id=record.store.store_id, closed_until=closed_until, delay_s=record.delay_s,
        delay_until=record.delay_until,
    )  # fmt: skip


def travel_changed(board: Board, item: i.TravelChanged) -> Events:
    return (e.TravelAdopted(at=item.at, version=item.version, digest=item.digest, profiles=item.profiles),)


def setting_changed(board: Board, item: i.SettingChanged) -> Events:
    if item.key == PRESET:
        raise InvalidSetting("a preset is chosen with the values it stands for", field=PRESET)
    board.settings.with_values({item.key: item.value})  # raises InvalidSetting
    return (e.SettingSet(at=item.at, key=item.key, value=item.value),)


def rounds_limited(board: Board, item: i.RoundsLimited) -> Events:
    if item.most_new_orders is not None and item.most_new_orders < 1:
        raise Refused("a round must be able to plan", code="invalid_setting", field="most_new_orders")
    return (e.RoundsLimitSet(at=item.at, most_new_orders=item.most_new_orders),)


def preset_chosen(board: Board, item: i.PresetChosen) -> Events:
    board.settings.with_values(dict(item.values))  # raises InvalidSetting
    if board.settings.with_stated({PRESET: item.preset, **dict(item.values)}) == board.settings:
        return ()
    return (e.PresetSet(at=item.at, preset=item.preset, values=item.values),)


def needs_listed(board: Board, item: i.NeedsListed) -> Events:
    names, known = item.names, board.needs
    if names[: len(known)] != known or len(set(names)) < len(names) or len(names) > MASK_BITS:
        raise Refused(
            "a list of needs may only grow at its end", code="needs_changed", field="needs", known=list(known)
        )
    return (e.NeedsKnown(at=item.at, names=names),) if names != known else ()


# --- operations -----------------------------------------------------------------------------------------------------


def order_forced(board: Board, item: i.OrderForced) -> Events:
    record = _order(board, item.order_id)
    if not record.is_waiting:
        raise _cannot_change(item.order_id, record.state, "rider_id")
    if item.rider_id is not None:
        rider = _rider(board, item.rider_id).rider
        if record.order.needs & ~rider.provides or record.order.load_units > rider.capacity_units:
            raise Refused(
                f"rider {item.rider_id} may not carry order {item.order_id}",
                code="not_allowed",
                field="rider_id",
                hint="Its needs or its load exceed what he provides.",
            )
    draft = Draft(board, item.at)
    draft.events.append(e.RiderForced(at=item.at, order_id=item.order_id, rider_id=item.rider_id, reason=item.reason))
    if item.rider_id is not None and record.planned_rider_id not in (None, item.rider_id):
        draft.drop_order(item.order_id)
    return draft.finish()


def order_unassigned(board: Board, item: i.OrderUnassigned) -> Events:
    record = _order(board, item.order_id)
    if not record.is_waiting:
        raise _cannot_change(item.order_id, record.state, "rider_id")
    rider_id = record.planned_rider_id
    if rider_id is None:
        raise Refused(f"order {item.order_id} has no rider", code="invalid_transition", order_id=item.order_id)
    draft = Draft(board, item.at)
    draft.events.append(e.RiderRefused(at=item.at, order_id=item.order_id, rider_id=rider_id))
    if record.forced_rider_id == rider_id:
        draft.events.append(e.RiderForced(at=item.at, order_id=item.order_id, rider_id=None, reason=item.reason))
    draft.drop_order(item.order_id)
    return draft.finish()


def order_held(board: Board, item: i.OrderHeld) -> Events:
    record = _order(board, item.order_id)
    if not record.is_waiting:
        raise _cannot_change(item.order_id, record.state, "held")
    draft = Draft(board, item.at)
    draft.events.append(e.HoldSet(at=item.at, order_id=item.order_id, held=item.held, reason=item.reason))
    if item.held:
        draft.drop_order(item.order_id)
    return draft.finish()


def parked(board: Board, item: i.Parked) -> Events:
    """Orders leave the plan, a rider keeps what they were told; goods on board are parked with their rider."""
    draft = Draft(board, item.at)
    orders: list[str] = []
    riders = list(item.rider_ids)
    for order_id in item.order_ids:
        record = board.open_orders.get(order_id)
        if record is not None and record.is_waiting:
            draft.drop_order(order_id)
            orders.append(order_id)
        elif record is not None and record.rider_id is not None:
            riders.append(record.rider_id)
    found = list(draft.finish())
    # Behind what leaving the plan brings about: every change of an order lets it take part again.
    for order_id in orders:
        found.append(e.OrderParked(at=item.at, order_id=order_id, stage=item.stage, reason=item.reason))
    for rider_id in dict.fromkeys(riders):
        if rider_id in board.riders:
            found.append(e.RiderParked(at=item.at, rider_id=rider_id, stage=item.stage, reason=item.reason))
    return tuple(found)


def zone_paused(board: Board, item: i.ZonePaused) -> Events:
    if item.zone_id not in board.zones:
        raise Refused(f"there is no zone {item.zone_id}", code="unknown_zone", zone_id=item.zone_id)
    return (e.ZoneStateSet(at=item.at, zone_id=item.zone_id, paused=item.paused, reason=item.reason),)


def handover_ordered(board: Board, item: i.HandoverOrdered) -> Events:
    record = _order(board, item.order_id)
    if not record.state.is_on_board:
        raise _cannot_change(item.order_id, record.state, "place")
    draft = Draft(board, item.at)
    draft.drop_order(item.order_id)
    if item.place is None:
        draft.move(item.order_id, Trigger.GIVEN_UP, item.at, reason=item.reason)
    else:
        _require_place(board, item.place)
        draft.move(item.order_id, Trigger.LEFT_AT_PLACE, item.at, reason=item.reason)
        draft.events.append(e.GoodsMoved(at=item.at, order_id=item.order_id, place=item.place, reason=item.reason))
    return draft.finish()


UNDONE = {
    OrderState.DELIVERED: OrderState.PICKED_UP,
    OrderState.UNDELIVERED: OrderState.PICKED_UP,
    OrderState.RETURNED: OrderState.RETURNING,
    OrderState.RETURNING: OrderState.PICKED_UP,
    OrderState.CANCELLED: OrderState.CREATED,
}
"""What an order is again once operations say that it did not end so."""


def outcome_set(board: Board, item: i.OutcomeSet) -> Events:
    record = _order(board, item.order_id)
    rider_id = record.carried_by
    if item.outcome is i.Outcome.UNDO:
        after = UNDONE.get(record.state) if record.pick_place is None else None
        if after is not None and rider_id is None:
            after = OrderState.CREATED
    else:
        after = OrderState(item.outcome.value)
        rider_id = rider_id or record.rider_id
    if after is None or after is record.state:
        raise _cannot_change(item.order_id, record.state, "outcome")
    draft = Draft(board, item.at)
    draft.drop_order(item.order_id)
    draft.correct(item.order_id, after, item.at, rider_id, reason=item.reason, by=item.by)
    if rider_id is not None and after is OrderState.RETURNING:
        bring_back(draft, item.order_id, rider_id)
    elif rider_id is not None and after is OrderState.PICKED_UP:
        bring_to_customer(draft, item.order_id, rider_id)
    return draft.finish()


# --- checks ---------------------------------------------------------------------------------------------------------


def _order(board: Board, order_id: str) -> OrderRecord:
    record = board.orders.get(order_id)
    if record is None:
        raise Refused(f"there is no order {order_id}", code="unknown_order", order_id=order_id)
    return record


def _rider(board: Board, rider_id: str) -> RiderRecord:
    record = board.riders.get(rider_id)
    if record is None:
        raise Refused(f"there is no rider {rider_id}", code="unknown_rider", rider_id=rider_id)
    return record


def _store(board: Board, store_id: str) -> StoreRecord:
    record = board.stores.get(store_id)
    if record is None:
        raise Refused(f"there is no store {store_id}", code="unknown_store", store_id=store_id)
    return record


def _require_place(board: Board, place: int) -> None:
    try:
        board.places.require(place)
    except UnknownPlace as problem:
        raise Refused(problem.message, code="unknown_place", place=place) from None


def _check_order(board: Board, order: Order) -> None:
    _store(board, order.store_id)
    _require_place(board, order.drop_place)

    def refuse(field: str, why: str) -> Refused:
        return Refused(f"order {order.order_id}: {why}", code="invalid_order", field=field, order_id=order.order_id)

    if order.due_at < order.placed_at:
        raise refuse("due_at", "it is due before it was placed")
    if order.max_on_board_s is not None and order.max_on_board_s <= 0:
        raise refuse("max_on_board_s", "the time on board must be positive")


def _cannot_change(order_id: str, state: OrderState, field: str) -> Refused:
    return Refused(
        f"order {order_id} is {state.value}: {field} can no longer change",
        code="invalid_transition",
        order_id=order_id,
        state=state.value,
        field=field,
    )
