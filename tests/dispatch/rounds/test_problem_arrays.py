"""A round's arrays: what the operating rules make of what was told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dispatch.errors import InvalidSetting
from dispatch.model import Level, Order
from dispatch.rounds.order_prices import thresholds
from dispatch.rounds.problem_arrays import change_prices, open_behind_the_first
from dispatch.rounds.solve import travel_block
from dispatch.settings.presets import PRESETS
from dispatch.settings.settings import Settings
from routing.problem.build import make_rows
from routing.problem.evaluate import evaluate
from routing.problem.problem import NEVER, TripRule
from tests.kit.world import T0, World


def test_places_told_behind_the_first_are_open_where_stores_may_be_mixed() -> None:
    # Two routes: three told stops (the first under way), and one tentative stop; an empty route between them.
    rows = make_rows([[(0, [(0, 1)]), (1, []), (2, [(1, 0)])], [], [(3, [(2, 0)])]])
    level = np.array([Level.UNDERWAY, Level.TOLD, Level.TOLD, Level.TENTATIVE], dtype=np.int8)
    mixed = Settings()

    def levels(settings: Settings, trip_rule: TripRule = TripRule.ANY) -> list[int]:
        return open_behind_the_first(rows, level, settings.rules, trip_rule).tolist()

    assert levels(mixed) == [Level.UNDERWAY, 0, 0, 0]
    assert levels(mixed, TripRule.ONE_STORE_UNTIL_EMPTY) == level.tolist()
    assert levels(mixed.with_values({"rules.add_orders_until": "told"})) == level.tolist()


def late_and_failed(promise_s: int, **prices: Any) -> tuple[int, int]:
    """Both thresholds of an order placed at 0, by the settings given."""
    settings = Settings.stated({f"prices.{name}": value for name, value in prices.items()})
    return thresholds(Order("o", "s", 0, 0, 0, promise_s), settings.prices)


def test_lateness_counts_from_the_placement_or_from_the_promise() -> None:
    assert late_and_failed(1800) == (2400, 5400)
    assert late_and_failed(1800, late_from="promise") == (1800, 5400)
    assert late_and_failed(1800, late_from="promise", late_before_s=240) == (1560, 5400)
    assert late_and_failed(100, late_from="promise", late_before_s=240) == (0, 5400)  # no sooner than it is placed


@pytest.mark.parametrize("promise_s", [1800, 3600, 5460, 14_400])
def test_a_failure_threshold_that_follows_the_promise_never_meets_the_late_one(promise_s: int) -> None:
    # Counted from the placement it does so for every promise of 90 minutes and more: one second late is a failure.
    assert late_and_failed(promise_s, late_from="promise")[1] == max(promise_s, 5400)
    follows = {"late_from": "promise", "fail_after_promise_s": 3600}
    assert late_and_failed(promise_s, **follows) == (promise_s, promise_s + 3600)
    ramp = {"late_from": "promise", "late_before_s": 240, "fail_after_promise_s": 120}
    assert late_and_failed(promise_s, **ramp) == (promise_s - 240, promise_s + 120)


def test_the_earlier_name_of_a_setting_is_read_for_ever() -> None:
    assert Settings().with_values({"prices.promise": True}).prices.late_from == "promise"
    assert Settings.stated({"prices.promise": "false"}).prices.late_from == "placement"
    assert "prices.promise" not in Settings().flat()
    with pytest.raises(InvalidSetting) as refused:
        Settings().with_values({"prices.promise": "maybe"})
    assert refused.value.details["field"] == "prices.promise"


def test_thresholds_in_the_wrong_order_are_refused_by_name_but_read_from_what_was_written() -> None:
    wrong = {"prices.late_from": "placement", "prices.late_after_s": 6000, "prices.fail_after_s": 5400}
    wrong["prices.fail_after_promise_s"] = 0
    with pytest.raises(InvalidSetting) as refused:
        Settings().with_values(wrong)
    assert refused.value.details["field"] == "prices.late_after_s"
    assert Settings.stated(wrong).prices.late_after_s == 6000
    assert Settings().with_values({"prices.late_after_s": 6000}).prices.late_from == "promise"


@pytest.mark.parametrize(("preset", "second"), [("balanced", 110 + 80_000), ("on_time", 800), ("door", 110)])
@pytest.mark.parametrize("minutes", [20, 91, 240])
def test_the_first_second_beyond_a_promise_of_any_length_costs_what_the_preset_says(
    preset: str, second: int, minutes: int
) -> None:
    world = World(**{key.replace(".", "__"): value for key, value in PRESETS[preset].values.items()})
    world.answers_rounds = False
    world.store("s", 0, 0)
    world.rider("r", 0, 0)
    world.order("o", "s", 300, 0, due_at=T0 + 60 * minutes)
    world.until(60)
    frozen = world.engine.freeze()
    travel = travel_block(frozen, world.times)
    problem, due_in = frozen.problem, T0 + 60 * minutes - frozen.at
    store, door = int(problem.pick_place[0]), int(problem.drop_place[0])
    rows = make_rows([[(store, [(0, 0)]), (door, [(0, 1)])]])
    late_by = [
        evaluate(problem._replace(ready=problem.ready + wait), travel, rows) for wait in range(due_in - 300, due_in)
    ]
    cost = {int(one.act_at[1]) - due_in: one.door_cost for one in late_by}
    assert cost[1] - cost[0] == second, "a failure counted from the placement fell on it: 600,000 more"


@pytest.mark.parametrize("scope", ["any", "same_store"])
def test_a_frozen_round_holds_arrays_and_plain_numbers_alone(scope: str) -> None:
    """An enum among them makes numba type the whole tuple anew at every call: an eighth of a small round's time."""

    def odd(value: Any) -> list[type]:
        if isinstance(value, tuple):
            return [found for part in value for found in odd(part)]
        return [] if type(value) in (int, np.ndarray) else [type(value)]

    world = World(rules__mix=scope)
    world.answers_rounds = False
    world.store("s", 0, 0)
    world.rider("r", 0, 0)
    world.order("o", "s", 300, 0)
    world.until(60)
    frozen = world.engine.freeze()
    assert odd(frozen.problem) == [] and odd(travel_block(frozen, world.times)) == []
    assert odd(frozen.problem._replace(trip_rule=TripRule.ANY)) == [TripRule]


