"""Reading a ledger: committed rows only, from any thread or process, without the writer's lock.

No entry is handed out that does not follow the one before it in the chain, and no row that is not what was written.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from api.common.api_keys import Key
from api.ledger import records, snapshots
from api.ledger.chain import genesis, link, missing, unsealed
from api.ledger.outbox import Due, Notice, Webhook
from api.ledger.protocol import CorruptLedger, Ended, Identity, LedgerFailed, Snapshot, StoredReply, Tenant, VaultRow
from api.ledger.reading import LedgerReader, sound
from api.ledger.sqlite import schema as t
from api.ledger.sqlite import segments
from api.ledger.sqlite.head import MARK, read_mark
from dispatch.errors import CorruptJournal

log = logging.getLogger(__name__)

FILE = "ledger.sqlite"
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def explained(problem: sqlite3.Error, path: Path) -> CorruptLedger | LedgerFailed:
    """A failed read in words: damage, or a file that cannot be read now."""
    if getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _DAMAGED:
        hint = "Restore a copy: halfhour journal restore."
        return CorruptLedger(f"the ledger is damaged: {problem}", file=str(path), hint=hint)
    return LedgerFailed(f"the ledger cannot be read: {problem}", file=str(path))


class SqliteReader(LedgerReader):
    """The ledger in `folder`, with a connection per thread; snapshots and segments are files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)
        self._path = folder / FILE
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._places: dict[Path, segments.Place] = {}

    def close(self) -> None:
        """Closes every connection."""
        for connection in self._readers:
            connection.close()
        self._readers.clear()

    def _connect(self) -> sqlite3.Connection:
        # A file that is gone must not come back empty because somebody looked for it.
        where = f"file:{quote(str(self._path))}?mode=rw"
        try:
            connection = sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False, timeout=30.0)
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as problem:
            raise explained(problem, self._path) from problem
        return connection

    def writable(self) -> sqlite3.Connection:
        """A connection of its own that may change the database of a service that is stopped."""
        return self._connect()

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._reading, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._reading.connection = connection
            self._readers.append(connection)
        return connection

    def rows(self, statement: str, values: tuple[Any, ...] = ()) -> Generator[tuple[Any, ...], None, None]:
        """What a statement selects; raises CorruptLedger or LedgerFailed instead of SQLite's own errors."""
        cursor = self._reader().cursor()
        try:
            yield from cursor.execute(statement, values)
        except sqlite3.Error as problem:
            raise explained(problem, self._path) from problem
        finally:
            cursor.close()  # while it is open this thread sees nothing that is committed later

    def _one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        return next(self.rows(statement, values), None)

    def _number(self, statement: str) -> int:
        row = self._one(statement, ())
        return int(row[0]) if row and row[0] is not None else 0

    # --- journal ------------------------------------------------------------------------------------------------

    @cached_property
    def identity(self) -> Identity:
        """Who this ledger is; raises LedgerFailed for one of an older version."""
        value = self.value("identity")
        if value is None:
            raise LedgerFailed(
                "the ledger was written by an older version", code="older_ledger", file=str(self.folder),
                hint="Copy it (halfhour journal backup), then stop the service and: halfhour admin upgrade",
            )  # fmt: skip
        return Identity(**value)

    def head(self) -> int:
        return self._number("SELECT max(seq) FROM journal")

    def writes(self) -> int:
        """Transactions so far."""
        return self._number("SELECT writes FROM tip")

    def first_row(self) -> int:
        """`seq` of the first entry whose row has not gone (0: none)."""
        return self._number("SELECT min(seq) FROM journal")

    def first_seq(self) -> int:
        """`seq` of the first entry that is here, in a segment or in a row (0: none)."""
        held = segments.segments(self.folder)
        return held[0].first if held else self.first_row()

    def in_order(self, after: int) -> Iterator[tuple[records.Text, bytes | None]]:
        """Entries of segments, then rows."""
        while True:
            for segment in segments.segments(self.folder):
                if segment.last > after:
                    place = self.place_of(segment)
                    for text in segments.read(segment, after):
                        yield text, bytes.fromhex(place.after) if text.seq == segment.last else None
                        after = text.seq
            rows = self.rows("SELECT seq, at, line, chain FROM journal WHERE seq > ? ORDER BY seq", (after,))
            row = next(rows, None)
            if row is None or row[0] == after + 1 or segments.archived_head(self.folder) <= after:
                break
            rows.close()  # rows went into a segment after we looked at those there were
        if row is not None:
            yield records.Text(*row[:3]), row[3]
            for row in rows:
                yield records.Text(*row[:3]), row[3]

    def chain_at(self, seq: int) -> bytes:
        """The digest of the chain after the entry `seq`; raises CorruptJournal where that is not known here."""
        if seq == self.identity.first:
            return genesis(self.identity.ledger)
        kept = self.row_chain(seq)
        if kept is not None:
            return bytes.fromhex(kept)
        for segment in segments.segments(self.folder):
            if segment.first - 1 <= seq <= segment.last:
                return self._chain_in(segment, seq)
        raise missing(seq + 1, max(seq + 1, self.first_seq() - 1))

    def row_chain(self, seq: int) -> str | None:
        """What the row of an entry says of the chain, None where the row has gone."""
        row = self._one("SELECT chain FROM journal WHERE seq = ?", (seq,))
        return bytes(row[0]).hex() if row is not None else None

    def _chain_in(self, segment: segments.Segment, seq: int) -> bytes:
        place = self.place_of(segment)
        if seq == segment.last:
            return bytes.fromhex(place.after)
        chain = bytes.fromhex(place.before)
        if seq >= segment.first:
            for text in segments.read(segment, 0):
                chain = link(chain, records.text_of(text))
                if text.seq == seq:
                    break
        return chain

    def place_of(self, segment: segments.Segment) -> segments.Place:
        """Where a segment stands in the chain; raises CorruptLedger for one of another ledger."""
        known = self._places.get(segment.path)
        if known is None:
            old = (self.value("old_segments") or {}).get(str(segment.first))
            known = segments.place_of(segment) or (segments.Place(*old) if old else None)
            if known is None or known.ledger != self.identity.ledger:
                raise foreign(segment.path)
            self._places[segment.path] = known
        return known

    def archive(self, fewest: int = 1) -> segments.Segment | None:
        """Makes a segment of what both snapshots cover and no segment holds; None where that is less than `fewest`."""
        kept = self.snapshots()
        if len(kept) < snapshots.KEPT:
            return None
        covered = snapshots.number_of(kept[1])
        held = self._archived()
        if covered - held < fewest:
            return None
        place = segments.Place(self.identity.ledger, self.chain_at(held).hex(), self.chain_at(covered).hex())
        return segments.archive(self.folder, self.texts(held), held + 1, covered, place)

    def _archived(self) -> int:
        """The entry after which the next segment begins."""
        held, first = max(segments.archived_head(self.folder), self.identity.first), self.first_row()
        # Where all segments were taken elsewhere, the first row is what the last of them ended with.
        return held if held or first <= 1 else first

    # --- snapshots ----------------------------------------------------------------------------------------------

    def save_snapshot(self, snapshot: Snapshot) -> Future[None]:
        """Written at once, by the caller's thread, for the entry `snapshot.seq` that must be durable."""
        future: Future[None] = Future()
        try:
            snapshots.write(self.folder, snapshot, self.identity.ledger, self.chain_at(snapshot.seq))
            future.set_result(None)
        except OSError as problem:
            future.set_exception(LedgerFailed(f"no snapshot could be kept: {problem}"))
        return future

    def newest_snapshot(self) -> Snapshot | None:
        for path in self.snapshots():
            if not self.owns(path):
                continue
            with suppress(CorruptLedger):
                return snapshots.read(path)
            log.warning("the snapshot %s is damaged; an older one is taken", path.name)
        return None

    def owns(self, path: Path) -> bool:
        """True for a snapshot of this journal, False for one whose first line is damaged; raises CorruptLedger else."""
        try:
            stamp = snapshots.stamp_of(path)
        except CorruptLedger:
            log.warning("the snapshot %s is damaged; an older one is taken", path.name)
            return False
        if stamp is None or stamp.ledger != self.identity.ledger or stamp.seq != snapshots.number_of(path):
            raise foreign(path)
        if stamp.seq > self.head():
            raise foreign(path, f"it was made after entry {stamp.seq}, and the journal ends with {self.head()}")
        with suppress(CorruptJournal):  # what it was made after may lie in a segment that was taken elsewhere
            if self.chain_at(stamp.seq).hex() != stamp.chain:
                raise foreign(path, f"entry {stamp.seq} is another one here")
        return True

    def snapshots(self) -> list[Path]:
        """Their files, newest first."""
        return snapshots.numbered(self.folder)

    def sound_snapshots(self) -> Iterator[Snapshot]:
        """Those that can be read, the oldest first."""
        for path in reversed(self.snapshots()):
            with suppress(CorruptLedger):
                yield snapshots.read(path)

    # --- answers and notices ------------------------------------------------------------------------------------

    def answer(self, tenant: str, route: str, key: str) -> StoredReply | None:
        row = self._one("SELECT * FROM answers WHERE tenant = ? AND route = ? AND key = ?", (tenant, route, key))
        return records.answer_of(row) if row else None

    def answers(self) -> Iterator[StoredReply]:
        """Every answer that is kept."""
        return map(records.answer_of, self.rows("SELECT * FROM answers"))

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
        rows = self.rows(f"SELECT * FROM notices WHERE {where} ORDER BY seq LIMIT ?", (*values, *more, limit))
        return list(sound(rows, records.notice_of))

    def sequences_of(self, subjects: Sequence[str]) -> dict[str, int]:
        wanted = "SELECT value FROM json_each(?)"
        statement = f"SELECT subject, max(sequence) FROM notices WHERE subject IN ({wanted}) GROUP BY subject"
        return dict(self.rows(statement, (records.packed(list(subjects)),)))

    def sequence_of(self, subject: str) -> int:
        statement = "SELECT sequence FROM notices WHERE subject = ? ORDER BY seq DESC LIMIT 1"
        row = self._one(statement, (subject,))
        return int(row[0]) if row else 0

    # --- vault --------------------------------------------------------------------------------------------------

    def vault(self, of: Sequence[int] | None = None, after: int = -1) -> Iterator[VaultRow]:
        if of is None:
            return map(records.vault_of, self.rows("SELECT * FROM vault ORDER BY handle"))
        which = "handle > ? OR handle IN (SELECT value FROM json_each(?))"
        rows = self.rows(f"SELECT * FROM vault WHERE {which} ORDER BY handle", (after, records.packed(list(of))))
        return map(records.vault_of, rows)

    def vault_row(self, handle: int) -> VaultRow | None:
        row = self._one("SELECT * FROM vault WHERE handle = ?", (handle,))
        return records.vault_of(row) if row else None

    def vault_of(self, subject: str) -> list[VaultRow]:
        rows = self.rows("SELECT * FROM vault WHERE subject = ? ORDER BY handle", (subject,))
        return [records.vault_of(row) for row in rows]

    # --- orders that have left the board ------------------------------------------------------------------------

    def ended_order(self, order_id: str) -> Ended | None:
        row = self._one("SELECT * FROM ended WHERE order_id = ?", (order_id,))
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
        asked = (("seq < ?", before), ("tenant = ?", tenant), ("state = ?", state), ("store_id = ?", store_id))
        wanted = [(clause, value) for clause, value in asked if value is not None]
        where = " AND ".join(clause for clause, _ in wanted) or "1"
        statement = f"SELECT * FROM ended WHERE {where} ORDER BY seq DESC LIMIT ?"
        rows = self.rows(statement, (*(value for _, value in wanted), limit))
        return [records.ended_of(row) for row in rows]

    def check_end(self) -> None:
        """Raises CorruptLedger where entries or writes that were acknowledged are missing."""
        mark = read_mark(self.folder)
        if mark is None:
            return
        if mark.ledger != self.identity.ledger:
            raise foreign(self.folder / MARK)
        head = self.head()
        if head < mark.seq:
            raise self._lost(f"{mark.seq - head} acknowledged entries are missing, {head + 1} to {mark.seq}")
        if (writes := self.writes()) < mark.writes:
            raise self._lost(f"{mark.writes - writes} acknowledged writes beside the journal are missing")
        try:
            same = self.chain_at(mark.seq).hex() == mark.chain
        except CorruptJournal:
            same = True  # what it names lies in a segment that was taken elsewhere
        if not same:
            raise self._lost(f"entry {mark.seq} is another one than was acknowledged")

    def _lost(self, what: str) -> CorruptLedger:
        return CorruptLedger(
            f"the ledger has lost its end: {what}", code="ledger_behind", file=str(self._path),
            hint="Restore a newer copy, or go on without them: halfhour journal accept --reason ...",
        )  # fmt: skip

    def check_rows(self) -> None:
        """Reads every sealed row; raises CorruptLedger at the first that is not what was written."""
        for table in t.SEALED:
            for row in self.rows(f"SELECT * FROM {table}"):
                unsealed(table, row)

    # --- webhooks, keys, tenants, values ------------------------------------------------------------------------

    def webhooks(self, tenant: str | None = None) -> list[Webhook]:
        rows = self.rows("SELECT * FROM webhooks ORDER BY created_at, webhook_id")
        return [hook for hook in map(records.webhook_of, rows) if tenant is None or hook.tenant == tenant]

    def claim_due(self, now: int, *, limit: int = 100, skip: Iterable[str] = ()) -> list[Due]:
        rows = self.rows(t.SELECT_DUE, (now, records.packed(list(skip)), limit))
        return list(sound(rows, records.due_of))

    def dues(self) -> Iterator[Due]:
        """Everything that a webhook has not had yet."""
        rows = self.rows("SELECT d.webhook_id, d.attempts, d.due_at, n.* FROM dues d JOIN notices n ON n.seq = d.seq")
        return map(records.due_of, rows)

    def load_keys(self) -> list[Key]:
        return [records.key_of(row) for row in self.rows("SELECT * FROM keys ORDER BY key_id")]

    def tenants(self) -> list[Tenant]:
        return [records.tenant_of(row) for row in self.rows("SELECT * FROM tenants ORDER BY tenant")]

    def values(self) -> Iterator[tuple[str, Any]]:
        """Every small value by its name."""
        return ((name, json.loads(text)) for name, text in self.rows("SELECT name, value FROM named_values"))

    def value(self, name: str) -> Any:
        row = self._one("SELECT value FROM named_values WHERE name = ?", (name,))
        return json.loads(row[0]) if row else None


def foreign(path: Path, why: str = "it belongs to another one, or to none") -> CorruptLedger:
    """A part that lies beside a ledger and does not belong to it."""
    return CorruptLedger(
        f"this file does not belong to the ledger beside it: {why}", code="foreign_part", file=str(path),
        hint="Was an older copy put in its place? Move what does not belong elsewhere, or restore a whole copy.",
    )  # fmt: skip
