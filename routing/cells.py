"""H3 cells and polygons: the only module that imports h3 and shapely, and the only one that swaps lat and lng.

Everywhere else a point is (lat, lng) in degrees or (x, y) in plane metres.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

METRES_PER_DEGREE = 111_195.08
"""Length of a degree of latitude on a sphere of 6,371,008.8 m radius."""

EDGE_M = {5: 9854.0, 6: 3724.5, 7: 1406.5, 8: 531.4, 9: 200.8, 10: 75.9}
"""Mean edge length of a cell by resolution, metres (H3 documentation, table of cell statistics)."""


def cell_of(lat: float, lng: float, resolution: int) -> int:
    """The H3 cell (as an integer) that holds a point in degrees."""
    return int(h3.latlng_to_cell(lat, lng, resolution))


def cells_of(lat: NDArray[np.float64], lng: NDArray[np.float64], resolution: int) -> NDArray[np.uint64]:
    """The H3 cell of every point, uint64[n]."""
    cells = [h3.latlng_to_cell(a, b, resolution) for a, b in zip(lat.tolist(), lng.tolist(), strict=True)]
    return np.array(cells, dtype=np.uint64)


def centre_of(cell: int) -> tuple[float, float]:
    """(lat, lng) of a cell's centre, degrees."""
    lat, lng = h3.cell_to_latlng(cell)
    return float(lat), float(lng)


def disk(cell: int, rings: int) -> list[int]:
    """The cells within `rings` steps of `cell`, itself included, in ascending order."""
    return sorted(int(c) for c in h3.grid_disk(cell, rings))


@lru_cache(maxsize=20_000)
def ring(cell: int, k: int) -> tuple[int, ...]:
    """The cells exactly `k` steps away, in ascending order (pentagon distortion handled by difference of disks)."""
    if k == 0:
        return (cell,)
    inner = set(h3.grid_disk(cell, k - 1))
    return tuple(sorted(int(c) for c in h3.grid_disk(cell, k) if c not in inner))


REACH = 1.3
"""No corner of a cell is farther from its centre than so many mean edges of its resolution."""


@lru_cache(maxsize=20_000)
def ring_gap_m(cell: int, k: int) -> float:
    """Metres that at least lie between any point of a cell and any point `k` steps away, or farther.

    Who goes farther out comes through that ring.
    """
    here = h3.cell_to_latlng(cell)
    least = min(h3.great_circle_distance(here, h3.cell_to_latlng(c), unit="m") for c in ring(cell, k))
    return float(max(0.0, least - 2 * REACH * EDGE_M[h3.get_resolution(cell)]))


def parent_of(cell: int, resolution: int) -> int:
    """The coarser cell that a cell is counted to."""
    return int(h3.cell_to_parent(cell, resolution))


def boundary_of(cell: int) -> list[tuple[float, float]]:
    """The corners of a cell as (lat, lng), degrees."""
    return [(float(lat), float(lng)) for lat, lng in h3.cell_to_boundary(cell)]


_FARTHEST = 80.0
"""Degrees of latitude beyond which cells of one resolution look too different in degrees."""
_CELL_EDGES2 = 1.5 * 3**0.5
"""Area of a hexagon, in squares of its edge."""


class Polygon:
    """An area on the map, given by its corners as (lat, lng) degrees (or (y, x) plane metres)."""

    def __init__(self, corners: Sequence[tuple[float, float]]) -> None:
        self._shape: Any = shapely.Polygon([(second, first) for first, second in corners])
        if not self._shape.is_valid:
            self._shape = shapely.make_valid(self._shape)
        shapely.prepare(self._shape)

    @property
    def is_empty(self) -> bool:
        """True where the corners span no area."""
        return bool(self._shape.is_empty or self._shape.area == 0.0)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Least and greatest (first, second) of the corners; NaN where there are none."""
        west, south, east, north = self._shape.bounds
        return south, west, north, east

    def holds(self, first: float, second: float) -> bool:
        """True if the point (lat, lng) is inside or on the border."""
        return bool(shapely.intersects_xy(self._shape, second, first))

    def touches(
        self, first: NDArray[np.float64], second: NDArray[np.float64], start: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """True for every line of which a part is inside; `start` int64[k + 1]: where each line's points begin."""
        line = np.repeat(np.arange(len(start) - 1), np.diff(start))
        south, west, north, east = self.bounds
        low, high = (
            np.array([f.reduceat(first, start[:-1]), f.reduceat(second, start[:-1])]) for f in (np.minimum, np.maximum)
        )
        near = (low[0] <= north) & (high[0] >= south) & (low[1] <= east) & (high[1] >= west)
        touched = np.zeros(len(near), dtype=np.bool_)
        kept = near[line]
        if kept.any():
            number = np.cumsum(near) - 1
            points = np.stack([second[kept], first[kept]], axis=1)
            touched[near] = shapely.intersects(self._shape, shapely.linestrings(points, indices=number[line[kept]]))
        return touched

    def cells(self, resolution: int) -> list[int]:
        """The cells whose centres are inside, in ascending order."""
        return sorted(int(c) for c in h3.geo_to_cells(self._shape, resolution))

    def covering(self, resolution: int, most: int) -> dict[int, bool] | None:
        """The cells that an area in degrees touches: True where all of a cell is inside, False at its border.

        None where they would be more than `most`, or where cells do not tell: an area without extent, or at a pole.
        """
        south, west, north, east = self.bounds
        if self.is_empty or self._shape.geom_type not in ("Polygon", "MultiPolygon") or max(north, -south) > _FARTHEST:
            return None
        metres = METRES_PER_DEGREE * math.cos(math.radians(max(north, -south)))
        edge_m = EDGE_M[resolution]
        if (north - south) * METRES_PER_DEGREE * (east - west) * metres > most * _CELL_EDGES2 * edge_m**2:
            return None
        around = self._shape.buffer((2 * REACH * edge_m) / metres)
        cells = sorted(int(c) for c in h3.geo_to_cells(around, resolution))
        if not cells:
            return {}
        # A metre more: an edge of a cell is no straight line in degrees.
        hexagons = [shapely.Polygon([(lng, lat) for lat, lng in boundary_of(c)]) for c in cells]
        shapes = shapely.buffer(hexagons, 1 / metres)
        inside, touched = shapely.contains(self._shape, shapes), shapely.intersects(self._shape, shapes)
        return {c: bool(whole) for c, whole, any_ in zip(cells, inside, touched, strict=True) if any_}
