"""When a travel service is left alone: after failures in a row, and when enough was asked of it."""

from __future__ import annotations

from collections.abc import Callable

FAILURES = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0


class Breaker:
    """Open, nobody asks; after a pause one question may try again.  Each pause is twice as long as the one before."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._until = -float("inf")

    @property
    def is_open(self) -> bool:
        """True where nobody should ask now."""
        return self._clock() < self._until

    def failed(self, retry_after_s: float = 0.0) -> None:
        """A question failed; one that says when to come again is believed at once."""
        self._failures += 1
        if self._failures >= FAILURES or retry_after_s:
            self._until = self._clock() + max(self._pause_s, retry_after_s)
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)

    def succeeded(self) -> None:
        """A question was answered."""
        self._failures, self._pause_s = 0, FIRST_PAUSE_S


class Purse:
    """How many ways may still be asked for: about `most` in a minute."""

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._left = float(most)
        self._at = clock()

    def take(self, ways: int) -> bool:
        """Takes them and says True, or leaves all where there are too few; what is more than `most` is owed."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
        self._at = now
        if self._left < min(ways, self._most):
            return False
        self._left -= ways
        return True
