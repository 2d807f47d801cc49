"""The OR-Tools routing model as polish of a plan of trips: which vehicle makes which trips, in which sequence.

Under ONE_STORE_UNTIL_EMPTY a trip is one node: it begins at its pickup and ends where its last drop was left.  A round
polishes a bounded number of clusters, warm-started from the plan it has and limited by solutions, not by time, so that
plans repeat.  What the model proposes counts only if the one evaluator finds it lawful and cheaper.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_parameters_pb2

from routing.plans.budget import Budget
from routing.problem.build import make_rows, read_rows
from routing.problem.evaluate import Timeline, evaluate
from routing.problem.problem import INFINITE, ActKind, Level, Problem, Rows, Travel

CLUSTERS = 2
"""Clusters polished in one round."""
VEHICLES = 12
"""Vehicles in a cluster: the one with the costliest wait and those nearest to its trips."""
SOLUTIONS = 40
"""Improving solutions after which a cluster is left."""

Stop = tuple[int, list[tuple[int, int]]]


class Trip(NamedTuple):
    """Stops from a pickup until empty; ticks count from the act instant of the pickup."""

    stops: tuple[Stop, ...]
    requests: tuple[int, ...]
    ready: int
    lasts: int
    slope: int


class Chain(NamedTuple):
    """A vehicle's plan: what is settled, where and when that ends, and the trips after it."""

    vehicle: int
    settled: tuple[Stop, ...]
    place: int
    free: int
    trips: tuple[Trip, ...]


def polish_trips(problem: Problem, travel: Travel, rows: Rows, budget: Budget) -> tuple[Rows, int]:
    """Rows that cost no more than `rows`, and the work spent (trips times vehicles, for every cluster)."""
    timeline = evaluate(problem, travel, rows)
    if not timeline.feasible:
        return rows, 0
    work = 0
    polished: set[int] = set()
    for _ in range(CLUSTERS):
        chains = _chains(problem, travel, rows, timeline)
        cluster = _cluster(problem, travel, chains, polished)
        trips = sum(len(chain.trips) for chain in cluster)
        if trips < 2 or len(cluster) < 2 or budget.expired():
            break
        polished.update(chain.vehicle for chain in cluster)
        work += trips * len(cluster)
        candidate = _solved(problem, travel, rows, cluster)
        if candidate is None:
            continue
        judged = evaluate(problem, travel, candidate)
        if judged.feasible and judged.cost < timeline.cost:
            rows, timeline = candidate, judged
    return rows, work


# --- reading a plan -------------------------------------------------------------------------------------------------


def _chains(problem: Problem, travel: Travel, rows: Rows, timeline: Timeline) -> list[Chain]:
    told = np.zeros(len(problem.start_place), dtype=np.int64)
    for v in range(len(told)):
        levels = problem.stop_level[int(problem.told.stop_ptr[v]) : int(problem.told.stop_ptr[v + 1])]
        told[v] = int((levels >= Level.OFFERED).sum())
    return [
        _chain(problem, timeline, int(rows.stop_ptr[v]), v, stops, int(told[v]))
        for v, stops in enumerate(read_rows(rows))
    ]


def _chain(problem: Problem, timeline: Timeline, first: int, v: int, stops: list[Stop], told: int) -> Chain:
    """Split a row into what is settled (told, or begun) and whole trips."""
    aboard = int((problem.aboard_of == v).sum())
    settled = 0
    for stop in stops:
        if settled >= told and aboard == 0:
            break
        aboard += _change(stop)
        settled += 1
    trips = []
    begin = settled
    for k in range(settled, len(stops)):
        aboard += _change(stops[k])
        if aboard == 0 and stops[k][1]:
            trips.append(_trip(problem, timeline, first, stops, begin, k + 1))
            begin = k + 1
    place = stops[settled - 1][0] if settled else int(problem.start_place[v])
    free = int(timeline.leave[first + settled - 1]) if settled else int(problem.start[v])
    return Chain(v, tuple(stops[:settled]), place, max(0, free), tuple(trips))


def _change(stop: Stop) -> int:
    """How many more requests are on board after a stop."""
    return sum(1 if kind == ActKind.PICKUP else -1 for _, kind in stop[1])


def _trip(problem: Problem, timeline: Timeline, first: int, stops: list[Stop], begin: int, end: int) -> Trip:
    requests = tuple(request for request, _ in stops[begin][1])
    ready = max(int(problem.ready[r]) for r in requests)
    lasts = int(timeline.leave[first + end - 1] - timeline.act_at[first + begin])
    return Trip(tuple(stops[begin:end]), requests, ready, lasts, int(problem.slope[list(requests), 0].sum()))


def _cluster(problem: Problem, travel: Travel, chains: list[Chain], polished: set[int]) -> list[Chain]:
    """The vehicle whose trips wait the costliest, and the nearest others of its profile, in vehicle order."""
    waits = [(-_wait(problem, travel, chain), chain.vehicle) for chain in chains if chain.vehicle not in polished]
    if not waits or min(waits)[0] >= 0:
        return []
    worst = chains[min(waits)[1]]
    profile = int(problem.profile[worst.vehicle])
    stores = [trip.stops[0][0] for trip in worst.trips]
    near = sorted(
        (chain.free + min(int(travel.ticks[profile, chain.place, store]) for store in stores), chain.vehicle)
        for chain in chains
        if problem.profile[chain.vehicle] == profile and chain.vehicle not in polished
    )
    return [chains[v] for v in sorted({worst.vehicle, *(v for _, v in near[:VEHICLES])})]


