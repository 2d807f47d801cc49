"""Random VROOM inputs whose steps may break anything."""

from __future__ import annotations

import random
from typing import Any

Json = dict[str, Any]


def drawn_plan(rng: random.Random) -> Json:
    """Two vehicles with steps in a random order over up to four jobs and two shipments."""
    size = rng.randint(3, 6)
    table = [[0 if a == b else rng.randint(5, 60) for b in range(size)] for a in range(size)]
    jobs = [_job(rng, k, size) for k in range(1, rng.randint(2, 5))]
    shipments = [
        {
            "amount": [1],
            "pickup": {"id": k, "location_index": rng.randrange(size), **_windows(rng)},
            "delivery": {"id": k, "location_index": rng.randrange(size), "service": 4, **_windows(rng)},
        }
        for k in range(rng.randint(0, 2))
    ]
    steps: list[Json] = [{"type": "job", "id": job["id"]} for job in jobs]
    steps += [{"type": side, "id": one[side]["id"]} for one in shipments for side in ("pickup", "delivery")]
    rng.shuffle(steps)
    cut = rng.choice([0, len(steps) // 2, len(steps)])
    vehicles = [_vehicle(rng, v, size, own) for v, own in enumerate((steps[:cut], steps[cut:]))]
    return {"vehicles": vehicles, "jobs": jobs, "shipments": shipments, "matrices": {"car": {"durations": table}}}


def _windows(rng: random.Random) -> Json:
    """Up to three windows, none of them touching another; or none."""
    found, at = [], 0
    for _ in range(rng.randint(0, 3)):
        at += rng.randint(10, 120)
        found.append([at, at + rng.randint(0, 60)])
        at = found[-1][1] + 1
    return {"time_windows": found} if found else {}


def _job(rng: random.Random, number: int, size: int) -> Json:
    job = {
        "id": number, "location_index": rng.randrange(size), "service": rng.choice([0, 7]),
        "setup": rng.choice([0, 0, 3]), "delivery": [rng.randint(0, 2)], "pickup": [rng.randint(0, 1)], **_windows(rng),
    }  # fmt: skip
    return job | ({"skills": [1]} if rng.random() < 0.2 else {})


def _vehicle(rng: random.Random, number: int, size: int, steps: list[Json]) -> Json:
    """A vehicle with most of the steps, its breaks anywhere between them, and bounds on some."""
    steps = [step for step in steps if rng.random() < 0.9]
    own: Json = {"id": number, "capacity": [2], "start_index": 0, "end_index": rng.randrange(size)}
    if rng.random() < 0.6:
        opens = rng.randint(0, 100)
        own["time_window"] = [opens, opens + rng.randint(50, 400)]
    if rng.random() < 0.6:
        own["breaks"] = [
            {"id": k, "service": rng.randint(0, 20), **({"time_windows": [[0, 500]]} | _windows(rng))}
            for k in range(rng.randint(1, 2))
        ]
        if rng.random() < 0.3:
            own["breaks"][0]["max_load"] = [1]
        for rest in own["breaks"]:
            if rng.random() < 0.8:
                steps.insert(rng.randint(0, len(steps)), {"type": "break", "id": rest["id"]})
    for key, least, most in (("max_tasks", 1, 3), ("max_travel_time", 50, 150)):
        if rng.random() < 0.3:
            own[key] = rng.randint(least, most)
    for step in steps:
        if rng.random() < 0.2:
            step[rng.choice(["service_after", "service_before", "service_at"])] = rng.randint(0, 300)
    own["steps"] = [{"type": "start"}, *steps, {"type": "end"}] if steps else []
    return own
