"""Files of the field: read as published, refused by name, answered in their own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from routing.errors import InvalidInput, UnreadableFile, Unsupported
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.audit import audit
from routing.problem.evaluate import evaluate
from routing.problem.formats import text_judge
from routing.problem.formats.lilim import distance_of, read_lilim, read_sartori, write_routes
from routing.problem.formats.vroom import read_vroom, vroom_case
from routing.problem.formats.vroom_answer import write_vroom
from routing.problem.formats.vroom_judge import faults
from tests.kit.data import folder, needs_data

# Depot 0 at the origin; two requests on a line to the east: 1 -> 2 and 3 -> 4.
LILIM = """2 10 1
0 0 0 0 0 1000 0 0 0
1 10 0 4 0 1000 5 0 2
2 20 0 -4 0 1000 5 1 0
3 30 0 6 0 1000 5 0 4
4 40 0 -6 0 1000 5 3 0
"""

SARTORI = """NAME: tiny
SIZE: 5
CAPACITY: 10
NODES
0 0 0 0 0 500 0 0 0
1 0 0 4 0 400 5 0 3
2 0 0 4 0 400 5 0 4
3 0 0 -4 0 400 5 1 0
4 0 0 -4 0 400 5 2 0
EDGES
0 3 3 9 9
3 0 1 2 9
3 1 0 9 2
9 9 9 0 1
9 9 9 1 0
EOF
"""


def written(tmp_path: Path, text: str, name: str = "case.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_lilim_is_solved_in_one_line(tmp_path):
    case = read_lilim(written(tmp_path, LILIM), fixed=10**9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(2000))
    assert audit(case.problem, case.travel, solution) == []
    # one vehicle, out to 40 and back
    assert (np.diff(solution.rows.stop_ptr) > 0).sum() == 1
    assert distance_of(case, solution.rows) == 80
    assert write_routes(case, solution.rows).startswith("Route 1 : ")


def test_sartori_reads_its_asymmetric_matrix(tmp_path):
    case = read_sartori(written(tmp_path, SARTORI), fixed=10**9)
    assert (case.travel.ticks[0, 1, 3], case.travel.ticks[0, 3, 1]) == (2, 9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(2000))
    assert audit(case.problem, case.travel, solution) == []
    # 0 -3-> 1 -1-> 2 -2-> 4 -1-> 3 -9-> 0
    assert distance_of(case, solution.rows) == 16


@pytest.mark.parametrize(
    ("find", "put", "says"),
    [
        ("1 10 0 4 0 1000 5 0 2", "1 10 0 4 0 1000 5 0 0", "pickup with its delivery"),
        ("1 10 0 4 0 1000 5 0 2", "1 10 0 40 0 1000 5 0 2", "take off"),
        ("2 20 0 -4 0 1000 5 1 0", "2 20 0 -4 0 1000 5 3 0", "name each other"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 900 100 5 0 4", "closes before"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 0 1000 -5 0 4", "negative"),
        ("3 30 0 6 0 1000 5 0 4", "3 30 0 6 -1 1000 5 0 4", "negative"),
        ("3 30 0 6 0 1000 5 0 4\n4 40 0 -6", "3 30 0 6.5 0 1000 5 0 4\n4 40 0 -6.5", "whole"),
        ("4 40 0 -6 0 1000 5 3 0", "4 40 0 x 0 1000 5 3 0", "number"),
        ("2 10 1", "2 5 1", "more than the capacity"),
        ("4 40 0 -6 0 1000 5 3 0\n", "", "either a pickup"),
    ],
)
def test_wrong_lilim_files_are_named(tmp_path, find, put, says):
    with pytest.raises(UnreadableFile, match=says):
        read_lilim(written(tmp_path, LILIM.replace(find, put)))


@pytest.mark.parametrize(
    ("head", "says"), [("0 10 1", "0 vehicles"), ("2.5 10 1", "vehicles"), ("2 -1 1", "capacity"), ("2 10 0", "speed")]
)
def test_a_head_that_cannot_be_is_named(tmp_path, head, says):
    with pytest.raises(UnreadableFile, match=says) as caught:
        read_lilim(written(tmp_path, LILIM.replace("2 10 1", head)))
    assert caught.value.details["line"] == 1


def test_a_speed_divides_times_and_no_distance(tmp_path):
    # 40 out and 40 back at speed 4 take 20 and 4 services of 5 more: the depot may close at 40, not at 39.
    for closes, served in ((40, True), (39, False)):
        text = LILIM.replace("2 10 1", "1 10 4").replace("0 0 0 0 0 1000 0 0 0", f"0 0 0 0 0 {closes} 0 0 0")
        case = read_lilim(written(tmp_path, text))
        solution = plan_routes(case.problem, case.travel, budget=Budget(500))
        assert (not solution.reason.any()) == served
        assert not served or distance_of(case, solution.rows) == 80


@pytest.mark.parametrize("later", [200_000, 5_000_000, 10**8])
def test_long_times_make_coarser_ticks(tmp_path, later):
    # Beyond 107,374 units times do not fit the usual ticks: the same file some days later is served the same way.
    rows = [line.split() for line in LILIM.splitlines()[1:]]
    for row in rows:
        row[4], row[5] = str(int(row[4]) + (later if row[0] != "0" else 0)), str(int(row[5]) + later)
    text = "\n".join(["2 10 1", *(" ".join(row) for row in rows)])
    path = written(tmp_path, text)
    case = read_lilim(path, fixed=10**9)
    solution = plan_routes(case.problem, case.travel, budget=Budget(500))
    assert not solution.reason.any()
    assert text_judge.faults(path, write_routes(case, solution.rows), set()) == []


def test_marks_and_encodings(tmp_path):
    path = tmp_path / "case.txt"
    path.write_bytes(b"\xef\xbb\xbf" + LILIM.encode())
    assert len(read_lilim(path).pick_node) == 2
    path.write_bytes(LILIM.encode("utf-16"))
    with pytest.raises(UnreadableFile, match="UTF-16"):
        read_lilim(path)
    path.write_bytes(b"\xe9t\xe9 " + LILIM.encode())
    with pytest.raises(UnreadableFile, match="UTF-8"):
        read_lilim(path)


@pytest.mark.parametrize(
    ("routes", "says"),
    [
        ("Route 1 : 1 2\n", "neither in one route"),
        ("Route 1 : 1 2 3 4\nRoute 2 : 1 2\n", "neither in one route"),
        ("Route 1 : 2 1 3 4\n", "before its pickup"),
        ("Route 1 : 1 3\nRoute 2 : 2 4\n", "never delivers"),
        ("Route 1 : 1 2\nRoute 2 : 3 4\nRoute 3 :\n", "3 routes"),
        ("Route 1 : 1 2 3 4\n", None),
    ],
)
def test_the_judge_of_routes_knows_what_is_wrong(tmp_path, routes, says):
    found = text_judge.faults(written(tmp_path, LILIM), routes, set())
    assert (says is None and not found) or any(says in one for one in found)


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


def test_files_that_are_cut_off_are_named(tmp_path):
    with pytest.raises(UnreadableFile):
        read_sartori(written(tmp_path, SARTORI[: SARTORI.index("3 1 0 9 2")]))
    with pytest.raises(UnreadableFile, match="empty"):
        read_lilim(written(tmp_path, ""))
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_lilim(tmp_path / "missing.txt")


@needs_data
@pytest.mark.parametrize("name", ["lc101", "lr105", "lrc201"])
def test_plans_of_public_instances_pass_the_audit(name):
    case = read_lilim(folder("pdptw", "lilim", "100", f"{name}.txt"))
    solution = plan_routes(case.problem, case.travel, objective="cost", budget=Budget(1000))
    assert audit(case.problem, case.travel, solution) == []


@needs_data
@pytest.mark.skipif("PDPTW_CHECK" not in os.environ, reason="PDPTW_CHECK names no independent checker")
@pytest.mark.parametrize("name", ["lilim/100/lr101.txt", "lilim/100/lc203.txt", "sartori/n100/bar-n100-1.txt"])
def test_the_independent_checker_agrees(name, tmp_path):
    path = folder("pdptw", *name.split("/"))
    read = read_lilim if "lilim" in name else read_sartori
    case = read(path, fixed=10**10)
    solution = plan_routes(case.problem, case.travel, budget=Budget(100_000))
    out = written(tmp_path, write_routes(case, solution.rows), "out.txt")
    command = [sys.executable, os.environ["PDPTW_CHECK"], str(path), str(out), "--json"]
    verdict = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
    assert verdict["feasible"], verdict
    assert verdict["vehicles"] == (np.diff(solution.rows.stop_ptr) > 0).sum()
    assert verdict["travel"] == pytest.approx(distance_of(case, solution.rows))


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


def answer(data: dict[str, Any], work: int = 2000) -> dict[str, Any]:
    case = vroom_case(data)
    solution = plan_routes(case.problem, case.travel, budget=Budget(work))
    assert audit(case.problem, case.travel, solution) == []
    said = write_vroom(case, solution)
    assert faults(data, said) == []
    return said


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
    # the job at 1: its windows are [0, 3] and [100, 200]; setup 7 before service 5; he leaves at 90 rather than wait
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
    assert case.problem.told.stop_place.tolist() == [1, 2, 0]
    assert evaluate(case.problem, case.travel, case.problem.told).feasible


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
        (lambda d: d.update(options={"g": True}), Unsupported, "options.g"),
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
        (lambda d: d["jobs"][0].update(location_index=4), InvalidInput, "matrices.car.durations"),
        (lambda d: d["shipments"][0].pop("delivery"), InvalidInput, "shipments[0].delivery"),
        (lambda d: d["matrices"]["car"].update(durations=[[0, 1], [1]]), InvalidInput, "matrices.car.durations"),
        (lambda d: d["matrices"]["car"].update(durations=[[0, -1], [1, 0]]), InvalidInput, "matrices.car.durations"),
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
