"""What the routes share: one running service, its idempotency keys, and the shape of its answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, get_args

from fastapi import Depends, Header, Request
from fastapi.responses import Response

from api.access.lanes import Lane, Lanes, is_new_work
from api.access.rate_limits import Meter
from api.access.rules import Caller, Gate, Scope, access
from api.common.errors import NotReady
from api.common.signed_tokens import Secret
from api.config import Config
from api.http import problems
from api.http.addresses import Doors
from api.http.pages import Pages
from api.ledger.protocol import Ledger, StoredReply, VaultRow, Write
from api.live.following import Follower
from api.live.host import LiveHost
from api.live.upkeep.travel_answers import TravelAnswers
from api.live.waiting import Waiting
from api.outbox.webhooks import Webhooks
from dispatch.errors import Refused
from dispatch.events import Event
from dispatch.inputs import Input
from routing.errors import HalfhourError, InvalidInput

KEPT_ELSEWHERE = ("dropoff", "pin", "quote_id", "secret")
"""Of an answer: personal or secret, so not kept with its idempotency key but filled in when it is replayed."""


class Reply(NamedTuple):
    """An answer before it leaves: JSON text and its status; `etag` where it shows a version of something."""

    status: int
    body: str
    etag: str | None = None

    def response(self, *, replayed: bool = False) -> Response:
        """The HTTP response."""
        headers = {"Idempotent-Replayed": "true"} if replayed else {}
        if self.etag is not None:
            headers["ETag"] = f'"{self.etag}"'
        media_type = problems.PROBLEM if self.status >= 400 else "application/json"
        return Response(self.body, status_code=self.status, media_type=media_type, headers=headers)


Remember = Callable[[Reply], StoredReply] | None
Do = Callable[[Remember], Awaitable[Reply]]
Restore = Callable[[StoredReply], Reply]


@dataclass(slots=True, kw_only=True)
class Service:
    """One running service: what the routes of `api.http` use of the object in `app.state.application`."""

    config: Config
    ledger: Ledger
    host: LiveHost
    lanes: Lanes
    secret: Secret
    """Signs quotes and tracking links."""
    gate: Gate
    webhooks: Webhooks
    stream_slots: Lanes
    """Event streams that may be open at once."""
    failure: HalfhourError | None = None
    """Why it could not start."""
    pages: Pages = field(default_factory=Pages)
    doors: Doors = field(default_factory=Doors)
    version: str = ""
    shadow: bool = False
    trial_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an order that is only asked about is looked at: its place is one for all."""
    notes: list[str] = field(default_factory=list)
    """Where it does not do what its configuration says, or the configuration contradicts itself."""
    waiting: Waiting = field(default_factory=Waiting)
    following: Follower | None = None
    """While another host has the market."""
    travel_answers: TravelAnswers | None = None
    """Asks the travel service, where times are one's."""
    restore: Restore = lambda answer: Reply(answer.status, answer.body)
    """Fills an answer's personal fields in again."""
    _busy: dict[tuple[str, str, str], tuple[str, asyncio.Future[Reply]]] = field(default_factory=dict)

    async def end_streams(self) -> None:
        """End every event stream; viewers come back with their `Last-Event-ID`."""
        self.host.feed.close()

    def new_pin(self) -> str:
        """Four digits that the customer tells the rider."""
        return f"{secrets.randbelow(10_000):04d}"

    def slot(self, caller: Caller, request: Request | None = None) -> AbstractContextManager[None]:
        """A slot to wait in for the ledger; raises Overloaded at once where the caller's lane is full."""
        is_new = request is not None and is_new_work(request.method, request.url.path)
        return self.lanes.of(Lane.NEW if is_new else caller.lane).held(caller.holder)

    async def run(
        self, request: Request, caller: Caller, key: str | None, do: Do, restore: Restore | None = None
    ) -> Response:
        """One command: bounded in number, and done once for each idempotency key.

        `do(remember)` does it; `remember(reply)` makes the StoredReply for the same transaction (None: without key).
        `restore(answer)`: the kept answer with what is KEPT_ELSEWHERE (None: a delivery's, from the vault).
        """
        with self.slot(caller, request):
            if key is None:
                return (await do(None)).response()
            return await self._once(request, caller, key, do, restore or self.restore)

    async def _once(self, request: Request, caller: Caller, key: str, do: Do, restore: Restore) -> Response:
        route = f"{request.method} {request.url.path}"
        fingerprint = hashlib.sha256(request.url.query.encode() + b"\n" + await request.body()).hexdigest()
        name = (caller.tenant, route, key)
        busy = self._busy.get(name)
        if busy is not None:
            _same(busy[0], fingerprint)
            return (await asyncio.shield(busy[1])).response(replayed=True)
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._busy[name] = fingerprint, waiting  # before anything is waited for: no other may be the first, too
        try:
            known: StoredReply | None = await self.host.asked(self.ledger.answer, *name)
            if known is not None:
                _same(known.fingerprint, fingerprint)
                kept = restore(known)
                waiting.set_result(kept)
                return kept.response(replayed=True)
            reply = await self._first(name, fingerprint, do)
            waiting.set_result(reply)
            return reply.response()
        except BaseException as problem:
            waiting.set_exception(problem if isinstance(problem, HalfhourError) else NotReady("it was interrupted"))
            waiting.exception()
            raise
        finally:
            del self._busy[name]

    async def _first(self, name: tuple[str, str, str], fingerprint: str, do: Do) -> Reply:
        def remember(reply: Reply) -> StoredReply:
            return StoredReply(*name, fingerprint, reply.status, _kept_here(reply.body), self.host.clock.now())

        try:
            return await do(remember)
        except Refused as refused:
            # What was refused once is refused again, whatever has become possible since.
            response = problems.problem(refused)
            reply = Reply(response.status_code, bytes(response.body).decode())
            await self.host.write(Write(answers=(remember(reply),)))
            return reply


