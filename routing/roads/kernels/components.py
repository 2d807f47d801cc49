"""Strongly connected components, by Tarjan's algorithm with an explicit stack."""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def strong_components(start, head):
    """Component of every node, int32[n]; numbers follow the order in which components are completed.

    `start` int64[n + 1], `head` int32: outgoing arcs of every node.  Source: Tarjan, "Depth-first search and linear
    graph algorithms" (1972).
    """
    n = len(start) - 1
    component = np.full(n, -1, dtype=np.int32)
    index = np.full(n, -1, dtype=np.int32)
    lowest = np.zeros(n, dtype=np.int32)
    cursor = start[:-1].copy()
    path = np.empty(n, dtype=np.int32)
    open_nodes = np.empty(n, dtype=np.int32)
    path_size, open_size, counter, components = 0, 0, 0, 0
    for root in range(n):
        if index[root] >= 0:
            continue
        path[0] = root
        path_size = 1
        index[root] = lowest[root] = counter
        counter += 1
        open_nodes[open_size] = root
        open_size += 1
        while path_size:
            u = path[path_size - 1]
            if cursor[u] < start[u + 1]:
                v = head[cursor[u]]
                cursor[u] += 1
                if index[v] < 0:
                    index[v] = lowest[v] = counter
                    counter += 1
                    path[path_size] = v
                    path_size += 1
                    open_nodes[open_size] = v
                    open_size += 1
                elif component[v] < 0:
                    lowest[u] = min(lowest[u], index[v])
                continue
            path_size -= 1
            if path_size:
                p = path[path_size - 1]
                lowest[p] = min(lowest[p], lowest[u])
            if lowest[u] == index[u]:
                while True:
                    open_size -= 1
                    v = open_nodes[open_size]
                    component[v] = components
                    if v == u:
                        break
                components += 1
    return component
