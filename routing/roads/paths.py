"""One way through the city: seconds, metres, line and street names; and all that lies within a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.cells import cells_of
from routing.roads.kernels.direct import shorten_direct
from routing.roads.kernels.search import sweep, walk
from routing.roads.metric import FAR_MS, FAR_PAIR, PAIR_SHIFT, Metric, Points
from routing.roads.snapping import Snaps, StreetGrid
from routing.roads.spots import Spots
from routing.roads.streets import AGAINST, ALONG, Streets

if TYPE_CHECKING:
    from routing.roads.hierarchy import Hierarchy
    from routing.roads.state import Travel

SAMPLE_M = 40.0
"""Distance of the points by which reached streets are laid into cells: a fifth of a cell's edge."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadPath:
    """A fastest way, the shortest of equally fast ones.

    `seconds`, `metres` (inf where there is no way); `geometry` float64[k, 2] of (lat, lng) from the origin's spot on
    its street to the destination's; `streets`: names in order, repeated names once; `edges` int32, `against` bool:
    the edges used and in which direction.
    """

    seconds: float
    metres: float
    geometry: NDArray[np.float64]
    streets: tuple[str, ...]
    edges: NDArray[np.int32]
    against: NDArray[np.bool_]

    @property
    def found(self) -> bool:
        """Whether there is a way."""
        return self.seconds < float("inf")


NO_PATH = RoadPath(
    float("inf"), float("inf"), np.zeros((0, 2)), (), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_)
)


def distances(metric: Metric, hierarchy: Hierarchy, point: Points, *, towards: bool) -> NDArray[np.int64]:
    """Least weight from the one point to every node (or, `towards`, from every node to it), by node."""
    row = metric.label(point, arriving=towards)
    weight = metric.leaving if towards else metric.arriving
    swept = sweep(
        hierarchy.first, hierarchy.up, hierarchy.parent, hierarchy.depth, weight, point.base[0], row, metric.far
    )
    return np.asarray(swept[hierarchy.position])


class Arcs(NamedTuple):
    """Outgoing arcs of every node: `start` int64[n + 1], `head` int32, `code` int32 (2 * edge + direction)."""

    start: NDArray[np.int64]
    head: NDArray[np.int32]
    code: NDArray[np.int32]


