"""`halfhour roads learn`: speeds by road class and time of day, out of where riders were seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from halfhour.terminal import console, print_json, progress
from routing.errors import InvalidInput

if TYPE_CHECKING:
    from dispatch.record.travel_spec import TravelSpec
    from halfhour.live.traces import Traces
    from routing.roads.traces.learning import Learnt, Watcher

FEW = 5.0
"""Fewer traces than that are told to be few."""


def learn(
    traces: Annotated[
        str, typer.Argument(help="A run folder, a live service's ledger (folder or postgresql://...), or a CSV file.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The traffic file to write.")] = Path("speeds.toml"),
    city: Annotated[
        Path | None, typer.Option("--city", help="The city file; default: the one that the traces travelled on.")
    ] = None,
    profile: Annotated[str, typer.Option("--profile", help="Who drove, where a CSV file does not say it.")] = "bike",
    slot_s: Annotated[int, typer.Option("--slot-s", help="Length of a slot of the day, seconds.")] = 3600,
    timezone: Annotated[str, typer.Option("--timezone", help="Whose clocks slots go by; default: the city's.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn speeds from positions of finished legs, and write them as a traffic table.

    Positions are matched to streets; each class of road gets a factor for each slot of the day in which somebody drove
    on it. A CSV file has the columns trip, at (epoch seconds, or a time with its zone), lat, lng and, where wanted,
    profile.
    """
    from dispatch.calendar.local_time import zone_of
    from halfhour.live.traces import read_traces
    from routing.roads import RoadNetwork
    from routing.roads.traces.learning import DAY_S
    from routing.roads.traces.learning import learn as learn_from
    from routing.roads.traces.speeds_file import speeds_file

    if not 60 <= slot_s <= 3600 or DAY_S % slot_s or slot_s % 60:
        raise InvalidInput("slots are 60 to 3600 seconds and fill a day", code="bad_option", field="--slot-s")
    zone_of(timezone or "UTC")
    if not out.parent.is_dir():
        raise InvalidInput(f"there is no folder {out.parent}", code="bad_option", field="--out")
    found = read_traces(traces, profile)
    network = RoadNetwork.load(_city(city, found.travel))
    clocks = timezone or found.timezone or str(network.notes.get("timezone", ""))
    names = _profiles(found, network.profiles)
    each = [(names[own], trace) for own, trace in found.each]
    with progress("Matching traces to streets", quiet=as_json) as bar:
        learnt, watchers = learn_from(network, each, slot_s=slot_s, timezone=clocks, progress=bar)
    if not learnt:
        raise InvalidInput(
            "no trace could be matched to these streets", code="invalid_trace", file=traces,
            hint="Is it the right city?  Positions count within 50 m of a street, up to 120 s apart.",
        )  # fmt: skip
    used = sum(watcher.matched for watcher in watchers.values())
    out.write_text(speeds_file(learnt, slot_s=slot_s, timezone=clocks, traces=used), encoding="utf-8")
    facts = _facts(found, learnt, watchers, clocks) | {"file": str(out)}
    print_json(facts) if as_json else _show(facts, slot_s)


def _city(city: Path | None, travel: TravelSpec | None) -> Path:
    from dispatch.record.travel_spec import RoadsSpec

    if city is not None:
        return city
    if isinstance(travel, RoadsSpec) and Path(travel.file).is_file():
        return Path(travel.file)
    raise InvalidInput(
        "which streets were driven on?", code="bad_option", field="--city", hint="Name the city file: --city city.npz."
    )


def _profiles(found: Traces, known: tuple[str, ...]) -> dict[str, str]:
    """The network's profile of every profile of the traces.  Raises InvalidInput."""
    from dispatch.record.travel_spec import RoadsSpec, profile_on_roads

    said = found.travel.profiles if isinstance(found.travel, RoadsSpec) else {}
    names = {own: said.get(own) or profile_on_roads(own, known) for own, _ in found.each}
    for own, name in names.items():
        if name not in known:
            raise InvalidInput(
                f"the city was not built for {own!r}", code="unknown_profile", hint=f"It has {', '.join(known)}."
            )
    return names


def _facts(found: Traces, learnt: list[Learnt], watchers: dict[str, Watcher], timezone: str) -> dict[str, Any]:
    return {
        "traces": len(found.each),
        "matched": sum(watcher.matched for watcher in watchers.values()),
        "positions": found.positions,
        "skipped": dict(found.skipped),
        "timezone": timezone or "UTC",
        "speeds": [
            {**each._asdict(), "factor": round(each.factor, 4), "seen": round(each.seen, 4),
             "traces": round(each.traces, 2), "km": round(each.km, 2)}
            for each in learnt
        ],
    }  # fmt: skip


def _show(facts: dict[str, Any], slot_s: int) -> None:
    from rich.table import Table

    out = console()
    out.print(
        f"{facts['matched']} of {facts['traces']} traces matched, {facts['positions']} positions: {facts['file']}",
        markup=False,
    )
    for reason, count in facts["skipped"].items():
        out.print(f"  {count} positions left out: {reason}", markup=False)
    table = Table(box=None, pad_edge=False)
    for head in ("profile", "class", "from", "factor", "seen", "traces", "km"):
        table.add_column(head, justify="left" if head in ("profile", "class") else "right")
    few = 0
    for each in facts["speeds"]:
        few += each["traces"] < FEW
        minutes = each["slot"] * slot_s // 60
        table.add_row(
            each["profile"], each["road_class"], f"{minutes // 60:02d}:{minutes % 60:02d}", f"{each['factor']:.2f}",
            f"{each['seen']:.2f}", f"{each['traces']:.1f}", f"{each['km']:.1f}",
        )  # fmt: skip
    out.print(table)
    if few:
        out.print(f"{few} of these speeds come from fewer than {FEW:g} traces and lean on the class's whole day.")
    out.print(f"Try it:  halfhour replay DAY --roads CITY --traffic {facts['file']}", markup=False)
