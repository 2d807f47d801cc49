"""A live service through one lunch peak after another: does its memory grow, does its loop stand still?

    python -m benchmarks.live.soak [--hours 24 --speed 60 --orders 250 --riders 40] [--out benchmarks/results]

`halfhour serve` in a process of its own with a fast clock, robots beside it; a peak lasts two hours of its clock.
Twenty-four hours at sixty times the speed take twenty-four minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.inputs.live_city import CONFIG, lunch_peak
from benchmarks.live.load_service import ClientConnections, ServiceProcess, request, service
from benchmarks.published import publish
from halfhour.live.live_kpis import kpis_of
from halfhour.robots import Robots
from sim.scenario import Scenario

SAMPLE_S = 300
"""Seconds of the service's clock between two looks at it."""
PAUSED_S = 5.0
"""The generator came back this late from its sleep: the machine, or whoever runs this, had stopped it."""
KPIS = ("click_to_door_mean_s", "on_time_share", "orders_per_rider_hour")
MOST_GROWTH, MOST_STALL_S = 0.05, 0.2


async def live(found: ServiceProcess, *, hours: float, speed: float, orders: int, riders: int) -> dict[str, Any]:
    """Peaks until `hours` are over; what was seen of the service meanwhile."""
    began, ended, failures = time.monotonic(), Counter[str](), Counter[str]()
    placed, samples = 0, list[dict[str, Any]]()
    watching = asyncio.create_task(_watch(found, speed, began, samples))
    seed = 0
    while (time.monotonic() - began) * speed < hours * 3600:
        seed += 1
        day = lunch_peak(seed, orders=orders, riders=riders)
        tally = await Robots(f"http://127.0.0.1:{found.port}", found.keys["admin"], day, speed=speed, seed=seed).run()
        placed += tally.placed
        ended.update(tally.ended)
        failures.update(tally.failures)
        await _go_home(found, day)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    samples.append(await _look(found, speed, began))
    return {
        "hours": round((time.monotonic() - began) * speed / 3600, 2),
        "peaks": seed,
        "placed": placed,
        "ended": dict(ended),
        "failures": dict(failures),
        "samples": samples,
    }


async def _go_home(found: ServiceProcess, day: Scenario) -> None:
    http = ClientConnections(found.port, 4)
    for rider in day.catalogue.riders:
        await http.ask(request("POST", f"/v1/riders/{rider.rider_id}/shift/end", found.keys["admin"]))


async def _watch(found: ServiceProcess, speed: float, began: float, samples: list[dict[str, Any]]) -> None:
    while True:
        samples.append(await _look(found, speed, began))
        before = time.monotonic()
        await asyncio.sleep(SAMPLE_S / speed)
        late_s = time.monotonic() - before - SAMPLE_S / speed
        if late_s > PAUSED_S:  # everything was stopped: no stall of the service
            samples[-1]["paused_s"] = round(late_s, 1)


async def _look(found: ServiceProcess, speed: float, began: float) -> dict[str, Any]:
    http = ClientConnections(found.port, 1)
    _, text = await http.ask(request("GET", "/metrics", found.keys["riders"]))
    _, status = await http.ask(request("GET", "/v1/status", found.keys["riders"]))
    said, metrics = json.loads(status), _gauges(text.decode())
    return {
        "hour": round((time.monotonic() - began) * speed / 3600, 3),
        "rss_mb": found.rss_mb(),
        "solver_rss_mb": found.solver_rss_mb(),
        "loop_stall_s": round(metrics["halfhour_loop_stall_seconds"], 3),
        "loop_busy_s": round(metrics["halfhour_loop_busy_seconds"], 3),
        "cpu_s": round(found.cpu_s(), 1),
        "journal": said["journal_seq"],
        "open_orders": said["open_orders"],
        "rounds": said["rounds_solved"],
        "fallbacks": said["fallbacks"],
    }


def _gauges(text: str) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in lines if "{" not in name}


def verdict(found: dict[str, Any]) -> dict[str, Any]:
    """Growth of the main process's memory after its first hour, and the longest stall."""
    samples = found["samples"]
    settled = next((one for one in samples if one["hour"] >= 1.0), samples[-1])
    growth = max(one["rss_mb"] for one in samples[samples.index(settled) :]) / settled["rss_mb"] - 1
    return {
        "rss_mb_after_an_hour": settled["rss_mb"],
        "rss_mb_at_the_end": samples[-1]["rss_mb"],
        "rss_growth": round(growth, 4),
        "loop_stall_s": samples[-1]["loop_stall_s"],
        "loop_busy_s": samples[-1]["loop_busy_s"],
        "paused_s": sum(one.get("paused_s", 0.0) for one in samples),
        "lost": found["placed"] - found["in_the_journal"],
        "open_at_the_end": samples[-1]["open_orders"],
        "holds": growth < MOST_GROWTH
        and samples[-1]["loop_busy_s"] < MOST_STALL_S
        and found["placed"] == found["in_the_journal"],
    }


def soak(**size: Any) -> dict[str, Any]:
    """One soak on a ledger of its own."""
    with tempfile.TemporaryDirectory(prefix="soak-") as text:
        folder = Path(text)
        with service(folder, settings=CONFIG, speed=size["speed"], populated=False) as running:
            found = asyncio.run(live(running, **size))
        ledger = folder / "ledger"
        lived = kpis_of(ledger).summary()
        found["in_the_journal"] = lived["orders"]
        found["kpis"] = {name: lived[name] for name in KPIS}
        found["ledger_mb"] = round(sum(path.stat().st_size for path in ledger.rglob("*")) / 2**20, 1)
    return verdict(found) | found


def main(arguments: Sequence[str] | None = None) -> int:
    """Soaks, prints, publishes; 1 where memory grew or the loop stood still."""
    parser = argparse.ArgumentParser(prog="benchmarks.live.soak", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--speed", type=float, default=60.0)
    parser.add_argument("--orders", type=int, default=250, help="orders of one peak of two hours")
    parser.add_argument("--riders", type=int, default=40)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    found = soak(hours=chosen.hours, speed=chosen.speed, orders=chosen.orders, riders=chosen.riders)
    lines = [f"{name:22s} {value}" for name, value in found.items() if name != "samples"]
    lines += ["", "  hour  RSS MB  solver MB  stall s  busy s  journal  open"]
    lines += [
        f"{one['hour']:6.2f} {one['rss_mb']:7.1f} {one['solver_rss_mb']:10.1f} {one['loop_stall_s']:8.3f}"
        f" {one['loop_busy_s']:7.3f} {one['journal']:8d} {one['open_orders']:5d}"
        for one in found["samples"]
    ]
    print("\n".join(lines))
    if chosen.out:
        publish(chosen.out, "soak", found, lines)
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
