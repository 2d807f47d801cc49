"""What the report draws, computed from the KPI fold: series over time, histograms, and the day's film for the map."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.lives import Leg, OrderLife
from halfhour.report.charts import Series
from routing.errors import InvalidInput

STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200)
MOST_STEPS = 64


@dataclass(frozen=True)
class Span:
    """The time that the charts cover, cut into equal steps."""

    begin: int
    end: int
    step: int

    @property
    def count(self) -> int:
        """Steps that cover the time."""
        return max(1, -(-(self.end - self.begin) // self.step))


class FilmClock:
    """Writes an instant as hours and minutes of the scenario's time zone (with the day where it lasts longer)."""

    def __init__(self, time_zone: str) -> None:
        try:
            self._zone: Any = ZoneInfo(time_zone)
        except (KeyError, ValueError):
            self._zone = timezone(timedelta(0))

    def __call__(self, at: int) -> str:
        return datetime.fromtimestamp(at, self._zone).strftime("%H:%M")

    def exact(self, at: int) -> str:
        """Hours, minutes and seconds."""
        return datetime.fromtimestamp(at, self._zone).strftime("%H:%M:%S")

    def day(self, at: int) -> str:
        """The date on which an instant lies."""
        return datetime.fromtimestamp(at, self._zone).strftime("%A, %d %B %Y")


def span_of(fold: KpiFold) -> Span:
    """From the first order placed to the last thing that happened to one."""
    lives = list(fold.orders.values())
    if not lives:
        raise InvalidInput("there is no order to report on", code="empty_day", hint="Was the replay cut short?")
    begin = min(life.order.placed_at for life in lives)
    end = max(max(life.ended_at or 0, life.delivered_at or 0, life.order.placed_at) for life in lives)
    step = next((s for s in STEPS_S if (end - begin) / s <= MOST_STEPS), STEPS_S[-1])
    begin -= begin % step
    return Span(begin, max(end + 1, begin + step), step)


def orders_over_time(lives: Sequence[OrderLife], span: Span) -> list[Series]:
    """Orders placed and delivered per step, and how many were under way at its end."""
    placed = _per_step((life.order.placed_at for life in lives), span)
    delivered = _per_step((life.delivered_at for life in lives if life.delivered_at is not None), span)
    ended = _per_step((life.ended_at for life in lives if life.ended_at is not None), span)
    open_now = np.cumsum(placed) - np.cumsum(ended)
    return [
        Series("under way", "a", open_now.tolist()),
        Series("placed", "b", placed.tolist()),
        Series("delivered", "c", delivered.tolist()),
    ]


