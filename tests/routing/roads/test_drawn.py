"""Drawn cities with derived travel times: seconds, streets, spots on edges, reach."""

from __future__ import annotations

import numpy as np
import pytest

from routing.cells import cell_of
from routing.roads.errors import TooFarFromRoad, UnknownNode, UnknownProfile
from tests.kit.roads.drawing import Drawn, draw

# By car, primary is 48 km/h: 100 m in 7.5 s; residential is 25 km/h: 100 m in 14.4 s.
MAIN_S, SIDE_S = 7.5, 14.4

BLOCK = """
    A-B-C
    |   v
    D.F.E
"""


@pytest.fixture(scope="module")
def block() -> Drawn:
    return draw(BLOCK)


def test_streets_and_one_ways_decide(block: Drawn) -> None:
    # D to E: two lanes of 14.4 s; round by A, B, C: 4 x 7.5 = 30 s.
    assert block.seconds("D", "E") == pytest.approx(2 * SIDE_S)
    # C to D: over B and A 3 x 7.5 s; down the one-way and over the lanes 36.3 s.
    assert block.seconds("C", "D") == pytest.approx(3 * MAIN_S)
    # E to C: the one-way is shut, so both lanes and three streets.
    assert block.seconds("E", "C") == pytest.approx(2 * SIDE_S + 3 * MAIN_S)


def test_on_foot_one_ways_do_not_count(block: Drawn) -> None:
    # 100 m at 5 km/h: 72 s.
    assert block.seconds("E", "C", "foot") == pytest.approx(72.0)


def test_parts_of_edges_count(block: Drawn) -> None:
    # 30 m before B to 60 m after it: 90 m of main street.
    assert block.seconds("B-A:30", "B-C:60") == pytest.approx(0.9 * MAIN_S, abs=0.002)
    # From 25 m along the one-way to C: must go on to E and all around.
    assert block.seconds("C-E:25", "C") == pytest.approx(0.75 * MAIN_S + 2 * SIDE_S + 3 * MAIN_S, abs=0.002)


def test_two_spots_of_one_edge(block: Drawn) -> None:
    assert block.seconds("A-B:20", "A-B:70") == pytest.approx(0.5 * MAIN_S, abs=0.002)
    assert block.seconds("A-B:70", "A-B:20") == pytest.approx(0.5 * MAIN_S, abs=0.002)
    assert block.seconds("C-E:20", "C-E:70") == pytest.approx(0.5 * MAIN_S, abs=0.002)
    # Backwards on the one-way: 30 m on to E, around by the lanes and D-A, A-B, B-C, then 20 m down again.
    around = 0.3 * MAIN_S + 2 * SIDE_S + 3 * MAIN_S + 0.2 * MAIN_S
    assert block.seconds("C-E:70", "C-E:20") == pytest.approx(around, abs=0.002)
    assert block.seconds("A-B:40", "A-B:40") == 0.0


def test_a_slow_edge_is_left_and_met_again_at_its_other_end() -> None:
    city = draw(
        """
        A-B
        | |
        D.E
        """,
        side="living_street",
    )
    # Living street: 10 km/h, 100 m in 36 s; round the block 3 x 7.5 = 22.5 s.
    assert city.seconds("D", "E") == pytest.approx(22.5)
    # 20 m to 80 m: direct 21.6 s; round 7.2 + 22.5 + 7.2 s.
    assert city.seconds("D-E:20", "D-E:80") == pytest.approx(21.6, abs=0.01)
    # 5 m to 95 m: direct 32.4 s; round 1.8 + 22.5 + 1.8 s.
    assert city.seconds("D-E:5", "D-E:95") == pytest.approx(26.1, abs=0.01)


