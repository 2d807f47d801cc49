"""A metric: one profile's weights at one moment, laid on the hierarchy, with labels filled as they are asked for.

A metric never changes once made, but for labels, which only appear: readers share it freely.  Weights are int32
milliseconds, or int64 *pairs* (milliseconds above 31 bits of centimetres), which order ways by time and then by length
and so give the metres of a fastest way without a second search.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.hierarchy import Hierarchy, UpLists
from routing.roads.hierarchy.turn_hierarchy import TurnHierarchy
from routing.roads.kernels import join, metric
from routing.roads.threads import map_threads

AnyHierarchy = Hierarchy | TurnHierarchy
FAR_MS = np.int32(2**30 - 1)
"""No way, among int32 weights; two of them still add up."""
FAR_PAIR = np.int64(2**61)
"""No way, among int64 pairs."""
PAIR_SHIFT = 31
"""Bits of the centimetres in a pair."""
NO_WAY_MS = 2**31 - 1
"""Milliseconds in an answer where there is no way."""

_COLUMNS = 1024
"""Targets joined at a time: a depth-major block of that many stays within the second-level cache."""
_ROWS = 256
"""Sources a thread takes at a time."""


@dataclass(slots=True)
class MetricWork:
    """Counters of what was done, the same on every machine: labels filled, sums of a join formed."""

    labels: int = 0
    sums: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points to start from or to arrive at: nodes, or spots on edges.

    `node` int32[k, 2] positions in the hierarchy (-1 for none; a point without any is reachable by nobody); `offset`
    [k, 2]: weight from the point to that node (to start from) or from the node to the point (to arrive at); `base`
    int32[k] the deeper node.  Two nodes of a point must be ancestors of each other.  `shift` [k]: what the offsets
    are too large by, so that those of points beyond their nodes need not be below zero.
    """

    node: NDArray[np.int32]
    offset: NDArray[Any]
    base: NDArray[np.int32]
    shift: NDArray[Any]

    @staticmethod
    def at_nodes(position: NDArray[np.int32], dtype: Any) -> Points:
        """Points that are nodes of the hierarchy, without offset."""
        node = np.full((len(position), 2), -1, dtype=np.int32)
        node[:, 0] = position
        none = np.zeros(len(position), dtype=dtype)
        return Points(node, np.zeros((len(position), 2), dtype=dtype), node[:, 0].copy(), none)

    @staticmethod
    def on_edges(node: NDArray[np.int32], offset: NDArray[Any], shift: NDArray[Any] | None = None) -> Points:
        """Points between two nodes of the hierarchy each."""
        return Points(node, offset, node.max(axis=1), np.zeros(len(node), offset.dtype) if shift is None else shift)


class Metric:
    """Weights of one profile and moment on a hierarchy; answers tables of least weights between points.

    `forward`, `backward`: weight of every edge in either direction (of a turn-aware graph, of every arc; no
    `backward`), int32 or int64, FAR_MS or FAR_PAIR where closed.
    """

    def __init__(self, hierarchy: AnyHierarchy, forward: NDArray[Any], backward: NDArray[Any] | None = None) -> None:
        dtype = forward.dtype
        self.hierarchy = hierarchy
        self.dtype = dtype
        self.far = FAR_MS if dtype == np.int32 else FAR_PAIR
        self.leaving, self.arriving = hierarchy.weigh(forward, backward, self.far)
        # Untouched pages of these two cost no memory: a city is paid for where its places are.
        self._label_out = np.empty(hierarchy.row_total, dtype=dtype)
        self._label_in = np.empty(hierarchy.row_total, dtype=dtype)
        self._filled = np.zeros(len(hierarchy.parent), dtype=np.bool_)
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of weights and of the labels filled so far."""
        filled = int((self.hierarchy.depth[self._filled].astype(np.int64) + 1).sum())
        return self.leaving.nbytes + self.arriving.nbytes + self._filled.nbytes + 2 * filled * self.dtype.itemsize

    def fill(self, nodes: NDArray[np.int32] | None = None) -> int:
        """Fill the labels above `nodes` (positions; None for all); return how many were new."""
        h = self.hierarchy
        if nodes is None:
            nodes = np.arange(len(h.parent), dtype=np.int32)
        wanted = np.zeros(len(h.parent), dtype=np.bool_)
        with self._lock:
            count = int(metric.mark_ancestors(h.parent, h.row, nodes, self._filled, wanted))
            if count:

                def fill_one(lists: UpLists, weight: NDArray[Any], label: NDArray[Any]) -> None:
                    metric.fill_labels(*lists, h.depth, h.row, weight, wanted, label, self.far)

                both = [(h.out, self.leaving, self._label_out), (h.into, self.arriving, self._label_in)]
                map_threads(fill_one, both, count > 500)
                self._filled |= wanted
        return count

    def table(
        self, origins: Points, destinations: Points, unreachable: int, work: MetricWork | None = None
    ) -> NDArray[Any]:
        """Least weight from every origin to every destination, [n, m] of the metric's dtype."""
        n, m = len(origins.base), len(destinations.base)
        answer = np.empty((n, m), dtype=self.dtype)
        work = work or MetricWork()
        work.labels += self.fill(origins.base) + self.fill(destinations.base)
        order = np.argsort(destinations.base, kind="stable")
        blocks = [self._block(destinations, order[at : at + _COLUMNS]) for at in range(0, m, _COLUMNS)]

        def rows(at: int) -> int:
            return self._join(origins, slice(at, at + _ROWS), blocks, unreachable, answer[at : at + _ROWS])

        work.sums += sum(map_threads(rows, [(at,) for at in range(0, n, _ROWS)], n * m > 20_000))
        return answer

    def label(self, point: Points, *, arriving: bool) -> NDArray[Any]:
        """The label of one point, by depth of its base's ancestors."""
        self.fill(point.base)
        return np.asarray(self._gather(point, slice(None), arriving=arriving)[0])

    def _gather(self, points: Points, part: Any, *, arriving: bool) -> NDArray[Any]:
        h = self.hierarchy
        label, weight = (self._label_in, self.arriving) if arriving else (self._label_out, self.leaving)
        lists = h.into if arriving else h.out
        base = points.base[part]
        width = int(h.depth[base].max(initial=0)) + 1
        rows = np.empty((len(base), width), dtype=self.dtype)
        join.gather_rows(
            *lists, h.parent, h.depth, h.row, label, weight, points.node[part], points.offset[part],
            base, self.far, rows,
        )  # fmt: skip
        return rows

    def _block(self, destinations: Points, order: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        rows = self._gather(destinations, order, arriving=True)
        block = np.ascontiguousarray(rows.T)
        base = destinations.base[order]
        before = join.count_before(base, len(self.hierarchy.parent))
        return block, before, order

    def _join(
        self, origins: Points, part: slice, blocks: list[tuple[NDArray[Any], ...]], unreachable: int, answer: Any
    ) -> int:
        h = self.hierarchy
        rows = self._gather(origins, part, arriving=False)
        sums = 0
        for block, before, order in blocks:
            sums += join.join_rows(
                h.parent, h.depth, h.end, origins.base[part], rows, block, before, order,
                self.far, self.dtype.type(unreachable), origins.shift[part], answer,
            )  # fmt: skip
        return sums
