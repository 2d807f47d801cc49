"""Small random street graphs, nasty ones included, for hypothesis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from routing.roads import RoadNetwork
from tests.kit.roads import naive


@dataclass(frozen=True)
class Graph:
    """Nodes with coordinates, and edges with milliseconds along and against (-1 closed)."""

    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    tail: list[int]
    head: list[int]
    along: list[int]
    against: list[int]

    @property
    def nodes(self) -> int:
        return len(self.lat)

    def network(self) -> RoadNetwork:
        """The graph as a network of one profile, nothing dropped; lengths are twice the milliseconds in centimetres."""
        length = [max(a, b, 0) / 50 for a, b in zip(self.along, self.against, strict=True)]
        return RoadNetwork.from_arrays(
            self.lat,
            self.lng,
            self.tail,
            self.head,
            length,
            travel_ms={"car": (self.along, self.against)},
            largest_component=False,
        )

    def oracle(self) -> list[list[float]]:
        """Milliseconds between all nodes, by Dijkstra in plain Python."""
        arcs = naive.arcs_of(self.tail, self.head, self.along, self.against)
        return [naive.dijkstra(self.nodes, arcs, source) for source in range(self.nodes)]


@st.composite
def graphs(draw: st.DrawFn, max_nodes: int = 14) -> Graph:
    """Disconnected, one-way, zero-length, parallel edges, loops, a single node: all of it turns up."""
    nodes = draw(st.integers(1, max_nodes))
    node = st.integers(0, nodes - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=3 * nodes))
    ms = st.one_of(st.integers(-1, 4), st.integers(0, 100_000))
    place = st.integers(0, 6)
    return Graph(
        np.array([41.0 + draw(place) * 1e-3 for _ in range(nodes)]),
        np.array([-8.0 + draw(place) * 1e-3 for _ in range(nodes)]),
        [a for a, _ in edges],
        [b for _, b in edges],
        [draw(ms) for _ in edges],
        [draw(ms) for _ in edges],
    )


def random_city(seed: int, side: int = 12) -> Graph:
    """A grid of streets with holes, one-ways and some long diagonals."""
    rng = np.random.default_rng(seed)
    lat, lng = np.divmod(np.arange(side * side), side)
    tail, head = [], []
    for node in range(side * side):
        for step in (1, side):
            other = node + step
            if other < side * side and (step != 1 or other % side) and rng.random() > 0.12:
                tail.append(node)
                head.append(other)
    for _ in range(side):
        a, b = rng.integers(0, side * side, 2).tolist()
        tail.append(a)
        head.append(b)
    along = rng.integers(0, 60_000, len(tail))
    against = np.where(rng.random(len(tail)) < 0.25, -1, rng.integers(0, 60_000, len(tail)))
    return Graph(41 + lat * 1e-3, -8 + lng * 1e-3, tail, head, along.tolist(), against.tolist())
