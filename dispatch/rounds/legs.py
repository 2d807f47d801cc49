"""The legs of a round: between all its places, or in a large round of trips those that a plan of trips can drive.

A rider with empty hands goes to a store first, and between two stores only doors of one trip follow each other.  So
riders' starts need the ways to stores alone, and doors the ways to stores and to doors of the same trip; the rest stays
UNREACHABLE, and the plan is the same.  Plans that mix stores in a bag compare any two places: their block stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.rounds.frozen_round import Frozen
from routing.problem.problem import I32, ActKind, Problem, Travel, TripRule
from routing.travel import UNREACHABLE, TravelTimes

PAIRS_FROM = 4_000_000
"""Pairs of places from which on it pays to leave some out (`python -m benchmarks --suite full --only legs`)."""
AT_ONCE = 192
"""Places whose legs are asked for together: small groups of places share a question."""

NO_METRES = np.zeros((0, 0, 0), dtype=np.int32)


def travel_block(frozen: Frozen, times: TravelTimes) -> Travel:
    """Ticks (and metres, where they are priced) from every place of the round to those that may be gone to."""
    places = frozen.problem.place
    return Travel(
        _ticks(frozen, times, places, places[: frozen.destinations]),
        times.metres(places, places[: frozen.destinations], frozen.at) if frozen.problem.per_metre.any() else NO_METRES,
    )


def legs_of_trips(frozen: Frozen, times: TravelTimes) -> Travel:
    """As `travel_block`, UNREACHABLE (0 metres) where no plan of one store until empty can lead; small rounds whole."""
    problem = frozen.problem
    if len(problem.place) * frozen.destinations < PAIRS_FROM or not _is_orderly(problem):
        return travel_block(frozen, times)
    hubs = np.flatnonzero(_hubs(frozen)).astype(np.int32)
    shape = len(times.profiles), len(problem.place), frozen.destinations
    ticks = np.full(shape, UNREACHABLE, dtype=np.int32)
    metres = np.zeros(shape, dtype=np.int32) if problem.per_metre.any() else NO_METRES
    everywhere = np.arange(len(problem.place), dtype=np.int32)
    for lot in (_Lot(everywhere, hubs), *_lots(problem, frozen.destinations)):
        rows, columns = lot.origins[:, None], lot.destinations[None, :]
        handles = problem.place[lot.origins], problem.place[lot.destinations]
        ticks[:, rows, columns] = _ticks(frozen, times, *handles)
        if metres.size:
            metres[:, rows, columns] = times.metres(*handles, frozen.at)
    return Travel(ticks, metres)


def _ticks(frozen: Frozen, times: TravelTimes, origins: I32, destinations: I32) -> I32:
    round_to_s = frozen.settings.rules.travel_round_s
    return times.table(origins, destinations, frozen.at, tick_us=frozen.problem.tick_us, round_to_s=round_to_s)


class _Lot(NamedTuple):
    """Local places from which, and to which, a plan may drive."""

    origins: I32
    destinations: I32


def _is_orderly(problem: Problem) -> bool:
    """Whether plans are of trips, and each stop told gives one store's goods, too (`rules.mix` may change)."""
    told = problem.before
    stop = np.repeat(np.arange(len(told.stop_place)), np.diff(told.act_ptr))
    picks = told.act_kind == ActKind.PICKUP
    store = problem.store[told.act_request[picks]]
    same = stop[picks][1:] == stop[picks][:-1]
    if problem.choice.size:
        return False
    return problem.trip_rule == TripRule.ONE_STORE_UNTIL_EMPTY and not (store[1:] != store[:-1])[same].any()


def _hubs(frozen: Frozen) -> NDArray[np.bool_]:
    """Places that may be gone to and are not merely some orders' doors: everybody may go there next, bool[Q]."""
    problem, told = frozen.problem, frozen.problem.before
    hubs = np.ones(frozen.destinations, dtype=np.bool_)
    hubs[problem.drop_place] = False
    hubs[problem.pick_place[problem.aboard_of < 0]] = True
    hubs[frozen.outlook.store] = True
    hubs[problem.end_place[problem.end_place >= 0]] = True
    drops = np.concatenate([[0], np.cumsum(told.act_kind == ActKind.DROP)])[told.act_ptr]
    hubs[told.stop_place[(np.diff(drops) < np.diff(told.act_ptr)) | (np.diff(told.act_ptr) == 0)]] = True
    return hubs


def _lots(problem: Problem, destinations: int) -> Iterator[_Lot]:
    """Groups of places between which a plan may drive: stores with their doors, riders with what they have; in lots."""
    lot: list[I32] = []
    for group in _groups(problem):
        lot.append(group)
        if sum(map(len, lot)) >= AT_ONCE:
            yield _as_lot(lot, destinations)
            lot = []
    if lot:
        yield _as_lot(lot, destinations)


def _as_lot(groups: list[I32], destinations: int) -> _Lot:
    places = np.unique(np.concatenate(groups))
    return _Lot(places, places[places < destinations])


def _groups(problem: Problem) -> Iterator[I32]:
    told, fresh = problem.before, problem.aboard_of < 0
    yield from _by(problem.pick_place[fresh], problem.pick_place[fresh], problem.drop_place[fresh])
    # Of every rider where they are, what they carry, where they are told to go and the doors of what is told.
    aboard = np.flatnonzero(~fresh)
    vehicle = np.repeat(np.arange(len(told.stop_ptr) - 1), np.diff(told.stop_ptr))
    acting = np.repeat(vehicle, np.diff(told.act_ptr))
    owner = np.concatenate([problem.aboard_of[aboard], vehicle, acting])
    place = np.concatenate([problem.drop_place[aboard], told.stop_place, problem.drop_place[told.act_request]])
    yield from _by(owner, problem.start_place[owner], place)


def _by(key: NDArray[np.integer], own: I32, place: I32) -> Iterator[I32]:
    """The places of each key, its own place among them."""
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.diff(key[order])) + 1
    for group in np.split(order, ends):
        if len(group):
            yield np.unique(np.concatenate([own[group[:1]], place[group]]))
