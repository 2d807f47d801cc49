"""OpenStreetMap files (.osm.pbf, .osm, .osm.gz, .osm.bz2) straight into arrays, through pyosmium."""

from __future__ import annotations

import itertools
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from routing.errors import UnreadableFile, Unsupported
from routing.roads.source.access import Access, not_understood
from routing.roads.source.countries import CODE_KEYS, LEFT, country_in, elect
from routing.roads.source.cutting import MISSING, Holding, RawWays, cut_ways
from routing.roads.source.hours import Side, TimedSide
from routing.roads.source.junctions import RawJunctions
from routing.roads.source.profiles import MODES, Profile, tags_read
from routing.roads.source.restrictions import RawRestriction
from routing.roads.streets import Streets, straight_cm

logger = logging.getLogger(__name__)

Progress = Callable[[str], None]
Kind = tuple[tuple[tuple[Side, Side], ...], bool, bool, tuple[tuple[TimedSide | None, TimedSide | None], ...]]
"""Speed and whether for ends only, along and against, of every profile; whether one may stop; whether it crosses; and
of every profile and direction what hours make of it."""
FERRY_KMH, FASTEST_FERRY_KMH = 12.0, 70.0
RESTRICTION_KEYS = (
    "restriction", "restriction:conditional",
    *(f"restriction:{mode}{when}" for mode in MODES for when in ("", ":conditional")),
)  # fmt: skip


def read_osm(
    path: Path,
    profiles: Sequence[Profile],
    area: Sequence[Holding] = (),
    progress: Progress = lambda step: None,
    country: str = "",
) -> tuple[Streets, RawJunctions]:
    """The streets of an OpenStreetMap file that the profiles may use, and what it says of their junctions.

    `area`: keep only what lies in one of these polygons; `country`: two letters, "" for what the map says.  Extracts
    cut at their border load; the missing references are counted in `facts` and warned of.  Raises UnreadableFile for a
    file that is missing, cut off or no OSM file, NoRoads where nothing is left.
    """
    progress("reading")
    raw = _read(path, profiles, country)
    progress("assembling")
    streets = cut_ways(raw, profiles, area, str(path))
    missing = streets.facts["missing_references"]
    if missing:
        logger.warning("%s is cut at its border: %d nodes of its ways are missing", path.name, missing)
    outside = streets.facts["impossible_nodes"]
    if outside:
        logger.warning("%s: %d nodes lie outside the world and are passed over", path.name, outside)
    return streets, raw.junctions


def _read(path: Path, profiles: Sequence[Profile], country: str) -> RawWays:
    try:
        import osmium
    except ImportError as error:
        raise Unsupported("reading OpenStreetMap files needs pyosmium", hint='Install "halfhour[maps]".') from error
    if not path.is_file():
        raise UnreadableFile("there is no such file", file=str(path))
    raw = RawWays()
    access = tuple(dict.fromkeys(k for p in profiles for k in p.access))
    keys = tags_read(profiles)
    kinds: dict[Kind, int] = {}

    @cache
    def kind_of(values: tuple[str | None, ...]) -> tuple[int, list[str]]:
        tags = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
        here = [replace(profile, country=raw.country) for profile in profiles]
        ways = tuple(profile.ways(tags) for profile in here)
        timed = tuple(profile.timed_ways(tags) for profile in here)
        odd = list(dict.fromkeys(not_understood(tags, access)))
        sides = [*itertools.chain(*ways), *(each.usual for both in timed for each in filter(None, both))]
        if not any(kmh > 0 for kmh, _ in sides):
            return -1, odd
        return kinds.setdefault((ways, may_stop(tags), _crosses(tags), timed), len(kinds)), odd

    try:
        newest = _newest_ways(path, raw, country)
        if newest or path.suffix != ".pbf":
            newest |= _newest(path, osmium.osm.NODE | osmium.osm.RELATION)
        wanted = osmium.filter.KeyFilter("highway", "route", "barrier", "crossing", *RESTRICTION_KEYS)
        for item in osmium.FileProcessor(str(path)).with_locations().with_filter(wanted):
            tags = item.tags
            key = item.type_str(), item.id
            if newest.get(key, item.version) != item.version or _is_gone(item):
                continue
            if key in newest:
                newest[key] = -1  # a file may hold the same version twice
            if item.is_way():
                given = tags if "highway" in tags else _as_ferry(item, tags)
                if "highway" in given:
                    kind, odd = kind_of(tuple(map(given.get, keys)))
                    raw.not_understood.update(odd)
                    _read_way(raw, item, given, kind)
            elif item.is_node():
                _read_node(raw, item.id, tags, profiles)
                if "barrier" in tags:
                    raw.not_understood.update(not_understood(dict(tags), access))
            elif item.is_relation() and tags.get("type", "").startswith("restriction"):
                members = tuple((m.type, m.ref, m.role) for m in item.members)
                raw.junctions.restrictions.append(RawRestriction(item.id, dict(tags), members))
        _find_missing(raw, path)
    except (RuntimeError, ValueError, UnicodeDecodeError, osmium.InvalidLocationError) as error:
        named = "The end of its name must say what it is: .osm.pbf, .osm, .osm.gz or .osm.bz2."
        hint = named if "detect file format" in str(error) else ""
        raise UnreadableFile(
            f"the file cannot be read as OpenStreetMap data: {error}", file=str(path), hint=hint
        ) from error
    raw.kinds = list(kinds)
    return raw


