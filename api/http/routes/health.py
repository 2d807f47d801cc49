"""How the service is: for people, for load balancers, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.access.rules import Caller, Scope, access, access_public
from api.common.ids import tenant_of
from api.http.belonging import may_use
from api.http.commands import Running, Service
from api.http.problems import problems
from api.http.readiness import readiness
from api.http.schemas.base import instant_at
from api.http.schemas.operations import Readiness, Status
from api.http.transport.door import Door
from api.ledger.protocol import LedgerFailed
from api.observe.metrics import CONTENT_TYPE
from routing.errors import HalfhourError

router = APIRouter(tags=["health"], route_class=Door)


@router.get("/healthz", summary="Check liveness", responses={200: {"description": "It is"}})
async def healthz(_: Annotated[None, access_public()]) -> dict[str, bool]:
    """True as long as it can answer at all."""
    return {"alive": True}


@router.get("/readyz", summary="Check readiness", response_model=Readiness, responses=problems())
async def readyz(service: Running, _: Annotated[None, access_public()]) -> Readiness:
    """200 once the ledger is folded and the solver warm; 503 before, and while the ledger refuses writes."""
    return readiness(service.host)


@router.get("/metrics", summary="Get metrics", response_class=Response, responses=problems())
async def metrics(service: Running, caller: Annotated[Caller, access(Scope.OPS)]) -> Response:
    """Everything in the Prometheus text format."""
    host = service.host
    if host.has_board:  # what is wrong with a service is asked for most where it has none
        host.metrics.survey(host.board)
    host.metrics.unfoldable.set(host.unfoldable or 0)
    host.metrics.fallbacks_in_a_row.set(host.rounds.fallbacks_in_a_row)
    host.metrics.clock_off_s.set(host.clock.off_s)
    host.metrics.clock_steps.set(host.clock.steps)
    host.metrics.commit_age_s.set(host.commits.age_s)
    host.metrics.ready.set(_is_ready(service))
    host.metrics.queue_depth.set(service.lanes.taken)
    for lane, count in service.lanes.refusals().items():
        host.metrics.refused.labels(lane).set(count)
    host.metrics.streams.set(service.stream_slots.taken)
    for end, count in (await _tries(service)).items():
        host.metrics.webhooks.labels(end).set(count)
    for what, value in service.ledger.standing().items():
        host.metrics.ledger.labels(what).set(value)
    return Response(host.metrics.text(), media_type=CONTENT_TYPE)


async def _tries(service: Service) -> Mapping[str, int]:
    try:
        shared = await service.host.asked(service.ledger.tries)
    except LedgerFailed:
        return {}  # the last figures stay
    return service.webhooks.counts if shared is None else shared


def _is_ready(service: Service) -> bool:
    try:
        readiness(service.host)
    except HalfhourError:
        return False
    return True


@router.get("/v1/status", summary="Get status", response_model=Status, responses=problems())
async def status(
    service: Running, caller: Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.OPS)]
) -> JSONResponse:
    """One look at the whole service."""
    host, rounds = service.host, service.host.rounds
    board = host.board
    on_duty = 0
    for record in board.riders.values():
        shift = record.shift_at(board.now)
        on_duty += shift is not None and shift.start_at <= board.now and not record.lost
    orders = (
        len(board.open_orders)
        if caller.sees_all
        else sum(caller.owns(tenant_of(order_id)) for order_id in board.open_orders)
    )
    found = Status(
        ready=host.is_ready,
        now=instant_at(host.clock.now()),
        version=service.version,
        open_orders=orders,
        riders_on_duty=on_duty,
        stores=sum(may_use(caller, record.store) for record in board.stores.values()),
        round=board.round,
        last_round_s=round(rounds.last_s, 3),
        rounds_solved=rounds.solved,
        fallbacks=rounds.fallbacks,
        fallbacks_in_a_row=rounds.fallbacks_in_a_row,
        solver_restarts=rounds.solver.restarts,
        ladder=rounds.ladder.step.name.lower(),
        waiting_writes=service.lanes.taken,
        journal_seq=host.seq if caller.sees_all else None,
        positions_left_out=host.positions.filtered,
        shadow=service.shadow,
    )
    return JSONResponse(found.model_dump(mode="json"))
