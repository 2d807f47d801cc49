"""Who is asking, and may they: bearer keys, tokens of riders and kitchens, and the rule that every route carries.

    @router.get("/v1/deliveries/{id}")
    async def get(id: str, caller: Annotated[Caller, access(Scope.ORDERS, Scope.OPS)]): ...

A route without `access(...)` or `access_public()` fails a test.  Who may not see a thing is told that it does not
exist (404): `owned(...)` is the one place where that is decided.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from api.access.keys import KeyBook, KitchenToken, RiderToken
from api.access.lanes import Lane
from api.access.lockout import Lockout
from api.access.rate_limits import Limits, Meter, Quota
from api.common.api_keys import Scope
from api.common.errors import Forbidden, LockedOut, NotFound, RateLimited, Unauthorized
from routing.errors import InvalidInput

__all__ = [
    "AccessRule",
    "Caller",
    "Gate",
    "LockedOut",
    "Scope",
    "access",
    "access_public",
    "gate_of",
    "owned",
    "routes_without_rule",
    "rules_of",
]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a tenant's key, one rider, or one kitchen."""

    tenant: str
    scopes: frozenset[Scope]
    key_id: str
    rider_id: str | None = None
    token: RiderToken | None = None
    """What a rider came with."""
    kitchen: KitchenToken | None = None
    """What a kitchen came with."""

    @property
    def sees_all(self) -> bool:
        """True for the operator's keys, which see every tenant's deliveries, and for a kitchen they vouched for."""
        if self.kitchen is not None:
            return self.kitchen.of_all
        return self.rider_id is None and bool(self.scopes & {Scope.OPS, Scope.ADMIN})

    @property
    def is_kitchen(self) -> bool:
        """True for who prepares the goods and needs to know nothing of customers."""
        return Scope.KITCHENS in self.scopes and not self.scopes & {Scope.ORDERS, Scope.OPS, Scope.ADMIN}

    @property
    def store_id(self) -> str | None:
        """The store that a kitchen's token is bound to."""
        return self.kitchen.store_id if self.kitchen is not None else None

    @property
    def holder(self) -> str:
        """Who shares slots with others: a tenant, or one rider, or one kitchen."""
        return f"{self.tenant}/{self.key_id}" if self.rider_id is not None or self.kitchen else self.tenant

    @property
    def lane(self) -> Lane:
        """Where the caller waits with anything that is no new work."""
        if self.scopes & {Scope.OPS, Scope.ADMIN}:
            return Lane.OPERATION
        return Lane.CHANGE if Scope.ORDERS in self.scopes else Lane.REPORT

    @property
    def purse(self) -> str:
        """Whose buckets pay: an operator's reports never use up what operations have."""
        return f"{self.holder} {self.lane}"

    def owns(self, tenant: str) -> bool:
        """True where the caller may see what belongs to `tenant`."""
        return self.sees_all or self.tenant == tenant

    def is_rider(self, rider_id: str) -> bool:
        """True where the caller may act as this rider: the rider's own token, or a key of their operator."""
        return self.rider_id == rider_id if self.rider_id is not None else True


def owned(caller: Caller, tenant: str | None, *, code: str, **details: Any) -> None:
    """Raises NotFound with `code` unless `caller` may see what belongs to `tenant` (None: there is no such thing)."""
    if tenant is None or not caller.owns(tenant):
        raise NotFound("there is no such thing here", code=code, **details)


class Gate:
    """The key book with a memory of failures and of rates."""

    def __init__(
        self,
        keys: KeyBook,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.time,
        failures: int = 20,
        window_s: int = 60,
    ) -> None:
        self.keys = keys
        self.limits = limits or Limits()
        self.clock = clock
        self._lockout = Lockout(failures, window_s)

    def caller(self, authorization: str | None, address: str) -> Caller:
        """Whose the header is; raises Unauthorized, or LockedOut for an address that fails too often.

        A valid key is never locked out by the failures of others behind the same address.
        """
        now = int(self.clock())
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() == "bearer":
            found = self._find(text.strip(), now)
            if found is not None:
                return found
        if authorization:
            self._lockout.failed(address, now)
        raise Unauthorized("a valid key is needed", hint="Send `Authorization: Bearer <key>`.")

    def admits(self, authorization: str | None) -> bool:
        """True as long as the header is somebody's: what goes on for long asks again and again."""
        return self._find((authorization or "").partition(" ")[2].strip(), int(self.clock())) is not None

    def _find(self, text: str, now: int) -> Caller | None:
        key = self.keys.find(text, now)
        if key is not None:
            return Caller(key.tenant, key.scopes, key.key_id)
        token = self.keys.find_rider(text, now)
        if token is not None:
            return Caller(token.tenant, frozenset({Scope.RIDERS}), f"rider:{token.rider_id}", token.rider_id, token)
        kitchen = self.keys.find_kitchen(text, now)
        if kitchen is not None:
            return Caller(kitchen.tenant, frozenset({Scope.KITCHENS}), f"kitchen:{kitchen.store_id}", kitchen=kitchen)
        return None


