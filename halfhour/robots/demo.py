"""A day for the demo city: its own stores and riders, and customers around them."""

from __future__ import annotations

import math

import numpy as np

from dispatch.model import Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec
from halfhour.live import demo_city
from routing.places import PlaceBook
from sim.scenario import Demand, Reality, Scenario

__all__ = ["demo_day"]

DAY_S = 2 * 3600
EVERY_S = 40
"""Mean seconds between two orders: about what twelve riders can carry in half an hour each."""
READY_S = 240
AROUND_M = 1500.0
"""Spread of customers around the store they order from."""


def demo_day(seed: int = 1, seconds: int = DAY_S) -> Scenario:
    """Orders of `seconds` for the city of `halfhour serve`; riders decline, kitchens are a little early or late."""
    luck = np.random.default_rng(seed)
    places = PlaceBook("wgs84")
    stores = [
        Store(store_id, places.add(body.location.lat, body.location.lng, enter_s=60, exit_s=30), mean_ready_s=READY_S)
        for store_id, body in demo_city.stores()
    ]
    riders = [
        Rider(rider_id, places.add(body.location.lat, body.location.lng), capacity_units=body.capacity_units)
        for rider_id, body in demo_city.riders()
    ]
    shifts = [Shift(rider.rider_id, 0, seconds + 3600, seconds + 5400) for rider in riders]
    demand: list[Demand] = []
    at = float(luck.exponential(EVERY_S))
    while at < seconds:
        store = stores[int(luck.integers(len(stores)))]
        near = places.latlng(store.place)
        north_m, east_m = luck.normal(0.0, AROUND_M / 2, 2)
        lng = near.lng + east_m / (demo_city.DEGREE_M * math.cos(math.radians(near.lat)))
        drop = places.add(near.lat + north_m / demo_city.DEGREE_M, lng, enter_s=60, exit_s=30)
        placed_at = int(at)
        order = Order(f"{len(demand) + 1}", store.store_id, drop, placed_at, placed_at + READY_S, placed_at + 1800)
        demand.append(Demand(order, placed_at + READY_S))
        at += float(luck.exponential(EVERY_S))
    travel = StraightSpec({"default": 250.0}, detour=1.3)
    catalogue = Catalogue("demo city", 0, places, tuple(stores), tuple(riders), tuple(shifts), travel)
    return Scenario(catalogue, tuple(demand), Reality(ready_sigma_s=90, service_sigma=0.2, position_every_s=5))
