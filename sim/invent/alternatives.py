"""Alternatives of orders in an invented day: other stores that could fulfil them, a counter instead of the door."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dispatch.ways import Source

PER_WALKED_M = 70
"""Points for each metre to a counter: what a customer who fetches walks, at 1.4 metres a second, costs like waiting."""


def sources_near(
    rng: np.random.Generator, store_ids: Sequence[str], own: Source, way_m: NDArray[np.int32],
    prep_s: NDArray[np.float64], count: int,
) -> tuple[Source, ...]:  # fmt: skip
    """The order's own store and the `count` - 1 others nearest to its door; `way_m`, `prep_s`: of every store."""
    found = [own]
    for k in np.argsort(way_m, kind="stable").tolist():
        if len(found) >= count:
            break
        if store_ids[k] != own.store_id:
            told_s = max(180, round(float(prep_s[k]) / 60 + float(rng.normal(0, 1.2))) * 60)
            found.append(Source(store_ids[k], told_s))
    return tuple(found)
