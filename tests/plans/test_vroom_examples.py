"""VROOM's documented examples (docs/example_*.json, API.md) re-typed, outcomes derived by hand; and VROOM itself."""

from __future__ import annotations

import random
from typing import Any

import pytest

from routing.errors import InvalidInput, Unsupported
from routing.plans.audit import audit
from routing.plans.budget import Budget
from routing.plans.formats.vroom import vroom_case
from routing.plans.formats.vroom_answer import write_vroom
from routing.plans.routes import plan_routes

FAR = 9_000
"""Seconds of a leg that no good plan uses."""

ROUTE_KEYS = {
    "vehicle", "cost", "delivery", "pickup", "setup", "service", "duration", "waiting_time", "priority", "distance",
    "steps", "violations",
}  # fmt: skip
STEP_KEYS = {"type", "setup", "service", "waiting_time", "load", "arrival", "duration", "violations"}
SUMMARY_KEYS = {
    "cost", "routes", "unassigned", "delivery", "pickup", "setup", "service", "duration", "waiting_time", "priority",
    "distance", "violations",
}  # fmt: skip


def answer(data: dict[str, Any], work: int = 3000) -> dict[str, Any]:
    """What `halfhour solve` writes, judged by the audit."""
    case = vroom_case(data)
    solution = plan_routes(case.problem, case.travel, budget=Budget(work))
    assert audit(case.problem, case.travel, solution) == []
    return write_vroom(case, solution)


def steps_of(route: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(step["type"], step.get("id")) for step in route["steps"]]


def first_example(**vehicle: Any) -> dict[str, Any]:
    """Example 1 without its breaks, at 08:00 to 12:00; locations: 0 depot, then jobs 1, 2, 5, 6, pickup 4, delivery 3.

    The legs are those that VROOM's own answer drives; all others are long.
    """
    legs = {
        (0, 1): 2328, (1, 2): 890, (2, 3): 1595, (3, 0): 1752, (0, 4): 2941, (4, 5): 3816, (5, 6): 1909, (6, 0): 3480,
    }  # fmt: skip
    own = {"start_index": 0, "end_index": 0, "capacity": [4], "time_window": [28800, 43200], **vehicle}
    job = {"service": 300, "delivery": [1]}
    return {
        "vehicles": [{"id": 1, "skills": [1, 14], **own}, {"id": 2, "skills": [2, 14], **own}],
        "jobs": [
            {"id": 1, "location_index": 1, "skills": [1], "time_windows": [[32400, 36000]], **job},
            {"id": 2, "location_index": 2, "skills": [1], **job},
            {"id": 5, "location_index": 3, "skills": [14], **job},
            {"id": 6, "location_index": 4, "skills": [14], **job},
        ],
        "shipments": [
            {
                "amount": [1],
                "skills": [2],
                "pickup": {"id": 4, "service": 300, "location_index": 5},
                "delivery": {"id": 3, "service": 300, "location_index": 6},
            }
        ],
        "matrices": {
            "car": {"durations": [[0 if a == b else legs.get((a, b), FAR) for b in range(7)] for a in range(7)]}
        },
    }


