"""May this order be taken?  Checked at the border, before a place is made for it; and the times it did not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from api import wire
from api.auth import Caller
from api.belonging import may_use
from api.positions import metres_between
from dispatch.errors import Refused
from dispatch.inputs import Position
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from api.service import Service

SAME_PLACE_M = 5.0
USUAL_READY_S = 600
FURTHEST_AHEAD_S = 7 * 86_400
OLDEST_S = 86_400
AHEAD_S, RELEASE_BEFORE_S = 3600, 2700
"""Goods ready more than an hour ahead are planned from three quarters of an hour before."""
STRETCH_S = 600
"""Under pressure a promise that we make is longer by this for each step of the ladder."""


class Times(NamedTuple):
    """Instants of an order, those named and those we chose."""

    placed_at: int
    ready_at: int
    due_at: int
    release_at: int | None


def defaults(service: Service, body: wire.QuoteRequest, now: int) -> Times:
    """Instants that the caller did not name: ready by the store's mean, due by the rule, released in good time."""
    board = service.host.board
    placed_at = min(wire.epoch(body.placed_at) or now, now)
    store = board.stores[body.pickup_store_id].store
    usual_s = store.mean_ready_s if store.mean_ready_s is not None else USUAL_READY_S
    ready_at = wire.epoch(body.pickup_ready_at)
    if ready_at is None:
        ready_at = placed_at + usual_s
    due_at = wire.epoch(body.dropoff_deadline_at)
    if due_at is None:
        stretch_s = STRETCH_S * int(service.host.rounds.ladder.step)
        earliest = max(placed_at, ready_at - usual_s, (wire.epoch(body.dropoff_ready_at) or 0))
        due_at = earliest + board.settings.rules.promise_s + stretch_s
    release_at = wire.epoch(body.release_at)
    if release_at is None and ready_at > now + AHEAD_S:
        release_at = ready_at - RELEASE_BEFORE_S
    return Times(placed_at, ready_at, due_at, release_at)


def check_deliverable(service: Service, caller: Caller, body: wire.QuoteRequest, now: int) -> None:
    """Raises Refused or InvalidInput, naming the field, for an order that could not be delivered by anyone."""
    record = service.host.board.stores.get(body.pickup_store_id)
    if record is None or not may_use(caller, record.store):
        raise Refused("there is no such store", code="unknown_store", field="pickup_store_id")
    check_needs(service, body.needs)
    for name in ("pickup_ready_at", "dropoff_ready_at", "dropoff_deadline_at", "release_at"):
        at = wire.epoch(getattr(body, name))
        if at is not None and not now - OLDEST_S <= at <= now + FURTHEST_AHEAD_S:
            raise _invalid(name, "lies more than a day back or a week ahead")
    placed_at = wire.epoch(body.placed_at)
    if placed_at is not None and not now - OLDEST_S <= placed_at <= now + 60:
        raise _invalid("placed_at", "lies ahead, or more than a day back")
    deadline = wire.epoch(body.dropoff_deadline_at)
    if deadline is not None and deadline <= now:
        raise _invalid("dropoff_deadline_at", "has passed")
    check_area(service, body.pickup_store_id, body.dropoff.location)


def check_area(service: Service, store_id: str, where: wire.Location) -> None:
    """Raises where a drop is at the store itself, too far from it, or out of reach on roads."""
    board = service.host.board
    place = board.stores[store_id].store.place
    at = board.places.latlng(place)
    away = metres_between(Position("", at.lat, at.lng, 0), Position("", where.lat, where.lng, 0))
    if away < SAME_PLACE_M:
        raise _invalid("dropoff.location", "is where the goods are picked up")
    if away > service.config.service.radius_m:
        raise InvalidInput(
            f"the drop lies {away / 1000:.1f} km from its store",
            code="outside_service_area",
            field="dropoff.location",
            radius_m=service.config.service.radius_m,
        )


def check_needs(service: Service, needs: list[str]) -> None:
    """Raises for a need that no rider could be known to provide."""
    known = service.config.service.needs
    for name in needs:
        if name not in known:
            raise InvalidInput(f"there is no need {name!r}", code="validation_failed", field="needs", known=list(known))


def _invalid(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"{field} {why}", code="invalid_order", field=field)
