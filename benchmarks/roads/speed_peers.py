"""A city to measure on, and the peers beside us."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Sample
from benchmarks.roads.exact import trip_nodes
from routing.roads import EdgeFactors, RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.hierarchy.metric import NO_WAY_MS, MetricWork

CENTRE = (41.15, -8.61)
"""The middle of Porto."""


ZONE_KM, CITY_KM = 6.0, 20.0


PROFILES = ("foot", "bike", "scooter", "car")


@dataclass(frozen=True)
class SpeedRow:
    """One row of the table: our case, the peer's, and how many times faster ours must be and should be."""

    name: str
    ours: Callable[[], Sample]
    peer: Callable[[], Sample] | None
    floor: float
    aim: float


class Peer:
    """pyroutingkit on the crossings of a network, without turns: they are all that it can take."""

    def __init__(self, network: RoadNetwork) -> None:
        import pyroutingkit

        csr, latlng = network.as_csr("car")
        tail = np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr))
        topology = pyroutingkit.CCHTopology()
        topology.build(
            tail.astype(np.uint32), csr.indices.astype(np.uint32),
            latlng[:, 0].astype(np.float32), latlng[:, 1].astype(np.float32), csr.shape[0],
        )  # fmt: skip
        self.none = pyroutingkit.INF_WEIGHT
        self.metric = pyroutingkit.CCHMetric(topology)
        self.customise(csr.data.astype(np.uint32))

    def customise(self, ms: NDArray[np.uint32]) -> None:
        """Take new weights."""
        self.metric.customize(ms)

    def table(self, origins: NDArray[np.int64], destinations: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Milliseconds between nodes."""
        found = self.metric.distances_many_to_many(origins.astype(np.uint32), destinations.astype(np.uint32))
        return np.asarray(found)


class BenchmarkCity:
    """Porto by car: the network, the peer, and seeded points in the inner city and city-wide."""

    def __init__(self, data: Path) -> None:
        self.network = RoadNetwork.from_osm(data / "porto.osm.pbf", profiles=("car",))
        self.crossings = RoadNetwork(self.network.streets)
        self.peer = Peer(self.crossings)
        # Two states of traffic that differ on every road, to go back and forth between.
        rng = np.random.default_rng(7)
        self.traffic = [EdgeFactors(rng.uniform(0.4, 1.2, self.network.streets.edges)) for _ in range(2)]
        self.peer_weights = []
        for state in self.traffic:
            self.crossings.update_speeds([state])
            self.peer_weights.append(self.crossings.as_csr("car")[0].data.astype(np.uint32))
        self.crossings.update_speeds([])

    def nodes(self, count: int, radius_km: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where trips may end within a radius of the centre, drawn with a seed: (our nodes, the peer's)."""
        streets, ends = self.network.streets, trip_nodes(self.network, "car")[1]
        graph = self.network.graph("car")
        offset = (graph.latlng[ends] - CENTRE) * np.array([111.195, 111.195 * np.cos(np.radians(CENTRE[0]))])
        inside = ends[np.sqrt((offset**2).sum(axis=1)) < radius_km]
        drawn = np.random.default_rng(seed).choice(inside, count)
        code = graph.turns.code[drawn] if isinstance(graph, TurnGraph) else drawn
        return drawn, np.where(code & 1, streets.head[code >> 1], streets.tail[code >> 1]).astype(np.int64)

    def table_row(self, name: str, n: int, m: int, radius_km: float, floor: float, aim: float) -> SpeedRow:
        """Weights unchanged: a table of n x m against pyroutingkit."""
        (origins, from_), (destinations, to) = self.nodes(n, radius_km, 1), self.nodes(m, radius_km, 2)

        def ours() -> Sample:
            work = MetricWork()
            self.network.travel_ms(origins, destinations, profile="car", work=work)
            return Sample({"sums": work.sums}, amount=n * m)

        def peer() -> Sample:
            return Sample(amount=self.peer.table(from_, to).size)

        self._compare(origins, destinations)
        ours()  # labels above these nodes are kept between rounds
        return SpeedRow(name, ours, peer, floor, aim)

    def traffic_row(self, name: str, radius_km: float, floor: float, aim: float) -> SpeedRow:
        """A round of 500 riders and 1,000 stops, with new traffic on every road before it."""
        (origins, from_), (destinations, to) = self.nodes(1500, radius_km, 3), self.nodes(1000, radius_km, 4)
        turn = {"ours": 0, "peer": 0}

        def ours() -> Sample:
            turn["ours"] ^= 1
            self.network.update_speeds([self.traffic[turn["ours"]]])
            work = MetricWork()
            self.network.travel_ms(origins, destinations, profile="car", work=work)
            return Sample({"labels": work.labels, "sums": work.sums}, amount=1_500_000)

        def peer() -> Sample:
            turn["peer"] ^= 1
            self.peer.customise(self.peer_weights[turn["peer"]])
            return Sample(amount=self.peer.table(from_, to).size)

        ours(), peer()
        self._compare(origins, destinations)
        return SpeedRow(name, ours, peer, floor, aim)

    def scipy_row(self) -> SpeedRow:
        """500 x 500 against Dijkstra in scipy."""
        from scipy.sparse.csgraph import dijkstra

        (origins, _), (destinations, _) = self.nodes(500, ZONE_KM, 5), self.nodes(500, ZONE_KM, 6)
        csr, _ = self.network.as_csr("car")

        def ours() -> Sample:
            self.network.travel_ms(origins, destinations, profile="car")
            return Sample(amount=250_000)

        def peer() -> Sample:
            found = dijkstra(csr, indices=origins)[:, destinations]
            return Sample(amount=found.size)

        ours()
        return SpeedRow("500 x 500 inner city against scipy", ours, peer, 200.0, 500.0)

    def _compare(self, origins: NDArray[np.int64], destinations: NDArray[np.int64]) -> None:
        """Ours equal Dijkstra's with turns."""
        from scipy.sparse.csgraph import dijkstra

        some, others = origins[:20], destinations[:200]
        mine = self.network.travel_ms(some, others, profile="car").astype(np.float64)
        found = dijkstra(self.network.as_csr("car")[0], indices=some)[:, others]
        np.testing.assert_array_equal(mine, np.where(np.isinf(found), NO_WAY_MS, found))
