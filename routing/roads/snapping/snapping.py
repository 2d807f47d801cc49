"""Points on the map to points on streets: the nearest edge that a profile may use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput
from routing.roads.errors import TooFarFromRoad
from routing.roads.kernels.snapping import lay_grid, snap_candidates, snap_points
from routing.roads.streets import Streets, nearest_turn

CELL_M = 100.0
"""Side of a grid cell: a city block or two."""
MOST_CELLS = 4_000_000
"""Of a country the cells are larger."""


@dataclass(frozen=True, slots=True, eq=False)
class Snaps:
    """Spots on edges: `edge` int32[k] (-1: no road near enough), `fraction` float64[k] of the edge from its tail, and
    `metres` float64[k] from the point to the spot (inf where there is none)."""

    edge: NDArray[np.int32]
    fraction: NDArray[np.float64]
    metres: NDArray[np.float64]

    def only(self, index: int) -> Snaps:
        """One of the spots alone."""
        part = slice(index, index + 1)
        return Snaps(self.edge[part], self.fraction[part], self.metres[part])


class StreetGrid:
    """The lines of all streets in a grid of squares, on a plane that is true at the city's middle latitude.

    `along_m` float64: metres from the start of its line, for every point of every line.
    """

    def __init__(self, streets: Streets) -> None:
        self._start, self._lat, self._lng = streets.shape_start, streets.shape_lat, streets.shape_lng
        self._lat0 = float(streets.shape_lat.min())
        # The western end: around the antimeridian that is among the greatest longitudes.
        lng = streets.shape_lng
        self._lng0 = float(lng.min() if np.ptp(lng) <= 180 else lng[lng >= 0].min())
        middle = (self._lat0 + float(streets.shape_lat.max())) / 2
        self._across = METRES_PER_DEGREE * float(np.cos(np.radians(middle)))
        self._x, self._y = self._plane(streets.shape_lat, streets.shape_lng)
        step = np.zeros(len(self._x))
        step[1:] = np.sqrt(np.diff(self._x) ** 2 + np.diff(self._y) ** 2)
        so_far = np.cumsum(step)
        self.along_m = so_far - np.repeat(so_far[self._start[:-1]], np.diff(self._start))
        width, height = float(self._x.max()), float(self._y.max())
        self._cell_m = max(CELL_M, float(np.sqrt(width * height / MOST_CELLS)))
        self._columns = int(width / self._cell_m) + 1
        self._rows = int(height / self._cell_m) + 1
        self._cells, self._piece, self._edge = lay_grid(
            self._x, self._y, self._start, self._cell_m, self._columns, self._rows
        )

    def snap(self, points: NDArray[np.float64], allowed: NDArray[np.bool_], max_snap_m: float) -> Snaps:
        """Nearest allowed spot of every point; edge -1 where none is within `max_snap_m`.

        `points` float64[k, 2] as (lat, lng); `allowed` bool[e].  Raises InvalidInput for coordinates that are no
        numbers or outside the world.
        """
        points = require_points(points)
        x, y = self._plane(points[:, 0], points[:, 1])
        found = snap_points(
            x, y, self._x, self._y, self.along_m, self._start, self._edge, self._cells, self._piece,
            self._cell_m, self._columns, self._rows, allowed, float(max_snap_m),
        )  # fmt: skip
        return Snaps(*found)

    def near(
        self, points: NDArray[np.float64], allowed: NDArray[np.bool_], max_snap_m: float, slack_m: float, most: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
        """The nearest allowed edges of every point, [k, most] each: edge (-1 for none), fraction along it, metres.

        Those that lie no more than `slack_m` farther than the nearest.  Raises what `snap` raises.
        """
        points = require_points(points)
        x, y = self._plane(points[:, 0], points[:, 1])
        edge, fraction, metres = snap_candidates(
            x, y, self._x, self._y, self.along_m, self._start, self._edge, self._cells, self._piece,
            self._cell_m, self._columns, self._rows, allowed, float(max_snap_m), slack_m, most,
        )  # fmt: skip
        return edge, fraction, metres

    def apart_m(self, points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metres between each point and the other beside it, float64[k, 2] of (lat, lng) each."""
        (x, y), (other_x, other_y) = (self._plane(each[:, 0], each[:, 1]) for each in (points, others))
        return np.hypot(x - other_x, y - other_y)

    def spots(self, edge: NDArray[np.int32], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
        """(lat, lng) of spots on edges, float64[k, 2]."""
        # One running coordinate over all lines: the edge's number in the whole part keeps them apart.
        lengths = self.along_m[self._start[1:] - 1]
        share = self.along_m / np.repeat(np.where(lengths > 0, lengths, 1.0), np.diff(self._start))
        running = 2.0 * self._edge + share
        wanted = 2.0 * edge + fraction
        x, y = np.interp(wanted, running, self._x), np.interp(wanted, running, self._y)
        return self._globe(x, y)

    def line(self, edge: int, enter: float, leave: float) -> NDArray[np.float64]:
        """The line of an edge between two fractions of its length, in the direction of travel, float64[k, 2]."""
        part = slice(int(self._start[edge]), int(self._start[edge + 1]))
        if abs(leave - enter) == 1.0:
            line = np.array([self._lat[part], self._lng[part]]).T
            return line if enter <= leave else line[::-1]
        share = self.along_m[part] / max(float(self.along_m[part][-1]), 1e-9)
        low, high = min(enter, leave), max(enter, leave)
        between = np.flatnonzero((share > low) & (share < high)) + part.start
        x = np.concatenate([[np.interp(low, share, self._x[part])], self._x[between]])
        y = np.concatenate([[np.interp(low, share, self._y[part])], self._y[between]])
        if high > low:
            x = np.append(x, np.interp(high, share, self._x[part]))
            y = np.append(y, np.interp(high, share, self._y[part]))
        line = self._globe(x, y)
        return line if enter <= leave else line[::-1]

    def _plane(
        self, lat: NDArray[np.float64], lng: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return nearest_turn(lng - self._lng0) * self._across, (lat - self._lat0) * METRES_PER_DEGREE

    def _globe(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of `_plane`, [k, 2] of (lat, lng)."""
        return np.stack([self._lat0 + y / METRES_PER_DEGREE, nearest_turn(self._lng0 + x / self._across)], axis=1)


def require_points(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """`points` as float64[k, 2] of (lat, lng); InvalidInput names the first that cannot be."""
    points = np.asarray(points, dtype=np.float64)
    if points.ndim == 1 and points.shape == (2,):
        points = points[None, :]
    if points.ndim != 2 or points.shape[1] != 2:
        raise InvalidInput(f"points must be [n, 2] of lat, lng, not {points.shape}", code="invalid_coordinates")
    good = (np.abs(points[:, 0]) <= 90) & (np.abs(points[:, 1]) <= 180)
    if not good.all():
        index = int(np.argmin(good))
        raise InvalidInput("a point lies outside the world", code="invalid_coordinates", index=index)
    return np.ascontiguousarray(points)


def require_near(snaps: Snaps, profile: str, max_snap_m: float, role: str) -> None:
    """Raise TooFarFromRoad for the first point that no allowed road is near enough to."""
    if (snaps.edge < 0).any():
        index = int(np.argmax(snaps.edge < 0))
        raise TooFarFromRoad(
            f"{role} {index} is more than {max_snap_m:g} m from any road for {profile}",
            index=index,
            profile=profile,
            hint="Move the point, or raise max_snap_m.",
        )
