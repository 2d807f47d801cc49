"""Fee and marginal cost of an order that is tried against the plans of now.

What serving it costs is what its rider's route would be shorter by without it: seconds of driving and of stops made for
it alone, and metres.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dispatch.board.board import Board
from dispatch.fees.charging import charged
from dispatch.inputs import PlannedStop, RoundSolved, RouteChange
from dispatch.model import Fee, Order
from dispatch.rounds.frozen_round import Frozen
from dispatch.settings.tariff import tariff_of
from routing.travel import UNREACHABLE, TravelTimes


class Added(NamedTuple):
    """What an order adds to the route that it is put on."""

    work_s: int
    driven_m: int


class _Way(NamedTuple):
    seconds: int
    metres: int


def fee_of(board: Board, order: Order, times: TravelTimes, now: int, added: Added | None) -> Fee | None:
    """What an order is charged now, and what serving it costs where a trial has said so; None without a tariff."""
    tariff = tariff_of(board.settings.rules.tariff)
    if tariff is None:
        return None
    way = _shortest(times, board.stores[order.store_id].store.place, order.drop_place, now)
    fee = charged(tariff, way_m=way.metres, way_s=way.seconds, placed_at=order.placed_at, tier=order.tier)
    return fee if added is None else replace(fee, cost=tariff.cost(1, added.work_s, added.driven_m))


def added_by(frozen: Frozen, answer: RoundSolved, order_id: str, times: TravelTimes) -> Added | None:
    """What an order adds to its rider's route in the answer to a trial; None where nobody takes it."""
    for change in answer.changes:
        if any(act == order_id for stop in change.stops for act, _ in stop.acts):
            return _added(frozen, change, order_id, times)
    return None


def _added(frozen: Frozen, change: RouteChange, order_id: str, times: TravelTimes) -> Added | None:
    problem, v = frozen.problem, frozen.ids.rider_ids.index(change.rider_id)
    start, profile = int(problem.place[problem.start_place[v]]), int(problem.profile[v])
    own = [stop for stop in change.stops if stop.acts and all(act == order_id for act, _ in stop.acts)]
    rest = [stop for stop in change.stops if stop not in own]
    longer = _driven(times, start, change.stops, profile, frozen.at)
    shorter = _driven(times, start, rest, profile, frozen.at)
    if longer is None or shorter is None:
        return None
    stops_s = 0
    for stop in own:
        here = int(np.flatnonzero(problem.place == stop.place)[0])
        stops_s += int(problem.enter[here]) + int(problem.exit[here])
    return Added(longer.seconds - shorter.seconds + stops_s, longer.metres - shorter.metres)


def _driven(
    times: TravelTimes, start: int, stops: list[PlannedStop] | tuple[PlannedStop, ...], profile: int, at: int
) -> _Way | None:
    """Driving from `start` along the stops; None where a leg cannot be driven."""
    places = np.array([start, *(stop.place for stop in stops)], dtype=np.int32)
    legs = np.arange(len(stops))
    seconds = times.table(places[:-1], places[1:], at)[profile, legs, legs]
    if (seconds >= UNREACHABLE).any():
        return None
    metres = times.metres(places[:-1], places[1:], at)[profile, legs, legs]
    return _Way(int(seconds.sum()), int(metres.sum()))


def _shortest(times: TravelTimes, origin: int, target: int, at: int) -> _Way:
    """The way of the profile that is there first; nothing where there is none."""
    here, there = np.array([origin], dtype=np.int32), np.array([target], dtype=np.int32)
    seconds = times.table(here, there, at)[:, 0, 0]
    first = int(seconds.argmin())
    if seconds[first] >= UNREACHABLE:
        return _Way(0, 0)
    return _Way(int(seconds[first]), int(times.metres(here, there, at)[first, 0, 0]))
