"""Whole invented days, by scarcity of riders: what batching across stores and a search are worth, beside VROOM.

    python -m benchmarks.city_days [--scarcities .8,1,1.3] [--seeds 1,2] [--policies nearest,batch] [--orders 300]
                                   [--round-s 1] [--out docs/results/city-days]

Every policy faces the same day with the same luck in the same simulator.  Days that stand in the CSV are not run again.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness import versions
from dispatch.events import Event, RiderDone, RouteRevised
from dispatch.inputs import Input
from dispatch.model import Level
from dispatch.policy import HalfhourPolicy, Policy
from halfhour.policies import choose
from halfhour.synthetic import write_synthetic
from sim.demand import DaySize
from sim.run import replay
from sim.scenario import Scenario
from sim.sources import open_scenario

ANY = {"rules.batch_scope": "any", "rules.max_batch": 12, "rules.max_trips": 99}
FIELDS = (
    "cost_per_order", "driven_s_per_order", "on_time_share", "lateness_mean_s", "click_to_door_mean_s", "undelivered",
    "batched_share", "orders_per_rider_hour",
)  # fmt: skip


class Contender(NamedTuple):
    """A policy and the settings that its name stands for."""

    policy: Callable[[float], Policy]
    settings: Mapping[str, Any] = {}


def _ours(recipe: str) -> Callable[[float], Policy]:
    return lambda round_s: HalfhourPolicy(recipe)


def _vroom(round_s: float) -> Policy:
    from benchmarks.policies.vroom_rounds import VroomRounds

    return VroomRounds(round_s=round_s)


CONTENDERS = {
    "nearest": Contender(lambda round_s: choose("nearest").policy),
    "batch": Contender(lambda round_s: choose("batch").policy),
    "vroom": Contender(_vroom),
    "halfhour, one store a trip": Contender(_ours("lns")),
    "halfhour, insertion": Contender(_ours("insertion"), ANY),
    "halfhour": Contender(_ours("lns"), ANY),
    "halfhour, ortools": Contender(_ours("ortools"), ANY),
    "halfhour, lns+ortools": Contender(_ours("lns+ortools"), ANY),
}


class Churn:
    """Counts told plans that change what a phone showed; stops added at its end are no change."""

    def __init__(self) -> None:
        self.changes = 0
        self._shown: dict[str, list[Any]] = {}

    def __call__(self, item: Input, events: tuple[Event, ...]) -> None:
        """Follow one input."""
        for event in events:
            if isinstance(event, RiderDone):
                shown = self._shown.get(event.rider_id, [])
                self._shown[event.rider_id] = [stop for stop in shown if stop[0] != event.stop_id]
            elif isinstance(event, RouteRevised) and event.told:
                before = self._shown.get(event.route.rider_id, [])
                after = [
                    (stop.stop_id, frozenset((act.order_id, act.kind) for act in stop.acts if act.level >= Level.TOLD))
                    for stop in event.route.told
                ]
                self.changes += after[: len(before)] != before
                self._shown[event.route.rider_id] = after


def run_day(scenario: Scenario, name: str, seed: int, round_s: float) -> dict[str, Any]:
    """One day under one policy."""
    contender, churn = CONTENDERS[name], Churn()
    policy = contender.policy(round_s)
    settings = scenario.catalogue.settings.with_values(contender.settings)
    run = replay(scenario, policy, settings=settings, seed=seed, on_event=churn)
    summary = run.summary
    return {
        **{field: summary[field] for field in FIELDS},
        "changes_per_rider_hour": round(churn.changes / summary["rider_hours"], 3),
        "round_cpu_mean_s": summary["round_cpu_mean_s"], "round_wall_max_s": summary["round_wall_max_s"],
        "rounds_cut_short": getattr(policy, "cut_short", 0), "rounds_overruled": getattr(policy, "overruled", 0),
        "rounds": summary["rounds"], "digest": summary["decision_digest"][:12],
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write page and CSV."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scarcities", default=".8,1,1.3")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--policies", default="", metavar="A;B", help="; ".join(CONTENDERS))
    parser.add_argument("--orders", type=int, default=300)
    parser.add_argument("--riders", type=int, default=30, help="at scarcity 1")
    parser.add_argument("--stores", type=int, default=30)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--round-s", type=float, default=1.0, help="VROOM's wall seconds in a round")
    parser.add_argument("--out", type=Path, default=Path("docs/results/city-days"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    rows = read_rows(table)
    size = {"orders": chosen.orders, "riders": chosen.riders, "stores": chosen.stores, "hours": chosen.hours}
    for seed in map(int, chosen.seeds.split(",")):
        for scarcity in map(float, chosen.scarcities.split(",")):
            with tempfile.TemporaryDirectory(prefix="city-day-") as folder:
                day = Path(folder) / "day"
                write_synthetic(day, seed, DaySize(scarcity=scarcity, **size))
                scenario = open_scenario(day)
                for name in chosen.policies.split(";") if chosen.policies else CONTENDERS:
                    key = {"orders": str(chosen.orders), "scarcity": f"{scarcity:g}", "seed": str(seed), "policy": name}
                    if any(key.items() <= row.items() for row in rows):
                        continue
                    made = {**key, **run_day(scenario, name, seed, chosen.round_s), "vroom_round_s": chosen.round_s}
                    rows.append({field: "" if value is None else str(value) for field, value in made.items()})
                    write_rows(table, rows)
                    print(rows[-1], flush=True)
    chosen.out.with_suffix(".md").write_text(page(rows, table.name), encoding="utf-8")
    return 0


def read_rows(path: Path) -> list[dict[str, str]]:
    """The days at hand."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """All days, one a line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


