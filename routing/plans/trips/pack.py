"""Packs a Problem into the trip planner's arrays, and the told plan with it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.plans.before import changes, homes, standing
from routing.plans.trips.kernels import layout
from routing.plans.trips.kernels.layout import Before, Day, Facts, Scratch, TripPlan
from routing.plans.trips.kernels.rows import read_rows
from routing.plans.trips.kernels.search import keeps
from routing.problem.problem import INFINITE, NEVER, ActKind, Problem, Travel

POOL = 12
"""Requests that one iteration of the search may take out."""


class Packed(NamedTuple):
    """A Problem as the kernels see it."""

    day: Day
    plan: TripPlan
    search: Scratch
    head: NDArray[np.int32]  # [V, H] requests on board in the sequence of their drops
    heads: NDArray[np.int32]  # [V] how many, -1 where the told row cannot be driven and stays as it is
    act_at: NDArray[np.int64]  # [V, G] earliest act instant at a group's store by reach alone, whatever the laws say
    free: NDArray[np.int64]  # [V, 2] when and where each vehicle is free for it


def pack(problem: Problem, travel: Travel, seed: int, known: Packed | None = None) -> Packed:
    """Arrays for the kernels, with the told plan read in; requests that have no place yet have `where` -1.

    `known`: the same problem packed with another plan; who can be where first is taken from there where all vehicles
    are free when and where they were.
    """
    fresh = problem.aboard_of < 0
    group, group_place = _groups(problem)
    vehicles, requests = len(problem.start_place), len(problem.pick_place)
    seats = max(int(problem.max_requests.max(initial=1)) if requests else 1, 1)
    seats = max(min(seats, requests), _longest_trip(problem), 1)
    told_trips = _told_trips(problem)
    trips = max(min(int(problem.max_trips.max(initial=1)), requests) + 1, 1) + told_trips
    before, change = changes(problem)
    day = Day(
        facts=Facts(_requests(problem, travel, group), _vehicles(problem), _legs(travel), _windows(problem)),
        before=Before(problem.before.stop_ptr, np.concatenate([before, _roles(problem)[:, None]], axis=1), change),
        allowed=problem.allowed.copy(),
        must_keep_ptr=problem.must_keep_ptr,
        must_keep=problem.must_keep,
        near=np.zeros((0, 0), dtype=np.int32),  # filled in below, once the told plan is read
        near_at=np.zeros((0, 0), dtype=np.int32),
    )
    rows = vehicles + 2 * POOL
    plan = TripPlan(
        orders=np.zeros((rows * trips + 3, seats + 1), dtype=np.int32),
        trip=np.zeros((rows, trips + 1, layout.TRIP_COLUMNS), dtype=np.int64),
        chain=np.zeros((rows, layout.CHAIN_COLUMNS), dtype=np.int64),
        where=np.full(requests, -1, dtype=np.int32),
    )
    aboard = np.bincount(problem.aboard_of[~fresh], minlength=vehicles) if requests else np.zeros(vehicles)
    head = np.zeros((vehicles, int(aboard.max(initial=0)) + 1), dtype=np.int32)
    heads = np.zeros(vehicles, dtype=np.int32)
    start = np.where(standing(problem), problem.start, np.maximum(problem.start, 0)).astype(np.int64)
    read_rows(day, plan, problem.before, problem.stop_level, problem.aboard_of, problem.start_place, start, head, heads)
    free = _free(day, plan, travel, problem)
    if known is not None and np.array_equal(free, known.free):
        act_at, day = known.act_at, day._replace(near=known.day.near, near_at=known.day.near_at)
    else:
        act_at = _earliest(free, travel, group_place, problem)
        near, near_at = _nearest(act_at, problem)
        day = day._replace(near=near, near_at=near_at)
    _floors(day, problem, group)
    day = _owed(day, plan)
    return Packed(day, plan, _search(problem, day, seed), head, heads, act_at, free)


def _groups(problem: Problem) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Group of each request (same pickup place and store; 0 for goods on board), and the place of each group."""
    fresh = problem.aboard_of < 0
    keys = problem.pick_place.astype(np.int64) * 2**32 + problem.store
    values, first, inverse = np.unique(keys[fresh], return_index=True, return_inverse=True)
    group = np.zeros(len(keys), dtype=np.int64)
    group[fresh] = inverse
    return group, problem.pick_place[fresh][first] if len(values) else np.zeros(0, dtype=np.int32)


def _longest_trip(problem: Problem) -> int:
    """Most pickups at one told stop."""
    picks = np.concatenate([[0], np.cumsum(problem.before.act_kind == ActKind.PICKUP)])
    return int(np.diff(picks[problem.before.act_ptr]).max(initial=0))


