"""`halfhour admin preset` and `halfhour admin upgrade`: what a city's settings would become, before they do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dispatch.settings.settings import text_of
from halfhour.live.asking import ask
from halfhour.terminal import console, print_json
from routing.errors import InvalidInput


def preset(
    name: Annotated[str, typer.Argument(help="balanced, on_time, door or thrifty; without it all are shown.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the last choice back.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Also change what was set singly.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Annotated[str, typer.Option(help="Address of the running service.")] = "http://127.0.0.1:8080",
    key: Annotated[str, typer.Option(envvar="HALFHOUR_KEY", help="A key of it, scope ops or admin.")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON, and do not ask.")] = False,
) -> None:
    """Show the presets of a running service, or go on under another one."""
    if undo and name:
        raise InvalidInput(
            f"{name} goes without --undo, which takes the last choice back", code="bad_option", field="--undo"
        )
    if undo:
        _say(ask(url, key, "POST", "/v1/preset/undo"), as_data)
        return
    shown = ask(url, key, "GET", "/v1/presets")
    if not name:
        if as_data:
            print_json(shown)
        for one in [] if as_data else shown:
            would = f"would change {len(one['changes'])} settings; {len(one['kept'])} set singly stay"
            force = "in force" if one["in_force"] else would
            console().print(f"{one['preset']:10s} {one['about']} ({force})", markup=False)
        return
    found = next((one for one in shown if one["preset"] == name), None)
    if found is not None and not (yes or as_data):
        kept = [] if overwrite else found["kept"]
        _list(found["changes"] + (found["kept"] if overwrite else []), kept)
        typer.confirm(f"Go on under {name}?", abort=True)
    _say(ask(url, key, "PUT", "/v1/preset", {"preset": name, "overwrite": overwrite}), as_data)


def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Say what this version would do, and write nothing.")] = False,
    backup: Annotated[Path | None, typer.Option(help="An empty folder that takes a copy first.")] = None,
    config: Annotated[Path | None, typer.Option(help="The TOML file that the service is run with.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the ledger of a stopped service.")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Bring a ledger to this version, after a copy; with --check only say what that would do."""
    from api.config import read_config
    from halfhour.commands.live.serve import usual_folder
    from halfhour.live.upgrading import bring, look

    folder = data if data is not None else usual_folder()
    if not check and backup is None:
        raise InvalidInput(
            "an upgrade begins with a copy", field="backup", hint="Give --backup an empty folder, or --check first."
        )
    found = look(folder, read_config(config))
    if not check and backup is not None:
        bring(folder, backup)
    if as_data:
        print_json(found._asdict())
        return
    for line in found.lines():
        console().print(line, markup=False)
    if check:
        console().print(f"Copy it first: halfhour journal backup DIR --data {folder}", markup=False)
    else:
        console().print(f"It is of this version now; the copy is in {backup}.", markup=False)


def _say(changed: dict[str, Any], as_data: bool) -> None:
    if as_data:
        print_json(changed)
        return
    _list(changed["changes"], changed["kept"])
    now = f"the preset {changed['preset']}" if changed["preset"] else "no preset"
    console().print(f"The city goes on under {now}; to take it back: halfhour admin preset --undo", markup=False)


def _list(changes: list[dict[str, Any]], kept: list[dict[str, Any]]) -> None:
    for one in changes:
        console().print(f"{one['setting']}: {text_of(one['now'])} -> {text_of(one['then'])}", markup=False)
    for one in kept:
        now, then = text_of(one["now"]), text_of(one["then"])
        console().print(f"{one['setting']}: stays {now}, set singly (the preset: {then})", markup=False)
