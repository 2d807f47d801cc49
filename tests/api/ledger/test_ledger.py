"""The ledger's contract: durable in order, all or nothing, refusing loudly, resuming by itself."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.keys import KeyBook
from api.common.api_keys import Scope
from api.ledger.protocol import (
    Due,
    Ended,
    LedgerEntry,
    LedgerFailed,
    LedgerFull,
    Notice,
    Snapshot,
    StoredReply,
    Tenant,
    VaultRow,
    Webhook,
    Write,
)
from api.ledger.sqlite import store
from api.ledger.sqlite.group_commit import failure_of
from api.ledger.sqlite.reader import FILE
from api.ledger.sqlite.store import SqliteLedger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    made = SqliteLedger(tmp_path, {"schema": 1})
    yield made
    made.close()


def entry(seq: int) -> LedgerEntry:
    return LedgerEntry(seq, 1000 + seq, {"kind": "Wake", "at": 1000 + seq}, [{"kind": "X", "n": seq}])


def notice(seq: int, tenant: str = "acme", kind: str = "delivery.created", subject: str = "acme.o1") -> Notice:
    return Notice(seq, f"evt_{seq}", tenant, kind, subject, seq, 1000, {"ü": seq})


HOOK = Webhook("wh1", "acme", "https://example.org/in", ("s1",), created_at=5)


def test_what_was_acknowledged_is_there_after_reopening(tmp_path: Path) -> None:
    first = SqliteLedger(tmp_path, {"schema": 1})
    vault = VaultRow(3, "acme", "drop", "acme.o1", 1.5, 2.5, 60, 30, {"phone": "+4912"}, {"items": []})
    answer = StoredReply("acme", "POST /v1/x", "k", "f", 201, "{}", 1000)
    write = Write(entry(1), (answer,), (notice(1),), (vault,), (("travel", {"kind": "straight"}),))
    first.append(write).result()
    first.save_tenant(Tenant("acme", "Acme", 7)).result()
    first.close()
    again = SqliteLedger(tmp_path, {"schema": 2})
    assert again.header() == {"schema": 1}
    assert list(again.entries()) == [entry(1)]
    assert (again.head(), again.notice_head()) == (1, 1)
    assert again.notices() == [notice(1)]
    assert list(again.vault()) == [vault] and again.vault_row(3) == vault and again.vault_row(4) is None
    assert again.answer("acme", "POST /v1/x", "k") == answer and again.answer("b", "POST /v1/x", "k") is None
    assert again.value("travel") == {"kind": "straight"} and again.value("none") is None
    assert again.tenants() == [Tenant("acme", "Acme", 7)]
    assert again.sequence_of("acme.o1") == 1 and again.sequence_of("acme.o2") == 0
    again.close()


def test_a_write_happens_whole_or_not_at_all(ledger: SqliteLedger) -> None:
    ledger.append(Write(entry(1))).result()
    bad = Write(entry(1), notices=(notice(1),), vault=(VaultRow(1, "a", "drop", "o", 0, 0),))
    with pytest.raises(LedgerFailed):
        ledger.append(bad).result()
    assert ledger.notices() == [] and ledger.vault_row(1) is None
    with pytest.raises(LedgerFailed):
        ledger.append(Write(entry(2))).result()
    ledger.resume()
    ledger.append(Write(entry(2))).result()
    assert [found.seq for found in ledger.entries()] == [1, 2]


def test_many_writers_commit_in_groups_and_in_order(ledger: SqliteLedger) -> None:
    lock, seqs = threading.Lock(), iter(range(1, 2001))

    def work() -> None:
        futures = []
        while True:
            with lock:
                seq = next(seqs, None)
                if seq is None:
                    break
                futures.append(ledger.append(Write(entry(seq))))
        for future in futures:
            future.result()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found.seq for found in ledger.entries()] == list(range(1, 2001))
    counted = ledger.counters()
    assert counted["writes"] == 2001 and counted["commits"] < 1500, counted
    assert [found.seq for found in ledger.entries(1998)] == [1999, 2000]


def test_whoever_stops_waiting_takes_nothing_back_and_stops_nobody(ledger: SqliteLedger) -> None:
    """A client that hangs up cancels what it waits for; the thread that writes for all must not end of it."""
    for seq in range(1, 50):
        ledger.append(Write(entry(seq))).cancel()
    ledger.append(Write(entry(50))).result(timeout=10)
    assert ledger.head() == 50


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


def test_a_second_process_is_kept_out(ledger: SqliteLedger) -> None:
    with pytest.raises(LedgerFailed, match="another process"):
        SqliteLedger(ledger.folder)


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


def test_notices_are_read_by_cursor_tenant_and_subject(ledger: SqliteLedger) -> None:
    rows = (notice(1), notice(2, "bee", subject="bee.o1"), notice(3, subject="acme.o2"))
    ledger.append(Write(notices=rows)).result()
    assert [n.seq for n in ledger.notices(1)] == [2, 3]
    assert [n.seq for n in ledger.notices(tenant="acme")] == [1, 3]
    assert [n.seq for n in ledger.notices(subject="acme.o2")] == [3]
    assert [n.seq for n in ledger.notices(limit=2)] == [1, 2]


def test_a_notice_is_due_where_it_is_wanted(ledger: SqliteLedger) -> None:
    for hook in (
        HOOK,
        replace(HOOK, webhook_id="wh2", tenant="bee"),
        replace(HOOK, webhook_id="wh3", kinds=("delivery.delivered",)),
        replace(HOOK, webhook_id="wh4", enabled=False),
    ):
        ledger.save_webhook(hook).result()
    ledger.append(Write(notices=(notice(1), notice(2, kind="delivery.delivered")))).result()
    due = ledger.claim_due(2000)
    assert {(d.webhook_id, d.notice.seq) for d in due} == {("wh1", 1), ("wh1", 2), ("wh3", 2)}
    assert ledger.claim_due(999) == []
    assert {d.webhook_id for d in ledger.claim_due(2000, skip=["wh1"])} == {"wh3"}
    ledger.settle([due[0]], [due[1]._replace(attempts=1, due_at=5000)]).result()
    assert {(d.webhook_id, d.notice.seq, d.attempts) for d in ledger.claim_due(6000)} == {
        (due[1].webhook_id, due[1].notice.seq, 1),
        (due[2].webhook_id, due[2].notice.seq, 0),
    }
    ledger.redeliver("wh3", 0, 3000).result()
    assert [d for d in ledger.claim_due(3000) if d.webhook_id == "wh3"] == [
        Due("wh3", notice(2, kind="delivery.delivered"), 0, 3000)
    ]
    ledger.delete_webhook("wh1").result()
    assert {d.webhook_id for d in ledger.claim_due(9000)} == {"wh3"}
    assert [hook.webhook_id for hook in ledger.webhooks("acme")] == ["wh3", "wh4"]


def test_forgetting_keeps_what_is_still_due(ledger: SqliteLedger) -> None:
    ledger.save_webhook(HOOK).result()
    ledger.append(Write(notices=(notice(1),))).result()
    ledger.append(Write(notices=(notice(2, "bee"), notice(3, "bee")))).result()
    ledger.append(Write(answers=(StoredReply("acme", "r", "k", "f", 200, "", 10),))).result()
    ledger.forget(5000).result()
    assert [n.seq for n in ledger.notices()] == [1, 3], "the newest stays, so that numbers never start anew"
    assert ledger.answer("acme", "r", "k") is None


def test_keys_survive(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path)
    text, key = KeyBook(b"x" * 32, ledger).make("acme", [Scope.ORDERS, Scope.OPS], 1000, valid_s=50)
    ledger.close()
    again = SqliteLedger(tmp_path)
    assert KeyBook(b"x" * 32, again).find(text, 1049) == key
    assert KeyBook(b"x" * 32, again).find(text, 1050) is None
    again.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "resume"]), max_size=12))
def test_what_is_acknowledged_is_exactly_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    ledger = SqliteLedger(tmp_path_factory.mktemp("ledger"))
    acknowledged: list[int] = []
    for step in steps:
        if step == "resume":
            ledger.resume()
            continue
        seq = len(acknowledged) + 1
        row = (
            entry(seq)
            if step == "good"
            else LedgerEntry(acknowledged[0] if acknowledged else 0, 0, {"x": object()}, [])
        )
        try:
            ledger.append(Write(row)).result()
            acknowledged.append(seq)
        except LedgerFailed:
            pass
    assert [found.seq for found in ledger.entries()] == acknowledged
    ledger.close()


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
