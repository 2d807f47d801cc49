"""Connections to a deployment's database, and its errors in words."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
from psycopg import errors

from api.ledger.postgres.schema import OUT_OF_ORDER, SCHEMA_VERSION, SUPERSEDED
from api.ledger.protocol import LedgerFailed, LedgerFull, NewerLedger
from routing.errors import InvalidInput

Connection = psycopg.Connection[tuple[Any, ...]]

OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "keepalives_idle": 1,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 2000,
    "application_name": "halfhour",
}
"""A writer hears of a lost line after two seconds; no statement has a time limit, for a cancelled commit may stand."""


class Where(NamedTuple):
    """A market in a database: `postgresql://host/database#market`."""

    url: str
    market: str

    @property
    def shown(self) -> str:
        """The address without a password, for messages."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or ''}{parts.path}#{self.market}"


def where(address: str) -> Where:
    """Takes an address apart; raises InvalidInput where it names no database."""
    url, _, market = address.partition("#")
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or len(parts.path) < 2:
        raise InvalidInput(
            "this address names no database", field="ledger",
            hint="Write postgresql://user@host/database, and name the market with --market.",
        )  # fmt: skip
    return Where(url, market or "default")


def connect(place: Where, *, writes: bool = False) -> Connection:
    """One connection; raises LedgerFailed where there is none to be had now, NewerLedger for a later schema."""
    wanted: dict[str, Any] = (
        {"target_session_attrs": "read-write"} if writes else {"options": "-c default_transaction_read_only=on"}
    )
    try:
        return psycopg.connect(place.url, **OPTIONS, **wanted)
    except psycopg.Error as problem:
        raise explained(problem, place) from problem


def require_schema(connection: Connection, place: Where) -> None:
    """Raises InvalidInput where the tables are missing or older (`older_ledger`), NewerLedger where they are newer."""
    try:
        row = connection.execute("SELECT to_jsonb(v) FROM halfhour.version v").fetchone()
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        row = None
    if row is None:
        raise InvalidInput(
            "the database holds no ledgers yet", field="ledger", database=place.shown,
            hint="Make the tables: halfhour admin ledger init URL",
        )  # fmt: skip
    version, oldest = int(row[0]["version"]), int(row[0].get("oldest_program", 0))
    if version < SCHEMA_VERSION:
        raise InvalidInput(
            f"the database has tables of version {version}, this program needs {SCHEMA_VERSION}", field="ledger",
            code="older_ledger", database=place.shown, hint="Bring them up to date: halfhour admin ledger migrate URL",
        )  # fmt: skip
    if oldest > SCHEMA_VERSION:
        raise NewerLedger(
            f"the database has tables of version {version}, this program knows {SCHEMA_VERSION}", database=place.shown,
            hint="Run the version that made them, or a later one.",
        )  # fmt: skip


def superseded(place: Where) -> LedgerFailed:
    """Somebody else holds the market: what is in memory here must never be written."""
    return LedgerFailed(
        f"market {place.market} is held by another host: this process ends", code="ledger_superseded", fatal=True
    )


def explained(problem: psycopg.Error, place: Where) -> LedgerFailed:
    """A failed statement in words."""
    state = problem.sqlstate or ""
    if state == SUPERSEDED:
        return superseded(place)
    if state in ("53100", "25006"):
        hint = "Free some space on the database's disk; the service resumes by itself."
        return LedgerFull("the database takes no more", hint=hint, retry_after_s=5)
    if state == OUT_OF_ORDER:
        return LedgerFailed(f"the ledger refused a write: {problem.diag.message_primary}", retry_after_s=1)
    what = problem.diag.message_primary or str(problem).partition("\n")[0]
    return LedgerFailed(f"the database cannot be used: {what}", database=place.shown, retry_after_s=1)


def lost(problem: BaseException) -> bool:
    """True where nobody knows whether the statement happened: the line broke, or the server went."""
    if not isinstance(problem, psycopg.OperationalError):
        return False
    return problem.sqlstate is None or problem.sqlstate[:2] in ("08", "57")


def again(problem: BaseException) -> bool:
    """True where the same statement may be sent again as it is: it waited for others and was turned away."""
    return isinstance(problem, errors.SerializationFailure | errors.DeadlockDetected | errors.LockNotAvailable)
