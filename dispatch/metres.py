"""Metres for the legs of an answer: planners count seconds, bills and emissions count metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dispatch.frozen import Frozen
from dispatch.inputs import RoundSolved, RouteChange
from routing.travel import TravelTimes


def with_metres(frozen: Frozen, answer: RoundSolved, times: TravelTimes) -> RoundSolved:
    """The same answer, each leg of its changed routes with the metres driven (0 where the travel times know none)."""
    vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
    changes = tuple(_measured(frozen, change, vehicle_of[change.rider_id], times) for change in answer.changes)
    return replace(answer, changes=changes)


def _measured(frozen: Frozen, change: RouteChange, vehicle: int, times: TravelTimes) -> RouteChange:
    if not change.stops:
        return change
    problem = frozen.problem
    start = int(problem.place[problem.start_place[vehicle]])
    way = np.array([start, *(stop.place for stop in change.stops)], dtype=np.int32)
    legs = times.metres(way[:-1], way[1:], frozen.at)[int(problem.profile[vehicle])].diagonal().tolist()
    stops = tuple(stop._replace(leg_m=leg_m) for stop, leg_m in zip(change.stops, legs, strict=True))
    return change._replace(stops=stops)
