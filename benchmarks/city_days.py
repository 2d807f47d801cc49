"""Whole invented days, by scarcity of riders: what batching across stores and a search are worth, beside VROOM.

    python -m benchmarks.city_days [--riders 100,85,70] [--seeds 1,2,3] [--policies "nearest;batch"] [--orders 150]
                                   [--round-s 2] [--out docs/results/city-days]

Every policy faces the same day with the same luck in the same simulator.  Days that stand in the CSV are not run again.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
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
SETTLED = {"rules.grow_until": "told", "rules.swap_until": "told"}
FIELDS = (
    "cost_per_order", "driven_s_per_order", "on_time_share", "lateness_mean_s", "click_to_door_mean_s", "delivered",
    "undelivered", "batched_share", "orders_per_rider_hour", "round_cpu_mean_s", "round_wall_max_s", "rounds",
)  # fmt: skip
LATE_WEIGHT, UNDELIVERED_LATE_S = 3, 3600
"""What a second late counts in seconds of driving, as in the snapshots of the solver's table; how late an order counts
that never arrives."""


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
    "halfhour, one store a trip, settled when told": Contender(_ours("lns"), SETTLED),
    "halfhour, one store a trip": Contender(_ours("lns")),
    "halfhour, settled when told": Contender(_ours("lns"), {**ANY, **SETTLED}),
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
        "effort_s_per_order": round(effort_s(summary), 1),
        **{field: summary[field] for field in FIELDS},
        "changes_per_rider_hour": round(churn.changes / summary["rider_hours"], 3),
        "vroom_asked": getattr(policy, "asked", 0), "vroom_wall_s": round(getattr(policy, "searched_s", 0.0), 2),
        "vroom_cut_short": getattr(policy, "cut_short", 0), "vroom_overruled": getattr(policy, "overruled", 0),
        "digest": summary["decision_digest"][:12],
    }  # fmt: skip


def effort_s(summary: Mapping[str, Any]) -> float:
    """Seconds of driving and three for each second late, for each order of the day."""
    delivered, lost = summary["delivered"], summary["undelivered"]
    late_s = delivered * (summary["lateness_mean_s"] or 0) + lost * UNDELIVERED_LATE_S
    driven_s = delivered * (summary["driven_s_per_order"] or 0)
    return float(driven_s + LATE_WEIGHT * late_s) / max(1, delivered + lost)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write page and CSV."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--riders", default="100,85,70", help="riders on duty, in percent of a well-staffed day's")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--policies", default="", metavar="A;B", help="; ".join(CONTENDERS))
    parser.add_argument("--orders", type=int, default=150, help="with a rider for 9 of them and a store for 10")
    parser.add_argument("--round-s", type=float, default=2.0, help="VROOM's wall seconds in a round")
    parser.add_argument("--out", type=Path, default=Path("docs/results/city-days"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    rows = read_rows(table)
    for seed in map(int, chosen.seeds.split(",")):
        for percent in map(int, chosen.riders.split(",")):
            missing = []
            for name in chosen.policies.split(";") if chosen.policies else CONTENDERS:
                key = {"orders": str(chosen.orders), "riders": str(percent), "seed": str(seed), "policy": name}
                if not any(key.items() <= row.items() for row in rows):
                    missing.append(key)
            for key, made in days(chosen.orders, percent, seed, missing, chosen.round_s):
                row = {**key, **made, "vroom_round_s": chosen.round_s}
                rows.append({field: "" if value is None else str(value) for field, value in row.items()})
                write_rows(table, rows)
                print(rows[-1], flush=True)
    chosen.out.with_suffix(".md").write_text(page(rows, table.name), encoding="utf-8")
    return 0


def days(
    orders: int, percent: int, seed: int, keys: Sequence[dict[str, str]], round_s: float
) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """One day under each of the policies in `keys`, and what came of it."""
    size = DaySize(max(2, orders // 10), max(1, round(orders / 9)), orders, 1.5, 100 / percent)
    with tempfile.TemporaryDirectory(prefix="city-day-") as folder:
        day = Path(folder) / "day"
        if keys:
            write_synthetic(day, seed, size)
            scenario = open_scenario(day)
        for key in keys:
            yield key, run_day(scenario, key["policy"], seed, round_s)


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
    ("effort_s_per_order", "cost, s", 0, 1.0), ("driven_s_per_order", "driven min", 2, 1 / 60),
    ("on_time_share", "on time %", 1, 100.0), ("lateness_mean_s", "mean lateness min", 2, 1 / 60),
    ("click_to_door_mean_s", "click to door min", 2, 1 / 60), ("undelivered", "undelivered", 1, 1.0),
    ("batched_share", "shared a bag %", 0, 100.0), ("changes_per_rider_hour", "changes / rider-hour", 2, 1.0),
    ("cost_per_order", "pay an order", 2, 1.0), ("round_cpu_mean_s", "CPU s a round", 3, 1.0),
)  # fmt: skip


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: one table for each staffing, means over seeds."""
    made = versions()
    parts = [
        "# Invented days, by scarcity of riders", "",
        "Each policy faces the same days with the same luck: noise of streets, stops and kitchens. *Cost* is seconds "
        f"of driving and {LATE_WEIGHT} for each second late, for each order (one that never arrives counts an hour "
        "late). *One store a trip*: a bag holds orders of one store; the other rows of Halfhour may mix stores and add "
        "stops and orders to a route under way. *Settled when told*: an order stays where it was told, and no other "
        "joins it. *Changes*: told plans that alter what a phone showed; stops added at the end do not count. *Pay* is "
        f"the scenario's: an amount for each order, at least an hourly guarantee. Every day is in [{csv_name}]"
        f"({csv_name}).", "",
        "*VROOM* is asked anew in every round in our planner's place: same rounds, laws, commitments, prices and empty "
        "moves; told first stops and what is in a bag pinned; what its hard windows leave out is inserted, and it is "
        "asked again, three times in all, with windows wide enough for that plan; its cheapest plan counts.", "",
        "    python -m benchmarks.city_days", "",
        f"Halfhour {made['halfhour']} ({made['commit']}), {made['processor']}.", "",
    ]  # fmt: skip
    for orders, riders in sorted(
        {(row["orders"], row["riders"]) for row in rows}, key=lambda k: (int(k[0]), -int(k[1]))
    ):
        own = [row for row in rows if (row["orders"], row["riders"]) == (orders, riders)]
        seeds = sorted({row["seed"] for row in own})
        parts += [f"## {riders} % of the riders, {orders} orders, seeds {', '.join(seeds)}", ""]
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
        parts += ["", *_about_vroom(own)]
    return "\n".join(parts).rstrip() + "\n"


def _about_vroom(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """How long VROOM searched, in a sentence."""
    mine = [row for row in rows if row["policy"] == "vroom"]
    if not mine:
        return []
    asked, wall_s, cut, overruled = (
        sum(float(row[f"vroom_{name}"]) for row in mine) for name in ("asked", "wall_s", "cut_short", "overruled")
    )
    return [
        f"VROOM may search {float(mine[0]['vroom_round_s']):g} wall seconds a round. Asked {asked:.0f} times, it took "
        f"{1000 * wall_s / max(1, asked):.1f} ms on average; it was cut short {cut:.0f} times, and in {overruled:.0f} "
        "rounds no plan of it was lawful and insertion answered.", "",
    ]  # fmt: skip


def _mean(rows: Sequence[Mapping[str, str]], field: str, digits: int, factor: float) -> str:
    known = [float(row[field]) for row in rows if row[field] != ""]
    return f"{factor * statistics.mean(known):.{digits}f}" if known else ""


if __name__ == "__main__":
    sys.exit(main())
