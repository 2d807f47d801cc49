"""The OR-Tools routing models of one cluster: `python -m routing.plans.ortools.routing_model`.

The process reads pickled questions from standard input until that ends, and for each writes pickled routes (nodes per
vehicle) or None to standard output.
"""

from __future__ import annotations

import pickle
import sys

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.plans.ortools.questions import Question, RouteQuestion, TripQuestion
from routing.problem.problem import INFINITE

SOLUTIONS = 40
"""Better plans after which a cluster is left."""


def solve(question: Question) -> list[list[int]] | None:
    """Improve the warm start until SOLUTIONS better plans were found or no neighbour is better."""
    return _solve_routes(question) if isinstance(question, RouteQuestion) else _solve_trips(question)


def _solve_routes(question: RouteQuestion) -> list[list[int]] | None:
    manager = pywrapcp.RoutingIndexManager(question.cost.shape[1], len(question.kind), question.start, question.end)
    model = pywrapcp.RoutingModel(manager)
    costs = [model.RegisterTransitMatrix(block.tolist()) for block in question.cost]
    times = [model.RegisterTransitMatrix(block.tolist()) for block in question.ticks]
    for vehicle, kind in enumerate(question.kind):
        model.SetArcCostEvaluatorOfVehicle(costs[kind], vehicle)
        model.SetFixedCostOfVehicle(question.fixed[vehicle], vehicle)
    horizon = max(question.home_by)
    model.AddDimensionWithVehicleTransits([times[kind] for kind in question.kind], horizon, horizon, False, "time")
    _time_laws(model, manager, question)
    _loads(model, question)
    for request, skip in enumerate(question.skip):
        pick, drop = manager.NodeToIndex(2 * request), manager.NodeToIndex(2 * request + 1)
        model.AddPickupAndDelivery(pick, drop)
        model.solver().Add(model.VehicleVar(pick) == model.VehicleVar(drop))
        for index in (pick, drop):
            model.AddDisjunction([index], skip // 2)
            model.VehicleVar(index).SetValues([-1, *question.allowed[request]])
    return _improved(model, manager, question)


def _time_laws(model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, question: RouteQuestion) -> None:
    time = model.GetDimensionOrDie("time")
    for vehicle in range(len(question.kind)):
        time.CumulVar(model.Start(vehicle)).SetMin(question.depart[vehicle])
        time.CumulVar(model.End(vehicle)).SetMax(question.home_by[vehicle])
    for request in range(len(question.skip)):
        for node in (2 * request, 2 * request + 1):
            time.CumulVar(manager.NodeToIndex(node)).SetRange(*question.window[node])
        pick, drop = manager.NodeToIndex(2 * request), manager.NodeToIndex(2 * request + 1)
        model.solver().Add(time.CumulVar(pick) <= time.CumulVar(drop))
        due, slope = question.due[request]
        if slope > 0:
            time.SetCumulVarSoftUpperBound(drop, due, slope)


def _loads(model: pywrapcp.RoutingModel, question: RouteQuestion) -> None:
    for d in range(question.load.shape[1]):
        change = np.zeros(question.cost.shape[1], dtype=np.int64)
        change[0 : 2 * len(question.skip) : 2] = question.load[:, d]
        change[1 : 2 * len(question.skip) : 2] = -question.load[:, d]
        transit = model.RegisterUnaryTransitVector(change.tolist())
        model.AddDimensionWithVehicleCapacity(transit, 0, question.capacity[:, d].tolist(), True, f"load{d}")


def _solve_trips(question: TripQuestion) -> list[list[int]] | None:
    count, fleet = len(question.ready), len(question.free)
    home = count + fleet
    manager = pywrapcp.RoutingIndexManager(home + 1, fleet, [count + k for k in range(fleet)], [home] * fleet)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(question.cost.tolist()))
    model.AddDimension(model.RegisterTransitMatrix(question.ticks.tolist()), INFINITE, INFINITE, False, "time")
    time = model.GetDimensionOrDie("time")
    ones = model.RegisterUnaryTransitVector([1] * count + [0] * (fleet + 1))
    model.AddDimensionWithVehicleCapacity(ones, 0, question.max_trips, True, "trips")
    for vehicle, free in enumerate(question.free):
        time.CumulVar(model.Start(vehicle)).SetValue(free)
    for trip, ready in enumerate(question.ready):
        index = manager.NodeToIndex(trip)
        model.VehicleVar(index).SetValues(question.allowed[trip])
        time.CumulVar(index).SetMin(ready)
        limit = model.solver().Element(question.last_pickup, model.VehicleVar(index))
        model.solver().Add(time.CumulVar(index) <= limit)
        time.SetCumulVarSoftUpperBound(index, ready, question.slope[trip])
    if any(price for _, price in question.promise):
        _keep_promises(model, manager, question)
    return _improved(model, manager, question)


def _keep_promises(model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, question: TripQuestion) -> None:
    """Price late pickups in a dimension of their own: one knows one bound, and that of waiting comes before."""
    ticks = model.RegisterTransitMatrix(question.ticks.tolist())
    model.AddDimension(ticks, INFINITE, INFINITE, False, "promise")
    time, promise = model.GetDimensionOrDie("time"), model.GetDimensionOrDie("promise")
    for trip, (latest, price) in enumerate(question.promise):
        index = manager.NodeToIndex(trip)
        model.solver().Add(promise.CumulVar(index) == time.CumulVar(index))
        if price:
            promise.SetCumulVarSoftUpperBound(index, latest, price)


def _improved(
    model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, question: Question
) -> list[list[int]] | None:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.solution_limit = SOLUTIONS
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    model.CloseModelWithParameters(parameters)
    # Routes are read as indices of variables, which are not the numbers of nodes.
    warm = model.ReadAssignmentFromRoutes([[manager.NodeToIndex(n) for n in route] for route in question.warm], True)
    found = None if warm is None else model.SolveFromAssignmentWithParameters(warm, parameters)
    if found is None:
        return None
    routes = []
    for vehicle in range(len(question.warm)):
        route, index = [], found.Value(model.NextVar(model.Start(vehicle)))
        while not model.IsEnd(index):
            route.append(manager.IndexToNode(index))
            index = found.Value(model.NextVar(index))
        routes.append(route)
    return routes


def _answer_all() -> None:
    while True:
        try:
            question: Question = pickle.load(sys.stdin.buffer)  # our own parent wrote it
        except EOFError:
            return
        pickle.dump(solve(question), sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _answer_all()
