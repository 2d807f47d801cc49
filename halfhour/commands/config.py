"""`halfhour config`: what can be set, and what a setting means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.settings.presets import KEY, PRESETS, Preset
from dispatch.settings.presets import preset as chosen
from dispatch.settings.settings import Known, Settings, describe, schema, text_of
from halfhour.terminal import console, print_json

EXAMPLE = "halfhour config explain rules.mix"

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
        "presets": {name: one.values[known.key] for name, one in PRESETS.items() if known.key in one.values},
        "default_from": Settings().preset if known.key in _usual() else "",
    }


def _usual() -> Mapping[str, Any]:
    """What the preset stands for that an empty city opens with."""
    name = Settings().preset
    return PRESETS[name].values if name else {}


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
        table.add_row(known.key, text_of(known.default), bounds(known), known.doc)
    console().print(table)


@app.command(epilog="Example:  halfhour config presets")
def presets(as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Rules and prices that belong together, and what each is for."""
    if as_data:
        print_json([one._asdict() for one in PRESETS.values()])
        return
    for one in PRESETS.values():
        console().print(f"[bold]{one.name:10s}[/bold] {one.about}")


@app.command(epilog="Example:  halfhour config explain rules.round_s --of my-day/")
def explain(
    key: Annotated[str, typer.Argument(help="A setting, such as rules.round_s, or a preset, such as on_time.")],
    of: Annotated[
        str | None,
        typer.Option(help="A scenario, run folder, service file or ledger: its value, and where that comes from."),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """One setting: meaning, default, values, and the preset its value comes from."""
    if key == KEY:
        if of is not None:
            console(stderr=as_data).print(f"in force  {settings_of(of).preset or 'none'}", markup=False)
        presets(as_data)
        return
    if key in PRESETS or difflib.get_close_matches(key, PRESETS):
        _explain_preset(chosen(key), as_data)
        return
    known = describe(key)
    there = settings_of(of) if of is not None else None
    if as_data:
        more = {"value": there.flat()[known.key], "from": source_of(there, known.key)} if there is not None else {}
        print_json(as_json(known) | more)
        return
    out = console()
    out.print(f"[bold]{known.key}[/bold]  {known.doc}")
    if there is not None:
        out.print(f"value    {text_of(there.flat()[known.key])} ({source_of(there, known.key)})", markup=False)
    out.print(f"default  {text_of(known.default)} ({source_of(Settings(), known.key)})", markup=False)
    out.print(f"values   {bounds(known)}", markup=False)
    stands = ", ".join(f"{name} {text_of(value)}" for name, value in as_json(known)["presets"].items())
    out.print(f"presets  {stands or 'none states it'}", markup=False)
    out.print(f"live     {'may change while the service runs' if known.live else 'read at start only'}")


def source_of(settings: Settings, key: str) -> str:
    """Where a value comes from, in words."""
    mine = settings.flat()[key]
    if settings.preset not in PRESETS or key not in PRESETS[settings.preset].values:
        if mine == describe(key).default:
            return "the default"
        return "the default of 0.1.0" if mine == Settings.stated({}).flat()[key] else "set singly"
    usual = PRESETS[settings.preset].values[key]
    preset = f"the preset {settings.preset}"
    return f"from {preset}" if mine == usual else f"set singly, beside {preset} with {text_of(usual)}"


def settings_of(where: str) -> Settings:
    """The settings of a scenario, a run folder, a service file or a ledger; raises what reading it raises."""
    path = Path(where)
    if "://" in where or (path / "ledger.sqlite").is_file():
        from api.ledger.recovery import recover
        from api.ledger.upkeep.lived import opened as opened_ledger

        with closing(opened_ledger(where)) as reader:
            return recover(reader, Settings()).board.settings
    if path.is_file() and path.suffix == ".toml":
        from api.config import read_config

        return read_config(path).engine_settings()
    from dispatch.record.run_folder import SUMMARY, RunFolder

    if (path / SUMMARY).is_file():
        return RunFolder(path).settings()
    from halfhour.replaying import opened

    return opened(path)[0].catalogue.settings


def _explain_preset(one: Preset, as_data: bool) -> None:
    if as_data:
        print_json(one._asdict())
        return
    console().print(f"[bold]{one.name}[/bold]  {one.about}")
    for key, value in one.values.items():
        console().print(f"{key} = {text_of(value)}", markup=False)
