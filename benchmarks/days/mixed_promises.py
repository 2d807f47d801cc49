"""Promises of 20, 45, 90 and 240 minutes mixed in one day, against days on which everybody has the same promise.

    python -m benchmarks.days.mixed_promises [--riders 85] [--seeds 101,102] [--orders 150] [--out FILE]

A finished day is appended to the CSV at once and is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.days.city_days import add_row, digest_of, has_row, opened, read_rows
from benchmarks.harness import versions
from dispatch.policies.policy import HalfhourPolicy
from sim.replay.replay import replay
from sim.scenario import Scenario

PROMISES = (20, 45, 90, 240)
"""Minutes; in a mixed day they take turns from order to order."""
MIXED = "mixed"


def with_promises(scenario: Scenario, minutes: Sequence[int]) -> Scenario:
    """The day with these promises in turn."""
    demand = []
    for number, one in enumerate(scenario.demand):
        due_at = one.order.placed_at + 60 * minutes[number % len(minutes)]
        demand.append(dataclasses.replace(one, order=dataclasses.replace(one.order, due_at=due_at)))
    return dataclasses.replace(scenario, demand=tuple(demand))


def run_day(scenario: Scenario, minutes: Sequence[int], seed: int) -> dict[str, Any]:
    """The share of promises kept, by promise; empty where nobody has it."""
    run = replay(with_promises(scenario, minutes), HalfhourPolicy(), seed=seed)
    kept: dict[int, list[bool]] = {promise: [] for promise in PROMISES}
    for life in run.folded.orders.values():
        kept[(life.order.due_at - life.order.placed_at) // 60].append(life.delivered_at is not None and life.is_on_time)
    shares = {f"kept_{promise}": round(statistics.mean(one), 4) if one else "" for promise, one in kept.items()}
    return {**shares, "commit": versions()["commit"], "digest": run.summary["decision_digest"][:12]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--riders", type=int, default=85, help="riders on duty, in percent of a well-staffed day's")
    parser.add_argument("--seeds", default="101,102,103,104,105,106")
    parser.add_argument("--orders", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("docs/results/mixed-promises"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    for seed in map(int, chosen.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="mixed-day-") as folder:
            scenario = opened(Path(folder), chosen.orders, chosen.riders, seed)
            for name, minutes in {MIXED: PROMISES, **{str(promise): (promise,) for promise in PROMISES}}.items():
                key = {
                    "orders": str(chosen.orders), "riders": str(chosen.riders), "seed": str(seed), "policy": name,
                    "settings": digest_of(scenario.catalogue.settings),
                }  # fmt: skip
                if not has_row(table, key):
                    add_row(table, {**key, **run_day(scenario, minutes, seed)})
    chosen.out.with_suffix(".md").write_text(page(read_rows(table), table.name), encoding="utf-8")
    return 0


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: the share kept of each promise in a mixed day and in a day of its own."""
    seeds = sorted({row["seed"] for row in rows})
    parts = [
        "# Promises of different lengths in one day", "",
        f"The [city days](city-days.md) of {rows[0]['orders']} orders with {rows[0]['riders']} % of the riders, as "
        f"shipped, seeds {', '.join(seeds)}: once with promises of {', '.join(map(str, PROMISES))} minutes in turn, "
        f"and once for each promise with all orders having it. Every day is in [{csv_name}]({csv_name}).", "",
        "    python -m benchmarks.days.mixed_promises", "",
        "| promise | kept in the mixed day % | kept where all have it % | difference, points |", "|---|---|---|---|",
    ]  # fmt: skip
    for promise in PROMISES:
        mixed, own = (_mean(rows, name, promise) for name in (MIXED, str(promise)))
        parts.append(f"| {promise} min | {100 * mixed:.1f} | {100 * own:.1f} | {100 * (mixed - own):+.1f} |")
    return "\n".join(parts) + "\n"


def _mean(rows: Sequence[Mapping[str, str]], name: str, promise: int) -> float:
    return statistics.mean(float(row[f"kept_{promise}"]) for row in rows if row["policy"] == name)


if __name__ == "__main__":
    sys.exit(main())
