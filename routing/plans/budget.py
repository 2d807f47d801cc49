"""How much a planner may do: counted work for repeatable plans, an injected clock for live ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _never() -> bool:
    return False


def _unmeasured() -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on work units (insertions tried; the same on every machine) and a callable that says time is up.

    Kernels run in slices and ask `expired` between them, so a plan made under a work budget alone repeats bit for bit.
    `spent` says which share of the time is gone, so that a search under a clock can cool down in time.
    """

    work: int
    expired: Callable[[], bool] = _never
    spent: Callable[[], float] = _unmeasured

    def part(self, work: int, begin: float, finish: float, stopped: Callable[[], bool] = _never) -> Budget:
        """So much work, and the time between two shares of this budget's; `stopped` ends it early."""

        def spent() -> float:
            return (self.spent() - begin) / max(1e-9, finish - begin)

        return Budget(work, lambda: stopped() or self.expired() or spent() >= 1, spent)
