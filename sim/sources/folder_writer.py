"""Our own scenario folder, written: the inverse of sim/sources/folder.py."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from dispatch.codec import encode, plain
from dispatch.inputs import ApartSet, Input
from dispatch.model import Shift
from dispatch.record.catalogue import Catalogue
from dispatch.record.run_folder import put_in_place, refuse_to_overwrite, write_csv
from dispatch.record.travel_spec import HttpSpec, MatrixSpec, StraightSpec, TravelSpec, travel_table
from dispatch.settings.co2 import table_of
from dispatch.ways import ends_text, skus_text, sources_text
from sim.scenario import Reality, Scenario
from sim.sources.clock import DayClock
from sim.sources.folder import APART, APART_COLUMNS, COORDINATES, FORMAT, TOML, read
from sim.sources.recorded import COLUMNS, FILE, recorded_rows

STORE_COLUMNS = ("enter_s", "exit_s", "opens_at", "closes_at", "mean_ready_s", "matrix_row", "hours")
RIDER_COLUMNS = (
    "profile", "capacity_units", "provides", "engagement", "start_at", "last_pickup_at", "end_at", "matrix_row",
)  # fmt: skip
ORDER_COLUMNS = (
    "placed_at", "ready_at", "expected_ready_at", "due_at", "load_units", "needs", "max_on_board_s", "priority",
    "release_at", "earliest_drop_at", "cancelled_at", "enter_s", "exit_s", "matrix_row",
)  # fmt: skip


def write_folder(target: Path, scenario: Scenario, *, force: bool = False, reread: bool = False) -> None:
    """Write a scenario folder: under a temporary name, renamed when it is whole.  Raises OutputExists.

    `reread`: only where it can be read again; else raises what reading it raises, and leaves nothing behind.
    """
    refuse_to_overwrite(target, force=force)
    target = target.resolve()
    path = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        _Writer(path, scenario).write()
        if reread:
            read(path)
        put_in_place(path, target)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class _Writer:
    def __init__(self, path: Path, scenario: Scenario) -> None:
        self.path = path
        self.scenario = scenario
        self.catalogue: Catalogue = scenario.catalogue
        self.clock = DayClock.around(self.catalogue.begin_at, self.catalogue.time_zone)
        self.fields = COORDINATES[self.catalogue.places.frame]

    def write(self) -> None:
        (self.path / TOML).write_text(self._toml(), encoding="utf-8")
        columns = ("store_id", *self.fields, *STORE_COLUMNS, *self._store_goods, *self._store_access)
        write_csv(self.path / "stores.csv", columns, self._stores())
        write_csv(self.path / "riders.csv", ("rider_id", *self.fields, *RIDER_COLUMNS), self._riders())
        columns = (
            "order_id",
            "store_id",
            *self.fields,
            *ORDER_COLUMNS,
            *self._doors,
            *self._order_goods,
            *self._tiers,
            *self._tenants,
            *self._customers,
            *self._sources,
            *self._ends,
            *self._skus,
            *self._order_access,
        )
        write_csv(self.path / "orders.csv", columns, self._orders())
        if self.catalogue.zones:
            corners = ((zone.zone_id, *corner) for zone in self.catalogue.zones for corner in zone.corners)
            write_csv(self.path / "zones.csv", ("zone_id", *self.fields), corners)
        if self.scenario.recorded:
            lines = recorded_rows(self.scenario.recorded, self.scenario.recorded_times, self._at)
            write_csv(self.path / FILE, COLUMNS, lines)
        apart = [item for item in self.scenario.news if self._is_apart(item)]
        if apart:
            write_csv(self.path / APART, ("rider_id", *APART_COLUMNS.values(), "reason"), map(_pair, apart))
        if len(apart) < len(self.scenario.news):
            rest = (item for item in self.scenario.news if not self._is_apart(item))
            news = (json.dumps(encode(item), ensure_ascii=False) + "\n" for item in rest)
            (self.path / "news.jsonl").write_text("".join(news), encoding="utf-8")

    def _is_apart(self, item: Input) -> TypeGuard[ApartSet]:
        """Whether it is a pair that apart.csv can say: one that holds from the beginning on."""
        return isinstance(item, ApartSet) and item.apart and item.at == self.catalogue.begin_at and not item.by

    # --- scenario.toml ------------------------------------------------------------------------------------------

    def _toml(self) -> str:
        catalogue, reality = self.catalogue, self.scenario.reality
        stated_co2 = table_of(catalogue.settings.rules.co2)
        tables: dict[str, Mapping[str, Any]] = {
            "": {
                "format": FORMAT,
                "name": catalogue.name,
                "attribution": catalogue.attribution,
                "frame": catalogue.places.frame,
                "day": self.clock.day,
                "time_zone": catalogue.time_zone,
                "begin_at": self.clock.write(catalogue.begin_at),
            },
            "settings": catalogue.settings.flat(),
            **self._travel("travel", catalogue.travel),
            "pay": plain(catalogue.pay) if catalogue.pay is not None else {},
            "co2_g_per_km": {} if catalogue.co2_g_per_km == stated_co2 else catalogue.co2_g_per_km,
            "truth": {
                item.name: getattr(reality, item.name)
                for item in dataclasses.fields(Reality)
                if item.name != "travel" and getattr(reality, item.name) != item.default
            },
            **({} if reality.travel is None else self._travel("truth.travel", reality.travel)),
        }
        return "\n".join(text for name, table in tables.items() if (text := toml_table(name, table)))

    def _travel(self, name: str, spec: TravelSpec) -> dict[str, Mapping[str, Any]]:
        if isinstance(spec, StraightSpec):
            return {
                name: {"kind": "straight", "detour": spec.detour},
                f"{name}.metres_per_minute": spec.metres_per_minute,
            }
        if isinstance(spec, HttpSpec):
            return self._asked(name, spec)
        file = self._copied(spec.file, f"{name.replace('.', '-')}.npz")
        if isinstance(spec, MatrixSpec):
            return {name: {"kind": "matrix", "file": file}}
        stated = {"weather": spec.weather} if spec.weather else {}
        if spec.traffic:
            stated["traffic"] = self._copied(spec.traffic, f"{name.replace('.', '-')}-traffic.toml")
        return {name: {"kind": "roads", "file": file, **stated}, f"{name}.profiles": spec.profiles}

    def _asked(self, name: str, spec: HttpSpec) -> dict[str, Mapping[str, Any]]:
        said = travel_table(spec)
        answers = f"{name.replace('.', '-')}-answers.npz"
        if spec.answers and Path(spec.answers).is_file():
            self._copied(spec.answers, answers)
        tables = {key: said.pop(key) for key in ("profiles", "metres_per_minute")}
        return {name: said | {"answers": answers}, **{f"{name}.{key}": table for key, table in tables.items()}}

    def _copied(self, source: str, name: str) -> str:
        shutil.copyfile(source, self.path / name)
        return name

    # --- tables -------------------------------------------------------------------------------------------------

    def _stores(self) -> Iterator[tuple[Any, ...]]:
        for store in self.catalogue.stores:
            yield (
                store.store_id, *self._point(store.place), *self._stop(store.place), self._at(store.opens_at),
                self._at(store.closes_at), store.mean_ready_s, self._row(store.place), store.hours or None,
                *((store.goods_class,) if self._store_goods else ()),
                *(self._access(store.place) if self._store_access else ()),
            )  # fmt: skip

    def _riders(self) -> Iterator[tuple[Any, ...]]:
        shifts: dict[str, list[Shift]] = {}
        for shift in self.catalogue.shifts:
            shifts.setdefault(shift.rider_id, []).append(shift)
        for rider in self.catalogue.riders:
            for number, shift in enumerate(shifts.get(rider.rider_id, ())):
                first = number == 0
                yield (
                    rider.rider_id, *(self._point(rider.place) if first else ("", "")), rider.profile,
                    rider.capacity_units, rider.provides, rider.engagement.value, self._at(shift.start_at),
                    self._at(shift.last_pickup_at), self._at(shift.end_at), self._row(rider.place),
                )  # fmt: skip

    def _orders(self) -> Iterator[tuple[Any, ...]]:
        for one in self.scenario.demand:
            order = one.order
            expected = None if order.expected_ready_at == one.ready_at else order.expected_ready_at
            yield (
                order.order_id, order.store_id, *self._point(order.drop_place), self._at(order.placed_at),
                self._at(one.ready_at), self._at(expected), self._at(order.due_at), order.load_units, order.needs,
                order.max_on_board_s, order.priority, self._at(order.release_at), self._at(order.earliest_drop_at),
                self._at(one.cancelled_at), *self._stop(order.drop_place), self._row(order.drop_place),
                *((order.door,) if self._doors else ()), *((order.goods_class,) if self._order_goods else ()),
                *((order.tier,) if self._tiers else ()), *((order.tenant,) if self._tenants else ()),
                *((order.customer,) if self._customers else ()),
                *((sources_text(order.sources),) if self._sources else ()),
                *((ends_text(order.ends),) if self._ends else ()),
                *((skus_text(order.skus),) if self._skus else ()),
                *(self._access(order.drop_place) if self._order_access else ()),
            )  # fmt: skip

    @cached_property
    def _doors(self) -> tuple[str, ...]:
        """A column more, where orders of the day share doors."""
        return ("door",) if any(one.order.door for one in self.scenario.demand) else ()

    @cached_property
    def _order_goods(self) -> tuple[str, ...]:
        """A column more, where orders of the day name classes of goods."""
        return ("goods_class",) if any(one.order.goods_class for one in self.scenario.demand) else ()

    @cached_property
    def _tiers(self) -> tuple[str, ...]:
        return ("tier",) if any(one.order.tier for one in self.scenario.demand) else ()

    @cached_property
    def _tenants(self) -> tuple[str, ...]:
        return ("tenant",) if any(one.order.tenant for one in self.scenario.demand) else ()

    @cached_property
    def _customers(self) -> tuple[str, ...]:
        return ("customer",) if any(one.order.customer for one in self.scenario.demand) else ()

    @cached_property
    def _sources(self) -> tuple[str, ...]:
        return ("sources",) if any(one.order.sources for one in self.scenario.demand) else ()

    @cached_property
    def _ends(self) -> tuple[str, ...]:
        return ("ends",) if any(one.order.ends for one in self.scenario.demand) else ()

    @cached_property
    def _skus(self) -> tuple[str, ...]:
        return ("skus",) if any(one.order.skus for one in self.scenario.demand) else ()

    @cached_property
    def _store_goods(self) -> tuple[str, ...]:
        return ("goods_class",) if any(store.goods_class for store in self.catalogue.stores) else ()

    @cached_property
    def _store_access(self) -> tuple[str, ...]:
        """Two columns more, where access points of stores are given."""
        return self._access_columns(store.place for store in self.catalogue.stores)

    @cached_property
    def _order_access(self) -> tuple[str, ...]:
        return self._access_columns(one.order.drop_place for one in self.scenario.demand)

    def _access_columns(self, places: Iterable[int]) -> tuple[str, ...]:
        given = any(self.catalogue.places.access_of(place) is not None for place in places)
        return tuple(f"access_{field}" for field in self.fields) if given else ()

    def _access(self, place: int) -> tuple[float | None, float | None]:
        return self.catalogue.places.access_of(place) or (None, None)

    def _point(self, place: int) -> tuple[float, float]:
        book = self.catalogue.places
        return float(book.first[place]), float(book.second[place])

    def _stop(self, place: int) -> tuple[int, int]:
        book = self.catalogue.places
        return int(book.enter_s[place]), int(book.exit_s[place])

    def _row(self, place: int) -> int | None:
        row = int(self.catalogue.places.matrix_row[place])
        return row if row >= 0 else None

    def _at(self, at: int | None) -> str | None:
        return None if at is None else self.clock.write(at)


def _pair(item: ApartSet) -> tuple[str, ...]:
    return (item.rider_id, *(item.name if item.party is party else "" for party in APART_COLUMNS), item.reason)


def toml_table(name: str, values: Mapping[str, Any]) -> str:
    """A table of single values as TOML, without a heading where it has no name; empty where it has no values."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    if not lines:
        return ""
    return "\n".join(([f"[{name}]"] if name else []) + lines) + "\n"


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Iterable):
        return "[" + ", ".join(_value(part) for part in value) + "]"
    return repr(value) if isinstance(value, int | float) else str(value)
