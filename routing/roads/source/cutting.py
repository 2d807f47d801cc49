"""Ways as they were read, cut at their junctions into the edges of a street graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidSpeed, NoRoads
from routing.roads.source.hours import TimedSide
from routing.roads.source.junctions import RawJunctions
from routing.roads.source.lights import lights_on_edges
from routing.roads.source.profiles import Profile
from routing.roads.streets import OSM_ATTRIBUTION, Streets, drive_time_ms, number_words, straight_cm

Rows = list[tuple[int, ...]]

LONGEST_CM = 1_000_000.0
"""A street without junctions is cut after this much all the same: on foot, a longer edge would take too long."""

FARTHEST_CM = 3_000_000.0
"""No street goes straight for so long: two nodes in a row that far apart are a mistake of the map."""


class Holding(Protocol):
    """Anything that knows whether it holds a point: a polygon, an area with holes."""

    def holds(self, first: float, second: float, /) -> bool:
        """True if (lat, lng) is inside."""


MISSING = 2**31 - 1
"""What pyosmium gives as coordinate of a node that the file does not hold."""


@dataclass(slots=True)
class RawWays:
    """What is read from a file, flat: node references of all ways one after the other.

    `x`, `y`: 10^-7 degrees.  `kind`: of a way, an index of `kinds`: speeds and access by profile and direction,
    whether one may stop, whether it is a way across streets.  `signals`: nodes with traffic lights, and in which
    direction of the way they hold; `crossings`: nodes with lights for those on foot; `junctions`: gates, restrictions;
    `country`: two letters, "" where the map does not say; `left`: traffic keeps to the left; `not_understood`: tags
    that say nothing, with the number of ways and nodes.
    """

    refs: list[int] = field(default_factory=list)
    x: list[int] = field(default_factory=list)
    y: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    way: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    road_class: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    signals: dict[int, str] = field(default_factory=dict)
    crossings: dict[int, bool] = field(default_factory=dict)
    junctions: RawJunctions = field(default_factory=RawJunctions)
    kinds: list[Any] = field(default_factory=list)
    old_versions: int = 0
    deleted_ways: int = 0
    country: str = ""
    left: bool = False
    not_understood: Counter[str] = field(default_factory=Counter)


def cut_ways(raw: RawWays, profiles: Sequence[Profile], area: Sequence[Holding], file: str) -> Streets:
    """The streets of the ways, whatever their components.

    `area`: keep only what lies in one of these polygons.  Raises NoRoads where nothing is left.
    """
    if not raw.refs:
        raise NoRoads("the file holds no street that any of the profiles may use", file=file)
    refs = np.array(raw.refs, dtype=np.int64)
    x, y = np.array(raw.x, dtype=np.int64), np.array(raw.y, dtype=np.int64)
    way = np.repeat(np.arange(len(raw.size)), raw.size)
    there = (np.abs(x) <= 180 * 10**7) & (np.abs(y) <= 90 * 10**7)
    facts: dict[str, Any] = {
        "missing_references": len(np.unique(refs[~there & (x == MISSING)])),
        "impossible_nodes": len(np.unique(refs[~there & (x != MISSING)])),
        "deleted_ways": raw.deleted_ways,
        "turn_restrictions": len(raw.junctions.restrictions),
        "signals": len(raw.signals),
        "barriers": len(raw.junctions.gates),
        "old_versions": raw.old_versions,
        "country": raw.country,
        "drives_on_the_left": raw.left,
        "not_understood": dict(sorted(raw.not_understood.items(), key=lambda each: (-each[1], each[0]))),
    }
    if not there.any():
        if facts["impossible_nodes"]:
            raise NoRoads("every node of the file's ways lies outside the world", file=file)
        raise NoRoads(
            "the file holds ways but none of their nodes", file=file, hint="Export it with the nodes of ways."
        )
    impossible = _impossible_ways(y / 1e7, x / 1e7, way, there)
    facts["impossible_ways"] = sorted({raw.way[k] for k in impossible})
    there &= ~np.isin(way, impossible)
    if not there.any():
        raise NoRoads("every way of the file has an impossible shape", file=file, ways=str(facts["impossible_ways"]))
    if area:
        there &= _inside(y, x, refs, there, area)
    # A way is cut where nodes are missing: its parts must not be bridged.
    part = np.cumsum(np.concatenate([[True], (way[1:] != way[:-1]) | ~there[:-1]]))
    refs, x, y, way, part = refs[there], x[there], y[there], way[there], part[there]
    fresh = np.concatenate([[True], (refs[1:] != refs[:-1]) | (part[1:] != part[:-1])]) if len(refs) else there[:0]
    refs, x, y, way, part = refs[fresh], x[fresh], y[fresh], way[fresh], part[fresh]
    if not len(refs):
        raise NoRoads("no street lies in the area", file=file)

    first = np.concatenate([[True], part[1:] != part[:-1]])
    last = np.concatenate([part[1:] != part[:-1], [True]])
    _, node, uses = np.unique(refs, return_inverse=True, return_counts=True)
    gates = raw.junctions.gates
    barrier = np.isin(refs, np.fromiter(gates, dtype=np.int64, count=len(gates)))
    cut = first | last | (uses[node] > 1) | barrier
    cut |= _too_far(y / 1e7, x / 1e7, cut)
    try:
        return _cut_edges(raw, profiles, refs, x, y, way, first, cut, facts)
    except InvalidSpeed as error:
        error.details["file"] = file
        raise


def _impossible_ways(
    lat: NDArray[np.float64], lng: NDArray[np.float64], way: NDArray[np.int64], there: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Ways with two nodes in a row farther apart than FARTHEST_CM."""
    step = straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:])
    far = (way[1:] == way[:-1]) & there[1:] & there[:-1] & (step > FARTHEST_CM)
    return np.unique(way[1:][far])


