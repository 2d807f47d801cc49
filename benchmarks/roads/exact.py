"""Street travel times compared with scipy's Dijkstra, to the millisecond, on every city among the data.

    python -m benchmarks.roads.exact [--origins 200] [--destinations 2000] [--cities porto,moscow] [--keep FILE]
                                     [--out benchmarks/results]

origins x destinations pairs of each city, by car and on foot, without traffic and with a factor of its own for every
edge: ten million pairs in all.  With --keep a run that was stopped goes on where it stopped.  Exit status 1 where a
single pair differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import public_data
from benchmarks.published import publish
from benchmarks.resumable import Kept
from routing.cells import METRES_PER_DEGREE
from routing.roads import EdgeFactors, RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import NO_WAY_MS

CITIES = ("porto", "heidelberg", "baltimore", "helsinki_centre", "monaco", "north-bayreuth", "moscow")
PROFILES = ("car", "foot")
ORIGINS, DESTINATIONS = 200, 2000
AT_ONCE = 50
"""Sources that Dijkstra is asked for at a time, and that are kept together."""
DECIDING = ("routing", "benchmarks/roads/exact.py")
SEED = 2


def city(name: str, folder: Path) -> RoadNetwork:
    """The network of a data file, by car, and on foot where there are tags to tell."""
    if name != "moscow":
        return RoadNetwork.from_osm(next(folder.glob(f"{name}.osm.*")), profiles=PROFILES)
    with np.load(folder / "moscow_topology.npz") as given:
        x, y = given["xy_m"].astype(np.float64).T
        tail, head, length_m = given["tail"], given["head"], given["length_m"]
    # No tags and no place on the globe: 30 km/h everywhere, laid around the real city's latitude.
    lat = 55.75 + y / METRES_PER_DEGREE
    lng = 37.62 + x / (METRES_PER_DEGREE * np.cos(np.radians(55.75)))
    ms = np.rint(length_m * 120.0).astype(np.int64)
    shut = np.full(len(ms), -1)
    return RoadNetwork.from_arrays(
        lat, lng, tail, head, length_m, travel_ms={"car": (ms, shut)}, largest_component=False
    )


def trip_nodes(network: RoadNetwork, profile: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes of a profile's graph where trips may begin, and where they may end."""
    graph = network.graph(profile)
    if isinstance(graph, TurnGraph):
        main = graph.turns.island == 0
        begins, ends = (np.unique(at[:, main]) for at in (graph.turns.begins, graph.turns.ends))
        return begins[begins >= 0], ends[ends >= 0]
    streets = network.streets
    open_ = (streets.drive_ms[network.profiles.index(profile)] >= 0).any(axis=0)
    used = np.unique([streets.tail[open_], streets.head[open_]])
    return used, used


class Compared(NamedTuple):
    """Pairs compared in one go: those that differ, and those that have a way."""

    pairs: int
    differ: int
    with_way: int


class Comparison:
    """One profile of a city, with traffic on every edge or without any."""

    def __init__(self, network: RoadNetwork, profile: str, traffic: bool, shape: tuple[int, int]) -> None:
        self._network, self._profile, self._traffic = network, profile, traffic
        rng = np.random.default_rng([SEED, *profile.encode(), traffic])
        begins, ends = trip_nodes(network, profile)
        self._origins, self._destinations = rng.choice(begins, shape[0]), rng.choice(ends, shape[1])
        self._factors = rng.uniform(0.3, 1.5, network.streets.edges)
        self._graph: Any = None

    def part(self, at: int) -> Compared:
        """The origins from number `at` on, AT_ONCE of them."""
        from scipy.sparse.csgraph import dijkstra

        if self._graph is None:
            self._network.update_speeds([EdgeFactors(self._factors)] if self._traffic else [])
            self._graph, _ = self._network.as_csr(self._profile)
        origins = self._origins[at : at + AT_ONCE]
        got = self._network.travel_ms(origins, self._destinations, profile=self._profile)
        found = dijkstra(self._graph, indices=origins)[:, self._destinations]
        wanted = np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64)
        return Compared(got.size, int((got != wanted).sum()), int((got < NO_WAY_MS).sum()))


def comparisons(
    name: str, network: RoadNetwork, shape: tuple[int, int], kept: Kept | None = None
) -> Iterator[dict[str, Any]]:
    """Each profile without traffic and with it: pairs compared, pairs that differ, share that has a way.

    `shape`: origins and destinations; `kept`: where parts that are done are found and written.
    """
    for profile in network.profiles:
        for traffic in (False, True):
            comparison = Comparison(network, profile, traffic, shape)
            parts = []
            for at in range(0, shape[0], AT_ONCE):
                key = (f"{profile} {traffic} {shape[0]}x{shape[1]}", name, at)
                known = kept.get(key) if kept is not None else None
                part = Compared(*known["found"]) if known is not None else comparison.part(at)
                if kept is not None and known is None:
                    kept.add({"row": key[0], "instance": name, "seed": at, "found": part})
                parts.append(part)
            pairs, differ, with_way = (sum(column) for column in zip(*parts, strict=True))
            yield {
                "profile": profile,
                "traffic": traffic,
                "pairs": pairs,
                "differ": differ,
                "with_way": round(with_way / pairs, 4),
            }
    network.update_speeds([])


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare every city and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.exact", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--origins", type=int, default=ORIGINS, help="of every comparison")
    parser.add_argument("--destinations", type=int, default=DESTINATIONS, help="of every comparison")
    parser.add_argument("--cities", default=",".join(CITIES))
    parser.add_argument("--keep", type=Path, help="a file of what is done, to go on from")
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    folder = public_data.require("osm")
    kept = Kept(chosen.keep, DECIDING) if chosen.keep else None
    block: dict[str, Any] = {}
    lines, pairs, differ = [], 0, 0
    for name in chosen.cities.split(","):
        network = city(name, folder)
        rows = list(comparisons(name, network, (chosen.origins, chosen.destinations), kept))
        block[name] = {"nodes": network.streets.nodes, "edges": network.streets.edges, "comparisons": rows}
        for row in rows:
            pairs, differ = pairs + row["pairs"], differ + row["differ"]
            lines.append(
                f"{name:16} {row['profile']:5} {'traffic on every edge' if row['traffic'] else 'no traffic':22}"
                f"{row['pairs']:>10,} pairs {row['differ']:>3} differ, {row['with_way']:.1%} have a way"
            )
            print(lines[-1], flush=True)
    lines.append(f"{pairs:,} pairs, {differ} differ")
    print(lines[-1], flush=True)
    if chosen.out:
        publish(chosen.out, "roads-exact", block | {"pairs": pairs, "differ": differ}, lines)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
