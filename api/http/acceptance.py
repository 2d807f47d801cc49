"""May this order, or this change of it, be taken?  Checked at the border; and the times that nobody named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from api.access.rules import Caller
from api.common.ids import tenant_of
from api.common.signed_tokens import digest
from api.http.alternatives.named import USUAL_READY_S, check_alternatives, with_alternatives
from api.http.belonging import may_use
from api.http.presenters import mask_of
from api.http.schemas.base import Location, epoch_of
from api.http.schemas.deliveries import DeliveryPatch, Dropoff, Goods, QuoteRequest
from api.http.schemas.stores import ReadyEstimate
from api.live.positions import FASTEST_M_PER_S, metres_between
from dispatch.errors import Refused
from dispatch.inputs import Position
from dispatch.model import Order
from dispatch.settings.mix import mix_rule
from dispatch.settings.tiers import promise_of, tiers_of
from routing.errors import InvalidInput
from routing.places import FARTHEST_ACCESS_M

if TYPE_CHECKING:
    from api.http.commands import Service
    from dispatch.board.board import Board
    from dispatch.board.records import OrderRecord

ORDER_INSTANTS = ("pickup_ready_at", "dropoff_ready_at", "dropoff_deadline_at", "release_at")
SAME_PLACE_M = 5.0
CITY_M = 300_000
"""One service is one city: no store and no new rider lies further than this from every other store."""
LEAST_WAY_S = 60
"""No order is at its door sooner after it is said: somebody has to leave the counter and ring."""
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


def defaults(service: Service, body: QuoteRequest, now: int) -> Times:
    """Instants that the caller did not name: ready by the store's mean, due by the rule, released in good time.

    What is released later counts from its release, what comes outside its store's hours from their beginning.  A store
    that has closed for a while goes on cooking; what is promised counts from when it hands out again.
    """
    board = service.host.board
    placed_at = min(epoch_of(body.placed_at) or now, now)
    record = board.stores[body.pickup_store_id]
    begins_at = max(placed_at, epoch_of(body.release_at) or 0)
    begins_at = _opening(record.store.opens_from, begins_at, now)
    usual_s = record.store.mean_ready_s if record.store.mean_ready_s is not None else USUAL_READY_S
    ready_at = epoch_of(body.pickup_ready_at)
    if ready_at is None:
        ready_at = begins_at + usual_s
    due_at = epoch_of(body.dropoff_deadline_at)
    if due_at is None:
        stretch_s = STRETCH_S * int(service.host.rounds.ladder.step)
        fetched_at = _opening(record.opens_from, begins_at, now)
        earliest = max(fetched_at, ready_at - usual_s, (epoch_of(body.dropoff_ready_at) or 0))
        rules = board.settings.rules
        due_at = earliest + promise_of(rules.tiers, body.tier or "", rules.promise_s) + stretch_s
        if begins_at <= now:
            due_at = max(due_at, now + service.waiting.wait_s(board, now))  # behind all that are there
    release_at = epoch_of(body.release_at)
    if release_at is None and ready_at > max(now + AHEAD_S, begins_at + usual_s):
        release_at = ready_at - RELEASE_BEFORE_S
    return Times(placed_at, ready_at, due_at, release_at)


def _opening(opens_from: Callable[[int], int | None], begins_at: int, now: int) -> int:
    """`begins_at` itself, or the opening after it where it is closed then."""
    at = max(begins_at, now)
    opens_at = opens_from(at)
    return opens_at if opens_at is not None and opens_at > at else begins_at


def order_of(service: Service, body: QuoteRequest, order_id: str, handle: int, at: int) -> Order:
    """The order that a body stands for, with what was not said filled in."""
    times = defaults(service, body, at)
    order = Order(
        order_id,
        body.pickup_store_id,
        handle,
        placed_at=times.placed_at,
        expected_ready_at=times.ready_at,
        due_at=times.due_at,
        release_at=times.release_at,
        earliest_drop_at=epoch_of(body.dropoff_ready_at),
        load_units=body.load_units,
        needs=mask_of(body.needs, service.host.board.needs),
        max_on_board_s=body.max_on_board_s,
        priority=body.priority,
        goods_class=goods_class_of(body.goods),
        tier=body.tier or "",
        tenant=tenant_of(order_id),
        door=door_of(service, order_id, body.dropoff),
        customer=customer_of(service, order_id, body.dropoff),
    )
    return with_alternatives(service, body, order)


def check_access(location: Location, access: Location | None, field: str) -> None:
    """Raises InvalidInput naming the field, for a point to stop at that cannot be that of the place."""
    if access is None:
        return
    here, there = (Position("", each.lat, each.lng, 0) for each in (location, access))
    if metres_between(here, there) > FARTHEST_ACCESS_M:
        raise InvalidInput(
            f"it lies more than {FARTHEST_ACCESS_M:g} m from its location", code="far_access", field=field,
            hint="It is the entrance, gate or loading bay of the place itself.",
        )  # fmt: skip


def door_of(service: Service, order_id: str, drop: Dropoff) -> str:
    """The name of the door that an order leads to."""
    return service.doors.name(service.host.board, service.secret, tenant_of(order_id), order_id, drop)


def customer_of(service: Service, order_id: str, drop: Dropoff) -> str:
    """An opaque name of who ordered: it tells nobody who it is; empty where the order system does not say."""
    if drop.customer_id is None:
        return ""
    return "c" + digest(service.secret, "customer", json.dumps([tenant_of(order_id), drop.customer_id]))


def check_deliverable(service: Service, caller: Caller, body: QuoteRequest, now: int) -> None:
    """Raises Refused or InvalidInput, naming the field, for an order that could not be delivered by anyone."""
    record = service.host.board.stores.get(body.pickup_store_id)
    if record is None or not may_use(caller, record.store):
        raise Refused("there is no such store", code="unknown_store", field="pickup_store_id")
    check_needs(service, body.needs)
    check_goods(service, body.goods)
    check_tier(service, body.tier)
    check_instants(body, now)
    check_area(service, body.pickup_store_id, body.dropoff.location)
    check_alternatives(service, caller, body)
    for k, source in enumerate(body.sources):
        check_instant(epoch_of(source.ready_at), now, f"sources.{k}.ready_at")
        check_reach(service, source.store_id, body.dropoff.location, f"sources.{k}.store_id")
    check_access(body.dropoff.location, body.dropoff.access, "dropoff.access")
    check_sequence(
        deadline_at=epoch_of(body.dropoff_deadline_at),
        ready_at=epoch_of(body.pickup_ready_at),
        opens_at=epoch_of(body.dropoff_ready_at),
        release_at=epoch_of(body.release_at),
        earliest_at=now + least_way_s(service, body.pickup_store_id, body.dropoff.location),
    )


def check_change(service: Service, body: DeliveryPatch, record: OrderRecord, now: int, *, has_deadline: bool) -> None:
    """The same of what a change names, beside what stays; a kitchen that is late is news and held against nothing.

    `has_deadline`: the deadline in force was named by the caller, not chosen by us.
    """
    check_instants(body, now)
    order, said = record.order, body.model_fields_set
    where = body.dropoff.location if body.dropoff is not None else None
    if body.dropoff is not None:
        check_access(body.dropoff.location, body.dropoff.access, "dropoff.access")
    if where is not None:
        check_area(service, order.store_id, where)
    if body.needs is not None:
        check_needs(service, body.needs)
    deadline_at = epoch_of(body.dropoff_deadline_at)
    opens_at = epoch_of(body.dropoff_ready_at) if "dropoff_ready_at" in said else order.earliest_drop_at
    release_at = epoch_of(body.release_at) if "release_at" in said else order.release_at
    is_new = deadline_at is not None
    ready_at = epoch_of(body.pickup_ready_at) or record.expected_ready_at
    check_sequence(
        deadline_at=order.due_at if deadline_at is None else deadline_at,
        ready_at=ready_at if is_new and record.is_waiting else None,
        opens_at=opens_at if is_new or "dropoff_ready_at" in said else None,
        release_at=release_at if is_new or (has_deadline and "release_at" in said) else None,
        earliest_at=now + (LEAST_WAY_S if record.is_waiting else 1) if is_new else None,
    )


def check_instants(body: QuoteRequest | DeliveryPatch | ReadyEstimate, now: int) -> None:
    """Raises InvalidInput for an instant of an order more than a day back or a week ahead."""
    for name in ORDER_INSTANTS:
        check_instant(epoch_of(getattr(body, name, None)), now, name)
    placed_at = epoch_of(getattr(body, "placed_at", None))
    if placed_at is not None and not now - OLDEST_S <= placed_at <= now + 60:
        raise _invalid("placed_at", "lies ahead, or more than a day back")


def check_instant(at: int | None, now: int, field: str) -> None:
    """The same of one instant, by the name that its caller gave it."""
    if at is not None and not now - OLDEST_S <= at <= now + FURTHEST_AHEAD_S:
        raise _invalid(field, "lies more than a day back or a week ahead")


def check_sequence(
    *,
    deadline_at: int | None,
    ready_at: int | None,
    opens_at: int | None,
    release_at: int | None,
    earliest_at: int | None,
) -> None:
    """Raises InvalidInput where a deadline lies before what must come first; None: not named, so not judged.

    `earliest_at`: when the order could be at its door if somebody held it now.
    """
    if deadline_at is None:
        return
    if opens_at is not None and deadline_at < opens_at:
        raise _invalid("dropoff_deadline_at", "lies before dropoff_ready_at")
    if ready_at is not None and deadline_at < ready_at:
        raise _invalid("dropoff_deadline_at", "lies before pickup_ready_at")
    if release_at is not None and deadline_at < release_at:
        raise _invalid("release_at", "lies after dropoff_deadline_at")
    if earliest_at is not None and deadline_at < earliest_at:
        raise _invalid("dropoff_deadline_at", "has passed, or cannot be kept by anyone")


def least_way_s(service: Service, store_id: str, where: Location) -> int:
    """Seconds that nobody can do without between a store and a door: at the fastest speed believed of a rider."""
    board = service.host.board
    metres = metres_to(board, board.stores[store_id].store.place, where)
    return LEAST_WAY_S + int(metres / FASTEST_M_PER_S)


def check_area(service: Service, store_id: str, where: Location) -> None:
    """Raises where a drop is at the store itself, or too far from it."""
    board = service.host.board
    if metres_to(board, board.stores[store_id].store.place, where) < SAME_PLACE_M:
        raise _invalid("dropoff.location", "is where the goods are picked up")
    check_reach(service, store_id, where, "dropoff.location")


def check_reach(service: Service, store_id: str, where: Location, field: str) -> None:
    """Raises where goods of a store would lie outside its service area."""
    board, radius_m = service.host.board, service.config.service.radius_m
    away = metres_to(board, board.stores[store_id].store.place, where)
    if away > radius_m:
        raise InvalidInput(
            f"it lies {away / 1000:.1f} km from the store", code="outside_service_area", field=field, radius_m=radius_m
        )


def check_city(service: Service, where: Location, besides: str = "") -> None:
    """Raises where a store or a rider would be nowhere, or too far from every (other) store to be of this city."""
    board = service.host.board
    if (where.lat, where.lng) == (0.0, 0.0) and board.places.frame == "wgs84":
        raise InvalidInput("0, 0 is what devices say that know nothing", code="invalid_coordinates", field="location")
    away = _from_stores_m(board, where, besides)
    if away > CITY_M:
        raise InvalidInput(
            f"it lies {away / 1000:,.0f} km from every store",
            code="outside_service_area",
            field="location",
            hint="Are latitude and longitude swapped, here or in the stores known so far?",
        )


def is_elsewhere(board: Board, rider_id: str, where: Location) -> bool:
    """Whether a rider would be too far from every store to be of this city; those near where they were are not."""
    known = metres_to(board, board.riders[rider_id].here, where) <= CITY_M
    return not known and _from_stores_m(board, where) > CITY_M


def _from_stores_m(board: Board, where: Location, besides: str = "") -> float:
    """Metres to the nearest store but for one; 0 where there is none."""
    known = (record.store.place for store_id, record in board.stores.items() if store_id != besides)
    return min((metres_to(board, place, where) for place in known), default=0.0)


def metres_to(board: Board, place: int, where: Location) -> float:
    """Metres in a straight line from a place to a location."""
    at = board.places.latlng(place)
    return metres_between(Position("", at.lat, at.lng, 0), Position("", where.lat, where.lng, 0))


def check_needs(service: Service, needs: list[str]) -> None:
    """Raises for a need that no rider could be known to provide."""
    known = service.config.service.needs
    for name in needs:
        if name not in known:
            raise InvalidInput(f"there is no need {name!r}", code="validation_failed", field="needs", known=list(known))


def goods_class_of(goods: Goods | None) -> str:
    """The class of goods as the engine names it; empty where nothing was said."""
    return "" if goods is None else goods.goods_class


def check_goods(service: Service, goods: Goods | None) -> None:
    """Raises for a class of goods of which `rules.mix` and we know nothing."""
    known = mix_rule(service.host.board.settings.rules.mix).classes
    if goods is not None and goods.goods_class not in known:
        message = f"there is no class of goods {goods.goods_class!r}"
        raise InvalidInput(message, code="validation_failed", field="goods.class", known=list(known))


def check_tier(service: Service, tier: str | None) -> None:
    """Raises for a tier that `rules.tiers` does not name."""
    known = tiers_of(service.host.board.settings.rules.tiers)
    if tier is not None and tier not in known:
        message = f"there is no tier {tier!r}"
        raise InvalidInput(message, code="validation_failed", field="tier", known=list(known))


def _invalid(field: str, why: str) -> InvalidInput:
    return InvalidInput(f"{field} {why}", code="invalid_order", field=field)
