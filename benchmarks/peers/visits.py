"""PyVRP and VROOM on files of customers: PyVRP reads the file itself, VROOM is given ticks and prices as its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import Answer, Question, timed
from routing.errors import Unsupported
from routing.problem.build import Stop, make_rows
from routing.problem.formats.cvrplib import Visits, read_visits
from routing.problem.problem import INFINITE, ActKind, Problem

PYVRP_ROUNDING = {"nearest": "round", "one_decimal": "dimacs", "none": "exact"}


def with_pyvrp(question: Question) -> Answer:
    """PyVRP's plan for the file that the question names."""
    import pyvrp

    from benchmarks.peers.with_pyvrp import Until

    path = Path(question.option("file", ""))
    case = read_visits(path)
    data = pyvrp.read(path, round_func=PYVRP_ROUNDING[case.rounding])
    stop = Until(question.now, question.now() + (question.seconds or 10.0))
    best, wall, cpu = timed(
        lambda: pyvrp.solve(data, stop, seed=question.seed, collect_stats=False, display=False).best
    )
    plan: list[list[Stop]] = [[] for _ in case.depot]
    request = {int(place): r for r, place in enumerate(case.problem.drop_place)}
    for route in best.routes():
        kind = data.vehicle_type(route.vehicle_type())
        depot = int(data.depots()[kind.start_depot].location)
        vehicle = _free_vehicle(case, plan, depot, int(kind.capacity[0]), int(kind.unit_distance_cost))
        inner = list(route.schedule())[1:-1]  # between its start and its end; a depot there is a reload
        plan[vehicle] = [
            (int(data.depots()[int(act.idx)].location), [])
            if act.is_depot()
            else (place := int(data.clients()[int(act.idx)].location), [(request[place], int(ActKind.DROP))])
            for act in inner
        ]
    return Answer(make_rows(plan), wall, cpu)


def _free_vehicle(case: Visits, plan: Sequence[list[Stop]], depot: int, room: int, price: int) -> int:
    """A vehicle without a route, of this depot, capacity (multiplied as PyVRP's distances are) and price of a way."""
    problem = case.problem
    like = [
        v
        for v, stops in enumerate(plan)
        if not stops and case.depot[v] == depot and int(problem.capacity[v, 0]) * case.ticks == room
    ]
    if not like:
        raise Unsupported("PyVRP used a vehicle that the file does not have", field="capacity")
    return next((v for v in like if int(problem.per_drive[v]) == price), like[0])


def with_vroom(question: Question) -> Answer:
    """VROOM's plan; it knows no price of leaving a customer out."""
    from benchmarks.peers.with_vroom import limit_of, run_vroom

    problem, ticks = question.problem, question.travel.ticks[0]
    if problem.skip_cost.any():
        raise Unsupported("VROOM leaves no customer out for a price", field="skip_cost")
    if (problem.max_duration < INFINITE).any():
        raise Unsupported("VROOM knows no longest duration", field="max_duration")
    data = as_jobs(problem, ticks)
    said, wall, cpu = run_vroom(data, limit_of(question))
    plan: list[list[Stop]] = [[] for _ in range(len(problem.start_place))]
    for route in said["routes"]:
        acts = [step["id"] for step in route["steps"] if step["type"] == "job"]
        plan[route["vehicle"]] = [(int(problem.drop_place[r]), [(r, int(ActKind.DROP))]) for r in acts]
    return Answer(make_rows(plan), wall, cpu)


def as_jobs(problem: Problem, ticks: Any) -> dict[str, Any]:
    """Customers as VROOM's jobs, vehicles with their prices; ids are rows of the Problem."""
    jobs = [
        {
            "id": r, "location_index": int(problem.drop_place[r]), "service": int(problem.act[r, 1]),
            "delivery": problem.load[r].tolist(),
            "time_windows": [[int(a), min(int(b), INFINITE // 2)] for a, b in problem.window[r, 1]],
        }
        for r in range(len(problem.drop_place))
    ]  # fmt: skip
    vehicles = [
        {
            "id": v, "start_index": int(problem.start_place[v]), "end_index": int(problem.end_place[v]),
            "capacity": problem.capacity[v].tolist(),
            "time_window": [int(problem.start[v]), min(int(problem.end[v]), INFINITE // 2)],
            "costs": {"fixed": int(problem.fixed[v]), "per_hour": 3600 * int(problem.per_drive[v])},
        }
        for v in range(len(problem.start_place))
    ]  # fmt: skip
    return {"vehicles": vehicles, "jobs": jobs, "matrices": {"car": {"durations": np.asarray(ticks).tolist()}}}
