"""OpenStreetMap files to streets: cutting, signals, barriers, missing nodes, areas, bad files."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path

import numpy as np
import pytest

from routing.cells import Polygon
from routing.errors import UnreadableFile
from routing.roads import RoadNetwork
from routing.roads.errors import NoRoads
from routing.roads.osm import read_osm
from routing.roads.profiles import make_profiles, read_tables
from routing.roads.streets import OSM_ATTRIBUTION, Streets
from tests.data import folder, needs_data
from tests.roads.osmfile import STEP, write_osm

HOME = {"highway": "residential", "name": "Home Street"}
STEP_M = STEP * 111_195.08


def read(path: Path, *profiles: str, area: tuple[Polygon, ...] = ()) -> Streets:
    return read_osm(path, make_profiles(profiles or ("car",), read_tables()), area)


def test_ways_are_cut_at_junctions_and_keep_their_line(tmp_path: Path) -> None:
    # 1-2-3-4 with a side street at 3: node 2 is a bend, not a junction.
    file = write_osm(tmp_path / "a.osm", [([1, 2, 3, 4], HOME), ([3, 103], {"highway": "service"})])
    streets = read(file)
    assert streets.nodes == 4
    assert streets.length_cm.tolist() == pytest.approx([2 * STEP_M * 100, STEP_M * 100, streets.length_cm[2]], abs=1)
    np.testing.assert_allclose(streets.shape_lat[:3], [41.001, 41.002, 41.003])
    assert [streets.names[i] for i in streets.name] == ["Home Street", "Home Street", ""]
    assert [streets.classes[i] for i in streets.road_class] == ["residential", "residential", "service"]
    assert streets.way.tolist() == [1000, 1000, 1001]
    assert streets.attribution == OSM_ATTRIBUTION
    # 222.4 m at 25 km/h: 32.02 s.
    assert streets.drive_ms[0, 0, 0] == pytest.approx(2 * STEP_M / 25 * 3600, abs=2)


def test_gzip_is_read_as_well(tmp_path: Path) -> None:
    plain = write_osm(tmp_path / "a.osm", [([1, 2, 3], HOME)])
    packed = tmp_path / "a.osm.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read(packed).length_cm.tolist() == read(plain).length_cm.tolist()


def test_each_profile_keeps_its_largest_component(tmp_path: Path) -> None:
    # Cars may enter 3 -> 4 but never return; on foot all is one.
    one_way = {"highway": "residential", "oneway": "yes"}
    file = write_osm(tmp_path / "a.osm", [([1, 2, 3], HOME), ([3, 4], one_way), ([50, 51], HOME)])
    streets = read(file, "foot", "car")
    assert streets.nodes == 3
    open_edges = (streets.drive_ms >= 0).sum(axis=(1, 2)).tolist()
    assert open_edges == [4, 2]


def test_signals_cost_the_edge_that_arrives_at_them(tmp_path: Path) -> None:
    file = write_osm(
        tmp_path / "a.osm", [([1, 2, 3], HOME), ([2, 102], HOME)], node_tags={2: {"highway": "traffic_signals"}}
    )
    streets = read(file)
    arrives = {(int(streets.tail[e]), int(streets.head[e])): streets.wait_ms[0, :, e].tolist() for e in range(3)}
    # Nodes are numbered by id: 1, 2, 3, 102 are 0, 1, 2, 3.  15 s by car.
    assert arrives == {(0, 1): [15_000, 0], (1, 2): [0, 15_000], (1, 3): [0, 15_000]}


def test_a_bollard_stops_cars_and_lets_bikes_pass(tmp_path: Path) -> None:
    # 1-2-3 with a bollard at 2, and a long way round 1-101-103-3.
    file = write_osm(
        tmp_path / "a.osm", [([1, 2, 3], HOME), ([1, 101, 103, 3], HOME)], node_tags={2: {"barrier": "bollard"}}
    )
    network = RoadNetwork(read(file, "bike", "car"))
    ends = np.array([[41.001, -8.0], [41.003, -8.0]])
    bike = network.travel_seconds(ends[:1], ends[1:], profile="bike")[0, 0]
    car = network.travel_seconds(ends[:1], ends[1:], profile="car")[0, 0]
    across = STEP_M * np.cos(np.radians(41.002))
    assert bike == pytest.approx(2 * STEP_M / 16 * 3.6, abs=0.01)
    assert car == pytest.approx((2 * STEP_M + 2 * across) / 25 * 3.6, abs=0.02)
    # Both sides of the bollard can be reached by car: the house beside it is no island.
    beside = np.array([[41.0019, -8.0], [41.0021, -8.0]])
    assert network.travel_seconds(ends[:1], beside, profile="car")[0, 0] == pytest.approx(
        0.9 * STEP_M / 25 * 3.6, abs=0.05
    )


def test_a_bollard_where_two_ways_meet(tmp_path: Path) -> None:
    file = write_osm(
        tmp_path / "a.osm",
        [([1, 2], HOME), ([2, 3], HOME), ([1, 101, 103, 3], HOME)],
        node_tags={2: {"barrier": "bollard"}},
    )
    network = RoadNetwork(read(file, "car"))
    ends = np.array([[41.001, -8.0], [41.003, -8.0]])
    assert network.travel_seconds(ends[:1], ends[1:], profile="car")[0, 0] > 3 * STEP_M / 25 * 3.6


def test_cut_extracts_load_and_say_what_is_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    # Node 3 is missing: the way falls into 1-2 and 4-5, which must not be bridged.
    file = write_osm(tmp_path / "a.osm", [([1, 2, 3, 4, 5], HOME), ([2, 102], HOME)], missing=[3], restrictions=2)
    with caplog.at_level(logging.WARNING):
        streets = read(file)
    assert "1 nodes of its ways are missing" in caplog.text
    assert streets.facts["missing_references"] == 1
    assert streets.facts["turn_restrictions"] == 2
    assert streets.nodes == 3


def test_an_area_keeps_what_lies_in_it(tmp_path: Path) -> None:
    file = write_osm(tmp_path / "a.osm", [([1, 2, 3, 4, 5], HOME)])
    area = Polygon([(41.0005, -8.1), (41.0005, -7.9), (41.0035, -7.9), (41.0035, -8.1)])
    streets = read(file, area=(area,))
    np.testing.assert_allclose(streets.shape_lat, [41.001, 41.002, 41.003])
    assert streets.facts["missing_references"] == 0
    with pytest.raises(NoRoads, match="in the area"):
        read(file, area=(Polygon([(10, 10), (10, 11), (11, 11)]),))


def test_files_that_are_none(tmp_path: Path) -> None:
    text = tmp_path / "notes.osm.pbf"
    text.write_text("no map at all, though its name says so")
    other = tmp_path / "table.csv"
    other.write_text("a,b\n")
    broken = tmp_path / "broken.osm"
    broken.write_text("<osm><node id='1' lat='x'/></osm>")
    for file in (text, other, broken, tmp_path / "missing.osm", tmp_path):
        with pytest.raises(UnreadableFile) as caught:
            read(file)
        assert caught.value.details["file"] == str(file)


def test_a_file_without_roads(tmp_path: Path) -> None:
    file = write_osm(tmp_path / "a.osm", [([1, 2], {"building": "yes"}), ([2, 3], {"highway": "proposed"})])
    with pytest.raises(NoRoads):
        read(file)
    footway = write_osm(tmp_path / "b.osm", [([1, 2], {"highway": "footway"})])
    with pytest.raises(NoRoads):
        read(footway, "car")


@needs_data
def test_a_truncated_pbf(tmp_path: Path) -> None:
    whole = folder("osm", "helsinki_centre.osm.pbf").read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    for share in (0.1, 0.5, 0.97):
        cut.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(UnreadableFile):
            read(cut)


@needs_data
def test_the_cut_extract_of_helsinki(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        streets = read(folder("osm", "helsinki_centre.osm.pbf"), "foot", "bike", "car")
    assert "cut at its border" in caplog.text
    assert streets.facts["missing_references"] > 500
    assert streets.facts["turn_restrictions"] == 45
    network = RoadNetwork(streets)
    # From the railway station to the market square, 800 m as the crow flies, on foot.
    here, there = np.array([[60.1708, 24.9415]]), np.array([[60.1676, 24.9530]])
    seconds = network.travel_seconds(here, there, profile="foot")[0, 0]
    assert 500 < seconds < 1100
