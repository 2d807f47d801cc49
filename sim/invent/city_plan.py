"""A synthetic city from a seed: irregular streets, a river with a few bridges, and quickest ways between all corners.

The street graph starts as a jittered grid, is bent by slow waves, loses some of its streets and every crossing of the
river but the bridges.  It is small (a few hundred corners), so all pairs are solved at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput
from routing.places import LatLng

ROAD_CLASSES = ("avenue", "street", "lane", "bridge")
AVENUE, STREET, LANE, BRIDGE = range(4)

SPEED_M_PER_MIN = {"bike": (270, 250, 210, 250), "scooter": (420, 340, 240, 400)}
"""Metres per minute of each profile by road class, waits at corners included."""

CENTRE = LatLng(lat=45.0, lng=9.0)
"""Where the invented city is laid on the globe."""

SPACING_M = 250
BRIDGE_EVERY = 6
"""One river crossing in so many stays open."""

LOST_SHARE = 0.16
"""Share of ordinary streets that do not exist: what makes ways longer than the grid's."""


@dataclass(frozen=True, slots=True)
class CityPlan:
    """Corners and streets.  `lat`, `lng`: float64[n] degrees; `x`, `y`: float64[n] metres from the centre.

    `tail`, `head`: int32[e], each street twice, once per direction; `length_m`: int32[e]; `road_class`: int8[e], an
    index into ROAD_CLASSES; `river`: float64[k, 2], the river's middle line as (x, y) metres.
    """

    seed: int
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: NDArray[np.int32]
    road_class: NDArray[np.int8]
    river: NDArray[np.float64]

    @property
    def lat(self) -> NDArray[np.float64]:
        """Latitude of every corner, degrees."""
        return np.asarray(np.round(CENTRE.lat + self.y / METRES_PER_DEGREE, 6))

    @property
    def lng(self) -> NDArray[np.float64]:
        """Longitude of every corner, degrees."""
        return np.asarray(np.round(CENTRE.lng + self.x / _metres_per_lng(), 6))

    def latlng(self, x: float, y: float) -> LatLng:
        """A point given in metres from the centre, in degrees to six digits (a hand's breadth)."""
        return LatLng(
            lat=round(CENTRE.lat + y / METRES_PER_DEGREE, 6), lng=round(CENTRE.lng + x / _metres_per_lng(), 6)
        )


class Ways(NamedTuple):
    """Quickest ways between all corners: `seconds`, `metres`: int32[profile, n, n]."""

    profiles: tuple[str, ...]
    seconds: NDArray[np.int32]
    metres: NDArray[np.int32]

    def save(self, path: Path) -> None:
        """Write the matrix file that a scenario's travel of kind `matrix` reads."""
        if self.seconds.max() >= 65_536 or self.metres.max() >= 65_536:
            raise InvalidInput("the city is too large for a matrix file", code="invalid_matrix")
        np.savez_compressed(
            path,
            profiles=np.array(self.profiles),
            seconds=self.seconds.astype(np.uint16),
            metres=self.metres.astype(np.uint16),
        )


def _metres_per_lng() -> float:
    return METRES_PER_DEGREE * math.cos(math.radians(CENTRE.lat))


def plan_city(seed: int, *, width_m: int = 7_500, height_m: int = 5_500) -> CityPlan:
    """A city of about `width_m` by `height_m` metres; the same seed gives the same city."""
    if min(width_m, height_m) < 6 * SPACING_M or max(width_m, height_m) > 12_000:
        raise InvalidInput(
            f"a city of {width_m} by {height_m} m", field="size", hint=f"Choose {6 * SPACING_M} to 12000 metres."
        )
    rng = np.random.default_rng([seed, 1])
    columns, rows = width_m // SPACING_M + 1, height_m // SPACING_M + 1
    x, y = _corners(rng, columns, rows)
    phase = float(rng.uniform(0, 2 * math.pi))
    x, y = _off_the_water(x, y, phase, height_m)
    streets = _streets(columns, rows)
    kept, classes = _open_streets(rng, streets, x, y, phase, height_m, columns, rows)
    x, y, kept, classes = _largest_part(x, y, kept, classes)
    length = np.rint(np.sqrt((x[kept[:, 0]] - x[kept[:, 1]]) ** 2 + (y[kept[:, 0]] - y[kept[:, 1]]) ** 2))
    along = np.linspace(-width_m * 0.56, width_m * 0.56, 60)
    return CityPlan(
        seed=seed,
        x=x,
        y=y,
        tail=np.concatenate([kept[:, 0], kept[:, 1]]).astype(np.int32),
        head=np.concatenate([kept[:, 1], kept[:, 0]]).astype(np.int32),
        length_m=np.tile(np.maximum(length, 1), 2).astype(np.int32),
        road_class=np.tile(classes, 2).astype(np.int8),
        river=np.stack([along, _river_y(along, phase, height_m)], axis=1),
    )


