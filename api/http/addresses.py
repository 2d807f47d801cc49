"""The names of doors: which orders of a tenant lead to one, and so are brought in one stop.

A door is the tenant's own id of an address, or else the same text of it with points close together.  Its name in the
journal is a digest made with the service's secret: it tells nobody the address, and finds it for nobody.
"""

from __future__ import annotations

import json

from api.common.signed_tokens import Secret, digest
from api.http.schemas.base import Location
from api.http.schemas.deliveries import Dropoff
from api.live.positions import metres_between
from dispatch.board.board import Board
from dispatch.inputs import Position

SAME_TEXT_M, SAME_ID_M = 10.0, 100.0
"""How far apart points of one door may lie: by the same text, and by the same id, which its owner vouches for."""
SPARE = 1000
"""Orders that may have ended before the index forgets them."""


class Doors:
    """Open orders by the digest of their address."""

    def __init__(self) -> None:
        self._orders: dict[str, list[str]] = {}
        self._size = 0
        self._is_made = False

    def name(self, board: Board, secret: Secret, tenant: str, order_id: str, drop: Dropoff) -> str:
        """The door of an order: that of open orders which lead there too, else a new one; empty without an address."""
        said = said_of(drop)
        if said is None:
            return ""
        base = "d" + digest(secret, "door", json.dumps([tenant, *said]))
        most_m = SAME_ID_M if drop.address_id is not None else SAME_TEXT_M
        others = self._places(board, base, order_id)
        for door, places in others.items():
            if all(_metres(board, place, drop.location) <= most_m for place in places):
                return door
        names = (base if k == 1 else f"{base}~{k}" for k in range(1, len(others) + 2))
        return next(name for name in names if name not in others)

    def note(self, order_id: str, door: str) -> None:
        """An order leads to a door from now on."""
        if door:
            self._orders.setdefault(_base(door), []).append(order_id)
            self._size += 1

    def _places(self, board: Board, base: str, order_id: str) -> dict[str, list[int]]:
        """Places of open orders, but for one, by their door: those whose address has this digest."""
        if not self._is_made or self._size > 2 * len(board.open_orders) + SPARE:
            self._remake(board)
        found: dict[str, list[int]] = {}
        for known in dict.fromkeys(self._orders.get(base, ())):
            record = board.open_orders.get(known)
            if record is not None and known != order_id and _base(record.order.door) == base:
                found.setdefault(record.order.door, []).append(record.order.drop_place)
        return found

    def _remake(self, board: Board) -> None:
        self._orders, self._size, self._is_made = {}, 0, True
        for order_id, record in board.open_orders.items():
            self.note(order_id, record.order.door)


def said_of(drop: Dropoff) -> tuple[str, str] | None:
    """What names a drop's address, and how; None where nothing does."""
    if drop.address_id is not None:
        return "id", drop.address_id
    text = " ".join((drop.address or "").split()).casefold()
    return ("text", text) if text else None


def _base(door: str) -> str:
    return door.partition("~")[0]


def _metres(board: Board, place: int, where: Location) -> float:
    at = board.places.latlng(place)
    return metres_between(Position("", at.lat, at.lng, 0), Position("", where.lat, where.lng, 0))
