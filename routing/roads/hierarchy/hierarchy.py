"""The hierarchy: what depends on the streets alone, never on their speeds.

An order of the nodes by nested dissection, the upward graph that elimination in this order leaves, its tree, and its
triangles.  Built once for a city and kept in the city's file; every traffic state only lays new weights on it.
Source: Dibbelt, Strasser, Wagner, "Customizable Contraction Hierarchies" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.order import adjacency, by_flow, by_metis
from routing.roads.kernels import elimination, metric

SMALL_SUBTREE = 8
"""Nodes with no more than this many nodes below them (themselves included) keep no label: theirs is made from those of
the nearest ancestors that do, in a few steps, and nine tenths of all labels need not be kept."""


class UpLists(NamedTuple):
    """Upward neighbours of every position: `first` int64[n + 1], `up` int32[a], rising."""

    first: NDArray[np.int64]
    up: NDArray[np.int32]


def label_rows(depth: NDArray[np.int32], end: NDArray[np.int32], small: int) -> tuple[NDArray[np.int64], int]:
    """Where each node's label starts (-1: it keeps none), int64[n], and the entries of all of them.

    Nodes with no more than `small` nodes below them, themselves included, keep none.
    """
    keeps = end - np.arange(len(end)) > small
    length = np.where(keeps, depth + 1, 0).astype(np.int64)
    stop = np.cumsum(length)
    return np.where(keeps, stop - length, -1), int(length.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """The upward graph in *positions*: a preorder of the elimination tree, so that ancestors come first.

    `position` int32[n] of every node; `first` int64[n + 1], `up` int32[a]: upward neighbours of every position,
    rising; `parent` (-1 for a root), `depth`, `end` int32[n]: the tree, `end[v]` closing the range below v; `arc`
    int32[e] of every edge (-1 for a loop) and `tail_below` bool[e]: whether the edge's tail is its deeper node.
    Derived: `third` int32[t]; `row` int64[n], where each node's label starts (-1: it keeps none); `row_total`.
    """

    position: NDArray[np.int32]
    first: NDArray[np.int64]
    up: NDArray[np.int32]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    arc: NDArray[np.int32]
    tail_below: NDArray[np.bool_]
    third: NDArray[np.int32] = field(init=False)
    row: NDArray[np.int64] = field(init=False)
    row_total: int = field(init=False)

    def __post_init__(self) -> None:
        row, total = label_rows(self.depth, self.end, SMALL_SUBTREE)
        object.__setattr__(self, "third", elimination.find_triangles(self.first, self.up))
        object.__setattr__(self, "row", row)
        object.__setattr__(self, "row_total", total)

    @property
    def out(self) -> UpLists:
        """Upward arcs that leave every position."""
        return UpLists(self.first, self.up)

    @property
    def into(self) -> UpLists:
        """Upward arcs that enter every position: the same ones."""
        return UpLists(self.first, self.up)

    def weigh(
        self, forward: NDArray[Any], backward: NDArray[Any] | None, far: Any
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Weights of the upward arcs, leaving and arriving, out of those of the edges in either direction."""
        leaving = np.full(len(self.up), far, dtype=forward.dtype)
        arriving = np.full(len(self.up), far, dtype=forward.dtype)
        metric.lay_weights(self.arc, self.tail_below, forward, backward, leaving, arriving)
        metric.customise(self.first, self.third, leaving, arriving)
        return leaving, arriving

    @property
    def label_entries(self) -> int:
        """Entries of the labels of all nodes in one direction: what joins and memory grow with."""
        return int(self.depth.sum(dtype=np.int64)) + len(self.depth)

    @property
    def width(self) -> int:
        """Entries of the longest label: one more than the depth of the tree."""
        return int(self.depth.max()) + 1 if len(self.depth) else 1


def build_hierarchy(
    lat: NDArray[np.float64],
    lng: NDArray[np.float64],
    tail: NDArray[np.int32],
    head: NDArray[np.int32],
    *,
    metis: bool = True,
) -> Hierarchy:
    """The hierarchy of a street graph, by the order whose labels are shortest; directions do not matter here.

    `lat`, `lng` float64[n]; `tail`, `head` int32[e] node indexes, loops and parallel edges allowed; `metis`: also try
    its order, if it is installed (without it the order is the same everywhere).
    """
    start, neighbour = adjacency(len(lat), tail, head)
    ranks = [by_flow(lat, lng, start, neighbour)]
    if metis and (other := by_metis(start, neighbour)) is not None:
        ranks.append(other)
    found = [_eliminate(start, neighbour, rank, tail, head) for rank in ranks]
    return min(found, key=lambda hierarchy: hierarchy.label_entries)


def _eliminate(
    start: NDArray[np.int64], neighbour: NDArray[np.int32], rank: NDArray[np.int32], tail: Any, head: Any
) -> Hierarchy:
    node_of_rank = np.empty_like(rank)
    node_of_rank[rank] = np.arange(len(rank), dtype=np.int32)
    first, up, parent = elimination.eliminate(start, neighbour, rank, node_of_rank)
    position_of_rank, parent, depth, end = elimination.preorder(parent)
    first, up = elimination.by_position(first, up, position_of_rank)
    position = position_of_rank[rank]
    arc = elimination.find_arcs(first, up, position[tail], position[head])
    return Hierarchy(position, first, up, parent, depth, end, arc, position[tail] > position[head])
