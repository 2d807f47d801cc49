"""The min-plus join of labels: rows of sources, a depth-major block of targets, and the table between them.

A *point* is a node, or a spot on an edge: up to two (node, offset) ends, -1 for none.  One end is an ancestor of the
other; the deeper one is the point's base.

    source k ----> ancestor of its base at depth d        rows[k, d]
                      |
    target j <--------+                                   block[d, j]; targets below x: before[x] .. before[end[x]]
"""

from __future__ import annotations

import numpy as np

from routing.kernels import inline_kernel, kernel


@kernel
def count_before(base, n):
    """Number of entries of the rising `base` below every position from 0 to n, int32[n + 1]."""
    before = np.empty(n + 1, dtype=np.int32)
    j = 0
    for v in range(n + 1):
        while j < len(base) and base[j] < v:
            j += 1
        before[v] = j
    return before


@inline_kernel
def relax(best, theirs, ahead):
    """best[j] = min(best[j], theirs[j] + ahead), in the arrays' own type."""
    for j in range(len(best)):
        best[j] = min(best[j], best.dtype.type(theirs[j] + ahead))


@kernel
def gather_rows(first, up, parent, depth, row, label, weight, node, offset, base, far, rows):
    """Label of every point, rows[k, d] = least weight to (or from) the base's ancestor of depth d, `far` elsewhere.

    `node` int32[k, 2] positions, `offset` [k, 2].  Nodes that keep no label (row -1) lie at the bottom of the tree:
    from the base, the few of them up to the first that keeps one are relaxed one after the other.
    """
    for k in range(len(base)):
        mine = rows[k]
        mine[:] = far
        for side in range(2):
            v = node[k, side]
            ahead = offset[k, side]
            if v < 0 or ahead >= far:
                continue
            if row[v] < 0:
                mine[depth[v]] = min(mine[depth[v]], ahead)
            else:
                relax(mine[: depth[v] + 1], label[row[v] : row[v] + depth[v] + 1], ahead)
        x = base[k]
        while x >= 0 and row[x] < 0:
            ahead = mine[depth[x]]
            for a in range(first[x], first[x + 1]):
                step = rows.dtype.type(min(ahead + weight[a], far))
                if step >= far:
                    continue
                u = up[a]
                if row[u] < 0:
                    mine[depth[u]] = min(mine[depth[u]], step)
                else:
                    relax(mine[: depth[u] + 1], label[row[u] : row[u] + depth[u] + 1], step)
            x = parent[x]


@kernel
def join_rows(parent, depth, end, base, rows, block, before, order, far, unreachable, shift, table):
    """table[k, order[j]] = least of rows[k, d] + block[d, j] over the common ancestors, less shift[k].

    `block` [d, j]: labels of the targets, depth-major, sorted by base; `before` int32[n + 1]: number of targets whose
    base has a smaller position.  The targets below the source's ancestor x are the columns before[x] to before[end[x]],
    so the columns of deeper ancestors nest in those of higher ones, and four depths share the innermost columns.
    Returns the number of sums formed.
    """
    m = len(order)
    best = np.empty(m, dtype=rows.dtype)
    left = np.zeros(rows.shape[1] + 4, dtype=np.int64)
    right = np.zeros(rows.shape[1] + 4, dtype=np.int64)
    joined = 0
    for k in range(len(base)):
        best[:] = far
        x = base[k]
        deepest = -1
        while x >= 0:
            d = depth[x]
            left[d], right[d] = before[x], before[end[x]]
            if deepest < 0 and left[d] < right[d]:
                deepest = d
            x = parent[x]
        mine = rows[k]
        d = 0
        while d + 3 <= deepest:
            l, r = left[d + 3], right[d + 3]
            a0, a1, a2, a3 = mine[d], mine[d + 1], mine[d + 2], mine[d + 3]
            b0, b1, b2, b3 = block[d, l:r], block[d + 1, l:r], block[d + 2, l:r], block[d + 3, l:r]
            inner = best[l:r]
            for j in range(len(inner)):
                p = min(rows.dtype.type(b0[j] + a0), rows.dtype.type(b1[j] + a1))
                q = min(rows.dtype.type(b2[j] + a2), rows.dtype.type(b3[j] + a3))
                inner[j] = min(inner[j], min(p, q))
            joined += 4 * (r - l)
            for e in range(d, d + 3):
                relax(best[left[e] : l], block[e, left[e] : l], mine[e])
                relax(best[r : right[e]], block[e, r : right[e]], mine[e])
                joined += (l - left[e]) + (right[e] - r)
            d += 4
        while d <= deepest:
            relax(best[left[d] : right[d]], block[d, left[d] : right[d]], mine[d])
            joined += right[d] - left[d]
            d += 1
        line = table[k]
        for j in range(m):
            line[order[j]] = best[j] - shift[k] if best[j] < far else unreachable
    return joined
