"""`halfhour compare`: finished replays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halfhour.terminal import console, print_json
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from halfhour.comparing import Difference, Group
    from halfhour.report.kpi_table import Figure

EXAMPLE = "halfhour compare runs/nearest-1 runs/nearest-2 runs/ours-1 runs/ours-2"


def compare(
    folders: Annotated[list[Path], typer.Argument(help="Run folders of the same days; the first names the reference.")],
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Set finished replays side by side and say which differences exceed the noise over paired days and seeds.

    Runs are paired by day and seed. Policy, recipe, settings and version make a configuration. With several days each
    day counts once (the mean over its seeds); with one day each seed does.
    """
    from dispatch.record.run_folder import RunFolder
    from halfhour.comparing import blocks_of, differences, grouped, remark
    from halfhour.report.kpi_table import FIGURES

    groups = grouped([RunFolder(folder).summary for folder in folders])
    if len(groups) < 2:
        raise InvalidInput(
            "all these runs have one configuration",
            code="nothing_to_compare",
            hint="Name runs of two policies or two settings.",
        )
    keys = [figure.key for figure in FIGURES]
    found = [(group, differences(groups[0], group, keys)) for group in groups[1:]]
    if as_data:
        blocks = [{"scenario": scenario, "seed": seed} for scenario, seed in blocks_of(groups[0])]
        print_json(_as_json(groups[0], blocks, found, remark(groups)))
        return
    _print(groups[0], found)
    console().print(remark(groups), markup=False)


def _as_json(
    reference: Group,
    blocks: Sequence[dict[str, Any]],
    found: Sequence[tuple[Group, Sequence[Difference]]],
    note: str,
) -> dict[str, Any]:
    return {
        "reference": reference.name,
        "seeds": sorted({block.seed for block in reference.runs}),
        "blocks": blocks,
        "note": note,
        "against": [
            {
                "name": group.name,
                "figures": {
                    one.key: {**one._asdict(), "exceeds_noise": one.exceeds_noise} for one in differences_of_group
                },
            }
            for group, differences_of_group in found
        ],
    }


def _print(reference: Group, found: Sequence[tuple[Group, Sequence[Difference]]]) -> None:
    from rich.table import Table

    from halfhour.report.kpi_table import BY_KEY

    for group, rows in found:
        table = Table(title=f"{group.name} against {reference.name}", title_justify="left", box=None)
        table.add_column("")
        for title in (reference.name, group.name, "difference", "noise", ""):
            table.add_column(title, justify="right")
        for row in rows:
            figure = BY_KEY[row.key]
            sign = "+" if row.difference > 0 else "−" if row.difference < 0 else ""
            noise = "" if row.noise is None else f"± {_gap(figure, row.noise)}"
            better = row.difference * figure.sense > 0
            word = ""
            if row.exceeds_noise:
                word = "differs" if figure.sense == 0 else ("[green]better[/]" if better else "[red]worse[/]")
            elif row.exceeds_noise is False:
                word = "within noise" if row.difference else "same"
            table.add_row(
                figure.title,
                figure.write(row.reference),
                figure.write(row.value),
                sign + _gap(figure, abs(row.difference)),
                noise,
                word,
            )
        console().print(table)


def _gap(figure: Figure, value: float) -> str:
    """A difference as text; shares differ by points, not by per cent."""
    return figure.write(value).replace("%", " points")
