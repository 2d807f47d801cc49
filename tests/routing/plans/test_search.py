"""The general search: legal, priced as the evaluator prices, never dearer than what was told, the same every time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.errors import InvalidInput
from routing.plans.budget import Budget
from routing.plans.general.gather import gather
from routing.plans.general.insert import insert_absent, start_routes, to_rows
from routing.plans.general.kernels import columns as col
from routing.plans.general.kernels.moves import plan_price
from routing.plans.general.search import improve
from routing.plans.general.work import new_work
from routing.plans.ortools.polish import polish
from routing.plans.ortools.polish_routes import RouteModel
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.build import allow, make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, Level, Problem, Reason, Rows, Travel, TripRule
from tests.kit.plans.cases import random_problem

NO_METRES = np.zeros((0, 0, 0), dtype=np.int32)


def static_problem(seed: int, requests: int, vehicles: int, *, fixed: int = 0) -> tuple[Problem, Travel]:
    """Points in a square with windows and loads, a depot, and straight travel: what plain insertion is for."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 100, (2 * requests + 1, 2))
    apart = at[:, None] - at[None]
    ticks = np.ceil(np.sqrt((apart * apart).sum(axis=2))).astype(np.int32)[None]
    opens = rng.integers(0, 400, (requests, 2, 1, 1))
    problem = make_problem(
        place=np.arange(2 * requests + 1),
        pick_place=1 + np.arange(requests), drop_place=1 + requests + np.arange(requests),
        start_place=np.zeros(vehicles), end_place=np.zeros(vehicles), load=rng.integers(1, 6, requests), capacity=9,
        act=rng.integers(0, 9, (requests, 2)), window=np.concatenate([opens, opens + 300], axis=3), fixed=fixed,
        end=1200,
    )  # fmt: skip
    return problem, Travel(ticks, NO_METRES)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 8), tight=st.sampled_from([0.0, 0.1, 0.5]),
    rule=st.sampled_from(list(TripRule)), told=st.booleans(), degree=st.integers(1, 3),
)  # fmt: skip
def test_search_is_legal_and_prices_as_the_evaluator(seed, requests, tight, rule, told, degree):
    problem, travel = random_problem(seed, requests=requests, tight=tight, rule=rule, told=told)
    tables = gather(problem, travel)
    work = new_work(tables, seed % 1000)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work, degree=degree)
    before = evaluate(problem, travel, to_rows(tables, routes))
    if not evaluate(problem, travel, problem.before).feasible:
        return
    assert before.feasible
    assert before.cost == plan_price(tables, routes)
    best = improve(tables, routes, work, Budget(1500), fleet=False)
    after = evaluate(problem, travel, to_rows(tables, best))
    assert after.feasible
    assert after.cost == work.cost[1] <= before.cost


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), requests=st.integers(1, 7), tight=st.sampled_from([0.0, 0.2]))
def test_a_plan_passes_the_audit_and_is_no_dearer_than_the_told_one(seed, requests, tight):
    problem, travel = random_problem(seed, requests=requests, tight=tight)
    told = evaluate(problem, travel, problem.before)
    solution = plan_routes(problem, travel, budget=Budget(800), seed=seed, explain=range(requests))
    if told.feasible:
        assert audit(problem, travel, solution) == []
        assert solution.cost <= told.cost


@pytest.mark.parametrize("seed", range(4))
def test_the_same_work_gives_the_same_plan(seed):
    problem, travel = static_problem(seed, 12, 6)
    first = plan_routes(problem, travel, budget=Budget(5000), seed=seed)
    again = plan_routes(problem, travel, budget=Budget(5000), seed=seed)
    assert first.cost == again.cost
    assert all((a == b).all() for a, b in zip(first.rows, again.rows, strict=True))
    assert first.work == again.work


def test_better_plans_are_told_in_falling_order():
    problem, travel = static_problem(5, 20, 8)
    seen: list[int] = []

    def tell(rows: Rows) -> None:
        seen.append(evaluate(problem, travel, rows).cost)

    solution = plan_routes(problem, travel, budget=Budget(60_000), objective="cost", on_better=tell)
    assert seen
    assert seen == sorted(seen, reverse=True)
    assert solution.cost == seen[-1]


