"""The OR-Tools routing model of one cluster: `python -m routing.plans.ortools.routing_model`.

The model holds the interpreter's lock for its whole search and is best kept out of a live process.  It reads a pickled
Cluster from standard input and writes pickled routes (nodes per vehicle) or None to standard output.
"""

from __future__ import annotations

import pickle
import sys
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.constraint_solver import pywrapcp, routing_enums_pb2


class ClusterModel(NamedTuple):
    """Requests and vehicles of one model; node 2 r picks request r up, 2 r + 1 drops it, starts and ends follow."""

    cost: NDArray[np.int64]  # [vehicle kind, n, n]
    ticks: NDArray[np.int64]  # [vehicle kind, n, n] from act instant to act instant
    kind: list[int]  # of each vehicle
    start: list[int]  # node
    end: list[int]
    depart: list[int]
    home_by: list[int]
    fixed: list[int]
    window: list[tuple[int, int]]  # of each request node
    load: NDArray[np.int64]  # [r, D]
    capacity: NDArray[np.int64]  # [vehicle, D]
    allowed: list[list[int]]  # vehicles of each request
    skip: list[int]
    due: list[tuple[int, int]]  # (tick, price per tick after it) of each drop
    routes: list[list[int]]  # warm start
    solutions: int


def solve(cluster: ClusterModel) -> list[list[int]] | None:
    """Improve the warm start until `solutions` better plans were found or no neighbour is better."""
    manager = pywrapcp.RoutingIndexManager(cluster.cost.shape[1], len(cluster.kind), cluster.start, cluster.end)
    model = pywrapcp.RoutingModel(manager)
    costs = [model.RegisterTransitMatrix(block.tolist()) for block in cluster.cost]
    times = [model.RegisterTransitMatrix(block.tolist()) for block in cluster.ticks]
    for vehicle, kind in enumerate(cluster.kind):
        model.SetArcCostEvaluatorOfVehicle(costs[kind], vehicle)
        model.SetFixedCostOfVehicle(cluster.fixed[vehicle], vehicle)
    horizon = max(cluster.home_by)
    model.AddDimensionWithVehicleTransits([times[kind] for kind in cluster.kind], horizon, horizon, False, "time")
    _time_laws(model, manager, cluster)
    _loads(model, manager, cluster)
    for request, skip in enumerate(cluster.skip):
        pick, drop = manager.NodeToIndex(2 * request), manager.NodeToIndex(2 * request + 1)
        model.AddPickupAndDelivery(pick, drop)
        model.solver().Add(model.VehicleVar(pick) == model.VehicleVar(drop))
        for index in (pick, drop):
            model.AddDisjunction([index], skip // 2)
            model.VehicleVar(index).SetValues([-1, *cluster.allowed[request]])
    return _search(model, manager, cluster)


def _time_laws(model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, cluster: ClusterModel) -> None:
    time = model.GetDimensionOrDie("time")
    for vehicle in range(len(cluster.kind)):
        time.CumulVar(model.Start(vehicle)).SetMin(cluster.depart[vehicle])
        time.CumulVar(model.End(vehicle)).SetMax(cluster.home_by[vehicle])
    for request in range(len(cluster.skip)):
        for node in (2 * request, 2 * request + 1):
            time.CumulVar(manager.NodeToIndex(node)).SetRange(*cluster.window[node])
        pick, drop = manager.NodeToIndex(2 * request), manager.NodeToIndex(2 * request + 1)
        model.solver().Add(time.CumulVar(pick) <= time.CumulVar(drop))
        due, slope = cluster.due[request]
        if slope > 0:
            time.SetCumulVarSoftUpperBound(drop, due, slope)


def _loads(model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, cluster: ClusterModel) -> None:
    for d in range(cluster.load.shape[1]):
        change = np.zeros(cluster.cost.shape[1], dtype=np.int64)
        change[0 : 2 * len(cluster.skip) : 2] = cluster.load[:, d]
        change[1 : 2 * len(cluster.skip) : 2] = -cluster.load[:, d]
        transit = model.RegisterUnaryTransitVector(change.tolist())
        model.AddDimensionWithVehicleCapacity(transit, 0, cluster.capacity[:, d].tolist(), True, f"load{d}")


def _search(
    model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, cluster: ClusterModel
) -> list[list[int]] | None:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.solution_limit = cluster.solutions
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    model.CloseModelWithParameters(parameters)
    # Routes are read as indices of variables, which are not the numbers of nodes.
    warm = model.ReadAssignmentFromRoutes([[manager.NodeToIndex(n) for n in route] for route in cluster.routes], True)
    found = None if warm is None else model.SolveFromAssignmentWithParameters(warm, parameters)
    if found is None:
        return None
    routes = []
    for vehicle in range(len(cluster.kind)):
        route, index = [], found.Value(model.NextVar(model.Start(vehicle)))
        while not model.IsEnd(index):
            route.append(manager.IndexToNode(index))
            index = found.Value(model.NextVar(index))
        routes.append(route)
    return routes


if __name__ == "__main__":
    answer = solve(pickle.load(sys.stdin.buffer))  # our own parent wrote it
    pickle.dump(answer, sys.stdout.buffer)
