"""Decisions on what riders and their phones report.  Reports are facts: never refused, at most marked contradictory."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board import Board
from dispatch.commitment import accepted
from dispatch.draft import Draft
from dispatch.errors import Refused
from dispatch.lifecycle import CORRECTABLE, Trigger
from dispatch.model import Act, ActKind, Level, Offer, OrderState, Stop
from dispatch.records import RiderRecord
from dispatch.requests import bring_back

Events = tuple[e.Event, ...]


def positions_seen(board: Board, item: i.PositionsSeen) -> Events:
    known = tuple(position for position in item.positions if position.rider_id in board.riders)
    if not known:
        return ()
    found = [
        e.RiderFound(at=item.at, rider_id=position.rider_id)
        for position in known
        if board.riders[position.rider_id].lost
    ]
    return (e.PositionsTaken(at=item.at, positions=known), *found)


def route_seen(board: Board, item: i.RouteSeen) -> Events:
    record = board.riders.get(item.rider_id)
    if record is None:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    draft.acknowledge(item.rider_id, item.revision, item.happened_at)
    _set_off_orders(draft, draft.rider(item.rider_id), item.happened_at)
    return draft.finish()


def stop_arrived(board: Board, item: i.StopArrived) -> Events:
    record = board.riders.get(item.rider_id)
    if record is None:
        return _contradicted(item.at, item.rider_id, item.stop_id, "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    rider = draft.rider(item.rider_id)
    stop = _first_if(rider, item.stop_id)
    if stop is None:
        return (*draft.events, *_contradicted(item.at, item.rider_id, item.stop_id, "arrived at a stop not next"))
    if rider.arrived_at is not None:
        return tuple(draft.events)
    draft.arrive(item.rider_id, item.stop_id, item.happened_at)
    for act in stop.acts:
        if act.level >= Level.TOLD:
            trigger = Trigger.ARRIVED_AT_STORE if act.kind is ActKind.PICKUP else Trigger.ARRIVED_AT_DROP
            draft.move(act.order_id, trigger, item.happened_at, rider_id=item.rider_id)
    return draft.finish()


def stop_completed(board: Board, item: i.StopCompleted) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, item.stop_id, "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    rider = draft.rider(item.rider_id)
    stop = _first_if(rider, item.stop_id)
    told = [act for act in stop.acts if act.level >= Level.TOLD] if stop else []
    named = item.order_ids if item.order_ids is not None else tuple(act.order_id for act in told)
    if stop is None:
        draft.events.extend(_contradicted(item.at, item.rider_id, item.stop_id, "completed a stop not next"))
    picked = [order_id for order_id in named if _is_pickup(draft, stop, order_id, item.rider_id)]
    for order_id in named:
        if order_id not in board.orders:
            draft.events.extend(_contradicted(item.at, item.rider_id, item.stop_id, f"unknown order {order_id}"))
        else:
            here = stop is not None and any(act.order_id == order_id for act in stop.acts)
            (_pick_up if order_id in picked else _deliver)(draft, order_id, item, here)
    left = [act.order_id for act in told if act.kind is ActKind.PICKUP and act.order_id not in named]
    for order_id in left:
        draft.move(order_id, Trigger.NOT_HANDED_OVER, item.happened_at)
    if stop is not None:
        gone = {
            *left,
            *(act.order_id for act in stop.acts if act.kind is ActKind.PICKUP and act.order_id not in picked),
        }
        draft.without(item.rider_id, lambda act: act.order_id in gone)
        _done(draft, rider, stop, item.happened_at)
    return draft.finish()


def stop_failed(board: Board, item: i.StopFailed) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, item.stop_id, "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    rider = draft.rider(item.rider_id)
    stop = _first_if(rider, item.stop_id)
    if stop is None:
        return (*draft.events, *_contradicted(item.at, item.rider_id, item.stop_id, "failed a stop not next"))
    concerned = [
        act
        for act in stop.acts
        if act.level >= Level.TOLD and (item.order_ids is None or act.order_id in item.order_ids)
    ]
    failed = {act.order_id for act in concerned}
    draft.without(item.rider_id, lambda act: act.order_id in failed)
    for act in concerned:
        if act.kind is ActKind.PICKUP:
            draft.move(act.order_id, Trigger.NOT_HANDED_OVER, item.happened_at, reason=item.reason)
            draft.events.append(e.RiderRefused(at=item.at, order_id=act.order_id, rider_id=item.rider_id))
        elif draft.move(
            act.order_id, Trigger.NOT_DELIVERED, item.happened_at, rider_id=item.rider_id, reason=item.reason
        ):
            bring_back(draft, act.order_id, item.rider_id)
    rest = rider.route.stops[0] if rider.route.stops and rider.route.stops[0].stop_id == item.stop_id else None
    if rest is None or not rest.acts:
        _done(draft, rider, stop, item.happened_at)
    return draft.finish()


# --- shifts, breaks, offers -----------------------------------------------------------------------------------------


def shift_ended(board: Board, item: i.ShiftEnded) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    draft.events.append(e.ShiftClosed(at=item.at, rider_id=item.rider_id))
    draft.withdraw_offer(item.rider_id)
    draft.release(item.rider_id)
    return draft.finish()


def break_began(board: Board, item: i.BreakBegan) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    draft.events.append(e.BreakSet(at=item.at, rider_id=item.rider_id, on_break=True))
    draft.withdraw_offer(item.rider_id)
    rider = draft.rider(item.rider_id)
    kept = {act.order_id for stop in rider.route.told for act in stop.acts if act.level >= Level.TOLD}
    kept |= draft.on_board_of(item.rider_id)
    draft.without(item.rider_id, lambda act: act.order_id not in kept)
    return draft.finish()


def break_ended(board: Board, item: i.BreakEnded) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    draft.events.append(e.BreakSet(at=item.at, rider_id=item.rider_id, on_break=False))
    return draft.finish()


def offer_accepted(board: Board, item: i.OfferAccepted) -> Events:
    offer = _open_offer(board, item.offer_id, item.rider_id, item.at)
    draft = Draft(board, item.at)
    draft.events.append(e.OfferClosed(at=item.at, offer_id=offer.offer_id, outcome="accepted"))
    rider = draft.rider(offer.rider_id)
    rider.offer_id = None
    rider.told_at = item.at  # he sets off now, not when he was last told anything
    draft.set_stops(offer.rider_id, accepted(rider, rider.route.stops, offer.order_ids))
    return draft.finish()


def offer_declined(board: Board, item: i.OfferDeclined) -> Events:
    offer = _open_offer(board, item.offer_id, item.rider_id, item.at)
    return close_offer(board, offer, item.at, "declined")


def close_offer(board: Board, offer: Offer, at: int, outcome: str) -> Events:
    """End an offer that was not taken: its orders are open again and this rider is not asked for them twice."""
    draft = Draft(board, at)
    draft.events.append(e.OfferClosed(at=at, offer_id=offer.offer_id, outcome=outcome))
    for order_id in offer.order_ids:
        draft.events.append(e.RiderRefused(at=at, order_id=order_id, rider_id=offer.rider_id))
    draft.rider(offer.rider_id).offer_id = None
    draft.release(offer.rider_id, offer.order_ids)
    return draft.finish()


def lose(board: Board, rider_id: str, at: int) -> Events:
    """A rider counts as lost: what he has not picked up is planned anew, what he carries is flagged by his state."""
    draft = Draft(board, at)
    draft.events.append(e.RiderLost(at=at, rider_id=rider_id))
    draft.withdraw_offer(rider_id)
    draft.release(rider_id)
    return draft.finish()


def withdraw_unseen(board: Board, rider_id: str, at: int) -> Events:
    """A told route that no phone has shown is taken back."""
    draft = Draft(board, at)
    rider = draft.rider(rider_id)
    carried = draft.on_board_of(rider_id)
    orders = tuple(
        act.order_id
        for stop in rider.route.told
        for act in stop.acts
        if act.kind is ActKind.PICKUP and act.order_id not in carried
    )
    for order_id in orders:
        draft.events.append(e.RiderRefused(at=at, order_id=order_id, rider_id=rider_id, unseen=True))
    kept = tuple(stop for stop in rider.route.stops if any(act.order_id in carried for act in stop.acts))
    draft.set_stops(rider_id, kept)
    return draft.finish()


# --- helpers --------------------------------------------------------------------------------------------------------


def _contradicted(at: int, rider_id: str, stop_id: str, about: str) -> Events:
    return (e.ReportContradicted(at=at, rider_id=rider_id, stop_id=stop_id, about=about),)


def _heard_of(draft: Draft, rider_id: str) -> None:
    if draft.rider(rider_id).lost:
        draft.events.append(e.RiderFound(at=draft.at, rider_id=rider_id))


def _first_if(rider: RiderRecord, stop_id: str) -> Stop | None:
    stops = rider.route.stops
    return stops[0] if stops and stops[0].stop_id == stop_id else None


def _set_off_orders(draft: Draft, rider: RiderRecord, happened_at: int) -> None:
    stops = rider.route.stops
    if not stops or stops[0].level != Level.UNDERWAY:
        return
    for act in stops[0].acts:
        if act.level >= Level.TOLD:
            trigger = Trigger.SET_OFF if act.kind is ActKind.PICKUP else Trigger.SET_OFF_TO_DROP
            draft.move(act.order_id, trigger, happened_at, rider_id=rider.rider.rider_id)


def _done(draft: Draft, rider: RiderRecord, stop: Stop, happened_at: int) -> None:
    exit_s = int(draft.board.places.exit_s[stop.place]) if stop.acts else 0
    free_at = happened_at + exit_s
    draft.leave(rider.rider.rider_id, stop, free_at)
    _set_off_orders(draft, rider, free_at)


def _is_pickup(draft: Draft, stop: Stop | None, order_id: str, rider_id: str) -> bool:
    if stop is not None:
        for act in stop.acts:
            if act.order_id == order_id:
                return act.kind is ActKind.PICKUP
    record = draft.board.orders.get(order_id)
    return record is not None and not record.state.is_on_board and record.picked_up_at is None


def _pick_up(draft: Draft, order_id: str, item: i.StopCompleted, here: bool) -> None:
    """Goods are with this rider, whoever was meant to fetch them; `here`: at the stop where he was to do so."""
    record = draft.board.orders[order_id]
    if not draft.move(order_id, Trigger.PICKED_UP, item.happened_at, rider_id=item.rider_id):
        _correct(draft, order_id, Trigger.PICKED_UP, item)
        if draft.state(order_id) is OrderState.RETURNING:
            bring_back(draft, order_id, item.rider_id)
        return
    if not here:
        draft.drop_order(order_id)
        if draft.state(order_id) is OrderState.RETURNING:
            bring_back(draft, order_id, item.rider_id)
            return
        drop = Act(order_id, ActKind.DROP, Level.TENTATIVE)
        stop = Stop("", record.order.drop_place, None, Level.TENTATIVE, (drop,), 0, 0, 0, 0, 0)
        draft.set_stops(item.rider_id, (*draft.rider(item.rider_id).route.stops, stop))


def _deliver(draft: Draft, order_id: str, item: i.StopCompleted, here: bool) -> None:
    returning = draft.state(order_id) is OrderState.RETURNING
    trigger = Trigger.RETURNED if returning else Trigger.DELIVERED
    came_first = returning and _happened_first(draft, order_id, item.happened_at)
    at_the_door = came_first and not _at_store(draft, order_id, item)
    if at_the_door or not draft.move(order_id, trigger, item.happened_at, rider_id=item.rider_id):
        _correct(draft, order_id, Trigger.DELIVERED, item)
    if not here and draft.state(order_id).is_final:
        draft.drop_order(order_id)


def _at_store(draft: Draft, order_id: str, item: i.StopCompleted) -> bool:
    stop = _first_if(draft.rider(item.rider_id), item.stop_id)
    return stop is not None and stop.store_id is not None


def _happened_first(draft: Draft, order_id: str, happened_at: int) -> bool:
    return happened_at <= draft.board.orders[order_id].state_at


def _correct(draft: Draft, order_id: str, trigger: Trigger, item: i.StopCompleted) -> None:
    record = draft.board.orders[order_id]
    after = CORRECTABLE.get((record.state, trigger))
    if after is None or record.corrected or not _happened_first(draft, order_id, item.happened_at):
        about = f"order {order_id} is {record.state.value}, reported {trigger.value}"
        draft.events.extend(_contradicted(item.at, item.rider_id, item.stop_id, about))
        return
    draft.correct(order_id, after, item.happened_at, item.rider_id)


def _open_offer(board: Board, offer_id: str, rider_id: str, at: int) -> Offer:
    offer = board.offers.get(offer_id)
    if offer is None or offer.rider_id != rider_id or at >= board.offer_ends_at(offer):
        raise Refused(f"offer {offer_id} is closed", code="offer_closed", offer_id=offer_id)
    return offer
