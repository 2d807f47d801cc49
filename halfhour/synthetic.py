"""Synthetic scenario folders: the bundled lunch peak, and what `halfhour scenario new` is asked for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfhour.replaying import MAP_FILE

if TYPE_CHECKING:
    from routing.places import LatLng
    from sim.invent.lunch_peak import DaySize
    from sim.scenario import Scenario


def invent_day(
    target: str | Path,
    *,
    seed: int = 1,
    orders: int = 2_000,
    riders: int = 150,
    stores: int = 60,
    hours: float = 2.5,
    scarcity: float = 1.0,
    rain: bool = False,
    opening_hours: bool = False,
    tiers: str = "",
    goods: str = "",
    tenants: str = "",
    sources: int = 1,
    counters: int = 0,
    settings: Mapping[str, Any] | None = None,
    name: str = "",
    force: bool = False,
) -> Scenario:
    """Invent a city and a day in it, and write both as a scenario folder.

    `scarcity`: 1.3 leaves as many riders as 1 / 1.3 of `riders`.  `rain`: more orders, slower streets and kitchens.
    `opening_hours`: some stores open late, rest at lunch or close early.  `tiers`, `goods`, `tenants`: which percent of
    the orders is of which, as in `gold 15, plus 25`.  `sources`: stores that may fulfil each order; `counters`: percent
    of the customers who would fetch at the nearest one, too.  `settings`: by key, which the day states.
    Raises InvalidInput for a size out of bounds, OutputExists where `target` is in the way and `force` is not given.
    """
    from sim.invent.lunch_peak import DaySize

    size = DaySize(
        stores, riders, orders, hours, scarcity, rain, opening_hours, tiers, goods, tenants,
        sources=sources, counters=counters,
    )  # fmt: skip
    return write_synthetic(Path(target), seed, size, name=name, settings=settings, force=force)


def write_synthetic(
    target: Path,
    seed: int,
    size: DaySize,
    *,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Scenario:
    """Write a scenario folder with its travel matrix and map; raises OutputExists where something is in the way."""
    from dispatch.record.run_folder import refuse_to_overwrite
    from sim.invent.city_plan import map_of
    from sim.invent.lunch_peak import synthetic_day
    from sim.sources.folder_writer import write_folder

    refuse_to_overwrite(target, force=force)
    with tempfile.TemporaryDirectory() as scratch:
        made = synthetic_day(seed, size, Path(scratch) / "travel.npz", name=name, settings=settings or {})
        scenario, plan = made
        write_folder(target, scenario, force=force)
    (target / MAP_FILE).write_text(json.dumps(map_of(plan), separators=(",", ":")), encoding="utf-8")
    return scenario


def write_street_day(
    target: Path,
    city: Path,
    seed: int,
    size: DaySize,
    *,
    near: LatLng | None = None,
    name: str = "",
    settings: Mapping[str, Any] | None = None,
    force: bool = False,
) -> Scenario:
    """Write a scenario folder on the streets of a city file; raises OutputExists, and what reading the city raises."""
    from dispatch.record.run_folder import refuse_to_overwrite
    from sim.invent.lunch_peak import day_on_streets
    from sim.sources.folder_writer import write_folder

    refuse_to_overwrite(target, force=force)
    scenario = day_on_streets(city, seed, size, near=near, name=name, settings=settings or {})
    write_folder(target, scenario, force=force)
    return scenario


def write_lunch_peak(target: Path) -> Path:
    """Write the bundled lunch peak, made from its seed; its folder."""
    from sim.invent.lunch_peak import DEMO_NAME, DEMO_SEED, DEMO_SIZE

    write_synthetic(target, DEMO_SEED, DEMO_SIZE, name=DEMO_NAME)
    return target
