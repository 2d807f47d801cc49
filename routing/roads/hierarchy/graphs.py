"""The graph that a profile's times are computed on: the streets' own crossings, or the turn-aware graph of a map.

Both answer the same questions: what hierarchy, what weights, which nodes a spot on an edge leaves by and arrives from.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.hierarchy import Hierarchy, build_hierarchy
from routing.roads.hierarchy.metric import FAR_MS, FAR_PAIR, PAIR_SHIFT, Metric
from routing.roads.hierarchy.order import adjacency, by_flow, by_metis
from routing.roads.hierarchy.turn_hierarchy import TurnHierarchy, build_turn_hierarchy
from routing.roads.streets import SHUT, Streets, arcs_of
from routing.roads.turns.turns import Turns


class Arcs(NamedTuple):
    """Outgoing arcs of every node: `start` int64[n + 1], `head` int32[a], `number` int32[a]: the arc's own index."""

    start: NDArray[np.int64]
    head: NDArray[np.int32]
    number: NDArray[np.int32]


def edge_pairs(ms: NDArray[np.int32], length_cm: NDArray[np.int32]) -> NDArray[np.int64]:
    """Milliseconds above 31 bits of centimetres, FAR_PAIR where the milliseconds are FAR_MS."""
    pairs: NDArray[np.int64] = (ms.astype(np.int64) << PAIR_SHIFT) + length_cm
    pairs[ms == FAR_MS] = FAR_PAIR
    return pairs


