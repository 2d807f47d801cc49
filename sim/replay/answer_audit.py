"""A second opinion on every answer of a round, whatever policy gave it."""

from __future__ import annotations

import numpy as np

from dispatch.inputs import RoundSolved
from dispatch.rounds.frozen_round import Frozen
from dispatch.rounds.legs import travel_block
from routing.problem.audit import audit
from routing.problem.problem import Rows
from routing.travel import TravelTimes

Stops = list[tuple[int, list[tuple[int, int]]]]


def audit_answer(frozen: Frozen, answer: RoundSolved, times: TravelTimes) -> list[str]:
    """What the independent judge finds wrong with a round's answer, one sentence each."""
    rows = planned_rows(frozen, answer)
    found = audit(frozen.problem, travel_block(frozen, times), rows)
    riders, orders = frozen.ids.rider_ids, frozen.ids.order_ids
    return [
        f"round {frozen.round}: {wrong.code}: {wrong.message}"
        + (f", rider {riders[wrong.vehicle]}" if wrong.vehicle >= 0 else "")
        + (f", order {orders[wrong.request]}" if wrong.request >= 0 else "")
        for wrong in found
    ]


def planned_rows(frozen: Frozen, answer: RoundSolved) -> Rows:
    """The whole plan of a round as the Problem's indexes: the told one with the answer's changes laid over it."""
    vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
    request_of = {order_id: r for r, order_id in enumerate(frozen.ids.order_ids)}
    place_of = {handle: p for p, handle in enumerate(frozen.problem.place.tolist())}
    changed: dict[int, Stops] = {
        vehicle_of[change.rider_id]: [
            (place_of[stop.place], [(request_of[order_id], int(kind)) for order_id, kind in stop.acts])
            for stop in change.stops
        ]
        for change in answer.changes
    }
    return _rows([changed.get(v, _told(frozen.problem.before, v)) for v in range(len(vehicle_of))])


def _told(rows: Rows, vehicle: int) -> Stops:
    return [
        (
            int(rows.stop_place[stop]),
            [
                (int(rows.act_request[act]), int(rows.act_kind[act]))
                for act in range(int(rows.act_ptr[stop]), int(rows.act_ptr[stop + 1]))
            ],
        )
        for stop in range(int(rows.stop_ptr[vehicle]), int(rows.stop_ptr[vehicle + 1]))
    ]


def _rows(routes: list[Stops]) -> Rows:
    stops = [stop for route in routes for stop in route]
    acts = [act for _, halt in stops for act in halt]
    return Rows(
        np.cumsum([0, *(len(route) for route in routes)], dtype=np.int32),
        np.array([place for place, _ in stops], dtype=np.int32),
        np.cumsum([0, *(len(halt) for _, halt in stops)], dtype=np.int32),
        np.array([request for request, _ in acts], dtype=np.int32),
        np.array([kind for _, kind in acts], dtype=np.int8),
    )
