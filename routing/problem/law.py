"""The laws that a plan may break, and the reason that each gives a request that is left out because of it."""

from __future__ import annotations

from enum import IntEnum

from routing.problem.problem import Reason


class Law(IntEnum):
    """What a plan may break; those up to RELOAD are found by the pass over the timeline, with the same values."""

    NONE = 0
    MALFORMED = 1
    """An act at the wrong place, twice, before its pickup, or a pickup that is never dropped."""
    NOT_ALLOWED = 2
    ABOARD_ELSEWHERE = 3
    UNREACHABLE = 4
    CAPACITY = 5
    WINDOW = 6
    LAST_PICKUP = 7
    ROUTE_END = 8
    ON_BOARD = 9
    TRIP = 10
    """Requests per trip, trips ahead, acts of a route, or one store until empty."""
    MUST_KEEP = 11
    TOLD = 12
    """A change of the told plan whose price is NEVER."""
    TRAVEL_LIMIT = 13
    """More driving, more metres, or a longer route than the vehicle may."""
    BREAKS = 14
    """A break that suits no leg, or too long a stretch without one."""
    RELOAD = 15
    """More reloads than the vehicle may."""
    CHOICE = 16
    """Two rows of one choice."""
    LINKED = 17
    """One of two linked rows, or both at different stops."""
    GOODS = 18
    """Goods on board beside goods that they may not ride with."""
    PRECEDENCE = 19
    FLEET = 20
    """Fewer or more vehicles than may be used."""


REASON_OF: dict[Law, Reason] = {
    Law.NONE: Reason.SERVED,
    Law.MALFORMED: Reason.NO_RIDER_IN_REACH,
    Law.NOT_ALLOWED: Reason.NEEDS,
    Law.ABOARD_ELSEWHERE: Reason.HELD,
    Law.UNREACHABLE: Reason.UNREACHABLE,
    Law.CAPACITY: Reason.CAPACITY,
    Law.WINDOW: Reason.WINDOW,
    Law.LAST_PICKUP: Reason.SHIFT_END,
    Law.ROUTE_END: Reason.SHIFT_END,
    Law.ON_BOARD: Reason.ON_BOARD_LIMIT,
    Law.TRIP: Reason.CAPACITY,
    Law.MUST_KEEP: Reason.HELD,
    Law.TOLD: Reason.HELD,
    Law.TRAVEL_LIMIT: Reason.TRAVEL_LIMIT,
    Law.BREAKS: Reason.BREAKS,
    Law.RELOAD: Reason.CAPACITY,
    Law.CHOICE: Reason.CHOICE,
    Law.LINKED: Reason.LINKED,
    Law.GOODS: Reason.GOODS,
    Law.PRECEDENCE: Reason.PRECEDENCE,
    Law.FLEET: Reason.FLEET,
}
"""The reason that a broken law gives a request."""