def test_example_1_is_answered_as_vroom_answers_it():
    # Skills give jobs 1 and 2 to vehicle 1 and the shipment to vehicle 2.  2328 + 890 + 1595 + 1752 = 6565 and
    # 2941 + 3816 + 1909 + 3480 = 12146; six tasks of 300 s.  VROOM answers 18711 too (300 s of service more, a break).
    said = answer(first_example())
    assert said["code"] == 0
    assert set(said["summary"]) == SUMMARY_KEYS
    summary = said["summary"]
    assert (summary["cost"], summary["duration"], summary["service"]) == (18711, 18711, 1800)
    assert (summary["routes"], summary["unassigned"], summary["waiting_time"], summary["setup"]) == (2, 0, 0, 0)
    one, two = said["routes"]
    assert set(one) == ROUTE_KEYS
    assert all(set(step) >= STEP_KEYS for step in one["steps"])
    assert (one["vehicle"], one["cost"], two["vehicle"], two["cost"]) == (1, 6565, 2, 12146)
    assert steps_of(one) == [("start", None), ("job", 1), ("job", 2), ("job", 5), ("end", None)]
    assert steps_of(two) == [
        ("start", None), ("job", 6), ("pickup", 4), ("delivery", 3), ("end", None),
    ]  # fmt: skip
    # Three jobs' goods leave the depot with vehicle 1; vehicle 2 carries one to job 6, then the shipment.
    assert [step["load"] for step in one["steps"]] == [[3], [2], [1], [0], [0]]
    assert [step["load"] for step in two["steps"]] == [[1], [0], [1], [0], [0]]
    assert (one["delivery"], one["pickup"], two["delivery"], two["pickup"]) == ([3], [0], [2], [1])


def test_example_1_nobody_leaves_to_wait():
    # Job 1 opens at 32400, the leg takes 2328: he sets off at 30072, not at 28800.
    one = answer(first_example())["routes"][0]
    assert [step["arrival"] for step in one["steps"]] == [
        32400 - 2328, 32400, 32700 + 890, 32700 + 890 + 300 + 1595, 32700 + 890 + 300 + 1595 + 300 + 1752
    ]  # fmt: skip
    assert [step["duration"] for step in one["steps"]] == [0, 2328, 3218, 4813, 6565]


def test_example_1_breaks_are_refused_by_name():
    with pytest.raises(Unsupported) as caught:
        answer(first_example(breaks=[{"id": 1, "service": 300, "time_windows": [[36000, 37800]]}]))
    assert caught.value.details["field"] == "vehicles[0].breaks"


def test_example_2_with_a_matrix():
    # 0 -> 1 -> 2 -> 3: 2104 + 2255 + 1102 = 5461; the other way round 197 + 2256 + 3152 = 5605.
    table = [[0, 2104, 197, 1299], [2103, 0, 2255, 3152], [197, 2256, 0, 1102], [1299, 3153, 1102, 0]]
    said = answer(
        {
            "vehicles": [{"id": 0, "start_index": 0, "end_index": 3}],
            "jobs": [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}],
            "matrices": {"car": {"durations": table}},
        }
    )
    assert (said["summary"]["cost"], said["summary"]["unassigned"], said["unassigned"]) == (5461, 0, [])
    (route,) = said["routes"]
    assert steps_of(route) == [("start", None), ("job", 1414), ("job", 1515), ("end", None)]
    assert [step["arrival"] for step in route["steps"]] == [0, 2104, 4359, 5461]
    assert [step["load"] for step in route["steps"]] == [[], [], [], []]


def test_version_1_example_with_an_old_matrix():
    # The first documented example: eight points, from 0 to 7; the documented tour 0 5 4 1 6 2 3 7 costs
    # 436 + 2019 + 1456 + 1685 + 570 + 762 + 340 = 7268.
    table = [
        [0, 2104, 197, 959, 1975, 436, 418, 1299], [2103, 0, 2255, 2812, 1455, 2539, 1685, 3152],
        [197, 2256, 0, 762, 2172, 633, 570, 1102], [959, 2813, 762, 0, 2934, 1395, 1127, 340],
        [1975, 1456, 2172, 2934, 0, 2020, 2169, 3274], [435, 2539, 632, 1394, 2019, 0, 853, 1734],
        [418, 1686, 570, 1127, 2169, 854, 0, 1467], [1299, 3153, 1102, 340, 3274, 1735, 1467, 0],
    ]  # fmt: skip
    said = answer(
        {
            "vehicles": [{"id": 0, "start_index": 0, "end_index": 7}],
            "jobs": [{"id": k, "location_index": k} for k in range(1, 7)],
            "matrix": table,
        }
    )
    assert said["summary"]["cost"] == 7268
    assert [step["id"] for step in said["routes"][0]["steps"][1:-1]] == [5, 4, 1, 6, 2, 3]


