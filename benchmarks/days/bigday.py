"""One day as a user replays it, from the scenario to the report: wall and CPU time, memory, size of the journal.

    python -m benchmarks.days.bigday [--orders 30000 --riders 1500 --hours 14 --seed 1] [--out benchmarks/results]
    python -m benchmarks.days.bigday --instance 5o100t100s2p100 [--out benchmarks/results]

A synthetic day, the same on every machine, with a round every 30 s; or a published meal-delivery day by its name.
Nothing that is compiled counts: a short morning is replayed first.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.inputs import public_data
from benchmarks.published import publish
from dispatch.record.run_folder import JOURNAL
from halfhour.replaying import opened, replay
from halfhour.synthetic import write_synthetic
from routing.errors import HalfhourError
from sim.invent.lunch_peak import DaySize
from sim.replay.result import Progress
from sim.scenario import Scenario

MORNING = 40
"""Orders of the morning that is replayed first."""

SHOWN = (
    "orders", "delivered", "undelivered", "on_time_share", "click_to_door_mean_s", "rounds", "round_wall_mean_s",
    "round_wall_p99_s", "round_wall_max_s", "round_cpu_mean_s", "decision_digest",
)  # fmt: skip


def measured(
    scenario: Scenario, scratch: Path, screen: Console, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Replay a day into a run folder, with `settings` on top of its own; what it took."""
    morning = scenario.demand[min(MORNING, len(scenario.demand) - 1)].order.placed_at
    replay(scenario.before(morning + 1), settings=settings, out=scratch / "morning")
    wall, cpu = time.perf_counter(), time.process_time()
    with screen.status("replaying") as status:

        def told(now: Progress) -> None:
            share = (now.at - now.begin_at) / (now.end_at - now.begin_at)
            status.update(f"{share:.0%} of the day, {now.placed:,} orders, {time.perf_counter() - wall:.0f} s")

        done = replay(scenario, settings=settings, out=scratch / "run", progress=told)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "riders": len(scenario.catalogue.riders),
        **{name: done.summary[name] for name in SHOWN},
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "journal_mib": round((scratch / "run" / JOURNAL).stat().st_size / 2**20, 1),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, publish; 0 fine, 2 bad input."""
    parser = argparse.ArgumentParser(prog="benchmarks.days.bigday", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instance", default="", help="a published day (of those in HALFHOUR_DATA)")
    parser.add_argument("--orders", type=int, default=30_000)
    parser.add_argument("--riders", type=int, default=1_500)
    parser.add_argument("--stores", type=int, default=400)
    parser.add_argument("--hours", type=float, default=14.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    screen = Console(stderr=True)
    try:
        with tempfile.TemporaryDirectory(prefix="bigday-") as folder:
            path = Path(folder) / "day"
            if chosen.instance:
                path = public_data.require("grubhub", chosen.instance)
            else:
                size = DaySize(chosen.stores, chosen.riders, chosen.orders, chosen.hours)
                write_synthetic(path, chosen.seed, size, name="synthetic")
            scenario, _ = opened(path)
            found = measured(scenario, Path(folder), screen)
    except HalfhourError as problem:
        screen.print(str(problem), style="red")
        return 2
    lines = [f"{name:22s} {value}" for name, value in found.items()]
    print("\n".join(lines))
    if chosen.out:
        publish(chosen.out, f"bigday-{scenario.catalogue.name}", found, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
