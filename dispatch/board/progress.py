"""One belief about where a rider is and when they are free, from reported facts only.

Freeze, expected times and maps all ask here.  Told routes keep their leg times, so no travel table is needed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from dispatch.board.board import Board
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.model import ActKind, Level, Source, Stop


class Whereabouts(NamedTuple):
    """Where a rider can start from, and when."""

    place: int
    free_at: int
    at_first_stop: bool
    """True: `place` is that of their first stop and `free_at` their (expected) arrival there."""


def ready_at(record: OrderRecord, board: Board, now: int) -> int:
    """When goods are (believed) ready: the fact if known, else the estimate.

    Where ready times are mere estimates and the kitchen says when goods are ready, goods it has not called ready are
    not expected sooner than in `rules.overdue_grace_s`: a kitchen that is late has not become fast.
    """
    if record.ready_at is not None:
        return record.ready_at
    if record.source_is_open:
        return max(now, record.order.placed_at) + prepared_in(record.order.source, board, now)
    expected = record.expected_ready_at + board.stores[record.order.store_id].delay_at(now)
    rules = board.settings.rules
    return expected if rules.ready_times == "exact" else max(expected, now + rules.overdue_grace_s)


def prepared_in(source: Source, board: Board, now: int) -> int:
    """Seconds from when a store is told until the goods are ready."""
    return source.prepare_s + board.stores[source.store_id].delay_at(now)


def start_preparing_at(record: OrderRecord, stop: Stop, board: Board) -> int:
    """The latest instant at which telling an order's store does not delay the stop at which it is fetched."""
    return stop.expected_act_at - prepared_in(record.order.source, board, board.now)


OPEN_AHEAD_S = 900
"""Orders of a closed store are planned from so long before it opens: the way there takes time."""


def pickup_from(record: OrderRecord, board: Board, now: int) -> int:
    """When goods at their store can be fetched: ready, and the store open, where it opens soon.

    A store that has closed for longer hands out to the rider who is told what was planned before.
    """
    ready = ready_at(record, board, now)
    begins = max(ready, now)
    opens = board.stores[record.order.store_id].opens_from(begins)
    return opens if opens is not None and begins < opens <= now + OPEN_AHEAD_S else ready


def is_shut(record: OrderRecord, board: Board, now: int) -> bool:
    """Whether an order's store is closed now or when its goods are ready, does not open soon, and nobody is sent."""
    store = board.stores[record.order.store_id]
    for at in (now, max(ready_at(record, board, now), now)):
        opens = store.opens_from(at)
        if opens is None or (opens > at and opens > now + OPEN_AHEAD_S):
            return not is_sent_for(record, board)
    return False


def closes_at(record: OrderRecord, board: Board, now: int) -> int | None:
    """Until when an order's store hands it out; None: no limit.  Who was sent for it gets it after closing, too."""
    begins = max(pickup_from(record, board, now), now)
    closes = board.stores[record.order.store_id].store.closes_from(begins)
    return None if closes is None or is_sent_for(record, board) else closes


def is_sent_for(record: OrderRecord, board: Board) -> bool:
    """Whether a rider has been told to go to the store where the plan has them fetch an order."""
    if record.rider_id is not None:
        return True
    rider = board.riders.get(record.planned_rider_id or "")
    told = rider.route.told if rider is not None else ()
    pickup = record.order.order_id, ActKind.PICKUP
    return any((act.order_id, act.kind) == pickup for stop in told for act in stop.acts)


def tell_by(record: OrderRecord, board: Board) -> int:
    """When a rider at the store waits no longer for its word that goods are ready: the fact if known, else the limit.

    A store that never says "ready" keeps no order for ever: after `rules.store_silence_s` the rider asks for it.
    """
    if record.ready_at is not None:
        return record.ready_at
    delay_s = board.stores[record.order.store_id].delay_at(board.now)
    return record.expected_ready_at + delay_s + board.settings.rules.store_silence_s


def whereabouts(rider: RiderRecord, now: int, *, divert: bool = False) -> Whereabouts:
    """Where the rider's plan starts: at their first stop if that is settled, else where they were last for certain."""
    stops = rider.route.stops
    if stops and stops[0].level >= Level.TOLD:
        if rider.arrived_at is not None:
            return Whereabouts(stops[0].place, rider.arrived_at, True)
        if not divert:
            return Whereabouts(stops[0].place, max(_expected_arrival(rider, stops[0]), now), True)
        if rider.departed_at is not None:
            return Whereabouts(rider.rider.place, now, False)
    shift = rider.shift_at(now)
    starts_at = shift.start_at if shift is not None else now
    return Whereabouts(rider.here, max(rider.free_at, starts_at, rider.rests_until(now) or now, now), False)


def _expected_arrival(rider: RiderRecord, stop: Stop) -> int:
    departed_at = rider.departed_at if rider.departed_at is not None else max(rider.free_at, rider.told_at or 0)
    return departed_at + stop.leg_s


def retimed(
    rider: RiderRecord, stops: Iterable[Stop], board: Board, now: int, chosen: Mapping[str, OrderRecord] | None = None
) -> tuple[Stop, ...]:
    """The same stops with expected times that follow from the facts known at `now`.

    `chosen`: orders for which another alternative is about to be chosen.
    """
    places, records = board.places, ChainMap(dict(chosen), board.orders) if chosen else board.orders
    timed: list[Stop] = []
    start = whereabouts(rider, now)
    free_at, at_stop = start.free_at, start.at_first_stop
    for stop in stops:
        arrive_at = free_at if at_stop else max(free_at, now) + stop.leg_s
        at_stop = False
        act_at = leave_at = arrive_at
        if stop.acts:
            act_at = max(arrive_at + int(places.enter_s[stop.place]), now)
            act_at = max([act_at, *(_not_before(records[act.order_id], act.kind, board, now) for act in stop.acts)])
            leave_at = act_at + int(places.exit_s[stop.place])
        if (stop.expected_arrive_at, stop.expected_act_at, stop.expected_leave_at) != (arrive_at, act_at, leave_at):
            stop = replace(stop, expected_arrive_at=arrive_at, expected_act_at=act_at, expected_leave_at=leave_at)
        timed.append(stop)
        free_at = leave_at
    return tuple(timed)


def _not_before(record: OrderRecord, kind: ActKind, board: Board, now: int) -> int:
    if kind is ActKind.PICKUP:
        return pickup_from(record, board, now) if record.pick_place is None else 0
    return record.order.earliest_drop_at or 0
