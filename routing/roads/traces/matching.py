"""Map matching by a hidden Markov model (Newson and Krumm 2009): the likeliest streets that a trace was driven on.

States are spots on directed edges near a position.  A position is the less likely the farther it lies from its spot; a
way between two spots is the less likely the more its length differs from the straight line between the positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.roads.snapping.snapping import StreetGrid
from routing.roads.traces.stretches import Found, Stretches
from routing.roads.traces.trace import Trace, metres_between

SIGMA_M = 10.0
"""Error of a position, one standard deviation."""
NEAR_M = 50.0
MOST = 6
"""Streets looked at for a position: so many, within so many metres."""
BETA_M, BETA_SHARE = 5.0, 0.05
"""A way differs from the straight line by so much, and by this share of it."""
LONGEST_M, LONGEST_SHARE = 200.0, 2.0
"""No way between two positions is longer than this and so many times the straight line."""
BACK_M = 3 * SIGMA_M
"""A spot so far behind the one before, on the same street, is the receiver's error and no drive round the block."""
TURN_ROUND = 5.0
"""What turning round in the middle of a street costs, in units of the logarithm of a probability."""
UNLIKELY = 15.0
"""States that much less likely than the best one are given up, though a later position might have spoken for them."""


class OnStreet(NamedTuple):
    """A state: a spot on a directed edge (`code` = 2 * edge + direction), and what its distance costs.

    `fraction` is that of the length in the direction driven.
    """

    code: int
    fraction: float
    cost: float


class Driven(NamedTuple):
    """What was driven between two positions: shares of directed edges, and the milliseconds of turns on the way.

    `share` is below zero where a position lies behind the one before, on the same street.
    """

    begins_at: float
    ends_at: float
    code: tuple[int, ...]
    share: tuple[float, ...]
    turns_ms: int


