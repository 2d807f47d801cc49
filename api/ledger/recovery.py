"""From the ledger to a board: places from the vault, the newest snapshot, and the entries after it, folded.

Start-up, restart after a crash and coming back after a failed commit are this one path.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol

from api.ledger.chain import way_on
from api.ledger.configuration import require_readable
from api.ledger.protocol import LedgerEntry, LedgerFailed, Snapshot, VaultRow
from dispatch.board.board import Board
from dispatch.codec import decode_event
from dispatch.errors import taking_in
from dispatch.settings.settings import Settings
from routing.places import Access, PlaceBook

log = logging.getLogger(__name__)


AT_ONCE = 200
"""Entries that a follower takes in at once: what it shows waits for no more."""
BEHIND_ALL = 2**62
"""Behind every handle there will ever be."""


class Folds(Protocol):
    """The part of a ledger that a fold reads."""

    def header(self) -> dict[str, Any]: ...

    def head(self) -> int: ...

    def vault(self, of: Sequence[int] | None = None, after: int = -1) -> Iterator[VaultRow]: ...

    def entries(self, after: int = 0) -> Iterator[LedgerEntry]: ...

    def newest_snapshot(self) -> Snapshot | None: ...


class Recovered(NamedTuple):
    """The state as of the ledger's last entry."""

    board: Board
    places: PlaceBook
    seq: int
    folded: int
    """Entries folded after the snapshot."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """Looks for no cycles meanwhile: a fold makes objects that stay, and looking for them was a fifth of its time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_uncollected()
def recover(ledger: Folds, settings: Settings) -> Recovered:
    """Folds the ledger; `settings` are those that an empty one begins with.

    Raises CorruptJournal naming an entry that cannot be folded, and what can be done about it.
    """
    header = ledger.header()
    require_readable(header)
    snapshot, head = ledger.newest_snapshot(), ledger.head()  # before the places: each entry's are there with it
    places = place_book(header.get("frame", "wgs84"), _living(ledger, snapshot))
    board, seq = first_board(header, places, settings), 0
    if snapshot is not None:
        places.pad(snapshot.state.get("places", 0))
        board, seq = restored(snapshot, places), snapshot.seq
    began, skipped = seq, 0
    for entry in ledger.entries(seq):
        if entry.seq > head:
            break  # written meanwhile
        apply(board, entry)
        seq, skipped = entry.seq, skipped + bool(entry.skipped)
    if skipped:
        log.warning("entries were left out of the fold, as somebody said they should be", extra={"count": skipped})
    log.info("folded", extra={"entries": seq - began, "snapshot": began})
    return Recovered(board, places, seq, seq - began)


class Read(NamedTuple):
    """What a ledger has more than a follower knew: places, and entries that follow each other."""

    rows: list[VaultRow]
    entries: list[LedgerEntry]
    is_all: bool


class Tail:
    """The board of a ledger that another process writes, as far as it has been read.

    `look` reads, from any thread; `take` changes the board, on the thread that shows it; one after the other.
    """

    def __init__(self, ledger: Folds, settings: Settings) -> None:
        found = recover(ledger, settings)
        self.board, self.places, self.seq = found.board, found.places, found.seq
        self._ledger = ledger
        self._entered: set[int] = set()

    def look(self, most: int = AT_ONCE) -> Read:
        """Up to `most` entries behind those that were taken; raises LedgerFailed where the ledger has fewer by now."""
        head = self._ledger.head()
        if head < self.seq:
            raise LedgerFailed("the ledger has lost what was read of it", code="ledger_went_back", retry_after_s=1)
        if head == self.seq:
            return Read([], [], is_all=True)
        entries = list(islice(self._ledger.entries(self.seq), most))
        of_riders = {record.rider.place for record in self.board.riders.values()}  # these go where riders go
        named = {handle for entry in entries for handle in _handles(entry.events)}
        rows = list(self._ledger.vault(sorted(named - of_riders - self._entered), BEHIND_ALL))
        return Read(rows, entries, is_all=self.seq + len(entries) >= head)

    def take(self, look: Read) -> None:
        """Takes in what was read; raises CorruptJournal naming an entry that cannot be."""
        for row in look.rows:
            _enter(self.places, row)
            self._entered.add(row.handle)
        for entry in look.entries:
            apply(self.board, entry)
            self.seq = entry.seq


