"""CO2 against lateness: the same days under rising prices of a gram.

    python -m benchmarks.days.co2_curve [--prices 0,50,100] [--seeds 101,102] [--riders 85] [--orders 150] [--out FILE]

A finished day is appended to the CSV at once and is not run again; the page has a table and a picture, of the days that
were run at every price alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.days.city_days import add_row, has_row, opened, read_rows
from benchmarks.harness import versions
from dispatch.policies.policy import HalfhourPolicy
from halfhour.lab.statistics.paired import paired
from routing.errors import InvalidInput
from sim.replay.replay import replay
from sim.scenario import Scenario

KEY = ("orders", "riders", "seed", "price")
FIGURES = ("co2_g_per_order", "lateness_mean_s", "on_time_share", "click_to_door_mean_s", "driven_m_per_order")


def run_day(scenario: Scenario, price: int, seed: int) -> dict[str, Any]:
    """The figures of one day at one price of a gram."""
    settings = scenario.catalogue.settings.with_values({"prices.co2_g": price})
    summary = replay(scenario, HalfhourPolicy(), seed=seed, settings=settings).summary
    figures = {key: summary[key] for key in FIGURES}
    return {**figures, "commit": versions()["commit"], "digest": summary["decision_digest"][:12]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prices", default="0,25,50,100,200,400", help="points of a gram: prices.co2_g")
    parser.add_argument("--seeds", default="101,102,103,104,105")
    parser.add_argument("--riders", type=int, default=85, help="riders on duty, in percent of a well-staffed day's")
    parser.add_argument("--orders", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("docs/results/co2-curve"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    for seed in map(int, chosen.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="co2-day-") as folder:
            scenario = opened(Path(folder), chosen.orders, chosen.riders, seed)
            for price in map(int, chosen.prices.split(",")):
                said = (chosen.orders, chosen.riders, seed, price)
                key = {name: str(value) for name, value in zip(KEY, said, strict=True)}
                if not has_row(table, key, KEY):
                    add_row(table, {**key, **run_day(scenario, price, seed)})
                    print(f"seed {seed}, {price} points a gram: done", flush=True)
    size = {"orders": str(chosen.orders), "riders": str(chosen.riders)}
    rows = of_whole_days([row for row in read_rows(table, KEY) if size.items() <= row.items()])
    picture = chosen.out.with_suffix(".svg")
    picture.write_text(drawn(rows), encoding="utf-8")
    chosen.out.with_suffix(".md").write_text(page(rows, table.name, picture.name), encoding="utf-8")
    return 0


def of_whole_days(rows: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The rows of days that every price was run on: only those can be compared.  Raises InvalidInput without any."""
    prices = {row["price"] for row in rows}
    ran: dict[str, set[str]] = {}
    for row in rows:
        ran.setdefault(row["seed"], set()).add(row["price"])
    whole = [row for row in rows if ran[row["seed"]] == prices]
    if not whole:
        raise InvalidInput(
            "no day was run at every price of the table",
            field="--prices",
            hint="Name prices and seeds that are missing.",
        )
    return whole


def by_price(rows: Sequence[Mapping[str, str]], figure: str) -> dict[int, dict[str, float]]:
    """A figure of each day by price and seed, prices rising."""
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        found.setdefault(int(row["price"]), {})[row["seed"]] = float(row[figure])
    return dict(sorted(found.items()))


def page(rows: Sequence[Mapping[str, str]], csv_name: str, picture: str) -> str:
    """The page: means by price, and the difference to no price with its half interval, day by day."""
    seeds = sorted({row["seed"] for row in rows})
    parts = [
        "# CO2 against lateness", "",
        f"[City days](city-days.md) of {rows[0]['orders']} orders with {rows[0]['riders']} % of the riders, a third of "
        f"them on scooters, as shipped, seeds {', '.join(seeds)}; `prices.co2_g` alone differs. Behind ± stands "
        f"the half interval (95 %) of the difference to the first row. Every day is in [{csv_name}]({csv_name}).",
        "", "    python -m benchmarks.days.co2_curve", "",
        f"![CO2 of an order against its lateness, by the price of a gram]({picture})", "",
        "| points a gram | CO2, g an order | difference | lateness, s | difference | on time % | metres an order |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    tables = {figure: by_price(rows, figure) for figure in FIGURES}
    for price in tables["co2_g_per_order"]:
        means = {figure: statistics.mean(table[price].values()) for figure, table in tables.items()}
        more = [_against_none(tables[figure], price) for figure in ("co2_g_per_order", "lateness_mean_s")]
        parts.append(
            f"| {price} | {means['co2_g_per_order']:.1f} | {more[0]} | {means['lateness_mean_s']:.1f} | {more[1]} | "
            f"{100 * means['on_time_share']:.1f} | {means['driven_m_per_order']:.0f} |"
        )
    return "\n".join(parts) + "\n"


def _against_none(table: Mapping[int, Mapping[str, float]], price: int) -> str:
    first = min(table)
    if price == first:
        return ""
    days = sorted(table[price].keys() & table[first].keys())
    found = paired([table[price][day] - table[first][day] for day in days])
    noise = "" if found.half_width is None else f" ± {found.half_width:.1f}"
    return f"{found.mean:+.1f}{noise}"


def drawn(rows: Sequence[Mapping[str, str]]) -> str:
    """The curve as SVG: a point for each price, CO2 upwards, lateness to the right."""
    grams, late = by_price(rows, "co2_g_per_order"), by_price(rows, "lateness_mean_s")
    points = [(statistics.mean(late[price].values()), statistics.mean(grams[price].values())) for price in grams]
    most_s, most_g = 1.15 * max(max(x for x, _ in points), 1.0), 1.15 * max(max(y for _, y in points), 1.0)
    placed = [(60 + 520 * x / most_s, 290 - 260 * y / most_g) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    marks = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0a7"/><text x="{x + 7:.1f}" y="{y - 7:.1f}">{price}</text>'
        for price, (x, y) in zip(grams, placed, strict=True)
    ]
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 340" font-family="sans-serif" font-size="12">',
            '<rect width="640" height="340" fill="#fff"/>',
            '<path d="M60 20V290H600" fill="none" stroke="#888"/>',
            f'<polyline points="{path}" fill="none" stroke="#0a7" stroke-width="2"/>', *marks,
            f'<text x="60" y="308">0</text><text x="545" y="308">{most_s:.0f} s late, mean</text>',
            f'<text x="8" y="14">g of CO2 an order, up to {most_g:.0f}; a number is the price of a gram</text>',
            "</svg>", "",
        ]
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
