"""Whole invented days, by scarcity of riders: what ships, beside VROOM asked anew in every round.

    python -m benchmarks.days.city_days [--riders 100,85,70] [--seeds 101,102]
                                        [--policies "nearest;vroom, as published"]
                                        [--orders 150] [--round-s 30] [--out docs/results/city-days]

Every policy faces the same day with the same luck in the same simulator.  A finished day is appended to the CSV at once
and is not run again, unless the settings behind its name have changed: runs may be stopped, and several processes may
share the work.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from api.solver.warm_up import warm_up_rounds
from benchmarks.days.contenders import CONTENDERS, LATE_WEIGHT, REPORTED, UNDELIVERED_LATE_S
from benchmarks.harness import versions
from dispatch.events import Event, RiderDone, RouteRevised
from dispatch.inputs import Input
from dispatch.model import Level
from dispatch.settings.settings import Settings
from halfhour.synthetic import write_synthetic
from sim.invent.lunch_peak import DaySize
from sim.replay.replay import replay
from sim.replay.result import Run
from sim.scenario import Scenario
from sim.sources import open_scenario

FIELDS = (
    "cost_per_order", "driven_s_per_order", "on_time_share", "lateness_mean_s", "click_to_door_mean_s",
    "click_to_door_p90_s", "delivered", "undelivered", "batched_share", "orders_per_rider_hour", "co2_g_per_order",
    "empty_moves", "rounds", "round_cpu_mean_s", "round_wall_max_s", "run_cpu_s",
)  # fmt: skip


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
    churn, policy = Churn(), CONTENDERS[name].policy(round_s)
    run = replay(scenario, policy, settings=settings_of(scenario, name), seed=seed, on_event=churn)
    summary = run.summary
    return {
        "effort_s_per_order": round(effort_s(summary), 1),
        **{field: summary[field] for field in FIELDS},
        "click_to_door_max_s": _worst(run),
        "changes_per_rider_hour": round(churn.changes / summary["rider_hours"], 3),
        "vroom_asked": getattr(policy, "asked", 0), "vroom_wall_s": round(getattr(policy, "searched_s", 0.0), 2),
        "vroom_cut_short": getattr(policy, "cut_short", 0), "vroom_overruled": getattr(policy, "overruled", 0),
        "vroom_round_s": round_s, "commit": versions()["commit"], "digest": summary["decision_digest"][:12],
    }  # fmt: skip


def settings_of(scenario: Scenario, name: str) -> Settings:
    """What a row of the table runs under: the settings of the day, and those in which the row differs."""
    return scenario.catalogue.settings.with_values(CONTENDERS[name].settings)


def _worst(run: Run) -> int:
    """Click to door of the order that waited longest."""
    return max(
        (life.click_to_door_s for life in run.folded.orders.values() if life.delivered_at is not None), default=0
    )


def effort_s(summary: Mapping[str, Any]) -> float:
    """Seconds of driving and three for each second late, for each order of the day."""
    delivered, lost = summary["delivered"], summary["undelivered"]
    late_s = delivered * (summary["lateness_mean_s"] or 0) + lost * UNDELIVERED_LATE_S
    driven_s = delivered * (summary["driven_s_per_order"] or 0)
    return float(driven_s + LATE_WEIGHT * late_s) / max(1, delivered + lost)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--riders", default="100,85,70", help="riders on duty, in percent of a well-staffed day's")
    parser.add_argument("--seeds", default=",".join(map(str, REPORTED)))
    parser.add_argument("--policies", default="", metavar="A;B", help="; ".join(CONTENDERS))
    parser.add_argument("--orders", type=int, default=150, help="with a rider for 9 of them and a store for 10")
    parser.add_argument("--round-s", type=float, default=30.0, help="VROOM's wall seconds in a round, at most")
    parser.add_argument("--out", type=Path, default=Path("docs/results/city-days"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    names = chosen.policies.split(";") if chosen.policies else list(CONTENDERS)
    warm_up_rounds()  # no day pays for compiling
    for seed in map(int, chosen.seeds.split(",")):
        for percent in map(int, chosen.riders.split(",")):
            for row in days(table, chosen.orders, percent, seed, names, chosen.round_s):
                print(row, flush=True)
    from benchmarks.days.city_days_page import page

    chosen.out.with_suffix(".md").write_text(page(read_rows(table), table.name), encoding="utf-8")
    return 0


def days(
    table: Path, orders: int, percent: int, seed: int, names: Sequence[str], round_s: float
) -> Iterator[dict[str, Any]]:
    """One day under each of the policies that the table has not under their present settings; each is added to it."""
    with tempfile.TemporaryDirectory(prefix="city-day-") as folder:
        scenario = opened(Path(folder), orders, percent, seed)
        for name in names:
            key = {
                "orders": str(orders), "riders": str(percent), "seed": str(seed), "policy": name,
                "settings": named(settings_of(scenario, name), name),
            }  # fmt: skip
            if not has_row(table, key):
                row = {**key, **run_day(scenario, name, seed, round_s)}
                add_row(table, row)
                yield row


def opened(folder: Path, orders: int, percent: int, seed: int) -> Scenario:
    """The day of a seed, with so many percent of the riders of a well-staffed one."""
    size = DaySize(max(2, orders // 10), max(1, round(orders / 9)), orders, 1.5, 100 / percent)
    write_synthetic(folder / "day", seed, size)
    return open_scenario(folder / "day")


NAMELESS = ("preset", "search.seed", "rules.co2")
"""Settings that change no name: what a preset stands for is stated, each day has its seed, grams decide nothing."""


def named(settings: Settings, name: str) -> str:
    """The name of the settings that a contender reads."""
    search = {} if CONTENDERS[name].searches else Settings.stated({}).flat()
    return digest_of(settings.with_values({key: value for key, value in search.items() if key.startswith("search.")}))


def digest_of(settings: Settings) -> str:
    """A short name of what a day runs under: the values that differ from those of 0.1.0.

    A setting that comes later and means what was done before it changes no name.  Presets are what they stand for, and
    each day has its own seed.
    """
    before = Settings.stated({}).flat()
    values = {key: value for key, value in settings.flat().items() if key not in NAMELESS and value != before[key]}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:8]


KEY = ("orders", "riders", "seed", "policy")


def read_rows(path: Path, key: tuple[str, ...] = KEY) -> list[dict[str, str]]:
    """The days at hand; of a day that was run twice under one name the later row."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list({tuple(row[name] for name in key): row for row in csv.DictReader(file)}.values())


def has_row(path: Path, values: Mapping[str, str], key: tuple[str, ...] = KEY) -> bool:
    """Whether the days at hand, as `read_rows` reads them, have one with these values."""
    return any(values.items() <= row.items() for row in read_rows(path, key))


def add_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append a day, in one write: several processes may add to one table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if not file.tell():
            writer.writeheader()
        writer.writerow({field: "" if value is None else value for field, value in row.items()})


if __name__ == "__main__":
    sys.exit(main())
