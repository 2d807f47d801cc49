"""A price for unfairness: work of who has had more orders an hour than all on duty costs more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEAST_DUTY_S = 1800
"""Who has been on duty for less counts as for so long: the first order makes nobody rich."""


def fair_prices(brought: Sequence[int], on_duty_s: Sequence[int], work_price: int, fair: int) -> NDArray[np.int64]:
    """The price of a second of each rider's work, int64[V].

    `brought`: orders of each since their duty began, `on_duty_s` seconds ago; `fair`: points for who has had twice the
    rate of all together.
    """
    counts = np.array(brought, dtype=np.int64)
    counted = np.maximum(np.array(on_duty_s, dtype=np.int64), LEAST_DUTY_S)
    total_s, total = int(counted.sum()), int(counts.sum())
    if not total or not fair:
        return np.full(len(counts), work_price, dtype=np.int64)
    # The rate of each over that of all, less one: between -1 and 1, in whole points.
    over = (counts * total_s - counted * total) * fair // (counted * total)
    return np.asarray(np.maximum(0, work_price + np.clip(over, -fair, fair)), dtype=np.int64)
