"""Streets to draw under a map, as GeoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from routing.roads.city.network import RoadNetwork

STYLES = {
    "avenue": ("motorway", "trunk", "primary", "secondary"),
    "street": ("tertiary", "unclassified", "residential", "living_street", "pedestrian", "road"),
}
"""How road classes are drawn: main streets, streets, and lanes for all the rest."""


def streets_map(
    network: RoadNetwork, *, south_west: tuple[float, float], north_east: tuple[float, float], lanes: bool = False
) -> dict[str, Any]:
    """GeoJSON of the streets within a box (lat, lng corners), one MultiLineString per style, with its attribution.

    `lanes`: draw footways, tracks and service ways too.  Coordinates are [lng, lat], as that format wants them.
    """
    streets = network.streets
    inside = np.ones(streets.edges, dtype=np.bool_)
    for node in (streets.tail, streets.head):
        inside &= (streets.lat[node] >= south_west[0]) & (streets.lat[node] <= north_east[0])
        inside &= (streets.lng[node] >= south_west[1]) & (streets.lng[node] <= north_east[1])
    style = np.array([_style(name) for name in streets.classes], dtype=object)[streets.road_class]
    points = np.round(np.stack([streets.shape_lng, streets.shape_lat], axis=1), 5)
    features = []
    for name in (*STYLES, *(("lane",) if lanes else ())):
        lines = [
            points[streets.shape_start[edge] : streets.shape_start[edge + 1]].tolist()
            for edge in np.flatnonzero(inside & (style == name) & (streets.length_cm > 0)).tolist()
        ]
        geometry = {"type": "MultiLineString", "coordinates": lines}
        features.append({"type": "Feature", "properties": {"class": name}, "geometry": geometry})
    return {"type": "FeatureCollection", "attribution": network.attribution, "features": features}


def _style(road_class: str) -> str:
    plain = road_class.removesuffix("_link")
    return next((style for style, classes in STYLES.items() if plain in classes), "lane")
