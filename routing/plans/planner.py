"""What a planner is to the frame (`routing.plans.plan`): the steps of a round, and what a request would cost others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.budget import Budget
from routing.problem.problem import I64, NEVER, Rows

Objective = Literal["auto", "vehicles", "distance", "cost"]

BEST = 3
"""Vehicles that an offer names beside the one that serves the request."""


class Offers(NamedTuple):
    """What requests add to the cost of a plan, the rest of it fixed; n requests."""

    added: I64  # [n] in the vehicle that serves it; NEVER where none does, or the plan without it breaks a law
    best: I64  # [n, BEST, 2] the other vehicles that take it for least and their prices: NEVER where there are no more
    instead: I64  # [n, BEST, 3] other rows of its choice, the vehicle that takes each for least, and the price
    tried: int  # work units


def no_offers(count: int) -> Offers:
    """Offers to be filled in: nobody takes anything."""
    best = np.full((count, BEST, 2), NEVER, dtype=np.int64)
    instead = np.full((count, BEST, 3), NEVER, dtype=np.int64)
    return Offers(np.full(count, NEVER, dtype=np.int64), best, instead, 0)


class Planner(ABC):
    """One plan under construction, begun from the told plan."""

    work: int
    """Work units spent so far (insertions tried, the same on every machine)."""

    @abstractmethod
    def insert_new(self) -> None:
        """Put every request without a place where it costs least."""

    def exchange(self) -> None:
        """Give whole plans to the vehicles that carry them out cheapest; a planner may know no such step."""
        return

    @abstractmethod
    def improve(self, budget: Budget, on_better: Callable[[Rows], None] | None) -> None:
        """Search until the budget is spent; `on_better` sees every better plan."""

    @abstractmethod
    def rows(self) -> Rows:
        """The plan as it is now."""

    @abstractmethod
    def hold(self, rows: Rows) -> None:
        """Make `rows` the plan that `offers` speaks of."""

    @abstractmethod
    def soonest(self, request: int) -> I64:
        """Tick int64[V] at which each vehicle could be at the request's first place, whatever the laws say."""

    @abstractmethod
    def offers(self, requests: NDArray[np.integer]) -> Offers:
        """What each request costs in its vehicle and in the cheapest others, the rest of the held plan fixed."""
