"""Streets from whatever holds them, with the notes that travel in a city file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from routing.roads.areas import read_areas
from routing.roads.arrays import PROFILES
from routing.roads.profiles import make_profiles, read_tables
from routing.roads.streets import Streets

Progress = Callable[[str], None]
Built = tuple[Streets, dict[str, Any]]
"""Streets and notes: what `RoadNetwork` is made of."""


def read_city(
    source: Path,
    *,
    profiles: Sequence[str] = PROFILES,
    tables: Path | None = None,
    area: Path | None = None,
    progress: Progress = lambda step: None,
) -> Built:
    """The streets of an OpenStreetMap file (.osm.pbf, .osm, .osm.gz) or of a graphml file that osmnx saved.

    `tables`: a TOML file laid over the built-in profile tables; `area`: a GeoJSON file of polygons to keep (of
    OpenStreetMap files).  Raises UnreadableFile, NoRoads, UnknownProfile, InvalidSpeed, InvalidInput.
    """
    all_tables = read_tables(tables)
    chosen = make_profiles(profiles, all_tables)
    areas = read_areas(area) if area else ()
    if source.suffix == ".graphml":
        from routing.roads.osmnx_graph import read_graphml

        progress("reading")
        streets = read_graphml(source, chosen)
    else:
        from routing.roads.osm import read_osm

        streets = read_osm(source, chosen, areas, progress)
    return _finish(streets, all_tables, progress)


def read_place(
    place: str,
    *,
    profiles: Sequence[str] = PROFILES,
    tables: Path | None = None,
    progress: Progress = lambda step: None,
) -> Built:
    """The streets of a place by name, fetched through osmnx: needs the network."""
    from routing.roads.osmnx_graph import fetch_place

    all_tables = read_tables(tables)
    progress("reading")
    return _finish(fetch_place(place, make_profiles(profiles, all_tables)), all_tables, progress)


def read_graph(graph: Any, *, profiles: Sequence[str] = PROFILES, tables: Path | None = None) -> Built:
    """The streets of an osmnx graph in memory."""
    from routing.roads.osmnx_graph import streets_of_graph

    all_tables = read_tables(tables)
    return _finish(streets_of_graph(graph, make_profiles(profiles, all_tables)), all_tables, lambda step: None)


def _finish(streets: Streets, tables: dict[str, Any], progress: Progress) -> Built:
    progress("ordering")
    return streets, {"weather": tables.get("weather", {})}
