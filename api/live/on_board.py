"""What is kept in memory of everything on the board: the rows of its places, the numbers of what was said of it."""

from __future__ import annotations

from api.ledger.protocol import VaultRow
from dispatch.board.board import Board

_ALWAYS = ("service", "settings", "shadow")


def handles(board: Board) -> list[int]:
    """The places of orders, stores and riders on a board."""
    found = {record.order.door_place for record in board.orders.values()}
    found |= {record.store.place for record in board.stores.values()}
    found |= {record.rider.place for record in board.riders.values()}
    return sorted(found)


def subjects(board: Board) -> list[str]:
    """Whom and what notices may speak of without a look-up."""
    riders, stores = (f"rider:{name}" for name in board.riders), (f"store:{name}" for name in board.stores)
    return [*board.orders, *riders, *stores, *(f"zone:{name}" for name in board.zones), *_ALWAYS]


def needs(board: Board, row: VaultRow) -> bool:
    """True for the row of a place that something on the board lies at."""
    if row.kind == "drop":
        record = board.orders.get(row.subject)
        return record is not None and record.order.door_place == row.handle
    return row.kind in ("store", "rider")
