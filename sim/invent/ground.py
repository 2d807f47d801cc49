"""What a day is invented on: corners with the ways between them, of an invented city or of a real one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dispatch.record.travel_spec import MatrixSpec, RoadsSpec, TravelSpec
from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput
from routing.places import LatLng, PlaceBook
from sim.invent.city_plan import SPEED_M_PER_MIN, CityPlan, Ways

if TYPE_CHECKING:
    from routing.roads import RoadNetwork

RADIUS_M = 5_000
"""A day in a real city takes place within this distance of its middle."""

MOST_CORNERS = 8_000
FEWEST_CORNERS = 50

PREFERRED = ("bike", "scooter", "ebike", "car", "foot")
"""What riders travel by, where a network has it."""

OSM_CLASSES = ("primary", "residential", "living_street", "secondary")
"""The invented city's road classes in the words of OpenStreetMap: avenue, street, lane, bridge."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Corners at which stores, doors and riders stand.

    `x`, `y`: float64[n] metres east and north of `centre`; `way_m(corners)`: metres driven from some corners to all,
    int32[k, n], 0 where there is no way; `profiles`: of most riders and of the rest; `has_rows`: a corner's number is
    its row in the travel matrix.
    """

    seed: int
    title: str
    attribution: str
    centre: LatLng
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    way_m: Callable[[NDArray[np.int64]], NDArray[np.int32]]
    profiles: tuple[str, str]
    travel: TravelSpec
    has_rows: bool

    def latlng(self, x: float, y: float) -> LatLng:
        """A point given in metres from the centre, in degrees to six digits (a hand's breadth)."""
        across = METRES_PER_DEGREE * math.cos(math.radians(self.centre.lat))
        return LatLng(lat=round(self.centre.lat + y / METRES_PER_DEGREE, 6), lng=round(self.centre.lng + x / across, 6))


def invented(plan: CityPlan, ways: Ways, matrix_file: Path) -> Ground:
    """The ground of an invented city whose travel matrix lies in `matrix_file`."""
    return Ground(
        seed=plan.seed,
        title=f"city {plan.seed}",
        attribution=f"Invented city, seed {plan.seed}: no real place, no real people.",
        centre=plan.latlng(0.0, 0.0),
        x=plan.x,
        y=plan.y,
        way_m=lambda corners: ways.metres[0][corners],
        profiles=(ways.profiles[0], ways.profiles[1]),
        travel=MatrixSpec(str(matrix_file)),
        has_rows=True,
    )


def on_streets(file: Path, seed: int, *, near: LatLng | None = None, weather: str = "") -> Ground:
    """The ground of a city file, around `near` (default: where its streets are densest), in a weather of its tables.

    Raises UnreadableFile, WrongVersion, and InvalidInput where there are hardly any streets.
    """
    from routing.roads import RoadNetwork, road_travel

    network = RoadNetwork.load(file, weather=weather)
    latlng = network.latlng[_for_everyone(network)]
    centre = near or _densest(latlng)
    across = METRES_PER_DEGREE * math.cos(math.radians(centre.lat))
    x, y = (latlng[:, 1] - centre.lng) * across, (latlng[:, 0] - centre.lat) * METRES_PER_DEGREE
    inside = np.flatnonzero(x * x + y * y < RADIUS_M**2)
    if len(inside) < FEWEST_CORNERS:
        raise InvalidInput(
            f"there are hardly any streets around {centre.lat:g}, {centre.lng:g}",
            code="no_roads", file=str(file), hint="Name another place: --near lat,lng.",
        )  # fmt: skip
    inside = inside[:: -(-len(inside) // MOST_CORNERS)]
    profiles = [profile for profile in PREFERRED if profile in network.profiles] or list(network.profiles)
    places = PlaceBook("wgs84")
    handles = np.array([places.add(*corner) for corner in latlng[inside].tolist()], dtype=np.int32)
    travel = road_travel(network, places, (profiles[0],))
    return Ground(
        seed=seed,
        title=file.stem,
        attribution="; ".join(
            each for each in (f"Invented orders and riders, seed {seed}", network.attribution) if each
        ),
        centre=centre,
        x=x[inside],
        y=y[inside],
        way_m=lambda corners: travel.metres(handles[corners], handles, 0)[0],
        profiles=(profiles[0], profiles[min(1, len(profiles) - 1)]),
        travel=RoadsSpec(str(file), {profile: profile for profile in sorted(profiles[:2])}, weather=weather),
        has_rows=False,
    )


def _for_everyone(network: RoadNetwork) -> NDArray[np.int64]:
    """Nodes on streets that every profile may use."""
    streets = network.streets
    shared = (streets.drive_ms >= 0).any(axis=1).all(axis=0)
    return np.unique(np.concatenate([streets.tail[shared], streets.head[shared]])).astype(np.int64)


def _densest(latlng: NDArray[np.float64]) -> LatLng:
    """The middle of the nodes in the three by three squares, of about a kilometre each, that hold most of them."""
    if not len(latlng):
        return LatLng(lat=0.0, lng=0.0)
    stretch = max(0.05, math.cos(math.radians(float(latlng[:, 0].mean()))))
    cell = np.floor((latlng - latlng.min(axis=0)) * [100.0, 100.0 * stretch]).astype(np.int64) + 1
    count = np.zeros(cell.max(axis=0) + 2, dtype=np.int64)
    np.add.at(count, (cell[:, 0], cell[:, 1]), 1)
    nine = sum(np.roll(count, (down, right), axis=(0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1))
    best = np.array(np.unravel_index(int(np.argmax(nine)), count.shape))
    inside = latlng[(np.abs(cell - best) <= 1).all(axis=1)]
    lat, lng = inside.mean(axis=0).round(5).tolist()
    return LatLng(lat=lat, lng=lng)


def streets_of(plan: CityPlan) -> RoadNetwork:
    """The invented city as a road network: the streets and speeds that its travel matrix is made from."""
    from routing.roads import RoadNetwork
    from routing.roads.source.profiles import read_tables

    half = slice(0, len(plan.tail) // 2)
    drive_ms = {}
    for profile, speeds in SPEED_M_PER_MIN.items():
        pace = np.array(speeds, dtype=np.float64)[plan.road_class[half]]
        ms = np.rint(plan.length_m[half] * 60_000 / pace).astype(np.int64)
        drive_ms[profile] = (ms, ms)
    network = RoadNetwork.from_arrays(
        plan.lat, plan.lng, plan.tail[half], plan.head[half], plan.length_m[half].astype(np.float64),
        road_class=[OSM_CLASSES[number] for number in plan.road_class[half].tolist()],
        travel_ms=drive_ms,
        attribution=f"Invented city, seed {plan.seed}",
    )  # fmt: skip
    network.notes["weather"] = read_tables()["weather"]
    return network
