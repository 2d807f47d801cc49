"""Grubhub meal-delivery instances: tab separated files in plane metres and minutes, and their solution format.

Source of the format: D. Reyes et al., "The Meal Delivery Routing Problem", Optimization Online 6571 (2018), section 5,
and the public repository grubhub/mdrplib.  Rules of the published days: travel time is the straight way over
`meters_per_minute`, rounded up to minutes; half of the service time lies before the act of a stop and half after;
off-time limits pickups only; a courier is guaranteed pay per hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dispatch.model import Order, Rider, Shift, Store
from dispatch.record.catalogue import Catalogue, Pay
from dispatch.record.kpi import KpiFold
from dispatch.record.run_folder import write_csv
from dispatch.record.travel_spec import StraightSpec
from dispatch.settings.settings import Settings
from routing.places import PlaceBook
from sim.scenario import Demand, Reality, Scenario, stores_with_means
from sim.sources.rows import TableRow, Unique, read_rows, require_some

MINUTE_0 = 1_500_000_000 // 3600 * 3600
"""Epoch seconds at which every instance's minute 0 is laid: a full hour in July 2017."""

ATTRIBUTION = "Grubhub and Georgia Tech, github.com/grubhub/mdrplib; Reyes et al., Optimization Online 6571 (2018)"

OPENS_WITH: dict[str, Any] = {
    "rules.mix": "same_store",
    "rules.add_orders_until": "pickup",
    "rules.remove_orders_until": "pickup",
    "rules.divert": False,
    "rules.empty_moves": True,
    "rules.travel_round_s": 60,
    "rules.ready_times": "exact",
    "rules.round_s": 60,
    "rules.round_mode": "beat",
    "rules.route_ack_timeout_s": 0,
    "rules.stale_s": 0,
    "rules.lost_after_s": 0,
}
"""The published rules as settings; phones of published days report stops only, so silence means nothing.

All other rules and prices are those of 0.1.0, so that the published tables stay comparable whatever ships.
"""


class Parameters(NamedTuple):
    """instance_parameters.txt, in file order; `half_*`: seconds before, and again after, the act of a stop."""

    metres_per_minute: float
    half_pickup_s: int
    half_drop_s: int
    target_s: int
    maximum_s: int
    pay_per_order: float
    pay_per_hour: float


def recognises(path: Path) -> bool:
    """True for a folder with an instance's parameter file."""
    return (path / "instance_parameters.txt").is_file()


def read(path: Path) -> Scenario:
    """The Scenario of one instance folder; raises UnreadableFile or InvalidScenario."""
    parameters = _parameters(path / "instance_parameters.txt")
    book = PlaceBook("plane")
    store_ids, order_ids, rider_ids = Unique("restaurant"), Unique("order"), Unique("courier")
    stores = _stores(path / "restaurants.txt", book, parameters, store_ids)
    riders, shifts = _riders(path / "couriers.txt", book, rider_ids)
    demand = _demand(path / "orders.txt", book, parameters, order_ids, store_ids)
    catalogue = Catalogue(
        name=path.resolve().name,
        source="grubhub",
        attribution=ATTRIBUTION,
        begin_at=MINUTE_0,
        places=book,
        stores=stores_with_means(stores, demand),
        riders=riders,
        shifts=shifts,
        travel=StraightSpec({"default": parameters.metres_per_minute}),
        settings=Settings.stated(
            {
                **OPENS_WITH,
                "rules.promise_s": parameters.target_s,
                "prices.late_after_s": parameters.target_s,
                "prices.fail_after_s": parameters.maximum_s,
            }
        ),
        pay=Pay(per_order=parameters.pay_per_order, guaranteed_per_hour=parameters.pay_per_hour),
    )
    return Scenario(catalogue, demand, Reality(travel_round_s=60))


def _parameters(path: Path) -> Parameters:
    names = (
        "meters_per_minute", "pickup service minutes", "dropoff service minutes", "target click-to-door",
        "maximum click-to-door", "pay per order", "guaranteed pay per hour",
    )  # fmt: skip
    rows = _table(path, names)
    require_some(rows, path, "parameters")
    row = rows[0]
    if row.number(names[0]) <= 0:
        row.fail("couriers must move", names[0])
    return Parameters(
        row.number(names[0]),
        _seconds(row, names[1]) // 2,
        _seconds(row, names[2]) // 2,
        _seconds(row, names[3]),
        _seconds(row, names[4]),
        row.number(names[5]),
        row.number(names[6]),
    )


def _stores(path: Path, book: PlaceBook, parameters: Parameters, ids: Unique) -> list[Store]:
    rows = _table(path, ("restaurant", "x", "y"))
    half_s = parameters.half_pickup_s
    return [
        Store(ids.add(row, "restaurant"), row.place(book, ("y", "x"), enter_s=half_s, exit_s=half_s)) for row in rows
    ]


