"""Small problems against their proven optimum: an independent CP-SAT model, built from the Problem's own words.

The model knows nothing of the search: a circuit per vehicle over pickups and drops, times, loads, and a price for
whatever is left out.  What it proves optimal the search must reach, and nothing legal may cost less.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ortools.sat.python import cp_model

from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import allow, make_problem
from routing.problem.problem import INFINITE, Problem, Travel

HORIZON = 900
NO_METRES = np.zeros((0, 0, 0), dtype=np.int32)


class Model:
    """The least cost of a Problem of pairs with one window an act, places of their own, and nothing told."""

    def __init__(self, problem: Problem, travel: Travel) -> None:
        self.problem, self.ticks = problem, travel.ticks
        self.model = cp_model.CpModel()
        self.requests, self.vehicles = range(len(problem.pick_place)), range(len(problem.start_place))
        self.by = [[self.model.new_bool_var("") for _ in self.vehicles] for _ in self.requests]
        self.served = [self.model.new_bool_var("") for _ in self.requests]
        self.nodes = [(r, side) for r in self.requests for side in (0, 1)]
        self.there = {node: self._time() for node in self.nodes}
        self.act_at = {node: self._time() for node in self.nodes}
        self.cost: list[Any] = []
        for r in self.requests:
            self._request(r)
        for v in self.vehicles:
            self._vehicle(v)

    def least(self) -> int:
        """The proven optimum."""
        self.model.minimize(sum(self.cost))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        assert solver.solve(self.model) == cp_model.OPTIMAL
        return round(solver.objective_value)

    def _time(self) -> Any:
        return self.model.new_int_var(0, HORIZON, "")

    def _request(self, r: int) -> None:
        problem, model = self.problem, self.model
        model.add(sum(self.by[r]) == self.served[r])
        for v in self.vehicles:
            if not int(problem.allowed[r, v // 64]) >> (v % 64) & 1:
                model.add(self.by[r][v] == 0)
        for side in (0, 1):
            opens, closes = (int(t) for t in problem.window[r, side, 0])
            opens = max(0, opens, int(problem.ready[r]) if side == 0 else 0)
            model.add_max_equality(self.act_at[r, side], [self.there[r, side], opens])
            model.add(self.act_at[r, side] <= min(HORIZON, closes)).only_enforce_if(self.served[r])
        carried = self.act_at[r, 1] - self.act_at[r, 0]
        model.add(carried >= 0).only_enforce_if(self.served[r])
        model.add(carried <= min(HORIZON, int(problem.max_on_board[r]))).only_enforce_if(self.served[r])
        self.cost.append(int(problem.skip_cost[r]) * (1 - self.served[r]))
        self._door(r)

    def _door(self, r: int) -> None:
        """Three pieces of rising price, and a charge for passing each threshold."""
        problem, model = self.problem, self.model
        slope, due = [int(s) for s in problem.slope[r]], [int(d) for d in problem.due[r]]
        if not any(slope):
            return
        assert slope == sorted(slope)
        placed = int(problem.placed[r])
        piece = [model.new_int_var(0, most, "") for most in (due[0] - placed, due[1] - due[0], HORIZON)]
        model.add(sum(piece) == self.act_at[r, 1] - placed).only_enforce_if(self.served[r])
        late = [model.new_bool_var("") for _ in due]
        for k in (0, 1):
            model.add(self.act_at[r, 1] <= due[k]).only_enforce_if(self.served[r], ~late[k])
            self.cost.append(int(problem.late_fixed[r, k]) * late[k])
        self.cost += [s * p for s, p in zip(slope, piece, strict=True)]

    def _vehicle(self, v: int) -> None:
        """Node 0 of the circuit is start and end; a vehicle that stays at home loops there."""
        problem, model = self.problem, self.model
        start, profile = int(problem.start_place[v]), int(problem.profile[v])
        used = model.new_bool_var("")
        self.cost.append(int(problem.fixed[v]) * used)
        arcs: list[tuple[int, int, Any]] = [(0, 0, ~used)]
        load = {node: [model.new_int_var(0, int(c), "") for c in problem.capacity[v]] for node in self.nodes}
        for j, (r, side) in enumerate(self.nodes, 1):
            arcs.append((j, j, ~self.by[r][v]))
            place = self._place(r, side)
            self._leg(v, arcs, (0, j), int(self.ticks[profile, start, place]), load)
            end = int(problem.end_place[v])
            self._leg(v, arcs, (j, 0), int(self.ticks[profile, place, end]) if end >= 0 else 0, load)
            for k, other in enumerate(self.nodes, 1):
                if other != (r, side):
                    self._leg(v, arcs, (j, k), int(self.ticks[profile, place, self._place(*other)]), load)
            stay = int(problem.enter[place] + problem.act[r, side] + problem.exit[place])
            self.cost.append(int(problem.per_work[v]) * stay * self.by[r][v])
            if side == 0:
                last = min(HORIZON, int(problem.last_pickup[v]))
                model.add(self.act_at[r, side] <= last).only_enforce_if(self.by[r][v])
        model.add_circuit(arcs)

    def _leg(
        self, v: int, arcs: list[tuple[int, int, Any]], arc: tuple[int, int], ticks: int, load: dict[Any, Any]
    ) -> None:
        problem, model = self.problem, self.model
        driven = model.new_bool_var("")
        arcs.append((*arc, driven))
        if ticks >= INFINITE:
            model.add(driven == 0)
            return
        self.cost.append(ticks * int(problem.per_drive[v] + problem.per_work[v]) * driven)
        origin, target = (self.nodes[n - 1] if n else None for n in arc)
        leaves: Any = max(0, int(problem.start[v]))
        if origin is not None:
            stay = problem.act[origin] + problem.exit[self._place(*origin)]
            leaves = self.act_at[origin] + int(stay)
        if target is None:
            model.add(leaves + ticks <= min(HORIZON, int(problem.end[v]))).only_enforce_if(driven)
            return
        enter = int(problem.enter[self._place(*target)])
        model.add(self.there[target] == leaves + ticks + enter).only_enforce_if(driven)
        r, side = target
        for d in range(problem.load.shape[1]):
            before = load[origin][d] if origin is not None else 0
            change = int(problem.load[r, d]) * (1 if side == 0 else -1)
            model.add(load[target][d] == before + change).only_enforce_if(driven)

    def _place(self, r: int, side: int) -> int:
        return int((self.problem.drop_place if side else self.problem.pick_place)[r])


def drawn(seed: int, requests: int, vehicles: int, **fields: Any) -> tuple[Problem, Travel]:
    """Requests with places of their own; legs are asymmetric and keep no triangle inequality."""
    rng = np.random.default_rng(seed)
    places = 2 * requests + 1
    ticks = rng.integers(5, 80, (1, places + vehicles, places)).astype(np.int32)
    problem = make_problem(
        place=np.arange(places + vehicles), pick_place=np.arange(requests), drop_place=requests + np.arange(requests),
        start_place=places + np.arange(vehicles), act=rng.integers(0, 9, (requests, 2)),
        load=rng.integers(1, 4, (requests, 2)), capacity=rng.integers(4, 7, (vehicles, 2)),
        **{name: make(rng) for name, make in fields.items()},
    )  # fmt: skip
    return problem, Travel(ticks, NO_METRES)


def pickups_and_drops(seed: int) -> tuple[Problem, Travel]:
    """Hard windows, two load dimensions, a price for each vehicle, back to the depot in time."""

    def windows(rng: np.random.Generator) -> np.ndarray:
        opens = rng.integers(0, 150, (5, 2, 1, 1))
        return np.concatenate([opens, opens + 200], axis=3)

    return drawn(
        seed, 5, 2, window=windows, fixed=lambda rng: [90, 140], end_place=lambda rng: [10, 10], end=lambda rng: 420,
        skip_cost=lambda rng: 5_000,
    )  # fmt: skip


def soft_promises(seed: int) -> tuple[Problem, Travel]:
    """Open routes; door time has a price that rises twice, goods get ready, stops take time to enter and leave."""
    return drawn(
        seed, 3, 2, placed=lambda rng: rng.integers(-60, 0, 3), ready=lambda rng: rng.integers(-20, 90, 3),
        enter=lambda rng: rng.integers(0, 9, 9), exit=lambda rng: rng.integers(0, 9, 9),
        due=lambda rng: np.sort(rng.integers(60, 300, (3, 2)), axis=1), slope=lambda rng: np.tile([1, 3, 9], (3, 1)),
        late_fixed=lambda rng: np.tile([40, 200], (3, 1)), per_work=lambda rng: 1, start=lambda rng: [0, 35],
    )  # fmt: skip


def optional_with_needs(seed: int) -> tuple[Problem, Travel]:
    """Not everybody may carry everything, and leaving a request out is sometimes the cheapest."""
    return drawn(
        seed, 5, 3, allowed=lambda rng: allow(rng.random((5, 3)) < 0.6), skip_cost=lambda rng: rng.integers(40, 160, 5),
        fixed=lambda rng: rng.integers(0, 40, 3),
    )  # fmt: skip


def limits(seed: int) -> tuple[Problem, Travel]:
    """Time on board, last pickups, ends of shifts."""
    return drawn(
        seed, 4, 2, max_on_board=lambda rng: rng.integers(60, 140, 4), last_pickup=lambda rng: rng.integers(60, 200, 2),
        end=lambda rng: rng.integers(200, 400, 2), skip_cost=lambda rng: 900, ready=lambda rng: rng.integers(0, 60, 4),
    )  # fmt: skip


KINDS = (pickups_and_drops, soft_promises, optional_with_needs, limits)
CASES = [(kind, seed) for kind in KINDS for seed in range(5)]


@pytest.mark.parametrize(("kind", "seed"), CASES)
def test_enough_work_finds_the_proven_optimum(kind, seed):
    problem, travel = kind(seed)
    solution = plan_routes(problem, travel, objective="cost", budget=Budget(60_000), seed=seed)
    assert audit(problem, travel, solution) == []
    assert solution.cost == Model(problem, travel).least()


def test_the_optima_are_not_all_found_by_insertion():
    """Otherwise the test above would say nothing about the search."""
    cases = [kind(seed) for kind in (pickups_and_drops, soft_promises, limits) for seed in range(5)]
    inserted = [plan_routes(*case, recipe="insertion", objective="cost", budget=Budget(0)).cost for case in cases]
    searched = [plan_routes(*case, objective="cost", budget=Budget(60_000)).cost for case in cases]
    assert all(after <= before for before, after in zip(inserted, searched, strict=True))
    assert any(after < before for before, after in zip(inserted, searched, strict=True))
