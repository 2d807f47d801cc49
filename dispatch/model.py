"""Nouns of the domain: stores, orders, riders, shifts, zones, stops, routes.

All are immutable; the Board replaces them.  Instants are epoch seconds UTC (`_at`), durations seconds (`_s`).  Facts
are past participles (`picked_up_at`), estimates start with `expected_`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from dispatch.ways import End, EndKind, Source
from routing.places import PlaceBook
from routing.problem.problem import ActKind, Level, Reason

__all__ = [
    "Act",
    "ActKind",
    "End",
    "EndKind",
    "Engagement",
    "Fee",
    "LastMetres",
    "Level",
    "Offer",
    "Order",
    "OrderState",
    "Reason",
    "Rider",
    "Route",
    "Shift",
    "Source",
    "Stop",
    "Store",
    "Zone",
    "latest_departure",
]


class OrderState(StrEnum):
    """Where an order stands (docs/life-of-an-order.md); the words are those of the wire."""

    CREATED = "created"
    CONFIRMED = "confirmed"
    ENROUTE_TO_PICKUP = "enroute_to_pickup"
    ARRIVED_AT_PICKUP = "arrived_at_pickup"
    PICKED_UP = "picked_up"
    ENROUTE_TO_DROPOFF = "enroute_to_dropoff"
    ARRIVED_AT_DROPOFF = "arrived_at_dropoff"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    UNDELIVERED = "undelivered"

    @property
    def is_final(self) -> bool:
        """True where nothing more happens to the order (but one correction by a later fact)."""
        return self in _FINAL

    @property
    def is_on_board(self) -> bool:
        """True where the goods are with a rider."""
        return self in _ON_BOARD


_FINAL = frozenset({OrderState.DELIVERED, OrderState.RETURNED, OrderState.CANCELLED, OrderState.UNDELIVERED})
_ON_BOARD = frozenset(
    {
        OrderState.PICKED_UP,
        OrderState.ENROUTE_TO_DROPOFF,
        OrderState.ARRIVED_AT_DROPOFF,
        OrderState.RETURNING,
    }
)


class Engagement(StrEnum):
    """Employed riders are instructed; crowd riders are offered work and may decline."""

    EMPLOYED = "employed"
    CROWD = "crowd"


@dataclass(frozen=True, slots=True)
class Store:
    """Where goods are handed to a rider: kitchen, shop, dark store."""

    store_id: str
    place: int
    opens_at: int | None = None
    closes_at: int | None = None
    """Hours of a single day, half open."""
    mean_ready_s: int | None = None
    """Mean seconds from placement to ready: given data of the store, used where ready times are not told."""
    tenants: tuple[str, ...] = ()
    """The order systems that it belongs to; empty: shared by all."""
    hours: str = ""
    """Opening hours as people write them (dispatch/calendar/opening_hours.py)."""
    spans: tuple[tuple[int, int], ...] = ()
    """What they mean for the days ahead, [from, to) in order; outside of them it hands out nothing."""
    goods_class: str = ""
    """Class of its goods (dispatch/settings/mix.py) where an order names none; empty: the usual one."""

    @property
    def has_hours(self) -> bool:
        """False where it is always open."""
        return bool(self.hours or self.spans) or self.opens_at is not None or self.closes_at is not None

    def opens_from(self, at: int) -> int | None:
        """The first instant from `at` on at which it hands out goods; None where none is known."""
        if self.hours or self.spans:
            return next((max(at, opens) for opens, closes in self.spans if at < closes), None)
        if self.closes_at is not None and at >= self.closes_at:
            return None
        return at if self.opens_at is None else max(at, self.opens_at)

    def closes_from(self, at: int) -> int | None:
        """When it closes after an instant at which it is open; None where it does not."""
        if self.hours or self.spans:
            return next((closes for opens, closes in self.spans if opens <= at < closes), None)
        return self.closes_at


@dataclass(frozen=True, slots=True)
class Order:
    """Goods under one promise."""

    order_id: str
    store_id: str
    drop_place: int
    placed_at: int
    expected_ready_at: int
    due_at: int
    """The promise; lateness beyond it is priced, never forbidden."""
    release_at: int | None = None
    """Placed ahead: not planned before this instant."""
    earliest_drop_at: int | None = None
    load_units: int = 1
    needs: int = 0
    """Bit mask of what the rider must provide (cool box, age check ...)."""
    max_on_board_s: int | None = None
    priority: int = 0
    door: str = ""
    """Opaque name of the door it leads to: orders with the same one are brought in one stop; empty: its own."""
    goods_class: str = ""
    """Class of its goods: what it may ride with (`rules.mix`); empty: its store's."""
    tier: str = ""
    """Tier of whoever ordered (`rules.tiers`); empty: none."""
    tenant: str = ""
    """The order system that it came from, where several share the riders; empty: not said."""
    customer: str = ""
    """Opaque name of who ordered: whom a rider may be kept apart from; empty: not said."""
    sources: tuple[Source, ...] = ()
    """Stores that may fulfil it; `store_id` names the one that is chosen now.  Empty: that one alone."""
    ends: tuple[End, ...] = ()
    """Where it may be brought; `drop_place` is that of the one chosen now.  Empty: there alone."""

    asked_end: str = ""
    """The end that the customer has asked for since (`End.name`); empty: the plan chooses."""
    skus: tuple[tuple[str, int], ...] = ()
    """What it takes of which articles, where its stores count them (dispatch/board/stock.py)."""

    @property
    def has_alternatives(self) -> bool:
        """Whether something about it is chosen: its store (and when that is told), or where it goes."""
        return bool(self.sources or self.ends)

    @property
    def all_sources(self) -> tuple[Source, ...]:
        """Its sources, the one store where it names none."""
        return self.sources or (Source(self.store_id),)

    @property
    def all_ends(self) -> tuple[End, ...]:
        """Its ends, the one door where it names none."""
        return self.ends or (End(EndKind.DOOR, self.drop_place, door=self.door),)

    @property
    def source(self) -> Source:
        """The source that is chosen now."""
        return next((one for one in self.all_sources if one.store_id == self.store_id), Source(self.store_id))

    @property
    def end(self) -> End:
        """The end that is chosen now."""
        return next((one for one in self.all_ends if one.place == self.drop_place), self.all_ends[0])

    @property
    def door_place(self) -> int:
        """The place of the customer's door, wherever it goes now."""
        return next((one.place for one in self.ends if one.kind is EndKind.DOOR), self.drop_place)

    def choosing(self, source: Source, end: End) -> Order:
        """The same order from one of its sources to one of its ends."""
        ready_at = self.placed_at + source.prepare_s if self.sources else self.expected_ready_at
        return replace(self, store_id=source.store_id, expected_ready_at=ready_at, drop_place=end.place, door=end.door)


