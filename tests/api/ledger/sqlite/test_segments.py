"""Old entries move into segments while the service runs; nothing is lost, whatever is interrupted."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.ledger import files
from api.ledger.protocol import LedgerEntry, Snapshot, Write
from api.ledger.recovery import recover
from api.ledger.sqlite import segments as rotation
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.maintenance import backup, restore
from api.ledger.upkeep.verifying import verify
from api.live.upkeep import chores
from dispatch.errors import CorruptJournal
from dispatch.settings.settings import Settings
from halfhour.live.live_export import export
from tests.kit.service.running import order, running, with_city

ENTRIES = 60


def numbers(folder: Path, after: int = 0) -> list[int]:
    reader = SqliteReader(folder)
    found = [entry.seq for entry in reader.entries(after)]
    reader.close()
    return found


def rows(folder: Path) -> list[int]:
    with sqlite3.connect(folder / FILE) as db:
        found = [seq for (seq,) in db.execute("SELECT seq FROM journal ORDER BY seq")]
    db.close()
    return found


def filled(folder: Path, snapshots: tuple[int, ...] = (30, 50)) -> SqliteLedger:
    ledger = SqliteLedger(folder, {"schema": 2})
    for seq in range(1, ENTRIES + 1):
        durable = ledger.append(Write(LedgerEntry(seq, seq, {"kind": "Wake", "at": seq}, [])))
    durable.result()  # a snapshot never covers what is not in the journal yet
    for seq in snapshots:
        ledger.save_snapshot(Snapshot(seq, seq, {})).result()
    return ledger


def cut_all(ledger: SqliteLedger, most: int = 7) -> None:
    while (gone := ledger.cut(most)) is not None:
        gone.result()


def test_what_two_snapshots_cover_moves_and_reads_as_before(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    assert ledger.cut(7) is None, "no segment, no cut"
    made = ledger.archive()
    assert made is not None and (made.first, made.last) == (1, 30)
    assert numbers(tmp_path) == list(range(1, ENTRIES + 1)), "entries are in both places and read once"
    cut_all(ledger)
    assert rows(tmp_path) == list(range(30, ENTRIES + 1)), "the row that the segment ends with stays: the chain goes on"
    assert numbers(tmp_path) == list(range(1, ENTRIES + 1)) and numbers(tmp_path, 17)[:2] == [18, 19]
    assert numbers(tmp_path, 30) == list(range(31, ENTRIES + 1))
    assert ledger.archive() is None and ledger.head() == ENTRIES
    ledger.save_snapshot(Snapshot(60, 60, {})).result()
    assert ledger.archive(21) is None
    made = ledger.archive(20)
    assert made is not None and (made.first, made.last) == (31, 50)
    cut_all(ledger)
    ledger.append(Write(LedgerEntry(61, 61, {"kind": "Wake", "at": 61}, []))).result()
    ledger.close()
    assert numbers(tmp_path) == list(range(1, 62)) and rows(tmp_path) == list(range(50, 62))


def test_the_last_row_stays(tmp_path: Path) -> None:
    ledger = filled(tmp_path, (59, 60))
    ledger.append(Write(LedgerEntry(61, 61, {"kind": "Wake", "at": 61}, []))).result()
    ledger.save_snapshot(Snapshot(61, 61, {})).result()
    assert ledger.archive() is not None
    cut_all(ledger)
    assert rows(tmp_path) == [60, 61] and ledger.head() == 61 and numbers(tmp_path) == list(range(1, 62))
    ledger.close()


class Crash(Exception):
    pass


def steps_of(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch, die_at: int) -> None:
    """Rotates, and fails before the step `die_at`: every flush, rename and transaction of this thread counts."""
    count, here = 0, threading.get_ident()

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **named: Any) -> Any:
            nonlocal count
            if threading.get_ident() == here:
                count += 1
                if count == die_at:
                    raise Crash
            return real(*words, **named)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", counted(files.os.fsync))
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(Path, "mkdir", counted(Path.mkdir))
        patched.setattr(files, "flush_folder", counted(files.flush_folder))
        patched.setattr(SqliteLedger, "cut", counted(SqliteLedger.cut))
        ledger.archive()
        cut_all(ledger)


def test_a_crash_at_any_step_loses_nothing_and_the_next_rotation_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    die_at, crashes = 0, 0
    while True:
        die_at += 1
        folder = tmp_path / f"at-{die_at}"
        ledger = filled(folder)
        try:
            steps_of(ledger, monkeypatch, die_at)
        except Crash:
            crashes += 1
        else:
            ledger.close()
            break
        left = tmp_path / f"left-{die_at}"  # what the disk holds at that instant
        shutil.copytree(folder, left)
        ledger.close()
        assert numbers(left) == list(range(1, ENTRIES + 1))
        again = SqliteLedger(left)
        again.archive()
        cut_all(again)
        again.close()
        assert numbers(left) == list(range(1, ENTRIES + 1)) and rows(left) == list(range(30, ENTRIES + 1))
        assert len(rotation.segments(left)) == 1
    assert crashes >= 8, "folder, flush, rename, flush of the folder, and each cut"


def test_a_reader_whose_rows_are_moved_reads_on_in_the_segment(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    reader = SqliteReader(tmp_path)
    segments = rotation.segments

    def meanwhile(folder: Path) -> list[rotation.Segment]:
        found = segments(folder)
        if not found:
            rotation.segments = segments
            ledger.archive()
            cut_all(ledger)
        return found

    rotation.segments = meanwhile  # type: ignore[assignment]
    try:
        assert [entry.seq for entry in reader.entries()] == list(range(1, ENTRIES + 1))
    finally:
        rotation.segments = segments
    reader.close()
    ledger.close()


def test_a_damaged_segment_is_named(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    made = ledger.archive()
    cut_all(ledger)
    ledger.close()
    assert made is not None
    made.path.write_bytes(made.path.read_bytes()[:-20])
    with pytest.raises(CorruptJournal, match="damaged"):
        numbers(tmp_path)
    assert numbers(tmp_path, 30) == list(range(31, ENTRIES + 1)), "a restart needs it not"


def test_a_beginning_that_is_nowhere_is_no_board(tmp_path: Path) -> None:
    ledger = filled(tmp_path)
    ledger.archive()
    cut_all(ledger)
    ledger.close()
    shutil.rmtree(tmp_path / "archive")
    for path in tmp_path.glob("snapshot-*"):
        path.unlink()
    reader = SqliteReader(tmp_path)
    with pytest.raises(CorruptJournal, match="entries 1 to 29 are not here"):
        recover(reader, Settings())
    reader.close()


def dumped(folder: Path) -> Any:
    reader = SqliteReader(folder)
    found = recover(reader, Settings()).board.dump()
    reader.close()
    return found


def test_a_snapshot_is_due_by_entries_but_not_at_once_after_the_last() -> None:
    cases = {(99, 1e9): False, (100, 59.0): False, (399, 59.0): False, (100, 60.0): True, (400, 0.0): True}
    assert {case: chores.is_due(case[0], 100, case[1]) for case in cases} == cases


def test_a_running_service_rotates_and_keeps_all_its_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders come in while segments are made; afterwards: fold with and without snapshots, verify, copy, export."""
    monkeypatch.setattr(chores, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(chores, "ROWS_EVERY_S", 0.0)
    monkeypatch.setattr(chores, "SNAPSHOT_PAUSE_S", 0.0)
    monkeypatch.setattr(chores, "SEGMENT", 1)
    city = tmp_path / "city"
    made: list[str] = []

    async def go() -> None:
        async with running(city, snapshot_every=100) as run:
            await with_city(run, riders=0)

            async def write(name: str) -> None:
                while len(rotation.segments(city)) < 2:
                    k = f"{name}-{len(made)}"
                    made.append(k)
                    answer = await run.orders.post("/v1/deliveries", json=order(k))
                    assert answer.status_code == 201, answer.text
                    await run.orders.post(f"/v1/deliveries/{k}/cancel")

            await asyncio.gather(*(write(name) for name in "abcd"))
            await run.until(lambda: rows(city)[0] >= rotation.archived_head(city))

    asyncio.run(go())
    seqs = numbers(city)
    assert seqs == list(range(1, len(seqs) + 1)) and rows(city)[0] > 100
    board = dumped(city)
    assert {f"acme.{k}" for k in made} <= set(board["orders"])
    assert verify(city).entries == len(seqs)
    assert backup(city, tmp_path / "copy") == seqs[-1]
    assert restore(tmp_path / "copy", tmp_path / "again") == seqs[-1]
    assert numbers(tmp_path / "again") == seqs and dumped(tmp_path / "again") == board
    assert export(city, tmp_path / "day").orders == len(made)
    for path in city.glob("snapshot-*"):
        path.unlink()
    assert dumped(city) == board, "the segments alone give the same board"
    assert json.loads((tmp_path / "again" / sorted(tmp_path.glob("again/snapshot-*"))[-1].name).read_text())["seq"] > 0
