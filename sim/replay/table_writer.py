"""A run of ours as a stranger's tables: orders with who carried them and when, riders, and the mapping to read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dispatch.record.catalogue import Catalogue
from dispatch.record.kpi import KpiFold
from dispatch.record.lives import OrderLife
from dispatch.record.run_folder import refuse_to_overwrite, write_csv
from dispatch.record.travel_spec import StraightSpec
from routing.errors import Unsupported
from sim.sources.clock import DayClock
from sim.sources.folder_writer import toml_table

ORDERS, RIDERS, MAPPING = "orders.csv", "riders.csv", "mapping.toml"
ORDER_COLUMNS = (
    "order_id", "store_id", "store_lat", "store_lng", "lat", "lng", "placed_at", "expected_ready_at", "ready_at",
    "due_at", "load_units", "cancelled_at", "rider_id", "told_at", "picked_up_at", "delivered_at",
)  # fmt: skip
RIDER_COLUMNS = ("rider_id", "lat", "lng", "profile", "capacity_units", "engagement", "start_at", "end_at")


def write_tables(target: Path, catalogue: Catalogue, folded: KpiFold, *, force: bool = False) -> None:
    """Write orders.csv, riders.csv and mapping.toml, as `halfhour scenario import` reads them.

    A rider was told to go for an order when they set off to where they fetched it.  Raises OutputExists, and
    Unsupported for a day that lies in a plane or travels by other than straight lines.
    """
    if catalogue.places.frame != "wgs84" or not isinstance(catalogue.travel, StraightSpec):
        raise Unsupported(
            "only a day in degrees with straight-line travel times fits into two tables",
            hint="Hand the scenario folder over instead.",
        )
    refuse_to_overwrite(target, force=force)
    target.mkdir(parents=True, exist_ok=True)
    writer = _Tables(catalogue, folded)
    write_csv(target / ORDERS, ORDER_COLUMNS, writer.orders())
    write_csv(target / RIDERS, RIDER_COLUMNS, writer.riders())
    (target / MAPPING).write_text(writer.mapping(), encoding="utf-8")


class _Tables:
    def __init__(self, catalogue: Catalogue, folded: KpiFold) -> None:
        self.catalogue = catalogue
        self.folded = folded
        self.clock = DayClock.around(catalogue.begin_at, catalogue.time_zone)
        self.place_of = {store.store_id: store.place for store in catalogue.stores}

    def orders(self) -> Iterator[tuple[Any, ...]]:
        for life in self.folded.orders.values():
            order = life.order
            cancelled_at = life.ended_at if life.state == "cancelled" else None
            yield (
                order.order_id, order.store_id, *self._point(self.place_of[order.store_id]),
                *self._point(order.drop_place), self._at(order.placed_at), self._at(order.expected_ready_at),
                self._at(max(life.ready_at, order.placed_at)), self._at(order.due_at), order.load_units,
                self._at(cancelled_at), *self._carried(life),
            )  # fmt: skip

    def _carried(self, life: OrderLife) -> tuple[str | None, ...]:
        if life.picked_up_at is None or life.rider_id is None:
            return (None, None, None, None)
        place, set_off_at = self.place_of[life.order.store_id], life.order.placed_at
        for leg in self.folded.legs_of(life.rider_id):
            if leg.target == place and leg.arrived_at <= life.picked_up_at:
                set_off_at = leg.departed_at
        told_at = max(life.order.placed_at, set_off_at)
        return (life.rider_id, *map(self._at, (told_at, life.picked_up_at, life.delivered_at)))

    def riders(self) -> Iterator[tuple[Any, ...]]:
        riders = {rider.rider_id: rider for rider in self.catalogue.riders}
        for shift in self.catalogue.shifts:
            rider = riders[shift.rider_id]
            yield (
                rider.rider_id, *self._point(rider.place), rider.profile, rider.capacity_units, rider.engagement.value,
                self._at(shift.start_at), self._at(shift.last_pickup_at),
            )  # fmt: skip

    def mapping(self) -> str:
        travel = self.catalogue.travel
        assert isinstance(travel, StraightSpec)
        doors = [life.order.drop_place for life in self.folded.orders.values()]
        stops = {
            f"{side}_{part}_s": int(_usual(getattr(self.catalogue.places, f"{part}_s")[places]))
            for side, places in (("store", list(self.place_of.values())), ("drop", doors))
            for part in ("enter", "exit")
        }
        tables: dict[str, dict[str, Any]] = {
            "": {"name": self.catalogue.name, "time_zone": self.catalogue.time_zone, "day": self.clock.day},
            "travel": {"kind": "straight", "detour": travel.detour},
            "travel.metres_per_minute": dict(travel.metres_per_minute),
            "stops": stops,
        }
        return "\n".join(toml_table(name, table) for name, table in tables.items())

    def _point(self, place: int) -> tuple[float, float]:
        book = self.catalogue.places
        return float(book.first[place]), float(book.second[place])

    def _at(self, at: int | None) -> str | None:
        return None if at is None else self.clock.write(at)


def _usual(values: Any) -> Any:
    return Counter(values.tolist()).most_common(1)[0][0]
