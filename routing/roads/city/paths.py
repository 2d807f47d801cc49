"""One way through the city: seconds, metres, line and street names; and all that lies within a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from routing.cells import cells_of
from routing.roads.hierarchy.metric import FAR_MS, FAR_PAIR, PAIR_SHIFT, AnyHierarchy, Metric, Points
from routing.roads.kernels.direct import shorten_direct
from routing.roads.kernels.search import sweep, walk
from routing.roads.snapping.snapping import Snaps, StreetGrid
from routing.roads.snapping.spots import Spots, spot_table
from routing.roads.streets import AGAINST, ALONG, Streets

if TYPE_CHECKING:
    from routing.roads.hierarchy.graphs import Graph, StreetTimes
    from routing.roads.snapping.stops import Stops

SAMPLE_M = 40.0
"""Distance of the points by which reached streets are laid into cells: a fifth of a cell's edge."""


@dataclass(frozen=True, slots=True, eq=False)
class RoadPath:
    """A fastest way, the shortest of equally fast ones.

    `seconds` from door to door, `metres` along streets (inf where there is no way); `geometry` float64[k, 2] of
    (lat, lng) from the origin's spot on its street to the destination's; `streets`: names in order, repeated names
    once; `edges` int32, `against` bool: the edges used and in which direction; `walk_seconds`, `walk_metres`: from the
    origin to its street, and from the destination's street to it.
    """

    seconds: float
    metres: float
    geometry: NDArray[np.float64]
    streets: tuple[str, ...]
    edges: NDArray[np.int32]
    against: NDArray[np.bool_]
    walk_seconds: tuple[float, float] = (0.0, 0.0)
    walk_metres: tuple[float, float] = (0.0, 0.0)

    @property
    def found(self) -> bool:
        """Whether there is a way."""
        return self.seconds < float("inf")


NO_PATH = RoadPath(
    float("inf"), float("inf"), np.zeros((0, 2)), (), np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.bool_)
)


def distances(metric: Metric, hierarchy: AnyHierarchy, point: Points, *, towards: bool) -> NDArray[np.int64]:
    """Least weight from the one point to every node (or, `towards`, from every node to it), by node.

    Where the point lies beyond a node, that node's weight is below zero.
    """
    row = metric.label(point, arriving=towards)
    weight = metric.leaving if towards else metric.arriving
    lists = hierarchy.out if towards else hierarchy.into
    swept = sweep(*lists, hierarchy.parent, hierarchy.depth, weight, point.base[0], row, metric.far)
    found = np.asarray(swept[hierarchy.position])
    return np.where(found < metric.far, found - point.shift[0], found)


def find_best_path(
    streets: Streets, graph: Graph, grid: StreetGrid, travel: StreetTimes, origin: Stops, goal: Stops
) -> RoadPath:
    """The fastest way between two places over all spots where one can stop for them, walks included."""
    options = []
    (starts, _, walk_from), (ends, _, walk_to) = origin.flat(), goal.flat()
    from_, to = (Spots(each, streets, graph, travel) for each in (starts, ends))
    table = spot_table(travel.metric, from_, to, int(FAR_PAIR))
    for i, j in np.ndindex(*table.shape):
        if table[i, j] < FAR_PAIR:
            walk = int(walk_from[i]) + int(walk_to[j])
            options.append((int(table[i, j]) + (walk << PAIR_SHIFT), i, j))
    if not options:
        return NO_PATH
    _, i, j = min(options)
    way = find_path(streets, graph, grid, travel, starts.only(i), ends.only(j))
    walk_s = (int(walk_from[i]) / 1000.0, int(walk_to[j]) / 1000.0)
    whole = (round(way.seconds * 1000) + int(walk_from[i]) + int(walk_to[j])) / 1000.0
    metres = (float(starts.metres[i]), float(ends.metres[j])) if any(walk_s) else (0.0, 0.0)
    return replace(way, seconds=whole, walk_seconds=walk_s, walk_metres=metres)