def _told_trips(problem: Problem) -> int:
    """Most told stops of one vehicle that open a trip."""
    told = problem.before
    picks = np.concatenate([[0], np.cumsum(told.act_kind == ActKind.PICKUP)])
    opens = (np.diff(picks[told.act_ptr]) > 0) | (np.diff(told.act_ptr) == 0)
    return int(np.diff(np.concatenate([[0], np.cumsum(opens)])[told.stop_ptr]).max(initial=0))


def _roles(problem: Problem) -> NDArray[np.int32]:
    """Told[ROLE] before goods on board are looked at: the first stop of a row must stay the first."""
    role = np.full(len(problem.before.stop_place), layout.ANYWHERE, dtype=np.int32)
    role[problem.before.stop_ptr[:-1][np.diff(problem.before.stop_ptr) > 0]] = layout.FIRST_STOP
    return role


def _requests(problem: Problem, travel: Travel, group: NDArray[np.int64]) -> NDArray[np.int64]:
    width = layout.REQUEST_COLUMNS + problem.load.shape[1]
    request = np.zeros((len(problem.pick_place), width), dtype=np.int64)
    request[:, layout.REQUEST_COLUMNS :] = problem.load
    for column, values in (
        (layout.PICK, problem.pick_place), (layout.DROP, problem.drop_place), (layout.GROUP, group),
        (layout.READY, problem.ready), (layout.PLACED, problem.placed), (layout.SKIP, problem.skip_cost),
        (layout.BOARD, problem.max_on_board),
    ):  # fmt: skip
        request[:, column] = values
    for column, table in (
        (layout.DUE, problem.due), (layout.SLOPE, problem.slope), (layout.LATE, problem.late_fixed),
        (layout.ACT, problem.act),
    ):  # fmt: skip
        request[:, column : column + table.shape[1]] = table
    request[problem.aboard_of >= 0, layout.BOARD] = 2 * layout.FAR
    leg = travel.ticks[:, problem.pick_place, problem.drop_place].min(axis=0)
    request[:, layout.DIRECT] = problem.act[:, 0] + problem.exit[problem.pick_place] + leg
    request[:, layout.DIRECT] += problem.enter[problem.drop_place]
    for side, places in enumerate((problem.pick_place, problem.drop_place)):
        request[:, layout.ENTER + side] = problem.enter[places]
        request[:, layout.EXIT + side] = problem.exit[places]
    request[:, layout.HOME], request[:, layout.TAKE] = homes(problem)
    request[problem.aboard_of >= 0, layout.TAKE] = NEVER
    return request


def _vehicles(problem: Problem) -> NDArray[np.int64]:
    width = layout.VEHICLE_COLUMNS + problem.capacity.shape[1]
    vehicle = np.zeros((len(problem.start_place), width), dtype=np.int64)
    vehicle[:, layout.VEHICLE_COLUMNS :] = problem.capacity
    for column, values in (
        (layout.END_PLACE, problem.end_place), (layout.LAST_PICKUP, problem.last_pickup), (layout.END, problem.end),
        (layout.PAID, problem.paid_until), (layout.PROFILE, problem.profile),
        (layout.MAX_REQUESTS, problem.max_requests), (layout.MAX_TRIPS, problem.max_trips),
        (layout.FIXED, problem.fixed), (layout.PER_WORK, problem.per_work),
        (layout.PER_DRIVE, problem.per_drive), (layout.PER_METRE, problem.per_metre),
    ):  # fmt: skip
        vehicle[:, column] = values
    return vehicle


def _legs(travel: Travel) -> NDArray[np.int32]:
    """Ticks, and metres where they are known, side by side."""
    if travel.metres.shape == travel.ticks.shape:
        return np.stack([travel.ticks, travel.metres], axis=3)
    return travel.ticks[..., None]


def _windows(problem: Problem) -> NDArray[np.int32]:
    if (problem.window[..., 0] == -INFINITE).all() and (problem.window[..., 1] == INFINITE).all():
        return np.zeros((0, 0, 0, 0), dtype=np.int32)
    return problem.window


