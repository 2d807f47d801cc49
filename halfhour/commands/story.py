"""`halfhour story`: one order's life from a run folder's journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halfhour.terminal import console, print_json

if TYPE_CHECKING:
    from dispatch.record.run_folder import RunFolder
    from halfhour.report.figures import FilmClock

EXAMPLE = "halfhour story runs/first o0042"


def story(
    folder: Annotated[Path, typer.Argument(help="A run folder.")],
    order: Annotated[str, typer.Argument(help="The order's id, as in orders.csv; with --rider a rider's.")],
    rider: Annotated[bool, typer.Option("--rider", help="What a rider may read of decisions about them.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell one order's life in plain words: promise, who, why this rider, next best."""
    from dispatch.record.run_folder import RunFolder
    from dispatch.record.story import tell
    from halfhour.report.figures import FilmClock

    run = RunFolder(folder)
    zone = run.catalogue.time_zone
    if rider:
        _receipts(run, order, FilmClock(zone), as_data=as_data)
        return
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


def _receipts(run: RunFolder, rider_id: str, clock: FilmClock, *, as_data: bool) -> None:
    """Every receipt of one rider, in order."""
    from dispatch.record.people.receipt_words import in_words, receipts_in

    found = receipts_in(run.entries(), rider_id)
    words = [in_words(one, clock=clock.exact, contact="your operator") for one in found]
    if as_data:
        rows = zip(found, words, strict=True)
        print_json([{"number": one.number, "at": one.at, "about": one.about.value, "text": text} for one, text in rows])
        return
    out = console()
    out.print(f"Rider {rider_id}: {len(found)} receipts", style="bold", markup=False)
    for one, text in zip(found, words, strict=True):
        out.print(f"{clock.exact(one.at)}  {one.number}. {text}", markup=False)
