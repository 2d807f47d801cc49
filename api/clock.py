"""The wall clock, as whole seconds that never go back."""

from __future__ import annotations

import time


class Clock:
    """Epoch seconds; `speed` other than 1 is for tests: a minute of it may pass in a second.

    With a speed, `start_at` is the instant it begins with.
    """

    def __init__(self, speed: float = 1.0, start_at: float | None = None) -> None:
        self.speed = speed
        self._mono0 = time.monotonic()
        self._start = time.time() if start_at is None else start_at
        self._is_wall = speed == 1.0 and start_at is None
        self._last = 0

    def exact(self) -> float:
        """Seconds with their fraction; follows steps of the machine's clock."""
        if self._is_wall:
            return time.time()
        return self._start + (time.monotonic() - self._mono0) * self.speed

    def now(self) -> int:
        """Whole seconds; a machine's clock that is set back stands still here until it has caught up."""
        self._last = max(self._last, int(self.exact()))
        return self._last

    def not_before(self, at: int) -> None:
        """The clock never says less than `at`: what the journal has seen has happened."""
        self._last = max(self._last, at)

    def wait_s(self, until: float) -> float:
        """Real seconds from now to an instant of this clock, never negative."""
        return max(0.0, (until - self.exact()) / self.speed)
