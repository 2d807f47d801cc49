"""Looking after a ledger: copies while it runs, putting one back, deciding it again, and moving old entries away."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

from api.ledger.protocol import LedgerFailed, Snapshot
from api.ledger.reading import FILE, SqliteReader
from api.ledger.sqlite import SqliteLedger
from api.ledger.tables import packed
from api.recovery import place_book, recover, restored
from dispatch.codec import decode_event, decode_input
from dispatch.config import Settings
from dispatch.engine import Engine
from dispatch.errors import ClockWentBack, CorruptJournal, Refused
from routing.errors import InvalidInput


class Verdict(NamedTuple):
    """What `verify` found: entries decided again, where it began, and whether erasure made it inexact."""

    entries: int
    first_seq: int
    erased_places: int


def opened(folder: Path) -> SqliteReader:
    """A ledger to read, running or not; raises InvalidInput where there is none."""
    if not (folder / FILE).is_file():
        raise InvalidInput("there is no ledger here", code="unreadable_file", file=str(folder))
    return SqliteReader(folder)


def backup(folder: Path, target: Path) -> int:
    """Copies a ledger, running or not, as of one moment; the number of its last entry."""
    reader = opened(folder)
    if target.exists() and any(target.iterdir()):
        raise InvalidInput("the folder is not empty", code="output_exists", file=str(target))
    target.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(folder / FILE) as source, sqlite3.connect(target / FILE) as copy:
        source.backup(copy)
    copy.close()
    source.close()
    newest = max(folder.glob("snapshot-*.json"), default=None)
    if newest is not None:
        shutil.copyfile(newest, target / newest.name)
    reader.close()
    kept = SqliteReader(target)
    head = kept.head()
    kept.close()
    return head


def restore(source: Path, folder: Path) -> int:
    """Puts a copy where a service will find it, if it is whole and folds; the number of its last entry."""
    if (folder / FILE).exists():
        raise InvalidInput("there is a ledger here already", code="output_exists", file=str(folder))
    _check_whole(source)
    head = backup(source, folder)
    reader = SqliteReader(folder)
    recover(reader, Settings())
    reader.close()
    return head


def _check_whole(folder: Path) -> None:
    opened(folder).close()
    with sqlite3.connect(folder / FILE) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    if found != "ok":
        raise LedgerFailed(f"the copy is damaged: {found}", file=str(folder))


def verify(folder: Path) -> Verdict:
    """Decides every entry again and compares; raises CorruptJournal at the first that differs.

    A ledger whose first entries were moved away is decided again from its oldest snapshot.
    """
    reader = opened(folder)
    rows = list(reader.vault())
    header = reader.header()
    places = place_book(header.get("frame", "wgs84"), rows)
    engine = Engine(places, Settings().with_values(header.get("settings") or {}))
    first = next(iter(reader.entries()), None)
    begin = 0
    if first is not None and first.seq > 1:
        snapshot = _oldest_snapshot(folder, first.seq - 1)
        engine = Engine(places, Settings(), restored(snapshot, places))
        begin = snapshot.seq
    count = 0
    for entry in reader.entries(begin):
        written = tuple(decode_event(event) for event in entry.events)
        try:
            decided = engine.handle(decode_input(entry.input))
        except (Refused, ClockWentBack) as problem:
            raise CorruptJournal(f"entry {entry.seq} is refused: {problem}", line=entry.seq) from problem
        if decided != written:
            erased = any(row.erased_at is not None for row in rows)
            hint = "Positions were erased: deciding again is no longer exact." if erased else ""
            raise CorruptJournal(f"entry {entry.seq} is decided otherwise now", line=entry.seq, hint=hint)
        count += 1
    reader.close()
    return Verdict(count, begin + 1, sum(row.erased_at is not None for row in rows))


def _oldest_snapshot(folder: Path, at_least: int) -> Snapshot:
    for path in sorted(folder.glob("snapshot-*.json")):
        snapshot = Snapshot(**json.loads(path.read_text(encoding="utf-8")))
        if snapshot.seq >= at_least:
            return snapshot
    raise CorruptJournal("the journal's beginning is neither here nor in a snapshot", line=1)


def rotate(folder: Path) -> tuple[Path, int] | None:
    """Moves the entries that both snapshots cover into `archive/`: the file and their number, None where none are.

    For a service that is stopped; a restart then needs the snapshots.
    """
    ledger = SqliteLedger(folder)
    try:
        snapshots = sorted(folder.glob("snapshot-*.json"))
        if len(snapshots) < 2:
            return None
        covered = json.loads(snapshots[0].read_text(encoding="utf-8"))["seq"]
        # The last one stays: numbers go on from it.
        entries = [entry for entry in ledger.entries() if entry.seq < covered]
        if not entries:
            return None
        archive = folder / "archive"
        archive.mkdir(exist_ok=True)
        path = archive / f"journal-{entries[0].seq:012d}-{entries[-1].seq:012d}.jsonl.gz"
        with gzip.open(path, "wt", encoding="utf-8") as file:
            for entry in entries:
                file.write(packed(entry._asdict()) + "\n")
        ledger.cut(covered).result()
        return path, len(entries)
    finally:
        ledger.close()
