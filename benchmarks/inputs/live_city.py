"""A lunch peak in a straight-line city, the same for the simulator and for a live service behind HTTP."""

from __future__ import annotations

import math

import numpy as np

from dispatch.model import Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.cells import METRES_PER_DEGREE
from routing.places import PlaceBook
from sim.scenario import Demand, Reality, Scenario

CENTRE = (48.1374, 11.5755)
READY_S, PROMISE_S = 600, 1800
BEGIN_AT = 1_772_532_000
STOP_S = (60, 30)
"""Seconds before the first and after the last act of a stop."""

SETTINGS = {"rules.round_mode": "beat", "rules.round_s": 60, "rules.stale_s": 600, "rules.lost_after_s": 3600}
"""A minute between two rounds is a second at sixty times the speed; a hiccup of a second is a minute of silence."""

CONFIG = "\n".join(
    [
        "[engine]",
        *(f'"{key}" = {value!r}'.replace("'", '"') for key, value in SETTINGS.items()),
        "[travel]",
        'kind = "straight"',
        "detour = 1.3",
        "metres_per_minute = { default = 250.0 }",
        "",
    ]
)
"""The same settings and travel times for `halfhour serve`."""


def lunch_peak(
    seed: int, *, orders: int, riders: int, stores: int = 8, hours: float = 2.0, tenant: str = ""
) -> Scenario:
    """Orders with one broad peak over `hours`, kitchens a little early or late, riders near the stores.

    `tenant`: whose the orders are, where their ids are to be those of a live service.
    """
    luck = np.random.default_rng(seed)
    town = np.random.default_rng(0)  # the town is the same on all days
    places = PlaceBook("wgs84")

    def near(rng: np.random.Generator, metres: float, enter_s: int = 0, exit_s: int = 0) -> int:
        north, east = rng.normal(0.0, metres, 2) / METRES_PER_DEGREE
        lat, lng = CENTRE[0] + north, CENTRE[1] + east / math.cos(math.radians(CENTRE[0]))
        return places.add(round(float(lat), 6), round(float(lng), 6), enter_s=enter_s, exit_s=exit_s)

    kitchens = tuple(Store(f"s{k}", near(town, 900, *STOP_S), mean_ready_s=READY_S) for k in range(stores))
    crew = tuple(Rider(f"r{k}", near(town, 900)) for k in range(riders))
    seconds, prefix = int(hours * 3600), f"{tenant}." if tenant else ""
    last_pickup_at = BEGIN_AT + seconds + 1800
    shifts = tuple(Shift(rider.rider_id, BEGIN_AT, last_pickup_at, last_pickup_at + 1200) for rider in crew)
    grid = np.arange(seconds)
    rate = np.cumsum(0.5 + np.exp(-(((grid - seconds / 2) / (seconds / 4)) ** 2)))
    placed = np.sort(np.searchsorted(rate / rate[-1], luck.random(orders))).tolist()
    demand = []
    for k, at in enumerate(placed):
        ready_s = int(READY_S + luck.normal(0, 120))
        kitchen = kitchens[int(luck.integers(stores))]
        when = BEGIN_AT + int(at)
        drop = near(luck, 1100, *STOP_S)
        order = Order(f"{prefix}o{k}", kitchen.store_id, drop, when, when + ready_s, when + PROMISE_S)
        cancelled_at = when + 200 if luck.random() < 0.02 else None
        demand.append(Demand(order, max(when, when + ready_s + int(luck.normal(0, 60))), cancelled_at))
    catalogue = Catalogue(
        f"lunch {seed}", BEGIN_AT, places, kitchens, crew, shifts, StraightSpec({"default": 250.0}, detour=1.3),
        settings=Settings().with_values(SETTINGS),
    )  # fmt: skip
    return Scenario(catalogue, tuple(demand), Reality(service_sigma=0.2, travel_sigma=0.08, position_every_s=60))
