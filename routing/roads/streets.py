"""Streets: a city's street graph in arrays, with the undisturbed travel time of every profile.

An *edge* is a piece of street between two nodes, with two directions: along (tail to head) and against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.roads.errors import InvalidSpeed, InvalidStreets, NoRoads
from routing.roads.kernels.components import strong_components

SHUT = -1
"""Milliseconds of a direction that a profile may not use."""
SLOWEST_MS = 2**24
"""The longest an edge may take in one direction (4.6 hours): sums along a way stay within int32."""
ALONG, AGAINST = 0, 1
OSM_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0, https://www.openstreetmap.org/copyright"


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """Arrays of a street graph.

    `lat`, `lng` float64[n] degrees; `tail`, `head` int32[e]; `length_cm` int32[e]; `road_class` int16[e] into
    `classes`; `name` int32[e] into `names`; `way` int64[e], the number of the street in its source (-1 for none);
    `shape_start` int64[e + 1] into `shape_lat`, `shape_lng` float64: the line of every edge, both ends included;
    `profiles`; `drive_ms`, `wait_ms` int32[profile, 2, e]: driving and waiting along and against, drive_ms SHUT where
    the profile may not go; `attribution`; `facts`: counts of what the import met; `ends_only` bool[profile, 2, e]: for
    trips that begin or end there; `stops` bool[e]: one can stop there; `node_id` int64[n], numbers of the nodes in
    their source (-1 for none); `timed` int32[k, 5]: profile, direction, edge, index of a condition in `conditions`,
    and 1 where the direction is open only while it holds, 0 where it is shut while it holds; `timed_ends` int32[k, 5]:
    likewise, 0 where it is for ends only while it holds, 1 where it is so unless it holds; `timed_ms` int32[k, 5]:
    likewise, and the milliseconds of driving while it holds; `shape_node` int64: numbers of the points of every line
    in their source (-1 for none).
    """

    lat: NDArray[np.float64]
    lng: NDArray[np.float64]
    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_cm: NDArray[np.int32]
    road_class: NDArray[np.int16]
    classes: tuple[str, ...]
    name: NDArray[np.int32]
    names: tuple[str, ...]
    way: NDArray[np.int64]
    shape_start: NDArray[np.int64]
    shape_lat: NDArray[np.float64]
    shape_lng: NDArray[np.float64]
    profiles: tuple[str, ...]
    drive_ms: NDArray[np.int32]
    wait_ms: NDArray[np.int32]
    attribution: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    ends_only: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    stops: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    node_id: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    timed: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 5), dtype=np.int32))
    timed_ends: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 5), dtype=np.int32))
    timed_ms: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 5), dtype=np.int32))
    conditions: tuple[str, ...] = ()
    shape_node: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.ends_only.shape != self.drive_ms.shape:
            object.__setattr__(self, "ends_only", np.zeros(self.drive_ms.shape, dtype=np.bool_))
        if len(self.stops) != len(self.tail):
            object.__setattr__(self, "stops", np.ones(len(self.tail), dtype=np.bool_))
        if len(self.node_id) != len(self.lat):
            object.__setattr__(self, "node_id", np.full(len(self.lat), -1, dtype=np.int64))
        if len(self.shape_node) != len(self.shape_lat):
            object.__setattr__(self, "shape_node", np.full(len(self.shape_lat), -1, dtype=np.int64))

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.lat)

    @property
    def edges(self) -> int:
        """Number of edges, each counted once for its two directions."""
        return len(self.tail)


def drive_time_ms(length_cm: NDArray[Any], kmh: NDArray[np.float64]) -> NDArray[np.int32]:
    """Milliseconds of driving `length_cm` at `kmh`, rounded to nearest; SHUT where the speed is zero.

    Raises InvalidSpeed where an edge would take longer than SLOWEST_MS.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ms = np.rint(length_cm * 36.0 / kmh)
    closed = kmh == 0.0
    slow = ~closed & ~(ms <= SLOWEST_MS)
    if slow.any():
        edge = int(np.argwhere(slow)[0][-1])
        raise InvalidSpeed(f"edge {edge} would take more than {SLOWEST_MS // 3_600_000} hours", edge=edge)
    return np.where(closed, SHUT, ms).astype(np.int32)


