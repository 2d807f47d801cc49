"""Days and rounds to measure on, made from a seed: the same arrays on every machine.

A plane city (metres, no trigonometry, so that not even a last digit depends on the processor): stores in clusters,
customers around them, a lunch peak, riders everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.engine.engine import Engine
from dispatch.events import RoundOpened
from dispatch.inputs import OrderPlaced, TravelChanged, Wake
from dispatch.model import Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue, Pay
from dispatch.record.travel_spec import StraightSpec
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import travel_block
from dispatch.rounds.solve import solve_round
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from routing.problem.problem import Travel
from routing.travel import TravelTimes
from sim.scenario import Demand, Reality, Scenario, stores_with_means

BEGIN_AT = 1_772_532_000
SPEED_M_PER_MIN = 320
STOP_S = 120

QUIET = {"rules.stale_s": 0, "rules.lost_after_s": 0, "rules.route_ack_timeout_s": 0}
"""Phones here report stops only, so silence means nothing.  All else is as in 0.1.0: figures stay comparable."""


@dataclass(frozen=True)
class Size:
    """How large a day is; `side_m` grows with the riders where it is not given, so that density stays."""

    orders: int
    riders: int
    stores: int
    hours: float = 3.0
    side_m: float = 0.0

    @property
    def side(self) -> float:
        """Edge of the square city in metres."""
        return self.side_m or 900.0 * float(np.sqrt(self.riders))


def day(size: Size, seed: int = 1, **rules: Any) -> Scenario:
    """A Scenario; `rules` are settings by name with `__` for the dot (`rules__round_s=60`)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    book = PlaceBook("plane")
    centres = rng.uniform(0.2, 0.8, (max(2, size.stores // 12), 2)) * size.side
    store_at = centres[rng.integers(len(centres), size=size.stores)] + rng.normal(0, size.side / 12, (size.stores, 2))
    stores = [
        Store(f"s{n}", book.add(float(y), float(x), enter_s=STOP_S, exit_s=STOP_S))
        for n, (y, x) in enumerate(store_at)
    ]  # fmt: skip
    riders, shifts = [], []
    end_at = BEGIN_AT + round(size.hours * 3600)
    for n, (y, x) in enumerate(rng.uniform(0, size.side, (size.riders, 2))):
        riders.append(Rider(f"r{n}", book.add(float(y), float(x))))
        late_s = int(rng.integers(0, 1800)) if n % 3 == 0 else 0
        shifts.append(Shift(f"r{n}", BEGIN_AT + late_s, end_at + 1800))
    demand = stores_and_drops(rng, size, store_at, stores, book)
    catalogue = Catalogue(
        name=f"plane-{size.orders}x{size.riders}-{seed}",
        begin_at=BEGIN_AT,
        places=book,
        stores=stores_with_means(stores, demand),
        riders=tuple(riders),
        shifts=tuple(shifts),
        travel=StraightSpec({"default": float(SPEED_M_PER_MIN)}),
        settings=Settings.stated(QUIET | {name.replace("__", "."): value for name, value in rules.items()}),
        pay=Pay(per_order=10, guaranteed_per_hour=15),
    )
    return Scenario(catalogue, demand, Reality(travel_round_s=catalogue.settings.rules.travel_round_s))


def stores_and_drops(
    rng: np.random.Generator, size: Size, store_at: NDArray[np.float64], stores: list[Store], book: PlaceBook
) -> tuple[Demand, ...]:
    """Orders in the order of placement: popular stores, a peak in the middle of the day, 5-20 minutes to prepare."""
    popular = rng.permutation(1.0 / np.arange(1, size.stores + 1) ** 0.7)
    chosen = rng.choice(size.stores, size=size.orders, p=popular / popular.sum())
    seconds = np.sort(rng.triangular(0, 0.5, 0.95, size.orders) * size.hours * 3600).astype(np.int64)
    ready_s = rng.integers(300, 1200, size.orders)
    drop_at = np.clip(store_at[chosen] + rng.normal(0, 1500, (size.orders, 2)), 0, size.side)
    found = []
    for n in range(size.orders):
        y, x = drop_at[n]
        place = book.add(float(y), float(x), enter_s=STOP_S, exit_s=STOP_S)
        placed_at = BEGIN_AT + int(seconds[n])
        ready_at = placed_at + int(ready_s[n])
        order = Order(f"o{n}", stores[chosen[n]].store_id, place, placed_at, ready_at, placed_at + 1800)
        found.append(Demand(order, ready_at))
    return tuple(found)


class Round(NamedTuple):
    """A frozen round with its travel block and where that came from."""

    frozen: Frozen
    travel: Travel
    times: TravelTimes
    engine: Engine


def busy_round(riders: int, orders: int, seed: int = 1, **rules: Any) -> Round:
    """A round in the middle of a burst: nine tenths of the orders were planned a minute ago, the rest is new."""
    scenario = day(Size(orders, riders, max(4, orders // 12), hours=0.4), seed, rules__max_open_orders=10_000, **rules)
    scenario = scenario.fresh()
    catalogue = scenario.catalogue
    times = catalogue.travel.bind(catalogue.places)
    engine = Engine(catalogue.places, catalogue.settings)
    engine.handle(TravelChanged(at=BEGIN_AT, version=times.version, digest=times.digest))
    for item in catalogue.inputs(BEGIN_AT):
        engine.handle(item)
    at = BEGIN_AT + 1800  # everybody is on duty, nobody was told anything: all orders are open
    cut = orders * 9 // 10
    opened = _place(engine, scenario.demand[:cut], at)
    frozen = _opened(engine, opened, at)
    engine.handle(solve_round(frozen, times, recipe="insertion"))
    opened = _place(engine, scenario.demand[cut:], engine.board.now)
    frozen = _opened(engine, opened, engine.board.now)
    return Round(frozen, travel_block(frozen, times), times, engine)


def _place(engine: Engine, demand: tuple[Demand, ...], at: int) -> Frozen | None:
    """Place orders at one instant; the round that opens meanwhile waits for all of them."""
    opened = False
    for one in demand:
        opened |= any(isinstance(event, RoundOpened) for event in engine.handle(OrderPlaced(at=at, order=one.order)))
    return engine.freeze() if opened else None


def _opened(engine: Engine, frozen: Frozen | None, at: int) -> Frozen:
    """The open round, waking the engine until one opens."""
    while frozen is None:
        wake_at = engine.wake_at()
        assert wake_at is not None, "the engine asks for no round"
        at = max(at, wake_at)
        if any(isinstance(event, RoundOpened) for event in engine.handle(Wake(at=at))):
            frozen = engine.freeze()
    return frozen
