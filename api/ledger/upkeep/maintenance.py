"""Looking after a ledger: copies while it runs, putting one back, deciding it again, and moving old entries away."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from api.ledger.files import copy, create, flush_folder, make_private
from api.ledger.protocol import CorruptLedger
from api.ledger.recovery import recover
from api.ledger.snapshots import number_of
from api.ledger.sqlite.group_commit import failure_of
from api.ledger.sqlite.parts import beside
from api.ledger.sqlite.reader import FILE, SqliteReader
from api.ledger.sqlite.segments import segments
from api.ledger.sqlite.store import SqliteLedger
from api.ledger.upkeep.lived import opened, present
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput

MOST_ROWS = 500
"""Rows removed in one transaction, by a service that is stopped."""


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
    check_whole(source)
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


def check_whole(folder: Path) -> None:
    """Raises CorruptLedger where a page of the database is noise."""
    reader = _any_version(folder)
    try:
        found = next(reader.rows("PRAGMA integrity_check"))[0]
        reader.head()
    finally:
        reader.close()
    if found != "ok":
        raise CorruptLedger(f"the copy is damaged: {str(found).splitlines()[0]}", file=str(folder / FILE))


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
