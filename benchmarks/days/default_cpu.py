"""What the default costs: processor time of rounds and of whole days, under the settings of 0.1.0 and as shipped.

    python -m benchmarks.days.default_cpu [--cases "round, 50 riders;city days"] [--out docs/results/default-cpu]

One process, one thread, processor time: what else the machine does changes little.  A finished case is appended to the
CSV at once and is not run again, unless the settings behind its name have changed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from api.solver.warm_up import warm_up_rounds
from benchmarks.days.bigday import measured
from benchmarks.days.city_days import add_row, digest_of, opened, read_rows
from benchmarks.harness import versions
from benchmarks.inputs.synthetic_days import busy_round
from dispatch.policies.policy import HalfhourPolicy
from dispatch.rounds.solve import solve_round
from dispatch.settings.presets import DEFAULT, PRESETS
from dispatch.settings.settings import Settings
from halfhour.synthetic import write_synthetic
from routing.errors import InvalidInput
from sim.invent.lunch_peak import DaySize
from sim.replay.replay import replay
from sim.sources import open_scenario

Values = Mapping[str, Any]

BEFORE, ONE_STORE, AS_SHIPPED = "defaults of 0.1.0", "as shipped, one store a trip", "as shipped"
SETTINGS: Mapping[str, Values] = {
    AS_SHIPPED: PRESETS[DEFAULT].values,
    ONE_STORE: {**PRESETS[DEFAULT].values, "rules.mix": "same_store"},
    BEFORE: {key: Settings.stated({}).flat()[key] for key in PRESETS[DEFAULT].values},
}
"""What the preset that ships states, under each of the names."""

REPEATS = 5
SEEDS = (101,)
RIDERS = (100, 85, 70)
ORDERS = 150
LARGE = DaySize(400, 1_500, 30_000, 14.0)


def round_cpu(riders: int, orders: int, values: Values) -> dict[str, Any]:
    """Median and most of some answers to one busy round, each from the frozen board to the plan with its ids."""
    named = {key.replace(".", "__"): value for key, value in values.items()}
    made, spent = busy_round(riders, orders, **named), []
    solve_round(made.frozen, made.times)
    for _ in range(REPEATS):
        begin = time.process_time()
        answer = solve_round(made.frozen, made.times)
        spent.append(time.process_time() - begin)
    return {"cpu_s": statistics.median(spent), "most_s": max(spent), "rounds": 1, "cost": answer.cost}


def city_days_cpu(values: Values) -> dict[str, Any]:
    """Mean of whole replays of city days, with all and with fewer riders."""
    spent, on_time, rounds = [], [], 0
    for seed in SEEDS:
        for percent in RIDERS:
            with tempfile.TemporaryDirectory(prefix="city-day-") as folder:
                scenario = opened(Path(folder), ORDERS, percent, seed)
                settings = scenario.catalogue.settings.with_values(values)
                begin = time.process_time()
                summary = replay(scenario, HalfhourPolicy(), settings=settings).summary
                spent.append(time.process_time() - begin)
            on_time.append(summary["on_time_share"])
            rounds += summary["rounds"]
    return {"cpu_s": statistics.mean(spent), "most_s": max(spent), "rounds": rounds // len(spent),
            "on_time_share": statistics.mean(on_time)}  # fmt: skip


def large_day_cpu(values: Values, hours: float = LARGE.hours) -> dict[str, Any]:
    """The first `hours` of the large day's orders as a user replays it, from the scenario to the run folder."""
    with tempfile.TemporaryDirectory(prefix="large-day-") as folder:
        path = Path(folder) / "day"
        write_synthetic(path, 1, LARGE, name="synthetic")
        day = open_scenario(path)
        day = day.before(day.demand[0].order.placed_at + round(3600 * hours))
        found = measured(day, Path(folder), Console(stderr=True), settings=values)
    return {"cpu_s": found["cpu_s"], "most_s": found["cpu_s"], "rounds": found["rounds"],
            "on_time_share": found["on_time_share"]}  # fmt: skip


