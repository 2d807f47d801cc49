"""Events out: by cursor, and as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access, gate_of
from api.common.errors import Unauthorized
from api.http.commands import Running, Service
from api.http.problems import problems
from api.http.schemas.operations import Events
from api.http.transport.door import Door
from api.ledger.outbox import Notice
from api.ledger.protocol import OPERATOR
from api.outbox.cursors import BEGIN, CURSOR
from api.outbox.feed import seen_by

router = APIRouter(tags=["events"], route_class=Door)

Cursor = Annotated[str, Query(pattern=CURSOR, description="The cursor of the last event seen; 0 for the first kept.")]
MOST_LOOKED_AT = 5000
"""Notices of others that one request reads past: the answer may be empty and its cursor further on."""


@router.get("/v1/events", summary="List events", response_model=Events, responses=problems(410))
async def events(
    request: Request,
    service: Running,
    caller: Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.OPS, rider=True)],
    after: Cursor = BEGIN,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    wait_s: Annotated[float, Query(ge=0, le=30, description="Wait this long for the first one.")] = 0,
) -> Response:
    """In order, each at least once; `next` is the cursor to ask with next time.

    410 `cursor_gone`: what comes behind the cursor cannot be told any more.  Its `next` goes on from now.
    """
    feed = service.host.feed
    number = await feed.number_of(after, _tenants(caller))
    found, last = await _behind(service, caller, number, limit)
    if not found and wait_s:
        try:
            async with asyncio.timeout(wait_s):
                while not found and not feed.is_closed:
                    await feed.wait()
                    _require(request)
                    found, newer = await _behind(service, caller, last.seq if last else number, limit)
                    last = newer or last
        except TimeoutError:
            _require(request)
    rows = await service.pages.rows(request, caller, found, lambda notice: feed.render(notice).decode())
    cursor = feed.cursor(last) if last is not None else after
    return Response(f'{{"events":{rows},"next":"{cursor}"}}', media_type="application/json")


def _require(request: Request) -> None:
    """Raises Unauthorized where a key has ended while its caller waited."""
    if not listens(request)():
        raise Unauthorized("the key has ended")


async def _behind(service: Service, caller: Caller, after: int, limit: int) -> tuple[list[Notice], Notice | None]:
    """Up to `limit` notices that the caller may see, and the last one looked at (None: there is nothing more)."""
    sees = _sees(caller)
    found: list[Notice] = []
    last: Notice | None = None
    looked_at = 0
    while len(found) < limit and looked_at < MOST_LOOKED_AT:
        block = await service.host.feed.after(after)
        for notice, _ in block:
            last, after = notice, notice.seq
            looked_at += 1
            if sees(notice):
                found.append(notice)
                if len(found) == limit:
                    break
        if not block:
            break
    return found, last


@router.get(
    "/v1/stream",
    summary="Stream events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **problems(410)},
)
async def stream(
    request: Request,
    service: Running,
    caller: Annotated[Caller, access(Scope.ORDERS, Scope.RIDERS, Scope.OPS, rider=True, meter=Meter.STREAM)],
    after: Annotated[str | None, Query(pattern=CURSOR)] = None,
    last_event_id: Annotated[str | None, Header(pattern=CURSOR)] = None,
) -> StreamingResponse:
    """Server-sent events, resumed after `Last-Event-ID`; from now on where neither it nor `after` is given."""
    slots = service.stream_slots.of(caller.lane)
    slots.check(caller.holder)
    feed, cursor = service.host.feed, last_event_id if last_event_id is not None else after
    if cursor is None:
        number = feed.head or await asyncio.to_thread(service.ledger.notice_head)
    else:
        number = await feed.number_of(cursor, _tenants(caller))
    return StreamingResponse(
        slots.held_while(caller.holder, feed.stream(number, _sees(caller), may_listen=listens(request))),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def listens(request: Request) -> Callable[[], bool]:
    """Whether the key or token of a request is still good."""
    gate = gate_of(request)
    return lambda: gate.admits(request.headers.get("authorization"))


def _sees(caller: Caller) -> Callable[[Notice], bool]:
    operates = caller.sees_all or Scope.RIDERS in caller.scopes
    return seen_by(caller.tenant, all_tenants=caller.sees_all, operator=operates, rider_id=caller.rider_id)


def _tenants(caller: Caller) -> set[str] | None:
    """Whose notices a caller would miss (None: anybody's)."""
    if caller.sees_all:
        return None
    if caller.rider_id is not None:
        return {OPERATOR}
    return {caller.tenant, OPERATOR} if Scope.RIDERS in caller.scopes else {caller.tenant}
