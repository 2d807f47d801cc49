"""Decisions on what riders and their phones report.  Reports are facts: never refused, at most marked contradictory."""

from __future__ import annotations

from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.engine.decisions import risk
from dispatch.engine.decisions.checks import require_place
from dispatch.engine.draft import Draft
from dispatch.engine.emissions import emitted
from dispatch.engine.reports import goods
from dispatch.engine.reports.happened import as_seen, earliest_at, possible
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.lifecycle import Trigger
from dispatch.model import ActKind, Level, Stop


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
    told_at = record.told_at if record.told_at is not None and item.revision >= record.told_revision else 0
    happened_at = possible(draft, item, told_at)
    draft.acknowledge(item.rider_id, item.revision, happened_at)
    _set_off_orders(draft, draft.rider(item.rider_id), happened_at)
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
    happened_at = possible(draft, item, earliest_at(rider, item.stop_id))
    draft.arrive(item.rider_id, item.stop_id, happened_at, emitted(draft, item.rider_id, stop))
    for act in stop.acts:
        if act.level >= Level.TOLD:
            trigger = Trigger.ARRIVED_AT_STORE if act.kind is ActKind.PICKUP else Trigger.ARRIVED_AT_DROP
            draft.move(act.order_id, trigger, happened_at, rider_id=item.rider_id)
    return draft.finish()


def stop_completed(board: Board, item: i.StopCompleted) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, item.stop_id, "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    rider = draft.rider(item.rider_id)
    stop = _first_if(rider, item.stop_id)
    seen = as_seen(rider, item)
    item = replace(item, happened_at=possible(draft, item, earliest_at(rider, item.stop_id, seen)))
    is_news, picked, said = False, set[str](), set[str]()
    for order_id in goods.named(item, seen):
        if order_id not in board.orders:
            goods.contradict(draft, item, f"unknown order {order_id}")
            continue
        said.add(order_id)
        here = stop is not None and any(act.order_id == order_id for act in stop.acts)
        if goods.is_pickup(board, seen, order_id):
            picked.add(order_id)
            was_shown = seen is not None and seen.kind_of(order_id) is not None
            is_news |= goods.fetched(draft, order_id, item, shown=was_shown, here=here)
        else:
            is_news |= goods.handed_over(draft, order_id, item, seen, here=here)
    if stop is not None and goods.still_to_bring(draft, stop, said):
        # Several orders are brought to one door: they stand there until each is handed over or has failed.
        draft.without(item.rider_id, lambda act: act.order_id in said)
    elif stop is not None:
        _leave(draft, rider, stop, item, picked)
    elif seen is None or not is_news:
        goods.contradict(draft, item, "completed a stop not next")
    return draft.finish()


def _leave(draft: Draft, rider: RiderRecord, stop: Stop, item: i.StopCompleted, picked: set[str]) -> None:
    """The first stop is done: what was to be fetched there and was not is nobody's again."""
    gone = {act.order_id for act in stop.acts if act.kind is ActKind.PICKUP} - picked
    for act in stop.acts:
        if act.order_id in gone and act.level >= Level.TOLD:
            draft.move(act.order_id, Trigger.NOT_HANDED_OVER, item.happened_at)
    draft.overtake_offer(item.rider_id, gone | picked)
    draft.without(item.rider_id, lambda act: act.order_id in gone)
    _done(draft, rider, stop, item.happened_at)


def stop_failed(board: Board, item: i.StopFailed) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, item.stop_id, "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    rider = draft.rider(item.rider_id)
    stop = _first_if(rider, item.stop_id)
    seen = as_seen(rider, item)
    item = replace(item, happened_at=possible(draft, item, earliest_at(rider, item.stop_id, seen)))
    is_news = False
    for order_id in goods.named(item, seen):
        kind = seen.kind_of(order_id) if seen is not None and order_id in board.orders else None
        if kind is not None:
            failed = goods.not_handed_over if kind is ActKind.PICKUP else goods.not_delivered
            is_news |= failed(draft, order_id, item)
    if stop is None:
        if not is_news:
            goods.contradict(draft, item, "failed a stop not next")
        return draft.finish()
    rest = _first_if(rider, item.stop_id)
    if rest is None or not rest.acts:
        _done(draft, rider, stop, item.happened_at)
    return draft.finish()


# --- shifts, breaks, offers -----------------------------------------------------------------------------------------


def shift_ended(board: Board, item: i.ShiftEnded) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    draft.events.append(e.ShiftClosed(at=item.at, rider_id=item.rider_id, reason=item.reason, by=item.by))
    draft.withdraw_offer(item.rider_id, "logged_off")
    draft.release(item.rider_id)
    return draft.finish()


def break_began(board: Board, item: i.BreakBegan) -> Events:
    if item.rider_id not in board.riders:
        return _contradicted(item.at, item.rider_id, "", "unknown rider")
    draft = Draft(board, item.at)
    _heard_of(draft, item.rider_id)
    draft.events.append(e.BreakSet(at=item.at, rider_id=item.rider_id, on_break=True))
    draft.withdraw_offer(item.rider_id, "break")
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


def lose(board: Board, rider_id: str, at: int) -> Events:
    """A rider counts as lost: what they have not picked up is planned anew, what they carry is flagged by its state."""
    draft = Draft(board, at)
    draft.events.extend(risk.by_silence(board.riders[rider_id], board, at))
    draft.events.append(e.RiderLost(at=at, rider_id=rider_id))
    draft.withdraw_offer(rider_id, "lost")
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
    draft.withdraw_offer(rider_id, "unseen")
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
    draft.leave(rider.rider.rider_id, stop, happened_at)
    # They walk out first; what is said of an order lies in the past all the same.
    _set_off_orders(draft, rider, min(rider.free_at, draft.at))


def rider_listed(board: Board, item: i.RiderListed) -> Events:
    require_place(board, item.rider.place)
    return (e.RiderKnown(at=item.at, rider=item.rider),)


def shift_planned(board: Board, item: i.ShiftPlanned) -> Events:
    shift = item.shift
    if shift.rider_id not in board.riders:
        raise Refused(f"there is no rider {shift.rider_id}", code="unknown_rider", rider_id=shift.rider_id)
    found: list[e.Event] = [e.ShiftOpened(at=item.at, shift=shift)]
    if board.riders[shift.rider_id].lost:
        found.append(e.RiderFound(at=item.at, rider_id=shift.rider_id))
    return tuple(found)
