"""Parts of a ledger that do not belong together, or that have lost their end: refused by name."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.ledger.protocol import LedgerEntry, Snapshot, VaultRow, Write
from api.ledger.sqlite.head import MARK, read_mark
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.segments import segments
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup, restore
from dispatch.board.board import Board
from dispatch.errors import CorruptJournal
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError, InvalidInput
from routing.places import PlaceBook
from tests.kit.service.running import Running, order, running, with_city

OLD = Path(__file__).parent / "golden" / "ledger-0.1.0.tar.gz"


def entry(seq: int, mark: str = "") -> LedgerEntry:
    return LedgerEntry(seq, seq, {"kind": "Wake", "at": seq}, [{"kind": "Note", "said": mark}] if mark else [])


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


# --- files that go away, and eyes that may not see them -------------------------------------------------------------


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


def test_words_of_operations_and_riders_are_erased_with_the_customer(tmp_path: Path) -> None:
    """Whatever is said of a delivery in somebody's own words: overrides and reports that it cannot be done."""
    city, words = tmp_path / "city", "Canary Miller shouts at everybody"

    async def go() -> None:
        async with running(city, speed=20, store_enter_s=0, drop_enter_s=0, drop_exit_s=0) as run:
            await with_city(run)
            await run.orders.post("/v1/deliveries", json=order())
            for action in ("hold", "let_go", "assign", "release"):
                said = {"action": action, "delivery_id": "acme.o1", "reason": f"{words} {action}"}
                said |= {"rider_id": "r1"} if action == "assign" else {}
                assert (await run.ops.post("/v1/overrides", json=said)).status_code == 200
            await run.orders.post("/v1/deliveries/o1/ready")
            stop = await run.until(lambda: told_stop(run))
            said = {"reason": words, "deliveries": ["acme.o1"]}
            assert (await run.riders.post(f"/v1/stops/{stop}/fail", json=said)).status_code == 200
            shown = (await run.ops.get("/v1/decisions/acme.o1")).json()
            assert shown["words"]["hold"] == f"{words} hold" and shown["words"]["fail"] == words
            mine = (await run.orders.get("/v1/decisions/o1")).json()
            assert mine["words"] == {}, "they are for operations"
            assert words not in (await run.orders.get("/v1/deliveries/o1")).text
            assert words not in (await run.ops.get("/v1/events")).text
            await run.orders.post("/v1/deliveries/o1/cancel")
            done = await run.orders.get("/v1/deliveries/o1")
            assert done.json()["status"] == "cancelled", done.text
            assert (await run.orders.post("/v1/deliveries/o1/erase")).status_code == 200

    asyncio.run(go())
    for path in city.rglob("*"):
        assert path.is_dir() or words.encode() not in path.read_bytes(), path


async def told_stop(run: Running) -> str | None:
    """The first stop that the rider is told, once there is one with something to be done."""
    stops = (await run.riders.get("/v1/riders/r1/route")).json()["stops"]
    return str(stops[0]["stop_id"]) if stops and stops[0]["acts"] else None
