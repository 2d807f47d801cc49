"""What is derived from streets alone, made when first asked for and shared by every state of traffic on them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.roads.city.state import profile_index
from routing.roads.hierarchy.graphs import Graph, TurnGraph
from routing.roads.snapping.snapping import Snaps, StreetGrid, require_points
from routing.roads.snapping.stops import ALWAYS, StopFinder, Stops
from routing.roads.streets import SHUT, Streets


class Lookup:
    """Street lines by place and arcs by node."""

    def __init__(self, streets: Streets, graphs: Mapping[str, Graph]) -> None:
        self._streets = streets
        self._graphs = graphs
        self._finders: dict[str, StopFinder] = {}
        self._allowed: dict[str, NDArray[np.bool_]] = {}

    @functools.cached_property
    def grid(self) -> StreetGrid:
        """The street lines by place."""
        return StreetGrid(self._streets)

    def stops(
        self,
        points: NDArray[np.float64],
        profile: str,
        max_snap_m: float,
        names: Sequence[str] | None = None,
        off_hours: NDArray[np.int32] = ALWAYS,
        access: NDArray[np.float64] | None = None,
    ) -> Stops:
        """Where the profile can stop for places, edge -1 where no street is near enough.

        `off_hours`: edges that are shut at the time of the trip; `access` float64[k, 2]: points given to stop at, NaN
        for none.
        Streets that say nothing of turns have one spot for each place, the nearest, and no walk to it.
        """
        finder = self._finder(profile)
        if finder is None:
            at = points if access is None else np.where(np.isnan(access), points, access)
            return Stops.at(self.snap(at, profile, max_snap_m))
        return finder.find(require_points(points), max_snap_m, names, off_hours, access)

    def one_sided(self, profile: str) -> NDArray[np.int32]:
        """Edges that one can enter and not leave, or leave and not enter; ascending."""
        finder = self._finder(profile)
        return ALWAYS if finder is None else finder.one_sided

    def _finder(self, profile: str) -> StopFinder | None:
        graph = self._graphs[profile]
        if profile not in self._finders and isinstance(graph, TurnGraph):
            self._finders[profile] = StopFinder(self._streets, graph.turns, self.grid)
        return self._finders.get(profile)

    def snap(self, points: NDArray[np.float64], profile: str, max_snap_m: float) -> Snaps:
        """The nearest spot on a street that the profile may use, edge -1 where none is near enough."""
        if profile not in self._allowed:
            streets = self._streets
            usable = (streets.drive_ms[profile_index(streets, profile)] != SHUT).any(axis=0)
            with_length = usable & (streets.length_cm > 0)
            self._allowed[profile] = with_length if with_length.any() else usable
        return self.grid.snap(points, self._allowed[profile], max_snap_m)
