"""The names of doors: which orders of a tenant lead to one, and so are brought in one stop.

A door is the tenant's own id of an address, or else the same text of it with points close together.  Its name in the
journal is a digest made with the service's secret: it tells nobody the address, and finds it for nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from api.common.signed_tokens import Secret, digest
from api.http.schemas.base import Location
from api.http.schemas.deliveries import Dropoff
from api.live.positions import metres_between
from dispatch.board.board import Board
from dispatch.inputs import Position
from routing.cells import cell_of, disk

SAME_TEXT_M, SAME_ID_M = 10.0, 100.0
"""How far apart points of one door may lie: by the same text, and by the same id, which its owner vouches for."""
CELL, TEXT_RINGS, ID_RINGS = 11, 1, 5
"""Resolution of the cells by which points are found, and rings around a point's cell that hold all so near to it."""
MOST_NEIGHBOURS = 64
"""Different points that are compared with a new one: where an address has more around it, each new point is a door."""
SPARE = 1000
"""Orders that may have ended before the index forgets them."""

_Point = tuple[float, float]
_Spots = dict[_Point, dict[str, list[str]]]


class Doors:
    """Open orders by address, cell, point and door: what a name costs does not grow with the orders of an address."""

    def __init__(self) -> None:
        self._spots: dict[tuple[str, int], _Spots] = {}
        self._last: dict[str, int] = {}
        self._size = 0
        self._is_made = False

    def name(self, board: Board, secret: Secret, tenant: str, order_id: str, drop: Dropoff) -> str:
        """The door of an order: that of open orders which lead there too, else a new one; empty without an address."""
        said = said_of(drop)
        if said is None:
            return ""
        base, where = "d" + digest(secret, "door", json.dumps([tenant, *said])), drop.location
        if not self._is_made or self._size > 2 * len(board.open_orders) + SPARE:
            self._remake(board)
        by_id = drop.address_id is not None
        door = self._known_at(board, base, order_id, where) or self._known_near(
            board, base, order_id, where, SAME_ID_M if by_id else SAME_TEXT_M, ID_RINGS if by_id else TEXT_RINGS
        )
        if door:
            return door
        number = self._last.get(base, 0) + 1
        return base if number == 1 else f"{base}~{number}"

    def note(self, board: Board, order_id: str, door: str, place: int) -> None:
        """An order leads to a door at this place, as the board says from now on."""
        if not door:
            return
        base, _, number = door.partition("~")
        at = board.places.latlng(place)
        spots = self._spots.setdefault((base, cell_of(at.lat, at.lng, CELL)), {})
        spots.setdefault((at.lat, at.lng), {}).setdefault(door, []).append(order_id)
        self._last[base] = max(self._last.get(base, 0), int(number or 1))
        self._size += 1

    def _known_at(self, board: Board, base: str, order_id: str, where: Location) -> str:
        """The door of another open order of the address at the same point: all of that door are close to it."""
        point = (where.lat, where.lng)
        spots = self._spots.get((base, cell_of(*point, CELL)), {})
        doors = list(spots.get(point, ()))
        return next((door for door in doors if _leads(board, spots, point, door, order_id)), "")

    def _known_near(self, board: Board, base: str, order_id: str, where: Location, most_m: float, rings: int) -> str:
        """The first door whose points all lie so near; none where too many points lie about."""
        found: dict[str, bool] = {}
        for count, (door, point) in enumerate(self._around(board, base, order_id, where, rings)):
            if count == MOST_NEIGHBOURS:
                return ""
            found[door] = found.get(door, True) and _metres(point, where) <= most_m
        return next((door for door, is_near in found.items() if is_near), "")

    def _around(
        self, board: Board, base: str, order_id: str, where: Location, rings: int
    ) -> Iterator[tuple[str, _Point]]:
        """Doors and points of the address's other open orders about a point; what has ended is forgotten on the way."""
        for cell in disk(cell_of(where.lat, where.lng, CELL), rings):
            spots = self._spots.get((base, cell), {})
            for point in list(spots):
                for door in list(spots[point]):
                    if _leads(board, spots, point, door, order_id):
                        yield door, point
                if not spots[point]:
                    del spots[point]

    def _remake(self, board: Board) -> None:
        self._spots, self._last, self._size, self._is_made = {}, {}, 0, True
        for order_id, record in board.open_orders.items():
            self.note(board, order_id, record.order.door, record.order.door_place)


def said_of(drop: Dropoff) -> tuple[str, str] | None:
    """What names a drop's address, and how; None where nothing does."""
    if drop.address_id is not None:
        return "id", drop.address_id
    text = " ".join((drop.address or "").split()).casefold()
    return ("text", text) if text else None


def _leads(board: Board, spots: _Spots, point: _Point, door: str, order_id: str) -> bool:
    """Whether an open order but for `order_id` leads to a door at a point; the last that do not are forgotten."""
    orders, own = spots[point][door], False
    while orders:
        record = board.open_orders.get(orders[-1])
        if orders[-1] == order_id:
            own = record is not None
        elif record is not None and record.order.door == door and board.places.latlng(record.order.door_place) == point:
            break
        orders.pop()
    is_led = bool(orders)
    if own:
        orders.append(order_id)
    if not orders:
        del spots[point][door]
    return is_led


def _metres(point: _Point, where: Location) -> float:
    return metres_between(Position("", *point, 0), Position("", where.lat, where.lng, 0))
