"""`halfhour roads`: build a city's road network, look at it, ask it for times and ways."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halfhour.commands.roads_learn import learn
from halfhour.terminal import console, parse_point, print_json, progress, read_points
from routing.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from routing.roads import RoadNetwork

EXAMPLE = "halfhour roads build porto.osm.pbf --out porto.npz --profile bike"

app = typer.Typer(no_args_is_help=True, help="Build, inspect and query a road network.")

City = Annotated[Path, typer.Argument(help="A city file made by `halfhour roads build`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProfileName = Annotated[str, typer.Option("--profile", help="Who travels: foot, bike, ebike, scooter, car.")]
At = Annotated[int | None, typer.Option("--at", help="Epoch seconds: which slot of the traffic table holds.")]
Traffic = Annotated[Path | None, typer.Option("--traffic", help="A TOML table of speeds by time slot.")]
Weather = Annotated[str, typer.Option("--weather", help="A weather of the profile tables: rain, snow, heat.")]
MaxSnap = Annotated[float, typer.Option("--max-snap-m", help="How far a point may lie from a road, metres.")]

Stopping = Annotated[str, typer.Option(help="lat,lng where one stops for it: its entrance, gate or loading bay.")]

MOST_SHOWN = 12
"""Entries of a table that are printed; --json prints all."""
STEPS = ("reading", "assembling", "connecting", "ordering", "writing")


@app.command(epilog="Example:  halfhour roads build porto.osm.pbf --out porto.npz --profile car --profile bike")
def build(
    source: Annotated[Path | None, typer.Argument(help="An .osm.pbf, .osm, .osm.gz or .graphml file.")] = None,
    out: Annotated[Path, typer.Option("--out", help="The city file to write.")] = Path("city.npz"),
    place: Annotated[str, typer.Option("--place", help="Fetch a place by name instead (needs the network).")] = "",
    area: Annotated[
        Path | None, typer.Option("--area", help="Keep what lies in the polygons of a GeoJSON file.")
    ] = None,
    invented: Annotated[
        int | None, typer.Option("--invented", min=0, help="Build the invented city of this seed (demo: 7).")
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option("--profile", help="A profile to build; default all five.")
    ] = None,
    tables: Annotated[Path | None, typer.Option("--tables", help="A TOML file with own speeds and access.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Whose clocks the map's times of day go by.")] = "",
    country: Annotated[
        str,
        typer.Option("--country", help="Two letters: side of traffic, speeds by words; default: what the map says."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a city file from OpenStreetMap data."""
    from routing.roads import RoadNetwork
    from routing.roads.city.report import build_report
    from routing.roads.source.arrays import PROFILES
    from sim.invent.city_plan import plan_city
    from sim.invent.ground import streets_of

    if (source is not None) + bool(place) + (invented is not None) != 1:
        raise InvalidInput("give a file, --place or --invented, one of the three", code="bad_option")
    if area and source is None:
        raise InvalidInput("--area goes with a file", code="bad_option", field="--area")
    if invented is not None and (profile or tables):
        raise InvalidInput("an invented city has its own bikes and scooters", code="bad_option", field="--profile")
    if not out.parent.is_dir():
        raise InvalidInput(f"there is no folder {out.parent}", code="bad_option", field="--out")
    if out.is_dir():
        raise InvalidInput(f"{out} is a folder", code="bad_option", field="--out", hint="Name a file: city.npz.")
    if out.exists() and not out.is_file():
        raise InvalidInput(f"{out} is no file", code="bad_option", field="--out", hint="Name a file: city.npz.")
    profiles = tuple(profile or PROFILES)
    with progress("Building the road network", quiet=as_json) as bar:

        def step(name: str) -> None:
            bar(STEPS.index(name), len(STEPS), name)

        if source is not None:
            city = RoadNetwork.from_osm(
                source, profiles=profiles, tables=tables, area=area, timezone=_zone(timezone),
                country=_country(country), progress=step,
            )  # fmt: skip
        elif invented is not None:
            city = streets_of(plan_city(invented))
        else:
            city = RoadNetwork.from_place(place, profiles=profiles, tables=tables, progress=step)
        step("writing")
        city.save(out)
    facts = build_report(city) | {"file": str(out)}
    print_json(facts) if as_json else _show(facts)


