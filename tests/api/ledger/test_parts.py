"""Parts of a ledger that do not belong together, that were changed, or that have lost their end: refused by name."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.ledger.head import MARK, read_mark
from api.ledger.protocol import (
    Answer,
    CorruptLedger,
    Ended,
    Entry,
    LedgerFailed,
    Notice,
    Snapshot,
    VaultRow,
    Write,
)
from api.ledger.recovery import recover
from api.ledger.sqlite import store
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.schema import packed
from api.ledger.sqlite.segments import segments
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.accepting import accept
from api.ledger.upkeep.maintenance import backup, restore, verify
from dispatch.board.board import Board
from dispatch.errors import CorruptJournal
from dispatch.model import OrderState
from dispatch.settings.settings import Settings
from halfhour.live.live_kpis import figures_of
from routing.errors import HalfhourError, InvalidInput
from routing.places import PlaceBook
from tests.kit.service.running import order, running, with_city

OLD = Path(__file__).parent / "golden" / "ledger-0.1.0.tar.gz"


def entry(seq: int, mark: str = "") -> Entry:
    return Entry(seq, seq, {"kind": "Wake", "at": seq}, [{"kind": "Note", "said": mark}] if mark else [])


def write(ledger: SqliteLedger, first: int, last: int, mark: str = "") -> None:
    for seq in range(first, last + 1):
        durable = ledger.append(Write(entry(seq, mark)))
    durable.result()


@contextmanager
def opened(folder: Path) -> Iterator[SqliteLedger]:
    ledger = SqliteLedger(folder, {"schema": 3})
    try:
        yield ledger
    finally:
        ledger.close()


def a_ledger(folder: Path, entries: int = 60, mark: str = "") -> Path:
    """Entries of which the first 30 are in a segment, and two snapshots."""
    with opened(folder) as ledger:
        write(ledger, 1, entries, mark)
        for seq in (30, 50):
            ledger.save_snapshot(Snapshot(seq, seq, state(mark))).result()
        ledger.archive()
        while (gone := ledger.cut(100)) is not None:
            gone.result()
    return folder


def state(mark: str) -> dict[str, Any]:
    return {"board": Board(PlaceBook("wgs84"), Settings()).dump(), "moved": {}, "said": mark}


def refused(folder: Path) -> HalfhourError:
    with pytest.raises(HalfhourError) as found:
        SqliteLedger(folder, {"schema": 3})
    return found.value


def change(folder: Path, statement: str, values: tuple[Any, ...] = ()) -> None:
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        assert db.execute(statement, values).rowcount == 1


# --- an older or another ledger in its place ------------------------------------------------------------------------


def test_an_older_database_beside_what_is_newer_is_refused_by_name(tmp_path: Path) -> None:
    city = tmp_path / "city"
    with opened(city) as ledger:
        write(ledger, 1, 20)
    shutil.copy(city / FILE, tmp_path / "older")
    a_ledger_goes_on(city)
    shutil.copy(tmp_path / "older", city / FILE)
    problem = refused(city)
    assert problem.code == "ledger_behind" and "40 acknowledged entries are missing, 21 to 60" in problem.message
    (city / MARK).unlink()
    problem = refused(city)
    assert problem.code == "foreign_part" and "snapshot-000000000050" in str(problem.details["file"])
    for path in city.glob("snapshot-*"):
        path.unlink()
    problem = refused(city)
    assert problem.code == "foreign_part" and "journal-000000000001-000000000030" in str(problem.details["file"])


def a_ledger_goes_on(city: Path) -> None:
    with opened(city) as ledger:
        write(ledger, 21, 60)
        for seq in (30, 50):
            ledger.save_snapshot(Snapshot(seq, seq, {})).result()
        assert ledger.archive() is not None


def test_a_journal_that_has_passed_the_number_of_a_foreign_part_is_told_by_its_chain(tmp_path: Path) -> None:
    ours, other = a_ledger(tmp_path / "ours", mark="a"), tmp_path / "other"
    shutil.copytree(ours, other)
    (other / MARK).unlink()
    for seq, path in ((50, "snapshot-000000000050.json"), (30, "archive/journal-000000000001-000000000030.jsonl.gz")):
        there = tmp_path / str(seq)
        ours_again = a_ledger(there, mark="b")
        shutil.copy(ours / path, ours_again / path)
        problem = refused(ours_again)
        assert problem.code == "foreign_part" and Path(path).name in str(problem.details["file"])
    with opened(other) as ledger:  # the same ledger, two histories after entry 60
        write(ledger, 61, 80, "theirs")
        ledger.save_snapshot(Snapshot(70, 70, {})).result()
    with opened(ours) as ledger:
        write(ledger, 61, 80, "ours")
    shutil.copy(other / "snapshot-000000000070.json", ours)
    problem = refused(ours)
    assert problem.code == "foreign_part" and "entry 70 is another one here" in problem.message


def test_parts_without_their_database_are_not_the_beginning_of_a_new_one(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    (city / FILE).rename(tmp_path / FILE)
    assert refused(city).code == "foreign_part" and not (city / FILE).exists()
    (tmp_path / FILE).rename(city / FILE)
    with opened(city) as ledger:
        assert ledger.head() == 60


def test_a_foreign_file_in_the_archive_stops_nobody(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    (city / "archive" / "journal-copy.jsonl.gz").write_bytes(b"x")
    (city / "snapshot-old.json").write_text("{}")
    with opened(city) as ledger:
        assert [found.seq for found in ledger.entries()] == list(range(1, 61))


# --- an end that was lost -------------------------------------------------------------------------------------------


def killed(folder: Path, entries: int, into: Path) -> Path:
    """What a killed process leaves: the database as it was last checkpointed, and a log."""
    with opened(folder) as ledger:
        ledger._closing.set()
        ledger._checkpointer.join()  # nothing moves from the log into the file
        write(ledger, 1, entries)
        shutil.copytree(folder, into)
        ledger._closing.clear()
    return into


@pytest.mark.parametrize("left", [0, 40_000])
def test_a_log_that_was_cut_or_removed_is_a_refusal_with_the_number_of_what_is_missing(
    tmp_path: Path, left: int
) -> None:
    city = killed(tmp_path / "lived", 20, tmp_path / "city")
    log = city / (FILE + "-wal")
    log.write_bytes(log.read_bytes()[:left]) if left else log.unlink()
    problem = refused(city)
    assert problem.code in ("ledger_behind", "foreign_part")
    if problem.code == "ledger_behind":
        assert "acknowledged entries are missing" in problem.message and "to 20" in problem.message


def test_lost_writes_beside_the_journal_are_seen_too(tmp_path: Path) -> None:
    with opened(tmp_path / "lived") as ledger:
        write(ledger, 1, 3)
    copy = shutil.copytree(tmp_path / "lived", tmp_path / "city")
    with opened(tmp_path / "lived") as ledger:
        ledger.append(Write(vault=(VaultRow(1, "a", "drop", "a.o", 1.0, 2.0, erased_at=5),))).result()
    shutil.copy(tmp_path / "lived" / MARK, copy / MARK)
    assert "acknowledged writes beside the journal are missing" in refused(copy).message


def test_a_mark_that_cannot_be_read_begins_an_epoch_and_is_made_anew(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    with opened(city) as ledger:
        before = ledger.identity
    with opened(city) as ledger:
        assert ledger.identity == before, "a restart is no new epoch"
    (city / MARK).write_text("{")
    with opened(city) as ledger:
        assert ledger.identity.ledger == before.ledger and ledger.identity.epoch != before.epoch
    mark = read_mark(city)
    assert mark is not None and mark.seq == 60


# --- what was changed -----------------------------------------------------------------------------------------------


def test_an_entry_that_was_changed_is_found_before_the_first_answer(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city", mark="due 1000")
    change(city, "UPDATE journal SET line = replace(line, 'due 1000', 'due 1001') WHERE seq = 55")
    with opened(city) as ledger:
        assert len(list(ledger.entries(55))) == 5, "what comes after it is not touched by it"
        with pytest.raises(CorruptJournal, match="entry 55 is not what was written") as found:
            list(ledger.entries(50))
        assert found.value.details["line"] == 55


def test_an_entry_that_is_missing_is_named_before_anything_is_folded(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    change(city, "DELETE FROM journal WHERE seq = 45")
    with closing(SqliteReader(city)) as reader, pytest.raises(CorruptJournal, match="entry 45 is not here"):
        list(reader.entries(0))
    segments(city)[0].path.rename(tmp_path / "elsewhere")
    with closing(SqliteReader(city)) as reader, pytest.raises(CorruptJournal, match="entries 1 to 29 are not here"):
        next(reader.entries(0))


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
        Write(answers=(Answer("a", "POST", "k", "f", 201, "{}", 5),)),
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


# --- files that go away, and eyes that may not see them -------------------------------------------------------------


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


def test_every_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    backup(city, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    for folder in (city, tmp_path / "copy", tmp_path / "again"):
        for path in (folder, *folder.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path
    (city / FILE).chmod(0o644)
    SqliteLedger(city).close()
    assert (city / FILE).stat().st_mode & 0o077 == 0
    city.chmod(0o755)
    problem = refused(city)
    assert isinstance(problem, InvalidInput) and problem.code == "unsafe_mode" and "chmod 700" in problem.hint


# --- older and newer versions ---------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A ledger as 0.1.0 left it: a segment, two snapshots, two delivered orders, one cancelled, one open."""
    with tarfile.open(OLD) as packed:
        packed.extractall(tmp_path, filter="data")
    (tmp_path / "city").chmod(0o755)
    return tmp_path / "city"


