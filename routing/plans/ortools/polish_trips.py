"""The model of trips: which vehicle makes which trips, in which sequence.

Under ONE_STORE_UNTIL_EMPTY a trip is one node: it begins at its pickup and ends where its last drop was left.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.ortools.lateness import LateChange, LateStep, door_changes, price, steps
from routing.plans.ortools.questions import TripQuestion
from routing.problem.build import Stop, read_rows
from routing.problem.evaluate import Timeline
from routing.problem.problem import INFINITE, ActKind, Level, Problem, Rows, Travel

VEHICLES = 12
"""Vehicles in a cluster: the one with the costliest wait and those nearest to its trips."""


class Trip(NamedTuple):
    """Stops from a pickup until empty; ticks count from the act instant of the pickup."""

    stops: tuple[Stop, ...]
    requests: tuple[int, ...]
    ready: int
    lasts: int
    late: tuple[LateStep, ...]
    """The price of the instant of the pickup: when every order arrives follows from it."""


class Chain(NamedTuple):
    """A vehicle's plan: what is settled, where and when that ends, and the trips after it."""

    vehicle: int
    settled: tuple[Stop, ...]
    place: int
    free: int
    trips: tuple[Trip, ...]


class TripModel:
    """Clusters of at most VEHICLES vehicles of one profile, and one more."""

    clusters = 2

    def __init__(self, problem: Problem, travel: Travel) -> None:
        self._problem, self._travel = problem, travel
        self._chains: list[Chain] = []

    def members(self, rows: Rows, timeline: Timeline, done: Collection[int]) -> Sequence[int]:
        """The vehicle whose trips wait the costliest, and the nearest others of its profile, in vehicle order."""
        problem, travel = self._problem, self._travel
        self._chains = _chains(problem, rows, timeline)
        waits = [(-_wait(problem, travel, chain), chain.vehicle) for chain in self._chains if chain.vehicle not in done]
        if not waits or min(waits)[0] >= 0:
            return ()
        worst = self._chains[min(waits)[1]]
        profile = int(problem.profile[worst.vehicle])
        stores = [trip.stops[0][0] for trip in worst.trips]
        near = sorted(
            (chain.free + min(int(travel.ticks[profile, chain.place, store]) for store in stores), chain.vehicle)
            for chain in self._chains
            if problem.profile[chain.vehicle] == profile and chain.vehicle not in done
        )
        chosen = sorted({worst.vehicle, *(v for _, v in near[:VEHICLES])})
        return chosen if sum(len(self._chains[v].trips) for v in chosen) > 1 else ()

    def question(self, rows: Rows, timeline: Timeline, members: Sequence[int]) -> TripQuestion:
        """The trips of these vehicles, which may wait for their pickup at a price."""
        problem, cluster = self._problem, [self._chains[v] for v in members]
        trips = [trip for chain in cluster for trip in chain.trips]
        ticks, cost = _legs(problem, self._travel, trips, cluster)
        ends = np.cumsum([0, *(len(chain.trips) for chain in cluster)]).tolist()
        return TripQuestion(
            cost, ticks, ready=[max(0, trip.ready) for trip in trips], late=[trip.late for trip in trips],
            allowed=[[k for k, v in enumerate(members) if _may(problem, v, trip)] for trip in trips],
            free=[chain.free for chain in cluster],
            last_pickup=[min(INFINITE, max(0, int(problem.last_pickup[v]))) for v in members],
            max_trips=[int(problem.max_trips[v]) for v in members],
            warm=[list(range(ends[k], ends[k + 1])) for k in range(len(cluster))],
        )  # fmt: skip

    def routes(self, rows: Rows, members: Sequence[int], answer: list[list[int]]) -> list[list[Stop]]:
        """What is settled, then the trips."""
        cluster = [self._chains[v] for v in members]
        trips = [trip for chain in cluster for trip in chain.trips]
        return [
            [*chain.settled, *(stop for j in route for stop in trips[j].stops)]
            for chain, route in zip(cluster, answer, strict=True)
        ]


