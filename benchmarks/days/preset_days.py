"""The frontier of the presets on published days: Grubhub's, whose rules stay, and Colombian ones.

    python -m benchmarks.days.preset_days [--data DIR] [--grubhub 0r50t75s1p100,...] [--colombia day_16,...]
                                          [--riders 100,30] [--seed 1] [--out docs/results/preset-days]

On Grubhub days a preset changes prices alone: what may be carried together, and that idle riders move, is published.
On Colombian days it changes what it changes anywhere; there riders are plenty, so that with `--riders 30` three in ten
of them work, spread over the list.  A finished day is appended to the CSV at once and is not run again.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.days.city_days import add_row, has_row, read_rows
from benchmarks.harness import versions
from benchmarks.inputs import public_data
from dispatch.policies.policy import HalfhourPolicy
from dispatch.settings.presets import DEFAULT, PRESETS
from halfhour.lab.statistics.paired import paired
from sim.replay.replay import replay
from sim.scenario import Scenario
from sim.sources import open_scenario

GRUBHUB = ("0r50t75s1p100", "1o50t100s1p100", "2r50t100s1p125", "3o50t75s2p125", "4r50t100s1p100", "5o50t100s1p100")
COLOMBIA = ("day_04", "day_10", "day_16")
KEY = ("kind", "day", "riders", "preset", "seed")
FIGURES = {
    "on_time_share": ("on time %", 100.0, 1),
    "driven_s_per_order": ("driven min", 1 / 60, 2),
    "click_to_door_mean_s": ("click to door min", 1 / 60, 1),
    "click_to_door_p90_s": ("p90", 1 / 60, 1),
    "lateness_mean_s": ("mean late min", 1 / 60, 2),
    "undelivered": ("undelivered", 1.0, 1),
    "co2_g_per_order": ("CO2 g", 1.0, 0),
}
"""Figures of summary.json: title, factor, digits."""


def values_of(kind: str, preset: str) -> dict[str, Any]:
    """What a preset changes on a kind of day: on Grubhub's prices alone, for their rules are published."""
    values = PRESETS[preset].values
    return {key: value for key, value in values.items() if kind == "colombia" or key.startswith("prices.")}


