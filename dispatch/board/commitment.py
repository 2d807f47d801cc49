"""What becomes irrevocable now, and what is kept until when: the one place where commitment levels rise.

Two things are ever committed: "go to this place now" and "take these orders now".  Everything else stays open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from dispatch.board.board import Board
from dispatch.board.progress import start_preparing_at, tell_by
from dispatch.board.records import RiderRecord
from dispatch.model import ActKind, Engagement, Level, Stop, latest_departure
from dispatch.settings.groups import Rules
from routing.places import PlaceBook


class CommitRule(Protocol):
    """Says when a stop's place must be told."""

    def due_at(self, stop: Stop, places: PlaceBook) -> int:
        """The instant at which the rider must be told to go to `stop`."""


class LastMoment:
    """Tell at the last instant that does not delay the stop's act: the plan may improve until then."""

    def due_at(self, stop: Stop, places: PlaceBook) -> int:
        return latest_departure(stop, places)


class AtOnce:
    """Tell as soon as the rider is free to go."""

    def due_at(self, stop: Stop, places: PlaceBook) -> int:
        return stop.expected_arrive_at - stop.leg_s


def rule_for(rules: Rules) -> CommitRule:
    """The rule the settings name.  With estimated ready times, waiting until the last moment does not pay."""
    at_once = rules.commit == "at_once" or (rules.commit == "auto" and rules.ready_times != "exact")
    return AtOnce() if at_once else LastMoment()


def settles_at_departure(rules: Rules) -> bool:
    """True where a rider is told their orders together with the place."""
    return rules.add_orders_until != "pickup" and rules.remove_orders_until != "pickup"


def next_due(rider: RiderRecord, board: Board) -> int | None:
    """When something on the rider's route must be told next, to them or to a store; None if nothing is open."""
    step = _next_step(rider, rider.route.stops, board)
    due = [] if step is None else [step[0]]
    for stop in rider.route.stops:
        records = (board.orders[act.order_id] for act in stop.acts if act.kind is ActKind.PICKUP)
        due += [start_preparing_at(record, stop, board) for record in records if record.source_is_open]
    return min(due, default=None)


def committed(rider: RiderRecord, stops: tuple[Stop, ...], board: Board, now: int) -> tuple[Stop, ...]:
    """The stops with everything raised to TOLD (crowd riders: OFFERED) that is due at `now`."""
    lead = board.settings.rules.commit_lead_s
    number = rider.stops_told
    while True:
        step = _next_step(rider, stops, board)
        if step is None or step[0] > now + lead:
            return stops
        index = step[1]
        if stops[index].level < Level.TOLD:
            if _needs_offer(rider, stops[index]):
                return _asked(stops, index)
            number = max([number, *(number_of(stop) for stop in stops)]) + 1
            named = replace(stops[index], stop_id=stops[index].stop_id or f"{rider.rider.rider_id}.{number}")
            stops = (*stops[:index], named, *stops[index + 1 :])
            has_pickup = any(act.kind is ActKind.PICKUP for act in named.acts)
            orders = settles_at_departure(board.settings.rules) or not has_pickup
            stops = _raised(stops, index, Level.TOLD, orders=orders)
        elif _needs_offer(rider, stops[index]):
            return _asked(stops, index)
        else:
            stops = _raised(stops, index, stops[index].level, orders=True)
        stops = _with_drops_told(rider, stops, index, number)


def accepted(rider: RiderRecord, stops: tuple[Stop, ...], order_ids: tuple[str, ...]) -> tuple[Stop, ...]:
    """The stops with an accepted offer raised from OFFERED to TOLD: a new stop, or more orders at a told one."""
    index = next((k for k, stop in enumerate(stops) if _is_asked(stop)), None)
    if index is None:
        return stops
    number = max([rider.stops_told, *(number_of(stop) for stop in stops)])
    if stops[index].level == Level.OFFERED:
        number += 1
        named = replace(stops[index], stop_id=f"{rider.rider.rider_id}.{number}")
        stops = (*stops[:index], named, *stops[index + 1 :])
    stops = _raised(stops, index, max(stops[index].level, Level.TOLD), orders=True)
    return _with_drops_told(rider, stops, index, number)


