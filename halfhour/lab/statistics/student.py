"""Student's t for whole degrees of freedom: closed sums, no tables, no approximation.

Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
"""

from __future__ import annotations

import functools
import math


def within(t: float, freedom: int) -> float:
    """Probability that |T| is at most `t` (not negative), T with `freedom` degrees of freedom, at least one."""
    if math.isinf(t):
        return 1.0
    angle = math.atan2(t, math.sqrt(freedom))
    cos2 = math.cos(angle) ** 2
    if freedom % 2:
        term = total = math.cos(angle) if freedom > 1 else 0.0
        for k in range(3, freedom, 2):
            term *= cos2 * (k - 1) / k
            total += term
        return 2.0 / math.pi * (angle + math.sin(angle) * total)
    term = total = 1.0
    for k in range(2, freedom, 2):
        term *= cos2 * (k - 1) / k
        total += term
    return math.sin(angle) * total


def two_sided(t: float, freedom: int) -> float:
    """Probability of a value at least as far from 0 as `t`."""
    return min(1.0, max(0.0, 1.0 - within(abs(t), freedom)))


@functools.lru_cache(maxsize=1024)
def quantile(level: float, freedom: int) -> float:
    """The t with `within(t) == level`, 0 < level < 1: halves of an interval of that level, in standard errors."""
    low, high = 0.0, 1.0
    while within(high, freedom) < level:
        low, high = high, 2.0 * high
    while True:  # halve until no number lies between
        middle = (low + high) / 2.0
        if middle in (low, high):
            return high
        if within(middle, freedom) < level:
            low = middle
        else:
            high = middle
