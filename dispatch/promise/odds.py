"""What probabilities are found to be worth: a correction for each tenth of them, moved by each order's end.

Quantiles that are tracked follow with a delay, and beyond the outermost ones nothing is known.  Here the last step is
tracked by itself: of orders of which a like probability follows from the quantiles, how many keep their promise?
Corrections stand at the middles of the tenths, and between them a straight line does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import isqrt

from dispatch.promise.told import LEAST, MOST

MIDDLES = (LEAST, *range(150, 950, 100), MOST)
"""Thousandths: the middles of the tenths, of the outermost what is said beyond the quantiles.  There are as many as
LEVELS, so that lessons of both have one shape."""

PACE, FIRST_PACE = 8, 200
"""Thousandths of a surprise by which it moves what was said; at first by FIRST_PACE over the root of the orders."""


def shares(on_time: int) -> tuple[int, ...]:
    """Thousandths that add up to 1000: how much each tenth has to say of a probability."""
    low = max(bisect_right(MIDDLES, on_time, 1, len(MIDDLES) - 1) - 1, 0)
    high = (on_time - MIDDLES[low]) * 1000 // (MIDDLES[low + 1] - MIDDLES[low])
    return tuple(1000 - high if k == low else high if k == low + 1 else 0 for k in range(len(MIDDLES)))


def corrected(moved: Sequence[int], on_time: int) -> int:
    """Thousandths: the probability with what was found; `moved`: the correction of each tenth, in billionths.

    It never falls where `on_time` rises: a later promise is not kept less often.
    """
    found, highest = 0, -(10**12)
    for middle, move, share in zip(MIDDLES, moved, shares(on_time), strict=True):
        highest = max(highest, middle * 1_000_000 + move)
        found += highest * share
    return max(LEAST, min(found // 1_000_000_000, MOST))


def steps(said: int, on_time: int, *, is_kept: bool) -> tuple[int, ...]:
    """Millionths by which an end moves each tenth: `said` was told where `on_time` followed from the quantiles."""
    surprise = (1000 if is_kept else 0) - said
    return tuple(surprise * share for share in shares(on_time))


def weight(ends: int) -> int:
    """Thousandths of its steps that the next end counts for, after so many."""
    return max(PACE, FIRST_PACE * 1000 // isqrt((ends + 1) * 1_000_000))
