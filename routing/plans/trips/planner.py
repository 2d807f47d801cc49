"""The planner for ONE_STORE_UNTIL_EMPTY: chains of trips, searched over batches and assignment jointly.

Every vehicle holds a chain of trips, a trip one store and a few requests in an exact sequence (docs/dispatching.md).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from routing.plans.budget import Budget
from routing.plans.ortools.assignment import assign
from routing.plans.planner import Offers, Planner, no_offers
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.exchange import exchange, price_plans
from routing.plans.trips.kernels.layout import TripPlan
from routing.plans.trips.kernels.offers import write_offers
from routing.plans.trips.kernels.rows import write_rows
from routing.plans.trips.kernels.search import insert_all, search_slice
from routing.plans.trips.pack import Packed, pack
from routing.plans.understood import SearchKind, unknown_fields
from routing.problem.problem import I32, I64, Level, Problem, Rows, Travel, TripRule

SLICE = 20_000
"""Work units between two questions whether time is up: a few milliseconds."""

REACH = 48
"""Vehicles to which a plan may be given in one exchange, those that can be there first, beside its own."""


def plans_trips(problem: Problem, travel: Travel) -> bool:
    """Whether this planner knows everything that the problem asks for."""
    whole = np.where(problem.aboard_of < 0, problem.pick_place, problem.drop_place) >= 0
    return bool(
        problem.trip_rule == TripRule.ONE_STORE_UNTIL_EMPTY
        and whole.all() and (problem.drop_place >= 0).all() and not problem.add_price[:, 0].any()
        and not unknown_fields(problem, travel, SearchKind.TRIPS)
        and not problem.take_price[Level.TENTATIVE, 0]
    )  # fmt: skip


class TripPlanner(Planner):
    """Chains of trips, from those told before; a problem must suit `plans_trips`."""

    def __init__(self, problem: Problem, travel: Travel, seed: int) -> None:
        self._problem, self._travel, self._seed = problem, travel, seed
        self.packed, self.work = pack(problem, travel, seed), 0
        self._rows: Rows | None = None

    def insert_new(self) -> None:
        """Put every request without a place into its cheapest one, in the order they were placed."""
        day, plan = self.packed.day, self.packed.plan
        new = np.flatnonzero(plan.where < 0)
        order = np.lexsort((new, day.facts.request[new, layout.READY], day.facts.request[new, layout.PLACED]))
        self.work += int(insert_all(day, plan, new[order].astype(np.int32)))

    def exchange(self) -> None:
        """Give whole plans to the vehicles that carry them out cheapest, exactly."""
        day, plan = self.packed.day, self.packed.plan
        chain = plan.chain[: len(day.facts.vehicle)]
        owners = np.flatnonzero(chain[:, layout.TRIPS] > chain[:, layout.FIRST]).astype(np.int32)
        vehicles = len(chain)
        if len(owners) == 0 or vehicles < 2:
            return
        group = plan.trip[owners, chain[owners, layout.FIRST], layout.KIND]
        reach = np.concatenate([owners[:, None], day.near[group, : min(REACH, vehicles)]], axis=1)
        reach[:, 1:][reach[:, 1:] == owners[:, None]] = -1
        prices = np.empty(reach.shape, dtype=np.int64)
        self.work += int(price_plans(day, plan, owners, reach, prices))
        movers, useful = _worth_exchanging(owners, reach, prices, vehicles)
        if len(movers) == 0:
            return
        owners, reach, prices = owners[movers], reach[movers], prices[movers]
        row, column = np.nonzero(useful[movers])
        vehicle, taker = np.unique(reach[row, column], return_inverse=True)
        pairs = (row.astype(np.int32), taker.astype(np.int32), prices[row, column])
        takers = vehicle[assign(*pairs, len(owners), len(vehicle))]
        moved = takers != owners
        chosen = prices[reach == takers[:, None]]
        if chosen.sum() < prices[:, 0].sum():
            source = TripPlan(plan.orders.copy(), plan.trip.copy(), plan.chain.copy(), plan.where.copy())
            exchange(day, source, plan, owners[moved], takers[moved])

    def improve(self, budget: Budget, on_better: Callable[[Rows], None] | None) -> None:
        """Search until the whole of the plan's work is the budget's, or time is up."""
        packed = self.packed
        while self.work < budget.work and len(packed.search.movable) and not budget.expired():
            gained, tried = search_slice(packed.day, packed.plan, packed.search, min(SLICE, budget.work - self.work))
            self.work += int(tried)
            if gained > 0 and on_better is not None:
                on_better(to_rows(self._problem, packed))

    def rows(self) -> Rows:
        """The chains as rows."""
        self._rows = to_rows(self._problem, self.packed)
        return self._rows

    def hold(self, rows: Rows) -> None:
        """Read other rows in, as if they were what was told before."""
        if rows is not self._rows:
            told = _told_before(self._problem, rows)
            self.packed, self._rows = pack(told, self._travel, self._seed, self.packed), rows

    def soonest(self, request: int) -> I64:
        """Past the drops of what is on board and the stop that must come first."""
        return self.packed.act_at[:, self.packed.day.facts.request[request, layout.GROUP]]

    def offers(self, requests: NDArray[np.integer]) -> Offers:
        """By the earliest pickup, until even a delivery straight after it costs more than the offers there are."""
        made = no_offers(len(requests))
        tried = write_offers(self.packed.day, self.packed.plan, requests.astype(np.int32), made.added, made.best)
        return made._replace(tried=int(tried))


def _worth_exchanging(
    owners: I32, reach: I32, prices: I64, vehicles: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows of the plans that may change hands, and which of the pairs [n, C] may be used; nothing better is lost.

    No assignment that improves uses a pair dearer, against its plan's cheapest, than all plans could gain together; and
    a plan that is left with its own vehicle alone takes that one from all others.
    """
    least = prices.min(axis=1)
    gain = int((prices[:, 0] - least).sum())
    useful = prices < np.minimum(least + gain, layout.NEVER)[:, None]
    useful[:, 0] = True
    settled = np.zeros(vehicles, dtype=np.bool_)
    while True:
        alone = ~useful[:, 1:].any(axis=1)
        fresh = alone & ~settled[owners]
        if not fresh.any():
            return np.flatnonzero(~alone), useful
        settled[owners[fresh]] = True
        useful[:, 1:] &= ~settled[reach[:, 1:]]


