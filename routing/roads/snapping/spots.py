"""Spots on edges as points of a metric: the part of the edge to either end, and ways within one edge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.graphs import Graph, StreetTimes, edge_pairs
from routing.roads.hierarchy.metric import FAR_MS, FAR_PAIR, PAIR_SHIFT, Metric, MetricWork, Points
from routing.roads.kernels.direct import shorten_direct
from routing.roads.snapping.snapping import Snaps
from routing.roads.streets import AGAINST, ALONG, Streets


def _part(pair: NDArray[np.int64], fraction: NDArray[np.float64]) -> NDArray[np.int64]:
    ms = np.floor((pair >> PAIR_SHIFT) * fraction + 0.5).astype(np.int64)
    cm = np.floor((pair & (2**PAIR_SHIFT - 1)) * fraction + 0.5).astype(np.int64)
    return np.asarray((ms << PAIR_SHIFT) + cm, dtype=np.int64)


class Spots:
    """Snapped points under one profile's weights.

    `travel`: the weights in force.  Spots without an edge can reach nothing and be reached by nothing.
    """

    def __init__(self, snaps: Snaps, streets: Streets, graph: Graph, travel: StreetTimes) -> None:
        ms, closed = travel.ms, travel.closed
        self._weight = lambda: graph.weights(ms, travel.holding, streets.length_cm, closed)
        edge = snaps.edge
        self.edge, self.fraction = edge, snaps.fraction
        length = streets.length_cm[edge]
        self._none = edge < 0
        self._graph = graph
        self.along = np.where(self._none, FAR_PAIR, edge_pairs(ms[ALONG, edge], length))
        self.against = np.where(self._none, FAR_PAIR, edge_pairs(ms[AGAINST, edge], length))
        self._entered = ~np.stack([closed[ALONG, edge], closed[AGAINST, edge]], axis=1)

    def leaving(self, dtype: Any) -> Points:
        """The spots as origins.

        At crossings: weight to the tail (driving against the edge) and to the head (along it).  On stretches: what
        of the stretch along the edge, and of the one against it, lies behind.
        """
        if not self._graph.turn_aware:
            to_tail = np.where(self.against == FAR_PAIR, FAR_PAIR, _part(self.against, self.fraction))
            to_head = np.where(self.along == FAR_PAIR, FAR_PAIR, self.along - _part(self.along, self.fraction))
            return self._points(self._at_ends(to_tail, to_head), self._nodes(arriving=False), dtype)
        behind, shut = self._driven()
        # Time and length are shifted by the greatest of each, so that neither falls below zero on its own.
        time, length = behind >> PAIR_SHIFT, behind & (2**PAIR_SHIFT - 1)
        shift = (time.max(axis=1) << PAIR_SHIFT) + length.max(axis=1)
        offset = np.where(shut, FAR_PAIR, shift[:, None] - behind)
        return self._points(offset, self._nodes(arriving=False), dtype, shift)

    def arriving(self, dtype: Any) -> Points:
        """The spots as destinations: weight from the tail and from the head, or along either stretch to the spot."""
        if not self._graph.turn_aware:
            along = np.where(self._entered[:, 0], self.along, FAR_PAIR)
            against = np.where(self._entered[:, 1], self.against, FAR_PAIR)
            from_tail = np.where(along == FAR_PAIR, FAR_PAIR, _part(along, self.fraction))
            from_head = np.where(against == FAR_PAIR, FAR_PAIR, against - _part(against, self.fraction))
            return self._points(self._at_ends(from_tail, from_head), self._nodes(arriving=True), dtype)
        driven, shut = self._driven()
        return self._points(np.where(shut, FAR_PAIR, driven), self._nodes(arriving=True), dtype)

    @property
    def beyond_nodes(self) -> bool:
        """Whether the spots lie behind the nodes that they are left by, so that ways within an edge mislead a join."""
        return self._graph.turn_aware

    def turning(self, chosen: NDArray[np.int64], dtype: Any) -> tuple[Points, NDArray[np.int64]]:
        """The chosen spots as origins at the far side of every turn that leads off their edge, and whose each is."""
        offset, _, node, spot = self._turns(chosen)
        both = np.full((len(offset), 2), FAR_PAIR)
        both[:, 0] = offset
        to = np.full((len(offset), 2), -1, dtype=np.int32)
        to[:, 0] = self._graph.hierarchy.position[node]
        return self._points(both, to, dtype), spot

    def turns_off(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """(pair to the far side, direction on the edge, node there) of every turn off the edges of the spots."""
        return self._turns(np.arange(len(self.edge)))[:3]

    def _turns(
        self, chosen: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        start, head, number = self._graph.arcs
        node = self._graph.nodes_of(self.edge[chosen], arriving=False)
        node[self._none[chosen]] = -1
        behind, _ = self._driven()
        owner, side = np.nonzero(node >= 0)
        begin = node[owner, side]
        many = (start[begin + 1] - start[begin]).astype(np.int64)
        nth = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        arc = np.repeat(start[begin], many) + nth
        weight = self._weight()[number[arc]]
        spot, side = np.repeat(chosen[owner], many), np.repeat(side, many)
        offset = np.where(weight == FAR_PAIR, FAR_PAIR, weight - behind[spot, side])
        return offset, side, head[arc], spot

    def _driven(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """(weight from the beginning of either stretch to the spot, whether it is shut), [k, 2]."""
        along = _part(self.along, self.fraction)
        against = self.against - _part(self.against, self.fraction)
        shut = np.stack([self.along == FAR_PAIR, self.against == FAR_PAIR], axis=1)
        return np.where(shut, 0, np.stack([along, against], axis=1)), shut

    def _at_ends(self, tail: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[np.int64]:
        # At an end of the edge the spot is the node, whichever way the edge may be driven.
        return np.stack([np.where(self.fraction == 0.0, 0, tail), np.where(self.fraction == 1.0, 0, head)], axis=1)

    def _nodes(self, *, arriving: bool) -> NDArray[np.int32]:
        node = self._graph.nodes_of(self.edge, arriving=arriving)
        position = self._graph.hierarchy.position[node]
        return np.ascontiguousarray(np.where(self._none[:, None] | (node < 0), np.int32(-1), position))

    def _points(
        self, offset: NDArray[np.int64], node: NDArray[np.int32], dtype: Any, shift: NDArray[np.int64] | None = None
    ) -> Points:
        if dtype == np.int32:
            offset = np.where(offset == FAR_PAIR, np.int64(FAR_MS), offset >> PAIR_SHIFT).astype(np.int32)
            shift = None if shift is None else (shift >> PAIR_SHIFT).astype(np.int32)
        return Points.on_edges(node, offset, shift)


def spot_table(
    metric: Metric, origins: Spots, destinations: Spots, unreachable: int, work: MetricWork | None = None
) -> NDArray[Any]:
    """Least weights between spots, ways within one edge included, [n, m] of the metric's dtype."""
    dtype = metric.dtype
    table = metric.table(origins.leaving(dtype), destinations.arriving(dtype), unreachable, work)
    if origins.beyond_nodes:
        _go_round(metric, origins, destinations, unreachable, table)
    order = np.argsort(destinations.edge, kind="stable")
    shift = PAIR_SHIFT if dtype == np.int32 else 0
    shorten_direct(
        origins.edge, origins.fraction, origins.along, origins.against, destinations.edge, destinations.fraction,
        order, FAR_PAIR, shift, table,
    )  # fmt: skip
    return table


