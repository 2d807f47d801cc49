"""Deciding a ledger's journal again, wherever it lies: everything that is kept is read, and every entry compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from api.ledger.chain import way_on
from api.ledger.opening import Copied
from api.ledger.protocol import LedgerEntry
from api.ledger.sqlite.parts import check
from api.ledger.sqlite.reader import SqliteReader
from api.ledger.upkeep.lived import beginning, opened
from api.ledger.upkeep.maintenance import check_whole
from dispatch.codec import decode_event, decode_input
from dispatch.engine.engine import Engine
from dispatch.errors import CorruptJournal, taking_in


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
