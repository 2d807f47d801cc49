"""The exact assignment against all permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidInput
from routing.plans.matching import assign


def cheapest(price: np.ndarray, able: np.ndarray) -> int | None:
    """Least sum over all ways to give every row a column of its own; None where there is none."""
    plans, vehicles = price.shape
    sums = [
        sum(int(price[i, v]) for i, v in enumerate(way))
        for way in permutations(range(vehicles), plans)
        if all(able[i, v] for i, v in enumerate(way))
    ]
    return min(sums) if sums else None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 5), st.sampled_from([10, 10**12]))
def test_assign_is_as_cheap_as_the_best_of_all_ways(seed: int, plans: int, vehicles: int, scale: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.integers(-scale, scale, (plans, vehicles))
    able = rng.random((plans, vehicles)) < 0.8
    plan, vehicle = np.nonzero(able)
    best = cheapest(price, able)
    if best is None:
        with pytest.raises(InvalidInput) as wrong:
            assign(plan.astype(np.int32), vehicle.astype(np.int32), price[able], plans, vehicles)
        assert wrong.value.code == "no_assignment"
        return
    taker = assign(plan.astype(np.int32), vehicle.astype(np.int32), price[able], plans, vehicles)
    assert len(set(taker.tolist())) == plans
    assert able[np.arange(plans), taker].all()
    assert int(price[np.arange(plans), taker].sum()) == best


def test_nobody_to_assign() -> None:
    none = np.zeros(0, dtype=np.int32)
    assert assign(none, none, np.zeros(0, dtype=np.int64), 0, 3).tolist() == []
