"""`halfhour robots`: simulated riders, kitchens and customers for a running service."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from halfhour.terminal import console, print_json

if TYPE_CHECKING:
    from halfhour.robots import Tally

EXAMPLE = "halfhour robots --url http://127.0.0.1:8080 --key hh_... --scenario my-day/"


def robots(
    scenario: Annotated[
        Path | None, typer.Option(help="The day to live, a scenario folder; without it the demo city, on and on.")
    ] = None,
    url: Annotated[str, typer.Option(help="Address of the service.")] = "http://127.0.0.1:8080",
    key: Annotated[
        str, typer.Option(envvar="HALFHOUR_KEY", help="A key with the scope admin; - reads it from standard input.")
    ] = "",
    speed: Annotated[float, typer.Option(min=0.01, help="Seconds of the service's clock in one second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of the city's luck.")] = 1,
    whole_day: Annotated[
        bool, typer.Option("--whole-day", help="Live on to the end of the shifts, as a replay does.")
    ] = False,
    as_data: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let the riders, kitchens and customers of a scenario work for a running service, beginning now."""
    from halfhour.robots import Robots, demo_day
    from sim.sources import open_scenario

    days = iter([open_scenario(scenario)]) if scenario is not None else map(demo_day, itertools.count(seed))
    if key == "-":
        key = sys.stdin.readline().strip()
    try:
        for day in days:
            if not as_data:
                orders, riders = len(day.demand), len(day.catalogue.riders)
                console().print(f"{orders} orders and {riders} riders of {day.name} for {url} (Ctrl-C ends it)")
            lived = Robots(url, key, day, speed=speed, seed=seed, whole_day=whole_day)
            _tell(asyncio.run(lived.run()), as_data)
    except KeyboardInterrupt:
        console(stderr=True).print("Ended early; what is under way stays with the service.")
        raise typer.Exit(130) from None


def for_service() -> None:
    """The demo city for the service that has started this process; its address and key come by pipe."""
    from api.common.parent_process import die_with_parent

    given = json.load(sys.stdin)
    die_with_parent(given.pop("parent"))
    with contextlib.suppress(typer.Exit):
        robots(scenario=None, seed=1, whole_day=False, as_data=False, **given)


def _tell(tally: Tally, as_data: bool) -> None:
    if as_data:
        print_json(tally._asdict())
        return
    ended = ", ".join(f"{count} {how}" for how, count in sorted(tally.ended.items())) or "none ended"
    console().print(f"{tally.placed} placed: {ended}")
    for code, count in sorted(tally.failures.items()):
        console().print(f"  {code}: {count}")