def test_vehicles_are_saved_before_distance():
    # Four requests side by side, far from the depot; each vehicle can take them all.
    problem = make_problem(
        place=range(9), pick_place=[1, 2, 3, 4], drop_place=[5, 6, 7, 8], start_place=[0] * 4, end_place=[0] * 4,
        fixed=10**6,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    travel = Travel(rng.integers(50, 90, (1, 9, 9)).astype(np.int32), NO_METRES)
    solution = plan_routes(problem, travel, budget=Budget(20_000))
    assert (np.diff(solution.rows.stop_ptr) > 0).sum() == 1
    assert audit(problem, travel, solution) == []


def best_by_trying_everything(problem: Problem, travel: Travel) -> int:
    """Cheapest legal plan over all assignments and all sequences: the slow, obvious oracle."""
    requests, vehicles = len(problem.pick_place), len(problem.start_place)
    best = 2**62
    for owner in itertools.product(range(-1, vehicles), repeat=requests):
        plans = []
        for vehicle in range(vehicles):
            nodes = [(r, side) for r in range(requests) if owner[r] == vehicle for side in (0, 1)]
            orders = [
                o for o in itertools.permutations(nodes) if all(o.index((r, 0)) < o.index((r, 1)) for r, _ in nodes)
            ]
            plans.append(orders)
        for plan in itertools.product(*plans):
            places = (problem.pick_place, problem.drop_place)
            rows = make_rows([[(int(places[side][r]), [(r, side)]) for r, side in route] for route in plan])
            timeline = evaluate(problem, travel, rows)
            if timeline.feasible:
                best = min(best, timeline.cost)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_small_problems_are_solved_exactly(seed):
    problem, travel = static_problem(seed, 3, 2)
    if seed % 2:  # soft promises move the plain problem into the timed search
        problem = problem._replace(slope=np.full((3, 3), 2, dtype=np.int64))
    solution = plan_routes(problem, travel, budget=Budget(20_000), objective="cost")
    assert solution.cost == best_by_trying_everything(problem, travel)


def small(**fields: object) -> tuple[Problem, Travel]:
    """One request from 1 to 2 on a line, one vehicle at 0: ten ticks a leg."""
    ticks = np.array([[[0, 10, 20], [10, 0, 10], [20, 10, 0]]], dtype=np.int32)
    return make_problem(place=range(3), pick_place=[1], drop_place=[2], start_place=[0], **fields), Travel(
        ticks, NO_METRES
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, Reason.SERVED),
        ({"allowed": allow(np.zeros((1, 1), dtype=np.bool_))}, Reason.NEEDS),
        ({"last_pickup": 5}, Reason.SHIFT_END),
        ({"end": 15}, Reason.SHIFT_END),
        ({"window": [[[[0, 5]], [[0, 99]]]]}, Reason.WINDOW),
        ({"max_on_board": 5}, Reason.ON_BOARD_LIMIT),
        ({"skip_cost": 3}, Reason.NO_RIDER_IN_REACH),
    ],
)
def test_what_is_left_out_has_a_reason(fields, reason):
    problem, travel = small(**fields)
    assert plan_routes(problem, travel, budget=Budget(500)).reason.tolist() == [reason]


def test_no_way_is_a_reason_too():
    problem, travel = small()
    travel.ticks[0, :, 1] = INFINITE
    assert plan_routes(problem, travel, budget=Budget(500)).reason.tolist() == [Reason.UNREACHABLE]


def test_a_receipt_names_the_next_best_vehicles():
    # riders at 0, 10 and 30 ticks from the store at place 3, the door 5 further on
    ticks = np.zeros((1, 5, 5), dtype=np.int32)
    ticks[0, :3, 3] = [0, 10, 30]
    ticks[0, 3, 4] = 5
    problem = make_problem(place=range(5), pick_place=[3], drop_place=[4], start_place=[0, 1, 2])
    solution = plan_routes(problem, Travel(ticks, NO_METRES), budget=Budget(500), explain=[0])
    assert solution.receipts[0][:4] == (0, 0, 5, ((1, 15), (2, 35)))


def test_a_rider_is_not_diverted_from_the_stop_he_is_moving_to():
    # they are one tick from store 1; another order at store 2 is nearer to its door, yet they arrive first
    problem = make_problem(
        place=range(5), pick_place=[1, 2], drop_place=[3, 4], start_place=[0], before=[[(1, [(0, 0)]), (3, [(0, 1)])]],
        stop_level=[Level.UNDERWAY, Level.TOLD], act_level=[Level.UNDERWAY, Level.TOLD],
        slope=[[1, 1, 1], [50, 50, 50]],
        take_price=[[0, 0], [0, 0], [0, 0], [2**62, 2**62], [2**62, 2**62], [0, 2**62]],
    )  # fmt: skip
    ticks = np.full((1, 5, 5), 9, dtype=np.int32)
    solution = plan_routes(problem, Travel(ticks, NO_METRES), budget=Budget(3000))
    assert solution.rows.stop_place[0] == 1
    assert (solution.reason == 0).all()