class Guarded(Protocol):
    """What an access rule needs of the object in `app.state.application`."""

    @property
    def gate(self) -> Gate: ...


def gate_of(request: Request) -> Gate:
    """The gate of the application that answers `request`."""
    application: Guarded = request.app.state.application
    return application.gate


class AccessRule(SecurityBase):
    """The rule of one route: any of `scopes`, riders and kitchens as themselves only; each takes a token of `meter`."""

    def __init__(self, scopes: tuple[Scope, ...], *, rider: bool, kitchen: bool, meter: Meter) -> None:
        self.model = HTTPBearer(
            description="An API key `hh_...`; a rider's token `hhr_...` or a kitchen's `hhk_...` where they may ask."
        )
        self.scheme_name = "bearer"
        self.scopes = frozenset(scopes)
        self.rider = rider
        self.kitchen = kitchen
        self.meter = meter

    async def __call__(self, request: Request) -> Caller:
        known: Caller | None = getattr(request.state, "caller", None)
        if known is not None:  # the door has asked already
            return known
        gate = gate_of(request)
        caller = gate.caller(request.headers.get("authorization"), _address(request))
        self.admit(caller, request.path_params)
        request.state.caller = caller
        _take(request, gate, caller.purse, self.meter)
        _check_query(request)
        return caller

    def admit(self, caller: Caller, path_params: dict[str, Any]) -> None:
        """Raises Forbidden where scopes do not reach, NotFound where a rider or a kitchen asks for another one."""
        if caller.kitchen is not None:
            if not self.kitchen:
                raise Forbidden("a kitchen's token does not reach here")
            if path_params.get("store_id", caller.store_id) != caller.store_id:
                raise NotFound("there is no such store here", code="unknown_store")
        elif caller.rider_id is None:
            if not caller.scopes & self.scopes:
                raise Forbidden("this key does not reach here", needs=sorted(self.scopes))
        elif not self.rider:
            raise Forbidden("a rider's token does not reach here")
        elif path_params.get("rider_id", caller.rider_id) != caller.rider_id:
            raise NotFound("there is no such rider here", code="unknown_rider")


def _check_query(request: Request) -> None:
    """Raises InvalidInput for a parameter that the route does not know: a typo must not widen what is asked for."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    known = frozenset(_query_names(route.dependant))
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        hint = f"Known here: {', '.join(sorted(known))}." if known else "Nothing can be asked here."
        raise InvalidInput("there is no such parameter", code="validation_failed", field=unknown or "query", hint=hint)


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for inner in dependant.dependencies:
        yield from _query_names(inner)


class PublicRule:
    """Stands on a route that anyone may ask, so that openness is written down and not forgotten."""

    def __init__(self, meter: Meter | None) -> None:
        self.meter = meter

    async def __call__(self, request: Request) -> None:
        if self.meter is not None and not hasattr(request.state, "quota"):
            _take(request, gate_of(request), f"address {_address(request)}", self.meter)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _take(request: Request, gate: Gate, caller: str, meter: Meter) -> None:
    """Takes a token and leaves the quota where QuotaHeaders finds it."""
    try:
        request.state.quota = gate.limits.take(caller, meter, gate.clock())
    except RateLimited as refused:
        request.state.quota = Quota(refused.details["limit"], 0, refused.details["retry_after_s"])
        raise


def access(*scopes: Scope, rider: bool = False, kitchen: bool = False, meter: Meter = Meter.READ) -> Any:
    """The access rule of a route: a key with any of `scopes`; riders' and kitchens' own tokens only where said.

    `admin` opens every door that any key may open.  `meter` names the bucket that a request draws from.
    """
    if not scopes and not rider:
        raise ValueError("name a scope, or say rider=True")
    open_to = tuple(dict.fromkeys((*scopes, Scope.ADMIN)))
    tokens = [name for name, may in (("rider", rider), ("kitchen", kitchen)) if may]
    roles = [*(scope.value for scope in open_to), *tokens]
    return Security(AccessRule(open_to, rider=rider, kitchen=kitchen, meter=meter), scopes=roles)


def access_public(meter: Meter | None = None) -> Any:
    """The access rule of a route that anyone may ask, metered by address where `meter` is given."""
    return Security(PublicRule(meter))


def routes_without_rule(app: FastAPI) -> Iterator[str]:
    """`METHOD /path` of every API route of `app` that carries no access rule of its own."""
    for route in _api_routes(app.routes):
        if not next(rules_of(route.dependant), None):
            yield f"{','.join(sorted(route.methods or ()))} {route.path}"


def _api_routes(routes: Iterable[Any]) -> Iterator[APIRoute]:
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):  # later versions of FastAPI keep included routers as they are
            yield from _api_routes(route.original_router.routes)


def rules_of(dependant: Dependant) -> Iterator[AccessRule | PublicRule]:
    """The access rules of a route."""
    if isinstance(dependant.call, (AccessRule, PublicRule)):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from rules_of(inner)