def find_path(
    streets: Streets, graph: Graph, grid: StreetGrid, travel: StreetTimes, origin: Snaps, goal: Snaps
) -> RoadPath:
    """The fastest way between two snapped points; `travel` must hold a metric of pairs."""
    begin, finish = (Spots(each, streets, graph, travel) for each in (origin, goal))
    arrive = finish.arriving(np.int64)
    left = distances(travel.metric, graph.hierarchy, arrive, towards=True)
    direct = _direct(begin, finish)
    parts = float(origin.fraction[0]), float(goal.fraction[0])
    best = _first_steps(graph, begin, left)
    if direct is not None and (best is None or direct[0] <= best[0]):
        return _describe(streets, grid, direct[0], [(int(origin.edge[0]), direct[1], *parts)])
    if best is None:
        return NO_PATH
    total, node, side = best
    weight = graph.weights(travel.ms, travel.holding, streets.length_cm, travel.closed)
    reach = graph.nodes_of(finish.edge, arriving=True)[0]
    numbers, at = walk(node, *graph.arcs, weight, left, reach, arrive.offset[0])
    whole = [(c // 2, c % 2, float(c % 2), float(1 - c % 2)) for c in graph.codes_along(node, numbers).tolist()]
    first = int(origin.edge[0]), side, parts[0], float(1 - side)
    if graph.turn_aware:
        whole[-1] = (*whole[-1][:3], parts[1])
        return _describe(streets, grid, total, [first, *whole])
    to_tail = bool(at == reach[0] and arrive.offset[0, 0] == left[at])
    last = (ALONG, 0.0, parts[1]) if to_tail else (AGAINST, 1.0, parts[1])
    return _describe(streets, grid, total, [first, *whole, (int(goal.edge[0]), *last)])


def _first_steps(graph: Graph, begin: Spots, left: NDArray[np.int64]) -> tuple[int, int, int] | None:
    """(whole weight, node, direction on the first edge) of the best way off the edge of a spot; None for none."""
    options = []
    if graph.turn_aware:
        points, sides, nodes = begin.turns_off()
        for offset, side, node in zip(points.tolist(), sides.tolist(), nodes.tolist(), strict=True):
            if offset < FAR_PAIR and left[node] < FAR_PAIR:
                options.append((offset + int(left[node]), node, side))
        return min(options, default=None)
    depart = begin.leaving(np.int64).offset[0].tolist()
    for end, node in enumerate(graph.nodes_of(begin.edge, arriving=False)[0].tolist()):
        if depart[end] < FAR_PAIR and left[node] < FAR_PAIR:
            options.append((depart[end] + int(left[node]), node, AGAINST if end == 0 else ALONG))
    return min(options, default=None)


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
    streets: Streets, graph: Graph, grid: StreetGrid, travel: StreetTimes, origin: Snaps, limit_ms: int, size: int
) -> list[int]:
    """H3 cells of all street points that can be reached from the snapped point within `limit_ms`, ascending.

    `size`: H3 resolution of the cells.
    """
    spot = Spots(origin, streets, graph, travel)
    from_origin = distances(travel.metric, graph.hierarchy, spot.leaving(travel.metric.dtype), towards=False)
    edges, fractions = [], []
    own, start = int(origin.edge[0]), float(origin.fraction[0])
    entered = graph.nodes_of(np.arange(streets.edges, dtype=np.int32), arriving=True)
    for direction in (ALONG, AGAINST):
        ms = travel.ms[direction]
        sign = 1 if direction == ALONG else -1
        ahead = limit_ms / max(1, int(ms[own])) if ms[own] != FAR_MS else 0.0
        fractions.append(np.clip(start + sign * ahead * np.linspace(0.0, 1.0, 32), 0.0, 1.0))
        edges.append(np.full(32, own, dtype=np.int32))
        node = entered[:, direction]
        spare = np.where(node >= 0, limit_ms - from_origin[node].astype(np.int64), -1)
        edge = np.flatnonzero((ms != FAR_MS) & (spare >= 0) & (spare <= limit_ms))
        share = np.minimum(1.0, spare[edge] / np.maximum(ms[edge], 1))
        spots = np.ceil(share * streets.length_cm[edge] / (100.0 * SAMPLE_M)).astype(np.int64) + 1
        line = np.repeat(np.arange(len(edge)), spots)
        number = np.arange(len(line)) - np.repeat(np.cumsum(spots) - spots, spots)
        at = share[line] * number / np.maximum(spots[line] - 1, 1)
        edges.append(edge[line].astype(np.int32))
        fractions.append(at if direction == ALONG else 1.0 - at)
    points = np.unique(np.round(grid.spots(np.concatenate(edges), np.concatenate(fractions)), 4), axis=0)
    return sorted({int(cell) for cell in cells_of(points[:, 0], points[:, 1], size)})
