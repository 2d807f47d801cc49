"""The evaluator: hand-timed stops, and agreement with the independent judge on everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.problem.audit import judge
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.law import Law
from routing.problem.problem import INFINITE, NEVER, Level, Travel, TripRule
from routing.problem.validate import check
from tests.kit.plans.cases import random_problem, random_rows

NO_METRES = np.zeros((0, 0, 0), dtype=np.int32)
PICK, DROP = 0, 1


def line(*spots: int) -> Travel:
    """Places on a line, a tick per unit."""
    at = np.array(spots)
    return Travel(np.abs(at[:, None] - at[None, :])[None].astype(np.int32), NO_METRES)


def test_a_stop_enters_waits_acts_exits():
    # start 0 --10--> store: arrive 10, enter 5 -> 15, ready 40 -> act instant 40, act 3, exit 2 -> leave 45
    # --20--> door: arrive 65, enter 5 -> act instant 70, act 4, exit 2 -> leave 76
    problem = make_problem(
        place=[0, 1, 2], enter=[5, 5, 5], exit=[2, 2, 2], pick_place=[1], drop_place=[2], start_place=[0],
        act=[[3, 4]], ready=[40], placed=[-10], slope=[[2, 0, 0]],
    )  # fmt: skip
    timeline = evaluate(problem, line(0, 10, 30), make_rows([[(1, [(0, PICK)]), (2, [(0, DROP)])]]))
    assert timeline.feasible
    assert (timeline.leg.tolist(), timeline.arrive.tolist()) == ([10, 20], [10, 65])
    assert (timeline.act_at.tolist(), timeline.leave.tolist()) == ([40, 70], [45, 76])
    assert timeline.door_cost == 2 * (70 - -10)
    assert timeline.running_cost == 30


def test_acts_of_one_stop_share_enter_exit_and_instant():
    # arrive 10, enter 5; ready 12 and 50: both at 50, acts 3 + 4, exit 2 -> leave 59
    problem = make_problem(
        place=[0, 1, 2], enter=5, exit=2, pick_place=[1, 1], drop_place=[2, 2], start_place=[0],
        act=[[3, 0], [4, 0]], ready=[12, 50],
    )  # fmt: skip
    timeline = evaluate(
        problem, line(0, 10, 30), make_rows([[(1, [(0, PICK), (1, PICK)]), (2, [(0, DROP), (1, DROP)])]])
    )
    assert (timeline.act_at[0], timeline.leave[0]) == (50, 59)


def test_door_price_has_three_slopes_and_two_charges():
    # placed 0, due 10 and 20, delivered at 30: 1 * 10 + 3 * 10 + 7 * 10 + 100 + 1000
    problem = make_problem(
        place=[0, 1], pick_place=[-1], aboard_of=[0], drop_place=[1], start_place=[0], due=[[10, 20]],
        slope=[[1, 3, 7]], late_fixed=[[100, 1000]], per_drive=0,
    )  # fmt: skip
    assert evaluate(problem, line(0, 30), make_rows([[(1, [(0, DROP)])]])).cost == 1210


def test_a_vehicle_that_stands_at_its_first_stop_arrived_in_the_past():
    # arrived at -60, enter 30: inside since -30, but nothing happens before tick 0
    fields = {
        "place": [0, 1], "enter": 30, "pick_place": [0], "drop_place": [1], "start_place": [0], "start": [-60],
        "before": [[(0, [(0, PICK)]), (1, [(0, DROP)])]],
    }  # fmt: skip
    rows = make_rows([[(0, [(0, PICK)]), (1, [(0, DROP)])]])
    standing = make_problem(**fields, stop_level=[Level.AT_STOP, Level.TOLD])
    timeline = evaluate(standing, line(0, 10), rows)
    assert (timeline.arrive[0], timeline.act_at[0], timeline.arrive[1]) == (-60, 0, 10)
    # merely planned: they start to enter now
    planned = make_problem(**fields, stop_level=[Level.TENTATIVE, Level.TENTATIVE])
    assert evaluate(planned, line(0, 10), rows).act_at[0] == 30


def test_work_is_paid_until_the_end_of_the_paid_time_and_waiting_is_not():
    # drive 0-10, wait to 40, act 40-50, drive 50-70; paid until 60: 10 + 10 + 10
    problem = make_problem(
        place=[0, 1, 2], pick_place=[1], drop_place=[2], start_place=[0], act=[[10, 0]], ready=[40], per_work=1,
        per_drive=0, paid_until=60,
    )  # fmt: skip
    timeline = evaluate(problem, line(0, 10, 30), make_rows([[(1, [(0, PICK)]), (2, [(0, DROP)])]]))
    assert timeline.running_cost == 30


@pytest.mark.parametrize(
    ("fields", "law"),
    [
        ({"capacity": 0}, Law.CAPACITY),
        ({"max_on_board": 19}, Law.ON_BOARD),
        ({"last_pickup": 9}, Law.LAST_PICKUP),
        ({"end": 29}, Law.ROUTE_END),
        ({"window": [[[[-5, 9]], [[0, 99]]]]}, Law.WINDOW),
        ({"allowed": [[2**64 - 2]]}, Law.NOT_ALLOWED),
        ({"max_requests": 0}, Law.TRIP),
        ({"max_trips": 0}, Law.TRIP),
        ({}, Law.NONE),
    ],
)
def test_each_law_is_named(fields, law):
    # start -> pick up at 10 -> drop at 30
    problem = make_problem(place=[0, 1, 2], pick_place=[1], drop_place=[2], start_place=[0], **fields)
    rows = make_rows([[(1, [(0, PICK)]), (2, [(0, DROP)])]])
    assert evaluate(problem, line(0, 10, 30), rows).law == law
    assert {violation.code for violation in judge(problem, line(0, 10, 30), rows).violations} == (
        {law.name.lower()} if law else set()
    )


def test_one_store_until_empty():
    fields = {"place": range(5), "pick_place": [1, 2], "drop_place": [3, 4], "start_place": [0]}
    mixed = make_rows([[(1, [(0, PICK)]), (2, [(1, PICK)]), (3, [(0, DROP)]), (4, [(1, DROP)])]])
    chained = make_rows([[(1, [(0, PICK)]), (3, [(0, DROP)]), (2, [(1, PICK)]), (4, [(1, DROP)])]])
    travel = line(0, 1, 2, 3, 4)
    strict = make_problem(**fields, trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY)
    assert evaluate(strict, travel, mixed).law == Law.TRIP
    assert evaluate(strict, travel, chained).feasible
    assert evaluate(make_problem(**fields), travel, mixed).feasible


def test_changes_of_the_told_plan_are_priced():
    # told: go to 1 (TOLD) and pick up request 0, drop it at 3
    fields = {
        "place": range(5), "pick_place": [1, 2], "drop_place": [3, 4], "start_place": [0, 0], "per_drive": 0,
        "skip_cost": 0, "before": [[(1, [(0, PICK)]), (3, [(0, DROP)])], []],
        "stop_level": [Level.TOLD, Level.TENTATIVE], "act_level": [Level.TOLD, Level.TENTATIVE],
    }  # fmt: skip
    add, take = np.zeros((6, 2), dtype=np.int64), np.zeros((6, 2), dtype=np.int64)
    take[Level.TOLD] = [60, 120]
    problem = make_problem(**fields, add_price=add, take_price=take)
    travel = line(0, 1, 2, 3, 4)
    kept = make_rows([[(1, [(0, PICK)]), (3, [(0, DROP)])], []])
    moved = make_rows([[], [(1, [(0, PICK)]), (3, [(0, DROP)])]])
    diverted = make_rows([[(2, [(1, PICK)]), (1, [(0, PICK)]), (3, [(0, DROP)]), (4, [(1, DROP)])], []])
    assert [evaluate(problem, travel, rows).cost for rows in (kept, moved, diverted)] == [0, 180, 60]
    take[Level.TOLD, 0] = NEVER
    locked = make_problem(**fields, add_price=add, take_price=take)
    assert [evaluate(locked, travel, rows).law for rows in (kept, moved, diverted)] == [Law.NONE, Law.TOLD, Law.TOLD]


def test_unreachable_legs_never_wrap_around():
    ticks = np.full((1, 4, 4), INFINITE, dtype=np.int32)
    problem = make_problem(place=range(4), pick_place=[1, 1], drop_place=[2, 3], start_place=[0], end_place=[0])
    rows = make_rows([[(1, [(0, PICK), (1, PICK)]), (2, [(0, DROP)]), (3, [(1, DROP)])]])
    timeline = evaluate(problem, Travel(ticks, NO_METRES), rows)
    assert timeline.law == Law.UNREACHABLE
    assert timeline.arrive.min() == INFINITE


@settings(max_examples=400, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    tight=st.sampled_from([0.0, 0.1, 0.5]),
    rule=st.sampled_from(list(TripRule)),
    sane=st.booleans(),
    requests=st.integers(1, 6),
)
def test_evaluator_and_judge_agree(seed, tight, rule, sane, requests):
    problem, travel = random_problem(seed, tight=tight, rule=rule, requests=requests)
    check(problem, travel)
    rng = np.random.default_rng(seed)
    for rows in (problem.before, random_rows(rng, problem, sane=sane), random_rows(rng, problem, sane=sane)):
        timeline = evaluate(problem, travel, rows)
        verdict = judge(problem, travel, rows)
        codes = {(violation.code, violation.vehicle) for violation in verdict.violations}
        assert timeline.feasible == (not codes)
        if timeline.feasible:
            assert timeline.cost == verdict.cost
        else:
            assert (timeline.law.name.lower(), timeline.vehicle) in codes
