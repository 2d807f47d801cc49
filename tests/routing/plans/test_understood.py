"""What a search does not know it refuses by name; nothing is ignored in silence."""

from __future__ import annotations

import numpy as np
import pytest

from routing.errors import Unsupported
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.plans.trips.planner import plans_trips
from routing.plans.understood import UNDERSTOOD, SearchKind, unknown_fields, used_fields
from routing.problem.build import make_problem
from routing.problem.problem import NO_BREAKS, Breaks, Problem, Reloads, Travel, TripRule

LINE = np.abs(np.arange(5)[:, None] - np.arange(5)[None, :])[None].astype(np.int32)
NONE = np.zeros((0, 0, 0), dtype=np.int32)

WIDER: dict[str, dict] = {
    "rank": {"rank": [0, 1]},
    "load_back": {"load_back": [[0], [1]]},
    "max_drive": {"max_drive": [2**30 - 1, 90]},
    "max_metres": {"max_metres": [2**30 - 1, 90]},
    "max_acts": {"max_acts": [2**30 - 1, 90]},
    "per_task": {"per_task": [0, 1]},
    "per_toll": {"per_toll": [0, 1]},
    "breaks": {"breaks": Breaks([0, 0, 1], [[[0, 9]]], [1], [[9]])},
    "max_duration": {"max_duration": [2**30 - 1, 90]},
    "max_stretch": {"max_stretch": [2**30 - 1, 90]},
    "per_load_km": {"per_load_km": [[0], [1]]},
    "reloads": {"reloads": Reloads([0, 0, 1], [0], [1, 1])},
    "choice": {"choice": [-1, 0]},
    "linked": {"linked": [-1, 0], "drop_place": [3, 1]},
    "goods": {"goods": [0, 1], "mix": [[1, 1], [1, 0]]},
    "group": {"group": [-1, 0], "split_price": [5]},
    "pair_price": {"pair_price": [[0, 0], [0, 1]]},
    "precedence": {"precedence": [[0, 1]]},
    "min_used": {"min_used": 1},
    "max_used": {"max_used": 1},
    "per_longest": {"per_longest": 1},
}
"""Each field where its second row is the first that means something."""
ONLY_ONE = {"precedence", "min_used", "max_used", "per_longest"}


def of(fields: dict, **others: object) -> tuple[Problem, Travel]:
    given = {
        "place": np.arange(5), "pick_place": [1, 3], "drop_place": [3, 4], "start_place": [0, 0], "skip_cost": 1000,
        "trip_rule": TripRule.ANY,
    } | fields | others  # fmt: skip
    return make_problem(**given), Travel(LINE, LINE)


def test_every_field_with_an_empty_default_has_its_row_in_the_table():
    first = Problem._fields.index("rank")
    assert set(UNDERSTOOD) == {*Problem._fields[first:], "drive", "toll"} - {"mix", "split_price"}
    assert set(WIDER) == set(UNDERSTOOD) - {"drive", "toll"}
    assert used_fields(*of({})) == {}
    assert used_fields(of({})[0], Travel(LINE, LINE, LINE, LINE)) == {"drive": 0, "toll": 0}


@pytest.mark.parametrize("name", sorted(WIDER))
def test_a_field_that_means_something_is_seen_with_its_first_row(name):
    assert used_fields(*of(WIDER[name])) == {name: 0 if name in ONLY_ONE else 1}


@pytest.mark.parametrize("name", sorted(WIDER))
def test_what_a_search_does_not_know_it_refuses(name):
    for search, others in ((SearchKind.PLAIN, {}), (SearchKind.TIMED, {"slope": [[1, 1, 1]] * 2})):
        problem, travel = of(WIDER[name], **others)
        if search in UNDERSTOOD[name] or name == "goods":  # with goods even a plain problem is searched with time
            plan_routes(problem, travel, recipe="insertion", budget=Budget(10))
            continue
        with pytest.raises(Unsupported) as refused:
            plan_routes(problem, travel, recipe="insertion", budget=Budget(10))
        assert refused.value.details == {"field": name, "index": 0 if name in ONLY_ONE else 1}
    problem, travel = of(WIDER[name], trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY)
    assert plans_trips(*of({}, trip_rule=TripRule.ONE_STORE_UNTIL_EMPTY))
    assert not plans_trips(problem, travel)


def test_goods_that_vehicles_wait_for_at_the_start_are_seen_where_nobody_reloads():
    waits = {"reloads": Reloads([0, 0, 0], [], [0, 0]), "pick_place": [1, -1]}
    assert used_fields(*of(waits)) == {}
    assert used_fields(*of(waits, ready=[0, 9])) == {"reloads": 0}
    assert used_fields(*of({"pick_place": [1, -1]}, ready=[0, 9])) == {}  # without reloads nobody waits


def test_fields_that_bind_nobody_are_no_fields():
    idle = {
        "choice": [-1, -1], "linked": [-1, -1], "goods": [0, 1], "mix": [[1, 1], [1, 1]], "group": [0, 1],
        "split_price": [0, 0], "pair_price": [[0, 0], [0, 0]], "per_load_km": 0, "max_used": 2, "breaks": NO_BREAKS,
    }  # fmt: skip
    problem, travel = of(idle)
    assert not unknown_fields(problem, travel, SearchKind.TRIPS)
