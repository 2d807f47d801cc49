"""One run of large-neighbourhood search: anytime, seeded, in slices between which the budget is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from routing.plans.budget import Budget
from routing.plans.general.insert import sequence
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import (
    copy_plan,
    ranked_absent,
    refresh,
    refresh_plan,
    remove,
    take_over_plan,
)
from routing.plans.general.kernels.ruin_recreate import search_slice
from routing.plans.general.tables import Routes, Tables, empty_routes
from routing.plans.general.whole.kernels.plan import price_of_plan
from routing.plans.general.work import Work


@dataclass(frozen=True, slots=True)
class SearchParams:
    """What ruin and recreate is tuned by; section numbers are those of Christiaens and Vanden Berghe (2020)."""

    slice: int = 4_000
    """Insertions tried between two looks at the budget: a few milliseconds."""
    removed_plain: int = 24
    """c, nodes removed on average (section 3.1), where timing moves no price; the paper's 10 fits nodes, not pairs
    (docs/solving.md)."""
    removed_timed: int = 10
    """The same where timing moves prices and judging takes longer."""
    longest: int = 16
    """L_max, nodes of the longest string."""
    hot_plain: float = 3.0
    """T_0, first temperature, in prices of a mean leg, where timing moves no price."""
    hot_timed: float = 0.1
    """The same where it does: a mean leg costs what its orders wait for, and little of it moves (docs/solving.md)."""
    cold: float = 0.01
    """T_f, last temperature."""
    scarce_hot: float = 6.0
    """First temperature where not all that is ranked fits."""
    scarce_worth: int = 20
    """What a mean rank is worth there, in prices of a mean leg."""
    fleet_share: float = 0.6
    """Share of the budget in which vehicles may be saved (section 3.5)."""
    patience: float = 0.3
    """How much of it may pass without saving one."""
    fleet_heat: float = 0.25
    """Temperature while vehicles are saved, in prices of a mean leg."""
    fleet_removed: int = 10
    """c while vehicles are saved."""
    eject_every: int = 100
    """Insertions between two ejections then: a few rounds of ruin and recreate (docs/solving.md)."""


PARAMS = SearchParams()


class Turn(NamedTuple):
    """What one call of `search_slice` is to do."""

    temperature: int
    mean_removed: int
    longest: int
    until: int  # insertions, as work counts them
    fleet: bool  # whether vehicles are being saved
    eject_every: int


class Annealing:
    """One run: the current plan, the best one, and the budget between them."""

    def __init__(
        self, tables: Tables, routes: Routes, work: Work, budget: Budget,
        on_better: Callable[[Routes], None] | None,
    ) -> None:  # fmt: skip
        self.tables, self.routes, self.work, self.budget = tables, routes, work, budget
        self.on_better = on_better
        self.saved, self.best = empty_routes(tables), empty_routes(tables)
        work.mark[:, col.CLOSED] = 0
        self.begin = int(work.counter[0])
        self.removed = PARAMS.removed_plain if tables.plain else PARAMS.removed_timed
        work.luck[1] = 1
        work.cost[0] = price_of_plan(tables, routes)
        self._keep()

    def _keep(self) -> None:
        """Make the current plan the best one."""
        copy_plan(self.routes, self.best)
        self.best.missing[0] = self.routes.missing[0]
        self.best.absent[:] = self.routes.absent
        self.work.cost[1:] = self._standing()
        self.work.clock[col.UNKEPT] = self.work.clock[col.ITERATION] + 1

    def _standing(self) -> tuple[int, int]:
        """Price of the current plan without what is ranked and left out, and the sum of those ranks."""
        rank, lent = ranked_absent(self.tables, self.routes)
        return int(self.work.cost[0] - lent), int(rank)

    def _return_to_best(self) -> None:
        """Make the best plan the current one."""
        self.routes.vehicle[:] = -1
        take_over_plan(self.tables, self.best, self.routes, self.work)
        self.routes.missing[0] = self.best.missing[0]
        self.routes.absent[:] = self.best.absent
        self.work.cost[0] = self.work.cost[1] + ranked_absent(self.tables, self.routes)[1]
        self.work.clock[col.ITERATION] += 1
        self.work.clock[col.UNKEPT] = self.work.clock[col.ITERATION] + 1

    def spent(self) -> float:
        """Share of the budget that is used up."""
        by_work = (int(self.work.counter[col.INSERTIONS]) - self.begin) / max(1, self.budget.work)
        return max(by_work, self.budget.spent())

    def left(self) -> int:
        """Work that is left in the budget."""
        return self.begin + self.budget.work - int(self.work.counter[col.INSERTIONS])

    def over(self) -> bool:
        """Whether the budget is used up."""
        return self.left() <= 0 or self.budget.expired()

    def _slice(self, temperature: int, *, fleet: bool = False) -> None:
        """Search at a temperature until the budget is asked again, or everything absent has found a place."""
        known = int(self.work.counter[col.IMPROVED])
        until = min(int(self.work.counter[col.INSERTIONS]) + PARAMS.slice, self.begin + self.budget.work)
        removed = PARAMS.fleet_removed if fleet else self.removed
        turn = Turn(temperature, removed, PARAMS.longest, until, fleet, PARAMS.eject_every)
        search_slice(self.tables, self.routes, self.saved, self.best, self.work, turn)
        if self.on_better is not None and self.work.counter[col.IMPROVED] > known:
            self.on_better(self.best)

    def _mean_leg(self) -> int:
        nodes = int(self.routes.size.sum())
        if nodes == 0 and self.tables.flag[col.OPTIONAL]:  # whatever is served alone does not pay
            return max(1, int(self.tables.flag[col.LONGEST_WAY] * self.tables.vehicle[:, col.PER_TICK].mean()) // 2)
        price = int(self.routes.price.sum()) - int(self.tables.vehicle[self.routes.size > 0, col.FIXED].sum())
        return max(1, price // max(1, nodes))

    def anneal(self, first: float = 0.0, last: float = 1.0) -> None:
        """Cool down over the rest of the budget, from one share of the way to another."""
        start = min(self.spent(), 0.999)
        leg = self._mean_leg()
        hot = PARAMS.hot_plain if self.tables.plain else PARAMS.hot_timed
        if self.work.cost[2] > 0:
            hot = PARAMS.scarce_hot
            self._lend(leg * PARAMS.scarce_worth)
        while not self.over():
            share = first + (last - first) * min(1.0, (self.spent() - start) / (1 - start))
            self._slice(int(leg * hot * (PARAMS.cold / hot) ** share))

    def _lend(self, worth: int) -> None:
        """Count so much for a mean rank left out, little enough that a loss is accepted for a while."""
        request = self.tables.request
        rank = request[:, col.RANK]
        mean = max(1, int(rank[rank > 0].mean()))
        request[:, col.SKIP] = np.where(rank > 0, np.maximum(1, worth * rank // mean), request[:, col.SKIP])
        self.work.cost[0] = price_of_plan(self.tables, self.routes)

    def sequence(self) -> None:
        """Put the short routes of the best plan into their cheapest orders."""
        self._return_to_best()
        if sequence(self.tables, self.routes, self.work):
            self.take_stock()

    def take_stock(self) -> None:
        """Price the current plan, whose nodes have been changed from outside, and keep it where it is the best."""
        refresh_plan(self.tables, self.routes, self.work)
        self.work.cost[0] = price_of_plan(self.tables, self.routes)
        price, rank = self._standing()
        if (rank, price) < (self.work.cost[2], self.work.cost[1]):
            self._keep()
            if self.on_better is not None:
                self.on_better(self.best)

    def save_vehicles(self) -> None:
        """Close the vehicle whose orders are easiest to place elsewhere, until no vehicle more can be spared."""
        leg, since = self._mean_leg(), self.spent()
        while self.spent() < min(PARAMS.fleet_share, since + PARAMS.patience) and not self.over():
            if self.routes.missing[0] == 0:
                self._keep()
                since = self.spent()
                if not self._close_one():
                    break
            self._slice(int(leg * PARAMS.fleet_heat), fleet=True)
        self._return_to_best()
        self.work.mark[:, col.CLOSED] = self.routes.size == 0

    def _close_one(self) -> bool:
        """Empty and close the vehicle with the smallest sum of absences; False where none can be spared."""
        bound = self.tables.request[:, col.CARRIER]
        used = np.setdiff1d(np.flatnonzero(self.routes.size > 0), bound[bound >= 0])
        if len(used) < 2:
            return False
        sums = []
        for vehicle in used:
            nodes = self.routes.row[vehicle, col.NODE, 1 : self.routes.size[vehicle] + 1]
            requests = np.unique(self.tables.node[nodes, col.REQUEST])
            sums.append(int(self.work.list[requests, col.ABSENCES].sum()))
        chosen = int(used[int(np.argmin(sums))])
        self.work.mark[:, col.CLOSED] = self.routes.size == 0
        self.work.mark[chosen, col.CLOSED] = 1
        nodes = self.routes.row[chosen, col.NODE, 1 : self.routes.size[chosen] + 1]
        for request in np.unique(self.tables.node[nodes, col.REQUEST]):
            remove(self.tables, self.routes, request)
        refresh(self.tables, self.routes, chosen, self.work)
        self.work.cost[0] = price_of_plan(self.tables, self.routes)
        self.work.mark[chosen, col.CHANGED_AT] = self.work.clock[col.ITERATION] + 1
        return True
