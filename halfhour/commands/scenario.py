"""`halfhour scenario`: make, check, describe and import scenario folders."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halfhour.terminal import console, print_json
from routing.errors import InvalidInput
from routing.places import LatLng

if TYPE_CHECKING:
    from sim.scenario import Scenario

EXAMPLE = "halfhour scenario new my-city --seed 3 --rain"

app = typer.Typer(no_args_is_help=True, help="Make, check, describe or import a scenario folder.")

AsData = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Where = Annotated[str, typer.Argument(help="A scenario folder or file; its format is recognised.")]


@app.command(epilog="Example:  halfhour scenario new my-city --seed 3 --orders 800 --riders 60 --rain")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of city and day.")] = 1,
    stores: Annotated[int, typer.Option(help="Stores.")] = 60,
    riders: Annotated[int, typer.Option(help="Riders at scarcity 1.")] = 150,
    orders: Annotated[int, typer.Option(help="Orders on a dry day.")] = 2_000,
    hours: Annotated[float, typer.Option(help="Hours over which they are placed.")] = 2.5,
    scarcity: Annotated[float, typer.Option(help="1.3: as many riders as 1 / 1.3 of --riders.")] = 1.0,
    rain: Annotated[
        bool, typer.Option("--rain", help="A rainstorm: more orders, slower streets and kitchens.")
    ] = False,
    opening_hours: Annotated[
        bool, typer.Option("--opening-hours", help="Some stores open late, rest at lunch or close early.")
    ] = False,
    tiers: Annotated[str, typer.Option(help="Percent of the orders by member tier: 'gold 15, plus 25'.")] = "",
    goods: Annotated[str, typer.Option(help="Percent of the orders by class of goods: 'frozen 30'.")] = "",
    tenants: Annotated[str, typer.Option(help="Percent of the orders by order system: 'acme 60, bistro 40'.")] = "",
    apart: Annotated[int, typer.Option(min=0, help="Pairs of a rider and a store that must not meet.")] = 0,
    sources: Annotated[
        int, typer.Option(help="Stores that may fulfil each order: its own, and those nearest to its door.")
    ] = 1,
    counters: Annotated[
        int, typer.Option(help="Percent of the customers who would fetch at the nearest counter, too.")
    ] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, or key=@FILE, which the day states; may be repeated.")
    ] = None,
    roads: Annotated[
        Path | None, typer.Option(help="On the streets of this city (halfhour roads build), not of an invented one.")
    ] = None,
    near: Annotated[str, typer.Option(help="lat,lng: the middle of the day; default: where streets are densest.")] = "",
    name: Annotated[str, typer.Option(help="The scenario's name.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite the folder.")] = False,
    as_data: AsData = False,
) -> None:
    """Invent a day from a seed, in an invented city or on real streets."""
    from dispatch.settings.choosing import remarks
    from halfhour.commands.replay import parse_settings
    from halfhour.synthetic import write_street_day, write_synthetic
    from halfhour.terminal import parse_point
    from sim.invent.lunch_peak import DaySize

    if near and roads is None:
        raise InvalidInput("--near goes with --roads", code="bad_option", field="--near")
    size = DaySize(
        stores, riders, orders, hours, scarcity, rain, opening_hours, tiers, goods, tenants, apart, sources, counters
    )
    stated = parse_settings(settings or ())
    if roads is None:
        scenario = write_synthetic(folder, seed, size, name=name, settings=stated, force=force)
    else:
        middle = LatLng(*parse_point(near, "--near")) if near else None
        scenario = write_street_day(folder, roads, seed, size, near=middle, name=name, settings=stated, force=force)
    notes = (*scenario.notes, *remarks(stated, scenario.catalogue.settings))
    _written(folder, dataclasses.replace(scenario, notes=notes), as_data)


@app.command(epilog="Example:  halfhour scenario validate my-city")
def validate(scenario: Where, as_data: AsData = False) -> None:
    """Read a scenario and say whether it can be replayed; status 2 with the first thing that is wrong."""
    found = described(_opened(scenario))
    if as_data:
        print_json({"valid": True, **found})
        return
    out = console()
    out.print(
        f"{found['name']}: {found['orders']:,} orders, {found['riders']:,} riders: can be replayed.", markup=False
    )
    for note in found["notes"]:
        out.print(f"note: {note}", markup=False)


@app.command(epilog="Example:  halfhour scenario describe my-city")
def describe(scenario: Where, as_data: AsData = False) -> None:
    """Say what is in a scenario: how much, when, where, under which rules."""
    found = described(_opened(scenario))
    if as_data:
        print_json(found)
        return
    from rich.table import Table

    table = Table(title=found["name"], title_justify="left", box=None, show_header=False)
    for key, value in found.items():
        if key in ("name", "settings", "notes"):
            continue
        table.add_row(key.replace("_", " "), _words(value))
    for key, value in found["settings"].items():
        table.add_row(key, str(value))
    out = console()
    out.print(table)
    for note in found["notes"]:
        out.print(f"note: {note}", markup=False)


@app.command("import", epilog="Example:  halfhour scenario import orders.csv riders.csv --map mapping.toml --out mine")
def import_(
    orders: Annotated[Path, typer.Argument(help="A table of orders, one a line (CSV).")],
    riders: Annotated[Path, typer.Argument(help="A table of riders or shifts, one a line (CSV).")],
    mapping: Annotated[
        Path | None, typer.Option("--map", help="TOML: which column is which, time zone, defaults.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: named after the orders table.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the folder.")] = False,
    as_data: AsData = False,
) -> None:
    """Make a scenario of your own yesterday, from two tables; what can hardly be meant in them is refused or noted."""
    from sim.sources.folder_writer import write_folder
    from sim.sources.table import import_tables

    target = out or Path(f"{orders.stem}-scenario")
    scenario = import_tables(orders, riders, mapping)
    write_folder(target, scenario, force=force, reread=True)
    _written(target, scenario, as_data)


@app.command(epilog="Example:  halfhour scenario export runs/ours --out tables")
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write: orders.csv, riders.csv, mapping.toml.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the folder.")] = False,
) -> None:
    """Write a run as two tables of orders and riders, with who carried what and when, as `import` reads them."""
    from dispatch.record.kpi import kpis
    from dispatch.record.run_folder import RunFolder
    from sim.replay.table_writer import write_tables

    folder = RunFolder(run)
    catalogue = folder.catalogue
    write_tables(out, catalogue, kpis(catalogue, folder.entries()), force=force)
    tables = f"{out}/orders.csv {out}/riders.csv --map {out}/mapping.toml"
    console().print(f"Read them:  halfhour scenario import {tables}", markup=False)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _opened(scenario: str) -> Scenario:
    from halfhour.replaying import opened

    return opened(scenario)[0]


def _written(folder: Path, scenario: Scenario, as_data: bool) -> None:
    if as_data:
        print_json({"folder": str(folder), **described(scenario)})
        return
    out = console()
    out.print(f"{folder}: {len(scenario.demand):,} orders, {len(scenario.catalogue.riders):,} riders", markup=False)
    for note in scenario.notes:
        out.print(f"note: {note}", markup=False)
    out.print(f"Replay it:  halfhour replay {folder}", markup=False)


def described(scenario: Scenario) -> dict[str, Any]:
    """What is in a scenario, as JSON values."""
    from halfhour.report.figures import FilmClock

    catalogue = scenario.catalogue
    clock = FilmClock(catalogue.time_zone)
    placed = [one.order.placed_at for one in scenario.demand]
    shift_s = sum(max(0, (shift.end_at or shift.last_pickup_at) - shift.start_at) for shift in catalogue.shifts)
    notice_s = [one.order.expected_ready_at - one.order.placed_at for one in scenario.demand]
    return {
        "name": catalogue.name,
        "source": catalogue.source,
        "attribution": catalogue.attribution,
        "day": clock.day(placed[0] if placed else catalogue.begin_at),
        "time_zone": catalogue.time_zone,
        "orders": len(scenario.demand),
        "first_order": clock(placed[0]) if placed else "none",
        "last_order": clock(placed[-1]) if placed else "none",
        "stores": len(catalogue.stores),
        "stores_with_hours": sum(store.has_hours for store in catalogue.stores),
        "riders": len(catalogue.riders),
        "shifts": len(catalogue.shifts),
        "rider_hours": round(shift_s / 3600, 1),
        "zones": len(catalogue.zones),
        "mean_notice_min": round(sum(notice_s) / len(notice_s) / 60, 1) if notice_s else 0.0,
        "travel": type(catalogue.travel).__name__.removesuffix("Spec").lower(),
        "frame": catalogue.places.frame,
        "has_luck": scenario.has_luck,
        "settings": catalogue.settings.changed(),
        "notes": [*scenario.notes, *_closed(scenario)],
    }


def _closed(scenario: Scenario) -> list[str]:
    """A sentence on orders whose goods are ready while their store is closed."""
    stores = {store.store_id: store for store in scenario.catalogue.stores}
    ready = ((stores[one.order.store_id], one.order.expected_ready_at) for one in scenario.demand)
    count = sum(store.opens_from(at) != at for store, at in ready)
    return [f"{count:,} orders are ready while their store is closed: they wait until it opens"] if count else []
