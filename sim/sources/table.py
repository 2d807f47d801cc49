"""A user's own yesterday: any orders and riders table, by a column mapping, to a Scenario (docs/scenario-folder.md)."""

from __future__ import annotations

import dataclasses
import datetime
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatch.model import Engagement, Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec, travel_spec
from dispatch.settings.choosing import contradictions
from dispatch.settings.presets import among
from dispatch.settings.settings import Settings
from routing.errors import InvalidInput, UnreadableFile
from routing.places import PlaceBook
from sim.scenario import Demand, Scenario, stores_with_means
from sim.sources.clock import DAY_S, DayClock, seconds_of
from sim.sources.rows import InvalidScenario, TableRow, Unique, read_rows, require_some

ORDER_FIELDS = (
    "order_id", "store_id", "store_lat", "store_lng", "lat", "lng", "placed_at", "ready_at", "expected_ready_at",
    "due_at", "load_units", "cancelled_at",
)  # fmt: skip
RIDER_FIELDS = ("rider_id", "lat", "lng", "profile", "capacity_units", "engagement", "start_at", "end_at")
KEYS = (
    "name", "attribution", "time_zone", "day", "day_begins", "instants", "delimiter", "ready_s", "orders", "riders",
    "profiles", "travel", "stops", "settings",
)  # fmt: skip

READY_S = 900
"""Seconds from placement to ready where the table does not say."""

STOPS = {"store_enter_s": 90, "store_exit_s": 30, "drop_enter_s": 90, "drop_exit_s": 45}
TRAVEL = StraightSpec({"default": 250.0}, detour=1.35)


def import_tables(orders: Path, riders: Path, mapping: Path | None = None) -> Scenario:
    """The Scenario in two tables; raises UnreadableFile, InvalidScenario or InvalidInput.

    `mapping`: a TOML file that says which column is which, the time zone, and what the tables leave out.
    """
    return _Import(orders, riders, mapping).scenario()


