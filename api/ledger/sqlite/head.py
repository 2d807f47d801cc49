"""Where the journal ends: known to the writer, counted in the database, and marked in a file outside it.

The mark is written after each commit and before anybody hears of it, so a database that has lost its end (a log that
was cut or taken away, an older copy in the place of a newer one) is seen at the next start.  It is flushed once a
second: after a loss of power it may lie behind, and never ahead.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from api.ledger.chain import genesis, link
from api.ledger.files import PRIVATE
from api.ledger.protocol import LedgerFailed
from api.ledger.records import Text, text_of
from api.ledger.sqlite.schema import COUNT_WRITES

MARK = "ledger.head"
MARK_BYTES = 256


class Mark(NamedTuple):
    """The end of a ledger as its writer last saw it."""

    ledger: str
    writes: int
    """Transactions so far."""
    seq: int
    chain: str


def read_mark(folder: Path) -> Mark | None:
    """The mark of a folder; None where there is none that can be read."""
    with suppress(OSError, ValueError, TypeError):
        return Mark(**json.loads((folder / MARK).read_text(encoding="utf-8")))
    return None


class Head:
    """The end of the journal in the writer's hands; every method but `flush` is called by its thread alone."""

    def __init__(self, connection: sqlite3.Connection, folder: Path, ledger: str) -> None:
        self._ledger = ledger
        self._handle = os.open(folder / MARK, os.O_RDWR | os.O_CREAT, PRIVATE)
        self._is_known = False
        self._writes = self._seq = 0
        self._chain = genesis(ledger)
        self._load(connection)

    def took(self, connection: sqlite3.Connection, entry: Text) -> bytes:
        """The digest of the chain after one more entry; raises LedgerFailed where it does not follow the last one."""
        if not self._is_known:
            self._load(connection)
        if entry.seq != self._seq + 1:
            raise LedgerFailed(f"entry {entry.seq} does not follow entry {self._seq}")
        self._seq, self._chain = entry.seq, link(self._chain, text_of(entry))
        return self._chain

    def count(self, connection: sqlite3.Connection) -> None:
        """Counts a transaction, as its last statement."""
        if not self._is_known:
            self._load(connection)
        self._writes += 1
        connection.execute(COUNT_WRITES, (self._writes,))

    def undo(self) -> None:
        """Nothing of the transaction happened, as far as anybody knows."""
        self._is_known = False

    def mark(self) -> None:
        """Writes down what has been committed."""
        mark = Mark(self._ledger, self._writes, self._seq, self._chain.hex())
        text = json.dumps(mark._asdict()).ljust(MARK_BYTES - 1) + "\n"
        os.pwrite(self._handle, text.encode(), 0)

    def flush(self) -> None:
        """Makes the mark outlive a loss of power."""
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Flushes and closes the mark."""
        with suppress(OSError):
            self.flush()
        os.close(self._handle)

    def _load(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT seq, chain FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self._seq, self._chain = row if row is not None else (0, genesis(self._ledger))
        (self._writes,) = connection.execute("SELECT writes FROM tip").fetchone()
        self._is_known = True
