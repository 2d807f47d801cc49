"""Metres for the legs of an answer, and what of them is walked: planners count seconds, bills and emissions metres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.inputs import PlannedStop, RoundSolved
from dispatch.rounds.frozen_round import Frozen
from routing.travel import TravelTimes

BLOCK = 16
"""Legs asked for at once: travel times answer blocks, of which only the diagonal is wanted."""


def with_metres(frozen: Frozen, answer: RoundSolved, times: TravelTimes) -> RoundSolved:
    """The same answer, each leg of its changed routes with the metres driven and the walk to the door at its end.

    0 where the travel times know none.
    """
    problem = frozen.problem
    vehicle_of = {rider_id: v for v, rider_id in enumerate(frozen.ids.rider_ids)}
    origin, to, profile = list[int](), list[int](), list[int]()
    for change in answer.changes:
        v = vehicle_of[change.rider_id]
        places = [stop.place for stop in change.stops]
        origin += [int(problem.place[problem.start_place[v]]), *places][:-1]
        to += places
        profile += [int(problem.profile[v])] * len(places)
    legs = _told(np.array([origin, to, profile], dtype=np.int32), times, frozen.at)
    changes = tuple(
        change._replace(stops=tuple(_with_leg(stop, next(legs)) for stop in change.stops)) for change in answer.changes
    )
    return replace(answer, changes=changes)


class _Leg(NamedTuple):
    metres: int
    walk_s: int
    walk_m: int


def _with_leg(stop: PlannedStop, leg: _Leg) -> PlannedStop:
    return stop._replace(leg_m=leg.metres, walk_s=leg.walk_s, walk_m=leg.walk_m)


def _told(legs: NDArray[np.int32], times: TravelTimes, at: int) -> Iterator[_Leg]:
    """Metres and walk of each leg: rows origin, destination, profile."""
    for begin in range(0, legs.shape[1], BLOCK):
        origin, to, profile = legs[:, begin : begin + BLOCK]
        one = np.arange(len(to))
        metres = times.metres(origin, to, at)[profile, one, one].tolist()
        walk_s, walk_m = (each[profile, one].tolist() for each in times.walks(origin, to, at))
        yield from map(_Leg._make, zip(metres, walk_s, walk_m, strict=True))
