"""Limits of a VROOM input are those that the page names; one more is refused by the path of what is too much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from halfhour.solving import solve
from routing.errors import InvalidInput, Unsupported
from tests.routing.problem.vroom.test_vroom_api import LINE, PAGE, given


def windows(count: int) -> list[list[int]]:
    return [[2 * k, 2 * k + 1] for k in range(count)]


def sized(**lists: list[Any]) -> dict[str, Any]:
    return given({}) | lists


def jobs(count: int) -> list[dict[str, int]]:
    return [{"id": k, "location_index": 1} for k in range(count)]


def sides(count: int) -> list[dict[str, Any]]:
    return [{side: {"id": k, "location_index": 1} for side in ("pickup", "delivery")} for k in range(count)]


TOO_MUCH: list[tuple[dict[str, Any], str]] = [
    (sized(vehicles=[{"id": k, "start_index": 0} for k in range(20_001)]), "vehicles"),
    (sized(jobs=jobs(20_001)), "jobs"),
    (sized(jobs=jobs(2), shipments=sides(10_000)), "shipments"),
    (given({"delivery": [1] * 33}, capacity=[2] * 33), "vehicles[0].capacity"),
    (given({"pickup": [1] * 33}), "jobs[0].pickup"),
    (given({}) | {"dimensions": [str(k) for k in range(33)]}, "dimensions"),
    (given({}, {"time_windows": windows(1_001)}), "jobs[1].time_windows"),
    (given({}, breaks=[{"id": 4, "time_windows": windows(1_001)}]), "vehicles[0].breaks[0].time_windows"),
    (given({}, breaks=[{"id": k, "time_windows": [[0, 9]]} for k in range(31)]), "vehicles[0].breaks"),
]


@pytest.mark.parametrize(("data", "path"), TOO_MUCH, ids=[path for _, path in TOO_MUCH])
def test_more_than_the_limit_is_refused_by_its_path(data, path):
    with pytest.raises(Unsupported, match="at most") as caught:
        solve(data, work=5)
    assert caught.value.details["field"] == path
    assert caught.value.message.startswith(path)


def test_as_much_as_the_limit_is_solved():
    breaks = [{"id": k, "time_windows": [[0, 900]], "service": 1} for k in range(30)]
    data = given({"time_windows": windows(1_000), "delivery": [1] * 32}, capacity=[1] * 32, breaks=breaks)
    assert solve(data, work=50).answer["unassigned"] == []


def test_the_page_names_the_limits():
    said = "Limits: 20,000 tasks and vehicles, 32 dimensions, 1,000 windows an act, 30 breaks a vehicle"
    assert said in Path(PAGE).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (given({"skills": [1, -1]}), "jobs[0].skills[1]"),
        (given({}, skills=[2, 2**30]), "vehicles[0].skills[1]"),
        (given({"delivery": [1, 2**30]}, capacity=[1, 1]), "jobs[0].delivery[1]"),
        (given({}, capacity=[1, 0.5]), "vehicles[0].capacity[1]"),
        (given({}) | {"vehicles": [{"id": 1, "capacity": [1]}, {"id": 2, "capacity": [1, 2]}]}, "vehicles[1].capacity"),
        (given({}, start_index=9), "vehicles[0].start_index"),
        (given({}, {"location_index": 9}), "jobs[1].location_index"),
        (
            given({}) | {"matrices": {"car": {"durations": [LINE[0], [0, 0, -3, 0, 0], *LINE[2:]]}}},
            "matrices.car.durations[1][2]",
        ),
        (
            given({}) | {"matrices": {"car": {"durations": LINE, "distances": [[0, 2**31, 0, 0, 0], *LINE[1:]]}}},
            "matrices.car.distances[0][1]",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_own_path(data, path):
    with pytest.raises(InvalidInput) as caught:
        solve(data, work=5)
    assert caught.value.details["field"] == path
