"""How evenly something is spread over riders."""

from __future__ import annotations

from collections.abc import Iterable


def gini(values: Iterable[float]) -> float:
    """0 where all are the same, towards 1 where one has everything; 0 of nothing."""
    ordered = sorted(values)
    total, count = sum(ordered), len(ordered)
    if not total:
        return 0.0
    return sum((2 * k - count + 1) * value for k, value in enumerate(ordered)) / (count * total)
