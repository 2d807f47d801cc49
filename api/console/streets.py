"""Streets under the board: those around the stores, made when they are first asked for."""

from __future__ import annotations

import asyncio
import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.live.host import LiveHost
    from routing.roads import RoadNetwork

MARGIN_DEG = 0.04
STEP_DEG = 0.05
"""The box drawn grows by such steps, so that a new store seldom means new streets."""

Box = tuple[float, float, float, float]


class StreetLines:
    """The body of `/v1/board/streets` for a service that travels on streets; empty for any other."""

    def __init__(self, host: LiveHost) -> None:
        self._host = host
        self._made: tuple[Box, bytes] | None = None

    async def body(self) -> bytes:
        """JSON as `shown.Streets` describes it."""
        network: RoadNetwork | None = getattr(self._host.times, "network", None)
        box = self._box() if network is not None else None
        if network is None or box is None:
            return _written([], "")
        if self._made is None or self._made[0] != box:
            self._made = box, await asyncio.to_thread(_drawn, network, box)
        return self._made[1]

    def _box(self) -> Box | None:
        """South, west, north and east of the stores, None without any."""
        book = self._host.board.places
        places = [record.store.place for record in self._host.board.stores.values()]
        if not places:
            return None
        lat, lng = book.first[places], book.second[places]
        south, west = (math.floor((float(low) - MARGIN_DEG) / STEP_DEG) * STEP_DEG for low in (lat.min(), lng.min()))
        north, east = (math.ceil((float(high) + MARGIN_DEG) / STEP_DEG) * STEP_DEG for high in (lat.max(), lng.max()))
        return south, west, north, east


def _drawn(network: RoadNetwork, box: Box) -> bytes:
    from routing.roads.city.maps import streets_map

    given = streets_map(network, south_west=box[:2], north_east=box[2:])
    lines = [line for feature in given["features"] for line in feature["geometry"]["coordinates"]]
    return _written([[[lat, lng] for lng, lat in line] for line in lines], network.attribution)


def _written(lines: list[list[list[float]]], attribution: str) -> bytes:
    return json.dumps({"lines": lines, "attribution": attribution}, separators=(",", ":"), ensure_ascii=False).encode()
