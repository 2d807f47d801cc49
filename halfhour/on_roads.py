"""A road network for VROOM inputs: seconds and metres between their coordinates, and the line that a route drives."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from routing.roads import RoadNetwork

PRECISION = 1e5
"""Parts of a degree in a polyline, as VROOM and OSRM encode it."""


class OnRoads:
    """Answers what a VROOM input asks of streets; points are (longitude, latitude), as VROOM writes them."""

    def __init__(self, roads: str | Path) -> None:
        from routing.roads import RoadNetwork

        self.network: RoadNetwork = RoadNetwork.load(roads)

    def table(self, points: list[tuple[float, float]], profile: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Seconds and metres between all points."""
        from routing.places import PlaceBook
        from routing.roads import road_travel

        book = PlaceBook("wgs84")
        handles = np.array([book.add(lat, lng) for lng, lat in points], dtype=np.int32)
        times = road_travel(self.network, book, [profile])
        seconds = times.table(handles, handles, 0)[0].astype(np.int64)
        return seconds, times.metres(handles, handles, 0)[0].astype(np.int64)

    def draw(self, answer: dict[str, Any], profile_of: dict[int, str]) -> None:
        """Give every route of an answer its `geometry`; `profile_of` a vehicle's id."""
        for route in answer["routes"]:
            stops = [step["location"] for step in route["steps"] if "location" in step]
            line = [tuple(stops[0])[::-1]] if stops else []
            for (lng, lat), (lng_to, lat_to) in pairwise(stops):
                if (lng, lat) != (lng_to, lat_to):
                    way = self.network.path((lat, lng), (lat_to, lng_to), profile=profile_of[route["vehicle"]])
                    line += [(float(a), float(b)) for a, b in way.geometry]
            route["geometry"] = polyline(line)


def polyline(line: Iterable[tuple[float, float]]) -> str:
    """(lat, lng) points as an encoded polyline of five digits; points that do not differ in them are written once."""
    text, before = "", (0, 0)
    for k, point in enumerate(line):
        here = round(point[0] * PRECISION), round(point[1] * PRECISION)
        if k and here == before:
            continue
        text += "".join(_encoded(a - b) for a, b in zip(here, before, strict=True))
        before = here
    return text


def _encoded(step: int) -> str:
    """A signed number in letters of five bits, the lowest first."""
    left, letters = (step << 1) ^ (step >> 63), ""
    while left >= 32:
        letters += chr((32 | (left & 31)) + 63)
        left >>= 5
    return letters + chr(left + 63)
