"""VROOM files: read as published, refused by name, answered in their own words, judged from the two files alone."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest

from routing.errors import InvalidInput, UnreadableFile, Unsupported
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.evaluate import evaluate
from routing.problem.formats.vroom import read_vroom, vroom_case
from routing.problem.formats.vroom_judge import faults
from tests.kit.plans.vroom_answers import answer as judged_answer
from tests.routing.problem.test_formats import written


def tampered(said: dict[str, Any], change: Any) -> list[str]:
    changed = json.loads(json.dumps(said))
    change(changed)
    return faults(vroom_input(), changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a["routes"][0]["steps"][1].update(arrival=11),
        lambda a: a["routes"][0]["steps"].pop(1),
        lambda a: a["routes"][0]["steps"].insert(1, a["routes"][0]["steps"][1]),
        lambda a: a["routes"][0]["steps"].insert(1, a["routes"][0]["steps"].pop(-2)),
        lambda a: a["routes"][0].update(cost=59),
        lambda a: a["routes"][0].update(vehicle=8),
        lambda a: a["routes"].append(a["routes"][0]),
        lambda a: a["summary"].update(cost=61),
        lambda a: a["summary"].update(priority=1),
        lambda a: a["routes"][0]["steps"][1].update(load=[9]),
        lambda a: a["routes"][0]["steps"][-1].update(duration=50),
        lambda a: a["unassigned"].append({"type": "job", "id": 1}),
        lambda a: a["routes"][0]["steps"][1].update(waiting_time=1),
    ],
)
def test_the_judge_of_answers_sees_what_is_wrong(change):
    said = answer(vroom_input())
    assert faults(vroom_input(), said) == []
    assert tampered(said, change) != []


def vroom_input(**more: Any) -> dict[str, Any]:
    """One vehicle at location 0; a job at 1 and a shipment from 2 to 3, on a line with ten seconds a step."""
    line = [[abs(a - b) * 10 for b in range(4)] for a in range(4)]
    return {
        "vehicles": [{"id": 7, "start_index": 0, "end_index": 0, "capacity": [4], "skills": [1]}],
        "jobs": [{"id": 1, "location_index": 1, "service": 5, "delivery": [1]}],
        "shipments": [
            {"amount": [2], "pickup": {"id": 9, "location_index": 2}, "delivery": {"id": 9, "location_index": 3}}
        ],
        "matrices": {"car": {"durations": line}},
        **more,
    }


answer = partial(judged_answer, work=2000)


def test_vroom_answer_by_hand():
    # out to 3 and back: 60 s of driving whatever the order, 5 s of service
    said = answer(vroom_input())
    assert said["summary"]["cost"] == said["summary"]["duration"] == 60
    assert (said["summary"]["service"], said["summary"]["unassigned"]) == (5, 0)
    (route,) = said["routes"]
    assert route["vehicle"] == 7
    assert route["steps"][0]["type"] == "start"
    assert route["steps"][-1] == {
        "type": "end", "location_index": 0, "setup": 0, "service": 0, "waiting_time": 0, "load": [0], "arrival": 65,
        "duration": 60, "violations": [], "distance": 0,
    }  # fmt: skip
    kinds = [(step["type"], step.get("id")) for step in route["steps"]]
    assert kinds.index(("pickup", 9)) < kinds.index(("delivery", 9))


def test_vroom_skills_and_reasons():
    data = vroom_input()
    data["jobs"][0]["skills"] = [2]
    said = answer(data)
    assert said["unassigned"] == [{"id": 1, "type": "job", "location_index": 1, "reason": "NEEDS"}]


def test_vroom_several_windows_and_setup():
    # the job at 1: its windows are [0, 3] and [100, 200]; setup 7 before service 5; they leave at 90 rather than wait
    data = vroom_input(shipments=[])
    data["jobs"][0].update(time_windows=[[0, 3], [100, 200]], setup=7)
    (route,) = answer(data)["routes"]
    job = route["steps"][1]
    assert (job["arrival"], job["waiting_time"], job["setup"], job["service"]) == (100, 0, 7, 5)
    assert route["steps"][0]["arrival"] == 90
    assert route["steps"][2]["arrival"] == 100 + 7 + 5 + 10


def test_vroom_setup_is_charged_once_at_one_location():
    data = vroom_input(shipments=[])
    data["jobs"] = [{"id": k, "location_index": 1, "setup": 7, "service": 5} for k in (1, 2)]
    said = answer(data)
    assert (said["summary"]["setup"], said["summary"]["service"]) == (7, 10)


def test_vroom_costs_per_kilometre_and_fixed():
    data = vroom_input(shipments=[])
    data["matrices"]["car"]["distances"] = [[1000 * x for x in row] for row in data["matrices"]["car"]["durations"]]
    data["vehicles"][0]["costs"] = {"fixed": 11, "per_hour": 0, "per_km": 3}
    # 10 km out, 10 km back
    assert answer(data)["summary"]["cost"] == 11 + 3 * 20


def test_vroom_custom_costs_count_instead_of_durations():
    data = vroom_input(shipments=[])
    data["matrices"]["car"]["costs"] = [[4 if a != b else 0 for b in range(4)] for a in range(4)]
    assert answer(data)["summary"]["cost"] == 8


def test_vroom_max_tasks_and_priority():
    data = vroom_input(shipments=[])
    data["vehicles"][0]["max_tasks"] = 1
    data["jobs"] = [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 3, "priority": 5}]
    said = answer(data)
    assert [item["id"] for item in said["unassigned"]] == [1]


def test_vroom_vehicle_without_a_start_or_an_end():
    data = vroom_input(shipments=[])
    del data["vehicles"][0]["start_index"]
    said = answer(data)
    assert said["summary"]["duration"] == 10
    del data["vehicles"][0]["end_index"]
    data["vehicles"][0]["start_index"] = 0
    assert answer(data)["summary"]["duration"] == 10


def test_vroom_steps_are_the_told_plan():
    data = vroom_input()
    data["vehicles"][0]["steps"] = [
        {"type": "start"}, {"type": "pickup", "id": 9}, {"type": "delivery", "id": 9}, {"type": "job", "id": 1},
        {"type": "end"},
    ]  # fmt: skip
    case = vroom_case(data)
    assert case.problem.before.stop_place.tolist() == [1, 2, 0]
    assert evaluate(case.problem, case.travel, case.problem.before).feasible


def dear(data: dict[str, Any]) -> None:
    """Prices and ways that no plan of 64 bits adds up."""
    data["vehicles"][0]["costs"] = {"per_hour": 2**30 - 1}
    data["matrices"]["car"]["durations"] = [[10**8 * (a != b) for b in range(4)] for a in range(4)]


def told(*kinds: str) -> list[dict[str, Any]]:
    """Steps of `vroom_input` by kind."""
    return [{"type": kind, "id": 1 if kind == "job" else 9} for kind in kinds]


@pytest.mark.parametrize(
    ("change", "error", "names"),
    [
        (lambda d: d["vehicles"][0].update(wheels=3), Unsupported, "vehicles[0].wheels"),
        (lambda d: d["vehicles"][0].update(max_distance=5), InvalidInput, "vehicles[0].max_distance"),
        (lambda d: d["vehicles"][0].update(costs={"per_km": 5}), InvalidInput, "vehicles[0].costs.per_km"),
        (lambda d: d.update(options={"c": True}), Unsupported, "options.c"),
        (lambda d: d["vehicles"][0].update(breaks=[{"id": 1}, {"id": 1}]), InvalidInput, "vehicles[0].breaks[1].id"),
        (
            lambda d: d["vehicles"][0].update(breaks=[{"id": 1, "service": 0.5}]),
            InvalidInput,
            "vehicles[0].breaks[0].service",
        ),
        (lambda d: d["vehicles"][0].update(steps=told("job", "job")), InvalidInput, "vehicles[0].steps[1]"),
        (lambda d: d["vehicles"][0].update(steps=told("delivery", "pickup")), InvalidInput, "vehicles[0].steps[0]"),
        (lambda d: d["vehicles"][0].update(steps=told("pickup")), InvalidInput, "vehicles[0].steps[0]"),
        (
            lambda d: d["jobs"][0].update(skills=[9]) or d["vehicles"][0].update(steps=told("job")),
            InvalidInput,
            "vehicles[0].steps[0]",
        ),
        (
            lambda d: (
                d["matrices"]["car"].update(costs=[[0] * 4] * 4) or d["vehicles"][0].update(costs={"per_hour": 1})
            ),
            InvalidInput,
            "vehicles[0].costs.per_hour",
        ),
        (lambda d: d["jobs"][0].update(penalty=-1), InvalidInput, "jobs[0].penalty"),
        (
            lambda d: d["jobs"][0].update(time_windows=[[0, 2**40], [2**45, 2**50]]),
            InvalidInput,
            "jobs[0].time_windows",
        ),
        (lambda d: dear(d), Unsupported, "vehicles[0].costs"),
        (lambda d: d["jobs"][0].update(service=-1), InvalidInput, "jobs[0].service"),
        (lambda d: d["jobs"][0].update(time_windows=[[5, 1]]), InvalidInput, "jobs[0].time_windows[0]"),
        (lambda d: d["jobs"][0].update(delivery=[1, 1]), InvalidInput, "jobs[0].delivery"),
        (lambda d: d["jobs"][0].update(location_index=4), InvalidInput, "jobs[0].location_index"),
        (lambda d: d["shipments"][0].pop("delivery"), InvalidInput, "shipments[0].delivery"),
        (lambda d: d["matrices"]["car"].update(durations=[[0, 1], [1]]), InvalidInput, "matrices.car.durations"),
        (
            lambda d: d["matrices"]["car"].update(durations=[[0, -1], [1, 0]]),
            InvalidInput,
            "matrices.car.durations[0][1]",
        ),
        (lambda d: d["vehicles"][0].update(profile="bike"), InvalidInput, "matrices.bike"),
        (lambda d: d["vehicles"][0].update(time_window=[9, 1]), InvalidInput, "vehicles[0].time_window"),
        (lambda d: d["vehicles"][0].update(steps=[{"type": "job", "id": 5}]), InvalidInput, "vehicles[0].steps[0]"),
        (lambda d: d.update(vehicles=[]), InvalidInput, "vehicles"),
        (lambda d: d["jobs"].append(d["jobs"][0]), InvalidInput, "jobs[1].id"),
    ],
)
def test_what_vroom_input_cannot_do_is_named(change, error, names):
    data = vroom_input()
    change(data)
    with pytest.raises(error) as caught:
        vroom_case(data)
    assert caught.value.details["field"] == names


def test_vroom_needs_json_and_distances(tmp_path):
    with pytest.raises(UnreadableFile, match="not JSON"):
        read_vroom(written(tmp_path, "{", "case.json"))
    data = vroom_input(shipments=[])
    del data["matrices"]
    data["jobs"] = [{"id": 1, "location": [4.3, 52.1]}]
    data["vehicles"] = [{"id": 1, "start": [4.3, 52.0]}]
    with pytest.raises(InvalidInput, match="roads"):
        vroom_case(data)
    tens = np.array([[0, 10], [10, 0]], dtype=np.int64)
    case = vroom_case(data, table_of=lambda points, profile: (tens, tens))
    assert plan_routes(case.problem, case.travel, budget=Budget(10)).cost == 10
