"""The gate's road cases: repeatable work, on a city that is exact too."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from benchmarks.harness import measure
from benchmarks.roads.gate_cases import CASES, city


def test_counters_come_out_the_same_in_every_repeat() -> None:
    # `measure` itself refuses a case whose counters differ between two of its runs.
    found = {each.name: each.sample.counters for each in measure(CASES, repeats=2)}
    assert all(min(counters.values()) > 0 for counters in found.values())
    # A table of 1.5 million pairs joins some dozens of depths a pair.
    assert 5 < found["roads-table/1500x1000"]["sums"] / 1_500_000 < 100


def test_the_invented_city_is_exact() -> None:
    network = city()
    some = np.arange(0, network.streets.nodes, 40)
    for profile in network.profiles:
        found = dijkstra(network.as_csr(profile)[0], indices=some)[:, some]
        np.testing.assert_array_equal(network.travel_ms(some, some, profile=profile), found.astype(np.int64))
