"""docs/solving.md holds VROOM's API as a table; each of its rows is tried here, and none is without its test."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from halfhour.on_roads import OnRoads
from halfhour.solving import check_plan, solve
from routing.errors import InvalidInput, Unsupported
from tests.kit.roads.town import TOWN, draw

PAGE = Path(__file__).resolve().parents[4] / "docs" / "solving.md"
LINE = [[abs(a - b) * 10 for b in range(5)] for a in range(5)]

Row = Callable[[Path], None]
ROWS: dict[str, Row] = {}


def row(words: str) -> Callable[[Row], Row]:
    """The test of the row whose first cell begins with these words."""

    def keep(test: Row) -> Row:
        ROWS[words] = test
        return test

    return keep


def given(*jobs: dict[str, Any], **vehicle: Any) -> dict[str, Any]:
    """One vehicle at 0 on a line of ten seconds a step; job k at k."""
    own = {"id": 7, "start_index": 0, "end_index": 0, **vehicle}
    tasks = [{"id": k, "location_index": k, **job} for k, job in enumerate(jobs, 1)]
    return {"vehicles": [own], "jobs": tasks, "matrices": {"car": {"durations": LINE, "distances": LINE}}}


def answered(data: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = solve(data, work=400).answer
    return said


def left(data: dict[str, Any]) -> dict[int, str]:
    return {one["id"]: one["reason"] for one in answered(data)["unassigned"]}


def step_of(data: dict[str, Any], number: int, kind: str = "job") -> dict[str, Any]:
    steps = answered(data)["routes"][0]["steps"]
    return next(step for step in steps if step["type"] == kind and step.get("id") == number)


def refusal(data: dict[str, Any]) -> str:
    with pytest.raises((InvalidInput, Unsupported)) as caught:
        solve(data, work=5)
    return str(caught.value.details["field"])


def rows_of_page() -> list[str]:
    """First cells of the table of VROOM's API."""
    table = PAGE.read_text(encoding="utf-8").split("| of VROOM's API | here |\n|---|---|\n")[1].split("\n\n")[0]
    return [re.split(r"(?<!\\)\|", line)[1].strip() for line in table.splitlines()]


@row("jobs with")
def _jobs(_: Path) -> None:
    job = {"delivery": [2], "pickup": [1], "service": 5, "setup": 3, "skills": [4], "priority": 9, "description": "b"}
    data = given(job, {"amount": [1]}, capacity=[3], skills=[4])
    step = step_of(data, 1)
    assert (step["service"], step["setup"], step["description"]) == (5, 3, "b")
    said = answered(data)
    assert (said["summary"]["priority"], said["summary"]["delivery"], said["summary"]["pickup"]) == (9, [3], [1])
    assert left(given(job, capacity=[3])) == {1: "NEEDS"}
    assert left(given(job, capacity=[1], skills=[4])) == {1: "CAPACITY"}
    assert left(given({"priority": 1}, {"priority": 2}, max_tasks=1)) == {1: "CAPACITY"}


@row("shipments")
def _shipments(_: Path) -> None:
    data = given()
    sides = {"pickup": {"id": 9, "location_index": 3}, "delivery": {"id": 9, "location_index": 1}}
    data["shipments"] = [{"amount": [1], "priority": 7, **sides}]
    said = answered(data)
    assert [step["type"] for step in said["routes"][0]["steps"]] == ["start", "pickup", "delivery", "end"]
    assert (said["summary"]["priority"], said["summary"]["cost"]) == (7, 60)


@row("`time_windows`")
def _windows(_: Path) -> None:
    step = step_of(given({"time_windows": [[300, 400], [0, 5]], "setup": 20}), 1)
    assert (step["arrival"] + step["waiting_time"], step["setup"]) == (300, 20)


@row("time stamps")
def _stamps(_: Path) -> None:
    now = 1_790_000_000
    assert step_of(given({"time_windows": [[now, now + 60]]}), 1)["arrival"] == now
    assert refusal(given({"time_windows": [[now, now]]}, time_window=[0, 1000])) == "vehicles[0].time_window"


@row("vehicles:")
def _vehicles(_: Path) -> None:
    assert answered(given({}, speed_factor=2.0))["summary"]["cost"] == 10
    for gone, cost in (("end_index", 10), ("start_index", 10)):
        data = given({})
        del data["vehicles"][0][gone]
        assert answered(data)["summary"]["cost"] == cost
    assert left(given({}, time_window=[0, 19])) == {1: "SHIFT_END"}
    assert refusal(given({}, profile="bike")) == "matrices.bike"


@row("`breaks` with")
def _breaks(_: Path) -> None:
    rests = [{"id": 2, "service": 9, "time_windows": [[50, 60]]}, {"id": 1, "time_windows": [[0, 10]], "max_load": [1]}]
    steps = answered(given({"delivery": [1]}, capacity=[1], breaks=rests))["routes"][0]["steps"]
    assert [step["id"] for step in steps if step["type"] == "break"] == [1, 2]
    assert left(given({"delivery": [2]}, capacity=[2], breaks=[{"id": 1, "time_windows": [[0, 0]], "max_load": [1]}]))


