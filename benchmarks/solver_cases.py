"""The solver on the field's public problems and on live-city snapshots, one result row at a time.

    python -m benchmarks.solver_cases --suite quick|full --out rows.jsonl [--seed N] [--snapshots DIR]

Rows that stand in the file are not run again, so that a suite can be interrupted and resumed.  Times are CPU and wall
seconds of search; on a shared machine only the former says much.  `--snapshots` writes the snapshots as VROOM JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.data import require
from benchmarks.solver_snapshots import make_snapshot, to_vroom
from halfhour.solving import VEHICLE_PRICE, warm_up
from routing.plans.audit import audit
from routing.plans.budget import Budget
from routing.plans.formats.lilim import PickupDelivery, distance_of, read_lilim, read_sartori
from routing.plans.problem import Problem, Solution, Travel
from routing.plans.routes import plan_routes

SECONDS = {"lilim/100": 1.0, "lilim/200": 10.0, "lilim/400": 10.0, "sartori": 30.0}
QUICK = {"lc101", "lr105", "lrc103", "lr207"}
SNAPSHOTS = ((50, 100, 1.0), (200, 400, 1.0), (500, 1000, 2.0))


class Public(NamedTuple):
    """A published instance and its best-known value."""

    name: str
    kind: str
    path: Path
    vehicles: int
    value: float


def published(suite: str) -> Iterator[Public]:
    """The instances of a suite, in a fixed order."""
    for table, column in (("lilim", "bks_distance"), ("sartori", "bks_cost")):
        with require("pdptw", f"{table}_bks.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                kind = f"lilim/{row['class']}" if table == "lilim" else "sartori"
                wanted = row["instance"] in QUICK if suite == "quick" else kind in SECONDS
                path = require("pdptw") / row["file"]
                if wanted and path.exists():
                    yield Public(row["instance"], kind, path, int(row["bks_vehicles"]), float(row[column]))


def read(instance: Public) -> PickupDelivery:
    """The instance with vehicles before distance."""
    reader = read_sartori if instance.kind == "sartori" else read_lilim
    return reader(instance.path, fixed=VEHICLE_PRICE)


def timed(problem: Problem, travel: Travel, seconds: float, seed: int) -> tuple[Solution, float, float]:
    """A plan within so many CPU seconds, with its CPU and wall time; the audit must find nothing."""
    cpu, wall = time.process_time(), time.perf_counter()
    budget = Budget(2**62, lambda: time.process_time() - cpu >= seconds, lambda: (time.process_time() - cpu) / seconds)
    solution = plan_routes(problem, travel, budget=budget, seed=seed)
    took = time.process_time() - cpu, time.perf_counter() - wall
    wrong = audit(problem, travel, solution)
    if wrong:
        raise AssertionError(f"the audit found {wrong[0]}")
    return solution, *took


def rows(suite: str, seed: int, have: set[str]) -> Iterator[dict[str, Any]]:
    """Result rows that are not there yet."""
    for instance in published(suite):
        key = f"{instance.name}/{seed}"
        if key in have:
            continue
        case = read(instance)
        solution, cpu, wall = timed(case.problem, case.travel, SECONDS[instance.kind], seed)
        used = int((solution.rows.stop_ptr[1:] > solution.rows.stop_ptr[:-1]).sum())
        gap = distance_of(case, solution.rows) / instance.value - 1
        yield {
            "key": key, "kind": instance.kind, "vehicles": used, "best_known_vehicles": instance.vehicles,
            "gap_percent": round(100 * gap, 3), "cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "work": solution.work,
        }  # fmt: skip
    for riders, orders, seconds in SNAPSHOTS[:1] if suite == "quick" else SNAPSHOTS:
        key = f"snapshot-{riders}-{orders}/{seed}"
        if key in have:
            continue
        problem, travel = make_snapshot(riders, orders, seed)
        solution, cpu, wall = timed(problem, travel, seconds, seed)
        yield {
            "key": key, "kind": "snapshot", "cost": solution.cost, "unserved": int((solution.reason != 0).sum()),
            "cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "work": solution.work,
        }  # fmt: skip


def main() -> None:
    """Run a suite and append its rows to the result file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=("quick", "full"), default="quick")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--snapshots", type=Path)
    options = parser.parse_args()
    if options.snapshots is not None:
        options.snapshots.mkdir(parents=True, exist_ok=True)
        for riders, orders, _ in SNAPSHOTS:
            name = f"snapshot-{riders}-{orders}-{options.seed}.json"
            moment = to_vroom(make_snapshot(riders, orders, options.seed))
            (options.snapshots / name).write_text(json.dumps(moment), encoding="utf-8")
    warm_up()
    lines = options.out.read_text(encoding="utf-8").splitlines() if options.out.exists() else []
    have = {json.loads(line)["key"] for line in lines}
    with options.out.open("a", encoding="utf-8") as file:
        for row in rows(options.suite, options.seed, have):
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(row)


if __name__ == "__main__":
    main()
