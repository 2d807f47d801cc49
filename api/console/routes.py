"""Routes of the pages: `/board`, what it reads, and `/docs` without a network."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from importlib import resources
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import Response, StreamingResponse

from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access, access_public
from api.common.errors import NotFound
from api.console.board_feed import BoardFeed
from api.console.running import RunningApplication
from api.console.schemas import BoardShown, StreetsShown
from api.http.problems import problems
from api.http.routes.events import listens
from api.http.transport.door import Door

__all__ = ["router"]

router = APIRouter(route_class=Door)
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_KINDS = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


def page(name: str) -> Response:
    """A file of the console with the headers that keep it to itself; raises NotFound."""
    text = _files().get(name)
    if text is None:
        raise NotFound("there is no such page")
    return Response(text, media_type=_KINDS[name.rpartition(".")[2]], headers=_HEADERS)


@functools.cache
def _files() -> dict[str, bytes]:
    folder = resources.files("api.console") / "web"
    return {item.name: item.read_bytes() for item in folder.iterdir() if item.name.rpartition(".")[2] in _KINDS}


@router.get("/board", include_in_schema=False, dependencies=[access_public()])
async def board_page() -> Response:
    """The operations board; it asks for a key with the scope `ops`."""
    return page("board.html")


@router.get("/rider", include_in_schema=False, dependencies=[access_public()])
async def rider_page() -> Response:
    """A rider's page, to try the loop by hand; it asks for a rider's token."""
    return page("rider.html")


@router.get("/docs", include_in_schema=False, dependencies=[access_public()])
async def docs_page() -> Response:
    """The API's documentation, drawn from /openapi.json without a network."""
    return page("docs.html")


@router.get("/console/{name}", include_in_schema=False, dependencies=[access_public()])
async def asset(name: str) -> Response:
    """A script, style sheet or picture of the pages."""
    return page(name)


@router.get(
    "/v1/board",
    tags=["operations"],
    summary="Get the board",
    response_model=BoardShown,
    responses=problems(),
    dependencies=[access(Scope.OPS)],
)
async def get_board(application: RunningApplication) -> Response:
    """Stores, riders and open orders now; `cursor` is where `/v1/board/stream` goes on."""
    frame = application.board_feed.whole()
    return Response(f'{frame.data[:-1]},"cursor":{frame.number}}}', media_type="application/json")


@router.get(
    "/v1/board/stream",
    tags=["operations"],
    summary="Stream the board",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, **problems()},
)
async def stream_board(
    request: Request,
    application: RunningApplication,
    caller: Annotated[Caller, access(Scope.OPS, meter=Meter.STREAM)],
    last_event_id: Annotated[int | None, Header(ge=0, le=2**53)] = None,
) -> StreamingResponse:
    """Events `board` (everything) and `changes` (what is new, different or gone), resumed after `Last-Event-ID`."""
    slots = application.stream_slots.of(caller.lane)
    slots.check(caller.holder)
    return StreamingResponse(
        slots.held_while(caller.holder, _events(application.board_feed, last_event_id, listens(request))),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(feed: BoardFeed, after: int | None, may_watch: Callable[[], bool]) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    async for frame in feed.frames(after, may_watch=may_watch):
        yield b": still here\n\n" if frame is None else frame.sse()


@router.get(
    "/v1/board/streets",
    tags=["operations"],
    summary="Get streets to draw",
    response_model=StreetsShown,
    responses=problems(),
    dependencies=[access(Scope.OPS)],
)
async def get_streets(application: RunningApplication) -> Response:
    """Lines of [lat, lng] under the board, around the stores; an empty list where the service travels on no streets."""
    return Response(
        await application.street_lines.body(), media_type="application/json", headers={"Cache-Control": "max-age=300"}
    )