def test_a_ledger_of_0_1_0_gets_an_identity_and_folds_as_before(old: Path, tmp_path: Path) -> None:
    with closing(SqliteReader(old)) as reader, pytest.raises(LedgerFailed, match="older version"):
        reader.identity  # noqa: B018
    assert backup(old, tmp_path / "copy") == 36, "a copy is made before anything is changed"
    assert restore(tmp_path / "copy", tmp_path / "again") == 36
    with opened(old) as ledger:
        identity = ledger.identity
        assert [found.seq for found in ledger.entries()] == list(range(1, 37))
        orders = recover(ledger, Settings()).board.orders
        ledger.check_rows()
    assert {name: record.state for name, record in orders.items()} == {
        "acme.o1": OrderState.DELIVERED,
        "acme.o2": OrderState.DELIVERED,
        "acme.o3": OrderState.CANCELLED,
        "acme.o4": OrderState.CREATED,
    }
    assert old.stat().st_mode & 0o077 == 0
    with opened(old) as ledger:
        assert ledger.identity == identity
    stamps = [json.loads(path.read_text())["ledger"] for path in old.glob("snapshot-*")]
    assert stamps == [identity.ledger] * 2


def test_an_upgrade_that_is_interrupted_has_not_happened(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("api.ledger.upkeep.upgrade._seal", full)
        with pytest.raises(HalfhourError):
            SqliteLedger(old)
    with closing(sqlite3.connect(old / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    with opened(old) as ledger:
        assert ledger.head() == 36


def test_an_old_ledger_whose_first_segment_is_elsewhere_goes_on_and_one_with_a_gap_does_not(
    old: Path, tmp_path: Path
) -> None:
    held = segments(old)[0].path
    held.rename(tmp_path / held.name)
    with opened(old) as ledger:
        assert len(recover(ledger, Settings()).board.orders) == 4
    with closing(SqliteReader(old)) as reader, pytest.raises(CorruptJournal, match="entries 1 to 31 are not here"):
        list(reader.entries())


def test_an_old_ledger_with_snapshots_of_the_future_is_refused_and_stays_as_it_was(old: Path) -> None:
    found = json.loads((old / "snapshot-000000000036.json").read_text()) | {"seq": 90}
    (old / "snapshot-000000000090.json").write_text(packed(found))
    assert refused(old).code == "foreign_part"
    with closing(sqlite3.connect(old / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_newer_ledger_is_refused_in_words(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    with closing(sqlite3.connect(city / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
    problem = refused(city)
    assert problem.code == "newer_ledger" and "version 99" in problem.message


# --- the whole service ----------------------------------------------------------------------------------------------


def test_a_changed_journal_is_never_served(tmp_path: Path) -> None:
    city = tmp_path / "city"

    async def live() -> None:
        async with running(city) as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order())

    async def again() -> None:
        async with running(city):
            raise AssertionError("it serves")

    asyncio.run(live())
    for path in city.glob("snapshot-*"):
        path.unlink()
    change(city, "UPDATE journal SET line = replace(line, '\"due_at\":1', '\"due_at\":2') WHERE line LIKE '%OrderPl%'")
    with pytest.raises(CorruptJournal, match="is not what was written"):
        asyncio.run(again())
    with pytest.raises(CorruptJournal):
        verify(city)


def test_a_restored_copy_begins_an_epoch(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    with opened(city) as ledger:
        before = ledger.identity
    backup(city, tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "again")
    with opened(tmp_path / "again") as ledger:
        assert ledger.identity.ledger == before.ledger and ledger.identity.epoch != before.epoch
    (tmp_path / "again" / FILE).unlink()
    with pytest.raises(InvalidInput, match="of a ledger already"):
        restore(tmp_path / "copy", tmp_path / "again")


# --- going on all the same ------------------------------------------------------------------------------------------


def test_what_is_wrong_is_accepted_with_a_reason_and_written_down(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city", mark="due 1000")
    with opened(city) as ledger:
        ledger.append(ROWS["vault"][0]).result()
        before = ledger.identity
    change(city, "UPDATE journal SET line = replace(line, 'due 1000', 'due 1001') WHERE seq = 45")
    change(city, ROWS["vault"][1])
    change(city, "DELETE FROM journal WHERE seq = 60")
    assert refused(city).code == "ledger_behind"
    with pytest.raises(InvalidInput, match="reason"):
        accept(city, " ")
    found = accept(city, "the disk failed")
    assert found[0] == "entries 60 to 60 are missing" and "entry 45 is not" in found[1] and "row 1 of vault" in found[2]
    assert "snapshot-000000000050.json was set aside" in found[3]
    line = json.loads((city / "audit.jsonl").read_text())
    assert line["reason"] == "the disk failed" and line["found"] == found
    with opened(city) as ledger:
        assert ledger.identity.epoch != before.epoch
        assert [one.seq for one in ledger.entries()] == list(range(1, 60))
        ledger.check_rows()
    assert accept(city, "once more") == []


def test_a_hole_in_the_middle_is_not_to_be_accepted(tmp_path: Path) -> None:
    city = a_ledger(tmp_path / "city")
    change(city, "DELETE FROM journal WHERE seq = 45")
    with pytest.raises(CorruptJournal, match="entry 45 is not here"):
        accept(city, "let us see")
    assert not (city / "audit.jsonl").exists()


def test_words_of_a_cancellation_are_erased_with_the_customer(tmp_path: Path) -> None:
    city = tmp_path / "city"
    words = "Canary Miller has moved to Canary Street"

    async def go() -> None:
        async with running(city) as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order())
            said = await run.orders.post("/v1/deliveries/o1/cancel", json={"reason": words})
            assert said.json()["end_reason"] == "other"
            again = await run.orders.post("/v1/deliveries/o1/cancel", json={"reason": words})
            assert again.json() == said.json()
            (row,) = run.ledger.vault_of("acme.o1")
            assert words in row.personal.values(), "kept with what is personal"
            assert (await run.orders.post("/v1/deliveries/o1/erase")).status_code == 200

    asyncio.run(go())
    for path in (*city.rglob("*"),):
        assert path.is_dir() or words.encode() not in path.read_bytes(), path


def test_a_day_that_goes_on_has_open_orders_and_no_digest_of_nothing(tmp_path: Path) -> None:
    async def go() -> None:
        async with running(tmp_path / "city") as run:
            await with_city(run, riders=0)
            await run.orders.post("/v1/deliveries", json=order("o1"))
            await run.orders.post("/v1/deliveries", json=order("o2"))
            await run.orders.post("/v1/deliveries/o2/cancel")

    asyncio.run(go())
    figures = figures_of(tmp_path / "city")
    assert (figures["orders"], figures["open"], figures["undelivered"], figures["cancelled"]) == (2, 1, 0, 1)
    assert "decision_digest" not in figures
