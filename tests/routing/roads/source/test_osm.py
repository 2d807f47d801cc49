"""OpenStreetMap files to streets: cutting, signals, barriers, missing nodes, areas, bad files."""

from __future__ import annotations

import bz2
import gzip
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from routing.cells import Polygon, cell_of
from routing.errors import UnreadableFile
from routing.roads import RoadNetwork
from routing.roads.city.build import connect
from routing.roads.errors import NoRoads
from routing.roads.source.cutting import LONGEST_CM
from routing.roads.source.osm import read_osm
from routing.roads.source.profiles import make_profiles, read_tables
from routing.roads.streets import OSM_ATTRIBUTION, Streets
from tests.kit.data import folder, needs_data
from tests.kit.roads.osmfile import STEP, write_osm

HOME = {"highway": "residential", "name": "Home Street"}
STEP_M = STEP * 111_195.08


def read(path: Path, *profiles: str, area: tuple[Polygon, ...] = ()) -> Streets:
    chosen = make_profiles(profiles or ("car",), read_tables())
    return connect(*read_osm(path, chosen, area), chosen)[0]


def city(path: Path, *profiles: str) -> RoadNetwork:
    return RoadNetwork.from_osm(path, profiles=profiles or ("car",))


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


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_packed_files_are_read_as_well(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    plain = write_osm(tmp_path / "a.osm", [([1, 2, 3], HOME)])
    packed = tmp_path / f"a.osm.{suffix}"
    packed.write_bytes(pack(plain.read_bytes()))
    assert read(packed).length_cm.tolist() == read(plain).length_cm.tolist()


def by_hand(path: Path, *items: str) -> Path:
    path.write_text(f'<osm version="0.6">{"".join(items)}</osm>')
    return path


def node(ref: int, lat: float, lng: float, tags: str = "") -> str:
    return f'<node id="{ref}" version="1" lat="{lat}" lon="{lng}">{tags}</node>'


def way(ref: int, *nodes: int, highway: str = "residential") -> str:
    refs = "".join(f'<nd ref="{each}"/>' for each in nodes)
    return f'<way id="{ref}" version="1">{refs}<tag k="highway" v="{highway}"/></way>'


def test_nodes_may_come_after_their_ways(tmp_path: Path) -> None:
    """As in answers of Overpass that recurse downwards."""
    street = way(7, 1, 2, 3)
    nodes = [node(k, 41 + k * STEP, -8) for k in (1, 2, 3)]
    after = read(by_hand(tmp_path / "after.osm", street, *nodes))
    before = read(by_hand(tmp_path / "before.osm", *nodes, street))
    assert after.facts["missing_references"] == 0
    assert after.length_cm.tolist() == before.length_cm.tolist() == pytest.approx([2 * STEP_M * 100], abs=1)
    with pytest.raises(NoRoads, match="none of their nodes"):
        read(by_hand(tmp_path / "none.osm", street))


def test_numbers_below_zero_are_as_good_as_any(tmp_path: Path) -> None:
    """Editors give them to what was never uploaded; a gate's second half must not be taken for one of them."""
    bollard = '<tag k="barrier" v="bollard"/>'
    nodes = [node(-k, 41 + k * STEP, -8, bollard if k == 2 else "") for k in (1, 2, 3)]
    nodes.append(node(-101, 41 + 2 * STEP, -8.001))
    file = by_hand(tmp_path / "a.osm", *nodes, way(-7, -1, -2, -3), way(-8, -1, -101, -3))
    network = city(file, "bike", "car")
    assert network.streets.facts["missing_references"] == 0
    ends = np.array([[41.001, -8.0], [41.003, -8.0]])
    bike, car = (network.travel_seconds(ends[:1], ends[1:], profile=name)[0, 0] for name in ("bike", "car"))
    assert bike == pytest.approx(2 * STEP_M / 16 * 3.6, abs=0.01)
    assert car > 2 * STEP_M / 25 * 3.6 + 1


def test_streets_across_the_antimeridian(tmp_path: Path) -> None:
    nodes = [node(1, -17, 179.999), node(2, -17, -179.999), node(3, -17, -179.998)]
    network = city(by_hand(tmp_path / "fiji.osm", *nodes, way(1, 1, 2), way(2, 2, 3)), "car")
    degree_m = STEP_M / STEP * np.cos(np.radians(17))
    assert network.streets.length_cm.tolist() == pytest.approx([0.2 * degree_m, 0.1 * degree_m], abs=1)
    here, there = np.array([[-17.0, 179.9995]]), np.array([[-17.0, -179.9985]])
    seconds = network.travel_seconds(here, there, profile="car")[0, 0]
    assert seconds == pytest.approx(0.002 * degree_m / 25 * 3.6, abs=0.02)
    path = network.path(here[0], there[0], profile="car")
    np.testing.assert_allclose(path.geometry[:, 1], [179.9995, -179.999, -179.9985], atol=1e-6)
    cells = network.reachable(here[0], 60, profile="car")
    assert {cell_of(-17.0, 179.9995, 9), cell_of(-17.0, -179.9985, 9)} <= set(cells)
    assert len(cells) <= 4


def test_long_streets_without_junctions_are_cut_between(tmp_path: Path) -> None:
    # 88 km: a day's march, yet no edge takes longer than a metric can hold.
    nodes = [node(k, 41 + 0.01 * k, -8) for k in range(1, 81)]
    file = by_hand(tmp_path / "a.osm", *nodes, way(1, *range(1, 81), highway="track"))
    streets = read(file, "foot", "car")
    assert streets.edges == 9
    assert streets.length_cm.sum() == pytest.approx(79 * 10 * STEP_M * 100, abs=10)
    assert streets.length_cm.max() < 1.12 * LONGEST_CM
    seconds = city(file, "foot").travel_seconds(np.array([[41.01, -8]]), np.array([[41.8, -8]]), profile="foot")
    assert seconds[0, 0] == pytest.approx(790 * STEP_M / 4.8 * 3.6, rel=1e-3)
    # Between two points of a line nobody can cut.
    far = by_hand(tmp_path / "far.osm", node(1, 41, -8), node(2, 41.4, -8), way(1, 1, 2, highway="track"))
    with pytest.raises(NoRoads, match="impossible") as caught:
        read(far, "foot")
    assert caught.value.details["file"] == str(far)
    both = by_hand(tmp_path / "both.osm", *nodes, node(99, 0, 0), way(1, *range(1, 81)), way(2, 80, 99))
    assert read(both).facts["impossible_ways"] == [2]


def test_odd_ways(tmp_path: Path) -> None:
    """Nodes twice in a row, loops, two nodes at one place, a way twice, broken relations, nodes off the world."""
    nodes = [node(k, 41 + k * STEP, -8) for k in (1, 2, 3)]
    nodes += [node(4, 41 + 3 * STEP, -8), node(1, 41 + STEP, -8), node(5, 95, 0)]
    relation = '<relation id="1" version="1"><member type="way" ref="99" role="from"/><tag k="type" v="restriction"/>'
    ways = [
        way(1, 1, 1, 2, 2, 2), way(2, 2, 3, 4), way(2, 2, 3, 4), way(3, 1, 1), way(4, 2), way(5),
        way(6, 1, 5), way(7, 3, 1, 3), way(8, 1, 2, highway="yes"), '<way id="9" version="1"><nd ref="1"/></way>',
    ]  # fmt: skip
    file = by_hand(tmp_path / "a.osm", *nodes, *ways, f"{relation}</relation>")
    network = city(file, "foot", "car")
    assert network.streets.facts["impossible_nodes"] == 1
    seconds = network.travel_seconds(np.array([[41.001, -8]]), np.array([[41.003, -8]]), profile="car")
    assert seconds[0, 0] == pytest.approx(2 * STEP_M / 25 * 3.6, abs=0.01)


@pytest.mark.parametrize(
    ("maxspeed", "kmh"),
    [
        ("walk", 7 * 0.85),
        ("20 mph", 20 * 1.609344 * 0.85),
        ("50;30", 42.5),
        ("RO:urban", 42.5),
        ("0", 25),
        ("signals", 25),
    ],
)
def test_maxspeeds_as_people_write_them(tmp_path: Path, maxspeed: str, kmh: float) -> None:
    # What says no number leaves the speed of the class: 25 km/h by car.
    streets = read(write_osm(tmp_path / "a.osm", [([1, 2], HOME | {"maxspeed": maxspeed})]), "car")
    assert streets.drive_ms[0, 0, 0] == pytest.approx(STEP_M / kmh * 3600, rel=1e-3)


def test_a_map_of_two_far_towns_keeps_its_grid_small(tmp_path: Path) -> None:
    # A bike path of 2,000 km between them, in pieces; at 100 m a side the grid would have 400 million cells.
    nodes = [node(k, 30 + 0.09 * k, 0.1 * k) for k in range(1, 200)]
    network = city(by_hand(tmp_path / "a.osm", *nodes, way(1, *range(1, 200), highway="cycleway")), "bike")
    found = network.nearest(network.latlng, profile="bike")
    assert found.metres.max() < 0.01


def test_each_profile_keeps_its_largest_component(tmp_path: Path) -> None:
    # Cars may enter 3 -> 4 but never return; on foot all is one.
    one_way = {"highway": "residential", "oneway": "yes"}
    file = write_osm(tmp_path / "a.osm", [([1, 2, 3], HOME), ([3, 4], one_way), ([50, 51], HOME)])
    streets = read(file, "foot", "car")
    # What can be entered only is there for the ends of trips; the street apart is kept as a part beside the main one.
    open_edges = (streets.drive_ms >= 0).sum(axis=(1, 2)).tolist()
    assert open_edges == [6, 5]


def test_signals_cost_the_edge_that_arrives_at_them(tmp_path: Path) -> None:
    file = write_osm(
        tmp_path / "a.osm", [([1, 2, 3], HOME), ([2, 102], HOME)], node_tags={2: {"highway": "traffic_signals"}}
    )
    streets = read(file)
    arrives = {(int(streets.tail[e]), int(streets.head[e])): streets.wait_ms[0, :, e].tolist() for e in range(3)}
    # Nodes are numbered by id: 1, 2, 3, 102 are 0, 1, 2, 3.  3 s by car.
    assert arrives == {(0, 1): [3_000, 0], (1, 2): [0, 3_000], (1, 3): [0, 3_000]}


def test_a_bollard_stops_cars_and_lets_bikes_pass(tmp_path: Path) -> None:
    # 1-2-3 with a bollard at 2, and a long way round 1-101-103-3.
    file = write_osm(
        tmp_path / "a.osm", [([1, 2, 3], HOME), ([1, 101, 103, 3], HOME)], node_tags={2: {"barrier": "bollard"}}
    )
    network = city(file, "bike", "car")
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
    network = city(file, "car")
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
    # The piece beyond the missing node is a part of its own.
    assert streets.nodes == 5


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
        network = city(folder("osm", "helsinki_centre.osm.pbf"), "foot", "bike", "car")
    streets = network.streets
    assert "cut at its border" in caplog.text
    assert streets.facts["missing_references"] > 500
    assert streets.facts["turn_restrictions"] == 45
    # From the railway station to the market square, 800 m as the crow flies, on foot.
    here, there = np.array([[60.1708, 24.9415]]), np.array([[60.1676, 24.9530]])
    seconds = network.travel_seconds(here, there, profile="foot")[0, 0]
    assert 500 < seconds < 1100
