"""One door: several orders that lead to the same one are brought in one stop.

Whoever places an order says its door by an opaque name (`Order.door`); orders without one have a stop each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dispatch.board.commitment import number_of
from dispatch.board.records import RiderRecord
from dispatch.model import Act, ActKind, Level, Order, Stop


def door_of(stop: Stop, order_of: Callable[[str], Order]) -> str:
    """The door at which a stop is; empty for a store, an empty move, or an order without a door."""
    is_drop = stop.store_id is None and bool(stop.acts) and stop.acts[0].kind is ActKind.DROP
    return order_of(stop.acts[0].order_id).door if is_drop else ""


def at_its_door(stop: Stop, order_of: Callable[[str], Order]) -> Stop:
    """The stop at a place of one of its own orders: that of another may be forgotten, or may move."""
    if not door_of(stop, order_of):
        return stop
    places = [order_of(act.order_id).drop_place for act in stop.acts]
    return stop if stop.place in places else replace(stop, place=places[0])


def elsewhere(rider: RiderRecord, before: Order, order: Order) -> tuple[Stop, ...]:
    """A rider's stops where an order leads to another place: what they bring to the old door stays there."""
    if order.door and order.door == before.door and any(_is_shared(stop, order.order_id) for stop in rider.route.stops):
        return rider.route.stops
    number = max([rider.stops_told, *(number_of(stop) for stop in rider.route.stops)])
    stops: list[Stop] = []
    for stop in rider.route.stops:
        moved = [act for act in stop.acts if act.order_id == order.order_id and act.kind is ActKind.DROP]
        if not moved or len(stop.acts) == 1:
            stops.append(replace(stop, place=order.drop_place) if moved else stop)
            continue
        stops.append(replace(stop, acts=tuple(act for act in stop.acts if act not in moved)))
        stops.append(_apart(rider.rider.rider_id, number + 1, stop, moved[0], order.drop_place))
    return tuple(stops)


def _is_shared(stop: Stop, order_id: str) -> bool:
    return len(stop.acts) > 1 and any(act.order_id == order_id and act.kind is ActKind.DROP for act in stop.acts)


def _apart(rider_id: str, number: int, stop: Stop, act: Act, place: int) -> Stop:
    """A stop of its own for one act of a shared one; told where that was, for the rider has the goods or is to."""
    told = stop.level >= Level.TOLD
    return Stop(
        f"{rider_id}.{number}" if told else "", place, None, Level.TOLD if told else Level.TENTATIVE,
        (replace(act, level=min(act.level, Level.TOLD)),), 0, 0, 0, 0, 0,
    )  # fmt: skip
