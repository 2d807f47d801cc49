"""Laws and prices of a plan as a whole, in both general searches: found plans against all plans there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.whole.kernels.plan import price_of_plan
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, NO_BLOCK, Problem, Reason, Travel

OPEN = np.broadcast_to(np.array([0, INFINITE]), (4, 2, 1, 2))

Plan = list[list[tuple[int, list[tuple[int, int]]]]]


def all_plans(problem: Problem, request: int = 0, plan: Plan | None = None) -> Iterator[Plan]:
    """Every way to serve some of the requests from `request` on, each act a stop of its own."""
    plan = plan or [[] for _ in problem.start_place]
    if request == len(problem.pick_place):
        yield plan
        return
    yield from all_plans(problem, request + 1, plan)
    pick, drop = int(problem.pick_place[request]), int(problem.drop_place[request])
    for v, route in enumerate(plan):
        for k in range(len(route) + 1):
            with_drop = [*route[:k], (drop, [(request, 1)]), *route[k:]]
            for i in range(k + 1) if pick >= 0 else (-1,):
                own = [*with_drop[:i], (pick, [(request, 0)]), *with_drop[i:]] if pick >= 0 else with_drop
                yield from all_plans(problem, request + 1, [*plan[:v], own, *plan[v + 1 :]])


def best_of_all(problem: Problem, travel: Travel) -> tuple[int, int] | None:
    """(rank, cost) of the best lawful plan; None where there is none."""
    timed = (evaluate(problem, travel, make_rows(plan)) for plan in all_plans(problem))
    return min(((one.rank, one.cost) for one in timed if one.feasible), default=None)


def drawn(seed: int, law: str, *, timed: bool = False) -> tuple[Problem, Travel]:
    """Four requests, one of them a pair, two vehicles, and one law or price of the whole."""
    rng = np.random.default_rng(seed)
    legs = rng.integers(10, 90, (1, 6, 6)).astype(np.int32)
    requests, vehicles = 4, 2
    fields: dict[str, Any] = {
        "place": range(6), "pick_place": [-1, -1, -1, 4], "drop_place": [1, 2, 3, 5],
        "start_place": [0] * vehicles, "end_place": [0, -1], "act": rng.integers(0, 30, (requests, 2)),
        "fixed": rng.integers(0, 60, vehicles), "rank": [1] * requests, "skip_cost": 0,
    }  # fmt: skip
    opens = rng.integers(0, 150, (requests, 2, 1))
    closes = np.where(rng.random(opens.shape) < 0.5, INFINITE, opens + rng.integers(50, 250, opens.shape))
    fields["window"] = np.stack([opens, closes], axis=3)
    if law == "precedence":
        pairs = [(a, b) for a in range(requests) for b in range(a + 1, requests) if rng.random() < 0.4]
        fields["precedence"] = pairs or [(1, 0)]
    elif law == "at most":
        fields |= {"max_used": 1, "capacity": 2}  # one cannot carry all
    elif law == "at least":
        fields |= {"min_used": 2, "fixed": [500, 500]}
    else:
        fields["per_longest"] = int(rng.integers(1, 6))
    if timed:
        fields |= {"slope": np.array([[1, 1, 1]] * requests), "due": [[100, 200]] * requests}
    return make_problem(**fields), Travel(legs, NO_BLOCK)


def having(problem: Problem, **fields: Any) -> Problem:
    """The problem with other values in some fields."""
    return make_problem(**(problem._asdict() | fields))


@pytest.mark.parametrize("law", ["precedence", "at most", "at least", "longest"])
@pytest.mark.parametrize("timed", [False, True])
def test_the_best_of_all_plans_is_found(law, timed):
    found = []
    for seed in range(8):
        problem, travel = drawn(seed, law, timed=timed)
        solution = plan_routes(problem, travel, budget=Budget(6000), seed=seed)
        best = best_of_all(problem, travel)
        if best is None:
            continue
        assert audit(problem, travel, solution) == []
        assert (solution.rank, solution.cost) >= best
        found.append((solution.rank, solution.cost) == best)
    assert len(found) >= 6 and sum(found) >= len(found) - (2 if law == "longest" else 1)


@pytest.mark.parametrize("law", ["precedence", "at most", "at least", "longest"])
def test_without_the_law_another_plan_is_better(law):
    """The drawn problems are about their law: in most of them it costs something."""
    free = {"precedence": np.zeros((0, 0), dtype=np.int32), "max_used": INFINITE, "min_used": 0, "per_longest": 0}
    dearer = 0
    for seed in range(8):
        problem, travel = drawn(seed, law)
        best, bare = best_of_all(problem, travel), best_of_all(problem._replace(**free), travel)
        dearer += best is None or bare is None or best > bare
    assert dearer >= 4


@given(st.integers(0, 2**32), st.booleans(), st.sampled_from(["precedence", "at most", "at least", "longest"]))
@settings(max_examples=40, deadline=None)
def test_the_search_counts_what_the_evaluator_counts(seed, timed, law):
    problem, travel = drawn(seed, law, timed=timed)
    rng = np.random.default_rng(seed)
    plans = list(all_plans(problem))
    told = plans[int(rng.integers(len(plans)))]
    before = make_rows(told)
    problem = having(problem, before=before, stop_level=0, act_level=0)
    tables = gather(problem, travel)
    routes = start_routes(problem, tables, new_work(tables, 0))
    timeline = evaluate(problem, travel, to_rows(tables, routes))
    assert timeline.law.name in ("NONE", "FLEET")  # too few vehicles: what is absent goes in later
    if timeline.feasible:
        skipped = int(tables.request[routes.vehicle[: len(problem.pick_place)] < 0, col.SKIP].sum())
        assert price_of_plan(tables, routes) - skipped == timeline.cost


def test_what_must_follow_something_that_nobody_can_serve_is_left_out_with_its_reason():
    problem, travel = drawn(1, "precedence")
    problem = having(problem, precedence=[[0, 1]], load=[9, 0, 0, 0], capacity=5, window=OPEN)
    solution = plan_routes(problem, travel, budget=Budget(500))
    assert [Reason(one).name for one in solution.reason] == ["CAPACITY", "PRECEDENCE", "SERVED", "SERVED"]


def test_what_another_vehicle_would_have_to_serve_is_left_out_with_its_reason():
    problem, travel = drawn(2, "at most")
    problem = having(problem, capacity=1, window=OPEN)
    solution = plan_routes(problem, travel, budget=Budget(500))
    assert set(solution.reason.tolist()) == {Reason.SERVED, Reason.FLEET}


def test_a_told_plan_of_too_many_vehicles_is_mended():
    problem, travel = drawn(3, "at most")
    told = make_rows([[(1, [(0, 1)]), (2, [(1, 1)])], [(3, [(2, 1)])]])
    problem = having(problem, before=told, stop_level=0, act_level=0, window=OPEN, capacity=9)
    solution = plan_routes(problem, travel, budget=Budget(500))
    assert audit(problem, travel, solution) == [] and not solution.reason.any()
