"""Decisions about riders as people: whom they are kept apart from."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.engine.decisions.checks import known_rider, known_store
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.people.apart import KeptApart, Party, parted, without_pair


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