@app.command(epilog="Example:  halfhour roads info porto.npz")
def info(city: City, as_json: AsJson = False) -> None:
    """What a city file holds."""
    from routing.roads.city.report import build_report

    facts = build_report(_load(city)) | {"file": str(city)}
    print_json(facts) if as_json else _show(facts)


@app.command(epilog="Example:  halfhour roads traffic porto.npz --weather rain --out porto-wet.npz")
def traffic(
    city: City,
    out: Annotated[Path, typer.Option("--out", help="The city file to write.")],
    table: Traffic = None,
    weather: Weather = "",
    as_json: AsJson = False,
) -> None:
    """Copy a city file so that it opens with other traffic or weather (the truth beside an estimate)."""
    network = _load(city)
    network.save(out, traffic=table, weather=weather)
    facts = {"file": str(out), "digest": _load(out).digest, "traffic": str(table or ""), "weather": weather}
    print_json(facts) if as_json else _show(facts)


@app.command(epilog="Example:  halfhour roads matrix porto.npz --origins riders.csv --destinations stops.csv")
def matrix(
    city: City,
    origins: Annotated[Path, typer.Option("--origins", help="CSV: lat, lng; access_lat, access_lng where given.")],
    destinations: Annotated[Path | None, typer.Option("--destinations", help="The same; default: the origins.")] = None,
    profile: ProfileName = "bike",
    at: At = None,
    traffic: Traffic = None,
    weather: Weather = "",
    max_snap_m: MaxSnap = 500.0,
    as_json: AsJson = False,
) -> None:
    """Travel seconds between points, as CSV (or JSON) on standard output; empty where there is no way.

    They are whole trips, from door to door: JSON tells what of each is walked at its beginning and at its end.
    """
    import sys

    from routing.roads.snapping.stops import WALK_M_PER_S

    network = _load(city, traffic, weather)
    starts, starts_at = read_points(origins)
    ends, ends_at = (starts, starts_at) if destinations is None else read_points(destinations)
    seconds = network.travel_seconds(
        starts, ends, profile=profile, at=at, max_snap_m=max_snap_m, access=(starts_at, ends_at)
    )
    rows = _cells(seconds, 3)
    if as_json:
        both = [
            network.stops(points, profile=profile, at=at, max_snap_m=max_snap_m, access=access)
            for points, access in ((starts, starts_at), (ends, ends_at))
        ]
        metres = network.last_metres(both[0], both[1], profile=profile, at=at)
        walks = {
            f"walk_{unit}": {side: _cells(each / pace, 1) for side, each in zip(("from", "to"), metres, strict=True)}
            for unit, pace in (("metres", 1.0), ("seconds", WALK_M_PER_S))
        }
        print_json({"profile": profile, "at": at, "digest": network.digest, "seconds": rows, **walks})
        return
    for row in rows:
        sys.stdout.write(",".join("" if cell is None else f"{cell:g}" for cell in row) + "\n")


@app.command(epilog="Example:  halfhour roads path porto.npz --from 41.1496,-8.6109 --to 41.1579,-8.6291 --profile car")
def path(
    city: City,
    origin: Annotated[str, typer.Option("--from", help="lat,lng")],
    destination: Annotated[str, typer.Option("--to", help="lat,lng")],
    profile: ProfileName = "bike",
    at: At = None,
    traffic: Traffic = None,
    weather: Weather = "",
    max_snap_m: MaxSnap = 500.0,
    from_access: Stopping = "",
    to_access: Stopping = "",
    as_json: AsJson = False,
) -> None:
    """The fastest way between two points: seconds, metres, streets (with --json its line too)."""
    network = _load(city, traffic, weather)
    way = network.path(
        parse_point(origin, "--from"), parse_point(destination, "--to"), profile=profile, at=at, max_snap_m=max_snap_m,
        access=_stopping(from_access, to_access),
    )  # fmt: skip
    if as_json:
        print_json(
            {
                "found": way.found,
                "seconds": way.seconds if way.found else None,
                "metres": way.metres if way.found else None,
                "walk_seconds": list(way.walk_seconds),
                "walk_metres": [round(each, 1) for each in way.walk_metres],
                "streets": list(way.streets),
                "geometry": [[round(lat, 7), round(lng, 7)] for lat, lng in way.geometry.tolist()],
                "attribution": network.attribution,
            }
        )
        return
    out = console()
    if not way.found:
        out.print(f"There is no way for {profile} between these points. `halfhour roads check` says what lies between.")
        return
    out.print(f"{way.seconds / 60:.1f} min, {way.metres / 1000:.2f} km by {profile}")
    for street in way.streets:
        out.print(f"  {street}", markup=False)
    if any(way.walk_metres):
        first, last = (f"{m:.0f} m ({s:.0f} s)" for m, s in zip(way.walk_metres, way.walk_seconds, strict=True))
        out.print(f"  on foot: {first} to the street, {last} from it to the door")


