"""Traces: where somebody was seen, when, and the parts of it in which they were under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidTrace
from routing.roads.streets import straight_cm

GAP_S = 120
"""Positions farther apart in time belong to two trips."""
SPACING_M = 80.0
"""Positions nearer to the last one kept are left out: what they tell of speed is the receiver's error."""
STAND_M, STAND_S = 25.0, 150
"""Who stays within so many metres for so long has stopped, and does not wait in traffic."""


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Positions of one trip: `lat`, `lng` float64[k] degrees, `at` float64[k] epoch seconds, rising; `name` for people.

    Raises InvalidTrace, naming the index, for positions outside the world or out of order.
    """

    name: str
    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    at: NDArray[np.float64]

    def __post_init__(self) -> None:
        for each in ("lat", "lng", "at"):
            object.__setattr__(self, each, np.asarray(getattr(self, each), dtype=np.float64))
        bad = ~((np.abs(self.lat) <= 90) & (np.abs(self.lng) <= 180) & np.isfinite(self.at))
        if bad.any():
            raise InvalidTrace("a position lies outside the world", trace=self.name, index=int(np.argmax(bad)))
        if (np.diff(self.at) <= 0).any():
            index = int(np.argmax(np.diff(self.at) <= 0)) + 1
            raise InvalidTrace("a position is not later than the one before", trace=self.name, index=index)

    def __len__(self) -> int:
        return len(self.at)

    def piece(self, chosen: NDArray[np.int64] | slice) -> Trace:
        """The chosen positions alone."""
        return Trace(self.name, self.lat[chosen], self.lng[chosen], self.at[chosen])


def moving_parts(trace: Trace, *, whole_trip: bool = True) -> Iterator[Trace]:
    """The parts of a trace in which somebody is under way, thinned to SPACING_M; each has two positions at least.

    It is cut at gaps of GAP_S, and where somebody stands for STAND_S; standing at either end of a `whole_trip` is left
    out.
    """
    cuts = np.flatnonzero(np.diff(trace.at) > GAP_S) + 1
    for whole in np.split(np.arange(len(trace)), cuts):
        stands = _standing(trace.piece(whole))
        for run in np.split(whole, np.flatnonzero(np.diff(stands.astype(np.int8)) != 0) + 1):
            if len(run) and not stands[run[0] - whole[0]]:
                part = _without_ends(trace.piece(run)) if whole_trip else trace.piece(run)
                kept = thinned(part)
                if len(kept) > 1:
                    yield part.piece(kept)


def metres_between(trace: Trace, i: int, j: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """Straight metres from position i to positions j."""
    here = np.array([trace.lat[i]]), np.array([trace.lng[i]])
    there = np.atleast_1d(trace.lat[j]), np.atleast_1d(trace.lng[j])
    return straight_cm(*here, *there) / 100.0


def _standing(trace: Trace) -> NDArray[np.bool_]:
    """Which positions lie in a stay of STAND_S within STAND_M of its first position."""
    stands = np.zeros(len(trace), dtype=np.bool_)
    i = 0
    while i < len(trace):
        after = np.arange(i, len(trace))
        away = metres_between(trace, i, after) > STAND_M
        last = i + (int(np.argmax(away)) if away.any() else len(after)) - 1
        if trace.at[last] - trace.at[i] >= STAND_S:
            stands[i : last + 1] = True
            i = last + 1
        else:
            i += 1
    return stands


def _without_ends(trace: Trace) -> Trace:
    """Without the positions about its first, but the last of them, and about its last, but the first of them."""
    every = np.arange(len(trace))
    from_first = metres_between(trace, 0, every) > STAND_M
    from_last = metres_between(trace, len(trace) - 1, every) > STAND_M
    if not from_first.any() or not from_last.any():
        return trace.piece(every[:1])
    begin = int(np.argmax(from_first)) - 1
    end = len(trace) - int(np.argmax(from_last[::-1]))
    return trace.piece(slice(begin, end + 1))


def thinned(trace: Trace) -> NDArray[np.int64]:
    """Which positions are kept so that each lies SPACING_M from the one kept before."""
    kept = [0]
    for k in range(1, len(trace)):
        if metres_between(trace, kept[-1], k)[0] >= SPACING_M:
            kept.append(k)
    return np.array(kept, dtype=np.int64)
