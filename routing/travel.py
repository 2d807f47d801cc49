"""Travel times between places: the only module where seconds become ticks.

Every source of travel times offers one method, `table`, which answers a rectangular block.  A round asks for
everything-to-stops, never for rider-to-rider.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput
from routing.places import PlaceBook

UNREACHABLE = 2**30 - 1
"""Ticks of a leg that nobody can make; two of them still add up within int32."""

Rounding = Literal["nearest", "up"]


class Reach(NamedTuple):
    """How far anybody comes: a way of s seconds covers at most `m_per_s` * s + `beside_m` straight metres."""

    m_per_s: float
    beside_m: float = 0.0
    """Metres at both ends together that take no time: from places to the streets that serve them."""

    def least_s(self, metres: float) -> float:
        """No way between places so many straight metres apart takes less."""
        return max(0.0, metres - self.beside_m) / self.m_per_s


class TravelTimes(Protocol):
    """A source of travel times for the places of one book."""

    @property
    def version(self) -> int:
        """Grows by one with every change of the times; a round states which one it used."""

    @property
    def digest(self) -> str:
        """Short hash of everything the times depend on (same digest: same times)."""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles, in the order of the table's first axis."""

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
        """Ticks from every origin to every destination, int32[profile, n, m]; UNREACHABLE where there is no way.

        `origins`, `destinations`: place handles. `at`: epoch seconds, selects the traffic slot. `tick_us`: microseconds
        per tick. `round_to_s`: travel seconds are first rounded up to multiples of this (published days count whole
        minutes); 1 for none.
        """

    def metres(self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        """Metres driven from every origin to every destination, int32[profile, n, m]."""

    def walks(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(seconds, metres) on foot from the street to the door at the end of the way from each origin to the
        destination beside it, int32[profile, n] each; 0 where nothing is walked.

        The seconds are part of those of `table`, the metres none of those of `metres`.
        """

    def reach(self, at: int) -> Reach | None:
        """How far anybody comes, whoever drives, setting out at epoch second `at`; None where that is not known."""


def to_ticks(seconds: NDArray[np.float64], tick_us: int, rounding: Rounding, round_to_s: int = 1) -> NDArray[np.int32]:
    """Float seconds (inf = unreachable) as int32 ticks, UNREACHABLE where they are infinite or too long to add up.

    With `round_to_s` above 1 the seconds are rounded up to its multiples first, as `ceil(seconds / round_to_s)` in
    float64, so that exact multiples stay as they are.
    """
    if round_to_s > 1:
        seconds = np.ceil(seconds / round_to_s) * round_to_s
    ticks = seconds * (1e6 / tick_us)
    ticks = np.ceil(ticks) if rounding == "up" else np.rint(ticks)
    ticks = np.where(ticks < UNREACHABLE, ticks, UNREACHABLE)
    return ticks.astype(np.int32)


def no_walks(profiles: int, origins: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The answer of `TravelTimes.walks` where ways end at the door itself."""
    none = np.zeros((profiles, len(origins)), dtype=np.int32)
    return none, none


AT_ONCE = 2**18
"""Pairs whose straight lines are worked out together: their float64 stay in the cache, whatever the size of a round."""


class StraightTravel:
    """Straight lines at a constant speed per profile: plane metres, or great circles times a detour factor.

    `metres_per_minute`: speed of each profile along the way. `detour`: way driven per straight metre (1.0 in a plane
    whose distances are already what is driven).
    """

    def __init__(
        self, places: PlaceBook, metres_per_minute: dict[str, float], *, detour: float = 1.0, version: int = 1
    ) -> None:
        if not metres_per_minute:
            raise InvalidInput("a travel table needs at least one profile", code="no_profile")
        for name, speed in metres_per_minute.items():
            if not (np.isfinite(speed) and speed > 0):
                raise InvalidInput(
                    f"profile {name} moves at {speed:g} m/min", code="invalid_speed", field=f"profiles.{name}"
                )
        self._places = places
        self._speed = dict(metres_per_minute)
        self._detour = detour
        self._version = version

    @property
    def version(self) -> int:
        return self._version

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(self._speed)

    @property
    def digest(self) -> str:
        text = f"straight {self._places.frame} {self._detour!r} {sorted(self._speed.items())!r}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _straight_m(self, origins: NDArray[np.int32], destinations: NDArray[np.int32]) -> NDArray[np.float64]:
        first, second = self._places.first, self._places.second
        down = first[destinations][None, :] - first[origins][:, None]
        across = second[destinations][None, :] - second[origins][:, None]
        if self._places.frame == "plane":
            return np.sqrt(across * across + down * down)
        # Equirectangular on the mean latitude: within .1 % of the great circle at city distances, and cheap.
        middle = np.radians((first[destinations][None, :] + first[origins][:, None]) / 2)
        across = across * np.cos(middle)
        return np.asarray(np.sqrt(across * across + down * down) * METRES_PER_DEGREE, dtype=np.float64)

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
        found = np.empty((len(self._speed), len(origins), len(destinations)), dtype=np.int32)
        rows = max(1, AT_ONCE // max(1, len(destinations)))
        for begin in range(0, len(origins), rows):
            part = slice(begin, begin + rows)
            straight = self._straight_m(origins[part], destinations) * self._detour
            for profile, speed in enumerate(self._speed.values()):
                # Minutes first: published days define ceil(metres / metres per minute) in float64.
                if round_to_s == 60:
                    found[profile, part] = to_ticks(np.ceil(straight / speed) * 60.0, tick_us, rounding)
                else:
                    found[profile, part] = to_ticks(straight / speed * 60.0, tick_us, rounding, round_to_s)
        return found

    def metres(self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        way = np.rint(self._straight_m(origins, destinations) * self._detour).astype(np.int32)
        return np.stack([way] * len(self._speed))

    def walks(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return no_walks(len(self._speed), origins)

    def reach(self, at: int) -> Reach | None:
        # The middle latitude stands for the great circle: within a hundredth.
        return Reach(1.01 * max(self._speed.values()) / 60 / self._detour)


class MatrixTravel:
    """Travel times read from a square matrix of seconds, by each place's `matrix_row`.

    `seconds`: float64[profile, n, n], inf where there is no way. `metres`: the same shape, or None.
    """

    def __init__(
        self,
        places: PlaceBook,
        profiles: tuple[str, ...],
        seconds: NDArray[np.float64],
        metres: NDArray[np.float64] | None = None,
        *,
        version: int = 1,
    ) -> None:
        if seconds.ndim != 3 or seconds.shape[0] != len(profiles) or seconds.shape[1] != seconds.shape[2]:
            raise InvalidInput("a travel matrix must be [profile, n, n]", code="invalid_matrix", shape=seconds.shape)
        if np.isnan(seconds).any() or (seconds < 0).any():
            raise InvalidInput("a travel matrix holds a negative time or a NaN", code="invalid_matrix")
        self._places = places
        self._profiles = profiles
        self._seconds = seconds
        self._metres = metres
        self._ticks: dict[tuple[int, Rounding, int], NDArray[np.int32]] = {}
        self._version = version

    @property
    def version(self) -> int:
        return self._version

    @property
    def profiles(self) -> tuple[str, ...]:
        return self._profiles

    @property
    def digest(self) -> str:
        return hashlib.sha256(np.ascontiguousarray(self._seconds).tobytes()).hexdigest()[:16]

    def _rows(self, handles: NDArray[np.int32]) -> NDArray[np.int32]:
        rows = self._places.matrix_row[handles]
        if (rows < 0).any():
            place = int(handles[int(np.argmax(rows < 0))])
            raise InvalidInput(f"place {place} has no row in the travel matrix", code="unknown_place", place=place)
        return rows

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
        kept = (tick_us, rounding, round_to_s)
        if kept not in self._ticks:
            # Whoever asks, asks for the same ticks round after round: the whole matrix is converted once.
            self._ticks[kept] = to_ticks(self._seconds, tick_us, rounding, round_to_s)
        rows = self._ticks[kept].take(self._rows(origins), axis=1)
        return rows.take(self._rows(destinations), axis=2)

    def metres(self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        if self._metres is None:
            return np.zeros((len(self._profiles), len(origins), len(destinations)), dtype=np.int32)
        block = self._metres[:, self._rows(origins)[:, None], self._rows(destinations)[None, :]]
        return np.ascontiguousarray(np.rint(block).astype(np.int32))

    def walks(
        self, origins: NDArray[np.int32], destinations: NDArray[np.int32], at: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        return no_walks(len(self._profiles), origins)

    def reach(self, at: int) -> Reach | None:
        return None