def _riders(path: Path, book: PlaceBook, ids: Unique) -> tuple[tuple[Rider, ...], tuple[Shift, ...]]:
    rows = _table(path, ("courier", "x", "y", "on_time", "off_time"))
    require_some(rows, path, "couriers")
    riders, shifts = [], []
    for row in rows:
        rider_id = ids.add(row, "courier")
        on_at, off_at = _instant(row, "on_time"), _instant(row, "off_time")
        if off_at < on_at:
            row.fail("the shift ends before it starts", "off_time", "on_time must come first.")
        riders.append(Rider(rider_id, row.place(book, ("y", "x"), enter_s=0, exit_s=0)))
        shifts.append(Shift(rider_id, on_at, off_at))
    return tuple(riders), tuple(shifts)


def _demand(path: Path, book: PlaceBook, parameters: Parameters, ids: Unique, stores: Unique) -> tuple[Demand, ...]:
    rows = _table(path, ("order", "x", "y", "placement_time", "restaurant", "ready_time"))
    require_some(rows, path, "orders")
    half_s = parameters.half_drop_s
    found = []
    # Handles follow the order of placement, so that a day cut short gives its first orders the same ones.
    for row in sorted(rows, key=lambda row: _instant(row, "placement_time")):
        placed_at, ready_at = _instant(row, "placement_time"), _instant(row, "ready_time")
        if ready_at < placed_at:
            row.fail("the order is ready before it is placed", "ready_time", "placement_time must come first.")
        order = Order(
            order_id=ids.add(row, "order"),
            store_id=stores.known(row, "restaurant"),
            drop_place=row.place(book, ("y", "x"), enter_s=half_s, exit_s=half_s),
            placed_at=placed_at,
            expected_ready_at=ready_at,
            due_at=placed_at + parameters.target_s,
        )
        found.append(Demand(order, ready_at))
    return tuple(found)


def _table(path: Path, columns: tuple[str, ...]) -> list[TableRow]:
    return read_rows(path, columns, delimiter="\t")


def _seconds(row: TableRow, field: str) -> int:
    minutes = row.number(field)
    if minutes < 0:
        row.fail(f"{minutes:g} minutes lie before the start of business", field)
    return round(minutes * 60)


def _instant(row: TableRow, field: str) -> int:
    return MINUTE_0 + _seconds(row, field)


# --- the solution files ---------------------------------------------------------------------------------------------


def write_solution(folder: Path, folded: KpiFold, catalogue: Catalogue) -> None:
    """Write assignments.csv, orders.csv and moves.csv of a run, times in minutes of the instance."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "assignments.csv", ("assignment_time", "pickup_time", "courier", "orders"), _bundles(folded))
    write_csv(
        folder / "orders.csv", ("order", "placement", "ready", "pickup", "dropoff", "courier"), _delivered(folded)
    )
    moves = _moves(folded, _names(catalogue, folded))
    write_csv(folder / "moves.csv", ("courier", "departure", "origin", "destination"), moves)


def _bundles(folded: KpiFold) -> Iterator[tuple[str, ...]]:
    bundles: dict[tuple[str, int, str], list[str]] = {}
    for order_id in sorted(folded.orders, key=lambda order_id: folded.orders[order_id].delivered_at or 0):
        life = folded.orders[order_id]
        if life.delivered_at is not None and life.picked_up_at is not None:
            key = (life.rider_id or "", life.picked_up_at, life.order.store_id)
            bundles.setdefault(key, []).append(order_id)
    for (rider_id, picked_up_at, _), order_ids in bundles.items():
        settled_at = max(folded.orders[order_id].settled_at or 0 for order_id in order_ids)
        yield (_minutes(settled_at), _minutes(picked_up_at), rider_id, *order_ids)


def _delivered(folded: KpiFold) -> Iterator[tuple[str, ...]]:
    for order_id, life in folded.orders.items():
        if life.delivered_at is not None and life.picked_up_at is not None:
            instants = (life.order.placed_at, life.ready_at, life.picked_up_at, life.delivered_at)
            yield (order_id, *map(_minutes, instants), life.rider_id or "")


def _moves(folded: KpiFold, names: dict[int, str]) -> Iterator[tuple[str, ...]]:
    for rider_id, day in folded.riders.items():
        for leg in folded.legs_of(rider_id):
            if leg.origin != leg.target:
                origin = "0" if leg.origin == day.rider.place else names[leg.origin]
                yield rider_id, _minutes(leg.departed_at), origin, names[leg.target]


def _names(catalogue: Catalogue, folded: KpiFold) -> dict[int, str]:
    names = {store.place: store.store_id for store in catalogue.stores}
    names.update((life.order.drop_place, order_id) for order_id, life in folded.orders.items())
    return names


def _minutes(at: int) -> str:
    return f"{(at - MINUTE_0) / 60:g}"
