"""A ledger by its address: a folder (embedded), or `postgresql://host/database#market`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from api.ledger.protocol import Ledger, Snapshot
from api.ledger.recovery import Folds
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from routing.errors import InvalidInput

__all__ = ["Keeps", "in_database", "opened", "prepared", "reader_of", "shown"]


class Keeps(Folds, Protocol):
    """What folds a ledger into a snapshot, in a process of its own."""

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]: ...

    def archive(self) -> Any:
        """Moves what two snapshots cover elsewhere, where that is done."""

    def close(self) -> None: ...


def in_database(address: str) -> bool:
    """True for the address of a database."""
    return address.startswith(("postgresql://", "postgres://"))


def shown(address: str) -> str:
    """An address without its password, for people."""
    if not in_database(address):
        return address
    _require_driver()
    from api.ledger.postgres.connection import where

    return where(address).shown


def opened(
    address: str,
    header: dict[str, Any] | None = None,
    *,
    version: str = "",
    wait_s: float | None = 0.0,
    on_wait: Callable[[str], None] | None = None,
) -> Ledger:
    """The ledger, ours to write; of a market that another host holds it is waited for `wait_s` (None: for ever)."""
    if not in_database(address):
        return SqliteLedger(Path(address), header)
    _require_driver()
    from api.ledger.postgres.store import PostgresLedger

    return PostgresLedger(address, header, version=version, wait_s=wait_s, on_wait=on_wait)


def reader_of(address: str) -> Keeps:
    """The ledger, to be read while another process writes it."""
    if not in_database(address):
        return SqliteReader(Path(address))
    _require_driver()
    from api.ledger.postgres.reader import PostgresReader

    return PostgresReader(address)


def prepared(address: str) -> str:
    """Makes the tables of a database, or brings them up to date; the address without its password."""
    if not in_database(address):
        raise InvalidInput(
            "this is the address of no database", field="url", hint="Write postgresql://user@host/database."
        )
    _require_driver()
    from api.ledger.postgres.store import prepare

    prepare(address)
    return shown(address).partition("#")[0]


def _require_driver() -> None:
    if find_spec("psycopg") is None:
        raise InvalidInput(
            "the driver of PostgreSQL is not installed", field="ledger", hint="pip install 'halfhour[postgres]'"
        )
