"""The embedded ledger: one SQLite file (WAL, synchronous=FULL) in a folder, with snapshots beside it.

Durability is the writer's (`writer.py`); the checkpoint runs on a connection of its own, so that no commit waits for
it; reads have a connection per thread.  A lock file keeps a second process out.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.keys import Key
from api.ledger import rotation
from api.ledger import tables as t
from api.ledger.protocol import (
    Due,
    LedgerFailed,
    Tenant,
    Webhook,
    Write,
)
from api.ledger.reading import SqliteReader
from api.ledger.writer import Writer

log = logging.getLogger(__name__)

CHECKPOINT_S = 1.0
LONG_WAL_BYTES = 64 * 2**20
"""Beyond this the checkpoint asks for the log to start over instead of waiting for a quiet moment."""


class SqliteLedger(SqliteReader):
    """The Ledger in `folder`, made where it does not exist; `header` is kept until there are entries.

    Raises LedgerFailed where another process has it open or the file is damaged.
    """

    def __init__(self, folder: Path, header: dict[str, Any] | None = None) -> None:
        super().__init__(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(folder / "ledger.lock")
        connection = self._connect()
        try:
            t.prepare(connection)
        except sqlite3.Error as problem:
            raise LedgerFailed(f"the ledger cannot be opened: {problem}", file=str(self._path)) from problem
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA secure_delete = ON")  # what was erased must not lie about in free pages
        self._connection = connection
        self._writer = Writer(connection)
        self._closing = threading.Event()
        self._checkpointer = threading.Thread(target=self._checkpoint, name="ledger-checkpoint", daemon=True)
        self._checkpointer.start()
        if header is not None and (self.head() == 0 or self.value("header") is None):
            self.append(Write(extra=(("header", header),))).result()

    # --- writing ------------------------------------------------------------------------------------------------

    def append(self, write: Write) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            if write.entry is not None:
                connection.execute(t.INSERT_ENTRY, t.entry_row(write.entry))
            for row in write.vault:
                connection.execute(t.INSERT_VAULT, t.vault_values(row))
            for ended in write.ended:
                connection.execute(t.INSERT_ENDED, t.ended_row(ended))
            for answer in write.answers:
                connection.execute(t.INSERT_ANSWER, answer)
            for notice in write.notices:
                connection.execute(t.INSERT_NOTICE, t.notice_row(notice))
                connection.execute(t.INSERT_DUES, notice._asdict() | {"data": None})
            for webhook in write.webhooks:
                connection.execute(t.INSERT_WEBHOOK, t.webhook_row(webhook))
            for name, value in write.extra:
                connection.execute(t.SET_VALUE, (name, t.packed(value)))

        return self._writer.put(job)

    def resume(self) -> None:
        self._writer.resume(lambda connection: _execute(connection, t.SET_VALUE, ("probe", "1")))

    def close(self) -> None:
        """Commits what is queued and closes."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._writer.close()
        self._checkpointer.join()
        self._connection.close()
        super().close()
        os.close(self._lock)

    @property
    def failed(self) -> LedgerFailed | None:
        """Why nothing is written now, None while all is well."""
        return self._writer.failed

    def limit_pages(self, pages: int | None) -> None:
        """Lets the file grow to `pages` only (None: as it likes): how tests make a disk full."""
        self._connection.execute(f"PRAGMA max_page_count = {pages or 2**31 - 2}")

    def counters(self) -> dict[str, int]:
        """Commits, writes committed and writes waiting, for metrics."""
        return {"commits": self._writer.commits, "writes": self._writer.jobs, "waiting": self._writer.waiting}

    # --- journal ------------------------------------------------------------------------------------------------

    def cut(self, most: int) -> Future[None] | None:
        """Removes up to `most` rows that a segment holds, the oldest first; None where there are none."""
        upto = min(rotation.archived_head(self.folder), self.head() - 1)
        if not 0 < self.first_row() <= upto:
            return None
        return self._writer.put(lambda db: rotation.cut(db, upto, most))

    # --- answers and notices ------------------------------------------------------------------------------------

    def forget(self, before: int) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM answers WHERE made_at < ?", (before,))
            connection.execute(
                "DELETE FROM notices WHERE created_at < ? AND seq NOT IN (SELECT seq FROM dues)"
                " AND seq < (SELECT max(seq) FROM notices)",
                (before,),
            )

        return self._writer.put(job)

    # --- webhooks -----------------------------------------------------------------------------------------------

    def save_webhook(self, webhook: Webhook) -> Future[None]:
        return self._writer.put(lambda db: _execute(db, t.INSERT_WEBHOOK, t.webhook_row(webhook)))

    def delete_webhook(self, webhook_id: str) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM dues WHERE webhook_id = ?", (webhook_id,))
            connection.execute("DELETE FROM webhooks WHERE webhook_id = ?", (webhook_id,))

        return self._writer.put(job)

    def settle(self, done: Sequence[Due], later: Sequence[Due]) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "DELETE FROM dues WHERE webhook_id = ? AND seq = ?", [(due.webhook_id, due.notice.seq) for due in done]
            )
            connection.executemany(
                "UPDATE dues SET attempts = ?, due_at = ? WHERE webhook_id = ? AND seq = ?",
                [(due.attempts, due.due_at, due.webhook_id, due.notice.seq) for due in later],
            )

        return self._writer.put(job)

    def redeliver(self, webhook_id: str, after: int, now: int) -> Future[None]:
        statement = (
            "INSERT OR REPLACE INTO dues SELECT w.webhook_id, n.seq, 0, ? FROM webhooks w JOIN notices n"
            " ON n.tenant = w.tenant AND n.seq > ? WHERE w.webhook_id = ?"
            " AND (w.kinds = '[]' OR instr(w.kinds, '\"' || n.kind || '\"'))"
        )
        return self._writer.put(lambda db: _execute(db, statement, (now, after, webhook_id)))

    # --- keys, tenants, values ----------------------------------------------------------------------------------

    def save_key(self, key: Key) -> None:
        row = (key.key_id, t.key_text(key))
        self._writer.put(lambda db: _execute(db, "INSERT OR REPLACE INTO keys VALUES (?, ?)", row)).result()

    def save_tenant(self, tenant: Tenant) -> Future[None]:
        return self._writer.put(lambda db: _execute(db, "INSERT OR REPLACE INTO tenants VALUES (?, ?, ?)", tenant))

    def _checkpoint(self) -> None:
        """Moves the log into the file, off the writer; PASSIVE never makes a commit wait.

        RESTART holds the writer's lock: all but the newest pages are moved before, and it waits for no reader (one that
        folds the journal into a snapshot takes half a second).
        """
        connection = self._connect()
        connection.execute("PRAGMA busy_timeout = 0")
        wal = self._path.with_name(self._path.name + "-wal")
        while not self._closing.wait(CHECKPOINT_S):
            with suppress(sqlite3.Error, OSError):
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if wal.stat().st_size > LONG_WAL_BYTES:
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.close()


def _execute(connection: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> None:
    connection.execute(statement, values)


def _locked(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(lock)
        raise LedgerFailed(
            "another process has this ledger open", code="ledger_in_use", file=str(path.parent),
            hint="Ask the running service instead, or stop it first.",
        ) from problem  # fmt: skip
    return lock
