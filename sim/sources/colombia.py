"""Instant-delivery days of two Colombian cities: WGS84, times of day, no store ids, no travel times.

Source of the format: S. Quintero Rojas (MSc thesis, 2020), public repository sebastian-quintero/mdrp-sim.  What the
files do not say is set here: one store per distinct pickup point, straight lines times `DETOUR` at `SPEED_KMH`, and
service times of a few minutes as the source simulates them.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from dispatch.model import Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from sim.scenario import Demand, Scenario, stores_with_means
from sim.sources.clock import DayClock
from sim.sources.rows import TableRow, Unique, read_rows, require_some

ATTRIBUTION = "S. Quintero Rojas, github.com/sebastian-quintero/mdrp-sim (2020); days provided by Rappi"

DAY = datetime.date(2019, 5, 6)
TIME_ZONE = "America/Bogota"

DETOUR = 1.35
SPEED_KMH = {"walking": 5.0, "bicycle": 9.0, "motorcycle": 18.0, "car": 17.0}
"""Speed along the way by vehicle, traffic and lights included."""

STORE_STOP_S = (120, 60)
DROP_STOP_S = (120, 60)
"""Seconds before and after the act of a stop."""

HALF_A_DAY_S = 43_200

OPENS_WITH: dict[str, Any] = {
    "rules.round_s": 30,
    "rules.round_mode": "beat",
    "rules.route_ack_timeout_s": 0,
    "rules.stale_s": 0,
    "rules.lost_after_s": 0,
}
"""All other rules and prices are those of 0.1.0, so that the published table stays comparable whatever ships."""

ORDER_COLUMNS = (
    "order_id", "pick_up_lat", "pick_up_lng", "drop_off_lat", "drop_off_lng", "placement_time", "ready_time",
    "expected_drop_off_time",
)  # fmt: skip
COURIER_COLUMNS = ("courier_id", "vehicle", "on_lat", "on_lng", "on_time", "off_time")


def recognises(path: Path) -> bool:
    """True for a folder with orders.csv and couriers.csv whose couriers have vehicles."""
    couriers = path / "couriers.csv"
    if not (couriers.is_file() and (path / "orders.csv").is_file()):
        return False
    with couriers.open(encoding="utf-8-sig") as stream:
        return "vehicle" in stream.readline()


def read(path: Path) -> Scenario:
    """The Scenario of one day; raises UnreadableFile or InvalidScenario."""
    return _Day(path).scenario()


class _Day:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = DayClock(DAY, TIME_ZONE)
        self.book = PlaceBook("wgs84")
        self.stores: dict[tuple[float, float], Store] = {}
        self.settings = Settings.stated(OPENS_WITH)
        self.clamped = 0

    def scenario(self) -> Scenario:
        rows = read_rows(self.path / "orders.csv", ORDER_COLUMNS)
        require_some(rows, self.path / "orders.csv", "orders")
        rows.sort(key=lambda row: self.clock.instant(row, "placement_time"))
        for row in rows:
            self._store(row)
        riders, shifts = self._riders()
        ids = Unique("order")
        demand = tuple(self._one(row, ids) for row in rows)
        catalogue = Catalogue(
            name=self.path.resolve().name,
            source="colombia",
            attribution=ATTRIBUTION,
            begin_at=self.clock.start_at,
            places=self.book,
            stores=stores_with_means(self.stores.values(), demand),
            riders=riders,
            shifts=shifts,
            travel=StraightSpec({name: kmh * 1000 / 60 for name, kmh in SPEED_KMH.items()}, detour=DETOUR),
            settings=self.settings,
            time_zone=TIME_ZONE,
        )
        notes = (f"{self.clamped} orders were ready before they were placed: taken as ready at once.",)
        return Scenario(catalogue, demand, notes=notes if self.clamped else ())

    def _store(self, row: TableRow) -> Store:
        point = (row.number("pick_up_lat"), row.number("pick_up_lng"))
        if point not in self.stores:
            enter_s, exit_s = STORE_STOP_S
            place = row.place(self.book, ("pick_up_lat", "pick_up_lng"), enter_s=enter_s, exit_s=exit_s)
            self.stores[point] = Store(f"s{len(self.stores) + 1}", place)
        return self.stores[point]

    def _riders(self) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
        path = self.path / "couriers.csv"
        rows = read_rows(path, COURIER_COLUMNS)
        require_some(rows, path, "couriers")
        ids = Unique("courier")
        riders, shifts = [], []
        for row in rows:
            rider_id, vehicle = ids.add(row, "courier_id"), row.text("vehicle")
            if vehicle not in SPEED_KMH:
                row.fail(f"{vehicle!r} is no vehicle", "vehicle", f"Known are {', '.join(SPEED_KMH)}.")
            place = row.place(self.book, ("on_lat", "on_lng"), enter_s=0, exit_s=0)
            riders.append(Rider(rider_id, place, profile=vehicle))
            on_at, off_at = self.clock.instant(row, "on_time"), self.clock.instant(row, "off_time")
            if off_at < on_at:
                row.fail("the shift ends before it starts", "off_time", "on_time must come first.")
            shifts.append(Shift(rider_id, on_at, off_at))
        return tuple(riders), tuple(shifts)

    def _one(self, row: TableRow, ids: Unique) -> Demand:
        placed_at = self.clock.instant(row, "placement_time")
        ready_at = self._after(row, "ready_time", placed_at)
        enter_s, exit_s = DROP_STOP_S
        order = Order(
            order_id=ids.add(row, "order_id"),
            store_id=self._store(row).store_id,
            drop_place=row.place(self.book, ("drop_off_lat", "drop_off_lng"), enter_s=enter_s, exit_s=exit_s),
            placed_at=placed_at,
            expected_ready_at=ready_at,
            due_at=self._after(row, "expected_drop_off_time", placed_at),
        )
        return Demand(order, ready_at)

    def _after(self, row: TableRow, field: str, placed_at: int) -> int:
        """An instant of the order's life: far before its placement is past midnight, a little before is at once."""
        at = self.clock.instant(row, field)
        if at < placed_at - HALF_A_DAY_S:
            return at + 2 * HALF_A_DAY_S
        if at < placed_at:
            self.clamped += field == "ready_time"
            return placed_at
        return at
