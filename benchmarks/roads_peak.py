"""A lunch peak on real streets: an invented day in a real city, written as a scenario folder.

    python -m benchmarks.roads_peak --data DIR --city porto --out porto-peak
    halfhour replay porto-peak

DIR holds the OpenStreetMap extracts (docs/benchmarks.md).  The folder holds the city file too, once as the engine
believes it and once in the rain, on which the simulated riders really drive.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads import RoadNetwork
from routing.roads.maps import streets_map

CENTRES = {"porto": (41.1496, -8.6109), "heidelberg": (49.4094, 8.6942)}
RADIUS_M = 3000.0
PROFILES = ("bike", "scooter")
NOON_S = 12 * 3600
ATTRIBUTION = "Invented orders and riders; streets © OpenStreetMap contributors, ODbL"


def write_peak(
    network: RoadNetwork, centre: tuple[float, float], folder: Path, *, orders: int, riders: int, stores: int, seed: int
) -> None:
    """Write a day from 11 to 14 o'clock around `centre`: stores in clusters, doors on streets, orders in a peak."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    doors = _doors(network, centre)
    network.save(folder / "city.npz")
    network.save(folder / "truth.npz", weather="rain")
    near = doors[np.argsort(_metres(doors, centre), kind="stable")]
    shops = near[rng.choice(max(stores, len(near) // 4), stores, replace=False)]
    _table(
        folder / "stores.csv", ("store_id", "lat", "lng", "enter_s", "exit_s"),
        ((f"s{k + 1:02}", *_round(shop), 45, 20) for k, shop in enumerate(shops)),
    )  # fmt: skip
    _table(
        folder / "riders.csv",
        ("rider_id", "lat", "lng", "profile", "start_at", "last_pickup_at", "end_at"),
        (
            (
                f"r{k + 1:03}",
                *_round(doors[rng.integers(len(doors))]),
                PROFILES[k % 2],
                "11:00:00",
                "14:25:00",
                "14:55:00",
            )
            for k in range(riders)
        ),
    )
    placed = np.sort(np.clip(rng.normal(NOON_S + 1800, 2400, orders), NOON_S - 3000, NOON_S + 6600).astype(int))
    lines = []
    for k, at in enumerate(placed.tolist()):
        shop = int(rng.integers(stores))
        within = np.flatnonzero(_metres(doors, tuple(shops[shop])) < RADIUS_M)
        ready = at + int(rng.integers(360, 900))
        lines.append(
            (f"o{k + 1:04}", f"s{shop + 1:02}", *_round(doors[rng.choice(within)]), _clock(at), _clock(ready), 60, 30)
        )
    columns = ("order_id", "store_id", "lat", "lng", "placed_at", "ready_at", "enter_s", "exit_s")
    _table(folder / "orders.csv", columns, lines)
    (folder / "scenario.toml").write_text(_settings(folder.name), encoding="utf-8")
    south_west, north_east = doors.min(axis=0), doors.max(axis=0)
    drawn = streets_map(network, south_west=tuple(south_west), north_east=tuple(north_east))
    (folder / "map.geojson").write_text(json.dumps(drawn, separators=(",", ":")), encoding="utf-8")


def _doors(network: RoadNetwork, centre: tuple[float, float]) -> NDArray[np.float64]:
    """Nodes near the centre on streets that every profile may use."""
    streets = network.streets
    shared = (streets.drive_ms >= 0).any(axis=1).all(axis=0)
    nodes = np.unique(np.concatenate([streets.tail[shared], streets.head[shared]]))
    doors = network.latlng[nodes]
    return doors[_metres(doors, centre) < RADIUS_M]


def _metres(points: NDArray[np.float64], centre: Sequence[float]) -> NDArray[np.float64]:
    offset = (points - np.asarray(centre)) * np.array([111_195.0, 111_195.0 * np.cos(np.radians(centre[0]))])
    return np.asarray(np.sqrt((offset**2).sum(axis=1)))


def _round(point: NDArray[np.float64]) -> tuple[float, float]:
    return round(float(point[0]), 6), round(float(point[1]), 6)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _table(path: Path, columns: Sequence[str], lines: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(lines)


def _settings(name: str) -> str:
    return f"""format = 1
name = "{name}"
attribution = "{ATTRIBUTION}"
frame = "wgs84"
day = 2026-03-03
time_zone = "UTC"

[settings]
"rules.round_s" = 30
"rules.round_mode" = "beat"

[travel]
kind = "roads"
file = "city.npz"
profiles = {{ bike = "bike", scooter = "scooter" }}

[truth.travel]
kind = "roads"
file = "truth.npz"
profiles = {{ bike = "bike", scooter = "scooter" }}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the scenario folder."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads_peak", description="A lunch peak on real streets.")
    parser.add_argument("--data", type=Path, required=True, help="folder with the OpenStreetMap extracts")
    parser.add_argument("--city", choices=sorted(CENTRES), default="porto")
    parser.add_argument("--out", type=Path, required=True, help="scenario folder to write")
    parser.add_argument("--orders", type=int, default=600)
    parser.add_argument("--riders", type=int, default=80)
    parser.add_argument("--stores", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    network = RoadNetwork.from_osm(chosen.data / f"{chosen.city}.osm.pbf", profiles=PROFILES)
    sizes = {"orders": chosen.orders, "riders": chosen.riders, "stores": chosen.stores, "seed": chosen.seed}
    write_peak(network, CENTRES[chosen.city], chosen.out, **sizes)
    print(f"{chosen.out}: {chosen.orders} orders, {chosen.riders} riders in {chosen.city}")


if __name__ == "__main__":
    main()
