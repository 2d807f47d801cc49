"""The planner for ONE_STORE_UNTIL_EMPTY: chains of trips, searched over batches and assignment jointly.

Every vehicle holds a chain of trips, a trip one store and a few requests in an exact sequence.  A round starts from the
told plan, puts new requests in at their cheapest place, exchanges whole plans by an exact assignment, searches, and
exchanges again (docs/dispatching.md).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from routing.errors import InvalidInput
from routing.plans.budget import Budget
from routing.plans.ortools.assignment import assign
from routing.plans.trips.kernels import layout as col
from routing.plans.trips.kernels.exchange import exchange, price_plans
from routing.plans.trips.kernels.layout import TripPlan
from routing.plans.trips.kernels.search import insert_all, search_slice
from routing.plans.trips.pack import Packed, pack
from routing.plans.trips.unpack import dress
from routing.problem.evaluate import evaluate
from routing.problem.problem import I32, I64, Explain, Level, Problem, Rows, Solution, Travel

Recipe = Literal["insertion", "lns", "ortools", "lns+ortools"]

SLICE = 20_000
"""Work units between two questions whether time is up: a few milliseconds."""

REACH = 48
"""Vehicles to which a plan may be given in one exchange, those that can be there first, beside its own."""

EVERY_ONE = Explain()


def plan_trips(
    problem: Problem,
    travel: Travel,
    *,
    recipe: Recipe = "lns",
    budget: Budget,
    seed: int,
    explain: Explain = EVERY_ONE,
) -> Solution:
    """Plan a round of trips from what was told; the same problem, budget and seed give the same Solution.

    `recipe`: "insertion" (told plan and new requests at their cheapest place), "lns" (exchange and search besides),
    "ortools" (insertion and exchange, then the OR-Tools routing model on a few clusters), "lns+ortools" (both).
    `budget`: its work counts places tried. `explain`: which served requests get a receipt, what the next best
    vehicles would have cost.
    Raises InvalidInput: `unknown_recipe`, `not_trips`.
    """
    if recipe not in get_args(Recipe):
        raise InvalidInput(f"no recipe {recipe!r} for trips", code="unknown_recipe", field="recipe")
    packed = pack(problem, travel, seed)
    work = insert_new(packed)
    if recipe != "insertion":
        work += exchange_plans(packed)
    if recipe in ("lns", "lns+ortools"):
        work += search(packed, budget, work)
        work += exchange_plans(packed)
    solution, lawful = dress(problem, travel, packed, work, explain)
    if not lawful:
        # The planner prices changes of the told plan more simply than the evaluator: rather what was told than a plan
        # that the evaluator forbids.
        solution, _ = dress(problem, travel, pack(problem, travel, seed), work, explain)
    return _polished(problem, travel, solution, budget, seed, explain) if "ortools" in recipe else solution


def _polished(
    problem: Problem, travel: Travel, solution: Solution, budget: Budget, seed: int, explain: Explain
) -> Solution:
    """The solution after the OR-Tools routing model has tried to improve it."""
    from routing.plans.ortools.polish_trips import polish_trips

    rows, spent = polish_trips(problem, travel, solution.rows, budget)
    if rows is solution.rows:
        return solution._replace(work=solution.work + spent)
    # Packed again with the polished plan as what was told: rows, times and receipts follow as for any plan.
    again = _with_told(problem, rows)
    better, lawful = dress(again, travel, pack(again, travel, seed), solution.work + spent, explain)
    return better._replace(cost=evaluate(problem, travel, better.rows).cost) if lawful else solution


def _with_told(problem: Problem, rows: Rows) -> Problem:
    """The problem as if `rows` had been last round's plan; what was told keeps its levels."""
    stop_level = np.zeros(len(rows.stop_place), dtype=np.int8)
    act_level = np.zeros(len(rows.act_request), dtype=np.int8)
    level_of: dict[tuple[int, int], int] = {}
    told = problem.told
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
    return problem._replace(told=rows, stop_level=stop_level, act_level=act_level)


def insert_new(packed: Packed) -> int:
    """Put every request without a place into its cheapest one, in the order they were placed; the places tried."""
    day, plan = packed.day, packed.plan
    new = np.flatnonzero(plan.where < 0)
    order = np.lexsort((new, day.request[new, col.READY], day.request[new, col.PLACED]))
    return int(insert_all(day, plan, new[order].astype(np.int32)))


def search(packed: Packed, budget: Budget, spent: int) -> int:
    """Search until the budget is spent or time is up; the places tried."""
    done = 0
    while spent + done < budget.work and len(packed.search.movable) and not budget.expired():
        _, tried = search_slice(packed.day, packed.plan, packed.search, min(SLICE, budget.work - spent - done))
        done += int(tried)
    return done


def exchange_plans(packed: Packed) -> int:
    """Give whole plans to the vehicles that carry them out cheapest, exactly; the plans tried."""
    day, plan = packed.day, packed.plan
    chain = plan.chain[: len(day.vehicle)]
    owners = np.flatnonzero(chain[:, col.TRIPS] > chain[:, col.FIRST]).astype(np.int32)
    vehicles = len(chain)
    if len(owners) == 0 or vehicles < 2:
        return 0
    group = plan.trip[owners, chain[owners, col.FIRST], col.KIND]
    reach = np.concatenate([owners[:, None], day.near[group, : min(REACH, vehicles)]], axis=1)
    reach[:, 1:][reach[:, 1:] == owners[:, None]] = -1
    prices = np.empty(reach.shape, dtype=np.int64)
    tried = price_plans(day, plan, owners, reach, prices)
    movers, useful = _worth_exchanging(owners, reach, prices, vehicles)
    if len(movers) == 0:
        return int(tried)
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
    return int(tried)


def _worth_exchanging(
    owners: I32, reach: I32, prices: I64, vehicles: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Rows of the plans that may change hands, and which of the pairs [n, C] may be used; nothing better is lost.

    No assignment that improves uses a pair dearer, against its plan's cheapest, than all plans could gain together; and
    a plan that is left with its own vehicle alone takes that one from all others.
    """
    least = prices.min(axis=1)
    gain = int((prices[:, 0] - least).sum())
    useful = prices < np.minimum(least + gain, col.NEVER)[:, None]
    useful[:, 0] = True
    settled = np.zeros(vehicles, dtype=np.bool_)
    while True:
        alone = ~useful[:, 1:].any(axis=1)
        fresh = alone & ~settled[owners]
        if not fresh.any():
            return np.flatnonzero(~alone), useful
        settled[owners[fresh]] = True
        useful[:, 1:] &= ~settled[reach[:, 1:]]
