"""The OR-Tools routing models of one cluster: `python -m routing.plans.ortools.routing_model`.

The process reads pickled questions from standard input until that ends, and for each writes pickled routes (nodes per
vehicle) or None to standard output.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.plans.ortools.lateness import LateStep, spans
from routing.plans.ortools.questions import Question, RouteQuestion, TripQuestion
from routing.problem.problem import INFINITE

SOLUTIONS = 40
"""Better plans after which a cluster is left."""
FAILURES = 5000
"""Moves that were worked out and made nothing better, after which it is left too: a quick look sees no charge."""
DEAREST = 2**50
"""What no plan's lateness costs."""


def solve(question: Question) -> list[list[int]] | None:
    """Improve the warm start until SOLUTIONS better plans were found, FAILURES others, or no neighbour is better."""
    model, manager = modelled(question)
    model.AddSearchMonitor(model.solver().FailuresLimit(FAILURES))
    parameters = search_parameters()
    model.CloseModelWithParameters(parameters)
    warm = warm_start(model, manager, question)
    found = None if warm is None else model.SolveFromAssignmentWithParameters(warm, parameters)
    return None if found is None else _read(model, manager, len(question.warm), found)


def modelled(question: Question) -> tuple[pywrapcp.RoutingModel, pywrapcp.RoutingIndexManager]:
    """What is minimised, still open."""
    return _routes_model(question) if isinstance(question, RouteQuestion) else _trips_model(question)


def _routes_model(question: RouteQuestion) -> tuple[pywrapcp.RoutingModel, pywrapcp.RoutingIndexManager]:
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
    _price_instants(model, {manager.NodeToIndex(2 * r + 1): late for r, late in enumerate(question.late)})
    return model, manager


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


def _loads(model: pywrapcp.RoutingModel, question: RouteQuestion) -> None:
    for d in range(question.load.shape[1]):
        change = np.zeros(question.cost.shape[1], dtype=np.int64)
        change[0 : 2 * len(question.skip) : 2] = question.load[:, d]
        change[1 : 2 * len(question.skip) : 2] = -question.load[:, d]
        transit = model.RegisterUnaryTransitVector(change.tolist())
        model.AddDimensionWithVehicleCapacity(transit, 0, question.capacity[:, d].tolist(), True, f"load{d}")


def _trips_model(question: TripQuestion) -> tuple[pywrapcp.RoutingModel, pywrapcp.RoutingIndexManager]:
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
    _price_instants(model, {manager.NodeToIndex(trip): late for trip, late in enumerate(question.late)})
    return model, manager


def _price_instants(model: pywrapcp.RoutingModel, late: Mapping[int, Sequence[LateStep]]) -> None:
    """Price the instant of each index exactly.

    What is linear is a bound of `time`, by which moves are pruned.  A dimension knows one bound for an index and no
    charges; so the rest is the slack in a dimension of its own, whose span is priced.
    """
    time, solver, rests = model.GetDimensionOrDie("time"), model.solver(), dict[int, Any]()
    for index, price in late.items():
        sloped = [k for k, step in enumerate(price) if step.slope][:1]
        least = min(step.slope for step in price[sloped[0] :]) if sloped else 0
        if least:
            time.SetCumulVarSoftUpperBound(index, price[sloped[0]].after, least)
        rest = _rest(solver, time.CumulVar(index), price, least)
        if rest:
            rests[index] = solver.Sum(rest)
            model.AddVariableMinimizedByFinalizer(time.CumulVar(index))
    if not rests:
        return
    nothing = model.RegisterUnaryTransitVector([0] * model.nodes())
    model.AddDimension(nothing, DEAREST, DEAREST, True, "late")
    dimension = model.GetDimensionOrDie("late")
    dimension.SetSpanCostCoefficientForAllVehicles(1)
    for index in range(model.Size()):
        solver.Add(dimension.SlackVar(index) == rests.get(index, 0))


def _rest(solver: pywrapcp.Solver, at: pywrapcp.IntVar, price: Sequence[LateStep], least: int) -> list[Any]:
    """The terms of a price beyond `least` for each tick."""
    terms = []
    for step, end in spans(price):
        if step.charge:
            terms.append(solver.IsGreaterCstVar(at, step.after) * step.charge)
        if step.slope > least:
            ticks = solver.Max(at - step.after, 0)
            terms.append(solver.Min(ticks, end - step.after) * (step.slope - least))
    return terms


def search_parameters() -> Any:
    """How a model is searched."""
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.solution_limit = SOLUTIONS
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    return parameters


def warm_start(
    model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, question: Question
) -> pywrapcp.Assignment | None:
    """The plan that is polished, with its price, in a closed model; None where the model forbids it."""
    # Routes are read as indices of variables, which are not the numbers of nodes.
    routes = [[manager.NodeToIndex(n) for n in route] for route in question.warm]
    return model.ReadAssignmentFromRoutes(routes, True)


def _read(
    model: pywrapcp.RoutingModel, manager: pywrapcp.RoutingIndexManager, vehicles: int, found: pywrapcp.Assignment
) -> list[list[int]]:
    routes = []
    for vehicle in range(vehicles):
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