class CrossingGraph:
    """Crossings as nodes, edges as arcs: turns cost nothing.  For streets that say nothing of turns."""

    turn_aware = False
    parts_beside = 0

    def __init__(self, streets: Streets, hierarchy: Hierarchy | None = None) -> None:
        self._streets = streets
        self.hierarchy = hierarchy or build_hierarchy(streets.lat, streets.lng, streets.tail, streets.head)

    def codes_along(self, begin: int, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """2 * edge + direction of every edge driven whole on the way from a node along arcs of these numbers.

        Of stretches, the last one is where the way ends.
        """
        return numbers

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self._streets.nodes

    @property
    def latlng(self) -> NDArray[np.float64]:
        """(lat, lng) of every node, float64[n, 2]."""
        return np.stack([self._streets.lat, self._streets.lng], axis=1)

    @functools.cached_property
    def arcs(self) -> Arcs:
        """Outgoing arcs of every node."""
        return Arcs(*arcs_of(self._streets, (self._streets.drive_ms != SHUT).any(axis=0)))

    def metric(
        self, ms: NDArray[np.int32], length_cm: NDArray[np.int32] | None, at: frozenset[str], closed: NDArray[np.bool_]
    ) -> Metric:
        """A metric for weights of edges, int32[2, e]; of pairs where lengths are given."""
        ms = np.where(closed, FAR_MS, ms)
        both = ms if length_cm is None else edge_pairs(ms, length_cm)
        return Metric(self.hierarchy, both[0], both[1])

    def weights(
        self, ms: NDArray[np.int32], at: frozenset[str], length_cm: NDArray[np.int32] | None, closed: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Weight of every arc, by its number; `at`: the conditions that hold; `closed`: what must not be entered."""
        ms = np.where(closed, FAR_MS, ms)
        both = ms if length_cm is None else edge_pairs(ms, length_cm)
        return np.ascontiguousarray(both.T).ravel()

    def digested(self) -> tuple[NDArray[Any], ...]:
        """What times depend on besides streets and traffic."""
        return ()

    def sources(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(tail, head) node of every arc, by its number."""
        s = self._streets
        return np.stack([s.tail, s.head], axis=1).ravel(), np.stack([s.head, s.tail], axis=1).ravel()

    def nodes_of(self, edge: NDArray[np.int32], *, arriving: bool) -> NDArray[np.int32]:
        """The two nodes by which spots on edges are left or arrived at, int32[k, 2], -1 for none."""
        return np.stack([self._streets.tail[edge], self._streets.head[edge]], axis=1)


class TurnGraph:
    """Stretches as nodes, turns as arcs: see `routing.roads.turns.turns`."""

    turn_aware = True

    @property
    def parts_beside(self) -> int:
        """Number of parts of the network that the main one cannot reach and come back from."""
        return max(0, int(self.turns.island.max(initial=-1)))

    def __init__(self, streets: Streets, turns: Turns, hierarchy: TurnHierarchy) -> None:
        self._streets = streets
        self.turns = turns
        self.hierarchy = hierarchy

    def codes_along(self, begin: int, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """2 * edge + direction of every edge driven whole on the way from a node along arcs of these numbers.

        Of stretches, the last one is where the way ends.
        """
        codes: NDArray[np.int32] = self.turns.code[np.concatenate([[begin], self.turns.target[numbers]])]
        return codes

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return self.turns.nodes

    @property
    def latlng(self) -> NDArray[np.float64]:
        """(lat, lng) of every node, float64[n, 2]."""
        s, code = self._streets, self.turns.code
        node = np.where(code & 1, s.head[code >> 1], s.tail[code >> 1])
        return np.stack([s.lat[node], s.lng[node]], axis=1)

    @functools.cached_property
    def arcs(self) -> Arcs:
        """Outgoing arcs of every node."""
        order = np.lexsort((self.turns.target, self.turns.source))
        start = np.zeros(self.nodes + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.turns.source, minlength=self.nodes), out=start[1:])
        return Arcs(start, self.turns.target[order], order.astype(np.int32))

    def metric(
        self, ms: NDArray[np.int32], length_cm: NDArray[np.int32] | None, at: frozenset[str], closed: NDArray[np.bool_]
    ) -> Metric:
        """A metric for weights of edges, int32[2, e]; of pairs where lengths are given."""
        return Metric(self.hierarchy, self.weights(ms, at, length_cm, closed))

    def weights(
        self, ms: NDArray[np.int32], at: frozenset[str], length_cm: NDArray[np.int32] | None, closed: NDArray[np.bool_]
    ) -> NDArray[Any]:
        """Weight of every arc, by its number; `at`: the conditions that hold; `closed`: what must not be entered."""
        turns = self.turns
        code = turns.code[turns.source]
        drive = np.ascontiguousarray(ms.T).ravel()[code]
        weight = np.where(drive == FAR_MS, FAR_MS, drive + turns.ms).astype(np.int32)
        if len(turns.conditional):
            holds = np.array([condition in at for condition in turns.conditions])
            turn, condition, unless = turns.conditional.T
            weight[turn[holds[condition] != (unless == 1)]] = FAR_MS
        if closed.any():
            shut_codes = np.ascontiguousarray(closed.T).ravel()
            weight[shut_codes[turns.code[turns.target]] & ~shut_codes[code]] = FAR_MS
        return weight if length_cm is None else edge_pairs(weight, length_cm[code >> 1])

    def digested(self) -> tuple[NDArray[Any], ...]:
        """What times depend on besides streets and traffic."""
        turns = self.turns
        return turns.code, turns.source, turns.target, turns.ms, turns.begins, turns.ends, turns.conditional

    def sources(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(tail, head) node of every arc, by its number."""
        return self.turns.source, self.turns.target

    def nodes_of(self, edge: NDArray[np.int32], *, arriving: bool) -> NDArray[np.int32]:
        """The two nodes by which spots on edges are left or arrived at, int32[k, 2], -1 for none."""
        at = self.turns.ends if arriving else self.turns.begins
        return np.ascontiguousarray(at[:, edge].T)


Graph = CrossingGraph | TurnGraph
"""The graph of a profile."""


def graphs_of(streets: Streets, turns: Sequence[Turns] = (), hierarchy: Hierarchy | None = None) -> dict[str, Graph]:
    """The graph of every profile; profiles with the same stretches and turns share one hierarchy."""
    if not turns:
        graph: Graph = CrossingGraph(streets, hierarchy)
        return dict.fromkeys(streets.profiles, graph)
    made: list[TurnGraph] = []
    orders = edge_orders(streets)
    for each in turns:
        alike = next((one.hierarchy for one in made if one.turns.has_shape_of(each)), None)
        made.append(
            TurnGraph(streets, each, alike or build_turn_hierarchy(orders, each.code >> 1, each.source, each.target))
        )
    return dict(zip(streets.profiles, made, strict=True))


def edge_orders(streets: Streets) -> list[NDArray[np.int32]]:
    """Orders of the edges by nested dissection, which serve every profile: the rank of each edge.

    As edges are ordered, a separator cuts streets, not turns, and the stretches of an edge stand side by side.
    """
    edge = np.arange(streets.edges, dtype=np.int32)
    ends = np.concatenate([streets.tail, streets.head])
    order = np.argsort(ends, kind="stable")
    at, by_node = ends[order], np.concatenate([edge, edge])[order]
    first, second = [], []
    for apart in range(1, int(np.bincount(ends).max(initial=0))):
        near = at[:-apart] == at[apart:]
        first.append(by_node[:-apart][near])
        second.append(by_node[apart:][near])
    start, neighbour = adjacency(streets.edges, np.concatenate([edge[:0], *first]), np.concatenate([edge[:0], *second]))
    middle = (streets.shape_start[:-1] + streets.shape_start[1:]) // 2
    ranks = [by_flow(streets.shape_lat[middle], streets.shape_lng[middle], start, neighbour)]
    if (other := by_metis(start, neighbour)) is not None:
        ranks.append(other)
    return ranks


class StreetTimes(NamedTuple):
    """Weights of every edge along and against, int32[2, e] milliseconds (FAR_MS where closed), and their metric.

    `holding`: the conditions of restrictions that hold; `closed` bool[2, e]: what may be left and not entered.
    """

    ms: NDArray[np.int32]
    metric: Metric
    holding: frozenset[str]
    closed: NDArray[np.bool_]
