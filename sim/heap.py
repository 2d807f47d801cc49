"""The event heap: what happens next, by (instant, class, order of the source)."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from enum import IntEnum

from dispatch.inputs import Input


class Rank(IntEnum):
    """Order of handling at one instant: the classes of inputs, and after them what riders' hands do.

    Goods change hands last, so that the orders of a waiting rider are settled by the round of the same instant.
    """

    EXOGENOUS = 0
    REPORT = 1
    ANSWER = 2
    WAKE = 3
    HANDOVER = 4


Happening = Input | Callable[[int], None]
"""An input for the engine, or something that happens in the city when its instant comes."""


class EventHeap:
    """A priority queue; equal keys come out in the order in which they were put in."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int, int, Happening]] = []
        self._count = 0
        self._wakes = 0

    @property
    def only_wakes(self) -> bool:
        """True where nothing is left but alarms of the engine."""
        return self._wakes == len(self._entries)

    @property
    def next_at(self) -> int | None:
        """The instant of what is due first, None where nothing is."""
        return self._entries[0][0] if self._entries else None

    @property
    def next_rank(self) -> int | None:
        """The class of what is due first, None where nothing is."""
        return self._entries[0][1] if self._entries else None

    def put(self, at: int, rank: int, what: Happening) -> None:
        """Add something that is due at `at`, epoch seconds."""
        heapq.heappush(self._entries, (at, rank, self._count, what))
        self._count += 1
        self._wakes += rank == Rank.WAKE

    def say(self, item: Input) -> None:
        """Add an input, at its own instant and class."""
        self.put(item.at, item.rank, item)

    def pop(self) -> tuple[int, Happening]:
        """Remove and return what is due first, with its instant."""
        at, rank, _, what = heapq.heappop(self._entries)
        self._wakes -= rank == Rank.WAKE
        return at, what
