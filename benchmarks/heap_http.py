"""The same days through the heap and through HTTP: do their KPIs agree?

    python -m benchmarks.heap_http [--days 4 --seeds 6 --orders 120 --riders 26 --hours 1] [--out benchmarks/results]

Each day is replayed in the simulator under several seeds of the city's luck, and lived once, under one of them, by
robots against `halfhour serve` at sixty times the speed.  A KPI agrees where the mean difference lies within three
standard errors of what luck alone does, or within one per cent.  A round that the solver had no time for (`fallbacks`)
is another decision: where there are many, the machine was too busy for such a speed and the result says nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.live_city import CONFIG, lunch_peak
from benchmarks.load import Connections, request, service
from benchmarks.published import publish
from dispatch.policy import HalfhourPolicy
from halfhour.lived import kpis_of
from halfhour.robots import Robots
from sim.run import replay
from sim.scenario import Scenario

COMPARED = (
    "delivered", "cancelled", "click_to_door_mean_s", "ready_to_pickup_mean_s", "on_time_share", "lateness_mean_s",
    "batched_share", "driven_s_per_order", "utilisation",
)  # fmt: skip
SOLVER_S = 6
"""Seconds of the fast clock between a round and its answer: a tenth of a second of the machine's."""
STANDARD_ERRORS, SHARE = 3.0, 0.01


def through_the_heap(day: Scenario, seed: int, solver_s: int = SOLVER_S) -> dict[str, Any]:
    """KPIs of one replay."""
    modelled = dataclasses.replace(day.reality, solver_latency_s=solver_s)
    return replay(dataclasses.replace(day, reality=modelled), HalfhourPolicy(), seed=seed).summary


def through_http(day: Scenario, seed: int, speed: float) -> dict[str, Any]:
    """KPIs of one life behind HTTP, folded from the service's journal."""
    with tempfile.TemporaryDirectory(prefix="heap-http-") as text:
        folder = Path(text)
        with service(folder, settings=CONFIG, speed=speed, populated=False) as found:
            url = f"http://127.0.0.1:{found.port}"
            tally = asyncio.run(Robots(url, found.keys["admin"], day, speed=speed, seed=seed).run())
            asked = request("GET", "/v1/status", found.keys["riders"])
            status = json.loads(asyncio.run(Connections(found.port, 1).ask(asked))[1])
        summary = kpis_of(folder / "ledger").summary()
        return summary | {"failures": tally.failures, "fallbacks": status["fallbacks"]}


def compared(heap: list[list[dict[str, Any]]], http: list[dict[str, Any]]) -> dict[str, Any]:
    """Each KPI's means, their difference and how many standard errors of luck it is; `heap[day][seed]`."""
    found = {}
    for name in COMPARED:
        by_day = [[float(one[name]) for one in day] for day in heap]
        gaps = [float(one[name]) - statistics.fmean(values) for one, values in zip(http, by_day, strict=True)]
        variance = statistics.fmean(statistics.variance(values) for values in by_day)
        # One life a day differs from the day's mean by luck, and so does the mean of its seeds.
        error = math.sqrt(variance * (1 + 1 / len(by_day[0])) / len(gaps))
        mean, gap = statistics.fmean(value for values in by_day for value in values), statistics.fmean(gaps)
        found[name] = {
            "heap": round(mean, 4),
            "http": round(mean + gap, 4),
            "difference": round(gap, 4),
            "standard_error": round(error, 4),
            "agrees": abs(gap) <= max(STANDARD_ERRORS * error, SHARE * abs(mean)),
        }
    return found


def measured(days: int, seeds: int, speed: float, **size: Any) -> dict[str, Any]:
    """Days through both, and whether all KPIs agree."""
    heap, http = [], []
    for number in range(1, days + 1):
        day = lunch_peak(number, **size)
        heap.append([through_the_heap(day, seed) for seed in range(1, seeds + 1)])
        http.append(through_http(day, number, speed))
    rows = compared(heap, http)
    return {
        "days": days, "seeds": seeds, "speed": speed, **size, "solver_s": SOLVER_S,
        "failures": [one["failures"] for one in http], "fallbacks": [one["fallbacks"] for one in http],
        "kpis": rows, "holds": all(row["agrees"] for row in rows.values()),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, publishes; 1 where a KPI differs by more than luck."""
    parser = argparse.ArgumentParser(prog="benchmarks.heap_http", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--riders", type=int, default=26)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    size = {"orders": chosen.orders, "riders": chosen.riders, "hours": chosen.hours}
    found = measured(chosen.days, chosen.seeds, chosen.speed, **size)
    lines = [f"{name:24s} {value}" for name, value in found.items() if name != "kpis"]
    lines += ["", f"{'KPI':24s} {'heap':>10s} {'HTTP':>10s} {'difference':>10s} {'luck':>9s}  agrees"]
    lines += [
        f"{name:24s} {row['heap']:10.3f} {row['http']:10.3f} {row['difference']:10.3f} {row['standard_error']:9.3f}"
        f"  {'yes' if row['agrees'] else 'NO'}"
        for name, row in found["kpis"].items()
    ]
    print("\n".join(lines))
    if chosen.out:
        publish(chosen.out, "heap-http", found, lines)
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
