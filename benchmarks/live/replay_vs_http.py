"""The same days through the heap and through HTTP: do their KPIs agree?

    python -m benchmarks.live.replay_vs_http [--days 8 --orders 60 --riders 14 --hours 0.5 --speed 60]
                                           [--out benchmarks/results]

Each day is lived once by robots against `halfhour serve` under a fast clock, and replayed in the simulator under the
same luck, from the same instant, with the latency that the solver turned out to have.  What is compared is a pair a
day.  A KPI disagrees where the mean difference is beyond one per cent and its sign cannot be chance: an exact test that
flips the signs of the pairs, at the level of one per cent.  `luck` is what other seeds of the city's luck do to a day's
figure, for comparison.  Where the host answered more than one round in fifty itself, or there are too few days for the
test to say no, nothing is decided: exit status 2.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.ledger.upkeep.lived import opened
from benchmarks.inputs.live_city import CONFIG, lunch_peak
from benchmarks.live.load_service import service
from benchmarks.published import publish
from dispatch.policies.policy import HalfhourPolicy
from halfhour.live.live_kpis import kpis_of
from halfhour.robots import Robots, moved_to
from sim.replay.replay import replay
from sim.scenario import Scenario

COMPARED = (
    "delivered", "cancelled", "click_to_door_mean_s", "ready_to_pickup_mean_s", "on_time_share", "lateness_mean_s",
    "batched_share", "driven_s_per_order", "utilisation",
)  # fmt: skip
LEVEL, SHARE, MOST_FALLBACKS = 0.01, 0.01, 0.02
PREFIX = "t-"
"""In front of ids of orders, which the city's luck hangs on."""
SEEDS = 6
"""Of the city's luck, for the spread of a day's figures."""


@dataclasses.dataclass(frozen=True)
class DayTwice:
    """A life behind HTTP: its figures, when it began, how long rounds took by the service's clock, what went wrong."""

    kpis: dict[str, Any]
    begin_at: int
    solver_s: int
    rounds: int
    fallbacks: int
    failures: dict[str, int]
    robots_cpu_s: float


def through_the_heap(day: Scenario, seed: int, begin_at: int, solver_s: int) -> dict[str, Any]:
    """KPIs of one replay that begins at `begin_at`."""
    day = moved_to(day, begin_at, PREFIX)
    modelled = dataclasses.replace(day.reality, solver_latency_s=solver_s)
    return replay(dataclasses.replace(day, reality=modelled), HalfhourPolicy(), seed=seed).summary


def through_http(day: Scenario, seed: int, speed: float) -> DayTwice:
    """One life behind HTTP, from the service's journal."""
    with tempfile.TemporaryDirectory(prefix="heap-http-") as text:
        folder = Path(text)
        settings = CONFIG.replace("[engine]", f'[engine]\n"search.seed" = {seed}')
        with service(folder, settings=settings, speed=speed, populated=False) as found:
            url, cpu_s = f"http://127.0.0.1:{found.port}", time.process_time()
            robots = Robots(url, found.keys["admin"], day, speed=speed, seed=seed, prefix=PREFIX, whole_day=True)
            tally = asyncio.run(robots.run())
            cpu_s = time.process_time() - cpu_s
        latencies, fallbacks = _rounds(folder / "ledger")
        return DayTwice(
            kpis_of(folder / "ledger").summary(), robots.scenario.catalogue.begin_at,
            round(statistics.fmean(latencies)), len(latencies), fallbacks, tally.failures, round(cpu_s, 1),
        )  # fmt: skip


def _rounds(folder: Path) -> tuple[list[int], int]:
    """Seconds of the service's clock from each round's opening to its end, and how many the host answered itself."""
    reader = opened(folder)
    opened_at, latencies, fallbacks = 0, [], 0
    for event in itertools.chain.from_iterable(entry.events for entry in reader.entries()):
        if event["kind"] == "RoundOpened":
            opened_at = event["at"]
        elif event["kind"] == "RoundClosed":
            latencies.append(event["at"] - opened_at)
            fallbacks += event["cause"] != "SOLVED"
    reader.close()
    return latencies, fallbacks