def may_stop(tags: Mapping[str, str]) -> bool:
    """Whether one can stop on a way: it is no motorway, no bridge, no ferry, in no tunnel and not below the ground."""
    fast = tags.get("highway") in ("motorway", "motorway_link", "ferry") or tags.get("motorroad") == "yes"
    below = tags.get("tunnel", "no") not in ("no", "building_passage", "passage")
    roofed = "yes" in (tags.get("covered"), tags.get("indoor"))
    below |= tags.get("location") == "underground" or (roofed and tags.get("layer", "").startswith("-"))
    above = tags.get("bridge", "no") not in ("no",)
    return not (fast or below or above)


def _crosses(tags: Mapping[str, str]) -> bool:
    """Whether a way is for those who cross streets on foot, and wait at their lights."""
    return tags.get("highway") in ("footway", "path", "pedestrian", "cycleway", "steps", "bridleway")


def _is_gone(item: Any) -> bool:
    return bool(item.deleted or not item.visible)


def _newest(path: Path, kinds: Any, look: Callable[[Any], None] = lambda item: None) -> dict[tuple[str, int], int]:
    """The newest version of every object of these kinds that the file holds more than once, -1 where it is deleted.

    `look` is shown every object.
    """
    import osmium

    seen: dict[tuple[str, int], tuple[int, bool]] = {}
    many: set[tuple[str, int]] = set()
    for item in osmium.FileProcessor(str(path), kinds):
        key, gone = (item.type_str(), item.id), _is_gone(item)
        before = seen.get(key)
        if before is None or item.version >= before[0]:
            seen[key] = item.version, gone
        if before is not None or gone:
            many.add(key)
        look(item)
    return {key: -1 if seen[key][1] else seen[key][0] for key in sorted(many)}


def _newest_ways(path: Path, raw: RawWays, country: str) -> dict[tuple[str, int], int]:
    """As `_newest`, of ways; by the way it is learnt which country the map is of, unless `country` says it, and the
    side of traffic."""
    import osmium

    countries: Counter[str] = Counter()
    sides: Counter[str] = Counter()

    def ask(way: Any) -> None:
        for key in CODE_KEYS if "highway" in way.tags else ():
            named = country_in(way.tags.get(key, ""))
            if named:
                countries[named] += 1
        for key in ("addr:country", "driving_side"):
            said = way.tags.get(key, "")
            if said:
                (sides if key == "driving_side" else countries)[said] += 1

    newest = _newest(path, osmium.osm.WAY, ask)
    raw.country = country or elect(countries)
    # Single ways on the other side are to be found in every country.
    raw.left = raw.country in LEFT if raw.country else elect(sides) == "left"
    raw.deleted_ways = sum(version < 0 for version in newest.values())
    raw.old_versions = sum(version >= 0 for version in newest.values())
    return newest


def _read_node(raw: RawWays, number: int, tags: Any, profiles: Sequence[Profile]) -> None:
    if tags.get("highway") == "traffic_signals":
        raw.signals[number] = tags.get("traffic_signals:direction", "both")
    if tags.get("crossing") == "traffic_signals" or tags.get("crossing:signals") == "yes":
        raw.crossings[number] = True
    if "barrier" in tags:
        given = dict(tags)
        gates = tuple(profile.timed_gate(given) for profile in profiles)
        if any(gate.verdict != Access.OPEN or gate.seconds or gate.hours for gate in gates):
            raw.junctions.gates[number] = gates


def _find_missing(raw: RawWays, path: Path) -> None:
    """Give ways the nodes that come after them in the file, and those with numbers below zero.

    Editors and query services write such files, as XML; a compressed one that lacks single nodes was cut at a border.
    """
    import osmium

    lacking = sum(x == MISSING for x in raw.x)
    if path.suffix == ".pbf" and 2 * lacking <= len(raw.x):
        return
    at: dict[int, list[int]] = {}
    for index, (ref, x) in enumerate(zip(raw.refs, raw.x, strict=True)):
        if x == MISSING:
            at.setdefault(ref, []).append(index)
    if not at:
        return
    nodes = osmium.FileProcessor(str(path), osmium.osm.NODE)
    if min(at) > 0:
        nodes = nodes.with_filter(osmium.filter.IdFilter(list(at)))
    for node in nodes:
        for index in at.get(node.id, ()):
            raw.x[index], raw.y[index] = node.location.x, node.location.y


def _as_ferry(way: Any, tags: Any) -> dict[str, str]:
    """The tags of a ferry's way with its class and speed, by its duration or FERRY_KMH; none for another route."""
    if tags.get("route") != "ferry":
        return {}
    nodes = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
    at = np.array(nodes, dtype=np.float64).reshape(-1, 2)
    metres = float(straight_cm(at[:-1, 1], at[:-1, 0], at[1:, 1], at[1:, 0]).sum()) / 100.0
    seconds = _seconds(tags.get("duration", ""))
    kmh = min(FASTEST_FERRY_KMH, max(0.5, metres / seconds * 3.6)) if seconds and metres else FERRY_KMH
    return {**dict(tags), "highway": "ferry", "ferry_kmh": f"{kmh:.3f}"}


def _seconds(duration: str) -> int:
    """Seconds of a duration such as 00:10, 1:05:00, 12 (minutes) or PT1H5M; 0 where it cannot be read."""
    written = re.fullmatch(r"P(\d+D)?T?(\d+H)?(\d+M)?(\d+S)?", duration.strip().upper())
    if written is not None:
        counts = [int(each[:-1]) if each else 0 for each in written.groups()]
        return sum(count * unit for count, unit in zip(counts, (86_400, 3600, 60, 1), strict=True))
    parts = duration.split(":")
    if not all(part.isdecimal() for part in parts) or len(parts) > 3:
        return 0
    numbers = [int(part) for part in parts]
    hours, minutes, seconds = ([0] * (2 - len(numbers)) + numbers + [0])[:3] if len(numbers) < 3 else numbers
    return hours * 3600 + minutes * 60 + seconds


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
