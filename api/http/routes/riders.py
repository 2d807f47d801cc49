"""Riders: who they are, when they work, and what the phone in a rider's hand says and asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.access.keys import EPOCH
from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access
from api.common.errors import NotFound, Unauthorized
from api.http import presenters
from api.http.acceptance import check_city
from api.http.commands import Command, Remember, Reply, Running, Service, command, replied
from api.http.people.schemas import ShiftEndBody
from api.http.problems import problems
from api.http.schemas.base import Taken, Token, epoch_of, instant_at
from api.http.schemas.riders import RiderBody, RiderShown, ShiftBody
from api.http.schemas.values import Id
from api.http.transport.door import Door
from api.ledger.protocol import OPERATOR, VaultRow, Write
from api.live.words import WORDS, kept_of_rider, plain, said_of_rider
from dispatch.board.records import RiderRecord
from dispatch.bounds import require_instant
from dispatch.errors import Refused
from dispatch.inputs import BreakBegan, BreakEnded, Input, RiderListed, ShiftEnded, ShiftPlanned
from dispatch.model import Engagement, Rider, Shift
from dispatch.receipts import About
from routing.errors import InvalidInput

router = APIRouter(tags=["riders"], route_class=Door)

Looks = Annotated[Caller, access(Scope.RIDERS, Scope.OPS)]
Writes = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, meter=Meter.WRITE)]
Self = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True)]
SelfWrites = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.WRITE)]
RiderCommand = Annotated[Command, command(SelfWrites)]
SelfMoves = Annotated[Caller, access(Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.POSITION)]
RiderId = Annotated[Id, Path()]
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


@router.get("/v1/riders", summary="List riders", response_model=list[RiderShown], responses=problems())
async def list_riders(request: Request, service: Running, caller: Looks) -> Response:
    """Every rider."""
    records = list(service.host.board.riders.values())
    rows = await service.pages.rows(request, caller, records, lambda one: _shown(service, one).model_dump_json())
    await service.host.settled()
    return Response(rows, media_type="application/json")


@router.get("/v1/riders/{rider_id}", summary="Get a rider", response_model=RiderShown, responses=problems())
async def get_rider(service: Running, caller: Self, rider_id: RiderId) -> RiderShown:
    """A rider as of now."""
    await service.host.settled()
    return _shown(service, find(service, rider_id))


@router.put(
    "/v1/riders/{rider_id}", summary="Create or change a rider", response_model=RiderShown, responses=problems()
)
async def put_rider(service: Running, caller: Writes, rider_id: RiderId, body: RiderBody) -> RiderShown:
    """A rider is new, or is now this; `location` counts for a new one only."""
    with service.slot(caller):
        return await list_rider(service, rider_id, body)


async def list_rider(service: Service, rider_id: str, body: RiderBody) -> RiderShown:
    """Tells the engine of a rider; one it knows keeps their place, which has moved with them."""
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
    words = said_of_rider(host, handle) if known is not None else {}
    personal = body.model_dump(mode="json", include={"name", "phone_number"}, exclude_none=True)
    row = (host.vault_row(handle) or row)._replace(personal=personal | ({WORDS: words} if words else {}))
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


def _shown(service: Service, record: RiderRecord) -> RiderShown:
    return presenters.rider(service.host, record, service.host.board.needs)


@router.post("/v1/riders/{rider_id}/token", summary="Issue a rider token", response_model=Token, responses=problems())
async def token(request: Request, service: Running, caller: SelfWrites, rider_id: RiderId) -> Token:
    """For the app in their hand: short-lived, good for this rider alone, as long as the key that asked first is good.

    Asked with such a token it is renewed, up to a day after the operator has asked for the first one; once the shift is
    over and nothing is in the bag, the operator must ask again.
    """
    board = await service.host.settled()
    record = find(service, rider_id)
    book, now = service.gate.keys, service.host.clock.now()
    if caller.token is None:
        text, said = book.rider_token(caller.tenant, rider_id, now, key_id=caller.key_id)
    else:
        carries = any(board.orders[a.order_id].carried_by == rider_id for stop in record.route.stops for a in stop.acts)
        if record.shift_at(now) is None and not carries:
            raise Unauthorized("the shift is over", hint="The operator's key gets a fresh token.")
        text, said = book.renewed(caller.token, now)
    return Token(token=text, expires_at=instant_at(said.expires_at))


@router.delete(
    "/v1/riders/{rider_id}/token", summary="Revoke a rider's tokens", response_model=Taken, responses=problems()
)
async def end_tokens(request: Request, service: Running, caller: Writes, rider_id: RiderId) -> Taken:
    """Every token of this rider is void at once: their phone is lost, or not theirs any more."""
    find(service, rider_id)
    book = service.gate.keys
    epoch = book.epoch(rider_id) + 1
    with service.slot(caller):
        book.end_tokens(rider_id, epoch)  # at once, and after a restart
        await service.host.write(Write(extra=((EPOCH + rider_id, epoch),)))
    return Taken()


# --- shifts and breaks ----------------------------------------------------------------------------------------------


@router.post(
    "/v1/riders/{rider_id}/shift",
    summary="Begin or plan a shift",
    response_model=RiderShown,
    responses=problems(409),
)
async def shift(command: RiderCommand, rider_id: RiderId, body: ShiftBody | None = None) -> Response:
    """Begin a shift: work from `start_at` (now) on, no pickup after `last_pickup_at`, on the way home by `end_at`."""
    said = body or ShiftBody()

    def make(at: int) -> Input:
        start_at = max(at, epoch_of(said.start_at) or at)
        require_instant("end_at", epoch_of(said.end_at), at)
        asked = _shift_of(rider_id, said, start_at)
        if asked.last_pickup_at < start_at:
            raise InvalidInput("the shift is over before it begins", code="invalid_order", field="last_pickup_at")
        _no_overlap(find(command.service, rider_id), asked, at)
        command.service.host.positions.forget(rider_id)
        return ShiftPlanned(at=at, shift=asked)

    async def do(remember: Remember) -> Reply:
        if _is_known(find(command.service, rider_id), said, command.service.host.clock.now()):
            return await replied(command.service, remember, _reply(command.service, rider_id))
        return await _tell(command, rider_id, make, remember)

    return await command.once(do)


def _shift_of(rider_id: str, said: ShiftBody, start_at: int) -> Shift:
    end_at = epoch_of(said.end_at)
    return Shift(rider_id, start_at, epoch_of(said.last_pickup_at) or end_at or start_at + LONGEST_SHIFT_S, end_at)


def _is_known(record: RiderRecord, said: ShiftBody, now: int) -> bool:
    """Whether just this shift was entered before: whoever got no answer asks again."""
    start_at = epoch_of(said.start_at)
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


@router.post("/v1/riders/{rider_id}/shift/end", summary="End a shift", response_model=RiderShown, responses=problems())
async def shift_end(command: RiderCommand, rider_id: RiderId, body: ShiftEndBody | None = None) -> Response:
    """End a shift: what is not picked up goes to others.

    A `reason` says that it is a decision about the rider: they read it in their receipts, and operations can take it
    back.
    """
    words = (body.reason or "") if body is not None and command.caller.token is None else ""
    by, reason = (command.caller.key_id, plain(words)) if words else ("", "")
    return await _about_rider(
        command, rider_id, lambda at: ShiftEnded(at=at, rider_id=rider_id, reason=reason, by=by), words
    )


@router.post("/v1/riders/{rider_id}/break", summary="Begin a break", response_model=RiderShown, responses=problems())
async def break_begin(command: RiderCommand, rider_id: RiderId) -> Response:
    """Begin a break: no new work until it ends; what was told stays with the rider."""
    return await _about_rider(command, rider_id, lambda at: BreakBegan(at=at, rider_id=rider_id))


@router.post("/v1/riders/{rider_id}/break/end", summary="End a break", response_model=RiderShown, responses=problems())
async def break_end(command: RiderCommand, rider_id: RiderId) -> Response:
    """End a break: the rider is back."""
    return await _about_rider(command, rider_id, lambda at: BreakEnded(at=at, rider_id=rider_id))


async def _about_rider(command: Command, rider_id: str, make: Callable[[int], Input], words: str = "") -> Response:
    """`words`: why somebody else ends their shift."""

    async def do(remember: Remember) -> Reply:
        record, host = find(command.service, rider_id), command.service.host
        rows = kept_of_rider(host, record.rider.place, About.LOGGED_OFF.value, words) if words else ()
        return await _tell(command, rider_id, make, remember, rows)

    return await command.once(do)


async def _tell(
    command: Command,
    rider_id: str,
    make: Callable[[int], Input],
    remember: Remember,
    rows: tuple[VaultRow, ...] = (),
) -> Reply:
    return await command.tell(
        make, respond=lambda events: _reply(command.service, rider_id), answer=remember, vault=rows
    )


def _reply(service: Service, rider_id: str) -> Reply:
    return Reply(200, _shown(service, find(service, rider_id)).model_dump_json())
