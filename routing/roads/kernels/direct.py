"""Ways that stay on one edge: two spots of the same edge need no node between them.

tail o-----x=========y-------o head      x: an origin, y: a destination on its edge
           |-------->|                   from x to y `along` the edge
           |<--------|                   from y to x `against` it
"""

from __future__ import annotations

from routing.kernels import inline_kernel, kernel


@inline_kernel
def part(weight, fraction):
    """The part of a pair up to a fraction of its edge, milliseconds and centimetres each rounded to nearest."""
    return (int((weight >> 31) * fraction + 0.5) << 31) + int((weight & 0x7FFFFFFF) * fraction + 0.5)


@kernel
def shorten_direct(edge, fraction, along, against, other_edge, other_fraction, order, far, shift, table):
    """Lower table[i, j] to the way along the edge that origin i and destination j share.

    `along`, `against` int64[n]: pairs of the origins' edges (milliseconds above 31 bits of centimetres), `far` where
    closed; `order`: destinations sorted by edge; `shift`: bits to drop from a pair (31: milliseconds, 0: none).
    """
    for i in range(len(edge)):
        e = edge[i]
        if e < 0:
            continue
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            if other_edge[order[middle]] < e:
                low = middle + 1
            else:
                high = middle
        while low < len(order) and other_edge[order[low]] == e:
            j = order[low]
            low += 1
            ahead = far
            if other_fraction[j] >= fraction[i] and along[i] < far:
                ahead = part(along[i], other_fraction[j]) - part(along[i], fraction[i])
            if other_fraction[j] <= fraction[i] and against[i] < far:
                ahead = min(ahead, part(against[i], fraction[i]) - part(against[i], other_fraction[j]))
            if ahead < far and (ahead >> shift) < table[i, j]:
                table[i, j] = ahead >> shift
