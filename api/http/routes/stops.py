"""What a rider's phone says at stops and to offers.

Reports are facts: one about an old revision, or a stop that went elsewhere, is taken down and never refused.  Only a
missing proof of delivery is sent back before it becomes a report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from api.access.rules import Caller
from api.common.errors import NotFound
from api.common.ids import rider_of_stop
from api.http import presenters
from api.http.commands import Command, Remember, Reply, Running, Service
from api.http.problems import problems
from api.http.proofs import proofs
from api.http.routes.positions import TAKEN, UNKNOWN
from api.http.routes.riders import RiderCommand, RiderId, Self, find
from api.http.schemas.base import Happened, Taken, epoch_of
from api.http.schemas.riders import (
    OfferShown,
    RouteSeenBody,
    RouteShown,
    StopDone,
    StopFailedBody,
)
from api.http.schemas.values import OfferOrStopId
from api.http.transport.door import Door
from api.ledger.protocol import VaultRow
from api.live.words import kept, plain
from api.outbox.counter import planned_bags
from dispatch.events import Event, ReportContradicted
from dispatch.inputs import (
    Input,
    OfferAccepted,
    OfferDeclined,
    RouteSeen,
    StopArrived,
    StopCompleted,
    StopFailed,
)
from dispatch.model import Level
from dispatch.receipts import rider_of_offer

router = APIRouter(tags=["riders"], route_class=Door)

StopId = Annotated[OfferOrStopId, Path(examples=["r-7.3"])]
OfferId = Annotated[OfferOrStopId, Path(examples=["r-7@1700000000.0"])]


def rider_at(service: Service, caller: Caller, stop_id: str) -> str:
    """Whose stop it is, or was; NotFound where the caller may not speak for them."""
    rider_id = rider_of_stop(stop_id)
    number = stop_id.rpartition(".")[2]
    record = service.host.board.riders.get(rider_id)
    known = record is not None and number.isdigit() and 0 < int(number) <= record.stops_told
    if not known or not caller.is_rider(rider_id):
        raise NotFound("there is no such stop here", code="unknown_stop")
    return rider_id


@router.post("/v1/stops/{stop_id}/arrive", summary="Report arrival", response_model=Taken, responses=problems())
async def arrive(command: RiderCommand, stop_id: StopId, body: Happened | None = None) -> Response:
    """At the stop since `happened_at`."""
    said = epoch_of(body.happened_at) if body is not None else None

    def make(rider_id: str, at: int) -> Input:
        return StopArrived(at=at, rider_id=rider_id, stop_id=stop_id, happened_at=said or at)

    return await _report(command, stop_id, make)


@router.post("/v1/stops/{stop_id}/complete", summary="Complete a stop", response_model=Taken, responses=problems())
async def complete(command: RiderCommand, stop_id: StopId, body: StopDone | None = None) -> Response:
    """Goods were taken, or handed over; a delivery that asks for a proof needs the pin or the photo's reference."""
    done = body or StopDone()
    said = epoch_of(done.happened_at)
    named = tuple(done.deliveries) if done.deliveries is not None else None

    def make(rider_id: str, at: int) -> Input:
        at_ = said or at  # the engine clamps and marks what cannot be
        revision = showed(command.service, rider_id, at_, done.revision) if named is None else None
        return StopCompleted(
            at=at, rider_id=rider_id, stop_id=stop_id, happened_at=at_, order_ids=named, revision=revision
        )

    return await _report(command, stop_id, make, done)


@router.post("/v1/stops/{stop_id}/fail", summary="Fail a stop", response_model=Taken, responses=problems())
async def fail(command: RiderCommand, stop_id: StopId, body: StopFailedBody) -> Response:
    """Customer absent, goods missing, store shut."""
    said = epoch_of(body.happened_at)
    named = tuple(body.deliveries) if body.deliveries is not None else None

    def make(rider_id: str, at: int) -> Input:
        at_ = said or at  # the engine clamps and marks what cannot be
        revision = showed(command.service, rider_id, at_, body.revision) if named is None else None
        return StopFailed(
            at=at,
            rider_id=rider_id,
            stop_id=stop_id,
            happened_at=at_,
            reason=plain(body.reason),
            order_ids=named,
            revision=revision,
        )

    return await _report(command, stop_id, make, words=body.reason)


async def _report(
    command: Command,
    stop_id: str,
    make: Callable[[str, int], Input],
    done: StopDone | None = None,
    words: str = "",
) -> Response:
    async def do(remember: Remember) -> Reply:
        rider_id = rider_at(command.service, command.caller, stop_id)
        item = make(rider_id, command.service.host.clock.now())
        require_theirs(command.service, rider_id, getattr(item, "order_ids", None) or ())
        rows: tuple[VaultRow, ...] = ()
        if done is not None and isinstance(item, StopCompleted):
            rows = await proofs(command.service.host, item, done)
        elif isinstance(item, StopFailed) and words:
            orders = item.order_ids or _shown_at(command.service, rider_id, stop_id)
            rows = kept(command.service.host, orders, "fail", words)
        return await command.tell(lambda at: make(rider_id, at), vault=rows, respond=_taken, answer=remember)

    return await command.once(do)


def showed(service: Service, rider_id: str, at: int, said: int | None) -> int | None:
    """The revision of the route that a phone showed at `at`: as it says, or as it was sent."""
    return service.host.phones.showed(rider_id, at) if said is None else said