def _per_step(instants: Iterable[int], span: Span) -> np.ndarray[Any, np.dtype[np.int64]]:
    steps = [min((at - span.begin) // span.step, span.count - 1) for at in instants]
    return np.bincount(np.array(steps, dtype=np.int64), minlength=span.count)


def arrival_histogram(lives: Sequence[OrderLife]) -> tuple[list[float], Series]:
    """Minutes from promise to delivery (negative: early), in steps of two and a half minutes: edges and counts."""
    minutes = [(life.delivered_at - life.order.due_at) / 60 for life in lives if life.delivered_at is not None]
    edges = [2.5 * k for k in range(-12, 17)]
    inside = np.clip(minutes, edges[0], edges[-1] - 1e-6) if minutes else np.zeros(0)
    # On time means delivered by the promise, that second included: a bin ends with its upper edge.
    counts = np.bincount(
        np.maximum(np.ceil((inside - edges[0]) / 2.5).astype(np.int64) - 1, 0), minlength=len(edges) - 1
    )
    return edges, Series("delivered", "a", counts.tolist())


def fleet_over_time(catalogue: Catalogue, fold: KpiFold, span: Span) -> list[Series]:
    """Shares of the riders' time on duty, step by step: driving, at stops, waiting for goods, driving empty."""
    duty, driving, empty, serving, waiting = (np.zeros(span.count) for _ in range(5))
    for day in fold.riders.values():
        for shift in day.shifts:
            _spread(duty, span, shift.start_at, shift.end_at or shift.last_pickup_at)
    acts = acts_by_rider(fold)
    for leg, leaves_at, waited_s in halts(catalogue, fold.legs, acts):
        _spread(empty if leg.empty else driving, span, leg.departed_at, leg.arrived_at)
        if not leg.empty:
            _spread(serving, span, leg.arrived_at, leaves_at)
            _spread(waiting, span, leg.arrived_at, leg.arrived_at + waited_s)
    # Work after the end of a shift counts as time on duty, so that shares never exceed one.
    total = np.maximum(duty, driving + empty + serving)
    share = [np.divide(part, total, out=np.zeros(span.count), where=total > 0) for part in (driving, empty)]
    at_stops = np.divide(serving - waiting, total, out=np.zeros(span.count), where=total > 0)
    for_goods = np.divide(waiting, total, out=np.zeros(span.count), where=total > 0)
    return [
        Series("driving", "a", share[0].tolist()),
        Series("at stops", "c", at_stops.tolist()),
        Series("waiting for goods", "d", for_goods.tolist()),
        Series("driving empty", "b", share[1].tolist()),
    ]


def _spread(row: np.ndarray[Any, Any], span: Span, start: int, end: int) -> None:
    """Add the seconds of [start, end) to the steps they lie in."""
    start, end = max(start, span.begin), min(end, span.begin + span.count * span.step)
    while start < end:
        k = (start - span.begin) // span.step
        until = min(end, span.begin + (k + 1) * span.step)
        row[k] += until - start
        start = until


def acts_by_rider(fold: KpiFold) -> dict[str, list[int]]:
    """Every rider's instants of handing over, in order."""
    acts: dict[str, set[int]] = {}
    for life in fold.orders.values():
        if life.rider_id is not None:
            acts.setdefault(life.rider_id, set()).update(
                at for at in (life.picked_up_at, life.delivered_at) if at is not None
            )
    return {rider_id: sorted(instants) for rider_id, instants in acts.items()}


def halts(catalogue: Catalogue, legs: Iterable[Leg], acts: dict[str, list[int]]) -> Iterable[tuple[Leg, int, int]]:
    """Each leg with the instant at which its rider left the halt after it, and the seconds they waited there."""
    enter_s, exit_s = catalogue.places.enter_s, catalogue.places.exit_s
    for leg in legs:
        instants = acts.get(leg.rider_id, [])
        k = bisect.bisect_left(instants, leg.arrived_at)
        if leg.empty or k == len(instants):
            yield leg, leg.arrived_at, 0
        else:
            waited_s = max(0, instants[k] - leg.arrived_at - int(enter_s[leg.target]))
            yield leg, instants[k] + int(exit_s[leg.target]), waited_s


def slowest_stores(fold: KpiFold, most: int = 6) -> list[dict[str, Any]]:
    """The stores with most late orders: orders, share on time, mean wait of the goods, mean door time."""
    by_store: dict[str, list[OrderLife]] = {}
    for life in fold.orders.values():
        by_store.setdefault(life.order.store_id, []).append(life)
    rows: list[dict[str, Any]] = []
    for store_id, lives in by_store.items():
        done = [life for life in lives if life.delivered_at is not None]
        if not done:
            continue
        rows.append(
            {
                "store": store_id,
                "orders": len(lives),
                "late": sum(not life.is_on_time for life in lives),
                "on_time_share": sum(life.is_on_time for life in lives) / len(lives),
                "ready_to_pickup_s": sum(life.ready_to_pickup_s for life in done) / len(done),
                "click_to_door_s": sum(life.click_to_door_s for life in done) / len(done),
            }
        )
    return sorted(rows, key=lambda row: (-row["late"], row["store"]))[:most]


def film(catalogue: Catalogue, fold: KpiFold, span: Span) -> dict[str, Any]:
    """Everything the map needs to show any instant of the day, as compact rows.

    `stores`: [x, y, id]; `orders`: [placed, picked up, delivered, due, store, x, y, id], seconds from `begin`, -1 for
    never; `legs`: [rider, departed, arrived, x0, y0, x1, y1, empty, halt left], by departure; `riders`: ids; `focus`:
    west, north, east and south of what to show at first.
    Coordinates are metres, x to the east and y to the south, from the north-western corner of what is shown.
    """
    points = Metres(catalogue)
    stores = {store.store_id: k for k, store in enumerate(catalogue.stores)}
    riders = {rider_id: k for k, rider_id in enumerate(fold.riders)}
    orders, lives = [], list(fold.orders.values())
    for life in lives:
        order = life.order
        instants = [order.placed_at, life.picked_up_at, life.delivered_at or life.ended_at, order.due_at]
        orders.append(
            [-1 if at is None else at - span.begin for at in instants]
            + [stores[order.store_id], *points.of(order.drop_place), order.order_id, str(life.state)]
        )
    legs = [
        [
            *(riders[leg.rider_id], leg.departed_at - span.begin, leg.arrived_at - span.begin),
            *(*points.of(leg.origin), *points.of(leg.target), int(leg.empty), leaves_at - span.begin),
        ]
        for leg, leaves_at, _ in halts(catalogue, fold.legs, acts_by_rider(fold))
    ]
    legs.sort(key=lambda row: (row[1], row[0]))
    return {
        "begin": span.begin,
        "end": span.end,
        "size": points.size,
        "focus": points.focus([store.place for store in catalogue.stores] + [o.order.drop_place for o in lives]),
        "stores": [[*points.of(store.place), store.store_id] for store in catalogue.stores],
        "riders": list(riders),
        "shifts": [
            [
                *(riders[shift.rider_id], shift.start_at - span.begin),
                *((shift.end_at or shift.last_pickup_at) - span.begin, *points.of(day.rider.place)),
            ]
            for day in fold.riders.values()
            for shift in day.shifts
        ],
        "orders": orders,
        "legs": legs,
    }


class Metres:
    """Lays places (degrees or plane metres) on a sheet of whole metres, north up."""

    def __init__(self, catalogue: Catalogue) -> None:
        book = catalogue.places
        first, second = np.array(book.first), np.array(book.second)
        scale = 6_371_008.8 * np.pi / 180
        shrink = np.cos(np.radians(first.mean())) if book.frame == "wgs84" else 1.0
        self._scale = (scale, scale * shrink) if book.frame == "wgs84" else (1.0, 1.0)
        self._top, self._left = float(first.max()), float(second.min())
        self._y = np.rint((self._top - first) * self._scale[0]).astype(np.int64).tolist()
        self._x = np.rint((second - self._left) * self._scale[1]).astype(np.int64).tolist()
        self.size = (max(self._x), max(self._y))

    def of(self, place: int) -> tuple[int, int]:
        """A place on the sheet."""
        return self._x[place], self._y[place]

    def focus(self, places: Sequence[int]) -> list[int]:
        """West, north, east, south of what nearly all of `places` lie in: a few far ones do not shrink the map."""
        x, y = ([row[place] for place in places] for row in (self._x, self._y))
        west, east = np.percentile(x, [0.5, 99.5])
        north, south = np.percentile(y, [0.5, 99.5])
        edge = 300 + 0.04 * max(east - west, south - north)
        return [round(west - edge), round(north - edge), round(east + edge), round(south + edge)]

    def line(self, points: Sequence[Sequence[float]]) -> list[int]:
        """[lng, lat] (or [x, y]) points of a map as one flat row of sheet metres."""
        flat: list[int] = []
        for second, first in points:
            flat += [round((second - self._left) * self._scale[1]), round((self._top - first) * self._scale[0])]
        return flat


def sheet(catalogue: Catalogue, features: dict[str, Any] | None) -> dict[str, list[list[int]]]:
    """Lines of a GeoJSON map on the same sheet as the film, by their class (`river`, `avenue`, `street` ...)."""
    if features is None:
        return {}
    points = Metres(catalogue)
    lines: dict[str, list[list[int]]] = {}
    for feature in features.get("features", ()):
        geometry = feature["geometry"]
        parts = geometry["coordinates"] if geometry["type"] == "MultiLineString" else [geometry["coordinates"]]
        if geometry["type"] in ("LineString", "MultiLineString"):
            lines.setdefault(feature["properties"].get("class", "street"), []).extend(points.line(p) for p in parts)
    return lines
