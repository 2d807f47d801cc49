"""Quotes: what a delivery would be like, read off the board; nothing is kept until one is accepted."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api import wire
from api.auth import Caller, Scope, access
from api.deliverability import check_deliverable, defaults
from api.deliveries import OrdersWrite, place
from api.door import Door
from api.faults import problems
from api.ledger.protocol import Answer
from api.limits import Meter
from api.notices import order_id_of
from api.service import IdempotencyKey, Keep, Reply, Running, Service, replied
from api.tokens import opened, signed
from dispatch.board import Board
from dispatch.model import Reason
from dispatch.progress import whereabouts
from dispatch.records import RiderRecord
from routing.errors import InvalidInput
from routing.travel import UNREACHABLE, TravelTimes

router = APIRouter(tags=["quotes"], route_class=Door)

HORIZON_S = 3600
"""Riders free or on duty within this time count."""


class QuoteExpired(InvalidInput):
    """A quote accepted too late, or one that is not ours."""

    code = "quote_expired"


class Estimate(NamedTuple):
    """Epoch seconds of the two handovers, None where nobody is in reach; `reason` says why."""

    pickup_at: int | None
    dropoff_at: int | None
    reason: Reason | None


@router.post("/v1/quotes", summary="Ask for a quote", response_model=wire.Quote, responses=problems())
async def quote(
    request: Request,
    service: Running,
    caller: Annotated[Caller, access(Scope.ORDERS, Scope.OPS, meter=Meter.QUOTE)],
    body: wire.QuoteRequest,
    key: IdempotencyKey = None,
) -> Response:
    """When it would be there, if ordered now; a pure look at the board."""

    async def do(keep: Keep) -> Reply:
        board = await service.host.settled()
        now = service.host.clock.now()
        check_deliverable(service, caller, body, now)
        reply = Reply(200, _quote(service, board, caller, body, now).model_dump_json())
        return await replied(service, keep, reply)

    def restore(answer: Answer) -> Reply:
        kept = json.loads(answer.body)
        if "promise" not in kept:
            return Reply(answer.status, answer.body)
        expires_at, due_at = (int(datetime.fromisoformat(at).timestamp()) for at in (
            kept["expires_at"], kept["promise"]["due_at"]
        ))  # fmt: skip
        again = wire.Quote(quote_id=_signed(service, caller, body, expires_at, due_at), **kept)
        return Reply(answer.status, again.model_dump_json())

    return await service.run(request, caller, key, do, restore)


def _signed(service: Service, caller: Caller, body: wire.QuoteRequest, expires_at: int, due_at: int) -> str:
    """The quote as a statement of ours: it is kept nowhere else, and it holds what is personal."""
    said: dict[str, Any] = {"t": caller.tenant, "e": expires_at, "d": due_at}
    said["b"] = body.model_dump(mode="json", exclude_unset=True)
    return signed(service.secret, "quote", said)


def _quote(service: Service, board: Board, caller: Caller, body: wire.QuoteRequest, now: int) -> wire.Quote:
    times = defaults(service, body, now)
    drop = service.host.looked_at(body.dropoff.location.lat, body.dropoff.location.lng)
    enter_s = service.config.service.drop_enter_s
    found = estimate(board, service.host.times, body, drop, ready_at=times.ready_at, now=now, enter_s=enter_s)
    due_at = times.due_at
    if found.dropoff_at is not None and body.dropoff_deadline_at is None:
        due_at = max(due_at, found.dropoff_at)  # a promise that is broken already helps nobody
    expires_at = now + service.config.service.quote_s
    return wire.Quote(
        quote_id=_signed(service, caller, body, expires_at, due_at),
        external_delivery_id=body.external_delivery_id,
        pickup_at=wire.instant(found.pickup_at),
        dropoff_at=wire.instant(found.dropoff_at),
        expires_at=wire.at(expires_at),
        promise=wire.Promise(due_at=wire.at(due_at)),
        currency=body.currency or service.config.service.currency,
        reason=found.reason.name if found.reason is not None else None,
    )


def estimate(
    board: Board,
    times: TravelTimes,
    body: wire.QuoteRequest,
    drop: int,
    *,
    ready_at: int,
    now: int,
    enter_s: int,
) -> Estimate:
    """The earliest delivery at place `drop` if the rider who can be at the store first takes this order next."""
    riders = [record for record in board.riders.values() if _is_usable(record, board, now)]
    if not riders:
        return Estimate(None, None, Reason.NO_RIDER_IN_REACH)
    store = board.stores[body.pickup_store_id].store
    starts, free_at = _ends_of_work(riders, now)
    legs = times.table(np.array(starts, dtype=np.int32), np.array([store.place], dtype=np.int32), now)
    profile_of = {name: k for k, name in enumerate(times.profiles)}
    profiles = np.array([profile_of.get(record.rider.profile, 0) for record in riders])
    to_store = legs[profiles, np.arange(len(riders)), 0]
    if (to_store >= UNREACHABLE).all():
        return Estimate(None, None, Reason.UNREACHABLE)
    arrive = np.where(to_store >= UNREACHABLE, np.iinfo(np.int64).max // 2, np.array(free_at) + to_store)
    first = int(np.argmin(arrive))
    places = board.places
    delay_s = board.stores[store.store_id].delay_s
    pickup_at = max(int(arrive[first]) + int(places.enter_s[store.place]), ready_at + delay_s)
    leg_s = _leg_s(times, store.place, drop, int(profiles[first]), now)
    if leg_s >= UNREACHABLE:
        return Estimate(pickup_at, None, Reason.UNREACHABLE)
    dropoff_at = pickup_at + int(places.exit_s[store.place]) + leg_s + enter_s
    return Estimate(pickup_at, max(dropoff_at, wire.epoch(body.dropoff_ready_at) or 0), None)


def _is_usable(record: RiderRecord, board: Board, now: int) -> bool:
    shift = record.shift_at(now)
    if shift is None or record.lost or record.on_break:
        return False
    return shift.start_at <= now + HORIZON_S and shift.last_pickup_at >= now


def _ends_of_work(riders: list[RiderRecord], now: int) -> tuple[list[int], list[int]]:
    """Where, and from when, each rider could begin something new."""
    starts, free_at = [], []
    for record in riders:
        stops = record.route.stops
        if stops:
            starts.append(stops[-1].place)
            free_at.append(max(now, stops[-1].expected_leave_at))
        else:
            start = whereabouts(record, now)
            starts.append(start.place)
            free_at.append(start.free_at)
    return starts, free_at


def _leg_s(times: TravelTimes, store: int, drop: int, profile: int, now: int) -> int:
    leg = times.table(np.array([store], dtype=np.int32), np.array([drop], dtype=np.int32), now)
    return int(leg[profile, 0, 0])


@router.post(
    "/v1/quotes/{external_delivery_id}/accept",
    status_code=201,
    summary="Accept a quote",
    response_model=wire.Delivery,
    responses={200: {"model": wire.Delivery, "description": "Accepted before"}, **problems(409)},
)
async def accept(
    request: Request,
    service: Running,
    caller: OrdersWrite,
    external_delivery_id: Annotated[wire.ExternalId, Path()],
    body: wire.QuoteAccept,
    key: IdempotencyKey = None,
) -> Response:
    """Makes the delivery that was quoted, with the promise that was given; 409 quote_expired afterwards."""

    async def do(keep: Keep) -> Reply:
        said = opened(service.secret, "quote", body.quote_id)
        if said is None or said["t"] != caller.tenant or said["b"]["external_delivery_id"] != external_delivery_id:
            raise InvalidInput("this is no quote of ours", code="unknown_quote", field="quote_id")
        ordered = wire.DeliveryRequest.model_validate(said["b"])
        known = service.host.order(order_id_of(caller.tenant, external_delivery_id))
        if said["e"] <= service.host.clock.now() and known is None:
            raise QuoteExpired("the quote has expired", hint="Ask for a new one.")
        return await place(service, caller, ordered, keep, due_at=said["d"])

    return await service.run(request, caller, key, do)
