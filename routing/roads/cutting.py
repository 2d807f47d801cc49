"""Ways as they were read, cut at their junctions into the edges of a street graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from routing.roads.errors import InvalidSpeed, NoRoads
from routing.roads.profiles import Profile
from routing.roads.streets import OSM_ATTRIBUTION, Streets, drive_time_ms, straight_cm

LONGEST_CM = 1_000_000.0
"""A street without junctions is cut after this much all the same: on foot, a longer edge would take too long."""


class Holding(Protocol):
    """Anything that knows whether it holds a point: a polygon, an area with holes."""

    def holds(self, first: float, second: float, /) -> bool:
        """True if (lat, lng) is inside."""


@dataclass(slots=True)
class RawWays:
    """What is read from a file, flat: node references of all ways one after the other.

    `x`, `y`: 10^-7 degrees.  `kind`: of a way, an index of `speeds`, which holds km/h along and against by profile.
    `signals`: nodes with traffic lights; `barriers`: nodes with one, and which profiles it lets pass.
    """

    refs: list[int] = field(default_factory=list)
    x: list[int] = field(default_factory=list)
    y: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    way: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    road_class: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    signals: list[int] = field(default_factory=list)
    barriers: dict[int, tuple[bool, ...]] = field(default_factory=dict)
    speeds: list[tuple[tuple[float, float], ...]] = field(default_factory=list)
    restrictions: int = 0


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
    facts = {
        "missing_references": len(np.unique(refs[~there])),
        "turn_restrictions": raw.restrictions,
        "signals": len(raw.signals),
        "barriers": len(raw.barriers),
    }
    if not there.any():
        raise NoRoads(
            "the file holds ways but none of their nodes", file=file, hint="Export it with the nodes of ways."
        )
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
    signal = np.isin(refs, np.array(raw.signals, dtype=np.int64))
    barrier = np.isin(refs, np.fromiter(raw.barriers, dtype=np.int64, count=len(raw.barriers)))
    cut = first | last | (uses[node] > 1) | barrier
    cut |= _too_far(y / 1e7, x / 1e7, cut)
    try:
        return _cut_edges(raw, profiles, refs, x, y, way, first, cut, signal, barrier, facts)
    except InvalidSpeed as error:
        error.details["file"] = file
        raise


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
    raw: RawWays, profiles: Sequence[Profile], refs: Any, x: Any, y: Any, way: Any, first: Any, cut: Any, signal: Any,
    barrier: Any, facts: Mapping[str, int],
) -> Streets:  # fmt: skip
    """Cut the parts of ways at their junctions: one edge from each cut to the next within a part."""
    stops = np.flatnonzero(cut)
    begin, finish = stops[:-1], stops[1:]
    joined = ~first[finish]
    begin, finish = begin[joined], finish[joined]
    tail_ref, head_ref = refs[begin], refs[finish]
    tail_ref, head_ref, gates = _split_barriers(tail_ref, head_ref, barrier[begin], barrier[finish], raw.barriers)

    lat, lng = y / 1e7, x / 1e7
    step = np.zeros(len(refs))
    step[1:] = straight_cm(lat[:-1], lng[:-1], lat[1:], lng[1:])
    so_far = np.cumsum(step)
    signals = np.cumsum(signal)
    length = so_far[finish] - so_far[begin]
    waits = np.stack([signals[finish] - signals[begin], (signals - signal)[finish] - (signals - signal)[begin]])

    gate_ref = np.array([gate[0] for gate in gates], dtype=np.int64)
    gate_other = np.array([gate[1] for gate in gates], dtype=np.int64)
    known, where = np.unique(refs, return_index=True)
    ids = np.unique(np.concatenate([tail_ref, head_ref, gate_ref, gate_other]))
    home = where[np.searchsorted(known, _gate_home(ids, gates))]
    tail = np.searchsorted(ids, np.concatenate([tail_ref, gate_ref])).astype(np.int32)
    head = np.searchsorted(ids, np.concatenate([head_ref, gate_other])).astype(np.int32)

    kind = np.array(raw.kind)[way[begin]]
    speeds = np.array(raw.speeds)[kind].transpose(1, 2, 0)
    gate_speeds = np.array([gate[2] for gate in gates], dtype=np.float64).reshape(len(gates), len(profiles))
    speeds = np.concatenate([speeds, np.stack([gate_speeds.T] * 2, axis=1)], axis=2)
    length_cm = np.concatenate([np.rint(length), np.zeros(len(gates))]).astype(np.int32)
    waits = np.concatenate([waits, np.zeros((2, len(gates)), dtype=waits.dtype)], axis=1)
    wait_ms = np.stack([np.rint(waits * profile.signal_s * 1000.0) for profile in profiles]).astype(np.int32)

    classes = sorted({*raw.road_class, "barrier"})
    names = sorted({"", *raw.name})
    class_of = np.array([classes.index(c) for c in raw.road_class])
    number = {name: i for i, name in enumerate(names)}
    name_of = np.array([number[n] for n in raw.name])
    points, shape_start = _shapes(begin, finish, [int(where[np.searchsorted(known, g[0])]) for g in gates])
    extra = len(gates)
    return Streets(
        lat=lat[home],
        lng=lng[home],
        tail=tail,
        head=head,
        length_cm=length_cm,
        road_class=np.concatenate([class_of[way[begin]], np.full(extra, classes.index("barrier"))]).astype(np.int16),
        classes=tuple(classes),
        name=np.concatenate([name_of[way[begin]], np.zeros(extra)]).astype(np.int32),
        names=tuple(names),
        way=np.concatenate([np.array(raw.way, dtype=np.int64)[way[begin]], np.full(extra, -1)]).astype(np.int64),
        shape_start=shape_start,
        shape_lat=lat[points],
        shape_lng=lng[points],
        profiles=tuple(profile.name for profile in profiles),
        drive_ms=drive_time_ms(length_cm, speeds),
        wait_ms=wait_ms,
        attribution=OSM_ATTRIBUTION,
        facts=facts,
    )


def _split_barriers(
    tail: NDArray[np.int64], head: NDArray[np.int64], at_tail: Any, at_head: Any, passes: Mapping[int, tuple[bool, ...]]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[int, int, tuple[float, ...]]]]:
    """Give a barrier node a second half (an id below all others) beyond an edge of no length that only some may use.

    Only a barrier with two arms can be told into two halves; at a junction it stops nobody.
    """
    arms: dict[int, list[tuple[int, int]]] = {}
    for edge in np.flatnonzero(at_tail).tolist():
        arms.setdefault(int(tail[edge]), []).append((edge, 0))
    for edge in np.flatnonzero(at_head).tolist():
        arms.setdefault(int(head[edge]), []).append((edge, 1))
    tail, head = tail.copy(), head.copy()
    lowest = int(min(0, tail.min(initial=0), head.min(initial=0)))
    gates = []
    for number, (ref, ends) in enumerate(sorted(arms.items()), start=1):
        if len(ends) != 2:
            continue
        edge, side = ends[1]
        (head if side else tail)[edge] = lowest - number
        gates.append((ref, lowest - number, tuple(5.0 if passed else 0.0 for passed in passes[ref])))
    return tail, head, gates


def _gate_home(ids: NDArray[np.int64], gates: Sequence[tuple[int, int, Any]]) -> NDArray[np.int64]:
    home = {gate[1]: gate[0] for gate in gates}
    return np.array([home.get(i, i) for i in ids.tolist()], dtype=np.int64)


def _shapes(begin: Any, finish: Any, gates: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indexes of the points of every edge, and where each edge's begin; a gate is its own point twice."""
    size = np.concatenate([finish - begin + 1, np.full(len(gates), 2)]).astype(np.int64)
    start = np.zeros(len(size) + 1, dtype=np.int64)
    np.cumsum(size, out=start[1:])
    offset = np.concatenate([begin, np.array(gates, dtype=np.int64)]) - start[:-1]
    points = np.arange(start[-1]) + np.repeat(offset, size)
    points[start[len(begin)] :] = np.repeat(np.array(gates, dtype=np.int64), 2)
    return points, start