def chance_of(gaps: Sequence[float]) -> float:
    """How often signs thrown by coins give a sum at least as far from zero as that of `gaps` (exact, two-sided)."""
    seen, most = abs(sum(gaps)) * (1 - 1e-9), 0
    for signs in itertools.product((-1, 1), repeat=len(gaps)):
        most += abs(sum(sign * gap for sign, gap in zip(signs, gaps, strict=True))) >= seen
    return float(most / 2 ** len(gaps))


def compared(
    heap: list[dict[str, Any]], http: list[dict[str, Any]], luck: list[list[dict[str, Any]]]
) -> dict[str, Any]:
    """Each KPI's means over pairs of one luck, the chance of their difference; `luck[day][seed]`: other lucks."""
    found = {}
    for name in COMPARED:
        gaps = [float(here[name]) - float(there[name]) for here, there in zip(http, heap, strict=True)]
        mean, gap = statistics.fmean(float(one[name]) for one in heap), statistics.fmean(gaps)
        spread = statistics.fmean(statistics.stdev(float(one[name]) for one in day) for day in luck)
        chance = chance_of(gaps)
        found[name] = {
            "heap": round(mean, 4),
            "http": round(mean + gap, 4),
            "difference": round(gap, 4),
            "chance": round(chance, 4),
            "luck": round(spread, 4),
            "agrees": chance >= LEVEL or abs(gap) <= SHARE * abs(mean),
        }
    return found


def measured(days: int, speed: float, **size: Any) -> dict[str, Any]:
    """Days through both, and whether all KPIs agree."""
    heap, http, luck = [], [], []
    for number in range(1, days + 1):
        day = lunch_peak(number, **size)
        one = through_http(day, number, speed)
        heap.append(through_the_heap(day, number, one.begin_at, one.solver_s))
        luck.append([through_the_heap(day, seed, one.begin_at, one.solver_s) for seed in range(1, SEEDS + 1)])
        http.append(one)
    rows = compared(heap, [one.kpis for one in http], luck)
    rounds, fallbacks = sum(one.rounds for one in http), sum(one.fallbacks for one in http)
    return {
        "days": days, "speed": speed, **size,
        "solver_s": [one.solver_s for one in http], "rounds": rounds, "fallbacks": fallbacks,
        "failures": [one.failures for one in http], "robots_cpu_s": [one.robots_cpu_s for one in http],
        "kpis": rows,
        "decides": 2 / 2**days < LEVEL and fallbacks <= MOST_FALLBACKS * rounds,
        "holds": all(row["agrees"] for row in rows.values()),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, publishes; 1 where a KPI differs by more than chance, 2 where nothing can be said."""
    parser = argparse.ArgumentParser(prog="benchmarks.live.replay_vs_http", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--riders", type=int, default=14)
    parser.add_argument("--hours", type=float, default=0.5)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    size = {"orders": chosen.orders, "riders": chosen.riders, "hours": chosen.hours}
    found = measured(chosen.days, chosen.speed, **size)
    lines = [f"{name:24s} {value}" for name, value in found.items() if name != "kpis"]
    lines += ["", f"{'KPI':24s} {'heap':>10s} {'HTTP':>10s} {'difference':>10s} {'chance':>7s} {'luck':>9s}  agrees"]
    lines += [
        f"{name:24s} {row['heap']:10.3f} {row['http']:10.3f} {row['difference']:10.3f} {row['chance']:7.3f}"
        f" {row['luck']:9.3f}  {'yes' if row['agrees'] else 'NO'}"
        for name, row in found["kpis"].items()
    ]
    print("\n".join(lines))
    if chosen.out:
        publish(chosen.out, "heap-http", found, lines)
    if not found["decides"]:
        return 2
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