def _wait(problem: Problem, travel: Travel, chain: Chain) -> int:
    """What a chain's orders pay for waiting ready on the counter."""
    ticks = travel.ticks[int(problem.profile[chain.vehicle])]
    at, place, cost = chain.free, chain.place, 0
    for trip in chain.trips:
        store = trip.stops[0][0]
        act_at = max(trip.ready, at + int(ticks[place, store]) + int(problem.enter[store]))
        cost += trip.slope * (act_at - trip.ready)
        at, place = act_at + trip.lasts, trip.stops[-1][0]
    return cost


# --- the model ------------------------------------------------------------------------------------------------------


def _solved(problem: Problem, travel: Travel, rows: Rows, cluster: list[Chain]) -> Rows | None:
    trips = [trip for chain in cluster for trip in chain.trips]
    count, fleet = len(trips), len(cluster)
    home = count + fleet  # one node where everybody's day ends
    manager = pywrapcp.RoutingIndexManager(home + 1, fleet, [count + k for k in range(fleet)], [home] * fleet)
    model = pywrapcp.RoutingModel(manager)
    legs = _legs(problem, travel, trips, cluster)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(legs.price.tolist()))
    model.AddDimension(model.RegisterTransitMatrix(legs.time.tolist()), INFINITE, INFINITE, False, "time")
    time = model.GetDimensionOrDie("time")
    ones = model.RegisterUnaryTransitVector([1] * count + [0] * (fleet + 1))
    model.AddDimensionWithVehicleCapacity(
        ones, 0, [int(problem.max_trips[chain.vehicle]) for chain in cluster], True, "trips"
    )
    last_pickup = [min(INFINITE, max(0, int(problem.last_pickup[chain.vehicle]))) for chain in cluster]
    for k, chain in enumerate(cluster):
        time.CumulVar(model.Start(k)).SetValue(chain.free)
    for j, trip in enumerate(trips):
        index = manager.NodeToIndex(j)
        allowed = [k for k, chain in enumerate(cluster) if _may(problem, chain.vehicle, trip)]
        model.VehicleVar(index).SetValues(allowed)
        time.CumulVar(index).SetMin(max(0, trip.ready))
        limit = model.solver().Element(last_pickup, model.VehicleVar(index))
        model.solver().Add(time.CumulVar(index) <= limit)
        time.SetCumulVarSoftUpperBound(index, max(0, trip.ready), trip.slope)
    routes = _search(model, manager, cluster)
    return None if routes is None else _rows(rows, cluster, trips, routes)


class _Legs(NamedTuple):
    time: np.ndarray
    price: np.ndarray


def _legs(problem: Problem, travel: Travel, trips: list[Trip], cluster: list[Chain]) -> _Legs:
    """Ticks between act instants, and the price of driving; the node after the last is where every day ends."""
    size = len(trips) + len(cluster) + 1
    time = np.zeros((size, size), dtype=np.int64)
    price = np.zeros((size, size), dtype=np.int64)
    ticks = travel.ticks[int(problem.profile[cluster[0].vehicle])]
    ends = [(trip.stops[-1][0], trip.lasts) for trip in trips] + [(chain.place, 0) for chain in cluster]
    work = int(problem.per_work[cluster[0].vehicle] + problem.per_drive[cluster[0].vehicle])
    for a, (place, lasts) in enumerate(ends):
        for b, trip in enumerate(trips):
            store = trip.stops[0][0]
            leg = int(ticks[place, store])
            time[a, b] = min(INFINITE, lasts + leg + int(problem.enter[store]))
            price[a, b] = work * leg
    return _Legs(time, price)


def _may(problem: Problem, v: int, trip: Trip) -> bool:
    word, bit = v // 64, v % 64
    lawful = all(int(problem.allowed[r, word]) >> bit & 1 for r in trip.requests)
    load = problem.load[list(trip.requests)].sum(axis=0)
    return lawful and len(trip.requests) <= problem.max_requests[v] and bool((load <= problem.capacity[v]).all())


def _search(
    model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, cluster: list[Chain]
) -> list[list[int]] | None:
    parameters: routing_parameters_pb2.RoutingSearchParameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.solution_limit = SOLUTIONS
    model.CloseModelWithParameters(parameters)
    first, begun = [], 0
    for chain in cluster:
        first.append([manager.NodeToIndex(begun + k) for k in range(len(chain.trips))])
        begun += len(chain.trips)
    warm = model.ReadAssignmentFromRoutes(first, True)
    if warm is None:
        return None
    found = model.SolveFromAssignmentWithParameters(warm, parameters)
    if found is None:
        return None
    routes = []
    for k in range(len(cluster)):
        route, index = [], found.Value(model.NextVar(model.Start(k)))
        while not model.IsEnd(index):
            route.append(manager.IndexToNode(index))
            index = found.Value(model.NextVar(index))
        routes.append(route)
    return routes


def _rows(rows: Rows, cluster: list[Chain], trips: list[Trip], routes: list[list[int]]) -> Rows:
    plan = read_rows(rows)
    for chain, route in zip(cluster, routes, strict=True):
        plan[chain.vehicle] = [*chain.settled, *(stop for j in route for stop in trips[j].stops)]
    return make_rows(plan)
