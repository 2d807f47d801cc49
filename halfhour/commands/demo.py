"""`halfhour demo`: the bundled lunch peak under our policy, beside a nearest-rider baseline."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import typer

from halfhour.commands.replay import finish, print_kpis
from halfhour.terminal import console, print_json, progress

EXAMPLE = "halfhour demo --out runs/demo"

BASELINE = "nearest"


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Seed of the city's luck and of the search.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for both runs; default: a dated one under runs/.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the folder.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print both summaries as one JSON object.")] = False,
) -> None:
    """Replay the bundled lunch peak under our policy and a nearest-rider baseline, and write a report."""
    from dispatch.record.run_folder import refuse_to_overwrite
    from halfhour import replaying
    from halfhour.compiling import compile_first
    from halfhour.synthetic import write_lunch_peak

    target = out or replaying.dated_folder("demo")
    refuse_to_overwrite(target, force=force)
    if force:
        replaying.remove(target)
    target.mkdir(parents=True, exist_ok=True)
    scenario = write_lunch_peak(target / "scenario")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        # The baseline runs beside ours: two cores make the demo twice as short.
        other: Future[int] = pool.submit(_baseline, scenario, target / BASELINE, seed)
        compile_first(quiet=as_data)
        with progress("Lunch peak", quiet=as_data) as bar:
            run = replaying.replay(
                scenario,
                seed=seed,
                out=target / "halfhour",
                progress=lambda at: bar(at.placed, at.total, f"{at.delivered:,} of {at.placed:,} delivered"),
            )
            bar(1, 1, f"waiting for the {BASELINE} baseline")
            other.result()
    summary, fold = replaying.reread(target / BASELINE)
    report = target / replaying.REPORT
    if not (run.summary["orders"] and summary["orders"]):
        finish([run.summary, summary])  # interrupted before the first order: there is nothing to show
    replaying.write_comparison(report, run, summary, fold)
    if as_data:
        print_json({"halfhour": run.summary, BASELINE: summary, "report": str(report)})
    else:
        print_kpis([run.summary, summary])
        console().print(f"Report  {report}", markup=False)
    finish([run.summary, summary])


def _baseline(scenario: Path, target: Path, seed: int) -> int:
    """Replay the baseline in a process of its own; the number of orders delivered."""
    from halfhour import replaying

    delivered: int = replaying.replay(scenario, policy=BASELINE, seed=seed, out=target).summary["delivered"]
    return delivered
