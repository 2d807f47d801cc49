"""The exact assignment and the flow of plans against all ways there are."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidInput
from routing.plans.ortools.assignment import assign, share_out


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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4), st.integers(0, 4), st.sampled_from([10, 10**9]))
def test_share_out_is_as_cheap_as_the_best_of_all_ways(seed: int, plans: int, vehicles: int, scale: int) -> None:
    rng = np.random.default_rng(seed)
    price, skip = rng.integers(0, scale, (plans, vehicles)), rng.integers(0, scale, plans)
    able = rng.random((plans, vehicles)) < 0.7
    plan, vehicle = np.nonzero(able)
    taker = share_out(plan.astype(np.int32), vehicle.astype(np.int32), price[able], skip, vehicles)
    served = np.flatnonzero(taker >= 0)
    assert len(set(taker[served].tolist())) == len(served)
    assert able[served, taker[served]].all()
    paid = int(price[served, taker[served]].sum()) + int(skip[taker < 0].sum())
    ways = (
        sum(int(skip[i]) if v < 0 else int(price[i, v]) for i, v in enumerate(way))
        for way in product(range(-1, vehicles), repeat=plans)
        if all(v < 0 or able[i, v] for i, v in enumerate(way))
        and len({v for v in way if v >= 0}) == sum(v >= 0 for v in way)
    )
    assert paid == min(ways)


def test_prices_beyond_exact_sums_are_refused() -> None:
    one = np.zeros(1, dtype=np.int32)
    with pytest.raises(InvalidInput) as wrong:
        share_out(one, one, np.array([2**62]), np.array([2**62]), 1)
    assert wrong.value.code == "no_assignment"