@app.command(
    # A latitude of the south is no option.
    context_settings={"ignore_unknown_options": True},
    epilog="Example:  halfhour roads check porto.npz 41.1496,-8.6109 41.1579,-8.6291 --profile car",
)
def check(
    city: City,
    origin: Annotated[str, typer.Argument(help="lat,lng")],
    destination: Annotated[str, typer.Argument(help="lat,lng")],
    profile: ProfileName = "bike",
    at: At = None,
    traffic: Traffic = None,
    weather: Weather = "",
    max_snap_m: MaxSnap = 500.0,
    from_access: Stopping = "",
    to_access: Stopping = "",
    as_json: AsJson = False,
) -> None:
    """Why a trip goes as it does: where it stops, what lay nearer, which faster way is not allowed."""
    from routing.roads.city.check import check_trip

    ends = parse_point(origin, "origin"), parse_point(destination, "destination")
    access = _stopping(from_access, to_access)
    network = _load(city, traffic, weather)
    told = check_trip(network, *ends, profile=profile, at=at, max_snap_m=max_snap_m, access=access)
    if as_json:
        print_json(told)
        return
    out = console()
    for end in ("origin", "destination"):
        for stop in told[end]["stops"]:
            shut = ": closed, one gets out of it and not in" if stop["closed"] else ""
            out.print(
                f"{end}: {stop['street']}, {stop['metres']:g} m, {stop['walk_seconds']:.0f} s on foot{shut}",
                markup=False,
            )
        for other in told[end]["refused"]:
            out.print(f"  not {other['street']}, {other['metres']:g} m: {other['why']}", markup=False)
    way, refused = told["way"], told["refused_way"]
    out.print(f"{way['seconds']:.0f} s by {', '.join(way['streets'])}" if way["found"] else "no way", markup=False)
    if refused is not None:
        out.print(f"refused: {refused['seconds']:.0f} s by {', '.join(refused['streets'])}", markup=False)
        for why in refused["breaks"]:
            out.print(f"  {why}", markup=False)


app.command(epilog="Example:  halfhour roads learn yesterday/ --city porto.npz --out speeds.toml")(learn)


def _stopping(from_access: str, to_access: str) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    given = ((from_access, "--from-access"), (to_access, "--to-access"))
    first, last = (parse_point(text, option) if text else None for text, option in given)
    return first, last


def _zone(name: str) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"there is no time zone {name!r}", code="bad_option", field="--timezone") from error
    return name


def _cells(table: NDArray[np.float64], digits: int) -> list[list[float | None]]:
    """Rows of a table, rounded, None for what is endless."""
    return [[None if cell == float("inf") else round(cell, digits) for cell in row] for row in table.tolist()]


def _country(code: str) -> str:
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise InvalidInput(f"{code!r} is no country in two letters", code="bad_option", field="--country")
    return code.upper()


def _load(city: Path, traffic: Path | None = None, weather: str = "") -> RoadNetwork:
    from routing.roads import RoadNetwork

    return RoadNetwork.load(city, traffic=traffic, weather=weather)


def _show(facts: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for key, value in facts.items():
        if isinstance(value, dict):
            more = f" and {len(value) - MOST_SHOWN} more (--json)" if len(value) > MOST_SHOWN else ""
            shown = list(value.items())[:MOST_SHOWN]
            value = ", ".join(f"{name} {count}" for name, count in shown) + more
        elif isinstance(value, list):
            value = ", ".join(str(each) for each in value)
        table.add_row(key.replace("_", " "), str(value))
    console().print(table)
