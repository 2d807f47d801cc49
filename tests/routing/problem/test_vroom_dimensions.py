"""Load dimensions with names: amounts by name mean what lists mean, and messages say the names."""

from __future__ import annotations

from typing import Any

import pytest

from routing.errors import InvalidInput
from routing.problem.audit import audit
from routing.problem.build import make_problem, make_rows
from routing.problem.formats.vroom_judge import faults
from tests.kit.plans.vroom_answers import answer
from tests.routing.problem.test_wider_laws import TRAVEL

LINE = [[abs(a - b) * 10 for b in range(3)] for a in range(3)]


def an_input(first: Any, second: Any, capacity: Any, **more: Any) -> dict[str, Any]:
    """Two jobs on a line and a vehicle for one of them."""
    return {
        "vehicles": [{"id": 7, "start_index": 0, "end_index": 0, "capacity": capacity}],
        "jobs": [
            {"id": 1, "location_index": 1, "delivery": first, "priority": 3},
            {"id": 2, "location_index": 2, "delivery": second},
        ],
        "matrices": {"car": {"durations": LINE}},
    } | more


def test_amounts_by_name_are_those_by_place():
    named = an_input({"litres": 4}, {"kg": 2, "litres": 3}, {"litres": 6, "kg": 9}, dimensions=["kg", "litres"])
    listed = an_input([0, 4], [2, 3], [9, 6])
    said = answer(named)
    assert [(one["type"], one["id"]) for one in said["unassigned"]] == [("job", 2)]
    assert said["routes"][0]["steps"][0]["load"] == [0, 4]
    assert said["routes"] == answer(listed)["routes"]
    assert faults(named, said) == []
    # The judge of answers reads names too.
    tight = an_input({"litres": 4}, {"kg": 2}, {"litres": 3, "kg": 9}, dimensions=["kg", "litres"])
    assert faults(tight, said) != []


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (an_input({"m3": 1}, [1], [1], dimensions=["kg"]), "jobs[0].delivery.m3", "kg"),
        (an_input({"kg": 1}, [1], [1]), "jobs[0].delivery.kg", "none is named"),
        (an_input([1, 2], [1, 2], [1, 2], dimensions=["kg"]), "jobs[0].delivery", "kg"),
        (an_input({"kg": 1}, {}, {"kg": 1}, dimensions=["kg", "litres"]), "vehicles[0].capacity", "nothing of litres"),
        (an_input({"kg": -1}, {}, {"kg": 1}, dimensions=["kg"]), "jobs[0].delivery.kg", "whole number"),
        (an_input([1], [1], [1], dimensions=["kg", "kg"]), "dimensions", "different"),
        (an_input([1], [1], [1], dimensions="kg"), "dimensions", "list"),
    ],
)
def test_names_that_cannot_be_are_refused_by_path(data, path, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        answer(data)
    assert refused.value.details["field"] == path


def test_the_audit_says_the_name():
    problem = make_problem(
        place=range(5), pick_place=[1], drop_place=[3], start_place=[0], load=[[2, 7]], capacity=[[9, 5]]
    )
    rows = make_rows([[(1, [(0, 0)]), (3, [(0, 1)])]])
    said = audit(problem, TRAVEL, rows, dimensions=["kg", "litres"])
    assert [one.message for one in said] == ["carries 7 litres, room is for 5"]
    assert [one.message for one in audit(problem, TRAVEL, rows)] == ["carries 7 in dimension 1, room is for 5"]
