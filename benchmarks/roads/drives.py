"""Simulated drives: where somebody on the fastest way through a network is when, and what their phone says."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from routing.cells import METRES_PER_DEGREE
from routing.roads import RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.traces.trace import Trace

STEP_M = 5.0


@functools.lru_cache(maxsize=8)
def turn_seconds(graph: TurnGraph) -> Mapping[tuple[int, int], float]:
    """Least seconds of every turn, by the codes (2 * edge + direction) that it leads from and to."""
    turns = graph.turns
    found: dict[tuple[int, int], float] = {}
    pairs = zip(turns.code[turns.source].tolist(), turns.code[turns.target].tolist(), turns.ms.tolist(), strict=True)
    for before, after, ms in pairs:
        found[before, after] = min(ms / 1000.0, found.get((before, after), np.inf))
    return found


class Drive:
    """A drive along the fastest way of `network`: `seconds` without walks, and where it is when.

    `at_s` float64[k] rising and `points` float64[k, 2]: moments and (lat, lng); `walked_s`: seconds on foot at both
    ends.  `changes`: (seconds after it began, milliseconds of every edge along and against from then on), in order; who
    drives stays on the way all the same.
    """

    def __init__(
        self, network: RoadNetwork, origin: Sequence[float], destination: Sequence[float], profile: str,
        at: int | None = None, changes: Sequence[tuple[float, NDArray[np.int32]]] = (),
    ) -> None:  # fmt: skip
        way = network.path(origin, destination, profile=profile, at=at)
        self.found = way.found and len(way.edges) > 0
        self.metres, self.walked_s = way.metres, sum(way.walk_seconds)
        self.seconds = 0.0
        if not self.found:
            return
        graph = network.graph(profile)
        turns = turn_seconds(graph) if isinstance(graph, TurnGraph) else {}
        self._speeds = [(-np.inf, network.state.weights(profile, at)), *changes]
        ends = network.stops(np.array([origin, destination]), profile=profile)
        codes = (2 * way.edges + way.against).tolist()
        at_s, points, now = [], [], 0.0
        for k, code in enumerate(codes):
            edge, against = code >> 1, code & 1
            enter = _fraction(ends, 0, edge, float(against)) if k == 0 else float(against)
            leave = _fraction(ends, 1, edge, float(1 - against)) if k == len(codes) - 1 else float(1 - against)
            done, moments = self._progress(now, abs(leave - enter), against, edge)
            many = max(2, int(network.streets.length_cm[edge] / 100.0 / STEP_M))
            points.append(network.latlng_of(np.full(many, edge, dtype=np.int32), np.linspace(enter, leave, many)))
            at_s.append(np.interp(np.linspace(0.0, abs(leave - enter), many), done, moments))
            now = moments[-1] + (turns.get((code, codes[k + 1]), 0.0) if k + 1 < len(codes) else 0.0)
        self.seconds = now
        self.at_s: NDArray[np.float64] = np.concatenate(at_s)
        self.points: NDArray[np.float64] = np.concatenate(points)

    def _progress(self, now: float, share: float, against: int, edge: int) -> tuple[list[float], list[float]]:
        """(shares of an edge driven, when each was done) from `now` until `share` of it is, one for each speed met."""
        done, moments = [0.0], [now]
        for k, (_, ms) in enumerate(self._speeds):
            until = self._speeds[k + 1][0] if k + 1 < len(self._speeds) else np.inf
            if until <= moments[-1]:
                continue
            whole_s = ms[against, edge] / 1000.0
            left_s = (share - done[-1]) * whole_s
            took_s = min(left_s, until - moments[-1])
            done.append(share if took_s == left_s else done[-1] + took_s / whole_s)
            moments.append(moments[-1] + took_s)
            if took_s == left_s:
                break
        return done, moments

    def seen(
        self, name: str, begins_at: float, *, every_s: float, error_m: float, random: np.random.Generator
    ) -> Trace:
        """What a phone reports that looks every `every_s` seconds and errs by `error_m` (one standard deviation)."""
        when = np.arange(0.0, self.seconds, every_s)
        lat, lng = (np.interp(when, self.at_s, self.points[:, k]) for k in (0, 1))
        error = random.normal(0.0, error_m, (2, len(when))) / METRES_PER_DEGREE
        return Trace(name, lat + error[0], lng + error[1] / np.cos(np.radians(lat)), begins_at + when)


def _fraction(stops: object, place: int, edge: int, otherwise: float) -> float:
    """Where on an edge the stop of a place lies, if it is on this edge."""
    edges, fractions = stops.edge[place].tolist(), stops.fraction[place].tolist()  # type: ignore[attr-defined]
    return fractions[edges.index(edge)] if edge in edges else otherwise
