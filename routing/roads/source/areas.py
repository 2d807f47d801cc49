"""Areas on the map, from GeoJSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from routing.cells import Polygon
from routing.errors import InvalidInput, UnreadableFile


class Area:
    """One polygon with holes."""

    def __init__(self, outer: Polygon, holes: tuple[Polygon, ...] = ()) -> None:
        self._outer = outer
        self._holes = holes

    def holds(self, lat: float, lng: float) -> bool:
        """True if the point is inside or on the outer border, and in no hole."""
        return self._outer.holds(lat, lng) and not any(hole.holds(lat, lng) for hole in self._holes)


def read_areas(path: Path) -> tuple[Area, ...]:
    """The polygons of a GeoJSON file.  Raises UnreadableFile, and InvalidInput where it holds no polygon."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFile(f"the area file cannot be read: {error.strerror}", file=str(path)) from error
    except ValueError as error:
        raise UnreadableFile(f"the area file is not JSON: {error}", file=str(path)) from error
    areas = []
    try:
        for rings in _polygons(given):
            outer, *holes = (Polygon([(float(at[1]), float(at[0])) for at in ring]) for ring in rings)
            if not outer.is_empty:
                areas.append(Area(outer, tuple(holes)))
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise InvalidInput("the area file is not GeoJSON", code="invalid_area", file=str(path)) from error
    if not areas:
        raise InvalidInput("the area file holds no polygon", code="invalid_area", file=str(path))
    return tuple(areas)


def _polygons(item: dict[str, Any]) -> Iterator[list[Any]]:
    """Rings of every polygon, however deep it lies."""
    kind = item.get("type")
    if kind == "FeatureCollection":
        for feature in item["features"]:
            yield from _polygons(feature)
    elif kind == "Feature":
        yield from _polygons(item["geometry"])
    elif kind == "GeometryCollection":
        for geometry in item["geometries"]:
            yield from _polygons(geometry)
    elif kind == "MultiPolygon":
        yield from item["coordinates"]
    elif kind == "Polygon":
        yield item["coordinates"]
