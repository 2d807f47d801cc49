"""The `halfhour` command: a table of verbs, each in a file of its own that is imported when it is used.

A verb's module offers either `app` (a typer.Typer with sub-commands) or a function of the verb's name; `EXAMPLE`, where
present, closes its help page.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Any, NamedTuple

import typer

from dispatch.version import __version__
from halfhour.terminal import BAD_INPUT, explain
from routing.errors import HalfhourError


class Verb(NamedTuple):
    """One line of `halfhour --help`."""

    name: str
    help: str
    panel: str


REPLAY, SETUP, LIVE, PROJECT = "Replay and look", "Scenarios, roads, settings", "Live service", "Project"

VERBS = (
    Verb("demo", "Replay the bundled lunch peak beside a nearest-rider baseline.", REPLAY),
    Verb("replay", "Replay a day of orders and riders and report how it went.", REPLAY),
    Verb("compare", "Set finished replays side by side: which differences exceed the noise?", REPLAY),
    Verb("experiment", "Replay policies, settings, days and seeds against each other; judge what differs.", REPLAY),
    Verb("tune", "Find weights for a goal on some days, and judge them on others.", REPLAY),
    Verb("promise", "Fit when orders come with what probability, and check what was said.", REPLAY),
    Verb("story", "Tell one order's life in plain words.", REPLAY),
    Verb("plot", "Draw a chart of a replay as PNG, SVG or PDF.", REPLAY),
    Verb("verify", "Fold a replay's journal and decide every step again.", REPLAY),
    Verb("scenario", "Make, check, describe or import a scenario folder.", SETUP),
    Verb("solve", "Solve a routing problem file.", SETUP),
    Verb("roads", "Build, inspect and query a road network.", SETUP),
    Verb("config", "Show and explain the settings.", SETUP),
    Verb("serve", "Run the live dispatch service.", LIVE),
    Verb("host", "Serve markets of a deployment: a process for each, and a front before all.", LIVE),
    Verb("send", "Send to the webhooks of all markets of a deployment.", LIVE),
    Verb("markets", "Say who has which market of a deployment.", LIVE),
    Verb("market", "Move a market, drain a host.", LIVE),
    Verb("status", "Ask a running service how it is.", LIVE),
    Verb("robots", "Let simulated riders work for a running service.", LIVE),
    Verb("journal", "Read the journal of a live service.", LIVE),
    Verb("admin", "Look after a live service: keys, stores, riders, settings, traffic.", LIVE),
    Verb("openapi", "Print the OpenAPI document of the live service.", LIVE),
    Verb("bench", "Measure speed and quality (needs a checkout).", PROJECT),
)

AROUND_A_SERVICE = tuple(verb.name for verb in VERBS if verb.panel == LIVE)

COMPILING = (
    "demo",
    "replay",
    "compare",
    "experiment",
    "promise",
    "tune",
    "plot",
    "verify",
    "scenario",
    "solve",
    "roads",
    "serve",
    "robots",
    "bench",
)
"""Verbs that run compiled code."""


def module_of(name: str) -> str:
    """The module of a verb: those around a live service have a room of their own."""
    room = "halfhour.commands.live" if name in AROUND_A_SERVICE else "halfhour.commands"
    return f"{room}.{name}"


def load(name: str) -> Any:
    """The typer.Typer or function behind a verb."""
    module = importlib.import_module(module_of(name))
    return getattr(module, "app", None) or getattr(module, name)


def build(wanted: str | None) -> typer.Typer:
    """The command line with the `wanted` verb loaded and all others as one-line stubs."""
    app = typer.Typer(
        name="halfhour",
        help="Dispatch for 30-minute delivery: replay days, compare policies, run the live engine.",
        epilog="Example:  halfhour demo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(_root)
    for verb in VERBS:
        if verb.name == wanted:
            _mount(app, verb)
        else:
            app.command(verb.name, help=verb.help, rich_help_panel=verb.panel)(_stub)
    return app


def _mount(app: typer.Typer, verb: Verb) -> None:
    loaded = load(verb.name)
    module = sys.modules[module_of(verb.name)]
    example = getattr(module, "EXAMPLE", None)
    epilog = f"Example:  {example}" if example else None
    if not isinstance(loaded, typer.Typer):
        app.command(verb.name, epilog=epilog, rich_help_panel=verb.panel)(loaded)
        return
    single = not loaded.registered_groups and not loaded.registered_callback and len(loaded.registered_commands) == 1
    only = loaded.registered_commands[0] if single else None
    if only is not None and only.callback is not None:
        app.command(verb.name, epilog=epilog or only.epilog, rich_help_panel=verb.panel)(only.callback)
        return
    options: dict[str, Any] = {"epilog": epilog} if epilog else {}
    app.add_typer(loaded, name=verb.name, help=verb.help, rich_help_panel=verb.panel, **options)


def _stub() -> None:
    """Stands for a verb in `halfhour --help`; the one that runs is loaded before."""


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"halfhour {__version__}\n")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", help="Show the version.", is_eager=True, callback=_version),
) -> None:
    """Dispatch for 30-minute delivery."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; leaves by SystemExit, status 2 with one message where a person can mend the cause."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a terminal's encoding lacks is written as an escape
            stream.reconfigure(errors="backslashreplace")
    wanted = next((word for word in words if not word.startswith("-")), None)
    try:
        if wanted in COMPILING:
            from halfhour.compiling import keep_somewhere

            keep_somewhere()
        command = typer.main.get_command(build(wanted))
        command.main(args=words, prog_name="halfhour")
    except HalfhourError as problem:
        _fail(explain(problem))
    except FileNotFoundError as problem:
        _fail(f"Error: {problem.filename}: no such file or folder. Check the path. [unreadable_file]")
    except PermissionError as problem:
        what = problem.filename or "a file or program"
        _fail(f"Error: {what}: not allowed to read, write or run. Check its owner and mode. [unreadable_file]")
    except OSError as problem:
        what = f"{problem.filename}: " if problem.filename else ""
        _fail(f"Error: {what}{(problem.strerror or str(problem)).lower()}. [unreadable_file]")


def _fail(message: str) -> None:
    sys.stderr.write(message + "\n")
    raise SystemExit(BAD_INPUT)
