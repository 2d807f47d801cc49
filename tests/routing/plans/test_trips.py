"""The trip planner: lawful plans, honest prices, the best place, the best plan of small rounds, repeatable plans."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import Unsupported
from routing.plans.budget import Budget
from routing.plans.general.planner import GeneralPlanner
from routing.plans.plan import plan_routes, planner_for
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.places import best_place
from routing.plans.trips.kernels.search import insert_all, search_slice
from routing.plans.trips.kernels.sequence import EXACT
from routing.plans.trips.pack import pack
from routing.plans.trips.planner import TripPlanner
from routing.problem.audit import audit
from routing.problem.build import make_problem
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, NEVER, Explain, Level, Problem, Reason, Solution, Travel, TripRule
from tests.kit.plans.naive_trips import cheapest_on, cheapest_plan, price, unfold, without
from tests.kit.plans.trip_cases import random_round

SEEDS = st.integers(0, 10**6)


def plan(problem: Problem, travel: Travel, **options: object) -> Solution:
    given = {"budget": Budget(2000), "seed": 1, "explain": Explain()} | options
    return plan_routes(problem, travel, **given)  # type: ignore[arg-type]


def same(one: Solution, other: Solution) -> bool:
    arrays = all(np.array_equal(a, b) for a, b in zip(one.rows, other.rows, strict=True))
    times = all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("leg", "arrive", "act_at"))
    return arrays and times and one.cost == other.cost and one.work == other.work and one.receipts == other.receipts


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.3, 0.6]), st.booleans(), st.sampled_from(["insertion", "lns"]))
def test_from_a_lawful_told_plan_comes_a_lawful_plan(seed: int, tight: float, divert: bool, recipe: str) -> None:
    problem, travel = random_round(seed, tight=tight, divert=divert)
    solution = plan(problem, travel, recipe=recipe, seed=seed)
    if evaluate(problem, travel, problem.before).feasible:
        assert audit(problem, travel, solution) == []
    else:
        # What nobody could mend may stay; the times and prices that are said have to be true all the same.
        assert not {"times", "cost"} & {wrong.code for wrong in audit(problem, travel, solution)} or travel_is_broken(
            problem, travel
        )


def travel_is_broken(problem: Problem, travel: Travel) -> bool:
    """Whether the told plan itself drives a way that does not exist, or waits for a window that never opens."""
    return bool({"unreachable", "window"} & {wrong.code for wrong in audit(problem, travel, problem.before)})


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.4]))
def test_the_price_searched_with_is_the_evaluators(seed: int, tight: float) -> None:
    problem, travel = random_round(seed, tight=tight, told=False)
    planner = TripPlanner(problem, travel, seed)
    planner.insert_new()
    planner.exchange()
    planner.improve(Budget(2000), None)
    planner.exchange()
    vehicles, plan = len(problem.start_place), planner.packed.plan
    skipped = problem.skip_cost[plan.where < 0].sum()
    own = plan.chain[:vehicles, layout.TOTAL].sum() + skipped
    timeline = evaluate(problem, travel, planner.rows())
    assert timeline.feasible
    assert own == timeline.cost


def own_price(problem: Problem, planner: TripPlanner) -> int:
    """What the planner counts: its rows, what is left out, and who has what compared with what was told."""
    day, plan = planner.packed.day, planner.packed.plan
    total = int(plan.chain[: len(problem.start_place), layout.TOTAL].sum())
    for r, v in enumerate(plan.where.tolist()):
        home = int(day.facts.request[r, layout.HOME])
        total += 0 if v >= 0 else int(problem.skip_cost[r])
        if home not in (-1, v):
            total += int(day.facts.request[r, layout.TAKE])
        if v >= 0 and home != v:
            told = range(problem.before.stop_ptr[v], problem.before.stop_ptr[v + 1])
            there = [problem.stop_level[s] for s in told if problem.before.stop_place[s] == problem.pick_place[r]]
            total += int(problem.add_price[max(there), 1]) if there else 0
    return total


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.4]), st.booleans())
def test_changes_of_the_told_plan_cost_what_the_evaluator_says(seed: int, tight: float, divert: bool) -> None:
    problem, travel = random_round(seed, tight=tight, divert=divert)
    # Doors behind a told counter, and orders that were only planned, have a price too.
    told, door = problem.before, Level.OFFERED
    drops = np.flatnonzero((told.act_kind == 1) & (problem.act_level == Level.TOLD))
    problem.stop_level[np.searchsorted(told.act_ptr, drops, side="right") - 1] = door
    problem.take_price[door, 0], problem.take_price[Level.TENTATIVE, 1] = 25, 10
    if not evaluate(problem, travel, problem.before).feasible:
        return
    planner, prices = TripPlanner(problem, travel, seed), []
    day, plan, scratch = planner.packed.day, planner.packed.plan, planner.packed.search

    def search() -> None:
        before = own_price(problem, planner)
        gained, _ = search_slice(day, plan, scratch, 1500)
        assert before - own_price(problem, planner) == gained, "moves cost what they were said to cost"

    for step in (planner.insert_new, planner.exchange, search, planner.exchange):
        step()
        timeline = evaluate(problem, travel, planner.rows())
        assert timeline.feasible
        prices.append(timeline.cost - own_price(problem, planner))
    assert len(set(prices)) == 1, "what stays the same is the drops of goods on board"


def without_shortcuts(problem: Problem, travel: Travel) -> tuple[Problem, Travel]:
    """The same round where a shortcut never errs.

    A detour is never shorter than the leg, coming later never makes work cheaper, nothing follows a trip, and none is
    so long that its sequence is not exact.
    """
    one = np.ones(len(problem.start_place), dtype=np.int32)
    legs = travel.ticks % 31 + 30
    problem = problem._replace(max_requests=np.minimum(problem.max_requests, EXACT))
    problem = problem._replace(max_trips=one, paid_until=one * INFINITE, end_place=-one)
    return problem, Travel(legs, np.zeros((0, 0, 0), dtype=np.int32))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([0.0, 0.3]))
def test_best_place_is_the_best_of_all_places(seed: int, tight: float) -> None:
    problem, travel = without_shortcuts(*random_round(seed, tight=tight, told=False))
    planner = TripPlanner(problem, travel, seed)
    packed = planner.packed
    for r in range(len(problem.pick_place)):
        chains = unfold(problem, planner.rows())
        base = price(problem, travel, chains)
        assert base is not None
        added, v, *_ = best_place(packed.day, packed.plan, r, NEVER)
        costs = [cheapest_on(problem, travel, chains, u, r, 0) for u in range(len(chains))]
        lawful = [cost for cost in costs if cost is not None]
        if v < 0:
            assert not lawful
        else:
            assert base - problem.skip_cost[r] + added == costs[v] == min(lawful)
        insert_all(packed.day, packed.plan, np.array([r], dtype=np.int32))


@pytest.mark.parametrize("seed", range(8))
def test_small_rounds_are_planned_best(seed: int) -> None:
    problem, travel = random_round(seed, requests=4, vehicles=2, tight=0.0, told=False)
    assert plan(problem, travel, budget=Budget(20_000)).cost == cheapest_plan(problem, travel)


def test_insertion_is_never_cheaper_than_search() -> None:
    for seed in range(6):
        problem, travel = random_round(seed, requests=12, told=False)
        quick, thorough = (plan(problem, travel, recipe=recipe) for recipe in ("insertion", "lns"))
        assert thorough.cost <= quick.cost
        assert quick.work < thorough.work


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_the_same_call_gives_the_same_solution(seed: int) -> None:
    problem, travel = random_round(seed)
    assert same(plan(problem, travel, seed=seed), plan(problem, travel, seed=seed))


DIGEST = """
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.problem import Explain
from tests.kit.plans.trip_cases import random_round
for seed in range(3):
    problem, travel = random_round(seed, requests=7, vehicles=3)
    s = plan_routes(problem, travel, budget=Budget(300), seed=seed, explain=Explain())
    print(s.cost, s.work, s.rows.act_request.tolist(), s.receipts)
