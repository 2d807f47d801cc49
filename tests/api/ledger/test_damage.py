"""Damage of a ledger's files: found, named, and kept to what it damages."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.ledger.outbox import Notice
from api.ledger.protocol import CorruptLedger, Ended, LedgerFailed, Snapshot, StoredReply, VaultRow, Write
from api.ledger.sqlite import store
from api.ledger.sqlite.reader import FILE
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import restore
from api.ledger.upkeep.verifying import verify
from routing.errors import HalfhourError
from tests.api.ledger.test_parts import a_ledger, change, entry, opened, state, write
from tests.kit.service.running import running

ROWS: dict[str, tuple[Write, str, Callable[[SqliteLedger], Any]]] = {
    "vault": (
        Write(vault=(VaultRow(1, "a", "drop", "a.o", 1.5, -0.0, personal={"phone": "1"}, body={"fingerprint": "f0"}),)),
        "UPDATE vault SET body = replace(body, 'f0', 'f1')",
        lambda ledger: list(ledger.vault()),
    ),
    "notices": (
        Write(notices=(Notice(1, "e1", "a", "k", "a.o", 1, 5, {"due": 100}),)),
        "UPDATE notices SET data = replace(data, '100', '101')",
        lambda ledger: ledger.notices()[0],
    ),
    "answers": (
        Write(answers=(StoredReply("a", "POST", "k", "f", 201, "{}", 5),)),
        "UPDATE answers SET fingerprint = 'g'",
        lambda ledger: ledger.answer("a", "POST", "k"),
    ),
    "ended": (
        Write(ended=(Ended("a.o", 1, "a", "s", "delivered", {"at": 100}),)),
        "UPDATE ended SET record = replace(record, '100', '101')",
        lambda ledger: ledger.ended_order("a.o"),
    ),
}


@pytest.mark.parametrize("table", sorted(ROWS))
def test_a_row_that_was_changed_is_not_handed_out(tmp_path: Path, table: str) -> None:
    said, statement, read = ROWS[table]
    with opened(tmp_path / "city") as ledger:
        ledger.append(said).result()
        assert read(ledger)
        ledger.check_rows()
    change(tmp_path / "city", statement)
    with opened(tmp_path / "city") as ledger:
        with pytest.raises((CorruptLedger, IndexError)):
            read(ledger)
        with pytest.raises(CorruptLedger, match=f"of {table} is not what was written"):
            ledger.check_rows()


def test_a_damaged_notice_costs_no_other_one(tmp_path: Path) -> None:
    with opened(tmp_path / "city") as ledger:
        ledger.append(Write(notices=[Notice(k, f"e{k}", "a", "k", "a.o", k, 5, {}) for k in (1, 2, 3)])).result()
    change(tmp_path / "city", "UPDATE notices SET kind = 'x' WHERE seq = 2")
    with opened(tmp_path / "city") as ledger:
        assert [found.seq for found in ledger.notices()] == [1, 3]


def test_a_damaged_snapshot_is_left_out_and_a_truncated_one_too(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city", mark="x")
    newest = city / "snapshot-000000000050.json"
    newest.write_bytes(newest.read_bytes().replace(b'"said":"x"', b'"said":"y"'))
    with opened(city) as ledger:
        assert ledger.newest_snapshot() == Snapshot(30, 30, state("x"))
    newest.write_bytes(newest.read_bytes()[:20])
    with opened(city) as ledger:
        assert ledger.newest_snapshot() == Snapshot(30, 30, state("x"))


@pytest.mark.parametrize("page", range(1, 12))
def test_a_page_of_noise_is_a_message_with_the_file(tmp_path: Path, page: int) -> None:
    city = a_ledger(tmp_path / "city", entries=100, mark="m" * 300)
    raw = bytearray((city / FILE).read_bytes())
    raw[page * 4096 : (page + 1) * 4096] = bytes((7 * k + 13) % 251 for k in range(4096))
    (city / FILE).write_bytes(raw)
    with pytest.raises(HalfhourError) as found:
        verify(city)
    assert found.value.code in ("corrupt_ledger", "ledger_unavailable", "corrupt_journal")
    assert "ledger" in str(found.value.details.get("file", found.value.message))


@pytest.mark.parametrize("work", [verify, lambda city: restore(city, city.parent / "put-back")])
def test_an_empty_database_is_a_message(tmp_path: Path, work: Callable[[Path], Any]) -> None:
    (tmp_path / "city").mkdir(mode=0o700)
    (tmp_path / "city" / FILE).touch()
    with pytest.raises(HalfhourError):
        work(tmp_path / "city")
    assert not (tmp_path / "put-back" / FILE).exists()


def test_nothing_is_acknowledged_into_a_file_that_is_gone(tmp_path: Path) -> None:
    city = tmp_path / "city"
    ledger = SqliteLedger(city, {"schema": 3})
    write(ledger, 1, 3)
    (city / FILE).rename(tmp_path / FILE)
    with pytest.raises(LedgerFailed) as found:
        ledger.append(Write(entry(4))).result()
    assert found.value.code == "ledger_moved"
    with pytest.raises(LedgerFailed):
        ledger.resume()
    assert not (city / FILE).exists(), "looking for it does not make an empty one"
    (tmp_path / FILE).rename(city / FILE)
    ledger.resume()
    write(ledger, ledger.head() + 1, ledger.head() + 1)
    shutil.rmtree(city)
    with pytest.raises(LedgerFailed):
        ledger.append(Write(entry(ledger.head() + 1))).result()
    ledger.close()


def test_a_service_that_writes_nothing_hears_of_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHECKPOINT_S", 0.01)

    async def go() -> None:
        async with running(tmp_path / "city") as run:
            assert (await run.anyone.get("/readyz")).status_code == 200
            shutil.rmtree(tmp_path / "city")
            await run.until(lambda: run.ledger.failed)
            said = await run.anyone.get("/readyz")
            assert said.status_code == 503 and said.json()["code"] == "ledger_moved"

    asyncio.run(go())
