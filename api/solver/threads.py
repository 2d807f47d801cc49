"""How many threads search the next round: as few as its backlog needs, between two bounds.

With work as the only limit any number of threads gives the same plan, so this is about time alone.  What an order takes
is measured for each number that was used; numbers that make rounds no quicker are left, and `gain` says so.
"""

from __future__ import annotations

WANTED_SHARE = 0.4
"""Of the time that a search may take: a round should need no more."""
NEWEST = 0.3
"""Weight of the newest round in what an order takes."""
LEAST_GAIN = 1.1
"""A number of threads that is not quicker than a smaller one by this much is not worth it."""
FEWEST_ORDERS = 8
"""Smaller rounds say nothing of threads."""
FORGOTTEN_AFTER = 200
"""Rounds after which numbers that did not help are tried again: what else runs on the machine may have ended."""


class Threads:
    """The choice, and what it is made by; `most`: the upper bound (None: always the fewest)."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._order_s: dict[int, float] = {}
        self._rounds = 0

    def choice(self, fewest: int, orders: int, allowed_s: float) -> int:
        """For a round of so many orders whose search may take `allowed_s`; between `fewest` and the upper bound."""
        best = fewest
        for step in _steps(fewest, max(fewest, self._most or fewest)):
            known = self._order_s.get(step)
            if step == fewest or known is None or known * LEAST_GAIN < self._order_s[best]:
                best = step
            if known is None or orders * known <= WANTED_SHARE * allowed_s:
                break  # one that was never used is tried before a larger one
        return best

    def note(self, threads: int, orders: int, lasted_s: float) -> None:
        """What a round took that was searched by so many threads."""
        self._rounds += 1
        if self._rounds % FORGOTTEN_AFTER == 0 and self._order_s:
            fewest = min(self._order_s)
            self._order_s = {fewest: self._order_s[fewest]}
        if orders >= FEWEST_ORDERS:
            newest = lasted_s / orders
            self._order_s[threads] = NEWEST * newest + (1 - NEWEST) * self._order_s.get(threads, newest)

    def gain(self) -> dict[int, float]:
        """By number of threads: how many times as quick an order is as with the fewest that were used."""
        if not self._order_s:
            return {}
        usual = self._order_s[min(self._order_s)]
        return {threads: usual / max(1e-9, order_s) for threads, order_s in sorted(self._order_s.items())}


def _steps(fewest: int, most: int) -> list[int]:
    """The numbers that are tried: doubled from the fewest, and the most."""
    steps = [fewest]
    while steps[-1] * 2 < most:
        steps.append(steps[-1] * 2)
    return steps if steps[-1] == most else [*steps, most]
