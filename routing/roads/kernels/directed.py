"""Elimination, triangles and customisation where arcs have one direction: each keeps only what it can ever carry.

On a turn-aware graph nearly every shortcut can be driven one way only, so a quarter of the triangles is left.
Source: Buchhold, Wagner, Zeitz, Zündorf, "Customizable Contraction Hierarchies with Turn Costs" (2020).
"""

from __future__ import annotations

import numpy as np

from routing.kernels import kernel


@kernel
def eliminate_directed(out_start, out_head, in_start, in_tail):
    """Upward arcs after elimination in the order of the nodes: (first_out, up_out, first_in, up_in), lists rising.

    `out_start`, `out_head` and `in_start`, `in_tail`: arcs leaving and entering every node, named by rank.
    """
    n = len(out_start) - 1
    first_out, first_in = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    up_out, up_in = np.empty(2 * len(out_head) + 16, dtype=np.int32), np.empty(2 * len(out_head) + 16, dtype=np.int32)
    # Linked lists: the lower nodes that a node has an arc to (it takes over what they lead to), or from.
    to_head, from_head = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    to_next, from_next = np.empty(len(up_in), dtype=np.int64), np.empty(len(up_out), dtype=np.int64)
    seen = np.full(n, -1, dtype=np.int32)
    lower_of_in, lower_of_out = np.empty(len(up_in), dtype=np.int32), np.empty(len(up_out), dtype=np.int32)
    outs, ins = 0, 0
    for v in range(n):
        if outs + n - v > len(up_out):
            up_out, from_next, lower_of_out = wider(up_out, n), wider(from_next, n), wider(lower_of_out, n)
        if ins + n - v > len(up_in):
            up_in, to_next, lower_of_in = wider(up_in, n), wider(to_next, n), wider(lower_of_in, n)
        begin = outs
        seen[v] = v
        for k in range(out_start[v], out_start[v + 1]):
            w = out_head[k]
            if w > v and seen[w] != v:
                seen[w] = v
                up_out[outs] = w
                outs += 1
        link = to_head[v]
        while link >= 0:
            low = lower_of_in[link]
            for k in range(first_out[low], first_out[low + 1]):
                w = up_out[k]
                if w > v and seen[w] != v:
                    seen[w] = v
                    up_out[outs] = w
                    outs += 1
            link = to_next[link]
        up_out[begin:outs].sort()
        first_out[v + 1] = outs
        for k in range(begin, outs):
            seen[up_out[k]] = -1
        start = ins
        for k in range(in_start[v], in_start[v + 1]):
            w = in_tail[k]
            if w > v and seen[w] != v:
                seen[w] = v
                up_in[ins] = w
                ins += 1
        link = from_head[v]
        while link >= 0:
            low = lower_of_out[link]
            for k in range(first_in[low], first_in[low + 1]):
                w = up_in[k]
                if w > v and seen[w] != v:
                    seen[w] = v
                    up_in[ins] = w
                    ins += 1
            link = from_next[link]
        up_in[start:ins].sort()
        first_in[v + 1] = ins
        for k in range(begin, outs):
            lower_of_out[k] = v
            from_next[k] = from_head[up_out[k]]
            from_head[up_out[k]] = k
        for k in range(start, ins):
            lower_of_in[k] = v
            to_next[k] = to_head[up_in[k]]
            to_head[up_in[k]] = k
    return first_out, up_out[:outs].copy(), first_in, up_in[:ins].copy()


@kernel
def wider(values, more):
    """A copy with room for twice the values and `more`."""
    copy = np.empty(2 * len(values) + more, dtype=values.dtype)
    copy[: len(values)] = values
    return copy


@kernel
def find_slot(first, up, low, high):
    """Index of `high` in the rising list of `low`."""
    left, right = first[low], first[low + 1] - 1
    while left < right:
        middle = (left + right) // 2
        if up[middle] < high:
            left = middle + 1
        else:
            right = middle
    return left


@kernel
def find_slots(first_out, up_out, first_in, up_in, tail, head):
    """Slot of every arc from position `tail` to `head`: its index among the leaving ones, or -2 - its index among the
    arriving ones; -1 for a loop."""
    slot = np.empty(len(tail), dtype=np.int32)
    for a in range(len(tail)):
        if tail[a] == head[a]:
            slot[a] = -1
        elif tail[a] > head[a]:
            slot[a] = find_slot(first_out, up_out, tail[a], head[a])
        else:
            slot[a] = -2 - find_slot(first_in, up_in, head[a], tail[a])
    return slot


@kernel
def find_directed_triangles(first_out, up_out, first_in, up_in):
    """Where the arc from x to y lies for every node v with arcs x-v and v-y, in the order of `customise_directed`.

    Among the arcs that leave x where y is above it, among those that enter y where x is; 0 where they are the same.
    """
    n = len(first_out) - 1
    total = 0
    for v in range(n):
        total += (first_out[v + 1] - first_out[v]) * (first_in[v + 1] - first_in[v])
    third = np.zeros(total, dtype=np.int32)
    t = 0
    for v in range(n - 1, -1, -1):
        for i in range(first_in[v], first_in[v + 1]):
            x = up_in[i]
            a = first_out[x]
            for j in range(first_out[v], first_out[v + 1]):
                y = up_out[j]
                if y < x:
                    while up_out[a] != y:
                        a += 1
                    third[t] = a
                elif y > x:
                    third[t] = find_slot(first_in, up_in, y, x)
                t += 1
    return third


@kernel
def lay_directed(slot, weight, leaving, arriving):
    """Put the arcs' weights into their slots, the least of parallel ones; the arrays arrive filled with `far`."""
    for a in range(len(slot)):
        s = slot[a]
        if s >= 0:
            leaving[s] = min(leaving[s], weight[a])
        elif s < -1:
            arriving[-2 - s] = min(arriving[-2 - s], weight[a])


@kernel
def customise_directed(first_out, up_out, first_in, up_in, third, leaving, arriving, far):
    """Relax every arc x-y over every lower node v, deepest first."""
    n = len(first_out) - 1
    t = 0
    for v in range(n - 1, -1, -1):
        begin, end = first_out[v], first_out[v + 1]
        for i in range(first_in[v], first_in[v + 1]):
            step = arriving[i]
            if step >= far:
                t += end - begin
                continue
            x = up_in[i]
            j = begin
            while j < end and up_out[j] < x:
                s = third[t]
                t += 1
                leaving[s] = min(leaving[s], leaving.dtype.type(step + leaving[j]))
                j += 1
            if j < end and up_out[j] == x:
                t += 1
                j += 1
            while j < end:
                s = third[t]
                t += 1
                arriving[s] = min(arriving[s], arriving.dtype.type(step + leaving[j]))
                j += 1
