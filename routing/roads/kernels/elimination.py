"""Symbolic elimination: from an order of the nodes to the upward graph, its tree and its triangles.

Nodes are named by *rank* while they are eliminated, and by *position* afterwards: a preorder of the elimination tree,
roots first, so that the nodes below an ancestor are one contiguous range and ancestors have smaller positions.
Source: Dibbelt, Strasser, Wagner, "Customizable Contraction Hierarchies" (2016), sections 3 and 5.
"""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def eliminate(row, neighbour, rank, node_of_rank):
    """Upward neighbour lists after elimination, in ranks: (first int64[n+1], up int32[a] rising, parent int32[n])."""
    n = len(rank)
    first = np.zeros(n + 1, dtype=np.int64)
    up = np.empty(max(16, 2 * len(neighbour)), dtype=np.int32)
    parent = np.full(n, -1, dtype=np.int32)
    child = np.full(n, -1, dtype=np.int32)
    sibling = np.full(n, -1, dtype=np.int32)
    seen = np.full(n, -1, dtype=np.int32)
    size = 0
    for v in range(n):
        if size + n - v > len(up):
            wider = np.empty(2 * len(up) + n, dtype=np.int32)
            wider[:size] = up[:size]
            up = wider
        seen[v] = v
        start = size
        node = node_of_rank[v]
        for k in range(row[node], row[node + 1]):
            w = rank[neighbour[k]]
            if w > v and seen[w] != v:
                seen[w] = v
                up[size] = w
                size += 1
        c = child[v]
        while c >= 0:
            for k in range(first[c], first[c + 1]):
                w = up[k]
                if seen[w] != v:
                    seen[w] = v
                    up[size] = w
                    size += 1
            c = sibling[c]
        up[start:size].sort()
        first[v + 1] = size
        if size > start:
            p = up[start]
            parent[v] = p
            sibling[v] = child[p]
            child[p] = v
    return first, up[:size].copy(), parent


@kernel
def preorder(parent_of_rank):
    """Positions of the ranks: (position int32[n], parent int32[n], depth int32[n], end int32[n]), by position.

    `end[v]` closes the range of positions below v, itself included.
    """
    n = len(parent_of_rank)
    size = np.ones(n, dtype=np.int32)
    for v in range(n):
        if parent_of_rank[v] >= 0:
            size[parent_of_rank[v]] += size[v]
    position = np.empty(n, dtype=np.int32)
    free = np.empty(n, dtype=np.int32)
    parent = np.full(n, -1, dtype=np.int32)
    depth = np.zeros(n, dtype=np.int32)
    end = np.empty(n, dtype=np.int32)
    next_root = 0
    for v in range(n - 1, -1, -1):
        p = parent_of_rank[v]
        if p < 0:
            here = next_root
            next_root += size[v]
        else:
            here = free[p]
            free[p] += size[v]
            parent[here] = position[p]
            depth[here] = depth[position[p]] + 1
        position[v] = here
        free[v] = here + 1
        end[here] = here + size[v]
    return position, parent, depth, end


@kernel
def by_position(first_of_rank, up_of_rank, position):
    """The upward graph in positions, every list rising: (first int64[n+1], up int32[a])."""
    n = len(position)
    first = np.zeros(n + 1, dtype=np.int64)
    for v in range(n):
        first[position[v] + 1] = first_of_rank[v + 1] - first_of_rank[v]
    for v in range(n):
        first[v + 1] += first[v]
    up = np.empty(len(up_of_rank), dtype=np.int32)
    for v in range(n):
        at = first[position[v] + 1]
        for k in range(first_of_rank[v], first_of_rank[v + 1]):
            at -= 1
            up[at] = position[up_of_rank[k]]
    return first, up


@kernel
def find_arcs(first, up, tail, head):
    """The arc of every edge between positions `tail` and `head`, int32[e]; -1 for a loop."""
    arc = np.empty(len(tail), dtype=np.int32)
    for e in range(len(tail)):
        low, high = max(tail[e], head[e]), min(tail[e], head[e])
        if low == high:
            arc[e] = -1
            continue
        left, right = first[low], first[low + 1] - 1
        while left < right:
            middle = (left + right) // 2
            if up[middle] < high:
                left = middle + 1
            else:
                right = middle
        arc[e] = left
    return arc


@kernel
def find_triangles(first, up):
    """Third sides of all lower triangles, int32[t], in the order in which `customise` walks them."""
    n = len(first) - 1
    total = 0
    for v in range(n):
        degree = first[v + 1] - first[v]
        total += degree * (degree - 1) // 2
    third = np.empty(total, dtype=np.int32)
    t = 0
    for v in range(n - 1, -1, -1):
        for j in range(first[v], first[v + 1]):
            k = first[up[j]]
            for i in range(first[v], j):
                while up[k] != up[i]:
                    k += 1
                third[t] = k
                t += 1
    return third
