"""What is derived from streets alone, made when first asked for and shared by every state of traffic on them."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from routing.roads.paths import Arcs
from routing.roads.snapping import Snaps, StreetGrid
from routing.roads.state import profile_index
from routing.roads.streets import SHUT, Streets, arcs_of


class Lookup:
    """Street lines by place and arcs by node."""

    def __init__(self, streets: Streets) -> None:
        self._streets = streets
        self._allowed: dict[str, NDArray[np.bool_]] = {}

    @functools.cached_property
    def grid(self) -> StreetGrid:
        """The street lines by place."""
        return StreetGrid(self._streets)

    @functools.cached_property
    def arcs(self) -> Arcs:
        """Outgoing arcs of every node that any profile may use."""
        return Arcs(*arcs_of(self._streets, (self._streets.drive_ms != SHUT).any(axis=0)))

    def snap(self, points: NDArray[np.float64], profile: str, max_snap_m: float) -> Snaps:
        """The nearest spot on a street that the profile may use, edge -1 where none is near enough."""
        if profile not in self._allowed:
            streets = self._streets
            usable = (streets.drive_ms[profile_index(streets, profile)] != SHUT).any(axis=0)
            with_length = usable & (streets.length_cm > 0)
            self._allowed[profile] = with_length if with_length.any() else usable
        return self.grid.snap(points, self._allowed[profile], max_snap_m)
