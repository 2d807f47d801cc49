"""What an offered trip asks of a rider, and what it pays: the facts that an offer is answered by."""

from __future__ import annotations

from typing import NamedTuple

from dispatch.board.board import Board
from dispatch.model import Offer, Route, Stop
from dispatch.settings.tariff import Tariff, tariff_of


class OfferedTrip(NamedTuple):
    """A trip from setting off for its first pickup to leaving its last door."""

    stops: int
    work_s: int
    way_m: int


def offer_of(board: Board, route: Route, order_ids: tuple[str, ...], at: int) -> Offer:
    """The offer of these orders to the rider on whose planned route they are, made at an instant."""
    rules, rider_id = board.settings.rules, route.rider_id
    trip = asked_of(route.stops, order_ids, at)
    pay = pay_for(tariff_of(rules.tariff), len(order_ids), trip)
    offer_id = f"{rider_id}@{at}.{board.offers_made}"
    return Offer(offer_id, rider_id, order_ids, at + rules.offer_s, trip.stops, trip.work_s, trip.way_m, pay)


def gap_of(board: Board, order_ids: tuple[str, ...], rider_id: str) -> int | None:
    """What the next best rider would have cost more for these orders, in points; None where it is not known of each."""
    choices = [board.orders[order_id].choice for order_id in order_ids]
    known = [one for one in choices if one is not None and one.rider_id == rider_id and one.others]
    gaps = [min(cost for _, cost in one.others) - one.added_cost for one in known]
    return sum(gaps) if gaps and len(gaps) == len(choices) else None


def asked_of(stops: tuple[Stop, ...], order_ids: tuple[str, ...], setting_off_at: int) -> OfferedTrip:
    """The part of a planned route that serves these orders; what else lies between belongs to it.

    `setting_off_at`: when a rider may leave who has nothing to do before.  Metres count the walks from street to door.
    """
    serving = [k for k, stop in enumerate(stops) if any(act.order_id in order_ids for act in stop.acts)]
    if not serving:
        return OfferedTrip(0, 0, 0)
    first, last = serving[0], serving[-1]
    leaves_at = stops[first - 1].expected_leave_at if first else setting_off_at
    trip = stops[first : last + 1]
    way_m = sum(stop.leg_m + stop.walk_m for stop in trip)
    return OfferedTrip(len(trip), max(0, trip[-1].expected_leave_at - leaves_at), way_m)


def pay_for(tariff: Tariff | None, orders: int, trip: OfferedTrip) -> int | None:
    """What the tariff pays for a trip, in minor units; None where it names no cost of orders, hours or kilometres."""
    if tariff is None or not any(name.startswith("cost ") for name in tariff.amounts):
        return None
    return tariff.cost(orders, trip.work_s, trip.way_m)
