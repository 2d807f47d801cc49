"""`halfhour promise`: fit what promises begin with from finished runs, and check what was said against what came."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from halfhour.terminal import console, print_json

EXAMPLE = "halfhour promise fit runs/monday runs/tuesday --out promise.json"

app = typer.Typer(no_args_is_help=True, help="Say with what probability orders come when, and check it.")

Runs = Annotated[list[Path], typer.Argument(help="Run folders, the oldest first.", metavar="RUN...")]


@app.command()
def fit(
    runs: Runs,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path("promise.json"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite it.")] = False,
) -> None:
    """Track the orders of finished runs once more and keep what is known then: what promises begin with."""
    from halfhour.promising import fitted, written

    tracker, counts = fitted(runs)
    written(out, tracker, force=force)
    for basis, count in counts.items():
        enough = "calibrated" if tracker.is_calibrated(basis) else "not calibrated yet: 600 are needed"
        console().print(f"{basis:>6}: {count:,} orders, {enough}", markup=False)
    console().print(f"written: {out}", markup=False)


@app.command()
def check(
    runs: Runs,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Hold what was said in finished runs against what came: by level, by tenths, by slices."""
    from halfhour.promising import checked

    found = checked(runs)
    if as_data:
        print_json(found)
        return
    for basis, one in found.items():
        console().print(f"[bold]{basis}[/bold]: {one['orders']:,} orders")
        for level, share in one["levels"].items():
            console().print(f"  said {level}  came {share:.3f}", markup=False)
        for name, rows in one["slices"].items():
            for key, (count, share) in rows.items():
                console().print(f"  P90 by {name} {key:<18} {count:>6,} orders  {share:.3f}", markup=False)