def test_example_3_told_steps_and_what_it_cannot_do():
    # Example 3 plans given steps: vehicle 1 is told jobs 1, 2 and 5, with 2 + 2 + 3 units on 4: VROOM reports the
    # overload, we keep the law and leave out with a reason what does not fit.
    data = first_example(time_window=[0, 20000])
    data["shipments"] = []
    data["jobs"] = [
        {"id": 1, "location_index": 1, "delivery": [2], "service": 300},
        {"id": 2, "location_index": 2, "delivery": [2], "service": 300},
        {"id": 5, "location_index": 3, "delivery": [3], "service": 300},
    ]
    data["vehicles"] = [data["vehicles"][0]]
    data["vehicles"][0]["steps"] = [
        {"type": "start"}, {"type": "job", "id": 1}, {"type": "job", "id": 2}, {"type": "job", "id": 5},
        {"type": "end"},
    ]  # fmt: skip
    said = answer(data)
    assert {item["reason"] for item in said["unassigned"]} == {"CAPACITY"}
    assert max(step["load"][0] for step in said["routes"][0]["steps"]) <= 4
    data["vehicles"][0]["steps"][0]["service_after"] = 10
    with pytest.raises(Unsupported) as caught:
        vroom_case(data)
    assert caught.value.details["field"] == "vehicles[0].steps[0].service_after"
    data["vehicles"][0]["id"] = "1"
    with pytest.raises(InvalidInput) as wrong:
        vroom_case(data)
    assert wrong.value.details["field"] == "vehicles[0].id"


def line(size: int, step: int = 100) -> dict[str, Any]:
    """Locations on a line."""
    return {"car": {"durations": [[abs(a - b) * step for b in range(size)] for a in range(size)]}}


def test_priorities_and_max_tasks():
    # One task only: priority 10 outweighs two of priority 0, far as it is; the summary adds up priorities served.
    vehicle = {"id": 1, "start_index": 0, "max_tasks": 1}
    jobs = [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 3, "priority": 10}]
    said = answer({"vehicles": [vehicle], "jobs": jobs, "matrices": line(4)})
    assert (said["summary"]["priority"], said["summary"]["cost"]) == (10, 300)
    assert said["unassigned"] == [{"id": 1, "type": "job", "location_index": 1, "reason": "CAPACITY"}]


def test_several_windows_setup_and_service():
    # Arrival at 100 is too late for [0, 50] and waits for [400, 500]: he sets off at 300 - 100 and neither waits nor
    # comes late; setup 20 is spent behind the opening, then service 30: back at 400 + 20 + 30 + 100.
    job = {"id": 1, "location_index": 1, "setup": 20, "service": 30, "time_windows": [[0, 50], [400, 500]]}
    said = answer({"vehicles": [{"id": 1, "start_index": 0, "end_index": 0}], "jobs": [job], "matrices": line(2)})
    (route,) = said["routes"]
    assert [step["arrival"] for step in route["steps"]] == [300, 400, 550]
    assert (said["summary"]["setup"], said["summary"]["service"], said["summary"]["waiting_time"]) == (20, 30, 0)


def test_costs_fixed_per_hour_and_per_kilometre():
    # 1800 s and 5 km each way: 100 + 2 x (7200 / 2) + 2 x 5 x 40 per vehicle that is used; one is enough.
    vehicle = {"start_index": 0, "end_index": 0, "costs": {"fixed": 100, "per_hour": 7200, "per_km": 40}}
    matrix = {"car": {"durations": [[0, 1800], [1800, 0]], "distances": [[0, 5000], [5000, 0]]}}
    jobs = [{"id": k, "location_index": 1} for k in (1, 2)]
    said = answer({"vehicles": [{"id": 1, **vehicle}, {"id": 2, **vehicle}], "jobs": jobs, "matrices": matrix})
    assert (said["summary"]["routes"], said["summary"]["cost"]) == (1, 100 + 7200 + 400)
    assert said["summary"]["distance"] == 10_000


