"""`halfhour tune`: settings for a goal, found on some days and judged on others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halfhour.terminal import console, print_json, progress

if TYPE_CHECKING:
    from halfhour.lab.tuning import Tuned

EXAMPLE = "halfhour tune days/* --goal on_time --within driven=+5%"

INTERRUPTED = 130


def tune(
    scenarios: Annotated[list[Path], typer.Argument(help="Scenario folders, at least four days.", metavar="DAY...")],
    goal: Annotated[str, typer.Option(help="on_time, door, lateness, driven or cost.")] = "on_time",
    within: Annotated[
        list[str] | None, typer.Option(help="driven=+5%: what may become worse by how much; may be repeated.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Seeds of luck on every day.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: tuning/ and the goal.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Runs at a time; default: all processors.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier start was stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print tuned.json alone.")] = False,
) -> None:
    """Find settings for a goal by experiments, and report them on other days than they were chosen on.

    On every second day presets are tried, then single weights around the best of them; what may become worse is stated
    beforehand. What is chosen then meets what is set on the other days, judged as `halfhour experiment` judges.
    """
    from halfhour.compiling import compile_first
    from halfhour.lab.tuning import as_data, goal_of, limit_of
    from halfhour.lab.tuning import tune as found_by

    goal, limits = goal_of(goal), [limit_of(text) for text in within or ()]
    target = out or Path("tuning") / goal
    compile_first(quiet=as_json)
    with progress("Replaying", quiet=as_json) as bar:
        tuned = found_by(
            scenarios, goal, limits, target, seeds=seeds, jobs=jobs or os.cpu_count() or 1, resume=resume, progress=bar
        )
    if as_json:
        print_json(as_data(tuned, goal, limits))
    else:
        _say(tuned, target)
    if tuned.interrupted:
        console(stderr=True).print("Stopped: go on with --resume; what was finished is kept.", style="yellow")
        raise typer.Exit(INTERRUPTED)


def _say(tuned: Tuned, target: Path) -> None:
    from dispatch.settings.settings import text_of
    from halfhour.lab.reporting import judged, sentence
    from halfhour.lab.tuning import TUNED

    out = console()
    out.print(f"Tried on {', '.join(tuned.chosen_on)}:", markup=False)
    for arm in tuned.tried:
        figures = ", ".join(f"{key} {arm[key]:.3f}" for key in arm if key not in ("name", "settings", "within"))
        out.print(f"  {arm['name']}: {figures}{'' if arm['within'] else ', not within the limits'}", markup=False)
    if tuned.settings:
        words = " ".join(f"--set {key}={text_of(value)}" for key, value in tuned.settings.items())
        out.print(f"Chosen: {words}", markup=False)
    elif not tuned.interrupted:
        out.print("Nothing that was tried beats what is set.", markup=False)
    if tuned.reported is not None:
        out.print(f"On {', '.join(tuned.reported_on)}, which it was not chosen on:", markup=False)
        for one in judged(tuned.reported):
            out.print(f"  {sentence(one, tuned.reported.unit)}", markup=False)
    out.print(f"Kept in {target / TUNED}, with every run beside it", markup=False)