def _go_round(metric: Metric, origins: Spots, destinations: Spots, unreachable: int, table: NDArray[Any]) -> None:
    """Times of pairs that share an edge, by leaving it first: a join would drive backwards to what lies behind."""
    from_, to = _sharing(origins.edge, destinations.edge)
    if not len(from_):
        return
    points, spot = origins.turning(np.unique(from_), metric.dtype)
    columns = np.unique(to)
    arrive = destinations.arriving(metric.dtype)
    part = Points(arrive.node[columns], arrive.offset[columns], arrive.base[columns], arrive.shift[columns])
    rows = metric.table(points, part, int(metric.far))
    best = np.full((len(origins.edge), len(columns)), metric.far, dtype=metric.dtype)
    np.minimum.at(best, spot, rows)
    found = best[from_, np.searchsorted(columns, to)]
    table[from_, to] = np.where(found < metric.far, found, unreachable)


def _sharing(first: NDArray[np.int32], second: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every pair of indexes whose edges are the same one."""
    order = np.argsort(second, kind="stable")
    low = np.searchsorted(second[order], first, side="left")
    many = np.where(first >= 0, np.searchsorted(second[order], first, side="right") - low, 0)
    from_ = np.repeat(np.arange(len(first)), many)
    nth = np.arange(len(from_)) - np.repeat(np.cumsum(many) - many, many)
    return from_, order[np.repeat(low, many) + nth]
