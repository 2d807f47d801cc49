"""The table of published meal-delivery days: replay, judge, print.

    python -m benchmarks.grubhub [--data DIR] [--instances 0o50,1o50] [--rows halfhour,nearest] [--seeds 1,2,3]
                                 [--jobs 2] [--out docs/results/grubhub] [--solutions DIR]

One fixed configuration for every instance, opened as the reader opens it (published rules, empty moves allowed); a row
changes what its name says and nothing else.  Solutions are written as files and judged from those by sim/mdrp_rules.py.
With --out every finished replay is kept in OUT.jsonl until the page is written: a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from benchmarks import data
from benchmarks.harness import versions
from benchmarks.kept import Kept
from halfhour.policies import choose
from routing.errors import HalfhourError, InvalidInput
from sim.mdrp_rules import Liberty, judge, read_instance, read_solution
from sim.run import replay
from sim.scenario import Scenario
from sim.sources import open_scenario
from sim.sources.grubhub import write_solution


@dataclass(frozen=True)
class Row:
    """One row of the table: a policy, what it changes, and the liberty its solutions are judged under."""

    policy: str
    recipe: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    liberty: Liberty = "preposition"
    seeded: bool = True
    """Whether the search seed changes anything; the first seed is enough where it does not."""


STILL = {"rules.empty_moves": False}
ROWS = {
    "halfhour": Row("halfhour"),
    "halfhour without empty moves": Row("halfhour", settings=STILL, liberty="updates"),
    "halfhour on store means": Row("halfhour", settings={"rules.ready_times": "store_mean"}),
    "insertion": Row("halfhour", "insertion", seeded=False),
    "ortools": Row("halfhour", "ortools"),
    "lns+ortools": Row("halfhour", "lns+ortools"),
    "batch": Row("batch", liberty="updates", seeded=False),
    "greedy": Row("greedy", liberty="updates", seeded=False),
    "nearest": Row("nearest", liberty="updates", seeded=False),
}

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


def replay_and_judge(row: str, instance: Path, seed: int, solutions: Path | None = None) -> Result:
    """Replay one instance and judge the files it wrote; those stay in `solutions` where it is given."""
    chosen = ROWS[row]
    scenario = open_scenario(instance)
    _warm_up(chosen.policy, chosen.recipe, scenario)
    settings = scenario.catalogue.settings.with_values(chosen.settings)
    run = replay(scenario, choose(chosen.policy, recipe=chosen.recipe).policy, settings=settings, seed=seed)
    with tempfile.TemporaryDirectory(prefix="mdrp-") as passing:
        folder = Path(passing) if solutions is None else solutions / row / f"{instance.name}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        write_solution(folder, run.folded, run.scenario.catalogue)
        verdict = judge(read_instance(instance), read_solution(folder), chosen.liberty)
    summary = run.summary
    return Result(
        row, instance.name, seed, verdict.counts(), verdict.measures,
        summary["run_cpu_s"], max(run.times.round_cpu_s, default=0.0), summary["decision_digest"],
    )  # fmt: skip


_WARM: set[tuple[str, str | None]] = set()


def _warm_up(policy: str, recipe: str | None, scenario: Scenario) -> None:
    """Once in each process, let a policy see the beginning of a day, so that no time measured is a compiler's."""
    if (policy, recipe) not in _WARM:
        _WARM.add((policy, recipe))
        morning = scenario.demand[min(40, len(scenario.demand) - 1)].order.placed_at
        replay(scenario.before(morning + 1), choose(policy, recipe=recipe).policy)


