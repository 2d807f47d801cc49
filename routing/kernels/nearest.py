"""For every node the nodes that suit it best as neighbours: by the shorter way, and by what windows part them by."""

from __future__ import annotations

import numpy as np

from routing.kernels import inner_kernel, lean_kernel

WAIT_SHARE = 5
"""A tick of waiting between two nodes parts them as much as a fifth of a tick of driving."""


@inner_kernel
def _parted(one, other, way):
    """Ticks of a way between two rows of (opens, closes, stay), a fifth of the wait behind it, and all of the delay."""
    gap = one[2] + way
    return way + max(other[0] - one[1] - gap, 0) // WAIT_SHARE + max(one[0] + gap - other[1], 0)


@lean_kernel
def write_nearest(ticks, back, place, span, nearest, far):
    """Nearest nodes of each of n, itself first, the lower one of equals: fills `nearest` int32[n, at most n].

    `ticks` int32[P, P] and its transpose `back`; `place` int64[n]; `span` int64[n, 3] of first opening, last closing
    and stay, or [0, 3] where no window parts anybody.  Scratch: `far` int64[count].
    """
    nodes, count = nearest.shape
    for a in range(nodes):
        there, coming, found = ticks[place[a]], back[place[a]], 0
        for b in range(nodes):
            way, other = np.int64(there[place[b]]), np.int64(coming[place[b]])
            if len(span):
                way, other = _parted(span[a], span[b], way), _parted(span[b], span[a], other)
            way = np.int64(-1) if a == b else min(way, other)
            if found == count and way >= far[count - 1]:
                continue
            k = found if found < count else count - 1
            while k > 0 and far[k - 1] > way:
                far[k], nearest[a, k] = far[k - 1], nearest[a, k - 1]
                k -= 1
            far[k], nearest[a, k] = way, b
            found = min(found + 1, count)
