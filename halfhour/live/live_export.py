"""A live day as a scenario: what came from the world is taken from the ledger, the rest is made anew by a replay.

Customers' positions become the middle of their cell unless the export is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from api.ledger.protocol import LedgerEntry, VaultRow
from api.ledger.recovery import access_of
from api.ledger.upkeep.lived import Reading, beginning, name_of, opened
from api.matrix.kept import read as read_answers
from dispatch import events as e
from dispatch import inputs as i
from dispatch.board.board import Board
from dispatch.board.records import FOR_EVER
from dispatch.bounds import flaw_of
from dispatch.codec import decode_event, decode_input
from dispatch.model import Order, OrderState, Rider, Shift, Store, Zone
from dispatch.record.catalogue import Catalogue
from dispatch.record.travel_spec import HttpSpec, TravelSpec, travel_spec
from dispatch.settings.settings import Settings
from routing.cells import cell_of, centre_of
from routing.errors import InvalidInput
from routing.places import RESOLUTION, PlaceBook
from sim.scenario import Demand, Scenario
from sim.sources.folder_writer import write_folder

Key = TypeVar("Key")
Thing = TypeVar("Thing")

_NEWS = (i.StoreClosed, i.StoreOpened, i.StoreThrottled, i.SettingChanged, i.PresetChosen, i.BreakBegan, i.BreakEnded)


class Exported(NamedTuple):
    """What an export holds."""

    orders: int
    riders: int
    stores: int
    coarsened: int
    erased: int
    first_entry: int
    """Entries before it are missing here: the day begins with the snapshot that was made before it (1: none are)."""
    skipped_entries: int
    """Entries that somebody has left out of every fold (`halfhour journal repair`)."""
    left_out_entries: int
    """Later ones that mean nothing without them."""
    beyond_bounds: int
    """Orders, riders, shifts and news left out for values that no round can count with (older versions took them)."""

    @property
    def is_whole(self) -> bool:
        """True where the day holds all that its journal has ever held."""
        return self.first_entry == 1 and not self.skipped_entries and not self.beyond_bounds


def export(address: str | Path, target: Path, *, exact: bool = False, force: bool = False) -> Exported:
    """Writes the live day of a ledger as a scenario folder; raises InvalidInput where it holds no order.

    Where the first entries were taken elsewhere it begins with the oldest snapshot: orders that had ended are missing.
    """
    with closing(opened(address)) as reader:
        board, begin, rows = beginning(reader)
        day = _LivedDay(exact, {row.handle: row for row in rows}, reader.header().get("frame", "wgs84"))
        if begin:
            day.begin(board)
        read = Reading(reader, begin)
        for entry in read:
            with read.taking(entry):
                day.take(entry)
        travel = travel_spec(reader.value("travel") or {"kind": "straight", "metres_per_minute": {"default": 250.0}})
        zone = reader.value("time_zone") or "UTC"
        answers = read_answers(reader, travel.opened) if isinstance(travel, HttpSpec) else None
    with TemporaryDirectory() as scratch:
        if answers is not None and isinstance(travel, HttpSpec):
            travel = replace(travel, answers=str(Path(scratch) / "answers.npz"))
            answers.save(travel.answers)
        scenario = day.scenario(name_of(address), travel, board.settings, zone)
        write_folder(target, scenario, force=force)
    counted = (len(day.orders), len(day.riders), len(day.stores), day.coarsened, day.erased)
    return Exported(*counted, begin + 1, read.skipped, read.left_out, day.beyond_bounds)


class _LivedDay:
    def __init__(self, exact: bool, vault: dict[int, VaultRow], frame: str) -> None:
        self.exact, self.vault = exact, vault
        self.places = PlaceBook("plane" if frame == "plane" else "wgs84")
        self.stores: dict[str, Store] = {}
        self.riders: dict[str, Rider] = {}
        self.shifts: dict[str, list[Shift]] = {}
        self.zones: dict[str, Zone] = {}
        self.orders: dict[str, Order] = {}
        self.ready_at: dict[str, int] = {}
        self.cancelled_at: dict[str, int] = {}
        self.news: list[i.Input] = []
        self.coarsened = self.erased = self.beyond_bounds = 0

    def begin(self, board: Board) -> None:
        """What the world had said before the first entry, as far as it still held then."""
        self.stores = {store_id: record.store for store_id, record in board.stores.items()}
        self.riders = {rider_id: record.rider for rider_id, record in board.riders.items()}
        self.zones = {zone_id: record.zone for zone_id, record in board.zones.items()}
        self.shifts = {rider_id: list(record.shifts) for rider_id, record in board.riders.items() if record.shifts}
        for order_id, record in board.open_orders.items():
            self.orders[order_id] = record.order
            if record.ready_at is not None:
                self.ready_at[order_id] = record.ready_at
        for store_id, store in board.stores.items():
            if store.closed_until is not None and store.closed_until > board.now:
                until = store.closed_until if store.closed_until < FOR_EVER else None
                self.news.append(i.StoreClosed(at=board.now, store_id=store_id, until=until))

    def take(self, entry: LedgerEntry) -> None:
        """What the world said in one entry."""
        item = decode_input(entry.input)
        if isinstance(item, i.StoreListed):
            self.stores[item.store.store_id] = item.store
        elif isinstance(item, i.RiderListed):
            self.riders[item.rider.rider_id] = item.rider
        elif isinstance(item, i.ZoneListed):
            self.zones[item.zone.zone_id] = item.zone
        elif isinstance(item, i.ShiftPlanned):
            self.shifts.setdefault(item.shift.rider_id, []).append(item.shift)
        elif isinstance(item, i.ShiftEnded):
            self._end_shift(item)
        elif isinstance(item, i.OrderPlaced | i.OrderChanged):
            self.orders[item.order.order_id] = item.order
        elif isinstance(item, i.OrderReady):
            self.ready_at[item.order_id] = item.happened_at
        elif isinstance(item, i.OrderCancelled):
            self.cancelled_at[item.order_id] = item.at
        elif isinstance(item, _NEWS):
            self.news.append(item)
        for event in map(decode_event, entry.events):
            # Where the kitchen said nothing, goods were ready at the latest when they were fetched.
            if isinstance(event, e.OrderMoved) and event.state is OrderState.PICKED_UP:
                order = self.orders[event.order_id]
                self.ready_at.setdefault(event.order_id, min(order.expected_ready_at, event.happened_at))

    def _end_shift(self, item: i.ShiftEnded) -> None:
        """A shift ends when its rider has logged off."""
        planned = self.shifts.get(item.rider_id, [])
        kept = [shift for shift in planned if shift.start_at >= item.at or shift.last_pickup_at <= item.at]
        cut = [shift for shift in planned if shift not in kept]
        ended = [Shift(item.rider_id, shift.start_at, item.at, item.at) for shift in cut if shift.start_at < item.at]
        self.shifts[item.rider_id] = [*kept, *ended]

    def scenario(self, name: str, travel: TravelSpec, settings: Settings, time_zone: str) -> Scenario:
        """The day; its own book holds stores, riders and drops in this order."""
        self._keep_within_bounds()
        if not self.orders:
            raise InvalidInput("the ledger holds no order", code="invalid_input")
        stores = tuple(replace(store, place=self._place(store.place, exact=True)) for store in self.stores.values())
        riders = tuple(replace(rider, place=self._place(rider.place, exact=True)) for rider in self.riders.values())
        demand = [self._demand(order) for order in self.orders.values()]
        demand.sort(key=lambda one: one.order.placed_at)
        shifts = tuple(shift for rider_id in self.riders for shift in self.shifts.get(rider_id, ()))
        begin_at = min([one.order.placed_at for one in demand] + [shift.start_at for shift in shifts])
        catalogue = Catalogue(
            name=name, begin_at=begin_at, places=self.places, stores=stores, riders=riders, shifts=shifts,
            travel=travel, zones=tuple(self.zones.values()), settings=settings, time_zone=time_zone,
            source="live",
        )  # fmt: skip
        return Scenario(catalogue, tuple(demand), news=tuple(self.news))

    def _keep_within_bounds(self) -> None:
        """Leaves out what whoever reads the day would refuse."""
        at = min((order.placed_at for order in self.orders.values()), default=0)
        self.orders = self._fit(self.orders, lambda order: order.placed_at)
        self.stores = self._fit(self.stores, lambda _: at)
        self.riders = self._fit(self.riders, lambda _: at)
        self.orders = {order_id: order for order_id, order in self.orders.items() if order.store_id in self.stores}
        self.shifts = {
            rider_id: list(self._fit(dict(enumerate(shifts)), lambda _: at).values())
            for rider_id, shifts in self.shifts.items()
        }
        self.news = list(self._fit(dict(enumerate(self.news)), lambda item: item.at).values())

    def _fit(self, things: dict[Key, Thing], now: Callable[[Thing], int]) -> dict[Key, Thing]:
        kept = {key: thing for key, thing in things.items() if flaw_of(thing, now(thing)) is None}
        self.beyond_bounds += len(things) - len(kept)
        return kept

    def _demand(self, order: Order) -> Demand:
        place = self._place(order.drop_place, exact=self.exact)
        moved = replace(order, drop_place=place)
        ready_at = self.ready_at.get(order.order_id, order.expected_ready_at)
        return Demand(moved, max(ready_at, order.placed_at), self.cancelled_at.get(order.order_id))

    def _place(self, handle: int, *, exact: bool) -> int:
        row = self.vault[handle]
        first, second, access = row.first, row.second, access_of(row)
        if row.kind == "drop":
            self.erased += row.erased_at is not None
            if not exact and row.erased_at is None and self.places.frame == "wgs84":
                (first, second), access = centre_of(cell_of(first, second, RESOLUTION)), None
                self.coarsened += 1
        return self.places.add(first, second, enter_s=row.enter_s, exit_s=row.exit_s, access=access)
