"""A trial: what would become of an order that came now, by one insertion into the plans of now, under a round's laws.

Nothing is kept of it.  Where riders are many, those that can be at the store first are looked at, with what they have.
"""

from __future__ import annotations

import copy
from collections import ChainMap
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np

from dispatch.board.board import Board
from dispatch.board.doors import elsewhere
from dispatch.board.records import OrderRecord, RiderRecord
from dispatch.inputs import PlannedStop, RoundSolved
from dispatch.model import ActKind, LastMetres, Order, OrderState, Reason
from dispatch.rounds.freeze import freeze
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.soonest import soonest
from routing.problem.problem import Problem
from routing.travel import TravelTimes

MOST_RIDERS = 32
MOST_FRESH = 100
"""With so many orders without a rider due before it, an order waits for a later round, and nobody can say which."""


class Fit(NamedTuple):
    """Epoch seconds of the two handovers, None where nobody can take the order; `reason` says why.

    `last_metres`: what is walked for it, None where nothing is.
    """

    pickup_at: int | None
    dropoff_at: int | None
    reason: Reason | None
    last_metres: LastMetres | None = None


def frozen_with(board: Board, order: Order, times: TravelTimes, now: int, stop_s: tuple[int, int]) -> Frozen:
    """A round at `now` that has one order more; `stop_s`: seconds before and after the act at its door.

    Reads the board and changes nothing: what it returns holds no reference to it.
    """
    view = copy.copy(board)
    view.now = now
    record = OrderRecord(order, board.orders_taken, OrderState.CREATED, now, order.expected_ready_at)
    first = soonest(view, board.stores[order.store_id].store.place, times, now, MOST_RIDERS)
    riders, every = (first, False) if first is not None else (board.riders, True)
    known = {name: other for name, other in board.in_play.items() if every or _matters(other, order, riders)}
    view.riders = riders
    view.in_play = known | {order.order_id: record}
    view.orders = cast("dict[str, OrderRecord]", ChainMap({order.order_id: record}, board.orders))
    view.most_new_orders = min(MOST_FRESH, board.most_new_orders or MOST_FRESH)
    frozen = freeze(view)
    return frozen._replace(problem=_with_stop(frozen, order.drop_place, stop_s))


def outcome(answer: RoundSolved, order_id: str) -> Fit:
    """What the answer to such a round says of its additional order."""
    found: dict[ActKind, PlannedStop] = {}
    for change in answer.changes:
        for stop in change.stops:
            found.update((kind, stop) for act, kind in stop.acts if act == order_id)
    if found:
        pickup, drop = found[ActKind.PICKUP], found[ActKind.DROP]
        return Fit(pickup.expected_act_at, drop.expected_act_at, None, LastMetres.of(pickup, drop))
    reasons = dict(answer.reasons)
    return Fit(None, None, reasons.get(order_id, Reason.NO_RIDER_IN_REACH))


class Supposed(NamedTuple):
    """A round that is only asked about, when each rider was to hand over what they have, and when each order is due."""

    frozen: Frozen
    drops: dict[str, dict[str, int]]
    due_at: dict[str, int]


def tried_with(board: Board, order: Order, now: int) -> tuple[Supposed, Supposed]:
    """Two rounds of now: as the board is, and with `order` in place of what the board holds of it.

    Reads the board and changes nothing: what it returns holds no reference to it.
    """
    held = board.orders[order.order_id]
    changed = held.as_if(order)
    changed.rider_id, changed.planned_rider_id = held.rider_id, held.planned_rider_id
    riders = board.riders
    if held.planned_rider_id is not None:
        rider = board.riders[held.planned_rider_id].copied()
        rider.route = replace(rider.route, stops=elsewhere(rider, held.order, order))
        riders = {**board.riders, held.planned_rider_id: rider}
    return _tried(board, held, board.riders, now), _tried(board, changed, riders, now)


def made_late(tried: tuple[Supposed, Supposed], times: TravelTimes) -> tuple[str, ...]:
    """Orders that miss their promise in the second round and not in the first, both solved by insertion.

    An order that nobody takes has missed it.
    """
    before, after = (_late(one, times) for one in tried)
    return tuple(sorted(after - before))


def _tried(board: Board, record: OrderRecord, riders: dict[str, RiderRecord], now: int) -> Supposed:
    view, order_id = copy.copy(board), record.order.order_id
    view.now, view.riders = now, riders
    view.orders = cast("dict[str, OrderRecord]", ChainMap({order_id: record}, board.orders))
    view.in_play = board.in_play | {order_id: record}
    drops = {
        rider_id: {
            act.order_id: stop.expected_act_at
            for stop in rider.route.stops for act in stop.acts if act.kind is ActKind.DROP
        }
        for rider_id, rider in riders.items()
    }  # fmt: skip
    return Supposed(freeze(view), drops, {name: one.order.due_at for name, one in view.in_play.items()})


def _late(tried: Supposed, times: TravelTimes) -> set[str]:
    from dispatch.rounds.solve import solve_round

    answer, drops = solve_round(tried.frozen, times, recipe="insertion"), dict(tried.drops)
    for change in answer.changes:
        drops[change.rider_id] = {
            order_id: stop.expected_act_at
            for stop in change.stops for order_id, kind in stop.acts if kind is ActKind.DROP
        }  # fmt: skip
    at = {order_id: instant for planned in drops.values() for order_id, instant in planned.items()}
    return {order_id for order_id, due_at in tried.due_at.items() if at.get(order_id, due_at + 1) > due_at}


def _matters(record: OrderRecord, order: Order, riders: dict[str, RiderRecord]) -> bool:
    """What the riders of the trial have, and what waits for one at the same store."""
    owner = record.planned_rider_id or record.rider_id
    return owner in riders if owner is not None else record.order.store_id == order.store_id


def _with_stop(frozen: Frozen, handle: int, stop_s: tuple[int, int]) -> Problem:
    """The problem with the door's own seconds: its place is one that is only asked about."""
    problem = frozen.problem
    here = problem.place == handle
    enter, exit_ = (
        np.where(here, np.int32(seconds), of) for seconds, of in zip(stop_s, (problem.enter, problem.exit), strict=True)
    )
    return problem._replace(enter=enter, exit=exit_)
