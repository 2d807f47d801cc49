"""The planner for any problem: insertion by regret, then ruin and recreate over whole plans or clusters of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, sequence, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.construct import collect_offers
from routing.plans.general.kernels.moves import order_price, refresh, remove, take_over
from routing.plans.general.search import improve
from routing.plans.general.tables import Kind, Routes
from routing.plans.general.work import new_work
from routing.plans.planner import Objective, Offers, Planner, no_offers
from routing.plans.understood import SearchKind, refuse_unknown
from routing.problem.problem import I64, NEVER, Problem, Rows, Travel

OFFERING = 48
"""Vehicles that are asked for an offer whatever a soonest delivery would cost: those that can be there soonest."""


class Asked(NamedTuple):
    """Who is asked for an offer, and when each could deliver at the soonest."""

    order: NDArray[np.intp]  # [V] vehicles, those that can be there soonest first
    soonest: I64  # [V] tick at which each could be at the request's first place
    direct: int  # ticks from there to its drop
    always: int  # how many are asked whatever a soonest delivery would cost


class GeneralPlanner(Planner):
    """Routes of pickups and drops, from those told before.

    Raises Unsupported for laws and prices that it does not know (routing.plans.understood).
    """

    def __init__(
        self, problem: Problem, travel: Travel, seed: int, objective: Objective = "cost", threads: int = 1
    ) -> None:
        self._problem, self._travel = problem, travel
        self._objective, self._threads = objective, threads
        self._tables = gather(problem, travel)
        refuse_unknown(problem, travel, SearchKind.PLAIN if self._tables.plain else SearchKind.TIMED)
        self._work = new_work(self._tables, seed)
        self._routes, self.work = start_routes(problem, self._tables, self._work), 0

    def insert_new(self) -> None:
        """By regret; then every short route in its cheapest order."""
        insert_absent(self._tables, self._routes, self._work, threads=self._threads)
        sequence(self._tables, self._routes, self._work)
        self.work = int(self._work.counter[col.INSERTIONS])

    def improve(self, budget: Budget, on_better: Callable[[Rows], None] | None) -> None:
        """Save vehicles where that comes first, then search within the budget, which begins to count here.

        Where the whole plan has laws or prices, vehicles are saved by their prices alone.
        """
        fleet = self._objective == "vehicles" or (self._objective == "auto" and self._vehicles_first())
        fleet = fleet and not self._tables.flag[col.WHOLE]
        tell = None if on_better is None else lambda best: on_better(to_rows(self._tables, best))
        self._routes = improve(
            self._tables, self._routes, self._work, budget, fleet=fleet, threads=self._threads, on_better=tell
        )
        self.work = int(self._work.counter[col.INSERTIONS])

    def _vehicles_first(self) -> bool:
        """Whether the cheapest vehicle costs more than all that is driven; not where some cost more than others."""
        used = self._routes.size > 0
        fixed = self._tables.vehicle[:, col.FIXED]
        if self._tables.flag[col.RANKED] and (fixed.min() < fixed.max() or self._routes.missing[0]):
            return False
        return bool(used.any()) and int(fixed.min()) > int(self._routes.price[used].sum() - fixed[used].sum())

    def rows(self) -> Rows:
        """The routes as rows."""
        return to_rows(self._tables, self._routes)

    def hold(self, rows: Rows) -> None:
        """Read the rows in; what a vehicle must keep is no part of what an order costs it."""
        self._tables = self._tables._replace(must_keep_ptr=np.zeros_like(self._tables.must_keep_ptr))
        self._work = new_work(self._tables, 0)
        self._routes = start_routes(self._problem._replace(before=rows), self._tables, self._work)

    def soonest(self, request: int) -> I64:
        """From where each vehicle is free."""
        problem, place = self._problem, int(self._tables.request[request, col.FIRST_PLACE])
        legs = self._travel.ticks[problem.profile, problem.start_place, place].astype(np.int64)
        return np.where(problem.start_place == place, 0, legs) + np.maximum(0, problem.start)

    def offers(self, requests: NDArray[np.integer]) -> Offers:
        """One by one: a request leaves its route, is priced everywhere, and returns."""
        tables, routes, work, made = self._tables, self._routes, self._work, no_offers(len(requests))
        if not len(requests):
            return made
        whole = Routes._make(values.copy() for values in routes)
        for i, request in enumerate(requests.tolist()):
            vehicle = int(routes.vehicle[request])
            if vehicle >= 0:
                with_it = int(routes.price[vehicle]) + int(order_price(tables, request, vehicle))
                remove(tables, routes, request)
                if refresh(tables, routes, vehicle, work):
                    made.added[i] = with_it - int(routes.price[vehicle])
            self._ask(request, vehicle, made.best[i])
            if vehicle >= 0:
                self._ask_for_others(request, made.instead[i])
                take_over(tables, whole, routes, vehicle)
                routes.missing[0] = whole.missing[0]
        return made

    def _ask(self, request: int, served_by: int, best: I64) -> None:
        """Write the cheapest vehicles that could take a request into `best` int64[., 2], but for `served_by`."""
        tables, soonest = self._tables, self.soonest(request)
        pick, drop = (int(place) for place in tables.place[2 * request : 2 * request + 2])
        pair = tables.kind[request] == Kind.PAIR and pick != drop
        direct = int(self._travel.ticks[:, pick, drop].min()) if pair else 0
        asked = Asked(np.argsort(soonest, kind="stable"), soonest, direct, OFFERING)
        collect_offers(tables, self._routes, request, served_by, asked, best, self._work)

    def _ask_for_others(self, request: int, instead: I64) -> None:
        """Write the other rows of its choice, each in its cheapest vehicle, into `instead` int64[., 3]."""
        row, found = int(self._tables.request[request, col.NEXT_ROW]), []
        while row != request:
            best = np.full((1, 2), NEVER, dtype=np.int64)
            self._ask(row, -1, best)
            found.append((int(best[0, 1]), row, int(best[0, 0])))
            row = int(self._tables.request[row, col.NEXT_ROW])
        for k, (price, row, vehicle) in enumerate(sorted(found)[: len(instead)]):
            instead[k] = row, vehicle, price
