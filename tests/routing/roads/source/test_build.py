"""Cities from osmnx graphs and areas from GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from routing.errors import InvalidInput, UnreadableFile
from routing.roads import RoadNetwork
from routing.roads.source.areas import read_areas
from tests.kit.roads.osmfile import write_osm

networkx = pytest.importorskip("networkx")

LOOP = [([1, 2, 3, 103, 101, 1], {"highway": "residential", "name": "Ring"})]
ONE_WAY = [([2, 102], {"highway": "primary", "oneway": "yes", "name": "Short Cut", "maxspeed": "30 mph"})]
LINK = [([102, 101], {"highway": "residential"})]


def osmnx_graph(tmp_path: Path) -> Any:
    osmnx = pytest.importorskip("osmnx")
    file = write_osm(tmp_path / "a.osm", [*LOOP, *ONE_WAY, *LINK])
    return osmnx.graph_from_xml(file, simplify=True, retain_all=True)


def test_an_osmnx_graph_gives_the_times_of_the_file(tmp_path: Path) -> None:
    graph = osmnx_graph(tmp_path)
    from_graph = RoadNetwork.from_osmnx(graph, profiles=("foot", "car"))
    from_file = RoadNetwork.from_osm(tmp_path / "a.osm", profiles=("foot", "car"))
    # Twins became one edge each: ring in two parts, link, short cut.  The file's ring is cut at its first node too.
    assert (from_graph.streets.edges, from_file.streets.edges) == (4, 5)
    points = np.array([[41.001, -8.0], [41.002, -8.0], [41.003, -7.9995], [41.002, -7.999]])
    for profile in ("foot", "car"):
        wanted = from_file.travel_seconds(points, points, profile=profile)
        # osmnx measures great circles and rounds lengths: within a promille and a few centimetres.
        got = from_graph.travel_seconds(points, points, profile=profile)
        np.testing.assert_allclose(got, wanted, rtol=2e-3, atol=0.05)
    assert from_graph.attribution == from_file.attribution != ""


def test_edges_are_the_truth_where_no_tag_tells_of_one_ways() -> None:
    graph = networkx.MultiDiGraph()
    for node, (lat, lng) in enumerate([(41.0, -8.0), (41.001, -8.0), (41.001, -7.999), (41.0, -7.999)]):
        graph.add_node(node, y=lat, x=lng)
    square = [(0, 1), (1, 2), (2, 3), (3, 0)]
    for k, (u, v) in enumerate(square + [(v, u) for u, v in square]):
        graph.add_edge(u, v, osmid=k % 4, length=100.0, highway=["secondary", "residential"])
    graph.add_edge(0, 2, osmid=9, length=140.0, highway="residential")
    network = RoadNetwork.from_osmnx(graph, profiles=("car",))
    # The square is open both ways, the street across it one way; of two classes the same one counts in every run.
    assert sorted((network.streets.drive_ms[0] >= 0).sum(axis=0).tolist()) == [1, 2, 2, 2, 2]
    assert network.streets.classes == ("residential",)


def street(*edges: tuple[int, int, dict[str, Any]]) -> Any:
    """Two nodes 200 m apart, with these edges between them."""
    graph = networkx.MultiDiGraph()
    for node, lng in enumerate((20.0, 20.0 + 200 / 111_195.08)):
        graph.add_node(node, y=0.0, x=lng)
    for u, v, data in edges:
        graph.add_edge(u, v, **{"osmid": 7, "length": 200.0, "highway": "residential", "oneway": False, **data})
    return graph


def milliseconds(graph: Any, profile: str) -> list[int]:
    network = RoadNetwork.from_osmnx(graph, profiles=("foot", "bike", "scooter", "car"))
    index = network.profiles.index(profile)
    return [int(ms) for ms in network.streets.drive_ms[index, :, 0]]


def test_the_graph_s_own_speeds_are_those_of_cars() -> None:
    plain = street((0, 1, {}), (1, 0, {}))
    given = street((0, 1, {"speed_kph": 20.0}), (1, 0, {"speed_kph": 72.0, "travel_time": 12.0}))
    # 200 m at 20 km/h in 36 s; back in the 12 s of travel_time, by scooter at 45 km/h at most in 16 s.
    assert milliseconds(given, "car") == [36_000, 12_000]
    assert milliseconds(given, "scooter") == [36_000, 16_000]
    for profile in ("foot", "bike"):
        assert milliseconds(given, profile) == milliseconds(plain, profile)
    for wrong in ({"speed_kph": 0.0}, {"travel_time": "soon"}):
        with pytest.raises(InvalidInput, match="own speeds"):
            RoadNetwork.from_osmnx(street((0, 1, wrong), (1, 0, {})))


def test_lists_of_attributes_are_ways_of_one_length() -> None:
    # Half at 36 and half at 25 km/h: 10 + 14.4 s.  An edge that is a footway in part is closed to cars.
    both = {"highway": ["tertiary", "residential"]}
    assert milliseconds(street((0, 1, both), (1, 0, both)), "car") == [24_400, 24_400]
    footway = {"highway": ["residential", "footway"]}
    assert milliseconds(street((0, 1, footway), (1, 0, footway)), "car") == [-1, -1]
    # Signs of 30 and of 50 km/h, at .85 of each.
    signs = {"maxspeed": ["50", "30"]}
    assert milliseconds(street((0, 1, signs), (1, 0, signs)), "car")[0] == round(
        100 / (0.85 * 50) * 3600 + 100 / (0.85 * 30) * 3600
    )


def test_an_edge_without_one_back_is_one_way_and_what_a_graph_cannot_tell_is_listed() -> None:
    graph = street((0, 1, {}))
    graph.add_node(2, y=0.001, x=20.0)
    for u, v in ((1, 2), (2, 0)):
        graph.add_edge(u, v, osmid=8 + u, length=200.0, highway="residential", oneway=False)
    network = RoadNetwork.from_osmnx(graph, profiles=("car",))
    assert (network.streets.drive_ms[0] >= 0).sum() == 3
    assert "turn restrictions" in network.streets.facts["cannot_tell"]


def test_private_edges_and_tunnels_of_a_graph_are_for_ends_and_for_passing() -> None:
    graph = networkx.MultiDiGraph()
    for node, (lat, lng) in enumerate([(0.0, 20.0), (0.0, 20.002), (0.001, 20.0), (0.001, 20.002)]):
        graph.add_node(node, y=lat, x=lng)
    streets = [
        (0, 1, {"access": ["private", "yes"]}),
        (0, 2, {}),
        (2, 3, {}),
        (3, 1, {}),
        (2, 3, {"tunnel": "yes", "osmid": 9}),
    ]
    for u, v, data in streets:
        for pair in ((u, v), (v, u)):
            graph.add_edge(*pair, **{"osmid": 10 * u + v, "length": 200.0, "highway": "residential", **data})
    network = RoadNetwork.from_osmnx(graph, profiles=("car",))
    here, there = (0.0002, 20.0), (0.0002, 20.002)
    assert network.path(here, there, profile="car").metres == pytest.approx(160 + 200 + 160, abs=1)
    assert network.path(here, (0.0, 20.001), profile="car").metres == pytest.approx(40 + 100, abs=1)
    assert network.streets.stops.tolist().count(False) == 1


@pytest.mark.parametrize("length", [float("nan"), float("inf"), -5.0, [100.0, 100.0]])
def test_a_length_that_is_none_is_refused(length: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        RoadNetwork.from_osmnx(street((0, 1, {"length": length}), (1, 0, {})))
    assert caught.value.code == "invalid_graph"


def test_graphml(tmp_path: Path) -> None:
    osmnx = pytest.importorskip("osmnx")
    graph = osmnx_graph(tmp_path)
    osmnx.save_graphml(graph, tmp_path / "a.graphml")
    loaded = RoadNetwork.from_osm(tmp_path / "a.graphml", profiles=("car",))
    direct = RoadNetwork.from_osmnx(graph, profiles=("car",))
    assert loaded.digest == direct.digest
    (tmp_path / "b.graphml").write_text("no xml")
    for name in ("b.graphml", "missing.graphml"):
        with pytest.raises(UnreadableFile) as caught:
            RoadNetwork.from_osm(tmp_path / name)
        assert caught.value.details["file"] == str(tmp_path / name)


def test_a_graph_that_is_none_of_osmnx() -> None:
    graph = networkx.MultiDiGraph()
    graph.add_edge(1, 2)
    with pytest.raises(InvalidInput, match="lacks"):
        RoadNetwork.from_osmnx(graph)
    with pytest.raises(InvalidInput, match="no graph of osmnx but a NoneType"):
        RoadNetwork.from_osmnx(None)


SQUARE = [[-8.1, 41.0], [-7.9, 41.0], [-7.9, 41.2], [-8.1, 41.2], [-8.1, 41.0]]
HOLE = [[-8.01, 41.09], [-7.99, 41.09], [-7.99, 41.11], [-8.01, 41.11], [-8.01, 41.09]]


@pytest.mark.parametrize(
    "given",
    [
        {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
        {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [SQUARE, HOLE]}},
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}},
                {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [SQUARE, HOLE]}},
            ],
        },
    ],
)
def test_areas(tmp_path: Path, given: dict[str, Any]) -> None:
    file = tmp_path / "area.geojson"
    file.write_text(json.dumps(given))
    (area,) = read_areas(file)
    assert area.holds(41.05, -8.05)
    assert not area.holds(41.1, -8.0)
    assert not area.holds(41.3, -8.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "not GeoJSON"),
        ('{"type": "Point", "coordinates": [0, 0]}', "no polygon"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}', "GeoJSON"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [2, 2], [0, 0]]]}', "no polygon"),
        ('{"type": "Polygon", "coordinates": "x"}', "not GeoJSON"),
        ('{"type": "FeatureCollection"}', "not GeoJSON"),
    ],
)
def test_areas_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "area.geojson"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=told) as caught:
        read_areas(file)
    assert caught.value.details["file"] == str(file)
    with pytest.raises(UnreadableFile):
        read_areas(tmp_path / "missing.geojson")
