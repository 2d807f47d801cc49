"""From one point to all nodes, and along a fastest way."""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def sweep(first, up, parent, depth, weight, base, row, far):
    """Least weight from the point (or to it) to every node, by position, of the weights' type.

    `row`: the point's label, `base` its base; `weight`: `arriving` to go from the point, `leaving` to go to it.
    """
    distance = np.full(len(parent), far, dtype=weight.dtype)
    x = base
    while x >= 0:
        distance[x] = row[depth[x]]
        x = parent[x]
    for v in range(len(parent)):
        best = distance[v]
        for a in range(first[v], first[v + 1]):
            best = min(best, weight.dtype.type(distance[up[a]] + weight[a]))
        distance[v] = best
    return distance


@kernel
def walk(begin, start, head, number, weight, left, goal, goal_offset):
    """Numbers of the arcs of a fastest way from node `begin` to a goal, int32[k], and the goal's node (-1: none found).

    `left` [n]: least weight from every node to the end; an arc u-v is on a fastest way where left[u] equals its weight
    plus left[v].  `weight` [a]: of every arc, by its number.  `goal` int32[2] and `goal_offset`: the nodes from which
    the end lies within reach and how far it then is.  Nodes are visited once, so streets without length cannot trap
    the walk.
    """
    n = len(start) - 1
    visited = np.zeros(n, dtype=np.bool_)
    cursor = np.zeros(n, dtype=np.int64)
    path = np.empty(n + 1, dtype=np.int32)
    taken = np.empty(n + 1, dtype=np.int32)
    size = 1
    path[0] = begin
    visited[begin] = True
    cursor[begin] = start[begin]
    while size:
        u = path[size - 1]
        for side in range(2):
            if goal[side] == u and goal_offset[side] == left[u]:
                return taken[: size - 1].copy(), u
        moved = False
        while cursor[u] < start[u + 1]:
            a = cursor[u]
            cursor[u] += 1
            v = head[a]
            if not visited[v] and left[v] + weight[number[a]] == left[u]:
                visited[v] = True
                cursor[v] = start[v]
                taken[size - 1] = number[a]
                path[size] = v
                size += 1
                moved = True
                break
        if not moved:
            size -= 1
    return taken[:0].copy(), -1