def _too_far(lat: NDArray[np.float64], lng: NDArray[np.float64], cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where else to cut, so that no edge is much longer than LONGEST_CM."""
    step = np.zeros(len(lat))
    step[1:] = straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:])
    so_far = np.cumsum(step)
    last_cut = np.maximum.accumulate(np.where(cut, np.arange(len(lat)), 0))
    since = np.floor((so_far - so_far[last_cut]) / LONGEST_CM)
    further = np.zeros(len(lat), dtype=np.bool_)
    further[1:] = (since[1:] > since[:-1]) & ~cut[1:]
    return further


def _inside(
    y: NDArray[np.int64],
    x: NDArray[np.int64],
    refs: NDArray[np.int64],
    there: NDArray[np.bool_],
    area: Sequence[Holding],
) -> NDArray[np.bool_]:
    _, at, back = np.unique(refs, return_index=True, return_inverse=True)
    held = [
        bool(there[i]) and any(polygon.holds(float(y[i]) / 1e7, float(x[i]) / 1e7) for polygon in area)
        for i in at.tolist()
    ]
    return np.array(held, dtype=np.bool_)[back]


def _cut_edges(
    raw: RawWays, profiles: Sequence[Profile], refs: Any, x: Any, y: Any, way: Any, first: Any, cut: Any,
    facts: Mapping[str, Any],
) -> Streets:  # fmt: skip
    """Cut the parts of ways at their junctions: one edge from each cut to the next within a part."""
    stops = np.flatnonzero(cut)
    begin, finish = stops[:-1], stops[1:]
    joined = ~first[finish]
    begin, finish = begin[joined], finish[joined]
    lat, lng = y / 1e7, x / 1e7
    step = np.zeros(len(refs))
    step[1:] = straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:])
    so_far = np.cumsum(step)
    length_cm = np.rint(so_far[finish] - so_far[begin]).astype(np.int32)
    known, where = np.unique(refs, return_index=True)
    ids = np.unique(np.concatenate([refs[begin], refs[finish]]))
    home = where[np.searchsorted(known, ids)]
    kind = np.array(raw.kind)[way[begin]]
    ways = np.array([each[0] for each in raw.kinds], dtype=np.float64)[kind].transpose(1, 2, 0, 3)
    timed, timed_ends, timed_ms, conditions = _timed_edges(raw.kinds, kind, ways, length_cm)
    walked = np.array([each[2] for each in raw.kinds])[kind]
    waits = lights_on_edges(raw.signals, raw.crossings, refs, so_far, begin, finish, walked)
    wait_ms = np.stack(
        [np.rint(waits[int(not profile.restrictions)] * profile.signal_s * 1000.0) for profile in profiles]
    ).astype(np.int32)
    class_of, classes = number_words(raw.road_class)
    name_of, names = number_words(["", *raw.name])
    points, shape_start = _shapes(begin, finish)
    return Streets(
        lat=lat[home],
        lng=lng[home],
        tail=np.searchsorted(ids, refs[begin]).astype(np.int32),
        head=np.searchsorted(ids, refs[finish]).astype(np.int32),
        length_cm=length_cm,
        road_class=class_of[way[begin]].astype(np.int16),
        classes=classes,
        name=name_of[1:][way[begin]].astype(np.int32),
        names=names,
        way=np.array(raw.way, dtype=np.int64)[way[begin]],
        shape_start=shape_start,
        shape_lat=lat[points],
        shape_lng=lng[points],
        profiles=tuple(profile.name for profile in profiles),
        drive_ms=drive_time_ms(length_cm, ways[..., 0]),
        wait_ms=wait_ms,
        attribution=OSM_ATTRIBUTION,
        facts=facts,
        ends_only=ways[..., 1] > 0,
        stops=np.array([each[1] for each in raw.kinds])[kind],
        node_id=ids,
        timed=timed,
        timed_ends=timed_ends,
        timed_ms=timed_ms,
        conditions=conditions,
        shape_node=refs[points],
    )


def _timed_edges(
    kinds: Sequence[Any], kind: NDArray[np.int64], ways: NDArray[np.float64], length_cm: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], tuple[str, ...]]:
    """`timed`, `timed_ends`, `timed_ms` and `conditions` of `Streets`, from the kind of every edge.

    `ways` float64[profile, 2, e, 2]: speeds and whether for ends only.  What opens for a while gets there what it then
    is.
    """
    sides = [
        (number, p, direction, said)
        for number, each in enumerate(kinds)
        for p, both in enumerate(each[3])
        for direction, said in enumerate(both)
        if said is not None
    ]
    conditions = tuple(sorted({hours for _, _, _, said in sides for hours in _hours(said)}))
    shut: Rows = []
    ends: Rows = []
    speeds: Rows = []
    for number, p, direction, said in sides:
        edges = np.flatnonzero(kind == number)
        if said.opens:
            ways[p, direction, edges] = said.usual
        for rows, hours, last in ((shut, said.shut, int(said.opens)), (ends, said.ends, int(said.usual[1]))):
            if hours:
                rows += [(p, direction, edge, conditions.index(hours), last) for edge in edges.tolist()]
        for hours, kmh in said.speeds:
            ms = drive_time_ms(length_cm[edges], np.full(len(edges), kmh))
            at = conditions.index(hours)
            speeds += [(p, direction, e, at, each) for e, each in zip(edges.tolist(), ms.tolist(), strict=True)]
    at_times, for_ends, driven = (np.array(rows, dtype=np.int32).reshape(-1, 5) for rows in (shut, ends, speeds))
    return at_times, for_ends, driven, conditions


def _hours(said: TimedSide) -> list[str]:
    return [hours for hours in (said.shut, said.ends, *(each for each, _ in said.speeds)) if hours]


def _shapes(begin: Any, finish: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indexes of the points of every edge, and where each edge's begin."""
    size = (finish - begin + 1).astype(np.int64)
    start = np.zeros(len(size) + 1, dtype=np.int64)
    np.cumsum(size, out=start[1:])
    return np.arange(start[-1]) + np.repeat(begin - start[:-1], size), start
