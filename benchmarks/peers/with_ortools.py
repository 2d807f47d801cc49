"""The OR-Tools routing model from nothing: parallel cheapest insertion, then guided local search to the end."""

from __future__ import annotations

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from benchmarks.peers import Answer, Question, timed
from benchmarks.peers.static import check_static, rows_of, vehicle_price
from routing.problem.problem import Problem, empty_rows

SKIP = 10**9
"""Price of leaving a task out: above any plan, and small enough to add up."""


def solve(question: Question) -> Answer:
    """The best plan found in time; an empty one where there was none."""
    problem = question.problem
    check_static(problem)
    model, manager = _model(problem, question.travel.ticks[0].astype(np.int64), fleet=question.fleet)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    seconds = question.seconds or 10.0
    # The model's own limit counts wall seconds; on the other clock it is a backstop and a monitor ends the search.
    parameters.time_limit.FromMilliseconds(round(1000 * seconds * (1 if question.clock == "wall" else 10)))
    begun = question.now()
    if question.clock == "cpu":
        model.AddSearchMonitor(model.solver().CustomLimit(lambda: question.now() - begun >= seconds))
    model.CloseModelWithParameters(parameters)
    begun = question.now()
    found, wall, cpu = timed(lambda: model.SolveWithParameters(parameters))
    if found is None:
        return Answer(empty_rows(len(problem.start_place)), wall, cpu)
    act = {int(place): (r, 0) for r, place in enumerate(problem.pick_place)}
    act |= {int(place): (r, 1) for r, place in enumerate(problem.drop_place)}
    routes = []
    for vehicle in range(len(problem.start_place)):
        route, index = [], found.Value(model.NextVar(model.Start(vehicle)))
        while not model.IsEnd(index):
            route.append(act[manager.IndexToNode(index)])
            index = found.Value(model.NextVar(index))
        routes.append(route)
    return Answer(rows_of(problem, routes), wall, cpu)


def _model(
    problem: Problem, ticks: np.ndarray, *, fleet: bool
) -> tuple[pywrapcp.RoutingModel, pywrapcp.RoutingIndexManager]:
    vehicles, depot = len(problem.start_place), int(problem.start_place[0])
    manager = pywrapcp.RoutingIndexManager(len(ticks), vehicles, depot)
    model = pywrapcp.RoutingModel(manager)
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(ticks.tolist()))
    if fleet:
        model.SetFixedCostOfAllVehicles(vehicle_price(problem, int(ticks.max())))
    service = np.zeros(len(ticks), dtype=np.int64)
    service[problem.pick_place], service[problem.drop_place] = problem.act[:, 0], problem.act[:, 1]
    horizon = int(problem.end[0])
    model.AddDimension(
        model.RegisterTransitMatrix((ticks + service[:, None]).tolist()), horizon, horizon, False, "time"
    )
    time = model.GetDimensionOrDie("time")
    for d in range(problem.load.shape[1]):
        change = np.zeros(len(ticks), dtype=np.int64)
        change[problem.pick_place], change[problem.drop_place] = problem.load[:, d], -problem.load[:, d]
        model.AddDimension(
            model.RegisterUnaryTransitVector(change.tolist()), 0, int(problem.capacity[0, d]), True, f"load{d}"
        )
    for r in range(len(problem.pick_place)):
        sides = [manager.NodeToIndex(int(place[r])) for place in (problem.pick_place, problem.drop_place)]
        for side, index in enumerate(sides):
            opens, closes = problem.window[r, side, 0].tolist()
            time.CumulVar(index).SetRange(max(0, opens), min(horizon, closes))
            model.AddDisjunction([index], SKIP)
        model.AddPickupAndDelivery(*sides)
        model.solver().Add(model.VehicleVar(sides[0]) == model.VehicleVar(sides[1]))
        model.solver().Add(time.CumulVar(sides[0]) <= time.CumulVar(sides[1]))
    for vehicle in range(vehicles):
        time.CumulVar(model.Start(vehicle)).SetMin(int(problem.start[vehicle]))
    return model, manager
