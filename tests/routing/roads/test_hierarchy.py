"""Order, elimination, labels, join: exact against plain Python and scipy."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from routing.roads import RoadNetwork
from routing.roads.hierarchy import hierarchy as building
from routing.roads.hierarchy.hierarchy import build_hierarchy
from routing.roads.hierarchy.metric import NO_WAY_MS, MetricWork
from routing.roads.hierarchy.order import adjacency, by_flow, by_metis
from routing.roads.kernels.components import strong_components
from tests.kit.roads import naive
from tests.kit.roads.graphs import Graph, graphs, random_city


def expected_ms(graph: Graph) -> np.ndarray:
    return np.array([[NO_WAY_MS if ms == np.inf else int(ms) for ms in row] for row in graph.oracle()])


@given(graphs())
def test_travel_ms_equals_dijkstra_between_all_nodes(graph: Graph) -> None:
    every = np.arange(graph.nodes)
    got = graph.network().travel_ms(every, every, profile="car")
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, expected_ms(graph))


@given(graphs())
def test_travel_ms_equals_scipy_over_as_csr(graph: Graph) -> None:
    network = graph.network()
    every = np.arange(graph.nodes)
    csr, latlng = network.as_csr("car")
    assert latlng.shape == (graph.nodes, 2)
    found = dijkstra(csr)
    got = network.travel_ms(every, every, profile="car")
    np.testing.assert_array_equal(got, np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64))


@given(graphs(), st.sampled_from(["flow", "metis"]))
def test_elimination_is_the_fill_of_its_order(graph: Graph, method: str) -> None:
    tail, head = np.array(graph.tail, dtype=np.int32), np.array(graph.head, dtype=np.int32)
    start, neighbour = adjacency(graph.nodes, tail, head)
    rank = by_flow(graph.lat, graph.lng, start, neighbour) if method == "flow" else by_metis(start, neighbour)
    if rank is None:
        assert method == "metis"
        return
    assert sorted(rank.tolist()) == list(range(graph.nodes))
    h = building._eliminate(start, neighbour, rank, tail, head)
    upward = naive.fill_in(graph.nodes, zip(graph.tail, graph.head, strict=True), np.argsort(rank).tolist())
    for node in range(graph.nodes):
        v = h.position[node]
        got = h.up[h.first[v] : h.first[v + 1]]
        assert got.tolist() == sorted(h.position[other] for other in upward[node])
        assert h.parent[v] == (got[-1] if len(got) else -1)
        assert h.depth[v] == (h.depth[h.parent[v]] + 1 if len(got) else 0)
        below = [w for w in range(graph.nodes) if v in ancestors(h.parent, w)]
        assert below == list(range(v, h.end[v]))


def ancestors(parent: np.ndarray, v: int) -> list[int]:
    """v and all above it."""
    chain = [v]
    while parent[chain[-1]] >= 0:
        chain.append(int(parent[chain[-1]]))
    return chain


@given(graphs())
def test_every_order_gives_the_same_times(graph: Graph) -> None:
    every = np.arange(graph.nodes)
    wanted = expected_ms(graph)
    streets = graph.network().streets
    start, neighbour = adjacency(graph.nodes, streets.tail, streets.head)
    for rank in (by_flow(graph.lat, graph.lng, start, neighbour), by_metis(start, neighbour)):
        if rank is not None:
            network = RoadNetwork(streets, building._eliminate(start, neighbour, rank, streets.tail, streets.head))
            np.testing.assert_array_equal(network.travel_ms(every, every, profile="car"), wanted)


def test_the_order_does_without_metis(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_city(2)
    tail, head = np.array(graph.tail, dtype=np.int32), np.array(graph.head, dtype=np.int32)
    plain = build_hierarchy(graph.lat, graph.lng, tail, head, metis=False)
    monkeypatch.setitem(sys.modules, "pymetis", None)
    np.testing.assert_array_equal(build_hierarchy(graph.lat, graph.lng, tail, head).position, plain.position)


@given(graphs())
def test_strong_components(graph: Graph) -> None:
    arcs = sorted(set(zip(graph.tail, graph.head, strict=True)))
    start = np.zeros(graph.nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount([a for a, _ in arcs], minlength=graph.nodes), out=start[1:])
    component = strong_components(start, np.array([b for _, b in arcs], dtype=np.int32))
    wanted = naive.strong_sets(graph.nodes, arcs)
    got = [frozenset(np.flatnonzero(component == component[node]).tolist()) for node in range(graph.nodes)]
    assert got == wanted


@pytest.mark.parametrize("seed", range(6))
def test_a_city_of_a_few_hundred_nodes(seed: int) -> None:
    graph = random_city(seed, side=18)
    network = graph.network()
    csr, _ = network.as_csr("car")
    found = dijkstra(csr)
    wanted = np.where(np.isinf(found), NO_WAY_MS, found).astype(np.int64)
    every = np.arange(graph.nodes)
    np.testing.assert_array_equal(network.travel_ms(every, every, profile="car"), wanted)
    # Repeated and shuffled nodes, and more targets than one block takes.
    rng = np.random.default_rng(seed)
    some, many = rng.integers(0, graph.nodes, 40), rng.integers(0, graph.nodes, 2500)
    np.testing.assert_array_equal(network.travel_ms(some, many, profile="car"), wanted[some][:, many])


def test_labels_are_filled_where_they_are_asked_for_and_only_once() -> None:
    graph = random_city(1)
    network = graph.network()
    first, again, everything = MetricWork(), MetricWork(), MetricWork()
    network.travel_ms([0], [5], profile="car", work=first)
    network.travel_ms([0], [5], profile="car", work=again)
    kept = int((network.hierarchy.row >= 0).sum())
    assert 0 < first.labels < kept
    assert again.labels == 0
    assert again.sums == first.sums > 0
    every = np.arange(graph.nodes)
    network.travel_ms(every, every, profile="car", work=everything)
    assert first.labels + everything.labels == kept


def test_a_grid_has_short_labels() -> None:
    """A square grid of n nodes has separators of about its side; labels several times that are a broken order."""
    side = 30
    node = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()]).astype(np.int32)
    head = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()]).astype(np.int32)
    lat, lng = np.divmod(np.arange(side * side), side)
    h = build_hierarchy(lat / 1e3, lng / 1e3, tail, head)
    assert h.width <= 4 * side


def test_no_nodes_at_all() -> None:
    nothing = np.zeros(0)
    h = build_hierarchy(nothing, nothing, nothing.astype(np.int32), nothing.astype(np.int32))
    assert len(h.position) == 0
