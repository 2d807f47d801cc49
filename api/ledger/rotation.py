"""Moving old entries out of the journal's table, while it is written or not.

A *segment* is a file of entries, `archive/journal-FIRST-LAST.jsonl.gz`; it appears whole and durable, or not at all,
and never changes.  First the entries that two snapshots cover become a segment, then their rows go.  Whatever is
interrupted leaves entries in both places, never in none: readers take each number once, and the next rotation goes on.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from api.ledger.protocol import Entry
from api.ledger.tables import packed
from dispatch.errors import CorruptJournal

ARCHIVE = "archive"
COMPRESSION = 3


class Segment(NamedTuple):
    """A file with the entries `first` to `last`."""

    first: int
    last: int
    path: Path


def segments(folder: Path) -> list[Segment]:
    """The segments of a ledger's folder, by their numbers."""
    found = []
    for path in sorted((folder / ARCHIVE).glob("journal-*.jsonl.gz")):
        first, last = path.name.removesuffix(".jsonl.gz").split("-")[1:]
        found.append(Segment(int(first), int(last), path))
    return found


def archived_head(folder: Path) -> int:
    """The last entry that a segment holds (0: none): rows up to it may go."""
    return max((segment.last for segment in segments(folder)), default=0)


def read(segment: Segment, after: int) -> Iterator[Entry]:
    """Its entries with seq > `after`; raises CorruptJournal where the file is damaged."""
    try:
        with gzip.open(segment.path, "rt", encoding="utf-8") as file:
            for line in file:
                entry = Entry(**json.loads(line))
                if entry.seq > after:
                    yield entry
    except (OSError, EOFError, ValueError, TypeError) as problem:
        raise CorruptJournal(f"a segment of the journal is damaged: {problem}", file=str(segment.path)) from problem


def archive(folder: Path, entries: Iterator[Entry], covered: int) -> Segment | None:
    """Writes those of `entries` with seq <= `covered` as a segment; None where there are none."""
    into = folder / ARCHIVE
    into.mkdir(exist_ok=True)
    part = into / "segment.part"
    first = last = 0
    with part.open("wb") as raw:
        with gzip.open(raw, "wt", compresslevel=COMPRESSION, encoding="utf-8") as file:
            for entry in takewhile(lambda entry: entry.seq <= covered, entries):
                first, last = first or entry.seq, entry.seq
                file.write(packed(entry._asdict()) + "\n")
        raw.flush()
        os.fsync(raw.fileno())
    if not last:
        part.unlink()
        return None
    made = Segment(first, last, into / f"journal-{first:012d}-{last:012d}.jsonl.gz")
    part.replace(made.path)
    _flush_folder(into)
    return made


def _flush_folder(folder: Path) -> None:
    """A renamed file is there after a loss of power once its folder is flushed too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def cut(connection: sqlite3.Connection, upto: int, most: int) -> None:
    """Removes up to `most` rows with seq <= `upto`; the last row of all stays, numbers go on from it."""
    statement = (
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE seq <= ?"
        " AND seq < (SELECT max(seq) FROM journal) ORDER BY seq LIMIT ?)"
    )
    connection.execute(statement, (upto, most))
