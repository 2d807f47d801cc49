"""Addresses of map files: do places stop at their own street, by coordinates alone and with the name given?

    python -m benchmarks.roads.addresses [--files heidelberg.osm.pbf,...] [--out benchmarks/results]

Nodes and centres of ways with `addr:street`, in files with at least 200 whose own street is open to cars and lies
within 100 m; the others are counted apart.  A place is wrong where it stops at another street with a name.  Beside it
stands the nearest street that is open to cars, found by raw tags and straight lines, of any kind: nothing is shared
with the import.  Exit status 1 where a file is above its floor.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import public_data
from benchmarks.published import publish
from benchmarks.roads.raw import law
from routing.cells import METRES_PER_DEGREE
from routing.roads import RoadNetwork

LEAST, NEAR_M = 200, 100.0
NAMED_FLOOR, NAMED_AIM, ALONE_AIM = 0.01, 0.005, 0.8
"""Shares wrong with the name given; by coordinates alone the floor is the nearest street's, the aim a share of that."""


@dataclass
class Addressed:
    """Addresses of a map (`at`: (lat, lng); `street`), and its streets that are open to cars: lines and names."""

    at: list[tuple[float, float]] = field(default_factory=list)
    street: list[str] = field(default_factory=list)
    lines: list[NDArray[np.float64]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def read_addresses(path: Path) -> Addressed:
    """What a file says of addresses and streets."""
    import osmium

    found, table = Addressed(), law.table_of("car")
    wanted = osmium.filter.KeyFilter("highway", "addr:street")
    for item in osmium.FileProcessor(str(path)).with_locations().with_filter(wanted):
        tags = dict(item.tags)
        if item.is_node() and "addr:street" in tags:
            _add(found, tags["addr:street"], [(item.lat, item.lon)])
        elif item.is_way():
            line = [(node.lat, node.lon) for node in item.nodes if node.location.valid()]
            if "addr:street" in tags and line:
                closed = len(line) > 1 and line[0] == line[-1]
                _add(found, tags["addr:street"], line[:-1] if closed else line)
            open_ = "highway" in tags and any(law.drive(tags, side, table)[0] for side in (":forward", ":backward"))
            if open_ and len(line) > 1:
                found.lines.append(np.array(line))
                found.names.append(plain(tags.get("name") or tags.get("ref") or ""))
    return found


def _add(found: Addressed, street: str, corners: Sequence[tuple[float, float]]) -> None:
    found.at.append(tuple(np.mean(corners, axis=0).tolist()))
    found.street.append(street)


def plain(name: str) -> str:
    """A street's name without the differences that mean nothing."""
    return " ".join(name.casefold().split())


def of_file(path: Path) -> dict[str, Any] | None:
    """Shares of a file's addresses that stop at another named street; None where there are too few."""
    import shapely

    found = read_addresses(path)
    if len(found.at) < LEAST:
        return None
    points = np.array(found.at)
    # Degrees to metres on a plane that is true in the middle of the file.
    scale = METRES_PER_DEGREE * np.array([1.0, np.cos(np.radians(points[:, 0].mean()))])
    lines = [shapely.LineString(each * scale) for each in found.lines]
    own = [plain(name) for name in found.street]
    places = shapely.points(points * scale)
    near = _own_m(places, own, lines, found.names) <= NEAR_M
    if near.sum() < LEAST:
        return None
    nearest = shapely.STRtree(lines).query_nearest(places[near], all_matches=False)[1]
    wanted = [name for name, kept in zip(own, near.tolist(), strict=True) if kept]
    baseline = _wrong([found.names[k] for k in nearest.tolist()], wanted)
    city = RoadNetwork.from_osm(path, profiles=("car",))
    given = [name for name, kept in zip(found.street, near.tolist(), strict=True) if kept]
    alone, named = (_wrong(_stopped(city, points[near], names), wanted) for names in (None, given))
    return {
        "addresses": len(wanted),
        "counted_apart": round(1 - len(wanted) / len(own), 4),
        "nearest_street": round(baseline, 4),
        "alone": round(alone, 4),
        "named": round(named, 4),
        "reached": _reached(alone, named, baseline),
    }


def _own_m(places: Any, own: Sequence[str], lines: Sequence[Any], names: Sequence[str]) -> NDArray[np.float64]:
    """Metres from every place to its own street, inf where no open street has its name."""
    import shapely

    by_name: dict[str, list[Any]] = defaultdict(list)
    for line, name in zip(lines, names, strict=True):
        by_name[name].append(line)
    metres = np.full(len(own), np.inf)
    of: dict[str, list[int]] = defaultdict(list)
    for k, name in enumerate(own):
        of[name].append(k)
    for name, mine in of.items():
        if name in by_name:
            metres[mine] = shapely.distance(places[mine], shapely.MultiLineString(by_name[name]))
    return metres


def _stopped(city: RoadNetwork, points: NDArray[np.float64], names: Sequence[str] | None) -> list[str]:
    """The street at which every place stops first."""
    stops = city.stops(points, profile="car", max_snap_m=2000.0, names=names)
    return [plain(city.streets.names[k]) for k in city.streets.name[stops.edge[:, 0]].tolist()]


def _wrong(streets: Sequence[str], wanted: Sequence[str]) -> float:
    """The share of places at another street with a name."""
    return float(np.mean([bool(name) and name != own for name, own in zip(streets, wanted, strict=True)]))


def _reached(alone: float, named: float, nearest: float) -> str:
    if alone <= ALONE_AIM * nearest and named <= NAMED_AIM:
        return "aim"
    return "floor" if alone <= nearest and named <= NAMED_FLOOR else "missed"


def written(name: str, row: Mapping[str, Any]) -> str:
    """One line for people."""
    return (
        f"{name:24} {row['addresses']:>6,} addresses ({row['counted_apart']:.1%} counted apart): at another named "
        f"street {row['alone']:.1%} by coordinates alone (nearest street {row['nearest_street']:.1%}), "
        f"{row['named']:.1%} with the name given ({row['reached']})"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Count every file and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.addresses", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", default="", help="names of map files among the data; default all")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    block: dict[str, Any] = {}
    lines = []
    for file in public_data.maps(chosen.files):
        row = of_file(file)
        if row is None:
            continue
        block[file.name] = row
        lines.append(written(file.name, row))
        print(lines[-1], flush=True)
    if chosen.out:
        publish(chosen.out, "roads-addresses", block, lines)
    return 1 if any(row["reached"] == "missed" for row in block.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