def test_path_tells_streets_line_and_metres(block: Drawn) -> None:
    path = block.network.path(block.at("E-C:50"), block.at("B-A:50"), profile="car")
    # The one-way leads from C to E: 50 m on to E, the lane, D-A and half of A-B.
    assert path.streets == ("CE street", "EF lane", "DF lane", "AD street", "AB street")
    assert path.metres == pytest.approx(50 + 200 + 100 + 50, abs=0.05)
    assert path.seconds == pytest.approx(0.5 * MAIN_S + 2 * SIDE_S + MAIN_S + 0.5 * MAIN_S, abs=0.002)
    corners = [block.at(spot) for spot in ("C-E:50", "E", "F", "D", "A", "A-B:50")]
    np.testing.assert_allclose(path.geometry, corners, atol=2e-7)
    assert path.against.tolist() == [False, True, True, True, False]


def test_path_within_one_edge(block: Drawn) -> None:
    path = block.network.path(block.at("A-B:70"), block.at("A-B:20"), profile="car")
    assert path.metres == pytest.approx(50, abs=0.02)
    assert path.streets == ("AB street",)
    assert path.against.tolist() == [True]
    np.testing.assert_allclose(path.geometry, [block.at("A-B:70"), block.at("A-B:20")], atol=2e-7)


def test_no_way_is_said_to_be_none() -> None:
    city = draw("A-B C-D")
    assert city.seconds("A", "C") == float("inf")
    assert city.network.travel_ms([city.node["A"]], [city.node["D"]], profile="car").tolist() == [[2**31 - 1]]
    path = city.network.path(city.at("A"), city.at("D"), profile="car")
    assert not path.found
    assert len(path.geometry) == 0


def test_nearest_gives_the_spot_and_refuses_far_points(block: Drawn) -> None:
    lat, lng = block.at("A-B:40")
    snaps = block.network.nearest(np.array([[lat + 30 / 111_195.08, lng]]), profile="car")
    assert snaps.metres[0] == pytest.approx(30.0, abs=0.05)
    assert snaps.fraction[0] == pytest.approx(0.4, abs=1e-3)
    with pytest.raises(TooFarFromRoad, match="more than 500 m") as caught:
        block.network.travel_seconds(np.array([[lat, lng]]), np.array([[lat, lng], [lat + 0.01, lng]]), profile="car")
    assert caught.value.details["index"] == 1


def test_points_snap_to_allowed_edges_only() -> None:
    city = draw(
        """
        A-B
        |
        D.E
        """,
        side="footway",
    )
    spot = np.array([city.at("D-E:60")])
    assert city.network.nearest(spot, profile="foot").metres[0] == pytest.approx(0.0, abs=0.01)
    # The car's nearest street is D-A, 60 m to the west.
    assert city.network.nearest(spot, profile="car").metres[0] == pytest.approx(60.0, abs=0.1)


def test_reachable_cells_grow_with_time(block: Drawn) -> None:
    start = block.at("A")
    near = block.network.reachable(start, 1, profile="foot", resolution=11)
    wider = block.network.reachable(start, 100, profile="foot", resolution=11)
    everything = block.network.reachable(start, 3600, profile="foot", resolution=11)
    assert cell_of(*start, 11) in near
    assert set(near) < set(wider) < set(everything)
    assert cell_of(*block.at("E"), 11) in everything
    # 100 s on foot are 138.9 m: 38.9 m beyond B, not yet at C.
    assert cell_of(*block.at("B-C:37"), 11) in wider
    assert cell_of(*block.at("C"), 11) not in wider


def test_reach_of_part_of_the_first_edge() -> None:
    city = draw("A-B")
    cells = city.network.reachable(city.at("A-B:50"), 30, profile="foot", resolution=12)
    # 30 s on foot are 41.7 m either way.
    assert cell_of(*city.at("A-B:90"), 12) in cells
    assert cell_of(*city.at("A-B:10"), 12) in cells
    assert cell_of(*city.at("A"), 12) not in cells


def test_unknown_profile_and_node(block: Drawn) -> None:
    with pytest.raises(UnknownProfile, match="rocket"):
        block.network.travel_ms([0], [0], profile="rocket")
    for wrong in (-1, 99):
        with pytest.raises(UnknownNode) as caught:
            block.network.travel_ms([0], [0, wrong], profile="car")
        assert caught.value.details == {"index": 1, "node": wrong}
