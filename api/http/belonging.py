"""Whose store is it?  A tenant works with its own stores and with those shared by all; only its own it may stop.

A kitchen's token reaches one store; a key of the operator reaches every one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from api.access.rules import Caller
from api.common.api_keys import Scope
from api.common.errors import Forbidden, NotFound
from api.common.ids import tenant_of
from dispatch.board.board import Board
from dispatch.board.stock import StoreRecord
from dispatch.model import Store
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from api.http.commands import Service


def may_use(caller: Caller, store: Store) -> bool:
    """True where the caller may see a store, and hand over orders for it."""
    if caller.store_id is not None and caller.store_id != store.store_id:
        return False
    if caller.sees_all or Scope.RIDERS in caller.scopes:  # riders go to every store
        return True
    return not store.tenants or caller.tenant in store.tenants


def require_store(service: Service, caller: Caller, store_id: str) -> StoreRecord:
    """A store that the caller may use; raises NotFound where there is none."""
    record = service.host.board.stores.get(store_id)
    if record is None or not may_use(caller, record.store):
        raise NotFound("there is no such store here", code="unknown_store")
    return record


def require_say(caller: Caller, store: Store) -> None:
    """Raises Forbidden where the caller may use a store and not stop it, for others' orders would wait."""
    if not caller.sees_all and caller.tenant not in store.tenants:
        raise Forbidden(
            "this store is shared by all tenants",
            hint="The operator may close it, or list it with your tenant among its `tenants`.",
        )


def check_tenants(service: Service, tenants: list[str]) -> None:
    """Raises InvalidInput for a tenant that nobody has made."""
    known = {found.tenant for found in service.ledger.tenants()}
    for k, tenant in enumerate(tenants):
        if tenant not in known:
            raise InvalidInput(
                f"there is no tenant {tenant!r}", code="unknown_tenant", field=f"tenants.{k}",
                hint="PUT /v1/tenants/{tenant} makes one.",
            )  # fmt: skip


def open_at_stores(board: Board, caller: Caller | None) -> Counter[str]:
    """How many open orders each store has, as far as the caller may know (None: all of them)."""
    return Counter(
        record.order.store_id
        for order_id, record in board.open_orders.items()
        if caller is None or caller.owns(tenant_of(order_id))
    )