def _taken(events: tuple[Event, ...]) -> Reply:
    return UNKNOWN if any(isinstance(event, ReportContradicted) for event in events) else TAKEN


def require_theirs(service: Service, rider_id: str, order_ids: Iterable[str]) -> None:
    """Raises NotFound for a delivery that this rider neither has (or had) in their bag nor was told to fetch."""
    rider = service.host.board.riders[rider_id]
    told = {order_id for stop in rider.shown for order_id, _ in stop.acts}
    told |= {act.order_id for stop in rider.route.told for act in stop.acts if act.level >= Level.TOLD}
    told |= {act.order_id for act in planned_bags(rider)}
    for order_id in order_ids:
        record = service.host.order(order_id)
        if record is None or not (order_id in told or rider_id in (record.carried_by, record.rider_id)):
            raise NotFound("there is no such delivery here", code="unknown_delivery", field="deliveries")


# --- offers ---------------------------------------------------------------------------------------------------------


@router.get(
    "/v1/riders/{rider_id}/offers",
    summary="List a rider's offers",
    response_model=list[OfferShown],
    responses=problems(),
)
async def offers(service: Running, caller: Self, rider_id: RiderId) -> list[OfferShown]:
    """The open offer, if there is one."""
    board = await service.host.settled()
    offer = board.offers.get(find(service, rider_id).offer_id or "")
    if offer is None or board.offer_ends_at(offer) <= service.host.clock.now():
        return []
    return [presenters.offer(offer, board.offer_ends_at(offer))]


@router.post("/v1/offers/{offer_id}/accept", summary="Accept an offer", response_model=Taken, responses=problems(409))
async def accept_offer(command: RiderCommand, offer_id: OfferId) -> Response:
    """All of it; 409 offer_closed where it has expired, was withdrawn, or is answered."""
    return await _answer(
        command,
        offer_id,
        lambda rider_id, at: OfferAccepted(at=at, offer_id=offer_id, rider_id=rider_id),
    )


@router.post("/v1/offers/{offer_id}/decline", summary="Decline an offer", response_model=Taken, responses=problems(409))
async def decline_offer(command: RiderCommand, offer_id: OfferId) -> Response:
    """The rider is not asked for these orders again."""
    return await _answer(
        command,
        offer_id,
        lambda rider_id, at: OfferDeclined(at=at, offer_id=offer_id, rider_id=rider_id),
    )


async def _answer(command: Command, offer_id: str, make: Callable[[str, int], Input]) -> Response:
    async def do(remember: Remember) -> Reply:
        rider_id = rider_of_offer(offer_id)
        if (
            rider_id not in command.service.host.board.riders
            or "@" not in offer_id
            or not command.caller.is_rider(rider_id)
        ):
            raise NotFound("there is no such offer here", code="unknown_offer")
        await command.service.host.tell(lambda at: make(rider_id, at), respond=lambda events: TAKEN, answer=remember)
        return TAKEN

    return await command.once(do)


def _shown_at(service: Service, rider_id: str, stop_id: str) -> list[str]:
    """Deliveries that a rider was told at a stop."""
    stops = service.host.board.riders[rider_id].route.told
    return [act.order_id for stop in stops if stop.stop_id == stop_id for act in stop.acts if act.level >= Level.TOLD]


@router.get(
    "/v1/riders/{rider_id}/route", summary="Get a rider's route", response_model=RouteShown, responses=problems()
)
async def route(
    service: Running,
    caller: Self,
    rider_id: RiderId,
    after_revision: Annotated[int | None, Query(ge=-1, le=2**53, description="Wait for a newer one.")] = None,
    wait_s: Annotated[float, Query(ge=0, le=30)] = 0,
) -> Response:
    """The told stops.  With `after_revision` and `wait_s` it answers as soon as there is a newer revision.

    At a counter the first stop names the bags planned for this rider, too (`planned`); a swap is a newer revision.
    """
    await service.host.settled()
    record = find(service, rider_id)
    if after_revision is not None and wait_s:
        feed = service.host.feed
        try:
            async with asyncio.timeout(wait_s):
                while _shown_revision(service, rider_id) <= after_revision and not feed.is_closed:
                    await feed.wait()
        except TimeoutError:
            pass
        await service.host.settled()
        record = find(service, rider_id)
    told = presenters.route(service.host, record)
    service.host.phones.sent(rider_id, told.revision, service.host.clock.now())
    if service.shadow:  # another dispatcher tells this rider where to go
        told.stops.clear()
    return Response(told.model_dump_json(), media_type="application/json")


def _shown_revision(service: Service, rider_id: str) -> int:
    """The newest revision of a rider's route that differs in what it shows."""
    return max(find(service, rider_id).told_revision, service.host.bags_since(rider_id))


@router.post(
    "/v1/riders/{rider_id}/route/seen",
    summary="Acknowledge a route",
    response_model=Taken,
    responses=problems(),
)
async def route_seen(command: RiderCommand, rider_id: RiderId, body: RouteSeenBody) -> Response:
    """From now on the told stops are under way; a route that no phone has shown is withdrawn after a while."""

    async def do(remember: Remember) -> Reply:
        find(command.service, rider_id)
        said = epoch_of(body.happened_at)
        await command.service.host.tell(
            lambda at: RouteSeen(at=at, rider_id=rider_id, revision=body.revision, happened_at=said or at),
            respond=lambda events: TAKEN,
            answer=remember,
        )
        return TAKEN

    return await command.once(do)