def to_rows(problem: Problem, packed: Packed) -> Rows:
    """The chains as compressed rows."""
    day, plan, head, heads = packed.day, packed.plan, packed.head, packed.heads
    vehicles, requests = len(heads), len(plan.where)
    most_stops = 2 * requests + int(plan.chain[:vehicles, layout.TRIPS].sum()) + len(problem.before.stop_place)
    out = Rows(
        np.zeros(vehicles + 1, dtype=np.int32), np.zeros(most_stops, dtype=np.int32),
        np.zeros(most_stops + 1, dtype=np.int32), np.zeros(2 * requests, dtype=np.int32),
        np.zeros(2 * requests, dtype=np.int8),
    )  # fmt: skip
    stops, acts = write_rows(day, plan, problem.before, head, heads, out)
    return Rows(
        out.stop_ptr, out.stop_place[:stops].copy(), out.act_ptr[: stops + 1].copy(), out.act_request[:acts].copy(),
        out.act_kind[:acts].copy(),
    )  # fmt: skip


def _told_before(problem: Problem, rows: Rows) -> Problem:
    """The problem as if `rows` had been last round's plan; what was told keeps its levels."""
    stop_level = np.zeros(len(rows.stop_place), dtype=np.int8)
    act_level = np.zeros(len(rows.act_request), dtype=np.int8)
    level_of: dict[tuple[int, int], int] = {}
    told = problem.before
    for a, (request, kind) in enumerate(zip(told.act_request.tolist(), told.act_kind.tolist(), strict=True)):
        level_of[request, kind] = int(problem.act_level[a])
    for v in range(len(problem.start_place)):
        begin, old = int(rows.stop_ptr[v]), int(told.stop_ptr[v])
        count = min(int(rows.stop_ptr[v + 1]) - begin, int(told.stop_ptr[v + 1]) - old)
        for k in range(count):
            if problem.stop_level[old + k] == Level.TENTATIVE or rows.stop_place[begin + k] != told.stop_place[old + k]:
                break
            stop_level[begin + k] = problem.stop_level[old + k]
    for a, (request, kind) in enumerate(zip(rows.act_request.tolist(), rows.act_kind.tolist(), strict=True)):
        act_level[a] = level_of.get((request, kind), 0)
    return problem._replace(before=rows, stop_level=stop_level, act_level=act_level)
