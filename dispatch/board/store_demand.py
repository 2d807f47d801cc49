"""What a store has taught us about its orders: how many to expect, and how far ahead they are known."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

NOTICE_BINS = 61
"""Minutes of notice kept apart: 0, 1, ... 59, and an hour or more."""


@dataclass(slots=True)
class StoreDemand:
    """An exponentially forgetting count of orders and a histogram of their notice (placement to ready)."""

    weight: float = 0.0
    at: int = 0
    notice: list[int] = field(default_factory=lambda: [0] * NOTICE_BINS)

    def note(self, placed_at: int, expected_ready_at: int, memory_s: int) -> None:
        """Learn from one order, at its placement."""
        at = max(placed_at, self.at)
        self.weight = self.faded(at, memory_s) + 1.0
        self.at = at
        minutes = max(0, expected_ready_at - placed_at) // 60
        self.notice[min(minutes, NOTICE_BINS - 1)] += 1

    def faded(self, now: int, memory_s: int) -> float:
        """The count at `now`: an order weighs exp(-age / memory_s)."""
        return self.weight * math.exp(-(now - self.at) / memory_s) if self.weight else 0.0
