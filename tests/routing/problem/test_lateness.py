"""Late and failed to the tick: the evaluator, the judge and both searches price one delivery as a plain sum does."""

from __future__ import annotations

import numpy as np
import pytest

from routing.plans.budget import Budget
from routing.plans.plan import RECIPES, plan_routes
from routing.problem.audit import judge
from routing.problem.build import make_problem, make_rows
from routing.problem.evaluate import evaluate
from routing.problem.kernels.door import door_price, door_slopes, door_steps
from routing.problem.problem import Problem, Solution, Travel, TripRule

LEG, PLACED = 10, -50


def plain_price(at: int, due: tuple[int, int], slope: tuple[int, int, int], charge: tuple[int, int]) -> int:
    """Tick by tick: what each costs, and the charge of each threshold that is passed."""
    price = 0
    for tick in range(PLACED + 1, at + 1):
        price += slope[0] if tick <= due[0] else slope[1] if tick <= due[1] else slope[2]
    return price + sum(fee for fee, instant in zip(charge, due, strict=True) if at > instant)


def delivered_at(at: int, rule: TripRule, **prices: object) -> tuple[Problem, Travel]:
    """One order that can be handed over at tick `at` and no sooner."""
    problem = make_problem(
        trip_rule=rule, pick_place=[0], drop_place=[1], start_place=[0], placed=[PLACED], ready=[at - LEG],
        place=np.arange(2), per_drive=[0], per_work=[0], **prices,
    )  # fmt: skip
    return problem, Travel(np.full((1, 2, 2), LEG, dtype=np.int32), np.zeros((0, 0, 0), dtype=np.int32))


def planned(problem: Problem, travel: Travel) -> list[Solution]:
    """The order's plan by every recipe."""
    return [plan_routes(problem, travel, recipe=recipe, budget=Budget(20)) for recipe in RECIPES]


def test_the_law_of_the_searches_is_a_plain_sum_too() -> None:
    rng = np.random.default_rng(6)
    for _ in range(300):
        # Thresholds may lie before the placement, and the delivery before it as well.
        due = tuple(sorted(rng.integers(PLACED - 40, 120, 2).tolist()))
        slope, charge = tuple(rng.integers(0, 9, 3).tolist()), tuple(rng.integers(0, 500, 2).tolist())
        at = int(rng.integers(PLACED - 40, 150))
        assert door_price(at, PLACED, *due, *slope, *charge) == plain_price(at, due, slope, charge)


def test_what_a_delay_adds_is_what_the_law_says_of_both_instants() -> None:
    """In 32 bits, with what a block keeps: the slope, its rises, how far both thresholds are passed."""
    rng = np.random.default_rng(7)
    for _ in range(500):
        due = sorted(rng.integers(PLACED, 120, 2).tolist())
        slope, fees = rng.integers(0, 9, 3).tolist(), rng.integers(0, 500, 2).tolist()
        at, late = int(rng.integers(PLACED, 150)), int(rng.integers(-60, 90))
        late = max(late, PLACED - at)  # not before it was placed, where the law knows no slope
        over, then, pay = np.int32(at - due[0]), np.int32(at - due[1]), np.array([*slope, *fees], dtype=np.int32)
        added = door_slopes(np.int32(late), over, pay[0], pay[1] - pay[0])
        added += door_steps(np.int32(late), over, then, pay[2] - pay[1], pay[3], pay[4])
        before, after = (door_price(tick, PLACED, *due, *slope, *fees) for tick in (at, at + late))
        assert added == after - before


@pytest.mark.parametrize("rule", [TripRule.ANY, TripRule.ONE_STORE_UNTIL_EMPTY])
def test_a_threshold_is_passed_one_tick_behind_it(rule: TripRule) -> None:
    rng = np.random.default_rng(5)
    for _ in range(12):
        # Slopes need not rise: on a ramp the price is steep around the promise and flat behind it.
        due = tuple(sorted(rng.integers(LEG, 200, 2).tolist()))
        slope, charge = tuple(rng.integers(0, 9, 3).tolist()), tuple(rng.integers(0, 500, 2).tolist())
        for at in (due[0] - 1, due[0], due[0] + 1, due[1], due[1] + 1):
            if at < LEG:
                continue
            problem, travel = delivered_at(at, rule, due=[due], slope=[slope], late_fixed=[charge])
            price = plain_price(at, due, slope, charge)
            rows = make_rows([[(0, [(0, 0)]), (1, [(0, 1)])]])
            assert evaluate(problem, travel, rows).door_cost == price
            assert judge(problem, travel, rows) == ([], price, 0)
            for solution in planned(problem, travel):
                assert solution.act_at.tolist()[1:] == [at] and solution.cost == price


@pytest.mark.parametrize("recipe", ["ortools", "lns+ortools"])
@pytest.mark.parametrize("rule", [TripRule.ANY, TripRule.ONE_STORE_UNTIL_EMPTY])
def test_what_or_tools_proposes_is_priced_with_its_charges(rule: TripRule, recipe: str) -> None:
    # Two orders that one vehicle can bring in time and the other cannot: 60,000 for passing the promise by a tick.
    problem = make_problem(
        trip_rule=rule, pick_place=[0, 1], drop_place=[2, 3], start_place=[4, 5], due=[[31, 500], [31, 500]],
        slope=[[1, 1, 1]] * 2, late_fixed=[[60_000, 0]] * 2, per_drive=[1, 1], per_work=[0, 0], place=np.arange(6),
    )  # fmt: skip
    ticks = np.full((1, 6, 4), 30, dtype=np.int32)
    ticks[0, 4, 0] = ticks[0, 5, 1] = ticks[0, 0, 2] = ticks[0, 1, 3] = 15
    travel = Travel(ticks, np.zeros((0, 0, 0), dtype=np.int32))
    solution = plan_routes(problem, travel, recipe=recipe, budget=Budget(200), seed=1)  # type: ignore[arg-type]
    assert judge(problem, travel, solution) == ([], solution.cost, 0)
    assert solution.cost == 2 * 30 + 4 * 15, "both in time, the nearer vehicle each"
