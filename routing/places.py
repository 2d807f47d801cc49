"""Places: anything a rider can stand at, behind one integer handle.

A PlaceBook has one *frame*: ``plane`` (x, y in metres) or ``wgs84`` (lat, lng in degrees).  Orders, stores and riders
hold handles; whoever computes travel times reads the columns it understands (coordinates, matrix row, a snap to roads
kept beside the book).  `enter_s` and `exit_s` are the seconds a stop costs before its first and after its last act.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE, cell_of
from routing.errors import InvalidInput, UnknownPlace

Frame = Literal["plane", "wgs84"]
RESOLUTION = 9
"""H3 resolution of the index: cells about 200 m across an edge, a minute's ride."""

LONGEST_STOP_S = 86_400
FARTHEST_ACCESS_M = 2_000.0
"""From a place to its access point, which may be the gate of an airfield or a university."""

Access = tuple[float, float]
"""Coordinates of an access point, in the frame of its book."""

PLANE_ANCHOR = (0.0, 0.0)
"""Where plane coordinates are laid on the globe to be indexed: near the equator a degree is the same both ways."""


class LatLng(NamedTuple):
    """A point in WGS84 degrees."""

    lat: float
    lng: float


class PlaceBook:
    """The places of one scenario or one live city, each with an int32 handle that never changes.

    Columns (arrays of length `len(book)`): `first` and `second` (float64: lat and lng, or y and x metres), `cell`
    (uint64, H3), `access`, `enter_s`, `exit_s`, `matrix_row` (int32; -1 where no matrix is used).
    """

    def __init__(self, frame: Frame) -> None:
        self.frame: Frame = frame
        self._size = 0
        self._first = np.zeros(64)
        self._second = np.zeros(64)
        self._cell = np.zeros(64, dtype=np.uint64)
        self._enter_s = np.zeros(64, dtype=np.int32)
        self._exit_s = np.zeros(64, dtype=np.int32)
        self._matrix_row = np.full(64, -1, dtype=np.int32)
        self._access = np.full((64, 2), np.nan)
        self.moves = 0
        """Counts additions and moves, so that whoever keeps data beside the book knows when to look again."""

    def __len__(self) -> int:
        return self._size

    @property
    def first(self) -> NDArray[np.float64]:
        """lat (degrees) or y (metres) of every place."""
        return self._first[: self._size]

    @property
    def second(self) -> NDArray[np.float64]:
        """lng (degrees) or x (metres) of every place."""
        return self._second[: self._size]

    @property
    def cell(self) -> NDArray[np.uint64]:
        """H3 cell of every place at `RESOLUTION`."""
        return self._cell[: self._size]

    @property
    def access(self) -> NDArray[np.float64]:
        """Where one stops for every place, in the book's coordinates, float64[n, 2]; NaN where that is not given.

        An entrance, a gate, a loading bay: streets are left there, and the rest is walked.
        """
        return self._access[: self._size]

    @property
    def enter_s(self) -> NDArray[np.int32]:
        """Seconds before the first act of a stop at every place."""
        return self._enter_s[: self._size]

    @property
    def exit_s(self) -> NDArray[np.int32]:
        """Seconds after the last act of a stop at every place."""
        return self._exit_s[: self._size]

    @property
    def matrix_row(self) -> NDArray[np.int32]:
        """Row of every place in the scenario's travel matrix, -1 for none."""
        return self._matrix_row[: self._size]

    def add(
        self,
        first: float,
        second: float,
        *,
        enter_s: int = 0,
        exit_s: int = 0,
        matrix_row: int = -1,
        access: Access | None = None,
    ) -> int:
        """Add a place at (lat, lng) degrees or (y, x) metres and return its handle; `access`: where one stops for it.

        Raises InvalidInput where coordinates are not finite, outside the world, or of an access far from its place.
        """
        handle = self._size
        self.fill(handle, first, second, enter_s=enter_s, exit_s=exit_s, matrix_row=matrix_row, access=access)
        return handle

    def fill(
        self,
        handle: int,
        first: float,
        second: float,
        *,
        enter_s: int = 0,
        exit_s: int = 0,
        matrix_row: int = -1,
        access: Access | None = None,
    ) -> None:
        """Enter a place under a handle that `pad` has left open, or behind all there are; else as `add`."""
        self._check(first, second)
        self._check_access(first, second, access)
        for field, seconds in (("enter_s", enter_s), ("exit_s", exit_s)):
            if not 0 <= seconds <= LONGEST_STOP_S:
                raise InvalidInput(f"{field} must lie between 0 and {LONGEST_STOP_S} seconds", field=field)
        self.pad(handle)
        if handle == self._size:
            if self._size == len(self._first):
                self._grow()
            self._size += 1
        self._enter_s[handle] = enter_s
        self._exit_s[handle] = exit_s
        self._matrix_row[handle] = matrix_row
        self._put(handle, first, second, access)

    def pad(self, size: int) -> None:
        """Add places that lie at (0, 0), for handles that nobody asks for any more, until there are `size`."""
        before = self._size
        if size <= before:
            return
        while size > len(self._first):
            self._grow()
        self._cell[before:size] = cell_of(*self.on_globe(0.0, 0.0), RESOLUTION)
        self._matrix_row[before:size] = -1
        self._size = size
        self.moves += 1

    def move(self, handle: int, first: float, second: float, access: Access | None = None) -> None:
        """Put a place (a rider's own) somewhere else; every reader sees it at once."""
        self.require(handle)
        self._check(first, second)
        self._check_access(first, second, access)
        self._put(handle, first, second, access)

    def access_of(self, handle: int) -> Access | None:
        """Where one stops for a place; None where that is not given."""
        self.require(handle)
        first, second = self._access[handle].tolist()
        return None if np.isnan(first) else (first, second)

    def require(self, handle: int) -> None:
        """Raise UnknownPlace unless `handle` is in the book."""
        if not 0 <= handle < self._size:
            raise UnknownPlace(f"place {handle} is not in the book of {self._size}", place=handle)

    def latlng(self, handle: int) -> LatLng:
        """Where a place lies on the globe (plane metres are laid around PLANE_ANCHOR)."""
        self.require(handle)
        return self.on_globe(float(self._first[handle]), float(self._second[handle]))

    def on_globe(self, first: float, second: float) -> LatLng:
        """Where coordinates of the book's frame lie on the globe."""
        if self.frame == "wgs84":
            return LatLng(first, second)
        return LatLng(PLANE_ANCHOR[0] + first / METRES_PER_DEGREE, PLANE_ANCHOR[1] + second / METRES_PER_DEGREE)

    def _put(self, handle: int, first: float, second: float, access: Access | None) -> None:
        self._access[handle] = (np.nan, np.nan) if access is None else access
        self._first[handle] = first
        self._second[handle] = second
        self._cell[handle] = cell_of(*self.on_globe(first, second), RESOLUTION)
        self.moves += 1

    def _check_access(self, first: float, second: float, access: Access | None) -> None:
        if access is None:
            return
        self._check(*access)
        here, there = self.on_globe(first, second), self.on_globe(*access)
        north = (there.lat - here.lat) * METRES_PER_DEGREE
        east = (there.lng - here.lng) * METRES_PER_DEGREE * float(np.cos(np.radians(here.lat)))
        if north * north + east * east > FARTHEST_ACCESS_M**2:
            raise InvalidInput(
                f"({access[0]:g}, {access[1]:g}) lies more than {FARTHEST_ACCESS_M:g} m from its place",
                code="far_access",
                field="access",
                hint="An access point is the entrance, gate or loading bay of the place itself.",
            )

    def _check(self, first: float, second: float) -> None:
        if not (np.isfinite(first) and np.isfinite(second)):
            raise InvalidInput("coordinates must be finite numbers", code="invalid_coordinates")
        limit_first, limit_second = (90.0, 180.0) if self.frame == "wgs84" else (5e6, 5e6)
        if abs(first) > limit_first or abs(second) > limit_second:
            raise InvalidInput(
                f"({first:g}, {second:g}) lies outside the world",
                code="invalid_coordinates",
                hint="Give latitude first, then longitude, in degrees (or plane metres within 5,000 km).",
            )

    def _grow(self) -> None:
        for name in ("_first", "_second", "_cell", "_enter_s", "_exit_s", "_matrix_row"):
            old = getattr(self, name)
            wider = np.zeros(2 * len(old), dtype=old.dtype)
            wider[: len(old)] = old
            setattr(self, name, wider)
        self._access = np.concatenate([self._access, np.full(self._access.shape, np.nan)])
