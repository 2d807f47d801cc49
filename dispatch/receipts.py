"""What each rider may read of decisions about them: a receipt for every one, made of its event alone.

Why this order, why not that one, and what was decided about the person: log-offs, silence, breaks, offers withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from dispatch import events as e

MOST_KEPT = 24
"""Receipts that the board remembers of each rider, the newest."""


class About(StrEnum):
    """What a receipt is about; the words are those of the wire."""

    GIVEN = "given"
    ELSEWHERE = "elsewhere"
    """An order that they could have had went to another rider."""
    OFFERED = "offered"
    OFFER_ENDED = "offer_ended"
    TAKEN_AWAY = "taken_away"
    NOT_ASKED = "not_asked"
    LOST = "lost"
    LOGGED_OFF = "logged_off"
    PARKED = "parked"
    RESTS = "rests"
    APART = "apart"
    TOGETHER = "together"
    REVERSED = "reversed"


REVERSIBLE = frozenset({About.NOT_ASKED, About.LOST, About.LOGGED_OFF, About.PARKED, About.APART})
"""Decisions about a person that operations can take back."""


@dataclass(frozen=True, slots=True)
class RiderReceipt:
    """One decision and its reason; what does not belong to its kind is empty."""

    number: int
    """Of the rider's receipts, from 1 on."""
    at: int
    about: About
    order_ids: tuple[str, ...] = ()
    more_points: int | None = None
    """What the next best rider would have cost more than they did, or they more than the rider who was chosen."""
    reason: str = ""
    until: int | None = None
    by: str = ""
    """Whose key said so, where a person decided."""
    name: str = ""
    """Of whom they are kept apart from."""
    reverses: int = 0
    """The number of the receipt that was taken back."""


Made = tuple[str, dict[str, Any]]
"""A rider, and the fields of their receipt but for its number."""


def of(event: e.Event) -> Iterator[Made]:
    """The riders who get a receipt for an event, and what it says."""
    make = _MAKERS.get(type(event))
    for rider_id, fields in make(event) if make is not None else ():
        yield rider_id, {"at": event.at, **fields}


def kept(receipts: tuple[RiderReceipt, ...], made: int, fields: dict[str, Any]) -> tuple[RiderReceipt, ...]:
    """A rider's receipts with one more; `made`: how many they had got before."""
    return (*receipts, RiderReceipt(number=made + 1, **fields))[-MOST_KEPT:]


def rider_of_offer(offer_id: str) -> str:
    """Whom an offer was made to, by its id."""
    return offer_id.partition("@")[0]


def _decided(event: e.DecisionMade) -> Iterator[Made]:
    own = event.added_cost
    more = None if own is None or not event.others else min(cost for _, cost in event.others) - own
    yield event.rider_id, {"about": About.GIVEN, "order_ids": (event.order_id,), "more_points": more}
    for rider_id, cost in event.others:
        gap = None if own is None else cost - own
        yield rider_id, {"about": About.ELSEWHERE, "order_ids": (event.order_id,), "more_points": gap}


def _offered(event: e.OfferMade) -> Iterator[Made]:
    offer = event.offer
    yield (
        offer.rider_id,
        {
            "about": About.OFFERED,
            "order_ids": offer.order_ids,
            "more_points": event.more_points,
            "until": offer.expires_at,
        },
    )


def _offer_ended(event: e.OfferClosed) -> Iterator[Made]:
    if event.outcome in ("expired", "withdrawn"):
        reason = event.reason or event.outcome
        yield rider_of_offer(event.offer_id), {"about": About.OFFER_ENDED, "reason": reason}


def _changed(event: e.RiderChanged) -> Iterator[Made]:
    if event.previous_rider_id:
        yield event.previous_rider_id, {"about": About.TAKEN_AWAY, "order_ids": (event.order_id,)}


def _refused(event: e.RiderRefused) -> Iterator[Made]:
    reason = "unseen" if event.unseen else event.reason
    yield event.rider_id, {"about": About.NOT_ASKED, "order_ids": (event.order_id,), "reason": reason}


def _logged_off(event: e.ShiftClosed) -> Iterator[Made]:
    if event.by:
        yield event.rider_id, {"about": About.LOGGED_OFF, "reason": event.reason, "by": event.by}


def _rests(event: e.RestGiven) -> Iterator[Made]:
    yield event.rider_id, {"about": About.RESTS, "reason": event.why, "until": event.until}


def _apart(event: e.ApartKnown) -> Iterator[Made]:
    about = About.APART if event.apart else About.TOGETHER
    yield (
        event.rider_id,
        {"about": about, "reason": event.pair.party.value, "by": event.pair.by, "name": event.pair.name},
    )


def _reversed(event: e.DecisionReversed) -> Iterator[Made]:
    yield (
        event.rider_id,
        {"about": About.REVERSED, "reason": event.reason, "by": event.by, "reverses": event.number},
    )


_MAKERS: dict[type[e.Event], Callable[[Any], Iterator[Made]]] = {
    e.DecisionMade: _decided,
    e.OfferMade: _offered,
    e.OfferClosed: _offer_ended,
    e.RiderChanged: _changed,
    e.RiderRefused: _refused,
    e.ShiftClosed: _logged_off,
    e.RiderLost: lambda event: iter([(event.rider_id, {"about": About.LOST})]),
    e.RiderParked: lambda event: iter([(event.rider_id, {"about": About.PARKED, "reason": event.reason})]),
    e.RestGiven: _rests,
    e.ApartKnown: _apart,
    e.DecisionReversed: _reversed,
}
