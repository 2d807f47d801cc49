"""Lanes to the ledger and to streams: a flood in one is felt in that one alone.

New work may wait; changes of known orders, reports of riders and kitchens, and what operations do each have slots of
their own.  Inside a lane whoever is there shares it (`limits.Slots`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from api.access.slots import Slots

__all__ = ["NEW_WORK", "STREAMS", "STREAMS_EACH", "Lane", "Lanes", "is_new_work", "shares"]

NEW_WORK = frozenset({"/v1/deliveries", "/v1/quotes"})
"""Where POST brings new work."""


class Lane(StrEnum):
    """What a slot is held for."""

    NEW = "new"
    CHANGE = "change"
    REPORT = "report"
    OPERATION = "operation"


STREAMS: Mapping[Lane, int] = {Lane.CHANGE: 500, Lane.REPORT: 1000, Lane.OPERATION: 500}
STREAMS_EACH = 250
"""Event streams open at once: of tenants, riders and kitchens, and operations; and for each of them."""


def shares(most: int) -> Mapping[Lane, int]:
    """`most` slots for the four lanes: half for new work, a sixth for each other."""
    return {lane: max(1, most // (2 if lane is Lane.NEW else 6)) for lane in Lane}


def is_new_work(method: str, path: str) -> bool:
    """True for a request that brings an order, or asks what one would cost."""
    return method == "POST" and (path in NEW_WORK or (path.startswith("/v1/quotes/") and path.endswith("/accept")))


class Lanes:
    """Slots for each lane."""

    def __init__(self, sizes: Mapping[Lane, int], most_each: int | None = None, *, clock: Callable[[], float]) -> None:
        self._slots = {lane: Slots(most, most_each, clock=clock) for lane, most in sizes.items()}

    def of(self, lane: Lane) -> Slots:
        """The slots of one lane."""
        return self._slots[lane]

    @property
    def taken(self) -> int:
        """Slots in use, in all lanes."""
        return sum(slots.taken for slots in self._slots.values())

    def refusals(self) -> dict[str, int]:
        """How often a lane was full, since the start."""
        return {lane.value: slots.refused for lane, slots in self._slots.items()}
