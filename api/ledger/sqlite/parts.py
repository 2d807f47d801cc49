"""The parts of a ledger, and whether they belong together: looked at before the first answer, each refused by name.

ledger.sqlite (-wal, -shm)   ledger.head   ledger.lock   snapshot-SEQ.json   archive/journal-FIRST-LAST.jsonl.gz
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from api.ledger import snapshots
from api.ledger.files import AUDIT, close_to_others, create, make_private
from api.ledger.protocol import CorruptLedger
from api.ledger.sqlite import segments
from api.ledger.sqlite.head import MARK
from api.ledger.sqlite.reader import FILE, SqliteReader, foreign


def beside(folder: Path) -> list[Path]:
    """What belongs to a ledger and lies in the folder, but the database itself and its log."""
    mark = folder / MARK
    held = [segment.path for segment in segments.segments(folder)]
    return [*snapshots.numbered(folder), *held, *([mark] if mark.exists() else [])]


def files(folder: Path) -> Iterator[Path]:
    """Every file and folder of a ledger that is there."""
    yield from (folder / (FILE + end) for end in ("", "-wal", "-shm"))
    yield from (folder / AUDIT, folder / segments.ARCHIVE)
    yield from beside(folder)


def make_ready(folder: Path) -> None:
    """A private folder with a private file for the database; raises where one is missing beside its own parts."""
    database = folder / FILE
    # What an older version made was open to others; it is closed to them on the way.
    make_private(folder, tighten=database.exists() and not (folder / MARK).exists())
    if not database.exists() and (left := beside(folder)):
        raise CorruptLedger(
            f"{FILE} is missing beside {left[0].name}", code="foreign_part", file=str(database),
            hint="Put it back, restore a copy, or move what is left elsewhere.",
        )  # fmt: skip
    create(database)
    close_to_others(files(folder))


def check(reader: SqliteReader) -> None:
    """Raises CorruptLedger naming what does not belong here, or what is missing."""
    reader.check_end()
    for path in reader.snapshots():
        reader.owns(path)
    held = segments.segments(reader.folder)
    for segment in held:
        place = reader.place_of(segment)
        if segment.last > reader.head():
            why = f"it ends with entry {segment.last}, and the journal with {reader.head()}"
            raise foreign(segment.path, why)
        if reader.row_chain(segment.last) not in (None, place.after):
            raise foreign(segment.path, f"entry {segment.last} is another one here")
    for before, behind in pairwise(held):
        if before.last + 1 == behind.first and reader.place_of(before).after != reader.place_of(behind).before:
            raise foreign(behind.path, f"it does not follow {before.path.name}")