def _corners(rng: np.random.Generator, columns: int, rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A jittered grid around the origin, bent by two slow waves so that no street is straight."""
    across, up = np.meshgrid(np.arange(columns) - (columns - 1) / 2, np.arange(rows) - (rows - 1) / 2)
    x = across.ravel() * SPACING_M + rng.uniform(-55, 55, columns * rows)
    y = up.ravel() * SPACING_M + rng.uniform(-55, 55, columns * rows)
    bend = rng.uniform(0, 2 * math.pi, 2)
    return x + 170 * np.sin(y / 1300 + bend[0]), y + 140 * np.sin(x / 1500 + bend[1])


def _river_y(x: NDArray[np.float64], phase: float, height_m: int) -> NDArray[np.float64]:
    """The river's middle line: it runs west to east in two slow meanders, a little south of the centre."""
    return np.asarray(-0.10 * height_m + 0.11 * height_m * np.sin(x / 1400 + phase) + 0.05 * x)


def _off_the_water(
    x: NDArray[np.float64], y: NDArray[np.float64], phase: float, height_m: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners nearer than 90 m to the river step back to its bank."""
    middle = _river_y(x, phase, height_m)
    side = np.where(y >= middle, 1.0, -1.0)
    return x, np.where(np.abs(y - middle) < 90, middle + side * 90, y)


def _streets(columns: int, rows: int) -> NDArray[np.int64]:
    """Pairs of neighbouring corners of the grid, int64[e, 2]: first all along rows, then all along columns."""
    corner = np.arange(columns * rows).reshape(rows, columns)
    along = np.stack([corner[:, :-1].ravel(), corner[:, 1:].ravel()], axis=1)
    up = np.stack([corner[:-1].ravel(), corner[1:].ravel()], axis=1)
    return np.concatenate([along, up])


def _open_streets(
    rng: np.random.Generator,
    streets: NDArray[np.int64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    phase: float,
    height_m: int,
    columns: int,
    rows: int,
) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """The streets that exist and their classes: avenues stay, lanes and streets may be missing, bridges are few."""
    row, column = streets // columns, streets % columns
    first_row, first_column = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    is_avenue = ((row[:, 0] == row[:, 1]) & (row[:, 0] % 5 == first_row)) | (
        (column[:, 0] == column[:, 1]) & (column[:, 0] % 6 == first_column)
    )
    classes = np.where(rng.random(len(streets)) < 0.35, LANE, STREET).astype(np.int8)
    classes[is_avenue] = AVENUE
    north = y >= _river_y(x, phase, height_m)
    crosses = north[streets[:, 0]] != north[streets[:, 1]]
    exists = is_avenue | (rng.random(len(streets)) >= LOST_SHARE)
    crossings = np.flatnonzero(crosses)
    crossings = crossings[np.argsort(x[streets[crossings, 0]], kind="stable")]
    exists[crossings] = False
    bridges = crossings[2::BRIDGE_EVERY]
    exists[bridges] = True
    classes[bridges] = BRIDGE
    return streets[exists], classes[exists]


def _largest_part(
    x: NDArray[np.float64], y: NDArray[np.float64], streets: NDArray[np.int64], classes: NDArray[np.int8]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64], NDArray[np.int8]]:
    """Drop corners that cannot be reached from most of the city."""
    part = np.arange(len(x))
    while True:
        low = np.minimum(part[streets[:, 0]], part[streets[:, 1]])
        spread = part.copy()
        np.minimum.at(spread, streets[:, 0], low)
        np.minimum.at(spread, streets[:, 1], low)
        if (spread == part).all():
            break
        part = spread
    keep = part == np.bincount(part).argmax()
    number = np.cumsum(keep) - 1
    inside = keep[streets[:, 0]]
    return x[keep], y[keep], number[streets[inside]], classes[inside]


def all_ways(plan: CityPlan, *, slower: float = 1.0) -> Ways:
    """Quickest ways between all corners for every profile, in whole seconds; `slower` stretches all times (rain).

    Floyd and Warshall's three loops, two of them in numpy.  Tenths of a second stand in the upper half of an int64 and
    metres in the lower, so one minimum finds the quickest way and, among equals, the shorter.
    """
    n = len(plan.x)
    seconds, metres = [], []
    for speeds in SPEED_M_PER_MIN.values():
        pace = np.array(speeds, dtype=np.float64)[plan.road_class]
        tenths = np.rint(plan.length_m * 600 * slower / pace).astype(np.int64)
        best = np.full((n, n), 1 << 55, dtype=np.int64)
        best[plan.tail, plan.head] = (tenths << 32) + plan.length_m
        np.fill_diagonal(best, 0)
        for via in range(n):
            np.minimum(best, best[:, via, None] + best[None, via, :], out=best)
        seconds.append(((best >> 32) + 5) // 10)
        metres.append(best & 0xFFFFFFFF)
    return Ways(tuple(SPEED_M_PER_MIN), np.stack(seconds).astype(np.int32), np.stack(metres).astype(np.int32))


def map_of(plan: CityPlan) -> dict[str, Any]:
    """Streets and river as GeoJSON ([lng, lat], as that format wants it), to be drawn under a report."""
    lng, lat = plan.lng.tolist(), plan.lat.tolist()
    half = len(plan.tail) // 2
    features: list[dict[str, Any]] = []
    for number, name in enumerate(ROAD_CLASSES):
        of_class = np.flatnonzero(plan.road_class[:half] == number).tolist()
        lines = [[[lng[node], lat[node]] for node in (plan.tail[e], plan.head[e])] for e in of_class]
        features.append(
            {
                "type": "Feature",
                "properties": {"class": name},
                "geometry": {"type": "MultiLineString", "coordinates": lines},
            }
        )
    river = [[point.lng, point.lat] for point in (plan.latlng(x, y) for x, y in plan.river.tolist())]
    features.append(
        {"type": "Feature", "properties": {"class": "river"}, "geometry": {"type": "LineString", "coordinates": river}}
    )
    return {"type": "FeatureCollection", "features": features}