def _free(day: Day, plan: TripPlan, travel: Travel, problem: Problem) -> NDArray[np.int64]:
    """When and where each vehicle is free [V, 2]: past the drops on board and the stop it must make."""
    free_at, place = day.facts.vehicle[:, layout.FREE_AT].copy(), day.facts.vehicle[:, layout.FREE_PLACE].copy()
    first = plan.trip[: len(place), 0]
    bound = (plan.chain[: len(place), layout.FIRST] > 0) & (first[:, layout.BOUND] == 1)
    bound &= first[:, layout.ANCHORED] == 1
    if bound.any():
        store = first[bound, layout.STORE]
        leg = np.where(place[bound] == store, 0, travel.ticks[problem.profile[bound], place[bound], store])
        free_at[bound] = np.where(leg > 0, np.maximum(free_at[bound], 0), free_at[bound]) + leg
        place[bound] = store
    return np.stack([free_at, place], axis=1)


def _earliest(
    free: NDArray[np.int64], travel: Travel, group_place: NDArray[np.int32], problem: Problem
) -> NDArray[np.int64]:
    """Earliest act instant [V, G] at each group's store, from when and where vehicles are free."""
    free_at, place = free[:, 0], free[:, 1]
    leg = travel.ticks[problem.profile[:, None], place[:, None], group_place[None, :]].astype(np.int64)
    here = place[:, None] == group_place[None, :]
    leave = np.where(here, free_at[:, None], np.maximum(free_at, 0)[:, None] + leg)
    return np.maximum(leave + problem.enter[group_place], 0)


def _nearest(act_at: NDArray[np.int64], problem: Problem) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`near` and `near_at`: vehicles by their lawful earliest act instant at each group's store, [G, V] each."""
    vehicles = len(act_at)
    lawful = np.where(act_at <= problem.last_pickup[:, None], np.minimum(act_at, layout.FAR), layout.FAR).T
    # Instant and vehicle in one number: sorting those is many times faster than a stable argsort, and the same.
    bits = max(vehicles - 1, 1).bit_length()
    both = np.sort((lawful << bits) | np.arange(vehicles, dtype=np.int64), axis=1)
    return (both & ((1 << bits) - 1)).astype(np.int32), (both >> bits).astype(np.int32)


def _floors(day: Day, problem: Problem, group: NDArray[np.int64]) -> None:
    """Least door price of every request: nobody picks it up before it is ready or the first vehicle can be there."""
    soonest = day.near_at[:, 0].astype(np.int64) if day.near_at.shape[1] else np.full(len(day.near_at), layout.FAR)
    fresh = problem.aboard_of < 0
    picked = np.maximum(soonest[group] if len(soonest) else np.zeros(len(group)), day.facts.request[:, layout.READY])
    instant = picked + day.facts.request[:, layout.DIRECT]
    waited = np.maximum(instant - problem.placed, 0)
    # The smallest slope everywhere: a bound has to be below, not exact.
    floor = np.minimum(problem.slope.min(axis=1) * waited, problem.skip_cost)
    day.facts.request[:, layout.FLOOR] = np.where(fresh, np.where(instant < layout.FAR, floor, problem.skip_cost), 0)


def _owed(day: Day, plan: TripPlan) -> Day:
    """Obligations that the search has to watch: those that the told plan meets in the trip told first.

    One that it meets otherwise holds what meets it; one that it does not meet nobody can be held to.
    """
    watched = np.zeros(len(day.must_keep_ptr) - 1, dtype=np.bool_)
    for v in np.flatnonzero(np.diff(day.must_keep_ptr)).tolist():
        listed = day.must_keep[day.must_keep_ptr[v] : day.must_keep_ptr[v + 1]]
        watched[v] = keeps(day, plan, v)
        if not watched[v]:
            day.facts.request[listed[plan.where[listed] == v], layout.TAKE] = NEVER
    size = np.diff(day.must_keep_ptr)
    ptr = np.concatenate([[0], np.cumsum(np.where(watched, size, 0))]).astype(np.int32)
    return day._replace(must_keep_ptr=ptr, must_keep=np.ascontiguousarray(day.must_keep[np.repeat(watched, size)]))


def _search(problem: Problem, day: Day, seed: int) -> Scratch:
    movable = np.flatnonzero((problem.aboard_of < 0) & (day.facts.request[:, layout.TAKE] < NEVER)).astype(np.int32)
    return Scratch(
        # xorshift wants a state other than zero; the factor spreads neighbouring seeds (Knuth's multiplicative hash).
        rng=np.array([(seed * 2654435761 + 88172645) % 0xFFFFFFFF + 1], dtype=np.int64),
        movable=movable,
        score=np.zeros(len(movable), dtype=np.int64),
        pool=np.zeros(POOL, dtype=np.int32),
        home=np.zeros(POOL, dtype=np.int32),
        slot=np.full(len(day.facts.vehicle), -1, dtype=np.int32),
        saved=np.zeros(2 * POOL, dtype=np.int32),
    )
