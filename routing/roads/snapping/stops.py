"""Where one can stop for a place: several spots on streets, and the walk from each to the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from routing.roads.hierarchy.metric import PAIR_SHIFT
from routing.roads.snapping.snapping import Snaps, StreetGrid
from routing.roads.snapping.spots import Spots, spot_table
from routing.roads.streets import Streets
from routing.roads.turns.turns import Turns

if TYPE_CHECKING:
    from routing.roads.hierarchy.metric import Metric

MOST = 3
"""Spots kept for a place."""
SLACK_M = 8.0
"""How much farther than the nearest a spot may lie that is kept beside it."""
MAIN_M = 100.0
"""A place belongs to the main network if that is this near, or less than twice as far as the nearest street."""
LANE_M = 15.0
"""A lane without a name (a driveway, a yard) comes before a named street that is nearer by no more than this."""
NAMED_M = 100.0
"""A street that the address names is looked for this far away."""
WALK_M_PER_S = 5.0 / 3.6
ALWAYS = np.zeros(0, dtype=np.int32)
"""Edges that are shut at the time: none."""


@dataclass(frozen=True, slots=True, eq=False)
class Stops:
    """Spots on edges where one can stop for places, the nearest first, [n, k] each.

    `edge` int32 (-1 for none), `fraction` float64 of the edge from its tail, `metres` float64 from the spot to the
    place, `walk_ms` int32 for the walk between them.
    """

    edge: NDArray[np.int32]
    fraction: NDArray[np.float64]
    metres: NDArray[np.float64]
    walk_ms: NDArray[np.int32]

    @staticmethod
    def at(snaps: Snaps) -> Stops:
        """One spot each, to which the walk takes no time."""
        column = snaps.edge[:, None]
        return Stops(column, snaps.fraction[:, None], snaps.metres[:, None], np.zeros(column.shape, dtype=np.int32))

    def nearest(self) -> Snaps:
        """The nearest spot of every place."""
        return Snaps(self.edge[:, 0], self.fraction[:, 0], self.metres[:, 0])

    def flat(self) -> tuple[Snaps, NDArray[np.int64], NDArray[np.int32]]:
        """(every spot, where those of each place begin, walk of every spot); a place without any counts as one."""
        held = self.edge >= 0
        held[:, 0] = True
        many = held.sum(axis=1)
        return (
            Snaps(self.edge[held], self.fraction[held], self.metres[held]),
            np.cumsum(many) - many,
            self.walk_ms[held],
        )

    def walked(self) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """(milliseconds, metres) on foot of every spot of `flat`."""
        snaps, _, walk_ms = self.flat()
        return walk_ms, np.where(walk_ms > 0, snaps.metres, 0.0)


class StopFinder:
    """Finds where a profile can stop for places."""

    def __init__(self, streets: Streets, turns: Turns, grid: StreetGrid) -> None:
        self._streets = streets
        self._grid = grid
        self._island = turns.island
        self.one_sided = np.flatnonzero(turns.one_sided).astype(np.int32)
        self._both_ways = ~turns.one_sided
        self._nameless = np.array([not name for name in streets.names])[streets.name]
        usable = (turns.island >= 0) & (streets.length_cm > 0)
        self._stops = usable & streets.stops
        if not self._stops.any():
            self._stops = usable

    def find(
        self,
        points: NDArray[np.float64],
        max_snap_m: float,
        names: Sequence[str] | None = None,
        off_hours: NDArray[np.int32] = ALWAYS,
        access: NDArray[np.float64] | None = None,
    ) -> Stops:
        """Where to stop for every point, on streets within `max_snap_m`; `names`: street of each, "" if not known.

        The main network is taken if it is near enough (see MAIN_M), else the part beside it that lies nearest.
        `off_hours`: edges that are shut at the time; nobody stops there unless nothing else is near.
        `access` float64[k, 2]: points that are given to stop at, NaN for none.  Where there is one the street nearest
        to it counts alone, and the way to the point is walked by it.
        """
        given = np.zeros(len(points), dtype=np.bool_) if access is None else ~np.isnan(access[:, 0])
        if access is not None and given.any():
            return self._by_access(points, max_snap_m, names, off_hours, access, given)
        open_ = self._stops.copy()
        open_[off_hours] = False
        edge, fraction, metres = self._found(points, open_, max_snap_m, names)
        none = np.flatnonzero(edge[:, 0] < 0)
        if len(off_hours) and len(none):
            theirs = None if names is None else [names[k] for k in none.tolist()]
            fresh = self._found(points[none], self._stops, max_snap_m, theirs)
            edge[none], fraction[none], metres[none] = fresh
        return Stops(edge, fraction, metres, _walk_ms(edge, metres))

    def _by_access(
        self, points: NDArray[np.float64], max_snap_m: float, names: Sequence[str] | None,
        off_hours: NDArray[np.int32], access: NDArray[np.float64], given: NDArray[np.bool_],
    ) -> Stops:  # fmt: skip
        at = np.where(given[:, None], access, points)
        kept = None if names is None else ["" if own else name for own, name in zip(given, names, strict=True)]
        found = self.find(at, max_snap_m, kept, off_hours)
        edge, fraction, metres = found.edge.copy(), found.fraction.copy(), found.metres.copy()
        mine = np.flatnonzero(given)
        nearest = np.argmin(found.metres[mine], axis=1)
        single = np.isin(found.edge[mine, nearest], self.one_sided)
        edge[mine, 1:-1], metres[mine, 1:-1] = -1, np.inf
        edge[mine, 0], fraction[mine, 0] = found.edge[mine, nearest], found.fraction[mine, nearest]
        metres[mine, 0] = found.metres[mine, nearest]
        edge[mine[~single], -1], metres[mine[~single], -1] = -1, np.inf
        metres[mine] += self._grid.apart_m(points[mine], at[mine])[:, None]
        return Stops(edge, fraction, metres, _walk_ms(edge, metres))

    def _found(
        self, points: NDArray[np.float64], open_: NDArray[np.bool_], max_snap_m: float, names: Sequence[str] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
        """Edges, fractions and metres of the spots for every point, on edges that are `open_`."""
        edge, fraction, metres = self._near(points, open_ & (self._island == 0), max_snap_m)
        anywhere = self._grid.snap(points, open_, max_snap_m)
        beside = (anywhere.edge >= 0) & ~(metres[:, 0] <= np.maximum(MAIN_M, 2.0 * anywhere.metres))
        for island in np.unique(self._island[anywhere.edge[beside]]).tolist():
            mine = np.flatnonzero(beside & (self._island[anywhere.edge] == island))
            allowed = open_ & (self._island == island)
            edge[mine], fraction[mine], metres[mine] = self._near(points[mine], allowed, max_snap_m)
        if names is not None:
            self._prefer_named(points, open_, names, (edge, fraction, metres))
        self._add_way_back(points, open_, max_snap_m, (edge, fraction, metres))
        return edge, fraction, metres

    def _add_way_back(
        self, points: NDArray[np.float64], open_: NDArray[np.bool_], max_snap_m: float, found: tuple[NDArray[Any], ...]
    ) -> None:
        """Where every spot can be entered or left alone: the nearest beside it that can be both; else none at all."""
        edge, fraction, metres = found
        mine = np.flatnonzero((edge[:, 0] >= 0) & ~(self._both_ways[edge] & (edge >= 0)).any(axis=1))
        if not len(mine):
            return
        back = self._grid.snap(points[mine], open_ & self._both_ways & (self._island == 0), max_snap_m)
        edge[mine, -1], fraction[mine, -1], metres[mine, -1] = back.edge, back.fraction, back.metres
        nowhere = mine[back.edge < 0]
        edge[nowhere], metres[nowhere] = -1, np.inf

    def _near(
        self, points: NDArray[np.float64], allowed: NDArray[np.bool_], max_snap_m: float
    ) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
        """Spots as `StreetGrid.near` gives them, lanes first where they are near enough."""
        edge, fraction, metres = self._grid.near(points, allowed, max_snap_m, LANE_M, 2 * MOST)
        order_m = metres - np.where((edge >= 0) & self._nameless[edge], LANE_M, 0.0)
        order = np.argsort(np.where(edge >= 0, order_m, np.inf), axis=1, kind="stable")[:, :MOST]
        edge = np.take_along_axis(edge, order, axis=1)
        fraction, metres = np.take_along_axis(fraction, order, axis=1), np.take_along_axis(metres, order, axis=1)
        far = metres > np.min(metres, axis=1, keepdims=True) + SLACK_M
        far[:, 0] = False
        return np.where(far, np.int32(-1), edge), fraction, np.where(far, np.inf, metres)

    def _prefer_named(
        self, points: NDArray[np.float64], open_: NDArray[np.bool_], names: Sequence[str],
        found: tuple[NDArray[Any], ...],
    ) -> None:  # fmt: skip
        folded: dict[str, list[int]] = {}
        for number, name in enumerate(self._streets.names):
            folded.setdefault(_plain(name), []).append(number)
        for name in dict.fromkeys(names):
            numbers = folded.get(_plain(name), []) if name else []
            if not numbers:
                continue
            mine = np.flatnonzero(np.array([each == name for each in names]))
            allowed = open_ & np.isin(self._streets.name, numbers)
            near = self._grid.near(points[mine], allowed, NAMED_M, SLACK_M, MOST)
            held = near[0][:, 0] >= 0
            for k, all_ in enumerate(found):
                all_[mine[held]] = near[k][held]


def _walk_ms(edge: NDArray[np.int32], metres: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.rint(np.where(edge < 0, 0.0, metres / WALK_M_PER_S * 1000.0)).astype(np.int32)


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def stop_table(
    metric: Metric, starts: tuple[Spots, Any, Any], ends: tuple[Spots, Any, Any], no_way: int
) -> NDArray[Any]:
    """Least weights between places over all of their spots and walks; `no_way` where there is none.

    Each side: spots, where those of each place begin, and walks in milliseconds.
    """
    (from_, first_row, walk_from), (to, first_column, walk_to) = starts, ends
    shift = PAIR_SHIFT if metric.dtype == np.int64 else 0
    table = spot_table(metric, from_, to, int(metric.far))
    if not table.size:
        return np.empty((len(first_row), len(first_column)), dtype=table.dtype)
    table += (walk_from.astype(metric.dtype) << shift)[:, None]
    table += (walk_to.astype(metric.dtype) << shift)[None, :]
    if len(first_row) < len(walk_from):
        table = np.minimum.reduceat(table, first_row, axis=0)
    if len(first_column) < len(walk_to):
        table = np.minimum.reduceat(table, first_column, axis=1)
    table[table >= metric.far] = no_way
    return table


def best_stops(
    metric: Metric, starts: tuple[Spots, Any, Any], ends: tuple[Spots, Any, Any], *, beside: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of every pair of places, the spots that the fastest way begins and ends at, int64[n, m] each; -1 for no way.

    `beside`: only of the first with the first, the second with the second and so on; -1 for all others.
    The sides are those of `stop_table`; spots are numbered over all places, and of equals the first counts.
    """
    (from_, first_row, walk_from), (to, first_column, walk_to) = starts, ends
    table = spot_table(metric, from_, to, int(metric.far)).astype(np.int64)
    far = table >= metric.far
    table += walk_from[:, None].astype(np.int64) + walk_to[None, :]
    table[far] = np.iinfo(np.int64).max
    begin = np.full((len(first_row), len(first_column)), -1, dtype=np.int64)
    finish = begin.copy()
    rows = np.split(np.arange(len(walk_from)), first_row[1:])
    columns = np.split(np.arange(len(walk_to)), first_column[1:])
    pairs = zip(range(len(rows)), range(len(columns)), strict=True) if beside else np.ndindex(begin.shape)
    for i, j in pairs:
        mine, theirs = rows[i], columns[j]
        part = table[np.ix_(mine, theirs)]
        k = int(part.argmin())
        if part.flat[k] < np.iinfo(np.int64).max:
            begin[i, j], finish[i, j] = mine[k // len(theirs)], theirs[k % len(theirs)]
    return begin, finish
