"""What the OR-Tools models know of lateness: every slope and charge, to the tick, as the one evaluator prices it."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from routing.plans.budget import Budget
from routing.plans.ortools import routing_model
from routing.plans.ortools.lateness import door_changes, price, steps
from routing.plans.ortools.polish import polish
from routing.plans.ortools.polish_routes import RouteModel
from routing.plans.ortools.polish_trips import TripModel
from routing.plans.ortools.questions import RouteQuestion
from routing.plans.ortools.routing_model import modelled, search_parameters, solve, warm_start
from routing.problem.build import make_problem, make_rows, read_rows
from routing.problem.evaluate import evaluate
from routing.problem.kernels.door import door_price
from routing.problem.problem import INFINITE, ActKind, Problem, Rows, Travel, TripRule

PICK, DROP = int(ActKind.PICKUP), int(ActKind.DROP)
MODELS = {TripRule.ONE_STORE_UNTIL_EMPTY: TripModel, TripRule.ANY: RouteModel}
RULES = pytest.mark.parametrize("rule", MODELS)


def orders(count: int) -> list[tuple[int, list[tuple[int, int]]]]:
    """Fetched and brought one after the other, by their numbers."""
    return [stop for r in range(count) for stop in ((r, [(r, PICK)]), (count + r, [(r, DROP)]))]


def round_of(rule: TripRule, ticks: np.ndarray, **given: Any) -> tuple[Problem, Travel, Rows]:
    """One rider with orders that each have a store (places 0 to n - 1) and a door (n to 2 n - 1); one who has none."""
    count = len(given["due"])
    rows = make_rows([orders(count), []])
    problem = make_problem(
        place=np.arange(2 * count + 2), pick_place=range(count), drop_place=range(count, 2 * count),
        start_place=[2 * count, 2 * count + 1], store=range(count), last_pickup=[INFINITE, -1], trip_rule=rule,
        per_work=[1, 1], skip_cost=10_000_000, **given,
    )  # fmt: skip
    return problem, Travel(ticks[None].astype(np.int32), np.zeros((0, 0, 0), dtype=np.int32)), rows


def two_in_a_row(rule: TripRule, due: list[list[int]], charge: list[int], **given: Any) -> tuple[Problem, Travel, Rows]:
    """Order 0 comes first unless order 1, there at tick 200 at the soonest, passes a threshold by that."""
    ticks = np.full((6, 6), 100)
    ticks[4, 0] = 60
    return round_of(rule, ticks, **{"slope": [[2, 2, 2], [1, 1, 1]], "due": due, "late_fixed": [charge] * 2} | given)


def asked(problem: Problem, travel: Travel, rows: Rows) -> tuple[Any, Any]:
    """The model of a round and its question about the rider who has orders."""
    model = MODELS[TripRule(problem.trip_rule)](problem, travel)
    timeline = evaluate(problem, travel, rows)
    model.members(rows, timeline, ())
    return model, model.question(rows, timeline, [0])


def answers(question: Any) -> list[list[int]]:
    """Every lawful sequence of one rider's nodes."""
    nodes = range(len(question.warm[0]))
    paired = isinstance(question, RouteQuestion)
    return [
        list(way)
        for way in permutations(nodes)
        if not paired or all(way.index(n) < way.index(n + 1) for n in nodes if n % 2 == 0)
    ]


def costs(problem: Problem, travel: Travel, rows: Rows, model: Any, way: list[int]) -> int:
    """What the evaluator says of an answer."""
    return evaluate(problem, travel, make_rows([*model.routes(rows, [0], [way]), []])).cost


@pytest.mark.parametrize("seed", range(40))
def test_steps_are_the_price_of_the_door_to_the_tick(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 4))
    due = np.sort(rng.integers(-20, 40, (count, 2)), axis=1)
    due[rng.random(count) < 0.2, 1] = due[0, 0] if count == 1 else INFINITE
    given = {
        "placed": rng.integers(-20, 10, count), "due": due,
        "slope": rng.integers(0, 5, (count, 3)), "late_fixed": rng.integers(0, 3, (count, 2)) * 50,
    }  # fmt: skip
    problem, _, _ = round_of(TripRule.ANY, np.ones((2 * count + 2, 2 * count + 2)), **given)
    sooner, earliest = rng.integers(0, 10, count).tolist(), int(rng.integers(-20, 20))
    made = steps([c for r in range(count) for c in door_changes(problem, r, sooner[r])], earliest)

    def naive(at: int) -> int:
        return sum(
            door_price(
                at + sooner[r], *(int(x) for x in (problem.placed[r], *problem.due[r])),
                *(int(x) for x in (*problem.slope[r], *problem.late_fixed[r])),
            )
            for r in range(count)
        )  # fmt: skip

    for at in range(earliest, 70):
        assert price(made, at) == naive(at) - naive(earliest)


