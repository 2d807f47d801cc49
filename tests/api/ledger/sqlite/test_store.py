"""The embedded ledger's own: full disks, long logs, failing statements and flushes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.ledger.protocol import (
    Ended,
    LedgerEntry,
    LedgerFailed,
    LedgerFull,
    Snapshot,
    StoredReply,
    VaultRow,
    Write,
)
from api.ledger.sqlite import store
from api.ledger.sqlite.group_commit import failure_of
from api.ledger.sqlite.reader import FILE
from api.ledger.sqlite.store import SqliteLedger
from tests.kit.service.stores import HOOK, entry, notice


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    made = SqliteLedger(tmp_path, {"schema": 1})
    yield made
    made.close()


def test_a_full_disk_refuses_at_once_and_resumes(ledger: SqliteLedger) -> None:
    ledger.append(Write(entry(1))).result()
    ledger.limit_pages(1)
    big = Write(LedgerEntry(2, 1, {"pad": "x" * 100_000}, []))
    with pytest.raises(LedgerFull):
        ledger.append(big).result()
    with pytest.raises(LedgerFull):
        ledger.append(Write(entry(2))).result()
    assert ledger.head() == 1
    ledger.limit_pages(None)
    ledger.resume()
    ledger.append(big).result()
    assert ledger.head() == 2 and ledger.failed is None


def test_no_commit_waits_for_a_reader_while_a_long_log_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CHECKPOINT_S", 0.01)
    monkeypatch.setattr(store, "LONG_WAL_BYTES", 0)
    ledger = SqliteLedger(tmp_path, {"schema": 1})
    for seq in range(1, 20):
        ledger.append(Write(entry(seq))).result()
    reading = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM journal").fetchone()  # as a snapshot's process does, for as long as it folds
    for seq in range(20, 120):
        ledger.append(Write(entry(seq))).result(timeout=10)
        threading.Event().wait(0.005)
    reading.close()
    assert [found.seq for found in ledger.entries()] == list(range(1, 120))
    ledger.close()


def test_snapshots_the_newest_readable_counts(ledger: SqliteLedger) -> None:
    assert ledger.newest_snapshot() is None
    for seq in range(1, 31):
        ledger.append(Write(entry(seq))).result()
    for seq in (10, 20, 30):
        ledger.save_snapshot(Snapshot(seq, seq, {"n": seq})).result()
    assert ledger.newest_snapshot() == Snapshot(30, 30, {"n": 30})
    assert len(list(ledger.folder.glob("snapshot-*"))) == 2
    (ledger.folder / "snapshot-000000000030.json").write_text('{"seq": 30, "at"')
    assert ledger.newest_snapshot() == Snapshot(20, 20, {"n": 20})


class _Failing:
    """A connection whose k-th statement fails, as a disk may at any moment."""

    def __init__(self, inner: sqlite3.Connection, fail_at: int) -> None:
        self._inner, self._left = inner, fail_at

    def execute(self, statement: str, values: tuple[object, ...] | dict[str, object] = ()) -> sqlite3.Cursor:
        self._left -= 1
        if self._left == 0:
            problem = sqlite3.OperationalError("disk I/O error")
            problem.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
            raise problem
        return self._inner.execute(statement, values)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def test_a_failure_at_any_statement_leaves_all_or_nothing(tmp_path: Path) -> None:
    """Every statement of a rich transaction fails once; what is read afterwards is what was acknowledged."""
    ledger = SqliteLedger(tmp_path)
    ledger.save_webhook(HOOK).result()
    healthy = ledger._writer._connection
    fail_at, failures, seq = 1, 0, 0
    while True:
        seq += 1
        vault = VaultRow(seq, "acme", "drop", f"acme.o{seq}", 1.0, 2.0)
        answer = StoredReply("acme", "r", f"k{seq}", "f", 201, "{}", 1)
        gone = Ended(f"acme.o{seq}", seq, "acme", "s", "delivered", {})
        write = Write(entry(seq), (answer,), (notice(seq),), (vault,), (("n", seq),), ended=(gone,))
        ledger._writer._connection = _Failing(healthy, fail_at)  # type: ignore[assignment]
        try:
            ledger.append(write).result()
        except LedgerFailed:
            failures += 1
            assert ledger.head() == ledger.notice_head() == seq - 1
            assert ledger.ended_order(f"acme.o{seq}") is None
            assert ledger.vault_row(seq) is None and ledger.answer("acme", "r", f"k{seq}") is None
            assert len(ledger.claim_due(9999)) == seq - 1
            ledger._writer._connection = healthy
            ledger.resume()
            ledger.append(write).result()
        else:
            break
        fail_at += 1
    assert failures == fail_at - 1 >= 9, "begin, six tables, the dues and the commit"
    assert ledger.head() == seq
    ledger._writer._connection = healthy
    ledger.close()


def test_a_failed_flush_is_fatal() -> None:
    problem = sqlite3.OperationalError("disk I/O error")
    problem.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    assert failure_of(problem).details["fatal"] is True
    problem.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    assert failure_of(problem).details["fatal"] is False
    problem.sqlite_errorcode = sqlite3.SQLITE_READONLY_DBMOVED
    assert failure_of(problem).code == "storage_full"
