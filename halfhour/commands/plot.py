"""`halfhour plot`: one chart of a run folder as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halfhour.terminal import console, print_json

EXAMPLE = "halfhour plot runs/first --chart minutes --out minutes.svg"


def plot(
    folder: Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")],
    chart: Annotated[str, typer.Option(help="orders, lateness, riders, minutes, promises, calibration.")] = "orders",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A .png, .svg or .pdf to write; CHART.png if not named.")
    ] = None,
    title: Annotated[str, typer.Option(help="What stands above it; the scenario and policy if not said.")] = "",
    width: Annotated[float, typer.Option(min=2, max=40, help="Inches.")] = 8.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Draw one chart of a replay.

    orders: under way, placed, delivered.  lateness: minutes before or after the promise.  riders: what they were doing.
    minutes: where they went from click to door, by hour.  promises: where they were missed, on the streets.
    calibration: probabilities said and come.
    """
    from dispatch.record.run_folder import OutputExists, RunFolder
    from halfhour.replaying import map_in, reread
    from halfhour.report.figures import FilmClock
    from halfhour.report.plots import PlotInput, write_plot

    path = out or Path(f"{chart}.png")
    if path.exists() and not force:
        raise OutputExists("it exists already", file=str(path), hint="Name another file, or add --force.")
    summary, fold = reread(folder)
    catalogue = RunFolder(folder).catalogue
    given = PlotInput(catalogue, fold, map_in(folder), FilmClock(catalogue.time_zone))
    write_plot(path, chart, given, title=title or f"{summary['scenario']}: {summary['policy']}", width=width)
    if as_data:
        print_json({"chart": chart, "file": str(path)})
        return
    console().print(f"written: {path}", markup=False)
