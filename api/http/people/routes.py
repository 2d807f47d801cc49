"""Riders as people: pairs that must not meet, receipts of decisions, and what operations take back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from api.access.rules import Caller, Scope, access
from api.common.errors import NotFound
from api.common.ids import external_id_of
from api.http.commands import Command, Ops, OpsCommand, Remember, Reply, Running, Service, compact
from api.http.people.schemas import ApartBody, ApartShown, ReceiptShown, ReceiptsShown, ReversalBody
from api.http.problems import problems
from api.http.routes.deliveries import find as find_delivery
from api.http.routes.riders import RiderId
from api.http.routes.riders import find as find_rider
from api.http.schemas.base import Taken, instant_at
from api.http.transport.door import Door
from api.live.words import OTHER, kept_of_rider, plain, said_of_rider
from dispatch.board.records import RiderRecord
from dispatch.calendar.local_time import zone_of
from dispatch.inputs import ApartSet, ReversalOrdered
from dispatch.people.apart import Party, name_in
from dispatch.receipts import REVERSIBLE, About, RiderReceipt
from dispatch.record.people.receipt_words import in_words, reasons_now
from routing.errors import InvalidInput

router = APIRouter(tags=["riders"], route_class=Door)


@router.get(
    "/v1/riders/{rider_id}/apart",
    summary="List whom a rider is kept apart from",
    response_model=list[ApartShown],
    responses=problems(),
)
async def list_apart(service: Running, caller: Ops, rider_id: RiderId) -> list[ApartShown]:
    """Stores, customers and doors that this rider does not meet, with the reason and whose key said so."""
    await service.host.settled()
    return _pairs(service, find_rider(service, rider_id))


@router.post(
    "/v1/riders/{rider_id}/apart",
    summary="Keep a rider apart",
    response_model=list[ApartShown],
    responses=problems(409),
)
async def begin_apart(command: OpsCommand, rider_id: RiderId, body: ApartBody) -> Response:
    """A rider and a store or a customer must not meet: no plan, quote, offer or handover brings them together.

    What the rider has not fetched yet goes to others; goods in their bag stay with them.
    """
    return await _set(command, rider_id, body, apart=True)


@router.post(
    "/v1/riders/{rider_id}/apart/end",
    summary="Keep a rider apart no longer",
    response_model=list[ApartShown],
    responses=problems(409),
)
async def end_apart(command: OpsCommand, rider_id: RiderId, body: ApartBody) -> Response:
    """They may meet again."""
    return await _set(command, rider_id, body, apart=False)


Self = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True)]


@router.get(
    "/v1/riders/{rider_id}/receipts",
    summary="Read why",
    response_model=ReceiptsShown,
    responses=problems(),
)
async def receipts(service: Running, caller: Self, rider_id: RiderId) -> ReceiptsShown:
    """Why this order, why not that one, and what was decided about the rider, in plain words; for them alone."""
    await service.host.settled()
    return _receipts(service, find_rider(service, rider_id))


@router.post(
    "/v1/riders/{rider_id}/receipts/{number}/reverse",
    summary="Take a decision about a rider back",
    response_model=Taken,
    responses=problems(409),
)
async def reverse(
    command: OpsCommand, rider_id: RiderId, number: Annotated[int, Path(ge=1, le=2**53)], body: ReversalBody
) -> Response:
    """A log-off, a silence, an order they are not asked for, a pair kept apart: journalled with reason and key."""

    async def do(remember: Remember) -> Reply:
        service = command.service
        record = find_rider(service, rider_id)
        return await command.tell(
            lambda at: ReversalOrdered(
                at=at, rider_id=rider_id, number=number, reason=plain(body.reason), by=command.caller.key_id
            ),
            vault=kept_of_rider(service.host, record.rider.place, About.REVERSED.value, body.reason),
            respond=lambda events: Reply(200, Taken().model_dump_json()),
            answer=remember,
        )

    return await command.once(do)


def _receipts(service: Service, record: RiderRecord) -> ReceiptsShown:
    contact, zone = service.config.service.rider_contact, zone_of(service.config.service.time_zone)

    def clock(at: int) -> str:
        return datetime.fromtimestamp(at, zone).strftime("%H:%M")

    words = said_of_rider(service.host, record.rider.place)

    def said(one: RiderReceipt) -> RiderReceipt:
        return replace(one, reason=words.get(one.about.value, OTHER)) if one.reason == OTHER else one

    shown = [
        ReceiptShown(
            number=one.number,
            at=instant_at(one.at),
            about=one.about.value,
            deliveries=list(one.order_ids),
            text=in_words(said(one), clock=clock, contact=contact, naming=external_id_of),
            reversible=one.about in REVERSIBLE,
            contact=contact if one.about in REVERSIBLE else None,
        )
        for one in reversed(record.receipts)
    ]
    now = reasons_now(record, service.host.board, clock=clock)
    return ReceiptsShown(rider_id=record.rider.rider_id, contact=contact, now=now, receipts=shown)


async def _set(command: Command, rider_id: str, body: ApartBody, *, apart: bool) -> Response:
    async def do(remember: Remember) -> Reply:
        service = command.service
        record = find_rider(service, rider_id)
        party, name = _named(command, body)
        return await command.tell(
            lambda at: ApartSet(
                at=at, rider_id=rider_id, party=party, name=name, apart=apart, reason=plain(body.reason),
                by=command.caller.key_id,
            ),
            vault=kept_of_rider(service.host, record.rider.place, f"apart {party.value} {name}", body.reason),
            respond=lambda events: _reply(service, rider_id),
            answer=remember,
        )  # fmt: skip

    return await command.once(do)


def _named(command: Command, body: ApartBody) -> tuple[Party, str]:
    """Whom a body names; raises where a delivery says nothing of its customer."""
    if body.store_id is not None:
        if body.store_id not in command.service.host.board.stores:
            raise NotFound("there is no such store here", code="unknown_store")
        return Party.STORE, body.store_id
    if body.party is not None:
        return Party(body.party), body.name or ""
    order = find_delivery(command.service, command.caller, body.delivery_id or "").order
    for party in (Party.CUSTOMER, Party.DOOR):
        name = name_in(order, party)
        if name is not None:
            return party, name
    raise InvalidInput(
        "the delivery names neither its customer nor its address",
        code="validation_failed",
        field="delivery_id",
        hint="Orders name whom they are for by dropoff.customer_id, address_id or address.",
    )


def _reply(service: Service, rider_id: str) -> Reply:
    shown = [pair.model_dump(mode="json") for pair in _pairs(service, find_rider(service, rider_id))]
    return Reply(200, compact(shown))


def _pairs(service: Service, record: RiderRecord) -> list[ApartShown]:
    words = said_of_rider(service.host, record.rider.place)
    return [
        ApartShown(
            party=pair.party.value,
            name=pair.name,
            since_at=instant_at(pair.since_at),
            reason=pair.reason,
            by=pair.by,
            words=words.get(f"apart {pair.party.value} {pair.name}"),
        )
        for pair in record.apart
    ]
