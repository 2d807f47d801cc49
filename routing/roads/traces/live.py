"""Speeds of the running hour: what riders' positions say of streets and of those around, shrunk, bounded, fading.

It reads no clock: positions and instants come in, factors go out.  Whoever runs a service asks once a minute.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.city.network import RoadNetwork
from routing.roads.city.news import LiveSpeeds
from routing.roads.streets import Streets
from routing.roads.traces.learning import EVIDENCE_M, Watcher
from routing.roads.traces.spreading import Surroundings
from routing.roads.traces.trace import GAP_S, Trace, thinned

FADES_S, FORGETS_S = 3600, 180
"""Evidence counts e times less after so long as the second says, and no more after the first."""
SLOWEST, FASTEST = 0.3, 1.5
"""Bounds of a factor of the slot's speed."""
PRIOR, PRIOR_AROUND = 0.5, 1.0
"""What is known without riders counts as much as so many who drove EVIDENCE_M of a street, or of those around."""
LEAST_RATIO, MOST_RATIO = 0.2, 2.0
"""Bounds of what one rider says."""
STEP, TELLS = 0.02, 0.05
"""Factors are multiples of the first, and no news where they are nearer to 1 than the second."""


Seen = tuple[float, float, float]
"""Latitude, longitude and epoch second of a position."""


class _Said(NamedTuple):
    """What one rider says of a directed edge: when, how much longer a metre took (0: as it should), on how many."""

    at: float
    slower: float
    metres: float


class LiveWatch:
    """Riders under way, and the factors that their positions make of streets.

    `drives`: which profile of the network each profile of the riders drives.
    """

    def __init__(self, drives: Mapping[str, str]) -> None:
        self._drives = dict(drives)
        self._under_way: dict[str, tuple[str, list[Seen]]] = {}
        self._ended: list[tuple[str, tuple[str, list[Seen]]]] = []
        self._said: dict[str, dict[int, list[_Said]]] = defaultdict(lambda: defaultdict(list))
        self._around: tuple[Streets, Surroundings] | None = None

    def see(self, rider_id: str, profile: str, lat: float, lng: float, at: float) -> None:
        """A rider under way was seen; positions that are not later than the last one tell nothing."""
        name, seen = self._under_way.setdefault(rider_id, (profile, []))
        if seen and (at <= seen[-1][2] or name != profile):
            return
        seen.append((lat, lng, at))

    def stop(self, rider_id: str) -> None:
        """A rider is no longer under way: what comes next is another trip."""
        name, seen = self._under_way.pop(rider_id, ("", []))
        self._ended.append((rider_id, (name, seen)))

    def speeds(self, network: RoadNetwork, at: int) -> tuple[LiveSpeeds, ...]:
        """Take in what was seen since the last call; the factors that hold at epoch second `at`, by profile.

        `network`: the streets under what is known without riders, against which their positions are held.
        """
        self._take_in(network, at)
        told = []
        for profile, by_code in sorted(self._said.items()):
            factors = self._factors(by_code, self._surroundings(network.streets), at)
            if factors:
                codes = sorted(factors)
                told.append(LiveSpeeds(profile, tuple(codes), tuple(factors[code] for code in codes)))
        return tuple(told)

    def _surroundings(self, streets: Streets) -> Surroundings:
        if self._around is None or self._around[0] is not streets:
            self._around = streets, Surroundings(streets)
        return self._around[1]

    def _take_in(self, network: RoadNetwork, at: int) -> None:
        watchers: dict[str, Watcher] = {}
        for rider_id, (profile, seen) in (*self._under_way.items(), *self._ended):
            if len(seen) > 1 and profile in self._drives:
                name = self._drives[profile]
                if name not in watchers:
                    watchers[name] = Watcher(network, name, at)
                lat, lng, when = np.array(seen).T
                watchers[name].watch(Trace(rider_id, lat, lng, when), whole_trip=False)
        self._ended = []
        for rider_id, (profile, seen) in list(self._under_way.items()):
            self._keep_rest(rider_id, profile, seen, at)
        for name, watcher in watchers.items():
            self._hear(name, watcher)

    def _keep_rest(self, rider_id: str, profile: str, seen: list[Seen], at: int) -> None:
        """A trip goes on from the last position that was matched."""
        if seen and at - seen[-1][2] <= GAP_S:
            last = int(thinned(Trace(rider_id, *np.array(seen).T))[-1])
            self._under_way[rider_id] = (profile, seen[last:])
        else:
            self._under_way.pop(rider_id, None)

    def _hear(self, profile: str, watcher: Watcher) -> None:
        seen = watcher.observed
        whole_s = np.bincount(seen.step, weights=np.abs(seen.s), minlength=len(seen.seconds))
        for step, code, s, m in zip(seen.step, seen.code, seen.s, seen.m, strict=True):
            if whole_s[step] <= 0 or s <= 0 or seen.seconds[step] <= 0:
                continue
            ratio = min(MOST_RATIO, max(LEAST_RATIO, float(whole_s[step]) / seen.seconds[step]))
            self._said[profile][code].append(_Said(seen.at[step], 1 / ratio - 1, m))

    def _factors(self, by_code: dict[int, list[_Said]], around: Surroundings, at: int) -> dict[int, float]:
        """Factors of directed edges: of an edge, drawn towards those of its way in the direction, these towards the
        main streets around that lead the same way, those towards 1."""
        weight, slower = self._evidence(by_code, around.codes, at)
        seen = np.flatnonzero(weight)
        near_weight, near_slower = around.spread(seen, weight[seen], slower[seen])
        near = near_slower / (near_weight + PRIOR_AROUND)
        way_weight, way_slower = (np.bincount(around.way, weights=each)[around.way] for each in (weight, slower))
        of_way = _drawn(way_weight, way_slower, near)
        factor = 1.0 / (1.0 + _drawn(weight, slower, of_way))
        told = np.flatnonzero((np.abs(factor - 1) > TELLS) & ((weight > 0) | (near_weight > 0)))
        rounded = np.round(np.clip(factor[told], SLOWEST, FASTEST) / STEP) * STEP
        return {code: round(one, 2) for code, one in zip(told.tolist(), rounded.tolist(), strict=True)}

    def _evidence(
        self, by_code: dict[int, list[_Said]], codes: int, at: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How much is known of every directed edge, and its sum of what a metre takes more than it should."""
        weight, slower = np.zeros(codes), np.zeros(codes)
        for code in list(by_code):
            kept = [said for said in by_code[code] if said.at > at - FADES_S]
            by_code[code] = kept
            if not kept:
                del by_code[code]
            for said in kept:
                counts = said.metres / EVIDENCE_M * math.exp(-max(0.0, at - said.at) / FORGETS_S)
                weight[code] += counts
                slower[code] += counts * said.slower
        return weight, slower


def _drawn(
    weight: NDArray[np.float64], slower: NDArray[np.float64], towards: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Means of evidence, drawn towards others that count as PRIOR riders."""
    return np.asarray((slower + PRIOR * towards) / (weight + PRIOR))
