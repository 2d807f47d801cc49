"""Road cases that need no data: work counters of order, customisation, labels and joins on an invented city."""

from __future__ import annotations

import functools

import numpy as np

from benchmarks.harness import Case, Sample, Work
from routing.roads import EdgeFactors, RoadNetwork
from routing.roads.hierarchy.hierarchy import build_hierarchy
from routing.roads.hierarchy.metric import MetricWork as Counted
from routing.roads.source.arrays import streets_from_arrays

SIDE = 80
"""Crossings along one side of the invented city."""


@functools.cache
def city() -> RoadNetwork:
    """A jittered grid that lost a sixth of its streets; the order is inertial flow's, the same on every machine."""
    rng = np.random.default_rng(11)
    node = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    jitter = rng.integers(-40, 41, (2, SIDE * SIDE))
    lat, lng = (100 * row + jitter[0]) * 1e-5, (100 * column + jitter[1]) * 1e-5
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    kept = rng.integers(0, 6, len(tail)) > 0
    fast = (row[tail[kept]] % 8 == 0) & (row[head[kept]] % 8 == 0)
    streets, notes = streets_from_arrays(
        lat, lng, tail[kept], head[kept], rng.integers(60, 180, int(kept.sum())).astype(np.float64),
        road_class=np.where(fast, "secondary", "residential").tolist(),
        oneway=rng.integers(0, 5, int(kept.sum())) == 0,
        profiles=("bike", "car"),
    )  # fmt: skip
    return RoadNetwork(
        streets, build_hierarchy(streets.lat, streets.lng, streets.tail, streets.head, metis=False), notes=notes
    )


def _order() -> Work:
    streets = city().streets

    def work() -> Sample:
        made = build_hierarchy(streets.lat, streets.lng, streets.tail, streets.head, metis=False)
        counters = {"arcs": len(made.up), "triangles": len(made.third), "label_entries": made.label_entries}
        return Sample(counters, amount=streets.nodes)

    return work


def _table() -> Work:
    network = city()
    nodes = np.random.default_rng(1).integers(0, network.streets.nodes, 1500)

    def work() -> Sample:
        counted = Counted()
        network.travel_ms(nodes, nodes[500:], profile="car", work=counted)
        return Sample({"sums": counted.sums}, amount=1_500_000)

    return work


def _traffic() -> Work:
    network = city().twin()
    nodes = np.random.default_rng(2).integers(0, network.streets.nodes, 1500)
    factors = np.random.default_rng(3).integers(40, 120, (2, network.streets.edges)) / 100
    states = [EdgeFactors(each) for each in factors]

    def work() -> Sample:
        counted = Counted()
        for state in states:
            network.update_speeds([state])
            network.travel_ms(nodes, nodes[500:], profile="car", work=counted)
        return Sample({"labels": counted.labels, "sums": counted.sums}, amount=2)

    return work


CASES = (
    Case(f"roads-order/{SIDE}x{SIDE}", _order, repeats=3, unit="nodes"),
    Case("roads-table/1500x1000", _table, unit="pairs"),
    Case("roads-traffic/1500x1000", _traffic, unit="states"),
)