CASES: Mapping[str, Callable[[Values], dict[str, Any]]] = {
    "round, 50 riders, 100 orders": lambda values: round_cpu(50, 100, values),
    "round, 200 riders, 400 orders": lambda values: round_cpu(200, 400, values),
    "round, 500 riders, 1,000 orders": lambda values: round_cpu(500, 1_000, values),
    "city days, 150 orders": city_days_cpu,
    "first two hours of the day of 30,000 orders": lambda values: large_day_cpu(values, 2.0),
    "day of 30,000 orders, 1,500 riders": large_day_cpu,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", default="", metavar="A;B", help="those whose names begin so: " + "; ".join(CASES))
    parser.add_argument("--out", type=Path, default=Path("docs/results/default-cpu"))
    chosen = parser.parse_args(arguments)
    table, begins = chosen.out.with_suffix(".csv"), tuple(chosen.cases.split(";"))
    unknown = [one for one in begins if not any(case.startswith(one) for case in CASES)]
    if unknown:
        raise InvalidInput(f"no case begins with {unknown[0]!r}", field="cases", hint=f"There are {'; '.join(CASES)}.")
    warm_up_rounds()  # no case pays for compiling
    for case, run in CASES.items():
        for name, values in SETTINGS.items():
            key = {"case": case, "settings": name, "digest": digest_of(Settings().with_values(values))}
            if case.startswith(begins) and not any(key.items() <= row.items() for row in rows_of(table)):
                found = {"cpu_s": 0.0, "most_s": 0.0, "rounds": 0, "on_time_share": "", "cost": ""} | run(values)
                row = {**key, **found, "commit": versions()["commit"], "processor": versions()["processor"]}
                add_row(table, row)
                print(row, flush=True)
    chosen.out.with_suffix(".md").write_text(page(rows_of(table), table.name), encoding="utf-8")
    return 0


def rows_of(table: Path) -> list[dict[str, str]]:
    """The cases at hand; of one that was run twice the later row."""
    return read_rows(table, ("case", "settings"))


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: every case under every settings, and how the default stands to the two others."""
    cpu = {(row["case"], row["settings"]): float(row["cpu_s"]) for row in rows}
    deadline_s = Settings().rules.round_deadline_s
    now = digest_of(Settings().with_values(SETTINGS[AS_SHIPPED]))
    earlier = {row["case"] for row in rows if row["settings"] == AS_SHIPPED and row["digest"] != now}
    parts = [
        "# What the default costs", "",
        "Processor seconds of one process with one thread: a round (the median of five answers, from the frozen board "
        "to the plan with its ids), a [city day](city-days.md) (the mean of three: all, 85 % and 70 % of the riders), "
        f"and the large day of [benchmarks](../benchmarks.md). *{AS_SHIPPED}* mixes stores and prices the promise; "
        f"*{ONE_STORE}* is the same with `rules.mix=same_store`, which has a planner of its own; *{BEFORE}* "
        f"are the rules and prices that a preset states, as in 0.1.0. Every case is in [{csv_name}]({csv_name}).", "",
        "    python -m benchmarks.days.default_cpu", "",
        f"| CPU seconds | **{AS_SHIPPED}** | {ONE_STORE} | {BEFORE} | shipped / one store | shipped / 0.1.0 |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for case in CASES:
        found = [cpu.get((case, name)) for name in SETTINGS]
        own = found[0]
        ratios = [f"{own / other:.1f}" if own and other else "" for other in found[1:]]
        cells = ["" if value is None else f"{value:.3f}" if value < 10 else f"{value:.0f}" for value in found]
        if any(found):
            mark = " *" if case in earlier else ""
            parts.append(f"| {case}{mark} | {' | '.join(cells)} | {' | '.join(ratios)} |")
    if earlier:
        parts += ["", "\\* under the prices of the preset as it was before."]
    largest = cpu.get(("round, 500 riders, 1,000 orders", AS_SHIPPED))
    if largest:
        stands = "within" if largest <= deadline_s / 2 else "beyond"
        parts += ["", f"500 riders and 1,000 orders take {largest:.2f} s, {stands} half of `rules.round_deadline_s` "
                      f"({deadline_s} s), after which insertion alone would answer."]  # fmt: skip
    return "\n".join([*parts, "", f"Measured on {', '.join(sorted({row['processor'] for row in rows}))}.", ""])


if __name__ == "__main__":
    sys.exit(main())
