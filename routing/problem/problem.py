"""The arrays of one round: Problem (law and price), Travel (ticks), Rows (a plan), Solution.

One structure serves published meal-delivery days, static pickup-and-delivery files and live dispatch.  Times are
integer *ticks* from the start of the round; `tick_us` names the tick.  Letters in shapes: P local places, Q of them
that may be gone to (the first Q), R requests, V vehicles, K windows, D load dimensions, S stops, A acts.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

INFINITE = 2**30 - 1
"""A time that never comes, a leg that nobody can make; two of them still add up within int32."""

NEVER = 2**62
"""The price of what must not be done."""


class TripRule(IntEnum):
    """What a vehicle may mix on board."""

    ANY = 0
    ONE_STORE_UNTIL_EMPTY = 1
    """Everything on board comes from one pickup stop; the next pickup only when empty."""


class ActKind(IntEnum):
    """What is done with a request at a stop."""

    PICKUP = 0
    DROP = 1


class Mix(IntEnum):
    """Whether two classes of goods may be on board at the same time."""

    APART = 0
    TOGETHER = 1
    ONE_STOP = 2
    """Where they were picked up at the same stop and are of the same store."""


class Level(IntEnum):
    """How far a place or an order on a route is committed (docs/conventions.md)."""

    TENTATIVE = 0
    OFFERED = 1
    TOLD = 2
    UNDERWAY = 3
    AT_STOP = 4
    ON_BOARD = 5


class Reason(IntEnum):
    """Why a request is on no route.  A result, never an exception."""

    SERVED = 0
    NO_RIDER_IN_REACH = 1
    CAPACITY = 2
    NEEDS = 3
    SHIFT_END = 4
    UNREACHABLE = 5
    ZONE = 6
    WINDOW = 7
    ON_BOARD_LIMIT = 8
    STORE_CLOSED = 9
    REFUSED_BY_ALL = 10
    HELD = 11
    BUDGET = 12
    KEPT = 13
    PARKED = 14
    TRAVEL_LIMIT = 15
    BREAKS = 16
    TOO_DEAR = 17
    CHOICE = 18
    """Another row of its choice is served."""
    GOODS = 19
    LINKED = 20
    PRECEDENCE = 21
    FLEET = 22
    APART = 23


class Rows(NamedTuple):
    """A plan in compressed rows: vehicle -> stops -> acts.  A stop may have no act (an empty move, "go to store r").

    Stops of vehicle v are `stop_ptr[v]:stop_ptr[v + 1]`, acts of stop s are `act_ptr[s]:act_ptr[s + 1]`.
    """

    stop_ptr: I32  # [V + 1]
    stop_place: I32  # [S] local place
    act_ptr: I32  # [S + 1]
    act_request: I32  # [A]
    act_kind: I8  # [A] ActKind


NO_32: I32 = np.zeros(0, dtype=np.int32)
NO_64: I64 = np.zeros(0, dtype=np.int64)
NO_TABLE: I32 = np.zeros((0, 0), dtype=np.int32)
NO_BLOCK: I32 = np.zeros((0, 0, 0), dtype=np.int32)
"""Stand for a field that a Problem or Travel does not use."""


class Breaks(NamedTuple):
    """Pauses of vehicles, in the order in which they are taken: breaks of v are `ptr[v]:ptr[v + 1]`."""

    ptr: I32  # [V + 1], or [0] where no vehicle has any
    window: I32  # [B, K, 2] in which a break begins, inclusive
    service: I32  # [B] ticks
    max_load: I32  # [B, D] most on board while it lasts


NO_BREAKS = Breaks(NO_32, NO_BLOCK, NO_32, NO_TABLE)


class Reloads(NamedTuple):
    """Where vehicles may come back to load: places of v are `place[ptr[v]:ptr[v + 1]]`.

    A stop without acts at one of them is a reload: what stays on board to the end is unloaded there, and what is
    dropped after it without a pickup is loaded, once it is ready.  It takes `enter` and `exit` of the place.
    """

    ptr: I32  # [V + 1], or [0] where nobody may
    place: I32
    most: I32  # [V] reloads of a route


NO_RELOADS = Reloads(NO_32, NO_32, NO_32)
NO_MIX: I8 = np.zeros((0, 0), dtype=np.int8)
NO_PRICES: I64 = np.zeros((0, 0), dtype=np.int64)


class Problem(NamedTuple):
    """Frozen arrays of one round: what is allowed, what it costs, and the plan before."""

    tick_us: int
    trip_rule: int  # TripRule
    # places
    place: I32  # [P] PlaceBook handle; the first Q may be gone to
    enter: I32  # [P] ticks before the first act of a stop
    exit: I32  # [P] ticks after the last act of a stop
    # requests
    pick_place: I32  # [R] -1: on board of `aboard_of`, or loaded at the vehicle's start where that is -1 too
    drop_place: I32  # [R] -1: stays on board to the end (a single pickup)
    aboard_of: I32  # [R] vehicle or -1
    store: I32  # [R] trip group
    load: I32  # [R, D]
    act: I32  # [R, 2] ticks of the act at pickup, at drop
    placed: I32  # [R] may be negative
    ready: I32  # [R] may be negative
    window: I32  # [R, 2, K, 2] (side, window, [open, close]) inclusive; unused: [-INFINITE, INFINITE]
    max_on_board: I32  # [R] ticks between the act instants, INFINITE for none
    due: I32  # [R, 2] instants (ticks) of the two thresholds
    slope: I64  # [R, 3] price per tick of delivered - placed: up to due[0], up to due[1], beyond
    late_fixed: I64  # [R, 2] charge for passing each threshold
    skip_cost: I64  # [R] price of leaving it out
    # vehicles
    start_place: I32  # [V]
    start: I32  # [V] tick from which the vehicle is free at start_place (or arrived there, where its first stop is)
    end_place: I32  # [V] -1: open end
    last_pickup: I32  # [V] law: no pickup act after it
    end: I32  # [V] law: back at end_place (or last stop left) by then
    paid_until: I32  # [V] price: work after it is free of charge
    profile: I32  # [V] first axis of Travel.ticks
    capacity: I32  # [V, D]
    max_requests: I32  # [V] requests per trip
    max_trips: I32  # [V] trips planned ahead
    fixed: I64  # [V] price of using the vehicle at all
    per_work: I64  # [V] per tick of driving and service before paid_until (waiting excluded)
    per_drive: I64  # [V] per tick of driving
    per_metre: I64  # [V]
    allowed: U64  # [R, ceil(V / 64)] bit v of word v // 64
    must_keep_ptr: I32  # [V + 1]
    must_keep: I32  # [..] vehicle v must serve one of these at its first place (its row is empty: it need not)
    # the plan before: last round's, what is tentative included (the warm start); levels say what of it has been told
    before: Rows
    stop_level: I8  # [S]
    act_level: I8  # [A]
    add_price: I64  # [6, 2] by Level; column 0: the place, column 1: an order added at a stop of that level
    take_price: I64  # [6, 2] the same for taking away; NEVER forbids
    # what only some problems have: an empty array says that nobody has it
    rank: I64 = NO_64  # [R] what leaving it out counts for before any price: the sum decides, then the cost
    load_back: I32 = NO_TABLE  # [R, D] taken on board at the drop in exchange, to the end of the route
    max_drive: I32 = NO_32  # [V] ticks of driving, INFINITE for any
    max_metres: I64 = NO_64  # [V]
    max_acts: I32 = NO_32  # [V]
    per_task: I64 = NO_64  # [V] per tick of setup and acts
    per_toll: I64 = NO_64  # [V] per unit of Travel.toll
    breaks: Breaks = NO_BREAKS
    max_duration: I32 = NO_32  # [V] ticks of a route, begun as late as ends it no later, to its end
    max_stretch: I32 = NO_32  # [V] ticks of driving and service between breaks; a leg counts after the break on it
    per_load_km: I64 = NO_PRICES  # [V, D] per kilometre and unit on board, beside per_metre
    reloads: Reloads = NO_RELOADS
    choice: I32 = NO_32  # [R] of rows with one number at most one is served, skipped and ranked once; -1: alone
    linked: I32 = NO_32  # [R] row whose first act shares a stop with this one's last: both or neither; -1: none
    goods: I32 = NO_32  # [R] class of goods
    mix: I8 = NO_MIX  # [C, C] Mix: what may be on board at the same time
    group: I32 = NO_32  # [R] rows with one number go together where that pays; -1: alone
    split_price: I64 = NO_64  # [G] for each trip beyond the first that serves some of the group
    pair_price: I64 = NO_PRICES  # [R, V] of serving the request by the vehicle
    precedence: I32 = NO_TABLE  # [N, 2] (a, b): b is served only where a is, its first act not before a's last
    min_used: int = 0  # vehicles that have a stop: at least
    max_used: int = INFINITE  # and at most
    per_longest: int = 0  # price per tick of the longest route, from its start to its end


class Travel(NamedTuple):
    """Travel blocks of a round: everything to the places that may be gone to, never rider to rider."""

    ticks: I32  # [profile, P, Q], INFINITE = unreachable
    metres: I32  # the same shape, or [0, 0, 0] where unknown
    drive: I32 = NO_BLOCK  # the ticks without the setup that follows (windows are for its beginning), or [0, 0, 0]
    toll: I32 = NO_BLOCK  # a price of its own for each leg, or [0, 0, 0]


class Receipt(NamedTuple):
    """Why this vehicle: what the next best ones would have cost for the same request, the rest of the plan fixed."""

    request: int
    vehicle: int
    added_cost: int
    others: tuple[tuple[int, int], ...]  # up to three (vehicle, added cost), cheapest first
    binding: int  # Reason of the law that stopped the vehicle which would have been cheapest without it, or SERVED
    instead: tuple[tuple[int, int, int], ...] = ()
    """Up to three other rows of its choice, cheapest first: the row, its cheapest vehicle, what it would add."""


class Explain(NamedTuple):
    """Which served requests get a receipt: those for which their vehicle sets off by tick `by`."""

    by: int = INFINITE
    last_moment: bool = True
    """Vehicles set off as late as delays no act; else as soon as they can."""


class Solution(NamedTuple):
    """A plan for every vehicle, timed by the one evaluator, with the reason for each request that has none."""

    rows: Rows
    leg: I32  # [S] ticks driven to the stop
    arrive: I32  # [S]
    act_at: I32  # [S] the act instant
    leave: I32  # [S]
    reason: I8  # [R] Reason, SERVED where on a route
    cost: int
    work: int  # work units spent (insertions tried), the same on every machine
    receipts: tuple[Receipt, ...]
    rank: int = 0  # sum over what is left out: fewer comes before cheaper


def empty_rows(vehicles: int) -> Rows:
    """A plan in which nobody does anything."""
    none = np.zeros(0, dtype=np.int32)
    return Rows(
        np.zeros(vehicles + 1, dtype=np.int32), none, np.zeros(1, dtype=np.int32), none, np.zeros(0, dtype=np.int8)
    )