def test_profiles_and_speed_factor():
    # The bike's matrix says 600 s, the car's 200 at speed factor .5, that is 400: the car goes.
    matrices = {"car": {"durations": [[0, 200], [200, 0]]}, "bike": {"durations": [[0, 600], [600, 0]]}}
    vehicles = [
        {"id": 1, "profile": "bike", "start_index": 0},
        {"id": 2, "profile": "car", "start_index": 0, "speed_factor": 0.5},
    ]
    said = answer({"vehicles": vehicles, "jobs": [{"id": 1, "location_index": 1}], "matrices": matrices})
    assert [(route["vehicle"], route["duration"]) for route in said["routes"]] == [(2, 400)]


def test_amounts_in_two_dimensions():
    # Weight would do for both, pallets for one at a time: two vehicles.
    vehicle = {"start_index": 0, "capacity": [10, 1]}
    jobs = [{"id": k, "location_index": 1, "delivery": [3, 1]} for k in (1, 2)]
    said = answer({"vehicles": [{"id": 1, **vehicle}, {"id": 2, **vehicle}], "jobs": jobs, "matrices": line(2)})
    assert (said["summary"]["routes"], said["summary"]["delivery"]) == (2, [6, 2])


@pytest.mark.parametrize("key", ["max_travel_time", "max_distance"])
def test_limits_of_a_route_are_refused_by_name(key):
    data = {
        "vehicles": [{"id": 1, "start_index": 0, key: 100}], "jobs": [{"id": 1, "location_index": 1}],
        "matrices": line(2),
    }  # fmt: skip
    with pytest.raises(Unsupported) as caught:
        vroom_case(data)
    assert caught.value.details["field"] == f"vehicles[0].{key}"


def drawn(rng: random.Random) -> dict[str, Any]:
    """A small random input with what both understand."""
    size = rng.randint(4, 8)
    at = [(rng.randrange(1000), rng.randrange(1000)) for _ in range(size)]
    durations = [[round(((a - c) ** 2 + (b - d) ** 2) ** 0.5) for c, d in at] for a, b in at]
    jobs, shipments = [], []
    for k in range(1, rng.randint(3, 6)):
        job: dict[str, Any] = {"id": k, "location_index": rng.randrange(1, size), "delivery": [rng.randint(0, 2)]}
        if rng.random() < 0.5:
            opens = rng.randrange(0, 3000)
            job["time_windows"] = [[opens, opens + rng.randrange(100, 1500)]]
        if rng.random() < 0.3:
            job["skills"] = [1]
        job["service"] = rng.choice([0, 60])
        jobs.append(job)
    for k in range(rng.randint(0, 3)):
        side = {"id": k + 1, "service": 30}
        shipments.append(
            {
                "amount": [1],
                "pickup": {**side, "location_index": rng.randrange(1, size)},
                "delivery": {**side, "location_index": rng.randrange(1, size)},
            }
        )
    own = {"start_index": 0, "end_index": 0, "capacity": [4], "time_window": [0, rng.randrange(2500, 9000)]}
    return {
        "vehicles": [{"id": 1, "skills": [1], **own}, {"id": 2, **own}], "jobs": jobs, "shipments": shipments,
        "matrices": {"car": {"durations": durations}},
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_vroom_itself_serves_no_more_and_is_no_cheaper(seed):
    pytest.importorskip("vroom")
    from benchmarks.peers.with_vroom import run_vroom

    data = drawn(random.Random(seed))
    ours = answer(data)["summary"]
    theirs = run_vroom(data, None)[0]["summary"]
    assert ours["unassigned"] <= theirs["unassigned"]
    if ours["unassigned"] == theirs["unassigned"]:
        assert ours["cost"] <= theirs["cost"]
