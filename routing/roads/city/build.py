"""Streets from whatever holds them, with the notes that travel in a city file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from routing.roads.errors import NoRoads
from routing.roads.source.areas import read_areas
from routing.roads.source.arrays import PROFILES
from routing.roads.source.junctions import RawJunctions, junctions_of
from routing.roads.source.profiles import Profile, make_profiles, read_tables
from routing.roads.streets import SHUT, Streets, select_edges
from routing.roads.turns.building import build_turns
from routing.roads.turns.turns import Turns

Progress = Callable[[str], None]
Built = tuple[Streets, list[Turns], dict[str, Any]]
"""Streets, the turns of every profile, and notes: what `RoadNetwork` is made of."""


def read_city(
    source: Path,
    *,
    profiles: Sequence[str] = PROFILES,
    tables: Path | None = None,
    area: Path | None = None,
    timezone: str = "",
    country: str = "",
    progress: Progress = lambda step: None,
) -> Built:
    """The streets of an OpenStreetMap file (.osm.pbf, .osm, .osm.gz) or of a graphml file that osmnx saved.

    `tables`: a TOML file laid over the built-in profile tables; `area`: a GeoJSON file of polygons to keep (of
    OpenStreetMap files); `timezone`: the zone whose clocks the map's conditions go by ("" for UTC); `country`:
    two letters, for the side of traffic and speeds by words ("" for what the map says).
    Raises UnreadableFile, NoRoads, UnknownProfile, InvalidSpeed, InvalidInput.
    """
    all_tables = read_tables(tables)
    chosen = make_profiles(profiles, all_tables)
    areas = read_areas(area) if area else ()
    if source.suffix == ".graphml":
        from routing.roads.source.osmnx_graph import read_graphml

        progress("reading")
        streets, raw = read_graphml(source, chosen), RawJunctions()
    else:
        from routing.roads.source.osm import read_osm

        streets, raw = read_osm(source, chosen, areas, progress, country)
    streets, turns, notes = _finish(streets, raw, chosen, all_tables, progress)
    return streets, turns, {**notes, "timezone": timezone} if timezone else notes


def read_place(
    place: str,
    *,
    profiles: Sequence[str] = PROFILES,
    tables: Path | None = None,
    progress: Progress = lambda step: None,
) -> Built:
    """The streets of a place by name, fetched through osmnx: needs the network."""
    from routing.roads.source.osmnx_graph import fetch_place

    all_tables = read_tables(tables)
    progress("reading")
    chosen = make_profiles(profiles, all_tables)
    return _finish(fetch_place(place, chosen), RawJunctions(), chosen, all_tables, progress)


def read_graph(graph: Any, *, profiles: Sequence[str] = PROFILES, tables: Path | None = None) -> Built:
    """The streets of an osmnx graph in memory."""
    from routing.roads.source.osmnx_graph import streets_of_graph

    all_tables = read_tables(tables)
    chosen = make_profiles(profiles, all_tables)
    return _finish(streets_of_graph(graph, chosen), RawJunctions(), chosen, all_tables, lambda step: None)


def _finish(
    streets: Streets, raw: RawJunctions, profiles: Sequence[Profile], tables: dict[str, Any], progress: Progress
) -> Built:
    progress("connecting")
    streets, turns = connect(streets, raw, profiles)
    progress("ordering")
    return streets, turns, {"weather": tables.get("weather", {})}


def connect(streets: Streets, raw: RawJunctions, profiles: Sequence[Profile]) -> tuple[Streets, list[Turns]]:
    """The streets that some profile can use, and the turns of every profile among them.

    Raises NoRoads where nothing is left.
    """
    on_the_left = bool(streets.facts.get("drives_on_the_left", False))
    junctions, facts = junctions_of(streets, raw, profiles, left=on_the_left)
    turns = [build_turns(streets, p, each) for p, each in enumerate(junctions)]
    facts["kilometres_without_return"] = {}
    drive_ms = streets.drive_ms.copy()
    for p, each in enumerate(turns):
        drive_ms[p][(each.begins < 0) & (each.ends < 0)] = SHUT
        lost = (streets.drive_ms[p] != SHUT).any(axis=0) & ((each.island < 0) | each.one_sided)
        facts["kilometres_without_return"][streets.profiles[p]] = round(
            float(streets.length_cm[lost].sum(dtype=np.int64)) / 1e5, 2
        )
    used = (drive_ms != SHUT).any(axis=(0, 1))
    if not used.any():
        raise NoRoads("no street is left that any of the profiles may use", profiles=", ".join(streets.profiles))
    number = np.where(used, np.cumsum(used) - 1, -1)
    turns = [each.of_edges(number) for each in turns]
    kept = select_edges(replace(streets, drive_ms=drive_ms, facts={**streets.facts, **facts}), used)
    return kept, turns
