"""Paired differences: mean, interval, two tests, and how many more pairs would settle the question."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from halfhour.lab.statistics.student import quantile, two_sided

EXACT_UP_TO = 12
"""Up to so many pairs every assignment of signs is tried; beyond, `DRAWS` of them."""
DRAWS = 9_999
POWER = 0.8
"""Probability with which the pairs still needed would show the least effect."""

TINY = 1e-12
"""Sums of signs closer than this share of the largest are equal: they differ by rounding alone."""


class Paired(NamedTuple):
    """What n differences say of their mean.  `deviation`, `half_width`, `p_t` are None with fewer than two."""

    pairs: int
    mean: float
    deviation: float | None
    half_width: float | None
    """Half the interval of the mean at level 1 - alpha, by Student's t."""
    p_t: float | None
    """Two-sided paired t test of mean 0."""
    p_flip: float
    """Two-sided sign-flip test: under no effect every difference may as well have the other sign."""


def paired(differences: Sequence[float], alpha: float = 0.05, seed: int = 0) -> Paired:
    """The figures of at least one difference; `seed`: of the signs that are drawn where there are many."""
    values = np.asarray(differences, dtype=np.float64)
    count, mean = len(values), float(values.mean())
    p_flip = sign_flip(values, seed)
    if count < 2:
        return Paired(count, mean, None, None, None, p_flip)
    deviation = float(values.std(ddof=1))
    error = deviation / math.sqrt(count)
    half_width = quantile(1.0 - alpha, count - 1) * error
    if error == 0.0:
        return Paired(count, mean, deviation, half_width, 1.0 if mean == 0.0 else 0.0, p_flip)
    return Paired(count, mean, deviation, half_width, two_sided(mean / error, count - 1), p_flip)


def sign_flip(differences: NDArray[np.float64], seed: int = 0) -> float:
    """Two-sided p of the sign-flip test: exact for few differences, else (1 + as extreme) / (1 + drawn)."""
    count = len(differences)
    observed = abs(float(differences.sum()))
    bound = observed - TINY * float(np.abs(differences).sum())
    if count <= EXACT_UP_TO:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=count)))
        return float((np.abs(signs @ differences) >= bound).mean())
    luck = np.random.Generator(np.random.PCG64(seed))
    signs = np.where(luck.random((DRAWS, count)) < 0.5, -1.0, 1.0)
    return (1 + int((np.abs(signs @ differences) >= bound).sum())) / (DRAWS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values of several tests, in their order: below alpha keeps the chance of any false one below it.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, k in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted


def needed(deviation: float, effect: float, alpha: float = 0.05) -> int:
    """How many pairs show a mean difference of `effect` (positive) with probability `POWER`."""
    normal = NormalDist()
    reach = normal.inv_cdf(1.0 - alpha / 2.0) + normal.inv_cdf(POWER)
    return max(2, math.ceil((reach * deviation / effect) ** 2))