def nearest_turn(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """A difference of longitudes the short way round the world."""
    return np.where(degrees > 180, degrees - 360, np.where(degrees < -180, degrees + 360, degrees))


def straight_cm(
    lat: NDArray[np.float64], lng: NDArray[np.float64], to_lat: NDArray[np.float64], to_lng: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Centimetres between points in degrees (equirectangular on the mean latitude: exact enough within a street)."""
    across = nearest_turn(to_lng - lng) * np.cos(np.radians((lat + to_lat) / 2))
    return np.asarray(np.sqrt(across * across + (to_lat - lat) ** 2) * (METRES_PER_DEGREE * 100.0))


def spans_cm(streets: Streets) -> NDArray[np.float64]:
    """Centimetres of every edge, along its line where that is longer than it says: no part of it spans more."""
    lat, lng = streets.shape_lat, streets.shape_lng
    step = np.concatenate([[0.0], np.cumsum(straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:]))])
    first, last = streets.shape_start[:-1], np.maximum(streets.shape_start[1:] - 1, 0)
    return np.asarray(np.maximum(streets.length_cm, step[last] - step[first]), dtype=np.float64)


def straight_shapes(
    lat: NDArray[np.float64], lng: NDArray[np.float64], tail: NDArray[np.int32], head: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Shapes of edges that are straight lines between their nodes."""
    ends = np.stack([tail, head], axis=1).ravel()
    return np.arange(0, 2 * len(tail) + 1, 2, dtype=np.int64), lat[ends], lng[ends]


def check_streets(streets: Streets) -> None:
    """Raise InvalidStreets where the arrays contradict each other, naming array and index."""
    n, e = streets.nodes, streets.edges
    for name, size in {"lng": n, "head": e, "length_cm": e, "road_class": e, "name": e, "way": e}.items():
        if len(getattr(streets, name)) != size:
            raise InvalidStreets(f"{name} has {len(getattr(streets, name))} entries instead of {size}", field=name)
    for name, limit in (("lat", 90.0), ("lng", 180.0)):
        bad = ~(np.abs(getattr(streets, name)) <= limit)
        if bad.any():
            raise InvalidStreets(f"a node's {name} lies outside the world", field=name, index=int(np.argmax(bad)))
    for name in ("tail", "head"):
        bad = (getattr(streets, name) < 0) | (getattr(streets, name) >= n)
        if bad.any():
            raise InvalidStreets(f"{name} names a node that is not there", field=name, index=int(np.argmax(bad)))
    if (streets.length_cm < 0).any():
        index = int(np.argmax(streets.length_cm < 0))
        raise InvalidStreets("a length is negative", field="length_m", index=index)
    shape = (len(streets.profiles), 2, e)
    if streets.drive_ms.shape != shape or streets.wait_ms.shape != shape:
        raise InvalidStreets(f"travel times must be of shape {shape}", field="drive_ms")
    bad = (streets.drive_ms < SHUT) | (streets.drive_ms > SLOWEST_MS) | (streets.wait_ms < 0)
    bad |= streets.wait_ms > SLOWEST_MS
    if bad.any():
        profile, _, edge = (int(i) for i in np.argwhere(bad)[0])
        raise InvalidSpeed(
            f"{streets.profiles[profile]} takes a negative or endless time on edge {edge}",
            profile=streets.profiles[profile],
            edge=edge,
        )


def arcs_of(
    streets: Streets, open_: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Outgoing arcs of every node among the open directions: (start int64[n + 1], head int32, code int32).

    `open_` bool[2, e]; an arc's code is 2 * edge + direction.  Arcs of a node come in rising codes.
    """
    along, against = np.flatnonzero(open_[ALONG]), np.flatnonzero(open_[AGAINST])
    source = np.concatenate([streets.tail[along], streets.head[against]])
    target = np.concatenate([streets.head[along], streets.tail[against]])
    code = np.concatenate([2 * along, 2 * against + 1])
    order = np.lexsort((code, source))
    start = np.zeros(streets.nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(source, minlength=streets.nodes), out=start[1:])
    return start, target[order].astype(np.int32), code[order].astype(np.int32)


def keep_largest_components(streets: Streets) -> Streets:
    """The streets that some profile can use within its largest strongly connected component.

    Raises NoRoads where nothing is left.
    """
    drive_ms = streets.drive_ms.copy()
    for p in range(len(streets.profiles)):
        start, head, _ = arcs_of(streets, drive_ms[p] != SHUT)
        component = strong_components(start, head)
        inside = component == np.bincount(component).argmax() if len(component) else np.zeros(0, dtype=bool)
        drive_ms[p][:, ~(inside[streets.tail] & inside[streets.head])] = SHUT
    kept = select_edges(replace(streets, drive_ms=drive_ms), (drive_ms != SHUT).any(axis=(0, 1)))
    if not kept.edges:
        raise NoRoads("no street is left that any of the profiles may use", profiles=", ".join(streets.profiles))
    return kept


def select_edges(streets: Streets, chosen: NDArray[np.bool_]) -> Streets:
    """The chosen edges and the nodes at their ends, renumbered in order."""
    used = np.zeros(streets.nodes, dtype=np.bool_)
    used[streets.tail[chosen]] = True
    used[streets.head[chosen]] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    length = np.diff(streets.shape_start)
    points = np.repeat(chosen, length)
    start = np.zeros(int(chosen.sum()) + 1, dtype=np.int64)
    np.cumsum(length[chosen], out=start[1:])
    return replace(
        streets,
        lat=streets.lat[used],
        lng=streets.lng[used],
        tail=number[streets.tail[chosen]],
        head=number[streets.head[chosen]],
        length_cm=streets.length_cm[chosen],
        road_class=streets.road_class[chosen],
        name=streets.name[chosen],
        way=streets.way[chosen],
        shape_start=start,
        shape_lat=streets.shape_lat[points],
        shape_lng=streets.shape_lng[points],
        drive_ms=np.ascontiguousarray(streets.drive_ms[:, :, chosen]),
        wait_ms=np.ascontiguousarray(streets.wait_ms[:, :, chosen]),
        ends_only=np.ascontiguousarray(streets.ends_only[:, :, chosen]),
        stops=streets.stops[chosen],
        node_id=streets.node_id[used],
        timed=_renumbered(streets.timed, chosen),
        timed_ends=_renumbered(streets.timed_ends, chosen),
        timed_ms=_renumbered(streets.timed_ms, chosen),
        shape_node=streets.shape_node[points],
    )


def _renumbered(timed: NDArray[np.int32], chosen: NDArray[np.bool_]) -> NDArray[np.int32]:
    kept = timed[chosen[timed[:, 2]]].copy()
    kept[:, 2] = (np.cumsum(chosen) - 1)[kept[:, 2]]
    return kept


def number_words(words: Sequence[str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Words as indexes into their sorted list."""
    listed = sorted(set(words))
    index = {word: i for i, word in enumerate(listed)}
    return np.fromiter((index[word] for word in words), dtype=np.int64, count=len(words)), tuple(listed)