COLUMNS = (
    ("cost_per_order", "pay an order", 2, 1.0), ("driven_s_per_order", "driven min", 2, 1 / 60),
    ("on_time_share", "on time %", 1, 100.0), ("lateness_mean_s", "mean lateness min", 2, 1 / 60),
    ("click_to_door_mean_s", "click to door min", 2, 1 / 60), ("undelivered", "undelivered", 1, 1.0),
    ("batched_share", "shared a bag %", 0, 100.0), ("changes_per_rider_hour", "changes / rider-hour", 2, 1.0),
    ("round_cpu_mean_s", "CPU s a round", 3, 1.0),
)  # fmt: skip


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: one table for each scarcity, means over seeds."""
    made = versions()
    parts = [
        "# Invented days, by scarcity of riders", "",
        "Each policy faces the same days with the same luck: noise of streets, stops and kitchens. *One store a trip* "
        "is the usual rule that a bag holds orders of one store; the other rows of Halfhour may mix stores and add an "
        "order to a rider under way. *VROOM* is asked anew in every round in our planner's place (same rounds, laws, "
        "commitments and empty moves; told first stops and bags pinned), one thread, "
        f"{rows[0]['vroom_round_s'] if rows else '1.0'} wall seconds a round. *Changes*: told plans that alter what a "
        "phone showed; stops added at the end do not count. *Pay* is the scenario's (an amount for each order, at "
        f"least an hourly guarantee). Every day is in [{csv_name}]({csv_name}).", "",
        "    python -m benchmarks.city_days", "",
        f"Halfhour {made['halfhour']} ({made['commit']}), {made['processor']}.", "",
    ]  # fmt: skip
    for orders, scarcity in sorted(
        {(row["orders"], row["scarcity"]) for row in rows}, key=lambda k: (k[0], float(k[1]))
    ):
        own = [row for row in rows if (row["orders"], row["scarcity"]) == (orders, scarcity)]
        seeds = sorted({row["seed"] for row in own})
        parts += [f"## Scarcity {scarcity}, {orders} orders, seeds {', '.join(seeds)}", ""]
        parts += [
            "| policy | " + " | ".join(title for _, title, *_ in COLUMNS) + " |",
            "|---" * (len(COLUMNS) + 1) + "|",
        ]
        for name in CONTENDERS:
            mine = [row for row in own if row["policy"] == name]
            if mine:
                partial = "" if len(mine) == len(seeds) else f" ({len(mine)} of {len(seeds)} seeds)"
                cells = [_mean(mine, field, digits, factor) for field, _, digits, factor in COLUMNS]
                parts.append(f"| {name}{partial} | " + " | ".join(cells) + " |")
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _mean(rows: Sequence[Mapping[str, str]], field: str, digits: int, factor: float) -> str:
    known = [float(row[field]) for row in rows if row[field] != ""]
    return f"{factor * statistics.mean(known):.{digits}f}" if known else ""


if __name__ == "__main__":
    sys.exit(main())
