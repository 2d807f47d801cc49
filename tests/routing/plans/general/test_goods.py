"""Goods that may not all ride together: the timed search keeps the law, and finds what trying everything finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import Unsupported
from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.kernels import columns as col
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import make_problem
from routing.problem.evaluate import evaluate
from routing.problem.law import Law
from routing.problem.problem import Mix, Reason, Travel, TripRule
from tests.kit.plans.cases import random_problem
from tests.kit.plans.wide_cases import wide_problem
from tests.routing.plans.test_insertion import assert_found, with_shortest_ways
from tests.routing.plans.test_search import static_problem


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 7), tight=st.sampled_from([0.0, 0.1, 0.4]),
    rule=st.sampled_from(list(TripRule)),
)  # fmt: skip
def test_an_insertion_beside_goods_is_the_cheapest_there_is(seed, requests, tight, rule):
    problem, travel = wide_problem(seed, ["goods"], requests=requests, tight=tight)
    problem, travel = problem._replace(trip_rule=int(rule)), with_shortest_ways(travel)
    if evaluate(problem, travel, problem.before).feasible:
        assert_found(problem, travel, seed % requests)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(2, 9), told=st.booleans())
def test_a_plan_never_mixes_what_may_not_be_mixed(seed, requests, told):
    problem, travel = random_problem(seed, requests=requests, told=told, tight=0.1, gaps=False)
    rng = np.random.default_rng(seed)
    mix = rng.choice(3, (4, 4), p=[0.4, 0.2, 0.4]).astype(np.int8)
    problem = problem._replace(goods=rng.integers(0, 4, requests).astype(np.int32), mix=np.maximum(mix, mix.T))
    if evaluate(problem, travel, problem.before).feasible:
        plan = plan_routes(problem, travel, budget=Budget(300), seed=1)
        assert not audit(problem, travel, plan)


def a_line(mix: Mix, *, stores: tuple[int, int] = (0, 0), places: tuple[int, int] = (1, 1)) -> tuple:
    """Two orders of two classes, one rider, on a line where fetching both before either is brought saves half."""
    ways = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))[None].astype(np.int32)
    problem = make_problem(
        place=np.arange(6), pick_place=places, drop_place=[4, 5], start_place=[0], store=stores, slope=[[1, 1, 1]] * 2,
        skip_cost=10**6, goods=[0, 1], mix=[[1, mix], [mix, 1]], trip_rule=TripRule.ANY,
    )  # fmt: skip
    return problem, Travel(ways, np.zeros((0, 0, 0), dtype=np.int32))


@pytest.mark.parametrize(
    ("mix", "fields", "stops"),
    [
        (Mix.TOGETHER, {}, 3),  # 1, 4, 5
        (Mix.APART, {}, 4),  # 1, 4, 1, 5
        (Mix.ONE_STOP, {}, 3),
        (Mix.ONE_STOP, {"stores": (0, 1)}, 4),
        (Mix.ONE_STOP, {"places": (1, 2)}, 4),  # 1, 4, 2, 5
        (Mix.TOGETHER, {"places": (1, 2)}, 4),  # 1, 2, 4, 5
    ],
)
def test_two_classes_ride_as_the_matrix_says(mix, fields, stops):
    problem, travel = a_line(mix, **fields)
    plan = plan_routes(problem, travel, budget=Budget(200), seed=1)
    assert (plan.reason == Reason.SERVED).all() and len(plan.rows.stop_place) == stops
    assert not audit(problem, travel, plan)


def test_one_who_cannot_ride_beside_what_is_on_board_hears_why():
    problem, travel = a_line(Mix.APART)
    # The first stays on board to the end: nothing that may not ride with it can ever join.
    problem = problem._replace(
        pick_place=np.array([-1, 1], dtype=np.int32), drop_place=np.array([-1, 5], dtype=np.int32),
        aboard_of=np.array([0, -1], dtype=np.int32), slope=np.array([[0, 0, 0], [1, 1, 1]], dtype=np.int64),
    )  # fmt: skip
    plan = plan_routes(problem, travel, budget=Budget(50))
    assert plan.reason.tolist() == [Reason.SERVED, Reason.GOODS]


def test_without_a_rule_that_binds_nothing_is_counted():
    problem, travel = a_line(Mix.TOGETHER)
    tables = gather(problem, travel)
    assert not tables.flag[col.GOODS] and tables.request.shape[1] == col.LOAD + 1
    assert gather(*a_line(Mix.APART)).flag[col.GOODS]


def test_a_plain_problem_with_goods_is_searched_with_time():
    problem, travel = static_problem(3, 6, 2)
    goods = np.arange(6, dtype=np.int32) % 2
    apart = problem._replace(goods=goods, mix=np.array([[1, 0], [0, 1]], dtype=np.int8))
    assert gather(problem, travel).plain and not gather(apart, travel).plain
    plan = plan_routes(apart, travel, budget=Budget(400), seed=2)
    assert not audit(apart, travel, plan)
    assert plan.cost >= plan_routes(problem, travel, budget=Budget(400), seed=2).cost


def test_eight_classes_are_too_many_unless_some_are_treated_alike():
    problem, travel = random_problem(5, requests=8, told=False)
    goods = np.arange(8, dtype=np.int32)
    with pytest.raises(Unsupported) as refused:
        gather(problem._replace(goods=goods, mix=np.eye(8, dtype=np.int8)), travel)
    assert refused.value.details["field"] == "mix"
    mix = np.eye(8, dtype=np.int8)
    mix[6:, 6:] = 1
    assert gather(problem._replace(goods=goods, mix=mix), travel).flag[col.GOODS]


def test_the_twin_sees_what_the_search_must_not_do():
    problem, travel = a_line(Mix.APART)
    together = plan_routes(*a_line(Mix.TOGETHER), budget=Budget(100)).rows
    assert evaluate(problem, travel, together).law == Law.GOODS
