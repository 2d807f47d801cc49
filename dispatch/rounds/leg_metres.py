"""Metres for the legs of an answer: planners count seconds, bills and emissions count metres."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dispatch.inputs import RoundSolved
from dispatch.rounds.frozen_round import Frozen
from routing.travel import TravelTimes

BLOCK = 16
"""Legs asked for at once: travel times answer blocks, of which only the diagonal is wanted."""


def with_metres(frozen: Frozen, answer: RoundSolved, times: TravelTimes) -> RoundSolved:
    """The same answer, each leg of its changed routes with the metres driven (0 where the travel times know none)."""
    problem = frozen.problem
    vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
    origin, to, profile = list[int](), list[int](), list[int]()
    for change in answer.changes:
        v = vehicle_of[change.rider_id]
        places = [stop.place for stop in change.stops]
        origin += [int(problem.place[problem.start_place[v]]), *places][:-1]
        to += places
        profile += [int(problem.profile[v])] * len(places)
    metres = iter(_metres(np.array([origin, to, profile], dtype=np.int32), times, frozen.at))
    changes = tuple(
        change._replace(stops=tuple(stop._replace(leg_m=next(metres)) for stop in change.stops))
        for change in answer.changes
    )
    return replace(answer, changes=changes)


def _metres(legs: NDArray[np.int32], times: TravelTimes, at: int) -> list[int]:
    """Metres of each leg: rows origin, destination, profile."""
    found = list[int]()
    for begin in range(0, legs.shape[1], BLOCK):
        origin, to, profile = legs[:, begin : begin + BLOCK]
        one = np.arange(len(to))
        found += times.metres(origin, to, at)[profile, one, one].tolist()
    return found