def _chains(problem: Problem, rows: Rows, timeline: Timeline) -> list[Chain]:
    told = np.zeros(len(problem.start_place), dtype=np.int64)
    for v in range(len(told)):
        levels = problem.stop_level[int(problem.before.stop_ptr[v]) : int(problem.before.stop_ptr[v + 1])]
        told[v] = int((levels >= Level.OFFERED).sum())
    return [
        _chain(problem, timeline, int(rows.stop_ptr[v]), v, stops, int(told[v]))
        for v, stops in enumerate(read_rows(rows))
    ]


def _chain(problem: Problem, timeline: Timeline, first: int, v: int, stops: Sequence[Stop], told: int) -> Chain:
    """Split a row into what is settled (told, or begun) and whole trips."""
    aboard = int((problem.aboard_of == v).sum())
    settled = 0
    for stop in stops:
        if settled >= told and aboard == 0:
            break
        aboard += _change(stop)
        settled += 1
    trips = []
    begin = settled
    for k in range(settled, len(stops)):
        aboard += _change(stops[k])
        if aboard == 0 and stops[k][1]:
            trips.append(_trip(problem, timeline, first, stops, begin, k + 1))
            begin = k + 1
    place = stops[settled - 1][0] if settled else int(problem.start_place[v])
    free = int(timeline.leave[first + settled - 1]) if settled else int(problem.start[v])
    return Chain(v, tuple(stops[:settled]), place, max(0, free), tuple(trips))


def _change(stop: Stop) -> int:
    """How many more requests are on board after a stop."""
    return sum(1 if kind == ActKind.PICKUP else -1 for _, kind in stop[1])


def _trip(problem: Problem, timeline: Timeline, first: int, stops: Sequence[Stop], begin: int, end: int) -> Trip:
    requests = tuple(request for request, _ in stops[begin][1])
    ready = max(int(problem.ready[r]) for r in requests)
    picked_at = int(timeline.act_at[first + begin])
    lasts = int(timeline.leave[first + end - 1]) - picked_at
    changes: list[LateChange] = []
    for k in range(begin + 1, end):
        for request, _ in stops[k][1]:
            changes += door_changes(problem, request, int(timeline.act_at[first + k]) - picked_at)
    return Trip(tuple(stops[begin:end]), requests, ready, lasts, steps(changes, max(0, ready)))


def _wait(problem: Problem, travel: Travel, chain: Chain) -> int:
    """What a chain's orders pay for waiting ready on the counter, and for what that makes them miss."""
    ticks = travel.ticks[int(problem.profile[chain.vehicle])]
    at, place, cost = chain.free, chain.place, 0
    for trip in chain.trips:
        store = trip.stops[0][0]
        act_at = max(trip.ready, at + int(ticks[place, store]) + int(problem.enter[store]))
        cost += price(trip.late, act_at)
        at, place = act_at + trip.lasts, trip.stops[-1][0]
    return cost


def _legs(
    problem: Problem, travel: Travel, trips: list[Trip], cluster: list[Chain]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ticks between act instants, and the price of driving; the node after the last is where every day ends."""
    size = len(trips) + len(cluster) + 1
    time = np.zeros((size, size), dtype=np.int64)
    driving = np.zeros((size, size), dtype=np.int64)
    ticks = travel.ticks[int(problem.profile[cluster[0].vehicle])]
    ends = [(trip.stops[-1][0], trip.lasts) for trip in trips] + [(chain.place, 0) for chain in cluster]
    work = int(problem.per_work[cluster[0].vehicle] + problem.per_drive[cluster[0].vehicle])
    for a, (place, lasts) in enumerate(ends):
        for b, trip in enumerate(trips):
            store = trip.stops[0][0]
            leg = int(ticks[place, store])
            time[a, b] = min(INFINITE, lasts + leg + int(problem.enter[store]))
            driving[a, b] = work * leg
    return time, driving


def _may(problem: Problem, v: int, trip: Trip) -> bool:
    word, bit = v // 64, v % 64
    lawful = all(int(problem.allowed[r, word]) >> bit & 1 for r in trip.requests)
    load = problem.load[list(trip.requests)].sum(axis=0)
    return lawful and len(trip.requests) <= problem.max_requests[v] and bool((load <= problem.capacity[v]).all())
