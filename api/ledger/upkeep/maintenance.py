"""Looking after a ledger: copies while it runs, putting one back, deciding it again, and moving old entries away."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from api.ledger.chain import missing, way_on
from api.ledger.configuration import require_readable
from api.ledger.files import copy, create, flush_folder, make_private
from api.ledger.protocol import CorruptLedger, LedgerEntry, Snapshot, VaultRow
from api.ledger.recovery import first_board, place_book, recover, restored
from api.ledger.snapshots import number_of, read
from api.ledger.sqlite.group_commit import failure_of
from api.ledger.sqlite.parts import beside, check
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.segments import segments
from api.ledger.sqlite.store import SqliteLedger
from dispatch.board.board import Board
from dispatch.codec import decode_event, decode_input
from dispatch.engine.engine import Engine
from dispatch.errors import CorruptJournal, taking_in
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError, InvalidInput

MOST_ROWS = 500
"""Rows removed in one transaction, by a service that is stopped."""


class Verdict(NamedTuple):
    """What `verify` found: entries decided again, where it began, and whether erasure made it inexact.

    `skipped`: entries that somebody has left out of every fold.  `unlike`: entries after one of them that are decided
    otherwise without it.
    """

    entries: int
    first_seq: int
    erased_places: int
    skipped: int = 0
    unlike: int = 0


def opened(folder: Path) -> SqliteReader:
    """A ledger to read, running or not; raises InvalidInput where there is none, or one of another version."""
    reader = _any_version(folder)
    try:
        reader.identity  # noqa: B018  raises where there is none
        require_readable(reader.header())
    except HalfhourError:
        reader.close()
        raise
    return reader


def present(folder: Path) -> Path:
    """The folder, if there is a ledger in it; raises InvalidInput."""
    if not (folder / FILE).is_file():
        raise InvalidInput("there is no ledger here", code="unreadable_file", file=str(folder))
    return folder


def _any_version(folder: Path) -> SqliteReader:
    return SqliteReader(present(folder))


def backup(folder: Path, target: Path) -> int:
    """Copies a ledger of any version, running or not, as of one moment; the number of its last entry.

    What fails leaves nothing behind.
    """
    reader = _any_version(folder)
    if target.exists() and any(target.iterdir()):
        raise InvalidInput("the folder is not empty", code="output_exists", file=str(target))
    make_private(target, tighten=True)
    try:
        return _copied(reader, target)
    except BaseException as problem:
        for path in (target / FILE, *beside(target)):
            path.unlink(missing_ok=True)
        if isinstance(problem, sqlite3.Error):
            raise failure_of(problem, str(target)) from problem
        raise
    finally:
        reader.close()


def _copied(reader: SqliteReader, target: Path) -> int:
    create(target / FILE)
    with closing(sqlite3.connect(reader.folder / FILE)) as source, closing(sqlite3.connect(target / FILE)) as made:
        source.backup(made)
    kept = SqliteReader(target)
    head = kept.head()
    kept.close()
    # Files after the rows: what is moved meanwhile is then in both, never in none.  What is newer than the rows stays.
    held = [segment.path for segment in segments(reader.folder) if segment.last <= head]
    for path in (*(path for path in reader.snapshots() if number_of(path) <= head), *held):
        copied = target / path.relative_to(reader.folder)
        make_private(copied.parent, tighten=True)
        with suppress(FileNotFoundError):  # a snapshot that a newer one has just replaced
            copy(path, copied)
    return head


def restore(source: Path, folder: Path) -> int:
    """Puts a copy where a service will find it, if it is whole and folds; the number of its last entry.

    It begins a new epoch: who holds a cursor of later than the copy hears that it is gone.
    """
    left = [folder / FILE] if (folder / FILE).exists() else beside(folder)
    if left:
        raise InvalidInput(
            f"there is {left[0].name} of a ledger already", code="output_exists", file=str(folder),
            hint="Move what is there elsewhere first.",
        )  # fmt: skip
    _check_whole(source)
    make_private(folder, tighten=True)
    part = folder / "restoring"
    shutil.rmtree(part, ignore_errors=True)  # of a restore that was interrupted
    try:
        head = backup(source, part)
        SqliteLedger(part).close()
        with closing(opened(part)) as reader:
            recover(reader, Settings())
            for _ in reader.texts(max(reader.first_seq() - 1, 0)):
                pass
        # The database last: until it is there, there is no ledger.
        for path in (*beside(part), part / FILE):
            moved = folder / path.relative_to(part)
            make_private(moved.parent, tighten=True)
            path.replace(moved)
        flush_folder(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return head


def _check_whole(folder: Path) -> None:
    """Raises CorruptLedger where a page of the database is noise."""
    reader = _any_version(folder)
    try:
        found = next(reader.rows("PRAGMA integrity_check"))[0]
        reader.head()
    finally:
        reader.close()
    if found != "ok":
        raise CorruptLedger(f"the copy is damaged: {str(found).splitlines()[0]}", file=str(folder / FILE))


def verify(folder: Path) -> Verdict:
    """Reads everything that is kept, decides every entry again and compares; raises at the first thing that differs.

    A ledger whose first segments were taken elsewhere is decided again from its oldest snapshot.
    """
    _check_whole(folder)
    with closing(opened(folder)) as reader:
        check(reader)
        reader.check_rows()
        return _decided_again(reader)


def beginning(reader: SqliteReader, *, behind: int = 0) -> tuple[Board, int, list[VaultRow]]:
    """The board from which the journal can be folded as far back as it is here: after which entry, and the vault.

    `behind`: from the oldest snapshot made after that entry, where there is one.  Raises CorruptJournal where the
    first entries are missing and no snapshot holds what they led to.
    """
    rows, header = list(reader.vault()), reader.header()
    places = place_book(header.get("frame", "wgs84"), rows)
    snapshot = _oldest_snapshot(reader, behind)
    if snapshot is not None:
        return restored(snapshot, places), snapshot.seq, rows
    if reader.first_seq() > 1:
        raise missing(1, reader.first_seq() - 1)
    return first_board(header, places, Settings()), 0, rows


def _decided_again(reader: SqliteReader) -> Verdict:
    skips = reader.skips()
    # A snapshot made behind what is left out holds what is true without it.
    board, begin, rows = beginning(reader, behind=max(skips, default=0))
    engine = Engine(board.places, board.settings, board)
    erased = sum(row.erased_at is not None for row in rows)
    count = unlike = 0
    doubtful = 0  # what was decided until a repair was decided with what it left out
    for entry in reader.entries(begin):
        if entry.skipped:
            doubtful = max(doubtful, skips[entry.seq].head)
            continue
        try:
            _decide_again(engine, entry, erased)
            count += 1
        except CorruptJournal:
            if entry.seq > doubtful:
                raise
            unlike += 1
    return Verdict(count, begin + 1, erased, len(skips), unlike)


def _decide_again(engine: Engine, entry: LedgerEntry, erased: int) -> None:
    """Decides an entry and compares; the board goes on by what was written."""
    with taking_in(entry.seq, hint=way_on(entry.seq)):
        item, written = decode_input(entry.input), tuple(decode_event(event) for event in entry.events)
    try:
        with taking_in(entry.seq):
            decided = engine.decide(item)
    finally:
        with taking_in(entry.seq, hint=way_on(entry.seq)):
            engine.apply(item, written)
    if decided != written:
        hint = "Positions were erased: deciding again is no longer exact." if erased else ""
        raise CorruptJournal(f"entry {entry.seq} is decided otherwise now", line=entry.seq, hint=hint)


def _oldest_snapshot(reader: SqliteReader, behind: int) -> Snapshot | None:
    """The oldest one that is whole and from which all entries are here; None where the journal has its beginning."""
    first = reader.first_seq()
    if first <= 1 and not behind:
        return None
    for path in reversed(reader.snapshots()):
        with suppress(CorruptLedger):
            snapshot = read(path)
            if snapshot.seq >= max(behind, first - 1):
                return snapshot
    return None


class Reading:
    """A journal for those who read it from its beginning; what means nothing without what was left out is counted."""

    def __init__(self, reader: SqliteReader, after: int = 0) -> None:
        self._reader, self._after = reader, after
        self.skipped = self.left_out = 0

    def __iter__(self) -> Iterator[LedgerEntry]:
        for entry in self._reader.entries(self._after):
            if entry.skipped:
                self.skipped += 1
            else:
                yield entry

    @contextmanager
    def taking(self, entry: LedgerEntry) -> Iterator[None]:
        """Within, an entry is taken in; raises CorruptJournal naming it, unless an earlier one was left out."""
        try:
            with taking_in(entry.seq, hint=way_on(entry.seq)):
                yield
        except CorruptJournal:
            if not self.skipped:
                raise
            self.left_out += 1


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
