"""OpenStreetMap files (.osm.pbf, .osm, .osm.gz, .osm.bz2) straight into arrays, through pyosmium."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from routing.errors import UnreadableFile, Unsupported
from routing.roads.cutting import Holding, RawWays, cut_ways
from routing.roads.profiles import TAGS_READ, Profile
from routing.roads.streets import Streets, keep_largest_components

logger = logging.getLogger(__name__)

MISSING = 2**31 - 1
"""What pyosmium gives as coordinate of a node that the file does not hold."""
Progress = Callable[[str], None]


def read_osm(
    path: Path, profiles: Sequence[Profile], area: Sequence[Holding] = (), progress: Progress = lambda step: None
) -> Streets:
    """The streets of an OpenStreetMap file that the profiles may use.

    `area`: keep only what lies in one of these polygons.  Extracts cut at their border load; the missing references
    are counted in `facts` and warned of.  Raises UnreadableFile for a file that is missing, cut off or no OSM file,
    NoRoads where nothing is left.
    """
    progress("reading")
    raw = _read(path, profiles)
    progress("assembling")
    streets = cut_ways(raw, profiles, area, str(path))
    missing = streets.facts["missing_references"]
    if missing:
        logger.warning("%s is cut at its border: %d nodes of its ways are missing", path.name, missing)
    progress("connecting")
    return keep_largest_components(streets)


def _read(path: Path, profiles: Sequence[Profile]) -> RawWays:
    try:
        import osmium
    except ImportError as error:
        raise Unsupported("reading OpenStreetMap files needs pyosmium", hint='Install "halfhour[maps]".') from error
    if not path.is_file():
        raise UnreadableFile("there is no such file", file=str(path))
    raw = RawWays()
    keys = tuple(dict.fromkeys([*TAGS_READ, *(k for p in profiles for k in (*p.access, *p.oneway))]))
    kinds: dict[tuple[tuple[float, float], ...], int] = {}

    @cache
    def kind_of(values: tuple[str | None, ...]) -> int:
        tags = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
        speeds = tuple(profile.speeds(tags) for profile in profiles)
        return kinds.setdefault(speeds, len(kinds)) if any(any(pair) for pair in speeds) else -1

    try:
        wanted = osmium.filter.KeyFilter("highway", "barrier", "restriction")
        for item in osmium.FileProcessor(str(path)).with_locations().with_filter(wanted):
            tags = item.tags
            if item.is_way():
                _read_way(raw, item, tags, kind_of(tuple(tags.get(key) for key in keys)) if "highway" in tags else -1)
            elif item.is_node():
                if tags.get("highway") == "traffic_signals":
                    raw.signals.append(item.id)
                if "barrier" in tags:
                    passes = tuple(profile.passes(dict(tags)) for profile in profiles)
                    if not all(passes):
                        raw.barriers[item.id] = passes
            elif item.is_relation() and "restriction" in tags and tags.get("type") == "restriction":
                raw.restrictions += 1
        _find_missing(raw, path)
    except (RuntimeError, ValueError, UnicodeDecodeError) as error:
        hint = "" if path.suffix else "The end of its name must say what it is: .osm.pbf, .osm, .osm.gz or .osm.bz2."
        raise UnreadableFile(
            f"the file cannot be read as OpenStreetMap data: {error}", file=str(path), hint=hint
        ) from error
    raw.speeds = list(kinds)
    return raw


def _find_missing(raw: RawWays, path: Path) -> None:
    """Give ways the nodes that come after them in the file, and those with numbers below zero.

    Editors and query services write such files, as XML.
    """
    import osmium

    if path.suffix == ".pbf":
        return
    at: dict[int, list[int]] = {}
    for index, (ref, x) in enumerate(zip(raw.refs, raw.x, strict=True)):
        if x == MISSING:
            at.setdefault(ref, []).append(index)
    if not at:
        return
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE):
        for index in at.get(node.id, ()):
            raw.x[index], raw.y[index] = node.location.x, node.location.y


def _read_way(raw: RawWays, way: Any, tags: Any, kind: int) -> None:
    nodes = way.nodes
    if kind < 0 or len(nodes) < 2:
        return
    for node in nodes:
        raw.refs.append(node.ref)
        raw.x.append(node.x)
        raw.y.append(node.y)
    raw.size.append(len(nodes))
    raw.way.append(way.id)
    raw.kind.append(kind)
    raw.road_class.append(tags.get("highway"))
    raw.name.append(tags.get("name") or tags.get("ref") or "")
