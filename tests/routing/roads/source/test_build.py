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
