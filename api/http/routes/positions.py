"""Where riders are: one position, or a batch of a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access
from api.http.acceptance import is_elsewhere
from api.http.commands import Reply, Running, Service
from api.http.problems import problems
from api.http.routes.riders import RiderId, SelfMoves, find
from api.http.schemas.base import Taken, epoch_of
from api.http.schemas.positions import PositionBatch, PositionBody, PositionLeftOut, PositionsReply, Unreadable
from api.http.transport.door import Door
from dispatch.inputs import Position

router = APIRouter(tags=["riders"], route_class=Door)


@router.post(
    "/v1/riders/{rider_id}/position", summary="Report a position", response_model=PositionsReply, responses=problems()
)
async def position(service: Running, caller: SelfMoves, rider_id: RiderId, body: PositionBody) -> Response:
    """The newest counts; kept in memory and told to the engine at the next round."""
    find(service, rider_id)
    return _taken([_put(service, rider_id, body)])


@router.post("/v1/positions", summary="Report many positions", response_model=PositionsReply, responses=problems())
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
    if is_elsewhere(service.host.board, rider_id, body.location):
        return "elsewhere"
    now = service.host.clock.now()
    seen_at = epoch_of(body.seen_at)
    said = Position(rider_id, body.location.lat, body.location.lng, now if seen_at is None else seen_at)
    return service.host.positions.put(said, now)


def _taken(left_out: Sequence[str | None]) -> Response:
    """`left_out`: for each position why it was left out, None where it was taken."""
    why = [PositionLeftOut(index=k, why=reason) for k, reason in enumerate(left_out) if reason is not None]
    taken = PositionsReply(taken=len(left_out) - len(why), left_out=len(why), why=why)
    return Response(taken.model_dump_json(), media_type="application/json")


TAKEN = Reply(200, Taken().model_dump_json())


UNKNOWN = Reply(200, Taken(known=False).model_dump_json())
