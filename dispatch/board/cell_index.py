"""The H3 index of the board: which open orders and usable riders are in, or near, a cell."""

from __future__ import annotations

from collections.abc import Iterator

from routing.cells import ring


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

    def inside(self, cell: int) -> tuple[str, ...]:
        """The ids in one cell."""
        return tuple(self._cells.get(cell, ()))

    def near(self, cell: int, rings: int) -> Iterator[str]:
        """Ids ring by ring, nearest rings first, up to `rings` steps away."""
        for k in range(rings + 1):
            for neighbour in ring(cell, k):
                yield from self._cells.get(neighbour, ())
