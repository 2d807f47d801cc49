"""Deciding a ledger's journal again, wherever it lies: everything that is kept is read, and every entry compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from api.ledger.chain import way_on
from api.ledger.configuration import decided_elsewhere
from api.ledger.opening import Copied
from api.ledger.protocol import LedgerEntry
from api.ledger.sqlite.parts import check
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.upkeep.lived import beginning, opened
from api.ledger.upkeep.maintenance import check_whole
from dispatch.codec import decode_event, decode_input
from dispatch.engine.engine import Engine
from dispatch.errors import CorruptJournal, taking_in
from dispatch.events import Event
from dispatch.version import __version__


class Verdict(NamedTuple):
    """What `verify` found: entries decided again, where it began, and whether erasure made it inexact.

    `skipped`: entries that somebody has left out of every fold.  `unlike`: entries after one of them that are decided
    otherwise without it.  `other_version`: entries that another version decided, and this one would decide otherwise.
    """

    entries: int
    first_seq: int
    erased_places: int
    skipped: int = 0
    unlike: int = 0
    other_version: int = 0


def verify(address: str | Path) -> Verdict:
    """Reads everything that is kept, decides every entry again and compares; raises at the first thing that differs.

    A ledger whose first segments were taken elsewhere is decided again from its oldest snapshot.
    """
    with closing(opened(address)) as reader:
        if isinstance(reader, SqliteReader):
            check_whole(reader.folder)
            check(reader)
        reader.check_end()
        reader.check_rows()
        return _decided_again(reader)


def _decided_again(reader: Copied) -> Verdict:
    skips = reader.skips()
    # A snapshot made behind what is left out holds what is true without it.
    board, begin, rows = beginning(reader, behind=max(skips, default=0))
    engine = Engine(board.places, board.settings, board)
    erased = sum(row.erased_at is not None for row in rows)
    count = unlike = other_version = 0
    elsewhere = decided_elsewhere(reader.header(), __version__)
    doubtful = 0  # what was decided until a repair was decided with what it left out
    for entry in reader.entries(begin):
        if entry.skipped:
            doubtful = max(doubtful, skips[entry.seq].head)
            continue
        unlikeness = _decided_again_unlike(engine, entry)
        if not unlikeness:
            count += 1
        elif entry.seq <= doubtful:
            unlike += 1
        elif entry.seq <= elsewhere:
            other_version += 1
        else:
            hint = "Positions were erased: deciding again is no longer exact." if erased else ""
            raise CorruptJournal(unlikeness, line=entry.seq, hint=hint)
    return Verdict(count, begin + 1, erased, len(skips), unlike, other_version)


def _decided_again_unlike(engine: Engine, entry: LedgerEntry) -> str:
    """How an entry decided again differs, empty where it does not; the board goes on by what was written.

    Raises CorruptJournal where it cannot be read or folded.
    """
    decided: tuple[Event, ...] | None = None
    said = f"entry {entry.seq} is decided otherwise now"
    with taking_in(entry.seq, hint=way_on(entry.seq)):
        item, written = decode_input(entry.input), tuple(decode_event(event) for event in entry.events)
    try:
        with taking_in(entry.seq):
            decided = engine.decide(item)
    except CorruptJournal as problem:
        said = problem.message
    with taking_in(entry.seq, hint=way_on(entry.seq)):
        engine.apply(item, written)
    return "" if decided == written else said
