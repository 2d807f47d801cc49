"""The same experiment by one process and by several.

    python -m benchmarks.lab.side_by_side [--days 50] [--orders 500] [--jobs 2] [--on ray://auto] [--out DIR]

Days are invented once, then all runs are replayed by one process, by `--jobs` of them, and, where `--on` names one, on
a cluster; each way begins with an empty folder.  What is compared is the wall clock from the first run to the last
result, processes started included.  Results must be equal, run by run, but for how long they took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from benchmarks.published import publish
from halfhour.lab.conducting import conduct
from halfhour.lab.executors import executor_maker
from halfhour.lab.experiment import read_experiment
from halfhour.lab.folder import RUNS
from halfhour.synthetic import write_synthetic
from sim.invent.lunch_peak import DaySize

FLOOR, FLOOR_CLUSTER = 1.7, 1.6
FILE = """
name = "side by side"
scenarios = {scenarios}
seeds = {seeds}
[settings]
"search.seed" = [1, 2]
[least_effect]
click_to_door_mean_s = 1
"""
CLOCKED = ("round_wall", "round_cpu", "run_wall", "run_cpu")
"""Figures of a summary that say how long it took."""


def invent(folder: Path, days: int, orders: int) -> Path:
    """The file of an experiment: so many days, each replayed under two search seeds and two of luck."""
    size = DaySize(stores=20, riders=max(4, orders // 20), orders=orders, hours=2.0)
    paths = [folder / "days" / f"day-{seed}" for seed in range(1, days + 1)]
    for seed, path in enumerate(paths, 1):
        write_synthetic(path, seed, size, name=path.name)
    file = folder / "side-by-side.toml"
    file.write_text(FILE.format(scenarios=json.dumps([str(path) for path in paths]), seeds=[1, 2]), encoding="utf-8")
    return file


def timed(file: Path, out: Path, jobs: int, on: str = "") -> tuple[float, dict[str, str]]:
    """Seconds from the first run to the last result, and a digest of each run's result by its key."""
    began = 0.0

    def make(count: int) -> Executor:
        nonlocal began
        began = began or time.perf_counter()
        return executor_maker(on)(count)

    conduct(read_experiment(file), out, jobs=jobs, make_executor=make)
    lasted_s = time.perf_counter() - began
    return lasted_s, {path.stem: _digest(path) for path in sorted((out / RUNS).iterdir())}


def _digest(path: Path) -> str:
    summary = json.loads(path.read_text(encoding="utf-8"))
    kept = {key: value for key, value in summary.items() if not key.startswith(CLOCKED)}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def measured(days: int, orders: int, jobs: int, on: str) -> dict[str, Any]:
    """The ways one after another, and whether all found the same."""
    with tempfile.TemporaryDirectory(prefix="side-by-side-") as text:
        folder = Path(text)
        file = invent(folder, days, orders)
        timed(invent(folder / "first", 1, 40), folder / "warm", 1)  # whatever is compiled once is compiled
        alone_s, alone = timed(file, folder / "alone", 1)
        together_s, together = timed(file, folder / "together", jobs)
        found = {
            "replays": len(alone), "orders": orders, "jobs": jobs, "alone_s": round(alone_s, 1),
            "together_s": round(together_s, 1), "times_as_fast": round(alone_s / together_s, 2),
            "equal": alone == together,
        }  # fmt: skip
        if on:
            cluster_s, there = timed(file, folder / "cluster", jobs, on)
            found |= {
                "cluster": on.partition(":")[0], "cluster_s": round(cluster_s, 1),
                "cluster_times_as_fast": round(alone_s / cluster_s, 2), "cluster_equal": alone == there,
            }  # fmt: skip
    return found


def holds(found: dict[str, Any]) -> bool:
    """Whether all ways found the same, and were as much sooner as they must be."""
    cluster = found.get("cluster_equal", True) and found.get("cluster_times_as_fast", FLOOR_CLUSTER) >= FLOOR_CLUSTER
    return bool(found["equal"] and found["times_as_fast"] >= FLOOR and cluster)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, publish; 1 where results differ or a floor is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lab.side_by_side", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--days", type=int, default=50, help="each is replayed four times")
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--on", default="", help="a cluster to try besides: ray://auto, ray://HOST:10001")
    parser.add_argument("--out", type=Path, help="folder for the result as JSON and text")
    chosen = parser.parse_args(arguments)
    found = measured(chosen.days, chosen.orders, chosen.jobs, chosen.on)
    print(json.dumps(found, indent=1))
    if chosen.out:
        publish(chosen.out, "side-by-side", found, [f"{name:22s} {value}" for name, value in found.items()])
    return 0 if holds(found) else 1


if __name__ == "__main__":
    sys.exit(main())