def _needs_offer(rider: RiderRecord, stop: Stop) -> bool:
    return rider.rider.engagement is Engagement.CROWD and any(
        act.kind is ActKind.PICKUP and act.level < Level.TOLD for act in stop.acts
    )


def _is_asked(stop: Stop) -> bool:
    return any(act.level == Level.OFFERED for act in stop.acts)


def _asked(stops: tuple[Stop, ...], index: int) -> tuple[Stop, ...]:
    """The stops with the orders to be fetched at one of them raised to OFFERED, and the stop itself if it is new."""
    stop = stops[index]
    acts = tuple(
        replace(act, level=Level.OFFERED) if act.kind is ActKind.PICKUP and act.level < Level.TOLD else act
        for act in stop.acts
    )
    return (*stops[:index], replace(stop, level=max(stop.level, Level.OFFERED), acts=acts), *stops[index + 1 :])


def number_of(stop: Stop) -> int:
    """A told stop's number on its rider's route; 0 where it is not told."""
    return int(stop.stop_id.rpartition(".")[2]) if stop.stop_id else 0


def _next_step(rider: RiderRecord, stops: tuple[Stop, ...], board: Board) -> tuple[int, int] | None:
    """(due instant, index) of the first thing on the route that is not told yet; None while an answer is awaited."""
    if any(_is_asked(stop) for stop in stops):
        return None
    for index, stop in enumerate(stops):
        if stop.level < Level.TOLD:
            due = rule_for(board.settings.rules).due_at(stop, board.places)
            shift = rider.shift_at(board.now)
            return max(due, shift.start_at if shift is not None else due), index
        if any(act.level < Level.TOLD for act in stop.acts):
            # Whoever stands at the counter should not wait there for their own answer.
            asks = _needs_offer(rider, stop)
            return 0 if asks else _orders_due_at(stop, board), index
    return None


def _orders_due_at(stop: Stop, board: Board) -> int:
    """When the orders of a stop are told: at its act, or when the rider there waits for no store's word any more."""
    records = [board.orders[act.order_id] for act in stop.acts if act.kind is ActKind.PICKUP]
    if board.settings.rules.ready_times == "exact" or not records:
        return stop.expected_act_at
    entered_at = stop.expected_arrive_at + int(board.places.enter_s[stop.place])
    called = [tell_by(record, board) for record in records if record.pick_place is None]
    return min(stop.expected_act_at, max([entered_at, *called]))


def _raised(stops: tuple[Stop, ...], index: int, level: Level, *, orders: bool) -> tuple[Stop, ...]:
    stop = stops[index]
    acts = stop.acts
    if orders:
        order_level = min(level, Level.TOLD)
        acts = tuple(act if act.level >= order_level else replace(act, level=order_level) for act in acts)
    return (*stops[:index], replace(stop, level=level, acts=acts), *stops[index + 1 :])


def _with_drops_told(rider: RiderRecord, stops: tuple[Stop, ...], index: int, number: int) -> tuple[Stop, ...]:
    """Once orders are told, so are the drops that directly follow: the rider sees the whole errand."""
    if any(act.level < Level.TOLD for act in stops[index].acts) or not stops[index].acts:
        return stops
    number = max([number, *(number_of(stop) for stop in stops)])
    for k in range(index + 1, len(stops)):
        if any(act.kind is ActKind.PICKUP for act in stops[k].acts) or not stops[k].acts:
            break
        if stops[k].level < Level.TOLD:
            number += 1
            named = replace(stops[k], stop_id=stops[k].stop_id or f"{rider.rider.rider_id}.{number}")
            stops = (*stops[:k], named, *stops[k + 1 :])
        stops = _raised(stops, k, max(stops[k].level, Level.TOLD), orders=True)
    return stops
