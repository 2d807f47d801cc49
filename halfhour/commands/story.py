"""`halfhour story`: one order's life from a run folder's journal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halfhour.terminal import console, print_json

EXAMPLE = "halfhour story runs/first o0042"


def story(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    order: Annotated[str, typer.Argument(help="The order's id, as in orders.csv.")],
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell one order's life in plain words: promise, who, why this rider, next best."""
    from dispatch.record.run_folder import RunFolder
    from dispatch.record.story import tell
    from halfhour.report.figures import FilmClock

    run = RunFolder(folder)
    zone = run.catalogue.time_zone
    told = tell(run.entries(), order, zone)
    if as_data:
        lines = [{"at": line.at, "text": line.text} for line in told.lines]
        print_json({**told.facts, "lines": lines})
        return
    clock = FilmClock(zone)
    out = console()
    out.print(f"Order {order}, {clock.day(told.lines[0].at)}", style="bold", markup=False)
    for line in told.lines:
        out.print(f"{clock.exact(line.at)}  {line.text}", markup=False)
