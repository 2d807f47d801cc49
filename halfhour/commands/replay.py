"""`halfhour replay`: a day under a policy, its KPIs, and a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispatch.settings.presets import KEY, preset
from halfhour.terminal import console, print_json, progress, text_or_file
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from halfhour.replaying import Replay

EXAMPLE = "halfhour replay my-day/ --policy halfhour --set rules.round_s=30 --out runs/first"

INTERRUPTED = 130


def parse_settings(pairs: Sequence[str]) -> dict[str, str]:
    """`key=value` words as a mapping; raises InvalidInput for a word without `=`."""
    values = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(
                f"--set {pair}: there is no = in it", code="invalid_setting", hint="Write --set rules.round_s=30."
            )
        if key.strip() in values:
            raise InvalidInput(
                f"--set {pair}: {key.strip()} is set twice", code="invalid_setting", hint="Keep one of them."
            )
        values[key.strip()] = text_or_file(value.strip())
    if values.get(KEY) == "":
        preset("")  # raises, naming those that there are
    return values


def replay(
    scenario: Annotated[str, typer.Argument(help="A scenario folder or file; its format is recognised.")],
    policy: Annotated[
        str, typer.Option(help="halfhour, nearest, greedy, batch, recorded, or one of your own as my.py:MyPolicy.")
    ] = "halfhour",
    recipe: Annotated[
        str | None, typer.Option(help="How halfhour plans a round: insertion, lns, ortools or lns+ortools.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of luck and search (--set search.seed: of search alone).")] = 1,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, or key=@FILE; may be repeated (halfhour config show).")
    ] = None,
    roads: Annotated[str | None, typer.Option(help="Travel on this road network (halfhour roads build).")] = None,
    traffic: Annotated[str | None, typer.Option(help="TOML table of speeds by time slot, as believed.")] = None,
    weather: Annotated[str, typer.Option(help="Weather on the streets, as believed: rain, snow, heat.")] = "",
    true_traffic: Annotated[str | None, typer.Option(help="The traffic that riders really meet.")] = None,
    true_weather: Annotated[str, typer.Option(help="The weather that riders really meet.")] = "",
    audit: Annotated[bool, typer.Option("--audit", help="Have every plan judged independently.")] = False,
    promise: Annotated[str | None, typer.Option(help="What promises begin with: halfhour promise fit.")] = None,
    quotes: Annotated[bool, typer.Option("--quotes", help="Ask for a quote of every order as it is placed.")] = False,
    out: Annotated[Path | None, typer.Option(help="Run folder to write; default: a dated one under runs/.")] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write its tables as Parquet, too.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the run folder.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print summary.json alone.")] = False,
) -> None:
    """Replay a day of orders and riders and report how it went."""
    from dispatch.record.run_folder import refuse_to_overwrite
    from halfhour import replaying
    from halfhour.compiling import compile_first
    from halfhour.report.parquet import require_parquet, write_parquet

    values = parse_settings(settings or ())
    if parquet:
        require_parquet()
    target = out or replaying.dated_folder(Path(scenario).resolve().name + "-" + Path(policy).stem)
    refuse_to_overwrite(target, force=force)
    if policy == "halfhour":
        compile_first(quiet=as_data)
    given: dict[str, Any] = {"traffic": traffic, "weather": weather, "promise": promise, "quotes": quotes}
    given |= {"true_traffic": true_traffic, "true_weather": true_weather}
    with progress("Replaying", quiet=as_data) as bar:
        done = replaying.replay(
            scenario,
            policy=policy,
            recipe=recipe,
            seed=seed,
            settings=values,
            roads=roads,
            **given,
            audit=audit,
            out=target,
            force=force,
            progress=lambda at: bar(at.placed, at.total, f"{at.delivered:,} of {at.placed:,} delivered"),
        )
    _say(done, as_data, write_parquet(target) if parquet else ())
    finish([done.summary])


def _say(done: Replay, as_data: bool, tables: Sequence[Path]) -> None:
    if as_data:
        for note in done.run.scenario.notes:
            console(stderr=True).print(f"note: {note}", markup=False)
        print_json(done.summary)
        return
    print_kpis([done.summary])
    say_where(done)
    for table in tables:
        console().print(f"Table       {table}", markup=False)


def print_kpis(summaries: Sequence[dict[str, Any]]) -> None:
    """The KPI table: one column for each run, the first compared with the last where there are two."""
    from rich.table import Table

    from halfhour.report.kpi_table import shown, verdict, written

    compares = len(summaries) == 2
    table = Table(
        title=f"{summaries[0]['scenario']}, {summaries[0]['orders']:,} orders", title_justify="left", box=None
    )
    table.add_column("")
    for summary in summaries:
        table.add_column(summary["policy"], justify="right")
    if compares:
        table.add_column("difference", justify="right")
    colour = {"better": "green", "worse": "red", "": "default"}
    for figure in shown(summaries):
        cells = [written(figure, summary) for summary in summaries]
        if compares:
            text, word = verdict(figure, *summaries)
            cells.append(f"[{colour[word]}]{text}[/]")
        table.add_row(figure.title, *cells)
    console().print(table)


def say_recorded(summary: dict[str, Any]) -> None:
    """Where another dispatcher's decisions were replayed: what the recorded day says of itself."""
    from halfhour.report.kpi_table import BY_KEY, written

    own = summary.get("as_recorded")
    if own is not None:
        keys = ("delivered", "click_to_door_mean_s", "on_time_share")
        for figure in (BY_KEY[key] for key in keys):
            said = f"{written(figure, own)} as recorded, {written(figure, summary)} as replayed"
            console().print(f"{figure.title}: {said}", markup=False)


def say_where(done: Replay) -> None:
    """Name the run folder and its report; say so where an audit was made or the day was cut short."""
    out = console()
    say_recorded(done.summary)
    for note in done.run.scenario.notes:
        out.print(f"note: {note}", markup=False)
    violations = done.run.violations
    if violations is not None:
        out.print(f"audit: {len(violations)} violations", style="red" if violations else "green")
        for line in violations[:5]:
            out.print(f"  {line}", markup=False)
    out.print(f"Run folder  {done.path}", markup=False)
    if done.run.folded.orders:
        out.print(f"Report      {done.path}/report.html", markup=False)


def finish(summaries: Sequence[dict[str, Any]]) -> None:
    """Leave with status 130 where a run was interrupted: what was finished has been kept."""
    if not all(summary["complete"] for summary in summaries):
        console(stderr=True).print("Stopped early: what was finished is kept, marked complete: false.", style="yellow")
        raise typer.Exit(INTERRUPTED)
