"""A synthetic day in an invented city or on real streets: stores in clusters, a lunch peak, shifts, the kitchens' luck.

Everything is drawn from one seed.  `DaySize` says how much of it, `scarcity` how few riders, `rain` makes a rainstorm
of it (more orders, slower streets, slower kitchens).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.inputs import ApartSet, Input
from dispatch.model import Order, Rider, Shift, Store
from dispatch.people.apart import Party
from dispatch.record.catalogue import Catalogue, Pay
from dispatch.settings.settings import Settings
from dispatch.settings.tiers import promise_of
from dispatch.ways import MOST_SOURCES, End, EndKind, Source
from routing.errors import InvalidInput
from routing.places import LatLng, PlaceBook
from sim.invent.alternatives import PER_WALKED_M, sources_near
from sim.invent.city_plan import CityPlan, all_ways, plan_city
from sim.invent.ground import Ground, invented, on_streets
from sim.invent.kinds import drawn, shares_of
from sim.invent.store_hours import among_the_open, hours_text, with_hours
from sim.scenario import Demand, Reality, Scenario, stores_with_means

BEGIN_AT = 1_772_532_000
"""10:00 UTC on 3 March 2026, the Tuesday on which every synthetic day takes place."""

LUNCH_AT = BEGIN_AT + 4_500
"""11:15: the first orders come in."""

PEAK_S = 4_200
"""The peak stands this many seconds after the first orders (12:25)."""

STORE_STOP_S = (45, 20)
"""Seconds from the kerb to the counter of a store, and back on the road."""

DOOR_STOP_S = (60, 30)
"""Seconds from the kerb to a customer's door, and back on the road."""

PROMISE_S = 1_800
NO_SETTINGS: Mapping[str, Any] = MappingProxyType({})
RAIN_DEMAND, RAIN_SLOWER, RAIN_KITCHEN = 1.15, 1.18, 1.1


@dataclass(frozen=True, slots=True)
class DaySize:
    """How much happens.  `scarcity`: 1 is a well-staffed day; 1.3 has as many riders as 1 / 1.3 of it.

    `opening_hours`: whether some stores open late, rest at lunch or close early; all are open all day otherwise.
    `apart`: pairs of a rider and a store that must not meet.
    `tiers`, `goods`, `tenants`: which percent of the orders is of which, as in `gold 15, plus 25`; the rest is of none.
    `sources`: stores that may fulfil each order, its own and those nearest to its door; `counters`: percent of the
    customers who would fetch at the counter nearest to them, too.
    """

    stores: int = 60
    riders: int = 150
    orders: int = 2_000
    hours: float = 2.5
    scarcity: float = 1.0
    rain: bool = False
    opening_hours: bool = False
    tiers: str = ""
    goods: str = ""
    tenants: str = ""
    apart: int = 0
    sources: int = 1
    counters: int = 0

    def __post_init__(self) -> None:
        bounds = {"stores": (1, 400), "riders": (1, 5_000), "orders": (1, 60_000), "hours": (0.25, 16.0)}
        bounds |= {"scarcity": (0.2, 5.0), "apart": (0, 20_000), "sources": (1, MOST_SOURCES), "counters": (0, 100)}
        for field in ("tiers", "goods", "tenants"):
            shares_of(getattr(self, field), field)  # raises where it says nothing
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput(
                    f"{name} = {getattr(self, name)}", field=name, hint=f"Choose a number from {low:g} to {high:g}."
                )


def synthetic_day(
    seed: int, size: DaySize, matrix_file: Path, *, name: str = "", settings: Mapping[str, Any] = NO_SETTINGS
) -> tuple[Scenario, CityPlan]:
    """A scenario and its city; writes the travel matrix (.npz) that the scenario's catalogue names.

    `settings`: by key, beside those of every synthetic day.
    """
    plan = plan_city(seed)
    ways = all_ways(plan, slower=RAIN_SLOWER if size.rain else 1.0)
    ways.save(matrix_file)
    return _InventedDay(invented(plan, ways, matrix_file), size, settings).scenario(name), plan


def day_on_streets(
    file: Path,
    seed: int,
    size: DaySize,
    *,
    near: LatLng | None = None,
    name: str = "",
    settings: Mapping[str, Any] = NO_SETTINGS,
) -> Scenario:
    """A scenario on the streets of a city file, around `near` (default: where they are densest)."""
    ground = on_streets(file, seed, near=near, weather="rain" if size.rain else "")
    return _InventedDay(ground, size, settings).scenario(name)


