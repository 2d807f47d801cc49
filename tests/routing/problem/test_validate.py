"""Contradicting arrays are refused by field and index before any kernel reads them."""

from __future__ import annotations

import numpy as np
import pytest

from routing.errors import InvalidProblem, Unsupported
from routing.problem import validate
from routing.problem.build import make_problem
from routing.problem.problem import Breaks, Travel
from routing.problem.validate import check

FIELDS = {"place": [0, 1, 2], "pick_place": [1], "drop_place": [2], "start_place": [0], "capacity": 5}


def travel(places: int = 3) -> Travel:
    return Travel(np.ones((1, places, places), dtype=np.int32), np.zeros((0, 0, 0), dtype=np.int32))


def test_defaults_are_sound():
    check(make_problem(**FIELDS), travel())


@pytest.mark.parametrize(
    ("change", "field", "index"),
    [
        ({"drop_place": [3]}, "drop_place", 0),
        ({"pick_place": [-1], "drop_place": [-1]}, "pick_place", 0),
        ({"aboard_of": [0]}, "aboard_of", 0),
        ({"aboard_of": [1]}, "aboard_of", 0),
        ({"load": [-1]}, "load", (0, 0)),
        ({"act": [[0, -1]]}, "act", (0, 1)),
        ({"enter": [0, -1, 0]}, "enter", 1),
        ({"window": [[[[5, 4]], [[0, 9]]]]}, "window", (0, 0, 0)),
        ({"due": [[9, 5]]}, "due", 0),
        ({"slope": [[-1, 0, 0]]}, "slope", (0, 0)),
        ({"profile": [1]}, "profile", 0),
        ({"start_place": [3]}, "start_place", 0),
        ({"end_place": [-2]}, "end_place", 0),
        ({"before": [[(3, [])]]}, "before.stop_place", 0),
        ({"before": [[(1, [(1, 0)])]]}, "before.act_request", 0),
        ({"must_keep_ptr": [0, 1], "must_keep": [4]}, "must_keep", 0),
        ({"must_keep_ptr": [0, 2], "must_keep": [0]}, "must_keep_ptr", None),
        ({"placed": [0, 0]}, "placed", None),
        ({"start": [2**30]}, "start", 0),
        ({"trip_rule": 7}, "trip_rule", None),
        ({"tick_us": 0}, "tick_us", None),
    ],
)
def test_contradictions_are_named(change, field, index):
    with pytest.raises(InvalidProblem) as caught:
        check(make_problem(**{**FIELDS, **change}), travel())
    assert caught.value.details["field"] == field
    assert caught.value.details.get("index") == index


def test_travel_is_checked_too():
    problem = make_problem(**FIELDS)
    with pytest.raises(InvalidProblem, match="ticks"):
        check(problem, travel(4))
    late = travel()
    late.ticks[0, 1, 2] = -1
    with pytest.raises(InvalidProblem, match="never negative"):
        check(problem, late)


def test_more_than_the_supported_size_is_refused(monkeypatch):
    monkeypatch.setattr(validate, "MAX_REQUESTS", 0)
    with pytest.raises(Unsupported, match="1 requests"):
        check(make_problem(**FIELDS), travel())


def test_unknown_fields_are_named():
    with pytest.raises(InvalidProblem, match="no field colour"):
        make_problem(**FIELDS, colour=1)
    with pytest.raises(InvalidProblem, match="needs place"):
        make_problem(start_place=[0])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"load": [1.5]}, "load"),
        ({"act": [[0, 2**31]]}, "act"),
        ({"fixed": [2**63]}, "fixed"),
        ({"fixed": [float("nan")]}, "fixed"),
        ({"end": ["soon"]}, "end"),
        ({"max_drive": [-1]}, "max_drive"),
        ({"max_duration": [-1]}, "max_duration"),
        ({"rank": [1, 2]}, "rank"),
        ({"breaks": Breaks([0, 1], np.zeros((1, 1, 2)), [0], [[-1]])}, "breaks.max_load"),
        ({"breaks": Breaks([0, 1], [[[5, 4]]], [0], [[1]])}, "breaks.window"),
        ({"breaks": Breaks([0, 2], [[[4, 5]]], [0], [[1]])}, "breaks.ptr"),
    ],
)
def test_what_an_array_cannot_hold_is_named_and_never_cut(change, field):
    with pytest.raises(InvalidProblem) as caught:
        check(make_problem(**{**FIELDS, **change}), travel())
    assert caught.value.details["field"] == field
