"""PyVRP (iterated local search) with shipments.

Where vehicles count, half of its time goes into the plan, half into feasible plans with one vehicle less each, as its
own `minimise_fleet` does; that routine alone would often leave it without a feasible plan at the end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyvrp
from pyvrp.stop import FirstFeasible, MultipleCriteria, StoppingCriterion

from benchmarks.peers import Answer, Question, timed
from benchmarks.peers.static import check_static, rows_of, vehicle_price
from routing.problem.problem import Problem

FLEET_SHARE = 0.5


class Until:
    """PyVRP's own stopping criterion on either clock."""

    def __init__(self, now: Callable[[], float], ends: float) -> None:
        self.now, self.ends = now, ends

    def __call__(self, best_cost: float) -> bool:
        """Whether the time is over."""
        return self.now() >= self.ends


def solve(question: Question) -> Answer:
    """The best feasible plan, or what is feasible of it."""
    problem = question.problem
    check_static(problem)
    data = _model(problem, question.travel.ticks[0].astype(np.int64), fleet=question.fleet)
    seconds = question.seconds or 10.0

    def search() -> pyvrp.Solution:
        ends = question.now() + seconds
        share = FLEET_SHARE if question.fleet else 1.0
        best = _solved(data, Until(question.now, ends - seconds * (1 - share)), question.seed)
        while question.fleet and best.is_feasible() and question.now() < ends:
            fewer = data.vehicle_type(0).replace(num_available=best.num_routes() - 1)
            stop = MultipleCriteria([FirstFeasible(), Until(question.now, ends)])
            found = _solved(data.replace(vehicle_types=[fewer]), stop, question.seed)
            if not found.is_feasible():
                break
            best = found
        return best

    best, wall, cpu = timed(search)
    routes = []
    for route in best.routes():
        acts = [act for act in route.schedule() if act.is_shipment()]
        routes.append([(int(act.idx), 0 if act.is_pickup() else 1) for act in acts])
    return Answer(rows_of(problem, routes), wall, cpu)


def _solved(model: pyvrp.ProblemData, stop: StoppingCriterion, seed: int) -> pyvrp.Solution:
    return pyvrp.solve(model, stop, seed=seed, collect_stats=False, display=False).best


def _model(problem: Problem, ticks: np.ndarray, *, fleet: bool) -> pyvrp.ProblemData:
    begin, end = int(problem.start[0]), int(problem.end[0])
    windows = np.clip(problem.window[:, :, 0, :], begin, end)
    shipments = [
        pyvrp.Shipment(
            int(problem.pick_place[r]), int(problem.drop_place[r]),
            pickup_tw_early=int(windows[r, 0, 0]), pickup_tw_late=int(windows[r, 0, 1]),
            pickup_service_duration=int(problem.act[r, 0]),
            delivery_tw_early=int(windows[r, 1, 0]), delivery_tw_late=int(windows[r, 1, 1]),
            delivery_service_duration=int(problem.act[r, 1]), amount=problem.load[r].tolist(),
        )
        for r in range(len(problem.pick_place))
    ]  # fmt: skip
    fixed = vehicle_price(problem, int(ticks.max())) if fleet else 0
    kind = pyvrp.VehicleType(
        len(problem.start_place), problem.capacity[0].tolist(), fixed_cost=fixed, tw_early=begin, tw_late=end
    )
    return pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in range(len(ticks))], [], [pyvrp.Depot(int(problem.start_place[0]))], [kind],
        [ticks], [ticks], shipments=shipments,
    )  # fmt: skip
