"""What riders say of some main streets, spread to those around that lead the same way.

Jams are a matter of main streets and of whole quarters: evidence on one counts for others nearby, the less the farther
off and the more another way they lead; nothing counts for the opposite direction, nor for streets that are not main.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.roads.streets import Streets, nearest_turn

MAIN = ("motorway", "trunk", "primary", "secondary", "tertiary")
"""Classes that share what is known of them, their links too."""
SPREAD_M = 400.0
"""Evidence counts e times less for each so many metres, and not beyond FARTHEST of them."""
FARTHEST = 4.0
CELL_M = 150.0
"""Streets of a square of this side count as at one place."""


class Surroundings:
    """Main streets of a network by where they lie and lead."""

    def __init__(self, streets: Streets) -> None:
        named = [name.removesuffix("_link") in MAIN for name in streets.classes]
        self.codes = 2 * streets.edges
        _, way = np.unique(streets.way, return_inverse=True)
        self.way = (2 * way.reshape(-1)[:, None] + np.arange(2)).ravel()
        """Of every directed edge (2 * edge + direction) the number of its way in the direction."""
        self.edges = np.flatnonzero(np.array(named, dtype=np.bool_)[streets.road_class])
        self._place = np.full(streets.edges, -1, dtype=np.int64)
        self._place[self.edges] = np.arange(len(self.edges))
        first, last = streets.shape_start[self.edges], streets.shape_start[self.edges + 1] - 1
        across = METRES_PER_DEGREE * float(np.cos(np.radians(streets.lat.mean())))
        lat, lng = streets.shape_lat, streets.shape_lng
        line = np.stack([nearest_turn(lng[last] - lng[first]) * across, (lat[last] - lat[first]) * METRES_PER_DEGREE])
        self._heading = line / np.maximum(np.hypot(*line), 1e-9)
        middle = (first + last + 1) // 2
        x = nearest_turn(lng[middle] - streets.lng[0]) * across
        y = (lat[middle] - streets.lat[0]) * METRES_PER_DEGREE
        square = np.floor(np.stack([x, y], axis=1) / CELL_M)
        self._squares, cell = np.unique(square, axis=0, return_inverse=True)
        self._cell = cell.reshape(-1)

    def spread(
        self, code: NDArray[np.int64], weight: NDArray[np.float64], amounts: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(weight, sum) of what counts for every directed edge, float64[codes] each; 0 where it is no main street.

        `code` int64[n] of the evidence, `weight` and `amounts` float64[n]: how much there is of it, and its sum.
        """
        place = self._place[code >> 1]
        kept = place >= 0
        place, sign = place[kept], 1.0 - 2.0 * (code[kept] & 1)
        # cos of the angle between two headings is the product of their vectors: so sums of vectors are enough.
        heading = self._heading[:, place] * sign
        sums = np.zeros((len(self._squares), 6))
        for k, amount in enumerate((weight[kept], amounts[kept])):
            for j, part in enumerate((amount, amount * heading[0], amount * heading[1])):
                np.add.at(sums[:, 3 * k + j], self._cell[place], part)
        held = np.flatnonzero(sums[:, 0] > 0)
        around = np.zeros_like(sums)
        for cells in np.array_split(np.arange(len(self._squares)), len(self._squares) // 2000 + 1):
            apart = self._squares[cells, None, :] - self._squares[None, held, :]
            metres = np.hypot(apart[..., 0], apart[..., 1]) * CELL_M
            near = np.where(metres > FARTHEST * SPREAD_M, 0.0, np.exp(-metres / SPREAD_M))
            around[cells] = near @ sums[held]
        found = around[self._cell].T.reshape(2, 3, -1)
        same = found[:, 1] * self._heading[0] + found[:, 2] * self._heading[1]
        along, against = (found[:, 0] + same) / 2, (found[:, 0] - same) / 2
        both = np.zeros((2, self.codes))
        both[:, 2 * self.edges], both[:, 2 * self.edges + 1] = along, against
        return both[0], both[1]
