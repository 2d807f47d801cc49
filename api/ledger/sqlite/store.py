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
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.common.api_keys import Key
from api.ledger import records
from api.ledger.files import Anchor
from api.ledger.outbox import Claimed, Due, Tried, Webhook
from api.ledger.protocol import Identity, LedgerFailed, Tenant, Write
from api.ledger.sqlite import parts, segments
from api.ledger.sqlite import schema as t
from api.ledger.sqlite.group_commit import Writer
from api.ledger.sqlite.head import Head, read_mark
from api.ledger.sqlite.one_machine import OfOneMachine
from api.ledger.sqlite.reader import SqliteReader, explained
from api.ledger.upkeep.upgrade import upgrade

log = logging.getLogger(__name__)

LOCK = "ledger.lock"
CHECKPOINT_S = 1.0
LONG_WAL_BYTES = 64 * 2**20
"""Beyond this the checkpoint asks for the log to start over instead of waiting for a quiet moment."""


class SqliteLedger(SqliteReader, OfOneMachine):
    """The Ledger in `folder`, made where it does not exist; `header` is kept until there are entries.

    Raises LedgerFailed where another process has it open, CorruptLedger where it is damaged, has lost its end, or does
    not belong to what lies beside it; InvalidInput where others may look into the folder.
    """

    def __init__(self, folder: Path, header: dict[str, Any] | None = None, identity: Identity | None = None) -> None:
        super().__init__(folder)
        parts.make_ready(folder)
        self._lock = locked(folder / LOCK)
        try:
            self._open(header, identity)
        except BaseException:
            super().close()
            os.close(self._lock)
            raise

    def _open(self, header: dict[str, Any] | None, identity: Identity | None) -> None:
        connection = self._connect()
        try:
            if t.version_of(connection) == 0:
                t.prepare(connection, identity)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            connection.execute("PRAGMA secure_delete = ON")  # what was erased must not lie about in free pages
            upgrade(connection, self)
        except sqlite3.Error as problem:
            raise explained(problem, self._path) from problem
        parts.check(self)
        if read_mark(self.folder) is None and self.head():
            log.warning("the ledger comes without its mark, as a copy does: cursors given before are not good any more")
            self._renew(connection)
        self._connection = connection
        self._tip = Head(connection, self.folder, self.identity.ledger)
        self._writer = Writer(connection, self)
        self._anchor: Anchor | None = None
        self._closing = threading.Event()
        fresh = header is not None and (self.head() == 0 or self.value("header") is None)
        # One commit in any case: from now on the mark and the log are there.
        self.append(Write(extra=(("header", header),) if fresh else ())).result()
        self._anchor = Anchor(self._path, _log_of(self._path))
        self._checkpointer = threading.Thread(target=self._checkpoint, name="ledger-checkpoint", daemon=True)
        self._checkpointer.start()

    def _renew(self, connection: sqlite3.Connection) -> None:
        """Begins an epoch: what was given out before is not good any more."""
        identity = self.identity._replace(epoch=records.new_epoch())
        connection.execute(t.SET_VALUE, ("identity", records.packed(identity._asdict())))
        del self.identity

    def _connect(self) -> sqlite3.Connection:
        if getattr(self, "_anchor", None) is not None:
            self._still_here()  # another file in its place must not be read as if it were ours
        return super()._connect()

    # --- what the writer asks and tells -------------------------------------------------------------------------

    def before_commit(self, connection: sqlite3.Connection) -> None:
        """The last statement of a transaction."""
        self._tip.count(connection)

    def after_commit(self) -> None:
        """Before anybody hears that a transaction is durable; raises LedgerFailed where nobody would find it again."""
        self._still_here()
        self._tip.mark()

    def undone(self) -> None:
        """A transaction failed."""
        self._tip.undo()

    def _still_here(self) -> None:
        if self._anchor is not None:
            self._anchor.check()

    # --- writing ------------------------------------------------------------------------------------------------

    def append(self, write: Write) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            if write.entry is not None:
                text = records.text_of_entry(write.entry)
                connection.execute(t.INSERT_ENTRY, (*text, self._tip.took(connection, text)))
            for row in write.vault:
                connection.execute(t.INSERT_VAULT, records.vault_values(row))
            for ended in write.ended:
                connection.execute(t.INSERT_ENDED, records.ended_row(ended))
            for answer in write.answers:
                connection.execute(t.INSERT_ANSWER, records.answer_row(answer))
            for notice in write.notices:
                connection.execute(t.INSERT_NOTICE, records.notice_row(notice))
                connection.execute(t.INSERT_DUES, notice._asdict() | {"data": None})
            for webhook in write.webhooks:
                connection.execute(t.INSERT_WEBHOOK, records.webhook_row(webhook))
            for name, value in write.extra:
                connection.execute(t.SET_VALUE, (name, records.packed(value)))

        return self._writer.put(job)

    def resume(self) -> None:
        self._still_here()
        self._writer.resume(lambda connection: _execute(connection, t.SET_VALUE, ("probe", "1")))

    def close(self) -> None:
        """Commits what is queued and closes."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._writer.close()
        self._checkpointer.join()
        self._tip.close()
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
        """Removes up to `most` rows that a segment holds, the oldest first; None where there are none.

        The row that the last segment ends with stays: the chain goes on from it, wherever the segment is taken.
        """
        upto = min(segments.archived_head(self.folder), self.head()) - 1
        if not 0 < self.first_row() <= upto:
            return None
        return self._writer.put(lambda db: segments.cut(db, upto, most))

    # --- answers and notices ------------------------------------------------------------------------------------

    def forget(self, before: int) -> Future[None]:
        old = (
            "notices WHERE created_at < ? AND seq NOT IN (SELECT seq FROM dues)"
            " AND seq < (SELECT max(seq) FROM notices)"
        )

        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM answers WHERE made_at < ?", (before,))
            last = connection.execute(f"SELECT tenant, max(seq) FROM {old} GROUP BY tenant", (before,)).fetchall()
            if last:
                connection.execute(f"DELETE FROM {old}", (before,))
                connection.execute(t.SET_VALUE, ("forgotten", records.packed(self.forgotten() | dict(last))))

        return self._writer.put(job)

    # --- webhooks -----------------------------------------------------------------------------------------------

    def save_webhook(self, webhook: Webhook) -> Future[None]:
        return self._writer.put(lambda db: _execute(db, t.INSERT_WEBHOOK, records.webhook_row(webhook)))

    def delete_webhook(self, webhook_id: str) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM dues WHERE webhook_id = ?", (webhook_id,))
            connection.execute("DELETE FROM webhooks WHERE webhook_id = ?", (webhook_id,))

        return self._writer.put(job)

    def claim(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Claimed]:
        hooks = {hook.webhook_id: Claimed(hook, [], self.identity.epoch) for hook in self.webhooks()}
        for due in self.claim_due(now, limit=limit, skip=skip):
            hooks[due.webhook_id].dues.append(due)
        return [claimed for claimed in hooks.values() if claimed.dues]

    def let_go(self, visit: Tried) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE webhooks SET failures = ?1, enabled = CASE ?2 WHEN '' THEN enabled ELSE 0 END,"
                " disabled_reason = CASE ?2 WHEN '' THEN disabled_reason ELSE ?2 END"
                " WHERE webhook_id = ?3 AND failures = ?4",
                (visit.failures, visit.disabled, visit.webhook.webhook_id, visit.webhook.failures),
            )

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

    def owe(self, dues: Sequence[Due]) -> Future[None]:
        def job(connection: sqlite3.Connection) -> None:
            rows = [(due.webhook_id, due.notice.seq, due.attempts, due.due_at) for due in dues]
            connection.executemany("INSERT OR REPLACE INTO dues VALUES (?, ?, ?, ?)", rows)

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
        row = (key.key_id, records.key_text(key))
        self._writer.put(lambda db: _execute(db, "INSERT OR REPLACE INTO keys VALUES (?, ?)", row)).result()

    def save_tenant(self, tenant: Tenant) -> Future[None]:
        return self._writer.put(lambda db: _execute(db, "INSERT OR REPLACE INTO tenants VALUES (?, ?, ?)", tenant))

    def _checkpoint(self) -> None:
        """Moves the log into the file, off the writer; PASSIVE never makes a commit wait.

        RESTART holds the writer's lock: all but the newest pages are moved before, and it waits for no reader (one that
        folds the journal into a snapshot takes half a second).  Beside that it flushes the mark, and looks whether the
        files are still there, so that a service that writes nothing hears of it too.
        """
        connection = self._connect()
        connection.execute("PRAGMA busy_timeout = 0")
        log_file = _log_of(self._path)
        while not self._closing.wait(CHECKPOINT_S):
            try:
                self._still_here()
            except LedgerFailed as problem:
                self._writer.refuse(problem)
            with suppress(sqlite3.Error, OSError):
                self._tip.flush()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                if log_file.stat().st_size > LONG_WAL_BYTES:
                    connection.execute("PRAGMA wal_checkpoint(RESTART)")
        connection.close()


def _log_of(path: Path) -> Path:
    """SQLite's write-ahead log."""
    return path.with_name(path.name + "-wal")


def _execute(connection: sqlite3.Connection, statement: str, values: tuple[Any, ...]) -> None:
    connection.execute(statement, values)


def locked(path: Path) -> int:
    """The handle of a lock file that is ours alone; raises LedgerFailed (ledger_in_use)."""
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