"""


def test_plain_python_gives_the_same_plan() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=Path(__file__).parents[3], env=os.environ | {"NUMBA_DISABLE_JIT": off},
            capture_output=True, text=True, check=True,
        ).stdout
        for off in ("0", "1")
    ]  # fmt: skip
    assert said[0] == said[1]
    assert said[0].count("\n") == 3


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_receipts_name_the_next_best_vehicles(seed: int) -> None:
    problem, travel = without_shortcuts(*random_round(seed, requests=6, vehicles=4, tight=0.0, told=False))
    solution = plan(problem, travel, seed=seed)
    chains = unfold(problem, solution.rows)
    served = set(solution.rows.act_request.tolist())
    assert [receipt.request for receipt in solution.receipts] == sorted(served)
    for receipt in solution.receipts:
        rest = without(chains, receipt.request)
        base = price(problem, travel, rest)
        assert base is not None
        base -= int(problem.skip_cost[receipt.request])
        assert base + receipt.added_cost == solution.cost
        costs = {v: cheapest_on(problem, travel, rest, v, receipt.request, 0) for v in range(len(chains))}
        offers = sorted((cost - base, v) for v, cost in costs.items() if cost is not None and v != receipt.vehicle)
        assert [cost for _, cost in receipt.others] == [cost for cost, _ in offers[:3]]
        assert all(costs[v] == base + cost for v, cost in receipt.others)


def test_receipts_of_those_who_set_off_soon_alone() -> None:
    problem, travel = round_of_two()

    def explained(by: int, *, last_moment: bool) -> list[int]:
        return [receipt.request for receipt in plan(problem, travel, explain=Explain(by, last_moment)).receipts]

    # Request 1 at once: pickup at 12, drop at 26, free at 28. Request 0 from then on, or by 100 - 2 - 10 = 88.
    assert explained(27, last_moment=False) == [1] == explained(87, last_moment=True)
    assert explained(28, last_moment=False) == [0, 1] == explained(88, last_moment=True)
    assert explained(-1, last_moment=False) == []


def round_of_two(**fields: object) -> tuple[Problem, Travel]:
    """Stores 0 and 1, drops 2 and 3, one vehicle at 4; every leg takes 10 ticks, entering and leaving 2."""
    base = {
        "trip_rule": TripRule.ONE_STORE_UNTIL_EMPTY, "place": range(5), "enter": 2, "exit": 2,
        "pick_place": [0, 1], "drop_place": [2, 3], "start_place": [4], "slope": 1, "skip_cost": 10_000,
        "ready": [100, 0],
    }  # fmt: skip
    legs = np.full((1, 5, 4), 10, dtype=np.int32)
    return make_problem(**(base | fields)), Travel(legs, np.zeros((0, 0, 0), dtype=np.int32))


def test_what_is_ready_is_fetched_before_what_is_not() -> None:
    problem, travel = round_of_two(pick_place=[0, 0])
    solution = plan(problem, travel)
    # Request 1 first: pickup at 12, drop at 26, free at 28; then request 0, ready at 100.
    assert solution.act_at.tolist()[:3] == [12, 26, 100]


def test_a_vehicle_under_way_keeps_what_it_must() -> None:
    told = [[(0, [(0, 0)]), (2, [(0, 1)])]]
    take = np.zeros((6, 2), dtype=np.int64)
    take[Level.UNDERWAY, 0] = NEVER
    under_way = {
        "before": told, "start_place": [0], "stop_level": [Level.UNDERWAY, Level.TENTATIVE], "take_price": take,
        "act_level": Level.TOLD, "start": [5], "skip_cost": [0, 10_000],
    }  # fmt: skip
    problem, travel = round_of_two(**under_way)
    # Leaving request 0 out costs nothing: without an obligation it goes, but not the stop.
    free = plan(problem, travel)
    assert free.rows.stop_place.tolist()[0] == 0
    assert free.reason.tolist() == [Reason.NO_RIDER_IN_REACH, Reason.SERVED]
    problem, travel = round_of_two(**under_way, must_keep_ptr=[0, 1], must_keep=[0])
    kept = plan(problem, travel)
    assert kept.reason.tolist() == [Reason.SERVED, Reason.SERVED]
    assert audit(problem, travel, kept) == []


def test_a_row_that_cannot_be_driven_stays_as_it_was_told() -> None:
    problem, travel = round_of_two(before=[[(0, [(0, 0)]), (2, [(0, 1)])]], stop_level=Level.TOLD, act_level=Level.TOLD,
                                   take_price=[[0, 0], *[[NEVER, NEVER]] * 5])  # fmt: skip
    travel.ticks[0, 4, 0] = INFINITE
    solution = plan(problem, travel)
    assert solution.rows.act_request.tolist() == [0, 0]
    assert solution.reason.tolist() == [Reason.SERVED, Reason.UNREACHABLE]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"allowed": np.array([[0], [1]], dtype=np.uint64)}, Reason.NEEDS),
        ({"load": [2, 1], "capacity": 1}, Reason.CAPACITY),
        ({"last_pickup": 99}, Reason.SHIFT_END),
        ({"max_on_board": [11, INFINITE]}, Reason.ON_BOARD_LIMIT),
        ({"window": [[[[-INFINITE, 99]], [[-INFINITE, INFINITE]]], [[[-INFINITE, INFINITE]]] * 2]}, Reason.WINDOW),
        ({"skip_cost": [0, 10_000]}, Reason.NO_RIDER_IN_REACH),
    ],
)
def test_the_reason_says_which_law_left_a_request_out(fields: dict[str, object], reason: Reason) -> None:
    problem, travel = round_of_two(**fields)
    solution = plan(problem, travel)
    assert solution.reason.tolist() == [reason, Reason.SERVED]
    assert audit(problem, travel, solution) == []


def test_unreachable_is_a_reason() -> None:
    problem, travel = round_of_two()
    travel.ticks[0, :, 0] = INFINITE
    assert plan(problem, travel).reason.tolist() == [Reason.UNREACHABLE, Reason.SERVED]


def test_no_search_when_time_is_up() -> None:
    problem, travel = random_round(3, requests=12, told=False)
    stopped = plan(problem, travel, budget=Budget(10**9, expired=lambda: True))
    assert stopped.work < 2000
    assert audit(problem, travel, stopped) == []


def test_nothing_to_do() -> None:
    problem, travel = round_of_two(pick_place=[], drop_place=[], ready=[], slope=0, skip_cost=0)
    solution = plan(problem, travel)
    assert solution.cost == 0
    assert len(solution.rows.stop_place) == 0


def test_what_the_planner_for_trips_does_not_know_goes_to_the_other_one() -> None:
    assert isinstance(planner_for(*round_of_two(), seed=1), TripPlanner)
    for fields in (
        {"trip_rule": TripRule.ANY},
        {"drop_place": [2, -1], "slope": 0},
        {"add_price": 1},
        {"take_price": 1},
        {"rank": [1, 2]},
    ):
        problem, travel = round_of_two(**fields)
        assert isinstance(planner_for(problem, travel, seed=1), GeneralPlanner), fields
    problem, travel = round_of_two(drop_place=[2, -1], slope=0)
    assert audit(problem, travel, plan(problem, travel)) == []
    with pytest.raises(Unsupported, match="max_metres"):  # which neither knows beside trips
        plan(*round_of_two(max_metres=10**6))


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.booleans())
def test_who_can_be_where_first_is_the_same_whether_taken_over_or_found_anew(seed: int, late: bool) -> None:
    """Of another plan, and of one in which somebody is free later than before."""
    problem, travel = random_round(seed)
    known = pack(problem, travel, seed)
    other = problem._replace(start=problem.start + 50) if late else problem
    again, anew = pack(other, travel, seed, known), pack(other, travel, seed)
    assert (again.act_at == anew.act_at).all() and (again.free == anew.free).all()
    assert (again.day.near == anew.day.near).all() and (again.day.near_at == anew.day.near_at).all()
    assert (again.act_at is known.act_at) == np.array_equal(anew.free, known.free)
