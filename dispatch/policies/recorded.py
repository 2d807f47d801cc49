"""Another dispatcher's decisions, given again: who was told which orders, in which sequence and when.

Nothing else of the recorded day is read: when goods are fetched and brought comes out of the city.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.inputs import RoundSolved
from dispatch.rounds.changes import answer
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import travel_block
from dispatch.settings.settings import Settings
from routing.problem.evaluate import evaluate
from routing.problem.problem import INFINITE, ActKind, Level, Problem, Reason, Rows, Solution, TripRule
from routing.travel import TravelTimes

Acts = list[tuple[int, int]]
"""(request, kind) of the acts of a stop."""


class RecordedDecision(NamedTuple):
    """One order as the other dispatcher gave it away."""

    order_id: str
    rider_id: str
    told_at: int
    """When the rider was told to go for it."""
    fetch_number: int
    """Which of the rider's stops of the day its pickup was, and its drop; acts of one stop share the number."""
    drop_number: int


class Recorded:
    """Gives every order to the rider who had it, when they were told, in the sequence of their day.

    No law binds it: whatever the other dispatcher did was done.  Rounds come on the widest beat that meets every
    instant: each second, or each minute where the day was recorded in minutes.
    """

    name = "recorded"

    def __init__(self, decisions: Iterable[RecordedDecision]) -> None:
        self._of = {decision.order_id: decision for decision in decisions}

    def configure(self, settings: Settings) -> Settings:
        return settings.with_values(
            {
                "rules.commit": "at_once",
                "rules.round_mode": "beat",
                "rules.round_s": math.gcd(3600, *(decision.told_at for decision in self._of.values())),
                "rules.mix": "any",
                "rules.add_orders_until": "pickup",
                "rules.remove_orders_until": "pickup",
                "rules.empty_moves": False,
                "rules.give_up_s": 0,
                "rules.horizon_s": 14_400,
            }
        )

    def answer(self, frozen: Frozen, times: TravelTimes) -> RoundSolved:
        told_now = self._told_now(frozen)
        if not told_now:
            return RoundSolved(at=frozen.at, round=frozen.round)
        problem = _lawless(frozen.problem)
        travel = travel_block(frozen, times)
        rows = self._rows(frozen, told_now)
        timeline = evaluate(problem, travel, rows)
        reason = np.full(len(problem.pick_place), Reason.KEPT, dtype=np.int8)
        reason[rows.act_request] = Reason.SERVED
        solution = Solution(
            rows, timeline.leg, timeline.arrive, timeline.act_at, timeline.leave, reason, timeline.cost, 0, ()
        )
        return answer(frozen, solution)

    def _told_now(self, frozen: Frozen) -> dict[int, list[int]]:
        """Requests by the rider who is told of them by now, and on whose route they are not yet."""
        vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
        planned = set(frozen.problem.before.act_request.tolist())
        found: dict[int, list[int]] = {}
        for request, order_id in enumerate(frozen.ids.order_ids):
            decision = self._of.get(order_id)
            if decision is None or decision.told_at > frozen.at or request in planned:
                continue
            if frozen.problem.aboard_of[request] < 0 and decision.rider_id in vehicle_of:
                found.setdefault(vehicle_of[decision.rider_id], []).append(request)
        return found

    def _rows(self, frozen: Frozen, told_now: dict[int, list[int]]) -> Rows:
        """Everybody's route as it is; where there is something new, the rest of it in the recorded sequence."""
        problem, told = frozen.problem, frozen.problem.before
        stops: list[tuple[int, Acts]] = []
        stop_ptr = [0]
        for v in range(len(frozen.ids.rider_ids)):
            span = range(int(told.stop_ptr[v]), int(told.stop_ptr[v + 1]))
            route = [(int(told.stop_place[s]), _acts(told, s)) for s in span]
            if v in told_now:
                begun = sum(1 for s in span[:1] if problem.stop_level[s] >= Level.TOLD)
                route = self._in_sequence(frozen, route, begun, told_now[v])
            stops += route
            stop_ptr.append(len(stops))
        acts = [act for _, each in stops for act in each]
        return Rows(
            np.array(stop_ptr, dtype=np.int32),
            np.array([place for place, _ in stops], dtype=np.int32),
            np.cumsum([0, *(len(each) for _, each in stops)]).astype(np.int32),
            np.array([request for request, _ in acts], dtype=np.int32),
            np.array([kind for _, kind in acts], dtype=np.int8),
        )

    def _in_sequence(
        self, frozen: Frozen, route: list[tuple[int, Acts]], begun: int, fresh: list[int]
    ) -> list[tuple[int, Acts]]:
        """The first `begun` stops, and behind them everything else by its number; acts of one number are one stop."""
        problem, order_ids = frozen.problem, frozen.ids.order_ids
        merged: dict[tuple[int, int], Acts] = {}

        def add(place: int, request: int, kind: int) -> None:
            decision = self._of.get(order_ids[request])
            picks = kind == ActKind.PICKUP
            number = INFINITE if decision is None else (decision.fetch_number if picks else decision.drop_number)
            merged.setdefault((number, place), []).append((request, kind))

        first = [(place, list(acts)) for place, acts in route[:begun]]
        for place, acts in route[begun:]:
            for request, kind in acts:
                add(place, request, kind)
        for request in fresh:
            pick, drop = int(problem.pick_place[request]), int(problem.drop_place[request])
            if first and self._joins(first[0], pick, request, order_ids):
                first[0][1].append((request, int(ActKind.PICKUP)))
            else:
                add(pick, request, int(ActKind.PICKUP))
            add(drop, request, int(ActKind.DROP))
        return [*first, *((place, merged[number, place]) for number, place in sorted(merged))]

    def _joins(self, stop: tuple[int, Acts], place: int, request: int, order_ids: tuple[str, ...]) -> bool:
        """Whether a pickup belongs to the stop that is under way: the same place, under the same number."""
        numbers = {
            self._of[order_ids[other]].fetch_number
            for other, kind in stop[1]
            if kind == ActKind.PICKUP and order_ids[other] in self._of
        }
        return stop[0] == place and self._of[order_ids[request]].fetch_number in numbers


def _acts(rows: Rows, stop: int) -> Acts:
    span = slice(int(rows.act_ptr[stop]), int(rows.act_ptr[stop + 1]))
    return list(zip(rows.act_request[span].tolist(), rows.act_kind[span].tolist(), strict=True))


def _lawless(problem: Problem) -> Problem:
    """The round without the laws that a recorded decision may have broken: only ways, times and loads are real."""
    window = problem.window.copy()
    window[..., 1] = INFINITE

    def endless(field: NDArray[np.int32]) -> NDArray[np.int32]:
        return np.full_like(field, INFINITE)

    return problem._replace(
        trip_rule=int(TripRule.ANY),
        window=window,
        max_on_board=endless(problem.max_on_board),
        last_pickup=endless(problem.last_pickup),
        end=endless(problem.end),
        capacity=endless(problem.capacity),
        max_requests=endless(problem.max_requests),
        max_trips=endless(problem.max_trips),
        allowed=np.full_like(problem.allowed, np.uint64(2**64 - 1)),
        must_keep_ptr=np.zeros_like(problem.must_keep_ptr),
        must_keep=problem.must_keep[:0],
        add_price=np.zeros_like(problem.add_price),
        take_price=np.zeros_like(problem.take_price),
    )
