"""Snapping against plain Python, and spots on edges against a graph that has nodes there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.cells import METRES_PER_DEGREE
from routing.errors import InvalidInput
from routing.roads.hierarchy.metric import PAIR_SHIFT
from routing.roads.snapping.snapping import CELL_M, Snaps
from tests.kit.roads import naive
from tests.kit.roads.graphs import Graph, graphs


@given(graphs(), st.lists(st.tuples(st.integers(-20, 90), st.integers(-20, 90)), min_size=1, max_size=8), st.data())
def test_nearest_allowed_line(graph: Graph, spots: list[tuple[int, int]], data: st.DataObject) -> None:
    if not graph.tail:
        return
    network = graph.network()
    streets = network.streets
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(graph.tail), max_size=len(graph.tail))))
    points = np.array([[41 + a * 1e-4, -8 + b * 1e-4] for a, b in spots])
    got = network.lookup.grid.snap(points, allowed, 1e6)
    middle = (streets.shape_lat.min() + streets.shape_lat.max()) / 2
    scale = np.array([METRES_PER_DEGREE, METRES_PER_DEGREE * np.cos(np.radians(middle))])
    place = np.stack([streets.shape_lat, streets.shape_lng], axis=1) * scale
    lines = [[tuple(p) for p in place[2 * e : 2 * e + 2].tolist()] for e in range(len(graph.tail))]
    for k, (lat, lng) in enumerate((points * scale).tolist()):
        line, away = naive.nearest_on_lines(lat, lng, lines, allowed.tolist())
        if line < 0:
            assert got.edge[k] == -1
            continue
        assert got.metres[k] == pytest.approx(away, abs=1e-5)
        assert allowed[got.edge[k]]
        assert naive.nearest_on_lines(lat, lng, [lines[got.edge[k]]], [True])[1] == pytest.approx(away, abs=1e-5)


def test_points_far_outside_find_the_border_within_reach() -> None:
    network = Graph(np.array([41.0, 41.001]), np.array([-8.0, -8.0]), [0], [1], [5000], [5000]).network()
    for degrees in (0.02, 0.2, 5.0):
        away = degrees * METRES_PER_DEGREE
        point = np.array([[41.001 + degrees, -8.0]])
        assert network.snap(point, profile="car", max_snap_m=away + 1).metres[0] == pytest.approx(away, rel=1e-6)
        assert network.snap(point, profile="car", max_snap_m=away - 1).edge[0] == -1
    assert CELL_M < 0.02 * METRES_PER_DEGREE


@pytest.mark.parametrize("point", [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0), (0.0, float("inf"))])
def test_points_outside_the_world(point: tuple[float, float]) -> None:
    network = Graph(np.array([41.0, 41.001]), np.array([-8.0, -8.0]), [0], [1], [5], [5]).network()
    with pytest.raises(InvalidInput, match="outside the world") as caught:
        network.nearest(np.array([[41.0, -8.0], point]), profile="car")
    assert caught.value.details["index"] == 1
    with pytest.raises(InvalidInput, match="n, 2"):
        network.nearest(np.zeros((2, 3)), profile="car")


@given(graphs(), st.data())
def test_spots_on_edges_equal_a_graph_with_nodes_there(graph: Graph, data: st.DataObject) -> None:
    """Cut the edges at the spots: Dijkstra between the new nodes must give the snapped times."""
    # No point is ever snapped to an edge that is shut both ways.
    usable = [e for e, ms in enumerate(zip(graph.along, graph.against, strict=True)) if max(ms) >= 0]
    if not usable:
        return
    network = graph.network()
    spot = st.tuples(st.sampled_from(usable), st.integers(0, 8))
    spots = data.draw(st.lists(spot, min_size=1, max_size=5))
    edge = np.array([e for e, _ in spots], dtype=np.int32)
    fraction = np.array([f / 8 for _, f in spots])
    snaps = Snaps(edge, fraction, np.zeros(len(spots)))
    got = network.snapped_ms(snaps, snaps, profile="car")
    pairs = network.snapped_pairs(snaps, snaps, profile="car")
    wanted = _between_spots(graph, spots)
    np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(np.where(pairs < 0, 2**31 - 1, pairs >> PAIR_SHIFT), wanted)


def _between_spots(graph: Graph, spots: list[tuple[int, int]]) -> np.ndarray:
    """Each spot becomes a node on its edge; parts are rounded as the network rounds them."""
    arcs = naive.arcs_of(graph.tail, graph.head, graph.along, graph.against)

    def part(ms: int, eighths: int) -> int:
        return int(ms * (eighths / 8) + 0.5)

    for k, (edge, eighths) in enumerate(spots):
        node = graph.nodes + k
        tail, head = graph.tail[edge], graph.head[edge]
        along, against = graph.along[edge], graph.against[edge]
        if along >= 0:
            arcs += [(tail, node, part(along, eighths)), (node, head, along - part(along, eighths))]
        if against >= 0:
            arcs += [(node, tail, part(against, eighths)), (head, node, against - part(against, eighths))]
        if eighths in (0, 8):
            end = tail if eighths == 0 else head
            arcs += [(node, end, 0), (end, node, 0)]
        for j, (other_edge, other) in enumerate(spots):
            if other_edge != edge or j == k:
                continue
            if along >= 0 and other >= eighths:
                arcs.append((node, graph.nodes + j, part(along, other) - part(along, eighths)))
            if against >= 0 and other <= eighths:
                arcs.append((node, graph.nodes + j, part(against, eighths) - part(against, other)))
    size = graph.nodes + len(spots)
    rows = [naive.dijkstra(size, arcs, graph.nodes + k)[graph.nodes :] for k in range(len(spots))]
    return np.array([[2**31 - 1 if ms == np.inf else int(ms) for ms in row] for row in rows])
