"""Decisions on offers: taken, declined, closed."""

from __future__ import annotations

from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.commitment import accepted
from dispatch.engine.draft import Draft
from dispatch.errors import Refused
from dispatch.events import Events
from dispatch.model import Offer


def offer_accepted(board: Board, item: i.OfferAccepted) -> Events:
    offer = _open_offer(board, item.offer_id, item.rider_id, item.at)
    draft = Draft(board, item.at)
    draft.events.append(e.OfferClosed(at=item.at, offer_id=offer.offer_id, outcome="accepted"))
    rider = draft.rider(offer.rider_id)
    rider.offer_id = None
    rider.told_at = item.at  # they set off now, not when they were last told anything
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
        draft.events.append(e.RiderRefused(at=at, order_id=order_id, rider_id=offer.rider_id, reason=outcome))
    draft.rider(offer.rider_id).offer_id = None
    draft.release(offer.rider_id, offer.order_ids)
    return draft.finish()


def _open_offer(board: Board, offer_id: str, rider_id: str, at: int) -> Offer:
    offer = board.offers.get(offer_id)
    if offer is None or offer.rider_id != rider_id or at >= board.offer_ends_at(offer):
        raise Refused(f"offer {offer_id} is closed", code="offer_closed", offer_id=offer_id)
    return offer