class Matcher:
    """Matches traces to the streets of one profile.

    `unlikely`: states that much less likely than the best one are given up; inf finds the best of all sequences.
    """

    def __init__(self, ways: Stretches, grid: StreetGrid, unlikely: float = UNLIKELY) -> None:
        self._unlikely = unlikely
        self._ways = ways
        self._grid = grid
        self._usable = ways.open.reshape(-1, 2).any(axis=1) & (np.array(ways.length[::2]) > 0)

    def match(self, trace: Trace) -> list[list[Driven]]:
        """The likeliest streets of a trace, in pieces: positions far from all streets, or without a way, divide it."""
        chains = [self._walk_back(trace, chain) for chain in self._chains(trace)]
        return [piece for piece in chains if piece]

    def cost(self, trace: Trace) -> float:
        """How unlikely the likeliest streets are, in units of the logarithm, over all pieces."""
        return sum(float(chain.cost.min()) for chain in self._chains(trace))

    def _chains(self, trace: Trace) -> Iterator[_Chain]:
        chain: _Chain | None = None
        for k, here in enumerate(self._spots(trace)):
            if not here:
                continue
            step = None if chain is None else self._step(trace, chain, k, here)
            if step is not None and chain is not None:
                chain.add(k, here, *step)
                continue
            if chain is not None:
                yield chain
            chain = _Chain([k], [here], [[]], np.array([spot.cost for spot in here]))
        if chain is not None:
            yield chain

    def _spots(self, trace: Trace) -> list[list[OnStreet]]:
        points = np.stack([trace.lat, trace.lng], axis=1)
        edge, fraction, metres = self._grid.near(points, self._usable, NEAR_M, NEAR_M, MOST)
        found: list[list[OnStreet]] = []
        for edges, shares, away in zip(edge.tolist(), fraction.tolist(), metres.tolist(), strict=True):
            mine = []
            for e, share, metre in zip(edges, shares, away, strict=True):
                for code, part in ((2 * e, share), (2 * e + 1, 1.0 - share)):
                    if e >= 0 and self._ways.open[code] and self._ways.first[code] >= 0:
                        mine.append(OnStreet(code, part, (metre / SIGMA_M) ** 2 / 2))
            found.append(mine)
        return found

    def _step(
        self, trace: Trace, chain: _Chain, k: int, new: list[OnStreet]
    ) -> tuple[NDArray[np.float64], list[int]] | None:
        """(least cost of every new state, the state before it); None where no state can be reached."""
        old, cost = chain.states[-1], chain.cost
        leap = _Leap(float(metres_between(trace, chain.kept[-1], k)[0]))
        best = np.full(len(new), np.inf)
        before = [-1] * len(new)
        for a in np.flatnonzero(cost <= cost.min() + self._unlikely).tolist():
            found = self._search(old[a], new, leap)
            for b, spot in enumerate(new):
                way = self._between(old[a], spot, found, leap)
                if way is not None and cost[a] + way.cost + spot.cost < best[b]:
                    best[b], before[b] = cost[a] + way.cost + spot.cost, a
        return (best, before) if np.isfinite(best).any() else None

    def _search(self, spot: OnStreet, new: list[OnStreet], leap: _Leap) -> Found:
        wanted = {each.code for each in new} - {spot.code}
        return self._ways.search(spot.code, spot.fraction, wanted, leap.most_cm)

    def _between(self, old: OnStreet, new: OnStreet, found: Found, leap: _Leap) -> _Between | None:
        """The way between two spots, None where there is none."""
        length = self._ways.length[new.code]
        if old.code == new.code:
            ahead = (new.fraction - old.fraction) * length
            return leap.way(abs(ahead)) if ahead >= -100 * BACK_M else None
        ways = []
        if new.code in found.by_code:
            ways.append(leap.way(found.settled[found.by_code[new.code]].cm + new.fraction * length))
        if old.code == new.code ^ 1:
            ways.append(leap.way(abs(new.fraction - (1.0 - old.fraction)) * length, turned=True))
        return min((way for way in ways if way.cm <= leap.most_cm), key=lambda way: way.cost, default=None)

    def _walk_back(self, trace: Trace, chain: _Chain) -> list[Driven]:
        kept, chosen = chain.kept, chain.best()
        driven = []
        for k in range(1, len(kept)):
            leap = _Leap(float(metres_between(trace, kept[k - 1], kept[k])[0]))
            times = float(trace.at[kept[k - 1]]), float(trace.at[kept[k]])
            driven.append(self._driven(chosen[k - 1], chosen[k], leap, times))
        return driven

    def _driven(self, old: OnStreet, new: OnStreet, leap: _Leap, times: tuple[float, float]) -> Driven:
        found = self._search(old, [new], leap)
        way = self._between(old, new, found, leap)
        assert way is not None
        if old.code == new.code:
            return Driven(*times, (new.code,), (new.fraction - old.fraction,), 0)
        if way.turned:
            return Driven(*times, (new.code,), (way.cm / self._ways.length[new.code],), 0)
        ms, _, nodes = found.way(new.code)
        codes = [self._ways.code[node] for node in nodes]
        driving = sum(self._ways.drive[code] for code in codes[:-1]) - round(self._ways.drive[old.code] * old.fraction)
        shares = [1.0 - old.fraction, *([1.0] * (len(codes) - 2)), new.fraction]
        return Driven(*times, tuple(codes), tuple(shares), ms - driving)


@dataclass(slots=True)
class _Chain:
    """Positions `kept` in a row, the states of each, and the state before each; `cost` of the last ones."""

    kept: list[int]
    states: list[list[OnStreet]]
    back: list[list[int]]
    cost: NDArray[np.float64]

    def add(self, k: int, states: list[OnStreet], cost: NDArray[np.float64], back: list[int]) -> None:
        """One position more."""
        self.kept.append(k)
        self.states.append(states)
        self.back.append(back)
        self.cost = cost

    def best(self) -> list[OnStreet]:
        """The likeliest states in order; of equals the first."""
        at = int(np.argmin(self.cost))
        chosen = []
        for k in range(len(self.kept) - 1, -1, -1):
            chosen.append(self.states[k][at])
            at = self.back[k][at] if k else -1
        return chosen[::-1]


class _Between(NamedTuple):
    cm: float
    cost: float
    turned: bool


class _Leap:
    """What is likely between two positions so many straight metres apart."""

    def __init__(self, straight_m: float) -> None:
        self._straight_m = straight_m
        self.most_cm = 100 * (LONGEST_M + LONGEST_SHARE * straight_m)

    def way(self, cm: float, *, turned: bool = False) -> _Between:
        """A way of this length, with its cost."""
        beta = BETA_M + BETA_SHARE * self._straight_m
        return _Between(cm, abs(cm / 100 - self._straight_m) / beta + (TURN_ROUND if turned else 0.0), turned)