@row("`max_tasks`")
def _limits(_: Path) -> None:
    assert left(given({}, {}, max_tasks=1)) != {}
    assert left(given({}, max_travel_time=19)) == {1: "TRAVEL_LIMIT"}
    assert left(given({}, max_distance=19)) == {1: "TRAVEL_LIMIT"}
    data = given({}, max_distance=19)
    del data["matrices"]["car"]["distances"]
    assert refusal(data) == "vehicles[0].max_distance"


@row("`costs`:")
def _costs(_: Path) -> None:
    costs = {"fixed": 7, "per_hour": 1800, "per_km": 500, "per_task_hour": 360}
    # 7 + 20 s at half a unit + 20 m at half a unit a metre + 10 s of service at a tenth.
    assert answered(given({"service": 10}, costs=costs))["summary"]["cost"] == 7 + 10 + 10 + 1


@row("`matrices` of")
def _matrices(_: Path) -> None:
    data = given({})
    data["matrices"]["car"]["costs"] = [[3] * 5] * 5
    assert answered(data)["summary"]["cost"] == 6
    data["vehicles"][0]["costs"] = {"per_hour": 5}
    assert refusal(data) == "vehicles[0].costs.per_hour"
    data = given({})
    data["matrices"]["car"]["durations"] = [[9 if a == b else 2**30 - 1 for b in range(5)] for a in range(5)]
    assert left(data) == {1: "UNREACHABLE"}
    data["matrix"] = LINE
    del data["matrices"]
    assert answered(data)["summary"]["cost"] == 20


def on_town(folder: Path) -> tuple[dict[str, Any], Path]:
    """Work at C of a drawn town, from A and back."""
    town = draw(TOWN)
    town.network.save(folder / "town.npz")
    a, c = ([*town.at(spot)[::-1]] for spot in "AC")
    vehicle = {"id": 1, "start": a, "end": a}
    return {"vehicles": [vehicle], "jobs": [{"id": 1, "location": c, "location_index": 44}]}, folder / "town.npz"


@row("coordinates")
def _coordinates(folder: Path) -> None:
    data, roads = on_town(folder)
    said = solve(data, work=50, roads=roads).answer
    seconds, metres = OnRoads(roads).table(
        [tuple(data["vehicles"][0]["start"]), tuple(data["jobs"][0]["location"])], "car"
    )
    assert said["summary"]["distance"] == metres[0, 1] + metres[1, 0]
    assert said["summary"]["duration"] == seconds[0, 1] + seconds[1, 0]
    assert said["routes"][0]["steps"][1]["location_index"] == 44


@row("`steps`")
def _steps(_: Path) -> None:
    told = [{"type": "job", "id": 2}, {"type": "job", "id": 1}]
    assert answered(given({}, {}, steps=told))["summary"]["unassigned"] == 0
    assert refusal(given({}, {}, steps=[told[0], told[0]])) == "vehicles[0].steps[1]"
    said = answered(given({"delivery": [1]}, {"delivery": [1]}, capacity=[1], steps=told))
    assert (said["summary"]["unassigned"], said["warnings"][0]["path"]) == (1, "vehicles[0].steps")


@row("`reloads`")
def _reloads(_: Path) -> None:
    jobs = {"delivery": [2]}, {"delivery": [1], "pickup": [2]}, {"pickup": [1]}
    data = given(*jobs, capacity=[2], reloads={"service": 7}, costs={"per_task_hour": 3600})
    said = answered(data)
    assert said["summary"]["unassigned"] == 0
    # On a line: there and back to 3 for the first and the last, to 2 for the second; a reload is no task.
    steps = said["routes"][0]["steps"]
    reload = next(step for step in steps if step["type"] == "reload")
    assert (said["summary"]["cost"], said["summary"]["service"], reload["service"]) == (60 + 40, 7, 7)
    told = [{key: step[key] for key in ("type", "id") if key in step} for step in steps]
    again = answered({**data, "vehicles": [{**data["vehicles"][0], "steps": told}]})
    assert (again["routes"], "warnings" in again) == (said["routes"], False)
    assert left({**data, "vehicles": [{**data["vehicles"][0], "reloads": {"most": 0}}]}) != {}
    assert refusal(given({}, steps=[{"type": "reload"}])) == "vehicles[0].steps[0]"
    assert refusal(given({}, reloads={"times": 3})) == "vehicles[0].reloads.times"
    adrift = given({}, reloads={})
    del adrift["vehicles"][0]["start_index"]
    assert refusal(adrift) == "vehicles[0].reloads"
    planned = check_plan({**data, "vehicles": [{**data["vehicles"][0], "steps": told}]})
    assert (planned["summary"]["cost"], planned["summary"]["violations"]) == (100, [])


