"""Columns of the trip planner's arrays.  They are layout, not settings: every weight is an argument.

Its modules read them as `layout.COUNT`; `col.` stands for the general planner's, with other numbers.

A few wide arrays instead of many narrow ones: a call then passes few arguments, and what is read together lies
together.  All are int64, so that sums of prices cannot overflow and JIT and plain Python agree.
Letters in shapes as in `routing.problem.problem`; G groups, K trips a row may hold, J requests a trip may hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# request[R, ...]
PICK = 0  # local place of the pickup
DROP = 1  # local place of the drop
GROUP = 2  # index of (pick place, store): what may share a trip
READY = 3
PLACED = 4
DUE = 5  # two columns
SLOPE = 7  # three columns
LATE = 10  # two columns
SKIP = 12
ACT = 13  # two columns: pickup, drop
BOARD = 15  # longest time on board
HOME = 16  # vehicle it was told to, or -1
TAKE = 17  # price of taking it from that vehicle
DIRECT = 18  # ticks from act instant at the pickup to act instant at the drop by the fastest profile
FLOOR = 19  # least door price anyone could reach
ENTER = 20  # two columns: ticks before the act at the pickup's place, at the drop's
EXIT = 22  # two columns: ticks after it
REQUEST_COLUMNS = 24  # from here on: load, one column per dimension

# vehicle[V, ...]
FREE_AT = 0  # after the drops of what is on board
FREE_PLACE = 1
END_PLACE = 2
LAST_PICKUP = 3
END = 4
PAID = 5
PROFILE = 6
MAX_REQUESTS = 7
MAX_TRIPS = 8
FIXED = 9
PER_WORK = 10
PER_DRIVE = 11
PER_METRE = 12
ABOARD = 13  # 1 where there are goods on board: the row is not empty, and they count as a trip
PRICED = 14  # 1 where leaving out a told place has a price, other than those that the drops of such goods keep
VEHICLE_COLUMNS = 15  # from here on: capacity, one column per dimension

# trip[V, K + 1, ...]; the row after the last trip holds AT, FROM and the COST of ending there
COUNT = 0  # requests in it
STORE = 1  # local place of its pickup stop
KIND = 2  # group
ANCHORED = 3  # 1 where it stands for a told stop
BOUND = 4  # 1 where it must go to that stop, whatever is picked up there
AT = 5  # when the vehicle is free before it
FROM = 6  # where
COST = 7
TRIP_COLUMNS = 8

# before.stop[S, ...] has place and level first
ROLE = 2
ANYWHERE, FIRST_STOP, KEPT = 0, 1, 2  # kept where anything goes there, where the row begins there, whatever is planned

# chain[V, ...]
TRIPS = 0
TOTAL = 1  # price of the whole row
FIRST = 2  # trips before this one are anchored: nothing may come before them
CHAIN_COLUMNS = 3

NEVER = 2**62
FAR = 2**30 - 1


class Facts(NamedTuple):
    """What the price of a trip is read from."""

    request: NDArray[np.int64]  # [R, REQUEST_COLUMNS + D]
    vehicle: NDArray[np.int64]  # [V, VEHICLE_COLUMNS + D]
    legs: NDArray[np.int32]  # [profile, P, Q, 1 or 2] ticks, metres where they are known
    window: NDArray[np.int32]  # [R, 2, K, 2] or [0, 0, 0, 0] where every window is open


class Before(NamedTuple):
    """The plan before, and what changing it costs."""

    ptr: NDArray[np.int32]  # [V + 1]
    stop: NDArray[np.int32]  # [S, 3] place, level (routing/problem/kernels/laws.py), ROLE
    change: NDArray[np.int64]  # [levels, 4] prices of changing what was told


class Day(NamedTuple):
    """What does not change during a round."""

    facts: Facts
    before: Before
    allowed: NDArray[np.uint64]  # [R, ceil(V / 64)] as in the Problem
    must_keep_ptr: NDArray[np.int32]  # [V + 1]
    must_keep: NDArray[np.int32]  # requests of which a vehicle keeps at least one
    near: NDArray[np.int32]  # [G, V] vehicles by earliest act instant at the group's store
    near_at: NDArray[np.int32]  # [G, V] that instant


class TripPlan(NamedTuple):
    """The plan under search.  Beyond the V vehicles there are rows to save vehicles in: a copy is a row like any other.

    The requests of trip k of vehicle v are in row v * K + k of `orders`; its last three rows are for trying sequences.
    """

    orders: NDArray[np.int32]  # [(V + B) * K + 3, J]
    trip: NDArray[np.int64]  # [V + B, K + 1, TRIP_COLUMNS]
    chain: NDArray[np.int64]  # [V + B, CHAIN_COLUMNS]
    where: NDArray[np.int32]  # [R] vehicle or -1


class Scratch(NamedTuple):
    """Room the search works in; L requests taken out at once, B = 2 L vehicles touched."""

    rng: NDArray[np.int64]  # [1] state of the random numbers
    movable: NDArray[np.int32]  # [M] requests that may change their place
    score: NDArray[np.int64]  # [M]
    pool: NDArray[np.int32]  # [L]
    home: NDArray[np.int32]  # [L] vehicle each request of the pool came from
    slot: NDArray[np.int32]  # [V] row of the plan where the vehicle is saved, or -1
    saved: NDArray[np.int32]  # [B] vehicles saved
