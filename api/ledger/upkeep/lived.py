"""A ledger read from its beginning, wherever it lies and whoever writes it: by those who count, export or check it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from api.ledger.chain import missing, way_on
from api.ledger.configuration import require_readable
from api.ledger.opening import Copied, in_database, reader_of
from api.ledger.protocol import LedgerEntry, Snapshot, VaultRow
from api.ledger.recovery import Folds, first_board, place_book, restored
from api.ledger.sqlite.reader import FILE
from dispatch.board.board import Board
from dispatch.errors import CorruptJournal, taking_in
from dispatch.settings.settings import Settings
from routing.errors import HalfhourError, InvalidInput


class Begins(Folds, Protocol):
    """The part of a ledger that says where it begins."""

    def first_seq(self) -> int: ...

    def sound_snapshots(self) -> Iterator[Snapshot]: ...


def opened(address: str | Path) -> Copied:
    """A ledger to read, running or not; raises InvalidInput where there is none, or one of another version.

    `address`: a folder, or postgresql://host/database#market.
    """
    if not in_database(str(address)):
        present(Path(address))
    reader = reader_of(str(address))
    try:
        reader.identity  # noqa: B018  raises where there is none
        require_readable(reader.header())
    except HalfhourError:
        reader.close()
        raise
    return reader


def name_of(address: str | Path) -> str:
    """What a ledger is called, for people: its folder, or its market."""
    said = str(address)
    return said.partition("#")[2] or "default" if in_database(said) else Path(said).name


def present(folder: Path) -> Path:
    """The folder, if there is a ledger in it; raises InvalidInput."""
    if not (folder / FILE).is_file():
        raise InvalidInput("there is no ledger here", code="unreadable_file", file=str(folder))
    return folder


def beginning(reader: Begins, *, behind: int = 0) -> tuple[Board, int, list[VaultRow]]:
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


def _oldest_snapshot(reader: Begins, behind: int) -> Snapshot | None:
    """The oldest one that is whole and from which all entries are here; None where the journal has its beginning."""
    first = reader.first_seq()
    if first <= 1 and not behind:
        return None
    return next((kept for kept in reader.sound_snapshots() if kept.seq >= max(behind, first - 1)), None)


class Reading:
    """A journal for those who read it from its beginning; what means nothing without what was left out is counted."""

    def __init__(self, reader: Copied, after: int = 0) -> None:
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
