"""Nested dissection by inertial flow: halve the map along four directions, cut where fewest streets cross.

Source: Schild and Sommer, "On Balanced Separators in Road Networks" (2015): the outer quarters along a direction are
source and sink of a maximum flow with unit capacities; the least of the four cuts gives the separator.

    | source |  .  .  . cut .  .  .  | sink |      along each direction: the outer quarters,
    |--1/4---|---------------------- |-1/4--|      and the least cut between them
"""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel

SMALLEST = 4
OUTER = 4
"""One part in OUTER at each end is fixed, so that no side of a cut becomes smaller."""


@kernel
def reverse_arcs(start, neighbour):
    """Index of the opposite arc of every arc; lists must be rising and symmetric."""
    reverse = np.empty(len(neighbour), dtype=np.int64)
    cursor = start[:-1].copy()
    for u in range(len(start) - 1):
        for a in range(start[u], start[u + 1]):
            v = neighbour[a]
            reverse[a] = cursor[v]
            cursor[v] += 1
    return reverse


@kernel
def least_cut(nodes, side, start, neighbour, reverse, inside, part, bound, flow, reached, queue, via):
    """Maximum flow from side 1 to side 2 within the part; stops at `bound`.  `reached` tells the source's side."""
    for u in nodes:
        for a in range(start[u], start[u + 1]):
            flow[a] = 0
    amount = 0
    while True:
        tail = 0
        for u in nodes:
            reached[u] = side[u] == 1
            if reached[u]:
                via[u] = -1
                queue[tail] = u
                tail += 1
        sink = -1
        at = 0
        while at < tail and sink < 0:
            u = queue[at]
            at += 1
            for a in range(start[u], start[u + 1]):
                v = neighbour[a]
                if inside[v] != part or reached[v] or flow[a] >= 1:
                    continue
                reached[v] = True
                via[v] = a
                if side[v] == 2:
                    sink = v
                    break
                queue[tail] = v
                tail += 1
        if sink < 0:
            return amount
        amount += 1
        if amount >= bound:
            return amount
        v = sink
        while via[v] >= 0:
            a = via[v]
            flow[a] += 1
            flow[reverse[a]] -= 1
            v = neighbour[reverse[a]]


@kernel
def split_part(nodes, above, start, neighbour, inside, part, scratch):
    """Reorder `nodes` as one side, the other side, the separator; return the ends of the first two."""
    first_touch, second_touch = 0, 0
    for u in nodes:
        for a in range(start[u], start[u + 1]):
            v = neighbour[a]
            if inside[v] == part and above[v] != above[u]:
                if above[u]:
                    first_touch += 1
                else:
                    second_touch += 1
                break
    cut_first = first_touch <= second_touch
    size = len(nodes)
    ends = np.zeros(3, dtype=np.int64)
    for turn in range(3):
        at = ends[turn - 1] if turn else 0
        for u in nodes:
            touches = False
            if above[u] == cut_first:
                for a in range(start[u], start[u + 1]):
                    v = neighbour[a]
                    if inside[v] == part and above[v] != above[u]:
                        touches = True
                        break
            group = 2 if touches else (0 if above[u] else 1)
            if group == turn:
                scratch[at] = u
                at += 1
        ends[turn] = at
    nodes[:] = scratch[:size]
    return ends[0], ends[1]


@kernel
def dissect_by_flow(x, y, start, neighbour):
    """Rank of every node in a nested-dissection order, int64[n]; x and y in the same unit."""
    n = len(x)
    reverse = reverse_arcs(start, neighbour)
    nodes = np.arange(n)
    inside = np.zeros(n, dtype=np.int64)
    flow = np.zeros(len(neighbour), dtype=np.int8)
    side = np.zeros(n, dtype=np.int8)
    reached = np.zeros(n, dtype=np.bool_)
    best = np.zeros(n, dtype=np.bool_)
    queue = np.empty(n, dtype=np.int64)
    via = np.empty(n, dtype=np.int64)
    key = np.empty(n, dtype=np.float64)
    stack = [(0, n)]
    part = 0
    while len(stack):
        low, high = stack.pop()
        if high - low <= SMALLEST:
            continue
        part += 1
        mine = nodes[low:high]
        for u in mine:
            inside[u] = part
        bound = len(neighbour) + 1
        for direction in range(4):
            for i in range(len(mine)):
                u = mine[i]
                if direction == 0:
                    key[i] = x[u]
                elif direction == 1:
                    key[i] = y[u]
                elif direction == 2:
                    key[i] = x[u] + y[u]
                else:
                    key[i] = x[u] - y[u]
            rising = np.argsort(key[: len(mine)], kind="mergesort")
            outer = max(1, len(mine) // OUTER)
            for i in range(len(mine)):
                side[mine[rising[i]]] = 1 if i < outer else (2 if i >= len(mine) - outer else 0)
            cut = least_cut(mine, side, start, neighbour, reverse, inside, part, bound, flow, reached, queue, via)
            if cut < bound:
                bound = cut
                for u in mine:
                    best[u] = reached[u]
        first, second = split_part(mine, best, start, neighbour, inside, part, queue)
        stack.append((low, low + first))
        stack.append((low + first, low + second))
    rank = np.empty(n, dtype=np.int64)
    for i in range(n):
        rank[nodes[i]] = i
    return rank
