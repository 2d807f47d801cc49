"""Events out: by cursor, and as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from api import wire
from api.auth import Caller, Scope, access
from api.door import Door
from api.faults import problems
from api.feed import render, seen_by
from api.ledger.protocol import Notice
from api.limits import Meter
from api.service import Running, Service

router = APIRouter(tags=["events"], route_class=Door)

Cursor = Annotated[int, Query(ge=0, le=2**53, description="The cursor of the last event seen.")]
MOST_LOOKED_AT = 5000
"""Notices of others that one request reads past: the answer may be empty and its cursor further on."""


@router.get("/v1/events", summary="Events behind a cursor", response_model=wire.Events, responses=problems())
async def events(
    request: Request,
    service: Running,
    caller: Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.OPS, rider=True)],
    after: Cursor = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    wait_s: Annotated[float, Query(ge=0, le=30, description="Wait this long for the first one.")] = 0,
) -> Response:
    """In order, each at least once, as far back as they are kept; `next` is the cursor to ask with next time."""
    found, cursor = await _behind(service, caller, after, limit)
    if not found and wait_s:
        try:
            async with asyncio.timeout(wait_s):
                while not found and not service.host.feed.is_closed:
                    await service.host.feed.wait()
                    found, cursor = await _behind(service, caller, cursor, limit)
        except TimeoutError:
            pass
    rows = await service.pages.rows(request, caller, found, lambda notice: render(notice).decode())
    return Response(f'{{"events":{rows},"next":"{cursor}"}}', media_type="application/json")


async def _behind(service: Service, caller: Caller, after: int, limit: int) -> tuple[list[Notice], int]:
    """Up to `limit` notices that the caller may see, and the cursor behind the last one looked at."""
    sees = _sees(caller)
    found: list[Notice] = []
    looked_at = 0
    while len(found) < limit and looked_at < MOST_LOOKED_AT:
        block = await service.host.feed.after(after)
        for notice, _ in block:
            after = notice.seq
            looked_at += 1
            if sees(notice):
                found.append(notice)
                if len(found) == limit:
                    break
        if not block:
            break
    return found, after


@router.get(
    "/v1/stream",
    summary="Events as they happen",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **problems()},
)
async def stream(
    request: Request,
    service: Running,
    caller: Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.STREAM)],
    after: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None,
) -> StreamingResponse:
    """Server-sent events, resumed after `Last-Event-ID`; from now on where neither it nor `after` is given."""
    slots = request.app.state.stream_slots.of(caller.lane)
    slots.check(caller.holder)
    cursor = last_event_id if last_event_id is not None else after
    if cursor is None:
        cursor = service.host.feed.head or await asyncio.to_thread(service.ledger.notice_head)
    return StreamingResponse(
        slots.held_while(caller.holder, service.host.feed.stream(cursor, _sees(caller))),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _sees(caller: Caller) -> Callable[[Notice], bool]:
    operates = caller.sees_all or Scope.RIDERS in caller.scopes
    return seen_by(caller.tenant, all_tenants=caller.sees_all, operator=operates, rider_id=caller.rider_id)