@pytest.mark.parametrize(
    ("add_until", "take_until", "divert", "add", "take_places", "take_orders"),
    [  # by level: tentative, offered, told, under way, at the stop, on board; prices of places 50 and of orders 7
        ("told", "told", False, "0x xx x0", (0, "x", "x", "x", "x", "x"), (0, "x", "x", "x", "x", "x")),
        ("departure", "pickup", True, "0x 0x x0", (0, "x", 50, 150, "x", "x"), (0, "x", 7, 7, 7, "x")),
        ("pickup", "departure", False, "0x 00 00", (0, "x", "x", "x", "x", "x"), (0, "x", 7, "x", "x", "x")),
    ],
)
def test_what_may_change_follows_the_rules_level_by_level(
    add_until: str, take_until: str, divert: bool, add: str, take_places: tuple[Any, ...], take_orders: tuple[Any, ...]
) -> None:
    rules = {"rules.add_orders_until": add_until, "rules.remove_orders_until": take_until, "rules.divert": divert}
    prices = {"prices.change_told_place": 50, "prices.change_told_order": 7}
    found = change_prices(Settings().with_values(rules | prices))

    def read(column: Any) -> tuple[Any, ...]:
        return tuple("x" if price >= NEVER else price for price in column.tolist())

    added = "".join("x" if price == "x" else "0" for price in read(found["add_price"][:, 1]))
    assert added == add.replace(" ", "") and not found["add_price"][:, 0].any()
    assert (read(found["take_price"][:, 0]), read(found["take_price"][:, 1])) == (take_places, take_orders)
