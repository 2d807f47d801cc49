"""Spots on edges as points of a metric: the part of the edge to either end, and ways within one edge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy import Hierarchy
from routing.roads.kernels.direct import shorten_direct
from routing.roads.metric import FAR_MS, FAR_PAIR, PAIR_SHIFT, Metric, Points, Work
from routing.roads.snapping import Snaps
from routing.roads.streets import AGAINST, ALONG, Streets


def edge_pairs(ms: NDArray[np.int32], length_cm: NDArray[np.int32]) -> NDArray[np.int64]:
    """Milliseconds above 31 bits of centimetres, FAR_PAIR where the milliseconds are FAR_MS."""
    pairs: NDArray[np.int64] = (ms.astype(np.int64) << PAIR_SHIFT) + length_cm
    pairs[ms == FAR_MS] = FAR_PAIR
    return pairs


def _part(pair: NDArray[np.int64], fraction: NDArray[np.float64]) -> NDArray[np.int64]:
    ms = np.floor((pair >> PAIR_SHIFT) * fraction + 0.5).astype(np.int64)
    cm = np.floor((pair & (2**PAIR_SHIFT - 1)) * fraction + 0.5).astype(np.int64)
    return np.asarray((ms << PAIR_SHIFT) + cm, dtype=np.int64)


class Spots:
    """Snapped points under one profile's weights.

    `ms` int32[2, e]: the weights in force.  Spots without an edge can reach nothing and be reached by nothing.
    """

    def __init__(self, snaps: Snaps, streets: Streets, hierarchy: Hierarchy, ms: NDArray[np.int32]) -> None:
        edge = snaps.edge
        self.edge, self.fraction = edge, snaps.fraction
        length = streets.length_cm[edge]
        none = edge < 0
        self.along = np.where(none, FAR_PAIR, edge_pairs(ms[ALONG, edge], length))
        self.against = np.where(none, FAR_PAIR, edge_pairs(ms[AGAINST, edge], length))
        node = np.stack([hierarchy.position[streets.tail[edge]], hierarchy.position[streets.head[edge]]], axis=1)
        self._node = np.ascontiguousarray(np.where(none[:, None], np.int32(-1), node))

    def leaving(self, dtype: Any) -> Points:
        """The spots as origins: weight to the tail (driving against the edge) and to the head (along it)."""
        to_tail = np.where(self.against == FAR_PAIR, FAR_PAIR, _part(self.against, self.fraction))
        to_head = np.where(self.along == FAR_PAIR, FAR_PAIR, self.along - _part(self.along, self.fraction))
        return self._points(to_tail, to_head, dtype)

    def arriving(self, dtype: Any) -> Points:
        """The spots as destinations: weight from the tail and from the head."""
        from_tail = np.where(self.along == FAR_PAIR, FAR_PAIR, _part(self.along, self.fraction))
        from_head = np.where(self.against == FAR_PAIR, FAR_PAIR, self.against - _part(self.against, self.fraction))
        return self._points(from_tail, from_head, dtype)

    def _points(self, tail: NDArray[np.int64], head: NDArray[np.int64], dtype: Any) -> Points:
        # At an end of the edge the spot is the node, whichever way the edge may be driven.
        tail = np.where(self.fraction == 0.0, 0, tail)
        head = np.where(self.fraction == 1.0, 0, head)
        offset = np.stack([tail, head], axis=1)
        if dtype == np.int32:
            offset = np.where(offset == FAR_PAIR, np.int64(FAR_MS), offset >> PAIR_SHIFT).astype(np.int32)
        return Points.on_edges(self._node, offset)


def spot_table(
    metric: Metric, origins: Spots, destinations: Spots, unreachable: int, work: Work | None = None
) -> NDArray[Any]:
    """Least weights between spots, ways within one edge included, [n, m] of the metric's dtype."""
    dtype = metric.dtype
    table = metric.table(origins.leaving(dtype), destinations.arriving(dtype), unreachable, work)
    order = np.argsort(destinations.edge, kind="stable")
    shift = PAIR_SHIFT if dtype == np.int32 else 0
    shorten_direct(
        origins.edge, origins.fraction, origins.along, origins.against, destinations.edge, destinations.fraction,
        order, FAR_PAIR, shift, table,
    )  # fmt: skip
    return table