@dataclass(frozen=True, slots=True)
class Rider:
    """Anyone or anything that carries."""

    rider_id: str
    place: int
    """Their own place: a handle that moves with them."""
    profile: str = "default"
    capacity_units: int = 1000
    provides: int = 0
    engagement: Engagement = Engagement.EMPLOYED


@dataclass(frozen=True, slots=True)
class Shift:
    """When a rider may be given work: no pickup after `last_pickup_at`, done by `end_at` (None: no limit)."""

    rider_id: str
    start_at: int
    last_pickup_at: int
    end_at: int | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """An area with a rule of its own (paused, for now); corners as (lat, lng) degrees or (y, x) metres."""

    zone_id: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done at a stop."""

    order_id: str
    kind: ActKind
    level: Level = Level.TENTATIVE


@dataclass(frozen=True, slots=True)
class Stop:
    """One halt at one place with zero or more acts; the timeline is that of routing/problem/problem.py.

    A stop without acts is an empty move.  `stop_id` is empty until the stop is told and survives revisions after that.
    """

    stop_id: str
    place: int
    store_id: str | None
    level: Level
    acts: tuple[Act, ...]
    leg_s: int
    leg_m: int
    expected_arrive_at: int
    expected_act_at: int
    expected_leave_at: int
    walk_s: int = 0
    """Of the leg, the seconds on foot from the street to the door."""
    walk_m: int = 0
    """The metres of that walk, which are none of `leg_m`."""


class Walked(Protocol):
    """A stop with the walk at the end of its leg."""

    @property
    def walk_s(self) -> int: ...

    @property
    def walk_m(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LastMetres:
    """What is walked for an order from the street: to the counter of its store, and to its door."""

    pickup_s: int = 0
    pickup_m: int = 0
    drop_s: int = 0
    drop_m: int = 0

    @classmethod
    def of(cls, pickup: Walked, drop: Walked) -> LastMetres | None:
        """Those of two stops; None where nothing is walked."""
        found = cls(pickup.walk_s, pickup.walk_m, drop.walk_s, drop.walk_m)
        return None if found == cls() else found


@dataclass(frozen=True, slots=True)
class Route:
    """A rider's stops from now on, the told ones first."""

    rider_id: str
    revision: int
    stops: tuple[Stop, ...] = ()
    travel_version: int = 0

    @property
    def told(self) -> tuple[Stop, ...]:
        """What the rider's phone shows: stops told, each with the acts told."""
        return tuple(stop for stop in self.stops if stop.level >= Level.TOLD)


def latest_departure(stop: Stop, places: PlaceBook) -> int:
    """The last instant at which leaving for a stop does not delay its act instant."""
    enter_s = int(places.enter_s[stop.place]) if stop.acts else 0
    return stop.expected_act_at - enter_s - stop.leg_s


@dataclass(frozen=True, slots=True)
class Fee:
    """What an order is charged, in minor units of the currency."""

    amount: int
    parts: tuple[tuple[str, int], ...] = ()
    """What it is made of (base, distance, time, peak, tier, bounds); they add up to it."""
    cost: int | None = None
    """What serving it would cost in the plan of then; None where nobody has tried."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A trip that a crowd rider has been asked to take, all or nothing, until `expires_at`."""

    offer_id: str
    rider_id: str
    order_ids: tuple[str, ...]
    expires_at: int
    stops: int = 0
    """Stops of the trip as planned then, and what they take: seconds from setting off, metres of ways and walks."""
    work_s: int = 0
    way_m: int = 0
    pay: int | None = None
    """What the tariff pays for it, in minor units; None where the tariff names no cost."""
