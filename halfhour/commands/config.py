"""`halfhour config`: what can be set, and what a setting means."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dispatch.config import Known, describe, schema
from halfhour.terminal import console, print_json

EXAMPLE = "halfhour config explain rules.batch_scope"

app = typer.Typer(no_args_is_help=True, help="Show and explain the settings that `--set key=value` takes.")


def as_json(known: Known) -> dict[str, Any]:
    """One setting as JSON values."""
    return {
        "key": known.key,
        "type": known.kind.__name__,
        "default": known.default,
        "choices": list(known.choices),
        "low": known.low,
        "high": known.high,
        "live": known.live,
        "doc": known.doc,
    }


def bounds(known: Known) -> str:
    """The values a setting takes, in words."""
    if known.choices:
        return " | ".join(known.choices)
    if known.kind is bool:
        return "true | false"
    low = "" if known.low is None else f"{known.low:g}"
    high = "" if known.high is None else f"{known.high:g}"
    if low and high:
        return f"{low} to {high}"
    return f"at least {low}" if low else known.kind.__name__


@app.command(epilog="Example:  halfhour config show rules")
def show(
    section: Annotated[str, typer.Argument(help="Show this section alone (rules, prices, search, reposition).")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Every setting with its default."""
    chosen = [known for known in schema() if section in ("", known.section)]
    if not chosen:
        describe(section)  # raises, naming the nearest key
    if as_data:
        print_json([as_json(known) for known in chosen])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("setting", "default", "values", "meaning"):
        table.add_column(title, overflow="fold")
    for known in chosen:
        table.add_row(known.key, _text(known.default), bounds(known), known.doc)
    console().print(table)


@app.command(epilog="Example:  halfhour config explain rules.round_s")
def explain(
    key: Annotated[str, typer.Argument(help="The setting's name, such as rules.round_s.")],
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """One setting: meaning, default, values."""
    known = describe(key)
    if as_data:
        print_json(as_json(known))
        return
    out = console()
    out.print(f"[bold]{known.key}[/bold]  {known.doc}")
    out.print(f"default  {_text(known.default)}", markup=False)
    out.print(f"values   {bounds(known)}", markup=False)
    out.print(f"live     {'may change while the service runs' if known.live else 'read at start only'}")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
