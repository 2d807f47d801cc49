"""Riders: who they are, when they work, and what the phone in a rider's hand says and asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.access.keys import EPOCH
from api.access.rate_limits import Meter
from api.access.rules import Caller, NotFound, Scope, Unauthorized, access
from api.http import presenters
from api.http.acceptance import check_city
from api.http.commands import IdempotencyKey, Keep, Reply, Running, Service, replied
from api.http.problems import problems
from api.http.schemas import wire
from api.http.schemas.positions import LeftOut, PositionBatch, PositionBody, PositionsTaken, Unreadable
from api.http.transport.door import Door
from api.ledger.protocol import OPERATOR, VaultRow, Write
from dispatch.board.records import RiderRecord
from dispatch.bounds import require_instant
from dispatch.errors import Refused
from dispatch.inputs import (
    BreakBegan,
    BreakEnded,
    Input,
    Position,
    RiderListed,
    RouteSeen,
    ShiftEnded,
    ShiftPlanned,
)
from dispatch.model import Engagement, Rider, Shift
from routing.errors import InvalidInput

router = APIRouter(tags=["riders"], route_class=Door)

Looks = Annotated[Caller, access(Scope.RIDERS, Scope.OPS)]
Writes = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, meter=Meter.WRITE)]
Self = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True)]
SelfWrites = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.WRITE)]
SelfMoves = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.POSITION)]
RiderId = Annotated[wire.Id, Path()]
LONGEST_SHIFT_S = 14 * 3600


def find(service: Service, rider_id: str) -> RiderRecord:
    """A rider; NotFound where there is none."""
    record = service.host.board.riders.get(rider_id)
    if record is None:
        raise NotFound("there is no such rider here", code="unknown_rider")
    return record


def happened(said: int | None, at: int) -> int:
    """When somebody says it was: their clock may be wrong, so never ahead of ours and never more than a day back."""
    return at if said is None else max(at - 86_400, min(said, at))


# --- catalogue ------------------------------------------------------------------------------------------------------


@router.get("/v1/riders", summary="List riders", response_model=list[wire.RiderShown], responses=problems())
async def list_riders(request: Request, service: Running, caller: Looks) -> Response:
    """Every rider."""
    records = list(service.host.board.riders.values())
    rows = await service.pages.rows(request, caller, records, lambda one: _shown(service, one).model_dump_json())
    await service.host.settled()
    return Response(rows, media_type="application/json")


@router.get("/v1/riders/{rider_id}", summary="Read a rider", response_model=wire.RiderShown, responses=problems())
async def get_rider(service: Running, caller: Self, rider_id: RiderId) -> wire.RiderShown:
    """A rider as of now."""
    await service.host.settled()
    return _shown(service, find(service, rider_id))


@router.put(
    "/v1/riders/{rider_id}", summary="Make or change a rider", response_model=wire.RiderShown, responses=problems()
)
async def put_rider(service: Running, caller: Writes, rider_id: RiderId, body: wire.RiderBody) -> wire.RiderShown:
    """A rider is new, or is now this; `location` counts for a new one only."""
    with service.slot(caller):
        return await list_rider(service, rider_id, body)


async def list_rider(service: Service, rider_id: str, body: wire.RiderBody) -> wire.RiderShown:
    """Tells the engine of a rider; one it knows keeps his place, which has moved with him."""
    host, names = service.host, service.config.service.needs
    profile = body.profile or host.times.profiles[0]
    if profile not in host.times.profiles:
        raise InvalidInput(
            f"no travel times are known for {profile!r}",
            code="validation_failed",
            field="profile",
            known=list(host.times.profiles),
        )
    for name in body.provides:
        if name not in names:
            raise InvalidInput(f"there is no need {name!r}", code="validation_failed", field="provides")
    known = host.board.riders.get(rider_id)
    where = body.location
    if known is None:
        check_city(service, where)
    handle = known.rider.place if known is not None else host.add_place(where.lat, where.lng)
    row = VaultRow(handle, OPERATOR, "rider", rider_id, where.lat, where.lng)
    row = (host.vault_row(handle) or row)._replace(
        personal=body.model_dump(mode="json", include={"name", "phone_number"}, exclude_none=True)
    )
    rider = Rider(
        rider_id,
        handle,
        profile,
        body.capacity_units,
        presenters.mask_of(body.provides, host.board.needs),
        Engagement(body.engagement),
    )
    await host.tell(lambda at: RiderListed(at=at, rider=rider), vault=(row,))
    return _shown(service, find(service, rider_id))


def _shown(service: Service, record: RiderRecord) -> wire.RiderShown:
    return presenters.rider(service.host, record, service.host.board.needs)


@router.post(
    "/v1/riders/{rider_id}/token", summary="A rider's own key", response_model=wire.Token, responses=problems()
)
async def token(request: Request, service: Running, caller: SelfWrites, rider_id: RiderId) -> wire.Token:
    """For the app in their hand: short-lived, good for this rider alone, as long as the key that asked first is good.

    Asked with such a token it is renewed, up to a day after the operator has asked for the first one; once the shift is
    over and nothing is in the bag, the operator must ask again.
    """
    board = await service.host.settled()
    record = find(service, rider_id)
    book, now = request.app.state.gate.keys, service.host.clock.now()
    if caller.token is None:
        text, said = book.rider_token(caller.tenant, rider_id, now, key_id=caller.key_id)
    else:
        carries = any(board.orders[a.order_id].carried_by == rider_id for stop in record.route.stops for a in stop.acts)
        if record.shift_at(now) is None and not carries:
            raise Unauthorized("the shift is over", hint="The operator's key gets a fresh token.")
        text, said = book.renewed(caller.token, now)
    return wire.Token(token=text, expires_at=wire.at(said.expires_at))


@router.delete(
    "/v1/riders/{rider_id}/token", summary="End a rider's keys", response_model=wire.Taken, responses=problems()
)
async def end_tokens(request: Request, service: Running, caller: Writes, rider_id: RiderId) -> wire.Taken:
    """Every token of this rider is void at once: their phone is lost, or not theirs any more."""
    find(service, rider_id)
    book = request.app.state.gate.keys
    epoch = book.epoch(rider_id) + 1
    with service.slot(caller):
        book.end_tokens(rider_id, epoch)  # at once, and after a restart
        await service.host.write(Write(extra=((EPOCH + rider_id, epoch),)))
    return wire.Taken()


# --- shifts and breaks ----------------------------------------------------------------------------------------------


@router.post(
    "/v1/riders/{rider_id}/shift",
    summary="Begin or plan a shift",
    response_model=wire.RiderShown,
    responses=problems(409),
)
async def shift(
    request: Request,
    service: Running,
    caller: SelfWrites,
    rider_id: RiderId,
    body: wire.ShiftBody | None = None,
    key: IdempotencyKey = None,
) -> Response:
    """He may be given work from `start_at` (now) on: no pickup after `last_pickup_at`, on his way home by `end_at`."""
    said = body or wire.ShiftBody()

    def make(at: int) -> Input:
        start_at = max(at, wire.epoch(said.start_at) or at)
        require_instant("end_at", wire.epoch(said.end_at), at)
        asked = _shift_of(rider_id, said, start_at)
        if asked.last_pickup_at < start_at:
            raise InvalidInput("the shift is over before it begins", code="invalid_order", field="last_pickup_at")
        _no_overlap(find(service, rider_id), asked, at)
        service.host.positions.forget(rider_id)
        return ShiftPlanned(at=at, shift=asked)

    async def do(keep: Keep) -> Reply:
        if _is_known(find(service, rider_id), said, service.host.clock.now()):
            return await replied(service, keep, _reply(service, rider_id))
        return await _tell(service, rider_id, make, keep)

    return await service.run(request, caller, key, do)


def _shift_of(rider_id: str, said: wire.ShiftBody, start_at: int) -> Shift:
    end_at = wire.epoch(said.end_at)
    return Shift(rider_id, start_at, wire.epoch(said.last_pickup_at) or end_at or start_at + LONGEST_SHIFT_S, end_at)


def _is_known(record: RiderRecord, said: wire.ShiftBody, now: int) -> bool:
    """Whether just this shift was entered before: whoever got no answer asks again."""
    start_at = wire.epoch(said.start_at)
    return any(
        known == _shift_of(known.rider_id, said, known.start_at)
        and (known.start_at == start_at or (start_at is None and known.start_at <= now <= known.last_pickup_at))
        for known in record.shifts
    )


def _no_overlap(record: RiderRecord, asked: Shift, now: int) -> None:
    ends_at = asked.end_at if asked.end_at is not None else asked.last_pickup_at
    for known in record.shifts:
        known_end = known.end_at if known.end_at is not None else known.last_pickup_at
        if known_end >= now and known.start_at < ends_at and asked.start_at < known_end:
            raise Refused("they have a shift then", code="invalid_transition", field="start_at")


@router.post(
    "/v1/riders/{rider_id}/shift/end", summary="End the shift", response_model=wire.RiderShown, responses=problems()
)
async def shift_end(
    request: Request, service: Running, caller: SelfWrites, rider_id: RiderId, key: IdempotencyKey = None
) -> Response:
    """He logs off; what he has not picked up goes to others."""
    return await _about_rider(
        request, service, caller, rider_id, key, lambda at: ShiftEnded(at=at, rider_id=rider_id)
    )


@router.post("/v1/riders/{rider_id}/break", summary="Pause", response_model=wire.RiderShown, responses=problems())
async def break_begin(
    request: Request, service: Running, caller: SelfWrites, rider_id: RiderId, key: IdempotencyKey = None
) -> Response:
    """No new work until the break ends; what was told stays his."""
    return await _about_rider(
        request, service, caller, rider_id, key, lambda at: BreakBegan(at=at, rider_id=rider_id)
    )


@router.post("/v1/riders/{rider_id}/break/end", summary="Resume", response_model=wire.RiderShown, responses=problems())
async def break_end(
    request: Request, service: Running, caller: SelfWrites, rider_id: RiderId, key: IdempotencyKey = None
) -> Response:
    """He is back."""
    return await _about_rider(
        request, service, caller, rider_id, key, lambda at: BreakEnded(at=at, rider_id=rider_id)
    )


async def _about_rider(
    request: Request,
    service: Service,
    caller: Caller,
    rider_id: str,
    key: str | None,
    make: Callable[[int], Input],
) -> Response:
    async def do(keep: Keep) -> Reply:
        find(service, rider_id)
        return await _tell(service, rider_id, make, keep)

    return await service.run(request, caller, key, do)


async def _tell(service: Service, rider_id: str, make: Callable[[int], Input], keep: Keep) -> Reply:
    told = await service.host.tell(make, respond=lambda events: _reply(service, rider_id), answer=keep)
    made: Reply = told.response
    return made


def _reply(service: Service, rider_id: str) -> Reply:
    return Reply(200, _shown(service, find(service, rider_id)).model_dump_json())


# --- positions ------------------------------------------------------------------------------------------------------


@router.post(
    "/v1/riders/{rider_id}/position", summary="Where he is", response_model=PositionsTaken, responses=problems()
)
async def position(service: Running, caller: SelfMoves, rider_id: RiderId, body: PositionBody) -> Response:
    """The newest counts; kept in memory and told to the engine at the next round."""
    find(service, rider_id)
    return _taken([_put(service, rider_id, body)])


@router.post(
    "/v1/positions", summary="Where many are", response_model=PositionsTaken, responses=problems()
)
async def positions(
    service: Running,
    caller: Annotated[Caller, access(Scope.RIDERS, Scope.OPS, meter=Meter.POSITION)],
    body: PositionBatch,
) -> Response:
    """Up to 500 positions at once, from a gateway; one that is wrong costs itself alone."""
    riders = service.host.board.riders
    left_out: list[str | None] = []
    for said in body.each():
        if isinstance(said, Unreadable):
            left_out.append(said.why)
        else:
            known = said.rider_id in riders
            left_out.append(_put(service, said.rider_id, said) if known else "unknown_rider")
    return _taken(left_out)


def _put(service: Service, rider_id: str, body: PositionBody) -> str | None:
    """Why a position is left out; None where it is taken."""
    now = service.host.clock.now()
    seen_at = wire.epoch(body.seen_at)
    said = Position(rider_id, body.location.lat, body.location.lng, now if seen_at is None else seen_at)
    return service.host.positions.put(said, now)


def _taken(left_out: Sequence[str | None]) -> Response:
    """`left_out`: for each position why it was left out, None where it was taken."""
    why = [LeftOut(index=k, why=reason) for k, reason in enumerate(left_out) if reason is not None]
    taken = PositionsTaken(taken=len(left_out) - len(why), left_out=len(why), why=why)
    return Response(taken.model_dump_json(), media_type="application/json")


# --- routes ---------------------------------------------------------------------------------------------------------


@router.get("/v1/riders/{rider_id}/route", summary="His route", response_model=wire.RouteShown, responses=problems())
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
    summary="His phone has shown it",
    response_model=wire.Taken,
    responses=problems(),
)
async def route_seen(
    request: Request,
    service: Running,
    caller: SelfWrites,
    rider_id: RiderId,
    body: wire.RouteSeenBody,
    key: IdempotencyKey = None,
) -> Response:
    """From now on the told stops are under way; a route that no phone has shown is withdrawn after a while."""

    async def do(keep: Keep) -> Reply:
        find(service, rider_id)
        said = wire.epoch(body.happened_at)
        await service.host.tell(
            lambda at: RouteSeen(at=at, rider_id=rider_id, revision=body.revision, happened_at=said or at),
            respond=lambda events: TAKEN,
            answer=keep,
        )
        return TAKEN

    return await service.run(request, caller, key, do)


TAKEN = Reply(200, wire.Taken().model_dump_json())
UNKNOWN = Reply(200, wire.Taken(known=False).model_dump_json())
