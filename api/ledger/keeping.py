"""Looking after a ledger: copies while it runs, putting one back, deciding it again, and moving old entries away."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from api.fit import require_readable
from api.ledger.protocol import LedgerFailed, Snapshot
from api.ledger.reading import FILE, SqliteReader
from api.ledger.rotation import segments
from api.ledger.sqlite import SqliteLedger
from api.recovery import first_board, place_book, recover, restored
from dispatch.codec import decode_event, decode_input
from dispatch.config import Settings
from dispatch.engine import Engine
from dispatch.errors import ClockWentBack, CorruptJournal, Refused
from routing.errors import InvalidInput

MOST_ROWS = 500
"""Rows removed in one transaction, by a service that is stopped."""


class Verdict(NamedTuple):
    """What `verify` found: entries decided again, where it began, and whether erasure made it inexact."""

    entries: int
    first_seq: int
    erased_places: int


def opened(folder: Path) -> SqliteReader:
    """A ledger to read, running or not; raises InvalidInput where there is none, NewerLedger where we cannot."""
    if not (folder / FILE).is_file():
        raise InvalidInput("there is no ledger here", code="unreadable_file", file=str(folder))
    reader = SqliteReader(folder)
    require_readable(reader.header())
    return reader


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
    # Segments after the rows: what is moved meanwhile is then in both, never in none.
    for path in (*reader.snapshots(), *(segment.path for segment in segments(folder))):
        copied = target / path.relative_to(folder)
        copied.parent.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # a snapshot that a newer one has just replaced
            shutil.copyfile(path, copied)
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
    last = 0
    for entry in reader.entries():
        if last and entry.seq != last + 1:
            raise CorruptJournal(f"entry {last + 1} is missing", line=last + 1)
        last = entry.seq
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

    A ledger whose first segments were taken elsewhere is decided again from its oldest snapshot.
    """
    reader = opened(folder)
    rows = list(reader.vault())
    header = reader.header()
    places = place_book(header.get("frame", "wgs84"), rows)
    engine = Engine(places, Settings(), first_board(header, places, Settings()))
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
    """Moves the entries that both snapshots cover into a segment: the file and their number, None where none are.

    For a service that is stopped; one that runs does it itself.
    """
    ledger = SqliteLedger(folder)
    try:
        made = ledger.archive()
        while (gone := ledger.cut(MOST_ROWS)) is not None:
            gone.result()
        return (made.path, made.last - made.first + 1) if made is not None else None
    finally:
        ledger.close()
