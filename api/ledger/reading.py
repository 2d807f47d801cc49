"""Reading a ledger: committed rows only, from any thread or process, without the writer's lock."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.keys import Key
from api.ledger import rotation
from api.ledger import tables as t
from api.ledger.protocol import Answer, Due, Ended, Entry, LedgerFailed, Notice, Snapshot, Tenant, VaultRow, Webhook

log = logging.getLogger(__name__)

FILE = "ledger.sqlite"


class SqliteReader:
    """The ledger in `folder`, with a connection per thread; snapshots are files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / FILE
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []

    def close(self) -> None:
        """Closes every connection."""
        for connection in self._readers:
            connection.close()
        self._readers.clear()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30.0)
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._reading.connection = connection
            self._readers.append(connection)
        return connection

    def _one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._reader().execute(statement, values).fetchone()
        return row

    def _number(self, statement: str) -> int:
        row = self._one(statement, ())
        return int(row[0]) if row and row[0] is not None else 0

    # --- journal ------------------------------------------------------------------------------------------------

    def header(self) -> dict[str, Any]:
        return dict(self.value("header") or {})

    def head(self) -> int:
        return self._number("SELECT max(seq) FROM journal")

    def entries(self, after: int = 0) -> Iterator[Entry]:
        while True:
            for segment in rotation.segments(self.folder):
                if segment.last > after:
                    for entry in rotation.read(segment, after):
                        yield entry
                        after = entry.seq
            rows = self._reader().cursor()
            rows.execute("SELECT seq, at, line FROM journal WHERE seq > ? ORDER BY seq", (after,))
            row = rows.fetchone()
            if row is None or row[0] == after + 1 or rotation.archived_head(self.folder) <= after:
                break
            rows.close()  # rows went into a segment after we looked at those there were
        if row is not None:
            yield t.entry_of(row)
            yield from map(t.entry_of, rows)

    def first_row(self) -> int:
        """`seq` of the first entry that is in no segment yet, or whose row has not gone (0: none)."""
        return self._number("SELECT min(seq) FROM journal")

    def archive(self) -> rotation.Segment | None:
        """Makes a segment of what both snapshots cover and no segment holds; None where there is nothing to do."""
        snapshots = self.snapshots()
        if len(snapshots) < 2:
            return None
        covered = int(snapshots[1].stem.rpartition("-")[2])
        held = rotation.archived_head(self.folder)
        return rotation.archive(self.folder, self.entries(held), covered) if covered > held else None

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]:
        """Written at once, by the caller's thread: a snapshot is a file that appears whole or not at all."""
        future: Future[None] = Future()
        path = self.folder / f"snapshot-{snapshot.seq:012d}.json"
        try:
            _write_whole(path, t.packed(snapshot._asdict()))
            for old in self.snapshots()[2:]:
                old.unlink(missing_ok=True)
            future.set_result(None)
        except OSError as problem:
            future.set_exception(LedgerFailed(f"no snapshot could be kept: {problem}"))
        return future

    def newest_snapshot(self, upto: int | None = None) -> Snapshot | None:
        for path in self.snapshots():
            with suppress(OSError, ValueError, TypeError):
                found = Snapshot(**json.loads(path.read_text(encoding="utf-8")))
                if upto is None or found.seq <= upto:
                    return found
                continue
            log.warning("the snapshot %s cannot be read; an older one is taken", path.name)
        return None

    def snapshots(self) -> list[Path]:
        """Their files, newest first."""
        return sorted(self.folder.glob("snapshot-*.json"), reverse=True)

    # --- answers and notices ------------------------------------------------------------------------------------

    def answer(self, tenant: str, route: str, key: str) -> Answer | None:
        row = self._one("SELECT * FROM answers WHERE tenant = ? AND route = ? AND key = ?", (tenant, route, key))
        return t.answer_of(row) if row else None

    def notice_head(self) -> int:
        return self._number("SELECT max(seq) FROM notices")

    def notices(
        self, after: int = 0, *, tenant: str | None = None, subject: str | None = None, limit: int = 200
    ) -> list[Notice]:
        where, values = "seq > ?", [after]
        more: list[Any] = []
        if tenant is not None:
            where, more = where + " AND tenant = ?", [tenant]
        if subject is not None:
            where, more = where + " AND subject = ?", [*more, subject]
        rows = self._reader().execute(
            f"SELECT * FROM notices WHERE {where} ORDER BY seq LIMIT ?", (*values, *more, limit)
        )
        return [t.notice_of(row) for row in rows]

    def sequence_of(self, subject: str) -> int:
        statement = "SELECT sequence FROM notices WHERE subject = ? ORDER BY seq DESC LIMIT 1"
        row = self._one(statement, (subject,))
        return int(row[0]) if row else 0

    # --- vault --------------------------------------------------------------------------------------------------

    def vault(self) -> Iterator[VaultRow]:
        return map(t.vault_of, self._reader().cursor().execute("SELECT * FROM vault ORDER BY handle"))

    def vault_row(self, handle: int) -> VaultRow | None:
        row = self._one("SELECT * FROM vault WHERE handle = ?", (handle,))
        return t.vault_of(row) if row else None

    def vault_of(self, subject: str) -> list[VaultRow]:
        rows = self._reader().execute("SELECT * FROM vault WHERE subject = ? ORDER BY handle", (subject,))
        return [t.vault_of(row) for row in rows]

    # --- orders that have left the board ------------------------------------------------------------------------

    def ended_order(self, order_id: str) -> Ended | None:
        row = self._one("SELECT * FROM ended WHERE order_id = ?", (order_id,))
        return t.ended_of(row) if row else None

    def ended_orders(
        self,
        before: int | None = None,
        *,
        tenant: str | None = None,
        state: str | None = None,
        store_id: str | None = None,
        limit: int = 200,
    ) -> list[Ended]:
        asked = (("seq < ?", before), ("tenant = ?", tenant), ("state = ?", state), ("store_id = ?", store_id))
        wanted = [(clause, value) for clause, value in asked if value is not None]
        where = " AND ".join(clause for clause, _ in wanted) or "1"
        statement = f"SELECT * FROM ended WHERE {where} ORDER BY seq DESC LIMIT ?"
        rows = self._reader().execute(statement, (*(value for _, value in wanted), limit))
        return [t.ended_of(row) for row in rows]

    # --- webhooks, keys, tenants, values ------------------------------------------------------------------------

    def webhooks(self, tenant: str | None = None) -> list[Webhook]:
        rows = self._reader().execute("SELECT * FROM webhooks ORDER BY created_at, webhook_id")
        return [hook for hook in map(t.webhook_of, rows) if tenant is None or hook.tenant == tenant]

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        rows = self._reader().execute(t.SELECT_DUE, (now, t.packed(list(skip)), limit))
        return [Due(row[0], t.notice_of(row[3:]), row[1], row[2]) for row in rows]

    def load_keys(self) -> list[Key]:
        return [t.key_of(row) for row in self._reader().execute("SELECT * FROM keys ORDER BY key_id")]

    def tenants(self) -> list[Tenant]:
        return [t.tenant_of(row) for row in self._reader().execute("SELECT * FROM tenants ORDER BY tenant")]

    def value(self, name: str) -> Any:
        row = self._one("SELECT value FROM named_values WHERE name = ?", (name,))
        return json.loads(row[0]) if row else None


def _write_whole(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
