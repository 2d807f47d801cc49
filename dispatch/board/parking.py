"""When those whom something failed because of take part again: as soon as what is known of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dispatch import events as e
from dispatch.board.records import OrderRecord, RiderRecord

Orders = Mapping[str, OrderRecord]
Riders = Mapping[str, RiderRecord]


def note(event: e.Event, orders: Orders, riders: Riders) -> None:
    """Whoever an event changes takes part again; called before it is applied."""
    change = _CHANGES.get(type(event))
    if change is not None:
        change(event, orders, riders)


def _order(event: Any, orders: Orders, riders: Riders) -> None:
    _unpark((orders[event.order_id],))


def _order_and_carrier(event: Any, orders: Orders, riders: Riders) -> None:
    record = orders[event.order.order_id if isinstance(event, e.OrderRevised) else event.order_id]
    _unpark((record,))
    if record.rider_id is not None:
        riders[record.rider_id].parked = None


def _rider(event: Any, orders: Orders, riders: Riders) -> None:
    riders[event.rider_id].parked = None


def _rider_known(event: e.RiderKnown, orders: Orders, riders: Riders) -> None:
    if event.rider.rider_id in riders:
        riders[event.rider.rider_id].parked = None


def _shift_opened(event: e.ShiftOpened, orders: Orders, riders: Riders) -> None:
    riders[event.shift.rider_id].parked = None


def _store_known(event: e.StoreKnown, orders: Orders, riders: Riders) -> None:
    _unpark(record for record in orders.values() if record.order.store_id == event.store.store_id)


def _everybody(event: e.Event, orders: Orders, riders: Riders) -> None:
    _unpark(orders.values())
    for rider in riders.values():
        rider.parked = None


def _unpark(records: Iterable[OrderRecord]) -> None:
    for record in records:
        if record.parked:
            record.parked, record.reason = None, None


_CHANGES: dict[type[e.Event], Callable[[Any, Orders, Riders], None]] = {
    e.OrderRevised: _order_and_carrier,
    e.ReadyKnown: _order_and_carrier,
    e.GoodsMoved: _order_and_carrier,
    e.OrderMoved: _order,
    e.OutcomeCorrected: _order,
    e.HoldSet: _order,
    e.RiderForced: _order,
    e.RiderKnown: _rider_known,
    e.RiderDone: _rider,
    e.ShiftOpened: _shift_opened,
    e.ShiftClosed: _rider,
    e.ApartKnown: _rider,
    e.DecisionReversed: _rider,
    e.StoreKnown: _store_known,
    e.TravelAdopted: _everybody,
    e.SettingSet: _everybody,
    e.PresetSet: _everybody,
}
