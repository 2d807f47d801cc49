"""Decisions on what operations say: overrides, zones, settings, presets, what is set right."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.bounds import MASK_BITS
from dispatch.engine.carrying import bring_back, bring_to_customer
from dispatch.engine.decisions.checks import cannot_change, known_order, known_rider, require_place
from dispatch.engine.draft import Draft
from dispatch.errors import InvalidSetting, Refused
from dispatch.events import Events
from dispatch.lifecycle import Trigger
from dispatch.model import OrderState
from dispatch.people.apart import parted
from dispatch.settings.presets import KEY as PRESET


def zone_listed(board: Board, item: i.ZoneListed) -> Events:
    return (e.ZoneKnown(at=item.at, zone=item.zone),)


def travel_changed(board: Board, item: i.TravelChanged) -> Events:
    return (
        e.TravelAdopted(
            at=item.at, version=item.version, digest=item.digest, profiles=item.profiles, weather=item.weather
        ),
    )


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


def order_forced(board: Board, item: i.OrderForced) -> Events:
    record = known_order(board, item.order_id)
    if not record.is_waiting:
        raise cannot_change(item.order_id, record.state, "rider_id")
    if item.rider_id is not None:
        chosen = known_rider(board, item.rider_id)
        rider = chosen.rider
        if record.order.needs & ~rider.provides or record.order.load_units > rider.capacity_units:
            raise Refused(
                f"rider {item.rider_id} may not carry order {item.order_id}",
                code="not_allowed",
                field="rider_id",
                hint="Its needs or its load exceed what they provide.",
            )
        if parted(chosen.apart, record.order) is not None:
            raise Refused(
                f"rider {item.rider_id} is kept apart from the store or the customer of order {item.order_id}",
                code="not_allowed",
                field="rider_id",
                hint="Choose another rider, or end the pair first (POST /v1/riders/{id}/apart/end).",
            )
    draft = Draft(board, item.at)
    draft.events.append(e.RiderForced(at=item.at, order_id=item.order_id, rider_id=item.rider_id, reason=item.reason))
    if item.rider_id is not None and record.planned_rider_id not in (None, item.rider_id):
        draft.drop_order(item.order_id)
    return draft.finish()


def order_unassigned(board: Board, item: i.OrderUnassigned) -> Events:
    record = known_order(board, item.order_id)
    if not record.is_waiting:
        raise cannot_change(item.order_id, record.state, "rider_id")
    rider_id = record.planned_rider_id
    if rider_id is None:
        raise Refused(f"order {item.order_id} has no rider", code="invalid_transition", order_id=item.order_id)
    draft = Draft(board, item.at)
    draft.events.append(
        e.RiderRefused(at=item.at, order_id=item.order_id, rider_id=rider_id, reason=f"unassigned:{item.reason}")
    )
    if record.forced_rider_id == rider_id:
        draft.events.append(e.RiderForced(at=item.at, order_id=item.order_id, rider_id=None, reason=item.reason))
    draft.drop_order(item.order_id)
    return draft.finish()


def order_held(board: Board, item: i.OrderHeld) -> Events:
    record = known_order(board, item.order_id)
    if not record.is_waiting:
        raise cannot_change(item.order_id, record.state, "held")
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
    record = known_order(board, item.order_id)
    if not record.state.is_on_board:
        raise cannot_change(item.order_id, record.state, "place")
    draft = Draft(board, item.at)
    draft.drop_order(item.order_id)
    if item.place is None:
        draft.move(item.order_id, Trigger.GIVEN_UP, item.at, reason=item.reason)
    else:
        require_place(board, item.place)
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
    record = known_order(board, item.order_id)
    rider_id = record.carried_by
    if item.outcome is i.Outcome.UNDO:
        after = UNDONE.get(record.state) if record.pick_place is None else None
        if after is not None and rider_id is None:
            after = OrderState.CREATED
    else:
        after = OrderState(item.outcome.value)
        rider_id = rider_id or record.rider_id
    if after is None or after is record.state:
        raise cannot_change(item.order_id, record.state, "outcome")
    draft = Draft(board, item.at)
    draft.drop_order(item.order_id)
    draft.correct(item.order_id, after, item.at, rider_id, reason=item.reason, by=item.by)
    if rider_id is not None and after is OrderState.RETURNING:
        bring_back(draft, item.order_id, rider_id)
    elif rider_id is not None and after is OrderState.PICKED_UP:
        bring_to_customer(draft, item.order_id, rider_id)
    return draft.finish()
