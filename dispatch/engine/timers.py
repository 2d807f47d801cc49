"""Timers by id: when each rings, which have rung, and when the next one does."""

from __future__ import annotations

import heapq


class Timers:
    """One timer for each id at most, in a heap with lazy removal."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str]] = []
        self._of: dict[str, int] = {}

    def put(self, name: str, seq: int, at: int | None) -> None:
        """Let the timer of `name` ring at `at` (None: never); those of one instant ring in the order of `seq`."""
        if at is None:
            self._of.pop(name, None)
        elif self._of.get(name) != at:
            self._of[name] = at
            heapq.heappush(self._heap, (at, seq, name))

    def due(self, at: int) -> tuple[str, ...]:
        """Ids whose timer has run out by `at`, in the order of `seq`."""
        due: set[tuple[int, str]] = set()
        heap, look = self._heap, [0]
        while look:
            k = look.pop()
            if k < len(heap) and heap[k][0] <= at:
                if self._of.get(heap[k][2]) == heap[k][0]:
                    due.add(heap[k][1:])
                look += (2 * k + 1, 2 * k + 2)
        return tuple(name for _, name in sorted(due))

    def next_at(self) -> int | None:
        """When the next one rings; None for never."""
        while self._heap:
            at, _, name = self._heap[0]
            if self._of.get(name) == at:
                return at
            heapq.heappop(self._heap)
        return None
