"""A ledger by its address: a folder (embedded), or `postgresql://host/database#market`."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from api.common.api_keys import Key
from api.ledger.outbox import Due, Notice, Webhook
from api.ledger.protocol import Ended, Identity, Ledger, Skip, Snapshot, StoredReply, Tenant
from api.ledger.records import Text
from api.ledger.recovery import Folds
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from routing.errors import InvalidInput

__all__ = ["Copied", "in_database", "opened", "prepared", "reader_of", "shown"]


class Copied(Folds, Protocol):
    """All that a ledger holds, to be read beside whoever writes it."""

    @property
    def identity(self) -> Identity: ...

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]: ...

    def archive(self, fewest: int = 1) -> Any:
        """Moves what two snapshots cover elsewhere, where that is done and it is `fewest` entries or more."""

    def chain_at(self, seq: int) -> bytes:
        """The digest of the chain after an entry."""

    def skips(self) -> dict[int, Skip]: ...

    def first_seq(self) -> int:
        """`seq` of the first entry that is here (0: none)."""

    def sound_snapshots(self) -> Iterator[Snapshot]:
        """Those that can be read, the oldest first."""

    def texts(self, after: int = 0) -> Iterator[Text]:
        """The entries with seq > `after` as they are kept."""

    def value(self, name: str) -> Any:
        """A small JSON value by name, None where unset."""

    def check_end(self) -> None:
        """Raises CorruptLedger where the journal does not end with what was acknowledged."""

    def check_rows(self) -> None:
        """Raises CorruptLedger at the first row that is not what was written."""

    def answers(self) -> Iterator[StoredReply]:
        """Every answer that is kept."""

    def notices(self, after: int = 0, *, limit: int = 200) -> list[Notice]: ...

    def ended_orders(self, before: int | None = None, *, limit: int = 200) -> list[Ended]: ...

    def webhooks(self) -> list[Webhook]: ...

    def dues(self) -> Iterable[Due]:
        """Everything that a webhook has not had yet."""

    def load_keys(self) -> Iterable[Key]: ...

    def tenants(self) -> list[Tenant]: ...

    def values(self) -> Iterator[tuple[str, Any]]:
        """Every small value by its name."""

    def close(self) -> None: ...


def in_database(address: str) -> bool:
    """True for the address of a database."""
    return address.startswith(("postgresql://", "postgres://"))


def market_of(address: str) -> str:
    """The market that an address of a database names; empty for a folder."""
    if not in_database(address):
        return ""
    _require_driver()
    from api.ledger.postgres.connection import where

    return where(address).market


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
    identity: Identity | None = None,
    version: str = "",
    wait_s: float | None = 0.0,
    on_wait: Callable[[str], None] | None = None,
    node: str = "",
    configuration: Mapping[str, str] | None = None,
    changes_configuration: bool = False,
    lease_s: float | None = None,
    follows: bool = False,
) -> Ledger:
    """The ledger, ours to write; of a market that another host holds it is waited for `wait_s` (None: for ever).

    `identity`: what a new one is called, where it is to be the copy of another.  `node`: this host's name.
    `lease_s`: how long it stays ours in silence.  `configuration`: what all hosts of the market must have
    alike; with `changes_configuration` ours holds from now on.  `follows`: one that another host holds is followed.
    """
    if not in_database(address):
        return SqliteLedger(Path(address), header, identity)
    _require_driver()
    from api.ledger.postgres.store import TTL_S, PostgresLedger

    return PostgresLedger(
        address, header, identity=identity, version=version, wait_s=wait_s, on_wait=on_wait, node=node,
        configuration=configuration, changes_configuration=changes_configuration, ttl_s=lease_s or TTL_S,
        follows=follows,
    )  # fmt: skip


def reader_of(address: str) -> Copied:
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


def registry_of(url: str) -> Any:
    """The registry of a deployment; raises InvalidInput where the address is no database's."""
    if not in_database(url):
        raise InvalidInput(
            "this is the address of no database", field="ledger", hint="Write postgresql://user@host/database."
        )
    _require_driver()
    from api.ledger.postgres.registry import Registry

    return Registry(url)


def outbox_of(url: str) -> Any:
    """What is due to the webhooks of all markets of a deployment, shared with every other sender."""
    registry_of(url).close()  # the address is a database's
    from api.ledger.postgres.connection import where
    from api.ledger.postgres.outbox import PostgresOutbox

    made = PostgresOutbox(where(url), f"{socket.gethostname()}:{secrets.token_hex(6)}", None)
    made.tries()  # and the database can be asked
    return made


def noted(address: str, line: dict[str, Any]) -> None:
    """Keeps a line of a market's audit in its database."""
    _require_driver()
    from api.ledger.postgres.store import note

    note(address, line)


def _require_driver() -> None:
    if find_spec("psycopg") is None:
        raise InvalidInput(
            "the driver of PostgreSQL is not installed", field="ledger", hint="pip install 'halfhour[postgres]'"
        )
