"""Decisions about riders as people: whom they are kept apart from, and what operations take back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.records import RiderRecord
from dispatch.engine.decisions.checks import known_rider, known_store
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.people.apart import KeptApart, Party, parted, without_pair
from dispatch.people.hours import span_of
from dispatch.receipts import About, RiderReceipt


def apart_set(board: Board, item: i.ApartSet) -> Events:
    """What the rider would have met and has not fetched yet is planned anew; goods in their bag stay with them."""
    record = known_rider(board, item.rider_id)
    if item.party is Party.STORE:
        known_store(board, item.name)
    if not item.name:
        raise Refused("nobody is named to keep the rider apart from", code="invalid_order", field="name")
    is_set = len(without_pair(record.apart, item.party, item.name)) < len(record.apart)
    if not item.apart and not is_set:
        raise Refused(
            f"rider {item.rider_id} is not kept apart from this {item.party.value}",
            code="invalid_transition",
            field="apart",
            hint="GET /v1/riders/{id}/apart lists what is in force.",
        )
    pair = KeptApart(item.party, item.name, item.at, item.reason, item.by)
    draft = Draft(board, item.at)
    draft.events.append(e.ApartKnown(at=item.at, rider_id=item.rider_id, pair=pair, apart=item.apart))
    for order_id, order in board.open_orders.items() if item.apart else ():
        if not order.is_waiting or parted((pair,), order.order) is None:
            continue
        if order.forced_rider_id == item.rider_id:
            draft.events.append(e.RiderForced(at=item.at, order_id=order_id, rider_id=None, reason=item.reason))
        if order.planned_rider_id == item.rider_id:
            draft.drop_order(order_id)
    return draft.finish()


def reversal_ordered(board: Board, item: i.ReversalOrdered) -> Events:
    """A decision about a rider is taken back, as far as it still holds."""
    record = known_rider(board, item.rider_id)
    receipt = next((one for one in record.receipts if one.number == item.number), None)
    if receipt is None:
        raise Refused(
            f"rider {item.rider_id} has no receipt {item.number}",
            code="unknown_receipt",
            field="number",
            hint="GET /v1/riders/{id}/receipts lists the newest.",
        )
    undo = _UNDO.get(receipt.about)
    follows = None if undo is None else undo(board, record, receipt, item)
    if follows is None:
        raise Refused(
            f"receipt {item.number} of rider {item.rider_id} cannot be taken back, or holds no longer",
            code="invalid_transition",
            field="number",
        )
    order_ids = receipt.order_ids if receipt.about is About.NOT_ASKED else ()
    said = e.DecisionReversed(
        at=item.at, rider_id=item.rider_id, number=item.number, reason=item.reason, by=item.by, order_ids=order_ids
    )
    return (said, *follows)


_Undo = Callable[[Board, RiderRecord, RiderReceipt, i.ReversalOrdered], Events | None]
"""What follows as a decision is taken back; None where it holds no longer."""


def _ask_again(board: Board, record: RiderRecord, receipt: RiderReceipt, item: i.ReversalOrdered) -> Events | None:
    orders = [board.orders.get(order_id) for order_id in receipt.order_ids]
    holds = all(one is not None and one.is_waiting and item.rider_id in one.refused_by for one in orders)
    return () if holds else None


def _find(board: Board, record: RiderRecord, receipt: RiderReceipt, item: i.ReversalOrdered) -> Events | None:
    return (e.RiderFound(at=item.at, rider_id=item.rider_id),) if record.lost else None


def _log_on(board: Board, record: RiderRecord, receipt: RiderReceipt, item: i.ReversalOrdered) -> Events | None:
    """The rest of the shift that was ended."""
    shift = record.logged_off
    if shift is None or span_of(shift)[1] <= item.at or any(one.start_at <= item.at for one in record.shifts):
        return None
    rest = replace(shift, start_at=item.at, last_pickup_at=max(item.at, shift.last_pickup_at))
    return (e.ShiftOpened(at=item.at, shift=rest),)


def _unpark(board: Board, record: RiderRecord, receipt: RiderReceipt, item: i.ReversalOrdered) -> Events | None:
    return () if record.parked else None


def _bring_together(board: Board, record: RiderRecord, receipt: RiderReceipt, item: i.ReversalOrdered) -> Events | None:
    pair = next((one for one in record.apart if (one.party.value, one.name) == (receipt.reason, receipt.name)), None)
    if pair is None:
        return None
    taken_back = replace(pair, reason=item.reason, by=item.by)
    return (e.ApartKnown(at=item.at, rider_id=item.rider_id, pair=taken_back, apart=False),)


_UNDO: dict[About, _Undo] = {
    About.NOT_ASKED: _ask_again,
    About.LOST: _find,
    About.LOGGED_OFF: _log_on,
    About.PARKED: _unpark,
    About.APART: _bring_together,
}
