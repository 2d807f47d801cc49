"""Tenants and keys, over the wire; the first key of a new ledger is made on the command line."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import Field

from api.access.keys import KeyBook
from api.access.rate_limits import Meter
from api.access.rules import Caller, Scope, access
from api.common.api_keys import Key
from api.common.errors import NotFound
from api.http.commands import Running
from api.http.problems import problems
from api.http.schemas.base import RequestBody, Shown, instant_at, instant_of
from api.http.schemas.values import Name
from api.http.schemas.values import TenantId as WireTenantId
from api.http.transport.door import Door
from api.ledger.protocol import Tenant
from routing.errors import InvalidInput

router = APIRouter(tags=["administration"], route_class=Door)

Admin = Annotated[Caller, access(Scope.ADMIN, meter=Meter.WRITE)]
TenantId = Annotated[WireTenantId, Path()]
KeyId = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,32}$", examples=["3fKq0aZ81x"])]


class TenantBody(RequestBody):
    """An order system's name, for people."""

    name: Name


class TenantShown(Shown):
    """An order system."""

    tenant: str
    name: str
    created_at: datetime


class KeyBody(RequestBody):
    """A key for a tenant."""

    tenant: WireTenantId
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope), examples=[["orders"]])]
    valid_s: Annotated[int, Field(strict=True, ge=60, le=10 * 366 * 86_400)] | None = None
    label: Name | None = None


class KeyShown(Shown):
    """A key; its text is shown once, when it is made."""

    key_id: str
    tenant: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    label: str
    key: str | None = None


class Rotate(RequestBody):
    """How long the old key goes on working."""

    overlap_s: Annotated[int, Field(strict=True, ge=0, le=30 * 86_400)] = 3600


@router.put("/v1/tenants/{tenant}", summary="Create a tenant", response_model=TenantShown, responses=problems())
async def put_tenant(service: Running, caller: Admin, tenant: TenantId, body: TenantBody) -> TenantShown:
    """An order system is new, or is now called this."""
    known = next((found for found in service.ledger.tenants() if found.tenant == tenant), None)
    made = Tenant(tenant, body.name, known.created_at if known is not None else service.host.clock.now())
    await asyncio.wrap_future(service.ledger.save_tenant(made))
    return _tenant(made)


@router.get("/v1/tenants", summary="List tenants", response_model=list[TenantShown], responses=problems())
async def list_tenants(service: Running, caller: Admin) -> list[TenantShown]:
    """Every order system."""
    return [_tenant(found) for found in service.ledger.tenants()]


@router.post("/v1/keys", status_code=201, summary="Create a key", response_model=KeyShown, responses=problems())
async def make_key(request: Request, service: Running, caller: Admin, body: KeyBody) -> KeyShown:
    """Its text is in this answer and nowhere else."""
    if body.tenant not in {found.tenant for found in service.ledger.tenants()}:
        raise InvalidInput("there is no such tenant", code="unknown_tenant", field="tenant")
    keys: KeyBook = service.gate.keys
    text, key = await asyncio.to_thread(
        keys.make, body.tenant, body.scopes, service.host.clock.now(), valid_s=body.valid_s, label=body.label or ""
    )
    return _key(key, text)


@router.get("/v1/keys", summary="List keys", response_model=list[KeyShown], responses=problems())
async def list_keys(request: Request, service: Running, caller: Admin) -> list[KeyShown]:
    """Every key, without its text."""
    return [_key(key) for key in service.gate.keys]


@router.post(
    "/v1/keys/{key_id}/rotate", status_code=201, summary="Rotate a key", response_model=KeyShown, responses=problems()
)
async def rotate_key(
    request: Request, service: Running, caller: Admin, key_id: KeyId, body: Rotate | None = None
) -> KeyShown:
    """A successor with the same rights; both work for the overlap."""
    overlap_s = (body or Rotate()).overlap_s
    try:
        text, key = await asyncio.to_thread(
            service.gate.keys.rotate, key_id, service.host.clock.now(), overlap_s=overlap_s
        )
    except KeyError:
        raise NotFound("there is no such key", code="unknown_key") from None
    return _key(key, text)


@router.delete("/v1/keys/{key_id}", summary="Revoke a key", response_model=KeyShown, responses=problems())
async def revoke_key(request: Request, service: Running, caller: Admin, key_id: KeyId) -> KeyShown:
    """It stops working at once."""
    try:
        key = await asyncio.to_thread(service.gate.keys.revoke, key_id, service.host.clock.now())
    except KeyError:
        raise NotFound("there is no such key", code="unknown_key") from None
    return _key(key)


def _tenant(found: Tenant) -> TenantShown:
    return TenantShown(tenant=found.tenant, name=found.name, created_at=instant_at(found.created_at))


def _key(key: Key, text: str | None = None) -> KeyShown:
    return KeyShown(
        key_id=key.key_id,
        tenant=key.tenant,
        scopes=sorted(key.scopes),
        created_at=instant_at(key.created_at),
        expires_at=instant_of(key.expires_at),
        label=key.label,
        key=text,
    )
