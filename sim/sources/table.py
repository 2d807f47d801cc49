"""A user's own yesterday: any orders and riders table, by a column mapping, to a Scenario (docs/scenario-folder.md)."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from dispatch.calendar.local_time import local_of
from dispatch.model import Engagement, Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.settings.choosing import remarks
from routing.places import PlaceBook
from sim.scenario import Demand, Scenario, stores_with_means
from sim.sources.clock import DAY_S, DayClock, is_milliseconds, seconds_of
from sim.sources.mapping import ORDER_FIELDS, RIDER_FIELDS, TableMapping, read_mapping
from sim.sources.plausible import doubts
from sim.sources.recorded import RecordedDay
from sim.sources.rows import TableRow, Unique, read_rows, require_some
from sim.sources.table_doubts import (
    StorePlaces,
    misread_night,
    misspelt_columns,
    repeated_orders,
    require_day,
    require_same_rider,
)

ANY_DAY = datetime.date(2024, 1, 1)
"""The day of tables in which nothing says a date."""

INSTANTS = ("placed_at", "ready_at", "expected_ready_at", "due_at", "cancelled_at")


def import_tables(orders: Path, riders: Path, mapping: Path | None = None) -> Scenario:
    """The Scenario in two tables; raises UnreadableFile, InvalidScenario or InvalidInput.

    `mapping`: a TOML file that says which column is which, the time zone, and what the tables leave out.  What can
    hardly be meant is refused, or said in the Scenario's notes.
    """
    return _Import(orders, riders, read_mapping(mapping)).scenario()


class _Import:
    def __init__(self, orders: Path, riders: Path, mapping: TableMapping) -> None:
        self.mapping = mapping
        self.orders = orders
        self.order_rows = self._rows(orders, ("placed_at", "lat", "lng"), mapping.orders, "orders")
        self.rider_rows = self._rows(riders, ("rider_id", "start_at", "end_at"), mapping.riders, "riders")
        self.clock = self._clock()
        self.book = PlaceBook("wgs84")
        self.stores: dict[str, Store] = {}
        self.store_places = StorePlaces()
        self.moved_starts = 0

    def scenario(self) -> Scenario:
        rows = sorted(self.order_rows, key=lambda row: self.clock.instant(row, "placed_at"))
        for row in rows:
            self._store(row)
        require_day(self.mapping, rows, self.clock)
        riders, shifts = self._roster()
        ids = Unique("order")
        demand = tuple(self._one(row, ids) for row in rows)
        recorded = RecordedDay((rider.rider_id for rider in riders), self._after)
        for row, one in zip(rows, demand, strict=True):
            recorded.take(row, one, self.stores[one.order.store_id].place)
        begin_at = min(demand[0].order.placed_at, *(shift.start_at for shift in shifts))
        stated = self.mapping.stated
        catalogue = Catalogue(
            name=str(stated.get("name", self.orders.stem)),
            attribution=str(stated.get("attribution", "")),
            begin_at=begin_at,
            places=self.book,
            stores=stores_with_means(self.stores.values(), demand),
            riders=riders,
            shifts=shifts,
            travel=self.mapping.travel,
            settings=self.mapping.settings,
            time_zone=self.clock.time_zone,
        )
        scenario = Scenario(
            catalogue, demand, recorded=recorded.decisions(catalogue), recorded_times=tuple(recorded.times)
        )
        said = recorded.notes(catalogue, len(rows))
        return dataclasses.replace(scenario, notes=(*self._notes(rows, scenario), *said, *doubts(scenario)))

    def _notes(self, rows: list[TableRow], scenario: Scenario) -> Iterator[str]:
        count, mapping = len(rows), self.mapping
        guessed = sum(not row.has("ready_at") for row in rows)
        if guessed:
            yield f"{guessed} orders name no ready time: taken as {mapping.ready_s} s after placement."
        unpromised = sum(not row.has("due_at") for row in rows)
        if 0 < unpromised < count:
            promise_s = mapping.settings.rules.promise_s
            yield f"{unpromised} of {count} orders name no promise: taken as {promise_s} s after placement."
        yield from remarks(mapping.stated.get("settings", {}), mapping.settings)
        milliseconds = sum(_in_milliseconds(row, INSTANTS) for row in rows)
        milliseconds += sum(_in_milliseconds(row, ("start_at", "end_at")) for row in self.rider_rows)
        if milliseconds:
            yield f"{milliseconds} instants are epoch milliseconds: read as such, whole seconds."
        if mapping.day is None and _has_times_of_day((*rows, *self.rider_rows)):
            yield f"No day is stated: times of day are taken as those of {self.clock.day}."
        yield from self.store_places.notes()
        if self.moved_starts:
            yield f"{self.moved_starts} shifts begin elsewhere than their rider's first: the first place is taken."
        yield from misread_night(mapping, rows, scenario)
        yield from repeated_orders(scenario)
        yield from misspelt_columns(self.order_rows[0], ORDER_FIELDS, mapping.orders)
        yield from misspelt_columns(self.rider_rows[0], RIDER_FIELDS, mapping.riders)

    def _rows(self, path: Path, required: tuple[str, ...], names: Mapping[str, str], what: str) -> list[TableRow]:
        rows = read_rows(path, (*required, *names), delimiter=self.mapping.delimiter, names=names)
        require_some(rows, path, what)
        return rows

    def _clock(self) -> DayClock:
        """The clock of the stated day, or else of the first date in the orders table."""

        def of(day: datetime.date) -> DayClock:
            mapping = self.mapping
            return DayClock(day, mapping.time_zone, pattern=mapping.instants, begins_s=mapping.begins_s)

        if self.mapping.day is not None:
            return of(self.mapping.day)
        clock = of(ANY_DAY)
        dated = [
            clock.instant(row, "placed_at") for row in self.order_rows if seconds_of(row.text("placed_at")) is None
        ]
        return of(local_of(min(dated), clock.zone).date()) if dated else clock

    # --- the tables ---------------------------------------------------------------------------------------------

    def _store(self, row: TableRow) -> str:
        """The id of an order's store; a store without one is known by its coordinates."""
        named = row.has("store_id")
        store_id = row.text("store_id") if named else f"{row.number('store_lat'):.6f},{row.number('store_lng'):.6f}"
        if store_id not in self.stores:
            stops = self.mapping.stops
            place = row.place(
                self.book, ("store_lat", "store_lng"), enter_s=stops["store_enter_s"], exit_s=stops["store_exit_s"]
            )
            self.stores[store_id] = Store(store_id, place)
        if named:
            self.store_places.take(row, store_id)
        return store_id

    def _roster(self) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
        riders: dict[str, Rider] = {}
        firsts: dict[str, TableRow] = {}
        shifts = []
        for row in self.rider_rows:
            rider_id = row.text("rider_id")
            if rider_id not in riders:
                firsts[rider_id] = row
                riders[rider_id] = self._rider(row, rider_id)
            self.moved_starts += require_same_rider(firsts[rider_id], row)
            start_at, end_at = self.clock.instant(row, "start_at"), self.clock.instant(row, "end_at")
            if end_at < start_at and seconds_of(row.text("end_at")) is not None:
                end_at = self.clock.instant(row, "end_at", days=1)
            if end_at < start_at:
                row.fail("the shift ends before it starts", "end_at", "start_at must come first.")
            shifts.append(row.bounded(Shift(rider_id, start_at, end_at), self.clock.start_at))
        return tuple(riders.values()), tuple(shifts)

    def _rider(self, row: TableRow, rider_id: str) -> Rider:
        given = row.text("profile") if row.has("profile") else ""
        profile = self.mapping.profiles.get(given, given or "default")
        known = self.mapping.travel.bind(self.book).profiles
        if profile not in known:
            row.fail(
                f"{profile!r} is no profile of the travel table",
                "profile",
                f"Known are {', '.join(known)}; [profiles] of the mapping translates.",
            )
        engagement = row.text("engagement") if row.has("engagement") else Engagement.EMPLOYED.value
        if engagement not in list(Engagement):
            row.fail(f"{engagement!r} is no engagement", "engagement", "Write employed or crowd.")
        rider = Rider(rider_id, self._start(row), profile=profile, engagement=Engagement(engagement))
        units = row.maybe("capacity_units", row.whole)
        return row.bounded(rider if units is None else dataclasses.replace(rider, capacity_units=units), 0)

    def _start(self, row: TableRow) -> int:
        """Where a rider begins: as the table says, or in the middle of the stores."""
        if row.has("lat"):
            return row.place(self.book, ("lat", "lng"), enter_s=0, exit_s=0)
        places = [store.place for store in self.stores.values()]
        return self.book.add(float(self.book.first[places].mean()), float(self.book.second[places].mean()))

    def _one(self, row: TableRow, ids: Unique) -> Demand:
        placed_at = self.clock.instant(row, "placed_at")
        ready_at = self._after(row, "ready_at", placed_at, placed_at + self.mapping.ready_s)
        row.within("ready_at", ready_at, placed_at)
        stops, promise_s = self.mapping.stops, self.mapping.settings.rules.promise_s
        order = Order(
            order_id=ids.add(row, "order_id") if row.has("order_id") else f"line {row.line}",
            store_id=self._store(row),
            drop_place=row.place(self.book, ("lat", "lng"), enter_s=stops["drop_enter_s"], exit_s=stops["drop_exit_s"]),
            placed_at=placed_at,
            expected_ready_at=self._after(row, "expected_ready_at", placed_at, ready_at),
            due_at=self._after(row, "due_at", placed_at, placed_at + promise_s),
            load_units=1 if not row.has("load_units") else row.whole("load_units"),
        )
        cancelled_at = self._after(row, "cancelled_at", placed_at, 0) if row.has("cancelled_at") else None
        return row.bounded(Demand(order, ready_at, cancelled_at), placed_at)

    def _after(self, row: TableRow, field: str, placed_at: int, default: int) -> int:
        """An instant of the order's life; a time of day before its placement lies after midnight."""
        if not row.has(field):
            return default
        at = self.clock.instant(row, field)
        if at < placed_at and seconds_of(row.text(field)) is not None and placed_at - at > DAY_S // 2:
            at = self.clock.instant(row, field, days=1)
        if at < placed_at:
            row.fail(f"{field} lies before the placement", field, "placed_at must come first.")
        return at


def _in_milliseconds(row: TableRow, fields: Iterable[str]) -> int:
    return sum(row.has(field) and is_milliseconds(row.text(field)) for field in fields)


def _has_times_of_day(rows: Iterable[TableRow]) -> bool:
    fields = ("placed_at", "start_at")
    return any(row.has(field) and seconds_of(row.text(field)) is not None for row in rows for field in fields)
