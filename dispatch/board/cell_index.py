"""The H3 index of the board: which open orders and riders are in a cell, and which cells a zone covers."""

from __future__ import annotations

from collections.abc import Sequence

from routing.cells import Polygon, parent_of
from routing.places import RESOLUTION, PlaceBook

ZONE_RESOLUTION = 7
"""Where a city names no zones an H3 cell of five square kilometres is one."""


class CellIndex:
    """Ids by H3 cell, in order of entry inside a cell, so that walking it is the same everywhere."""

    def __init__(self) -> None:
        self._cells: dict[int, dict[str, None]] = {}
        self._where: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._where)

    def put(self, item_id: str, cell: int) -> None:
        """Enter an id, or move it to another cell."""
        before = self._where.get(item_id)
        if before == cell:
            return
        if before is not None:
            self.remove(item_id)
        self._cells.setdefault(cell, {})[item_id] = None
        self._where[item_id] = cell

    def remove(self, item_id: str) -> None:
        """Take an id out; unknown ids are ignored."""
        cell = self._where.pop(item_id, None)
        if cell is None:
            return
        inhabitants = self._cells[cell]
        del inhabitants[item_id]
        if not inhabitants:
            del self._cells[cell]

    def where(self, item_id: str) -> int | None:
        """The cell of an id; None where it is not in."""
        return self._where.get(item_id)

    def inside(self, cell: int) -> tuple[str, ...]:
        """The ids in one cell."""
        return tuple(self._cells.get(cell, ()))

    def counts(self, resolution: int = RESOLUTION) -> dict[int, int]:
        """How many ids are in each cell, of this resolution or a coarser one, that has any."""
        found: dict[int, int] = {}
        for cell, ids in self._cells.items():
            whole = cell if resolution == RESOLUTION else parent_of(cell, resolution)
            found[whole] = found.get(whole, 0) + len(ids)
        return found


MOST_CELLS = 5_000
"""Cells of a zone beyond which it is tested as a whole: some 500 square kilometres."""


class ZoneShape:
    """An area as cells: those at its border are tested exactly, all others by their number alone."""

    def __init__(self, corners: Sequence[tuple[float, float]], places: PlaceBook) -> None:
        self._places = places
        self._polygon = Polygon(corners)
        self._cells = Polygon([places.on_globe(*corner) for corner in corners]).covering(RESOLUTION, MOST_CELLS)

    def holds(self, place: int) -> bool:
        """True if a place is inside or on the border."""
        if self._cells is not None:
            whole = self._cells.get(int(self._places.cell[place]))
            if whole is not False:
                return whole is True
        return self._polygon.holds(float(self._places.first[place]), float(self._places.second[place]))