@row("`max_duration`")
def _duration(_: Path) -> None:
    # Job 1 waits for 500: 20 s on the way back and forth, whatever it waits at the start.
    late = given({"time_windows": [[500, 600]]}, max_duration=20)
    assert left(late) == {} and left(given({"time_windows": [[500, 600]]}, max_duration=19)) == {1: "TRAVEL_LIMIT"}
    # Beside job 2 at 100 it would be gone from 80 on: 80 to 510.
    both = given({"time_windows": [[500, 600]]}, {"time_windows": [[100, 100]]}, max_duration=429)
    assert len(left(both)) == 1
    both["vehicles"][0]["max_duration"] = 430
    assert left(both) == {}
    told = [{"type": "job", "id": 2}, {"type": "job", "id": 1}]
    both["vehicles"][0] |= {"steps": told, "max_duration": 429}
    assert check_plan(both)["summary"]["violations"] == [{"cause": "max_duration"}]
    assert refusal(given({}, max_duration=9, breaks=[{"id": 1}])) == "vehicles[0].max_duration"


@row("`after` of")
def _after(_: Path) -> None:
    # Job 1 lies on the way to job 2, and may only be served on the way back.
    data = given({"after": [{"type": "job", "id": 2}]}, {"service": 50})
    steps = answered(data)["routes"][0]["steps"]
    assert [(step["id"], step["arrival"]) for step in steps[1:-1]] == [(2, 20), (1, 80)]
    assert refusal(given({"after": [{"type": "job", "id": 1}]})) == "jobs[0].after[0]"
    told = [{"type": "job", "id": 1}, {"type": "job", "id": 2}]
    planned = check_plan({**data, "vehicles": [{**data["vehicles"][0], "steps": told}]})
    assert planned["summary"]["violations"] == [{"cause": "order"}]


@row("`fleet`")
def _fleet(_: Path) -> None:
    data = given({"service": 100}, {"service": 100})
    data["vehicles"].append(data["vehicles"][0] | {"id": 8})
    assert len(answered(data)["routes"]) == 1
    assert len(answered(data | {"fleet": {"min_vehicles": 2}})["routes"]) == 2
    summary = answered(data | {"fleet": {"per_hour_of_longest": 3600}})["summary"]
    assert (summary["routes"], summary["longest"], summary["longest_cost"], summary["cost"]) == (2, 140, 140, 60)
    summary = answered(data | {"fleet": {"per_hour_of_longest": 3600, "max_vehicles": 1}})["summary"]
    assert (summary["routes"], summary["longest"]) == (1, 240)
    assert refusal(data | {"fleet": {"min_vehicles": 3}}) == "fleet.min_vehicles"


@row("`dimensions`")
def _dimensions(_: Path) -> None:
    data = {**given({"delivery": {"kg": 3}}, capacity={"kg": 3, "litres": 1}), "dimensions": ["kg", "litres"]}
    assert answered(data)["summary"]["delivery"] == [3, 0]


@row("empty `breaks`")
def _empty(_: Path) -> None:
    data = given({"delivery": [], "skills": [], "pickup": None, "service": np.int64(4)}, breaks=[], capacity=None)
    assert answered({**data, "options": {}, "shipments": None})["summary"]["service"] == 4


@row("`options.g`")
def _geometry(folder: Path) -> None:
    data, roads = on_town(folder)
    assert solve({**data, "options": {"g": True}}, work=50, roads=roads).answer["routes"][0]["geometry"]
    assert refusal({**given({}), "options": {"g": True}}) == "options.g"


@row("`service_at`")
def _forced(_: Path) -> None:
    data = given({}, steps=[{"type": "job", "id": 1, "service_at": 77}])
    assert check_plan(data)["routes"][0]["steps"][1]["arrival"] == 77
    assert refusal(data) == "vehicles[0].steps[0].service_at"


@row("any other key")
def _unknown(_: Path) -> None:
    assert refusal({**given({}), "depots": []}) == "depots"
    assert refusal(given({"colour": 1})) == "jobs[0].colour"


@row("`penalty`")
def _penalty(_: Path) -> None:
    said = answered(given({"penalty": 19}, {"penalty": 100}, {"priority": 0}, max_tasks=2))
    assert said["summary"]["penalty"] == 19
    assert left(given({"penalty": 19})) == {1: "TOO_DEAR"}
    assert left(given({"penalty": 21})) == {}


def test_every_row_has_its_test_and_every_test_its_row():
    cells = rows_of_page()
    assert len(cells) > 15
    tests = [[words for words in ROWS if cell.startswith(words)] for cell in cells]
    assert [cell for cell, found in zip(cells, tests, strict=True) if len(found) != 1] == []
    assert len(ROWS) == len(cells)


@pytest.mark.parametrize("words", list(ROWS))
def test_each_is_as_the_page_says(words, tmp_path):
    ROWS[words](tmp_path)