def _same(kept: str, fingerprint: str) -> None:
    if kept != fingerprint:
        raise InvalidInput("the key was used with another body", code="key_reused", field="Idempotency-Key")


def _kept_here(body: str) -> str:
    if not any(f'"{name}"' in body for name in KEPT_ELSEWHERE):
        return body
    value: dict[str, Any] = json.loads(body)
    return compact({name: None if name in KEPT_ELSEWHERE else part for name, part in value.items()})


def compact(value: Any) -> str:
    """JSON as every other answer has it: what is replayed is the same, byte for byte."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def _service(request: Request) -> Service:
    service: Service = request.app.state.application
    return service


Running = Annotated[Service, Depends(_service)]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]


@dataclass(slots=True)
class Command:
    """One request that changes something: who asks, of which service, and under which idempotency key."""

    request: Request
    service: Service
    caller: Caller
    key: str | None

    async def once(self, do: Do, restore: Restore | None = None) -> Response:
        """Do it in a slot of the caller's lane, and once for each key (`Service.run`)."""
        return await self.service.run(self.request, self.caller, self.key, do, restore)

    async def tell(
        self,
        make: Callable[[int], Input],
        *,
        respond: Callable[[tuple[Event, ...]], Reply],
        answer: Remember,
        vault: tuple[VaultRow, ...] = (),
    ) -> Reply:
        """Tell the engine; the reply is made of what followed, and kept in the same transaction."""
        told = await self.service.host.tell(make, vault=vault, respond=respond, answer=answer)
        reply: Reply = told.response
        return reply


def command(caller: Any) -> Any:
    """A Command as a dependency of a route; `caller` is the Annotated[Caller, access(...)] that says who may."""
    rule = get_args(caller)[1]

    async def made(request: Request, service: Running, asks: Caller = rule, key: IdempotencyKey = None) -> Command:
        return Command(request, service, asks, key)

    return Depends(made)


Ops = Annotated[Caller, access(Scope.OPS)]
OpsWrite = Annotated[Caller, access(Scope.OPS, meter=Meter.WRITE)]
OpsCommand = Annotated[Command, command(OpsWrite)]


async def replied(service: Service, remember: Remember, reply: Reply) -> Reply:
    """Keeps the answer of a command that said nothing to the engine (or said it before)."""
    if remember is not None:
        await service.host.write(Write(answers=(remember(reply),)))
    return reply
