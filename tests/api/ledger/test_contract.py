"""What every ledger promises, whatever it is kept in: durable in order, all or nothing, refusing, resuming."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.keys import KeyBook
from api.common.api_keys import Scope
from api.ledger.outbox import Due, Tried
from api.ledger.protocol import Ended, LedgerEntry, LedgerFailed, Snapshot, StoredReply, Tenant, VaultRow, Write
from tests.kit.service.stores import HOOK, Store, Stored, entry, notice


def test_what_was_acknowledged_is_there_after_reopening(store: Store) -> None:
    first = store.opened({"schema": 1})
    vault = VaultRow(3, "acme", "drop", "acme.o1", 1.5, 2.5, 60, 30, {"phone": "+4912"}, {"items": []})
    answer = StoredReply("acme", "POST /v1/x", "k", "f", 201, "{}", 1000)
    write = Write(entry(1), (answer,), (notice(1),), (vault,), (("travel", {"kind": "straight"}),))
    first.append(write).result()
    first.save_tenant(Tenant("acme", "Acme", 7)).result()
    first.close()
    again = store.opened({"schema": 2})
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


def test_a_write_happens_whole_or_not_at_all(ledger: Stored) -> None:
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


def test_many_writers_commit_in_groups_and_in_order(ledger: Stored) -> None:
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


def test_whoever_stops_waiting_takes_nothing_back_and_stops_nobody(ledger: Stored) -> None:
    """A client that hangs up cancels what it waits for; the thread that writes for all must not end of it."""
    for seq in range(1, 50):
        ledger.append(Write(entry(seq))).cancel()
    ledger.append(Write(entry(50))).result(timeout=10)
    assert ledger.head() == 50


def test_a_second_process_is_kept_out(store: Store, ledger: Stored) -> None:
    with pytest.raises(LedgerFailed, match="another process"):
        store.opened()


def test_notices_are_read_by_cursor_tenant_and_subject(ledger: Stored) -> None:
    rows = (notice(1), notice(2, "bee", subject="bee.o1"), notice(3, subject="acme.o2"))
    ledger.append(Write(notices=rows)).result()
    assert [n.seq for n in ledger.notices(1)] == [2, 3]
    assert [n.seq for n in ledger.notices(tenant="acme")] == [1, 3]
    assert [n.seq for n in ledger.notices(subject="acme.o2")] == [3]
    assert [n.seq for n in ledger.notices(limit=2)] == [1, 2]


def test_a_notice_is_due_where_it_is_wanted(ledger: Stored) -> None:
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


def test_receivers_are_claimed_and_let_go(ledger: Stored) -> None:
    for hook in (HOOK, replace(HOOK, webhook_id="wh2")):
        ledger.save_webhook(hook).result()
    ledger.append(Write(notices=(notice(1), notice(2)))).result()
    claimed = {one.webhook.webhook_id: one for one in ledger.claim(2000)}
    assert claimed.keys() == {"wh1", "wh2"} and [due.notice.seq for due in claimed["wh1"].dues] == [1, 2]
    assert {one.epoch for one in claimed.values()} == {ledger.identity.epoch} and ledger.claim(999) == []
    assert ledger.keep(["wh1", "wh2"]) == {"wh1", "wh2"}
    assert [one.webhook.webhook_id for one in ledger.claim(2000, skip=["wh1"])] == ["wh2"]
    ledger.settle(claimed["wh1"].dues, []).result()
    ledger.let_go(Tried(HOOK, 0, "", 0.0, {"sent": 2}, {})).result()
    ledger.let_go(Tried(claimed["wh2"].webhook, 20, "", 0.0, {"failed": 20}, {})).result()
    found = {hook.webhook_id: hook for hook in ledger.webhooks()}
    assert found["wh1"] == HOOK and found["wh2"] == replace(HOOK, webhook_id="wh2", failures=20)
    again = ledger.claim(2000)
    assert [one.webhook.webhook_id for one in again] == ["wh2"] and again[0].webhook.failures == 20
    ledger.let_go(Tried(again[0].webhook, 21, "gone", 0.0, {"disabled": 1}, {})).result()
    last = next(hook for hook in ledger.webhooks() if hook.webhook_id == "wh2")
    assert (last.enabled, last.disabled_reason, last.failures) == (False, "gone", 21) and ledger.claim(2000) == []


def test_forgetting_keeps_what_is_still_due(ledger: Stored) -> None:
    ledger.save_webhook(HOOK).result()
    ledger.append(Write(notices=(notice(1),))).result()
    ledger.append(Write(notices=(notice(2, "bee"), notice(3, "bee")))).result()
    ledger.append(Write(answers=(StoredReply("acme", "r", "k", "f", 200, "", 10),))).result()
    ledger.forget(5000).result()
    assert [n.seq for n in ledger.notices()] == [1, 3], "the newest stays, so that numbers never start anew"
    assert ledger.answer("acme", "r", "k") is None


def test_keys_survive(store: Store) -> None:
    ledger = store.opened()
    text, key = KeyBook(b"x" * 32, ledger).make("acme", [Scope.ORDERS, Scope.OPS], 1000, valid_s=50)
    ledger.close()
    again = store.opened()
    assert KeyBook(b"x" * 32, again).find(text, 1049) == key
    assert KeyBook(b"x" * 32, again).find(text, 1050) is None
    again.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["good", "bad", "resume"]), max_size=12))
def test_what_is_acknowledged_is_exactly_what_is_read(store: Store, steps: list[str]) -> None:
    ledger = store.another().opened()
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


def test_snapshots_the_newest_sound_one_counts(ledger: Stored) -> None:
    assert ledger.newest_snapshot() is None
    for seq in range(1, 31):
        ledger.append(Write(entry(seq))).result()
    for seq in (10, 20, 30):
        ledger.save_snapshot(Snapshot(seq, seq, {"n": seq})).result()
    assert ledger.newest_snapshot() == Snapshot(30, 30, {"n": 30})


def test_of_rows_with_one_key_in_a_group_the_last_counts(ledger: Stored) -> None:
    rows = [VaultRow(1, "acme", "drop", "o", float(k), 0.0) for k in range(3)]
    ended = [Ended("acme.o1", k, "acme", "s", "delivered", {"k": k}) for k in range(3)]
    writes = [
        Write(vault=(row,), ended=(one,), extra=(("n", row.first),)) for row, one in zip(rows, ended, strict=True)
    ]
    for future in [ledger.append(write) for write in writes]:
        future.result()
    assert ledger.vault_row(1) == rows[-1] and ledger.value("n") == 2.0
    assert ledger.ended_order("acme.o1") == ended[-1] and ledger.ended_orders() == [ended[-1]]


def test_a_webhook_gets_what_comes_after_it(ledger: Stored) -> None:
    futures = [ledger.append(Write(notices=(notice(1),))), ledger.append(Write(notices=(notice(2),), webhooks=(HOOK,)))]
    futures.append(ledger.append(Write(notices=(notice(3),))))
    for future in futures:
        future.result()
    assert [due.notice.seq for due in ledger.claim_due(9999)] == [3]
