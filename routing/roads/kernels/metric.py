"""Weights on the upward graph: customisation, and labels over the ancestors of a node.

Every kernel works on int32 (milliseconds) and on int64 (milliseconds above 31 bits of centimetres) alike; `far` is the
value for "no way", of the same type, and two of them still add up.
Sources: Dibbelt et al. (2016), section 7; Blum and Storandt, "Customizable Hub Labeling" (arXiv 2208.08709).
"""

from __future__ import annotations

from routing.kernels import kernel


@kernel
def lay_weights(arc, tail_below, forward, backward, up_weight, down_weight):
    """Put the edges' weights on their arcs, the least of parallel ones; the arrays arrive filled with `far`."""
    for e in range(len(arc)):
        a = arc[e]
        if a < 0:
            continue
        rising = forward[e] if tail_below[e] else backward[e]
        falling = backward[e] if tail_below[e] else forward[e]
        if rising < up_weight[a]:
            up_weight[a] = rising
        if falling < down_weight[a]:
            down_weight[a] = falling


@kernel
def customise(first, third, up_weight, down_weight):
    """Relax every lower triangle in both directions, deepest node first."""
    n = len(first) - 1
    t = 0
    for v in range(n - 1, -1, -1):
        start = first[v]
        for j in range(start, first[v + 1]):
            to_y, from_y = up_weight[j], down_weight[j]
            for i in range(start, j):
                a = third[t]
                t += 1
                rising = from_y + up_weight[i]
                if rising < up_weight[a]:
                    up_weight[a] = rising
                falling = down_weight[i] + to_y
                if falling < down_weight[a]:
                    down_weight[a] = falling


@kernel
def mark_ancestors(parent, row, nodes, filled, wanted):
    """Set `wanted` for the nodes above and at `nodes` that keep a label not yet `filled`; return their number."""
    count = 0
    for v in nodes:
        while v >= 0 and not wanted[v] and not filled[v]:
            if row[v] >= 0:
                wanted[v] = True
                count += 1
            v = parent[v]
    return count


@kernel
def fill_labels(first, up, depth, row, weight, wanted, label, far):
    """Fill the labels of the wanted nodes, parents first.

    label[row[v] + d] becomes the least weight from v to its ancestor of depth d (with arriving weights: to v from it).
    """
    for v in range(len(depth)):
        if not wanted[v]:
            continue
        mine = label[row[v] : row[v] + depth[v] + 1]
        mine[:] = far
        mine[depth[v]] = 0
        for a in range(first[v], first[v + 1]):
            u = up[a]
            step = weight[a]
            if step >= far:
                continue
            theirs = label[row[u] : row[u] + depth[u] + 1]
            for d in range(len(theirs)):
                mine[d] = min(mine[d], label.dtype.type(theirs[d] + step))
