"""VROOM's documented examples (docs/example_*.json, API.md) re-typed, outcomes derived by hand; and VROOM itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from routing.errors import InvalidInput, Unsupported
from routing.plans.budget import Budget
from routing.plans.plan import plan_routes
from routing.problem.formats.vroom import vroom_case
from routing.problem.formats.vroom_answer import write_vroom
from routing.problem.formats.vroom_judge import faults
from tests.kit.plans.vroom_answers import answer

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
    # Job 1 opens at 32400, the leg takes 2328: they set off at 30072, not at 28800.
    one = answer(first_example())["routes"][0]
    assert [step["arrival"] for step in one["steps"]] == [
        32400 - 2328, 32400, 32700 + 890, 32700 + 890 + 300 + 1595, 32700 + 890 + 300 + 1595 + 300 + 1752
    ]  # fmt: skip
    assert [step["duration"] for step in one["steps"]] == [0, 2328, 3218, 4813, 6565]


def test_example_1_takes_its_breaks():
    # Job 1 from 32400 to 32700; 890 s later, at 33590, job 2 until 33890; on the way to job 5 (1595 s, there at 35485)
    # and behind it the break waits for 36000 in the end: 35785 + 215 s of the last leg, 300 s of rest, 1537 s more.
    one = answer(first_example(breaks=[{"id": 9, "service": 300, "time_windows": [[36000, 37800]]}]))["routes"][0]
    assert steps_of(one) == [("start", None), ("job", 1), ("job", 2), ("job", 5), ("break", 9), ("end", None)]
    rest, home = one["steps"][-2:]
    assert (rest["arrival"], rest["waiting_time"], rest["service"], rest["duration"]) == (36000, 0, 300, 4813 + 215)
    assert (home["arrival"], home["duration"]) == (36300 + 1752 - 215, 6565)
    assert (one["service"], one["duration"], one["cost"]) == (1200, 6565, 6565)


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
    # Arrival at 100 is too late for [0, 50] and waits for [400, 500]: they set off at 300 - 100 and neither waits nor
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


@pytest.mark.parametrize(
    ("key", "most", "left"), [("max_travel_time", 300, 0), ("max_travel_time", 299, 1), ("max_distance", 2999, 1)]
)
def test_limits_of_a_route(key, most, left):
    # Two jobs on a line, 100 s and 300 s away, a kilometre for 100 s, no way back: 300 s and 3 km serve both.
    matrix = {"durations": line(4)["car"]["durations"], "distances": line(4, 1000)["car"]["durations"]}
    jobs = [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 3}]
    said = answer({"vehicles": [{"id": 1, "start_index": 0, key: most}], "jobs": jobs, "matrices": {"car": matrix}})
    assert [item["id"] for item in said["unassigned"]] == [2] * left
    assert [item["reason"] for item in said["unassigned"]] == ["TRAVEL_LIMIT"] * left


def test_a_job_brings_and_takes():
    # 3 of 4 on board; job 1 swaps 1 for 2 (4 on board), job 2 leaves 2.  The other order would carry 1 + 2 behind 2.
    jobs = [
        {"id": 1, "location_index": 1, "delivery": [1], "pickup": [2]}, {"id": 2, "location_index": 2, "delivery": [2]},
    ]  # fmt: skip
    data = {"vehicles": [{"id": 1, "start_index": 0, "capacity": [4]}], "jobs": jobs, "matrices": line(3)}
    (route,) = answer(data)["routes"]
    assert [step["load"] for step in route["steps"]] == [[3], [4], [2], [2]]
    assert (route["delivery"], route["pickup"]) == ([3], [2])
    data["vehicles"][0]["capacity"] = [3]
    assert steps_of(answer(data)["routes"][0])[1:3] == [("job", 2), ("job", 1)]


def test_no_rest_with_goods_on_board():
    # The pause may begin at 100 to 250 with nothing on board: the pickup at 100, the drop at 200, then the pause.
    rest = {"id": 1, "time_windows": [[100, 250]], "service": 50, "max_load": [0]}
    shipment = {"amount": [1], "pickup": {"id": 1, "location_index": 1}, "delivery": {"id": 1, "location_index": 2}}
    data = {
        "vehicles": [
            {"id": 1, "start_index": 0, "end_index": 0, "capacity": [1], "time_window": [0, 500], "breaks": [rest]},
        ],
        "shipments": [shipment], "matrices": line(3),
    }  # fmt: skip
    (route,) = answer(data)["routes"]
    kinds = [step["type"] for step in route["steps"]]
    assert kinds in (["start", "pickup", "delivery", "break", "end"], ["start", "break", "pickup", "delivery", "end"])
    data["shipments"][0]["pickup"]["time_windows"] = [[0, 90]]
    data["shipments"][0]["pickup"]["location_index"] = 0
    data["shipments"][0]["delivery"]["time_windows"] = [[300, 400]]
    assert [item["reason"] for item in answer(data)["unassigned"]] == ["BREAKS", "BREAKS"]


def test_a_setup_is_done_once_at_a_shared_location_within_its_window():
    # There at 200 and early: the window opens at 900 for the setup of 700; the second job follows without one.
    job = {"location_index": 1, "setup": 700, "service": 50, "time_windows": [[900, 1650]]}
    data = {
        "vehicles": [{"id": 1, "start_index": 0}], "jobs": [{"id": k, **job} for k in (1, 2)], "matrices": line(2, 200),
    }  # fmt: skip
    (route,) = answer(data)["routes"]
    assert [(step["arrival"], step["setup"]) for step in route["steps"]] == [
        (700, 0),
        (900, 700),
        (1650, 0),
        (1700, 0),
    ]
    for job in data["jobs"]:
        job["time_windows"] = [[900, 1649]]
    assert len(answer(data)["unassigned"]) == 1


@pytest.mark.parametrize("base", [0, 1_744_009_200, 1_744_009_200_000_000, -5_000])
def test_any_instant_is_answered_in_the_users_clock(base):
    job = {"id": 1, "location_index": 1, "service": 10, "time_windows": [[base + 500, base + 900]]}
    vehicle = {"id": 1, "start_index": 0, "end_index": 0, "time_window": [base, base + 2000]}
    (route,) = answer({"vehicles": [vehicle], "jobs": [job], "matrices": line(2)})["routes"]
    assert [step["arrival"] for step in route["steps"]] == [base + 400, base + 500, base + 610]


@pytest.mark.parametrize("price", [1, 3457, 2 * 10**6])
def test_no_price_leaves_a_task_out(price):
    matrix = {"durations": line(3)["car"]["durations"], "distances": line(3, 10**6)["car"]["durations"]}
    vehicle = {"id": 1, "start_index": 0, "costs": {"fixed": price, "per_hour": 45679, "per_km": price}}
    said = answer({"vehicles": [vehicle], "jobs": [{"id": 1, "location_index": 2}], "matrices": {"car": matrix}})
    assert said["unassigned"] == []
    assert said["summary"]["cost"] == price + round(200 * 45679 / 3600 + 2000 * price)


@pytest.mark.parametrize(("penalty", "served"), [(199, False), (201, True)])
def test_a_task_with_a_penalty_is_left_out_where_serving_costs_more(penalty, served):
    # 200 s there and back.
    data = {
        "vehicles": [{"id": 1, "start_index": 0, "end_index": 0}],
        "jobs": [{"id": 1, "location_index": 1, "penalty": penalty, "priority": 100}], "matrices": line(2),
    }  # fmt: skip
    said = answer(data)
    assert [item["reason"] for item in said["unassigned"]] == ([] if served else ["TOO_DEAR"])
    assert said["summary"]["penalty"] == (0 if served else penalty)


def test_priority_then_number_then_price():
    # One of 100 is worth more than nineteen of 5, and two of 5 more than one of 9; of equals the near one is served.
    jobs = [{"id": k, "location_index": 1, "priority": 5} for k in range(19)] + [
        {"id": 99, "location_index": 2, "priority": 100}
    ]
    matrix = {"car": {"durations": [[0 if a == b else 60 for b in range(3)] for a in range(3)]}}
    vehicle = {"id": 1, "start_index": 0, "time_window": [0, 100]}
    said = answer({"vehicles": [vehicle], "jobs": jobs, "matrices": matrix})
    assert steps_of(said["routes"][0])[1:-1] == [("job", 99)]
    far = [{"id": k, "location_index": 1, "priority": 0} for k in (1, 2)] + [{"id": 3, "location_index": 2}]
    said = answer({"vehicles": [vehicle], "jobs": far, "matrices": matrix})
    assert [item["id"] for item in said["unassigned"]] == [3]


def test_a_table_with_something_on_its_diagonal_means_the_same_everywhere():
    data = {
        "vehicles": [{"id": 1, "start_index": 0}], "jobs": [{"id": k, "location_index": 1} for k in (1, 2)],
        "matrices": {"car": {"durations": [[7, 100], [100, 9]]}},
    }  # fmt: skip
    assert answer(data)["summary"]["duration"] == 100


def test_coordinates_are_no_indices():
    # Points are measured whatever index stands beside them; an index alone means nothing.
    data: dict[str, Any] = {
        "vehicles": [{"id": 1, "start": [4.0, 52.0], "start_index": 5}],
        "jobs": [{"id": 1, "location": [4.1, 52.0], "location_index": 0}, {"id": 2, "location": [4.3, 52.0]}],
    }

    def measure(points: list[tuple[float, float]], profile: str) -> tuple[Any, Any]:
        at = np.rint(np.array([lng for lng, _ in points]) * 1000).astype(np.int64)
        apart = np.abs(at[:, None] - at[None, :])
        return apart, 10 * apart

    case = vroom_case(data, table_of=measure)
    said = write_vroom(case, plan_routes(case.problem, case.travel, budget=Budget(100)))
    assert faults(data, said, measure) == []
    assert (said["summary"]["duration"], said["summary"]["distance"]) == (300, 3000)
    assert [step.get("location_index") for step in said["routes"][0]["steps"]] == [5, 0, None, None]
    del data["jobs"][0]["location"]
    with pytest.raises(InvalidInput) as caught:
        vroom_case(data, table_of=measure)
    assert caught.value.details["field"] == "jobs[0].location_index"


def test_steps_that_cannot_be_driven_are_mended_and_said():
    data = first_example()
    data["vehicles"][0]["steps"] = [{"type": "job", "id": 2}, {"type": "job", "id": 1}]  # 9,000 s and back: too late
    said = answer(data)
    assert [one["path"] for one in said["warnings"]] == ["vehicles[0].steps"]
    assert said["unassigned"] == []
