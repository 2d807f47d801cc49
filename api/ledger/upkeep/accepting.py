"""Going on with a ledger that was refused: what is missing or changed is named, accepted by somebody, and written down.

Entries are never invented: what is left is chained and sealed as it is, and a new epoch begins.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from api.ledger import records, snapshots
from api.ledger.chain import link, missing, seal
from api.ledger.protocol import CorruptLedger
from api.ledger.sqlite import schema as t
from api.ledger.sqlite.head import MARK, read_mark
from api.ledger.sqlite.parts import check
from api.ledger.sqlite.reader import SqliteReader, explained
from api.ledger.sqlite.store import LOCK, SqliteLedger, locked
from api.ledger.upkeep import audit
from api.ledger.upkeep.upgrade import KEYS
from routing.errors import InvalidInput


def accept(folder: Path, reason: str) -> list[str]:
    """Takes the ledger of a stopped service as it is; what was wrong with it, in words (empty: nothing was).

    Raises CorruptJournal where entries are missing in the middle, CorruptLedger where a page is noise or a segment
    belongs to another ledger: those need their copy.
    """
    audit.require(reason)
    lock = locked(folder / LOCK)
    try:
        with closing(SqliteReader(folder)) as reader:
            found = [*_lost(reader), *_mended(reader, reader.writable())]
            if not found:
                check(reader)
                return []
            audit.write_down(folder, "ledger accepted as it is", reason, found=found)
            (folder / MARK).unlink(missing_ok=True)
    finally:
        os.close(lock)
    SqliteLedger(folder).close()  # looks at everything once more, and begins an epoch
    return found


def _lost(reader: SqliteReader) -> list[str]:
    mark, head = read_mark(reader.folder), reader.head()
    if mark is None:
        return []
    if mark.ledger != reader.identity.ledger:
        return [f"{MARK} belongs to another ledger"]
    if mark.seq > head:
        return [f"entries {head + 1} to {mark.seq} are missing"]
    lost = mark.writes - reader.writes()
    return [f"{lost} writes beside the journal are missing"] if lost > 0 else []


def _mended(reader: SqliteReader, connection: sqlite3.Connection) -> list[str]:
    try:
        connection.execute("BEGIN IMMEDIATE")
        found = [*_chained(reader, connection)]
        for table in t.SEALED:
            found += _sealed(connection, table)
        connection.execute("COMMIT")
    except sqlite3.Error as problem:
        raise explained(problem, reader.folder) from problem
    finally:
        connection.close()
    return found + _set_aside(reader)


def _chained(reader: SqliteReader, connection: sqlite3.Connection) -> list[str]:
    """Chains the rows anew from the first that does not follow the one before it."""
    first = reader.first_row()
    last, chain, found = first - 1, None, list[str]()
    with suppress(InvalidInput):  # the first row may be what a segment ended with that was taken elsewhere
        chain = reader.chain_at(first - 1)
    for seq, at, line, kept in connection.execute("SELECT * FROM journal ORDER BY seq").fetchall():
        if seq != last + 1:
            raise missing(last + 1, seq - 1)
        chain = bytes(kept) if chain is None else link(chain, records.text_of(records.Text(seq, at, line)))
        if chain != kept:
            found = found or [f"entry {seq} is not what was written"]
            connection.execute("UPDATE journal SET chain = ? WHERE seq = ?", (chain, seq))
        last = seq
    return found


def _sealed(connection: sqlite3.Connection, table: str) -> list[str]:
    """Seals rows as they are."""
    found = []
    where = " AND ".join(f"{key} = ?" for key in KEYS[table])
    rows = connection.execute(f"SELECT * FROM {table}")
    at = [[column[0] for column in rows.description].index(key) for key in KEYS[table]]
    for row in rows.fetchall():
        if row[-1] != seal(row[:-1]):
            key = tuple(row[k] for k in at)
            connection.execute(f"UPDATE {table} SET seal = ? WHERE {where}", (seal(row[:-1]), *key))
            found.append(f"row {' '.join(map(str, key))} of {table} is not what was written")
    return found


def _set_aside(reader: SqliteReader) -> list[str]:
    """Snapshots that belong to what is not there any more keep their content under another name."""
    found = []
    for path in snapshots.numbered(reader.folder):
        try:
            reader.owns(path)
        except CorruptLedger as problem:
            path.rename(path.with_suffix(".refused"))
            found.append(f"{path.name} was set aside: {problem.message}")
    return found
