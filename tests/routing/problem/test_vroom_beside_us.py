"""Random inputs answered by VROOM itself and by us: its plans are no better."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.routing.problem.test_vroom_examples import answer


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


def enriched(rng: random.Random) -> dict[str, Any]:
    """As `drawn`, with breaks, limits, setups, several windows, priorities, swaps, tasks for a price, open ends."""
    data = drawn(rng)
    table = data["matrices"]["car"]
    table["distances"] = [[3 * x for x in row] for row in table["durations"]]
    for job in data["jobs"]:
        job |= {"setup": rng.choice([0, 40]), "priority": rng.choice([0, 0, 5])}
        if rng.random() < 0.4:
            job["pickup"] = [rng.randint(1, 2)]
        if rng.random() < 0.4:
            opens = rng.randrange(2000)
            job["time_windows"] = [[opens, opens + 300], [opens + 900, opens + 1500]]
    for vehicle in data["vehicles"]:
        if rng.random() < 0.7:
            opens = rng.randrange(1500)
            rests = [
                {"id": k, "service": 100, "time_windows": [[opens + 900 * k, opens + 900 * k + 400]]} for k in (0, 1)
            ]
            vehicle["breaks"] = rests[: rng.randint(1, 2)]
            if rng.random() < 0.3:
                vehicle["breaks"][0]["max_load"] = [1]
        if rng.random() < 0.3:
            vehicle["max_travel_time"] = rng.randrange(1000, 3000)
        if rng.random() < 0.3:
            vehicle["max_distance"] = rng.randrange(3000, 9000)
        if rng.random() < 0.3:
            vehicle["max_tasks"] = rng.randint(1, 5)
        if rng.random() < 0.3:
            del vehicle["end_index"]
        vehicle["costs"] = {
            "fixed": rng.choice([0, 900]),
            "per_hour": rng.choice([3600, 1234]),
            "per_km": rng.choice([0, 77]),
        }
    return data


def standing(said: dict[str, Any]) -> tuple[int, int, int]:
    """What comes first of an answer: priority served, tasks left out, cost; the lower the better."""
    summary = said["summary"]
    return -summary["priority"], summary["unassigned"], summary["cost"]


@pytest.mark.parametrize("seed", range(40))
def test_vroom_itself_does_no_better_with_everything(seed):
    pytest.importorskip("vroom")
    from benchmarks.peers.with_vroom import run_vroom

    data = enriched(random.Random(seed))
    for shipment in data["shipments"]:
        shipment["priority"] = 0  # VROOM counts a shipment's twice
    theirs = run_vroom(data, None)[0]
    assert standing(answer(data, 6000)) <= standing(theirs)


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
