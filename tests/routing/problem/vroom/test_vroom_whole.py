"""Laws of the whole plan in a VROOM input: what follows what, how many vehicles, the longest route."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from halfhour.solving import check_plan, solve
from routing.errors import InvalidInput, UnreadableFile
from routing.problem.formats.vroom_judge import faults
from tests.routing.problem.vroom.test_vroom_api import answered, given, left, refusal


def an_input(seed: int) -> dict[str, Any]:
    """Jobs and shipments with windows, breaks, setups and reloads, some of which follow others; a fleet with bounds."""
    rng = np.random.default_rng(seed)
    size = 9
    at = rng.integers(0, 400, (size, 2))
    seconds = np.rint(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(int).tolist()

    def some(**more: Any) -> dict[str, Any]:
        return more if rng.random() < 0.4 else {}

    def windows() -> dict[str, Any]:
        opens = int(rng.integers(0, 1500))
        return some(time_windows=[[opens, opens + int(rng.integers(200, 900))]])

    jobs: list[dict[str, Any]] = [
        {"id": k, "location_index": k, "service": 20, "delivery": [1], **some(setup=30), **windows()}
        for k in range(1, 6)
    ]
    shipments: list[dict[str, Any]] = [{
        "amount": [1], "pickup": {"id": 1, "location_index": 6, **windows()},
        "delivery": {"id": 1, "location_index": 7, "service": 9, **windows()},
    }]  # fmt: skip
    names = [{"type": "job", "id": k} for k in range(1, 6)] + [{"type": "delivery", "id": 1}]
    order = rng.permutation(6).tolist()
    for _ in range(3):
        a, b = sorted(rng.choice(6, 2, replace=False).tolist())
        item = [*jobs, *shipments][order[b]]
        item.setdefault("after", []).append(names[order[a]])
    vehicles = [{
        "id": v, "start_index": 0, "end_index": 8, "capacity": [3],
        **some(time_window=[int(rng.integers(0, 300)), 3000]), **some(reloads={"service": 10}),
        **some(breaks=[{"id": 1, "service": 50, "time_windows": [[200, 1200]]}]),
    } for v in range(3)]  # fmt: skip
    fleet = some(min_vehicles=2) | some(max_vehicles=2) | some(per_hour_of_longest=int(rng.integers(1, 9)) * 1800)
    return {
        "vehicles": vehicles, "jobs": jobs, "shipments": shipments, "fleet": fleet,
        "matrices": {"car": {"durations": seconds}},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_answers_keep_the_laws_of_the_whole(seed):
    data = an_input(seed)
    said = answered(data)  # raises WrongAnswer where the judge does not agree
    assert faults(data, said) == []
    begins = {
        (step["type"], step["id"]): step["arrival"] + step["waiting_time"] + step["setup"]
        for route in said["routes"] for step in route["steps"] if step.get("id") is not None
    }  # fmt: skip
    for task in data["jobs"]:
        for leader in task.get("after", []):
            own, key = ("job", task["id"]), (leader["type"], leader["id"])
            assert own not in begins or begins[key] <= begins[own]
    assert data["fleet"].get("min_vehicles", 0) <= len(said["routes"]) <= data["fleet"].get("max_vehicles", 3)


def two_apart(**more: Any) -> dict[str, Any]:
    """Job 2 is next to the start of the second vehicle, job 1 far from both."""
    data = given({}, {}, capacity=[1])
    data["vehicles"].append({"id": 8, "start_index": 2, "end_index": 2, "capacity": [1]})
    for job, amount in zip(data["jobs"], ([1], [1]), strict=True):
        job["delivery"] = amount
    return data | more


def test_what_follows_on_another_vehicle_begins_no_sooner():
    data = two_apart()
    data["jobs"][1]["after"] = [{"type": "job", "id": 1}]
    steps = {(s["type"], s.get("id")): s for r in answered(data)["routes"] for s in r["steps"]}
    # Vehicle 7 comes to job 1 at 10; vehicle 8 stands at job 2, where it may not be served before that.
    assert steps["job", 1]["arrival"] <= steps["job", 2]["arrival"]


def test_what_follows_something_unserved_is_not_served():
    data = given({"delivery": [9]}, {"after": [{"type": "job", "id": 1}]}, capacity=[3])
    assert left(data) == {1: "CAPACITY", 2: "PRECEDENCE"}


def test_no_more_and_no_fewer_vehicles_than_the_fleet_may_have():
    both = two_apart(fleet={"max_vehicles": 1})
    assert sorted(left(both).values()) == ["FLEET"]
    data = given({}, {}, {})
    data["vehicles"].append(data["vehicles"][0] | {"id": 8})
    assert len(answered(data)["routes"]) == 1
    assert len(answered(data | {"fleet": {"min_vehicles": 2}})["routes"]) == 2


def test_the_longest_route_is_made_short_where_it_has_a_price():
    data = given({}, {}, {}, {})
    data["vehicles"].append(data["vehicles"][0] | {"id": 8, "costs": {"fixed": 30}})
    assert "longest" not in answered(data)["summary"]
    # Job 4 takes 80 s there and back; all four do as well.  A second vehicle saves nothing.
    said = answered(data | {"fleet": {"per_hour_of_longest": 36_000}})["summary"]
    assert (said["longest"], said["longest_cost"], said["routes"]) == (80, 800, 1)
    for job in data["jobs"]:
        job["service"] = 100
    said = answered(data | {"fleet": {"per_hour_of_longest": 36_000}})["summary"]
    assert (said["longest"], said["routes"]) == (280, 2)  # two jobs each: 80 + 200 at the most


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"fleet": {"least": 1}}, "fleet.least"),
        ({"fleet": {"min_vehicles": 2}}, "fleet.min_vehicles"),
        ({"fleet": {"min_vehicles": 1, "max_vehicles": 0}}, "fleet.min_vehicles"),
        ({"fleet": {"per_hour_of_longest": -1}}, "fleet.per_hour_of_longest"),
        ({"after": [{"type": "job", "id": 9}]}, "jobs[1].after[0]"),
        ({"after": [{"type": "job", "id": 2}]}, "jobs[1].after[0]"),
        ({"after": [{"type": "pickup", "id": 1}]}, "jobs[1].after[0]"),
        ({"after": {"type": "job", "id": 1}}, "jobs[1].after"),
    ],
)
def test_what_cannot_be_is_refused_by_its_path(change, path):
    data = given({}, {})
    if "after" in change:
        data["jobs"][1] |= change
    assert refusal(data | (change if "fleet" in change else {})) == path


def test_a_circle_is_refused():
    data = given({}, {}, {})
    for k, other in enumerate((2, 3, 1)):
        data["jobs"][k]["after"] = [{"type": "job", "id": other}]
    assert refusal(data).startswith("jobs[") and refusal(data).endswith("].after[0]")


def test_more_vehicles_than_can_be_used_is_an_error_that_says_so():
    data = given({"delivery": [2]}, {"delivery": [2]}, capacity=[9])
    data["vehicles"].append({"id": 8, "start_index": 0, "capacity": [1]})
    with pytest.raises(InvalidInput, match="1 vehicles only"):
        solve(data | {"fleet": {"min_vehicles": 2}}, work=200)


def test_absolute_time_stamps_need_a_beginning_to_measure_from():
    now = 1_790_000_000
    data = given({"time_windows": [[now, now + 60]]}) | {"fleet": {"per_hour_of_longest": 3600}}
    assert refusal(data) == "vehicles[0].time_window"
    data["vehicles"][0]["time_window"] = [now - 100, now + 900]
    assert answered(data)["summary"]["longest"] == 110


def test_two_vehicles_with_one_id_are_refused():
    data = given({})
    data["vehicles"].append(dict(data["vehicles"][0]))
    assert refusal(data) == "vehicles[1].id"


@pytest.mark.parametrize(
    ("job", "vehicle", "path"),
    [
        ({"delivery": [1], "amount": [2]}, {}, "jobs[0].amount"),
        ({"delivery": 0}, {}, "jobs[0].delivery"),
        ({"pickup": False}, {}, "jobs[0].pickup"),
        ({}, {"capacity": 0}, "vehicles[0].capacity"),
        ({}, {"capacity": ""}, "vehicles[0].capacity"),
        ({}, {"breaks": [{"id": 1, "max_load": 0}]}, "vehicles[0].breaks[0].max_load"),
    ],
)
def test_what_looks_like_nothing_is_not_taken_for_it(job, vehicle, path):
    assert refusal(given(job, **vehicle)) == path


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "twice.json"
    path.write_text('{"vehicles": [{"id": 1, "start_index": 0}], "jobs": [{"id": 1, "id": 2}], "matrix": [[0]]}')
    with pytest.raises(UnreadableFile, match="id stands twice"):
        solve(path, work=5)


def test_the_judge_of_answers_sees_what_is_wrong_with_the_whole():
    data = two_apart()
    data["jobs"][1]["after"] = [{"type": "job", "id": 1}]
    data["fleet"] = {"min_vehicles": 2, "per_hour_of_longest": 3600}
    said = answered(data)
    assert faults(data, said) == []
    swapped = copy.deepcopy(data)
    del swapped["jobs"][1]["after"]
    swapped["jobs"][0]["after"] = [{"type": "job", "id": 2}]
    late = {s["id"]: s["arrival"] for r in said["routes"] for s in r["steps"] if s["type"] == "job"}
    assert bool(faults(swapped, said)) == (late[1] < late[2])
    assert faults(data | {"fleet": {"max_vehicles": 1}}, said)
    said["summary"]["longest"] += 1
    assert faults(data, said)


def test_plan_mode_says_what_the_whole_plan_violates():
    data = two_apart(fleet={"max_vehicles": 1, "per_hour_of_longest": 3600})
    data["jobs"][0]["after"] = [{"type": "job", "id": 2}]
    for vehicle, number in zip(data["vehicles"], (1, 2), strict=True):
        vehicle["steps"] = [{"type": "start"}, {"type": "job", "id": number}, {"type": "end"}]
    data["vehicles"][1]["steps"][1]["service_after"] = 500
    said = check_plan(data)
    assert said["summary"]["violations"] == [{"cause": "fleet"}, {"cause": "order"}]
    assert [one["path"] for one in said["warnings"]] == ["jobs[0].after[0]", "fleet"]
    del data["vehicles"][1]["steps"][1]["service_after"], data["fleet"]["max_vehicles"]
    data["vehicles"][0]["steps"][1]["service_after"] = 500
    said = check_plan(data)
    assert said["summary"]["violations"] == [] and "warnings" not in said


def test_plan_mode_times_reloads():
    data = given({"delivery": [2]}, {"delivery": [2]}, capacity=[2], reloads={"most": 1, "service": 30})
    steps = [{"type": "job", "id": 1}, {"type": "reload"}, {"type": "job", "id": 2}]
    data["vehicles"][0]["steps"] = [{"type": "start"}, *steps, {"type": "end"}]
    said = check_plan(data)
    times = [(step["type"], step["arrival"], step["load"]) for step in said["routes"][0]["steps"]]
    assert times == [
        ("start", 0, [2]), ("job", 10, [0]), ("reload", 20, [2]), ("job", 70, [0]), ("end", 90, [0])
    ]  # fmt: skip
    assert said["summary"]["violations"] == []
    data["vehicles"][0]["reloads"]["most"] = 0
    assert check_plan(data)["summary"]["violations"] == [{"cause": "reloads"}]
    del data["vehicles"][0]["reloads"]
    with pytest.raises(InvalidInput) as caught:
        check_plan(data)
    assert caught.value.details["field"] == "vehicles[0].steps[2]"
    data["vehicles"][0]["steps"].pop(2)
    assert check_plan(data)["summary"]["violations"] == [{"cause": "load"}]
