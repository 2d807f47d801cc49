"""Ids and instants as the service writes them: a tenant's own id behind its tenant, instants in RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime

SEPARATOR = "."
"""Between tenant and external id in an order's id; no tenant's name holds one."""


def order_id_of(tenant: str, external_id: str) -> str:
    """The engine's id of a tenant's delivery."""
    return f"{tenant}{SEPARATOR}{external_id}"


def tenant_of(order_id: str) -> str:
    """Whose delivery an order id names."""
    return order_id.partition(SEPARATOR)[0]


def external_id_of(order_id: str) -> str:
    """The tenant's own id of a delivery."""
    return order_id.partition(SEPARATOR)[2]


def rider_of_stop(stop_id: str) -> str:
    """On whose route a stop stands, or stood: its id begins with theirs."""
    return stop_id.rpartition(".")[0]


def timestamp(at: int | None) -> str | None:
    """Epoch seconds as RFC 3339 UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
