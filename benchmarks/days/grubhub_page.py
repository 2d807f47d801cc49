"""The page and the CSV of the table of published meal-delivery days."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from benchmarks.harness import versions

MEASURES = (
    "excess", "failed_pct", "click_to_door", "ready_to_pickup", "pay_per_order", "driven_per_order", "undelivered",
)  # fmt: skip
"""Published of every replay; all measures of the judge are in the CSV."""

HALVES = ("0o50", "0r50")
HARDEST = "1o50t100s1p100"


class Result(NamedTuple):
    """One replay, judged."""

    row: str
    instance: str
    seed: int
    violations: dict[str, int]
    measures: dict[str, float]
    run_cpu_s: float
    worst_round_s: float
    digest: str


def as_csv(results: Iterable[Result]) -> str:
    """One line a replay, all measures."""
    text = io.StringIO()
    listed = list(results)
    names = list(listed[0].measures)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "instance", "seed", "violations", *names, "run_cpu_s", "worst_round_s", "digest"])
    for result in listed:
        measures = [f"{result.measures[name]:.4f}".rstrip("0").rstrip(".") for name in names]
        said = [result.row, result.instance, result.seed, sum(result.violations.values())]
        writer.writerow([*said, *measures, f"{result.run_cpu_s:.2f}", f"{result.worst_round_s:.3f}", result.digest])
    return text.getvalue()


def as_page(results: Sequence[Result], csv_name: str, without_luck: Collection[str] = ()) -> str:
    """The page: the summary, the eight half days, the hardest day, and every instance.

    `without_luck`: rows for which one seed is enough.
    """
    rows = list(dict.fromkeys(result.row for result in results))
    instances = list(dict.fromkeys(result.instance for result in results))
    seeds = sorted({result.seed for result in results})
    made = versions()
    broken = sum(sum(result.violations.values()) for result in results)
    parts = [
        "# Published meal-delivery days, replayed",
        "",
        f"{len(instances)} instances, seeds {', '.join(map(str, seeds))} (one where a row has no luck), one "
        f"configuration for all; {broken} rules broken in {len(results)} replays. Means are unweighted over instances; "
        "minutes, percent, and the instances' own pay. *Excess* is the mean click-to-door over the floor nobody can "
        "beat, an order not delivered charged at two hours. ± is half the range of the mean over seeds. Times are CPU "
        f"seconds, compiled code at hand. Every replay is in [{csv_name}]({csv_name}); "
        "[benchmarks.md](../benchmarks.md) says how to make this page again and where the data are to be had.",
        "",
        f"Halfhour {made['halfhour']} ({made['commit']}), Python {made['python']}, numba {made['numba']}, "
        f"OR-Tools {made['ortools']}, {made['processor']}.",
        "",
        *_fewer_seeds(results, rows, seeds, without_luck),
        *_block("All instances", results, rows, lambda name: True),
        *_block("The half days (0o50, 0r50)", results, rows, lambda name: name.startswith(HALVES)),
        *_block(f"The hardest day ({HARDEST})", results, rows, lambda name: name == HARDEST),
        "## Excess by instance",
        "",
        "| instance | " + " | ".join(rows) + " |",
        "|---|" + "---|" * len(rows),
    ]
    for name in instances:
        cells = [_mean(results, row, "excess", lambda other, name=name: other == name) for row in rows]  # type: ignore[misc]
        parts.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def _fewer_seeds(
    results: Sequence[Result], rows: Sequence[str], seeds: Sequence[int], without_luck: Collection[str]
) -> list[str]:
    """A line for every row with luck that was not replayed with every seed on every instance."""
    lines = []
    whole = {(result.instance, seed) for result in results for seed in seeds}
    for row in rows:
        found = {(result.instance, result.seed) for result in results if result.row == row}
        if row not in without_luck and found != whole:
            used = ", ".join(str(seed) for seed in seeds if any(seed == one for _, one in found))
            lines += [f"Row *{row}*: {len(found)} replays, seeds {used}.", ""]
    return lines


HEADINGS = (
    "excess min", "failed %", "click-to-door min", "ready-to-pickup min", "pay per order", "driven min per order",
    "undelivered", "CPU s a day", "worst round s",
)  # fmt: skip


def _block(title: str, results: Sequence[Result], rows: Sequence[str], wanted: Callable[[str], bool]) -> list[str]:
    if not any(wanted(result.instance) for result in results):
        return []
    lines = [f"## {title}", "", "| | " + " | ".join(HEADINGS) + " |", "|---|" + "---|" * len(HEADINGS)]
    for row in rows:
        mine = [result for result in results if result.row == row and wanted(result.instance)]
        cells = [_mean(results, row, measure, wanted) for measure in MEASURES]
        cpu = statistics.fmean(result.run_cpu_s for result in mine)
        worst = max(result.worst_round_s for result in mine)
        lines.append(f"| {row} | " + " | ".join(cells) + f" | {cpu:.1f} | {worst:.2f} |")
    return [*lines, ""]


def _mean(results: Sequence[Result], row: str, measure: str, wanted: Callable[[str], bool]) -> str:
    """Mean over instances for each seed; over seeds the mean and half the range."""
    mine = [result for result in results if result.row == row and wanted(result.instance)]
    by_seed = [
        statistics.fmean(result.measures[measure] for result in mine if result.seed == seed)
        for seed in sorted({result.seed for result in mine})
    ]
    spread = (max(by_seed) - min(by_seed)) / 2
    return f"{statistics.fmean(by_seed):.2f}" + (f" ± {spread:.2f}" if len(by_seed) > 1 else "")