def find_path(
    streets: Streets, hierarchy: Hierarchy, grid: StreetGrid, arcs: Arcs, travel: Travel, origin: Snaps, goal: Snaps
) -> RoadPath:
    """The fastest way between two snapped points; `travel` must hold a metric of pairs."""
    begin, finish = Spots(origin, streets, hierarchy, travel.ms), Spots(goal, streets, hierarchy, travel.ms)
    arrive = finish.arriving(np.int64)
    left = distances(travel.metric, hierarchy, arrive, towards=True)
    edge, last = int(origin.edge[0]), int(goal.edge[0])
    first_part, last_part = float(origin.fraction[0]), float(goal.fraction[0])
    depart = begin.leaving(np.int64).offset[0]
    options = []
    for side, node in enumerate((int(streets.tail[edge]), int(streets.head[edge]))):
        if depart[side] < FAR_PAIR and left[node] < FAR_PAIR:
            options.append((int(depart[side] + left[node]), side, node))
    best = min(options, default=None)
    direct = _direct(begin, finish)
    if direct is not None and (best is None or direct[0] <= best[0]):
        return _describe(streets, grid, direct[0], [(edge, direct[1], first_part, last_part)])
    if best is None:
        return NO_PATH
    total, side, node = best
    ends = np.array([streets.tail[last], streets.head[last]], dtype=np.int32)
    codes, at = walk(node, *arcs, travel.ms, streets.length_cm, left, ends, arrive.offset[0])
    steps = [(edge, AGAINST if side == 0 else ALONG, first_part, float(side))]
    steps += [(c // 2, c % 2, float(c % 2), float(1 - c % 2)) for c in codes.tolist()]
    to_tail = bool(at == ends[0] and arrive.offset[0, 0] == left[at])
    steps.append((last, ALONG, 0.0, last_part) if to_tail else (last, AGAINST, 1.0, last_part))
    return _describe(streets, grid, total, steps)


def _direct(begin: Spots, finish: Spots) -> tuple[int, int] | None:
    """(pair, direction) of the way that stays on the one edge of both spots, if there is one."""
    if begin.edge[0] != finish.edge[0]:
        return None
    found = []
    order = np.zeros(1, dtype=np.int64)
    shut = np.full(1, FAR_PAIR)
    for direction, along, against in ((ALONG, begin.along, shut), (AGAINST, shut, begin.against)):
        table = np.full((1, 1), FAR_PAIR)
        shorten_direct(
            begin.edge, begin.fraction, along, against, finish.edge, finish.fraction, order, FAR_PAIR, 0, table
        )
        if table[0, 0] < FAR_PAIR:
            found.append((int(table[0, 0]), direction))
    return min(found, default=None)


def _describe(streets: Streets, grid: StreetGrid, pair: int, steps: list[tuple[int, int, float, float]]) -> RoadPath:
    """A path out of its steps: (edge, direction, fraction where it enters, fraction where it leaves)."""
    lines: list[NDArray[np.float64]] = []
    names: list[str] = []
    kept: list[tuple[int, int]] = []
    for edge, direction, enter, leave in steps:
        lines.append(grid.line(edge, enter, leave))
        if enter != leave or len(steps) == 1:
            kept.append((edge, direction))
            name = streets.names[streets.name[edge]]
            if name and (not names or names[-1] != name):
                names.append(name)
    geometry = np.concatenate(lines)
    fresh = np.concatenate([[True], (geometry[1:] != geometry[:-1]).any(axis=1)])
    return RoadPath(
        seconds=(pair >> PAIR_SHIFT) / 1000.0,
        metres=(pair & (2**PAIR_SHIFT - 1)) / 100.0,
        geometry=geometry[fresh],
        streets=tuple(names),
        edges=np.array([edge for edge, _ in kept], dtype=np.int32),
        against=np.array([direction == AGAINST for _, direction in kept], dtype=np.bool_),
    )


def reached_cells(
    streets: Streets, hierarchy: Hierarchy, grid: StreetGrid, travel: Travel, origin: Snaps, limit_ms: int, size: int
) -> list[int]:
    """H3 cells of all street points that can be reached from the snapped point within `limit_ms`, ascending.

    `size`: H3 resolution of the cells.
    """
    spot = Spots(origin, streets, hierarchy, travel.ms)
    from_origin = distances(travel.metric, hierarchy, spot.leaving(travel.metric.dtype), towards=False)
    edges, fractions = [], []
    own, start = int(origin.edge[0]), float(origin.fraction[0])
    for direction, first in ((ALONG, streets.tail), (AGAINST, streets.head)):
        ms = travel.ms[direction]
        sign = 1 if direction == ALONG else -1
        ahead = limit_ms / max(1, int(ms[own])) if ms[own] != FAR_MS else 0.0
        fractions.append(np.clip(start + sign * ahead * np.linspace(0.0, 1.0, 32), 0.0, 1.0))
        edges.append(np.full(32, own, dtype=np.int32))
        spare = limit_ms - from_origin[first].astype(np.int64)
        edge = np.flatnonzero((ms != FAR_MS) & (spare >= 0))
        share = np.minimum(1.0, spare[edge] / np.maximum(ms[edge], 1))
        spots = np.ceil(share * streets.length_cm[edge] / (100.0 * SAMPLE_M)).astype(np.int64) + 1
        line = np.repeat(np.arange(len(edge)), spots)
        number = np.arange(len(line)) - np.repeat(np.cumsum(spots) - spots, spots)
        at = share[line] * number / np.maximum(spots[line] - 1, 1)
        edges.append(edge[line].astype(np.int32))
        fractions.append(at if direction == ALONG else 1.0 - at)
    points = np.unique(np.round(grid.spots(np.concatenate(edges), np.concatenate(fractions)), 4), axis=0)
    return sorted({int(cell) for cell in cells_of(points[:, 0], points[:, 1], size)})
