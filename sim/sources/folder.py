"""Our own scenario folder, read: scenario.toml, stores.csv, riders.csv, orders.csv (docs/scenario-folder.md)."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from dispatch.bounds import require
from dispatch.calendar.local_time import UnclearLocalTime
from dispatch.codec import decode_input
from dispatch.errors import InvalidSetting
from dispatch.inputs import ApartSet, Class, Input
from dispatch.model import Engagement, Order, Rider, Shift, Store, Zone
from dispatch.people.apart import Party
from dispatch.record.catalogue import CO2_G_PER_KM, Catalogue, Pay
from dispatch.record.travel_spec import RoadsSpec, TravelSpec, travel_spec
from dispatch.settings.choosing import remarks
from dispatch.settings.co2 import KEY as CO2
from dispatch.settings.co2 import line_of, table_of
from dispatch.settings.mix import mix_rule
from dispatch.settings.presets import among
from dispatch.settings.settings import Settings
from dispatch.settings.tiers import promise_of, tiers_of
from dispatch.ways import End, EndKind, ends_of, skus_of, sources_of
from routing.errors import HalfhourError, InvalidInput, UnreadableFile
from routing.places import PlaceBook
from sim.scenario import Demand, Reality, Scenario, stores_with_means
from sim.sources.clock import DayClock
from sim.sources.opening import opening_of
from sim.sources.plausible import doubts
from sim.sources.recorded import read_recorded
from sim.sources.rows import InvalidScenario, TableRow, Unique, read_rows, require_some

FORMAT = 3
"""1: what [settings] leaves out is as in 0.1.0.  2: it is as in the version that reads; folders that we write leave out
nothing.  3: the same, with rules.promise_rule, rules.promise_odds, rules.tariff,
rules.co2 and rules.hours among the settings.

