"""The slow twin of map matching: every sequence of spots is tried, over ways found by relaxing all turns to the end."""

from __future__ import annotations

import itertools
import math

import numpy as np

from routing.roads import RoadNetwork
from routing.roads.hierarchy.graphs import TurnGraph
from routing.roads.streets import SHUT
from routing.roads.traces import matching as rules
from routing.roads.traces.trace import Trace, metres_between

Spot = tuple[int, float, float]
"""2 * edge + direction, the fraction driven, metres from the position."""


def best_sequence(
    network: RoadNetwork, profile: str, trace: Trace, slack_m: float = 0.0
) -> tuple[float, list[tuple[int, float]]]:
    """(least cost, its spots as code and fraction) over all sequences of spots, one for each position.

    `slack_m`: so much is added to every limit, since lengths are whole centimetres in one and floats in the other.
    """
    twin = _Naive(network, profile, slack_m)
    choices = [twin.spots(trace.lat[k], trace.lng[k]) for k in range(len(trace))]
    found = []
    for sequence in itertools.product(*choices):
        cost = sum((metres / rules.SIGMA_M) ** 2 / 2 for _, _, metres in sequence)
        for k in range(1, len(sequence)):
            straight = float(metres_between(trace, k - 1, k)[0])
            cost += twin.step(sequence[k - 1], sequence[k], straight)
        found.append((cost, [(code, fraction) for code, fraction, _ in sequence]))
    return min(found, key=lambda each: each[0])


class _Naive:
    def __init__(self, network: RoadNetwork, profile: str, slack_m: float) -> None:
        self.network, self.profile, self.slack_m = network, profile, slack_m
        self.index = network.profiles.index(profile)
        graph = network.graph(profile)
        assert isinstance(graph, TurnGraph)
        self.turns = graph.turns
        self.ms = network.state.weights(profile, None)

    def spots(self, lat: float, lng: float) -> list[Spot]:
        s, found = self.network.streets, []
        for edge in range(s.edges):
            part = slice(s.shape_start[edge], s.shape_start[edge + 1])
            away, along, length = _nearest(s.shape_lat[part], s.shape_lng[part], lat, lng)
            if away > rules.NEAR_M + self.slack_m:
                continue
            for direction, fraction in ((0, along / length), (1, 1 - along / length)):
                if s.drive_ms[self.index, direction, edge] != SHUT:
                    found.append((2 * edge + direction, fraction, away))
        return found

    def step(self, old: Spot, new: Spot, straight: float) -> float:
        length = self.network.streets.length_cm[new[0] >> 1] / 100
        if old[0] == new[0]:
            ahead = (new[1] - old[1]) * length
            return math.inf if ahead < -rules.BACK_M - self.slack_m else self._unlikely(abs(ahead), straight)
        ways = [self._unlikely(self._metres(old, new), straight)]
        if old[0] == new[0] ^ 1:
            turned = abs(new[1] - (1 - old[1])) * length
            ways.append(self._unlikely(turned, straight) + rules.TURN_ROUND)
        return min(ways)

    def _unlikely(self, metres: float, straight: float) -> float:
        if metres > rules.LONGEST_M + rules.LONGEST_SHARE * straight + self.slack_m:
            return math.inf
        return abs(metres - straight) / (rules.BETA_M + rules.BETA_SHARE * straight)

    def _metres(self, old: Spot, new: Spot) -> float:
        """Metres of the fastest way, by relaxing every turn until nothing changes."""
        turns, streets = self.turns, self.network.streets
        best: dict[int, tuple[float, float]] = {
            int(turns.begins[old[0] & 1, old[0] >> 1]): (
                -old[1] * self.ms[old[0] & 1, old[0] >> 1], -old[1] * streets.length_cm[old[0] >> 1] / 100
            )
        }  # fmt: skip
        begin = next(iter(best))
        changed = True
        while changed:
            changed = False
            for source, target, ms in zip(turns.source.tolist(), turns.target.tolist(), turns.ms.tolist(), strict=True):
                if source not in best:
                    continue
                code = int(turns.code[source])
                way = (
                    best[source][0] + self.ms[code & 1, code >> 1] + ms,
                    best[source][1] + streets.length_cm[code >> 1] / 100,
                )
                if target != begin and (target not in best or way[0] < best[target][0]):
                    best[target], changed = way, True
        reached = [way for node, way in best.items() if node != begin and turns.code[node] == new[0]]
        if not reached:
            return math.inf
        return min(reached)[1] + new[1] * streets.length_cm[new[0] >> 1] / 100


def _nearest(lats: np.ndarray, lngs: np.ndarray, lat: float, lng: float) -> tuple[float, float, float]:
    """(metres away, metres along a line, its length) of the point of a line nearest to a position."""
    across = math.cos(math.radians(lat)) * 111_195.08
    x, y = (lngs - lng) * across, (lats - lat) * 111_195.08
    best, so_far = (math.inf, 0.0), 0.0
    for k in range(len(x) - 1):
        dx, dy = x[k + 1] - x[k], y[k + 1] - y[k]
        t = min(1.0, max(0.0, -(x[k] * dx + y[k] * dy) / (dx * dx + dy * dy)))
        best = min(best, (math.hypot(x[k] + t * dx, y[k] + t * dy), so_far + t * math.hypot(dx, dy)))
        so_far += math.hypot(dx, dy)
    return best[0], best[1], so_far
