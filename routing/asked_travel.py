"""Travel times that a service was asked for, by cell, and straight lines where it has not answered."""

from __future__ import annotations

import copy
import hashlib
import threading
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from routing.answers import NO_WAY, UNKNOWN, Answers, Cells
from routing.cells import cells_of
from routing.errors import InvalidInput
from routing.moved_places import MovedPlaces
from routing.places import PlaceBook
from routing.travel import Reach, Rounding, StraightTravel, to_ticks


class PlaceCells:
    """The cell of every place of a book, looked up again where a place has moved."""

    def __init__(self, places: PlaceBook, resolution: int) -> None:
        self._places = places
        self._resolution = resolution
        self._moved = MovedPlaces(2)
        self._cells = np.zeros(0, dtype=np.uint64)
        self._lock = threading.Lock()

    def of(self, handles: NDArray[np.int32]) -> Cells:
        """uint64[n], the cells of these places."""
        with self._lock:
            now = np.stack([self._places.first, self._places.second], axis=1)
            moved = self._moved.since_seen(handles, now)
            if self._moved.room > len(self._cells):
                more = self._moved.room - len(self._cells)
                self._cells = np.concatenate([self._cells, np.zeros(more, dtype=np.uint64)])
            self._cells[moved] = cells_of(now[moved, 0], now[moved, 1], self._resolution)
            self._moved.see(moved, now)
            return self._cells[handles]


class AskedTravel:
    """Travel times out of `answers` between the cells of places (a `routing.travel.TravelTimes`).

    Ways inside a cell, and ways nobody has answered, are straight lines at `metres_per_minute` times `detour`.  It asks
    nobody: other answers make other travel times (`under`).  `resolution`: of the H3 cells.
    """

    def __init__(
        self,
        places: PlaceBook,
        answers: Answers,
        metres_per_minute: Mapping[str, float],
        *,
        detour: float,
        resolution: int,
    ) -> None:
        if places.frame != "wgs84":
            raise InvalidInput(
                "a travel service needs places in degrees, these lie on a plane", code="wrong_frame", field="travel"
            )
        self.answers = answers
        self.resolution = resolution
        self._straight = StraightTravel(places, dict(metres_per_minute), detour=detour)
        self._cells = PlaceCells(places, resolution)

    @property
    def version(self) -> int:
        return self._straight.version

    @property
    def profiles(self) -> tuple[str, ...]:
        return self._straight.profiles

    @property
    def digest(self) -> str:
        text = f"asked {self.resolution} {self._straight.digest} {self.answers.digest}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def under(self, answers: Answers) -> AskedTravel:
        """The same places under other answers; this one's times stay as they are."""
        other = copy.copy(self)
        other.answers = answers
        return other

    def cells(self, handles: NDArray[np.int32]) -> Cells:
        """The cells that places are asked about by, uint64[n]."""
        return self._cells.of(np.asarray(handles, dtype=np.int32))

    def table(
        self,
        origins: NDArray[np.int32],
        destinations: NDArray[np.int32],
        at: int,
        *,
        tick_us: int = 1_000_000,
        rounding: Rounding = "nearest",
        round_to_s: int = 1,
    ) -> NDArray[np.int32]:
        tenths = self._said(self.answers.tenths, origins, destinations)
        seconds = np.where(tenths == NO_WAY, np.inf, tenths / 10.0)
        ticks = to_ticks(np.where(tenths < NO_WAY, 0.0, seconds), tick_us, rounding, round_to_s)
        straight = self._straight.table(
            origins, destinations, at, tick_us=tick_us, rounding=rounding, round_to_s=round_to_s
        )
        return np.where((tenths >= 0) | (tenths == NO_WAY), ticks, straight)

    def metres(self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        metres = self._said(self.answers.metres, origins, destinations)
        return np.where(metres >= 0, metres, self._straight.metres(origins, destinations, at))

    def walks(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return self._straight.walks(origins, destinations, at)

    def reach(self, at: int) -> Reach | None:
        return None

    def _said(
        self, table: NDArray[np.int32], origins: NDArray[np.int32], destinations: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        here, there = self.cells(origins), self.cells(destinations)
        found = self.answers.block(table, here, there)
        found[:, here[:, None] == there[None, :]] = UNKNOWN
        return found