Whoever changes a default of a version that was released raises it, and completes the older formats by a frozen table.
"""
FORMATS = (1, 2, FORMAT)
NEWER_FORMAT = f"With format = {FORMAT}, what the folder leaves out is as in this version, not as in 0.1.0."
TOML = "scenario.toml"
KINDS_OF_TRAVEL = '"straight", "matrix", "roads" or "http"'
APART = "apart.csv"
APART_COLUMNS = {Party.STORE: "store_id", Party.CUSTOMER: "customer", Party.DOOR: "door"}
COORDINATES = {"wgs84": ("lat", "lng"), "plane": ("y", "x")}
STOPS = ("store_enter_s", "store_exit_s", "drop_enter_s", "drop_exit_s")
KEYS = (
    "format", "name", "attribution", "frame", "day", "time_zone", "begin_at", "settings", "travel", "stops", "pay",
    "co2_g_per_km", "truth",
)  # fmt: skip


def recognises(path: Path) -> bool:
    """True for a folder with a scenario.toml."""
    return (path / TOML).is_file()


def read(path: Path) -> Scenario:
    """The Scenario of one folder; raises UnreadableFile or InvalidScenario."""
    return _Folder(path).scenario()


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.toml = _toml(path / TOML)
        self.frame = self._choice("frame", "wgs84", tuple(COORDINATES))
        self.book = PlaceBook("plane" if self.frame == "plane" else "wgs84")
        self.fields = COORDINATES[self.frame]
        self.clock = self._clock()
        self.settings = self._made("settings", self._settings)
        self.co2_g_per_km = self._made("co2_g_per_km", self._co2)
        self.stops = self._stops()
        self._store_place: dict[str, int] = {}
        self._counters: dict[str, int] = {}

    def scenario(self) -> Scenario:
        store_ids, rider_ids, order_ids = Unique("store"), Unique("rider"), Unique("order")
        stores = self._stores(store_ids)
        riders, shifts = self._riders(rider_ids)
        demand = self._demand(order_ids, store_ids)
        news = self._news()
        begin_at = self._begin_at(shifts, demand, news)
        news = (*self._apart(rider_ids, store_ids, begin_at), *news)
        catalogue = Catalogue(
            name=str(self.toml.get("name", self.path.resolve().name)),
            attribution=str(self.toml.get("attribution", "")),
            begin_at=begin_at,
            places=self.book,
            stores=tuple(self._with_means(stores, demand)),
            riders=riders,
            shifts=shifts,
            zones=self._zones(),
            travel=self._travel(self.toml.get("travel"), "travel", riders),
            settings=self.settings,
            pay=self._made("pay", lambda values: Pay(**values)) if "pay" in self.toml else None,
            co2_g_per_km=self.co2_g_per_km,
            time_zone=self.clock.time_zone,
        )
        self._check_profiles(catalogue)
        scenario = Scenario(catalogue, demand, self._reality(riders), news)
        notes = (*remarks(self.toml.get("settings", {}), self.settings), *doubts(scenario))
        recorded, times = read_recorded(
            self.path,
            self.clock,
            (rider.rider_id for rider in riders),
            (one.order.order_id for one in demand),
        )
        return dataclasses.replace(scenario, notes=notes, recorded=recorded, recorded_times=times)

    # --- scenario.toml ------------------------------------------------------------------------------------------

    def fail(self, message: str, field: str, hint: str = "") -> InvalidScenario:
        """An error about scenario.toml, to be raised."""
        return InvalidScenario(message, file=str(self.path / TOML), field=field, hint=hint)

    def _choice(self, key: str, default: str, choices: tuple[str, ...]) -> str:
        value = str(self.toml.get(key, default))
        if value not in choices:
            raise self.fail(f"{value!r} is no {key}", key, f"Choose one of {', '.join(choices)}.")
        return value

    def _clock(self) -> DayClock:
        day = self.toml.get("day", datetime.date(2024, 1, 1))
        if not isinstance(day, datetime.date) or isinstance(day, datetime.datetime):
            raise self.fail(f"{day!r} is not a date", "day", "Write day = 2024-05-04, without quotes.")
        try:
            return DayClock(day, str(self.toml.get("time_zone", "UTC")))
        except InvalidInput as problem:
            raise self.fail(problem.message, "time_zone", problem.hint) from problem

    def _made(self, key: str, build: Any) -> Any:
        """What `build` makes of a table; its complaints name the file."""
        values = self.toml.get(key, {})
        if not isinstance(values, dict):
            raise self.fail("must be a table", key)
        try:
            return build(values)
        except InvalidInput as problem:
            raise self.fail(problem.message, str(problem.details.get("field", key)), problem.hint) from problem
        except (TypeError, ValueError) as problem:
            raise self.fail(str(problem), key) from problem

    def _settings(self, values: dict[str, Any]) -> Settings:
        if self.toml["format"] != 1:
            return Settings().with_values(values)
        if "preset" in values:
            raise self.fail("format 1 knows no presets", "settings.preset", NEWER_FORMAT)
        return Settings.stated(values)

    def _co2(self, values: dict[str, Any]) -> dict[str, float]:
        """Grams per kilometre; where settings state none, a table stands for the line of `rules.co2`."""
        grams = {**CO2_G_PER_KM, **values}
        if values and CO2 not in self.toml.get("settings", {}):
            self.settings = self.settings.with_values({CO2: line_of(grams)})
        return grams if values else table_of(self.settings.rules.co2) or grams

    def _stops(self) -> dict[str, int]:
        values = self._made("stops", dict)
        for name, value in values.items():
            if name not in STOPS:
                raise self.fail(f"there is no {name}", f"stops.{name}", f"Known are {', '.join(STOPS)}.")
            if not isinstance(value, int) or value < 0:
                raise self.fail(f"{value!r} is not a whole number of seconds", f"stops.{name}")
        return {name: values.get(name, 0) for name in STOPS}

    def _travel(self, value: Any, key: str, riders: Iterable[Rider]) -> TravelSpec:
        if not isinstance(value, dict):
            raise self.fail("the table [travel] is missing", key, f"Say kind = {KINDS_OF_TRAVEL}.")
        for field in ("file", "traffic"):
            if field in value:
                file = self.path / str(value[field])
                if not file.is_file():
                    raise UnreadableFile("this file is missing", file=str(file), hint=f"{key}.{field} names it.")
                value = {**value, field: str(file)}
        if value.get("kind") == "http" and isinstance(value.get("answers", ""), str):
            name = value.get("answers") or f"{key.replace('.', '-')}-answers.npz"
            value = {**value, "answers": str(self.path / name)}
        try:
            spec = travel_spec(value)
            return spec.for_riders(riders) if isinstance(spec, RoadsSpec) and not spec.profiles else spec
        except InvalidInput as problem:
            raise self.fail(problem.message, str(problem.details.get("field", key)), problem.hint) from problem

    def _reality(self, riders: Iterable[Rider]) -> Reality:
        values = dict(self.toml.get("truth", {}))
        travel = values.pop("travel", None)
        known = [field.name for field in dataclasses.fields(Reality)]
        for name in values:
            if name not in known:
                raise self.fail(f"there is no {name}", f"truth.{name}", _nearest(name, known))
        self.toml["truth"] = values
        reality: Reality = self._made("truth", lambda given: Reality(**given))
        if travel is None:
            return reality
        return dataclasses.replace(reality, travel=self._travel(travel, "truth.travel", riders))

    def _begin_at(self, shifts: Iterable[Shift], demand: Iterable[Demand], news: Iterable[Input]) -> int:
        first = min(
            (
                *(shift.start_at for shift in shifts),
                *(one.order.placed_at for one in demand),
                *(item.at for item in news),
            )
        )
        if "begin_at" not in self.toml:
            return first
        try:
            at = self.clock.read(str(self.toml["begin_at"]))
        except UnclearLocalTime as problem:
            raise self.fail(problem.message, "begin_at", problem.hint) from problem
        if at is None:
            raise self.fail(f"{self.toml['begin_at']!r} is not an instant", "begin_at", "Write 18:05:30 in quotes.")
        if at > first:
            raise self.fail("shifts or orders lie before begin_at", "begin_at", "Let the day begin with the first.")
        return at

    # --- tables -------------------------------------------------------------------------------------------------

    def _place(self, row: TableRow, enter_s: int, exit_s: int) -> int:
        return row.place(
            self.book,
            self.fields,
            enter_s=_else(row.maybe("enter_s", row.whole), enter_s),
            exit_s=_else(row.maybe("exit_s", row.whole), exit_s),
            matrix_row=_else(row.maybe("matrix_row", row.whole), -1),
        )

    def _goods(self, row: TableRow) -> str:
        goods_class, known = row.maybe("goods_class", row.text) or "", mix_rule(self.settings.rules.mix).classes
        if goods_class and goods_class not in known:
            row.fail(
                f"{goods_class!r} is no class of goods", "goods_class",
                f"One of {', '.join(known)}, or name it in rules.mix.",
            )  # fmt: skip
        return goods_class

    def _at(self, row: TableRow, field: str) -> int | None:
        return self.clock.instant(row, field) if row.has(field) else None

    def _stores(self, ids: Unique) -> list[Store]:
        path = self.path / "stores.csv"
        rows = read_rows(path, ("store_id", *self.fields))
        require_some(rows, path, "stores")
        stores = [self._store(row, ids) for row in rows]
        self._store_place = {store.store_id: store.place for store in stores}
        return stores

    def _store(self, row: TableRow, ids: Unique) -> Store:
        store = Store(
            store_id=ids.add(row, "store_id"),
            place=self._place(row, self.stops["store_enter_s"], self.stops["store_exit_s"]),
            mean_ready_s=row.maybe("mean_ready_s", row.whole),
            goods_class=self._goods(row),
            **opening_of(row, self.clock),
        )
        return row.bounded(store, self.clock.start_at)

    def _riders(self, ids: Unique) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
        path = self.path / "riders.csv"
        rows = read_rows(path, ("rider_id", *self.fields, "start_at", "last_pickup_at"))
        require_some(rows, path, "riders")
        riders: dict[str, Rider] = {}
        shifts = []
        for row in rows:
            rider_id = row.text("rider_id")
            if rider_id not in riders:
                riders[ids.add(row, "rider_id")] = self._rider(row, rider_id)
            elif row.has(self.fields[0]):
                row.fail(f"rider {rider_id} came before", self.fields[0], "Leave it empty where a line adds a shift.")
            shifts.append(self._shift(row, rider_id))
        return tuple(riders.values()), tuple(shifts)

    def _rider(self, row: TableRow, rider_id: str) -> Rider:
        engagement = row.text("engagement") if row.has("engagement") else Engagement.EMPLOYED.value
        if engagement not in list(Engagement):
            row.fail(f"{engagement!r} is no engagement", "engagement", "Write employed or crowd.")
        rider = Rider(
            rider_id=rider_id,
            place=self._place(row, 0, 0),
            profile=row.text("profile") if row.has("profile") else "default",
            capacity_units=_else(row.maybe("capacity_units", row.whole), Rider("", 0).capacity_units),
            provides=_else(row.maybe("provides", row.whole), 0),
            engagement=Engagement(engagement),
        )
        return row.bounded(rider, self.clock.start_at)

    def _shift(self, row: TableRow, rider_id: str) -> Shift:
        start_at, last_pickup_at = self.clock.instant(row, "start_at"), self.clock.instant(row, "last_pickup_at")
        end_at = self._at(row, "end_at")
        if last_pickup_at < start_at or (end_at is not None and end_at < last_pickup_at):
            row.fail(
                "the shift ends before it starts", "last_pickup_at", "start_at <= last_pickup_at <= end_at must hold."
            )
        return row.bounded(Shift(rider_id, start_at, last_pickup_at, end_at), self.clock.start_at)

    def _demand(self, ids: Unique, stores: Unique) -> tuple[Demand, ...]:
        path = self.path / "orders.csv"
        rows = read_rows(path, ("order_id", "store_id", *self.fields, "placed_at", "ready_at"))
        require_some(rows, path, "orders")
        for row in rows:
            ids.add(row, "order_id")
        # Handles follow the order of placement, so that a day cut short gives its first orders the same ones.
        return tuple(self._one(row, stores) for row in sorted(rows, key=lambda r: self.clock.instant(r, "placed_at")))

    def _one(self, row: TableRow, stores: Unique) -> Demand:
        placed_at, ready_at = self.clock.instant(row, "placed_at"), self.clock.instant(row, "ready_at")
        if ready_at < placed_at:
            row.fail("the order is ready before it is placed", "ready_at", "placed_at must come first.")
        row.within("ready_at", ready_at, placed_at)
        rules, tier = self.settings.rules, row.maybe("tier", row.text) or ""
        if tier and tier not in tiers_of(rules.tiers):
            row.fail(f"{tier!r} is no tier", "tier", f"rules.tiers names {', '.join(tiers_of(rules.tiers)) or 'none'}.")
        order = Order(
            order_id=row.text("order_id"),
            store_id=stores.known(row, "store_id"),
            drop_place=self._place(row, self.stops["drop_enter_s"], self.stops["drop_exit_s"]),
            placed_at=placed_at,
            expected_ready_at=_else(self._at(row, "expected_ready_at"), ready_at),
            due_at=_else(self._at(row, "due_at"), placed_at + promise_of(rules.tiers, tier, rules.promise_s)),
            release_at=self._at(row, "release_at"),
            earliest_drop_at=self._at(row, "earliest_drop_at"),
            load_units=_else(row.maybe("load_units", row.whole), 1),
            needs=_else(row.maybe("needs", row.whole), 0),
            max_on_board_s=row.maybe("max_on_board_s", row.whole),
            priority=_else(row.maybe("priority", row.whole), 0),
            door=row.maybe("door", row.name) or "",
            goods_class=self._goods(row),
            tier=tier,
            tenant=row.maybe("tenant", row.name) or "",
            customer=row.maybe("customer", row.name) or "",
        )
        order = dataclasses.replace(self._with_alternatives(row, stores, order), skus=self._skus(row))
        cancelled_at = self._at(row, "cancelled_at")
        if cancelled_at is not None and cancelled_at < placed_at:
            row.fail("the order is cancelled before it is placed", "cancelled_at")
        return row.bounded(Demand(order, ready_at, cancelled_at), placed_at)

    def _with_alternatives(self, row: TableRow, stores: Unique, order: Order) -> Order:
        """The order with its sources and ends, where the row names any."""

        def counter_at(store_id: str) -> int:
            if store_id not in stores:
                row.fail(f"there is no store {store_id!r}", "ends")
            return self._counter(store_id)

        try:
            sources = sources_of(row.maybe("sources", row.text) or "")
            ends = ends_of(
                row.maybe("ends", row.text) or "", End(EndKind.DOOR, order.drop_place, door=order.door), counter_at
            )
        except ValueError as problem:
            row.fail(str(problem), "sources" if "source" in str(problem) else "ends")
        for source in sources:
            if source.store_id not in stores:
                row.fail(f"there is no store {source.store_id!r}", "sources")
        if sources and order.store_id not in {source.store_id for source in sources}:
            row.fail(f"store {order.store_id} is none of its sources", "sources", "Name it among them.")
        if ends and not any(end.kind is EndKind.DOOR for end in ends):
            row.fail("the door is none of its ends", "ends", "Name it among them: door, or door price 300.")
        return dataclasses.replace(order, sources=sources, ends=ends) if sources or ends else order

    def _skus(self, row: TableRow) -> tuple[tuple[str, int], ...]:
        try:
            return skus_of(row.maybe("skus", row.text) or "")
        except ValueError as problem:
            row.fail(str(problem), "skus")

    def _counter(self, store_id: str) -> int:
        """A place of its own at a store, where customers fetch: stopping there takes what a drop takes."""
        if store_id not in self._counters:
            store = self._store_place[store_id]
            self._counters[store_id] = self.book.add(
                float(self.book.first[store]), float(self.book.second[store]),
                enter_s=self.stops["drop_enter_s"], exit_s=self.stops["drop_exit_s"],
                matrix_row=int(self.book.matrix_row[store]),
            )  # fmt: skip
        return self._counters[store_id]

    def _with_means(self, stores: list[Store], demand: tuple[Demand, ...]) -> Iterable[Store]:
        """Stores with the mean they state, or else that of their orders."""
        for stated, counted in zip(stores, stores_with_means(stores, demand), strict=True):
            yield counted if stated.mean_ready_s is None else stated

    def _zones(self) -> tuple[Zone, ...]:
        path = self.path / "zones.csv"
        if not path.is_file():
            return ()
        corners: dict[str, list[tuple[float, float]]] = {}
        for row in read_rows(path, ("zone_id", *self.fields)):
            corners.setdefault(row.text("zone_id"), []).append((row.number(self.fields[0]), row.number(self.fields[1])))
        for zone_id, points in corners.items():
            if len(points) < 3:
                raise InvalidScenario(f"zone {zone_id} has fewer than three corners", file=str(path), field="zone_id")
        return tuple(Zone(zone_id, tuple(points)) for zone_id, points in corners.items())

    def _apart(self, riders: Unique, stores: Unique, at: int) -> Iterator[Input]:
        """Pairs that must not meet from the beginning on: apart.csv."""
        path = self.path / APART
        for row in read_rows(path, ("rider_id",)) if path.is_file() else ():
            named = [party for party, column in APART_COLUMNS.items() if row.has(column)]
            if len(named) != 1:
                row.fail("it names no store, customer or door, or several", "store_id", "Fill in one of the three.")
            party = named[0]
            name = stores.known(row, "store_id") if party is Party.STORE else row.name(APART_COLUMNS[party])
            yield ApartSet(
                at=at, rider_id=riders.known(row, "rider_id"), party=party, name=name, apart=True,
                reason=row.maybe("reason", row.text) or "scenario",
            )  # fmt: skip

    def _news(self) -> tuple[Input, ...]:
        path = self.path / "news.jsonl"
        if not path.is_file():
            return ()
        found = []
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                item = decode_input(json.loads(text))
                require(item)
            except (ValueError, HalfhourError) as problem:
                raise InvalidScenario(f"no input can be read: {problem}", file=str(path), line=line) from problem
            if item.rank is not Class.EXOGENOUS:
                raise InvalidScenario(f"{type(item).__name__} is no news of the world", file=str(path), line=line)
            found.append(item)
        return tuple(sorted(found, key=lambda item: item.at))

    def _check_profiles(self, catalogue: Catalogue) -> None:
        profiles = catalogue.travel.bind(catalogue.places).profiles
        for rider in catalogue.riders:
            if rider.profile not in profiles:
                raise InvalidScenario(
                    f"rider {rider.rider_id} travels as {rider.profile!r}, which the travel table does not know",
                    file=str(self.path / "riders.csv"),
                    field="profile",
                    hint=f"It knows {', '.join(profiles)}.",
                )


def _toml(path: Path) -> dict[str, Any]:
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise UnreadableFile(f"cannot be read: {problem}", file=str(path)) from problem
    if value.get("format") not in FORMATS:
        raise InvalidScenario(
            f"format {value.get('format')!r}" if "format" in value else "the format is missing",
            file=str(path),
            field="format",
            hint=f"Write format = 1 where the folder was made for 0.1.0. {NEWER_FORMAT}",
        )
    try:
        value = among(value, "settings")
    except InvalidSetting as problem:
        raise InvalidScenario(problem.message, file=str(path), hint=problem.hint, **problem.details) from problem
    for key in value:
        if key not in KEYS:
            raise InvalidScenario(f"there is no key {key}", file=str(path), field=key, hint=_nearest(key, KEYS))
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return f"Did you mean {found[0]}?" if found else f"Known are {', '.join(known)}."


def _else(value: int | None, default: int) -> int:
    return default if value is None else value
