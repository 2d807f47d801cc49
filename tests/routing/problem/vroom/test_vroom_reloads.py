"""Vehicles of a VROOM input that come back to load: random inputs solved, judged, and tampered with."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from halfhour.solving import solve
from routing.problem.formats.vroom_judge import faults


def an_input(seed: int) -> dict[str, Any]:
    """Deliveries, pickups and swaps around a depot, more than vehicles hold at once; some have breaks and setups."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, 500, (8, 2))
    seconds = np.rint(np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))).astype(int).tolist()
    jobs = []
    for k in range(1, 8):
        amounts = {key: [int(rng.integers(0, 4))] for key in ("delivery", "pickup") if rng.random() < 0.6}
        more = {"setup": int(rng.integers(0, 50))} if rng.random() < 0.3 else {}
        if rng.random() < 0.4:
            opens = int(rng.integers(0, 2000))
            more["time_windows"] = [[opens, opens + 900]]
        jobs.append({"id": k, "location_index": k, "service": int(rng.integers(0, 60)), **amounts, **more})
    vehicles = [{
        "id": v, "start_index": 0, "end_index": 0, "capacity": [int(rng.integers(3, 6))],
        "reloads": {"service": int(rng.integers(0, 90))} | ({"most": 1} if rng.random() < 0.3 else {}),
        "costs": {"per_hour": 3600, "per_task_hour": int(rng.integers(0, 2) * 1800)},
    } for v in range(2)]  # fmt: skip
    if rng.random() < 0.5:
        vehicles[0]["breaks"] = [{"id": 1, "service": 200, "time_windows": [[300, 1500]]}]
    return {"vehicles": vehicles, "jobs": jobs, "matrices": {"car": {"durations": seconds}}}


@pytest.mark.parametrize("seed", range(25))
def test_what_reloads_is_lawful_and_serves_no_less(seed):
    data = an_input(seed)
    said = solve(data, work=800).answer  # raises WrongAnswer where the judge does not agree
    for vehicle in data["vehicles"]:
        del vehicle["reloads"]
    without = solve(data, work=800).answer
    assert said["summary"]["unassigned"] <= without["summary"]["unassigned"]


def reloading() -> tuple[dict[str, Any], dict[str, Any]]:
    """An input and its answer in which somebody reloads."""
    for seed in range(25):
        data = an_input(seed)
        said = solve(data, work=800).answer
        if any(step["type"] == "reload" for step in said["routes"][0]["steps"]):
            return data, said
    raise AssertionError("nobody reloads")


def test_the_judge_of_answers_sees_what_is_wrong_with_a_reload():
    data, said = reloading()
    assert faults(data, said) == []
    steps = said["routes"][0]["steps"]
    k = next(k for k, step in enumerate(steps) if step["type"] == "reload")
    changes: list[Any] = [
        lambda own: own.pop(k),
        lambda own: own[k].update(service=own[k]["service"] + 1),
        lambda own: own[k].update(arrival=own[k]["arrival"] + 1),
        lambda own: own[k].update(load=[own[k]["load"][0] + 1]),
        lambda own: own.insert(k, own[k]),
    ]
    for change in changes:
        changed = json.loads(json.dumps(said))
        change(changed["routes"][0]["steps"])
        assert faults(data, changed) != []
    strict = json.loads(json.dumps(data))
    for vehicle in strict["vehicles"]:
        vehicle["reloads"]["most"] = 0
    assert any("reloads 1 times" in fault for fault in faults(strict, said))
