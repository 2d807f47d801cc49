"""The city that `halfhour serve` shows without a configuration: stores on a ring, riders beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from api.http.schemas.base import Location
    from api.http.schemas.riders import RiderBody
    from api.http.schemas.stores import StoreBody

CENTRE = (48.1374, 11.5755)
STORES, RIDERS = 6, 12
RING_M = 1200.0
DEGREE_M = 111_195.0


def stores() -> Iterator[tuple[str, StoreBody]]:
    """Store ids and bodies, store-1 nearest to the centre."""
    from api.http.schemas.stores import StoreBody

    for k in range(STORES):
        place = _at(k, STORES, RING_M if k else 100.0)
        yield f"store-{k + 1}", StoreBody(location=place, name=f"Kitchen {k + 1}", mean_ready_s=480)


def riders() -> Iterator[tuple[str, RiderBody]]:
    """Rider ids and bodies; rider-1 waits beside store-1."""
    from api.http.schemas.riders import RiderBody

    for k in range(RIDERS):
        place = _at(k, RIDERS, RING_M * 0.6 if k else 150.0)
        yield f"rider-{k + 1}", RiderBody(location=place, name=f"Rider {k + 1}", capacity_units=4)


def _at(k: int, of: int, radius_m: float) -> Location:
    from api.http.schemas.base import Location

    angle = 2 * math.pi * k / of
    lat = CENTRE[0] + radius_m * math.sin(angle) / DEGREE_M
    lng = CENTRE[1] + radius_m * math.cos(angle) / (DEGREE_M * math.cos(math.radians(CENTRE[0])))
    return Location(lat=round(lat, 6), lng=round(lng, 6))
