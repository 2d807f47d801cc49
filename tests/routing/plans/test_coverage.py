"""Empty moves against a plain count of every move."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.coverage.coverage import DEPTH, delay_curve, empty_moves

BUCKET = 60


def plain_curve(notices: list[int], enter: int, buckets: int) -> list[int]:
    """Mean of max(0, distance + enter - notice) in thousandths of a tick, for each distance."""
    if not notices:
        return [0] * buckets
    waits = [[max(0, b * BUCKET + enter - n * BUCKET) for n in notices] for b in range(buckets)]
    return [sum(wait) * 1000 // len(notices) for wait in waits]


def plain_cost(rate: list[int], curve: list[list[int]], times: list[dict[int, int]]) -> int:
    """Expected delay over all stores; times[s]: vehicle -> ticks until it can be there."""
    total = 0
    for s, row in enumerate(times):
        for i, ticks in enumerate(sorted(row.values())[:DEPTH]):
            b = min(-(-ticks // BUCKET), len(curve[s]) - 1)
            total += rate[s] * (curve[s][b] >> i)
    return total


def plain_moves(
    rate: list[int], curve: list[list[int]], reach: list[list[int]], between: list[list[int]], idle: list[int],
    legs: list[list[int]], horizon: int, least: int, longest: int, drive: int,
) -> list[int]:  # fmt: skip
    """Each idle vehicle in turn to the store worth most, everything counted anew for every store."""
    stores = range(len(rate))
    times = [{v: reach[v][s] for v in range(len(reach))} for s in stores]
    targets = []
    for i, v in enumerate(idle):
        now = plain_cost(rate, curve, times)
        away = [{u: t for u, t in row.items() if u != v} for row in times]
        rise = plain_cost(rate, curve, away) - now
        worth = {}
        for t in stores:
            if legs[i][t] <= longest:
                there = [{**row, v: between[t][s]} for s, row in enumerate(away)]
                worth[t] = horizon * (now - plain_cost(rate, curve, there)) - legs[i][t] * (rise + drive)
        best = max(worth, key=lambda t: (worth[t], -t), default=-1)
        if best < 0 or worth[best] <= least * 10**9:
            targets.append(-1)
            continue
        targets.append(best)
        for s in stores:
            times[s] = {**away[s], v: legs[i][best] + between[best][s]}
    return targets


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=12), st.integers(0, 200))
def test_curve_is_the_mean_wait(notices: list[int], enter: int) -> None:
    counts = np.bincount(np.array(notices, dtype=np.int64), minlength=31)[None, :]
    assert delay_curve(counts, enter, BUCKET, 40)[0].tolist() == plain_curve(notices, enter, 40)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 7))
def test_moves_are_those_of_a_plain_count(seed: int, stores: int, vehicles: int) -> None:
    rng = np.random.default_rng(seed)
    curve = np.sort(rng.integers(0, 10**6, (stores, 12)), axis=1)
    rate = rng.integers(0, 500, stores)
    reach = rng.integers(0, 900, (vehicles, stores)).astype(np.int32)
    between = rng.integers(0, 900, (stores, stores)).astype(np.int32)
    np.fill_diagonal(between, 0)
    # No more vehicles than are remembered beyond those that count: the plain count knows them all.
    idle = rng.permutation(vehicles)[: int(rng.integers(1, 4))].astype(np.int32)
    legs = rng.integers(0, 1200, (len(idle), stores)).astype(np.int32)
    limits = {"horizon": 1200, "least": int(rng.integers(0, 60)), "longest": 900}
    limits["drive"] = int(rng.choice([0, 10**6, 10**9]))
    targets = empty_moves(rate, curve, reach, between, idle, legs, bucket=BUCKET, **limits)
    assert targets.tolist() == plain_moves(
        rate.tolist(), curve.tolist(), reach.tolist(), between.tolist(), idle.tolist(), legs.tolist(), **limits
    )


def test_nobody_moves_without_stores_or_idle_vehicles() -> None:
    nothing = np.zeros((0, 0), dtype=np.int32)
    none = np.zeros(0, dtype=np.int64)
    limits = {"bucket": 60, "horizon": 1200, "least": 3, "longest": 900}
    assert (
        empty_moves(none, nothing.astype(np.int64), nothing, nothing, none.astype(np.int32), nothing, **limits).tolist()
        == []
    )


def test_an_idle_vehicle_goes_where_all_requests_come_from() -> None:
    # One store, 10 minutes away, notice 5 minutes: from here a request waits 7 minutes (2 to enter), from there none.
    curve = delay_curve(np.bincount([5], minlength=6)[None, :].astype(np.int64), 120, 60, 61)
    ten = np.array([[600]], dtype=np.int32)
    targets = empty_moves(
        np.array([100]), curve, ten, np.zeros((1, 1), dtype=np.int32), np.array([0], dtype=np.int32), ten,
        bucket=60, horizon=1200, least=3, longest=900,
    )  # fmt: skip
    # 100 requests per million ticks x 1200 ticks x 420 ticks saved = 50 ticks; being under way costs nothing now.
    assert targets.tolist() == [0]
