"""Choosing source and end together against the nearest source and the door: the same days, paired.

    python -m benchmarks.kinds.sources [--seeds 101,102] [--orders 150] [--riders 17] [--stores 15] [--sources 3]
                                       [--counters 0] [--out docs/results/sources]

A finished day is appended to the CSV at once and is not run again; the page has a table.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.days.city_days import add_row, has_row, read_rows
from benchmarks.harness import versions
from dispatch.model import Order
from dispatch.policies.policy import HalfhourPolicy
from dispatch.record.catalogue import Catalogue
from halfhour.lab.statistics.paired import paired
from halfhour.synthetic import write_synthetic
from sim.invent.lunch_peak import DaySize
from sim.replay.replay import replay
from sim.scenario import Scenario
from sim.sources import open_scenario

KEY = ("orders", "riders", "stores", "sources", "counters", "seed", "way")
FIGURES = (
    "driven_s_per_order", "driven_m_per_order", "on_time_share", "lateness_mean_s", "click_to_door_mean_s",
    "co2_g_per_order", "delivered",
)  # fmt: skip
TOGETHER, NEAREST, SOONEST = "together", "nearest", "soonest"


def nearest(catalogue: Catalogue, order: Order, ways: Mapping[tuple[int, int], int]) -> Order:
    """The order from the source with the shortest way to its door, and to its door alone."""
    places = {store.store_id: store.place for store in catalogue.stores}
    source = min(order.sources, key=lambda one: (ways[places[one.store_id], order.drop_place], one.store_id))
    return _fixed(order, source.store_id)


def soonest(catalogue: Catalogue, order: Order, ways: Mapping[tuple[int, int], int]) -> Order:
    """The order from the source that prepares it and is driven from in the least time, and to its door alone."""
    places = {store.store_id: store.place for store in catalogue.stores}
    source = min(
        order.sources,
        key=lambda one: (one.prepare_s + ways[places[one.store_id], order.drop_place], one.store_id),
    )
    return _fixed(order, source.store_id)


def _fixed(order: Order, store_id: str) -> Order:
    sources = tuple(one for one in order.sources if one.store_id == store_id)
    return dataclasses.replace(
        order, store_id=store_id, sources=sources, ends=order.ends[:1],
        expected_ready_at=order.placed_at + sources[0].prepare_s,
    )  # fmt: skip


WAYS: dict[str, Callable[[Catalogue, Order, Mapping[tuple[int, int], int]], Order] | None] = {
    TOGETHER: None, NEAREST: nearest, SOONEST: soonest,
}  # fmt: skip


def fixed(scenario: Scenario, way: str) -> Scenario:
    """The same day with the source and the end of each order chosen beforehand by a rule; as it is for TOGETHER."""
    rule = WAYS[way]
    if rule is None:
        return scenario
    catalogue = scenario.catalogue
    stores = sorted({store.place for store in catalogue.stores})
    doors = sorted({one.order.drop_place for one in scenario.demand})
    table = catalogue.travel.bind(catalogue.places).table(
        np.array(stores, dtype=np.int32), np.array(doors, dtype=np.int32), catalogue.begin_at
    )[0]
    ways = {(s, d): int(table[i, j]) for i, s in enumerate(stores) for j, d in enumerate(doors)}
    demand = tuple(
        dataclasses.replace(one, order=order, ready_at=order.expected_ready_at)
        for one, order in ((one, rule(catalogue, one.order, ways)) for one in scenario.demand)
    )
    return dataclasses.replace(scenario, demand=demand)


def run_day(scenario: Scenario, way: str, seed: int) -> dict[str, Any]:
    """The figures of one day under one way of choosing."""
    summary = replay(fixed(scenario, way), HalfhourPolicy(), seed=seed).summary
    chosen = summary["alternatives"]
    return {
        **{key: summary[key] for key in FIGURES},
        "other_store_share": chosen["other_store_share"], "other_end_share": chosen["other_end_share"],
        "choices_mean": chosen["choices_mean"], "told_at_latest_share": chosen["told_at_latest_share"],
        "round_cpu_mean_s": summary["round_cpu_mean_s"], "commit": versions()["commit"],
        "digest": summary["decision_digest"][:12],
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="101,102,103,104,105,106,107,108,109,110")
    parser.add_argument("--orders", type=int, default=150)
    parser.add_argument("--riders", type=int, default=15, help="riders on duty")
    parser.add_argument("--stores", type=int, default=12)
    parser.add_argument("--sources", type=int, default=3, help="stores that may fulfil each order")
    parser.add_argument("--counters", type=int, default=0, help="percent of the customers who would fetch, too")
    parser.add_argument("--out", type=Path, default=Path("docs/results/sources"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    size = DaySize(
        stores=chosen.stores, riders=chosen.riders, orders=chosen.orders, sources=chosen.sources,
        counters=chosen.counters,
    )  # fmt: skip
    for seed in map(int, chosen.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="sources-day-") as folder:
            write_synthetic(Path(folder) / "day", seed, size)
            scenario = open_scenario(Path(folder) / "day")
            for way in WAYS:
                said = (
                    chosen.orders, chosen.riders, chosen.stores, chosen.sources, chosen.counters, seed, way,
                )  # fmt: skip
                key = {name: str(value) for name, value in zip(KEY, said, strict=True)}
                if not has_row(table, key, KEY):
                    add_row(table, {**key, **run_day(scenario, way, seed)})
                    print(f"seed {seed}, {way}: done", flush=True)
    chosen.out.with_suffix(".md").write_text(page(read_rows(table, KEY), table.name), encoding="utf-8")
    return 0


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: means of each way of choosing, and the difference to the nearest source, day by day."""
    parts = [
        "# Choosing source and end together", "",
        "Invented days on which each order may come from several stores, planned as shipped. *Together*: source, end, "
        "rider and time are chosen in the plan, and stay open until a store must begin. *Nearest*: the store with the "
        "shortest way to the door, as the order is placed. *Soonest*: the store from which preparing and the way take "
        "least. Stores are told at their latest start in all three. Behind ± stands the half interval (95 %) of the "
        f"difference to *nearest*. Every day is in [{csv_name}]({csv_name}).",
        "", "    python -m benchmarks.kinds.sources", "",
        "| orders, riders, stores, sources, counters % | days | way | driven, s an order | difference | on time % | "
        "difference | click to door, s | other store % | other end % |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for size in dict.fromkeys(tuple(row[name] for name in KEY[:5]) for row in rows):
        own = [row for row in rows if tuple(row[name] for name in KEY[:5]) == size]
        for way in WAYS:
            of = {row["seed"]: row for row in own if row["way"] == way}
            base = {row["seed"]: row for row in own if row["way"] == NEAREST}
            days = sorted(of.keys() & base.keys())
            if not days:
                continue
            driven = _against(of, base, days, "driven_s_per_order", percent=True)
            on_time = _against(of, base, days, "on_time_share", percent=False)
            mean = {
                name: statistics.mean(float(of[day][name]) for day in days)
                for name in (*FIGURES, "other_store_share", "other_end_share")
            }
            parts.append(
                f"| {', '.join(size)} | {len(days)} | {way} | {mean['driven_s_per_order']:.0f} | "
                f"{driven if way != NEAREST else ''} | {100 * mean['on_time_share']:.1f} | "
                f"{on_time if way != NEAREST else ''} | {mean['click_to_door_mean_s']:.0f} | "
                f"{100 * mean['other_store_share']:.0f} | {100 * mean['other_end_share']:.0f} |"
            )
    return "\n".join(parts) + "\n"


def _against(
    of: Mapping[str, Mapping[str, str]], base: Mapping[str, Mapping[str, str]], days: Sequence[str], name: str, *,
    percent: bool,
) -> str:  # fmt: skip
    differences = [float(of[day][name]) - float(base[day][name]) for day in days]
    if percent:
        differences = [100 * value / float(base[day][name]) for value, day in zip(differences, days, strict=True)]
    else:
        differences = [100 * value for value in differences]
    found = paired(differences)
    noise = "" if found.half_width is None else f" ± {found.half_width:.1f}"
    return f"{found.mean:+.1f}{noise}" + (" %" if percent else "")


if __name__ == "__main__":
    raise SystemExit(main())
