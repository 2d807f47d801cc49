"""Rows of which at most one is served, and prices of pairs: lawful, exact, and as good as trying everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs.snapshots import make_snapshot
from benchmarks.kinds.round_time import with_alternatives
from benchmarks.small.kinds import small_problem
from benchmarks.small.optimum import optimum
from routing.errors import Unsupported
from routing.plans.budget import Budget
from routing.plans.general import search
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes, to_rows
from routing.plans.general.kernels.moves import may_serve, plan_price
from routing.plans.general.tables import Kind
from routing.plans.general.work import new_work
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.law import Law
from routing.problem.problem import Level, Problem, Reason, Travel, TripRule
from tests.kit.plans.wide_cases import wide_problem
from tests.routing.plans.general.test_clusters import assert_cut_well
from tests.routing.plans.general.test_receipts import without
from tests.routing.plans.general.test_regret import assert_alike
from tests.routing.plans.test_insertion import cheapest_by_trying, with_shortest_ways

BOTH = ("choice", "pair_price")
NONE = np.zeros((0, 0, 0), dtype=np.int32)


def two_stores(**fields: object) -> tuple[Problem, Travel]:
    """One order of the store at 1 or the one at 3, for the door at 4, and a rider at 0, on a line."""
    ways = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))[None].astype(np.int32)
    given = {
        "place": np.arange(6), "pick_place": [1, 3], "drop_place": [4, 4], "start_place": [0], "slope": [[1, 1, 1]] * 2,
        "per_drive": 1, "skip_cost": 1000, "choice": [0, 0], "trip_rule": TripRule.ANY,
    }  # fmt: skip
    return make_problem(**(given | fields)), Travel(ways, NONE)


def served(problem: Problem, travel: Travel, **how: object) -> tuple[list[int], int]:
    plan = plan_routes(problem, travel, budget=Budget(200), **how)
    assert not audit(problem, travel, plan)
    return sorted(set(plan.rows.act_request.tolist())), plan.cost


def test_the_cheapest_row_is_served():
    assert served(*two_stores()) == ([0], 8)  # the first of equals: four ticks driven, four waited
    assert served(*two_stores(ready=[3, 0])) == ([1], 8)  # ready late costs two ticks of waiting
    assert served(*two_stores(pair_price=[[5], [0]])) == ([1], 8)
    assert served(*two_stores(pair_price=[[5], [6]])) == ([0], 13)


def test_what_is_left_out_counts_once_and_says_why():
    problem, travel = two_stores(skip_cost=7)
    plan = plan_routes(problem, travel, budget=Budget(50))
    assert (plan.cost, plan.reason.tolist()) == (7, [Reason.NO_RIDER_IN_REACH] * 2)
    plan = plan_routes(*two_stores(), budget=Budget(50))
    assert plan.reason.tolist() == [Reason.SERVED, Reason.CHOICE]


def test_each_vehicle_has_its_own_price():
    riders = {"start_place": [0, 0], "choice": [-1, -1], "drop_place": [4, 5]}
    problem, travel = two_stores(**riders, pair_price=[[9, 0], [0, 9]])
    plan = plan_routes(problem, travel, budget=Budget(200))
    assert not audit(problem, travel, plan)
    assert [set(plan.rows.act_request[2 * v : 2 * v + 2].tolist()) for v in (0, 1)] == [{1}, {0}]


def test_a_told_row_is_left_where_that_pays_its_price():
    told = make_rows([[(1, [(0, 0)]), (4, [(0, 1)])]])
    take = np.zeros((6, 2))
    take[Level.TOLD, 1] = 3
    before = {"before": told, "stop_level": [Level.TOLD] * 2, "act_level": [Level.TOLD] * 2, "take_price": take}
    assert served(*two_stores(**before, pair_price=[[2], [0]])) == ([0], 10)  # two more are less than three
    assert served(*two_stores(**before, pair_price=[[4], [0]])) == ([1], 11)


def test_of_two_told_rows_of_a_choice_one_stays():
    told = make_rows([[(1, [(0, 0)]), (3, [(1, 0)]), (4, [(0, 1), (1, 1)])]])
    problem, travel = two_stores(before=told, stop_level=[0] * 3, act_level=[0] * 4)
    assert evaluate(problem, travel, told).law == Law.CHOICE
    assert served(problem, travel) == ([0], 8)


def test_a_receipt_names_what_another_row_would_have_cost():
    problem, travel = two_stores(start_place=[0, 2], pair_price=[[0, 9], [9, 9]])
    (receipt,) = plan_routes(problem, travel, budget=Budget(200), explain=[0, 1]).receipts
    # By the first: 4 driven, 4 waited.  Row 1 by the second, from 2: 2 driven, 2 waited, and its price of 9.
    assert (receipt.request, receipt.vehicle, receipt.added_cost) == (0, 0, 8)
    assert receipt.instead == ((1, 1, 13),)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 8), tight=st.sampled_from([0.0, 0.1, 0.5]),
    rule=st.sampled_from(list(TripRule)), fields=st.sampled_from([BOTH, BOTH[:1], BOTH[1:]]),
    degree=st.integers(1, 3),
)  # fmt: skip
def test_the_search_keeps_choices_and_prices_as_the_evaluator(seed, requests, tight, rule, fields, degree):
    problem, travel = wide_problem(seed, fields, requests=requests, tight=tight)
    problem = problem._replace(trip_rule=int(rule))
    if not evaluate(problem, travel, problem.before).feasible:
        return
    tables, work = gather(problem, travel), new_work(gather(problem, travel), seed % 1000)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work, degree=degree)
    first = evaluate(problem, travel, to_rows(tables, routes))
    assert first.feasible
    assert first.cost == plan_price(tables, routes)
    best = search.improve(tables, routes, work, Budget(1500), fleet=False)
    last = evaluate(problem, travel, to_rows(tables, best))
    assert last.feasible
    assert last.cost == work.cost[1] <= first.cost
    live = np.flatnonzero((routes.vehicle >= 0) | (tables.kind == Kind.STAYING))
    live = np.concatenate([live, routes.absent[: routes.missing[0]]])
    assert sorted(tables.choice[live]) == np.unique(tables.choice).tolist()  # of each choice one row, served or absent


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 8), rich=st.booleans())
def test_a_plan_passes_the_audit_whatever_else_is_asked(seed, requests, rich):
    problem, travel = wide_problem(seed, BOTH, requests=requests, rich=rich)
    told = evaluate(problem, travel, problem.before)
    if not told.feasible:
        return
    solution = plan_routes(problem, travel, budget=Budget(500), seed=seed, explain=range(requests))
    assert audit(problem, travel, solution) == []
    assert (solution.rank, solution.cost) <= (told.rank, told.cost)


@pytest.mark.parametrize("seed", range(20))
def test_small_problems_are_solved_to_their_optimum(seed):
    one = small_problem("with alternatives", seed)
    plan = plan_routes(one.problem, one.travel, budget=Budget(4000), seed=1)
    assert not audit(one.problem, one.travel, plan)
    assert (plan.rank, plan.cost) == optimum(one.problem, one.travel)


@pytest.mark.parametrize("seed", range(20))
def test_regret_prices_every_row_anew_before_every_choice(seed):
    assert_alike(*wide_problem(seed, BOTH, requests=9, tight=0.2), 2)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 9), tight=st.sampled_from([0.0, 0.2]))
def test_a_cluster_holds_choices_whole(seed, requests, tight):
    assert_cut_well(*wide_problem(seed, BOTH, requests=requests, tight=tight), seed)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 7))
def test_receipts_of_other_rows_are_what_trying_everything_finds(seed, requests):
    problem, travel = wide_problem(seed, BOTH, requests=requests, tight=0.1)
    travel = with_shortest_ways(travel)
    if not evaluate(problem, travel, problem.before).feasible:
        return
    solution = plan_routes(problem, travel, budget=Budget(300), seed=seed, explain=range(requests))
    problem = problem._replace(must_keep_ptr=np.zeros_like(problem.must_keep_ptr), must_keep=problem.must_keep[:0])
    for receipt in solution.receipts:
        tables, routes, _ = without(problem, travel, solution.rows, receipt.request)
        found = {}
        for row in np.flatnonzero((problem.choice >= 0) & (problem.choice == problem.choice[receipt.request])).tolist():
            if row == receipt.request:
                continue
            costs = [
                cheapest_by_trying(problem, travel, tables, routes, row, vehicle)
                for vehicle in range(len(problem.start_place)) if may_serve(tables, row, vehicle)
            ]  # fmt: skip
            found[row] = min((cost for cost in costs if cost is not None), default=None)
        dearer = receipt.added_cost - solution.cost
        prices = sorted(cost + dearer for cost in found.values() if cost is not None)
        assert [price for _, _, price in receipt.instead] == prices[:3]
        assert all(found[row] + dearer == price for row, _, price in receipt.instead)


def test_a_round_searched_in_clusters_serves_every_order_once():
    riders, orders = 60, 160
    plain, travel = make_snapshot(riders, orders, 3)
    problem = with_alternatives(plain, travel, orders, 3, 1, 3)
    tables = gather(problem, travel)
    work = new_work(tables, 1)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    assert search._largest_cluster(search.Annealing(tables, routes, work, Budget(100_000), None)) > 0
    plan = plan_routes(problem, travel, objective="cost", budget=Budget(100_000), seed=1)
    assert not audit(problem, travel, plan)
    alone = plan_routes(plain, travel, objective="cost", budget=Budget(100_000), seed=1)
    assert plan.cost < alone.cost


def test_a_shop_that_nobody_may_serve_leaves_the_other():
    problem, travel = two_stores(last_pickup=2, ready=[3, 0], start_place=[2])
    assert served(problem, travel)[0] == [1]


def test_choices_of_one_row_and_prices_of_nothing_change_no_step():
    plain, travel = two_stores(choice=np.zeros(0), drop_place=[4, 5])
    idle = plain._replace(choice=np.array([0, 1], dtype=np.int32), pair_price=np.zeros((2, 1), dtype=np.int64))
    plans = [plan_routes(one, travel, budget=Budget(300), seed=2) for one in (plain, idle)]
    assert plans[0].work == plans[1].work
    assert plans[0].cost == plans[1].cost
    assert all((a == b).all() for a, b in zip(plans[0].rows, plans[1].rows, strict=True))


@pytest.mark.parametrize("beside", [{"max_used": 0}, {"per_longest": 1}])
def test_a_choice_beside_a_law_of_the_whole_plan_is_refused_by_name(beside):
    with pytest.raises(Unsupported, match=f"choice beside {next(iter(beside))}") as refused:
        plan_routes(*two_stores(**beside), budget=Budget(10))
    assert refused.value.details == {"field": "choice", "index": 0}
