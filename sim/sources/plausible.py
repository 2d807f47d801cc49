"""What a day says of itself that can hardly be meant: distances, overlaps, orders of instants, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dispatch.calendar.local_time import local_of, zone_of
from dispatch.record.catalogue import Catalogue
from routing.cells import METRES_PER_DEGREE
from routing.places import PlaceBook
from sim.scenario import Demand, Scenario

FAR_M = 30_000
"""Nobody delivers within half an hour over more than this, straight."""
LONG_SHIFT_S = 16 * 3600
LONG_WAIT_S = 4 * 3600
"""Goods that are ready, or promised, so long after their placement were ordered ahead, or read wrong."""
MANY = 0.25
"""A share of orders from which on something is no exception any more."""

Handles = NDArray[np.int32]


def doubts(scenario: Scenario) -> tuple[str, ...]:
    """What can hardly be meant in a day, one sentence with numbers each; a day without doubts gives none."""
    if not scenario.demand:
        return ()
    return tuple(
        said
        for look in (_far_doors, _far_riders, _nobody_there, _dates, _instants, _loads, _shifts)
        for said in look(scenario)
    )


def straight_m(book: PlaceBook, origins: Handles, targets: Handles) -> NDArray[np.float64]:
    """Metres of the straight lines between pairs of places (broadcast), great circles taken as flat over a city."""
    first = book.first[targets] - book.first[origins]
    second = book.second[targets] - book.second[origins]
    if book.frame == "plane":
        return np.hypot(first, second)
    second = (second + 180.0) % 360.0 - 180.0
    narrow = np.cos(np.radians((book.first[targets] + book.first[origins]) / 2))
    return np.hypot(first, second * narrow) * METRES_PER_DEGREE


# --- places -----------------------------------------------------------------------------------------------------


def _far_doors(scenario: Scenario) -> Iterator[str]:
    """Doors out of reach of their stores; with latitude and longitude exchanged, where that explains them."""
    book, demand = scenario.catalogue.places, scenario.demand
    place_of = {store.store_id: store.place for store in scenario.catalogue.stores}
    doors = np.array([one.order.drop_place for one in demand], dtype=np.int32)
    stores = np.array([place_of[one.order.store_id] for one in demand], dtype=np.int32)
    metres = straight_m(book, stores, doors)
    far = np.flatnonzero(metres > FAR_M)
    if len(far):
        worst = int(far[np.argmax(metres[far])])
        yield (
            f"{len(far)} of {len(demand)} doors lie more than {FAR_M // 1000} km from their store, the furthest "
            f"that of {demand[worst].order.order_id}: {_km(metres[worst])}.{_exchanged(book, stores[far], doors[far])}"
        )
    if len(demand) > 2 and np.ptp(book.first[doors]) == 0.0 and np.ptp(book.second[doors]) == 0.0:
        yield f"All {len(demand)} doors lie at one point, {book.first[doors[0]]:g}, {book.second[doors[0]]:g}."


def _far_riders(scenario: Scenario) -> Iterator[str]:
    catalogue = scenario.catalogue
    if not catalogue.riders or not catalogue.stores:
        return
    book = catalogue.places
    starts = np.array([rider.place for rider in catalogue.riders], dtype=np.int32)
    stores = np.array([store.place for store in catalogue.stores], dtype=np.int32)
    metres = np.array([straight_m(book, start, stores).min() for start in starts[:, None]])
    far = np.flatnonzero(metres > FAR_M)
    if not len(far):
        return
    exchanged = _exchanged(book, np.repeat(stores[:1], len(far)), starts[far])
    if len(far) == len(starts):
        yield (
            f"No rider starts within reach of any store: all {len(starts)} start more than {FAR_M // 1000} km away, "
            f"the nearest {_km(metres.min())}.{exchanged}"
        )
    else:
        worst = int(far[np.argmax(metres[far])])
        yield (
            f"{len(far)} of {len(starts)} riders start more than {FAR_M // 1000} km from every store, the furthest "
            f"{catalogue.riders[worst].rider_id}: {_km(metres[worst])}.{exchanged}"
        )


def _exchanged(book: PlaceBook, near: Handles, far: Handles) -> str:
    """A sentence, where far places would be near with their coordinates exchanged."""
    if book.frame == "plane":
        return ""
    lat, lng = book.second[far], book.first[far]
    narrow = np.cos(np.radians((book.first[near] + np.clip(lat, -90, 90)) / 2))
    metres = np.hypot(lat - book.first[near], (lng - book.second[near]) * narrow) * METRES_PER_DEGREE
    count = int((metres <= FAR_M).sum())
    return f" With lat and lng exchanged {count} of them would be within reach." if count else ""


def _km(metres: float) -> str:
    return f"{metres / 1000:,.1f} km"


# --- times ------------------------------------------------------------------------------------------------------


def _nobody_there(scenario: Scenario) -> Iterator[str]:
    """Orders that fall due before anybody comes on duty, or are placed after everybody has gone."""
    catalogue, demand = scenario.catalogue, scenario.demand
    placed = np.array([one.order.placed_at for one in demand])
    due = np.array([max(one.order.due_at, one.order.placed_at) for one in demand])
    begins = np.sort([shift.start_at for shift in catalogue.shifts])
    ends = np.sort([shift.last_pickup_at for shift in catalogue.shifts])
    # A shift overlaps [placed, due] unless it begins after the one or ended before the other.
    overlapping = np.searchsorted(begins, due, "right") - np.searchsorted(ends, placed, "left")
    alone = int((overlapping <= 0).sum())
    if not alone:
        return
    if not len(begins):
        yield f"There are no shifts: nobody fetches the {len(demand)} orders."
        return
    orders = f"{_at(catalogue, int(placed[0]))} to {_at(catalogue, int(placed[-1]))}"
    shifts = f"{_at(catalogue, int(begins[0]))} to {_at(catalogue, int(ends[-1]))}"
    count = "No order is" if alone == len(demand) else f"{alone} of {len(demand)} orders are not"
    yield f"{count} placed while anybody is on duty: orders come from {orders}, shifts run from {shifts}."


def _dates(scenario: Scenario) -> Iterator[str]:
    """Orders of several days; a night that runs past midnight is one."""
    placed = [one.order.placed_at for one in scenario.demand]
    if placed[-1] - placed[0] <= 86_400:
        return
    zone = zone_of(scenario.catalogue.time_zone)
    dates = Counter(str(local_of(at, zone).date()) for at in placed)
    shown = ", ".join(f"{count} on {date}" for date, count in list(dates.items())[:4])
    more = f" and {len(dates) - 4} days more" if len(dates) > 4 else ""
    yield f"Orders are placed on {len(dates)} dates: {shown}{more}."


def _instants(scenario: Scenario) -> Iterator[str]:
    demand = scenario.demand
    promised = [one for one in demand if one.order.due_at < one.ready_at]
    if len(promised) > MANY * len(demand):
        worst = max(promised, key=lambda one: one.ready_at - one.order.due_at)
        yield (
            f"{len(promised)} of {len(demand)} orders are promised before their goods are ready, the worst "
            f"{worst.order.order_id}: by {(worst.ready_at - worst.order.due_at) / 60:.0f} min."
        )
    for what, behind in (("ready", _ready_s), ("due", _due_s)):
        late = [one for one in demand if behind(one) > LONG_WAIT_S]
        if late:
            worst = max(late, key=behind)
            yield (
                f"{len(late)} of {len(demand)} orders are {what} more than {LONG_WAIT_S // 3600} h after their "
                f"placement, the last {worst.order.order_id}: {behind(worst) / 3600:.1f} h."
            )
    called_off = sum(one.cancelled_at is not None for one in demand)
    if called_off > max(2, MANY * len(demand)):
        yield f"{called_off} of {len(demand)} orders are cancelled."


def _ready_s(one: Demand) -> int:
    return one.ready_at - (one.order.release_at or one.order.placed_at)


def _due_s(one: Demand) -> int:
    return one.order.due_at - (one.order.release_at or one.order.placed_at)


def _at(catalogue: Catalogue, at: int) -> str:
    return f"{local_of(at, zone_of(catalogue.time_zone)):%Y-%m-%d %H:%M}"


# --- riders -----------------------------------------------------------------------------------------------------


def _loads(scenario: Scenario) -> Iterator[str]:
    most = max((rider.capacity_units for rider in scenario.catalogue.riders), default=0)
    loads = [one.order.load_units for one in scenario.demand if one.order.load_units > most]
    if loads:
        count = len(scenario.demand)
        yield f"{len(loads)} of {count} orders are larger (up to {max(loads)}) than any rider carries ({most})."


def _shifts(scenario: Scenario) -> Iterator[str]:
    """Shifts that are too long or no time at all, and those of one rider that overlap."""
    catalogue = scenario.catalogue
    shifts = sorted(catalogue.shifts, key=lambda shift: (shift.rider_id, shift.start_at))
    lengths = [(shift.last_pickup_at - shift.start_at, shift.rider_id) for shift in shifts]
    long = [one for one in lengths if one[0] > LONG_SHIFT_S]
    if long:
        worst = max(long)
        yield (
            f"{len(long)} of {len(shifts)} shifts are longer than {LONG_SHIFT_S // 3600} h, the longest of {worst[1]}: "
            f"{worst[0] / 3600:.1f} h."
        )
    none = [rider_id for length, rider_id in lengths if length == 0]
    if none:
        yield f"{len(none)} of {len(shifts)} shifts end when they begin, the first of {none[0]}."
    both = [b.rider_id for a, b in pairwise(shifts) if a.rider_id == b.rider_id and b.start_at < a.last_pickup_at]
    if both:
        yield f"{len(both)} shifts begin before another of the same rider has ended, the first of {both[0]}."