def run_all(
    rows: Sequence[str],
    instances: Sequence[Path],
    seeds: Sequence[int],
    *,
    jobs: int = 1,
    kept: Kept | None = None,
    solutions: Path | None = None,
    told: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Every row on every instance with every seed that matters to it, in that order whatever the number of processes.

    What `kept` holds is not replayed again, and what is replayed is added to it.
    """
    wanted = [
        (row, instance, seed)
        for row in rows
        for instance in instances
        for seed in (seeds if ROWS[row].seeded else seeds[:1])
    ]
    found: dict[tuple[str, str, int], Result] = {}
    for row, instance, seed in wanted if kept is not None else ():
        if (line := kept.get((row, instance.name, seed))) is not None:
            found[row, instance.name, seed] = Result(**line)
    missing = [(*one, solutions) for one in wanted if (one[0], one[1].name, one[2]) not in found]
    for result in _replayed(missing, jobs):
        found[result.row, result.instance, result.seed] = result
        if kept is not None:
            kept.add(result._asdict())
        told(result)
    return [found[row, instance.name, seed] for row, instance, seed in wanted]


def _replayed(missing: Sequence[tuple[str, Path, int, Path | None]], jobs: int) -> Iterator[Result]:
    if jobs == 1:
        for one in missing:
            yield replay_and_judge(*one)
    elif missing:
        with ProcessPoolExecutor(jobs) as pool:
            yield from pool.map(replay_and_judge, *zip(*missing, strict=True))


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


def as_page(results: Sequence[Result], csv_name: str) -> str:
    """The page: the summary, the eight half days, the hardest day, and every instance."""
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, judge, print; 0 fine, 1 a rule was broken, 2 bad input."""
    parser = argparse.ArgumentParser(prog="benchmarks.grubhub", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the instances (default: grubhub in HALFHOUR_DATA)")
    parser.add_argument("--instances", default="", help="beginnings of names, separated by commas (default: all)")
    parser.add_argument("--rows", "--policies", dest="rows", default=",".join(("halfhour", "insertion", "nearest")))
    parser.add_argument("--all-rows", action="store_true", help=f"all of: {'; '.join(ROWS)}")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.csv; finished replays wait in OUT.jsonl")
    parser.add_argument("--solutions", type=Path, help="keep every solution's files below this folder")
    chosen = parser.parse_args(arguments)
    screen = Console(stderr=True)
    try:
        rows = list(ROWS) if chosen.all_rows else [_row(name) for name in chosen.rows.split(",")]
        instances = _instances(chosen.data, chosen.instances)
        seeds = [int(seed) for seed in chosen.seeds.split(",")]
        kept = Kept(chosen.out.with_suffix(".jsonl")) if chosen.out else None
        results = run_all(
            rows, instances, seeds, jobs=chosen.jobs, kept=kept, solutions=chosen.solutions,
            told=lambda result: screen.print(_line(result)),
        )  # fmt: skip
    except HalfhourError as problem:
        screen.print(str(problem), style="red")
        return 2
    page = as_page(results, f"{chosen.out.name}.csv" if chosen.out else "grubhub.csv")
    print(page)
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.with_suffix(".md").write_text(page, encoding="utf-8")
        chosen.out.with_suffix(".csv").write_text(as_csv(results), encoding="utf-8")
        chosen.out.with_suffix(".jsonl").unlink()
    return 1 if any(result.violations for result in results) else 0


def _row(name: str) -> str:
    """The row meant: its name, or a beginning that only one row has."""
    near = [row for row in ROWS if row.replace(",", "").startswith(name.strip().replace(",", ""))]
    if name.strip() in ROWS:
        return name.strip()
    if len(near) == 1:
        return near[0]
    raise InvalidInput(f"there is no row {name!r}", code="unknown_policy", hint=f"Rows: {'; '.join(ROWS)}.")


def _instances(folder: Path | None, wanted: str) -> list[Path]:
    beginnings = tuple(part.strip() for part in wanted.split(",")) if wanted else ("",)
    found = [path for path in data.grubhub_instances(folder) if path.name.startswith(beginnings)]
    if not found:
        raise data.DataMissing("there is no such instance", hint="docs/benchmarks.md says where they are to be had.")
    return found


def _line(result: Result) -> str:
    told = f"BROKEN {result.violations} " if result.violations else ""
    return (
        f"{result.row:12s} {result.instance:16s} seed {result.seed}: {told}excess {result.measures['excess']:.3f}, "
        f"failed {result.measures['failed_pct']:.2f} %, {result.run_cpu_s:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