def thinned(day: Scenario, percent: int) -> Scenario:
    """The day with so many of its riders, spread evenly over the list."""
    riders = day.catalogue.riders
    kept = [rider for k, rider in enumerate(riders) if (k + 1) * percent // 100 > k * percent // 100]
    names = {rider.rider_id for rider in kept}
    shifts = tuple(shift for shift in day.catalogue.shifts if shift.rider_id in names)
    return dataclasses.replace(day, catalogue=dataclasses.replace(day.catalogue, riders=tuple(kept), shifts=shifts))


def days(data: Path, grubhub: Sequence[str], colombia: Sequence[str], riders: Sequence[int]) -> Iterator[PublishedDay]:
    """Every day that is asked for, in order."""
    for name in grubhub:
        yield PublishedDay("grubhub", name, 100, data / "grubhub" / name)
    for percent in riders:
        for name in colombia:
            yield PublishedDay("colombia", name, percent, data / "colombia_instant" / name)


@dataclasses.dataclass(frozen=True)
class PublishedDay:
    """A published day with so many percent of its riders."""

    kind: str
    name: str
    riders: int
    path: Path

    def opened(self) -> Scenario:
        """The day as it is replayed."""
        return thinned(open_scenario(self.path), self.riders)


def run_day(day: Scenario, kind: str, preset: str, seed: int) -> dict[str, Any]:
    """The figures of one day under one preset."""
    settings = day.catalogue.settings.with_values(values_of(kind, preset))
    summary = replay(day, HalfhourPolicy(), seed=seed, settings=settings).summary
    figures = {key: summary[key] for key in FIGURES}
    return {**figures, "commit": versions()["commit"], "digest": summary["decision_digest"][:12]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the days that are missing and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with grubhub/ and colombia_instant/; else HALFHOUR_DATA")
    parser.add_argument("--grubhub", default=",".join(GRUBHUB))
    parser.add_argument("--colombia", default=",".join(COLOMBIA))
    parser.add_argument("--riders", default="100,30", help="percent of the riders of Colombian days")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/results/preset-days"))
    chosen = parser.parse_args(arguments)
    table = chosen.out.with_suffix(".csv")
    words = [[word for word in text.split(",") if word] for text in (chosen.grubhub, chosen.colombia, chosen.riders)]
    for day in days(chosen.data or public_data.require(), words[0], words[1], [int(word) for word in words[2]]):
        for preset in PRESETS:
            key = dict(zip(KEY, map(str, (day.kind, day.name, day.riders, preset, chosen.seed)), strict=True))
            if not has_row(table, key, KEY):
                add_row(table, {**key, **run_day(day.opened(), day.kind, preset, chosen.seed)})
                print(f"{day.name}, {day.riders} % of the riders, {preset}: done", flush=True)
    chosen.out.with_suffix(".md").write_text(page(read_rows(table, KEY), table.name), encoding="utf-8")
    return 0


def page(rows: Sequence[Mapping[str, str]], csv_name: str) -> str:
    """The page: for each kind of day the means by preset, and the differences to what ships, day by day."""
    parts = [
        "# The presets on published days", "",
        "What each [preset](../presets.md) does on days that others have published. On Grubhub days it changes prices "
        "alone: bags of one store and moves of idle riders are published rules, and the promise is 40 minutes from the "
        "order. Colombian days keep their own promises, a third of which can hardly be kept; riders are plenty, so "
        "that they are shown with fewer of them, too. Behind ± stands the half interval (95 %) of the difference to "
        f"{DEFAULT}, day by day. Every day is in [{csv_name}]({csv_name}).",
        "", "    python -m benchmarks.days.preset_days", "",
    ]  # fmt: skip
    for kind, riders in dict.fromkeys((row["kind"], row["riders"]) for row in rows):
        group = [row for row in rows if (row["kind"], row["riders"]) == (kind, riders)]
        days = whole_days(group)
        title = "Grubhub days" if kind == "grubhub" else f"Colombian days, {riders} % of the riders"
        parts += [f"## {title}", "", f"Days: {', '.join(days) or 'none that every preset was run on'}.", ""]
        if len(days) == 1:
            parts += ["One day says little: differences of half a minute are luck of the search.", ""]
        parts += [*_table(group, days), ""] if days else []
    return "\n".join(parts)


def whole_days(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Days that every preset was run on: only those can be compared."""
    names = dict.fromkeys(row["day"] for row in rows)
    return [name for name in names if {row["preset"] for row in rows if row["day"] == name} >= PRESETS.keys()]


def _table(rows: Sequence[Mapping[str, str]], days: Sequence[str]) -> Iterator[str]:
    # Where nothing is said of vehicles there are no grams.
    shown = {key: how for key, how in FIGURES.items() if key != "co2_g_per_order" or any(float(r[key]) for r in rows)}
    yield "| preset | " + " | ".join(title for title, *_ in shown.values()) + " |"
    yield "|---" * (len(shown) + 1) + "|"
    for preset in PRESETS:
        cells = []
        for figure, (_, factor, digits) in shown.items():
            mine, usual = (_by_day(rows, name, figure, days) for name in (preset, DEFAULT))
            text = f"{factor * statistics.mean(mine):.{digits}f}"
            if preset != DEFAULT:
                found = paired([factor * (a - b) for a, b in zip(mine, usual, strict=True)])
                noise = "" if found.half_width is None else f" ± {found.half_width:.{digits}f}"
                text += f" ({found.mean:+.{digits}f}{noise})"
            cells.append(text)
        yield f"| {'**' * (preset == DEFAULT)}{preset}{'**' * (preset == DEFAULT)} | " + " | ".join(cells) + " |"


def _by_day(rows: Sequence[Mapping[str, str]], preset: str, figure: str, days: Sequence[str]) -> list[float]:
    found = {row["day"]: float(row[figure] or "nan") for row in rows if row["preset"] == preset}
    return [found[day] for day in days]


if __name__ == "__main__":
    sys.exit(main())