def apply(board: Board, entry: LedgerEntry) -> None:
    """Takes one entry in; raises CorruptJournal naming it where that cannot be."""
    with taking_in(entry.seq, hint=way_on(entry.seq)):
        for event in entry.events:
            board.apply(decode_event(event))
    board.now = max(board.now, entry.at)


def first_board(header: Mapping[str, Any], places: PlaceBook, settings: Settings) -> Board:
    """The board before the first entry; `settings` where the header states none."""
    stated = header.get("settings")
    board = Board(places, settings if stated is None else Settings.stated(stated))
    board.needs = tuple(header.get("needs", ()))
    return board


def snapshot_of(board: Board, seq: int) -> Snapshot:
    """The board after the entry `seq`, with where riders have moved to since their place was entered."""
    book = board.places
    moved = {
        str(record.rider.place): [float(book.first[record.rider.place]), float(book.second[record.rider.place])]
        for record in board.riders.values()
    }
    return Snapshot(seq, board.now, {"board": board.dump(), "moved": moved, "places": len(book)})


IN_HAND = 4096
"""Places that commands may have been given before the snapshot, and whose entry comes after it: far fewer than this."""
_PLACES = frozenset({"place", "drop_place", "pick_place", "here"})
"""Names under which a dumped board holds the handle of a place."""


def _living(ledger: Folds, snapshot: Snapshot | None) -> Iterator[VaultRow]:
    """Places that the fold may ask for: those that the snapshot's board names, and those that are newer than it.

    Nobody asks for the others, the doors of all orders that there ever were; reading them took the longer the older a
    market was.  Snapshots of 0.2 and before do not say how many places there were: then all are read.
    """
    if snapshot is None or "places" not in snapshot.state:
        return ledger.vault()
    return ledger.vault(sorted(set(_handles(snapshot.state["board"]))), snapshot.state["places"] - 1 - IN_HAND)


def _handles(value: Any) -> list[int]:
    """Places that are named anywhere in a JSON value, in no order."""
    found, left = [], [value]
    while left:
        here = left.pop()
        if isinstance(here, dict):
            found += [part for name, part in here.items() if name in _PLACES and isinstance(part, int)]
            left += [part for part in here.values() if isinstance(part, dict | list)]
        elif isinstance(here, list):
            left += [part for part in here if isinstance(part, dict | list)]
    return found


def restored(snapshot: Snapshot, places: PlaceBook) -> Board:
    """The inverse of `snapshot_of`, in a book rebuilt from the vault."""
    state: dict[str, Any] = snapshot.state
    for handle, (first, second) in state["moved"].items():
        places.move(int(handle), first, second)
    return Board.load(places, state["board"])


def place_book(frame: str, rows: Iterable[VaultRow]) -> PlaceBook:
    """The book of a vault; gaps that refused requests left are filled with places that lie nowhere."""
    book = PlaceBook("plane" if frame == "plane" else "wgs84")
    for row in rows:
        _enter(book, row)
    return book


def _enter(book: PlaceBook, row: VaultRow) -> None:
    book.fill(
        row.handle, row.first, row.second, enter_s=row.enter_s, exit_s=row.exit_s, matrix_row=row.body.get("row", -1),
        access=access_of(row),
    )  # fmt: skip


def access_of(row: VaultRow) -> Access | None:
    """Where one stops for a place of the vault; None where that was not given."""
    said = row.personal.get("access")
    return None if said is None else (said["lat"], said["lng"])