def test_nobody_passes_a_door_again_where_the_sum_of_two_rounded_ways_is_shorter():
    # under way to door 1, then door 2, then door 3; back over door 1 the last way is a tick shorter than straight
    ticks = np.full((1, 4, 4), 50, dtype=np.int32)
    ticks[0, [0, 1, 2, 1], [1, 2, 1, 3]] = [9, 5, 5, 5]
    ticks[0, 2, 3] = 11
    problem = make_problem(
        place=range(4), pick_place=[-1, -1, -1], drop_place=[1, 2, 3], aboard_of=[0, 0, 0], start_place=[0],
        per_drive=7, before=[[(1, [(0, 1)]), (2, [(1, 1)]), (3, [(2, 1)])]], stop_level=[Level.UNDERWAY, 0, 0],
        act_level=[Level.UNDERWAY, 0, 0], slope=[[3, 3, 3], [2, 2, 2], [1, 1, 1]],
        take_price=[[0, 0], [0, 0], [0, 0], [2**62, 2**62], [2**62, 2**62], [0, 2**62]],
    )  # fmt: skip
    travel = Travel(ticks, NO_METRES)
    found = plan_routes(problem, travel, budget=Budget(3000))
    assert found.rows.stop_place.tolist() == [1, 2, 3]
    detour = make_rows([[(1, [(0, 1)]), (2, [(1, 1)]), (1, []), (3, [(2, 1)])]])
    assert evaluate(problem, travel, detour).cost < found.cost == evaluate(problem, travel, found.rows).cost


def test_orders_at_one_store_share_its_stop():
    problem = make_problem(
        place=range(4), enter=[0, 30, 0, 0], pick_place=[1, 1], drop_place=[2, 3], start_place=[0], per_work=1,
    )  # fmt: skip
    ticks = np.full((1, 4, 4), 9, dtype=np.int32)
    solution = plan_routes(problem, Travel(ticks, NO_METRES), budget=Budget(3000))
    assert solution.rows.stop_place.tolist()[0] == 1
    assert np.diff(solution.rows.act_ptr)[0] == 2


def test_unknown_recipes_are_refused():
    problem, travel = small()
    with pytest.raises(InvalidInput, match="recipe"):
        plan_routes(problem, travel, recipe="magic", budget=Budget(1))  # type: ignore[arg-type]


def test_neighbours_are_near_in_time_too():
    # Pickup 1 is one tick from pickup 0 but 989 ticks later: 1 + 989 // 5 = 198; pickup 2 is 50 away and in time.
    ticks = np.full((1, 7, 7), 900, dtype=np.int32)
    ticks[0, [1, 2], [2, 1]] = 1
    ticks[0, [1, 3], [3, 1]] = 50
    window = np.tile(np.array([0, 5000], dtype=np.int32), (3, 2, 1, 1))
    window[:, 0, 0] = [[0, 10], [1000, 1010], [40, 100]]
    problem = make_problem(
        place=range(7), pick_place=[1, 2, 3], drop_place=[4, 5, 6], start_place=[0], window=window,
    )  # fmt: skip
    assert gather(problem, Travel(ticks, NO_METRES)).near[0, :3].tolist() == [0, 4, 2]


def test_work_is_counted_not_timed():
    problem, travel = static_problem(1, 10, 5)
    tables = gather(problem, travel)
    work = new_work(tables, 0)
    routes = start_routes(problem, tables, work)
    insert_absent(tables, routes, work)
    begun = int(work.counter[col.INSERTIONS])
    improve(tables, routes, work, Budget(1000), fleet=False)
    # the last iteration is finished: at most every request tried in every vehicle once more
    assert 1000 <= work.counter[col.INSERTIONS] - begun <= 1000 + 10 * 5 + 1


@pytest.mark.parametrize("recipe", ["ortools", "lns+ortools"])
def test_or_tools_polishes_and_is_judged(recipe):
    problem, travel = static_problem(3, 8, 4)
    base = plan_routes(problem, travel, recipe="insertion", budget=Budget(10))
    solution = plan_routes(problem, travel, recipe=recipe, objective="cost", budget=Budget(100))
    assert audit(problem, travel, solution) == []
    assert solution.cost <= base.cost


def test_the_model_finds_what_a_poor_plan_missed():
    problem, travel = static_problem(3, 6, 3)
    problem = problem._replace(
        window=np.broadcast_to(np.array([0, 10_000], dtype=np.int32), (6, 2, 1, 2)).copy(),
        end=np.full(3, 10_000, dtype=np.int32),
    )
    routes: list[list[tuple[int, list[tuple[int, int]]]]] = [[], [], []]
    for request in range(6):
        routes[request % 3] += [
            (int(problem.pick_place[request]), [(request, 0)]), (int(problem.drop_place[request]), [(request, 1)]),
        ]  # fmt: skip
    poor = make_rows(routes)
    before = evaluate(problem, travel, poor)
    assert before.feasible
    better, work = polish(problem, travel, poor, Budget(1), RouteModel(problem, travel))
    after = evaluate(problem, travel, better)
    assert work == 12 * 3
    assert after.feasible
    assert after.cost < before.cost


def test_what_nobody_can_carry_is_left_out_with_a_reason_and_costs_no_other_request() -> None:
    problem = make_problem(
        pick_place=[0, 0], drop_place=[1, 2], start_place=[0], load=[6, 1], capacity=[5], place=np.arange(3)
    )
    travel = Travel(np.ones((1, 3, 3), dtype=np.int32), NO_METRES)
    assert plan_routes(problem, travel, budget=Budget(50)).reason.tolist() == [Reason.CAPACITY, Reason.SERVED]
