"""Who could be at a store soonest: by cells around it where riders are many, by looking at each where they are few.

Rings of cells are walked outwards until nobody farther out can be there as soon as those found: their way in a straight
line, at the fastest speed that the travel times know, is a lower bound.  Both ways find the same riders.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from dispatch.board.board import Board
from dispatch.board.progress import whereabouts
from dispatch.board.records import RiderRecord
from dispatch.rounds.freeze import takes_part
from routing.cells import ring, ring_gap_m
from routing.travel import TravelTimes

CELLS_FROM = 400
"""Riders of a city from which on cells pay (`python -m benchmarks run cells`)."""
MOST_RINGS = 40
"""Who is farther out than eight kilometres is found by looking at each."""

_Found = list[tuple[int, int, RiderRecord]]


def soonest(board: Board, place: int, times: TravelTimes, now: int, count: int) -> dict[str, RiderRecord] | None:
    """The `count` usable riders who could be at `place` first, by id; None where there are no more than that."""
    found = _by_cells(board, place, times, now, count) if len(board.riders) >= CELLS_FROM else None
    found = _timed(board.riders.values(), board, place, times, now) if found is None else found
    if len(found) <= count:
        return None
    first = sorted(found, key=_order)[:count]
    return {record.rider.rider_id: record for _, _, record in sorted(first, key=lambda one: one[1])}


def _by_cells(board: Board, place: int, times: TravelTimes, now: int, count: int) -> _Found | None:
    """More than `count` usable riders, those who could be there first among them; None where cells do not say."""
    reach = times.reach(now)
    if reach is None:
        return None
    here, found = int(board.places.cell[place]), list[tuple[int, int, RiderRecord]]()
    for k in range(MOST_RINGS):
        riders = [rider_id for cell in ring(here, k) for rider_id in board.rider_cells.inside(cell)]
        found += _timed((board.riders[rider_id] for rider_id in riders), board, place, times, now)
        if len(found) > count:
            found.sort(key=_order)
            if found[count - 1][0] < now + reach.least_s(ring_gap_m(here, k + 1)) - 1:  # seconds are rounded
                return found
    return None


def _timed(records: Iterable[RiderRecord], board: Board, place: int, times: TravelTimes, now: int) -> _Found:
    """(instant at the place, number, record) of each rider who takes part in rounds."""
    usable = [record for record in records if takes_part(record, board)]
    if not usable:
        return []
    starts = [whereabouts(record, now, divert=board.settings.rules.divert) for record in usable]
    origins = np.array([start.place for start in starts], dtype=np.int32)
    legs = times.table(origins, np.array([place], dtype=np.int32), now)
    profile_of = {name: k for k, name in enumerate(times.profiles)}
    profiles = [profile_of.get(record.rider.profile, 0) for record in usable]
    free_at = np.maximum(np.array([start.free_at for start in starts], dtype=np.int64), now)
    there_at = legs[profiles, np.arange(len(starts)), 0] + free_at
    return [(at, record.seq, record) for at, record in zip(there_at.tolist(), usable, strict=True)]


def _order(one: tuple[int, int, RiderRecord]) -> tuple[int, int]:
    return one[:2]