class _InventedDay:
    """Draws the parts of a day one after another; each part has a random stream of its own."""

    def __init__(self, ground: Ground, size: DaySize, settings: Mapping[str, Any]) -> None:
        self.ground = ground
        self.size = size
        # Phones report stops only: silence on the way means nothing.
        usual = {
            "rules.round_s": 30, "rules.round_mode": "beat", "rules.promise_s": PROMISE_S, "rules.stale_s": 0,
            "rules.lost_after_s": 0,
        }  # fmt: skip
        self.settings = Settings().with_values({**usual, **settings})
        self.book = PlaceBook("wgs84")
        self._counters: dict[str, int] = {}

    def stream(self, part: int) -> np.random.Generator:
        return np.random.default_rng([self.ground.seed, 100 + part])

    def scenario(self, name: str) -> Scenario:
        stores, corners, prep_s = self.stores()
        demand = self.demand(stores, corners, prep_s)
        riders, shifts = self.riders(corners)
        catalogue = Catalogue(
            name=name or f"{'Rainstorm' if self.size.rain else 'Lunch peak'}, {self.ground.title}",
            begin_at=BEGIN_AT,
            places=self.book,
            stores=stores_with_means(stores, demand),
            riders=riders,
            shifts=shifts,
            travel=self.ground.travel,
            settings=self.settings,
            pay=Pay(per_order=2.0, guaranteed_per_hour=14.0),
            attribution=self.ground.attribution,
            source="synthetic",
        )
        reality = Reality(travel_sigma=0.08, service_sigma=0.15)
        return Scenario(catalogue, demand, reality, self.apart(riders, stores))

    def stores(self) -> tuple[tuple[Store, ...], NDArray[np.int64], NDArray[np.float64]]:
        """Stores around a few centres: the stores, the corner each stands at, its usual preparation in seconds."""
        rng = self.stream(0)
        x, y = self.ground.x, self.ground.y
        centres = self._centres(rng)
        taken = np.zeros(len(x), dtype=np.int64)
        stores, corners = [], []
        for number in range(self.size.stores):
            middle = centres[min(int(rng.exponential(1.6)), len(centres) - 1)]
            spread = rng.normal(0, 420, 2)
            gap = (x - x[middle] - spread[0]) ** 2 + (y - y[middle] - spread[1]) ** 2
            corner = int(np.argmin(gap + 40_000 * taken))
            taken[corner] += 1
            corners.append(corner)
            place = self._place(rng, corner, 25, STORE_STOP_S)
            stores.append(Store(store_id=f"s{number + 1:02}", place=place))
        if self.size.opening_hours:
            luck, end_at = self.stream(3), LUNCH_AT + round(self.size.hours * 3600)
            stores = [with_hours(store, hours_text(luck, LUNCH_AT, end_at), LUNCH_AT) for store in stores]
        prep_s = np.clip(rng.normal(600, 150, len(stores)), 300, 1_020)
        return tuple(stores), np.array(corners), prep_s * (RAIN_KITCHEN if self.size.rain else 1.0)

    def _centres(self, rng: np.random.Generator) -> list[int]:
        """Corners around which stores gather: the heart of the town first, then spread out from the others."""
        x, y = self.ground.x, self.ground.y
        centres = [int(np.argmin((x - 200) ** 2 + (y - 500) ** 2))]
        inner = np.flatnonzero((np.abs(x) < 2_700) & (np.abs(y) < 1_900))
        while len(centres) < 6:
            gap = np.min([(x[inner] - x[c]) ** 2 + (y[inner] - y[c]) ** 2 for c in centres], axis=0)
            centres.append(int(inner[np.argmax(np.sqrt(gap) * rng.uniform(0.6, 1.0, len(inner)))]))
        return centres

    def demand(
        self, stores: tuple[Store, ...], corners: NDArray[np.int64], prep_s: NDArray[np.float64]
    ) -> tuple[Demand, ...]:
        """Orders over the peak: popular stores get more of them, near customers order more often."""
        rng = self.stream(1)
        count = round(self.size.orders * (RAIN_DEMAND if self.size.rain else 1.0))
        placed = np.sort(_lunch_times(rng, count, self.size.hours))
        popularity = rng.permutation(1.0 / (3 + np.arange(len(stores))) ** 0.7)
        chosen = rng.choice(len(stores), count, p=popularity / popularity.sum())
        if self.size.opening_hours:
            chosen = among_the_open(self.stream(4), stores, chosen, placed, prep_s, popularity)
        people = 0.4 + rng.random(len(self.ground.x))
        way_m = self.ground.way_m(corners)
        pull = people * np.exp(-(((way_m - 740) / 940.0) ** 2)) * (way_m <= 4_000) * (way_m > 0)
        pull = np.cumsum(pull / pull.sum(axis=1, keepdims=True), axis=1)
        rules = self.settings.rules
        tiers = drawn(self.stream(5), self.size.tiers, count, "tiers")
        goods = drawn(self.stream(6), self.size.goods, count, "goods")
        tenants = drawn(self.stream(7), self.size.tenants, count, "tenants")
        demand, alike = [], self.stream(8)
        for number, (at, s) in enumerate(zip(placed.tolist(), chosen.tolist(), strict=True)):
            corner = min(int(np.searchsorted(pull[s], rng.random())), len(people) - 1)
            told_s = round(float(prep_s[s]) / 60 + float(rng.normal(0, 1.2))) * 60
            true_s = told_s * float(np.exp(0.1 * rng.standard_normal()))
            order = Order(
                order_id=f"o{number + 1:04}",
                store_id=stores[s].store_id,
                drop_place=self._place(rng, corner, 60, DOOR_STOP_S),
                placed_at=at,
                expected_ready_at=at + max(told_s, 180),
                due_at=at + promise_of(rules.tiers, tiers[number], rules.promise_s),
                goods_class=goods[number],
                tier=tiers[number],
                tenant=tenants[number],
            )
            if alike.random() < self.size.counters / 100:
                order = self._with_counter(order, stores, way_m[:, corner])
            if self.size.sources > 1:
                own = Source(order.store_id, order.expected_ready_at - at)
                names = [store.store_id for store in stores]
                sources = sources_near(alike, names, own, way_m[:, corner], prep_s, self.size.sources)
                order = dataclasses.replace(order, sources=sources)
            demand.append(Demand(order=order, ready_at=at + max(round(true_s), 150)))
        return tuple(demand)

    def _with_counter(self, order: Order, stores: tuple[Store, ...], way_m: NDArray[np.int32]) -> Order:
        """The order with the door and the counter of the store that is nearest to it as its ends."""
        nearest = int(np.argmin(way_m))
        price = PER_WALKED_M * round(float(way_m[nearest]))
        counter = End(EndKind.COUNTER, self._counter(stores[nearest]), price, stores[nearest].store_id)
        return dataclasses.replace(order, ends=(End(EndKind.DOOR, order.drop_place), counter))

    def _counter(self, store: Store) -> int:
        """A place of its own where customers of a store fetch."""
        if store.store_id not in self._counters:
            book, at = self.book, store.place
            self._counters[store.store_id] = book.add(
                float(book.first[at]), float(book.second[at]), enter_s=DOOR_STOP_S[0], exit_s=DOOR_STOP_S[1],
                matrix_row=int(book.matrix_row[at]),
            )  # fmt: skip
        return self._counters[store.store_id]

    def riders(self, corners: NDArray[np.int64]) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
        """Shifts that follow the peak: some from the start, most before noon; riders begin near the stores."""
        rng = self.stream(2)
        count = max(1, round(self.size.riders / self.size.scarcity))
        begin, end = LUNCH_AT, LUNCH_AT + int(self.size.hours * 3600)
        riders, shifts = [], []
        for number in range(count):
            near = corners[int(rng.integers(len(corners)))]
            gap = (self.ground.x - self.ground.x[near]) ** 2 + (self.ground.y - self.ground.y[near]) ** 2
            corner = int(np.argsort(gap, kind="stable")[int(rng.integers(0, 30))])
            rider_id = f"r{number + 1:03}"
            profile = self.ground.profiles[int(rng.random() < 0.35)]
            riders.append(Rider(rider_id=rider_id, place=self._place(rng, corner, 10, (0, 0)), profile=profile))
            start = begin - 900 + 900 * int(rng.choice(5, p=(0.30, 0.25, 0.20, 0.15, 0.10)))
            start = min(start, end - 1_800)
            last_pickup = end + 2_400
            shifts.append(
                Shift(rider_id=rider_id, start_at=start, last_pickup_at=last_pickup, end_at=last_pickup + 1_800)
            )
        return tuple(riders), tuple(shifts)

    def apart(self, riders: tuple[Rider, ...], stores: tuple[Store, ...]) -> tuple[Input, ...]:
        """Pairs of riders and stores that must not meet, drawn without repetition."""
        pairs = len(riders) * len(stores)
        chosen = self.stream(8).choice(pairs, min(self.size.apart, pairs), replace=False) if self.size.apart else ()
        return tuple(
            ApartSet(
                at=BEGIN_AT, rider_id=riders[k % len(riders)].rider_id, party=Party.STORE,
                name=stores[k // len(riders)].store_id, apart=True, reason="scenario",
            )
            for k in map(int, chosen)
        )  # fmt: skip

    def _place(self, rng: np.random.Generator, corner: int, spread_m: float, stop_s: tuple[int, int]) -> int:
        """A place within `spread_m` of a corner; of an invented city, the way to it is the way to the corner."""
        dx, dy = rng.uniform(-spread_m, spread_m, 2)
        point = self.ground.latlng(float(self.ground.x[corner] + dx), float(self.ground.y[corner] + dy))
        row = corner if self.ground.has_rows else -1
        return self.book.add(point.lat, point.lng, enter_s=stop_s[0], exit_s=stop_s[1], matrix_row=row)


def _lunch_times(rng: np.random.Generator, count: int, hours: float) -> NDArray[np.int64]:
    """`count` instants of placement: a steady base and one broad peak, cut to the window."""
    span = hours * 3600
    peak = PEAK_S * span / 9_000
    grid = np.arange(int(span))
    rate = 0.7 + np.array([math.exp(-(((t - peak) / (0.24 * span)) ** 2)) for t in grid.tolist()])
    share = np.cumsum(rate) / rate.sum()
    return np.asarray(LUNCH_AT + np.searchsorted(share, rng.random(count)), dtype=np.int64)


DEMO_SEED, DEMO_SIZE, DEMO_NAME = 7, DaySize(), "Lunch peak"
"""The bundled day that `halfhour demo` replays."""
