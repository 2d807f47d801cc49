"""A ledger of an older version becomes one of this version: in one transaction, or not at all.

Version 1 had no identity, no chain and no seals.  Its entries are chained as they are, in segments and in rows;
segments are not touched, so their places in the chain are kept in the database.  Snapshots get their stamp.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, Any

from api.ledger import records, snapshots
from api.ledger.chain import genesis, link, seal
from api.ledger.protocol import CorruptLedger, Identity, NewerLedger
from api.ledger.sqlite import schema as t
from api.ledger.sqlite import segments

if TYPE_CHECKING:
    from api.ledger.sqlite.reader import SqliteReader

log = logging.getLogger(__name__)

KEYS = {"answers": ("tenant", "route", "key"), "notices": ("seq",), "vault": ("handle",), "ended": ("order_id",)}


def upgrade(connection: sqlite3.Connection, reader: SqliteReader) -> None:
    """Makes the ledger one of this version; raises NewerLedger for one of a newer version, CorruptLedger for a gap."""
    version = t.version_of(connection)
    if version > t.LEDGER_VERSION:
        raise NewerLedger(
            f"the ledger is of version {version}, this program knows {t.LEDGER_VERSION}", file=str(reader.folder),
            hint="Use the version of Halfhour that wrote it, or a newer one.",
        )  # fmt: skip
    if version == 1:
        log.warning("a ledger of version 1 gets an identity and a chain; keep the copy that you made of it")
        connection.execute("BEGIN IMMEDIATE")
        try:
            _chained(connection, reader)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    _stamp_snapshots(reader)


def _chained(connection: sqlite3.Connection, reader: SqliteReader) -> None:
    for statement in (
        "ALTER TABLE journal ADD COLUMN chain BLOB",
        *(f"ALTER TABLE {table} ADD COLUMN seal BLOB" for table in t.SEALED),
        "CREATE TABLE tip (writes INTEGER NOT NULL)",
        "INSERT INTO tip VALUES (0)",
        f"PRAGMA user_version = {t.LEDGER_VERSION}",
    ):
        connection.execute(statement)
    (head,) = connection.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    held = segments.segments(reader.folder)
    (first_row,) = connection.execute("SELECT coalesce(min(seq), 1) FROM journal").fetchone()
    identity = Identity(records.new_identity(), records.new_epoch(), (held[0].first if held else first_row) - 1, head)
    chain, seq, places = genesis(identity.ledger), identity.first, {}
    for segment in held:
        before = chain
        for text in segments.read(segment, 0):
            chain, seq = _next(chain, seq, text)
            # Rows whose segment is made and that have not gone yet.
            connection.execute("UPDATE journal SET chain = ? WHERE seq = ?", (chain, seq))
        places[str(segment.first)] = [identity.ledger, before.hex(), chain.hex()]
    if seq > head:
        raise _not_together(f"{held[-1].path.name} goes on beyond the journal's end, entry {head}")
    for path in snapshots.numbered(reader.folder):
        if snapshots.number_of(path) > head:
            raise _not_together(f"{path.name} was made beyond the journal's end, entry {head}")
    for row in connection.execute("SELECT seq, at, line FROM journal WHERE seq > ? ORDER BY seq", (seq,)).fetchall():
        chain, seq = _next(chain, seq, records.Text(*row))
        connection.execute("UPDATE journal SET chain = ? WHERE seq = ?", (chain, seq))
    for table in t.SEALED:
        _seal(connection, table)
    for name, value in (("identity", identity._asdict()), ("old_segments", places)):
        connection.execute(t.SET_VALUE, (name, records.packed(value)))


def _next(chain: bytes, seq: int, text: records.Text) -> tuple[bytes, int]:
    if text.seq != seq + 1:
        raise _not_together(f"entries {seq + 1} to {text.seq - 1} are not here")
    return link(chain, records.text_of(text)), text.seq


def _not_together(why: str) -> CorruptLedger:
    return CorruptLedger(f"the parts of this ledger do not belong together: {why}", code="foreign_part")


def _seal(connection: sqlite3.Connection, table: str) -> None:
    keys = KEYS[table]
    where = " AND ".join(f"{key} = ?" for key in keys)
    rows = connection.execute(f"SELECT * FROM {table}")
    columns = [column[0] for column in rows.description]
    at = [columns.index(key) for key in keys]
    sealed: list[tuple[Any, ...]] = [(seal(row[:-1]), *(row[k] for k in at)) for row in rows]
    connection.executemany(f"UPDATE {table} SET seal = ? WHERE {where}", sealed)


def _stamp_snapshots(reader: SqliteReader) -> None:
    """Snapshots of the time before stamps; again at each start, for a crash may have come between."""
    for path in snapshots.numbered(reader.folder):
        number = snapshots.number_of(path)
        if number > reader.identity.upgraded_at:
            continue
        try:
            if snapshots.stamp_of(path) is not None:
                continue
            found = snapshots.read(path)
        except CorruptLedger:
            continue
        snapshots.write(reader.folder, found, reader.identity.ledger, reader.chain_at(number))
