"""The table of published meal-delivery days: replay, judge, print.

    python -m benchmarks.days.grubhub [--data DIR] [--instances 0o50,1o50] [--rows halfhour,nearest] [--seeds 1,2,3]
                                 [--jobs 2] [--out docs/results/grubhub] [--solutions DIR]

One fixed configuration for every instance, opened as the reader opens it (published rules, empty moves allowed); a row
changes what its name says and nothing else.  Solutions are written as files and judged from those by sim/mdrp/rules.py.
With --out every finished replay is kept in OUT.jsonl until the page is written: a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.days.grubhub_page import Result, as_csv, as_page
from benchmarks.inputs import public_data
from benchmarks.resumable import Kept
from dispatch.settings.presets import DEFAULT, PRESETS
from halfhour.policies import choose
from routing.errors import HalfhourError, InvalidInput
from sim.mdrp.rules import Liberty, judge, read_instance, read_solution
from sim.replay.replay import replay
from sim.scenario import Scenario
from sim.sources import open_scenario
from sim.sources.grubhub import write_solution


@dataclass(frozen=True)
class GrubhubRow:
    """One row of the table: a policy, what it changes, and the liberty its solutions are judged under."""

    policy: str
    recipe: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    liberty: Liberty = "preposition"
    seeded: bool = True
    """Whether the search seed changes anything; the first seed is enough where it does not."""


STILL = {"rules.empty_moves": False}
SHIPPED = {**PRESETS[DEFAULT].values, "rules.mix": "same_store"}
"""What ships, under the published rules: no bag of two restaurants, no bonus for empty moves."""
ROWS = {
    "as shipped": GrubhubRow("halfhour", settings=SHIPPED, liberty="updates"),
    "halfhour": GrubhubRow("halfhour"),
    "halfhour without empty moves": GrubhubRow("halfhour", settings=STILL, liberty="updates"),
    "halfhour on store means": GrubhubRow("halfhour", settings={"rules.ready_times": "store_mean"}),
    "insertion": GrubhubRow("halfhour", "insertion", seeded=False),
    "ortools": GrubhubRow("halfhour", "ortools"),
    "lns+ortools": GrubhubRow("halfhour", "lns+ortools"),
    "batch": GrubhubRow("batch", liberty="updates", seeded=False),
    "greedy": GrubhubRow("greedy", liberty="updates", seeded=False),
    "nearest": GrubhubRow("nearest", liberty="updates", seeded=False),
}


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
    only_kept: bool = False,
    told: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Every row on every instance with every seed that matters to it, in that order whatever the number of processes.

    What `kept` holds is not replayed again, and what is replayed is added to it; with `only_kept` nothing is replayed.
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
    missing = [(*one, solutions) for one in wanted if (one[0], one[1].name, one[2]) not in found and not only_kept]
    for result in _replayed(missing, jobs):
        found[result.row, result.instance, result.seed] = result
        if kept is not None:
            kept.add(result._asdict())
        told(result)
    # A mean over some of the instances is no line of the table: only whole seeds.
    unfinished = {(row, seed) for row, instance, seed in wanted if (row, instance.name, seed) not in found}
    return [found[row, one.name, seed] for row, one, seed in wanted if (row, seed) not in unfinished]


def _replayed(missing: Sequence[tuple[str, Path, int, Path | None]], jobs: int) -> Iterator[Result]:
    if jobs == 1:
        for one in missing:
            yield replay_and_judge(*one)
    elif missing:
        with ProcessPoolExecutor(jobs) as pool:
            yield from pool.map(replay_and_judge, *zip(*missing, strict=True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, judge, print; 0 fine, 1 a rule was broken, 2 bad input."""
    parser = argparse.ArgumentParser(prog="benchmarks.days.grubhub", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the instances (default: grubhub in HALFHOUR_DATA)")
    parser.add_argument("--instances", default="", help="beginnings of names, separated by commas (default: all)")
    parser.add_argument("--rows", "--policies", dest="rows", default=",".join(("halfhour", "insertion", "nearest")))
    parser.add_argument("--all-rows", action="store_true", help=f"all of: {'; '.join(ROWS)}")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.csv; finished replays wait in OUT.jsonl")
    parser.add_argument("--finished", action="store_true", help="write the page of what OUT.jsonl holds by now")
    parser.add_argument("--solutions", type=Path, help="keep every solution's files below this folder")
    chosen = parser.parse_args(arguments)
    screen = Console(stderr=True)
    try:
        rows = list(ROWS) if chosen.all_rows else [_row(name) for name in chosen.rows.split(",")]
        instances = _instances(chosen.data, chosen.instances)
        seeds = [int(seed) for seed in chosen.seeds.split(",")]
        kept = Kept(chosen.out.with_suffix(".jsonl")) if chosen.out else None
        results = run_all(
            rows, instances, seeds, jobs=chosen.jobs, kept=kept, solutions=chosen.solutions, only_kept=chosen.finished,
            told=lambda result: screen.print(_line(result)),
        )  # fmt: skip
        if not results:
            raise public_data.DataMissing("there is no finished replay", hint="Run without --finished first.")
    except HalfhourError as problem:
        screen.print(str(problem), style="red")
        return 2
    name = f"{chosen.out.name}.csv" if chosen.out else "grubhub.csv"
    page = as_page(results, name, [row for row in rows if not ROWS[row].seeded])
    print(page)
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.with_suffix(".md").write_text(page, encoding="utf-8")
        chosen.out.with_suffix(".csv").write_text(as_csv(results), encoding="utf-8")
        if not chosen.finished:
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
    found = [path for path in public_data.grubhub_instances(folder) if path.name.startswith(beginnings)]
    if not found:
        raise public_data.DataMissing(
            "there is no such instance", hint="docs/benchmarks.md says where they are to be had."
        )
    return found


def _line(result: Result) -> str:
    told = f"BROKEN {result.violations} " if result.violations else ""
    return (
        f"{result.row:12s} {result.instance:16s} seed {result.seed}: {told}excess {result.measures['excess']:.3f}, "
        f"failed {result.measures['failed_pct']:.2f} %, {result.run_cpu_s:.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
