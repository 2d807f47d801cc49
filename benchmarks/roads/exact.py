"""Street travel times compared with scipy's Dijkstra, to the millisecond, on every city among the data.

    python -m benchmarks.roads.exact [--side 1000] [--cities porto,moscow] [--out benchmarks/results]

side x side pairs of each city, by car and on foot, without traffic and with a factor of its own for every edge.  Exit
status 1 where a single pair differs.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import public_data
from benchmarks.published import publish
from routing.cells import METRES_PER_DEGREE
from routing.roads import EdgeFactors, RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import NO_WAY_MS

CITIES = ("porto", "heidelberg", "baltimore", "helsinki_centre", "moscow")
MANY = 1000
"""A million pairs."""
AT_ONCE = 100
"""Sources that Dijkstra is asked for at a time."""


def city(name: str, folder: Path) -> RoadNetwork:
    """The network of a data file, by car, and on foot where there are tags to tell."""
    if name != "moscow":
        return RoadNetwork.from_osm(folder / f"{name}.osm.pbf", profiles=("car", "foot"))
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


def comparisons(network: RoadNetwork, side: int, seed: int) -> Iterator[dict[str, Any]]:
    """Each profile without traffic and with it: pairs compared, pairs that differ, share that has a way."""
    rng = np.random.default_rng(seed)
    for profile in network.profiles:
        begins, ends = trip_nodes(network, profile)
        for factors in (None, rng.uniform(0.3, 1.5, network.streets.edges)):
            network.update_speeds([] if factors is None else [EdgeFactors(factors)])
            origins, destinations = rng.choice(begins, side), rng.choice(ends, side)
            differ, with_way = _compared(network, profile, origins, destinations)
            yield {
                "profile": profile,
                "traffic": factors is not None,
                "pairs": side * side,
                "differ": differ,
                "with_way": round(with_way, 4),
            }
    network.update_speeds([])


def _compared(
    network: RoadNetwork, profile: str, origins: NDArray[np.int64], destinations: NDArray[np.int64]
) -> tuple[int, float]:
    from scipy.sparse.csgraph import dijkstra

    got = network.travel_ms(origins, destinations, profile=profile)
    csr, _ = network.as_csr(profile)
    differ = 0
    for at in range(0, len(origins), AT_ONCE):
        part = slice(at, at + AT_ONCE)
        found = dijkstra(csr, indices=origins[part])[:, destinations]
        wanted = np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64)
        differ += int((got[part] != wanted).sum())
    return differ, float((got < NO_WAY_MS).mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare every city and write down what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.roads.exact", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=MANY, help="origins and destinations of a comparison")
    parser.add_argument("--cities", default=",".join(CITIES))
    parser.add_argument("--out", type=Path, help="folder for the result, as JSON and as text")
    chosen = parser.parse_args(arguments)
    folder = public_data.require("osm")
    block: dict[str, Any] = {}
    lines, differ = [], 0
    for name in chosen.cities.split(","):
        wall, cpu = time.perf_counter(), time.process_time()
        network = city(name, folder)
        rows = list(comparisons(network, chosen.side, 2))
        took = f"{time.perf_counter() - wall:.0f} s wall, {time.process_time() - cpu:.0f} s CPU"
        block[name] = {"nodes": network.streets.nodes, "edges": network.streets.edges, "comparisons": rows}
        for row in rows:
            differ += row["differ"]
            lines.append(
                f"{name:16} {row['profile']:5} {'traffic on every edge' if row['traffic'] else 'no traffic':22}"
                f"{row['pairs']:>10,} pairs {row['differ']:>3} differ, {row['with_way']:.1%} have a way"
            )
            print(lines[-1], flush=True)
        print(f"{name}: {took}", file=sys.stderr, flush=True)
    if chosen.out:
        publish(chosen.out, "roads-exact", block, lines)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