class _Import:
    def __init__(self, orders: Path, riders: Path, mapping: Path | None) -> None:
        self.orders = orders
        self.riders = riders
        self.file = str(mapping) if mapping is not None else ""
        self.values = _mapping(mapping) if mapping is not None else {}
        self.order_names = self._names("orders", ORDER_FIELDS)
        self.rider_names = self._names("riders", RIDER_FIELDS)
        self.stops = {**STOPS, **self._table("stops")}
        try:
            self.settings = Settings().with_values(self._table("settings"))
            self.travel = travel_spec(self.values["travel"]) if "travel" in self.values else TRAVEL
        except InvalidInput as problem:
            raise InvalidInput(problem.message, file=self.file, hint=problem.hint, **problem.details) from problem
        self.clock = self._clock()
        self.book = PlaceBook("wgs84")
        self.stores: dict[str, Store] = {}

    def scenario(self) -> Scenario:
        rows = self._rows(self.orders, ("placed_at", "lat", "lng"), self.order_names, "orders")
        rows.sort(key=lambda row: self.clock.instant(row, "placed_at"))
        for row in rows:
            self._store(row)
        riders, shifts = self._roster()
        ids = Unique("order")
        demand = tuple(self._one(row, ids) for row in rows)
        begin_at = min(demand[0].order.placed_at, *(shift.start_at for shift in shifts))
        catalogue = Catalogue(
            name=str(self.values.get("name", self.orders.stem)),
            attribution=str(self.values.get("attribution", "")),
            begin_at=begin_at,
            places=self.book,
            stores=stores_with_means(self.stores.values(), demand),
            riders=riders,
            shifts=shifts,
            travel=self.travel,
            settings=self.settings,
            time_zone=self.clock.time_zone,
        )
        return Scenario(catalogue, demand, notes=self._notes(rows))

    def _notes(self, rows: list[TableRow]) -> tuple[str, ...]:
        guessed = sum(not row.has("ready_at") for row in rows)
        ready_s = self.values.get("ready_s", READY_S)
        said = [f"{guessed} orders name no ready time: taken as {ready_s} s after placement."] if guessed else []
        return (*said, *contradictions(self._table("settings")))

    # --- the mapping --------------------------------------------------------------------------------------------

    def _fail(self, message: str, field: str, hint: str = "") -> InvalidScenario:
        return InvalidScenario(message, file=self.file, field=field, hint=hint)

    def _table(self, key: str) -> Mapping[str, Any]:
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self._fail("must be a table", key)
        return value

    def _names(self, key: str, known: tuple[str, ...]) -> Mapping[str, str]:
        names = self._table(key)
        for field in names:
            if field not in known:
                raise self._fail(f"there is no field {field}", f"{key}.{field}", f"Known are {', '.join(known)}.")
        return {field: str(column) for field, column in names.items()}

    def _clock(self) -> DayClock:
        begins_s = seconds_of(str(self.values.get("day_begins", "00:00")))
        if begins_s is None:
            raise self._fail("is no time of day", "day_begins", 'Write day_begins = "05:00".')
        day = self.values.get("day", datetime.date(2024, 1, 1))
        if not isinstance(day, datetime.date):
            raise self._fail(f"{day!r} is not a date", "day", "Write day = 2024-05-04, without quotes.")
        zone, pattern = str(self.values.get("time_zone", "UTC")), str(self.values.get("instants", ""))
        return DayClock(day, zone, pattern=pattern, begins_s=begins_s)

    def _rows(self, path: Path, required: tuple[str, ...], names: Mapping[str, str], what: str) -> list[TableRow]:
        delimiter = str(self.values.get("delimiter", ","))
        rows = read_rows(path, (*required, *names), delimiter=delimiter, names=names)
        require_some(rows, path, what)
        return rows

    # --- the tables ---------------------------------------------------------------------------------------------

    def _store(self, row: TableRow) -> str:
        """The id of an order's store; a store without one is known by its coordinates."""
        named = row.has("store_id")
        store_id = row.text("store_id") if named else f"{row.number('store_lat'):.6f},{row.number('store_lng'):.6f}"
        if store_id not in self.stores:
            place = row.place(
                self.book,
                ("store_lat", "store_lng"),
                enter_s=self.stops["store_enter_s"],
                exit_s=self.stops["store_exit_s"],
            )
            self.stores[store_id] = Store(store_id, place)
        return store_id

    def _roster(self) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
        rows = self._rows(self.riders, ("rider_id", "start_at", "end_at"), self.rider_names, "riders")
        riders: dict[str, Rider] = {}
        shifts = []
        for row in rows:
            rider_id = row.text("rider_id")
            if rider_id not in riders:
                riders[rider_id] = self._rider(row, rider_id)
            start_at, end_at = self.clock.instant(row, "start_at"), self.clock.instant(row, "end_at")
            if end_at < start_at and seconds_of(row.text("end_at")) is not None:
                end_at = self.clock.instant(row, "end_at", days=1)
            if end_at < start_at:
                row.fail("the shift ends before it starts", "end_at", "start_at must come first.")
            shifts.append(row.bounded(Shift(rider_id, start_at, end_at), self.clock.start_at))
        return tuple(riders.values()), tuple(shifts)

    def _rider(self, row: TableRow, rider_id: str) -> Rider:
        given = row.text("profile") if row.has("profile") else ""
        profile = str(self._table("profiles").get(given, given or "default"))
        known = self.travel.bind(self.book).profiles
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
        ready_at = self._after(row, "ready_at", placed_at, placed_at + int(self.values.get("ready_s", READY_S)))
        row.within("ready_at", ready_at, placed_at)
        order = Order(
            order_id=ids.add(row, "order_id") if row.has("order_id") else f"line {row.line}",
            store_id=self._store(row),
            drop_place=row.place(
                self.book, ("lat", "lng"), enter_s=self.stops["drop_enter_s"], exit_s=self.stops["drop_exit_s"]
            ),
            placed_at=placed_at,
            expected_ready_at=self._after(row, "expected_ready_at", placed_at, ready_at),
            due_at=self._after(row, "due_at", placed_at, placed_at + self.settings.rules.promise_s),
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


def _mapping(path: Path) -> dict[str, Any]:
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path)) from problem
    value = among(value, "settings")
    for key in value:
        if key not in KEYS:
            raise InvalidScenario(
                f"there is no key {key}", file=str(path), field=key, hint=f"Known are {', '.join(KEYS)}."
            )
    return value
