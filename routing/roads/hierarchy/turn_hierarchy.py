"""The hierarchy of a turn-aware graph: like that of `routing.roads.hierarchy.hierarchy`, with arcs of one direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.hierarchy import UpLists, label_rows
from routing.roads.hierarchy.order import adjacency
from routing.roads.kernels import directed, elimination

SMALL_SUBTREE = 64
"""As in hierarchy.py: there are twice the nodes, and twice the labels to fill for new traffic."""


@dataclass(frozen=True, slots=True, eq=False)
class TurnHierarchy:
    """The upward graph in positions, arcs that leave a node and arcs that enter it apart.

    `position`, `parent`, `depth`, `end` as in `Hierarchy`; `first_out`, `up_out`, `first_in`, `up_in`: upward arcs
    from and to every position; `slot` int32[a] of every arc of the graph (see `find_slots`).
    Derived: `third` int32[t]; `row`, `row_total` as in `Hierarchy`.
    """

    position: NDArray[np.int32]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    end: NDArray[np.int32]
    first_out: NDArray[np.int64]
    up_out: NDArray[np.int32]
    first_in: NDArray[np.int64]
    up_in: NDArray[np.int32]
    slot: NDArray[np.int32]
    third: NDArray[np.int32] = field(init=False)
    row: NDArray[np.int64] = field(init=False)
    row_total: int = field(init=False)

    def __post_init__(self) -> None:
        row, total = label_rows(self.depth, self.end, SMALL_SUBTREE)
        third = directed.find_directed_triangles(self.first_out, self.up_out, self.first_in, self.up_in)
        object.__setattr__(self, "third", third)
        object.__setattr__(self, "row", row)
        object.__setattr__(self, "row_total", total)

    @property
    def out(self) -> UpLists:
        """Upward arcs that leave every position."""
        return UpLists(self.first_out, self.up_out)

    @property
    def into(self) -> UpLists:
        """Upward arcs that enter every position."""
        return UpLists(self.first_in, self.up_in)

    @property
    def label_entries(self) -> int:
        """Entries of the labels of all nodes in one direction: what joins and memory grow with."""
        return int(self.depth.sum(dtype=np.int64)) + len(self.depth)

    @property
    def width(self) -> int:
        """Entries of the longest label: one more than the depth of the tree."""
        return int(self.depth.max()) + 1 if len(self.depth) else 1

    def weigh(
        self, forward: NDArray[Any], backward: NDArray[Any] | None, far: Any
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Weights of the upward arcs, leaving and arriving, out of those of the graph's arcs."""
        leaving = np.full(len(self.up_out), far, dtype=forward.dtype)
        arriving = np.full(len(self.up_in), far, dtype=forward.dtype)
        directed.lay_directed(self.slot, forward, leaving, arriving)
        directed.customise_directed(*self.out, *self.into, self.third, leaving, arriving, far)
        return leaving, arriving


def build_turn_hierarchy(
    orders: Sequence[NDArray[np.int32]], group: NDArray[np.int32], tail: NDArray[np.int32], head: NDArray[np.int32]
) -> TurnHierarchy:
    """The hierarchy of a directed graph whose nodes come in groups that keep together in the order.

    `orders`: ranks of the groups, of which the one with the shortest labels is taken; `group` int32[n] of every node;
    `tail`, `head` int32[a] node indexes.  Nodes of a group are ancestors or descendants of each other.
    """
    wide_start, wide_neighbour = adjacency(len(group), *_with_groups(group, tail, head))
    best: tuple[Any, ...] | None = None
    for rank in orders:
        full = np.empty(len(group), dtype=np.int32)
        full[np.lexsort((np.arange(len(group)), rank[group]))] = np.arange(len(group), dtype=np.int32)
        node_of_rank = np.empty_like(full)
        node_of_rank[full] = np.arange(len(full), dtype=np.int32)
        _, _, parent_of_rank = elimination.eliminate(wide_start, wide_neighbour, full, node_of_rank)
        tree = elimination.preorder(parent_of_rank)
        if best is None or tree[2].sum(dtype=np.int64) < best[1][2].sum(dtype=np.int64):
            best = full, tree
    assert best is not None
    rank, (position_of_rank, parent, depth, end) = best
    lists = directed.eliminate_directed(*_arcs_by_rank(rank[tail], rank[head], len(group)))
    first_out, up_out = elimination.by_position(lists[0], lists[1], position_of_rank)
    first_in, up_in = elimination.by_position(lists[2], lists[3], position_of_rank)
    position = position_of_rank[rank]
    slot = directed.find_slots(first_out, up_out, first_in, up_in, position[tail], position[head])
    return TurnHierarchy(position, parent, depth, end, first_out, up_out, first_in, up_in, slot)


def _with_groups(
    group: NDArray[np.int32], tail: NDArray[np.int32], head: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The arcs, and one between all nodes of a group."""
    members = np.argsort(group, kind="stable").astype(np.int32)
    size = np.bincount(group)
    first = np.cumsum(size) - size
    tails, heads = [tail], [head]
    for k in range(1, int(size.max(initial=0))):
        large = first[size > k]
        for j in range(k):
            tails.append(members[large + k])
            heads.append(members[large + j])
    return np.concatenate(tails), np.concatenate(heads)


def _arcs_by_rank(tail: NDArray[np.int32], head: NDArray[np.int32], n: int) -> tuple[NDArray[Any], ...]:
    """(start, head) of the arcs leaving every rank, (start, tail) of those entering it."""
    found: list[NDArray[Any]] = []
    for near, far in ((tail, head), (head, tail)):
        start = np.zeros(n + 1, dtype=np.int64)
        np.cumsum(np.bincount(near, minlength=n), out=start[1:])
        found += [start, far[np.argsort(near, kind="stable")].astype(np.int32)]
    return tuple(found)
