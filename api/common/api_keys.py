"""API keys: what one may do, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a key may do; `ops` and `admin` keys are the operator's and see every tenant."""

    ORDERS = "orders"
    RIDERS = "riders"
    KITCHENS = "kitchens"
    OPS = "ops"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """What is kept of an API key: never the key itself."""

    key_id: str
    tenant: str
    scopes: frozenset[Scope]
    digest: str
    created_at: int
    expires_at: int | None = None
    label: str = ""

    def is_valid(self, now: int) -> bool:
        """True until `expires_at`."""
        return self.expires_at is None or now < self.expires_at
