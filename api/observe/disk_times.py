"""How long the disk takes: the age of the oldest write under way, and the slowest one lately.

Writes begin on the event loop and end in the ledger's thread: a loop that stands still is no slow disk.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

LATELY_S = 10.0


class Commits:
    """Writes on their way to the disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: OrderedDict[int, float] = OrderedDict()
        self._number = 0
        self._slow_s, self._slow_at = 0.0, 0.0

    def begin(self) -> int:
        """A write is handed over; the number to `end` it by."""
        with self._lock:
            self._number += 1
            self._under_way[self._number] = self._clock()
            return self._number

    def end(self, number: int) -> float:
        """A write has ended, one way or the other: the seconds it took."""
        with self._lock:
            now = self._clock()
            lasted_s = now - self._under_way.pop(number)
            if lasted_s >= self._slow_s or now - self._slow_at > LATELY_S:
                self._slow_s, self._slow_at = lasted_s, now
            return lasted_s

    @property
    def age_s(self) -> float:
        """What a write takes now: the oldest one under way, or the slowest that ended in the last ten seconds."""
        with self._lock:
            now = self._clock()
            oldest_s = now - next(iter(self._under_way.values()), now)
            return max(oldest_s, self._slow_s if now - self._slow_at <= LATELY_S else 0.0)
