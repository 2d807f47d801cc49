"""`halfhour experiment`: many replays, paired by day and luck, judged as declared beforehand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halfhour.terminal import INCOMPLETE, console, print_json, progress

if TYPE_CHECKING:
    from halfhour.lab.conducting import Conducted
    from halfhour.lab.experiment import Experiment

EXAMPLE = "halfhour experiment bags.toml --jobs 2"

INTERRUPTED = 130


def experiment(
    file: Annotated[Path, typer.Argument(help="A TOML file: policies, settings, days, seeds, the least effect.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the experiment; default: experiments/ and the file's name.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Runs at a time; default: one for each processor.")
    ] = None,
    on: Annotated[
        str, typer.Option(help="A cluster instead of this machine: ray://HOST:10001, ray://auto, dask://HOST:8786.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier start was stopped.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write runs.parquet beside runs.csv.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be replayed, and replay nothing.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print report.json alone.")] = False,
) -> None:
    """Replay policies, settings, days and seeds against each other and judge the differences.

    All configurations face the same days and the same luck; differences are paired, tested by Student's t and by sign
    flips, adjusted by Holm for all that is judged, and called better or worse only where they are at least the stated
    least effect. Everything that decides what is said stands in the file before anything is replayed.
    """
    from halfhour.lab.experiment import read_experiment
    from halfhour.report.parquet import require_parquet, write_parquet

    declared = read_experiment(file)
    if parquet:
        require_parquet()
    if plan:
        _say_plan(declared, as_data)
        return
    from halfhour.compiling import compile_first
    from halfhour.lab.conducting import conduct
    from halfhour.lab.executors import executor_maker

    target = out or Path("experiments") / file.stem
    if any(arm.policy == "halfhour" for arm in declared.arms):
        compile_first(quiet=as_data)
    with progress("Replaying", quiet=as_data) as bar:
        conducted = conduct(
            declared, target, jobs=jobs or os.cpu_count() or 1, resume=resume, progress=bar,
            make_executor=executor_maker(on),
        )  # fmt: skip
    if parquet:
        write_parquet(target)
    if as_data:
        print_json(conducted.report)
    else:
        _say(conducted, target)
    if conducted.interrupted:
        console(stderr=True).print("Stopped: go on with --resume; what was finished is kept.", style="yellow")
        raise typer.Exit(INTERRUPTED)
    if conducted.report["lost"]:
        console(stderr=True).print("Some runs are lost: --resume tries them again.", style="yellow")
        raise typer.Exit(INCOMPLETE)


def _say_plan(declared: Experiment, as_data: bool) -> None:
    found = {
        "name": declared.name,
        "arms": [arm.name for arm in declared.arms],
        "blocks": declared.blocks,
        "runs": declared.blocks * len(declared.arms),
        "looks": list(declared.looks),
        "alpha_per_look": declared.alpha / len(declared.looks),
        "units": declared.units,
        "least_effect": dict(declared.least_effect),
    }
    if as_data:
        print_json(found)
        return
    out = console()
    out.print(
        f"{found['runs']:,} runs: {len(declared.arms)} configurations on {declared.blocks:,} blocks.", markup=False
    )
    for number, arm in enumerate(declared.arms):
        out.print(f"  {arm.name}{'' if number else '  (reference)'}", markup=False)
    looks = ", ".join(map(str, declared.looks))
    out.print(f"Judged after {looks} blocks, each at {found['alpha_per_look']:.4g}:", markup=False)
    for key, effect in declared.least_effect.items():
        out.print(f"  {key}: the least effect that matters is {effect:g}", markup=False)


def _say(conducted: Conducted, target: Path) -> None:
    from halfhour.lab.reporting import PAGE, judged, sentence, standing

    out = console()
    for look in conducted.looks[-1:]:
        for one in judged(look):
            out.print(sentence(one, look.unit), markup=False)
    for said in standing(conducted.report, conducted.looks):
        out.print(said, markup=False)
    out.print(f"Report      {target / PAGE}", markup=False)
