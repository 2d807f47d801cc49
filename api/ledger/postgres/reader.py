"""Reading a market's ledger in PostgreSQL: committed rows only, from any thread or host, without its tenure."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import cached_property
from hashlib import blake2b
from typing import Any

import psycopg

from api.common.api_keys import Key
from api.ledger import records
from api.ledger.chain import genesis, missing, unsealed
from api.ledger.outbox import Due, Notice, Webhook
from api.ledger.postgres import connection as c
from api.ledger.postgres.connection import Connection, where
from api.ledger.protocol import CorruptLedger, Ended, Identity, LedgerFailed, Snapshot, StoredReply, Tenant, VaultRow
from api.ledger.reading import LedgerReader, sound

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 2000
SNAPSHOTS_KEPT = 2

_ANSWER = "tenant, route, key, fingerprint, status, body, made_at, seal"
NOTICE = "seq, event_id, tenant, kind, subject, sequence, created_at, data, seal"
_VAULT = "handle, tenant, kind, subject, first, second, enter_s, exit_s, personal, body, erased_at, seal"
_ENDED = "order_id, seq, tenant, store_id, state, record, seal"
WEBHOOK = "webhook_id, tenant, url, secrets, kinds, enabled, failures, created_at, disabled_reason"
_OWED = (
    "SELECT d.webhook_id, d.attempts, d.due_at, "
    + ", ".join(f"n.{name}" for name in NOTICE.split(", "))
    + " FROM halfhour.dues d JOIN halfhour.notices n ON n.market = d.market AND n.seq = d.seq"
)
_SEALED = {"answers": _ANSWER, "notices": NOTICE, "vault": _VAULT, "ended": _ENDED}


class PostgresReader(LedgerReader):
    """The ledger of one market, `postgresql://host/database#market`, with a connection per thread."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._place = where(address)
        self.market = self._place.market
        self._reading = threading.local()
        self._readers: list[Connection] = []

    def close(self) -> None:
        """Closes every connection."""
        for connection in self._readers:
            connection.close()
        self._readers.clear()

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._reading, "connection", None)
        if connection is None or connection.closed:
            connection = c.connect(self._place)
            c.require_schema(connection, self._place)
            self._reading.connection = connection
            self._readers.append(connection)
        return connection

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """What a statement selects; raises LedgerFailed instead of the driver's own errors.

        A line that broke since the last look is no reason to fail: the same is asked once more.
        """
        for may_repeat in (True, False):
            connection = self._reader()
            try:
                return connection.execute(statement.encode(), values).fetchall()
            except psycopg.Error as problem:
                if not (may_repeat and c.lost(problem)):
                    raise c.explained(problem, self._place) from problem
                connection.close()
        raise AssertionError("the second time ends it")

    def _of(self, columns: str, table: str, rest: str = "", *values: Any) -> list[tuple[Any, ...]]:
        """Rows of this market: whole columns, bytes as bytes."""
        return self.rows(f"SELECT {columns} FROM halfhour.{table} WHERE market = %s {rest}", (self.market, *values))

    def _one(self, columns: str, table: str, rest: str = "", *values: Any) -> tuple[Any, ...] | None:
        return next(iter(self._of(columns, table, rest, *values)), None)

    # --- journal ------------------------------------------------------------------------------------------------

    @cached_property
    def identity(self) -> Identity:
        """Who this ledger is; raises LedgerFailed where the database has no such market."""
        row = self._one("ledger, cursors", "markets")
        if row is None:
            raise LedgerFailed(f"there is no market {self.market!r} here", code="unknown_market")
        return Identity(row[0], row[1])

    def head(self) -> int:
        row = self._one("max(seq)", "journal")
        return int(row[0]) if row and row[0] is not None else 0

    def first_seq(self) -> int:
        """`seq` of the first entry that is here (0: none)."""
        row = self._one("min(seq)", "journal")
        return int(row[0]) if row and row[0] is not None else 0

    def check_end(self) -> None:
        """Raises CorruptLedger where the journal does not end with what was acknowledged."""
        row, head = self._one("head", "markets"), self.head()
        if row is None or row[0] != head:
            raise CorruptLedger(
                f"the ledger has lost its end: {row[0] if row else 0} entries were acknowledged, {head} are here",
                code="ledger_behind", database=self._place.shown,
                hint="Restore the database from a newer copy.",
            )  # fmt: skip

    def in_order(self, after: int) -> Iterator[tuple[records.Text, bytes | None]]:
        page = "AND seq > %s ORDER BY seq LIMIT %s"
        while rows := self._of("seq, at, line, chain", "journal", page, after, ROWS_AT_ONCE):
            for row in rows:
                yield records.Text(*row[:3]), bytes(row[3])
            after = rows[-1][0]

    def chain_at(self, seq: int) -> bytes:
        """The digest of the chain after the entry `seq`; raises CorruptJournal where that is not known here."""
        if seq == self.identity.first:
            return genesis(self.identity.ledger)
        row = self._one("chain", "journal", "AND seq = %s", seq)
        if row is None:
            raise missing(seq, seq)
        return bytes(row[0])

    # --- snapshots ----------------------------------------------------------------------------------------------

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]:
        """Written at once, by the caller's thread, for the entry `snapshot.seq` that must be durable."""
        future: Future[None] = Future()
        try:
            chain = self.chain_at(snapshot.seq)
            state = zlib.compress(records.packed(snapshot.state).encode())
            with c.connect(self._place, writes=True) as connection, connection.transaction():
                connection.execute(
                    "INSERT INTO halfhour.snapshots VALUES (%s, %s, %s, %b, %b, %b) ON CONFLICT DO NOTHING",
                    (self.market, snapshot.seq, snapshot.at, chain, state, _digest(state)),
                )
                connection.execute(
                    "DELETE FROM halfhour.snapshots WHERE market = %s AND seq NOT IN"
                    " (SELECT seq FROM halfhour.snapshots WHERE market = %s ORDER BY seq DESC LIMIT %s)",
                    (self.market, self.market, SNAPSHOTS_KEPT),
                )
            future.set_result(None)
        except (psycopg.Error, LedgerFailed) as problem:
            future.set_exception(LedgerFailed(f"no snapshot could be kept: {problem}"))
        return future

    def newest_snapshot(self) -> Snapshot | None:
        return next(self._sound_snapshots("DESC"), None)

    def sound_snapshots(self) -> Iterator[Snapshot]:
        """Those that are whole and of this journal, the oldest first."""
        return self._sound_snapshots("ASC")

    def _sound_snapshots(self, order: str) -> Iterator[Snapshot]:
        for seq, at, chain, state, digest in self._of(
            "seq, at, chain, state, digest", "snapshots", f"ORDER BY seq {order}"
        ):
            if bytes(digest) == _digest(bytes(state)) and self.head() >= seq and self.chain_at(seq) == bytes(chain):
                yield Snapshot(int(seq), int(at), json.loads(zlib.decompress(bytes(state))))
            else:
                log.warning("the snapshot of entry %s is damaged; another one is taken", seq)

    def archive(self, fewest: int = 1) -> None:
        """Nothing moves out of the database: entries stay where they are."""

    # --- answers and notices ------------------------------------------------------------------------------------

    def answer(self, tenant: str, route: str, key: str) -> StoredReply | None:
        row = self._one(_ANSWER, "answers", "AND tenant = %s AND route = %s AND key = %s", tenant, route, key)
        return records.answer_of(row) if row else None

    def answers(self) -> Iterator[StoredReply]:
        """Every answer that is kept."""
        return map(records.answer_of, self._of(_ANSWER, "answers"))

    def notice_head(self) -> int:
        row = self._one("max(seq)", "notices")
        return int(row[0]) if row and row[0] is not None else 0

    def notices(
        self, after: int = 0, *, tenant: str | None = None, subject: str | None = None, limit: int = 200
    ) -> list[Notice]:
        where_, values = "AND seq > %s", [after]
        more: list[Any] = []
        if tenant is not None:
            where_, more = where_ + " AND tenant = %s", [tenant]
        if subject is not None:
            where_, more = where_ + " AND subject = %s", [*more, subject]
        rows = self._of(NOTICE, "notices", f"{where_} ORDER BY seq LIMIT %s", *values, *more, limit)
        return list(sound(rows, records.notice_of))

    def sequences_of(self, subjects: Sequence[str]) -> dict[str, int]:
        rows = self._of("subject, max(sequence)", "notices", "AND subject = ANY(%s) GROUP BY subject", list(subjects))
        return {subject: int(sequence) for subject, sequence in rows}

    def sequence_of(self, subject: str) -> int:
        row = self._one("sequence", "notices", "AND subject = %s ORDER BY seq DESC LIMIT 1", subject)
        return int(row[0]) if row else 0

    # --- vault --------------------------------------------------------------------------------------------------

    def vault(self, of: Sequence[int] | None = None, after: int = -1) -> Iterator[VaultRow]:
        which, values = ("", []) if of is None else ("AND (handle > %s OR handle = ANY(%s))", [after, list(of)])
        page, last = f"{which} AND handle > %s ORDER BY handle LIMIT %s", -1
        while rows := self._of(_VAULT, "vault", page, *values, last, ROWS_AT_ONCE):
            yield from map(records.vault_of, rows)
            last = rows[-1][0]

    def vault_row(self, handle: int) -> VaultRow | None:
        row = self._one(_VAULT, "vault", "AND handle = %s", handle)
        return records.vault_of(row) if row else None

    def vault_of(self, subject: str) -> list[VaultRow]:
        return [records.vault_of(row) for row in self._of(_VAULT, "vault", "AND subject = %s ORDER BY handle", subject)]

    # --- orders that have left the board ------------------------------------------------------------------------

    def ended_order(self, order_id: str) -> Ended | None:
        row = self._one(_ENDED, "ended", "AND order_id = %s", order_id)
        return records.ended_of(row) if row else None

    def ended_orders(
        self,
        before: int | None = None,
        *,
        tenant: str | None = None,
        state: str | None = None,
        store_id: str | None = None,
        limit: int = 200,
    ) -> list[Ended]:
        asked = (("seq < %s", before), ("tenant = %s", tenant), ("state = %s", state), ("store_id = %s", store_id))
        wanted = [(clause, value) for clause, value in asked if value is not None]
        clauses = "".join(f" AND {clause}" for clause, _ in wanted)
        values = [value for _, value in wanted]
        rows = self._of(_ENDED, "ended", f"{clauses} ORDER BY seq DESC LIMIT %s", *values, limit)
        return [records.ended_of(row) for row in rows]

    def check_rows(self) -> None:
        """Reads every sealed row; raises CorruptLedger at the first that is not what was written."""
        for table, columns in _SEALED.items():
            for row in self._of(columns, table):
                unsealed(table, row)

    # --- webhooks, keys, tenants, values ------------------------------------------------------------------------

    def webhooks(self, tenant: str | None = None) -> list[Webhook]:
        rows = self._of(WEBHOOK, "webhooks", "ORDER BY created_at, webhook_id")
        return [hook for hook in map(records.webhook_of, rows) if tenant is None or hook.tenant == tenant]

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        rows = self.rows(
            f"{_OWED} JOIN halfhour.webhooks w ON w.market = d.market AND w.webhook_id = d.webhook_id AND w.enabled = 1"
            " WHERE d.market = %s AND d.due_at <= %s AND NOT d.webhook_id = ANY(%s) ORDER BY d.due_at, d.seq LIMIT %s",
            (self.market, now, list(skip), limit),
        )
        return list(sound(rows, records.due_of))

    def dues(self) -> list[Due]:
        """Everything that a webhook has not had yet."""
        return [records.due_of(row) for row in self.rows(f"{_OWED} WHERE d.market = %s", (self.market,))]

    def load_keys(self) -> list[Key]:
        return [records.key_of(row) for row in self.rows("SELECT key_id, body FROM halfhour.keys ORDER BY key_id")]

    def tenants(self) -> list[Tenant]:
        rows = self.rows("SELECT tenant, name, created_at FROM halfhour.tenants ORDER BY tenant")
        return [records.tenant_of(row) for row in rows]

    def values(self) -> Iterator[tuple[str, Any]]:
        """Every small value by its name."""
        return ((name, json.loads(text)) for name, text in self._of("name, value", "named_values"))

    def value(self, name: str) -> Any:
        row = self._one("value", "named_values", "AND name = %s", name)
        return json.loads(row[0]) if row else None


def _digest(state: bytes) -> bytes:
    return blake2b(state, digest_size=16).digest()
