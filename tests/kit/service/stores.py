"""Ledgers of every kind, for tests of what they have in common."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from api.ledger.outbox import Notice, Webhook
from api.ledger.protocol import Ledger, LedgerEntry

_NUMBERS = itertools.count()

HOOK = Webhook("wh1", "acme", "https://example.org/in", ("s1",), created_at=5)


class Stored(Ledger, Protocol):
    """A ledger that counts what it does."""

    def counters(self) -> dict[str, int]: ...


class Store:
    """A place that holds one ledger; `make(place, header)` opens it."""

    def __init__(self, make: Callable[[str, dict[str, Any] | None], Stored], place: str) -> None:
        self._make = make
        self._place = place

    def opened(self, header: dict[str, Any] | None = None) -> Stored:
        """The ledger, made where there is none."""
        return self._make(self._place, header)

    def another(self) -> Store:
        """Another place of the same kind."""
        return Store(self._make, f"{self._place}-{next(_NUMBERS)}")


def in_folder(folder: Path) -> Store:
    """A store of the embedded kind."""
    from api.ledger.sqlite.store import SqliteLedger

    return Store(lambda place, header: SqliteLedger(Path(place), header), str(folder))


def in_database(address: str) -> Store:
    """A store in PostgreSQL, `address` with the name of a market."""
    from api.ledger.postgres.store import PostgresLedger

    return Store(PostgresLedger, address)


def entry(seq: int) -> LedgerEntry:
    """An entry that says its number."""
    return LedgerEntry(seq, 1000 + seq, {"kind": "Wake", "at": 1000 + seq}, [{"kind": "X", "n": seq}])


def notice(seq: int, tenant: str = "acme", kind: str = "delivery.created", subject: str = "acme.o1") -> Notice:
    """A notice that says its number."""
    return Notice(seq, f"evt_{seq}", tenant, kind, subject, seq, 1000, {"ü": seq})
