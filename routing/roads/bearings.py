"""Bearings of streets at their ends, and the angles between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from routing.roads.streets import Streets, nearest_turn


def end_bearings(streets: Streets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(leaving, arriving) bearing of every code at its ends, degrees clockwise from north, float64[2 * e] each."""
    first, last = streets.shape_start[:-1], streets.shape_start[1:] - 1
    out = _bearing(streets, first, np.minimum(first + 1, last))
    end = _bearing(streets, np.maximum(last - 1, first), last)
    leaving, arriving = np.empty(2 * streets.edges), np.empty(2 * streets.edges)
    leaving[0::2], leaving[1::2] = out, end + 180.0
    arriving[0::2], arriving[1::2] = end, out + 180.0
    return leaving % 360.0, arriving % 360.0


def turn_degrees(streets: Streets) -> Callable[[int, int], float]:
    """The angle of a turn from one code to another: 0 straight on, positive to the right, up to 180."""
    leaving, arriving = end_bearings(streets)

    def between(code: int, following: int) -> float:
        return float((leaving[following] - arriving[code] + 180.0) % 360.0 - 180.0)

    return between


def _bearing(streets: Streets, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.float64]:
    lat, lng = streets.shape_lat, streets.shape_lng
    east = nearest_turn(lng[b] - lng[a]) * np.cos(np.radians((lat[a] + lat[b]) / 2))
    return np.asarray(np.degrees(np.arctan2(east, lat[b] - lat[a])) % 360.0)
