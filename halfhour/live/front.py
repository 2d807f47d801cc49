"""The front of a host: any host takes any request and sends it to whoever has the market, here or on another machine.

Which market: the header X-Market; else the only one there is; else the store that the body or the path names; else
where the order of that external id lives.  An order goes to the market in which its external id was first seen.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx

from api.common.asgi import Receive, Scope, Send
from api.ledger.placing import MarketSeen
from api.ledger.protocol import LedgerFailed
from routing.errors import HalfhourError

MOST_BYTES = 4 * 2**20
PATIENCE_S = 10.0
"""So long a request waits for a market that is being moved or taken over."""
AGAIN_S = 0.1
KEYS_EVERY_S = 2.0
HOP = "x-halfhour-hop"
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization trailer transfer-encoding upgrade host"
    b" content-length".split()
)
_NOT_SENT_ON = _HOP_BY_HOP | {HOP.encode(), b"x-market"}
_STORE = re.compile(r"/v1/stores/([^/]+)")
_ORDER = re.compile(r"/v1/(?:deliveries|decisions)/([^/]+)")


class Unrouted(HalfhourError):
    """A request of which nobody can say for which market it is."""

    code = "market_unknown"


class Target(NamedTuple):
    """Where a market is served: its own process on this host, or the front of the host that has it."""

    address: str
    is_here: bool


class Way(NamedTuple):
    """Where a request goes; `settled`: (tenant, external id) of an order whose home was decided by it."""

    market: str
    settled: tuple[str, str] | None = None


class Front:
    """An ASGI application before all markets of a deployment."""

    def __init__(
        self,
        registry: Any,
        markets: Callable[[], list[MarketSeen]],
        where: Callable[[str], Target | None],
        hurry: Callable[[], None] = lambda: None,
        figures: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """`markets`, `where(market)`: as last seen; `hurry()`: they are no longer so; `figures()`: the host's."""
        self._registry, self._markets, self._where, self._hurry = registry, markets, where, hurry
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(30.0, connect=1.0, read=None), limits=_LIMITS)
        self._figures = figures
        self._tenants: dict[str, str] = {}
        self._tenants_at = -KEYS_EVERY_S

    async def close(self) -> None:
        """Closes the connections to all markets."""
        await self._client.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            body = await _body(receive)
            if scope["path"] == "/healthz":
                await _answer(send, 200, b'{"status": "ok"}', b"application/json")
                return
            if scope["path"] == "/metrics" and "x-market" not in headers:
                await _answer(send, 200, self._figures(), b"text/plain; version=0.0.4; charset=utf-8")
                return
            place = await self._placed(scope, headers, body)
            await self._forward(scope, headers, body, place, send)
        except HalfhourError as problem:
            await _refuse(send, problem)

    # --- which market -------------------------------------------------------------------------------------------

    async def _placed(self, scope: Scope, headers: dict[str, str], body: bytes) -> Way:
        names = [market.name for market in self._markets()]
        named = headers.get("x-market")
        if named is not None and named not in names:
            raise Unrouted(f"there is no market {named!r}", field="X-Market", status=404)
        path, said = scope["path"], _said(body)
        tenant = await self._tenant(headers)
        external, store = said.get("external_delivery_id"), said.get("pickup_store_id")
        if scope["method"] == "POST" and path == "/v1/deliveries" and isinstance(external, str) and tenant:
            market = named or (names[0] if len(names) == 1 else await self._of_store(store))
            home, is_new = await asyncio.to_thread(self._registry.settle, tenant, external, market)
            if named is not None and home != named:
                raise Unrouted(
                    f"this external id lives in market {home}", code="duplicate_delivery", status=409,
                    field="external_delivery_id",
                )  # fmt: skip
            return Way(home, (tenant, external) if is_new else None)
        if named is not None:
            return Way(named)
        if len(names) == 1:
            return Way(names[0])
        if isinstance(store, str):
            return Way(await self._of_store(store))
        if found := _STORE.match(path):
            return Way(await self._of_store(unquote(found[1])))
        if (found := _ORDER.match(path)) and tenant:
            home = await asyncio.to_thread(self._registry.home, tenant, unquote(found[1]).rpartition(f"{tenant}.")[2])
            if not home:
                raise Unrouted("no market has heard of this delivery", code="unknown_delivery", status=404)
            return Way(home)
        raise Unrouted("nobody can say for which market this is", field="X-Market", hint="Name it in X-Market.")

    async def _of_store(self, store: Any) -> str:
        found = await asyncio.to_thread(self._registry.markets_of_store, str(store))
        if len(found) != 1:
            why = "no market has this store" if not found else f"several markets have a store {store!r}"
            raise Unrouted(why, field="pickup_store_id", hint="Name the market in X-Market.")
        return str(found[0])

    async def _tenant(self, headers: dict[str, str]) -> str:
        """Whose key it is; the market checks it, here it only names a tenant."""
        from hashlib import sha256

        text = headers.get("authorization", "").removeprefix("Bearer ").strip()
        digest = sha256(text.encode()).hexdigest()
        if digest not in self._tenants and time.monotonic() - self._tenants_at >= KEYS_EVERY_S:
            self._tenants_at = time.monotonic()
            self._tenants = {key.digest: key.tenant for key in await asyncio.to_thread(self._registry.keys)}
        return self._tenants.get(digest, "")

    # --- sending ------------------------------------------------------------------------------------------------

    async def _forward(self, scope: Scope, headers: dict[str, str], body: bytes, place: Way, send: Send) -> None:
        end = time.monotonic() + PATIENCE_S
        may_repeat = scope["method"] in ("GET", "HEAD") or "idempotency-key" in headers
        while True:
            answer, problem, was_sent = None, "nobody serves it now", False
            target = self._where(place.market)
            if target is not None and (target.is_here or HOP not in headers):  # sent on once, and no further
                try:
                    answer = await self._client.send(self._request(target, place, scope, body), stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout) as failed:
                    problem = str(failed)
                except httpx.TransportError as failed:
                    problem, was_sent = str(failed), True
            is_last = time.monotonic() >= end
            if answer is not None and (answer.status_code != 503 or is_last):
                await self._pass_on(answer, send)
                await self._forget_refused(place, answer.status_code)
                return
            if answer is not None:
                await answer.aclose()
            if is_last or (was_sent and not may_repeat):
                raise LedgerFailed(
                    f"market {place.market}: {problem}", code="market_unreachable", retry_after_s=1, status=503
                )
            self._hurry()
            await asyncio.sleep(AGAIN_S)

    def _request(self, target: Target, place: Way, scope: Scope, body: bytes) -> httpx.Request:
        query = f"?{scope['query_string'].decode('latin-1')}" if scope.get("query_string") else ""
        path = scope.get("raw_path") or scope["path"].encode()
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _NOT_SENT_ON]
        client = scope.get("client")
        if client:
            headers.append((b"x-forwarded-for", client[0].encode()))
        if not target.is_here:
            headers += [(HOP.encode(), b"1"), (b"x-market", place.market.encode())]
        return self._client.build_request(
            scope["method"], f"{target.address}{path.decode('latin-1')}{query}", headers=headers, content=body
        )

    async def _pass_on(self, answer: httpx.Response, send: Send) -> None:
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in _HOP_BY_HOP]
        try:
            await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
            async for part in _raw(answer):
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body"})
        finally:
            await answer.aclose()

    async def _forget_refused(self, place: Way, status: int) -> None:
        """An order that was refused may be given to another market the next time."""
        if place.settled is not None and 400 <= status < 500:
            await asyncio.to_thread(self._registry.unsettle, *place.settled)


_LIMITS = httpx.Limits(max_connections=4096, max_keepalive_connections=256)


async def _raw(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    except httpx.TransportError:
        return  # a stream whose market moved: its viewer comes back with Last-Event-ID


def _said(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body) if body else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise HalfhourError("the body is too large", code="too_large", limit_bytes=MOST_BYTES, status=413)
        if not message.get("more_body"):
            break
    return b"".join(parts)


async def _refuse(send: Send, problem: HalfhourError) -> None:
    details = dict(problem.details)
    status = int(details.pop("status", 503 if isinstance(problem, LedgerFailed) else 422))
    body = {"type": "about:blank", "status": status, "code": problem.code, "detail": problem.message, **details}
    if problem.hint:
        body["hint"] = problem.hint
    more = [(b"retry-after", str(details["retry_after_s"]).encode())] if "retry_after_s" in details else []
    await _answer(send, status, json.dumps(body).encode(), b"application/problem+json", more)


async def _answer(send: Send, status: int, body: bytes, kind: bytes, more: Any = ()) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), *more]})
    await send({"type": "http.response.body", "body": body})
