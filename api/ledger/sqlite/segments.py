"""Moving old entries out of the journal's table, while it is written or not.

A *segment* is a file of entries, `archive/journal-FIRST-LAST.jsonl.gz`: a line that says whose they are and between
which digests of the chain they lie, then a line for each.  It appears whole and durable, or not at all, and never
changes.  First the entries that two snapshots cover become a segment, then their rows go.  Whatever is interrupted
leaves entries in both places, never in none: readers take each number once, and the next rotation goes on.
"""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from api.ledger.files import make_private, whole
from api.ledger.records import Text, packed, text_from, text_of
from dispatch.errors import CorruptJournal

ARCHIVE = "archive"
COMPRESSION = 3
_NAME = re.compile(r"journal-(\d{12})-(\d{12})\.jsonl\.gz")


class Segment(NamedTuple):
    """A file with the entries `first` to `last`."""

    first: int
    last: int
    path: Path


class Place(NamedTuple):
    """Whose entries a segment holds, and the digests before its first and after its last one."""

    ledger: str
    before: str
    after: str


def segments(folder: Path) -> list[Segment]:
    """The segments of a ledger's folder, by their numbers; other files there are none of ours."""
    named = ((_NAME.fullmatch(path.name), path) for path in sorted((folder / ARCHIVE).glob("journal-*.jsonl.gz")))
    return [Segment(int(name[1]), int(name[2]), path) for name, path in named if name is not None]


def archived_head(folder: Path) -> int:
    """The last entry that a segment holds (0: none): rows up to it may go."""
    return max((segment.last for segment in segments(folder)), default=0)


def place_of(segment: Segment) -> Place | None:
    """What a segment says of itself, None for one that was written before there was a chain; raises CorruptJournal."""
    first = next(_lines(segment), "")
    try:
        value = json.loads(first)
        return Place(value["ledger"], value["before"], value["after"]) if "ledger" in value else None
    except (ValueError, TypeError, KeyError) as problem:
        raise _damaged(segment, problem) from problem


def read(segment: Segment, after: int) -> Iterator[Text]:
    """Its entries with seq > `after`; raises CorruptJournal where the file is damaged."""
    for line in _lines(segment):
        if line.startswith('{"ledger":'):
            continue
        try:
            entry = text_from(line.rstrip("\n"))
        except ValueError as problem:
            raise _damaged(segment, problem) from problem
        if entry.seq > after:
            yield entry


def _lines(segment: Segment) -> Iterator[str]:
    try:
        with gzip.open(segment.path, "rt", encoding="utf-8") as file:
            yield from file
    except (OSError, EOFError, ValueError) as problem:
        raise _damaged(segment, problem) from problem


def _damaged(segment: Segment, problem: Exception) -> CorruptJournal:
    return CorruptJournal(f"a segment of the journal is damaged: {problem}", file=str(segment.path))


def archive(folder: Path, entries: Iterator[Text], first: int, last: int, place: Place) -> Segment:
    """Writes those of `entries` with seq <= `last` as a segment that begins with `first`."""
    into = folder / ARCHIVE
    make_private(into, tighten=True)
    made = Segment(first, last, into / f"journal-{first:012d}-{last:012d}.jsonl.gz")
    header = {"ledger": place.ledger, "first": first, "last": last, "before": place.before, "after": place.after}
    with whole(made.path) as raw, gzip.open(raw, "wt", compresslevel=COMPRESSION, encoding="utf-8") as file:
        file.write(packed(header) + "\n")
        for entry in takewhile(lambda entry: entry.seq <= last, entries):
            file.write(text_of(entry) + "\n")
    return made


def cut(connection: sqlite3.Connection, upto: int, most: int) -> None:
    """Removes up to `most` rows with seq <= `upto`; the last row of all stays, numbers go on from it."""
    statement = (
        "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE seq <= ?"
        " AND seq < (SELECT max(seq) FROM journal) ORDER BY seq LIMIT ?)"
    )
    connection.execute(statement, (upto, most))