@RULES
@pytest.mark.parametrize("seed", range(12))
def test_what_a_model_minimises_is_what_the_evaluator_says_of_every_sequence(rule: TripRule, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ticks = rng.integers(20, 200, (8, 8))
    ticks[np.diag_indices(8)] = 0
    given: dict[str, Any] = {"slope": rng.integers(0, 6, (3, 3)), "late_fixed": rng.integers(0, 4, (3, 2)) * 5000}
    problem, travel, rows = round_of(rule, ticks, due=np.full((3, 2), INFINITE), **given)
    model, question = asked(problem, travel, rows)
    arrivals: list[list[int]] = [[], [], []]
    for way in answers(question):
        plan = make_rows([*model.routes(rows, [0], [way]), []])
        at = evaluate(problem, travel, plan).act_at
        for k, (_, acts) in enumerate(read_rows(plan)[0]):
            for request, kind in acts:
                arrivals[request] += [int(at[k])] * (kind == DROP)
    # thresholds at an arrival, or a tick before one
    due = np.sort([rng.choice(here, 2) - rng.integers(0, 2, 2) for here in arrivals], axis=1)
    problem, travel, rows = round_of(rule, ticks, due=due, **given)
    model, question = asked(problem, travel, rows)
    routing, manager = modelled(question)
    routing.CloseModelWithParameters(search_parameters())
    apart = set()
    for way in answers(question):
        warm = warm_start(routing, manager, question._replace(warm=[way]))
        apart.add(costs(problem, travel, rows, model, way) - warm.ObjectiveValue())
    assert len(apart) == 1


CHARGES = pytest.mark.parametrize(
    ("due", "charge"),
    [
        ([[900, 9000], [200, 9000]], [60_000, 0]),
        ([[0, 900], [0, 200]], [0, 60_000]),
        ([[100, 900], [100, 200]], [80_000, 30_000]),
    ],
    ids=["first", "second", "both"],
)


@RULES
@CHARGES
def test_a_model_proposes_the_best_of_all_sequences_under_either_charge(
    rule: TripRule, due: list[list[int]], charge: list[int]
) -> None:
    problem, travel, rows = two_in_a_row(rule, due, charge)
    model, question = asked(problem, travel, rows)
    proposed = solve(question)
    best = min(costs(problem, travel, rows, model, way) for way in answers(question))
    assert proposed is not None
    assert costs(problem, travel, rows, model, proposed[0]) == best < evaluate(problem, travel, rows).cost - 20_000
    free, _, _ = two_in_a_row(rule, due, [0, 0])
    assert solve(asked(free, travel, rows)[1]) == question.warm, "the charge alone moves it"


@RULES
def test_a_model_sees_the_slope_beyond_the_second_threshold(rule: TripRule) -> None:
    due = [[0, 900], [0, 200]]
    problem, travel, rows = two_in_a_row(rule, due, [0, 0], slope=[[2, 2, 2], [1, 1, 50]])
    model, question = asked(problem, travel, rows)
    proposed = solve(question)
    assert proposed is not None
    best = min(costs(problem, travel, rows, model, way) for way in answers(question))
    assert costs(problem, travel, rows, model, proposed[0]) == best < evaluate(problem, travel, rows).cost


@CHARGES
def test_trips_are_exchanged_where_waiting_costs_nothing_but_a_charge(due: list[list[int]], charge: list[int]) -> None:
    rule = TripRule.ONE_STORE_UNTIL_EMPTY
    problem, travel, rows = two_in_a_row(rule, due, charge, slope=[[0, 0, 0], [0, 0, 0]])
    better, _ = polish(problem, travel, rows, Budget(1), TripModel(problem, travel))
    assert evaluate(problem, travel, better).cost <= evaluate(problem, travel, rows).cost - 25_000


@RULES
def test_a_cluster_is_left_after_so_many_moves_that_made_nothing_better(
    rule: TripRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, travel, rows = two_in_a_row(rule, [[900, 9000], [200, 9000]], [60_000, 0])
    question = asked(problem, travel, rows)[1]
    assert solve(question) not in (None, question.warm)
    monkeypatch.setattr(routing_model, "FAILURES", 0)
    assert solve(question) in (None, question.warm)
