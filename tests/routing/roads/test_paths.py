"""Ways along streets on random graphs: as long as the table says, and connected edge by edge."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from routing.roads.city.paths import find_path
from routing.roads.hierarchy.metric import PAIR_SHIFT
from routing.roads.snapping.snapping import Snaps
from tests.kit.roads.graphs import Graph, graphs

spot = st.tuples(st.integers(0, 1000), st.integers(0, 8))


@given(graphs(), spot, spot)
def test_paths_are_connected_and_take_what_the_table_says(
    graph: Graph, here: tuple[int, int], there: tuple[int, int]
) -> None:
    if not graph.tail:
        return
    network = graph.network()
    begin, finish = (
        Snaps(np.array([e % len(graph.tail)], dtype=np.int32), np.array([f / 8]), np.zeros(1)) for e, f in (here, there)
    )
    pair = int(network.snapped_pairs(begin, finish, profile="car")[0, 0])
    travel = network.state.travel("car", None, metres=True)
    path = find_path(network.streets, network.graph("car"), network.lookup.grid, travel, begin, finish)
    if pair < 0:
        assert not path.found
        return
    assert path.seconds == (pair >> PAIR_SHIFT) / 1000
    assert path.metres == (pair & (2**PAIR_SHIFT - 1)) / 100
    steps = list(zip(path.edges.tolist(), path.against.tolist(), strict=True))
    for edge, against in steps[1:-1]:
        assert (graph.against if against else graph.along)[edge] >= 0
    ends = [(graph.head[e], graph.tail[e]) if against else (graph.tail[e], graph.head[e]) for e, against in steps]
    for (_, leaves), (enters, _) in itertools.pairwise(ends):
        assert leaves == enters
    whole = sum((graph.against if against else graph.along)[edge] for edge, against in steps[1:-1])
    assert whole <= pair >> PAIR_SHIFT
